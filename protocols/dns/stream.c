/*
 * DNS over a stream.
 *
 * An event is handled in one go: read once, answer every whole query into the shared `out` space, write. Only what is left over,
 * part of a query or replies that were not taken, moves to a block of the connection's own. When a connection reads and when it
 * ends is said by the machine of specs/dns/stream.mrg.
 * Reading order: the list of connections, blocks, what the machine asks for, sending, answering, receiving, the events.
 */
#include "dns/message.h"
#include "protocols/dns/stream.h"

enum {
	MESSAGE_MAX = UINT16_MAX,
	FRAME_MAX = MESSAGE_MAX + (int)sizeof(uint16_t),
	FLUSH_AT = 16 << 10,            /* replies are written when there are this many bytes, */
	OUT_MAX = FLUSH_AT + FRAME_MAX, /* so there is always room for one more */
	SMALL = 512,                    /* a part of a query fits in this, unless somebody tries */
	BIG = (OUT_MAX + 7) / 8 * 8,    /* holds either */
	LINE = 64,                      /* bytes of a cache line */
	DISCARD_MAX = 16,               /* reads of unwanted bytes in one event */
	DRAIN_MAX = 16                  /* reads of one connection when the server ends */
};

/* ---- connections, those longest without progress first ---- */

static void list_remove(struct mrg_dns_streams *t, struct mrg_dns_conn *c)
{
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		t->oldest = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	else
		t->newest = c->prev;
}

static void list_add(struct mrg_dns_streams *t, struct mrg_dns_conn *c)
{
	c->next = NULL;
	c->prev = t->newest;
	if (t->newest != NULL)
		t->newest->next = c;
	else
		t->oldest = c;
	t->newest = c;
}

/* All connections have the same time limit, so the list is in order of the deadlines and one timer is enough. */
static void arm(struct mrg_dns_streams *t)
{
	if (t->oldest != NULL && !t->idle.armed)
		mrg_rt_timer_set(t->timers, &t->idle, t->oldest->deadline_ns);
}

static void progress(struct mrg_dns_streams *t, struct mrg_dns_conn *c, uint64_t now_ns)
{
	const uint64_t left = MRG_RT_NEVER - 1u - now_ns;
	c->deadline_ns = now_ns + (t->limits.idle_ns < left ? t->limits.idle_ns : left);
	list_remove(t, c);
	list_add(t, c);
	arm(t);
}

/* ---- blocks ---- */

static void drop(struct mrg_dns_streams *t, struct mrg_dns_held *h)
{
	if (h->p != NULL)
		mrg_rt_pool_put(h->big ? &t->big : &t->small, h->p);
	*h = (struct mrg_dns_held){ .p = NULL };
}

static void close_conn(struct mrg_dns_streams *t, struct mrg_dns_conn *c)
{
	drop(t, &c->in);
	drop(t, &c->out);
	list_remove(t, c);
	mrg_stream_close(c->s);
	mrg_rt_pool_put(&t->conns, c);
	t->live--;
}

/* Somebody else needs the room, or it took too long. */
static void give_up(struct mrg_dns_streams *t, struct mrg_dns_conn *c)
{
	(void)mrg_dns_stream_server_on_abort(&c->m, NULL);
	close_conn(t, c);
}

/* A big block; when all are in use, that of the connection longest without progress, but not of `except`.   Cost: O(live). */
static uint8_t *big_block(struct mrg_dns_streams *t, const struct mrg_dns_conn *except)
{
	uint8_t *p = mrg_rt_pool_get(&t->big);
	struct mrg_dns_conn *c = t->oldest;
	while (p == NULL && c != NULL) {
		struct mrg_dns_conn *const next = c->next;
		if (c != except && (c->in.big || c->out.big)) {
			t->counts.spared++;
			give_up(t, c);
			p = mrg_rt_pool_get(&t->big);
		}
		c = next;
	}
	return p;
}

/* Copy the bytes to a block for `h`, which is empty. false: there is no block to be had. */
static bool hold(struct mrg_dns_streams *t, const struct mrg_dns_conn *c, struct mrg_dns_held *h,
	struct mrg_span bytes)
{
	const bool big = bytes.len > SMALL;
	uint8_t *const p = big ? big_block(t, c) : mrg_rt_pool_get(&t->small);
	if (p == NULL)
		return false;
	memcpy(p, bytes.p, bytes.len);
	*h = (struct mrg_dns_held){ .p = p, .len = (uint32_t)bytes.len, .big = big };
	return true;
}

/* Hold `rest`, which may lie in the connection's own block, as its input. false: there is no block to be had. */
static bool hold_input(struct mrg_dns_streams *t, struct mrg_dns_conn *c, struct mrg_span rest)
{
	struct mrg_dns_held was = c->in;
	if (was.p != NULL && rest.len != 0 && was.big == (rest.len > SMALL)) {
		memmove(was.p, rest.p, rest.len);
		c->in.len = (uint32_t)rest.len;
		return true;
	}
	c->in = (struct mrg_dns_held){ .p = NULL };
	const bool held = rest.len == 0 || hold(t, c, &c->in, rest);
	drop(t, &was);
	return held;
}

/* ---- what the machine asks for ---- */

/* An event: the machine's context. */
struct turn {
	struct mrg_dns_streams *t;
	struct mrg_dns_conn *c;
	struct mrg_w w;   /* replies */
	size_t reply_len; /* of one that is in its place behind those, but for its prefix */
	uint64_t now_ns;
};

void mrg_dns_stream_server_do_reply(const struct mrg_dns_stream_server *m, void *ctx)
{
	struct turn *const e = ctx;
	(void)m;
	e->t->counts.answers++;
	mrg_dns_tcp_prefix_put(&e->w, &(struct mrg_dns_tcp_prefix_args){ (uint16_t)e->reply_len });
	(void)mrg_w_take(&e->w, e->reply_len);
}

/* Closing is an end as well. */
void mrg_dns_stream_server_do_end(const struct mrg_dns_stream_server *m, void *ctx)
{
	const struct turn *const e = ctx;
	if (m->state == MRG_DNS_STREAM_SERVER_LINGERING)
		mrg_stream_finish(e->c->s);
}

/* Connections have one time limit, whatever they wait for; what they were slow to take is looked at behind each event. */
void mrg_dns_stream_server_set_linger(const struct mrg_dns_stream_server *m, void *ctx)
{
	const struct turn *const e = ctx;
	(void)m;
	progress(e->t, e->c, e->now_ns);
}

void mrg_dns_stream_server_set_taken(const struct mrg_dns_stream_server *m, void *ctx)
{
	(void)m;
	(void)ctx;
}

/* ---- sending ---- */

/* Write what is held for the peer. false: the connection is gone. */
static bool flush_held(struct mrg_dns_streams *t, struct mrg_dns_conn *c, uint64_t now_ns)
{
	while (c->out.p != NULL) {
		const struct mrg_span rest = { c->out.p + c->out.off, c->out.len - c->out.off };
		size_t done = 0;
		const enum mrg_io io = mrg_stream_write(c->s, &rest, 1, false, &done);
		if (io == MRG_IO_AGAIN)
			return true;
		if (io != MRG_IO_OK)
			return false;
		c->out.off += (uint32_t)done;
		if (c->out.off == c->out.len) {
			drop(t, &c->out);
			progress(t, c, now_ns);
		}
	}
	return true;
}

/* Write the replies in the work space; hold what is not taken. false: the connection is gone. */
static bool flush_work(struct mrg_dns_streams *t, struct mrg_dns_conn *c, const struct mrg_w *w)
{
	struct mrg_span rest = mrg_w_span(w, 0);
	while (rest.len != 0) {
		size_t done = 0;
		const enum mrg_io io = mrg_stream_write(c->s, &rest, 1, false, &done);
		if (io == MRG_IO_AGAIN)
			return hold(t, c, &c->out, rest);
		if (io != MRG_IO_OK)
			return false;
		rest = (struct mrg_span){ rest.p + done, rest.len - done };
	}
	return true;
}

/* ---- answering ---- */

/* The whole queries at the start of `in`, one by one, until replies have to wait. *used: bytes of those answered.
 * false: the connection is gone.   Cost: one pass over `in`, and one answer each. */
static bool answer_all(struct turn *e, struct mrg_span in, size_t *used)
{
	struct mrg_dns_streams *const t = e->t;
	struct mrg_dns_conn *const c = e->c;
	struct mrg_dns_tcp_frame frame;
	mrg_w_init(&e->w, t->out, OUT_MAX);
	t->asking = c->s;
	*used = 0;
	while (c->m.state == MRG_DNS_STREAM_SERVER_IDLE && c->out.p == NULL &&
		mrg_dns_tcp_frame_check((struct mrg_span){ in.p + *used, in.len - *used }, &frame, NULL) ==
			MRG_OK) {
		*used += frame.len;
		t->counts.queries++;
		(void)mrg_dns_stream_server_on_query(&c->m, e);
		uint8_t *const reply = e->w.p + e->w.len + MRG_DNS_TCP_PREFIX_SIZE_MIN;
		if (t->answerer.answer(t->answerer.ctx, mrg_dns_tcp_frame_message(&frame), reply, MESSAGE_MAX,
			    &e->reply_len) == MRG_OK)
			(void)mrg_dns_stream_server_on_answer(&c->m, e);
		else
			(void)mrg_dns_stream_server_on_fail(&c->m, e);
		if (e->w.len >= FLUSH_AT) {
			if (!flush_work(t, c, &e->w))
				return false;
			mrg_w_init(&e->w, t->out, OUT_MAX);
		}
	}
	return flush_work(t, c, &e->w);
}

/* Answer what is whole in `in`, hold what is not. false: the connection is gone. */
static bool answer_input(
	struct mrg_dns_streams *t, struct mrg_dns_conn *c, struct mrg_span in, uint64_t now_ns)
{
	size_t used;
	if (in.len == 0)
		return true;
	struct turn e;
	e.t = t;
	e.c = c;
	if (!answer_all(&e, in, &used))
		return false;
	if (used != 0)
		progress(t, c, now_ns);
	const size_t rest = c->m.state == MRG_DNS_STREAM_SERVER_IDLE ? in.len - used : 0;
	return hold_input(t, c, (struct mrg_span){ in.p + used, rest });
}

/* ---- receiving ---- */

/* Behind a long part of a query, into its own block: reading it octet by octet must not copy it again for each. */
static enum mrg_io read_big(struct mrg_dns_streams *t, struct mrg_dns_conn *c, uint64_t now_ns)
{
	size_t got = 0;
	const enum mrg_io io = mrg_stream_read(c->s, c->in.p + c->in.len, FRAME_MAX - c->in.len, &got);
	if (io != MRG_IO_OK)
		return io;
	c->in.len += (uint32_t)got;
	return answer_input(t, c, (struct mrg_span){ c->in.p, c->in.len }, now_ns) ? MRG_IO_OK : MRG_IO_RESET;
}

/* Behind a short part or none, into the work space: there is room for many queries. */
static enum mrg_io read_small(struct mrg_dns_streams *t, struct mrg_dns_conn *c, uint64_t now_ns)
{
	size_t got = 0;
	if (c->in.p != NULL)
		memcpy(t->in, c->in.p, c->in.len);
	const enum mrg_io io = mrg_stream_read(c->s, t->in + c->in.len, FRAME_MAX - c->in.len, &got);
	if (io != MRG_IO_OK)
		return io;
	return answer_input(t, c, (struct mrg_span){ t->in, c->in.len + got }, now_ns) ? MRG_IO_OK
										       : MRG_IO_RESET;
}

/* Throw away what a peer sends that has been told to stop: closing with bytes unread would reset the connection, and with it the
 * replies on their way (RFC 9293 3.10.7, RFC 2525 2.17). */
static enum mrg_io discard(struct mrg_dns_streams *t, struct mrg_dns_conn *c)
{
	size_t got;
	enum mrg_io io = MRG_IO_OK;
	for (unsigned i = 0; i < DISCARD_MAX && io == MRG_IO_OK; i++)
		io = mrg_stream_read(c->s, t->in, FRAME_MAX, &got);
	return io;
}

static enum mrg_io receive(struct mrg_dns_streams *t, struct mrg_dns_conn *c, uint64_t now_ns)
{
	if (c->m.state == MRG_DNS_STREAM_SERVER_LINGERING)
		return discard(t, c);
	return c->in.big ? read_big(t, c, now_ns) : read_small(t, c, now_ns);
}

/* ---- events ---- */

/* After the work of an event: end the connection, or say what to wait for. */
static void settle(struct mrg_dns_streams *t, struct mrg_dns_conn *c, uint64_t now_ns)
{
	if (c->m.state == MRG_DNS_STREAM_SERVER_ENDING && c->out.p == NULL)
		(void)mrg_dns_stream_server_on_taken(
			&c->m, &(struct turn){ .t = t, .c = c, .now_ns = now_ns });
	if (c->m.state == MRG_DNS_STREAM_SERVER_CLOSED)
		close_conn(t, c);
	else
		mrg_stream_want(c->s, c->out.p != NULL ? MRG_STREAM_WRITABLE : MRG_STREAM_READABLE);
}

/* A reply that waits goes first: until it is taken, nothing is read. */
static void ready(void *ctx, struct mrg_stream *s, unsigned events, uint64_t now_ns)
{
	struct mrg_dns_streams *const t = ctx;
	struct mrg_dns_conn *const c = s->conn;
	enum mrg_io io = MRG_IO_OK;
	if (c->out.p != NULL) {
		const bool sent = flush_held(t, c, now_ns);
		if (!sent || (c->out.p == NULL &&
				     !answer_input(t, c, (struct mrg_span){ c->in.p, c->in.len }, now_ns)))
			io = MRG_IO_RESET;
	} else if ((events & MRG_STREAM_READABLE) != 0) {
		io = receive(t, c, now_ns);
	}
	if (io == MRG_IO_EOF) {
		(void)mrg_dns_stream_server_on_end(&c->m, NULL);
	} else if (io == MRG_IO_RESET) {
		t->counts.broken++;
		(void)mrg_dns_stream_server_on_abort(&c->m, NULL);
	}
	settle(t, c, now_ns);
}

static bool spare(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	struct mrg_dns_streams *const t = ctx;
	if (t->oldest == NULL)
		return false;
	t->counts.spared++;
	give_up(t, t->oldest);
	return true;
}

static bool open_conn(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	struct mrg_dns_streams *const t = ctx;
	if (t->draining || (t->live == t->limits.conn_count && !spare(t, now_ns)))
		return false;
	struct mrg_dns_conn *const c = mrg_rt_pool_get(&t->conns);
	if (c == NULL)
		return false;
	*c = (struct mrg_dns_conn){ .s = s };
	mrg_dns_stream_server_begin(&c->m);
	s->conn = c;
	t->live++;
	t->counts.opened++;
	list_add(t, c);
	progress(t, c, now_ns);
	mrg_stream_want(s, MRG_STREAM_READABLE);
	return true;
}

static void idle(struct mrg_rt_timer *timer, uint64_t now_ns)
{
	struct mrg_dns_streams *const t =
		(struct mrg_dns_streams *)(void *)((char *)timer - offsetof(struct mrg_dns_streams, idle));
	while (t->oldest != NULL && t->oldest->deadline_ns <= now_ns) {
		t->counts.idle_closed++;
		if (t->oldest->m.state == MRG_DNS_STREAM_SERVER_LINGERING)
			(void)mrg_dns_stream_server_on_linger(&t->oldest->m, NULL);
		give_up(t, t->oldest);
	}
	arm(t);
}

enum mrg_status mrg_dns_streams_init(struct mrg_dns_streams *t, struct mrg_arena *a,
	struct mrg_rt_timers *timers, const struct mrg_dns_stream_limits *limits,
	const struct mrg_dns_answerer *answerer)
{
	*t = (struct mrg_dns_streams){
		.user = { .ctx = t, .open = open_conn, .ready = ready, .spare = spare },
		.limits = *limits,
		.answerer = *answerer,
		.timers = timers,
		.idle = { .fire = idle },
	};
	mrg_rt_pool_init(&t->conns, a, sizeof(struct mrg_dns_conn), limits->conn_count);
	mrg_rt_pool_init(
		&t->small, a, SMALL, 2u * (size_t)limits->conn_count); /* in and out: there is always one */
	mrg_rt_pool_init(&t->big, a, BIG, limits->block_count);
	t->in = mrg_arena_get(a, FRAME_MAX, LINE);
	t->out = mrg_arena_get(a, OUT_MAX, LINE);
	return t->in != NULL && t->out != NULL ? MRG_OK : MRG_E_SPACE;
}

/* Answer what has arrived whole; then close, or leave the connection to end when its replies are taken. */
static void drain_conn(struct mrg_dns_streams *t, struct mrg_dns_conn *c, uint64_t now_ns)
{
	enum mrg_io io = MRG_IO_OK;
	for (unsigned i = 0; i < DRAIN_MAX && io == MRG_IO_OK && c->out.p == NULL; i++)
		io = receive(t, c, now_ns);
	if (c->out.p == NULL) {
		give_up(t, c);
		return;
	}
	(void)mrg_dns_stream_server_on_drop(&c->m, NULL);
	progress(t, c, now_ns);
	settle(t, c, now_ns);
}

void mrg_dns_streams_drain(struct mrg_dns_streams *t, uint64_t now_ns)
{
	t->draining = true;
	/* What stays open moves to the end of the list, so this sees each connection at least once. */
	for (uint32_t left = t->live; left != 0 && t->oldest != NULL; left--)
		drain_conn(t, t->oldest, now_ns);
}

void mrg_dns_streams_close(struct mrg_dns_streams *t)
{
	while (t->oldest != NULL)
		give_up(t, t->oldest);
	mrg_rt_timer_cancel(t->timers, &t->idle);
}
