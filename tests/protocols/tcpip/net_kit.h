/*
 * net_kit.h - for tests of what stands around IP (DHCP, routers, groups): a whole stack without TCP over a link that keeps what is
 * sent, under a time that the test sets.
 */
#ifndef TESTS_TCPIP_NET_KIT_H
#define TESTS_TCPIP_NET_KIT_H

#include "net/icmp6.h"
#include "protocols/http/guard.h"
#include "protocols/tcpip/ip.h"

enum { NET_SENT_MAX = 256, NET_ARP = 256 };

/* A packet that was sent. */
struct net_sent {
	struct ip from, to; /* of ARP: its sender and target */
	unsigned protocol;  /* behind extension headers; NET_ARP */
	uint8_t hop_limit;
	bool router_alert;
	uint64_t at_ns;
	uint8_t p[1600];    /* the payload */
	size_t len;
};

struct net_kit {
	struct mrg_link link;
	struct mrg_rt_timers timers;
	uint64_t now_ns;
	struct mrg_tcpip *s;
	struct mrg_tcpip_if *on;
	struct net_sent sent[NET_SENT_MAX]; /* those from the last net_clear on */
	size_t sent_count;
	bool silent;    /* the peer, who has all addresses that are asked for by ARP, does not say so */
	struct ip asked; /* by ARP, and not answered yet */
	struct ip asked_by;
};
extern struct net_kit net;

/* A new stack with one interface, of MAC 02:00:00:00:00:02, at one second. */
void net_open(const struct mrg_tcpip_limits *l, uint64_t secret);
extern const struct mrg_tcpip_limits net_limits;

void net_clear(void);
void net_pass(uint64_t ns); /* timers fire when they are due */
struct ip net_ip(const char *text);

/* The index-th packet sent of this protocol; NULL: there are fewer. */
const struct net_sent *net_nth(unsigned protocol, size_t index);
size_t net_number(unsigned protocol);

/* Hand in a packet, which ends where memory ends. It comes from MAC 02:00:00:00:00:01. */
void net_in(struct ip from, struct ip to, uint8_t protocol, uint8_t hop_limit, struct mrg_span payload);
void net_in_udp4(const char *from, const char *to, struct mrg_span octets); /* with ports */
/* A message of ICMPv6, written with checksum 0. */
void net_in_icmp6(const char *from, const char *to, uint8_t hop_limit, struct mrg_w *w);
/* Somebody answers for the address `ip`, having been asked by `to`. */
void net_in_arp(const char *ip, const char *to);

uint64_t net_count(const char *protocol, const char *name);
bool net_mine(const char *ip);

#endif
