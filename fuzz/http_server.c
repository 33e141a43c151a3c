/*
 * http_server.c - the HTTP server on a connection in memory: the input is what the client sends, behind which it ends, or is silent.
 *
 * What the client has to get is found by reading the requests one by one, all at once; the server must come to the same however the
 * input is cut, however the client takes what it gets, and answer each request once.  Heads of responses are read by the tables of the
 * specification, too.
 * Reading order: the handler, what the client has to get, what it got, the ways of cutting.
 */
#include "fuzz/http_server.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz/lines.h"
#include "fuzz/pipe.h"
#include "protocols/http/response.h"
#include "protocols/http/server.h"

extern const struct mrg_fuzz_subject mrg_http_http1_response_fuzz;

enum {
	LEN_MAX = 16384,
	OUT_MAX = 8 << 20,
	CONNS = 2,
	BODY_MAX = 1000,
	LARGE = 20000,
	STOP_AT = 3,
	ANSWERS_MAX = 2000,
	TEXT_MAX = 200
};
enum { OPS = 20000, OPS_OCTET = 150 }; /* of a connection: so many, and for each octet either way */

enum point {
	KINDS, /* a point each */
	NO_REQUEST = KINDS + HTTP_KINDS,
	SEVERAL,
	CUT_HEAD,
	CUT_BODY,
	TO_HEAD,
	OLD,
	OLD_KEPT,
	CHUNKED,
	TRAILER,
	CONTINUE,
	CLOSED_BY_CLIENT,
	CONTENT_TOO_LARGE,
	BAD_HEAD,
	BAD_BODY,
	HELD,
	TIMEOUT,
	TIMEOUT_ANSWERED,
	POINTS
};

static const char *const point_names[POINTS] = { "answer: what was asked", "answer: at once",
	"answer: many octets", "answer: many parts", "answer: none (204)", "answer: and the end",
	"answer: to part of a body", "answer: an error's page", "answer: 500, since a field can't be",
	"no request", "three requests or more", "ends within a head", "ends within a body", "request: HEAD",
	"request: HTTP/1.0", "request: HTTP/1.0, and to be kept", "body: chunked", "body: trailer fields",
	"100 (Continue)", "request: the last one", "413 (Content Too Large)", "a head that is refused",
	"a body that is refused", "an answer had to wait", "silence", "silence: 408 (Request Timeout)" };

/* What one answer must be. */
struct wanted {
	unsigned status;
	bool to_head, expects, page, close; /* page: of an error, whose text is the server's */
	size_t body; /* in own.text, `body_len` octets; of HTTP_LARGE and _PARTS the kind says it */
	size_t body_len;
	enum http_kind kind;
};

/* A request that is being answered. */
struct exchange {
	enum http_kind kind;
	char method[24];
	size_t target_len, body_len;
	uint32_t sum; /* of target and body */
	bool used;
};

struct own {
	bool ready;
	uint8_t *memory, *out[CONNS];
	size_t room;
	struct mrg_arena arena;
	struct mrg_rt_timers timers;
	struct mrg_http_server server;
	struct exchange exchange[CONNS];
	size_t heads, finishes, ends, logs, begun;
	const char *fault; /* of the server, seen by the handler */
	struct wanted want[ANSWERS_MAX];
	size_t want_count;
	bool want_end;     /* the server says that the connection ends */
	bool trailing_100; /* a request that is not answered may have been asked to go on */
	char text[ANSWERS_MAX * TEXT_MAX];
	size_t text_len;
	uint8_t large[LARGE];
	uint8_t reached[POINTS];
};

static void mark(struct own *o, unsigned point, bool reached)
{
	if (reached)
		o->reached[point] = 1;
}

/* ---- what is answered ---- */

static uint32_t add(uint32_t sum, struct mrg_span s)
{
	for (size_t i = 0; i < s.len; i++)
		sum = (sum ^ s.p[i]) * 0x01000193u;
	return sum;
}

static void begin(struct exchange *e, const struct mrg_http_request *r)
{
	*e = (struct exchange){ .kind = r->target.len > 1 ? (enum http_kind)(r->target.p[1] % HTTP_KINDS)
							  : HTTP_ECHO,
		.target_len = r->target.len,
		.sum = add(0x811c9dc5u, r->target),
		.used = true };
	const size_t n = fuzz_least(r->method_text.len, sizeof e->method - 1);
	memcpy(e->method, r->method_text.p, n);
}

/* Some of a body.  False: it is enough. */
static bool take(struct exchange *e, struct mrg_span piece)
{
	if (e->kind == HTTP_STOP && piece.len > STOP_AT - e->body_len)
		piece.len = STOP_AT - e->body_len;
	e->sum = add(e->sum, piece);
	e->body_len += piece.len;
	return e->kind != HTTP_STOP || e->body_len < STOP_AT;
}

static size_t say(const struct exchange *e, char text[TEXT_MAX])
{
	return (size_t)snprintf(text, TEXT_MAX, "%s, target %zu, body %zu, sum %08x\n", e->method,
		e->target_len, e->body_len, (unsigned)e->sum);
}

/* ---- the handler ---- */

static void fault(struct own *o, const char *what)
{
	if (o->fault == NULL)
		o->fault = what;
}

static void answer(struct own *o, const struct exchange *e, struct mrg_http_reply *r)
{
	char text[TEXT_MAX];
	const struct mrg_span said = { (const uint8_t *)text, say(e, text) };
	r->status = MRG_HTTP_STATUS_OK;
	switch (e->kind) {
	case HTTP_LARGE:
		mrg_http_reply_part(r, &(struct mrg_http_part){ .p = o->large, .len = LARGE });
		return;
	case HTTP_PARTS:
		for (size_t i = 0; i < 16; i++)
			mrg_http_reply_part(
				r, &(struct mrg_http_part){ .p = o->large + i, .len = 1 + i * 150 });
		return;
	case HTTP_EMPTY: r->status = MRG_HTTP_STATUS_NO_CONTENT; return;
	case HTTP_ERROR:
		mrg_http_reply_error(r, MRG_HTTP_STATUS_NOT_FOUND, MRG_LITERAL("there is none"));
		return;
	case HTTP_FAULT:
		mrg_http_reply_field(r, MRG_HTTP_FIELD_SERVER, MRG_LITERAL("a\r\nSet-Cookie: b"));
		return;
	default: mrg_http_reply_text(r, said); break;
	}
	r->close = e->kind == HTTP_CLOSE;
}

static bool on_head(void *ctx, struct mrg_http_exchange *x)
{
	struct own *const o = ctx;
	struct exchange *e = o->exchange;
	if (*x->own != NULL || x->request == NULL)
		fault(o, "a head before the last request was over");
	while (e < o->exchange + CONNS - 1 && e->used)
		e++;
	begin(e, x->request);
	o->heads++;
	if (e->kind == HTTP_NOW) {
		answer(o, e, x->reply);
		e->used = false;
		return false;
	}
	*x->own = e;
	o->begun++;
	return true;
}

static bool on_body(void *ctx, struct mrg_http_exchange *x, struct mrg_span piece)
{
	if (*x->own == NULL || piece.len == 0)
		fault(ctx, "a body of no request, or a piece without octets");
	return *x->own == NULL || take(*x->own, piece);
}

static void on_finish(void *ctx, struct mrg_http_exchange *x)
{
	struct own *const o = ctx;
	struct exchange *const e = *x->own;
	if (e == NULL || !e->used) {
		fault(o, "finished twice");
		return;
	}
	answer(o, e, x->reply);
	e->used = false;
	o->finishes++;
}

static void on_end(void *ctx, void *own)
{
	struct own *const o = ctx;
	struct exchange *const e = own;
	if (!e->used)
		fault(o, "ended twice");
	e->used = false;
	o->ends++;
}

static void on_log(void *ctx, const struct mrg_http_exchange *x)
{
	(void)x;
	((struct own *)ctx)->logs++;
}

static uint64_t on_time(void *ctx)
{
	(void)ctx;
	return 1700000000;
}

/* ---- what the client has to get ---- */

static void want(struct own *o, const struct wanted *w)
{
	o->want[o->want_count++] = *w;
	o->want_end = w->close;
}

static void want_page(struct own *o, unsigned status, const struct mrg_http_request *r, bool expects)
{
	want(o, &(struct wanted){ .status = status,
			.page = true,
			.close = true,
			.to_head = r != NULL && r->method == MRG_HTTP_METHOD_HEAD,
			.expects = expects });
}

static void want_answer(
	struct own *o, const struct exchange *e, const struct mrg_http_request *r, bool close, bool expects)
{
	struct wanted w = { .status = MRG_HTTP_STATUS_OK,
		.kind = e->kind,
		.to_head = r->method == MRG_HTTP_METHOD_HEAD,
		.close = close || e->kind == HTTP_CLOSE,
		.expects = expects,
		.body = o->text_len };
	mark(o, KINDS + e->kind, true);
	mark(o, TO_HEAD, w.to_head);
	if (e->kind == HTTP_EMPTY) {
		w.status = MRG_HTTP_STATUS_NO_CONTENT;
	} else if (e->kind == HTTP_ERROR || e->kind == HTTP_FAULT) {
		w.status = e->kind == HTTP_ERROR ? (unsigned)MRG_HTTP_STATUS_NOT_FOUND
						 : (unsigned)MRG_HTTP_STATUS_INTERNAL_SERVER_ERROR;
		w.page = true;
	} else if (e->kind != HTTP_LARGE && e->kind != HTTP_PARTS) {
		w.body_len = say(e, o->text + o->text_len);
		o->text_len += w.body_len;
	}
	want(o, &w);
}

/* What became of a body. */
enum body_end { BODY_WHOLE, BODY_CUT, BODY_ENOUGH, BODY_BAD };

/* Read a body; *at moves behind what was read.  status: of a bad one. */
static enum body_end read_body(struct own *o, const struct mrg_http_request *r, struct exchange *e,
	bool wanted, struct mrg_span in, size_t *at, unsigned *status)
{
	struct mrg_http_body_reader b;
	struct mrg_http_body_got got;
	enum mrg_status st = MRG_MORE;
	mark(o, CHUNKED, r->body == MRG_HTTP_BODY_CHUNKED);
	mrg_http_body_begin(&b, r->body, r->length, BODY_MAX);
	while (st == MRG_MORE && *at < in.len) {
		struct mrg_span rest = { in.p + *at, in.len - *at };
		st = mrg_http_body_next(&b, &rest, &got);
		*at = in.len - rest.len;
		mark(o, TRAILER, got.part_count != 0);
		if (got.octets.len != 0 && wanted && !take(e, got.octets))
			return BODY_ENOUGH;
	}
	*status = st == MRG_E_LIMIT   ? got.code
		  : st == MRG_E_RANGE ? (unsigned)MRG_HTTP_STATUS_CONTENT_TOO_LARGE
				      : (unsigned)MRG_HTTP_STATUS_BAD_REQUEST;
	mark(o, BAD_BODY, st != MRG_END && st != MRG_MORE);
	mark(o, CUT_BODY, st == MRG_MORE);
	return st == MRG_END ? BODY_WHOLE : st == MRG_MORE ? BODY_CUT : BODY_BAD;
}

/* A head that is as it should be, and the body behind it.  False: nothing follows. */
static bool expect_request(struct own *o, const struct mrg_http_request *r, struct mrg_span in, size_t *at)
{
	const bool has_body = r->body == MRG_HTTP_BODY_CHUNKED || r->length != 0;
	const bool last = !r->keep_alive || r->method == MRG_HTTP_METHOD_CONNECT;
	struct exchange e;
	unsigned status = 0;
	mark(o, OLD, r->minor == 0);
	mark(o, OLD_KEPT, r->minor == 0 && !last);
	mark(o, CLOSED_BY_CLIENT, last);
	if (r->body == MRG_HTTP_BODY_LENGTH && r->length > BODY_MAX) {
		mark(o, CONTENT_TOO_LARGE, true);
		want_page(o, MRG_HTTP_STATUS_CONTENT_TOO_LARGE, r, false);
		return false;
	}
	begin(&e, r);
	if (e.kind == HTTP_NOW) {
		want_answer(o, &e, r, last || (has_body && r->expect_continue), false);
		if (o->want_end)
			return false;
		return !has_body || read_body(o, r, &e, false, in, at, &status) == BODY_WHOLE;
	}
	const enum body_end end = has_body ? read_body(o, r, &e, true, in, at, &status) : BODY_WHOLE;
	const bool expects = has_body && r->expect_continue;
	o->trailing_100 = expects && end == BODY_CUT;
	if (end == BODY_CUT)
		return false;
	if (end == BODY_BAD)
		want_page(o, status, r, expects);
	else
		want_answer(o, &e, r, last || end == BODY_ENOUGH, expects);
	return !o->want_end;
}

static void expect(struct own *o, struct mrg_span in)
{
	static struct mrg_http_request r;
	size_t at = 0;
	o->want_count = o->text_len = 0;
	o->want_end = o->trailing_100 = false;
	while (at < in.len && o->want_count < ANSWERS_MAX) {
		size_t len = 0;
		const enum mrg_status st =
			mrg_http_request_read((struct mrg_span){ in.p + at, in.len - at }, &r, &len);
		mark(o, CUT_HEAD, st == MRG_MORE);
		if (st == MRG_MORE)
			break;
		if (st != MRG_OK) {
			mark(o, BAD_HEAD, true);
			want_page(o, r.status, NULL, false);
			break;
		}
		at += len;
		if (!expect_request(o, &r, in, &at))
			break;
	}
	mark(o, NO_REQUEST, o->want_count == 0);
	mark(o, SEVERAL, o->want_count > 2);
}

/* ---- what it got ---- */

struct got {
	struct mrg_span rest;
	unsigned split;
	bool first; /* of the ways of cutting: heads are read by the tables, too, which takes its time */
};

/* The head of a response, by the library and by the tables. */
static bool read_head(
	struct got *g, bool to_head, struct mrg_http_response *r, struct mrg_fuzz_result *result)
{
	struct mrg_fuzz_result by_tables = { .verdict = MRG_FUZZ_REFUSED };
	size_t len = 0;
	const enum mrg_status st = mrg_http_response_read(
		g->rest, to_head ? MRG_HTTP_METHOD_HEAD : MRG_HTTP_METHOD_GET, r, &len);
	if (st != MRG_OK)
		return fuzz_wrong(result, "response", "split %u: a response can't be read: %s: %.*s",
			g->split, mrg_status_str(st), st == MRG_MORE ? 0 : (int)r->why.len,
			(const char *)r->why.p);
	const struct mrg_fuzz_subject *const s = &mrg_http_http1_response_fuzz;
	if (g->first)
		s->run(s->ctx, g->rest.p, len, &by_tables);
	if (g->first && by_tables.verdict != MRG_FUZZ_ACCEPTED)
		return fuzz_wrong(result, "response by the tables",
			"split %u: the tables don't accept a response: %s", g->split,
			by_tables.verdict == MRG_FUZZ_WRONG ? by_tables.why : "");
	g->rest = (struct mrg_span){ g->rest.p + len, g->rest.len - len };
	return true;
}

/* 100 (Continue), for who waits for it. */
static bool skip_interim(struct own *o, struct got *g, bool allowed, struct mrg_fuzz_result *result)
{
	static const char start[] = "HTTP/1.1 1";
	struct mrg_http_response r;
	if (g->rest.len < sizeof start - 1 || memcmp(g->rest.p, start, sizeof start - 1) != 0)
		return true;
	if (!read_head(g, false, &r, result))
		return false;
	mark(o, CONTINUE, true);
	return (allowed && r.status == MRG_HTTP_STATUS_CONTINUE) ||
	       fuzz_wrong(result, "interim", "split %u: %u to a client that does not wait for it", g->split,
		       r.status);
}

static bool check_body(const struct own *o, const struct got *g, const struct wanted *w, size_t len)
{
	if (w->page)
		return true;
	if (w->kind == HTTP_LARGE)
		return len == LARGE && memcmp(g->rest.p, o->large, LARGE) == 0;
	if (w->kind == HTTP_PARTS) {
		size_t at = 0;
		for (size_t i = 0; i < 16 && at + 1 + i * 150 <= len; at += 1 + i * 150, i++)
			if (memcmp(g->rest.p + at, o->large + i, 1 + i * 150) != 0)
				return false;
		return at == len && len == 16 + 150 * 120;
	}
	return len == w->body_len && memcmp(g->rest.p, o->text + w->body, len) == 0;
}

static bool check_answer(struct own *o, struct got *g, size_t i, struct mrg_fuzz_result *result)
{
	static struct mrg_http_response r;
	const struct wanted *const w = &o->want[i];
	const char *const key = "other answers";
	if (!skip_interim(o, g, w->expects, result))
		return false;
	if (g->rest.len == 0)
		return fuzz_wrong(result, key, "split %u: %zu answers of %zu", g->split, i, o->want_count);
	if (!read_head(g, w->to_head, &r, result))
		return false;
	if (r.status != w->status)
		return fuzz_wrong(result, key, "split %u: answer %zu is %u, expected %u", g->split, i,
			r.status, w->status);
	if (r.keep_alive == w->close)
		return fuzz_wrong(result, key, "split %u: answer %zu: it says that the connection %s",
			g->split, i, r.keep_alive ? "stays" : "ends");
	if (r.body != MRG_HTTP_BODY_LENGTH && r.body != MRG_HTTP_BODY_NONE)
		return fuzz_wrong(result, key, "split %u: answer %zu has no length", g->split, i);
	const size_t len = r.body == MRG_HTTP_BODY_LENGTH ? (size_t)r.length : 0;
	if (len > g->rest.len)
		return fuzz_wrong(result, key, "split %u: answer %zu is cut", g->split, i);
	if (!w->to_head && !check_body(o, g, w, len))
		return fuzz_wrong(result, key, "split %u: answer %zu has another body", g->split, i);
	g->rest = (struct mrg_span){ g->rest.p + len, g->rest.len - len };
	return true;
}

static bool check(struct own *o, const struct pipe *p, struct mrg_fuzz_result *result)
{
	static struct mrg_http_response r;
	struct got g = { { p->out, p->out_len }, p->split, p->split == PIPE_WHOLE && !p->silent };
	if (p->misuse != NULL)
		return fuzz_wrong(result, p->misuse, "%s, split %u", p->misuse, p->split);
	if (p->lost)
		return fuzz_wrong(result, "endless answers", "more octets than there is room for");
	for (size_t i = 0; i < o->want_count; i++)
		if (!check_answer(o, &g, i, result))
			return false;
	if (!skip_interim(o, &g, o->trailing_100, result))
		return false;
	if (p->silent && g.rest.len != 0 && !o->want_end) { /* of what did not come in time, in a few words */
		if (!read_head(&g, false, &r, result))
			return false;
		mark(o, TIMEOUT_ANSWERED, true);
		if (r.status != MRG_HTTP_STATUS_REQUEST_TIMEOUT || r.keep_alive)
			return fuzz_wrong(result, "silence", "silence is answered with %u", r.status);
	} else if (g.rest.len != 0) {
		return fuzz_wrong(result, "other answers", "split %u: %zu octets behind the last answer",
			p->split, g.rest.len);
	}
	if (o->want_end && !p->finished)
		return fuzz_wrong(
			result, "not finished", "split %u: the end is said, but not made", p->split);
	return true;
}

static size_t free_of(const struct mrg_rt_pool *pool)
{
	size_t n = pool->left;
	for (void **p = pool->free; p != NULL; p = *p)
		n++;
	return n;
}

/* Nothing may be left, and each request was told of once. */
static bool check_rest(struct own *o, struct mrg_fuzz_result *result)
{
	const struct mrg_http_server *const t = &o->server;
	if (o->fault != NULL)
		return fuzz_wrong(result, o->fault, "the handler was told: %s", o->fault);
	const struct mrg_http_limits *const l = &t->limits;
	if (mrg_http_server_count(t) != 0 || free_of(&t->big) != l->big_count ||
		free_of(&t->outs) != l->out_count || free_of(&t->small) != CONNS ||
		free_of(&t->conns) != CONNS)
		return fuzz_wrong(result, "left behind", "%u connections, %zu, %zu, %zu blocks are free",
			mrg_http_server_count(t), free_of(&t->small), free_of(&t->big), free_of(&t->outs));
	if (o->begun != o->finishes + o->ends)
		return fuzz_wrong(result, "handler", "%zu requests were begun, %zu finished, %zu ended",
			o->begun, o->finishes, o->ends);
	if (o->logs != t->counts.answers)
		return fuzz_wrong(result, "counts", "%zu answers are logged", o->logs);
	return true;
}

/* ---- the ways of cutting ---- */

static const struct mrg_http_limits limits = { .conn_count = CONNS,
	.big_count = CONNS,
	.out_count = CONNS,
	.body_max = BODY_MAX,
	.idle_ns = 60 * MRG_RT_SECOND_NS,
	.head_ns = 10 * MRG_RT_SECOND_NS,
	.body_ns = 20 * MRG_RT_SECOND_NS,
	.send_ns = 30 * MRG_RT_SECOND_NS,
	.linger_ns = 2 * MRG_RT_SECOND_NS,
	.slow_octets = 1000 };

static void open_own(struct own *o)
{
	o->room = mrg_http_server_memory(&limits);
	o->memory = calloc(1, o->room);
	for (unsigned i = 0; i < CONNS; i++)
		o->out[i] = malloc(OUT_MAX);
	if (o->memory == NULL || o->out[0] == NULL || o->out[1] == NULL)
		abort();
	for (size_t i = 0; i < LARGE; i++)
		o->large[i] = (uint8_t)(i * 7 + i / 251);
	o->ready = true;
}

static void reset(struct own *o, const struct mrg_http_limits *with)
{
	const struct mrg_http_handler handler = { .ctx = o,
		.head = on_head,
		.body = on_body,
		.finish = on_finish,
		.end = on_end,
		.log = on_log,
		.unix_s = on_time };
	o->arena = (struct mrg_arena){ .p = o->memory, .cap = o->room };
	o->timers = (struct mrg_rt_timers){ .top = NULL };
	o->heads = o->finishes = o->ends = o->logs = o->begun = 0;
	o->fault = NULL;
	memset(o->exchange, 0, sizeof o->exchange);
	if (mrg_http_server_init(&o->server, &o->arena, &o->timers, with, &handler) != MRG_OK)
		abort();
}

static bool run_split(struct own *o, struct mrg_span in, enum pipe_split split, size_t conns, bool silent,
	struct mrg_fuzz_result *result)
{
	struct pipe p[CONNS];
	struct mrg_rng rng = fuzz_rng_of(in.p, in.len);
	uint64_t now_ns = 5, most = 4000 + 64 * (uint64_t)in.len + 64 * (uint64_t)o->want_count * LARGE;
	reset(o, &limits);
	fuzz_ops = 0;
	for (size_t i = 0; i < conns; i++) {
		pipe_open(&p[i], in.p, in.len, split, (struct mrg_rng){ mrg_rng_next(&rng) | 1u }, o->out[i],
			OUT_MAX);
		p[i].silent = silent;
		if (!o->server.user.open(o->server.user.ctx, &p[i].stream, now_ns))
			return fuzz_wrong(result, "refused", "a connection is refused");
	}
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < conns; i++) {
			more = pipe_step(&p[i], &o->server.user, now_ns) || more;
			mark(o, HELD, !p[i].closed && p[i].want == MRG_STREAM_WRITABLE);
		}
		if (most-- == 0)
			return fuzz_wrong(result, "endless", "split %u: it does not end", split);
	}
	size_t octets = conns * in.len;
	for (size_t i = 0; i < conns; i++)
		octets += p[i].out_len;
	if (!fuzz_linear(result, OPS, OPS_OCTET, octets))
		return false;
	for (size_t i = 0; i < conns; i++) {
		mark(o, TIMEOUT, silent && !p[i].closed);
		if (silent ? !pipe_wait(&p[i], &o->timers, &now_ns) : !p[i].closed)
			return fuzz_wrong(
				result, "not closed", "split %u: connection %zu is not closed", split, i);
		if (!check(o, &p[i], result))
			return false;
	}
	return check_rest(o, result);
}

/* Connections break, there are fewer blocks than they need, and the server ends at some time: all that was begun ends, and nothing is left. */
static bool run_rough(struct own *o, struct mrg_span in, struct mrg_fuzz_result *result)
{
	enum { STEPS = 2000 };
	struct pipe p[CONNS];
	struct mrg_rng rng = fuzz_rng_of(in.p, in.len);
	struct mrg_http_limits few = limits;
	const uint64_t ends_at = mrg_rng_below(&rng, 200);
	uint64_t now_ns = 5;
	few.big_count = (uint32_t)mrg_rng_below(&rng, 2);
	few.out_count = (uint32_t)mrg_rng_below(&rng, 2);
	reset(o, &few);
	for (size_t i = 0; i < CONNS; i++) {
		pipe_open(&p[i], in.p, in.len, PIPE_ROUGH, (struct mrg_rng){ mrg_rng_next(&rng) | 1u },
			o->out[i], OUT_MAX);
		p[i].silent = true;
		if (!o->server.user.open(o->server.user.ctx, &p[i].stream, now_ns))
			return fuzz_wrong(result, "refused", "a connection is refused");
	}
	bool more = true;
	for (uint64_t step = 0; step < STEPS && more; step++) {
		more = step <= ends_at;
		if (step == ends_at)
			mrg_http_server_drain(&o->server, now_ns);
		for (size_t i = 0; i < CONNS; i++)
			more = pipe_step(&p[i], &o->server.user, now_ns) || more;
	}
	for (size_t i = 0; i < CONNS; i++) {
		if (!pipe_wait(&p[i], &o->timers, &now_ns))
			return fuzz_wrong(
				result, "not closed", "connection %zu is not closed when the server ends", i);
		if (p[i].misuse != NULL)
			return fuzz_wrong(result, p[i].misuse, "%s, split %u", p[i].misuse, PIPE_ROUGH);
	}
	return check_rest(o, result);
}

static void run(void *ctx, const uint8_t *octets, size_t len, struct mrg_fuzz_result *result)
{
	enum { OCTETS_MAX = 600 };
	struct own *const o = ctx;
	const struct mrg_span in = { octets, len };
	if (!o->ready)
		open_own(o);
	expect(o, in);
	result->verdict = o->want_count != 0 && o->want[o->want_count - 1].status < 400 ? MRG_FUZZ_ACCEPTED
											: MRG_FUZZ_REFUSED;
	if (run_split(o, in, PIPE_WHOLE, 1, false, result) && run_split(o, in, PIPE_WHOLE, 1, true, result) &&
		(len > OCTETS_MAX || run_split(o, in, PIPE_OCTETS, 1, false, result)) &&
		run_split(o, in, PIPE_PIECES, CONNS, false, result))
		(void)(run_split(o, in, PIPE_SLOW, CONNS, false, result) && run_rough(o, in, result));
}

/* ---- the subject ---- */

static size_t make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	(void)ctx;
	return http_requests_make(rng, out, cap);
}

static size_t mutate(void *ctx, struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,
	size_t other_len, uint8_t *out, size_t cap)
{
	(void)ctx;
	return http_requests_change(rng, in, len, other, other_len, out, cap);
}

static size_t smaller(void *ctx, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
	(void)ctx;
	return lines_smaller(i, in, len, out, cap);
}

static void show(void *ctx, const uint8_t *in, size_t len, FILE *to)
{
	(void)ctx;
	for (size_t i = 0; i < len; i++) {
		if ((in[i] >= 0x20 && in[i] < 0x7f && in[i] != '\\') || in[i] == '\n')
			(void)fputc(in[i], to);
		else
			(void)fprintf(to, in[i] == '\r' ? "\\r" : "\\x%02x", in[i]);
	}
	(void)fputc('\n', to);
}

FUZZ_POINT_NAMES(point_names)
static struct own of_requests;
FUZZ_SUBJECT(http_server_requests, "http.server.requests", of_requests, LEN_MAX, POINTS);
