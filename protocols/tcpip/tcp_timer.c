/*
 * What happens when nothing comes: timeouts, probes, late acknowledgments.
 */
#include "protocols/tcpip/tcp.h"

enum {
	RTO_MIN_MS =
		200, /* less than the second of RFC 6298 section 2.4: clocks are finer now; RACK and probes rarely let it come to this */
	RTO_MAX_MS = 60000,  /* section 2.5 */
	RTO_FIRST_MS = 1000, /* section 2.1 */
	ACK_LATE_MS = 40,    /* RFC 9293 section 3.8.6.3: below 500 */
	PEER_LATE_MS =
		200, /* RFC 8985 section 7.2: how late a peer acknowledges a single segment, WCDelAckT */
	PEER_USUAL_MS =
		50, /* that a peer which has been seen to wait for a second segment is given for an odd one */
	ORPHAN_MS = 60000,    /* that a connection which nobody has any more waits for its peer's FIN */
	KEEPALIVE_MS = 75000, /* between probes of an idle connection */
	KEEPALIVE_TRIES = 9,
	SYN_TRIES = 6
};

/* RFC 6298 section 2, in microseconds. */
void tcp_rtt(struct tcp_conn *c, uint32_t rtt_us)
{
	if (rtt_us > RTO_MAX_MS * 1000u)
		return; /* an echo that we never sent */
	if (rtt_us == 0)
		rtt_us = 1000u; /* less than the clock of timestamps shows */
	if (c->srtt_us == 0) {
		c->srtt_us = rtt_us;
		c->rttvar_us = rtt_us / 2u;
	} else {
		const uint32_t off = rtt_us < c->srtt_us ? c->srtt_us - rtt_us : rtt_us - c->srtt_us;
		c->rttvar_us = (uint32_t)(((uint64_t)c->rttvar_us * 3u + off) / 4u);
		c->srtt_us = (uint32_t)(((uint64_t)c->srtt_us * 7u + rtt_us) / 8u);
	}
}

uint32_t tcp_rto_ms(const struct tcp_conn *c)
{
	const uint32_t rto_ms = (c->srtt_us + 4u * c->rttvar_us) / 1000u + 1u;
	if (c->srtt_us == 0)
		return RTO_FIRST_MS;
	return rto_ms < RTO_MIN_MS ? RTO_MIN_MS : rto_ms > RTO_MAX_MS ? RTO_MAX_MS : rto_ms;
}

/* ---- deadlines ---- */

/* One wake for all deadlines: it may come too early, then it is set again. */
static void wake_at(struct tcp_conn *c, uint32_t at_ms)
{
	struct tcp_state *const t = tcp_of(c);
	const uint64_t now = tcp_ms(c->stack), due = now + (uint32_t)(at_ms - (uint32_t)now);
	if (c->wake.at != NULL && c->wake.due_ms <= due)
		return;
	wheel_set(&t->wheel, &c->wake, due);
	tcp_due(t, c->wake.due_ms);
	if (!t->working)
		tcp_timers_arm(t);
}

void tcp_retransmit_set(struct tcp_conn *c, enum tcp_retransmit what, uint32_t after_ms)
{
	c->retransmit_for = (uint8_t)what;
	c->retransmit_set = true;
	c->retransmit_ms = tcp_ms32(c->stack) + (after_ms < RTO_MAX_MS ? after_ms : RTO_MAX_MS);
	wake_at(c, c->retransmit_ms);
}

void tcp_retransmit_stop(struct tcp_conn *c) { c->retransmit_set = false; }

void tcp_ack_later(struct tcp_conn *c)
{
	if (c->ack_set)
		return;
	tcp_of(c)->n.delayed_acks++;
	c->ack_set = true;
	c->ack_ms = tcp_ms32(c->stack) + ACK_LATE_MS;
	wake_at(c, c->ack_ms);
}

void tcp_long_set_at(struct tcp_conn *c, uint32_t at_ms)
{
	c->long_set = true;
	c->long_ms = at_ms;
	wake_at(c, at_ms);
}

void tcp_ring_empty(struct tcp_conn *c, struct tcp_ring **r)
{
	struct tcp_state *const t = tcp_of(c);
	if (t->buffers.cut > t->buffers.cap / 2u)
		ring_free(r, &t->buffers);
	else
		tcp_long_set(c, tcp_rto_ms(c));
}

static uint32_t backed_off(const struct tcp_conn *c)
{
	const uint32_t rto = tcp_rto_ms(c);
	return c->tries < 9 && rto << c->tries < RTO_MAX_MS ? rto << c->tries : RTO_MAX_MS;
}

/*
 * What the peer may wait before it acknowledges: not when something is missing (RFC 5681 section 4.2), or was until now; nor when a
 * probe may have come twice.
 */
static uint32_t peer_late_ms(const struct tcp_conn *c)
{
	const struct tcp_flight *const f = c->flight;
	if (f->probes != 0)
		return 0;
	if (c->snd_nxt - c->snd_una <= c->h.mss)
		return f->recovering ? PEER_USUAL_MS : PEER_LATE_MS;
	return c->late_acks && !f->recovering && f->pieces.sacked == 0 ? PEER_USUAL_MS : 0;
}

/*
 * RFC 8985 section 7.2, and in recovery as well: when what was sent again is lost with all else that was in flight, no acknowledgment
 * comes for RACK to see it by. There, and when a probe is lost itself, later ones follow as in RFC 9002 section 6.2: each after twice
 * the time, as long as that is before the timeout.
 */
void tcp_sent_something(struct tcp_conn *c)
{
	const struct tcp_flight *const f = c->flight;
	const uint32_t rto = backed_off(c);
	if (f == NULL || f->pieces.first == NULL)
		return;
	if (c->retransmit_set && c->retransmit_for == TCP_REORDER)
		return; /* it comes first, and sets the next */
	if (c->sack_ok && c->tries == 0 && c->srtt_us != 0) {
		const uint64_t twice = 2u * c->srtt_us / 1000u + 2u,
			       pto = (twice << f->probes) + peer_late_ms(c);
		if (pto < rto || f->probes == 0) {
			tcp_retransmit_set(c, TCP_PROBE_LOSS, pto < rto ? (uint32_t)pto : rto);
			return;
		}
	}
	tcp_retransmit_set(c, TCP_RTO, rto);
}

/* ---- when they are due ---- */

/* The end has come of waiting for this peer (RFC 9293 section 3.8.3, R2).   Returns: whether it has. */
static bool given_up(struct tcp_conn *c)
{
	const uint32_t silent_ms = tcp_ms32(c->stack) - c->wait_ms;
	const bool opening = c->h.m.state < MRG_NET_CONNECTION_ESTABLISHED;
	if (opening ? c->tries < SYN_TRIES : silent_ms / 1000u < c->stack->limits.give_up_s)
		return false;
	(void)mrg_net_connection_on_give_up(&c->h.m, c);
	tcp_machine_settle(c);
	return true;
}

static void send_now(struct tcp_conn *c)
{
	if (tcp_output(c))
		tcp_work(c);
}

/* RFC 8985 section 7.3: new data if there is some, else the last segment again; the first that is missing when that has come, or in recovery. */
static void probe_loss(struct tcp_conn *c)
{
	struct tcp_state *const t = tcp_of(c);
	struct tcp_flight *const f = c->flight;
	if (f == NULL || f->pieces.last == NULL)
		return;
	t->n.loss_probes++;
	/* RFC 9002 section 6.2.4: two, when one has not been answered */
	const uint32_t more = (f->probes == 0 && !f->recovering ? 1u : 2u) * tcp_mss(c);
	f->probes++;
	f->tlp_again = f->tlp_again && f->tlp_out;
	f->tlp_out = true;
	const uint32_t nxt = c->snd_nxt, resent = (uint32_t)t->n.retrans_segs, cwnd = f->cc.cwnd;
	/* in recovery it may be that only an acknowledgment was lost: new data might be acknowledged late, what comes twice is not */
	if (f->recovering && f->pieces.lost == 0)
		pieces_lose_first(&f->pieces, &t->pieces, tcp_mss(c));
	f->cc.cwnd = tcp_pipe(c) + more;
	send_now(c);
	if (c->snd_nxt == nxt && (uint32_t)t->n.retrans_segs == resent) {
		/* as if it were lost: if it is, and others before it, the answer tells of them */
		if (f->pieces.last->sacked)
			pieces_lose_first(&f->pieces, &t->pieces, more);
		else
			pieces_lose_last(&f->pieces, &t->pieces, more);
		f->cc.cwnd = tcp_pipe(c) + more;
		send_now(c);
	}
	f->cc.cwnd = cwnd;
	f->tlp_again = f->tlp_again || c->snd_nxt == nxt;
	f->tlp_end = c->snd_nxt;
	c->retransmit_set = false;
	tcp_sent_something(c);
}

static void timed_out(struct tcp_conn *c)
{
	if (given_up(c))
		return;
	if (c->tries < UINT8_MAX)
		c->tries++;
	tcp_recovery_timeout(c);
	c->retransmit_set = false;
	/* of a SYN: the machine sends it again and sets the timer; of a FIN: it goes with the data */
	(void)mrg_net_connection_on_retransmit(&c->h.m, c);
	tcp_machine_settle(c);
	if (c->dead || c->h.m.state < MRG_NET_CONNECTION_ESTABLISHED)
		return;
	send_now(c);
	if (!c->retransmit_set)
		tcp_sent_something(c);
}

static void window_shut(struct tcp_conn *c)
{
	if (ring_len(c->out) == 0 || c->snd_nxt != c->snd_una)
		return;
	c->fill = c->snd_wnd != 0;
	if (c->fill)
		send_now(c);
	c->fill = false;
	if (c->snd_nxt != c->snd_una)
		return;
	/* what answers probes is alive (RFC 9293 section 3.8.6.1): only silence ends it */
	if (tcp_ms32(c->stack) - c->heard_ms > c->stack->limits.give_up_s * 1000u && given_up(c))
		return;
	if (c->tries < UINT8_MAX)
		c->tries++;
	tcp_of(c)->n.zero_window_probes++;
	tcp_send_probe(c);
	tcp_retransmit_set(c, TCP_PERSIST, backed_off(c));
}

static void retransmit_due(struct tcp_conn *c)
{
	c->retransmit_set = false;
	switch ((enum tcp_retransmit)c->retransmit_for) {
	case TCP_RTO: timed_out(c); return;
	case TCP_PROBE_LOSS: probe_loss(c); return;
	case TCP_REORDER:
		tcp_recovery_detect(c);
		if (!c->retransmit_set)
			tcp_sent_something(c);
		return;
	case TCP_PERSIST: window_shut(c); return;
	}
}

/* An idle connection has no rings. */
static void rest_rings(struct tcp_conn *c, uint32_t silent_ms)
{
	struct mrg_rt_blocks *const from = &tcp_of(c)->buffers;
	const bool in = c->in != NULL && ring_len(c->in) == 0 && c->gaps == NULL,
		   out = c->out != NULL && ring_len(c->out) == 0;
	if ((in || out) && silent_ms < tcp_rto_ms(c)) {
		tcp_long_set(c, tcp_rto_ms(c));
		return;
	}
	if (in)
		ring_free(&c->in, from);
	if (out)
		ring_free(&c->out, from);
}

/* Things that can wait: an idle flight, a connection that nobody has, one that is silent. */
static void long_due(struct tcp_conn *c)
{
	const uint32_t now = tcp_ms32(c->stack), silent_ms = now - c->heard_ms;
	const uint32_t keep_ms = c->stack->limits.keepalive_s * 1000u;
	c->long_set = false;
	if (c->starved) {
		c->starved = false;
		tcp_work(c);
	}
	if (c->flight != NULL && c->flight->pieces.first == NULL && now - c->wait_ms >= tcp_rto_ms(c))
		tcp_flight_end(c);
	else if (c->flight != NULL)
		tcp_long_set(c, tcp_rto_ms(c));
	rest_rings(c, silent_ms);
	const bool orphan = c->opened && c->of.user == NULL;
	if (orphan && c->h.m.state == MRG_NET_CONNECTION_FIN_WAIT2) {
		if (now - c->wait_ms >= ORPHAN_MS) {
			(void)mrg_net_connection_on_abort(&c->h.m, c);
			tcp_machine_settle(c);
			return;
		}
		tcp_long_set(c, ORPHAN_MS - (now - c->wait_ms));
	}
	if (keep_ms == 0 || c->snd_nxt != c->snd_una || ring_len(c->out) != 0)
		return;
	if (silent_ms < keep_ms) {
		if (c->retransmit_for != TCP_PERSIST)
			c->tries = 0;
		tcp_long_set(c, keep_ms - silent_ms);
		return;
	}
	if (c->tries == KEEPALIVE_TRIES) {
		(void)mrg_net_connection_on_give_up(&c->h.m, c);
		tcp_machine_settle(c);
		return;
	}
	c->tries++;
	tcp_of(c)->n.keepalives++;
	tcp_send_probe(c);
	tcp_long_set(c, KEEPALIVE_MS);
}

static void wake(struct tcp_conn *c)
{
	const uint32_t now = tcp_ms32(c->stack);
	if (c->ack_set && seq_le(c->ack_ms, now)) {
		c->ack_set = false;
		tcp_send_ack(c);
	}
	if (c->retransmit_set && seq_le(c->retransmit_ms, now))
		retransmit_due(c);
	if (!c->dead && c->h.m.state != MRG_NET_CONNECTION_CLOSED && c->long_set && seq_le(c->long_ms, now))
		long_due(c);
	if (c->dead)
		return;
	if (c->retransmit_set)
		wake_at(c, c->retransmit_ms);
	if (c->ack_set)
		wake_at(c, c->ack_ms);
	if (c->long_set)
		wake_at(c, c->long_ms);
}

/* Those whose time has come, the first in their queue. */
static void run_queues(struct tcp_state *t)
{
	struct mrg_tcpip *const s = t->stack;
	const uint32_t now = tcp_ms32(s);
	for (unsigned i = 0; i <= TCP_HALF_TRIES; i++)
		for (uint32_t slot = t->half_due[i].first; slot != 0; slot = t->half_due[i].first) {
			struct tcp_half *const h = &t->halves[slot - 1u];
			if (tcp_half_left_ms(t, h) > 0)
				break;
			tcp_half_again(s, h);
		}
	for (uint32_t slot = t->wait_due.first; slot != 0; slot = t->wait_due.first) {
		struct tcp_wait *const w = &t->waits[slot - 1u];
		if (seq_lt(now, w->due_ms))
			break;
		(void)mrg_net_connection_on_linger(&w->h.m, w);
		tcp_wait_free(t, w);
	}
}

/* When the next thing is due; UINT64_MAX: nothing is. */
static uint64_t next_due(const struct tcp_state *t)
{
	const uint64_t now_ms = tcp_ms(t->stack);
	uint64_t at_ms = wheel_next(&t->wheel);
	for (unsigned i = 0; i <= TCP_HALF_TRIES + 1u; i++) {
		const uint32_t slot = i <= TCP_HALF_TRIES ? t->half_due[i].first : t->wait_due.first;
		if (slot == 0)
			continue;
		const int32_t left = i <= TCP_HALF_TRIES
					     ? tcp_half_left_ms(t, &t->halves[slot - 1u])
					     : seq_ahead((uint32_t)now_ms, t->waits[slot - 1u].due_ms);
		const uint64_t at = now_ms + (left > 0 ? (uint32_t)left : 0);
		at_ms = at < at_ms ? at : at_ms;
	}
	return at_ms;
}

void tcp_timer_fire(struct mrg_rt_timer *timer, uint64_t now_ns)
{
	struct tcp_state *const t =
		(struct tcp_state *)(void *)((char *)timer - offsetof(struct tcp_state, timer));
	(void)now_ns;      /* the stack's clock says the same */
	t->working = true; /* the timer is armed at the end, once */
	if (tcp_ms(t->stack) >= t->due_ms) {
		for (struct tcp_wake *e; (e = wheel_run(&t->wheel, tcp_ms(t->stack))) != NULL;)
			wake((struct tcp_conn *)(void *)((char *)e - offsetof(struct tcp_conn, wake)));
		run_queues(t);
		t->due_ms = next_due(t);
	}
	tcp_burst_end(t->stack);
}

void tcp_due(struct tcp_state *t, uint64_t at_ms)
{
	if (at_ms < t->due_ms)
		t->due_ms = at_ms;
}

void tcp_timers_arm(struct tcp_state *t)
{
	struct mrg_tcpip *const s = t->stack;
	const uint64_t at_ns = t->work != NULL           ? stack_now(s)
			       : t->due_ms == UINT64_MAX ? MRG_RT_NEVER
							 : t->due_ms * 1000000u;
	if (at_ns == MRG_RT_NEVER)
		mrg_rt_timer_cancel(s->world.timers, &t->timer);
	else if (!t->timer.armed || t->timer.at_ns > at_ns)
		mrg_rt_timer_set(s->world.timers, &t->timer, at_ns);
}
