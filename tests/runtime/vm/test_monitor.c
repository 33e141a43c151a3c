/*
 * runtime/vm/monitor: what a boot loader, a command line, a device and ring 3 may say, and what they may not. The architecture's part is
 * played here: registers of a device that lies as it is told to, and a panic that only comes back.
 */
#include <check.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "vm/monitor/calls.c"
#include "vm/monitor/mmio.c"
#include "vm/monitor/start.c"
#include "vm/monitor/words.c"

/* ---- a device, whose registers are what the driver finds ---- */

static struct {
	uint32_t magic, version, kind, features[2], queue_max[VM_QUEUES_MAX + 2], interrupt_status;
	uint8_t config[VM_CONFIG_MAX + 8];
	bool never_resets, refuses_features, config_changes, refuses_queue, fails;
	/* what was written */
	uint32_t status, features_sel, agreed[2], agreed_sel, queue_sel, ready[VM_QUEUES_MAX],
		size[VM_QUEUES_MAX], kicks, kicked, acked;
	uint64_t desc, driver, device;
	uint32_t generation;
} dev;

static const struct vm_place place = { .registers = { 0xfeb00000, 0x200 }, .irq = 5 };

static void device_begin(void)
{
	memset(&dev, 0, sizeof dev);
	dev.magic = MAGIC;
	dev.version = VERSION_1;
	dev.kind = VM_KIND_NET;
	dev.features[0] = 0x3f;
	dev.features[1] = 1;
	dev.queue_max[0] = dev.queue_max[1] = 256;
	for (size_t i = 0; i < sizeof dev.config; i++)
		dev.config[i] = (uint8_t)(i + 1);
}

uint8_t vm_read8(uint64_t address)
{
	const uint64_t at = address - place.registers.at - CONFIG;
	ck_assert_uint_lt(at, VM_CONFIG_MAX);
	return dev.config[at];
}

uint32_t vm_read32(uint64_t address)
{
	const uint32_t q = dev.queue_sel;
	ck_assert_uint_lt(q, VM_QUEUES_MAX);
	switch (address - place.registers.at) {
	case MAGIC_VALUE: return dev.magic;
	case VERSION: return dev.version;
	case DEVICE_ID: return dev.kind;
	case DEVICE_FEATURES: return dev.features[dev.features_sel];
	case STATUS:
		if (dev.never_resets && dev.status == 0)
			return 1;
		return (dev.status & ~(dev.refuses_features ? (uint32_t)FEATURES_OK : 0)) |
		       (dev.fails ? DEVICE_NEEDS_RESET : 0);
	case QUEUE_NUM_MAX: return dev.queue_max[q];
	case QUEUE_READY: return dev.ready[q] && !dev.refuses_queue;
	case INTERRUPT_STATUS: return dev.interrupt_status;
	case CONFIG_GENERATION: return dev.config_changes ? dev.generation++ : dev.generation;
	default: ck_abort_msg("read of %llx", (unsigned long long)address);
	}
}

/* Of devices by PCI only: test_pci.c. */
uint16_t vm_read16(uint64_t address) { ck_abort_msg("read of %llx", (unsigned long long)address); }
void vm_write8(uint64_t address, uint8_t value)
{
	ck_abort_msg("write of %d to %llx", value, (unsigned long long)address);
}
void vm_write16(uint64_t address, uint16_t value) { vm_write8(address, (uint8_t)value); }

static void half(uint64_t *whole, uint64_t at, uint32_t value)
{
	*whole |= (uint64_t)value << (at % 8 == 0 ? 0 : 32);
}

void vm_write32(uint64_t address, uint32_t value)
{
	const uint64_t at = address - place.registers.at;
	switch (at) {
	case STATUS: dev.status = value; return;
	case DEVICE_FEATURES_SEL: dev.features_sel = value; return;
	case DRIVER_FEATURES_SEL: dev.agreed_sel = value; return;
	case DRIVER_FEATURES: dev.agreed[dev.agreed_sel] = value; return;
	case QUEUE_SEL: dev.queue_sel = value; return;
	case QUEUE_NUM: dev.size[dev.queue_sel] = value; return;
	case QUEUE_READY: dev.ready[dev.queue_sel] = value; return;
	case QUEUE_NOTIFY:
		dev.kicked = value;
		dev.kicks++;
		return;
	case INTERRUPT_ACK: dev.acked = value; return;
	default: break;
	}
	ck_assert(at >= QUEUE_DESC && at < QUEUE_DEVICE + 8);
	half(at < QUEUE_DRIVER ? &dev.desc : at < QUEUE_DEVICE ? &dev.driver : &dev.device, at, value);
}

/* ---- the rest of the machine ---- */

static jmp_buf caught;
static const char *bad;
static unsigned halted;
static uint64_t clock_ns;
static uint8_t printed[64];
static size_t printed_len, sleeps;
static uint32_t wakes; /* what has interrupted at the next sleep */
static int user_open;
volatile uint32_t vm_pending;

void vm_console_put(uint8_t octet) { printed[printed_len++ % sizeof printed] = octet; }
void vm_user_open(void) { user_open++; }
void vm_user_close(void) { user_open--; }
void vm_let_in(void) {}
void vm_irq_enable(const struct vm_place *p) { ck_assert_uint_eq(p->irq, place.irq); }
uint64_t vm_time(void) { return clock_ns; }
void vm_sleep(uint64_t until_ns)
{
	sleeps++;
	vm_pending |= wakes;
	wakes = 0;
	clock_ns = until_ns;
}
void vm_halt(unsigned code)
{
	halted = code;
	longjmp(caught, 2);
}
void vm_bad_call(const char *what, uint64_t rip)
{
	ck_assert_uint_eq(rip, 77);
	bad = what;
	longjmp(caught, 1);
}

/* ---- start info ---- */

enum {
	MEMORY = 2 << 20,
	INFO_AT = 0x1000,
	MAP_AT = 0x1100,
	MODULES_AT = 0x1200,
	LINE_AT = 0x1300,
	MODULE_AT = 0x180000,
	STRUCTURES_END = 0x1400
};
static const struct vm_range image = { 1 << 20, 0x40000 };

static uint8_t *memory;
static struct hvm_start_info info;
static struct hvm_memmap_table_entry map[4];
static struct hvm_modlist_entry module[2];
static struct vm_start start;

static void start_begin(void)
{
	info = (struct hvm_start_info){ .magic = 0x336ec578,
		.version = 1,
		.nr_modules = 1,
		.modlist_paddr = MODULES_AT,
		.cmdline_paddr = LINE_AT,
		.memmap_paddr = MAP_AT,
		.memmap_entries = 3 };
	map[0] = (struct hvm_memmap_table_entry){ 0, 0xa0000, 1, 0 };
	map[1] = (struct hvm_memmap_table_entry){ 0xf0000, 0x10000, 2, 0 };
	map[2] = (struct hvm_memmap_table_entry){ 1 << 20, 31 << 20, 1, 0 };
	map[3] = (struct hvm_memmap_table_entry){ 0, 0, 0, 0 };
	module[0] = (struct hvm_modlist_entry){ .paddr = MODULE_AT + 5, .size = 1000 };
	module[1] = (struct hvm_modlist_entry){ .paddr = 0, .size = 0 };
	memset(memory, 0, MEMORY);
	memcpy(memory + LINE_AT, "tsc=1 ip=dhcp", 14);
}

static void start_put(void)
{
	memcpy(memory + INFO_AT, &info, sizeof info);
	memcpy(memory + MAP_AT, map, sizeof map);
	memcpy(memory + MODULES_AT, module, sizeof module);
}

static const char *start_get(void)
{
	start_put();
	const struct vm_memory m = { (uintptr_t)memory, MEMORY };
	return vm_start_read(&m, INFO_AT, image, &start);
}

static void memory_begin(void)
{
	memory = malloc(MEMORY);
	ck_assert_ptr_nonnull(memory);
	start_begin();
}
static void memory_end(void) { free(memory); }

START_TEST(start_good)
{
	ck_assert_ptr_null(start_get());
	ck_assert_uint_eq(start.command_line_len, 13);
	ck_assert_int_eq(memcmp(start.command_line, "tsc=1 ip=dhcp", 13), 0);
	ck_assert(start.initrd.at == MODULE_AT + 5 && start.initrd.len == 1000);
	const struct vm_range free_now = vm_start_free(&start, UINT64_C(1) << 32);
	ck_assert(free_now.at == MODULE_AT + VM_PAGE && free_now.at + free_now.len == UINT64_C(32) << 20);
	ck_assert_uint_eq(vm_start_free(&start, 3 << 20).len, (3 << 20) - MODULE_AT - VM_PAGE);
	info.cmdline_paddr = 0;
	info.nr_modules = 0;
	ck_assert_ptr_null(start_get());
	ck_assert(start.command_line_len == 0 && start.initrd.len == 0);
}
END_TEST

#define REFUSED(change, expected)                                                                            \
	do {                                                                                                 \
		start_begin();                                                                               \
		change;                                                                                      \
		const char *const got = start_get();                                                         \
		ck_assert_msg(got != NULL && strcmp(got, expected) == 0, "%s: %s", #change,                  \
			got == NULL ? "accepted" : got);                                                     \
	} while (0)

START_TEST(start_bad)
{
	REFUSED(info.magic++, "start-info-magic");
	REFUSED(info.version = 0, "start-info-version");
	REFUSED(info.memmap_entries = 0, "memory-map-count");
	REFUSED(info.memmap_entries = 1000, "memory-map-count");
	REFUSED(info.memmap_entries = UINT32_MAX, "memory-map-count");
	REFUSED(info.memmap_paddr = 0, "memory-map-address");
	REFUSED(info.memmap_paddr = MEMORY - 1, "memory-map-address");
	REFUSED(info.memmap_paddr = UINT64_MAX - 8, "memory-map-address");
	REFUSED(map[1].addr = UINT64_MAX, "memory-map-entry");
	REFUSED(map[1].size = UINT64_MAX, "memory-map-entry");
	REFUSED(map[2].type = 2, "memory-map-without-image");
	REFUSED(map[2].addr = 0x101000, "memory-map-without-image");
	REFUSED(info.nr_modules = VM_MODULES_MAX + 1, "module-count");
	REFUSED(info.modlist_paddr = UINT64_MAX - 8, "module-list-address");
	REFUSED(info.modlist_paddr = MEMORY - 8, "module-list-address");
	REFUSED(module[0].paddr = UINT64_MAX - 8, "module-address");
	REFUSED(module[0].paddr = 0, "module-address");
	REFUSED(module[0].paddr = MEMORY - 8, "module-address");
	REFUSED(module[0].size = UINT64_MAX, "module-address");
	REFUSED(module[0].paddr = 0xf0000, "module-address");
	REFUSED(module[0].paddr = image.at + 8, "module-over-image");
	REFUSED(module[0].paddr = image.at + image.len - 1, "module-over-image");
	REFUSED(info.cmdline_paddr = MEMORY, "command-line-address");
	REFUSED(info.cmdline_paddr = UINT64_MAX, "command-line-address");
	REFUSED(memset(memory + LINE_AT, 'x', VM_COMMAND_LINE_MAX), "command-line-length");
	const struct vm_memory m = { (uintptr_t)memory, MEMORY };
	ck_assert_str_eq(vm_start_read(&m, 0, image, &start), "start-info-address");
	ck_assert_str_eq(vm_start_read(&m, MEMORY - 4, image, &start), "start-info-address");
	ck_assert_str_eq(vm_start_read(&m, UINT64_MAX, image, &start), "start-info-address");
}
END_TEST

/* Whatever is accepted, what is then given away is memory, and nobody's. */
static void check_free(void)
{
	const struct vm_range f = vm_start_free(&start, UINT64_C(1) << 32);
	if (f.len == 0)
		return;
	ck_assert(f.at % VM_PAGE == 0 && f.len % VM_PAGE == 0 && f.at >= 1 << 20 &&
		  f.at + f.len <= UINT64_C(1) << 32);
	ck_assert(vm_start_is_ram(&start, f));
	for (size_t i = 0; i < start.taken_count; i++)
		ck_assert(!vm_range_meets(start.taken[i], f));
}

START_TEST(start_flipped)
{
	/* Each bit of the structures the other way; and a memory that ends at each octet of them, which the sanitizer watches. */
	unsigned accepted = 0;
	for (size_t bit = 0; bit < (STRUCTURES_END - INFO_AT) * 8; bit++) {
		start_begin();
		start_put();
		memory[INFO_AT + bit / 8] ^= (uint8_t)(1u << bit % 8);
		const struct vm_memory m = { (uintptr_t)memory, MEMORY };
		if (vm_start_read(&m, INFO_AT, image, &start) == NULL) {
			accepted++;
			check_free();
		}
	}
	ck_assert_uint_gt(accepted, 100);
	start_begin();
	start_put();
	for (size_t len = 1; len < STRUCTURES_END; len++) {
		uint8_t *const less = malloc(len);
		ck_assert_ptr_nonnull(less);
		memcpy(less, memory, len);
		const struct vm_memory m = { (uintptr_t)less, len };
		ck_assert_ptr_nonnull(vm_start_read(&m, INFO_AT, image, &start));
		free(less);
	}
}
END_TEST

/* Compared with a look at each page. */
START_TEST(start_free_pages)
{
	enum { PAGES = 40, LOW = 1 << 20 };
	uint32_t seed = 1;
	for (unsigned turn = 0; turn < 20000; turn++) {
		bool is_free[PAGES] = { false };
		start = (struct vm_start){ .ram_count = 1 + turn % 3, .taken_count = turn % 5 };
		for (size_t i = 0; i < start.ram_count + start.taken_count; i++) {
			struct vm_range *const r =
				i < start.ram_count ? &start.ram[i] : &start.taken[i - start.ram_count];
			seed = seed * 1664525u + 1013904223u;
			*r = (struct vm_range){ LOW - 2048u + (seed >> 8) % (PAGES * VM_PAGE / 2048) * 2048u,
				(seed >> 20) % 24 * 2048u };
		}
		size_t best = 0, run = 0;
		for (size_t p = 0; p < PAGES; p++) {
			const struct vm_range page = { LOW + p * VM_PAGE, VM_PAGE };
			for (size_t i = 0; i < start.ram_count; i++)
				is_free[p] |= vm_range_holds(start.ram[i], page.at, page.len);
			for (size_t i = 0; i < start.taken_count; i++)
				is_free[p] &= !vm_range_meets(start.taken[i], page);
		}
		/* Runs within one piece of memory: pieces that touch stay pieces. */
		for (size_t i = 0; i < start.ram_count; i++) {
			run = 0;
			for (size_t p = 0; p < PAGES; p++) {
				run = is_free[p] && vm_range_holds(start.ram[i], LOW + p * VM_PAGE, VM_PAGE)
					      ? run + 1
					      : 0;
				best = run > best ? run : best;
			}
		}
		const struct vm_range got = vm_start_free(&start, LOW + PAGES * VM_PAGE);
		ck_assert_uint_eq(got.len, best * VM_PAGE);
		check_free();
	}
}
END_TEST

/* ---- the command line ---- */

static struct mrg_span span(const char *text)
{
	return (struct mrg_span){ (const uint8_t *)text, strlen(text) };
}

START_TEST(words)
{
	struct mrg_span v;
	uint64_t n;
	ck_assert(vm_word(span(" a=1  tsc=0x10 tsc=3"), "tsc=", &v) && v.len == 4);
	ck_assert(vm_word_number(&v, &n) && n == 16 && v.len == 0);
	ck_assert(!vm_word(span("atsc=1 tsc"), "tsc=", &v));
	ck_assert(!vm_word(span(""), "tsc=", &v));
	v = span("18446744073709551615x");
	ck_assert(vm_word_number(&v, &n) && n == UINT64_MAX && v.len == 1);
	v = span("18446744073709551616");
	ck_assert(!vm_word_number(&v, &n));
	v = span("0x10000000000000000");
	ck_assert(!vm_word_number(&v, &n));
	v = span("0x");
	ck_assert(!vm_word_number(&v, &n));
	v = span("");
	ck_assert(!vm_word_number(&v, &n));
}
END_TEST

START_TEST(places)
{
	struct vm_place p[VM_PLACES_MAX];
	size_t n;
	ck_assert_ptr_null(vm_word_places(
		span("x virtio_mmio.device=512@0xfeb00e00:12 virtio_mmio.device=4K@0xd0000000:5:0 y"), p,
		&n));
	ck_assert_uint_eq(n, 2);
	ck_assert(p[0].registers.at == 0xfeb00e00 && p[0].registers.len == 512 && p[0].irq == 12);
	ck_assert(p[1].registers.at == 0xd0000000 && p[1].registers.len == 4096 && p[1].irq == 5);
	ck_assert_ptr_null(vm_word_places(span("quiet"), p, &n));
	ck_assert_uint_eq(n, 0);
	static const char *const bad_ones[][2] = { { "", "device-word" }, { "512", "device-word" },
		{ "512@", "device-word" }, { "512@0xfeb00000", "device-word" },
		{ "512@0xfeb00000:", "device-word" }, { "512@0xfeb00000:5x", "device-word" },
		{ "512@0xfeb00000:5:", "device-word" }, { "-1@0xfeb00000:5", "device-word" },
		{ "512@0xfeb00000:-1", "device-word" }, { "99999999999999999999@1:5", "device-word" },
		{ "18446744073709551615M@0xfeb00000:5", "device-word" }, { "0@0xfeb00000:5", "device-size" },
		{ "255@0xfeb00000:5", "device-size" }, { "2M@0xfeb00000:5", "device-size" },
		{ "512@0:5", "device-address" }, { "512@0xfeb00002:5", "device-address" },
		{ "512@0xffffff00:5", "device-address" }, { "512@0x100000000:5", "device-address" },
		{ "512@0xfffffffffffffff0:5", "device-address" }, { "512@0xfeb00000:48", "device-irq" },
		{ "512@0xfeb00000:18446744073709551615", "device-irq" },
		{ "512@0xfeb00000:5 virtio_mmio.device=512@0xfeb00100:6", "device-twice" } };
	for (size_t i = 0; i < sizeof bad_ones / sizeof bad_ones[0]; i++) {
		char line[200] = "a virtio_mmio.device=";
		strcat(line, bad_ones[i][0]);
		const char *const got = vm_word_places(span(line), p, &n);
		ck_assert_msg(got != NULL && strcmp(got, bad_ones[i][1]) == 0, "%s: %s", line,
			got == NULL ? "accepted" : got);
	}
	char many[1000] = "";
	for (unsigned i = 0; i <= VM_PLACES_MAX; i++) {
		char one[] = "virtio_mmio.device=512@0xfeb00000:5 ";
		one[29] = (char)('0' + i);
		strcat(many, one);
	}
	ck_assert_str_eq(vm_word_places(span(many), p, &n), "device-count");
}
END_TEST

/* ---- devices ---- */

START_TEST(device_present)
{
	const char *why;
	device_begin();
	ck_assert(vm_mmio_present(&place, &why) && why == NULL);
	dev.version = 1;
	ck_assert(!vm_mmio_present(&place, &why) && strcmp(why, "legacy") == 0);
	dev.version = 3;
	ck_assert(!vm_mmio_present(&place, &why) && strcmp(why, "version") == 0);
	dev.version = VERSION_1;
	dev.kind = 99;
	ck_assert(!vm_mmio_present(&place, &why) && strcmp(why, "kind") == 0);
	dev.kind = 0;
	ck_assert(!vm_mmio_present(&place, &why) && why == NULL);
	dev.magic = UINT32_MAX;
	ck_assert(!vm_mmio_present(&place, &why) && why == NULL);
}
END_TEST

START_TEST(device_good)
{
	struct vm_device d;
	device_begin();
	dev.features[1] = UINT32_MAX;
	ck_assert_ptr_null(vm_mmio_open(&place, UINT64_MAX & ~UINT64_C(2), &d));
	ck_assert_uint_eq(d.features, ((UINT64_C(0xffffffff) << 32) | 0x3d) & ~F_UNKEPT);
	ck_assert(dev.agreed[0] == (uint32_t)d.features && dev.agreed[1] == (uint32_t)(d.features >> 32));
	ck_assert_uint_eq(dev.status, ACKNOWLEDGE | DRIVER | FEATURES_OK);
	ck_assert(d.queue_count == 2 && d.queue_size_max[0] == 256 && d.config_len == VM_CONFIG_MAX &&
		  d.config[5] == 6);
	ck_assert(vm_mmio_queue(&place, 1, 0x123400000, 128));
	ck_assert(dev.size[1] == 128 && dev.desc == 0x123400000 && dev.driver == dev.desc + 2048 &&
		  dev.device == dev.desc + 2048 + 320);
	ck_assert(vm_mmio_start(&place) && (dev.status & DRIVER_OK) != 0);
	ck_assert(!vm_mmio_interrupted(&place));
	dev.interrupt_status = 3;
	ck_assert(vm_mmio_interrupted(&place) && dev.acked == 3);
}
END_TEST

START_TEST(device_hostile)
{
	struct vm_device d;
	device_begin();
	dev.never_resets = true;
	ck_assert_str_eq(vm_mmio_open(&place, 0, &d), "reset");
	device_begin();
	dev.features[1] = 0;
	ck_assert_str_eq(vm_mmio_open(&place, 0, &d), "version-1");
	ck_assert_uint_eq(dev.status, 0);
	device_begin();
	dev.refuses_features = true;
	ck_assert_str_eq(vm_mmio_open(&place, 0, &d), "features");
	device_begin();
	dev.config_changes = true;
	ck_assert_str_eq(vm_mmio_open(&place, 0, &d), "configuration");
	device_begin();
	dev.queue_max[0] = 0;
	ck_assert_str_eq(vm_mmio_open(&place, 0, &d), "queues");
	device_begin();
	for (size_t i = 0; i < VM_QUEUES_MAX + 2; i++)
		dev.queue_max[i] = i == 0 ? UINT32_MAX : i == 1 ? 3 : 1;
	ck_assert_ptr_null(vm_mmio_open(&place, 0, &d));
	ck_assert(d.queue_count == VM_QUEUES_MAX && d.queue_size_max[0] == VM_QUEUE_SIZE_MAX &&
		  d.queue_size_max[1] == 2 && d.queue_size_max[2] == 1);
	dev.queue_max[0] = 4; /* it said more before */
	ck_assert(!vm_mmio_queue(&place, 0, 4096, 8));
	dev.queue_max[0] = 8;
	dev.refuses_queue = true;
	ck_assert(!vm_mmio_queue(&place, 0, 4096, 8));
	dev.fails = true;
	ck_assert(!vm_mmio_start(&place));
}
END_TEST

/* ---- calls ---- */

enum { ARENA_AT = 0x400000, ARENA_LEN = 0x10000, RIP = 77 };
static uint8_t text[] = "some text";

static void machine_begin(void)
{
	device_begin();
	memset(&vm_machine, 0, sizeof vm_machine);
	memset(used, 0, sizeof used);
	vm_machine.device_count = 1;
	vm_machine.port[0] = (struct vm_port){ place, 2, { 256, 8 } };
	vm_machine.arena = (struct vm_range){ ARENA_AT, ARENA_LEN };
	vm_machine.readable[0] = (struct vm_range){ (uintptr_t)text, sizeof text };
	vm_machine.readable_count = 1;
	vm_pending = wakes = 0;
	clock_ns = 1000;
	printed_len = sleeps = 0;
}

/* The result of a call; or what a panic says. */
static const char *call_of(uint64_t *result, uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	bad = NULL;
	if (setjmp(caught) == 0)
		*result = vm_call_do(a, b, c, d, number, RIP);
	return bad;
}
static void good(uint64_t result, uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	uint64_t got = 99;
	const char *const why = call_of(&got, number, a, b, c, d);
	ck_assert_msg(
		why == NULL && got == result, "%s %llu", why == NULL ? "" : why, (unsigned long long)got);
	ck_assert_int_eq(user_open, 0);
}
static void panics(const char *what, uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	uint64_t got = 99;
	const char *const why = call_of(&got, number, a, b, c, d);
	ck_assert_msg(why != NULL && strcmp(why, what) == 0, "%s", why == NULL ? "accepted" : why);
}

START_TEST(call_numbers_and_write)
{
	const uint64_t at = (uintptr_t)text;
	good(0, VM_CALL_WRITE, at, 4, 0, 0);
	ck_assert(printed_len == 4 && memcmp(printed, "some", 4) == 0);
	good(0, VM_CALL_WRITE, at, sizeof text, 0, 0);
	good(0, VM_CALL_WRITE, 0, 0, 0, 0);
	panics("write-address", VM_CALL_WRITE, at, sizeof text + 1, 0, 0);
	panics("write-address", VM_CALL_WRITE, at - 1, 1, 0, 0);
	panics("write-address", VM_CALL_WRITE, at + sizeof text, 1, 0, 0);
	panics("write-address", VM_CALL_WRITE, at + 1, UINT64_MAX, 0, 0);
	panics("number", VM_CALLS, 0, 0, 0, 0);
	panics("number", UINT64_MAX, 0, 0, 0, 0);
	panics("exit-code", VM_CALL_EXIT, VM_EXIT_MAX + 1, 0, 0, 0);
	uint64_t got = 0;
	ck_assert_ptr_null(call_of(&got, VM_CALL_EXIT, VM_EXIT_MAX, 0, 0, 0));
	ck_assert_uint_eq(halted, VM_EXIT_MAX);
}
END_TEST

START_TEST(call_queues)
{
	const uint64_t len = vm_ring_len(8), last = (ARENA_AT + ARENA_LEN - len) & ~UINT64_C(63);
	panics("start", VM_CALL_START, 0, 0, 0, 0);
	panics("kick", VM_CALL_KICK, 0, 0, 0, 0);
	panics("wait-mask", VM_CALL_WAIT, 0, 1, 0, 0);
	panics("wait-mask", VM_CALL_WAIT, 0, 2, 0, 0);
	panics("device", VM_CALL_QUEUE, 1, 0, ARENA_AT, 8);
	panics("device", VM_CALL_QUEUE, UINT64_C(1) << 32, 0, ARENA_AT, 8);
	panics("queue", VM_CALL_QUEUE, 0, 2, ARENA_AT, 8);
	panics("queue", VM_CALL_QUEUE, 0, UINT64_C(1) << 32, ARENA_AT, 8);
	panics("queue-size", VM_CALL_QUEUE, 0, 1, ARENA_AT, 16);
	panics("queue-size", VM_CALL_QUEUE, 0, 1, ARENA_AT, 6);
	panics("queue-size", VM_CALL_QUEUE, 0, 1, ARENA_AT, 0);
	panics("queue-size", VM_CALL_QUEUE, 0, 1, ARENA_AT, (UINT64_C(1) << 32) + 8);
	panics("queue-address", VM_CALL_QUEUE, 0, 1, ARENA_AT - 64, 8);
	panics("queue-address", VM_CALL_QUEUE, 0, 1, ARENA_AT + 16, 8);
	panics("queue-address", VM_CALL_QUEUE, 0, 1, last + 64, 8);
	panics("queue-address", VM_CALL_QUEUE, 0, 1, UINT64_MAX & ~UINT64_C(63), 8);
	good(1, VM_CALL_QUEUE, 0, 1, last, 8);
	ck_assert(dev.desc == last && dev.size[1] == 8);
	panics("queue-again", VM_CALL_QUEUE, 0, 1, ARENA_AT, 8);
	good(1, VM_CALL_START, 0, 0, 0, 0);
	panics("start", VM_CALL_START, 0, 0, 0, 0);
	panics("queue-again", VM_CALL_QUEUE, 0, 0, ARENA_AT, 8);
	panics("kick", VM_CALL_KICK, 0, 0, 0, 0);
	panics("queue", VM_CALL_KICK, 0, 2, 0, 0);
	good(0, VM_CALL_KICK, 0, 1, 0, 0);
	ck_assert(dev.kicks == 1 && dev.kicked == 1);
}
END_TEST

START_TEST(call_waits)
{
	good(1, VM_CALL_QUEUE, 0, 1, ARENA_AT, 8);
	good(1, VM_CALL_START, 0, 0, 0, 0);
	good(0, VM_CALL_WAIT, 1000, 1, 0, 0);
	ck_assert_uint_eq(sleeps, 0);
	good(0, VM_CALL_WAIT, 5000, 1, 0, 0);
	ck_assert(sleeps == 1 && clock_ns == 5000);
	wakes = 1;
	good(1, VM_CALL_WAIT, UINT64_MAX, 1, 0, 0);
	ck_assert_uint_eq(sleeps, 2);
	vm_pending = 1; /* it came before: no sleep */
	good(1, VM_CALL_WAIT, UINT64_MAX, 1, 0, 0);
	ck_assert(sleeps == 2 && vm_pending == 0);
	vm_pending = 1; /* another's does not wake, and is kept */
	clock_ns = 0;
	good(0, VM_CALL_WAIT, 7000, 0, 0, 0);
	ck_assert(sleeps == 3 && vm_pending == 1);
}
END_TEST

static TCase *case_of(const char *name, void (*begin)(void), void (*end)(void))
{
	TCase *const c = tcase_create(name);
	tcase_add_checked_fixture(c, begin, end);
	tcase_set_timeout(c, 120);
	return c;
}

int main(void)
{
	Suite *const s = suite_create("monitor");
	TCase *const boot = case_of("boot", memory_begin, memory_end), *const calls = case_of(
									       "calls", machine_begin, NULL);
	tcase_add_test(boot, start_good);
	tcase_add_test(boot, start_bad);
	tcase_add_test(boot, start_flipped);
	tcase_add_test(boot, start_free_pages);
	tcase_add_test(boot, words);
	tcase_add_test(boot, places);
	tcase_add_test(calls, device_present);
	tcase_add_test(calls, device_good);
	tcase_add_test(calls, device_hostile);
	tcase_add_test(calls, call_numbers_and_write);
	tcase_add_test(calls, call_queues);
	tcase_add_test(calls, call_waits);
	suite_add_tcase(s, boot);
	suite_add_tcase(s, calls);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
