/*
 * coding.h - which content codings a client accepts.
 *
 * References: RFC 9110 12.4.2 (weights), 12.5.3 (Accept-Encoding).
 */
#ifndef MRG_HTTP_CODING_H
#define MRG_HTTP_CODING_H

#include "protocols/http/request.h"

/* In thousandths; 0: not accepted. */
struct mrg_http_codings {
	unsigned br, gzip, identity;
};

/*
 * mrg_http_codings - what the Accept-Encoding fields of the request say. Without one, or where one is no list of codings, only
 * identity is accepted: what is sent is then what any client understands.
 * Cost:     linear in the fields.
 */
void mrg_http_codings(const struct mrg_http_request *r, struct mrg_http_codings *out);

#endif
