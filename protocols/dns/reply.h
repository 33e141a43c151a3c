/*
 * reply.h - writing a reply: sections in order, whole sets only, never past the limit; for this folder only.
 * References: RFC 1035 4.1, RFC 2181 9 (truncation), RFC 6891 (OPT), RFC 5001 (NSID).
 */
#ifndef MRG_DNS_REPLY_H
#define MRG_DNS_REPLY_H

#include "protocols/dns/query.h"
#include "protocols/dns/zone_store.h"

enum mrg_dns_section { MRG_DNS_ANSWER, MRG_DNS_AUTHORITY, MRG_DNS_ADDITIONAL };

struct mrg_dns_reply {
	const struct mrg_dns_query *query;
	struct mrg_w w; /* its cap leaves room for the OPT record */
	size_t room;    /* octets that the OPT record will take, without an extended error */
	const struct mrg_dns_extras *extras;
	uint32_t expire;   /* seconds, if `expires` */
	int16_t error;     /* extended: enum mrg_dns_extended_error; -1: none.  Sent if there is room for it */
	uint16_t udp_size; /* that our OPT record says */
	uint16_t counts[3];   /* records of each section */
	unsigned rcode;       /* with the upper bits that OPT carries */
	bool aa, tc;
	bool expires;                     /* the zone that answers does, and the query asked when */
	const struct mrg_dns_node *about; /* what decided: of several, the first; NULL: nothing of a zone */
	bool full; /* something did not fit: nothing is added any more */
	struct mrg_refs refs;
};

/* What goes into the OPT record beside what the query makes of it. */
struct mrg_dns_extras {
	struct mrg_span nsid;   /* empty: not sent */
	struct mrg_span cookie; /* likewise */
	uint16_t keepalive;     /* units of 100 ms; 0: not sent */
	bool expire;            /* room for it is kept */
};

/*
 * mrg_dns_reply_begin - start a reply in out[0..cap-1], with the query's question if it could be read.
 *   extras   read at the end, too; NULL: none
 * Fails:    MRG_E_SPACE when header, question and OPT record don't fit.
 */
enum mrg_status mrg_dns_reply_begin(struct mrg_dns_reply *r, const struct mrg_dns_query *q, uint16_t udp_size,
	const struct mrg_dns_extras *extras, uint8_t *out, size_t cap);

/* What of a set to add, and how. */
enum mrg_dns_what {
	MRG_DNS_DATA = 1,    /* its records */
	MRG_DNS_SIGS = 2,    /* the RRSIGs that cover it */
	MRG_DNS_OPTIONAL = 4 /* TC is not set when it does not fit */
};

/*
 * mrg_dns_reply_add - add a set, all that is wanted of it or nothing.
 *   n, set   the set and its node.   owner   the flat name that it gets.   what   of enum mrg_dns_what.
 * Returns false when it did not fit; the reply is then full.
 */
bool mrg_dns_reply_add(struct mrg_dns_reply *r, enum mrg_dns_section section, const struct mrg_dns_node *n,
	const struct mrg_dns_rrset *set, struct mrg_span owner, unsigned what);

/*
 * mrg_dns_reply_copy - answer with a set of the node that has the question's name, as it stands in the zone.
 * Only as the first thing in a reply.
 */
bool mrg_dns_reply_copy(struct mrg_dns_reply *r, const struct mrg_dns_rrset *set, bool sigs);

/*
 * mrg_dns_reply_soa - put the SOA of negative answers, without RRSIGs, into the authority section of a reply that has
 * no records yet.   zone_off   where in the question's name the zone's begins.
 */
bool mrg_dns_reply_soa(struct mrg_dns_reply *r, const struct mrg_dns_soa_form *soa, size_t zone_off);

/* A CNAME record that no zone has: what a DNAME record makes.  RFC 6672 section 3.1 */
bool mrg_dns_reply_cname(
	struct mrg_dns_reply *r, struct mrg_span owner, uint32_t ttl, struct mrg_span target);

/* A CHAOS TXT record of one string for the question's name.  RFC 4892 */
bool mrg_dns_reply_text(struct mrg_dns_reply *r, struct mrg_span text);

/* mrg_dns_reply_cut - take all records out again and say TC: the client is to ask over TCP. */
void mrg_dns_reply_cut(struct mrg_dns_reply *r);

/* An EXPIRE option.  RFC 7314 2 */
enum { MRG_DNS_EXPIRE_OPTION = MRG_DNS_OPTION_SIZE_MIN + MRG_DNS_EXPIRE_SIZE_MAX }; /* octets */
void mrg_dns_put_expire(struct mrg_w *w, struct mrg_dns_opt_build *ob, uint32_t seconds);

/* mrg_dns_reply_end - write the OPT record, if the query had one, and the header. */
enum mrg_status mrg_dns_reply_end(struct mrg_dns_reply *r, size_t *len);

#endif
