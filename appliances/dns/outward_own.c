/* By our own TCP/IP: see outward_own.h. */
#include "appliances/dns/outward_own.h"

static struct outward_own *own_of(struct outward *o) { return (struct outward_own *)(void *)o; }

/* ---- datagrams ---- */

static void send_it(struct outward *outward, const struct mrg_rt_addr *to, struct mrg_span message)
{
	struct outward_own *const o = own_of(outward);
	struct mrg_dgram_end *const end = mrg_tcpip_udp_end(o->udp[to->family == 6]);
	(void)end->ops->send(end, NULL, to, message);
}

static bool open_end(struct outward_own *o, unsigned which)
{
	struct mrg_rt_addr any = { .family = which == 0 ? 4 : 6 };
	o->udp[which] = mrg_tcpip_udp_bind(o->stack, &any, &o->user);
	return o->udp[which] != NULL;
}

/* ---- connections ---- */

static const char *why_not(enum mrg_net_why why)
{
	switch (why) {
	case MRG_NET_WHY_REFUSED: return "connection refused";
	case MRG_NET_WHY_TIMED_OUT: return "nobody answers";
	case MRG_NET_WHY_UNREACHABLE: return "no way leads there";
	default: return "the connection broke";
	}
}

static void failed(struct mrg_tcpip_connect *t, enum mrg_net_why why, uint64_t now_ns)
{
	const struct outward_own_attempt *const a =
		(struct outward_own_attempt *)(void *)((char *)t -
						       offsetof(struct outward_own_attempt, connect));
	a->of->failed(a->of, why_not(why), now_ns);
}

static const char *connect_it(
	struct outward *outward, struct outward_connect *t, const struct mrg_rt_addr *to)
{
	struct outward_own *const o = own_of(outward);
	struct outward_own_attempt *a = NULL;
	for (size_t i = 0; i < OUTWARD_CONNECTS && a == NULL; i++)
		if (o->attempts[i].connect.conn == NULL)
			a = &o->attempts[i];
	if (a == NULL)
		return "too many connections are being made";
	*a = (struct outward_own_attempt){ .connect = { .user = t->user, .failed = failed }, .of = t };
	t->attempt = a;
	return mrg_tcpip_connect(o->stack, &a->connect, NULL, to) ? NULL
								  : "no way leads there, or there is no room";
}

static void cancel(struct outward *outward, struct outward_connect *t)
{
	struct outward_own_attempt *const a = t->attempt;
	(void)outward;
	if (a != NULL && a->of == t)
		mrg_tcpip_connect_cancel(&a->connect);
}

bool outward_own_init(struct outward_own *o, struct mrg_tcpip *stack)
{
	static const struct outward_ops ops = { .send = send_it, .connect = connect_it, .cancel = cancel };
	o->out.ops = &ops;
	o->stack = stack;
	o->user = (struct mrg_dgram_user){ .ctx = &o->out, .batch = outward_take_batch };
	return open_end(o, 0) && open_end(o, 1);
}
