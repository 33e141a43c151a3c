/*
 * A page of figures on a listening socket.
 */
#include <errno.h>

#include "appliances/common/metrics.h"

size_t metrics_memory(void) { return page_memory(); }

static uint64_t unix_s(void *ctx)
{
	(void)ctx;
	return mrg_unix_time_s();
}

int metrics_init(struct metrics *m, struct mrg_arena *arena, struct mrg_unix_loop *loop, int socket,
	struct net *net, void *ctx, void (*page)(void *ctx, struct mrg_w *w))
{
	const struct page_of of = {
		.ctx = ctx, .put = page, .unix_s = unix_s, .net = net != NULL ? &net->shown : NULL
	};
	m->on = true;
	if (!page_init(&m->page, &of, arena, &loop->timers))
		return ENOMEM;
	return mrg_unix_listener_init(&m->listener, loop, socket, &m->page.server.user);
}

void metrics_close(struct metrics *m)
{
	if (!m->on)
		return;
	mrg_unix_listener_close(&m->listener);
	mrg_http_server_close(&m->page.server);
	m->on = false;
}
