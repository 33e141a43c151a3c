/*
 * mrg.h: the checksum of RFC 1071 of bytes that come in parts, against the words added up one by one.
 */
#include <check.h>
#include <string.h>

#include "core/mrg_impair.h"
#include "mrg.h"

enum { ROUNDS = 20000, LEN_MAX = 300, PARTS = 3 };

static uint16_t sum_of(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < len; i++)
		sum += (i & 1u) != 0 ? p[i] : (uint64_t)p[i] << 8;
	while (sum > 0xffffu)
		sum = (sum & 0xffffu) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Bytes as they are on the wire, and those of which sums go wrong: nothing but zeros, nothing but ones, some of each. */
static void fill(struct mrg_random *r, uint8_t *p, size_t len)
{
	const uint64_t kind = mrg_random_next(r) % 4u;
	for (size_t i = 0; i < len; i++) {
		const uint8_t any = (uint8_t)mrg_random_next(r);
		p[i] = kind == 0 ? 0 : kind == 1 ? 0xff : kind == 2 ? (any & 1u) != 0 ? 0xff : 0 : any;
	}
}

START_TEST(parts_add_up_as_the_whole_does)
{
	uint8_t p[LEN_MAX];
	struct mrg_random r;
	mrg_random_init(&r, 1, 0);
	for (size_t i = 0; i < ROUNDS; i++) {
		const size_t len = mrg_random_next(&r) % LEN_MAX;
		uint64_t sum = 0;
		fill(&r, p, len);
		for (size_t at = 0, k = 1; k <= PARTS; k++) {
			const size_t part = k == PARTS ? len - at : mrg_random_next(&r) % (len - at + 1u);
			sum = mrg_inet16_add(sum, p + at, part, at);
			at += part;
		}
		ck_assert_uint_eq(mrg_inet16_end(sum), sum_of(p, len));
	}
}
END_TEST

START_TEST(numbers_may_be_added)
{
	const uint8_t p[] = { 0xff, 0xff, 0xff, 0xfe, 0x12 };
	const uint8_t whole[] = { 0xff, 0xff, 0xff, 0xfe, 0x12, 0, 0xff, 0xff, 0, 17 };
	ck_assert_uint_eq(mrg_inet16_end(mrg_inet16_add(0, p, sizeof p, 0) + 0xffffu + 17u),
		sum_of(whole, sizeof whole));
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("sum");
	TCase *const t = tcase_create("sum");
	tcase_add_test(t, parts_add_up_as_the_whole_does);
	tcase_add_test(t, numbers_may_be_added);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
