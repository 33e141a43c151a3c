/*
 * protocols/http/client: servers that do anything at any time, by numbers that are the same in every run.
 *
 * Nothing is said of what comes of it, but that each request ends once, each connection is closed, and nothing is touched that is not there.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "asker.h"
#include "guard.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define OK200 "HTTP/1.1 200 OK\r\n"
#define CL "Content-Length: "
#define CHUNKED OK200 "Transfer-Encoding: chunked\r\n\r\n"

static const char *const answers[] = { OK200 CL "0\r\n\r\n", OK200 CL "5\r\n\r\nhello",
	CHUNKED "5;x=\"y\"\r\nhello\r\n0\r\nA: b\r\n\r\n", CHUNKED "0\r\n\r\n", CHUNKED "5\r\nhello",
	OK200 "\r\nuntil the end", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 x\r\n\r\n",
	"HTTP/1.1 101 x\r\n\r\n", "HTTP/1.1 204 x\r\n\r\n", "HTTP/1.1 304 x\r\n" CL "9\r\n\r\n",
	"HTTP/1.0 200 OK\r\n" CL "1\r\n\r\nx", OK200 CL "5\r\nConnection: close\r\n\r\nhello",
	OK200 CL "1001\r\n\r\n", "HTTP/1.1 417 No\r\n" CL "0\r\n\r\n", "x", "\r\n", OK200 CL };

static const char *const hello[] = { "he", "", "llo", NULL };
static const char *const failing[] = { "he", "!", NULL };
static const char *const shorter[] = { "he", NULL };

static void answer_something(struct peer *p)
{
	const char *const a = answers[any(COUNT(answers))];
	const size_t before = p->in_len;
	peer_send_text(p, a);
	if (any(20) == 0)
		p->in[before + any((unsigned)strlen(a))] ^= (uint8_t)(1u << any(8));
}

static void ask_something(void)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "DELETE", "BREW" };
	struct ask *const a = ask_new(methods[any(COUNT(methods))], "/");
	a->r.close = any(10) == 0;
	a->r.old = any(10) == 0;
	a->r.body = (enum mrg_http_body)(any(2) * any(3));
	a->r.length = a->r.body == MRG_HTTP_BODY_LENGTH ? 5 : 0;
	a->r.expect_continue = a->r.body != MRG_HTTP_BODY_NONE && any(3) == 0;
	a->pieces = any(6) != 0 ? hello : any(2) != 0 ? failing : shorter;
	(void)ask_add(a);
}

static void do_something(struct peer *p)
{
	switch (any(12)) {
	case 0:
	case 1:
	case 2: answer_something(p); break;
	case 3: peer_run(p, p->arrived + any((unsigned)(p->in_len - p->arrived) + 1)); break;
	case 4: p->write_room = any(3) == 0 ? SIZE_MAX : any(100); break;
	case 5: pass(any(5) == 0 ? any(25) * MRG_RT_SECOND_NS : any(1000)); break;
	case 6: p->reset = any(10) == 0; break;
	case 7: p->eof = any(10) == 0; break;
	case 8: peer_event(p, any(4)); break; /* nothing came about */
	case 9: mrg_http_client_resume(&client); break;
	default: peer_run_all(p);
	}
}

/* Returns the connection, if it stands. */
static struct peer *someone(struct peer *p)
{
	if (!mrg_http_client_open(&client))
		mrg_http_client_begin(&client, now);
	if (client.m.state != MRG_HTTP_CONNECTION_CLIENT_CONNECTING)
		return p;
	if (any(20) == 0)
		mrg_http_client_unreachable(&client);
	else if (any(20) == 0)
		pass(5 * MRG_RT_SECOND_NS);
	if (client.m.state != MRG_HTTP_CONNECTION_CLIENT_CONNECTING)
		return NULL;
	p = asker_open();
	p->read_most = any(3) == 0 ? 1 + any(30) : 0;
	p->write_most = any(3) == 0 ? 1 + any(30) : 0;
	return p;
}

START_TEST(anything_at_any_time)
{
	struct mrg_http_client_limits limits = asker_limits();
	struct peer *p = NULL;
	unsigned answered = 0;
	any_begin((uint64_t)_i * 77 + 1);
	limits.pipeline = 1 + any(4);
	asker_start(&limits);
	for (unsigned i = 0; i < 2000; i++) {
		p = someone(p);
		if (p != NULL && any(4) == 0)
			ask_something();
		asker_trick = any(40) == 0 ? (enum asker_trick)any(ASKER_CLOSED_BEGINS + 1) : ASKER_PLAIN;
		if (p != NULL)
			do_something(p);
		if (any(300) == 0)
			mrg_http_client_close(&client);
		if (p != NULL && p->closed)
			p = NULL;
		MUST((p != NULL) == (client.s != NULL));
		if (!mrg_http_client_open(&client))
			MUST(asker_waiting() == 0);
		answered += strstr(asker_said(), "ok;") != NULL;
	}
	MUST(answered > 20); /* else there is little to be said of the rest */
	asker_stop();
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http client: anything");
	TCase *const t = tcase_create("random");
	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, anything_at_any_time, 0, 20);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
