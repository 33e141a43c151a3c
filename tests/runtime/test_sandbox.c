/*
 * runtime/unix: processes that lock themselves in, against the kernel: a child for each system call there is, with the calls that are
 * allowed, and with other arguments; Landlock by itself; threads.
 *
 * Builds with sanitizers can't be locked in; there it is tested that they say so. What the filter is made of is test_filter's.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unix/mrg_unix_sandbox.h"

enum {
	DONE = 77,      /* a child's exit code after what it was to do */
	LAST_CALL = 600 /* more than any kernel has yet */
};

/* ---- a child that is locked in as a server on its own stack is ---- */

static struct mrg_unix_open box;
static int wait_fd, wake_fd, signal_fd, log_fd, device_fd, other_fd, other_wait_fd;

static void open_all(void)
{
	int log[2], device[2];
	sigset_t none;
	(void)sigemptyset(&none);
	ck_assert_int_eq(pipe2(log, O_CLOEXEC), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, device), 0);
	wait_fd = epoll_create1(EPOLL_CLOEXEC);
	other_wait_fd = epoll_create1(EPOLL_CLOEXEC);
	wake_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	signal_fd = signalfd(-1, &none, SFD_CLOEXEC | SFD_NONBLOCK);
	log_fd = log[1];
	device_fd = device[0];
	other_fd = device[1];
	box = (struct mrg_unix_open){ .locks = false };
	mrg_unix_set_add(&box.waits, wait_fd);
	mrg_unix_set_add(&box.wakes, wake_fd);
	mrg_unix_set_add(&box.signals, signal_fd);
	mrg_unix_set_add(&box.logs, log_fd);
	mrg_unix_set_add(&box.devices, device_fd);
}

static _Noreturn void leave(int code)
{
	for (;;)
		(void)syscall(SYS_exit_group, code);
}

static void lock_in(void)
{
	struct mrg_unix_call calls[MRG_UNIX_CALLS_MAX];
	struct mrg_unix_walls walls;
	if (mrg_unix_walls_raise(&walls) != 0)
		leave(2);
	if (mrg_unix_filter_set(calls, mrg_unix_calls_of(&box, calls), MRG_UNIX_KILL) != 0)
		leave(3);
}

static int status_of(pid_t pid)
{
	int status = 0;
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

struct call {
	long number;
	long arg[6];
};

/* What becomes of a child that is locked in, makes this call and leaves. */
static int after(const struct call *c)
{
	const pid_t pid = fork();
	if (pid == 0) {
		lock_in();
		(void)syscall(c->number, c->arg[0], c->arg[1], c->arg[2], c->arg[3], c->arg[4], c->arg[5]);
		leave(DONE);
	}
	return status_of(pid);
}

static bool was_killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS; }
static bool went_on(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == DONE; }

/* ---- every call ---- */

/* With arguments that none of them can do anything with, in case one is let through. */
static struct call harmless(long number) { return (struct call){ number, { -1, -1, -1, -1, -1, -1 } }; }

/*
 * Two calls of x86-64 pass every filter, since the kernel puts them into a program that is probed: uretprobe (335, since 6.11) and uprobe (336,
 * since 6.18). From anywhere else the one ends the process by SIGILL, and the other fails with ENXIO.
 */
static bool is_probe(long number, int status)
{
#if defined __x86_64__
	enum { URETPROBE = 335, UPROBE = 336 };
	return (number == URETPROBE && WIFSIGNALED(status) && WTERMSIG(status) == SIGILL) ||
	       (number == UPROBE && went_on(status));
#else
	(void)number;
	(void)status;
	return false;
#endif
}

START_TEST(every_other_call_is_the_end)
{
	open_all();
	for (long n = 0; n < LAST_CALL; n++) {
		const struct call c = harmless(n);
		const int status = after(&c);
		if (n == SYS_exit_group)
			ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 255, "exit_group");
		else
			ck_assert_msg(was_killed(status) || is_probe(n, status), "call %ld: status %x", n,
				(unsigned)status);
	}
}
END_TEST

#if defined __x86_64__
START_TEST(other_ways_into_the_kernel_are_the_end)
{
	open_all();
	for (long n = 0; n < LAST_CALL; n++) {
		const struct call c = harmless(n | 1 << 30); /* x32 */
		const int status = after(&c);
		ck_assert_msg(was_killed(status), "call %ld of x32: status %x", n, (unsigned)status);
	}
	/* Those of 32 bits: 146 is writev there, 252 exit_group, 20 getpid. A kernel without them ends it another way. */
	static const int old[] = { 1, 3, 4, 20, 146, 145, 252 };
	for (size_t i = 0; i < sizeof old / sizeof old[0]; i++) {
		const pid_t pid = fork();
		if (pid == 0) {
			int got = old[i];
			lock_in();
			__asm__ volatile("int $0x80" : "+a"(got) : "b"(log_fd), "c"(0), "d"(0) : "memory");
			leave(DONE);
		}
		const int status = status_of(pid);
		ck_assert_msg(was_killed(status) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV),
			"call %d of 32 bits: status %x", old[i], (unsigned)status);
	}
}
END_TEST
#endif

/* ---- what is allowed, and the same with other arguments ---- */

static char bytes[8];
static const struct iovec part = { bytes, sizeof bytes };
static struct timespec now, at_once;
static struct epoll_event event;

START_TEST(what_is_allowed_goes_on)
{
	open_all();
	const long p = (long)(uintptr_t)&part;
	const struct call good[] = {
		{ SYS_readv, { wake_fd, p, 1 } },
		{ SYS_readv, { signal_fd, p, 1 } },
		{ SYS_readv, { device_fd, p, 1 } },
		{ SYS_readv, { device_fd | 1L << 32, p,
				     1 } }, /* of a descriptor the kernel looks at the lower half only */
		{ SYS_writev, { log_fd, p, 1 } },
		{ SYS_writev, { wake_fd, p, 1 } },
		{ SYS_writev, { device_fd, p, 1 } },
		{ SYS_epoll_pwait2,
			{ wait_fd, (long)(uintptr_t)&event, 1, (long)(uintptr_t)&at_once, 0, 8 } },
		{ SYS_close, { device_fd } },
		{ SYS_clock_gettime, { CLOCK_MONOTONIC, (long)(uintptr_t)&now } },
		{ SYS_clock_gettime, { CLOCK_REALTIME, (long)(uintptr_t)&now } },
		{ SYS_clock_gettime, { CLOCK_REALTIME_COARSE, (long)(uintptr_t)&now } },
	};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		ck_assert_msg(went_on(after(&good[i])), "call %ld, case %zu", good[i].number, i);
}
END_TEST

START_TEST(other_arguments_are_the_end)
{
	open_all();
	const long p = (long)(uintptr_t)&part, e = (long)(uintptr_t)&event, t = (long)(uintptr_t)&now;
	const struct call bad[] = {
		{ SYS_readv, { log_fd, p, 1 } }, { SYS_readv, { STDIN_FILENO, p, 1 } },
		{ SYS_readv, { other_fd, p, 1 } }, { SYS_readv, { -1, p, 1 } },
		{ SYS_writev, { signal_fd, p, 1 } }, { SYS_writev, { STDOUT_FILENO, p, 1 } },
		{ SYS_writev, { STDERR_FILENO, p, 1 } }, { SYS_writev, { other_fd, p, 1 } },
		{ SYS_epoll_pwait2, { other_wait_fd, e, 1, (long)(uintptr_t)&at_once, 0, 8 } },
		{ SYS_epoll_pwait2, { wait_fd, e, 1, (long)(uintptr_t)&at_once, t,
					    8 } }, /* signals that would come then */
		{ SYS_epoll_pwait2, { wait_fd, e, 1, (long)(uintptr_t)&at_once, 1L << 32, 8 } },
		{ SYS_close, { log_fd } }, { SYS_close, { wait_fd } }, { SYS_close, { other_fd } },
		{ SYS_clock_gettime, { CLOCK_PROCESS_CPUTIME_ID, t } },
		{ SYS_clock_gettime, { -6, t } }, /* the time that another process has taken */
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(was_killed(after(&bad[i])), "call %ld, case %zu", bad[i].number, i);
}
END_TEST

START_TEST(the_end_leaves_no_core)
{
	struct call c = harmless(SYS_getpid);
	open_all();
	const int status = after(&c);
	ck_assert(was_killed(status));
	ck_assert(!WCOREDUMP(status));
}
END_TEST

/* For tests a refused call can fail instead. */
START_TEST(refused_calls_may_fail)
{
	const pid_t pid = fork();
	if (pid == 0) {
		const struct mrg_unix_call one = { .number = SYS_exit_group };
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
			mrg_unix_filter_set(&one, 1, MRG_UNIX_FAIL) != 0)
			leave(2);
		leave(syscall(SYS_getpid) == -1 && errno == EPERM ? DONE : 3);
	}
	ck_assert(went_on(status_of(pid)));
}
END_TEST

/* ---- threads ---- */

static void call_when_told(void *ctx)
{
	struct mrg_unix_bell *const told = ctx;
	mrg_unix_bell_wait(told);
	(void)syscall(SYS_getpid);
	leave(DONE);
}

START_TEST(threads_are_locked_in_too)
{
	struct mrg_unix_bell told;
	struct mrg_unix_thread thread;
	open_all();
	ck_assert_int_eq(mrg_unix_bell_open(&told), 0);
	mrg_unix_set_add(&box.wakes, told.fd);
	const pid_t pid = fork();
	if (pid == 0) {
		if (mrg_unix_thread_start(&thread, call_when_told, &told) != 0)
			leave(4);
		lock_in();
		mrg_unix_bell_ring(&told);
		for (;;) /* it is the other one that ends this */
			(void)mrg_unix_kernel.epoll_wait(wait_fd, &event, 1, MRG_RT_NEVER);
	}
	ck_assert(was_killed(status_of(pid)));
}
END_TEST

/* ---- Landlock by itself ---- */

static int listener(struct sockaddr_in *at)
{
	socklen_t len = sizeof *at;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)at, sizeof *at), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)at, &len), 0);
	return fd;
}

static bool fails_with(long got, int err) { return got == -1 && errno == err; }

/* 0 when all that this version of Landlock knows is refused, else the number of what is not. */
static int look_around(unsigned version, int open_before, const struct sockaddr_in *tcp)
{
	const struct sockaddr *const to = (const struct sockaddr *)tcp;
	char c;
	if (version >= 1 && !fails_with(open("/etc/passwd", O_RDONLY | O_CLOEXEC), EACCES))
		return 11;
	if (version >= 1 && !fails_with(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), EACCES))
		return 12;
	if (version >= 1 && !fails_with(mkdir("/tmp/mrg-never", 0700), EACCES))
		return 13;
	if (version >= 1 && !fails_with(execl("/bin/true", "true", (char *)NULL), EACCES))
		return 14;
	if (read(open_before, &c, 1) != 1)
		return 15; /* what was open stays so */
	if (version >= 4 && !fails_with(connect(socket(AF_INET, SOCK_STREAM, 0), to, sizeof *tcp), EACCES))
		return 16;
	const struct sockaddr_in any = { .sin_family = AF_INET };
	if (version >= 4 &&
		!fails_with(bind(socket(AF_INET, SOCK_STREAM, 0), (const struct sockaddr *)&any, sizeof any),
			EACCES))
		return 17;
	if (version >= 6 && !fails_with(kill(getppid(), 0), EPERM))
		return 18;
	return DONE;
}

START_TEST(landlock_holds_by_itself)
{
	struct sockaddr_in tcp;
	const int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	(void)listener(&tcp);
	const pid_t pid = fork();
	if (pid == 0) {
		unsigned version = 0;
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || mrg_unix_walls_landlock(&version) != 0)
			leave(2);
		leave(look_around(version, fd, &tcp));
	}
	const int status = status_of(pid);
	ck_assert_msg(went_on(status), "status %x", (unsigned)status);
}
END_TEST

/* ---- the rest of the walls ---- */

static int look_at_walls(void)
{
	struct rlimit core, files;
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 21;
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 22;
	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0)
		return 23;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur != 50 || files.rlim_max != 50)
		return 24;
	if (syscall(SYS_capget, &head, data) != 0)
		return 25;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		if (data[i].effective != 0 || data[i].permitted != 0 || data[i].inheritable != 0)
			return 26;
	return DONE;
}

START_TEST(walls_stand)
{
	const pid_t pid = fork();
	if (pid == 0) {
		struct mrg_unix_walls walls;
		const struct rlimit before = { 50, 60 }, cores = { 1 << 20, 1 << 20 };
		(void)setrlimit(RLIMIT_CORE, &cores); /* without rights it may be 0 already */
		if (setrlimit(RLIMIT_NOFILE, &before) != 0)
			leave(2);
		leave(mrg_unix_walls_raise(&walls) == 0 && walls.failed == NULL ? look_at_walls() : 3);
	}
	const int status = status_of(pid);
	ck_assert_msg(went_on(status), "status %x", (unsigned)status);
}
END_TEST

/* In a process that is locked in already each step fails, and it is said which; without Landlock it goes on. */
START_TEST(walls_say_where_they_fail)
{
	const pid_t pid = fork();
	if (pid == 0) {
		const struct mrg_unix_call some[] = { { .number = SYS_exit_group }, { .number = SYS_prctl } };
		struct mrg_unix_walls walls;
		unsigned version = 1;
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
			mrg_unix_filter_set(some, 2, MRG_UNIX_FAIL) != 0)
			leave(2);
		if (mrg_unix_walls_raise(&walls) != EPERM || strcmp(walls.failed, "setrlimit") != 0)
			leave(3);
		if (mrg_unix_walls_landlock(&version) != 0 || version != 0)
			leave(4);
		leave(mrg_unix_filter_set(some, 2, MRG_UNIX_FAIL) == EPERM ? DONE : 5);
	}
	const int status = status_of(pid);
	ck_assert_msg(went_on(status), "status %x", (unsigned)status);
}
END_TEST

/* ---- what else is open ---- */

START_TEST(nothing_else_stays_open)
{
	open_all();
	const pid_t pid = fork();
	if (pid == 0) {
		struct mrg_unix_call calls[MRG_UNIX_CALLS_MAX];
		const int kept[] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, wait_fd, wake_fd, signal_fd,
			log_fd, device_fd };
		const int gone[] = { other_fd, other_wait_fd, 900 };
		if (dup2(log_fd, 900) != 900)
			leave(2);
		(void)mrg_unix_calls_of(&box, calls);
		mrg_unix_open_only(&box);
		for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
			if (fcntl(kept[i], F_GETFD) < 0)
				leave(3);
		for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
			if (fcntl(gone[i], F_GETFD) >= 0)
				leave(4);
		leave(DONE);
	}
	const int status = status_of(pid);
	ck_assert_msg(went_on(status), "status %x", (unsigned)status);
}
END_TEST

/* ---- the table ---- */

START_TEST(the_table_does_the_same)
{
	static struct mrg_unix_set waits;
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	char got[8];
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const struct mrg_unix_sys *const few = &mrg_unix_few;
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	ck_assert_int_eq(sendto(fd, "three", 3, MSG_DONTWAIT, (const struct sockaddr *)&at, len), 3);
	ck_assert_int_eq(few->recv(fd, got, sizeof got, MSG_DONTWAIT), 3);
	ck_assert_int_eq(memcmp(got, "thr", 3), 0);
	ck_assert_int_eq(few->recv(fd, got, sizeof got, MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(mrg_unix_few_begin(&waits), 0);
	ck_assert_uint_eq(waits.count, 1);
	ck_assert_int_eq(few->wait_writable(fd, 1), 0); /* after so long, whether there is room or not */
}
END_TEST

START_TEST(sanitizers_are_told_of)
{
#if defined __SANITIZE_ADDRESS__
	ck_assert_ptr_nonnull(mrg_unix_sandbox_why_not());
#else
	ck_assert_ptr_null(mrg_unix_sandbox_why_not());
#endif
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("runtime/unix sandbox");
	TCase *const t = tcase_create("sandbox");
	tcase_set_timeout(t, 300);
	tcase_add_test(t, sanitizers_are_told_of);
	tcase_add_test(t, the_table_does_the_same);
	tcase_add_test(t, nothing_else_stays_open);
	if (mrg_unix_sandbox_why_not() == NULL) {
		tcase_add_test(t, every_other_call_is_the_end);
#if defined __x86_64__
		tcase_add_test(t, other_ways_into_the_kernel_are_the_end);
#endif
		tcase_add_test(t, what_is_allowed_goes_on);
		tcase_add_test(t, other_arguments_are_the_end);
		tcase_add_test(t, the_end_leaves_no_core);
		tcase_add_test(t, refused_calls_may_fail);
		tcase_add_test(t, threads_are_locked_in_too);
		tcase_add_test(t, landlock_holds_by_itself);
		tcase_add_test(t, walls_stand);
		tcase_add_test(t, walls_say_where_they_fail);
	}
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
