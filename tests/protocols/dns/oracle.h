/*
 * oracle.h - a zone as a list of records, answered by looking through all of them: what protocols/dns must agree with.
 *
 * Written from the text of RFC 1034 4.3.2, RFC 4592, RFC 6672, RFC 4035 3.1 and RFC 5155 7.2, with no thought for cost,
 * and sharing nothing with protocols/dns but generated code.
 */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

#include "dns/name.h"
#include "dns/rr.h"
#include "mrg.h"

enum { ORACLE_RECORDS = 600, ORACLE_HEAP = 65536, ORACLE_SECTION = 96 };

struct oracle_rr {
	struct mrg_dns_name_flat owner;
	uint16_t type, covered; /* covered: of an RRSIG */
	uint32_t ttl;
	struct mrg_span rdata;
	uint8_t hash[20]; /* of an NSEC3: what its owner's label stands for */
};

enum oracle_signing { ORACLE_UNSIGNED, ORACLE_NSEC, ORACLE_NSEC3, ORACLE_OPT_OUT };

struct oracle {
	struct mrg_dns_name_flat origin;
	enum oracle_signing signing;
	struct oracle_rr rr[ORACLE_RECORDS];
	size_t count;
	uint8_t heap[ORACLE_HEAP];
	size_t used;
};

/* What a reply must hold; sections are sets of records. */
struct oracle_reply {
	unsigned rcode;
	bool aa;
	struct oracle_rr rr[3][ORACLE_SECTION];
	size_t count[3];
};

/* Start an empty zone. */
void oracle_init(struct oracle *z, const char *origin);
/* "www.example." to flat form; "\001*" and the like are not needed: plain labels only. */
struct mrg_dns_name_flat oracle_name(const char *text);
struct mrg_span oracle_keep(struct oracle *z, const void *p, size_t len);
void oracle_add(struct oracle *z, const struct mrg_dns_name_flat *owner, uint16_t type, uint32_t ttl,
	const void *rdata, size_t len);
bool oracle_has(const struct oracle *z, const struct mrg_dns_name_flat *owner, uint16_t type);
/* Make the chain, and a signature for each set that gets one. */
void oracle_sign(struct oracle *z, enum oracle_signing how);
void oracle_answer(const struct oracle *z, const struct mrg_dns_name_flat *name, uint16_t type, bool dnssec,
	struct oracle_reply *out);
/* Is the record of a reply in the section (0: answer) that the oracle made? */
bool oracle_made(const struct oracle_reply *want, unsigned section, const struct mrg_dns_rr *rr);

#endif
