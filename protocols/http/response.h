/*
 * response.h - a response's head, read and judged: status, fields, how the body ends, and whether the connection stays.
 *
 * References: RFC 9110 15 (status codes); RFC 9112 4 (status line), 5 (fields), 6.3 (body length), 9.3 (persistence).
 *
 * What it does not do: it reads no body (body.h does), follows nothing, and keeps nothing.
 *
 * Use:
 *	struct mrg_http_response r;
 *	size_t len;
 *	switch (mrg_http_response_read(in, MRG_HTTP_METHOD_GET, &r, &len)) {
 *	case MRG_OK: look at r; break;		(the head is in.p[0..len-1])
 *	case MRG_MORE: wait for more; break;
 *	default: end the connection: r.why says what is wrong with the octet in.p[len]; break;
 *	}
 */
#ifndef MRG_HTTP_RESPONSE_H
#define MRG_HTTP_RESPONSE_H

#include "protocols/http/fields.h"

/* All spans but `why` borrow the input. */
struct mrg_http_response {
	unsigned status;        /* 0 to 999; what is not in 100 to 599 is to be taken as a server's error (RFC 9110 15) */
	unsigned minor;         /* HTTP/1.minor */
	struct mrg_span reason; /* p is NULL when it is empty */
	enum mrg_http_body body;
	uint64_t length; /* octets of the body, with MRG_HTTP_BODY_LENGTH */
	bool coded;      /* the body is in transfer codings besides chunked, which nobody asked for */
	bool tunnel;     /* success of a CONNECT: what follows belongs to no message */
	bool keep_alive; /* the server would go on with this connection */
	struct mrg_span why; /* when refused: the rule and its clause */
	size_t count;
	struct mrg_http_field_line fields[MRG_HTTP_FIELDS_MAX];
};

/* 1xx: others follow it, up to one that is final.  RFC 9110 15.2 */
static inline bool mrg_http_response_interim(const struct mrg_http_response *r) { return r->status / 100u == 1u; }

/*
 * mrg_http_response_read - read the head at the start of `in`, and hold it against the rules.
 *   method   of the request that it answers
 *   out      everything of it is written when MRG_OK is returned, `why` when something is refused
 *   len      octets of the head; when refused, where the octet is that can't be there, or the head's length
 * Returns:  MRG_OK; MRG_MORE: the head does not end in `in`; else refused, with MRG_E_LIMIT because it is too long: no response can be told
 *           from what follows.
 * Cost:     linear in the head.
 */
MRG_MUST_USE enum mrg_status mrg_http_response_read(
	struct mrg_span in, enum mrg_http_method method, struct mrg_http_response *out, size_t *len);

/*
 * mrg_http_response_field - the first field with that name after `from` (NULL: from the first on); NULL when there is none.
 */
const struct mrg_http_field_line *mrg_http_response_field(const struct mrg_http_response *r,
	enum mrg_http_field id, const struct mrg_http_field_line *from);

#endif
