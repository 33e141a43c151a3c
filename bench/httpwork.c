/*
 * bench/httpwork.c - what the HTTP server does for a request, without sockets: the CPU time between a read and a write.
 *
 * A stream that gives the same requests again and again, and throws away what is written. Files come from a folder, as in mrg-http.
 */
#include "bench/util.h"

#include <stdlib.h>
#include <string.h>

#include "protocols/http/files.h"
#include "protocols/http/server.h"
#include "unix/mrg_unix.h"
#include "unix/mrg_unix_tree.h"

enum { DEPTH = 16, TURNS = 256, REQUEST_MAX = 2048 };

/* A connection to nobody. */
struct conn {
	struct mrg_stream stream;
	struct mrg_span in; /* what is read each time */
	uint64_t written;
};

struct work {
	struct mrg_http_server server;
	struct mrg_http_files files;
	struct mrg_http_host host;
	struct mrg_unix_tree tree;
	struct mrg_rt_timers timers;
	struct mrg_arena arena;
	struct conn conn;
	char requests[DEPTH * REQUEST_MAX];
	size_t request_len; /* octets of one */
};

static struct conn *conn_of(struct mrg_stream *s) { return (struct conn *)(void *)s; }

static enum mrg_io conn_read(struct mrg_stream *s, uint8_t *p, size_t cap, size_t *got)
{
	const struct mrg_span in = conn_of(s)->in;
	if (cap < in.len)
		bench_die("httpwork: too much at once");
	memcpy(p, in.p, in.len);
	*got = in.len;
	return MRG_IO_OK;
}

static enum mrg_io conn_write(
	struct mrg_stream *s, const struct mrg_span *parts, size_t count, bool more, size_t *done)
{
	(void)more;
	*done = 0;
	for (size_t i = 0; i < count; i++)
		*done += parts[i].len;
	conn_of(s)->written += *done;
	return MRG_IO_OK;
}

static void conn_want(struct mrg_stream *s, unsigned events)
{
	(void)s;
	(void)events;
}

static void conn_over(struct mrg_stream *s)
{
	(void)s;
	bench_die("httpwork: the server ends the connection");
}

static const struct mrg_stream_ops ops = {
	.read = conn_read, .write = conn_write, .want = conn_want, .finish = conn_over, .close = conn_over
};

static uint64_t unix_s(void *ctx)
{
	(void)ctx;
	return mrg_unix_time_s();
}

static bool head(void *ctx, struct mrg_http_exchange *x)
{
	mrg_http_files_answer(ctx, x);
	return false;
}

static void open_all(struct work *w, const char *folder)
{
	static const struct mrg_http_limits limits = { .conn_count = 1,
		.big_count = 1,
		.out_count = 1,
		.idle_ns = 60 * MRG_RT_SECOND_NS,
		.head_ns = 10 * MRG_RT_SECOND_NS,
		.body_ns = 10 * MRG_RT_SECOND_NS,
		.send_ns = 30 * MRG_RT_SECOND_NS,
		.linger_ns = MRG_RT_SECOND_NS,
		.slow_octets = 4096 };
	const struct mrg_http_handler handler = { .ctx = &w->files, .head = head, .unix_s = unix_s };
	const size_t memory =
		mrg_unix_tree_memory(&mrg_unix_tree_usual) + mrg_http_server_memory(&limits) + 8192;
	if (mrg_unix_arena_open(&w->arena, memory, memory) != 0 ||
		mrg_unix_tree_open(
			&w->tree, &mrg_unix_tree_kernel, &w->arena, folder, &mrg_unix_tree_usual) != 0)
		bench_die("%s: cannot be opened", folder);
	w->host.tree = &w->tree.tree;
	w->files = (struct mrg_http_files){
		.hosts = &w->host, .host_count = 1, .index = MRG_LITERAL("index.html")
	};
	if (mrg_http_server_init(&w->server, &w->arena, &w->timers, &limits, &handler) != MRG_OK)
		bench_die("httpwork: no memory");
	w->conn.stream.ops = &ops;
	if (!w->server.user.open(&w->server, &w->conn.stream, mrg_unix_now_ns()))
		bench_die("httpwork: no connection");
}

static void requests_make(struct work *w, const char *path, const char *fields)
{
	const int len = snprintf(
		w->requests, REQUEST_MAX, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n%s\r\n", path, fields);
	if (len < 0 || len >= REQUEST_MAX)
		bench_die("httpwork: a request that is too long");
	w->request_len = (size_t)len;
	for (size_t i = 1; i < DEPTH; i++)
		memcpy(w->requests + i * (size_t)len, w->requests, (size_t)len);
}

static void turns(void *ctx)
{
	struct work *const w = ctx;
	for (size_t i = 0; i < TURNS; i++)
		w->server.user.ready(&w->server, &w->conn.stream, MRG_STREAM_READABLE, mrg_unix_now_ns());
}

static void measure(struct work *w, const char *name, size_t depth, unsigned ms)
{
	char what[64];
	w->conn.in = (struct mrg_span){ (const uint8_t *)w->requests, depth * w->request_len };
	(void)snprintf(what, sizeof what, "%s x%zu", name, depth);
	bench_result(what, bench_time(turns, w, TURNS * depth, ms));
	const struct mrg_http_counts *const n = &w->server.counts;
	if (n->answers != n->requests || n->statuses[2] != n->answers)
		bench_die("httpwork: not every request is answered by 200");
}

int main(int argc, char **argv)
{
	static const char browser[] =
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
		"Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n"
		"Connection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\n"
		"Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\nPriority: u=0, i\r\n";
	static struct work w;
	if (argc != 4)
		bench_die("usage: httpwork FOLDER PATH MILLISECONDS");
	const unsigned ms = (unsigned)atoi(argv[3]);
	open_all(&w, argv[1]);
	requests_make(&w, argv[2], "");
	measure(&w, "short", 1, ms);
	measure(&w, "short", DEPTH, ms);
	requests_make(&w, argv[2], browser);
	measure(&w, "browser", 1, ms);
	return 0;
}
