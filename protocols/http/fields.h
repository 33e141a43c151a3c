/*
 * fields.h - the field lines of a head, and how a body ends by what they say.
 *
 * References: RFC 9110 5 (fields), RFC 9112 5 (field lines) and 6.3 (body length).
 *
 * What it does not do: it joins no lines of the same name; what a value means is the business of whoever looks for it.
 */
#ifndef MRG_HTTP_FIELDS_H
#define MRG_HTTP_FIELDS_H

#include "iana/http.h"
#include "mrg.h"

enum { MRG_HTTP_FIELDS_MAX = 100 }; /* as specs/http/message.mrg has it */

struct mrg_http_field_line {
	struct mrg_span name, value; /* value.p is NULL when it is empty */
	enum mrg_http_field id; /* MRG_HTTP_FIELD_UNKNOWN: one without a number */
};

/* RFC 9112 6.3 */
enum mrg_http_body { MRG_HTTP_BODY_NONE, MRG_HTTP_BODY_LENGTH, MRG_HTTP_BODY_CHUNKED, MRG_HTTP_BODY_CLOSE };

/*
 * mrg_http_fields_find - the first of `count` lines with that name after `from` (NULL: from the first on); NULL when there is none.
 */
const struct mrg_http_field_line *mrg_http_fields_find(const struct mrg_http_field_line *lines, size_t count,
	enum mrg_http_field id, const struct mrg_http_field_line *from);

#endif
