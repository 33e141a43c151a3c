/*
 * zone_edit.h - a change of a zone while it is made; for the files of this folder only.
 * Reading order: zone_change.c (what is said), zone_edit_tree.c (which names there are then), zone_edit_write.c (nodes, buckets and the
 * new version), zone_edit_chain.c, zone_change_step.c (what it came to).
 */
#ifndef MRG_DNS_ZONE_EDIT_H
#define MRG_DNS_ZONE_EDIT_H

#include "protocols/dns/zone_build.h"
#include "protocols/dns/zone_change.h"

/* A record of a name whose records were looked at. */
struct mrg_dns_edit_record {
	struct mrg_dns_edit_record *in_slot; /* the next with a like hash */
	struct mrg_dns_edit_record *next;    /* of its set, data or signatures */
	const struct mrg_dns_edit_set *set;
	uint64_t hash;
	struct mrg_span rdata; /* flat */
	bool sig, was, is;     /* an RRSIG; in the old version; in the new one */
};

/* Records of one kind, in the order in which they came. */
struct mrg_dns_edit_list {
	struct mrg_dns_edit_record *first, *last;
	size_t count; /* that are in the new version */
};

struct mrg_dns_edit_set {
	struct mrg_dns_edit_set *next; /* of a higher type */
	uint16_t type;
	uint32_t was_ttl, ttl;
	struct mrg_dns_edit_list data, sigs;
};

/* Is a name below a cut or a DNAME? */
enum mrg_dns_edit_occlusion { MRG_DNS_EDIT_UNKNOWN, MRG_DNS_EDIT_OPEN, MRG_DNS_EDIT_OCCLUDED };

/* A name that was looked at: what is or comes at it, and what it is or will be. */
struct mrg_dns_edit_name {
	struct mrg_dns_edit_name *in_slot, *next; /* with a like hash; of all */
	struct mrg_dns_edit_name *up;             /* once it was asked for */
	uint64_t hash;
	struct mrg_span name;
	unsigned labels;
	const struct mrg_dns_node *old; /* in the old version, or NULL */
	struct mrg_dns_edit_set *sets;  /* by type, if `loaded` */
	const struct mrg_dns_node *made; /* in scratch memory: what its records make, if `edited` and any are left */
	bool loaded, edited; /* its records are in `sets`; and aren't those of the old node */
	bool full, there;    /* it will have records; it will be a node */
	bool wild;           /* there will be a "*" below */
	bool turned;         /* becomes or ceases to be a cut or DNAME, with names below that may stay */
	enum mrg_dns_edit_occlusion occlusion;
	uint32_t below;
};

/* What becomes of a version's handles, so that a chain can be copied: those of nodes that went are known, and where they went. */
struct mrg_dns_edit_moves {
	struct mrg_dns_edit_move {
		uint32_t from, to; /* to 0: nowhere */
	} *slots;
	size_t slot_count;
};

/* Fill err (may be NULL) for one name. */
enum mrg_status mrg_dns_edit_refuse(struct mrg_dns_zone_error *err, enum mrg_dns_zone_fault fault,
	enum mrg_status st, const struct mrg_dns_edit_name *n, uint16_t type);

/* The entry of a name in the zone, made if need be; NULL: no scratch memory is left. */
struct mrg_dns_edit_name *mrg_dns_edit_at(struct mrg_dns_zone_change *c, struct mrg_span name, unsigned labels);
/* The same only if it was looked at before. */
struct mrg_dns_edit_name *mrg_dns_edit_known(const struct mrg_dns_zone_change *c, struct mrg_span name);

/* What the name will be, from its own records: CUT, DNAME, ... */
static inline unsigned mrg_dns_edit_flags(const struct mrg_dns_edit_name *n)
{
	const struct mrg_dns_node *const from = n->edited ? n->made : n->old;
	return from != NULL ? from->flags : 0;
}

static inline size_t mrg_dns_edit_bucket(const struct mrg_dns_zone *z, const struct mrg_dns_edit_name *n)
{
	return (n->hash >> 32) * z->bucket_count >> 32;
}

/* Must the node of the name be written anew, or go?  After mrg_dns_edit_tree. */
bool mrg_dns_edit_changed(const struct mrg_dns_edit_name *n);

/*
 * mrg_dns_edit_tree - settle which names there will be, how many are below each, and which are below cuts.
 * Fails:    false: no scratch memory is left.
 */
bool mrg_dns_edit_tree(struct mrg_dns_zone_change *c);

/* Memory for this many moves.   Fails: MRG_E_SPACE. */
enum mrg_status mrg_dns_edit_moves_init(struct mrg_dns_edit_moves *m, struct mrg_arena *scratch, size_t count);
void mrg_dns_edit_move_add(struct mrg_dns_edit_moves *m, uint32_t from, uint32_t to);

/*
 * mrg_dns_edit_chain - find the chain of the new version, whose nodes are all there, and lay it down in `tables`.
 * Fails:    MRG_E_SPACE; MRG_E_LIMIT when hashes take more than 2,500 iterations.
 */
enum mrg_status mrg_dns_edit_chain(struct mrg_dns_zone_change *c, struct mrg_dns_zone *made,
	const struct mrg_dns_edit_moves *moves);

#endif
