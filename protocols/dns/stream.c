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
	TURN_MAX = 256 << 10,           /* octets of a transfer in one event: others wait */
	DISCARD_MAX = 16,               /* reads of unwanted bytes in one event */
	CLIENTS = 4096,                 /* places to count clients at */
	CLIENT_BITS4 = 32,              /* prefixes of what one client has */
	CLIENT_BITS6 = 64,
	DRAIN_MAX = 16 /* reads of one connection when the server ends */
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
	c->ticket = 0; /* the memory of a connection stays one's */
	drop(t, &c->in);
	drop(t, &c->out);
	list_remove(t, c);
	mrg_stream_close(c->s);
	if (t->clients != NULL)
		t->clients[c->client]--;
	mrg_rt_pool_put(&t->conns, c);
	t->live--;
}

/* An event: the machine's context. */
struct turn {
	struct mrg_dns_streams *t;
	struct mrg_dns_conn *c;
	struct mrg_w w;   /* replies */
	size_t reply_len; /* of one that is in its place behind those, but for its prefix */
	size_t sent;      /* octets of a transfer in this event */
	bool wanted;      /* the next message of it */
	uint64_t now_ns;
};

static void abort_conn(struct mrg_dns_streams *t, struct mrg_dns_conn *c)
{
	(void)mrg_dns_stream_server_on_abort(&c->m, &(struct turn){ .t = t, .c = c });
}

/* Somebody else needs the room, or it took too long. */
static void give_up(struct mrg_dns_streams *t, struct mrg_dns_conn *c)
{
	abort_conn(t, c);
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

/* The message is in its place behind the others: put its prefix before it. */
static void say(struct turn *e)
{
	mrg_dns_tcp_prefix_put(&e->w, &(struct mrg_dns_tcp_prefix_args){ (uint16_t)e->reply_len });
	(void)mrg_w_take(&e->w, e->reply_len);
}

void mrg_dns_stream_server_do_reply(const struct mrg_dns_stream_server *m, void *ctx)
{
	struct turn *const e = ctx;
	(void)m;
	e->t->counts.answers++;
	say(e);
}

void mrg_dns_stream_server_do_part(const struct mrg_dns_stream_server *m, void *ctx)
{
	struct turn *const e = ctx;
	(void)m;
	e->t->counts.parts++;
	say(e);
}

void mrg_dns_stream_server_do_next(const struct mrg_dns_stream_server *m, void *ctx)
{
	struct turn *const e = ctx;
	(void)m;
	e->wanted = true;
}

void mrg_dns_stream_server_do_release(const struct mrg_dns_stream_server *m, void *ctx)
{
	const struct turn *const e = ctx;
	void *const transfer = e->c->transfer;
	(void)m;
	e->c->transfer = NULL;
	e->t->answerer.done(e->t->answerer.ctx, transfer);
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

void mrg_dns_stream_server_cancel_taken(const struct mrg_dns_stream_server *m, void *ctx)
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

/* What is left behind `n` octets. */
static struct mrg_span behind(struct mrg_span s, size_t n)
{
	return n == 0 ? s : (struct mrg_span){ s.p + n, s.len - n };
}

static bool transfers(const struct mrg_dns_conn *c)
{
	return c->m.state == MRG_DNS_STREAM_SERVER_SENDING || c->m.state == MRG_DNS_STREAM_SERVER_FINISHING;
}

/* Where the message that comes next has its place. */
static uint8_t *place(const struct turn *e) { return e->w.p + e->w.len + MRG_DNS_TCP_PREFIX_SIZE_MIN; }

/* Tell the machine what the answerer said. */
static void told(struct turn *e, enum mrg_dns_said said)
{
	struct mrg_dns_stream_server *const m = &e->c->m;
	switch (said) {
	case MRG_DNS_SAID_ALL: (void)mrg_dns_stream_server_on_answer(m, e); break;
	case MRG_DNS_SAID_PART: (void)mrg_dns_stream_server_on_more(m, e); break;
	case MRG_DNS_SAID_NOTHING: (void)mrg_dns_stream_server_on_fail(m, e); break;
	case MRG_DNS_SAID_LATER: break;
	}
}

/* The next message of the transfer. false: others have waited long enough. */
static bool transfer_on(struct turn *e)
{
	struct mrg_dns_streams *const t = e->t;
	struct mrg_dns_conn *const c = e->c;
	if (e->sent >= TURN_MAX)
		return false;
	e->wanted = false;
	e->reply_len = 0;
	(void)mrg_dns_stream_server_on_taken(&c->m, e);
	if (!e->wanted)
		return false;
	told(e, t->answerer.next(t->answerer.ctx, c->transfer, place(e), MESSAGE_MAX, &e->reply_len));
	e->sent += MRG_DNS_TCP_PREFIX_SIZE_MIN + e->reply_len;
	return true;
}

/* The query at the start of `in`. *used: bytes of it. false: there is no whole one. */
static bool answer_one(struct turn *e, struct mrg_span in, size_t *used)
{
	struct mrg_dns_streams *const t = e->t;
	struct mrg_dns_conn *const c = e->c;
	struct mrg_dns_tcp_frame frame;
	if (c->m.state != MRG_DNS_STREAM_SERVER_IDLE || mrg_dns_tcp_frame_check(in, &frame, NULL) != MRG_OK)
		return false;
	*used += frame.len;
	t->counts.queries++;
	(void)mrg_dns_stream_server_on_query(&c->m, e);
	struct mrg_dns_call call = { .stream = c->s, .ticket = { c, ++t->tickets }, .now_ns = e->now_ns };
	const enum mrg_dns_said said = t->answerer.answer(t->answerer.ctx, &call,
		mrg_dns_tcp_frame_message(&frame), place(e), MESSAGE_MAX, &e->reply_len);
	c->transfer = said == MRG_DNS_SAID_PART ? call.transfer : NULL;
	c->ticket = said == MRG_DNS_SAID_LATER ? call.ticket.number : 0;
	told(e, said);
	return true;
}

/* The whole queries at the start of `in`, one by one, until replies have to wait or come later. *used: bytes of those answered.
 * false: the connection is gone.   Cost: one pass over `in`, and one answer each. */
static bool answer_all(struct turn *e, struct mrg_span in, size_t *used)
{
	struct mrg_dns_streams *const t = e->t;
	struct mrg_dns_conn *const c = e->c;
	mrg_w_init(&e->w, t->out, OUT_MAX);
	*used = 0;
	while (c->out.p == NULL && (transfers(c) ? transfer_on(e) : answer_one(e, behind(in, *used), used))) {
		if (e->w.len >= FLUSH_AT) {
			if (!flush_work(t, c, &e->w))
				return false;
			mrg_w_init(&e->w, t->out, OUT_MAX);
		}
	}
	return flush_work(t, c, &e->w);
}

/* Are queries kept that came behind others? */
static bool reads(const struct mrg_dns_conn *c)
{
	return c->m.state == MRG_DNS_STREAM_SERVER_IDLE || c->m.state == MRG_DNS_STREAM_SERVER_READING ||
	       c->m.state == MRG_DNS_STREAM_SERVER_SENDING;
}

/* Answer what is whole in `in`, go on with what is under way, hold what can't be answered now. false: the connection is gone. */
static bool answer_input(
	struct mrg_dns_streams *t, struct mrg_dns_conn *c, struct mrg_span in, uint64_t now_ns)
{
	size_t used;
	if (in.len == 0 && !transfers(c))
		return true;
	struct turn e;
	e.t = t;
	e.c = c;
	e.sent = 0;
	e.now_ns = now_ns;
	if (!answer_all(&e, in, &used))
		return false;
	if (used != 0 || e.sent != 0)
		progress(t, c, now_ns);
	return hold_input(t, c, reads(c) ? behind(in, used) : (struct mrg_span){ NULL, 0 });
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

/* What to wait for: nothing, as long as a reply comes later. */
static unsigned wants(const struct mrg_dns_conn *c)
{
	if (c->out.p != NULL || transfers(c))
		return MRG_STREAM_WRITABLE;
	return c->ticket != 0 ? 0 : MRG_STREAM_READABLE;
}

/* After the work of an event: end the connection, or say what to wait for. */
static void settle(struct mrg_dns_streams *t, struct mrg_dns_conn *c, enum mrg_io io, uint64_t now_ns)
{
	struct turn e = { .t = t, .c = c, .now_ns = now_ns };
	if (io == MRG_IO_EOF) {
		(void)mrg_dns_stream_server_on_end(&c->m, &e);
	} else if (io == MRG_IO_RESET) {
		t->counts.broken++;
		(void)mrg_dns_stream_server_on_abort(&c->m, &e);
	}
	if (c->m.state == MRG_DNS_STREAM_SERVER_ENDING && c->out.p == NULL)
		(void)mrg_dns_stream_server_on_taken(&c->m, &e);
	if (c->m.state == MRG_DNS_STREAM_SERVER_CLOSED)
		close_conn(t, c);
	else
		mrg_stream_want(c->s, wants(c));
}

/* A reply that waits goes first: until it is taken, nothing is read. */
static void ready(void *ctx, struct mrg_stream *s, unsigned events, uint64_t now_ns)
{
	struct mrg_dns_streams *const t = ctx;
	struct mrg_dns_conn *const c = s->conn;
	enum mrg_io io = MRG_IO_OK;
	if (c->out.p != NULL || transfers(c)) {
		const bool sent = flush_held(t, c, now_ns);
		if (!sent || (c->out.p == NULL &&
				     !answer_input(t, c, (struct mrg_span){ c->in.p, c->in.len }, now_ns)))
			io = MRG_IO_RESET;
	} else if ((events & MRG_STREAM_READABLE) != 0 && c->in.len < FRAME_MAX) {
		io = receive(
			t, c, now_ns); /* also where nothing is waited for: the connection may be broken */
	}
	settle(t, c, io, now_ns);
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

/* Where a client's connections are counted. */
static uint32_t client_of(const struct mrg_dns_streams *t, struct mrg_stream *s)
{
	struct mrg_rt_addr peer;
	mrg_stream_peer(s, &peer);
	mrg_rt_addr_net(&peer, CLIENT_BITS4, CLIENT_BITS6);
	return (uint32_t)(mrg_rt_hash(t->limits.client_key, mrg_rt_addr_octets(&peer)) % CLIENTS);
}

static bool open_conn(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	struct mrg_dns_streams *const t = ctx;
	const uint32_t client = t->clients != NULL ? client_of(t, s) : 0;
	if (t->clients != NULL && t->clients[client] == t->limits.client_max) {
		t->counts.refused++;
		return false;
	}
	if (t->draining || (t->live == t->limits.conn_count && !spare(t, now_ns)))
		return false;
	struct mrg_dns_conn *const c = mrg_rt_pool_get(&t->conns);
	if (c == NULL)
		return false;
	*c = (struct mrg_dns_conn){ .s = s, .client = client };
	if (t->clients != NULL)
		t->clients[client]++;
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
			(void)mrg_dns_stream_server_on_linger(
				&t->oldest->m, &(struct turn){ .t = t, .c = t->oldest });
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
	if (limits->client_max != 0)
		t->clients = mrg_arena_get(a, CLIENTS * sizeof *t->clients, LINE);
	return t->in != NULL && t->out != NULL && (limits->client_max == 0 || t->clients != NULL)
		       ? MRG_OK
		       : MRG_E_SPACE;
}

bool mrg_dns_streams_reply(
	struct mrg_dns_streams *t, struct mrg_dns_ticket ticket, struct mrg_span message, uint64_t now_ns)
{
	struct mrg_dns_conn *const c = ticket.conn;
	if (ticket.number == 0 || c->ticket != ticket.number || message.len > MESSAGE_MAX)
		return false;
	struct turn e = { .t = t, .c = c, .reply_len = message.len, .now_ns = now_ns };
	c->ticket = 0;
	mrg_w_init(&e.w, t->out, OUT_MAX);
	if (c->out.p != NULL) { /* less than FLUSH_AT: no more can have been said when this query came */
		mrg_w_put(&e.w, behind((struct mrg_span){ c->out.p, c->out.len }, c->out.off));
		drop(t, &c->out);
	}
	if (message.len != 0)
		memcpy(place(&e), message.p, message.len);
	told(&e, message.len != 0 ? MRG_DNS_SAID_ALL : MRG_DNS_SAID_NOTHING);
	const bool good =
		flush_work(t, c, &e.w) &&
		(c->out.p != NULL || answer_input(t, c, (struct mrg_span){ c->in.p, c->in.len }, now_ns));
	progress(t, c, now_ns);
	settle(t, c, good ? MRG_IO_OK : MRG_IO_RESET, now_ns);
	return true;
}

/* Answer what has arrived whole; then close, or leave the connection to end when what is owed has been said and taken. */
static void drain_conn(struct mrg_dns_streams *t, struct mrg_dns_conn *c, uint64_t now_ns)
{
	enum mrg_io io = MRG_IO_OK;
	for (unsigned i = 0; i < DRAIN_MAX && io == MRG_IO_OK && c->out.p == NULL && c->m.owed == 0; i++)
		io = receive(t, c, now_ns);
	if (io == MRG_IO_RESET || (c->out.p == NULL && c->m.owed == 0)) {
		give_up(t, c);
		return;
	}
	(void)mrg_dns_stream_server_on_drop(&c->m, &(struct turn){ .t = t, .c = c, .now_ns = now_ns });
	progress(t, c, now_ns);
	settle(t, c, MRG_IO_OK, now_ns);
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
