/*
 * Answers on their way: a queue of parts for the event, what is left of it for each connection.
 * Reading order: queueing, sending, keeping.
 */
#include "protocols/http/server_in.h"
#include "protocols/http/server_out.h"

enum {
	GATHER_MAX = 64, /* parts in one write */
	COPY_MAX = 2048, /* octets of a body that are rather copied behind their head than gathered */
	/* octets to one client before others get their turn: clients find what they read in the caches */
	EVENT_MAX = 128 << 10
};

void mrg_http_out_clear_(struct mrg_http_out *o)
{
	o->first = o->count = 0;
	mrg_w_init(&o->text, o->room, sizeof o->room);
}

/* ---- queueing ---- */

static void part_end(const struct mrg_http_part *part)
{
	if (part->tree != NULL)
		mrg_rt_tree_close(part->tree, part->file);
}

static bool in_room(const struct mrg_http_out *o, const struct mrg_http_part *part)
{
	const struct mrg_span room = { o->room, sizeof o->room };
	return part->p != NULL && mrg_off(room, part->p) != room.len;
}

/* Octets in the queue's own room; put together with the last part where they follow it. */
static void add_text(struct mrg_http_out *o, struct mrg_span text)
{
	struct mrg_http_part *const last = o->count == o->first ? NULL : &o->parts[o->count - 1];
	if (last != NULL && last->p != NULL && text.p != o->room && last->p + last->len == text.p)
		last->len += text.len;
	else
		o->parts[o->count++] = (struct mrg_http_part){ .p = text.p, .len = text.len };
}

/* A part that closes its file is not copied where others before it may be of that file. */
static void add_part(struct mrg_http_out *o, const struct mrg_http_part *part, bool only)
{
	if (part->p == NULL || part->len > COPY_MAX || part->len > o->text.cap - o->text.len ||
		(part->tree != NULL && !only)) {
		o->parts[o->count++] = *part;
		return;
	}
	const size_t from = o->text.len;
	mrg_w_put(&o->text, (struct mrg_span){ part->p, part->len });
	add_text(o, mrg_w_span(&o->text, from));
	part_end(part);
}

uint64_t mrg_http_out_date_(struct mrg_http_server *t, uint64_t now_ns)
{
	struct mrg_w w;
	mrg_w_init(&w, t->date, sizeof t->date);
	if (t->handler.unix_s == NULL) {
		t->date_until_ns = MRG_RT_NEVER;
		return t->date_s = MRG_HTTP_NO_CLOCK;
	}
	t->date_s = t->handler.unix_s(t->handler.ctx);
	mrg_http_reply_date_line(t->date_s, &w);
	t->date_len = w.len;
	t->date_until_ns = now_ns + MRG_RT_SECOND_NS;
	return t->date_s;
}

static void count_answer(struct mrg_http_server *t, unsigned status)
{
	t->counts.answers++;
	t->counts.statuses[status / 100u]++;
}

/* RFC 9112 6.3: to clients these end with their heads, so that octets behind one would be the next answer. */
static bool has_no_body(unsigned status)
{
	return status == MRG_HTTP_STATUS_NO_CONTENT || status == MRG_HTTP_STATUS_NOT_MODIFIED;
}

void mrg_http_connection_server_do_response(
	const struct mrg_http_connection_server *m, void *ctx, uint8_t close)
{
	(void)m;
	const struct mrg_http_turn *const e = ctx;
	struct mrg_http_server *const t = e->t;
	struct mrg_http_conn *const c = e->c;
	struct mrg_http_out *const o = t->out;
	struct mrg_http_reply *const r = &t->reply;
	o->text.cap = sizeof o->room;
	if (r->text->st != MRG_OK || r->fields.st != MRG_OK) {
		r->text->st = MRG_OK;
		mrg_http_reply_error(r, MRG_HTTP_STATUS_INTERNAL_SERVER_ERROR,
			MRG_LITERAL("the answer is too long for the room there is"));
	}
	c->fresh = true;
	const struct mrg_http_head_args args = {
		.date_line = { t->date, t->date_len },
		.close = close != 0,
		.keep_alive = c->old && close == 0,
	};
	const size_t from = o->text.len;
	mrg_http_reply_head(r, &args, &o->text);
	add_text(o, mrg_w_span(&o->text, from));
	if (c->head_only || has_no_body(r->status))
		mrg_http_reply_drop(r);
	for (size_t i = 0; i < r->part_count; i++)
		add_part(o, &r->parts[i], r->part_count == 1);
	count_answer(t, r->status);
	if (t->handler.log != NULL)
		t->handler.log(t->handler.ctx, e->x);
}

void mrg_http_connection_server_do_interim(
	const struct mrg_http_connection_server *m, void *ctx, uint8_t proceed)
{
	(void)m;
	(void)proceed; /* no other one is sent */
	struct mrg_http_server *const t = ((const struct mrg_http_turn *)ctx)->t;
	const size_t from = t->out->text.len;
	mrg_w_put(&t->out->text, MRG_LITERAL("HTTP/1.1 100 Continue\r\n\r\n"));
	add_text(t->out, mrg_w_span(&t->out->text, from));
}

/* ---- sending ---- */

/* Parts in memory, as many as there are in a row. */
static enum mrg_io send_memory(
	struct mrg_stream *s, const struct mrg_http_part *part, size_t count, size_t *done)
{
	struct mrg_span spans[GATHER_MAX];
	size_t n = 0;
	while (n < count && n < GATHER_MAX && part[n].p != NULL) {
		spans[n] = (struct mrg_span){ part[n].p, part[n].len };
		n++;
	}
	return mrg_stream_write(s, spans, n, n < count, done);
}

static size_t advance(struct mrg_http_part *parts, size_t first, size_t done)
{
	while (done != 0) {
		struct mrg_http_part *const part = &parts[first];
		const size_t n = done < part->len ? done : (size_t)part->len;
		part->len -= n;
		if (part->p != NULL)
			part->p += n;
		else
			part->offset += n;
		done -= n;
		if (part->len != 0)
			break;
		part_end(part);
		first++;
	}
	return first;
}

/* From parts[*first] on. MRG_IO_OK: all are sent. MRG_IO_AGAIN: not all. MRG_IO_RESET. */
static enum mrg_io send_parts(struct mrg_http_server *t, struct mrg_http_conn *c, struct mrg_http_part *parts,
	size_t count, size_t *first)
{
	size_t sum = 0;
	while (*first != count) {
		struct mrg_http_part *const part = &parts[*first];
		size_t done = 0;
		const enum mrg_io io = part->p == NULL ? mrg_stream_send_file(c->s, part->file, part->offset,
								 part->len, &done)
						       : send_memory(c->s, part, count - *first, &done);
		if (io == MRG_IO_AGAIN)
			return io;
		if (io != MRG_IO_OK)
			return MRG_IO_RESET; /* a file that has become shorter too: its length was promised */
		*first = advance(parts, *first, done);
		t->counts.octets_out += done;
		c->moved += done;
		sum += done;
		if (sum > EVENT_MAX && *first != count)
			return MRG_IO_AGAIN;
	}
	return MRG_IO_OK;
}

/* ---- keeping ---- */

/* Parts that are in the room of `from` move to that of `to`. */
static void move(struct mrg_http_out *to, const struct mrg_http_out *from)
{
	mrg_http_out_clear_(to);
	for (size_t i = from->first; i < from->count; i++) {
		struct mrg_http_part part = from->parts[i];
		if (in_room(from, &part)) {
			const size_t at = to->text.len;
			mrg_w_put(&to->text, (struct mrg_span){ part.p, part.len });
			part.p = to->room + at;
		}
		to->parts[to->count++] = part;
	}
}

static void part_ends(const struct mrg_http_part *parts, size_t first, size_t count)
{
	for (size_t i = first; i < count; i++)
		part_end(&parts[i]);
}

static bool keep(struct mrg_http_server *t, struct mrg_http_conn *c)
{
	struct mrg_http_out *const o = t->out;
	const struct mrg_http_part *const part = &o->parts[o->first];
	if (o->count - o->first == 1 && !in_room(o, part)) {
		c->rest = *part;
		return true;
	}
	c->out = mrg_http_out_block_(t, c);
	if (c->out == NULL)
		return false;
	move(c->out, o);
	return true;
}

bool mrg_http_out_flush_(struct mrg_http_server *t, struct mrg_http_conn *c)
{
	struct mrg_http_out *const o = t->out;
	const enum mrg_io io = send_parts(t, c, o->parts, o->count, &o->first);
	const bool well = io == MRG_IO_OK || (io == MRG_IO_AGAIN && keep(t, c));
	if (!well)
		part_ends(o->parts, o->first, o->count);
	mrg_http_out_clear_(o);
	return well;
}

void mrg_http_out_drop_(struct mrg_http_server *t, struct mrg_http_conn *c)
{
	if (c->rest.len != 0)
		part_end(&c->rest);
	c->rest.len = 0;
	if (c->out == NULL)
		return;
	part_ends(c->out->parts, c->out->first, c->out->count);
	mrg_rt_pool_put(&t->outs, c->out);
	c->out = NULL;
}

bool mrg_http_out_resume_(struct mrg_http_server *t, struct mrg_http_conn *c)
{
	enum mrg_io io;
	if (c->out != NULL) {
		io = send_parts(t, c, c->out->parts, c->out->count, &c->out->first);
		if (io == MRG_IO_OK)
			mrg_http_out_drop_(t, c);
	} else {
		size_t first = 0;
		io = send_parts(t, c, &c->rest, 1, &first);
	}
	return io != MRG_IO_RESET;
}
