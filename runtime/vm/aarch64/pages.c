/*
 * What an entry of a table of pages looks like. (DDI 0487, D8.3)
 */
#include "vm/aarch64/cpu.h"

#define VALID UINT64_C(1)
#define TABLE UINT64_C(2)         /* in the lowest table: a page */
#define DEVICE (UINT64_C(1) << 2) /* the second kind of MAIR_EL1 */
#define USER (UINT64_C(1) << 6)
#define READ_ONLY (UINT64_C(1) << 7)
#define SHARED (UINT64_C(3) << 8)
#define ACCESSED (UINT64_C(1) << 10)
#define NOT_RING0 (UINT64_C(1) << 53) /* may not be executed there */
#define NOT_RING3 (UINT64_C(1) << 54)

const unsigned vm_pages_shift = 30;

uint64_t vm_page_table(uint64_t at) { return at | VALID | TABLE; }

bool vm_page_is_table(uint64_t entry) { return (entry & TABLE) != 0; }

uint64_t vm_page_entry(uint64_t at, unsigned rights, bool large)
{
	const bool user = (rights & PAGE_USER) != 0, execute = (rights & PAGE_EXECUTE) != 0;
	return at | VALID | ACCESSED | (large ? 0 : TABLE) | ((rights & PAGE_DEVICE) != 0 ? DEVICE : SHARED) |
	       (user ? USER : 0) | ((rights & PAGE_WRITE) != 0 ? 0 : READ_ONLY) |
	       (execute && !user ? 0 : NOT_RING0) | (execute && user ? 0 : NOT_RING3);
}
