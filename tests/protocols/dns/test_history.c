/* What changed from version to version: steps, the way through them, copies that forget. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "iana/dns.h"
#include "protocols/dns/history.h"

enum { MEMORY = 1 << 17 };

static uint8_t memory[MEMORY], other[MEMORY];
static struct mrg_arena arena, second;

static void setup(void)
{
	memset(memory, 0, sizeof memory);
	memset(other, 0, sizeof other);
	arena = (struct mrg_arena){ memory, 0, MEMORY };
	second = (struct mrg_arena){ other, 0, MEMORY };
}

/* Records as a step has them: the SOA with this serial number, then `more` addresses that end in 1, 2, ... */
static struct mrg_span records(uint32_t serial, unsigned more)
{
	static const uint8_t zone[] = "\7example", root[] = { 0 };
	static uint8_t room[32][512];
	static unsigned turn;
	uint8_t *const at = room[turn++ % 32], soa[22];
	struct mrg_w w, rdata;
	mrg_w_init(&rdata, soa, sizeof soa);
	mrg_dns_soa_put(&rdata,
		&(struct mrg_dns_soa_args){ .mname = { root, 1 }, .rname = { root, 1 }, .serial = serial });
	mrg_w_init(&w, at, sizeof room[0]);
	mrg_dns_flat_rr_put(&w, &(struct mrg_dns_flat_rr_args){ .name = { zone, sizeof zone },
					.type = MRG_DNS_TYPE_SOA,
					.class = MRG_DNS_CLASS_IN,
					.ttl = 60,
					.rdata = mrg_w_span(&rdata, 0) });
	for (unsigned i = 1; i <= more; i++) {
		const uint8_t ip[] = { 192, 0, 2, (uint8_t)i };
		mrg_dns_flat_rr_put(&w, &(struct mrg_dns_flat_rr_args){ .name = { zone, sizeof zone },
						.type = MRG_DNS_TYPE_A,
						.class = MRG_DNS_CLASS_IN,
						.ttl = 60,
						.rdata = { ip, sizeof ip } });
	}
	ck_assert_int_eq(w.st, MRG_OK);
	return mrg_w_span(&w, 0);
}

/* Steps 1 -> 2 -> ... -> last, of which the n-th adds n addresses. */
static const struct mrg_dns_step *history(uint32_t last)
{
	const struct mrg_dns_step *newest = NULL;
	for (uint32_t i = 1; i < last; i++)
		ck_assert_int_eq(
			mrg_dns_history_step(&arena, newest, records(i, 0), records(i + 1, i), &newest),
			MRG_OK);
	return newest;
}

START_TEST(test_later)
{
	static const struct {
		uint32_t a, b;
		bool later;
	} cases[] = { { 1, 0, true }, { 0, 1, false }, { 7, 7, false }, { 0, UINT32_MAX, true },
		{ 44, 0, true }, { 100, 44, true }, { 200, 0xffffff00, true }, { 0x80000000, 0, false },
		{ 0, 0x80000000, false }, { 0x7fffffff, 0, true }, { 0x80000001, 1, false } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ck_assert_int_eq(mrg_dns_serial_later(cases[i].a, cases[i].b), cases[i].later);
}
END_TEST

START_TEST(test_way)
{
	const struct mrg_dns_step *const newest = history(6);
	for (uint32_t serial = 0; serial < 9; serial++) {
		size_t steps = 99;
		uint32_t at = serial;
		const struct mrg_dns_step *s = mrg_dns_history_from(newest, serial, &steps);
		ck_assert_int_eq(s != NULL, serial >= 1 && serial < 6);
		ck_assert_uint_eq(steps, s != NULL ? 6 - serial : 0);
		for (; s != NULL; s = mrg_dns_history_after(newest, s), steps--) {
			struct mrg_span left = s->added;
			struct mrg_dns_flat_rr rr;
			size_t count = 0;
			while (mrg_dns_flat_next(&left, &rr))
				count++;
			ck_assert_uint_eq(left.len, 0);
			ck_assert_uint_eq(count, 1 + at);
			ck_assert_uint_eq(s->from, at++);
			ck_assert_uint_eq(s->to, at);
		}
		ck_assert_uint_eq(steps, 0);
	}
	size_t none;
	ck_assert_ptr_null(mrg_dns_history_from(NULL, 1, &none));
	ck_assert_uint_eq(none, 0);
}
END_TEST

/* After 2^32 versions a number comes again: the shorter way is the one. */
START_TEST(test_wrapped)
{
	const uint32_t half = UINT32_C(1) << 30;
	const struct mrg_dns_step *newest = NULL;
	for (uint32_t i = 0; i < 6; i++)
		ck_assert_int_eq(mrg_dns_history_step(&arena, newest, records(i * half, 0),
					 records((i + 1) * half, 0), &newest),
			MRG_OK);
	size_t steps;
	ck_assert_ptr_nonnull(mrg_dns_history_from(newest, half, &steps));
	ck_assert_uint_eq(steps, 1);
}
END_TEST

START_TEST(test_refused)
{
	const struct mrg_dns_step *newest = NULL, *const before = history(3);
	const size_t len = arena.len;
	struct mrg_span broken = records(4, 2), none = { NULL, 0 };
	const size_t soa = records(3, 0).len;
	const struct mrg_span plain = records(3, 1), tail = { plain.p + soa, plain.len - soa };
	broken.len--;
	ck_assert_int_eq(
		mrg_dns_history_step(&arena, before, records(2, 0), records(4, 0), &newest), MRG_E_VALUE);
	ck_assert_int_eq(
		mrg_dns_history_step(&arena, before, records(3, 0), records(3, 0), &newest), MRG_E_VALUE);
	ck_assert_int_eq(
		mrg_dns_history_step(&arena, before, records(3, 0), records(2, 0), &newest), MRG_E_VALUE);
	ck_assert_int_eq(mrg_dns_history_step(&arena, before, records(3, 0), broken, &newest), MRG_MORE);
	ck_assert_int_eq(mrg_dns_history_step(&arena, before, none, records(4, 0), &newest), MRG_MORE);
	ck_assert_int_eq(mrg_dns_history_step(&arena, before, records(3, 0), none, &newest), MRG_MORE);
	ck_assert_int_eq(mrg_dns_history_step(&arena, before, tail, records(4, 0), &newest), MRG_E_VALUE);
	size_t made = 0;
	for (size_t cap = len; cap < len + 300; cap++) {
		arena.cap = cap;
		if (mrg_dns_history_step(&arena, before, records(3, 0), records(4, 1), &newest) == MRG_OK) {
			memset(arena.p + len, 0, arena.len - len);
			arena.len = len;
			made++;
		}
		ck_assert_uint_eq(arena.len, len);
		for (size_t i = len; i < cap; i++)
			ck_assert_uint_eq(arena.p[i], 0);
	}
	ck_assert(made > 0 && made < 300);
	ck_assert_uint_eq(mrg_dns_history_size(before),
		records(1, 0).len * 4 + (records(1, 3).len - records(1, 0).len));
}
END_TEST

/* The newest that fit, each like the one it was copied from; nothing of the old memory is needed. */
START_TEST(test_forgotten)
{
	const struct mrg_dns_step *const newest = history(9), *copy;
	const size_t all = mrg_dns_history_size(newest);
	for (size_t octets = 0; octets <= all; octets += octets + 1 < all && octets % 50 != 0 ? 1 : 7) {
		second.len = 0;
		memset(other, 0, sizeof other);
		ck_assert_int_eq(mrg_dns_history_copy(&second, newest, octets, &copy), MRG_OK);
		const struct mrg_dns_step *a = newest, *b = copy;
		size_t used = 0;
		for (; b != NULL; a = a->before, b = b->before) {
			ck_assert_uint_eq(a->from, b->from);
			ck_assert_uint_eq(a->to, b->to);
			ck_assert(mrg_span_eq(a->deleted, b->deleted) && mrg_span_eq(a->added, b->added));
			ck_assert((const uint8_t *)b >= other && (const uint8_t *)b < other + sizeof other);
			ck_assert(b->added.p >= other && b->deleted.p < other + sizeof other);
			used += b->deleted.len + b->added.len;
		}
		ck_assert_uint_le(used, octets);
		ck_assert(a == NULL || used + a->deleted.len + a->added.len > octets);
	}
	ck_assert_int_eq(mrg_dns_history_copy(&second, newest, SIZE_MAX, &copy), MRG_OK);
	size_t steps;
	ck_assert_ptr_nonnull(mrg_dns_history_from(copy, 1, &steps));
	ck_assert_uint_eq(steps, 8);
	second = (struct mrg_arena){ other, 0, 700 };
	memset(other, 0, sizeof other);
	ck_assert_int_eq(mrg_dns_history_copy(&second, newest, SIZE_MAX, &copy), MRG_E_SPACE);
	ck_assert_uint_eq(second.len, 0);
	for (size_t i = 0; i < sizeof other; i++)
		ck_assert_uint_eq(other[i], 0);
}
END_TEST

/* However many there were: the way forward takes the square of what is kept. */
START_TEST(test_bounded)
{
	enum { MORE = MRG_DNS_HISTORY_STEPS + 3 };
	const struct mrg_dns_step *newest = NULL, *copy;
	size_t steps;
	for (uint32_t i = 1; i <= MORE; i++)
		ck_assert_int_eq(
			mrg_dns_history_step(&arena, newest, records(i, 0), records(i + 1, 0), &newest),
			MRG_OK);
	ck_assert_int_eq(mrg_dns_history_copy(&second, newest, SIZE_MAX, &copy), MRG_OK);
	ck_assert_ptr_null(mrg_dns_history_from(copy, 3, &steps));
	ck_assert_ptr_nonnull(mrg_dns_history_from(copy, 4, &steps));
	ck_assert_uint_eq(steps, MRG_DNS_HISTORY_STEPS);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("history");
	TCase *const t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, test_later);
	tcase_add_test(t, test_way);
	tcase_add_test(t, test_wrapped);
	tcase_add_test(t, test_refused);
	tcase_add_test(t, test_forgotten);
	tcase_add_test(t, test_bounded);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
