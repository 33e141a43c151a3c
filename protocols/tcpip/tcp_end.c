/*
 * What users of connections call: the streams of mrg_rt.h, listeners, attempts.
 */
#include "iana/net.h"
#include "protocols/tcpip/tcp.h"

enum {
	STARVED_MS = 20, /* until one that found no memory is asked again */
	ORPHAN_CHECK_MS = 1000,
	PORT_FIRST = 49152, /* RFC 6335 section 6, dynamic ports */
	PORT_COUNT = 16384
};

/* ---- reading ---- */

/* Tell the peer when its window has opened so far that it matters: it was all but shut (RFC 9293 section 3.8.6.2.2). */
static void window_opened(struct tcp_conn *c)
{
	const uint32_t told = c->rcv_adv - c->rcv_nxt;
	if (MRG_LIKELY(told > tcp_window_most(c) / 2u) || c->ended ||
		c->h.m.state < MRG_NET_CONNECTION_ESTABLISHED || tcp_window(c) / 2u < told)
		return;
	c->ack_now = true;
	tcp_work(c);
}

static enum mrg_io stream_read(struct mrg_stream *s, uint8_t *p, size_t cap, size_t *got)
{
	struct tcp_conn *const c = tcp_conn_of(s);
	if (c->broken)
		return MRG_IO_RESET;
	const uint32_t have = ring_len(c->in);
	if (have == 0)
		return c->ended                                    ? MRG_IO_EOF
		       : c->h.m.state == MRG_NET_CONNECTION_CLOSED ? MRG_IO_RESET
								   : MRG_IO_AGAIN;
	const uint32_t len = have < cap ? have : (uint32_t)cap;
	struct mrg_span part[2];
	const size_t parts = ring_parts(c->in, 0, len, part);
	for (size_t i = 0, at = 0; i < parts; at += part[i].len, i++)
		memcpy(p + at, part[i].p, part[i].len);
	ring_drop(c->in, len);
	if (ring_len(c->in) == 0 && c->gaps == NULL)
		tcp_ring_empty(c, &c->in);
	*got = len;
	window_opened(c);
	return MRG_IO_OK;
}

/* ---- writing ---- */

/* Room for up to `want` bytes in the ring.   Returns: how many; 0: none now. */
static uint32_t room_for(struct tcp_conn *c, size_t want)
{
	const uint32_t most = ring_most(c->stack->limits.send_max), have = ring_len(c->out);
	const uint32_t room = have < most ? most - have : 0, len = want < room ? (uint32_t)want : room;
	if (len == 0 || ring_room(&c->out, &tcp_of(c)->buffers, have + len, c->stack->limits.send_max))
		return len;
	const uint32_t left = c->out != NULL ? c->out->cap - have : 0;
	if (left == 0) {
		tcp_of(c)->n.buffer_full++;
		c->starved = true;
		tcp_long_set(c, STARVED_MS);
	}
	return left;
}

static enum mrg_io stream_write(
	struct mrg_stream *s, const struct mrg_span *parts, size_t count, bool more, size_t *done)
{
	struct tcp_conn *const c = tcp_conn_of(s);
	if (c->broken || !tcp_may_write(c))
		return MRG_IO_RESET;
	size_t all = 0;
	for (size_t i = 0; i < count; i++)
		all += parts[i].len;
	const uint32_t room = room_for(c, all);
	if (room == 0 && all != 0)
		return MRG_IO_AGAIN;
	uint32_t left = room;
	for (size_t i = 0; i < count && left != 0; i++) {
		const uint32_t len = parts[i].len < left ? (uint32_t)parts[i].len : left;
		ring_put(c->out, ring_len(c->out), (struct mrg_span){ parts[i].p, len });
		ring_grow(c->out, len);
		left -= len;
	}
	c->more = more && room == all;
	*done = room;
	tcp_work(c);
	return MRG_IO_OK;
}

static enum mrg_io stream_send_file(
	struct mrg_stream *s, const struct mrg_rt_file *f, uint64_t offset, uint64_t len, size_t *done)
{
	struct tcp_conn *const c = tcp_conn_of(s);
	if (c->broken || !tcp_may_write(c) || f->read == NULL)
		return MRG_IO_RESET;
	const uint32_t room =
		room_for(c, len < c->stack->limits.send_max ? (size_t)len : c->stack->limits.send_max);
	if (room == 0)
		return MRG_IO_AGAIN;
	struct mrg_span part[2];
	const size_t parts = ring_parts(c->out, ring_len(c->out), room, part);
	size_t all = 0;
	for (size_t i = 0; i < parts; i++) {
		size_t got = 0;
		const enum mrg_io io =
			f->read(f, offset + all, ring_writable(c->out, part[i]), part[i].len, &got);
		if (io != MRG_IO_OK && all == 0)
			return io;
		all += got;
		if (io != MRG_IO_OK || got < part[i].len)
			break;
	}
	ring_grow(c->out, (uint32_t)all);
	c->more = false;
	*done = all;
	tcp_work(c);
	return MRG_IO_OK;
}

/* ---- the end ---- */

static void stream_want(struct mrg_stream *s, unsigned events)
{
	struct tcp_conn *const c = tcp_conn_of(s);
	c->want = (uint8_t)events;
	if ((tcp_events(c) & events) != 0)
		tcp_work(c);
}

static void stream_finish(struct mrg_stream *s)
{
	struct tcp_conn *const c = tcp_conn_of(s);
	c->more = false;
	(void)mrg_net_connection_on_close(&c->h.m, c);
	tcp_machine_settle(c);
}

static void stream_close(struct mrg_stream *s)
{
	struct tcp_conn *const c = tcp_conn_of(s);
	c->of.user = NULL;
	c->want = 0;
	c->more = false;
	if (c->broken || c->h.m.state == MRG_NET_CONNECTION_CLOSED) {
		tcp_conn_free(c);
		return;
	}
	/* what came and was not read is lost, and the peer must know (RFC 9293 section 3.6.1) */
	if (ring_len(c->in) != 0)
		(void)mrg_net_connection_on_abort(&c->h.m, c);
	else
		(void)mrg_net_connection_on_close(&c->h.m, c);
	tcp_long_set(c, ORPHAN_CHECK_MS);
	tcp_machine_settle(c);
}

static void stream_peer(struct mrg_stream *s, struct mrg_rt_addr *out)
{
	const struct tcp_conn *const c = tcp_conn_of(s);
	ip_to_rt(&c->way.to, c->h.peer_port, c->way.only, out);
}

const struct mrg_stream_ops tcp_stream_ops = {
	.read = stream_read,
	.write = stream_write,
	.send_file = stream_send_file,
	.want = stream_want,
	.finish = stream_finish,
	.close = stream_close,
	.peer = stream_peer,
};

/* In FIN-WAIT-2 all that was sent has come: an orphan there waits for the peer's FIN only. */
static bool is_busy(const struct tcp_head *h)
{
	const struct tcp_conn *const c = (const struct tcp_conn *)(const void *)h;
	return h->kind == TCP_CONN && (c->of.user != NULL || h->m.state != MRG_NET_CONNECTION_FIN_WAIT2);
}

bool mrg_tcpip_busy(const struct mrg_tcpip *s)
{
	const struct tcp_state *const t = s->tcp;
	for (uint32_t slot = 0; t->conn_count != 0 && slot <= t->mask; slot++)
		for (const struct tcp_head *h = t->table[slot]; h != NULL; h = h->next)
			if (is_busy(h))
				return true;
	return false;
}

/* ---- listeners ---- */

static bool port_taken(const struct tcp_state *t, const struct ip *at, uint8_t family, uint16_t port)
{
	for (uint32_t i = 0; i < t->stack->limits.listener_count; i++) {
		const struct mrg_tcpip_listener *const l = &t->listeners[i];
		if (l->user != NULL && l->port == port && l->family == family && ip_same(&l->at, at))
			return true;
	}
	return false;
}

/* By chance: a hash of how many were asked for, as no peer is known yet. */
static uint16_t listener_port(struct mrg_tcpip *s, const struct ip *at)
{
	const struct tcp_key k = { at, at, 0, (uint16_t)s->tcp->port_next++ };
	return (uint16_t)(PORT_FIRST + tcp_ts_offset(s, &k) % PORT_COUNT);
}

struct mrg_tcpip_listener *mrg_tcpip_listen(
	struct mrg_tcpip *s, struct mrg_rt_addr *a, const struct mrg_stream_user *user)
{
	struct tcp_state *const t = s->tcp;
	const struct mrg_rt_addr unspecified = { .family = a->family };
	struct mrg_rt_addr host = *a;
	host.port = 0;
	host.scope = 0;
	const struct ip at = mrg_rt_addr_same(&host, &unspecified) ? (struct ip){ { 0 } } : ip_of(a);
	for (uint32_t i = 0; a->port == 0 && i < PORT_COUNT; i++) {
		const uint16_t port = listener_port(s, &at);
		a->port = port_taken(t, &at, a->family, port) ? 0 : port;
	}
	if (a->port == 0 || port_taken(t, &at, a->family, a->port))
		return NULL;
	for (uint32_t i = 0; i < s->limits.listener_count; i++) {
		struct mrg_tcpip_listener *const l = &t->listeners[i];
		if (l->user != NULL)
			continue;
		*l = (struct mrg_tcpip_listener){
			.stack = s, .at = at, .user = user, .port = a->port, .family = a->family
		};
		return l;
	}
	return NULL;
}

void mrg_tcpip_listener_close(struct mrg_tcpip_listener *l) { l->user = NULL; }

/* ---- attempts ---- */

/* RFC 6056 section 3.3.3: a sequence of ports for each peer, that nobody else can tell. */
static bool choose_port(struct mrg_tcpip *s, struct tcp_key *k)
{
	struct tcp_state *const t = s->tcp;
	k->local_port = 0;
	const uint32_t offset = tcp_ts_offset(s, k);
	for (uint32_t i = 0; i < PORT_COUNT; i++) {
		k->local_port = (uint16_t)(PORT_FIRST + (offset + t->port_next++) % PORT_COUNT);
		if (tcp_find(t, k) == NULL)
			return true;
	}
	return false;
}

bool mrg_tcpip_connect(struct mrg_tcpip *s, struct mrg_tcpip_connect *a, const struct mrg_rt_addr *from,
	const struct mrg_rt_addr *to)
{
	struct ip_way way = { .to = ip_of(to), .only = (uint16_t)to->scope };
	if (from != NULL && from->family != 0)
		way.from = ip_of(from);
	a->conn = NULL;
	if (!ip_way_find(s, &way) || ip_is_multicast(&way.to))
		return false;
	struct tcp_key k = { &way.from, &way.to, from != NULL ? from->port : 0, to->port };
	if (k.local_port == 0 ? !choose_port(s, &k) : tcp_find(s->tcp, &k) != NULL)
		return false;
	struct tcp_conn *const c = tcp_conn_new(s, &k);
	if (c == NULL)
		return false;
	c->way = way;
	c->of.attempt = a;
	a->conn = c;
	c->h.mss = tcp_mss_ours(s, &way);
	c->snd_una = tcp_isn(s, &k);
	c->snd_nxt = c->snd_una + 1u;
	c->ts_offset = tcp_ts_offset(s, &k);
	c->heard_ms = c->wait_ms = tcp_ms32(s);
	c->ecn_ok = true;
	(void)mrg_net_connection_on_connect(&c->h.m, c);
	return true;
}

void mrg_tcpip_connect_cancel(struct mrg_tcpip_connect *a)
{
	struct tcp_conn *const c = a->conn;
	if (c == NULL)
		return;
	c->of.attempt = NULL;
	a->conn = NULL;
	(void)mrg_net_connection_on_abort(&c->h.m, c);
	tcp_machine_settle(c);
}
