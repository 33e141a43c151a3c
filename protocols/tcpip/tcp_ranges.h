/*
 * tcp_ranges.h - what has come out of order: ranges of sequence numbers, apart from each other, in order.
 *
 * There is a bound: a sender who leaves more holes than that has the pieces behind them refused (CVE-2018-5390).
 */
#ifndef MRG_TCPIP_TCP_RANGES_H
#define MRG_TCPIP_TCP_RANGES_H

#include "protocols/tcpip/tcp_seq.h"

enum { TCP_RANGES_MAX = 32 };

struct tcp_range {
	uint32_t left, right; /* the first number, and the one behind the last */
};

struct tcp_ranges {
	struct tcp_range r[TCP_RANGES_MAX];
	uint8_t count;
	uint8_t recent[3]; /* which were touched last, the latest first, for SACK (RFC 2018 section 4) */
};

/*
 * ranges_add - left..right has come; touching ranges become one.   Fails: false when it would be one too many; nothing is changed then.
 */
bool ranges_add(struct tcp_ranges *s, uint32_t left, uint32_t right);

/*
 * ranges_take - the first range has been reached: the number behind it is what is missed now.   Returns: `next`, or what is behind.
 */
uint32_t ranges_take(struct tcp_ranges *s, uint32_t next);

/* ranges_covers - whether all of left..right has come before. */
bool ranges_covers(const struct tcp_ranges *s, uint32_t left, uint32_t right);

/* ranges_sack - up to `most` ranges for the option SACK, the one touched last first.   Returns: how many. */
unsigned ranges_sack(const struct tcp_ranges *s, struct tcp_range *out, unsigned most);

#endif
