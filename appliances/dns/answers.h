/*
 * answers.h - datagrams with queries, many at a time.
 */
#ifndef MRG_DNS_ANSWERS_H
#define MRG_DNS_ANSWERS_H

#include "mrg_rt.h"
#include "protocols/dns/answer.h"

/* How datagrams are answered. */
struct answers {
	const struct mrg_dns_server *server;
	struct mrg_dns_rate *rate; /* as in protocols/dns/asker.h */
	void *ctx;
	/* NULL: nobody counts.   reply   empty: there is none */
	void (*answered)(void *ctx, const struct mrg_dns_asker *client, const struct mrg_dns_query *query,
		struct mrg_span reply);
	/*
	 * What the zones alone have no answer to. true: d's out and out_len are set, or it is answered later; false: it is answered as if
	 * there were nobody. NULL: there is nobody.
	 */
	bool (*other)(void *ctx, struct mrg_dgram_end *e, size_t index, struct mrg_dgram *d);
};

/*
 * answers_batch - the reply to each datagram; where there is to be none its out_len is 0.
 *   e       where they came from, which tells their senders.   now_s, now_ns   as in protocols/dns/asker.h
 */
void answers_batch(const struct answers *a, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count,
	uint64_t now_s, uint64_t now_ns);

/*
 * answers_stream - the reply to a query that came on a stream.
 *   stream   that it came on
 */
enum mrg_status answers_stream(const struct answers *a, struct mrg_stream *stream, struct mrg_span query,
	uint8_t *out, size_t cap, size_t *out_len, uint64_t now_s);

#endif
