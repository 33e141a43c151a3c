/*
 * response.h - what those that ask have in common: the OPT record that asks for the time of expiry, and what comes back in one; for this
 * folder only.
 * References: RFC 6891, RFC 7314.
 */
#ifndef MRG_DNS_RESPONSE_H
#define MRG_DNS_RESPONSE_H

#include "dns/edns.h"
#include "mrg.h"

/* What an OPT record tells who asked. */
struct mrg_dns_response_edns {
	unsigned upper;    /* bits of the RCODE, in their place */
	bool has_expire;
	uint32_t expire_s; /* RFC 7314 */
};

/* Write an OPT record with an empty EXPIRE option. */
void mrg_dns_response_ask(struct mrg_w *w, uint16_t udp_size);

/*
 * mrg_dns_response_edns - step over `count` records at the start of `left`, the last `additional` of which may be an OPT record, and take
 * what that tells.
 * False: they can't be read.
 */
bool mrg_dns_response_edns(struct mrg_span message, struct mrg_span left, unsigned count, unsigned additional,
	struct mrg_dns_response_edns *out);

#endif
