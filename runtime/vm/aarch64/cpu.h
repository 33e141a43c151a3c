/*
 * cpu.h - the AArch64 part of the monitor: instructions that C lacks, and what its files share.
 *
 * References: Arm Architecture Reference Manual for A-profile (DDI 0487); names are its. "Ring 0" is EL1, "ring 3" is EL0.
 *
 * Reading order: start.S, main.c, tree.h, pages.c, gic.c, clock.c, uart.c, panic.c.
 */
#ifndef VM_AARCH64_CPU_H
#define VM_AARCH64_CPU_H

#include "vm/aarch64/tree.h"

/* What is written during the start only; the page is read-only from then on. */

#define VM_READ_SYSTEM(name)                                                                                 \
	({                                                                                                   \
		uint64_t value_;                                                                             \
		__asm__ volatile("mrs %0, " name : "=r"(value_));                                            \
		value_;                                                                                      \
	})
#define VM_WRITE_SYSTEM(name, value) __asm__ volatile("msr " name ", %0" : : "r"((uint64_t)(value)) : "memory")
#define VM_BARRIER(kind) __asm__ volatile(kind : : : "memory")

/* ---- borders of the image, from image.ld ---- */

extern uint8_t vm_monitor_sealed[], vm_monitor_data[], vm_monitor_data_end[];
extern uint8_t vm_trap_stack[], vm_trap_stack_top[];
extern uint8_t vm_boot_page[], vm_boot_page_end[], vm_monitor_bss_end[], vm_data[], vm_data_end[], vm_bss[], vm_bss_end[];
extern uint8_t vm_user_stack[], vm_user_stack_top[], vm_image_end[];

/* ---- start.S ---- */

extern uint64_t vm_entered; /* the counter */
extern uint8_t vm_vectors[];
_Noreturn void vm_enter(uint64_t pc, uint64_t sp, uint64_t argument);
/* Take these tables of pages and these rights (SCTLR_EL1) in place of those of the start. */
void vm_tables_take(uint64_t root, uint64_t control);
/* The firmware's call `function`; which instruction it is depends on `smc`. */
uint64_t vm_firmware(uint64_t function, uint64_t a, bool smc);
void vm_semihosting(uint64_t operation, const void *parameters);

/* ---- gic.c ---- */

const char *vm_gic_init(const struct vm_tree *t); /* NULL, or what is missing */
void vm_gic_enable(uint32_t irq); /* with VM_IRQ_EDGE or not */
bool vm_gic_take(uint32_t *number); /* the interrupt that is waiting, if any, from now on in service */
void vm_gic_done(uint32_t number);

/* ---- clock.c ---- */

const char *vm_clock_init(const struct vm_tree *t, struct vm_clock *out);

/* ---- uart.c ---- */

void vm_console_init(const struct vm_tree *t); /* NULL: where QEMU has it */
void vm_console_flush(void); /* wait for what was said to be heard, not for ever */

/* ---- panic.c ---- */

/* What is on the stack when vm_trap is called. */
struct vm_frame {
	uint64_t x[31], sp, pc, status, syndrome, address, kind;
};

_Noreturn void vm_trap(const struct vm_frame *f);
void vm_firmware_is(enum mrg_dtb_conduit conduit);

#endif
