/*
 * UDP ends: 64 datagrams in one system call each way, replies written where they are sent from.
 *
 * The message headers are laid out once. recvmmsg leaves in them what sendmmsg needs: the sender's address as the destination,
 * and for a wildcard socket the asked address as the source; only lengths change from batch to batch.
 * Reading order: lay_out, serve, send_replies, mrg_unix_udp_init.
 */
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "unix/inside.h"

enum {
	AGAIN_MIN = 4,   /* datagrams after which it pays to look for more without being told */
	ROUNDS_MAX = 32, /* batches before other ends get their turn */
	WAITS_MAX = 3,   /* times that a batch of replies waits for room in the socket, */
	WAIT_MS = 2      /* each this long, before it is given up */
};

/* Control data of one datagram, aligned as the kernel's macros need it; big enough for either family. */
union control {
	struct cmsghdr align;
	uint8_t b[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct mrg_unix_udp_slots {
	struct mmsghdr rx[MRG_UNIX_BATCH], tx[MRG_UNIX_BATCH];
	struct iovec in[MRG_UNIX_BATCH], out[MRG_UNIX_BATCH];
	struct sockaddr_in6 peer[MRG_UNIX_BATCH]; /* or a sockaddr_in, which is shorter */
	union control control[MRG_UNIX_BATCH];
	socklen_t peer_len, control_len;
	size_t info_index; /* where in the control data the interface index stands */
};

static void lay_out(
	struct mrg_unix_udp_slots *s, const struct mrg_unix_loop *l, const struct mrg_rt_addr *bound)
{
	const bool six = bound->family == 6, any = mrg_unix_addr_is_any(bound);
	s->peer_len = six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	if (any)
		s->control_len =
			six ? CMSG_SPACE(sizeof(struct in6_pktinfo)) : CMSG_SPACE(sizeof(struct in_pktinfo));
	s->info_index = CMSG_LEN(0) + (six ? offsetof(struct in6_pktinfo, ipi6_ifindex)
					   : offsetof(struct in_pktinfo, ipi_ifindex));
	for (size_t i = 0; i < MRG_UNIX_BATCH; i++) {
		const struct mrg_dgram *const d = &l->batch[i];
		s->in[i] =
			(struct iovec){ .iov_base = l->ins + i * l->in_stride, .iov_len = l->dgram_in_max };
		s->out[i].iov_base = d->out;
		s->rx[i].msg_hdr = (struct msghdr){
			.msg_name = &s->peer[i],
			.msg_namelen = s->peer_len,
			.msg_iov = &s->in[i],
			.msg_iovlen = 1,
			.msg_control = any ? s->control[i].b : NULL,
			.msg_controllen = s->control_len,
		};
		s->tx[i] = s->rx[i];
		s->tx[i].msg_hdr.msg_iov = &s->out[i];
	}
}

/* The source of reply i is the address that the question was sent to; by which interface is for the routes to say. */
static void echo_source(struct mrg_unix_udp_slots *s, size_t i)
{
	const int any_interface = 0;
	s->tx[i].msg_hdr.msg_controllen = s->rx[i].msg_hdr.msg_controllen;
	if (s->rx[i].msg_hdr.msg_controllen == s->control_len)
		memcpy(s->control[i].b + s->info_index, &any_interface, sizeof any_interface);
	s->rx[i].msg_hdr.msg_controllen = s->control_len;
}

/* Send the replies from..to-1; what the kernel does not take is counted and forgotten: the client asks again. */
static void send_run(struct mrg_unix_udp *u, size_t from, size_t to)
{
	const struct mrg_unix_sys *const sys = u->loop->sys;
	unsigned waits = 0;
	while (from < to) {
		const int sent =
			sys->sendmmsg(u->watch.fd, u->slots->tx + from, (unsigned)(to - from), MSG_DONTWAIT);
		if (sent > 0) {
			from += (size_t)sent;
			u->loop->counts.dgram_out += (uint64_t)sent;
			continue;
		}
		if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
			if (waits++ < WAITS_MAX && sys->wait_writable(u->watch.fd, WAIT_MS) >= 0)
				continue;
			u->loop->counts.dgram_lost += to - from;
			return;
		}
		u->loop->counts
			.dgram_lost++; /* only the first one is at fault: its address, its size, a filter, no memory */
		from++;
	}
}

static void send_replies(struct mrg_unix_udp *u, size_t count)
{
	struct mrg_unix_udp_slots *const s = u->slots;
	const struct mrg_dgram *const d = u->loop->batch;
	for (size_t i = 0; i < count; i++) {
		s->out[i].iov_len = d[i].out_len;
		s->rx[i].msg_hdr.msg_namelen = s->peer_len;
		if (s->control_len != 0)
			echo_source(s, i);
	}
	for (size_t from = 0, to = 0; from < count; from = to + 1u) {
		to = from;
		while (to < count && d[to].out_len != 0)
			to++;
		send_run(u, from, to);
	}
}

/* One batch; false when so few were waiting that no more will have come meanwhile: what comes later wakes the loop again. */
static bool serve_batch(struct mrg_unix_udp *u)
{
	struct mrg_unix_loop *const l = u->loop;
	const int got = l->sys->recvmmsg(u->watch.fd, u->slots->rx, MRG_UNIX_BATCH, MSG_DONTWAIT, NULL);
	if (got <= 0)
		return got < 0 && errno == EINTR;
	const size_t count = (size_t)got;
	for (size_t i = 0; i < count; i++) {
		l->batch[i].in.len = u->slots->rx[i].msg_len;
		l->batch[i].out_len = 0;
	}
	l->counts.dgram_in += count;
	u->user->batch(u->user->ctx, &u->end, l->batch, count, l->now_ns);
	send_replies(u, count);
	return count >= AGAIN_MIN;
}

static void serve(struct mrg_unix_watch *w, struct mrg_unix_loop *l, uint32_t events)
{
	(void)l;
	(void)events;
	struct mrg_unix_udp *const u =
		(struct mrg_unix_udp *)(void *)((char *)w - offsetof(struct mrg_unix_udp, watch));
	for (unsigned i = 0; i < ROUNDS_MAX && serve_batch(u); i++)
		;
}

static void peer(struct mrg_dgram_end *e, size_t index, struct mrg_rt_addr *out)
{
	const struct mrg_unix_udp *const u = (const struct mrg_unix_udp *)(const void *)e;
	mrg_unix_addr_of(&u->slots->peer[index], out);
}

static void asked(struct mrg_dgram_end *e, size_t index, struct mrg_rt_addr *out)
{
	const struct mrg_unix_udp *const u = (const struct mrg_unix_udp *)(const void *)e;
	const struct mrg_unix_udp_slots *const s = u->slots;
	const uint8_t *const info = s->control[index].b + CMSG_LEN(0);
	*out = (struct mrg_rt_addr){ .family = 0 };
	if (s->control_len == 0 || s->rx[index].msg_hdr.msg_controllen != s->control_len)
		return;
	if (s->peer_len == sizeof(struct sockaddr_in6)) {
		memcpy(out->ip, info + offsetof(struct in6_pktinfo, ipi6_addr), sizeof(struct in6_addr));
		out->family = 6;
	} else {
		memcpy(out->ip, info + offsetof(struct in_pktinfo, ipi_spec_dst), sizeof(struct in_addr));
		out->family = 4;
	}
}

/* Control data that say which address a datagram is to leave by; their length. */
static socklen_t put_source(union control *c, const struct mrg_rt_addr *from)
{
	struct in_pktinfo four = { .ipi_ifindex = 0 };
	struct in6_pktinfo six = { .ipi6_ifindex = 0 };
	if (from->family == 6) {
		memcpy(&six.ipi6_addr, from->ip, sizeof six.ipi6_addr);
		c->align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof six),
			.cmsg_level = IPPROTO_IPV6,
			.cmsg_type = IPV6_PKTINFO };
		memcpy(c->b + CMSG_LEN(0), &six, sizeof six);
		return CMSG_SPACE(sizeof six);
	}
	memcpy(&four.ipi_spec_dst, from->ip, sizeof four.ipi_spec_dst);
	c->align = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof four), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO
	};
	memcpy(c->b + CMSG_LEN(0), &four, sizeof four);
	return CMSG_SPACE(sizeof four);
}

static enum mrg_io send_one(struct mrg_dgram_end *e, const struct mrg_rt_addr *from,
	const struct mrg_rt_addr *to, struct mrg_span bytes)
{
	const struct mrg_unix_udp *const u = (const struct mrg_unix_udp *)(const void *)e;
	struct mrg_unix_sockaddr sa = mrg_unix_sockaddr_of(to);
	struct iovec part = { .iov_len = bytes.len };
	struct mmsghdr one = {
		.msg_hdr = { .msg_name = &sa.any, .msg_namelen = sa.len, .msg_iov = &part, .msg_iovlen = 1 }
	};
	union control source;
	memcpy(&part.iov_base, &bytes.p,
		sizeof bytes.p); /* the kernel only reads; its type serves both directions */
	if (from != NULL && from->family != 0) {
		one.msg_hdr.msg_controllen = put_source(&source, from);
		one.msg_hdr.msg_control = source.b;
	}
	if (u->loop->sys->sendmmsg(u->watch.fd, &one, 1, MSG_DONTWAIT) == 1)
		return MRG_IO_OK;
	return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? MRG_IO_AGAIN : MRG_IO_RESET;
}

static const struct mrg_dgram_ops udp_ops = { .peer = peer, .asked = asked, .send = send_one };

int mrg_unix_udp_init(struct mrg_unix_udp *u, struct mrg_unix_loop *l, struct mrg_arena *arena, int fd,
	const struct mrg_rt_addr *bound, const struct mrg_dgram_user *user)
{
	struct mrg_unix_udp_slots *const slots =
		mrg_arena_get(arena, sizeof *slots, _Alignof(struct mrg_unix_udp_slots));
	if (slots == NULL)
		return ENOMEM;
	lay_out(slots, l, bound);
	*u = (struct mrg_unix_udp){
		.end = { .ops = &udp_ops },
		.watch = { .ready = serve, .fd = fd },
		.loop = l,
		.user = user,
		.slots = slots,
	};
	return mrg_unix_watch_set(l, &u->watch, EPOLL_CTL_ADD, EPOLLIN);
}

void mrg_unix_udp_close(struct mrg_unix_udp *u)
{
	if (u->watch.fd < 0)
		return;
	serve(&u->watch, u->loop, EPOLLIN);
	(void)close(u->watch.fd);
	u->watch.fd = -1;
}
