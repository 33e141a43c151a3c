/*
 * bench/tcpip_ours.c - the work of our TCP/IP for bytes and for small exchanges, in memory: see hosts.h. tcpip_lwip.c does the same
 * with lwIP.
 *
 * One connection; software checksums, MTU 1500, timestamps, SACK and window scaling. What is written is copied by the stack, and what
 * came is read into a buffer. Before anything is timed, what comes is held against what was sent.
 */
#include "bench/hosts.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 16, SEGMENT = 1460, PASS_SEGMENTS = 4096, EXCHANGE = 64, EXCHANGES = 2000 };

/* One side of the connection. */
struct side {
	struct mrg_stream *stream;
	uint64_t sent, got;
	bool sends, answers;
	unsigned asks; /* requests to be made, each when the answer to the last one came */
};

struct run {
	struct hosts hosts;
	struct side side[2];
	struct mrg_stream_user user[2];
	struct mrg_tcpip_connect attempt;
	uint8_t out[2 * CHUNK],
		in[CHUNK]; /* a pattern of CHUNK - 15 octets, so that no chunk is like the last */
	bool verify;
};

enum { PATTERN = CHUNK - 15 };

static struct run run;

static void send_some(struct side *s, size_t len)
{
	size_t done;
	for (;;) {
		const struct mrg_span part = { run.out + s->sent % PATTERN, len };
		if (mrg_stream_write(s->stream, &part, 1, false, &done) != MRG_IO_OK)
			return;
		s->sent += done;
		if (len != CHUNK)
			return;
	}
}

static void read_some(struct side *s)
{
	size_t got;
	while (mrg_stream_read(s->stream, run.in, sizeof run.in, &got) == MRG_IO_OK) {
		if (run.verify && memcmp(run.in, run.out + s->got % PATTERN, got) != 0)
			bench_die("tcpip_ours: other bytes came than were sent");
		s->got += got;
		if (s->answers)
			send_some(s, got);
		if (s->asks != 0) {
			s->asks--;
			send_some(s, EXCHANGE);
		}
		if (got < sizeof run.in)
			return; /* if there is more after all, we are called again */
	}
}

static void ready(void *ctx, struct mrg_stream *stream, unsigned events, uint64_t now_ns)
{
	struct side *const s = stream->conn;
	(void)ctx;
	(void)now_ns;
	if ((events & MRG_STREAM_READABLE) != 0)
		read_some(s);
	if (s->sends)
		send_some(s, CHUNK);
}

static bool open_side(void *ctx, struct mrg_stream *stream, uint64_t now_ns)
{
	struct side *const s = ctx;
	(void)now_ns;
	s->stream = stream;
	stream->conn = s;
	mrg_stream_want(stream, MRG_STREAM_READABLE);
	return true;
}

static void failed(struct mrg_tcpip_connect *t, enum mrg_net_why why, uint64_t now_ns)
{
	(void)t;
	(void)now_ns;
	bench_die("tcpip_ours: no connection: %d", (int)why);
}

static void connect_both(uint32_t window)
{
	struct mrg_tcpip_limits limits = mrg_tcpip_usual;
	struct mrg_rt_addr at;
	limits.receive_max = limits.send_max = window;
	hosts_open(&run.hosts, &limits);
	for (size_t i = 0; i < 2; i++)
		run.user[i] =
			(struct mrg_stream_user){ .ctx = &run.side[i], .open = open_side, .ready = ready };
	at = run.hosts.address[1];
	at.port = 80;
	run.attempt = (struct mrg_tcpip_connect){ .user = &run.user[0], .failed = failed };
	if (mrg_tcpip_listen(run.hosts.stack[1], &at, &run.user[1]) == NULL ||
		!mrg_tcpip_connect(run.hosts.stack[0], &run.attempt, NULL, &at))
		bench_die("tcpip_ours: no listener, or no connection");
	for (unsigned i = 0; run.side[0].stream == NULL || run.side[1].stream == NULL; i++) {
		if (i > 1000)
			bench_die("tcpip_ours: the connection is not made");
		hosts_turn(&run.hosts);
	}
}

/* ---- bytes ---- */

static void bulk(void *ctx)
{
	const uint64_t until = run.side[1].got + (uint64_t)PASS_SEGMENTS * SEGMENT;
	(void)ctx;
	while (run.side[1].got < until)
		hosts_turn(&run.hosts);
}

static void bulk_measure(unsigned ms)
{
	struct side *const s = &run.side[0];
	s->sends = true;
	mrg_stream_want(s->stream, MRG_STREAM_READABLE | MRG_STREAM_WRITABLE);
	run.verify = true;
	bulk(NULL);
	run.verify = false;
	bench_result("bulk", bench_time(bulk, NULL, PASS_SEGMENTS, ms));
	s->sends = false;
	mrg_stream_want(s->stream, MRG_STREAM_READABLE);
	while (run.side[1].got < s->sent)
		hosts_turn(&run.hosts);
	hosts_settle(&run.hosts, MRG_RT_SECOND_NS / 10u);
}

/* ---- exchanges ---- */

static void exchanges(void *ctx)
{
	const uint64_t until = run.side[0].got + (uint64_t)EXCHANGES * EXCHANGE;
	(void)ctx;
	run.side[0].asks = EXCHANGES - 1u;
	send_some(&run.side[0], EXCHANGE);
	while (run.side[0].got < until)
		hosts_turn(&run.hosts);
}

static void exchanges_measure(unsigned ms)
{
	run.side[1].answers = true;
	/* the answers are the pattern from where that side is, and both are at the same place */
	run.side[0].got = run.side[1].sent = run.side[1].got = run.side[0].sent;
	run.verify = true;
	exchanges(NULL);
	run.verify = false;
	bench_result("exchange", bench_time(exchanges, NULL, EXCHANGES, ms));
}

/* ---- the whole ---- */

static void count_said(void *ctx, const char *protocol, const char *name, uint64_t value)
{
	(void)ctx;
	if (value != 0 && getenv("COUNTS") != NULL)
		fprintf(stderr, "%s %s %llu\n", protocol, name, (unsigned long long)value);
	if (strcmp(protocol, "tcp") == 0 && strcmp(name, "retrans_segs") == 0 && value != 0)
		bench_die("tcpip_ours: %llu segments were sent again", (unsigned long long)value);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		bench_die("usage: tcpip_ours WINDOW MILLISECONDS [bulk | exchange]");
	const unsigned ms = (unsigned)atoi(argv[2]);
	for (size_t i = 0; i < sizeof run.out; i++)
		run.out[i] = (uint8_t)(i % PATTERN * 2654435761u >> 13);
	connect_both((uint32_t)atoi(argv[1]));
	bulk_measure(argc > 3 && strcmp(argv[3], "bulk") != 0 ? 1 : ms);
	exchanges_measure(argc > 3 && strcmp(argv[3], "exchange") != 0 ? 1 : ms);
	mrg_tcpip_counts(run.hosts.stack[0], count_said, NULL);
	return 0;
}
