/*
 * client_inside.h - what the files of the client share; private to client*.c.
 */
#ifndef MRG_HTTP_CLIENT_INSIDE_H
#define MRG_HTTP_CLIENT_INSIDE_H

#include "protocols/http/client.h"

/* Why the connection will have ended. */
static inline void mrg_http_client_because_(struct mrg_http_client *c, enum mrg_http_client_error error,
	struct mrg_span why, const struct mrg_http_client_request *blamed)
{
	c->end = (struct mrg_http_client_end){ .error = error, .why = why, .sent = false };
	c->blamed = blamed;
}

/* The connection ends; others are told when the present event is over. `blamed`: as in struct mrg_http_client. The first reason counts. */
void mrg_http_client_fail_(struct mrg_http_client *c, enum mrg_http_client_error error, struct mrg_span why,
	const struct mrg_http_client_request *blamed);

/* Write the head of a request and hold it against the rules. */
enum mrg_status mrg_http_client_head_(struct mrg_http_client_request *r);

/* Write what the server takes. */
void mrg_http_client_send_(struct mrg_http_client *c);

/* Is there something to write? */
bool mrg_http_client_can_send_(const struct mrg_http_client *c);

static inline bool mrg_http_client_writes_(const struct mrg_http_client *c)
{
	return c->part_first != c->part_count;
}

/* Read what has come and deal with it. */
void mrg_http_client_receive_(struct mrg_http_client *c);

#endif
