/* mrg_fuzz_havoc.c - see mrg_fuzz_havoc.h. */
#include "mrg_fuzz_havoc.h"

#include <string.h>

enum {
	TIMES_MAX = 6,  /* changes at once */
	PIECE_MAX = 64, /* octets of a piece */
	NUMBER_MAX = 4  /* octets of a number */
};

static size_t below(struct mrg_rng *rng, size_t n) { return (size_t)mrg_rng_below(rng, n); }

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* A piece of p[0..len): from *at, *n octets, at least one; len is not 0. */
static void piece(struct mrg_rng *rng, size_t len, size_t *at, size_t *n)
{
	*at = below(rng, len);
	*n = 1 + below(rng, least(len - *at, PIECE_MAX));
}

static size_t take_out(struct mrg_rng *rng, uint8_t *p, size_t len)
{
	size_t at, n;
	piece(rng, len, &at, &n);
	memmove(p + at, p + at + n, len - at - n);
	return len - n;
}

/* One octet n times, or octets by chance. */
static size_t put_in(struct mrg_rng *rng, uint8_t *p, size_t len, size_t cap)
{
	if (len >= cap)
		return len;
	const size_t at = below(rng, len + 1), n = 1 + below(rng, least(cap - len, PIECE_MAX));
	const bool same = mrg_rng_below(rng, 2) != 0;
	const uint8_t octet = (uint8_t)mrg_rng_next(rng);
	memmove(p + at + n, p + at, len - at);
	for (size_t i = 0; i < n; i++)
		p[at + i] = same ? octet : (uint8_t)mrg_rng_next(rng);
	return len + n;
}

static size_t put_twice(struct mrg_rng *rng, uint8_t *p, size_t len, size_t cap)
{
	size_t at, n;
	piece(rng, len, &at, &n);
	n = least(n, cap - len);
	memmove(p + at + n, p + at, len - at);
	return len + n;
}

/* A piece over another, which may lie over it. */
static void put_over(struct mrg_rng *rng, uint8_t *p, size_t len)
{
	size_t at, n;
	piece(rng, len, &at, &n);
	memmove(p + below(rng, len - n + 1), p + at, n);
}

/* A number at an edge of what 1, 2 or 4 octets hold, or of what a length may be here; either order of octets. */
static void put_number(struct mrg_rng *rng, uint8_t *p, size_t len)
{
	static const uint32_t edges[] = { 0, 1, 2, 7, 8, 15, 16, 31, 32, 63, 64, 100, 127, 128, 191, 192, 254,
		255, 256, 511, 512, 1024, 4096, 0x7fff, 0x8000, 0xbfff, 0xc000, 0xc00c, 0xfffe, 0xffff,
		0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };
	const size_t n = least((size_t)1 << below(rng, 3), least(len, NUMBER_MAX));
	const size_t at = below(rng, len - n + 1);
	uint32_t v = edges[below(rng, sizeof edges / sizeof edges[0])];
	if (mrg_rng_below(rng, 4) == 0)
		v = (uint32_t)(len - at - n) + (uint32_t)mrg_rng_below(rng, 3) - 1;
	const bool low_first = mrg_rng_below(rng, 4) == 0;
	for (size_t i = 0; i < n; i++)
		p[at + (low_first ? i : n - 1 - i)] = (uint8_t)(v >> 8 * i);
}

static void count_on(struct mrg_rng *rng, uint8_t *p, size_t len)
{
	const size_t at = below(rng, len);
	const int by = 1 + (int)mrg_rng_below(rng, 16);
	p[at] = (uint8_t)(mrg_rng_below(rng, 2) != 0 ? p[at] + by : p[at] - by);
}

static size_t change(struct mrg_rng *rng, uint8_t *p, size_t len, size_t cap)
{
	if (len == 0)
		return put_in(rng, p, len, cap);
	switch (mrg_rng_below(rng, 10)) {
	case 0:
	case 1: p[below(rng, len)] ^= (uint8_t)(1u << below(rng, 8)); return len;
	case 2: p[below(rng, len)] = (uint8_t)mrg_rng_next(rng); return len;
	case 3: count_on(rng, p, len); return len;
	case 4: put_number(rng, p, len); return len;
	case 5: put_over(rng, p, len); return len;
	case 6: return below(rng, len + 1);
	case 7: return take_out(rng, p, len);
	case 8: return put_in(rng, p, len, cap);
	default: return put_twice(rng, p, len, cap);
	}
}

size_t mrg_fuzz_havoc(struct mrg_rng *rng, uint8_t *p, size_t len, size_t cap)
{
	/* Once is the most frequent: a single fault in a message that is right else goes deepest. */
	size_t times = 1;
	while (times < TIMES_MAX && mrg_rng_below(rng, 2) != 0)
		times++;
	while (times-- != 0)
		len = change(rng, p, len, cap);
	return len;
}
