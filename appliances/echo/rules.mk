PROG_SRC_mrg-echo  := $(wildcard appliances/echo/*.c appliances/common/*.c)
PROG_LIBS_mrg-echo := mrg-http mrg-tcpip mrg-rt-tap mrg-rt-unix mrg
PROGRAMS += $(if $(PROG_SRC_mrg-echo),mrg-echo)
