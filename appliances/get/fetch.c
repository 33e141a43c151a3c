/*
 * One URL after the other.
 * Reading order: how it ends, answers, requests, connections, the next URL, fetch_all.
 */
#include <stdio.h>
#include <string.h>

#include "appliances/get/get.h"
#include "protocols/http/url.h"

enum {
	TARGET_MAX = 8 << 10,
	OWN_FIELDS = 2,   /* User-Agent, Accept */
	REASON_MAX = 40,  /* octets of a reason that are said */
	ADDRESSES_MAX = 2 /* that one name stands for */
};

struct fetch {
	const struct options *o;
	struct output out;
	struct mrg_unix_loop loop;
	struct mrg_http_client client;
	struct mrg_unix_connect attempt;
	struct mrg_rt_timer whole; /* --max-time */
	size_t index;              /* of the URL */
	struct mrg_http_url url;
	struct mrg_rt_addr addresses[ADDRESSES_MAX], server; /* server: of the connection */
	size_t address_count, address_next;
	int address_err; /* of the last that was tried */
	struct mrg_http_client_request request;
	struct mrg_http_field_line fields[FIELDS_MAX + OWN_FIELDS];
	uint8_t target[TARGET_MAX];
	bool data_given;
	bool reused;  /* the connection has carried an answer already */
	bool waiting; /* a request waits for the connection before it to end */
	bool over, failed_already;
	int code;
};

/* ---- how it ends ---- */

static const char *url_text(const struct fetch *f) { return f->o->urls[f->index]; }

static void fail(struct fetch *f, int code, const char *what, int err)
{
	if (!f->failed_already)
		complain(url_text(f), what, err);
	f->failed_already = f->over = true;
	f->waiting = false;
	f->code = code;
}

/* What is wrong was said elsewhere. */
static void fail_silently(struct fetch *f, int code)
{
	f->failed_already = true;
	fail(f, code, "", 0);
}

static void fail_span(struct fetch *f, int code, struct mrg_span what)
{
	char text[200];
	(void)snprintf(text, sizeof text, "%.*s", (int)what.len, (const char *)what.p);
	fail(f, code, text, 0);
}

static void too_late(struct mrg_rt_timer *t, uint64_t now_ns)
{
	struct fetch *const f = (struct fetch *)(void *)((char *)t - offsetof(struct fetch, whole));
	(void)now_ns;
	fail(f, TIME, "not done within --max-time", 0);
	mrg_http_client_close(&f->client);
}

/* ---- answers ---- */

/* The server's words, of which a terminal gets nothing but visible octets. */
static void say_status(const struct fetch *f, const struct mrg_http_response *p)
{
	char what[64];
	const int len = (int)(p->reason.len < REASON_MAX ? p->reason.len : REASON_MAX);
	const int n = snprintf(what, sizeof what, "status %u%s%.*s", p->status, len != 0 ? " " : "", len,
		len != 0 ? (const char *)p->reason.p : "");
	for (int i = 0; i < n; i++)
		if (what[i] < ' ' || what[i] > '~')
			what[i] = '?';
	complain(url_text(f), what, 0);
}

static bool on_head(void *ctx, struct mrg_http_client_request *r, const struct mrg_http_response *p)
{
	struct fetch *const f = ctx;
	(void)r;
	/* RFC 9110 15: a status of no class is a server's error */
	if (p->status >= 400 || p->status < 200) {
		say_status(f, p);
		f->code = STATUS;
	}
	if (!f->o->with_head && !f->o->only_head)
		return true;
	if (!output_head(&f->out, p))
		fail_silently(f, SYSTEM);
	return !f->over;
}

static bool on_body(void *ctx, struct mrg_http_client_request *r, struct mrg_span piece)
{
	struct fetch *const f = ctx;
	(void)r;
	if (!output_octets(&f->out, piece))
		fail_silently(f, SYSTEM);
	return !f->over;
}

/* ---- requests ---- */

static enum mrg_io on_source(void *ctx, struct mrg_http_client_request *r, struct mrg_span *piece)
{
	struct fetch *const f = ctx;
	(void)r;
	if (f->data_given)
		return MRG_IO_EOF;
	f->data_given = true;
	*piece = (struct mrg_span){ f->o->data.p, f->o->data.len };
	return MRG_IO_OK;
}

static struct mrg_span text_span(const char *s) { return (struct mrg_span){ (const uint8_t *)s, strlen(s) }; }

static bool has_field(const struct options *o, struct mrg_span name)
{
	for (size_t i = 0; i < o->field_count; i++)
		if (mrg_span_eq_nocase(o->fields[i].name, name))
			return true;
	return false;
}

static size_t put_fields(struct fetch *f)
{
	static const struct {
		const char *name, *value;
	} own[OWN_FIELDS] = { { "User-Agent", "mrg-get/" GET_VERSION }, { "Accept", "*/*" } };
	size_t n = 0;
	for (size_t i = 0; i < OWN_FIELDS; i++)
		if (!has_field(f->o, text_span(own[i].name)))
			f->fields[n++] = (struct mrg_http_field_line){ .name = text_span(own[i].name),
				.value = text_span(own[i].value) };
	for (size_t i = 0; i < f->o->field_count; i++)
		f->fields[n++] = f->o->fields[i];
	return n;
}

static void make_request(struct fetch *f)
{
	const struct options *const o = f->o;
	struct mrg_http_client_request *const r = &f->request;
	struct mrg_w w;
	mrg_w_init(&w, f->target, sizeof f->target);
	mrg_http_url_target_put(&w, &f->url);
	const char *const method = o->only_head ? "HEAD" : o->has_data ? "POST" : "GET";
	r->method = text_span(o->method != NULL ? o->method : method);
	r->target = w.st == MRG_OK ? mrg_w_span(&w, 0) : MRG_LITERAL("");
	r->host = o->host.p != NULL ? o->host : f->url.authority;
	r->fields = f->fields;
	r->field_count = put_fields(f);
	r->body = o->has_data ? MRG_HTTP_BODY_LENGTH : MRG_HTTP_BODY_NONE;
	r->length = o->data.len;
	r->old = o->old;
	r->close = f->index + 1 == o->url_count; /* RFC 9112 9.6 */
	f->data_given = false;
}

/* false: the connection takes no more requests. */
static bool add_request(struct fetch *f)
{
	const enum mrg_status st = mrg_http_client_add(&f->client, &f->request);
	if (st < 0) {
		fail_span(f, USAGE, f->request.why);
		mrg_http_client_close(&f->client);
	}
	return st != MRG_END;
}

/* ---- connections ---- */

static void try_address(struct fetch *f)
{
	while (f->address_next < f->address_count) {
		f->address_err = mrg_unix_connect(&f->attempt, &f->loop, &f->addresses[f->address_next++]);
		if (f->address_err == 0)
			return;
	}
	mrg_http_client_unreachable(&f->client);
}

static void on_failure(struct mrg_unix_connect *t, int err, uint64_t now_ns)
{
	struct fetch *const f = (struct fetch *)(void *)((char *)t - offsetof(struct fetch, attempt));
	(void)now_ns;
	f->address_err = err;
	try_address(f);
}

static void connect_anew(struct fetch *f)
{
	f->waiting = f->reused = false;
	f->address_next = 0;
	f->server = f->addresses[0];
	mrg_http_client_begin(&f->client, f->loop.now_ns);
	if (!add_request(f)) /* a client that has just begun takes one */
		fail(f, SYSTEM, "no connection", 0);
	if (!f->over)
		try_address(f);
}

static struct mrg_rt_addr loopback(uint8_t family, uint16_t port)
{
	struct mrg_rt_addr a = { .family = family, .port = port };
	if (!mrg_rt_addr_read(family == 4 ? "127.0.0.1" : "[::1]", port, &a))
		a.family = 0;
	return a;
}

/* Where to connect to. RFC 6761 6.3: localhost is this machine, whoever may say something else. */
static bool find_addresses(struct fetch *f)
{
	char text[MRG_RT_ADDR_TEXT_MAX];
	const struct mrg_http_url *const u = &f->url;
	f->address_count = 1;
	if (f->o->at.family != 0) {
		f->addresses[0] = f->o->at;
		if (f->o->at.port == 0)
			f->addresses[0].port = u->port;
		return true;
	}
	if (mrg_span_eq_nocase(u->host, MRG_LITERAL("localhost"))) {
		f->addresses[0] = loopback(4, u->port);
		f->addresses[1] = loopback(6, u->port);
		f->address_count = 2;
		return true;
	}
	(void)snprintf(text, sizeof text, "%.*s", (int)(u->host.len < sizeof text ? u->host.len : 0),
		(const char *)u->host.p);
	if (mrg_rt_addr_read(text, u->port, &f->addresses[0]))
		return true;
	fail(f, USAGE, "the host is no address; say where it is with --at", 0);
	return false;
}

/* ---- the next URL ---- */

static bool read_url(struct fetch *f)
{
	const char *const text = url_text(f);
	/* a fragment is not sent (RFC 9110 7.1) */
	if (mrg_http_url_read((struct mrg_span){ (const uint8_t *)text, strcspn(text, "#") }, &f->url) !=
		MRG_OK) {
		fail_span(f, USAGE, f->url.why);
		return false;
	}
	if (mrg_span_eq_nocase(f->url.scheme, MRG_LITERAL("http")))
		return true;
	fail(f, USAGE, "only http URLs can be fetched", 0);
	return false;
}

/* On the connection that there is if it leads there; else on one of its own, when that has ended. */
static void fetch_url(struct fetch *f)
{
	if (!read_url(f) || !find_addresses(f)) {
		mrg_http_client_close(&f->client);
		return;
	}
	make_request(f);
	f->reused = true;
	if (mrg_http_client_open(&f->client) && mrg_rt_addr_same(&f->addresses[0], &f->server) &&
		add_request(f))
		return;
	f->waiting = !f->over;
	if (mrg_http_client_open(&f->client))
		mrg_http_client_close(&f->client);
}

static int code_of(enum mrg_http_client_error e)
{
	switch (e) {
	case MRG_HTTP_CLIENT_UNREACHABLE: return CONNECTION;
	case MRG_HTTP_CLIENT_TIMEOUT: return TIME;
	default: return ANSWER;
	}
}

/* RFC 9112 9.3.1: a connection that was kept may have been ended by the server just then; what is safe may be asked again. */
static bool may_repeat(const struct fetch *f, const struct mrg_http_client_end *end)
{
	const enum mrg_http_method m = f->request.known_method;
	const bool safe =
		m == MRG_HTTP_METHOD_GET || m == MRG_HTTP_METHOD_HEAD || m == MRG_HTTP_METHOD_OPTIONS;
	return end->error == MRG_HTTP_CLIENT_UNANSWERED && f->reused && (safe || !end->sent);
}

static void on_done(void *ctx, struct mrg_http_client_request *r, const struct mrg_http_client_end *end)
{
	struct fetch *const f = ctx;
	(void)r;
	if (f->over)
		return;
	if (end->error == MRG_HTTP_CLIENT_OK) {
		if (++f->index != f->o->url_count) {
			fetch_url(f);
			return;
		}
		f->over = true;
	} else if (may_repeat(f, end)) {
		f->data_given = false;
		f->waiting = true;
	} else if (end->error == MRG_HTTP_CLIENT_UNREACHABLE) {
		fail(f, CONNECTION, "no connection", f->address_err);
	} else {
		fail_span(f, code_of(end->error), end->why);
	}
}

static void on_closed(void *ctx, const struct mrg_http_client_end *end)
{
	struct fetch *const f = ctx;
	mrg_unix_connect_cancel(&f->attempt);
	/* Octets behind the last answer are no answer to anything: whoever sent them is not to be trusted with the rest (RFC 9112 9.2). */
	if (end->error == MRG_HTTP_CLIENT_UNSOLICITED && !f->over)
		fail_span(f, ANSWER, end->why);
	if (f->waiting)
		connect_anew(f);
}

/* ---- all of them ---- */

static bool turn(void *ctx, uint64_t now_ns)
{
	const struct fetch *const f = ctx;
	(void)now_ns;
	return !f->over;
}

static const struct mrg_http_client_limits LIMITS = {
	.connect_ns = 30u * MRG_RT_SECOND_NS,
	.head_ns = 120u * MRG_RT_SECOND_NS,
	.stall_ns = 60u * MRG_RT_SECOND_NS,
	.continue_ns = MRG_RT_SECOND_NS,
	.idle_ns = 60u * MRG_RT_SECOND_NS,
	.body_max = UINT64_MAX,
	.head_max = 65536,
	.interim_max = 32,
	.pipeline = 1,
};

static bool start(struct fetch *f, struct mrg_arena *arena)
{
	const struct mrg_unix_limits limits = { .conn_count = 2 * ADDRESSES_MAX };
	const struct mrg_http_client_handler handler = {
		.ctx = f,
		.head = on_head,
		.body = on_body,
		.source = on_source,
		.done = on_done,
		.closed = on_closed,
	};
	const size_t memory = mrg_unix_loop_memory(&limits) + mrg_http_client_memory();
	int err = mrg_unix_arena_open(arena, memory, memory);
	if (err == 0)
		err = mrg_unix_loop_init(&f->loop, &mrg_unix_kernel, arena, &limits);
	if (err != 0 ||
		mrg_http_client_init(&f->client, arena, &f->loop.timers, &LIMITS, &handler) != MRG_OK) {
		complain("not enough memory to start", "", err);
		return false;
	}
	f->attempt = (struct mrg_unix_connect){ .user = &f->client.user, .failed = on_failure };
	if (f->o->max_ns != 0)
		mrg_rt_timer_set(&f->loop.timers, &f->whole, f->loop.now_ns + f->o->max_ns);
	return true;
}

int fetch_all(const struct options *o)
{
	static struct fetch f;
	struct mrg_arena arena;
	const struct mrg_unix_turn turns = { .ctx = &f, .turn = turn };
	f.o = o;
	f.out = (struct output){ .name = o->output, .fd = -1 };
	f.whole.fire = too_late;
	if (!start(&f, &arena))
		return SYSTEM;
	fetch_url(&f);
	if (f.waiting)
		connect_anew(&f);
	const int err = mrg_unix_loop_run(&f.loop, &turns);
	if (err != 0)
		fail(&f, SYSTEM, "", err);
	f.over = true;
	mrg_http_client_close(&f.client);
	if (!f.failed_already && !output_close(&f.out))
		f.code = SYSTEM;
	return f.code;
}
