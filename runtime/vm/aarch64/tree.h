/*
 * tree.h - what a flattened device tree says of a machine, as far as the monitor has to do with it.
 *
 * References: Devicetree Specification 0.4; specs/dtb.mrg.
 *
 * What it does not do: no address is translated, so devices are looked for among the children of the root only; no phandle is followed:
 * there is one interrupt controller.
 */
#ifndef VM_AARCH64_TREE_H
#define VM_AARCH64_TREE_H

#include "dtb.h"
#include "vm/monitor/inside.h"

enum { VM_SLOTS_MAX = 64 /* of virtio */, VM_SEED_MAX = 128 };
/* Addresses are below this: what the tables of pages reach. */
#define VM_ADDRESS_MAX (UINT64_C(1) << 39)

/* An interrupt as a vm_place has it: the number that the controller knows it by, and whether it is an edge. */
enum { VM_IRQ_EDGE = 1 << 16, VM_IRQ_NUMBER = VM_IRQ_EDGE - 1, VM_IRQ_PPI_0 = 16, VM_IRQ_SPI_0 = 32, VM_IRQ_SPIS = 988 };

struct vm_tree {
	struct vm_range uart, rtc;           /* len 0: there is none */
	struct vm_range distributor, cpu;    /* of the interrupt controller; cpu: its redistributors in version 3 */
	uint32_t gic;                        /* enum mrg_dtb_compatible: GIC_V2 or GIC_V3 */
	uint32_t timer_irq;                  /* of the virtual timer */
	enum mrg_dtb_compatible uart_kind;
	enum mrg_dtb_conduit conduit;        /* UNKNOWN: there is no firmware to call */
	size_t slot_count;
	struct vm_place slot[VM_SLOTS_MAX];  /* in the tree's order */
	size_t seed_len;
	uint8_t seed[VM_SEED_MAX];           /* chance, of the boot loader's */
};

/*
 * vm_tree_len - how many octets the tree takes that begins at `header`; 0: it is none.
 *   header   at least MRG_DTB_HEADER_SIZE_MAX octets
 */
size_t vm_tree_len(struct mrg_span header);

/*
 * vm_tree_read - read a tree; everything in it is checked and copied.
 *   octets   of the tree, vm_tree_len of them; anything
 *   at       where it was found: the initrd must not be there
 *   image    where this program is
 * Returns:  NULL, or what is wrong with it: a few words joined by `-`. `out->uart` and `out->conduit` may then be known already.
 */
const char *vm_tree_read(struct mrg_span octets, uint64_t at, struct vm_range image, struct vm_start *start, struct vm_tree *out);

#endif
