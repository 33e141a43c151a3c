/*
 * dns_zones.h - servers over small zones that have something of every kind: aliases that end, circle and lead away, DNAMEs, wildcards,
 * delegations with and without keys, empty names, sets too large for a datagram.  The same zone four times: unsigned, and with each kind
 * of proof that something is not there.
 *
 * Signatures are made up, since a server checks none.
 */
#ifndef FUZZ_DNS_ZONES_H
#define FUZZ_DNS_ZONES_H

#include "protocols/dns/answer.h"
#include "tests/protocols/dns/oracle.h"

enum { DNS_ZONES = 4 };

struct dns_zones {
	struct oracle *oracles[DNS_ZONES]; /* what is in each */
	struct mrg_dns_server server;      /* of all */
	struct mrg_dns_server single[DNS_ZONES];
	struct mrg_dns_db db, single_db[DNS_ZONES];
	const struct mrg_dns_zone *zones[DNS_ZONES];
};

/* Somebody with an address, and so with a cookie if he asks for one. */
struct mrg_dns_asker dns_asker(enum mrg_dns_transport via);

/* Made when it is first asked for; a zone that can't be made ends the program. */
const struct dns_zones *dns_zones(void);

#endif
