/* For tests of protocols/http: see heads.h. */
#include "heads.h"

#include <stdio.h>
#include <string.h>

#include "guard.h"
#include "http/message.h"
#include "mrg_digits.h"
#include "protocols/http/date.h"

enum { HEAD_CAPTURES = 4 + 2 * MRG_HTTP_FIELDS_MAX };

const struct mrg_http_request *request_with(const char *fields)
{
	static struct mrg_http_request r;
	static char head[70000];
	size_t len;
	const int n = snprintf(head, sizeof head, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
	MUST((size_t)n < sizeof head);
	const enum mrg_status st = mrg_http_request_read(guarded(text_of(head)), &r, &len);
	MUST_SAY(st == MRG_OK && len == (size_t)n, "<%s> is no head", head);
	return &r;
}

/* ---- answers ---- */

static struct mrg_span span_of(const struct mrg_capture *c) { return (struct mrg_span){ c->p, c->len }; }

static void take_field(struct answer *a, const struct mrg_http_field_line *f)
{
	if (f->id == MRG_HTTP_FIELD_CONNECTION) {
		a->close = mrg_span_eq_nocase(f->value, MRG_LITERAL("close"));
		a->keep_alive = mrg_span_eq_nocase(f->value, MRG_LITERAL("keep-alive"));
		MUST(a->close || a->keep_alive);
	}
	if (f->id == MRG_HTTP_FIELD_CONTENT_LENGTH) {
		MUST(!a->has_length);
		a->has_length = true;
		a->length = mrg_digits_dec(f->value);
	}
	MUST(f->id != MRG_HTTP_FIELD_TRANSFER_ENCODING);
}

static void take_head(struct answer *a, const struct mrg_capture *c, size_t count)
{
	size_t i = 0;
	MUST(c[i].what == MRG_HTTP_HTTP1_RESPONSE_MAJOR);
	MUST(mrg_span_eq(span_of(&c[i++]), MRG_LITERAL("1")));
	a->minor = (unsigned)mrg_digits_dec(span_of(&c[i++]));
	a->status = (unsigned)mrg_digits_dec(span_of(&c[i++]));
	if (i < count && c[i].what == MRG_HTTP_HTTP1_RESPONSE_REASON)
		a->reason = span_of(&c[i++]);
	for (; i < count; i++) {
		if (c[i].what == MRG_HTTP_HTTP1_RESPONSE_NAME) {
			const struct mrg_span name = span_of(&c[i]);
			a->fields[a->count++] = (struct mrg_http_field_line){
				.name = name, .value = { NULL, 0 }, .id = mrg_http_field_of(name)
			};
		} else {
			a->fields[a->count - 1].value = span_of(&c[i]);
		}
	}
	for (i = 0; i < a->count; i++)
		take_field(a, &a->fields[i]);
}

/* RFC 9110 6.6.1: a server with a clock says what time it is, unless it is only to go on. */
static void check_date(const struct answer *a)
{
	const struct mrg_span *const date = answer_field(a, MRG_HTTP_FIELD_DATE);
	uint64_t unix_s;
	if (a->status < 200) {
		MUST(a->count == 0);
		return;
	}
	MUST(date != NULL);
	MUST(date->len == 29);
	MUST(mrg_http_date_read(*date, 0, &unix_s));
}

/* RFC 9112 6.3: of which answers the body is empty, whatever the fields say. */
static bool has_no_body(const struct answer *a, bool to_head)
{
	return to_head || a->status < 200 || a->status == 204 || a->status == 304;
}

size_t answer_read(struct mrg_span in, bool to_head, struct answer *out)
{
	struct mrg_capture c[HEAD_CAPTURES];
	size_t count, len;
	unsigned code;
	const enum mrg_status st = mrg_http_http1_response_read(in, c, HEAD_CAPTURES, &count, &len, &code);
	MUST_SAY(st == MRG_OK, "no answer, %s, at %zu: <%.*s>", mrg_status_str(st), len,
		(int)(in.len < 400 ? in.len : 400), (const char *)in.p);
	*out = (struct answer){ .head = { in.p, len } };
	take_head(out, c, count);
	MUST(out->minor == 1);
	check_date(out);
	if (out->status == 204 || out->status < 200)
		MUST(!out->has_length); /* RFC 9110 8.6 */
	else if (out->status != 304)
		MUST(out->has_length);
	out->body.p = in.p + len;
	out->body.len = has_no_body(out, to_head) ? 0 : (size_t)out->length;
	MUST_SAY(out->body.len <= in.len - len, "%zu octets of a body of %zu: <%.*s>", in.len - len,
		out->body.len, (int)len, (const char *)in.p);
	return len + out->body.len;
}

const struct mrg_span *answer_field(const struct answer *a, enum mrg_http_field id)
{
	const struct mrg_http_field_line *found = NULL;
	for (size_t i = 0; i < a->count; i++) {
		if (a->fields[i].id != id)
			continue;
		MUST_SAY(found == NULL, "twice %.*s", (int)found->name.len, (const char *)found->name.p);
		found = &a->fields[i];
	}
	return found == NULL ? NULL : &found->value;
}

void answer_has(const struct answer *a, enum mrg_http_field id, const char *value)
{
	const struct mrg_span *const got = answer_field(a, id), name = mrg_http_field_word(id);
	if (value == NULL) {
		MUST_SAY(got == NULL, "%.*s: %.*s", (int)name.len, (const char *)name.p,
			(int)(got == NULL ? 0 : got->len), (const char *)(got == NULL ? NULL : got->p));
		return;
	}
	MUST_SAY(got != NULL, "no %.*s", (int)name.len, (const char *)name.p);
	MUST_SAY(mrg_span_eq(*got, text_of(value)), "%.*s: %.*s instead of %s", (int)name.len,
		(const char *)name.p, (int)got->len, (const char *)got->p, value);
}
