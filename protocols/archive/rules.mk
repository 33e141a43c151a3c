LIBS += mrg-archive
LIB_SRC_mrg-archive := $(wildcard protocols/archive/*.c) $(filter $G/archive%.c,$(GEN_C))
LIB_ABOUT_mrg-archive := files in one piece, for where there is no file system
LIB_NEEDS_mrg-archive := mrg mrg-rt-unix
GENERATED_ELSEWHERE += $G/archive%.c
PUBLIC_H += protocols/archive/tree.h
