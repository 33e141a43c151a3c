/*
 * date.h - dates as fields have them.
 *
 * References: RFC 9110 5.6.7 (three forms are understood, one is written).
 */
#ifndef MRG_HTTP_DATE_H
#define MRG_HTTP_DATE_H

#include "mrg.h"

/* In place of seconds since 1970: there is no clock. Later than any time. */
#define MRG_HTTP_NO_CLOCK UINT64_MAX

/*
 * mrg_http_date_put - seconds since 1970 as IMF-fixdate, 29 octets; what is later than the year 9999 becomes its last second.
 */
void mrg_http_date_put(struct mrg_w *w, uint64_t unix_s);

/*
 * mrg_http_date_read - seconds since 1970 of a date in one of the three forms. Two digits of a year are of the last year with these
 * digits in which the date is not more than 50 years after `now_s`. What is before 1970 is 0.
 * Returns:  false: not a date.
 */
bool mrg_http_date_read(struct mrg_span text, uint64_t now_s, uint64_t *unix_s);

#endif
