/*
 * A client's connection: its requests, its limits of time, its events and its end. client_out.c sends, client_in.c reads. What may be
 * asked when, and when the connection ends, is said by the machine of specs/http/connection.mrg.
 * Reading order: the end, waiting, events, what the caller calls.
 */
#include "protocols/http/client_inside.h"

enum { LINE = 64 }; /* bytes of a cache line */

/* ---- the end ---- */

void mrg_http_client_fail_(struct mrg_http_client *c, enum mrg_http_client_error error, struct mrg_span why,
	const struct mrg_http_client_request *blamed)
{
	if (!mrg_http_client_open(c))
		return;
	mrg_http_client_because_(c, error, why, blamed);
	(void)mrg_http_connection_client_on_abort(&c->m, c);
}

void mrg_http_connection_client_do_end(const struct mrg_http_connection_client *m, void *ctx)
{
	struct mrg_http_client *const c = ctx;
	(void)m;
	if (c->s != NULL)
		mrg_stream_close(c->s);
	c->s = NULL;
}

/* All that wait, and those that were not asked yet, hear of it when the event is over. */
void mrg_http_connection_client_do_failed(
	const struct mrg_http_connection_client *m, void *ctx, uint8_t count)
{
	(void)m;
	(void)ctx;
	(void)count;
}

/* What became of a request that was not answered. */
static struct mrg_http_client_end end_of(
	const struct mrg_http_client *c, const struct mrg_http_client_request *r)
{
	struct mrg_http_client_end e = c->end;
	const bool its_own = c->blamed == NULL
				     ? e.error != MRG_HTTP_CLIENT_UNSOLICITED && e.error != MRG_HTTP_CLIENT_OK
				     : c->blamed == r;
	if (!its_own)
		e.error = MRG_HTTP_CLIENT_UNANSWERED;
	if (e.why.p == NULL)
		e.why = MRG_LITERAL("the connection ended behind an earlier answer (RFC 9112 9.6)");
	e.sent = r->sent;
	return e;
}

static void finish(struct mrg_http_client *c)
{
	mrg_rt_timer_cancel(c->timers, &c->timer);
	c->sending = NULL;
	c->last = NULL;
	while (c->first != NULL) {
		struct mrg_http_client_request *const r = c->first;
		const struct mrg_http_client_end e = end_of(c, r);
		c->first = r->next;
		c->handler.done(c->handler.ctx, r, &e);
	}
	const struct mrg_http_client_end e = c->end;
	if (c->handler.closed != NULL)
		c->handler.closed(c->handler.ctx, &e);
}

/* ---- waiting ---- */

static enum mrg_http_client_wait waits_for(const struct mrg_http_client *c)
{
	if (c->m.state == MRG_HTTP_CONNECTION_CLIENT_CONNECTING)
		return MRG_HTTP_CLIENT_WAIT_CONNECT;
	if (c->in_body)
		return MRG_HTTP_CLIENT_WAIT_BODY;
	if (c->first == NULL)
		return MRG_HTTP_CLIENT_WAIT_IDLE;
	if (c->sending != c->first || c->m.state == MRG_HTTP_CONNECTION_CLIENT_LISTENING)
		return MRG_HTTP_CLIENT_WAIT_HEAD;
	if (mrg_http_client_writes_(c))
		return MRG_HTTP_CLIENT_WAIT_SEND;
	if (c->m.unsent != 0 && c->m.held != 0)
		return MRG_HTTP_CLIENT_WAIT_CONTINUE;
	return c->dry ? MRG_HTTP_CLIENT_WAIT_NOTHING : MRG_HTTP_CLIENT_WAIT_SEND;
}

static uint64_t limit_of(const struct mrg_http_client *c, enum mrg_http_client_wait wait)
{
	switch (wait) {
	case MRG_HTTP_CLIENT_WAIT_CONNECT: return c->limits.connect_ns;
	case MRG_HTTP_CLIENT_WAIT_IDLE: return c->limits.idle_ns;
	case MRG_HTTP_CLIENT_WAIT_SEND:
	case MRG_HTTP_CLIENT_WAIT_BODY: return c->limits.stall_ns;
	case MRG_HTTP_CLIENT_WAIT_CONTINUE: return c->limits.continue_ns;
	case MRG_HTTP_CLIENT_WAIT_HEAD: return c->limits.head_ns;
	default: return MRG_RT_NEVER;
	}
}

static void wait_for(struct mrg_http_client *c, enum mrg_http_client_wait wait, uint64_t now_ns)
{
	const uint64_t left = MRG_RT_NEVER - 1u - now_ns, limit = limit_of(c, wait);
	c->wait = wait;
	if (wait == MRG_HTTP_CLIENT_WAIT_NOTHING)
		mrg_rt_timer_cancel(c->timers, &c->timer);
	else
		mrg_rt_timer_set(c->timers, &c->timer, now_ns + (limit < left ? limit : left));
}

static void want(const struct mrg_http_client *c)
{
	if (c->s != NULL)
		mrg_stream_want(c->s,
			MRG_STREAM_READABLE | (mrg_http_client_can_send_(c) ? MRG_STREAM_WRITABLE : 0u));
}

/* An event is over: end the connection, or say what to wait for. */
static void settle(struct mrg_http_client *c, uint64_t now_ns)
{
	c->busy = false;
	if (!mrg_http_client_open(c)) {
		finish(c);
		return;
	}
	const enum mrg_http_client_wait wait = waits_for(c);
	if (wait != c->wait || c->moved)
		wait_for(c, wait, now_ns);
	c->moved = false;
	want(c);
}

/* ---- events ---- */

static bool open_conn(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	struct mrg_http_client *const c = ctx;
	if (c->m.state != MRG_HTTP_CONNECTION_CLIENT_CONNECTING)
		return false;
	s->conn = c;
	c->s = s;
	(void)mrg_http_connection_client_on_opened(&c->m, c);
	settle(c, now_ns);
	return true;
}

/* What has come goes first: it may say that nothing more is taken. */
static void ready(void *ctx, struct mrg_stream *s, unsigned events, uint64_t now_ns)
{
	struct mrg_http_client *const c = ctx;
	(void)s;
	c->busy = true;
	if ((events & MRG_STREAM_READABLE) != 0)
		mrg_http_client_receive_(c);
	if (mrg_http_client_open(c))
		mrg_http_client_send_(c);
	settle(c, now_ns);
}

static bool spare(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	return false;
}

static void expired(struct mrg_http_client *c)
{
	const enum mrg_http_client_error error = MRG_HTTP_CLIENT_TIMEOUT;
	switch (c->wait) {
	case MRG_HTTP_CLIENT_WAIT_CONNECT:
		mrg_http_client_fail_(c, error, MRG_LITERAL("no connection in time"), NULL);
		break;
	case MRG_HTTP_CLIENT_WAIT_IDLE:
		if (c->first != NULL)
			break; /* one was added, and waits for the next event */
		mrg_http_client_because_(c, error, MRG_LITERAL("no request in time"), NULL);
		(void)mrg_http_connection_client_on_finish(&c->m, c);
		break;
	case MRG_HTTP_CLIENT_WAIT_SEND:
		mrg_http_client_fail_(c, error,
			MRG_LITERAL("the server takes nothing of the request (RFC 9112 9.5)"), c->first);
		break;
	case MRG_HTTP_CLIENT_WAIT_CONTINUE:
		(void)mrg_http_connection_client_on_go_on(&c->m, c);
		mrg_http_client_send_(c);
		break;
	case MRG_HTTP_CLIENT_WAIT_HEAD:
		mrg_http_client_fail_(
			c, error, MRG_LITERAL("no whole head in time (RFC 9112 9.5)"), c->first);
		break;
	case MRG_HTTP_CLIENT_WAIT_BODY:
		mrg_http_client_fail_(
			c, error, MRG_LITERAL("nothing more of the body in time (RFC 9112 9.5)"), c->first);
		break;
	case MRG_HTTP_CLIENT_WAIT_NOTHING: break;
	}
}

static void fire(struct mrg_rt_timer *timer, uint64_t now_ns)
{
	struct mrg_http_client *const c =
		(struct mrg_http_client *)(void *)((char *)timer - offsetof(struct mrg_http_client, timer));
	c->busy = true;
	c->moved = true; /* the timer is no longer armed */
	expired(c);
	settle(c, now_ns);
}

/* ---- what the caller calls ---- */

size_t mrg_http_client_memory(void) { return MRG_HTTP_CLIENT_IN + LINE; }

enum mrg_status mrg_http_client_init(struct mrg_http_client *c, struct mrg_arena *a,
	struct mrg_rt_timers *timers, const struct mrg_http_client_limits *limits,
	const struct mrg_http_client_handler *handler)
{
	*c = (struct mrg_http_client){
		.user = { .ctx = c, .open = open_conn, .ready = ready, .spare = spare },
		.limits = *limits,
		.handler = *handler,
		.timers = timers,
		.timer = { .fire = fire },
		.m = { .state = MRG_HTTP_CONNECTION_CLIENT_CLOSED },
		.in = mrg_arena_get(a, MRG_HTTP_CLIENT_IN, LINE),
	};
	return c->in != NULL ? MRG_OK : MRG_E_SPACE;
}

void mrg_http_client_begin(struct mrg_http_client *c, uint64_t now_ns)
{
	mrg_http_connection_client_begin(&c->m);
	mrg_http_client_because_(c, MRG_HTTP_CLIENT_OK, (struct mrg_span){ NULL, 0 }, NULL);
	c->s = NULL;
	c->first = c->last = c->sending = NULL;
	c->busy = c->dry = c->in_body = false;
	c->interim = 0;
	c->part_first = c->part_count = 0;
	c->in_len = c->in_fed = 0;
	c->moved = true;
	settle(c, now_ns);
}

/* From within a call of the handler the end comes behind that. */
static void end_all(struct mrg_http_client *c, enum mrg_http_client_error error, struct mrg_span why)
{
	if (!mrg_http_client_open(c))
		return;
	mrg_http_client_fail_(c, error, why, NULL);
	if (!c->busy)
		finish(c);
}

void mrg_http_client_unreachable(struct mrg_http_client *c)
{
	if (c->m.state == MRG_HTTP_CONNECTION_CLIENT_CONNECTING)
		end_all(c, MRG_HTTP_CLIENT_UNREACHABLE, MRG_LITERAL("no connection came about"));
}

void mrg_http_client_close(struct mrg_http_client *c)
{
	end_all(c, MRG_HTTP_CLIENT_STOPPED, MRG_LITERAL("the client was closed"));
}

enum mrg_status mrg_http_client_add(struct mrg_http_client *c, struct mrg_http_client_request *r)
{
	if (c->m.state >= MRG_HTTP_CONNECTION_CLIENT_LAST || (c->last != NULL && c->last->ends))
		return MRG_END;
	r->why = (struct mrg_span){ NULL, 0 };
	const enum mrg_status st = mrg_http_client_head_(r);
	if (st != MRG_OK)
		return st;
	r->next = NULL;
	r->sent = false;
	r->left = r->length;
	if (c->last != NULL)
		c->last->next = r;
	else
		c->first = r;
	c->last = r;
	if (c->sending == NULL)
		c->sending = r;
	want(c);
	return MRG_OK;
}

void mrg_http_client_resume(struct mrg_http_client *c)
{
	c->dry = false;
	if (mrg_http_client_open(c))
		want(c);
}
