/*
 * runtime/unix: arenas, files, users, signals, threads, log lines.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unix/mrg_unix.h"

/* ---- arenas ---- */

START_TEST(arenas_are_reserved_not_taken)
{
	struct mrg_arena a;
	struct rusage before, after;
	(void)getrusage(RUSAGE_SELF, &before);
	ck_assert_int_eq(mrg_unix_arena_open(&a, (size_t)1 << 36, 1 << 24, 0), 0);
	ck_assert_uint_eq(a.cap, (size_t)1 << 36);
	ck_assert_uint_eq((uintptr_t)a.p % (2u << 20), 0);
	a.p[0] = 1;
	a.p[a.cap - 1] = 1;
	ck_assert_uint_eq(a.p[a.cap / 2], 0);
	(void)getrusage(RUSAGE_SELF, &after);
	ck_assert_int_lt(after.ru_maxrss - before.ru_maxrss, 1024);
	mrg_unix_arena_close(&a);
	ck_assert_ptr_null(a.p);
	mrg_unix_arena_close(&a);
}
END_TEST

START_TEST(a_reservation_too_big_is_halved_down_to_what_is_needed)
{
	struct mrg_arena a;
	ck_assert_int_eq(mrg_unix_arena_open(&a, (size_t)1 << 52, (size_t)1 << 52, (size_t)1 << 30), ENOMEM);
	ck_assert_int_eq(mrg_unix_arena_open(&a, (size_t)1 << 52, (size_t)1 << 30, (size_t)1 << 30), 0);
	ck_assert_uint_ge(a.cap, (size_t)1 << 30);
	ck_assert_uint_lt(a.cap, (size_t)1 << 52);
	mrg_unix_arena_close(&a);
}
END_TEST

/* ---- files ---- */

static char path[] = "/tmp/mrg-test-XXXXXX";

static void write_file(size_t len)
{
	strcpy(path + sizeof path - 7, "XXXXXX");
	const int fd = mkstemp(path);
	char *const p = malloc(len + 1);
	memset(p, 'z', len);
	ck_assert_int_eq(write(fd, p, len), (ssize_t)len);
	free(p);
	(void)close(fd);
}

START_TEST(files_are_read_with_a_nul_behind)
{
	static const size_t lengths[] = { 0, 1, 4094, 4095, 4096, 4097, 65534, 65535, 65536, 65537, 1000000 };
	struct mrg_unix_text t;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		write_file(lengths[i]);
		ck_assert_int_eq(mrg_unix_text_read(&t, path), 0);
		ck_assert_uint_eq(t.len, lengths[i]);
		ck_assert_uint_eq(strlen((char *)t.p), t.len);
		/* What was forgotten is not needed; what comes after it still is. */
		mrg_unix_text_forget(&t, t.len / 2);
		size_t kept = 0;
		for (size_t k = t.len / 2; k < t.len; k++)
			kept += t.p[k] == 'z';
		ck_assert_uint_eq(kept, t.len - t.len / 2);
		mrg_unix_text_close(&t);
		mrg_unix_text_close(&t);
		(void)unlink(path);
	}
}
END_TEST

START_TEST(pipes_are_read_to_their_end)
{
	struct mrg_unix_text t;
	char name[32];
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	if (fork() == 0) {
		char block[1000];
		memset(block, 'z', sizeof block);
		for (unsigned i = 0; i < 300; i++)
			(void)!write(ends[1], block, sizeof block);
		_exit(0);
	}
	(void)close(ends[1]);
	(void)snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
	ck_assert_int_eq(mrg_unix_text_read(&t, name), 0);
	ck_assert_uint_eq(t.len, 300000);
	ck_assert_uint_eq(strlen((char *)t.p), 300000);
	mrg_unix_text_close(&t);
	(void)close(ends[0]);
	(void)wait(NULL);
}
END_TEST

START_TEST(what_is_no_file_says_so)
{
	struct mrg_unix_text t;
	ck_assert_int_eq(mrg_unix_text_read(&t, "/no/such/file"), ENOENT);
	ck_assert_int_eq(mrg_unix_text_read(&t, "/tmp"), EISDIR);
	ck_assert_ptr_null(t.p);
}
END_TEST

/* ---- users ---- */

START_TEST(users_by_name_and_by_number)
{
	struct mrg_unix_user u;
	ck_assert_int_eq(mrg_unix_user_find("root", &u), 0);
	ck_assert_uint_eq(u.uid, 0);
	ck_assert_int_eq(mrg_unix_user_find("nobody", &u), 0);
	ck_assert_uint_eq(u.uid, 65534);
	ck_assert_uint_eq(u.gid, 65534);
	ck_assert_int_eq(mrg_unix_user_find("123", &u), 0);
	ck_assert_uint_eq(u.uid, 123);
	ck_assert_uint_eq(u.gid, 123);
	ck_assert_int_eq(mrg_unix_user_find("123:45", &u), 0);
	ck_assert_uint_eq(u.gid, 45);
	static const char *const none[] = { "", ":", "root:", "1:", ":1", "1:2:3", "4294967295",
		"99999999999", "noone-here", "nobod", "-1", "root:x" };
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		ck_assert_msg(mrg_unix_user_find(none[i], &u) == ENOENT, "'%s'", none[i]);
}
END_TEST

START_TEST(there_is_no_way_back)
{
	if (geteuid() != 0) {
		const struct mrg_unix_user other = { geteuid() + 1, getegid() };
		ck_assert_int_eq(mrg_unix_user_become(&other), EPERM);
		return;
	}
	const pid_t child = fork();
	if (child == 0) {
		const struct mrg_unix_user u = { 65534, 65534 };
		const gid_t others[2] = { 1, 2 };
		if (setgroups(2, others) != 0)
			_exit(2);
		const bool become = mrg_unix_user_become(&u) == 0;
		const bool right =
			getuid() == 65534 && geteuid() == 65534 && getgid() == 65534 && getegid() == 65534;
		const bool alone = getgroups(0, NULL) == 0;
		const bool back = setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0;
		_exit(become && right && alone && !back ? 0 : 1);
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* ---- signals ---- */

START_TEST(signals_are_read)
{
	enum mrg_unix_signal got;
	int fd;
	ck_assert_int_eq(mrg_unix_signals_open(&fd), 0);
	static const struct {
		int sent;
		enum mrg_unix_signal read;
	} pairs[] = { { SIGHUP, MRG_UNIX_RELOAD }, { SIGTERM, MRG_UNIX_STOP }, { SIGINT, MRG_UNIX_STOP } };
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(kill(getpid(), pairs[i].sent), 0);
		ck_assert_int_eq(mrg_unix_signals_wait(fd, &got), 0);
		ck_assert_int_eq(got, pairs[i].read);
	}
	ck_assert_int_eq(raise(SIGPIPE), 0);
	(void)close(fd);
	ck_assert_int_eq(mrg_unix_signals_wait(fd, &got), EBADF);
}
END_TEST

/* ---- threads, limits, log ---- */

static void add_one(void *ctx) { ++*(int *)ctx; }

START_TEST(threads_run_and_end)
{
	struct mrg_unix_thread t;
	int count = 0;
	ck_assert_int_eq(mrg_unix_thread_start(&t, add_one, &count), 0);
	mrg_unix_thread_join(&t);
	ck_assert_int_eq(count, 1);
}
END_TEST

START_TEST(open_files_are_raised_to_what_is_allowed)
{
	struct rlimit r;
	(void)getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = 64;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
	ck_assert_uint_eq(mrg_unix_files_max(), r.rlim_max);
	(void)getrlimit(RLIMIT_NOFILE, &r);
	ck_assert_uint_eq(r.rlim_cur, r.rlim_max);
}
END_TEST

START_TEST(log_lines_carry_the_time)
{
	char got[200] = "", want[64];
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	const time_t before = time(NULL);
	struct mrg_rt_line l;
	const struct mrg_rt_log log = { .ctx = &ends[1], .line = mrg_unix_log_line };
	mrg_rt_line_begin(&l, "info", "test");
	mrg_rt_log_line(&log, &l);
	const time_t after = time(NULL);
	ck_assert_int_gt(read(ends[0], got, sizeof got - 1), 0);
	bool found = false;
	for (time_t t = before; t <= after; t++) {
		struct tm tm;
		(void)gmtime_r(&t, &tm);
		(void)strftime(want, sizeof want, "time=%Y-%m-%dT%H:%M:%SZ level=info event=test\n", &tm);
		found = found || strcmp(got, want) == 0;
	}
	ck_assert_msg(found, "%s", got);
	(void)close(ends[0]);
	(void)close(ends[1]);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("runtime/unix process");
	TCase *const t = tcase_create("process");
	tcase_add_test(t, arenas_are_reserved_not_taken);
	tcase_add_test(t, a_reservation_too_big_is_halved_down_to_what_is_needed);
	tcase_add_test(t, files_are_read_with_a_nul_behind);
	tcase_add_test(t, pipes_are_read_to_their_end);
	tcase_add_test(t, what_is_no_file_says_so);
	tcase_add_test(t, users_by_name_and_by_number);
	tcase_add_test(t, there_is_no_way_back);
	tcase_add_test(t, signals_are_read);
	tcase_add_test(t, threads_run_and_end);
	tcase_add_test(t, open_files_are_raised_to_what_is_allowed);
	tcase_add_test(t, log_lines_carry_the_time);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
