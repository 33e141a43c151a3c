/*
 * neighbor.h - who is behind an address on a link (RFC 826, RFC 4861): the cache that packets are sent through.
 *
 * An entry goes through the states of specs/net/neighbor.mrg. What waits for a link-layer address is copied, three packets for each
 * entry, with all their fragments; the oldest of them go first, and none by half.
 */
#ifndef MRG_TCPIP_NEIGHBOR_H
#define MRG_TCPIP_NEIGHBOR_H

#include "protocols/tcpip/ip.h"

enum {
	NEIGHBOR_NONE = 0,      /* index of no entry */
	NEIGHBOR_WAIT_MAX = 16, /* packets: a burst's answers.  RFC 4861 section 7.2.2, RFC 1122 section 2.3.2.2: at least one */
	HEAD_MAX = 16,          /* bytes before a packet */
	HELD_MAX = 2048         /* bytes of a frame that is kept */
};

/* A frame that is kept for later. */
struct held {
	struct held *next;
	struct mrg_frame_work work;
	size_t len;
	bool four;           /* of IPv4: where the frame does not say it */
	bool rest;           /* a fragment, but not the first: it goes with the frame before it */
	uint8_t bytes[HELD_MAX];
};

/* A copy of the parts; NULL: they are too long, or there is no room. */
struct held *held_make(struct mrg_rt_pool *pool, const struct mrg_span *parts, size_t count, const struct mrg_frame_work *work);

struct neighbor {
	struct mrg_net_neighbor machine;
	uint16_t on;                /* index of the interface; 0: the slot is free */
	uint16_t chain;             /* the next entry with the same hash */
	uint16_t newer, older;      /* by use */
	uint8_t head[HEAD_MAX];     /* the Ethernet header of frames to it, when `machine` knows its address */
	uint8_t head_len;
	bool router, wayed;         /* wayed: a way leads there */
	uint8_t waiting;            /* packets */
	struct ip ip;
	struct held *first, *last;  /* what waits */
	struct mrg_tcpip *stack;
	struct mrg_rt_timer timer;  /* of the machine: it has one at a time */
	uint64_t confirmed_ns;
};

struct neighbors {
	struct neighbor *entry;     /* from 1 on */
	uint16_t *hash;             /* heads of chains */
	uint32_t mask, count;
	uint16_t used;              /* entries that were ever used */
	uint16_t newest, oldest;
	struct mrg_rt_pool held;
};

struct neighbors *neighbor_open(struct mrg_tcpip *s, struct mrg_arena *a);
size_t neighbor_memory(const struct mrg_tcpip_limits *l);

struct neighbor *neighbor_find(const struct mrg_tcpip_if *on, const struct ip *a);
/* The same, made if need be.   Fails: NULL when all entries are in use. */
struct neighbor *neighbor_get(struct mrg_tcpip_if *on, const struct ip *a);

static inline uint16_t neighbor_index(const struct mrg_tcpip *s, const struct neighbor *n)
{
	return (uint16_t)(n - s->ip->neighbors->entry);
}

/*
 * neighbor_send - send the parts as a frame to it, now or as soon as its address is known. They begin with n->head, which is then
 * written anew.   rest: it has a fragment, but not the first: when there is no room to wait, all those before it go as well.
 */
enum mrg_io neighbor_send(
	struct neighbor *n, const struct mrg_span *parts, size_t count, const struct mrg_frame_work *work, bool rest);

/* An answer came. mac: NULL when it tells no address. */
void neighbor_advertised(struct neighbor *n, const struct mrg_span *mac, bool solicited, bool override);

/* Ask who has this address; mac: NULL to ask all. */
void arp_solicit(struct mrg_tcpip_if *on, const struct ip *a, const struct mrg_span *mac);
void nd_solicit(struct mrg_tcpip_if *on, const struct ip *a, const struct mrg_span *mac);
/* Ask whether somebody has it already (RFC 5227 section 2.1.1, RFC 4862 section 5.4.2). */
void arp_probe(struct mrg_tcpip_if *on, const struct ip *a);
void nd_probe(struct mrg_tcpip_if *on, const struct ip *a);
/* Tell all that we have it (RFC 5227 section 2.3). */
void arp_announce(struct mrg_tcpip_if *on, const struct ip *a);

#endif
