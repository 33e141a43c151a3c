/*
 * ip_kit.h - for tests of IP: a stack over a link that keeps what is sent, and stand-ins of UDP, TCP, routers, groups and DHCP that
 * keep what they are handed.
 *
 * Who uses it has these functions instead of those of protocols/tcpip.
 */
#ifndef TESTS_TCPIP_IP_KIT_H
#define TESTS_TCPIP_IP_KIT_H

#include "net/icmp4.h"
#include "net/icmp6.h"
#include "net/ip4.h"
#include "net/ip6.h"
#include "net/link.h"
#include "protocols/http/guard.h"
#include "protocols/tcpip/ip.h"

enum { KIT_FRAMES_MAX = 512, KIT_FRAME_MAX = 70000, KIT_INPUTS_MAX = 64 };

struct ip_kit_frame {
	uint8_t *p;
	size_t len;
	struct mrg_frame_work work;
};

/* Something that was handed to UDP or TCP, or told to them. */
struct ip_kit_input {
	uint8_t protocol;
	bool error;
	struct ip_in in;       /* its spans are of copies */
	struct ip_error e;
	uint8_t *payload;
	size_t len;
};

struct ip_kit {
	struct mrg_link link;
	struct mrg_tcpip *s;
	struct mrg_tcpip_if *on;
	struct mrg_rt_timers timers;
	uint64_t now_ns;
	struct ip_kit_frame sent[KIT_FRAMES_MAX];
	size_t sent_count;                 /* since they were last cleared; more than KIT_FRAMES_MAX are counted only */
	struct ip_kit_input got[KIT_INPUTS_MAX];
	size_t got_count;
	unsigned bursts;                   /* ends of bursts that UDP was told of */
	unsigned borrowed;                 /* inputs since then */
	unsigned router_inputs, group_inputs, joins, leaves, gone;
	enum mrg_io outcome;               /* of each frame */
	struct ip groups[8];               /* joined */
};
extern struct ip_kit kit;

/* A stack of its own with 10.0.0.2/24 and 2001:db8::2/64, claimed; the link has MAC 02:00:00:00:00:02. */
void ip_kit_open(uint16_t mtu, bool sums);
void ip_kit_open_limits(const struct mrg_tcpip_limits *l, uint16_t mtu, bool sums);
void ip_kit_bare(const struct mrg_tcpip_limits *l, uint16_t mtu, bool sums); /* without addresses */
void ip_kit_clear(void);                 /* forget what was sent and handed on */
void ip_kit_run(uint64_t ns);            /* time passes, timers fire */

/* Hand in a frame that ends where memory ends. */
void ip_kit_in(struct mrg_span frame);
void ip_kit_in_work(struct mrg_span frame, struct mrg_frame_work work);

uint64_t ip_kit_count(const char *name); /* of a counter */

/* ---- frames, written by hand into static memory, valid until as many as KIT_MADE were made ---- */

enum { KIT_MADE = 20000 };

extern const uint8_t ip_kit_mac[6], ip_kit_peer_mac[6];
struct ip ip_kit_ip(const char *text);

/* An IPv4 packet in a frame to us. `with` is changed as a test needs it; zero is what is usual. */
struct ip_kit_ip4 {
	const char *from, *to;            /* NULL: 10.0.0.1, 10.0.0.2 */
	const uint8_t *mac;               /* NULL: ours */
	struct mrg_span options;
	uint8_t protocol, ttl, ecn;       /* ttl 0: 64 */
	bool df, mf, ttl_zero;
	uint16_t offset, id;              /* in units of 8 */
};
struct mrg_span ip_kit_frame4(const struct ip_kit_ip4 *with, struct mrg_span payload);

struct ip_kit_ip6 {
	const char *from, *to;            /* NULL: 2001:db8::1, 2001:db8::2 */
	const uint8_t *mac;
	uint8_t next, hop_limit;          /* 0: 64 */
	bool next_zero;                   /* `next` is 0 */
	uint8_t ecn;
};
struct mrg_span ip_kit_frame6(const struct ip_kit_ip6 *with, struct mrg_span payload);

struct mrg_span ip_kit_frame(const uint8_t *to, const uint8_t *from, uint16_t type, struct mrg_span payload);
struct mrg_span ip_kit_bytes(size_t len, unsigned seed);           /* of no meaning */
struct mrg_span ip_kit_join(struct mrg_span a, struct mrg_span b);
struct mrg_span ip_kit_hex(const char *hex);                       /* blanks are passed over */
struct mrg_span ip_kit_copy(struct mrg_span a);                    /* that may be changed: see ip_kit_at */
uint8_t *ip_kit_at(struct mrg_span made, size_t at);               /* the octet of something that was made here */

/* The Internet checksum of ICMPv4 at octet 2, set; ICMPv6's as well. */
struct mrg_span ip_kit_icmp4(struct mrg_span message);
struct mrg_span ip_kit_icmp6(const char *from, const char *to, struct mrg_span message);

/* Make the peer's link-layer address known for both families, and forget what was sent for that. */
void ip_kit_know_peers(void);

/* What was sent as frame `i`: ends the test if it is not of that kind, or its checksum or its length is wrong. */
struct mrg_net_ip4 ip_kit_sent4(size_t i);
struct mrg_net_ip6 ip_kit_sent6(size_t i);
struct mrg_net_icmp4 ip_kit_sent_icmp4(size_t i);
struct mrg_net_icmp6 ip_kit_sent_icmp6(size_t i);
struct mrg_net_arp ip_kit_sent_arp(size_t i);

#endif
