/*
 * Ranges of sequence numbers in an array, in order and apart.
 */
#include <stddef.h>

#include "protocols/tcpip/tcp_ranges.h"

enum { RECENT = sizeof((struct tcp_ranges *)NULL)->recent, NONE = UINT8_MAX };

/* Ranges from `at` on move by one, up or down; those that were touched are followed. */
static void shift(struct tcp_ranges *s, unsigned at, int by)
{
	if (by > 0) {
		for (unsigned i = s->count; i > at; i--)
			s->r[i] = s->r[i - 1u];
		s->count++;
	} else {
		s->count--;
		for (unsigned i = at; i < s->count; i++)
			s->r[i] = s->r[i + 1u];
	}
	for (unsigned i = 0; i < RECENT; i++)
		if (by < 0 && s->recent[i] == at)
			s->recent[i] = NONE;
		else if (s->recent[i] != NONE && s->recent[i] >= at)
			s->recent[i] = (uint8_t)(s->recent[i] + by);
}

static void touch(struct tcp_ranges *s, unsigned at)
{
	unsigned i = 0;
	while (i < RECENT - 1u && s->recent[i] != at)
		i++;
	for (; i > 0; i--)
		s->recent[i] = s->recent[i - 1u];
	s->recent[0] = (uint8_t)at;
}

bool ranges_add(struct tcp_ranges *s, uint32_t left, uint32_t right)
{
	unsigned at = 0;
	while (at < s->count && seq_lt(s->r[at].right, left))
		at++;
	if (at == s->count || seq_lt(right, s->r[at].left)) {
		if (s->count == TCP_RANGES_MAX)
			return false;
		shift(s, at, 1);
		s->r[at] = (struct tcp_range){ left, right };
		touch(s, at);
		return true;
	}
	struct tcp_range *const r = &s->r[at];
	r->left = seq_min(r->left, left);
	r->right = seq_max(r->right, right);
	while (at + 1u < s->count && seq_le(s->r[at + 1u].left, r->right)) {
		r->right = seq_max(r->right, s->r[at + 1u].right);
		shift(s, at + 1u, -1);
	}
	touch(s, at);
	return true;
}

uint32_t ranges_take(struct tcp_ranges *s, uint32_t next)
{
	while (s->count != 0 && seq_le(s->r[0].left, next)) {
		next = seq_max(next, s->r[0].right);
		shift(s, 0, -1);
	}
	return next;
}

bool ranges_covers(const struct tcp_ranges *s, uint32_t left, uint32_t right)
{
	for (unsigned i = 0; i < s->count; i++)
		if (seq_le(s->r[i].left, left) && seq_le(right, s->r[i].right))
			return true;
	return false;
}

unsigned ranges_sack(const struct tcp_ranges *s, struct tcp_range *out, unsigned most)
{
	unsigned count = 0;
	bool told[TCP_RANGES_MAX] = { false };
	for (unsigned i = 0; i < RECENT && count < most; i++) {
		const unsigned at = s->recent[i];
		if (at >= s->count || told[at])
			continue;
		told[at] = true;
		out[count++] = s->r[at];
	}
	for (unsigned at = 0; at < s->count && count < most; at++)
		if (!told[at])
			out[count++] = s->r[at];
	return count;
}
