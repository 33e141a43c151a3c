/*
 * Descriptors, exceptions, and the rights that the processor keeps.
 */
#include "vm/x86_64/cpu.h"

/* ---- descriptors (APM 2, 4.7, 4.8; 12.2.5) ---- */

enum { CODE0 = 0x08, DATA0 = 0x10, SYSRET_BASE = 0x10, TSS = 0x28 };

/* All "accessed" already, so that the processor never writes here. */
static uint64_t gdt[7] VM_SEALED_DATA = {
	0, 0x00af9b000000ffff, /* code, ring 0, 64 bits */
	0x00cf93000000ffff,    /* data, ring 0 */
	0x00cff3000000ffff,    /* data, ring 3 */
	0x00affb000000ffff,    /* code, ring 3, 64 bits */
	0, 0                   /* the task state */
};

/* In words of 32 bits, since it is not aligned for wider ones. */
struct task_state {
	uint32_t reserved, rsp[6], reserved2[2], ist[14], reserved3[2];
	uint16_t reserved4, io_map_base;
};
static struct task_state tss VM_SEALED;

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};
static struct gate idt[VM_VECTORS] VM_SEALED;

enum { STUB = 16, GATE_INTERRUPT = 0x8e, VECTOR_NMI = 2, EXCEPTIONS = 32, IST_TRAP = 1, IST_NMI = 2 };

struct __attribute__((packed)) table_pointer {
	uint16_t limit;
	uint64_t base;
};

static void set_stack(uint32_t *half, uint64_t at)
{
	half[0] = (uint32_t)at;
	half[1] = (uint32_t)(at >> 32);
}

static void load_task_state(void)
{
	set_stack(&tss.rsp[0], vm_at(vm_stack_top));
	set_stack(&tss.ist[2 * (IST_TRAP - 1)], vm_at(vm_trap_stack_top));
	set_stack(&tss.ist[2 * (IST_NMI - 1)], vm_at(vm_nmi_stack_top));
	tss.io_map_base = sizeof tss; /* behind the end: ring 3 has no port */
	const uint64_t at = vm_at(&tss);
	gdt[TSS / 8] =
		(sizeof tss - 1) | (at & 0xffffff) << 16 | UINT64_C(0x89) << 40 | (at >> 24 & 0xff) << 56;
	gdt[TSS / 8 + 1] = at >> 32;
	__asm__ volatile("ltr %w0" : : "r"(TSS));
}

void vm_traps_init(void)
{
	for (unsigned i = 0; i < VM_VECTORS; i++) {
		const uint64_t at = vm_at(vm_trap_stubs) + i * STUB;
		idt[i] = (struct gate){ .offset_low = (uint16_t)at,
			.selector = CODE0,
			.ist = i >= EXCEPTIONS   ? 0
			       : i == VECTOR_NMI ? IST_NMI
						 : IST_TRAP,
			.type = GATE_INTERRUPT,
			.offset_middle = (uint16_t)(at >> 16),
			.offset_high = (uint32_t)(at >> 32) };
	}
	const struct table_pointer gdtr = { sizeof gdt - 1, vm_at(gdt) },
				   idtr = { sizeof idt - 1, vm_at(idt) };
	__asm__ volatile("lgdt %0" : : "m"(gdtr));
	load_task_state();
	__asm__ volatile("lidt %0" : : "m"(idtr));
}

void vm_trap(struct vm_frame *f)
{
	if (f->vector < EXCEPTIONS)
		vm_panic_trap(f);
	vm_apic_interrupt(f->vector);
}

/* ---- rights ---- */

enum { MSR_STAR = (int)0xc0000081, MSR_LSTAR = (int)0xc0000082, MSR_FMASK = (int)0xc0000084 };
enum {
	RFLAGS_TF = 1 << 8,
	RFLAGS_IF = 1 << 9,
	RFLAGS_DF = 1 << 10,
	RFLAGS_NT = 1 << 14,
	RFLAGS_AC = 1 << 18
};
enum {
	CR0_WP = 1 << 16,
	CR4_MCE = 1 << 6,
	CR4_UMIP = 1 << 11,
	CR4_OSXSAVE = 1 << 18,
	CR4_SMEP = 1 << 20,
	CR4_SMAP = 1 << 21
};
enum { LEAF_FEATURES = 1, LEAF_MORE = 7, LEAF_EXTENDED = (int)0x80000000, LEAF_SIZES = (int)0x80000008 };
enum { ADDRESS_BITS_MIN = 36, ADDRESS_BITS_MAX = 47 };
enum { FEATURES_ECX_XSAVE = 1 << 26, FEATURES_ECX_AVX = 1 << 28, FEATURES_EDX_MCE = 1 << 7 };
enum { MORE_EBX_SMEP = 1 << 7, MORE_EBX_SMAP = 1 << 20, MORE_ECX_UMIP = 1 << 2 };
enum { XCR0_X87_SSE = 3, XCR0_AVX = 4 };

bool vm_has_smap VM_SEALED;

void vm_user_open(void)
{
	if (vm_has_smap)
		__asm__ volatile("stac" : : : "memory");
}

void vm_user_close(void)
{
	if (vm_has_smap)
		__asm__ volatile("clac" : : : "memory");
}

void vm_rights_init(void)
{
	vm_wrmsr((uint32_t)MSR_STAR, (uint64_t)SYSRET_BASE << 48 | (uint64_t)CODE0 << 32);
	vm_wrmsr((uint32_t)MSR_LSTAR, vm_at(vm_syscall));
	vm_wrmsr((uint32_t)MSR_FMASK, RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC);

	const struct vm_cpuid features = vm_cpuid(LEAF_FEATURES);
	const struct vm_cpuid more =
		vm_cpuid(0).eax >= LEAF_MORE ? vm_cpuid(LEAF_MORE) : (struct vm_cpuid){ 0, 0, 0, 0 };
	uint64_t cr0, cr4;
	__asm__ volatile("mov %%cr0, %0; mov %%cr4, %1" : "=r"(cr0), "=r"(cr4));
	vm_has_smap = (more.ebx & MORE_EBX_SMAP) != 0;
	cr4 |= ((features.edx & FEATURES_EDX_MCE) != 0 ? CR4_MCE : 0) |
	       ((more.ebx & MORE_EBX_SMEP) != 0 ? CR4_SMEP : 0) | (vm_has_smap ? CR4_SMAP : 0) |
	       ((more.ecx & MORE_ECX_UMIP) != 0 ? CR4_UMIP : 0) |
	       ((features.ecx & FEATURES_ECX_XSAVE) != 0 ? CR4_OSXSAVE : 0);
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
	if ((features.ecx & FEATURES_ECX_XSAVE) != 0)
		__asm__ volatile("xsetbv"
				 :
				 : "c"(0),
				 "a"(XCR0_X87_SSE | ((features.ecx & FEATURES_ECX_AVX) != 0 ? XCR0_AVX : 0)),
				 "d"(0));
	/* From here on what is read-only is so for us, too. */
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0 | CR0_WP) : "memory");
}

unsigned vm_address_bits(void)
{
	const unsigned bits = vm_cpuid((uint32_t)LEAF_EXTENDED).eax >= (uint32_t)LEAF_SIZES
				      ? vm_cpuid((uint32_t)LEAF_SIZES).eax & 0xff
				      : ADDRESS_BITS_MIN;
	return bits < ADDRESS_BITS_MAX ? bits : ADDRESS_BITS_MAX;
}

/* ---- registers of devices ---- */

/* NOLINTBEGIN(performance-no-int-to-ptr) */
uint8_t vm_read8(uint64_t address) { return *(const volatile uint8_t *)(uintptr_t)address; }
uint32_t vm_read32(uint64_t address) { return *(const volatile uint32_t *)(uintptr_t)address; }
void vm_write32(uint64_t address, uint32_t value)
{
	__asm__ volatile(
		""
		:
		:
		: "memory"); /* what was written to memory before is there first: stores stay in order */
	*(volatile uint32_t *)(uintptr_t)address = value;
}
/* NOLINTEND(performance-no-int-to-ptr) */

/* ---- configuration space of PCI, mechanism 1 (PCI 3.0, 3.2.2.3.2) ---- */

enum { PCI_ADDRESS = 0xcf8, PCI_DATA = 0xcfc };
#define PCI_ENABLE UINT32_C(0x80000000)

bool vm_pci_present(void)
{
	vm_out32(PCI_ADDRESS, PCI_ENABLE);
	return vm_in32(PCI_ADDRESS) == PCI_ENABLE;
}

uint32_t vm_pci_get(uint32_t address)
{
	vm_out32(PCI_ADDRESS, PCI_ENABLE | address);
	return vm_in32(PCI_DATA);
}

void vm_pci_put(uint32_t address, uint32_t value)
{
	vm_out32(PCI_ADDRESS, PCI_ENABLE | address);
	vm_out32(PCI_DATA, value);
}
