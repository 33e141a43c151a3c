/*
 * Interrupts, which only end the sleep of vm_wait: the local APIC with its timer, the I/O APIC, and messages of devices by PCI.
 */
#include "pci.h"
#include "vm/x86_64/cpu.h"

enum {
	MSR_APIC_BASE = 0x1b,
	APIC_BASE_EXTD = 1 << 10,
	APIC_BASE_ENABLE = 1 << 11,
	MSR_X2APIC = 0x800,
	MSR_TSC_DEADLINE = 0x6e0
};
enum { LEAF_FEATURES = 1, FEATURES_EDX_APIC = 1 << 9, FEATURES_ECX_TSC_DEADLINE = 1 << 24 };
/* Registers of the local APIC: Intel SDM 3A, table 11-1. */
enum {
	ID = 0x20,
	TPR = 0x80,
	EOI = 0xb0,
	SVR = 0xf0,
	LVT_TIMER = 0x320,
	LVT_LINT0 = 0x350,
	LVT_LINT1 = 0x360,
	LVT_ERROR = 0x370,
	INITIAL = 0x380,
	CURRENT = 0x390,
	DIVIDE = 0x3e0
};
enum {
	SVR_ENABLE = 1 << 8,
	LVT_NMI = 1 << 10,
	LVT_MASKED = 1 << 16,
	LVT_DEADLINE = 1 << 18,
	DIVIDE_BY_16 = 3
};
/* Of the I/O APIC: 82093AA, 3.1. */
enum {
	IOAPIC_AT = (int)0xfec00000,
	IOAPIC_STEP = 0x10000 /* QEMU has the second one there */,
	IOREGSEL = 0,
	IOWIN = 0x10,
	IOREDTBL = 0x10,
	IOAPICVER = 1,
	IOAPICVER_ENTRIES = 16
};
enum { MESSAGES_AT = (int)0xfee00000, MESSAGE_ID = 12 };
enum { PIC_MASTER_MASK = 0x21, PIC_SLAVE_MASK = 0xa1, ALL = 0xff };
enum { MEASURE_NS = 200000, SAMPLES = 8 };

static uint64_t apic_at VM_SEALED; /* 0: its registers are MSRs */
static bool has_deadline VM_SEALED;
static bool begun;
static uint64_t ns_per_2_16_ticks; /* 0: not yet known */
volatile uint32_t vm_pending;

static uint32_t get(uint32_t reg)
{
	return apic_at == 0 ? (uint32_t)vm_rdmsr(MSR_X2APIC + (reg >> 4)) : vm_read32(apic_at + reg);
}

static void put(uint32_t reg, uint32_t value)
{
	if (apic_at == 0)
		vm_wrmsr(MSR_X2APIC + (reg >> 4), value);
	else
		vm_write32(apic_at + reg, value);
}

struct vm_range vm_apic_registers(void) { return (struct vm_range){ apic_at, apic_at == 0 ? 0 : VM_PAGE }; }
struct vm_range vm_ioapic_registers(unsigned which)
{
	return (struct vm_range){ (uint32_t)IOAPIC_AT + which * (uint64_t)IOAPIC_STEP, VM_PAGE };
}

bool vm_ioapic_present(unsigned which)
{
	const uint64_t at = vm_ioapic_registers(which).at;
	vm_write32(at + IOREGSEL, IOAPICVER);
	return (vm_read32(at + IOWIN) >> IOAPICVER_ENTRIES & 0xff) == VM_IOAPIC_IRQS - 1;
}

static void ioapic_put(unsigned which, uint32_t reg, uint32_t value)
{
	const uint64_t at = vm_ioapic_registers(which).at;
	vm_write32(at + IOREGSEL, reg);
	vm_write32(at + IOWIN, value);
}

const char *vm_apic_find(void)
{
	const struct vm_cpuid features = vm_cpuid(LEAF_FEATURES);
	if ((features.edx & FEATURES_EDX_APIC) == 0)
		return "processor-without-apic";
	const uint64_t base = vm_rdmsr(MSR_APIC_BASE);
	if ((base & APIC_BASE_ENABLE) == 0)
		return "apic-off";
	apic_at = (base & APIC_BASE_EXTD) != 0 ? 0 : base & UINT64_C(0x000ffffffffff000);
	if (apic_at >> 32 != 0)
		return "apic-address";
	has_deadline = (features.ecx & FEATURES_ECX_TSC_DEADLINE) != 0;

	return NULL;
}

/* Before the first interrupt is let in, not at the start: an application that is ready first answers first. */
static void begin(void)
{
	if (begun)
		return;
	vm_out8(PIC_MASTER_MASK, ALL);
	vm_out8(PIC_SLAVE_MASK, ALL);
	put(SVR, SVR_ENABLE | VM_SPURIOUS_VECTOR);
	put(TPR, 0);
	put(LVT_LINT0, LVT_MASKED);
	put(LVT_LINT1, LVT_NMI); /* the button by which a host asks for a panic */
	put(LVT_ERROR, LVT_MASKED);
	put(LVT_TIMER, LVT_MASKED | VM_TIMER_VECTOR);
	put(DIVIDE, DIVIDE_BY_16);
	begun = true;
}

/* Fixed, an edge, to one processor: Intel SDM 3A, 11.11. */
static void put_message(uint64_t entry, uint32_t id, uint32_t vector)
{
	vm_write32(entry + MRG_PCI_MSIX_ENTRY_ADDRESS_LOW_AT, (uint32_t)MESSAGES_AT | id << MESSAGE_ID);
	vm_write32(entry + MRG_PCI_MSIX_ENTRY_ADDRESS_HIGH_AT, 0);
	vm_write32(entry + MRG_PCI_MSIX_ENTRY_DATA_AT, vector);
	vm_write32(entry + MRG_PCI_MSIX_ENTRY_MASKED_AT, 0);
}

/* As Linux has them for such devices: an edge, high. Both the hosts that hold a line and those that only pulse it are heard so. */
void vm_irq_enable(const struct vm_place *p)
{
	begin();
	const uint32_t id = apic_at == 0 ? get(ID) : get(ID) >> 24;
	if (p->pci_kind != 0) {
		put_message(p->part[VM_PART_MESSAGE].at, id, VM_IRQ_VECTOR + p->irq);
		return;
	}
	const uint32_t reg = IOREDTBL + 2 * (p->irq % VM_IOAPIC_IRQS);
	ioapic_put(p->irq / VM_IOAPIC_IRQS, reg + 1, id << 24);
	ioapic_put(p->irq / VM_IOAPIC_IRQS, reg, VM_IRQ_VECTOR + p->irq);
}

void vm_apic_interrupt(uint64_t vector)
{
	if (vector == VM_SPURIOUS_VECTOR)
		return;
	for (uint32_t i = 0; vector != VM_TIMER_VECTOR && i < vm_machine.device_count; i++)
		if (vm_machine.port[i].place.irq == vector - VM_IRQ_VECTOR &&
			vm_mmio_interrupted(&vm_machine.port[i].place))
			vm_pending |= vm_device_bit(i);
	put(EOI, 0);
}

/* ---- sleep ---- */

uint64_t vm_time(void) { return vm_now(&vm_machine.clock); }

struct sample {
	uint64_t ns, gap_ns;
	uint32_t ticks; /* counted down to */
};

/* Both clocks at once; the best of some, since this machine may be made to wait within one. */
static struct sample read_both(void)
{
	struct sample best = { .gap_ns = UINT64_MAX };
	for (unsigned i = 0; i < SAMPLES; i++) {
		const uint64_t before_ns = vm_time();
		const uint32_t ticks = get(CURRENT);
		const uint64_t gap_ns = vm_time() - before_ns;
		if (gap_ns < best.gap_ns)
			best = (struct sample){ before_ns + gap_ns / 2, gap_ns, ticks };
	}
	return best;
}

/* How long a tick of the timer is: it counts for a little while. */
static void measure(void)
{
	put(INITIAL, UINT32_MAX);
	const struct sample from = read_both();
	while (vm_time() - from.ns < MEASURE_NS)
		__asm__ volatile("pause");
	const struct sample to = read_both();
	const uint32_t ticks = from.ticks - to.ticks;
	ns_per_2_16_ticks = ticks == 0 ? 0 : ((to.ns - from.ns) << 16) / ticks;
	if (ns_per_2_16_ticks == 0)
		ns_per_2_16_ticks =
			UINT32_MAX; /* a timer that stands still, or runs like mad: it ends a sleep early or not at all */
}

static void set_timer(uint64_t until_ns)
{
	if (has_deadline) {
		put(LVT_TIMER, VM_TIMER_VECTOR | LVT_DEADLINE);
		vm_wrmsr(MSR_TSC_DEADLINE, vm_counter_at(until_ns));
		return;
	}
	if (ns_per_2_16_ticks == 0)
		measure();
	/* Longer sleeps are made of several. */
	const uint64_t now_ns = vm_time(), most_ns = (uint64_t)UINT32_MAX * ns_per_2_16_ticks >> 17;
	const uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0,
		       ns = left_ns < most_ns ? left_ns : most_ns;
	const uint64_t ticks = ns >> 47 == 0 ? (ns << 16) / ns_per_2_16_ticks : UINT32_MAX;
	put(LVT_TIMER, VM_TIMER_VECTOR);
	put(INITIAL, ticks == 0 ? 1 : ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks);
}

void vm_let_in(void)
{
	begin();
	__asm__ volatile("sti; nop; cli" : : : "memory");
}

void vm_sleep(uint64_t until_ns)
{
	if (until_ns != UINT64_MAX)
		set_timer(until_ns);
	/* The instruction behind STI is not interrupted: whatever comes ends HLT. */
	__asm__ volatile("sti; hlt; cli" : : : "memory");
	if (until_ns == UINT64_MAX)
		return;
	if (has_deadline)
		vm_wrmsr(MSR_TSC_DEADLINE, 0);
	else
		put(INITIAL, 0);
}
