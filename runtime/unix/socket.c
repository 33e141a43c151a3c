/*
 * Making sockets: addresses to and from the kernel's form, binding, the options that a server needs.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "unix/inside.h"

enum {
	UDP_QUEUE = 4 << 20, /* bytes wanted for datagrams that wait; the kernel may give less */
	TCP_QUEUE = 1024     /* connections that wait to be accepted */
};

struct mrg_unix_sockaddr mrg_unix_sockaddr_of(const struct mrg_rt_addr *a)
{
	struct mrg_unix_sockaddr s = { .len = 0 };
	if (a->family == 6) {
		struct sockaddr_in6 in6 = {
			.sin6_family = AF_INET6, .sin6_port = htons(a->port), .sin6_scope_id = a->scope
		};
		memcpy(&in6.sin6_addr, a->ip, sizeof in6.sin6_addr);
		memcpy(&s.any, &in6, sizeof in6);
		s.len = sizeof in6;
	} else {
		struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(a->port) };
		memcpy(&in.sin_addr, a->ip, sizeof in.sin_addr);
		memcpy(&s.any, &in, sizeof in);
		s.len = sizeof in;
	}
	return s;
}

void mrg_unix_addr_of(const void *sockaddr, struct mrg_rt_addr *out)
{
	sa_family_t family;
	memcpy(&family, sockaddr, sizeof family);
	*out = (struct mrg_rt_addr){ .family = 0 };
	if (family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, sockaddr, sizeof in6);
		memcpy(out->ip, &in6.sin6_addr, sizeof in6.sin6_addr);
		out->scope = in6.sin6_scope_id;
		out->port = ntohs(in6.sin6_port);
		out->family = 6;
	} else if (family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, sockaddr, sizeof in);
		memcpy(out->ip, &in.sin_addr, sizeof in.sin_addr);
		out->port = ntohs(in.sin_port);
		out->family = 4;
	}
}

bool mrg_unix_addr_is_any(const struct mrg_rt_addr *a)
{
	static const uint8_t zero[16];
	return memcmp(a->ip, zero, sizeof zero) == 0;
}

static bool set_on(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

static bool set_udp_options(int fd, const struct mrg_rt_addr *a)
{
	/* More room is better, less does no harm. */
	if (!set_on(fd, SOL_SOCKET, SO_RCVBUFFORCE, UDP_QUEUE))
		(void)set_on(fd, SOL_SOCKET, SO_RCVBUF, UDP_QUEUE);
	/* Path MTU messages may be forged to make replies fragment: believe the interface's MTU only. */
	const bool six = a->family == 6;
	(void)set_on(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
		six ? IPV6_PMTUDISC_OMIT : IP_PMTUDISC_OMIT);
	if (!mrg_unix_addr_is_any(a))
		return true; /* replies leave from the bound address anyway */
	return set_on(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_RECVPKTINFO : IP_PKTINFO, 1);
}

static bool set_options(int fd, const struct mrg_rt_addr *a, int kind, bool shared)
{
	if (a->family == 6 && !set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1))
		return false;
	if (shared && !set_on(fd, SOL_SOCKET, SO_REUSEPORT, 1))
		return false;
	if (kind == SOCK_DGRAM)
		return set_udp_options(fd, a);
	/* A restart may meet connections of the last run in TIME-WAIT. Answers go out at once, in one write a batch. */
	return set_on(fd, SOL_SOCKET, SO_REUSEADDR, 1) && set_on(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

/* The port that the kernel chose for port 0. */
static int learn_port(int fd, struct mrg_rt_addr *a)
{
	struct sockaddr_storage any;
	socklen_t len = sizeof any;
	struct mrg_rt_addr got;
	if (getsockname(fd, (struct sockaddr *)&any, &len) != 0)
		return errno;
	mrg_unix_addr_of(&any, &got);
	a->port = got.port;
	return 0;
}

static int make(struct mrg_rt_addr *a, int kind, bool shared, bool listens, int *out)
{
	const int fd = socket(a->family == 6 ? AF_INET6 : AF_INET, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	const struct mrg_unix_sockaddr to = mrg_unix_sockaddr_of(a);
	int err = 0;
	if (!set_options(fd, a, kind, shared) || bind(fd, (const struct sockaddr *)&to.any, to.len) != 0)
		err = errno;
	else if (listens && listen(fd, TCP_QUEUE) != 0)
		err = errno;
	else if (a->port == 0)
		err = learn_port(fd, a);
	if (err != 0)
		(void)close(fd);
	else
		*out = fd;
	return err;
}

int mrg_unix_udp_bind(struct mrg_rt_addr *a, bool shared, int *out)
{
	return make(a, SOCK_DGRAM, shared, false, out);
}

int mrg_unix_tcp_listen(struct mrg_rt_addr *a, bool shared, int *out)
{
	return make(a, SOCK_STREAM, shared, true, out);
}

int mrg_unix_tcp_socket(const struct mrg_rt_addr *to, int *out)
{
	const int fd =
		socket(to->family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	if (!set_on(fd, IPPROTO_TCP, TCP_NODELAY, 1)) {
		const int err = errno;
		(void)close(fd);
		return err;
	}
	*out = fd;
	return 0;
}

int mrg_unix_addr_free(const struct mrg_rt_addr *a, int kind)
{
	struct mrg_rt_addr copy = *a;
	int fd = -1;
	const int err = make(&copy, kind, false, false, &fd);
	if (err == 0)
		(void)close(fd);
	return err;
}
