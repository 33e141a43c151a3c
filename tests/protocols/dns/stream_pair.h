/*
 * stream_pair.h - two ends of a connection in one process: what one writes the other reads, in pieces that the test chooses.
 */
#ifndef TESTS_DNS_STREAM_PAIR_H
#define TESTS_DNS_STREAM_PAIR_H

#include "mrg_rt.h"

enum { STREAM_PAIR_ROOM = 1 << 16 }; /* octets under way in one direction */

struct stream_pair;

/* One end. */
struct stream_pair_end {
	struct mrg_stream stream;
	const struct stream_pair *pair;
	struct stream_pair_end *other;
	const struct mrg_stream_user *user;
	uint8_t octets[STREAM_PAIR_ROOM]; /* for it to read */
	size_t from, len;          /* which of them */
	size_t came;               /* octets that it has read in all */
	unsigned want;
	bool finished, closed; /* it has sent its end; it is gone */
};

struct stream_pair {
	struct stream_pair_end a, b;
	/* Octets that a read gives at most from `came` on, and that may be under way at a time; 0 is a fault of the test. */
	size_t (*most)(void *ctx, const struct stream_pair_end *reader);
	void *ctx;
	size_t room;
	bool broken; /* both ends are reset */
};

/* Connect two users; false: one refuses. */
bool stream_pair_open(struct stream_pair *p, const struct mrg_stream_user *a, const struct mrg_stream_user *b, uint64_t now_ns);

/* Tell of events, turn by turn, until none holds or `turns` are over. Returns whether something may still come. */
bool stream_pair_run(struct stream_pair *p, unsigned turns, uint64_t now_ns);

#endif
