/* Two ends of a connection: see stream_pair.h. */
#include "stream_pair.h"

#include <check.h>
#include <string.h>

static struct stream_pair_end *end_of(struct mrg_stream *s) { return (struct stream_pair_end *)(void *)s; }

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static enum mrg_io pair_read(struct mrg_stream *s, uint8_t *p, size_t cap, size_t *got)
{
	struct stream_pair_end *const e = end_of(s);
	const struct stream_pair *const pair = e->pair;
	ck_assert(!e->closed);
	ck_assert_uint_gt(cap, 0);
	if (pair->broken)
		return MRG_IO_RESET;
	if (e->len == 0)
		return e->other->finished || e->other->closed ? MRG_IO_EOF : MRG_IO_AGAIN;
	size_t n = least(cap, e->len);
	if (pair->most != NULL)
		n = least(n, pair->most(pair->ctx, e));
	ck_assert_uint_gt(n, 0);
	memcpy(p, e->octets + e->from, n);
	e->from += n;
	e->len -= n;
	e->came += n;
	if (e->len == 0)
		e->from = 0;
	*got = n;
	return MRG_IO_OK;
}

static size_t room_for(const struct stream_pair_end *reader)
{
	const size_t most = least(reader->pair->room, STREAM_PAIR_ROOM);
	return reader->len >= most ? 0
				   : least(most - reader->len, STREAM_PAIR_ROOM - reader->from - reader->len);
}

static enum mrg_io pair_write(
	struct mrg_stream *s, const struct mrg_span *parts, size_t count, bool more, size_t *done)
{
	struct stream_pair_end *const e = end_of(s), *const to = e->other;
	(void)more;
	ck_assert(!e->closed && !e->finished);
	ck_assert_uint_eq(count, 1);
	if (e->pair->broken || to->closed)
		return MRG_IO_RESET;
	const size_t n = least(parts[0].len, room_for(to));
	if (n == 0)
		return MRG_IO_AGAIN;
	memcpy(to->octets + to->from + to->len, parts[0].p, n);
	to->len += n;
	*done = n;
	return MRG_IO_OK;
}

static void pair_want(struct mrg_stream *s, unsigned events) { end_of(s)->want = events; }

static void pair_finish(struct mrg_stream *s) { end_of(s)->finished = true; }

static void pair_close(struct mrg_stream *s)
{
	ck_assert(!end_of(s)->closed);
	end_of(s)->closed = true;
}

static void pair_peer(struct mrg_stream *s, struct mrg_rt_addr *out)
{
	(void)s;
	*out = (struct mrg_rt_addr){ .family = 4, .ip = { 192, 0, 2, 1 } };
}

static const struct mrg_stream_ops pair_ops = {
	.read = pair_read,
	.write = pair_write,
	.want = pair_want,
	.finish = pair_finish,
	.close = pair_close,
	.peer = pair_peer,
};

bool stream_pair_open(struct stream_pair *p, const struct mrg_stream_user *a, const struct mrg_stream_user *b,
	uint64_t now_ns)
{
	p->a = (struct stream_pair_end){
		.stream = { .ops = &pair_ops }, .pair = p, .other = &p->b, .user = a
	};
	p->b = (struct stream_pair_end){
		.stream = { .ops = &pair_ops }, .pair = p, .other = &p->a, .user = b
	};
	p->broken = false;
	return a->open(a->ctx, &p->a.stream, now_ns) && b->open(b->ctx, &p->b.stream, now_ns);
}

static bool step(const struct stream_pair *p, struct stream_pair_end *e, uint64_t now_ns)
{
	const bool reset = p->broken || (e->other->closed && e->len == 0);
	const unsigned readable =
		e->len != 0 || e->other->finished || reset ? (unsigned)MRG_STREAM_READABLE : 0;
	const unsigned writable = room_for(e->other) != 0 || reset ? (unsigned)MRG_STREAM_WRITABLE : 0;
	const unsigned events = p->broken ? readable | writable : e->want & (readable | writable);
	if (e->closed || events == 0)
		return false;
	e->user->ready(e->user->ctx, &e->stream, events, now_ns);
	return true;
}

bool stream_pair_run(struct stream_pair *p, unsigned turns, uint64_t now_ns)
{
	bool more = true;
	for (; more && turns > 0; turns--) {
		more = step(p, &p->a, now_ns);
		more = step(p, &p->b, now_ns) || more;
	}
	return more;
}
