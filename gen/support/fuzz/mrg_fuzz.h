/*
 * mrg_fuzz.h - what a fuzzer needs of something under test, whatever it is: a packet, a text, a machine, a server.
 *
 * A subject makes inputs, changes them, runs them against all that must hold of them, and knows the points of its specification that
 * inputs have reached.  Who drives it (the runner in this process, AFL++, libFuzzer) knows nothing else of it.
 *
 * Use:
 *	static const struct mrg_fuzz_subject *const subjects[] = { &udp_subject, NULL };
 *	int main(int argc, char **argv) { return mrg_fuzz_main(subjects, argc, argv); }
 */
#ifndef MRG_FUZZ_H
#define MRG_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Numbers by chance, the same for the same seed everywhere: xorshift64*. */
struct mrg_rng {
	uint64_t state; /* never 0 */
};

static inline uint64_t mrg_rng_next(struct mrg_rng *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * 0x2545f4914f6cdd1dull;
}

/* 0 .. n - 1; n is not 0. */
static inline uint64_t mrg_rng_below(struct mrg_rng *r, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)mrg_rng_next(r) * n) >> 64);
}

static inline struct mrg_rng mrg_rng_of(uint64_t seed)
{
	struct mrg_rng r = { seed * 0x9e3779b97f4a7c15ull + 0x632be59bd9b4e019ull };
	if (r.state == 0)
		r.state = 1;
	(void)mrg_rng_next(&r);
	return r;
}

enum mrg_fuzz_verdict {
	MRG_FUZZ_ACCEPTED,
	MRG_FUZZ_REFUSED, /* not a message, and all agree on that */
	MRG_FUZZ_WRONG    /* something that must hold does not: a find */
};

/* What one run said.  `why` and `key` are set when the verdict is MRG_FUZZ_WRONG. */
struct mrg_fuzz_result {
	enum mrg_fuzz_verdict verdict;
	char key[96];  /* the same for the same fault: finds are counted once by it */
	char why[400]; /* one line */
};

/*
 * What all inputs of a small scope are made of (mrg_fuzz_exhaust.h).  An input is one of the heads, which are head_len octets each, side
 * by side, and then octets: any, or those of the alphabet, each of which is in it once, those that matter most first.
 */
struct mrg_fuzz_scope {
	const uint8_t *alphabet, *heads;
	size_t alphabet_n, head_len, head_n;
};

/*
 * One thing under test.  ctx is its own; it has no other state, so that the same calls in the same order do the same.
 */
struct mrg_fuzz_subject {
	const char *name; /* "dns.message.Message" */
	void *ctx;
	size_t len_max; /* octets of an input */

	/* An input, valid as far as can be managed.  Returns its octets, at most cap; 0 when none was found this time. */
	size_t (*make)(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap);

	/*
	 * Another input from this one, and perhaps parts of `other`, which may be NULL when other_len is 0.  0: not by any way of its own
	 * this time; whoever drives it changes octets then.
	 */
	size_t (*mutate)(void *ctx, struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,
		size_t other_len, uint8_t *out, size_t cap);

	/* The i-th way to make it smaller without a change of what it is; 0 when there is no i-th.  May be NULL. */
	size_t (*smaller)(void *ctx, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap);

	/* Every oracle over in[0..len).  `in` ends, or begins, at a page that is not there.  Marks what it reaches in `reached`. */
	void (*run)(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result);

	/*
	 * Marks what an input reaches in `reached`, as run does, but for what only code under test tells: for who makes inputs that are run
	 * elsewhere.  Calls no code under test.  May be NULL.
	 */
	void (*learn)(void *ctx, const uint8_t *in, size_t len);

	/* The input as text for people: fields and values, or where it is refused and why. */
	void (*show)(void *ctx, const uint8_t *in, size_t len, FILE *to);

	/* Points of the specification: alternatives, constraints held and broken, codes of errors. */
	size_t point_count;
	const char *(*point_name)(void *ctx, size_t point); /* "rdata: MX" */
	uint8_t *reached;                                   /* [point_count + never_count], not 0: an input got there */

	/* Points that no input comes to, behind the others: what each is, and why. */
	const char *const *never;
	size_t never_count;

	const struct mrg_fuzz_scope *scope; /* NULL: no heads, and the alphabet of who asks */

	/* What cases are made of, as "packets", and how many of them there were in all that were run.  NULL: nobody counts. */
	const char *parts;
	const uint64_t *part_count;
};

/* The runner: see mrg_fuzz_main.c for its options.  Returns what main returns. */
int mrg_fuzz_main(const struct mrg_fuzz_subject *const *subjects, int argc, char **argv);

#endif
