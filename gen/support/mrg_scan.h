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

/*
 * Two classes that follow each other closely, as those of a name and its value, are looked for in one window: what the
 * second scan will need is on its way while the first one is at work.
 */
struct mrg_ahead {
	const uint8_t *at; /* where the window begins; NULL: there is none */
	uint64_t out;      /* which of its octets are not in the second class */
};

#if defined(__AVX2__)
enum { MRG_WINDOW = 64 };

static inline uint64_t mrg_window(const uint8_t *p, const struct mrg_class *c)
{
	return mrg_scan_32(p, c) | (uint64_t)mrg_scan_32(p + 32, c) << 32;
}
#elif defined(__SSSE3__)
enum { MRG_WINDOW = 32 };

static inline uint64_t mrg_window(const uint8_t *p, const struct mrg_class *c)
{
	return mrg_scan_16(p, c) | (uint64_t)mrg_scan_16(p + 16, c) << 16;
}
#else
enum { MRG_WINDOW = 0 };
#endif

/* As mrg_scan; *a is got ready for the scan of `next` that follows. */
static inline const uint8_t *mrg_scan_first(const uint8_t *p, const uint8_t *end, const struct mrg_class *c,
	const struct mrg_class *next, struct mrg_ahead *a)
{
#if defined(__SSSE3__)
	if (c->rows && next->rows && end - p >= MRG_WINDOW) {
		const uint64_t out = mrg_window(p, c);
		a->out = mrg_window(p, next);
		a->at = p;
		if (out != 0)
			return p + __builtin_ctzll(out);
		p += MRG_WINDOW;
	}
#else
	(void)next;
	(void)a;
#endif
	return mrg_scan(p, end, c);
}

/* As mrg_scan; if p is in the window, without looking at it again. */
static inline const uint8_t *mrg_scan_next(
	const uint8_t *p, const uint8_t *end, const struct mrg_class *c, const struct mrg_ahead *a)
{
#if defined(__SSSE3__)
	const uintptr_t in = (uintptr_t)p - (uintptr_t)a->at;
	if (in < (uintptr_t)MRG_WINDOW) {
		const uint64_t out = a->out >> in;
		if (out != 0)
			return p + __builtin_ctzll(out);
		p = a->at + MRG_WINDOW;
	}
#else
	(void)a;
#endif
	return mrg_scan(p, end, c);
}

#endif
