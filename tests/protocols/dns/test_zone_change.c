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
		if (zones_find(b, r) != SIZE_MAX)
			continue;
		const enum mrg_status st = add ? mrg_dns_zone_change_add(c, zones_name(&r->owner), r->type, 1,
							 r->ttl, r->rdata, &err)
					       : mrg_dns_zone_change_delete(c, zones_name(&r->owner), r->type,
							 1, r->rdata, &err);
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
		counts[0] -= zones_find(to, &from->rr[i]) == SIZE_MAX;
	for (size_t i = 0; i < to->count; i++)
		counts[1] -= zones_find(from, &to->rr[i]) == SIZE_MAX;
	ck_assert(counts[0] == 0 && counts[1] == 0);
	k.arena = one.arena;
	zones_same(apply(x, step), y);
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
		zones_same(from_scratch(&o[i]), versions[i]);
	}
	for (unsigned i = 0; i < VERSIONS; i++) /* they are as they were */
		zones_same(from_scratch(&o[i]), versions[i]);
	const unsigned some = 1 + seed * 7 % (VERSIONS - 1);
	ask(versions[some], &o[some]);
	ck_assert(zeroed(&k.arena) && zeroed(&tables) && zeroed(&scratch) && zeroed(&history));
	/* each step of history leads from its version to the next */
	for (const struct mrg_dns_step *s = newest; s != NULL; s = s->before) {
		ck_assert_uint_eq(s->from + 1, s->to);
		zones_same(versions[s->to], apply(versions[s->from], s));
	}
	for (unsigned i = 1; i < VERSIONS; i += 7)
		differ(&o[i - 1], &o[i]);
	/* and rebuilt it is the same, and nothing but itself */
	const struct mrg_dns_zone *rebuilt;
	struct mrg_arena compact = arena_of(1 << 20);
	ck_assert_uint_gt(mrg_dns_zone_garbage(versions[VERSIONS - 1], &k.arena), k.arena.len / 2);
	ck_assert_int_eq(
		mrg_dns_zone_rebuild(versions[VERSIONS - 1], &compact, &scratch, &rebuilt, NULL), MRG_OK);
	zones_same(versions[VERSIONS - 1], rebuilt);
	ck_assert_uint_eq(mrg_dns_zone_garbage(rebuilt, &compact), compact.len - rebuilt->node_len);
	free(compact.p);
}

enum { SEEDS = 3 };
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
