PROG_SRC_mrg-http  := $(wildcard appliances/http/*.c appliances/common/*.c)
PROG_LIBS_mrg-http := mrg-http mrg-archive mrg-tcpip mrg-rt-tap mrg-rt-unix mrg
PROGRAMS += $(if $(PROG_SRC_mrg-http),mrg-http)
