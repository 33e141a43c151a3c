/*
 * db.h - the zones that a server has: the one that is closest to a name is found by longest match (RFC 1034 4.3.2).
 *
 * What it does not do: it owns no zone and never changes; a reload makes a new one.
 *
 * Use:
 *	struct mrg_dns_db db;
 *	if (mrg_dns_db_init(&db, &arena, zones, zone_count) != MRG_OK) ...
 */
#ifndef MRG_DNS_DB_H
#define MRG_DNS_DB_H

#include "dns/name.h"
#include "mrg.h"
#include "mrg_rt.h"
#include "protocols/dns/zone.h"

/* Private; zero-initialised it is a database without zones. */
struct mrg_dns_db {
	const struct mrg_dns_zone **slots; /* open addressing by the hash of the zone's name */
	uint32_t *places;                  /* of each slot's zone: which of those that were given it is */
	size_t slot_count, zone_count;
	const struct mrg_dns_zone *only; /* when there is just one */
	uint64_t depths[2];              /* bit n: some zone's name has n items */
};

/*
 * mrg_dns_db_init - index `count` zones.
 *   a       takes a table; must outlive the database, as the zones must.
 *   zones   those that are NULL are passed over
 * Fails:    MRG_E_SPACE; MRG_E_VALUE when two zones have one name.   Cost: O(count).
 */
MRG_MUST_USE enum mrg_status mrg_dns_db_init(
	struct mrg_dns_db *db, struct mrg_arena *a, const struct mrg_dns_zone *const *zones, size_t count);

/*
 * mrg_dns_db_find - the zone whose name is the longest suffix of `name`, NULL when there is none.
 *   from    take only suffixes that begin at this item or later: 0, or 1 for the zone above a name.
 * Cost:     one probe for each suffix length that some zone has.
 */
const struct mrg_dns_zone *mrg_dns_db_find(
	const struct mrg_dns_db *db, const struct mrg_dns_name_flat *name, unsigned from);

/* mrg_dns_db_place - which of the zones that were given to mrg_dns_db_init it is, one that mrg_dns_db_find has found. */
size_t mrg_dns_db_place(const struct mrg_dns_db *db, const struct mrg_dns_zone *zone);

#endif
