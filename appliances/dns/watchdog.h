/*
 * watchdog.h - tells the service manager now and then that all workers still take turns; if one hangs, it is not told, and restarts the
 * server.
 *
 * What it does not do: it ends nothing itself.
 */
#ifndef MRG_DNS_WATCHDOG_H
#define MRG_DNS_WATCHDOG_H

#include "appliances/dns/worker.h"

struct watchdog {
	struct mrg_rt_timer timer;
	struct mrg_rt_timers *timers;
	const struct control *control;
	uint64_t each_ns;
	uint64_t turns[WORKERS_MAX]; /* of each worker when it was woken last */
};

/* watchdog_begin - from now on, if the service manager wants it at all. */
void watchdog_begin(struct watchdog *d, struct mrg_rt_timers *timers, const struct control *control, uint64_t now_ns);

#endif
