/*
 * mrg_scan.h - pass over octets of one class, many at a time; for generated readers of text.
 *
 * The widest vectors that the compiler was told of are used (-mavx2, -mssse3, SSE2), else a table.  Nothing outside of the
 * buffer is read.
 */
#ifndef MRG_SCAN_H
#define MRG_SCAN_H

#include "mrg.h"

/* Whether an octet with this or that property is in a class. */
enum mrg_says {
	MRG_SAYS_NOTHING, /* the property is not there */
	MRG_SAYS_IN,
	MRG_SAYS_OUT
};

enum { MRG_RANGES = 10 };

/* Octets, and two properties by which vectors know them. */
struct mrg_class {
	uint8_t in[256];
	/* the rows of its two halves have a bit in common; all of them twice; octets from 0x80 on have no rows */
	enum mrg_says rows_say;
	uint8_t low[32], high[32];
	/* it is one of first[i] .. first[i] + more[i] for an i < ranges */
	enum mrg_says ranges_say;
	unsigned ranges;
	uint8_t first[MRG_RANGES], more[MRG_RANGES];
};

#ifdef MRG_PROVE
#include "prove/mrg_prove_scan.h"
#endif

/* A condition that is rarely true: what follows is laid out for the other case. */
static inline bool mrg_rare(bool is) { return __builtin_expect(is, false); }

static inline bool mrg_in(uint8_t octet, const struct mrg_class *c) { return c->in[octet] != 0; }

static inline const uint8_t *mrg_scan_each(const uint8_t *p, const uint8_t *end, const struct mrg_class *c)
{
	/*@ loop invariant mrg_within(\at(p, Pre), end, p);
	    loop assigns p; loop variant end - p; */
	while (p != end && mrg_in(*p, c))
		p++;
	return p;
}

#if defined(__SSE2__)

#define MRG_ALWAYS inline __attribute__((always_inline)) /* with a class that is a constant */
#define MRG_SELDOM __attribute__((noinline, cold, unused)) /* made small */

typedef char mrg_v16 __attribute__((vector_size(16)));
typedef unsigned char mrg_u16 __attribute__((vector_size(16)));

/* Comparisons that are put together would be 16 choices to AFL++'s compiler, each of which it counts. */
#if defined(__AFL_COMPILER)
#define MRG_NO_CHOICE(v) __asm__("" : "+x"(v))
#else
#define MRG_NO_CHOICE(v) ((void)0)
#endif

/* Which octets are in the range with this number. */
static MRG_ALWAYS mrg_v16 mrg_range(mrg_u16 v, const struct mrg_class *c, unsigned i)
{
	mrg_v16 in = (mrg_v16)(c->more[i] == 0 ? v == c->first[i] : v - c->first[i] <= c->more[i]);
	MRG_NO_CHOICE(in);
	return in;
}

/* Which of the 16 octets at p are not in the class, by ranges. */
static MRG_ALWAYS uint32_t mrg_out_of_ranges(const uint8_t *p, const struct mrg_class *c)
{
	mrg_u16 v;
	memcpy(&v, p, sizeof v);
	mrg_v16 found = mrg_range(v, c, 0);
	for (unsigned i = 1; i < MRG_RANGES; i++)
		if (i < c->ranges)
			found |= mrg_range(v, c, i);
	const uint32_t mask = (uint32_t)__builtin_ia32_pmovmskb128(found);
	return c->ranges_say == MRG_SAYS_IN ? mask ^ 0xFFFF : mask;
}

#if defined(__SSSE3__)
typedef signed char mrg_s16 __attribute__((vector_size(16)));
typedef uint16_t mrg_v8h __attribute__((vector_size(16)));

/* The lower halves of octets: loaded, since compilers would make them up anew at each use, which takes longer. */
#if defined(__AVX__)
#define MRG_LOAD "vmovdqa"
#else
#define MRG_LOAD "movdqa"
#endif
static const _Alignas(32) char mrg_halves[32] = { 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15 };

/* The same by rows.  An octet with its top bit set is looked up as zero. */
static MRG_ALWAYS uint32_t mrg_out_of_rows(const uint8_t *p, const struct mrg_class *c)
{
	mrg_v16 v, low, high, half;
	memcpy(&v, p, sizeof v);
	memcpy(&low, c->low, sizeof low);
	memcpy(&high, c->high, sizeof high);
	__asm__(MRG_LOAD " %1, %0" : "=x"(half) : "m"(*(const mrg_v16 *)mrg_halves));
	low = __builtin_ia32_pshufb128(low, v);
	high = __builtin_ia32_pshufb128(high, (mrg_v16)((mrg_v8h)v >> 4) & half);
	const mrg_s16 common = (mrg_s16)(low & high);
	return (uint32_t)__builtin_ia32_pmovmskb128((mrg_v16)(c->rows_say == MRG_SAYS_IN ? common == 0 : common > 0));
}

static MRG_ALWAYS bool mrg_has_vectors(const struct mrg_class *c) { return (c->rows_say | c->ranges_say) != MRG_SAYS_NOTHING; }

static MRG_ALWAYS uint32_t mrg_out_16(const uint8_t *p, const struct mrg_class *c)
{
	return c->rows_say != MRG_SAYS_NOTHING ? mrg_out_of_rows(p, c) : mrg_out_of_ranges(p, c);
}
#else
static MRG_ALWAYS bool mrg_has_vectors(const struct mrg_class *c) { return c->ranges_say != MRG_SAYS_NOTHING; }

static MRG_ALWAYS uint32_t mrg_out_16(const uint8_t *p, const struct mrg_class *c) { return mrg_out_of_ranges(p, c); }
#endif

#if defined(__AVX2__)
typedef char mrg_v32 __attribute__((vector_size(32)));
typedef signed char mrg_s32 __attribute__((vector_size(32)));
typedef uint16_t mrg_v16h __attribute__((vector_size(32)));

static MRG_ALWAYS uint32_t mrg_out_32(const uint8_t *p, const struct mrg_class *c)
{
	if (c->rows_say == MRG_SAYS_NOTHING)
		return mrg_out_16(p, c) | mrg_out_16(p + 16, c) << 16;
	mrg_v32 v, low, high, half;
	memcpy(&v, p, sizeof v);
	memcpy(&low, c->low, sizeof low);
	memcpy(&high, c->high, sizeof high);
	__asm__(MRG_LOAD " %1, %0" : "=x"(half) : "m"(*(const mrg_v32 *)mrg_halves));
	low = __builtin_ia32_pshufb256(low, v);
	high = __builtin_ia32_pshufb256(high, (mrg_v32)((mrg_v16h)v >> 4) & half);
	const mrg_s32 common = (mrg_s32)(low & high);
	return (uint32_t)__builtin_ia32_pmovmskb256((mrg_v32)(c->rows_say == MRG_SAYS_IN ? common == 0 : common > 0));
}
#else
static MRG_ALWAYS uint32_t mrg_out_32(const uint8_t *p, const struct mrg_class *c)
{
	return mrg_out_16(p, c) | mrg_out_16(p + 16, c) << 16;
}
#endif

static MRG_ALWAYS uint64_t mrg_out_64(const uint8_t *p, const struct mrg_class *c)
{
	return mrg_out_32(p, c) | (uint64_t)mrg_out_32(p + 32, c) << 32;
}

/* As mrg_scan, for what is longer, or nearer to the end. */
static MRG_SELDOM const uint8_t *mrg_scan_on(const uint8_t *p, const uint8_t *end, const struct mrg_class *c)
{
#if defined(__AVX2__)
	for (; end - p >= 32; p += 32) {
		const uint32_t out = mrg_out_32(p, c);
		if (out != 0)
			return p + __builtin_ctz(out);
	}
#endif
	for (; end - p >= 16; p += 16) {
		const uint32_t out = mrg_out_16(p, c);
		if (out != 0)
			return p + __builtin_ctz(out);
	}
	return mrg_scan_each(p, end, c);
}

/* The first octet of p..end-1 that is not in the class, or end; for runs of any length. */
static MRG_ALWAYS const uint8_t *mrg_scan(
	const uint8_t *p, const uint8_t *wide, const uint8_t *end, const struct mrg_class *c)
{
	if (!mrg_has_vectors(c))
		return mrg_scan_each(p, end, c);
	if (!mrg_rare(p >= wide)) {
		const uint32_t out = mrg_out_16(p, c);
		if (!mrg_rare(out == 0))
			return p + __builtin_ctz(out);
		p += 16;
	}
	return mrg_scan_on(p, end, c);
}

/* The same for what is often a short word. */
static MRG_ALWAYS const uint8_t *mrg_scan_word(
	const uint8_t *p, const uint8_t *wide, const uint8_t *end, const struct mrg_class *c)
{
	if (!mrg_has_vectors(c))
		return mrg_scan_each(p, end, c);
	if (p < wide) {
		if (!mrg_in(p[0], c))
			return p;
		if (!mrg_in(p[1], c))
			return p + 1;
		if (!mrg_in(p[2], c))
			return p + 2;
		if (!mrg_in(p[3], c))
			return p + 3;
		p += 4;
	}
	return mrg_scan_on(p, end, c);
}

/* 64 octets from `at` on, or those that there are: which are not in a class. */
struct mrg_window {
	const uint8_t *at;
	uint64_t out;
};

/* Of the fewer than 64 octets from `at` to end, and of those beyond: which are not in the class. */
static MRG_SELDOM uint64_t mrg_out_last(
	const uint8_t *at, const uint8_t *begin, const uint8_t *end, const struct mrg_class *c)
{
	const size_t have = (size_t)(end - at);
	uint64_t out = UINT64_MAX << have;
	if (end - begin < 16) {
		for (size_t i = 0; i < have; i++)
			out |= (uint64_t)!mrg_in(at[i], c) << i;
		return out;
	}
#if defined(__AVX2__)
	if (end - begin >= 64)
		return mrg_out_64(end - 64, c) >> ((64 - have) & 63) | out;
#endif
	size_t i = 0;
	for (; have - i >= 16; i += 16)
		out |= (uint64_t)mrg_out_16(at + i, c) << i;
	if (i < have)
		out |= (uint64_t)(mrg_out_16(end - 16, c) >> (16 - (have - i))) << i;
	return out;
}

/* The first one. */
static MRG_ALWAYS struct mrg_window mrg_window(const uint8_t *begin, const uint8_t *end, const struct mrg_class *c)
{
	const size_t have = (size_t)(end - begin);
	if (!mrg_has_vectors(c))
		return (struct mrg_window){ begin, 0 };
	if (have >= 64)
		return (struct mrg_window){ begin, mrg_out_64(begin, c) };
	if (have >= 32)
		return (struct mrg_window){ begin,
			mrg_out_32(begin, c) | (uint64_t)mrg_out_32(end - 32, c) << (have - 32) | UINT64_MAX << have };
	return (struct mrg_window){ begin, mrg_out_last(begin, begin, end, c) };
}

/*
 * Looks for the end of a run from a place before it, over octets of its class.  Where windows are does not depend on
 * where runs begin and end: the next one is on its way before that is known.
 */
static MRG_ALWAYS const uint8_t *mrg_scan_ahead(struct mrg_window *w, const uint8_t *p, const uint8_t *begin,
	const uint8_t *end, const struct mrg_class *c)
{
	if (!mrg_has_vectors(c))
		return p;
	size_t in = (size_t)(p - w->at);
	uint64_t out = in < 64 ? w->out >> in : 0;
	while (mrg_rare(out == 0)) {
		w->at += 64;
		w->out = mrg_rare(end - w->at < 64) ? mrg_out_last(w->at, begin, end, c) : mrg_out_64(w->at, c);
		if (p < w->at)
			p = w->at;
		in = (size_t)(p - w->at);
		out = in < 64 ? w->out >> in : 0;
	}
	return p + __builtin_ctzll(out);
}

/* The end of the run that p is in, for which mrg_scan_ahead gave `ahead`. */
static MRG_ALWAYS const uint8_t *mrg_scan_rest(
	const uint8_t *p, const uint8_t *ahead, const uint8_t *end, const struct mrg_class *c)
{
	return mrg_has_vectors(c) ? ahead : mrg_scan_each(p, end, c);
}

#else

static inline const uint8_t *mrg_scan(
	const uint8_t *p, const uint8_t *wide, const uint8_t *end, const struct mrg_class *c)
{
	(void)wide;
	return mrg_scan_each(p, end, c);
}

static inline const uint8_t *mrg_scan_word(
	const uint8_t *p, const uint8_t *wide, const uint8_t *end, const struct mrg_class *c)
{
	return mrg_scan(p, wide, end, c);
}

/* Without vectors, nothing is looked for ahead. */
struct mrg_window {
	const uint8_t *at;
};

/*@ terminates \true; exits \false; assigns \nothing; */
static inline struct mrg_window mrg_window(const uint8_t *begin, const uint8_t *end, const struct mrg_class *c)
{
	(void)end;
	(void)c;
	return (struct mrg_window){ begin };
}

/*@ requires \valid(w);
    terminates \true; exits \false; assigns *w; */
static inline const uint8_t *mrg_scan_ahead(struct mrg_window *w, const uint8_t *p, const uint8_t *begin,
	const uint8_t *end, const struct mrg_class *c)
{
	*w = mrg_window(begin, end, c);
	return p;
}

static inline const uint8_t *mrg_scan_on(const uint8_t *p, const uint8_t *end, const struct mrg_class *c)
{
	return mrg_scan_each(p, end, c);
}

static inline const uint8_t *mrg_scan_rest(
	const uint8_t *p, const uint8_t *ahead, const uint8_t *end, const struct mrg_class *c)
{
	(void)ahead;
	return mrg_scan_each(p, end, c);
}

#endif

/* Where 16 octets can be read: at places before this one. */
static inline const uint8_t *mrg_wide(const uint8_t *begin, const uint8_t *end)
{
	return end - begin < 16 ? begin : end - 15;
}

#endif
