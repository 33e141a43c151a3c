/*
 * Putting a node in order: the records of one name, in whatever order they came and from however many nodes, become
 * one node with one set a type, in order of type, each followed by the RRSIGs that cover it, duplicates left out.
 */
#include "dns/rr.h"
#include "protocols/dns/zone_build.h"
#include "protocols/dns/zone_sort.h"

/* Where in a packed node a record belongs. */
struct member {
	uint16_t set_type;
	bool sig;
	uint32_t ttl;
	struct mrg_dns_stored_rr rr;
};

/* View the stored record at p; the arena's end bounds it. */
static bool view(const struct mrg_arena *a, const void *p, struct member *out)
{
	const uint8_t *const at = p;
	struct mrg_dns_rrsig sig;
	const struct mrg_span in = { at, (size_t)(a->p + a->len - at) };
	if (mrg_dns_stored_rr_check(in, &out->rr, NULL) != MRG_OK)
		return false;
	out->set_type = mrg_dns_stored_rr_type(&out->rr);
	out->ttl = mrg_dns_stored_rr_ttl(&out->rr);
	out->sig = out->set_type == MRG_DNS_TYPE_RRSIG;
	if (!out->sig)
		return true;
	if (mrg_dns_rrsig_check(mrg_dns_stored_rr_rdata(&out->rr), &sig, NULL) != MRG_OK)
		return false;
	out->set_type = mrg_dns_rrsig_type_covered(&sig);
	return true;
}

/* By set, data before signatures. */
static bool before_set(const void *ctx, const void *a, const void *b)
{
	struct member x, y;
	if (!view(ctx, a, &x) || !view(ctx, b, &y))
		return false;
	return x.set_type != y.set_type ? x.set_type < y.set_type : !x.sig && y.sig;
}

static int rdata_order(const struct mrg_dns_stored_rr *x, const struct mrg_dns_stored_rr *y)
{
	const struct mrg_span a = mrg_dns_stored_rr_rdata(x), b = mrg_dns_stored_rr_rdata(y);
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return a.len == 0 ? 0 : memcmp(a.p, b.p, a.len);
}

static bool before_rdata(const void *ctx, const void *a, const void *b)
{
	struct member x, y;
	return view(ctx, a, &x) && view(ctx, b, &y) && rdata_order(&x.rr, &y.rr) < 0;
}

/* Records of a node, and what it takes in memory. */
static void measure(const struct mrg_dns_node *n, size_t *records, size_t *bytes)
{
	const struct mrg_dns_rrset *s = mrg_dns_node_sets(n);
	*bytes += sizeof *n + mrg_dns_even(n->name_len);
	for (unsigned left = n->sets; left > 0; left--, s = mrg_dns_rrset_next(s)) {
		*records += (size_t)s->count + s->sig_count;
		*bytes += sizeof *s + mrg_dns_even((size_t)s->len + s->sig_len);
	}
}

/* Point to each record of a node; returns how many there are. */
static size_t gather(const struct mrg_arena *a, const struct mrg_dns_node *n,
	const struct mrg_dns_pack_only *only, const void **out)
{
	const struct mrg_dns_rrset *s = mrg_dns_node_sets(n);
	size_t count = 0;
	for (unsigned left = n->sets; left > 0; left--, s = mrg_dns_rrset_next(s)) {
		struct mrg_span at = mrg_dns_rrset_wire(s, true);
		struct member m;
		if (only != NULL && only->type != s->type)
			continue;
		while (at.len > 0 && view(a, at.p, &m)) {
			out[count++] = at.p;
			at = mrg_dns_after(at, m.rr.len);
		}
	}
	return count;
}

/* Is the record equal to one of a[0..n-1]?  In a sorted run only the last can be. */
static bool seen(
	const struct mrg_arena *arena, const void *const *a, size_t n, bool sorted, const struct member *m)
{
	struct member x;
	for (size_t i = sorted && n > 0 ? n - 1 : 0; i < n; i++) {
		if (view(arena, a[i], &x) && rdata_order(&x.rr, &m->rr) == 0)
			return true;
	}
	return false;
}

/* Append the records run[0..n-1], all data or all signatures of one set, to that set. */
static bool emit_run(struct mrg_dns_zone_builder *b, const void **run, const void **spare, size_t n,
	uint32_t ttl, struct mrg_dns_rrset *set)
{
	const bool sorted = n > MRG_DNS_FEW;
	size_t kept = 0;
	if (sorted)
		mrg_dns_zone_sort(run, spare, n, before_rdata, b->arena);
	for (size_t i = 0; i < n; i++) {
		struct member m;
		if (!view(b->arena, run[i], &m))
			return false;
		if (seen(b->arena, run, kept, sorted, &m))
			continue;
		run[kept++] = run[i];
		uint8_t *const at = mrg_arena_get(b->arena, m.rr.len, 1);
		if (at == NULL || mrg_dns_zone_overfull(set, m.sig, m.rr.len))
			return false;
		struct mrg_w w;
		mrg_w_init(&w, at, m.rr.len);
		mrg_dns_stored_rr_put(
			&w, &(struct mrg_dns_stored_rr_args){ .type = mrg_dns_stored_rr_type(&m.rr),
				    .class = mrg_dns_stored_rr_class(&m.rr),
				    .ttl = ttl,
				    .rdata = mrg_dns_stored_rr_rdata(&m.rr) });
		if (m.sig) {
			set->sig_count++;
			set->sig_len = (uint16_t)(set->sig_len + m.rr.len);
		} else {
			set->count++;
			set->len = (uint16_t)(set->len + m.rr.len);
		}
	}
	b->zone->record_count -= n - kept;
	return true;
}

/* How many of the records a[0..n-1] belong to the run that starts there. */
static size_t run_length(const struct mrg_arena *arena, const void *const *a, size_t n)
{
	size_t len = 1;
	while (len < n && !before_set(arena, a[0], a[len]))
		len++;
	return len;
}

/* Write the sets of the sorted records a[0..n-1] behind the new node; false: no room or a set too large. */
static bool emit(struct mrg_dns_zone_builder *b, struct mrg_dns_node *node, const void **a,
	const void **spare, size_t n, const struct mrg_dns_pack_only *only)
{
	struct mrg_dns_rrset *set = NULL;
	uint32_t ttl = 0;
	for (size_t i = 0; i < n;) {
		struct member first;
		const size_t len = run_length(b->arena, a + i, n - i);
		if (!view(b->arena, a[i], &first))
			return false;
		if (set == NULL || set->type != first.set_type) {
			set = mrg_dns_zone_new_set(b, first.set_type);
			if (set == NULL || node->sets == UINT16_MAX)
				return false;
			node->sets++;
			ttl = only != NULL ? only->ttl : first.ttl; /* RFC 2181 5.2 */
		}
		if (!emit_run(b, a + i, spare, len, ttl, set))
			return false;
		i += len;
	}
	return true;
}

struct mrg_dns_node *mrg_dns_zone_pack(struct mrg_dns_zone_builder *b,
	const struct mrg_dns_node *const *parts, size_t count, const struct mrg_dns_pack_only *only,
	struct mrg_dns_zone_error *err)
{
	const struct mrg_span name = mrg_dns_node_name(parts[0]);
	size_t records = 0, bytes = MRG_DNS_GRAIN, n = 0;
	for (size_t i = 0; i < count; i++)
		measure(parts[i], &records, &bytes);
	bytes += 2 * sizeof(struct mrg_dns_rrset) *
		 records; /* what was one set of data and RRSIGs may have been many */
	const void **const a = mrg_dns_zone_scratch(b, bytes, 2 * records);
	if (a == NULL) {
		mrg_dns_zone_die(b, err, MRG_DNS_ZONE_FULL, MRG_E_SPACE, name, 0);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		n += gather(b->arena, parts[i], only, a + n);
	mrg_dns_zone_sort(a, a + records, n, before_set, b->arena);
	struct mrg_dns_node *const node = mrg_dns_zone_new_node(b, name, parts[0]->labels);
	const bool done = node != NULL && emit(b, node, a, a + records, n, only);
	memset(a, 0, 2 * records * sizeof *a);
	if (!done || !mrg_dns_zone_seal(b, node)) {
		mrg_dns_zone_die(b, err, MRG_DNS_ZONE_RRSET_SIZE, MRG_E_LIMIT, name, 0);
		return NULL;
	}
	return node;
}

enum mrg_status mrg_dns_zone_settle(
	const struct mrg_dns_zone_builder *b, struct mrg_dns_node *n, struct mrg_dns_zone_error *err)
{
	const struct mrg_dns_rrset *s = mrg_dns_node_sets(n);
	const bool apex = n->labels == b->zone->origin.count;
	bool other = false, hashed = n->sets > 0;
	unsigned flags = apex ? MRG_DNS_NODE_APEX : 0;
	for (unsigned left = n->sets; left > 0; left--, s = mrg_dns_rrset_next(s)) {
		hashed = hashed && s->type == MRG_DNS_TYPE_NSEC3;
		if (s->count == 0)
			continue;
		if (s->count > 1 && mrg_dns_zone_single(s->type))
			return mrg_dns_zone_refuse(
				err, MRG_DNS_ZONE_SINGLE, MRG_E_VALUE, mrg_dns_node_name(n), s->type);
		if (s->type == MRG_DNS_TYPE_NS && !apex)
			flags |= MRG_DNS_NODE_CUT;
		if (s->type == MRG_DNS_TYPE_CNAME)
			flags |= MRG_DNS_NODE_CNAME;
		if (s->type == MRG_DNS_TYPE_DNAME)
			flags |= MRG_DNS_NODE_DNAME;
		other = other || mrg_dns_zone_unlike_alias(s->type);
	}
	if (hashed && !apex)
		flags |= MRG_DNS_NODE_HASHED;
	n->flags = (uint16_t)flags;
	if ((flags & MRG_DNS_NODE_CNAME) != 0 && other)
		return mrg_dns_zone_refuse(
			err, MRG_DNS_ZONE_ALIAS, MRG_E_VALUE, mrg_dns_node_name(n), MRG_DNS_TYPE_CNAME);
	return MRG_OK;
}
