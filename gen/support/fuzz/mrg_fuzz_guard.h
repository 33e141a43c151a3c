/*
 * mrg_fuzz_guard.h - buffers that end at a page that is not there, or begin right behind one, so that reading or writing one octet too
 * far is a fault at that instruction, without a sanitizer and in AFL's shared memory as well.
 *
 * What it does not do: see an access that goes over the guarded page altogether, or over the other end than the one asked for.
 *
 * Use:
 *	struct mrg_guard g;
 *	if (!mrg_guard_open(&g, MRG_GUARD_MAX)) ...;
 *	const uint8_t *in = mrg_guard_end(&g, bytes, len);       in[len] faults
 *	const uint8_t *again = mrg_guard_begin(&g, bytes, len);  again[-1] faults; `in` is gone
 *	uint8_t *out = mrg_guard_room_end(&other, 12);           out[12] faults
 *
 * No function but open and close calls the system; a case costs the copying of its octets.
 */
#ifndef MRG_FUZZ_GUARD_H
#define MRG_FUZZ_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { MRG_GUARD_MAX = 128 * 1024 }; /* octets that a guard has at most */

/* One buffer at a time: the next replaces it. */
struct mrg_guard {
	uint8_t *first; /* behind a page that is not there */
	uint8_t *last;  /* the page at this address is not there */
};

/* Room for up to max octets, at most MRG_GUARD_MAX.  False when there is no memory. */
bool mrg_guard_open(struct mrg_guard *g, size_t max);
void mrg_guard_close(struct mrg_guard *g);

/* Octets that it has room for. */
static inline size_t mrg_guard_size(const struct mrg_guard *g) { return (size_t)(g->last - g->first); }

/* len octets to write to, whatever is in them, at most mrg_guard_size. */
static inline uint8_t *mrg_guard_room_end(const struct mrg_guard *g, size_t len) { return g->last - len; }
static inline uint8_t *mrg_guard_room_begin(const struct mrg_guard *g, size_t len)
{
	(void)len;
	return g->first;
}

/* A copy of bytes[0..len); `bytes` may be of the same guard. */
static inline uint8_t *mrg_guard_end(const struct mrg_guard *g, const uint8_t *bytes, size_t len)
{
	uint8_t *const p = mrg_guard_room_end(g, len);
	return len == 0 ? p : memmove(p, bytes, len);
}

static inline uint8_t *mrg_guard_begin(const struct mrg_guard *g, const uint8_t *bytes, size_t len)
{
	uint8_t *const p = mrg_guard_room_begin(g, len);
	return len == 0 ? p : memmove(p, bytes, len);
}

/*
 * Where an address lies that faulted: octets behind the end (0: the first one that is not there) as a positive number plus 1, octets
 * before the beginning as a negative one (-1: the last one that is not there), 0 when it is in neither page.
 */
ptrdiff_t mrg_guard_where(const struct mrg_guard *g, const void *address);

#endif
