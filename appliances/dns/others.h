/*
 * others.h - messages that the zones alone have no answer to: transfers, NOTIFY, UPDATE.
 *
 * References: RFC 1995 2, RFC 1996, RFC 2136, RFC 5936, RFC 8945 5.
 *
 * What it does not do: it changes no zone: what does is handed on.
 */
#ifndef MRG_DNS_OTHERS_H
#define MRG_DNS_OTHERS_H

#include "appliances/dns/sending.h"
#include "protocols/dns/notify.h"
#include "protocols/dns/stream.h"

/* Where an answer goes, also one that comes later. */
struct reply_to {
	struct mrg_dgram_end *end; /* and which of its datagrams; NULL: */
	size_t index;
	struct mrg_dns_ticket ticket;
	const struct mrg_rt_addr *peer;
};

/* A message that is here, and its reply. */
struct sight {
	const struct mrg_dgram_end *end; /* that it came by; NULL: a stream */
	const struct mrg_rt_addr *peer;
	struct mrg_span message;
	struct mrg_span reply; /* empty: there is none */
	bool goes_on;          /* the reply is the first message of several */
};

struct others {
	const struct database *db; /* of now */
	struct sendings *sendings;
	void *ctx;
	/* Who may has told that a zone with primaries has changed. */
	void (*notified)(void *ctx, const struct mrg_dns_notify *n, const struct mrg_rt_addr *peer);
	/* Who has a key wants to change a zone with an update option; the answer comes later. false: not now */
	bool (*update)(void *ctx, struct mrg_span message, const struct mrg_dns_name_flat *zone,
		const struct mrg_dns_auth *auth, const struct reply_to *to);
	/* What was said to whom just came, but for answers that come later.   NULL: nobody wants to know */
	void (*seen)(void *ctx, const struct sight *s);
};

/* others_datagram - as `other` of struct answers. */
bool others_datagram(
	const struct others *o, struct mrg_dgram_end *e, size_t index, struct mrg_dgram *d);

/*
 * others_stream - the same for a query on a stream.
 *   said   written on true
 */
bool others_stream(const struct others *o, struct mrg_dns_call *call, struct mrg_span query, uint8_t *out, size_t cap,
	size_t *out_len, enum mrg_dns_said *said);

#endif
