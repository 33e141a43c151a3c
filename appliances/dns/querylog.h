/*
 * querylog.h - a line of text for a message that was seen, as the other lines of the log have it: key=value.
 *
 * What it does not do: it writes nothing. It needs no system.
 */
#ifndef MRG_DNS_QUERYLOG_H
#define MRG_DNS_QUERYLOG_H

#include "appliances/dns/seen.h"

/*
 * querylog_line - the line, with its line feed.
 *   unix_ns   when the message came, since 1970
 * Lifetime: borrows l.
 */
struct mrg_span querylog_line(struct mrg_rt_line *l, const struct seen *seen, struct mrg_span query,
	struct mrg_span reply, uint64_t unix_ns);

#endif
