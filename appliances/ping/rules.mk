PROG_SRC_mrg-ping  := $(wildcard appliances/ping/*.c appliances/common/*.c)
PROG_LIBS_mrg-ping := mrg-tcpip mrg-http mrg-rt-tap mrg-rt-unix mrg
# without TCP the stack does not link
PROGRAMS += $(if $(wildcard protocols/tcpip/stack.c protocols/tcpip/tcp*.c),$(if $(PROG_SRC_mrg-ping),mrg-ping))
