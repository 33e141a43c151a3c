/*
 * mrg_random.h - numbers that look random and come the same again from the same seed: for simulations and tests.
 *
 * References: D. Blackman, S. Vigna, "Scrambled linear pseudorandom number generators", 2021 (xoshiro256++); G. Steele et al., "Fast
 * splittable pseudorandom number generators", 2014 (SplitMix64, which makes a state of a seed).
 *
 * What it does not do: it keeps no secret. Whoever sees some of the numbers can tell all that follow.
 *
 * Use:
 *	struct mrg_random r;
 *	mrg_random_init(&r, 42, 0);
 *	if (mrg_random_hits(&r, 10000)) ...	(in 1 of 100 cases)
 */
#ifndef MRG_RANDOM_H
#define MRG_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct mrg_random {
	uint64_t s[4]; /* never all zero */
};

enum { MRG_RANDOM_MILLION = 1000000 };

/*
 * mrg_random_init - begin one of many sequences.   stream    which; those of one seed have nothing to do with each other
 */
void mrg_random_init(struct mrg_random *r, uint64_t seed, uint64_t stream);

uint64_t mrg_random_next(struct mrg_random *r);

/* mrg_random_below - a number in 0..n-1, each as likely as the others but for n in 2^64 parts; 0 when n is 0.  One number is drawn. */
uint64_t mrg_random_below(struct mrg_random *r, uint64_t n);

/* mrg_random_hits - true in `ppm` of a million cases.  One number is drawn, and who hits at some ppm hits at more. */
bool mrg_random_hits(struct mrg_random *r, uint32_t ppm);

#endif
