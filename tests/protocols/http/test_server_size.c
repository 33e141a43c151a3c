/*
 * protocols/http/server: 100 (Continue), and what is large: bodies, heads, many requests; and what they cost.
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
#define EXPECTS(length) "POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n" length "\r\n"

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

static void expect(const struct peer *p, const char *answers)
{
	const char *const got = peer_answers(p);
	MUST_SAY(strcmp(got, answers) == 0, "got %s\nwant %s", got, answers);
}

/* What is sent in two events, and what has come after each. */
static void expect_in_turn(
	const char *first, const char *after_first, const char *second, const char *after_second)
{
	start();
	struct peer *const p = peer_open();
	peer_send_text(p, first);
	peer_run_all(p);
	expect(p, after_first);
	peer_send_text(p, second);
	peer_run_all(p);
	expect(p, after_second);
	peer_end(p);
	stop();
}

/* ---- 100 (Continue), RFC 9110 10.1.1 ---- */

START_TEST(who_waits_is_told_to_go_on)
{
	expect_in_turn(EXPECTS("Content-Length: 5\r\n"), "100", "hello" GET, "100, 200 /p 5:hello, " OK_A);
	expect_in_turn(EXPECTS("Transfer-Encoding: chunked\r\n"), "100", "1\r\nx\r\n0\r\n\r\n" GET,
		"100, 200 /p 1:x, " OK_A);
	expect_in_turn(GET EXPECTS("Content-Length: 1\r\n"), OK_A ", 100",
		"x" EXPECTS("Content-Length: 1\r\n"), OK_A ", 100, 200 /p 1:x, 100");
}
END_TEST

START_TEST(who_did_not_wait_is_told_nothing)
{
	expect_in_turn(EXPECTS("Content-Length: 5\r\n") "h", "", "ello", "200 /p 5:hello");
	expect_in_turn(EXPECTS("Transfer-Encoding: chunked\r\n") "1", "", "\r\nx\r\n0\r\n\r\n", "200 /p 1:x");
}
END_TEST

START_TEST(without_a_body_there_is_nothing_to_go_on_with)
{
	expect_in_turn(EXPECTS(""), "200 /p 0:", GET, "200 /p 0:, " OK_A);
	expect_in_turn(EXPECTS("Content-Length: 0\r\n"), "200 /p 0:", GET, "200 /p 0:, " OK_A);
}
END_TEST

START_TEST(an_old_client_does_not_know_of_it)
{
	expect_in_turn("POST /p HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", "", "hello",
		"200 /p 5:hello close");
	expect_in_turn(
		"POST /p HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
		"", "hello", "200 /p 5:hello keep");
}
END_TEST

/* The body may come or not, so nobody knows where a next request would begin. */
START_TEST(a_final_answer_instead_ends_the_connection)
{
	static const char now_head[] =
		"POST /p?now HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
	expect_in_turn(now_head, "200 /p?now 0: close", GET, "200 /p?now 0: close");
	expect_in_turn(now_head, "200 /p?now 0: close", "hello" GET, "200 /p?now 0: close");
	expect_in_turn(EXPECTS("Content-Length: 100001\r\n"), "413 close", "hello", "413 close");
	expect_in_turn("POST /p HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", "400 close",
		"hello", "400 close");
}
END_TEST

/* Cut anywhere, it is sent once at most, before the answer, and if the cut is behind the head or in it. */
START_TEST(every_cut_of_a_request_that_expects)
{
	static const char sent[] = EXPECTS("Content-Length: 5\r\n") "hello";
	const size_t head = sizeof sent - 1 - 5;
	start();
	for (size_t cut = 1; cut < sizeof sent - 1; cut++) {
		struct peer *const p = peer_open();
		peer_send_text(p, sent);
		peer_run(p, cut);
		peer_run_all(p);
		expect(p, cut == head ? "100, 200 /p 5:hello" : "200 /p 5:hello");
		peer_end(p);
	}
	struct peer *const p = peer_open();
	peer_send_text(p, sent);
	for (size_t i = 0; i <= p->in_len; i++)
		peer_run(p, i);
	expect(p, "100, 200 /p 5:hello");
	stop();
}
END_TEST

/* ---- how much a body may be: 100,000 octets here ---- */

static struct peer *send_body(size_t len, size_t read_most)
{
	char head[100];
	struct peer *const p = peer_open();
	snprintf(head, sizeof head, "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", len);
	peer_send_text(p, head);
	peer_send(p, pattern(len));
	peer_send_text(p, GET);
	p->read_most = read_most;
	peer_run_all(p);
	return p;
}

static struct peer *send_chunks(size_t len, size_t chunk, size_t read_most)
{
	struct peer *const p = peer_open();
	peer_send_text(p, "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (size_t at = 0, n; at < len; at += n) {
		char line[40];
		n = len - at < chunk ? len - at : chunk;
		snprintf(line, sizeof line, "%zx;x=y\r\n", n);
		peer_send_text(p, line);
		peer_send(p, (struct mrg_span){ pattern(len).p + at, n });
		peer_send_text(p, "\r\n");
	}
	peer_send_text(p, "0\r\n\r\n" GET);
	p->read_most = read_most;
	peer_run_all(p);
	return p;
}

/* The echo of a body of the pattern, then that of GET. */
static void expect_echo(const struct peer *p, size_t len)
{
	char begin[100];
	const size_t begin_len = (size_t)snprintf(begin, sizeof begin, "/p %zu:", len);
	expect(p, "200, " OK_A);
	const uint8_t *const head_end = memmem(p->out, p->out_len, "\r\n\r\n", 4);
	ck_assert_mem_eq(head_end + 4, begin, begin_len);
	ck_assert_mem_eq(head_end + 4 + begin_len, pattern(len).p, len);
}

START_TEST(bodies_up_to_the_limit)
{
	static const size_t lens[] = { 1024, 65535, 65536, 67584, 67585, 99999, 100000 };
	static const size_t reads[] = { 0, 1, 7, 1000, 1460, 65536 };
	start();
	for (size_t i = 0; i < COUNT(lens); i++)
		for (size_t k = 0; k < COUNT(reads); k++) {
			struct peer *p = send_body(lens[i], reads[k]);
			expect_echo(p, lens[i]);
			peer_end(p);
			p = send_chunks(lens[i], 1 + reads[k] * 3, reads[(k + 1) % COUNT(reads)]);
			expect_echo(p, lens[i]);
			peer_end(p);
		}
	stop();
}
END_TEST

START_TEST(one_octet_more_than_the_limit)
{
	start();
	struct peer *p = send_body(100001, 0);
	expect(p, "413 close");
	MUST(strstr(echo_events, "head") == NULL); /* nobody was asked */
	peer_end(p);
	for (size_t chunk = 1; chunk < 200000; chunk = chunk * 3 + 1) {
		echo_forget();
		p = send_chunks(100001, chunk, 0);
		expect(p, "413 close");
		MUST(strstr(echo_events, "end ") != NULL); /* who had begun is told */
		MUST(p->finished);
		peer_end(p);
	}
	stop();
}
END_TEST

/* A limit of nothing takes no body, and requests without one all the same. */
START_TEST(no_body_at_all)
{
	struct mrg_http_limits limits = peers_limits();
	limits.body_max = 0;
	echo_start();
	peers_start(&limits, &echo);
	struct peer *p = send_body(1, 0);
	expect(p, "413 close");
	peer_end(p);
	p = send_chunks(1, 1, 0);
	expect(p, "413 close");
	peer_end(p);
	p = send_chunks(0, 1, 0);
	expect(p, "200 /p 0:, " OK_A);
	peer_end(p);
	stop();
}
END_TEST

START_TEST(the_largest_limit)
{
	struct mrg_http_limits limits = peers_limits();
	limits.body_max = UINT64_MAX;
	echo_start();
	peers_start(&limits, &echo);
	struct peer *p = peer_open();
	peer_send_text(
		p, "POST /stop/2 HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\nab");
	peer_run_all(p);
	expect(p, "200 /stop/2 2:ab close");
	p = peer_open();
	peer_send_text(p,
		"POST /stop/2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nffffffffffffffff\r\nb");
	peer_run_all(p);
	expect(p, "413 close"); /* one octet more than can be counted */
	p = peer_open();
	peer_send_text(p,
		"POST /stop/2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nfffffffffffffffe\r\nb");
	peer_run_all(p);
	expect(p, "200 /stop/2 2:ab close");
	stop();
}
END_TEST

/* RFC 9112 7.1.1: "ought to limit the total length of chunk extensions". */
START_TEST(long_chunk_extensions)
{
	static const size_t lens[] = { 1000, 4000, 4096, 5000, 100000 };
	start();
	for (size_t i = 0; i < COUNT(lens); i++)
		for (size_t read_most = 0; read_most < 3; read_most++) {
			struct peer *const p = peer_open();
			p->read_most = read_most;
			peer_send_text(
				p, "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1");
			for (size_t n = 1; n < lens[i]; n += 2)
				peer_send_text(p, ";x");
			peer_send_text(p, "\r\nx\r\n0\r\n\r\n");
			peer_run_all(p);
			expect(p, lens[i] <= 4000 ? "200 /p 1:x" : "400 close");
			peer_end(p);
		}
	stop();
}
END_TEST

START_TEST(long_trailers)
{
	static const size_t counts[] = { 1, 100, 101, 150 };
	start();
	for (size_t i = 0; i < COUNT(counts); i++) {
		struct peer *p = peer_open();
		peer_send_text(p, "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n");
		for (size_t n = 0; n < counts[i]; n++)
			peer_send_text(p, "A: b\r\n");
		peer_send_text(p, "\r\n");
		peer_run_all(p);
		expect(p, counts[i] <= 100 ? "200 /p 0:" : "431 close");
		peer_end(p);
		p = peer_open();
		peer_send_text(
			p, "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ");
		peer_send(p, pattern(counts[i] * 600));
		peer_send_text(p, "\r\n\r\n");
		peer_run_all(p);
		expect(p, counts[i] <= 101 ? "200 /p 0:" : "431 close");
		peer_end(p);
	}
	stop();
}
END_TEST

/* ---- heads that come in pieces ---- */

static struct peer *with_long_head(size_t len, const char *behind)
{
	static const char begin[] = "GET /a HTTP/1.1\r\nHost: a\r\nX: ";
	struct peer *const p = peer_open();
	peer_send_text(p, begin);
	peer_send(p, pattern(len - (sizeof begin - 1) - 4));
	peer_send_text(p, "\r\n\r\n");
	MUST(p->in_len == len);
	peer_send_text(p, behind);
	return p;
}

/* Around each size that something is kept in: 1 KiB, 64 KiB. */
START_TEST(long_heads)
{
	static const size_t lens[] = { 1000, 1023, 1024, 1025, 2000, 16384, 65535, 65536, 65537, 70000,
		200000 };
	static const size_t reads[] = { 0, 1, 100, 1000, 1023, 1024, 1025, 40000, 65536 };
	start();
	for (size_t i = 0; i < COUNT(lens); i++)
		for (size_t k = 0; k < COUNT(reads); k++) {
			struct peer *const p = with_long_head(lens[i], GET GET);
			p->read_most = reads[k];
			peer_run_all(p);
			expect(p, lens[i] <= 65536 ? OK_A ", " OK_A ", " OK_A : "431 close");
			peer_end(p);
		}
	stop();
}
END_TEST

START_TEST(a_long_head_octet_by_octet_is_read_once)
{
	start();
	struct peer *const p = with_long_head(65536, GET);
	p->read_most = 1;
	peer_run_all(p);
	expect(p, OK_A ", " OK_A);
	MUST(p->reads <= p->in_len + 1);
	MUST(p->writes == 2);
	MUST(server.counts.octets_in == p->in_len);
	MUST(server.counts.octets_out == p->out_len);
	stop();
}
END_TEST

/* ---- many requests ---- */

static void put_request(struct peer *p, unsigned i)
{
	char text[200];
	switch (i % 5) {
	case 0:
		snprintf(text, sizeof text, "POST /%u HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n%05u",
			i, i);
		break;
	case 1: snprintf(text, sizeof text, "HEAD /%u HTTP/1.1\r\nHost: a\r\n\r\n", i); break;
	case 2:
		snprintf(text, sizeof text,
			"PUT /%u HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n%02u\r\n3\r\n%03u\r\n0\r\n\r\n",
			i, i / 1000, i % 1000);
		break;
	default: snprintf(text, sizeof text, "GET /%u HTTP/1.1\r\nHost: a\r\n\r\n", i); break;
	}
	peer_send_text(p, text);
}

static void check_thousand(struct peer *p)
{
	static char kinds[1001], want[50000];
	size_t n = 0;
	for (unsigned i = 0; i < 1000; i++) {
		kinds[i] = i % 5 == 1 ? 'H' : 'G';
		n += (size_t)snprintf(want + n, sizeof want - n, "%s200 ", i == 0 ? "" : ", ");
		if (i % 5 == 0 || i % 5 == 2)
			n += (size_t)snprintf(want + n, sizeof want - n, "/%u 5:%05u", i, i);
		else if (i % 5 != 1)
			n += (size_t)snprintf(want + n, sizeof want - n, "/%u 0:", i);
	}
	ck_assert_str_eq(peer_answers_to(p, kinds), want);
}

START_TEST(a_thousand_requests_at_once)
{
	static const size_t reads[] = { 0, 1, 37, 1000, 1460, 16384 };
	static const size_t writes[] = { 0, 1, 99, 1460, 5000, 100000 };
	start();
	for (size_t i = 0; i < COUNT(reads); i++)
		for (size_t k = 0; k < COUNT(writes); k += i == 0 ? 1 : 3) {
			struct peer *const p = peer_open();
			for (unsigned n = 0; n < 1000; n++)
				put_request(p, n);
			p->read_most = reads[i];
			p->write_most = writes[k];
			peer_run_all(p);
			check_thousand(p);
			if (i == 0 && k == 0) /* gathered, not one by one */
				MUST(p->writes <= 2 + p->out_len / 16384);
			peer_end(p);
		}
	MUST(server.counts.requests == server.counts.answers);
	MUST(server.counts.statuses[2] == server.counts.answers);
	stop();
}
END_TEST

START_TEST(requests_of_many_clients_in_turn)
{
	struct mrg_http_limits limits = peers_limits();
	struct peer *p[8];
	limits.big_count = limits.out_count = COUNT(p);
	echo_start();
	peers_start(&limits, &echo);
	for (size_t k = 0; k < COUNT(p); k++) {
		p[k] = peer_open();
		for (unsigned n = 0; n < 1000; n++)
			put_request(p[k], n);
	}
	for (size_t at = 0, busy = 1; busy != 0; at++) {
		busy = 0;
		for (size_t k = 0; k < COUNT(p); k++) {
			const size_t arrived = p[k]->arrived + 1 + (at * 7 + k * 13) % 150;
			busy += p[k]->arrived != p[k]->in_len;
			p[k]->write_room = 1 + at * 3 % 500;
			peer_run(p[k], arrived < p[k]->in_len ? arrived : p[k]->in_len);
		}
	}
	for (size_t k = 0; k < COUNT(p); k++) {
		peer_end(p[k]);
		check_thousand(p[k]);
	}
	stop();
}
END_TEST

/* Time of day is asked for once a second, however many answers there are. */
START_TEST(every_answer_has_the_date)
{
	start();
	struct peer *const p = peer_open();
	for (unsigned i = 0; i < 3; i++) {
		peer_send_text(p, GET);
		peer_run_all(p);
		pass(MRG_RT_SECOND_NS * 2 / 3);
	}
	MUST(memmem(p->out, p->out_len, "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n", 37) != NULL);
	expect(p, OK_A ", " OK_A ", " OK_A);
	stop();
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http/server_size");
	TCase *const t = tcase_create("size");
	tcase_set_timeout(t, 300);
	tcase_add_test(t, who_waits_is_told_to_go_on);
	tcase_add_test(t, who_did_not_wait_is_told_nothing);
	tcase_add_test(t, without_a_body_there_is_nothing_to_go_on_with);
	tcase_add_test(t, an_old_client_does_not_know_of_it);
	tcase_add_test(t, a_final_answer_instead_ends_the_connection);
	tcase_add_test(t, every_cut_of_a_request_that_expects);
	tcase_add_test(t, bodies_up_to_the_limit);
	tcase_add_test(t, one_octet_more_than_the_limit);
	tcase_add_test(t, no_body_at_all);
	tcase_add_test(t, the_largest_limit);
	tcase_add_test(t, long_chunk_extensions);
	tcase_add_test(t, long_trailers);
	tcase_add_test(t, long_heads);
	tcase_add_test(t, a_long_head_octet_by_octet_is_read_once);
	tcase_add_test(t, a_thousand_requests_at_once);
	tcase_add_test(t, requests_of_many_clients_in_turn);
	tcase_add_test(t, every_answer_has_the_date);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
