/*
 * refresh.h - asking a primary which version of a zone it has: the query for its SOA record, and the answer.
 *
 * References: RFC 1034 4.3.5, RFC 7314 (EXPIRE).
 *
 * What it does not do: it sends nothing, keeps no time and does not know who sent what comes (secondary.h, and its caller).
 */
#ifndef MRG_DNS_REFRESH_H
#define MRG_DNS_REFRESH_H

#include "mrg.h"

/*
 * mrg_dns_refresh_query - a query for the SOA record of a zone, which is a flat name.
 *   id   nobody else can guess it.   udp_size   for an OPT record, which asks for the time of expiry; 0: none
 * Fails:    MRG_E_SPACE.
 */
MRG_MUST_USE enum mrg_status mrg_dns_refresh_query(
	struct mrg_span zone, uint16_t id, uint16_t udp_size, uint8_t *out, size_t cap, size_t *len);

enum mrg_dns_refresh_kind {
	MRG_DNS_REFRESH_OTHER,  /* this is no answer to that query: wait on */
	MRG_DNS_REFRESH_SERIAL, /* the primary has a version of the zone */
	MRG_DNS_REFRESH_REFUSED /* it has none, is not authoritative, or can't say */
};

struct mrg_dns_refresh {
	unsigned rcode;    /* with the bits in OPT */
	uint32_t serial;   /* with MRG_DNS_REFRESH_SERIAL */
	bool has_expire;   /* RFC 7314: */
	uint32_t expire_s; /* the time for which the other side holds it */
};

/* mrg_dns_refresh_read - what does this message answer?  *out is filled but with OTHER.   Cost: O(message). */
enum mrg_dns_refresh_kind mrg_dns_refresh_read(
	struct mrg_span zone, uint16_t id, struct mrg_span message, struct mrg_dns_refresh *out);

#endif
