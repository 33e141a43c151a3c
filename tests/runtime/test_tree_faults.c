/*
 * runtime/unix: a folder's tree while files change under its hands, and when calls fail.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/tree_kit.h"

static void expect_text(const char *path, const char *text)
{
	struct mrg_rt_file *const f = kit_open(path);
	kit_expect(f, text);
	kit_close(f);
}

/* ---- changing while it is read ---- */

static unsigned reads;

static void grow_once(void)
{
	if (reads++ == 1)
		kit_write("a", "something else that is longer");
}

static void other_once(void)
{
	if (reads++ == 1)
		kit_write("a", "replaced");
}

static void other_always(void)
{
	char text[9];
	(void)snprintf(text, sizeof text, "%08u", reads++);
	kit_write("a", text);
}

static void shrink_once(void)
{
	if (reads++ == 1)
		kit_write("a", "s");
}

/* Octet by octet, so that the change comes between two reads. */
START_TEST(a_change_while_reading)
{
	static const struct {
		void (*before_pread)(void);
		const char *text; /* what is read in the end */
	} cases[] = { { grow_once, "something else that is longer" }, { other_once, "replaced" },
		{ shrink_once, "s" } };
	kit_start(&kit_small, true);
	for (unsigned later = 0; later < 2; later++) {
		for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
			calls.before_pread = NULL;
			kit_write("a", "original");
			if (later)
				kit_later();
			reads = 0;
			calls.before_pread = cases[i].before_pread;
			calls.pread.most = 1;
			now_ns += kit_small.fresh_ns;
			struct mrg_rt_file *const f = kit_open("a");
			ck_assert(kit_in_memory(f));
			kit_expect(f, cases[i].text);
			kit_close(f);
		}
	}
	kit_stop();
}
END_TEST

/* A file that changes all the time goes by descriptor, so that it is served at all. */
START_TEST(changes_without_end)
{
	kit_start(&kit_small, true);
	kit_write("a", "original");
	calls.before_pread = other_always;
	calls.pread.most = 1;
	struct mrg_rt_file *const f = kit_open("a");
	ck_assert(!kit_in_memory(f));
	ck_assert_uint_eq(f->size, 8);
	ck_assert_uint_lt(reads, 100); /* given up soon */
	kit_close(f);
	kit_stop();
}
END_TEST

/* The times of files go in steps: within one a change does not show. */
START_TEST(a_change_that_the_times_do_not_show)
{
	kit_start(&kit_small, true);
	calls.frozen = true;
	calls.frozen_s = 1000;
	calls.now_s = 1001;
	/* while it is read */
	kit_write("a", "original");
	reads = 0;
	calls.before_pread = other_once;
	calls.pread.most = 1;
	expect_text("a", "replaced");
	calls.before_pread = NULL;
	/* between two looks */
	kit_write("a", "lateness");
	now_ns += kit_small.fresh_ns;
	expect_text("a", "lateness");
	/* a clock that is behind that of the file system changes nothing */
	calls.now_s = 900;
	kit_write("a", "earlier.");
	now_ns += kit_small.fresh_ns;
	expect_text("a", "earlier.");
	kit_write("a", "original");
	now_ns += kit_small.fresh_ns;
	expect_text("a", "original");
	/* when some time has passed, they are believed */
	calls.now_s = 1002;
	now_ns += kit_small.fresh_ns;
	expect_text("a", "original");
	kit_write("a", "replaced");
	now_ns += kit_small.fresh_ns;
	const unsigned before = calls.pread.calls;
	expect_text("a", "original");
	ck_assert_uint_eq(calls.pread.calls, before);
	kit_stop();
}
END_TEST

/* ---- calls that fail ---- */

static struct faulty *const all_calls[] = { &calls.openat2, &calls.fstat, &calls.pread };

START_TEST(each_call_fails_once)
{
	static const int errors[] = { EIO, ENOMEM, EINTR };
	struct mrg_unix_tree_options o = kit_small;
	o.fresh_ns = 0;
	for (size_t e = 0; e < sizeof errors / sizeof errors[0]; e++) {
		for (size_t c = 0; c < sizeof all_calls / sizeof all_calls[0]; c++) {
			for (unsigned skip = 0; skip < 4; skip++) {
				kit_start(&o, true);
				kit_write("a", "text");
				kit_write_big("big", 2000, 'x');
				*all_calls[c] = (struct faulty){ .skip = skip, .count = 1, .err = errors[e] };
				const enum mrg_rt_found a = kit_look("a"), b = kit_look("big");
				ck_assert(a == MRG_RT_FILE || a == MRG_RT_BUSY);
				ck_assert(b == MRG_RT_FILE || b == MRG_RT_BUSY);
				ck_assert_uint_eq(tree.counts.busy,
					(a == MRG_RT_BUSY ? 1u : 0u) + (b == MRG_RT_BUSY ? 1u : 0u));
				ck_assert_uint_le(tree.counts.busy, 1);
				ck_assert(skip != 0 || errors[e] == EINTR || tree.counts.busy == 1);
				all_calls[c]->count = 0;
				expect_text("a", "text");
				ck_assert_int_eq(kit_look("big"), MRG_RT_FILE);
				kit_stop();
			}
		}
	}
}
END_TEST

START_TEST(each_call_fails_walking)
{
	static const int errors[] = { EIO, EMFILE, EACCES, ENOENT };
	for (size_t e = 0; e < sizeof errors / sizeof errors[0]; e++) {
		for (unsigned skip = 0; skip < 3; skip++) {
			kit_start(&kit_small, false);
			kit_folder("d");
			kit_folder("d/e");
			kit_write("d/e/a", "text");
			calls.openat = (struct faulty){ .skip = skip, .count = 1, .err = errors[e] };
			const enum mrg_rt_found want = errors[e] == EACCES   ? MRG_RT_FORBIDDEN
						       : errors[e] == ENOENT ? MRG_RT_NOTHING
									     : MRG_RT_BUSY;
			ck_assert_int_eq(kit_look("d/e/a"), want);
			now_ns += kit_small.fresh_ns;
			expect_text("d/e/a", "text");
			ck_assert_int_eq(calls.open_fds, 1);
			kit_stop();
		}
	}
}
END_TEST

/* The look that compares fails: the file is opened anew, whatever that gives. */
START_TEST(comparing_fails)
{
	kit_start(&kit_small, true);
	kit_write("a", "text");
	kit_later();
	expect_text("a", "text");
	now_ns += kit_small.fresh_ns;
	calls.fstatat = (struct faulty){ .count = 1, .err = EACCES };
	expect_text("a", "text");
	ck_assert_uint_eq(tree.counts.loaded, 2);
	now_ns += kit_small.fresh_ns;
	calls.fstatat = (struct faulty){ .count = 1, .err = EIO };
	calls.openat2 = (struct faulty){ .count = 1, .err = EIO };
	ck_assert_int_eq(kit_look("a"), MRG_RT_BUSY);
	expect_text("a", "text");
	kit_stop();
}
END_TEST

/* A lookup is disturbed by renames elsewhere: tried again, but not for ever. */
START_TEST(a_disturbed_lookup)
{
	kit_start(&kit_small, true);
	kit_write("a", "text");
	calls.openat2 = (struct faulty){ .count = 3, .err = EAGAIN };
	expect_text("a", "text");
	now_ns += kit_small.fresh_ns;
	kit_replace("a", "new");
	calls.openat2 = (struct faulty){ .count = 100000, .err = EAGAIN };
	ck_assert_int_eq(kit_look("a"), MRG_RT_BUSY);
	ck_assert_uint_lt(calls.openat2.calls, 20);
	kit_stop();
}
END_TEST

START_TEST(reading_is_interrupted_and_comes_in_parts)
{
	kit_start(&kit_small, true);
	kit_write("a", "a text of some length");
	calls.pread = (struct faulty){ .skip = 2, .count = 2, .err = EINTR, .most = 3 };
	expect_text("a", "a text of some length");
	kit_stop();
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("runtime/unix trees, under faults");
	TCase *const t = tcase_create("faults");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_change_while_reading);
	tcase_add_test(t, changes_without_end);
	tcase_add_test(t, a_change_that_the_times_do_not_show);
	tcase_add_test(t, each_call_fails_once);
	tcase_add_test(t, each_call_fails_walking);
	tcase_add_test(t, comparing_fails);
	tcase_add_test(t, a_disturbed_lookup);
	tcase_add_test(t, reading_is_interrupted_and_comes_in_parts);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
