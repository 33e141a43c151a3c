/*
 * server_in.h - requests on their way in; private to server*.c.
 */
#ifndef MRG_HTTP_SERVER_IN_H
#define MRG_HTTP_SERVER_IN_H

#include "protocols/http/server.h"

enum {
	MRG_HTTP_IN_MAX = 66 << 10, /* more than the longest head */
	MRG_HTTP_IN_SMALL = 1024    /* most heads that come in pieces fit in this */
};

/* Read what has come and deal with it. What is owed is queued and sent. */
enum mrg_io mrg_http_in_receive_(struct mrg_http_server *t, struct mrg_http_conn *c, uint64_t now_ns);

/* Deal with what is held. false: the connection is broken. */
bool mrg_http_in_resume_(struct mrg_http_server *t, struct mrg_http_conn *c, uint64_t now_ns);

/* The client was too slow with its request: answer so, if there is something to answer. false: the connection is broken. */
bool mrg_http_in_timeout_(struct mrg_http_server *t, struct mrg_http_conn *c, uint64_t now_ns);

void mrg_http_in_drop_(struct mrg_http_server *t, struct mrg_http_conn *c);

/* Blocks of server.c's: from the pool, else from the connection longest without progress that has one, but not `c`; or NULL. */
uint8_t *mrg_http_in_block_(struct mrg_http_server *t, const struct mrg_http_conn *c);
struct mrg_http_out *mrg_http_out_block_(struct mrg_http_server *t, const struct mrg_http_conn *c);

#endif
