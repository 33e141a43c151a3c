/*
 * bench/tcphold.c - clients of DNS over TCP that only take up room: some do nothing, some are slow.
 *
 * An idle client connects and says nothing.  A slow one sends an octet of a query and reads an octet of what was
 * answered each SLOW_MS, a tiny receive buffer behind it.  Who is disconnected connects again.  Each millisecond is
 * one step, which takes the clients whose turn it is, so that they come one by one and not in bursts.  When all are
 * connected a line is printed; at the end of standard input the other line, of JSON, tells what happened.
 *
 * Reading order: main, hold, step.
 */
#include "bench/util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	SLOW_MS = 100,
	IDLE_MS = 1000 /* how often an idle client looks at its connection */,
	PATIENCE_MS = 10000
};

struct client {
	int fd;      /* -1: none */
	size_t sent; /* octets of the query */
};

/* Those that have something in common. */
struct clients {
	struct client *list;
	size_t count;
	unsigned period_ms;
	bool slow;
};

struct hold {
	struct sockaddr_in to;
	struct bench_msg query; /* after its length */
	struct clients idle, slow;
	size_t octets_out, octets_in, disconnected;
};

static void usage(void) { bench_die("usage: tcphold -p PORT -q QUERIES [-i IDLE] [-l SLOW] [-C CORE]"); }

static void client_open(const struct hold *h, struct client *c)
{
	const int size = 1;

	*c = (struct client){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0) };
	if (c->fd < 0)
		bench_die("tcphold: socket: %s", strerror(errno));
	/* the kernel's least, which is some kilobytes; before the connection is made, so that its window is of that size */
	setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (connect(c->fd, (const struct sockaddr *)&h->to, sizeof h->to) != 0 && errno != EINPROGRESS)
		bench_die("tcphold: connect: %s", strerror(errno));
}

static void client_close(struct hold *h, struct client *c)
{
	(void)close(c->fd);
	c->fd = -1;
	h->disconnected++;
}

/* Is it only that there is nothing to be done now? */
static bool later(ssize_t n) { return n < 0 && (errno == EAGAIN || errno == EINTR); }

static void client_step(struct hold *h, struct client *c, bool slow)
{
	uint8_t octet;

	if (c->fd < 0) {
		client_open(h, c);
		return;
	}
	const ssize_t in = recv(c->fd, &octet, sizeof octet, MSG_DONTWAIT);
	if (in <= 0 && !later(in)) {
		client_close(h, c);
		return;
	}
	h->octets_in += in > 0;
	if (!slow)
		return;
	const ssize_t out = send(c->fd, h->query.p + c->sent, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (out < 0 && !later(out)) {
		client_close(h, c);
		return;
	}
	h->octets_out += out > 0;
	c->sent = (c->sent + (out > 0)) % h->query.len;
}

/* Those whose turn is in this millisecond: each has one in a period. */
static void step(struct hold *h, const struct clients *all, uint64_t ms)
{
	const size_t turn = (size_t)(ms % all->period_ms);
	const size_t from = all->count * turn / all->period_ms,
		     to = all->count * (turn + 1u) / all->period_ms;

	for (size_t i = from; i < to; i++)
		client_step(h, &all->list[i], all->slow);
}

static void open_all(const struct hold *h, struct clients *all)
{
	all->list = bench_alloc(all->count * sizeof *all->list + 1u);
	for (size_t i = 0; i < all->count; i++)
		client_open(h, &all->list[i]);
	for (size_t i = 0; i < all->count; i++) {
		struct pollfd wait = { .fd = all->list[i].fd, .events = POLLOUT };
		if (poll(&wait, 1, PATIENCE_MS) != 1 || (wait.revents & POLLERR) != 0)
			bench_die("tcphold: connection %zu is not made", i);
	}
}

/* Go on until standard input ends. */
static void hold(struct hold *h)
{
	const uint64_t begun = bench_now_ns();

	for (uint64_t ms = 1;; ms++) {
		struct pollfd end = { .fd = STDIN_FILENO, .events = POLLIN };
		const uint64_t now = bench_now_ns(), due = begun + ms * 1000000u;
		const struct timespec left = { .tv_nsec = due > now ? (long)(due - now) : 0 };
		if (ppoll(&end, 1, &left, NULL) > 0)
			return;
		step(h, &h->idle, ms);
		step(h, &h->slow, ms);
	}
}

static size_t open_now(const struct clients *all)
{
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++)
		count += all->list[i].fd >= 0;
	return count;
}

/* The first query of the file, in the framing of TCP, which is that of the file. */
static struct bench_msg first_query(const char *path)
{
	const struct bench_msgs all = bench_msgs_read(path);

	return (struct bench_msg){ all.m[0].p - 2, all.m[0].len + 2u };
}

int main(int argc, char **argv)
{
	struct hold h = { .to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
		.idle = { .period_ms = IDLE_MS },
		.slow = { .period_ms = SLOW_MS, .slow = true } };
	int c, port = 0, core = -1;

	while ((c = getopt(argc, argv, "p:q:i:l:C:")) != -1) {
		switch (c) {
		case 'p': port = atoi(optarg); break;
		case 'q': h.query = first_query(optarg); break;
		case 'i': h.idle.count = strtoul(optarg, NULL, 10); break;
		case 'l': h.slow.count = strtoul(optarg, NULL, 10); break;
		case 'C': core = atoi(optarg); break;
		default: usage();
		}
	}
	if (port <= 0 || port > 65535 || !h.query.p || optind != argc)
		usage();
	h.to.sin_port = htons((uint16_t)port);
	bench_pin(core);
	open_all(&h, &h.idle);
	open_all(&h, &h.slow);
	printf("held\n");
	fflush(stdout);
	hold(&h);
	printf("{\"open\": %zu, \"disconnected\": %zu, \"octets_out\": %zu, \"octets_in\": %zu}\n",
		open_now(&h.idle) + open_now(&h.slow), h.disconnected, h.octets_out, h.octets_in);
	return 0;
}
