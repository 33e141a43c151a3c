/*
 * Segments go out.
 */
#include "iana/net.h"
#include "net/ip4.h"
#include "net/ip6.h"
#include "protocols/tcpip/tcp.h"

enum {
	BURST_MAX =
		64, /* segments, cut ones counted as one, that a connection sends at a time: others have their turn too */
	FILL_MS =
		500, /* that a small window may become larger: 0.1 to 1 second (RFC 9293 section 3.8.6.2.1) */
	PARTS_MAX = 3 /* the header, and data that may go round the end of its ring */
};

/* ---- headers ---- */

struct flags {
	bool syn, ack, fin, rst, psh, ece, cwr;
};

static void put_timestamps(struct mrg_w *w, uint32_t value, uint32_t echo)
{
	mrg_net_tcp_usual_options_put(
		w, &(struct mrg_net_tcp_usual_options_args){ .ts_value = value, .ts_echo_reply = echo });
}

/* The checksum of a segment whose header has the sum of the pseudo-header in that place, where the link does not complete it. */
static bool complete(uint8_t *header, const struct mrg_span *parts, size_t count)
{
	uint64_t sum = 0;
	size_t at = 0;
	for (size_t i = 0; i < count; at += parts[i].len, i++)
		sum = mrg_inet16_add(sum, parts[i].p, parts[i].len, at);
	struct mrg_net_tcp v;
	return mrg_net_tcp_check(parts[0], &v, NULL) == MRG_OK &&
	       mrg_net_tcp_set_checksum(&v, header, mrg_inet16_end(sum)) == MRG_OK;
}

/* parts[0] is for the header. */
static void send_segment(struct mrg_tcpip *s, struct ip_way *way, const struct tcp_key *k,
	const struct mrg_net_tcp_args *args, struct mrg_span *parts, size_t count, struct ip_out *o)
{
	uint8_t room[TCP_HEADER_MAX];
	struct mrg_net_tcp_args a = *args;
	size_t len = MRG_NET_TCP_SIZE_MIN + a.options.len;
	o->transport_len = (uint16_t)len;
	for (size_t i = 1; i < count; i++)
		len += parts[i].len;
	o->protocol = MRG_NET_IP_PROTOCOL_TCP;
	o->whole = true;
	o->summed = ip_way_sums(s, way);
	o->sum_at = MRG_NET_TCP_CHECKSUM_AT;
	a.source_port = k->local_port;
	a.destination_port = k->peer_port;
	a.checksum = (uint16_t)~mrg_inet16_end(ip_pseudo_sum(k->local, k->peer, o->protocol, len));
	struct mrg_w w;
	mrg_w_init(&w, room, sizeof room);
	mrg_net_tcp_put(&w, &a);
	parts[0] = mrg_w_span(&w, 0);
	if (w.st != MRG_OK || (!o->summed && !complete(room, parts, count)))
		return; /* can't be: what is written here fits */
	s->tcp->n.out_segs++;
	(void)ip_send(s, way, o, parts, count); /* what is lost is sent again */
}

void tcp_send_bare(struct mrg_tcpip *s, struct ip_way *way, const struct tcp_bare *b)
{
	uint8_t options[MRG_NET_TCP_OPTIONS_SIZE_MAX];
	struct mrg_w w;
	mrg_w_init(&w, options, sizeof options);
	if (b->syn)
		mrg_net_tcp_mss_put(&w, &(struct mrg_net_tcp_mss_args){ .mss = b->mss });
	if (b->sack_permitted)
		mrg_net_tcp_sack_permitted_put(&w, &(struct mrg_net_tcp_sack_permitted_args){ 0 });
	if (b->has_ts)
		put_timestamps(&w, b->ts_value, b->ts_echo);
	if (b->has_scale)
		mrg_net_tcp_window_scale_put(
			&w, &(struct mrg_net_tcp_window_scale_args){ .shift_cnt = b->scale });
	const struct mrg_net_tcp_args a = {
		.sequence_number = b->seq,
		.acknowledgment_number = b->ack ? b->ack_number : 0,
		.syn = b->syn,
		.ack = b->ack,
		.rst = b->rst,
		.ece = b->ece,
		.cwr = b->cwr,
		.window = (uint16_t)(b->window < UINT16_MAX ? b->window : UINT16_MAX),
		.options = mrg_w_span(&w, 0),
	};
	struct mrg_span part[1];
	struct ip_out o = { 0 };
	send_segment(s, way, &b->key, &a, part, 1, &o);
}

/* RFC 9293 section 3.10.7.1: what nobody waits for is answered so that its sender believes it. */
void tcp_reset_for(struct mrg_tcpip *s, const struct tcp_seg *g)
{
	const struct tcp_key k = { &g->in->to, &g->in->from, g->destination_port, g->source_port };
	struct ip_way way = { .from = *k.local, .to = *k.peer };
	s->tcp->n.out_rsts++;
	tcp_send_bare(s, &way,
		&(struct tcp_bare){ .key = k,
			.rst = true,
			.seq = g->ack ? g->ack_number : 0,
			.ack = !g->ack,
			.ack_number = g->seq + g->len });
}

/* ---- of a connection ---- */

static struct tcp_key key_of(const struct tcp_conn *c)
{
	return (struct tcp_key){ &c->way.from, &c->way.to, c->h.local_port, c->h.peer_port };
}

/* Bytes of data in the longest segment without options that goes this way whole. */
static uint16_t mss_of_mtu(const struct ip_way *way, uint32_t mtu)
{
	const uint32_t headers =
		MRG_NET_TCP_SIZE_MIN + (ip_is4(&way->to) ? MRG_NET_IP4_SIZE_MIN : MRG_NET_IP6_SIZE_MIN);
	return (uint16_t)(mtu > headers ? mtu - headers : 0);
}

uint16_t tcp_mss_ours(struct mrg_tcpip *s, struct ip_way *way) { return mss_of_mtu(way, ip_way_mtu(s, way)); }

/* RFC 9293 section 3.7.1: what the peer takes, and no more than the way there carries, as it was when it was looked up last. */
uint32_t tcp_mss(const struct tcp_conn *c)
{
	const uint32_t options = c->ts_ok ? MRG_NET_TCP_USUAL_OPTIONS_SIZE_MIN : 0,
		       path = mss_of_mtu(&c->way, c->way.mtu);
	return (path != 0 && path < c->mss ? path : c->mss) - options;
}

/* Blocks that the next segment tells of. */
static unsigned sack_count(const struct tcp_conn *c)
{
	if (c->gaps == NULL || !c->sack_ok)
		return 0;
	const unsigned most = c->ts_ok ? MRG_NET_TCP_SACK_MAX - 1u : MRG_NET_TCP_SACK_MAX;
	const bool again = c->gaps->again.left != c->gaps->again.right;
	const unsigned count = c->gaps->ranges.count + (again ? 1u : 0u);
	return count < most ? count : most;
}

/* Bytes of data in a full segment that also tells of them. */
static uint32_t data_most(const struct tcp_conn *c)
{
	const unsigned count = sack_count(c);
	return tcp_mss(c) -
	       (count != 0 ? MRG_NET_TCP_SACK_SIZE_MIN + count * MRG_NET_TCP_SACK_BLOCK_SIZE_MAX : 0);
}

uint32_t tcp_window_most(const struct tcp_conn *c)
{
	const uint32_t room = ring_most(c->stack->limits.receive_max),
		       field = (uint32_t)UINT16_MAX << c->rcv_scale;
	return room < field ? room : field;
}

uint32_t tcp_window(const struct tcp_conn *c)
{
	const uint32_t room = ring_most(c->stack->limits.receive_max), held = ring_len(c->in),
		       most = tcp_window_most(c), left = room > held ? room - held : 0,
		       free = (left < most ? left : most) >> c->rcv_scale << c->rcv_scale;
	const uint32_t told = c->rcv_adv - c->rcv_nxt;
	/* RFC 9293 section 3.8.6.2.2: not for less than a full segment or half of the buffer; and it never shrinks */
	const uint32_t step = most / 2u < c->mss ? most / 2u : c->mss;
	return free >= told + step ? free : told;
}

/* The window as it goes out; from now on the peer may count on it. */
static uint16_t tell_window(struct tcp_conn *c)
{
	const uint32_t window = tcp_window(c);
	uint32_t field = window >> c->rcv_scale;
	if (field > UINT16_MAX)
		field = UINT16_MAX;
	const uint32_t right = c->rcv_nxt + (field << c->rcv_scale);
	c->rcv_adv = seq_max(c->rcv_adv, right);
	return (uint16_t)field;
}

static void put_sacks(struct mrg_w *w, struct tcp_conn *c)
{
	struct tcp_range r[MRG_NET_TCP_SACK_MAX];
	struct mrg_net_tcp_sack_build sack;
	const unsigned most = sack_count(c);
	unsigned count = 0;
	if (most == 0)
		return;
	if (c->gaps->again.left != c->gaps->again.right)
		r[count++] = c->gaps->again;
	c->gaps->again = (struct tcp_range){ 0, 0 };
	count += ranges_sack(&c->gaps->ranges, r + count, most - count);
	tcp_gaps_put(c);
	mrg_net_tcp_sack_begin(w, &sack, &(struct mrg_net_tcp_sack_args){ 0 });
	for (unsigned i = 0; i < count; i++) {
		mrg_net_tcp_sack_blocks_add(w, &sack);
		mrg_net_tcp_sack_block_put(w, &(struct mrg_net_tcp_sack_block_args){ r[i].left, r[i].right });
	}
	mrg_net_tcp_sack_end(w, &sack);
}

/* A segment from `seq` on: data of the ring from `at`, and perhaps the FIN. It acknowledges all that has come. */
static void send_from(struct tcp_conn *c, uint32_t seq, uint32_t at, uint32_t len, struct flags f, bool again)
{
	uint8_t options[MRG_NET_TCP_OPTIONS_SIZE_MAX];
	const uint32_t full = data_most(c);
	struct mrg_w w;
	mrg_w_init(&w, options, sizeof options);
	if (c->ts_ok)
		put_timestamps(&w, tcp_ms32(c->stack) + c->ts_offset, c->ts_recent);
	put_sacks(&w, c);
	const struct tcp_key k = key_of(c);
	struct mrg_net_tcp_args a = {
		.sequence_number = seq,
		.acknowledgment_number = c->rcv_nxt,
		.ack = true,
		.fin = f.fin,
		.psh = f.psh,
		.ece = c->ecn_ok && c->ecn_echo,
		.cwr = c->ecn_ok && c->ecn_reduced && len != 0 && !again,
		.window = tell_window(c),
		.options = mrg_w_span(&w, 0),
	};
	if (a.cwr)
		c->ecn_reduced = false;
	struct mrg_span parts[PARTS_MAX];
	const size_t count = 1u + (len != 0 ? ring_parts(c->out, at, len, parts + 1) : 0);
	/* RFC 3168 section 6.1.5: what is sent again is not marked */
	struct ip_out o = { .ecn = c->ecn_ok && len != 0 && !again ? MRG_NET_ECN_ECT0 : MRG_NET_ECN_NOT_ECT,
		.segment_len = (uint16_t)(len > full ? full : 0) };
	c->rcv_acked = c->rcv_nxt;
	c->ack_now = c->ack_set = false;
	tcp_of(c)->n.out_bytes += len;
	send_segment(c->stack, &c->way, &k, &a, parts, count, &o);
}

void tcp_send_syn(struct tcp_conn *c)
{
	const bool answer = c->h.m.state == MRG_NET_CONNECTION_SYN_RECEIVED;
	const bool offer =
		c->tries <
		3; /* some networks let no options through: the last tries are without (RFC 7323 section 2.5 et al.) */
	tcp_send_bare(c->stack, &c->way,
		&(struct tcp_bare){
			.key = key_of(c),
			.seq = c->snd_una,
			.ack_number = c->rcv_nxt,
			.window = tcp_window_first(c->stack),
			.syn = true,
			.ack = answer,
			.ece = c->ecn_ok && !answer && c->tries == 0,
			.cwr = c->ecn_ok && !answer && c->tries == 0,
			.mss = tcp_mss_ours(c->stack, &c->way),
			.has_ts = answer ? c->ts_ok : offer,
			.ts_value = tcp_ms32(c->stack) + c->ts_offset,
			.ts_echo = c->ts_recent,
			.sack_permitted = answer ? c->sack_ok : offer,
			.has_scale = answer ? c->rcv_scale != 0 : offer,
			.scale = tcp_receive_scale(c->stack),
		});
	if (c->tries != 0)
		tcp_of(c)->n.retrans_segs++;
}

void tcp_send_reset(struct tcp_conn *c)
{
	tcp_of(c)->n.out_rsts++;
	tcp_send_bare(c->stack, &c->way,
		&(struct tcp_bare){ .key = key_of(c),
			.seq = c->snd_nxt,
			.ack_number = c->rcv_nxt,
			.rst = true,
			.ack = true });
}

void tcp_send_ack(struct tcp_conn *c) { send_from(c, c->snd_nxt, 0, 0, (struct flags){ 0 }, false); }

void tcp_send_probe(struct tcp_conn *c) { send_from(c, c->snd_una - 1u, 0, 0, (struct flags){ 0 }, false); }

/* ---- how much, and when ---- */

uint32_t tcp_pipe(const struct tcp_conn *c)
{
	const uint32_t out = c->snd_nxt - c->snd_una;
	return c->flight == NULL ? out : out - c->flight->pieces.sacked - c->flight->pieces.lost;
}

/* Bytes of one segment, or of one that the link cuts, out of `most` that may go. */
static uint32_t fit(struct tcp_conn *c, uint32_t most)
{
	const uint32_t mss = data_most(c), cut = ip_way_cut_max(c->stack, &c->way);
	const uint32_t headers = MRG_NET_IP6_SIZE_MIN + TCP_HEADER_MAX;
	const uint32_t one = cut > headers + 2u * mss ? cut - headers : mss;
	return most < one ? most : one >= 2u * mss ? one / mss * mss : one;
}

/* A lost piece goes out again.   Returns: false when no more may. */
static bool send_lost(struct tcp_conn *c)
{
	struct tcp_state *const t = tcp_of(c);
	struct tcp_piece *const e = pieces_lost(&c->flight->pieces);
	if (e == NULL)
		return false;
	const uint32_t mss = tcp_mss(c), may = tcp_may_send(c), len = e->right - e->left;
	if (may == 0 || (may < mss && may < len)) {
		c->flight->limited = true;
		return false;
	}
	/* a window that shrank meanwhile lets one segment through, as a probe of it would */
	const uint32_t sent = pieces_resend(&c->flight->pieces, &t->pieces, e,
		fit(c, may < len ? may / mss * mss : len), tcp_us32(c->stack));
	const bool fin = c->fin_sent && e->left + sent == c->snd_nxt;
	const uint32_t at = e->left - c->snd_una, data = sent - fin;
	t->n.retrans_segs++;
	if (c->flight->recovering)
		c->flight->sent += sent;
	send_from(c, e->left, at, data, (struct flags){ .fin = fin, .psh = at + data == ring_len(c->out) },
		true);
	return true;
}

/*
 * How much new data goes into the next segment (RFC 9293 section 3.8.6.2.1, SWS avoidance; section 3.7.4, Nagle).
 *   ready   bytes that wait and are not sent;   window, may: bytes that the peer and the network take
 */
static uint32_t next_len(struct tcp_conn *c, uint32_t ready, uint32_t window, uint32_t may)
{
	const uint32_t mss = data_most(c);
	uint32_t len = ready < window ? ready : window;
	if (len > may) {
		if (c->flight != NULL)
			c->flight->limited = true;
		len = may;
	}
	if (len > mss)
		len = fit(c, len);
	if (len == 0)
		return 0;
	if (len >= mss)
		return len == ready ? len : len / mss * mss;
	if (len == ready) {
		const bool idle = c->snd_nxt == c->snd_una;
		const bool hold = c->more || (c->stack->limits.nagle && !idle && !c->finished);
		return hold ? 0 : len;
	}
	/* less than there is, because of the window or the network: the latter opens again when something is acknowledged */
	return window < may && (c->fill || len >= c->snd_wnd_max / 2u) ? len : 0;
}

/* New data, or the FIN, goes out.   Returns: false when nothing did. */
static bool send_new(struct tcp_conn *c)
{
	struct tcp_state *const t = tcp_of(c);
	const uint32_t out = c->snd_nxt - c->snd_una;
	if (c->fin_sent)
		return false;
	const uint32_t ready = ring_len(c->out) - out;
	if (ready == 0 && !c->finished)
		return false;
	struct tcp_flight *const f = tcp_flight_get(c);
	if (f == NULL)
		return false;
	const uint32_t window = seq_lt(c->snd_nxt, c->snd_una + c->snd_wnd) ? c->snd_wnd - out : 0;
	const uint32_t len = next_len(c, ready, window, tcp_may_send(c));
	const bool fin = c->finished && len == ready;
	if (len == 0 && !fin)
		return false;
	if (!pieces_add(&f->pieces, &t->pieces, c->snd_nxt, c->snd_nxt + len + fin, tcp_us32(c->stack))) {
		t->n.piece_full++;
		return false;
	}
	if (out == 0)
		c->wait_ms = tcp_ms32(c->stack);
	if (f->recovering)
		f->sent += len;
	c->snd_nxt += len + fin;
	c->fin_sent = fin;
	send_from(c, c->snd_nxt - len - fin, out, len,
		(struct flags){ .fin = fin, .psh = len == ready && len != 0 }, false);
	return true;
}

/*
 * The peer takes nothing and nothing is under way: ask now and then (RFC 9293 section 3.8.6.1); or it takes little: wait for more, but
 * not long (section 3.8.6.2.1).
 */
static void probe_window(struct tcp_conn *c)
{
	if (c->retransmit_set || c->snd_nxt != c->snd_una || ring_len(c->out) == 0 || c->more)
		return;
	const bool little = c->snd_wnd != 0 && tcp_rto_ms(c) > FILL_MS;
	tcp_retransmit_set(c, TCP_PERSIST, little ? FILL_MS : tcp_rto_ms(c));
}

bool tcp_output(struct tcp_conn *c)
{
	const uint8_t state = c->h.m.state;
	if (state < MRG_NET_CONNECTION_ESTABLISHED) {
		/* both have opened at once: the SYN,ACK is old, and the answer to it what the peer waits for (RFC 9293 section 3.10.7.4) */
		if (state == MRG_NET_CONNECTION_SYN_RECEIVED && c->ack_now)
			tcp_send_ack(c);
		return false;
	}
	(void)ip_way_mtu(c->stack, &c->way); /* for tcp_mss: the MTU may have changed */
	bool sent = false;
	if (c->flight != NULL)
		c->flight->limited = false;
	unsigned burst = 0;
	while (burst < BURST_MAX &&
		((c->flight != NULL && c->flight->pieces.lost != 0 && send_lost(c)) ||
			((c->flight == NULL || c->flight->pieces.lost == 0) && send_new(c)))) {
		sent = true;
		burst++;
	}
	if (sent)
		tcp_sent_something(c);
	else
		probe_window(c);
	if (c->ack_now)
		tcp_send_ack(c);
	return burst == BURST_MAX;
}
