/*
 * inside.h - what the parts of the stack know of each other.
 *
 * Reading order: tcpip.h, this file, ip.h, if.c (frames come), ip4_in.c, ip_out.c (packets go), then udp.c, icmp_in.c or tcp.h.
 */
#ifndef MRG_TCPIP_INSIDE_H
#define MRG_TCPIP_INSIDE_H

#include "net/address.h"
#include "protocols/tcpip/tcpip.h"

/* ---- addresses ---- */

/* An address of either family: IPv4 as an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2).  Unspecified: all zero. */
struct ip {
	uint8_t b[16];
};

/* ---- packets that came ---- */

/* A packet for us, whole, as its header says it is. Everything is good during the call only. */
struct ip_in {
	struct mrg_tcpip_if *on;
	struct ip from, to;
	struct mrg_span packet;    /* with its IP header, without padding of the link */
	struct mrg_span payload;   /* behind all headers of IP, in `packet` */
	uint8_t protocol;          /* enum mrg_iana_ip_protocol: of the payload */
	uint8_t hop_limit, dscp, ecn;
	bool sum_ok;               /* the link vouches for the checksum of the payload */
	bool to_many;              /* to a multicast or broadcast address, of IP or of the link */
	uint16_t segment_len;      /* the link has joined TCP segments of this many bytes; 0: it has not */
	uint64_t now_ns;
};

/* What an ICMP error says of a packet that we sent; whether we did is for the transport protocol to find out. */
struct ip_error {
	struct ip from, to;       /* of the packet: ours, the peer's */
	uint8_t protocol;
	struct mrg_span payload;  /* as much as the error has of it, at least 8 bytes */
	enum ip_error_kind {
		IP_ERROR_SOFT,    /* may pass: network or host unreachable, time exceeded (RFC 1122 section 4.2.3.9) */
		IP_ERROR_HARD,    /* protocol or port unreachable, administratively prohibited */
		IP_ERROR_TOO_BIG  /* the path has a smaller MTU: who believes it calls ip_path_mtu */
	} kind;
	uint16_t mtu;             /* IP_ERROR_TOO_BIG: what is said of it, made plausible */
	const char *name;         /* the registry's, for people */
	struct ip by;             /* who says so */
};

/* ---- packets to send ---- */

/*
 * The way to one peer, kept by whoever sends more than one packet there.  Zero-initialised but for the two addresses, and `only`
 * where it matters: for addresses that are good on one link only, and where there is no address yet (then `from` stays unspecified).
 */
struct ip_way {
	struct ip from, to;
	uint32_t era;      /* ways found in an older era are looked up again; 0: not looked up yet */
	uint16_t only;     /* index of the interface that it must go by (ip_if_index); 0: any */
	uint16_t on;       /* index of the interface that it goes by */
	uint16_t neighbor; /* index of the neighbor that gets the frames */
	uint16_t mtu;      /* of the path */
};

enum { IP_FRONT = 128 }; /* bytes: of Ethernet, IP and fragments */

struct ip_out {
	uint8_t protocol;
	uint8_t dscp, ecn;
	uint8_t hop_limit;     /* 0: the usual one */
	bool whole;            /* don't fragment, not even here (DF): a packet that is too long is refused */
	bool router_alert;     /* with that option (RFC 2113, RFC 2711) */
	bool summed;           /* the checksum at `sum_at` of the payload is that of the pseudo-header alone (not complemented): to be
	                          completed by the link, or by ip_send where the link can't; the parts themselves stay as they are */
	uint16_t sum_at;       /* in the payload, and not across two parts */
	uint16_t segment_len;  /* to be cut by the link into TCP segments with so many bytes of data; 0: not */
	uint16_t transport_len; /* bytes of the transport header, when it is to be cut */
	uint8_t *front;        /* where the first part begins, when the IP_FRONT bytes in front of it may be written to: the headers go there */
};

/*
 * ip_way_find - find the way to w->to, and w->from if it is unspecified (RFC 6724 for IPv6).   Fails: false when there is none.
 */
bool ip_way_find(struct mrg_tcpip *s, struct ip_way *w);

/* ip_way_mtu - bytes of the longest packet that goes there whole, as far as known (RFC 1191, RFC 8201).  The way is looked up if need be. */
uint16_t ip_way_mtu(struct mrg_tcpip *s, struct ip_way *w);

/* ip_way_cut_max - bytes of the longest packet that the link cuts into segments; 0: none.  ip_way_sums - it completes checksums. */
uint32_t ip_way_cut_max(struct mrg_tcpip *s, struct ip_way *w);
bool ip_way_sums(struct mrg_tcpip *s, struct ip_way *w);

/* ip_path_mtu - the way to `to` has this MTU, for ten minutes (RFC 1191 section 6.3, RFC 8201 section 4).  It never raises one. */
void ip_path_mtu(struct mrg_tcpip *s, const struct ip *to, uint16_t mtu);

/* ip_way_confirm - the peer has got what was sent: its neighbor is there (RFC 4861 section 7.3.1). */
void ip_way_confirm(struct mrg_tcpip *s, struct ip_way *w);

/*
 * ip_send - send the payload, at most 7 parts; it is fragmented if need be, and waits for the link-layer address if that is not known.
 * MRG_IO_OK; MRG_IO_AGAIN: lost for now, a full queue or link; MRG_IO_RESET: no way there, or too long and `whole`.
 */
enum mrg_io ip_send(struct mrg_tcpip *s, struct ip_way *w, const struct ip_out *o, const struct mrg_span *parts, size_t count);

/* The index of an interface, which is also the scope of its addresses; never 0. */
uint16_t ip_if_index(const struct mrg_tcpip_if *on);

/* ip_mine - an address of ours that packets are accepted for. */
bool ip_mine(const struct mrg_tcpip *s, const struct ip *a);

/* The sum of the pseudo-header of TCP, UDP and ICMPv6, to go on from with mrg_inet16_add (RFC 9293 section 3.1, RFC 8200 section 8.1). */
uint64_t ip_pseudo_sum(const struct ip *from, const struct ip *to, uint8_t protocol, size_t len);

/* icmp_port_unreachable - answer a packet that nobody takes; rate-limited, and only where it is allowed (RFC 1122 section 3.2.2, RFC 4443 section 2.4). */
void icmp_port_unreachable(struct mrg_tcpip *s, const struct ip_in *in);

/* ---- what transport protocols take ---- */

void tcp_input(struct mrg_tcpip *s, const struct ip_in *in);
void tcp_error(struct mrg_tcpip *s, const struct ip_error *e);
void tcp_burst_begin(struct mrg_tcpip *s); /* frames of a burst will be handed in, one after the other, and then */
void tcp_burst_end(struct mrg_tcpip *s); /* all frames of a burst were handed in: acknowledge, tell users */
void tcp_address_gone(struct mrg_tcpip *s, const struct ip *a);

void udp_input(struct mrg_tcpip *s, const struct ip_in *in);
void udp_error(struct mrg_tcpip *s, const struct ip_error *e);
void udp_burst_end(struct mrg_tcpip *s); /* datagrams that wait in batches are handed to their users */

/* ---- the stack ---- */

struct ip_state;  /* interfaces, addresses, routes, neighbors, fragments: ip.h */
struct udp_state; /* udp.c */
struct tcp_state; /* tcp.h */

struct mrg_tcpip {
	struct mrg_tcpip_limits limits;
	struct mrg_tcpip_world world;
	struct ip_state *ip;
	struct udp_state *udp;
	struct tcp_state *tcp;
};

static inline uint64_t stack_now(const struct mrg_tcpip *s) { return *s->world.now_ns; }

/* Each part takes its memory from the arena when the stack is opened.  Fails: NULL. */
struct ip_state *ip_open(struct mrg_tcpip *s, struct mrg_arena *a);
struct udp_state *udp_open(struct mrg_tcpip *s, struct mrg_arena *a);
struct tcp_state *tcp_open(struct mrg_tcpip *s, struct mrg_arena *a);
size_t ip_memory(const struct mrg_tcpip_limits *l);
size_t udp_memory(const struct mrg_tcpip_limits *l);
size_t tcp_memory(const struct mrg_tcpip_limits *l);

typedef void count_fn(void *ctx, const char *protocol, const char *name, uint64_t value);
void ip_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx);
void udp_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx);
void tcp_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx);

/* ---- between struct ip and struct mrg_rt_addr ---- */

struct ip ip_of(const struct mrg_rt_addr *a); /* family 0: unspecified */
void ip_to_rt(const struct ip *a, uint16_t port, uint32_t scope, struct mrg_rt_addr *out);
static inline bool ip_is4(const struct ip *a)
{
	struct mrg_net_mapped_ip4 mapped;
	return mrg_net_mapped_ip4_check((struct mrg_span){ a->b, sizeof a->b }, &mapped, NULL) == MRG_OK;
}

static inline bool ip_same(const struct ip *a, const struct ip *b) { return memcmp(a->b, b->b, sizeof a->b) == 0; }
bool ip_unspecified(const struct ip *a); /* of either family: all zero, or 0.0.0.0 */
bool ip_is_multicast(const struct ip *a);

#endif
