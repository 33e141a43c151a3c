/*
 * metrics.h - a page of figures (page.h), served from the loop of one worker on a kernel socket.
 *
 * What it does not do: it counts nothing. Counters belong to workers, which publish copies of them (struct published) between two
 * events; the page adds these up.
 */
#ifndef MRG_COMMON_METRICS_H
#define MRG_COMMON_METRICS_H

#include <stdatomic.h>

#include "appliances/common/net.h"
#include "appliances/common/page.h"
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

struct metrics {
	struct page page;
	struct mrg_unix_listener listener;
	bool on;
};

/* What the loop must have room for. */
enum { METRICS_CONNS = PAGE_CONNS };
size_t metrics_memory(void);

/*
 * metrics_init - serve GET /metrics on a listening socket, which is the loop's from here on.
 *   net     of the same loop, for its connections and last frames; NULL: none
 *   page    writes the figures; called from the loop's thread
 * Fails:    a positive errno value.
 */
int metrics_init(struct metrics *m, struct mrg_arena *arena, struct mrg_unix_loop *loop, int socket, struct net *net, void *ctx,
	void (*page)(void *ctx, struct mrg_w *w));
void metrics_close(struct metrics *m);

#endif
