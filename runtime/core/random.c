/*
 * Numbers from a seed: SplitMix64 for the state, xoshiro256++ from there.
 */
#include "core/mrg_random.h"

static uint64_t split_mix(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t v = *state;
	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

static uint64_t turned(uint64_t v, unsigned bits) { return v << bits | v >> (64u - bits); }

void mrg_random_init(struct mrg_random *r, uint64_t seed, uint64_t stream)
{
	uint64_t state = seed;
	state = split_mix(&state) ^ stream;
	for (unsigned i = 0; i < 4; i++)
		r->s[i] = split_mix(&state);
}

uint64_t mrg_random_next(struct mrg_random *r)
{
	uint64_t *const s = r->s;
	const uint64_t result = turned(s[0] + s[3], 23) + s[0], shifted = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = turned(s[3], 45);
	return result;
}

uint64_t mrg_random_below(struct mrg_random *r, uint64_t n)
{
	/* the upper 64 bits of the product of two numbers of 64 bits, by halves */
	const uint64_t v = mrg_random_next(r), v1 = v >> 32, v0 = v & UINT32_MAX;
	const uint64_t n1 = n >> 32, n0 = n & UINT32_MAX;
	const uint64_t low = v0 * n0, mid = v1 * n0 + (low >> 32), mid2 = v0 * n1 + (mid & UINT32_MAX);
	return v1 * n1 + (mid >> 32) + (mid2 >> 32);
}

bool mrg_random_hits(struct mrg_random *r, uint32_t ppm)
{
	return mrg_random_below(r, MRG_RANDOM_MILLION) < ppm;
}
