/*
 * What an entry of a table of pages looks like (Intel SDM 3A, 4.5).
 */
#include "vm/x86_64/cpu.h"

#define PRESENT UINT64_C(1)
#define WRITE UINT64_C(2)
#define USER UINT64_C(4)
#define UNCACHED UINT64_C(0x18)
#define LARGE UINT64_C(0x80)
#define NX (UINT64_C(1) << 63)

const unsigned vm_pages_shift = 39;

/* The lowest table alone gives or denies rights. */
uint64_t vm_page_table(uint64_t at) { return at | PRESENT | WRITE | USER; }

bool vm_page_is_table(uint64_t entry) { return (entry & LARGE) == 0; }

uint64_t vm_page_entry(uint64_t at, unsigned rights, bool large)
{
	return at | PRESENT | ((rights & PAGE_WRITE) != 0 ? WRITE : 0) |
	       ((rights & PAGE_USER) != 0 ? USER : 0) | ((rights & PAGE_DEVICE) != 0 ? UNCACHED : 0) |
	       ((rights & PAGE_EXECUTE) != 0 ? 0 : NX) | (large ? LARGE : 0);
}
