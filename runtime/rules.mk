# One library a platform: the shared core and that platform's folder.
LIBS += mrg-rt-unix
LIB_SRC_mrg-rt-unix := $(wildcard runtime/core/*.c runtime/unix/*.c)
LIB_ABOUT_mrg-rt-unix := the runtime on kernel sockets
LIB_NEEDS_mrg-rt-unix := mrg nettle
PKGS += nettle

# The devices of frames are served by the loop of unix/.
LIBS += mrg-rt-tap
LIB_SRC_mrg-rt-tap := $(wildcard runtime/tap/*.c)
LIB_ABOUT_mrg-rt-tap := TAP devices and packet sockets as links of frames
LIB_NEEDS_mrg-rt-tap := mrg-rt-unix mrg

LIBS += mrg-rt-sim
LIB_SRC_mrg-rt-sim := $(wildcard runtime/core/*.c runtime/sim/*.c)
LIB_ABOUT_mrg-rt-sim := networks in one process, under virtual time
LIB_NEEDS_mrg-rt-sim := mrg nettle

# What runs in ring 3 of a virtual machine and needs no monitor beneath: tests stand in for it.
VM_PORTABLE_C += runtime/vm/virtq.c runtime/vm/net.c runtime/vm/loop.c
