/* Asking a finished zone: where does a name stand?  See zone_store.h. */
#include "dns/rr.h"
#include "protocols/dns/zone_store.h"

/* Does the node exist for queries? */
static const struct mrg_dns_node *probe(
	const struct mrg_dns_zone *z, const struct mrg_dns_name_flat *name, unsigned at)
{
	const struct mrg_dns_node *const n = mrg_dns_zone_probe(z, mrg_dns_name_flat_from(name, at));
	return n != NULL && (n->flags & MRG_DNS_NODE_HASHED) == 0 ? n : NULL;
}

/*
 * The ancestors of a node exist, so existence is monotone along a name: bisect between the name itself, which does
 * not exist, and the apex, which does.
 */
static void find_encloser(
	const struct mrg_dns_zone *z, const struct mrg_dns_name_flat *name, struct mrg_dns_place *out)
{
	unsigned absent = 0;
	out->encloser = z->apex;
	out->encloser_at = name->count - z->apex->labels;
	while (out->encloser_at - absent > 1) {
		const unsigned mid = absent + (out->encloser_at - absent) / 2;
		const struct mrg_dns_node *const n = probe(z, name, mid);
		if (n == NULL) {
			absent = mid;
		} else {
			out->encloser = n;
			out->encloser_at = mid;
		}
	}
}

/*
 * What occludes occludes all below, so this is monotone along a name, too: bisect between its item `below`, which is
 * occluded, and the apex, which is not.  The lowest ancestor that is not occluded is the cut or DNAME.
 */
static const struct mrg_dns_node *find_cover(
	const struct mrg_dns_zone *z, const struct mrg_dns_name_flat *name, unsigned below)
{
	const struct mrg_dns_node *cover = z->apex;
	unsigned at = name->count - z->apex->labels;
	while (at - below > 1) {
		const unsigned mid = below + (at - below) / 2;
		const struct mrg_dns_node *const n = mrg_dns_zone_probe(z, mrg_dns_name_flat_from(name, mid));
		if (n == NULL || (n->flags & MRG_DNS_NODE_OCCLUDED) != 0) {
			below = mid;
		} else {
			cover = n;
			at = mid;
		}
	}
	return cover;
}

void mrg_dns_zone_locate(
	const struct mrg_dns_zone *z, const struct mrg_dns_name_flat *name, struct mrg_dns_place *out)
{
	out->node = probe(z, name, 0);
	out->encloser = out->node;
	out->encloser_at = 0;
	if (out->node == NULL)
		find_encloser(z, name, out);
	const struct mrg_dns_node *n = out->encloser;
	if ((n->flags & MRG_DNS_NODE_OCCLUDED) != 0)
		n = find_cover(z, name, out->encloser_at);
	const bool below = n->labels < name->count;
	const bool covers =
		(n->flags & MRG_DNS_NODE_CUT) != 0 || (below && (n->flags & MRG_DNS_NODE_DNAME) != 0);
	out->cover = covers ? n : NULL;
	out->cover_at = name->count - n->labels;
}

enum mrg_status mrg_dns_node_soa(
	const struct mrg_dns_node *apex, struct mrg_dns_rr *rr, struct mrg_dns_soa *soa)
{
	const struct mrg_dns_rrset *const set = mrg_dns_node_find(apex, MRG_DNS_TYPE_SOA);
	if (set == NULL)
		return MRG_E_VALUE;
	const enum mrg_status st =
		mrg_dns_rr_check(mrg_dns_rrset_wire(set, false), mrg_dns_rrset_message(apex, set), rr, NULL);
	if (st != MRG_OK)
		return st;
	return mrg_dns_rr_rdata_as_soa(rr, soa) ? MRG_OK : MRG_E_VALUE;
}

const struct mrg_dns_node *mrg_dns_zone_wildcard(
	const struct mrg_dns_zone *z, const struct mrg_dns_node *encloser)
{
	struct mrg_dns_name_flat name;
	if ((encloser->flags & MRG_DNS_NODE_WILD) == 0)
		return NULL;
	if (mrg_dns_zone_wildcard_name(mrg_dns_node_name(encloser), &name) != MRG_OK)
		return NULL;
	return mrg_dns_zone_probe(z, mrg_dns_name_flat_from(&name, 0));
}

enum mrg_status mrg_dns_zone_wildcard_name(struct mrg_span encloser, struct mrg_dns_name_flat *out)
{
	static const uint8_t asterisk[] = "\001*"; /* and the string's NUL is the root */
	struct mrg_dns_name_flat head;
	const enum mrg_status st =
		mrg_dns_name_flat_check((struct mrg_span){ asterisk, sizeof asterisk }, &head);
	if (st != MRG_OK)
		return st;
	return mrg_dns_name_flat_join(&head, 1, encloser, out);
}

enum mrg_status mrg_dns_zone_absent(
	struct mrg_arena *a, struct mrg_span origin, const struct mrg_dns_zone **out)
{
	struct mrg_dns_zone *const z = mrg_arena_get(a, sizeof *z, _Alignof(struct mrg_dns_zone));
	const uint32_t *const bucket = mrg_arena_get(a, sizeof *bucket, _Alignof(uint32_t));
	if (z == NULL || bucket == NULL)
		return MRG_E_SPACE;
	const enum mrg_status st = mrg_dns_name_flat_check(origin, &z->origin);
	if (st != MRG_OK)
		return st;
	z->base = a->p;
	z->buckets = bucket; /* empty */
	z->bucket_count = 1;
	*out = z;
	return MRG_OK;
}

bool mrg_dns_zone_is_absent(const struct mrg_dns_zone *z) { return z->apex == NULL; }

struct mrg_span mrg_dns_zone_origin(const struct mrg_dns_zone *z)
{
	return mrg_dns_name_flat_from(&z->origin, 0);
}

uint32_t mrg_dns_zone_serial(const struct mrg_dns_zone *z) { return z->serial; }

size_t mrg_dns_zone_records(const struct mrg_dns_zone *z) { return z->record_count; }

/* Go to the next set, of this node or the next that has one; false after the last. */
static bool next_set(struct mrg_dns_zone_walk *w)
{
	if (w->sets_left > 1) {
		w->sets_left--;
		w->set = mrg_dns_rrset_next(w->set);
	} else {
		do {
			w->node = w->node == NULL ? mrg_dns_zone_first(w->zone, &w->bucket)
						  : mrg_dns_zone_after(w->zone, w->node, &w->bucket);
			if (w->node == NULL)
				return false;
		} while (w->node->sets == 0);
		w->sets_left = w->node->sets;
		w->set = mrg_dns_node_sets(w->node);
	}
	w->left = mrg_dns_rrset_wire(w->set, true);
	return true;
}

enum mrg_status mrg_dns_zone_next(struct mrg_dns_zone_walk *w, struct mrg_dns_rr *out)
{
	while (w->left.len == 0) {
		if (w->ended || !next_set(w)) {
			w->ended = true;
			return MRG_END;
		}
	}
	const enum mrg_status st =
		mrg_dns_rr_check(w->left, mrg_dns_rrset_message(w->node, w->set), out, NULL);
	if (st == MRG_OK)
		w->left = mrg_dns_after(w->left, out->len);
	return st;
}
