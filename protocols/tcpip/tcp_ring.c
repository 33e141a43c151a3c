/*
 * Rings of bytes in blocks of powers of two.
 */
#include "protocols/tcpip/tcp_ring.h"

enum { RING_LEAST = 1024 }; /* bytes of the first block */

static uint8_t *bytes_of(const struct tcp_ring *r)
{
	union {
		const struct tcp_ring *in;
		struct tcp_ring *out;
	} const ring = { .in = r };
	return (uint8_t *)(ring.out + 1);
}

uint32_t ring_most(uint32_t max) { return max - (uint32_t)sizeof(struct tcp_ring); }

bool ring_room(struct tcp_ring **r, struct mrg_rt_blocks *from, uint32_t need, uint32_t max)
{
	struct tcp_ring *const old = *r;
	if (old != NULL && need <= old->cap)
		return true;
	if (need > ring_most(max))
		return false;
	uint32_t size = old != NULL ? old->size : RING_LEAST;
	while (ring_most(size) < need)
		size *= 2u;
	struct tcp_ring *const ring = mrg_rt_blocks_get(from, size);
	if (ring == NULL)
		return false;
	*ring = (struct tcp_ring){ .cap = ring_most(size), .size = size };
	if (old != NULL) {
		/* all of it: what is behind the bytes that count may have come out of order */
		struct mrg_span part[2];
		const size_t parts = ring_parts(old, 0, old->cap, part);
		uint32_t at = 0;
		for (size_t i = 0; i < parts; i++) {
			ring_put(ring, at, part[i]);
			at += (uint32_t)part[i].len;
		}
		ring->len = old->len;
		mrg_rt_blocks_put(from, old, old->size);
	}
	*r = ring;
	return true;
}

void ring_put(struct tcp_ring *r, uint32_t at, struct mrg_span bytes)
{
	if (bytes.len == 0)
		return;
	uint32_t to = r->start + at;
	if (to >= r->cap)
		to -= r->cap;
	const size_t first = bytes.len < r->cap - to ? bytes.len : r->cap - to;
	memcpy(bytes_of(r) + to, bytes.p, first);
	if (first < bytes.len)
		memcpy(bytes_of(r), bytes.p + first, bytes.len - first);
}

size_t ring_parts(const struct tcp_ring *r, uint32_t at, uint32_t len, struct mrg_span out[2])
{
	if (len == 0)
		return 0;
	uint32_t from = r->start + at;
	if (from >= r->cap)
		from -= r->cap;
	const uint32_t first = len < r->cap - from ? len : r->cap - from;
	out[0] = (struct mrg_span){ bytes_of(r) + from, first };
	if (first == len)
		return 1;
	out[1] = (struct mrg_span){ bytes_of(r), len - first };
	return 2;
}

uint8_t *ring_writable(struct tcp_ring *r, struct mrg_span part)
{
	return bytes_of(r) + (part.p - bytes_of(r));
}

void ring_drop(struct tcp_ring *r, uint32_t len)
{
	r->len -= len;
	r->start += len;
	if (r->start >= r->cap)
		r->start -= r->cap;
}

void ring_free(struct tcp_ring **r, struct mrg_rt_blocks *from)
{
	if (*r != NULL)
		mrg_rt_blocks_put(from, *r, (*r)->size);
	*r = NULL;
}
