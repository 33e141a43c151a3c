/*
 * mrg_scan.h - pass over octets of one class, many at a time; for generated readers of text.
 *
 * An octet is in a class if the rows of its two halves have a bit in common.  The widest vectors that the compiler was told
 * of are used (-mavx2, -mssse3); else, and for the last octets, a table.
 */
#ifndef MRG_SCAN_H
#define MRG_SCAN_H

#include "mrg.h"

struct mrg_class {
	/* bits of rows, all of them twice; zero where eight rows are too few: then only the table counts */
	uint8_t low[32], high[32];
	bool rows;
	uint8_t in[256];
};

#if defined(__SSSE3__)
typedef char mrg_v16 __attribute__((vector_size(16)));
typedef uint16_t mrg_v8h __attribute__((vector_size(16)));

/* Which of the 16 octets at p are not in the class. */
static inline unsigned mrg_scan_16(const uint8_t *p, const struct mrg_class *c)
{
	mrg_v16 v, low, high;
	memcpy(&v, p, sizeof v);
	memcpy(&low, c->low, sizeof low);
	memcpy(&high, c->high, sizeof high);
	low = __builtin_ia32_pshufb128(low, v & 15);
	high = __builtin_ia32_pshufb128(high, (mrg_v16)((mrg_v8h)v >> 4) & 15);
	return (unsigned)__builtin_ia32_pmovmskb128((mrg_v16)((low & high) == 0));
}
#endif

#if defined(__AVX2__)
typedef char mrg_v32 __attribute__((vector_size(32)));
typedef uint16_t mrg_v16h __attribute__((vector_size(32)));

/* Which of the 32 octets at p are not in the class. */
static inline unsigned mrg_scan_32(const uint8_t *p, const struct mrg_class *c)
{
	mrg_v32 v, low, high;
	memcpy(&v, p, sizeof v);
	memcpy(&low, c->low, sizeof low);
	memcpy(&high, c->high, sizeof high);
	low = __builtin_ia32_pshufb256(low, v & 15);
	high = __builtin_ia32_pshufb256(high, (mrg_v32)((mrg_v16h)v >> 4) & 15);
	return (unsigned)__builtin_ia32_pmovmskb256((mrg_v32)((low & high) == 0));
}
#endif

/* The first octet of p..end-1 that is not in the class, or end. */
static inline const uint8_t *mrg_scan(const uint8_t *p, const uint8_t *end, const struct mrg_class *c)
{
#if defined(__AVX2__)
	for (; c->rows && end - p >= 32; p += 32) {
		const unsigned out = mrg_scan_32(p, c);
		if (out != 0)
			return p + __builtin_ctz(out);
	}
#endif
#if defined(__SSSE3__)
	for (; c->rows && end - p >= 16; p += 16) {
		const unsigned out = mrg_scan_16(p, c);
		if (out != 0)
			return p + __builtin_ctz(out);
	}
#endif
	while (p != end && c->in[*p] != 0)
		p++;
	return p;
}

#endif
