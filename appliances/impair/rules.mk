PROG_SRC_mrg-impair  := $(wildcard appliances/impair/*.c) $(addprefix appliances/common/,args.c say.c say_text.c start.c)
PROG_LIBS_mrg-impair := mrg-tcpip mrg-rt-tap mrg-rt-unix mrg
PROGRAMS += $(if $(PROG_SRC_mrg-impair),mrg-impair)
