/*
 * The generic timer: its virtual counter is the clock, its virtual timer ends a sleep; the time of day is a PL031's.
 */
#include "vm/aarch64/cpu.h"

enum { SHIFT = 32, NS_S = 1000000000 };
#define HZ_MIN UINT64_C(1000000) /* what is outside can't be */
#define HZ_MAX UINT64_C(10000000000)
enum { TIMER_ON = 1, ROUNDS = 64, NUMBER = 0x3ff };

static uint32_t timer_irq VM_SEALED;
volatile uint32_t vm_pending;

uint64_t vm_time(void) { return vm_now(&vm_machine.clock); }

const char *vm_clock_init(const struct vm_tree *t, struct vm_clock *out)
{
	const uint64_t hz = VM_READ_SYSTEM("cntfrq_el0") & UINT32_MAX;
	if (hz < HZ_MIN || hz > HZ_MAX)
		return "no-clock";
	*out = (struct vm_clock){ .base = vm_entered,
		.mult = ((uint64_t)NS_S << SHIFT) / hz,
		.shift = SHIFT,
		.source = VM_CLOCK_GENERIC,
		.hz = hz };
	if (t->rtc.len != 0) {
		const uint64_t s = vm_read32(t->rtc.at); /* RTCDR: seconds since 1970 */
		const uint64_t ns = vm_ns_of(out, vm_counter());
		out->wall_ns = s * NS_S > ns ? s * NS_S - ns : 0;
	}
	timer_irq = t->timer_irq;
	VM_WRITE_SYSTEM("cntv_ctl_el0", 0);
	vm_gic_enable(timer_irq);
	return NULL;
}

/* The counter at a time. */
static uint64_t counter_at(uint64_t ns)
{
	const struct vm_clock *const c = &vm_machine.clock;
	const uint64_t s = ns / NS_S, rest = ns % NS_S;
	if (s >= (UINT64_MAX >> 1) / c->hz)
		return UINT64_MAX;
	return c->base + s * c->hz + rest * c->hz / NS_S + 1;
}

void vm_irq_enable(const struct vm_place *p) { vm_gic_enable(p->irq); }

static void hear(uint32_t number)
{
	if (number == (timer_irq & VM_IRQ_NUMBER))
		VM_WRITE_SYSTEM("cntv_ctl_el0", 0);
	for (uint32_t i = 0; i < vm_machine.device_count; i++)
		if ((vm_machine.port[i].place.irq & VM_IRQ_NUMBER) == number &&
			vm_mmio_interrupted(&vm_machine.port[i].place))
			vm_pending |= vm_device_bit(i);
}

void vm_let_in(void)
{
	uint32_t number;
	/* A host that never stops to interrupt is heard some other time. */
	for (unsigned i = 0; i < ROUNDS && vm_gic_take(&number); i++) {
		hear(number & NUMBER);
		vm_gic_done(number);
	}
}

void vm_sleep(uint64_t until_ns)
{
	if (until_ns != UINT64_MAX) {
		VM_WRITE_SYSTEM("cntv_cval_el0", counter_at(until_ns));
		VM_WRITE_SYSTEM("cntv_ctl_el0", TIMER_ON);
	}
	/* An interrupt that waits ends WFI though it is masked. */
	__asm__ volatile("isb; dsb sy; wfi" : : : "memory");
	vm_let_in();
	if (until_ns != UINT64_MAX)
		VM_WRITE_SYSTEM("cntv_ctl_el0", 0);
}
