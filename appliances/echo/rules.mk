PROG_SRC_mrg-echo  := $(wildcard appliances/echo/*.c appliances/common/*.c)
PROG_LIBS_mrg-echo := mrg-http mrg-tcpip mrg-rt-tap mrg-rt-unix mrg
PROGRAMS += $(if $(PROG_SRC_mrg-echo),mrg-echo)

VM_IMAGES += mrg-echo
VM_SRC_mrg-echo  = appliances/echo/vm/main.c appliances/echo/streams.c appliances/echo/datagrams.c $(VM_COMMON_C)
VM_LIBS_mrg-echo := mrg-tcpip mrg
