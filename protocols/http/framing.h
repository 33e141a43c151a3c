/*
 * framing.h - what fields say about where a body ends and whether the connection stays; private to request.c and response.c.
 *
 * References: RFC 9110 7.6.1 (Connection), 8.6 (Content-Length); RFC 9112 6 (body length), 9.3 (persistence).
 *
 * A rule that is broken comes back as the text that names it; its `p` is NULL when all is well.
 */
#ifndef MRG_HTTP_FRAMING_H
#define MRG_HTTP_FRAMING_H

#include "mrg_part.h"
#include "protocols/http/fields.h"

/* Of one head; zero at first. */
struct mrg_http_framing {
	const struct mrg_http_field_line *length, *coding; /* Content-Length, Transfer-Encoding; NULL: none */
	bool close, keep_alive;                            /* Connection says so */
};

/* How transfer codings end. */
enum mrg_http_codings_end {
	MRG_HTTP_CODINGS_BAD,     /* no list of codings, or an empty one */
	MRG_HTTP_CODINGS_MISUSED, /* chunked more than once, or with parameters */
	MRG_HTTP_CODINGS_CHUNKED, /* chunked, and nothing else */
	MRG_HTTP_CODINGS_LAST,    /* others, then chunked */
	MRG_HTTP_CODINGS_OTHERS   /* others; chunked is not the last */
};

static inline struct mrg_span mrg_http_span_(const struct mrg_capture *c)
{
	return (struct mrg_span){ c->p, c->len };
}

/* Lines from captures: each that is `name` begins one.   Returns how many. */
static inline size_t mrg_http_fields_take_(
	struct mrg_http_field_line *lines, const struct mrg_capture *c, size_t count, unsigned name)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		if (c[i].what == name) {
			struct mrg_http_field_line *const f = &lines[n++];
			f->name = mrg_http_span_(&c[i]);
			f->value = (struct mrg_span){ NULL, 0 };
			f->id = mrg_http_field_of(f->name);
		} else {
			lines[n - 1].value = mrg_http_span_(&c[i]);
		}
	}
	return n;
}

/* One more line: remembered when it is Content-Length, Transfer-Encoding or Connection. */
struct mrg_span mrg_http_framing_look_(struct mrg_http_framing *f, const struct mrg_http_field_line *line);

/* Of all lines together: Content-Length beside Transfer-Encoding.  RFC 9112 6.3: may be smuggling, and ought to be an error. */
struct mrg_span mrg_http_framing_both_(const struct mrg_http_framing *f);

/* *length saturates. */
struct mrg_span mrg_http_framing_length_(const struct mrg_http_field_line *line, uint64_t *length);

enum mrg_http_codings_end mrg_http_framing_codings_(const struct mrg_http_field_line *line);

#endif
