/*
 * counts.h - what was asked and answered, counted by one thread and read by any.
 */
#ifndef MRG_DNS_COUNTS_H
#define MRG_DNS_COUNTS_H

#include <stdatomic.h>

#include "appliances/common/metrics.h"
#include "protocols/dns/answer.h"

enum { COUNTS_TYPES = 257, COUNTS_OTHER = COUNTS_TYPES - 1, COUNTS_RCODES = 16 };

struct counts {
	atomic_uint_least64_t type[COUNTS_TYPES]; /* of the question; COUNTS_OTHER: 256 and above, and messages without one that can be read */
	atomic_uint_least64_t rcode[COUNTS_RCODES]; /* of replies, without the bits in OPT */
	atomic_uint_least64_t edns, dnssec_ok;      /* queries */
	atomic_uint_least64_t truncated, silent;    /* replies; queries that have none */
};

/* counts_take - a query, and the reply to it; empty: there is none. From the thread that counts. */
void counts_take(struct counts *c, const struct mrg_dns_query *query, struct mrg_span reply);

/* counts_put - the sum of some, as a page of metrics has it. From any thread. */
void counts_put(const struct counts *const *c, size_t count, struct mrg_w *w);

#endif
