/*
 * mrg_digits.h - numbers in text: from captures that are digits, and back.
 */
#ifndef MRG_DIGITS_H
#define MRG_DIGITS_H

#include "mrg.h"

/* Decimal digits as a number; UINT64_MAX when it is larger. */
static inline uint64_t mrg_digits_dec(struct mrg_span digits)
{
	uint64_t v = 0;
	for (size_t i = 0; i < digits.len; i++) {
		const unsigned d = (unsigned)digits.p[i] - '0';
		if (MRG_UNLIKELY(v > (UINT64_MAX - d) / 10u))
			return UINT64_MAX;
		v = v * 10u + d;
	}
	return v;
}

/* More hexadecimal digits behind those that are v; UINT64_MAX when the number is larger. */
static inline uint64_t mrg_digits_hex_more(uint64_t v, struct mrg_span digits)
{
	for (size_t i = 0; i < digits.len; i++) {
		const unsigned c = digits.p[i];
		if (MRG_UNLIKELY(v > UINT64_MAX >> 4))
			return UINT64_MAX;
		v = v << 4 | (c <= '9' ? c - '0' : (c | 32u) - 'a' + 10u);
	}
	return v;
}

/* The number in decimal, with zeros in front up to `width` digits. */
static inline void mrg_digits_put(struct mrg_w *w, uint64_t v, unsigned width)
{
	uint8_t b[20];
	size_t i = sizeof b;
	do {
		b[--i] = (uint8_t)('0' + v % 10u);
		v /= 10u;
	} while (v != 0 || (i != 0 && sizeof b - i < width));
	mrg_w_put_few(w, (struct mrg_span){ b + i, sizeof b - i });
}

/* The number in hexadecimal, 16 digits. */
static inline void mrg_digits_put_hex(struct mrg_w *w, uint64_t v)
{
	uint8_t b[16];
	for (size_t i = sizeof b; i-- > 0; v >>= 4)
		b[i] = (uint8_t)"0123456789abcdef"[v & 15u];
	mrg_w_put_few(w, (struct mrg_span){ b, sizeof b });
}

/* The same without zeros in front. */
static inline void mrg_digits_put_hex_short(struct mrg_w *w, uint64_t v)
{
	uint8_t b[16];
	size_t i = sizeof b;
	do {
		b[--i] = (uint8_t)"0123456789abcdef"[v & 15u];
		v >>= 4;
	} while (v != 0 && i != 0);
	mrg_w_put_few(w, (struct mrg_span){ b + i, sizeof b - i });
}

#endif
