/*
 * Calendar time as text, without locale or time zones.
 */
#include "mrg_rt.h"

static char *put_number(char *to, unsigned v, unsigned digits, char end)
{
	for (unsigned i = digits; i-- > 0; v /= 10u)
		to[i] = (char)('0' + v % 10u);
	to[digits] = end;
	return to + digits + 1u;
}

/*
 * Years are counted from March, so that a leap day is the last of its year. A day number splits into eras of 400 years, then
 * into years (365 days, with a day more every 4th, one less every 100th), then into months, which from March on are 153 days
 * for each five.
 */
const char *mrg_rt_time_str(uint64_t unix_s, char out[MRG_RT_TIME_TEXT])
{
	const uint64_t last = UINT64_C(253402300799); /* 9999-12-31T23:59:59Z */
	const uint64_t s = unix_s < last ? unix_s : last;
	const unsigned day = (unsigned)(s / 86400u) + 719468u; /* 0 is March 1 of the year 0 */
	const unsigned second = (unsigned)(s % 86400u);
	const unsigned era = day / 146097u, of_era = day % 146097u;
	const unsigned year = (of_era - of_era / 1460u + of_era / 36524u - of_era / 146096u) / 365u;
	const unsigned of_year = of_era - (365u * year + year / 4u - year / 100u);
	const unsigned month = (5u * of_year + 2u) / 153u; /* 0 is March */
	const bool next_year = month >= 10u;
	char *p = out;
	p = put_number(p, era * 400u + year + next_year, 4, '-');
	p = put_number(p, next_year ? month - 9u : month + 3u, 2, '-');
	p = put_number(p, of_year - (153u * month + 2u) / 5u + 1u, 2, 'T');
	p = put_number(p, second / 3600u, 2, ':');
	p = put_number(p, second / 60u % 60u, 2, ':');
	p = put_number(p, second % 60u, 2, 'Z');
	*p = '\0';
	return out;
}
