/*
 * condition.h - conditional requests: what has been changed since, and what is still the same.
 *
 * References: RFC 9110 8.8 (validators), 13 (conditional requests; 13.2.2 for the order of precedence).
 */
#ifndef MRG_HTTP_CONDITION_H
#define MRG_HTTP_CONDITION_H

#include "protocols/http/date.h"
#include "protocols/http/request.h"

/* What a representation is compared by. */
struct mrg_http_validators {
	struct mrg_span etag; /* a strong entity tag with its quotes */
	bool dated;           /* modified_s is known */
	uint64_t modified_s;  /* seconds since 1970 */
	uint64_t now_s;       /* of this answer; or MRG_HTTP_NO_CLOCK */
};

enum mrg_http_verdict {
	MRG_HTTP_GO_ON,      /* as if there were no condition */
	MRG_HTTP_UNCHANGED,  /* 304 (Not Modified) */
	MRG_HTTP_FAILED      /* 412 (Precondition Failed) */
};

/*
 * mrg_http_condition - If-Match, else If-Unmodified-Since; then If-None-Match, else If-Modified-Since: for GET and HEAD of something
 * that exists. A list that is none names nothing; a date that is none is passed over.
 * Cost:     linear in the fields.
 */
enum mrg_http_verdict mrg_http_condition(const struct mrg_http_request *r, const struct mrg_http_validators *v);

/*
 * mrg_http_condition_range - If-Range: is what the client has a part of the same as this? True without that field.
 */
bool mrg_http_condition_range(const struct mrg_http_request *r, const struct mrg_http_validators *v);

#endif
