/*
 * walk.h - from a question to the sets that answer it: the algorithm of RFC 1034 4.3.2 with what came after it; for
 * the files of this folder only.
 */
#ifndef MRG_DNS_WALK_H
#define MRG_DNS_WALK_H

#include "protocols/dns/reply.h"

/* Aliases followed in one answer; resolvers take up the chain where we stop. */
enum { MRG_DNS_STEPS = 16 };

/* Sets of a proof in one reply: four a step is the most that any step needs (RFC 5155 7.2). */
enum { MRG_DNS_PROOFS = 4 * (MRG_DNS_STEPS + 1) };

struct mrg_dns_walk {
	struct mrg_dns_reply *reply;
	const struct mrg_dns_zone *zone;
	uint16_t type;
	bool dnssec;                   /* RRSIGs and proofs are wanted, and the zone has them */
	struct mrg_dns_name_flat name; /* looked for now: the question's, then what aliases lead to */
	struct mrg_dns_place place;    /* where it stands */
	uint64_t been[MRG_DNS_STEPS];  /* hashes of the names before it */
	const struct mrg_dns_node *proofs[MRG_DNS_PROOFS]; /* chain owners whose NSEC or NSEC3 is needed */
	unsigned steps, proof_count, proofs_written, dname_count;
	const struct mrg_dns_node *dnames[MRG_DNS_STEPS]; /* DNAME owners whose set is in the reply */
};

/*
 * mrg_dns_walk_run - answer the question: name, zone, type, reply and dnssec are set, the rest zero.
 * The reply has compression on and is left without header and OPT record.
 */
void mrg_dns_walk_run(struct mrg_dns_walk *w);

#endif
