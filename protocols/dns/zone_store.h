/*
 * zone_store.h - how a zone lies in memory; for the files of this folder only.
 *
 * A *node* is a name that exists.  It is laid out as a message is: 12 octets that are ours (where a message has
 * its header), the owner's flat name at offset 12, then its record sets, in order of type.  In a set each record
 * stands in wire form with an owner that points to offset 12, and the names in its RDATA (of the types that
 * RFC 3597 4 lets us compress) point into the owner's name.  So
 *   - when the question asks for the very name of the node, a set is copied into the answer as it is;
 *   - anything else can view the records through the generated checks, the node being their message.
 * RRSIGs stand behind the set that they cover.
 *
 * Nodes are found by hash.  Those of one bucket, one or two as a rule, lie one after the other, and a directory has
 * the place of each bucket: so a name costs one access to a small table that stays in the cache and one to memory
 * that does not.  Every ancestor of a node up to the apex is a node too (empty non-terminals have nodes without
 * sets), therefore the closest encloser can be found by bisection.
 */
#ifndef MRG_DNS_ZONE_STORE_H
#define MRG_DNS_ZONE_STORE_H

#include "dns/name.h"
#include "dns/stored.h"
#include "iana/dns.h"
#include "mrg.h"
#include "protocols/dns/zone.h"

enum { MRG_DNS_LABELS = 128 }; /* items of a flat name, the root included */

/* What a node is. */
enum mrg_dns_node_flag {
	MRG_DNS_NODE_APEX = 1,
	MRG_DNS_NODE_CUT = 2, /* NS below the apex: a delegation */
	MRG_DNS_NODE_DNAME = 4,
	MRG_DNS_NODE_OCCLUDED = 8, /* below a cut or a DNAME (RFC 2136 7.18, RFC 6672 2.4) */
	MRG_DNS_NODE_WILD = 16,    /* has a child "*" (RFC 4592 2.1.1) */
	MRG_DNS_NODE_CNAME = 32,
	MRG_DNS_NODE_HASHED = 64, /* owns NSEC3 only, nothing below: does not exist for queries (RFC 5155 7.2.8) */
	MRG_DNS_NODE_LAST = 128,  /* of its bucket */
	MRG_DNS_NODE_LINKED = 256 /* building: it is counted in its parent's `below`, and no longer knows its hash */
};

/* The 12 octets where a message has its header; the name follows at once. */
struct mrg_dns_node {
	uint32_t below;  /* nodes one label longer (RFC 4592 2.2.2).  While building: the upper half of the name's hash */
	uint16_t flags;  /* enum mrg_dns_node_flag */
	uint16_t sets;   /* 0: an empty non-terminal */
	uint16_t grains; /* what the node takes; MRG_DNS_GRAINS_MAX: more than that */
	uint8_t name_len;
	uint8_t labels; /* items of the name, the root included */
};
_Static_assert(sizeof(struct mrg_dns_node) == 12, "a node's name stands where a message's question does");

/* A record set; its records follow at once, then the RRSIGs that cover it. */
struct mrg_dns_rrset {
	uint16_t type;
	uint16_t count, sig_count; /* records; count 0: signatures of a set that isn't there */
	uint16_t len, sig_len;     /* their octets */
};

struct mrg_dns_nsec3_params {
	uint16_t iterations;
	uint8_t salt_len;
	uint8_t salt[255];
};

enum { MRG_DNS_UNTIED = UINT16_MAX };

/* A name whose end may be the end of the zone's name. */
struct mrg_dns_tied_name {
	struct mrg_span head; /* labels, as they stand in the zone */
	uint16_t tail;        /* where in the zone's name the rest is, or MRG_DNS_UNTIED: head is all */
};

/* The SOA of negative answers in parts, so that it can be tied to wherever a message has the zone's name. */
struct mrg_dns_soa_form {
	struct mrg_dns_tied_name mname, rname;
	struct mrg_span numbers;
	uint32_t ttl;
};

struct mrg_dns_zone {
	const uint8_t *base;     /* handles count from here, in units of 4 octets */
	const uint32_t *buckets; /* handle of the first node; 0: none */
	size_t bucket_count;     /* below 2^32 */
	const struct mrg_dns_node *apex;
	const struct mrg_dns_node
		*negative;           /* a node of the apex's name: just the SOA, with the TTL of RFC 2308 3 */
	struct mrg_dns_soa_form soa; /* the same */
	enum mrg_dns_denial denial;
	const uint32_t *chain; /* handles of the NSEC or NSEC3 owners, in canonical order */
	size_t chain_len;
	struct mrg_dns_nsec3_params nsec3;
	uint32_t serial;
	size_t record_count;
	size_t node_count, node_len; /* in buckets, and the octets of all nodes; 0: not known (a stored zone) */
	struct mrg_dns_name_flat origin;
};

enum {
	MRG_DNS_GRAIN = 4, /* octets that a handle counts */
	MRG_DNS_GRAINS_MAX = UINT16_MAX
};

static inline const struct mrg_dns_node *mrg_dns_node_at(const struct mrg_dns_zone *z, uint32_t handle)
{
	const void *const at = z->base + (size_t)handle * MRG_DNS_GRAIN;
	return (const struct mrg_dns_node *)at;
}

static inline uint32_t mrg_dns_node_handle(const struct mrg_dns_zone *z, const struct mrg_dns_node *n)
{
	return (uint32_t)((size_t)((const uint8_t *)n - z->base) / MRG_DNS_GRAIN);
}

static inline struct mrg_span mrg_dns_node_name(const struct mrg_dns_node *n)
{
	return (struct mrg_span){ (const uint8_t *)(n + 1), n->name_len };
}

static inline size_t mrg_dns_even(size_t n) { return n + n % 2; }

static inline const struct mrg_dns_rrset *mrg_dns_node_sets(const struct mrg_dns_node *n)
{
	const void *const at = (const uint8_t *)(n + 1) + mrg_dns_even(n->name_len);
	return (const struct mrg_dns_rrset *)at;
}

/* The records of a set as they stand, with their RRSIGs if wanted. */
static inline struct mrg_span mrg_dns_rrset_wire(const struct mrg_dns_rrset *s, bool sigs)
{
	return (struct mrg_span){ (const uint8_t *)(s + 1), s->len + (sigs ? (size_t)s->sig_len : 0u) };
}

/* The set that follows; only if there is one. */
static inline const struct mrg_dns_rrset *mrg_dns_rrset_next(const struct mrg_dns_rrset *s)
{
	const void *const at = (const uint8_t *)(s + 1) + mrg_dns_even((size_t)s->len + s->sig_len);
	return (const struct mrg_dns_rrset *)at;
}

/* The message that the records of a set are part of: the node from its start to the set's end. */
static inline struct mrg_span mrg_dns_rrset_message(
	const struct mrg_dns_node *n, const struct mrg_dns_rrset *s)
{
	const uint8_t *const end = (const uint8_t *)(s + 1) + s->len + s->sig_len;
	return (struct mrg_span){ (const uint8_t *)n, (size_t)(end - (const uint8_t *)n) };
}

/* The node's set of a type, or NULL.  Cost: O(sets of the node). */
static inline const struct mrg_dns_rrset *mrg_dns_node_find(const struct mrg_dns_node *n, uint16_t type)
{
	const struct mrg_dns_rrset *s = mrg_dns_node_sets(n);
	for (unsigned left = n->sets; left > 0; left--, s = mrg_dns_rrset_next(s)) {
		if (s->type >= type)
			return s->type == type && s->count > 0 ? s : NULL;
	}
	return NULL;
}

/* The octets of a node, whole grains. */
static inline size_t mrg_dns_node_size(const struct mrg_dns_node *n)
{
	if (n->grains != MRG_DNS_GRAINS_MAX)
		return (size_t)n->grains * MRG_DNS_GRAIN;
	const struct mrg_dns_rrset *s = mrg_dns_node_sets(n);
	for (unsigned left = n->sets; left > 0; left--)
		s = mrg_dns_rrset_next(s);
	const size_t len = (size_t)((const uint8_t *)s - (const uint8_t *)n);
	return (len + MRG_DNS_GRAIN - 1) / MRG_DNS_GRAIN * MRG_DNS_GRAIN;
}

/* The node behind this one. */
static inline const struct mrg_dns_node *mrg_dns_node_after(const struct mrg_dns_node *n)
{
	const void *const at = (const uint8_t *)n + mrg_dns_node_size(n);
	return (const struct mrg_dns_node *)at;
}

/* The hash of a flat name, in any case. */
static inline uint64_t mrg_dns_hash(struct mrg_span name)
{
	return mrg_dns_name_hash_item(mrg_dns_name_hash_stop(), name);
}

enum { MRG_DNS_LINE = 64 }; /* octets that come into the cache together */

/* Let memory come closer; p need not be valid. */
static inline void mrg_dns_prefetch(const void *p) { __builtin_prefetch(p); }

/* What is behind the first n octets, of which there are so many. */
static inline struct mrg_span mrg_dns_after(struct mrg_span s, size_t n)
{
	return (struct mrg_span){ s.p + n, s.len - n };
}

/* Are two flat names the same? */
static inline bool mrg_dns_same_name(struct mrg_span a, struct mrg_span b)
{
	return mrg_dns_name_flat_equal(a, b);
}

/* Is the flat name at or below `top`? */
static inline bool mrg_dns_name_within(
	const struct mrg_dns_name_flat *name, const struct mrg_dns_name_flat *top)
{
	return name->count >= top->count &&
	       mrg_dns_same_name(mrg_dns_name_flat_from(name, name->count - top->count),
		       mrg_dns_name_flat_from(top, 0));
}

static inline bool mrg_dns_node_is(const struct mrg_dns_node *n, struct mrg_span name)
{
	return mrg_dns_same_name(mrg_dns_node_name(n), name);
}

/* Where the directory has the bucket of a flat name, on its way into the cache. */
static inline const uint32_t *mrg_dns_zone_slot(const struct mrg_dns_zone *z, struct mrg_span name)
{
	const uint32_t *const slot = &z->buckets[(mrg_dns_hash(name) >> 32) * z->bucket_count >> 32];
	mrg_dns_prefetch(slot);
	return slot;
}

/* The first of the nodes of a bucket, on its way into the cache; NULL: there is none. */
static inline const struct mrg_dns_node *mrg_dns_zone_bucket(
	const struct mrg_dns_zone *z, const uint32_t *slot)
{
	if (*slot == 0)
		return NULL;
	const struct mrg_dns_node *const n = mrg_dns_node_at(z, *slot);
	mrg_dns_prefetch(n);
	mrg_dns_prefetch(n + MRG_DNS_LINE / sizeof *n); /* the bucket is longer than a cache line */
	return n;
}

/* The node of a flat name, whatever it is, among those of a bucket, or NULL. */
static inline const struct mrg_dns_node *mrg_dns_bucket_find(
	const struct mrg_dns_node *n, struct mrg_span name)
{
	for (; n != NULL; n = mrg_dns_node_after(n)) {
		if (mrg_dns_node_is(n, name))
			return n;
		if ((n->flags & MRG_DNS_NODE_LAST) != 0)
			return NULL;
	}
	return NULL;
}

/*
 * The node of a flat name, whatever it is, or NULL.
 * Cost: O(octets of the name + nodes of the bucket), the latter less than two on average.
 */
static inline const struct mrg_dns_node *mrg_dns_zone_probe(
	const struct mrg_dns_zone *z, struct mrg_span name)
{
	return mrg_dns_bucket_find(mrg_dns_zone_bucket(z, mrg_dns_zone_slot(z, name)), name);
}

/* The first node of bucket *b or a later one, *b then being its bucket; NULL: there is none. */
static inline const struct mrg_dns_node *mrg_dns_zone_first(const struct mrg_dns_zone *z, size_t *b)
{
	while (*b < z->bucket_count && z->buckets[*b] == 0)
		++*b;
	return *b < z->bucket_count ? mrg_dns_node_at(z, z->buckets[*b]) : NULL;
}

/* The node after `n` of bucket *b, there or in a later bucket; NULL after the last of the zone. */
static inline const struct mrg_dns_node *mrg_dns_zone_after(
	const struct mrg_dns_zone *z, const struct mrg_dns_node *n, size_t *b)
{
	if ((n->flags & MRG_DNS_NODE_LAST) == 0)
		return mrg_dns_node_after(n);
	++*b;
	return mrg_dns_zone_first(z, b);
}

/* Where a name stands in a zone. */
struct mrg_dns_place {
	const struct mrg_dns_node *node;     /* the name itself, or NULL */
	const struct mrg_dns_node *encloser; /* its closest encloser (RFC 4592 3.3.1), or the name itself */
	unsigned encloser_at;                /* items of the name before the encloser's */
	const struct mrg_dns_node *cover;    /* the cut or DNAME that the name is at or below, or NULL */
	unsigned cover_at;
};

/*
 * mrg_dns_zone_locate - find where a name at or below the zone's apex stands.
 * Cover:    the topmost cut, also when the name is the cut itself; or the topmost DNAME, only when the name is below.
 * Cost:     at most 9 probes, and 7 more for names below a cut or DNAME.
 */
void mrg_dns_zone_locate(
	const struct mrg_dns_zone *z, const struct mrg_dns_name_flat *name, struct mrg_dns_place *out);

/*
 * mrg_dns_node_soa - view the SOA record of an apex.
 * Fails:    MRG_E_VALUE when it has none.   Lifetime: *rr and *soa borrow the node.
 */
MRG_MUST_USE enum mrg_status mrg_dns_node_soa(
	const struct mrg_dns_node *apex, struct mrg_dns_rr *rr, struct mrg_dns_soa *soa);

/* mrg_dns_zone_wildcard - the node "*" below `encloser`, NULL if there is none. */
const struct mrg_dns_node *mrg_dns_zone_wildcard(
	const struct mrg_dns_zone *z, const struct mrg_dns_node *encloser);

/*
 * mrg_dns_zone_wildcard_name - "*" before the flat name `encloser`.   Fails: MRG_E_LIMIT when that is no name.
 */
MRG_MUST_USE enum mrg_status mrg_dns_zone_wildcard_name(
	struct mrg_span encloser, struct mrg_dns_name_flat *out);

#endif
