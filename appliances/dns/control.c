/*
 * Being asked over a local socket.
 * Reading order: answering, reading, the events.
 */
#include <string.h>

#include "appliances/dns/control.h"
#include "appliances/dns/show.h"
#include "mrg_text.h"

enum {
	ROOM = SHOW_RECORD_MAX +
	       (64 << 10), /* octets said at once: a record, whatever it is, and then some */
	ALIGN = 64
};

static const uint64_t PATIENCE_NS = 10u * MRG_RT_SECOND_NS;

size_t ctl_memory(void) { return CTL_CONNS * (sizeof(struct ctl_conn) + ROOM + 2 * ALIGN); }

void ctl_put(struct ctl_conn *c, const char *text) { mrg_text_put(&c->w, text); }

void ctl_num(struct ctl_conn *c, uint64_t v) { mrg_text_put_dec(&c->w, v); }

void ctl_end(struct ctl_conn *c, const char *why)
{
	if (why == NULL) {
		ctl_put(c, "ok\n");
		return;
	}
	ctl_put(c, "error: ");
	ctl_put(c, why);
	ctl_put(c, "\n");
}

static void end_conn(struct ctl_conn *c)
{
	struct ctl *const ctl = c->ctl;
	if (c->done != NULL)
		c->done(c);
	mrg_rt_timer_cancel(ctl->timers, &c->limit);
	mrg_stream_close(c->s);
	c->s = NULL;
}

/* ---- answering ---- */

/* What is asked, word by word. A line with more words than any has is asked with the first ones, and one word too many. */
static void ask(struct ctl_conn *c)
{
	char *words[CTL_WORDS + 1];
	size_t count = 0;
	char *at = c->line;
	while (count <= CTL_WORDS) {
		at += strspn(at, " \t\r");
		if (*at == '\0')
			break;
		words[count++] = at;
		at += strcspn(at, " \t\r");
		if (*at != '\0')
			*at++ = '\0';
	}
	c->answering = true;
	c->ctl->asker.ask(c->ctl->asker.ctx, c, words, count);
}

/* Say what there is. false: the connection has ended. */
static bool say_on(struct ctl_conn *c, uint64_t now_ns)
{
	for (;;) {
		while (c->off == c->w.len) {
			c->off = c->w.len = 0;
			if (c->more == NULL || !c->more(c)) {
				end_conn(c);
				return false;
			}
		}
		const struct mrg_span rest = { c->w.p + c->off, c->w.len - c->off };
		size_t done = 0;
		const enum mrg_io io = mrg_stream_write(c->s, &rest, 1, false, &done);
		if (io == MRG_IO_AGAIN)
			return true;
		if (io != MRG_IO_OK) {
			end_conn(c);
			return false;
		}
		c->off += done;
		mrg_rt_timer_set(c->ctl->timers, &c->limit, now_ns + PATIENCE_NS);
	}
}

/* ---- reading ---- */

/* true: the line is there, or can't be read. */
static bool read_line(struct ctl_conn *c)
{
	for (;;) {
		size_t got = 0;
		const enum mrg_io io =
			mrg_stream_read(c->s, (uint8_t *)c->line + c->asked, CTL_LINE_MAX - c->asked, &got);
		if (io == MRG_IO_AGAIN)
			return false;
		if (io == MRG_IO_OK)
			c->asked += got;
		c->line[c->asked] = '\0';
		char *const end = memchr(c->line, '\n', c->asked);
		if (end != NULL) {
			*end = '\0';
			ask(c);
			return true;
		}
		if (io != MRG_IO_OK || c->asked == CTL_LINE_MAX) {
			ctl_end(c, "expected a line");
			c->answering = true;
			return true;
		}
	}
}

/* ---- events ---- */

static void ready(void *ctx, struct mrg_stream *s, unsigned events, uint64_t now_ns)
{
	struct ctl_conn *const c = s->conn;
	(void)ctx;
	(void)events;
	if (!c->answering && !read_line(c))
		return;
	if (say_on(c, now_ns))
		mrg_stream_want(s, MRG_STREAM_WRITABLE);
}

static void too_long(struct mrg_rt_timer *t, uint64_t now_ns)
{
	(void)now_ns;
	end_conn((struct ctl_conn *)(void *)((char *)t - offsetof(struct ctl_conn, limit)));
}

/* Close the connection that has longest not said what it wants. */
static bool spare(void *ctx, uint64_t now_ns)
{
	const struct ctl *const ctl = ctx;
	struct ctl_conn *oldest = NULL;
	(void)now_ns;
	for (size_t i = 0; i < CTL_CONNS; i++) {
		struct ctl_conn *const c = ctl->conns[i];
		if (c != NULL && c->s != NULL && !c->answering &&
			(oldest == NULL || c->limit.at_ns < oldest->limit.at_ns))
			oldest = c;
	}
	if (oldest != NULL)
		end_conn(oldest);
	return oldest != NULL;
}

static struct ctl_conn *new_conn(struct ctl *ctl)
{
	struct ctl_conn *const c = mrg_arena_get(ctl->arena, sizeof *c, _Alignof(struct ctl_conn));
	uint8_t *const room = mrg_arena_get(ctl->arena, ROOM, ALIGN);
	if (c == NULL || room == NULL)
		return NULL;
	c->w.p = room;
	return c;
}

/* A free one; NULL: all are in use. */
static struct ctl_conn *find_conn(struct ctl *ctl)
{
	for (size_t i = 0; i < CTL_CONNS; i++) {
		if (ctl->conns[i] == NULL)
			ctl->conns[i] = new_conn(ctl);
		if (ctl->conns[i] == NULL || ctl->conns[i]->s == NULL)
			return ctl->conns[i];
	}
	return NULL;
}

static bool open_conn(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	struct ctl *const ctl = ctx;
	struct ctl_conn *c = find_conn(ctl);
	if (c == NULL && spare(ctl, now_ns))
		c = find_conn(ctl);
	if (c == NULL)
		return false;
	uint8_t *const room = c->w.p;
	*c = (struct ctl_conn){ .s = s, .ctl = ctl, .limit = { .fire = too_long } };
	mrg_w_init(&c->w, room, ROOM);
	s->conn = c;
	mrg_rt_timer_set(ctl->timers, &c->limit, now_ns + PATIENCE_NS);
	mrg_stream_want(s, MRG_STREAM_READABLE);
	return true;
}

void ctl_init(
	struct ctl *ctl, struct mrg_arena *arena, struct mrg_rt_timers *timers, const struct ctl_user *asker)
{
	*ctl = (struct ctl){ .user = { .ctx = ctl, .open = open_conn, .ready = ready, .spare = spare },
		.asker = *asker,
		.timers = timers,
		.arena = arena };
}
