/*
 * zonemd.h - is a zone the one that its digest was made of?
 *
 * References: RFC 8976 (ZONEMD), RFC 4034 6 and RFC 6840 5.1 (canonical form and order), RFC 6234 (SHA-2).
 *
 * What it does: scheme SIMPLE with SHA-384 and SHA-512, which are all that there are.  What it does not do: it checks no signature, so
 * it finds damage, and not what was done on purpose, unless the zone's signatures are checked elsewhere.
 *
 * Use:
 *	struct mrg_arena scratch = ...
 *	enum mrg_dns_zonemd_verdict v;
 *	if (mrg_dns_zonemd_verify(zone, &scratch, &v) != MRG_OK) ...
 */
#ifndef MRG_DNS_ZONEMD_H
#define MRG_DNS_ZONEMD_H

#include "mrg.h"
#include "mrg_rt.h"
#include "protocols/dns/zone.h"

/* What a zone's digests say of it.  Of several it is the first of these that fits.  RFC 8976 4 */
enum mrg_dns_zonemd_verdict {
	MRG_DNS_ZONEMD_ABSENT,     /* it has none */
	MRG_DNS_ZONEMD_VERIFIED,   /* one is the zone's */
	MRG_DNS_ZONEMD_MISMATCH,   /* one of the zone's serial number is another's */
	MRG_DNS_ZONEMD_SERIAL,     /* they are for another serial number */
	MRG_DNS_ZONEMD_UNSUPPORTED /* of other schemes or hashes, of a wrong length, or two of one kind (2.2.3) */
};

/* In words: "the digest is that of another zone". */
const char *mrg_dns_zonemd_str(enum mrg_dns_zonemd_verdict verdict);

/*
 * mrg_dns_zonemd_verify - compare a zone with its digests.
 *   scratch   what is above its end is used, and left zeroed: nothing is taken
 * Fails:    MRG_E_SPACE: 16 octets a name, and some for the largest set, are not there.
 * Cost:     nothing when there is no digest that can be compared.  Else O(n log n) comparisons of names, and a hash of the zone.
 */
MRG_MUST_USE enum mrg_status mrg_dns_zonemd_verify(
	const struct mrg_dns_zone *z, const struct mrg_arena *scratch, enum mrg_dns_zonemd_verdict *out);

#endif
