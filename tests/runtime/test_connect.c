/*
 * runtime/unix: connections that are made. Others are plain sockets of the test; no test sleeps: the loop is run until what is waited for
 * has come about.
 */
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "runtime/faulty.h"

enum { SLOTS = 2 };

static struct mrg_arena arena;
static struct mrg_unix_loop loop;
static struct mrg_unix_connect attempt;
static struct mrg_rt_addr there;

/* what was called */
static struct mrg_stream *opened;
static unsigned opens, failures, events_seen;
static int failed_with;
static bool refuse_it, again;

static bool on_open(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	ck_assert_ptr_eq(ctx, &attempt);
	ck_assert_uint_eq(now_ns, loop.now_ns);
	opens++;
	opened = s;
	return !refuse_it;
}

static void on_ready(void *ctx, struct mrg_stream *s, unsigned events, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	ck_assert_ptr_eq(s, opened);
	events_seen |= events;
}

static const struct mrg_stream_user user = { .ctx = &attempt, .open = on_open, .ready = on_ready };

static void on_failure(struct mrg_unix_connect *t, int err, uint64_t now_ns)
{
	ck_assert_ptr_eq(t, &attempt);
	ck_assert_uint_eq(now_ns, loop.now_ns);
	failures++;
	failed_with = err;
	if (again) {
		again = false;
		ck_assert_int_eq(mrg_unix_connect(&attempt, &loop, &there), 0);
	}
}

static void start(void)
{
	const struct mrg_unix_limits limits = {
		.conn_count = SLOTS, .dgram_in_max = 512, .dgram_out_max = 512
	};
	memset(&faulty, 0, sizeof faulty);
	opened = NULL;
	opens = failures = events_seen = 0;
	failed_with = 0;
	refuse_it = again = false;
	attempt = (struct mrg_unix_connect){ .user = &user, .failed = on_failure };
	ck_assert_int_eq(mrg_unix_arena_open(&arena, 1u << 20, 1u << 20), 0);
	ck_assert_int_eq(mrg_unix_loop_init(&loop, &faulty_sys, &arena, &limits), 0);
}

static void stop(void)
{
	mrg_unix_loop_close(&loop);
	mrg_unix_arena_close(&arena);
}

static struct mrg_rt_addr loopback(uint8_t family)
{
	struct mrg_rt_addr a = { .family = family };
	static const uint8_t four[] = { 127, 0, 0, 1 };
	if (family == 4)
		memcpy(a.ip, four, sizeof four);
	else
		a.ip[15] = 1;
	return a;
}

static int listener(uint8_t family)
{
	int fd;
	there = loopback(family);
	ck_assert_int_eq(mrg_unix_tcp_listen(&there, false, &fd), 0);
	return fd;
}

/* A port that nobody listens at, held for as long as the test runs. */
static int no_listener(struct mrg_rt_addr *at)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof in;
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*at = loopback(4);
	at->port = ntohs(in.sin_port);
	return fd;
}

static bool until_over(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	return opens + failures < *(const unsigned *)ctx;
}

static bool until_event(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	return (events_seen & *(const unsigned *)ctx) == 0;
}

static void run_until_over(unsigned calls)
{
	const struct mrg_unix_turn turn = { .ctx = &calls, .turn = until_over };
	ck_assert_int_eq(mrg_unix_loop_run(&loop, &turn), 0);
}

static void run_until_event(unsigned event)
{
	const struct mrg_unix_turn turn = { .ctx = &event, .turn = until_event };
	events_seen = 0;
	ck_assert_int_eq(mrg_unix_loop_run(&loop, &turn), 0);
}

static bool some_turns(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	mrg_unix_loop_wake(&loop);
	return (*(unsigned *)ctx)-- != 0;
}

/* What is ready now, without waiting. */
static void run_turns(unsigned count)
{
	const struct mrg_unix_turn turn = { .ctx = &count, .turn = some_turns };
	ck_assert_int_eq(mrg_unix_loop_run(&loop, &turn), 0);
}

static int accept_one(int fd)
{
	const struct timeval patience = { .tv_sec = 10 };
	int got;
	while ((got = accept(fd, NULL, NULL)) < 0)
		ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(setsockopt(got, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
	return got;
}

static void expect_end(int fd)
{
	uint8_t b;
	ck_assert_int_eq(recv(fd, &b, 1, 0), 0);
	(void)close(fd);
}

/* ---- tests ---- */

START_TEST(octets_go_both_ways)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		const struct mrg_span parts[] = { MRG_LITERAL("he"), MRG_LITERAL("llo") };
		uint8_t b[8];
		size_t n;
		struct mrg_rt_addr peer;
		start();
		const int at = listener(family);
		ck_assert_int_eq(mrg_unix_connect(&attempt, &loop, &there), 0);
		ck_assert_uint_eq(opens, 0);
		run_until_over(1);
		ck_assert_uint_eq(opens, 1);
		ck_assert_uint_eq(loop.counts.conn_open, 1);
		ck_assert_ptr_null(attempt.conn);
		const int fd = accept_one(at);
		mrg_stream_peer(opened, &peer);
		ck_assert_uint_eq(peer.port, there.port);
		ck_assert_int_eq(mrg_stream_write(opened, parts, 2, false, &n), MRG_IO_OK);
		ck_assert_int_eq(recv(fd, b, 5, MSG_WAITALL), 5);
		ck_assert_mem_eq(b, "hello", 5);
		ck_assert_int_eq(mrg_stream_read(opened, b, sizeof b, &n), MRG_IO_AGAIN);
		/* nothing is wanted, so nothing is heard of */
		run_turns(3);
		ck_assert_uint_eq(events_seen, 0);
		mrg_stream_want(opened, MRG_STREAM_READABLE);
		ck_assert_int_eq(send(fd, "yes", 3, MSG_NOSIGNAL), 3);
		run_until_event(MRG_STREAM_READABLE);
		ck_assert_uint_eq(events_seen, MRG_STREAM_READABLE);
		ck_assert_int_eq(mrg_stream_read(opened, b, sizeof b, &n), MRG_IO_OK);
		ck_assert_uint_eq(n, 3);
		mrg_stream_want(opened, MRG_STREAM_WRITABLE);
		run_until_event(MRG_STREAM_WRITABLE);
		mrg_stream_close(opened);
		expect_end(fd);
		(void)close(at);
		stop();
	}
}
END_TEST

START_TEST(nobody_listens)
{
	start();
	const int held = no_listener(&there);
	ck_assert_int_eq(mrg_unix_connect(&attempt, &loop, &there), 0);
	run_until_over(1);
	ck_assert_uint_eq(opens, 0);
	ck_assert_int_eq(failed_with, ECONNREFUSED);
	ck_assert_ptr_null(attempt.conn);
	run_turns(3);
	ck_assert_uint_eq(failures, 1);
	(void)close(held);
	stop();
}
END_TEST

/* Each failure gives its slot back, or the second turn of this would have none. */
START_TEST(it_fails_at_once)
{
	static const int errors[] = { ENETUNREACH, EADDRNOTAVAIL, EACCES };
	start();
	const int at = listener(4);
	for (size_t i = 0; i < 2u * SLOTS * 3u; i++) {
		faulty.connect = (struct faulty){ .count = 1, .err = errors[i % 3u] };
		ck_assert_int_eq(mrg_unix_connect(&attempt, &loop, &there), errors[i % 3u]);
		ck_assert_ptr_null(attempt.conn);
		mrg_unix_connect_cancel(&attempt);
	}
	run_turns(2);
	ck_assert_uint_eq(opens + failures, 0);
	ck_assert_int_eq(mrg_unix_connect(&attempt, &loop, &there), 0);
	run_until_over(1);
	ck_assert_uint_eq(opens, 1);
	mrg_stream_close(opened);
	(void)close(at);
	stop();
}
END_TEST

START_TEST(another_attempt_after_a_failure)
{
	struct mrg_rt_addr nobody;
	start();
	const int at = listener(4), held = no_listener(&nobody);
	again = true;
	ck_assert_int_eq(mrg_unix_connect(&attempt, &loop, &nobody), 0);
	run_until_over(2);
	ck_assert_uint_eq(failures, 1);
	ck_assert_uint_eq(opens, 1);
	const int fd = accept_one(at);
	mrg_stream_close(opened);
	expect_end(fd);
	(void)close(held);
	(void)close(at);
	stop();
}
END_TEST

START_TEST(who_opens_refuses)
{
	start();
	const int at = listener(6);
	refuse_it = true;
	ck_assert_int_eq(mrg_unix_connect(&attempt, &loop, &there), 0);
	run_until_over(1);
	ck_assert_uint_eq(loop.counts.conn_refused, 1);
	expect_end(accept_one(at));
	(void)close(at);
	stop();
}
END_TEST

/* A listener whose queue is full leaves the next connection waiting: nothing comes of it until it is given up. */
START_TEST(one_that_waits_is_given_up)
{
	struct mrg_unix_connect others[SLOTS];
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof in;
	start();
	const int at = socket(AF_INET, SOCK_STREAM, 0), first = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(at, (struct sockaddr *)&in, sizeof in), 0);
	ck_assert_int_eq(getsockname(at, (struct sockaddr *)&in, &len), 0);
	ck_assert_int_eq(listen(at, 0), 0);
	ck_assert_int_eq(connect(first, (struct sockaddr *)&in, sizeof in), 0);
	there = loopback(4);
	there.port = ntohs(in.sin_port);
	for (size_t i = 0; i < SLOTS; i++) {
		others[i] = attempt;
		ck_assert_int_eq(mrg_unix_connect(&others[i], &loop, &there), 0);
	}
	run_turns(3);
	ck_assert_uint_eq(opens + failures, 0);
	ck_assert_int_eq(mrg_unix_connect(&attempt, &loop, &there), ENOBUFS);
	mrg_unix_connect_cancel(&attempt);
	for (size_t i = 0; i < SLOTS; i++) {
		mrg_unix_connect_cancel(&others[i]);
		mrg_unix_connect_cancel(&others[i]);
	}
	run_turns(2);
	ck_assert_uint_eq(opens + failures, 0);
	/* the slots are free again, from the next turn on */
	ck_assert_int_eq(mrg_unix_connect(&attempt, &loop, &there), 0);
	mrg_unix_connect_cancel(&attempt);
	(void)close(first);
	(void)close(at);
	stop();
}
END_TEST

START_TEST(one_that_stands_already)
{
	uint8_t octets[8];
	struct mrg_rt_addr peer;
	size_t got;
	int pair[2], more[2];
	start();
	ck_assert_int_eq(mrg_unix_local_pair(pair), 0);
	ck_assert_int_eq(mrg_unix_conn_begin(&loop, pair[0], &user), 0);
	ck_assert_uint_eq(opens, 1);
	mrg_stream_peer(opened, &peer);
	ck_assert_uint_eq(peer.family, 0);
	ck_assert_int_eq(mrg_stream_read(opened, octets, sizeof octets, &got), MRG_IO_AGAIN);
	mrg_stream_want(opened, MRG_STREAM_READABLE);
	ck_assert_int_eq(write(pair[1], "abc", 3), 3);
	run_until_event(MRG_STREAM_READABLE);
	ck_assert_int_eq(mrg_stream_read(opened, octets, sizeof octets, &got), MRG_IO_OK);
	ck_assert_uint_eq(got, 3);
	/* one that is refused is closed, and as many as there are slots for may stand */
	refuse_it = true;
	ck_assert_int_eq(mrg_unix_local_pair(more), 0);
	ck_assert_int_eq(mrg_unix_conn_begin(&loop, more[0], &user), 0);
	ck_assert_int_eq(read(more[1], octets, sizeof octets), 0);
	ck_assert_int_eq(mrg_unix_conn_begin(&loop, more[1], &user), ENOBUFS);
	ck_assert_int_eq(close(more[1]), 0);
	ck_assert_int_eq(close(pair[1]), 0);
	stop();
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("runtime/unix connections that are made");
	TCase *const t = tcase_create("connect");
	tcase_add_test(t, octets_go_both_ways);
	tcase_add_test(t, nobody_listens);
	tcase_add_test(t, it_fails_at_once);
	tcase_add_test(t, another_attempt_after_a_failure);
	tcase_add_test(t, who_opens_refuses);
	tcase_add_test(t, one_that_waits_is_given_up);
	tcase_add_test(t, one_that_stands_already);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
