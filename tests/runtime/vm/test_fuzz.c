/*
 * What fuzz/vm_boot.c does to the monitor, with bytes by chance, so many times; and that they come to where something is accepted.
 * Hosts by chance are test_hostile.c.
 */
#include <check.h>

#include "fuzz/vm_boot.c"

enum { RUNS = 60000, LEN_MAX = 40 };

START_TEST(by_chance)
{
	static uint8_t bytes[1 + LEN_MAX];
	for (unsigned i = 0; i < RUNS; i++) {
		any_begin(i);
		const size_t len = 1 + any(LEN_MAX);
		for (size_t k = 0; k < len; k++)
			bytes[k] = (uint8_t)any(256);
		/* Most of what is there stands at the start. */
		for (size_t k = 2; k + 1 < len; k += CHANGE)
			bytes[k] = (uint8_t)any(4);
		(void)LLVMFuzzerTestOneInput(bytes, len);
	}
}
END_TEST

/* What is in order is accepted, or else nothing above was looked at. */
START_TEST(in_order)
{
	static struct vm_start start;
	static struct vm_place places[VM_PLACES_MAX];
	const struct vm_range image = { 1 << 20, 0x40000 };
	order_memory();
	const struct vm_memory m = { (uintptr_t)memory, sizeof memory };
	ck_assert_ptr_null(vm_start_read(&m, INFO_AT, image, &start));
	size_t count;
	ck_assert_ptr_null(vm_word_places(
		(struct mrg_span){ (const uint8_t *)start.command_line, start.command_line_len }, places,
		&count));
	ck_assert_uint_eq(count, 1);
	order_spaces();
	gets = 0;
	ck_assert_uint_eq(vm_pci_find(places, 0, skipped), 2);
	ck_assert_uint_eq(places[1].registers.at, (uint32_t)BAR4);
	(void)LLVMFuzzerTestOneInput(NULL, 0);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("vm_fuzz");
	TCase *const t = tcase_create("all");
	tcase_set_timeout(t, 300);
	tcase_add_test(t, by_chance);
	tcase_add_test(t, in_order);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
