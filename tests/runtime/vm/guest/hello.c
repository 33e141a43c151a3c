/*
 * What the application was given and what the calls do, as lines that test_boot.py reads.
 */
#include "mrg_rt.h"
#include "vm/vm.h"

enum { SLEEP_MS = 20, RING = 8, ASKED = 64 };

static void say(struct mrg_rt_line *l)
{
	const struct mrg_span line = mrg_rt_line_end(l);
	vm_write(line.p, line.len);
}

static void say_boot(const struct vm_boot *b)
{
	static const char *const sources[] = { "none", "kvm", "cpuid", "pit", "word", "generic" };
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "info", "hello");
	mrg_rt_line_span(&l, "command_line", b->command_line);
	mrg_rt_line_num(&l, "memory_kib", b->memory_len >> 10);
	mrg_rt_line_num(&l, "devices", b->device_count);
	mrg_rt_line_str(&l, "clock", sources[b->clock.source]);
	mrg_rt_line_num(&l, "hz", b->clock.hz);
	mrg_rt_line_num(&l, "wall_s", b->clock.wall_ns / MRG_RT_SECOND_NS);
	mrg_rt_line_num(&l, "boot_ns", vm_ns_of(&b->clock, b->started));
	mrg_rt_line_span(&l, "initrd", b->initrd);
	mrg_rt_line_num(&l, "entropy",
		mrg_rt_hash((const uint64_t[2]){ 0, 0 }, (struct mrg_span){ b->entropy, VM_ENTROPY }));
	say(&l);
}

static void say_device(const struct vm_device *d)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "info", "device");
	mrg_rt_line_num(&l, "kind", d->kind);
	mrg_rt_line_num(&l, "features", d->features);
	mrg_rt_line_num(&l, "offered", d->offered);
	mrg_rt_line_num(&l, "queues", d->queue_count);
	mrg_rt_line_num(&l, "queue_size", d->queue_size_max[0]);
	mrg_rt_line_span(&l, "config", (struct mrg_span){ d->config, 6 });
	say(&l);
}

/* ---- memory, vectors, time ---- */

static uint64_t sum(const uint8_t *p, size_t len)
{
	uint64_t s = 0;
	for (size_t i = 0; i < len; i++)
		s += p[i];
	return s;
}

static void say_memory(const struct vm_boot *b)
{
	struct mrg_rt_line l;
	const uint64_t before = sum(b->memory, b->memory_len);
	memset(b->memory, 1, b->memory_len);
	const uint64_t after = sum(b->memory, b->memory_len);
	memset(b->memory, 0, b->memory_len);
	volatile double third = 1.0;
	third = third / 3.0;
	mrg_rt_line_begin(&l, "info", "memory");
	mrg_rt_line_num(&l, "before", before);
	mrg_rt_line_num(&l, "missing", b->memory_len - after);
	mrg_rt_line_num(&l, "ppm", (uint64_t)(third * 1e6));
	say(&l);
}

static void say_sleep(const struct vm_boot *b)
{
	struct mrg_rt_line l;
	const uint64_t from_ns = vm_now(&b->clock);
	const uint32_t past = vm_wait(from_ns, 0), got = vm_wait(from_ns + SLEEP_MS * UINT64_C(1000000), 0);
	mrg_rt_line_begin(&l, "info", "sleep");
	mrg_rt_line_num(&l, "asked_ns", SLEEP_MS * UINT64_C(1000000));
	mrg_rt_line_num(&l, "slept_ns", vm_now(&b->clock) - from_ns);
	mrg_rt_line_num(&l, "got", past | got);
	say(&l);
}

/* ---- a device that gives chance (virtio 1.2, 5.4), to see that queues, doorbell and interrupts work ---- */

/* virtio 1.2, 2.7 */
struct ring_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};
struct ring_avail {
	uint16_t flags, idx, ring[RING];
};
struct ring_used {
	uint16_t flags, idx;
	struct {
		uint32_t id, len;
	} ring[RING];
};
enum { DESC_F_WRITE = 2 };

static void say_chance(const struct vm_boot *b, uint32_t device)
{
	uint8_t *const at = b->memory + (size_t)device * 8192u, *const bytes = at + 4096;
	struct ring_desc *const desc = (void *)at;
	volatile struct ring_avail *const avail = (void *)(at + vm_ring_avail_at(RING));
	const volatile struct ring_used *const used = (const volatile void *)(at + vm_ring_used_at(RING));
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "info", "chance");
	mrg_rt_line_num(&l, "device", device);
	mrg_rt_line_num(&l, "queue", vm_queue(device, 0, at, RING));
	mrg_rt_line_num(&l, "start", vm_start(device));
	for (uint16_t turn = 0; turn < 3; turn++) {
		desc[0] = (struct ring_desc){ (uint64_t)(uintptr_t)bytes, ASKED, DESC_F_WRITE, 0 };
		avail->ring[turn % RING] = 0;
		avail->idx = (uint16_t)(turn + 1u);
		vm_kick(device, 0);
		uint32_t got = 0;
		const uint64_t end_ns = vm_now(&b->clock) + 10 * MRG_RT_SECOND_NS;
		do
			got |= vm_wait(end_ns, vm_device_bit(device));
		while (used->idx != avail->idx && vm_now(&b->clock) < end_ns);
		mrg_rt_line_num(&l, "used", used->idx);
		mrg_rt_line_num(&l, "len", used->ring[turn % RING].len);
		mrg_rt_line_num(&l, "got", got);
	}
	mrg_rt_line_num(&l, "sum", sum(bytes, ASKED));
	say(&l);
}

static bool has(struct mrg_span line, const char *word)
{
	const size_t len = strlen(word);
	for (size_t i = 0; i + len <= line.len; i++)
		if (memcmp(line.p + i, word, len) == 0)
			return true;
	return false;
}

void vm_main(const struct vm_boot *boot)
{
	say_boot(boot);
	for (uint32_t i = 0; i < boot->device_count; i++)
		say_device(&boot->device[i]);
	if (has(boot->command_line, "do=memory"))
		say_memory(boot);
	if (has(boot->command_line, "do=sleep"))
		say_sleep(boot);
	for (uint32_t i = 0; i < boot->device_count; i++)
		if (boot->device[i].kind == VM_KIND_ENTROPY)
			say_chance(boot, i);
	if (has(boot->command_line, "do=idle")) {
		vm_wait(0, 0); /* interrupts are set up by the first one */
		vm_write("waiting\n", 8);
		vm_wait(UINT64_MAX, 0);
	}
	if (has(boot->command_line, "do=exit7"))
		vm_exit(7);
}
