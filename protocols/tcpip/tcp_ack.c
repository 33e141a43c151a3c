/*
 * A segment of a connection: may it be believed, and what does it acknowledge (RFC 9293 section 3.10.7.4)?
 */
#include "protocols/tcpip/tcp.h"

enum {
	PAWS_DAYS = 24, /* RFC 7323 section 5.5: then a timestamp says nothing any more */
	CHALLENGES_LEAST =
		500, /* in a second, and by chance up to twice that: nobody can count on it (CVE-2016-5696) */
};
#define PAWS_MS (UINT32_C(1000) * 60u * 60u * 24u * PAWS_DAYS)

/* RFC 5961 section 7: who guesses numbers gets few answers. */
void tcp_challenge(struct tcp_conn *c)
{
	struct tcp_state *const t = tcp_of(c);
	const uint64_t second = stack_now(c->stack) / MRG_RT_SECOND_NS;
	if (second != t->challenge_second) {
		const struct tcp_key k = { &c->way.from, &c->way.to, c->h.local_port, c->h.peer_port };
		t->challenge_second = second;
		t->challenges = CHALLENGES_LEAST + tcp_isn(c->stack, &k) % CHALLENGES_LEAST;
	}
	if (t->challenges == 0)
		return;
	t->challenges--;
	t->n.challenge_acks++;
	c->ack_now = true;
	tcp_work(c);
}

/* What came twice is told (RFC 2883); there may be no room to remember it. */
static void note_again(struct tcp_conn *c, uint32_t left, uint32_t right)
{
	if (!c->sack_ok || !seq_lt(left, right))
		return;
	struct tcp_gaps *const gaps = tcp_gaps_get(c);
	if (gaps != NULL)
		gaps->again = (struct tcp_range){ left, right };
}

/* ...of a segment that goes no further. */
static void note_old(struct tcp_conn *c, const struct tcp_seg *g)
{
	if (g->data.len != 0 && seq_lt(g->seq, c->rcv_nxt))
		note_again(c, g->seq, seq_min(g->seq + (uint32_t)g->data.len, c->rcv_nxt));
}

/* RFC 7323 section 5.3. */
static bool timestamp_ok(struct tcp_conn *c, const struct tcp_seg *g)
{
	struct tcp_counts *const n = &tcp_of(c)->n;
	if (!c->ts_ok || g->rst)
		return true;
	if (!g->has_ts) {
		n->no_timestamp_drops++; /* section 3.2 */
		return false;
	}
	if (!seq_lt(g->ts_value, c->ts_recent) || tcp_ms32(c->stack) - c->heard_ms > PAWS_MS)
		return true;
	n->paws_drops++;
	note_old(c,
		g); /* it was sent again meanwhile, and overtaken: the sender must know that it was in vain */
	c->ack_now = true;
	tcp_work(c);
	return false;
}

static void not_acceptable(struct tcp_conn *c, const struct tcp_seg *g)
{
	if (g->rst)
		return;
	tcp_of(c)->n.out_of_window++;
	note_old(c, g);
	if (g->len == 0 || g->syn) {
		tcp_challenge(c); /* two that answer each other's wrong acknowledgments must come to an end */
		return;
	}
	c->ack_now = true;
	tcp_work(c);
}

/* RFC 7323 section 4.3 (2) */
static void note_timestamp(struct tcp_conn *c, const struct tcp_seg *g)
{
	if (!c->ts_ok || !g->has_ts || !seq_le(g->seq, c->rcv_acked) || seq_lt(g->ts_value, c->ts_recent))
		return;
	c->ts_recent = g->ts_value;
}

void tcp_conn_input(struct tcp_conn *c, const struct tcp_seg *g)
{
	if (c->h.m.state == MRG_NET_CONNECTION_SYN_SENT) {
		tcp_syn_sent_input(c, g);
		return;
	}
	if (!timestamp_ok(c, g))
		return;
	c->heard_ms = tcp_ms32(c->stack);
	const uint32_t window = c->rcv_adv - c->rcv_nxt;
	/* with a closed window, what the segment acknowledges still counts (RFC 9293 section 3.10.7.4, MUST-66) */
	const bool shut = window == 0 && g->seq == c->rcv_nxt && !g->syn;
	/* of a reset, only where it begins counts: one from before the window is dropped (RFC 5961 section 3.2) */
	if (!shut && !seq_acceptable(g->seq, g->rst ? 0 : g->len, c->rcv_nxt, window)) {
		not_acceptable(c, g);
		return;
	}
	if (g->rst) {
		/* RFC 5961 section 3.2 */
		if (g->seq == c->rcv_nxt)
			tcp_machine_segment(c, false, false, true, false, false);
		else
			tcp_challenge(c);
		return;
	}
	if (g->syn) {
		tcp_challenge(c); /* RFC 5961 section 4.2 */
		return;
	}
	if (!g->ack)
		return;
	bool fin_acked = false, fin = false;
	if (!tcp_ack_input(c, g, &fin_acked))
		return;
	tcp_data_input(c, g, &fin);
	if (c->dead || c->h.m.state == MRG_NET_CONNECTION_CLOSED)
		return;
	if (fin || fin_acked || c->h.m.state == MRG_NET_CONNECTION_SYN_RECEIVED)
		tcp_machine_segment(c, false, fin, false, true, fin_acked);
}

/* ---- acknowledgments ---- */

/* Is it one that this connection can have got? RFC 5961 section 5.2, RFC 9293 section 3.10.7.4. */
static bool ack_believed(struct tcp_conn *c, const struct tcp_seg *g)
{
	struct tcp_counts *const n = &tcp_of(c)->n;
	if (c->h.m.state == MRG_NET_CONNECTION_SYN_RECEIVED) {
		if (seq_lt(c->snd_una, g->ack_number) && seq_le(g->ack_number, c->snd_nxt))
			return true;
		tcp_reset_for(c->stack, g);
		return false;
	}
	if (seq_lt(c->snd_nxt, g->ack_number)) {
		n->future_acks++;
		tcp_challenge(c);
		return false;
	}
	if (seq_lt(g->ack_number, c->snd_una - c->snd_wnd_max)) {
		n->old_acks++;
		tcp_challenge(c);
		return false;
	}
	return true;
}

/* RFC 9293 section 3.10.7.4: the window, unless the segment is older than the one that told of it last. */
static bool take_window(struct tcp_conn *c, const struct tcp_seg *g)
{
	if (seq_lt(g->seq, c->snd_wl1) || (g->seq == c->snd_wl1 && seq_lt(g->ack_number, c->snd_wl2)))
		return false;
	const uint32_t window = (uint32_t)g->window << c->snd_scale;
	const bool changed = window != c->snd_wnd;
	c->snd_wl1 = g->seq;
	c->snd_wl2 = g->ack_number;
	if (changed && c->snd_wnd == 0 && c->retransmit_set && c->retransmit_for == TCP_PERSIST) {
		tcp_retransmit_stop(c);
		c->tries = 0;
	}
	c->snd_wnd = window;
	if (window > c->snd_wnd_max)
		c->snd_wnd_max = window;
	if (changed)
		tcp_work(c);
	return changed;
}

/* In the order of their numbers, as they were sent: else what is told of in one segment looks reordered (RFC 8985 section 6.2 step 3). */
static void sort_ranges(struct tcp_range *r, unsigned count)
{
	for (unsigned i = 1; i < count; i++)
		for (unsigned j = i; j > 0 && seq_lt(r[j].left, r[j - 1u].left); j--) {
			const struct tcp_range lower = r[j];
			r[j] = r[j - 1u];
			r[j - 1u] = lower;
		}
}

/* RFC 2018, RFC 2883: blocks that can be true. The first one may tell of what came twice.   Returns: whether it does. */
static bool take_sacks(struct tcp_conn *c, const struct tcp_seg *g, struct tcp_news *news)
{
	struct tcp_state *const t = tcp_of(c);
	struct tcp_range good[MRG_NET_TCP_SACK_MAX];
	unsigned count = 0;
	bool twice = false;
	if (!c->sack_ok || c->flight == NULL)
		return false;
	for (unsigned i = 0; i < g->sack_count; i++) {
		const struct tcp_range *const b = &g->sack[i];
		if (!seq_lt(b->left, b->right) || seq_lt(c->snd_nxt, b->right))
			continue;
		const bool below = seq_le(b->right, g->ack_number);
		const bool inside = g->sack_count > 1u && seq_le(g->sack[1].left, b->left) &&
				    seq_le(b->right, g->sack[1].right);
		if (i == 0 && (below || inside)) {
			twice = seq_lt(c->snd_una - c->snd_wnd_max, b->left);
			news->twice = twice ? *b : news->twice;
			continue;
		}
		if (below || seq_lt(b->left, c->snd_una))
			continue;
		good[count++] = *b;
	}
	sort_ranges(good, count);
	for (unsigned i = 0; i < count; i++)
		pieces_sack(&c->flight->pieces, &t->pieces, good[i].left, good[i].right, tcp_us32(c->stack),
			news);
	t->n.sack_received += count;
	t->n.dsack_received += twice;
	return twice;
}

void tcp_acked(struct tcp_conn *c, uint32_t count)
{
	c->snd_una += count;
	c->wait_ms = tcp_ms32(c->stack);
	c->tries = 0;
	if (c->out == NULL)
		return;
	const uint32_t len = ring_len(c->out);
	ring_drop(c->out, count < len ? count : len);
	if (ring_len(c->out) == 0)
		tcp_ring_empty(c, &c->out);
	if ((c->want & MRG_STREAM_WRITABLE) != 0)
		tcp_work(c);
}

bool tcp_ack_input(struct tcp_conn *c, const struct tcp_seg *g, bool *fin_acked)
{
	struct tcp_state *const t = tcp_of(c);
	if (!ack_believed(c, g))
		return false;
	note_timestamp(c, g);
	struct tcp_news news = { 0 };
	const uint32_t una = c->snd_una, acked = seq_lt(una, g->ack_number) ? g->ack_number - una : 0;
	const bool same_window = !take_window(c, g);
	if (acked == 0 && c->flight == NULL)
		return true;
	if (c->h.m.state == MRG_NET_CONNECTION_SYN_RECEIVED) {
		/* the SYN, which no piece stands for */
		c->snd_una++;
		c->wait_ms = tcp_ms32(c->stack);
		if (c->tries == 0 && c->ts_ok)
			tcp_rtt(c, (tcp_ms32(c->stack) + c->ts_offset - g->ts_echo) * 1000u);
		c->tries = 0;
		return true;
	}
	if (acked != 0 && c->flight != NULL)
		pieces_ack(&c->flight->pieces, &t->pieces, g->ack_number, tcp_us32(c->stack), &news);
	const bool twice = take_sacks(c, g, &news);
	if (acked != 0) {
		*fin_acked = c->fin_sent && g->ack_number == c->snd_nxt;
		tcp_acked(c, acked);
		c->dup_acks = 0;
		ip_way_confirm(c->stack, &c->way);
	} else if (g->len == 0 && same_window && una == g->ack_number && una != c->snd_nxt &&
		   c->dup_acks < UINT8_MAX) {
		c->dup_acks++; /* RFC 5681 section 2 */
		if (!c->sack_ok)
			news.delivered = tcp_mss(c); /* some segment has come (RFC 9937 section 5) */
	}
	if (news.rtt_us != 0)
		tcp_rtt(c, news.rtt_us);
	else if (acked != 0 && c->ts_ok && news.again &&
		 !twice) /* what came twice has another echo (RFC 7323 section 4.3) */
		tcp_rtt(c, (tcp_ms32(c->stack) + c->ts_offset - g->ts_echo) * 1000u);
	if (c->flight != NULL)
		tcp_recovery_input(c, g, &news, twice);
	return true;
}
