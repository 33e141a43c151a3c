/*
 * What a segment brings: data in order and out of order, and the end of it.
 */
#include "protocols/tcpip/tcp.h"

struct tcp_gaps *tcp_gaps_get(struct tcp_conn *c)
{
	if (c->gaps != NULL)
		return c->gaps;
	c->gaps = mrg_rt_pool_get(&tcp_of(c)->gaps);
	if (c->gaps != NULL)
		*c->gaps = (struct tcp_gaps){ .has_fin = false };
	return c->gaps;
}

void tcp_gaps_put(struct tcp_conn *c)
{
	if (c->gaps == NULL || c->gaps->ranges.count != 0 || c->gaps->has_fin ||
		c->gaps->again.left != c->gaps->again.right)
		return;
	mrg_rt_pool_put(&tcp_of(c)->gaps, c->gaps);
	c->gaps = NULL;
}

/* Only where nothing came before: what a peer sends twice stays what it was the first time. */
static void put_holes(struct tcp_conn *c, uint32_t seq, struct mrg_span data)
{
	const uint32_t end = seq + (uint32_t)data.len;
	uint32_t at = seq;
	const struct tcp_ranges *const r = c->gaps != NULL ? &c->gaps->ranges : NULL;
	const unsigned count = r != NULL ? r->count : 0;
	for (unsigned i = 0; i <= count && seq_lt(at, end); i++) {
		const uint32_t stop = i < count ? seq_min(r->r[i].left, end) : end;
		if (seq_lt(at, stop))
			ring_put(c->in, at - c->rcv_nxt + ring_len(c->in),
				(struct mrg_span){ data.p + (at - seq), stop - at });
		if (i < count)
			at = seq_max(at, r->r[i].right);
	}
}

static void take_in_order(struct tcp_conn *c, struct mrg_span data)
{
	const uint32_t before = c->rcv_nxt;
	put_holes(c, c->rcv_nxt, data);
	c->rcv_nxt += (uint32_t)data.len;
	if (c->gaps != NULL && c->gaps->ranges.count != 0) {
		c->rcv_nxt = ranges_take(&c->gaps->ranges, c->rcv_nxt);
		c->ack_now = true; /* it fills a hole, or a part of one (RFC 5681 section 4.2) */
	}
	ring_grow(c->in, c->rcv_nxt - before);
	tcp_of(c)->n.in_bytes += c->rcv_nxt - before;
	if ((c->want & MRG_STREAM_READABLE) != 0)
		tcp_work(c);
}

static void take_ahead(struct tcp_conn *c, uint32_t seq, struct mrg_span data)
{
	struct tcp_counts *const n = &tcp_of(c)->n;
	struct tcp_gaps *const gaps = tcp_gaps_get(c);
	n->out_of_order++;
	c->ack_now = true;
	tcp_work(c);
	const uint32_t end = seq + (uint32_t)data.len;
	if (gaps == NULL)
		return;
	if (ranges_covers(&gaps->ranges, seq, end)) {
		gaps->again = (struct tcp_range){ seq, end };
		return;
	}
	put_holes(c, seq, data);
	if (!ranges_add(&gaps->ranges, seq, end))
		n->ranges_full++;
}

/* RFC 9293 section 3.8.6.3, RFC 5681 section 4.2: for each second full segment at once, else a little later. */
void tcp_acknowledge(struct tcp_conn *c)
{
	const uint32_t waiting = c->rcv_nxt - c->rcv_acked;
	if (waiting >= 2u * tcp_mss(c) || c->quick != 0) {
		if (c->quick != 0)
			c->quick--;
		c->ack_now = true;
	}
	if (c->ack_now)
		tcp_work(c);
	else if (waiting != 0)
		tcp_ack_later(c);
}

/* The part of the data that is new and in the window.   Returns: its number. */
static uint32_t new_part(const struct tcp_conn *c, const struct tcp_seg *g, struct mrg_span *data, bool *cut)
{
	uint32_t seq = g->seq;
	*data = g->data;
	*cut = false;
	if (seq_lt(seq, c->rcv_nxt)) {
		const uint32_t old = c->rcv_nxt - seq;
		const size_t skip = old < data->len ? old : data->len;
		*data = (struct mrg_span){ data->p + skip, data->len - skip };
		seq += (uint32_t)skip;
	}
	const uint32_t room = seq_lt(seq, c->rcv_adv) ? c->rcv_adv - seq : 0;
	if (data->len > room) {
		data->len = room;
		*cut = true;
	}
	return seq;
}

static void take_ecn(struct tcp_conn *c, const struct tcp_seg *g)
{
	if (!c->ecn_ok)
		return;
	if (g->cwr)
		c->ecn_echo = false;
	if (g->in->ecn == MRG_NET_ECN_CE) { /* RFC 3168 section 5 */
		c->ecn_echo = true;
		c->ack_now = true;
		tcp_of(c)->n.ecn_ce++;
	}
}

void tcp_data_input(struct tcp_conn *c, const struct tcp_seg *g, bool *fin)
{
	struct tcp_state *const t = tcp_of(c);
	if (g->data.len == 0 && !g->fin)
		return;
	if (c->ended) {
		c->ack_now = true; /* its FIN has come: this is old */
		tcp_work(c);
		return;
	}
	struct mrg_span data;
	bool cut;
	const uint32_t seq = new_part(c, g, &data, &cut);
	take_ecn(c, g);
	if (c->opened && c->of.user == NULL && data.len != 0) {
		/* nobody will read it, and the peer must know (RFC 9293 section 3.6.1) */
		t->n.data_after_close++;
		(void)mrg_net_connection_on_abort(&c->h.m, c);
		tcp_machine_settle(c);
		return;
	}
	if (data.len != 0) {
		const uint32_t need = ring_len(c->in) + (seq - c->rcv_nxt) + (uint32_t)data.len;
		if (!ring_room(&c->in, &t->buffers, need, c->stack->limits.receive_max)) {
			t->n.buffer_full++;
			return; /* it comes again */
		}
		if (seq == c->rcv_nxt)
			take_in_order(c, data);
		else
			take_ahead(c, seq, data);
	}
	if (g->fin && !cut) {
		const uint32_t at = g->seq + (uint32_t)g->data.len;
		struct tcp_gaps *const gaps = at == c->rcv_nxt ? c->gaps : tcp_gaps_get(c);
		if (gaps != NULL) {
			gaps->has_fin = true;
			gaps->fin = at;
		}
		*fin = at == c->rcv_nxt;
	}
	if (c->gaps != NULL && c->gaps->has_fin)
		*fin = c->gaps->fin == c->rcv_nxt;
	if (*fin) {
		c->rcv_nxt++;
		if (c->gaps != NULL)
			c->gaps->has_fin = false;
		c->ack_now = true;
	}
	tcp_gaps_put(c);
	tcp_acknowledge(c);
}
