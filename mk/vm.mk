# Images of virtual machines: the monitor (runtime/vm), and an application in ring 3 with the libraries that it names.
#
# The lists come from */rules.mk:
#   VM_IMAGES   names of images;   VM_SRC_name   the application's sources;   VM_LIBS_name   libraries of LIBS, users first
# They are there without data ($(VM_OBJ)/NAME.elf, for tests, and with an initrd), and by `make image` with some.
# Libraries are compiled for images in a folder of their own; the runtime of images is mrg-rt-vm.

# ARCH=aarch64 makes those for another processor, beside these.
VM_ARCH := $(or $(ARCH),x86_64)
VM_DIR  := $B/vm
VM_OBJ  := $(VM_DIR)/$(VM_ARCH)
VM_FILES := $(VM_IMAGES:%=$(VM_OBJ)/%.elf)
# What boot loaders take besides an ELF, where there is such a thing.
VM_FILES_aarch64 := $(VM_IMAGES:%=$(VM_OBJ)/%.img)
VM_TOOLS_aarch64 := aarch64-linux-gnu-
# Whoever asks for those gets the compiler first.
ifeq ($(VM_ARCH),aarch64)
$(shell mk/deps.sh arm >&2)
endif
VM_TOOLS := $(VM_TOOLS_$(VM_ARCH))
VM_CC := $(if $(VM_TOOLS),$(VM_TOOLS)gcc,$(CC))

VM_CLANG := $(filter clang%,$(notdir $(firstword $(VM_CC))))
VM_BASE_x86_64 := -fcf-protection=none
VM_BASE_aarch64 := -mno-outline-atomics
VM_MONITOR_x86_64 := -mno-red-zone
VM_LINK_x86_64 := -static
# What it is linked for is not where every boot loader puts it: start.S moves the addresses in it.
VM_LINK_aarch64 := -static-pie -Wl,-z,notext
# For both: no position-independent code, no thread's canary (there are no threads), frames that a panic can follow.
VM_BASE := -fno-pic -fno-pie -mcmodel=small -fno-asynchronous-unwind-tables $(VM_BASE_$(VM_ARCH)) \
	-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer -fstack-protector-strong -mstack-protector-guard=global $(if $(VM_CLANG),-fno-builtin-bcmp)
# Ring 0 has no vector registers and no red zone; and no space to waste.
VM_MONITOR := $(VM_BASE) -Oz -DMRG_TERSE -ffreestanding -mgeneral-regs-only $(VM_MONITOR_$(VM_ARCH)) -fno-delete-null-pointer-checks
# What it does per frame is much less than what the machine beneath does: small before fast.
VM_APP := $(VM_BASE) -Os
# Nobody is told which rule of a specification a packet broke, but whoever wrote a zone or made an archive: where an image reads none,
# its IMAGE_LIBS_name may name a library LIB that has objects in terse/, LIB-terse.
vm_terse = $(if $(findstring dns/,$1)$(findstring archive,$1),,-DMRG_TERSE)
VM_TERSE_LIBS := mrg-dns
# Sections begin at pages in memory (image.ld), but not in the file.
VM_LINK := -nostdlib $(VM_LINK_$(VM_ARCH)) -Wl,--gc-sections -Wl,--build-id=sha1 -Wl,-z,max-page-size=64 -Wl,-z,norelro \
	-Wl,--no-warn-rwx-segments -Wl,-z,noexecstack

vm_object = $(patsubst %,$(VM_OBJ)/app/%.o,$(basename $(patsubst $G/%,generated/%,$1)))
vm_terse_object = $(patsubst $(VM_OBJ)/app/%,$(VM_OBJ)/terse/%,$(call vm_object,$1))
vm_monitor_object = $(patsubst %,$(VM_OBJ)/monitor/%.o,$(basename $(patsubst $G/%,generated/%,$1)))

$(VM_OBJ)/monitor/%.o: %.c $B/flags mk/vm.mk
	$(call say,CC,$< for images)
	$Qmkdir -p $(@D) && $(VM_CC) $(BASE) -g $(VM_MONITOR) $(INC_runtime) $(INC_runtime/vm) -c -o $@ $<
$(VM_OBJ)/monitor/%.o: %.S $B/flags mk/vm.mk
	$(call say,AS,$< for images)
	$Qmkdir -p $(@D) && $(VM_CC) -MMD -MP -g -c -o $@ $<
$(VM_OBJ)/monitor/generated/%.o: $G/%.c $B/flags mk/vm.mk
	$(call say,CC,$< for images)
	$Qmkdir -p $(@D) && $(VM_CC) $(BASE) -g $(VM_MONITOR) $(INC_generated) -c -o $@ $<

# One object of which nothing is seen but its entry: what the application is linked with can't come to be part of it.
$(VM_OBJ)/monitor.o: $(call vm_monitor_object,$(VM_MONITOR_SRC)) mk/vm.mk runtime/vm/rules.mk
	$(call say,LD,$@)
	$Q$(VM_CC) -nostdlib -r -o $@ $(filter %.o,$^) && $(VM_TOOLS)objcopy --keep-global-symbol=vm_entry $@

# $1: what more; hand-written C, and generated C
define VM_COMPILE
	$(call say,CC,$< for images)
	$Qmkdir -p $(@D)
	$Q$(VM_CC) $(BASE) $(CFLAGS) $(VM_APP) $1 $(DEF_$(call layer,$<)) $(INC_$(call layer,$<)) $(INC_$(call folder,$<)) -c -o $@ $<
endef
define VM_COMPILE_GENERATED
	$(call say,CC,$< for images)
	$Qmkdir -p $(@D)
	$Q$(VM_CC) $(BASE) $(CFLAGS) $(VM_APP) $1 $(INC_generated) -c -o $@ $<
endef
$(VM_OBJ)/app/%.o: %.c $B/flags mk/vm.mk | $O/inc/made
	$(call VM_COMPILE,$(call vm_terse,$<))
$(VM_OBJ)/terse/%.o: %.c $B/flags mk/vm.mk | $O/inc/made
	$(call VM_COMPILE,-DMRG_TERSE)
# The loops of these would become calls of themselves.
VM_LOOPS := $(if $(VM_CLANG),-fno-builtin,-fno-tree-loop-distribute-patterns)
$(VM_OBJ)/app/runtime/vm/app/memory.o $(VM_OBJ)/app/runtime/vm/app/string.o: VM_APP += $(VM_LOOPS)
$(VM_OBJ)/monitor/runtime/vm/app/memory.o: VM_MONITOR += $(VM_LOOPS)

$(VM_OBJ)/app/generated/%.o: $G/%.c $B/flags mk/vm.mk
	$(call VM_COMPILE_GENERATED,$(call vm_terse,$<))
$(VM_OBJ)/terse/generated/%.o: $G/%.c $B/flags mk/vm.mk
	$(call VM_COMPILE_GENERATED,-DMRG_TERSE)

LIB_SRC_mrg-rt-vm := $(VM_APP_SRC)
define VM_LIB_RULE
$(VM_OBJ)/lib/lib$1.a: $(call vm_object,$(LIB_SRC_$1))
endef
define VM_TERSE_LIB_RULE
$(VM_OBJ)/lib/lib$1-terse.a: $(call vm_terse_object,$(LIB_SRC_$1))
endef
$(foreach l,$(VM_TERSE_LIBS),$(eval $(call VM_TERSE_LIB_RULE,$l)))
$(foreach l,mrg-rt-vm $(sort $(foreach i,$(VM_IMAGES),$(VM_LIBS_$i))),$(eval $(call VM_LIB_RULE,$l)))
$(VM_OBJ)/lib/lib%.a:
	$(call say,AR,$@)
	$Qmkdir -p $(@D) && rm -f $@ && $(AR) crsD $@ $(filter %.o,$^)

# $1: its sources; $2: its libraries
vm_image_parts = $(VM_OBJ)/monitor.o $(call vm_object,$1 runtime/vm/app/start.c) $(patsubst %,$(VM_OBJ)/lib/lib%.a,$2 mrg-rt-vm)
define VM_LINK_IMAGE
	$(call say,LD,$@)
	$Qmkdir -p $(@D) && $(VM_CC) $(VM_LINK) -Wl,-T,$< -o $@ -Wl,--start-group $(filter %.o %.a,$^) -Wl,-Bstatic -lbearssl -Wl,--end-group
endef
define VM_IMAGE_RULE
$(VM_OBJ)/$1.elf: runtime/vm/$(VM_ARCH)/image.ld $(call vm_image_parts,$(VM_SRC_$1),$(VM_LIBS_$1))
	$$(VM_LINK_IMAGE)
endef
$(foreach i,$(VM_IMAGES),$(eval $(call VM_IMAGE_RULE,$i)))

# The image of `make image` has what it serves in it, IMAGE_DATA_name, a file, and words for its command line, WORDS. It may be of
# other sources and libraries, IMAGE_SRC_name and IMAGE_LIBS_name.
ifdef IMAGE
IMAGE_SRC    := $(or $(IMAGE_SRC_$(IMAGE)),$(VM_SRC_$(IMAGE)))
IMAGE_LIBS   := $(or $(IMAGE_LIBS_$(IMAGE)),$(VM_LIBS_$(IMAGE)))
IMAGE_LINKED := $(IMAGE_DIR)/$(IMAGE).linked.o
IMAGE_FILE   := $(IMAGE_DIR)/$(IMAGE)-$(VM_ARCH).elf
$(IMAGE_LINKED): appliances/vm/linked.S $(IMAGE_DATA_$(IMAGE)) FORCE
	$(call say,AS,$<$(if $(IMAGE_DATA_$(IMAGE)), with $(IMAGE_DATA_$(IMAGE))))
	$Qmkdir -p $(@D) && $(VM_CC) $(if $(IMAGE_DATA_$(IMAGE)),-DMRG_DATA='"$(abspath $(IMAGE_DATA_$(IMAGE)))"') -DMRG_WORDS='"$(subst ",\",$(WORDS))"' -c -o $@ $<
$(IMAGE_FILE): runtime/vm/$(VM_ARCH)/image.ld $(call vm_image_parts,$(IMAGE_SRC),$(IMAGE_LIBS)) $(IMAGE_LINKED)
	$(VM_LINK_IMAGE)
	$Qrm $(IMAGE_LINKED)
vm-image: $(IMAGE_FILE) $(if $(VM_FILES_$(VM_ARCH)),$(IMAGE_FILE:.elf=.img))
endif

# As Linux is for that processor: all from the first octet on, what is only memory left out.
%.img: %.elf
	$Q$(VM_TOOLS)objcopy -O binary $< $@

vm-images: $(VM_FILES) $(VM_FILES_$(VM_ARCH))
ifdef WANT_GENERATED
-include $(shell find $(VM_DIR) -name '*.d' 2>/dev/null)
endif
.PHONY: vm-images vm-image
