/*
 * runtime/unix: TCP ends on loopback, with DNS framing as the handler and every system call failing in turn.
 *
 * The server answers a query with its octets after an 'r'. No test sleeps: the loop is run until what is waited for has come about.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocols/dns/stream.h"
#include "runtime/faulty.h"

enum { CONNS = 6, SLOTS = 8 };

static const uint64_t IDLE = 60u * MRG_RT_SECOND_NS;

static struct mrg_arena arena;
static struct mrg_unix_loop loop;
static struct mrg_unix_listener listener;
static struct mrg_rt_addr bound;
static struct mrg_dns_streams streams;

static enum mrg_dns_said answer(void *ctx, struct mrg_dns_call *call, struct mrg_span query, uint8_t *out,
	size_t cap, size_t *out_len)
{
	(void)ctx;
	(void)call;
	*out_len = query.len + 1 < cap ? query.len + 1 : cap;
	out[0] = 'r';
	memcpy(out + 1, query.p, *out_len - 1);
	return MRG_DNS_SAID_ALL;
}

static void start(uint32_t conns, uint32_t slots)
{
	const struct mrg_unix_limits limits = {
		.conn_count = slots, .dgram_in_max = 512, .dgram_out_max = 512
	};
	const struct mrg_dns_stream_limits dns = { .conn_count = conns, .block_count = 4, .idle_ns = IDLE };
	const struct mrg_dns_answerer answerer = { .answer = answer };
	int fd;
	memset(&faulty, 0, sizeof faulty);
	bound = (struct mrg_rt_addr){ .family = 6 };
	bound.ip[15] = 1;
	ck_assert_int_eq(mrg_unix_arena_open(&arena, 64u << 20, 64u << 20), 0);
	ck_assert_int_eq(mrg_unix_tcp_listen(&bound, false, &fd), 0);
	ck_assert_int_eq(mrg_unix_loop_init(&loop, &faulty_sys, &arena, &limits), 0);
	ck_assert_int_eq(mrg_dns_streams_init(&streams, &arena, &loop.timers, &dns, &answerer), MRG_OK);
	ck_assert_int_eq(mrg_unix_listener_init(&listener, &loop, fd, &streams.user), 0);
}

static void stop(void)
{
	mrg_dns_streams_close(&streams);
	mrg_unix_listener_close(&listener);
	mrg_unix_listener_close(&listener);
	mrg_unix_loop_close(&loop);
	mrg_unix_arena_close(&arena);
}

static int connect_new(void)
{
	struct sockaddr_in6 to = {
		.sin6_family = AF_INET6, .sin6_port = htons(bound.port), .sin6_addr = IN6ADDR_LOOPBACK_INIT
	};
	const int fd = socket(AF_INET6, SOCK_STREAM, 0);
	const struct timeval patience = { .tv_sec = 10 };
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

static void ask(int fd, const char *text)
{
	uint8_t b[256] = { 0, (uint8_t)strlen(text) };
	memcpy(b + 2, text, strlen(text));
	ck_assert_int_eq(send(fd, b, 2 + strlen(text), MSG_NOSIGNAL), (ssize_t)(2 + strlen(text)));
}

static void expect(int fd, const char *text)
{
	uint8_t b[256];
	const size_t len = 3 + strlen(text);
	ck_assert_int_eq(recv(fd, b, len, MSG_WAITALL), (ssize_t)len);
	ck_assert_uint_eq(b[1], 1 + strlen(text));
	ck_assert_mem_eq(b + 3, text, strlen(text));
}

static void expect_end(int fd)
{
	uint8_t b;
	ck_assert_int_eq(recv(fd, &b, 1, 0), 0);
	(void)close(fd);
}

/* ---- running until something holds ---- */

static bool until_answers(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	return streams.counts.answers < *(const uint64_t *)ctx;
}

static bool until_live(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	return mrg_dns_streams_count(&streams) != *(const uint32_t *)ctx;
}

static void serve_answers(uint64_t total)
{
	const struct mrg_unix_turn turn = { .ctx = &total, .turn = until_answers };
	ck_assert_int_eq(mrg_unix_loop_run(&loop, &turn), 0);
}

static void serve_live(uint32_t live)
{
	const struct mrg_unix_turn turn = { .ctx = &live, .turn = until_live };
	ck_assert_int_eq(mrg_unix_loop_run(&loop, &turn), 0);
}

static bool first_turn(void *ctx, uint64_t now_ns)
{
	bool *const first = ctx;
	const bool was = *first;
	(void)now_ns;
	*first = false;
	return was;
}

/* What is ready now, without waiting. */
static void serve_once(void)
{
	bool first = true;
	const struct mrg_unix_turn turn = { .ctx = &first, .turn = first_turn };
	mrg_unix_loop_wake(&loop);
	ck_assert_int_eq(mrg_unix_loop_run(&loop, &turn), 0);
}

/* ---- tests ---- */

START_TEST(queries_and_half_close)
{
	char text[MRG_RT_ADDR_TEXT_MAX];
	struct mrg_rt_addr peer;
	start(CONNS, SLOTS);
	const int fd = connect_new();
	ask(fd, "abc");
	ask(fd, "second");
	serve_answers(2);
	streams.oldest->s->ops->peer(streams.oldest->s, &peer);
	ck_assert_ptr_nonnull(strstr(mrg_rt_addr_str(&peer, text), "[::1]:"));
	expect(fd, "abc");
	expect(fd, "second");
	ask(fd, "third");
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	serve_live(0);
	expect(fd, "third");
	expect_end(fd);
	stop();
}
END_TEST

START_TEST(octet_by_octet)
{
	start(CONNS, SLOTS);
	const int fd = connect_new();
	faulty.recv.most = 1;
	faulty.sendmsg.most = 1;
	ask(fd, "abc");
	ask(fd, "second");
	serve_answers(2);
	expect(fd, "abc");
	expect(fd, "second");
	(void)close(fd);
	stop();
}
END_TEST

START_TEST(reading_fails_once)
{
	static const int again[] = { EAGAIN, EINTR, ENOBUFS, ENOMEM },
			 gone[] = { ECONNRESET, ETIMEDOUT, EHOSTUNREACH };
	for (size_t i = 0; i < sizeof again / sizeof again[0]; i++) {
		start(CONNS, SLOTS);
		faulty.recv = (struct faulty){ .count = 3, .err = again[i] };
		const int fd = connect_new();
		ask(fd, "abc");
		serve_answers(1);
		expect(fd, "abc");
		(void)close(fd);
		stop();
	}
	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
		start(CONNS, SLOTS);
		const int fd = connect_new();
		serve_live(1);
		faulty.recv = (struct faulty){ .count = 1, .err = gone[i] };
		ask(fd, "abc");
		serve_live(0);
		ck_assert_uint_eq(streams.counts.broken, 1);
		(void)close(fd);
		stop();
	}
}
END_TEST

START_TEST(writing_fails_once)
{
	static const int again[] = { EAGAIN, EINTR, ENOBUFS, ENOMEM }, gone[] = { EPIPE, ECONNRESET };
	for (size_t i = 0; i < sizeof again / sizeof again[0]; i++) {
		start(CONNS, SLOTS);
		faulty.sendmsg = (struct faulty){ .count = 1, .err = again[i] };
		const int fd = connect_new();
		ask(fd, "abc");
		serve_answers(1);
		ck_assert_ptr_nonnull(streams.oldest->out.p);
		ask(fd, "def");
		serve_answers(2);
		expect(fd, "abc");
		expect(fd, "def");
		(void)close(fd);
		stop();
	}
	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
		start(CONNS, SLOTS);
		const int fd = connect_new();
		serve_live(1);
		faulty.sendmsg = (struct faulty){ .count = 1, .err = gone[i] };
		ask(fd, "abc");
		serve_live(0);
		(void)close(fd);
		stop();
	}
}
END_TEST

START_TEST(a_reset_by_the_peer)
{
	start(CONNS, SLOTS);
	const int fd = connect_new();
	const struct linger hard = { .l_onoff = 1, .l_linger = 0 };
	serve_live(1);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
	(void)close(fd);
	serve_live(0);
	ck_assert_uint_eq(streams.counts.broken, 1);
	stop();
}
END_TEST

START_TEST(a_reset_by_a_peer_that_takes_no_replies)
{
	start(CONNS, SLOTS);
	const int fd = connect_new();
	const struct linger hard = { .l_onoff = 1, .l_linger = 0 };
	faulty.sendmsg = (struct faulty){ .count = 1, .err = EAGAIN };
	ask(fd, "abc");
	serve_answers(1);
	faulty.sendmsg = (struct faulty){ .count = 1000, .err = EAGAIN };
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
	(void)close(fd);
	faulty.sendmsg.count = 0;
	serve_live(0);
	stop();
}
END_TEST

/* The peer sends until the kernel's buffers are full and the server waits for it; only then does it read. */
START_TEST(a_slow_reader_gets_everything_in_the_end)
{
	enum { LEN = 60000, COUNT = 400, ASK = LEN + 2, REPLY = LEN + 3 };
	const int small = 65536; /* with what the server's side may hold, far less than all that is sent */
	static uint8_t query[ASK], want[2 * REPLY], got[REPLY];
	start(CONNS, SLOTS);
	const int fd = connect_new();
	memset(query, 'q', sizeof query);
	query[0] = LEN >> 8;
	query[1] = LEN & 255;
	memset(want, 'q', sizeof want);
	for (size_t at = 0; at < sizeof want; at += REPLY) {
		want[at] = (LEN + 1) >> 8;
		want[at + 1] = (LEN + 1) & 255;
		want[at + 2] = 'r';
	}
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
	size_t sent = 0, read = 0;
	bool full = false;
	while (read < (size_t)COUNT * REPLY) {
		const size_t off = sent % ASK;
		const ssize_t n =
			sent < (size_t)COUNT * ASK ? send(fd, query + off, ASK - off, MSG_NOSIGNAL) : 0;
		sent += n > 0 ? (size_t)n : 0;
		full = full || n < 0;
		const ssize_t m = full || sent == (size_t)COUNT * ASK ? recv(fd, got, sizeof got, 0) : 0;
		if (m > 0) {
			ck_assert_mem_eq(got, want + read % REPLY, (size_t)m);
			read += (size_t)m;
		}
		serve_once();
	}
	ck_assert(full);
	(void)close(fd);
	stop();
}
END_TEST

START_TEST(one_connection_too_many_closes_the_oldest)
{
	int fd[CONNS + 1];
	start(CONNS, SLOTS);
	for (size_t i = 0; i <= CONNS; i++) {
		fd[i] = connect_new();
		ask(fd[i], "abc");
		serve_answers(1 + i);
		expect(fd[i], "abc");
	}
	expect_end(fd[0]);
	for (size_t i = 1; i <= CONNS; i++) {
		ask(fd[i], "def");
		serve_answers(CONNS + 1 + i);
		expect(fd[i], "def");
		(void)close(fd[i]);
	}
	stop();
}
END_TEST

/* The platform runs out of slots before the protocol does: the listener rests, then goes on. */
START_TEST(no_slot_left)
{
	int fd[5];
	start(CONNS, 3);
	for (size_t i = 0; i < 5; i++)
		fd[i] = connect_new();
	ask(fd[4], "abc");
	serve_answers(1);
	expect(fd[4], "abc");
	ck_assert_uint_ge(streams.counts.spared, 2);
	for (size_t i = 0; i < 5; i++)
		(void)close(fd[i]);
	stop();
}
END_TEST

START_TEST(accepting_fails)
{
	static const int errors[] = { EMFILE, ENFILE, ENOMEM, ECONNABORTED, EINTR, EPROTO };
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		for (unsigned count = 1; count < 4; count++) {
			start(CONNS, SLOTS);
			const int first = connect_new();
			serve_live(1);
			faulty.accept = (struct faulty){ .count = count, .err = errors[i] };
			const int second = connect_new();
			ask(second, "abc");
			serve_answers(1);
			expect(second, "abc");
			ck_assert_uint_eq(streams.counts.spared, i < 3 ? 1 : 0);
			(void)close(first);
			(void)close(second);
			stop();
		}
	}
}
END_TEST

START_TEST(a_listener_without_files_rests_instead_of_spinning)
{
	start(CONNS, SLOTS);
	faulty.accept = (struct faulty){ .count = 1, .err = EMFILE };
	const int fd = connect_new();
	for (unsigned i = 0; i < 5; i++)
		serve_once();
	ck_assert_uint_eq(faulty.accept.calls, 1);
	ck_assert(listener.retry.armed);
	faulty.ahead_ns = MRG_RT_SECOND_NS;
	ask(fd, "abc");
	serve_answers(1);
	expect(fd, "abc");
	(void)close(fd);
	stop();
}
END_TEST

START_TEST(who_waits_when_the_doors_close_is_taken)
{
	int fd[3];
	start(CONNS, SLOTS);
	for (size_t i = 0; i < 3; i++) {
		fd[i] = connect_new();
		ask(fd[i], "abc");
	}
	mrg_unix_listener_drain(&listener);
	ck_assert_uint_eq(mrg_dns_streams_count(&streams), 3);
	serve_answers(3);
	for (size_t i = 0; i < 3; i++) {
		expect(fd[i], "abc");
		(void)close(fd[i]);
	}
	mrg_unix_listener_drain(&listener);
	stop();
}
END_TEST

START_TEST(doors_close_without_files_too)
{
	start(CONNS, SLOTS);
	const int fd = connect_new();
	faulty.accept = (struct faulty){ .count = 1, .err = EMFILE };
	mrg_unix_listener_drain(&listener);
	ck_assert_uint_eq(faulty.accept.calls, 1);
	ck_assert(!listener.retry.armed);
	(void)close(fd);
	stop();
}
END_TEST

START_TEST(idle_connections_end)
{
	start(CONNS, SLOTS);
	const int fd = connect_new();
	serve_live(1);
	faulty.ahead_ns = IDLE;
	mrg_unix_loop_wake(&loop);
	serve_live(0);
	expect_end(fd);
	stop();
}
END_TEST

/* Both connections are ready in the same turn, and serving the first one closes the second. */
static struct mrg_stream *pair[2];

static bool pair_open(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	pair[pair[0] != NULL] = s;
	mrg_stream_want(s, MRG_STREAM_READABLE);
	return true;
}

static void pair_ready(void *ctx, struct mrg_stream *s, unsigned events, uint64_t now_ns)
{
	(void)ctx;
	(void)s;
	(void)events;
	(void)now_ns;
	ck_assert_ptr_nonnull(pair[0]);
	mrg_stream_close(pair[0]);
	mrg_stream_close(pair[1]);
	pair[0] = NULL;
}

static bool pair_spare(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	return false;
}

static bool until_pair(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	return (pair[1] != NULL && pair[0] != NULL) != *(const bool *)ctx;
}

START_TEST(events_of_a_connection_just_closed_are_passed_over)
{
	static const struct mrg_stream_user user = {
		.open = pair_open, .ready = pair_ready, .spare = pair_spare
	};
	bool open = true;
	const struct mrg_unix_turn turn = { .ctx = &open, .turn = until_pair };
	start(CONNS, SLOTS);
	listener.user = &user;
	const int a = connect_new(), b = connect_new();
	ck_assert_int_eq(mrg_unix_loop_run(&loop, &turn), 0);
	ask(a, "abc");
	ask(b, "abc");
	open = false;
	ck_assert_int_eq(mrg_unix_loop_run(&loop, &turn), 0);
	(void)close(a);
	(void)close(b);
	stop();
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("runtime/unix TCP");
	TCase *const t = tcase_create("tcp");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, queries_and_half_close);
	tcase_add_test(t, octet_by_octet);
	tcase_add_test(t, reading_fails_once);
	tcase_add_test(t, writing_fails_once);
	tcase_add_test(t, a_reset_by_the_peer);
	tcase_add_test(t, a_reset_by_a_peer_that_takes_no_replies);
	tcase_add_test(t, a_slow_reader_gets_everything_in_the_end);
	tcase_add_test(t, one_connection_too_many_closes_the_oldest);
	tcase_add_test(t, no_slot_left);
	tcase_add_test(t, accepting_fails);
	tcase_add_test(t, a_listener_without_files_rests_instead_of_spinning);
	tcase_add_test(t, who_waits_when_the_doors_close_is_taken);
	tcase_add_test(t, doors_close_without_files_too);
	tcase_add_test(t, idle_connections_end);
	tcase_add_test(t, events_of_a_connection_just_closed_are_passed_over);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
