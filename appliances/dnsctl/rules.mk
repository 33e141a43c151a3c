PROG_SRC_mrg-dnsctl  := $(wildcard appliances/dnsctl/*.c) $(addprefix appliances/common/,args.c say.c say_text.c)
PROG_LIBS_mrg-dnsctl := mrg-rt-unix mrg
PROGRAMS += mrg-dnsctl
