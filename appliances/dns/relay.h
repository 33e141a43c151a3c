/*
 * relay.h - outward.h for the manager where our own TCP/IP is a worker's (--net): datagrams go as letters (mail.h), the octets of a
 * connection through a pair of sockets, whose other end the worker relays.
 *
 * What it does not do: it looks at no message.
 *
 * Use:
 *	relay_outward_init(&out, &control, &loop);		in the manager
 *	relay_outward_take(&out, letter, now_ns);		each LETTER_DGRAM and LETTER_CONNECT that it gets
 *	relay_init(&relay, stack, &control, &loop, &arena);	in the worker
 *	relay_take(&relay, letter);				each of those that it gets
 */
#ifndef MRG_DNS_RELAY_H
#define MRG_DNS_RELAY_H

#include "appliances/dns/mail.h"
#include "appliances/dns/outward_own.h"
#include "unix/mrg_unix.h"

struct control;

/* ---- the manager's end ---- */

struct relay_outward {
	struct outward out;
	/* private */
	struct control *control;
	struct mrg_unix_loop *loop; /* the manager's */
	uint64_t last_id;
	struct {
		struct outward_connect *of; /* NULL: not in use */
		uint64_t id;
		int fd;
	} attempts[OUTWARD_CONNECTS];
};

/* relay_outward_init - out.ctx and out.take are set before; *o stays in place. */
void relay_outward_init(struct relay_outward *o, struct control *control, struct mrg_unix_loop *loop);

/* relay_outward_take - what the worker has sent; the letter is given back. */
void relay_outward_take(struct relay_outward *o, struct letter *l, uint64_t now_ns);

/* ---- the worker's end ---- */

/* Octets on their way from one stream to another. */
struct relay_way {
	uint8_t *p;
	size_t cap, at, len; /* those from at on, len of them, wait */
	bool ended;          /* nothing more comes */
};

/* A connection of the manager's. */
struct relay_conn {
	struct relay *all;
	struct letter *asked; /* while it is being made: the letter that is sent back */
	struct outward_connect connect;
	struct mrg_stream_user peer_user, manager_user;
	struct mrg_stream *peer;    /* NULL: it is being made */
	struct mrg_stream *manager; /* NULL: not in use */
	struct relay_way in, out;
};

struct relay {
	struct outward_own own;
	/* private */
	struct control *control;
	struct mrg_unix_loop *loop;
	bool closed;
	struct relay_conn list[OUTWARD_CONNECTS];
};

size_t relay_memory(void); /* octets of the arena */

/* relay_init - *r stays in place.   Fails: false: the stack or the arena has no room. */
bool relay_init(struct relay *r, struct mrg_tcpip *stack, struct control *control, struct mrg_unix_loop *loop,
	struct mrg_arena *arena);

/* relay_take - what the manager wants; the letter is given back. */
void relay_take(struct relay *r, struct letter *l);

/* relay_close - end all connections; none is made from now on. */
void relay_close(struct relay *r);

#endif
