/*
 * mrg_fuzz_exhaust.h - all inputs of a small scope, one after the other, instead of some by chance.
 *
 * Three parts, in this order:
 *	all octets       every input of up to so many octets
 *	the alphabet     longer ones, of octets that matter (struct mrg_fuzz_scope): for each length as many of the first of them as a
 *	                 share of the cases that are left has room for, down to two
 *	windows          inputs that the subject makes, with every value of two octets in a row, at each place
 *
 * Use:
 *	struct mrg_fuzz_exhaust e;
 *	mrg_fuzz_exhaust_begin(&e, subject, seed, 3, 1000000);
 *	while (mrg_fuzz_exhaust_next(&e, in, &len)) ...;
 */
#ifndef MRG_FUZZ_EXHAUST_H
#define MRG_FUZZ_EXHAUST_H

#include "mrg_fuzz.h"

enum {
	MRG_FUZZ_EXHAUST_OCTETS = 4, /* of which all inputs are tried, at most */
	MRG_FUZZ_EXHAUST_LEN = 64,   /* octets of the alphabet at most; two letters of that many have no end */
	MRG_FUZZ_EXHAUST_MADE = 4096 /* octets of a made input at most, of which windows are changed */
};

enum mrg_fuzz_part { MRG_FUZZ_ALL_OCTETS, MRG_FUZZ_ALPHABET, MRG_FUZZ_WINDOWS, MRG_FUZZ_PARTS };

struct mrg_fuzz_exhaust {
	const struct mrg_fuzz_subject *subject;
	const uint8_t *alphabet;
	size_t alphabet_n;
	uint64_t count[MRG_FUZZ_PARTS]; /* inputs of each; that of the windows only when there are as many */
	size_t len_max[MRG_FUZZ_PARTS]; /* octets, those of heads left out */
	/* where it is */
	enum mrg_fuzz_part part;
	size_t full, len, letters, head;
	uint64_t left; /* of the part at hand: cases for longer inputs, windows */
	bool fresh;    /* the input at hand is the first of its length */
	uint8_t digits[MRG_FUZZ_EXHAUST_LEN];
	struct mrg_rng rng;
	uint8_t made[MRG_FUZZ_EXHAUST_MADE];
	size_t made_len, place;
	uint32_t value;
};

/* octets: of which all inputs are tried; cases: of all longer ones together, at most. */
void mrg_fuzz_exhaust_begin(struct mrg_fuzz_exhaust *e, const struct mrg_fuzz_subject *subject, uint64_t seed, size_t octets,
	uint64_t cases);

/* Inputs of all parts. */
static inline uint64_t mrg_fuzz_exhaust_count(const struct mrg_fuzz_exhaust *e)
{
	return e->count[MRG_FUZZ_ALL_OCTETS] + e->count[MRG_FUZZ_ALPHABET] + e->count[MRG_FUZZ_WINDOWS];
}

/* The next input, of at most the subject's len_max octets.  False: that were all. */
bool mrg_fuzz_exhaust_next(struct mrg_fuzz_exhaust *e, uint8_t *out, size_t *len);

#endif
