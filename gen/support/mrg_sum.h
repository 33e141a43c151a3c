/*
 * mrg_sum.h - checksums: RFC 1071's and CRCs.  A part of mrg.h, which includes it; the conventions are those stated there.
 */
#ifndef MRG_SUM_H
#define MRG_SUM_H

#include "mrg.h"

/* a + b with what is carried out added again: sums of 16-bit words in any byte order (RFC 1071 section 2) */
static inline uint64_t mrg_inet16_carry(uint64_t a, uint64_t b)
{
	const uint64_t sum = a + b;
	return sum + (sum < a ? 1u : 0u);
}

static inline uint32_t mrg_native32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t mrg_native64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

/* The words of whole blocks of 32 bytes; four sums, so that no addition waits for the one before. */
static MRG_UNUSED MRG_NOINLINE uint64_t mrg_inet16_blocks(const uint8_t *p, size_t count)
{
	uint64_t a = 0, b = 0, c = 0, d = 0;
	/*@ loop invariant 0 <= count <= \at(count, Pre) && p == \at(p, Pre) + 32 * (\at(count, Pre) - count);
	    loop assigns a, b, c, d, count, p; loop variant count; */
	for (; count != 0; count--, p += 32) {
		a = mrg_inet16_carry(a, mrg_native64(p));
		b = mrg_inet16_carry(b, mrg_native64(p + 8));
		c = mrg_inet16_carry(c, mrg_native64(p + 16));
		d = mrg_inet16_carry(d, mrg_native64(p + 24));
	}
	return mrg_inet16_carry(mrg_inet16_carry(a, b), mrg_inet16_carry(c, d));
}

/* The words of less than 8 bytes; an odd one is followed by a zero. */
static inline uint64_t mrg_inet16_few(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;
	if (len & 4u) {
		uint32_t v;
		memcpy(&v, p, sizeof v);
		sum += v;
		p += 4;
	}
	if (len & 2u) {
		uint16_t v;
		memcpy(&v, p, sizeof v);
		sum += v;
		p += 2;
	}
	if (len & 1u) {
		const uint8_t last[2] = { p[0], 0 };
		uint16_t v;
		memcpy(&v, last, sizeof v);
		sum += v;
	}
	return sum;
}

/* The words of any number of bytes, in the machine's order. */
static inline uint64_t mrg_inet16_words(const uint8_t *p, size_t len)
{
	uint64_t part = 0;
	if (len >= 64u) {
		part = mrg_inet16_blocks(p, len / 32u);
		p += len / 32u * 32u;
		len %= 32u;
	}
	/*@ loop invariant 0 <= len && mrg_span_at(p, len); loop assigns part, len, p; loop variant len; */
	for (; len >= 8u; len -= 8u, p += 8)
		part = mrg_inet16_carry(part, mrg_native64(p));
	if (len != 0)
		part = mrg_inet16_carry(part, mrg_inet16_few(p, len));
	return part;
}

/* The same for few, as a rule none, to go on from what stands before them. */
static inline uint64_t mrg_inet16_more(uint64_t sum, const uint8_t *p, size_t len)
{
	/*@ loop invariant 0 <= len && mrg_span_at(p, len); loop assigns sum, len, p; loop variant len; */
	for (; len >= 4u; len -= 4u, p += 4)
		sum = mrg_inet16_carry(sum, mrg_native32(p));
	return len != 0 ? mrg_inet16_carry(sum, mrg_inet16_few(p, len)) : sum;
}

/*
 * RFC 1071: add len bytes to a running one's complement sum; `odd` bytes came before.  The bytes are
 * added in the machine's order, which gives the same sum with its bytes in that order; and in such
 * sums exchanging the two bytes is a shift.  The sum is one of numbers, to which others that are
 * small may be added.
 */
static inline uint64_t mrg_inet16_add(uint64_t sum, const uint8_t *p, size_t len, size_t odd)
{
	const uint16_t one = 1;
	uint8_t little;
	memcpy(&little, &one, sizeof little);
	const uint64_t words = mrg_inet16_words(p, len), part = (words & 0xffffffffu) + (words >> 32);
	return sum + (part << ((little ^ (odd & 1u)) != 0 ? 8 : 0));
}

/*
 * Words, a right checksum among them, add up to all ones: in any byte order, and folded to 16 bits, which
 * is to say that the sum is a multiple of 0xffff, other than 0.  0x0001000100010001 times 0xffff is -1 in
 * 64 bits; so the product is -1 for 0xffff, -2 for twice that, and so on, and less for all other numbers.
 */
static inline bool mrg_inet16_ones(uint64_t sum)
{
	const uint64_t each = 0x0001000100010001u;
	return ~(sum * each) < each;
}

/* All words of from..to but the one at `hole` are zero: only then is 0xffff the checksum, not 0. */
static MRG_COLD MRG_UNUSED bool mrg_inet16_alone(const uint8_t *from, const uint8_t *to, const uint8_t *hole)
{
	const size_t before = (size_t)(hole - from), after = (size_t)(to - hole) - 2u;
	return mrg_inet16_add(mrg_inet16_add(0, from, before, 0), hole + 2, after, 0) == 0;
}

static inline uint16_t mrg_inet16_end(uint64_t sum)
{
	sum = (sum & 0xffffffffu) + (sum >> 32);
	const uint32_t words = (uint32_t)(sum + (sum >> 32));
	return (uint16_t)(~(words + (words << 16 | words >> 16)) >> 16);
}

/*
 * RFC 1624: the checksum after a 16-bit word of the data changed from `was` to `is`.  0 where all
 * words are zero now (a pseudo-header's, too), of which the full computation makes 0xffff.
 */
static inline uint16_t mrg_inet16_update(uint16_t sum, uint16_t was, uint16_t is)
{
	return mrg_inet16_end((uint64_t)(uint16_t)~sum + (uint16_t)~was + is);
}

/* reflected CRC, register in and out (start with ~0, complement at the end) */
static inline uint32_t mrg_crc32_add(uint32_t crc, const uint8_t *p, size_t len, uint32_t poly)
{
	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (unsigned b = 0; b < 8; b++)
			crc = crc >> 1 ^ (poly & (0u - (crc & 1u)));
	}
	return crc;
}
#define MRG_CRC32_POLY 0xedb88320u  /* IEEE 802.3 */
#define MRG_CRC32C_POLY 0x82f63b78u /* Castagnoli, RFC 9260 */

#endif
