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

enum {
	SHOW_RECORD_MAX =
		1 << 19 /* octets of a record as text: 65,535 octets, each at most four characters and a blank, and a name or two */
};

/*
 * show_record - one record in presentation format and a newline: owner, TTL, class, type, RDATA (RFC 1035 5.1, RFC 3597 5).
 *   w       SHOW_RECORD_MAX octets are enough; w->st says whether they were
 */
void show_record(const struct mrg_dns_rr *rr, struct mrg_w *w);

/*
 * show_records - every record, one a line.
 * Fails:    false, said on standard error, when they cannot be written.
 */
bool show_records(const struct database *db);

/*
 * show_summary - a line a zone: its name, its serial number, its number of records.
 */
bool show_summary(const struct database *db);

/*
 * show_write - the zone as a master file, SOA first, in place of the file of that name.
 *   head    comments that stand before it
 * Fails:    a positive errno value; the file is as it was then.
 */
int show_write(const struct mrg_dns_zone *zone, const char *file, struct mrg_span head);

#endif
