/*
 * catalogs.h - zones that are served because a catalog lists them: they come, go and are begun anew as it says.
 *
 * References: RFC 9432.
 *
 * What it does not do: it gets no catalog, which is a zone like others, and reads none (protocols/dns/catalog.h).
 *
 * Use:
 *	catalogs_take(k, e);	(a zone is a catalog from now on, or is one no more, as its option says)
 *	catalogs_turn(k);	(now and then: versions that are new are read)
 */
#ifndef MRG_DNS_CATALOGS_H
#define MRG_DNS_CATALOGS_H

#include "protocols/dns/catalog.h"

struct zone_keeper;
struct zone_entry;

struct catalog {
	struct catalog *next;
	struct zone_entry *entry; /* the zone that it is */
	struct version *read;     /* that was read last, with one user: this. NULL: none */
	struct mrg_arena arena;   /* of what it lists; p NULL: nothing yet */
	struct mrg_dns_catalog listed; /* by the last version that was not broken */
};

/* catalogs_take - what a zone's option says has changed.   Fails: false, there is no memory; it is no catalog then. */
bool catalogs_take(struct zone_keeper *k, struct zone_entry *e);

/* catalogs_end - a zone is a catalog no more: nothing is listed in it. */
void catalogs_end(struct zone_keeper *k, struct zone_entry *e);

/* catalogs_renew - all options are of other settings now: those of members, too. */
void catalogs_renew(struct zone_keeper *k);

/* catalogs_turn - read what is new. */
void catalogs_turn(struct zone_keeper *k);

/* catalogs_claim - a name has become free: it is served if a catalog lists it. */
void catalogs_claim(struct zone_keeper *k, struct mrg_span name);

#endif
