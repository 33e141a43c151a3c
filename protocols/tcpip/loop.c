/*
 * Packets from us to us: a few wait, and come in when the timers are run next. So nobody is called from within his own call.
 */
#include "protocols/tcpip/ip_out.h"

enum { LOOP_MAX = 64 };

struct loop {
	struct mrg_tcpip *stack;
	struct held *first, *last;
	struct mrg_rt_pool pool;
	struct mrg_rt_timer timer;
};

enum mrg_io loop_send(struct mrg_tcpip *s, const struct mrg_span *parts, size_t count, bool four, bool sum_ok)
{
	struct loop *const l = s->ip->loop;
	const struct mrg_frame_work work = { .sum_ok = sum_ok };
	struct held *const h = held_make(&l->pool, parts, count, &work);
	if (h == NULL) {
		s->ip->count.loop_full++;
		return MRG_IO_AGAIN;
	}
	h->four = four;
	if (l->first == NULL)
		l->first = h;
	else
		l->last->next = h;
	l->last = h;
	if (!l->timer.armed)
		mrg_rt_timer_set(s->world.timers, &l->timer, stack_now(s));
	return MRG_IO_OK;
}

static void fire(struct mrg_rt_timer *timer, uint64_t now_ns)
{
	struct loop *const l = (struct loop *)(void *)((char *)timer - offsetof(struct loop, timer));
	struct mrg_tcpip_if *const on = if_at(l->stack, 0);
	struct held *h = l->first; /* what is sent from now on waits for the next run */
	l->first = l->last = NULL;
	while (h != NULL) {
		struct held *const next = h->next;
		const struct mrg_span packet = { h->bytes, h->len };
		if (h->four)
			ip4_input(on, packet, false, &h->work, now_ns);
		else
			ip6_input(on, packet, false, &h->work, now_ns);
		/* batches borrow what they were handed until then */
		udp_burst_end(l->stack);
		mrg_rt_pool_put(&l->pool, h);
		h = next;
	}
	tcp_burst_end(l->stack);
}

size_t loop_memory(void) { return sizeof(struct loop) + LOOP_MAX * (sizeof(struct held) + 64u) + 64u; }

struct loop *loop_open(struct mrg_tcpip *s, struct mrg_arena *a)
{
	struct loop *const l = mrg_arena_get(a, sizeof *l, _Alignof(struct loop));
	if (l == NULL)
		return NULL;
	*l = (struct loop){ .stack = s, .timer = { .fire = fire } };
	mrg_rt_pool_init(&l->pool, a, sizeof(struct held), LOOP_MAX);
	return l;
}
