/*
 * Writing a new version: the records of each name that changed are laid down in scratch memory as when a zone is built; then the buckets
 * that they are in are written anew at the end of the nodes, with what else is in them, and the new directory leads there.
 */
#include "protocols/dns/zone_edit.h"
#include "protocols/dns/zone_sort.h"

/* While finishing. */
struct writing {
	struct mrg_dns_zone_change *c;
	struct mrg_dns_zone_builder *b; /* in scratch memory */
	struct mrg_dns_zone *made;
	uint32_t *buckets;
	const void **changed; /* names, by bucket */
	size_t changed_count;
	struct mrg_dns_edit_moves moves;
	struct mrg_dns_zone_error *err;
};

static enum mrg_status full(const struct writing *w)
{
	return mrg_dns_zone_die(w->b, w->err, MRG_DNS_ZONE_FULL, MRG_E_SPACE,
		mrg_dns_name_flat_from(&w->c->zone->origin, 0), 0);
}

/* ---- records ---- */

static enum mrg_status add_list(const struct writing *w, const struct mrg_dns_edit_name *n,
	const struct mrg_dns_edit_set *set, const struct mrg_dns_edit_list *list)
{
	for (const struct mrg_dns_edit_record *r = list->first; r != NULL; r = r->next) {
		if (!r->is)
			continue;
		const uint16_t type = r->sig ? MRG_DNS_TYPE_RRSIG : set->type;
		const enum mrg_status st =
			mrg_dns_zone_add(w->b, n->name, type, MRG_DNS_CLASS_IN, set->ttl, r->rdata, w->err);
		if (st != MRG_OK)
			return st;
	}
	return MRG_OK;
}

/* Lay down the records of a name whose records changed. */
static enum mrg_status make_node(const struct writing *w, struct mrg_dns_edit_name *n)
{
	struct mrg_dns_node *node;
	enum mrg_status st = MRG_OK;
	for (const struct mrg_dns_edit_set *s = n->sets; s != NULL && st == MRG_OK; s = s->next) {
		st = add_list(w, n, s, &s->data);
		if (st == MRG_OK)
			st = add_list(w, n, s, &s->sigs);
	}
	if (st == MRG_OK)
		st = mrg_dns_zone_complete(w->b, &node, w->err);
	if (st != MRG_OK)
		return st;
	n->made = node;
	n->full = node != NULL;
	return MRG_OK;
}

static enum mrg_status make_nodes(struct writing *w)
{
	const struct mrg_span origin = mrg_dns_name_flat_from(&w->c->zone->origin, 0);
	w->b = mrg_arena_get(w->c->scratch, sizeof *w->b, _Alignof(struct mrg_dns_zone_builder));
	if (w->b == NULL || mrg_dns_zone_begin(w->b, w->c->scratch, origin) != MRG_OK)
		return mrg_dns_zone_refuse(w->err, MRG_DNS_ZONE_FULL, MRG_E_SPACE, origin, 0);
	for (struct mrg_dns_edit_name *n = w->c->first; n != NULL; n = n->next) {
		const enum mrg_status st = n->edited ? make_node(w, n) : MRG_OK;
		if (st != MRG_OK)
			return st;
	}
	return MRG_OK;
}

/* ---- buckets ---- */

static bool before_bucket(const void *ctx, const void *a, const void *b)
{
	return mrg_dns_edit_bucket(ctx, a) < mrg_dns_edit_bucket(ctx, b);
}

static bool list_changed(struct writing *w)
{
	struct mrg_dns_zone_change *const c = w->c;
	size_t count = 0;
	for (const struct mrg_dns_edit_name *n = c->first; n != NULL; n = n->next)
		count += mrg_dns_edit_changed(n);
	w->changed = mrg_arena_get(c->scratch, 2 * count * sizeof *w->changed, _Alignof(void *));
	if (w->changed == NULL)
		return false;
	for (const struct mrg_dns_edit_name *n = c->first; n != NULL; n = n->next) {
		if (mrg_dns_edit_changed(n))
			w->changed[w->changed_count++] = n;
	}
	mrg_dns_zone_sort(w->changed, w->changed + count, count, before_bucket, c->zone);
	return true;
}

static size_t records_of(const struct mrg_dns_node *n)
{
	const struct mrg_dns_rrset *s = mrg_dns_node_sets(n);
	size_t count = 0;
	for (unsigned left = n->sets; left > 0; left--, s = mrg_dns_rrset_next(s))
		count += (size_t)s->count + s->sig_count;
	return count;
}

/* Memory at the end of the nodes that a handle can say. */
static void *take(struct writing *w, size_t size)
{
	struct mrg_arena *const a = w->c->nodes;
	uint8_t *const at = mrg_arena_get(a, size, MRG_DNS_GRAIN);
	return at != NULL && (size_t)(at - a->p) / MRG_DNS_GRAIN <= UINT32_MAX ? at : NULL;
}

static bool put_node(struct writing *w, const struct mrg_dns_node *n, struct mrg_dns_node **last)
{
	const size_t size = mrg_dns_node_size(n);
	struct mrg_dns_node *const at = take(w, size);
	if (at == NULL)
		return false;
	memcpy(at, n, size);
	at->flags = (uint16_t)(at->flags & ~(unsigned)MRG_DNS_NODE_LAST);
	*last = at;
	w->made->node_count++;
	w->made->node_len += size;
	w->made->record_count += records_of(at);
	return true;
}

/* A node that has no records. */
static bool put_empty(struct writing *w, const struct mrg_dns_edit_name *n, struct mrg_dns_node **last)
{
	struct mrg_arena *const a = w->c->nodes;
	struct mrg_dns_zone_builder b = { .arena = a };
	const size_t pad = (MRG_DNS_GRAIN - a->len % MRG_DNS_GRAIN) % MRG_DNS_GRAIN;
	if (mrg_arena_get(a, pad, 1) == NULL)
		return false;
	struct mrg_dns_node *const at = mrg_dns_zone_new_node(&b, n->name, n->labels);
	if (at == NULL || !mrg_dns_zone_seal(&b, at))
		return false;
	*last = at;
	w->made->node_count++;
	w->made->node_len += mrg_dns_node_size(at);
	return true;
}

/* Write the node of a name that changed. */
static bool put_name(struct writing *w, const struct mrg_dns_edit_name *n, struct mrg_dns_node **last)
{
	const struct mrg_dns_node *const from = n->edited ? n->made : n->old;
	if (from != NULL ? !put_node(w, from, last) : !put_empty(w, n, last))
		return false;
	struct mrg_dns_node *const at = *last;
	/* it was sound with these records already, so what it is can't be refused */
	unsigned flags = mrg_dns_zone_settle(w->b, at, NULL) == MRG_OK ? at->flags : 0;
	if (n->below > 0)
		flags &= ~(unsigned)MRG_DNS_NODE_HASHED;
	if (n->wild)
		flags |= MRG_DNS_NODE_WILD;
	if (n->occlusion == MRG_DNS_EDIT_OCCLUDED)
		flags |= MRG_DNS_NODE_OCCLUDED;
	at->flags = (uint16_t)flags;
	at->below = n->below;
	return true;
}

/* The name among those changed that the old node is of, or NULL. */
static const struct mrg_dns_edit_name *whose(
	const void *const *changed, size_t count, const struct mrg_dns_node *old)
{
	for (size_t i = 0; i < count; i++) {
		const struct mrg_dns_edit_name *const n = changed[i];
		if (n->old == old)
			return n;
	}
	return NULL;
}

/* Write what stays of an old bucket, and note where all of it went. */
static bool put_old(struct writing *w, size_t bucket, const void *const *changed, size_t count,
	struct mrg_dns_node **last)
{
	const struct mrg_dns_zone *const z = w->c->zone;
	if (z->buckets[bucket] == 0)
		return true;
	for (const struct mrg_dns_node *n = mrg_dns_node_at(z, z->buckets[bucket]);;
		n = mrg_dns_node_after(n)) {
		const struct mrg_dns_edit_name *const name = whose(changed, count, n);
		w->made->node_count--;
		w->made->node_len -= mrg_dns_node_size(n);
		w->made->record_count -= records_of(n);
		struct mrg_dns_node *at = NULL;
		const bool stays = name == NULL || name->there;
		if (stays && !(name != NULL ? put_name(w, name, &at) : put_node(w, n, &at)))
			return false;
		if (stays)
			*last = at;
		mrg_dns_edit_move_add(
			&w->moves, mrg_dns_node_handle(z, n), stays ? mrg_dns_node_handle(z, at) : 0);
		if ((n->flags & MRG_DNS_NODE_LAST) != 0)
			return true;
	}
}

static bool put_bucket(struct writing *w, size_t bucket, const void *const *changed, size_t count)
{
	struct mrg_arena *const a = w->c->nodes;
	struct mrg_dns_node *last = NULL;
	const size_t pad = (MRG_DNS_GRAIN - a->len % MRG_DNS_GRAIN) % MRG_DNS_GRAIN;
	const size_t from = (a->len + pad) / MRG_DNS_GRAIN; /* where the first node will be */
	if (!put_old(w, bucket, changed, count, &last))
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct mrg_dns_edit_name *const n = changed[i];
		if (n->old == NULL && !put_name(w, n, &last))
			return false;
	}
	if (last != NULL)
		last->flags |= MRG_DNS_NODE_LAST;
	w->buckets[bucket] = last != NULL ? (uint32_t)from : 0;
	return true;
}

/* Nodes in the buckets that will be written anew. */
static size_t count_old(const struct writing *w)
{
	const struct mrg_dns_zone *const z = w->c->zone;
	size_t count = 0, done = z->bucket_count;
	for (size_t i = 0; i < w->changed_count; i++) {
		const size_t bucket = mrg_dns_edit_bucket(z, w->changed[i]);
		if (bucket == done || z->buckets[bucket] == 0)
			continue;
		done = bucket;
		for (const struct mrg_dns_node *n = mrg_dns_node_at(z, z->buckets[bucket]);;
			n = mrg_dns_node_after(n)) {
			count++;
			if ((n->flags & MRG_DNS_NODE_LAST) != 0)
				break;
		}
	}
	return count;
}

static enum mrg_status put_buckets(struct writing *w)
{
	const struct mrg_dns_zone *const z = w->c->zone;
	if (!list_changed(w) || mrg_dns_edit_moves_init(&w->moves, w->c->scratch, count_old(w)) != MRG_OK)
		return full(w);
	for (size_t i = 0, end; i < w->changed_count; i = end) {
		const size_t bucket = mrg_dns_edit_bucket(z, w->changed[i]);
		for (end = i + 1; end < w->changed_count; end++) {
			if (mrg_dns_edit_bucket(z, w->changed[end]) != bucket)
				break;
		}
		if (!put_bucket(w, bucket, w->changed + i, end - i))
			return full(w);
	}
	return MRG_OK;
}

/* ---- the version ---- */

/* A copy of the old version: its head, and its directory. */
static bool copy_version(struct writing *w)
{
	const struct mrg_dns_zone *const z = w->c->zone;
	struct mrg_arena *const a = w->c->tables;
	w->made = mrg_arena_get(a, sizeof *w->made, _Alignof(struct mrg_dns_zone));
	w->buckets = mrg_arena_get(a, z->bucket_count * sizeof *w->buckets, _Alignof(uint32_t));
	if (w->made == NULL || w->buckets == NULL)
		return false;
	*w->made = *z;
	memcpy(w->buckets, z->buckets, z->bucket_count * sizeof *w->buckets);
	w->made->buckets = w->buckets;
	return true;
}

/* What the zone has at its apex, once that is written.  The SOA of negative answers stands behind the buckets. */
static enum mrg_status put_apex(struct writing *w)
{
	struct mrg_dns_zone *const made = w->made;
	const struct mrg_span origin = mrg_dns_name_flat_from(&made->origin, 0);
	const struct mrg_dns_edit_name *const n = mrg_dns_edit_known(w->c, origin);
	made->apex = mrg_dns_zone_probe(made, origin);
	if (n == NULL || !n->edited)
		return MRG_OK;
	made->node_len -= mrg_dns_node_size(made->negative);
	const enum mrg_status st = mrg_dns_zone_settle_apex(w->b, n->made, made, w->err);
	if (st != MRG_OK)
		return st;
	const size_t size = mrg_dns_node_size(made->negative);
	void *const at = take(w, size);
	if (at == NULL)
		return full(w);
	memcpy(at, made->negative, size);
	made->negative = at;
	made->node_len += size;
	return mrg_dns_zone_take_apart(made) ? MRG_OK : full(w);
}

static enum mrg_status put_chain(struct writing *w)
{
	const enum mrg_status st = mrg_dns_edit_chain(w->c, w->made, &w->moves);
	if (st == MRG_E_LIMIT)
		return mrg_dns_zone_die(w->b, w->err, MRG_DNS_ZONE_NSEC3, st,
			mrg_dns_name_flat_from(&w->made->origin, 0), MRG_DNS_TYPE_NSEC3PARAM);
	return st == MRG_OK ? st : full(w);
}

static enum mrg_status write_all(struct writing *w)
{
	enum mrg_status st = make_nodes(w);
	if (st == MRG_OK && (!mrg_dns_edit_tree(w->c) || !copy_version(w)))
		st = full(w);
	if (st == MRG_OK)
		st = put_buckets(w);
	if (st == MRG_OK)
		st = put_apex(w);
	if (st == MRG_OK)
		st = put_chain(w);
	return st;
}

static void rewind_to(struct mrg_arena *a, size_t mark)
{
	memset(a->p + mark, 0, a->len - mark);
	a->len = mark;
}

void mrg_dns_zone_change_undo(struct mrg_dns_zone_change *c, size_t nodes, size_t tables)
{
	rewind_to(c->nodes, nodes);
	rewind_to(c->tables, tables);
	c->made = NULL;
	c->st = MRG_E_VALUE;
}

enum mrg_status mrg_dns_zone_change_finish(
	struct mrg_dns_zone_change *c, const struct mrg_dns_zone **out, struct mrg_dns_zone_error *err)
{
	struct writing w = { .c = c, .err = err };
	const size_t nodes_from = c->nodes->len, tables_from = c->tables->len;
	if (c->st != MRG_OK || c->made != NULL)
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_DEAD, c->st != MRG_OK ? c->st : MRG_E_VALUE,
			(struct mrg_span){ NULL, 0 }, 0);
	c->st = write_all(&w);
	if (c->st != MRG_OK) {
		rewind_to(c->nodes, nodes_from);
		rewind_to(c->tables, tables_from);
		return c->st;
	}
	*out = c->made = w.made;
	return MRG_OK;
}
