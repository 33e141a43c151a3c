/*
 * fuzz_empty.c - AFL++'s persistent target that does nothing: what it takes to be driven, beside which bench/fuzz.py puts ours.
 *
 * Built by another compiler than afl-clang-fast it does nothing at all.
 */
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#ifdef __AFL_FUZZ_TESTCASE_LEN
__AFL_FUZZ_INIT();
#endif

int main(void)
{
#ifdef __AFL_FUZZ_TESTCASE_LEN
	const uint8_t *const in = __AFL_FUZZ_TESTCASE_BUF;
	volatile unsigned some = 0; /* two ways to be seen */
	while (__AFL_LOOP(100000))
		if (__AFL_FUZZ_TESTCASE_LEN > 0 && in[0] == 'x')
			some = some + 1;
#endif
	return 0;
}
