/*
 * client.h - one connection to a server: requests in order, responses to them in the same order, persistence, limits of time and size.
 *
 * References: RFC 9110 7.5 (responses), 9.2.2 (idempotent methods), 10.1.1 (100-continue), 15.2 (interim responses); RFC 9112 3, 6, 7.1
 * (chunked), 8 (incomplete messages), 9.2 to 9.6 (which response belongs to which request, persistence, pipelining, failures).
 *
 * What it does not do: it resolves no name, opens no connection (the platform does), repeats no request, follows no redirect, keeps no
 * cache, undoes no content coding, switches to no other protocol (no CONNECT, no Upgrade). It can't be told to pause: a handler takes what
 * comes. Trailer fields are checked and thrown away (RFC 9110 6.5.1).
 *
 * Use:
 *	struct mrg_http_client c;
 *	if (mrg_http_client_init(&c, &arena, &timers, &limits, &handler) != MRG_OK) ...
 *	mrg_http_client_begin(&c, now_ns);
 *	connect(&c.user);	(the platform calls it from here on; mrg_http_client_unreachable when it can't)
 *	struct mrg_http_client_request r = { .method = MRG_LITERAL("GET"), .target = ..., .host = ... };
 *	if (mrg_http_client_add(&c, &r) != MRG_OK) ...	(r.why says what is wrong with it)
 *
 * Each request that was taken ends with one call of `done`; then, when the connection is over, there is one of `closed`.
 * Memory: a client holds one buffer for heads that come in pieces, a request its own head. Bodies are never kept, in neither direction.
 */
#ifndef MRG_HTTP_CLIENT_H
#define MRG_HTTP_CLIENT_H

#include "http/connection.h"
#include "http/message.h"
#include "mrg.h"
#include "mrg_rt.h"
#include "protocols/http/body.h"
#include "protocols/http/response.h"

enum {
	MRG_HTTP_CLIENT_HEAD = 16 << 10, /* octets of a request's head at most */
	MRG_HTTP_CLIENT_IN = 66 << 10,   /* more than the longest head of a response */
	MRG_HTTP_CLIENT_PARTS = 4
};

struct mrg_http_client_limits {
	uint64_t connect_ns; /* from begin until the connection stands */
	/* from the end of a request, or of the response before, to the end of the response's head */
	uint64_t head_ns;
	/* between two octets of a request that the server takes, or of a body that it sends */
	uint64_t stall_ns;
	/* how long a body waits for 100 (Continue); then it is sent without (RFC 9110 10.1.1) */
	uint64_t continue_ns;
	uint64_t idle_ns;     /* how long a connection is kept without a request */
	uint64_t body_max;    /* octets of a response's body */
	uint32_t head_max;    /* octets of a response's head; the specification's own limit is 65,536 */
	uint32_t interim_max; /* interim responses to one request */
	uint32_t pipeline;    /* requests without an answer at a time; at least 1: one after the other */
};

/* Why a request got no answer, or a connection ended. */
enum mrg_http_client_error {
	MRG_HTTP_CLIENT_OK,
	MRG_HTTP_CLIENT_UNREACHABLE, /* there was no connection */
	MRG_HTTP_CLIENT_TIMEOUT,     /* by one of the limits */
	MRG_HTTP_CLIENT_UNANSWERED,  /* the connection ended before the answer began */
	MRG_HTTP_CLIENT_CUT,         /* it ended within the answer: what came is incomplete */
	MRG_HTTP_CLIENT_BAD_HEAD,    /* what came is no head of a response, or breaks a rule */
	MRG_HTTP_CLIENT_BAD_BODY,    /* the same for what is between the octets of a body */
	MRG_HTTP_CLIENT_TOO_LONG,    /* more than the limits allow */
	MRG_HTTP_CLIENT_UNSOLICITED, /* octets that belong to no request */
	MRG_HTTP_CLIENT_SOURCE,      /* `source` failed, or gave another number of octets than was said */
	MRG_HTTP_CLIENT_STOPPED      /* by the handler, or mrg_http_client_close */
};

struct mrg_http_client_end {
	enum mrg_http_client_error error;
	/* The rule and its clause, or what happened; lives as long as the program. p is NULL when all is well. */
	struct mrg_span why;
	/* Of a request: some of it went out. Else it can be repeated whatever its method is (RFC 9110 9.2.2). */
	bool sent;
};

/*
 * A request; the caller's, zero-initialised. What the spans point to is only read by mrg_http_client_add, which writes the head from it; the
 * structure itself stays in place and unchanged until `done`.
 */
struct mrg_http_client_request {
	struct mrg_span method;
	/* In origin-form; absolute-form where the server is a proxy; `*` with OPTIONS (RFC 9112 3.2). */
	struct mrg_span target;
	struct mrg_span host;                     /* the value of Host, which may be empty */
	const struct mrg_http_field_line *fields; /* further ones, by name and value; `id` is not looked at */
	size_t field_count;
	enum mrg_http_body body; /* NONE; LENGTH: `length` octets from `source`; CHUNKED: all of them */
	uint64_t length;
	bool close;           /* the connection ends behind the answer */
	bool old;             /* HTTP/1.0: the connection ends behind the answer, and no body is chunked */
	bool expect_continue; /* the body waits for 100 (Continue), or any answer */
	void *own;            /* the caller's */
	struct mrg_span why;  /* when it was refused: the rule and its clause */
	/* private */
	struct mrg_http_client_request *next;
	enum mrg_http_method known_method;
	bool sent, ends; /* some of it went out; the connection ends behind its answer */
	bool more;       /* `source` has not given the whole body */
	uint64_t left;   /* octets of the body that `source` has not given */
	size_t head_len;
	uint8_t head[MRG_HTTP_CLIENT_HEAD];
};

/*
 * Who asks. Any call may add requests and close the client.
 * The response is valid during `head`; a piece of a body during `body`; what `source` gives must last until the next call of `source`, or
 * `done`.
 */
struct mrg_http_client_handler {
	void *ctx;
	/* The head of the final response. false: enough is known, end the connection (MRG_HTTP_CLIENT_STOPPED). */
	bool (*head)(void *ctx, struct mrg_http_client_request *r, const struct mrg_http_response *response);
	/* Some octets of its body, at least one. false: as above. */
	bool (*body)(void *ctx, struct mrg_http_client_request *r, struct mrg_span piece);
	/* The next octets of the request's body. MRG_IO_OK: at least one; MRG_IO_AGAIN: none yet, see mrg_http_client_resume; MRG_IO_EOF:
	 * that was all, not asked for with MRG_HTTP_BODY_LENGTH; MRG_IO_RESET: it can't be had, end the connection. NULL if there are no bodies. */
	enum mrg_io (*source)(void *ctx, struct mrg_http_client_request *r, struct mrg_span *piece);
	/* The answer is complete, or there will be none. The request is the caller's again. */
	void (*done)(void *ctx, struct mrg_http_client_request *r, const struct mrg_http_client_end *end);
	/* The connection is over, and with it all requests. The client may begin again from here. NULL: nobody needs to know. */
	void (*closed)(void *ctx, const struct mrg_http_client_end *end);
};

/* What a connection waits for, which has a limit. */
enum mrg_http_client_wait {
	MRG_HTTP_CLIENT_WAIT_NOTHING, /* for the caller: `source` has nothing yet */
	MRG_HTTP_CLIENT_WAIT_CONNECT,
	MRG_HTTP_CLIENT_WAIT_IDLE,
	MRG_HTTP_CLIENT_WAIT_SEND,
	MRG_HTTP_CLIENT_WAIT_CONTINUE,
	MRG_HTTP_CLIENT_WAIT_HEAD,
	MRG_HTTP_CLIENT_WAIT_BODY
};

struct mrg_http_client {
	struct mrg_stream_user user; /* for the platform */
	/* private */
	struct mrg_http_client_limits limits;
	struct mrg_http_client_handler handler;
	struct mrg_rt_timers *timers;
	struct mrg_rt_timer timer;
	struct mrg_stream *s;
	struct mrg_http_client_request *first, *last; /* without an answer */
	struct mrg_http_client_request *sending;      /* the one of them to be sent next */
	struct mrg_http_connection_client m; /* where it stands: specs/http/connection.mrg */
	enum mrg_http_client_wait wait;
	bool busy;  /* within a call of the handler: others go on when it returns */
	bool moved; /* what the present limit is about has gone on */
	bool dry;   /* `source` has nothing yet */
	bool in_body; /* the next octets are of a body; else of a head, if any come */
	uint32_t interim;
	struct mrg_http_client_end end;
	const struct mrg_http_client_request *blamed; /* that `end` is about; NULL: all of them */
	/* out: what is being written, of `sending` */
	struct mrg_span parts[MRG_HTTP_CLIENT_PARTS];
	size_t part_first, part_count;
	struct mrg_w frame; /* what is around a chunk, over frame_room */
	uint8_t frame_room[40];
	/* in: octets that came and are not dealt with, and how many of them the head's reader has seen */
	uint8_t *in;
	size_t in_len, in_fed;
	struct mrg_http_http1_response_stream head_reader;
	struct mrg_http_body_reader body_reader;
	struct mrg_http_response response;
};

/*
 * mrg_http_client_memory - octets of arena that a client takes.
 */
size_t mrg_http_client_memory(void);

/*
 * mrg_http_client_init - no connection yet.
 *   c   stays in place from here on: the timer and the platform point to it
 * Fails:    MRG_E_SPACE when the arena has no room for the buffer.
 */
MRG_MUST_USE enum mrg_status mrg_http_client_init(struct mrg_http_client *c, struct mrg_arena *a,
	struct mrg_rt_timers *timers, const struct mrg_http_client_limits *limits,
	const struct mrg_http_client_handler *handler);

/*
 * mrg_http_client_begin - a connection is being made: from now on requests are taken, and connect_ns runs. Only when there is none.
 */
void mrg_http_client_begin(struct mrg_http_client *c, uint64_t now_ns);

/*
 * mrg_http_client_unreachable - no connection came about: the requests end with MRG_HTTP_CLIENT_UNREACHABLE, in this call.
 */
void mrg_http_client_unreachable(struct mrg_http_client *c);

/*
 * mrg_http_client_add - one more request, behind those that wait; it goes out in a later event.
 * The head is written from what `r` says: method, target, Host first of the fields, then the others, those of the body, Connection and
 * Expect. It is read back by the rules for servers, so that nothing leaves which a server may take for something else.
 * Fails:    MRG_E_VALUE, MRG_E_TEXT, MRG_E_LIMIT, MRG_E_SPACE: there can't be such a request, r->why says the rule; MRG_END: the
 *           connection is over or about to end. The request is not taken then, and nothing is called for it.
 * Cost:     linear in the head.
 */
MRG_MUST_USE enum mrg_status mrg_http_client_add(
	struct mrg_http_client *c, struct mrg_http_client_request *r);

/*
 * mrg_http_client_resume - `source` has more after MRG_IO_AGAIN: it is asked in a later event.
 */
void mrg_http_client_resume(struct mrg_http_client *c);

/*
 * mrg_http_client_close - end the connection: requests end with MRG_HTTP_CLIENT_STOPPED, in this call, or, from within a call of the handler,
 * behind that. Nothing happens when there is none.
 */
void mrg_http_client_close(struct mrg_http_client *c);

/* Is there a connection, or will there be one, that takes requests? */
static inline bool mrg_http_client_open(const struct mrg_http_client *c)
{
	return c->m.state != MRG_HTTP_CONNECTION_CLIENT_CLOSED;
}

#endif
