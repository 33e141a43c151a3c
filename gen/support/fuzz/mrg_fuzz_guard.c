/* mrg_fuzz_guard.c - see mrg_fuzz_guard.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "mrg_fuzz_guard.h"

#include <sys/mman.h>
#include <unistd.h>

static size_t page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

bool mrg_guard_open(struct mrg_guard *g, size_t max)
{
	const size_t page = page_size();
	const size_t size = max == 0 ? page : (max + page - 1) / page * page;
	if (max > MRG_GUARD_MAX)
		return false;
	uint8_t *const all =
		mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (all == MAP_FAILED)
		return false;
	if (mprotect(all + page, size, PROT_READ | PROT_WRITE) != 0) {
		(void)munmap(all, size + 2 * page);
		return false;
	}
	*g = (struct mrg_guard){ all + page, all + page + size };
	return true;
}

void mrg_guard_close(struct mrg_guard *g)
{
	const size_t page = page_size();
	(void)munmap(g->first - page, mrg_guard_size(g) + 2 * page);
	*g = (struct mrg_guard){ NULL, NULL };
}

ptrdiff_t mrg_guard_where(const struct mrg_guard *g, const void *address)
{
	/* As numbers: pointers into different objects can't be compared. */
	const uintptr_t at = (uintptr_t)address, first = (uintptr_t)g->first, last = (uintptr_t)g->last;
	if (at >= last && at - last < page_size())
		return (ptrdiff_t)(at - last) + 1;
	if (at < first && first - at <= page_size())
		return -(ptrdiff_t)(first - at);
	return 0;
}
