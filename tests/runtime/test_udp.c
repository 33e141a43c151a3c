/*
 * runtime/unix: UDP ends on loopback, in batches, with every system call failing in turn.
 *
 * The echo server under test answers a datagram with itself reversed, and drops those that start with 'd'.
 * No test sleeps: the client's datagrams are in the server's socket when its send has returned, and the loop is run until a given
 * number of datagrams were handled.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "runtime/faulty.h"

enum { IN_MAX = 512, OUT_MAX = 256 };

static struct mrg_arena arena;
static struct mrg_unix_loop loop;
static struct mrg_unix_udp udp;
static struct mrg_rt_addr bound;
static struct mrg_rt_addr last_peer, last_asked;
static size_t handled, wanted, biggest_batch, last_len;
static int client;

static void echo(void *ctx, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count, uint64_t now_ns)
{
	(void)ctx;
	ck_assert_uint_ge(count, 1);
	ck_assert_uint_gt(now_ns, 0);
	biggest_batch = count > biggest_batch ? count : biggest_batch;
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(d[i].out_len, 0);
		ck_assert_uint_eq(d[i].out_cap, OUT_MAX);
		last_len = d[i].in.len;
		if (d[i].in.len != 0 && d[i].in.p[0] == 'd')
			continue;
		for (size_t k = 0; k < d[i].in.len && k < OUT_MAX; k++)
			d[i].out[k] = d[i].in.p[d[i].in.len - 1 - k];
		d[i].out_len = d[i].in.len < OUT_MAX ? d[i].in.len : OUT_MAX;
	}
	e->ops->peer(e, count - 1, &last_peer);
	e->ops->asked(e, count - 1, &last_asked);
	handled += count;
}

static const struct mrg_dgram_user user = { .batch = echo };

static bool until_handled(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	return handled < wanted;
}

/* Run the loop until `count` more datagrams were handled. */
static void serve(size_t count)
{
	const struct mrg_unix_turn turn = { .turn = until_handled };
	wanted = handled + count;
	ck_assert_int_eq(mrg_unix_loop_run(&loop, &turn), 0);
}

static void start(const char *address)
{
	const struct mrg_unix_limits limits = {
		.conn_count = 4, .dgram_in_max = IN_MAX, .dgram_out_max = OUT_MAX
	};
	int fd;
	memset(&faulty, 0, sizeof faulty);
	handled = wanted = biggest_batch = 0;
	ck_assert(mrg_rt_addr_read(address, 0, &bound));
	ck_assert_int_eq(mrg_unix_arena_open(&arena, 16u << 20, 16u << 20), 0);
	ck_assert_int_eq(mrg_unix_udp_bind(&bound, false, &fd), 0);
	ck_assert_uint_ne(bound.port, 0);
	ck_assert_int_eq(mrg_unix_loop_init(&loop, &faulty_sys, &arena, &limits), 0);
	ck_assert_int_eq(mrg_unix_udp_init(&udp, &loop, &arena, fd, &bound, &user), 0);
}

static void stop(void)
{
	mrg_unix_udp_close(&udp);
	mrg_unix_loop_close(&loop);
	mrg_unix_arena_close(&arena);
	(void)close(client);
}

/* The client sends to `ip`, and hears only replies from there, since it is connected. */
static void connect_client(const char *ip)
{
	const bool six = strchr(ip, ':') != NULL;
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(bound.port) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(bound.port) };
	client = socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(
		inet_pton(six ? AF_INET6 : AF_INET, ip, six ? (void *)&in6.sin6_addr : (void *)&in.sin_addr),
		1);
	ck_assert_int_eq(six ? connect(client, (struct sockaddr *)&in6, sizeof in6)
			     : connect(client, (struct sockaddr *)&in, sizeof in),
		0);
}

static void ask(const char *text)
{
	ck_assert_int_eq(send(client, text, strlen(text), 0), (ssize_t)strlen(text));
}

static void expect(const char *text)
{
	char got[OUT_MAX + 1];
	struct pollfd p = { .fd = client, .events = POLLIN };
	ck_assert_msg(poll(&p, 1, 5000) == 1, "no reply '%s'", text);
	const ssize_t n = recv(client, got, sizeof got, 0);
	ck_assert_int_eq(n, (ssize_t)strlen(text));
	ck_assert_mem_eq(got, text, strlen(text));
}

static void expect_nothing(void)
{
	char got[1];
	ck_assert_int_eq(recv(client, got, sizeof got, 0), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

static const struct {
	const char *bind, *ask;
} places[] = {
	{ "127.0.0.1:0", "127.0.0.1" },
	{ "[::1]:0", "::1" },
	{ "0.0.0.0:0", "127.0.0.1" },
	{ "0.0.0.0:0",
		"127.1.2.3" }, /* any of 127/8 is ours; a reply from 127.0.0.1 would not reach the connected client */
	{ "[::]:0", "::1" },
};

START_TEST(replies_come_from_the_address_that_was_asked)
{
	char text[MRG_RT_ADDR_TEXT_MAX];
	start(places[_i].bind);
	connect_client(places[_i].ask);
	for (unsigned round = 0; round < 3; round++) {
		ask("abc");
		ask("drop");
		ask("xyz");
		serve(3);
		expect("cba");
		expect("zyx");
		expect_nothing();
	}
	ck_assert_ptr_nonnull(strstr(
		mrg_rt_addr_str(&last_peer, text), strchr(places[_i].ask, ':') != NULL ? "[::1]" : "127."));
	ck_assert_uint_eq(loop.counts.dgram_in, 9);
	ck_assert_uint_eq(loop.counts.dgram_out, 6);
	stop();
}
END_TEST

START_TEST(so_do_those_that_come_later)
{
	const bool four = strcmp(places[_i].bind, "0.0.0.0:0") == 0,
		   six = strcmp(places[_i].bind, "[::]:0") == 0;
	start(places[_i].bind);
	connect_client(places[_i].ask);
	for (unsigned round = 0; round < 3; round++) {
		ask("drop");
		serve(1);
		expect_nothing();
		ck_assert_int_eq(
			udp.end.ops->send(&udp.end, &last_asked, &last_peer, MRG_LITERAL("news")), MRG_IO_OK);
		expect("news");
	}
	ck_assert_int_eq(last_asked.family, four ? 4 : six ? 6 : 0);
	stop();
}
END_TEST

START_TEST(an_ipv6_socket_leaves_ipv4_alone)
{
	start("[::]:0");
	struct mrg_rt_addr four = { .family = 4, .port = bound.port };
	int fd;
	ck_assert_int_eq(mrg_unix_udp_bind(&four, false, &fd), 0);
	(void)close(fd);
	client = -1;
	stop();
}
END_TEST

START_TEST(many_are_served_in_batches)
{
	start("127.0.0.1:0");
	connect_client("127.0.0.1");
	char text[4] = "000";
	for (unsigned i = 0; i < 150; i++) {
		text[0] = (char)('0' + i / 100);
		text[1] = (char)('0' + i / 10 % 10);
		text[2] = (char)('0' + i % 10);
		ask(text);
	}
	serve(150);
	ck_assert_uint_eq(biggest_batch, MRG_UNIX_BATCH);
	for (unsigned i = 0; i < 150; i++) {
		text[0] = (char)('0' + i % 10);
		text[1] = (char)('0' + i / 10 % 10);
		text[2] = (char)('0' + i / 100);
		expect(text);
	}
	expect_nothing();
	stop();
}
END_TEST

START_TEST(empty_and_too_long_datagrams)
{
	char big[IN_MAX + 10];
	start("127.0.0.1:0");
	connect_client("127.0.0.1");
	ask("");
	serve(1);
	ck_assert_uint_eq(last_len, 0);
	expect_nothing();
	memset(big, 'b', sizeof big);
	ck_assert_int_eq(send(client, big, sizeof big, 0), (ssize_t)sizeof big);
	serve(1);
	ck_assert_uint_eq(last_len, IN_MAX);
	ck_assert_int_eq(recv(client, big, sizeof big, 0), OUT_MAX);
	stop();
}
END_TEST

START_TEST(receiving_fails_once)
{
	static const int errors[] = { EAGAIN, EINTR, ENOMEM, ENOBUFS, ECONNREFUSED, ENETDOWN };
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		start("127.0.0.1:0");
		connect_client("127.0.0.1");
		faulty.recvmmsg = (struct faulty){ .count = 1, .err = errors[i] };
		ask("abc");
		serve(1);
		expect("cba");
		stop();
	}
}
END_TEST

START_TEST(a_full_socket_is_waited_for)
{
	static const int errors[] = { EAGAIN, EINTR };
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		start("127.0.0.1:0");
		connect_client("127.0.0.1");
		faulty.sendmmsg = (struct faulty){ .count = 3, .err = errors[i] };
		ask("abc");
		serve(1);
		expect("cba");
		ck_assert_uint_eq(faulty.waits, 3);
		ck_assert_uint_eq(loop.counts.dgram_lost, 0);
		stop();
	}
}
END_TEST

START_TEST(a_socket_that_stays_full_loses_the_batch_and_no_more)
{
	start("127.0.0.1:0");
	connect_client("127.0.0.1");
	faulty.sendmmsg = (struct faulty){ .count = 4, .err = EAGAIN };
	ask("abc");
	ask("xyz");
	serve(2);
	expect_nothing();
	ck_assert_uint_eq(loop.counts.dgram_lost, 2);
	ask("abc");
	serve(1);
	expect("cba");
	stop();
}
END_TEST

START_TEST(one_reply_that_cannot_go_does_not_hold_up_the_others)
{
	static const int errors[] = { ENOBUFS, EPERM, EMSGSIZE, ENETUNREACH, EINVAL, ENOMEM };
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		start("127.0.0.1:0");
		connect_client("127.0.0.1");
		faulty.sendmmsg = (struct faulty){ .skip = 1, .count = 1, .err = errors[i], .most = 1 };
		ask("one");
		ask("two");
		ask("six");
		ask("dropped");
		serve(4);
		expect("eno");
		expect("xis");
		expect_nothing();
		ck_assert_uint_eq(loop.counts.dgram_lost, 1);
		ck_assert_uint_eq(loop.counts.dgram_out, 2);
		stop();
	}
}
END_TEST

START_TEST(few_at_a_time_in_both_directions)
{
	start("127.0.0.1:0");
	connect_client("127.0.0.1");
	faulty.recvmmsg.most = 2;
	faulty.sendmmsg.most = 1;
	for (unsigned i = 0; i < 7; i++)
		ask("abc");
	serve(7);
	for (unsigned i = 0; i < 7; i++)
		expect("cba");
	ck_assert_uint_eq(biggest_batch, 2);
	stop();
}
END_TEST

START_TEST(what_has_arrived_is_answered_before_closing)
{
	start("127.0.0.1:0");
	connect_client("127.0.0.1");
	ask("abc");
	mrg_unix_udp_close(&udp);
	expect("cba");
	mrg_unix_udp_close(&udp);
	stop();
}
END_TEST

START_TEST(datagrams_that_answer_nothing)
{
	struct sockaddr_in in;
	socklen_t len = sizeof in;
	struct mrg_rt_addr to = { .family = 4, .ip = { 127, 0, 0, 1 } };
	const struct mrg_span bytes = { (const uint8_t *)"news", 4 };
	start("127.0.0.1:0");
	connect_client("127.0.0.1");
	ck_assert_int_eq(getsockname(client, (struct sockaddr *)&in, &len), 0);
	to.port = ntohs(in.sin_port);
	ck_assert_int_eq(udp.end.ops->send(&udp.end, NULL, &to, bytes), MRG_IO_OK);
	expect("news");
	faulty.sendmmsg = (struct faulty){ .count = 1, .err = EAGAIN };
	ck_assert_int_eq(udp.end.ops->send(&udp.end, NULL, &to, bytes), MRG_IO_AGAIN);
	faulty.sendmmsg = (struct faulty){ .count = 1, .err = ENETUNREACH };
	ck_assert_int_eq(udp.end.ops->send(&udp.end, NULL, &to, bytes), MRG_IO_RESET);
	expect_nothing();
	stop();
}
END_TEST

START_TEST(an_address_in_use_is_found_even_when_shared)
{
	struct mrg_rt_addr a = { .family = 4, .ip = { 127, 0, 0, 1 } };
	int first, second;
	ck_assert_int_eq(mrg_unix_udp_bind(&a, true, &first), 0);
	ck_assert_int_eq(mrg_unix_addr_free(&a, SOCK_DGRAM), EADDRINUSE);
	ck_assert_int_eq(mrg_unix_udp_bind(&a, false, &second), EADDRINUSE);
	ck_assert_int_eq(mrg_unix_udp_bind(&a, true, &second), 0);
	(void)close(first);
	(void)close(second);
	ck_assert_int_eq(mrg_unix_addr_free(&a, SOCK_DGRAM), 0);
}
END_TEST

/* ---- the loop itself ---- */

static unsigned turns;

static void count_turn(struct mrg_rt_timer *t, uint64_t now_ns)
{
	(void)t;
	(void)now_ns;
	turns++;
}

static bool until_timer(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	return turns == 0;
}

START_TEST(timers_end_the_waiting)
{
	static struct mrg_rt_timer t = { .fire = count_turn };
	const struct mrg_unix_turn turn = { .turn = until_timer };
	turns = 0;
	start("127.0.0.1:0");
	faulty.epoll_wait = (struct faulty){ .count = 1, .err = EINTR };
	mrg_rt_timer_set(&loop.timers, &t, mrg_unix_now_ns() + MRG_RT_SECOND_NS / 1000u);
	ck_assert_int_eq(mrg_unix_loop_run(&loop, &turn), 0);
	ck_assert_uint_eq(turns, 1);
	client = -1;
	stop();
}
END_TEST

static void *wake_later(void *arg)
{
	mrg_unix_loop_wake(arg);
	mrg_unix_loop_wake(arg);
	return NULL;
}

static bool two_turns(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	return (*(unsigned *)ctx)++ < 1;
}

START_TEST(waits_are_no_longer_than_asked)
{
	static struct mrg_rt_timer t = { .fire = count_turn };
	const struct mrg_unix_turn turn = { .turn = until_timer };
	const uint64_t wait_ns = 300000;
	turns = 0;
	start("127.0.0.1:0");
	mrg_rt_timer_set(&loop.timers, &t, mrg_unix_now_ns() + wait_ns);
	ck_assert_int_eq(mrg_unix_loop_run(&loop, &turn), 0);
	ck_assert_uint_le(faulty.longest_wait_ns, wait_ns);
	client = -1;
	stop();
}
END_TEST

START_TEST(another_thread_wakes_it)
{
	unsigned count = 0;
	const struct mrg_unix_turn turn = { .ctx = &count, .turn = two_turns };
	pthread_t other;
	start("127.0.0.1:0");
	ck_assert_int_eq(pthread_create(&other, NULL, wake_later, &loop), 0);
	ck_assert_int_eq(mrg_unix_loop_run(&loop, &turn), 0);
	(void)pthread_join(other, NULL);
	client = -1;
	stop();
}
END_TEST

START_TEST(a_broken_wait_is_reported)
{
	unsigned count = 0;
	const struct mrg_unix_turn turn = { .ctx = &count, .turn = two_turns };
	start("127.0.0.1:0");
	faulty.epoll_wait = (struct faulty){ .count = 1, .err = EBADF };
	ck_assert_int_eq(mrg_unix_loop_run(&loop, &turn), EBADF);
	client = -1;
	stop();
}
END_TEST

START_TEST(a_small_arena_is_refused)
{
	static uint8_t room[1 << 20];
	const struct mrg_unix_limits limits = {
		.conn_count = 4, .dgram_in_max = IN_MAX, .dgram_out_max = OUT_MAX
	};
	struct mrg_arena small = { .p = room, .cap = 1000 };
	ck_assert_int_eq(mrg_unix_loop_init(&loop, &faulty_sys, &small, &limits), ENOMEM);
	start("127.0.0.1:0");
	struct mrg_unix_udp second;
	small.len = small.cap;
	ck_assert_int_eq(mrg_unix_udp_init(&second, &loop, &small, -1, &bound, &user), ENOMEM);
	client = -1;
	stop();
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("runtime/unix UDP");
	TCase *const t = tcase_create("udp");
	tcase_add_loop_test(
		t, replies_come_from_the_address_that_was_asked, 0, (int)(sizeof places / sizeof places[0]));
	tcase_add_loop_test(t, so_do_those_that_come_later, 0, (int)(sizeof places / sizeof places[0]));
	tcase_add_test(t, an_ipv6_socket_leaves_ipv4_alone);
	tcase_add_test(t, many_are_served_in_batches);
	tcase_add_test(t, empty_and_too_long_datagrams);
	tcase_add_test(t, receiving_fails_once);
	tcase_add_test(t, a_full_socket_is_waited_for);
	tcase_add_test(t, a_socket_that_stays_full_loses_the_batch_and_no_more);
	tcase_add_test(t, one_reply_that_cannot_go_does_not_hold_up_the_others);
	tcase_add_test(t, few_at_a_time_in_both_directions);
	tcase_add_test(t, what_has_arrived_is_answered_before_closing);
	tcase_add_test(t, datagrams_that_answer_nothing);
	tcase_add_test(t, an_address_in_use_is_found_even_when_shared);
	tcase_add_test(t, timers_end_the_waiting);
	tcase_add_test(t, waits_are_no_longer_than_asked);
	tcase_add_test(t, another_thread_wakes_it);
	tcase_add_test(t, a_broken_wait_is_reported);
	tcase_add_test(t, a_small_arena_is_refused);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
