/* Connections that are made up. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/protocols/dns/stream_fake.h"

static struct fake *fakes;
uint64_t fake_copied;

size_t fake_least(size_t a, size_t b) { return a < b ? a : b; }

static enum mrg_io fake_read(struct mrg_stream *s, uint8_t *p, size_t cap, size_t *got)
{
	struct fake *const f = (struct fake *)(void *)s;
	ck_assert(!f->closed);
	ck_assert_uint_gt(cap, 0);
	size_t n = fake_least(cap, f->arrived - f->in_off);
	if (f->read_most != 0)
		n = fake_least(n, f->read_most);
	if (n == 0 && f->reset)
		return MRG_IO_RESET;
	if (n == 0)
		return f->eof && f->in_off == f->in_len ? MRG_IO_EOF : MRG_IO_AGAIN;
	memcpy(p, f->in + f->in_off, n);
	f->in_off += n;
	fake_copied += n;
	*got = n;
	return MRG_IO_OK;
}

static enum mrg_io fake_write(
	struct mrg_stream *s, const struct mrg_span *parts, size_t count, bool more, size_t *done)
{
	struct fake *const f = (struct fake *)(void *)s;
	ck_assert(!f->closed && !f->finished && !more);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_gt(parts[0].len, 0);
	if (f->reset && f->in_off == f->in_len)
		return MRG_IO_RESET;
	size_t n = fake_least(parts[0].len, f->write_room);
	if (f->write_most != 0)
		n = fake_least(n, f->write_most);
	if (n == 0)
		return MRG_IO_AGAIN;
	if (f->out_len + n > f->out_cap) {
		f->out_cap = 2 * (f->out_len + n);
		f->out = realloc(f->out, f->out_cap);
	}
	memcpy(f->out + f->out_len, parts[0].p, n);
	f->out_len += n;
	f->write_room -= n;
	*done = n;
	return MRG_IO_OK;
}

static void fake_want(struct mrg_stream *s, unsigned events) { ((struct fake *)(void *)s)->want = events; }

static void fake_finish(struct mrg_stream *s) { ((struct fake *)(void *)s)->finished = true; }

static void fake_close(struct mrg_stream *s)
{
	struct fake *const f = (struct fake *)(void *)s;
	ck_assert(!f->closed);
	f->closed = true;
}

static void fake_peer(struct mrg_stream *s, struct mrg_rt_addr *out)
{
	*out = ((struct fake *)(void *)s)->peer;
}

static const struct mrg_stream_ops fake_ops = {
	.read = fake_read,
	.write = fake_write,
	.want = fake_want,
	.finish = fake_finish,
	.close = fake_close,
	.peer = fake_peer,
};

struct fake *fake_new(void)
{
	struct fake *const f = calloc(1, sizeof *f);
	f->stream.ops = &fake_ops;
	f->write_room = SIZE_MAX;
	f->next = fakes;
	fakes = f;
	return f;
}

void fakes_free(void)
{
	while (fakes != NULL) {
		struct fake *const f = fakes;
		fakes = f->next;
		free(f->in);
		free(f->out);
		free(f);
	}
}

void fake_send_bytes(struct fake *f, const void *p, size_t len)
{
	f->in = realloc(f->in, f->in_len + len + 1);
	if (len != 0)
		memcpy(f->in + f->in_len, p, len);
	f->in_len += len;
}

void fake_send_query(struct fake *f, const char *text, size_t len)
{
	const uint8_t prefix[2] = { (uint8_t)(len >> 8), (uint8_t)len };
	uint8_t *const body = malloc(len + 1);
	memset(body, 'q', len);
	memcpy(body, text, fake_least(strlen(text), len));
	fake_send_bytes(f, prefix, sizeof prefix);
	fake_send_bytes(f, body, len);
	free(body);
}

void fake_run(struct fake *f, const struct mrg_stream_user *user, size_t arrived, uint64_t now_ns)
{
	f->arrived = arrived;
	for (;;) {
		const bool more = f->in_off < f->arrived || f->reset || (f->eof && f->in_off == f->in_len);
		const unsigned readable = more ? MRG_STREAM_READABLE : 0;
		const unsigned writable = f->write_room != 0 ? MRG_STREAM_WRITABLE : 0;
		if (f->closed || (f->want & (readable | writable)) == 0)
			return;
		user->ready(user->ctx, &f->stream, f->want & (readable | writable), now_ns);
	}
}
