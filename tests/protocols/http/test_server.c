/*
 * protocols/http/server: what comes in, however it is cut. RFC 9110 and 9112, and the classes behind published advisories.
 *
 * Each scenario is what a client sends, and what it gets. It is sent whole, in two and three parts, and octet by octet; what the handler
 * hears of it and what is answered must be the same each time.
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
#define POST(fields) "POST /p HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define CHUNKED POST("Transfer-Encoding: chunked\r\n")
#define NOW "POST /n?now HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define OK_NOW "200 /n?now 0:"

struct scenario {
	const char *sent, *answers;
	const char *kinds; /* as peer_answers_to has it; NULL: no HEAD */
	bool stays;        /* the connection is good for another request */
};

struct run {
	char *events;
	uint8_t *out;
	size_t out_len;
};

static struct run run_of(const struct peer *p)
{
	struct run r = {
		.events = strdup(echo_events), .out = malloc(p->out_len + 1), .out_len = p->out_len
	};
	memcpy(r.out, p->out == NULL ? (const uint8_t *)"" : p->out, p->out_len);
	return r;
}

static void run_free(struct run *r)
{
	free(r->events);
	free(r->out);
}

static struct peer *begin(const struct scenario *s)
{
	struct peer *const p = peer_open();
	echo_forget();
	peer_send_text(p, s->sent);
	return p;
}

static void compare(const struct scenario *s, struct peer *p, const struct run *want, size_t a, size_t b)
{
	MUST_SAY(strcmp(echo_events, want->events) == 0, "<%s> cut at %zu and %zu: %s instead of %s", s->sent,
		a, b, echo_events, want->events);
	MUST_SAY(p->out_len == want->out_len &&
			 (p->out_len == 0 || memcmp(p->out, want->out, p->out_len) == 0),
		"<%s> cut at %zu and %zu: %s", s->sent, a, b,
		peer_answers_to(p, s->kinds == NULL ? "" : s->kinds));
	MUST_SAY(p->finished != s->stays, "<%s> cut at %zu and %zu", s->sent, a, b);
	const struct mrg_http_conn *const c = p->stream.conn;
	MUST(c->in == NULL && c->out == NULL && c->rest.len == 0 &&
		c->own == NULL); /* who owes nothing holds nothing */
	peer_end(p);
	MUST(p->out_len == want->out_len);
}

static void check_split(const struct scenario *s, const struct run *want, size_t a, size_t b)
{
	struct peer *const p = begin(s);
	peer_run(p, a);
	peer_run(p, b);
	peer_run_all(p);
	compare(s, p, want, a, b);
}

static void check_octets(const struct scenario *s, const struct run *want, bool reading)
{
	struct peer *const p = begin(s);
	p->read_most = 1;
	for (size_t i = 0; i <= p->in_len && !reading; i++)
		peer_run(p, i);
	peer_run_all(p);
	compare(s, p, want, 0, 0);
}

/* Of each shorter piece, and then the client's end, come the same answers, but fewer; and nobody forgets what has begun. */
static void check_half_close(const struct scenario *s, const struct run *want, size_t len)
{
	struct peer *const p = peer_open();
	peer_send(p, (struct mrg_span){ (const uint8_t *)s->sent, len });
	peer_end(p);
	MUST(p->out_len <= want->out_len);
	MUST_SAY(p->out_len == 0 || memcmp(p->out, want->out, p->out_len) == 0, "<%.*s>", (int)len, s->sent);
	(void)peer_answers_to(p, s->kinds == NULL ? "" : s->kinds);
}

static void check_reset(const struct scenario *s, size_t len)
{
	struct peer *const p = peer_open();
	const uint64_t broken = server.counts.broken;
	peer_send(p, (struct mrg_span){ (const uint8_t *)s->sent, len });
	p->reset = true;
	peer_run_all(p);
	MUST(p->closed);
	MUST(server.counts.broken == broken + 1);
}

static void check(const struct scenario *s)
{
	const size_t len = strlen(s->sent);
	echo_start();
	peers_start(NULL, &echo);
	struct peer *const whole = begin(s);
	peer_run_all(whole);
	const char *const got = peer_answers_to(whole, s->kinds == NULL ? "" : s->kinds);
	MUST_SAY(strcmp(got, s->answers) == 0, "<%s>\n got %s\nwant %s", s->sent, got, s->answers);
	struct run want = run_of(whole);
	compare(s, whole, &want, 0, 0);
	check_octets(s, &want, true);
	check_octets(s, &want, false);
	for (size_t a = 1; a < len; a++) {
		check_split(s, &want, a, a);
		check_half_close(s, &want, a);
		check_reset(s, a);
	}
	for (size_t a = 1; a < len; a += 1 + len / 12)
		for (size_t b = a + 1; b < len; b += 1 + len / 14)
			check_split(s, &want, a, b);
	run_free(&want);
	peers_stop();
	echo_stop();
}

#define CHECK_ALL(...)                                                                                       \
	do {                                                                                                 \
		static const struct scenario all[] = { __VA_ARGS__ };                                        \
		for (size_t i = 0; i < COUNT(all); i++)                                                      \
			check(&all[i]);                                                                      \
	} while (0)

/* The same with what follows a head that says that the body is chunked. */
#define BAD_CHUNKS(status, ...)                                                                              \
	do {                                                                                                 \
		static const char *const bodies[] = { __VA_ARGS__ };                                         \
		for (size_t i = 0; i < COUNT(bodies); i++)                                                   \
			check_bad_chunks(bodies[i], (status));                                               \
	} while (0)

/* Whoever waits for the body answers so; whoever has answered already only ends the connection. */
static void check_bad_chunks(const char *body, const char *status)
{
	char sent[9000], answers[100];
	snprintf(sent, sizeof sent, GET CHUNKED "%s" GET, body);
	snprintf(answers, sizeof answers, OK_A ", %s close", status);
	check(&(struct scenario){ sent, answers, NULL, false });
	snprintf(sent, sizeof sent, NOW "%s" GET, body);
	check(&(struct scenario){ sent, OK_NOW, NULL, false });
}

/* ---- requests one after another ---- */

START_TEST(requests_without_bodies)
{
	CHECK_ALL({ GET, OK_A, NULL, true }, { GET GET GET, OK_A ", " OK_A ", " OK_A, NULL, true },
		{ "GET /b?c HTTP/1.1\r\nHost: a\r\n\r\n" GET, "200 /b?c 0:, " OK_A, NULL, true },
		{ "\r\n" GET "\r\n" GET, OK_A ", " OK_A, NULL, true },
		{ "DELETE /d HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" GET, "200 /d 0:, " OK_A, NULL,
			true },
		{ "GET /n?now HTTP/1.1\r\nHost: a\r\n\r\n" GET, OK_NOW ", " OK_A, NULL, true },
		{ "XYZ http://b/c HTTP/1.1\r\nHost: a\r\n\r\n" GET, "200 http://b/c 0:, " OK_A, NULL, true },
		{ "CONNECT b:80 HTTP/1.1\r\nHost: b\r\n\r\n" GET, "200 b:80 0: close", NULL, false },
		{ "GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" GET,
			OK_A ", " OK_A, NULL, true });
}
END_TEST

START_TEST(requests_with_bodies)
{
	CHECK_ALL({ POST("Content-Length: 5\r\n") "hello" GET, "200 /p 5:hello, " OK_A, NULL, true },
		{ POST("Content-Length: 4\r\n") "GET " GET, "200 /p 4:GET , " OK_A, NULL, true },
		{ POST("Content-Length: 2\r\n") "\r\n" GET, "200 /p 2:\r\n, " OK_A, NULL, true },
		{ POST("Content-Length: 1\r\n") "x\r\n" GET, "200 /p 1:x, " OK_A, NULL, true },
		{ "GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 28\r\n\r\n" GET GET,
			"200 /a 28:" GET ", " OK_A, NULL, true },
		{ "POST /n?now HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" GET, OK_NOW ", " OK_A,
			NULL, true },
		{ "POST /n?now HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello" GET,
			OK_NOW " close", NULL, false });
}
END_TEST

/* What a handler is told is over it is not told again. */
START_TEST(an_answer_at_once_is_the_end_of_it)
{
	CHECK_ALL({ "POST /own?now HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" GET,
			  "200 /own?now 0:, " OK_A, NULL, true },
		{ "POST /own?now HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" GET,
			"200 /own?now 0:, " OK_A, NULL, true },
		{ "GET /own?now HTTP/1.1\r\nHost: a\r\n\r\n" GET, "200 /own?now 0:, " OK_A, NULL, true });
}
END_TEST

START_TEST(a_body_that_is_not_wanted_to_its_end)
{
	CHECK_ALL({ "POST /stop/3 HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabcdef" GET,
			  "200 /stop/3 3:abc close", NULL, false },
		{ "POST /stop/3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n5\r\ncdefg\r\n0\r\n\r\n",
			"200 /stop/3 3:abc close", NULL, false },
		{ "POST /stop/9 HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabcdef" GET,
			"200 /stop/9 6:abcdef, " OK_A, NULL, true });
}
END_TEST

START_TEST(the_connection_ends_when_a_side_wants_it)
{
	CHECK_ALL(
		{ "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" GET, OK_A " close", NULL, false },
		{ "GET /a HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n" GET, OK_A " close", NULL,
			false },
		{ GET "GET /a HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n" GET,
			OK_A ", " OK_A " close", NULL, false },
		{ "GET /close HTTP/1.1\r\nHost: a\r\n\r\n" GET, "200 /close 0: close", NULL, false },
		{ "GET /a HTTP/1.0\r\n\r\n" GET, OK_A " close", NULL, false },
		{ "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" GET, OK_A " keep, " OK_A, NULL, true },
		{ "GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nGET /a HTTP/1.0\r\n\r\n" GET,
			OK_A " keep, " OK_A " close", NULL, false },
		{ "GET /a HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n" GET, OK_A " close", NULL,
			false },
		{ "GET /close HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" GET, "200 /close 0: close", NULL,
			false },
		{ "POST /p HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello" GET, "200 /p 5:hello close", NULL,
			false },
		{ "GET /a HTTP/1.2\r\nHost: a\r\n\r\n" GET, OK_A ", " OK_A, NULL, true });
}
END_TEST

/* RFC 9110 6.4.1, 9.3.2; RFC 9112 6.3 */
START_TEST(answers_without_bodies)
{
	CHECK_ALL({ "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n" GET, "200 , " OK_A, "HG", true },
		{ "HEAD /text/700 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /parts/9 HTTP/1.1\r\nHost: a\r\n\r\n" GET,
			"200 , 200 , " OK_A, "HHG", true },
		{ "HEAD /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" GET, "200 , " OK_A, "HG",
			true },
		{ "GET /status/204 HTTP/1.1\r\nHost: a\r\n\r\n" GET, "204 , " OK_A, NULL, true },
		{ "GET /status/304 HTTP/1.1\r\nHost: a\r\n\r\n" GET, "304, " OK_A, NULL, true },
		{ "GET /bodied/204 HTTP/1.1\r\nHost: a\r\n\r\nGET /bodied/304 HTTP/1.1\r\nHost: a\r\n\r\n" GET,
			"204 , 304, " OK_A, NULL, true },
		{ "GET /status/404 HTTP/1.1\r\nHost: a\r\n\r\n" GET, "404, " OK_A, NULL, true },
		{ "HEAD /a HTTP/1.1\r\n\r\n" GET, "400 close", NULL,
			false }); /* refused before it is known to be a HEAD */
}
END_TEST

START_TEST(a_refused_head_ends_the_connection_behind_the_answers_before_it)
{
	CHECK_ALL({ GET GET "GET /a HTTP/1.1\r\n\r\n" GET, OK_A ", " OK_A ", 400 close", NULL, false },
		{ GET "GET  /a HTTP/1.1\r\nHost: a\r\n\r\n" GET, OK_A ", 400 close", NULL, false },
		{ "GET /a HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n" GET, "400 close", NULL, false },
		{ "GET /a HTTP/1.1\nHost: a\n\n" GET, "400 close", NULL, false },
		{ POST("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") "0\r\n\r\n" GET, "400 close",
			NULL, false },
		{ POST("Content-Length: 5\r\nContent-Length: 6\r\n") "hello" GET, "400 close", NULL, false },
		{ POST("Content-Length: 5\r\nContent-Length: 5\r\n") "hello" GET, "400 close", NULL, false },
		{ POST("Content-Length: +5\r\n") "hello" GET, "400 close", NULL, false },
		{ POST("Transfer-Encoding: xchunked\r\n") "0\r\n\r\n" GET, "400 close", NULL, false },
		{ POST("Transfer-Encoding: gzip, chunked\r\n") "0\r\n\r\n" GET, "501 close", NULL, false },
		{ "POST /p HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GET, "400 close", NULL,
			false },
		{ GET "GET /a HTTP/2.0\r\nHost: a\r\n\r\n" GET, OK_A ", 505 close", NULL, false },
		{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 close", NULL, false },
		{ "GET /a\r\n" GET, "400 close", NULL, false },
		{ POST("Expect: 200-ok\r\nContent-Length: 5\r\n") "hello" GET, "417 close", NULL, false },
		{ POST("Content-Length: 18446744073709551616\r\n") "hello", "413 close", NULL, false },
		{ POST("Content-Length: 100001\r\n") "hello", "413 close", NULL, false },
		{ POST("Content-Length: 2\r\n") "x\n" GET "x\r\n" GET, "200 /p 2:x\n, " OK_A ", 400 close",
			NULL, false },
		{ GET "\r\n\r\n" GET, OK_A ", 400 close", NULL, false },
		{ "\x16\x03\x01\x02", "400 close", NULL, false });
}
END_TEST

/* ---- chunks, RFC 9112 7.1 ---- */

START_TEST(chunked_bodies)
{
	CHECK_ALL({ CHUNKED "5\r\nhello\r\n0\r\n\r\n" GET, "200 /p 5:hello, " OK_A, NULL, true },
		{ CHUNKED "0\r\n\r\n" GET, "200 /p 0:, " OK_A, NULL, true },
		{ CHUNKED "1\r\na\r\n1\r\nb\r\n2\r\ncd\r\n0\r\n\r\n" GET, "200 /p 4:abcd, " OK_A, NULL,
			true },
		{ CHUNKED "000a\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n" GET,
			"200 /p 10:0\r\n\r\n0\r\n\r\n, " OK_A, NULL, true },
		{ CHUNKED "A\r\n0123456789\r\n00\r\n\r\n" GET, "200 /p 10:0123456789, " OK_A, NULL, true },
		{ CHUNKED "0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n" GET,
			"200 /p 5:hello, " OK_A, NULL, true },
		{ CHUNKED "2\r\n\r\n\r\n0\r\n\r\n" GET, "200 /p 2:\r\n, " OK_A, NULL, true },
		{ NOW "5\r\nhello\r\n0\r\n\r\n" GET, OK_NOW ", " OK_A, NULL, true },
		{ "POST /p HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n" GET,
			"200 /p 1:a close", NULL, false });
}
END_TEST

START_TEST(chunk_extensions)
{
	CHECK_ALL({ CHUNKED "1;a\r\nx\r\n0;b=c\r\n\r\n" GET, "200 /p 1:x, " OK_A, NULL, true },
		{ CHUNKED "1;a=b;c=\"d;e\\\"\";f\r\nx\r\n0\r\n\r\n" GET, "200 /p 1:x, " OK_A, NULL, true },
		{ CHUNKED "1 ; a = b\t;\tc=\"\"\r\nx\r\n0 ;d\r\n\r\n" GET, "200 /p 1:x, " OK_A, NULL, true },
		{ CHUNKED "1;a=\"\x80\t \\\x80\"\r\nx\r\n0\r\n\r\n" GET, "200 /p 1:x, " OK_A, NULL, true });
	BAD_CHUNKS("400", "1;\r\nx\r\n0\r\n\r\n", "1;a\nx\r\n0\r\n\r\n", "1;a\rx\r\n0\r\n\r\n",
		"1;a=\r\nx\r\n0\r\n\r\n", "1;a=\"b\r\nx\r\n0\r\n\r\n", "1;a=\"b\nc\"\r\nx\r\n0\r\n\r\n",
		"1;a=\"b\rc\"\r\nx\r\n0\r\n\r\n", "1;a=\"b\"c\r\nx\r\n0\r\n\r\n", "1;a=b c\r\nx\r\n0\r\n\r\n",
		"1;=b\r\nx\r\n0\r\n\r\n", "1,a\r\nx\r\n0\r\n\r\n", "1;a;\r\nx\r\n0\r\n\r\n",
		"1;a\x80\r\nx\r\n0\r\n\r\n", "1;a=\"\\\r\n\"\r\nx\r\n0\r\n\r\n", "1;a\x01\r\nx\r\n0\r\n\r\n");
}
END_TEST

START_TEST(chunk_sizes_that_are_none)
{
	BAD_CHUNKS("400", "\r\nx\r\n0\r\n\r\n", "0x1\r\nx\r\n0\r\n\r\n", "0X1\r\nx\r\n0\r\n\r\n",
		"+1\r\nx\r\n0\r\n\r\n", "-1\r\nx\r\n0\r\n\r\n", " 1\r\nx\r\n0\r\n\r\n",
		"1 \r\nx\r\n0\r\n\r\n", "1\t\r\nx\r\n0\r\n\r\n", "g\r\nx\r\n0\r\n\r\n",
		"1g\r\nx\r\n0\r\n\r\n", "1.0\r\nx\r\n0\r\n\r\n", "1_0\r\nx\r\n0\r\n\r\n",
		"1h\r\nx\r\n0\r\n\r\n", "1 1\r\nx\r\n0\r\n\r\n", ";a\r\nx\r\n0\r\n\r\n",
		"\"1\"\r\nx\r\n0\r\n\r\n", "\xb1\r\nx\r\n0\r\n\r\n", "hello\r\n0\r\n\r\n");
}
END_TEST

START_TEST(line_ends_of_chunks)
{
	BAD_CHUNKS("400", "1\nx\r\n0\r\n\r\n", "1\rx\r\n0\r\n\r\n", "1\r\rx\r\n0\r\n\r\n",
		"1\r\nx\n0\r\n\r\n", "1\r\nx0\r\n\r\n", "1\r\nxy\r\n0\r\n\r\n", "2\r\nx\r\n0\r\n\r\n",
		"1\r\nx\r0\r\n\r\n", "1\r\nx\r\r\n0\r\n\r\n", "1\r\nx\r\n\r\n0\r\n\r\n",
		"1\r\nx \r\n0\r\n\r\n", "1\n\nx\r\n0\r\n\r\n", "1\r\nx\r\n0\n\r\n", "1\r\nx\r\n0\r\n\n",
		"1\r\nx\r\n0\r\n\r\r\n", "0\r\rX: y\r\n\r\n", "0\n\n");
}
END_TEST

/* RFC 9112 7.1: "recipients MUST anticipate potentially large hexadecimal numerals and prevent parsing errors due to integer overflow". */
START_TEST(large_chunk_sizes)
{
	BAD_CHUNKS("413", "186a1\r\nx", "ffffffff\r\nx", "100000000\r\nx", "100000001\r\nx",
		"7fffffffffffffff\r\nx", "8000000000000000\r\nx", "fffffffffffffffb\r\nx",
		"ffffffffffffffff\r\nx", "10000000000000000\r\nx", "10000000000000001\r\nx\r\n0\r\n\r\n",
		"00000000000000001\r\nx\r\n0\r\n\r\n", "ffffffffffffffffffffffff\r\nx",
		"1\r\nx\r\nffffffffffffffff\r\nx", "2\r\nxy\r\nfffffffffffffffe\r\nx",
		"1\r\nx\r\n186a0\r\nx");
}
END_TEST

START_TEST(trailers)
{
	CHECK_ALL({ CHUNKED "1\r\nx\r\n0\r\nA: b\r\n\r\n" GET, "200 /p 1:x, " OK_A, NULL, true },
		{ CHUNKED "0\r\nA:\r\nB: c d\t\r\n\r\n" GET, "200 /p 0:, " OK_A, NULL, true },
		/* RFC 9110 6.5.1: what frames, routes or controls a message can't be changed behind it */
		{ CHUNKED
			"0\r\nContent-Length: 99\r\nTransfer-Encoding: x\r\nHost: b\r\nConnection: close\r\nExpect: y\r\n\r\n" GET,
			"200 /p 0:, " OK_A, NULL, true });
	BAD_CHUNKS("400", "0\r\nA : b\r\n\r\n", "0\r\n A: b\r\n\r\n", "0\r\nA: b\r\n c\r\n\r\n",
		"0\r\nA: b\n\r\n", "0\r\nA\r\n\r\n", "0\r\n: b\r\n\r\n", "0\r\nA: b\rc\r\n\r\n",
		"0\r\nA: \x01\r\n\r\n", "0\r\nGET / HTTP/1.1\r\n\r\n", "0\r\n\n", "0\r\nA\x80: b\r\n\r\n");
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http/server");
	TCase *const t = tcase_create("server");
	tcase_set_timeout(t, 300);
	tcase_add_test(t, requests_without_bodies);
	tcase_add_test(t, requests_with_bodies);
	tcase_add_test(t, an_answer_at_once_is_the_end_of_it);
	tcase_add_test(t, a_body_that_is_not_wanted_to_its_end);
	tcase_add_test(t, the_connection_ends_when_a_side_wants_it);
	tcase_add_test(t, answers_without_bodies);
	tcase_add_test(t, a_refused_head_ends_the_connection_behind_the_answers_before_it);
	tcase_add_test(t, chunked_bodies);
	tcase_add_test(t, chunk_extensions);
	tcase_add_test(t, chunk_sizes_that_are_none);
	tcase_add_test(t, line_ends_of_chunks);
	tcase_add_test(t, large_chunk_sizes);
	tcase_add_test(t, trailers);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
