/*
 * canary.c - subjects with a fault planted in each, to prove that whoever drives subjects would see one.
 *
 * All read the same little message: a tag ('C' or 'N'), a length, so many octets.  A fault shows only in messages tagged 'C' whose first
 * octet of data is above 0x7f, or only in one of all inputs (canary.rare); canary.clean has none.  What canary.grows does is no find: the
 * last line of a run has it.
 */
#include "mrg_fuzz_again.h"

#include <stdlib.h>
#include <string.h>

enum { DATA_MAX = 255, LEN_MAX = 2 + DATA_MAX, ENDLESS = 2000000000 };

enum fault {
	CLEAN,
	OVER_READ,
	UNDER_READ,
	OVER_WRITE,
	UNDER_WRITE,
	ENDS_LATE,
	WRONG,
	ABORTS,
	HEAP,
	RECURSES,
	MUTATES,
	RARE,
	GROWS
};

enum point { TAG_C, TAG_N, NO_TAG, TOO_SHORT, TOO_LONG, EMPTY, LONG, HIGH, POINTS };

static const char *const point_names[POINTS] = { "tag: C", "tag: N", "error: tag", "error: too short",
	"error: too long", "data: none", "data: 100 octets or more", "data: high" };

/* What a subject has of its own. */
struct canary {
	enum fault fault;
	struct mrg_guard out; /* opened when it is first needed */
	uint8_t reached[POINTS];
};

/* What is read or written for no other reason is not optimised away. */
static volatile uint32_t sink;

static size_t make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	(void)ctx;
	const size_t n = (size_t)mrg_rng_below(rng, mrg_rng_below(rng, 8) == 0 ? DATA_MAX + 1 : 12);
	if (cap < 2 + n)
		return 0;
	out[0] = mrg_rng_below(rng, 2) == 0 ? 'C' : 'N';
	out[1] = (uint8_t)n;
	for (size_t i = 0; i < n; i++)
		out[2 + i] = (uint8_t)mrg_rng_next(rng);
	return 2 + n;
}

static size_t mutate(void *ctx, struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,
	size_t other_len, uint8_t *out, size_t cap)
{
	const struct canary *const c = ctx;
	if (len == 0 || len > cap)
		return 0;
	memcpy(out, in, len);
	if (c->fault == MUTATES && len > 2)
		((volatile uint8_t *)out)[cap] = 0;
	/* The end of another, with a length that is right; else one octet. */
	if (len > 2 && other_len > 2 && mrg_rng_below(rng, 2) == 0) {
		const size_t keep = 2 + (size_t)mrg_rng_below(rng, len - 2);
		const size_t room = (cap < LEN_MAX ? cap : LEN_MAX) - keep;
		const size_t n = other_len - 2 < room ? other_len - 2 : room;
		memcpy(out + keep, other + 2, n);
		out[1] = (uint8_t)(keep + n - 2);
		return keep + n;
	}
	out[mrg_rng_below(rng, len)] = (uint8_t)mrg_rng_next(rng);
	return len;
}

/* The i-th octet of data left out. */
static size_t smaller(void *ctx, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
	(void)ctx;
	if (len < 3 || i >= len - 2 || len > cap)
		return 0;
	memcpy(out, in, 2 + i);
	memcpy(out + 2 + i, in + 3 + i, len - 3 - i);
	out[1]--;
	return len - 1;
}

static uint32_t sum(const uint8_t *p, size_t len)
{
	uint32_t s = 0;
	for (size_t i = 0; i < len; i++)
		s += p[i];
	return s;
}

/* Bit by bit, so that there is something to be wrong about; a set bit too many when the first is a high octet. */
static uint32_t sum_again(const uint8_t *p, size_t len, bool wrong)
{
	uint32_t s = wrong ? 1 : 0;
	for (size_t i = 0; i < len; i++)
		for (unsigned bit = 0; bit < 8; bit++)
			s += p[i] & 1u << bit;
	return s;
}

static void copy_out(struct canary *c, const uint8_t *p, size_t n, bool too_far, bool too_early)
{
	if (c->out.first == NULL && !mrg_guard_open(&c->out, DATA_MAX))
		return;
	uint8_t *const end = mrg_guard_room_end(&c->out, n);
	memcpy(end, p, n);
	if (too_far)
		((volatile uint8_t *)end)[n] = 0;
	volatile uint8_t *const begin = mrg_guard_room_begin(&c->out, n);
	if (too_early)
		*(begin - 1) = 0;
}

static void over_heap(const uint8_t *p, size_t n)
{
	volatile uint8_t *const copy = malloc(n);
	if (copy == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		copy[i] = p[i];
	sink += copy[n]; /* only a sanitizer sees it */
	free((void *)(uintptr_t)copy);
}

static uint32_t recurse(uint32_t depth)
{
	volatile uint8_t much[1000];
	much[0] = (uint8_t)depth;
	return depth == UINT32_MAX ? 0 : recurse(depth + 1) + much[0]; /* NOLINT(misc-no-recursion) */
}

struct kept {
	struct kept *before;
	uint8_t much[56];
};

/* Memory that is never given back. */
static void keep(void)
{
	static struct kept *last;
	struct kept *const one = calloc(1, sizeof *one);
	if (one == NULL)
		return;
	one->before = last;
	last = one;
}

static void spring(struct canary *c, const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	volatile const uint8_t *const p = in;
	switch (c->fault) {
	case OVER_READ: sink += p[len]; break;
	case UNDER_READ: sink += *(p - 1); break;
	case OVER_WRITE: copy_out(c, in + 2, len - 2, true, false); break;
	case UNDER_WRITE: copy_out(c, in + 2, len - 2, false, true); break;
	case HEAP: over_heap(in, len); break;
	case ABORTS: abort();
	case GROWS: keep(); break;
	case RECURSES: sink += recurse(sink & 1); break;
	case ENDS_LATE:
		for (volatile uint32_t i = 0; i < ENDLESS; i++)
			;
		break;
	case WRONG:
		if (sum(in + 2, len - 2) == sum_again(in + 2, len - 2, true))
			break;
		result->verdict = MRG_FUZZ_WRONG;
		(void)snprintf(result->key, sizeof result->key, "sums differ");
		(void)snprintf(result->why, sizeof result->why,
			"the sum of %zu octets is another bit by bit */", len - 2);
		break;
	case MUTATES:
	case RARE:
	case CLEAN: break;
	}
}

/* Marks a point; says whether it is reached. */
static bool at(struct canary *c, enum point point, bool reached)
{
	if (reached)
		c->reached[point] = 1;
	return reached;
}

static bool is_message(struct canary *c, const uint8_t *in, size_t len)
{
	if (at(c, TOO_SHORT, len < 2 || len - 2 < in[1]) || at(c, TOO_LONG, len - 2 > in[1]))
		return false;
	if (at(c, NO_TAG, in[0] != 'C' && in[0] != 'N'))
		return false;
	(void)at(c, in[0] == 'C' ? TAG_C : TAG_N, true);
	(void)at(c, EMPTY, len == 2);
	(void)at(c, LONG, len >= 102);
	return true;
}

/* One input that nobody comes to by chance. */
static void spring_rarely(const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	if (len != 2 || in[0] != 0x9d || in[1] != 0xe3)
		return;
	result->verdict = MRG_FUZZ_WRONG;
	(void)snprintf(result->key, sizeof result->key, "rare");
	(void)snprintf(result->why, sizeof result->why, "the one input of two octets that is wrong");
}

static void run(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	struct canary *const c = ctx;
	result->verdict = MRG_FUZZ_REFUSED;
	if (c->fault == RARE)
		spring_rarely(in, len, result);
	if (!is_message(c, in, len))
		return;
	result->verdict = MRG_FUZZ_ACCEPTED;
	sink += sum(in + 2, len - 2);
	if (c->fault == OVER_WRITE || c->fault == UNDER_WRITE)
		copy_out(c, in + 2, len - 2, false, false);
	if (in[0] == 'C' && len > 2 && at(c, HIGH, in[2] > 0x7f))
		spring(c, in, len, result);
}

static void show(void *ctx, const uint8_t *in, size_t len, FILE *to)
{
	(void)ctx;
	if (len < 2 || len - 2 != in[1]) {
		(void)fprintf(to, "%zu octets, not a message\n", len);
		return;
	}
	(void)fprintf(to, "tag %#x, length %u, data", in[0], in[1]);
	for (size_t i = 2; i < len; i++)
		(void)fprintf(to, " %02x", in[i]);
	(void)fputc('\n', to);
}

static const char *point_name(void *ctx, size_t point)
{
	(void)ctx;
	return point_names[point];
}

#define CANARY(id, what)                                                                                     \
	static struct canary id = { .fault = what };                                                         \
	static const struct mrg_fuzz_subject id##_subject = { .name = "canary." #id,                         \
		.ctx = &id,                                                                                  \
		.len_max = LEN_MAX,                                                                          \
		.make = make,                                                                                \
		.mutate = mutate,                                                                            \
		.smaller = smaller,                                                                          \
		.run = run,                                                                                  \
		.show = show,                                                                                \
		.point_count = POINTS,                                                                       \
		.point_name = point_name,                                                                    \
		.reached = id.reached }

CANARY(clean, CLEAN);
CANARY(over_read, OVER_READ);
CANARY(under_read, UNDER_READ);
CANARY(over_write, OVER_WRITE);
CANARY(under_write, UNDER_WRITE);
CANARY(endless, ENDS_LATE);
CANARY(wrong, WRONG);
CANARY(aborts, ABORTS);
CANARY(heap, HEAP);
CANARY(recurses, RECURSES);
CANARY(mutates, MUTATES);
CANARY(rare, RARE);
CANARY(grows, GROWS);

/* It claims of what it reaches that nobody can. */
static struct canary untrue = { .fault = CLEAN };
static const char *const untrue_never[] = { "high data: cannot be reached: so it says" };
static const struct mrg_fuzz_subject untrue_subject = { .name = "canary.untrue",
	.ctx = &untrue,
	.len_max = LEN_MAX,
	.make = make,
	.mutate = mutate,
	.smaller = smaller,
	.run = run,
	.show = show,
	.point_count = POINTS - 1,
	.point_name = point_name,
	.reached = untrue.reached,
	.never = untrue_never,
	.never_count = 1 };

const struct mrg_fuzz_subject *const mrg_fuzz_subjects[] = { &clean_subject, &over_read_subject,
	&under_read_subject, &over_write_subject, &under_write_subject, &endless_subject, &wrong_subject,
	&aborts_subject, &heap_subject, &recurses_subject, &mutates_subject, &rare_subject, &grows_subject,
	&untrue_subject, NULL };
