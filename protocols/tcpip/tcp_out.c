/*
 * Segments go out.
 */
#include "iana/net.h"
#include "net/address.h"
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

static void put_timestamps(struct mrg_w *w, uint32_t value, uint32_t echo)
{
	mrg_net_tcp_usual_options_put(
		w, &(struct mrg_net_tcp_usual_options_args){ .ts_value = value, .ts_echo_reply = echo });
}

/*
 * The checksum of a segment whose header has the sum of the pseudo-header in that place, where the link does not complete it.
 *   header   where parts[0] begins
 */
static bool complete(uint8_t *header, const struct mrg_span *parts, size_t count)
{
	uint64_t sum = 0;
	size_t at = 0;
	for (size_t i = 0; i < count; at += parts[i].len, i++)
		sum = mrg_inet16_add(sum, parts[i].p, parts[i].len, at);
	struct mrg_w w;
	mrg_w_init(&w, header + MRG_NET_TCP_CHECKSUM_AT, parts[0].len - MRG_NET_TCP_CHECKSUM_AT);
	mrg_net_internet_checksum_put(
		&w, &(struct mrg_net_internet_checksum_args){ .value = mrg_inet16_end(sum) });
	return w.st == MRG_OK;
}

/* A segment on its way: the header with room in front of it for those of IP, and the data. */
struct outgoing {
	uint8_t room[IP_FRONT + TCP_HEADER_MAX];
	struct mrg_span parts[PARTS_MAX]; /* the first one is for the header */
	size_t count;
	struct ip_out o;
};

/* What the header has in place of the checksum: the sum of the pseudo-header. */
static uint16_t begin_sum(struct outgoing *out, const struct tcp_key *k, size_t header_len)
{
	size_t len = header_len;
	for (size_t i = 1; i < out->count; i++)
		len += out->parts[i].len;
	return (uint16_t)~mrg_inet16_end(ip_pseudo_sum(k->local, k->peer, MRG_NET_IP_PROTOCOL_TCP, len));
}

/* `w` holds the header. */
static void send_segment(struct mrg_tcpip *s, struct ip_way *way, struct outgoing *out, const struct mrg_w *w)
{
	struct ip_out *const o = &out->o;
	out->parts[0] = mrg_w_span(w, 0);
	o->protocol = MRG_NET_IP_PROTOCOL_TCP;
	o->whole = true;
	o->front = out->room + IP_FRONT;
	o->summed = ip_way_sums(s, way);
	o->sum_at = MRG_NET_TCP_CHECKSUM_AT;
	o->transport_len = (uint16_t)w->len;
	if (w->st != MRG_OK || (!o->summed && !complete(o->front, out->parts, out->count)))
		return; /* can't be: what is written here fits */
	s->tcp->n.out_segs++;
	(void)ip_send(s, way, o, out->parts, out->count); /* what is lost is sent again */
}

static void header_room(struct outgoing *out, struct mrg_w *w)
{
	mrg_w_init(w, out->room + IP_FRONT, TCP_HEADER_MAX);
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
	struct outgoing out;
	out.count = 1;
	out.o = (struct ip_out){ 0 };
	const struct mrg_span list = mrg_w_span(&w, 0);
	struct mrg_w header;
	header_room(&out, &header);
	mrg_net_tcp_put(
		&header, &(struct mrg_net_tcp_args){
				 .source_port = b->key.local_port,
				 .destination_port = b->key.peer_port,
				 .sequence_number = b->seq,
				 .acknowledgment_number = b->ack ? b->ack_number : 0,
				 .syn = b->syn,
				 .ack = b->ack,
				 .rst = b->rst,
				 .ece = b->ece,
				 .cwr = b->cwr,
				 .window = (uint16_t)(b->window < UINT16_MAX ? b->window : UINT16_MAX),
				 .checksum = begin_sum(&out, &b->key, MRG_NET_TCP_SIZE_MIN + list.len),
				 .options = list,
			 });
	send_segment(s, way, &out, &header);
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

uint16_t tcp_mss_ours(struct mrg_tcpip *s, struct ip_way *way)
{
	return tcp_mss_of_mtu(way, ip_way_mtu(s, way));
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

uint32_t tcp_window(const struct tcp_conn *c)
{
	const uint32_t room = ring_most(c->stack->limits.receive_max), held = ring_len(c->in),
		       most = tcp_window_most(c), left = room > held ? room - held : 0,
		       free = (left < most ? left : most) >> c->rcv_scale << c->rcv_scale;
	const uint32_t told = c->rcv_adv - c->rcv_nxt;
	/* RFC 9293 section 3.8.6.2.2: not for less than a full segment or half of the buffer; and it never shrinks */
	const uint32_t step = most / 2u < c->h.mss ? most / 2u : c->h.mss;
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

/* A segment: data of the ring from `at`, and perhaps the FIN. */
struct segment {
	uint32_t seq, at, len;
	uint32_t full; /* bytes of data in a full one; with more than that the link cuts it */
	bool fin, psh;
	bool again; /* it has been sent before */
};

/* The header of nearly all segments. */
static void put_usual(struct tcp_conn *c, struct mrg_w *w, struct outgoing *out, const struct segment *g)
{
	const struct tcp_key k = key_of(c);
	mrg_net_tcp_timestamped_put(
		w, &(struct mrg_net_tcp_timestamped_args){
			   .source_port = k.local_port,
			   .destination_port = k.peer_port,
			   .sequence_number = g->seq,
			   .acknowledgment_number = c->rcv_nxt,
			   .psh = g->psh,
			   .window = tell_window(c),
			   .checksum = begin_sum(out, &k, MRG_NET_TCP_TIMESTAMPED_SIZE_MIN),
			   .ts_value = tcp_ms32(c->stack) + c->ts_offset,
			   .ts_echo_reply = c->ts_recent,
		   });
}

static void put_header(struct tcp_conn *c, struct mrg_w *w, struct outgoing *out, const struct segment *g)
{
	uint8_t options[MRG_NET_TCP_OPTIONS_SIZE_MAX];
	struct mrg_w list;
	mrg_w_init(&list, options, sizeof options);
	if (c->ts_ok)
		put_timestamps(&list, tcp_ms32(c->stack) + c->ts_offset, c->ts_recent);
	put_sacks(&list, c);
	const bool cwr = c->ecn_ok && c->ecn_reduced && g->len != 0 && !g->again;
	if (cwr)
		c->ecn_reduced = false;
	const struct tcp_key k = key_of(c);
	mrg_net_tcp_put(w, &(struct mrg_net_tcp_args){
				   .source_port = k.local_port,
				   .destination_port = k.peer_port,
				   .sequence_number = g->seq,
				   .acknowledgment_number = c->rcv_nxt,
				   .ack = true,
				   .fin = g->fin,
				   .psh = g->psh,
				   .ece = c->ecn_ok && c->ecn_echo,
				   .cwr = cwr,
				   .window = tell_window(c),
				   .checksum = begin_sum(out, &k, MRG_NET_TCP_SIZE_MIN + list.len),
				   .options = mrg_w_span(&list, 0),
			   });
}

/* It acknowledges all that has come. */
static void send_from(struct tcp_conn *c, const struct segment *g)
{
	struct outgoing out;
	struct mrg_w w;
	/* RFC 3168 section 6.1.5: what is sent again is not marked */
	out.o = (struct ip_out){ .ecn = c->ecn_ok && g->len != 0 && !g->again ? MRG_NET_ECN_ECT0
									      : MRG_NET_ECN_NOT_ECT,
		.segment_len = (uint16_t)(g->len > g->full ? g->full : 0) };
	out.count = 1u + ring_parts(c->out, g->at, g->len, out.parts + 1);
	header_room(&out, &w);
	if (MRG_LIKELY(c->ts_ok && c->gaps == NULL && !g->fin && !c->ecn_echo && !c->ecn_reduced))
		put_usual(c, &w, &out, g);
	else
		put_header(c, &w, &out, g);
	c->rcv_acked = c->rcv_nxt;
	c->ack_now = c->ack_set = false;
	tcp_of(c)->n.out_bytes += g->len;
	send_segment(c->stack, &c->way, &out, &w);
}

void tcp_send_syn(struct tcp_conn *c)
{
	const bool answer = c->h.m.state == MRG_NET_CONNECTION_SYN_RECEIVED;
	const bool offer =
		c->tries <
		5; /* some networks let no options through: the last tries are without (RFC 7323 section 2.5 et al.) */
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

void tcp_send_ack(struct tcp_conn *c) { send_from(c, &(struct segment){ .seq = c->snd_nxt }); }

void tcp_send_probe(struct tcp_conn *c) { send_from(c, &(struct segment){ .seq = c->snd_una - 1u }); }

/* ---- how much, and when ---- */

uint32_t tcp_pipe(const struct tcp_conn *c)
{
	const uint32_t out = c->snd_nxt - c->snd_una;
	return c->flight == NULL ? out : out - c->flight->pieces.sacked - c->flight->pieces.lost;
}

/* Bytes of one segment, or of one that the link cuts, out of `most` that may go. */
static uint32_t fit(struct tcp_conn *c, uint32_t mss, uint32_t most)
{
	const uint32_t cut = ip_way_cut_max(c->stack, &c->way);
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
	const uint32_t mss = tcp_mss(c), full = data_most(c), may = tcp_may_send(c), len = e->right - e->left;
	if (may == 0 || (may < mss && may < len)) {
		c->flight->limited = true;
		return false;
	}
	/* a window that shrank meanwhile lets one segment through, as a probe of it would */
	const uint32_t sent = pieces_resend(&c->flight->pieces, &t->pieces, e,
		fit(c, full, may < len ? may / mss * mss : len), tcp_us32(c->stack));
	const bool fin = c->fin_sent && e->left + sent == c->snd_nxt;
	const uint32_t at = e->left - c->snd_una, data = sent - fin;
	t->n.retrans_segs++;
	if (c->flight->recovering)
		c->flight->sent += sent;
	send_from(c, &(struct segment){ .seq = e->left,
			     .at = at,
			     .len = data,
			     .full = full,
			     .fin = fin,
			     .psh = at + data == ring_len(c->out),
			     .again = true });
	return true;
}

/*
 * How much new data goes into the next segment (RFC 9293 section 3.8.6.2.1, SWS avoidance; section 3.7.4, Nagle).
 *   mss     of a full segment
 *   ready   bytes that wait and are not sent;   window, may: bytes that the peer and the network take
 */
static uint32_t next_len(struct tcp_conn *c, uint32_t mss, uint32_t ready, uint32_t window, uint32_t may)
{
	uint32_t len = ready < window ? ready : window;
	if (len > may) {
		if (c->flight != NULL)
			c->flight->limited = true;
		len = may;
	}
	if (len > mss)
		len = fit(c, mss, len);
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
	const uint32_t full = data_most(c), len = next_len(c, full, ready, window, tcp_may_send(c));
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
	send_from(c, &(struct segment){ .seq = c->snd_nxt - len - fin,
			     .at = out,
			     .len = len,
			     .full = full,
			     .fin = fin,
			     .psh = len == ready && len != 0 });
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
