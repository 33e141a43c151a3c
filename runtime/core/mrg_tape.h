/*
 * mrg_tape.h - the last frames of a link, in and out, to be looked at when something has gone wrong.
 *
 * References: draft-ietf-opsawg-pcap, for what comes out (mrg_pcap.h).
 *
 * What it does not do: it writes no file (mrg_unix_tape_write does) and calls nothing of the system; its clock is the caller's.
 *
 * Use:
 *	mrg_tape_init(&tape, &arena, &(struct mrg_tape_options){ .cap = 256 << 10, .snap = 256 }, &tap.link, &loop.now_ns);
 *	mrg_tcpip_if_add(stack, &tape.link);	(instead of &tap.link, which costs nothing where there is no tape)
 *	...
 *	for (mrg_tape_first(&tape, &at); mrg_tape_next(&tape, &at, &frame);)
 *		mrg_rt_pcap_frame(&w, ahead_ns + frame.at_ns, frame.len, frame.kept);
 *
 * The tape is a link of its own in front of another one. It keeps frames as they are on that: a long one that the device cuts, or has
 * joined, is one frame, and a checksum that is left to the device is not there yet. What comes is kept before its user sees it, who may
 * write to it; what goes is kept once it has gone. All frames of a burst have the time of the burst.
 */
#ifndef MRG_TAPE_H
#define MRG_TAPE_H

#include "mrg_rt.h"

enum {
	MRG_TAPE_CAP_MIN = 16 << 10,  /* bytes */
	MRG_TAPE_SNAP_MIN = 64,
	MRG_TAPE_SNAP_MAX = 14 + 65535 + 3 /* the longest frame, and up to a multiple of eight */
};

struct mrg_tape_options {
	size_t cap;    /* bytes for all frames, at least MRG_TAPE_CAP_MIN; the oldest go when there are more */
	uint32_t snap; /* bytes that are kept of each; made such that two fit */
};

struct mrg_tape {
	struct mrg_link link; /* for whoever uses the other one otherwise */
	uint64_t seen;        /* frames that were ever kept */
	uint32_t snap;
	/* private */
	struct mrg_link *beneath;
	const uint64_t *now_ns;
	uint8_t *p;
	size_t cap, count;
	size_t first, next; /* where the oldest frame is, where one more goes */
	size_t end;         /* where those at the end of the ring end, if it has begun anew since */
};

size_t mrg_tape_memory(const struct mrg_tape_options *o); /* bytes of the arena that one takes */

/*
 * mrg_tape_init - an empty tape in front of `beneath`, whose frames it takes from here on.
 *   now_ns   a clock, right whenever frames come or go
 * Fails:    false when the arena is too small; the link beneath is as it was.   Lifetime: all stays in place as long as the link is used.
 */
bool mrg_tape_init(struct mrg_tape *t, struct mrg_arena *arena, const struct mrg_tape_options *o, struct mrg_link *beneath,
	const uint64_t *now_ns);

/* A frame on the tape, good until the next one comes or goes. */
struct mrg_tape_frame {
	uint64_t at_ns;       /* of the clock */
	uint32_t len;         /* bytes that it had */
	struct mrg_span kept; /* the first of them */
};

struct mrg_tape_at {
	size_t at, left; /* private */
};

/* mrg_tape_first, mrg_tape_next - all frames from the oldest on; false: that was the last one. */
void mrg_tape_first(const struct mrg_tape *t, struct mrg_tape_at *at);
bool mrg_tape_next(const struct mrg_tape *t, struct mrg_tape_at *at, struct mrg_tape_frame *out);

/*
 * mrg_tape_put - all of it as a capture file.   ahead_ns    what the time since 1970 is more than the clock
 * Fails:    as the writer does; MRG_RT_PCAP_BEGIN + mrg_tape_memory are enough.
 */
void mrg_tape_put(const struct mrg_tape *t, uint64_t ahead_ns, struct mrg_w *w);

#endif
