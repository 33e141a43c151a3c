/*
 * appliances/common/lines: a page that is too long ends with a whole line, and says so.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "appliances/common/lines.c"

static const char text[] = "first 1\nsecond 22\nthird 333\n";
static const char CUT[] = "cut\n";

/* In pieces, as pages are written. */
static void page(void *ctx, struct mrg_w *w)
{
	(void)ctx;
	for (size_t i = 0; text[i] != '\0'; i += 2)
		mrg_w_put(w, (struct mrg_span){ (const uint8_t *)text + i, text[i + 1] == '\0' ? 1 : 2 });
}

START_TEST(whole_lines_at_every_length)
{
	const size_t whole = sizeof text - 1;
	for (size_t cap = 0; cap < whole + 10; cap++) {
		uint8_t *const b = malloc(cap + 1); /* a byte too far is seen by the sanitizer */
		struct mrg_w w;
		mrg_w_init(&w, b, cap + 1);
		mrg_w_u8(&w, '>');
		lines_put(&w, page, NULL, CUT);
		if (cap < 4) {
			ck_assert_int_ne(w.st, MRG_OK);
			ck_assert_uint_eq(w.len, 1);
		} else {
			const size_t room = cap - 4;
			const size_t want = room >= whole ? whole : room >= 18 ? 18 : room >= 8 ? 8 : 0;
			ck_assert_int_eq(w.st, MRG_OK);
			ck_assert_uint_eq(w.len, 1 + want + (want < whole ? 4 : 0));
			ck_assert_int_eq(memcmp(b + 1, text, want), 0);
			ck_assert(want == whole || memcmp(b + 1 + want, CUT, 4) == 0);
		}
		free(b);
	}
}
END_TEST

START_TEST(a_writer_that_has_failed_stays_so)
{
	uint8_t b[64];
	struct mrg_w w;
	mrg_w_init(&w, b, sizeof b);
	mrg_w_fail(&w, MRG_E_SPACE);
	lines_put(&w, page, NULL, CUT);
	ck_assert_int_eq(w.st, MRG_E_SPACE);
	ck_assert_uint_eq(w.len, 0);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("lines");
	TCase *const t = tcase_create("all");
	tcase_add_test(t, whole_lines_at_every_length);
	tcase_add_test(t, a_writer_that_has_failed_stays_so);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
