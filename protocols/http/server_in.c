/*
 * Requests on their way in: heads, bodies, and what is kept of them between two events.
 * Reading order: keeping, heads, bodies, the loop over all that has come, receiving.
 */
#include "protocols/http/server_in.h"
#include "protocols/http/server_out.h"

enum {
	PARTS = 8,       /* captures taken from a reader at a time */
	DISCARD_MAX = 16 /* reads of unwanted octets in one event */
};

/* ---- keeping what has come ---- */

static void put_block(struct mrg_http_server *t, uint8_t *p, bool big)
{
	if (p != NULL)
		mrg_rt_pool_put(big ? &t->big : &t->small, p);
}

void mrg_http_in_drop_(struct mrg_http_server *t, struct mrg_http_conn *c)
{
	put_block(t, c->in, c->in_big);
	c->in = NULL;
	c->in_len = 0;
}

/* Keep `rest`, which may lie in the connection's own block. false: there is no block to be had. */
static bool hold(struct mrg_http_server *t, struct mrg_http_conn *c, struct mrg_span rest)
{
	uint8_t *const was = c->in;
	const bool was_big = c->in_big, big = rest.len > MRG_HTTP_IN_SMALL;
	if (rest.len == 0) {
		mrg_http_in_drop_(t, c);
		return true;
	}
	if (was == NULL || was_big != big) {
		c->in = big ? mrg_http_in_block_(t, c) : mrg_rt_pool_get(&t->small);
		c->in_big = big;
		if (c->in != NULL)
			memcpy(c->in, rest.p, rest.len);
		put_block(t, was, was_big);
	} else if (was != rest.p) {
		memmove(was, rest.p, rest.len);
	}
	c->in_len = c->in == NULL ? 0 : (uint32_t)rest.len;
	return c->in != NULL;
}

/* ---- answering ---- */

static struct mrg_http_exchange exchange(
	struct mrg_http_server *t, struct mrg_http_conn *c, const struct mrg_http_request *r, uint64_t now_ns)
{
	t->out->text.cap = MRG_HTTP_OUT_TEXT - MRG_HTTP_OUT_HEAD;
	mrg_http_reply_begin(&t->reply, &t->out->text);
	return (struct mrg_http_exchange){
		.request = r,
		.reply = &t->reply,
		.stream = c->s,
		.now_ns = now_ns,
		.unix_s = now_ns < t->date_until_ns ? t->date_s : mrg_http_out_date_(t, now_ns),
		.own = &c->own,
	};
}

static void answer(
	struct mrg_http_server *t, struct mrg_http_conn *c, struct mrg_http_exchange *x, bool close)
{
	struct mrg_http_turn e = { t, c, x };
	(void)mrg_http_connection_server_on_answer(&c->m, &e, close || x->reply->close || t->draining);
}

/* Nothing more of this connection is understood, or wanted: say why and end it. */
static void refuse(struct mrg_http_server *t, struct mrg_http_conn *c, const struct mrg_http_request *r,
	unsigned status, struct mrg_span why, uint64_t now_ns)
{
	struct mrg_http_exchange x = exchange(t, c, r, now_ns);
	mrg_http_reply_error(x.reply, status, why);
	answer(t, c, &x, true);
}

/* The body is complete, or the handler has seen enough of it: then what is still to come is not read. */
static void body_end(struct mrg_http_server *t, struct mrg_http_conn *c, bool whole, uint64_t now_ns)
{
	c->fresh = true;
	if (whole)
		(void)mrg_http_connection_server_on_rest(&c->m, NULL);
	if (c->m.state != MRG_HTTP_CONNECTION_SERVER_ANSWERING)
		return;
	struct mrg_http_exchange x = exchange(t, c, NULL, now_ns);
	t->handler.finish(t->handler.ctx, &x);
	c->own = NULL;
	answer(t, c, &x, !whole);
}

/* There is something wrong with the body: an answer if none was given yet, and the end. */
static void body_bad(struct mrg_http_server *t, struct mrg_http_conn *c, unsigned status, struct mrg_span why,
	uint64_t now_ns)
{
	if (c->m.state != MRG_HTTP_CONNECTION_SERVER_ANSWERING) {
		(void)mrg_http_connection_server_on_drop(&c->m, NULL);
		return;
	}
	if (c->own != NULL)
		t->handler.end(t->handler.ctx, c->own);
	c->own = NULL;
	refuse(t, c, NULL, status, why, now_ns);
}

/* ---- heads ---- */

/* A whole head that is as it should be; `more`: octets follow it already. */
static void take_request(struct mrg_http_server *t, struct mrg_http_conn *c, bool more, uint64_t now_ns)
{
	const struct mrg_http_request *const r = &t->request;
	const bool has_body = r->body == MRG_HTTP_BODY_CHUNKED || r->length != 0;
	t->counts.requests++;
	c->old = r->minor == 0;
	c->head_only = r->method == MRG_HTTP_METHOD_HEAD;
	(void)mrg_http_connection_server_on_request(
		&c->m, NULL, !r->keep_alive || r->method == MRG_HTTP_METHOD_CONNECT, has_body);
	if (r->body == MRG_HTTP_BODY_LENGTH && r->length > t->limits.body_max) {
		refuse(t, c, r, MRG_HTTP_STATUS_CONTENT_TOO_LARGE, (struct mrg_span){ NULL, 0 }, now_ns);
		return;
	}
	struct mrg_http_exchange x = exchange(t, c, r, now_ns);
	const bool wanted = t->handler.head(t->handler.ctx, &x);
	if (has_body) {
		mrg_http_body_begin(&c->reader.body, r->body, r->length, t->limits.body_max);
		c->moved = 0;
	}
	if (has_body && wanted) {
		if (r->expect_continue && !more)
			(void)mrg_http_connection_server_on_go_on(&c->m, &(struct mrg_http_turn){ t, c, &x });
		return;
	}
	if (wanted)
		t->handler.finish(t->handler.ctx, &x);
	c->own = NULL;
	/* Who was to wait for 100 may send the body or not, now: both can't be understood (RFC 9110 10.1.1). */
	answer(t, c, &x, has_body && r->expect_continue);
}

/* What is no head, or does not come to its end. */
static void refuse_head(struct mrg_http_server *t, struct mrg_http_conn *c, const struct mrg_http_request *r,
	unsigned status, struct mrg_span why, uint64_t now_ns)
{
	c->old = c->head_only = false; /* of the request before */
	(void)mrg_http_connection_server_on_request(&c->m, NULL, true, false);
	refuse(t, c, r, status, why, now_ns);
}

/* Has the end of the head come, or something that can't be in one?  Each octet is looked at once, however many times this is asked. */
static bool head_ends(struct mrg_http_conn *c, struct mrg_span in)
{
	struct mrg_part parts[PARTS];
	size_t count;
	enum mrg_status st;
	struct mrg_span fresh = { in.p + c->in_fed, in.len - c->in_fed };
	if (c->in_fed == 0)
		mrg_http_http1_request_begin(&c->reader.head);
	do
		st = mrg_http_http1_request_feed(&c->reader.head, &fresh, parts, PARTS, &count);
	while (st == MRG_E_SPACE);
	c->in_fed = (uint32_t)in.len;
	return st != MRG_MORE;
}

/* Returns the octets taken; 0: the head has not come whole. */
static size_t step_head(
	struct mrg_http_server *t, struct mrg_http_conn *c, struct mrg_span in, uint64_t now_ns)
{
	size_t len;
	if (c->in_fed != 0 && !head_ends(c, in))
		return 0;
	const enum mrg_status st = mrg_http_request_read(in, &t->request, &len);
	if (st == MRG_MORE) {
		(void)head_ends(c, in);
		return 0;
	}
	c->in_fed = 0;
	if (st == MRG_OK) {
		take_request(t, c, len < in.len, now_ns);
		return len;
	}
	t->counts.requests++;
	refuse_head(t, c, &t->request, t->request.status, t->request.why, now_ns);
	return in.len;
}

/* ---- bodies ---- */

static size_t step_body(
	struct mrg_http_server *t, struct mrg_http_conn *c, struct mrg_span in, uint64_t now_ns)
{
	struct mrg_http_body_got got;
	struct mrg_span rest = in;
	const enum mrg_status st = mrg_http_body_next(&c->reader.body, &rest, &got);
	struct mrg_http_exchange x = exchange(t, c, NULL, now_ns);
	if (got.octets.len != 0 && c->m.state == MRG_HTTP_CONNECTION_SERVER_ANSWERING &&
		!t->handler.body(t->handler.ctx, &x, got.octets)) {
		body_end(t, c, false, now_ns);
	} else if (st == MRG_END) {
		body_end(t, c, true, now_ns);
	} else if (st == MRG_E_RANGE) {
		body_bad(t, c, MRG_HTTP_STATUS_CONTENT_TOO_LARGE, (struct mrg_span){ NULL, 0 }, now_ns);
	} else if (st == MRG_E_LIMIT) {
		body_bad(t, c, got.code, MRG_LITERAL("longer than this server takes"), now_ns);
	} else if (st == MRG_E_TEXT) {
		body_bad(t, c, MRG_HTTP_STATUS_BAD_REQUEST,
			MRG_LITERAL("not the chunked coding (RFC 9112 7.1)"), now_ns);
	}
	return in.len - rest.len;
}

/* ---- all that has come ---- */

static size_t step(struct mrg_http_server *t, struct mrg_http_conn *c, struct mrg_span in, uint64_t now_ns)
{
	switch (c->m.state) {
	case MRG_HTTP_CONNECTION_SERVER_IDLE: return step_head(t, c, in, now_ns);
	case MRG_HTTP_CONNECTION_SERVER_ANSWERING:
	case MRG_HTTP_CONNECTION_SERVER_SKIPPING: return step_body(t, c, in, now_ns);
	default: return in.len;
	}
}

/* Deal with `in` until the client has to take something first, or to send more; keep what is left. false: the connection is broken.
 * Cost: linear in what is dealt with. */
static bool work(struct mrg_http_server *t, struct mrg_http_conn *c, struct mrg_span in, uint64_t now_ns)
{
	while (in.len != 0 && !mrg_http_out_waits_(c)) {
		const size_t used = step(t, c, in, now_ns);
		in = (struct mrg_span){ in.p + used, in.len - used };
		if (mrg_http_out_full_(t->out) && !mrg_http_out_flush_(t, c))
			return false;
		if (used == 0)
			break;
	}
	if (!mrg_http_out_waits_(c) && !mrg_http_out_flush_(t, c))
		return false;
	if (c->m.state == MRG_HTTP_CONNECTION_SERVER_ENDING)
		in.len = 0;
	return hold(t, c, in);
}

bool mrg_http_in_resume_(struct mrg_http_server *t, struct mrg_http_conn *c, uint64_t now_ns)
{
	/* A head that has been seen in part is not looked at again without more of it. */
	if (c->in_len == 0 || c->in_fed == c->in_len)
		return true;
	return work(t, c, (struct mrg_span){ c->in, c->in_len }, now_ns);
}

bool mrg_http_in_timeout_(struct mrg_http_server *t, struct mrg_http_conn *c, uint64_t now_ns)
{
	const struct mrg_span nothing = { NULL, 0 };
	if (c->m.state == MRG_HTTP_CONNECTION_SERVER_IDLE)
		refuse_head(t, c, NULL, MRG_HTTP_STATUS_REQUEST_TIMEOUT, nothing, now_ns);
	else
		body_bad(t, c, MRG_HTTP_STATUS_REQUEST_TIMEOUT, nothing, now_ns);
	mrg_http_in_drop_(t, c);
	return mrg_http_out_flush_(t, c);
}

/* ---- receiving ---- */

/* Throw away what a client sends that has been told of the end: closing with octets unread would reset the connection, and with it
 * the answer on its way (RFC 9112 9.6). */
static enum mrg_io discard(struct mrg_http_server *t, struct mrg_http_conn *c)
{
	size_t got;
	enum mrg_io io = MRG_IO_OK;
	for (unsigned i = 0; i < DISCARD_MAX && io == MRG_IO_OK; i++)
		io = mrg_stream_read(c->s, t->in, MRG_HTTP_IN_MAX, &got);
	return io;
}

/* Behind what is held: into its own block if that is a big one, so that a long head is not copied for each octet of it. */
enum mrg_io mrg_http_in_receive_(struct mrg_http_server *t, struct mrg_http_conn *c, uint64_t now_ns)
{
	size_t got = 0;
	if (c->m.state == MRG_HTTP_CONNECTION_SERVER_LINGERING)
		return discard(t, c);
	uint8_t *const to = c->in_big && c->in != NULL ? c->in : t->in;
	const enum mrg_io io = mrg_stream_read(c->s, to + c->in_len, MRG_HTTP_IN_MAX - c->in_len, &got);
	if (io != MRG_IO_OK)
		return io;
	if (to != c->in && c->in_len != 0)
		memcpy(to, c->in, c->in_len);
	t->counts.octets_in += got;
	c->moved += got;
	const struct mrg_span in = { to, c->in_len + got };
	if (to == c->in)
		c->in_len += (uint32_t)got;
	return work(t, c, in, now_ns) ? MRG_IO_OK : MRG_IO_RESET;
}
