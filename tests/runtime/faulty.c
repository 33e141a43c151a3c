/*
 * The system calls of faulty.h.
 */
#include <errno.h>

#include "runtime/faulty.h"

struct faulty_all faulty;

bool faulty_fails(struct faulty *f)
{
	const unsigned call = f->calls++;
	if (call < f->skip || call - f->skip >= f->count)
		return false;
	errno = f->err;
	return true;
}

static size_t at_most(const struct faulty *f, size_t n) { return f->most != 0 && f->most < n ? f->most : n; }

static int faulty_recvmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags, struct timespec *timeout)
{
	if (faulty_fails(&faulty.recvmmsg))
		return -1;
	return mrg_unix_kernel.recvmmsg(fd, msgs, (unsigned)at_most(&faulty.recvmmsg, count), flags, timeout);
}

static int faulty_sendmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags)
{
	if (faulty_fails(&faulty.sendmmsg))
		return -1;
	return mrg_unix_kernel.sendmmsg(fd, msgs, (unsigned)at_most(&faulty.sendmmsg, count), flags);
}

static ssize_t faulty_recv(int fd, void *p, size_t cap, int flags)
{
	return faulty_fails(&faulty.recv) ? -1
					  : mrg_unix_kernel.recv(fd, p, at_most(&faulty.recv, cap), flags);
}

static ssize_t faulty_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	if (faulty_fails(&faulty.sendmsg))
		return -1;
	struct msghdr copy = *msg;
	struct iovec first = msg->msg_iov[0];
	faulty.more = (flags & MSG_MORE) != 0;
	if (faulty.sendmsg.most != 0) {
		first.iov_len = at_most(&faulty.sendmsg, first.iov_len);
		copy.msg_iov = &first;
		copy.msg_iovlen = 1;
	}
	return mrg_unix_kernel.sendmsg(fd, &copy, flags);
}

static ssize_t faulty_sendfile(int fd, int from_fd, off_t *offset, size_t len)
{
	if (faulty_fails(&faulty.sendfile))
		return -1;
	return mrg_unix_kernel.sendfile(fd, from_fd, offset, at_most(&faulty.sendfile, len));
}

static int faulty_accept4(int fd, struct sockaddr *from, socklen_t *from_len, int flags)
{
	if (faulty_fails(&faulty.accept))
		return -1;
	const int got = mrg_unix_kernel.accept4(fd, from, from_len, flags);
	if (got >= 0)
		faulty.accepted = got;
	return got;
}

static int faulty_connect(int fd, const struct sockaddr *to, socklen_t to_len)
{
	return faulty_fails(&faulty.connect) ? -1 : mrg_unix_kernel.connect(fd, to, to_len);
}

static int faulty_epoll_wait(int fd, struct epoll_event *events, int count, uint64_t wait_ns)
{
	faulty.longest_wait_ns = wait_ns > faulty.longest_wait_ns ? wait_ns : faulty.longest_wait_ns;
	return faulty_fails(&faulty.epoll_wait) ? -1 : mrg_unix_kernel.epoll_wait(fd, events, count, wait_ns);
}

static int faulty_wait_writable(int fd, int timeout_ms)
{
	(void)fd;
	(void)timeout_ms;
	faulty.waits++;
	return 1;
}

static uint64_t faulty_now_ns(void) { return mrg_unix_now_ns() + faulty.ahead_ns; }

const struct mrg_unix_sys faulty_sys = {
	.recvmmsg = faulty_recvmmsg,
	.sendmmsg = faulty_sendmmsg,
	.recv = faulty_recv,
	.sendmsg = faulty_sendmsg,
	.sendfile = faulty_sendfile,
	.accept4 = faulty_accept4,
	.connect = faulty_connect,
	.epoll_wait = faulty_epoll_wait,
	.wait_writable = faulty_wait_writable,
	.now_ns = faulty_now_ns,
};
