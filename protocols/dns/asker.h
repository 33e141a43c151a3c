/*
 * asker.h - who asks, how, and when: what an answer depends on besides the query and the zones.
 *
 * Use:
 *	const struct mrg_dns_asker c = { .via = MRG_DNS_UDP, .now_s = ..., .peer = ..., .ctx = ... };
 *	mrg_dns_answer(&server, &c, query, out, sizeof out, &len);
 *
 * Whoever knows nothing but the transport says just that: such a client is given no cookie, and no limit is kept for it.
 */
#ifndef MRG_DNS_ASKER_H
#define MRG_DNS_ASKER_H

#include "mrg.h"
#include "mrg_rt.h"

enum mrg_dns_transport { MRG_DNS_UDP, MRG_DNS_TCP };

struct mrg_dns_rate;

struct mrg_dns_asker {
	enum mrg_dns_transport via;
	bool cookie_must; /* UDP: who has a cookie option, but not our cookie, is told BADCOOKIE and no more (RFC 7873 5.2.3) */
	uint64_t now_s;  /* seconds since 1970; 0: nobody knows, as in a machine without a clock */
	uint64_t now_ns; /* of the loop's clock */
	/*
	 * The address of the client, called only where it matters, so that a plain query costs nothing.  NULL: unknown.
	 * ctx, index   for it to find the client by: the end, and which datagram of the batch
	 */
	void (*peer)(void *ctx, size_t index, struct mrg_rt_addr *out);
	void *ctx;
	size_t index;
	struct mrg_dns_rate *rate; /* UDP: the thread's own table (rate.h); NULL: no limits */
};

#endif
