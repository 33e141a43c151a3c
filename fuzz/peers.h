/*
 * peers.h - subjects that hold what a generated check says of an input against what another library says of it.
 *
 * Inputs are those of a subject that `mrg fuzz` wrote; that one's own oracles are run first.  Where only one of both accepts an input,
 * the difference must be one of the table, each of which says by which clause it is right; any other is a find.
 */
#ifndef PEERS_H
#define PEERS_H

#include "mrg.h"
#include "mrg_fuzz.h"

enum { PEER_SAYS_MAX = 160 };

#ifndef PEERS_FORGET
#define PEERS_FORGET 0 /* so many of the differences that are known are forgotten: tests see them found again */
#endif

/* A difference that is known: what the one who refuses the input says of it, and who is right by what. */
struct peer_difference {
	const char *peer; /* a pattern (fnmatch) of the peer's words; NULL: it accepts the input */
	const char *ours; /* likewise of the check's */
	const char *clause;
};

struct peer_subject {
	const struct mrg_fuzz_subject *base;
	const char *peer; /* its name: "ldns" */
	/* Both: whether the input is accepted; if not, where and why. When `ours` accepts, *in becomes what it has taken, which is all that the peer sees. */
	bool (*ours)(struct mrg_span *in, char says[PEER_SAYS_MAX]);
	bool (*accepts)(struct mrg_span in, char says[PEER_SAYS_MAX]);
	const struct peer_difference *known;
	uint8_t *reached; /* a point for each of them */
	size_t known_n;
};

/* The functions of a subject whose ctx is a struct peer_subject; its points are the differences that are known. */
size_t peer_make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap);
size_t peer_mutate(void *ctx, struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other, size_t other_len,
	uint8_t *out, size_t cap);
size_t peer_smaller(void *ctx, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap);
void peer_run(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result);
void peer_show(void *ctx, const uint8_t *in, size_t len, FILE *to);
const char *peer_point(void *ctx, size_t point);

/* Where in the specification a check has refused something, outermost field first, and why: "Rr.type: forbidden value". */
void peer_says_reject(const struct mrg_reject *why, char says[PEER_SAYS_MAX]);

/* The subject `peer_NAME` of what is `ours`, NAME_accepts and NAME_known in a file. */
#define PEER_SUBJECT(title, name_, base_, len_max_)                                                                                          \
	static uint8_t name_##_reached[sizeof(name_##_known) / sizeof(name_##_known[0])];                                                    \
	static struct peer_subject name_##_ctx = { .base = base_, .peer = #name_, .ours = ours, .accepts = name_##_accepts,                  \
		.known = name_##_known, .reached = name_##_reached, .known_n = sizeof(name_##_known) / sizeof(name_##_known[0]) };           \
	extern const struct mrg_fuzz_subject peer_##name_;                                                                                   \
	const struct mrg_fuzz_subject peer_##name_ = { .name = title, .ctx = &name_##_ctx, .len_max = len_max_, .make = peer_make,           \
		.mutate = peer_mutate, .smaller = peer_smaller, .run = peer_run, .show = peer_show,                                          \
		.point_count = sizeof(name_##_known) / sizeof(name_##_known[0]), .point_name = peer_point, .reached = name_##_reached }

#endif
