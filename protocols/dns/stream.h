/*
 * stream.h - DNS over a stream: framing, pipelining, idle limits, back-pressure.
 *
 * References: RFC 1035 4.2.2, RFC 5936 4.1 (transfers), RFC 7766 (6.2 connections, 7 answers in any order, 8 framing), RFC 9210 4.
 *
 * What it does not do: it understands no message, opens no connection and answers in order of arrival, which RFC 7766 7 allows: what is
 * asked behind a transfer, or behind a query whose reply comes later, waits.
 *
 * Use:
 *	struct mrg_dns_streams t;
 *	if (mrg_dns_streams_init(&t, &arena, &timers, &limits, &answerer) != MRG_OK) ...
 *	listen(&t.user);	(the platform calls it from here on)
 *	...
 *	mrg_dns_streams_drain(&t, now_ns);
 *	while (mrg_dns_streams_count(&t) != 0) ...
 *
 * Memory: a connection that owes nothing and is owed nothing holds one struct mrg_dns_conn. What arrives in part, and what the
 * peer is slow to take, is kept in blocks from two pools; when those are empty the connection longest without progress that
 * holds one is closed for it. While a reply waits to be taken, its connection is not read. Of a transfer no more than a block's worth waits.
 */
#ifndef MRG_DNS_STREAM_H
#define MRG_DNS_STREAM_H

#include "dns/stream.h"
#include "mrg.h"
#include "mrg_rt.h"

struct mrg_dns_stream_limits {
	uint32_t conn_count; /* connections at once; one more closes the one longest without progress */
	uint32_t
		block_count; /* big blocks at once, of some 80 KiB: partial long messages, replies that wait */
	uint64_t
		idle_ns; /* a connection is closed when this passes without a whole query read or a waiting reply sent */
	uint32_t client_max;    /* connections of one client at once, by address (IPv6: by /64); 0: as many as there may be */
	uint64_t client_key[2]; /* that nobody can guess, so that nobody can choose whom to be counted with */
};

/* What is said to a query. */
enum mrg_dns_said {
	MRG_DNS_SAID_ALL,    /* *out_len octets: the reply, or the last message of a transfer */
	MRG_DNS_SAID_PART,   /* *out_len octets, a message of a transfer: `next` gives the one behind it */
	MRG_DNS_SAID_LATER,  /* nothing yet: mrg_dns_streams_reply says it */
	MRG_DNS_SAID_NOTHING /* there is no reply, or no more of it: the connection is ended, as the peer would learn in no other way */
};

/* A query whose reply comes later. */
struct mrg_dns_ticket {
	struct mrg_dns_conn *conn;
	uint64_t number;
};

/* What else there is to a query. */
struct mrg_dns_call {
	struct mrg_stream *stream;    /* whose peer asks */
	struct mrg_dns_ticket ticket; /* for MRG_DNS_SAID_LATER */
	void *transfer;               /* set with MRG_DNS_SAID_PART: what `next` and `done` are told; else without meaning */
	uint64_t now_ns;
};

/* Who answers. */
struct mrg_dns_answerer {
	void *ctx;
	/* A query: cap is 65,535. The call is good as long as this takes. */
	enum mrg_dns_said (*answer)(void *ctx, struct mrg_dns_call *call, struct mrg_span query, uint8_t *out,
		size_t cap, size_t *out_len);
	/* The next message of a transfer: all of enum mrg_dns_said but MRG_DNS_SAID_LATER. NULL if there are no transfers, as is `done`. */
	enum mrg_dns_said (*next)(void *ctx, void *transfer, uint8_t *out, size_t cap, size_t *out_len);
	/* The transfer is over: it was said to be, or its connection has ended. Called once for each. */
	void (*done)(void *ctx, void *transfer);
};

/* Bytes kept for a connection between two events. */
struct mrg_dns_held {
	uint8_t *p; /* NULL: none */
	uint32_t off, len;
	bool big;
};

struct mrg_dns_conn {
	struct mrg_stream *s;
	struct mrg_dns_conn *prev, *next; /* in order of their deadlines; next also when free */
	uint64_t deadline_ns;
	struct mrg_dns_held in, out;
	void *transfer;  /* under way; of the answerer */
	uint64_t ticket; /* of the query whose reply comes later; 0: none */
	uint32_t client; /* where it is counted; with client_max only */
	struct mrg_dns_stream_server m; /* where it stands: specs/dns/stream.mrg */
};

struct mrg_dns_stream_counts {
	uint64_t opened, refused /* for client_max */, idle_closed, spared, broken, queries, answers, parts;
};

struct mrg_dns_streams {
	struct mrg_stream_user user; /* for the platform */
	struct mrg_dns_stream_counts counts;
	/* private */
	struct mrg_dns_stream_limits limits;
	struct mrg_dns_answerer answerer;
	struct mrg_rt_timers *timers;
	struct mrg_rt_timer idle;
	struct mrg_rt_pool conns, small, big;
	struct mrg_dns_conn *oldest, *newest;
	uint32_t live;
	uint64_t tickets; /* queries that came */
	uint32_t *clients; /* connections, by a hash of who has them: who shares one is counted as one */
	bool draining;
	uint8_t *in, *out; /* work space of one event, shared by all connections */
};

/*
 * mrg_dns_streams_init - no connections yet.
 *   t   stays in place from here on: the timer and the platform point to it
 * Fails:    MRG_E_SPACE when the arena has no room for the work space; connections and blocks are taken when needed.
 */
MRG_MUST_USE enum mrg_status mrg_dns_streams_init(struct mrg_dns_streams *t, struct mrg_arena *a,
	struct mrg_rt_timers *timers, const struct mrg_dns_stream_limits *limits,
	const struct mrg_dns_answerer *answerer);

/*
 * mrg_dns_streams_reply - say what was to be said later; not from within a call of the answerer.
 *   message   copied; at most 65,535 octets.  Empty: there is no reply, and the connection is ended.
 * Returns false when nobody waits for it any more: the connection has ended, or it was said already.
 */
bool mrg_dns_streams_reply(
	struct mrg_dns_streams *t, struct mrg_dns_ticket ticket, struct mrg_span message, uint64_t now_ns);

/*
 * mrg_dns_streams_drain - answer what has arrived whole, then end each connection; new ones are refused. Transfers go on to their end, and replies that come
 * later are waited for. A peer that does not take its replies keeps its connection until idle_ns has passed.
 */
void mrg_dns_streams_drain(struct mrg_dns_streams *t, uint64_t now_ns);

/*
 * mrg_dns_streams_close - close every connection now, whatever is owed.
 */
void mrg_dns_streams_close(struct mrg_dns_streams *t);

static inline uint32_t mrg_dns_streams_count(const struct mrg_dns_streams *t) { return t->live; }

#endif
