/*
 * A request's head.
 * Reading order: mrg_http_request_read at the end, then the steps in its order.
 */
#include "http/field.h"
#include "http/message.h"
#include "http/target.h"
#include "mrg_digits.h"
#include "protocols/http/framing.h"
#include "protocols/http/request.h"

enum {
	LINE_CAPTURES = 4, /* method, target, major and minor version */
	CAPTURES_MAX = LINE_CAPTURES + 2 * MRG_HTTP_FIELDS_MAX,
	EXPECT_CAPTURES = 16
};

static enum mrg_status refuse(struct mrg_http_request *r, unsigned status, struct mrg_span why)
{
	r->status = status;
	r->why = why;
	return MRG_E_VALUE;
}

static enum mrg_status bad(struct mrg_http_request *r, struct mrg_span why)
{
	return refuse(r, MRG_HTTP_STATUS_BAD_REQUEST, why);
}

/* `why` names the rule that is broken, if one is. */
static enum mrg_status unless(struct mrg_http_request *r, struct mrg_span why)
{
	return why.p == NULL ? MRG_OK : bad(r, why);
}

/* ---- from captures ---- */

static void take_line(struct mrg_http_request *r, const struct mrg_capture *c)
{
	r->method_text = mrg_http_span_(&c[0]);
	r->method = mrg_http_method_of(r->method_text);
	r->target = mrg_http_span_(&c[1]);
	r->minor = (unsigned)mrg_digits_dec(mrg_http_span_(&c[3]));
}

/* ---- hosts, RFC 9110 7.2, RFC 9112 3.2 ---- */

struct authority {
	struct mrg_span host, port; /* p is NULL where there is none */
};

static bool read_authority(struct mrg_span text, struct authority *out)
{
	struct mrg_capture c[2];
	size_t count, at;
	unsigned code;
	*out = (struct authority){ .host = { NULL, 0 } };
	if (mrg_http_target_host_read(text, c, 2, &count, &at, &code) != MRG_OK)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (c[i].what == MRG_HTTP_TARGET_HOST_HOST)
			out->host = mrg_http_span_(&c[i]);
		else
			out->port = mrg_http_span_(&c[i]);
	}
	return true;
}

static enum mrg_status take_host(struct mrg_http_request *r, const struct mrg_http_field_line *host)
{
	struct authority a;
	if (host == NULL)
		return r->minor == 0 ? MRG_OK : bad(r, MRG_LITERAL("no Host (RFC 9112 3.2)"));
	if (!read_authority(host->value, &a))
		return bad(r, MRG_LITERAL("Host is no host and port (RFC 9112 3.2)"));
	if (r->form == MRG_HTTP_ORIGIN || r->form == MRG_HTTP_ASTERISK)
		r->host = a.host;
	return MRG_OK;
}

/* ---- the target, RFC 9112 3.2 ---- */

static bool take_origin(struct mrg_http_request *r)
{
	struct mrg_capture c[2];
	size_t count, at;
	unsigned code;
	if (mrg_http_target_origin_read(r->target, c, 2, &count, &at, &code) != MRG_OK)
		return false;
	r->form = MRG_HTTP_ORIGIN;
	r->path = mrg_http_span_(&c[0]);
	if (count == 2)
		r->query = mrg_http_span_(&c[1]);
	return true;
}

static bool take_absolute(struct mrg_http_request *r)
{
	enum { CAPTURES = 4 };
	struct mrg_capture c[CAPTURES];
	struct authority a = { .host = { NULL, 0 } };
	size_t count, at;
	unsigned code;
	bool well = mrg_http_target_absolute_read(r->target, c, CAPTURES, &count, &at, &code) == MRG_OK;
	r->form = MRG_HTTP_ABSOLUTE;
	for (size_t i = 0; i < count && well; i++)
		switch (c[i].what) {
		case MRG_HTTP_TARGET_ABSOLUTE_SCHEME: r->scheme = mrg_http_span_(&c[i]); break;
		case MRG_HTTP_TARGET_ABSOLUTE_AUTHORITY:
			well = read_authority(mrg_http_span_(&c[i]), &a);
			break;
		case MRG_HTTP_TARGET_ABSOLUTE_PATH: r->path = mrg_http_span_(&c[i]); break;
		default: r->query = mrg_http_span_(&c[i]); break;
		}
	r->host = a.host;
	return well && a.host.len != 0; /* RFC 9110 4.2.1: an empty host is invalid */
}

static bool take_authority(struct mrg_http_request *r)
{
	struct authority a;
	r->form = MRG_HTTP_AUTHORITY;
	if (!read_authority(r->target, &a))
		return false;
	r->host = a.host;
	return a.host.len != 0 && a.port.len != 0;
}

static bool take_asterisk(struct mrg_http_request *r)
{
	size_t at;
	unsigned code;
	r->form = MRG_HTTP_ASTERISK;
	return r->method == MRG_HTTP_METHOD_OPTIONS &&
	       mrg_http_target_asterisk_check(r->target, &at, &code) == MRG_OK;
}

static enum mrg_status take_target(struct mrg_http_request *r)
{
	r->path = r->query = r->scheme = r->host = (struct mrg_span){ NULL, 0 };
	const bool well = r->method == MRG_HTTP_METHOD_CONNECT
				  ? take_authority(r)
				  : take_origin(r) || take_asterisk(r) || take_absolute(r);
	return well ? MRG_OK : bad(r, MRG_LITERAL("the target is in none of the four forms (RFC 9112 3.2)"));
}

/* ---- the body's length, RFC 9112 6 ---- */

/* Only `chunked` is understood. Others may be in front of it, which is 501; anything else has no end that all agree on. */
static enum mrg_status take_coding(struct mrg_http_request *r, const struct mrg_http_field_line *f)
{
	if (r->minor == 0)
		return bad(r, MRG_LITERAL("Transfer-Encoding in HTTP/1.0 (RFC 9112 6.1)"));
	r->body = MRG_HTTP_BODY_CHUNKED;
	switch (mrg_http_framing_codings_(f)) {
	case MRG_HTTP_CODINGS_CHUNKED: return MRG_OK;
	case MRG_HTTP_CODINGS_LAST:
		return refuse(r, MRG_HTTP_STATUS_NOT_IMPLEMENTED,
			MRG_LITERAL("a transfer coding besides chunked (RFC 9112 6.1)"));
	case MRG_HTTP_CODINGS_BAD:
		return bad(r, MRG_LITERAL("Transfer-Encoding is no list of codings (RFC 9112 6.1)"));
	default: return bad(r, MRG_LITERAL("Transfer-Encoding does not end in one chunked (RFC 9112 6.3)"));
	}
}

static enum mrg_status take_body(struct mrg_http_request *r, const struct mrg_http_framing *f)
{
	const enum mrg_status st = unless(r, mrg_http_framing_both_(f));
	if (st != MRG_OK)
		return st;
	if (f->coding != NULL)
		return take_coding(r, f->coding);
	if (f->length == NULL)
		return MRG_OK;
	r->body = MRG_HTTP_BODY_LENGTH;
	return unless(r, mrg_http_framing_length_(f->length, &r->length));
}

/* ---- Expect, RFC 9110 10.1.1 ---- */

static enum mrg_status take_expect(struct mrg_http_request *r, const struct mrg_http_field_line *f)
{
	struct mrg_http_field_continue_cursor list;
	struct mrg_capture c[EXPECT_CAPTURES];
	size_t count;
	enum mrg_status st;
	mrg_http_field_continue_begin(&list, f->value);
	do {
		st = mrg_http_field_continue_next(&list, c, EXPECT_CAPTURES, &count);
		if (count != 0)
			r->expect_continue = r->minor != 0; /* an HTTP/1.0 client does not know of it */
	} while (st == MRG_E_SPACE);
	if (st != MRG_OK)
		return refuse(r, MRG_HTTP_STATUS_EXPECTATION_FAILED,
			MRG_LITERAL("an expectation besides 100-continue (RFC 9110 10.1.1)"));
	return MRG_OK;
}

/* ---- all of them ---- */

static enum mrg_status look_at(struct mrg_http_request *r, const struct mrg_http_field_line *f,
	const struct mrg_http_field_line **host, struct mrg_http_framing *framing)
{
	switch (f->id) {
	case MRG_HTTP_FIELD_HOST:
		if (*host != NULL)
			return bad(r, MRG_LITERAL("two Host fields (RFC 9112 3.2)"));
		*host = f;
		return MRG_OK;
	case MRG_HTTP_FIELD_CONTENT_LENGTH:
	case MRG_HTTP_FIELD_TRANSFER_ENCODING:
	case MRG_HTTP_FIELD_CONNECTION: return unless(r, mrg_http_framing_look_(framing, f));
	case MRG_HTTP_FIELD_EXPECT: return take_expect(r, f);
	default: return MRG_OK;
	}
}

static enum mrg_status judge(struct mrg_http_request *r)
{
	const struct mrg_http_field_line *host = NULL;
	struct mrg_http_framing framing = { .length = NULL };
	enum mrg_status st = take_target(r);
	r->expect_continue = false;
	r->body = MRG_HTTP_BODY_NONE;
	r->length = 0;
	for (size_t i = 0; i < r->count && st == MRG_OK; i++)
		st = look_at(r, &r->fields[i], &host, &framing);
	if (st == MRG_OK)
		st = take_host(r, host);
	if (st == MRG_OK)
		st = take_body(r, &framing);
	r->keep_alive = !framing.close && (r->minor != 0 || framing.keep_alive);
	return st;
}

enum mrg_status mrg_http_request_read(struct mrg_span in, struct mrg_http_request *out, size_t *len)
{
	struct mrg_capture c[CAPTURES_MAX];
	size_t count;
	unsigned code;
	out->method_text = out->target = (struct mrg_span){ NULL, 0 };
	out->minor = 0;
	out->count = 0;
	const enum mrg_status st = mrg_http_http1_request_read(in, c, CAPTURES_MAX, &count, len, &code);
	if (st == MRG_MORE)
		return st;
	if (st == MRG_E_LIMIT)
		return refuse(out, code, MRG_LITERAL("longer than this server takes"));
	if (st != MRG_OK)
		return refuse(out, MRG_HTTP_STATUS_BAD_REQUEST,
			MRG_LITERAL("not a request's head (RFC 9112 3 and 5)"));
	if (mrg_digits_dec(mrg_http_span_(&c[2])) != 1)
		return refuse(out, MRG_HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED,
			MRG_LITERAL("not a version of HTTP/1 (RFC 9110 15.6.6)"));
	take_line(out, c);
	out->count = mrg_http_fields_take_(
		out->fields, c + LINE_CAPTURES, count - LINE_CAPTURES, MRG_HTTP_HTTP1_REQUEST_NAME);
	return judge(out);
}

const struct mrg_http_field_line *mrg_http_request_field(
	const struct mrg_http_request *r, enum mrg_http_field id, const struct mrg_http_field_line *from)
{
	return mrg_http_fields_find(r->fields, r->count, id, from);
}
