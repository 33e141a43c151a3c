/* See pipe.h. */
#include "fuzz/pipe.h"

#include <string.h>

#include "fuzz/subject.h"

static struct pipe *of(struct mrg_stream *s) { return (struct pipe *)(void *)s; }

static void misuse(struct pipe *p, const char *what)
{
	if (p->misuse == NULL)
		p->misuse = what;
}

static enum mrg_io do_read(struct mrg_stream *s, uint8_t *b, size_t cap, size_t *got)
{
	struct pipe *const p = of(s);
	p->calls++;
	if (p->closed || cap == 0)
		misuse(p, p->closed ? "read behind close" : "read without room");
	if (p->broken)
		return MRG_IO_RESET;
	const size_t n = fuzz_least(cap, p->arrived - p->in_off);
	if (n == 0)
		return p->in_off == p->in_len && !p->silent ? MRG_IO_EOF : MRG_IO_AGAIN;
	memcpy(b, p->in + p->in_off, n);
	p->in_off += n;
	*got = n;
	return MRG_IO_OK;
}

static enum mrg_io do_write(
	struct mrg_stream *s, const struct mrg_span *parts, size_t count, bool more, size_t *done)
{
	struct pipe *const p = of(s);
	(void)more;
	p->calls++;
	*done = 0;
	if (p->closed || p->finished)
		misuse(p, p->closed ? "write behind close" : "write behind finish");
	if (p->broken)
		return MRG_IO_RESET;
	for (size_t i = 0; i < count; i++) {
		if (parts[i].len == 0)
			misuse(p, "write of nothing");
		const size_t n = fuzz_least(parts[i].len, p->room);
		const size_t kept = fuzz_least(n, p->out_cap - p->out_len);
		if (kept != 0)
			memcpy(p->out + p->out_len, parts[i].p, kept);
		p->lost = p->lost || kept != n;
		p->out_len += kept;
		p->room -= n;
		*done += n;
	}
	return *done == 0 ? MRG_IO_AGAIN : MRG_IO_OK;
}

static void do_want(struct mrg_stream *s, unsigned events)
{
	struct pipe *const p = of(s);
	if (p->closed)
		misuse(p, "want behind close");
	p->want = events;
}

static void do_finish(struct mrg_stream *s)
{
	struct pipe *const p = of(s);
	if (p->closed || p->finished)
		misuse(p, "finish behind finish");
	p->finished = true;
}

static void do_close(struct mrg_stream *s)
{
	struct pipe *const p = of(s);
	if (p->closed)
		misuse(p, "close behind close");
	p->closed = true;
}

static void do_peer(struct mrg_stream *s, struct mrg_rt_addr *out)
{
	(void)s;
	memset(out, 0, sizeof *out);
}

static const struct mrg_stream_ops ops = {
	.read = do_read,
	.write = do_write,
	.want = do_want,
	.finish = do_finish,
	.close = do_close,
	.peer = do_peer,
};

void pipe_open(struct pipe *p, const uint8_t *in, size_t len, enum pipe_split split, struct mrg_rng rng,
	uint8_t *out, size_t out_cap)
{
	*p = (struct pipe){ .stream = { .ops = &ops },
		.in = in,
		.in_len = len,
		.out = out,
		.out_cap = out_cap,
		.split = split,
		.rng = rng };
}

/* Mostly a few octets, now and then many. */
static size_t piece(struct mrg_rng *rng)
{
	const uint64_t most = UINT64_C(2) << mrg_rng_below(rng, 11);
	return 1 + (size_t)mrg_rng_below(rng, most);
}

/* Let more come. */
static void arrive(struct pipe *p)
{
	const size_t left = p->in_len - p->arrived;
	const size_t n = p->split == PIPE_WHOLE ? left : p->split == PIPE_OCTETS ? 1 : piece(&p->rng);
	p->arrived += fuzz_least(n, left);
}

enum { BREAKS_OF = 200 }; /* steps, one */

bool pipe_step(struct pipe *p, const struct mrg_stream_user *user, uint64_t now_ns)
{
	if (p->closed)
		return false;
	p->room = p->split < PIPE_SLOW ? SIZE_MAX : mrg_rng_below(&p->rng, 4) == 0 ? 0 : piece(&p->rng);
	if (p->in_off == p->arrived)
		arrive(p);
	/* a peer that takes nothing now is asked again; one that takes nothing for ever is not what this is about */
	unsigned events = p->want & (unsigned)(MRG_STREAM_READABLE | MRG_STREAM_WRITABLE);
	if (p->room == 0)
		events &= ~(unsigned)MRG_STREAM_WRITABLE;
	if (p->silent && p->in_off == p->in_len)
		events &= ~(unsigned)MRG_STREAM_READABLE;
	p->broken = p->split == PIPE_ROUGH && mrg_rng_below(&p->rng, BREAKS_OF) == 0;
	if (p->broken)
		events = (unsigned)MRG_STREAM_READABLE | (unsigned)MRG_STREAM_WRITABLE;
	if (events == 0)
		return (p->want & MRG_STREAM_WRITABLE) != 0;
	p->calls++;
	user->ready(user->ctx, &p->stream, events, now_ns);
	if (p->broken && !p->closed)
		misuse(p, "a broken connection is kept");
	return true;
}

bool pipe_wait(struct pipe *p, struct mrg_rt_timers *timers, uint64_t *now_ns)
{
	enum { ROUNDS = 40 };
	for (unsigned i = 0; i < ROUNDS && !p->closed; i++) {
		const uint64_t next = mrg_rt_timers_next(timers);
		if (next == MRG_RT_NEVER)
			return false;
		*now_ns = next > *now_ns ? next : *now_ns;
		mrg_rt_timers_run(timers, *now_ns);
	}
	return p->closed;
}
