/*
 * catalog.h - what a catalog zone lists: zones that are to be served, each under a label of its own, with properties.
 *
 * References: RFC 9432, schema version 2.
 *
 * What it does not do: it serves nothing; what a change of the catalog means for a zone is said by its user, who knows what other catalogs
 * list.
 *
 * Use:
 *	struct mrg_dns_catalog c;
 *	struct mrg_dns_name_flat where;
 *	enum mrg_dns_catalog_fault fault = mrg_dns_catalog_read(zone, &arena, &c, &where);
 *	if (fault != MRG_DNS_CATALOG_SOUND) ...	(it is broken: nothing of it counts)
 *	for (size_t i = 0; i < c.count; i++) ... c.members[i] ...
 */
#ifndef MRG_DNS_CATALOG_H
#define MRG_DNS_CATALOG_H

#include "mrg.h"
#include "mrg_rt.h"
#include "protocols/dns/zone.h"

/* Why a catalog is broken. */
enum mrg_dns_catalog_fault {
	MRG_DNS_CATALOG_SOUND,
	MRG_DNS_CATALOG_NO_VERSION,  /* no TXT record at `version` (4.2) */
	MRG_DNS_CATALOG_VERSIONS,    /* more than one */
	MRG_DNS_CATALOG_VERSION,     /* another one than "2" */
	MRG_DNS_CATALOG_NAMES,       /* more than one PTR record for a member (4.1) */
	MRG_DNS_CATALOG_TWICE,       /* two members are the same zone */
	MRG_DNS_CATALOG_OWNERS,      /* more than one PTR record for a change of ownership (4.3.1) */
	MRG_DNS_CATALOG_FULL         /* not enough memory */
};

/* One of the zones. */
struct mrg_dns_catalog_member {
	struct mrg_span name;  /* flat */
	struct mrg_span label; /* the one that is its own, as it stands in a name: another one means another state (5.4) */
	struct mrg_span coo;   /* flat name of the catalog that it is to go to (4.3.1); empty: none */
	struct mrg_span group; /* octets of the first string of this property (4.3.2); empty: none */
};

struct mrg_dns_catalog {
	struct mrg_dns_catalog_member *members;
	size_t count;
	/* private: open addressing by the hash of a member's name; 0: free, else its number and 1 */
	uint32_t *slots;
	size_t slot_count;
};

/*
 * mrg_dns_catalog_read - what the zone lists.  Records and properties that RFC 9432 does not know are passed over (5.1).
 *   a       for all that *out has; must outlive it
 *   where   the name at fault, where there is a fault; of a version that is not there its own, or the zone's if there is no room for one
 * *out is written only when it is sound.   Cost: O(records of the zone).
 */
enum mrg_dns_catalog_fault mrg_dns_catalog_read(const struct mrg_dns_zone *zone, struct mrg_arena *a,
	struct mrg_dns_catalog *out, struct mrg_dns_name_flat *where);

/* mrg_dns_catalog_find - the member of that flat name, or NULL.   c   zeroed: there are none */
const struct mrg_dns_catalog_member *mrg_dns_catalog_find(const struct mrg_dns_catalog *c, struct mrg_span name);

/* What is wrong, in words: "more than one PTR record for a member". */
const char *mrg_dns_catalog_fault_str(enum mrg_dns_catalog_fault fault);

#endif
