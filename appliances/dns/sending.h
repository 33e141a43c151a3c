/*
 * sending.h - transfers that a worker sends: who may have a zone, and the version that is sent, which stays until the last octet is taken.
 *
 * References: RFC 5936 (AXFR), RFC 1995 (IXFR).
 *
 * What it does not do: it makes no message (protocols/dns/transfer_out.h).
 *
 * Use:
 *	if (sending_asked(&w->sendings, query, &request))
 *		return sending_begin(&w->sendings, db, &request, call, out, cap, out_len);
 *	answerer.next = sending_next, answerer.done = sending_done, both with ctx of the answerer
 */
#ifndef MRG_DNS_SENDING_H
#define MRG_DNS_SENDING_H

#include "appliances/dns/version.h"
#include "protocols/dns/stream.h"
#include "protocols/dns/transfer_out.h"

enum {
	SENDINGS_MAX = 64, /* of a worker at once; one more is told to try again later */
	SENDING_REQUEST = 2048 /* octets of a request that are kept: more than any needs that has a key and asks for changes */
};

struct sendings {
	struct mrg_rt_pool pool;
	uint64_t begun, refused, octets; /* for figures */
};

size_t sendings_memory(void); /* octets of the arena that they take at most */

/* sendings_init - none yet.   arena   each is taken from it when it is first needed */
void sendings_init(struct sendings *s, struct mrg_arena *arena);

/* Answer a request for a transfer, which the query is: the first message, or a refusal.  As struct mrg_dns_answerer has it. */
enum mrg_dns_said sending_begin(struct sendings *s, const struct database *db, struct mrg_span query,
	const struct mrg_dns_transfer_request *r, struct mrg_dns_call *call, uint8_t *out, size_t cap, size_t *out_len);

/* What is to be told of one that is over, or cut off. */
struct sending_told {
	struct mrg_rt_addr peer;
	uint64_t since_ns; /* when it was asked for */
	uint64_t octets, messages;
	bool whole;        /* all of it was sent */
	size_t request_len;
	uint8_t request[SENDING_REQUEST]; /* of a longer one the beginning */
};

/* sending_told - of one under way.   Lifetime: until sending_done. */
const struct sending_told *sending_told(const void *transfer);

/* As `next` and `done` of a struct mrg_dns_answerer. */
enum mrg_dns_said sending_next(struct sendings *s, void *transfer, uint8_t *out, size_t cap, size_t *out_len);
void sending_done(struct sendings *s, void *transfer);

/*
 * sending_datagram - answer IXFR over UDP.
 *   peer   who asks
 * Fails:    MRG_END: nothing is to be sent.
 */
enum mrg_status sending_datagram(const struct database *db, struct mrg_span query, const struct mrg_dns_transfer_request *r,
	const struct mrg_rt_addr *peer, uint8_t *out, size_t cap, size_t *out_len);

#endif
