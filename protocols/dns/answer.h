/*
 * answer.h - the authoritative server as a pure function: query in, reply out.
 *
 * References: RFC 1034 4.3.2, RFC 1035 4.1, RFC 2181, RFC 2308, RFC 3225, RFC 3597, RFC 4035 3.1, RFC 4343, RFC 4592,
 * RFC 5001, RFC 5155 7.2, RFC 6604, RFC 6672, RFC 6891, RFC 7314, RFC 7828, RFC 7873, RFC 8482, RFC 8906, RFC 8914, RFC 8945,
 * RFC 9018, RFC 9471, RFC 9619; RFC 9267 for names.
 *
 * What it does not do: it has no socket, clock, heap, lock or global; it sends no zone transfer (AXFR and IXFR are
 * refused: transfer_out.h has them), and takes no NOTIFY (notify.h) or UPDATE (update.h): NOTIMP.  It pads nothing (RFC 7830): that hides
 * something only where the transport is encrypted, which none here is (RFC 8467 6).
 *
 * Use:
 *	struct mrg_dns_server s = { .db = &db, .udp_max = 1232 };
 *	const struct mrg_dns_asker c = { .via = MRG_DNS_UDP };
 *	switch (mrg_dns_answer(&s, &c, query, out, sizeof out, &len)) {
 *	case MRG_OK: send(out, len); break;
 *	default: break;		(nothing to send)
 *	}
 */
#ifndef MRG_DNS_ANSWER_H
#define MRG_DNS_ANSWER_H

#include "mrg.h"
#include "protocols/dns/asker.h"
#include "protocols/dns/cookie.h"
#include "protocols/dns/db.h"
#include "protocols/dns/query.h"
#include "protocols/dns/rate.h"
#include "protocols/dns/tsig.h"

/* Why there is no zone where there should be one. */
enum mrg_dns_lack {
	MRG_DNS_LACK_NONE,      /* there should be none: REFUSED */
	MRG_DNS_LACK_NOT_READY, /* it was not loaded or transferred yet: SERVFAIL, Not Ready */
	MRG_DNS_LACK_EXPIRED    /* it was transferred, but too long ago: SERVFAIL, Invalid Data */
};

/* What the caller knows of zones that is in no record.  Either function may be NULL. */
struct mrg_dns_states {
	void *ctx;
	/* A name that no zone has. */
	enum mrg_dns_lack (*lack)(void *ctx, const struct mrg_dns_name_flat *name);
	/*
	 * Seconds until a zone expires that was transferred (RFC 7314 4.2).  False: it is our own, and its SOA record says after how
	 * long it would (4.1).
	 */
	bool (*expire)(void *ctx, const struct mrg_dns_zone *z, uint64_t now_s, uint32_t *seconds);
};

/* What a server is.  Read only: one may serve any number of threads. */
struct mrg_dns_server {
	const struct mrg_dns_db *db;
	struct mrg_span version;  /* CH TXT version.bind and version.server; empty: refused */
	struct mrg_span identity; /* CH TXT id.server and hostname.bind (RFC 4892); empty: refused */
	struct mrg_span nsid;     /* RFC 5001; empty: not sent */
	const struct mrg_dns_tsig_keys *keys;         /* NULL: there are none, so every signature is refused */
	const struct mrg_dns_cookie_secrets *cookies; /* NULL: clients get no cookies */
	const struct mrg_dns_states *states;          /* NULL: all zones are there, and our own */
	uint16_t keepalive; /* how long a connection may be idle, in units of 100 ms (RFC 7828); 0: not told */
	uint16_t udp_max;         /* largest UDP reply, and what our OPT record says; at least 512 */
};

/*
 * mrg_dns_answer - reply to one message.
 *   c       who asks.
 *   query   as it came, without a length prefix.   out    the reply goes here; may not overlap the query.
 *   cap     of out; replies are cut to it as to the limit of the transport: whole sets, with TC set.
 * Returns:  MRG_OK: send *out_len octets.  MRG_END: send nothing (not a query, too short to answer, or the client's rate).
 * Fails:    MRG_E_SPACE when not even the question fits in cap.
 * Cost:     no allocation.  A name that is found: O(its octets) + one copy of the answer.  Else bounded by 16 steps
 *           through aliases, each with O(log n) comparisons in the zone, and by the reply's size.
 */
MRG_MUST_USE enum mrg_status mrg_dns_answer(const struct mrg_dns_server *s, const struct mrg_dns_asker *c,
	struct mrg_span query, uint8_t *out, size_t cap, size_t *out_len);

/* A query on its way to its answer.  Private but for its size: the caller provides the memory. */
struct mrg_dns_asked {
	const struct mrg_dns_server *server;
	struct mrg_dns_query query;
	enum mrg_dns_verdict verdict;
	const struct mrg_dns_zone *zone;   /* that has the name, or the only one there is; may be NULL */
	const uint32_t *slot;              /* of its directory, for the name; valid if there is a zone */
	const struct mrg_dns_node *bucket; /* where the name is if it exists; may be NULL */
	const struct mrg_dns_node
		*expected; /* that has the answer, as far as is known; NULL: that was not looked for */
	uint64_t account;  /* where a reply with that is counted */
};

/*
 * mrg_dns_answer_begin, _look, _expect, _finish - mrg_dns_answer in steps, for who has several queries at once.
 * All but the last let the memory come closer that the next step needs, and don't wait for it: so take each step for a
 * dozen queries before the next step.  The query is read to its end by _look.  _expect can be left out; without rate limiting there is nothing to it.
 * Lifetime: *out borrows *s and the query until it is finished.
 */
void mrg_dns_answer_begin(const struct mrg_dns_server *s, struct mrg_span query, struct mrg_dns_asked *out);
void mrg_dns_answer_look(struct mrg_dns_asked *a);
void mrg_dns_answer_expect(struct mrg_dns_asked *a, const struct mrg_dns_asker *c);
MRG_MUST_USE enum mrg_status mrg_dns_answer_finish(
	struct mrg_dns_asked *a, const struct mrg_dns_asker *c, uint8_t *out, size_t cap, size_t *out_len);

/* What was read of the query; all of it once the answer is finished. */
static inline const struct mrg_dns_query *mrg_dns_answer_query(const struct mrg_dns_asked *a) { return &a->query; }

/*
 * mrg_dns_answer_is_other - is it nothing that the zones alone have an answer to: NOTIFY, UPDATE and other opcodes, IXFR?
 * Between begin and finish, for who has an answer (notify.h, update.h, transfer_out.h); what is finished gets NOTIMP or REFUSED.
 */
static inline bool mrg_dns_answer_is_other(const struct mrg_dns_asked *a)
{
	return a->verdict == MRG_DNS_VERDICT_NOTIMP ||
	       (a->verdict == MRG_DNS_VERDICT_ANSWER &&
		       mrg_dns_question_type(&a->query.question) == MRG_DNS_TYPE_IXFR);
}

#endif
