/*
 * peers.h - for tests of protocols/http: a server over connections that are made up, so that each split, each short write and each
 * failure is chosen, and time is a number. Tests of the client have the same connections (asker.h): a peer is its server then.
 */
#ifndef TESTS_HTTP_PEERS_H
#define TESTS_HTTP_PEERS_H

#include "protocols/http/server.h"

/* One made-up connection: what the client sends, how much of it is let through, what it got. */
struct peer {
	struct mrg_stream stream;
	const struct mrg_stream_user *user; /* who hears of events */
	uint8_t *in;
	size_t in_len, in_cap, in_off;
	size_t read_most;  /* octets that a read gives at most; 0: all */
	size_t arrived;    /* octets of `in` that are there to be read */
	bool eof, reset;   /* behind `in`; of a reset, writes hear at once */
	size_t write_room; /* octets that writes still take */
	size_t write_most; /* octets that a write takes at most; 0: all */
	uint8_t *out;
	size_t out_len, out_cap;
	unsigned want, reads, writes;
	bool more; /* said of what was written last */
	bool finished, closed;
	struct peer *next; /* in the list of all */
};

extern struct mrg_http_server server;
extern struct mrg_rt_timers timers;
extern uint64_t now; /* nanoseconds */

/* Limits of a small server: 8 connections, 3 blocks of each kind, bodies of 100,000 octets, five times that all differ. */
struct mrg_http_limits peers_limits(void);

/* A server with just the memory that it says it needs.  limits: NULL for those of a small one. */
void peers_start(const struct mrg_http_limits *limits, const struct mrg_http_handler *handler);

/* The same with memory of this size; false: it is too small to start with. */
bool peers_start_in(size_t cap, const struct mrg_http_limits *limits, const struct mrg_http_handler *handler);

/* Close the server; nothing of it may be left, and all its blocks must have come back. */
void peers_stop(void);
void peers_stop_small(void); /* the same where there was not memory for all blocks */

struct peer *peer_new(void);  /* not known to the server, but its events would go there */
void peers_free(void);        /* all of them; peers_stop does that too */
struct peer *peer_open(void); /* taken by the server */

/* Add to what the client sends. */
void peer_send(struct peer *p, struct mrg_span octets);
void peer_send_text(struct peer *p, const char *text);

/* Tell of these events. */
void peer_event(struct peer *p, unsigned events);

/* Let the first `arrived` octets be there, and tell of events until none holds any more. */
void peer_run(struct peer *p, size_t arrived);
void peer_run_all(struct peer *p);

/* The client ends its half and takes all; the connection must end. */
void peer_end(struct peer *p);

/* Time passes. */
void pass(uint64_t ns);

/*
 * What the client got, which must be whole answers: "200 hello, 404 close": a status, the body if that is short and all went well, what
 * Connection says.   kinds: H for each HEAD, G for each other request; those behind its end are others.
 */
const char *peer_answers_to(const struct peer *p, const char *kinds);
const char *peer_answers(const struct peer *p);

#endif
