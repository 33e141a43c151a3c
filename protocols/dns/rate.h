/*
 * rate.h - response rate limiting: who asks the same again and again, or is made to seem to, is answered less.
 *
 * Answers go to whom the query says it comes from.  So that nobody can be flooded with them by somebody else who says that he is that
 * one, the answers of one kind to one network are counted, and from a rate on most of them are not sent.  What is sent once in a while
 * instead says TC, so that a client that is really there asks again over TCP.  Whoever has shown that he is there (TCP, a cookie, a
 * signature) is not counted.
 *
 * What it does not do: it has no list of whom to spare (a caller gives such clients no table), and one table is one thread's: with n
 * workers each should have an n-th of the rates, since a network's datagrams go to all of them.
 *
 * Use:
 *	struct mrg_dns_rate r;
 *	if (mrg_dns_rate_init(&r, &arena, &limits, secret) != MRG_OK) ...
 *	asker.rate = &r;	(asker.h; mrg_dns_answer does the rest)
 */
#ifndef MRG_DNS_RATE_H
#define MRG_DNS_RATE_H

#include "mrg.h"
#include "mrg_rt.h"

/* Kinds of replies, which are counted apart. */
enum mrg_dns_rate_kind {
	MRG_DNS_RATE_ANSWER,   /* records of a name and a type; of a wildcard, whatever name it stands in for */
	MRG_DNS_RATE_REFERRAL, /* to one delegation */
	MRG_DNS_RATE_NODATA,   /* of one zone, whatever the name */
	MRG_DNS_RATE_NXDOMAIN, /* likewise */
	MRG_DNS_RATE_ERROR     /* all others */
};

enum { MRG_DNS_RATE_KINDS = MRG_DNS_RATE_ERROR + 1, MRG_DNS_RATE_MOST = 1000000 };

struct mrg_dns_rate_limits {
	uint32_t per_second[MRG_DNS_RATE_KINDS]; /* at most MRG_DNS_RATE_MOST; 0: as many as there are */
	uint32_t window_s; /* how long a flood is remembered at most: from its end on nothing is sent for so long */
	uint32_t slip;     /* each so manieth reply that is held back is sent cut short; 1: all are, 0: none is */
	uint8_t prefix4;   /* bits of an address that make its network, usually 24; at most 32 */
	uint8_t prefix6;   /* usually 56; at most 64 */
	uint32_t networks; /* for so many the table has room; with more the one that is longest quiet is forgotten */
};

/* What becomes of a reply. */
enum mrg_dns_rate_verdict { MRG_DNS_RATE_SEND, MRG_DNS_RATE_CUT, MRG_DNS_RATE_DROP };

struct mrg_dns_rate_counts {
	uint64_t cut, dropped;
};

struct mrg_dns_rate_bucket; /* rate.c */

/* One table; to be read are the counts. */
struct mrg_dns_rate {
	struct mrg_dns_rate_limits limits;
	struct mrg_dns_rate_counts counts;
	uint64_t key[2];
	struct mrg_dns_rate_bucket *buckets;
	uint32_t set_count;
};

/*
 * mrg_dns_rate_init - an empty table in the arena.
 *   secret   that nobody can guess, so that nobody can choose whom to be counted with
 * Fails:    MRG_E_SPACE; MRG_E_RANGE for limits that are too large.
 */
MRG_MUST_USE enum mrg_status mrg_dns_rate_init(struct mrg_dns_rate *r, struct mrg_arena *a,
	const struct mrg_dns_rate_limits *limits, const uint64_t secret[2]);
size_t mrg_dns_rate_memory(const struct mrg_dns_rate_limits *limits); /* bytes of the arena that this takes at most */

/*
 * mrg_dns_rate_account - where replies are counted that are like this one.
 *   about    what it is about, within its kind: an address, at least 8 octets from that of anything else
 *   type     of the question, where it tells replies of that kind apart, else 0
 * Cost:     a hash of 16 octets.  It lets the memory come closer that mrg_dns_rate_take needs, and doesn't wait for it.
 */
uint64_t mrg_dns_rate_account(const struct mrg_dns_rate *r, const struct mrg_rt_addr *peer,
	enum mrg_dns_rate_kind kind, const void *about, uint16_t type);

/*
 * mrg_dns_rate_take - count a reply.   account, kind   of mrg_dns_rate_account
 * Cost:     one line of the cache.
 */
enum mrg_dns_rate_verdict mrg_dns_rate_take(
	struct mrg_dns_rate *r, uint64_t account, enum mrg_dns_rate_kind kind, uint64_t now_ns);

#endif
