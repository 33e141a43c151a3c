# What may be set on the command line or in the environment. `make help` prints the lines that start with two #.
##  O=DIR            where everything built goes (build)
##  V=1              print the commands
##  CC=clang         the compiler; anything but the default gets its own folder under O
##  SAN=LIST         sanitizers, such as address,undefined; likewise
##  CFLAGS=, LDFLAGS=  optimisation and the like (-O3 -g); the language and the warnings are always added
##  JOBS=N           how many jobs at once (as many as there are cores)
##  SCALE=process    what `make run` runs: process, tap (on our own TCP/IP, as root), vm (as virtual machines under QEMU)
##  DNS_LISTEN=ADDRESS:PORT, ZONE=ORIGIN=FILE  for `make run` (127.0.0.1:5353, the sample zone)
##  HTTP_LISTEN=ADDRESS:PORT, ROOT=FOLDER  likewise (127.0.0.1:8080, the protocol reference)
##  DNS_METRICS=, HTTP_METRICS=ADDRESS:PORT  where both show their figures (127.0.0.1:9153, 127.0.0.1:9180)
##  ARCH=aarch64     of images (x86_64)
##  APP=, WORDS=     for `make image`: dns, http or echo; words for its command line that it has on its own
##  PREFIX=, DESTDIR=  for `make install` (/usr/local)
##  DOCS_FLAGS=      more options of `mrg docs` for `make docs`, such as --link "Live status=/status"
##  TESTS=WORD       for `make test`: only the suites whose name contains WORD
##  CAPTURES=DIR     for `make test`: a folder of packet captures to hold the specifications against

MAKEFLAGS += --no-builtin-rules --no-print-directory
VERSION := 0.1.0

ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin AR),default)
AR := ar
endif
O          ?= build
PYTHON     ?= python3
PKG_CONFIG ?= pkg-config
CFLAGS     ?= -O3 -g
JOBS       ?= $(shell nproc 2>/dev/null || echo 1)
DNS_LISTEN ?= 127.0.0.1:5353
ZONE       ?= example.org=appliances/dns/example.org.zone
HTTP_LISTEN ?= 127.0.0.1:8080
DNS_METRICS ?= 127.0.0.1:9153
SCALE      ?= process
HTTP_METRICS ?= 127.0.0.1:9180
PREFIX     ?= /usr/local

comma := ,
empty :=
space := $(empty) $(empty)

# B: the objects, libraries and programs of this compiler and these sanitizers. G: the generated C, the same for all.
build_folder = $(subst $(space),/,$(strip $O $(subst $(space),-,$(strip $(filter-out gcc cc,$(notdir $(firstword $(CC)))) $(subst $(comma),+,$1)))))
B := $(call build_folder,$(SAN))
# Where `make image` puts what it makes.
IMAGE_DIR ?= $B/vm
# A source archive ships the generated C in generated/ (see `make dist`); then no Python, re2c or Ragel is needed.
G := $(if $(wildcard generated/files.mk),generated,$O/gen)
# The pages that `make run` serves; a source archive ships them, too.
SITE := $(if $(wildcard generated/site/made),generated/site,$O/site)
ROOT       ?= $(SITE)
BUILD_DEPS := build $(if $(filter generated,$G),,gen)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' '$1' '$2')

# A second make, which sees the generated lists; parallel unless the caller already chose.
BUILD = $(MAKE) $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(JOBS))
