/*
 * load.h - zone files to a database that the server answers from.
 *
 * What it does not do: it changes nothing that is being served; each load is a new database in memory of its own.
 *
 * Use:
 *	struct database *db;
 *	if (load(&options, &report, &db) != OUTCOME_OK) ...
 *	answer_from(&db->server);
 *	database_free(db);
 */
#ifndef MRG_DNS_LOAD_H
#define MRG_DNS_LOAD_H

#include "appliances/dns/options.h"
#include "appliances/dns/read.h"
#include "protocols/dns/answer.h"

/* Everything that one load made; lies in its own arena. */
struct database {
	struct mrg_arena arena;
	struct mrg_dns_server server;
	struct mrg_dns_db index;
	const struct mrg_dns_zone **zones; /* as many as there are options */
	uint64_t record_count;
};

/*
 * load - read all zones.
 *   stoppable   give up when a signal asks the process to end
 *   out         written only on OUTCOME_OK
 * Fails:    OUTCOME_INPUT after one or more faults; OUTCOME_SYSTEM, said on standard error, when memory ran out.
 */
enum outcome load(
	const struct options *o, bool stoppable, const struct report *report, struct database **out);

void database_free(struct database *db);

/*
 * load_alone - read the first zone into an arena that is opened for it and has nothing else in it.
 * Fails:    as load.
 */
enum outcome load_alone(const struct options *o, const struct report *report, struct mrg_arena *arena,
	const struct mrg_dns_zone **out);

#endif
