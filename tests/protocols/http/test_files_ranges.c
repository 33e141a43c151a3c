/*
 * protocols/http/files: parts of files. RFC 9110 14, 15.3.7, 15.5.17, 17.15; RFC 2046 5.1.1 for several of them.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "mrg_digits.h"
#include "peers.h"
#include "site.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void expect(const struct answer *a, unsigned status, const char *body)
{
	MUST_SAY(a->status == status, "%u instead of %u: %.*s", a->status, status, (int)a->head.len,
		(const char *)a->head.p);
	if (body != NULL)
		MUST_SAY(mrg_span_eq(a->body, text_of(body)), "%.*s instead of %s", (int)a->body.len,
			(const char *)a->body.p, body);
}

static const struct answer *get_range(const char *target, const char *range)
{
	char fields[1000];
	snprintf(fields, sizeof fields, "Range: %s\r\n", range);
	return site_get(target, fields);
}

/* ---- one ---- */

START_TEST(one_range)
{
	static const struct {
		const char *range, *body, *content_range;
	} rows[] = { { "bytes=0-0", "0", "bytes 0-0/10" }, { "bytes=3-5", "345", "bytes 3-5/10" },
		{ "bytes=7-", "789", "bytes 7-9/10" }, { "bytes=-2", "89", "bytes 8-9/10" },
		{ "bytes=-99", "0123456789", "bytes 0-9/10" }, { "bytes=0-99", "0123456789", "bytes 0-9/10" },
		{ "bytes=8-8,20-", "8", "bytes 8-8/10" }, { "bytes=0-9", "0123456789", "bytes 0-9/10" } };
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct answer *const a = get_range("/a.txt", rows[i].range);
		expect(a, 206, rows[i].body);
		answer_has(a, MRG_HTTP_FIELD_CONTENT_RANGE, rows[i].content_range);
		answer_has(a, MRG_HTTP_FIELD_CONTENT_TYPE, "text/plain; charset=utf-8");
		MUST(answer_field(a, MRG_HTTP_FIELD_ETAG) != NULL);
		MUST(mrg_span_eq(*answer_field(a, MRG_HTTP_FIELD_ETAG),
			*answer_field(site_get("/a.txt", ""), MRG_HTTP_FIELD_ETAG)));
	}
	expect(get_range("/b.txt", "bytes=3-5"), 206, "def"); /* not in memory */
	expect(get_range("/b.txt", "bytes=-1"), 206, "j");
}
END_TEST

START_TEST(ranges_of_a_large_file)
{
	for (size_t first = 0; first < 100000; first = first * 2 + 1)
		for (size_t len = 1; len < 60000; len = len * 7 + 1) {
			char range[60];
			snprintf(range, sizeof range, "bytes=%zu-%zu", first, first + len - 1);
			const struct answer *const a = get_range("/big.bin", range);
			const size_t got = len < 100000 - first ? len : 100000 - first;
			expect(a, 206, NULL);
			MUST(a->body.len == got && memcmp(a->body.p, pattern(100000).p + first, got) == 0);
		}
}
END_TEST

START_TEST(ranges_that_are_not_there)
{
	static const char *const ranges[] = { "bytes=10-", "bytes=10-20", "bytes=-0",
		"bytes=99999999999999999999-", "bytes=10-11,-0,50-" };
	for (size_t i = 0; i < COUNT(ranges); i++) {
		const struct answer *const a = get_range("/a.txt", ranges[i]);
		expect(a, 416, NULL);
		answer_has(a, MRG_HTTP_FIELD_CONTENT_RANGE, "bytes */10");
		answer_has(a, MRG_HTTP_FIELD_ETAG, NULL);
		MUST(!a->close);
		expect(get_range("/b.txt", ranges[i]), 416, NULL);
	}
}
END_TEST

START_TEST(what_is_no_range_is_the_whole)
{
	static const char *const ranges[] = { "bytes=", "bytes=5-3", "bytes=a-b", "lines=0-1", "bytes=0-1,x",
		"0-1", "bytes=0-0,5-3", "bytes=--1", "bytes=0-9,0-9", "bytes=-9,-9", "bytes=0-0x1",
		"bytes=1.5-2" };
	for (size_t i = 0; i < COUNT(ranges); i++) {
		const struct answer *const a = get_range("/a.txt", ranges[i]);
		expect(a, 200, "0123456789");
		answer_has(a, MRG_HTTP_FIELD_CONTENT_RANGE, NULL);
	}
	expect(site_get("/a.txt", "Range: bytes=0-1\r\nRange: bytes=2-3\r\n"), 200, "0123456789");
	expect(get_range("/empty.txt", "bytes=0-"), 200, "");
	expect(get_range("/empty.bin", "bytes=0-"), 200, "");
}
END_TEST

/* RFC 9110 14.2: only GET of a whole has parts. */
START_TEST(ranges_of_other_answers)
{
	const struct answer *const head = site_ask("HEAD", "/a.txt", "Range: bytes=0-1\r\n");
	expect(head, 200, "");
	MUST(head->length == 10);
	answer_has(head, MRG_HTTP_FIELD_CONTENT_RANGE, NULL);
	expect(get_range("/nothing", "bytes=0-1"), 404, NULL);
	expect(get_range("/sub", "bytes=0-1"), 301, NULL);
	expect(site_ask("POST", "/a.txt", "Range: bytes=0-1\r\n"), 405, NULL);
	expect(site_get("/a.txt", "Range: bytes=0-1\r\nIf-None-Match: *\r\n"), 304, NULL);
	expect(site_get("/a.txt", "Range: bytes=50-\r\nIf-None-Match: *\r\n"), 304, NULL);
	expect(site_get("/a.txt", "Range: bytes=50-\r\nIf-Match: \"x\"\r\n"), 412, NULL);
	expect(get_range("/", "bytes=4-"), 206, "index");
}
END_TEST

START_TEST(ranges_of_coded_files)
{
	const struct answer *const a =
		site_get("/style.css", "Accept-Encoding: gzip\r\nRange: bytes=0-1\r\n");
	expect(a, 206, "gz");
	answer_has(a, MRG_HTTP_FIELD_CONTENT_ENCODING, "gzip");
	answer_has(a, MRG_HTTP_FIELD_CONTENT_RANGE, "bytes 0-1/6");
	answer_has(a, MRG_HTTP_FIELD_VARY, "Accept-Encoding");
}
END_TEST

/* ---- If-Range, RFC 9110 13.1.5 ---- */

START_TEST(parts_if_it_is_the_same)
{
	const struct mrg_span *const etag = answer_field(site_get("/a.txt", ""), MRG_HTTP_FIELD_ETAG);
	char strong[100], weak[100];
	snprintf(strong, sizeof strong, "If-Range: %.*s\r\n", (int)etag->len, (const char *)etag->p);
	snprintf(weak, sizeof weak, "If-Range: W/%.*s\r\n", (int)etag->len, (const char *)etag->p);
	const struct {
		const char *field;
		bool part;
	} rows[] = { { strong, true }, { weak, false }, { "If-Range: \"x\"\r\n", false },
		{ "If-Range: " SITE_DATE "\r\n", true }, { "If-Range: " SITE_BEFORE "\r\n", false },
		{ "If-Range: " SITE_AFTER "\r\n", false }, { "If-Range: x\r\n", false },
		{ "If-Range: *\r\n", false } };
	for (size_t i = 0; i < COUNT(rows); i++) {
		char fields[200];
		snprintf(fields, sizeof fields, "%sRange: bytes=2-3\r\n", rows[i].field);
		expect(site_get("/a.txt", fields), rows[i].part ? 206 : 200,
			rows[i].part ? "23" : "0123456789");
		snprintf(fields, sizeof fields, "Range: bytes=20-\r\n%s", rows[i].field);
		expect(site_get("/a.txt", fields), rows[i].part ? 416 : 200, NULL);
		expect(site_get("/a.txt", rows[i].field), 200,
			"0123456789"); /* without Range it says nothing */
	}
}
END_TEST

/* ---- several: a reader of multipart/byteranges ---- */

static struct mrg_span rest;

static void skip(const char *text)
{
	const size_t len = strlen(text);
	MUST_SAY(rest.len >= len && memcmp(rest.p, text, len) == 0, "%s is not at %.*s", text,
		(int)(rest.len < 99 ? rest.len : 99), (const char *)rest.p);
	rest = (struct mrg_span){ rest.p + len, rest.len - len };
}

static uint64_t number(void)
{
	size_t n = 0;
	while (n < rest.len && rest.p[n] >= '0' && rest.p[n] <= '9')
		n++;
	MUST(n != 0);
	const uint64_t v = mrg_digits_dec((struct mrg_span){ rest.p, n });
	rest = (struct mrg_span){ rest.p + n, rest.len - n };
	return v;
}

/* Each part is what its Content-Range says; the parts as FIRST-LAST, with commas. */
static const char *parts_of(const struct answer *a, const char *type, struct mrg_span whole)
{
	static const char begins[] = "multipart/byteranges; boundary=";
	static char text[1000];
	const struct mrg_span *const content_type = answer_field(a, MRG_HTTP_FIELD_CONTENT_TYPE);
	char boundary[100];
	size_t n = 0;
	MUST(content_type != NULL && content_type->len > sizeof begins &&
		memcmp(content_type->p, begins, sizeof begins - 1) == 0);
	snprintf(boundary, sizeof boundary, "\r\n--%.*s", (int)(content_type->len - (sizeof begins - 1)),
		(const char *)content_type->p + sizeof begins - 1);
	MUST(strlen(boundary) <= 4 + 70);                  /* RFC 2046 5.1.1 */
	answer_has(a, MRG_HTTP_FIELD_CONTENT_RANGE, NULL); /* RFC 9110 15.3.7.2 */
	rest = a->body;
	for (skip(boundary); rest.len < 2 || rest.p[0] != '-'; skip(boundary)) {
		skip("\r\nContent-Type: ");
		skip(type);
		skip("\r\nContent-Range: bytes ");
		const uint64_t first = number();
		skip("-");
		const uint64_t last = number();
		skip("/");
		MUST(number() == whole.len);
		skip("\r\n\r\n");
		MUST(first <= last && last < whole.len && rest.len >= last - first + 1);
		MUST(memcmp(rest.p, whole.p + first, last - first + 1) == 0);
		rest = (struct mrg_span){ rest.p + (last - first + 1), rest.len - (last - first + 1) };
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%u-%u", n == 0 ? "" : ",",
			(unsigned)first, (unsigned)last);
	}
	skip("--\r\n");
	MUST(rest.len == 0);
	return text;
}

START_TEST(several_ranges)
{
	static const struct {
		const char *range, *parts;
	} rows[] = { { "bytes=0-0,2-3", "0-0,2-3" }, { "bytes=5-,0-0", "5-9,0-0" },
		{ "bytes=-1,0-1,4-4", "9-9,0-1,4-4" }, { "bytes=0-4,5-9", "0-4,5-9" },
		{ "bytes=0-0,99-,-1", "0-0,9-9" }, { "bytes=1-2,1-2", "1-2,1-2" } };
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct answer *a = get_range("/a.txt", rows[i].range);
		expect(a, 206, NULL);
		MUST(strcmp(parts_of(a, "text/plain; charset=utf-8", text_of("0123456789")), rows[i].parts) ==
			0);
		a = get_range("/b.txt", rows[i].range);
		expect(a, 206, NULL);
		MUST(strcmp(parts_of(a, "text/plain; charset=utf-8", text_of("abcdefghij")), rows[i].parts) ==
			0);
	}
}
END_TEST

/* As many as are answered with parts, of each size that is sent in another way, from memory and not. */
START_TEST(sixteen_ranges)
{
	static const size_t lens[] = { 1, 100, 2047, 2048, 2049, 5000 };
	tree_add(&site, "shown.bin", pattern(100000));
	for (size_t i = 0; i < COUNT(lens); i++) {
		char range[500] = "bytes=", parts[500] = "";
		for (size_t k = 0; k < 16; k++) {
			char one[40];
			snprintf(one, sizeof one, "%s%zu-%zu", k == 0 ? "" : ",", k * 6000,
				k * 6000 + lens[i] - 1);
			strcat(range, one);
			strcat(parts, one);
		}
		const struct answer *a = get_range("/big.bin", range);
		expect(a, 206, NULL);
		MUST(strcmp(parts_of(a, "application/octet-stream", pattern(100000)), parts) == 0);
		a = get_range("/shown.bin", range);
		expect(a, 206, NULL);
		MUST(strcmp(parts_of(a, "application/octet-stream", pattern(100000)), parts) == 0);
		expect(get_range("/big.bin", strcat(range, ",99999-")), 200, NULL); /* one more */
	}
}
END_TEST

/* RFC 9110 17.15: no request brings in much more than the whole. */
START_TEST(ranges_do_not_amplify)
{
	static const char *const many[] = { "0-", "-1", "0-0", "5-6", "0-50000" };
	for (size_t i = 0; i < COUNT(many); i++)
		for (size_t n = 1; n < 100; n += n < 20 ? 1 : 30) {
			char range[1000] = "bytes=";
			for (size_t k = 0; k < n; k++)
				strcat(strcat(range, k == 0 ? "" : ","), many[i]);
			const struct answer *const a = get_range("/big.bin", range);
			MUST(a->status == 206 || a->status == 200);
			MUST_SAY(a->body.len <= 100000 + 17 * 250, "%zu octets for %s", a->body.len, range);
		}
}
END_TEST

/* One behind another in one event, so that the room for text runs out. */
START_TEST(many_requests_for_several_ranges)
{
	static char range[500] = "bytes=";
	tree_add(&site, "shown.bin", pattern(100000));
	for (size_t k = 0; k < 16; k++)
		sprintf(range + strlen(range), "%s%zu-%zu", k == 0 ? "" : ",", k * 6000, k * 6000 + 1999);
	struct peer *const p = peer_open();
	for (size_t i = 0; i < 50; i++) {
		char head[700];
		snprintf(head, sizeof head, "GET /%s.bin HTTP/1.1\r\nHost: a\r\nRange: %s\r\n\r\n",
			i % 3 == 0 ? "big" : "shown", range);
		peer_send_text(p, head);
	}
	peer_run_all(p);
	struct mrg_span out = { p->out, p->out_len };
	for (size_t i = 0; i < 50; i++) {
		struct answer a;
		const size_t n = answer_read(out, false, &a);
		expect(&a, 206, NULL);
		MUST(strcmp(parts_of(&a, "application/octet-stream", pattern(100000)), range + 6) == 0);
		out = (struct mrg_span){ out.p + n, out.len - n };
	}
	MUST(out.len == 0);
}
END_TEST

/* Slow clients and those that go away, with a file open for all parts. */
START_TEST(several_ranges_to_slow_clients)
{
	static const char head[] =
		"GET /big.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=0-9,5000-5999,-10\r\n\r\n";
	const struct answer *const whole = site_send(head, false);
	const size_t len = whole->head.len + whole->body.len;
	for (size_t at = 0; at < len; at += 7)
		for (unsigned gone = 0; gone < 2; gone++) {
			struct peer *const p = peer_open();
			peer_send_text(p, head);
			p->write_room = at;
			peer_run_all(p);
			MUST(site.opened == site.closed + 1 || at > len - 200);
			p->reset = gone != 0;
			p->write_room = SIZE_MAX;
			peer_run_all(p);
			MUST(p->closed == (gone != 0));
			MUST(p->out_len == (gone != 0 ? at : len) &&
				memcmp(p->out, whole->head.p, p->out_len) == 0);
			MUST(site.opened == site.closed);
			if (gone == 0)
				peer_end(p);
		}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http/files_ranges");
	TCase *const t = tcase_create("ranges");
	tcase_add_checked_fixture(t, site_start, site_stop);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, one_range);
	tcase_add_test(t, ranges_of_a_large_file);
	tcase_add_test(t, ranges_that_are_not_there);
	tcase_add_test(t, what_is_no_range_is_the_whole);
	tcase_add_test(t, ranges_of_other_answers);
	tcase_add_test(t, ranges_of_coded_files);
	tcase_add_test(t, parts_if_it_is_the_same);
	tcase_add_test(t, several_ranges);
	tcase_add_test(t, sixteen_ranges);
	tcase_add_test(t, ranges_do_not_amplify);
	tcase_add_test(t, many_requests_for_several_ranges);
	tcase_add_test(t, several_ranges_to_slow_clients);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
