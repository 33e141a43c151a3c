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

/* Options that a query may have. */
enum mrg_dns_wanted {
	MRG_DNS_WANTED_NSID = 1,
	MRG_DNS_WANTED_KEEPALIVE = 2, /* RFC 7828 */
	MRG_DNS_WANTED_EXPIRE = 4,    /* RFC 7314 */
	MRG_DNS_WANTED_COOKIE = 8     /* RFC 7873 */
};

struct mrg_dns_query {
	struct mrg_span message;
	struct mrg_dns_header header;
	bool has_question;
	struct mrg_dns_question question; /* valid if has_question */
	bool has_edns;
	bool dnssec_ok; /* RFC 3225 */
	bool has_tsig;  /* a TSIG record is the last one */
	uint8_t options; /* EDNS options that ask for something: of enum mrg_dns_wanted */
	uint8_t edns_version;
	uint16_t udp_size;
	struct mrg_dns_cookie cookie; /* valid if there is one; of several the first (RFC 7873 5.2) */
};

/* What becomes of a message. */
enum mrg_dns_verdict {
	MRG_DNS_VERDICT_ANSWER,
	MRG_DNS_VERDICT_DROP, /* no reply at all */
	MRG_DNS_VERDICT_COOKIE, /* it has no question: a cookie is all that it can ask for (RFC 7873 5.4) */
	MRG_DNS_VERDICT_FORMERR,
	MRG_DNS_VERDICT_NOTAUTH,   /* its signature is not good: RFC 8945 5.2 */
	MRG_DNS_VERDICT_BADCOOKIE, /* it shows no good cookie where there must be one: RFC 7873 5.2.3 */
	MRG_DNS_VERDICT_NOTIMP /* an opcode that we don't have: how the rest is laid out is unknown */
};

/*
 * mrg_dns_query_question - read the header and the question of a message.
 *   out     filled as far as the message could be read.
 * MRG_DNS_VERDICT_ANSWER and _COOKIE: mrg_dns_query_rest has the last word.   Cost: O(question).
 */
enum mrg_dns_verdict mrg_dns_query_question(struct mrg_span message, struct mrg_dns_query *out);

/*
 * mrg_dns_query_zone - read the zone that NOTIFY and UPDATE have where others have their question (RFC 1996 3.7, RFC 2136 2.3).
 *   q   of which mrg_dns_query_question has said that it has another opcode.   has_question is true afterwards, if it could be read
 * False: there is not one, or it can't be read.   Cost: O(name).
 */
bool mrg_dns_query_zone(struct mrg_dns_query *q);

/* As mrg_dns_query_rest, for a message that has records. */
enum mrg_dns_verdict mrg_dns_query_records(struct mrg_dns_query *q);

/*
 * mrg_dns_query_rest - read the records of a message whose question was read.
 * Octets after the last record are ignored.   Cost: O(message).
 */
static inline enum mrg_dns_verdict mrg_dns_query_rest(struct mrg_dns_query *q)
{
	const struct mrg_dns_header *const h = &q->header;
	const bool none = (mrg_dns_header_ancount(h) | mrg_dns_header_nscount(h) | mrg_dns_header_arcount(h)) == 0;
	return none ? MRG_DNS_VERDICT_ANSWER : mrg_dns_query_records(q);
}

#endif
