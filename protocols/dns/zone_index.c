/*
 * Finishing a zone.  Part by part, nodes are sorted into buckets and written where they stay: into memory that parts
 * before have given back, so that at no time much more is in use than the zone itself takes.  Names that came more
 * than once are joined on the way.  Then each node is tied to its parent, and what lies below cuts is marked.
 */
#include "dns/rr.h"
#include "protocols/dns/zone_build.h"
#include "protocols/dns/zone_chain.h"

static struct mrg_span origin_of(const struct mrg_dns_zone_builder *b)
{
	return mrg_dns_name_flat_from(&b->zone->origin, 0);
}

static enum mrg_status full(struct mrg_dns_zone_builder *b, struct mrg_dns_zone_error *err)
{
	return mrg_dns_zone_die(b, err, MRG_DNS_ZONE_FULL, MRG_E_SPACE, origin_of(b), 0);
}

/* --- buckets ------------------------------------------------------------------------------------------- */

static size_t bucket_of(const struct mrg_dns_zone_finishing *x, const struct mrg_dns_node *n)
{
	return (size_t)n->below * x->zone->bucket_count >> 32;
}

/* Call the nodes of a part one after the other: the first, the next, NULL. */
struct part_walk {
	const struct mrg_dns_zone_builder *b;
	const struct mrg_dns_segment *s;
	size_t off;
};

static const struct mrg_dns_node *next_in_part(struct part_walk *w)
{
	while (w->off == w->s->len) {
		if (w->s->next == 0)
			return NULL;
		w->s = mrg_dns_zone_segment(w->b, w->s->next);
		w->off = 0;
	}
	const void *const at = (const uint8_t *)(w->s + 1) + w->off;
	const struct mrg_dns_node *const n = at;
	w->off += mrg_dns_node_size(n);
	return n;
}

/* Sort a part's nodes by bucket, in order of arrival: by counting.  ends[i]: where in the list bucket first + i ends. */
static void sort_part(struct mrg_dns_zone_finishing *x, const struct mrg_dns_zone_part *part, size_t first,
	size_t count, uint32_t *ends)
{
	struct part_walk w = { x->b, mrg_dns_zone_segment(x->b, part->first), 0 };
	const struct mrg_dns_node *n;
	uint32_t before = 0;
	while ((n = next_in_part(&w)) != NULL)
		ends[bucket_of(x, n) - first]++;
	for (size_t i = 0; i < count; i++) { /* where each bucket begins */
		const uint32_t here = ends[i];
		ends[i] = before;
		before += here;
	}
	w = (struct part_walk){ x->b, mrg_dns_zone_segment(x->b, part->first), 0 };
	while ((n = next_in_part(&w)) != NULL)
		x->list[ends[bucket_of(x, n) - first]++] = n;
}

/* Memory for a bucket: the rest of the current piece, a segment given back, or new. */
static uint8_t *take(struct mrg_dns_zone_finishing *x, size_t size)
{
	if (size > x->out_left && x->free != 0) {
		struct mrg_dns_segment *const s = mrg_dns_zone_segment(x->b, x->free);
		if (size <= sizeof *s + s->cap) {
			x->free = s->next;
			x->out = (uint8_t *)s;
			x->out_left = sizeof *s + s->cap;
		}
	}
	if (size > x->out_left)
		return mrg_arena_get(x->b->arena, size, MRG_DNS_GRAIN);
	uint8_t *const at = x->out;
	x->out += size;
	x->out_left -= size;
	return at;
}

/*
 * All nodes of the name of list[0] in list[0..n-1], joined if several have records; they are taken out of the list.
 * NULL: err is filled.
 */
static const struct mrg_dns_node *join(struct mrg_dns_zone_finishing *x, const struct mrg_dns_node **list,
	size_t n, struct mrg_dns_zone_error *err)
{
	const struct mrg_dns_node *const head = list[0];
	const struct mrg_span name = mrg_dns_node_name(head);
	size_t count = 0;
	for (size_t i = 0; i < n; i++) {
		if (list[i] == NULL || (i > 0 && !mrg_dns_node_is(list[i], name)))
			continue;
		if (list[i]->sets > 0)
			x->parts[count++] = list[i];
		list[i] = NULL;
	}
	if (count == 0)
		return head;
	if (count == 1)
		return x->parts[0];
	struct mrg_dns_node *const made = mrg_dns_zone_pack(x->b, x->parts, count, NULL, err);
	return made != NULL && mrg_dns_zone_settle(x->b, made, err) == MRG_OK ? made : NULL;
}

/* Write the nodes list[0..n-1] as a bucket; nodes joined for it stand behind `mark` in the arena, and go. */
static bool write_bucket(struct mrg_dns_zone_finishing *x, size_t bucket,
	const struct mrg_dns_node *const *list, size_t n, size_t mark)
{
	size_t size = 0, len = 0;
	for (size_t i = 0; i < n; i++)
		size += mrg_dns_node_size(list[i]);
	uint8_t *at = take(x, size);
	if (at == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		const size_t node_size = mrg_dns_node_size(list[i]);
		void *const p = at + len;
		struct mrg_dns_node *const node = p;
		memcpy(p, list[i], node_size);
		if (i + 1 == n)
			node->flags |= MRG_DNS_NODE_LAST;
		len += node_size;
	}
	mark += (MRG_DNS_GRAIN - mark % MRG_DNS_GRAIN) % MRG_DNS_GRAIN;
	if ((size_t)(at - x->b->arena->p) >=
		mark) { /* it is new memory: let it stand where the joined nodes stood */
		memmove(x->b->arena->p + mark, at, size);
		at = x->b->arena->p + mark;
		mark += size;
	}
	if (x->b->arena->len > mark)
		mrg_dns_zone_rewind(x->b, mark);
	x->buckets[bucket] = mrg_dns_zone_handle(x->b, at);
	x->zone->node_count += n;
	x->zone->node_len += size;
	return true;
}

/* Put one bucket together from its nodes, as they came. */
static enum mrg_status fill_bucket(struct mrg_dns_zone_finishing *x, size_t bucket,
	const struct mrg_dns_node **list, size_t n, struct mrg_dns_zone_error *err)
{
	const size_t mark = x->b->arena->len;
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (list[i] == NULL)
			continue;
		const struct mrg_dns_node *const node = join(x, list + i, n - i, err);
		if (node == NULL)
			return x->b->st;
		list[kept++] = node;
	}
	return kept == 0 || write_bucket(x, bucket, list, kept, mark) ? MRG_OK : full(x->b, err);
}

/* Give a part's memory back: later parts are written over it. */
static void give_back(struct mrg_dns_zone_finishing *x, const struct mrg_dns_zone_part *part)
{
	mrg_dns_zone_segment(x->b, part->last)->next = x->free;
	x->free = part->first;
}

/* Lay down the buckets of one part.  The lists needed for it stand at the arena's very end. */
static enum mrg_status index_part(
	struct mrg_dns_zone_finishing *x, unsigned which, struct mrg_dns_zone_error *err)
{
	struct mrg_arena *const a = x->b->arena;
	const struct mrg_dns_zone_part *const part = &x->b->parts[which];
	const size_t count = x->zone->bucket_count / MRG_DNS_ZONE_PARTS, first = which * count, cap = a->cap;
	const size_t size = 2 * part->node_count * sizeof(void *) + count * sizeof(uint32_t);
	enum mrg_status st = MRG_OK;
	if (size + _Alignof(void *) > cap - a->len)
		return full(x->b, err);
	struct mrg_arena top = { a->p, (cap - size) / _Alignof(void *) * _Alignof(void *), cap };
	a->cap = top.len;
	x->list = mrg_arena_get(&top, part->node_count * sizeof(void *), _Alignof(void *));
	x->parts = mrg_arena_get(&top, part->node_count * sizeof(void *), _Alignof(void *));
	uint32_t *const ends = mrg_arena_get(&top, count * sizeof *ends, _Alignof(uint32_t));
	sort_part(x, part, first, count, ends);
	for (size_t i = 0, from = 0; i < count && st == MRG_OK; from = ends[i++])
		st = fill_bucket(x, first + i, x->list + from, ends[i] - from, err);
	memset(a->p + a->cap, 0, cap - a->cap);
	a->cap = cap;
	give_back(x, part);
	return st;
}

static enum mrg_status begin_index(struct mrg_dns_zone_finishing *x, struct mrg_dns_zone_error *err)
{
	const size_t names = x->b->node_count; /* or fewer */
	const size_t count = (names - names / 3) / MRG_DNS_ZONE_PARTS + 1;
	x->zone->bucket_count = count * MRG_DNS_ZONE_PARTS;
	x->buckets =
		mrg_arena_get(x->b->arena, x->zone->bucket_count * sizeof *x->buckets, _Alignof(uint32_t));
	if (x->buckets == NULL)
		return full(x->b, err);
	x->zone->buckets = x->buckets;
	return MRG_OK;
}

/* Some parts, so that there are nodes enough for a piece.   x->part is MRG_DNS_ZONE_PARTS then: those were the last. */
static enum mrg_status index_on(struct mrg_dns_zone_finishing *x, struct mrg_dns_zone_error *err)
{
	size_t nodes = 0;
	while (x->part < MRG_DNS_ZONE_PARTS && nodes < MRG_DNS_ZONE_PIECE) {
		const unsigned part = x->part++;
		const uint32_t count = x->b->parts[part].node_count;
		const enum mrg_status st = count > 0 ? index_part(x, part, err) : MRG_OK;
		if (st != MRG_OK)
			return st;
		nodes += count;
	}
	return MRG_OK;
}

/* --- parents ------------------------------------------------------------------------------------------- */

/* The same node, to be changed. */
static struct mrg_dns_node *writable(const struct mrg_dns_zone_finishing *x, const struct mrg_dns_node *n)
{
	return mrg_dns_zone_node(x->b, mrg_dns_zone_handle(x->b, n));
}

/* The parent of a node below the apex: each has one. */
static struct mrg_dns_node *parent_of(struct mrg_dns_zone_finishing *x, const struct mrg_dns_node *n)
{
	struct mrg_dns_name_flat name;
	if (n->labels == x->zone->origin.count + 1u)
		return writable(x, x->zone->apex);
	if (mrg_dns_name_flat_check(mrg_dns_node_name(n), &name) != MRG_OK)
		return NULL;
	const struct mrg_span parent = mrg_dns_name_flat_from(&name, 1);
	if (x->parent == NULL || !mrg_span_eq(mrg_dns_node_name(x->parent), parent)) {
		const struct mrg_dns_node *const found = mrg_dns_zone_probe(x->zone, parent);
		x->parent = found != NULL ? writable(x, found) : NULL;
	}
	return x->parent;
}

/* Hang the node under its parent, which is linked already. */
static void hang(struct mrg_dns_node *n, struct mrg_dns_node *parent)
{
	unsigned flags = n->flags;
	n->below = 0; /* those that are below come after it */
	parent->below++;
	if ((parent->flags & (MRG_DNS_NODE_OCCLUDED | MRG_DNS_NODE_CUT | MRG_DNS_NODE_DNAME)) != 0)
		flags |= MRG_DNS_NODE_OCCLUDED;
	n->flags = (uint16_t)(flags | MRG_DNS_NODE_LINKED);
	flags = parent->flags & ~(unsigned)MRG_DNS_NODE_HASHED; /* something is below: it exists */
	if (mrg_dns_zone_is_wildcard(mrg_dns_node_name(n)))
		flags |= MRG_DNS_NODE_WILD;
	parent->flags = (uint16_t)flags;
}

/* Link a node to its parent, after its parents up to one that is linked.  Each node is linked once: O(n) in all. */
static bool link_node(struct mrg_dns_zone_finishing *x, const struct mrg_dns_node *node)
{
	struct mrg_dns_node *path[MRG_DNS_LABELS], *n = writable(x, node);
	unsigned depth = 0;
	while ((n->flags & (MRG_DNS_NODE_LINKED | MRG_DNS_NODE_APEX)) == 0 && depth < MRG_DNS_LABELS - 1) {
		path[depth++] = n;
		n = parent_of(x, n);
		if (n == NULL)
			return false;
	}
	for (; depth > 0; depth--) {
		hang(path[depth - 1], n);
		n = path[depth - 1];
	}
	return true;
}

static void begin_links(struct mrg_dns_zone_finishing *x)
{
	writable(x, x->zone->apex)->below = 0;
	x->node = mrg_dns_zone_first(x->zone, &x->bucket);
}

/* Link some more nodes; x->node is NULL then: those were the last. */
static bool link_on(struct mrg_dns_zone_finishing *x)
{
	enum { AHEAD = 16 }; /* buckets whose memory is on its way */
	const struct mrg_dns_zone *const z = x->zone;
	const struct mrg_dns_node *n = x->node;
	size_t bucket = x->bucket;
	for (unsigned i = 0; i < MRG_DNS_ZONE_PIECE && n != NULL; i++) {
		if (bucket + AHEAD < z->bucket_count)
			mrg_dns_prefetch(mrg_dns_node_at(z, z->buckets[bucket + AHEAD]));
		if (!link_node(x, n))
			return false;
		n = mrg_dns_zone_after(z, n, &bucket);
	}
	x->node = n;
	x->bucket = bucket;
	return true;
}

/* --- the apex -------------------------------------------------------------------------------------------- */

/*
 * A name in the RDATA of a record of the apex: what of it is written out, and where in the owner's name the rest is.
 * False: the rest is not the end of that name.
 */
static bool tie(const struct mrg_dns_zone *z, const struct mrg_dns_name *v, struct mrg_dns_tied_name *out)
{
	struct mrg_dns_name_flat name;
	mrg_dns_name_flatten(v, &name);
	const struct mrg_span wire = mrg_dns_name_span(v), origin = mrg_dns_name_flat_from(&z->origin, 0);
	*out = (struct mrg_dns_tied_name){ wire, MRG_DNS_UNTIED };
	if (wire.len == name.len)
		return true;
	enum { POINTER_SIZE = 2 }; /* RFC 1035 4.1.4 */
	const size_t head = wire.len - POINTER_SIZE, rest = name.len - head;
	if (rest > origin.len)
		return false;
	const size_t tail = origin.len - rest;
	*out = (struct mrg_dns_tied_name){ { wire.p, head }, (uint16_t)tail };
	return memcmp(mrg_dns_name_flat_from(&name, 0).p + head, origin.p + tail, rest) == 0;
}

bool mrg_dns_zone_take_apart(struct mrg_dns_zone *z)
{
	const struct mrg_dns_rrset *const set = mrg_dns_node_sets(z->negative);
	struct mrg_dns_rr rr;
	struct mrg_dns_soa soa;
	if (mrg_dns_rr_check(mrg_dns_rrset_wire(set, false), mrg_dns_rrset_message(z->negative, set), &rr,
		    NULL) != MRG_OK ||
		!mrg_dns_rr_rdata_as_soa(&rr, &soa))
		return false;
	const struct mrg_dns_name mname = mrg_dns_soa_mname(&soa), rname = mrg_dns_soa_rname(&soa);
	const struct mrg_span rdata = mrg_dns_rr_rdata_raw(&rr);
	const size_t names = mrg_dns_name_span(&mname).len + mrg_dns_name_span(&rname).len;
	z->soa = (struct mrg_dns_soa_form){ .numbers = { rdata.p + names, rdata.len - names },
		.ttl = mrg_dns_rr_ttl(&rr) };
	return tie(z, &mname, &z->soa.mname) && tie(z, &rname, &z->soa.rname);
}

/* The SOA that goes into negative answers: its TTL is at most its MINIMUM.  RFC 2308 section 3 */
static enum mrg_status settle_soa(struct mrg_dns_zone_builder *b, const struct mrg_dns_node *apex,
	struct mrg_dns_zone *z, struct mrg_dns_zone_error *err)
{
	struct mrg_dns_rr rr;
	struct mrg_dns_soa soa;
	if (apex == NULL || mrg_dns_node_soa(apex, &rr, &soa) != MRG_OK)
		return mrg_dns_zone_die(
			b, err, MRG_DNS_ZONE_NO_SOA, MRG_E_VALUE, origin_of(b), MRG_DNS_TYPE_SOA);
	z->serial = mrg_dns_soa_serial(&soa);
	struct mrg_dns_pack_only only = { MRG_DNS_TYPE_SOA, mrg_dns_soa_minimum(&soa) };
	if (only.ttl > mrg_dns_rr_ttl(&rr))
		only.ttl = mrg_dns_rr_ttl(&rr);
	z->negative = mrg_dns_zone_pack(b, &apex, 1, &only, err);
	return z->negative != NULL ? MRG_OK : b->st;
}

enum mrg_status mrg_dns_zone_settle_apex(struct mrg_dns_zone_builder *b, const struct mrg_dns_node *apex,
	struct mrg_dns_zone *z, struct mrg_dns_zone_error *err)
{
	const enum mrg_status st = settle_soa(b, apex, z, err);
	if (st == MRG_OK && mrg_dns_node_find(apex, MRG_DNS_TYPE_NS) == NULL)
		return mrg_dns_zone_die(
			b, err, MRG_DNS_ZONE_NO_NS, MRG_E_VALUE, origin_of(b), MRG_DNS_TYPE_NS);
	return st;
}

static enum mrg_status settle_apex(struct mrg_dns_zone_finishing *x, struct mrg_dns_zone_error *err)
{
	struct mrg_dns_zone *const z = x->zone;
	z->apex = mrg_dns_zone_probe(z, origin_of(x->b));
	const enum mrg_status st = mrg_dns_zone_settle_apex(x->b, z->apex, z, err);
	if (st != MRG_OK)
		return st;
	z->node_len += mrg_dns_node_size(z->negative);
	return mrg_dns_zone_take_apart(z) ? MRG_OK : full(x->b, err);
}

/* --- pieces ---------------------------------------------------------------------------------------------- */

static enum mrg_status close_and_begin(struct mrg_dns_zone_finishing *x, struct mrg_dns_zone_error *err)
{
	struct mrg_dns_zone_builder *const b = x->b;
	if (b->st != MRG_OK)
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_DEAD, b->st, (struct mrg_span){ NULL, 0 }, 0);
	const enum mrg_status st = mrg_dns_zone_close(b, err);
	b->st = MRG_E_VALUE; /* whatever comes, nothing can be added any more */
	x->step = MRG_DNS_FINISH_INDEX;
	return st == MRG_OK ? begin_index(x, err) : st;
}

static enum mrg_status go_on_index(struct mrg_dns_zone_finishing *x, struct mrg_dns_zone_error *err)
{
	enum mrg_status st = index_on(x, err);
	if (st != MRG_OK || x->part < MRG_DNS_ZONE_PARTS)
		return st;
	st = settle_apex(x, err);
	if (st != MRG_OK)
		return st;
	begin_links(x);
	x->step = MRG_DNS_FINISH_LINK;
	return MRG_OK;
}

static enum mrg_status go_on_links(struct mrg_dns_zone_finishing *x, struct mrg_dns_zone_error *err)
{
	if (!link_on(x))
		return full(x->b, err);
	if (x->node != NULL)
		return MRG_OK;
	if (mrg_dns_zone_denial(x->zone) != MRG_OK)
		return mrg_dns_zone_die(
			x->b, err, MRG_DNS_ZONE_NSEC3, MRG_E_LIMIT, origin_of(x->b), MRG_DNS_TYPE_NSEC3PARAM);
	mrg_dns_zone_chain_begin(&x->chaining, x->zone, x->b->arena, x->b->arena);
	x->step = MRG_DNS_FINISH_CHAIN;
	return MRG_OK;
}

static enum mrg_status go_on_chain(struct mrg_dns_zone_finishing *x, struct mrg_dns_zone_error *err)
{
	if (x->zone->denial == MRG_DNS_DENIAL_NONE)
		return MRG_OK;
	const enum mrg_status st = mrg_dns_zone_chain_some(&x->chaining);
	return st == MRG_E_SPACE ? full(x->b, err) : st;
}

void mrg_dns_zone_finish_begin(struct mrg_dns_zone_finishing *f, struct mrg_dns_zone_builder *b)
{
	*f = (struct mrg_dns_zone_finishing){ .b = b, .zone = b->zone };
}

enum mrg_status mrg_dns_zone_finish_some(
	struct mrg_dns_zone_finishing *f, const struct mrg_dns_zone **out, struct mrg_dns_zone_error *err)
{
	enum mrg_status st = MRG_OK;
	switch (f->step) {
	case MRG_DNS_FINISH_CLOSE: st = close_and_begin(f, err); break;
	case MRG_DNS_FINISH_INDEX: st = go_on_index(f, err); break;
	case MRG_DNS_FINISH_LINK: st = go_on_links(f, err); break;
	case MRG_DNS_FINISH_CHAIN:
		st = go_on_chain(f, err);
		if (st == MRG_OK)
			*out = f->zone;
		return st;
	}
	return st == MRG_OK ? MRG_MORE : st;
}

enum mrg_status mrg_dns_zone_finish(
	struct mrg_dns_zone_builder *b, const struct mrg_dns_zone **out, struct mrg_dns_zone_error *err)
{
	struct mrg_dns_zone_finishing f;
	enum mrg_status st = MRG_MORE;
	mrg_dns_zone_finish_begin(&f, b);
	while (st == MRG_MORE)
		st = mrg_dns_zone_finish_some(&f, out, err);
	return st;
}
