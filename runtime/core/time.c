/*
 * Calendar time as text, without locale or time zones.
 */
#include "mrg_calendar.h"
#include "mrg_rt.h"

static char *put_number(char *to, unsigned v, unsigned digits, char end)
{
	for (unsigned i = digits; i-- > 0; v /= 10u)
		to[i] = (char)('0' + v % 10u);
	to[digits] = end;
	return to + digits + 1u;
}

const char *mrg_rt_time_str(uint64_t unix_s, char out[MRG_RT_TIME_TEXT])
{
	const struct mrg_calendar c = mrg_calendar_of(unix_s);
	char *p = out;
	p = put_number(p, c.year, 4, '-');
	p = put_number(p, c.month, 2, '-');
	p = put_number(p, c.day, 2, 'T');
	p = put_number(p, c.hour, 2, ':');
	p = put_number(p, c.minute, 2, ':');
	p = put_number(p, c.second, 2, 'Z');
	*p = '\0';
	return out;
}
