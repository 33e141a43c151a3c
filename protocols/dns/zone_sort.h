/*
 * zone_sort.h - a stable merge sort of pointers; for the files of this folder only.
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

#endif
