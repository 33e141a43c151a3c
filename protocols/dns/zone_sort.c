/* A stable merge sort of pointers, bottom up. */
#include "protocols/dns/zone_sort.h"

#include "mrg.h"

/* Look at two runs beside each other.  Unless they are in order, the left one moves to the spare memory, and no other. */
static void pair_up(struct mrg_dns_zone_sorting *s)
{
	const size_t mid = s->lo + s->width;
	s->hi = s->n - mid > s->width ? mid + s->width : s->n;
	if (!s->before(s->ctx, s->a[mid], s->a[mid - 1]))
		return;
	s->left = s->width;
	memcpy(s->spare, s->a + s->lo, s->left * sizeof *s->a);
	s->i = 0;
	s->j = mid;
	s->k = s->lo;
}

/* Merge the two on.   Returns: what is left of `most`; not 0 when they are one run. */
static size_t merge(struct mrg_dns_zone_sorting *s, size_t most)
{
	const void **const a = s->a, **const spare = s->spare;
	const size_t left = s->left, hi = s->hi;
	size_t i = s->i, j = s->j, k = s->k;
	for (; i < left && j < hi && most != 0; most--) {
		if (s->before(s->ctx, a[j], spare[i]))
			a[k++] = a[j++];
		else
			a[k++] = spare[i++];
	}
	s->i = i;
	s->j = j;
	s->k = k;
	if (most != 0) {
		memcpy(a + k, spare + i, (left - i) * sizeof *a);
		s->left = 0;
	}
	return most;
}

static void next_pair(struct mrg_dns_zone_sorting *s)
{
	s->lo = s->hi;
	if (s->n - s->lo > s->width)
		return;
	s->width *= 2;
	s->lo = 0;
}

void mrg_dns_zone_sort_begin(struct mrg_dns_zone_sorting *s, const void **a, const void **spare, size_t n,
	mrg_dns_before *before, const void *ctx)
{
	*s = (struct mrg_dns_zone_sorting){
		.a = a, .spare = spare, .n = n, .before = before, .ctx = ctx, .width = 1
	};
}

bool mrg_dns_zone_sort_some(struct mrg_dns_zone_sorting *s, size_t most)
{
	for (; s->width < s->n && most != 0; most--) {
		if (s->left == 0)
			pair_up(s);
		if (s->left != 0)
			most = merge(s, most);
		if (most == 0)
			return false;
		next_pair(s);
	}
	return s->width >= s->n;
}

void mrg_dns_zone_sort(const void **a, const void **spare, size_t n, mrg_dns_before *before, const void *ctx)
{
	struct mrg_dns_zone_sorting s;
	mrg_dns_zone_sort_begin(&s, a, spare, n, before, ctx);
	while (!mrg_dns_zone_sort_some(&s, SIZE_MAX))
		;
}
