/*
 * The NSEC or NSEC3 chain of a changed zone: that of the old version with the handles of nodes that moved replaced, without those that
 * went, and with those that came put where they belong.
 */
#include "protocols/dns/zone_chain.h"
#include "protocols/dns/zone_edit.h"
#include "protocols/dns/zone_sort.h"

/* ---- where nodes went ---- */

static size_t slot_of(const struct mrg_dns_edit_moves *m, uint32_t from)
{
	return (size_t)(uint32_t)(from * UINT32_C(0x9e3779b1)) * m->slot_count >> 32;
}

enum mrg_status mrg_dns_edit_moves_init(struct mrg_dns_edit_moves *m, struct mrg_arena *scratch, size_t count)
{
	/* most of what a chain asks for has not moved, and should find nothing at the first look */
	m->slot_count = 8 * count + 1;
	m->slots = mrg_arena_get(scratch, m->slot_count * sizeof(struct mrg_dns_edit_move),
		_Alignof(struct mrg_dns_edit_move));
	return m->slots != NULL ? MRG_OK : MRG_E_SPACE;
}

void mrg_dns_edit_move_add(struct mrg_dns_edit_moves *m, uint32_t from, uint32_t to)
{
	size_t i = slot_of(m, from);
	while (m->slots[i].from != 0) /* there are more slots than moves */
		i = i + 1 < m->slot_count ? i + 1 : 0;
	m->slots[i] = (struct mrg_dns_edit_move){ from, to };
}

/* Where the node of this handle is now; 0: nowhere. */
static uint32_t moved(const struct mrg_dns_edit_moves *m, uint32_t from)
{
	for (size_t i = slot_of(m, from); m->slots[i].from != 0; i = i + 1 < m->slot_count ? i + 1 : 0) {
		if (m->slots[i].from == from)
			return m->slots[i].to;
	}
	return from;
}

/* ---- the chain ---- */

/* While copying. */
struct copying {
	const struct mrg_dns_zone *old;
	struct mrg_dns_zone *made;
	const struct mrg_dns_edit_moves *moves;
	const void **came; /* nodes of the new version that the old chain does not have, in order */
	size_t came_count;
	bool left; /* nodes that stay are no longer of the chain */
};

static bool same_denial(const struct mrg_dns_zone *a, const struct mrg_dns_zone *b)
{
	return a->denial == b->denial && a->nsec3.iterations == b->nsec3.iterations &&
	       mrg_span_eq((struct mrg_span){ a->nsec3.salt, a->nsec3.salt_len },
		       (struct mrg_span){ b->nsec3.salt, b->nsec3.salt_len });
}

/* List the names that join the chain. */
static bool list_came(struct copying *x, struct mrg_dns_zone_change *c)
{
	size_t count = 0;
	for (const struct mrg_dns_edit_name *n = c->first; n != NULL; n = n->next)
		count += n->edited;
	x->came = mrg_arena_get(c->scratch, 2 * count * sizeof *x->came, _Alignof(void *));
	if (x->came == NULL)
		return false;
	for (const struct mrg_dns_edit_name *n = c->first; n != NULL; n = n->next) {
		if (!n->edited)
			continue;
		const struct mrg_dns_node *const node =
			n->there ? mrg_dns_zone_probe(x->made, n->name) : NULL;
		const bool was = n->old != NULL && mrg_dns_zone_in_chain(x->old, n->old);
		const bool is = node != NULL && mrg_dns_zone_in_chain(x->made, node);
		x->left = x->left || (was && !is && n->there);
		if (is && !was)
			x->came[x->came_count++] = node;
	}
	mrg_dns_zone_sort(x->came, x->came + count, x->came_count, mrg_dns_zone_before_name, NULL);
	return true;
}

/* Copy the old chain from `from` to `to` behind `at`, without what went. */
static uint32_t *copy(const struct copying *x, size_t from, size_t to, uint32_t *at)
{
	for (size_t i = from; i < to; i++) {
		const uint32_t was = x->old->chain[i], now = moved(x->moves, was);
		if (now == 0)
			continue;
		if (x->left && now != was && !mrg_dns_zone_in_chain(x->made, mrg_dns_node_at(x->made, now)))
			continue;
		*at++ = now;
	}
	return at;
}

static enum mrg_status merge(struct copying *x, struct mrg_arena *tables)
{
	const size_t mark = tables->len;
	uint32_t *const chain = mrg_arena_get(
		tables, (x->old->chain_len + x->came_count) * sizeof *chain, _Alignof(uint32_t));
	uint32_t *at = chain;
	size_t done = 0;
	if (chain == NULL)
		return MRG_E_SPACE;
	for (size_t i = 0; i < x->came_count; i++) {
		struct mrg_dns_name_flat name;
		bool exact;
		if (mrg_dns_name_flat_check(mrg_dns_node_name(x->came[i]), &name) != MRG_OK)
			return MRG_E_SPACE; /* can't be */
		const size_t place = mrg_dns_chain_place(x->old, &name, &exact);
		at = copy(x, done, place, at);
		*at++ = mrg_dns_node_handle(x->made, x->came[i]);
		done = place;
	}
	at = copy(x, done, x->old->chain_len, at);
	x->made->chain = chain;
	x->made->chain_len = (size_t)(at - chain);
	tables->len -= (size_t)(chain + x->old->chain_len + x->came_count - at) * sizeof *chain;
	(void)mark;
	return MRG_OK;
}

enum mrg_status mrg_dns_edit_chain(
	struct mrg_dns_zone_change *c, struct mrg_dns_zone *made, const struct mrg_dns_edit_moves *moves)
{
	struct copying x = { .old = c->zone, .made = made, .moves = moves };
	const enum mrg_status st = mrg_dns_zone_denial(made);
	made->chain = NULL;
	made->chain_len = 0;
	if (st != MRG_OK || made->denial == MRG_DNS_DENIAL_NONE)
		return st;
	if (!same_denial(c->zone, made))
		return mrg_dns_zone_chain_all(made, c->tables, c->scratch);
	if (!list_came(&x, c))
		return MRG_E_SPACE;
	return merge(&x, c->tables);
}
