/*
 * body.h - bodies: read as they come, and written in chunks.
 *
 * References: RFC 9112 6.3 (length), 7.1 (chunked coding, trailers), 8 (incomplete messages).
 *
 * What it does not do: it undoes no coding but chunked, and it keeps nothing: what it gives are pieces of the input.
 *
 * Use, for octets that came behind a head:
 *	mrg_http_body_begin(&b, r.body, r.length, max);
 *	...
 *	do {
 *		st = mrg_http_body_next(&b, &in, &got);
 *		take(got.octets);
 *	} while (st == MRG_MORE && in.len != 0);
 *	if (st == MRG_END) what is left of `in` belongs to the next message;
 */
#ifndef MRG_HTTP_BODY_H
#define MRG_HTTP_BODY_H

#include "http/message.h"
#include "mrg.h"
#include "protocols/http/fields.h"

enum { MRG_HTTP_BODY_PARTS = 8 };

/* Where the reading of a body is; private. */
struct mrg_http_body_reader {
	uint64_t left; /* octets to come, of the body or of the chunk */
	uint64_t room; /* octets that there may be behind these */
	unsigned at;   /* enum place, in body.c */
	union {
		struct mrg_http_http1_chunk_stream chunk;
		struct mrg_http_http1_chunk_end_stream chunk_end;
		struct mrg_http_http1_trailer_stream trailer;
	} reader;
};

/* What one call found; borrows the input. */
struct mrg_http_body_got {
	struct mrg_span octets; /* of the body; len may be 0 */
	/* Of trailer fields: MRG_HTTP_HTTP1_TRAILER_NAME and _VALUE, in pieces where the input was cut. They are no fields of the head,
	 * and most must not be taken for such (RFC 9110 6.5.1). */
	size_t part_count;
	struct mrg_part parts[MRG_HTTP_BODY_PARTS];
	unsigned code; /* with MRG_E_LIMIT: the status that a server answers with */
};

/*
 * mrg_http_body_begin - nothing has come yet.
 *   length   octets, with MRG_HTTP_BODY_LENGTH
 *   max      octets of a body that does not say its length; that of others is known to whoever begins
 */
void mrg_http_body_begin(struct mrg_http_body_reader *b, enum mrg_http_body body, uint64_t length, uint64_t max);

/*
 * mrg_http_body_next - read on, up to some octets of the body, or some of a trailer, or the end of the input.
 *   in    what has come; then what of it was not taken
 * Returns:  MRG_MORE: the body goes on; MRG_END: it is complete, with what was got in this call.  MRG_E_TEXT: the octet at in->p can't
 *           be there; MRG_E_LIMIT: nor can it, by a limit of specs/http/message.mrg, see got->code; MRG_E_RANGE: there is more than
 *           `max`.  After these three it stays so.
 * Cost:     linear in the octets taken.
 */
MRG_MUST_USE enum mrg_status mrg_http_body_next(
	struct mrg_http_body_reader *b, struct mrg_span *in, struct mrg_http_body_got *got);

/*
 * mrg_http_body_ends - the connection has come to its end: does the body, too?  RFC 9112 8: else it is incomplete.
 */
bool mrg_http_body_ends(const struct mrg_http_body_reader *b);

/*
 * mrg_http_chunk_put - these octets as a chunk; nothing when there are none, since an empty chunk is the last.
 * mrg_http_chunk_line_put - only the line before `len` >= 1 octets; a line end follows them.
 * mrg_http_chunk_last_put - the last chunk, and the trailer: lines, each with its line end, or nothing.
 * Fails:    sticky, as the writer does.
 */
void mrg_http_chunk_put(struct mrg_w *w, struct mrg_span octets);
void mrg_http_chunk_line_put(struct mrg_w *w, uint64_t len);
void mrg_http_chunk_last_put(struct mrg_w *w, struct mrg_span trailer);

#endif
