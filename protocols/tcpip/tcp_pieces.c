/*
 * Pieces in flight, in order of their numbers.  Each call passes over them once at most, and there are at most TCP_PIECES_MAX.
 */
#include "protocols/tcpip/tcp_pieces.h"

static uint32_t len_of(const struct tcp_piece *e) { return e->right - e->left; }

/* RFC 8985 section 6.2 step 2: sent later, or at the same time with higher numbers. */
static bool sent_after(uint32_t us, uint32_t end, uint32_t other_us, uint32_t other_end)
{
	return us == other_us ? seq_lt(other_end, end) : seq_ahead(other_us, us) > 0;
}

bool pieces_add(
	struct tcp_pieces *p, struct mrg_rt_pool *pool, uint32_t left, uint32_t right, uint32_t now_us)
{
	struct tcp_piece *const last = p->last;
	if (last != NULL && last->right == left && last->sent_us == now_us && !last->again && !last->sacked &&
		!last->lost) {
		last->right = right;
		return true;
	}
	struct tcp_piece *const e = p->count < TCP_PIECES_MAX ? mrg_rt_pool_get(pool) : NULL;
	if (e == NULL)
		return false;
	*e = (struct tcp_piece){ .left = left, .right = right, .sent_us = now_us };
	if (last != NULL)
		last->next = e;
	else
		p->first = e;
	p->last = e;
	p->count++;
	return true;
}

/* The piece becomes two, the second from `at` on.  Fails: false when there is no room for another. */
static bool split(struct tcp_pieces *p, struct mrg_rt_pool *pool, struct tcp_piece *e, uint32_t at)
{
	struct tcp_piece *const n = p->count < TCP_PIECES_MAX ? mrg_rt_pool_get(pool) : NULL;
	if (n == NULL)
		return false;
	*n = *e;
	n->left = at;
	e->right = at;
	e->next = n;
	if (p->last == e)
		p->last = n;
	p->count++;
	return true;
}

/* len bytes that end at `right` have come: the newest of all? (RFC 8985 section 6.2 steps 1 to 3) */
static void came(
	struct tcp_rack *r, const struct tcp_piece *e, uint32_t right, uint32_t now_us, struct tcp_news *news)
{
	const uint32_t rtt = now_us - e->sent_us;
	if (r->mult == 0) {
		*r = (struct tcp_rack){ .mult = 1,
			.fack = right,
			.min_rtt_us = UINT32_MAX,
			.end = right,
			.xmit_us = e->sent_us };
	} else if (seq_lt(right, r->fack) && !e->again) {
		r->reordered = true;
	}
	r->fack = seq_max(r->fack, right);
	/* sent again, and so soon afterwards that it must be the first one that has come */
	if (e->again && rtt < r->min_rtt_us)
		return;
	if (!e->again) {
		news->rtt_us = rtt != 0 ? rtt : 1u;
		if (news->rtt_us < r->min_rtt_us)
			r->min_rtt_us = news->rtt_us;
	}
	r->rtt_us = rtt;
	if (sent_after(e->sent_us, right, r->xmit_us, r->end)) {
		r->xmit_us = e->sent_us;
		r->end = right;
	}
}

static void uncount(struct tcp_pieces *p, const struct tcp_piece *e, uint32_t len)
{
	if (e->sacked)
		p->sacked -= len;
	if (e->lost)
		p->lost -= len;
}

void pieces_ack(
	struct tcp_pieces *p, struct mrg_rt_pool *pool, uint32_t una, uint32_t now_us, struct tcp_news *news)
{
	while (p->first != NULL && seq_lt(p->first->left, una)) {
		struct tcp_piece *const e = p->first;
		const uint32_t right = seq_min(e->right, una), len = right - e->left;
		uncount(p, e, len);
		news->acked += len;
		news->again = news->again || e->again;
		if (!e->sacked) {
			news->delivered += len;
			came(&p->rack, e, right, now_us, news);
		}
		e->left = right;
		if (e->left != e->right)
			break;
		p->first = e->next;
		p->count--;
		mrg_rt_pool_put(pool, e);
	}
	if (p->first == NULL)
		p->last = NULL;
	if (news->again)
		news->rtt_us = 0; /* those behind it have waited for it, nobody knows how long */
}

void pieces_sack(struct tcp_pieces *p, struct mrg_rt_pool *pool, uint32_t left, uint32_t right,
	uint32_t now_us, struct tcp_news *news)
{
	for (struct tcp_piece *e = p->first; e != NULL && seq_lt(e->left, right); e = e->next) {
		if (e->sacked || seq_le(e->right, left))
			continue;
		/* the part in front is another piece, which this round then has behind it */
		if (seq_lt(e->left, left)) {
			if (!split(p, pool, e, left))
				continue;
			e = e->next;
		}
		if (seq_lt(right, e->right) && !split(p, pool, e, right))
			continue;
		uncount(p, e, len_of(e));
		e->lost = false;
		e->sacked = true;
		p->sacked += len_of(e);
		news->delivered += len_of(e);
		news->sacked = true;
		came(&p->rack, e, e->right, now_us, news);
	}
}

uint32_t pieces_detect(struct tcp_pieces *p, uint32_t window_us, uint32_t now_us)
{
	const struct tcp_rack *const r = &p->rack;
	if (r->mult == 0)
		return 0;
	uint32_t wait = 0;
	for (struct tcp_piece *e = p->first; e != NULL; e = e->next) {
		if (e->sacked || e->lost || !sent_after(r->xmit_us, r->end, e->sent_us, e->right))
			continue;
		const int32_t left = seq_ahead(now_us, e->sent_us + r->rtt_us + window_us);
		if (left > 0) {
			wait = wait < (uint32_t)left ? (uint32_t)left : wait;
			continue;
		}
		e->lost = true;
		p->lost += len_of(e);
	}
	return wait;
}

void pieces_lose_first(struct tcp_pieces *p, struct mrg_rt_pool *pool, uint32_t len)
{
	struct tcp_piece *const e = p->first;
	if (e == NULL || e->lost || e->sacked)
		return;
	if (len < len_of(e))
		(void)split(p, pool, e, e->left + len); /* if it can't be, all of it is sent again */
	e->lost = true;
	p->lost += len_of(e);
}

void pieces_lose_last(struct tcp_pieces *p, struct mrg_rt_pool *pool, uint32_t len)
{
	struct tcp_piece *e = p->last;
	if (e == NULL || e->lost || e->sacked)
		return;
	if (len < len_of(e) && split(p, pool, e, e->right - len))
		e = p->last;
	e->lost = true;
	p->lost += len_of(e);
}

void pieces_lose_all(struct tcp_pieces *p)
{
	for (struct tcp_piece *e = p->first; e != NULL; e = e->next) {
		if (e->sacked || e->lost)
			continue;
		e->lost = true;
		p->lost += len_of(e);
	}
}

void pieces_forget_sacks(struct tcp_pieces *p)
{
	for (struct tcp_piece *e = p->first; e != NULL; e = e->next)
		e->sacked = false;
	p->sacked = 0;
}

struct tcp_piece *pieces_lost(const struct tcp_pieces *p)
{
	if (p->lost == 0)
		return NULL;
	struct tcp_piece *e = p->first;
	while (e != NULL && !e->lost)
		e = e->next;
	return e;
}

uint32_t pieces_resend(
	struct tcp_pieces *p, struct mrg_rt_pool *pool, struct tcp_piece *e, uint32_t len, uint32_t now_us)
{
	if (len < len_of(e))
		(void)split(p, pool, e, e->left + len);
	p->lost -= len_of(e);
	p->resent_in.left = p->resent == 0 ? e->left : seq_min(p->resent_in.left, e->left);
	p->resent_in.right = p->resent == 0 ? e->right : seq_max(p->resent_in.right, e->right);
	p->resent += len_of(e);
	e->lost = false;
	e->again = true;
	e->sent_us = now_us;
	return len_of(e);
}

void pieces_resent_reset(struct tcp_pieces *p)
{
	p->resent = 0;
	p->resent_in = (struct tcp_range){ 0, 0 };
}

bool pieces_twice(struct tcp_pieces *p, const struct tcp_range *twice)
{
	const uint32_t len = twice->right - twice->left;
	if (p->resent == 0 || seq_lt(twice->left, p->resent_in.left) ||
		seq_lt(p->resent_in.right, twice->right))
		return false; /* the network has doubled it */
	p->resent -= len < p->resent ? len : p->resent;
	return p->resent == 0;
}

void pieces_free(struct tcp_pieces *p, struct mrg_rt_pool *pool)
{
	while (p->first != NULL) {
		struct tcp_piece *const next = p->first->next;
		mrg_rt_pool_put(pool, p->first);
		p->first = next;
	}
	p->last = NULL;
	p->count = p->sacked = p->lost = 0;
}
