/* All inputs of a small scope (gen/support/fuzz): each comes once, none is left out, and there are as many as was said. */
#include "gen/support/fuzz/mrg_fuzz_exhaust.c"

#include <check.h>
#include <stdlib.h>

enum { LEN_MAX = 12, INPUTS_MAX = 1 << 20 };

static const uint8_t letters[] = { 7, 0, 200, 9 }, two_heads[] = { 1, 2, 3, 4 };
static const struct mrg_fuzz_scope plain = { .alphabet = letters, .alphabet_n = 4 }, headed = {
	.alphabet = letters, .alphabet_n = 4, .heads = two_heads, .head_len = 2, .head_n = 2
};

/* In place of the runner's, which catches faults. */
size_t mrg_fuzz_call_make(const struct mrg_fuzz_subject *s, struct mrg_rng *rng, uint8_t *out)
{
	(void)s;
	static const uint8_t made[] = { 1, 2, 50, 51, 52, 53 };
	const size_t len = 5 + (size_t)mrg_rng_below(rng, 2);
	memcpy(out, made, len);
	return len;
}

/* An input: its length, then its octets. */
static struct input {
	uint8_t octets[LEN_MAX + 1];
} inputs[INPUTS_MAX];

static int in_order(const void *a, const void *b) { return memcmp(a, b, sizeof(struct input)); }

/* All of them in order; how many there are, each of them once. */
static size_t all(
	const struct mrg_fuzz_scope *scope, size_t octets, uint64_t cases, struct mrg_fuzz_exhaust *e)
{
	const struct mrg_fuzz_subject s = { .scope = scope, .len_max = LEN_MAX };
	uint8_t in[LEN_MAX];
	size_t n = 0, len, once = 0;
	memset(inputs, 0, sizeof inputs);
	mrg_fuzz_exhaust_begin(e, &s, 1, octets, cases);
	for (; mrg_fuzz_exhaust_next(e, in, &len); n++) {
		ck_assert(n < INPUTS_MAX && len <= LEN_MAX);
		inputs[n].octets[0] = (uint8_t)len;
		memcpy(inputs[n].octets + 1, in, len);
	}
	ck_assert_uint_eq(n, mrg_fuzz_exhaust_count(e));
	qsort(inputs, n, sizeof inputs[0], in_order);
	for (size_t i = 0; i < n; i++)
		once += i == 0 || in_order(&inputs[i - 1], &inputs[i]) != 0;
	ck_assert(once == n || e->count[MRG_FUZZ_WINDOWS] != 0);
	return once;
}

static bool has(size_t n, const char *octets, size_t len)
{
	struct input want = { { (uint8_t)len } };
	memcpy(want.octets + 1, octets, len);
	return bsearch(&want, inputs, n, sizeof want, in_order) != NULL;
}

START_TEST(every_octet)
{
	static struct mrg_fuzz_exhaust e;
	ck_assert_uint_eq(all(NULL, 0, 0, &e), 1);
	ck_assert_uint_eq(all(NULL, 1, 0, &e), 257);
	ck_assert_uint_eq(all(&plain, 2, 0, &e), 1 + 256 + 65536);
	ck_assert_uint_eq(e.count[MRG_FUZZ_ALL_OCTETS], 65793);
	ck_assert_uint_eq(all(&headed, 1, 0, &e), 2 * 257);
	ck_assert(has(514, "\1\2", 2) && has(514, "\3\4\377", 3) && !has(514, "\3\2", 2));
}
END_TEST

START_TEST(letters_beyond)
{
	static struct mrg_fuzz_exhaust e;
	/* A quarter of what is left has room for 4^2, 4^3, 2^4, 2^5, 2^6. */
	const size_t n = all(&plain, 1, 400, &e);
	ck_assert_uint_eq(e.count[MRG_FUZZ_ALPHABET], 16 + 64 + 16 + 32 + 64);
	ck_assert_uint_eq(e.len_max[MRG_FUZZ_ALPHABET], 6);
	ck_assert_uint_eq(n, 257 + 16 + 64 + 16 + 32 + 64);
	ck_assert(!has(n, "\11\311", 2) && has(n, "\11\310", 2) && has(n, "\0\7\0\0\7\7", 6));
	ck_assert_uint_eq(all(&headed, 0, 400, &e), 2 + 2 * 4 + 2 * 16 + 2 * 27 + 2 * 16 + 2 * 32);
}
END_TEST

START_TEST(no_longer_than_the_subject)
{
	static struct mrg_fuzz_exhaust e;
	const size_t n = all(&headed, 0, 100000, &e);
	ck_assert_uint_eq(e.len_max[MRG_FUZZ_ALPHABET], LEN_MAX - 2);
	ck_assert(n <= 100000);
}
END_TEST

START_TEST(windows)
{
	static struct mrg_fuzz_exhaust e;
	const size_t n = all(&headed, 0, 6 * 65536, &e);
	ck_assert_uint_eq(e.count[MRG_FUZZ_WINDOWS], 3 * 65536);
	ck_assert(n > 2 * 65536);
	/* Heads stay as they are, the first place is behind them, the next one follows. */
	const size_t count = (size_t)mrg_fuzz_exhaust_count(&e);
	ck_assert(has(count, "\1\2\377\377\64\65", 6) || has(count, "\1\2\377\377\64", 5));
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("fuzz/exhaust");
	TCase *const t = tcase_create("exhaust");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, every_octet);
	tcase_add_test(t, letters_beyond);
	tcase_add_test(t, no_longer_than_the_subject);
	tcase_add_test(t, windows);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
