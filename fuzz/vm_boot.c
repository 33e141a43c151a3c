/*
 * What a boot loader and a machine say to the monitor of a virtual machine before it begins: the start info of PVH with its memory map,
 * modules and command line, words of that, and configuration spaces of PCI. The first byte says which; then come changes to what is in
 * order, of three bytes each (where, and what), or the words.
 * Reading order: what is in order, what must hold of what was accepted, the entry.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "tests/protocols/http/guard.h"
#include "vm/monitor/pci.c"
#include "vm/monitor/start.c"
#include "vm/monitor/words.c"

enum {
	MEMORY_LEN = 0x4000,
	INFO_AT = 0x1000,
	MAP_AT = 0x1100,
	MODULES_AT = 0x1200,
	LINE_AT = 0x1300,
	MODULE_AT = 0x3000
};
enum { SPACES = 3, CHANGE = 3, BAR1 = (int)0xf0000000, BAR4 = (int)0xe0000000 };

/* ---- in order ---- */

static uint8_t memory[MEMORY_LEN];

static void order_memory(void)
{
	const struct hvm_start_info info = { .magic = START_MAGIC,
		.version = 1,
		.nr_modules = 2,
		.modlist_paddr = MODULES_AT,
		.cmdline_paddr = LINE_AT,
		.memmap_paddr = MAP_AT,
		.memmap_entries = 4 };
	const struct hvm_memmap_table_entry map[] = { { 0, 0xa0000, 1, 0 }, { 0xf0000, 0x10000, 2, 0 },
		{ 1 << 20, 31 << 20, 1, 0 }, { UINT64_C(1) << 32, 1 << 30, 1, 0 } };
	const struct hvm_modlist_entry modules[] = { { .paddr = MODULE_AT, .size = 1000 },
		{ .paddr = 0, .size = 0 } };
	memset(memory, 0, sizeof memory);
	memcpy(memory + INFO_AT, &info, sizeof info);
	memcpy(memory + MAP_AT, map, sizeof map);
	memcpy(memory + MODULES_AT, modules, sizeof modules);
	memcpy(memory + LINE_AT, "tsc=1 virtio_mmio.device=4K@0xd0000000:5", 41);
}

/* A card behind a bridge, one beside it: its functions' addresses, configuration spaces, and the bits that base addresses take. */
static const uint32_t addresses[SPACES] = { 2 << 11, 3 << 11, 1 << 16 };
static uint8_t spaces[SPACES][VM_PCI_CONFIG];
static const uint32_t masks[VM_PCI_BARS] = { 0, 0xfffff000, 0, 0, 0xffffc000, UINT32_MAX };

static void put(uint8_t *space, size_t at, uint64_t value, size_t octets)
{
	memcpy(space + at, &value, octets);
}

static void order_card(uint8_t *s)
{
	put(s, 0, 0x10411af4, 4);
	put(s, 6, 0x10, 2);
	put(s, 0x14, (uint32_t)BAR1, 4);
	put(s, 0x20, (uint32_t)BAR4 | 0xcu, 8);
	put(s, 0x34, 0x40, 1);
	put(s, 0x40, UINT64_C(0x0000000100025011), 8);
	for (unsigned part = 1; part <= 4; part++) {
		uint8_t *const c = s + 0x50 + (part - 1) * 0x14;
		put(c, 0, 0x09u | (part == 4 ? 0u : 0x50 + part * 0x14u) << 8 | 0x14u << 16 | part << 24, 4);
		put(c, 4, 4, 4);
		put(c, 8, (part - 1) * 0x1000u, 4);
		put(c, 12, 0x1000, 4);
		put(c, 16, part == 2 ? 4 : 0, 4);
	}
}

static void order_spaces(void)
{
	memset(spaces, 0, sizeof spaces);
	order_card(spaces[0]);
	put(spaces[1], 0, 0x000c1b36, 4);
	put(spaces[1], 0x0e, 1, 1);
	put(spaces[1], 0x19, 1, 1);
	order_card(spaces[2]);
}

/* ---- the machine ---- */

static uint32_t gets; /* a bound for what is asked */

static uint8_t *space_of(uint32_t address)
{
	for (size_t i = 0; i < SPACES; i++)
		if (addresses[i] == (address & ~UINT32_C(255)))
			return spaces[i];
	return NULL;
}

bool vm_pci_present(void) { return true; }

uint32_t vm_pci_get(uint32_t address)
{
	const uint8_t *const s = space_of(address);
	uint32_t four = UINT32_MAX;
	MUST(address % 4 == 0 && gets++ < 100000);
	if (s != NULL)
		memcpy(&four, s + address % 256, 4);
	return four;
}

void vm_pci_put(uint32_t address, uint32_t value)
{
	uint8_t *const s = space_of(address);
	const uint32_t at = address % 256, bar = (at - MRG_PCI_DEVICE_HEADER_BARS_AT) / 4;
	MUST(s != NULL && address % 4 == 0);
	if (at >= MRG_PCI_DEVICE_HEADER_BARS_AT && bar < VM_PCI_BARS)
		put(s, at, (value & masks[bar]) | (s[at] & 15u & ~masks[bar]), 4);
}

/* ---- what must hold ---- */

static bool is_free(const struct vm_start *s, struct vm_range r)
{
	bool in_ram = false;
	for (size_t i = 0; i < s->ram_count; i++)
		in_ram = in_ram || vm_range_holds(s->ram[i], r.at, r.len);
	for (size_t i = 0; i < s->taken_count; i++)
		if (vm_range_meets(s->taken[i], r))
			return false;
	return in_ram;
}

static void must_be_places(const struct vm_place *p, size_t count)
{
	MUST(count <= VM_PLACES_MAX);
	for (size_t i = 0; i < count; i++) {
		MUST(p[i].registers.at >= VM_PAGE && p[i].registers.at + p[i].registers.len <= UINT64_C(1)
												       << 32);
		MUST(p[i].irq < VM_IRQS && p[i].pci_kind == 0);
		for (size_t k = 0; k < i; k++)
			MUST(!vm_range_meets(p[k].registers, p[i].registers));
	}
}

static void read_words(struct mrg_span line)
{
	struct vm_place places[VM_PLACES_MAX];
	struct mrg_span value;
	size_t count;
	uint64_t number;
	if (vm_word_places(line, places, &count) == NULL)
		must_be_places(places, count);
	if (vm_word(line, "tsc=", &value))
		(void)vm_word_number(&value, &number);
}

static void read_start(size_t len)
{
	static struct vm_start start;
	const struct vm_range image = { 1 << 20, 0x40000 };
	uint8_t *const copy = malloc(len != 0 ? len : 1); /* so that the sanitizer sees what is read behind */
	MUST(copy != NULL);
	memcpy(copy, memory, len);
	const struct vm_memory m = { (uintptr_t)copy, len };
	const char *const why = vm_start_read(&m, INFO_AT, image, &start);
	free(copy);
	if (why != NULL)
		return;
	MUST(start.command_line_len < VM_COMMAND_LINE_MAX);
	MUST(start.initrd.len == 0 ||
		vm_range_holds((struct vm_range){ 0, len }, start.initrd.at, start.initrd.len));
	const struct vm_range f = vm_start_free(&start, UINT64_C(1) << 32);
	MUST(f.len == 0 ||
		(f.at % VM_PAGE == 0 && f.len % VM_PAGE == 0 && f.at >= 1 << 20 && is_free(&start, f)));
	MUST(!vm_range_meets(f, image));
	read_words((struct mrg_span){ (const uint8_t *)start.command_line, start.command_line_len });
}

static void skipped(uint64_t at, const char *why) { MUST(at < BUSES * BUS && why != NULL); }

/* Whatever was accepted lies in what a function answers to, which the masks above say. */
static void must_be_answered(struct vm_range r, uint64_t least)
{
	MUST(r.len >= least && r.at % 4 == 0 && r.at + r.len <= ADDRESS_END);
	MUST(r.len <= 0x4000);
}

static void read_spaces(void)
{
	static struct vm_place places[VM_PLACES_MAX];
	gets = 0;
	const size_t count = vm_pci_find(places, 0, skipped);
	MUST(count <= SPACES);
	for (size_t i = 0; i < count; i++) {
		MUST(places[i].irq == VM_IRQ_MESSAGE + i && places[i].pci_kind != 0);
		must_be_answered(places[i].registers, MRG_PCI_VIRTIO_COMMON_SIZE_MIN);
		must_be_answered(places[i].part[VM_PART_NOTIFY], sizeof(uint16_t));
		must_be_answered(places[i].part[VM_PART_MESSAGE], MRG_PCI_MSIX_ENTRY_SIZE_MIN);
		must_be_answered(places[i].part[VM_PART_CONFIG], 0);
	}
}

/* ---- the entry ---- */

static void change(uint8_t *all, size_t all_len, size_t from, const uint8_t *p, size_t len)
{
	for (; len >= CHANGE; p += CHANGE, len -= CHANGE)
		all[(from + (size_t)(p[0] | p[1] << 8)) % all_len] = p[2];
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	if (len == 0)
		return 0;
	const unsigned what = *p++;
	len--;
	switch (what % 4) {
	case 0: read_words((struct mrg_span){ p, len }); break;
	case 1:
		order_memory();
		change(memory, sizeof memory, INFO_AT, p, len);
		read_start(what < 128 ? sizeof memory : sizeof memory * (what - 128u) / 128u);
		break;
	default:
		order_spaces();
		change(spaces[0], sizeof spaces, 0, p, len);
		read_spaces();
		break;
	}
	return 0;
}
