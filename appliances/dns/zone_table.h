/*
 * zone_table.h - the zones that are kept (zone_keeper.h), by name; they come and go.
 *
 * What it does not do: it serves and asks for none.
 *
 * Use:
 *	struct zone_entry *e = zone_table_find(&t, origin);
 *	if (e == NULL)
 *		e = zone_table_add(&t, origin);		(NULL: no memory)
 *	zone_entry_say(e, option);
 *	e->now.version = version;
 *	for (size_t i = 0; i < t.count; i++) ... t.list[i] ...
 *	zone_table_remove(&t, e);
 */
#ifndef MRG_DNS_ZONE_TABLE_H
#define MRG_DNS_ZONE_TABLE_H

#include "appliances/dns/catalogs.h"
#include "appliances/dns/secondaries.h"

struct zone_entry {
	struct served now;                /* as it is to be served; the version has one user: this. NULL: nothing yet */
	struct secondary_zone *secondary; /* of a zone with primaries, else NULL */
	bool changed;                     /* those who keep copies are to be told */
	struct catalog *catalog;          /* that it is; NULL: none */
	const struct catalog *owner;      /* that lists it, so that it is served; NULL: the configuration says it */
	size_t label_len;                 /* of what is its own there (RFC 9432 4.1) */
	uint8_t label[1 + MRG_DNS_MAX_LABEL];
	bool kept; /* its file has it with this serial number: */
	uint32_t kept_serial;
	/* while the configuration is read again */
	const struct zone_option *option; /* that it is to have; NULL: none */
	struct version *loaded;           /* that was read for it; NULL: none. Borrowed */
	/* private */
	size_t place;
	size_t origin_len;
	uint8_t origin[MRG_DNS_MAX_NAME];
};

/* Zeroed there are none. */
struct zone_table {
	struct zone_entry **list;
	size_t count;
	/* private */
	size_t cap, slot_count;
	struct zone_entry **slots;
};

/* zone_table_find - the zone with this flat name, or NULL.   Cost: O(1). */
struct zone_entry *zone_table_find(const struct zone_table *t, struct mrg_span origin);

/*
 * zone_table_add - a zone of which nothing is known yet, the last of the list.   origin   flat; none has it yet
 * Returns NULL where there is no memory.
 */
struct zone_entry *zone_table_add(struct zone_table *t, struct mrg_span origin);

/* zone_table_remove - *e is gone, and the last of the list has its place there. Its version and option are dropped.   Cost: O(1). */
void zone_table_remove(struct zone_table *t, struct zone_entry *e);

/* zone_entry_say - something else is said of it from now on. The option gets one user more. */
void zone_entry_say(struct zone_entry *e, const struct zone_option *option);

/* The flat name of a zone. */
static inline struct mrg_span zone_entry_origin(const struct zone_entry *e)
{
	return (struct mrg_span){ e->origin, e->origin_len };
}

#endif
