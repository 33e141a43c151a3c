/*
 * tcp_ring.h - the bytes that a connection has received and not handed out, or has to send and may have to send again.
 *
 * A ring in a block of its own, begun small, doubled as needed up to a limit, given back when it is empty: an idle connection has none.
 */
#ifndef MRG_TCPIP_TCP_RING_H
#define MRG_TCPIP_TCP_RING_H

#include "mrg_rt.h"

/* At the start of the block, the bytes behind it. */
struct tcp_ring {
	uint32_t cap;   /* bytes of room */
	uint32_t start; /* where the first byte is */
	uint32_t len;   /* bytes there are, in order */
	uint32_t size;  /* bytes of the block */
};

/* Bytes there are; a connection without a ring has none. */
static inline uint32_t ring_len(const struct tcp_ring *r) { return r == NULL ? 0 : r->len; }

/* The most bytes that a ring in a block of `max` bytes holds. */
static inline uint32_t ring_most(uint32_t max) { return max - (uint32_t)sizeof(struct tcp_ring); }

/* Internal: the bytes behind the ring's head. */
static inline uint8_t *ring_bytes(const struct tcp_ring *r)
{
	union {
		const struct tcp_ring *in;
		struct tcp_ring *out;
	} const ring = { .in = r };
	return (uint8_t *)(ring.out + 1);
}

/*
 * ring_room - make room for `need` bytes from the first one on.
 *   max   bytes of the largest block
 * Fails:    false when that is more than the largest block holds, or there is no such block now; the ring is as it was.
 */
bool ring_room_more(struct tcp_ring **r, struct mrg_rt_blocks *from, uint32_t need, uint32_t max); /* internal */
static inline bool ring_room(struct tcp_ring **r, struct mrg_rt_blocks *from, uint32_t need, uint32_t max)
{
	return (*r != NULL && need <= (*r)->cap) || ring_room_more(r, from, need, max);
}

/* ring_put - copy bytes to `at` bytes behind the first one; there is room.  They count only when ring_grow says so. */
static inline void ring_put(struct tcp_ring *r, uint32_t at, struct mrg_span bytes)
{
	if (bytes.len == 0)
		return;
	uint32_t to = r->start + at;
	if (to >= r->cap)
		to -= r->cap;
	const size_t first = bytes.len < r->cap - to ? bytes.len : r->cap - to;
	memcpy(ring_bytes(r) + to, bytes.p, first);
	if (first < bytes.len)
		memcpy(ring_bytes(r), bytes.p + first, bytes.len - first);
}

static inline void ring_grow(struct tcp_ring *r, uint32_t by) { r->len += by; }

/* ring_parts - where `len` bytes from `at` on are: one part or two; none where there are no bytes.   Returns: how many parts. */
static inline size_t ring_parts(const struct tcp_ring *r, uint32_t at, uint32_t len, struct mrg_span out[2])
{
	if (len == 0)
		return 0;
	uint32_t from = r->start + at;
	if (from >= r->cap)
		from -= r->cap;
	const uint32_t first = len < r->cap - from ? len : r->cap - from;
	out[0] = (struct mrg_span){ ring_bytes(r) + from, first };
	if (first == len)
		return 1;
	out[1] = (struct mrg_span){ ring_bytes(r), len - first };
	return 2;
}

/* A part of the ring that ring_parts gave, to be written to: room behind what counts. */
uint8_t *ring_writable(struct tcp_ring *r, struct mrg_span part);

/* ring_drop - the first bytes are not needed any more.   ring_free - none is, and the block is given back. */
static inline void ring_drop(struct tcp_ring *r, uint32_t len)
{
	r->len -= len;
	r->start += len;
	if (r->start >= r->cap)
		r->start -= r->cap;
}

void ring_free(struct tcp_ring **r, struct mrg_rt_blocks *from);

#endif
