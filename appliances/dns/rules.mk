PROG_SRC_mrg-dns  := $(wildcard appliances/dns/*.c appliances/common/*.c)
PROG_LIBS_mrg-dns := mrg-dns mrg-http mrg-tcpip mrg-rt-tap mrg-rt-unix mrg
PROGRAMS += $(if $(PROG_SRC_mrg-dns),mrg-dns)
