/*
 * Whole replies against the naive server (oracle.h): random zones, and every name over their labels with every type that
 * matters.  Unsigned, NSEC, NSEC3 and NSEC3 with opt-out.  Records come in random order in every other zone.
 */
#include <check.h>

#include "oracle_zones.h"

enum { ROUNDS = 10 };

static void run(enum oracle_signing how)
{
	static struct oracle z;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct kit k;
		zones_seed(i * 7919u + (unsigned)how + 1u);
		kit_init(&k, 1 << 22);
		zones_random(&z, how);
		k.zones[0] = zones_build(&k, &z, i % 2 != 0);
		ck_assert_int_eq(mrg_dns_db_init(&k.db, &k.arena, k.zones, 1), MRG_OK);
		zones_compare(&k, &z);
		kit_free(&k);
	}
}

START_TEST(test_unsigned) { run(ORACLE_UNSIGNED); }
END_TEST
START_TEST(test_nsec) { run(ORACLE_NSEC); }
END_TEST
START_TEST(test_nsec3) { run(ORACLE_NSEC3); }
END_TEST
START_TEST(test_opt_out) { run(ORACLE_OPT_OUT); }
END_TEST

int main(void)
{
	Suite *const s = suite_create("answer against the oracle");
	TCase *const t = tcase_create("random zones");
	tcase_set_timeout(t, 600);
	tcase_add_test(t, test_unsigned);
	tcase_add_test(t, test_nsec);
	tcase_add_test(t, test_nsec3);
	tcase_add_test(t, test_opt_out);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
