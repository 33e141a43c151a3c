/*
 * bench/libs/http.c - request heads: what is generated from specs/http beside http_parser.
 *
 * With the library, which chooses, and compiled for SSSE3 and AVX2 (bench/rules.mk), as whoever uses the generated C would.  Shapes: a, a request of 703
 * octets with 9 fields; b, one of 40 octets; c, a browser's, of 1,159 octets with 19 fields; d, 128 different ones in rotation,
 * which shows the mispredictions that the others hide.
 */
#include "bench/util.h"

#include <http_parser.h>
#include <stdlib.h>
#include <string.h>

#include "http/message.h"
#include "protocols/http/request.h"

enum {
	FIELDS_MAX = 64,
	DIFFERENT = 128,     /* requests of shape d */
	REQUESTS_MAX = 1024, /* of a pass: so many that the clock does not count */
	OCTETS_MAX = 2048,
	CAPTURES_MAX = 4 + 2 * FIELDS_MAX
};

/* What every parser must find. */
struct request {
	struct mrg_span method, target, name[FIELDS_MAX], value[FIELDS_MAX];
	unsigned minor;
	size_t fields;
};

struct shape {
	const char *name;
	struct bench_msg m[REQUESTS_MAX];
	size_t count;
	/* where the results go */
	struct mrg_capture captures[CAPTURES_MAX];
	struct mrg_part parts[CAPTURES_MAX];
	struct request request;
	struct mrg_http_request judged;
};

/* --- requests ------------------------------------------------------------------------------------- */

struct text {
	char b[OCTETS_MAX];
	size_t len;
};

static void put(struct text *t, const char *s)
{
	const size_t n = strlen(s);
	if (t->len + n > sizeof t->b)
		bench_die("a request that is too long");
	memcpy(t->b + t->len, s, n);
	t->len += n;
}

/* Letters, digits and some signs, so many and always the same. */
static void put_filler(struct text *t, size_t n, unsigned seed)
{
	static const char signs[] = "abcdefghijklmnopqrstuvwxyz0123456789-._=;, ";
	if (t->len + n > sizeof t->b)
		bench_die("a request that is too long");
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1103515245u + 12345u;
		const bool edge = i == 0 || i + 1 == n; /* no blank there: it would be no part of a value */
		t->b[t->len++] = signs[(seed >> 16) % (sizeof signs - (edge ? 2u : 1u))];
	}
}

/* Where a value has rules, one by them. */
static void put_field(struct text *t, const char *name, size_t value, unsigned seed)
{
	put(t, name);
	put(t, ": ");
	if (strcmp(name, "Connection") == 0)
		put(t, "keep-alive");
	else if (strcmp(name, "Host") == 0)
		for (size_t i = 0; i < value; i++)
			put(t, i % 5 == 3 && i + 1 < value ? "." : "w");
	else
		put_filler(t, value, seed);
	put(t, "\r\n");
}

static const char *const names[] = { "Host", "User-Agent", "Connection", "Accept-Language", "Accept-Encoding",
	"Accept", "Cookie", "Referer", "Cache-Control", "Pragma", "Upgrade-Insecure-Requests",
	"Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User", "DNT", "If-None-Match",
	"If-Modified-Since", "Priority" };

/* A request of exactly `size` octets with so many fields: the first of `names`, the sixth (or last) as long as it takes. */
static struct bench_msg make(size_t size, size_t fields, size_t target, unsigned seed)
{
	static const size_t lengths[] = { 15, 75, 10, 16, 17, 50, 60, 40, 9, 8, 1, 8, 8, 4, 2, 1, 20, 29, 7 };
	struct text t = { .len = 0 };
	const size_t last = fields - 1;
	put(&t, "GET /");
	for (size_t i = 1; i < target; i++)
		t.b[t.len++] = "abcdefgh/kl-mn0123"[(i * 7u + seed) % 18u];
	put(&t, " HTTP/1.1\r\n");
	for (size_t i = 0; i < last; i++)
		put_field(&t, names[i], lengths[i], seed + (unsigned)i);
	const size_t rest = strlen(names[last]) + sizeof ": \r\n\r\n" - 1;
	if (t.len + rest >= size)
		bench_die("no room for the last field of a request of %zu octets", size);
	put_field(&t, names[last], size - t.len - rest, seed);
	put(&t, "\r\n");
	uint8_t *const p = bench_alloc(t.len);
	memcpy(p, t.b, t.len);
	return (struct bench_msg){ p, t.len };
}

/* A pass of requests, `different` of them in rotation. */
static void repeat(struct shape *s, const char *name, size_t different)
{
	s->name = name;
	for (s->count = different; s->count < REQUESTS_MAX; s->count++)
		s->m[s->count] = s->m[s->count - different];
}

static void make_shapes(struct shape *s)
{
	s[0].m[0] = make(703, 9, 60, 1);
	repeat(&s[0], "a", 1);
	s[1].m[0] = make(40, 1, 1, 2);
	repeat(&s[1], "b", 1);
	s[2].m[0] = make(1159, 19, 40, 3);
	repeat(&s[2], "c", 1);
	for (unsigned i = 0; i < DIFFERENT; i++)
		s[3].m[i] = make(480 + i * 613u % 331u, 4 + i * 37u % 7u, 1 + i * 29u % 60u, i + 4u);
	repeat(&s[3], "d", DIFFERENT);
}

/* --- ours ------------------------------------------------------------------------------------------- */

static size_t read_one(struct shape *s, const struct bench_msg *m)
{
	size_t count, len;
	unsigned code;
	if (mrg_http_http1_request_read((struct mrg_span){ m->p, m->len }, s->captures, CAPTURES_MAX, &count,
		    &len, &code) != MRG_OK)
		bench_die("%s: refused at %zu", s->name, len);
	return count;
}

static void read_all(void *ctx)
{
	struct shape *const s = ctx;
	for (size_t i = 0; i < s->count; i++)
		bench_keep(read_one(s, &s->m[i]));
}

static void feed_all(void *ctx)
{
	struct shape *const s = ctx;
	for (size_t i = 0; i < s->count; i++) {
		struct mrg_http_http1_request_stream stream;
		struct mrg_span in = { s->m[i].p, s->m[i].len };
		size_t count;
		mrg_http_http1_request_begin(&stream);
		if (mrg_http_http1_request_feed(&stream, &in, s->parts, CAPTURES_MAX, &count) != MRG_OK)
			bench_die("%s: refused with %zu to go", s->name, in.len);
		bench_keep(count);
	}
}

/* Held against the rules too: target, Host, framing, what each field is. */
static void judge_all(void *ctx)
{
	struct shape *const s = ctx;
	for (size_t i = 0; i < s->count; i++) {
		size_t len;
		if (mrg_http_request_read((struct mrg_span){ s->m[i].p, s->m[i].len }, &s->judged, &len) !=
			MRG_OK)
			bench_die("%s: %.*s", s->name, (int)s->judged.why.len, (const char *)s->judged.why.p);
		bench_keep(s->judged.count);
	}
}

static void request_of(const struct mrg_capture *c, size_t count, struct request *out)
{
	*out = (struct request){ .fields = 0 };
	for (size_t i = 0; i < count; i++) {
		const struct mrg_span span = { c[i].p, c[i].len };
		switch (c[i].what) {
		case MRG_HTTP_HTTP1_REQUEST_METHOD: out->method = span; break;
		case MRG_HTTP_HTTP1_REQUEST_TARGET: out->target = span; break;
		case MRG_HTTP_HTTP1_REQUEST_MINOR: out->minor = *span.p - '0'; break;
		case MRG_HTTP_HTTP1_REQUEST_NAME: out->name[out->fields++] = span; break;
		case MRG_HTTP_HTTP1_REQUEST_VALUE: out->value[out->fields - 1] = span; break;
		default: break;
		}
	}
}

/* --- http_parser -------------------------------------------------------------------------------------- */

static struct mrg_span span_of(const char *p, size_t len)
{
	return (struct mrg_span){ (const uint8_t *)(const void *)p, len };
}

static int on_url(http_parser *p, const char *at, size_t len)
{
	((struct request *)p->data)->target = span_of(at, len);
	return 0;
}

static int on_field(http_parser *p, const char *at, size_t len)
{
	struct request *const r = p->data;
	r->name[r->fields] = span_of(at, len);
	return 0;
}

static int on_value(http_parser *p, const char *at, size_t len)
{
	struct request *const r = p->data;
	r->value[r->fields++] = span_of(at, len);
	return 0;
}

static void peer_one(struct shape *s, const struct bench_msg *m)
{
	static const http_parser_settings settings = {
		.on_url = on_url, .on_header_field = on_field, .on_header_value = on_value
	};
	http_parser p;
	http_parser_init(&p, HTTP_REQUEST);
	p.data = &s->request;
	s->request.fields = 0;
	if (http_parser_execute(&p, &settings, (const char *)(const void *)m->p, m->len) != m->len)
		bench_die("%s: http_parser refuses it", s->name);
	const char *const method = http_method_str((enum http_method)p.method);
	s->request.method = span_of(method, strlen(method));
	s->request.minor = p.http_minor;
}

static void peer_all(void *ctx)
{
	struct shape *const s = ctx;
	for (size_t i = 0; i < s->count; i++) {
		peer_one(s, &s->m[i]);
		bench_keep(s->request.fields);
	}
}

/* --- both ----------------------------------------------------------------------------------------------- */

static void must_agree(struct shape *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct request mine;
		request_of(s->captures, read_one(s, &s->m[i]), &mine);
		peer_one(s, &s->m[i]);
		const struct request *const theirs = &s->request;
		bool same = mrg_span_eq(mine.method, theirs->method) &&
			    mrg_span_eq(mine.target, theirs->target) && mine.minor == theirs->minor &&
			    mine.fields == theirs->fields;
		for (size_t k = 0; same && k < mine.fields; k++)
			same = mrg_span_eq(mine.name[k], theirs->name[k]) &&
			       mrg_span_eq(mine.value[k], theirs->value[k]);
		if (!same)
			bench_die("%s: the two read request %zu differently", s->name, i);
	}
}

int main(int argc, char **argv)
{
	static struct shape shapes[4];
	if (argc != 2)
		bench_die("usage: http MILLISECONDS");
	make_shapes(shapes);
	for (size_t i = 0; i < 4; i++) {
		struct shape *const s = &shapes[i];
		const unsigned ms = (unsigned)atoi(argv[1]);
		char what[32];
		must_agree(s);
		(void)snprintf(what, sizeof what, "%s read", s->name);
		bench_result(what, bench_time(read_all, s, s->count, ms));
		(void)snprintf(what, sizeof what, "%s feed", s->name);
		bench_result(what, bench_time(feed_all, s, s->count, ms));
		(void)snprintf(what, sizeof what, "%s judge", s->name);
		bench_result(what, bench_time(judge_all, s, s->count, ms));
		(void)snprintf(what, sizeof what, "%s peer", s->name);
		bench_result(what, bench_time(peer_all, s, s->count, ms));
	}
	return 0;
}
