/* For tests of protocols/http: see echo.h. */
#include "echo.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"

char echo_events[1 << 20];
struct tree echo_tree;
unsigned echo_pieces;

static size_t events_len;
static unsigned began, ended;

/* A request whose body is being taken. */
struct exchange {
	char target[100];
	uint8_t *body;
	size_t len, cap;
};

/* Octets that must outlive the answers they are in. */
struct kept {
	struct kept *next;
	char octets[];
};
static struct kept *kept;

static char *keep(size_t len)
{
	struct kept *const k = malloc(sizeof *k + len);
	k->next = kept;
	kept = k;
	return k->octets;
}

static void tell(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	events_len +=
		(size_t)vsnprintf(echo_events + events_len, sizeof echo_events - events_len, format, ap);
	va_end(ap);
	MUST(events_len < sizeof echo_events);
}

/* ---- answers ---- */

static void put_hidden(struct mrg_http_reply *r, size_t len, bool hidden)
{
	struct mrg_rt_file *file;
	char *const path = keep(40);
	snprintf(path, 40, "%zu-%u", len, echo_tree.opened);
	echo_tree.count = 0;
	tree_add(&echo_tree, path, pattern(len))->hidden = hidden;
	MUST(mrg_rt_tree_open(&echo_tree.tree, text_of(path), 0, &file) == MRG_RT_FILE);
	mrg_http_reply_file(r, &echo_tree.tree, file, 0, len);
}

static void put_parts(struct mrg_http_reply *r, size_t count)
{
	for (size_t i = 0; i < count; i++)
		switch (i % 4) {
		case 0: mrg_http_reply_text(r, pattern(i + 1)); break;
		case 1: put_hidden(r, i + 1, true); break;
		case 2:
			mrg_http_reply_part(
				r, &(struct mrg_http_part){ .p = pattern(3000 + i).p, .len = 3000 + i });
			break;
		case 3: put_hidden(r, i + 1, false); break;
		}
}

static void put_pieces(struct mrg_http_reply *r, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mrg_http_reply_part(r, &(struct mrg_http_part){ .p = pattern(2000).p, .len = 2000 });
}

static void put_value(struct mrg_http_reply *r, size_t len)
{
	mrg_http_reply_field(r, MRG_HTTP_FIELD_SERVER, pattern(len));
}

static void put_echo(struct mrg_http_reply *r, const struct exchange *e)
{
	char *const text = keep(200 + e->len);
	const int n = sprintf(text, "%s %zu:", e->target, e->len);
	if (e->len != 0)
		memcpy(text + n, e->body, e->len);
	mrg_http_reply_part(
		r, &(struct mrg_http_part){ .p = (const uint8_t *)text, .len = (size_t)n + e->len });
}

static void answer(struct mrg_http_reply *r, const struct exchange *e)
{
	unsigned n = 0;
	if (sscanf(e->target, "/text/%u", &n) == 1)
		mrg_http_reply_text(r, pattern(n));
	else if (sscanf(e->target, "/memory/%u", &n) == 1)
		mrg_http_reply_part(r, &(struct mrg_http_part){ .p = pattern(n).p, .len = n });
	else if (sscanf(e->target, "/hidden/%u", &n) == 1 || sscanf(e->target, "/visible/%u", &n) == 1)
		put_hidden(r, n, e->target[1] == 'h');
	else if (sscanf(e->target, "/parts/%u", &n) == 1)
		put_parts(r, n);
	else if (sscanf(e->target, "/pieces/%u", &n) == 1)
		put_pieces(r, n);
	else if (sscanf(e->target, "/fields/%u", &n) == 1)
		put_value(r, n);
	else if (strncmp(e->target, "/line", 5) == 0)
		mrg_http_reply_field(r, MRG_HTTP_FIELD_SERVER, MRG_LITERAL("a\r\nSet-Cookie: b"));
	else if (sscanf(e->target, "/status/%u", &n) == 1)
		r->status = n;
	else if (sscanf(e->target, "/bodied/%u", &n) == 1) {
		r->status = n;
		put_parts(r, 8);
	} else
		put_echo(r, e);
	r->close = strncmp(e->target, "/close", 6) == 0;
}

/* ---- what the server calls ---- */

static void set_target(struct exchange *e, const struct mrg_http_request *r)
{
	snprintf(e->target, sizeof e->target, "%.*s", (int)r->target.len, (const char *)r->target.p);
}

static bool head(void *ctx, struct mrg_http_exchange *x)
{
	const struct mrg_http_request *const r = x->request;
	MUST(ctx == &echo_events);
	MUST(*x->own == NULL);
	MUST(x->reply->status == 200);
	MUST(x->reply->part_count == 0);
	tell("head %.*s ", (int)r->method_text.len, (const char *)r->method_text.p);
	tell("%.*s | ", (int)r->target.len, (const char *)r->target.p);
	if (mrg_span_eq(r->query, MRG_LITERAL("now"))) {
		struct exchange e = { .body = NULL };
		set_target(&e, r);
		answer(x->reply, &e);
		if (strncmp(e.target, "/own", 4) == 0)
			*x->own = &kept;
		return false;
	}
	struct exchange *const e = calloc(1, sizeof *e);
	set_target(e, r);
	began++;
	*x->own = e;
	return true;
}

static bool body(void *ctx, struct mrg_http_exchange *x, struct mrg_span piece)
{
	struct exchange *const e = *x->own;
	unsigned most = 0;
	MUST(ctx == &echo_events);
	MUST(e != NULL);
	MUST(piece.len != 0);
	echo_pieces++;
	const bool limited = sscanf(e->target, "/stop/%u", &most) == 1;
	if (limited && piece.len > most - e->len)
		piece.len = most - e->len;
	grow(&e->body, &e->cap, e->len + piece.len);
	memcpy(e->body + e->len, piece.p, piece.len);
	e->len += piece.len;
	return !limited || e->len < most;
}

static void leave(struct exchange *e, const char *how)
{
	tell("%s %zu:%.*s | ", how, e->len, (int)(e->len < 300 ? e->len : 300), (const char *)e->body);
	ended++;
	free(e->body);
	free(e);
}

static void finish(void *ctx, struct mrg_http_exchange *x)
{
	MUST(ctx == &echo_events);
	answer(x->reply, *x->own);
	leave(*x->own, "finish");
}

static void end(void *ctx, void *own)
{
	MUST(ctx == &echo_events);
	leave(own, "end");
}

static void log_it(void *ctx, const struct mrg_http_exchange *x)
{
	MUST(ctx == &echo_events);
	tell("log %u | ", x->reply->status);
}

static uint64_t unix_s(void *ctx)
{
	MUST(ctx == &echo_events);
	return 1700000000;
}

const struct mrg_http_handler echo = { .ctx = &echo_events,
	.head = head,
	.body = body,
	.finish = finish,
	.end = end,
	.log = log_it,
	.unix_s = unix_s };

void echo_forget(void)
{
	events_len = 0;
	echo_events[0] = 0;
}

void echo_start(void)
{
	tree_init(&echo_tree);
	echo_forget();
	began = ended = echo_pieces = 0;
}

void echo_stop(void)
{
	MUST(began == ended);
	MUST(echo_tree.opened == echo_tree.closed);
	while (kept != NULL) {
		struct kept *const k = kept;
		kept = k->next;
		free(k);
	}
}
