/* bench/hand/tcpip.c - IPv4 and TCP as the stack reads them, by hand: see tcpip.h. */
#include "bench/hand/tcpip.h"

#include <string.h>

enum { IP4_MAX = 65535, USER_TIMEOUT = 28, MD5 = 19, AUTHENTICATION = 29, MPTCP = 30 };

static inline uint64_t carry(uint64_t a, uint64_t b)
{
	const uint64_t sum = a + b;
	return sum + (sum < a);
}

/* Words in the machine's order: it is all the same to a sum with carries taken round (RFC 1071 section 2). */
static inline uint64_t words8(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t words4(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

/* Folded it would be 0xffff: a multiple of that, and not 0. The first factor times 0xffff is 2^64 - 1. */
static inline bool all_ones(uint64_t sum)
{
	return ~(sum * 0x0001000100010001u) < 0x0001000100010001u;
}

bool hand_packet_check(const uint8_t *p, size_t len, struct hand_packet *out)
{
	if (len < 20u)
		return false;
	const size_t head = (size_t)(p[0] & 15u) * 4u, total = be16(p + 2);
	/* 0x45..0x4f: version 4 and ihl 5..15 in one comparison */
	if ((unsigned)p[0] - 0x45u > 10u || total < head || total > len)
		return false;
	if ((be16(p + 6) & 0x1fffu) * 8u + total > IP4_MAX)
		return false;
	uint64_t sum = carry(carry(words8(p), words8(p + 8)), words4(p + 16));
	for (size_t i = 20; i < head; i += 4)
		sum = carry(sum, words4(p + i));
	/* 0xffff is not what a sender makes of it, but adds up */
	if (!all_ones(sum) || be16(p + 10) == 0xffffu)
		return false;
	*out = (struct hand_packet){ p, head, total };
	return true;
}

/* Is n the size of an option of this kind? */
static inline bool size_ok(uint8_t kind, size_t n)
{
	switch (kind) {
	case HAND_MSS: return n == 4u;
	case HAND_SCALE: return n == 3u;
	case HAND_SACK_PERMITTED: return n == 2u;
	case HAND_SACK: return n % 8u == 2u && n <= 34u;
	case HAND_TIMESTAMPS: return n == 10u;
	case USER_TIMEOUT: return n == 4u;
	case MD5: return n == 18u;
	case AUTHENTICATION: return n >= 4u;
	case MPTCP: return n >= 3u;
	default: return true;
	}
}

bool hand_options_check(const struct hand_packet *v, struct hand_packet *out)
{
	const uint8_t *p = v->p + 20, *const end = v->p + v->head;

	while (p < end && *p != 0) {
		if (*p == HAND_NOP) {
			p++;
			continue;
		}
		if (end - p < 2)
			return false;
		const size_t n = p[1];
		if (n < 2u || n > (size_t)(end - p) || !size_ok(p[0], n))
			return false;
		p += n;
	}
	*out = (struct hand_packet){ v->p, (size_t)(p - v->p), v->len };
	return true;
}
