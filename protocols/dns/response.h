/*
 * response.h - what those that read responses have in common: which message is the response, the OPT record that asks for the time of
 * expiry, and what comes back in one.
 * References: RFC 1035 4.1, RFC 6891, RFC 7314.
 */
#ifndef MRG_DNS_RESPONSE_H
#define MRG_DNS_RESPONSE_H

#include "dns/edns.h"
#include "dns/message.h"
#include "mrg.h"

/* What was asked about a zone, of class IN. */
struct mrg_dns_response_to {
	struct mrg_span zone; /* its flat name */
	uint16_t id, type;
	uint8_t opcode;
	bool again; /* a response was there before: another one may leave the question out.  RFC 5936 2.2.1 */
};

/*
 * mrg_dns_response_is - is `message`, whose header is *h, a response to that?  One that tells of an error may leave the question out:
 * who could not read it has none to repeat.
 * *len: octets of the question.
 */
bool mrg_dns_response_is(
	const struct mrg_dns_response_to *asked, struct mrg_span message, const struct mrg_dns_header *h, size_t *len);

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

/*
 * mrg_dns_response_rcode - the RCODE of a message whose header is *h, with the bits that are in its OPT record (RFC 6891 6.1.3), if what
 * stands before that can be read.   Cost: O(records).
 */
unsigned mrg_dns_response_rcode(struct mrg_span message, const struct mrg_dns_header *h);

#endif
