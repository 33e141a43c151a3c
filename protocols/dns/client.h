/*
 * client.h - one connection to a DNS server: queries, and the messages that answer them, many for a transfer.
 *
 * References: RFC 1035 4.2.2, RFC 7766 (6.2.1 reuse, 6.2.4 what is left without a reply), RFC 5936 4.1, RFC 9103 7.3.
 *
 * What it does not do: it opens no connection (the platform does), understands no message, repeats no query, and does not tell which reply
 * belongs to which query: that is for whoever has the identifiers.
 *
 * Use:
 *	struct mrg_dns_client c;
 *	if (mrg_dns_client_init(&c, &arena, &timers, &limits, &handler) != MRG_OK) ...
 *	mrg_dns_client_begin(&c, now_ns);
 *	connect(&c.user);	(the platform calls it from here on; mrg_dns_client_unreachable when it can't)
 *	if (mrg_dns_client_ask(&c, query) != MRG_OK) ...
 *
 * Each connection that was begun ends with one call of `closed`. Memory: what mrg_dns_client_memory says, whatever comes.
 */
#ifndef MRG_DNS_CLIENT_H
#define MRG_DNS_CLIENT_H

#include "dns/stream.h"
#include "mrg.h"
#include "mrg_rt.h"

struct mrg_dns_client_limits {
	uint64_t connect_ns; /* from begin until the connection stands */
	uint64_t reply_ns;   /* until the next message comes, while one is waited for */
	uint64_t idle_ns;    /* how long a connection is kept on which nothing is waited for */
};

/* What a message was. */
enum mrg_dns_client_verdict {
	MRG_DNS_CLIENT_ANSWERED, /* the reply to a query, or the last message of a transfer */
	MRG_DNS_CLIENT_CONTINUED, /* a message of a transfer: more come behind it */
	MRG_DNS_CLIENT_STOP       /* it can't be used: end the connection */
};

/* Why a connection is over. */
enum mrg_dns_client_end {
	MRG_DNS_CLIENT_FINISHED,    /* nothing was to be asked any more */
	MRG_DNS_CLIENT_UNREACHABLE, /* there was none */
	MRG_DNS_CLIENT_TIMEOUT,     /* by one of the limits */
	MRG_DNS_CLIENT_ENDED,       /* by the server */
	MRG_DNS_CLIENT_BROKEN,
	MRG_DNS_CLIENT_UNSOLICITED, /* a message came that nobody had asked for */
	MRG_DNS_CLIENT_STOPPED      /* by MRG_DNS_CLIENT_STOP or mrg_dns_client_close */
};

/* Who asks. Any call may ask more, finish and close. */
struct mrg_dns_client_handler {
	void *ctx;
	/* A message has come; valid during the call. */
	enum mrg_dns_client_verdict (*message)(void *ctx, struct mrg_span message);
	/* The connection is over; `lost` queries have no reply, or not all of it. The client may begin again from here. */
	void (*closed)(void *ctx, enum mrg_dns_client_end end, unsigned lost);
};

enum { MRG_DNS_CLIENT_OUT = 4096 }; /* octets of queries that wait to be sent */

struct mrg_dns_client {
	struct mrg_stream_user user; /* for the platform */
	/* private */
	struct mrg_dns_client_limits limits;
	struct mrg_dns_client_handler handler;
	struct mrg_rt_timers *timers;
	struct mrg_rt_timer timer;
	struct mrg_stream *s;
	struct mrg_dns_stream_client m; /* where it stands: specs/dns/stream.mrg */
	enum mrg_dns_client_end end;
	unsigned lost;
	bool open;  /* begun, and `closed` not yet called */
	bool busy;  /* within an event: what others ask for happens behind it */
	bool moved; /* what the limit is about has gone on */
	uint8_t *in;
	size_t in_len, out_len;
	uint8_t out[MRG_DNS_CLIENT_OUT];
};

/* mrg_dns_client_memory - octets of arena that a client takes. */
size_t mrg_dns_client_memory(void);

/*
 * mrg_dns_client_init - no connection yet.
 *   c   stays in place from here on: the timer and the platform point to it
 * Fails:    MRG_E_SPACE when the arena has no room.
 */
MRG_MUST_USE enum mrg_status mrg_dns_client_init(struct mrg_dns_client *c, struct mrg_arena *a,
	struct mrg_rt_timers *timers, const struct mrg_dns_client_limits *limits,
	const struct mrg_dns_client_handler *handler);

/* mrg_dns_client_begin - a connection is being made: from now on queries are taken, and connect_ns runs. Only when there is none. */
void mrg_dns_client_begin(struct mrg_dns_client *c, uint64_t now_ns);

/* mrg_dns_client_unreachable - no connection came about: `closed` is called, in this call. */
void mrg_dns_client_unreachable(struct mrg_dns_client *c);

/*
 * mrg_dns_client_ask - send a query; it goes out in a later event.   message   copied
 * Fails:    MRG_END: the connection is over or about to end, or as many queries wait as may (specs/dns/stream.mrg, PIPELINE);
 *           MRG_E_SPACE: they are too long. Nothing is taken then.
 */
MRG_MUST_USE enum mrg_status mrg_dns_client_ask(struct mrg_dns_client *c, struct mrg_span message);

/* mrg_dns_client_finish - nothing more is asked: the connection ends when all is answered. From within a call of the handler, or from outside. */
void mrg_dns_client_finish(struct mrg_dns_client *c);

/* mrg_dns_client_close - end it now. `closed` is called in this call, or behind the call of the handler in which this is. */
void mrg_dns_client_close(struct mrg_dns_client *c);

#endif
