/*
 * Ends of either kind.
 */
#include <errno.h>

#include "appliances/common/ends.h"

/* ---- datagrams ---- */

static void count_batch(
	void *ctx, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count, uint64_t now_ns)
{
	const struct end_dgram *const end = ctx;
	end->user->batch(end->user->ctx, e, d, count, now_ns);
	end->loop->counts.dgram_in += count;
	for (size_t i = 0; i < count; i++)
		end->loop->counts.dgram_out += d[i].out_len != 0;
}

int end_dgram_open(struct end_dgram *d, const struct ends *e, int fd, struct mrg_rt_addr *a,
	const struct mrg_dgram_user *user)
{
	*d = (struct end_dgram){ .user = user, .loop = e->loop };
	if (e->net == NULL)
		return mrg_unix_udp_init(&d->kernel, e->loop, e->arena, fd, a, user);
	d->counted = (struct mrg_dgram_user){ .ctx = d, .batch = count_batch };
	d->own = mrg_tcpip_udp_bind(e->net->stack, a, &d->counted);
	return d->own != NULL ? 0 : EADDRINUSE;
}

bool end_dgram_is(const struct end_dgram *d, const struct mrg_dgram_end *e)
{
	return e == (d->own != NULL ? mrg_tcpip_udp_end(d->own) : &d->kernel.end);
}

void end_dgram_close(struct end_dgram *d)
{
	if (d->own != NULL)
		mrg_tcpip_udp_close(d->own);
	else
		mrg_unix_udp_close(&d->kernel);
}

/* ---- listeners ---- */

int end_listener_open(struct end_listener *t, const struct ends *e, int fd, struct mrg_rt_addr *a,
	const struct mrg_stream_user *user)
{
	*t = (struct end_listener){ .own = NULL };
	if (e->net == NULL)
		return mrg_unix_listener_init(&t->kernel, e->loop, fd, user);
	t->own = mrg_tcpip_listen(e->net->stack, a, user);
	return t->own != NULL ? 0 : EADDRINUSE;
}

void end_listener_drain(struct end_listener *t)
{
	if (t->own != NULL)
		mrg_tcpip_listener_close(t->own);
	else
		mrg_unix_listener_drain(&t->kernel);
}
