/*
 * Connections of an HTTP server: their lists, time limits and blocks, and the events of the platform. What a connection reads and
 * when it ends is said by the machine of specs/http/connection.mrg.
 * Reading order: lists, closing, blocks, what the machine asks for, time limits, events. server_in.c reads, server_out.c sends.
 */
#include "protocols/http/server_in.h"
#include "protocols/http/server_out.h"

enum { LINE = 64 }; /* bytes of a cache line */

/* ---- connections, by time limit, those nearest to it first ---- */

static void list_remove(struct mrg_http_server *t, struct mrg_http_conn *c)
{
	struct mrg_http_waits *const w = &t->waits[c->wait];
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		w->oldest = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	else
		w->newest = c->prev;
}

static void list_add(struct mrg_http_server *t, struct mrg_http_conn *c)
{
	struct mrg_http_waits *const w = &t->waits[c->wait];
	c->next = NULL;
	c->prev = w->newest;
	if (w->newest != NULL)
		w->newest->next = c;
	else
		w->oldest = c;
	w->newest = c;
}

static void wake_by(struct mrg_http_server *t, uint64_t at)
{
	if (!t->timer.armed || at < t->timer.at_ns)
		mrg_rt_timer_set(t->timers, &t->timer, at);
}

/* Each list is in order of the deadlines, since all in it have the same limit: one timer is enough. */
static void arm(struct mrg_http_server *t)
{
	for (size_t i = 0; i < MRG_HTTP_WAITS; i++)
		if (t->waits[i].oldest != NULL)
			wake_by(t, t->waits[i].oldest->deadline_ns);
}

static void wait_for(
	struct mrg_http_server *t, struct mrg_http_conn *c, enum mrg_http_wait wait, uint64_t now_ns)
{
	const uint64_t left = MRG_RT_NEVER - 1u - now_ns, limit = t->waits[wait].limit_ns;
	list_remove(t, c);
	c->wait = (uint8_t)wait;
	c->deadline_ns = now_ns + (limit < left ? limit : left);
	c->moved = 0;
	c->fresh = false;
	list_add(t, c);
	wake_by(t, c->deadline_ns);
}

/* ---- closing ---- */

static void close_conn(struct mrg_http_server *t, struct mrg_http_conn *c)
{
	mrg_http_in_drop_(t, c);
	mrg_http_out_drop_(t, c);
	if (c->own != NULL)
		t->handler.end(t->handler.ctx, c->own);
	list_remove(t, c);
	mrg_stream_close(c->s);
	mrg_rt_pool_put(&t->conns, c);
	t->live--;
}

/* Somebody else needs the room, or it took too long. */
static void give_up(struct mrg_http_server *t, struct mrg_http_conn *c)
{
	(void)mrg_http_connection_server_on_abort(&c->m, NULL);
	close_conn(t, c);
}

/* Close the connection nearest to its limit, idle ones first. */
static bool spare(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	struct mrg_http_server *const t = ctx;
	for (size_t i = 0; i < MRG_HTTP_WAITS; i++) {
		if (t->waits[i].oldest == NULL)
			continue;
		t->counts.spared++;
		give_up(t, t->waits[i].oldest);
		return true;
	}
	return false;
}

/* ---- blocks ---- */

static bool holds_in(const struct mrg_http_conn *c) { return c->in != NULL && c->in_big; }
static bool holds_out(const struct mrg_http_conn *c) { return c->out != NULL; }

/* A block of the pool; when all are in use, that of a connection for which `holds` is true.   Cost: O(live). */
static void *block(struct mrg_http_server *t, struct mrg_rt_pool *pool, const struct mrg_http_conn *except,
	bool (*holds)(const struct mrg_http_conn *c))
{
	void *p = mrg_rt_pool_get(pool);
	for (size_t i = 0; i < MRG_HTTP_WAITS && p == NULL; i++)
		for (struct mrg_http_conn *c = t->waits[i].oldest, *next; c != NULL && p == NULL; c = next) {
			next = c->next;
			if (c == except || !holds(c))
				continue;
			t->counts.spared++;
			give_up(t, c);
			p = mrg_rt_pool_get(pool);
		}
	return p;
}

uint8_t *mrg_http_in_block_(struct mrg_http_server *t, const struct mrg_http_conn *c)
{
	return block(t, &t->big, c, holds_in);
}

struct mrg_http_out *mrg_http_out_block_(struct mrg_http_server *t, const struct mrg_http_conn *c)
{
	return block(t, &t->outs, c, holds_out);
}

/* ---- what the machine asks for ---- */

/* Closing is an end as well. */
void mrg_http_connection_server_do_end(const struct mrg_http_connection_server *m, void *ctx)
{
	const struct mrg_http_turn *const e = ctx;
	if (m->state == MRG_HTTP_CONNECTION_SERVER_LINGERING)
		mrg_stream_finish(e->c->s);
}

/* The time limits, this one among them, follow from the state; what was not taken is looked at behind each event. */
void mrg_http_connection_server_set_linger(const struct mrg_http_connection_server *m, void *ctx)
{
	(void)m;
	(void)ctx;
}

void mrg_http_connection_server_set_taken(const struct mrg_http_connection_server *m, void *ctx)
{
	(void)m;
	(void)ctx;
}

/* ---- after the work of an event ---- */

static enum mrg_http_wait waits_for(const struct mrg_http_conn *c)
{
	if (mrg_http_out_waits_(c))
		return MRG_HTTP_WAIT_SEND;
	switch (c->m.state) {
	case MRG_HTTP_CONNECTION_SERVER_IDLE: return c->in_len != 0 ? MRG_HTTP_WAIT_HEAD : MRG_HTTP_WAIT_IDLE;
	case MRG_HTTP_CONNECTION_SERVER_ANSWERING:
	case MRG_HTTP_CONNECTION_SERVER_SKIPPING: return MRG_HTTP_WAIT_BODY;
	default: return MRG_HTTP_WAIT_LINGER;
	}
}

/* Does what has moved since put the deadline off? */
static bool progress(const struct mrg_http_server *t, const struct mrg_http_conn *c, enum mrg_http_wait wait)
{
	if (wait == MRG_HTTP_WAIT_LINGER)
		return false;
	const bool counts = wait == MRG_HTTP_WAIT_BODY || wait == MRG_HTTP_WAIT_SEND;
	return c->fresh || (counts && c->moved >= t->limits.slow_octets);
}

/* End the connection, or say what to wait for. */
static void settle(struct mrg_http_server *t, struct mrg_http_conn *c, uint64_t now_ns)
{
	if (c->m.state == MRG_HTTP_CONNECTION_SERVER_ENDING && !mrg_http_out_waits_(c))
		(void)mrg_http_connection_server_on_taken(&c->m, &(struct mrg_http_turn){ t, c, NULL });
	if (c->m.state == MRG_HTTP_CONNECTION_SERVER_CLOSED) {
		close_conn(t, c);
		return;
	}
	const enum mrg_http_wait wait = waits_for(c);
	if (wait != c->wait || progress(t, c, wait))
		wait_for(t, c, wait, now_ns);
	mrg_stream_want(c->s, wait == MRG_HTTP_WAIT_SEND ? MRG_STREAM_WRITABLE : MRG_STREAM_READABLE);
}

static void after(struct mrg_http_server *t, struct mrg_http_conn *c, enum mrg_io io, uint64_t now_ns)
{
	if (io == MRG_IO_EOF) {
		(void)mrg_http_connection_server_on_end(&c->m, NULL);
	} else if (io == MRG_IO_RESET) {
		t->counts.broken++;
		(void)mrg_http_connection_server_on_abort(&c->m, NULL);
	}
	settle(t, c, now_ns);
}

/* While the server drains, a connection that is idle ends; but a request that has come on it already is answered first. */
static enum mrg_io end_idle(struct mrg_http_server *t, struct mrg_http_conn *c, uint64_t now_ns)
{
	if (waits_for(c) != MRG_HTTP_WAIT_IDLE)
		return MRG_IO_OK;
	const enum mrg_io io = mrg_http_in_receive_(t, c, now_ns);
	if ((io == MRG_IO_OK || io == MRG_IO_AGAIN) && waits_for(c) == MRG_HTTP_WAIT_IDLE)
		(void)mrg_http_connection_server_on_drop(&c->m, NULL);
	return io;
}

/* ---- events ---- */

/* An answer that waits goes first: until it is taken, nothing is read. */
static void ready(void *ctx, struct mrg_stream *s, unsigned events, uint64_t now_ns)
{
	struct mrg_http_server *const t = ctx;
	struct mrg_http_conn *const c = s->conn;
	enum mrg_io io = MRG_IO_OK;
	if (mrg_http_out_waits_(c)) {
		if (!mrg_http_out_resume_(t, c) ||
			(!mrg_http_out_waits_(c) && !mrg_http_in_resume_(t, c, now_ns)))
			io = MRG_IO_RESET;
	} else if ((events & MRG_STREAM_READABLE) != 0) {
		io = mrg_http_in_receive_(t, c, now_ns);
	}
	if (t->draining && io != MRG_IO_RESET && io != MRG_IO_EOF)
		io = end_idle(t, c, now_ns);
	after(t, c, io, now_ns);
}

static bool open_conn(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	struct mrg_http_server *const t = ctx;
	if (t->draining || (t->live == t->limits.conn_count && !spare(t, now_ns)))
		return false;
	struct mrg_http_conn *const c = mrg_rt_pool_get(&t->conns);
	if (c == NULL)
		return false;
	*c = (struct mrg_http_conn){ .s = s, .wait = MRG_HTTP_WAIT_IDLE };
	mrg_http_connection_server_begin(&c->m);
	s->conn = c;
	t->live++;
	t->counts.opened++;
	list_add(t, c);
	wait_for(t, c, MRG_HTTP_WAIT_IDLE, now_ns);
	mrg_stream_want(s, MRG_STREAM_READABLE);
	return true;
}

static void expired(struct mrg_http_server *t, struct mrg_http_conn *c, uint64_t now_ns)
{
	t->counts.timeouts[c->wait]++;
	const bool slow_request = c->wait == MRG_HTTP_WAIT_HEAD || c->wait == MRG_HTTP_WAIT_BODY;
	if (c->m.state == MRG_HTTP_CONNECTION_SERVER_LINGERING)
		(void)mrg_http_connection_server_on_linger(&c->m, NULL);
	else if (!slow_request || !mrg_http_in_timeout_(t, c, now_ns))
		(void)mrg_http_connection_server_on_abort(&c->m, NULL);
	settle(t, c, now_ns);
}

static void fire(struct mrg_rt_timer *timer, uint64_t now_ns)
{
	struct mrg_http_server *const t =
		(struct mrg_http_server *)(void *)((char *)timer - offsetof(struct mrg_http_server, timer));
	for (size_t i = 0; i < MRG_HTTP_WAITS; i++)
		while (t->waits[i].oldest != NULL && t->waits[i].oldest->deadline_ns <= now_ns)
			expired(t, t->waits[i].oldest, now_ns);
	arm(t);
}

size_t mrg_http_server_memory(const struct mrg_http_limits *limits)
{
	return limits->conn_count * (sizeof(struct mrg_http_conn) + MRG_HTTP_IN_SMALL) +
	       (limits->big_count + 1u) * (size_t)MRG_HTTP_IN_MAX +
	       (limits->out_count + 1u) * sizeof(struct mrg_http_out) + 8 * LINE;
}

enum mrg_status mrg_http_server_init(struct mrg_http_server *t, struct mrg_arena *a,
	struct mrg_rt_timers *timers, const struct mrg_http_limits *limits,
	const struct mrg_http_handler *handler)
{
	*t = (struct mrg_http_server){
		.user = { .ctx = t, .open = open_conn, .ready = ready, .spare = spare },
		.limits = *limits,
		.handler = *handler,
		.timers = timers,
		.timer = { .fire = fire },
	};
	t->waits[MRG_HTTP_WAIT_IDLE].limit_ns = limits->idle_ns;
	t->waits[MRG_HTTP_WAIT_HEAD].limit_ns = limits->head_ns;
	t->waits[MRG_HTTP_WAIT_BODY].limit_ns = limits->body_ns;
	t->waits[MRG_HTTP_WAIT_SEND].limit_ns = limits->send_ns;
	t->waits[MRG_HTTP_WAIT_LINGER].limit_ns = limits->linger_ns;
	mrg_rt_pool_init(&t->conns, a, sizeof(struct mrg_http_conn), limits->conn_count);
	mrg_rt_pool_init(&t->small, a, MRG_HTTP_IN_SMALL, limits->conn_count);
	mrg_rt_pool_init(&t->big, a, MRG_HTTP_IN_MAX, limits->big_count);
	mrg_rt_pool_init(&t->outs, a, sizeof(struct mrg_http_out), limits->out_count);
	t->in = mrg_arena_get(a, MRG_HTTP_IN_MAX, LINE);
	t->out = mrg_arena_get(a, sizeof(struct mrg_http_out), LINE);
	if (t->in == NULL || t->out == NULL)
		return MRG_E_SPACE;
	mrg_http_out_clear_(t->out);
	return MRG_OK;
}

void mrg_http_server_drain(struct mrg_http_server *t, uint64_t now_ns)
{
	t->draining = true;
	while (t->waits[MRG_HTTP_WAIT_IDLE].oldest != NULL) {
		struct mrg_http_conn *const c = t->waits[MRG_HTTP_WAIT_IDLE].oldest;
		after(t, c, end_idle(t, c, now_ns), now_ns);
	}
}

void mrg_http_server_close(struct mrg_http_server *t)
{
	for (size_t i = 0; i < MRG_HTTP_WAITS; i++)
		while (t->waits[i].oldest != NULL)
			give_up(t, t->waits[i].oldest);
	mrg_rt_timer_cancel(t->timers, &t->timer);
}
