/*
 * soa_query.h - asking a primary which version of a zone it has.
 *
 * References: RFC 1034 4.3.5, RFC 1035 3.3.13.
 *
 * What it does not do: it sends nothing, and decides nothing about what is newer (history.h).
 *
 * Use:
 *	mrg_dns_soa_query_put(zone, id, out, cap, &len)		(send it)
 *	switch (mrg_dns_soa_query_heard(zone, id, message, &serial)) ...
 */
#ifndef MRG_DNS_SOA_QUERY_H
#define MRG_DNS_SOA_QUERY_H

#include "mrg.h"

/*
 * mrg_dns_soa_query_put - the query.   zone   its flat name.   id   nobody else can guess it
 * Fails:    MRG_E_SPACE.
 */
MRG_MUST_USE enum mrg_status mrg_dns_soa_query_put(
	struct mrg_span zone, uint16_t id, uint8_t *out, size_t cap, size_t *len);

enum mrg_dns_soa_heard {
	MRG_DNS_SOA_OTHER,  /* it is no answer to that query, whoever sent it */
	MRG_DNS_SOA_SERIAL, /* the primary has the version of *serial */
	MRG_DNS_SOA_REFUSED /* it does not have the zone, or can't say */
};

/* mrg_dns_soa_query_heard - what does this message say?   Cost: O(message). */
enum mrg_dns_soa_heard mrg_dns_soa_query_heard(
	struct mrg_span zone, uint16_t id, struct mrg_span message, uint32_t *serial);

#endif
