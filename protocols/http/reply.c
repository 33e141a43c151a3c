/*
 * Responses: fields, parts of a body, heads.
 */
#include "http/message.h"
#include "mrg_digits.h"
#include "mrg_part.h"
#include "protocols/http/date.h"
#include "protocols/http/reply.h"

void mrg_http_reply_begin(struct mrg_http_reply *r, struct mrg_w *text)
{
	r->status = MRG_HTTP_STATUS_OK;
	r->close = false;
	r->no_length = false;
	r->length = 0;
	r->part_count = 0;
	r->text = text;
	mrg_w_init(&r->fields, r->field_room, sizeof r->field_room);
}

/* ---- fields ---- */

/* By the grammar of fields: what can't be in a value makes the writer fail. */
static void put_line(struct mrg_w *w, enum mrg_http_field id, struct mrg_span value)
{
	const struct mrg_capture parts[] = {
		mrg_capture_of(MRG_HTTP_HTTP1_FIELD_LINE_NAME, mrg_http_field_word(id)),
		mrg_capture_of(MRG_HTTP_HTTP1_FIELD_LINE_VALUE, value),
	};
	mrg_http_http1_field_line_put(w, parts, value.len == 0 ? 1 : 2);
}

void mrg_http_reply_field(struct mrg_http_reply *r, enum mrg_http_field id, struct mrg_span value)
{
	put_line(&r->fields, id, value);
}

static void put_number_line(struct mrg_w *w, enum mrg_http_field id, uint64_t value)
{
	uint8_t b[20];
	struct mrg_w digits;
	mrg_w_init(&digits, b, sizeof b);
	mrg_digits_put(&digits, value, 1);
	put_line(w, id, mrg_w_span(&digits, 0));
}

void mrg_http_reply_field_num(struct mrg_http_reply *r, enum mrg_http_field id, uint64_t value)
{
	put_number_line(&r->fields, id, value);
}

void mrg_http_reply_lines(struct mrg_http_reply *r, struct mrg_span lines) { mrg_w_put(&r->fields, lines); }

/* ---- the body ---- */

void mrg_http_reply_part(struct mrg_http_reply *r, const struct mrg_http_part *part)
{
	if (part->len == 0 || r->part_count == MRG_HTTP_REPLY_PARTS) {
		if (part->tree != NULL)
			mrg_rt_tree_close(part->tree, part->file);
		return;
	}
	r->parts[r->part_count++] = *part;
	r->length += part->len;
}

void mrg_http_reply_file(struct mrg_http_reply *r, struct mrg_rt_tree *tree, struct mrg_rt_file *file,
	uint64_t offset, uint64_t len)
{
	const struct mrg_http_part part = { .p = file->p == NULL ? NULL : file->p + (size_t)offset,
		.len = len,
		.offset = offset,
		.file = file,
		.tree = tree };
	mrg_http_reply_part(r, &part);
}

void mrg_http_reply_written(struct mrg_http_reply *r, size_t from)
{
	if (r->text->st != MRG_OK)
		return;
	const struct mrg_span text = mrg_w_span(r->text, from);
	mrg_http_reply_part(r, &(struct mrg_http_part){ .p = text.p, .len = text.len });
}

void mrg_http_reply_text(struct mrg_http_reply *r, struct mrg_span text)
{
	const size_t from = r->text->len;
	mrg_w_put(r->text, text);
	mrg_http_reply_written(r, from);
}

void mrg_http_reply_drop(struct mrg_http_reply *r)
{
	for (size_t i = 0; i < r->part_count; i++)
		if (r->parts[i].tree != NULL)
			mrg_rt_tree_close(r->parts[i].tree, r->parts[i].file);
	r->part_count = 0;
}

/* ---- errors ---- */

static void put_page(struct mrg_w *w, unsigned status, struct mrg_span why)
{
	const struct mrg_span reason = mrg_http_status_word(status);
	mrg_w_put(w, MRG_LITERAL("<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>"));
	mrg_digits_put(w, status, 3);
	mrg_w_u8(w, ' ');
	mrg_w_put(w, reason);
	mrg_w_put(w, MRG_LITERAL("</title>\n<h1>"));
	mrg_digits_put(w, status, 3);
	mrg_w_u8(w, ' ');
	mrg_w_put(w, reason);
	mrg_w_put(w, MRG_LITERAL("</h1>\n"));
	if (why.len == 0)
		return;
	mrg_w_put(w, MRG_LITERAL("<p>"));
	mrg_w_put(w, why);
	mrg_w_put(w, MRG_LITERAL("</p>\n"));
}

void mrg_http_reply_error(struct mrg_http_reply *r, unsigned status, struct mrg_span why)
{
	struct mrg_w *const text = r->text;
	const size_t from = text->len;
	mrg_http_reply_drop(r);
	mrg_http_reply_begin(r, text);
	r->status = status;
	mrg_http_reply_field(r, MRG_HTTP_FIELD_CONTENT_TYPE, MRG_LITERAL("text/html; charset=utf-8"));
	put_page(text, status, why);
	mrg_http_reply_written(r, from);
}

/* ---- the head ---- */

/* RFC 9110 8.6: not with 1xx and 204; 304 need not say how long the body would be. */
static bool has_length(const struct mrg_http_reply *r)
{
	return !r->no_length && r->status != MRG_HTTP_STATUS_NO_CONTENT;
}

static void put_status_line(struct mrg_w *w, unsigned status)
{
	uint8_t b[3];
	struct mrg_w digits;
	mrg_w_init(&digits, b, sizeof b);
	mrg_digits_put(&digits, status, sizeof b);
	const struct mrg_capture parts[] = {
		mrg_capture_of(MRG_HTTP_HTTP1_STATUS_LINE_MAJOR, MRG_LITERAL("1")),
		mrg_capture_of(MRG_HTTP_HTTP1_STATUS_LINE_MINOR, MRG_LITERAL("1")),
		mrg_capture_of(MRG_HTTP_HTTP1_STATUS_LINE_STATUS, mrg_w_span(&digits, 0)),
		mrg_capture_of(MRG_HTTP_HTTP1_STATUS_LINE_REASON, mrg_http_status_word(status)),
	};
	mrg_http_http1_status_line_put(w, parts, parts[3].len == 0 ? 3 : 4);
}

void mrg_http_reply_date_line(uint64_t unix_s, struct mrg_w *w)
{
	uint8_t b[32];
	struct mrg_w date;
	mrg_w_init(&date, b, sizeof b);
	mrg_http_date_put(&date, unix_s);
	put_line(w, MRG_HTTP_FIELD_DATE, mrg_w_span(&date, 0));
}

void mrg_http_reply_head(
	const struct mrg_http_reply *r, const struct mrg_http_head_args *args, struct mrg_w *w)
{
	put_status_line(w, r->status);
	mrg_w_put(w, args->date_line);
	mrg_w_put(w, (struct mrg_span){ r->fields.p, r->fields.len });
	if (has_length(r))
		put_number_line(w, MRG_HTTP_FIELD_CONTENT_LENGTH, r->length);
	if (args->close)
		put_line(w, MRG_HTTP_FIELD_CONNECTION, MRG_LITERAL("close"));
	else if (args->keep_alive)
		put_line(w, MRG_HTTP_FIELD_CONNECTION, MRG_LITERAL("keep-alive"));
	mrg_w_put_few(w, MRG_LITERAL("\r\n"));
}
