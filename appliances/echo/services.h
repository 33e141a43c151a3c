/*
 * services.h - the small services of mrg-echo, over whatever gives ends.
 *
 * References: RFC 862 (echo), RFC 863 (discard), RFC 864 (character generator).
 *
 * What it does not do: it opens no end and knows no platform; active.h does what a datagram asks for.
 *
 * Use:
 *	streams_init(&streams, &arena, 1000);
 *	mrg_tcpip_listen(stack, &port_7, &streams.user[SERVICE_ECHO]);
 *	mrg_tcpip_udp_bind(stack, &port_7, &datagram_echo);
 */
#ifndef MRG_ECHO_SERVICES_H
#define MRG_ECHO_SERVICES_H

#include "mrg_rt.h"

enum service {
	SERVICE_ECHO,    /* what comes goes back; after the end the rest, then our end */
	SERVICE_DISCARD, /* what comes is forgotten */
	SERVICE_CHARGEN, /* lines of characters without end; what comes is forgotten */
	SERVICE_BYE,     /* "bye" and our end, when the first octets come */
	SERVICE_STUCK,   /* nothing is ever read */
	SERVICE_HI,      /* for connections of ours: "hi", then echo */
	SERVICES
};

extern const char *const service_name[SERVICES];

struct stream_counts {
	uint64_t opened, refused, closed_whole, broken, spared;
	uint64_t octets_in, octets_out;
};

struct stream_conn;
struct streams;

struct stream_service {
	struct streams *all;
	enum service kind;
};

/* What is sent again and again (RFC 864): lines of 72 characters, each beginning one further on. */
enum { CHARGEN_CHARS = 95, CHARGEN_LINE = 72 + 2, CHARGEN_LEN = CHARGEN_CHARS * CHARGEN_LINE };

struct streams {
	struct mrg_stream_user user[SERVICES];
	struct stream_counts counts[SERVICES];
	size_t open; /* connections now */
	/* private */
	struct mrg_rt_pool conns, buffers;
	struct stream_conn *oldest, *newest; /* by when something last happened */
	struct stream_service service[SERVICES];
	uint8_t pattern[CHARGEN_LEN];
};

size_t streams_memory(size_t conn_count); /* bytes of the arena that are taken at most */

/*
 * streams_init - all services, for at most conn_count connections together. Memory is cut from the arena when first needed.
 */
void streams_init(struct streams *t, struct mrg_arena *arena, size_t conn_count);

void streams_close(struct streams *t); /* all connections */

/* ---- datagrams ---- */

struct datagram_counts {
	uint64_t in, out, looped; /* looped: from a port of a service that answers everything, and not answered */
};

/* RFC 862 for datagrams. `ctx` of the user is this. */
struct datagram_echo {
	struct mrg_dgram_user user;
	struct datagram_counts counts;
};
void datagram_echo_init(struct datagram_echo *d);

/* Datagrams that say what to do: "connect ADDRESS PORT". */
struct datagram_control {
	struct mrg_dgram_user user;
	struct datagram_counts counts;
	void *ctx;
	const char *(*connect)(void *ctx, const struct mrg_rt_addr *to); /* NULL: done; else why not */
};
void datagram_control_init(struct datagram_control *d);

#endif
