/*
 * zone_build.h - what the steps of building a zone share; for the files of this folder only.
 * Reading order: zone.c (add records), zone_pack.c (put a node in order), zone_place.c (lay nodes down by hash),
 * zone_index.c (finish).
 */
#ifndef MRG_DNS_ZONE_BUILD_H
#define MRG_DNS_ZONE_BUILD_H

#include "protocols/dns/zone_store.h"

/* Octets of a set, or of the RRSIGs over it: no message holds more than a header, a question for the root, and this. */
enum { MRG_DNS_RRSET_MAX = 65535 - MRG_DNS_HEADER_SIZE - (1 + 4) };

/* Nodes of a zone: handles are 32 bits, and a part counts its nodes in as many. */
enum { MRG_DNS_NODES_MAX = INT32_MAX };

/* Records up to this many are compared one by one to find duplicates; larger sets are sorted first. */
enum { MRG_DNS_FEW = 32 };

/* Fill err (may be NULL) and return st. */
enum mrg_status mrg_dns_zone_refuse(struct mrg_dns_zone_error *err, enum mrg_dns_zone_fault fault,
	enum mrg_status st, struct mrg_span owner, uint16_t type);

/* As above for what leaves the builder unusable. */
enum mrg_status mrg_dns_zone_die(struct mrg_dns_zone_builder *b, struct mrg_dns_zone_error *err,
	enum mrg_dns_zone_fault fault, enum mrg_status st, struct mrg_span owner, uint16_t type);

/* A node that the builder may change. */
static inline struct mrg_dns_node *mrg_dns_zone_node(const struct mrg_dns_zone_builder *b, uint32_t handle)
{
	void *const at = b->arena->p + (size_t)handle * MRG_DNS_GRAIN;
	return (struct mrg_dns_node *)at;
}

static inline uint32_t mrg_dns_zone_handle(const struct mrg_dns_zone_builder *b, const void *p)
{
	return (uint32_t)((size_t)((const uint8_t *)p - b->arena->p) / MRG_DNS_GRAIN);
}

/*
 * Memory for `count` pointers, `skip` octets above the arena's end; NULL when there is too little.
 * It belongs to nobody: to be zeroed after use.
 */
const void **mrg_dns_zone_scratch(const struct mrg_dns_zone_builder *b, size_t skip, size_t count);

/* Types that a zone can hold: neither meta-types nor those of questions.  RFC 6895 section 3.1 */
bool mrg_dns_zone_storable(uint16_t type);

/* May only NSEC, RRSIG and the like stand beside it?  RFC 1034 3.6.2, RFC 4035 2.5 */
bool mrg_dns_zone_unlike_alias(uint16_t type);

/* What a part's memory consists of; nodes follow at once. */
struct mrg_dns_segment {
	uint32_t next;     /* handle; 0: the last */
	uint32_t len, cap; /* octets behind this header: those that nodes take, and all */
};

static inline struct mrg_dns_segment *mrg_dns_zone_segment(
	const struct mrg_dns_zone_builder *b, uint32_t handle)
{
	void *const at = b->arena->p + (size_t)handle * MRG_DNS_GRAIN;
	return (struct mrg_dns_segment *)at;
}

/* The name of the open node. */
static inline struct mrg_dns_name_flat *mrg_dns_zone_owner(struct mrg_dns_zone_builder *b)
{
	return &b->names[b->now];
}

/* A new node without sets at the arena's end; NULL when the arena is full. */
struct mrg_dns_node *mrg_dns_zone_new_node(
	struct mrg_dns_zone_builder *b, struct mrg_span name, unsigned labels);

/* A new empty set at the arena's end, behind the node that grows there; NULL when the arena is full. */
struct mrg_dns_rrset *mrg_dns_zone_new_set(struct mrg_dns_zone_builder *b, uint16_t type);

/* The node at the arena's end is complete: fill its last grain and note its size.  False: the arena is full. */
bool mrg_dns_zone_seal(struct mrg_dns_zone_builder *b, struct mrg_dns_node *n);

/* Is this a node "*"? */
static inline bool mrg_dns_zone_is_wildcard(struct mrg_span name)
{
	static const uint8_t asterisk[] = "\001*";
	return name.len > sizeof asterisk - 1 && memcmp(name.p, asterisk, sizeof asterisk - 1) == 0;
}

/*
 * mrg_dns_zone_settle_apex - what a zone needs at its apex: fill z->serial and z->negative, the latter at the arena's end.
 *   apex   its node in the builder's arena; NULL: it has no records
 * Fails:    as mrg_dns_zone_finish.
 */
enum mrg_status mrg_dns_zone_settle_apex(struct mrg_dns_zone_builder *b, const struct mrg_dns_node *apex,
	struct mrg_dns_zone *z, struct mrg_dns_zone_error *err);

/* Take the SOA of negative answers apart: fill z->soa from z->negative.  False: that has no sound one. */
bool mrg_dns_zone_take_apart(struct mrg_dns_zone *z);

/* Take memory at the arena's end for a segment's header; the node that mrg_dns_zone_place gets must follow. */
bool mrg_dns_zone_stage(struct mrg_dns_zone_builder *b);

/* mrg_dns_zone_place - move the sealed node at the arena's end, staged, to the others of its part.   Fails: MRG_E_SPACE. */
enum mrg_status mrg_dns_zone_place(struct mrg_dns_zone_builder *b, struct mrg_dns_node *n);

/* Give back what the arena handed out since `mark`, zeroed. */
void mrg_dns_zone_rewind(struct mrg_dns_zone_builder *b, size_t mark);

/* No more records for the open node: put it in order.  out   it, at the arena's end; NULL: there is none. */
enum mrg_status mrg_dns_zone_complete(
	struct mrg_dns_zone_builder *b, struct mrg_dns_node **out, struct mrg_dns_zone_error *err);

/* The same, and place it. */
enum mrg_status mrg_dns_zone_close(struct mrg_dns_zone_builder *b, struct mrg_dns_zone_error *err);

/* Are there so many octets in a set that `len` more are too many? */
static inline bool mrg_dns_zone_overfull(const struct mrg_dns_rrset *s, bool sig, size_t len)
{
	return len > (size_t)MRG_DNS_RRSET_MAX - (sig ? s->sig_len : s->len);
}

/* May a name have one of these at most?  RFC 2181 10.1, RFC 6672 2.4, RFC 1035 5.2 */
static inline bool mrg_dns_zone_single(uint16_t type)
{
	return type == MRG_DNS_TYPE_CNAME || type == MRG_DNS_TYPE_DNAME || type == MRG_DNS_TYPE_SOA;
}

struct mrg_dns_pack_only {
	uint16_t type;
	uint32_t ttl;
};

/*
 * mrg_dns_zone_pack - write one node with all sets of the nodes in `parts`, in order, duplicates left out.
 *   parts   of one name, in order of arrival.
 *   only    NULL, or what to take and the TTL that it gets.
 * Returns the new node at the arena's end, or NULL with err filled.
 */
struct mrg_dns_node *mrg_dns_zone_pack(struct mrg_dns_zone_builder *b,
	const struct mrg_dns_node *const *parts, size_t count, const struct mrg_dns_pack_only *only,
	struct mrg_dns_zone_error *err);

/* Look at the sets of a packed node: what it is (flags), and whether they may stand together. */
enum mrg_status mrg_dns_zone_settle(
	const struct mrg_dns_zone_builder *b, struct mrg_dns_node *n, struct mrg_dns_zone_error *err);

#endif
