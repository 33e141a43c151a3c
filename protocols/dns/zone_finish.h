/*
 * zone_finish.h - mrg_dns_zone_finish in pieces, for who has something else to do between them.
 *
 * What it does not do: what a piece costs has no bound but for an index's, a 64th of the zone (zone_place.c), and moving a run of a
 * chain that is sorted.
 *
 * Use:
 *	struct mrg_dns_zone_finishing f;
 *	mrg_dns_zone_finish_begin(&f, &builder);
 *	while ((st = mrg_dns_zone_finish_some(&f, &zone, &why)) == MRG_MORE) ...
 */
#ifndef MRG_DNS_ZONE_FINISH_H
#define MRG_DNS_ZONE_FINISH_H

#include "protocols/dns/zone.h"
#include "protocols/dns/zone_sort.h"

/* Nodes and comparisons of a piece that has not a part of the index. */
enum { MRG_DNS_ZONE_PIECE = 4096 };

/* Private but for its size, as the following. */
struct mrg_dns_zone_chaining {
	struct mrg_dns_zone *zone;
	struct mrg_arena *a, *scratch;
	enum { MRG_DNS_CHAIN_COUNT, MRG_DNS_CHAIN_LIST, MRG_DNS_CHAIN_SORT } step;
	const struct mrg_dns_node *node; /* that is looked at next, of this bucket */
	size_t bucket;
	size_t count, listed; /* owners */
	uint32_t *chain;
	const void **list;
	size_t mark; /* the end of scratch before the list */
	struct mrg_dns_zone_sorting sorting;
};

struct mrg_dns_zone_finishing {
	struct mrg_dns_zone_builder *b;
	struct mrg_dns_zone *zone;
	enum { MRG_DNS_FINISH_CLOSE, MRG_DNS_FINISH_INDEX, MRG_DNS_FINISH_LINK, MRG_DNS_FINISH_CHAIN } step;
	/* of the index */
	unsigned part;
	uint32_t *buckets;
	uint8_t *out; /* memory to write buckets to */
	size_t out_left;
	uint32_t free;                     /* segments that can be written over */
	const struct mrg_dns_node **list;  /* the nodes of a part, bucket by bucket */
	const struct mrg_dns_node **parts; /* room for nodes of one name */
	/* of parents */
	const struct mrg_dns_node *node; /* that is linked next, of this bucket */
	size_t bucket;
	struct mrg_dns_node *parent; /* found last */
	struct mrg_dns_zone_chaining chaining;
};

/* b stays until it is finished, or given up: then its arena is of no more use. */
void mrg_dns_zone_finish_begin(struct mrg_dns_zone_finishing *f, struct mrg_dns_zone_builder *b);

/*
 * mrg_dns_zone_finish_some - the next piece.   out, err   as of mrg_dns_zone_finish
 * Returns MRG_MORE: it is to be called again; what mrg_dns_zone_finish returns: that was the last.
 */
MRG_MUST_USE enum mrg_status mrg_dns_zone_finish_some(
	struct mrg_dns_zone_finishing *f, const struct mrg_dns_zone **out, struct mrg_dns_zone_error *err);

#endif
