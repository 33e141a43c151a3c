/* What all providers have in common: see outward.h. */
#include "appliances/dns/outward.h"

void outward_take_batch(
	void *outward, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count, uint64_t now_ns)
{
	struct outward *const o = outward;
	for (size_t i = 0; i < count; i++) {
		struct mrg_rt_addr peer;
		e->ops->peer(e, i, &peer);
		o->take(o->ctx, &peer, d[i].in, now_ns);
	}
}
