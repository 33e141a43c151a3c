/*
 * frames.h - inputs that are a list of messages, each behind its length in two octets: made, changed and made smaller a message at a time,
 * by whoever knows what a message is.
 */
#ifndef FUZZ_FRAMES_H
#define FUZZ_FRAMES_H

#include "mrg_fuzz.h"

struct frames_maker {
	size_t most; /* messages */
	size_t (*make)(struct mrg_rng *rng, uint8_t *out, size_t cap);
	size_t (*change)(struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other, size_t other_len, uint8_t *out,
		size_t cap);
	size_t (*smaller)(size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap); /* may be NULL */
};

/* One of them; p is NULL behind the last.  The last may be shorter than its length says: all that is there then. */
struct frame {
	const uint8_t *p;
	size_t len, said;
};

/* The frame at *at, which moves behind it. */
struct frame frames_next(const uint8_t *in, size_t len, size_t *at);

size_t frames_make(const struct frames_maker *m, struct mrg_rng *rng, uint8_t *out, size_t cap);
size_t frames_change(const struct frames_maker *m, struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,
	size_t other_len, uint8_t *out, size_t cap);
size_t frames_smaller(const struct frames_maker *m, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap);

/* What changes a subject's inputs and makes them smaller, by a struct frames_maker. */
#define FRAMES_WAYS(maker)                                                                                              \
	static size_t mutate(void *ctx, struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,       \
		size_t other_len, uint8_t *out, size_t cap)                                                             \
	{                                                                                                               \
		(void)ctx;                                                                                              \
		return frames_change(&(maker), rng, in, len, other, other_len, out, cap);                               \
	}                                                                                                               \
	static size_t smaller(void *ctx, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap)             \
	{                                                                                                               \
		(void)ctx;                                                                                              \
		return frames_smaller(&(maker), i, in, len, out, cap);                                                  \
	}

#endif
