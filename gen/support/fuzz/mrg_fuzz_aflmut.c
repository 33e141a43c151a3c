/*
 * mrg_fuzz_aflmut.c - a subject's ways to make and to change inputs, as AFL++'s custom mutator (AFL_CUSTOM_MUTATOR_LIBRARY).
 *
 * The environment's MRG_FUZZ_SUBJECT says which subject; without it the first.  Build with -shared -fPIC.
 */
#include "mrg_fuzz_again.h"
#include "mrg_fuzz_havoc.h"

#include <stdlib.h>
#include <string.h>

enum {
	RAW_OF = 64,      /* 1 of so many is changed without knowing what octets mean */
	MADE_OF = 32,     /* 1 of so many is new */
	MADE_EARLY = 4,   /* likewise, while it learns */
	LONG = 1024,      /* octets of an input */
	LONG_OF = 16,     /* of longer ones 1 of so many is gone on from, times as often as it is longer */
	TRIMS = 48,       /* tries to make an input smaller */
	TRIMS_LONG = 8,   /* likewise a long one, each of which takes long */
	LEARNED = 1 << 16 /* inputs from which it learns what was reached, as long as there is more */
};

struct mutator {
	const struct mrg_fuzz_subject *s;
	struct mrg_rng rng;
	uint8_t *out;     /* len_max octets */
	uint32_t learned; /* inputs */
	/* of what is made smaller */
	uint8_t *trimmed;              /* as small as it is by now; len_max octets */
	size_t trimmed_len, tried_len; /* tried: what is in `out` */
	size_t way;
	int tries, tries_max;
};

/* What AFL++ 4.04 calls.  Of trimming, numbers of tries: how many at most, and how many there were. */
void *afl_custom_init(void *afl, unsigned seed);
size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t buf_size, uint8_t **out_buf, uint8_t *add_buf,
	size_t add_buf_size, size_t max_size);
int afl_custom_init_trim(void *data, uint8_t *buf, size_t buf_size);
size_t afl_custom_trim(void *data, uint8_t **out_buf);
int afl_custom_post_trim(void *data, unsigned char success);
void afl_custom_deinit(void *data);

void *afl_custom_init(void *afl, unsigned seed)
{
	struct mutator *const m = calloc(1, sizeof *m);
	(void)afl;
	if (m == NULL)
		return NULL;
	m->s = mrg_fuzz_subject_chosen();
	m->rng = mrg_rng_of(seed);
	m->out = malloc(m->s->len_max);
	m->trimmed = malloc(m->s->len_max);
	if (m->out != NULL && m->trimmed != NULL)
		return m;
	afl_custom_deinit(m);
	return NULL;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/*
 * Inputs are run in another process: what they reach there, those who make them would never know, and aim at all of it for ever, which
 * takes much longer than to make what comes.
 */
static bool learns(const struct mutator *m)
{
	return m->s->learn != NULL && m->learned < LEARNED &&
	       memchr(m->s->reached, 0, m->s->point_count) != NULL;
}

static size_t by_subject(
	struct mutator *m, const uint8_t *in, size_t len, const uint8_t *other, size_t other_len, size_t cap)
{
	size_t n = 0;
	if (len == 0 || mrg_rng_below(&m->rng, learns(m) ? MADE_EARLY : MADE_OF) == 0)
		n = m->s->make(m->s->ctx, &m->rng, m->out, cap);
	if (n == 0)
		n = m->s->mutate(m->s->ctx, &m->rng, in, len, other, other_len, m->out, cap);
	return n;
}

/*
 * As much of an input as there is room for; most of the time nothing of one that takes the time of many others, of which AFL++ keeps more than
 * of what is small: each has been somewhere more often.
 */
static size_t used_of(struct mutator *m, size_t len, size_t cap)
{
	return len > LONG && mrg_rng_below(&m->rng, len / LONG * LONG_OF) != 0 ? 0 : least(len, cap);
}

size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t buf_size, uint8_t **out_buf, uint8_t *add_buf,
	size_t add_buf_size, size_t max_size)
{
	struct mutator *const m = data;
	const size_t cap = least(max_size, m->s->len_max),
		     other_len = add_buf == NULL ? 0 : used_of(m, add_buf_size, cap);
	size_t len = used_of(m, buf_size, cap), n = 0;
	if (len == 0) {
		buf = add_buf;
		len = other_len;
	}
	if (mrg_rng_below(&m->rng, RAW_OF) != 0)
		n = by_subject(m, buf, len, add_buf, other_len, cap);
	if (n == 0) {
		if (len != 0)
			memcpy(m->out, buf, len);
		n = mrg_fuzz_havoc(&m->rng, m->out, len, cap);
	}
	if (learns(m)) {
		m->s->learn(m->s->ctx, m->out, n);
		m->learned++;
	}
	*out_buf = m->out;
	return n;
}

/* The next way to make it smaller.  false: there is none, or it was tried often enough. */
static bool try_smaller(struct mutator *m)
{
	for (; m->tries < m->tries_max; m->tries++, m->way++) {
		m->tried_len =
			m->s->smaller(m->s->ctx, m->way, m->trimmed, m->trimmed_len, m->out, m->s->len_max);
		if (m->tried_len == 0)
			break;
		if (m->tried_len < m->trimmed_len)
			return true;
	}
	return false;
}

/* By the subject's ways: AFL++'s own cuts octets out of what is then no message any more, and runs what is huge a thousand times. */
int afl_custom_init_trim(void *data, uint8_t *buf, size_t buf_size)
{
	struct mutator *const m = data;
	m->trimmed_len = least(buf_size, m->s->len_max);
	m->tries_max = buf_size > LONG ? TRIMS_LONG : TRIMS;
	m->tries = 0;
	m->way = 0;
	memcpy(m->trimmed, buf, m->trimmed_len);
	return m->s->smaller != NULL && try_smaller(m) ? m->tries_max : 0;
}

size_t afl_custom_trim(void *data, uint8_t **out_buf)
{
	struct mutator *const m = data;
	*out_buf = m->out;
	return m->tried_len;
}

/* After one that was taken, the same number is another way. */
int afl_custom_post_trim(void *data, unsigned char success)
{
	struct mutator *const m = data;
	m->tries++;
	if (success != 0) {
		memcpy(m->trimmed, m->out, m->tried_len);
		m->trimmed_len = m->tried_len;
	} else {
		m->way++;
	}
	return try_smaller(m) ? m->tries : m->tries_max;
}

void afl_custom_deinit(void *data)
{
	struct mutator *const m = data;
	free(m->trimmed);
	free(m->out);
	free(m);
}
