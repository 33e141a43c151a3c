/*
 * mrg_part.h - what messages and values consist of; for the generated readers of `message` and `value` rules.
 */
#ifndef MRG_PART_H
#define MRG_PART_H

#include "mrg.h"

/* A capture of a message or value in a buffer. */
struct mrg_capture {
	const uint8_t *p;
	uint32_t len;
	uint32_t what; /* which one */
};

/* What is to be written as this capture; less than 4 GiB. */
static inline struct mrg_capture mrg_capture_of(unsigned what, struct mrg_span text)
{
	const struct mrg_capture c = { .p = text.p, .len = (uint32_t)text.len, .what = what };
	return c;
}

/* Write a text and a capture behind it. */
static inline void mrg_part_put(struct mrg_w *w, struct mrg_span before, const struct mrg_capture *part)
{
	const size_t len = before.len + part->len;
	uint8_t *const q = mrg_w_take(w, len >= part->len ? len : SIZE_MAX);
	if (q == NULL)
		return;
	mrg_copy(q, before.p, before.len);
	mrg_copy(q + before.len, part->p, part->len);
}

/* A capture, or a piece of one that the input was cut in. */
struct mrg_part {
	const uint8_t *p; /* in the input that was given */
	size_t len;
	size_t cut; /* of the last piece: so many octets at the end of the pieces before do not belong to the capture */
	unsigned what; /* which capture */
	bool first, last;
};

/* Where a reader is in the capture that is open; part of each stream, private. */
struct mrg_part_state {
	size_t tail;   /* octets given since the place where it may have ended */
	unsigned open; /* the capture, from 1; 0: none */
	bool given;    /* some of it was */
	bool marked;   /* it may have ended, in this input or before */
};

/* The rest of a capture ends here: p[0..len-1]. */
static inline struct mrg_part mrg_part_last(
	struct mrg_part_state *s, unsigned what, const uint8_t *p, size_t len, size_t cut)
{
	const struct mrg_part part = { p, len, cut, what, !s->given, true };
	s->open = 0;
	return part;
}

/* The input ends, or has to be left, in a capture: a piece of it from `from` to `to`. True: there is one. */
static inline bool mrg_part_piece(struct mrg_part_state *s, const uint8_t *from, const uint8_t *to,
	const uint8_t *mark, struct mrg_part *out)
{
	if (s->open == 0 || from == to)
		return false;
	if (s->marked)
		s->tail = (size_t)(to - (mark != NULL ? mark : from)) + (mark != NULL ? 0 : s->tail);
	*out = (struct mrg_part){ from, (size_t)(to - from), 0, s->open - 1, !s->given, false };
	s->given = true;
	return true;
}

#endif
