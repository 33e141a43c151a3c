/*
 * bench/floor.c - what the kernel takes for an HTTP server that does nothing else.
 *
 * Counts octets: each `REQUEST` of them get the same answer. One loop of epoll_wait, recv and send, as an event-driven server has
 * it, without reading a request. For information beside the servers that are measured.
 */
#include "bench/util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 64, FILES_MAX = 1024, ANSWERS_MAX = 64, IN_MAX = 64 << 10 };

struct floor {
	int epoll, listener;
	size_t request_len, answer_len;
	size_t carry[FILES_MAX]; /* octets of a request that has come in part, by descriptor */
	uint8_t *answers;        /* ANSWERS_MAX in a row */
};

static void watch(const struct floor *f, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };
	if (epoll_ctl(f->epoll, EPOLL_CTL_ADD, fd, &ev) != 0)
		bench_die("floor: epoll: %s", strerror(errno));
}

static void listen_at(struct floor *f, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	const int one = 1;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	f->listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(f->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(f->listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (bind(f->listener, (const struct sockaddr *)&at, sizeof at) != 0 || listen(f->listener, 1024) != 0)
		bench_die("floor: port %d: %s", port, strerror(errno));
	watch(f, f->listener);
}

static void answers_make(struct floor *f, size_t body)
{
	char head[128];
	const int len = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", body);
	f->answer_len = (size_t)len + body;
	f->answers = bench_alloc(ANSWERS_MAX * f->answer_len);
	memset(f->answers, 'x', ANSWERS_MAX * f->answer_len);
	for (size_t i = 0; i < ANSWERS_MAX; i++)
		memcpy(f->answers + i * f->answer_len, head, (size_t)len);
}

static void serve(struct floor *f, int fd)
{
	static uint8_t in[IN_MAX];
	const ssize_t n = recv(fd, in, sizeof in, MSG_DONTWAIT);
	if (n <= 0) {
		close(fd);
		return;
	}
	const size_t octets = f->carry[fd] + (size_t)n;
	size_t count = octets / f->request_len;
	f->carry[fd] = octets % f->request_len;
	while (count) {
		const size_t some = count < ANSWERS_MAX ? count : ANSWERS_MAX;
		if (send(fd, f->answers, some * f->answer_len, MSG_NOSIGNAL) < 0)
			return; /* the next read tells why */
		count -= some;
	}
}

int main(int argc, char **argv)
{
	static struct floor f;
	struct epoll_event ev[EVENTS];
	if (argc != 4)
		bench_die("usage: floor PORT REQUEST_OCTETS BODY_OCTETS");
	f.epoll = epoll_create1(0);
	f.request_len = strtoul(argv[2], NULL, 10);
	if (f.request_len == 0)
		bench_die("floor: a request has octets");
	answers_make(&f, strtoul(argv[3], NULL, 10));
	listen_at(&f, atoi(argv[1]));
	for (;;) {
		const int count = epoll_wait(f.epoll, ev, EVENTS, -1);
		for (int i = 0; i < count; i++) {
			if (ev[i].data.fd != f.listener) {
				serve(&f, ev[i].data.fd);
				continue;
			}
			const int fd = accept(f.listener, NULL, NULL);
			if (fd >= 0 && fd < FILES_MAX) {
				f.carry[fd] = 0;
				watch(&f, fd);
			} else if (fd >= 0) {
				close(fd);
			}
		}
	}
}
