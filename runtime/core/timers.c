/*
 * Timers as a pairing heap through the timers themselves: no memory but theirs, the exact next deadline at the top.
 * Reading order: link, merge_siblings, then the four public functions.
 */
#include "mrg_rt.h"

/* Join two heaps; either may be NULL. On a tie the first stays on top. */
static struct mrg_rt_timer *link_heaps(struct mrg_rt_timer *a, struct mrg_rt_timer *b)
{
	if (a == NULL)
		return b;
	if (b == NULL)
		return a;
	if (b->at_ns < a->at_ns) {
		struct mrg_rt_timer *const swap = a;
		a = b;
		b = swap;
	}
	b->prev = a;
	b->next = a->child;
	if (a->child != NULL)
		a->child->prev = b;
	a->child = b;
	return a;
}

/* The children of a removed top become one heap: pairs from the left, then the pairs from the right. */
static struct mrg_rt_timer *merge_siblings(struct mrg_rt_timer *first)
{
	struct mrg_rt_timer *pairs = NULL;
	while (first != NULL) {
		struct mrg_rt_timer *const a = first, *const b = first->next;
		first = b != NULL ? b->next : NULL;
		a->next = NULL;
		if (b != NULL)
			b->next = NULL;
		struct mrg_rt_timer *const pair = link_heaps(a, b);
		pair->next = pairs;
		pairs = pair;
	}
	struct mrg_rt_timer *top = NULL;
	while (pairs != NULL) {
		struct mrg_rt_timer *const pair = pairs;
		pairs = pairs->next;
		pair->next = NULL;
		top = link_heaps(top, pair);
	}
	if (top != NULL)
		top->prev = NULL;
	return top;
}

void mrg_rt_timer_set(struct mrg_rt_timers *q, struct mrg_rt_timer *t, uint64_t at_ns)
{
	mrg_rt_timer_cancel(q, t);
	t->at_ns = at_ns < q->floor_ns ? q->floor_ns : at_ns;
	t->child = NULL;
	t->next = NULL;
	t->prev = NULL;
	t->armed = true;
	q->top = link_heaps(q->top, t);
}

void mrg_rt_timer_cancel(struct mrg_rt_timers *q, struct mrg_rt_timer *t)
{
	if (!t->armed)
		return;
	if (t->prev == NULL) {
		q->top = merge_siblings(t->child);
	} else {
		if (t->prev->child == t)
			t->prev->child = t->next;
		else
			t->prev->next = t->next;
		if (t->next != NULL)
			t->next->prev = t->prev;
		q->top = link_heaps(q->top, merge_siblings(t->child));
	}
	t->armed = false;
}

uint64_t mrg_rt_timers_next(const struct mrg_rt_timers *q)
{
	return q->top != NULL ? q->top->at_ns : MRG_RT_NEVER;
}

void mrg_rt_timers_run(struct mrg_rt_timers *q, uint64_t now_ns)
{
	if (now_ns == MRG_RT_NEVER)
		now_ns--; /* leaves room for the floor */
	q->floor_ns = now_ns + 1u;
	while (q->top != NULL && q->top->at_ns <= now_ns) {
		struct mrg_rt_timer *const t = q->top;
		mrg_rt_timer_cancel(q, t);
		t->fire(t, now_ns);
	}
	q->floor_ns = 0;
}
