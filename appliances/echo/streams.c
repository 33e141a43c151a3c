/*
 * Connections to the small services. Memory for octets is only there while some wait to be written.
 * Reading order: connections, the services one by one, ready, open.
 */
#include "appliances/echo/services.h"

enum {
	BUFFER_LEN = 32 << 10, /* octets that are read at a time */
	BLOCK_ALIGN = 64,      /* a pool's blocks are apart by this at most */
	ROUNDS = 16            /* reads and writes of one connection before others get their turn */
};

/* After this long without anything a connection may go, when others have no room. */
static const uint64_t SPARE_NS = 60u * MRG_RT_SECOND_NS;

const char *const service_name[SERVICES] = { "echo", "discard", "chargen", "bye", "stuck", "hi" };

struct stream_conn {
	struct mrg_stream *s;
	struct stream_service *of;
	struct stream_conn *older, *newer;
	uint64_t active_ns;
	uint8_t *buffer;  /* NULL: nothing waits */
	size_t from, len; /* what waits; of chargen `from` is where the pattern goes on */
	bool finished;
};

/* ---- connections ---- */

static struct stream_counts *counts_of(const struct stream_conn *c)
{
	return &c->of->all->counts[c->of->kind];
}

static void unlink_conn(struct streams *t, struct stream_conn *c)
{
	*(c->older != NULL ? &c->older->newer : &t->oldest) = c->newer;
	*(c->newer != NULL ? &c->newer->older : &t->newest) = c->older;
}

static void link_newest(struct streams *t, struct stream_conn *c, uint64_t now_ns)
{
	c->active_ns = now_ns;
	c->older = t->newest;
	c->newer = NULL;
	*(t->newest != NULL ? &t->newest->newer : &t->oldest) = c;
	t->newest = c;
}

static void buffer_free(struct stream_conn *c)
{
	if (c->buffer != NULL)
		mrg_rt_pool_put(&c->of->all->buffers, c->buffer);
	c->buffer = NULL;
}

static void conn_close(struct stream_conn *c, uint64_t *why)
{
	struct streams *const t = c->of->all;
	(*why)++;
	mrg_stream_close(c->s);
	buffer_free(c);
	unlink_conn(t, c);
	mrg_rt_pool_put(&t->conns, c);
	t->open--;
}

static void broken(struct stream_conn *c) { conn_close(c, &counts_of(c)->broken); }
static void done(struct stream_conn *c) { conn_close(c, &counts_of(c)->closed_whole); }

/* ---- echo ---- */

/* As many buffers as connections: there is one. */
static enum mrg_io fill(struct stream_conn *c)
{
	if (c->buffer == NULL)
		c->buffer = mrg_rt_pool_get(&c->of->all->buffers);
	if (c->buffer == NULL)
		return MRG_IO_RESET;
	c->from = 0;
	const enum mrg_io io = mrg_stream_read(c->s, c->buffer, BUFFER_LEN, &c->len);
	if (io != MRG_IO_OK)
		c->len = 0;
	counts_of(c)->octets_in += c->len;
	return io;
}

static enum mrg_io empty(struct stream_conn *c)
{
	size_t took = 0;
	const struct mrg_span rest = { c->buffer + c->from, c->len };
	const enum mrg_io io = mrg_stream_write(c->s, &rest, 1, false, &took);
	if (io == MRG_IO_OK) {
		counts_of(c)->octets_out += took;
		c->from += took;
		c->len -= took;
	}
	return io;
}

static void echo(struct stream_conn *c)
{
	enum mrg_io io = MRG_IO_OK;
	for (unsigned i = 0; i < ROUNDS && io == MRG_IO_OK; i++)
		io = c->len == 0 ? fill(c) : empty(c);
	if (io == MRG_IO_RESET) {
		broken(c);
	} else if (io == MRG_IO_EOF) {
		done(c); /* all that came has gone back: closing ends our half as well */
	} else {
		if (c->len == 0)
			buffer_free(c);
		mrg_stream_want(c->s, c->len != 0 ? MRG_STREAM_WRITABLE : MRG_STREAM_READABLE);
	}
}

/* ---- discard ---- */

/* Forget what there is; false: the connection is over. */
static bool discard(struct stream_conn *c)
{
	enum mrg_io io = MRG_IO_OK;
	for (unsigned i = 0; i < ROUNDS && io == MRG_IO_OK; i++)
		io = fill(c);
	c->len = 0;
	buffer_free(c);
	if (io == MRG_IO_RESET)
		broken(c);
	else if (io == MRG_IO_EOF)
		done(c);
	return io == MRG_IO_OK || io == MRG_IO_AGAIN;
}

/* ---- chargen ---- */

static void lay_pattern(uint8_t out[CHARGEN_LEN])
{
	for (unsigned line = 0; line < CHARGEN_CHARS; line++) {
		uint8_t *const at = out + line * CHARGEN_LINE;
		for (unsigned i = 0; i < CHARGEN_LINE - 2u; i++)
			at[i] = (uint8_t)(' ' + (line + i) % CHARGEN_CHARS);
		at[CHARGEN_LINE - 2] = '\r';
		at[CHARGEN_LINE - 1] = '\n';
	}
}

static void chargen(struct stream_conn *c, unsigned events)
{
	const size_t at = c->from;
	if ((events & MRG_STREAM_READABLE) != 0 && !discard(c))
		return;
	const uint8_t *const p = c->of->all->pattern;
	const struct mrg_span parts[] = { { p + at, CHARGEN_LEN - at }, { p, CHARGEN_LEN },
		{ p, CHARGEN_LEN } };
	size_t took = 0;
	const enum mrg_io io = mrg_stream_write(c->s, parts, sizeof parts / sizeof parts[0], false, &took);
	if (io == MRG_IO_RESET) {
		broken(c);
		return;
	}
	counts_of(c)->octets_out += took;
	c->from = (at + took) % CHARGEN_LEN;
	mrg_stream_want(c->s, MRG_STREAM_READABLE | MRG_STREAM_WRITABLE);
}

/* ---- bye ---- */

/* Octets have come: from here on the buffer holds the answer, until that is written. */
static enum mrg_io hear(struct stream_conn *c)
{
	static const uint8_t word[] = { 'b', 'y', 'e', '\n' };
	const enum mrg_io io = fill(c);
	if (io != MRG_IO_OK) {
		buffer_free(c);
		return io;
	}
	memcpy(c->buffer, word, sizeof word);
	c->len = sizeof word;
	return MRG_IO_OK;
}

static void bye(struct stream_conn *c)
{
	enum mrg_io io = MRG_IO_OK;
	if (c->finished) {
		(void)discard(c);
		return;
	}
	if (c->buffer == NULL)
		io = hear(c);
	if (io == MRG_IO_OK)
		io = empty(c);
	if (io == MRG_IO_RESET) {
		broken(c);
	} else if (io == MRG_IO_EOF) {
		done(c);
	} else if (c->len != 0) {
		mrg_stream_want(c->s, MRG_STREAM_WRITABLE);
	} else if (c->buffer != NULL) {
		buffer_free(c);
		c->finished = true;
		mrg_stream_finish(c->s);
		mrg_stream_want(c->s, MRG_STREAM_READABLE);
	}
}

/* ---- for all ---- */

static void ready(void *ctx, struct mrg_stream *s, unsigned events, uint64_t now_ns)
{
	struct stream_conn *const c = s->conn;
	(void)ctx;
	unlink_conn(c->of->all, c);
	link_newest(c->of->all, c, now_ns);
	switch (c->of->kind) {
	case SERVICE_ECHO:
	case SERVICE_HI: echo(c); break;
	case SERVICE_DISCARD: (void)discard(c); break;
	case SERVICE_CHARGEN: chargen(c, events); break;
	case SERVICE_BYE: bye(c); break;
	case SERVICE_STUCK:
	default: broken(c); break; /* it has asked for nothing, so this is its end */
	}
}

/* Connections of ours speak first. */
static bool greet(struct stream_conn *c)
{
	static const uint8_t word[] = { 'h', 'i', '\n' };
	c->buffer = mrg_rt_pool_get(&c->of->all->buffers);
	if (c->buffer == NULL)
		return false;
	memcpy(c->buffer, word, sizeof word);
	c->len = sizeof word;
	return true;
}

static unsigned wanted_first(enum service kind)
{
	switch (kind) {
	case SERVICE_STUCK: return 0;
	case SERVICE_HI: return MRG_STREAM_WRITABLE;
	case SERVICE_CHARGEN: return MRG_STREAM_READABLE | MRG_STREAM_WRITABLE;
	default: return MRG_STREAM_READABLE;
	}
}

static bool open_conn(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	struct stream_service *const of = ctx;
	struct streams *const t = of->all;
	struct stream_conn *const c = mrg_rt_pool_get(&t->conns);
	if (c != NULL)
		*c = (struct stream_conn){ .s = s, .of = of };
	if (c == NULL || (of->kind == SERVICE_HI && !greet(c))) {
		t->counts[of->kind].refused++;
		if (c != NULL)
			mrg_rt_pool_put(&t->conns, c);
		return false;
	}
	t->counts[of->kind].opened++;
	t->open++;
	link_newest(t, c, now_ns);
	s->conn = c;
	mrg_stream_want(s, wanted_first(of->kind));
	return true;
}

static bool spare(void *ctx, uint64_t now_ns)
{
	const struct stream_service *const of = ctx;
	struct stream_conn *const c = of->all->oldest;
	if (c == NULL || now_ns < c->active_ns || now_ns - c->active_ns < SPARE_NS)
		return false;
	conn_close(c, &counts_of(c)->spared);
	return true;
}

size_t streams_memory(size_t conn_count)
{
	return conn_count * (sizeof(struct stream_conn) + BUFFER_LEN + 2u * BLOCK_ALIGN);
}

void streams_init(struct streams *t, struct mrg_arena *arena, size_t conn_count)
{
	*t = (struct streams){ .open = 0 };
	mrg_rt_pool_init(&t->conns, arena, sizeof(struct stream_conn), conn_count);
	mrg_rt_pool_init(&t->buffers, arena, BUFFER_LEN, conn_count);
	lay_pattern(t->pattern);
	for (unsigned i = 0; i < SERVICES; i++) {
		t->service[i] = (struct stream_service){ .all = t, .kind = (enum service)i };
		t->user[i] = (struct mrg_stream_user){
			.ctx = &t->service[i], .open = open_conn, .ready = ready, .spare = spare
		};
	}
}

void streams_close(struct streams *t)
{
	while (t->oldest != NULL)
		done(t->oldest);
}
