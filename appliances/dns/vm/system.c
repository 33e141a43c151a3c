/* Of a virtual machine: see ../system.h and memory.h. */
#include <errno.h>

#include "appliances/dns/system.h"
#include "appliances/dns/vm/memory.h"

enum {
	LEAST = 64 << 10, /* octets of an arena that more was wanted for */
	LINE = 64         /* of a cache */
};

static struct {
	struct vm_app *app;
	struct mrg_rt_blocks blocks; /* cap 0: there are none yet */
	size_t most;
	uint64_t key[2], count; /* of random numbers */
} world;

void memory_begin(struct vm_app *app)
{
	world.app = app;
	vm_secret(app->boot, VM_SECRET_USER, world.key, 2);
}

bool memory_area(size_t *most)
{
	enum { SHARE = 4, ARENAS = 2 };
	struct mrg_arena *const arena = &world.app->arena;
	const size_t area = (arena->cap - arena->len) / 4u * 3u; /* the rest is for connections */
	size_t size = LEAST;
	while (*most != 0 ? size < *most : size <= area / SHARE / 2u)
		size *= 2u;
	if (area / size < ARENAS || !mrg_rt_blocks_init(&world.blocks, arena, area, size))
		return false;
	world.most = *most = size;
	return true;
}

/* ---- memory ---- */

/*
 * A block of this size, or of half as often as it takes, down to `least`; zeroed: what was used of it is when it is given back, which is
 * less than all of it where nobody knows before how much a zone takes.
 */
static uint8_t *block_of(size_t *size, size_t least)
{
	for (;; *size /= 2u) {
		uint8_t *const p = world.blocks.cap != 0 ? mrg_rt_blocks_get(&world.blocks, *size)
							 : mrg_arena_get(&world.app->arena, *size, LINE);
		if (p != NULL || *size / 2u < least)
			return p;
	}
}

/* Of a block, so much is not zero. What was taken before there was an area stays taken. */
static void give_back(void *p, size_t used, size_t size)
{
	const struct mrg_rt_blocks *const b = &world.blocks;
	if ((uintptr_t)p - (uintptr_t)b->p >= b->cap)
		return;
	memset(p, 0, used);
	mrg_rt_blocks_put(&world.blocks, p, size);
}

int system_arena_open(struct mrg_arena *a, size_t reserve, size_t least)
{
	const bool any = reserve > world.most && world.blocks.cap != 0;
	size_t size = any ? world.most : reserve;
	uint8_t *const p = block_of(&size, any ? (size_t)LEAST : least);
	if (p == NULL)
		return ENOMEM;
	*a = (struct mrg_arena){ .p = p, .cap = size };
	return 0;
}

/* Above what it has handed out an arena is zero. */
void system_arena_close(struct mrg_arena *a) { give_back(a->p, a->len, a->cap); }

/* As much again as there is, for what is added to it. */
void system_arena_trim(struct mrg_arena *a)
{
	const size_t needed = a->len < a->cap / 2u ? 2u * a->len : a->cap;
	if (world.blocks.cap != 0)
		a->cap = mrg_rt_blocks_trim(&world.blocks, a->p, a->cap, needed);
}

size_t system_arena_fit(const struct mrg_arena *a)
{
	enum { FIRST = 4096, MOST = 256 << 10 };
	size_t size = FIRST;
	while (size < 2u * a->len && size <= MOST)
		size *= 2u;
	return world.blocks.cap != 0 && size <= MOST ? size : 0;
}

void *system_get(size_t size) { return block_of(&size, size); }

void system_put(void *p, size_t size) { give_back(p, size, size); }

/* ---- time and chance ---- */

uint64_t system_time_s(void) { return vm_loop_time_s(&world.app->loop); }

uint64_t system_now_ns(void) { return vm_now(&world.app->boot->clock); }

bool system_random(void *p, size_t len)
{
	for (uint8_t *at = p; len != 0;) {
		world.count++;
		const uint64_t random = mrg_rt_hash(
			world.key, (struct mrg_span){ (const uint8_t *)&world.count, sizeof world.count });
		const size_t some = len < sizeof random ? len : sizeof random;
		memcpy(at, &random, some);
		at += some;
		len -= some;
	}
	return true;
}
