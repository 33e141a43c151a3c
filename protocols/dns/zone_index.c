/*
 * Finishing a zone: the hash table over its nodes, names that came more than once joined, empty non-terminals made,
 * what lies below cuts marked, and the chain of NSEC or NSEC3 owners sorted.
 */
#include "dns/rr.h"
#include "protocols/dns/zone_build.h"
#include "protocols/dns/zone_chain.h"

/* While finishing: the zone's table, to be filled, and the parent found last. */
struct indexer {
	struct mrg_dns_zone_builder *b;
	struct mrg_dns_zone *zone;
	struct mrg_dns_slot *slots;
	size_t split; /* slots whose node is one of several */
	struct mrg_dns_node *parent;
};

static struct mrg_span origin_of(const struct mrg_dns_zone_builder *b)
{
	return mrg_dns_name_flat_from(&b->zone->origin, 0);
}

static enum mrg_status full(struct mrg_dns_zone_builder *b, struct mrg_dns_zone_error *err)
{
	return mrg_dns_zone_die(b, err, MRG_DNS_ZONE_FULL, MRG_E_SPACE, origin_of(b), 0);
}

/* The slot of a name: the one that has it, or the free one where it goes.  The table is never full. */
static struct mrg_dns_slot *slot_of(const struct indexer *x, uint64_t h, struct mrg_span name)
{
	const uint32_t tag = (uint32_t)h;
	size_t i = (size_t)((h >> 32) * x->zone->slot_count >> 32);
	for (; x->slots[i].node != 0; i = i + 1 < x->zone->slot_count ? i + 1 : 0) {
		if (x->slots[i].tag != tag)
			continue;
		if (mrg_dns_name_flat_equal(mrg_dns_node_name(mrg_dns_zone_node(x->b, x->slots[i].node)), name))
			break;
	}
	return &x->slots[i];
}

/* The name of a node in flat form, and the hashes of its suffixes. */
static bool name_of(const struct mrg_dns_node *n, struct mrg_dns_name_flat *name, uint64_t *hash)
{
	if (mrg_dns_name_flat_check(mrg_dns_node_name(n), name) != MRG_OK)
		return false;
	mrg_dns_name_flat_hash(name, hash);
	return true;
}

static void insert(struct indexer *x, struct mrg_dns_node *n)
{
	struct mrg_dns_name_flat name;
	uint64_t hash[MRG_DNS_LABELS];
	if (!name_of(n, &name, hash))
		return;
	struct mrg_dns_slot *const slot = slot_of(x, hash[0], mrg_dns_name_flat_from(&name, 0));
	if (slot->node != 0) {
		x->split += (mrg_dns_zone_node(x->b, slot->node)->flags & MRG_DNS_NODE_SPLIT) == 0;
		n->up = slot->node;
		n->flags |= MRG_DNS_NODE_SPLIT;
	}
	*slot = (struct mrg_dns_slot){ .tag = (uint32_t)hash[0], .node = mrg_dns_zone_handle(x->b, n) };
}

/* The node behind this one in the arena. */
static struct mrg_dns_node *node_after(const struct mrg_dns_node *n, const struct mrg_dns_zone_builder *b)
{
	const struct mrg_dns_rrset *s = mrg_dns_node_sets(n);
	for (unsigned left = n->sets; left > 0; left--)
		s = mrg_dns_rrset_next(s);
	size_t end = (size_t)((const uint8_t *)s - b->arena->p);
	end += (MRG_DNS_GRAIN - end % MRG_DNS_GRAIN) % MRG_DNS_GRAIN;
	return mrg_dns_zone_node(b, (uint32_t)(end / MRG_DNS_GRAIN));
}

/* Call step on each node of an area of the arena that holds nothing else. */
static enum mrg_status each_node(struct indexer *x, size_t from, size_t to,
	enum mrg_status (*step)(struct indexer *x, struct mrg_dns_node *n))
{
	from += (MRG_DNS_GRAIN - from % MRG_DNS_GRAIN) % MRG_DNS_GRAIN;
	if (from >= to)
		return MRG_OK;
	struct mrg_dns_node *n = mrg_dns_zone_node(x->b, (uint32_t)(from / MRG_DNS_GRAIN));
	const uint8_t *const end = x->b->arena->p + to;
	while ((const uint8_t *)n < end) {
		struct mrg_dns_node *const next = node_after(n, x->b);
		const enum mrg_status st = (n->flags & MRG_DNS_NODE_DEAD) == 0 ? step(x, n) : MRG_OK;
		if (st != MRG_OK)
			return st;
		n = next;
	}
	return MRG_OK;
}

static enum mrg_status insert_step(struct indexer *x, struct mrg_dns_node *n)
{
	insert(x, n);
	return MRG_OK;
}

/* Join the nodes of one name into a new one. */
static enum mrg_status join(struct indexer *x, struct mrg_dns_slot *slot, struct mrg_dns_zone_error *err)
{
	struct mrg_dns_zone_builder *const b = x->b;
	const size_t cap = b->arena->cap;
	size_t count = 1;
	for (const struct mrg_dns_node *n = mrg_dns_zone_node(b, slot->node); n->up != 0; count++)
		n = mrg_dns_zone_node(b, n->up);
	/* the list of parts stands at the arena's very end, out of the way of the packing */
	if (count * sizeof(void *) + _Alignof(void *) > cap - b->arena->len)
		return full(b, err);
	struct mrg_arena top = { b->arena->p, (cap - count * sizeof(void *)) / _Alignof(void *) * _Alignof(void *), cap };
	b->arena->cap = top.len;
	const struct mrg_dns_node **const parts = mrg_arena_get(&top, count * sizeof(void *), _Alignof(void *));
	uint32_t handle = slot->node;
	for (size_t i = count; i-- > 0;) { /* the list goes from the last to the first */
		struct mrg_dns_node *const n = mrg_dns_zone_node(b, handle);
		handle = n->up;
		n->flags = MRG_DNS_NODE_DEAD;
		parts[i] = n;
	}
	struct mrg_dns_node *const node = mrg_dns_zone_pack(b, parts, count, NULL, err);
	memset(parts, 0, count * sizeof *parts);
	b->arena->cap = cap;
	if (node == NULL)
		return b->st;
	slot->node = mrg_dns_zone_handle(b, node);
	return mrg_dns_zone_settle(b, node, err);
}

static enum mrg_status join_all(struct indexer *x, struct mrg_dns_zone_error *err)
{
	for (size_t i = 0; i < x->zone->slot_count && x->split > 0; i++) {
		struct mrg_dns_slot *const slot = &x->slots[i];
		if (slot->node == 0 || (mrg_dns_zone_node(x->b, slot->node)->flags & MRG_DNS_NODE_SPLIT) == 0)
			continue;
		const enum mrg_status st = join(x, slot, err);
		if (st != MRG_OK)
			return st;
		x->split--;
	}
	return MRG_OK;
}

/* The parent of a node below the apex; made if nothing stands there (RFC 4592 2.2.2).  NULL: no memory. */
static struct mrg_dns_node *parent_of(struct indexer *x, const struct mrg_dns_node *n)
{
	struct mrg_dns_name_flat name;
	uint64_t hash[MRG_DNS_LABELS];
	if (mrg_dns_name_flat_check(mrg_dns_node_name(n), &name) != MRG_OK)
		return NULL;
	const struct mrg_span parent = mrg_dns_name_flat_from(&name, 1);
	if (x->parent != NULL && mrg_span_eq(mrg_dns_node_name(x->parent), parent))
		return x->parent;
	mrg_dns_name_flat_hash(&name, hash);
	struct mrg_dns_slot *const slot = slot_of(x, hash[1], parent);
	if (slot->node == 0) {
		struct mrg_dns_node *const made = mrg_dns_zone_new_node(x->b, parent, name.count - 1u);
		if (made == NULL)
			return NULL;
		*slot = (struct mrg_dns_slot){ .tag = (uint32_t)hash[1], .node = mrg_dns_zone_handle(x->b, made) };
	}
	x->parent = mrg_dns_zone_node(x->b, slot->node);
	return x->parent;
}

static bool is_wildcard(const struct mrg_dns_node *n)
{
	static const uint8_t asterisk[] = "\001*";
	struct mrg_dns_name_flat name;
	return mrg_dns_name_flat_check(mrg_dns_node_name(n), &name) == MRG_OK &&
		mrg_span_eq(mrg_dns_name_flat_item(&name, 0), (struct mrg_span){ asterisk, sizeof asterisk - 1 });
}

/* Hang the node under its parent, which is linked already. */
static void hang(struct indexer *x, struct mrg_dns_node *n, struct mrg_dns_node *parent)
{
	unsigned flags = n->flags;
	n->up = mrg_dns_zone_handle(x->b, parent);
	if ((parent->flags & (MRG_DNS_NODE_OCCLUDED | MRG_DNS_NODE_CUT | MRG_DNS_NODE_DNAME)) != 0 &&
		(flags & MRG_DNS_NODE_HASHED) == 0)
		flags |= MRG_DNS_NODE_OCCLUDED;
	n->flags = (uint16_t)(flags | MRG_DNS_NODE_LINKED);
	flags = parent->flags & ~(unsigned)MRG_DNS_NODE_HASHED; /* something is below: it exists */
	if (is_wildcard(n))
		flags |= MRG_DNS_NODE_WILD;
	parent->flags = (uint16_t)flags;
}

/* Link a node to its parent, after its parents up to one that is linked.  Each node is linked once: O(n) in all. */
static enum mrg_status link_step(struct indexer *x, struct mrg_dns_node *n)
{
	struct mrg_dns_node *path[MRG_DNS_LABELS];
	unsigned depth = 0;
	while ((n->flags & (MRG_DNS_NODE_LINKED | MRG_DNS_NODE_APEX)) == 0 && depth < MRG_DNS_LABELS - 1) {
		path[depth++] = n;
		n = parent_of(x, n);
		if (n == NULL)
			return MRG_E_SPACE;
	}
	for (; depth > 0; depth--) {
		hang(x, path[depth - 1], n);
		n = path[depth - 1];
	}
	return MRG_OK;
}

/* The SOA that goes into negative answers: its TTL is at most its MINIMUM.  RFC 2308 section 3 */
static enum mrg_status settle_soa(struct indexer *x, struct mrg_dns_zone_error *err)
{
	struct mrg_dns_zone *const z = x->zone;
	struct mrg_dns_rr rr;
	struct mrg_dns_soa soa;
	const struct mrg_dns_rrset *const set = mrg_dns_node_find(z->apex, MRG_DNS_TYPE_SOA);
	if (set == NULL)
		return mrg_dns_zone_die(x->b, err, MRG_DNS_ZONE_NO_SOA, MRG_E_VALUE, origin_of(x->b), MRG_DNS_TYPE_SOA);
	const enum mrg_status st =
		mrg_dns_rr_check(mrg_dns_rrset_wire(set, false), mrg_dns_rrset_message(z->apex, set), &rr, NULL);
	if (st != MRG_OK || !mrg_dns_rr_rdata_as_soa(&rr, &soa))
		return mrg_dns_zone_die(x->b, err, MRG_DNS_ZONE_NO_SOA, MRG_E_VALUE, origin_of(x->b), MRG_DNS_TYPE_SOA);
	z->serial = mrg_dns_soa_serial(&soa);
	struct mrg_dns_pack_only only = { MRG_DNS_TYPE_SOA, mrg_dns_soa_minimum(&soa) };
	if (only.ttl > mrg_dns_rr_ttl(&rr))
		only.ttl = mrg_dns_rr_ttl(&rr);
	z->negative = mrg_dns_zone_pack(x->b, &z->apex, 1, &only, err);
	return z->negative != NULL ? MRG_OK : x->b->st;
}

static enum mrg_status settle_apex(struct indexer *x, struct mrg_dns_zone_error *err)
{
	const struct mrg_span origin = origin_of(x->b);
	uint64_t hash[MRG_DNS_LABELS];
	mrg_dns_name_flat_hash(&x->zone->origin, hash);
	const struct mrg_dns_slot *const slot = slot_of(x, hash[0], origin);
	if (slot->node == 0)
		return mrg_dns_zone_die(x->b, err, MRG_DNS_ZONE_NO_SOA, MRG_E_VALUE, origin, MRG_DNS_TYPE_SOA);
	x->zone->apex = mrg_dns_zone_node(x->b, slot->node);
	if (mrg_dns_node_find(x->zone->apex, MRG_DNS_TYPE_NS) == NULL)
		return mrg_dns_zone_die(x->b, err, MRG_DNS_ZONE_NO_NS, MRG_E_VALUE, origin, MRG_DNS_TYPE_NS);
	return settle_soa(x, err);
}

enum mrg_status mrg_dns_zone_finish(
	struct mrg_dns_zone_builder *b, const struct mrg_dns_zone **out, struct mrg_dns_zone_error *err)
{
	struct indexer x = { .b = b, .zone = b->zone };
	if (b->st != MRG_OK)
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_DEAD, b->st, (struct mrg_span){ NULL, 0 }, 0);
	enum mrg_status st = mrg_dns_zone_close(b, err);
	b->st = MRG_E_VALUE; /* whatever comes, nothing can be added any more */
	if (st != MRG_OK)
		return st;
	const size_t nodes_end = b->arena->len;
	x.zone->slot_count = b->name_count + b->name_count / 2 + 1;
	x.slots = mrg_arena_get(b->arena, x.zone->slot_count * sizeof *x.slots, _Alignof(struct mrg_dns_slot));
	if (x.slots == NULL)
		return full(b, err);
	x.zone->slots = x.slots;
	if (each_node(&x, b->nodes_off, nodes_end, insert_step) != MRG_OK)
		return full(b, err);
	const size_t joined_off = b->arena->len;
	st = join_all(&x, err);
	if (st != MRG_OK)
		return st;
	const size_t joined_end = b->arena->len;
	if (each_node(&x, b->nodes_off, nodes_end, link_step) != MRG_OK ||
		each_node(&x, joined_off, joined_end, link_step) != MRG_OK)
		return full(b, err);
	st = settle_apex(&x, err);
	if (st == MRG_OK)
		st = mrg_dns_zone_chain(b, err);
	if (st != MRG_OK)
		return st;
	*out = x.zone;
	return MRG_OK;
}
