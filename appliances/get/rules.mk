PROG_SRC_mrg-get  := $(wildcard appliances/get/*.c)
PROG_LIBS_mrg-get := mrg-http mrg-rt-unix mrg
PROGRAMS += $(if $(PROG_SRC_mrg-get),mrg-get)
