/* What a change came to, as a step of history. */
#include "dns/rr.h"
#include "protocols/dns/zone_edit.h"

/* Records that were there and no longer are, or those that are and were not. */
enum side { DELETED, ADDED };

static bool is_on(enum side side, const struct mrg_dns_edit_set *set, const struct mrg_dns_edit_record *r)
{
	if (r->was && r->is)
		return set->ttl != set->was_ttl; /* the record with the other TTL is another */
	return side == DELETED ? r->was : r->is;
}

static void put_list(struct mrg_w *w, enum side side, const struct mrg_dns_edit_name *n,
	const struct mrg_dns_edit_set *set, const struct mrg_dns_edit_list *list)
{
	for (const struct mrg_dns_edit_record *r = list->first; r != NULL; r = r->next) {
		if (!is_on(side, set, r))
			continue;
		mrg_dns_flat_rr_put(w, &(struct mrg_dns_flat_rr_args){ .name = n->name,
					       .type = r->sig ? MRG_DNS_TYPE_RRSIG : set->type,
					       .class = MRG_DNS_CLASS_IN,
					       .ttl = side == DELETED ? set->was_ttl : set->ttl,
					       .rdata = r->rdata });
	}
}

/* The SOA comes first (RFC 1995 4), whatever else changed before it. */
static bool is_soa(
	const struct mrg_dns_zone *z, const struct mrg_dns_edit_name *n, const struct mrg_dns_edit_set *set)
{
	return set->type == MRG_DNS_TYPE_SOA && n->labels == z->origin.count;
}

static void put_side(struct mrg_w *w, enum side side, const struct mrg_dns_zone_change *c)
{
	for (unsigned pass = 0; pass < 2; pass++) {
		for (const struct mrg_dns_edit_name *n = c->first; n != NULL; n = n->next) {
			if (!n->edited)
				continue;
			for (const struct mrg_dns_edit_set *s = n->sets; s != NULL; s = s->next) {
				const bool soa = is_soa(c->zone, n, s);
				if (soa == (pass == 0))
					put_list(w, side, n, s, &s->data);
				if (pass == 1)
					put_list(w, side, n, s, &s->sigs);
			}
		}
	}
}

enum mrg_status mrg_dns_zone_change_step(struct mrg_dns_zone_change *c, struct mrg_arena *a,
	const struct mrg_dns_step *before, const struct mrg_dns_step **out)
{
	struct mrg_arena *const scratch = c->scratch;
	struct mrg_w w;
	if (c->st != MRG_OK || c->made == NULL)
		return MRG_E_VALUE;
	mrg_w_init(&w, scratch->p + scratch->len, scratch->cap - scratch->len);
	put_side(&w, DELETED, c);
	const size_t deleted = w.len;
	put_side(&w, ADDED, c);
	const struct mrg_span all = mrg_w_span(&w, 0);
	enum mrg_status st = w.st;
	if (st == MRG_OK)
		st = mrg_dns_history_step(
			a, before, (struct mrg_span){ all.p, deleted }, mrg_dns_after(all, deleted), out);
	memset(w.p, 0, w.len);
	return st;
}
