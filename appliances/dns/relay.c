/*
 * Between the manager and a worker that has the network.
 * Reading order: the manager's end, then the worker's: octets both ways, a connection, letters.
 */
#include <string.h>
#include <unistd.h>

#include "appliances/dns/relay.h"
#include "appliances/dns/worker.h"

enum {
	IN = 64 << 10, /* octets of a transfer that wait to be taken */
	OUT = 4096,    /* those of queries */
	ROUNDS = 4     /* readings before others get their turn */
};

static void fill_dgram(struct letter *l, const struct mrg_rt_addr *peer, struct mrg_span message)
{
	l->kind = LETTER_DGRAM;
	l->peer = *peer;
	l->len = message.len;
	memcpy(l->message, message.p, message.len);
}

/* ---- the manager's end ---- */

static struct relay_outward *relay_of(struct outward *o) { return (struct relay_outward *)(void *)o; }

/* There is one worker on our own stack. */
static void post_to_worker(struct relay_outward *o, struct letter *l)
{
	struct worker *const w = o->control->workers[0];
	mail_post(&o->control->mail, &w->letters, l);
	mrg_unix_loop_wake(&w->loop);
}

static void send_it(struct outward *outward, const struct mrg_rt_addr *to, struct mrg_span message)
{
	struct relay_outward *const o = relay_of(outward);
	struct letter *const l = mail_take(&o->control->mail);
	if (l == NULL)
		return;
	fill_dgram(l, to, message);
	post_to_worker(o, l);
}

static const char *connect_it(
	struct outward *outward, struct outward_connect *t, const struct mrg_rt_addr *to)
{
	struct relay_outward *const o = relay_of(outward);
	int pair[2];
	size_t i = 0;
	while (i < OUTWARD_CONNECTS && o->attempts[i].of != NULL)
		i++;
	struct letter *const l = i < OUTWARD_CONNECTS ? mail_take(&o->control->mail) : NULL;
	if (l == NULL)
		return "too many connections are being made";
	const int err = mrg_unix_local_pair(pair);
	if (err != 0) {
		mail_give(&o->control->mail, l);
		return strerrordesc_np(err);
	}
	o->attempts[i].of = t;
	o->attempts[i].id = l->id = ++o->last_id;
	o->attempts[i].fd = pair[0];
	l->kind = LETTER_CONNECT;
	l->peer = *to;
	l->fd = pair[1];
	post_to_worker(o, l);
	return NULL;
}

/* The worker sees that its end has ended. */
static void cancel(struct outward *outward, struct outward_connect *t)
{
	struct relay_outward *const o = relay_of(outward);
	for (size_t i = 0; i < OUTWARD_CONNECTS; i++) {
		if (o->attempts[i].of != t)
			continue;
		(void)close(o->attempts[i].fd);
		o->attempts[i].of = NULL;
	}
}

static void connected(struct relay_outward *o, const struct letter *l, uint64_t now_ns)
{
	size_t i = 0;
	while (i < OUTWARD_CONNECTS && (o->attempts[i].of == NULL || o->attempts[i].id != l->id))
		i++;
	if (i == OUTWARD_CONNECTS)
		return; /* it was given up meanwhile */
	struct outward_connect *const t = o->attempts[i].of;
	const char *why = l->why;
	o->attempts[i].of = NULL;
	if (why == NULL) {
		const int err = mrg_unix_conn_begin(o->loop, o->attempts[i].fd, t->user);
		why = err != 0 ? strerrordesc_np(err) : NULL;
	}
	if (why == NULL)
		return;
	(void)close(o->attempts[i].fd);
	t->failed(t, why, now_ns);
}

void relay_outward_take(struct relay_outward *o, struct letter *l, uint64_t now_ns)
{
	if (l->kind == LETTER_CONNECT)
		connected(o, l, now_ns);
	else
		o->out.take(o->out.ctx, &l->peer, (struct mrg_span){ l->message, l->len }, now_ns);
	mail_give(&o->control->mail, l);
}

void relay_outward_init(struct relay_outward *o, struct control *control, struct mrg_unix_loop *loop)
{
	static const struct outward_ops ops = { .send = send_it, .connect = connect_it, .cancel = cancel };
	o->out.ops = &ops;
	o->control = control;
	o->loop = loop;
}

/* ---- octets both ways ---- */

/* false: the one to write to is gone. */
static bool write_on(struct relay_way *w, struct mrg_stream *to)
{
	while (w->len != 0) {
		const struct mrg_span part = { w->p + w->at, w->len };
		size_t done;
		const enum mrg_io io = mrg_stream_write(to, &part, 1, false, &done);
		if (io != MRG_IO_OK)
			return io == MRG_IO_AGAIN;
		w->at += done;
		w->len -= done;
	}
	return true;
}

/* false: one of the two is gone. */
static bool carry(struct relay_way *w, struct mrg_stream *from, struct mrg_stream *to)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (!write_on(w, to))
			return false;
		if (w->len != 0 || w->ended)
			return true;
		switch (mrg_stream_read(from, w->p, w->cap, &w->len)) {
		case MRG_IO_OK: w->at = 0; break;
		case MRG_IO_AGAIN: w->len = 0; return true;
		case MRG_IO_EOF:
			w->len = 0;
			w->ended = true;
			break;
		default: return false;
		}
	}
	return true;
}

static unsigned wanted(const struct relay_way *from, const struct relay_way *to)
{
	return (from->len == 0 && !from->ended ? (unsigned)MRG_STREAM_READABLE : 0) |
	       (to->len != 0 ? (unsigned)MRG_STREAM_WRITABLE : 0);
}

/* ---- a connection ---- */

static void post_to_manager(struct relay *r, struct letter *l)
{
	mail_post(&r->control->mail, &r->control->mail.to_manager, l);
	mrg_unix_loop_wake(r->control->manager_loop);
}

/* What became of it.   why   NULL: it stands */
static void answer(struct relay_conn *c, const char *why)
{
	struct letter *const l = c->asked;
	c->asked = NULL;
	l->why = why;
	post_to_manager(c->all, l);
}

static void end(struct relay_conn *c)
{
	if (c->asked != NULL)
		answer(c, "it was given up");
	if (c->peer != NULL)
		mrg_stream_close(c->peer);
	else
		outward_cancel(&c->all->own.out, &c->connect);
	if (c->manager != NULL)
		mrg_stream_close(c->manager);
	c->peer = c->manager = NULL;
}

/* When the manager's end has ended it is closed, so that nothing more is wanted of the peer. */
static void go_on(struct relay_conn *c)
{
	if (c->peer == NULL || !carry(&c->in, c->peer, c->manager) || !carry(&c->out, c->manager, c->peer) ||
		(c->out.ended && c->out.len == 0)) {
		end(c);
		return;
	}
	if (c->in.ended && c->in.len == 0)
		mrg_stream_finish(c->manager);
	mrg_stream_want(c->peer, wanted(&c->in, &c->out));
	mrg_stream_want(c->manager, wanted(&c->out, &c->in));
}

static void ready(void *ctx, struct mrg_stream *s, unsigned events, uint64_t now_ns)
{
	(void)s;
	(void)events;
	(void)now_ns;
	go_on(ctx);
}

/* Until the connection stands nothing comes of the manager but the end. */
static bool open_manager(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	struct relay_conn *const c = ctx;
	(void)now_ns;
	c->manager = s;
	mrg_stream_want(s, MRG_STREAM_READABLE);
	return true;
}

static bool open_peer(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	struct relay_conn *const c = ctx;
	(void)now_ns;
	c->peer = s;
	answer(c, NULL);
	mrg_stream_want(s, MRG_STREAM_READABLE);
	return true;
}

static void unreachable(struct outward_connect *t, const char *why, uint64_t now_ns)
{
	struct relay_conn *const c =
		(struct relay_conn *)(void *)((char *)t - offsetof(struct relay_conn, connect));
	(void)now_ns;
	answer(c, why);
	end(c);
}

static void begin(struct relay_conn *c, struct letter *l)
{
	c->asked = l;
	c->in.at = c->in.len = c->out.at = c->out.len = 0;
	c->in.ended = c->out.ended = false;
	const int err = mrg_unix_conn_begin(c->all->loop, l->fd, &c->manager_user);
	if (err != 0) {
		(void)close(l->fd);
		answer(c, strerrordesc_np(err));
		return;
	}
	c->connect = (struct outward_connect){ .user = &c->peer_user, .failed = unreachable };
	const char *const why = outward_connect(&c->all->own.out, &c->connect, &l->peer);
	if (why != NULL)
		unreachable(&c->connect, why, c->all->loop->now_ns);
}

/* ---- letters ---- */

static void make_connection(struct relay *r, struct letter *l)
{
	size_t i = 0;
	while (i < OUTWARD_CONNECTS && r->list[i].manager != NULL)
		i++;
	if (i < OUTWARD_CONNECTS && !r->closed) {
		begin(&r->list[i], l);
		return;
	}
	(void)close(l->fd);
	l->why = "too many connections";
	post_to_manager(r, l);
}

void relay_take(struct relay *r, struct letter *l)
{
	if (l->kind == LETTER_CONNECT) {
		make_connection(r, l);
		return;
	}
	if (!r->closed)
		outward_send(&r->own.out, &l->peer, (struct mrg_span){ l->message, l->len });
	mail_give(&r->control->mail, l);
}

/* Something came to an end that the manager's datagrams leave by. */
static void heard(void *ctx, const struct mrg_rt_addr *peer, struct mrg_span message, uint64_t now_ns)
{
	struct relay *const r = ctx;
	(void)now_ns;
	struct letter *const l = r->control->manager_loop != NULL && message.len <= OUTWARD_OCTETS
					 ? mail_take(&r->control->mail)
					 : NULL;
	if (l == NULL)
		return;
	fill_dgram(l, peer, message);
	post_to_manager(r, l);
}

size_t relay_memory(void) { return OUTWARD_CONNECTS * (size_t)(IN + OUT); }

bool relay_init(struct relay *r, struct mrg_tcpip *stack, struct control *control, struct mrg_unix_loop *loop,
	struct mrg_arena *arena)
{
	uint8_t *p = mrg_arena_get(arena, relay_memory(), 1);
	r->control = control;
	r->loop = loop;
	r->own.out.ctx = r;
	r->own.out.take = heard;
	for (size_t i = 0; i < OUTWARD_CONNECTS && p != NULL; i++, p += IN + OUT) {
		struct relay_conn *const c = &r->list[i];
		c->all = r;
		c->peer_user = (struct mrg_stream_user){ .ctx = c, .open = open_peer, .ready = ready };
		c->manager_user = (struct mrg_stream_user){ .ctx = c, .open = open_manager, .ready = ready };
		c->in = (struct relay_way){ .p = p, .cap = IN };
		c->out = (struct relay_way){ .p = p + IN, .cap = OUT };
	}
	return p != NULL && outward_own_init(&r->own, stack);
}

void relay_close(struct relay *r)
{
	r->closed = true;
	for (size_t i = 0; i < OUTWARD_CONNECTS; i++)
		if (r->list[i].manager != NULL)
			end(&r->list[i]);
}
