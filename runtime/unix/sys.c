/*
 * The kernel's own table of system calls, and the clock.
 */
#include <errno.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <time.h>

#include "unix/mrg_unix.h"

uint64_t mrg_unix_now_ns(void)
{
	struct timespec t = { 0 };
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * MRG_RT_SECOND_NS + (uint64_t)t.tv_nsec;
}

uint64_t mrg_unix_time_s(void)
{
	struct timespec t = { 0 };
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &t);
	return t.tv_sec < 0 ? 0 : (uint64_t)t.tv_sec;
}

uint64_t mrg_unix_time_ns(void)
{
	struct timespec t = { 0 };
	(void)clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec < 0 ? 0 : (uint64_t)t.tv_sec * MRG_RT_SECOND_NS + (uint64_t)t.tv_nsec;
}

ssize_t mrg_unix_read(int fd, void *p, size_t cap)
{
	const struct iovec part = { p, cap };
	return readv(fd, &part, 1);
}

ssize_t mrg_unix_write(int fd, const void *p, size_t len)
{
	struct iovec part = { .iov_len = len };
	memcpy(&part.iov_base, &p, sizeof p); /* the kernel only reads; its type serves both directions */
	return writev(fd, &part, 1);
}

static int wait_writable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	return poll(&p, 1, timeout_ms);
}

/* Kernels before 5.11 wait for whole milliseconds: rounded up, so that the timer is due when we wake. */
static int wait_ms(int fd, struct epoll_event *events, int count, uint64_t wait_ns)
{
	if (wait_ns == MRG_RT_NEVER)
		return epoll_wait(fd, events, count, -1);
	const uint64_t ms = wait_ns / 1000000u + (wait_ns % 1000000u != 0);
	return epoll_wait(fd, events, count, ms > INT32_MAX ? INT32_MAX : (int)ms);
}

static int wait_events(int fd, struct epoll_event *events, int count, uint64_t wait_ns)
{
	const uint64_t far_ns = UINT64_C(1000000) * INT32_MAX;
	const uint64_t some = wait_ns < far_ns ? wait_ns : far_ns; /* who wakes early waits again */
	const struct timespec t = { .tv_sec = (time_t)(some / MRG_RT_SECOND_NS),
		.tv_nsec = (long)(some % MRG_RT_SECOND_NS) };
	const int got = epoll_pwait2(fd, events, count, wait_ns != MRG_RT_NEVER ? &t : NULL, NULL);
	return got >= 0 || errno != ENOSYS ? got : wait_ms(fd, events, count, wait_ns);
}

const struct mrg_unix_sys mrg_unix_kernel = {
	.recvmmsg = recvmmsg,
	.sendmmsg = sendmmsg,
	.recv = recv,
	.sendmsg = sendmsg,
	.sendfile = sendfile,
	.accept4 = accept4,
	.connect = connect,
	.epoll_wait = wait_events,
	.wait_writable = wait_writable,
	.now_ns = mrg_unix_now_ns,
};
