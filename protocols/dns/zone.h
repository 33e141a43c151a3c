/*
 * zone.h - one zone of the DNS: built record by record in an arena, then frozen and asked.
 *
 * References: RFC 1034 4.2 and 4.3, RFC 2181 5 and 6, RFC 4592, RFC 6672, RFC 4034 and 4035, RFC 5155.
 *
 * What it does not do: it reads no text (master.h), checks no signature, makes none, and never changes once
 * finished: a changed zone is a new one, from other records or from a version and what changed (zone_change.h).
 *
 * Use:
 *	struct mrg_dns_zone_builder b;
 *	struct mrg_dns_zone_error why;
 *	if (mrg_dns_zone_begin(&b, &arena, origin) != MRG_OK) ...
 *	for each record: if (mrg_dns_zone_add(&b, owner, type, class, ttl, rdata, &why) != MRG_OK) ...
 *	if (mrg_dns_zone_finish(&b, &zone, &why) != MRG_OK) ...
 *
 * From begin to finish nobody else may take memory from the arena.  Memory above the arena's end is used for
 * sorting, at its very end, too, and left zeroed.  Records of one owner are best added one after the other: then each lands in its final
 * place at once; in any other order the zone answers the same but takes more time and memory to build.
 */
#ifndef MRG_DNS_ZONE_H
#define MRG_DNS_ZONE_H

#include "dns/name.h"
#include "dns/rr.h"
#include "mrg.h"
#include "mrg_rt.h"

struct mrg_dns_zone; /* zone_store.h, for the other files of this folder */
struct mrg_dns_node;
struct mrg_dns_rrset;

/* Why a record or a zone was refused. */
enum mrg_dns_zone_fault {
	MRG_DNS_ZONE_SOUND,
	MRG_DNS_ZONE_FULL,       /* the arena, or a limit of the zone's own */
	MRG_DNS_ZONE_OWNER,      /* not a name, or compressed */
	MRG_DNS_ZONE_OUTSIDE,    /* the owner is not in the zone */
	MRG_DNS_ZONE_CLASS,      /* not IN */
	MRG_DNS_ZONE_TYPE,       /* a type that no zone may hold: OPT, ANY, ... (RFC 6895 3.1) */
	MRG_DNS_ZONE_RDATA,      /* `reject` says what */
	MRG_DNS_ZONE_SOA_PLACE,  /* SOA below the apex */
	MRG_DNS_ZONE_SINGLE,     /* a second SOA, CNAME or DNAME (RFC 2181 10.1, RFC 6672 2.4) */
	MRG_DNS_ZONE_ALIAS,      /* CNAME and other data (RFC 1034 3.6.2, RFC 4035 2.5) */
	MRG_DNS_ZONE_RRSET_SIZE, /* a set that no message can hold */
	MRG_DNS_ZONE_NO_SOA,     /* RFC 1035 5.2 */
	MRG_DNS_ZONE_NO_NS,      /* RFC 1034 4.2.1 */
	MRG_DNS_ZONE_NSEC3,      /* more than 2,500 iterations (RFC 5155 10.3) */
	MRG_DNS_ZONE_ABSENT,     /* to be deleted, but not there (zone_change.h, as PRESENT) */
	MRG_DNS_ZONE_PRESENT,    /* to be added, but there already */
	MRG_DNS_ZONE_DEAD        /* an earlier failure has made the builder unusable */
};

/*
 * What was refused.  Faults of a single record (OWNER .. RDATA, and most SINGLE and ALIAS) come from the
 * mrg_dns_zone_add of that record; those that only the whole zone shows come from mrg_dns_zone_finish.
 */
struct mrg_dns_zone_error {
	enum mrg_dns_zone_fault fault;
	uint16_t type;                  /* of the record or set */
	struct mrg_dns_name_flat owner; /* count 0: unknown */
	struct mrg_reject reject;       /* of RDATA, else status MRG_OK */
};

/* Nodes that begin their hashes with the same bits: segments of memory, handles in the arena. */
struct mrg_dns_zone_part {
	uint32_t first, last;
	uint32_t node_count;
};

enum { MRG_DNS_ZONE_PARTS = 64 };

/* Private but for its size: the caller provides the memory. */
struct mrg_dns_zone_builder {
	struct mrg_arena *arena;
	struct mrg_dns_zone *zone;
	enum mrg_status st;                /* not MRG_OK: unusable */
	struct mrg_dns_name_flat names[3]; /* of the open node, of the one before it, and of the one to come */
	unsigned now, before, next;        /* which is which */
	struct mrg_dns_node *open;         /* the node that grows at the arena's end, or NULL */
	struct mrg_dns_rrset *last;        /* its last set */
	uint32_t last_ttl;
	uint32_t sets;       /* of the open node */
	bool unsorted;       /* the open node's sets are */
	bool aliased, other; /* the open node has a CNAME; has what can't stand beside one */
	size_t staged_off;   /* where in the arena the open node's segment would begin */
	size_t node_count;   /* of all parts */
	struct mrg_dns_zone_part parts[MRG_DNS_ZONE_PARTS]; /* the finished nodes, by hash */
	uint8_t soa[MRG_DNS_SOA_SIZE_MAX];                  /* RDATA of the SOA record, once there is one */
	size_t soa_len;
	struct mrg_refs refs; /* knows just the open node's name, at offset 12 */
	bool refs_ready;
};

/*
 * mrg_dns_zone_begin - start a zone at `origin`, a flat name, in class IN.
 *   a   its memory; must outlive the zone.
 * Fails:    MRG_E_SPACE; MRG_E_TAG and others when origin is not a flat name.
 */
MRG_MUST_USE enum mrg_status mrg_dns_zone_begin(
	struct mrg_dns_zone_builder *b, struct mrg_arena *a, struct mrg_span origin);

/*
 * mrg_dns_zone_add - add a record.
 *   owner, rdata   flat wire form, nothing compressed; copied.
 *   err            filled on failure; may be NULL.
 * A record that is there already is ignored (RFC 2181 5), and a set's TTL is that of its first record (5.2).
 * Fails:    MRG_E_VALUE, or what the check of the name or the RDATA says: the record was not added, others may
 *           follow.  MRG_E_SPACE: the builder is dead.   Cost: O(size of the record), amortised.
 */
MRG_MUST_USE enum mrg_status mrg_dns_zone_add(struct mrg_dns_zone_builder *b, struct mrg_span owner,
	uint16_t type, uint16_t rr_class, uint32_t ttl, struct mrg_span rdata,
	struct mrg_dns_zone_error *err);

/*
 * mrg_dns_zone_finish - index the zone and freeze it.
 *   out    written on MRG_OK; valid as long as the arena.
 * Fails:    as mrg_dns_zone_add, for what only the whole zone shows; the builder is dead in any case.
 * Cost:     O(n) for n records, whatever their order; O(n log n) to sort the chain of a signed zone that comes unsorted.
 *           Memory: little more than the zone itself takes.
 */
MRG_MUST_USE enum mrg_status mrg_dns_zone_finish(
	struct mrg_dns_zone_builder *b, const struct mrg_dns_zone **out, struct mrg_dns_zone_error *err);

/*
 * mrg_dns_zone_absent - a zone of which there are no data, now or any more: a secondary's before the first transfer, or behind its time
 * of expiry. Questions for it get SERVFAIL (RFC 1034 4.3.5).
 *   a   takes little more than the zone's name; must outlive it.
 * Fails:    MRG_E_SPACE; MRG_E_TAG and others when origin is not a flat name.
 */
MRG_MUST_USE enum mrg_status mrg_dns_zone_absent(
	struct mrg_arena *a, struct mrg_span origin, const struct mrg_dns_zone **out);

/* Are there no data? */
bool mrg_dns_zone_is_absent(const struct mrg_dns_zone *z);

/* What went wrong, in words: "CNAME and other data". */
const char *mrg_dns_zone_fault_str(enum mrg_dns_zone_fault fault);

/* The zone's name, flat, as it was given to begin. */
struct mrg_span mrg_dns_zone_origin(const struct mrg_dns_zone *z);
/* The serial number of its SOA record. */
uint32_t mrg_dns_zone_serial(const struct mrg_dns_zone *z);
/* Records it holds, duplicates not counted. */
size_t mrg_dns_zone_records(const struct mrg_dns_zone *z);

/* A walk over all records of a zone; zero but for `zone`. */
struct mrg_dns_zone_walk {
	const struct mrg_dns_zone *zone;
	size_t bucket;
	bool ended;
	const struct mrg_dns_node *node;
	const struct mrg_dns_rrset *set;
	unsigned sets_left;
	struct mrg_span left; /* of the set */
};

/*
 * mrg_dns_zone_next - view the next record; no order but that the records of a set come together, then its RRSIGs.
 * Fails:    MRG_END after the last.   Lifetime: *out borrows the zone.
 */
MRG_MUST_USE enum mrg_status mrg_dns_zone_next(struct mrg_dns_zone_walk *w, struct mrg_dns_rr *out);

#endif
