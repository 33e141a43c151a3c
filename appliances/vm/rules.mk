# What the applications of virtual machines have in common; see mk/vm.mk.
VM_COMMON_C := $(wildcard appliances/vm/*.c) $(addprefix appliances/common/,net_read.c net_shown.c net_up.c say_text.c)
VM_PORTABLE_C += appliances/vm/words.c appliances/common/net_read.c appliances/common/say.c appliances/common/say_text.c
