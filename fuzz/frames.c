/* See frames.h. */
#include "fuzz/frames.h"

#include <string.h>

#include "fuzz/subject.h"

enum { LENGTH = 2, MESSAGE_MAX = 65535, FRAMES_MAX = 64 };

struct list {
	struct frame f[FRAMES_MAX];
	size_t n;
};

struct frame frames_next(const uint8_t *in, size_t len, size_t *at)
{
	const size_t left = len - *at;
	if (left < LENGTH) {
		*at = len;
		return (struct frame){ .p = NULL };
	}
	const size_t said = (size_t)in[*at] << 8 | in[*at + 1];
	const struct frame f = { in + *at + LENGTH, fuzz_least(said, left - LENGTH), said };
	*at += LENGTH + f.len;
	return f;
}

static struct list list_of(const uint8_t *in, size_t len)
{
	struct list l = { .n = 0 };
	size_t at = 0;
	while (at < len && l.n < FRAMES_MAX) {
		l.f[l.n] = frames_next(in, len, &at);
		l.n += l.f[l.n].p != NULL;
	}
	return l;
}

static void put_length(uint8_t *out, size_t said)
{
	out[0] = (uint8_t)(said >> 8);
	out[1] = (uint8_t)said;
}

/* Those of a list, one behind the other. */
static size_t write_all(const struct list *l, uint8_t *out, size_t cap)
{
	size_t len = 0;
	for (size_t i = 0; i < l->n && cap - len >= LENGTH + l->f[i].len; i++) {
		put_length(out + len, l->f[i].said);
		memcpy(out + len + LENGTH, l->f[i].p, l->f[i].len);
		len += LENGTH + l->f[i].len;
	}
	return len;
}

static void put_in(struct list *l, size_t at, struct frame f)
{
	if (l->n == FRAMES_MAX)
		return;
	memmove(&l->f[at + 1], &l->f[at], (l->n - at) * sizeof l->f[0]);
	l->f[at] = f;
	l->n++;
}

static void take_out(struct list *l, size_t at)
{
	l->n--;
	memmove(&l->f[at], &l->f[at + 1], (l->n - at) * sizeof l->f[0]);
}

size_t frames_make(const struct frames_maker *m, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	size_t len = 0;
	for (size_t left = 1 + (size_t)mrg_rng_below(rng, m->most); left != 0; left--) {
		if (cap - len < LENGTH + 1)
			break;
		const size_t n =
			m->make(rng, out + len + LENGTH, fuzz_least(cap - len - LENGTH, MESSAGE_MAX));
		put_length(out + len, n);
		len += LENGTH + n;
	}
	return len;
}

/* One message of a list is changed: what is behind it is moved. */
static size_t change_one(const struct frames_maker *m, struct mrg_rng *rng, const struct list *l, size_t at,
	const struct frame *other, uint8_t *out, size_t cap)
{
	struct list before = *l, behind = { .n = 0 };
	before.n = at;
	const size_t start = write_all(&before, out, cap);
	if (cap - start < LENGTH)
		return 0;
	const size_t n = m->change(rng, l->f[at].p, l->f[at].len, other->p, other->len, out + start + LENGTH,
		fuzz_least(cap - start - LENGTH, MESSAGE_MAX));
	if (n == 0)
		return 0;
	put_length(out + start, n);
	behind.n = l->n - at - 1;
	memcpy(behind.f, l->f + at + 1, behind.n * sizeof l->f[0]);
	return start + LENGTH + n + write_all(&behind, out + start + LENGTH + n, cap - start - LENGTH - n);
}

size_t frames_change(const struct frames_maker *m, struct mrg_rng *rng, const uint8_t *in, size_t len,
	const uint8_t *other, size_t other_len, uint8_t *out, size_t cap)
{
	static const struct frame none = { .p = (const uint8_t *)"" };
	struct list mine = list_of(in, len);
	const struct list others = list_of(other_len == 0 ? in : other, other_len);
	const struct frame *const from = others.n != 0 ? &others.f[mrg_rng_below(rng, others.n)] : &none;
	if (mine.n == 0)
		return 0;
	const size_t at = (size_t)mrg_rng_below(rng, mine.n);
	switch (mrg_rng_below(rng, 16)) {
	case 0: return 0;
	case 1: take_out(&mine, at); break;
	case 2: put_in(&mine, at, *from); break;
	case 3: put_in(&mine, at, mine.f[at]); break;
	case 4: /* two change places */ {
		const size_t to = (size_t)mrg_rng_below(rng, mine.n);
		const struct frame was = mine.f[at];
		mine.f[at] = mine.f[to];
		mine.f[to] = was;
		break;
	}
	case 5: /* a length that is wrong, of the last: others would be read as something else altogether */
		mine.f[mine.n - 1].said = (mine.f[mine.n - 1].said + mrg_rng_below(rng, 3)) & MESSAGE_MAX;
		break;
	case 6: mine.n = at + 1; break;
	case 7: {
		uint8_t *const end = out + cap;
		const size_t n = write_all(&mine, out, cap);
		const size_t room = (size_t)(end - (out + n));
		if (room < LENGTH + 1)
			return n;
		const size_t made = m->make(rng, out + n + LENGTH, fuzz_least(room - LENGTH, MESSAGE_MAX));
		put_length(out + n, made);
		return n + LENGTH + made;
	}
	default: return change_one(m, rng, &mine, at, from, out, cap);
	}
	return write_all(&mine, out, cap);
}

/* First without one of the messages, then with one of them smaller. */
size_t frames_smaller(
	const struct frames_maker *m, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
	enum { WAYS = 64 };
	struct list l = list_of(in, len);
	if (i < l.n) {
		take_out(&l, i);
		return write_all(&l, out, cap);
	}
	i -= l.n;
	const size_t at = i / WAYS;
	if (m->smaller == NULL || at >= l.n)
		return 0;
	struct list before = l, behind = l;
	before.n = at;
	const size_t start = write_all(&before, out, cap);
	if (cap - start < LENGTH)
		return 0;
	size_t n = m->smaller(i % WAYS, l.f[at].p, l.f[at].len, out + start + LENGTH, cap - start - LENGTH);
	if (n == 0) { /* there is no such way: the same again, so that the next message has its turn */
		n = l.f[at].len;
		if (cap - start - LENGTH < n)
			return 0;
		memcpy(out + start + LENGTH, l.f[at].p, n);
	}
	put_length(out + start, n);
	memmove(behind.f, l.f + at + 1, (l.n - at - 1) * sizeof l.f[0]);
	behind.n = l.n - at - 1;
	return start + LENGTH + n + write_all(&behind, out + start + LENGTH + n, cap - start - LENGTH - n);
}
