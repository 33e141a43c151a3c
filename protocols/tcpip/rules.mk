LIBS += mrg-tcpip
LIB_SRC_mrg-tcpip := $(wildcard protocols/tcpip/*.c) $(filter $G/net/%.c,$(GEN_C))
LIB_ABOUT_mrg-tcpip := the Internet protocols over Ethernet frames
LIB_NEEDS_mrg-tcpip := mrg mrg-rt-unix
GENERATED_ELSEWHERE += $G/net/%.c
PUBLIC_H += protocols/tcpip/tcpip.h
