/* Of a process: see system.h. */
#include <stdlib.h>
#include <sys/random.h>

#include "appliances/dns/system.h"
#include "unix/mrg_unix.h"

int system_arena_open(struct mrg_arena *a, size_t reserve, size_t least)
{
	return mrg_unix_arena_open(a, reserve, least);
}

void system_arena_close(struct mrg_arena *a) { mrg_unix_arena_close(a); }

void system_arena_trim(struct mrg_arena *a) { mrg_unix_arena_trim(a); }

size_t system_arena_fit(const struct mrg_arena *a)
{
	(void)a;
	return 0;
}

void *system_get(size_t size) { return calloc(1, size); }

void system_put(void *p, size_t size)
{
	(void)size;
	free(p);
}

uint64_t system_time_s(void) { return mrg_unix_time_s(); }

uint64_t system_now_ns(void) { return mrg_unix_now_ns(); }

bool system_random(void *p, size_t len) { return getrandom(p, len, 0) == (ssize_t)len; }
