/* For tests of protocols/http: see peers.h. */
#include "peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "heads.h"
#include "tree.h"

struct mrg_http_server server;
struct mrg_rt_timers timers;
uint64_t now;

static struct mrg_arena arena;
static struct peer *peers;

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* ---- the stream ---- */

/* Behind what is given lies something else each time, so that who believes it is seen to. */
static enum mrg_io do_read(struct mrg_stream *s, uint8_t *b, size_t cap, size_t *got)
{
	static const uint8_t junk[] = "\r\n\r\n0 :xX\0\377\n\n";
	struct peer *const p = (struct peer *)(void *)s;
	MUST(!p->closed);
	MUST(cap > 0);
	p->reads++;
	size_t n = least(cap, p->arrived - p->in_off);
	if (p->read_most != 0)
		n = least(n, p->read_most);
	memset(b + n, junk[p->reads % sizeof junk], least(cap - n, 300));
	if (n == 0 && p->reset)
		return MRG_IO_RESET;
	if (n == 0)
		return p->eof && p->in_off == p->in_len ? MRG_IO_EOF : MRG_IO_AGAIN;
	memcpy(b, p->in + p->in_off, n);
	p->in_off += n;
	*got = n;
	return MRG_IO_OK;
}

static void take(struct peer *p, const uint8_t *b, size_t n)
{
	if (n == 0)
		return;
	grow(&p->out, &p->out_cap, p->out_len + n);
	memcpy(p->out + p->out_len, b, n);
	p->out_len += n;
	p->write_room -= n;
}

static size_t room_of(const struct peer *p)
{
	return p->write_most != 0 ? least(p->write_most, p->write_room) : p->write_room;
}

static enum mrg_io do_write(
	struct mrg_stream *s, const struct mrg_span *parts, size_t count, bool more, size_t *done)
{
	struct peer *const p = (struct peer *)(void *)s;
	size_t room = room_of(p);
	p->more = more;
	MUST(!p->closed && !p->finished);
	MUST(count > 0);
	p->writes++;
	if (p->reset)
		return MRG_IO_RESET;
	*done = 0;
	for (size_t i = 0; i < count; i++) {
		MUST(parts[i].len > 0);
		const size_t n = least(room, parts[i].len);
		take(p, parts[i].p, n);
		*done += n;
		room -= n;
	}
	return *done == 0 ? MRG_IO_AGAIN : MRG_IO_OK;
}

static enum mrg_io do_send_file(
	struct mrg_stream *s, const struct mrg_rt_file *f, uint64_t offset, uint64_t len, size_t *done)
{
	struct peer *const p = (struct peer *)(void *)s;
	MUST(!p->closed && !p->finished);
	MUST(f->p == NULL);
	MUST(len > 0);
	p->more = false;
	p->writes++;
	const size_t n = least(room_of(p), (size_t)len);
	if (p->reset)
		return MRG_IO_RESET;
	const struct mrg_span there = hidden_octets(f, offset, n == 0 ? 1 : n);
	if (there.len == 0)
		return MRG_IO_EOF;
	if (n == 0)
		return MRG_IO_AGAIN;
	take(p, there.p, there.len);
	*done = there.len;
	return MRG_IO_OK;
}

static void do_want(struct mrg_stream *s, unsigned events)
{
	struct peer *const p = (struct peer *)(void *)s;
	MUST(!p->closed);
	p->want = events;
}

static void do_finish(struct mrg_stream *s)
{
	struct peer *const p = (struct peer *)(void *)s;
	MUST(!p->closed && !p->finished);
	p->finished = true;
}

static void do_close(struct mrg_stream *s)
{
	struct peer *const p = (struct peer *)(void *)s;
	MUST(!p->closed);
	p->closed = true;
}

static const struct mrg_stream_ops ops = {
	.read = do_read,
	.write = do_write,
	.send_file = do_send_file,
	.want = do_want,
	.finish = do_finish,
	.close = do_close,
};

/* ---- the server ---- */

struct mrg_http_limits peers_limits(void)
{
	return (struct mrg_http_limits){
		.conn_count = 8,
		.big_count = 3,
		.out_count = 3,
		.body_max = 100000,
		.idle_ns = 60u * MRG_RT_SECOND_NS,
		.head_ns = 10u * MRG_RT_SECOND_NS,
		.body_ns = 20u * MRG_RT_SECOND_NS,
		.send_ns = 30u * MRG_RT_SECOND_NS,
		.linger_ns = 2u * MRG_RT_SECOND_NS,
		.slow_octets = 1000,
	};
}

bool peers_start_in(size_t cap, const struct mrg_http_limits *limits, const struct mrg_http_handler *handler)
{
	arena = (struct mrg_arena){ .cap = cap };
	arena.p = aligned_alloc(4096, (cap + 4096) & ~(size_t)4095);
	memset(arena.p, 0, cap);
	timers = (struct mrg_rt_timers){ .top = NULL };
	now = 5;
	const enum mrg_status st = mrg_http_server_init(&server, &arena, &timers, limits, handler);
	MUST(st == MRG_OK || st == MRG_E_SPACE);
	if (st != MRG_OK)
		free(arena.p);
	return st == MRG_OK;
}

void peers_start(const struct mrg_http_limits *limits, const struct mrg_http_handler *handler)
{
	const struct mrg_http_limits small = peers_limits();
	limits = limits == NULL ? &small : limits;
	MUST(peers_start_in(mrg_http_server_memory(limits), limits, handler));
}

static void check_pool(struct mrg_rt_pool *pool, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		MUST_SAY(
			mrg_rt_pool_get(pool) != NULL, "%u of %u blocks of %zu octets", i, count, pool->size);
	MUST(mrg_rt_pool_get(pool) == NULL);
}

void peers_free(void)
{
	while (peers != NULL) {
		struct peer *const p = peers;
		peers = p->next;
		free(p->in);
		free(p->out);
		free(p);
	}
}

void peers_stop_small(void)
{
	mrg_http_server_close(&server);
	MUST(mrg_http_server_count(&server) == 0);
	MUST(mrg_rt_timers_next(&timers) == MRG_RT_NEVER);
	free(arena.p);
	peers_free();
}

void peers_stop(void)
{
	mrg_http_server_close(&server);
	check_pool(&server.conns, server.limits.conn_count);
	check_pool(&server.small, server.limits.conn_count);
	check_pool(&server.big, server.limits.big_count);
	check_pool(&server.outs, server.limits.out_count);
	peers_stop_small();
}

void pass(uint64_t ns)
{
	now += ns;
	mrg_rt_timers_run(&timers, now);
}

/* ---- clients ---- */

struct peer *peer_new(void)
{
	struct peer *const p = calloc(1, sizeof *p);
	p->stream.ops = &ops;
	p->user = &server.user;
	p->write_room = SIZE_MAX;
	grow(&p->out, &p->out_cap, 1); /* never NULL */
	p->next = peers;
	peers = p;
	return p;
}

struct peer *peer_open(void)
{
	struct peer *const p = peer_new();
	MUST(server.user.open(server.user.ctx, &p->stream, now));
	MUST(p->want == MRG_STREAM_READABLE);
	return p;
}

void peer_send(struct peer *p, struct mrg_span octets)
{
	grow(&p->in, &p->in_cap, p->in_len + octets.len);
	if (octets.len != 0)
		memcpy(p->in + p->in_len, octets.p, octets.len);
	p->in_len += octets.len;
}

void peer_send_text(struct peer *p, const char *text) { peer_send(p, text_of(text)); }

void peer_event(struct peer *p, unsigned events)
{
	p->more = false;
	p->user->ready(p->user->ctx, &p->stream, events, now);
	/* what is to follow in the same event does, unless the client has to take something first */
	MUST(!p->more || p->closed || p->want == MRG_STREAM_WRITABLE);
}

void peer_run(struct peer *p, size_t arrived)
{
	p->arrived = arrived;
	for (unsigned i = 0;; i++) {
		const bool more = p->in_off < p->arrived || p->reset || (p->eof && p->in_off == p->in_len);
		const unsigned readable = more ? MRG_STREAM_READABLE : 0;
		const unsigned writable = p->write_room != 0 || p->reset ? MRG_STREAM_WRITABLE : 0;
		if (p->closed || (p->want & (readable | writable)) == 0)
			return;
		MUST(i < 10000000);
		peer_event(p, p->want & (readable | writable));
	}
}

void peer_run_all(struct peer *p) { peer_run(p, p->in_len); }

void peer_end(struct peer *p)
{
	p->eof = true;
	p->write_room = SIZE_MAX;
	peer_run_all(p);
	MUST(p->closed);
}

/* ---- answers ---- */

const char *peer_answers_to(const struct peer *p, const char *kinds)
{
	static char text[1 << 16];
	struct mrg_span rest = { p->out, p->out_len };
	size_t n = 0, i = 0;
	text[0] = 0;
	while (rest.len != 0) {
		struct answer a;
		const bool to_head = kinds[i] == 'H';
		const size_t len = answer_read(rest, to_head, &a);
		if (a.status >= 200 && kinds[i] != 0)
			i++;
		rest = (struct mrg_span){ rest.p + len, rest.len - len };
		MUST(n + 1100 < sizeof text);
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%u", n == 0 ? "" : ", ", a.status);
		if (a.status >= 200 && a.status < 300 && a.body.len < 1000)
			n += (size_t)snprintf(
				text + n, sizeof text - n, " %.*s", (int)a.body.len, (const char *)a.body.p);
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", a.close ? " close" : "",
			a.keep_alive ? " keep" : "");
	}
	return text;
}

const char *peer_answers(const struct peer *p) { return peer_answers_to(p, ""); }
