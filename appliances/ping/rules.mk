PROG_SRC_mrg-ping  := $(wildcard appliances/ping/*.c appliances/common/*.c)
PROG_LIBS_mrg-ping := mrg-http mrg-tcpip mrg-rt-tap mrg-rt-unix mrg
PROGRAMS += $(if $(PROG_SRC_mrg-ping),mrg-ping)
