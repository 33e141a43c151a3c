/*
 * protocols/http/server: clients that do anything at any time, by numbers that are the same in every run.
 *
 * Nothing is said of what they get, but that it begins with an answer, and that there are no more than requests; that nobody is
 * told twice of an end, that no file stays open, no block is lost and nothing is touched that is not there.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "echo.h"
#include "guard.h"
#include "peers.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define HOST " HTTP/1.1\r\nHost: a\r\n"

static const char *const messages[] = { "GET /a" HOST "\r\n", "GET /hidden/9000" HOST "\r\n",
	"GET /visible/3000" HOST "\r\n", "GET /parts/33" HOST "\r\n", "GET /pieces/20" HOST "\r\n",
	"GET /text/2000" HOST "\r\n", "GET /text/47000" HOST "\r\n", "HEAD /parts/9" HOST "\r\n",
	"GET /a?now" HOST "\r\n", "GET /memory/100000" HOST "\r\n",
	"POST /p" HOST "Content-Length: 5\r\n\r\nhello", "POST /p?now" HOST "Content-Length: 5\r\n\r\nhello",
	"POST /p" HOST "Transfer-Encoding: chunked\r\n\r\n5;x=\"y\"\r\nhello\r\n0\r\nA: b\r\n\r\n",
	"POST /stop/3" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
	"POST /p" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", "GET /close" HOST "\r\n",
	"GET /a HTTP/1.0\r\n\r\n", "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	"GET /a HTTP/1.1\r\n\r\n", "\r\n", "POST /p" HOST "Transfer-Encoding: chunked\r\n\r\nx",
	"GET /line" HOST "\r\n", "GET /bodied/204" HOST "\r\n",
	"POST /p" HOST "Content-Length: 99999\r\n\r\n" };

static void send_something(struct peer *p)
{
	const char *const m = messages[any(COUNT(messages))];
	const size_t before = p->in_len;
	peer_send_text(p, m);
	if (any(30) == 0) {
		peer_send_text(p, "X-Long: ");
		peer_send(p, pattern(any(70000)));
	}
	if (any(20) == 0)
		p->in[before + any((unsigned)strlen(m))] ^= (uint8_t)(1u << any(8));
}

static struct peer *someone(struct peer **of, size_t count)
{
	struct peer **const p = &of[any((unsigned)count)];
	if (*p != NULL && !(*p)->closed)
		return *p;
	*p = peer_new();
	(*p)->read_most = any(3) == 0 ? 1 + any(2000) : 0;
	(*p)->write_most = any(3) == 0 ? 1 + any(2000) : 0;
	if (server.user.open(server.user.ctx, &(*p)->stream, now))
		return *p;
	(*p)->closed = true;
	return NULL;
}

static void do_something(struct peer *p)
{
	switch (any(12)) {
	case 0:
	case 1:
	case 2: send_something(p); break;
	case 3: peer_run(p, p->arrived + any((unsigned)(p->in_len - p->arrived) + 1)); break;
	case 4: p->write_room = any(3) == 0 ? SIZE_MAX : any(5000); break;
	case 5: pass(any(5) == 0 ? any(40) * MRG_RT_SECOND_NS : any(1000)); break;
	case 6: p->reset = any(10) == 0; break;
	case 7: p->eof = any(10) == 0; break;
	case 8: peer_event(p, any(4)); break; /* nothing came about */
	case 9:
		if (any(30) == 0)
			(void)server.user.spare(server.user.ctx, now);
		break;
	default: peer_run_all(p);
	}
}

START_TEST(anything_at_any_time)
{
	struct peer *p[12] = { NULL };
	struct mrg_http_limits limits = peers_limits();
	any_begin((uint64_t)_i * 77 + 1);
	limits.big_count = any(4);
	limits.out_count = any(4);
	limits.body_max = any(3) == 0 ? 4 : 100000;
	echo_start();
	peers_start(&limits, &echo);
	for (unsigned i = 0; i < 4000; i++) {
		struct peer *const one = someone(p, COUNT(p));
		if (one != NULL)
			do_something(one);
		if (i == 3900)
			mrg_http_server_drain(&server, now);
	}
	for (size_t i = 0; i < COUNT(p); i++)
		MUST(p[i] == NULL || p[i]->out_len < 9 || memcmp(p[i]->out, "HTTP/1.1 ", 9) == 0);
	/* one answer to a request, and one to a head that does not end */
	MUST(server.counts.answers <= server.counts.requests + server.counts.timeouts[MRG_HTTP_WAIT_HEAD]);
	peers_stop();
	echo_stop();
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http/server_random");
	TCase *const t = tcase_create("random");
	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, anything_at_any_time, 0, 40);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
