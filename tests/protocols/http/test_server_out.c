/*
 * protocols/http/server: answers to clients that are slow to take them, that go away, and that want much.
 *
 * However little is taken at a time, what arrives in the end is the same; while it waits nothing is read; nothing that was opened stays
 * open.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "echo.h"
#include "guard.h"
#include "peers.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* All kinds of parts, alone and behind one another. */
static const char *const mixes[] = { "/a", "/a /b /c", "/text/1", "/text/3000", "/memory/1", "/memory/2048",
	"/memory/2049", "/memory/300", "/hidden/1", "/hidden/3000", "/visible/1", "/visible/3000",
	"/a /hidden/500 /b", "/hidden/10 /hidden/20", "/visible/9 /memory/3000 /c", "/parts/1", "/parts/4",
	"/parts/33", "/pieces/33", "/parts/9 /parts/9", "/hidden/0 /visible/0", "/a /close /b",
	"/status/204 /status/304 /a", "/hidden/10?now /parts/5?now /a",
	"/text/2000 /parts/8 /hidden/100 /text/1", "/pieces/9 /pieces/33 /a" };

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

static void ask(struct peer *p, const char *method, const char *targets)
{
	while (*targets != 0) {
		const int n = (int)strcspn(targets, " ");
		char head[200];
		snprintf(head, sizeof head, "%s %.*s HTTP/1.1\r\nHost: a\r\n\r\n", method, n, targets);
		peer_send_text(p, head);
		targets += n + (targets[n] == ' ');
	}
}

static struct peer *asked(const char *targets)
{
	struct peer *const p = peer_open();
	ask(p, "GET", targets);
	return p;
}

/* The answers when all is taken at once; the caller frees them. */
static struct mrg_span answers_to(const char *targets)
{
	struct peer *const p = asked(targets);
	peer_run_all(p);
	(void)peer_answers(p);
	uint8_t *const copy = malloc(p->out_len);
	memcpy(copy, p->out, p->out_len);
	peer_end(p);
	return (struct mrg_span){ copy, p->out_len };
}

static void same(const struct peer *p, struct mrg_span want, const char *what, size_t i)
{
	MUST_SAY(p->out_len == want.len && memcmp(p->out, want.p, want.len) == 0,
		"%s, %zu: %zu octets instead of %zu", what, i, p->out_len, want.len);
}

/* ---- each place where writing may stop ---- */

static void check_stop_at(const char *targets, struct mrg_span want, size_t at)
{
	struct peer *const p = asked(targets);
	p->write_room = at;
	peer_run_all(p);
	MUST(p->out_len == at);
	if (at < want.len) {
		MUST(!p->finished && p->want == MRG_STREAM_WRITABLE);
		const unsigned reads = p->reads;
		peer_send_text(p, "GET /z HTTP/1.1\r\n");
		peer_run_all(p);
		MUST(p->reads == reads);
		p->in_len -= 17;
	}
	p->write_room = SIZE_MAX;
	peer_end(p);
	same(p, want, targets, at);
}

START_TEST(writing_stops_once_anywhere)
{
	for (size_t i = 0; i < COUNT(mixes); i++) {
		start();
		const struct mrg_span want = answers_to(mixes[i]);
		const size_t step = want.len < 2000 ? 1 : want.len / 700;
		for (size_t at = 0; at <= want.len; at += step)
			check_stop_at(mixes[i], want, at);
		free((void *)(uintptr_t)want.p);
		stop();
	}
}
END_TEST

START_TEST(writes_take_only_some_octets)
{
	static const size_t most[] = { 1, 2, 3, 5, 17, 100, 1000, 4096, 65536 };
	for (size_t i = 0; i < COUNT(mixes); i++) {
		start();
		const struct mrg_span want = answers_to(mixes[i]);
		for (size_t k = 0; k < COUNT(most); k++) {
			struct peer *p = asked(mixes[i]); /* all in one event */
			p->write_most = most[k];
			peer_run_all(p);
			same(p, want, mixes[i], most[k]);
			peer_end(p);
			p = asked(mixes[i]); /* and in one event each */
			for (size_t n = 0; n <= want.len / most[k]; n++) {
				p->write_room = most[k];
				peer_run_all(p);
			}
			peer_end(p);
			same(p, want, mixes[i], most[k]);
		}
		free((void *)(uintptr_t)want.p);
		stop();
	}
}
END_TEST

START_TEST(the_client_goes_away_anywhere)
{
	for (size_t i = 0; i < COUNT(mixes); i++) {
		start();
		const struct mrg_span want = answers_to(mixes[i]);
		const size_t step = want.len < 500 ? 1 : want.len / 200;
		const uint64_t broken = server.counts.broken;
		size_t tried = 0;
		for (size_t at = 0; at < want.len; at += step, tried++) {
			struct peer *const p = asked(mixes[i]);
			p->write_room = at;
			peer_run_all(p);
			p->reset = true;
			p->write_room = SIZE_MAX;
			peer_run_all(p);
			MUST(p->closed);
			MUST(p->out_len == at);
		}
		MUST(server.counts.broken == broken + tried);
		free((void *)(uintptr_t)want.p);
		stop();
	}
}
END_TEST

/* ---- back-pressure ---- */

START_TEST(nothing_is_read_while_an_answer_waits)
{
	start();
	struct peer *const p = asked("/memory/5000");
	for (unsigned i = 0; i < 5000; i++)
		ask(p, "GET", "/memory/5000");
	p->write_room = 100;
	peer_run_all(p);
	const size_t in_off = p->in_off;
	MUST(in_off < p->in_len);
	for (unsigned i = 0; i < 40; i++) {
		p->write_room = 100;
		peer_run_all(p);
		MUST(p->in_off == in_off && p->want == MRG_STREAM_WRITABLE);
	}
	p->write_room = SIZE_MAX;
	p->write_most = 70000;
	peer_run_all(p);
	MUST(p->in_off == p->in_len);
	MUST(server.counts.answers == 5001);
	MUST(p->out_len > 5001 * 5000u);
	stop();
}
END_TEST

/* Half close is no reason to forget what is owed. */
START_TEST(half_close_while_answers_wait)
{
	start();
	const struct mrg_span want = answers_to("/a /hidden/5000 /parts/7 /b");
	struct peer *const p = asked("/a /hidden/5000 /parts/7 /b");
	p->eof = true;
	for (unsigned i = 0; !p->closed && i < 2000; i++) {
		p->write_room = 7;
		peer_run_all(p);
	}
	MUST(p->closed);
	same(p, want, "half close", 0);
	free((void *)(uintptr_t)want.p);
	stop();
}
END_TEST

/* What the client still sends behind the end is thrown away, so that it sees the end and no reset (RFC 9112 9.6). */
START_TEST(what_comes_behind_the_end_is_thrown_away)
{
	start();
	struct peer *const p = asked("/close");
	for (unsigned i = 0; i < 300; i++)
		peer_send(p, pattern(10000));
	p->write_room = 3;
	peer_run_all(p);
	MUST(!p->finished);
	p->write_room = SIZE_MAX;
	peer_run_all(p);
	MUST(p->finished && !p->closed);
	MUST(p->in_off == p->in_len);
	MUST(strcmp(peer_answers(p), "200 /close 0: close") == 0);
	peer_end(p);
	stop();
}
END_TEST

/* ---- files ---- */

START_TEST(a_file_that_has_become_shorter_breaks_the_connection)
{
	for (size_t left = 0; left < 3000; left += 500) {
		start();
		struct peer *const p = asked("/hidden/3000 /a");
		p->write_room = 400;
		peer_run_all(p);
		echo_tree.entries[0].left = left;
		p->write_room = SIZE_MAX;
		peer_run_all(p);
		MUST(p->closed); /* its length was promised */
		MUST(p->out_len < 3000);
		stop();
	}
}
END_TEST

START_TEST(a_long_file_does_not_keep_others_waiting_for_ever)
{
	start();
	struct peer *const p = asked(
		"/hidden/1000000 /hidden/1000000 /hidden/1000000 /hidden/1000000 /hidden/1000000 /hidden/1000000");
	p->arrived = p->in_len;
	peer_event(p, MRG_STREAM_READABLE);
	MUST(p->out_len < 5500000); /* of six million in one event */
	peer_run_all(p);
	MUST(p->out_len > 6000000);
	stop();
}
END_TEST

START_TEST(head_is_answered_as_get_but_for_the_body)
{
	for (size_t i = 0; i < COUNT(mixes); i++) {
		start();
		struct peer *const get = peer_open(), *const head = peer_open();
		const size_t n = strcspn(mixes[i], " ");
		char target[40];
		snprintf(target, sizeof target, "%.*s", (int)n, mixes[i]);
		ask(get, "GET", target);
		ask(head, "HEAD", target);
		peer_run_all(get);
		peer_run_all(head);
		const uint8_t *const end = (const uint8_t *)memmem(get->out, get->out_len, "\r\n\r\n", 4) + 4;
		same(head, (struct mrg_span){ get->out, (size_t)(end - get->out) }, mixes[i], 0);
		stop();
	}
}
END_TEST

/* ---- answers up to the room there is, behind others that are not sent yet ---- */

/* The answers to many requests at once are those to each of them, one behind the other. */
static void check_together(const char *first, size_t count, const char *last)
{
	start();
	const struct mrg_span one = answers_to(first), other = answers_to(last);
	struct peer *const p = peer_open();
	for (size_t i = 0; i < count; i++)
		ask(p, "GET", first);
	ask(p, "GET", last);
	peer_run_all(p);
	MUST_SAY(p->out_len == count * one.len + other.len, "%zu of %s, then %s: %zu octets", count, first,
		last, p->out_len);
	for (size_t i = 0; i < count; i++)
		MUST(memcmp(p->out + i * one.len, one.p, one.len) == 0);
	MUST(memcmp(p->out + count * one.len, other.p, other.len) == 0);
	free((void *)(uintptr_t)one.p);
	free((void *)(uintptr_t)other.p);
	stop();
}

START_TEST(answers_behind_many_others)
{
	static const char *const last[] = { "/a", "/text/3000", "/text/9000", "/memory/2048", "/parts/33",
		"/pieces/33", "/status/404?now", "/fields/1900" };
	for (size_t i = 0; i < COUNT(last); i++)
		for (size_t count = 0; count < 400; count += count < 8 ? 1 : 7)
			check_together(count % 2 == 0 ? "/text/10" : "/memory/700", count, last[i]);
}
END_TEST

/* Text that does not fit is 500, whether it is the text or the head that has no room; never half an answer. */
START_TEST(text_around_the_room_there_is)
{
	start();
	bool refused = false;
	for (size_t len = 1; len < 70000; len += len < 8000    ? 1999
						 : len < 44000 ? 4999
						 : len < 50000 ? 37
							       : 1999) {
		char target[40];
		snprintf(target, sizeof target, "/text/%zu", len);
		struct peer *const p = asked(target);
		ask(p, "GET", "/a");
		peer_run_all(p);
		const char *const got = peer_answers(p);
		refused = refused || strncmp(got, "500", 3) == 0;
		MUST_SAY(strcmp(got, refused      ? "500, 200 /a 0:"
				     : len < 1000 ? got
						  : "200, 200 /a 0:") == 0,
			"%zu: %s", len, got);
		peer_end(p);
	}
	MUST(refused);
	stop();
}
END_TEST

START_TEST(fields_around_the_room_there_is)
{
	start();
	bool refused = false;
	for (size_t len = 1; len < 3000; len += 7) {
		char target[40];
		snprintf(target, sizeof target, "/fields/%zu", len);
		struct peer *const p = asked(target);
		ask(p, "GET", "/a");
		peer_run_all(p);
		const char *const got = peer_answers(p);
		refused = refused || strncmp(got, "500", 3) == 0;
		MUST_SAY(strcmp(got, refused ? "500, 200 /a 0:" : "200 , 200 /a 0:") == 0, "%zu: %s", len,
			got);
		peer_end(p);
	}
	MUST(refused);
	stop();
}
END_TEST

/* RFC 9110 5.5, 17: no handler can be made to write a line of somebody's. */
START_TEST(a_line_end_in_a_field_is_no_line)
{
	start();
	struct peer *const p = asked("/line /a");
	peer_run_all(p);
	MUST(strcmp(peer_answers(p), "500, 200 /a 0:") == 0);
	MUST(memmem(p->out, p->out_len, "Set-Cookie", 10) == NULL);
	stop();
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http/server_out");
	TCase *const t = tcase_create("out");
	tcase_set_timeout(t, 300);
	tcase_add_test(t, writing_stops_once_anywhere);
	tcase_add_test(t, writes_take_only_some_octets);
	tcase_add_test(t, the_client_goes_away_anywhere);
	tcase_add_test(t, nothing_is_read_while_an_answer_waits);
	tcase_add_test(t, half_close_while_answers_wait);
	tcase_add_test(t, what_comes_behind_the_end_is_thrown_away);
	tcase_add_test(t, a_file_that_has_become_shorter_breaks_the_connection);
	tcase_add_test(t, a_long_file_does_not_keep_others_waiting_for_ever);
	tcase_add_test(t, head_is_answered_as_get_but_for_the_body);
	tcase_add_test(t, answers_behind_many_others);
	tcase_add_test(t, text_around_the_room_there_is);
	tcase_add_test(t, fields_around_the_room_there_is);
	tcase_add_test(t, a_line_end_in_a_field_is_no_line);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
