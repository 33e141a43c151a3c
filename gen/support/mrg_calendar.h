/*
 * mrg_calendar.h - seconds since 1970 to the Gregorian calendar and back, in UTC, without leap seconds.
 *
 * Years are counted from March, so that a leap day is the last of its year. A day number splits into eras of 400 years, then into
 * years (365 days, with a day more every 4th, one less every 100th), then into months, which from March on are 153 days for each
 * five.
 */
#ifndef MRG_CALENDAR_H
#define MRG_CALENDAR_H

#include "mrg.h"

struct mrg_calendar {
	unsigned year;            /* 1970 to 9999 */
	unsigned month, day;      /* from 1 */
	unsigned hour, minute, second;
	unsigned weekday;         /* 0: Sunday */
};

static const uint64_t MRG_CALENDAR_LAST = UINT64_C(253402300799); /* 9999-12-31T23:59:59Z */

/* What is later than the year 9999 becomes its last second. */
static inline struct mrg_calendar mrg_calendar_of(uint64_t unix_s)
{
	const uint64_t s = unix_s < MRG_CALENDAR_LAST ? unix_s : MRG_CALENDAR_LAST;
	const unsigned since_1970 = (unsigned)(s / 86400u), second = (unsigned)(s % 86400u);
	const unsigned day = since_1970 + 719468u; /* 0 is March 1 of the year 0 */
	const unsigned era = day / 146097u, of_era = day % 146097u;
	const unsigned year = (of_era - of_era / 1460u + of_era / 36524u - of_era / 146096u) / 365u;
	const unsigned of_year = of_era - (365u * year + year / 4u - year / 100u);
	const unsigned month = (5u * of_year + 2u) / 153u; /* 0 is March */
	const bool next_year = month >= 10u;
	return (struct mrg_calendar){
		.year = era * 400u + year + next_year,
		.month = next_year ? month - 9u : month + 3u,
		.day = of_year - (153u * month + 2u) / 5u + 1u,
		.hour = second / 3600u,
		.minute = second / 60u % 60u,
		.second = second % 60u,
		.weekday = (since_1970 + 4u) % 7u,
	};
}

static inline unsigned mrg_calendar_days(unsigned year, unsigned month)
{
	const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (month == 2)
		return leap ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* Seconds since 1970; false: there is no such time. Second 60 is there for leap seconds; the weekday does not count. */
static inline bool mrg_calendar_seconds(const struct mrg_calendar *c, uint64_t *unix_s)
{
	if (c->year < 1970 || c->year > 9999 || c->month < 1 || c->month > 12 || c->day < 1 ||
		c->day > mrg_calendar_days(c->year, c->month) || c->hour > 23 || c->minute > 59 || c->second > 60)
		return false;
	const uint64_t y = c->month > 2 ? c->year : c->year - 1;
	const unsigned m = c->month > 2 ? c->month - 3 : c->month + 9;
	const uint64_t days = 365 * y + y / 4 - y / 100 + y / 400 + (153u * m + 2u) / 5u + c->day - 1u - 719468u;
	*unix_s = days * 86400u + c->hour * 3600u + c->minute * 60u + c->second;
	return true;
}

#endif
