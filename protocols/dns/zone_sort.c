/* A stable merge sort of pointers, bottom up. */
#include "protocols/dns/zone_sort.h"

#include "mrg.h"

/* Merge a[lo..mid-1] and a[mid..hi-1], both sorted.  Only the left half moves to the spare memory. */
static void merge(const void **a, const void **spare, size_t lo, size_t mid, size_t hi,
	mrg_dns_before *before, const void *ctx)
{
	if (!before(ctx, a[mid], a[mid - 1]))
		return;
	const size_t left = mid - lo;
	memcpy(spare, a + lo, left * sizeof *a);
	size_t i = 0, j = mid, k = lo;
	while (i < left && j < hi) {
		if (before(ctx, a[j], spare[i]))
			a[k++] = a[j++];
		else
			a[k++] = spare[i++];
	}
	memcpy(a + k, spare + i, (left - i) * sizeof *a);
}

void mrg_dns_zone_sort(const void **a, const void **spare, size_t n, mrg_dns_before *before, const void *ctx)
{
	for (size_t width = 1; width < n; width *= 2) {
		for (size_t lo = 0; n - lo > width; lo += 2 * width) {
			const size_t mid = lo + width;
			const size_t hi = n - mid > width ? mid + width : n;
			merge(a, spare, lo, mid, hi, before, ctx);
			if (hi == n)
				break;
		}
	}
}
