/*
 * net_up.h - a stack gets what the options say of its network, on a link of any platform; lines of the log tell of it.
 *
 * What it does not do: it makes neither; it needs no system.
 */
#ifndef MRG_COMMON_NET_UP_H
#define MRG_COMMON_NET_UP_H

#include "appliances/common/net_options.h"
#include "protocols/tcpip/tcpip.h"

/* All of it private. */
struct net_up {
	const struct net_options *options;
	const char *device; /* as the log has it */
	const struct mrg_rt_log *log;
	struct mrg_tcpip_if *on;
	struct mrg_tcpip_dhcp_user dhcp;
};

/*
 * net_up - take the link into use, with all addresses and routes; DHCP begins.   All that is given stays in place as long as the stack.
 * Fails:    NULL when there is no room.
 */
struct mrg_tcpip_if *net_up(struct net_up *u, struct mrg_tcpip *stack, struct mrg_link *link, const struct net_options *options,
	const char *device, const struct mrg_rt_log *log);

#endif
