/*
 * The functions that compilers call by themselves, for both parts of the image: each is linked with its own. Words of 8 octets, since
 * the monitor has no wider registers; the last word overlaps the one before it, so that no octets are left over.
 */
#include "mrg.h"

typedef uint64_t __attribute__((aligned(1), may_alias)) word; /* anywhere */

enum { WORD = sizeof(word) };

static inline word *words(uint8_t *p) { return (word *)(void *)p; }
static inline word load(const uint8_t *p) { return *(const word *)(const void *)p; }

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
	uint8_t *const t = to;
	const uint8_t *const f = from;
	size_t at = 0;
	if (len < WORD) {
		for (; at < len; at++)
			t[at] = f[at];
		return to;
	}
	for (; len - at > WORD; at += WORD)
		*words(t + at) = load(f + at);
	*words(t + len - WORD) = load(f + len - WORD);
	return to;
}

void *memset(void *to, int octet, size_t len)
{
	uint8_t *const t = to;
	const word all = (uint8_t)octet * UINT64_C(0x0101010101010101);
	size_t at = 0;
	if (len < WORD) {
		for (; at < len; at++)
			t[at] = (uint8_t)octet;
		return to;
	}
	for (; len - at > WORD; at += WORD)
		*words(t + at) = all;
	*words(t + len - WORD) = all;
	return to;
}

/* The last word of what lies behind is read before it may be written over, and likewise the first. */
void *memmove(void *to, const void *from, size_t len)
{
	uint8_t *const t = to;
	const uint8_t *const f = from;
	if (len < WORD) {
		uint8_t kept[WORD];
		for (size_t i = 0; i < len; i++)
			kept[i] = f[i];
		for (size_t i = 0; i < len; i++)
			t[i] = kept[i];
		return to;
	}
	const word first = load(f), last = load(f + len - WORD);
	if ((uintptr_t)t - (uintptr_t)f >= len)
		for (size_t at = WORD; at < len - WORD; at += WORD)
			*words(t + at) = load(f + at);
	else
		for (size_t at = len - WORD; at > WORD; at -= WORD)
			*words(t + at - WORD) = load(f + at - WORD);
	*words(t) = first;
	*words(t + len - WORD) = last;
	return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const uint8_t *const x = a, *const y = b;
	size_t i = 0;
	while (len - i >= WORD && load(x + i) == load(y + i))
		i += WORD;
	for (; i < len; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}
