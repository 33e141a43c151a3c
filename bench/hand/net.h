/*
 * bench/hand/net.h - by hand: the checks that bench/specs/{ip4,tcp,elf}.mrg
 * ask for, in the best C that we can write.  The yardstick for generated code.
 *
 * Of the same shape as what the compiler makes: a check out of line gives a
 * view, whose fields are then read in line without looking again.  `walk` adds
 * up every field: generated code adds up the same.
 */
#ifndef BENCH_HAND_NET_H
#define BENCH_HAND_NET_H

#include "bench/hand/load.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hand_view {
	const uint8_t *p;
	size_t len;
};

enum { HAND_ELF_SIZE = 64 };
enum {
	HAND_NOP = 1,
	HAND_MSS = 2,
	HAND_SCALE = 3,
	HAND_SACK_PERMITTED = 4,
	HAND_SACK = 5,
	HAND_TIMESTAMPS = 8
};

bool hand_ip4_check(const uint8_t *p, size_t len, struct hand_view *out);
bool hand_tcp_check(const uint8_t *p, size_t len, struct hand_view *out);
bool hand_elf_check(const uint8_t *p, size_t len, struct hand_view *out);

static inline uint64_t hand_ip4_walk(const struct hand_view *v)
{
	const uint8_t *p = v->p;
	unsigned frag = be16(p + 6);
	uint64_t sum = (uint64_t)(p[0] >> 4) + (p[0] & 15u) + (p[1] >> 2) + (p[1] & 3u);

	sum += (uint64_t)be16(p + 2) + be16(p + 4);
	sum += (frag >> 15) + (frag >> 14 & 1u) + (frag >> 13 & 1u) + (frag & 0x1fffu);
	sum += (uint64_t)p[8] + p[9] + be16(p + 10) + be32(p + 12) + be32(p + 16);
	return sum + (v->len - 20u);
}

static inline uint64_t hand_option_walk(const uint8_t *p, size_t *len)
{
	uint64_t sum = p[0];

	if (p[0] <= HAND_NOP) {
		*len = 1;
		return sum;
	}
	*len = p[1];
	sum += p[1];
	switch (p[0]) {
	case HAND_MSS: return sum + be16(p + 2);
	case HAND_SCALE: return sum + p[2];
	case HAND_SACK_PERMITTED: return sum;
	case HAND_SACK:
		for (size_t i = 2; i < p[1]; i += 4)
			sum += be32(p + i);
		return sum;
	case HAND_TIMESTAMPS: return sum + be32(p + 2) + be32(p + 6);
	default: return sum + (uint64_t)(p[1] - 2u);
	}
}

static inline uint64_t hand_tcp_walk(const struct hand_view *v)
{
	const uint8_t *p = v->p;
	uint64_t sum = (uint64_t)be16(p) + be16(p + 2) + be32(p + 4) + be32(p + 8);
	size_t n;

	sum += (uint64_t)(p[12] >> 4) + (p[12] & 15u);
	sum += (p[13] & 1u) + (p[13] >> 1 & 1u) + (p[13] >> 2 & 1u) + (p[13] >> 3 & 1u);
	sum += (p[13] >> 4 & 1u) + (p[13] >> 5 & 1u) + (p[13] >> 6 & 1u) + (uint64_t)(p[13] >> 7);
	sum += (uint64_t)be16(p + 14) + be16(p + 16) + be16(p + 18);
	for (size_t i = 20; i < v->len; i += n)
		sum += hand_option_walk(p + i, &n);
	return sum;
}

static inline uint64_t hand_elf_walk(const struct hand_view *v)
{
	const uint8_t *p = v->p;
	uint64_t sum = (uint64_t)be32(p) + p[4] + p[5] + p[6] + p[7] + p[8];

	sum += (le32(p + 8) >> 8) + (uint64_t)le32(p + 12);
	sum += (uint64_t)le16(p + 16) + le16(p + 18) + le32(p + 20);
	sum += le64(p + 24) + le64(p + 32) + le64(p + 40) + le32(p + 48);
	for (size_t i = 52; i < HAND_ELF_SIZE; i += 2)
		sum += le16(p + i);
	return sum;
}

#endif
