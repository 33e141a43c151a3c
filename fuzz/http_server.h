/*
 * http_server.h - requests on a connection to the HTTP server: for http_request.c, which makes them, and http_server.c.
 */
#ifndef FUZZ_HTTP_SERVER_H
#define FUZZ_HTTP_SERVER_H

#include "fuzz/subject.h"

/* What the handler does with a request; the second octet of the target says which, modulo HTTP_KINDS. */
enum http_kind {
	HTTP_ECHO,  /* says what the request was, and how long its body */
	HTTP_NOW,   /* the same, at once: the body is not wanted */
	HTTP_LARGE, /* many octets in memory */
	HTTP_PARTS, /* many parts */
	HTTP_EMPTY, /* 204 */
	HTTP_CLOSE, /* the connection is to end */
	HTTP_STOP,  /* no more than three octets of the body are wanted */
	HTTP_ERROR, /* a page that says why */
	HTTP_FAULT, /* a field that can't be: 500 */
	HTTP_KINDS
};

size_t http_requests_make(struct mrg_rng *rng, uint8_t *out, size_t cap);
size_t http_requests_change(struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other, size_t other_len, uint8_t *out,
	size_t cap);

extern const struct mrg_fuzz_subject http_server_requests;

#endif
