/*
 * A zone that is finished in pieces is the one that is finished at once, and there are so many pieces that none is a large part of the work;
 * the same of sorting, where comparisons are counted.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "iana/dns.h"
#include "mrg_rt.h"
#include "protocols/dns/zone_finish.h"
#include "protocols/dns/zone_store.h"

/* ---- sorting ---- */

enum { ELEMENTS = 1000 };

struct element {
	unsigned key, place;
};

static size_t comparisons;

static bool before(const void *ctx, const void *a, const void *b)
{
	(void)ctx;
	comparisons++;
	return ((const struct element *)a)->key < ((const struct element *)b)->key;
}

static void check_sort(size_t n, unsigned keys, size_t most)
{
	struct element elements[ELEMENTS];
	const void *list[ELEMENTS], *spare[ELEMENTS];
	struct mrg_dns_zone_sorting s;
	bool done = false;
	for (size_t i = 0; i < n; i++) {
		elements[i] = (struct element){ (unsigned)rand() % keys, (unsigned)i };
		list[i] = &elements[i];
	}
	mrg_dns_zone_sort_begin(&s, list, spare, n, before, NULL);
	while (!done) {
		comparisons = 0;
		done = mrg_dns_zone_sort_some(&s, most);
		ck_assert_uint_le(comparisons, most + 1);
	}
	for (size_t i = 1; i < n; i++) {
		const struct element *const x = list[i - 1], *const y = list[i];
		ck_assert(x->key < y->key || (x->key == y->key && x->place < y->place));
	}
}

START_TEST(a_sort_in_pieces_is_a_sort)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 100, 513, ELEMENTS },
			    mosts[] = { 1, 2, 3, 17, 1000000 };
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		for (size_t j = 0; j < sizeof mosts / sizeof mosts[0]; j++)
			for (unsigned keys = 1; keys < 2000; keys *= 11)
				check_sort(sizes[i], keys, mosts[j]);
}
END_TEST

/* ---- zones ---- */

enum { NAMES = 20000, ARENA = 1 << 24, DIGITS = 6 };

static const uint8_t ORIGIN[] = "\007example";

static void add(
	struct mrg_dns_zone_builder *b, struct mrg_span owner, uint16_t type, const void *rdata, size_t len)
{
	struct mrg_dns_zone_error why;
	ck_assert_int_eq(
		mrg_dns_zone_add(b, owner, type, MRG_DNS_CLASS_IN, 60, (struct mrg_span){ rdata, len }, &why),
		MRG_OK);
}

static struct mrg_span name_of(unsigned n, uint8_t out[1 + DIGITS + sizeof ORIGIN])
{
	out[0] = DIGITS;
	for (unsigned i = DIGITS; i > 0; i--, n /= 10)
		out[i] = (uint8_t)('0' + n % 10);
	memcpy(out + 1 + DIGITS, ORIGIN, sizeof ORIGIN);
	return (struct mrg_span){ out, 1 + DIGITS + sizeof ORIGIN };
}

/* In no order, as names come that are sent by hash. */
static void build(struct mrg_dns_zone_builder *b, struct mrg_arena *a, bool sign)
{
	static const uint8_t soa[22], ns[1], types[] = { 0, 6, 0x40, 0, 0, 0, 0, 3 };
	const struct mrg_span origin = { ORIGIN, sizeof ORIGIN };
	uint8_t owner[1 + DIGITS + sizeof ORIGIN], nsec[sizeof owner + sizeof types];
	*a = (struct mrg_arena){ .p = calloc(1, ARENA), .cap = ARENA };
	ck_assert_ptr_nonnull(a->p);
	ck_assert_int_eq(mrg_dns_zone_begin(b, a, origin), MRG_OK);
	add(b, origin, MRG_DNS_TYPE_SOA, soa, sizeof soa);
	add(b, origin, MRG_DNS_TYPE_NS, ns, sizeof ns);
	for (unsigned i = 0; i < NAMES; i++) {
		const unsigned n = i * 7919u % NAMES;
		const struct mrg_span name = name_of(n, owner);
		add(b, name, MRG_DNS_TYPE_A, soa, 4);
		const size_t len = name_of(n + 1, nsec).len;
		memcpy(nsec + len, types, sizeof types);
		if (sign)
			add(b, name, MRG_DNS_TYPE_NSEC, nsec, len + sizeof types);
	}
	if (sign)
		add(b, origin, MRG_DNS_TYPE_NSEC, nsec, sizeof nsec);
}

static void check_same(const struct mrg_dns_zone *x, const struct mrg_dns_zone *y)
{
	struct mrg_dns_zone_walk v = { .zone = x }, w = { .zone = y };
	struct mrg_dns_rr a, b;
	while (mrg_dns_zone_next(&v, &a) == MRG_OK) {
		ck_assert_int_eq(mrg_dns_zone_next(&w, &b), MRG_OK);
		ck_assert(mrg_span_eq((struct mrg_span){ a.p, a.len }, (struct mrg_span){ b.p, b.len }));
	}
	ck_assert_int_eq(mrg_dns_zone_next(&w, &b), MRG_END);
	ck_assert_uint_eq(x->chain_len, y->chain_len);
	for (size_t i = 0; i < x->chain_len; i++)
		ck_assert_uint_eq(x->chain[i], y->chain[i]);
}

static bool is_zero(const uint8_t *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

static void check_pieces(bool sign, size_t least)
{
	struct mrg_arena at_once, by_pieces;
	struct mrg_dns_zone_builder b;
	struct mrg_dns_zone_finishing f;
	const struct mrg_dns_zone *x, *y;
	struct mrg_dns_zone_error why;
	enum mrg_status st = MRG_MORE;
	size_t pieces = 0;
	build(&b, &at_once, sign);
	ck_assert_int_eq(mrg_dns_zone_finish(&b, &x, &why), MRG_OK);
	build(&b, &by_pieces, sign);
	mrg_dns_zone_finish_begin(&f, &b);
	for (; st == MRG_MORE; pieces++)
		st = mrg_dns_zone_finish_some(&f, &y, &why);
	ck_assert_int_eq(st, MRG_OK);
	ck_assert_uint_ge(pieces, least);
	check_same(x, y);
	ck_assert_uint_eq(y->chain_len, sign ? NAMES + 1 : 0);
	ck_assert_uint_eq(at_once.len, by_pieces.len);
	if (sign) /* it is the last in its memory: what it was sorted in is given back */
		ck_assert_ptr_eq(y->chain + y->chain_len, by_pieces.p + by_pieces.len);
	ck_assert(is_zero(
		by_pieces.p + by_pieces.len, ARENA - by_pieces.len)); /* who gives it back relies on it */
	free(at_once.p);
	free(by_pieces.p);
}

START_TEST(a_zone_in_pieces_is_the_zone)
{
	enum {
		INDEX_AND_LINK = 2 * NAMES / MRG_DNS_ZONE_PIECE,
		WALKS = 2 * NAMES / MRG_DNS_ZONE_PIECE,
		SORT = 14 * NAMES / MRG_DNS_ZONE_PIECE /* the least of n log n */
	};
	check_pieces(false, INDEX_AND_LINK);
	check_pieces(true, INDEX_AND_LINK + WALKS + SORT);
}
END_TEST

int main(void)
{
	TCase *const all = tcase_create("all");
	tcase_set_timeout(all, 0);
	tcase_add_test(all, a_sort_in_pieces_is_a_sort);
	tcase_add_test(all, a_zone_in_pieces_is_the_zone);
	Suite *const suite = suite_create("zones finished in pieces");
	suite_add_tcase(suite, all);
	SRunner *const r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
