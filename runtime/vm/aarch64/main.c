/*
 * From the entry of the image to that of the application: each thing once, in this order.
 */
#include "mrg_rt.h"
#include "vm/aarch64/cpu.h"

enum {
	TABLES_FIXED = 40 /* for the edges of each piece of memory, devices */,
	LARGE_PAGE = 2 << 20,
	GIB_SHIFT = 30
};

/* The application's: a canary (app/start.c), which stays as it is, and where it begins. */
extern uintptr_t vm_app_guard;
extern uint8_t vm_app_start[];

/* The canary of our own stack. */
extern uintptr_t __stack_chk_guard;
uintptr_t __stack_chk_guard VM_SEALED;

static union {
	struct {
		struct vm_boot boot;
		char command_line[VM_COMMAND_LINE_MAX];
	} is;
	uint8_t pages[VM_PAGE];
} shared __attribute__((section(".boot"), aligned(VM_PAGE)));

static struct vm_start start; /* what the boot loader gave */
static struct vm_tree tree;
static bool has_pan VM_SEALED;

static struct vm_range between(const uint8_t *from, const uint8_t *to)
{
	return (struct vm_range){ vm_at(from), vm_at(to) - vm_at(from) };
}

/* ---- the device tree ---- */

static struct mrg_span octets_at(uint64_t at, uint64_t len)
{
	return (struct mrg_span){ (const uint8_t *)(uintptr_t)at,
		(size_t)len }; /* NOLINT(performance-no-int-to-ptr) */
}

static void check_tree_place(struct vm_range r)
{
	if (!vm_start_is_ram(&start, r))
		vm_boot_fails("tree-address");
	if (vm_range_meets(r, between(vm_image, vm_image_end)))
		vm_boot_fails("tree-over-image");
}

/* All below the image, since start.S took what is above for memory. */
static void check_registers(struct vm_range r)
{
	const uint64_t low = vm_at(vm_image) >> GIB_SHIFT << GIB_SHIFT;
	if (r.len != 0 && !vm_range_holds((struct vm_range){ 0, low }, r.at, r.len))
		vm_boot_fails("device-address");
}

/* QEMU, which tells a Linux where the tree is, leaves it at the start of memory for any other program. */
static void read_tree(uint64_t at)
{
	if (at == 0)
		at = vm_at(vm_image) >> GIB_SHIFT << GIB_SHIFT;
	if (at % sizeof(uint64_t) != 0 || at > VM_ADDRESS_MAX - MRG_DTB_SIZE_MAX)
		vm_boot_fails("tree-address");
	const struct vm_range place = { at, vm_tree_len(octets_at(at, MRG_DTB_HEADER_SIZE_MAX)) };
	if (place.len == 0)
		vm_boot_fails("tree-header");
	const char *const why =
		vm_tree_read(octets_at(at, place.len), at, between(vm_image, vm_image_end), &start, &tree);
	vm_firmware_is(tree.conduit);
	check_registers(tree.uart);
	if (why == NULL || tree.uart.len != 0)
		vm_console_init(&tree);
	if (why != NULL)
		vm_boot_fails(why);
	check_tree_place(place);
	check_registers(tree.rtc);
	check_registers(tree.distributor);
	check_registers(tree.cpu);
	for (size_t i = 0; i < tree.slot_count; i++)
		check_registers(tree.slot[i].registers);
	/* The arena is zero at the start, and nobody is to find the seed. */
	memset((void *)(uintptr_t)at, 0, (size_t)place.len); /* NOLINT(performance-no-int-to-ptr) */
}

/* ---- entropy ---- */

enum { ISAR0_RNDR = 60, KEY = 16, SEED_MIN = 32, TRIES = 1000 };

/* What each start has of its own: canaries, and what ring 3 gets. */
static struct {
	uintptr_t ours, apps;
	uint8_t rest[VM_ENTROPY];
} chance;

/* RNDRRS, and RNDR where that has nothing. */
static bool take_random(uint64_t *out)
{
	uint64_t word;
	uint32_t good;
	__asm__ volatile("mrs %0, s3_3_c2_c4_1; cset %w1, ne" : "=r"(word), "=r"(good) : : "cc");
	if (!good)
		__asm__ volatile("mrs %0, s3_3_c2_c4_0; cset %w1, ne" : "=r"(word), "=r"(good) : : "cc");
	*out = word;
	return good != 0;
}

static bool fill_from_processor(void)
{
	uint64_t last = 0;
	for (size_t at = 0; at < sizeof chance; at += sizeof last) {
		uint64_t word = 0;
		bool good = false;
		/* All zeros, all ones and the same again are what broken ones give. */
		for (unsigned n = 0; n < TRIES && !good; n++)
			good = take_random(&word) && word != 0 && word != UINT64_MAX && word != last;
		if (!good)
			return false;
		memcpy((uint8_t *)&chance + at, &word, sizeof word);
		last = word;
	}
	return true;
}

/* From the boot loader's seed: a key, and what is hashed with it and the place of each word. */
static void fill_from_seed(void)
{
	uint8_t text[VM_SEED_MAX];
	uint64_t key[KEY / sizeof(uint64_t)];
	memcpy(key, tree.seed, KEY);
	const size_t len = tree.seed_len - KEY;
	memcpy(text, tree.seed + KEY, len);
	for (size_t i = 0; i < sizeof chance / sizeof(uint64_t); i++) {
		text[len] = (uint8_t)i;
		const uint64_t word = mrg_rt_hash(key, (struct mrg_span){ text, len + 1 });
		memcpy((uint8_t *)&chance + i * sizeof word, &word, sizeof word);
	}
	memset(tree.seed, 0, sizeof tree.seed);
}

static bool is_chance(void)
{
	bool differ = false;
	for (size_t i = 1; i < tree.seed_len; i++)
		differ |= tree.seed[i] != tree.seed[0];
	return tree.seed_len >= SEED_MIN && differ;
}

/* From the processor, or else the boot loader; false when neither has any. */
static bool fill_random(void)
{
	if (VM_READ_SYSTEM("id_aa64isar0_el1") >> ISAR0_RNDR != 0 && fill_from_processor())
		return true;
	if (!is_chance())
		return false;
	fill_from_seed();
	return true;
}

/* ---- memory ---- */

/* What ring 3 may read of the image; its guard pages are not in it. */
static void add_readable(struct vm_range r)
{
	if (r.len != 0 && vm_machine.readable_count < VM_READABLE_MAX)
		vm_machine.readable[vm_machine.readable_count++] = r;
}

static void map_image(void)
{
	vm_pages_map(between(vm_image, vm_monitor_rodata), PAGE_EXECUTE);
	vm_pages_map(between(vm_monitor_rodata, vm_monitor_data), 0);
	vm_pages_map(between(vm_monitor_data, vm_monitor_data_end), PAGE_WRITE);
	vm_pages_map(between(vm_text, vm_rodata), PAGE_USER | PAGE_EXECUTE);
	vm_pages_map(between(vm_rodata, vm_data), PAGE_USER);
	vm_pages_map(between(vm_data, vm_data_end), PAGE_USER | PAGE_WRITE);
	vm_pages_map(between(vm_boot_page, vm_boot_page_end), PAGE_USER);
	vm_pages_map(between(vm_boot_page_end, vm_monitor_bss_end), PAGE_WRITE);
	vm_pages_map(between(vm_stack, vm_stack_top), PAGE_WRITE);
	vm_pages_map(between(vm_trap_stack, vm_trap_stack_top), PAGE_WRITE);
	vm_pages_map(between(vm_bss, vm_bss_end), PAGE_USER | PAGE_WRITE);
	vm_pages_map(between(vm_user_stack, vm_user_stack_top), PAGE_USER | PAGE_WRITE);
	add_readable(between(vm_rodata, vm_boot_page_end)); /* constants, data, the boot record */
	add_readable(between(vm_bss, vm_bss_end));
	add_readable(between(vm_user_stack, vm_user_stack_top));
}

/* Each page with registers once, whatever number of devices has some on it. */
static void map_registers(const struct vm_place *places, size_t count)
{
	const struct vm_range own[] = { tree.uart, tree.distributor, tree.cpu };
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		vm_pages_map(own[i], PAGE_WRITE | PAGE_DEVICE);
	for (size_t i = 0; i < count; i++) {
		struct vm_range r = vm_range_pages(places[i].registers);
		for (; r.len != 0; r = (struct vm_range){ r.at + VM_PAGE, r.len - VM_PAGE }) {
			bool done = false;
			for (size_t k = 0; k < i && !done; k++)
				done = vm_range_holds(vm_range_pages(places[k].registers), r.at, VM_PAGE);
			if (!done)
				vm_pages_map((struct vm_range){ r.at, VM_PAGE }, PAGE_WRITE | PAGE_DEVICE);
		}
	}
}

static struct vm_range share_out(const struct vm_place *places, size_t count)
{
	struct vm_range free = vm_start_free(&start, VM_ADDRESS_MAX);
	const struct vm_range image = between(vm_image, vm_image_end), initrd = vm_range_pages(start.initrd);
	const uint64_t tables = (TABLES_FIXED + image.len / LARGE_PAGE + (free.len >> GIB_SHIFT) +
					(initrd.len >> GIB_SHIFT)) *
				(uint64_t)VM_PAGE;
	/* Below the image may be registers of devices, as far as start.S knows. */
	if (free.len < tables + VM_PAGE || free.at < image.at)
		vm_boot_fails("too-little-memory");
	vm_pages_begin((struct vm_range){ free.at, tables });
	vm_pages_map((struct vm_range){ free.at, tables }, 0);
	free = (struct vm_range){ free.at + tables, free.len - tables };
	map_image();
	vm_pages_map(free, PAGE_USER | PAGE_WRITE);
	add_readable(free);
	if (initrd.len != 0) {
		vm_pages_map(initrd, PAGE_USER);
		add_readable(initrd);
	}
	map_registers(places, count);
	return free;
}

/* ---- devices ---- */

static size_t find_places(struct vm_place places[VM_PLACES_MAX])
{
	size_t found = 0;
	for (size_t i = 0; i < tree.slot_count; i++)
		vm_devices_look(&tree.slot[i], places, &found);
	return found;
}

/* ---- rights ---- */

enum {
	MMFR1_PAN = 20,
	DFR0_PMU = 8,
	CPACR_FPEN = 3 << 20,
	CNTKCTL_EL0VCTEN = 1 << 1,
	MDSCR_TDCC = 1 << 12,
	SCTLR_WXN = 1 << 19,
	SCTLR_SPAN = 1 << 23
};

/* MSR PAN, #n, which assemblers know only of some processors. */
void vm_user_open(void)
{
	if (has_pan)
		VM_BARRIER(".inst 0xd500409f");
}

void vm_user_close(void)
{
	if (has_pan)
		VM_BARRIER(".inst 0xd500419f");
}

static void take_rights(void)
{
	has_pan = (VM_READ_SYSTEM("s3_0_c0_c7_1") >> MMFR1_PAN & 15) != 0; /* ID_AA64MMFR1_EL1 */
	VM_WRITE_SYSTEM("cpacr_el1", CPACR_FPEN);
	VM_WRITE_SYSTEM("cntkctl_el1", CNTKCTL_EL0VCTEN);
	VM_WRITE_SYSTEM("mdscr_el1", MDSCR_TDCC);
	if ((VM_READ_SYSTEM("id_aa64dfr0_el1") >> DFR0_PMU & 15) % 15 != 0)
		VM_WRITE_SYSTEM("pmuserenr_el0", 0);
	VM_WRITE_SYSTEM("tpidr_el0", 0);
	VM_WRITE_SYSTEM("tpidrro_el0", 0);
	/* What may be written is executed by nobody; each exception shuts ring 3's memory to us where it can be. */
	const uint64_t control = VM_READ_SYSTEM("sctlr_el1") | SCTLR_WXN;
	vm_tables_take(vm_pages_root(), has_pan ? control & ~(uint64_t)SCTLR_SPAN : control);
}

/* ---- the start ---- */

_Noreturn void vm_monitor(uint64_t tree_at);

/* Without a canary of its own, since it sets that. */
__attribute__((no_stack_protector)) _Noreturn void vm_monitor(uint64_t tree_at)
{
	static struct vm_place places[VM_PLACES_MAX];
	struct vm_boot *const boot = &shared.is.boot;
	vm_console_init(NULL);
	read_tree(tree_at);
	memcpy(shared.is.command_line, start.command_line, start.command_line_len);
	boot->command_line =
		(struct mrg_span){ (const uint8_t *)shared.is.command_line, start.command_line_len };
	if (start.initrd.len != 0)
		boot->initrd = octets_at(start.initrd.at, start.initrd.len);

	const char *why = vm_gic_init(&tree);
	if (why == NULL)
		why = vm_clock_init(&tree, &boot->clock);
	if (why != NULL)
		vm_boot_fails(why);
	vm_machine.clock = boot->clock;
	const size_t count = find_places(places);
	if (!fill_random())
		vm_devices_chance(places, count, (uint8_t *)&chance, sizeof chance);
	__stack_chk_guard = chance.ours;
	vm_app_guard = chance.apps;
	memcpy(boot->entropy, chance.rest, VM_ENTROPY);
	memset(&chance, 0, sizeof chance);
	vm_machine.arena = share_out(places, count);
	boot->memory = (uint8_t *)(uintptr_t)vm_machine.arena.at; /* NOLINT(performance-no-int-to-ptr) */
	boot->memory_len = vm_machine.arena.len;
	vm_devices_open(places, count, boot);
	size_t id_len;
	const uint8_t *const id = vm_build_id(&id_len);
	memcpy(boot->build_id, id, id_len);
	boot->entered = vm_entered;
	boot->started = vm_counter();
	take_rights();
	vm_enter(vm_at(vm_app_start), vm_at(vm_user_stack_top), vm_at(boot));
}
