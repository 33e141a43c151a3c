/*
 * protocols/http/coding: what Accept-Encoding accepts. RFC 9110 12.4.2, 12.5.3.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "guard.h"
#include "heads.h"
#include "protocols/http/coding.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

struct row {
	const char *fields; /* lines */
	unsigned br, gzip, identity;
};

static void expect_all(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct mrg_http_codings got = { 77, 77, 77 };
		mrg_http_codings(request_with(rows[i].fields), &got);
		MUST_SAY(got.br == rows[i].br && got.gzip == rows[i].gzip && got.identity == rows[i].identity,
			"%s: br %u gzip %u identity %u", rows[i].fields, got.br, got.gzip, got.identity);
	}
}

#define A "Accept-Encoding: "
#define E "\r\n"

START_TEST(weights)
{
	static const struct row rows[] = { { "", 0, 0, 1 }, { A "gzip" E, 0, 1000, 1 },
		{ A "br" E, 1000, 0, 1 }, { A "gzip, br" E, 1000, 1000, 1 }, { A "GZip,bR" E, 1000, 1000, 1 },
		{ A "x-gzip" E, 0, 1000, 1 }, { A "gzip;q=0" E, 0, 0, 1 }, { A "gzip;q=0.5" E, 0, 500, 1 },
		{ A "gzip;q=0.25" E, 0, 250, 1 }, { A "gzip;q=0.125" E, 0, 125, 1 },
		{ A "gzip;q=0.001" E, 0, 1, 1 }, { A "gzip;q=0." E, 0, 0, 1 },
		{ A "gzip;q=0.000" E, 0, 0, 1 }, { A "gzip;q=1" E, 0, 1000, 1 },
		{ A "gzip;q=1." E, 0, 1000, 1 }, { A "gzip;q=1.000" E, 0, 1000, 1 },
		{ A "gzip;Q=0.5" E, 0, 500, 1 }, { A "gzip ;\tq=0.5 , br ; q=0.7" E, 700, 500, 1 },
		{ A "gzip;q=0.9, deflate;q=0.8, br;q=0.05" E, 50, 900, 1 },
		{ A "zstd, foo;q=0.2" E, 0, 0, 1 }, { A "gzip;q=0.5, identity;q=0.6" E, 0, 500, 600 },
		{ A "identity" E, 0, 0, 1000 }, { A ",, gzip ,, " E, 0, 1000, 1 } };
	expect_all(rows, COUNT(rows));
}
END_TEST

START_TEST(what_is_not_named)
{
	static const struct row rows[] = { { A "*" E, 1000, 1000, 1000 }, { A "*;q=0.3" E, 300, 300, 300 },
		{ A "gzip, *;q=0" E, 0, 1000, 0 }, { A "*;q=0, gzip" E, 0, 1000, 0 },
		{ A "*;q=0, identity" E, 0, 0, 1000 }, { A "*;q=0" E, 0, 0, 0 },
		{ A "identity;q=0" E, 0, 0, 0 }, { A "identity;q=0, *" E, 1000, 1000, 0 },
		{ A "gzip;q=0.5, *;q=0.1" E, 100, 500, 100 }, { A "br;q=0, *;q=0.1" E, 0, 100, 100 } };
	expect_all(rows, COUNT(rows));
}
END_TEST

/* RFC 9110 12.5.3: with nothing in it, no coding is wanted. */
START_TEST(nothing_is_named)
{
	static const struct row rows[] = { { A E, 0, 0, 1 }, { A "," E, 0, 0, 1 } };
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mrg_http_codings got;
		mrg_http_codings(request_with(rows[i].fields), &got);
		MUST(got.br == 0 && got.gzip == 0 && got.identity != 0);
	}
}
END_TEST

START_TEST(several_fields_are_one_list)
{
	static const struct row rows[] = { { A "gzip" E A "br;q=0.5" E, 500, 1000, 1 },
		{ A "gzip" E "X: y" E A "*;q=0" E, 0, 1000, 0 }, { A E A "br" E, 1000, 0, 1 } };
	expect_all(rows, COUNT(rows));
}
END_TEST

START_TEST(what_is_no_list_accepts_nothing_but_what_all_understand)
{
	static const char *const bad[] = { "gzip;q=1.001", "gzip;q=2", "gzip;q=0.1234", "gzip;q=.5",
		"gzip;q=", "gzip;q", "gzip;", "gzip q=1", "gzip;x=1", "gzip;q=-1", "gzip;q=+1", "gzip;q=1e0",
		"gzip;q=01", "gzip;q =1", "gzip;q= 1", "gzip br", "\"gzip\"", "gzip;q=\"1\"", "gzip\x80",
		"gzip;q=0.5;q=1", "gzip/1", "gzip=1", ";q=1", "gzip;q=1.5" };
	for (size_t i = 0; i < COUNT(bad); i++) {
		char fields[200];
		const struct row rows[] = { { fields, 0, 0, 1000 } };
		snprintf(fields, sizeof fields, A "br, %s" E, bad[i]);
		expect_all(rows, 1);
		snprintf(fields, sizeof fields, A "%s, br" E, bad[i]);
		expect_all(rows, 1);
		snprintf(fields, sizeof fields, A "br" E A "%s" E, bad[i]);
		expect_all(rows, 1);
	}
}
END_TEST

/* More of them than are looked at at a time, with each number in front. */
START_TEST(long_lists)
{
	for (unsigned n = 0; n < 60; n++) {
		static char fields[40000];
		strcpy(fields, A);
		for (unsigned k = 0; k < n; k++)
			strcat(fields, "x;q=0.9,");
		strcat(fields, "gzip;q=0.75, br;q=0.5" E);
		const struct row row = { fields, 500, 750, 1 };
		expect_all(&row, 1);
	}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http/coding");
	TCase *const t = tcase_create("coding");
	tcase_add_test(t, weights);
	tcase_add_test(t, what_is_not_named);
	tcase_add_test(t, nothing_is_named);
	tcase_add_test(t, several_fields_are_one_list);
	tcase_add_test(t, what_is_no_list_accepts_nothing_but_what_all_understand);
	tcase_add_test(t, long_lists);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
