/*
 * bench/tcpload.c - the small services of TCP on kernel sockets, and their client.
 *
 *	tcpload serve ADDRESS			echo at port 7, discard at 9, characters without end at 19, until TERM
 *	tcpload in|out|ping ADDRESS SECONDS	bytes to port 9, from port 19; 64 octets to port 7 and back, again and again
 *	tcpload echo ADDRESS BYTES SEED		so many to port 7, and all back as they were sent
 *
 * The client prints one JSON object. Both are meant to be bound to a core by whoever starts them.
 */
#include "bench/util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ECHO = 7, DISCARD = 9, CHARGEN = 19, BUFFER = 1 << 18, EXCHANGE = 64, PATIENCE_MS = 240000 };

static uint8_t buffer[BUFFER], got[BUFFER];

static void on(int fd, int level, int option)
{
	const int yes = 1;

	if (setsockopt(fd, level, option, &yes, sizeof yes) != 0)
		bench_die("tcpload: setsockopt: %s", strerror(errno));
}

static struct sockaddr_in address(const char *text, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, text, &a.sin_addr) != 1)
		bench_die("tcpload: %s: no address", text);
	return a;
}

/* --- the server ---------------------------------------------------------------------- */

enum { CONNS = 1024 };

/* What a descriptor is: 0 a listener, else a connection. */
static uint16_t service_of[CONNS];
static bool listens[CONNS];

static void watch(int set, int fd, uint32_t events, int how)
{
	struct epoll_event e = { .events = events, .data = { .fd = fd } };

	if (fd >= CONNS || epoll_ctl(set, how, fd, &e) != 0)
		bench_die("tcpload: epoll: %s", strerror(errno));
}

static void listen_at(int set, const char *text, uint16_t port)
{
	const struct sockaddr_in a = address(text, port);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	on(fd, SOL_SOCKET, SO_REUSEADDR);
	if (bind(fd, (const struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 128) != 0)
		bench_die("tcpload: port %u: %s", port, strerror(errno));
	watch(set, fd, EPOLLIN, EPOLL_CTL_ADD);
	service_of[fd] = port;
	listens[fd] = true;
}

static void take(int set, int listener)
{
	const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0)
		return;
	on(fd, IPPROTO_TCP, TCP_NODELAY);
	watch(set, fd, service_of[listener] == CHARGEN ? EPOLLOUT : EPOLLIN, EPOLL_CTL_ADD);
	service_of[fd] = service_of[listener];
	listens[fd] = false;
}

/* An echo that can't be sent at once is waited for: there is one client. */
static bool send_all(int fd, const uint8_t *p, size_t len)
{
	while (len != 0) {
		const ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			struct pollfd wait = { .fd = fd, .events = POLLOUT };
			if (poll(&wait, 1, PATIENCE_MS) <= 0)
				return false;
			continue;
		}
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool serve_once(int fd)
{
	if (service_of[fd] == CHARGEN)
		return send(fd, buffer, sizeof buffer, MSG_NOSIGNAL) > 0 || errno == EAGAIN;
	const ssize_t n = recv(fd, got, sizeof got, 0);
	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	return service_of[fd] == DISCARD || send_all(fd, got, (size_t)n);
}

static void serve(const char *text)
{
	static const uint16_t ports[] = { ECHO, DISCARD, CHARGEN };
	const int set = epoll_create1(0);

	for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
		listen_at(set, text, ports[i]);
	for (;;) {
		struct epoll_event e[64];
		const int n = epoll_wait(set, e, 64, -1);
		for (int i = 0; i < n; i++) {
			if (listens[e[i].data.fd])
				take(set, e[i].data.fd);
			else if (!serve_once(e[i].data.fd))
				close(e[i].data.fd);
		}
	}
}

/* --- the client ---------------------------------------------------------------------- */

static int connect_to(const char *text, uint16_t port)
{
	const struct sockaddr_in a = address(text, port);
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	on(fd, IPPROTO_TCP, TCP_NODELAY);
	if (connect(fd, (const struct sockaddr *)&a, sizeof a) != 0)
		bench_die("tcpload: %s port %u: %s", text, port, strerror(errno));
	return fd;
}

static void report_bytes(uint64_t bytes, uint64_t ns)
{
	printf("{\"bytes\": %llu, \"seconds\": %.6f}\n", (unsigned long long)bytes, (double)ns / 1e9);
}

/* What was sent and acknowledged. */
static void bytes_in(const char *text, uint64_t ns)
{
	const int fd = connect_to(text, DISCARD);
	const uint64_t from = bench_now_ns();
	uint64_t now, sent = 0;
	int left = 0;

	do {
		const ssize_t n = send(fd, buffer, sizeof buffer, MSG_NOSIGNAL);
		if (n <= 0)
			bench_die("tcpload: send: %s", strerror(errno));
		sent += (uint64_t)n;
		now = bench_now_ns();
	} while (now - from < ns);
	if (ioctl(fd, SIOCOUTQ, &left) != 0)
		bench_die("tcpload: SIOCOUTQ: %s", strerror(errno));
	report_bytes(sent - (uint64_t)left, now - from);
}

static void bytes_out(const char *text, uint64_t ns)
{
	const int fd = connect_to(text, CHARGEN);
	const uint64_t from = bench_now_ns();
	uint64_t now, came = 0;

	do {
		const ssize_t n = recv(fd, got, sizeof got, 0);
		if (n <= 0)
			bench_die("tcpload: recv: %s", n < 0 ? strerror(errno) : "the end");
		came += (uint64_t)n;
		now = bench_now_ns();
	} while (now - from < ns);
	report_bytes(came, now - from);
}

static void exchange(int fd)
{
	size_t came = 0;

	if (send(fd, buffer, EXCHANGE, MSG_NOSIGNAL) != EXCHANGE)
		bench_die("tcpload: send: %s", strerror(errno));
	while (came < EXCHANGE) {
		const ssize_t n = recv(fd, got + came, EXCHANGE - came, 0);
		if (n <= 0)
			bench_die("tcpload: recv: %s", n < 0 ? strerror(errno) : "the end");
		came += (size_t)n;
	}
	if (memcmp(buffer, got, EXCHANGE) != 0)
		bench_die("tcpload: another answer than was sent");
}

static void ping(const char *text, uint64_t ns)
{
	static struct bench_hist hist;
	const int fd = connect_to(text, ECHO);
	const uint64_t from = bench_now_ns();
	uint64_t last = from;

	while (last - from < ns) {
		exchange(fd);
		const uint64_t now = bench_now_ns();
		bench_hist_add(&hist, now - last);
		last = now;
	}
	printf("{\"exchanges\": %llu, \"seconds\": %.6f, ", (unsigned long long)hist.count,
		(double)(last - from) / 1e9);
	bench_hist_print(&hist);
	printf("}\n");
}

/* --- an echo, checked --------------------------------------------------------------------- */

static void fill(uint8_t *p, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		p[i] = (uint8_t)(seed >> 56);
	}
}

struct echo {
	int fd;
	uint8_t *out;
	size_t len, sent, came;
};

/* Whether more may come. */
static bool echo_read(struct echo *e)
{
	const ssize_t n = recv(e->fd, got, sizeof got, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n < 0)
		bench_die("tcpload: recv after %zu: %s", e->came, strerror(errno));
	if ((size_t)n > e->len - e->came || memcmp(got, e->out + e->came, (size_t)n) != 0)
		bench_die("tcpload: other bytes came back than were sent");
	e->came += (size_t)n;
	return e->came < e->len && n != 0;
}

static void echo_write(struct echo *e)
{
	const ssize_t n = send(e->fd, e->out + e->sent, e->len - e->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		bench_die("tcpload: send after %zu: %s", e->sent, strerror(errno));
	if (n > 0)
		e->sent += (size_t)n;
}

static void echo(const char *text, size_t len, uint64_t seed)
{
	struct echo e = { .out = bench_alloc(len), .len = len };
	bool more = true;

	fill(e.out, len, seed);
	const uint64_t from = bench_now_ns();
	e.fd = connect_to(text, ECHO);
	while (more) {
		struct pollfd p = { .fd = e.fd, .events = (short)(POLLIN | (e.sent < len ? POLLOUT : 0)) };
		if (poll(&p, 1, PATIENCE_MS) <= 0)
			bench_die("tcpload: nothing happens any more after %zu of %zu", e.came, len);
		if ((p.revents & (POLLIN | POLLERR | POLLHUP)) != 0)
			more = echo_read(&e);
		if (e.sent < len && (p.revents & POLLOUT) != 0)
			echo_write(&e);
	}
	if (e.came != len)
		bench_die("tcpload: %zu of %zu came back", e.came, len);
	report_bytes(len, bench_now_ns() - from);
	/* a reset: nothing of this connection is on its way when the next one is measured */
	const struct linger none = { .l_onoff = 1 };
	(void)setsockopt(e.fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	close(e.fd);
}

int main(int argc, char **argv)
{
	fill(buffer, sizeof buffer, 1);
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve(argv[2]);
	if (argc == 5 && strcmp(argv[1], "echo") == 0) {
		echo(argv[2], (size_t)atoi(argv[3]), (uint64_t)atoi(argv[4]));
		return 0;
	}
	if (argc != 4)
		bench_die("usage: tcpload serve|in|out|ping|echo ADDRESS [SECONDS | BYTES SEED]");
	const uint64_t ns = (uint64_t)(atof(argv[3]) * 1e9);
	if (strcmp(argv[1], "in") == 0)
		bytes_in(argv[2], ns);
	else if (strcmp(argv[1], "out") == 0)
		bytes_out(argv[2], ns);
	else
		ping(argv[2], ns);
	return 0;
}
