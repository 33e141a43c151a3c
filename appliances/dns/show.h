/*
 * show.h - zones as text: what --print and --check write.
 *
 * What it does not do: it sorts nothing; records come as the zone keeps them.
 */
#ifndef MRG_DNS_SHOW_H
#define MRG_DNS_SHOW_H

#include "appliances/dns/load.h"

/* Faults to standard error as FILE:LINE:COLUMN: error: FIELD: WHAT. */
extern const struct report stderr_report;

/*
 * show_records - every record in presentation format, one a line: owner, TTL, class, type, RDATA (RFC 1035 5.1).
 * Fails:    false, said on standard error, when they cannot be written.
 */
bool show_records(const struct database *db);

/*
 * show_summary - a line a zone: its name, its serial number, its number of records.
 */
bool show_summary(const struct database *db);

#endif
