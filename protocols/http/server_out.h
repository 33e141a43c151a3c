/*
 * server_out.h - answers on their way; private to server*.c.
 */
#ifndef MRG_HTTP_SERVER_OUT_H
#define MRG_HTTP_SERVER_OUT_H

#include "protocols/http/server.h"

enum {
	MRG_HTTP_OUT_TEXT = 48 << 10,
	MRG_HTTP_OUT_HEAD = 4 << 10, /* of that: not for bodies, so that a head and the page of an error always fit */
	MRG_HTTP_OUT_FULL = 32 << 10, /* so much text, and what is queued is sent before there is more: one answer always fits */
	MRG_HTTP_OUT_PARTS = 96
};

/* What is to be sent, in order. */
struct mrg_http_out {
	size_t first, count; /* of the parts: not yet sent */
	struct mrg_http_part parts[MRG_HTTP_OUT_PARTS];
	struct mrg_w text; /* over room */
	uint8_t room[MRG_HTTP_OUT_TEXT];
};

void mrg_http_out_clear_(struct mrg_http_out *o);

/* When date_until_ns has come: the time of day for answers, seconds since 1970. Its Date line is ready then. */
uint64_t mrg_http_out_date_(struct mrg_http_server *t, uint64_t now_ns);

/* The machine's context. Its answer is that in t->reply, whose text is in t->out; it is queued behind others of this event. */
struct mrg_http_turn {
	struct mrg_http_server *t;
	struct mrg_http_conn *c;
	struct mrg_http_exchange *x; /* for the log */
};

static inline bool mrg_http_out_full_(const struct mrg_http_out *o)
{
	return o->text.len >= MRG_HTTP_OUT_FULL || o->count + MRG_HTTP_REPLY_PARTS + 1 > MRG_HTTP_OUT_PARTS;
}

/* Is the client slow to take something? */
static inline bool mrg_http_out_waits_(const struct mrg_http_conn *c) { return c->rest.len != 0 || c->out != NULL; }

/* Send what is queued for this event; keep for the connection what is not taken. false: the connection is broken. */
bool mrg_http_out_flush_(struct mrg_http_server *t, struct mrg_http_conn *c);

/* Send more of what is kept for the connection. false: the connection is broken. */
bool mrg_http_out_resume_(struct mrg_http_server *t, struct mrg_http_conn *c);

/* Give up what is kept for the connection. */
void mrg_http_out_drop_(struct mrg_http_server *t, struct mrg_http_conn *c);

#endif
