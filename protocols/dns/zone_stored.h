/*
 * zone_stored.h - a finished zone in one piece (specs/dns/stored.mrg): written on one machine, served where it lies on another.
 *
 * What it does not do: it converts nothing. Both machines are little-endian.
 *
 * Use:
 *	mrg_dns_zone_store(&w, zone, &arena);		the arena that it was built in
 *	...
 *	if (mrg_dns_zone_stored_open(octets, false, &arena, &zone) != MRG_OK) ...
 */
#ifndef MRG_DNS_ZONE_STORED_H
#define MRG_DNS_ZONE_STORED_H

#include "protocols/dns/zone.h"

/* Octets that are written besides those of the arena, at most. */
enum { MRG_DNS_ZONE_STORED_MORE = 64 + 256 + 16 + 4 };

/*
 * mrg_dns_zone_store - write a zone, which is gone then.
 *   arena   that it was built in: empty before, and with nothing else in it since
 * Fails:    w->st becomes MRG_E_LIMIT for a zone of 4 GiB or more, and what else stops writers.
 */
void mrg_dns_zone_store(struct mrg_w *w, const struct mrg_dns_zone *z, struct mrg_arena *arena);

/*
 * mrg_dns_zone_stored_open - a zone as it was written.
 *   in       at a multiple of 4; stays as long as the zone, which is not copied
 *   trusted  it is part of the program that asks, say: only its head is looked at, which takes next to no time. Else every octet is:
 *            whatever it says, nothing but `in` will be read, and every walk through it ends
 *   arena    for what the zone needs besides, some 600 octets; where it is not trusted, for a bit for each 4 octets, too
 *   out      written on MRG_OK
 * Fails:    MRG_MORE when it ends early; MRG_E_SPACE; what the check of the generated StoredHead or StoredZone says; MRG_E_VALUE for
 *           a zone that is not as mrg_dns_zone_finish makes them, MRG_E_LENGTH when something is behind it.
 */
MRG_MUST_USE enum mrg_status mrg_dns_zone_stored_open(
	struct mrg_span in, bool trusted, struct mrg_arena *arena, const struct mrg_dns_zone **out);

#endif
