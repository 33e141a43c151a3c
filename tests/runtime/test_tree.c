/*
 * runtime/unix: what is found in a folder and what is not, with openat2 and without.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/tree_kit.h"

/* Each test runs twice. */
enum { WALKING, BENEATH, WAYS };

static void expect_text(const char *path, const char *text)
{
	struct mrg_rt_file *const f = kit_open(path);
	kit_expect(f, text);
	kit_close(f);
}

static void link_to(const char *target, const char *path) { ck_assert_int_eq(symlink(target, path), 0); }

START_TEST(files_and_folders)
{
	static const struct timespec when[2] = { { .tv_sec = 5 }, { .tv_sec = 1000000000, .tv_nsec = 7 } };
	kit_start(&kit_small, _i == BENEATH);
	kit_write("a.html", "hello");
	kit_write("empty", "");
	kit_folder("sub");
	kit_folder("sub/sub");
	kit_write("sub/sub/b", "deep");
	kit_write_big("big", 1025, 'x');
	kit_write_big("small", 1024, 'y');
	ck_assert_int_eq(utimensat(AT_FDCWD, "a.html", when, 0), 0);
	struct mrg_rt_file *f = kit_open("a.html");
	kit_expect(f, "hello");
	ck_assert(kit_in_memory(f));
	ck_assert_int_eq(f->modified_s, 1000000000);
	kit_close(f);
	f = kit_open("empty");
	kit_expect(f, "");
	ck_assert(kit_in_memory(f));
	kit_close(f);
	f = kit_open("big");
	ck_assert_uint_eq(f->size, 1025);
	ck_assert(!kit_in_memory(f));
	kit_close(f);
	f = kit_open("small");
	ck_assert_uint_eq(f->size, 1024);
	ck_assert(kit_in_memory(f));
	kit_close(f);
	expect_text("sub/sub/b", "deep");
	ck_assert_int_eq(kit_look(""), MRG_RT_FOLDER);
	ck_assert_int_eq(kit_look("sub"), MRG_RT_FOLDER);
	ck_assert_int_eq(kit_look("sub/sub"), MRG_RT_FOLDER);
	ck_assert_int_eq(kit_look("c"), MRG_RT_NOTHING);
	ck_assert_int_eq(kit_look("sub/c"), MRG_RT_NOTHING);
	ck_assert_int_eq(kit_look("a.html/b"), MRG_RT_NOTHING);
	ck_assert_int_eq(kit_look("no/b"), MRG_RT_NOTHING);
	kit_stop();
}
END_TEST

START_TEST(what_is_no_path)
{
	static const char *const paths[] = { "..", ".", "../secret", "a/..", "a/../b", "/a", "/", "//", "a/",
		"sub//b", "./a", "sub/./b", "sub/../../secret", "/etc/passwd", "../kit_root/a" };
	struct mrg_rt_file *f;
	kit_start(&kit_small, _i == BENEATH);
	kit_write("../secret", "secret");
	kit_write("a", "text");
	kit_folder("sub");
	kit_write("sub/b", "text");
	const unsigned before = calls.openat.calls + calls.openat2.calls;
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
		ck_assert_msg(kit_look(paths[i]) == MRG_RT_NOTHING, "%s", paths[i]);
	const struct mrg_span nul = { (const uint8_t *)"a\0b", 3 };
	ck_assert_int_eq(mrg_rt_tree_open(&tree.tree, nul, now_ns, &f), MRG_RT_NOTHING);
	ck_assert_uint_eq(calls.openat.calls + calls.openat2.calls, before); /* the kernel was not asked */
	kit_stop();
}
END_TEST

START_TEST(links_that_stay_inside)
{
	const enum mrg_rt_found followed = _i == BENEATH ? MRG_RT_FILE : MRG_RT_FORBIDDEN;
	kit_start(&kit_small, _i == BENEATH);
	kit_folder("sub");
	kit_write("sub/b", "text");
	link_to("sub/b", "link");
	link_to("link", "link2");
	link_to("../sub/b", "sub/up");
	link_to("nowhere", "dangling");
	link_to("sub", "folder");
	ck_assert_int_eq(kit_look("link"), followed);
	ck_assert_int_eq(kit_look("link2"), followed);
	ck_assert_int_eq(kit_look("sub/up"), followed);
	if (_i == BENEATH) {
		expect_text("link", "text");
		expect_text("folder/b", "text");
		ck_assert_int_eq(kit_look("folder"), MRG_RT_FOLDER);
		ck_assert_int_eq(kit_look("dangling"), MRG_RT_NOTHING);
	} else {
		ck_assert_int_ne(kit_look("folder/b"), MRG_RT_FILE);
		ck_assert_int_eq(kit_look("folder"), MRG_RT_FORBIDDEN);
		ck_assert_int_eq(kit_look("dangling"), MRG_RT_FORBIDDEN);
	}
	kit_stop();
}
END_TEST

START_TEST(links_that_lead_out)
{
	static const char *const paths[] = { "up", "absolute", "root/etc/passwd", "root", "folder/secret",
		"folder", "inside", "twice", "around/a", "circle", "sub/up" };
	char here[256], there[300];
	kit_start(&kit_small, _i == BENEATH);
	ck_assert_ptr_nonnull(getcwd(here, sizeof here));
	(void)snprintf(there, sizeof there, "%s/a", here);
	kit_write("a", "text");
	kit_write("../secret", "secret");
	kit_folder("sub");
	link_to("../secret", "up");
	link_to("/etc/passwd", "absolute");
	link_to("/", "root");
	link_to("..", "folder");
	link_to(there, "inside"); /* absolute, so by way of the outside */
	link_to("up", "twice");
	link_to("../kit_root", "around");
	link_to("circle", "circle");
	link_to("../../secret", "sub/up");
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		const enum mrg_rt_found found = kit_look(paths[i]);
		/* walking, a link where a folder is needed is as good as nothing */
		const bool below = strchr(paths[i], '/') != NULL && _i == WALKING;
		ck_assert_msg(found == MRG_RT_FORBIDDEN || (below && found == MRG_RT_NOTHING), "%s: %d",
			paths[i], (int)found);
	}
	kit_stop();
}
END_TEST

/* The links of /proc lead anywhere, without a path that could be looked at. */
START_TEST(magic_links)
{
	static const char *const paths[] = { "root/etc/passwd", "cwd/a", "cwd", "exe", "fd/0", "root" };
	static struct mrg_unix_tree proc;
	struct mrg_arena arena;
	const size_t memory = mrg_unix_tree_memory(&kit_small);
	kit_start(&kit_small, _i == BENEATH);
	kit_write("a", "text");
	calls.openat2 = (struct faulty){ .count = _i == WALKING, .err = ENOSYS };
	ck_assert_int_eq(mrg_unix_arena_open(&arena, memory, memory), 0);
	ck_assert_int_eq(mrg_unix_tree_open(&proc, &tree_sys, &arena, "/proc/self", &kit_small), 0);
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		struct mrg_rt_file *f;
		const struct mrg_span path = { (const uint8_t *)paths[i], strlen(paths[i]) };
		const enum mrg_rt_found found = mrg_rt_tree_open(&proc.tree, path, now_ns, &f);
		ck_assert_msg(
			found == MRG_RT_FORBIDDEN || found == MRG_RT_NOTHING, "%s: %d", paths[i], (int)found);
	}
	const struct mrg_span status = { (const uint8_t *)"status", 6 };
	struct mrg_rt_file *f;
	ck_assert_int_eq(mrg_rt_tree_open(&proc.tree, status, now_ns, &f), MRG_RT_FILE);
	mrg_rt_tree_close(&proc.tree, f);
	mrg_unix_tree_close(&proc);
	mrg_unix_arena_close(&arena);
	kit_stop();
}
END_TEST

/* A folder that becomes a link to the outside between two lookups. */
START_TEST(a_folder_replaced_by_a_link)
{
	kit_start(&kit_small, _i == BENEATH);
	kit_folder("sub");
	kit_write("sub/b", "text");
	kit_folder("../other");
	kit_write("../other/b", "else");
	kit_write("../other/c", "else");
	expect_text("sub/b", "text");
	ck_assert_int_eq(rename("sub", "../away"), 0);
	link_to("../other", "sub");
	ck_assert_int_ne(kit_look("sub/c"), MRG_RT_FILE);
	expect_text("sub/b", "text"); /* believed for a while */
	now_ns += kit_small.fresh_ns;
	ck_assert_int_ne(kit_look("sub/b"), MRG_RT_FILE);
	kit_stop();
}
END_TEST

START_TEST(neither_files_nor_folders)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "socket" };
	kit_start(&kit_small, _i == BENEATH);
	ck_assert_int_eq(mkfifo("fifo", 0644), 0);
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&to, sizeof to), 0);
	ck_assert_int_eq(kit_look("fifo"), MRG_RT_FORBIDDEN);
	ck_assert_int_eq(kit_look("socket"), MRG_RT_FORBIDDEN);
	ck_assert_int_eq(kit_look("fifo/a"), MRG_RT_NOTHING);
	ck_assert_int_eq(kit_look("socket/a"), MRG_RT_NOTHING);
	(void)close(fd);
	kit_stop();
}
END_TEST

START_TEST(devices)
{
	static struct mrg_unix_tree dev;
	struct mrg_arena arena;
	struct mrg_rt_file *f;
	const struct mrg_span null = { (const uint8_t *)"null", 4 };
	const size_t memory = mrg_unix_tree_memory(&kit_small);
	kit_start(&kit_small, _i == BENEATH);
	calls.openat2 = (struct faulty){ .count = _i == WALKING, .err = ENOSYS };
	ck_assert_int_eq(mrg_unix_arena_open(&arena, memory, memory), 0);
	ck_assert_int_eq(mrg_unix_tree_open(&dev, &tree_sys, &arena, "/dev", &kit_small), 0);
	ck_assert_int_eq(mrg_rt_tree_open(&dev.tree, null, now_ns, &f), MRG_RT_FORBIDDEN);
	mrg_unix_tree_close(&dev);
	mrg_unix_arena_close(&arena);
	kit_stop();
}
END_TEST

START_TEST(hidden_names)
{
	static const char *const paths[] = { ".htaccess", ".git/config", ".git", "sub/.b", ".well-known/.c",
		"...", ".well-knows", ".well-know/a", ".well-known2/a" };
	struct mrg_unix_tree_options o = kit_small;
	for (int show = 0; show < 2; show++) {
		o.hidden = show != 0;
		kit_start(&o, _i == BENEATH);
		kit_folder(".git");
		kit_folder("sub");
		kit_folder(".well-known");
		kit_folder(".well-know");
		kit_folder(".well-known2");
		for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
			if (strcmp(paths[i], ".git") != 0)
				kit_write(paths[i], "text");
		for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
			ck_assert_msg((kit_look(paths[i]) == MRG_RT_NOTHING) == (show == 0), "%s", paths[i]);
		kit_write(".well-known/a", "text");
		expect_text(".well-known/a", "text");
		ck_assert_int_eq(kit_look(".well-known"), MRG_RT_FOLDER);
		kit_write("sub/a.b", "text");
		expect_text("sub/a.b", "text");
		kit_stop();
	}
}
END_TEST

/* Whoever runs this, permissions bind: the superuser gives up his. */
START_TEST(permissions)
{
	const bool super = geteuid() == 0;
	kit_start(&kit_small, _i == BENEATH);
	kit_write("closed", "text");
	kit_folder("entered");
	kit_write("entered/a", "text");
	kit_folder("locked");
	kit_write("locked/a", "text");
	ck_assert_int_eq(chmod("closed", 0), 0);
	ck_assert_int_eq(chmod("entered", 0111), 0);
	ck_assert_int_eq(chmod("locked", 0), 0);
	if (super)
		ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(kit_look("closed"), MRG_RT_FORBIDDEN);
	ck_assert_int_eq(kit_look("entered"), MRG_RT_FOLDER);
	expect_text("entered/a", "text");
	ck_assert_int_eq(kit_look("locked/a"), MRG_RT_FORBIDDEN);
	ck_assert_int_eq(kit_look("locked"), MRG_RT_FOLDER);
	if (super)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(chmod("closed", 0644), 0);
	now_ns += kit_small.fresh_ns;
	expect_text("closed", "text");
	/* taken away again, it is no longer given */
	ck_assert_int_eq(chmod("closed", 0), 0);
	now_ns += kit_small.fresh_ns;
	if (super)
		ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(kit_look("closed"), MRG_RT_FORBIDDEN);
	if (super)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(chmod("entered", 0755), 0);
	ck_assert_int_eq(chmod("locked", 0755), 0);
	kit_stop();
}
END_TEST

START_TEST(long_names)
{
	static char path[8192];
	kit_start(&kit_small, _i == BENEATH);
	/* of names that are not too long, but together more than what is remembered, and less */
	memset(path, 0, sizeof path);
	for (size_t len = 0; len < 600; len = strlen(path)) {
		memset(path + len, 'n', 100);
		kit_folder(path);
		(void)strcat(path, "/a");
		kit_write(path, "text");
		for (unsigned i = 0; i < 2; i++)
			expect_text(path, "text");
		ck_assert_uint_eq(tree.counts.hits, len < 200 ? 1 + len / 100 : 2);
		path[strlen(path) - 1] = 'b';
		ck_assert_int_eq(kit_look(path), MRG_RT_NOTHING);
		path[strlen(path) - 1] = '\0';
	}
	/* a name that no file system takes, alone and on the way */
	memset(path, 'n', 256);
	path[256] = '\0';
	ck_assert_int_eq(kit_look(path), MRG_RT_NOTHING);
	(void)strcat(path, "/a");
	ck_assert_int_eq(kit_look(path), MRG_RT_NOTHING);
	/* up to and above what the kernel takes */
	for (size_t len = 4094; len < 4100; len++) {
		for (size_t i = 0; i < len; i++)
			path[i] = i % 2 == 1 ? '/' : 'n';
		path[len - 1] = 'n';
		path[len] = '\0';
		ck_assert_int_eq(kit_look(path), MRG_RT_NOTHING);
	}
	kit_stop();
}
END_TEST

START_TEST(octets_as_they_are)
{
	static const char *const paths[] = { "a b", "\xff\x80", "%2e", "a\nb", "*", "a\\b", "..." };
	struct mrg_unix_tree_options o = kit_small;
	o.hidden = true;
	kit_start(&o, _i == BENEATH);
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		kit_write(paths[i], paths[i]);
		expect_text(paths[i], paths[i]);
	}
	kit_stop();
}
END_TEST

/* The tree is the folder that was opened, wherever it is moved to. */
START_TEST(the_folder_moves)
{
	kit_start(&kit_small, _i == BENEATH);
	kit_write("a", "text");
	ck_assert_int_eq(rename("../kit_root", "../moved"), 0);
	kit_folder("../kit_root");
	kit_write("../kit_root/b", "else");
	expect_text("a", "text");
	ck_assert_int_eq(kit_look("b"), MRG_RT_NOTHING);
	kit_stop();
}
END_TEST

START_TEST(opening_a_tree_fails)
{
	static struct mrg_unix_tree t;
	static const int errors[] = { EMFILE, EACCES, EIO };
	struct mrg_arena arena;
	const size_t memory = mrg_unix_tree_memory(&kit_small);
	kit_start(&kit_small, _i == BENEATH);
	kit_write("a", "text");
	ck_assert_int_eq(mrg_unix_arena_open(&arena, memory, memory), 0);
	ck_assert_int_eq(mrg_unix_tree_open(&t, &tree_sys, &arena, "no", &kit_small), ENOENT);
	arena.len = 0;
	ck_assert_int_eq(mrg_unix_tree_open(&t, &tree_sys, &arena, "a", &kit_small), ENOTDIR);
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		arena.len = 0;
		calls.openat = (struct faulty){ .count = 1, .err = errors[i] };
		ck_assert_int_eq(mrg_unix_tree_open(&t, &tree_sys, &arena, ".", &kit_small), errors[i]);
		arena.len = 0;
		calls.openat2 = (struct faulty){ .count = 1, .err = errors[i] };
		ck_assert_int_eq(mrg_unix_tree_open(&t, &tree_sys, &arena, ".", &kit_small), errors[i]);
		arena.len = 0;
		calls.random = (struct faulty){ .count = 1, .err = errors[i] };
		ck_assert_int_eq(mrg_unix_tree_open(&t, &tree_sys, &arena, ".", &kit_small), errors[i]);
	}
	for (size_t part = 0; part < 16; part++) {
		arena.len = 0;
		arena.cap = memory / 16 * part;
		ck_assert_int_eq(mrg_unix_tree_open(&t, &tree_sys, &arena, ".", &kit_small), ENOMEM);
		mrg_unix_tree_close(&t);
	}
	arena.cap = memory;
	mrg_unix_arena_close(&arena);
	kit_stop();
}
END_TEST

/* Filters of system calls that do not know openat2 say EPERM. */
START_TEST(openat2_is_forbidden)
{
	static struct mrg_unix_tree t;
	struct mrg_arena arena;
	const size_t memory = mrg_unix_tree_memory(&kit_small);
	kit_start(&kit_small, _i == BENEATH);
	calls.openat2 = (struct faulty){ .count = 1000, .err = EPERM };
	ck_assert_int_eq(mrg_unix_arena_open(&arena, memory, memory), 0);
	ck_assert_int_eq(mrg_unix_tree_open(&t, &tree_sys, &arena, ".", &kit_small), 0);
	kit_write("a", "text");
	struct mrg_rt_file *f;
	const struct mrg_span a = { (const uint8_t *)"a", 1 };
	ck_assert_int_eq(mrg_rt_tree_open(&t.tree, a, now_ns, &f), MRG_RT_FILE);
	kit_expect(f, "text");
	mrg_rt_tree_close(&t.tree, f);
	mrg_unix_tree_close(&t);
	mrg_unix_arena_close(&arena);
	kit_stop();
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("runtime/unix trees");
	TCase *const t = tcase_create("tree");
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, files_and_folders, 0, WAYS);
	tcase_add_loop_test(t, what_is_no_path, 0, WAYS);
	tcase_add_loop_test(t, links_that_stay_inside, 0, WAYS);
	tcase_add_loop_test(t, links_that_lead_out, 0, WAYS);
	tcase_add_loop_test(t, magic_links, 0, WAYS);
	tcase_add_loop_test(t, a_folder_replaced_by_a_link, 0, WAYS);
	tcase_add_loop_test(t, neither_files_nor_folders, 0, WAYS);
	tcase_add_loop_test(t, devices, 0, WAYS);
	tcase_add_loop_test(t, hidden_names, 0, WAYS);
	tcase_add_loop_test(t, permissions, 0, WAYS);
	tcase_add_loop_test(t, long_names, 0, WAYS);
	tcase_add_loop_test(t, octets_as_they_are, 0, WAYS);
	tcase_add_loop_test(t, the_folder_moves, 0, WAYS);
	tcase_add_loop_test(t, opening_a_tree_fails, 0, WAYS);
	tcase_add_loop_test(t, openat2_is_forbidden, 0, WAYS);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
