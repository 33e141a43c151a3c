/*
 * A client's connection. What may be asked when, and when it ends, is said by the machine of specs/dns/stream.mrg.
 * Reading order: what the machine asks for, the end and the limits, writing, reading, the events.
 */
#include "protocols/dns/client.h"

#include "dns/message.h"

enum {
	FRAME_MAX = UINT16_MAX + (int)sizeof(uint16_t),
	IN_MAX = 2 * FRAME_MAX, /* behind a part of a message there is room for a whole one */
	PIECE = 32 << 10,       /* octets that are read before others get their turn */
	LINE = 64               /* bytes of a cache line */
};

/* ---- what the machine asks for ---- */

/* The query is behind the others already; a message is with the handler. */
void mrg_dns_stream_client_do_query(const struct mrg_dns_stream_client *m, void *ctx)
{
	struct mrg_dns_client *const c = ctx;
	c->moved = c->moved || m->waiting == 1;
}

void mrg_dns_stream_client_do_answered(const struct mrg_dns_stream_client *m, void *ctx)
{
	struct mrg_dns_client *const c = ctx;
	(void)m;
	c->moved = true;
}

void mrg_dns_stream_client_do_continued(const struct mrg_dns_stream_client *m, void *ctx)
{
	struct mrg_dns_client *const c = ctx;
	(void)m;
	c->moved = true;
}

void mrg_dns_stream_client_do_lost(const struct mrg_dns_stream_client *m, void *ctx, uint8_t count)
{
	struct mrg_dns_client *const c = ctx;
	(void)m;
	c->lost = count;
}

void mrg_dns_stream_client_do_end(const struct mrg_dns_stream_client *m, void *ctx)
{
	struct mrg_dns_client *const c = ctx;
	(void)m;
	if (c->s != NULL)
		mrg_stream_close(c->s);
	c->s = NULL;
}

/* ---- the end and the limits ---- */

static bool over(const struct mrg_dns_client *c) { return c->m.state == MRG_DNS_STREAM_CLIENT_CLOSED; }

static void stop(struct mrg_dns_client *c, enum mrg_dns_client_end end)
{
	if (over(c))
		return;
	c->end = end;
	(void)mrg_dns_stream_client_on_abort(&c->m, c);
}

static void limit(struct mrg_dns_client *c, uint64_t ns, uint64_t now_ns)
{
	const uint64_t left = MRG_RT_NEVER - 1u - now_ns;
	mrg_rt_timer_set(c->timers, &c->timer, now_ns + (ns < left ? ns : left));
}

/* An event is over: tell of the end, or say what to wait for. */
static void settle(struct mrg_dns_client *c, uint64_t now_ns)
{
	c->busy = false;
	if (over(c)) {
		mrg_rt_timer_cancel(c->timers, &c->timer);
		c->open = false;
		c->handler.closed(c->handler.ctx, c->end, c->lost);
		return;
	}
	if (c->moved)
		limit(c, c->m.waiting != 0 ? c->limits.reply_ns : c->limits.idle_ns, now_ns);
	c->moved = false;
	mrg_stream_want(c->s, MRG_STREAM_READABLE | (c->out_len != 0 ? MRG_STREAM_WRITABLE : 0u));
}

/* ---- writing ---- */

static void write_out(struct mrg_dns_client *c)
{
	while (c->out_len != 0 && !over(c)) {
		const struct mrg_span part = { c->out, c->out_len };
		size_t done = 0;
		const enum mrg_io io = mrg_stream_write(c->s, &part, 1, false, &done);
		if (io == MRG_IO_AGAIN)
			return;
		if (io != MRG_IO_OK) {
			stop(c, MRG_DNS_CLIENT_BROKEN);
			return;
		}
		memmove(c->out, c->out + done, c->out_len - done);
		c->out_len -= done;
	}
}

/* ---- reading ---- */

static void take(struct mrg_dns_client *c, struct mrg_span message)
{
	if (c->m.waiting == 0) {
		stop(c, MRG_DNS_CLIENT_UNSOLICITED);
		return;
	}
	const enum mrg_dns_client_verdict verdict = c->handler.message(c->handler.ctx, message);
	if (over(c)) /* closed by the handler */
		return;
	switch (verdict) {
	case MRG_DNS_CLIENT_ANSWERED: (void)mrg_dns_stream_client_on_reply(&c->m, c); break;
	case MRG_DNS_CLIENT_CONTINUED: (void)mrg_dns_stream_client_on_part(&c->m, c); break;
	case MRG_DNS_CLIENT_STOP: stop(c, MRG_DNS_CLIENT_STOPPED); break;
	}
}

static void read_in(struct mrg_dns_client *c)
{
	size_t used = 0, n = 0;
	struct mrg_dns_tcp_frame frame;
	const size_t room = IN_MAX - c->in_len;
	const enum mrg_io io =
		mrg_stream_read(c->s, c->in + c->in_len, room < PIECE ? room : (size_t)PIECE, &n);
	if (io == MRG_IO_AGAIN)
		return;
	if (io == MRG_IO_RESET) {
		stop(c, MRG_DNS_CLIENT_BROKEN);
		return;
	}
	if (io == MRG_IO_EOF) {
		c->end = MRG_DNS_CLIENT_ENDED;
		(void)mrg_dns_stream_client_on_end(&c->m, c);
		return;
	}
	c->in_len += n;
	while (!over(c) && mrg_dns_tcp_frame_check((struct mrg_span){ c->in + used, c->in_len - used },
				   &frame, NULL) == MRG_OK) {
		used += frame.len;
		take(c, mrg_dns_tcp_frame_message(&frame));
	}
	memmove(c->in, c->in + used, c->in_len - used);
	c->in_len -= used;
}

/* ---- events ---- */

static bool open_conn(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	struct mrg_dns_client *const c = ctx;
	if (!c->open || c->s != NULL)
		return false;
	s->conn = c;
	c->s = s;
	c->moved = true;
	settle(c, now_ns);
	return true;
}

static void ready(void *ctx, struct mrg_stream *s, unsigned events, uint64_t now_ns)
{
	struct mrg_dns_client *const c = ctx;
	(void)s;
	c->busy = true;
	if ((events & MRG_STREAM_WRITABLE) != 0)
		write_out(c);
	if ((events & MRG_STREAM_READABLE) != 0 && !over(c))
		read_in(c);
	settle(c, now_ns);
}

static bool spare(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	return false;
}

static void late(struct mrg_rt_timer *timer, uint64_t now_ns)
{
	struct mrg_dns_client *const c =
		(struct mrg_dns_client *)(void *)((char *)timer - offsetof(struct mrg_dns_client, timer));
	stop(c, MRG_DNS_CLIENT_TIMEOUT);
	settle(c, now_ns);
}

/* ---- what the caller calls ---- */

size_t mrg_dns_client_memory(void) { return IN_MAX + LINE; }

enum mrg_status mrg_dns_client_init(struct mrg_dns_client *c, struct mrg_arena *a,
	struct mrg_rt_timers *timers, const struct mrg_dns_client_limits *limits,
	const struct mrg_dns_client_handler *handler)
{
	*c = (struct mrg_dns_client){
		.user = { .ctx = c, .open = open_conn, .ready = ready, .spare = spare },
		.limits = *limits,
		.handler = *handler,
		.timers = timers,
		.timer = { .fire = late },
		.in = mrg_arena_get(a, IN_MAX, LINE),
	};
	return c->in != NULL ? MRG_OK : MRG_E_SPACE;
}

void mrg_dns_client_begin(struct mrg_dns_client *c, uint64_t now_ns)
{
	mrg_dns_stream_client_begin(&c->m);
	c->open = true;
	c->end = MRG_DNS_CLIENT_FINISHED;
	c->lost = 0;
	c->in_len = c->out_len = 0;
	limit(c, c->limits.connect_ns, now_ns);
}

void mrg_dns_client_unreachable(struct mrg_dns_client *c)
{
	if (!c->open)
		return;
	stop(c, MRG_DNS_CLIENT_UNREACHABLE);
	settle(c, 0);
}

/* May one more be asked? */
static bool takes_more(const struct mrg_dns_client *c)
{
	return c->open && c->m.waiting < MRG_DNS_PIPELINE &&
	       (c->m.state == MRG_DNS_STREAM_CLIENT_IDLE || c->m.state == MRG_DNS_STREAM_CLIENT_WAITING);
}

enum mrg_status mrg_dns_client_ask(struct mrg_dns_client *c, struct mrg_span message)
{
	struct mrg_w w;
	mrg_w_init(&w, c->out, sizeof c->out);
	w.len = c->out_len;
	mrg_dns_tcp_frame_put(&w, &(struct mrg_dns_tcp_frame_args){ .message = message });
	if (!takes_more(c))
		return MRG_END;
	if (w.st != MRG_OK)
		return MRG_E_SPACE;
	(void)mrg_dns_stream_client_on_ask(&c->m, c);
	c->out_len = w.len;
	if (!c->busy && c->s != NULL)
		mrg_stream_want(c->s, MRG_STREAM_READABLE | MRG_STREAM_WRITABLE);
	return MRG_OK;
}

void mrg_dns_client_finish(struct mrg_dns_client *c)
{
	if (!c->open)
		return;
	(void)mrg_dns_stream_client_on_finish(&c->m, c);
	if (!c->busy && over(c))
		settle(c, 0);
}

void mrg_dns_client_close(struct mrg_dns_client *c)
{
	if (!c->open)
		return;
	stop(c, MRG_DNS_CLIENT_STOPPED);
	if (!c->busy)
		settle(c, 0);
}
