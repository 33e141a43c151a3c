/*
 * Dates as fields have them.
 */
#include "http/field.h"
#include "mrg_calendar.h"
#include "mrg_digits.h"
#include "protocols/http/date.h"

enum { CAPTURES = 7 }; /* weekday, day, month, year, hour, minute, second */

void mrg_http_date_put(struct mrg_w *w, uint64_t unix_s)
{
	const struct mrg_calendar c = mrg_calendar_of(unix_s);
	mrg_w_put_few(w, mrg_http_weekday_word(c.weekday + 1u));
	mrg_w_put_few(w, MRG_LITERAL(", "));
	mrg_digits_put(w, c.day, 2);
	mrg_w_u8(w, ' ');
	mrg_w_put_few(w, mrg_http_month_word(c.month));
	mrg_w_u8(w, ' ');
	mrg_digits_put(w, c.year, 4);
	mrg_w_u8(w, ' ');
	mrg_digits_put(w, c.hour, 2);
	mrg_w_u8(w, ':');
	mrg_digits_put(w, c.minute, 2);
	mrg_w_u8(w, ':');
	mrg_digits_put(w, c.second, 2);
	mrg_w_put_few(w, MRG_LITERAL(" GMT"));
}

static unsigned number(const struct mrg_capture *c)
{
	return (unsigned)mrg_digits_dec((struct mrg_span){ c->p, c->len });
}

static unsigned month(const struct mrg_capture *c)
{
	return mrg_http_month_of((struct mrg_span){ c->p, c->len });
}

/* Before 1970 all is one moment, and as early as any: a calendar of 400 years later says whether there is such a day. */
static bool seconds(struct mrg_calendar *when, uint64_t *unix_s)
{
	const bool early = when->year < 1970;
	while (when->year < 1970)
		when->year += 400;
	if (!mrg_calendar_seconds(when, unix_s))
		return false;
	if (early)
		*unix_s = 0;
	return true;
}

static bool read_date(struct mrg_span text, uint64_t *unix_s)
{
	struct mrg_capture c[CAPTURES];
	struct mrg_calendar when = { .year = 0 };
	size_t count, at;
	unsigned code;
	if (mrg_http_field_date_read(text, c, CAPTURES, &count, &at, &code) != MRG_OK)
		return false;
	for (size_t i = 0; i < count; i++)
		switch (c[i].what) {
		case MRG_HTTP_FIELD_DATE_DAY: when.day = number(&c[i]); break;
		case MRG_HTTP_FIELD_DATE_MONTH: when.month = month(&c[i]); break;
		case MRG_HTTP_FIELD_DATE_YEAR: when.year = number(&c[i]); break;
		case MRG_HTTP_FIELD_DATE_HOUR: when.hour = number(&c[i]); break;
		case MRG_HTTP_FIELD_DATE_MINUTE: when.minute = number(&c[i]); break;
		case MRG_HTTP_FIELD_DATE_SECOND: when.second = number(&c[i]); break;
		default: break;
		}
	return seconds(&when, unix_s);
}

/* A number that is the larger the later a date is. */
static uint64_t order(const struct mrg_calendar *c)
{
	const uint64_t day = (c->year * UINT64_C(16) + c->month) * 32u + c->day;
	return ((day * 32u + c->hour) * 64u + c->minute) * 64u + c->second;
}

/* RFC 9110 5.6.7: what seems to be more than 50 years ahead was the last time before that. */
static void set_century(struct mrg_calendar *when, unsigned short_year, uint64_t now_s)
{
	struct mrg_calendar last = mrg_calendar_of(now_s);
	last.year += 50u;
	when->year = last.year - last.year % 100u + short_year;
	if (order(when) > order(&last))
		when->year -= 100u;
}

static bool read_old_date(struct mrg_span text, uint64_t now_s, uint64_t *unix_s)
{
	struct mrg_capture c[CAPTURES];
	struct mrg_calendar when = { .year = 0 };
	const struct mrg_capture *short_year = NULL;
	size_t count, at;
	unsigned code;
	if (mrg_http_field_old_date_read(text, c, CAPTURES, &count, &at, &code) != MRG_OK)
		return false;
	for (size_t i = 0; i < count; i++)
		switch (c[i].what) {
		case MRG_HTTP_FIELD_OLD_DATE_DAY: when.day = number(&c[i]); break;
		case MRG_HTTP_FIELD_OLD_DATE_MONTH: when.month = month(&c[i]); break;
		case MRG_HTTP_FIELD_OLD_DATE_SHORT_YEAR: short_year = &c[i]; break;
		case MRG_HTTP_FIELD_OLD_DATE_YEAR: when.year = number(&c[i]); break;
		case MRG_HTTP_FIELD_OLD_DATE_HOUR: when.hour = number(&c[i]); break;
		case MRG_HTTP_FIELD_OLD_DATE_MINUTE: when.minute = number(&c[i]); break;
		case MRG_HTTP_FIELD_OLD_DATE_SECOND: when.second = number(&c[i]); break;
		default: break;
		}
	if (short_year != NULL)
		set_century(&when, number(short_year), now_s);
	return seconds(&when, unix_s);
}

bool mrg_http_date_read(struct mrg_span text, uint64_t now_s, uint64_t *unix_s)
{
	return read_date(text, unix_s) || read_old_date(text, now_s, unix_s);
}
