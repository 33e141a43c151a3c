/*
 * asker.h - for tests of protocols/http: a client over the made-up connections of peers.h, what it asks, and a record of what it was told.
 */
#ifndef TESTS_HTTP_ASKER_H
#define TESTS_HTTP_ASKER_H

#include "peers.h"
#include "protocols/http/client.h"

extern struct mrg_http_client client;

/* A request, named by a letter: a, b, ... */
struct ask {
	struct mrg_http_client_request r;
	char name;
	/* Its body, a piece a call: "" is MRG_IO_AGAIN, "!" MRG_IO_RESET, NULL, the last, MRG_IO_EOF. */
	const char *const *pieces;
	bool taken; /* by the client */
	struct ask *list;
};

/* What handlers do besides keeping the record. */
enum asker_trick {
	ASKER_PLAIN,
	ASKER_HEAD_STOPS,  /* head gives false */
	ASKER_BODY_STOPS,  /* body gives false */
	ASKER_HEAD_CLOSES, /* head closes the client */
	ASKER_BODY_CLOSES,
	ASKER_DONE_CLOSES,
	ASKER_SOURCE_CLOSES,
	ASKER_DONE_ADDS,    /* done adds one more request, once */
	ASKER_CLOSED_BEGINS /* closed begins again and adds one more, once */
};

extern enum asker_trick asker_trick;

/* Limits of a small client: bodies of 1,000 octets, heads of 500, 3 interim responses, no pipelining, five times that all differ. */
struct mrg_http_client_limits asker_limits(void);

/* A client that has begun.  limits: NULL for those of a small one. */
void asker_start(const struct mrg_http_client_limits *limits);

/* Its connection stands. */
struct peer *asker_open(void);

/* asker_start and asker_open. */
struct peer *asker(const struct mrg_http_client_limits *limits);

/* Close the client; nothing of it may be left. */
void asker_stop(void);

/* A request with Host: h that is not added yet; one that is, which must be taken. Good until asker_stop. */
struct ask *ask_new(const char *method, const char *target);
struct ask *ask(const char *method, const char *target);
struct ask *ask_with_body(
	const char *method, enum mrg_http_body body, uint64_t length, const char *const *pieces);

/* Take it to the client. */
enum mrg_status ask_add(struct ask *a);

/* Requests that the client took and that have not ended. */
unsigned asker_waiting(void);

/*
 * The record since the last call: `a 200 "hello" ok; b cut unsent; closed.` - for each request, in order of what happened, the status, the
 * octets of the body, how it ended. Good until the next call.
 */
const char *asker_said(void);

/* Is this what was said since the last time? */
void said(const char *want);

/* Why the last request that got no answer got none. */
const char *asker_why(void);

/* What went out, of which nothing was looked at before. */
void sent(struct peer *p, const char *want);

#endif
