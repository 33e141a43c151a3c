/*
 * runtime/vm: the driver of a network card against hosts that want harm, each of them by chance. What is held after each step is in
 * hostile.c; here, that they came where they wanted to.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/protocols/http/guard.h"
#include "tests/runtime/vm/hostile.h"

enum { SEEDS = 2000, LEN_MAX = 6000 };

START_TEST(hosts_by_chance)
{
	static uint8_t bytes[LEN_MAX];
	uint64_t refused = 0, gone = 0, in = 0, out = 0, bad = 0, harmless = 0;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		any_begin(seed);
		const size_t len = any(LEN_MAX);
		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)any(256);
		const struct hostile_end e = hostile_run(bytes, len);
		refused += e.refused;
		gone += e.gone;
		in += e.frames_in;
		out += e.frames_out;
		bad += e.bad;
		harmless += !e.refused && e.bad == 0;
		MUST_SAY(!e.gone || e.bad != 0, "seed %lu: given up, and nothing is counted",
			(unsigned long)seed);
	}
	ck_assert_uint_gt(refused, SEEDS / 20);
	ck_assert_uint_gt(gone, SEEDS / 20);
	ck_assert_uint_gt(in, SEEDS);
	ck_assert_uint_gt(out, SEEDS);
	ck_assert_uint_gt(bad, SEEDS);
	ck_assert_uint_lt(harmless, SEEDS / 2);
}
END_TEST

START_TEST(hosts_that_say_little)
{
	static const uint8_t zeros[64], ones[64] = { 0xff, 0xff };
	for (size_t len = 0; len <= sizeof zeros; len++) {
		(void)hostile_run(zeros, len);
		(void)hostile_run(ones, len);
	}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("vm_hostile");
	TCase *const t = tcase_create("all");
	tcase_set_timeout(t, 300);
	tcase_add_test(t, hosts_by_chance);
	tcase_add_test(t, hosts_that_say_little);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
