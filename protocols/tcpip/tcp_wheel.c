/*
 * Each wheel has 64 slots, each slot of one as wide as all of the wheel before.  What is due stands in the widest wheel in which its
 * slot differs from that of the present; when the present reaches the slot, it moves to narrower wheels.
 */
#include "protocols/tcpip/tcp_wheel.h"

#include "mrg.h"

enum { SLOT_BITS = 6 };

static unsigned level_of(uint64_t due, uint64_t now)
{
	unsigned level = 0;
	for (uint64_t differ = (due ^ now) >> SLOT_BITS; differ != 0 && level < WHEEL_LEVELS - 1u;
		differ >>= SLOT_BITS)
		level++;
	return level;
}

static unsigned slot_of(uint64_t ms, unsigned level)
{
	return (unsigned)(ms >> (level * SLOT_BITS)) % WHEEL_SLOTS;
}

static void put(struct tcp_wheel *w, struct tcp_wake *e)
{
	const unsigned level = level_of(e->due_ms, w->now_ms), slot = slot_of(e->due_ms, level);
	struct tcp_wake **const head = &w->slot[level][slot];
	e->next = *head;
	e->at = head;
	if (e->next != NULL)
		e->next->at = &e->next;
	*head = e;
	w->used[level] |= UINT64_C(1) << slot;
}

void wheel_set(struct tcp_wheel *w, struct tcp_wake *e, uint64_t due_ms)
{
	wheel_cancel(w, e);
	e->due_ms = due_ms > w->now_ms ? due_ms : w->now_ms + 1u;
	put(w, e);
}

void wheel_cancel(struct tcp_wheel *w, struct tcp_wake *e)
{
	if (e->at == NULL)
		return;
	*e->at = e->next;
	if (e->next != NULL)
		e->next->at = e->at;
	/* a slot that has become empty keeps its bit: it costs one look when its time comes */
	e->at = NULL;
	(void)w;
}

/* The first slot behind the present that may have something, and when it begins. */
static bool next_slot(const struct tcp_wheel *w, unsigned *level, unsigned *slot, uint64_t *when)
{
	for (unsigned l = 0; l < WHEEL_LEVELS; l++) {
		const unsigned at = slot_of(w->now_ms, l);
		const uint64_t behind = at == WHEEL_SLOTS - 1u ? 0 : w->used[l] >> (at + 1u);
		if (behind == 0)
			continue;
		const unsigned s = at + 1u + (unsigned)__builtin_ctzll(behind), shift = l * SLOT_BITS;
		*level = l;
		*slot = s;
		*when = ((w->now_ms >> (shift + SLOT_BITS)) * WHEEL_SLOTS + s) << shift;
		return true;
	}
	return false;
}

uint64_t wheel_next(const struct tcp_wheel *w)
{
	unsigned level, slot;
	uint64_t when;
	if (w->slot[0][slot_of(w->now_ms, 0)] != NULL)
		return w->now_ms;
	return next_slot(w, &level, &slot, &when) ? when : UINT64_MAX;
}

struct tcp_wake *wheel_run(struct tcp_wheel *w, uint64_t now_ms)
{
	for (;;) {
		struct tcp_wake *const due = w->slot[0][slot_of(w->now_ms, 0)];
		if (due != NULL) {
			wheel_cancel(w, due);
			return due;
		}
		unsigned level, slot;
		uint64_t when;
		if (!next_slot(w, &level, &slot, &when) || when > now_ms) {
			if (now_ms > w->now_ms)
				w->now_ms = now_ms;
			return NULL;
		}
		w->now_ms = when;
		w->used[level] &= ~(UINT64_C(1) << slot);
		struct tcp_wake *e = w->slot[level][slot];
		if (level == 0)
			continue;
		w->slot[level][slot] = NULL;
		while (e != NULL) {
			struct tcp_wake *const next = e->next;
			put(w, e);
			e = next;
		}
	}
}
