/*
 * Field lines, and what they say about framing.
 */
#include "http/field.h"
#include "mrg_digits.h"
#include "protocols/http/framing.h"

enum { VALUE_CAPTURES = 16 }; /* taken from a value at a time */

static struct mrg_span well(void) { return (struct mrg_span){ NULL, 0 }; }

/* ---- lines ---- */

const struct mrg_http_field_line *mrg_http_fields_find(const struct mrg_http_field_line *lines, size_t count,
	enum mrg_http_field id, const struct mrg_http_field_line *from)
{
	for (const struct mrg_http_field_line *f = from == NULL ? lines : from + 1; f < lines + count; f++)
		if (f->id == id)
			return f;
	return NULL;
}

/* ---- Connection, RFC 9110 7.6.1, RFC 9112 9.3 ---- */

static void take_option(struct mrg_http_framing *f, enum mrg_http_option option)
{
	f->keep_alive = f->keep_alive || option == MRG_HTTP_OPTION_KEEP_ALIVE;
	f->close = f->close || option == MRG_HTTP_OPTION_CLOSE;
}

static struct mrg_span look_at_connection(struct mrg_http_framing *f, const struct mrg_http_field_line *line)
{
	const enum mrg_http_option only = mrg_http_option_of(line->value);
	if (only != MRG_HTTP_OPTION_UNKNOWN) {
		take_option(f, only);
		return well();
	}
	struct mrg_http_field_names_cursor names;
	struct mrg_capture c[VALUE_CAPTURES];
	size_t count;
	enum mrg_status st;
	mrg_http_field_names_begin(&names, line->value);
	do {
		st = mrg_http_field_names_next(&names, c, VALUE_CAPTURES, &count);
		for (size_t i = 0; i < count; i++) {
			take_option(f, mrg_http_option_of(mrg_http_span_(&c[i])));
		}
		if (f->close)
			return well(); /* there is nothing more to know */
	} while (st == MRG_E_SPACE);
	return st == MRG_OK ? well() : MRG_LITERAL("Connection is no list of names (RFC 9110 7.6.1)");
}

/* ---- the body's length, RFC 9112 6 ---- */

static struct mrg_span once(
	const struct mrg_http_field_line **seen, const struct mrg_http_field_line *line, struct mrg_span why)
{
	if (*seen != NULL)
		return why;
	*seen = line;
	return well();
}

struct mrg_span mrg_http_framing_look_(struct mrg_http_framing *f, const struct mrg_http_field_line *line)
{
	switch (line->id) {
	case MRG_HTTP_FIELD_CONTENT_LENGTH:
		return once(&f->length, line, MRG_LITERAL("two Content-Length fields (RFC 9112 6.3)"));
	case MRG_HTTP_FIELD_TRANSFER_ENCODING:
		return once(&f->coding, line, MRG_LITERAL("two Transfer-Encoding fields (RFC 9112 6.1)"));
	case MRG_HTTP_FIELD_CONNECTION: return look_at_connection(f, line);
	default: return well();
	}
}

struct mrg_span mrg_http_framing_both_(const struct mrg_http_framing *f)
{
	if (f->length != NULL && f->coding != NULL)
		return MRG_LITERAL("Content-Length beside Transfer-Encoding (RFC 9112 6.3)");
	return well();
}

struct mrg_span mrg_http_framing_length_(const struct mrg_http_field_line *line, uint64_t *length)
{
	struct mrg_capture c;
	size_t count, at;
	unsigned code;
	if (mrg_http_field_content_length_read(line->value, &c, 1, &count, &at, &code) != MRG_OK)
		return MRG_LITERAL("Content-Length is no number (RFC 9112 6.3)");
	*length = mrg_digits_dec(mrg_http_span_(&c));
	return well();
}

enum mrg_http_codings_end mrg_http_framing_codings_(const struct mrg_http_field_line *line)
{
	struct mrg_http_field_codings_cursor list;
	struct mrg_capture c[VALUE_CAPTURES];
	size_t count, codings = 0, chunked = 0;
	enum mrg_status st;
	bool last = false, misused = false;
	mrg_http_field_codings_begin(&list, line->value);
	do {
		st = mrg_http_field_codings_next(&list, c, VALUE_CAPTURES, &count);
		for (size_t i = 0; i < count; i++) {
			if (c[i].what != MRG_HTTP_FIELD_CODINGS_CODING) {
				misused = misused || last; /* RFC 9112 7.1: chunked has no parameters */
				continue;
			}
			last = mrg_http_coding_of(mrg_http_span_(&c[i])) == MRG_HTTP_CODING_CHUNKED;
			chunked += last;
			codings++;
		}
	} while (st == MRG_E_SPACE);
	if (st != MRG_OK || codings == 0)
		return MRG_HTTP_CODINGS_BAD;
	if (misused || chunked > 1)
		return MRG_HTTP_CODINGS_MISUSED;
	if (!last)
		return MRG_HTTP_CODINGS_OTHERS;
	return codings == 1 ? MRG_HTTP_CODINGS_CHUNKED : MRG_HTTP_CODINGS_LAST;
}
