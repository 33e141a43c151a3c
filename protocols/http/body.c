/*
 * Bodies: a place in them, and what is done with the octets that come there.
 * Reading order: octets, framing, mrg_http_body_next; then chunks as they are written.
 */
#include "mrg_digits.h"
#include "protocols/http/body.h"

enum place {
	OCTETS,      /* `left` octets of the body */
	UNTIL_CLOSE, /* octets, up to the end of the connection */
	CHUNK,       /* the line before a chunk; left: its size so far */
	CHUNK_DATA,  /* `left` octets of it */
	CHUNK_END,   /* the line end behind it */
	TRAILER,
	DONE,
	TOO_MUCH
};

void mrg_http_body_begin(
	struct mrg_http_body_reader *b, enum mrg_http_body body, uint64_t length, uint64_t max)
{
	b->left = 0;
	b->room = max;
	b->at = DONE;
	switch (body) {
	case MRG_HTTP_BODY_NONE: break;
	case MRG_HTTP_BODY_LENGTH:
		b->left = length;
		b->at = length != 0 ? OCTETS : DONE;
		break;
	case MRG_HTTP_BODY_CHUNKED:
		b->at = CHUNK;
		mrg_http_http1_chunk_begin(&b->reader.chunk);
		break;
	case MRG_HTTP_BODY_CLOSE: b->at = UNTIL_CLOSE; break;
	}
}

/* ---- octets ---- */

static struct mrg_span take(struct mrg_span *in, uint64_t most)
{
	const struct mrg_span taken = { in->p, in->len < most ? in->len : (size_t)most };
	*in = (struct mrg_span){ in->p + taken.len, in->len - taken.len };
	return taken;
}

static enum mrg_status next_octets(
	struct mrg_http_body_reader *b, struct mrg_span *in, struct mrg_http_body_got *got)
{
	got->octets = take(in, b->left);
	b->left -= got->octets.len;
	if (b->left != 0)
		return MRG_MORE;
	if (b->at == OCTETS) {
		b->at = DONE;
		return MRG_END;
	}
	b->at = CHUNK_END;
	mrg_http_http1_chunk_end_begin(&b->reader.chunk_end);
	return MRG_MORE;
}

static enum mrg_status too_much(struct mrg_http_body_reader *b)
{
	b->at = TOO_MUCH;
	return MRG_E_RANGE;
}

static enum mrg_status next_until_close(
	struct mrg_http_body_reader *b, struct mrg_span *in, struct mrg_http_body_got *got)
{
	got->octets = take(in, b->room);
	b->room -= got->octets.len;
	return in->len != 0 ? too_much(b) : MRG_MORE;
}

/* ---- what is between chunks, and behind the last ---- */

static enum mrg_status next_chunk(
	struct mrg_http_body_reader *b, struct mrg_span *in, struct mrg_http_body_got *got)
{
	struct mrg_part parts[MRG_HTTP_HTTP1_CHUNK_PARTS_MIN];
	enum mrg_status st;
	do {
		size_t count;
		st = mrg_http_http1_chunk_feed(
			&b->reader.chunk, in, parts, MRG_HTTP_HTTP1_CHUNK_PARTS_MIN, &count);
		for (size_t i = 0; i < count; i++)
			b->left = mrg_digits_hex_more(b->left, (struct mrg_span){ parts[i].p, parts[i].len });
	} while (st == MRG_E_SPACE);
	got->code = b->reader.chunk.code;
	if (st != MRG_OK)
		return st;
	if (b->left > b->room)
		return too_much(b);
	b->room -= b->left;
	b->at = b->left != 0 ? CHUNK_DATA : TRAILER;
	if (b->at == TRAILER)
		mrg_http_http1_trailer_begin(&b->reader.trailer);
	return MRG_MORE;
}

static enum mrg_status next_chunk_end(
	struct mrg_http_body_reader *b, struct mrg_span *in, struct mrg_http_body_got *got)
{
	struct mrg_part none;
	size_t count;
	const enum mrg_status st = mrg_http_http1_chunk_end_feed(&b->reader.chunk_end, in, &none, 1, &count);
	got->code = b->reader.chunk_end.code;
	if (st != MRG_OK)
		return st;
	b->at = CHUNK;
	mrg_http_http1_chunk_begin(&b->reader.chunk);
	return MRG_MORE;
}

static enum mrg_status next_trailer(
	struct mrg_http_body_reader *b, struct mrg_span *in, struct mrg_http_body_got *got)
{
	const enum mrg_status st = mrg_http_http1_trailer_feed(
		&b->reader.trailer, in, got->parts, MRG_HTTP_BODY_PARTS, &got->part_count);
	got->code = b->reader.trailer.code;
	if (st == MRG_E_SPACE)
		return MRG_MORE;
	if (st != MRG_OK)
		return st;
	b->at = DONE;
	return MRG_END;
}

/* ---- all of it ---- */

static enum mrg_status step(
	struct mrg_http_body_reader *b, struct mrg_span *in, struct mrg_http_body_got *got)
{
	switch (b->at) {
	case OCTETS:
	case CHUNK_DATA: return next_octets(b, in, got);
	case UNTIL_CLOSE: return next_until_close(b, in, got);
	case CHUNK: return next_chunk(b, in, got);
	case CHUNK_END: return next_chunk_end(b, in, got);
	case TRAILER: return next_trailer(b, in, got);
	case DONE: return MRG_END;
	default: return MRG_E_RANGE;
	}
}

enum mrg_status mrg_http_body_next(
	struct mrg_http_body_reader *b, struct mrg_span *in, struct mrg_http_body_got *got)
{
	enum mrg_status st;
	got->octets = (struct mrg_span){ NULL, 0 };
	got->part_count = 0;
	do
		st = step(b, in, got);
	while (st == MRG_MORE && in->len != 0 && got->octets.len == 0 && got->part_count == 0);
	return st;
}

bool mrg_http_body_ends(const struct mrg_http_body_reader *b)
{
	return b->at == UNTIL_CLOSE || b->at == DONE;
}

/* ---- chunks as they are written ---- */

static void put_line_end(struct mrg_w *w) { mrg_w_put_few(w, MRG_LITERAL("\r\n")); }

void mrg_http_chunk_line_put(struct mrg_w *w, uint64_t len)
{
	mrg_digits_put_hex_short(w, len);
	put_line_end(w);
}

void mrg_http_chunk_put(struct mrg_w *w, struct mrg_span octets)
{
	if (octets.len == 0)
		return;
	mrg_http_chunk_line_put(w, octets.len);
	mrg_w_put(w, octets);
	put_line_end(w);
}

void mrg_http_chunk_last_put(struct mrg_w *w, struct mrg_span trailer)
{
	mrg_http_chunk_line_put(w, 0);
	mrg_w_put(w, trailer);
	put_line_end(w);
}
