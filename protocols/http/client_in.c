/*
 * Responses on their way in.
 * Reading order: how one ends, heads, bodies, receiving, the end of the connection.
 */
#include "protocols/http/client_inside.h"

enum { PARTS = 8 }; /* captures taken from a reader at a time */

static void stopped(struct mrg_http_client *c)
{
	mrg_http_client_fail_(
		c, MRG_HTTP_CLIENT_STOPPED, MRG_LITERAL("nothing more of the answer is wanted"), c->first);
}

/* ---- how a response ends ---- */

void mrg_http_connection_client_do_answered(const struct mrg_http_connection_client *m, void *ctx)
{
	struct mrg_http_client *const c = ctx;
	struct mrg_http_client_request *const r = c->first;
	(void)m;
	if (c->sending == r)
		c->sending = r->next;
	c->first = r->next;
	if (c->first == NULL)
		c->last = NULL;
	c->in_body = false;
	c->interim = 0;
	c->moved = true;
}

static void response_ends(struct mrg_http_client *c, bool close)
{
	struct mrg_http_client_request *const r = c->first;
	const struct mrg_http_client_end well = {
		.error = MRG_HTTP_CLIENT_OK, .why = { NULL, 0 }, .sent = true
	};
	(void)mrg_http_connection_client_on_response(&c->m, c, close);
	c->handler.done(c->handler.ctx, r, &well);
}

/* ---- heads ---- */

static void bad_head(struct mrg_http_client *c, struct mrg_span why)
{
	mrg_http_client_fail_(c, MRG_HTTP_CLIENT_BAD_HEAD, why, c->first);
}

static void too_long(struct mrg_http_client *c, struct mrg_span why)
{
	mrg_http_client_fail_(c, MRG_HTTP_CLIENT_TOO_LONG, why, c->first);
}

/* Has the end of the head come, or something that can't be in one?  Each octet is looked at once, however many times this is asked. */
static bool head_ends(struct mrg_http_client *c, struct mrg_span in)
{
	struct mrg_part parts[PARTS];
	size_t count;
	enum mrg_status st;
	struct mrg_span fresh = { in.p + c->in_fed, in.len - c->in_fed };
	if (c->in_fed == 0)
		mrg_http_http1_response_begin(&c->head_reader);
	do
		st = mrg_http_http1_response_feed(&c->head_reader, &fresh, parts, PARTS, &count);
	while (st == MRG_E_SPACE);
	c->in_fed = in.len;
	return st != MRG_MORE;
}

/* RFC 9110 15.2: any number of them may come, and be passed over; but not for ever. */
static void take_interim(struct mrg_http_client *c)
{
	c->moved = true;
	if (c->response.status == MRG_HTTP_STATUS_SWITCHING_PROTOCOLS)
		bad_head(c, MRG_LITERAL("a switch to a protocol that was not asked for (RFC 9110 7.8)"));
	else if (c->interim++ >= c->limits.interim_max)
		too_long(c, MRG_LITERAL("more interim responses than this client takes (RFC 9110 15.2)"));
	else
		(void)mrg_http_connection_client_on_interim(
			&c->m, c, c->response.status == MRG_HTTP_STATUS_CONTINUE);
}

static bool acceptable(struct mrg_http_client *c, const struct mrg_http_client_request *r)
{
	const struct mrg_http_response *const p = &c->response;
	if (p->coded)
		bad_head(c, MRG_LITERAL("a transfer coding that was not asked for (RFC 9112 7.4)"));
	else if (r->old && p->body == MRG_HTTP_BODY_CHUNKED)
		bad_head(c, MRG_LITERAL("Transfer-Encoding to HTTP/1.0 (RFC 9112 6.1)"));
	else if (p->body == MRG_HTTP_BODY_LENGTH && p->length > c->limits.body_max)
		too_long(c, MRG_LITERAL("the body is longer than this client takes (RFC 9112 6.3)"));
	return mrg_http_client_open(c);
}

static void take_final(struct mrg_http_client *c, struct mrg_http_client_request *r)
{
	const struct mrg_http_response *const p = &c->response;
	if (!acceptable(c, r))
		return;
	(void)mrg_http_connection_client_on_begins(&c->m, c, !p->keep_alive);
	mrg_http_body_begin(&c->body_reader, p->body, p->length, c->limits.body_max);
	c->in_body = true;
	c->moved = true;
	if (!c->handler.head(c->handler.ctx, r, p))
		stopped(c);
	else if (mrg_http_client_open(c) && p->body != MRG_HTTP_BODY_CLOSE &&
		 mrg_http_body_ends(&c->body_reader))
		response_ends(c, !p->keep_alive);
}

static size_t head_goes_on(struct mrg_http_client *c, struct mrg_span in)
{
	if (in.len > c->limits.head_max)
		too_long(c, MRG_LITERAL("the head is longer than this client takes (RFC 9112 3)"));
	return 0;
}

/* Returns the octets taken; 0: the head has not come whole. */
static size_t step_head(struct mrg_http_client *c, struct mrg_span in)
{
	struct mrg_http_client_request *const r = c->first;
	size_t len;
	if (r == NULL || !r->sent) {
		mrg_http_client_fail_(c, MRG_HTTP_CLIENT_UNSOLICITED,
			MRG_LITERAL("octets that answer no request (RFC 9112 9.2)"), NULL);
		return in.len;
	}
	if (c->in_fed != 0 && !head_ends(c, in))
		return head_goes_on(c, in);
	const enum mrg_status st = mrg_http_response_read(in, r->known_method, &c->response, &len);
	if (st == MRG_MORE) {
		(void)head_ends(c, in);
		return head_goes_on(c, in);
	}
	c->in_fed = 0;
	if (st == MRG_E_LIMIT)
		too_long(c, c->response.why);
	else if (st != MRG_OK)
		bad_head(c, c->response.why);
	else if (len > c->limits.head_max)
		(void)head_goes_on(c, (struct mrg_span){ in.p, len });
	else if (mrg_http_response_interim(&c->response))
		take_interim(c);
	else
		take_final(c, r);
	return st == MRG_OK ? len : in.len;
}

/* ---- bodies ---- */

static size_t step_body(struct mrg_http_client *c, struct mrg_span in)
{
	struct mrg_http_body_got got;
	struct mrg_span rest = in;
	const enum mrg_status st = mrg_http_body_next(&c->body_reader, &rest, &got);
	c->moved = true;
	if (got.octets.len != 0 && !c->handler.body(c->handler.ctx, c->first, got.octets))
		stopped(c);
	if (!mrg_http_client_open(c))
		return in.len;
	if (st == MRG_END)
		response_ends(c, !c->response.keep_alive);
	else if (st == MRG_E_RANGE)
		too_long(c, MRG_LITERAL("the body is longer than this client takes (RFC 9112 6.3)"));
	else if (st == MRG_E_LIMIT)
		too_long(c,
			MRG_LITERAL(
				"a chunk's size or extensions, or a trailer, are longer than this client takes "
				"(RFC 9112 7.1)"));
	else if (st == MRG_E_TEXT)
		mrg_http_client_fail_(c, MRG_HTTP_CLIENT_BAD_BODY,
			MRG_LITERAL("not the chunked coding (RFC 9112 7.1)"), c->first);
	return in.len - rest.len;
}

/* ---- receiving ---- */

/* Deal with `in`, and keep what is left: a head that is not whole.   Cost: linear in what is dealt with. */
static void work(struct mrg_http_client *c, struct mrg_span in)
{
	while (in.len != 0 && mrg_http_client_open(c)) {
		const size_t used = c->in_body ? step_body(c, in) : step_head(c, in);
		in = (struct mrg_span){ in.p + used, in.len - used };
		if (used == 0)
			break;
	}
	if (in.len != 0 && in.p != c->in)
		memmove(c->in, in.p, in.len);
	c->in_len = in.len;
}

/* ---- the end of the connection, RFC 9112 8 and 9.5 ---- */

/* Before anything of an answer, within its head, within its body: by the end, by a break. */
static struct mrg_span end_said(const struct mrg_http_client *c, bool reset)
{
	if (c->in_body)
		return reset ? MRG_LITERAL("the connection broke within the body (RFC 9112 8)")
			     : MRG_LITERAL("the connection ended within the body (RFC 9112 8)");
	if (c->in_len != 0)
		return reset ? MRG_LITERAL("the connection broke within the head (RFC 9112 8)")
			     : MRG_LITERAL("the connection ended within the head (RFC 9112 8)");
	return reset ? MRG_LITERAL("the connection broke without an answer (RFC 9112 9.5)")
		     : MRG_LITERAL("the connection ended without an answer (RFC 9112 9.5)");
}

static void ended(struct mrg_http_client *c, bool reset)
{
	const bool cut = c->in_body || c->in_len != 0;
	if (c->in_body && !reset && mrg_http_body_ends(&c->body_reader)) {
		response_ends(c, true);
		return;
	}
	if (c->first != NULL)
		mrg_http_client_because_(c, cut ? MRG_HTTP_CLIENT_CUT : MRG_HTTP_CLIENT_UNANSWERED,
			end_said(c, reset), cut ? c->first : NULL);
	if (reset)
		(void)mrg_http_connection_client_on_abort(&c->m, c);
	else
		(void)mrg_http_connection_client_on_end(&c->m, c);
}

void mrg_http_client_receive_(struct mrg_http_client *c)
{
	size_t got = 0;
	switch (mrg_stream_read(c->s, c->in + c->in_len, MRG_HTTP_CLIENT_IN - c->in_len, &got)) {
	case MRG_IO_OK: work(c, (struct mrg_span){ c->in, c->in_len + got }); break;
	case MRG_IO_AGAIN: break;
	case MRG_IO_EOF: ended(c, false); break;
	case MRG_IO_RESET: ended(c, true); break;
	}
}
