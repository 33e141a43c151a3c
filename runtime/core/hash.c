/*
 * SipHash-2-4 (J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF", 2012): names as there.
 */
#include "mrg_rt.h"

enum { C_ROUNDS = 2, D_ROUNDS = 4 };

static uint64_t rotate(uint64_t x, unsigned by) { return x << by | x >> (64u - by); }

static void rounds(uint64_t v[4], unsigned count)
{
	for (; count != 0; count--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static void take(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	rounds(v, C_ROUNDS);
	v[0] ^= word;
}

uint64_t mrg_rt_hash(const uint64_t key[2], struct mrg_span bytes)
{
	uint64_t v[4] = { key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
		key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573) };
	const size_t whole = bytes.len & ~(size_t)7u;
	for (size_t i = 0; i < whole; i += 8u)
		take(v, mrg_le64(bytes.p + i));
	uint64_t last = (uint64_t)bytes.len << 56; /* of the length only the lowest byte */
	for (size_t i = whole; i < bytes.len; i++)
		last |= (uint64_t)bytes.p[i] << 8u * (i - whole);
	take(v, last);
	v[2] ^= 0xff;
	rounds(v, D_ROUNDS);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
