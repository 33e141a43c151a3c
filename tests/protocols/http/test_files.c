/*
 * protocols/http/files: resources that are files. RFC 9110 4, 7.4, 8, 9.3, 12.5.3, 13, 15; RFC 9111 5.2.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "protocols/http/date.h"
#include "site.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define PLAIN "text/plain; charset=utf-8"
#define HTML "text/html; charset=utf-8"

static void expect(const struct answer *a, unsigned status, const char *body)
{
	MUST_SAY(a->status == status, "%u instead of %u: %.*s", a->status, status, (int)a->head.len,
		(const char *)a->head.p);
	if (body != NULL)
		MUST_SAY(mrg_span_eq(a->body, text_of(body)), "%.*s instead of %s", (int)a->body.len,
			(const char *)a->body.p, body);
}

struct row {
	const char *target;
	unsigned status;
	const char *body;
};

static void expect_all(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect(site_get(rows[i].target, ""), rows[i].status, rows[i].body);
}

/* A field with an entity tag or a date in it, made of what another answer says. */
static const char *with_etag(const char *name, const struct answer *a)
{
	static char text[200];
	const struct mrg_span *const etag = answer_field(a, MRG_HTTP_FIELD_ETAG);
	MUST(etag != NULL);
	snprintf(text, sizeof text, "%s: %.*s\r\n", name, (int)etag->len, (const char *)etag->p);
	return text;
}

/* ---- methods, RFC 9110 9 ---- */

START_TEST(get_and_head)
{
	const struct answer *const a = site_get("/a.txt", "");
	expect(a, 200, "0123456789");
	answer_has(a, MRG_HTTP_FIELD_CONTENT_TYPE, PLAIN);
	answer_has(a, MRG_HTTP_FIELD_CONTENT_LENGTH, "10");
	answer_has(a, MRG_HTTP_FIELD_LAST_MODIFIED, SITE_DATE);
	answer_has(a, MRG_HTTP_FIELD_ACCEPT_RANGES, "bytes");
	answer_has(a, MRG_HTTP_FIELD_VARY, NULL);
	answer_has(a, MRG_HTTP_FIELD_CONTENT_ENCODING, NULL);
	answer_has(a, MRG_HTTP_FIELD_CONNECTION, NULL);
	expect(site_get("/b.txt", ""), 200, "abcdefghij");
	const struct answer *const big = site_get("/big.bin", "");
	MUST(big->status == 200 && mrg_span_eq(big->body, pattern(100000)));
	expect(site_get("/empty.txt", ""), 200, "");
	expect(site_get("/empty.bin", ""), 200, "");
	expect(site_get("/a.txt?q=1", ""), 200, "0123456789");
}
END_TEST

START_TEST(methods_that_files_do_not_have)
{
	static const char *const methods[] = { "POST", "PUT", "DELETE", "TRACE", "PATCH", "PROPFIND", "MKCOL",
		"LOCK" };
	static const char *const unknown[] = { "FOO", "get", "Get", "GETX", "G", "M-SEARCH", "!" };
	for (size_t i = 0; i < COUNT(methods); i++) {
		const struct answer *const a = site_ask(methods[i], "/a.txt", "");
		expect(a, 405, NULL);
		answer_has(a, MRG_HTTP_FIELD_ALLOW, "GET, HEAD, OPTIONS");
		MUST(a->body.len != 0 && !a->close);
	}
	for (size_t i = 0; i < COUNT(unknown); i++)
		expect(site_ask(unknown[i], "/a.txt", ""), 501, NULL);
	const struct answer *const a = site_send("CONNECT b:80 HTTP/1.1\r\nHost: b\r\n\r\n", false);
	expect(a, 405, NULL);
	MUST(a->close);
}
END_TEST

START_TEST(options)
{
	static const char *const targets[] = { "/a.txt", "/", "*", "/nothing", "http://a", "http://a/a.txt" };
	for (size_t i = 0; i < COUNT(targets); i++) {
		const struct answer *const a = site_ask("OPTIONS", targets[i], "");
		expect(a, 204, "");
		answer_has(a, MRG_HTTP_FIELD_ALLOW, "GET, HEAD, OPTIONS");
	}
}
END_TEST

/* ---- which file ---- */

START_TEST(index_pages)
{
	static const struct row rows[] = { { "/", 200, "the index" }, { "/index.html", 200, "the index" },
		{ "/?q", 200, "the index" }, { "/sub/", 200, "sub index" }, { "/sub/.", 200, "sub index" },
		{ "/sub/../", 200, "the index" }, { "//", 200, "the index" }, { "/no/..", 200, "the index" },
		{ "/no/", 404, NULL }, { "/nothing/", 404, NULL }, { "/a.txt/", 404, NULL },
		{ "/a.txt/.", 404, NULL }, { "/dir/", 404, NULL }, { "http://a", 200, "the index" },
		{ "http://a?q", 200, "the index" }, { "http://a/sub/", 200, "sub index" },
		{ "/sub/c%20d.txt", 200, "c d" }, { "/%73ub/%63%20d.txt", 200, "c d" } };
	expect_all(rows, COUNT(rows));
	answer_has(site_get("/", ""), MRG_HTTP_FIELD_CONTENT_TYPE, HTML);
}
END_TEST

START_TEST(folders_are_behind_a_slash)
{
	static const struct {
		const char *target, *location;
	} rows[] = { { "/sub", "/sub/" }, { "/no", "/no/" }, { "/sub?q=1&r", "/sub/?q=1&r" },
		{ "/dir/index.html", "/dir/index.html/" }, { "//sub", "/sub/" }, { "http://a/sub", "/sub/" },
		{ "http://a//sub?/", "/sub/?/" }, { "/%73ub", "/%73ub/" }, { "/no/../sub", "/no/../sub/" } };
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct answer *const a = site_get(rows[i].target, "");
		expect(a, 301, NULL);
		answer_has(a, MRG_HTTP_FIELD_LOCATION, rows[i].location);
	}
}
END_TEST

/* RFC 3986 4.2: a reference that begins with two slashes names a host; some clients take backslashes for slashes. */
START_TEST(no_redirect_leads_to_another_host)
{
	static const char *const pieces[] = { "/", "/evil.example", "/..", "/%2e%2e", "/.",
		"/%5cevil.example", "/http:", "/@" };
	for (size_t i = 0; i < COUNT(pieces) * COUNT(pieces) * COUNT(pieces); i++) {
		char target[100] = "";
		for (size_t k = 0, n = i; k < 3; k++, n /= COUNT(pieces))
			strcat(target, pieces[n % COUNT(pieces)]);
		strcat(target, i % 2 == 0 ? "/sub" : "/../../../sub?//evil.example");
		const struct answer *const a = site_ask("GET", target, "");
		const struct mrg_span *const to = answer_field(a, MRG_HTTP_FIELD_LOCATION);
		if (a->status == 404)
			continue;
		expect(a, 301, NULL);
		MUST(to != NULL && to->len >= 2);
		MUST_SAY(to->p[0] == '/' && to->p[1] != '/' && to->p[1] != '\\', "%s: %.*s", target,
			(int)to->len, (const char *)to->p);
	}
}
END_TEST

/* The tree itself fails the test when it is asked for a path with `..` or a NUL in it. */
START_TEST(nothing_outside_the_root)
{
	static const struct row rows[] = { { "/../a.txt", 200, "0123456789" },
		{ "/../../../../a.txt", 200, "0123456789" }, { "/sub/../a.txt", 200, "0123456789" },
		{ "/%2e%2e/a.txt", 200, "0123456789" }, { "/sub/%2E%2e/a.txt", 200, "0123456789" },
		{ "/x/../../../a.txt", 200, "0123456789" }, { "/..%2fa.txt", 404, NULL },
		{ "/sub/..%2fa.txt", 404, NULL }, { "/sub/..%2Fa.txt", 404, NULL },
		{ "/%2e%2e%2fa.txt", 404, NULL }, { "/sub%2fc%20d.txt", 404, NULL },
		{ "/%2f/a.txt", 404, NULL }, { "/..%5ca.txt", 404, NULL },
		{ "/..%255c..%255ca.txt", 404, NULL }, { "/a.txt%00", 404, NULL },
		{ "/a.txt%00.html", 404, NULL }, { "/%00", 404, NULL }, { "/....//a.txt", 404, NULL },
		{ "/..;/a.txt", 404, NULL }, { "/%c0%ae%c0%ae/a.txt", 404, NULL },
		{ "/%252e%252e/a.txt", 404, NULL }, { "/etc/passwd", 404, NULL }, { "/a.txt%20", 404, NULL },
		{ "/a.txt.", 404, NULL }, { "/A.TXT", 404, NULL }, { "/a.txt;x", 404, NULL } };
	expect_all(rows, COUNT(rows));
}
END_TEST

START_TEST(long_and_deep_paths)
{
	char target[7000];
	for (size_t n = 10; n < sizeof target; n += 331) {
		target[0] = '/';
		memset(target + 1, 'a', n);
		target[n] = 0;
		expect(site_get(target, ""), 404, NULL);
		for (size_t i = 0; i < n; i++)
			target[i] = "/a"[i % 2];
		expect(site_get(target, ""), 404, NULL);
		for (size_t i = 0; i < n - 6; i++)
			target[i] = "/."[i % 2];
		strcpy(target + (n - 6) / 2 * 2, "/a.txt");
		expect(site_get(target, ""), 200, "0123456789");
		strcpy(target + (n - 6) / 2 * 2, "/sub"); /* a Location may be too long */
		const unsigned status = site_get(target, "")->status;
		MUST(status == 301 || (status == 414 && n > 1000));
	}
}
END_TEST

START_TEST(what_the_tree_says)
{
	expect(site_get("/nothing", ""), 404, NULL);
	expect(site_get("/forbidden.txt", ""), 403, NULL);
	expect(site_get("/busy.txt", ""), 503, NULL);
	answer_has(site_get("/nothing", ""), MRG_HTTP_FIELD_CONTENT_TYPE, HTML);
	MUST(!site_get("/nothing", "")->close);
}
END_TEST

START_TEST(media_types)
{
	static const struct {
		const char *path, *type;
	} rows[] = { { "x.html", HTML }, { "x.HTM", HTML }, { "x.css", "text/css; charset=utf-8" },
		{ "x.js", "text/javascript; charset=utf-8" }, { "x.json", "application/json" },
		{ "x.png", "image/png" }, { "x.svg", "image/svg+xml" }, { "x.wasm", "application/wasm" },
		{ "x.gz", "application/gzip" }, { "x.a.html", HTML },
		{ "x.unheard", "application/octet-stream" }, { "x", "application/octet-stream" },
		{ "x.", "application/octet-stream" }, { ".html", HTML },
		{ "d.html/x", "application/octet-stream" } };
	for (size_t i = 0; i < COUNT(rows); i++) {
		char target[40];
		tree_add(&site, rows[i].path, text_of("x"));
		snprintf(target, sizeof target, "/%s", rows[i].path);
		const struct answer *const a = site_get(target, "");
		expect(a, 200, "x");
		answer_has(a, MRG_HTTP_FIELD_CONTENT_TYPE, rows[i].type);
	}
}
END_TEST

/* ---- hosts, RFC 9110 4.2.3, 7.2, 7.4 ---- */

START_TEST(hosts)
{
	static const struct {
		const char *head, *body;
	} rows[] = { { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "the index" },
		{ "GET / HTTP/1.1\r\nHost: A:8080\r\n\r\n", "the index" },
		{ "GET / HTTP/1.1\r\nHost: other.example\r\n\r\n", "other index" },
		{ "GET / HTTP/1.1\r\nHost: OTHER.Example:80\r\n\r\n", "other index" },
		{ "GET / HTTP/1.1\r\nHost: other.example:\r\n\r\n", "other index" },
		{ "GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n", "the index" },
		{ "GET / HTTP/1.1\r\nHost: x.other.example\r\n\r\n", "the index" },
		{ "GET / HTTP/1.1\r\nHost: other.exampl\r\n\r\n", "the index" },
		{ "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "the index" },
		{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", "the index" }, { "GET / HTTP/1.0\r\n\r\n", "the index" },
		{ "GET / HTTP/1.0\r\nHost: other.example\r\n\r\n", "other index" },
		{ "GET http://other.example/ HTTP/1.1\r\nHost: a\r\n\r\n", "other index" },
		{ "GET HTTP://Other.Example:80 HTTP/1.1\r\nHost: a\r\n\r\n", "other index" },
		{ "GET http://a/ HTTP/1.1\r\nHost: other.example\r\n\r\n", "the index" } };
	for (size_t i = 0; i < COUNT(rows); i++)
		expect(site_send(rows[i].head, false), 200, rows[i].body);
}
END_TEST

START_TEST(what_is_of_another_scheme_is_not_here)
{
	static const struct row rows[] = { { "https://a/a.txt", 421, NULL }, { "ftp://a/a.txt", 421, NULL },
		{ "HTTPS://a", 421, NULL }, { "HTTP://a/a.txt", 200, "0123456789" } };
	expect_all(rows, COUNT(rows));
}
END_TEST

/* ---- conditions, RFC 9110 13 ---- */

START_TEST(unchanged)
{
	static const char *const targets[] = { "/a.txt", "/b.txt", "/", "/empty.txt", "/big.bin",
		"/style.css" };
	for (size_t i = 0; i < COUNT(targets); i++) {
		const struct answer *const was = site_get(targets[i], "");
		const struct mrg_span etag = *answer_field(was, MRG_HTTP_FIELD_ETAG);
		MUST(etag.len > 2 && etag.p[0] == '"' && etag.p[etag.len - 1] == '"');
		const struct answer *const now = site_get(targets[i], with_etag("If-None-Match", was));
		expect(now, 304, "");
		MUST(mrg_span_eq(*answer_field(now, MRG_HTTP_FIELD_ETAG), etag));
		answer_has(now, MRG_HTTP_FIELD_CONTENT_TYPE, NULL);
		answer_has(now, MRG_HTTP_FIELD_VARY, i == 5 ? "Accept-Encoding" : NULL);
		MUST(!now->has_length || now->length == was->length); /* RFC 9110 8.6 */
		expect(site_get(targets[i], "If-None-Match: *\r\n"), 304, "");
		expect(site_get(targets[i], "If-Modified-Since: " SITE_DATE "\r\n"), 304, "");
		expect(site_get(targets[i], "If-Modified-Since: " SITE_BEFORE "\r\n"), 200, NULL);
		expect(site_get(targets[i], "If-None-Match: \"x\"\r\nIf-Modified-Since: " SITE_DATE "\r\n"),
			200, NULL);
	}
}
END_TEST

START_TEST(preconditions_that_fail)
{
	expect(site_get("/a.txt", "If-Match: \"x\"\r\n"), 412, NULL);
	expect(site_get("/a.txt", "If-Match: *\r\n"), 200, NULL);
	expect(site_get("/a.txt", with_etag("If-Match", site_get("/a.txt", ""))), 200, NULL);
	expect(site_get("/a.txt", with_etag("If-Match", site_get("/b.txt", ""))), 412, NULL);
	expect(site_get("/a.txt", "If-Unmodified-Since: " SITE_BEFORE "\r\n"), 412, NULL);
	expect(site_get("/a.txt", "If-Unmodified-Since: " SITE_DATE "\r\n"), 200, NULL);
	expect(site_get("/b.txt", "If-Match: \"x\"\r\nRange: bytes=0-1\r\n"), 412, NULL);
}
END_TEST

/* RFC 9110 13.2.1: without the condition it would not be 2xx, so there is none. */
START_TEST(conditions_of_what_is_not_there)
{
	static const char *const fields[] = { "If-Match: *\r\n", "If-Match: \"x\"\r\n",
		"If-None-Match: *\r\n", "If-Modified-Since: " SITE_DATE "\r\n",
		"If-Unmodified-Since: " SITE_BEFORE "\r\n" };
	for (size_t i = 0; i < COUNT(fields); i++) {
		expect(site_get("/nothing", fields[i]), 404, NULL);
		expect(site_get("/forbidden.txt", fields[i]), 403, NULL);
		expect(site_get("/sub", fields[i]), 301, NULL);
		expect(site_ask("POST", "/a.txt", fields[i]), 405, NULL);
		expect(site_ask("OPTIONS", "/a.txt", fields[i]), 204, NULL);
	}
}
END_TEST

/* RFC 9110 8.8.2.1: no Last-Modified in the future; none at all where nobody knows. */
START_TEST(dates_of_files)
{
	const struct answer *const future = site_get("/future.txt", "");
	uint64_t modified, date;
	MUST(mrg_http_date_read(*answer_field(future, MRG_HTTP_FIELD_LAST_MODIFIED), site_now_s, &modified));
	MUST(mrg_http_date_read(*answer_field(future, MRG_HTTP_FIELD_DATE), site_now_s, &date));
	MUST(modified <= date);
	static const char *const dateless[] = { "/dateless.txt", "/ancient.txt" };
	for (size_t i = 0; i < COUNT(dateless); i++) {
		answer_has(site_get(dateless[i], ""), MRG_HTTP_FIELD_LAST_MODIFIED, NULL);
		expect(site_get(dateless[i], "If-Modified-Since: " SITE_DATE "\r\n"), 200, NULL);
		expect(site_get(dateless[i], "If-Unmodified-Since: " SITE_DATE "\r\n"), 200, NULL);
		expect(site_get(dateless[i], "If-Range: " SITE_DATE "\r\nRange: bytes=0-1\r\n"), 200, NULL);
		expect(site_get(dateless[i], with_etag("If-None-Match", site_get(dateless[i], ""))), 304,
			NULL);
	}
}
END_TEST

/* ---- codings, RFC 9110 12.5.3, 12.5.5 ---- */

static void expect_coded(
	const char *target, const char *accepted, const char *body, const char *coding, const char *vary)
{
	char fields[200];
	snprintf(fields, sizeof fields, accepted == NULL ? "" : "Accept-Encoding: %s\r\n", accepted);
	const struct answer *const a = site_get(target, fields);
	expect(a, 200, body);
	answer_has(a, MRG_HTTP_FIELD_CONTENT_ENCODING, coding);
	answer_has(a, MRG_HTTP_FIELD_VARY, vary);
	answer_has(a, MRG_HTTP_FIELD_CONTENT_TYPE,
		strstr(target, "css") != NULL ? "text/css; charset=utf-8" : "text/javascript; charset=utf-8");
}

START_TEST(coded_files)
{
	static const struct {
		const char *accepted, *body, *coding;
	} rows[] = { { NULL, "plain css", NULL }, { "", "plain css", NULL },
		{ "identity", "plain css", NULL }, { "gzip", "gz css", "gzip" }, { "br", "br css", "br" },
		{ "gzip, br", "br css", "br" }, { "gzip;q=1, br;q=0.5", "gz css", "gzip" },
		{ "gzip;q=0, br;q=0", "plain css", NULL },
		{ "gzip;q=0.2, identity;q=0.5", "plain css", NULL }, { "gzip;q=0.001", "gz css", "gzip" },
		{ "br;q=0.1, gzip;q=0.1", "br css", "br" }, { "zstd, deflate", "plain css", NULL },
		{ "*;q=0, gzip", "gz css", "gzip" }, { "br;q=0, *", "gz css", "gzip" },
		{ "GZIP", "gz css", "gzip" }, { "gzip;q=9", "plain css", NULL } };
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_coded("/style.css", rows[i].accepted, rows[i].body, rows[i].coding, "Accept-Encoding");
	expect_coded("/gz.js", "br", "plain js", NULL, "Accept-Encoding");
	expect_coded("/gz.js", "br, gzip;q=0.1", "gz js", "gzip", "Accept-Encoding");
}
END_TEST

START_TEST(coded_files_that_are_no_good)
{
	expect_coded("/old.js", "gzip, br", "new js", NULL, NULL); /* older than what they are made of */
	expect_coded("/odd.js", "gzip, br", "odd js", NULL, NULL);
}
END_TEST

/* RFC 9110 8.8.3: what differs has another tag, and each is compared with its own. */
START_TEST(tags_of_coded_files)
{
	static const char *const accepted[] = { "", "Accept-Encoding: gzip\r\n", "Accept-Encoding: br\r\n" };
	for (size_t i = 0; i < COUNT(accepted); i++)
		for (size_t k = 0; k < COUNT(accepted); k++) {
			char fields[300];
			const struct answer *const was = site_get("/style.css", accepted[i]);
			snprintf(fields, sizeof fields, "%s%s", accepted[k], with_etag("If-None-Match", was));
			const struct answer *const now = site_get("/style.css", fields);
			expect(now, i == k ? 304 : 200, NULL);
			answer_has(now, MRG_HTTP_FIELD_VARY, "Accept-Encoding");
		}
}
END_TEST

START_TEST(a_coded_file_by_its_own_name)
{
	const struct answer *const a = site_get("/style.css.gz", "Accept-Encoding: gzip\r\n");
	expect(a, 200, "gz css");
	answer_has(a, MRG_HTTP_FIELD_CONTENT_TYPE, "application/gzip");
	answer_has(a, MRG_HTTP_FIELD_CONTENT_ENCODING, NULL);
}
END_TEST

/* ---- error pages ---- */

START_TEST(pages_for_errors)
{
	static const struct mrg_http_error_page pages[] = { { 404, { (const uint8_t *)"sub/404.txt", 11 } },
		{ 403, { (const uint8_t *)"nothing", 7 } }, { 405, { (const uint8_t *)"sub/404.txt", 11 } },
		{ 416, { (const uint8_t *)"empty.txt", 9 } }, { 501, { (const uint8_t *)"busy.txt", 8 } },
		{ 412, { (const uint8_t *)"sub", 3 } } };
	site_files.error_pages = pages;
	site_files.error_page_count = COUNT(pages);
	tree_add(&site, "sub/404.txt", text_of("no such page"))->hidden = true;
	const struct answer *a = site_get("/nothing", "");
	expect(a, 404, "no such page");
	answer_has(a, MRG_HTTP_FIELD_CONTENT_TYPE, PLAIN);
	answer_has(a, MRG_HTTP_FIELD_LAST_MODIFIED, NULL); /* it is no representation of what was asked for */
	answer_has(a, MRG_HTTP_FIELD_ETAG, NULL);
	expect(site_get("/nothing", "Range: bytes=0-1\r\nIf-None-Match: *\r\n"), 404, "no such page");
	expect(site_get("/forbidden.txt", ""), 403, NULL); /* its page is not there */
	MUST(site_get("/forbidden.txt", "")->body.len != 0);
	a = site_ask("PUT", "/a.txt", "");
	expect(a, 405, "no such page");
	answer_has(a, MRG_HTTP_FIELD_ALLOW, "GET, HEAD, OPTIONS");
	a = site_get("/a.txt", "Range: bytes=99-\r\n");
	expect(a, 416, "");
	answer_has(a, MRG_HTTP_FIELD_CONTENT_RANGE, "bytes */10");
	expect(site_ask("FOO", "/a.txt", ""), 501, NULL);
	expect(site_get("/a.txt", "If-Match: \"x\"\r\n"), 412, NULL);
	expect(site_get("/sub/404.txt", ""), 200, "no such page");
}
END_TEST

/* ---- Cache-Control, RFC 9111 5.2 ---- */

START_TEST(rules_for_caches)
{
#define S(text)                                                                                              \
	{                                                                                                    \
		(const uint8_t *)(text), sizeof(text) - 1                                                    \
	}
	static const struct mrg_http_cache_rule rules[] = { { S("sub/"), S(".html"), S("no-cache") },
		{ S(""), S(".css"), S("max-age=60") }, { S("sub/"), S(""), S("no-store") },
		{ S("a.t"), S(".txt"), S("private") }, { S("index.html"), S("index.html"), S("public") } };
#undef S
	site_files.cache_rules = rules;
	site_files.cache_rule_count = COUNT(rules);
	static const struct {
		const char *target, *value;
	} rows[] = { { "/sub/", "no-cache" }, { "/sub/index.html", "no-cache" },
		{ "/sub/c%20d.txt", "no-store" }, { "/style.css", "max-age=60" }, { "/a.txt", "private" },
		{ "/b.txt", NULL }, { "/", "public" }, { "/nothing", NULL }, { "/sub", NULL },
		{ "/forbidden.txt", NULL } };
	for (size_t i = 0; i < COUNT(rows); i++)
		answer_has(site_get(rows[i].target, ""), MRG_HTTP_FIELD_CACHE_CONTROL, rows[i].value);
	answer_has(site_get("/style.css", "Accept-Encoding: br\r\n"), MRG_HTTP_FIELD_CACHE_CONTROL,
		"max-age=60");
	const struct answer *a = site_get("/a.txt", "If-None-Match: *\r\n");
	expect(a, 304, NULL);
	answer_has(a, MRG_HTTP_FIELD_CACHE_CONTROL, "private"); /* RFC 9110 15.4.5 */
	a = site_get("/a.txt", "Range: bytes=0-1\r\n");
	expect(a, 206, NULL);
	answer_has(a, MRG_HTTP_FIELD_CACHE_CONTROL, "private"); /* RFC 9110 15.3.7 */
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http/files");
	TCase *const t = tcase_create("files");
	tcase_add_checked_fixture(t, site_start, site_stop);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, get_and_head);
	tcase_add_test(t, methods_that_files_do_not_have);
	tcase_add_test(t, options);
	tcase_add_test(t, index_pages);
	tcase_add_test(t, folders_are_behind_a_slash);
	tcase_add_test(t, no_redirect_leads_to_another_host);
	tcase_add_test(t, nothing_outside_the_root);
	tcase_add_test(t, long_and_deep_paths);
	tcase_add_test(t, what_the_tree_says);
	tcase_add_test(t, media_types);
	tcase_add_test(t, hosts);
	tcase_add_test(t, what_is_of_another_scheme_is_not_here);
	tcase_add_test(t, unchanged);
	tcase_add_test(t, preconditions_that_fail);
	tcase_add_test(t, conditions_of_what_is_not_there);
	tcase_add_test(t, dates_of_files);
	tcase_add_test(t, coded_files);
	tcase_add_test(t, coded_files_that_are_no_good);
	tcase_add_test(t, tags_of_coded_files);
	tcase_add_test(t, a_coded_file_by_its_own_name);
	tcase_add_test(t, pages_for_errors);
	tcase_add_test(t, rules_for_caches);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
