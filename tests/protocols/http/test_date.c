/*
 * protocols/http/date: RFC 9110 5.6.7.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "protocols/http/date.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const char *const weekdays[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
	"Saturday" };
static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct",
	"Nov", "Dec" };

static const uint64_t DAY_S = 86400, NEVER = UINT64_MAX;

static uint64_t read_at(struct mrg_span text, uint64_t now_s)
{
	uint64_t unix_s = 77;
	return mrg_http_date_read(guarded(text), now_s, &unix_s) ? unix_s : NEVER;
}

static uint64_t read_text(const char *text) { return read_at(text_of(text), 0); }

static const char *put(uint64_t unix_s)
{
	static char text[30];
	struct mrg_w w;
	mrg_w_init(&w, text, 29);
	mrg_http_date_put(&w, unix_s);
	MUST(w.st == MRG_OK);
	MUST(w.len == 29);
	text[29] = 0;
	return text;
}

START_TEST(the_examples_of_the_rfc)
{
	MUST(read_text("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
	MUST(read_at(MRG_LITERAL("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777) == 784111777);
	MUST(read_text("Sun Nov  6 08:49:37 1994") == 784111777);
	ck_assert_str_eq(put(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}
END_TEST

START_TEST(ends_of_time)
{
	ck_assert_str_eq(put(0), "Thu, 01 Jan 1970 00:00:00 GMT");
	ck_assert_str_eq(put(UINT64_C(253402300799)), "Fri, 31 Dec 9999 23:59:59 GMT");
	ck_assert_str_eq(put(UINT64_C(253402300800)), "Fri, 31 Dec 9999 23:59:59 GMT");
	ck_assert_str_eq(put(UINT64_MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
	ck_assert_str_eq(put(INT32_MAX + UINT64_C(1)), "Tue, 19 Jan 2038 03:14:08 GMT");
	MUST(read_text("Fri, 31 Dec 9999 23:59:59 GMT") == UINT64_C(253402300799));
	MUST(read_text("Thu, 01 Jan 1970 00:00:00 GMT") == 0);
	/* what is before all that can be counted is as early as that */
	MUST(read_text("Wed, 31 Dec 1969 23:59:59 GMT") == 0);
	MUST(read_text("Mon, 01 Jan 0001 00:00:00 GMT") == 0);
	MUST(read_text("Mon, 29 Feb 1904 00:00:00 GMT") == 0);
	MUST(read_text("Thu, 29 Feb 1900 00:00:00 GMT") == NEVER);
}
END_TEST

/* A calendar that counts days, one by one. */
struct calendar {
	unsigned year, month, day, weekday;
};

static unsigned days_of(unsigned year, unsigned month)
{
	static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const bool leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
	return month == 1 && leap ? 29 : days[month];
}

static void next_day(struct calendar *c)
{
	c->weekday = (c->weekday + 1) % 7;
	if (++c->day <= days_of(c->year, c->month))
		return;
	c->day = 1;
	c->month = (c->month + 1) % 12;
	c->year += c->month == 0;
}

/* In the form that is written, and in the two others by turns. */
START_TEST(every_day_of_400_years)
{
	struct calendar c = { 1970, 0, 1, 4 };
	for (uint64_t day = 0; day < 146097 + 366; day++, next_day(&c)) {
		const uint64_t second = day * 40503 % DAY_S, s = day * DAY_S + second;
		const unsigned h = (unsigned)(second / 3600), m = (unsigned)(second / 60 % 60),
			       sec = (unsigned)(second % 60);
		char text[64];
		snprintf(text, sizeof text, "%.3s, %02u %s %u %02u:%02u:%02u GMT", weekdays[c.weekday], c.day,
			months[c.month], c.year, h, m, sec);
		MUST_SAY(strcmp(put(s), text) == 0, "%s instead of %s", put(s), text);
		MUST(read_text(text) == s);
		if (day % 2 == 0) {
			snprintf(text, sizeof text, "%s, %02u-%s-%02u %02u:%02u:%02u GMT",
				weekdays[c.weekday], c.day, months[c.month], c.year % 100, h, m, sec);
			MUST(read_at(text_of(text), s) == s);
		} else {
			snprintf(text, sizeof text, "%.3s %s %2u %02u:%02u:%02u %u", weekdays[c.weekday],
				months[c.month], c.day, h, m, sec, c.year);
			MUST(read_text(text) == s);
		}
	}
	MUST(c.year == 2371);
}
END_TEST

START_TEST(leap_years)
{
	static const struct {
		unsigned year;
		bool leap;
	} rows[] = { { 1972, true }, { 1999, false }, { 2000, true }, { 2001, false }, { 2004, true },
		{ 2100, false }, { 2200, false }, { 2300, false }, { 2400, true }, { 9996, true },
		{ 9999, false } };
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[64];
		snprintf(text, sizeof text, "Mon, 29 Feb %u 00:00:00 GMT", rows[i].year);
		MUST_SAY((read_text(text) != NEVER) == rows[i].leap, "%s", text);
		snprintf(text, sizeof text, "Mon, 30 Feb %u 00:00:00 GMT", rows[i].year);
		MUST(read_text(text) == NEVER);
	}
}
END_TEST

START_TEST(what_there_is_not)
{
	static const char *const bad[] = { "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
		"Sun, 32 Dec 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Sun Nov 31 08:49:37 1994",
		"Sun Nov  0 08:49:37 1994", "Sun Nov  6 24:49:37 1994", "Sunday, 31-Nov-94 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:99 GMT", "Sun, 99 Nov 1994 99:99:99 GMT" };
	for (size_t i = 0; i < COUNT(bad); i++)
		MUST_SAY(read_text(bad[i]) == NEVER, "%s", bad[i]);
	/* RFC 9110 5.6.7: a leap second is there */
	MUST(read_text("Sat, 31 Dec 2016 23:59:60 GMT") == read_text("Sun, 01 Jan 2017 00:00:00 GMT"));
}
END_TEST

START_TEST(what_is_no_date)
{
	static const char *const bad[] = { "", "0", "784111777", "Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 gmt", "Sun, 06 Nov 1994 08:49:37 +0000",
		"Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT",
		"sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
		"Sun, 06 NOV 1994 08:49:37 GMT", "Sun 06 Nov 1994 08:49:37 GMT",
		"Sun,06 Nov 1994 08:49:37 GMT", "Sun,  06 Nov 1994 08:49:37 GMT",
		"Sun, 06-Nov-1994 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT",
		"Sunday, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
		"Sunday, 6-Nov-94 08:49:37 GMT", "Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 94",
		"Sun Nov  6 08:49:37 1994 GMT", "Sun Nov   6 08:49:37 1994", "Sun, Nov  6 08:49:37 1994",
		"Xyz, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Xyz 1994 08:49:37 GMT",
		"Sun, 06 Nov 19940 08:49:37 GMT", "Sun, 06 Nov +994 08:49:37 GMT",
		"Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08.49.37 GMT", "1994-11-06T08:49:37Z",
		"Sun, 06 Nov 1994 08:49:37 GMT, x" };
	for (size_t i = 0; i < COUNT(bad); i++)
		MUST_SAY(read_text(bad[i]) == NEVER, "%s", bad[i]);
	MUST(read_at((struct mrg_span){ NULL, 0 }, 0) == NEVER);
}
END_TEST

static const char *const good[] = { "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
	"Sun Nov  6 08:49:37 1994" };

START_TEST(every_shorter_and_longer_text)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		char text[64];
		for (size_t n = 0; n < strlen(good[i]); n++)
			MUST(read_at((struct mrg_span){ (const uint8_t *)good[i], n }, 0) == NEVER);
		for (unsigned c = 0; c < 256; c++) {
			snprintf(text, sizeof text, "%s%c", good[i], (int)c);
			MUST(read_at((struct mrg_span){ (const uint8_t *)text, strlen(good[i]) + 1 }, 0) ==
				NEVER);
			snprintf(text, sizeof text, "%c%s", (int)c, good[i]);
			MUST(read_at((struct mrg_span){ (const uint8_t *)text, strlen(good[i]) + 1 }, 0) ==
				NEVER);
		}
	}
}
END_TEST

/* Each octet in each place: a digit where there is one may stay a date, nothing else may. */
START_TEST(every_other_octet)
{
	for (size_t i = 0; i < COUNT(good); i++)
		for (size_t at = 0; at < strlen(good[i]); at++)
			for (unsigned c = 0; c < 256; c++) {
				char text[64];
				strcpy(text, good[i]);
				const bool digit = text[at] >= '0' && text[at] <= '9';
				const bool still = (digit && c >= '0' && c <= '9') ||
						   c == (unsigned char)text[at] ||
						   (at == 8 && i == 2 && c >= '0' &&
							   c <= '3'); /* "Nov  6" may be "Nov 16" */
				text[at] = (char)c;
				const uint64_t got = read_at(
					(struct mrg_span){ (const uint8_t *)text, strlen(good[i]) }, 0);
				MUST_SAY(still || got == NEVER, "%s", text);
			}
}
END_TEST

/* ---- years of two digits ---- */

/* The time of a date by counting, 0 before 1970; NEVER when there is no such day. */
static uint64_t count_to(unsigned year, unsigned month, unsigned day, unsigned second)
{
	uint64_t days = 0;
	if (day > days_of(year, month))
		return NEVER;
	if (year < 1970)
		return 0;
	for (unsigned y = 1970; y < year; y++)
		days += days_of(y, 1) == 29 ? 366 : 365;
	for (unsigned m = 0; m < month; m++)
		days += days_of(year, m);
	return (days + day - 1) * DAY_S + second;
}

/* "more than 50 years in the future": later than the same day and second 50 years on. */
static void check_short_year(
	unsigned now_year, unsigned month, unsigned day, unsigned second, unsigned short_year, int later_s)
{
	const uint64_t now = count_to(now_year, month, day, second);
	const unsigned at = second + (unsigned)later_s; /* stays within the day */
	char text[64];
	snprintf(text, sizeof text, "Monday, %02u-%s-%02u %02u:%02u:%02u GMT", day, months[month], short_year,
		at / 3600, at / 60 % 60, at % 60);
	unsigned year = now_year + 50;
	while (year % 100 != short_year)
		year--;
	if (year == now_year + 50 && later_s > 0)
		year -= 100;
	const uint64_t want = count_to(year, month, day, at), got = read_at(text_of(text), now);
	MUST_SAY(got == want, "%s in %u: %" PRIu64 " instead of %" PRIu64, text, now_year, got, want);
}

START_TEST(years_of_two_digits)
{
	static const unsigned years[] = { 1970, 1994, 1999, 2000, 2001, 2019, 2020, 2024, 2038, 2049, 2050,
		2051, 2090, 2099, 2100 };
	for (size_t i = 0; i < COUNT(years); i++)
		for (unsigned yy = 0; yy < 100; yy++)
			for (int later = -1; later <= 1; later++) {
				check_short_year(years[i], 0, 1, 1, yy, later);
				check_short_year(years[i], 11, 31, 86398, yy, later);
				check_short_year(years[i], 5, 15, 43200, yy, later);
			}
}
END_TEST

/* In the year that is 50 years ahead month, day, hour, minute and second decide, in that order. */
START_TEST(the_part_that_differs_first_decides)
{
	static const struct {
		const char *text;
		unsigned year, month, day, second;
	} rows[] = {
		{ "Monday, 30-May-74 23:59:59 GMT", 2074, 4, 30, 86399 },
		{ "Monday, 01-Jul-74 00:00:00 GMT", 1974, 6, 1, 0 },
		{ "Monday, 14-Jun-74 23:59:59 GMT", 2074, 5, 14, 86399 },
		{ "Monday, 16-Jun-74 00:00:00 GMT", 1974, 5, 16, 0 },
		{ "Monday, 15-Jun-74 11:59:59 GMT", 2074, 5, 15, 43199 },
		{ "Monday, 15-Jun-74 13:00:00 GMT", 1974, 5, 15, 46800 },
		{ "Monday, 15-Jun-74 12:29:59 GMT", 2074, 5, 15, 44999 },
		{ "Monday, 15-Jun-74 12:31:00 GMT", 1974, 5, 15, 45060 },
		{ "Monday, 15-Jun-74 12:30:30 GMT", 2074, 5, 15, 45030 },
		{ "Monday, 15-Jun-74 12:30:31 GMT", 1974, 5, 15, 45031 },
	};
	const uint64_t now = count_to(2024, 5, 15, 45030);
	for (size_t i = 0; i < COUNT(rows); i++)
		MUST_SAY(read_at(text_of(rows[i].text), now) ==
				 count_to(rows[i].year, rows[i].month, rows[i].day, rows[i].second),
			"%s", rows[i].text);
}
END_TEST

START_TEST(a_leap_day_of_two_digits)
{
	const uint64_t now = count_to(2024, 1, 29, 0);
	MUST(read_at(MRG_LITERAL("Monday, 29-Feb-72 00:00:00 GMT"), now) == count_to(2072, 1, 29, 0));
	MUST(read_at(MRG_LITERAL("Monday, 29-Feb-76 00:00:00 GMT"), now) == count_to(1976, 1, 29, 0));
	MUST(read_at(MRG_LITERAL("Monday, 29-Feb-00 00:00:00 GMT"), now) == count_to(2000, 1, 29, 0));
	MUST(read_at(MRG_LITERAL("Monday, 29-Feb-23 00:00:00 GMT"), now) == NEVER);
}
END_TEST

START_TEST(each_room_that_is_too_small)
{
	for (size_t room = 0; room < 29; room++) {
		uint8_t *const b = malloc(room + 1);
		struct mrg_w w;
		mrg_w_init(&w, b, room);
		mrg_http_date_put(&w, 784111777);
		MUST(w.st == MRG_E_SPACE);
		free(b);
	}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http/date");
	TCase *const t = tcase_create("date");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, the_examples_of_the_rfc);
	tcase_add_test(t, ends_of_time);
	tcase_add_test(t, every_day_of_400_years);
	tcase_add_test(t, leap_years);
	tcase_add_test(t, what_there_is_not);
	tcase_add_test(t, what_is_no_date);
	tcase_add_test(t, every_shorter_and_longer_text);
	tcase_add_test(t, every_other_octet);
	tcase_add_test(t, years_of_two_digits);
	tcase_add_test(t, the_part_that_differs_first_decides);
	tcase_add_test(t, a_leap_day_of_two_digits);
	tcase_add_test(t, each_room_that_is_too_small);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
