/*
 * runtime/core: numbers from a seed, and what bad links make of frames.
 *
 * The exact results belong to the seed: a change of them changes every simulation that somebody has written down.
 */
#include <check.h>
#include <string.h>

#include "core/mrg_impair.h"

enum { MANY = 100000, LEN = 1000, SEED = 42 };

/* ---- numbers ---- */

START_TEST(numbers_are_those_of_the_reference)
{
	static const uint64_t expected[] = { 41943041, 58720359, 3588806011781223, 3591011842654386,
		UINT64_C(9228616714210784205), UINT64_C(9973669472204895162), UINT64_C(14011001112246962877),
		UINT64_C(12406186145184390807), UINT64_C(15849039046786891736),
		UINT64_C(10450023813501588000) };
	struct mrg_random r = { { 1, 2, 3, 4 } };
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
		ck_assert_uint_eq(mrg_random_next(&r), expected[i]);
}
END_TEST

START_TEST(seeds_and_streams_differ)
{
	struct mrg_random a, b;
	uint64_t first[4];
	for (size_t i = 0; i < 4; i++) {
		mrg_random_init(&a, i / 2, i % 2);
		mrg_random_init(&b, i / 2, i % 2);
		first[i] = mrg_random_next(&a);
		ck_assert_uint_eq(first[i], mrg_random_next(&b));
		for (size_t k = 0; k < i; k++)
			ck_assert_uint_ne(first[i], first[k]);
	}
	ck_assert_uint_eq(first[0], UINT64_C(9579327875526494010));
}
END_TEST

START_TEST(numbers_below_a_bound)
{
	struct mrg_random r;
	size_t seen[7] = { 0 };
	mrg_random_init(&r, SEED, 0);
	for (size_t i = 0; i < 7u * 10000u; i++)
		seen[mrg_random_below(&r, 7)]++;
	for (size_t i = 0; i < 7; i++) {
		ck_assert_uint_ge(seen[i], 9700);
		ck_assert_uint_le(seen[i], 10300);
	}
	ck_assert_uint_eq(mrg_random_below(&r, 0), 0);
	ck_assert_uint_eq(mrg_random_below(&r, 1), 0);
	uint64_t most = 0;
	for (size_t i = 0; i < 1000; i++) {
		const uint64_t v = mrg_random_below(&r, UINT64_MAX - 1);
		most = v > most ? v : most;
		ck_assert_uint_lt(v, UINT64_MAX - 1);
	}
	ck_assert_uint_gt(most, UINT64_MAX / 100 * 99);
}
END_TEST

START_TEST(more_hits_with_more_chance)
{
	for (uint64_t seed = 0; seed < 1000; seed++) {
		struct mrg_random r;
		bool hit = false;
		for (uint32_t ppm = 0; ppm <= MRG_RANDOM_MILLION; ppm += 50000) {
			mrg_random_init(&r, seed, 3);
			const bool now = mrg_random_hits(&r, ppm);
			ck_assert(now || !hit);
			hit = now;
		}
		ck_assert(hit);
		mrg_random_init(&r, seed, 3);
		ck_assert(!mrg_random_hits(&r, 0));
	}
}
END_TEST

/* ---- fates ---- */

static struct mrg_impair way;
static struct mrg_impair_copy copies[MRG_IMPAIR_COPIES];

static size_t one(const struct mrg_impair_options *o, uint64_t now_ns)
{
	return mrg_impair_frame(&way, o, LEN, now_ns, copies);
}

/* Many frames, a microsecond apart. */
static void many(const struct mrg_impair_options *o)
{
	mrg_impair_init(&way, SEED, 0);
	for (uint64_t i = 0; i < MANY; i++)
		(void)one(o, i * 1000u);
}

START_TEST(a_perfect_link_changes_nothing)
{
	const struct mrg_impair_options o = { .delay_ns = 5 };
	uint8_t bytes[LEN] = { 0 };
	static const uint8_t zero[LEN];
	mrg_impair_init(&way, SEED, 0);
	for (uint64_t i = 0; i < 1000; i++) {
		ck_assert_uint_eq(one(&o, i), 1);
		ck_assert_uint_eq(copies[0].at_ns, i + 5);
		ck_assert_uint_eq(copies[0].len, LEN);
		ck_assert(!copies[0].altered);
		mrg_impair_alter(&copies[0], bytes);
	}
	ck_assert_int_eq(memcmp(bytes, zero, LEN), 0);
	ck_assert_uint_eq(way.counts.frames, 1000);
	ck_assert_uint_eq(way.counts.bytes, 1000u * LEN);
}
END_TEST

START_TEST(each_evil_comes_as_often_as_asked)
{
	many(&(struct mrg_impair_options){ .loss_ppm = 50000 });
	ck_assert_uint_eq(way.counts.lost, 4998);
	many(&(struct mrg_impair_options){ .duplicate_ppm = 20000 });
	ck_assert_uint_eq(way.counts.duplicated, 2036);
	many(&(struct mrg_impair_options){ .reorder_ppm = 100000, .reorder_ns = 5000 });
	ck_assert_uint_eq(way.counts.reordered, 9906);
	many(&(struct mrg_impair_options){ .corrupt_ppm = 10000 });
	ck_assert_uint_eq(way.counts.corrupted, 968);
	many(&(struct mrg_impair_options){ .truncate_ppm = 10000, .truncate_least = 14 });
	ck_assert_uint_eq(way.counts.truncated, 1012);
	many(&(struct mrg_impair_options){
		.burst_begin_ppm = 1000, .burst_end_ppm = 100000, .burst_loss_ppm = 900000 });
	ck_assert_uint_eq(way.counts.lost_in_bursts, 692);
	ck_assert_uint_eq(way.counts.lost, 0);
}
END_TEST

START_TEST(evils_do_not_disturb_each_other)
{
	const struct mrg_impair_options all = { .loss_ppm = 50000,
		.duplicate_ppm = 20000,
		.reorder_ppm = 100000,
		.reorder_ns = 5000,
		.corrupt_ppm = 10000,
		.jitter_ns = 700 };
	many(&(struct mrg_impair_options){ .loss_ppm = 50000 });
	const uint64_t lost = way.counts.lost;
	many(&all);
	ck_assert_uint_eq(way.counts.lost, lost);
}
END_TEST

START_TEST(bad_times_last)
{
	const struct mrg_impair_options o = { .burst_begin_ppm = 1000, .burst_end_ppm = 100000 };
	size_t runs = 0, lost = 0;
	bool before = false;
	mrg_impair_init(&way, SEED, 0);
	for (uint64_t i = 0; i < MANY; i++) {
		const bool now = one(&o, i) == 0;
		runs += now && !before;
		lost += now;
		before = now;
	}
	/* of 1/1000 begins and 1/10 ends: bursts of 10 on average, one in 1010 frames */
	ck_assert_uint_ge(runs, 80);
	ck_assert_uint_le(runs, 120);
	ck_assert_uint_ge(lost, runs * 8);
	ck_assert_uint_le(lost, runs * 12);
}
END_TEST

START_TEST(one_bit_is_another)
{
	const struct mrg_impair_options o = { .corrupt_ppm = MRG_RANDOM_MILLION };
	static bool hit[8 * LEN];
	size_t places = 0;
	mrg_impair_init(&way, SEED, 0);
	for (uint64_t i = 0; i < 2000; i++) {
		uint8_t bytes[LEN] = { 0 };
		unsigned bits = 0;
		ck_assert_uint_eq(one(&o, i), 1);
		ck_assert(copies[0].altered);
		mrg_impair_alter(&copies[0], bytes);
		for (size_t b = 0; b < 8u * LEN; b++)
			if ((bytes[b / 8] >> b % 8 & 1) != 0) {
				bits++;
				places += !hit[b];
				hit[b] = true;
			}
		ck_assert_uint_eq(bits, 1);
	}
	ck_assert_uint_gt(places, 1700);
}
END_TEST

START_TEST(only_a_first_part_arrives)
{
	const struct mrg_impair_options o = { .truncate_ppm = MRG_RANDOM_MILLION, .truncate_least = 14 };
	size_t least = LEN, most = 0;
	mrg_impair_init(&way, SEED, 0);
	for (uint64_t i = 0; i < 20000; i++) {
		ck_assert_uint_eq(one(&o, i), 1);
		ck_assert(copies[0].altered);
		least = copies[0].len < least ? copies[0].len : least;
		most = copies[0].len > most ? copies[0].len : most;
	}
	ck_assert_uint_eq(least, 14);
	ck_assert_uint_eq(most, LEN - 1);
	/* nothing can be cut off */
	ck_assert_uint_eq(mrg_impair_frame(&way, &o, 14, 0, copies), 1);
	ck_assert_uint_eq(copies[0].len, 14);
	ck_assert(!copies[0].altered);
	ck_assert_uint_eq(mrg_impair_frame(&way, &o, 0, 0, copies), 1);
	ck_assert_uint_eq(copies[0].len, 0);
}
END_TEST

START_TEST(a_second_one_is_as_it_was)
{
	const struct mrg_impair_options o = { .duplicate_ppm = MRG_RANDOM_MILLION,
		.corrupt_ppm = MRG_RANDOM_MILLION };
	mrg_impair_init(&way, SEED, 0);
	ck_assert_uint_eq(one(&o, 77), 2);
	ck_assert(copies[0].altered && !copies[1].altered);
	ck_assert_uint_eq(copies[0].at_ns, 77);
	ck_assert_uint_eq(copies[1].at_ns, 77);
}
END_TEST

START_TEST(jitter_keeps_the_order)
{
	const struct mrg_impair_options o = { .delay_ns = 1000000, .jitter_ns = 50000 };
	uint64_t last = 0, least = UINT64_MAX, most = 0;
	mrg_impair_init(&way, SEED, 0);
	for (uint64_t i = 0; i < 10000; i++) {
		ck_assert_uint_eq(one(&o, i * 1000), 1);
		const uint64_t took = copies[0].at_ns - i * 1000;
		ck_assert_uint_ge(copies[0].at_ns, last);
		last = copies[0].at_ns;
		least = took < least ? took : least;
		most = took > most ? took : most;
	}
	ck_assert_uint_ge(least, 1000000);
	ck_assert_uint_le(most, 1050000);
	ck_assert_uint_gt(most, 1049900);
}
END_TEST

START_TEST(some_are_overtaken)
{
	const struct mrg_impair_options o = { .reorder_ppm = 100000, .reorder_ns = 5000 };
	uint64_t last = 0;
	size_t early = 0;
	mrg_impair_init(&way, SEED, 0);
	for (uint64_t i = 0; i < 1000; i++) {
		ck_assert_uint_eq(one(&o, i * 1000), 1);
		ck_assert_uint_le(copies[0].at_ns, i * 1000 + 5000);
		early += copies[0].at_ns < last;
		last = copies[0].at_ns;
	}
	ck_assert_uint_ge(way.counts.reordered, 80);
	ck_assert_uint_ge(early, way.counts.reordered / 2);
}
END_TEST

START_TEST(a_line_takes_time)
{
	const struct mrg_impair_options o = { .rate_bps = 8000000, .delay_ns = 7, .queue_len = 2500 };
	mrg_impair_init(&way, SEED, 0);
	/* a millisecond each; two wait beside the one that is under way */
	ck_assert_uint_eq(one(&o, 0), 1);
	ck_assert_uint_eq(copies[0].at_ns, 1000007);
	ck_assert_uint_eq(one(&o, 0), 1);
	ck_assert_uint_eq(copies[0].at_ns, 2000007);
	ck_assert_uint_eq(one(&o, 0), 0);
	ck_assert_uint_eq(way.counts.overflows, 1);
	ck_assert_uint_eq(one(&o, 500000), 1);
	ck_assert_uint_eq(copies[0].at_ns, 3000007);
	ck_assert_uint_eq(one(&o, 10000000), 1);
	ck_assert_uint_eq(copies[0].at_ns, 11000007);
	ck_assert_uint_eq(way.counts.overflows, 1);
}
END_TEST

START_TEST(what_is_lost_has_taken_its_time)
{
	const struct mrg_impair_options o = { .rate_bps = 8000000, .loss_ppm = MRG_RANDOM_MILLION };
	const struct mrg_impair_options good = { .rate_bps = 8000000 };
	mrg_impair_init(&way, SEED, 0);
	ck_assert_uint_eq(one(&o, 0), 0);
	ck_assert_uint_eq(one(&good, 0), 1);
	ck_assert_uint_eq(copies[0].at_ns, 2000000);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("runtime/core bad links");
	TCase *const t = tcase_create("impair");
	tcase_add_test(t, numbers_are_those_of_the_reference);
	tcase_add_test(t, seeds_and_streams_differ);
	tcase_add_test(t, numbers_below_a_bound);
	tcase_add_test(t, more_hits_with_more_chance);
	tcase_add_test(t, a_perfect_link_changes_nothing);
	tcase_add_test(t, each_evil_comes_as_often_as_asked);
	tcase_add_test(t, evils_do_not_disturb_each_other);
	tcase_add_test(t, bad_times_last);
	tcase_add_test(t, one_bit_is_another);
	tcase_add_test(t, only_a_first_part_arrives);
	tcase_add_test(t, a_second_one_is_as_it_was);
	tcase_add_test(t, jitter_keeps_the_order);
	tcase_add_test(t, some_are_overtaken);
	tcase_add_test(t, a_line_takes_time);
	tcase_add_test(t, what_is_lost_has_taken_its_time);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
