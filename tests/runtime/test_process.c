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
	ck_assert_int_eq(mrg_unix_arena_open(&a, (size_t)1 << 36, 1 << 24), 0);
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
	/* a size that is not whole pages is rounded up, and all of it can be given back */
	ck_assert_int_eq(mrg_unix_arena_open(&a, ((size_t)1 << 24) + 5, 1 << 20), 0);
	ck_assert_uint_eq(a.cap, ((size_t)1 << 24) + 4096);
	uint8_t *const p = a.p;
	const size_t cap = a.cap;
	mrg_unix_arena_close(&a);
	ck_assert_int_eq(msync(p, cap, MS_ASYNC), -1);
	ck_assert_int_eq(errno, ENOMEM);
}
END_TEST

START_TEST(a_reservation_too_big_is_halved_down_to_what_is_needed)
{
	struct mrg_arena a;
	ck_assert_int_eq(mrg_unix_arena_open(&a, (size_t)1 << 52, (size_t)1 << 52), ENOMEM);
	ck_assert_int_eq(mrg_unix_arena_open(&a, (size_t)1 << 52, (size_t)1 << 30), 0);
	ck_assert_uint_ge(a.cap, (size_t)1 << 30);
	ck_assert_uint_lt(a.cap, (size_t)1 << 52);
	mrg_unix_arena_close(&a);
}
END_TEST

/* What is expected takes no memory before it is used, and none above the last whole huge page. */
START_TEST(arenas_are_told_what_to_expect)
{
	enum { HUGE = 2 << 20 };
	static const size_t lengths[] = { 0, 1, HUGE - 1, HUGE, 3 * HUGE + 5, SIZE_MAX };
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		struct mrg_arena a;
		struct rusage before, after;
		ck_assert_int_eq(mrg_unix_arena_open(&a, 8 * HUGE, 8 * HUGE), 0);
		(void)getrusage(RUSAGE_SELF, &before);
		a.len = 1;
		mrg_unix_arena_expect(&a, lengths[i]);
		a.p[0] = 1;
		if (lengths[i] < a.cap)
			a.p[lengths[i] / HUGE * HUGE] = 1;
		(void)getrusage(RUSAGE_SELF, &after);
		ck_assert_int_lt(after.ru_maxrss - before.ru_maxrss, 1024);
		a.p[a.cap - 1] = 1;
		ck_assert_uint_eq(a.p[HUGE + 1], 0);
		mrg_unix_arena_close(&a);
	}
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

/* A file of `count` lines, the i-th of i % 100 'z' and a line feed; its last line without one if `open`. */
static void write_lines(unsigned count, bool open)
{
	strcpy(path + sizeof path - 7, "XXXXXX");
	FILE *const f = fdopen(mkstemp(path), "w");
	for (unsigned i = 0; i < count; i++)
		for (unsigned k = 0; k <= i % 100; k++)
			(void)putc(k < i % 100 ? 'z' : '\n', f);
	if (open)
		(void)fputs("the end", f);
	(void)fclose(f);
}

/* Read on and compare what comes with the file, keeping the last `keep` bytes; returns the bytes so far. */
static size_t read_on(struct mrg_unix_lines *l, FILE *beside, struct mrg_span *text, bool stay, size_t keep)
{
	const uint8_t *const before = text->p;
	const size_t drop = text->len > keep ? text->len - keep : 0, kept = text->len - drop;
	*text = (struct mrg_span){ text->p + drop, kept };
	uint8_t first[16];
	memcpy(first, text->p, kept);
	ck_assert_int_eq(mrg_unix_lines_more(l, text, stay), 0);
	ck_assert(!stay || text->p == before + drop);
	ck_assert_mem_eq(text->p, first, kept);
	ck_assert_uint_eq(text->p[text->len], 0);
	size_t other = 0;
	for (size_t i = kept; i < text->len; i++)
		other += text->p[i] != getc(beside);
	ck_assert_uint_eq(other, 0);
	return text->len - kept;
}

START_TEST(lines_are_read_a_piece_at_a_time)
{
	for (unsigned round = 0; round < 4; round++) {
		const bool open = round & 1, stay = round & 2;
		struct mrg_unix_lines l;
		size_t got, pieces = 0;
		write_lines(40000, open);
		FILE *const beside = fopen(path, "r");
		ck_assert_int_eq(mrg_unix_lines_open(&l, path), 0);
		struct mrg_span text = { l.p, 0 };
		while ((got = read_on(&l, beside, &text, stay, pieces % 16)) != 0) {
			if (text.p[text.len - 1] != '\n') /* only at the end may a line be open */
				ck_assert(open && getc(beside) == EOF);
			pieces++;
		}
		ck_assert_int_eq(getc(beside), EOF);
		ck_assert_uint_gt(pieces, 4);
		/* at the end it stays ended */
		ck_assert_uint_eq(read_on(&l, beside, &text, stay, 3), 0);
		mrg_unix_lines_close(&l);
		mrg_unix_lines_close(&l);
		(void)fclose(beside);
		(void)unlink(path);
	}
}
END_TEST

START_TEST(one_line_may_be_the_whole_file)
{
	struct mrg_unix_lines l;
	write_file(1000000);
	ck_assert_int_eq(mrg_unix_lines_open(&l, path), 0);
	struct mrg_span text = { l.p, 0 };
	ck_assert_int_eq(mrg_unix_lines_more(&l, &text, false), 0);
	ck_assert_uint_eq(text.len, 1000000);
	ck_assert_uint_eq(strlen((const char *)text.p), 1000000);
	mrg_unix_lines_close(&l);
	(void)unlink(path);
}
END_TEST

START_TEST(lines_of_a_file_that_grows_end_somewhere)
{
	struct mrg_unix_lines l;
	write_lines(1, true);
	ck_assert_int_eq(mrg_unix_lines_open(&l, path), 0);
	(void)unlink(path);
	struct mrg_span text = { l.p, 0 };
	ck_assert_int_eq(mrg_unix_lines_more(&l, &text, true), 0);
	ck_assert_int_eq(ftruncate(l.fd, 0), -1); /* it can only be read */
	char name[32];
	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", l.fd);
	const int fd = open(name, O_WRONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, 10000000), 0);
	(void)close(fd);
	const size_t had = text.len;
	ck_assert_int_eq(mrg_unix_lines_more(&l, &text, true), EFBIG);
	ck_assert_uint_eq(text.len, had);
	mrg_unix_lines_close(&l);
}
END_TEST

START_TEST(what_is_no_file_says_so)
{
	struct mrg_unix_lines l;
	ck_assert_int_eq(mrg_unix_lines_open(&l, "/no/such/file"), ENOENT);
	ck_assert_int_eq(mrg_unix_lines_open(&l, "/tmp"), EISDIR);
	ck_assert_ptr_null(l.p);
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
	} pairs[] = { { SIGHUP, MRG_UNIX_RELOAD }, { SIGTERM, MRG_UNIX_STOP }, { SIGINT, MRG_UNIX_STOP },
		{ SIGUSR2, MRG_UNIX_RECORD } };
	for (size_t i = 0; i < 4; i++) {
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
	struct timespec before, after; /* by the clock that lines have: time() may be a tick behind it */
	ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &before), 0);
	struct mrg_rt_line l;
	const struct mrg_rt_log log = { .ctx = &ends[1], .line = mrg_unix_log_line };
	mrg_rt_line_begin(&l, "info", "test");
	mrg_rt_log_line(&log, &l);
	ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &after), 0);
	ck_assert_int_gt(read(ends[0], got, sizeof got - 1), 0);
	bool found = false;
	for (time_t t = before.tv_sec; t <= after.tv_sec; t++) {
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
	tcase_add_test(t, arenas_are_told_what_to_expect);
	tcase_add_test(t, files_are_read_with_a_nul_behind);
	tcase_add_test(t, pipes_are_read_to_their_end);
	tcase_add_test(t, lines_are_read_a_piece_at_a_time);
	tcase_add_test(t, one_line_may_be_the_whole_file);
	tcase_add_test(t, lines_of_a_file_that_grows_end_somewhere);
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
