/*
 * metrics.h - a page of figures for Prometheus, served by HTTP from the loop of one worker.
 *
 * References: the Prometheus text exposition format 0.0.4.
 *
 * What it does not do: it counts nothing. Counters belong to workers, which publish copies of them (struct published) between two
 * events; the page adds these up.
 */
#ifndef MRG_COMMON_METRICS_H
#define MRG_COMMON_METRICS_H

#include <stdatomic.h>

#include "protocols/http/server.h"
#include "unix/mrg_unix.h"

enum { PUBLISHED_MAX = 48 };

/* One worker's figures, as other threads may see them. */
struct published {
	_Atomic uint64_t figure[PUBLISHED_MAX];
};

static inline void publish(struct published *p, size_t index, uint64_t value)
{
	atomic_store_explicit(&p->figure[index], value, memory_order_relaxed);
}

static inline uint64_t published(const struct published *p, size_t index)
{
	return atomic_load_explicit(&p->figure[index], memory_order_relaxed);
}

/* One figure of the page: those with the same name stand together, the first has the help text. */
struct metric {
	const char *name, *labels; /* labels: `class="2xx"`, or NULL */
	const char *type, *help;   /* NULL: as before */
};

struct metrics {
	struct mrg_http_server server;
	struct mrg_unix_listener listener;
	void *ctx;
	void (*page)(void *ctx, struct mrg_w *w);
	bool on;
};

/* What the loop must have room for. */
enum { METRICS_CONNS = 16 };
size_t metrics_memory(void);

/*
 * metrics_init - serve GET /metrics on a listening socket, which is the loop's from here on.
 *   page    writes the figures; called from the loop's thread
 * Fails:    a positive errno value.
 */
int metrics_init(struct metrics *m, struct mrg_arena *arena, struct mrg_unix_loop *loop, int socket, void *ctx,
	void (*page)(void *ctx, struct mrg_w *w));
void metrics_close(struct metrics *m);

/* One figure. */
void metric_put(struct mrg_w *w, const struct metric *metric, uint64_t value);

#endif
