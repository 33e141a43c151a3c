/* From a question to the sets that answer it. */
#include "protocols/dns/walk.h"

#include "protocols/dns/denial.h"

static struct mrg_span name_of(const struct mrg_dns_walk *w) { return mrg_dns_name_flat_from(&w->name, 0); }

/* The records of a set, with their RRSIGs if the client wants them. */
static unsigned signed_if_wanted(const struct mrg_dns_walk *w)
{
	return w->dnssec ? MRG_DNS_DATA | MRG_DNS_SIGS : MRG_DNS_DATA;
}

/* The reply is about this, unless it was about something before. */
static void decide(struct mrg_dns_walk *w, const struct mrg_dns_node *n)
{
	if (w->reply->about == NULL)
		w->reply->about = n;
}

/* A set for the answer section, under the name that is looked for. */
static void answer(struct mrg_dns_walk *w, const struct mrg_dns_node *n, const struct mrg_dns_rrset *set)
{
	/* for the question's own name, RDATA without names is good as it stands, also that of a wildcard */
	if (w->steps == 0 && mrg_dns_rr_rdata_movable(set->type))
		mrg_dns_reply_copy(w->reply, set, w->dnssec);
	else
		mrg_dns_reply_add(w->reply, MRG_DNS_ANSWER, n, set, name_of(w), signed_if_wanted(w));
}

/* View a set's first record. */
static bool first_rr(const struct mrg_dns_node *n, const struct mrg_dns_rrset *set, struct mrg_dns_rr *out)
{
	return mrg_dns_rr_check(mrg_dns_rrset_wire(set, false), mrg_dns_rrset_message(n, set), out, NULL) ==
	       MRG_OK;
}

/* The SOA that says how long there is nothing.  RFC 2308 section 3 */
static void add_soa(struct mrg_dns_walk *w)
{
	const struct mrg_dns_zone *const z = w->zone;
	const struct mrg_dns_rrset *const set = mrg_dns_node_sets(z->negative);
	decide(w, z->apex);
	const bool plain = !w->dnssec || (set->sig_count == 0 && z->denial == MRG_DNS_DENIAL_NONE);
	if (plain && w->steps == 0 &&
		z->origin.count > 1) /* the whole answer: the name is the question's still */
		mrg_dns_reply_soa(w->reply, &z->soa, w->name.off[w->name.count - z->origin.count]);
	else
		mrg_dns_reply_add(w->reply, MRG_DNS_AUTHORITY, z->negative, set,
			mrg_dns_node_name(z->negative), signed_if_wanted(w));
}

/* --- additional addresses -------------------------------------------------------------------------- */

/* A name server in an NS set whose addresses the zone may have. */
struct server {
	const struct mrg_dns_node *node;
	bool required; /* its name is at or below the cut */
};

/* Is the name at or below the node's?  RFC 9499: in-domain */
static bool in_domain(const struct mrg_dns_name_flat *name, const struct mrg_dns_node *n)
{
	struct mrg_dns_name_flat top;
	return mrg_dns_name_flat_check(mrg_dns_node_name(n), &top) == MRG_OK &&
	       mrg_dns_name_within(name, &top);
}

/* View the next server of an NS set; false after the last.  node is NULL if the zone has no such name. */
static bool next_server(const struct mrg_dns_walk *w, const struct mrg_dns_node *n, struct mrg_span message,
	struct mrg_span *left, struct server *out)
{
	struct mrg_dns_stored_rr rr;
	struct mrg_dns_ns ns;
	struct mrg_dns_name_flat name;
	if (left->len == 0 || mrg_dns_stored_rr_check(*left, &rr, NULL) != MRG_OK ||
		mrg_dns_ns_check(mrg_dns_stored_rr_rdata(&rr), message, &ns, NULL) != MRG_OK)
		return false;
	*left = (struct mrg_span){ left->p + rr.len, left->len - rr.len };
	const struct mrg_dns_name view = mrg_dns_ns_nsdname(&ns);
	mrg_dns_name_flatten(&view, &name);
	out->node = mrg_dns_zone_probe(w->zone, mrg_dns_name_flat_from(&name, 0));
	out->required = out->node != NULL && (n->flags & MRG_DNS_NODE_CUT) != 0 && in_domain(&name, n);
	return true;
}

/* Addresses of one type of the servers that are required, or of the others. */
static void add_addresses(
	struct mrg_dns_walk *w, const struct server *servers, size_t count, uint16_t type, bool required)
{
	for (size_t i = 0; i < count && !w->reply->full; i++) {
		const struct mrg_dns_node *const n = servers[i].node;
		const struct mrg_dns_rrset *const set =
			servers[i].required == required ? mrg_dns_node_find(n, type) : NULL;
		if (set != NULL)
			mrg_dns_reply_add(w->reply, MRG_DNS_ADDITIONAL, n, set, mrg_dns_node_name(n),
				signed_if_wanted(w) | (required ? 0u : MRG_DNS_OPTIONAL));
	}
}

/*
 * Addresses of the servers in an NS set, also from below cuts, where they are glue.  RFC 9471 3: those of servers
 * inside the delegated zone must be there or TC is set; the others are only help.
 */
static void add_servers(struct mrg_dns_walk *w, const struct mrg_dns_node *n, const struct mrg_dns_rrset *ns)
{
	enum { MANY = 32 }; /* at a time */
	struct server servers[MANY];
	const struct mrg_span message = mrg_dns_rrset_message(n, ns);
	struct mrg_span left = mrg_dns_rrset_wire(ns, false);
	while (left.len > 0 && !w->reply->full) {
		size_t count = 0;
		while (count < MANY && next_server(w, n, message, &left, &servers[count]))
			count += servers[count].node != NULL;
		add_addresses(w, servers, count, MRG_DNS_TYPE_A, true);
		add_addresses(w, servers, count, MRG_DNS_TYPE_AAAA, true);
		add_addresses(w, servers, count, MRG_DNS_TYPE_A, false);
		add_addresses(w, servers, count, MRG_DNS_TYPE_AAAA, false);
		if (count < MANY)
			break;
	}
}

/* --- what a place can give ----------------------------------------------------------------------------- */

/* Below a cut: who to ask instead.  RFC 1034 4.3.2 step 3b, RFC 4035 3.1.4 */
static void refer(struct mrg_dns_walk *w)
{
	const struct mrg_dns_node *const cut = w->place.cover;
	const struct mrg_dns_rrset *const ns = mrg_dns_node_find(cut, MRG_DNS_TYPE_NS);
	const struct mrg_dns_rrset *const ds = mrg_dns_node_find(cut, MRG_DNS_TYPE_DS);
	decide(w, cut);
	if (w->steps == 0)
		w->reply->aa = false;
	mrg_dns_reply_add(w->reply, MRG_DNS_AUTHORITY, cut, ns, mrg_dns_node_name(cut), MRG_DNS_DATA);
	if (w->dnssec && ds != NULL && ds->sig_count > 0)
		mrg_dns_reply_add(w->reply, MRG_DNS_AUTHORITY, cut, ds, mrg_dns_node_name(cut),
			MRG_DNS_DATA | MRG_DNS_SIGS);
	else if (w->dnssec)
		mrg_dns_deny_ds(w, cut, w->place.cover_at);
	mrg_dns_deny_flush(w);
	add_servers(w, cut, ns);
}

/* The name is there, the type is not.  RFC 2308 section 2.2 */
static void nodata(struct mrg_dns_walk *w, const struct mrg_dns_node *wildcard)
{
	add_soa(w);
	if (!w->dnssec)
		return;
	if (wildcard != NULL)
		mrg_dns_deny_wildcard_type(w, wildcard);
	else
		mrg_dns_deny_type(w);
}

static void nxdomain(struct mrg_dns_walk *w)
{
	w->reply->rcode = MRG_DNS_RCODE_NXDOMAIN;
	add_soa(w);
	if (w->dnssec)
		mrg_dns_deny_name(w);
}

/* One set for all: the SOA where there is one, else the first.  RFC 8482 section 4.1 */
static const struct mrg_dns_rrset *any_set(const struct mrg_dns_node *n)
{
	const struct mrg_dns_rrset *s = mrg_dns_node_find(n, MRG_DNS_TYPE_SOA);
	if (s != NULL)
		return s;
	s = mrg_dns_node_sets(n);
	for (unsigned left = n->sets; left > 0; left--, s = mrg_dns_rrset_next(s)) {
		if (s->count > 0)
			return s;
	}
	return NULL;
}

/* All RRSIGs of a node, when they are asked for by name.  False: there are none. */
static bool answer_sigs(struct mrg_dns_walk *w, const struct mrg_dns_node *n)
{
	const struct mrg_dns_rrset *s = mrg_dns_node_sets(n);
	bool any = false;
	for (unsigned left = n->sets; left > 0; left--, s = mrg_dns_rrset_next(s)) {
		if (s->sig_count == 0)
			continue;
		any = true;
		mrg_dns_reply_add(w->reply, MRG_DNS_ANSWER, n, s, name_of(w), MRG_DNS_SIGS);
	}
	return any;
}

/* Go on with another name.  False: out of the zone, been there, or far enough. */
static bool go_on(struct mrg_dns_walk *w, struct mrg_span target)
{
	w->been[w->steps++] = mrg_dns_hash(name_of(w));
	if (w->steps == MRG_DNS_STEPS || mrg_dns_name_flat_check(target, &w->name) != MRG_OK)
		return false;
	if (!mrg_dns_name_within(&w->name, &w->zone->origin))
		return false;
	const uint64_t hash = mrg_dns_hash(name_of(w));
	for (unsigned i = 0; i < w->steps; i++) {
		if (w->been[i] == hash)
			return false;
	}
	return true;
}

/* Put the alias into the answer and go on with what it stands for.  RFC 1034 4.3.2 step 3a */
static bool follow_cname(struct mrg_dns_walk *w, const struct mrg_dns_node *n)
{
	const struct mrg_dns_rrset *const set = mrg_dns_node_find(n, MRG_DNS_TYPE_CNAME);
	struct mrg_dns_rr rr;
	struct mrg_dns_cname cname;
	struct mrg_dns_name_flat target;
	answer(w, n, set);
	if (w->reply->full || !first_rr(n, set, &rr) || !mrg_dns_rr_rdata_as_cname(&rr, &cname))
		return false;
	const struct mrg_dns_name view = mrg_dns_cname_cname(&cname);
	mrg_dns_name_flatten(&view, &target);
	return go_on(w, mrg_dns_name_flat_from(&target, 0));
}

static bool has_dname(const struct mrg_dns_walk *w, const struct mrg_dns_node *n)
{
	for (unsigned i = 0; i < w->dname_count; i++) {
		if (w->dnames[i] == n)
			return true;
	}
	return false;
}

/* Put a DNAME set into the answer, once. */
static void answer_dname(
	struct mrg_dns_walk *w, const struct mrg_dns_node *n, const struct mrg_dns_rrset *set)
{
	if (has_dname(w, n))
		return;
	w->dnames[w->dname_count++] = n; /* one a step at most */
	mrg_dns_reply_add(w->reply, MRG_DNS_ANSWER, n, set, mrg_dns_node_name(n), signed_if_wanted(w));
}

/* Below a DNAME: an alias is made for the name.  RFC 6672 section 3.2 */
static bool follow_dname(struct mrg_dns_walk *w)
{
	const struct mrg_dns_node *const n = w->place.cover;
	const struct mrg_dns_rrset *const set = mrg_dns_node_find(n, MRG_DNS_TYPE_DNAME);
	struct mrg_dns_rr rr;
	struct mrg_dns_dname dname;
	struct mrg_dns_name_flat target;
	decide(w, n);
	answer_dname(w, n, set);
	if (!first_rr(n, set, &rr) || !mrg_dns_rr_rdata_as_dname(&rr, &dname))
		return false;
	const struct mrg_dns_plain_name view = mrg_dns_dname_target(&dname);
	if (mrg_dns_name_flat_join(&w->name, w->place.cover_at, mrg_dns_plain_name_span(&view), &target) !=
		MRG_OK) {
		w->reply->rcode = MRG_DNS_RCODE_YXDOMAIN;
		return false;
	}
	const struct mrg_span to = mrg_dns_name_flat_from(&target, 0);
	if (!mrg_dns_reply_cname(w->reply, name_of(w), mrg_dns_rr_ttl(&rr), to))
		return false;
	return w->type != MRG_DNS_TYPE_CNAME && go_on(w, to);
}

/* Types that stand beside an alias itself, so that a question for them is not about what it leads to.  RFC 4035 2.5 */
static bool beside_alias(uint16_t type) { return type == MRG_DNS_TYPE_RRSIG || type == MRG_DNS_TYPE_NSEC; }

/* The name is there, or a wildcard stands in for it.  True: an alias leads on. */
static bool answer_from(struct mrg_dns_walk *w, const struct mrg_dns_node *n, bool wildcard)
{
	const struct mrg_dns_rrset *const set =
		w->type == MRG_DNS_TYPE_ANY ? any_set(n) : mrg_dns_node_find(n, w->type);
	if (set != NULL || (n->flags & MRG_DNS_NODE_CNAME) != 0)
		decide(w, n);
	if (w->type == MRG_DNS_TYPE_RRSIG && answer_sigs(w, n)) {
		decide(w, n);
		if (wildcard && w->dnssec)
			mrg_dns_deny_closer(w);
		return false;
	}
	if (set == NULL && ((n->flags & MRG_DNS_NODE_CNAME) == 0 || beside_alias(w->type))) {
		nodata(w, wildcard ? n : NULL);
		return false;
	}
	if (wildcard && w->dnssec)
		mrg_dns_deny_closer(w);
	if (set == NULL)
		return follow_cname(w, n);
	if (wildcard || set->type != MRG_DNS_TYPE_DNAME || !has_dname(w, n)) /* it may have led to itself */
		answer(w, n, set);
	if (set->type == MRG_DNS_TYPE_NS) {
		mrg_dns_deny_flush(w);
		add_servers(w, n, set);
	}
	return false;
}

/* One name.  True: an alias leads to another. */
static bool step(struct mrg_dns_walk *w)
{
	struct mrg_dns_place *const at = &w->place;
	mrg_dns_zone_locate(w->zone, &w->name, at);
	if (at->cover != NULL && (at->cover->flags & MRG_DNS_NODE_CUT) != 0) {
		/* RFC 4035 3.1.4.1: the DS of a delegation is the parent's */
		if (at->node != at->cover || w->type != MRG_DNS_TYPE_DS) {
			refer(w);
			return false;
		}
	} else if (at->cover != NULL) {
		return follow_dname(w);
	}
	if (at->node != NULL)
		return answer_from(w, at->node, false);
	const struct mrg_dns_node *const wild = mrg_dns_zone_wildcard(w->zone, at->encloser);
	if (wild != NULL)
		return answer_from(w, wild, true);
	nxdomain(w);
	return false;
}

void mrg_dns_walk_run(struct mrg_dns_walk *w)
{
	while (step(w)) {
	}
	mrg_dns_deny_flush(w);
}
