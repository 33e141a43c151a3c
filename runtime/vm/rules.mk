# The two parts of an image: see mk/vm.mk.
VM_MONITOR_SRC = runtime/vm/$(VM_ARCH)/start.S $(filter-out $(VM_MONITOR_NOT_$(VM_ARCH)),$(wildcard runtime/vm/$(VM_ARCH)/*.c runtime/vm/monitor/*.c)) runtime/vm/app/memory.c $(VM_MONITOR_SRC_$(VM_ARCH))
# Devices by PCI are not looked for there.
VM_MONITOR_NOT_aarch64 := runtime/vm/monitor/pci.c
VM_MONITOR_SRC_aarch64 = $G/dtb.c runtime/core/hash.c
# Digests are not by nettle, which needs a C library: sha1.c, sha2.c.
VM_APP_SRC := $(filter-out runtime/core/sha1.c runtime/core/sha2.c,$(wildcard runtime/core/*.c)) $(wildcard runtime/vm/*.c) $(filter-out %/start.c,$(wildcard runtime/vm/app/*.c))
