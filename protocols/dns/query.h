/*
 * query.h - what a server needs to know of a query, read once; what is in it is for the files of this folder only.
 * References: RFC 1035 4.1, RFC 6891, RFC 9619.
 */
#ifndef MRG_DNS_QUERY_H
#define MRG_DNS_QUERY_H

#include "dns/edns.h"
#include "dns/message.h"
#include "dns/rr.h"
#include "iana/dns.h"
#include "mrg.h"

struct mrg_dns_query {
	struct mrg_span message;
	struct mrg_dns_header header;
	bool has_question;
	struct mrg_dns_question question; /* valid if has_question */
	bool has_edns;
	bool dnssec_ok; /* RFC 3225 */
	bool nsid;      /* asked for */
	uint8_t edns_version;
	uint16_t udp_size;
};

/* What becomes of a message. */
enum mrg_dns_verdict {
	MRG_DNS_VERDICT_ANSWER,
	MRG_DNS_VERDICT_DROP, /* no reply at all */
	MRG_DNS_VERDICT_FORMERR,
	MRG_DNS_VERDICT_NOTIMP /* an opcode that we don't have: how the rest is laid out is unknown */
};

/*
 * mrg_dns_query_question - read the header and the question of a message.
 *   out     filled as far as the message could be read.
 * MRG_DNS_VERDICT_ANSWER: mrg_dns_query_rest has the last word.   Cost: O(question).
 */
enum mrg_dns_verdict mrg_dns_query_question(struct mrg_span message, struct mrg_dns_query *out);

/*
 * mrg_dns_query_rest - read the records of a message whose question was read.
 * Octets after the last record are ignored.   Cost: O(message).
 */
enum mrg_dns_verdict mrg_dns_query_rest(struct mrg_dns_query *q);

#endif
