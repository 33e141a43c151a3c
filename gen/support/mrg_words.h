/*
 * mrg_words.h - which word of a set this is; the set is known when the code is generated.
 *
 * For an enum of words (`enum Method : u8 words`) a generated header has
 *   enum mrg_<proto>_<enum> mrg_<proto>_<enum>_of(struct mrg_span word);
 *   struct mrg_span mrg_<proto>_<enum>_word(uint64_t value);
 * This header has what the first of them does.  A word is hashed, and compared with the one word
 * that has the same slot: the compiler has found multipliers that lead no two words of the set to
 * one slot.  Nothing outside the span is read.
 *
 * What it does not do: find prefixes; fold letters that are not ASCII.
 */
#ifndef MRG_WORDS_H
#define MRG_WORDS_H

#include "mrg.h"

/* Eight octets of a word, and 0x20 for each of them that is a letter whose case does not count. */
struct mrg_words_piece {
	uint64_t octets, cases; /* letters without case are small ones */
};

/* A slot. */
struct mrg_words_entry {
	struct mrg_words_piece first, last; /* the ends of the word, as in mrg_words_ends */
	uint32_t middle; /* what is between them, if there are more than 16: place in `middle` of the set */
	uint16_t value;
	uint8_t len; /* octets; 0: no word has this slot */
};

/* A set.  Who looks up gives it as a constant, so that it is part of the code. */
struct mrg_words {
	const struct mrg_words_entry *entries;
	const struct mrg_words_piece *middle;
	const uint64_t *multipliers; /* one for each group of words */
	unsigned shift;              /* the upper bits of the product are the slot */
	unsigned groups_mask;
	uint8_t least, most; /* octets of a word */
	bool nocase;
	bool whole; /* all octets are hashed, not only the ends */
};

struct mrg_words_ends {
	uint64_t first, last;
};

/*
 * The first and the last 8 octets; in words of 4 to 7 some of them twice, of 1 to 3 all in `first`.  The
 * highest octet of `last` is the last of the word.
 */
static inline struct mrg_words_ends mrg_words_ends(struct mrg_span s)
{
	if (s.len < 4) {
		const uint64_t end = s.p[s.len - 1];
		return (struct mrg_words_ends){ s.p[0] | (uint64_t)s.p[s.len / 2] << 8 | end << 16,
			end << 56 };
	}
	const size_t step = s.len < 8 ? s.len - 4 : 4;
	const uint8_t *const end = s.p + s.len - 4;
	return (struct mrg_words_ends){ mrg_le32(s.p) | (uint64_t)mrg_le32(s.p + step) << 32,
		mrg_le32(end - step) | (uint64_t)mrg_le32(end) << 32 };
}

/* Octets as they are hashed.  A few that are no letters may become the same: they are compared later. */
static inline uint64_t mrg_words_fold(const struct mrg_words *set, uint64_t v)
{
	if (!set->nocase)
		return v;
	return set->whole ? mrg_lower8(v) : v & 0xdfdfdfdfdfdfdfdfull;
}

static inline size_t mrg_words_slot(
	const struct mrg_words *set, struct mrg_span s, struct mrg_words_ends ends)
{
	const uint64_t last = mrg_words_fold(set, ends.last);
	uint64_t h = (mrg_words_fold(set, ends.first) + s.len) ^ (last << 29 | last >> 35);
	for (size_t i = 8; set->whole && i + 8 < s.len; i += 8)
		h = h * 0x9e3779b97f4a7c15ull ^ mrg_words_fold(set, mrg_le64(s.p + i));
	return (size_t)((h * set->multipliers[((last >> 56) + 4 * s.len) & set->groups_mask]) >> set->shift);
}

/* 0 if the octets are those of the piece. */
static inline uint64_t mrg_words_differ(const struct mrg_words_piece *want, uint64_t octets)
{
	return (octets | want->cases) ^ want->octets;
}

/* The value of a word, or 0. */
static inline uint16_t mrg_words_find(const struct mrg_words *set, struct mrg_span s)
{
	if (s.len < set->least || s.len > set->most)
		return 0;
	const struct mrg_words_ends ends = mrg_words_ends(s);
	const struct mrg_words_entry *const e = &set->entries[mrg_words_slot(set, s, ends)];
	uint64_t other = mrg_words_differ(&e->first, ends.first) | mrg_words_differ(&e->last, ends.last) |
			 (e->len ^ s.len);
	if (other != 0 || s.len <= 16)
		return other == 0 ? e->value : 0;
	const struct mrg_words_piece *want = set->middle + e->middle;
	for (size_t i = 8; i + 8 < s.len; i += 8)
		other |= mrg_words_differ(want++, mrg_le64(s.p + i));
	return other == 0 ? e->value : 0;
}

#endif
