/*
 * Records between two threads. Each stands in one piece behind its length; where that would not fit before the end of the memory, a length
 * that no record has leads to its beginning.
 */
#include "appliances/dns/ring.h"

enum { HEAD = RING_ALIGN }; /* octets of a length */

static const uint64_t BACK = UINT64_MAX;

size_t ring_memory(size_t cap) { return cap + RING_ALIGN; }

bool ring_init(struct ring *r, struct mrg_arena *arena, size_t cap)
{
	r->p = mrg_arena_get(arena, cap, RING_ALIGN);
	r->cap = cap;
	atomic_init(&r->put, 0);
	atomic_init(&r->taken, 0);
	atomic_init(&r->full, 0);
	r->next = r->seen = r->after = 0;
	return r->p != NULL;
}

static size_t place(const struct ring *r, size_t at) { return at & (r->cap - 1u); }

static size_t whole(uint64_t len) { return HEAD + ((size_t)len + RING_ALIGN - 1u) / RING_ALIGN * RING_ALIGN; }

static void set_len(struct ring *r, size_t at, uint64_t len)
{
	memcpy(r->p + place(r, at), &len, sizeof len);
}

/* Are there so many octets? What was taken is asked for only where it looks as if there were not. */
static bool has_room(struct ring *r, size_t put, size_t need)
{
	if (need <= r->cap - (put - r->seen))
		return true;
	r->seen = atomic_load_explicit(&r->taken, memory_order_acquire);
	return need <= r->cap - (put - r->seen);
}

void *ring_room(struct ring *r, size_t len)
{
	size_t put = atomic_load_explicit(&r->put, memory_order_relaxed);
	const size_t left = r->cap - place(r, put);
	const size_t skip = len <= r->cap && whole(len) > left ? left : 0;
	if (len > r->cap || !has_room(r, put, skip + whole(len))) {
		atomic_store_explicit(&r->full, atomic_load_explicit(&r->full, memory_order_relaxed) + 1u,
			memory_order_relaxed);
		return NULL;
	}
	if (skip != 0)
		set_len(r, put, BACK);
	put += skip;
	set_len(r, put, len);
	r->next = put + whole(len);
	return r->p + place(r, put) + HEAD;
}

void ring_put(struct ring *r) { atomic_store_explicit(&r->put, r->next, memory_order_release); }

bool ring_next(struct ring *r, struct mrg_span *out)
{
	size_t at = atomic_load_explicit(&r->taken, memory_order_relaxed);
	uint64_t len;
	if (at == atomic_load_explicit(&r->put, memory_order_acquire))
		return false;
	memcpy(&len, r->p + place(r, at), sizeof len);
	if (len == BACK) {
		at += r->cap - place(r, at);
		memcpy(&len, r->p, sizeof len);
	}
	*out = (struct mrg_span){ r->p + place(r, at) + HEAD, (size_t)len };
	r->after = at + whole(len);
	return true;
}

void ring_take(struct ring *r) { atomic_store_explicit(&r->taken, r->after, memory_order_release); }
