/*
 * Pools: blocks of one size out of an arena, kept in a list through their own first bytes when free.
 */
#include "mrg_rt.h"

enum { LINE = 64 }; /* bytes of a cache line */

/* Blocks of whole cache lines begin at one; others are as near to each other as pointers allow. */
static size_t align_of(size_t size)
{
	size_t align = LINE;
	while (align > _Alignof(max_align_t) && size % align != 0)
		align /= 2u;
	return size % align == 0 ? align : sizeof(void *);
}

void mrg_rt_pool_init(struct mrg_rt_pool *p, struct mrg_arena *a, size_t block_size, size_t block_count)
{
	p->arena = a;
	p->size = block_size < sizeof(void *) ? sizeof(void *) : block_size;
	p->left = block_count;
	p->free = NULL;
}

void *mrg_rt_pool_get(struct mrg_rt_pool *p)
{
	void *const block = p->free;
	if (block != NULL) {
		memcpy(&p->free, block, sizeof p->free);
		return block;
	}
	if (p->left == 0)
		return NULL;
	void *const cut = mrg_arena_get(p->arena, p->size, align_of(p->size));
	if (cut != NULL)
		p->left--;
	return cut;
}

void mrg_rt_pool_put(struct mrg_rt_pool *p, void *block)
{
	memcpy(block, &p->free, sizeof p->free);
	p->free = block;
}
