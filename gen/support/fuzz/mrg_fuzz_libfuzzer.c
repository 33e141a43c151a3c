/*
 * mrg_fuzz_libfuzzer.c - a subject as libFuzzer's target, with the subject's own ways to change and to cross inputs.
 *
 * The environment's MRG_FUZZ_SUBJECT says which; without it the first.  Build with clang -fsanitize=fuzzer.
 */
#include "mrg_fuzz_again.h"
#include "mrg_fuzz_havoc.h"

#include <stdlib.h>
#include <string.h>

/* What libFuzzer calls. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2,
	uint8_t *out, size_t max_out_size, unsigned seed);

static const struct mrg_fuzz_subject *subject;
static struct mrg_guard guard;
static uint8_t *room;

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is libFuzzer's */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	subject = mrg_fuzz_subject_chosen();
	room = malloc(subject->len_max);
	if (room == NULL || !mrg_guard_open(&guard, subject->len_max))
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mrg_fuzz_result result;
	if (mrg_fuzz_both(subject, &guard, data, size, &result))
		return 0;
	(void)fprintf(stderr, "%s: %s: %s\n", subject->name, result.key, result.why);
	abort();
}

static size_t room_for(size_t max) { return max < subject->len_max ? max : subject->len_max; }

static size_t changed(struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,
	size_t other_len, size_t cap)
{
	size_t n = 0;
	if (mrg_rng_below(rng, 8) == 0)
		n = subject->make(subject->ctx, rng, room, cap);
	if (n == 0)
		n = subject->mutate(subject->ctx, rng, in, len < cap ? len : cap, other,
			other_len < cap ? other_len : cap, room, cap);
	return n;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	struct mrg_rng rng = mrg_rng_of(seed);
	const size_t cap = room_for(max_size);
	size_t n = 0;
	/* Now and then, and when the subject has no way, by one who knows nothing of what octets mean. */
	if (mrg_rng_below(&rng, 64) != 0)
		n = changed(&rng, data, size, NULL, 0, cap);
	if (n == 0)
		return mrg_fuzz_havoc(&rng, data, size < cap ? size : cap, cap);
	memcpy(data, room, n);
	return n;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2,
	uint8_t *out, size_t max_out_size, unsigned seed)
{
	struct mrg_rng rng = mrg_rng_of(seed);
	const size_t cap = room_for(max_out_size);
	const size_t n = changed(&rng, data1, size1, data2, size2, cap);
	memcpy(out, room, n);
	return n;
}
