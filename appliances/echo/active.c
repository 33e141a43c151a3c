/*
 * Connections that we make, because a datagram says so; they are served as those of a listener then.
 */
#include "appliances/echo/echo.h"

static const struct mrg_stream_user *served(const struct attempt *t)
{
	return &t->all->streams->user[SERVICE_HI];
}

static bool opened(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	struct attempt *const t = ctx;
	t->under_way = false;
	return served(t)->open(served(t)->ctx, s, now_ns);
}

/* The connection outlives the attempt; whichever is in this place by then, it is served the same way. */
static void ready(void *ctx, struct mrg_stream *s, unsigned events, uint64_t now_ns)
{
	const struct attempt *const t = ctx;
	served(t)->ready(served(t)->ctx, s, events, now_ns);
}

static void failed(struct mrg_tcpip_connect *c, enum mrg_net_why why, uint64_t now_ns)
{
	struct attempt *const t = (struct attempt *)(void *)((char *)c - offsetof(struct attempt, connect));
	(void)why;
	(void)now_ns;
	t->under_way = false;
	t->all->failed++;
}

void active_init(struct active *a, struct mrg_tcpip *stack, const struct streams *streams)
{
	*a = (struct active){ .stack = stack, .streams = streams };
	for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
		struct attempt *const t = &a->attempts[i];
		t->all = a;
		t->user = (struct mrg_stream_user){ .ctx = t, .open = opened, .ready = ready };
	}
}

const char *active_connect(void *ctx, const struct mrg_rt_addr *to)
{
	struct active *const a = ctx;
	size_t i = 0;
	while (i < ATTEMPTS_MAX && a->attempts[i].under_way)
		i++;
	if (i == ATTEMPTS_MAX)
		return "too many attempts";
	struct attempt *const t = &a->attempts[i];
	t->connect = (struct mrg_tcpip_connect){ .user = &t->user, .failed = failed };
	t->under_way = true;
	if (!mrg_tcpip_connect(a->stack, &t->connect, NULL, to)) {
		t->under_way = false;
		return "no room, port or route";
	}
	a->begun++;
	return NULL;
}
