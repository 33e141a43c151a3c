/*
 * request.h - a request's head, read and judged: method, target, fields, and how long the body is.
 *
 * References: RFC 9110 7.2 (Host), 7.6.1 (Connection), 10.1.1 (Expect); RFC 9112 2.2, 3 (request line and targets), 5 (fields),
 * 6 (body length), 9.3 (persistence).
 *
 * What it does not do: it reads no body, and it knows no resource. What a target's path names is path.h's.
 *
 * Use:
 *	struct mrg_http_request r;
 *	size_t len;
 *	switch (mrg_http_request_read(in, &r, &len)) {
 *	case MRG_OK: answer(&r); break;		(the head is in.p[0..len-1])
 *	case MRG_MORE: wait for more; break;
 *	default: refuse with r.status, and end the connection; break;
 *	}
 *
 * Everything that is refused ends the connection: where the next request would start is not known then, or not agreed on by all
 * who have a part in the exchange (RFC 9112 11.2, request smuggling).
 */
#ifndef MRG_HTTP_REQUEST_H
#define MRG_HTTP_REQUEST_H

#include "protocols/http/fields.h"

/* RFC 9112 3.2 */
enum mrg_http_form {
	MRG_HTTP_ORIGIN,
	MRG_HTTP_ABSOLUTE,
	MRG_HTTP_AUTHORITY,
	MRG_HTTP_ASTERISK
};

/* All spans borrow the input. */
struct mrg_http_request {
	struct mrg_span method_text, target;
	struct mrg_span path, query; /* query.p is NULL without `?`; path is empty in the forms that have none */
	struct mrg_span scheme;      /* empty but with MRG_HTTP_ABSOLUTE */
	struct mrg_span host;        /* the name of the host that the request is for: of the target, else of Host; may be empty */
	enum mrg_http_method method; /* MRG_HTTP_METHOD_UNKNOWN: not a registered one */
	enum mrg_http_form form;
	unsigned minor; /* HTTP/1.minor */
	enum mrg_http_body body;
	uint64_t length;      /* octets of the body, with MRG_HTTP_BODY_LENGTH; saturates */
	bool keep_alive;      /* the client would go on with this connection */
	bool expect_continue; /* it waits for 100 (Continue) before the body */
	unsigned status;      /* when refused: what to answer */
	struct mrg_span why;      /* when refused: the rule and its clause */
	size_t count;
	struct mrg_http_field_line fields[MRG_HTTP_FIELDS_MAX];
};

/*
 * mrg_http_request_read - read the head at the start of `in`, and hold it against the rules.
 *   out   everything of it is written when MRG_OK is returned, status and why when something is refused
 *   len   octets of the head; when refused, where the octet is that can't be there, or the head's length
 * Returns:  MRG_OK; MRG_MORE: the head does not end in `in`; else it is refused with out->status.
 * Cost:     linear in the head.
 */
MRG_MUST_USE enum mrg_status mrg_http_request_read(
	struct mrg_span in, struct mrg_http_request *out, size_t *len);

/*
 * mrg_http_request_field - the first field with that name after `from` (NULL: from the first on); NULL when there is none.
 */
const struct mrg_http_field_line *mrg_http_request_field(const struct mrg_http_request *r,
	enum mrg_http_field id, const struct mrg_http_field_line *from);

#endif
