/*
 * A request's head.
 * Reading order: mrg_http_request_read at the end, then the steps in its order.
 */
#include "http/field.h"
#include "http/message.h"
#include "http/target.h"
#include "mrg_digits.h"
#include "protocols/http/request.h"

enum {
	LINE_CAPTURES = 4, /* method, target, major and minor version */
	CAPTURES_MAX = LINE_CAPTURES + 2 * MRG_HTTP_FIELDS_MAX,
	VALUE_CAPTURES = 16 /* taken from a value at a time */
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

static struct mrg_span span_of(const struct mrg_capture *c) { return (struct mrg_span){ c->p, c->len }; }

/* ---- from captures ---- */

static void take_line(struct mrg_http_request *r, const struct mrg_capture *c)
{
	r->method_text = span_of(&c[0]);
	r->method = mrg_http_method_of(r->method_text);
	r->target = span_of(&c[1]);
	r->minor = (unsigned)mrg_digits_dec(span_of(&c[3]));
}

static void take_fields(struct mrg_http_request *r, const struct mrg_capture *c, size_t count)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		if (c[i].what == MRG_HTTP_HTTP1_REQUEST_NAME) {
			struct mrg_http_field_line *const f = &r->fields[n++];
			f->name = span_of(&c[i]);
			f->value = (struct mrg_span){ NULL, 0 };
			f->id = mrg_http_field_of(f->name);
		} else {
			r->fields[n - 1].value = span_of(&c[i]);
		}
	}
	r->count = n;
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
			out->host = span_of(&c[i]);
		else
			out->port = span_of(&c[i]);
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
	r->path = span_of(&c[0]);
	if (count == 2)
		r->query = span_of(&c[1]);
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
		case MRG_HTTP_TARGET_ABSOLUTE_SCHEME: r->scheme = span_of(&c[i]); break;
		case MRG_HTTP_TARGET_ABSOLUTE_AUTHORITY: well = read_authority(span_of(&c[i]), &a); break;
		case MRG_HTTP_TARGET_ABSOLUTE_PATH: r->path = span_of(&c[i]); break;
		default: r->query = span_of(&c[i]); break;
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

static enum mrg_status take_length(struct mrg_http_request *r, const struct mrg_http_field_line *f)
{
	struct mrg_capture c;
	size_t count, at;
	unsigned code;
	if (mrg_http_field_content_length_read(f->value, &c, 1, &count, &at, &code) != MRG_OK)
		return bad(r, MRG_LITERAL("Content-Length is no number (RFC 9112 6.3)"));
	r->body = MRG_HTTP_BODY_LENGTH;
	r->length = mrg_digits_dec(span_of(&c));
	return MRG_OK;
}

/* Only `chunked` is understood. Others may be in front of it, which is 501; anything else has no end that all agree on. */
static enum mrg_status take_coding(struct mrg_http_request *r, const struct mrg_http_field_line *f)
{
	struct mrg_capture c[VALUE_CAPTURES];
	size_t count, at;
	unsigned code;
	if (r->minor == 0)
		return bad(r, MRG_LITERAL("Transfer-Encoding in HTTP/1.0 (RFC 9112 6.1)"));
	if (mrg_http_field_codings_read(f->value, c, VALUE_CAPTURES, &count, &at, &code) != MRG_OK ||
		count == 0)
		return bad(r, MRG_LITERAL("Transfer-Encoding is no list of codings (RFC 9112 6.1)"));
	bool chunked = false, behind = false;
	for (size_t i = 0; i < count; i++) {
		behind = behind || chunked; /* RFC 9112 7.1: it has no parameters either */
		chunked = c[i].what == MRG_HTTP_FIELD_CODINGS_CODING &&
			  mrg_http_coding_of(span_of(&c[i])) == MRG_HTTP_CODING_CHUNKED;
	}
	if (!chunked || behind)
		return bad(r, MRG_LITERAL("Transfer-Encoding does not end in one chunked (RFC 9112 6.3)"));
	if (count > 1)
		return refuse(r, MRG_HTTP_STATUS_NOT_IMPLEMENTED,
			MRG_LITERAL("a transfer coding besides chunked (RFC 9112 6.1)"));
	r->body = MRG_HTTP_BODY_CHUNKED;
	return MRG_OK;
}

/* ---- Connection, RFC 9110 7.6.1, RFC 9112 9.3 ---- */

static enum mrg_status take_connection(struct mrg_http_request *r, const struct mrg_http_field_line *f)
{
	struct mrg_http_field_names_cursor names;
	struct mrg_capture c[VALUE_CAPTURES];
	size_t count;
	enum mrg_status st;
	mrg_http_field_names_begin(&names, f->value);
	do {
		st = mrg_http_field_names_next(&names, c, VALUE_CAPTURES, &count);
		for (size_t i = 0; i < count; i++) {
			const enum mrg_http_option option = mrg_http_option_of(span_of(&c[i]));
			if (option == MRG_HTTP_OPTION_CLOSE)
				return MRG_END;
			if (option == MRG_HTTP_OPTION_KEEP_ALIVE)
				r->keep_alive = true;
		}
	} while (st == MRG_E_SPACE);
	return st == MRG_OK ? MRG_OK : bad(r, MRG_LITERAL("Connection is no list of names (RFC 9110 7.6.1)"));
}

/* ---- Expect, RFC 9110 10.1.1 ---- */

static enum mrg_status take_expect(struct mrg_http_request *r, const struct mrg_http_field_line *f)
{
	struct mrg_capture c[VALUE_CAPTURES];
	size_t count, at;
	unsigned code;
	if (mrg_http_field_continue_read(f->value, c, VALUE_CAPTURES, &count, &at, &code) != MRG_OK)
		return refuse(r, MRG_HTTP_STATUS_EXPECTATION_FAILED,
			MRG_LITERAL("an expectation besides 100-continue (RFC 9110 10.1.1)"));
	if (count != 0)
		r->expect_continue = r->minor != 0; /* an HTTP/1.0 client does not know of it */
	return MRG_OK;
}

/* ---- all of them ---- */

struct seen {
	const struct mrg_http_field_line *host, *length, *coding;
	bool close;
};

static enum mrg_status once(struct mrg_http_request *r, const struct mrg_http_field_line **seen,
	const struct mrg_http_field_line *f, struct mrg_span why)
{
	if (*seen != NULL)
		return bad(r, why);
	*seen = f;
	return MRG_OK;
}

static enum mrg_status look_at(
	struct mrg_http_request *r, const struct mrg_http_field_line *f, struct seen *seen)
{
	enum mrg_status st = MRG_OK;
	switch (f->id) {
	case MRG_HTTP_FIELD_HOST:
		return once(r, &seen->host, f, MRG_LITERAL("two Host fields (RFC 9112 3.2)"));
	case MRG_HTTP_FIELD_CONTENT_LENGTH:
		return once(r, &seen->length, f, MRG_LITERAL("two Content-Length fields (RFC 9112 6.3)"));
	case MRG_HTTP_FIELD_TRANSFER_ENCODING:
		return once(r, &seen->coding, f, MRG_LITERAL("two Transfer-Encoding fields (RFC 9112 6.1)"));
	case MRG_HTTP_FIELD_CONNECTION:
		st = take_connection(r, f);
		if (st != MRG_END)
			return st;
		seen->close = true;
		return MRG_OK;
	case MRG_HTTP_FIELD_EXPECT: return take_expect(r, f);
	default: return MRG_OK;
	}
}

static enum mrg_status judge(struct mrg_http_request *r)
{
	struct seen seen = { .host = NULL };
	enum mrg_status st = take_target(r);
	r->keep_alive = r->minor != 0;
	r->expect_continue = false;
	r->body = MRG_HTTP_BODY_NONE;
	r->length = 0;
	for (size_t i = 0; i < r->count && st == MRG_OK; i++)
		st = look_at(r, &r->fields[i], &seen);
	if (st == MRG_OK)
		st = take_host(r, seen.host);
	if (st == MRG_OK && seen.length != NULL && seen.coding != NULL)
		st = bad(r, MRG_LITERAL("Content-Length beside Transfer-Encoding (RFC 9112 6.3)"));
	if (st == MRG_OK && seen.coding != NULL)
		st = take_coding(r, seen.coding);
	if (st == MRG_OK && seen.length != NULL)
		st = take_length(r, seen.length);
	if (seen.close)
		r->keep_alive = false;
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
	if (mrg_digits_dec(span_of(&c[2])) != 1)
		return refuse(out, MRG_HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED,
			MRG_LITERAL("not a version of HTTP/1 (RFC 9110 15.6.6)"));
	take_line(out, c);
	take_fields(out, c + LINE_CAPTURES, count - LINE_CAPTURES);
	return judge(out);
}

const struct mrg_http_field_line *mrg_http_request_field(
	const struct mrg_http_request *r, enum mrg_http_field id, const struct mrg_http_field_line *from)
{
	const struct mrg_http_field_line *f = from == NULL ? r->fields : from + 1;
	for (; f < r->fields + r->count; f++)
		if (f->id == id)
			return f;
	return NULL;
}
