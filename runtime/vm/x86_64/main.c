/*
 * From the entry of the image to that of the application: each thing once, in this order.
 */
#include "vm/x86_64/cpu.h"

enum { TABLES_FIXED = 40 /* for 4 GiB, the edges of each piece of memory, devices */, LARGE_PAGE = 2 << 20 };
enum { TABLES_PCI = 16 /* for the pieces of a device, each anywhere */, PIECE_MAX = 1 << 20 };
/* Slots of QEMU's microvm, which are looked at when the command line names no device: without ACPI the first 8; else all, on a second I/O APIC. */
enum { SLOTS = 8, SLOTS_MANY = 24, SLOT_OCTETS = 0x200, SLOT_IRQ = 5, SLOT_IRQ_MANY = VM_IOAPIC_IRQS };
#define SLOTS_AT UINT64_C(0xfeb00000)
#define TOP UINT64_C(0xc0000000) /* memory is used up to here; above are devices */

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

/* ---- entropy ---- */

enum {
	LEAF_FEATURES = 1,
	FEATURES_ECX_RDRAND = 1 << 30,
	LEAF_MORE = 7,
	MORE_EBX_RDSEED = 1 << 18,
	TRIES = 1000
};

static bool take_seed(uint64_t *out)
{
	uint64_t word;
	bool good;
	__asm__ volatile("rdseed %0; setc %1" : "=r"(word), "=qm"(good) : : "cc");
	*out = word;
	return good;
}

static bool take_random(uint64_t *out)
{
	uint64_t word;
	bool good;
	__asm__ volatile("rdrand %0; setc %1" : "=r"(word), "=qm"(good) : : "cc");
	*out = word;
	return good;
}

/* What each start has of its own: canaries, and what ring 3 gets. */
static struct {
	uintptr_t ours, apps;
	uint8_t rest[VM_ENTROPY];
} chance;

/* From the processor; false when it has no such instruction, or a broken one. */
static bool fill_random(void)
{
	const bool seed = vm_cpuid(0).eax >= LEAF_MORE && (vm_cpuid(LEAF_MORE).ebx & MORE_EBX_RDSEED) != 0;
	uint64_t last = 0;
	if (!seed && (vm_cpuid(LEAF_FEATURES).ecx & FEATURES_ECX_RDRAND) == 0)
		return false;
	for (size_t at = 0; at < sizeof chance; at += sizeof last) {
		uint64_t word = 0;
		bool good = false;
		/* All zeros, all ones and the same again are what broken ones give. */
		for (unsigned n = 0; n < TRIES && !good; n++)
			good = (seed ? take_seed(&word) : take_random(&word)) && word != 0 &&
			       word != UINT64_MAX && word != last;
		if (!good)
			return false;
		memcpy((uint8_t *)&chance + at, &word, sizeof word);
		last = word;
	}
	return true;
}

/* ---- memory ---- */

static struct vm_range between(const uint8_t *from, const uint8_t *to)
{
	return (struct vm_range){ vm_at(from), vm_at(to) - vm_at(from) };
}

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
	vm_pages_map(between(vm_stack, vm_stack_top), PAGE_WRITE);
	vm_pages_map(between(vm_trap_stack, vm_trap_stack_top), PAGE_WRITE);
	vm_pages_map(between(vm_nmi_stack, vm_nmi_stack_top), PAGE_WRITE);
	vm_pages_map(between(vm_boot_page, vm_text), PAGE_USER);
	vm_pages_map(between(vm_text, vm_rodata), PAGE_USER | PAGE_EXECUTE);
	vm_pages_map(between(vm_rodata, vm_data), PAGE_USER);
	vm_pages_map(between(vm_data, vm_data_end), PAGE_USER | PAGE_WRITE);
	vm_pages_map(between(vm_user_stack, vm_user_stack_top), PAGE_USER | PAGE_WRITE);
	add_readable(between(vm_boot_page, vm_text));
	add_readable(between(vm_rodata, vm_data_end));
	add_readable(between(vm_user_stack, vm_user_stack_top));
}

/* All that a device has registers in: the first, and its parts. */
enum { PIECES = VM_PARTS + 1 };
static struct vm_range piece_of(const struct vm_place *p, size_t i)
{
	return vm_range_pages(i == 0 ? p->registers : p->part[i - 1]);
}

/* Each page with registers once, whatever number of devices has some on it. */
static void map_registers(const struct vm_place *places, size_t count)
{
	vm_pages_map(vm_apic_registers(), PAGE_WRITE | PAGE_DEVICE);
	for (unsigned i = 0; i < VM_IOAPICS; i++)
		vm_pages_map(vm_ioapic_registers(i), PAGE_WRITE | PAGE_DEVICE);
	for (size_t i = 0; i < count * PIECES; i++) {
		struct vm_range r = piece_of(&places[i / PIECES], i % PIECES);
		for (; r.len != 0; r = (struct vm_range){ r.at + VM_PAGE, r.len - VM_PAGE }) {
			bool done = false;
			for (size_t k = 0; k < i && !done; k++)
				done = vm_range_holds(
					piece_of(&places[k / PIECES], k % PIECES), r.at, VM_PAGE);
			if (!done)
				vm_pages_map((struct vm_range){ r.at, VM_PAGE }, PAGE_WRITE | PAGE_DEVICE);
		}
	}
}

static struct vm_range share_out(const struct vm_place *places, size_t count)
{
	struct vm_range free = vm_start_free(&start, TOP);
	const struct vm_range image = between(vm_image, vm_image_end), initrd = vm_range_pages(start.initrd);
	uint64_t tables = (TABLES_FIXED + image.len / LARGE_PAGE) * (uint64_t)VM_PAGE;
	for (size_t i = 0; i < count; i++)
		tables += places[i].pci_kind != 0 ? TABLES_PCI * VM_PAGE : 0;
	if (free.len < tables + VM_PAGE)
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
	__asm__ volatile("mov %0, %%cr3" : : "r"(vm_pages_root()) : "memory");
	return free;
}

/* ---- devices ---- */

/* Where registers of devices may be: not in memory, nor where others' are, and the processor can get there. */
static bool may_be_there(const struct vm_place *p)
{
	const struct vm_range mine[] = { vm_apic_registers(), vm_ioapic_registers(0),
		vm_ioapic_registers(1) };
	const uint64_t end = UINT64_C(1) << vm_address_bits();
	for (size_t i = 0; i < PIECES; i++) {
		const struct vm_range r = piece_of(p, i);
		for (size_t k = 0; k < start.ram_count; k++)
			if (vm_range_meets(start.ram[k], r))
				return false;
		for (size_t k = 0; k < sizeof mine / sizeof mine[0]; k++)
			if (vm_range_meets(mine[k], r))
				return false;
		if (r.len > PIECE_MAX || !vm_range_holds((struct vm_range){ 0, end }, r.at, r.len))
			return false;
	}
	return true;
}

static void check_places(const struct vm_place *places, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!may_be_there(&places[i]))
			vm_boot_fails("device-address");
}

static void skip_function(uint64_t at, const char *why) { vm_device_skipped("pci=", at, why); }

static size_t find_places(struct vm_place places[VM_PLACES_MAX])
{
	struct vm_place named[VM_PLACES_MAX];
	size_t count, found = 0;
	const char *const why = vm_word_places(shared.is.boot.command_line, named, &count);
	if (why != NULL)
		vm_boot_fails(why);
	check_places(named, count);
	for (size_t i = 0; i < count; i++)
		vm_devices_look(&named[i], places, &found);
	const bool guess = count == 0 && !vm_pci_present(); /* there, others have that place */
	const bool many = guess && vm_ioapic_present(1);
	for (uint32_t i = 0; guess && i < (many ? SLOTS_MANY : SLOTS); i++)
		vm_devices_look(&(struct vm_place){ .registers = { SLOTS_AT + i * SLOT_OCTETS, SLOT_OCTETS },
					.irq = i + (many ? SLOT_IRQ_MANY : SLOT_IRQ) },
			places, &found);
	check_places(places, found);
	const size_t all = vm_pci_find(places, found, skip_function);
	for (size_t i = found; i < all; i++)
		if (may_be_there(&places[i]))
			places[found++] = places[i];
		else
			vm_device_skipped("at=", places[i].registers.at, "address");
	return found;
}

/* ---- the start ---- */

/*
 * Other people's libraries look for their canary at %fs:40, where C libraries have it (BearSSL as Debian compiles it). They get the
 * application's.
 */
static void place_canary(void)
{
	enum { MSR_FS_BASE = (int)0xc0000100, CANARY = 40 };
	vm_wrmsr((uint32_t)MSR_FS_BASE, vm_at(&vm_app_guard) - CANARY);
}

_Noreturn void vm_monitor(uint32_t start_info);

/* Without a canary of its own, since it sets that. */
__attribute__((no_stack_protector)) _Noreturn void vm_monitor(uint32_t start_info)
{
	static struct vm_place places[VM_PLACES_MAX];
	struct vm_boot *const boot = &shared.is.boot;
	vm_traps_init();
	vm_console_init();
	const bool has_chance = fill_random();
	__stack_chk_guard = chance.ours;

	const struct vm_memory memory = { 0, UINT64_C(1) << 32 };
	const char *why = vm_start_read(&memory, start_info, between(vm_image, vm_image_end), &start);
	if (why != NULL)
		vm_boot_fails(why);
	memcpy(shared.is.command_line, start.command_line, start.command_line_len);
	boot->command_line =
		(struct mrg_span){ (const uint8_t *)shared.is.command_line, start.command_line_len };
	boot->initrd = (struct mrg_span){ (const uint8_t *)(uintptr_t)start.initrd.at,
		start.initrd.len }; /* NOLINT(performance-no-int-to-ptr) */

	why = vm_apic_find();
	if (why == NULL)
		why = vm_clock_init(boot->command_line, &boot->clock);
	if (why != NULL)
		vm_boot_fails(why);
	vm_machine.clock = boot->clock;
	const size_t count = find_places(places);
	vm_machine.arena = share_out(places, count);
	boot->memory = (uint8_t *)(uintptr_t)vm_machine.arena.at; /* NOLINT(performance-no-int-to-ptr) */
	boot->memory_len = vm_machine.arena.len;
	if (!has_chance)
		vm_devices_chance(places, count, (uint8_t *)&chance, sizeof chance);
	__stack_chk_guard = chance.ours;
	vm_app_guard = chance.apps;
	memcpy(boot->entropy, chance.rest, VM_ENTROPY);
	memset(&chance, 0, sizeof chance);
	vm_devices_open(places, count, boot);
	size_t id_len;
	const uint8_t *const id = vm_build_id(&id_len);
	memcpy(boot->build_id, id, id_len);
	boot->entered = vm_entered;
	boot->started = vm_counter();
	vm_rights_init();
	place_canary();
	vm_enter(vm_at(vm_app_start), vm_at(vm_user_stack_top) - sizeof(uint64_t), vm_at(boot));
}
