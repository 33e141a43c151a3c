# C to objects, static libraries, programs and test programs.
#
# The lists come from */rules.mk:
#   LIBS      names of static libraries;   LIB_SRC_name   their sources
#   PROGRAMS  names of programs;           PROG_SRC_name  their sources;   PROG_LIBS_name  libraries, users first;
#                                          PROG_ORDER_name  a list of mk/order.py, if it has one
#   PKGS      pkg-config packages that the runtime needs

WARN  := -Wall -Wextra -Wconversion -Wshadow -Wcast-qual -Wvla -Wmissing-prototypes -Wstrict-prototypes -Werror
BASE  := -std=c11 $(WARN) -fno-common -ffunction-sections -fdata-sections -MMD -MP
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# One static executable starts fastest and is smallest; sanitizers need the shared C library.
LINK  := -Wl,--gc-sections $(if $(SAN),,-static)
PKG_LIBS  = $(if $(PKGS),$(shell $(PKG_CONFIG) $(if $(SAN),,--static) --libs $(PKGS)))
PKG_FLAGS = $(if $(PKGS),$(shell $(PKG_CONFIG) --cflags $(PKGS)))

# Who may include what (ARCHITECTURE.md, "Layers"): a breach does not compile.
# $O/inc holds just protocols/ and mrg_rt.h, so that protocol code reaches nothing else of the tree.
INC_generated  := -I gen/support -I $G
INC_gen        := -I gen/support
INC_protocols  := -I gen/support -I $G -I $O/inc
INC_runtime    := -I gen/support -I runtime
# Captures are files of specs/pcap.mrg.
INC_runtime/core := -I $G
# The rings of a virtual machine's devices are specs/virtio.mrg's, what they say by PCI is specs/pci.mrg's.
INC_runtime/vm := -I $G
# Device trees are specs/dtb.mrg's.
INC_runtime/vm/aarch64 := -I $G
INC_runtime/vm/monitor := -I $G
INC_runtime/vm/x86_64 := -I $G
INC_appliances := -I gen/support -I $G -I runtime -I .
INC_tests      := $(INC_appliances) -I tests
INC_bench      := $(INC_tests)
DEF_runtime    := -D_GNU_SOURCE
DEF_appliances := -D_GNU_SOURCE
DEF_tests      := -D_GNU_SOURCE
DEF_bench      := -D_GNU_SOURCE
folder = $(patsubst %/,%,$(dir $1))
layer = $(firstword $(subst /, ,$1))

object = $(patsubst %.c,$B/obj/%.o,$(patsubst $G/%,generated/%,$1))

# Objects are remade when the flags change, not only when a source does.
FLAGS_NOW = $(CC) $(BASE) $(CFLAGS) $(SANFLAGS) $(LDFLAGS) $(LINK)
$B/flags: FORCE
	@mkdir -p $(@D); echo '$(FLAGS_NOW)' | cmp -s - $@ || echo '$(FLAGS_NOW)' >$@
FORCE:

$O/inc/made: mk/compile.mk
	$Qmkdir -p $(@D) && ln -sfn '$(CURDIR)/protocols' $(@D)/protocols && ln -sfn '$(CURDIR)/runtime/mrg_rt.h' $(@D)/mrg_rt.h && touch $@

$B/obj/%.o: %.c $B/flags | $O/inc/made
	$(call say,CC,$<)
	$Qmkdir -p $(@D)
	$Q$(CC) $(BASE) $(CFLAGS) $(SANFLAGS) $(DEF_$(call layer,$<)) $(INC_$(call layer,$<)) $(INC_$(call folder,$<)) $(if $(filter runtime appliances tests bench,$(call layer,$<)),$(PKG_FLAGS)) -c -o $@ $<

$B/obj/generated/%.o: $G/%.c $B/flags
	$(call say,CC,$<)
	$Qmkdir -p $(@D)
	$Q$(CC) $(BASE) $(CFLAGS) $(SANFLAGS) $(INC_generated) $(CHOICE) -c -o $@ $<

# Readers of text are compiled for each kind of vectors; which is taken is found out when a program starts (mrg_cpu.h).
VECTORS := $(if $(filter x86_64-% amd64-%,$(shell $(CC) -dumpmachine)),ssse3 avx2)
$B/obj/generated/%_read.o: CHOICE = $(if $(VECTORS),-DMRG_CHOOSE)
define VECTORS_RULE
$B/obj/generated/%_read.$1.o: $G/%_read.c $B/flags
	$$(call say,CC,$$< for $1)
	$$Qmkdir -p $$(@D)
	$$Q$$(CC) $$(BASE) $$(CFLAGS) $$(SANFLAGS) $$(INC_generated) -m$1 -DMRG_VECTORS=$1 -c -o $$@ $$<
endef
$(foreach v,$(VECTORS),$(eval $(call VECTORS_RULE,$v)))
objects_of = $(call object,$1) $(foreach v,$(VECTORS),$(patsubst %.o,%.$v.o,$(filter $B/obj/generated/%_read.o,$(call object,$1))))

# The list of its objects is a file as well, so that a library loses what lost its source.
LIB_FILES := $(LIBS:%=$B/lib/lib%.a)
define LIB_RULE
$B/lib/lib$1.a: $(call objects_of,$(LIB_SRC_$1)) $B/lib/$1.objects
$B/lib/$1.objects: FORCE
	@mkdir -p $$(@D); echo '$(call objects_of,$(LIB_SRC_$1))' | cmp -s - $$@ || echo '$(call objects_of,$(LIB_SRC_$1))' >$$@
endef
$(foreach l,$(LIBS),$(eval $(call LIB_RULE,$l)))
$B/lib/lib%.a:
	$(call say,AR,$@)
	$Qmkdir -p $(@D) && rm -f $@ && $(AR) crsD $@ $(filter %.o,$^)

# What a program's PROG_ORDER lists lies together in it: what a start runs is on few pages then, and only those come into memory.
define PROG_RULE
$B/bin/$1: $(call object,$(PROG_SRC_$1)) $(PROG_LIBS_$1:%=$B/lib/lib%.a) $(if $(PROG_ORDER_$1),$B/order/$1.ld)
$B/order/$1.ld: $(PROG_ORDER_$1) mk/compile.mk
endef
$(foreach p,$(PROGRAMS),$(eval $(call PROG_RULE,$p)))
$B/bin/%:
	$(call say,LD,$@)
	$Qmkdir -p $(@D) && $(CC) $(CFLAGS) $(SANFLAGS) $(LINK) $(LDFLAGS) $(addprefix -Wl$(comma)-T$(comma),$(filter %.ld,$^)) -o $@ \
		$(filter-out %.ld,$^) $(PKG_LIBS)
$B/order/%.ld:
	$Qmkdir -p $(@D) && { echo 'SECTIONS { .text.first : {'; sed -e '/^#/d' -e 's/^.*:.*/*&(.text .text.*)/' -e t \
		-e 's/.*/*(.text.& .text.startup.& .text.&.isra.* .text.&.constprop.* .text.&.part.*)/' $<; echo '} } INSERT BEFORE .text;'; } >$@

programs: $(LIB_FILES) $(PROGRAMS:%=$B/bin/%)
libraries: $(LIB_FILES)
objects: $(call objects_of,$(foreach l,$(LIBS),$(LIB_SRC_$l)) $(foreach p,$(PROGRAMS),$(PROG_SRC_$p)))

ifdef WANT_GENERATED
-include $(shell find $B/obj -name '*.d' 2>/dev/null)
endif
.PHONY: programs libraries objects FORCE
