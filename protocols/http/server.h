/*
 * server.h - connections that carry requests: reading, order of answers, persistence, limits of time and size.
 *
 * References: RFC 9110 10.1.1 (100-continue), 15.5 and 15.6; RFC 9112 2.2, 6, 7.1 (chunked), 9.3 to 9.6 (persistence, pipelining,
 * tear-down).
 *
 * What it does not do: it knows no resource (the handler does), opens no connection, and switches to no other protocol.
 * Trailer fields are checked and thrown away (RFC 9110 6.5.1).
 *
 * Use:
 *	struct mrg_http_server t;
 *	if (mrg_http_server_init(&t, &arena, &timers, &limits, &handler) != MRG_OK) ...
 *	listen(&t.user);	(the platform calls it from here on)
 *	...
 *	mrg_http_server_drain(&t, now_ns);
 *	while (mrg_http_server_count(&t) != 0) ...
 *
 * Memory: a connection that owes nothing and is owed nothing holds one struct mrg_http_conn. A head that comes in pieces, requests
 * that wait for their turn, and answers that the client is slow to take are kept in blocks from three pools; when those are empty
 * the connection longest without progress that holds one is closed for it. A body is never kept: it goes to the handler, or away.
 * Nothing is taken from a heap.
 */
#ifndef MRG_HTTP_SERVER_H
#define MRG_HTTP_SERVER_H

#include "http/connection.h"
#include "http/message.h"
#include "mrg.h"
#include "mrg_rt.h"
#include "protocols/http/body.h"
#include "protocols/http/date.h"
#include "protocols/http/reply.h"
#include "protocols/http/request.h"

struct mrg_http_limits {
	uint32_t conn_count; /* connections at once; one more closes the one that has been idle longest */
	uint32_t big_count;  /* long heads and waiting requests at once, 64 KiB each */
	uint32_t out_count;  /* answers of several parts that wait for their client at once, some 20 KiB each */
	uint64_t body_max;   /* octets of a request's body; more is 413 (Content Too Large) */
	uint64_t idle_ns;    /* between requests */
	uint64_t head_ns;    /* from the first octet of a head to its end; then 408 (Request Timeout) */
	uint64_t body_ns;    /* for every `slow_octets` of a body; then 408 */
	uint64_t send_ns;    /* for every `slow_octets` of an answer that the client takes */
	uint64_t linger_ns;  /* for the client to see the end, once it was told of it */
	uint32_t slow_octets;
};

/* A request, for as long as it is being answered. */
struct mrg_http_exchange {
	const struct mrg_http_request *request; /* valid during `head` and, if no body follows, `finish`; else NULL */
	struct mrg_http_reply *reply;           /* valid during `head` and `finish` */
	struct mrg_stream *stream;
	uint64_t now_ns;
	uint64_t unix_s; /* the time of day that the answer's Date says, seconds since 1970; or MRG_HTTP_NO_CLOCK */
	void **own; /* the handler's, kept for the connection from a head that returns true to finish or end; NULL at first */
};

/*
 * Who answers. For each request: head; then, if that says that it takes the body, body for each piece of it and finish when all is
 * there. The reply is filled in by head (answer at once; the body, if there is one, is thrown away) or by finish.
 */
struct mrg_http_handler {
	void *ctx;
	bool (*head)(void *ctx, struct mrg_http_exchange *x); /* true: body and finish are wanted */
	bool (*body)(void *ctx, struct mrg_http_exchange *x, struct mrg_span piece); /* false: finish now */
	void (*finish)(void *ctx, struct mrg_http_exchange *x);
	void (*end)(void *ctx, void *own); /* the connection ends before finish; only when *own is not NULL */
	void (*log)(void *ctx, const struct mrg_http_exchange *x); /* NULL: none. Each answer, when its head is written */
	/* The time of day, seconds since 1970; asked for once a second. NULL: there is no clock, and answers have no Date (RFC 9110 6.6.1). */
	uint64_t (*unix_s)(void *ctx);
};

/* Time limits, each with a list of the connections that are under it. */
enum mrg_http_wait {
	MRG_HTTP_WAIT_IDLE,
	MRG_HTTP_WAIT_HEAD,
	MRG_HTTP_WAIT_BODY,
	MRG_HTTP_WAIT_SEND,
	MRG_HTTP_WAIT_LINGER,
	MRG_HTTP_WAITS
};

struct mrg_http_conn {
	struct mrg_stream *s;
	struct mrg_http_conn *prev, *next; /* of those with the same time limit; next also when free */
	uint64_t deadline_ns;
	uint8_t *in; /* octets that came and are not dealt with; NULL: none */
	uint32_t in_len, in_fed; /* of them: there are, the head's reader has seen */
	struct mrg_http_out *out;  /* what the client is slow to take: several parts, */
	struct mrg_http_part rest; /* or one, when its len is not 0 */
	uint64_t moved;            /* octets read or sent under the present limit */
	void *own;
	union {
		struct mrg_http_http1_request_stream head;
		struct mrg_http_body_reader body;
	} reader;
	struct mrg_http_connection_server m; /* where it stands: specs/http/connection.mrg */
	uint8_t wait;
	bool in_big;
	bool old;       /* the present request is HTTP/1.0 */
	bool head_only; /* it is a HEAD */
	bool fresh;     /* a request was finished since the time limit was set */
};

struct mrg_http_counts {
	uint64_t opened, spared, broken, requests, answers, octets_in, octets_out;
	uint64_t timeouts[MRG_HTTP_WAITS];
	uint64_t statuses[6]; /* answers by the first digit of their status */
};

struct mrg_http_waits {
	struct mrg_http_conn *oldest, *newest;
	uint64_t limit_ns;
};

struct mrg_http_server {
	struct mrg_stream_user user; /* for the platform */
	struct mrg_http_counts counts;
	/* private */
	struct mrg_http_limits limits;
	struct mrg_http_handler handler;
	struct mrg_rt_timers *timers;
	struct mrg_rt_timer timer;
	struct mrg_rt_pool conns, small, big, outs;
	struct mrg_http_waits waits[MRG_HTTP_WAITS];
	uint32_t live;
	bool draining;
	uint64_t date_until_ns, date_s;
	uint8_t date[64]; /* the line of the Date field */
	size_t date_len;
	/* work space of one event, shared by all connections */
	uint8_t *in;
	struct mrg_http_out *out;
	struct mrg_http_request request;
	struct mrg_http_reply reply;
};

/*
 * mrg_http_server_memory - bytes of arena that a server takes; memory is touched only as far as it is needed.
 */
size_t mrg_http_server_memory(const struct mrg_http_limits *limits);

/*
 * mrg_http_server_init - no connections yet.
 *   t   stays in place from here on: the timer and the platform point to it
 * Fails:    MRG_E_SPACE when the arena has no room for the work space; connections and blocks are taken when needed.
 */
MRG_MUST_USE enum mrg_status mrg_http_server_init(struct mrg_http_server *t, struct mrg_arena *a,
	struct mrg_rt_timers *timers, const struct mrg_http_limits *limits, const struct mrg_http_handler *handler);

/*
 * mrg_http_server_drain - connections end behind the answer to the request that has come, or is coming, on them, idle ones at once;
 * new ones are refused.
 */
void mrg_http_server_drain(struct mrg_http_server *t, uint64_t now_ns);

/*
 * mrg_http_server_close - close every connection now, whatever is owed.
 */
void mrg_http_server_close(struct mrg_http_server *t);

static inline uint32_t mrg_http_server_count(const struct mrg_http_server *t) { return t->live; }

#endif
