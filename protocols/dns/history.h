/*
 * history.h - what changed from one version of a zone to the next: what incremental transfers say (RFC 1995 4), and what brings a
 * version that was kept up to date.
 *
 * A step is made once and never changes; it knows the step before it, so whoever holds the newest has them all, and one that is held
 * stays as it is when newer steps are made.  Nothing links a step to the one after it, as that would change it: the way forward is
 * looked for from the newest, which takes as many looks as there are steps; so a copy has MRG_DNS_HISTORY_STEPS at most.
 *
 * What it does not do: it changes no zone (zone_change.h), and frees nothing: to forget old steps, copy the newest elsewhere.
 *
 * Use:
 *	size_t steps;
 *	const struct mrg_dns_step *s = mrg_dns_history_from(newest, serial, &steps);
 *	for (; s != NULL; s = mrg_dns_history_after(newest, s)) {
 *		struct mrg_span left = s->deleted;	and then s->added
 *		while (mrg_dns_flat_next(&left, &rr)) ...
 *	}
 */
#ifndef MRG_DNS_HISTORY_H
#define MRG_DNS_HISTORY_H

#include "dns/rr.h"
#include "mrg.h"
#include "mrg_rt.h"

/*
 * What changed between two versions.  Records are flat ones (FlatRr of specs/dns/rr.mrg), one after the other.
 * The old SOA is the first of `deleted`, the new one the first of `added`, as in a transfer (RFC 1995 4).
 */
struct mrg_dns_step {
	uint32_t from, to;                 /* serial numbers */
	const struct mrg_dns_step *before; /* its `to` is this one's `from`; NULL: the oldest */
	struct mrg_span deleted, added;
};

/* Is serial number `a` later than `b`?  RFC 1982 3.2; of two that are 2^31 apart neither is. */
static inline bool mrg_dns_serial_later(uint32_t a, uint32_t b)
{
	return a != b && a - b < UINT32_C(1) << 31;
}

/*
 * mrg_dns_history_from - the step that leads away from the version with this serial number.
 *   newest   NULL: no step is known
 *   steps    how many there are from that one on, itself included; 0 when there is none
 * NULL: history does not reach back so far, or that is the newest version.   Cost: O(steps).
 */
const struct mrg_dns_step *mrg_dns_history_from(
	const struct mrg_dns_step *newest, uint32_t serial, size_t *steps);

/* mrg_dns_history_after - the step after this one of the same history; NULL after the newest.   Cost: O(steps). */
const struct mrg_dns_step *mrg_dns_history_after(
	const struct mrg_dns_step *newest, const struct mrg_dns_step *step);

/* Octets of records in a history, all steps together. */
size_t mrg_dns_history_size(const struct mrg_dns_step *newest);

/*
 * mrg_dns_history_step - make a step.
 *   a                takes it and copies of its records; must outlive it
 *   before           the newest so far, or NULL
 *   deleted, added   flat records, those of `struct mrg_dns_step`
 *   out              written on MRG_OK
 * Fails:    MRG_E_VALUE when one of them doesn't begin with an SOA record, when that of `added` is no later than that of `deleted`
 *           (RFC 1982), or when `before` leads to another version; MRG_E_SPACE, the arena then as it was; what the check of a
 *           record says.   Cost: O(octets).
 */
MRG_MUST_USE enum mrg_status mrg_dns_history_step(struct mrg_arena *a, const struct mrg_dns_step *before,
	struct mrg_span deleted, struct mrg_span added, const struct mrg_dns_step **out);

enum { MRG_DNS_HISTORY_STEPS = 256 /* of a copy: to go forward through all takes the square of it */ };

/*
 * mrg_dns_history_copy - the newest steps in other memory, so that what the older ones take can be given back.
 *   octets   of records that are copied at most; a step comes whole or not at all
 *   out      NULL when not even the newest fits
 * Fails:    MRG_E_SPACE, the arena then as it was.   Cost: O(octets + steps).
 */
MRG_MUST_USE enum mrg_status mrg_dns_history_copy(struct mrg_arena *a, const struct mrg_dns_step *newest,
	size_t octets, const struct mrg_dns_step **out);

/*
 * mrg_dns_flat_next - view the next of flat records and go past it.
 *   left     what comes; shorter afterwards
 * False after the last, and when what comes is no record (left->len is not 0 then).   Lifetime: *out borrows the octets.
 * They are written by mrg_dns_flat_rr_put, or from a view by mrg_dns_rr_copy to a writer that has no mrg_w_use_refs.
 */
bool mrg_dns_flat_next(struct mrg_span *left, struct mrg_dns_flat_rr *out);

#endif
