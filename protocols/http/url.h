/*
 * url.h - a URL, taken apart into what a client needs: where to connect, what Host says, what to ask for.
 *
 * References: RFC 9110 4.2 (http URIs), 7.1 (determining the target resource), 7.2 (Host); RFC 9112 3.2.1 (origin-form); RFC 3986.
 *
 * What it does not do: it resolves no name and no relative reference. A fragment is no part of what is read here: it stays with the client
 * (RFC 9110 7.1), who cuts it off before. User information is an error (RFC 9110 4.2.4).
 *
 * Use:
 *	struct mrg_http_url u;
 *	if (mrg_http_url_read(text, &u) != MRG_OK) ...	(u.why says what is wrong)
 *	mrg_http_url_target_put(&w, &u);	(request.host is u.authority)
 */
#ifndef MRG_HTTP_URL_H
#define MRG_HTTP_URL_H

#include "mrg.h"

/* All spans but `why` borrow the input. */
struct mrg_http_url {
	struct mrg_span scheme, authority, host; /* host: never empty; an IPv6 address has its brackets */
	struct mrg_span rest; /* path and query as written, with `/` and `?` in front; may be empty */
	uint16_t port;        /* 80 when there is none: the default of http, RFC 9110 4.2.1 */
	struct mrg_span why;  /* when refused: the rule and its clause */
};

/*
 * mrg_http_url_read - all of `in` is `scheme://host:port/path?query`; scheme and host are as written, neither folded nor decoded.
 *   out      everything of it is written when MRG_OK is returned, `why` when it is refused
 * Fails:    MRG_E_VALUE.   Cost: linear in the input.
 */
MRG_MUST_USE enum mrg_status mrg_http_url_read(struct mrg_span in, struct mrg_http_url *out);

/*
 * mrg_http_url_target_put - the target of a request for it, in origin-form.   Fails: sticky, as the writer does.
 */
void mrg_http_url_target_put(struct mrg_w *w, const struct mrg_http_url *u);

#endif
