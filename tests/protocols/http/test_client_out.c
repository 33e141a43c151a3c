/*
 * protocols/http/client: requests on their way out, limits of time, and what handlers may do. RFC 9110 10.1.1, RFC 9112 3, 6, 7.1, 9.
 * What comes back is in test_client.c.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asker.h"
#include "guard.h"

#define OK0 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define GO "HTTP/1.1 100 Continue\r\n\r\n"
#define EXPECT "Expect: 100-continue\r\n"

enum { NONE = MRG_HTTP_BODY_NONE, LENGTH = MRG_HTTP_BODY_LENGTH, IN_CHUNKS = MRG_HTTP_BODY_CHUNKED };

static const uint64_t SECOND = MRG_RT_SECOND_NS;

static struct mrg_http_field_line field(const char *name, const char *value)
{
	return (struct mrg_http_field_line){ .name = text_of(name), .value = text_of(value) };
}

static void answer(struct peer *p, const char *text)
{
	peer_send_text(p, text);
	peer_run_all(p);
}

/* ---- heads ---- */

START_TEST(heads)
{
	const struct mrg_http_field_line fields[] = { field("Accept", "*/*"), field("X-Empty", ""),
		field("X", "a b") };
	struct peer *p = asker(NULL);
	struct ask *a = ask_new("GET", "/a%20b?c=d&e");
	a->r.host = MRG_LITERAL("[::1]:8080");
	a->r.fields = fields;
	a->r.field_count = 3;
	ck_assert_int_eq(ask_add(a), MRG_OK);
	peer_run_all(p);
	sent(p, "GET /a%20b?c=d&e HTTP/1.1\r\nHost: [::1]:8080\r\nAccept: */*\r\nX-Empty: \r\nX: a b\r\n\r\n");
	answer(p, OK0);
	a = ask_new("OPTIONS", "*");
	a->r.host = MRG_LITERAL("");
	ck_assert_int_eq(ask_add(a), MRG_OK);
	peer_run_all(p);
	sent(p, "OPTIONS * HTTP/1.1\r\nHost: \r\n\r\n");
	answer(p, OK0);
	(void)ask("BREW", "http://other:81/x");
	peer_run_all(p);
	sent(p, "BREW http://other:81/x HTTP/1.1\r\nHost: h\r\n\r\n");
	answer(p, OK0);
	a = ask_new("GET", "/");
	a->r.close = true;
	ck_assert_int_eq(ask_add(a), MRG_OK);
	peer_run_all(p);
	sent(p, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	answer(p, OK0);
	said("a 200 ok; b 200 ok; c 200 ok; d 200 ok; closed ok. ");
	asker_stop();
}
END_TEST

/* The caller may say in a field what there is a flag for. */
START_TEST(close_as_a_field)
{
	const struct mrg_http_field_line fields[] = { field("connection", "x, Close") };
	struct peer *const p = asker(NULL);
	struct ask *const a = ask_new("GET", "/");
	a->r.fields = fields;
	a->r.field_count = 1;
	ck_assert_int_eq(ask_add(a), MRG_OK);
	peer_run_all(p);
	answer(p, OK0);
	said("a 200 ok; closed ok. ");
	asker_stop();
}
END_TEST

/* RFC 9112 6.1, 9.3: HTTP/1.0 has neither chunks nor, here, more than one request a connection. */
START_TEST(http_1_0)
{
	static const char *const pieces[] = { "abc", NULL };
	struct peer *p = asker(NULL);
	struct ask *a = ask_new("POST", "/");
	a->r.old = true;
	a->r.close = true;
	a->r.body = MRG_HTTP_BODY_LENGTH;
	a->r.length = 3;
	a->pieces = pieces;
	ck_assert_int_eq(ask_add(a), MRG_OK);
	peer_run_all(p);
	sent(p, "POST / HTTP/1.0\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
	answer(p, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
	said("a 200 \"hi\" ok; closed ok. ");
	ck_assert(p->closed);
	asker_stop();
	p = asker(NULL);
	a = ask_new("GET", "/");
	a->r.old = true;
	ck_assert_int_eq(ask_add(a), MRG_OK);
	peer_run_all(p);
	answer(p, "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n0\r\n\r\n");
	said("a bad head; closed bad head. ");
	ck_assert_str_eq(asker_why(), "Transfer-Encoding to HTTP/1.0 (RFC 9112 6.1)");
	asker_stop();
}
END_TEST

struct refusal {
	const char *method, *target, *host, *name, *value;
	int body;
	uint64_t length;
	bool old, expect;
	const char *why;
};

static const struct refusal refusals[] = {
	{ "", "/", "h", NULL, NULL, NONE, 0, false, false, "an octet that can't be" },
	{ "G T", "/", "h", NULL, NULL, NONE, 0, false, false, "an octet that can't be" },
	{ "GET", "", "h", NULL, NULL, NONE, 0, false, false, "an octet that can't be" },
	{ "GET", "/a b", "h", NULL, NULL, NONE, 0, false, false, "an octet that can't be" },
	{ "GET", "/a\r\nX: y", "h", NULL, NULL, NONE, 0, false, false, "an octet that can't be" },
	{ "GET", "/#a", "h", NULL, NULL, NONE, 0, false, false, "an octet that can't be" },
	{ "GET", "a", "h", NULL, NULL, NONE, 0, false, false, "the target is in none" },
	{ "GET", "*", "h", NULL, NULL, NONE, 0, false, false, "the target is in none" },
	{ "GET", "/", "h/", NULL, NULL, NONE, 0, false, false, "Host is no host" },
	{ "GET", "/", "u@h", NULL, NULL, NONE, 0, false, false, "Host is no host" },
	{ "GET", "/", "h\r\nX: y", NULL, NULL, NONE, 0, false, false, "an octet that can't be" },
	{ "GET", "/", "h", "A b", "c", NONE, 0, false, false, "an octet that can't be" },
	{ "GET", "/", "h", "", "c", NONE, 0, false, false, "an octet that can't be" },
	{ "GET", "/", "h", "A", "b\r\nC: d", NONE, 0, false, false, "an octet that can't be" },
	{ "GET", "/", "h", "A", " b", NONE, 0, false, false, "an octet that can't be" },
	{ "GET", "/", "h", "Host", "other", NONE, 0, false, false, "two Host fields" },
	{ "GET", "/", "h", "Content-Length", "5", NONE, 0, false, false, "the fields say something else" },
	{ "GET", "/", "h", "Transfer-Encoding", "chunked", NONE, 0, false, false,
		"the fields say something else" },
	{ "PUT", "/", "h", "Content-Length", "5", LENGTH, 5, false, false, "two Content-Length" },
	{ "PUT", "/", "h", "Transfer-Encoding", "chunked", LENGTH, 5, false, false, "Content-Length beside" },
	{ "PUT", "/", "h", "Transfer-Encoding", "gzip", IN_CHUNKS, 0, false, false, "two Transfer-Encoding" },
	{ "PUT", "/", "h", NULL, NULL, IN_CHUNKS, 0, true, false, "Transfer-Encoding in HTTP/1.0" },
	{ "PUT", "/", "h", NULL, NULL, MRG_HTTP_BODY_CLOSE, 0, false, false, "a request can't end with" },
	{ "GET", "/", "h", NULL, NULL, NONE, 0, false, true, "100-continue without a body" },
	{ "PUT", "/", "h", NULL, NULL, LENGTH, 0, false, true, "100-continue without a body" },
	{ "PUT", "/", "h", NULL, NULL, LENGTH, 5, true, true, "Expect is not for" },
	{ "PUT", "/", "h", "Expect", "100-continue", LENGTH, 5, false, false, "Expect is not for" },
	{ "CONNECT", "h:80", "h", NULL, NULL, NONE, 0, false, false, "this client makes no tunnels" },
	{ "TRACE", "/", "h", NULL, NULL, LENGTH, 5, false, false, "TRACE with a body" },
};

/* Nothing of them goes out, and the next request does. */
START_TEST(requests_that_can_not_be)
{
	struct peer *const p = asker(NULL);
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		const struct refusal *const it = &refusals[i];
		const struct mrg_http_field_line line =
			it->name == NULL ? field("A", "b") : field(it->name, it->value);
		struct ask *const a = ask_new(it->method, it->target);
		a->r.host = text_of(it->host);
		a->r.fields = &line;
		a->r.field_count = it->name != NULL;
		a->r.body = (enum mrg_http_body)it->body;
		a->r.length = it->length;
		a->r.old = it->old;
		a->r.expect_continue = it->expect;
		const enum mrg_status st = ask_add(a);
		MUST_SAY(st < 0, "%zu: %s %s taken", i, it->method, it->target);
		MUST_SAY(strncmp((const char *)a->r.why.p, it->why, strlen(it->why)) == 0,
			"%zu: <%.*s> instead of <%s>", i, (int)a->r.why.len, (const char *)a->r.why.p,
			it->why);
	}
	peer_run_all(p);
	sent(p, "");
	said("");
	(void)ask("GET", "/");
	peer_run_all(p);
	sent(p, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	asker_stop();
}
END_TEST

START_TEST(requests_that_are_too_long)
{
	static char target[20000], value[20000];
	static struct mrg_http_field_line fields[200];
	(void)asker(NULL);
	memset(target, '/', 8001);
	struct ask *a = ask_new("GET", target);
	ck_assert_int_eq(ask_add(a), MRG_E_LIMIT);
	target[8000] = 0;
	(void)ask("GET", target);
	memset(value, 'x', 17000);
	fields[0] = field("A", value);
	a = ask_new("GET", "/");
	a->r.fields = fields;
	a->r.field_count = 1;
	ck_assert_int_eq(ask_add(a), MRG_E_SPACE);
	value[16300] = 0;
	fields[0] = field("A", value);
	ck_assert_int_eq(ask_add(a), MRG_OK);
	for (size_t i = 0; i < 200; i++)
		fields[i] = field("A", "b");
	a = ask_new("GET", "/");
	a->r.fields = fields;
	a->r.field_count = 97;
	ck_assert_int_eq(ask_add(a), MRG_E_SPACE);
	a->r.field_count = 200;
	ck_assert_int_eq(ask_add(a), MRG_E_SPACE);
	a->r.field_count = 96;
	ck_assert_int_eq(ask_add(a), MRG_OK);
	asker_stop();
}
END_TEST

/* ---- bodies ---- */

/* However little the server takes at a time, the same goes out. */
START_TEST(bodies_in_pieces)
{
	static const struct {
		int body;
		uint64_t length;
		const char *pieces[5], *want;
	} bodies[] = {
		{ LENGTH, 0, { NULL }, "Content-Length: 0\r\n\r\n" },
		{ LENGTH, 5, { "hello", "not asked for", NULL }, "Content-Length: 5\r\n\r\nhello" },
		{ LENGTH, 5, { "he", "", "llo", NULL }, "Content-Length: 5\r\n\r\nhello" },
		{ IN_CHUNKS, 0, { NULL }, CHUNKED "\r\n0\r\n\r\n" },
		{ IN_CHUNKS, 0, { "hello", "", "0123456789abcdefg", NULL },
			CHUNKED "\r\n5\r\nhello\r\n11\r\n0123456789abcdefg\r\n0\r\n\r\n" },
	};
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
		for (size_t most = 0; most < 8; most++) {
			char want[200];
			struct peer *const p = asker(NULL);
			p->write_most = most;
			(void)snprintf(want, sizeof want, "POST / HTTP/1.1\r\nHost: h\r\n%s", bodies[i].want);
			(void)ask_with_body("POST", (enum mrg_http_body)bodies[i].body, bodies[i].length,
				bodies[i].pieces);
			peer_run_all(p);
			mrg_http_client_resume(&client);
			peer_run_all(p);
			sent(p, want);
			MUST(p->want == MRG_STREAM_READABLE);
			answer(p, OK0);
			said("a 200 ok; ");
			asker_stop();
		}
}
END_TEST

/* While there is nothing to be sent, nothing is asked for, and no time runs. */
START_TEST(a_body_that_is_not_there_yet)
{
	static const char *const pieces[] = { "a", "", "", "b", NULL };
	struct peer *const p = asker(NULL);
	(void)ask_with_body("PUT", MRG_HTTP_BODY_CHUNKED, 0, pieces);
	peer_run_all(p);
	ck_assert_uint_eq(p->want, MRG_STREAM_READABLE);
	ck_assert_uint_eq(mrg_rt_timers_next(&timers), MRG_RT_NEVER);
	sent(p, "PUT / HTTP/1.1\r\nHost: h\r\n" CHUNKED "\r\n1\r\na\r\n");
	mrg_http_client_resume(&client);
	peer_run_all(p);
	sent(p, "");
	mrg_http_client_resume(&client);
	ck_assert_uint_eq(p->want, MRG_STREAM_READABLE | MRG_STREAM_WRITABLE);
	peer_run_all(p);
	sent(p, "1\r\nb\r\n0\r\n\r\n");
	asker_stop();
}
END_TEST

START_TEST(bodies_that_are_not_what_was_said)
{
	static const struct {
		int body;
		const char *pieces[3], *why;
	} bodies[] = {
		{ LENGTH, { "abcd", NULL }, "more octets for the body than were announced (RFC 9112 6.2)" },
		{ LENGTH, { "ab", NULL }, "fewer octets for the body than were announced (RFC 9112 6.2)" },
		{ LENGTH, { "ab", "!", NULL }, "the request's body can't be had" },
		{ IN_CHUNKS, { "ab", "!", NULL }, "the request's body can't be had" },
	};
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		struct peer *const p = asker(NULL);
		(void)ask_with_body("PUT", (enum mrg_http_body)bodies[i].body,
			bodies[i].body == LENGTH ? 3 : 0, bodies[i].pieces);
		peer_run_all(p);
		const char *const got = asker_said();
		ck_assert_ptr_nonnull(strstr(got, "closed source. "));
		ck_assert_str_eq(asker_why(), bodies[i].why);
		ck_assert(p->closed);
		asker_stop();
	}
}
END_TEST

/* A body without end does not keep everything else from its turn. */
START_TEST(one_event_has_an_end)
{
	enum { LEN = 1 << 16, COUNT = 256 };
	static const char *pieces[COUNT + 1];
	char *const piece = calloc(1, LEN + 1);
	memset(piece, 'p', LEN);
	for (size_t i = 0; i < COUNT; i++)
		pieces[i] = piece;
	struct peer *const p = asker(NULL);
	(void)ask_with_body("PUT", MRG_HTTP_BODY_LENGTH, (uint64_t)LEN * COUNT, pieces);
	peer_event(p, MRG_STREAM_WRITABLE);
	ck_assert_uint_lt(p->out_len, (size_t)LEN * COUNT / 2);
	ck_assert_uint_eq(p->want, MRG_STREAM_READABLE | MRG_STREAM_WRITABLE);
	peer_run_all(p);
	ck_assert_uint_gt(p->out_len, (size_t)LEN * COUNT);
	answer(p, OK0);
	said("a 200 ok; ");
	asker_stop();
	free(piece);
}
END_TEST

/* ---- 100 (Continue), RFC 9110 10.1.1 ---- */

static const char *const abc[] = { "abc", NULL };

static struct peer *expecting(void)
{
	struct peer *const p = asker(NULL);
	struct ask *const a = ask_new("PUT", "/");
	a->r.body = MRG_HTTP_BODY_LENGTH;
	a->r.length = 3;
	a->r.expect_continue = true;
	a->pieces = abc;
	ck_assert_int_eq(ask_add(a), MRG_OK);
	peer_run_all(p);
	sent(p, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n" EXPECT "\r\n");
	return p;
}

START_TEST(a_body_waits)
{
	/* for the server's word, not just any */
	struct peer *p = expecting();
	answer(p, "HTTP/1.1 102 Processing\r\n\r\n");
	sent(p, "");
	answer(p, GO);
	sent(p, "abc");
	answer(p, GO OK0);
	said("a 200 ok; ");
	asker_stop();
	/* or for some time */
	p = expecting();
	pass(SECOND - 1);
	sent(p, "");
	pass(1);
	peer_run_all(p);
	sent(p, "abc");
	answer(p, OK0);
	said("a 200 ok; ");
	asker_stop();
	/* and not at all for what has been answered: nobody can tell then what would come next */
	p = expecting();
	answer(p, "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
	said("a 417 ok; closed ok. ");
	sent(p, "");
	asker_stop();
}
END_TEST

/* ---- answers that come early, RFC 9112 9.5 ---- */

START_TEST(an_answer_before_the_request_is_sent)
{
	static const char *const pieces[] = { "a", "", "b", NULL };
	/* the server ends the connection: the rest is not sent */
	struct peer *p = asker(NULL);
	(void)ask_with_body("PUT", MRG_HTTP_BODY_LENGTH, 2, pieces);
	peer_run_all(p);
	answer(p, "HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nn");
	mrg_http_client_resume(&client);
	peer_run_all(p);
	answer(p, "o");
	sent(p, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na");
	said("a 413 \"no\" ok; closed ok. ");
	asker_stop();
	/* it does not: the rest is sent while the answer comes, and the connection stays */
	p = asker(NULL);
	(void)ask_with_body("PUT", MRG_HTTP_BODY_LENGTH, 2, pieces);
	peer_run_all(p);
	answer(p, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nn");
	mrg_http_client_resume(&client);
	peer_run_all(p);
	answer(p, "o");
	sent(p, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab");
	said("a 200 \"no\" ok; ");
	asker_stop();
	/* but not where the answer is complete before */
	p = asker(NULL);
	(void)ask_with_body("PUT", MRG_HTTP_BODY_LENGTH, 2, pieces);
	peer_run_all(p);
	answer(p, OK0);
	said("a 200 ok; closed ok. ");
	asker_stop();
	/* be it only for an octet that was not taken */
	p = asker(NULL);
	(void)ask("GET", "/");
	p->write_room = sizeof "GET / HTTP/1.1\r\nHost: h\r\n\r\n" - 2;
	peer_run_all(p);
	answer(p, OK0);
	said("a 200 ok; closed ok. ");
	asker_stop();
}
END_TEST

/* The server has answered and gone while the request was still on its way. */
static enum mrg_io deaf_write(
	struct mrg_stream *s, const struct mrg_span *parts, size_t count, bool more, size_t *done)
{
	(void)s;
	(void)parts;
	(void)count;
	(void)more;
	(void)done;
	return MRG_IO_RESET;
}

START_TEST(a_server_that_takes_nothing_more)
{
	static const char *const pieces[] = { "a", "", "b", NULL };
	for (int answered = 0; answered < 2; answered++) {
		struct peer *const p = asker(NULL);
		(void)ask_with_body("PUT", MRG_HTTP_BODY_LENGTH, 2, pieces);
		peer_run_all(p);
		struct mrg_stream_ops ops = *p->stream.ops;
		ops.write = deaf_write;
		p->stream.ops = &ops;
		mrg_http_client_resume(&client);
		peer_run_all(p);
		ck_assert_uint_eq(p->want, MRG_STREAM_READABLE);
		said("");
		if (answered != 0)
			answer(p, "HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
		else
			pass(10 * SECOND);
		said(answered != 0 ? "a 413 \"no\" ok; closed ok. " : "a timeout; closed timeout. ");
		asker_stop();
	}
}
END_TEST

/* ---- time ---- */

/* Just not yet, and then. */
static void check_limit(uint64_t limit, const char *want)
{
	pass(limit - 1);
	said("");
	pass(1);
	said(want);
}

START_TEST(no_connection_in_time)
{
	asker_start(NULL);
	(void)ask("GET", "/");
	(void)ask("GET", "/");
	check_limit(5 * SECOND, "a timeout unsent; b timeout unsent; closed timeout. ");
	ck_assert_str_eq(asker_why(), "no connection in time");
	/* and one that comes too late is refused */
	struct peer *const p = peer_new();
	ck_assert(!client.user.open(client.user.ctx, &p->stream, now));
	asker_stop();
}
END_TEST

START_TEST(no_request_in_time)
{
	struct peer *const p = asker(NULL);
	check_limit(60 * SECOND, "closed timeout. ");
	ck_assert(p->closed);
	asker_stop();
	/* one that was added at the last moment counts */
	(void)asker(NULL);
	pass(60 * SECOND - 1);
	(void)ask("GET", "/");
	pass(1);
	said("");
	asker_stop();
}
END_TEST

START_TEST(a_request_that_is_not_taken)
{
	struct peer *const p = asker(NULL);
	(void)ask_with_body("PUT", MRG_HTTP_BODY_LENGTH, 3, abc);
	p->write_room = 10;
	peer_run_all(p);
	pass(20 * SECOND - 1);
	p->write_room = 1; /* each octet counts */
	peer_run_all(p);
	check_limit(20 * SECOND, "a timeout; closed timeout. ");
	ck_assert_str_eq(asker_why(), "the server takes nothing of the request (RFC 9112 9.5)");
	asker_stop();
}
END_TEST

START_TEST(no_head_in_time)
{
	struct peer *const p = asker(NULL);
	(void)ask("GET", "/");
	peer_run_all(p);
	pass(9 * SECOND);
	answer(p, GO); /* an interim response counts, */
	pass(9 * SECOND);
	answer(p, "HTTP/1.1 2"); /* some octets don't */
	check_limit(SECOND, "a timeout; closed timeout. ");
	ck_assert_str_eq(asker_why(), "no whole head in time (RFC 9112 9.5)");
	asker_stop();
}
END_TEST

/* For each of several the time begins where the answer before it ends. */
START_TEST(no_second_head_in_time)
{
	struct mrg_http_client_limits limits = asker_limits();
	limits.pipeline = 2;
	struct peer *const p = asker(&limits);
	(void)ask("GET", "/");
	peer_run_all(p);
	pass(9 * SECOND);
	(void)ask("GET", "/");
	peer_run_all(p); /* what goes out meanwhile doesn't count for the first */
	pass(SECOND - 1);
	answer(p, OK0);
	said("a 200 ok; ");
	check_limit(10 * SECOND, "b timeout; closed timeout. ");
	asker_stop();
}
END_TEST

START_TEST(a_body_that_stalls)
{
	struct peer *const p = asker(NULL);
	(void)ask("GET", "/");
	peer_run_all(p);
	answer(p, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
	for (int i = 0; i < 5; i++) {
		pass(20 * SECOND - 1);
		answer(p, "x");
	}
	pass(20 * SECOND - 1);
	said("a 200 \"xxxxx");
	asker_stop();
}
END_TEST

START_TEST(a_body_that_stalls_for_ever)
{
	struct peer *const p = asker(NULL);
	(void)ask("GET", "/");
	peer_run_all(p);
	answer(p, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx");
	said("a 200 \"x");
	check_limit(20 * SECOND, "\" timeout; closed timeout. ");
	ck_assert_str_eq(asker_why(), "nothing more of the body in time (RFC 9112 9.5)");
	asker_stop();
}
END_TEST

START_TEST(limits_beyond_all_time)
{
	struct mrg_http_client_limits limits = asker_limits();
	limits.connect_ns = limits.head_ns = limits.stall_ns = limits.idle_ns = UINT64_MAX;
	asker_start(&limits);
	pass(UINT64_MAX / 2);
	struct peer *const p = asker_open();
	pass(UINT64_MAX / 4);
	(void)ask("GET", "/");
	peer_run_all(p);
	answer(p, OK0);
	said("a 200 ok; ");
	asker_stop();
}
END_TEST

/* ---- what the caller and its handler may do ---- */

START_TEST(handlers_that_end_it)
{
	static const struct {
		enum asker_trick trick;
		const char *want;
	} tricks[] = {
		{ ASKER_HEAD_STOPS, "a 200 stopped; b unanswered unsent; closed stopped. " },
		{ ASKER_BODY_STOPS, "a 200 \"hello\" stopped; b unanswered unsent; closed stopped. " },
		{ ASKER_HEAD_CLOSES, "a 200 stopped; b stopped unsent; closed stopped. " },
		{ ASKER_BODY_CLOSES, "a 200 \"hello\" stopped; b stopped unsent; closed stopped. " },
		{ ASKER_DONE_CLOSES, "a 200 \"hello\" ok; b stopped unsent; closed stopped. " },
	};
	for (size_t i = 0; i < sizeof tricks / sizeof tricks[0]; i++) {
		struct peer *const p = asker(NULL);
		(void)ask("GET", "/");
		(void)ask("GET", "/");
		peer_run_all(p);
		asker_trick = tricks[i].trick;
		answer(p, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
		said(tricks[i].want);
		ck_assert(p->closed);
		asker_stop();
	}
}
END_TEST

START_TEST(a_source_that_ends_it)
{
	struct peer *const p = asker(NULL);
	asker_trick = ASKER_SOURCE_CLOSES;
	(void)ask_with_body("PUT", MRG_HTTP_BODY_LENGTH, 3, abc);
	peer_run_all(p);
	said("a stopped unsent; closed stopped. ");
	ck_assert_uint_eq(p->out_len, 0);
	asker_stop();
}
END_TEST

START_TEST(requests_from_within_a_call)
{
	struct peer *p = asker(NULL);
	(void)ask("GET", "/");
	peer_run_all(p);
	asker_trick = ASKER_DONE_ADDS;
	answer(p, OK0);
	sent(p, "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /added HTTP/1.1\r\nHost: h\r\n\r\n");
	/* a connection that is over can be made anew, with the same client */
	asker_trick = ASKER_CLOSED_BEGINS;
	answer(p, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab");
	p->eof = true;
	peer_run_all(p);
	said("a 200 ok; b 200 \"ab\" cut; closed cut. ");
	ck_assert(p->closed);
	p = asker_open();
	peer_run_all(p);
	sent(p, "GET /again HTTP/1.1\r\nHost: h\r\n\r\n");
	answer(p, OK0);
	said("c 200 ok; ");
	asker_stop();
}
END_TEST

START_TEST(no_connection)
{
	asker_start(NULL);
	(void)ask("GET", "/");
	mrg_http_client_unreachable(&client);
	said("a unreachable unsent; closed unreachable. ");
	mrg_http_client_unreachable(&client);
	mrg_http_client_close(&client);
	mrg_http_client_resume(&client);
	struct ask *const late = ask_new("GET", "/");
	ck_assert_int_eq(ask_add(late), MRG_END);
	said("");
	asker_stop();
	(void)asker(NULL);
	mrg_http_client_unreachable(&client); /* there is one */
	ck_assert(mrg_http_client_open(&client));
	ck_assert(!client.user.spare(client.user.ctx, now));
	asker_stop();
}
END_TEST

START_TEST(too_little_memory)
{
	static struct mrg_http_client c;
	const struct mrg_http_client_limits limits = asker_limits();
	const struct mrg_http_client_handler handler = { .ctx = NULL };
	static uint8_t room[MRG_HTTP_CLIENT_IN - 1];
	struct mrg_arena small = { .p = room, .cap = sizeof room };
	ck_assert_int_eq(mrg_http_client_init(&c, &small, &timers, &limits, &handler), MRG_E_SPACE);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http client: requests and time");
	TCase *const t = tcase_create("requests");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, heads);
	tcase_add_test(t, close_as_a_field);
	tcase_add_test(t, http_1_0);
	tcase_add_test(t, requests_that_can_not_be);
	tcase_add_test(t, requests_that_are_too_long);
	tcase_add_test(t, bodies_in_pieces);
	tcase_add_test(t, a_body_that_is_not_there_yet);
	tcase_add_test(t, bodies_that_are_not_what_was_said);
	tcase_add_test(t, one_event_has_an_end);
	tcase_add_test(t, a_body_waits);
	tcase_add_test(t, an_answer_before_the_request_is_sent);
	tcase_add_test(t, a_server_that_takes_nothing_more);
	tcase_add_test(t, no_connection_in_time);
	tcase_add_test(t, no_request_in_time);
	tcase_add_test(t, a_request_that_is_not_taken);
	tcase_add_test(t, no_head_in_time);
	tcase_add_test(t, no_second_head_in_time);
	tcase_add_test(t, a_body_that_stalls);
	tcase_add_test(t, a_body_that_stalls_for_ever);
	tcase_add_test(t, limits_beyond_all_time);
	tcase_add_test(t, handlers_that_end_it);
	tcase_add_test(t, a_source_that_ends_it);
	tcase_add_test(t, requests_from_within_a_call);
	tcase_add_test(t, no_connection);
	tcase_add_test(t, too_little_memory);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
