/*
 * What changed between two zones.  Node by node and set by set: a set of the same octets is the same; of others the records are sorted and
 * merged.  Names in a stored record point into its owner's name, which both nodes have, so octets can be compared.
 */
#include "protocols/dns/zone_diff.h"

#include "dns/rr.h"
#include "protocols/dns/zone_sort.h"
#include "protocols/dns/zone_store.h"

enum {
	RECORD_LEAST = 12,
	SET_MOST = 65535 / RECORD_LEAST + 1
}; /* octets of a stored record; records in one set */

/* While comparing. */
struct comparing {
	struct mrg_w *w; /* gets the records of one zone that the other doesn't have */
	const void **mine, **theirs, **spare;
};

/* The stored record at p, of those that end at `end`. */
static struct mrg_span record_at(const void *p, const uint8_t *end)
{
	const uint8_t *const at = p;
	struct mrg_dns_stored_rr rr;
	if (mrg_dns_stored_rr_check((struct mrg_span){ at, (size_t)(end - at) }, &rr, NULL) != MRG_OK)
		return (struct mrg_span){ at, 0 };
	return (struct mrg_span){ at, rr.len };
}

static bool before_record(const void *end, const void *a, const void *b)
{
	return mrg_span_order(record_at(a, end), record_at(b, end)) < 0;
}

/* Point to each of the records, in order. */
static size_t list_records(const struct comparing *x, struct mrg_span left, const void **out)
{
	const uint8_t *const end = left.p + left.len;
	size_t count = 0;
	while (left.len > 0 && count < SET_MOST) {
		const size_t len = record_at(left.p, end).len;
		if (len == 0)
			break;
		out[count++] = left.p;
		left = mrg_dns_after(left, len);
	}
	mrg_dns_zone_sort(out, x->spare, count, before_record, end);
	return count;
}

static void put(const struct comparing *x, const struct mrg_dns_node *n, const struct mrg_dns_rrset *set,
	struct mrg_span record)
{
	struct mrg_dns_rr rr;
	if (mrg_dns_rr_check(record, mrg_dns_rrset_message(n, set), &rr, NULL) != MRG_OK)
		mrg_w_fail(x->w, MRG_E_VALUE);
	else
		mrg_dns_rr_copy(x->w, &rr);
}

/* Write what is in `mine`, records of the set, and not in `theirs`. */
static void put_missing(const struct comparing *x, const struct mrg_dns_node *n,
	const struct mrg_dns_rrset *set, struct mrg_span mine, struct mrg_span theirs)
{
	if (mrg_span_eq(mine, theirs))
		return;
	const uint8_t *const end = mine.p + mine.len;
	const size_t count = list_records(x, mine, x->mine);
	const size_t other = theirs.len > 0 ? list_records(x, theirs, x->theirs) : 0;
	for (size_t i = 0, k = 0; i < count; i++) {
		const struct mrg_span at = record_at(x->mine[i], end);
		int order = 1;
		for (; k < other; k++) {
			order = mrg_span_order(record_at(x->theirs[k], theirs.p + theirs.len), at);
			if (order >= 0)
				break;
		}
		if (k == other || order != 0)
			put(x, n, set, at);
	}
}

static struct mrg_span signatures(const struct mrg_dns_rrset *s)
{
	return (struct mrg_span){ mrg_dns_rrset_wire(s, true).p + s->len, s->sig_len };
}

/* The node's set of a type, also one of signatures only, or NULL. */
static const struct mrg_dns_rrset *find_set(const struct mrg_dns_node *n, uint16_t type)
{
	const struct mrg_dns_rrset *s = n != NULL ? mrg_dns_node_sets(n) : NULL;
	for (unsigned left = n != NULL ? n->sets : 0; left > 0; left--, s = mrg_dns_rrset_next(s)) {
		if (s->type >= type)
			return s->type == type ? s : NULL;
	}
	return NULL;
}

static void compare_set(const struct comparing *x, const struct mrg_dns_node *n,
	const struct mrg_dns_rrset *s, const struct mrg_dns_node *other, bool data, bool sigs)
{
	static const struct mrg_span none;
	const struct mrg_dns_rrset *const o = find_set(other, s->type);
	if (data)
		put_missing(x, n, s, mrg_dns_rrset_wire(s, false),
			o != NULL ? mrg_dns_rrset_wire(o, false) : none);
	if (sigs)
		put_missing(x, n, s, signatures(s), o != NULL ? signatures(o) : none);
}

/* Write the records of `z` that `other` doesn't have, the SOA first (RFC 1995 4). */
static void compare(const struct comparing *x, const struct mrg_dns_zone *z, const struct mrg_dns_zone *other)
{
	enum { AHEAD = 8 }; /* buckets whose memory is on its way */
	const struct mrg_dns_rrset *const soa = mrg_dns_node_find(z->apex, MRG_DNS_TYPE_SOA);
	size_t bucket = 0;
	if (soa != NULL)
		compare_set(x, z->apex, soa, other->apex, true, false);
	for (const struct mrg_dns_node *n = mrg_dns_zone_first(z, &bucket); n != NULL;
		n = mrg_dns_zone_after(z, n, &bucket)) {
		if (bucket + AHEAD < z->bucket_count)
			mrg_dns_prefetch(mrg_dns_node_at(z, z->buckets[bucket + AHEAD]));
		const struct mrg_dns_node *const o = mrg_dns_zone_probe(other, mrg_dns_node_name(n));
		const struct mrg_dns_rrset *s = mrg_dns_node_sets(n);
		for (unsigned left = n->sets; left > 0; left--, s = mrg_dns_rrset_next(s))
			compare_set(x, n, s, o, s != soa, true);
	}
}

enum mrg_status mrg_dns_zone_diff(const struct mrg_dns_zone *old, const struct mrg_dns_zone *made,
	struct mrg_arena *scratch, struct mrg_arena *a, const struct mrg_dns_step *before,
	const struct mrg_dns_step **out)
{
	struct mrg_arena got = *scratch;
	struct mrg_w w;
	struct comparing x = { .w = &w };
	if (!mrg_dns_same_name(mrg_dns_zone_origin(old), mrg_dns_zone_origin(made)))
		return MRG_E_VALUE;
	const void **const lists =
		mrg_arena_get(&got, 3 * sizeof(void *) * (size_t)SET_MOST, _Alignof(void *));
	if (lists == NULL)
		return MRG_E_SPACE;
	x.mine = lists;
	x.theirs = lists + SET_MOST;
	x.spare = lists + 2 * (size_t)SET_MOST;
	mrg_w_init(&w, got.p + got.len, got.cap - got.len);
	compare(&x, old, made);
	const size_t deleted = w.len;
	compare(&x, made, old);
	const struct mrg_span all = mrg_w_span(&w, 0);
	enum mrg_status st = w.st;
	if (st == MRG_OK)
		st = mrg_dns_history_step(
			a, before, (struct mrg_span){ all.p, deleted }, mrg_dns_after(all, deleted), out);
	memset(scratch->p + scratch->len, 0, (size_t)(w.p + w.len - (scratch->p + scratch->len)));
	return st;
}
