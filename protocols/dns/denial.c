/* Proofs that something is not there: by NSEC here, by NSEC3 in nsec3.c. */
#include "protocols/dns/denial.h"

#include "protocols/dns/zone_chain.h"

void mrg_dns_deny_with(struct mrg_dns_walk *w, const struct mrg_dns_node *owner)
{
	if (owner == NULL || w->proof_count == MRG_DNS_PROOFS)
		return;
	for (unsigned i = 0; i < w->proof_count; i++) {
		if (w->proofs[i] == owner)
			return;
	}
	w->proofs[w->proof_count++] = owner;
}

static bool hashed(const struct mrg_dns_walk *w) { return w->zone->denial == MRG_DNS_DENIAL_NSEC3; }

void mrg_dns_deny_flush(struct mrg_dns_walk *w)
{
	const uint16_t type = hashed(w) ? MRG_DNS_TYPE_NSEC3 : MRG_DNS_TYPE_NSEC;
	for (; w->proofs_written < w->proof_count; w->proofs_written++) {
		const struct mrg_dns_node *const n = w->proofs[w->proofs_written];
		const struct mrg_dns_rrset *const set = mrg_dns_node_find(n, type);
		if (set != NULL)
			mrg_dns_reply_add(w->reply, MRG_DNS_AUTHORITY, n, set, mrg_dns_node_name(n),
				MRG_DNS_DATA | MRG_DNS_SIGS);
	}
}

/* The NSEC record at a name or, when there is none, the one before it. */
static void cover(struct mrg_dns_walk *w, const struct mrg_dns_name_flat *name)
{
	bool exact;
	mrg_dns_deny_with(w, mrg_dns_chain_before(w->zone, name, &exact));
}

static void cover_node(struct mrg_dns_walk *w, const struct mrg_dns_node *n)
{
	struct mrg_dns_name_flat name;
	if (mrg_dns_name_flat_check(mrg_dns_node_name(n), &name) == MRG_OK)
		cover(w, &name);
}

void mrg_dns_deny_name(struct mrg_dns_walk *w)
{
	struct mrg_dns_name_flat wildcard;
	if (hashed(w)) {
		mrg_dns_nsec3_name(w);
		return;
	}
	cover(w, &w->name);
	if (mrg_dns_zone_wildcard_name(mrg_dns_node_name(w->place.encloser), &wildcard) == MRG_OK)
		cover(w, &wildcard);
}

void mrg_dns_deny_type(struct mrg_dns_walk *w)
{
	if (hashed(w))
		mrg_dns_nsec3_type(w, 0);
	else
		cover(w, &w->name);
}

void mrg_dns_deny_wildcard_type(struct mrg_dns_walk *w, const struct mrg_dns_node *wildcard)
{
	if (hashed(w)) {
		mrg_dns_nsec3_wildcard_type(w, wildcard);
		return;
	}
	cover_node(w, wildcard);
	cover(w, &w->name);
}

void mrg_dns_deny_closer(struct mrg_dns_walk *w)
{
	if (hashed(w))
		mrg_dns_nsec3_closer(w);
	else
		cover(w, &w->name);
}

void mrg_dns_deny_ds(struct mrg_dns_walk *w, const struct mrg_dns_node *cut, unsigned at)
{
	if (hashed(w))
		mrg_dns_nsec3_type(w, at);
	else
		cover_node(w, cut);
}
