/*
 * The kernel's own table of system calls, and the clock.
 */
#include <errno.h>
#include <poll.h>
#include <sys/sendfile.h>
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

static int wait_writable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	return poll(&p, 1, timeout_ms);
}

const struct mrg_unix_sys mrg_unix_kernel = {
	.recvmmsg = recvmmsg,
	.sendmmsg = sendmmsg,
	.sendto = sendto,
	.recv = recv,
	.sendmsg = sendmsg,
	.sendfile = sendfile,
	.accept4 = accept4,
	.connect = connect,
	.epoll_wait = epoll_wait,
	.wait_writable = wait_writable,
	.now_ns = mrg_unix_now_ns,
};
