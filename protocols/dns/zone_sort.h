/*
 * zone_sort.h - a stable merge sort of pointers, at once or in pieces; for the files of this folder only.
 *
 * Input that is sorted already, as zone files from signers are, costs one comparison an element.
 */
#ifndef MRG_DNS_ZONE_SORT_H
#define MRG_DNS_ZONE_SORT_H

#include <stdbool.h>
#include <stddef.h>

/* Must a stand before b?  Only the order of unequal elements matters. */
typedef bool mrg_dns_before(const void *ctx, const void *a, const void *b);

/*
 * mrg_dns_zone_sort - sort a[0..n-1]; spare has room for n.   Cost: O(n log n) comparisons, O(n) when sorted.
 */
void mrg_dns_zone_sort(const void **a, const void **spare, size_t n, mrg_dns_before *before, const void *ctx);

/* A sort under way. */
struct mrg_dns_zone_sorting {
	const void **a, **spare;
	size_t n;
	mrg_dns_before *before;
	const void *ctx;
	size_t width;      /* of the runs that are sorted */
	size_t lo, hi;     /* the two of them that are merged now: all before are */
	size_t left;       /* of the first, moved to the spare memory; 0: the two have not been looked at */
	size_t i, j, k;    /* what comes next of the first, of the second, and where to */
};

void mrg_dns_zone_sort_begin(struct mrg_dns_zone_sorting *s, const void **a, const void **spare, size_t n,
	mrg_dns_before *before, const void *ctx);

/*
 * mrg_dns_zone_sort_some - sort on.   most   comparisons, and at least one
 * Returns whether all is sorted; else it is to be called again.   Cost: as said, and moving a run.
 */
bool mrg_dns_zone_sort_some(struct mrg_dns_zone_sorting *s, size_t most);

#endif
