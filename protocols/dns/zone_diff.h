/*
 * zone_diff.h - what changed between two zones: so that a zone file that was read again can be sent as an incremental transfer.
 *
 * References: RFC 1995 4.
 *
 * Use:
 *	if (mrg_dns_zone_diff(old, reloaded, &scratch, &history, newest, &newest) != MRG_OK)
 *		newest = NULL;		secondaries get it whole
 */
#ifndef MRG_DNS_ZONE_DIFF_H
#define MRG_DNS_ZONE_DIFF_H

#include "protocols/dns/history.h"
#include "protocols/dns/zone.h"

enum { MRG_DNS_ZONE_DIFF_SCRATCH = 256 * 1024 }; /* octets, and those of the records that differ */

/*
 * mrg_dns_zone_diff - the step from one zone to another of the same name: versions of one, or built apart.
 *   scratch          MRG_DNS_ZONE_DIFF_SCRATCH, and all records that differ; given back zeroed
 *   a, before, out   as for mrg_dns_history_step, and so are failures; `a` is not the scratch arena
 * A record with another TTL is another, and so is one with a name in its RDATA in other case; of owners case does not matter.
 * Fails:    MRG_E_VALUE also when the names of the zones differ, or when the serial number is no later one; MRG_E_SPACE.
 * Cost:     O(nodes), and O(k log k) for sets of k records that differ; octets of sets that are the same are compared only.
 */
MRG_MUST_USE enum mrg_status mrg_dns_zone_diff(const struct mrg_dns_zone *old, const struct mrg_dns_zone *made,
	struct mrg_arena *scratch, struct mrg_arena *a, const struct mrg_dns_step *before,
	const struct mrg_dns_step **out);

#endif
