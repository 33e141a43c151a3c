/*
 * What is lost, and how fast to go on: RACK-TLP (RFC 8985), Proportional Rate Reduction (RFC 9937), RFC 6582 where there is no SACK;
 * what was for nothing (RFC 3708, RFC 4015).
 */
#include "protocols/tcpip/tcp.h"

enum { DUP_ACKS = 3, LIMITED = 2, REORDER_PERSIST = 16, MULT_MAX = 20 };

uint32_t tcp_may_send(const struct tcp_conn *c)
{
	const uint32_t pipe = tcp_pipe(c);
	uint32_t cwnd = c->flight->cc.cwnd;
	if (!c->sack_ok && !c->flight->recovering) /* RFC 3042: with SACK, what has come is not in the pipe */
		cwnd += (c->dup_acks < LIMITED ? c->dup_acks : LIMITED) * tcp_mss(c);
	return cwnd > pipe ? cwnd - pipe : 0;
}

/* RFC 8985 section 6.2 step 4 */
static uint32_t reorder_window_us(const struct tcp_conn *c, bool dsack)
{
	const struct tcp_flight *const f = c->flight;
	struct tcp_rack *const r = &c->flight->pieces.rack;
	if (r->in_round && seq_le(r->round, c->snd_una))
		r->in_round = false;
	if (dsack && !r->in_round) {
		r->in_round = true;
		r->round = c->snd_nxt;
		r->mult = r->mult < MULT_MAX ? r->mult + 1u : MULT_MAX;
		r->persist = REORDER_PERSIST;
	}
	if (!r->reordered && (f->recovering || f->pieces.sacked >= DUP_ACKS * tcp_mss(c)))
		return 0;
	const uint32_t min = r->min_rtt_us == UINT32_MAX ? c->srtt_us : r->min_rtt_us;
	const uint32_t window = min / 4u * r->mult;
	return window < c->srtt_us ? window : c->srtt_us;
}

static void keep_before(struct tcp_flight *f)
{
	f->before = f->cc;
	f->reduced = true;
	f->told = (struct tcp_range){ 0, 0 };
	pieces_resent_reset(&f->pieces);
}

/*
 * All that was sent again has come twice: it was late, and not lost (RFC 3708 section 2). The window is what it was, but for a burst
 * (RFC 4015 section 3.4).
 */
static void for_nothing(struct tcp_conn *c, const struct tcp_range *twice)
{
	struct tcp_flight *const f = c->flight;
	const bool known = f->told.left == twice->left && f->told.right == twice->right;
	f->told = *twice;
	if (known || !pieces_twice(&f->pieces, twice) || !f->reduced)
		return;
	const uint32_t burst = tcp_pipe(c) + cc_initial(tcp_mss(c)), now = f->cc.cwnd;
	f->cc = f->before;
	if (f->cc.ssthresh < f->cc.cwnd)
		f->cc.ssthresh = f->cc.cwnd;
	if (f->cc.cwnd > burst)
		f->cc.cwnd = burst;
	if (f->cc.cwnd < now)
		f->cc.cwnd = now;
	f->reduced = false;
	if (f->pieces.lost == 0)
		f->recovering = false;
}

/* delivered: bytes that have come with the acknowledgment which told of the loss */
static void begin_recovery(struct tcp_conn *c, uint32_t delivered)
{
	struct tcp_flight *const f = c->flight;
	const uint32_t out = c->snd_nxt - c->snd_una, there = f->pieces.sacked;
	tcp_of(c)->n.fast_recoveries++;
	keep_before(f);
	cc_loss(&f->cc, tcp_mss(c));
	f->recovering = true;
	f->timed_out = false;
	f->recover = c->snd_nxt;
	/* RFC 9937 section 5: what had come before is none of what will come */
	f->flight_then = out - there + delivered;
	f->delivered = f->sent = 0;
	f->tlp_out = false;
}

static void end_recovery(struct tcp_conn *c)
{
	struct tcp_flight *const f = c->flight;
	struct tcp_rack *const r = &f->pieces.rack;
	if (!f->timed_out)
		f->cc.cwnd = f->cc.ssthresh;
	f->recovering = false;
	if (r->persist != 0 && --r->persist == 0)
		r->mult = 1;
}

/* RFC 9937 section 5: as much goes out as came in, in the proportion in which cwnd comes down. */
static void reduce(struct tcp_conn *c, uint32_t delivered, bool progress)
{
	struct tcp_flight *const f = c->flight;
	const uint32_t pipe = tcp_pipe(c), mss = tcp_mss(c), ssthresh = f->cc.ssthresh;
	f->delivered += delivered;
	if (delivered == 0 && f->sent != 0)
		return; /* nothing has left the network: what was granted still is */
	uint32_t may;
	if (pipe > ssthresh) {
		const uint64_t share =
			((uint64_t)f->delivered * ssthresh + f->flight_then - 1u) / f->flight_then;
		may = share > f->sent ? (uint32_t)share - f->sent : 0;
	} else {
		const uint32_t behind = f->delivered > f->sent ? f->delivered - f->sent : 0;
		may = (behind > delivered ? behind : delivered) + (progress ? mss : 0);
		may = may < ssthresh - pipe ? may : ssthresh - pipe;
	}
	/* what is lost goes out at once, and when nothing is under way nothing else would grant more */
	if ((f->sent == 0 || pipe == 0) && may < mss)
		may = mss;
	f->cc.cwnd = pipe + may;
}

/* RFC 3168 section 6.1.2: a mark is answered as a loss, once in a round trip. */
static void marked(struct tcp_conn *c)
{
	struct tcp_flight *const f = c->flight;
	if (f->recovering || (f->sent_cwr && seq_lt(c->snd_una, f->recover)))
		return;
	cc_loss(&f->cc, tcp_mss(c));
	f->cc.cwnd = f->cc.ssthresh;
	f->recover = c->snd_nxt;
	f->sent_cwr = true;
	c->ecn_reduced = true;
}

/* RFC 8985 section 7.4: the probe itself has mended a loss, unless the peer has got it twice. */
static void probe_answered(struct tcp_conn *c, bool dsack)
{
	struct tcp_flight *const f = c->flight;
	if (!f->tlp_out || seq_lt(c->snd_una, f->tlp_end))
		return;
	f->tlp_out = false;
	if (f->tlp_again && !f->recovering)
		c->late_acks = dsack;
	if (!f->tlp_again || dsack || f->recovering)
		return;
	cc_loss(&f->cc, tcp_mss(c));
	f->cc.cwnd = f->cc.ssthresh;
}

static void detect(struct tcp_conn *c, const struct tcp_news *news, bool dsack)
{
	struct tcp_state *const t = tcp_of(c);
	struct tcp_flight *const f = c->flight;
	if (!c->sack_ok) {
		/* RFC 6582: the third duplicate acknowledgment, then each that does not reach to the end of what was in flight */
		if ((c->dup_acks == DUP_ACKS && !f->recovering) ||
			(f->recovering && !f->timed_out && news->acked != 0))
			pieces_lose_first(&f->pieces, &t->pieces, tcp_mss(c));
		return;
	}
	if (f->pieces.sacked == 0 && !f->recovering && !dsack)
		return;
	const uint32_t wait_us = pieces_detect(&f->pieces, reorder_window_us(c, dsack), tcp_us32(c->stack));
	if (wait_us != 0)
		tcp_retransmit_set(c, TCP_REORDER, wait_us / 1000u + 1u);
}

static void after_detection(struct tcp_conn *c, uint32_t delivered)
{
	if (c->flight->pieces.lost != 0 && !c->flight->recovering)
		begin_recovery(c, delivered);
}

/* When all that is in flight has come there is nothing to follow any more: the flight is kept a while, for what it has learnt. */
static void rest(struct tcp_conn *c)
{
	/* a peer that answers the probes of its closed window goes on being probed */
	if (c->retransmit_for != TCP_PERSIST)
		tcp_retransmit_stop(c);
	tcp_long_set(c, tcp_rto_ms(c));
}

/* Something was acknowledged. */
static void grow(struct tcp_conn *c, const struct tcp_news *news)
{
	struct tcp_flight *const f = c->flight;
	if (f->limited || f->cc.cwnd < f->cc.ssthresh)
		cc_acked(&f->cc, news->acked, tcp_mss(c), c->srtt_us / 1000u, tcp_ms32(c->stack));
}

void tcp_recovery_none(struct tcp_conn *c, const struct tcp_news *news)
{
	c->flight->probes = 0;
	grow(c, news);
	if (c->flight->pieces.first == NULL)
		rest(c);
	else
		tcp_sent_something(c);
	tcp_work(c);
}

void tcp_recovery_input(struct tcp_conn *c, const struct tcp_seg *g, const struct tcp_news *news, bool dsack)
{
	struct tcp_flight *const f = c->flight;
	if (news->acked != 0 || news->sacked)
		f->probes = 0;
	if (f->recovering && seq_le(f->recover, c->snd_una))
		end_recovery(c);
	if (dsack)
		for_nothing(c, &news->twice);
	probe_answered(c, dsack);
	const uint32_t lost = f->pieces.lost;
	detect(c, news, dsack);
	after_detection(c, news->delivered);
	if (c->ecn_ok && g->ece)
		marked(c);
	if (f->recovering && !f->timed_out)
		reduce(c, news->delivered, news->acked != 0 && f->pieces.lost <= lost);
	else if (news->acked != 0)
		grow(c, news);
	if (f->pieces.first == NULL)
		rest(c);
	else if (news->acked != 0 && !(c->retransmit_set && c->retransmit_for == TCP_REORDER))
		tcp_sent_something(c);
	if (news->acked != 0 || news->sacked || f->pieces.lost != 0 || c->dup_acks != 0)
		tcp_work(c);
}

void tcp_recovery_detect(struct tcp_conn *c)
{
	if (c->flight == NULL)
		return;
	const struct tcp_news none = { 0 };
	detect(c, &none, false);
	after_detection(c, 0);
	if (c->flight->recovering && !c->flight->timed_out)
		reduce(c, 0, false);
	tcp_work(c);
}

/* RFC 6298 section 5, RFC 6675 section 5.1: all that has not come is taken for lost. */
void tcp_recovery_timeout(struct tcp_conn *c)
{
	struct tcp_flight *const f = c->flight;
	tcp_of(c)->n.timeouts++;
	if (f == NULL)
		return;
	if (f->pieces.first != NULL && f->pieces.first->sacked)
		pieces_forget_sacks(&f->pieces); /* RFC 2018 section 8: it has thrown away what it had */
	if (!f->recovering)
		keep_before(f);
	if (!f->recovering || !f->timed_out)
		cc_timeout(&f->cc, c->snd_nxt - c->snd_una, tcp_mss(c));
	else
		f->cc.cwnd = tcp_mss(c);
	pieces_lose_all(&f->pieces);
	f->recovering = f->timed_out = true;
	f->recover = c->snd_nxt;
	f->tlp_out = false;
	c->dup_acks = 0;
}
