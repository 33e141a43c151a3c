/* The watchdog: see watchdog.h. */
#include "appliances/dns/watchdog.h"

/* Has each worker taken a turn since it was woken last? Wakes all again. */
static bool all_alive(struct watchdog *d)
{
	bool alive = true;
	for (size_t i = 0; i < d->control->worker_count; i++) {
		struct worker *const w = d->control->workers[i];
		const uint64_t turns = atomic_load_explicit(&w->turns, memory_order_relaxed);
		alive = alive && turns != d->turns[i];
		d->turns[i] = turns;
		mrg_unix_loop_wake(&w->loop);
	}
	return alive;
}

static void look(struct mrg_rt_timer *t, uint64_t now_ns)
{
	struct watchdog *const d = (struct watchdog *)(void *)((char *)t - offsetof(struct watchdog, timer));
	if (all_alive(d))
		(void)mrg_unix_notify("WATCHDOG=1");
	mrg_rt_timer_set(d->timers, &d->timer, now_ns + d->each_ns);
}

void watchdog_begin(
	struct watchdog *d, struct mrg_rt_timers *timers, const struct control *control, uint64_t now_ns)
{
	enum { OFTEN = 3 /* times within the interval: one that comes late is no reason to restart */ };
	*d = (struct watchdog){ .timer = { .fire = look },
		.timers = timers,
		.control = control,
		.each_ns = mrg_unix_watchdog_ns() / OFTEN };
	if (d->each_ns == 0)
		return;
	(void)all_alive(d);
	mrg_rt_timer_set(timers, &d->timer, now_ns + d->each_ns);
}
