/* Datagrams of the manager: see outward.h. */
#include <errno.h>

#include "appliances/dns/outward.h"

size_t outward_memory(void)
{
	enum { END = 1 << 20 };
	return 2 * (size_t)END;
}

static void take_batch(void *ctx, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count, uint64_t now_ns)
{
	struct outward *const o = ctx;
	for (size_t i = 0; i < count; i++) {
		struct mrg_rt_addr peer;
		e->ops->peer(e, i, &peer);
		o->take(o->ctx, &peer, d[i].in, now_ns);
	}
}

static bool open_end(struct outward *o, unsigned which, struct mrg_unix_loop *loop, struct mrg_arena *arena)
{
	struct mrg_rt_addr any = { .family = which == 0 ? 4 : 6 };
	int fd;
	return mrg_unix_udp_bind(&any, false, &fd) == 0 &&
	       mrg_unix_udp_init(&o->udp[which], loop, arena, fd, &any, &o->user) == 0;
}

int outward_init(struct outward *o, struct mrg_unix_loop *loop, struct mrg_arena *arena)
{
	o->user = (struct mrg_dgram_user){ .ctx = o, .batch = take_batch };
	o->open[0] = open_end(o, 0, loop, arena);
	o->open[1] = open_end(o, 1, loop, arena);
	return o->open[0] || o->open[1] ? 0 : EADDRNOTAVAIL;
}

void outward_send(struct outward *o, const struct mrg_rt_addr *to, struct mrg_span message)
{
	const unsigned which = to->family == 6;
	if (o->open[which])
		(void)o->udp[which].end.ops->send(&o->udp[which].end, NULL, to, message);
}
