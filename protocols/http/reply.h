/*
 * reply.h - a response: its status, its fields, and where the octets of its body are.
 *
 * References: RFC 9110 6 (message), 6.6.1 (Date), 8.6 (Content-Length), 15 (status codes); RFC 9112 4, 6 and 9.3.
 *
 * What it does not do: it sends nothing. A handler fills one in (server.h); the server adds what belongs to the connection: the
 * status line, Date, Connection, Content-Length.
 *
 * Use, in a handler:
 *	reply->status = MRG_HTTP_STATUS_OK;
 *	mrg_http_reply_field(reply, MRG_HTTP_FIELD_CONTENT_TYPE, MRG_LITERAL("text/plain"));
 *	mrg_http_reply_text(reply, MRG_LITERAL("hello\n"));
 */
#ifndef MRG_HTTP_REPLY_H
#define MRG_HTTP_REPLY_H

#include "iana/http.h"
#include "mrg.h"
#include "mrg_rt.h"

enum {
	MRG_HTTP_REPLY_PARTS = 2 * 16 + 1, /* pieces of one body: 16 ranges and the text around them */
	MRG_HTTP_REPLY_FIELDS = 2048       /* octets of the handler's field lines */
};

/* Some octets of a body: in memory, or of a file that is not. */
struct mrg_http_part {
	const uint8_t *p;         /* the first of them; NULL: they are in `file`, from `offset` on */
	uint64_t len;             /* octets; never 0 */
	uint64_t offset;
	struct mrg_rt_file *file; /* NULL for memory that outlives the reply */
	struct mrg_rt_tree *tree; /* not NULL: `file` is closed behind this part */
};

struct mrg_http_reply {
	unsigned status;   /* 200 to 599; with 204 and 304 no body is sent */
	bool close;        /* end the connection behind it */
	bool no_length;    /* no Content-Length: a 304 need not say it */
	uint64_t length;   /* octets of the body: the sum of the parts, unless head_only */
	size_t part_count;
	struct mrg_http_part parts[MRG_HTTP_REPLY_PARTS];
	struct mrg_w fields; /* lines, by mrg_http_reply_field and its like */
	struct mrg_w *text;  /* room for octets of the body, good until they are sent */
	uint8_t field_room[MRG_HTTP_REPLY_FIELDS];
};

/*
 * mrg_http_reply_begin - nothing yet: 200 (OK) without a body.
 */
void mrg_http_reply_begin(struct mrg_http_reply *r, struct mrg_w *text);

/*
 * mrg_http_reply_field - a field line. What can't be in a value (CR, LF, NUL, a blank at its ends; RFC 9110 5.5) makes the
 * writer fail, and the answer is 500 then.
 * mrg_http_reply_field_num - the same with a number in decimal.
 */
void mrg_http_reply_field(struct mrg_http_reply *r, enum mrg_http_field id, struct mrg_span value);
void mrg_http_reply_field_num(struct mrg_http_reply *r, enum mrg_http_field id, uint64_t value);

/*
 * mrg_http_reply_lines - field lines that were those of another reply, as they are.
 */
void mrg_http_reply_lines(struct mrg_http_reply *r, struct mrg_span lines);

/*
 * mrg_http_reply_part - more octets of the body. One part too many, or one without octets, is left out.
 */
void mrg_http_reply_part(struct mrg_http_reply *r, const struct mrg_http_part *part);

/*
 * mrg_http_reply_file - the same for `len` octets of an open file.
 *   tree    closes the file when the octets are sent, or dropped; NULL: a later part does
 */
void mrg_http_reply_file(struct mrg_http_reply *r, struct mrg_rt_tree *tree, struct mrg_rt_file *file, uint64_t offset, uint64_t len);

/*
 * mrg_http_reply_text - octets of the body, copied into the room that there is for text; what doesn't fit makes r->text fail.
 * mrg_http_reply_written - the same for what was written to r->text since its length was `from`.
 */
void mrg_http_reply_text(struct mrg_http_reply *r, struct mrg_span text);
void mrg_http_reply_written(struct mrg_http_reply *r, size_t from);

/*
 * mrg_http_reply_drop - no body after all: close the files of the parts.
 */
void mrg_http_reply_drop(struct mrg_http_reply *r);

/*
 * mrg_http_reply_error - start anew: this status with a short page that names it, and `why` where it is not empty.
 */
void mrg_http_reply_error(struct mrg_http_reply *r, unsigned status, struct mrg_span why);

/* What the connection adds to a head. */
struct mrg_http_head_args {
	struct mrg_span date_line; /* of mrg_http_reply_date_line */
	bool close;           /* Connection: close */
	bool keep_alive;      /* Connection: keep-alive, for clients of HTTP/1.0 */
};

/*
 * mrg_http_reply_date_line - the line of the Date field for heads of this second (RFC 9110 6.6.1).
 */
void mrg_http_reply_date_line(uint64_t unix_s, struct mrg_w *w);

/*
 * mrg_http_reply_head - write the head: status line, fields, empty line.   Fails: sticky, as the writer does.
 */
void mrg_http_reply_head(const struct mrg_http_reply *r, const struct mrg_http_head_args *args, struct mrg_w *w);

#endif
