/*
 * How fast the time stamp counter runs, by the first that knows: kvm-clock, CPUID, the PIT, the command line; and the time of day.
 */
#include "mrg_calendar.h"
#include "vm/x86_64/cpu.h"

enum { SHIFT = 32, NS_S = 1000000000 };
#define HZ_MIN UINT64_C(1000000) /* what is outside can't be */
#define HZ_MAX UINT64_C(100000000000)

static bool set_hz(struct vm_clock *c, uint64_t hz, enum vm_clock_source source)
{
	if (hz < HZ_MIN || hz > HZ_MAX)
		return false;
	c->mult = ((uint64_t)NS_S << SHIFT) / hz;
	c->hz = hz;
	c->source = source;
	return true;
}

/* ---- kvm-clock (Linux, Documentation/virt/kvm/x86/msr.rst) ---- */

enum { KVM_LEAF = 0x40000000, KVM_FEATURES = 0x40000001, KVM_CLOCKSOURCE2 = 1 << 3 };
enum {
	MSR_KVM_WALL_CLOCK_NEW = 0x4b564d00,
	MSR_KVM_SYSTEM_TIME_NEW = 0x4b564d01,
	MSR_ENABLE = 1,
	TRIES = 1000
};

struct pvclock_vcpu_time_info {
	uint32_t version, pad0;
	uint64_t tsc_timestamp, system_time;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags, pad[2];
};

struct pvclock_wall_clock {
	uint32_t version, sec, nsec;
};

static volatile struct pvclock_vcpu_time_info kvm_time __attribute__((aligned(64)));
static volatile struct pvclock_wall_clock kvm_wall __attribute__((aligned(16)));

static bool is_kvm(void)
{
	const struct vm_cpuid r = vm_cpuid(KVM_LEAF);
	const uint32_t name[3] = { r.ebx, r.ecx, r.edx };
	return memcmp(name, "KVMKVMKVM\0\0", sizeof name) == 0 &&
	       (vm_cpuid(KVM_FEATURES).eax & KVM_CLOCKSOURCE2) != 0;
}

/* Nanoseconds of the host's clock at `counter`, which is later than its time stamp. */
static uint64_t kvm_ns(const struct pvclock_vcpu_time_info *t, const struct vm_clock *c, uint64_t counter)
{
	const struct vm_clock host = { .base = t->tsc_timestamp, .mult = c->mult, .shift = SHIFT };
	return t->system_time + vm_ns_of(&host, counter);
}

static bool from_kvm(struct vm_clock *c)
{
	if (!is_kvm())
		return false;
	vm_wrmsr(MSR_KVM_WALL_CLOCK_NEW, vm_at(&kvm_wall));
	vm_wrmsr(MSR_KVM_SYSTEM_TIME_NEW, vm_at(&kvm_time) | MSR_ENABLE);
	struct pvclock_vcpu_time_info t = { .version = 1 };
	for (unsigned i = 0; i < TRIES && (t.version % 2 != 0 || t.version != kvm_time.version); i++)
		t = kvm_time; /* the version is odd, or another one, when the host has been writing */
	vm_wrmsr(MSR_KVM_SYSTEM_TIME_NEW, 0);
	if (t.version % 2 != 0 || t.tsc_to_system_mul == 0 || t.tsc_shift < -31 || t.tsc_shift > 31)
		return false;
	const uint64_t mult = t.tsc_shift < 0 ? (uint64_t)t.tsc_to_system_mul >> -t.tsc_shift
					      : (uint64_t)t.tsc_to_system_mul << t.tsc_shift;
	if (mult == 0 || !set_hz(c, ((uint64_t)NS_S << SHIFT) / mult, VM_CLOCK_KVM))
		return false;
	c->mult = mult;
	if (kvm_wall.version != 0 && kvm_wall.version % 2 == 0 && kvm_wall.sec != 0)
		c->wall_ns = (uint64_t)kvm_wall.sec * NS_S + kvm_wall.nsec + kvm_ns(&t, c, c->base);
	return true;
}

/* ---- CPUID (Intel SDM 2A) ---- */

enum { LEAF_TSC = 0x15, LEAF_FREQUENCY = 0x16, MEGA = 1000000 };

static bool from_cpuid(struct vm_clock *c)
{
	const uint32_t most = vm_cpuid(0).eax;
	if (most < LEAF_TSC)
		return false;
	const struct vm_cpuid tsc = vm_cpuid(LEAF_TSC);
	if (tsc.eax != 0 && tsc.ebx != 0 && tsc.ecx != 0)
		return set_hz(c, (uint64_t)tsc.ecx * tsc.ebx / tsc.eax, VM_CLOCK_CPUID);
	return most >= LEAF_FREQUENCY &&
	       set_hz(c, (uint64_t)(vm_cpuid(LEAF_FREQUENCY).eax & 0xffff) * MEGA, VM_CLOCK_CPUID);
}

/* ---- the PIT (8254), against whose counter 0 ours is held ---- */

enum { PIT_COUNTER0 = 0x40, PIT_CONTROL = 0x43, PIT_RATE_GENERATOR = 0x34, PIT_LATCH0 = 0, PIT_HZ = 1193182 };
enum { PIT_TICKS = 600 /* half a millisecond */, PIT_STILL = 64, PIT_READS = 20000, PIT_SAMPLES = 8 };

struct sample {
	uint64_t counter, gap;
	uint16_t pit;
};

static struct sample read_pit(void)
{
	const uint64_t before = vm_counter();
	vm_out8(PIT_CONTROL, PIT_LATCH0);
	const uint64_t gap = vm_counter() - before;
	const uint8_t low = vm_in8(PIT_COUNTER0);
	return (struct sample){ before + gap / 2, gap, (uint16_t)(vm_in8(PIT_COUNTER0) << 8 | low) };
}

/* The best of some: this machine may have been made to wait within one. */
static struct sample read_pit_well(void)
{
	struct sample best = read_pit();
	for (unsigned i = 1; i < PIT_SAMPLES; i++) {
		const struct sample s = read_pit();
		if (s.gap < best.gap)
			best = s;
	}
	return best;
}

static bool from_pit(struct vm_clock *c)
{
	vm_out8(PIT_CONTROL, PIT_RATE_GENERATOR);
	vm_out8(PIT_COUNTER0, 0xff);
	vm_out8(PIT_COUNTER0, 0xff);
	const struct sample first = read_pit();
	struct sample s = first;
	for (unsigned i = 0; i < PIT_STILL && s.pit == first.pit; i++)
		s = read_pit();
	if (s.pit == first.pit)
		return false; /* nothing is there */
	const struct sample begin = read_pit_well();
	s = begin;
	for (unsigned i = 0; i < PIT_READS && (uint16_t)(begin.pit - s.pit) < PIT_TICKS; i++)
		s = read_pit();
	const struct sample end = read_pit_well();
	const uint16_t ticks = (uint16_t)(begin.pit - end.pit);
	return ticks >= PIT_TICKS && set_hz(c, (end.counter - begin.counter) * PIT_HZ / ticks, VM_CLOCK_PIT);
}

/* ---- the time of day, from the clock of the PC (MC146818) ---- */

enum {
	RTC_INDEX = 0x70,
	RTC_DATA = 0x71,
	RTC_SECONDS = 0,
	RTC_MINUTES = 2,
	RTC_HOURS = 4,
	RTC_DAY = 7,
	RTC_MONTH = 8,
	RTC_YEAR = 9
};
enum {
	RTC_A = 0x0a,
	RTC_A_UIP = 0x80,
	RTC_B = 0x0b,
	RTC_B_24H = 2,
	RTC_B_BINARY = 4,
	RTC_NONE = 0xff,
	CENTURY = 2000
};

static unsigned rtc(uint8_t reg)
{
	vm_out8(RTC_INDEX, reg);
	return vm_in8(RTC_DATA);
}

static unsigned rtc_value(uint8_t reg, bool binary)
{
	const unsigned v = rtc(reg);
	return binary ? v : (v >> 4) * 10 + (v & 15);
}

static uint64_t wall_of_rtc(void)
{
	const unsigned b = rtc(RTC_B);
	if (b == RTC_NONE || (b & RTC_B_24H) == 0)
		return 0;
	for (unsigned i = 0; i < TRIES && (rtc(RTC_A) & RTC_A_UIP) != 0; i++)
		;
	const bool binary = (b & RTC_B_BINARY) != 0;
	const struct mrg_calendar day = { .year = CENTURY + rtc_value(RTC_YEAR, binary),
		.month = rtc_value(RTC_MONTH, binary),
		.day = rtc_value(RTC_DAY, binary),
		.hour = rtc_value(RTC_HOURS, binary),
		.minute = rtc_value(RTC_MINUTES, binary),
		.second = rtc_value(RTC_SECONDS, binary) };
	uint64_t s;
	return mrg_calendar_seconds(&day, &s) ? s * NS_S : 0;
}

const char *vm_clock_init(struct mrg_span command_line, struct vm_clock *out)
{
	struct vm_clock c = { .base = vm_entered, .shift = SHIFT };
	struct mrg_span text = { NULL, 0 };
	uint64_t hz = 0;
	const bool said = vm_word(command_line, "tsc=", &text);
	if (said && (!vm_word_number(&text, &hz) || text.len != 0 || hz < HZ_MIN || hz > HZ_MAX))
		return "tsc-word";
	if (!from_kvm(&c) && !from_cpuid(&c) && !from_pit(&c) && !(said && set_hz(&c, hz, VM_CLOCK_WORD)))
		return "no-clock";
	if (c.wall_ns == 0)
		c.wall_ns = wall_of_rtc();
	*out = c;
	return NULL;
}

uint64_t vm_counter_at(uint64_t ns)
{
	const struct vm_clock *const c = &vm_machine.clock;
	/* (ns << shift) / mult, where that is a number of 64 bits. */
	const uint64_t high = ns >> (64 - SHIFT), low = ns << SHIFT;
	if (high >= c->mult)
		return UINT64_MAX;
	uint64_t quotient, rest;
	__asm__("divq %4" : "=a"(quotient), "=d"(rest) : "a"(low), "d"(high), "r"(c->mult) : "cc");
	(void)rest;
	return quotient > UINT64_MAX - c->base ? UINT64_MAX : c->base + quotient;
}
