/*
 * cpu.h - the x86-64 part of the monitor: instructions that C lacks, and what its files share.
 *
 * References: AMD64 Architecture Programmer's Manual 2; Intel SDM 3A. Names are theirs.
 *
 * Reading order: start.S, main.c, pages.c, cpu.c, apic.c, clock.c, panic.c.
 */
#ifndef VM_X86_64_CPU_H
#define VM_X86_64_CPU_H

#include "vm/monitor/inside.h"

/* As VM_SEALED (inside.h), for what is not zero at first. */
#define VM_SEALED_DATA __attribute__((section(".sealed")))

/* ---- instructions ---- */

struct vm_cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct vm_cpuid vm_cpuid(uint32_t leaf)
{
	struct vm_cpuid r = { .eax = leaf };
	__asm__ volatile("cpuid" : "+a"(r.eax), "=b"(r.ebx), "+c"(r.ecx), "=d"(r.edx));
	return r;
}

static inline uint64_t vm_rdmsr(uint32_t msr)
{
	uint32_t low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void vm_wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline void vm_out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t vm_in8(uint16_t port)
{
	uint8_t value;
	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void vm_out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint32_t vm_in32(uint16_t port)
{
	uint32_t value;
	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* ---- borders of the image, from image.ld ---- */

extern uint8_t vm_monitor_sealed[], vm_monitor_data[], vm_monitor_data_end[];
extern uint8_t vm_trap_stack[], vm_trap_stack_top[], vm_nmi_stack[], vm_nmi_stack_top[];
extern uint8_t vm_boot_page[], vm_data[], vm_data_end[], vm_user_stack[], vm_user_stack_top[], vm_image_end[];

/* ---- start.S ---- */

extern uint64_t vm_entered; /* the counter */
extern uint8_t vm_trap_stubs[], vm_syscall[];
_Noreturn void vm_enter(uint64_t rip, uint64_t rsp, uint64_t argument);

/* ---- cpu.c ---- */

/* What is on the stack when vm_trap is called. */
struct vm_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

enum { VM_IRQ_VECTOR = 32, VM_TIMER_VECTOR = VM_IRQ_VECTOR + VM_IRQS, VM_SPURIOUS_VECTOR = 95, VM_VECTORS = 96 };

void vm_traps_init(void);  /* exceptions are caught from here on */
void vm_rights_init(void); /* calls and the rights that the processor can keep, after the tables are loaded */
void vm_trap(struct vm_frame *f);
extern bool vm_has_smap;
unsigned vm_address_bits(void); /* of physical addresses; at most 47, which the tables of pages have below the half */

/* ---- apic.c ---- */

const char *vm_apic_find(void); /* NULL, or what is missing */
void vm_apic_interrupt(uint64_t vector);
struct vm_range vm_apic_registers(void); /* len 0: they are MSRs */
enum { VM_IOAPICS = 2, VM_IOAPIC_IRQS = 24 };
struct vm_range vm_ioapic_registers(unsigned which);
bool vm_ioapic_present(unsigned which);

/* ---- clock.c ---- */

const char *vm_clock_init(struct mrg_span command_line, struct vm_clock *out);
uint64_t vm_counter_at(uint64_t ns); /* the counter at that time */

/* ---- console.c ---- */

void vm_console_init(void);
void vm_console_flush(void); /* wait for what was said to be heard, not for ever */

/* ---- panic.c ---- */

_Noreturn void vm_panic_trap(const struct vm_frame *f);

#endif
