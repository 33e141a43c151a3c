/*
 * tcp_seq.h - sequence numbers of TCP: arithmetic modulo 2^32 (RFC 9293 section 3.4).
 */
#ifndef MRG_TCPIP_TCP_SEQ_H
#define MRG_TCPIP_TCP_SEQ_H

#include <stdbool.h>
#include <stdint.h>

/* How far b is ahead of a; negative: behind.  Right while they are less than 2^31 apart. */
static inline int32_t seq_ahead(uint32_t a, uint32_t b) { return (int32_t)(b - a); }

static inline bool seq_lt(uint32_t a, uint32_t b) { return seq_ahead(a, b) > 0; }
static inline bool seq_le(uint32_t a, uint32_t b) { return seq_ahead(a, b) >= 0; }
static inline uint32_t seq_max(uint32_t a, uint32_t b) { return seq_lt(a, b) ? b : a; }
static inline uint32_t seq_min(uint32_t a, uint32_t b) { return seq_lt(a, b) ? a : b; }

/*
 * Whether a segment of `len` numbers from `seq` on may be taken by a receiver that waits for `next` and has a window of `window`: any of
 * them is in it (RFC 9293 section 3.10.7.4, whose four cases leave out a segment that reaches beyond the window on both sides).
 */
static inline bool seq_acceptable(uint32_t seq, uint32_t len, uint32_t next, uint32_t window)
{
	if (len == 0)
		return window == 0 ? seq == next : seq - next < window;
	return window != 0 && seq_lt(seq, next + window) && seq_lt(next, seq + len);
}

#endif
