/*
 * zone_change.h - a new version of a zone from what is deleted and added; the version that it is made from stays as it is.
 *
 * References: RFC 1995 4 (incremental transfer), RFC 2136 3.4 (update), RFC 2181 5.2, RFC 4592 2.2.2.
 *
 * A version is a struct mrg_dns_zone with its directory and its NSEC or NSEC3 chain in an arena of its own, `tables`.  The nodes of all
 * versions are in one arena, `nodes`, the one that the first version was built in, which only grows: what changes is written at its
 * end, and nobody who reads an older version sees anything of it.  So `nodes` must not move, is given back with the last version, and
 * in time holds much that no version needs (mrg_dns_zone_garbage): then a version is rebuilt into a new one.
 *
 * What it does not do: it signs nothing; increments no serial number (RFC 2136 3.6 is update.h's); changes no stored zone
 * (zone_stored.h), which is to be rebuilt first.
 *
 * Use:
 *	struct mrg_dns_zone_change c;
 *	if (mrg_dns_zone_change_begin(&c, old, &nodes, &tables, &scratch, true) != MRG_OK) ...
 *	for each record: if (mrg_dns_zone_change_delete(&c, owner, type, class, rdata, &why) != MRG_OK) ... and _add
 *	st = mrg_dns_zone_change_finish(&c, &new, &why);
 *	if (st == MRG_OK) st = mrg_dns_zone_change_step(&c, &history, newest, &newest);
 *	mrg_dns_zone_change_end(&c);
 *
 * From begin to end nobody else may take memory from the three arenas.  What is deleted and added takes effect in the order in which it
 * is said; whether the whole is a zone is seen in the end, so CNAMEs, say, may for a while stand beside other data.
 */
#ifndef MRG_DNS_ZONE_CHANGE_H
#define MRG_DNS_ZONE_CHANGE_H

#include "protocols/dns/history.h"
#include "protocols/dns/zone.h"

struct mrg_dns_edit_name; /* zone_edit.h, for the other files of this folder */
struct mrg_dns_edit_record;

/* Private but for its size: the caller provides the memory. */
struct mrg_dns_zone_change {
	const struct mrg_dns_zone *zone, *made; /* made: NULL until it is finished */
	struct mrg_arena *nodes, *tables, *scratch;
	size_t scratch_from; /* its end at first */
	enum mrg_status st;  /* not MRG_OK: unusable */
	bool strict;
	struct mrg_dns_edit_name *first, *last; /* names that were looked at, in that order */
	struct mrg_dns_edit_name **names;       /* the same by hash */
	struct mrg_dns_edit_record **records;   /* their records, by hash */
	size_t name_slots, name_count, record_slots, record_count;
};

/*
 * mrg_dns_zone_change_begin - start a change.
 *   z         the version that it starts from; stays as long as `nodes`
 *   nodes     that z's nodes are in; must outlive the new version
 *   tables    for the new version; must outlive it.  Takes 4 octets for each bucket and each owner in the chain, and 2 KiB
 *   scratch   in use until the end: some 200 octets for each record of each name that changes.  Not one of the others
 *   strict    to delete what isn't there, or to add what is, is an error (RFC 1995); else nothing happens (RFC 2136 3.4.2)
 * Fails:    MRG_E_TAG when z is not in `nodes`: it is a stored zone, to be rebuilt; MRG_E_SPACE.
 */
MRG_MUST_USE enum mrg_status mrg_dns_zone_change_begin(struct mrg_dns_zone_change *c,
	const struct mrg_dns_zone *z, struct mrg_arena *nodes, struct mrg_arena *tables,
	struct mrg_arena *scratch, bool strict);

/*
 * mrg_dns_zone_change_add - add a record.
 *   owner, rdata   flat wire form, nothing compressed; copied
 *   err            filled on failure; may be NULL
 * The record's set gets its TTL (RFC 2181 5.2), also when the record is there already; an RRSIG's TTL is that of what it covers.
 * Fails:    MRG_E_VALUE, or what the check of the name says: others may follow.  Faults: OWNER, OUTSIDE, CLASS, RDATA (of an RRSIG; of
 *           other types in the end), PRESENT when strict.  MRG_E_SPACE: nothing can follow.   Cost: O(size of the record), and once for
 *           each name O(what it has).
 */
MRG_MUST_USE enum mrg_status mrg_dns_zone_change_add(struct mrg_dns_zone_change *c, struct mrg_span owner,
	uint16_t type, uint16_t rr_class, uint32_t ttl, struct mrg_span rdata,
	struct mrg_dns_zone_error *err);

/*
 * mrg_dns_zone_change_delete - delete a record, whatever its TTL is.
 * Names in RDATA are compared without regard to case (RFC 2136 1.1.1, RFC 4034 6.2); the very octets have precedence.
 * Otherwise as mrg_dns_zone_change_add; ABSENT when strict.
 */
MRG_MUST_USE enum mrg_status mrg_dns_zone_change_delete(struct mrg_dns_zone_change *c, struct mrg_span owner,
	uint16_t type, uint16_t rr_class, struct mrg_span rdata, struct mrg_dns_zone_error *err);

/*
 * mrg_dns_zone_change_delete_set - delete all records of a type at a name, RRSIGs over them excepted; of no other type is it an error,
 * strict or not, when there is none.   Fails: as mrg_dns_zone_change_add.
 */
MRG_MUST_USE enum mrg_status mrg_dns_zone_change_delete_set(struct mrg_dns_zone_change *c,
	struct mrg_span owner, uint16_t type, struct mrg_dns_zone_error *err);

/* mrg_dns_zone_change_delete_name - the same for all types; SOA and NS of the apex stay (RFC 2136 3.4.2.3). */
MRG_MUST_USE enum mrg_status mrg_dns_zone_change_delete_name(
	struct mrg_dns_zone_change *c, struct mrg_span owner, struct mrg_dns_zone_error *err);

/*
 * mrg_dns_zone_change_next - what a name has by now: the next type above *type of which there is a record at it.
 *   type    -1 to begin with; written when there is one
 *   count   records of it; RRSIGs are those of all types together
 * Fails:    MRG_END after the last; as mrg_dns_zone_change_add.
 */
MRG_MUST_USE enum mrg_status mrg_dns_zone_change_next(
	struct mrg_dns_zone_change *c, struct mrg_span owner, int32_t *type, size_t *count);

/* mrg_dns_zone_change_had - was the record there in the version that the change starts from?  As for mrg_dns_zone_change_delete. */
bool mrg_dns_zone_change_had(struct mrg_dns_zone_change *c, struct mrg_span owner, uint16_t type, struct mrg_span rdata);

/* mrg_dns_zone_change_differs - has anything changed by now, when all is said?   Cost: O(records that were looked at). */
bool mrg_dns_zone_change_differs(const struct mrg_dns_zone_change *c);

/*
 * mrg_dns_zone_change_finish - make the new version.
 *   out    written on MRG_OK; valid as long as `nodes` and `tables`
 *   err    filled on failure, with name and type; may be NULL.  Faults are those of mrg_dns_zone_add and mrg_dns_zone_finish
 * Fails:    MRG_E_VALUE and others when it would be no zone; MRG_E_SPACE.  Then `nodes` and `tables` are as they were.
 * Cost:     O(records of names that changed), the same for names that happen to be in the same buckets, and copying the directory and
 *           the chain.  O(nodes) when a name with others below becomes or ceases to be a cut or a DNAME; O(n log n) when the chain
 *           becomes another (NSEC3 parameters).
 */
MRG_MUST_USE enum mrg_status mrg_dns_zone_change_finish(
	struct mrg_dns_zone_change *c, const struct mrg_dns_zone **out, struct mrg_dns_zone_error *err);

/*
 * mrg_dns_zone_change_step - what it came to: records that were there and no longer are, and new ones.  A record of a set with another
 * TTL is both.  After mrg_dns_zone_change_finish only.
 *   a, before, out   as for mrg_dns_history_step, and so are failures; MRG_E_VALUE, too, when it was not finished
 */
MRG_MUST_USE enum mrg_status mrg_dns_zone_change_step(struct mrg_dns_zone_change *c, struct mrg_arena *a,
	const struct mrg_dns_step *before, const struct mrg_dns_step **out);

/*
 * mrg_dns_zone_change_undo - forget a version that was finished and that nobody has seen.
 *   nodes, tables   how much of the arenas was in use before it was finished
 */
void mrg_dns_zone_change_undo(struct mrg_dns_zone_change *c, size_t nodes, size_t tables);

/* mrg_dns_zone_change_end - give the scratch memory back, zeroed.  Also for a change that failed or is given up, finished or not. */
void mrg_dns_zone_change_end(struct mrg_dns_zone_change *c);

/*
 * mrg_dns_zone_garbage - octets of `nodes` that a version does not need.  Older versions may.
 * 0 for a stored zone.   Cost: O(1).
 */
size_t mrg_dns_zone_garbage(const struct mrg_dns_zone *z, const struct mrg_arena *nodes);

/*
 * mrg_dns_zone_rebuild_due - should the version be rebuilt?  It has three times as many nodes as buckets, twice what it was built with,
 * so that names take longer to find; or more than half of `nodes` (and 1 MiB at least) is garbage.   Cost: O(1).
 */
bool mrg_dns_zone_rebuild_due(const struct mrg_dns_zone *z, const struct mrg_arena *nodes);

enum { MRG_DNS_ZONE_REBUILD_SCRATCH = 128 * 1024 }; /* octets */

/*
 * mrg_dns_zone_rebuild - the same zone in new memory, as if it had been built there: compact, with a directory of its size.
 *   z         any version, or a stored zone; stays as it is
 *   nodes     empty; its memory from then on.  Changes of the new version go on there
 *   scratch   MRG_DNS_ZONE_REBUILD_SCRATCH, given back zeroed
 *   out       written on MRG_OK
 * Fails:    MRG_E_SPACE, as mrg_dns_zone_finish else.   Cost: as building a zone of n records in no order.
 */
MRG_MUST_USE enum mrg_status mrg_dns_zone_rebuild(const struct mrg_dns_zone *z, struct mrg_arena *nodes,
	struct mrg_arena *scratch, const struct mrg_dns_zone **out, struct mrg_dns_zone_error *err);

#endif
