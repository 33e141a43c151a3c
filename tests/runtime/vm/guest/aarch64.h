/*
 * aarch64.h - what breach.c tries of an AArch64 as QEMU's `virt` has it: places, and what only ring 0 may do.
 */
#ifndef TESTS_GUEST_AARCH64_H
#define TESTS_GUEST_AARCH64_H

/* Some octets of the application's data. */
static uint8_t code[16] __attribute__((aligned(16)));
enum { RET = 0xc0, MONITOR = 0x40200000, APIC_ID_AT = 0x08000004 /* the distributor */, SLOT0_AT = 0x0a000000 };

static void halt(void) { __asm__ volatile("wfi"); }
static void off(void) { __asm__ volatile("msr daifset, #2"); }
static void read_ttbr(void) { __asm__ volatile("mrs x0, ttbr0_el1" : : : "x0"); }
static void write_sctlr(void) { __asm__ volatile("msr sctlr_el1, xzr"); }
static void write_vbar(void) { __asm__ volatile("msr vbar_el1, xzr"); }
static void read_timer(void) { __asm__ volatile("mrs x0, cntv_ctl_el0" : : : "x0"); }
static void read_id(void) { __asm__ volatile("mrs x0, midr_el1" : : : "x0"); }
static void flush_tlb(void) { __asm__ volatile("tlbi vmalle1"); }
static void hypervisor(void) { __asm__ volatile("mov w0, #0x84000000; hvc #0" : : : "x0"); }
static void firmware(void) { __asm__ volatile("mov w0, #0x84000000; smc #0" : : : "x0"); }
static void semihosting(void) { __asm__ volatile("mov w0, #0x18; mov x1, #0; hlt #0xf000" : : : "x0", "x1"); }
static void to_ring0(void) { __asm__ volatile("eret"); }
static void breakpoint(void) { __asm__ volatile("brk #0"); }
static void undefined(void) { __asm__ volatile("udf #1"); }
static void jump_odd(void) { __asm__ volatile("br %0" : : "r"((uint64_t)(uintptr_t)&undefined + 2)); }

#define ONLY_BREACHES                                                                                        \
	BREACH(off), BREACH(halt), BREACH(read_ttbr), BREACH(write_sctlr), BREACH(write_vbar),               \
		BREACH(read_timer), BREACH(read_id), BREACH(flush_tlb), BREACH(hypervisor),                  \
		BREACH(firmware), BREACH(semihosting), BREACH(to_ring0), BREACH(breakpoint),                 \
		BREACH(undefined), BREACH(jump_odd)

#endif
