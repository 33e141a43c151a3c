/*
 * tcp_wheel.h - the timers of many connections: a wheel of wheels, with steps of one millisecond.
 *
 * A timer of mrg_rt.h for each connection would cost 56 bytes and a heap that is a hundred thousand deep; this costs 24 and a constant
 * number of steps.
 */
#ifndef MRG_TCPIP_TCP_WHEEL_H
#define MRG_TCPIP_TCP_WHEEL_H

#include <stddef.h>
#include <stdint.h>

enum { WHEEL_LEVELS = 7, WHEEL_SLOTS = 64 };

/* Somebody to be woken.  Zero-initialised. */
struct tcp_wake {
	struct tcp_wake *next, **at; /* at: what points to it; NULL: it is in no wheel */
	uint64_t due_ms;
};

struct tcp_wheel {
	uint64_t now_ms; /* all that was due then was woken */
	uint64_t used[WHEEL_LEVELS];
	struct tcp_wake *slot[WHEEL_LEVELS][WHEEL_SLOTS];
};

/* wheel_set - wake it at due_ms, in the next step if that is past; moves it when it is set.   Cost: O(1). */
void wheel_set(struct tcp_wheel *w, struct tcp_wake *e, uint64_t due_ms);
void wheel_cancel(struct tcp_wheel *w, struct tcp_wake *e);

/* wheel_next - no wake is due before this; UINT64_MAX: there is none. It may be early, never late.   Cost: O(levels). */
uint64_t wheel_next(const struct tcp_wheel *w);

/*
 * wheel_run - the time is now_ms: those due up to then, one at a time, taken out of the wheel; NULL: no more.
 * Cost: a constant number of steps for each that was set, and one for each wheel that goes round.
 */
struct tcp_wake *wheel_run(struct tcp_wheel *w, uint64_t now_ms);

#endif
