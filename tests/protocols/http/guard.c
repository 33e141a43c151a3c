/* For tests of protocols/http: see guard.h. */
#include "guard.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct mrg_span guarded(struct mrg_span octets)
{
	static uint8_t *end;
	MUST(octets.len <= GUARDED_MAX);
	if (end == NULL) {
		const size_t page = (size_t)sysconf(_SC_PAGESIZE);
		uint8_t *const area = mmap(NULL, GUARDED_MAX + page, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		MUST(area != MAP_FAILED);
		end = area + GUARDED_MAX;
		MUST(mprotect(end, page, PROT_NONE) == 0);
	}
	if (octets.len != 0)
		memmove(end - octets.len, octets.p, octets.len);
	return (struct mrg_span){ end - octets.len, octets.len };
}

void grow(uint8_t **p, size_t *cap, size_t need)
{
	if (need <= *cap)
		return;
	*cap = 2 * need;
	*p = realloc(*p, *cap);
	MUST(*p != NULL);
}

static uint64_t seed;

void any_begin(uint64_t s) { seed = s; }

unsigned any(unsigned below)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (unsigned)(seed >> 33) % below;
}

struct mrg_span text_of(const char *s) { return (struct mrg_span){ (const uint8_t *)s, strlen(s) }; }
