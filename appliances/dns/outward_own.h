/*
 * outward_own.h - outward.h on our own TCP/IP, from the thread that has it: an end of IPv4 and one of IPv6 for datagrams, at ports that the
 * stack chose.
 */
#ifndef MRG_DNS_OUTWARD_OWN_H
#define MRG_DNS_OUTWARD_OWN_H

#include "appliances/dns/outward.h"
#include "protocols/tcpip/tcpip.h"

struct outward_own {
	struct outward out;
	/* private */
	struct mrg_tcpip *stack;
	struct mrg_tcpip_udp *udp[2];
	struct mrg_dgram_user user;
	struct outward_own_attempt {
		struct mrg_tcpip_connect connect;
		struct outward_connect *of;
	} attempts[OUTWARD_CONNECTS];
};

/* outward_own_init - out.ctx and out.take are set before; *o stays in place.   Fails: false: the stack has no room. */
bool outward_own_init(struct outward_own *o, struct mrg_tcpip *stack);

#endif
