/*
 * zone_keeper.h - the zones that are kept, by name: which versions they have now, primaries that are asked for them, catalogs that list
 * them, updates that change them, and who is told of that. The manager has them for a process (manager.h), vm/keeper.h for a virtual machine.
 *
 * What it does not do: it answers no question, and hands nothing to who does: its user takes a database of the zones as they are now.
 *
 * Use:
 *	struct zone_keeper k = { .settings = settings, .loop = loop };
 *	k.secondaries = ...; k.tellings = ...;		(NULL: no zone has primaries; nobody is told)
 *	struct zone_entry *e = zone_keeper_add(&k, option, version);	(NULL: no memory)
 *	each turn:
 *		catalogs_turn(&k);
 *		if (k.dirty && (db = zone_keeper_database(&k)) != NULL) { ... answer from it ... zone_keeper_served(&k); }
 */
#ifndef MRG_DNS_ZONE_KEEPER_H
#define MRG_DNS_ZONE_KEEPER_H

#include "appliances/dns/kept.h"
#include "appliances/dns/tellings.h"
#include "appliances/dns/updating.h"
#include "appliances/dns/zone_table.h"

struct zone_keeper {
	struct settings *settings; /* those of now */
	struct system_loop loop;
	struct secondaries *secondaries;
	struct tellings *tellings;
	/* zeroed at first: */
	struct zone_table zones;
	struct catalog *catalogs;   /* those of them that are, one behind the other */
	struct kept_reader *reader; /* while catalogs are gone over */
	bool dirty;                 /* they are not what is served */
	bool telling;               /* those who keep copies of some of them are to be told */
};

/* As `serve` of struct secondaries_user; keeper   a struct zone_keeper */
void zone_keeper_serve_secondary(void *keeper, void *entry, struct version *version);

/*
 * zone_keeper_add - one zone more; its primaries are asked from now on, and if it is a catalog it is read in the next turn.
 *   version   one user more
 * Returns NULL where there is no memory.
 */
struct zone_entry *zone_keeper_add(struct zone_keeper *k, const struct zone_option *option, struct version *version);

/* zone_keeper_remove - it is served no more, nor kept, and *e is gone. */
void zone_keeper_remove(struct zone_keeper *k, struct zone_entry *e);

/* zone_keeper_set_version - the zone has another version from the next time that they are served. */
void zone_keeper_set_version(struct zone_keeper *k, struct zone_entry *e, struct version *v);

/* zone_keeper_ask - ask its primaries from now on, with what there is of it. */
void zone_keeper_ask(struct zone_keeper *k, struct zone_entry *e);

/* zone_keeper_database - the zones as they are now, for who answers; NULL: there is no memory, which was said. */
struct database *zone_keeper_database(const struct zone_keeper *k);

/* zone_keeper_served - that is answered from: tell those who keep copies of what has changed. */
void zone_keeper_served(struct zone_keeper *k);

/* zone_keeper_notified - somebody who may has told that a zone has changed.   serial   NULL: it was not said */
void zone_keeper_notified(struct zone_keeper *k, struct mrg_span name, const struct mrg_rt_addr *peer, const uint32_t *serial);

/* zone_keeper_heard - as `take` of struct outward; keeper   a struct zone_keeper */
void zone_keeper_heard(void *keeper, const struct mrg_rt_addr *peer, struct mrg_span message, uint64_t now_ns);

/*
 * zone_keeper_update - do a dynamic update.
 *   changed   written: there is a new version, which is to be served before the reply is sent
 * Returns the RCODE.
 */
unsigned zone_keeper_update(struct zone_keeper *k, struct mrg_span name, const struct updating *u, bool *changed);

#endif
