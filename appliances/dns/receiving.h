/*
 * receiving.h - what a transfer brings, to a new version of the zone: all of it anew, or the version that is held with what has changed.
 *
 * References: RFC 5936, RFC 1995.
 *
 * What it does not do: it reads no message (protocols/dns/transfer_in.h) and opens no connection.
 *
 * Use:
 *	struct receiving *r;
 *	if (receiving_begin(&r, option, held, false) != 0) ...		(held NULL: there is nothing yet)
 *	mrg_dns_transfer_in_begin(&in, &wanted, receiving_sink(r));
 *	...
 *	while ((st = receiving_finish(r, &version, &why)) == MRG_MORE) ...	(others have their turn)
 *	receiving_end(r);
 */
#ifndef MRG_DNS_RECEIVING_H
#define MRG_DNS_RECEIVING_H

#include "appliances/dns/version.h"
#include "protocols/dns/transfer_in.h"
#include "protocols/dns/zone_change.h"

struct receiving;

/*
 * receiving_begin - nothing has come yet.
 *   held    used until receiving_end; NULL: there is no version
 *   great   the zone may be very large: another one of it was
 * Fails:    ENOMEM.
 */
int receiving_begin(struct receiving **out, const struct zone_option *option, struct version *held, bool great);

/* Where records go. */
struct mrg_dns_transfer_sink receiving_sink(struct receiving *r);

/*
 * receiving_finish - all has come: put it together, a piece at a time (zone_finish.h); what has changed is one.
 *   out   written on MRG_OK: the new version, which has one user
 *   why   written when there is none; receiving_why says of which record
 * Returns MRG_MORE: it is to be called again.
 */
MRG_MUST_USE enum mrg_status receiving_finish(struct receiving *r, struct version **out, const char **why);

/* What was wrong with the zone or a record, if it was that; fault MRG_DNS_ZONE_SOUND: nothing. */
const struct mrg_dns_zone_error *receiving_why(const struct receiving *r);

/* Why a part of the transfer was refused as a whole; NULL: none was. */
const char *receiving_refused(const struct receiving *r);

/* Has what came so far been a difference to the version that is held?  Before receiving_finish. */
bool receiving_incremental(const struct receiving *r);

void receiving_end(struct receiving *r);

#endif
