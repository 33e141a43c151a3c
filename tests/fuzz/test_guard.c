/*
 * Guards (gen/support/fuzz): what lies in them ends, or begins, exactly where memory ends; and changes by one who knows nothing stay
 * within the room that they were given.
 */
#include "gen/support/fuzz/mrg_fuzz_guard.c"
#include "gen/support/fuzz/mrg_fuzz_havoc.c"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>

static int ends[2] = { -1, -1 }, zero = -1;

/* Asked of the kernel, which answers where the processor would fault. */
static bool readable(const uint8_t *p) { return syscall(SYS_write, ends[1], p, 1) == 1; }
static bool writable(uint8_t *p) { return syscall(SYS_read, zero, p, 1) == 1; }

static void open_devices(void)
{
	zero = open("/dev/zero", O_RDONLY);
	ck_assert(zero >= 0 && pipe(ends) == 0);
}

START_TEST(ends_where_memory_ends)
{
	static const size_t lens[] = { 0, 1, 2, 7, 8, 9, 255, 4095, 4096, 4097, 65535, MRG_GUARD_MAX };
	static uint8_t bytes[MRG_GUARD_MAX];
	struct mrg_guard g;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	ck_assert(mrg_guard_open(&g, MRG_GUARD_MAX));
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		const size_t n = lens[i];
		uint8_t *const end = mrg_guard_end(&g, bytes, n);
		ck_assert(memcmp(end, bytes, n) == 0);
		ck_assert(!readable(end + n) && !writable(end + n));
		ck_assert(n == 0 || (readable(end + n - 1) && writable(end + n - 1)));
		uint8_t *const begin = mrg_guard_begin(&g, bytes, n);
		ck_assert(memcmp(begin, bytes, n) == 0);
		ck_assert(!readable(begin - 1) && !writable(begin - 1));
		ck_assert(n == 0 || (readable(begin) && writable(begin)));
	}
	mrg_guard_close(&g);
}
END_TEST

/* From one end of a guard to the other, the octets over themselves. */
START_TEST(moves_its_own)
{
	struct mrg_guard g;
	ck_assert(mrg_guard_open(&g, 1));
	const size_t n = mrg_guard_size(&g) - 1;
	uint8_t *p = mrg_guard_room_begin(&g, n);
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i % 251);
	p = mrg_guard_end(&g, p, n);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(p[i], i % 251);
	mrg_guard_close(&g);
}
END_TEST

START_TEST(says_where_an_address_is)
{
	struct mrg_guard g;
	ck_assert(mrg_guard_open(&g, 100));
	ck_assert_int_eq(mrg_guard_where(&g, g.last), 1);
	ck_assert_int_eq(mrg_guard_where(&g, g.last + 5), 6);
	ck_assert_int_eq(mrg_guard_where(&g, g.first - 1), -1);
	ck_assert_int_eq(mrg_guard_where(&g, g.first - page_size()), -(ptrdiff_t)page_size());
	ck_assert_int_eq(mrg_guard_where(&g, g.first), 0);
	ck_assert_int_eq(mrg_guard_where(&g, g.last - 1), 0);
	ck_assert_int_eq(mrg_guard_where(&g, g.last + page_size()), 0);
	ck_assert_int_eq(mrg_guard_where(&g, NULL), 0);
	mrg_guard_close(&g);
	ck_assert(!mrg_guard_open(&g, MRG_GUARD_MAX + 1));
}
END_TEST

/* An octet written too far is a fault at the one end, another octet before the room at the other. */
START_TEST(havoc_stays_in_its_room)
{
	enum { ROOM_MAX = 48, TIMES = 3000 };
	struct mrg_guard g;
	struct mrg_rng rng = mrg_rng_of(1);
	bool empty = false, full = false;
	ck_assert(mrg_guard_open(&g, ROOM_MAX));
	for (size_t cap = 1; cap <= ROOM_MAX; cap++) {
		uint8_t *const p = mrg_guard_room_end(&g, cap);
		memset(g.first, 0xa5, mrg_guard_size(&g));
		size_t len = 0;
		for (unsigned i = 0; i < TIMES; i++) {
			len = mrg_fuzz_havoc(&rng, p, len, cap);
			ck_assert_uint_le(len, cap);
			empty = empty || len == 0;
			full = full || len == cap;
		}
		for (const uint8_t *before = g.first; before < p; before++)
			ck_assert_uint_eq(*before, 0xa5);
	}
	ck_assert(empty && full);
	mrg_guard_close(&g);
}
END_TEST

START_TEST(havoc_does_the_same_for_the_same)
{
	uint8_t a[64] = { 1, 2, 3 }, b[64] = { 1, 2, 3 };
	struct mrg_rng one = mrg_rng_of(5), two = mrg_rng_of(5);
	size_t len = 3;
	for (unsigned i = 0; i < 1000; i++) {
		const size_t n = mrg_fuzz_havoc(&one, a, len, sizeof a);
		ck_assert_uint_eq(mrg_fuzz_havoc(&two, b, len, sizeof b), n);
		ck_assert(memcmp(a, b, sizeof a) == 0);
		len = n;
	}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("fuzz/guard");
	TCase *const t = tcase_create("guard");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, open_devices, NULL);
	tcase_add_test(t, ends_where_memory_ends);
	tcase_add_test(t, moves_its_own);
	tcase_add_test(t, says_where_an_address_is);
	tcase_add_test(t, havoc_stays_in_its_room);
	tcase_add_test(t, havoc_does_the_same_for_the_same);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
