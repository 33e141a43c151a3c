/*
 * protocols/http/client: responses, however they come in pieces and whatever is wrong with them. RFC 9110 15, RFC 9112 4 to 9.
 * Requests and time limits are in test_client_out.c.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "asker.h"
#include "guard.h"

#define OK200 "HTTP/1.1 200 OK\r\n"
#define CL "Content-Length: "
#define TE "Transfer-Encoding: "

enum after { STAYS, ENDS, BREAKS };

/* One GET, or another method, its answer, and what is behind it. */
struct play {
	const char *method, *answer;
	enum after after;
	const char *want;
};

static void let_end(struct peer *p, enum after after)
{
	p->eof = after == ENDS;
	p->reset = after == BREAKS;
	if (after != STAYS && !p->closed)
		peer_run_all(p);
}

/* The answer comes in pieces that end at `cut` and at the end, or in pieces of `most` octets. */
static const char *play(const struct play *play, size_t cut, size_t most)
{
	struct peer *const p = asker(NULL);
	(void)ask(play->method, "/");
	peer_run_all(p);
	MUST(p->out_len != 0);
	peer_send_text(p, play->answer);
	p->read_most = most;
	peer_run(p, cut);
	if (!p->closed)
		peer_run_all(p);
	let_end(p, play->after);
	const char *const got = asker_said();
	asker_stop();
	return got;
}

static void check_play(const struct play *it)
{
	const size_t len = strlen(it->answer);
	for (size_t cut = 0; cut <= len; cut++) {
		const char *const got = play(it, cut, 0);
		MUST_SAY(strcmp(got, it->want) == 0, "<%s> cut at %zu: <%s> instead of <%s>", it->answer, cut,
			got, it->want);
	}
	for (size_t most = 1; most <= 3; most++) {
		const char *const got = play(it, len, most);
		MUST_SAY(strcmp(got, it->want) == 0, "<%s> by %zu: <%s> instead of <%s>", it->answer, most,
			got, it->want);
	}
}

static void check_plays(const struct play *plays, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_play(&plays[i]);
}

/* ---- good ones ---- */

#define DONE "a 200 \"hello\" ok; "

START_TEST(whole_answers)
{
	static const struct play plays[] = {
		{ "GET", OK200 CL "5\r\n\r\nhello", STAYS, DONE },
		{ "GET", OK200 CL "5\r\n\r\nhello", ENDS, DONE "closed ok. " },
		{ "GET", OK200 CL "5\r\n\r\nhello", BREAKS, DONE "closed ok. " },
		{ "GET", OK200 CL "0\r\n\r\n", STAYS, "a 200 ok; " },
		{ "GET", OK200 TE "chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", STAYS, DONE },
		{ "GET", OK200 TE "chunked\r\n\r\n0\r\n\r\n", STAYS, "a 200 ok; " },
		{ "GET",
			OK200 TE
			"chunked\r\n\r\n3;a=\"b\\\"\"\r\nhel\r\n02 ; c\r\nlo\r\n00\r\nX: y\r\nZ:\r\n\r\n",
			STAYS, DONE },
		{ "GET", OK200 "\r\nhello", ENDS, DONE "closed ok. " },
		{ "GET", OK200 "\r\n", ENDS, "a 200 ok; closed ok. " },
		{ "GET", OK200 CL "5\r\nConnection: close\r\n\r\nhello", STAYS, DONE "closed ok. " },
		{ "GET", "HTTP/1.0 200 OK\r\n" CL "5\r\n\r\nhello", STAYS, DONE "closed ok. " },
		{ "GET", "HTTP/1.0 200 OK\r\n" CL "5\r\nConnection: keep-alive\r\n\r\nhello", STAYS, DONE },
		{ "GET", "HTTP/1.0 200 OK\r\n\r\nhello", ENDS, DONE "closed ok. " },
		/* RFC 9112 6.3: what never has a body, whatever the fields say */
		{ "HEAD", OK200 CL "5\r\n\r\n", STAYS, "a 200 ok; " },
		{ "HEAD", OK200 TE "chunked\r\n\r\n", STAYS, "a 200 ok; " },
		{ "HEAD", OK200 CL "5000000\r\n\r\n", STAYS, "a 200 ok; " },
		{ "GET", "HTTP/1.1 304 Not Modified\r\n" CL "5\r\n\r\n", STAYS, "a 304 ok; " },
		{ "GET", "HTTP/1.1 204 No Content\r\n\r\n", STAYS, "a 204 ok; " },
		/* RFC 9110 15.2: interim ones are passed over; 15: unknown statuses are the caller's business */
		{ "GET",
			"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: <x>\r\n\r\nHTTP/1.1 199 \r\n\r\n" OK200
				CL "5\r\n\r\nhello",
			STAYS, DONE },
		{ "GET", "HTTP/1.1 799 x\r\n" CL "0\r\n\r\n", STAYS, "a 799 ok; " },
	};
	check_plays(plays, sizeof plays / sizeof plays[0]);
}
END_TEST

/* ---- answers that are cut, RFC 9112 8 ---- */

struct cutting {
	const char *answer;
	size_t head_len;
	bool until_close;
};

/* What is said of the first `len` octets and then the end. */
static void cut_at(const struct cutting *it, size_t len, enum after after)
{
	char answer[300];
	(void)snprintf(answer, sizeof answer, "%.*s", (int)len, it->answer);
	const struct play cut = { "GET", answer, after, "" };
	const char *const got = play(&cut, len, 0);
	const char *const how = len == 0 ? "unanswered" : "cut";
	char end[40], all[60];
	(void)snprintf(end, sizeof end, "%s; closed %s. ", how, how);
	(void)snprintf(all, sizeof all, "a %s", end);
	if (len < it->head_len)
		MUST_SAY(strcmp(got, all) == 0, "<%s>: <%s>", answer, got);
	else if (it->until_close && after == ENDS)
		MUST_SAY(strstr(got, "ok; closed ok. ") != NULL, "<%s>: <%s>", answer, got);
	else
		MUST_SAY(strncmp(got, "a 200 ", 6) == 0 && strstr(got, end) != NULL &&
				 strstr(got, "ok") == NULL,
			"<%s>: <%s>", answer, got);
}

START_TEST(answers_that_are_cut)
{
	static const struct cutting answers[] = {
		{ OK200 CL "5\r\n\r\nhello", sizeof(OK200 CL "5\r\n\r\n") - 1, false },
		{ OK200 TE "chunked\r\n\r\n3;x\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n",
			sizeof(OK200 TE "chunked\r\n\r\n") - 1, false },
		{ OK200 "\r\nhello", sizeof(OK200 "\r\n") - 1, true },
	};
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
		for (size_t len = 0; len < strlen(answers[i].answer); len++)
			for (int after = ENDS; after <= BREAKS; after++)
				cut_at(&answers[i], len, (enum after)after);
}
END_TEST

START_TEST(a_cut_answer_says_which_rule)
{
	const struct play head = { "GET", OK200, ENDS, "" },
			  body = { "GET", OK200 CL "5\r\n\r\nhell", ENDS, "" };
	(void)play(&head, 3, 0);
	ck_assert_str_eq(asker_why(), "the connection ended within the head (RFC 9112 8)");
	(void)play(&body, 3, 0);
	ck_assert_str_eq(asker_why(), "the connection ended within the body (RFC 9112 8)");
}
END_TEST

/* Nothing but interim responses is no answer, and nothing of one. */
START_TEST(only_an_interim_response)
{
	const struct play it = { "GET", "HTTP/1.1 100 Continue\r\n\r\n", ENDS,
		"a unanswered; closed unanswered. " };
	check_play(&it);
}
END_TEST

/* ---- bad ones: refused at the latest when they are whole, and nothing of them is given out as a whole ---- */

static void check_refused(const char *method, const char *answer, const char *want_body, const char *error)
{
	char want[200];
	(void)snprintf(want, sizeof want, "a %s%s; closed %s. ", want_body, error, error);
	const struct play it = { method, answer, STAYS, want };
	check_play(&it);
	MUST_SAY(strstr(asker_why(), "(RFC 9") != NULL, "<%s>: <%s>", answer, asker_why());
}

START_TEST(bad_heads)
{
	static const char *const heads[] = {
		"hello, this is HTTP/0.9",
		"http/1.1 200 OK\r\n\r\n",
		"HTTP/2.0 200 OK\r\n" CL "0\r\n\r\n",
		"HTTP/1.10 200 OK\r\n" CL "0\r\n\r\n",
		"HTTP/1.1  200 OK\r\n" CL "0\r\n\r\n",
		"HTTP/1.1 20 OK\r\n" CL "0\r\n\r\n",
		"HTTP/1.1 2000 OK\r\n" CL "0\r\n\r\n",
		"\r\nHTTP/1.1 200 OK\r\n" CL "0\r\n\r\n",
		"HTTP/1.1 200 OK\n" CL "0\n\n",
		OK200 CL "0\n\n",
		OK200 "A: b\rc\r\n\r\n",
		OK200 "A: b\r\n c\r\n\r\n",
		OK200 "A : b\r\n\r\n",
		OK200 " A: b\r\n\r\n",
		OK200 ": b\r\n\r\n",
		OK200 "A b\r\n\r\n",
		OK200 "A: \001\r\n\r\n",
		OK200 CL "0\r\n" CL "0\r\n\r\n",
		OK200 CL "5, 5\r\n\r\nhello",
		OK200 CL "+5\r\n\r\nhello",
		OK200 CL "-1\r\n\r\n",
		OK200 CL "0x5\r\n\r\nhello",
		OK200 CL "\r\n\r\n",
		OK200 CL "18446744073709551616\r\n\r\n",
		OK200 CL "5\r\n" TE "chunked\r\n\r\n0\r\n\r\n",
		OK200 TE "chunked\r\n" TE "chunked\r\n\r\n0\r\n\r\n",
		OK200 TE "chunked, chunked\r\n\r\n0\r\n\r\n",
		OK200 TE "gzip, chunked\r\n\r\n0\r\n\r\n",
		OK200 TE "chunked, identity\r\n\r\n0\r\n\r\n",
		OK200 TE "xchunked\r\n\r\n0\r\n\r\n",
		OK200 TE "\r\n\r\n0\r\n\r\n",
		"HTTP/1.0 200 OK\r\n" TE "chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
	};
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
		check_refused("GET", heads[i], "", "bad head");
}
END_TEST

START_TEST(a_nul_in_a_head)
{
	struct peer *const p = asker(NULL);
	(void)ask("GET", "/");
	peer_run_all(p);
	peer_send(p, MRG_LITERAL(OK200 "A: b\0c\r\n" CL "0\r\n\r\n"));
	peer_run_all(p);
	said("a bad head; closed bad head. ");
	ck_assert(p->closed);
	asker_stop();
}
END_TEST

START_TEST(bad_bodies)
{
	static const struct {
		const char *body, *got;
	} bodies[] = {
		{ "\r\n", "" },
		{ "x\r\n", "" },
		{ "0x5\r\nhello", "" },
		{ "-1\r\n", "" },
		{ " 5\r\nhello", "" },
		{ "5\nhello\n0\n\n", "" },
		{ "5;a=b\rc\r\nhello", "" },
		{ "5;a=\"b\r\n\"\r\nhello", "" },
		{ "5\r\nhelloX", "\"hello\" " },
		{ "5\r\nhello0\r\n\r\n", "\"hello\" " },
		{ "5\r\nhello\n0\r\n\r\n", "\"hello\" " },
		{ "5\r\nhello\r\n0\r\nA b\r\n\r\n", "\"hello\" " },
		{ "5\r\nhello\r\n0\r\n A: b\r\n\r\n", "\"hello\" " },
	};
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		char answer[200], want[40];
		(void)snprintf(answer, sizeof answer, OK200 TE "chunked\r\n\r\n%s", bodies[i].body);
		(void)snprintf(want, sizeof want, "200 %s", bodies[i].got);
		check_refused("GET", answer, want, "bad body");
	}
}
END_TEST

/* ---- limits ---- */

enum { TEXT_MAX = 71000 };

/* `count` times an x between two texts. Good until the call after the next. */
static const char *around(const char *before, size_t count, const char *behind)
{
	static char texts[2][TEXT_MAX];
	static unsigned turn;
	char *const to = texts[turn++ % 2u];
	const size_t len = strlen(before);
	MUST(len + count + strlen(behind) < TEXT_MAX);
	memcpy(to, before, len);
	memset(to + len, 'x', count);
	memcpy(to + len + count, behind, strlen(behind) + 1);
	return to;
}

/* One answer at once. */
static const char *answer_is(const struct mrg_http_client_limits *limits, const char *text)
{
	struct peer *const p = asker(limits);
	(void)ask("GET", "/");
	peer_run_all(p);
	peer_send_text(p, text);
	peer_run_all(p);
	const char *const got = asker_said();
	asker_stop();
	return got;
}

START_TEST(bodies_as_long_as_allowed)
{
	const char *answer = around(OK200 CL "1000\r\n\r\n", 1000, "");
	ck_assert_str_eq(answer_is(NULL, answer), around("a 200 \"", 1000, "\" ok; "));
	answer = around(OK200 TE "chunked\r\n\r\n3e8\r\n", 1000, "\r\n0\r\n\r\n");
	ck_assert_str_eq(answer_is(NULL, answer), around("a 200 \"", 1000, "\" ok; "));
	/* and one octet more */
	check_refused("GET", OK200 CL "1001\r\n\r\n", "", "too long");
	check_refused("GET", OK200 TE "chunked\r\n\r\n3e9\r\n", "200 ", "too long");
	check_refused("GET", OK200 TE "chunked\r\n\r\n1\r\nx\r\n3e8\r\n", "200 \"x\" ", "too long");
	check_refused("GET", OK200 TE "chunked\r\n\r\nffffffffffffffff\r\n", "200 ", "too long");
	check_refused("GET", OK200 TE "chunked\r\n\r\n00000000000000001\r\n", "200 ", "too long");
	answer = around(OK200 "\r\n", 1001, "");
	ck_assert_str_eq(answer_is(NULL, answer), around("a 200 \"", 1000, "\" too long; closed too long. "));
}
END_TEST

/* A head of `len` octets. */
static const char *head_of(size_t len)
{
	static const char start[] = OK200 CL "0\r\nA: ", end[] = "\r\n\r\n";
	return around(start, len - (sizeof start - 1) - (sizeof end - 1), end);
}

static void check_too_long(struct mrg_http_client_limits *limits, const char *text)
{
	ck_assert_str_eq(answer_is(limits, text), "a too long; closed too long. ");
	ck_assert_str_eq(asker_why(), "the head is longer than a client takes (RFC 9112 3)");
}

START_TEST(heads_as_long_as_allowed)
{
	struct mrg_http_client_limits limits = asker_limits();
	struct play it = { "GET", head_of(500), STAYS, "a 200 ok; " };
	ck_assert_str_eq(play(&it, 499, 0), it.want);
	ck_assert_str_eq(play(&it, 500, 1), it.want);
	it.answer = head_of(501);
	for (size_t cut = 490; cut <= 501; cut++)
		ck_assert_str_eq(play(&it, cut, 0), "a too long; closed too long. ");
	ck_assert_str_eq(play(&it, 501, 1), "a too long; closed too long. ");
	limits.head_max = UINT32_MAX;
	ck_assert_str_eq(answer_is(&limits, head_of(65536)), "a 200 ok; ");
	check_too_long(&limits, head_of(65537));
	check_too_long(&limits, head_of(70000));
}
END_TEST

START_TEST(as_many_fields_as_allowed)
{
	static char answer[2000];
	struct mrg_http_client_limits limits = asker_limits();
	limits.head_max = 2000;
	for (int count = 100; count <= 101; count++) {
		size_t n = (size_t)snprintf(answer, sizeof answer, OK200 CL "0\r\n");
		for (int i = 1; i < count; i++)
			n += (size_t)snprintf(answer + n, sizeof answer - n, "A: b\r\n");
		(void)snprintf(answer + n, sizeof answer - n, "\r\n");
		ck_assert_str_eq(answer_is(&limits, answer),
			count == 100 ? "a 200 ok; " : "a too long; closed too long. ");
	}
}
END_TEST

#define INTERIM "HTTP/1.1 102 Processing\r\n\r\n"

START_TEST(interim_responses_without_end)
{
	const struct play enough = { "GET", INTERIM INTERIM INTERIM OK200 CL "0\r\n\r\n", STAYS,
		"a 200 ok; " };
	check_play(&enough);
	check_refused("GET", INTERIM INTERIM INTERIM INTERIM OK200 CL "0\r\n\r\n", "", "too long");
}
END_TEST

/* ---- octets that belong to no request, RFC 9112 9.2 ---- */

START_TEST(octets_behind_the_last_answer)
{
	static const struct play plays[] = {
		{ "GET", OK200 CL "5\r\n\r\nhelloX", STAYS, DONE "closed unsolicited. " },
		{ "GET", OK200 CL "5\r\n\r\nhello" OK200 CL "5\r\n\r\nhello", STAYS,
			DONE "closed unsolicited. " },
		{ "GET", OK200 TE "chunked\r\n\r\n0\r\n\r\n\r\n", STAYS, "a 200 ok; closed unsolicited. " },
		{ "HEAD", OK200 CL "5\r\n\r\nhello", STAYS, "a 200 ok; closed unsolicited. " },
		{ "GET", "HTTP/1.1 304 Not Modified\r\n" CL "5\r\n\r\nhello", STAYS,
			"a 304 ok; closed unsolicited. " },
		/* where the connection ends anyway nobody looks at them */
		{ "GET", OK200 CL "5\r\nConnection: close\r\n\r\nhelloX", STAYS, DONE "closed ok. " },
	};
	check_plays(plays, sizeof plays / sizeof plays[0]);
}
END_TEST

START_TEST(octets_before_any_request)
{
	struct peer *p = asker(NULL);
	peer_send_text(p, OK200 CL "0\r\n\r\n");
	peer_run_all(p);
	said("closed unsolicited. ");
	ck_assert_str_eq(asker_why(), "octets that answer no request (RFC 9112 9.2)");
	asker_stop();
	/* they are not taken for the answer to what has not gone out */
	p = asker(NULL);
	(void)ask("GET", "/");
	p->write_room = 0;
	peer_send_text(p, OK200 CL "0\r\n\r\n");
	peer_run_all(p);
	said("a unanswered unsent; closed unsolicited. ");
	asker_stop();
}
END_TEST

/* The same for a request that is added when the answer before it is complete. */
START_TEST(octets_before_the_next_request)
{
	struct peer *const p = asker(NULL);
	(void)ask("GET", "/");
	peer_run_all(p);
	asker_trick = ASKER_DONE_ADDS;
	peer_send_text(p, OK200 CL "5\r\n\r\nhello" OK200 CL "5\r\n\r\nfalse");
	peer_run_all(p);
	said(DONE "b unanswered unsent; closed unsolicited. ");
	asker_stop();
}
END_TEST

START_TEST(the_server_ends_an_idle_connection)
{
	for (int after = ENDS; after <= BREAKS; after++) {
		struct peer *const p = asker(NULL);
		let_end(p, (enum after)after);
		said("closed ok. ");
		ck_assert(p->closed);
		asker_stop();
	}
}
END_TEST

/* ---- several on one connection ---- */

START_TEST(one_after_the_other)
{
	struct peer *const p = asker(NULL);
	for (int i = 0; i < 3; i++)
		(void)ask("GET", "/");
	peer_run_all(p);
	sent(p, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	peer_send_text(p, OK200 CL "1\r\n\r\n1");
	peer_run_all(p);
	sent(p, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	peer_send_text(p, OK200 TE "chunked\r\n\r\n1\r\n2\r\n0\r\n\r\n");
	peer_run_all(p);
	sent(p, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	peer_send_text(p, OK200 CL "1\r\n\r\n3");
	peer_run_all(p);
	said("a 200 \"1\" ok; b 200 \"2\" ok; c 200 \"3\" ok; ");
	(void)ask("HEAD", "/");
	peer_run_all(p);
	peer_send_text(p, OK200 CL "9\r\n\r\n");
	peer_run_all(p);
	said("d 200 ok; ");
	ck_assert(!p->closed);
	asker_stop();
	said("closed stopped. ");
}
END_TEST

static struct mrg_http_client_limits pipelined(uint32_t count)
{
	struct mrg_http_client_limits limits = asker_limits();
	limits.pipeline = count;
	return limits;
}

/* Answers to a GET, a HEAD, a GET, a GET that went out together, in pieces that end anywhere. */
START_TEST(pipelined_answers_in_order)
{
	static const char answers[] =
		"HTTP/1.1 100 Go\r\n\r\n" OK200 CL "2\r\n\r\naa" OK200 CL "2\r\n\r\n" OK200 TE
		"chunked\r\n\r\n1\r\nc\r\n0\r\n\r\nHTTP/1.1 404 No\r\n" CL "0\r\n\r\n";
	const struct mrg_http_client_limits limits = pipelined(4);
	for (size_t cut = 0; cut < sizeof answers; cut++) {
		struct peer *const p = asker(&limits);
		(void)ask("GET", "/a");
		(void)ask("HEAD", "/b");
		(void)ask("GET", "/c");
		(void)ask("GET", "/d");
		(void)ask("GET", "/e");
		peer_run_all(p);
		sent(p, "GET /a HTTP/1.1\r\nHost: h\r\n\r\nHEAD /b HTTP/1.1\r\nHost: h\r\n\r\n"
			"GET /c HTTP/1.1\r\nHost: h\r\n\r\nGET /d HTTP/1.1\r\nHost: h\r\n\r\n");
		peer_send_text(p, answers);
		peer_run(p, cut);
		peer_run_all(p);
		sent(p, "GET /e HTTP/1.1\r\nHost: h\r\n\r\n");
		said("a 200 \"aa\" ok; b 200 ok; c 200 \"c\" ok; d 404 ok; ");
		p->eof = true;
		peer_run_all(p);
		said("e unanswered; closed unanswered. ");
		asker_stop();
	}
}
END_TEST

START_TEST(what_is_not_pipelined)
{
	const struct mrg_http_client_limits limits = pipelined(10);
	/* RFC 9112 9.3.2: nothing behind what can't be repeated */
	struct peer *p = asker(&limits);
	(void)ask("GET", "/1");
	(void)ask("POST", "/2");
	(void)ask("GET", "/3");
	peer_run_all(p);
	sent(p, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\n\r\n");
	peer_send_text(p, OK200 CL "0\r\n\r\n" OK200 CL "0\r\n\r\n");
	peer_run_all(p);
	sent(p, "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
	asker_stop();
	said("a 200 ok; b 200 ok; c stopped; closed stopped. ");
	/* 9.6: nor behind the last of a connection, where nothing can be added either */
	p = asker(&limits);
	struct ask *const last = ask_new("GET", "/1");
	last->r.close = true;
	ck_assert_int_eq(ask_add(last), MRG_OK);
	struct ask *const more = ask_new("GET", "/2");
	ck_assert_int_eq(ask_add(more), MRG_END);
	peer_run_all(p);
	sent(p, "GET /1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	peer_send_text(p, OK200 CL "0\r\n\r\n");
	peer_run_all(p);
	said("a 200 ok; closed ok. ");
	asker_stop();
}
END_TEST

/* The server ends the connection behind the first of three: of the others it is known which went out. */
START_TEST(the_connection_ends_behind_an_earlier_answer)
{
	const struct mrg_http_client_limits limits = pipelined(2);
	struct peer *const p = asker(&limits);
	for (int i = 0; i < 3; i++)
		(void)ask("GET", "/");
	peer_run_all(p);
	peer_send_text(p, OK200 CL "2\r\nConnection: close\r\n\r\n1");
	peer_run_all(p);
	struct ask *const late = ask_new("GET", "/");
	ck_assert_int_eq(ask_add(late), MRG_END);
	peer_send_text(p, "1");
	peer_run_all(p);
	said("a 200 \"11\" ok; b unanswered; c unanswered unsent; closed ok. ");
	ck_assert_str_eq(asker_why(), "the connection ended behind an earlier answer (RFC 9112 9.6)");
	ck_assert(p->closed);
	asker_stop();
}
END_TEST

/* What was on its way when the server said that it ends the connection is held back. */
START_TEST(nothing_goes_out_behind_the_last_answer)
{
	const struct mrg_http_client_limits limits = pipelined(2);
	struct peer *const p = asker(&limits);
	(void)ask("GET", "/1");
	peer_run_all(p);
	sent(p, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
	(void)ask("GET", "/2");
	p->write_room = 0;
	peer_send_text(p, OK200 CL "2\r\nConnection: close\r\n\r\n1");
	peer_run_all(p);
	p->write_room = SIZE_MAX;
	peer_run_all(p);
	sent(p, "");
	peer_send_text(p, "1");
	peer_run_all(p);
	said("a 200 \"11\" ok; b unanswered unsent; closed ok. ");
	asker_stop();
}
END_TEST

/* What is wrong with one answer is said of that; the others just have none. */
START_TEST(a_bad_answer_among_others)
{
	const struct mrg_http_client_limits limits = pipelined(2);
	struct peer *const p = asker(&limits);
	for (int i = 0; i < 4; i++)
		(void)ask("GET", "/");
	peer_run_all(p);
	peer_send_text(p, OK200 CL "0\r\n\r\nHTTP/3.1 200 OK\r\n\r\n");
	peer_run_all(p);
	said("a 200 ok; b bad head; c unanswered unsent; d unanswered unsent; closed bad head. ");
	asker_stop();
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http client: responses");
	TCase *const t = tcase_create("responses");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, whole_answers);
	tcase_add_test(t, answers_that_are_cut);
	tcase_add_test(t, a_cut_answer_says_which_rule);
	tcase_add_test(t, only_an_interim_response);
	tcase_add_test(t, bad_heads);
	tcase_add_test(t, a_nul_in_a_head);
	tcase_add_test(t, bad_bodies);
	tcase_add_test(t, bodies_as_long_as_allowed);
	tcase_add_test(t, heads_as_long_as_allowed);
	tcase_add_test(t, as_many_fields_as_allowed);
	tcase_add_test(t, interim_responses_without_end);
	tcase_add_test(t, octets_behind_the_last_answer);
	tcase_add_test(t, octets_before_any_request);
	tcase_add_test(t, octets_before_the_next_request);
	tcase_add_test(t, the_server_ends_an_idle_connection);
	tcase_add_test(t, one_after_the_other);
	tcase_add_test(t, pipelined_answers_in_order);
	tcase_add_test(t, what_is_not_pipelined);
	tcase_add_test(t, the_connection_ends_behind_an_earlier_answer);
	tcase_add_test(t, nothing_goes_out_behind_the_last_answer);
	tcase_add_test(t, a_bad_answer_among_others);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
