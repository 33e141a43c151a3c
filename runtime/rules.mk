# One library a platform: the shared core and that platform's folder.
LIBS += mrg-rt-unix
LIB_SRC_mrg-rt-unix := $(wildcard runtime/core/*.c runtime/unix/*.c)
LIB_ABOUT_mrg-rt-unix := the runtime on kernel sockets
LIB_NEEDS_mrg-rt-unix := mrg nettle
PKGS += nettle
