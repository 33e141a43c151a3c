/*
 * bench/hand/tcpip.h - by hand: what protocols/tcpip asks of a header before it believes it (specs/net/{ip4,tcp}.mrg), in the best C
 * that we can write.
 *
 * Of the same shape as what the compiler makes: a check gives a view, whose fields are read in line without looking again.
 */
#ifndef BENCH_HAND_TCPIP_H
#define BENCH_HAND_TCPIP_H

#include "bench/hand/load.h"
#include "bench/hand/net.h"

struct hand_packet {
	const uint8_t *p;
	size_t head, len; /* octets of the header, and of all */
};

/* RFC 791 section 3.1, with the sum of the header. */
bool hand_packet_check(const uint8_t *p, size_t len, struct hand_packet *out);

/* RFC 9293 section 3.1: the header without its options. */
static inline bool hand_segment_check(const uint8_t *p, size_t len, struct hand_packet *out)
{
	if (len < 20u)
		return false;
	const size_t head = (size_t)(p[12] >> 4) * 4u;
	if (head < 20u || head > len)
		return false;
	*out = (struct hand_packet){ p, head, len };
	return true;
}

enum { HAND_USUAL_LEN = 12, HAND_USUAL = 0x0101080a };

/* NOP NOP timestamps (RFC 7323 appendix A), and nothing else. */
static inline bool hand_usual_options(const struct hand_packet *v)
{
	return v->head == 20u + HAND_USUAL_LEN && be32(v->p + 20) == HAND_USUAL;
}

/* Any options, as far as the end of the list (RFC 9293 section 3.2): out->head is where that is. */
bool hand_options_check(const struct hand_packet *v, struct hand_packet *out);

#endif
