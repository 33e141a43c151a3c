/*
 * What is told of single connections.
 */
#include "protocols/tcpip/tcp.h"

static void of_conn(const struct tcp_conn *c, struct mrg_tcpip_connection *out)
{
	const struct tcp_flight *const f = c->flight;
	out->in_len = ring_len(c->in);
	out->out_len = ring_len(c->out);
	out->flight_len = c->snd_nxt - c->snd_una;
	out->snd_wnd = c->snd_wnd;
	out->mss = tcp_mss(c);
	out->cwnd = f != NULL ? f->cc.cwnd : 0;
	out->ssthresh = f != NULL ? f->cc.ssthresh : c->ssthresh;
	out->lost_len = f != NULL ? f->pieces.lost : 0;
	out->recovering = f != NULL && f->recovering;
	out->out_of_order = c->gaps != NULL;
	out->srtt_us = c->srtt_us;
	out->rttvar_us = c->rttvar_us;
	out->rto_ms = tcp_rto_ms(c);
	out->tries = c->tries;
	out->heard_ms = tcp_ms32(c->stack) - c->heard_ms;
	out->snd_scale = c->snd_scale;
	out->rcv_scale = c->rcv_scale;
	out->timestamps = c->ts_ok;
	out->sack = c->sack_ok;
	out->ecn = c->ecn_ok;
	out->orphan = c->opened && c->of.user == NULL;
}

static void of_half(const struct tcp_half *h, struct mrg_tcpip_connection *out)
{
	out->mss = h->h.mss;
	out->tries = h->tries;
	out->snd_scale = h->scale;
	out->timestamps = h->has_ts;
	out->sack = h->sack_ok;
	out->ecn = h->ecn_ok;
}

static void of(const struct tcp_state *t, const struct tcp_head *h, struct mrg_tcpip_connection *out)
{
	const struct tcp_conn *const c = (const struct tcp_conn *)(const void *)h;
	const uint32_t scope = h->kind == TCP_CONN ? c->way.only : 0;
	*out = (struct mrg_tcpip_connection){ .state = h->m.state };
	ip_to_rt(tcp_local_of(t, h), h->local_port, scope, &out->local);
	ip_to_rt(tcp_peer_of(h), h->peer_port, scope, &out->peer);
	switch ((enum tcp_kind)h->kind) {
	case TCP_CONN: of_conn(c, out); break;
	case TCP_HALF: of_half((const struct tcp_half *)(const void *)h, out); break;
	case TCP_WAIT: out->timestamps = ((const struct tcp_wait *)(const void *)h)->has_ts; break;
	}
}

size_t mrg_tcpip_connections(const struct mrg_tcpip *s, size_t most,
	void (*each)(void *ctx, const struct mrg_tcpip_connection *c), void *ctx)
{
	const struct tcp_state *const t = s->tcp;
	size_t count = 0;
	for (uint32_t i = 0; i <= t->mask; i++)
		for (const struct tcp_head *h = t->table[i]; h != NULL; h = h->next) {
			struct mrg_tcpip_connection c;
			if (count++ >= most)
				continue;
			of(t, h, &c);
			each(ctx, &c);
		}
	return count;
}
