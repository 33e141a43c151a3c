/*
 * The access log.
 */
#include "appliances/http/access.h"
#include "http/field.h"
#include "mrg_calendar.h"
#include "mrg_digits.h"

enum {
	FIELD_MAX = 4096, /* octets of a field; longer ones are cut */
	/* bytes of a line: a target needs no escapes, an octet of a field four characters at most */
	LINE_MAX_LEN = 9000 + 2 * 4 * FIELD_MAX
};

_Static_assert(LINE_MAX_LEN < sizeof((struct access *)0)->buffer, "room for a line");

void access_init(struct access *a, enum access_log kind, void (*turn)(void *ctx, bool begins), void *ctx)
{
	a->kind = kind;
	a->turn = turn;
	a->ctx = ctx;
	out_init(&a->out, SAY_STDOUT, a->buffer, sizeof a->buffer);
}

void access_flush(struct access *a)
{
	if (a->out.w.len == 0)
		return;
	if (a->turn != NULL)
		a->turn(a->ctx, true);
	(void)out_flush(&a->out);
	if (a->turn != NULL)
		a->turn(a->ctx, false);
	a->out.failed = false; /* a full disk may have room again */
}

/* ---- pieces ---- */

static void put_escaped(struct access *a, struct mrg_span s)
{
	static const char hex[] = "0123456789abcdef";
	for (size_t i = 0; i < s.len; i++) {
		const uint8_t c = s.p[i];
		const char escape[] = { '\\', 'x', hex[c >> 4], hex[c & 15u], '\0' };
		if (c < ' ' || c > '~' || c == '"' || c == '\\')
			out_str(&a->out, escape);
		else
			out_span(&a->out, (struct mrg_span){ &s.p[i], 1 });
	}
}

static void put_quoted(struct access *a, struct mrg_span s)
{
	out_str(&a->out, "\"");
	if (s.len == 0)
		out_str(&a->out, "-");
	put_escaped(a, s);
	out_str(&a->out, "\"");
}

/* [31/Jan/2025:23:59:59 +0000] */
static void put_time(struct access *a, uint64_t unix_s)
{
	uint8_t b[40];
	struct mrg_w w;
	const struct mrg_calendar c = mrg_calendar_of(unix_s);
	mrg_w_init(&w, b, sizeof b);
	mrg_w_put(&w, MRG_LITERAL(" ["));
	mrg_digits_put(&w, c.day, 2);
	mrg_w_u8(&w, '/');
	mrg_w_put(&w, mrg_http_month_word(c.month));
	mrg_w_u8(&w, '/');
	mrg_digits_put(&w, c.year, 4);
	mrg_w_u8(&w, ':');
	mrg_digits_put(&w, c.hour, 2);
	mrg_w_u8(&w, ':');
	mrg_digits_put(&w, c.minute, 2);
	mrg_w_u8(&w, ':');
	mrg_digits_put(&w, c.second, 2);
	mrg_w_put(&w, MRG_LITERAL(" +0000] "));
	out_span(&a->out, mrg_w_span(&w, 0));
}

static void put_peer(struct access *a, struct mrg_stream *s)
{
	char text[MRG_RT_ADDR_TEXT_MAX];
	struct mrg_rt_addr peer;
	mrg_stream_peer(s, &peer);
	out_str(&a->out, mrg_rt_addr_host_str(&peer, text));
}

static void put_request_line(struct access *a, const struct mrg_http_request *r)
{
	if (r == NULL || r->method_text.len == 0) {
		out_str(&a->out, "\"-\"");
		return;
	}
	out_str(&a->out, "\"");
	put_escaped(a, r->method_text);
	out_str(&a->out, " ");
	put_escaped(a, r->target);
	out_str(&a->out, " HTTP/1.");
	out_num(&a->out, r->minor);
	out_str(&a->out, "\"");
}

static void put_field(struct access *a, const struct mrg_http_request *r, enum mrg_http_field id)
{
	const struct mrg_http_field_line *const f = r == NULL ? NULL : mrg_http_request_field(r, id, NULL);
	struct mrg_span value = f == NULL ? (struct mrg_span){ NULL, 0 } : f->value;
	if (value.len > FIELD_MAX)
		value.len = FIELD_MAX;
	out_str(&a->out, " ");
	put_quoted(a, value);
}

void access_line(struct access *a, const struct mrg_http_exchange *x)
{
	const struct mrg_http_request *const r = x->request;
	if (a->out.w.cap - a->out.w.len < LINE_MAX_LEN)
		access_flush(a);
	put_peer(a, x->stream);
	out_str(&a->out, " - -");
	put_time(a, x->unix_s != MRG_HTTP_NO_CLOCK ? x->unix_s : x->now_ns / MRG_RT_SECOND_NS);
	put_request_line(a, r);
	out_str(&a->out, " ");
	out_num(&a->out, x->reply->status);
	out_str(&a->out, " ");
	out_num(&a->out, x->reply->length);
	if (a->kind == ACCESS_COMBINED) {
		put_field(a, r, MRG_HTTP_FIELD_REFERER);
		put_field(a, r, MRG_HTTP_FIELD_USER_AGENT);
	}
	out_str(&a->out, "\n");
}
