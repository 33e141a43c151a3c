/*
 * zones.h - the zones of a virtual machine: the data it was given is the text of one, or an archive (mrg-pack) with several.
 *
 * Use:
 *	struct zones z = { .count = 0 };
 *	if (!zones_take(&z, "example.org") || !zones_load(&z, &app, &db)) ...	(the log says why)
 */
#ifndef MRG_DNS_VM_ZONES_H
#define MRG_DNS_VM_ZONES_H

#include "appliances/dns/read.h"
#include "appliances/vm/app.h"
#include "protocols/archive/tree.h"
#include "protocols/dns/db.h"

enum { ZONES_MAX = 32 };

struct zone_given {
	uint8_t origin[MRG_DNS_MAX_NAME];
	size_t origin_len;
	const char *file;     /* of the archive; NULL: all of the data is its text */
	const char *name;     /* for messages */
	struct mrg_span text; /* a NUL behind it */
};

struct zones {
	size_t count;
	struct zone_given given[ZONES_MAX];
	/* private */
	const struct mrg_dns_zone *read[ZONES_MAX];
	struct mrg_archive_tree archive;
};

/*
 * zones_take - one more zone: ORIGIN, or ORIGIN=FILE with the path of a file in the archive.   Lifetime: borrows `value`.
 */
bool zones_take(struct zones *z, const char *value);

/*
 * zones_load - read all of them into a database, which borrows z.   app    whose arena is taken from, and whose data is read
 */
bool zones_load(struct zones *z, struct vm_app *app, struct mrg_dns_db *db);

#endif
