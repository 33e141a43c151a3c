/*
 * secondaries.h - zones whose primaries are elsewhere: asked over UDP when it is time, fetched over TCP, told to whoever serves them.
 *
 * References: RFC 1034 4.3.5, RFC 1995, RFC 1996, RFC 5936, RFC 8945.
 *
 * What it does not do: it knows neither workers nor files; when to ask whom is said by protocols/dns/secondary.h.
 *
 * Use:
 *	secondaries_init(&s, &loop, &arena, count, &user);
 *	secondaries_keep(&s, index, option, held)	(for each of them)
 *	secondaries_notified(&s, index, &peer, &serial)
 */
#ifndef MRG_DNS_SECONDARIES_H
#define MRG_DNS_SECONDARIES_H

#include "appliances/dns/fetch.h"
#include "appliances/dns/outward.h"
#include "protocols/dns/secondary.h"

/* One of the zones. */
struct secondary_zone {
	struct secondaries *all;
	size_t index; /* of the user's */
	const struct zone_option *option;
	struct mrg_dns_secondary s;
	struct version *held; /* the newest; with one user: this. NULL: none */
	struct fetch *fetch;  /* under way; NULL: none */
	uint16_t query_id;
	bool querying, beginning; /* beginning: a transfer, which has not failed at once yet */
	struct mrg_dns_auth auth; /* of the query */
};

/* Who serves them. */
struct secondaries_user {
	void *ctx;
	/* The zone has this version from now on; NULL: none that may be used. Borrowed. */
	void (*serve)(void *ctx, size_t index, struct version *version);
};

struct secondaries {
	struct secondaries_user user;
	struct mrg_unix_loop *loop;
	struct outward *outward;
	struct fetches fetches;
	struct secondary_zone *list;
	size_t count, cap;
	uint64_t fetched_whole, fetched_changes, failures; /* for figures */
};

size_t secondaries_memory(size_t cap); /* octets of the arena for so many zones */

/*
 * secondaries_init - none yet.   cap   zones at most
 * Fails:    a positive errno value.
 */
int secondaries_init(struct secondaries *s, struct mrg_unix_loop *loop, struct outward *outward, struct mrg_arena *arena, size_t cap,
	const struct secondaries_user *user);

/*
 * secondaries_keep - keep a zone.
 *   index   for the user
 *   held    what there is from before, kept as long as it is the newest; NULL: nothing.   ago_ns   when that was known to be right
 */
void secondaries_keep(struct secondaries *s, size_t index, const struct zone_option *option, struct version *held, uint64_t ago_ns);

/* The zone of the user's index, or NULL. */
struct secondary_zone *secondaries_find(struct secondaries *s, size_t index);

/* The same by its option. */
struct secondary_zone *secondaries_find_option(struct secondaries *s, const struct zone_option *option);

/* Somebody who may has told that it has changed.   serial   NULL: it was not said */
void secondaries_notified(struct secondary_zone *z, const struct mrg_rt_addr *peer, const uint32_t *serial);

/* secondaries_take - is this the answer to a question of a zone's? */
bool secondaries_take(struct secondaries *s, const struct mrg_rt_addr *peer, struct mrg_span message, uint64_t now_ns);

/* Ask now. */
void secondaries_check(struct secondary_zone *z);

#endif
