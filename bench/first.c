/*
 * bench/first.c - time from exec of a server to its first right answer.
 *
 * Starts the server, asks one question over and over from another core until
 * the expected answer comes, and prints one line of JSON.  The question is a
 * DNS message over UDP, its answer one with rcode 0, AA and some record; or it
 * is a path over HTTP, and its answer a complete 200.  Then it waits for the end of its standard
 * input, so that whoever runs it can look at the server's memory or ask more,
 * and ends the server with SIGTERM.
 *
 * `again` lines on standard input send the server SIGHUP and time how long it
 * takes until a different answer comes to the question (a reload).
 */
#include "bench/util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct options {
	const char *query, *path, *log; /* query or path */
	const char *host;
	int port, core_server, core_client;
	double timeout;
	char **argv;
};

static struct options options_read(int argc, char **argv)
{
	struct options o = {
		.core_server = -1, .core_client = -1, .timeout = 60, .log = "/dev/null", .host = "127.0.0.1"
	};
	int c;

	while ((c = getopt(argc, argv, "+p:q:u:s:S:C:T:l:")) != -1) {
		switch (c) {
		case 'p': o.port = atoi(optarg); break;
		case 'q': o.query = optarg; break;
		case 'u': o.path = optarg; break;
		case 's': o.host = optarg; break;
		case 'S': o.core_server = atoi(optarg); break;
		case 'C': o.core_client = atoi(optarg); break;
		case 'T': o.timeout = strtod(optarg, NULL); break;
		case 'l': o.log = optarg; break;
		default: o.port = 0;
		}
	}
	o.argv = argv + optind;
	if (!o.query == !o.path || o.port <= 0 || !*o.argv)
		bench_die(
			"usage: first -p PORT -q QUERY | -u PATH [-s ADDRESS] [-S SERVER_CORE] [-C CLIENT_CORE] [-T SECONDS] [-l LOG] "
			"SERVER ARGUMENTS...");
	return o;
}

static pid_t server_start(const struct options *o)
{
	pid_t pid = fork();

	if (pid < 0)
		bench_die("first: no process: %s", strerror(errno));
	if (pid > 0)
		return pid;
	int fd = open(o->log, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	int null = open("/dev/null", O_RDONLY);
	if (fd < 0 || null < 0)
		bench_die("first: %s: cannot be written", o->log);
	dup2(null, 0);
	dup2(fd, 1);
	dup2(fd, 2);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM); /* the server does not outlive us */
	bench_pin(o->core_server);
	execv(o->argv[0], o->argv);
	bench_die("first: %s: %s", o->argv[0], strerror(errno));
}

static struct sockaddr_in address(const struct options *o)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)o->port) };

	if (inet_pton(AF_INET, o->host, &to.sin_addr) != 1)
		bench_die("first: %s: not an IPv4 address", o->host);
	return to;
}

/* Nobody listens yet: give the server the machine for a moment. */
static void pause_50us(void)
{
	const struct timespec wait = { 0, 50000 };

	nanosleep(&wait, NULL);
}

static int client_open(const struct options *o)
{
	const struct sockaddr_in to = address(o);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) != 0)
		bench_die("first: no socket: %s", strerror(errno));
	return fd;
}

/* The answer to q, or 0 when none came within 100 us: a device may lose what comes before somebody reads it. */
static size_t ask(int fd, const struct bench_msg *q, uint8_t *reply, size_t cap)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (send(fd, q->p, q->len, 0) < 0) {
		pause_50us();
		return 0;
	}
	const struct timespec wait = { 0, 100000 };
	if (ppoll(&p, 1, &wait, NULL) <= 0)
		return 0;
	ssize_t n = recv(fd, reply, cap, MSG_DONTWAIT);
	if (n < 12 || memcmp(reply, q->p, 2) != 0)
		return 0;
	return (size_t)n;
}

/* rcode 0, AA, and something in the answer section. */
static bool right(const uint8_t *reply, size_t len)
{
	return len >= 12u && (reply[2] & 0x84u) == 0x84u && (reply[3] & 15u) == 0 &&
	       (reply[6] | reply[7]) != 0;
}

/* Whether the connection gives a whole 200 to a request; the server closes it behind the answer. */
static bool fetch(int fd, const char *path)
{
	static char text[65536];
	size_t len = 0;
	ssize_t n = snprintf(
		text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);

	if (send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
		return false;
	while (len < sizeof text - 1 && (n = recv(fd, text + len, sizeof text - 1 - len, 0)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	const char *const end = strstr(text, "\r\n\r\n");
	const char *const length = strcasestr(text, "\nContent-Length:");
	return n == 0 && end && length && strncmp(text, "HTTP/1.1 200 ", 13) == 0 &&
	       (size_t)(end + 4 - text) + strtoul(length + 16, NULL, 10) == len;
}

static bool alive(pid_t pid)
{
	int status;

	return waitpid(pid, &status, WNOHANG) == 0;
}

/* Ask until an answer comes that isn't `old`; its time, or 0 after the time limit. */
static uint64_t wait_answer(
	const struct options *o, pid_t pid, const struct bench_msg *q, struct bench_msg *old)
{
	static uint8_t reply[4096];
	uint64_t limit = bench_now_ns() + (uint64_t)(o->timeout * 1e9);
	int fd = client_open(o);

	for (;;) {
		size_t n = ask(fd, q, reply, sizeof reply);
		uint64_t now = bench_now_ns();
		bool changed = n != old->len || memcmp(reply, old->p, n) != 0;
		if (right(reply, n) && changed) {
			uint8_t *copy = bench_alloc(n);
			memcpy(copy, reply, n);
			*old = (struct bench_msg){ copy, n };
			close(fd);
			return now;
		}
		if (now > limit || (n == 0 && !alive(pid)))
			return 0;
	}
}

/* The same over HTTP: the time of the first whole 200. */
static uint64_t wait_page(const struct options *o, pid_t pid)
{
	const struct sockaddr_in to = address(o);
	uint64_t limit = bench_now_ns() + (uint64_t)(o->timeout * 1e9);

	for (;;) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		bool listens = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0;
		bool well = listens && fetch(fd, o->path);
		uint64_t now = bench_now_ns();
		close(fd);
		if (well)
			return now;
		if (now > limit || !alive(pid))
			return 0;
		if (!listens)
			pause_50us();
	}
}

static void server_stop(pid_t pid)
{
	int status;

	kill(pid, SIGTERM);
	for (int i = 0; i < 500; i++) {
		if (waitpid(pid, &status, WNOHANG) != 0)
			return;
		usleep(10000);
	}
	kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);
}

static void tell(const char *what, uint64_t from, uint64_t to, pid_t pid)
{
	printf("{\"%s_ms\": %.3f, \"pid\": %d}\n", what, to ? (double)(to - from) / 1e6 : -1.0, (int)pid);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct options o = options_read(argc, argv);
	struct bench_msgs q = { NULL, 0 };
	struct bench_msg last = { (const uint8_t *)"", 0 };
	char line[64];

	if (o.query)
		q = bench_msgs_read(o.query);
	bench_pin(o.core_client);
	uint64_t start = bench_now_ns();
	pid_t pid = server_start(&o);
	uint64_t end = o.query ? wait_answer(&o, pid, &q.m[0], &last) : wait_page(&o, pid);
	tell("first", start, end, pid);
	while (end && fgets(line, sizeof line, stdin)) {
		if (!o.query)
			continue;
		start = bench_now_ns();
		kill(pid, SIGHUP);
		end = wait_answer(&o, pid, &q.m[0], &last);
		tell("reload", start, end, pid);
	}
	server_stop(pid);
	return end ? 0 : 1;
}
