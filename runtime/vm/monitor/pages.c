/*
 * Tables of pages: made once, before ring 3 runs, with every address its own. What nobody maps is absent. Both architectures have tables
 * of 512 entries for pages of 4 KiB and large ones of 2 MiB; what an entry looks like is theirs.
 */
#include "vm/monitor/inside.h"

#define LARGE_SIZE (UINT64_C(2) << 20)
#define ADDRESS UINT64_C(0x0000fffffffff000)

enum { ENTRIES = 512, LEVEL = 9 /* bits of an address */, LARGE_SHIFT = 21, PAGE_SHIFT = 12 };

static uint64_t *root VM_SEALED;
static struct vm_range left VM_SEALED; /* pages for tables that are still free */

static uint64_t *new_table(void)
{
	if (left.len < VM_PAGE)
		vm_boot_fails("tables-of-pages");
	uint64_t *const t = (uint64_t *)(uintptr_t)left.at; /* NOLINT(performance-no-int-to-ptr) */
	left = (struct vm_range){ left.at + VM_PAGE, left.len - VM_PAGE };
	for (unsigned i = 0; i < ENTRIES; i++)
		t[i] = 0;
	return t;
}

void vm_pages_begin(struct vm_range tables)
{
	left = tables;
	root = new_table();
}

uint64_t vm_pages_root(void) { return vm_at(root); }

/* The entry for an address in a table whose entries are for 2^shift octets each. */
static uint64_t *entry_of(uint64_t *table, uint64_t at, unsigned shift)
{
	return &table[at >> shift & (ENTRIES - 1)];
}

static uint64_t *below(uint64_t *entry)
{
	if (*entry == 0)
		*entry = vm_page_table(vm_at(new_table()));
	if (!vm_page_is_table(*entry))
		vm_boot_fails("pages-mapped-twice");
	return (uint64_t *)(uintptr_t)(*entry & ADDRESS); /* NOLINT(performance-no-int-to-ptr) */
}

void vm_pages_map(struct vm_range r, unsigned rights)
{
	while (r.len != 0) {
		uint64_t *table = root;
		for (unsigned shift = vm_pages_shift; shift > LARGE_SHIFT; shift -= LEVEL)
			table = below(entry_of(table, r.at, shift));
		uint64_t *entry = entry_of(table, r.at, LARGE_SHIFT);
		const bool large = r.at % LARGE_SIZE == 0 && r.len >= LARGE_SIZE && *entry == 0;
		if (!large)
			entry = entry_of(below(entry), r.at, PAGE_SHIFT);
		if (*entry != 0)
			vm_boot_fails("pages-mapped-twice");
		*entry = vm_page_entry(r.at, rights, large);
		const uint64_t done = large ? LARGE_SIZE : VM_PAGE;
		r = (struct vm_range){ r.at + done, r.len - done };
	}
}
