/* For tests of protocols/http: see asker.h. */
#include "asker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"

enum { RECORD_MAX = 1 << 16 };

struct mrg_http_client client;
enum asker_trick asker_trick;

static struct mrg_arena arena;
static struct ask *asks;
static char next_name;
static char record[RECORD_MAX], shown[RECORD_MAX];
static size_t record_len, seen;
static bool in_head, in_body; /* since a head was noted; since an octet of its body was */
static char why[300];

/* ---- the record ---- */

static void note_octets(const char *p, size_t len)
{
	MUST(record_len + len < sizeof record);
	memcpy(record + record_len, p, len);
	record_len += len;
}

static void note(const char *text) { note_octets(text, strlen(text)); }

static const char *error_name(enum mrg_http_client_error e)
{
	static const char *const names[] = { "ok", "unreachable", "timeout", "unanswered", "cut", "bad head",
		"bad body", "too long", "unsolicited", "source", "stopped" };
	return names[e];
}

static void note_end(const struct mrg_http_client_end *end)
{
	note(error_name(end->error));
	if (end->error == MRG_HTTP_CLIENT_OK)
		return;
	MUST(end->why.p != NULL && end->why.len < sizeof why);
	memcpy(why, end->why.p, end->why.len);
	why[end->why.len] = 0;
}

const char *asker_said(void)
{
	memcpy(shown, record, record_len);
	shown[record_len] = 0;
	record_len = 0;
	return shown;
}

void said(const char *want)
{
	const char *const got = asker_said();
	MUST_SAY(strcmp(got, want) == 0, "said <%s> instead of <%s>", got, want);
}

const char *asker_why(void) { return why; }

/* ---- the handler ---- */

static struct ask *ask_of(struct mrg_http_client_request *r) { return r->own; }

static bool on_head(void *ctx, struct mrg_http_client_request *r, const struct mrg_http_response *response)
{
	char text[16];
	MUST(ctx == &client);
	MUST(response->status / 100u != 1u);
	(void)snprintf(text, sizeof text, "%c %u ", ask_of(r)->name, response->status);
	note(text);
	in_head = true;
	if (asker_trick == ASKER_HEAD_CLOSES)
		mrg_http_client_close(&client);
	return asker_trick != ASKER_HEAD_STOPS;
}

static bool on_body(void *ctx, struct mrg_http_client_request *r, struct mrg_span piece)
{
	(void)r;
	MUST(ctx == &client);
	MUST(piece.len != 0);
	if (!in_body)
		note("\"");
	in_body = true;
	note_octets((const char *)piece.p, piece.len);
	if (asker_trick == ASKER_BODY_CLOSES)
		mrg_http_client_close(&client);
	return asker_trick != ASKER_BODY_STOPS;
}

static enum mrg_io on_source(void *ctx, struct mrg_http_client_request *r, struct mrg_span *piece)
{
	struct ask *const a = ask_of(r);
	MUST(ctx == &client);
	MUST(a->pieces != NULL);
	if (asker_trick == ASKER_SOURCE_CLOSES)
		mrg_http_client_close(&client);
	const char *const text = *a->pieces;
	if (text == NULL)
		return MRG_IO_EOF;
	a->pieces++;
	if (*text == 0)
		return MRG_IO_AGAIN;
	if (strcmp(text, "!") == 0)
		return MRG_IO_RESET;
	*piece = text_of(text);
	return MRG_IO_OK;
}

static void on_done(void *ctx, struct mrg_http_client_request *r, const struct mrg_http_client_end *end)
{
	struct ask *const a = ask_of(r);
	const char name[] = { a->name, ' ', 0 };
	MUST(ctx == &client);
	MUST(a->name != 0);
	note(in_body ? "\" " : in_head ? "" : name);
	in_head = in_body = false;
	note_end(end);
	note(end->sent ? "; " : " unsent; ");
	a->name = 0;
	if (asker_trick == ASKER_DONE_ADDS) {
		asker_trick = ASKER_PLAIN;
		(void)ask_add(ask_new("GET", "/added"));
	}
	if (asker_trick == ASKER_DONE_CLOSES)
		mrg_http_client_close(&client);
}

static void on_closed(void *ctx, const struct mrg_http_client_end *end)
{
	MUST(ctx == &client);
	note("closed ");
	note_end(end);
	note(". ");
	if (asker_trick == ASKER_CLOSED_BEGINS) {
		asker_trick = ASKER_PLAIN;
		mrg_http_client_begin(&client, now);
		(void)ask("GET", "/again");
	}
}

/* ---- the client ---- */

struct mrg_http_client_limits asker_limits(void)
{
	return (struct mrg_http_client_limits){
		.connect_ns = 5u * MRG_RT_SECOND_NS,
		.head_ns = 10u * MRG_RT_SECOND_NS,
		.stall_ns = 20u * MRG_RT_SECOND_NS,
		.continue_ns = 1u * MRG_RT_SECOND_NS,
		.idle_ns = 60u * MRG_RT_SECOND_NS,
		.body_max = 1000,
		.head_max = 500,
		.interim_max = 3,
		.pipeline = 1,
	};
}

void asker_start(const struct mrg_http_client_limits *limits)
{
	const struct mrg_http_client_limits small = asker_limits();
	const struct mrg_http_client_handler handler = {
		.ctx = &client,
		.head = on_head,
		.body = on_body,
		.source = on_source,
		.done = on_done,
		.closed = on_closed,
	};
	const size_t cap = mrg_http_client_memory();
	arena = (struct mrg_arena){ .p = aligned_alloc(4096, (cap + 4096) & ~(size_t)4095), .cap = cap };
	timers = (struct mrg_rt_timers){ .top = NULL };
	now = 5;
	next_name = 'a';
	record_len = 0;
	in_head = in_body = false;
	why[0] = 0;
	seen = 0;
	asker_trick = ASKER_PLAIN;
	MUST(mrg_http_client_init(&client, &arena, &timers, limits == NULL ? &small : limits, &handler) ==
		MRG_OK);
	mrg_http_client_begin(&client, now);
}

struct peer *asker_open(void)
{
	struct peer *const p = peer_new();
	p->user = &client.user;
	seen = 0;
	MUST(client.user.open(client.user.ctx, &p->stream, now));
	MUST((p->want & MRG_STREAM_READABLE) != 0);
	return p;
}

struct peer *asker(const struct mrg_http_client_limits *limits)
{
	asker_start(limits);
	return asker_open();
}

void asker_stop(void)
{
	asker_trick = ASKER_PLAIN;
	mrg_http_client_close(&client);
	MUST(!mrg_http_client_open(&client));
	MUST(asker_waiting() == 0);
	MUST(mrg_rt_timers_next(&timers) == MRG_RT_NEVER);
	free(arena.p);
	while (asks != NULL) {
		struct ask *const a = asks;
		asks = a->list;
		free(a);
	}
	peers_free();
}

struct ask *ask_new(const char *method, const char *target)
{
	struct ask *const a = calloc(1, sizeof *a);
	a->name = next_name;
	next_name = next_name == 'z' ? 'a' : (char)(next_name + 1);
	a->list = asks;
	asks = a;
	a->r.method = text_of(method);
	a->r.target = text_of(target);
	a->r.host = MRG_LITERAL("h");
	a->r.own = a;
	return a;
}

enum mrg_status ask_add(struct ask *a)
{
	const enum mrg_status st = mrg_http_client_add(&client, &a->r);
	a->taken = st == MRG_OK;
	return st;
}

unsigned asker_waiting(void)
{
	unsigned count = 0;
	for (const struct ask *a = asks; a != NULL; a = a->list)
		count += a->taken && a->name != 0;
	return count;
}

struct ask *ask(const char *method, const char *target)
{
	struct ask *const a = ask_new(method, target);
	MUST(ask_add(a) == MRG_OK);
	return a;
}

struct ask *ask_with_body(
	const char *method, enum mrg_http_body body, uint64_t length, const char *const *pieces)
{
	struct ask *const a = ask_new(method, "/");
	a->r.body = body;
	a->r.length = length;
	a->pieces = pieces;
	MUST(ask_add(a) == MRG_OK);
	return a;
}

void sent(struct peer *p, const char *want)
{
	const size_t len = strlen(want);
	MUST_SAY(p->out_len - seen == len && memcmp(p->out + seen, want, len) == 0,
		"sent <%.*s> instead of <%s>", (int)(p->out_len - seen), (const char *)p->out + seen, want);
	seen = p->out_len;
}
