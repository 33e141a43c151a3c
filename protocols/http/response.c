/*
 * A response's head.
 * Reading order: mrg_http_response_read at the end, then the steps in its order.
 */
#include "http/message.h"
#include "mrg_digits.h"
#include "protocols/http/framing.h"
#include "protocols/http/response.h"

enum {
	LINE_CAPTURES = 3, /* major and minor version, status; a reason may follow */
	CAPTURES_MAX = LINE_CAPTURES + 1 + 2 * MRG_HTTP_FIELDS_MAX
};

static enum mrg_status refuse(struct mrg_http_response *r, struct mrg_span why)
{
	r->why = why;
	return MRG_E_VALUE;
}

/* `why` names the rule that is broken, if one is. */
static enum mrg_status unless(struct mrg_http_response *r, struct mrg_span why)
{
	return why.p == NULL ? MRG_OK : refuse(r, why);
}

/* Returns how many captures were of the line. */
static size_t take_line(struct mrg_http_response *r, const struct mrg_capture *c, size_t count)
{
	const bool reason = count > LINE_CAPTURES && c[LINE_CAPTURES].what == MRG_HTTP_HTTP1_RESPONSE_REASON;
	r->minor = (unsigned)mrg_digits_dec(mrg_http_span_(&c[1]));
	r->status = (unsigned)mrg_digits_dec(mrg_http_span_(&c[2]));
	r->reason = reason ? mrg_http_span_(&c[LINE_CAPTURES]) : (struct mrg_span){ NULL, 0 };
	return LINE_CAPTURES + (reason ? 1u : 0u);
}

/* ---- the body's length, RFC 9112 6.3: its rules in its order ---- */

static bool never_has_body(const struct mrg_http_response *r, enum mrg_http_method method)
{
	return method == MRG_HTTP_METHOD_HEAD || mrg_http_response_interim(r) ||
	       r->status == MRG_HTTP_STATUS_NO_CONTENT || r->status == MRG_HTTP_STATUS_NOT_MODIFIED;
}

/* Where chunked is not the last of them, only the end of the connection ends the body. */
static enum mrg_status take_coding(struct mrg_http_response *r, const struct mrg_http_field_line *f)
{
	if (r->minor == 0)
		return refuse(r, MRG_LITERAL("Transfer-Encoding in HTTP/1.0 (RFC 9112 6.1)"));
	const enum mrg_http_codings_end end = mrg_http_framing_codings_(f);
	if (end == MRG_HTTP_CODINGS_BAD)
		return refuse(r, MRG_LITERAL("Transfer-Encoding is no list of codings (RFC 9112 6.1)"));
	if (end == MRG_HTTP_CODINGS_MISUSED)
		return refuse(
			r, MRG_LITERAL("chunked more than once, or with parameters (RFC 9112 6.1, 7.1)"));
	r->body = end == MRG_HTTP_CODINGS_OTHERS ? MRG_HTTP_BODY_CLOSE : MRG_HTTP_BODY_CHUNKED;
	r->coded = end != MRG_HTTP_CODINGS_CHUNKED;
	return MRG_OK;
}

static enum mrg_status take_length(struct mrg_http_response *r, const struct mrg_http_field_line *f)
{
	const enum mrg_status st = unless(r, mrg_http_framing_length_(f, &r->length));
	if (st == MRG_OK && r->length == UINT64_MAX)
		return refuse(r, MRG_LITERAL("Content-Length is larger than can be counted (RFC 9112 6.3)"));
	r->body = MRG_HTTP_BODY_LENGTH;
	return st;
}

static enum mrg_status take_body(
	struct mrg_http_response *r, enum mrg_http_method method, const struct mrg_http_framing *f)
{
	if (never_has_body(r, method) || r->tunnel)
		return MRG_OK; /* whatever the fields say */
	const enum mrg_status st = unless(r, mrg_http_framing_both_(f));
	if (st != MRG_OK)
		return st;
	if (f->coding != NULL)
		return take_coding(r, f->coding);
	if (f->length != NULL)
		return take_length(r, f->length);
	r->body = MRG_HTTP_BODY_CLOSE;
	return MRG_OK;
}

/* ---- all of it ---- */

static enum mrg_status judge(struct mrg_http_response *r, enum mrg_http_method method)
{
	struct mrg_http_framing framing = { .length = NULL };
	enum mrg_status st = MRG_OK;
	r->body = MRG_HTTP_BODY_NONE;
	r->length = 0;
	r->coded = false;
	r->tunnel = method == MRG_HTTP_METHOD_CONNECT && r->status / 100u == 2u;
	for (size_t i = 0; i < r->count && st == MRG_OK; i++)
		st = unless(r, mrg_http_framing_look_(&framing, &r->fields[i]));
	if (st == MRG_OK)
		st = take_body(r, method, &framing);
	r->keep_alive = !framing.close && (r->minor != 0 || framing.keep_alive) &&
			r->body != MRG_HTTP_BODY_CLOSE && !r->tunnel;
	return st;
}

enum mrg_status mrg_http_response_read(
	struct mrg_span in, enum mrg_http_method method, struct mrg_http_response *out, size_t *len)
{
	struct mrg_capture c[CAPTURES_MAX];
	size_t count;
	unsigned code;
	const enum mrg_status st = mrg_http_http1_response_read(in, c, CAPTURES_MAX, &count, len, &code);
	if (st == MRG_MORE)
		return st;
	if (st == MRG_E_LIMIT) {
		out->why = MRG_LITERAL("the head is longer than a client takes (RFC 9112 3)");
		return st;
	}
	if (st != MRG_OK)
		return refuse(out, MRG_LITERAL("not a response's head (RFC 9112 4 and 5)"));
	if (mrg_digits_dec(mrg_http_span_(&c[0])) != 1)
		return refuse(out, MRG_LITERAL("not a version of HTTP/1 (RFC 9112 2.3)"));
	const size_t line = take_line(out, c, count);
	out->count = mrg_http_fields_take_(out->fields, c + line, count - line, MRG_HTTP_HTTP1_RESPONSE_NAME);
	return judge(out, method);
}

const struct mrg_http_field_line *mrg_http_response_field(
	const struct mrg_http_response *r, enum mrg_http_field id, const struct mrg_http_field_line *from)
{
	return mrg_http_fields_find(r->fields, r->count, id, from);
}
