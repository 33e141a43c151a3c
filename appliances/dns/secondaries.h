/*
 * secondaries.h - zones whose primaries are elsewhere: asked over UDP when it is time, fetched over TCP, told to whoever serves them.
 *
 * References: RFC 1034 4.3.5, RFC 1995, RFC 1996, RFC 5936, RFC 8945.
 *
 * What it does not do: it knows neither workers nor files; when to ask whom is said by protocols/dns/secondary.h.
 *
 * Use:
 *	secondaries_init(&s, &loop, &outward, &arena, &user);
 *	struct secondary_zone *z = secondaries_keep(&s, mine, &what, held, 0);	(NULL: no memory)
 *	secondaries_notified(z, &peer, &serial);
 *	secondaries_change(z, &what);	(its option has changed)
 *	secondaries_end(z);
 */
#ifndef MRG_DNS_SECONDARIES_H
#define MRG_DNS_SECONDARIES_H

#include "appliances/dns/fetch.h"
#include "appliances/dns/outward.h"
#include "protocols/dns/secondary.h"

/* What is said of a zone. */
struct secondary_what {
	const struct zone_option *option;
	struct settings *settings; /* that it is of */
};

/* A list of zones, and the place of one in it. */
struct secondary_link {
	struct secondary_link *next, *prev;
	struct secondary_zone *zone; /* NULL: it is in no list */
};

struct secondary_list {
	struct secondary_link *first, *last;
};

/* One of the zones. */
struct secondary_zone {
	struct secondaries *all;
	void *user; /* whatever it is to the user */
	struct secondary_what what;
	struct mrg_dns_secondary s;
	struct version *held; /* the newest; with one user: this. NULL: none */
	struct secondary_link due;    /* it is to be asked for soon */
	struct secondary_link direct; /* it is to be transferred without a query before */
	bool started;
	uint64_t ago_ns; /* until it is started: as secondaries_keep has it */
	/* of a transfer */
	struct secondary_link waiting; /* for one */
	struct fetch *fetch;           /* under way; NULL: none */
	bool whole;                    /* it is to be of all the zone */
	bool great;                    /* which was too large for what most take */
	bool beginning;                /* it has not failed at once yet */
	/* of the query */
	struct secondary_link asking; /* an answer is waited for */
	uint16_t query_id;
	struct mrg_dns_auth auth;
	struct settings *asked; /* that its key is of */
};

/* Who serves them. */
struct secondaries_user {
	void *ctx;
	/* The zone has this version from now on; NULL: none that may be used. Borrowed. */
	void (*serve)(void *ctx, void *user, struct version *version);
};

enum { SECONDARIES_IDS = 1 << 12 };

struct secondaries {
	struct secondaries_user user;
	struct system_loop loop;
	struct outward *outward;
	struct fetches fetches;
	struct secondary_list due, direct, waiting;
	struct secondary_list asking[SECONDARIES_IDS]; /* by the end of the identifier */
	struct mrg_rt_timer pace;                      /* of those that are due or wait */
	uint64_t fetched_whole, fetched_changes, failures; /* for figures */
};

size_t secondaries_memory(size_t count); /* octets of the arena, for so many zones or more */

/* secondaries_init - none yet; *s stays in place. */
void secondaries_init(struct secondaries *s, const struct system_loop *loop, struct outward *outward, struct mrg_arena *arena,
	const struct secondaries_user *user);

/*
 * secondaries_keep - keep a zone, and ask for it soon.
 *   user    whatever it is to the user
 *   held    what there is from before, kept as long as it is the newest; NULL: nothing.   ago_ns   when that was known to be right
 * Returns NULL where there is no memory.
 */
struct secondary_zone *secondaries_keep(struct secondaries *s, void *user, const struct secondary_what *what,
	struct version *held, uint64_t ago_ns);

/*
 * secondaries_change - something else is said of it from now on.  Where its primaries are the same, what is under way goes on; else these
 * are asked.
 */
void secondaries_change(struct secondary_zone *z, const struct secondary_what *what);

/* secondaries_end - keep it no longer: what is under way is given up, and *z is gone. */
void secondaries_end(struct secondary_zone *z);

/* Somebody who may has told that it has changed.   serial   NULL: it was not said */
void secondaries_notified(struct secondary_zone *z, const struct mrg_rt_addr *peer, const uint32_t *serial);

/* secondaries_take - is this the answer to a question of a zone's? */
bool secondaries_take(struct secondaries *s, const struct mrg_rt_addr *peer, struct mrg_span message, uint64_t now_ns);

/* Ask soon: many that are to be asked at once are asked one after the other. */
void secondaries_check(struct secondary_zone *z);

#endif
