/*
 * x86_64.h - what breach.c tries of an x86-64: places, and what only ring 0 may do.
 */
#ifndef TESTS_GUEST_X86_64_H
#define TESTS_GUEST_X86_64_H

/* Some octets of the application's data. */
static uint8_t code[16] __attribute__((aligned(16))); /* RET, written at the start */
enum { RET = 0xc3, MONITOR = 1 << 20, APIC_ID_AT = (int)0xfee00020, SLOT0_AT = (int)0xfeb00000 };

static void port_out(void) { __asm__ volatile("outb %%al, %%dx" : : "a"(0), "d"(0x3f8)); }
static void port_in(void) { __asm__ volatile("inb %%dx, %%al" : : "a"(0), "d"(0x64)); }
static void off(void) { __asm__ volatile("cli"); }
static void halt(void) { __asm__ volatile("hlt"); }
static void read_cr3(void) { __asm__ volatile("mov %%cr3, %%rax" : : : "rax"); }
static void write_cr0(void) { __asm__ volatile("mov %0, %%cr0" : : "r"(UINT64_C(0x80000011))); }
static void write_msr(void) { __asm__ volatile("wrmsr" : : "a"(0), "d"(0), "c"(0xc0000080)); }
static void load_idt(void) { __asm__ volatile("lidt (%0)" : : "r"(code)); }
static void store_idt(void) { __asm__ volatile("sidt (%0)" : : "r"(code) : "memory"); }
static void interrupt(void) { __asm__ volatile("int $0x21"); }
static void breakpoint(void) { __asm__ volatile("int3"); }
static void divide(void) { __asm__ volatile("xor %%ecx, %%ecx; div %%ecx" : : "a"(1), "d"(0) : "ecx"); }
static void undefined(void) { __asm__ volatile("ud2"); }
static void enter(void) { __asm__ volatile("sysenter"); }

#define ONLY_BREACHES                                                                                        \
	BREACH(port_out), BREACH(port_in), BREACH(off), BREACH(halt), BREACH(read_cr3), BREACH(write_cr0),   \
		BREACH(write_msr), BREACH(load_idt), BREACH(store_idt), BREACH(interrupt),                   \
		BREACH(breakpoint), BREACH(divide), BREACH(undefined), BREACH(enter)

#endif
