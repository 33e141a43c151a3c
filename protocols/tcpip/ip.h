/*
 * ip.h - what the parts of IP know of each other: interfaces, addresses, routes, neighbors, groups.
 *
 * References: RFC 1122, RFC 4291, RFC 4861, RFC 4862, RFC 5227, RFC 6724.
 *
 * Parts: stack.c (opened, counted), addr.c (kinds of addresses), address.c (those of ours), if.c (frames come in), neighbor.c, arp.c and
 * nd.c (who is behind an address), ip4_in.c and ip6_in.c (packets come in), fragment.c, route.c (ways), ip_out.c (packets go out),
 * path_mtu.c, icmp_in.c, icmp_out.c, ping.c; and of others: router.c (routers and prefixes), group.c (IGMP, MLD), dhcp.c.
 */
#ifndef MRG_TCPIP_IP_H
#define MRG_TCPIP_IP_H

#include "iana/net.h"
#include "net/icmp6.h"
#include "net/neighbor.h"
#include "protocols/tcpip/inside.h"

/* ---- interfaces ---- */

/* Index 0 is the loopback, which has no link; others are in use from 1 to ip_state.if_last. */
struct mrg_tcpip_if {
	struct mrg_tcpip *stack;
	struct mrg_link *link;   /* NULL: loopback */
	uint16_t index;
	uint16_t mtu;            /* bytes of the longest packet of IPv4: the link's */
	uint16_t mtu6;           /* of IPv6: that, or less when a router says so */
	uint8_t hop_limit6;      /* of packets sent: a router may say another one (RFC 4861 section 6.3.4) */
	bool dhcp_listens;       /* without an address: take unicast UDP over IPv4 for whichever address (RFC 2131 section 4.1) */
	uint32_t reachable_ms, retransmit_ms; /* RFC 4861 section 10, or as a router says */
	struct ip link_local;    /* unspecified: none */
	/* The addresses of the packet before, which was for us alone and from where it may be; good in this era (see ip_seen). */
	struct {
		struct ip from, to;
		uint32_t era;
		uint8_t protocol;
	} seen;
};

/* Whether the packet before was accepted for the same addresses: then this one is, too, and nothing need be looked up. */
static inline bool ip_seen(const struct mrg_tcpip_if *on, const struct ip_in *in, bool link_to_many);
void ip_see(struct mrg_tcpip_if *on, const struct ip_in *in);

/* The interface with this index, which is one that there is. */
static inline struct mrg_tcpip_if *if_at(const struct mrg_tcpip *s, uint16_t index);

/* ---- addresses of ours ---- */

enum ip_address_state {
	IP_ADDRESS_FREE,      /* the slot is not in use */
	IP_ADDRESS_CLAIMING,  /* being checked for duplicates; it can be used meanwhile, as an optimistic one (RFC 4429) */
	IP_ADDRESS_GOOD
};

struct ip_address {
	struct ip ip;
	struct ip broadcast;     /* of its subnet (IPv4); unspecified: none */
	uint8_t prefix_len;      /* bits of struct ip: 96 more than of IPv4 */
	uint8_t state;           /* enum ip_address_state */
	bool deprecated;         /* not for new connections (RFC 4862 section 5.5.4) */
	uint8_t probes, announcements; /* that are still to be sent */
	uint16_t on;             /* index of the interface */
	struct mrg_tcpip *stack;
	struct mrg_rt_timer claim;  /* the next of those */
	uint64_t defended_ns;       /* RFC 5227 section 2.4 */
	/* Told when somebody else has it, before it goes; may be NULL. The address may not be removed from within. */
	void (*lost)(struct mrg_tcpip_if *on, const struct ip *ip);
	struct mrg_rt_timer life;   /* for whoever made it of a prefix: router.c. Cancelled when the address goes */
	uint64_t preferred_until_ns, valid_until_ns; /* likewise */
};

/*
 * address_add - an address of ours; prefix_len is of its own family. The prefix is on the link from then on if `on_link`. An address that
 * is there already is given as it is.   Fails: NULL when there is no room.
 */
struct ip_address *address_add(struct mrg_tcpip_if *on, const struct ip *a, unsigned prefix_len, bool on_link);
void address_remove(struct ip_address *a);
void address_deprecate(struct ip_address *a, bool deprecated);
struct ip_address *address_find(const struct mrg_tcpip *s, const struct ip *a); /* NULL: it is not ours */
struct ip_address *address_on(const struct mrg_tcpip_if *on, const struct ip *a); /* the same of this interface */
/* One of this interface to send from, of the family of `to`; NULL: there is none. */
const struct ip_address *address_from(const struct mrg_tcpip_if *on, const struct ip *to);
/* Somebody else says that this address is his. */
void address_conflict(struct ip_address *a);
bool ip_is_broadcast(const struct mrg_tcpip_if *on, const struct ip *a); /* of all or of a subnet of this interface (IPv4) */

/* ---- kinds of addresses ---- */

enum ip_kind {
	IP_KIND_NONE,       /* unspecified: 0.0.0.0 or :: */
	IP_KIND_THIS,       /* 0.0.0.0/8 otherwise */
	IP_KIND_LOOPBACK,   /* 127.0.0.0/8, ::1 */
	IP_KIND_LINK_LOCAL, /* 169.254.0.0/16, fe80::/10 */
	IP_KIND_MULTICAST,
	IP_KIND_BROADCAST,  /* 255.255.255.255 */
	IP_KIND_RESERVED,   /* 240.0.0.0/4 otherwise; IPv4-mapped and -compatible addresses on the wire */
	IP_KIND_GLOBAL      /* all others */
};
enum ip_kind ip_kind_of4(struct mrg_span address); /* 4 bytes */
enum ip_kind ip_kind_of6(struct mrg_span address); /* 16 bytes */
enum ip_kind ip_kind(const struct ip *a);
static inline bool ip_is_link_local(const struct ip *a) { return ip_kind(a) == IP_KIND_LINK_LOCAL; }

struct ip ip_from4(struct mrg_span address); /* 4 bytes of the wire */
struct ip ip_from6(struct mrg_span address); /* 16 bytes of the wire */
struct mrg_span ip_wire(const struct ip *a); /* 4 or 16 bytes for the wire; borrows a */
bool ip_prefix_same(const struct ip *a, const struct ip *b, unsigned bits);
unsigned ip_bits(const struct ip *a, unsigned prefix_len); /* of struct ip, for a prefix of the address's own family */
struct ip ip_prefix_end(const struct ip *a, unsigned bits); /* the last address with its prefix: a subnet's broadcast */
bool ip_group_stays(const struct ip *group); /* a group of IPv6 that no router passes on (RFC 4291 section 2.7) */
bool ip_group_stays_here(const struct ip *group); /* one that does not even go to the link */
unsigned ip_common_bits(const struct ip *a, const struct ip *b);
struct ip ip_solicited_node(const struct ip *a);           /* RFC 4291 section 2.7.1 */
struct ip ip_from_mac(struct mrg_span mac);                /* the link-local address that is made of it (RFC 4291 appendix A) */
struct ip ip_with_interface_id(const struct ip *prefix, const struct ip *id); /* the first 64 bits of one, the last of the other */
void ip_group_mac(const struct ip *group, uint8_t out[6]); /* RFC 1112 section 6.4, RFC 2464 section 7; or of broadcast */
struct ip ip_all_nodes(void);   /* ff02::1 */
struct ip ip_all_routers(void); /* ff02::2 */
struct ip ip_broadcast(void);   /* 255.255.255.255 */
struct ip ip_none4(void);       /* 0.0.0.0 */
struct ip ip_loopback4(void);   /* 127.0.0.1 */
struct ip ip_loopback6(void);   /* ::1 */

/* ---- routes ---- */

enum ip_route_kind { IP_ROUTE_FREE, IP_ROUTE_ADDRESS, IP_ROUTE_MANUAL, IP_ROUTE_ROUTER, IP_ROUTE_REDIRECT, IP_ROUTE_DHCP };

struct ip_route {
	struct ip to;
	struct ip by;        /* the router; unspecified: the neighbors are on the link */
	uint8_t prefix_len;  /* bits of struct ip; a default route of IPv4 has 96 */
	uint8_t kind;        /* enum ip_route_kind: who made it */
	uint8_t preference;  /* of two with prefixes of the same length the higher one (RFC 4191 section 2.1); usually 1 */
	bool down;           /* the router does not answer: taken only when there is no other */
	uint16_t on;
};

/* route_add - prefix_len is of the family of `to`. A route to the same prefix by the same router is given as it is.  Fails: NULL, no room. */
struct ip_route *route_add(struct mrg_tcpip_if *on, const struct ip *to, unsigned prefix_len, const struct ip *by, enum ip_route_kind kind);
void route_remove(struct mrg_tcpip *s, struct ip_route *r);
struct ip_route *route_find(struct mrg_tcpip_if *on, const struct ip *to, unsigned prefix_len, const struct ip *by); /* this very one */
/* All that was found of ways is void: routes, addresses or neighbors have changed. */
void ways_forget(struct mrg_tcpip *s);

/* ---- neighbors ---- */

struct neighbor;
struct neighbors; /* neighbor.c */

/* Somebody's link-layer address was told without being asked for: ARP requests, NS, RS, RA, Redirect. The entry is made if need be. */
void neighbor_heard(struct mrg_tcpip_if *on, const struct ip *a, struct mrg_span mac);
/* A router was heard of, or is none any more. */
void neighbor_is_router(struct mrg_tcpip_if *on, const struct ip *a, bool is);

/* ---- sending ICMPv6 ---- */

/*
 * icmp6_send - send the message that `w` holds, written with checksum 0.
 *   hop_limit      0: the usual one
 *   router_alert   with that option (MLD)
 */
enum mrg_io icmp6_send(struct mrg_tcpip *s, struct ip_way *way, struct mrg_w *w, uint8_t hop_limit, bool router_alert);

/* The checksum of the message that `w` holds, written with checksum 0.  false: it was not written. */
bool icmp6_finish(struct mrg_w *w, const struct ip *from, const struct ip *to);

/* ---- what router.c, group.c and dhcp.c give ---- */

struct router_state;
struct group_state;
struct dhcp_state;

/* Each takes its memory when the stack is opened; NULL: the arena is too small. */
struct router_state *router_open(struct mrg_tcpip *s, struct mrg_arena *a);
struct group_state *group_open(struct mrg_tcpip *s, struct mrg_arena *a);
struct dhcp_state *dhcp_open(struct mrg_tcpip *s, struct mrg_arena *a);
size_t router_memory(const struct mrg_tcpip_limits *l);
size_t group_memory(const struct mrg_tcpip_limits *l);
size_t dhcp_memory(const struct mrg_tcpip_limits *l);
void router_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx);
void group_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx);
void dhcp_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx);

/* A link was taken into use; its link-local address is there. Time to solicit routers. */
void router_if_up(struct mrg_tcpip_if *on);
/* A Router Advertisement or Redirect: its checksum is right and its hop limit 255; all else is to be checked (RFC 4861 sections 6.1.2, 8.1). */
void router_input(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_icmp6 *m);
/* A neighbor that was a router says that it is none (RFC 4861 section 7.2.5). */
void router_gone(struct mrg_tcpip_if *on, const struct ip *router);

/* Groups of both families on an interface; each join has its leave. All hosts (224.0.0.1, ff02::1) are members without. */
void group_join(struct mrg_tcpip_if *on, const struct ip *group);
void group_leave(struct mrg_tcpip_if *on, const struct ip *group);
bool group_member(const struct mrg_tcpip_if *on, const struct ip *group);
void group_input4(struct mrg_tcpip *s, const struct ip_in *in); /* IGMP */
void group_input6(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_icmp6 *m); /* a query or report of MLD, checksum right */

/* ---- packets ---- */

void ip4_input(struct mrg_tcpip_if *on, struct mrg_span packet, bool link_to_many, const struct mrg_frame_work *work, uint64_t now_ns);
void ip6_input(struct mrg_tcpip_if *on, struct mrg_span packet, bool link_to_many, const struct mrg_frame_work *work, uint64_t now_ns);
void arp_input(struct mrg_tcpip_if *on, struct mrg_span packet, bool link_to_many, uint64_t now_ns);

/* Hand a packet with all its headers taken off to who is meant; or say that nobody is. */
void ip_deliver4(struct mrg_tcpip *s, const struct ip_in *in);
/* in->payload begins behind the header at `next_at` of in->packet, which says in->protocol; `whole`: put together of fragments. */
void ip_deliver6(struct mrg_tcpip *s, struct ip_in *in, size_t next_at, bool whole);

/* A number by chance, below `below` >= 1; not for secrets. */
uint32_t ip_random(struct mrg_tcpip *s, uint32_t below);

/* ---- counters ---- */

/* Names as in RFC 4293 and RFC 4292 where they have one. */
struct ip_counts {
	/* frames */
	uint64_t if_in_frames, if_in_foreign, if_in_short, if_in_tagged, if_in_unknown_protos;
	/* packets in, of both families */
	uint64_t in_receives, in_hdr_errors, in_addr_errors, in_unknown_protos, in_delivers;
	uint64_t in_martians, in_options_refused;
	uint64_t reasm_reqds, reasm_oks, reasm_fails, reasm_timeouts, reasm_overlaps, reasm_evicted;
	/* packets out */
	uint64_t out_requests, out_no_routes, out_discards, out_frag_reqds, out_frag_oks, out_frag_fails, out_frag_creates;
	uint64_t loop_full;
	/* neighbors */
	uint64_t neighbor_full, neighbor_reused, neighbor_wait_dropped, neighbor_failed;
	uint64_t arp_in, arp_in_errors, arp_conflicts, arp_out;
	uint64_t nd_in, nd_in_errors, nd_duplicates, nd_looped, nd_out;
	/* ICMP */
	uint64_t icmp_in_msgs, icmp_in_errors, icmp_out_msgs, icmp_out_limited, icmp_echoes;
	uint64_t path_mtu_lowered;
};

/* ---- the whole ---- */

struct ip_state {
	uint32_t era;          /* of ways; never 0 */
	uint16_t if_last;      /* index of the last interface */
	uint16_t address_used, route_used; /* slots that were ever used */
	uint16_t address_max, route_max;
	struct mrg_tcpip_if *ifs;
	struct ip_address *addresses;
	struct ip_route *routes;
	struct neighbors *neighbors;
	struct reassembly *reassembly;
	struct path_mtus *path_mtus;
	struct loop *loop;
	struct icmp_state *icmp;
	struct router_state *router;
	struct group_state *group;
	struct dhcp_state *dhcp;
	struct mrg_tcpip_ping *pings;
	uint64_t random;
	uint64_t mix[2];       /* keys of what is only mixed and may be seen: made of the secret, they tell nothing of it */
	uint32_t ids[256];     /* the last identifications, by a hash of whom they went to */
	struct ip_counts count;
};

static inline bool ip_seen(const struct mrg_tcpip_if *on, const struct ip_in *in, bool link_to_many)
{
	return !link_to_many && on->seen.era == on->stack->ip->era && on->seen.protocol == in->protocol &&
	       ip_same(&on->seen.from, &in->from) && ip_same(&on->seen.to, &in->to);
}

static inline struct mrg_tcpip_if *if_at(const struct mrg_tcpip *s, uint16_t index) { return &s->ip->ifs[index]; }

#endif
