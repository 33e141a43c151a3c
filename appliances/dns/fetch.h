/*
 * fetch.h - a zone, or what has changed in it, from a primary server: one connection, one transfer, and the new version it comes to.
 *
 * References: RFC 5936, RFC 1995.
 *
 * What it does not do: it decides neither when nor from whom, and replaces nothing that is served.
 *
 * Use:
 *	struct fetch *f = fetch_get(&fetches);	(NULL: as many as may be are under way)
 *	fetch_begin(f, &what);
 *	... done(ctx, f, outcome, version) is called once, in a later turn of the loop or before fetch_begin returns
 */
#ifndef MRG_DNS_FETCH_H
#define MRG_DNS_FETCH_H

#include "appliances/dns/outward.h"
#include "appliances/dns/receiving.h"
#include "appliances/dns/system.h"
#include "protocols/dns/client.h"

enum { FETCHES_MAX = OUTWARD_CONNECTS /* at once */ };

enum fetch_outcome {
	FETCH_NEW,     /* there is a new version, with one user: the one who is told */
	FETCH_CURRENT, /* the version that is held is the newest */
	FETCH_FAILED   /* `why` of the fetch says it */
};

struct fetch;

/* What is to be fetched. */
struct fetch_what {
	const struct zone_option *option;
	const struct remote *from;
	struct settings *settings; /* that these are of; used until it is over */
	struct version *held; /* NULL: none */
	bool whole;           /* all of the zone, also if there is a version */
	bool great;           /* it may be very large */
	void *ctx;
	void (*done)(void *ctx, struct fetch *f, enum fetch_outcome outcome, struct version *version);
};

struct fetch {
	struct fetch_what what;
	char why[200];
	bool asked_whole;             /* no difference was asked for */
	bool changes;                 /* a difference came */
	bool reached;                 /* the primary has said something */
	bool full;                    /* failed: it was too large, and might not be if `great` were said */
	bool has_expire;              /* RFC 7314: */
	uint32_t expire_s;            /* for how long the primary holds it */
	uint64_t octets, records;     /* that came */
	uint64_t took_ns;             /* from the connection's beginning to the version */
	uint64_t pieces;              /* in which it was put together, others having their turn between */
	/* private */
	uint64_t begun_ns;
	struct fetches *all;
	struct outward_connect connect;
	struct mrg_dns_client client;
	struct mrg_dns_transfer_in in;
	struct mrg_dns_auth auth;
	struct receiving *receiving;
	enum mrg_dns_transfer_result result;
	struct mrg_rt_timer next_piece;
	bool busy;
};

struct fetches {
	struct system_loop loop;
	struct outward *outward;
	struct mrg_arena *arena;
	struct fetch *list[FETCHES_MAX]; /* NULL: not needed yet */
};

size_t fetches_memory(size_t count); /* octets of the arena that so many at once take; with less there are fewer */

/* fetches_init - none is under way. */
void fetches_init(
	struct fetches *f, const struct system_loop *loop, struct outward *outward, struct mrg_arena *arena);

/* fetch_get - one that is not under way, or NULL. */
struct fetch *fetch_get(struct fetches *f);

void fetch_begin(struct fetch *f, const struct fetch_what *what);

/* fetch_cancel - give it up; nobody is told. */
void fetch_cancel(struct fetch *f);

#endif
