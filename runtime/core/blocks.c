/*
 * Blocks of different sizes: a buddy system.
 *
 * A block of order k is UNIT << k bytes at a multiple of that from the area's start, so the other half of what it was cut from is
 * found by one bit. `state` has a byte for each unit: where a free block begins its order and one, elsewhere 0. The free blocks of an
 * order are linked both ways through their own first bytes. The area itself is cut into largest blocks only as they are needed, so
 * that memory which was never needed is never touched.
 */
#include "mrg_rt.h"

enum { UNIT = 256, ALIGN = 64 };

struct links {
	uint8_t *next, *prev;
};

static struct links links_of(const uint8_t *block)
{
	struct links l;
	memcpy(&l, block, sizeof l);
	return l;
}

static void set_links(uint8_t *block, struct links l) { memcpy(block, &l, sizeof l); }

static uint8_t *state_of(const struct mrg_rt_blocks *b, const uint8_t *block)
{
	return b->state + (size_t)(block - b->p) / UNIT;
}

static void add_free(struct mrg_rt_blocks *b, uint8_t *block, unsigned order)
{
	uint8_t *const first = b->free[order];
	set_links(block, (struct links){ .next = first });
	if (first != NULL)
		set_links(first, (struct links){ .next = links_of(first).next, .prev = block });
	b->free[order] = block;
	*state_of(b, block) = (uint8_t)(order + 1u);
}

static void take_free(struct mrg_rt_blocks *b, uint8_t *block, unsigned order)
{
	const struct links l = links_of(block);
	if (l.next != NULL)
		set_links(l.next, (struct links){ .next = links_of(l.next).next, .prev = l.prev });
	if (l.prev != NULL)
		set_links(l.prev, (struct links){ .next = l.next, .prev = links_of(l.prev).prev });
	else
		b->free[order] = l.next;
	*state_of(b, block) = 0;
	set_links(block, (struct links){ .next = NULL });
}

static unsigned order_for(size_t size)
{
	unsigned order = 0;
	while ((size_t)UNIT << order < size)
		order++;
	return order;
}

bool mrg_rt_blocks_init(struct mrg_rt_blocks *b, struct mrg_arena *a, size_t len, size_t block_max)
{
	const unsigned top = order_for(block_max);
	const size_t largest = (size_t)UNIT << top, cap = len / largest * largest;
	*b = (struct mrg_rt_blocks){
		.p = mrg_arena_get(a, cap, ALIGN),
		.state = mrg_arena_get(a, cap / UNIT, 1),
		.cap = cap,
		.top = top,
	};
	return b->p != NULL && b->state != NULL;
}

size_t mrg_rt_blocks_memory(size_t len) { return len + len / UNIT + ALIGN; }

void *mrg_rt_blocks_get(struct mrg_rt_blocks *b, size_t size)
{
	if (size > (size_t)UNIT << b->top)
		return NULL;
	const unsigned order = order_for(size);
	unsigned k = order;
	while (k < b->top && b->free[k] == NULL)
		k++;
	uint8_t *block = b->free[k];
	if (block != NULL) {
		take_free(b, block, k);
	} else {
		if (b->cut == b->cap)
			return NULL;
		block = b->p + b->cut;
		b->cut += (size_t)UNIT << k;
	}
	for (; k > order; k--)
		add_free(b, block + ((size_t)UNIT << (k - 1u)), k - 1u);
	return block;
}

void mrg_rt_blocks_put(struct mrg_rt_blocks *b, void *p, size_t size)
{
	size_t off = (size_t)((uint8_t *)p - b->p);
	unsigned order = order_for(size);
	for (; order < b->top; order++) {
		uint8_t *const other = b->p + (off ^ (size_t)UNIT << order);
		if (*state_of(b, other) != order + 1u)
			break;
		take_free(b, other, order);
		off &= ~((size_t)UNIT << order);
	}
	add_free(b, b->p + off, order);
}

size_t mrg_rt_blocks_trim(struct mrg_rt_blocks *b, void *p, size_t size, size_t needed)
{
	const unsigned least = order_for(needed);
	unsigned order = order_for(size);
	for (; order > least; order--) {
		const size_t half = (size_t)UNIT << (order - 1u);
		mrg_rt_blocks_put(b, (uint8_t *)p + half, half);
	}
	return (size_t)UNIT << order;
}
