/*
 * heads.h - for tests of protocols/http: requests from lines of text, answers from octets.
 *
 * Answers are read by the generated reader of responses, so that every head that is sent is held against our own grammar.
 */
#ifndef TESTS_HTTP_HEADS_H
#define TESTS_HTTP_HEADS_H

#include "protocols/http/request.h"

/* `GET / HTTP/1.1` with these field lines behind Host; it must be a request. Good until the next call. */
const struct mrg_http_request *request_with(const char *fields);

/* An answer; all spans are of the input. */
struct answer {
	unsigned status, minor;
	struct mrg_span reason, head, body;
	size_t count;
	struct mrg_http_field_line fields[MRG_HTTP_FIELDS_MAX];
	bool close;      /* Connection: close */
	bool keep_alive; /* Connection: keep-alive */
	bool has_length;
	uint64_t length; /* Content-Length */
};

/*
 * Read an answer at the start of `in`, to HEAD or another method, and hold it against what every answer of ours has to have; returns
 * its octets. Fails the test when it isn't whole.
 */
size_t answer_read(struct mrg_span in, bool to_head, struct answer *out);

/* The value of the one field with this name; fails the test when there are two. NULL: there is none. */
const struct mrg_span *answer_field(const struct answer *a, enum mrg_http_field id);

/* Is this the value of that field?  NULL: there must be none. */
void answer_has(const struct answer *a, enum mrg_http_field id, const char *value);

#endif
