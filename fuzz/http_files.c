/*
 * http_files.c - the HTTP server over a small tree of files: the input is heads of requests on one connection.
 *
 * Each answer is held against what http_files_naive.c says of the request: status, which octets of which file, and the fields that go with
 * them.  The same file answers more than once, so that what the library keeps with a file is met, too.
 * Reading order: the tree, requests, what must hold of an answer.
 */
#include "fuzz/http_files.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz/lines.h"
#include "fuzz/pipe.h"
#include "protocols/http/files.h"
#include "protocols/http/response.h"
#include "protocols/http/server.h"

enum { LEN_MAX = 8192, OUT_MAX = 1 << 20, OCTETS = 5000, NOTE = 400, OPEN_MAX = 8, REQUESTS_MAX = 8 };

/* ---- the tree ---- */

const int64_t files_now_s = 1700000000;

static uint8_t octets[3 * OCTETS];
#define AT(n) octets + (n)*101
struct files_entry files_tree[] = {
	{ "a", "index.html", MRG_RT_FILE, 300, 1600000000, AT(0), "" },
	{ "a", "a.txt", MRG_RT_FILE, 100, 1600000001, AT(1), "" },
	{ "a", "a.txt.gz", MRG_RT_FILE, 40, 1600000001, AT(2), "" },
	{ "a", "a.txt.br", MRG_RT_FILE, 35, 1600000002, AT(3), "" },
	{ "a", "b.css", MRG_RT_FILE, 90, 1600000003, AT(4), "" },
	{ "a", "b.css.gz", MRG_RT_FILE, 30, 1600000002, AT(5), "" }, /* older than what it was made of */
	{ "a", "c.js", MRG_RT_FILE, 80, FILES_NO_TIME, AT(6), "" },
	{ "a", "c.js.br", MRG_RT_FILE, 20, FILES_NO_TIME, AT(7), "" },
	{ "a", "sub/index.html", MRG_RT_FILE, 10, 1600000004, AT(8), "" },
	{ "a", "sub/d e.png", MRG_RT_FILE, 11, 1600000005, AT(9), "" },
	{ "a", "sub/deep/f", MRG_RT_FILE, 1, 1600000006, AT(10), "" },
	{ "a", "odd/index.html/g", MRG_RT_FILE, 2, 1600000006, AT(11), "" },
	{ "a", "long.bin", MRG_RT_FILE, OCTETS, 1600000007, AT(12), "" },
	{ "a", "none", MRG_RT_FILE, 0, 1600000008, AT(13), "" },
	{ "a", "soon.txt", MRG_RT_FILE, 60, 1800000000, AT(14), "" }, /* by a clock that is ahead */
	{ "a", "just.txt", MRG_RT_FILE, 60, 1700000000, AT(15), "" },
	{ "a", "secret", MRG_RT_FORBIDDEN, 0, 0, NULL, "" },
	{ "a", "busy", MRG_RT_BUSY, 0, 0, NULL, "" },
	{ "a", "errors/404.html", MRG_RT_FILE, 44, 1600000009, AT(16), "" },
	{ "b", "index.html", MRG_RT_FILE, 301, 1600000000, AT(17), "" },
	{ "b", "a.txt", MRG_RT_FILE, 100, 1600000001, AT(18), "" },
};
const size_t files_tree_n = COUNT_OF(files_tree);
static const struct mrg_http_cache_rule cache_rules[] = { { MRG_LITERAL(""), MRG_LITERAL(".css"),
								  MRG_LITERAL("max-age=60") },
	{ MRG_LITERAL("sub/"), MRG_LITERAL(""), MRG_LITERAL("no-store") } };
static const struct mrg_http_error_page error_pages[] = { { 404, MRG_LITERAL("errors/404.html") } };

struct files_entry *files_entry_at(const char *host, const char *path)
{
	for (size_t i = 0; i < files_tree_n; i++)
		if (strcmp(files_tree[i].host, host) == 0 && strcmp(files_tree[i].path, path) == 0)
			return &files_tree[i];
	return NULL;
}

enum point {
	WHOLE,
	ONE_RANGE,
	SEVERAL_RANGES,
	NO_RANGE,
	ALL_RATHER,
	CODED_BR,
	CODED_GZIP,
	PLAIN_VARIES,
	UNCHANGED,
	UNCHANGED_SINCE,
	FAILED,
	FAILED_SINCE,
	OTHER_MEANWHILE,
	SAME_MEANWHILE,
	MOVED,
	FORBIDDEN,
	NOT_FOUND,
	BUSY,
	NO_METHOD,
	OPTIONS,
	MISDIRECTED,
	HEAD,
	EMPTY,
	SECOND_HOST,
	AGAIN,
	POINTS
};
static const char *const point_names[POINTS] = { "200", "206: one range", "206: several", "416",
	"200 in spite of a range", "brotli", "gzip", "plain, though there are others", "304", "304 by date",
	"412", "412 by date", "If-Range: another", "If-Range: the same", "301", "403", "404", "503",
	"405 or 501", "204: OPTIONS", "421", "HEAD", "a file without octets", "the other host",
	"a file once more" };

struct tree {
	struct mrg_rt_tree tree;
	const char *host;
};

/* A file that is open, or was: notes stay with their files. */
struct note {
	uint8_t room[NOTE];
	struct mrg_w w;
};

struct opened {
	struct mrg_rt_file file;
	bool open;
};

struct own {
	bool ready;
	uint8_t *memory, *out;
	size_t room;
	struct mrg_arena arena;
	struct mrg_rt_timers timers;
	struct mrg_http_server server;
	struct tree trees[2];
	struct note notes[COUNT_OF(files_tree)];
	struct opened opened[OPEN_MAX * REQUESTS_MAX];
	size_t opens, closes;
	bool out_of_rooms;
	struct mrg_http_host hosts[2];
	struct mrg_http_files files;
	uint8_t reached[POINTS];
};

static struct own of_files;

static enum mrg_rt_found open_file(
	struct mrg_rt_tree *tree, struct mrg_span path, uint64_t now_ns, struct mrg_rt_file **out)
{
	struct own *const o = &of_files;
	const char *const host = ((struct tree *)(void *)tree)->host;
	char name[FILES_NAME_MAX];
	(void)now_ns;
	if (!mrg_rt_path_ok(path) || path.len >= sizeof name)
		return MRG_RT_NOTHING;
	(void)snprintf(name, sizeof name, "%.*s", (int)path.len, path.len != 0 ? (const char *)path.p : "");
	struct files_entry *const e = files_entry_at(host, name);
	for (size_t i = 0; e == NULL && i < files_tree_n; i++)
		if (strcmp(files_tree[i].host, host) == 0 &&
			(path.len == 0 || (strncmp(files_tree[i].path, name, path.len) == 0 &&
						  files_tree[i].path[path.len] == '/')))
			return MRG_RT_FOLDER;
	if (e == NULL)
		return MRG_RT_NOTHING;
	if (e->found != MRG_RT_FILE)
		return e->found;
	if (o->opens == COUNT_OF(o->opened)) {
		o->out_of_rooms = true;
		return MRG_RT_BUSY;
	}
	struct opened *const f = &o->opened[o->opens++];
	const size_t i = (size_t)(e - files_tree);
	*f = (struct opened){ .file = { .size = e->len,
				      .modified_s = e->modified_s,
				      .version = 0xabc00 + i,
				      .p = e->octets,
				      .note = &o->notes[i].w },
		.open = true };
	*out = &f->file;
	return MRG_RT_FILE;
}

static void close_file(struct mrg_rt_tree *tree, struct mrg_rt_file *file)
{
	struct opened *const f = (struct opened *)(void *)file;
	(void)tree;
	if (f->open) /* closed twice is one too many in the end */
		f->file.p = NULL;
	f->open = false;
	of_files.closes++;
}

static const struct mrg_rt_tree_ops tree_ops = { .open = open_file, .close = close_file };

/* ---- the server ---- */

static bool on_head(void *ctx, struct mrg_http_exchange *x)
{
	mrg_http_files_answer(&((struct own *)ctx)->files, x);
	return false;
}

static uint64_t on_time(void *ctx)
{
	(void)ctx;
	return (uint64_t)files_now_s;
}

static const struct mrg_http_limits limits = { .conn_count = 1,
	.big_count = 1,
	.out_count = 1,
	.body_max = 1000,
	.idle_ns = 60 * MRG_RT_SECOND_NS,
	.head_ns = 10 * MRG_RT_SECOND_NS,
	.body_ns = 20 * MRG_RT_SECOND_NS,
	.send_ns = 30 * MRG_RT_SECOND_NS,
	.linger_ns = 2 * MRG_RT_SECOND_NS,
	.slow_octets = 1000 };

/* What the server says to these requests, all at once. */
static struct mrg_span ask(struct own *o, struct mrg_span in, bool *closed)
{
	const struct mrg_http_handler handler = { .ctx = o, .head = on_head, .unix_s = on_time };
	struct pipe p;
	o->arena = (struct mrg_arena){ .p = o->memory, .cap = o->room };
	o->timers = (struct mrg_rt_timers){ .top = NULL };
	o->opens = o->closes = 0;
	for (size_t i = 0; i < files_tree_n; i++)
		mrg_w_init(&o->notes[i].w, o->notes[i].room, NOTE);
	if (mrg_http_server_init(&o->server, &o->arena, &o->timers, &limits, &handler) != MRG_OK)
		abort();
	pipe_open(&p, in.p, in.len, PIPE_WHOLE, mrg_rng_of(1), o->out, OUT_MAX);
	if (o->server.user.open(o->server.user.ctx, &p.stream, 5))
		while (pipe_step(&p, &o->server.user, 5))
			;
	*closed = p.closed && p.misuse == NULL && !p.lost;
	return (struct mrg_span){ p.out, p.out_len };
}

/* The tag that the library gives to each file, which those of requests are made of: all are others. */
static void learn_tags(struct own *o)
{
	struct mrg_http_response r;
	for (size_t i = 0; i < files_tree_n; i++) {
		struct files_entry *const e = &files_tree[i];
		char text[200], path[100];
		bool closed;
		size_t len, n = 0;
		if (e->found != MRG_RT_FILE)
			continue;
		for (const char *c = e->path; *c != 0; c++)
			n += (size_t)snprintf(path + n, sizeof path - n, *c == ' ' ? "%%20" : "%c", *c);
		(void)snprintf(text, sizeof text, "GET /%s HTTP/1.0\r\nHost: %s\r\n\r\n", path, e->host);
		const struct mrg_span said =
			ask(o, (struct mrg_span){ (const uint8_t *)text, strlen(text) }, &closed);
		if (mrg_http_response_read(said, MRG_HTTP_METHOD_GET, &r, &len) != MRG_OK)
			abort();
		const struct mrg_http_field_line *const tag =
			mrg_http_response_field(&r, MRG_HTTP_FIELD_ETAG, NULL);
		if (tag == NULL || tag->value.len >= FILES_ETAG_MAX)
			abort();
		(void)snprintf(
			e->etag, sizeof e->etag, "%.*s", (int)tag->value.len, (const char *)tag->value.p);
		for (size_t k = 0; k < i; k++)
			if (strcmp(files_tree[k].etag, e->etag) == 0)
				abort();
	}
}

static void open_own(struct own *o)
{
	o->room = mrg_http_server_memory(&limits);
	o->memory = calloc(1, o->room);
	o->out = malloc(OUT_MAX);
	if (o->memory == NULL || o->out == NULL)
		abort();
	for (size_t i = 0; i < sizeof octets; i++)
		octets[i] = (uint8_t)((size_t) "0123456789abcdef"[i % 16] + i / 160 % 10);
	o->trees[0] = (struct tree){ { &tree_ops }, "a" };
	o->trees[1] = (struct tree){ { &tree_ops }, "b" };
	o->hosts[0] = (struct mrg_http_host){ MRG_LITERAL("a"), &o->trees[0].tree };
	o->hosts[1] = (struct mrg_http_host){ MRG_LITERAL("b"), &o->trees[1].tree };
	o->files = (struct mrg_http_files){ .hosts = o->hosts,
		.host_count = 2,
		.index = MRG_LITERAL("index.html"),
		.cache_rules = cache_rules,
		.cache_rule_count = COUNT_OF(cache_rules),
		.error_pages = error_pages,
		.error_page_count = COUNT_OF(error_pages) };
	learn_tags(o);
	o->ready = true;
}

/* ---- what must hold of an answer ---- */

static void mark(struct own *o, enum point point, bool reached)
{
	if (reached)
		o->reached[point] = 1;
}

/* What an answer's field says; NULL: it has none, or two. */
static const char *said(const struct mrg_http_response *r, const char *name, char out[FILES_NAME_MAX])
{
	const char *found = NULL;
	for (size_t i = 0; i < r->count; i++) {
		const struct mrg_span of = r->fields[i].name, v = r->fields[i].value;
		if (!mrg_span_eq_nocase(of, (struct mrg_span){ (const uint8_t *)name, strlen(name) }))
			continue;
		if (found != NULL || v.len >= FILES_NAME_MAX)
			return "(twice)";
		(void)snprintf(out, FILES_NAME_MAX, "%.*s", (int)v.len, v.len != 0 ? (const char *)v.p : "");
		found = out;
	}
	return found;
}

/* want: NULL: there must be none. */
static bool says(
	const struct mrg_http_response *r, const char *name, const char *want, struct mrg_fuzz_result *result)
{
	char out[FILES_NAME_MAX];
	const char *const have = said(r, name, out);
	if (have == NULL ? want == NULL : want != NULL && strcmp(have, want) == 0)
		return true;
	(void)fuzz_wrong(result, "", "%u: %s: %.60s instead of %.60s", r->status, name,
		have != NULL ? have : "none", want != NULL ? want : "none");
	(void)snprintf(result->key, sizeof result->key, "field %s of %u", name, r->status);
	return false;
}

/* Validators, and what caches may do. */
static bool check_validators(
	const struct mrg_http_response *r, const struct files_wanted *w, struct mrg_fuzz_result *result)
{
	const struct files_entry *const e = w->entry;
	const size_t len = strlen(e->path), coded = strlen(w->coding) != 0 ? 3 : 0;
	char date[40];
	files_date(e->modified_s < files_now_s ? e->modified_s : files_now_s, date);
	const bool css = len - coded > 4 && strncmp(e->path + len - coded - 4, ".css", 4) == 0;
	return says(r, "ETag", e->etag, result) &&
	       says(r, "Last-Modified", e->modified_s != FILES_NO_TIME ? date : NULL, result) &&
	       says(r, "Vary", w->varies ? "Accept-Encoding" : NULL, result) &&
	       says(r, "Cache-Control",
		       css                                                             ? "max-age=60"
		       : strcmp(e->host, "a") == 0 && strncmp(e->path, "sub/", 4) == 0 ? "no-store"
										       : NULL,
		       result);
}

static bool is_part(struct mrg_span body, const struct files_entry *e, const struct files_range *g)
{
	return body.len == g->last - g->first + 1 && memcmp(body.p, e->octets + g->first, body.len) == 0;
}

/* RFC 9110 14.6: parts, each with a range of its own, between lines of the boundary. */
static bool check_parts(const struct mrg_http_response *r, struct mrg_span body, const struct files_wanted *w)
{
	static const char type[] = "multipart/byteranges; boundary=";
	char out[FILES_NAME_MAX], line[FILES_NAME_MAX + 80], range[100];
	const char *const is = said(r, "Content-Type", out);
	if (is == NULL || strncmp(is, type, sizeof type - 1) != 0)
		return false;
	const char *const boundary = is + sizeof type - 1;
	for (size_t i = 0; i <= w->range_n; i++) {
		const bool last = i == w->range_n;
		(void)snprintf(line, sizeof line, "\r\n--%s%s\r\n", boundary, last ? "--" : "");
		if (body.len < strlen(line) || memcmp(body.p, line, strlen(line)) != 0)
			return false;
		body = (struct mrg_span){ body.p + strlen(line), body.len - strlen(line) };
		if (last)
			return body.len == 0;
		const struct files_range *const g = &w->ranges[i];
		const uint8_t *const end = memmem(body.p, body.len, "\r\n\r\n", 4);
		(void)snprintf(range, sizeof range, "\r\nContent-Range: bytes %llu-%llu/%zu\r\n\r\n",
			(unsigned long long)g->first, (unsigned long long)g->last, w->entry->len);
		if (end == NULL || memmem(body.p, (size_t)(end + 4 - body.p), range, strlen(range)) == NULL)
			return false;
		body = (struct mrg_span){ end + 4, (size_t)(body.p + body.len - (end + 4)) };
		const size_t len = (size_t)(g->last - g->first + 1);
		if (body.len < len || !is_part((struct mrg_span){ body.p, len }, w->entry, g))
			return false;
		body = (struct mrg_span){ body.p + len, body.len - len };
	}
	return false;
}

static bool check_content(const struct mrg_http_request *q, const struct mrg_http_response *r,
	struct mrg_span body, const struct files_wanted *w, struct mrg_fuzz_result *result)
{
	const struct files_entry *const e = w->entry;
	const bool head = q->method == MRG_HTTP_METHOD_HEAD;
	char range[100], length[40];
	(void)snprintf(range, sizeof range, "bytes %llu-%llu/%zu", (unsigned long long)w->ranges[0].first,
		(unsigned long long)w->ranges[0].last, e->len);
	(void)snprintf(length, sizeof length, "%zu",
		w->whole ? e->len : (size_t)(w->ranges[0].last - w->ranges[0].first + 1));
	if (!check_validators(r, w, result) || !says(r, "Accept-Ranges", "bytes", result) ||
		!says(r, "Content-Encoding", w->coding[0] != 0 ? w->coding : NULL, result) ||
		!says(r, "Content-Range", w->range_n == 1 ? range : NULL, result))
		return false;
	if (w->range_n < 2 && !says(r, "Content-Length", length, result))
		return false;
	const bool good = head       ? body.len == 0
			  : w->whole ? is_part(body, e, &(struct files_range){ 0, e->len - 1 }) ||
					       (e->len == 0 && body.len == 0)
			  : w->range_n > 1 ? check_parts(r, body, w)
					   : is_part(body, e, w->ranges);
	return good ||
	       fuzz_wrong(result, "other octets", "%u of %s: %zu octets of %s that are not those asked for",
		       r->status, e->path, body.len, e->host);
}

static void mark_answer(struct own *o, const struct mrg_http_request *q, const struct files_wanted *w)
{
	static const struct {
		unsigned status;
		enum point point;
	} of[] = { { 200, WHOLE }, { 301, MOVED }, { 304, UNCHANGED }, { 403, FORBIDDEN }, { 404, NOT_FOUND },
		{ 405, NO_METHOD }, { 412, FAILED }, { 416, NO_RANGE }, { 421, MISDIRECTED }, { 503, BUSY },
		{ 204, OPTIONS } };
	for (size_t i = 0; i < COUNT_OF(of); i++)
		mark(o, of[i].point, w->status == of[i].status);
	const bool range = mrg_http_request_field(q, MRG_HTTP_FIELD_RANGE, NULL) != NULL;
	const bool if_range = mrg_http_request_field(q, MRG_HTTP_FIELD_IF_RANGE, NULL) != NULL;
	mark(o, ONE_RANGE, w->range_n == 1);
	mark(o, SEVERAL_RANGES, w->range_n > 1);
	mark(o, ALL_RATHER, w->whole && range);
	mark(o, OTHER_MEANWHILE, w->whole && range && if_range);
	mark(o, SAME_MEANWHILE, w->range_n != 0 && if_range);
	mark(o, CODED_BR, strcmp(w->coding, "br") == 0);
	mark(o, CODED_GZIP, strcmp(w->coding, "gzip") == 0);
	mark(o, PLAIN_VARIES, w->varies && w->coding[0] == 0);
	mark(o, UNCHANGED_SINCE,
		w->status == 304 && mrg_http_request_field(q, MRG_HTTP_FIELD_IF_NONE_MATCH, NULL) == NULL);
	mark(o, FAILED_SINCE,
		w->status == 412 && mrg_http_request_field(q, MRG_HTTP_FIELD_IF_MATCH, NULL) == NULL);
	mark(o, HEAD, q->method == MRG_HTTP_METHOD_HEAD);
	mark(o, EMPTY, w->whole && w->entry->len == 0);
	mark(o, SECOND_HOST, w->entry != NULL && strcmp(w->entry->host, "b") == 0);
}

static bool check_answer(struct own *o, const struct mrg_http_request *q, const struct mrg_http_response *r,
	struct mrg_span body, struct mrg_fuzz_result *result)
{
	static struct files_wanted w;
	char range[40];
	files_expect(q, &w);
	if (w.unsure_coding)
		return true;
	if (r->status != w.status && (w.or_status == 0 || r->status != w.or_status))
		return fuzz_wrong(result, "status", "%u instead of %u (%s)", r->status, w.status,
			w.entry != NULL ? w.entry->path : "-");
	mark_answer(o, q, &w);
	switch (w.status) {
	case 200:
	case 206: return check_content(q, r, body, &w, result);
	case 304: return check_validators(r, &w, result) && says(r, "Content-Length", NULL, result);
	case 301: return says(r, "Location", w.location, result);
	case 405: return r->status != 405 || says(r, "Allow", "GET, HEAD, OPTIONS", result);
	case 204: return says(r, "Allow", "GET, HEAD, OPTIONS", result);
	case 416:
		(void)snprintf(range, sizeof range, "bytes */%zu", w.entry->len);
		return says(r, "Content-Range", range, result) && says(r, "ETag", NULL, result);
	case 404: {
		const struct files_entry *const page = files_entry_at("a", "errors/404.html");
		const bool second = q->host.len == 1 && (q->host.p[0] | 32) == 'b'; /* who has no such page */
		return second || q->method == MRG_HTTP_METHOD_HEAD ||
		       is_part(body, page, &(struct files_range){ 0, page->len - 1 }) ||
		       fuzz_wrong(result, "error page", "the page of 404 is another");
	}
	default: return says(r, "ETag", NULL, result) && says(r, "Content-Range", NULL, result);
	}
}

static void run(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	static struct mrg_http_request q;
	static struct mrg_http_response r;
	struct own *const o = ctx;
	bool closed;
	size_t at = 0, n = 0;
	if (!o->ready)
		open_own(o);
	struct mrg_span out = ask(o, (struct mrg_span){ in, len }, &closed);
	result->verdict = MRG_FUZZ_REFUSED;
	if (!closed) {
		(void)fuzz_wrong(result, "not closed", "the connection does not end as it must");
		return;
	}
	if (o->opens != o->closes && !o->out_of_rooms) {
		(void)fuzz_wrong(
			result, "files are left", "%zu files were opened, %zu closed", o->opens, o->closes);
		return;
	}
	for (; at < len && n < REQUESTS_MAX; n++) {
		size_t head, said_len;
		if (mrg_http_request_read((struct mrg_span){ in + at, len - at }, &q, &head) != MRG_OK)
			break;
		const bool has_body = q.body == MRG_HTTP_BODY_CHUNKED || q.length != 0;
		if (has_body || q.method == MRG_HTTP_METHOD_CONNECT || q.form == MRG_HTTP_ASTERISK)
			break; /* http_server.c has those */
		if (mrg_http_response_read(out, q.method, &r, &said_len) != MRG_OK) {
			(void)fuzz_wrong(result, "no answer", "answer %zu is none", n);
			return;
		}
		const size_t body = r.body == MRG_HTTP_BODY_LENGTH ? (size_t)r.length : 0;
		if (r.body == MRG_HTTP_BODY_CLOSE || body > out.len - said_len) {
			(void)fuzz_wrong(result, "cut", "answer %zu is cut", n);
			return;
		}
		if (!check_answer(o, &q, &r, (struct mrg_span){ out.p + said_len, body }, result))
			return;
		result->verdict = MRG_FUZZ_ACCEPTED;
		at += head;
		out = (struct mrg_span){ out.p + said_len + body, out.len - said_len - body };
		if (!q.keep_alive)
			break;
	}
	mark(o, AGAIN, n > 2);
}

/* ---- the subject ---- */

static size_t make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	struct own *const o = ctx;
	if (!o->ready)
		open_own(o); /* which tags there are */
	return files_requests_make(rng, out, cap);
}

static size_t mutate(void *ctx, struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,
	size_t other_len, uint8_t *out, size_t cap)
{
	(void)ctx;
	(void)other;
	(void)other_len;
	return files_requests_change(rng, in, len, out, cap);
}

static size_t smaller(void *ctx, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
	(void)ctx;
	return lines_smaller(i, in, len, out, cap);
}

static void show(void *ctx, const uint8_t *in, size_t len, FILE *to)
{
	(void)ctx;
	for (size_t i = 0; i < len; i++)
		(void)fprintf(to,
			in[i] == '\n' || (in[i] >= 0x20 && in[i] < 0x7f) ? "%c"
			: in[i] == '\r'                                  ? ""
									 : "\\x%02x",
			in[i]);
	(void)fputc('\n', to);
}

FUZZ_POINT_NAMES(point_names)
FUZZ_SUBJECT(http_server_files, "http.server.files", of_files, LEN_MAX, POINTS);
