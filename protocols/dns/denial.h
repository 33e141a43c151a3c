/*
 * denial.h - proofs that something is not there, from the NSEC or NSEC3 chain of a signed zone; for the files of this
 * folder only.  References: RFC 4035 3.1.3 and 3.1.4, RFC 5155 7.2.
 *
 * All take note of what is needed: a proof about an alias comes up while the answer section is still growing.
 * mrg_dns_deny_flush writes it down.  w->place tells where w->name stands.
 */
#ifndef MRG_DNS_DENIAL_H
#define MRG_DNS_DENIAL_H

#include "protocols/dns/walk.h"

/* The name does not exist, nor a wildcard that could stand in for it.  RFC 4035 3.1.3.2, RFC 5155 7.2.2 */
void mrg_dns_deny_name(struct mrg_dns_walk *w);

/* The name exists without the type.  RFC 4035 3.1.3.1, RFC 5155 7.2.3 and 7.2.4 */
void mrg_dns_deny_type(struct mrg_dns_walk *w);

/* A wildcard stands in for the name, without the type.  RFC 4035 3.1.3.4, RFC 5155 7.2.5 */
void mrg_dns_deny_wildcard_type(struct mrg_dns_walk *w, const struct mrg_dns_node *wildcard);

/* A wildcard answers: nothing closer exists.  RFC 4035 3.1.3.3, RFC 5155 7.2.6 */
void mrg_dns_deny_closer(struct mrg_dns_walk *w);

/* A delegation without DS; the cut's name is w->name without its first `at` items.  RFC 4035 3.1.4, RFC 5155 7.2.7 */
void mrg_dns_deny_ds(struct mrg_dns_walk *w, const struct mrg_dns_node *cut, unsigned at);

/* Note that a chain owner's NSEC or NSEC3 is needed, once; NULL is nothing. */
void mrg_dns_deny_with(struct mrg_dns_walk *w, const struct mrg_dns_node *owner);

/* Put what was noted since the last time into the authority section. */
void mrg_dns_deny_flush(struct mrg_dns_walk *w);

/* The same proofs by NSEC3. */
void mrg_dns_nsec3_name(struct mrg_dns_walk *w);
void mrg_dns_nsec3_type(struct mrg_dns_walk *w, unsigned at);
void mrg_dns_nsec3_wildcard_type(struct mrg_dns_walk *w, const struct mrg_dns_node *wildcard);
void mrg_dns_nsec3_closer(struct mrg_dns_walk *w);

#endif
