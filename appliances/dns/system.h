/*
 * system.h - what the keeping of zones needs of the system: memory that comes and goes, the time, chance. For a process it is system.c, for
 * a virtual machine vm/system.c.
 */
#ifndef MRG_DNS_SYSTEM_H
#define MRG_DNS_SYSTEM_H

#include "mrg_rt.h"

/* The loop that everything of a keeper of zones runs in. */
struct system_loop {
	struct mrg_rt_timers *timers;
	const uint64_t *now_ns; /* read once a turn */
};

/*
 * system_arena_open - an arena of its own, with nothing in it: of `reserve` octets of address space, down to `least` where there is no more.
 * A virtual machine has no address space to spare: there it is as much as one version of a zone may take at most (zones.h).
 * Fails:    ENOMEM.
 */
int system_arena_open(struct mrg_arena *a, size_t reserve, size_t least);
void system_arena_close(struct mrg_arena *a);

/* system_arena_trim - give back what is above what is handed out; a virtual machine leaves room for changes. */
void system_arena_trim(struct mrg_arena *a);

/*
 * system_arena_fit - octets of an arena that what is in this one should be moved to, since it is little and lies where there was room for
 * much; 0: it is to stay, as always in a process.
 */
size_t system_arena_fit(const struct mrg_arena *a);

/* system_get - zeroed memory, or NULL.   system_put - give it back, with the same size. */
void *system_get(size_t size);
void system_put(void *p, size_t size);

uint64_t system_time_s(void); /* seconds since 1970; 0: nobody knows */
uint64_t system_now_ns(void); /* monotonic */

/* system_random - octets that nobody can guess.   false: there are none to be had */
bool system_random(void *p, size_t len);

#endif
