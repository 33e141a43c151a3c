/*
 * outward.h - datagrams that the manager sends on its own, to primaries and secondaries, and the answers to them: a socket of IPv4 and one
 * of IPv6, at ports that the kernel chose.
 *
 * What it does not do: it does not know which answer belongs to what; nothing is sent again.
 */
#ifndef MRG_DNS_OUTWARD_H
#define MRG_DNS_OUTWARD_H

#include "unix/mrg_unix.h"

struct outward {
	struct mrg_unix_udp udp[2];
	bool open[2]; /* not, if the system has no such addresses */
	struct mrg_dgram_user user;
	void *ctx;
	/* Something came. It is good during the call. */
	void (*take)(void *ctx, const struct mrg_rt_addr *peer, struct mrg_span message, uint64_t now_ns);
};

enum { OUTWARD_OCTETS = 4096 /* of an answer */ };

size_t outward_memory(void); /* octets of the arena */

/* outward_init - ctx and take are set before; *o stays in place.   Fails: a positive errno value. */
int outward_init(struct outward *o, struct mrg_unix_loop *loop, struct mrg_arena *arena);

/* outward_send - what can't be sent is lost, as any datagram may be. */
void outward_send(struct outward *o, const struct mrg_rt_addr *to, struct mrg_span message);

#endif
