/*
 * bench/httpload.c - a load generator for HTTP/1.1.
 *
 * Keeps connections to one server; each sends `depth` requests in one write, takes the answers, and sends again. Every answer must
 * have the wanted status and length. Nothing sleeps, so that no answer pays for a wake-up of the client. Prints one line of JSON; latencies are from
 * a write to the last octet of each of its answers.
 *
 * With -k the connections are held: each makes one request at first, and one more for each line on standard input; each time a
 * line of JSON is printed.
 *
 * Reading order: options, main, run, receive, take, head_read.
 */
#include "bench/util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	EVENTS = 64,
	DEPTH_MAX = 64,
	REQUEST_MAX = 512,
	HEAD_MAX = 4096,
	PIECE = 256 << 10, /* read at once */
	CHECK_TURNS = 1024 /* turns without an event, between looks at the clock */
};

static const uint64_t SILENCE_NS = 10u * UINT64_C(1000000000);

struct options {
	const char *path;
	int port, core;
	size_t conns, depth, count, length;
	double seconds;
	bool hold;
};

/* A connection, and what it is owed. */
struct conn {
	int fd;
	size_t owed;        /* answers */
	uint64_t body_left; /* octets of the answer that is coming, behind its head */
	uint64_t sent_ns;
	size_t head_len; /* octets of a head that has come in part */
	uint8_t head[HEAD_MAX];
};

struct counts {
	size_t sent, answers, bad_status, bad_length;
	uint64_t octets;
};

struct load {
	struct options o;
	int epoll;
	struct conn *conns;
	struct counts n;
	struct bench_hist latency;
	uint8_t request[DEPTH_MAX * REQUEST_MAX];
	size_t request_len; /* octets of all that is sent at once */
	uint8_t in[HEAD_MAX + PIECE];
};

struct head {
	size_t len; /* octets, with the empty line */
	unsigned status;
	uint64_t length; /* of the body */
};

static void usage(void)
{
	bench_die(
		"usage: httpload -p PORT -l OCTETS [-u PATH] [-c CONNECTIONS] [-d DEPTH] [-n REQUESTS | -t SECONDS | -k]\n"
		"  [-C CORE]\n"
		"Every answer must be 200 with a body of so many octets.  One line of JSON tells what happened.");
}

static struct options options_read(int argc, char **argv)
{
	struct options o = { .path = "/", .core = -1, .conns = 64, .depth = 1, .length = SIZE_MAX };
	int c;

	while ((c = getopt(argc, argv, "p:l:u:c:d:n:t:kC:")) != -1) {
		switch (c) {
		case 'p': o.port = atoi(optarg); break;
		case 'l': o.length = strtoul(optarg, NULL, 10); break;
		case 'u': o.path = optarg; break;
		case 'c': o.conns = strtoul(optarg, NULL, 10); break;
		case 'd': o.depth = strtoul(optarg, NULL, 10); break;
		case 'n': o.count = strtoul(optarg, NULL, 10); break;
		case 't': o.seconds = strtod(optarg, NULL); break;
		case 'k': o.hold = true; break;
		case 'C': o.core = atoi(optarg); break;
		default: usage();
		}
	}
	if (o.port <= 0 || o.port > 65535 || o.length == SIZE_MAX || o.conns == 0 || optind != argc)
		usage();
	if (o.depth == 0 || o.depth > DEPTH_MAX)
		bench_die("httpload: the depth must be 1..%d", DEPTH_MAX);
	if (!o.count && o.seconds <= 0)
		o.count = o.conns * o.depth;
	return o;
}

static void request_make(struct load *l)
{
	char text[REQUEST_MAX];
	const int len = snprintf(
		text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", l->o.path, l->o.port);

	if (len < 0 || (size_t)len >= sizeof text)
		bench_die("httpload: the path is too long");
	for (size_t i = 0; i < l->o.depth; i++)
		memcpy(l->request + i * (size_t)len, text, (size_t)len);
	l->request_len = l->o.depth * (size_t)len;
}

static void conn_open(struct load *l, struct conn *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)l->o.port) };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	const int one = 1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*c = (struct conn){ .fd = socket(AF_INET, SOCK_STREAM, 0) };
	if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&to, sizeof to) != 0)
		bench_die("httpload: no connection to port %d: %s", l->o.port, strerror(errno));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0)
		bench_die("httpload: epoll: %s", strerror(errno));
}

/* All the requests of a turn fit into the socket's buffer. */
static void ask(struct load *l, struct conn *c)
{
	c->sent_ns = bench_now_ns();
	if (send(c->fd, l->request, l->request_len, MSG_NOSIGNAL) != (ssize_t)l->request_len)
		bench_die("httpload: send: %s", strerror(errno));
	c->owed = l->o.depth;
	l->n.sent += l->o.depth;
}

/* ---- answers ---- */

/* The head at p, as far as it matters here.  false: it has not come whole. */
static bool head_read(const uint8_t *p, size_t len, struct head *out)
{
	static const char field[] = "Content-Length:";
	const uint8_t *line = p, *const end = p + len;

	*out = (struct head){ .length = UINT64_MAX };
	for (;;) {
		const uint8_t *const feed = memchr(line, '\n', (size_t)(end - line));
		if (!feed)
			return false;
		if (feed == line + 1)
			break;
		if ((line[0] | 0x20) == 'c' && feed - line > (ptrdiff_t)sizeof field &&
			strncasecmp((const char *)line, field, sizeof field - 1) == 0)
			out->length = strtoull((const char *)line + sizeof field - 1, NULL, 10);
		line = feed + 1;
	}
	out->len = (size_t)(line + 2 - p);
	if (out->len > 12 && memcmp(p, "HTTP/1.1 ", 9) == 0)
		out->status = (unsigned)strtoul((const char *)p + 9, NULL, 10);
	return true;
}

static void answered(struct load *l, struct conn *c, uint64_t now)
{
	bench_hist_add(&l->latency, now - c->sent_ns);
	l->n.answers++;
	c->owed--;
}

/* What came, in[0..len-1].  What is left of a head is kept for the next time. */
static void take(struct load *l, struct conn *c, const uint8_t *in, size_t len, uint64_t now)
{
	while (len) {
		struct head head;
		if (c->body_left == 0) {
			if (!head_read(in, len, &head))
				break;
			if (c->owed == 0)
				bench_die("httpload: an answer to no request");
			l->n.bad_status += head.status != 200;
			l->n.bad_length += head.length != l->o.length;
			if (head.length == UINT64_MAX)
				bench_die("httpload: an answer of status %u without Content-Length",
					head.status);
			in += head.len;
			len -= head.len;
			c->body_left = head.length;
		}
		const size_t n = c->body_left < len ? (size_t)c->body_left : len;
		c->body_left -= n;
		in += n;
		len -= n;
		if (c->body_left == 0)
			answered(l, c, now);
	}
	if (len > HEAD_MAX)
		bench_die("httpload: a head of more than %d octets", HEAD_MAX);
	memcpy(c->head, in, len);
	c->head_len = len;
}

static void receive(struct load *l, struct conn *c)
{
	memcpy(l->in, c->head, c->head_len);
	const ssize_t n = recv(c->fd, l->in + c->head_len, PIECE, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		bench_die("httpload: the server closed a connection that was owed %zu answers", c->owed);
	l->n.octets += (uint64_t)n;
	take(l, c, l->in, c->head_len + (size_t)n, bench_now_ns());
}

/* ---- the load ---- */

/* Events of one turn.  Connections that got all their answers ask again while `more`; returns how many did not. */
static size_t turn(struct load *l, const struct epoll_event *ev, size_t count, bool *more, uint64_t stop)
{
	size_t ended = 0;

	for (size_t i = 0; i < count; i++) {
		struct conn *const c = ev[i].data.ptr;
		receive(l, c);
		if (c->owed)
			continue;
		*more = *more && (l->o.count ? l->n.sent < l->o.count : bench_now_ns() < stop);
		if (*more)
			ask(l, c);
		else
			ended++;
	}
	return ended;
}

/* Until all is asked and answered; seconds. */
static double run(struct load *l)
{
	struct epoll_event ev[EVENTS];
	const uint64_t start = bench_now_ns(), stop = start + (uint64_t)(l->o.seconds * 1e9);
	uint64_t last = start;
	size_t busy = l->o.conns, silent = 0;
	bool more = true;

	for (size_t i = 0; i < l->o.conns; i++)
		ask(l, &l->conns[i]);
	while (busy) {
		const int count = epoll_wait(l->epoll, ev, EVENTS, 0);
		if (count < 0 && errno != EINTR)
			bench_die("httpload: epoll: %s", strerror(errno));
		if (count > 0) {
			busy -= turn(l, ev, (size_t)count, &more, stop);
			silent = 0;
		} else if (++silent % CHECK_TURNS == 0) {
			const uint64_t now = bench_now_ns();
			if (silent == CHECK_TURNS)
				last = now;
			if (now - last > SILENCE_NS)
				bench_die("httpload: %zu connections got no answer", busy);
		}
	}
	return (double)(bench_now_ns() - start) / 1e9;
}

static void report(const struct load *l, double seconds)
{
	const struct counts *n = &l->n;

	printf("{\"sent\": %zu, \"answers\": %zu, \"bad_status\": %zu, \"bad_length\": %zu, \"octets\": %llu, ",
		n->sent, n->answers, n->bad_status, n->bad_length, (unsigned long long)n->octets);
	printf("\"seconds\": %.6f, \"rate\": %.1f, ", seconds, (double)n->answers / seconds);
	bench_hist_print(&l->latency);
	printf("}\n");
	fflush(stdout);
}

/* Open connections one by one, each with its first request, so that no queue of the server's overflows. */
static void hold(struct load *l)
{
	const size_t all = l->o.conns;
	struct conn *const conns = l->conns;
	const uint64_t start = bench_now_ns();
	char line[16];

	l->o.conns = l->o.count = 1;
	for (size_t i = 0; i < all; i++) {
		conn_open(l, &conns[i]);
		l->conns = &conns[i];
		l->n.sent = 0;
		(void)run(l);
	}
	l->o.conns = l->o.count = l->n.sent = all;
	l->conns = conns;
	report(l, (double)(bench_now_ns() - start) / 1e9);
	while (fgets(line, sizeof line, stdin)) {
		l->n = (struct counts){ .sent = 0 };
		l->latency = (struct bench_hist){ .count = 0 };
		report(l, run(l));
	}
}

static void files_raise(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r);
}

int main(int argc, char **argv)
{
	struct load *l = bench_alloc(sizeof *l);

	memset(l, 0, sizeof *l);
	l->o = options_read(argc, argv);
	files_raise();
	bench_pin(l->o.core);
	request_make(l);
	l->epoll = epoll_create1(0);
	l->conns = bench_alloc(l->o.conns * sizeof *l->conns);
	if (l->o.hold) {
		hold(l);
		return 0;
	}
	for (size_t i = 0; i < l->o.conns; i++)
		conn_open(l, &l->conns[i]);
	report(l, run(l));
	return 0;
}
