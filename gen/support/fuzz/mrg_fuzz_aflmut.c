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
	LEARNED = 1 << 16 /* inputs from which it learns what was reached, as long as there is more */
};

struct mutator {
	const struct mrg_fuzz_subject *s;
	struct mrg_rng rng;
	uint8_t *out;     /* len_max octets */
	uint32_t learned; /* inputs */
};

/* What AFL++ 4.04 calls. */
void *afl_custom_init(void *afl, unsigned seed);
size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t buf_size, uint8_t **out_buf, uint8_t *add_buf,
	size_t add_buf_size, size_t max_size);
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
	if (m->out != NULL)
		return m;
	free(m);
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
	if (mrg_rng_below(&m->rng, learns(m) ? MADE_EARLY : MADE_OF) == 0)
		n = m->s->make(m->s->ctx, &m->rng, m->out, cap);
	if (n == 0)
		n = m->s->mutate(m->s->ctx, &m->rng, in, len, other, other_len, m->out, cap);
	return n;
}

size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t buf_size, uint8_t **out_buf, uint8_t *add_buf,
	size_t add_buf_size, size_t max_size)
{
	struct mutator *const m = data;
	const size_t cap = least(max_size, m->s->len_max), len = least(buf_size, cap);
	size_t n = 0;
	if (mrg_rng_below(&m->rng, RAW_OF) != 0)
		n = by_subject(m, buf, len, add_buf, add_buf == NULL ? 0 : least(add_buf_size, cap), cap);
	if (n == 0) {
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

void afl_custom_deinit(void *data)
{
	struct mutator *const m = data;
	free(m->out);
	free(m);
}
