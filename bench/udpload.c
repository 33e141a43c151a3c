/*
 * bench/udpload.c - a load generator for DNS over UDP.
 *
 * Keeps a window of queries in flight on one connected socket, sends and
 * receives them in batches (sendmmsg, recvmmsg), spins instead of sleeping so
 * that no reply pays for a wake-up, and prints one line of JSON.  A query's
 * slot in the window is in its ID, with a generation so that a late reply to
 * a query that was given up isn't taken for another's.
 *
 * Reading order: options, main, run, send_batch, receive_batch, judge.
 */
#include "bench/util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH = 64, SLOT_BITS = 10, SLOT_MAX = 1 << SLOT_BITS, QUERY_MAX = 512, REPLY_MAX = 4096 };

enum compare { COMPARE_NONE, COMPARE_RCODE, COMPARE_SIZE, COMPARE_BYTES };

struct options {
	const char *host, *queries, *expect, *record;
	int port, core;
	size_t window, count;
	double seconds, timeout;
	enum compare compare;
};

struct slot {
	uint64_t sent_ns;
	size_t query;
	uint16_t id;
	bool busy;
	uint8_t msg[QUERY_MAX];
};

struct counts {
	size_t sent, received, lost, stray, bad_rcode, bad_size, bad_bytes;
	uint64_t reply_bytes;
};

struct load {
	struct options o;
	struct bench_msgs queries, expect;
	int fd;
	struct slot slot[SLOT_MAX];
	uint16_t free[SLOT_MAX];
	size_t free_count;
	struct counts n;
	struct bench_hist latency;
	struct bench_msg *recorded; /* by query, when replies are kept */
	struct mmsghdr out[BATCH], in[BATCH];
	struct iovec out_iov[BATCH], in_iov[BATCH];
	uint8_t reply[BATCH][REPLY_MAX];
};

static void usage(void)
{
	bench_die("usage: udpload -p PORT -q QUERIES [-s ADDRESS] [-n COUNT | -t SECONDS] [-w WINDOW]\n"
		  "  [-C CORE] [-T TIMEOUT_SECONDS] [-c none|rcode|size|bytes] [-e EXPECTED] [-o RECORD]\n"
		  "QUERIES, EXPECTED and RECORD are message files in the same order.  -c size and\n"
		  "bytes need EXPECTED; rcode wants 0.  One line of JSON tells what happened.");
}

static enum compare compare_of(const char *s)
{
	static const char *const names[] = { "none", "rcode", "size", "bytes" };

	for (size_t i = 0; i < 4; i++)
		if (strcmp(s, names[i]) == 0)
			return (enum compare)i;
	usage();
	return COMPARE_NONE;
}

static struct options options_read(int argc, char **argv)
{
	struct options o = {
		.host = "127.0.0.1", .core = -1, .window = 128, .timeout = 1.0, .compare = COMPARE_RCODE
	};
	int c;

	while ((c = getopt(argc, argv, "s:p:q:e:o:n:t:w:C:T:c:")) != -1) {
		switch (c) {
		case 's': o.host = optarg; break;
		case 'p': o.port = atoi(optarg); break;
		case 'q': o.queries = optarg; break;
		case 'e': o.expect = optarg; break;
		case 'o': o.record = optarg; break;
		case 'n': o.count = strtoul(optarg, NULL, 10); break;
		case 't': o.seconds = strtod(optarg, NULL); break;
		case 'w': o.window = strtoul(optarg, NULL, 10); break;
		case 'C': o.core = atoi(optarg); break;
		case 'T': o.timeout = strtod(optarg, NULL); break;
		case 'c': o.compare = compare_of(optarg); break;
		default: usage();
		}
	}
	if (!o.queries || o.port <= 0 || o.port > 65535 || optind != argc)
		usage();
	if (o.window == 0 || o.window > SLOT_MAX)
		bench_die("udpload: the window must be 1..%d", SLOT_MAX);
	if (o.compare >= COMPARE_SIZE && !o.expect)
		bench_die("udpload: -c size and -c bytes need -e");
	return o;
}

static int socket_open(const struct options *o)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)o->port) };
	int size = 4 << 20, fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (inet_pton(AF_INET, o->host, &to.sin_addr) != 1)
		bench_die("udpload: %s: not an IPv4 address", o->host);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) != 0)
		bench_die("udpload: no socket to %s: %s", o->host, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	return fd;
}

static void load_init(struct load *l)
{
	l->queries = bench_msgs_read(l->o.queries);
	for (size_t i = 0; i < l->queries.count; i++)
		if (l->queries.m[i].len < 12u || l->queries.m[i].len > QUERY_MAX)
			bench_die("%s: query %zu has a size out of 12..%d", l->o.queries, i, QUERY_MAX);
	if (l->o.expect) {
		l->expect = bench_msgs_read(l->o.expect);
		if (l->expect.count != l->queries.count)
			bench_die("%s: not as many messages as %s", l->o.expect, l->o.queries);
	}
	if (l->o.record) {
		l->recorded = bench_alloc(l->queries.count * sizeof *l->recorded);
		memset(l->recorded, 0, l->queries.count * sizeof *l->recorded);
	}
	if (!l->o.count && l->o.seconds <= 0)
		l->o.count = l->queries.count;
	l->fd = socket_open(&l->o);
	l->free_count = l->o.window;
	for (size_t i = 0; i < l->o.window; i++) {
		l->free[i] = (uint16_t)i;
		l->slot[i].id = (uint16_t)i;
	}
	for (size_t i = 0; i < BATCH; i++) {
		l->out[i].msg_hdr = (struct msghdr){ .msg_iov = &l->out_iov[i], .msg_iovlen = 1 };
		l->in_iov[i] = (struct iovec){ l->reply[i], REPLY_MAX };
		l->in[i].msg_hdr = (struct msghdr){ .msg_iov = &l->in_iov[i], .msg_iovlen = 1 };
	}
}

/* Put the next query into slot s, under an ID that the slot has not had for a while. */
static void slot_fill(struct load *l, struct slot *s, size_t query)
{
	const struct bench_msg *m = &l->queries.m[query];

	s->id = (uint16_t)(s->id + SLOT_MAX);
	s->query = query;
	s->busy = true;
	memcpy(s->msg, m->p, m->len);
	s->msg[0] = (uint8_t)(s->id >> 8);
	s->msg[1] = (uint8_t)s->id;
}

static bool refused(int error)
{
	return error == ECONNREFUSED || error == EAGAIN || error == ENOBUFS || error == EINTR;
}

static void send_batch(struct load *l, size_t limit)
{
	size_t n = l->free_count < BATCH ? l->free_count : BATCH;
	size_t done = 0;

	if (n > limit)
		n = limit;
	for (size_t i = 0; i < n; i++) {
		struct slot *s = &l->slot[l->free[l->free_count - 1u - i]];
		slot_fill(l, s, (l->n.sent + i) % l->queries.count);
		l->out_iov[i] = (struct iovec){ s->msg, l->queries.m[s->query].len };
	}
	uint64_t now = bench_now_ns();
	for (size_t i = 0; i < n; i++)
		l->slot[l->free[l->free_count - 1u - i]].sent_ns = now;
	while (done < n) {
		int k = sendmmsg(l->fd, l->out + done, (unsigned)(n - done), 0);
		if (k < 0 && !refused(errno))
			bench_die("udpload: send: %s", strerror(errno));
		done += k > 0 ? (size_t)k : 0u;
	}
	l->free_count -= n;
	l->n.sent += n;
}

static void judge(struct load *l, size_t query, const uint8_t *p, size_t len)
{
	if (l->recorded && !l->recorded[query].p) {
		uint8_t *copy = bench_alloc(len);
		memcpy(copy, p, len);
		l->recorded[query] = (struct bench_msg){ copy, len };
	}
	if (l->o.compare == COMPARE_NONE)
		return;
	if (l->o.compare == COMPARE_RCODE) {
		l->n.bad_rcode += (p[3] & 15u) != 0;
		return;
	}
	const struct bench_msg *want = &l->expect.m[query];
	l->n.bad_rcode += (p[3] & 15u) != (want->p[3] & 15u);
	l->n.bad_size += len != want->len;
	if (l->o.compare == COMPARE_BYTES)
		l->n.bad_bytes += len != want->len || memcmp(p + 2, want->p + 2, len - 2u) != 0;
}

static void take_reply(struct load *l, uint64_t now, const uint8_t *p, size_t len)
{
	struct slot *s = len < 12u ? NULL : &l->slot[((size_t)p[0] << 8 | p[1]) & (SLOT_MAX - 1u)];

	if (!s || !s->busy || s->id != ((unsigned)p[0] << 8 | p[1]) || !(p[2] & 0x80u)) {
		l->n.stray++;
		return;
	}
	bench_hist_add(&l->latency, now - s->sent_ns);
	l->n.received++;
	l->n.reply_bytes += len;
	judge(l, s->query, p, len);
	s->busy = false;
	l->free[l->free_count++] = (uint16_t)(s - l->slot);
}

static size_t receive_batch(struct load *l)
{
	int k = recvmmsg(l->fd, l->in, BATCH, MSG_DONTWAIT, NULL);

	if (k < 0) {
		if (!refused(errno))
			bench_die("udpload: receive: %s", strerror(errno));
		return 0;
	}
	uint64_t now = bench_now_ns();
	for (size_t i = 0; i < (size_t)k; i++)
		take_reply(l, now, l->reply[i], l->in[i].msg_len);
	return (size_t)k;
}

/* Give up queries that were sent `timeout` ago; their slots are free again. */
static void expire(struct load *l, uint64_t now)
{
	uint64_t limit = (uint64_t)(l->o.timeout * 1e9);

	for (size_t i = 0; i < l->o.window; i++) {
		struct slot *s = &l->slot[i];
		if (!s->busy || now - s->sent_ns < limit)
			continue;
		s->busy = false;
		l->n.lost++;
		l->free[l->free_count++] = (uint16_t)i;
	}
}

static double run(struct load *l)
{
	uint64_t start = bench_now_ns(), last = start;
	uint64_t stop = l->o.seconds > 0 ? start + (uint64_t)(l->o.seconds * 1e9) : UINT64_MAX;
	size_t total = l->o.count ? l->o.count : SIZE_MAX;
	size_t chunk = l->o.window < BATCH / 2 ? 1u : BATCH / 4;

	for (;;) {
		bool more = l->n.sent < total && last < stop;
		if (more && l->free_count >= chunk)
			send_batch(l, total - l->n.sent);
		size_t got = receive_batch(l);
		if (!more && l->free_count == l->o.window)
			break;
		if (got && l->o.seconds <= 0)
			continue;
		last = bench_now_ns();
		if (!got)
			expire(l, last);
	}
	return (double)(bench_now_ns() - start) / 1e9;
}

static void report(const struct load *l, double seconds)
{
	const struct counts *n = &l->n;

	printf("{\"sent\": %zu, \"received\": %zu, \"lost\": %zu, \"stray\": %zu, ", n->sent, n->received,
		n->lost, n->stray);
	printf("\"bad_rcode\": %zu, \"bad_size\": %zu, \"bad_bytes\": %zu, ", n->bad_rcode, n->bad_size,
		n->bad_bytes);
	printf("\"reply_bytes\": %llu, \"seconds\": %.6f, \"rate\": %.1f, ",
		(unsigned long long)n->reply_bytes, seconds, (double)n->received / seconds);
	bench_hist_print(&l->latency);
	printf("}\n");
}

static void record(const struct load *l)
{
	FILE *f = fopen(l->o.record, "wb");

	if (!f)
		bench_die("%s: cannot be written", l->o.record);
	for (size_t i = 0; i < l->queries.count; i++)
		bench_msg_write(f, l->recorded[i].p, l->recorded[i].len);
	if (fclose(f) != 0)
		bench_die("%s: cannot be written", l->o.record);
}

int main(int argc, char **argv)
{
	struct load *l = bench_alloc(sizeof *l);

	memset(l, 0, sizeof *l);
	l->o = options_read(argc, argv);
	load_init(l);
	bench_pin(l->o.core);
	report(l, run(l));
	if (l->recorded)
		record(l);
	return 0;
}
