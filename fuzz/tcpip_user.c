/* Users of a stack: see tcpip_stack.h. */
#include <string.h>

#include "fuzz/tcpip_stack.h"

/* Write what is owed. */
static bool pay(struct stack_user *u)
{
	while (u->len != 0) {
		const struct mrg_span part = { u->pending, u->len };
		size_t done = 0;
		const enum mrg_io io = mrg_stream_write(u->stream, &part, 1, false, &done);
		if (io == MRG_IO_AGAIN)
			return true;
		if (io != MRG_IO_OK)
			return false;
		u->len -= done;
		memmove(u->pending, u->pending + done, u->len);
	}
	return true;
}

/* Read what there is room for.  False: the connection is gone. */
static bool hear(struct stack_user *u)
{
	uint8_t octets[STACK_PENDING];
	while (!u->eof && u->len < STACK_PENDING) {
		size_t got = 0;
		const enum mrg_io io = mrg_stream_read(u->stream, octets, STACK_PENDING - u->len, &got);
		if (io == MRG_IO_AGAIN)
			return true;
		if (io == MRG_IO_RESET)
			return false;
		u->eof = io == MRG_IO_EOF;
		if (u->eof || !u->echoes)
			continue;
		memcpy(u->pending + u->len, octets, got);
		u->len += got;
	}
	return true;
}

static void leave(struct stack_user *u)
{
	struct mrg_stream *const s = u->stream;
	u->stream = NULL;
	mrg_stream_close(s);
}

static void ready(void *ctx, struct mrg_stream *s, unsigned events, uint64_t now_ns)
{
	struct stack_user *const u = s->conn;
	(void)ctx;
	(void)now_ns;
	if (u->stopped && events != (MRG_STREAM_READABLE | MRG_STREAM_WRITABLE)) {
		mrg_stream_want(s, 0);
		return;
	}
	if (!hear(u) || !pay(u) || (u->eof && u->len == 0)) {
		leave(u);
		return;
	}
	mrg_stream_want(s, u->len != 0 ? MRG_STREAM_WRITABLE : u->eof ? 0 : MRG_STREAM_READABLE);
}

static bool open_user(struct stack_users *all, struct mrg_stream *s, bool echoes)
{
	for (size_t i = 0; i < STACK_USERS; i++)
		if (all->user[i].stream == NULL) {
			struct stack_user *const u = &all->user[i];
			u->stream = s;
			u->echoes = echoes;
			u->stopped = u->eof = false;
			u->len = 0;
			all->newest = i;
			s->conn = u;
			mrg_stream_want(s, MRG_STREAM_READABLE);
			return true;
		}
	return false;
}

static bool open_echo(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	(void)now_ns;
	return open_user(ctx, s, true);
}

static bool open_discard(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	(void)now_ns;
	return open_user(ctx, s, false);
}

static bool spare(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	return false;
}

static void batch(void *ctx, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count, uint64_t now_ns)
{
	(void)ctx;
	(void)e;
	(void)now_ns;
	for (size_t i = 0; i < count; i++) {
		d[i].out_len = fuzz_least(d[i].in.len, d[i].out_cap);
		if (d[i].out_len != 0)
			memcpy(d[i].out, d[i].in.p, d[i].out_len);
	}
}

static void write_some(struct stack_user *u, size_t len)
{
	static const uint8_t octets[4096];
	const struct mrg_span part = { octets, len };
	size_t done;
	if (len != 0)
		(void)mrg_stream_write(u->stream, &part, 1, false, &done);
}

void stack_user_does(struct stack_users *all, unsigned what, size_t much)
{
	struct stack_user *const u = &all->user[all->newest];
	if (u->stream == NULL)
		return;
	switch (what) {
	case STACK_WRITES:
		if (!u->eof)
			write_some(u, much * 16);
		return;
	case STACK_FINISHES: mrg_stream_finish(u->stream); return;
	case STACK_CLOSES: leave(u); return;
	default:
		u->stopped = !u->stopped;
		mrg_stream_want(u->stream, u->stopped ? 0 : MRG_STREAM_READABLE);
		return;
	}
}

void stack_users_go_on(struct stack_users *all)
{
	for (size_t i = 0; i < STACK_USERS; i++)
		if (all->user[i].stream != NULL && all->user[i].stopped)
			leave(&all->user[i]);
}

struct mrg_stream_user stack_service(struct stack_users *all, bool echoes)
{
	return (struct mrg_stream_user){
		.ctx = all, .open = echoes ? open_echo : open_discard, .ready = ready, .spare = spare
	};
}

struct mrg_dgram_user stack_datagrams(void) { return (struct mrg_dgram_user){ .batch = batch }; }
