/*
 * protocols/http/condition: RFC 9110 13.1 and 13.2.2.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "guard.h"
#include "heads.h"
#include "protocols/http/condition.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define BEFORE "Sun, 09 Sep 2001 01:46:39 GMT"
#define MODIFIED "Sun, 09 Sep 2001 01:46:40 GMT"
#define AFTER "Sun, 09 Sep 2001 01:46:41 GMT"

static const struct mrg_http_validators dated = {
	.etag = { (const uint8_t *)"\"x\"", 3 }, .dated = true, .modified_s = 1000000000, .now_s = 1700000000
};

static const char *verdict_of(enum mrg_http_verdict v)
{
	static const char *const names[] = { "go on", "unchanged", "failed" };
	return names[v];
}

static void expect(const char *fields, enum mrg_http_verdict want)
{
	const enum mrg_http_verdict got = mrg_http_condition(request_with(fields), &dated);
	MUST_SAY(got == want, "%s: %s instead of %s", fields, verdict_of(got), verdict_of(want));
}

/* ---- the order of precedence, as a table of all that the four fields may say ---- */

/* What a field says; ABSENT also for what is to be passed over. */
enum says { ABSENT, YES, NO };

struct variant {
	const char *line;
	enum says says; /* does the condition of the field hold? */
};

static const struct variant match[] = { { "", ABSENT }, { "If-Match: \"x\"\r\n", YES },
	{ "If-Match: *\r\n", YES }, { "If-Match: \"y\", \"x\"\r\n", YES }, { "If-Match: \"y\"\r\n", NO },
	{ "If-Match: W/\"x\"\r\n", NO }, { "If-Match: x\r\n", NO }, { "If-Match:\r\n", NO } };
static const struct variant unmodified[] = { { "", ABSENT }, { "If-Unmodified-Since: " AFTER "\r\n", YES },
	{ "If-Unmodified-Since: " MODIFIED "\r\n", YES }, { "If-Unmodified-Since: " BEFORE "\r\n", NO },
	{ "If-Unmodified-Since: yesterday\r\n", ABSENT },
	{ "If-Unmodified-Since: " BEFORE ", " BEFORE "\r\n", ABSENT } };
static const struct variant none_match[] = { { "", ABSENT }, { "If-None-Match: \"y\"\r\n", YES },
	{ "If-None-Match: x\r\n", YES }, { "If-None-Match: \"x\"\r\n", NO },
	{ "If-None-Match: W/\"x\"\r\n", NO }, { "If-None-Match: *\r\n", NO },
	{ "If-None-Match: \"y\", W/\"x\"\r\n", NO } };
static const struct variant modified[] = { { "", ABSENT }, { "If-Modified-Since: " BEFORE "\r\n", YES },
	{ "If-Modified-Since: " MODIFIED "\r\n", NO }, { "If-Modified-Since: " AFTER "\r\n", NO },
	{ "If-Modified-Since: 0\r\n", ABSENT },
	{ "If-Modified-Since: " AFTER "\r\nIf-Modified-Since: " AFTER "\r\n", ABSENT } };

/* The steps of RFC 9110 13.2.2 for GET and HEAD, in its order. */
static enum mrg_http_verdict by_the_steps(enum says m, enum says u, enum says n, enum says i)
{
	if (m != ABSENT) { /* step 1 */
		if (m == NO)
			return MRG_HTTP_FAILED;
	} else if (u != ABSENT) { /* step 2 */
		if (u == NO)
			return MRG_HTTP_FAILED;
	}
	if (n != ABSENT) /* step 3 */
		return n == NO ? MRG_HTTP_UNCHANGED : MRG_HTTP_GO_ON;
	if (i != ABSENT) /* step 4 */
		return i == NO ? MRG_HTTP_UNCHANGED : MRG_HTTP_GO_ON;
	return MRG_HTTP_GO_ON;
}

static const size_t combinations = COUNT(match) * COUNT(unmodified) * COUNT(none_match) * COUNT(modified);

static void choose(size_t i, const struct variant **m, const struct variant **u, const struct variant **n,
	const struct variant **d)
{
	*m = &match[i % COUNT(match)];
	i /= COUNT(match);
	*u = &unmodified[i % COUNT(unmodified)];
	i /= COUNT(unmodified);
	*n = &none_match[i % COUNT(none_match)];
	*d = &modified[i / COUNT(none_match)];
}

START_TEST(all_fields_together_in_both_orders)
{
	for (size_t i = 0; i < combinations; i++) {
		const struct variant *m, *u, *n, *d;
		char fields[1000];
		choose(i, &m, &u, &n, &d);
		const enum mrg_http_verdict want = by_the_steps(m->says, u->says, n->says, d->says);
		snprintf(fields, sizeof fields, "%s%s%s%s", m->line, u->line, n->line, d->line);
		expect(fields, want);
		snprintf(fields, sizeof fields, "%sX: y\r\n%s%s%s", d->line, n->line, u->line, m->line);
		expect(fields, want);
	}
}
END_TEST

/* RFC 9110 13.1.3 and 13.1.4: without a date of modification the two fields with dates are passed over. */
START_TEST(all_fields_together_without_a_date)
{
	struct mrg_http_validators v = dated;
	v.dated = false;
	for (size_t i = 0; i < combinations; i++) {
		const struct variant *m, *u, *n, *d;
		char fields[1000];
		choose(i, &m, &u, &n, &d);
		snprintf(fields, sizeof fields, "%s%s%s%s", m->line, u->line, n->line, d->line);
		const enum mrg_http_verdict got = mrg_http_condition(request_with(fields), &v);
		MUST_SAY(got == by_the_steps(m->says, ABSENT, n->says, ABSENT), "%s: %s", fields,
			verdict_of(got));
	}
}
END_TEST

/* ---- lists of entity tags ---- */

struct list {
	const char *value;
	bool strongly, weakly; /* is "x" in it? */
};

static void expect_list(const char *value, bool strongly, bool weakly)
{
	char fields[9000];
	snprintf(fields, sizeof fields, "If-Match: %s\r\n", value);
	expect(fields, strongly ? MRG_HTTP_GO_ON : MRG_HTTP_FAILED);
	snprintf(fields, sizeof fields, "If-None-Match: %s\r\n", value);
	expect(fields, weakly ? MRG_HTTP_UNCHANGED : MRG_HTTP_GO_ON);
}

START_TEST(lists_of_tags)
{
	static const struct list rows[] = { { "\"x\"", true, true }, { "W/\"x\"", false, true },
		{ "*", true, true }, { "\"a\",\"x\",\"b\"", true, true }, { "\"a\" ,\t\"x\"", true, true },
		{ ",,\"x\",", true, true }, { "W/\"a\", \"x\"", true, true },
		{ "\"a\", W/\"x\"", false, true }, { "W/\"x\", \"x\"", true, true },
		{ "\"X\"", false, false }, { "\"\"", false, false }, { "\"xx\"", false, false },
		{ "\"a,\", \"x\"", true, true }, { "\"a \"", false, false },
		{ "\"\x80\xff!#\", \"x\"", true, true }, { "\"a\\\", \"x\"", true, true } };
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_list(rows[i].value, rows[i].strongly, rows[i].weakly);
}
END_TEST

START_TEST(what_is_no_list_names_nothing)
{
	static const char *const bad[] = { "", ",", "x", "'x'", "\"x", "x\"", "w/\"x\"", "W\"x\"", "W/x",
		"W/ \"x\"", "\"x\" \"y\"", "\"x\"; a", "\"x\", y", "*, \"x\"", "\"x\", *", "**", "\"x\"\"x\"",
		"\"a b\", \"x\"", "\"x\",*" };
	for (size_t i = 0; i < COUNT(bad); i++)
		expect_list(bad[i], false, false);
}
END_TEST

/* A date before 1970 is one all the same, which every file is later than (RFC 9110 13.1.4). */
START_TEST(a_date_before_1970)
{
	expect("If-Unmodified-Since: Wed, 31 Dec 1969 23:59:59 GMT\r\n", MRG_HTTP_FAILED);
	expect("If-Modified-Since: Wed, 31 Dec 1969 23:59:59 GMT\r\n", MRG_HTTP_GO_ON);
}
END_TEST

/* More tags than are looked at at a time, with each number in front: a weak one stays weak across the seam. */
START_TEST(long_lists_of_tags)
{
	for (unsigned n = 0; n < 70; n++) {
		char value[4000] = "";
		for (unsigned k = 0; k < n; k++)
			strcat(value, k % 3 == 0 ? "W/\"a\"," : "\"b\",");
		strcat(value, "W/\"x\"");
		expect_list(value, false, true);
		strcat(value, ",\"x\"");
		expect_list(value, true, true);
	}
}
END_TEST

/* RFC 9110 5.3: several fields are one list. */
START_TEST(tags_in_several_fields)
{
	expect("If-Match: \"a\"\r\nIf-Match: \"x\"\r\n", MRG_HTTP_GO_ON);
	expect("If-Match: \"a\"\r\nIf-Match: \"b\"\r\n", MRG_HTTP_FAILED);
	expect("If-None-Match: \"a\"\r\nX: y\r\nIf-None-Match: W/\"x\"\r\n", MRG_HTTP_UNCHANGED);
	expect("If-None-Match: \"a\"\r\nIf-None-Match: \"b\"\r\n", MRG_HTTP_GO_ON);
}
END_TEST

/* ---- dates ---- */

START_TEST(dates_in_each_form)
{
	static const char *const forms[] = { MODIFIED, "Sunday, 09-Sep-01 01:46:40 GMT",
		"Sun Sep  9 01:46:40 2001" };
	for (size_t i = 0; i < COUNT(forms); i++) {
		char fields[200];
		snprintf(fields, sizeof fields, "If-Modified-Since: %s\r\n", forms[i]);
		expect(fields, MRG_HTTP_UNCHANGED);
		snprintf(fields, sizeof fields, "If-Unmodified-Since: %s\r\n", forms[i]);
		expect(fields, MRG_HTTP_GO_ON);
		snprintf(fields, sizeof fields, "If-Range: %s\r\n", forms[i]);
		MUST(mrg_http_condition_range(request_with(fields), &dated));
	}
}
END_TEST

/* ---- If-Range, RFC 9110 13.1.5 ---- */

START_TEST(parts_of_the_same)
{
	static const struct {
		const char *fields;
		bool same;
	} rows[] = { { "", true }, { "If-Range: \"x\"\r\n", true }, { "If-Range: \"y\"\r\n", false },
		{ "If-Range: W/\"x\"\r\n", false }, { "If-Range: " MODIFIED "\r\n", true },
		{ "If-Range: " BEFORE "\r\n", false }, { "If-Range: " AFTER "\r\n", false },
		{ "If-Range: *\r\n", false }, { "If-Range: \"x\", \"y\"\r\n", false },
		{ "If-Range: x\r\n", false }, { "If-Range:\r\n", false }, { "If-Range: \"x\r\n", false },
		{ "If-Range: \"x\"\r\nIf-Range: \"y\"\r\n", false },
		{ "If-Range: \"x\"\r\nIf-Range: " MODIFIED "\r\n", false } };
	for (size_t i = 0; i < COUNT(rows); i++)
		MUST_SAY(mrg_http_condition_range(request_with(rows[i].fields), &dated) == rows[i].same, "%s",
			rows[i].fields);
}
END_TEST

/* RFC 9110 8.8.2.2: a date is no strong validator as long as there may be a second change in its second. */
START_TEST(a_date_of_this_second_is_not_strong)
{
	struct mrg_http_validators v = dated;
	v.now_s = v.modified_s;
	MUST(!mrg_http_condition_range(request_with("If-Range: " MODIFIED "\r\n"), &v));
	MUST(mrg_http_condition_range(request_with("If-Range: \"x\"\r\n"), &v));
	v.now_s = v.modified_s - 5;
	MUST(!mrg_http_condition_range(request_with("If-Range: " MODIFIED "\r\n"), &v));
	v = dated;
	v.dated = false;
	MUST(!mrg_http_condition_range(request_with("If-Range: " MODIFIED "\r\n"), &v));
}
END_TEST

/* Without a clock, years of two digits are those around the time of the file. */
START_TEST(without_a_clock)
{
	struct mrg_http_validators v = dated;
	v.now_s = MRG_HTTP_NO_CLOCK;
	MUST(mrg_http_condition_range(request_with("If-Range: " MODIFIED "\r\n"), &v));
	MUST(mrg_http_condition(request_with("If-Modified-Since: Sunday, 09-Sep-01 01:46:40 GMT\r\n"), &v) ==
		MRG_HTTP_UNCHANGED);
	MUST(mrg_http_condition(request_with("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n"), &v) ==
		MRG_HTTP_GO_ON);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http/condition");
	TCase *const t = tcase_create("condition");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, all_fields_together_in_both_orders);
	tcase_add_test(t, all_fields_together_without_a_date);
	tcase_add_test(t, lists_of_tags);
	tcase_add_test(t, what_is_no_list_names_nothing);
	tcase_add_test(t, long_lists_of_tags);
	tcase_add_test(t, tags_in_several_fields);
	tcase_add_test(t, dates_in_each_form);
	tcase_add_test(t, a_date_before_1970);
	tcase_add_test(t, parts_of_the_same);
	tcase_add_test(t, a_date_of_this_second_is_not_strong);
	tcase_add_test(t, without_a_clock);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
