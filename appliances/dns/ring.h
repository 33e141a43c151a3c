/*
 * ring.h - records that one thread hands to another, in order: no lock, no system call, no memory but what it was given.
 *
 * One thread puts, one takes. A record that finds no room is not put, and that is counted; those before and behind it are not touched.
 *
 * What it does not do: it wakes nobody; who takes looks from time to time.
 *
 * Use:
 *	void *p = ring_room(&r, size);	(NULL: there is no room)
 *	... fill it ...
 *	ring_put(&r);
 *	while (ring_next(&r, &record)) { ... ring_take(&r); }	(in the other thread)
 */
#ifndef MRG_DNS_RING_H
#define MRG_DNS_RING_H

#include <stdatomic.h>

#include "mrg_rt.h"

enum { RING_ALIGN = 8 /* of records */ };

struct ring {
	/* of who puts */
	_Alignas(64) uint8_t *p;
	size_t cap;                 /* a power of two */
	atomic_size_t put;          /* octets ever */
	size_t next;                /* the same with the record that is being filled */
	size_t seen;                /* of `taken`, when it was last looked at */
	atomic_uint_least64_t full; /* records that found no room */
	/* of who takes */
	_Alignas(64) atomic_size_t taken;
	size_t after; /* the same with the record that was given */
};

/* ring_memory - octets of the arena that a ring takes at most. */
size_t ring_memory(size_t cap);

/*
 * ring_init - an empty ring.   cap   octets for records, a power of two and at least 64
 * Fails:    false: the arena is too small.
 */
bool ring_init(struct ring *r, struct mrg_arena *arena, size_t cap);

/*
 * ring_room - `len` octets at a multiple of RING_ALIGN, for the next record. NULL: there is no room, which is counted.
 * Lifetime: until ring_put, or until it is asked for again, as if it had not been.   Cost: O(1).
 */
void *ring_room(struct ring *r, size_t len);
void ring_put(struct ring *r);

/* ring_next - the oldest record; false: there is none.   Lifetime: until ring_take. */
bool ring_next(struct ring *r, struct mrg_span *out);
void ring_take(struct ring *r);

#endif
