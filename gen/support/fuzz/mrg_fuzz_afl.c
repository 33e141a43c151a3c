/*
 * mrg_fuzz_afl.c - a subject as AFL++'s target: many cases a process, handed over in shared memory.
 *
 * Each case is copied to where it ends, then to where it begins, at a page that is not there: sanitizers do not see what reads over the
 * shared memory's end.  What is found wrong aborts, so that it is a crash to AFL++.
 * The environment's MRG_FUZZ_SUBJECT says which subject; without it the first.  Build with afl-clang-fast of AFL++ 4.04.  Built by another
 * compiler it runs the one case that it reads from its input, or from the file that it is given.
 */
#include "mrg_fuzz_again.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __AFL_FUZZ_TESTCASE_LEN
__AFL_FUZZ_INIT();
#endif

static void run(const struct mrg_fuzz_subject *s, const struct mrg_guard *g, const uint8_t *in, size_t len)
{
	struct mrg_fuzz_result result;
	if (mrg_fuzz_both(s, g, in, len, &result))
		return;
	(void)fprintf(stderr, "%s: %s: %s\n", s->name, result.key, result.why);
	abort();
}

int main(int argc, char **argv)
{
	const struct mrg_fuzz_subject *const s = mrg_fuzz_subject_chosen();
	struct mrg_guard g;
	if (!mrg_guard_open(&g, s->len_max))
		return 2;
	if (s->point_count != 0) /* AFL++ looks at branches instead: nothing is left that would have to be told */
		memset(s->reached, 1, s->point_count);
#ifdef __AFL_FUZZ_TESTCASE_LEN
	(void)argc;
	(void)argv;
	const uint8_t *const in = __AFL_FUZZ_TESTCASE_BUF;
	while (__AFL_LOOP(100000))
		run(s, &g, in, (size_t)__AFL_FUZZ_TESTCASE_LEN);
#else
	static uint8_t in[MRG_GUARD_MAX];
	FILE *const from = argc > 1 ? fopen(argv[1], "rb") : stdin;
	if (from == NULL)
		return 2;
	run(s, &g, in, fread(in, 1, sizeof in, from));
	(void)fclose(from);
#endif
	return 0;
}
