/* By the kernel's sockets: see outward_kernel.h. */
#include <errno.h>
#include <string.h>

#include "appliances/dns/outward_kernel.h"

size_t outward_kernel_memory(void)
{
	enum { END = 1 << 20 };
	return 2 * (size_t)END;
}

static struct outward_kernel *kernel_of(struct outward *o) { return (struct outward_kernel *)(void *)o; }

/* ---- datagrams ---- */

static void send_it(struct outward *outward, const struct mrg_rt_addr *to, struct mrg_span message)
{
	struct outward_kernel *const o = kernel_of(outward);
	const unsigned which = to->family == 6;
	if (o->open[which])
		(void)o->udp[which].end.ops->send(&o->udp[which].end, NULL, to, message);
}

static bool open_end(struct outward_kernel *o, unsigned which, struct mrg_arena *arena)
{
	struct mrg_rt_addr any = { .family = which == 0 ? 4 : 6 };
	int fd;
	return mrg_unix_udp_bind(&any, false, &fd) == 0 &&
	       mrg_unix_udp_init(&o->udp[which], o->loop, arena, fd, &any, &o->user) == 0;
}

/* ---- connections ---- */

static void failed(struct mrg_unix_connect *t, int err, uint64_t now_ns)
{
	const struct outward_kernel_attempt *const a =
		(struct outward_kernel_attempt *)(void *)((char *)t -
							  offsetof(struct outward_kernel_attempt, connect));
	a->of->failed(a->of, strerrordesc_np(err), now_ns);
}

static const char *connect_it(
	struct outward *outward, struct outward_connect *t, const struct mrg_rt_addr *to)
{
	struct outward_kernel *const o = kernel_of(outward);
	struct outward_kernel_attempt *a = NULL;
	for (size_t i = 0; i < OUTWARD_CONNECTS && a == NULL; i++)
		if (o->attempts[i].connect.conn == NULL)
			a = &o->attempts[i];
	if (a == NULL)
		return "too many connections are being made";
	*a = (struct outward_kernel_attempt){ .connect = { .user = t->user, .failed = failed }, .of = t };
	t->attempt = a;
	const int err = mrg_unix_connect(&a->connect, o->loop, to);
	return err == 0 ? NULL : strerrordesc_np(err);
}

static void cancel(struct outward *outward, struct outward_connect *t)
{
	struct outward_kernel_attempt *const a = t->attempt;
	(void)outward;
	if (a != NULL && a->of == t)
		mrg_unix_connect_cancel(&a->connect);
}

int outward_kernel_init(struct outward_kernel *o, struct mrg_unix_loop *loop, struct mrg_arena *arena)
{
	static const struct outward_ops ops = { .send = send_it, .connect = connect_it, .cancel = cancel };
	o->out.ops = &ops;
	o->loop = loop;
	o->user = (struct mrg_dgram_user){ .ctx = &o->out, .batch = outward_take_batch };
	o->open[0] = open_end(o, 0, arena);
	o->open[1] = open_end(o, 1, arena);
	return o->open[0] || o->open[1] ? 0 : EADDRNOTAVAIL;
}
