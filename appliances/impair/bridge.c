/*
 * Frames come at one side, wait until they are due, and go at the other.
 * Reading order: hold, come, bridge_init.
 */
#include <errno.h>

#include "appliances/impair/bridge.h"
#include "appliances/impair/cut.h"

enum { HELD_LEN = 64 << 20, FRAME_MAX = 65536 + 64 }; /* bytes of frames that wait, and of one */

/* A frame that waits, in a block of its own. */
struct held {
	struct held *before, *behind;
	uint64_t at_ns;
	struct way *way;
	size_t size; /* of the block */
	size_t len;
	uint8_t bytes[];
};

/* ---- waiting ---- */

/* Those of one time stay in order. Few frames are late, so the place is near the end. */
static void line_up(struct bridge *b, struct held *h)
{
	struct held *before = b->last;
	while (before != NULL && before->at_ns > h->at_ns)
		before = before->before;
	h->before = before;
	h->behind = before != NULL ? before->behind : b->first;
	*(before != NULL ? &before->behind : &b->first) = h;
	*(h->behind != NULL ? &h->behind->before : &b->last) = h;
}

/* Send what is due. */
static void release(struct bridge *b, uint64_t now_ns)
{
	while (b->first != NULL && b->first->at_ns <= now_ns) {
		struct held *const h = b->first;
		const struct mrg_span part = { h->bytes, h->len };
		b->first = h->behind;
		*(b->first != NULL ? &b->first->before : &b->last) = NULL;
		h->way->waiting--;
		(void)mrg_link_send(&h->way->to->link, &part, 1, NULL); /* what is lost here is counted there */
		mrg_rt_blocks_put(&b->blocks, h, h->size);
	}
	if (b->first != NULL)
		mrg_rt_timer_set(&b->loop->timers, &b->due, b->first->at_ns);
}

static void fire(struct mrg_rt_timer *t, uint64_t now_ns)
{
	release((struct bridge *)(void *)((char *)t - offsetof(struct bridge, due)), now_ns);
}

static void hold(struct way *w, struct mrg_span frame, const struct mrg_impair_copy *c)
{
	struct bridge *const b = w->bridge;
	const size_t size = sizeof(struct held) + frame.len;
	struct held *const h = mrg_rt_blocks_get(&b->blocks, size);
	if (h == NULL) {
		w->no_room++;
		return;
	}
	*h = (struct held){ .at_ns = c->at_ns, .way = w, .size = size, .len = c->len };
	memcpy(h->bytes, frame.p, frame.len);
	mrg_impair_alter(c, h->bytes);
	line_up(b, h);
	w->waiting++;
}

/* ---- coming ---- */

static void come(void *ctx, struct mrg_span frame)
{
	struct way *const w = ctx;
	struct mrg_impair_copy copies[MRG_IMPAIR_COPIES];
	const size_t count =
		mrg_impair_frame(&w->impair, &w->bridge->options, frame.len, w->bridge->loop->now_ns, copies);
	for (size_t i = 0; i < count; i++)
		hold(w, frame, &copies[i]);
}

static void frames(void *ctx, struct mrg_frame *f, size_t count, uint64_t now_ns)
{
	struct way *const w = ctx;
	for (size_t i = 0; i < count; i++)
		w->uncut += !cut_frame(&f[i], w, come);
	release(w->bridge, now_ns);
}

/* ---- beginning ---- */

size_t bridge_memory(void) { return 2u * mrg_tap_memory() + mrg_rt_blocks_memory(HELD_LEN) + HELD_LEN; }

int bridge_init(struct bridge *b, struct mrg_unix_loop *loop, struct mrg_arena *arena,
	const struct mrg_tap_device device[2], const struct mrg_impair_options *options, uint64_t seed,
	const struct mrg_rt_log *log)
{
	*b = (struct bridge){ .options = *options, .loop = loop, .due = { .fire = fire } };
	if (!mrg_rt_blocks_init(&b->blocks, arena, HELD_LEN, 2u * FRAME_MAX))
		return ENOMEM;
	for (unsigned i = 0; i < 2; i++) {
		struct way *const w = &b->way[i];
		const int err = mrg_tap_init(&b->side[i], loop, arena, &mrg_tap_kernel, &device[i], log);
		if (err != 0)
			return err;
		*w = (struct way){ .bridge = b, .to = &b->side[1 - i] };
		mrg_impair_init(&w->impair, seed, i);
		b->side[i].promiscuous = true;
		b->side[i].link.user = (struct mrg_link_user){ .ctx = w, .frames = frames };
	}
	return 0;
}

bool bridge_gone(const struct bridge *b) { return b->side[0].watch.fd < 0 || b->side[1].watch.fd < 0; }
