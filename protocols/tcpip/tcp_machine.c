/*
 * What the machine of specs/net/connection.mrg asks for.  Its context is a tcp_head: of a connection, or of one that is only half open.
 *
 * Users are called from tcp_machine_settle, when the machine is done: they may close what they are told of.
 */
#include "protocols/tcpip/tcp.h"

static struct tcp_conn *conn_of(void *ctx)
{
	struct tcp_head *const h = ctx;
	return h->kind == TCP_CONN ? ctx : NULL;
}

void mrg_net_connection_do_segment(const struct mrg_net_connection *m, void *ctx, uint8_t syn, uint8_t fin,
	uint8_t rst, uint8_t acks_syn, uint8_t acks_fin, uint8_t blind)
{
	(void)m;
	(void)blind;    /* tcp_reset_for answers where there is no connection */
	(void)acks_syn; /* rcv_nxt says it */
	(void)acks_fin;
	struct tcp_conn *const c = conn_of(ctx);
	if (c == NULL)
		return; /* tcp_syn.c answers for those that are half open */
	if (rst) {
		tcp_send_reset(c);
	} else if (syn) {
		tcp_send_syn(c);
	} else {
		if (fin)
			c->finished = true;
		else
			c->ack_now = true;
		tcp_work(c);
	}
}

void mrg_net_connection_do_opened(const struct mrg_net_connection *m, void *ctx)
{
	(void)m;
	struct tcp_conn *const c = conn_of(ctx);
	if (c != NULL)
		c->to_open = true;
}

void mrg_net_connection_do_ended(const struct mrg_net_connection *m, void *ctx)
{
	(void)m;
	struct tcp_conn *const c = conn_of(ctx);
	if (c == NULL)
		return;
	c->ended = true;
	tcp_work(c);
}

void mrg_net_connection_do_gone(const struct mrg_net_connection *m, void *ctx, uint8_t why)
{
	(void)m;
	struct tcp_conn *const c = conn_of(ctx);
	if (c == NULL)
		return;
	c->is_gone = true;
	c->why = why & 7u;
}

/* That of a FIN runs with that of data: tcp_sent_something arms it. */
void mrg_net_connection_set_retransmit(const struct mrg_net_connection *m, void *ctx)
{
	struct tcp_conn *const c = conn_of(ctx);
	if (c != NULL && m->state < MRG_NET_CONNECTION_ESTABLISHED)
		tcp_retransmit_set(c, TCP_RTO, tcp_rto_ms(c) << c->tries);
}

void mrg_net_connection_cancel_retransmit(const struct mrg_net_connection *m, void *ctx)
{
	(void)m;
	struct tcp_conn *const c = conn_of(ctx);
	if (c != NULL && (c->flight == NULL || c->flight->pieces.first == NULL))
		tcp_retransmit_stop(c);
}

/* The queue of those in TIME-WAIT is kept by tcp_syn.c, which knows whether the machine has taken the segment. */
void mrg_net_connection_set_linger(const struct mrg_net_connection *m, void *ctx)
{
	(void)m;
	(void)ctx;
}

void mrg_net_connection_cancel_linger(const struct mrg_net_connection *m, void *ctx)
{
	(void)m;
	(void)ctx;
}

/* ---- after the machine ---- */

static void open_it(struct tcp_conn *c)
{
	struct tcp_counts *const n = &tcp_of(c)->n;
	const struct mrg_stream_user *user = NULL;
	c->to_open = false;
	if (c->passive) {
		const struct mrg_tcpip_listener *const l =
			tcp_listener_find(tcp_of(c), &c->way.from, c->h.local_port);
		user = l != NULL ? l->user : NULL;
		n->passive_opens++;
	} else if (c->of.attempt != NULL) {
		user = c->of.attempt->user;
		c->of.attempt->conn = NULL;
		n->active_opens++;
	}
	c->opened = true;
	c->of.user = user;
	if (c->stack->limits.keepalive_s != 0)
		tcp_long_set(c, c->stack->limits.keepalive_s * 1000u);
	n->curr_estab++;
	if (user == NULL || !user->open(user->ctx, &c->stream, stack_now(c->stack))) {
		n->listen_refused++;
		if (!c->dead && c->of.user != NULL)
			mrg_stream_close(&c->stream);
		else if (!c->dead)
			(void)mrg_net_connection_on_abort(&c->h.m, c);
	}
}

/* A connection without its place in the table lives on while its user has it: what came can still be read. */
static void leave(struct tcp_conn *c)
{
	struct tcp_state *const t = tcp_of(c);
	if (c->opened)
		t->n.curr_estab--;
	if (!c->opened || c->of.user == NULL) {
		tcp_conn_free(c);
		return;
	}
	tcp_table_remove(t, &c->h);
	wheel_cancel(&t->wheel, &c->wake);
	c->retransmit_set = c->ack_set = c->long_set = false;
	tcp_flight_end(c);
	ring_free(&c->out, &t->buffers);
	if (c->gaps != NULL)
		mrg_rt_pool_put(&t->gaps, c->gaps);
	c->gaps = NULL;
	mrg_net_connection_begin(&c->h.m);
	tcp_work(c);
}

static void bury(struct tcp_conn *c)
{
	struct tcp_state *const t = tcp_of(c);
	c->is_gone = false;
	if (c->opened && (c->why == MRG_NET_WHY_RESET || c->why == MRG_NET_WHY_TIMED_OUT))
		t->n.estab_resets++;
	if (!c->opened) {
		t->n.attempt_fails++;
		struct mrg_tcpip_connect *const attempt = c->passive ? NULL : c->of.attempt;
		c->of.attempt = NULL;
		if (attempt != NULL) {
			attempt->conn = NULL;
			tcp_conn_free(c);
			attempt->failed(attempt, (enum mrg_net_why)c->why, stack_now(c->stack));
			return;
		}
	}
	if (c->why != MRG_NET_WHY_CLOSED) {
		c->broken = true;
		ring_free(&c->in, &t->buffers);
	}
	leave(c);
}

static void wait_two_msl(struct tcp_conn *c)
{
	struct tcp_state *const t = tcp_of(c);
	/* what the machine has left to say goes out first, from here */
	if (c->ack_now)
		tcp_send_ack(c);
	const struct tcp_key k = { &c->way.from, &c->way.to, c->h.local_port, c->h.peer_port };
	tcp_table_remove(t, &c->h);
	struct tcp_wait *const w = tcp_wait_new(t, &k);
	if (w != NULL) {
		w->h.m = c->h.m;
		w->snd_nxt = c->snd_nxt;
		w->rcv_nxt = c->rcv_nxt;
		w->has_ts = c->ts_ok;
		w->ts_recent = c->ts_recent;
		w->ts_offset = c->ts_offset;
	}
	leave(c);
}

void tcp_machine_settle(struct tcp_conn *c)
{
	if (c->to_open && !c->is_gone)
		open_it(c);
	if (c->dead)
		return;
	if (c->is_gone)
		bury(c);
	else if (c->h.m.state == MRG_NET_CONNECTION_TIME_WAIT)
		wait_two_msl(c);
}

void tcp_machine_segment(struct tcp_conn *c, bool syn, bool fin, bool rst, bool acks_syn, bool acks_fin)
{
	(void)mrg_net_connection_on_segment(&c->h.m, c, syn, fin, rst, acks_syn, acks_fin, false);
	tcp_machine_settle(c);
}
