/*
 * page.h - a page of figures for Prometheus, by HTTP on any platform; beside it, of our own TCP/IP, a page of its connections and the
 * last frames.
 *
 * References: the Prometheus text exposition format 0.0.4.
 *
 * What it does not do: it counts nothing, and listens nowhere; it needs no system.
 *
 * Use:
 *	if (!page_init(&page, &of, &arena, &timers)) ...
 *	mrg_tcpip_listen(stack, &port_9100, &page.server.user);
 */
#ifndef MRG_COMMON_PAGE_H
#define MRG_COMMON_PAGE_H

#include "appliances/common/net_shown.h"
#include "protocols/http/server.h"

/* One figure of the page: those with the same name stand together, the first has the help text. */
struct metric {
	const char *name, *labels; /* labels: `class="2xx"`, or NULL */
	const char *type, *help;   /* NULL: as before */
};

/* What is to be seen. */
struct page_of {
	void *ctx;
	void (*put)(void *ctx, struct mrg_w *w); /* the figures */
	uint64_t (*unix_s)(void *ctx);           /* as of struct mrg_http_handler; NULL likewise */
	struct net_shown *net; /* GET /connections lists what its stack has, and GET /pcap gives the last frames, if there is a tape; NULL: none */
};

struct page {
	struct mrg_http_server server; /* for whoever listens */
	struct page_of of;
};

enum { PAGE_CONNS = 16 };
size_t page_memory(void); /* bytes of the arena that one takes at most */

/*
 * page_init - serve GET /metrics. What does not fit is left out, from the end of the last whole line on, and the page says so by a last
 * figure, mrg_page_cut.
 * Fails:    false when the arena is too small.
 */
bool page_init(struct page *p, const struct page_of *of, struct mrg_arena *arena, struct mrg_rt_timers *timers);

/* One figure. */
void metric_put(struct mrg_w *w, const struct metric *metric, uint64_t value);

/*
 * metric_head_put - what stands before figures that have labels, metric_labelled_put - one of these.
 *   metric   its labels are not looked at
 *   value    any octets
 */
void metric_head_put(struct mrg_w *w, const struct metric *metric);
void metric_labelled_put(
	struct mrg_w *w, const struct metric *metric, const char *label, struct mrg_span value, uint64_t n);

/* How long things took. */
struct metric_times {
	const uint64_t *bound_ns; /* rising, `bounds` of them */
	const uint64_t *count;    /* of those not above that bound, but above the one before; then of those above all */
	size_t bounds;
	uint64_t sum_ns;
};

/* metric_times_put - a histogram, in seconds; of metric the name and the help. */
void metric_times_put(struct mrg_w *w, const struct metric *metric, const struct metric_times *t);

#endif
