/*
 * Congestion control in integers: bytes and milliseconds.
 */
#include "protocols/tcpip/tcp_cc.h"

enum {
	INITIAL_SEGMENTS = 10, /* RFC 6928 section 2 */
	BETA_TENTHS = 7,       /* what is left after a loss, RFC 9438 section 4.6 */
	C_TENTHS = 4,          /* RFC 9438 section 5.1 */
	ALPHA_NUM = 9,
	ALPHA_DEN = 17, /* 3 (1 - beta) / (1 + beta), section 4.3 */
	FAR_MS = 60000  /* from K: beyond that cwnd is bounded by other things */
};
#define CWND_MAX (UINT32_C(1) << 30)

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }
static uint32_t most(uint32_t a, uint32_t b) { return a > b ? a : b; }

uint32_t cc_initial(uint32_t mss) { return most(least(INITIAL_SEGMENTS * mss, 14600u), 2u * mss); }

void cc_begin(struct tcp_cc *c, enum tcp_cc_kind kind, uint32_t mss)
{
	*c = (struct tcp_cc){ .cwnd = cc_initial(mss), .ssthresh = CWND_MAX, .kind = (uint8_t)kind };
}

static uint32_t cube_root(uint64_t a)
{
	uint64_t root = 0;
	for (int bit = 20; bit >= 0; bit--) {
		const uint64_t with = root | UINT64_C(1) << bit;
		if (with * with * with <= a)
			root = with;
	}
	return (uint32_t)root;
}

/* RFC 9438 section 4.2: K, in milliseconds. */
static void begin_epoch(struct tcp_cc *c, uint32_t mss, uint32_t now_ms)
{
	c->in_epoch = true;
	c->epoch_ms = now_ms;
	c->w_est = c->cwnd;
	c->w_max = most(c->w_max, c->cwnd);
	/* (w_max - cwnd) / (C mss), cube root, in thousandths of seconds */
	const uint64_t ratio = (uint64_t)(c->w_max - c->cwnd) * (10u * UINT64_C(1000000000) / C_TENTHS) / mss;
	c->k_ms = cube_root(ratio);
}

/* RFC 9438 section 4.2: W_cubic(t), in bytes, for t after the epoch began. */
static uint32_t cubic(const struct tcp_cc *c, uint32_t t_ms, uint32_t mss)
{
	const bool before = t_ms < c->k_ms;
	const uint64_t d = least(before ? c->k_ms - t_ms : t_ms - c->k_ms, FAR_MS);
	const uint64_t bytes = d * d * d / 1000000u * C_TENTHS * mss / 10000u;
	if (before)
		return bytes < c->w_max ? c->w_max - (uint32_t)bytes : 0;
	return bytes < CWND_MAX - c->w_max ? c->w_max + (uint32_t)bytes : CWND_MAX;
}

/* cwnd grows by `by` for each cwnd of bytes that are acknowledged; what is less than a byte is kept. */
static uint32_t share(uint32_t *rest, uint64_t by, uint32_t acked, uint32_t cwnd)
{
	const uint64_t all = by * acked + *rest;
	*rest = (uint32_t)(all % cwnd);
	return (uint32_t)least((uint32_t)(all / cwnd), CWND_MAX);
}

void cc_acked(struct tcp_cc *c, uint32_t acked, uint32_t mss, uint32_t srtt_ms, uint32_t now_ms)
{
	if (c->cwnd < c->ssthresh) {
		c->cwnd = least(c->cwnd + acked, CWND_MAX);
		return;
	}
	if (c->kind == TCP_CC_RENO) {
		c->cwnd = least(c->cwnd + share(&c->grown, mss, acked, c->cwnd), CWND_MAX);
		return;
	}
	if (!c->in_epoch)
		begin_epoch(c, mss, now_ms);
	uint32_t rest = 0;
	/* section 4.3: from where it was before, as fast as Reno */
	const bool past = c->w_est >= c->prior;
	c->w_est += share(&rest, past ? mss : (uint64_t)mss * ALPHA_NUM / ALPHA_DEN, acked, c->cwnd);
	const uint32_t t_ms = now_ms - c->epoch_ms;
	if (cubic(c, t_ms, mss) < c->w_est) {
		c->cwnd = least(most(c->cwnd, c->w_est), CWND_MAX);
		return;
	}
	const uint32_t target = least(cubic(c, t_ms + srtt_ms, mss), c->cwnd + c->cwnd / 2u);
	if (target > c->cwnd)
		c->cwnd = least(c->cwnd + share(&c->grown, target - c->cwnd, acked, c->cwnd), CWND_MAX);
}

void cc_loss(struct tcp_cc *c, uint32_t mss)
{
	c->in_epoch = false;
	c->grown = 0;
	c->prior = c->cwnd;
	if (c->kind == TCP_CC_RENO) {
		c->ssthresh = most(c->cwnd / 2u, 2u * mss);
		return;
	}
	/* fast convergence, RFC 9438 section 4.7 */
	c->w_max = c->cwnd < c->w_max ? c->cwnd / 20u * (10u + BETA_TENTHS) : c->cwnd;
	c->ssthresh = most((uint32_t)((uint64_t)c->cwnd * BETA_TENTHS / 10u), 2u * mss);
}

void cc_timeout(struct tcp_cc *c, uint32_t in_flight, uint32_t mss)
{
	const uint32_t cwnd = c->cwnd;
	c->cwnd = most(least(cwnd, in_flight), 2u * mss);
	cc_loss(c, mss);
	c->cwnd = mss;
}
