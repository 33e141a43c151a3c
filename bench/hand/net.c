/* bench/hand/net.c - IPv4 and TCP headers by hand: see net.h. */
#include "bench/hand/net.h"

#include "bench/hand/load.h"

bool hand_ip4_check(const uint8_t *p, size_t len, struct hand_view *out)
{
	if (len < 20u)
		return false;
	size_t head = (size_t)(p[0] & 15u) * 4u, total = be16(p + 2);
	/* 0x45..0x4f: version 4 and ihl 5..15 in one comparison */
	if ((unsigned)p[0] - 0x45u > 10u || head > len || total < head || total > len)
		return false;
	*out = (struct hand_view){ p, head };
	return true;
}

/* Octets of the option at p, 0 when it is wrong. */
static inline size_t option_check(const uint8_t *p, size_t left)
{
	if (p[0] <= HAND_NOP)
		return 1;
	if (left < 2u)
		return 0;
	size_t n = p[1];
	if (n < 2u || n > left)
		return 0;
	switch (p[0]) {
	case HAND_MSS: return n == 4u ? n : 0;
	case HAND_SCALE: return n == 3u ? n : 0;
	case HAND_SACK_PERMITTED: return n == 2u ? n : 0;
	case HAND_SACK: return n >= 10u && n <= 34u && n % 8u == 2u ? n : 0;
	case HAND_TIMESTAMPS: return n == 10u ? n : 0;
	default: return n;
	}
}

bool hand_tcp_check(const uint8_t *p, size_t len, struct hand_view *out)
{
	if (len < 20u)
		return false;
	size_t head = (size_t)(p[12] >> 4) * 4u;
	if (head < 20u || head > len)
		return false;
	for (size_t i = 20; i < head;) {
		size_t n = option_check(p + i, head - i);
		if (n == 0)
			return false;
		i += n;
	}
	*out = (struct hand_view){ p, head };
	return true;
}
