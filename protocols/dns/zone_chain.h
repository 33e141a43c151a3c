/*
 * zone_chain.h - the NSEC or NSEC3 chain of a signed zone: which it has, and its owners in canonical order; for the
 * files of this folder only.  References: RFC 4034 4 and 6.1, RFC 5155 3, 4 and 7.1.
 */
#ifndef MRG_DNS_ZONE_CHAIN_H
#define MRG_DNS_ZONE_CHAIN_H

#include "protocols/dns/zone_build.h"
#include "protocols/dns/zone_finish.h"

/*
 * Which chain the zone is served with: fill z->denial and z->nsec3 from z->apex.
 * Fails:    MRG_E_LIMIT when hashes take more than 2,500 iterations.
 */
enum mrg_status mrg_dns_zone_denial(struct mrg_dns_zone *z);

/*
 * mrg_dns_zone_chain_all - find all owners of the chain and sort them.
 *   a         takes z->chain
 *   scratch   16 octets for each owner are in use meanwhile, and zeroed again; may be `a`
 * Fails:    MRG_E_SPACE.
 */
enum mrg_status mrg_dns_zone_chain_all(struct mrg_dns_zone *z, struct mrg_arena *a, struct mrg_arena *scratch);

/* The same in pieces.   MRG_MORE: mrg_dns_zone_chain_some is to be called again. */
void mrg_dns_zone_chain_begin(struct mrg_dns_zone_chaining *c, struct mrg_dns_zone *z, struct mrg_arena *a, struct mrg_arena *scratch);
enum mrg_status mrg_dns_zone_chain_some(struct mrg_dns_zone_chaining *c);

/* Are nodes `a` and `b` in canonical order?  A mrg_dns_before, without ctx. */
bool mrg_dns_zone_before_name(const void *ctx, const void *a, const void *b);

/* Is the node part of the chain that the zone is served with? */
bool mrg_dns_zone_in_chain(const struct mrg_dns_zone *z, const struct mrg_dns_node *n);

/*
 * mrg_dns_chain_place - how many owners of the chain do not stand after `name`.
 *   exact   whether one of them, the last, is `name` itself.
 * Cost:     O(log n) comparisons.
 */
size_t mrg_dns_chain_place(const struct mrg_dns_zone *z, const struct mrg_dns_name_flat *name, bool *exact);

/*
 * mrg_dns_chain_before - the last owner of the chain that does not stand after `name`; wraps to the chain's end.
 *   exact   whether it is `name` itself.
 * NULL when the chain is empty.   Cost: O(log n) comparisons.
 */
const struct mrg_dns_node *mrg_dns_chain_before(
	const struct mrg_dns_zone *z, const struct mrg_dns_name_flat *name, bool *exact);

#endif
