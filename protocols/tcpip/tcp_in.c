/*
 * A segment comes: what it says, and who gets it.
 */
#include "protocols/tcpip/tcp.h"

/* One option.  Those that count only on a SYN are looked at there only (RFC 9293 section 3.2). */
static void read_option(const struct mrg_net_tcp_option *o, struct tcp_seg *g)
{
	struct mrg_net_tcp_option_timestamps ts;
	struct mrg_net_tcp_option_sack sack;
	switch (mrg_net_tcp_option_kind(o)) {
	case MRG_NET_TCP_OPTION_KIND_MSS:
		if (g->syn)
			(void)mrg_net_tcp_option_body_as_mss(o, &g->mss);
		return;
	case MRG_NET_TCP_OPTION_KIND_WINDOW_SCALE:
		g->has_scale = g->syn && mrg_net_tcp_option_body_as_shift_cnt(o, &g->scale);
		if (g->scale > MRG_NET_TCP_SCALE_MAX)
			g->scale = MRG_NET_TCP_SCALE_MAX;
		return;
	case MRG_NET_TCP_OPTION_KIND_SACK_PERMITTED: g->sack_permitted = g->syn; return;
	case MRG_NET_TCP_OPTION_KIND_TIMESTAMPS:
		if (!mrg_net_tcp_option_body_as_timestamps(o, &ts))
			return;
		g->has_ts = true;
		g->ts_value = mrg_net_tcp_option_timestamps_ts_value(&ts);
		g->ts_echo = mrg_net_tcp_option_timestamps_ts_echo_reply(&ts);
		return;
	case MRG_NET_TCP_OPTION_KIND_SACK:
		if (g->syn || !mrg_net_tcp_option_body_as_sack(o, &sack))
			return;
		g->sack_count = 0;
		struct mrg_net_tcp_option_sack_blocks_it it = mrg_net_tcp_option_sack_blocks(&sack);
		for (struct mrg_net_tcp_sack_block b;
			g->sack_count < MRG_NET_TCP_SACK_MAX && mrg_net_tcp_option_sack_blocks_next(&it, &b);)
			g->sack[g->sack_count++] = (struct tcp_range){ mrg_net_tcp_sack_block_left_edge(&b),
				mrg_net_tcp_sack_block_right_edge(&b) };
		return;
	default: return;
	}
}

/* Fails: false when an option has a length that can't be (RFC 9293 section 3.2, MUST-7). */
static bool read_options(struct mrg_span options, struct tcp_seg *g)
{
	struct mrg_net_tcp_options all;
	if (mrg_net_tcp_options_check(options, &all, NULL) != MRG_OK)
		return false;
	struct mrg_net_tcp_options_options_it it = mrg_net_tcp_options_options(&all);
	for (struct mrg_net_tcp_option o; mrg_net_tcp_options_options_next(&it, &o);)
		read_option(&o, g);
	return true;
}

static bool sum_right(struct tcp_state *t, const struct ip_in *in)
{
	if (in->sum_ok)
		return true;
	const uint64_t pseudo = ip_pseudo_sum(&in->from, &in->to, in->protocol, in->payload.len);
	if (mrg_inet16_end(mrg_inet16_add(pseudo, in->payload.p, in->payload.len, 0)) == 0)
		return true;
	t->n.in_csum_errors++;
	return false;
}

/* All that a segment says.   Fails: false when it is none, or has options that can't be. */
static bool seg_read(struct tcp_state *t, const struct ip_in *in, struct tcp_seg *g)
{
	struct mrg_net_tcp h;
	if (mrg_net_tcp_check(in->payload, &h, NULL) != MRG_OK) {
		t->n.in_errs++;
		return false;
	}
	if (!sum_right(t, in))
		return false;
	*g = (struct tcp_seg){
		.in = in,
		.source_port = mrg_net_tcp_source_port(&h),
		.destination_port = mrg_net_tcp_destination_port(&h),
		.seq = mrg_net_tcp_sequence_number(&h),
		.ack_number = mrg_net_tcp_acknowledgment_number(&h),
		.window = mrg_net_tcp_window(&h),
		.data = mrg_net_tcp_data(&h),
		.syn = mrg_net_tcp_syn(&h) != 0,
		.fin = mrg_net_tcp_fin(&h) != 0,
		.rst = mrg_net_tcp_rst(&h) != 0,
		.ack = mrg_net_tcp_ack(&h) != 0,
		.ece = mrg_net_tcp_ece(&h) != 0,
		.cwr = mrg_net_tcp_cwr(&h) != 0,
	};
	g->len = (uint32_t)g->data.len + g->syn + g->fin;
	const struct mrg_span options = mrg_net_tcp_options(&h);
	if (options.len != 0 && !read_options(options, g)) {
		t->n.in_bad_options++;
		return false;
	}
	return true;
}

/* The same of one that has the usual header: there is nothing in it that can't be. */
static void seg_of_usual(const struct ip_in *in, const struct mrg_net_tcp_timestamped *h, struct tcp_seg *g)
{
	*g = (struct tcp_seg){
		.in = in,
		.source_port = mrg_net_tcp_timestamped_source_port(h),
		.destination_port = mrg_net_tcp_timestamped_destination_port(h),
		.seq = mrg_net_tcp_timestamped_sequence_number(h),
		.ack_number = mrg_net_tcp_timestamped_acknowledgment_number(h),
		.window = mrg_net_tcp_timestamped_window(h),
		.data = { in->payload.p + h->len, in->payload.len - h->len },
		.ack = true,
		.has_ts = true,
		.ts_value = mrg_net_tcp_timestamped_ts_value(h),
		.ts_echo = mrg_net_tcp_timestamped_ts_echo_reply(h),
	};
	g->len = (uint32_t)g->data.len;
}

static void seg_input(struct mrg_tcpip *s, struct tcp_head *h, const struct tcp_seg *g)
{
	if (h == NULL) {
		tcp_listen_input(s, g);
		return;
	}
	switch ((enum tcp_kind)h->kind) {
	case TCP_CONN: tcp_conn_input((struct tcp_conn *)(void *)h, g); return;
	case TCP_HALF: tcp_half_input(s, (struct tcp_half *)(void *)h, g); return;
	case TCP_WAIT: tcp_wait_input(s, (struct tcp_wait *)(void *)h, g); return;
	}
}

/* A segment with the usual header: as a rule its connection waits for just that one. */
static void usual_input(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_tcp_timestamped *u)
{
	struct tcp_state *const t = s->tcp;
	if (!sum_right(t, in))
		return;
	const struct tcp_key k = { &in->to, &in->from, mrg_net_tcp_timestamped_destination_port(u),
		mrg_net_tcp_timestamped_source_port(u) };
	struct tcp_head *const h = tcp_find(t, &k);
	if (h != NULL && h->kind == TCP_CONN && tcp_expected_input((struct tcp_conn *)(void *)h, in, u))
		return;
	struct tcp_seg g;
	seg_of_usual(in, u, &g);
	seg_input(s, h, &g);
}

void tcp_input(struct mrg_tcpip *s, const struct ip_in *in)
{
	struct tcp_state *const t = s->tcp;
	struct mrg_net_tcp_timestamped usual;
	struct tcp_seg g;
	t->n.in_segs++;
	if (in->to_many)
		return; /* RFC 9293 section 3.9.2.3: nobody connects to a group */
	if (mrg_net_tcp_timestamped_check(in->payload, &usual, NULL) == MRG_OK) {
		usual_input(s, in, &usual);
	} else if (seg_read(t, in, &g)) {
		const struct tcp_key k = { &in->to, &in->from, g.destination_port, g.source_port };
		seg_input(s, tcp_find(t, &k), &g);
	}
}

/* RFC 9293 section 3.9.2.2, RFC 5927 section 4.1: only what names a segment in flight can be about one of ours. */
void tcp_error(struct mrg_tcpip *s, const struct ip_error *e)
{
	struct mrg_net_tcp_ports about;
	if (mrg_net_tcp_ports_check(e->payload, &about, NULL) != MRG_OK)
		return;
	const struct tcp_key k = { &e->from, &e->to, mrg_net_tcp_ports_source_port(&about),
		mrg_net_tcp_ports_destination_port(&about) };
	struct tcp_head *const h = tcp_find(s->tcp, &k);
	if (h == NULL || h->kind != TCP_CONN)
		return;
	struct tcp_conn *const c = (struct tcp_conn *)(void *)h;
	const uint32_t seq = mrg_net_tcp_ports_sequence_number(&about);
	if (!seq_le(c->snd_una, seq) || !seq_lt(seq, c->snd_nxt))
		return;
	switch (e->kind) {
	case IP_ERROR_TOO_BIG:
		ip_path_mtu(s, &c->way.to, e->mtu);
		c->way.era = 0;
		/* what was too long has not come */
		if (c->flight != NULL && c->h.m.state >= MRG_NET_CONNECTION_ESTABLISHED) {
			pieces_lose_all(&c->flight->pieces);
			tcp_work(c);
		}
		return;
	case IP_ERROR_HARD:
		(void)mrg_net_connection_on_unreachable(&c->h.m, c);
		tcp_machine_settle(c);
		return;
	case IP_ERROR_SOFT: return; /* MUST-56: the timers go on */
	}
}

void tcp_address_gone(struct mrg_tcpip *s, const struct ip *a)
{
	struct tcp_state *const t = s->tcp;
	for (uint32_t slot = 0; slot <= t->mask; slot++) {
		struct tcp_head *next;
		for (struct tcp_head *h = t->table[slot]; h != NULL; h = next) {
			next = h->next;
			if (!ip_same(tcp_local_of(t, h), a))
				continue;
			if (h->kind == TCP_HALF) {
				tcp_half_free(t, (struct tcp_half *)(void *)h);
			} else if (h->kind == TCP_WAIT) {
				tcp_wait_free(t, (struct tcp_wait *)(void *)h);
			} else {
				struct tcp_conn *const c = (struct tcp_conn *)(void *)h;
				(void)mrg_net_connection_on_abort(&h->m, c);
				tcp_machine_settle(c);
			}
		}
	}
}
