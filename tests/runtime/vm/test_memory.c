/*
 * runtime/vm/app/memory.c: the memory functions of images, compared with those of the C library, at all small lengths and places.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Ours by other names, so that both are there. */
void *vm_memcpy(void *restrict to, const void *restrict from, size_t len);
void *vm_memmove(void *to, const void *from, size_t len);
void *vm_memset(void *to, int octet, size_t len);
int vm_memcmp(const void *a, const void *b, size_t len);
#define memcpy vm_memcpy
#define memmove vm_memmove
#define memset vm_memset
#define memcmp vm_memcmp
#include "vm/app/memory.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp

enum { ROOM = 160, LEN = 70, PLACES = 18 };
static uint8_t ours[ROOM], theirs[ROOM], from[ROOM];

static void fill(uint8_t *p)
{
	for (size_t i = 0; i < ROOM; i++)
		p[i] = (uint8_t)(i * 7 + 3);
}

START_TEST(copies)
{
	for (size_t i = 0; i < ROOM; i++)
		from[i] = (uint8_t)(200 - i);
	for (size_t len = 0; len < LEN; len++)
		for (size_t a = 0; a < PLACES; a++)
			for (size_t b = 0; b < PLACES; b++) {
				fill(ours);
				fill(theirs);
				ck_assert_ptr_eq(vm_memcpy(ours + a, from + b, len), ours + a);
				memcpy(theirs + a, from + b, len);
				ck_assert_int_eq(memcmp(ours, theirs, ROOM), 0);
			}
}
END_TEST

START_TEST(moves)
{
	for (size_t len = 0; len < LEN; len++)
		for (size_t a = 0; a < LEN; a++)
			for (size_t b = 0; b < LEN; b++) {
				fill(ours);
				fill(theirs);
				ck_assert_ptr_eq(vm_memmove(ours + a, ours + b, len), ours + a);
				memmove(theirs + a, theirs + b, len);
				ck_assert_int_eq(memcmp(ours, theirs, ROOM), 0);
			}
}
END_TEST

START_TEST(sets)
{
	for (size_t len = 0; len < LEN; len++)
		for (size_t a = 0; a < PLACES; a++)
			for (int octet = -1; octet < 300; octet += 43) {
				fill(ours);
				fill(theirs);
				ck_assert_ptr_eq(vm_memset(ours + a, octet, len), ours + a);
				memset(theirs + a, octet, len);
				ck_assert_int_eq(memcmp(ours, theirs, ROOM), 0);
			}
}
END_TEST

static int sign(int n) { return (n > 0) - (n < 0); }

START_TEST(compares)
{
	for (size_t len = 0; len < LEN; len++)
		for (size_t at = 0; at < LEN; at++)
			for (unsigned change = 0; change < 256; change += 51) {
				fill(ours);
				memcpy(from + 3, ours, LEN);
				from[3 + at] = (uint8_t)(from[3 + at] + change);
				ck_assert_int_eq(
					vm_memcmp(ours, from + 3, len), sign(memcmp(ours, from + 3, len)));
				ck_assert_int_eq(
					vm_memcmp(from + 3, ours, len), sign(memcmp(from + 3, ours, len)));
			}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("memory");
	TCase *const t = tcase_create("all");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, copies);
	tcase_add_test(t, moves);
	tcase_add_test(t, sets);
	tcase_add_test(t, compares);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
