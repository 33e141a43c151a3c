/*
 * router.h - what routers of IPv6 tell: themselves, prefixes of the link, better ways (RFC 4861 section 6, RFC 4862 section 5.5).
 *
 * Reading order: this file, router.c (routers, Redirects), prefix.c (prefixes and addresses made of them).
 */
#ifndef MRG_TCPIP_ROUTER_H
#define MRG_TCPIP_ROUTER_H

#include "protocols/tcpip/ip.h"

/* Of each interface; what is told beyond that is passed over. */
enum { ROUTERS_MAX = 4, PREFIXES_MAX = 8, REDIRECTS_MAX = 16 };

/* A default router.  RFC 4861 section 5.1 */
struct router {
	struct ip ip; /* unspecified: the slot is free */
	struct mrg_tcpip_if *on;
	struct mrg_rt_timer expiry;
};

/* A prefix, and the address of ours that was made of it. */
struct prefix {
	struct mrg_tcpip_if *on; /* NULL: the slot is free */
	struct ip ip;
	uint8_t len;
	uint8_t tries;           /* addresses that turned out to be others' */
	struct ip address;       /* unspecified: none */
	uint64_t on_link_until_ns;                   /* 0: it is not on the link */
	uint64_t preferred_until_ns, valid_until_ns; /* of the address */
	struct mrg_rt_timer due;                     /* the next of these */
};

struct redirect {
	struct ip to, by; /* `to` unspecified: the slot is free */
};

/* What is known of the routers of one interface. */
struct router_link {
	struct router routers[ROUTERS_MAX];
	struct prefix prefixes[PREFIXES_MAX];
	struct redirect redirects[REDIRECTS_MAX];
	unsigned redirect_next;
	unsigned solicited;      /* how often */
	struct mrg_tcpip_if *on;
	struct mrg_rt_timer solicit;
};

struct router_state {
	struct router_link *links; /* by interface */
	struct {
		uint64_t in_advertisements, in_redirects, in_errors, out_solicitations, routers_refused, prefixes_refused, duplicates;
	} counts;
};

/* prefix.c: an option of an advertisement */
void prefix_heard(struct mrg_tcpip_if *on, const struct mrg_net_nd_prefix *p, uint64_t now_ns);

#endif
