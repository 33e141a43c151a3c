/*
 * Rings of bytes in blocks of powers of two.
 */
#include "protocols/tcpip/tcp_ring.h"

enum { RING_LEAST = 1024 }; /* bytes of the first block */

bool ring_room_more(struct tcp_ring **r, struct mrg_rt_blocks *from, uint32_t need, uint32_t max)
{
	struct tcp_ring *const old = *r;
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

uint8_t *ring_writable(struct tcp_ring *r, struct mrg_span part)
{
	return ring_bytes(r) + (part.p - ring_bytes(r));
}

void ring_free(struct tcp_ring **r, struct mrg_rt_blocks *from)
{
	if (*r != NULL)
		mrg_rt_blocks_put(from, *r, (*r)->size);
	*r = NULL;
}
