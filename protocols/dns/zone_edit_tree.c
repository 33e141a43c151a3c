/*
 * Which names a changed zone has.  Names with records exist, and so does each above (RFC 4592 2.2.2): first the new ones come, with
 * what is missing above them; then those go that have neither records nor names below, and what is above them likewise.  As each node
 * says how many are below, nothing needs to be searched.
 */
#include "protocols/dns/zone_edit.h"

/* The name above, which is not above the apex; NULL: no scratch memory is left. */
static struct mrg_dns_edit_name *above(struct mrg_dns_zone_change *c, struct mrg_dns_edit_name *n)
{
	struct mrg_dns_name_flat name;
	if (n->up == NULL && mrg_dns_name_flat_check(n->name, &name) == MRG_OK)
		n->up = mrg_dns_edit_at(c, mrg_dns_name_flat_from(&name, 1), n->labels - 1);
	return n->up;
}

static bool is_apex(const struct mrg_dns_zone_change *c, const struct mrg_dns_edit_name *n)
{
	return n->labels == c->zone->origin.count;
}

/* The name exists from now on, and each above. */
static bool come(struct mrg_dns_zone_change *c, struct mrg_dns_edit_name *n)
{
	while (!n->there) {
		n->there = true;
		if (is_apex(c, n))
			return true;
		struct mrg_dns_edit_name *const up = above(c, n);
		if (up == NULL)
			return false;
		up->below++;
		up->wild = up->wild || mrg_dns_zone_is_wildcard(n->name);
		n = up;
	}
	return true;
}

/* The name does not exist from now on unless something makes it, and the same for each above. */
static bool go(struct mrg_dns_zone_change *c, struct mrg_dns_edit_name *n)
{
	while (n->there && !n->full && n->below == 0 && !is_apex(c, n)) {
		struct mrg_dns_edit_name *const up = above(c, n);
		n->there = false;
		if (up == NULL)
			return false;
		up->below--;
		if (mrg_dns_zone_is_wildcard(n->name))
			up->wild = false;
		n = up;
	}
	return true;
}

enum { COVERS = MRG_DNS_NODE_CUT | MRG_DNS_NODE_DNAME };

/* Note names that become or cease to be a cut or DNAME, and that have had names below.  True: there are some. */
static bool find_turned(struct mrg_dns_zone_change *c)
{
	bool any = false;
	for (struct mrg_dns_edit_name *n = c->first; n != NULL; n = n->next) {
		if (n->old == NULL || !n->edited || n->old->below == 0 || n->below == 0)
			continue;
		const bool was = (n->old->flags & COVERS) != 0, is = (mrg_dns_edit_flags(n) & COVERS) != 0;
		n->turned = was != is;
		any = any || n->turned;
	}
	return any;
}

/* Is a name strictly above that of the node `turned`? */
static bool below_turned(const struct mrg_dns_zone_change *c, const struct mrg_dns_node *n)
{
	struct mrg_dns_name_flat name;
	if (n->labels == c->zone->origin.count ||
		mrg_dns_name_flat_check(mrg_dns_node_name(n), &name) != MRG_OK)
		return false;
	for (unsigned i = 1; i + c->zone->origin.count <= name.count; i++) {
		const struct mrg_dns_edit_name *const up =
			mrg_dns_edit_known(c, mrg_dns_name_flat_from(&name, i));
		if (up != NULL && up->turned)
			return true;
	}
	return false;
}

/* Look at every name that is below one that turned: what it is follows anew. */
static bool look_below(struct mrg_dns_zone_change *c)
{
	const struct mrg_dns_zone *const z = c->zone;
	size_t bucket = 0;
	for (const struct mrg_dns_node *n = mrg_dns_zone_first(z, &bucket); n != NULL;
		n = mrg_dns_zone_after(z, n, &bucket)) {
		if (below_turned(c, n) && mrg_dns_edit_at(c, mrg_dns_node_name(n), n->labels) == NULL)
			return false;
	}
	return true;
}

/*
 * Whether the name is below a cut or DNAME.  What is above it decides, up to a name of which it is known: the apex, and if
 * nothing turned all that were there before.  Each name is looked at once.
 */
static bool settle_occlusion(struct mrg_dns_zone_change *c, struct mrg_dns_edit_name *n, bool turned)
{
	struct mrg_dns_edit_name *path[MRG_DNS_LABELS];
	unsigned depth = 0;
	for (; n->occlusion == MRG_DNS_EDIT_UNKNOWN; path[depth++] = n, n = n->up) {
		if (is_apex(c, n))
			n->occlusion = MRG_DNS_EDIT_OPEN;
		else if (n->old != NULL && !turned)
			n->occlusion = (n->old->flags & MRG_DNS_NODE_OCCLUDED) != 0 ? MRG_DNS_EDIT_OCCLUDED
										    : MRG_DNS_EDIT_OPEN;
		if (n->occlusion != MRG_DNS_EDIT_UNKNOWN)
			break;
		if (above(c, n) == NULL)
			return false;
	}
	for (; depth > 0; n = path[--depth]) {
		const bool covered =
			n->occlusion == MRG_DNS_EDIT_OCCLUDED || (mrg_dns_edit_flags(n) & COVERS) != 0;
		path[depth - 1]->occlusion = covered ? MRG_DNS_EDIT_OCCLUDED : MRG_DNS_EDIT_OPEN;
	}
	return true;
}

bool mrg_dns_edit_changed(const struct mrg_dns_edit_name *n)
{
	if (n->old == NULL || !n->there)
		return n->old != NULL || n->there;
	return n->edited || n->below != n->old->below ||
	       n->wild != ((n->old->flags & MRG_DNS_NODE_WILD) != 0) ||
	       (n->occlusion == MRG_DNS_EDIT_OCCLUDED) != ((n->old->flags & MRG_DNS_NODE_OCCLUDED) != 0);
}

bool mrg_dns_edit_tree(struct mrg_dns_zone_change *c)
{
	/* names that are looked at on the way join the end of the list */
	for (struct mrg_dns_edit_name *n = c->first; n != NULL; n = n->next) {
		if (n->full && !come(c, n))
			return false;
	}
	for (struct mrg_dns_edit_name *n = c->first; n != NULL; n = n->next) {
		if (!go(c, n))
			return false;
	}
	const bool turned = find_turned(c);
	if (turned && !look_below(c))
		return false;
	for (struct mrg_dns_edit_name *n = c->first; n != NULL; n = n->next) {
		if (n->there && !settle_occlusion(c, n, turned))
			return false;
	}
	return true;
}
