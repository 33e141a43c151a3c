/*
 * notify.h - telling secondaries that a zone has changed, and being told so.
 *
 * References: RFC 1996.
 *
 * What it does not do: it decides nothing about who may tell, sends nothing again when no response comes, and knows no zones.
 *
 * Use, by who tells:
 *	mrg_dns_notify_put(zone, id, out, cap, &len)	(send it; again after some seconds, RFC 1996 3.6)
 *	if (mrg_dns_notify_heard(zone, id, message, &rcode)) ...	(it was understood, or refused)
 *
 * Use, by who is told:
 *	switch (mrg_dns_notify_read(message, &n)) ...
 *	mrg_dns_notify_reply(&n, rcode, udp_size, out, cap, &len)
 */
#ifndef MRG_DNS_NOTIFY_H
#define MRG_DNS_NOTIFY_H

#include "mrg.h"
#include "protocols/dns/query.h"
#include "protocols/dns/zone.h"

/*
 * mrg_dns_notify_put - tell that this version of a zone is there, with its SOA record, which is a hint only (RFC 1996 3.7).
 * Fails:    MRG_E_SPACE.
 */
MRG_MUST_USE enum mrg_status mrg_dns_notify_put(
	const struct mrg_dns_zone *zone, uint16_t id, uint8_t *out, size_t cap, size_t *len);

/*
 * mrg_dns_notify_heard - is this the response to what was told?  Nothing else is, whoever sent it.
 *   zone    its flat name.   rcode   written on true; NOERROR: it was heard (RFC 1996 4.7)
 */
bool mrg_dns_notify_heard(struct mrg_span zone, uint16_t id, struct mrg_span message, unsigned *rcode);

/* What was told. It borrows the message. */
struct mrg_dns_notify {
	struct mrg_dns_query query;
	struct mrg_dns_name_flat zone;
	bool has_serial; /* there was an SOA record in the answer: */
	uint32_t serial; /* of the version that is there */
};

enum mrg_dns_notify_kind {
	MRG_DNS_NOTIFY_OTHER,    /* it is none: mrg_dns_answer has the reply, if there is one */
	MRG_DNS_NOTIFY_CHANGED,  /* a zone has changed */
	MRG_DNS_NOTIFY_UNKNOWN,  /* of another type or class: the reply is NOTIMP (RFC 1996 3.12 leaves room for them) */
	MRG_DNS_NOTIFY_MALFORMED /* the reply is FORMERR */
};

/*
 * mrg_dns_notify_read - what does this message tell?
 * out   filled with any kind but OTHER, as far as the message could be read.   Cost: O(message).
 */
enum mrg_dns_notify_kind mrg_dns_notify_read(struct mrg_span message, struct mrg_dns_notify *out);

/*
 * mrg_dns_notify_reply - answer it.
 *   rcode   NOERROR: it was heard; REFUSED: not from who sent it; NOTAUTH: there is no such zone; and as above
 * Fails:    MRG_E_SPACE.
 */
MRG_MUST_USE enum mrg_status mrg_dns_notify_reply(const struct mrg_dns_notify *n, unsigned rcode,
	uint16_t udp_size, uint8_t *out, size_t cap, size_t *len);

#endif
