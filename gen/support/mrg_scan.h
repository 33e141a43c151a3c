/*
 * mrg_scan.h - pass over octets of one class, many at a time; for generated readers of text.
 *
 * An octet is in a class if the rows of its two halves have a bit in common.  The widest vectors that the compiler was told
 * of are used (-mavx2, -mssse3); else, and for the last octets, a table.
 */
#ifndef MRG_SCAN_H
#define MRG_SCAN_H

#include "mrg.h"

#if defined(__SSSE3__)
#include <immintrin.h>
#endif

struct mrg_class {
	uint8_t low[16],
		high[16]; /* bits of rows; all zero where eight rows are too few: then only the table counts */
	bool rows;
	uint8_t in[256];
};

#if defined(__SSSE3__)
/* Which of the 16 octets at p are not in the class. */
static inline unsigned mrg_scan_16(const uint8_t *p, const struct mrg_class *c)
{
	const __m128i half = _mm_set1_epi8(15), v = _mm_loadu_si128((const __m128i *)(const void *)p);
	const __m128i low = _mm_shuffle_epi8(
		_mm_loadu_si128((const __m128i *)(const void *)c->low), _mm_and_si128(v, half));
	const __m128i high = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)c->high),
		_mm_and_si128(_mm_srli_epi16(v, 4), half));
	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_and_si128(low, high), _mm_setzero_si128()));
}
#endif

#if defined(__AVX2__)
/* Which of the 32 octets at p are not in the class. */
static inline unsigned mrg_scan_32(const uint8_t *p, const struct mrg_class *c)
{
	const __m256i half = _mm256_set1_epi8(15), v = _mm256_loadu_si256((const __m256i *)(const void *)p);
	const __m256i low = _mm256_shuffle_epi8(
		_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)c->low)),
		_mm256_and_si256(v, half));
	const __m256i high = _mm256_shuffle_epi8(
		_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)c->high)),
		_mm256_and_si256(_mm256_srli_epi16(v, 4), half));
	return (unsigned)_mm256_movemask_epi8(
		_mm256_cmpeq_epi8(_mm256_and_si256(low, high), _mm256_setzero_si256()));
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
