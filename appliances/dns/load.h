/*
 * load.h - zone files to versions of zones, and to a database of all that the options name.
 *
 * What it does not do: it changes nothing that is being served; each load is a new version in memory of its own.
 *
 * Use:
 *	struct database *db;
 *	if (load(settings, false, &report, &db) != OUTCOME_OK) ...
 *	answer_from(&db->server);
 *	database_free(db);
 */
#ifndef MRG_DNS_LOAD_H
#define MRG_DNS_LOAD_H

#include "appliances/dns/read.h"
#include "appliances/dns/version.h"

/* What reads zones, one after the other. */
struct loader {
	struct mrg_arena scratch;
	struct mrg_dns_master *master;
	bool stoppable; /* give up when a signal asks the process to end */
};

/*
 * loader_open - memory to read with.
 * Fails:    OUTCOME_SYSTEM, said on standard error, when there is none.
 */
enum outcome loader_open(struct loader *l, bool stoppable);
void loader_close(struct loader *l);

/*
 * load_zone - read one zone. Of one that has a primary and no file yet there are no data.
 *   out         written only on OUTCOME_OK; it has one user
 * Fails:    OUTCOME_INPUT after one or more faults; OUTCOME_SYSTEM, said on standard error, when memory ran out, and when it was to stop.
 */
enum outcome load_zone(struct loader *l, const struct zone_option *z, const struct report *report, struct version **out);

/* Which zones are read. */
struct load_which {
	void *ctx;
	/* Is it passed over? NULL: none is. */
	bool (*held)(void *ctx, const struct zone_option *z);
};

/*
 * load_zones - read all zones of the options.
 *   versions    room for as many, zeroed; what is written there on OUTCOME_OK has one user each, NULL: it was passed over
 * Fails:    as load_zone, after all faults of all zones are told; nothing is left in `versions` then.
 */
enum outcome load_zones(const struct options *o, bool stoppable, const struct report *report, const struct load_which *which,
	struct version **versions);

/*
 * load - read all zones.
 *   out         written only on OUTCOME_OK
 * Fails:    as load_zones; OUTCOME_INPUT, too, when two zones have one origin.
 */
enum outcome load(struct settings *settings, bool stoppable, const struct report *report, struct database **out);

/* load_twice - tell that two zones of the options have one origin.   Returns OUTCOME_INPUT. */
enum outcome load_twice(const struct options *o, const struct report *report);

/*
 * load_alone - read the first zone into an arena that is opened for it and has nothing else in it.
 * Fails:    as load.
 */
enum outcome load_alone(const struct options *o, const struct report *report, struct mrg_arena *arena,
	const struct mrg_dns_zone **out);

#endif
