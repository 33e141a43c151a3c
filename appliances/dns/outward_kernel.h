/*
 * outward_kernel.h - outward.h on sockets of the kernel's: one of IPv4 and one of IPv6 for datagrams, at ports that the kernel chose.
 */
#ifndef MRG_DNS_OUTWARD_KERNEL_H
#define MRG_DNS_OUTWARD_KERNEL_H

#include "appliances/dns/outward.h"
#include "unix/mrg_unix.h"

struct outward_kernel {
	struct outward out;
	/* private */
	struct mrg_unix_loop *loop;
	struct mrg_unix_udp udp[2];
	bool open[2]; /* not, if the system has no such addresses */
	struct mrg_dgram_user user;
	struct outward_kernel_attempt {
		struct mrg_unix_connect connect;
		struct outward_connect *of;
	} attempts[OUTWARD_CONNECTS];
};

size_t outward_kernel_memory(void); /* octets of the arena */

/* outward_kernel_init - out.ctx and out.take are set before; *o stays in place.   Fails: a positive errno value. */
int outward_kernel_init(struct outward_kernel *o, struct mrg_unix_loop *loop, struct mrg_arena *arena);

#endif
