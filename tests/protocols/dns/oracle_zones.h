/*
 * oracle_zones.h - random zones over few labels, so that wildcards, empty non-terminals, cuts, aliases and DNAMEs meet in all ways; and
 * their answers held against those of the naive server (oracle.h).
 */
#ifndef TESTS_ORACLE_ZONES_H
#define TESTS_ORACLE_ZONES_H

#include "kit.h"
#include "oracle.h"

/* Where the random numbers start, and the next: below n. */
void zones_seed(uint64_t from);
unsigned zones_rnd(unsigned n);

/* An empty zone but for its SOA and an NS record. */
void zones_apex(struct oracle *z, uint8_t serial);
/* Add a record of a random name and type, unless it can't stand beside what is there. */
void zones_add(struct oracle *z);
/* The apex, and a few to some tens of records, signed. */
void zones_random(struct oracle *z, enum oracle_signing how);

/* Give the records to a builder in the kit's arena, in order or not. */
const struct mrg_dns_zone *zones_build(struct kit *k, const struct oracle *z, bool shuffled);

/* Ask for every name of up to four labels, and every type that is treated in its own way; `k` has the zone in its database. */
void zones_compare(const struct kit *k, const struct oracle *z);

struct mrg_span zones_name(const struct mrg_dns_name_flat *n);

/* Which record of the zone is the same, its TTL included; SIZE_MAX: none. */
size_t zones_find(const struct oracle *z, const struct oracle_rr *r);

/* Node by node, flags and chains included, and what else is known of a zone.  Where nodes stand, and in how many buckets, may differ. */
void zones_same(const struct mrg_dns_zone *a, const struct mrg_dns_zone *b);

#endif
