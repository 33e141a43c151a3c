/*
 * The calls of a server that is locked in: which these are, and the table of system calls that gets along with them.
 * Reading order: the table, mrg_unix_calls_of.
 */
#include <errno.h>
#include <linux/close_range.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "unix/mrg_unix_sandbox.h"

/* ---- the table ---- */

/* Nothing is in it: waiting for it is waiting for a time. */
static int pause_fd = -1;

/* Without a call that says when a socket has room, the time that one may take has to do. */
static int pause_for(int fd, int timeout_ms)
{
	struct epoll_event none;
	(void)fd;
	return mrg_unix_kernel.epoll_wait(
		pause_fd, &none, 1, (uint64_t)timeout_ms * (MRG_RT_SECOND_NS / 1000u));
}

/* Sockets of loops are non-blocking, whatever the flags. */
static ssize_t few_recv(int fd, void *p, size_t cap, int flags)
{
	(void)flags;
	return mrg_unix_read(fd, p, cap);
}

/* The rest of a last packet may come in one of its own then: MSG_MORE has no place in writev. */
static ssize_t few_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	(void)flags;
	return writev(fd, msg->msg_iov, (int)msg->msg_iovlen);
}

static int few_epoll_wait(int fd, struct epoll_event *events, int count, uint64_t wait_ns)
{
	return mrg_unix_kernel.epoll_wait(fd, events, count, wait_ns);
}

const struct mrg_unix_sys mrg_unix_few = {
	.recvmmsg = recvmmsg,
	.sendmmsg = sendmmsg,
	.recv = few_recv,
	.sendmsg = few_sendmsg,
	.sendfile = sendfile, /* nobody asks for this or for connect: the filter knows neither */
	.accept4 = accept4,
	.connect = connect,
	.epoll_wait = few_epoll_wait,
	.wait_writable = pause_for,
	.now_ns = mrg_unix_now_ns,
};

int mrg_unix_few_begin(struct mrg_unix_set *waits)
{
	if (pause_fd < 0)
		pause_fd = epoll_create1(EPOLL_CLOEXEC);
	mrg_unix_set_add(waits, pause_fd);
	return pause_fd >= 0 ? 0 : errno;
}

/* ---- which calls ---- */

static struct mrg_unix_arg in(unsigned index, const struct mrg_unix_set *set)
{
	return (struct mrg_unix_arg){ MRG_UNIX_MUST_BE_IN, index, set };
}

static struct mrg_unix_arg out_of(unsigned index, const struct mrg_unix_set *set)
{
	return (struct mrg_unix_arg){ MRG_UNIX_MUST_NOT_BE_IN, index, set };
}

static struct mrg_unix_arg null(unsigned index)
{
	return (struct mrg_unix_arg){ MRG_UNIX_MUST_BE_NULL, index, NULL };
}

/* Numbers that arguments must be. */
enum number { CLOCKS, WATCH_WAYS, ACCEPT_FLAGS, SHUT_WAYS, NO_WAIT, AT_ZERO, LOCK_WAYS, NUMBERS };

static void fill_numbers(struct mrg_unix_set *n)
{
	enum { FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129 }; /* linux/futex.h */
	mrg_unix_set_add(&n[CLOCKS], CLOCK_MONOTONIC);
	mrg_unix_set_add(&n[CLOCKS], CLOCK_REALTIME);
	mrg_unix_set_add(&n[CLOCKS], CLOCK_REALTIME_COARSE);
	mrg_unix_set_add(&n[WATCH_WAYS], EPOLL_CTL_ADD);
	mrg_unix_set_add(&n[WATCH_WAYS], EPOLL_CTL_MOD);
	mrg_unix_set_add(&n[ACCEPT_FLAGS], SOCK_NONBLOCK | SOCK_CLOEXEC);
	mrg_unix_set_add(&n[SHUT_WAYS], SHUT_WR);
	mrg_unix_set_add(&n[NO_WAIT], MSG_DONTWAIT);
	mrg_unix_set_add(&n[AT_ZERO], 0);
	mrg_unix_set_add(&n[LOCK_WAYS], FUTEX_WAIT_PRIVATE);
	mrg_unix_set_add(&n[LOCK_WAYS], FUTEX_WAKE_PRIVATE);
}

/* Where connections of the kernel's are: any descriptor that is none of those kept, since they come and go. */
static void fill_kept(struct mrg_unix_open *o)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		mrg_unix_set_add(&o->kept, fd);
	mrg_unix_set_add_all(&o->kept, &o->waits);
	mrg_unix_set_add_all(&o->kept, &o->wakes);
	mrg_unix_set_add_all(&o->kept, &o->signals);
	mrg_unix_set_add_all(&o->kept, &o->logs);
	mrg_unix_set_add_all(&o->kept, &o->devices);
	mrg_unix_set_add_all(&o->kept, &o->tapes);
	mrg_unix_set_add_all(&o->readable, &o->signals);
	mrg_unix_set_add_all(&o->readable, &o->wakes);
	mrg_unix_set_add_all(&o->readable, &o->devices);
	mrg_unix_set_add_all(&o->writable, &o->logs);
	mrg_unix_set_add_all(&o->writable, &o->wakes);
	mrg_unix_set_add_all(&o->writable, &o->devices);
	mrg_unix_set_add_all(&o->shut, &o->datagrams);
	mrg_unix_set_add_all(&o->shut, &o->devices);
	mrg_unix_set_add_all(&o->shut, &o->tapes);
}

struct list {
	struct mrg_unix_call *out;
	size_t count;
};

static void add(struct list *l, long number, const struct mrg_unix_arg *args, size_t count)
{
	struct mrg_unix_call *const call = &l->out[l->count++];
	*call = (struct mrg_unix_call){ .number = number };
	for (size_t i = 0; i < count; i++)
		call->arg[i] = args[i];
}

static void add_one(struct list *l, long number, struct mrg_unix_arg arg) { add(l, number, &arg, 1); }

/* Kernels before 5.11 say that they don't know the first of these, and have the second. */
static void add_waiting(struct list *l, const struct mrg_unix_open *o)
{
	const struct mrg_unix_arg args[] = { in(0, &o->waits), null(4) };
	struct epoll_event none;
	add(l, SYS_epoll_pwait2, args, 2);
	if (epoll_pwait2(-1, &none, 1, NULL, NULL) >= 0 || errno != ENOSYS)
		return;
#ifdef SYS_epoll_wait
	add(l, SYS_epoll_wait, args, 1);
#else
	add(l, SYS_epoll_pwait, args, 2);
#endif
}

static void add_connections(struct list *l, const struct mrg_unix_open *o)
{
	const struct mrg_unix_arg socket = out_of(0, &o->kept);
	const struct mrg_unix_arg watch[] = { in(0, &o->waits), in(1, &o->numbers[WATCH_WAYS]),
		out_of(2, &o->kept) };
	const struct mrg_unix_arg accepted[] = { in(0, &o->listeners), in(3, &o->numbers[ACCEPT_FLAGS]) };
	const struct mrg_unix_arg shut[] = { socket, in(1, &o->numbers[SHUT_WAYS]) };
	add_one(l, SYS_readv, socket);
	add_one(l, SYS_writev, socket);
	add_one(l, SYS_close, socket);
	add(l, SYS_epoll_ctl, watch, 3);
	add(l, SYS_accept4, accepted, 2);
	add(l, SYS_shutdown, shut, 2);
}

static void add_datagrams(struct list *l, const struct mrg_unix_open *o)
{
	const struct mrg_unix_arg args[] = { in(0, &o->datagrams), in(3, &o->numbers[NO_WAIT]), null(4) };
	add(l, SYS_recvmmsg, args, 3);
	add(l, SYS_sendmmsg, args, 2);
}

static void add_tapes(struct list *l, const struct mrg_unix_open *o)
{
	const struct mrg_unix_arg cut[] = { in(0, &o->tapes), in(1, &o->numbers[AT_ZERO]) };
	add(l, SYS_ftruncate, cut, 2);
	add_one(l, SYS_pwrite64, in(0, &o->tapes));
}

size_t mrg_unix_calls_of(struct mrg_unix_open *o, struct mrg_unix_call out[MRG_UNIX_CALLS_MAX])
{
	struct list l = { .out = out };
	_Static_assert((size_t)NUMBERS <= sizeof o->numbers / sizeof o->numbers[0], "room for all");
	fill_numbers(o->numbers);
	fill_kept(o);
	/* Those that are called most come first: the filter looks from the front. */
	if (o->datagrams.count != 0)
		add_datagrams(&l, o);
	add_one(&l, SYS_readv, in(0, &o->readable));
	add_one(&l, SYS_writev, in(0, &o->writable));
	add_waiting(&l, o);
	if (o->listeners.count != 0)
		add_connections(&l, o);
	if (o->shut.count != 0)
		add_one(&l, SYS_close, in(0, &o->shut));
	if (o->tapes.count != 0)
		add_tapes(&l, o);
	if (o->locks)
		add_one(&l, SYS_futex, in(1, &o->numbers[LOCK_WAYS]));
	/* The clock is read without a call, but not from every source of time, and the kernel may change to another at any time. */
	add_one(&l, SYS_clock_gettime, in(0, &o->numbers[CLOCKS]));
	add(&l, SYS_exit_group, NULL, 0);
	return l.count;
}

/* ---- what else is open ---- */

static void close_all(uint32_t from, uint32_t to)
{
	if (from <= to)
		(void)syscall(SYS_close_range, from, to,
			0); /* before Linux 5.9 they stay open, without a call for them */
}

void mrg_unix_open_only(const struct mrg_unix_open *o)
{
	static struct mrg_unix_set known;
	uint32_t from = 0;
	known = o->kept;
	mrg_unix_set_add_all(&known, &o->listeners);
	mrg_unix_set_add_all(&known, &o->datagrams);
	for (size_t i = 0; i < known.count; i++) {
		if (known.range[i].from > from)
			close_all(from, known.range[i].from - 1u);
		from = known.range[i].to + 1u;
	}
	close_all(from, UINT32_MAX);
}
