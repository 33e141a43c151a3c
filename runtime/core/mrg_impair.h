/*
 * mrg_impair.h - what a bad link does to frames: when they arrive, how often, and in which state, if at all.
 *
 * References: RFC 8085 section 3.1 and RFC 9293 section 3.8 say what protocols must cope with; E. N. Gilbert, "Capacity of a burst-noise channel", 1960.
 *
 * What it does not do: it keeps no frames and knows no clock. Whoever calls it keeps each copy until it is due.
 *
 * Use:
 *	const struct mrg_impair_options bad = { .loss_ppm = 50000, .delay_ns = 20000000 };
 *	struct mrg_impair way;			(one for each direction)
 *	struct mrg_impair_copy copies[MRG_IMPAIR_COPIES];
 *	mrg_impair_init(&way, seed, 0);
 *	count = mrg_impair_frame(&way, &bad, frame.len, now_ns, copies);
 *	for each copy: keep a copy of the frame; mrg_impair_alter(&copies[i], kept); hand kept, copies[i].len on at copies[i].at_ns
 *
 * The same seed, options, lengths and times give the same fates. Each frame draws equally many random numbers, so that more of one
 * evil changes nothing of the others: with a higher loss, all those are lost that were lost before, and some more.
 */
#ifndef MRG_IMPAIR_H
#define MRG_IMPAIR_H

#include <stddef.h>

#include "core/mrg_random.h"

enum { MRG_IMPAIR_COPIES = 2 };

/* All zero: a perfect link. Parts of a million frames (ppm) meet each evil. */
struct mrg_impair_options {
	uint32_t loss_ppm;        /* lost, each frame by itself */
	uint32_t burst_begin_ppm; /* with which bad times begin (Gilbert's channel), */
	uint32_t burst_end_ppm;   /* and end, each by one frame; */
	uint32_t burst_loss_ppm;  /* lost in them; 0: all */
	uint32_t duplicate_ppm;   /* arrive twice */
	uint32_t reorder_ppm;     /* are overtaken by later ones: they take up to reorder_ns longer */
	uint32_t corrupt_ppm;     /* one bit is another, which every Internet checksum over it finds */
	uint32_t truncate_ppm;    /* only a first part arrives, */
	uint32_t truncate_least;  /* at least so many bytes of it */
	uint64_t reorder_ns;
	uint64_t delay_ns;        /* of all, */
	uint64_t jitter_ns;       /* and up to so much more; they stay in order */
	uint64_t rate_bps;        /* bits a second; 0: no limit */
	uint32_t queue_len;       /* bytes that may wait for the line; 0: no limit */
};

struct mrg_impair_counts {
	uint64_t frames, bytes;                   /* that were to be carried */
	uint64_t lost, lost_in_bursts, overflows; /* by themselves; in bad times; no room in the queue */
	uint64_t duplicated, reordered, corrupted, truncated;
};

struct mrg_impair {
	struct mrg_impair_counts counts;
	/* private */
	struct mrg_random random;
	uint64_t free_ns; /* when the line will be free */
	uint64_t last_ns; /* no frame that stays in order arrives earlier */
	bool bad_times;
};

/* One arrival of a frame. */
struct mrg_impair_copy {
	uint64_t at_ns;
	size_t len;      /* bytes of the frame that arrive */
	size_t flip_bit; /* which is another, counted from the first byte's lowest; >= 8 * len: none */
	bool altered;    /* is it not what was sent? */
};

/* mrg_impair_init - a direction of a link.   stream    as of mrg_random_init */
void mrg_impair_init(struct mrg_impair *i, uint64_t seed, uint64_t stream);

/*
 * mrg_impair_frame - what becomes of a frame of `len` bytes that is sent now.   Returns how often it arrives, 0..MRG_IMPAIR_COPIES.
 */
size_t mrg_impair_frame(struct mrg_impair *i, const struct mrg_impair_options *o, size_t len, uint64_t now_ns,
	struct mrg_impair_copy out[MRG_IMPAIR_COPIES]);

/* mrg_impair_alter - make of the frame at p what arrives as this copy. */
void mrg_impair_alter(const struct mrg_impair_copy *c, uint8_t *p);

#endif
