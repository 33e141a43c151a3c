/*
 * Ends of either kind.
 * Reading order: datagrams, files on streams, listeners.
 */
#include <errno.h>
#include <unistd.h>

#include "appliances/common/ends.h"

/* ---- datagrams ---- */

static void count_batch(
	void *ctx, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count, uint64_t now_ns)
{
	const struct end_dgram *const end = ctx;
	end->user->batch(end->user->ctx, e, d, count, now_ns);
	end->loop->counts.dgram_in += count;
	for (size_t i = 0; i < count; i++)
		end->loop->counts.dgram_out += d[i].out_len != 0;
}

int end_dgram_open(struct end_dgram *d, const struct ends *e, int fd, struct mrg_rt_addr *a,
	const struct mrg_dgram_user *user)
{
	*d = (struct end_dgram){ .user = user, .loop = e->loop };
	if (e->net == NULL)
		return mrg_unix_udp_init(&d->kernel, e->loop, e->arena, fd, a, user);
	d->counted = (struct mrg_dgram_user){ .ctx = d, .batch = count_batch };
	d->own = mrg_tcpip_udp_bind(e->net->stack, a, &d->counted);
	return d->own != NULL ? 0 : EADDRINUSE;
}

void end_dgram_close(struct end_dgram *d)
{
	if (d->own != NULL)
		mrg_tcpip_udp_close(d->own);
	else
		mrg_unix_udp_close(&d->kernel);
}

/* ---- files on streams ---- */

/* Our own streams take bytes, so those of the file are read: as many as may go at once. */
static enum mrg_io send_file(
	struct mrg_stream *s, const struct mrg_rt_file *f, uint64_t offset, uint64_t len, size_t *done)
{
	enum { PIECE = 32 << 10 };
	uint8_t piece[PIECE];
	const int fd = ((const struct mrg_unix_file *)(const void *)f)->fd;
	if (offset >= f->size)
		return MRG_IO_EOF;
	const uint64_t left = f->size - offset < len ? f->size - offset : len;
	const ssize_t n = pread(fd, piece, (size_t)(left < PIECE ? left : PIECE), (off_t)offset);
	if (n == 0)
		return MRG_IO_EOF;
	if (n < 0)
		return errno == EINTR || errno == ENOMEM ? MRG_IO_AGAIN : MRG_IO_RESET;
	const struct mrg_span part = { piece, (size_t)n };
	return s->ops->write(s, &part, 1, (uint64_t)n < left, done);
}

static bool open_with_files(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	struct end_listener *const t = ctx;
	t->ops = *s->ops; /* the same of each connection */
	t->ops.send_file = send_file;
	s->ops = &t->ops;
	return t->user->open(t->user->ctx, s, now_ns);
}

static void ready(void *ctx, struct mrg_stream *s, unsigned events, uint64_t now_ns)
{
	const struct end_listener *const t = ctx;
	t->user->ready(t->user->ctx, s, events, now_ns);
}

static bool spare(void *ctx, uint64_t now_ns)
{
	const struct end_listener *const t = ctx;
	return t->user->spare(t->user->ctx, now_ns);
}

/* ---- listeners ---- */

int end_listener_open(struct end_listener *t, const struct ends *e, int fd, struct mrg_rt_addr *a,
	const struct mrg_stream_user *user)
{
	*t = (struct end_listener){ .user = user };
	if (e->net == NULL)
		return mrg_unix_listener_init(&t->kernel, e->loop, fd, user);
	t->with_files =
		(struct mrg_stream_user){ .ctx = t, .open = open_with_files, .ready = ready, .spare = spare };
	t->own = mrg_tcpip_listen(e->net->stack, a, &t->with_files);
	return t->own != NULL ? 0 : EADDRINUSE;
}

void end_listener_drain(struct end_listener *t)
{
	if (t->own != NULL)
		mrg_tcpip_listener_close(t->own);
	else
		mrg_unix_listener_drain(&t->kernel);
}
