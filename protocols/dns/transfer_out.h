/*
 * transfer_out.h - a zone, or what has changed in it, as a sequence of messages: AXFR and IXFR, the side that has the zone.
 *
 * References: RFC 5936 (AXFR: 2.2 messages, 3 what is in them), RFC 1995 (IXFR: 2 what is answered, 4 differences), RFC 1982 (serial
 * numbers), RFC 6891 6.1.1 (OPT), RFC 7314 (EXPIRE).
 *
 * What it does not do: it decides nothing about who may have a zone, finds no zone, keeps no history, and holds nothing: the caller sees
 * to it that the zone and its history stay until the transfer is over.
 *
 * Use:
 *	struct mrg_dns_transfer_request r;
 *	if (!mrg_dns_transfer_asked(query, MRG_DNS_TCP, &r)) ...	(mrg_dns_answer has the reply)
 *	if (zone == NULL || !allowed) return mrg_dns_transfer_refuse(&r, MRG_DNS_RCODE_NOTAUTH or _REFUSED, out, cap, &len);
 *	mrg_dns_transfer_begin(t, &r, zone, newest, &opt, NULL);
 *	while ((st = mrg_dns_transfer_next(t, out, cap, &len)) == MRG_MORE) ...	(send it; the last comes with MRG_OK)
 */
#ifndef MRG_DNS_TRANSFER_OUT_H
#define MRG_DNS_TRANSFER_OUT_H

#include "mrg.h"
#include "protocols/dns/answer.h"
#include "protocols/dns/history.h"
#include "protocols/dns/query.h"
#include "protocols/dns/zone.h"

/* Somebody asks for a transfer. It borrows the query. */
struct mrg_dns_transfer_request {
	struct mrg_dns_query query;
	struct mrg_dns_name_flat name; /* of the zone */
	bool incremental;              /* IXFR: */
	uint32_t serial;               /* of the version that is there */
};

/*
 * mrg_dns_transfer_asked - is this message a request for a transfer that can be answered?
 * False for anything else: also AXFR over UDP (RFC 5936 4.2), IXFR without the one SOA record that it needs (RFC 1995 3), an EDNS version
 * that nobody knows.  mrg_dns_answer then has the reply.   Lifetime: *out borrows the message.   Cost: O(message).
 */
bool mrg_dns_transfer_asked(
	struct mrg_span message, enum mrg_dns_transport via, struct mrg_dns_transfer_request *out);

/*
 * mrg_dns_transfer_refuse - a reply without records.
 *   rcode   NOTAUTH: there is no such zone here; REFUSED: not for who asks; SERVFAIL: there is no version of it now
 * Fails:    MRG_E_SPACE when it does not fit.
 */
MRG_MUST_USE enum mrg_status mrg_dns_transfer_refuse(const struct mrg_dns_transfer_request *r, unsigned rcode,
	uint16_t udp_size, uint8_t *out, size_t cap, size_t *len);

/* Who signs messages, one after the other.  RFC 8945 5.3.1 */
struct mrg_dns_transfer_signer {
	void *ctx;
	size_t room; /* octets that a signature takes at most */
	/* Add the signature behind message[0..*len-1], *len + room being at most cap. Anything but MRG_OK ends the transfer. */
	enum mrg_status (*sign)(void *ctx, uint8_t *message, size_t *len, size_t cap);
};

/* What the OPT record of the first message says to who has one. */
struct mrg_dns_transfer_opt {
	uint16_t udp_size;
	bool is_copy;      /* the zone is another server's, and */
	uint32_t expire_s; /* seconds are left until it expires (RFC 7314 4.2); else its SOA record says how many it would last (4.1) */
};

/* What is sent. */
enum mrg_dns_transfer_kind {
	MRG_DNS_TRANSFER_WHOLE,   /* the zone: RFC 5936 2.2 */
	MRG_DNS_TRANSFER_CHANGES, /* differences between versions: RFC 1995 4 */
	MRG_DNS_TRANSFER_CURRENT  /* who asks has the version that is here: RFC 1995 2 */
};

/* Which record comes next. */
enum mrg_dns_transfer_stage {
	MRG_DNS_TRANSFER_FIRST_SOA,
	MRG_DNS_TRANSFER_RECORDS,
	MRG_DNS_TRANSFER_LAST_SOA,
	MRG_DNS_TRANSFER_ENDED
};

/* A transfer under way; the caller's. */
struct mrg_dns_transfer {
	enum mrg_dns_transfer_kind kind; /* known after begin */
	size_t records, messages, octets; /* so far */
	/* private */
	enum mrg_status st; /* not MRG_OK: the zone has no SOA record */
	const struct mrg_dns_zone *zone;
	struct mrg_dns_transfer_signer signer;
	uint16_t id, type, udp_size;
	uint32_t expire_s; /* if it expires */
	bool rd, edns, dnssec_ok, expires;
	bool pending; /* `rr` is still to be written */
	enum mrg_dns_transfer_stage stage;
	struct mrg_dns_rr rr, soa;
	struct mrg_dns_zone_walk walk;
	const struct mrg_dns_step *newest, *step;
	struct mrg_span left; /* records of the step */
	bool added;           /* those are its added ones */
	struct mrg_refs refs;
	uint8_t name_len;
	uint8_t name[MRG_DNS_MAX_NAME]; /* as it was asked for, in its letters */
};

/*
 * mrg_dns_transfer_begin - answer a request.
 *   r          need not be kept
 *   zone       the version that is sent.   newest   the step that led to it; NULL: nothing is known of the past, so all is sent
 *   opt        copied.   signer   likewise; NULL: nobody signs
 * Cost:     O(octets of the steps), at most as many records as the zone has.
 */
void mrg_dns_transfer_begin(struct mrg_dns_transfer *t, const struct mrg_dns_transfer_request *r,
	const struct mrg_dns_zone *zone, const struct mrg_dns_step *newest,
	const struct mrg_dns_transfer_opt *opt, const struct mrg_dns_transfer_signer *signer);

/*
 * mrg_dns_transfer_next - the next message: as many records as fit into it.
 *   cap   at most 65,535 are used
 * Returns:  MRG_MORE: *len octets, and others come behind them.  MRG_OK: likewise, the last ones.  MRG_END: there are no more.
 * Fails:    MRG_E_SPACE when a record does not fit into a message; what the signer says.   Cost: O(octets).
 */
MRG_MUST_USE enum mrg_status mrg_dns_transfer_next(
	struct mrg_dns_transfer *t, uint8_t *out, size_t cap, size_t *len);

/*
 * mrg_dns_transfer_datagram - the answer to IXFR over UDP: all of it if it fits, else the SOA record alone, which says that it has to be
 * asked for over TCP (RFC 1995 2).  Arguments as for begin and next; cap is what a datagram to the client may have.
 */
MRG_MUST_USE enum mrg_status mrg_dns_transfer_datagram(struct mrg_dns_transfer *t,
	const struct mrg_dns_transfer_request *r, const struct mrg_dns_zone *zone,
	const struct mrg_dns_step *newest, const struct mrg_dns_transfer_opt *opt,
	const struct mrg_dns_transfer_signer *signer, uint8_t *out, size_t cap, size_t *len);

#endif
