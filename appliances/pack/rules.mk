PROG_SRC_mrg-pack  := $(wildcard appliances/pack/*.c)
PROG_LIBS_mrg-pack := mrg-archive mrg-rt-unix mrg
PROGRAMS += $(if $(PROG_SRC_mrg-pack),mrg-pack)
