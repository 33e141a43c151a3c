/*
 * Requests on their way out.
 * Reading order: heads; which request may go; parts; sending.
 */
#include "mrg_digits.h"
#include "protocols/http/client_inside.h"
#include "protocols/http/framing.h"
#include "protocols/http/request.h"

enum {
	OWN_FIELDS = 4,     /* Host, the one of the body, Connection, Expect */
	LINE_CAPTURES = 4,  /* method, target, major and minor version */
	EVENT_MAX = 4 << 20 /* octets in one event */
};

/* ---- heads ---- */

struct head {
	struct mrg_capture c[LINE_CAPTURES + 2 * MRG_HTTP_FIELDS_MAX];
	size_t count;
	bool fits;
};

static void add(struct head *h, unsigned what, struct mrg_span text)
{
	h->fits = h->fits && text.len <= MRG_HTTP_CLIENT_HEAD;
	if (h->fits)
		h->c[h->count++] = mrg_capture_of(what, text);
}

static void add_field(struct head *h, struct mrg_span name, struct mrg_span value)
{
	add(h, MRG_HTTP_HTTP1_REQUEST_NAME, name);
	if (value.len != 0)
		add(h, MRG_HTTP_HTTP1_REQUEST_VALUE, value);
}

static void add_own(struct head *h, enum mrg_http_field id, struct mrg_span value)
{
	add_field(h, mrg_http_field_word(id), value);
}

static enum mrg_status refuse(struct mrg_http_client_request *r, enum mrg_status st, struct mrg_span why)
{
	r->why = why;
	return st;
}

static enum mrg_status put_head(struct mrg_http_client_request *r)
{
	struct head h = { .count = 0, .fits = r->field_count <= MRG_HTTP_FIELDS_MAX - OWN_FIELDS };
	uint8_t digit_room[20];
	struct mrg_w digits, w;
	mrg_w_init(&digits, digit_room, sizeof digit_room);
	mrg_digits_put(&digits, r->length, 1);
	mrg_w_init(&w, r->head, sizeof r->head);
	add(&h, MRG_HTTP_HTTP1_REQUEST_METHOD, r->method);
	add(&h, MRG_HTTP_HTTP1_REQUEST_TARGET, r->target);
	add(&h, MRG_HTTP_HTTP1_REQUEST_MAJOR, MRG_LITERAL("1"));
	add(&h, MRG_HTTP_HTTP1_REQUEST_MINOR, r->old ? MRG_LITERAL("0") : MRG_LITERAL("1"));
	add_own(&h, MRG_HTTP_FIELD_HOST, r->host);
	for (size_t i = 0; i < r->field_count && h.fits; i++)
		add_field(&h, r->fields[i].name, r->fields[i].value);
	if (r->body == MRG_HTTP_BODY_LENGTH)
		add_own(&h, MRG_HTTP_FIELD_CONTENT_LENGTH, mrg_w_span(&digits, 0));
	if (r->body == MRG_HTTP_BODY_CHUNKED)
		add_own(&h, MRG_HTTP_FIELD_TRANSFER_ENCODING, MRG_LITERAL("chunked"));
	if (r->close && !r->old)
		add_own(&h, MRG_HTTP_FIELD_CONNECTION, MRG_LITERAL("close"));
	if (r->expect_continue)
		add_own(&h, MRG_HTTP_FIELD_EXPECT, MRG_LITERAL("100-continue"));
	if (h.fits)
		mrg_http_http1_request_put(&w, h.c, h.count);
	if (!h.fits || w.st == MRG_E_SPACE || w.st == MRG_E_LIMIT)
		return refuse(r, h.fits ? w.st : MRG_E_SPACE,
			MRG_LITERAL("longer than this client sends (RFC 9112 3)"));
	if (w.st != MRG_OK)
		return refuse(r, w.st,
			MRG_LITERAL("an octet that can't be in a request's head (RFC 9112 3 and 5)"));
	r->head_len = w.len;
	return MRG_OK;
}

/* What a server reads must be what was meant, whatever the further fields say. */
static enum mrg_status read_back(struct mrg_http_client_request *r)
{
	struct mrg_http_request q;
	size_t len;
	if (mrg_http_request_read((struct mrg_span){ r->head, r->head_len }, &q, &len) != MRG_OK)
		return refuse(r, MRG_E_VALUE, q.why);
	if (len != r->head_len || q.body != r->body || q.length != r->length)
		return refuse(r, MRG_E_VALUE,
			MRG_LITERAL("the fields say something else of the body (RFC 9112 6)"));
	if (q.expect_continue != r->expect_continue)
		return refuse(
			r, MRG_E_VALUE, MRG_LITERAL("Expect is not for this request (RFC 9110 10.1.1)"));
	r->known_method = q.method;
	r->ends = !q.keep_alive || r->old;
	return MRG_OK;
}

enum mrg_status mrg_http_client_head_(struct mrg_http_client_request *r)
{
	const bool bodiless =
		r->body == MRG_HTTP_BODY_NONE || (r->body == MRG_HTTP_BODY_LENGTH && r->length == 0);
	if (r->body == MRG_HTTP_BODY_CLOSE)
		return refuse(r, MRG_E_VALUE,
			MRG_LITERAL("a request can't end with its connection (RFC 9112 6.3)"));
	if (r->expect_continue && bodiless)
		return refuse(r, MRG_E_VALUE, MRG_LITERAL("100-continue without a body (RFC 9110 10.1.1)"));
	enum mrg_status st = put_head(r);
	if (st == MRG_OK)
		st = read_back(r);
	if (st == MRG_OK && r->known_method == MRG_HTTP_METHOD_CONNECT)
		return refuse(r, MRG_E_VALUE, MRG_LITERAL("this client makes no tunnels (RFC 9110 9.3.6)"));
	if (st == MRG_OK && r->known_method == MRG_HTTP_METHOD_TRACE && r->body != MRG_HTTP_BODY_NONE)
		return refuse(r, MRG_E_VALUE, MRG_LITERAL("TRACE with a body (RFC 9110 9.3.8)"));
	return st;
}

/* ---- which request may go ---- */

/* RFC 9110 9.2.2 */
static bool idempotent(enum mrg_http_method m)
{
	switch (m) {
	case MRG_HTTP_METHOD_GET:
	case MRG_HTTP_METHOD_HEAD:
	case MRG_HTTP_METHOD_OPTIONS:
	case MRG_HTTP_METHOD_TRACE:
	case MRG_HTTP_METHOD_PUT:
	case MRG_HTTP_METHOD_DELETE: return true;
	default: return false;
	}
}

static bool may_begin(const struct mrg_http_client *c)
{
	return c->m.state == MRG_HTTP_CONNECTION_CLIENT_IDLE ||
	       (c->m.state == MRG_HTTP_CONNECTION_CLIENT_WAITING && c->m.single == 0 &&
		       c->m.waiting < c->limits.pipeline && c->m.waiting < MRG_HTTP_PIPELINE);
}

bool mrg_http_client_can_send_(const struct mrg_http_client *c)
{
	const struct mrg_http_client_request *const r = c->sending;
	if (r == NULL || c->m.state >= MRG_HTTP_CONNECTION_CLIENT_LISTENING)
		return false;
	if (c->m.unsent == 0)
		return may_begin(c);
	return mrg_http_client_writes_(c) || (r->more && c->m.held == 0 && !c->dry);
}

/* ---- parts ---- */

static void add_part(struct mrg_http_client *c, struct mrg_span octets)
{
	c->parts[c->part_count++] = octets;
}

static void source_failed(struct mrg_http_client *c, struct mrg_span why)
{
	mrg_http_client_fail_(c, MRG_HTTP_CLIENT_SOURCE, why, c->sending);
}

/* Octets of a chunk, with what is around them. */
static void add_chunk(struct mrg_http_client *c, struct mrg_span piece)
{
	mrg_http_chunk_line_put(&c->frame, piece.len);
	add_part(c, mrg_w_span(&c->frame, 0));
	add_part(c, piece);
	const size_t from = c->frame.len;
	mrg_http_http1_chunk_end_put(&c->frame);
	add_part(c, mrg_w_span(&c->frame, from));
}

static void add_piece(struct mrg_http_client *c, struct mrg_http_client_request *r, struct mrg_span piece)
{
	if (r->body == MRG_HTTP_BODY_CHUNKED) {
		add_chunk(c, piece);
		return;
	}
	if (piece.len > r->left) {
		source_failed(c, MRG_LITERAL("more octets for the body than were announced (RFC 9112 6.2)"));
		return;
	}
	add_part(c, piece);
	r->left -= piece.len;
	r->more = r->left != 0;
}

static void add_last(struct mrg_http_client *c, struct mrg_http_client_request *r)
{
	if (r->body != MRG_HTTP_BODY_CHUNKED) {
		source_failed(c, MRG_LITERAL("fewer octets for the body than were announced (RFC 9112 6.2)"));
		return;
	}
	mrg_http_chunk_last_put(&c->frame, (struct mrg_span){ NULL, 0 });
	add_part(c, mrg_w_span(&c->frame, 0));
	r->more = false;
}

static void add_body(struct mrg_http_client *c, struct mrg_http_client_request *r)
{
	struct mrg_span piece = { NULL, 0 };
	const enum mrg_io io =
		c->handler.source == NULL ? MRG_IO_RESET : c->handler.source(c->handler.ctx, r, &piece);
	c->dry = io == MRG_IO_AGAIN;
	mrg_w_init(&c->frame, c->frame_room, sizeof c->frame_room);
	if (io == MRG_IO_OK && piece.len != 0)
		add_piece(c, r, piece);
	else if (io == MRG_IO_EOF)
		add_last(c, r);
	else if (io != MRG_IO_AGAIN)
		source_failed(c, MRG_LITERAL("the request's body can't be had"));
}

void mrg_http_connection_client_do_request(
	const struct mrg_http_connection_client *m, void *ctx, uint8_t close, uint8_t more)
{
	struct mrg_http_client *const c = ctx;
	struct mrg_http_client_request *const r = c->sending;
	(void)m;
	(void)close; /* the head says so */
	(void)more;
	add_part(c, (struct mrg_span){ r->head, r->head_len });
	r->more = r->body == MRG_HTTP_BODY_CHUNKED || r->length != 0;
}

/* It is the server's turn. */
void mrg_http_connection_client_do_rest(const struct mrg_http_connection_client *m, void *ctx)
{
	struct mrg_http_client *const c = ctx;
	(void)m;
	c->sending = c->sending->next;
}

/* The next parts to be written, if there are any. */
static void refill(struct mrg_http_client *c)
{
	struct mrg_http_client_request *const r = c->sending;
	c->part_first = c->part_count = 0;
	if (c->m.unsent == 0)
		(void)mrg_http_connection_client_on_ask(
			&c->m, c, r->ends, true, r->expect_continue, !idempotent(r->known_method));
	if (r->more && c->m.held == 0)
		add_body(c, r);
}

/* ---- sending ---- */

static void advance(struct mrg_http_client *c, size_t done)
{
	while (done != 0) {
		struct mrg_span *const part = &c->parts[c->part_first];
		const size_t n = done < part->len ? done : part->len;
		*part = (struct mrg_span){ part->p + n, part->len - n };
		done -= n;
		if (part->len == 0)
			c->part_first++;
	}
}

void mrg_http_client_send_(struct mrg_http_client *c)
{
	size_t sum = 0;
	while (sum < EVENT_MAX && mrg_http_client_can_send_(c)) {
		size_t done = 0;
		if (!mrg_http_client_writes_(c))
			refill(c);
		if (!mrg_http_client_writes_(c) || !mrg_http_client_open(c))
			return;
		const enum mrg_io io = mrg_stream_write(
			c->s, c->parts + c->part_first, c->part_count - c->part_first, false, &done);
		if (io == MRG_IO_AGAIN)
			return;
		if (io != MRG_IO_OK) {
			/* It may have answered before it went: that is still to be read. */
			(void)mrg_http_connection_client_on_deaf(&c->m, c);
			return;
		}
		c->sending->sent = true;
		c->moved = c->moved || c->sending == c->first;
		advance(c, done);
		sum += done;
		if (!mrg_http_client_writes_(c) && !c->sending->more)
			(void)mrg_http_connection_client_on_sent(&c->m, c);
	}
}
