/*
 * Changed zones: after each of many random changes the version must be what a zone is that was built from the same records, node by
 * node, and answer like the naive server; older versions stay as they were.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iana/dns.h"
#include "oracle_zones.h"
#include "protocols/dns/zone_change.h"
#include "protocols/dns/zone_diff.h"
#include "protocols/dns/zone_store.h"

enum { VERSIONS = 40, SCRATCH = 1 << 24, TABLES = 1 << 20 };

static struct kit k; /* its arena has the nodes */
static struct mrg_arena scratch, tables, fresh, history;

static struct mrg_arena arena_of(size_t cap) { return (struct mrg_arena){ calloc(1, cap), 0, cap }; }

static void setup(void)
{
	kit_init(&k, 1 << 24);
	scratch = arena_of(SCRATCH);
	tables = arena_of(TABLES);
	fresh = arena_of(1 << 22);
	history = arena_of(1 << 22);
}

static void teardown(void)
{
	kit_free(&k);
	free(scratch.p);
	free(tables.p);
	free(fresh.p);
	free(history.p);
}

static bool zeroed(const struct mrg_arena *a)
{
	for (size_t i = a->len; i < a->cap; i++) {
		if (a->p[i] != 0)
			return false;
	}
	return true;
}

/* ---- the same zone ---- */

static size_t find_record(const struct oracle *z, const struct oracle_rr *r)
{
	for (size_t i = 0; i < z->count; i++) {
		const struct oracle_rr *const x = &z->rr[i];
		if (x->type == r->type && x->ttl == r->ttl &&
			mrg_dns_name_flat_order(&x->owner, &r->owner) == 0 && mrg_span_eq(x->rdata, r->rdata))
			return i;
	}
	return SIZE_MAX;
}

static struct mrg_span own(const struct mrg_dns_name_flat *n) { return (struct mrg_span){ n->b, n->len }; }

/* The records of a node as numbers that add up to the same in any order of a set's records. */
static uint64_t sum_node(const struct mrg_dns_zone *z, const struct mrg_dns_node *n, bool negative)
{
	struct mrg_dns_rrset const *s = mrg_dns_node_sets(n);
	uint64_t sum = 0;
	(void)z;
	for (unsigned left = n->sets; left > 0; left--, s = mrg_dns_rrset_next(s)) {
		struct mrg_span wire = mrg_dns_rrset_wire(s, true);
		struct mrg_dns_rr rr;
		uint64_t set = 0;
		for (; wire.len > 0; wire = (struct mrg_span){ wire.p + rr.len, wire.len - rr.len }) {
			uint8_t flat[1024];
			struct mrg_w w;
			ck_assert_int_eq(
				mrg_dns_rr_check(wire, mrg_dns_rrset_message(n, s), &rr, NULL), MRG_OK);
			mrg_w_init(&w, flat, sizeof flat);
			mrg_dns_rr_copy(&w, &rr);
			ck_assert_int_eq(w.st, MRG_OK);
			set += mrg_dns_hash(mrg_w_span(&w, 0)) *
			       ((size_t)(wire.p - (const uint8_t *)(s + 1)) < s->len ? 3 : 5);
		}
		sum = sum * 31 + set + s->type + s->count * 7u + s->sig_count * 77u + s->len + s->sig_len;
	}
	return sum * 2 + negative;
}

static void same_node(const struct mrg_dns_zone *a, const struct mrg_dns_node *x,
	const struct mrg_dns_zone *b, const struct mrg_dns_node *y)
{
	const unsigned unsaid = MRG_DNS_NODE_LAST | MRG_DNS_NODE_LINKED;
	ck_assert_ptr_nonnull(y);
	ck_assert_uint_eq(x->flags & ~unsaid, y->flags & ~unsaid);
	ck_assert_uint_eq(x->below, y->below);
	ck_assert_uint_eq(x->sets, y->sets);
	ck_assert_uint_eq(x->labels, y->labels);
	ck_assert_uint_eq(x->grains, y->grains);
	ck_assert(sum_node(a, x, false) == sum_node(b, y, false));
}

/* Node by node, and the rest.  Where nodes stand, and in how many buckets, may differ. */
static void same_zone(const struct mrg_dns_zone *a, const struct mrg_dns_zone *b)
{
	size_t bucket = 0, count = 0, len = 0;
	for (const struct mrg_dns_node *n = mrg_dns_zone_first(a, &bucket); n != NULL;
		n = mrg_dns_zone_after(a, n, &bucket), count++) {
		same_node(a, n, b, mrg_dns_zone_probe(b, mrg_dns_node_name(n)));
		len += mrg_dns_node_size(n);
	}
	ck_assert_uint_eq(a->node_count, count);
	ck_assert_uint_eq(b->node_count, count);
	ck_assert_uint_eq(a->node_len, len + mrg_dns_node_size(a->negative));
	ck_assert_uint_eq(b->node_len, a->node_len);
	ck_assert_ptr_eq(a->apex, mrg_dns_zone_probe(a, mrg_dns_zone_origin(a)));
	ck_assert_ptr_eq(b->apex, mrg_dns_zone_probe(b, mrg_dns_zone_origin(b)));
	ck_assert(sum_node(a, a->negative, true) == sum_node(b, b->negative, true));
	ck_assert_uint_eq(a->serial, b->serial);
	ck_assert_uint_eq(a->record_count, b->record_count);
	ck_assert_int_eq(a->denial, b->denial);
	ck_assert_uint_eq(a->soa.ttl, b->soa.ttl);
	ck_assert(mrg_span_eq(a->soa.numbers, b->soa.numbers));
	ck_assert_uint_eq(a->nsec3.iterations, b->nsec3.iterations);
	ck_assert_uint_eq(a->chain_len, b->chain_len);
	for (size_t i = 0; i < a->chain_len; i++) {
		const struct mrg_dns_node *const x = mrg_dns_node_at(a, a->chain[i]),
						 *const y = mrg_dns_node_at(b, b->chain[i]);
		ck_assert(mrg_dns_node_is(x, mrg_dns_node_name(y)));
		ck_assert_ptr_eq(y, mrg_dns_zone_probe(b, mrg_dns_node_name(y)));
	}
}

/* The zone that has these records, built in an arena that is emptied first. */
static const struct mrg_dns_zone *from_scratch(const struct oracle *z)
{
	struct kit other = { .arena = fresh };
	memset(fresh.p, 0, fresh.len);
	other.arena.len = 0;
	const struct mrg_dns_zone *const made = zones_build(&other, z, false);
	fresh.len = other.arena.len;
	return made;
}

static void ask(const struct mrg_dns_zone *z, const struct oracle *o)
{
	const size_t len = k.arena.len;
	k.zones[0] = z;
	ck_assert_int_eq(mrg_dns_db_init(&k.db, &k.arena, k.zones, 1), MRG_OK);
	zones_compare(&k, o);
	memset(k.arena.p + len, 0, k.arena.len - len);
	k.arena.len = len;
}

/* ---- random changes ---- */

/* The zone with some records fewer and some more, unsigned, with this serial number. */
static void mutate(const struct oracle *from, uint8_t serial, struct oracle *to)
{
	zones_apex(to, serial);
	const unsigned lost = zones_rnd(4) == 0 ? 2 : 8; /* one in so many */
	for (size_t i = 0; i < from->count; i++) {
		const struct oracle_rr *const r = &from->rr[i];
		const bool made = r->type == MRG_DNS_TYPE_RRSIG || r->type == MRG_DNS_TYPE_NSEC ||
				  r->type == MRG_DNS_TYPE_NSEC3 || r->type == MRG_DNS_TYPE_NSEC3PARAM;
		if (!made && i >= 2 && zones_rnd(lost) != 0)
			oracle_add(to, &r->owner, r->type, r->ttl, r->rdata.p, r->rdata.len);
	}
	for (unsigned n = zones_rnd(8); n > 0; n--)
		zones_add(to);
}

/* DS records only stand beside NS records. */
static void drop_lone_ds(struct oracle *z)
{
	size_t kept = 0;
	for (size_t i = 0; i < z->count; i++) {
		if (z->rr[i].type != MRG_DNS_TYPE_DS || oracle_has(z, &z->rr[i].owner, MRG_DNS_TYPE_NS))
			z->rr[kept++] = z->rr[i];
	}
	z->count = kept;
}

/* What is only in `a`, deleted or added in random order. */
static void say(struct mrg_dns_zone_change *c, const struct oracle *a, const struct oracle *b, bool add)
{
	struct mrg_dns_zone_error err = { 0 };
	size_t order[ORACLE_RECORDS];
	for (size_t i = 0; i < a->count; i++) {
		const size_t j = zones_rnd((unsigned)i + 1);
		order[i] = order[j];
		order[j] = i;
	}
	for (size_t i = 0; i < a->count; i++) {
		const struct oracle_rr *const r = &a->rr[order[i]];
		if (find_record(b, r) != SIZE_MAX)
			continue;
		const enum mrg_status st =
			add ? mrg_dns_zone_change_add(c, own(&r->owner), r->type, 1, r->ttl, r->rdata, &err)
			    : mrg_dns_zone_change_delete(c, own(&r->owner), r->type, 1, r->rdata, &err);
		if (st != MRG_OK)
			ck_abort_msg("%s: %s", add ? "add" : "delete", mrg_dns_zone_fault_str(err.fault));
	}
}

static const struct mrg_dns_zone *change(const struct mrg_dns_zone *old, const struct oracle *from,
	const struct oracle *to, const struct mrg_dns_step **newest)
{
	static struct mrg_dns_zone_change c;
	struct mrg_dns_zone_error err = { 0 };
	const struct mrg_dns_zone *made = NULL;
	ck_assert_int_eq(mrg_dns_zone_change_begin(&c, old, &k.arena, &tables, &scratch, true), MRG_OK);
	say(&c, from, to, false);
	say(&c, to, from, true);
	if (mrg_dns_zone_change_finish(&c, &made, &err) != MRG_OK)
		ck_abort_msg("finish: %s", mrg_dns_zone_fault_str(err.fault));
	ck_assert_int_eq(mrg_dns_zone_change_step(&c, &history, *newest, newest), MRG_OK);
	mrg_dns_zone_change_end(&c);
	ck_assert_uint_eq(scratch.len, 0);
	return made;
}

/* Apply a step of history to the version that it starts from. */
static const struct mrg_dns_zone *apply(const struct mrg_dns_zone *old, const struct mrg_dns_step *step)
{
	static struct mrg_dns_zone_change c;
	const struct mrg_dns_zone *made = NULL;
	struct mrg_dns_flat_rr rr;
	struct mrg_span left = step->deleted;
	ck_assert_int_eq(mrg_dns_zone_change_begin(&c, old, &k.arena, &tables, &scratch, true), MRG_OK);
	while (mrg_dns_flat_next(&left, &rr)) {
		const struct mrg_dns_plain_name name = mrg_dns_flat_rr_name(&rr);
		ck_assert_int_eq(mrg_dns_zone_change_delete(&c, mrg_dns_plain_name_span(&name),
					 mrg_dns_flat_rr_type(&rr), 1, mrg_dns_flat_rr_rdata(&rr), NULL),
			MRG_OK);
	}
	left = step->added;
	while (mrg_dns_flat_next(&left, &rr)) {
		const struct mrg_dns_plain_name name = mrg_dns_flat_rr_name(&rr);
		ck_assert_int_eq(
			mrg_dns_zone_change_add(&c, mrg_dns_plain_name_span(&name), mrg_dns_flat_rr_type(&rr),
				1, mrg_dns_flat_rr_ttl(&rr), mrg_dns_flat_rr_rdata(&rr), NULL),
			MRG_OK);
	}
	ck_assert_int_eq(mrg_dns_zone_change_finish(&c, &made, NULL), MRG_OK);
	mrg_dns_zone_change_end(&c);
	return made;
}

/* The step between two zones that were built apart leads from the one to the other, and says no more than it must. */
static void differ(const struct oracle *from, const struct oracle *to)
{
	struct mrg_arena a = { fresh.p, 0, fresh.cap };
	struct kit one = { .arena = arena_of(1 << 20) }, two = { .arena = arena_of(1 << 20) };
	const struct mrg_dns_zone *const x = zones_build(&one, from, true), *const y = zones_build(
										    &two, to, true);
	const struct mrg_dns_step *step = NULL;
	struct mrg_arena nodes = k.arena;
	size_t counts[2] = { 0 };
	struct mrg_dns_flat_rr rr;
	memset(fresh.p, 0, fresh.len);
	ck_assert_int_eq(mrg_dns_zone_diff(x, y, &scratch, &a, NULL, &step), MRG_OK);
	ck_assert_uint_eq(scratch.len, 0);
	ck_assert(zeroed(&scratch));
	for (unsigned side = 0; side < 2; side++) {
		struct mrg_span left = side == 0 ? step->deleted : step->added;
		while (mrg_dns_flat_next(&left, &rr))
			counts[side]++;
	}
	for (size_t i = 0; i < from->count; i++)
		counts[0] -= find_record(to, &from->rr[i]) == SIZE_MAX;
	for (size_t i = 0; i < to->count; i++)
		counts[1] -= find_record(from, &to->rr[i]) == SIZE_MAX;
	ck_assert(counts[0] == 0 && counts[1] == 0);
	k.arena = one.arena;
	same_zone(apply(x, step), y);
	one.arena = k.arena;
	k.arena = nodes;
	ck_assert_int_eq(mrg_dns_zone_diff(y, x, &scratch, &a, NULL, &step),
		MRG_E_VALUE); /* an earlier serial number */
	free(one.arena.p);
	free(two.arena.p);
	memset(fresh.p, 0, a.len);
}

static void run(enum oracle_signing how, unsigned seed)
{
	static struct oracle o[VERSIONS];
	const struct mrg_dns_zone *versions[VERSIONS];
	const struct mrg_dns_step *newest = NULL;
	zones_seed(seed * 104729u + (unsigned)how + 1u);
	zones_random(&o[0], how);
	versions[0] = zones_build(&k, &o[0], seed % 2 != 0);
	for (unsigned i = 1; i < VERSIONS; i++) {
		mutate(&o[i - 1], (uint8_t)i, &o[i]);
		drop_lone_ds(&o[i]);
		/* now and then the zone is signed otherwise, or not at all */
		const unsigned other = zones_rnd(16);
		oracle_sign(&o[i], other < 4 ? (enum oracle_signing)other : how);
		versions[i] = change(versions[i - 1], &o[i - 1], &o[i], &newest);
		same_zone(from_scratch(&o[i]), versions[i]);
	}
	for (unsigned i = 0; i < VERSIONS; i++) /* they are as they were */
		same_zone(from_scratch(&o[i]), versions[i]);
	const unsigned some = 1 + seed * 7 % (VERSIONS - 1);
	ask(versions[some], &o[some]);
	ck_assert(zeroed(&k.arena) && zeroed(&tables) && zeroed(&scratch) && zeroed(&history));
	/* each step of history leads from its version to the next */
	for (const struct mrg_dns_step *s = newest; s != NULL; s = s->before) {
		ck_assert_uint_eq(s->from + 1, s->to);
		same_zone(versions[s->to], apply(versions[s->from], s));
	}
	for (unsigned i = 1; i < VERSIONS; i += 7)
		differ(&o[i - 1], &o[i]);
	/* and rebuilt it is the same, and nothing but itself */
	const struct mrg_dns_zone *rebuilt;
	struct mrg_arena compact = arena_of(1 << 20);
	ck_assert_uint_gt(mrg_dns_zone_garbage(versions[VERSIONS - 1], &k.arena), k.arena.len / 2);
	ck_assert_int_eq(
		mrg_dns_zone_rebuild(versions[VERSIONS - 1], &compact, &scratch, &rebuilt, NULL), MRG_OK);
	same_zone(versions[VERSIONS - 1], rebuilt);
	ck_assert_uint_eq(mrg_dns_zone_garbage(rebuilt, &compact), compact.len - rebuilt->node_len);
	free(compact.p);
}

enum { SEEDS = 5 };
static const enum oracle_signing signings[] = { ORACLE_UNSIGNED, ORACLE_NSEC, ORACLE_NSEC3, ORACLE_OPT_OUT };

START_TEST(test_random) { run(signings[_i % 4], (unsigned)_i / 4); }
END_TEST

int main(void)
{
	Suite *const s = suite_create("zone change");
	TCase *const t = tcase_create("random changes");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 600);
	tcase_add_loop_test(t, test_random, 0, 4 * SEEDS);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
