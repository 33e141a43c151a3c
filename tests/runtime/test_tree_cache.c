/*
 * runtime/unix: what a folder's tree remembers, for how long, at what cost, and what becomes of it when files change or things run out.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/tree_kit.h"

/* Calls to the kernel that look something up or read. */
static unsigned asked(void)
{
	return calls.openat2.calls + calls.openat.calls + calls.fstat.calls + calls.fstatat.calls +
	       calls.pread.calls;
}

static void expect_text(const char *path, const char *text)
{
	struct mrg_rt_file *const f = kit_open(path);
	kit_expect(f, text);
	kit_close(f);
}

static uint64_t version(const char *path)
{
	struct mrg_rt_file *const f = kit_open(path);
	const uint64_t v = f->version;
	kit_close(f);
	return v;
}

/* ---- remembering ---- */

START_TEST(a_hit_asks_nobody)
{
	kit_start(&kit_small, true);
	kit_write("a", "text");
	kit_write_big("big", 2000, 'x');
	kit_folder("sub");
	kit_later();
	expect_text("a", "text");
	ck_assert_int_eq(kit_look("big"), MRG_RT_FILE);
	ck_assert_int_eq(kit_look("sub"), MRG_RT_FOLDER);
	ck_assert_int_eq(kit_look("no"), MRG_RT_NOTHING);
	const unsigned before = asked();
	now_ns += kit_small.fresh_ns - 1;
	expect_text("a", "text");
	ck_assert_int_eq(kit_look("big"), MRG_RT_FILE);
	ck_assert_int_eq(kit_look("sub"), MRG_RT_FOLDER);
	ck_assert_int_eq(kit_look("no"), MRG_RT_NOTHING);
	ck_assert_uint_eq(asked(), before);
	ck_assert_uint_eq(tree.counts.hits, 4);
	ck_assert_uint_eq(tree.counts.loaded, 2);
	now_ns++;
	expect_text("a", "text");
	ck_assert_int_eq(kit_look("big"), MRG_RT_FILE);
	ck_assert_uint_eq(asked(), before + 2); /* one look each, nothing opened */
	ck_assert_uint_eq(tree.counts.checked, 2);
	ck_assert_uint_eq(tree.counts.hits, 6);
	expect_text("a", "text");
	ck_assert_uint_eq(asked(), before + 2);
	kit_stop();
}
END_TEST

START_TEST(believing_nothing)
{
	struct mrg_unix_tree_options o = kit_small;
	o.fresh_ns = 0;
	kit_start(&o, true);
	kit_write("a", "text");
	kit_later();
	expect_text("a", "text");
	for (unsigned i = 1; i < 5; i++) {
		expect_text("a", "text");
		ck_assert_uint_eq(calls.fstatat.calls, i);
	}
	kit_write("a", "other");
	expect_text("a", "other");
	ck_assert_int_eq(kit_look("b"), MRG_RT_NOTHING);
	kit_write("b", "new");
	expect_text("b", "new");
	kit_stop();
}
END_TEST

START_TEST(time_that_goes_back)
{
	kit_start(&kit_small, true);
	kit_write("a", "text");
	kit_later();
	now_ns = 5 * MRG_RT_SECOND_NS;
	expect_text("a", "text");
	now_ns = 0;
	expect_text("a", "text");
	ck_assert_uint_eq(calls.fstatat.calls, 1);
	kit_stop();
}
END_TEST

START_TEST(nothing_becomes_something_and_back)
{
	kit_start(&kit_small, true);
	ck_assert_int_eq(kit_look("a"), MRG_RT_NOTHING);
	kit_write("a", "text");
	ck_assert_int_eq(kit_look("a"), MRG_RT_NOTHING);
	now_ns += kit_small.fresh_ns;
	expect_text("a", "text");
	ck_assert_int_eq(unlink("a"), 0);
	expect_text("a", "text");
	now_ns += kit_small.fresh_ns;
	ck_assert_int_eq(kit_look("a"), MRG_RT_NOTHING);
	kit_folder("a");
	now_ns += kit_small.fresh_ns;
	ck_assert_int_eq(kit_look("a"), MRG_RT_FOLDER);
	ck_assert_int_eq(rmdir("a"), 0);
	ck_assert_int_eq(mkfifo("a", 0644), 0);
	now_ns += kit_small.fresh_ns;
	ck_assert_int_eq(kit_look("a"), MRG_RT_FORBIDDEN);
	kit_stop();
}
END_TEST

/* ---- changing ---- */

START_TEST(who_has_it_open_keeps_it)
{
	kit_start(&kit_small, true);
	kit_write("a", "old");
	struct mrg_rt_file *const f1 = kit_open("a"), *const f2 = kit_open("a");
	ck_assert_ptr_eq(f1, f2);
	ck_assert_uint_eq(tree.in_use, 2);
	kit_replace("a", "newer");
	now_ns += kit_small.fresh_ns;
	struct mrg_rt_file *const f3 = kit_open("a");
	ck_assert_ptr_ne(f1, f3);
	ck_assert_uint_ne(f1->version, f3->version);
	kit_expect(f1, "old");
	kit_expect(f3, "newer");
	kit_close(f1);
	kit_expect(f2, "old");
	kit_close(f2);
	ck_assert_uint_eq(tree.in_use, 1);
	expect_text("a", "newer");
	kit_close(f3);
	expect_text("a", "newer");
	kit_stop();
}
END_TEST

/* What is kept with a file is there for the next who opens it, and gone with its content. */
START_TEST(a_note_stays_with_the_content)
{
	kit_start(&kit_small, true);
	kit_write("a", "old");
	kit_later();
	struct mrg_rt_file *f = kit_open("a");
	ck_assert_uint_eq(f->note->len, 0);
	mrg_w_put(f->note, MRG_LITERAL("of old"));
	kit_close(f);
	now_ns += kit_small.fresh_ns;
	f = kit_open("a");
	ck_assert(mrg_span_eq(mrg_w_span(f->note, 0), MRG_LITERAL("of old")));
	kit_close(f);
	kit_replace("a", "new");
	now_ns += kit_small.fresh_ns;
	f = kit_open("a");
	ck_assert_uint_eq(f->note->len, 0);
	ck_assert_uint_eq(f->note->st, MRG_OK);
	kit_close(f);
	kit_stop();
}
END_TEST

START_TEST(a_large_file_is_kept_by_its_descriptor)
{
	char old[2001], late[2001];
	kit_start(&kit_small, true);
	memset(old, 'o', 2000);
	memset(late, 'l', 2000);
	old[2000] = late[2000] = '\0';
	kit_write("a", old);
	struct mrg_rt_file *const f = kit_open("a");
	ck_assert(!kit_in_memory(f));
	now_ns += kit_small.fresh_ns;
	expect_text("a", old);
	ck_assert_uint_eq(tree.counts.loaded, 1); /* the same descriptor, although the file is new */
	kit_replace("a", late);
	now_ns += kit_small.fresh_ns;
	expect_text("a", late);
	kit_expect(f, old);
	ck_assert_int_eq(unlink("a"), 0);
	now_ns += kit_small.fresh_ns;
	ck_assert_int_eq(kit_look("a"), MRG_RT_NOTHING);
	kit_expect(f, old);
	kit_close(f);
	ck_assert_int_eq(calls.open_fds, 1); /* that of the folder */
	kit_stop();
}
END_TEST

/* What tells a change: each of number, size, time of modification, time of change alone. */
START_TEST(what_tells_a_change)
{
	static const struct timespec when[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct mrg_unix_tree_options o = kit_small;
	o.fresh_ns = 0;
	kit_start(&o, true);
	kit_write("a", "one");
	kit_later();
	expect_text("a", "one");
	const uint64_t one = version("a");
	/* same size and time of modification, another number */
	kit_write("b", "two");
	ck_assert_int_eq(utimensat(AT_FDCWD, "a", when, 0), 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, "b", when, 0), 0);
	expect_text("a", "one");
	ck_assert_int_eq(rename("b", "a"), 0);
	expect_text("a", "two");
	ck_assert_uint_ne(version("a"), one);
	/* same number, size and time of modification: the time of change tells */
	kit_write("a", "one");
	ck_assert_int_eq(utimensat(AT_FDCWD, "a", when, 0), 0);
	expect_text("a", "one");
	ck_assert_uint_eq(version("a"), one);
	/* size only */
	calls.frozen = true;
	calls.frozen_s = 5;
	expect_text("a", "one");
	kit_write("a", "three");
	expect_text("a", "three");
	kit_stop();
}
END_TEST

START_TEST(versions)
{
	static const struct timespec when[2] = { { .tv_sec = 7 }, { .tv_sec = 7, .tv_nsec = 1 } },
				     later[2] = { { .tv_sec = 7 }, { .tv_sec = 7, .tv_nsec = 2 } };
	kit_start(&kit_small, true);
	kit_write("a", "text");
	kit_write("b", "text");
	kit_write("c", "tExt");
	ck_assert_int_eq(utimensat(AT_FDCWD, "a", when, 0), 0);
	/* small files: the content; RFC 3174 7.3 TEST1 */
	ck_assert_uint_eq(version("a"), version("b"));
	ck_assert_uint_ne(version("a"), version("c"));
	kit_write("abc", "abc");
	ck_assert_uint_eq(version("abc"), UINT64_C(0xA9993E364706816A));
	/* large ones: size and time, whatever file it is */
	kit_write_big("d", 2000, 'x');
	kit_write_big("e", 2000, 'x');
	kit_write_big("f", 2000, 'x');
	kit_write_big("g", 2001, 'x');
	ck_assert_int_eq(utimensat(AT_FDCWD, "d", when, 0), 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, "e", when, 0), 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, "f", later, 0), 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, "g", when, 0), 0);
	ck_assert_uint_eq(version("d"), version("e"));
	ck_assert_uint_ne(version("d"), version("f"));
	ck_assert_uint_ne(version("d"), version("g"));
	kit_stop();
}
END_TEST

/* ---- running out ---- */

static const char *path_of(unsigned i)
{
	static char path[16];
	(void)snprintf(path, sizeof path, "f%u", i);
	return path;
}

static void write_many(unsigned count, size_t len)
{
	for (unsigned i = 0; i < count; i++)
		kit_write_big(path_of(i), len, (char)('a' + i % 26));
}

START_TEST(the_one_unused_longest_goes)
{
	kit_start(&kit_small, true);
	write_many(17, 10);
	kit_later();
	for (unsigned i = 0; i < 16; i++)
		ck_assert_int_eq(kit_look(path_of(i)), MRG_RT_FILE);
	ck_assert_int_eq(kit_look("f0"), MRG_RT_FILE); /* used again */
	ck_assert_uint_eq(tree.counts.dropped, 0);
	ck_assert_int_eq(kit_look("f16"), MRG_RT_FILE);
	ck_assert_uint_eq(tree.counts.dropped, 1);
	const uint64_t loaded = tree.counts.loaded;
	ck_assert_int_eq(kit_look("f0"), MRG_RT_FILE);
	for (unsigned i = 2; i < 17; i++)
		ck_assert_int_eq(kit_look(path_of(i)), MRG_RT_FILE);
	ck_assert_uint_eq(tree.counts.loaded, loaded);
	ck_assert_int_eq(kit_look("f1"), MRG_RT_FILE); /* this one went */
	ck_assert_uint_eq(tree.counts.loaded, loaded + 1);
	kit_stop();
}
END_TEST

/* Whatever kind it is of, and whether it is still remembered or only in use. */
START_TEST(the_one_unused_longest_of_all_kinds)
{
	static const char *const kinds[] = { "small", "big", "nothing" };
	static char far[300];
	for (unsigned first = 0; first < 3; first++) {
		kit_start(&kit_small, true);
		kit_write("small", "text");
		kit_write_big("big", 2000, 'x');
		write_many(14, 10);
		kit_later();
		for (unsigned i = 0; i < 3; i++)
			(void)kit_look(kinds[(first + i) % 3]);
		for (unsigned i = 0; i < 14; i++)
			ck_assert_int_eq(kit_look(path_of(i)), MRG_RT_FILE);
		ck_assert_uint_eq(tree.counts.dropped, 1);
		const unsigned before = asked();
		(void)kit_look(kinds[(first + 2) % 3]);
		(void)kit_look(kinds[(first + 1) % 3]);
		ck_assert_uint_eq(asked(), before);
		(void)kit_look(kinds[first]); /* this one went */
		ck_assert_uint_gt(asked(), before);
		/* a path too long to be remembered takes a slot while it is open, and gives it back */
		memset(far, 0, sizeof far);
		memset(far, 'n', 200);
		kit_folder(far);
		(void)strcat(far, "/");
		memset(far + 201, 'm', 90);
		kit_write(far, "far");
		for (unsigned i = 0; i < 20; i++)
			expect_text(far, "far");
		write_many(40, 10);
		for (unsigned i = 0; i < 40; i++)
			ck_assert_int_eq(kit_look(path_of(i)), MRG_RT_FILE);
		const unsigned then = asked();
		for (unsigned i = 24; i < 40; i++)
			ck_assert_int_eq(kit_look(path_of(i)), MRG_RT_FILE);
		ck_assert_uint_eq(asked(), then);
		kit_stop();
	}
}
END_TEST

START_TEST(all_slots_in_use)
{
	struct mrg_rt_file *f[16];
	kit_start(&kit_small, true);
	write_many(17, 10);
	for (unsigned i = 0; i < 16; i++)
		f[i] = kit_open(path_of(i));
	ck_assert_int_eq(kit_look("f16"), MRG_RT_BUSY);
	ck_assert_int_eq(kit_look("no"), MRG_RT_NOTHING); /* told, not remembered */
	ck_assert_int_eq(kit_look("f3"), MRG_RT_FILE);
	ck_assert_uint_eq(tree.counts.busy, 1);
	kit_close(f[7]);
	ck_assert_int_eq(kit_look("f16"), MRG_RT_FILE);
	ck_assert_int_eq(kit_look("f7"), MRG_RT_FILE);
	for (unsigned i = 0; i < 16; i++)
		if (i != 7)
			kit_close(f[i]);
	kit_stop();
}
END_TEST

/* However many names are asked for that do not exist, files stay remembered. */
START_TEST(nothing_takes_only_its_part)
{
	kit_start(&kit_small, true);
	write_many(8, 10);
	kit_later();
	for (unsigned i = 0; i < 8; i++)
		ck_assert_int_eq(kit_look(path_of(i)), MRG_RT_FILE);
	for (unsigned i = 100; i < 200; i++)
		ck_assert_int_eq(kit_look(path_of(i)), MRG_RT_NOTHING);
	ck_assert_uint_eq(tree.no_files, kit_small.path_count / 4 + 1);
	const uint64_t loaded = tree.counts.loaded;
	for (unsigned i = 0; i < 8; i++)
		ck_assert_int_eq(kit_look(path_of(i)), MRG_RT_FILE);
	ck_assert_uint_eq(tree.counts.loaded, loaded);
	const unsigned before = asked();
	ck_assert_int_eq(kit_look("f199"), MRG_RT_NOTHING);
	ck_assert_uint_eq(asked(), before);
	kit_stop();
}
END_TEST

START_TEST(descriptors_run_out)
{
	struct mrg_rt_file *f[4];
	kit_start(&kit_small, true);
	write_many(6, 2000);
	for (unsigned i = 0; i < 6; i++)
		ck_assert_int_eq(kit_look(path_of(i)), MRG_RT_FILE);
	ck_assert_int_eq(calls.open_fds, 1 + 4);
	for (unsigned i = 0; i < 4; i++)
		f[i] = kit_open(path_of(i));
	ck_assert_int_eq(kit_look("f4"), MRG_RT_BUSY);
	ck_assert_int_eq(calls.open_fds, 1 + 4);
	kit_close(f[2]);
	ck_assert_int_eq(kit_look("f4"), MRG_RT_FILE);
	kit_close(f[0]);
	kit_close(f[1]);
	kit_close(f[3]);
	kit_stop();
}
END_TEST

/* The process or the system has no more: those that nobody uses are given back first. */
START_TEST(the_process_is_out_of_descriptors)
{
	static const int errors[] = { EMFILE, ENFILE, ENOMEM };
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		kit_start(&kit_small, true);
		write_many(4, 2000);
		struct mrg_rt_file *const used = kit_open("f0");
		ck_assert_int_eq(kit_look("f1"), MRG_RT_FILE);
		ck_assert_int_eq(kit_look("f2"), MRG_RT_FILE);
		calls.openat2 = (struct faulty){ .count = 2, .err = errors[i] };
		ck_assert_int_eq(kit_look("f3"), MRG_RT_FILE);
		ck_assert_uint_eq(tree.counts.dropped, 2);
		ck_assert_int_eq(calls.open_fds, 1 + 2);
		calls.openat2 = (struct faulty){ .count = 1000, .err = errors[i] };
		ck_assert_int_eq(kit_look("f1"), MRG_RT_BUSY);
		ck_assert_int_eq(calls.open_fds, 1 + 1);
		calls.openat2.count = 0;
		ck_assert_int_eq(kit_look("f1"), MRG_RT_FILE);
		kit_close(used);
		kit_stop();
	}
}
END_TEST

START_TEST(memory_runs_out)
{
	struct mrg_rt_file *f[9];
	kit_start(&kit_small, true);
	write_many(12, 1024); /* each takes an eighth of all */
	kit_later();
	for (unsigned i = 0; i < 9; i++)
		ck_assert_int_eq(kit_look(path_of(i)), MRG_RT_FILE);
	ck_assert_uint_eq(tree.counts.dropped, 1);
	for (unsigned i = 0; i < 8; i++)
		f[i] = kit_open(path_of(i));
	f[8] = kit_open("f8"); /* nothing to drop: by descriptor */
	for (unsigned i = 0; i < 9; i++)
		ck_assert(kit_in_memory(f[i]) == (i < 8));
	for (unsigned i = 0; i < 9; i++)
		kit_close(f[i]);
	/* a piece of one block is enough for small ones */
	kit_write("small", "text");
	f[0] = kit_open("small");
	ck_assert(kit_in_memory(f[0]));
	kit_close(f[0]);
	kit_stop();
}
END_TEST

/* ---- closing ---- */

START_TEST(a_closed_tree_keeps_what_is_open)
{
	kit_start(&kit_small, true);
	kit_write("a", "text");
	kit_write_big("big", 2000, 'x');
	struct mrg_rt_file *const a = kit_open("a"), *const b = kit_open("big");
	mrg_unix_tree_close(&tree);
	kit_expect(a, "text");
	ck_assert_uint_eq(tree.in_use, 2);
	ck_assert_int_eq(kit_look("a"), MRG_RT_BUSY);
	ck_assert_int_eq(kit_look(""), MRG_RT_BUSY);
	kit_close(a);
	ck_assert_int_eq(calls.open_fds, 1);
	kit_close(b);
	ck_assert_int_eq(calls.open_fds, 0);
	kit_stop();
}
END_TEST

/* ---- all together, against a model ---- */

enum { NAMES = 24, HELD = 12, STEPS = 20000, TEXT = 1500 };

struct held {
	struct mrg_rt_file *f;
	unsigned len;
	char octet;
};

static void expect_held(const struct held *h)
{
	char b[TEXT], want[TEXT];
	ck_assert_uint_eq(h->f->size, h->len);
	if (h->f->p != NULL)
		memcpy(b, h->f->p, h->len);
	else
		ck_assert_int_eq(pread(((const struct mrg_unix_file *)(const void *)h->f)->fd, b, TEXT, 0),
			(ssize_t)h->len);
	memset(want, h->octet, h->len);
	ck_assert_mem_eq(b, want, h->len);
}

/* Files come, change and go by rename, some are held open; each that is open has what it had when it was opened. */
START_TEST(many_steps)
{
	struct mrg_unix_tree_options o = kit_small;
	struct held held[HELD] = { { .f = NULL } }, file[NAMES] = { { .len = 0 } };
	bool there[NAMES] = { false };
	unsigned found = 0, busy = 0;
	o.fresh_ns = 0;
	kit_start(&o, true);
	srand(7);
	for (unsigned step = 0; step < STEPS; step++) {
		const unsigned n = (unsigned)rand() % NAMES, k = (unsigned)rand() % HELD,
			       what = (unsigned)rand() % 8;
		if (what == 0) {
			file[n] = (struct held){ .len = (unsigned)rand() % TEXT,
				.octet = (char)('a' + rand() % 26) };
			kit_write_big(path_of(n), file[n].len, file[n].octet);
			there[n] = true;
		} else if (what == 1 && there[n]) {
			ck_assert_int_eq(unlink(path_of(n)), 0);
			there[n] = false;
		} else if (held[k].f != NULL) {
			expect_held(&held[k]);
			kit_close(held[k].f);
			held[k].f = NULL;
		} else {
			struct mrg_rt_file *f = NULL;
			const struct mrg_span path = { (const uint8_t *)path_of(n), strlen(path_of(n)) };
			const enum mrg_rt_found got = mrg_rt_tree_open(&tree.tree, path, now_ns, &f);
			ck_assert(got == MRG_RT_BUSY || got == (there[n] ? MRG_RT_FILE : MRG_RT_NOTHING));
			found += f != NULL;
			busy += got == MRG_RT_BUSY;
			if (f != NULL) {
				held[k] = (struct held){ .f = f, .len = file[n].len, .octet = file[n].octet };
				expect_held(&held[k]);
			}
		}
	}
	ck_assert_uint_gt(found, STEPS / 8);
	ck_assert_uint_gt(busy, 0);
	for (unsigned k = 0; k < HELD; k++)
		if (held[k].f != NULL)
			kit_close(held[k].f);
	kit_stop();
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("runtime/unix trees, what they remember");
	TCase *const t = tcase_create("cache");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_hit_asks_nobody);
	tcase_add_test(t, believing_nothing);
	tcase_add_test(t, time_that_goes_back);
	tcase_add_test(t, nothing_becomes_something_and_back);
	tcase_add_test(t, who_has_it_open_keeps_it);
	tcase_add_test(t, a_note_stays_with_the_content);
	tcase_add_test(t, a_large_file_is_kept_by_its_descriptor);
	tcase_add_test(t, what_tells_a_change);
	tcase_add_test(t, versions);
	tcase_add_test(t, the_one_unused_longest_goes);
	tcase_add_test(t, the_one_unused_longest_of_all_kinds);
	tcase_add_test(t, all_slots_in_use);
	tcase_add_test(t, nothing_takes_only_its_part);
	tcase_add_test(t, descriptors_run_out);
	tcase_add_test(t, the_process_is_out_of_descriptors);
	tcase_add_test(t, memory_runs_out);
	tcase_add_test(t, a_closed_tree_keeps_what_is_open);
	tcase_add_test(t, many_steps);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
