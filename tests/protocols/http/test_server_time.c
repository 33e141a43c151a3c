/*
 * protocols/http/server: limits of time and number, draining and closing. Time is virtual.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "echo.h"
#include "guard.h"
#include "peers.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define GET "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK_A "200 /a 0:"
#define POST(length) "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: " #length "\r\n\r\n"

/* as peers_limits has them */
static const uint64_t S = MRG_RT_SECOND_NS;
enum { IDLE = 60, HEAD = 10, BODY = 20, SEND = 30, LINGER = 2, SLOW = 1000, CONNS = 8, BLOCKS = 3 };

static void start(void)
{
	echo_start();
	peers_start(NULL, &echo);
}

static void stop(void)
{
	peers_stop();
	echo_stop();
}

static void expect_to(const struct peer *p, const char *kinds, const char *answers)
{
	const char *const got = peer_answers_to(p, kinds);
	MUST_SAY(strcmp(got, answers) == 0, "got %s\nwant %s", got, answers);
}

static void expect(const struct peer *p, const char *answers) { expect_to(p, "", answers); }

static struct peer *open_with(const char *text)
{
	struct peer *const p = peer_open();
	peer_send_text(p, text);
	peer_run_all(p);
	return p;
}

static void send_more(struct peer *p, const char *text)
{
	peer_send_text(p, text);
	peer_run_all(p);
}

/* After this time, but not a nanosecond before, it ends: told first, then closed. */
static void expect_end_after(struct peer *p, uint64_t ns)
{
	pass(ns - 1);
	MUST(!p->finished && !p->closed);
	pass(1);
	MUST(p->finished && !p->closed);
	pass(LINGER * S - 1);
	MUST(!p->closed);
	pass(1);
	MUST(p->closed);
}

/* ---- five limits of time ---- */

START_TEST(idle_connections)
{
	start();
	struct peer *const fresh = peer_open();
	pass(10 * S);
	struct peer *const used = open_with(GET);
	pass(5 * S);
	send_more(used, GET);
	pass((IDLE - 15) * S - 1);
	MUST(!fresh->closed);
	pass(1);
	MUST(fresh->closed && !used->closed && fresh->out_len == 0);
	pass(15 * S - 1);
	MUST(!used->closed);
	pass(1);
	MUST(used->closed);
	expect(used, OK_A ", " OK_A);
	MUST(server.counts.timeouts[MRG_HTTP_WAIT_IDLE] == 2);
	stop();
}
END_TEST

START_TEST(a_head_that_drips)
{
	start();
	struct peer *const p = peer_open();
	peer_send_text(p, GET);
	pass(20 * S); /* idle until the first octet */
	for (size_t i = 1; i <= HEAD; i++) {
		peer_run(p, i);
		MUST(p->out_len == 0);
		pass(S);
	}
	expect(p, "408 close");
	MUST(p->finished);
	for (size_t i = HEAD + 1; !p->closed; i++) { /* dripping on wins nothing */
		MUST(i <= HEAD + LINGER);
		peer_run(p, i);
		pass(S);
	}
	expect(p, "408 close");
	MUST(server.counts.timeouts[MRG_HTTP_WAIT_HEAD] == 1);
	MUST(server.counts.timeouts[MRG_HTTP_WAIT_LINGER] == 1);
	stop();
}
END_TEST

START_TEST(a_head_just_in_time)
{
	start();
	struct peer *const p = open_with("GET /a HTTP/1.1\r\nHo");
	pass(HEAD * S - 1);
	send_more(p, "st: a\r\n\r\nGET");
	pass(HEAD * S - 1);
	send_more(p, " /a HTTP/1.1\r\nHost: a\r\n\r\n");
	expect(p, OK_A ", " OK_A);
	pass(IDLE * S - 1);
	MUST(!p->closed);
	stop();
}
END_TEST

/* An empty line is the beginning of a head as well. */
START_TEST(empty_lines_that_drip)
{
	start();
	struct peer *const p = open_with("\r");
	pass(HEAD * S);
	expect(p, "408 close");
	stop();
}
END_TEST

START_TEST(a_slow_head_behind_other_requests)
{
	static const struct {
		const char *before, *kinds, *answers;
	} rows[] = { { GET, "G", OK_A ", 408 close" },
		{ "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n", "HG", "200 , 408 close" },
		{ POST(5) "hello", "G", "200 /p 5:hello, 408 close" },
		{ "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "G", OK_A " keep, 408 close" },
		{ "GET /status/204 HTTP/1.1\r\nHost: a\r\n\r\n", "G", "204 , 408 close" } };
	for (size_t i = 0; i < COUNT(rows); i++)
		for (unsigned together = 0; together < 2; together++) {
			start();
			struct peer *const p = peer_open();
			peer_send_text(p, rows[i].before);
			if (together == 0)
				peer_run_all(p);
			send_more(p, "GET /");
			expect_end_after(p, HEAD * S);
			expect_to(p, rows[i].kinds, rows[i].answers);
			stop();
		}
}
END_TEST

START_TEST(a_body_that_drips)
{
	static const char *const heads[] = { POST(500),
		"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1ff\r\n",
		"POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 500\r\n\r\n" };
	for (size_t i = 0; i < COUNT(heads); i++) {
		start();
		struct peer *const p = open_with(heads[i]);
		for (unsigned k = 0; k < BODY; k++) {
			MUST(!p->finished);
			send_more(p, "x");
			pass(S);
		}
		expect(p, i == 2 ? "100, 408 close" : "408 close");
		MUST(p->finished);
		MUST(strstr(echo_events, "end 20:xxxxxxxxxxxxxxxxxxxx | log 408") != NULL);
		pass(LINGER * S);
		MUST(p->closed);
		MUST(server.counts.timeouts[MRG_HTTP_WAIT_BODY] == 1);
		stop();
	}
}
END_TEST

/* Octets of chunk lines and trailers are no faster. */
START_TEST(chunk_lines_and_trailers_that_drip)
{
	static const char *const heads[] = { "", "0\r\nA: ", "1;a=", "1\r\nx\r\n" };
	for (size_t i = 0; i < COUNT(heads); i++) {
		start();
		struct peer *const p =
			open_with("POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
		send_more(p, heads[i]);
		for (unsigned k = 0; k < BODY; k++) {
			MUST(!p->finished);
			if (k < 10)
				send_more(p, "0");
			pass(S);
		}
		expect(p, "408 close");
		stop();
	}
}
END_TEST

START_TEST(a_body_just_fast_enough)
{
	start();
	struct peer *const p = open_with(POST(20000));
	for (unsigned i = 0; i < 20; i++) {
		MUST(!p->finished);
		pass(BODY * S - 1);
		peer_send(p, pattern(SLOW));
		peer_run_all(p);
	}
	expect(p, "200");
	stop();
}
END_TEST

START_TEST(a_body_just_too_slow)
{
	start();
	struct peer *const p = open_with(POST(20000));
	pass(BODY * S - 1);
	peer_send(p, pattern(SLOW - 1));
	peer_run_all(p);
	MUST(!p->finished);
	pass(1);
	expect(p, "408 close");
	stop();
}
END_TEST

START_TEST(a_slow_body_that_nobody_wants)
{
	start();
	struct peer *const p = open_with("POST /n?now HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n");
	expect(p, "200 /n?now 0:");
	expect_end_after(p, BODY * S);
	expect(p, "200 /n?now 0:"); /* one answer is enough */
	stop();
}
END_TEST

static struct peer *slow_reader(const char *target)
{
	char head[100];
	struct peer *const p = peer_open();
	snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
	peer_send_text(p, head);
	p->write_room = 1;
	peer_run_all(p);
	return p;
}

static void take(struct peer *p, size_t octets)
{
	p->write_room = octets;
	peer_run_all(p);
}

START_TEST(answers_that_are_taken_slowly)
{
	static const char *const targets[] = { "/hidden/50000", "/memory/50000", "/parts/30", "/text/20000" };
	for (size_t i = 0; i < COUNT(targets); i++) {
		start();
		struct peer *const p = slow_reader(targets[i]);
		for (unsigned k = 1; !p->closed; k++) {
			MUST(k <= SEND);
			take(p, 1);
			pass(S);
		}
		MUST(p->out_len == 1 + SEND);
		MUST(!p->finished); /* an answer that is not whole does not end well */
		MUST(server.counts.timeouts[MRG_HTTP_WAIT_SEND] == 1);
		stop();
	}
}
END_TEST

START_TEST(answers_that_are_taken_just_fast_enough)
{
	start();
	struct peer *const p = slow_reader("/hidden/20000");
	for (unsigned i = 0; i < 20; i++) {
		pass(SEND * S - 1);
		take(p, SLOW);
		MUST(!p->closed);
	}
	take(p, SLOW);
	expect(p, "200");
	pass(IDLE * S - 1);
	MUST(!p->closed);
	stop();
}
END_TEST

START_TEST(the_end_that_the_client_does_not_see)
{
	static const char *const rows[] = { "GET /close HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /a HTTP/1.0\r\n\r\n", "x\r\n\r\n" };
	for (size_t i = 0; i < COUNT(rows); i++) {
		start();
		struct peer *const p = open_with(rows[i]);
		MUST(p->finished);
		for (unsigned k = 0; k < 10; k++) {
			MUST(!p->closed);
			peer_send(p, pattern(SLOW));
			peer_run_all(p);
			pass(LINGER * S / 10);
		}
		MUST(p->closed);
		stop();
	}
}
END_TEST

/* Each of them once, each at its time, also when time jumps. */
START_TEST(many_at_different_times)
{
	for (unsigned jump = 0; jump < 2; jump++) {
		struct peer *p[CONNS];
		start();
		for (size_t i = 0; i < CONNS; i++) {
			p[i] = open_with(i % 2 == 0 ? "GET" : POST(9));
			pass(S);
		}
		for (size_t s = CONNS; s < 40; s++) {
			for (size_t i = 0; i < CONNS && jump == 0; i++)
				MUST(p[i]->finished == (s >= i + (i % 2 == 0 ? HEAD : BODY)));
			pass(jump == 0 ? S : 40 * S);
		}
		for (size_t i = 0; i < CONNS; i++) {
			MUST(p[i]->closed);
			expect(p[i], "408 close");
		}
		MUST(server.counts.timeouts[MRG_HTTP_WAIT_HEAD] == CONNS / 2);
		MUST(server.counts.timeouts[MRG_HTTP_WAIT_BODY] == CONNS / 2);
		MUST(mrg_http_server_count(&server) == 0);
		stop();
	}
}
END_TEST

START_TEST(time_that_stands_still_goes_back_or_ends)
{
	start();
	struct peer *const p = open_with(GET);
	pass(IDLE * S / 2);
	now = 1;
	send_more(p, GET "GE");
	send_more(p, "T /a HTTP/1.1\r\nHost: a\r\n\r\n");
	expect(p, OK_A ", " OK_A ", " OK_A);
	now = MRG_RT_NEVER - 3u;
	struct peer *const last = open_with(GET "G");
	now++;
	send_more(last, "ET /a HTTP/1.1\r\nHost: a\r\n\r\n");
	expect(last, OK_A ", " OK_A);
	stop();
}
END_TEST

/* ---- how many there may be ---- */

START_TEST(one_too_many_closes_the_one_that_was_idle_longest)
{
	struct peer *p[CONNS + 2];
	start();
	for (size_t i = 0; i < CONNS + 2; i++) {
		pass(1);
		p[i] = peer_open();
		if (i == CONNS - 1)
			send_more(p[0], GET); /* so the second is the oldest */
	}
	MUST(mrg_http_server_count(&server) == CONNS && server.counts.spared == 2);
	for (size_t i = 0; i < CONNS + 2; i++)
		MUST(p[i]->closed == (i == 1 || i == 2));
	stop();
}
END_TEST

START_TEST(those_that_do_something_are_spared_last)
{
	struct peer *p[CONNS];
	start();
	p[0] = open_with("GET /close HTTP/1.1\r\nHost: a\r\n\r\n");
	p[1] = slow_reader("/hidden/5000");
	p[2] = open_with(POST(9));
	p[3] = open_with("GET");
	for (size_t i = 4; i < CONNS; i++) {
		pass(1);
		p[i] = peer_open();
	}
	for (size_t i = 4; i < CONNS; i++) { /* idle ones first */
		MUST(server.user.spare(server.user.ctx, now));
		MUST(p[i]->closed && !p[0]->closed && !p[1]->closed && !p[2]->closed && !p[3]->closed);
	}
	for (size_t i = 0; i < 4; i++)
		MUST(server.user.spare(server.user.ctx, now));
	MUST(!server.user.spare(server.user.ctx, now));
	MUST(mrg_http_server_count(&server) == 0);
	MUST(strstr(echo_events, "end 0:") != NULL);
	stop();
}
END_TEST

START_TEST(blocks_for_answers_go_to_who_needs_one_now)
{
	struct peer *p[BLOCKS + 2];
	start();
	for (size_t i = 0; i < BLOCKS + 2; i++) {
		pass(1);
		p[i] = slow_reader("/parts/20");
		MUST(!p[i]->closed);
	}
	for (size_t i = 0; i < BLOCKS + 2; i++) {
		MUST(p[i]->closed == (i < 2)); /* longest without progress */
		if (i >= 2) {
			take(p[i], SIZE_MAX);
			expect(p[i], "200");
		}
	}
	MUST(server.counts.spared == 2);
	stop();
}
END_TEST

START_TEST(blocks_for_long_heads_go_to_who_needs_one_now)
{
	struct peer *p[BLOCKS + 2];
	start();
	for (size_t i = 0; i < BLOCKS + 2; i++) {
		pass(1);
		p[i] = open_with("GET /a HTTP/1.1\r\nHost: a\r\nX: ");
		peer_send(p[i], pattern(3000));
		peer_run_all(p[i]);
		MUST(!p[i]->closed);
	}
	for (size_t i = 0; i < BLOCKS + 2; i++) {
		MUST(p[i]->closed == (i < 2));
		if (i >= 2) {
			send_more(p[i], "\r\n\r\n");
			expect(p[i], OK_A);
		}
	}
	stop();
}
END_TEST

START_TEST(without_blocks_only_those_end_that_need_one)
{
	struct mrg_http_limits limits = peers_limits();
	limits.big_count = limits.out_count = 0;
	echo_start();
	peers_start(&limits, &echo);
	struct peer *const modest = open_with("GET /a HTTP/1.1\r\nHo"), *const file =
										slow_reader("/hidden/3000");
	struct peer *const slow = slow_reader("/parts/20"), *const large = open_with(
								    "GET /a HTTP/1.1\r\nHost: a\r\nX: ");
	peer_send(large, pattern(3000));
	peer_run_all(large);
	MUST(slow->closed && large->closed);
	MUST(!modest->closed);
	send_more(modest, "st: a\r\n\r\n");
	expect(modest, OK_A);
	(void)file;
	stop();
}
END_TEST

/* Whatever there is too little of, what can't be done is refused, and nothing is lost. */
START_TEST(each_arena_that_is_too_small)
{
	const struct mrg_http_limits limits = peers_limits();
	const size_t need = mrg_http_server_memory(&limits);
	bool came_up = false;
	for (size_t cap = 0; cap < need; cap += cap % 3 == 0 ? 1999 : 4001) {
		echo_start();
		if (!peers_start_in(cap, &limits, &echo)) {
			MUST(!came_up);
			echo_stop();
			continue;
		}
		came_up = true;
		for (size_t i = 0; i < CONNS; i++) {
			struct peer *const p = peer_new();
			if (!server.user.open(server.user.ctx, &p->stream, now))
				continue;
			peer_send_text(p, i % 2 == 0 ? GET "GET /parts/9 HTTP/1.1\r\nHost: a\r\nX: "
						     : GET POST(9) "123");
			peer_send(p, pattern(i % 3 == 0 ? 3000 : 7));
			p->write_room = i % 3 * 500;
			peer_run_all(p);
		}
		peers_stop_small();
		echo_stop();
	}
	MUST(came_up);
}
END_TEST

/* ---- draining and closing ---- */

START_TEST(draining_ends_idle_connections_now)
{
	start();
	struct peer *const fresh = peer_open(), *const used = open_with(GET), *const late = peer_new();
	mrg_http_server_drain(&server, now);
	MUST(fresh->finished && used->finished);
	MUST(!server.user.open(server.user.ctx, &late->stream, now));
	peer_end(fresh);
	MUST(mrg_http_server_count(&server) == 1);
	pass(LINGER * S);
	MUST(used->closed);
	MUST(mrg_http_server_count(&server) == 0);
	stop();
}
END_TEST

START_TEST(draining_answers_what_has_come_already)
{
	start();
	struct peer *const p = peer_open(), *const half = peer_open(), *const broken = peer_open(),
			   *const over = peer_open();
	peer_send_text(p, GET GET);
	p->arrived = p->in_len;
	peer_send_text(half, "GET /a");
	half->arrived = half->in_len;
	broken->reset = over->eof = true;
	mrg_http_server_drain(&server, now);
	expect(p, OK_A " close");
	MUST(p->finished && !half->finished && broken->closed && over->closed);
	send_more(half, " HTTP/1.1\r\nHost: a\r\n\r\n");
	expect(half, OK_A " close");
	MUST(half->finished);
	stop();
}
END_TEST

/* "the others behind their next answer", which says so */
START_TEST(draining_ends_the_others_behind_their_next_answer)
{
	static const struct {
		const char *before, *after, *answers;
	} rows[] = { { "GET /a HTTP/1.1\r\nHo", "st: a\r\n\r\n" GET, OK_A " close" },
		{ POST(5) "he", "llo" GET, "200 /p 5:hello close" },
		{ "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe",
			"\r\n0\r\n\r\n" GET, "200 /p 2:he close" },
		{ POST(5), "hello", "200 /p 5:hello close" } };
	for (size_t i = 0; i < COUNT(rows); i++) {
		start();
		struct peer *const p = open_with(rows[i].before);
		mrg_http_server_drain(&server, now);
		MUST(!p->finished);
		send_more(p, rows[i].after);
		expect(p, rows[i].answers);
		MUST(p->finished);
		peer_end(p);
		stop();
	}
}
END_TEST

/* What was answered before, and says that the connection stays, ends all the same once there is nothing more to do. */
START_TEST(draining_ends_those_with_an_answer_on_its_way)
{
	start();
	struct peer *const slow = slow_reader("/parts/20"), *const file = slow_reader("/hidden/3000");
	struct peer *const body = open_with("POST /n?now HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
	struct peer *const more = peer_open();
	peer_send_text(more, "GET /parts/20 HTTP/1.1\r\nHost: a\r\n\r\n" GET GET);
	more->write_room = 5;
	peer_run_all(more);
	mrg_http_server_drain(&server, now);
	MUST(!slow->finished && !file->finished && !body->finished && !more->finished);
	take(slow, SIZE_MAX);
	take(file, SIZE_MAX);
	take(more, SIZE_MAX);
	send_more(body, "llo");
	expect(slow, "200");
	expect(file, "200");
	expect(body, "200 /n?now 0:");
	MUST(slow->finished && file->finished && body->finished && more->finished);
	pass(LINGER * S);
	MUST(mrg_http_server_count(&server) == 0);
	stop();
}
END_TEST

START_TEST(closing_ends_all_at_once)
{
	start();
	struct peer *const p[] = { peer_open(), open_with(GET), open_with("GET"), open_with(POST(9) "123"),
		slow_reader("/parts/20"), slow_reader("/hidden/3000"),
		open_with("GET /close HTTP/1.1\r\nHost: a\r\n\r\n") };
	mrg_http_server_close(&server);
	for (size_t i = 0; i < COUNT(p); i++)
		MUST(p[i]->closed);
	MUST(strstr(echo_events, "end 3:123") != NULL);
	stop();
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http/server_time");
	TCase *const t = tcase_create("time");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, idle_connections);
	tcase_add_test(t, a_head_that_drips);
	tcase_add_test(t, a_head_just_in_time);
	tcase_add_test(t, empty_lines_that_drip);
	tcase_add_test(t, a_slow_head_behind_other_requests);
	tcase_add_test(t, a_body_that_drips);
	tcase_add_test(t, chunk_lines_and_trailers_that_drip);
	tcase_add_test(t, a_body_just_fast_enough);
	tcase_add_test(t, a_body_just_too_slow);
	tcase_add_test(t, a_slow_body_that_nobody_wants);
	tcase_add_test(t, answers_that_are_taken_slowly);
	tcase_add_test(t, answers_that_are_taken_just_fast_enough);
	tcase_add_test(t, the_end_that_the_client_does_not_see);
	tcase_add_test(t, many_at_different_times);
	tcase_add_test(t, time_that_stands_still_goes_back_or_ends);
	tcase_add_test(t, one_too_many_closes_the_one_that_was_idle_longest);
	tcase_add_test(t, those_that_do_something_are_spared_last);
	tcase_add_test(t, blocks_for_answers_go_to_who_needs_one_now);
	tcase_add_test(t, blocks_for_long_heads_go_to_who_needs_one_now);
	tcase_add_test(t, without_blocks_only_those_end_that_need_one);
	tcase_add_test(t, each_arena_that_is_too_small);
	tcase_add_test(t, draining_ends_idle_connections_now);
	tcase_add_test(t, draining_answers_what_has_come_already);
	tcase_add_test(t, draining_ends_the_others_behind_their_next_answer);
	tcase_add_test(t, draining_ends_those_with_an_answer_on_its_way);
	tcase_add_test(t, closing_ends_all_at_once);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
