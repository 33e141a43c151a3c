/*
 * The segment that nearly always comes: of an established connection on which nothing is amiss, the next data in order or an
 * acknowledgment of what is in flight, or both.  What is done here is what tcp_conn_input would do; it only asks less.
 */
#include "protocols/tcpip/tcp.h"

enum { CLOCK_MS = 1000 * 60 * 60 * 24 }; /* in a day no timestamp comes round (RFC 7323 section 5.5) */

/* The connection is in the state in which segments are as expected. */
static bool is_smooth(const struct tcp_conn *c)
{
	return c->h.m.state == MRG_NET_CONNECTION_ESTABLISHED && c->ts_ok && c->gaps == NULL && !c->ended &&
	       c->opened && c->of.user != NULL;
}

static bool nothing_lost(const struct tcp_flight *f)
{
	return !f->recovering && !f->tlp_out && f->pieces.sacked == 0 && f->pieces.lost == 0;
}

static void take_ack(struct tcp_conn *c, uint32_t ack_number, uint32_t ts_echo)
{
	struct tcp_news news = { 0 };
	pieces_ack(&c->flight->pieces, &tcp_of(c)->pieces, ack_number, tcp_us32(c->stack), &news);
	tcp_acked(c, ack_number - c->snd_una);
	c->dup_acks = 0;
	ip_way_confirm(c->stack, &c->way);
	if (news.rtt_us != 0)
		tcp_rtt(c, news.rtt_us);
	else if (news.again)
		tcp_rtt(c, (tcp_ms32(c->stack) + c->ts_offset - ts_echo) * 1000u);
	tcp_recovery_none(c, &news);
}

static void take_data(struct tcp_conn *c, struct mrg_span data)
{
	struct tcp_state *const t = tcp_of(c);
	const uint32_t have = ring_len(c->in), len = (uint32_t)data.len;
	if (!ring_room(&c->in, &t->buffers, have + len, c->stack->limits.receive_max)) {
		t->n.buffer_full++;
		return; /* it comes again */
	}
	ring_put(c->in, have, data);
	ring_grow(c->in, len);
	c->rcv_nxt += len;
	t->n.in_bytes += len;
	if ((c->want & MRG_STREAM_READABLE) != 0)
		tcp_work(c);
	tcp_acknowledge(c);
}

static void take_window(struct tcp_conn *c, uint32_t window)
{
	if (window == c->snd_wnd)
		return;
	c->snd_wnd = window;
	if (window > c->snd_wnd_max)
		c->snd_wnd_max = window;
	tcp_work(c);
}

bool tcp_expected_input(struct tcp_conn *c, const struct ip_in *in, const struct mrg_net_tcp_timestamped *h)
{
	const struct mrg_span data = { in->payload.p + h->len, in->payload.len - h->len };
	const uint32_t ack_number = mrg_net_tcp_timestamped_acknowledgment_number(h),
		       window = (uint32_t)mrg_net_tcp_timestamped_window(h) << c->snd_scale,
		       ts_value = mrg_net_tcp_timestamped_ts_value(h), now_ms = tcp_ms32(c->stack),
		       acked = ack_number - c->snd_una;
	if (!is_smooth(c) || mrg_net_tcp_timestamped_sequence_number(h) != c->rcv_nxt ||
		data.len > c->rcv_adv - c->rcv_nxt || acked > c->snd_nxt - c->snd_una || window == 0 ||
		c->snd_wnd == 0 || seq_lt(ts_value, c->ts_recent) || now_ms - c->heard_ms > CLOCK_MS ||
		in->ecn == MRG_NET_ECN_CE)
		return false;
	if (acked != 0 ? c->flight == NULL || !nothing_lost(c->flight) : data.len == 0)
		return false;
	c->heard_ms = now_ms;
	if (c->rcv_nxt == c->rcv_acked) /* RFC 7323 section 4.3 (2) */
		c->ts_recent = ts_value;
	c->snd_wl1 = c->rcv_nxt;
	c->snd_wl2 = ack_number;
	take_window(c, window);
	if (acked != 0)
		take_ack(c, ack_number, mrg_net_tcp_timestamped_ts_echo_reply(h));
	if (data.len != 0)
		take_data(c, data);
	return true;
}
