/*
 * Interrupts, which only end the sleep of vm_wait: they stay masked, and whoever wakes up asks the controller which it was. The generic
 * interrupt controller, version 2 (IHI 0048) or 3 (IHI 0069).
 */
#include "vm/aarch64/cpu.h"

/* The distributor: IHI 0048, 4.1.2; IHI 0069, 12.8. */
enum {
	GICD_CTLR = 0x000,
	GICD_IGROUPR = 0x080,
	GICD_ISENABLER = 0x100,
	GICD_IPRIORITYR = 0x400,
	GICD_ITARGETSR = 0x800,
	GICD_ICFGR = 0xc00,
	GICD_IROUTER = 0x6000
};
enum { CTLR_ENABLE_1 = 1 << 0, CTLR_ENABLE_1A = 1 << 1, CTLR_ARE = 1 << 4, CTLR_RWP = (int)(1u << 31) };
/* The processor's interface of version 2: 4.1.3. */
enum { GICC_CTLR = 0x00, GICC_PMR = 0x04, GICC_IAR = 0x0c, GICC_EOIR = 0x10, GICC_ENABLE = 1 };
/* A redistributor of version 3, whose second frame has the registers of the processor's own interrupts. */
enum { GICR_WAKER = 0x14, GICR_SGI = 0x10000, WAKER_SLEEP = 2, WAKER_ASLEEP = 4 };
enum { ALL = 0xff, NUMBER = 0x3ff, SPECIAL = 1020 /* and above: nothing waits */, TRIES = 1000000 };

/* ICC_*_EL1 by their places, since assemblers know them only of some processors. */
#define SRE "s3_0_c12_c12_5"
#define PMR "s3_0_c4_c6_0"
#define IGRPEN1 "s3_0_c12_c12_7"
#define IAR1 "s3_0_c12_c12_0"
#define EOIR1 "s3_0_c12_c12_1"
#define MPIDR_AFFINITY UINT64_C(0xff00ffffff)

static uint64_t distributor VM_SEALED, cpu VM_SEALED;
static bool v3 VM_SEALED;

static uint32_t get(uint64_t at) { return vm_read32(at); }
static void put(uint64_t at, uint32_t value) { vm_write32(at, value); }

/* The registers of interrupt n: those of the processor's own are in the redistributor in version 3. */
static uint64_t bank(uint32_t number) { return v3 && number < VM_IRQ_SPI_0 ? cpu + GICR_SGI : distributor; }

static void set_bits(uint64_t at, uint32_t mask, uint32_t bits) { put(at, (get(at) & ~mask) | bits); }

static const char *init_v3(void)
{
	put(distributor + GICD_CTLR, CTLR_ARE);
	put(distributor + GICD_CTLR, CTLR_ARE | CTLR_ENABLE_1 | CTLR_ENABLE_1A);
	set_bits(cpu + GICR_WAKER, WAKER_SLEEP, 0);
	unsigned tries = 0;
	while ((get(cpu + GICR_WAKER) & WAKER_ASLEEP) != 0 ||
		(get(distributor + GICD_CTLR) & (uint32_t)CTLR_RWP) != 0)
		if (++tries == TRIES)
			return "gic-asleep";
	VM_WRITE_SYSTEM(SRE, VM_READ_SYSTEM(SRE) | 1);
	VM_BARRIER("isb");
	if ((VM_READ_SYSTEM(SRE) & 1) == 0)
		return "gic-system-registers";
	VM_WRITE_SYSTEM(PMR, ALL);
	VM_WRITE_SYSTEM(IGRPEN1, 1);
	VM_BARRIER("isb");
	return NULL;
}

const char *vm_gic_init(const struct vm_tree *t)
{
	enum { PFR0_GIC = 24 };
	distributor = t->distributor.at;
	cpu = t->cpu.at;
	v3 = t->gic == MRG_DTB_COMPATIBLE_GIC_V3;
	if (v3)
		return (VM_READ_SYSTEM("id_aa64pfr0_el1") >> PFR0_GIC & 15) != 0 ? init_v3()
										 : "gic-system-registers";
	put(distributor + GICD_CTLR, CTLR_ENABLE_1);
	put(cpu + GICC_PMR, ALL);
	put(cpu + GICC_CTLR, GICC_ENABLE);
	return NULL;
}

void vm_gic_enable(uint32_t irq)
{
	const uint32_t n = irq & VM_IRQ_NUMBER, bit = 1u << n % 32;
	const uint64_t at = bank(n);
	/* Bit 2n + 1 of the configuration: an edge. Those of the processor's own may be fixed. */
	set_bits(at + GICD_ICFGR + n / 16 * 4, 2u << n % 16 * 2,
		(irq & VM_IRQ_EDGE) != 0 ? 2u << n % 16 * 2 : 0);
	set_bits(at + GICD_IPRIORITYR + n / 4 * 4, 0xffu << n % 4 * 8, 0x80u << n % 4 * 8);
	if (v3)
		set_bits(at + GICD_IGROUPR + n / 32 * 4, bit, bit);
	if (v3 && n >= VM_IRQ_SPI_0) {
		const uint64_t affinity = VM_READ_SYSTEM("mpidr_el1") & MPIDR_AFFINITY;
		put(distributor + GICD_IROUTER + n * 8, (uint32_t)affinity);
		put(distributor + GICD_IROUTER + n * 8 + 4, (uint32_t)(affinity >> 32));
	} else if (n >= VM_IRQ_SPI_0) {
		/* The first register tells which bit this processor is; none: there is only one. */
		const uint32_t own = get(distributor + GICD_ITARGETSR) & 0xff;
		set_bits(distributor + GICD_ITARGETSR + n / 4 * 4, 0xffu << n % 4 * 8,
			(own == 0 ? 1 : own) << n % 4 * 8);
	}
	put(at + GICD_ISENABLER + n / 32 * 4, bit);
}

bool vm_gic_take(uint32_t *number)
{
	*number = v3 ? (uint32_t)VM_READ_SYSTEM(IAR1) : get(cpu + GICC_IAR);
	VM_BARRIER("dsb sy");
	return (*number & NUMBER) < SPECIAL;
}

void vm_gic_done(uint32_t number)
{
	if (v3)
		VM_WRITE_SYSTEM(EOIR1, number);
	else
		put(cpu + GICC_EOIR, number);
	VM_BARRIER("isb");
}
