/*
 * Rejections with MRG_TERSE: where and how, but not which rule; the code of this file is compiled so, what it is linked with is not.
 */
#define MRG_TERSE
#include <check.h>

#include "dns/rr.h"

START_TEST(where_but_not_why)
{
	static const uint8_t octets[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 192, 0, 2 };
	struct mrg_dns_stored_rr v;
	struct mrg_reject why;
	ck_assert_int_eq(
		mrg_dns_stored_rr_check((struct mrg_span){ octets, sizeof octets }, &v, &why), MRG_MORE);
	ck_assert_int_eq(why.status, MRG_MORE);
	ck_assert_uint_eq(why.bit_off, 8 * 12);
	ck_assert_ptr_null(why.site);
	ck_assert_uint_eq(why.depth, 0);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("terse");
	TCase *const t = tcase_create("all");
	tcase_add_test(t, where_but_not_why);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
