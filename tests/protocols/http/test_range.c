/*
 * protocols/http/range: RFC 9110 14.1, 14.2, 17.15.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "protocols/http/range.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* "whole", "none", or ranges as FIRST+LEN. No answer may be longer than the whole, whatever is asked. */
static const char *ask(struct mrg_span value, uint64_t size)
{
	static char text[1000];
	struct mrg_http_range *const out = malloc(MRG_HTTP_RANGES_MAX * sizeof *out);
	size_t count = 0, n = 0;
	uint64_t left = size;
	const enum mrg_http_ranges got = mrg_http_ranges(guarded(value), size, out, &count);
	strcpy(text, got == MRG_HTTP_RANGES_WHOLE ? "whole" : "none");
	if (got == MRG_HTTP_RANGES_SOME) {
		MUST(count >= 1 && count <= MRG_HTTP_RANGES_MAX);
		for (size_t i = 0; i < count; i++) {
			MUST(out[i].len != 0 && out[i].first < size && out[i].len <= size - out[i].first);
			MUST_SAY(out[i].len <= left, "more than there is: %.*s", (int)value.len,
				(const char *)value.p);
			left -= out[i].len;
			n += (size_t)snprintf(text + n, sizeof text - n, "%s%" PRIu64 "+%" PRIu64,
				i == 0 ? "" : ",", out[i].first, out[i].len);
		}
	}
	free(out);
	return text;
}

struct row {
	const char *value, *want;
};

static void expect_all(const struct row *rows, size_t count, uint64_t size)
{
	for (size_t i = 0; i < count; i++) {
		const char *const got = ask(text_of(rows[i].value), size);
		MUST_SAY(strcmp(got, rows[i].want) == 0, "%s of %" PRIu64 ": %s instead of %s", rows[i].value,
			size, got, rows[i].want);
	}
}

START_TEST(one_range)
{
	static const struct row rows[] = { { "bytes=0-0", "0+1" }, { "bytes=0-99", "0+100" },
		{ "bytes=0-", "0+100" }, { "bytes=99-", "99+1" }, { "bytes=99-99", "99+1" },
		{ "bytes=98-100", "98+2" }, { "bytes=0-1000", "0+100" }, { "bytes=50-60", "50+11" },
		{ "bytes=-1", "99+1" }, { "bytes=-99", "1+99" }, { "bytes=-100", "0+100" },
		{ "bytes=-101", "0+100" }, { "bytes=000-0009", "0+10" }, { "Bytes=0-1", "0+2" } };
	expect_all(rows, COUNT(rows), 100);
}
END_TEST

START_TEST(ranges_that_are_not_there)
{
	static const struct row rows[] = { { "bytes=100-", "none" }, { "bytes=100-100", "none" },
		{ "bytes=-0", "none" }, { "bytes=100-,200-300", "none" }, { "bytes=500-,-0", "none" },
		{ "bytes=100-200,0-1", "0+2" }, { "bytes=0-1,-0", "0+2" }, { "bytes=-1,100-", "99+1" } };
	expect_all(rows, COUNT(rows), 100);
}
END_TEST

START_TEST(several_ranges)
{
	static const struct row rows[] = { { "bytes=0-1,4-5", "0+2,4+2" }, { "bytes=4-5,0-1", "4+2,0+2" },
		{ "bytes=-5,0-4", "95+5,0+5" }, { "bytes=0-1 , 4-5", "0+2,4+2" },
		{ "bytes=,0-1,,\t4-5 ,", "0+2,4+2" }, { "bytes=0-,", "0+100" },
		{ "bytes=90-,-5", "90+10,95+5" }, { "bytes=0-9,90-", "0+10,90+10" },
		{ "bytes=0-0,-1", "0+1,99+1" }, { "bytes=0-49,50-99", "0+50,50+50" },
		{ "bytes=0-49,0-49", "0+50,0+50" } };
	expect_all(rows, COUNT(rows), 100);
}
END_TEST

START_TEST(what_is_no_set_of_ranges_is_passed_over)
{
	static const struct row rows[] = { { "", "whole" }, { "bytes", "whole" }, { "bytes=", "whole" },
		{ "bytes=,", "whole" }, { "bytes=-", "whole" }, { "bytes=0", "whole" },
		{ "bytes=a-b", "whole" }, { "bytes=--1", "whole" }, { "bytes=0-1-2", "whole" },
		{ "bytes=+0-1", "whole" }, { "bytes=0-+1", "whole" }, { "bytes=0x0-1", "whole" },
		{ "bytes=0-1;", "whole" }, { "bytes=0 -1", "whole" }, { "bytes=0- 1", "whole" },
		{ "bytes=0-1 2-3", "whole" }, { "bytes 0-1", "whole" }, { "bytes:0-1", "whole" },
		{ "items=0-1", "whole" }, { "bytes=0-1,x", "whole" }, { "xbytes=0-1", "whole" },
		{ "bytes=0-1\x80", "whole" }, { "bytes=1-0", "whole" }, { "bytes=0-1,5-3", "whole" },
		{ "bytes=5-3,0-1", "whole" }, { "bytes=*", "whole" }, { "bytes==0-1", "whole" },
		{ "bytes=0_0-1", "whole" } };
	expect_all(rows, COUNT(rows), 100);
	ck_assert_str_eq(ask(MRG_LITERAL("bytes=0-1\0"), 100), "whole");
}
END_TEST

START_TEST(large_numbers)
{
	static const struct row rows[] = { { "bytes=0-18446744073709551615", "0+100" },
		{ "bytes=0-18446744073709551616", "0+100" },
		{ "bytes=18446744073709551615-18446744073709551615", "none" },
		{ "bytes=18446744073709551616-", "none" }, { "bytes=4294967296-", "none" },
		{ "bytes=-18446744073709551615", "0+100" }, { "bytes=-18446744073709551616", "0+100" },
		{ "bytes=-99999999999999999999999999", "0+100" },
		{ "bytes=99999999999999999999999999-", "none" } };
	static const struct row of_most[] = { { "bytes=0-", "0+18446744073709551615" },
		{ "bytes=-1", "18446744073709551614+1" },
		{ "bytes=18446744073709551614-", "18446744073709551614+1" },
		{ "bytes=18446744073709551615-", "none" },
		{ "bytes=1-18446744073709551614", "1+18446744073709551614" } };
	expect_all(rows, COUNT(rows), 100);
	expect_all(of_most, COUNT(of_most), UINT64_MAX);
}
END_TEST

/* RFC 9110 17.15 */
START_TEST(more_than_the_whole_is_the_whole)
{
	static const struct row rows[] = { { "bytes=0-50,0-50", "whole" }, { "bytes=0-,0-", "whole" },
		{ "bytes=0-,-1", "whole" }, { "bytes=0-,0-,0-,0-", "whole" },
		{ "bytes=-100,-100", "whole" } };
	static const uint64_t sizes[] = { 100, UINT64_C(1) << 32, UINT64_C(1) << 60, INT64_MAX,
		UINT64_C(1) << 63, UINT64_MAX };
	expect_all(rows, COUNT(rows), 100);
	/* sums that wrap are no less */
	for (size_t i = 0; i < COUNT(sizes); i++)
		for (unsigned n = 2; n <= MRG_HTTP_RANGES_MAX; n++) {
			char value[100] = "bytes=0-";
			for (unsigned k = 1; k < n; k++)
				strcat(value, ",0-");
			ck_assert_str_eq(ask(text_of(value), sizes[i]), "whole");
		}
}
END_TEST

START_TEST(many_ranges)
{
	for (unsigned n = 1; n < 2000; n = n < 40 ? n + 1 : n * 2) {
		char value[9000] = "bytes=0-0", want[9000] = "0+1";
		for (unsigned k = 1; k < n; k++) {
			strcat(value, k % 2 == 0 ? ",0-0" : ",-1");
			strcat(want, k % 2 == 0 ? ",0+1" : ",4999+1");
		}
		ck_assert_str_eq(ask(text_of(value), 5000), n <= MRG_HTTP_RANGES_MAX ? want : "whole");
	}
}
END_TEST

/* Every range of small numbers, and every pair, against the octets that the RFC's words name. */
enum { SMALL = 6, SPECS = (SMALL + 1) * (SMALL + 3) };

static void spec_of(unsigned i, char *text, unsigned size, int *first, int *last)
{
	const unsigned a = i % (SMALL + 1), kind = i / (SMALL + 1);
	const int end = (int)size - 1;
	*first = (int)a;
	if (kind == SMALL + 1) {
		sprintf(text, "%u-", a);
		*last = end;
	} else if (kind == SMALL + 2) {
		sprintf(text, "-%u", a);
		*first = a > size ? 0 : (int)(size - a);
		*last = end;
	} else {
		sprintf(text, "%u-%u", a, kind);
		*last = kind < a ? -2 : (int)kind < end ? (int)kind : end; /* -2: invalid */
	}
}

START_TEST(small_ranges_against_their_meaning)
{
	for (unsigned size = 1; size < SMALL; size++)
		for (unsigned i = 0; i < SPECS * (SPECS + 1); i++) {
			char value[64], a[16], b[16], want[64] = "";
			int first[2], last[2];
			const unsigned n = i < SPECS * SPECS ? 2 : 1;
			unsigned sum = 0;
			bool bad = false;
			spec_of(i % SPECS, a, size, &first[0], &last[0]);
			spec_of(i / SPECS % SPECS, b, size, &first[1], &last[1]);
			sprintf(value, "bytes=%s%s%s", a, n == 2 ? "," : "", n == 2 ? b : "");
			for (unsigned k = 0; k < n; k++) {
				bad = bad || last[k] == -2;
				if (last[k] < first[k])
					continue;
				sprintf(want + strlen(want), "%s%d+%d", *want == 0 ? "" : ",", first[k],
					last[k] - first[k] + 1);
				sum += (unsigned)(last[k] - first[k] + 1);
			}
			const char *const whole = bad || sum > size ? "whole" : *want == 0 ? "none" : want;
			const char *const got = ask(text_of(value), size);
			MUST_SAY(strcmp(got, whole) == 0, "%s of %u: %s instead of %s", value, size, got,
				whole);
		}
}
END_TEST

/* RFC 9110 14.2: a server may pass over Range; of nothing there is no part. */
START_TEST(of_nothing)
{
	static const struct row rows[] = { { "bytes=0-", "whole" }, { "bytes=-1", "whole" },
		{ "bytes=0-0", "whole" }, { "x", "whole" } };
	expect_all(rows, COUNT(rows), 0);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http/range");
	TCase *const t = tcase_create("range");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, one_range);
	tcase_add_test(t, ranges_that_are_not_there);
	tcase_add_test(t, several_ranges);
	tcase_add_test(t, what_is_no_set_of_ranges_is_passed_over);
	tcase_add_test(t, large_numbers);
	tcase_add_test(t, more_than_the_whole_is_the_whole);
	tcase_add_test(t, many_ranges);
	tcase_add_test(t, small_ranges_against_their_meaning);
	tcase_add_test(t, of_nothing);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
