/*
 * Connections begin: SYNs that come, those that are half open, SYN cookies, and TIME-WAIT, out of which a new one may begin.
 */
#include "iana/net.h"
#include "protocols/tcpip/tcp.h"

enum {
	ISN_STEP_NS = 4096,  /* RFC 6528 section 3: about 4 microseconds */
	MSS_DEFAULT = 536,   /* RFC 9293 section 3.7.1 */
	MSS_LEAST = 64,      /* of what a peer may ask for: less would be all headers (CVE-2019-11479) */
	COOKIE_SECONDS = 64, /* a step of SynCookie.time */
	COOKIE_STEPS = 2     /* that are accepted, with the present one */
};

/* What a peer's MSS is rounded down to in a cookie: its three bits. */
static const uint16_t cookie_mss[] = { 216, 536, 1024, 1220, 1300, 1400, 1440, 1460 };

/* ---- numbers that nobody can tell ---- */

static uint64_t keyed(struct mrg_tcpip *s, const struct tcp_key *k, uint32_t a, uint32_t b)
{
	uint8_t bytes[sizeof k->local->b + sizeof k->peer->b + 2 * sizeof(uint16_t) + 2 * sizeof(uint32_t)];
	struct mrg_w w;
	mrg_w_init(&w, bytes, sizeof bytes);
	mrg_w_put(&w, (struct mrg_span){ k->local->b, sizeof k->local->b });
	mrg_w_put(&w, (struct mrg_span){ k->peer->b, sizeof k->peer->b });
	mrg_w_be16(&w, k->local_port);
	mrg_w_be16(&w, k->peer_port);
	mrg_w_be32(&w, a);
	mrg_w_be32(&w, b);
	return mrg_rt_hash(s->world.secret, mrg_w_span(&w, 0));
}

enum { KEY_ISN, KEY_TIMESTAMP, KEY_COOKIE }; /* so that one tells nothing of the other */

uint32_t tcp_isn(struct mrg_tcpip *s, const struct tcp_key *k)
{
	return (uint32_t)(keyed(s, k, KEY_ISN, 0) + stack_now(s) / ISN_STEP_NS);
}

uint32_t tcp_ts_offset(struct mrg_tcpip *s, const struct tcp_key *k)
{
	return (uint32_t)keyed(s, k, KEY_TIMESTAMP, 0);
}

/* ---- windows and options ---- */

uint8_t tcp_receive_scale(const struct mrg_tcpip *s)
{
	uint8_t scale = 0;
	while (scale < MRG_NET_TCP_SCALE_MAX && s->limits.receive_max >> scale > UINT16_MAX)
		scale++;
	return scale;
}

uint32_t tcp_window_first(const struct mrg_tcpip *s)
{
	const uint32_t most = ring_most(s->limits.receive_max);
	return most < UINT16_MAX ? most : UINT16_MAX;
}

static uint16_t usable_mss(const struct tcp_seg *g)
{
	if (g->mss == 0)
		return MSS_DEFAULT;
	return g->mss < MSS_LEAST ? MSS_LEAST : g->mss;
}

void tcp_options_agreed(struct tcp_conn *c, const struct tcp_seg *g)
{
	c->h.mss = usable_mss(g);
	c->ts_ok = g->has_ts;
	c->sack_ok = g->sack_permitted;
	c->snd_scale = g->has_scale ? g->scale : 0;
	c->rcv_scale = g->has_scale ? tcp_receive_scale(c->stack) : 0;
	if (g->has_ts) {
		c->ts_recent = g->ts_value;
	}
}

/* ---- SYN cookies ---- */

static uint32_t cookie_time(const struct mrg_tcpip *s)
{
	return (uint32_t)(stack_now(s) / MRG_RT_SECOND_NS / COOKIE_SECONDS);
}

/* What was written as four octets, as one number. */
static uint32_t number_in(const struct mrg_w *w)
{
	struct mrg_net_tcp_number n;
	return mrg_net_tcp_number_check(mrg_w_span(w, 0), &n, NULL) == MRG_OK ? mrg_net_tcp_number_number(&n)
									      : 0;
}

static uint32_t cookie_make(
	struct mrg_tcpip *s, const struct tcp_key *k, uint32_t irs, uint32_t time, unsigned mss)
{
	uint8_t b[sizeof(uint32_t)] = { 0 };
	struct mrg_w w;
	mrg_w_init(&w, b, sizeof b);
	const uint64_t mac = keyed(s, k, KEY_COOKIE + time, irs) % MRG_NET_COOKIE_MACS;
	mrg_net_syn_cookie_put(
		&w, &(struct mrg_net_syn_cookie_args){ .time = (uint8_t)(time % MRG_NET_COOKIE_TIMES),
			    .mss = (uint8_t)mss,
			    .mac = (uint32_t)mac });
	return number_in(&w);
}

static uint32_t cookie_timestamp(const struct mrg_tcpip *s, const struct tcp_seg *g, bool ecn)
{
	uint8_t b[sizeof(uint32_t)] = { 0 };
	struct mrg_w w;
	mrg_w_init(&w, b, sizeof b);
	/* one step back, so that it is behind what the connection will send next */
	const uint32_t step_ms = MRG_NET_COOKIE_STEP, now_ms = tcp_ms32(s);
	mrg_net_cookie_timestamp_put(&w, &(struct mrg_net_cookie_timestamp_args){
						 .time = now_ms < step_ms ? 0 : now_ms / step_ms - 1u,
						 .ecn = ecn,
						 .sack = g->sack_permitted,
						 .scale = g->has_scale ? g->scale : MRG_NET_COOKIE_NO_SCALE,
					 });
	return number_in(&w);
}

static struct tcp_key key_of_seg(const struct tcp_seg *g)
{
	return (struct tcp_key){ &g->in->to, &g->in->from, g->destination_port, g->source_port };
}

static void answer_with_cookie(struct mrg_tcpip *s, const struct tcp_seg *g)
{
	const struct tcp_key k = key_of_seg(g);
	unsigned mss = 0;
	while (mss + 1u < sizeof cookie_mss / sizeof *cookie_mss && cookie_mss[mss + 1u] <= usable_mss(g))
		mss++;
	struct ip_way way = { .from = *k.local, .to = *k.peer };
	tcp_send_bare(s, &way,
		&(struct tcp_bare){
			.key = k,
			.seq = cookie_make(s, &k, g->seq, cookie_time(s), mss),
			.ack_number = g->seq + 1u,
			.window = tcp_window_first(s),
			.syn = true,
			.ack = true,
			.mss = tcp_mss_ours(s, &way),
			/* without a timestamp there is no place to keep what was agreed on */
			.has_ts = g->has_ts,
			.ts_value = g->has_ts ? cookie_timestamp(s, g, false) : 0,
			.ts_echo = g->ts_value,
			.sack_permitted = g->has_ts && g->sack_permitted,
			.has_scale = g->has_ts && g->has_scale,
			.scale = tcp_receive_scale(s),
		});
	s->tcp->n.syn_cookies_sent++;
	s->tcp->cookies_until = cookie_time(s) + COOKIE_STEPS;
}

/* Does it acknowledge a cookie of ours that is not too old? */
static bool cookie_ok(struct mrg_tcpip *s, const struct tcp_seg *g, uint16_t *mss)
{
	const struct tcp_key k = key_of_seg(g);
	const uint32_t cookie = g->ack_number - 1u, irs = g->seq - 1u;
	if (cookie_time(s) > s->tcp->cookies_until)
		return false;
	for (uint32_t ago = 0; ago < COOKIE_STEPS; ago++)
		for (unsigned i = 0; i < sizeof cookie_mss / sizeof *cookie_mss; i++)
			if (cookie == cookie_make(s, &k, irs, cookie_time(s) - ago, i)) {
				*mss = cookie_mss[i];
				return true;
			}
	return false;
}

/* ---- from half open to open ---- */

/* Room for a connection; a user who can spare another one closes it. */
static struct tcp_conn *passive_conn(
	struct mrg_tcpip *s, const struct tcp_key *k, const struct mrg_tcpip_listener *l)
{
	struct tcp_conn *const c = tcp_conn_new(s, k);
	if (c == NULL && l->user->spare != NULL)
		(void)l->user->spare(
			l->user->ctx, stack_now(s)); /* there is room when its peer tries again */
	if (c == NULL) {
		s->tcp->n.listen_overflows++;
		return NULL;
	}
	c->passive = true;
	c->heard_ms = c->wait_ms = tcp_ms32(s);
	return c;
}

static void sequence_numbers(struct tcp_conn *c, uint32_t iss, uint32_t irs, uint32_t window)
{
	c->snd_una = iss;
	c->snd_nxt = iss + 1u;
	c->rcv_nxt = c->rcv_acked = irs + 1u;
	c->rcv_adv = c->rcv_nxt + tcp_window_first(c->stack);
	c->snd_wnd = c->snd_wnd_max = window;
	c->snd_wl1 = irs;
	c->snd_wl2 = iss;
	c->quick = UINT8_MAX / 16;
}

static void open_from_cookie(
	struct mrg_tcpip *s, const struct tcp_seg *g, const struct mrg_tcpip_listener *l, uint16_t mss)
{
	const struct tcp_key k = key_of_seg(g);
	struct tcp_conn *const c = passive_conn(s, &k, l);
	if (c == NULL)
		return;
	s->tcp->n.syn_cookies_recv++;
	sequence_numbers(c, g->ack_number - 1u, g->seq - 1u, g->window);
	c->h.mss = mss;
	struct mrg_net_cookie_timestamp told;
	uint8_t b[sizeof g->ts_echo] = { 0 };
	struct mrg_w w;
	mrg_w_init(&w, b, sizeof b);
	mrg_net_tcp_number_put(&w, &(struct mrg_net_tcp_number_args){ g->ts_echo });
	if (g->has_ts && mrg_net_cookie_timestamp_check(mrg_w_span(&w, 0), &told, NULL) == MRG_OK) {
		const uint8_t scale = mrg_net_cookie_timestamp_scale(&told);
		c->ts_ok = true;
		c->ts_recent = g->ts_value;
		c->sack_ok = mrg_net_cookie_timestamp_sack(&told) != 0;
		c->snd_scale = scale <= MRG_NET_TCP_SCALE_MAX ? scale : 0;
		c->rcv_scale = scale <= MRG_NET_TCP_SCALE_MAX ? tcp_receive_scale(s) : 0;
	}
	/* the machine hears only now of the SYN that was answered without it */
	struct tcp_head listening = { .kind = TCP_HALF };
	mrg_net_connection_begin(&listening.m);
	(void)mrg_net_connection_on_listen(&listening.m, &listening);
	(void)mrg_net_connection_on_segment(
		&listening.m, &listening, true, false, false, false, false, false);
	c->h.m = listening.m;
	tcp_conn_input(c, g);
}

static struct tcp_conn *open_from_half(struct mrg_tcpip *s, struct tcp_half *h, const struct tcp_seg *g)
{
	const struct tcp_key k = key_of_seg(g);
	struct mrg_tcpip_listener *const l = tcp_listener_find(s->tcp, k.local, k.local_port);
	if (l == NULL) {
		tcp_reset_for(s, g);
		tcp_half_free(s->tcp, h);
		return NULL;
	}
	const struct tcp_half was = *h;
	tcp_table_remove(s->tcp, &h->h); /* one of the two at a time */
	struct tcp_conn *const c = passive_conn(s, &k, l);
	if (c == NULL) {
		tcp_table_add(s->tcp, &h->h);
		return NULL;
	}
	tcp_half_free(s->tcp, h);
	sequence_numbers(c, was.iss, was.irs, g->window);
	c->h.m = was.h.m;
	c->h.mss = was.h.mss;
	c->ts_ok = was.has_ts;
	c->ts_recent = was.ts_recent;
	c->ts_offset = was.has_ts ? tcp_ts_offset(s, &k) : 0;
	c->sack_ok = was.sack_ok;
	c->ecn_ok = was.ecn_ok;
	c->snd_scale = was.has_scale ? was.scale : 0;
	c->rcv_scale = was.has_scale ? tcp_receive_scale(s) : 0;
	return c;
}

/* ---- LISTEN ---- */

static void send_syn_ack(struct mrg_tcpip *s, struct tcp_half *h)
{
	const struct tcp_key k = { &s->tcp->locals[h->h.local], &h->peer, h->h.local_port, h->h.peer_port };
	struct ip_way way = { .from = *k.local, .to = *k.peer };
	tcp_send_bare(s, &way,
		&(struct tcp_bare){
			.key = k,
			.seq = h->iss,
			.ack_number = h->irs + 1u,
			.window = tcp_window_first(s),
			.syn = true,
			.ack = true,
			.ece = h->ecn_ok &&
			       h->tries ==
				       0, /* RFC 3168 section 6.1.1.1; without, if it does not get through */
			.mss = tcp_mss_ours(s, &way),
			.has_ts = h->has_ts,
			.ts_value = tcp_ms32(s) + (h->has_ts ? tcp_ts_offset(s, &k) : 0),
			.ts_echo = h->ts_recent,
			.sack_permitted = h->sack_ok,
			.has_scale = h->has_scale,
			.scale = tcp_receive_scale(s),
		});
}

static void half_open(struct mrg_tcpip *s, const struct tcp_seg *g, uint32_t iss)
{
	const struct tcp_key k = key_of_seg(g);
	struct tcp_half *const h = tcp_half_new(s->tcp, &k);
	if (h == NULL) {
		answer_with_cookie(s, g);
		return;
	}
	h->irs = g->seq;
	h->iss = iss;
	h->h.mss = usable_mss(g);
	h->has_ts = g->has_ts;
	h->ts_recent = g->ts_value;
	h->sack_ok = g->sack_permitted;
	h->has_scale = g->has_scale;
	h->scale = g->scale;
	h->ecn_ok = g->ece && g->cwr;
	(void)mrg_net_connection_on_listen(&h->h.m, h);
	(void)mrg_net_connection_on_segment(&h->h.m, h, true, false, false, false, false, false);
	send_syn_ack(s, h);
	tcp_timers_arm(s->tcp);
}

/* RFC 9293 section 3.10.7.2, and 3.10.7.1 where nobody listens. */
void tcp_listen_input(struct mrg_tcpip *s, const struct tcp_seg *g)
{
	if (g->rst)
		return;
	const struct mrg_tcpip_listener *const l = tcp_listener_find(s->tcp, &g->in->to, g->destination_port);
	if (l == NULL) {
		tcp_reset_for(s, g);
		return;
	}
	uint16_t mss;
	if (g->ack) {
		if (!g->syn && cookie_ok(s, g, &mss)) {
			open_from_cookie(s, g, l, mss);
			return;
		}
		s->tcp->n.syn_cookies_failed++;
		tcp_reset_for(s, g);
		return;
	}
	if (!g->syn || g->fin)
		return;
	const struct tcp_key k = key_of_seg(g);
	half_open(s, g, tcp_isn(s, &k));
}

/* ---- SYN-RECEIVED ---- */

void tcp_half_again(struct mrg_tcpip *s, struct tcp_half *h)
{
	if (h->tries == TCP_HALF_TRIES) {
		s->tcp->n.attempt_fails++;
		tcp_half_free(s->tcp, h);
		return;
	}
	tcp_half_requeue(s->tcp, h);
	s->tcp->n.retrans_segs++;
	send_syn_ack(s, h);
}

static void half_challenge(struct mrg_tcpip *s, const struct tcp_half *h)
{
	const struct tcp_key k = { &s->tcp->locals[h->h.local], &h->peer, h->h.local_port, h->h.peer_port };
	struct ip_way way = { .from = *k.local, .to = *k.peer };
	tcp_send_bare(s, &way,
		&(struct tcp_bare){ .key = k,
			.seq = h->iss + 1u,
			.ack_number = h->irs + 1u,
			.window = tcp_window_first(s),
			.ack = true,
			.has_ts = h->has_ts,
			.ts_value = tcp_ms32(s) + (h->has_ts ? tcp_ts_offset(s, &k) : 0),
			.ts_echo = h->ts_recent });
}

/* RFC 9293 section 3.10.7.4, for SYN-RECEIVED. */
void tcp_half_input(struct mrg_tcpip *s, struct tcp_half *h, const struct tcp_seg *g)
{
	const uint32_t next = h->irs + 1u;
	if (g->syn && !g->ack && !g->rst && g->seq == h->irs) {
		send_syn_ack(s, h); /* it was not heard */
		return;
	}
	/* of a reset, only where it begins counts (RFC 5961 section 3.2) */
	const bool acceptable = seq_acceptable(g->seq, g->rst ? 0 : g->len, next, tcp_window_first(s));
	const bool old = h->has_ts && !g->rst && g->has_ts && seq_lt(g->ts_value, h->ts_recent);
	if (!acceptable || old) {
		if (!g->rst)
			half_challenge(s, h);
		return;
	}
	if (g->rst) {
		if (g->seq == next)
			tcp_half_free(s->tcp, h);
		else
			half_challenge(s, h);
		return;
	}
	if (g->syn) {
		half_challenge(s, h); /* RFC 5961 section 4 */
		return;
	}
	if (!g->ack)
		return;
	if (g->ack_number != h->iss + 1u) {
		tcp_reset_for(s, g);
		return;
	}
	if (h->has_ts && !g->has_ts) {
		s->tcp->n.no_timestamp_drops++; /* RFC 7323 section 3.2 */
		return;
	}
	struct tcp_conn *const c = open_from_half(s, h, g);
	if (c != NULL)
		tcp_conn_input(c, g);
}

/* ---- SYN-SENT ---- */

/* RFC 9293 section 3.10.7.3 */
void tcp_syn_sent_input(struct tcp_conn *c, const struct tcp_seg *g)
{
	const bool acks_syn = g->ack && g->ack_number == c->snd_nxt;
	if (g->ack && !acks_syn) {
		if (!g->rst)
			tcp_reset_for(c->stack, g);
		return;
	}
	if (g->rst) {
		tcp_machine_segment(c, false, false, true, acks_syn, false);
		return;
	}
	if (!g->syn)
		return;
	tcp_options_agreed(c, g);
	c->rcv_nxt = c->rcv_acked = g->seq + 1u;
	c->rcv_adv = c->rcv_nxt + tcp_window_first(c->stack);
	c->snd_wnd = c->snd_wnd_max = g->window;
	c->snd_wl1 = g->seq;
	c->snd_wl2 = acks_syn ? g->ack_number : c->snd_una;
	c->quick = UINT8_MAX / 16;
	c->ecn_ok = c->ecn_ok && acks_syn && g->ece && !g->cwr;
	if (acks_syn) {
		c->snd_una = g->ack_number;
		if (c->tries == 0)
			tcp_rtt(c, (tcp_ms32(c->stack) - c->wait_ms) * 1000u);
		c->tries = 0;
		c->wait_ms = tcp_ms32(c->stack);
	}
	/* its data and FIN come again when it hears nothing of them (section 3.10.7.3 lets them be queued or not) */
	tcp_machine_segment(c, true, false, false, acks_syn, false);
}

/* ---- TIME-WAIT ---- */

static void wait_ack(struct mrg_tcpip *s, const struct tcp_wait *w)
{
	const struct tcp_key k = { &s->tcp->locals[w->h.local], &w->peer, w->h.local_port, w->h.peer_port };
	struct ip_way way = { .from = *k.local, .to = *k.peer };
	tcp_send_bare(s, &way,
		&(struct tcp_bare){ .key = k,
			.seq = w->snd_nxt,
			.ack_number = w->rcv_nxt,
			.window = tcp_window_first(s),
			.ack = true,
			.has_ts = w->has_ts,
			.ts_value = tcp_ms32(s) + w->ts_offset,
			.ts_echo = w->ts_recent });
}

/* RFC 6191 section 2: a SYN that can't be an old one begins a new connection. */
static bool begins_anew(const struct tcp_wait *w, const struct tcp_seg *g)
{
	if (!g->syn || g->ack || g->rst || g->fin)
		return false;
	if (w->has_ts && g->has_ts)
		return seq_lt(w->ts_recent, g->ts_value) ||
		       (g->ts_value == w->ts_recent && seq_lt(w->rcv_nxt, g->seq));
	return seq_lt(w->rcv_nxt, g->seq);
}

void tcp_wait_input(struct mrg_tcpip *s, struct tcp_wait *w, const struct tcp_seg *g)
{
	struct tcp_state *const t = s->tcp;
	if (begins_anew(w, g)) {
		const struct tcp_key k = key_of_seg(g);
		const uint32_t iss = seq_max(tcp_isn(s, &k), w->snd_nxt + UINT16_MAX);
		if (tcp_listener_find(t, k.local, k.local_port) == NULL) {
			tcp_reset_for(s, g);
			return;
		}
		tcp_wait_free(t, w);
		t->n.time_wait_reused++;
		half_open(s, g, iss);
		return;
	}
	/* RFC 1337: a RST does not end it, or old ones could */
	if (g->rst)
		return;
	const uint32_t end = g->seq + g->len;
	if (mrg_net_connection_on_segment(&w->h.m, w, g->syn, g->fin && end == w->rcv_nxt, false, true, true,
		    false) == MRG_STEP_TAKEN &&
		g->fin)
		tcp_wait_requeue(t, w);
	if (g->len != 0 || g->seq != w->rcv_nxt)
		wait_ack(s, w);
}
