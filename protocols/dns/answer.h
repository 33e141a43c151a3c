/*
 * answer.h - the authoritative server as a pure function: query in, reply out.
 *
 * References: RFC 1034 4.3.2, RFC 1035 4.1, RFC 2181, RFC 2308, RFC 3225, RFC 3597, RFC 4035 3.1, RFC 4343, RFC 4592,
 * RFC 5001, RFC 5155 7.2, RFC 6604, RFC 6672, RFC 6891, RFC 8482, RFC 8906, RFC 9471, RFC 9619; RFC 9267 for names.
 *
 * What it does not do: it has no socket, clock, heap, lock or global; it sends no zone transfer (AXFR and IXFR are
 * refused: transfer_out.h has them), and takes no NOTIFY (notify.h) or UPDATE (NOTIMP).
 *
 * Use:
 *	struct mrg_dns_server s = { .db = &db, .udp_max = 1232 };
 *	switch (mrg_dns_answer(&s, MRG_DNS_UDP, query, out, sizeof out, &len)) {
 *	case MRG_OK: send(out, len); break;
 *	default: break;		(nothing to send)
 *	}
 */
#ifndef MRG_DNS_ANSWER_H
#define MRG_DNS_ANSWER_H

#include "mrg.h"
#include "protocols/dns/db.h"
#include "protocols/dns/query.h"

/* What a server is.  Read only: one may serve any number of threads. */
struct mrg_dns_server {
	const struct mrg_dns_db *db;
	struct mrg_span version;  /* CH TXT version.bind and version.server; empty: refused */
	struct mrg_span identity; /* CH TXT id.server and hostname.bind (RFC 4892); empty: refused */
	struct mrg_span nsid;     /* RFC 5001; empty: not sent */
	uint16_t udp_max;         /* largest UDP reply, and what our OPT record says; at least 512 */
};

enum mrg_dns_transport { MRG_DNS_UDP, MRG_DNS_TCP };

/*
 * mrg_dns_answer - reply to one message.
 *   query   as it came, without a length prefix.   out    the reply goes here; may not overlap the query.
 *   cap     of out; replies are cut to it as to the limit of the transport: whole sets, with TC set.
 * Returns:  MRG_OK: send *out_len octets.  MRG_END: send nothing (not a query, or too short to answer).
 * Fails:    MRG_E_SPACE when not even the question fits in cap.
 * Cost:     no allocation.  A name that is found: O(its octets) + one copy of the answer.  Else bounded by 16 steps
 *           through aliases, each with O(log n) comparisons in the zone, and by the reply's size.
 */
MRG_MUST_USE enum mrg_status mrg_dns_answer(const struct mrg_dns_server *s, enum mrg_dns_transport via,
	struct mrg_span query, uint8_t *out, size_t cap, size_t *out_len);

/* A query on its way to its answer.  Private but for its size: the caller provides the memory. */
struct mrg_dns_asked {
	const struct mrg_dns_server *server;
	struct mrg_dns_query query;
	enum mrg_dns_verdict verdict;
	const struct mrg_dns_zone *zone;   /* that has the name, or the only one there is; may be NULL */
	const uint32_t *slot;              /* of its directory, for the name; valid if there is a zone */
	const struct mrg_dns_node *bucket; /* where the name is if it exists; may be NULL */
};

/*
 * mrg_dns_answer_begin, _look, _finish - mrg_dns_answer in three steps, for who has several queries at once.
 * The first two let the memory come closer that the next step needs, and don't wait for it: so take each step for a
 * dozen queries before the next step.   Lifetime: *out borrows *s and the query until it is finished.
 */
void mrg_dns_answer_begin(const struct mrg_dns_server *s, struct mrg_span query, struct mrg_dns_asked *out);
void mrg_dns_answer_look(struct mrg_dns_asked *a);
MRG_MUST_USE enum mrg_status mrg_dns_answer_finish(
	struct mrg_dns_asked *a, enum mrg_dns_transport via, uint8_t *out, size_t cap, size_t *out_len);

#endif
