/*
 * protocols/http/request: heads, held against RFC 9110 and RFC 9112.
 *
 * Each head lies before a page that can't be touched. Of one that is taken every shorter piece must ask for more, and octets behind it
 * must not count; of one that is refused no piece may be taken.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "protocols/http/request.h"

#define L(text) MRG_LITERAL(text)
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

enum { PIECES_MAX = 1500 }; /* octets of heads of which every piece is tried */

static struct mrg_http_request r;
static size_t len;

static enum mrg_status read_plain(struct mrg_span head)
{
	const enum mrg_status st = mrg_http_request_read(guarded(head), &r, &len);
	if (st != MRG_MORE)
		MUST(len <= head.len);
	return st;
}

static unsigned status_of(struct mrg_span head)
{
	const enum mrg_status st = read_plain(head);
	if (st == MRG_OK)
		return 0;
	if (st == MRG_MORE)
		return 1;
	MUST(r.why.len != 0);
	return r.status;
}

static void check_pieces(struct mrg_span head, unsigned status, size_t step)
{
	for (size_t n = 0; n < head.len && head.len <= PIECES_MAX; n += step) {
		const unsigned part = status_of((struct mrg_span){ head.p, n });
		MUST_SAY(part == 1 || (part == status && status != 0), "%zu octets of <%.*s>: %u", n,
			(int)head.len, (const char *)head.p, part);
	}
}

static void check_with_more(struct mrg_span head, struct mrg_span more, unsigned status)
{
	uint8_t *const both = malloc(head.len + more.len);
	memcpy(both, head.p, head.len);
	memcpy(both + head.len, more.p, more.len);
	const size_t whole = len;
	MUST(status_of((struct mrg_span){ both, head.len + more.len }) == status);
	MUST(len == whole);
	free(both);
}

static void judge_at_steps(struct mrg_span head, unsigned status, size_t step)
{
	check_pieces(head, status, step);
	const unsigned got = status_of(head);
	MUST_SAY(got == status, "<%.*s>: %u instead of %u", (int)head.len, (const char *)head.p, got, status);
	check_with_more(head, L("\0"), status);
	check_with_more(head, L("GET / HTTP/1.1\r\n :\n\n\n"), status);
	(void)status_of(head);
}

static void judge(struct mrg_span head, unsigned status) { judge_at_steps(head, status, 1); }

static void judge_all(const struct mrg_span *heads, size_t count, unsigned status)
{
	for (size_t i = 0; i < count; i++)
		judge(heads[i], status);
}

#define REFUSED(code, ...)                                                                                   \
	do {                                                                                                 \
		const struct mrg_span heads[] = { __VA_ARGS__ };                                             \
		judge_all(heads, COUNT(heads), (code));                                                      \
	} while (0)

/* ---- as text ---- */

static const char *dump(void)
{
	static char text[2000];
	static const char *const forms[] = { "origin", "absolute", "authority", "asterisk" };
	static const char *const bodies[] = { "none", "length", "chunked", "close" };
#define S(s) (int)(s).len, (const char *)(s).p
	snprintf(text, sizeof text, "%.*s 1.%u %s %.*s|%.*s|%.*s|%.*s%s %s=%llu %s%s", S(r.method_text),
		r.minor, forms[r.form], S(r.scheme), S(r.host), S(r.path), S(r.query),
		r.query.p == NULL ? "-" : "", bodies[r.body], (unsigned long long)r.length,
		r.keep_alive ? "keep" : "close", r.expect_continue ? " continue" : "");
#undef S
	return text;
}

struct taken {
	const char *head, *want;
};

static void judge_taken(const struct taken *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct mrg_span head = text_of(rows[i].head);
		judge(head, 0);
		MUST(len == head.len);
		MUST_SAY(strcmp(dump(), rows[i].want) == 0, "<%s>\n got %s\nwant %s", rows[i].head, dump(),
			rows[i].want);
	}
}

#define TAKEN(...)                                                                                           \
	do {                                                                                                 \
		static const struct taken rows[] = { __VA_ARGS__ };                                          \
		judge_taken(rows, COUNT(rows));                                                              \
	} while (0)

/* A head around this line, field or value; the result is good until the next call. */
static struct mrg_span around(const char *before, struct mrg_span it, const char *behind)
{
	static uint8_t b[4096];
	const size_t n = strlen(before), m = strlen(behind);
	MUST(n + it.len + m <= sizeof b);
	memcpy(b, before, n);
	memcpy(b + n, it.p, it.len);
	memcpy(b + n + it.len, behind, m);
	return (struct mrg_span){ b, n + it.len + m };
}

static void judge_around(
	const char *before, const struct mrg_span *its, size_t count, const char *behind, unsigned status)
{
	for (size_t i = 0; i < count; i++)
		judge(around(before, its[i], behind), status);
}

#define EACH(code, before, behind, ...)                                                                      \
	do {                                                                                                 \
		const struct mrg_span its[] = { __VA_ARGS__ };                                               \
		judge_around((before), its, COUNT(its), (behind), (code));                                   \
	} while (0)

#define GET "GET / HTTP/1.1\r\n"
#define H "Host: a\r\n"
#define END "\r\n\r\n"

/* ---- what is taken ---- */

START_TEST(heads_as_they_should_be)
{
	TAKEN({ GET H "\r\n", "GET 1.1 origin |a|/|- none=0 keep" },
		{ "GET /x/y.z?q=1&r HTTP/1.1\r\n" H "\r\n", "GET 1.1 origin |a|/x/y.z|q=1&r none=0 keep" },
		{ "HEAD /%7e/..;a=b,c/@:!$&'()*+= HTTP/1.1\r\n" H "\r\n",
			"HEAD 1.1 origin |a|/%7e/..;a=b,c/@:!$&'()*+=|- none=0 keep" },
		{ "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\n",
			"POST 1.1 origin |a|/|- length=3 keep" },
		{ "GET / HTTP/1.1\r\nHOST:a\r\ncOnTeNt-LeNgTh:0\r\n\r\n",
			"GET 1.1 origin |a|/|- length=0 keep" },
		{ "GET / HTTP/1.1\r\nHost:\t a \t\r\n\r\n", "GET 1.1 origin |a|/|- none=0 keep" },
		{ "GET //b/c HTTP/1.1\r\n" H "\r\n", "GET 1.1 origin |a|//b/c|- none=0 keep" },
		{ "GET / HTTP/1.0\r\n\r\n", "GET 1.0 origin ||/|- none=0 close" },
		{ "\r\nGET / HTTP/1.1\r\n" H "\r\n", "GET 1.1 origin |a|/|- none=0 keep" },
		{ "!#$%&'*+-.^_`|~09 / HTTP/1.1\r\n" H "\r\n",
			"!#$%&'*+-.^_`|~09 1.1 origin |a|/|- none=0 keep" });
	MUST(r.method == MRG_HTTP_METHOD_UNKNOWN);
}
END_TEST

START_TEST(methods_are_words_in_one_case_only)
{
	static const char *const words[] = { "get", "Get", "GETS", "GE", "hEAD" };
	for (size_t i = 0; i < COUNT(words); i++) {
		judge(around("", text_of(words[i]), " / HTTP/1.1\r\n" H "\r\n"), 0);
		MUST(r.method == MRG_HTTP_METHOD_UNKNOWN);
	}
	judge(L("DELETE / HTTP/1.1\r\n" H "\r\n"), 0);
	MUST(r.method == MRG_HTTP_METHOD_DELETE);
}
END_TEST

START_TEST(fields_are_found_by_name)
{
	judge(L(GET H "X: 1\r\nCookie: a\r\nx: \r\ncookie: b\r\n\r\n"), 0);
	MUST(r.count == 5);
	const struct mrg_http_field_line *const first =
		mrg_http_request_field(&r, MRG_HTTP_FIELD_COOKIE, NULL);
	MUST(first == &r.fields[2] && mrg_span_eq(first->value, L("a")));
	const struct mrg_http_field_line *const second =
		mrg_http_request_field(&r, MRG_HTTP_FIELD_COOKIE, first);
	MUST(second == &r.fields[4] && mrg_span_eq(second->value, L("b")));
	MUST(mrg_http_request_field(&r, MRG_HTTP_FIELD_COOKIE, second) == NULL);
	MUST(mrg_http_request_field(&r, MRG_HTTP_FIELD_RANGE, NULL) == NULL);
	MUST(r.fields[1].id == MRG_HTTP_FIELD_UNKNOWN);
	MUST(r.fields[3].value.len == 0);
	MUST(r.fields[3].value.p == NULL);
}
END_TEST

/* ---- line ends and white space, RFC 9112 2.2, 3, 5 ---- */

START_TEST(bare_cr)
{
	REFUSED(400, L("GET / HTTP/1.1\r" H "\r\n"), L(GET "Host: a\r\r\n\r\n"),
		L(GET "Host: a\rX: b\r\n\r\n"), L(GET H "X: a\rb\r\n\r\n"), L(GET H "X: a\r\n\rb"),
		L(GET "\rHost: a\r\n\r\n"), L("\rGET / HTTP/1.1\r\n" H "\r\n"),
		L("GET / HTTP/1.1\r\r\n" H "\r\n"), L(GET H "X\r: a\r\n\r\n"), L(GET H "\rX: a\r\n\r\n"),
		L("GET /\r HTTP/1.1\r\n" H "\r\n"), L("GET\r/ HTTP/1.1\r\n" H "\r\n"),
		L(GET "Content-Length: 5\rTransfer-Encoding: chunked\r\n" H "\r\n"));
}
END_TEST

START_TEST(bare_lf)
{
	REFUSED(400, L("GET / HTTP/1.1\n" H "\r\n"), L(GET "Host: a\n\r\n"), L(GET H "\n"),
		L(GET H "X: a\nb\r\n\r\n"), L(GET H "X: a\n\nGET / HTTP/1.1\r\n"),
		L("\nGET / HTTP/1.1\r\n" H "\r\n"), L(GET H "X: a\n b\r\n\r\n"), L(GET H "X: \n\r\n"),
		L("GET / HTTP/1.1\nHost: a\n\n"));
}
END_TEST

START_TEST(line_ends_in_a_value)
{
	REFUSED(400, L(GET H "X: a\r\nb\r\n\r\n"), L(GET H "X: a\r\n\tb\r\n\r\n"),
		L(GET H "X: a\r\n b\r\n\r\n"), L(GET H "X: a\r\n \r\n\r\n"), L(GET "Host: a\r\n .b\r\n\r\n"),
		L(GET H "Content-Length:\r\n 5\r\n\r\n"), L(GET H "Content-Length: 1\r\n 5\r\n\r\n"),
		L(GET H "Transfer-Encoding:\r\n chunked\r\n\r\n"), L("GET /\r\n HTTP/1.1\r\n" H "\r\n"));
}
END_TEST

START_TEST(white_space_around_names)
{
	REFUSED(400, L(GET "Host : a\r\n\r\n"), L(GET "Host\t: a\r\n\r\n"),
		L(GET H "Content-Length : 5\r\n\r\n"), L(GET H "Transfer-Encoding\t:chunked\r\n\r\n"),
		L(GET H "X Y: a\r\n\r\n"), L(GET " Host: a\r\n\r\n"), L(GET "\tHost: a\r\n\r\n"),
		L(GET " \r\n" H "\r\n"), L(GET H " X: a\r\n\r\n"));
}
END_TEST

START_TEST(white_space_in_the_request_line)
{
	REFUSED(400, L("GET  / HTTP/1.1\r\n" H "\r\n"), L("GET /  HTTP/1.1\r\n" H "\r\n"),
		L("GET\t/ HTTP/1.1\r\n" H "\r\n"), L("GET /\tHTTP/1.1\r\n" H "\r\n"),
		L(" GET / HTTP/1.1\r\n" H "\r\n"), L("GET / HTTP/1.1 \r\n" H "\r\n"),
		L("GET / HTTP/1.1\t\r\n" H "\r\n"), L("GET / x HTTP/1.1\r\n" H "\r\n"),
		L("GET /\v HTTP/1.1\r\n" H "\r\n"), L("\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n"),
		L("\r\n GET / HTTP/1.1\r\n" H "\r\n"), L(" / HTTP/1.1\r\n" H "\r\n"));
}
END_TEST

START_TEST(names_that_are_none)
{
	REFUSED(400, L(GET ": a\r\n" H "\r\n"), L(GET H ":\r\n\r\n"), L(GET H "X\r\n\r\n"),
		L(GET H "X(: a\r\n\r\n"), L(GET H "X@Y: a\r\n\r\n"), L(GET H "\"X\": a\r\n\r\n"),
		L(GET H "X\x80: a\r\n\r\n"), L(GET H "X/Y: a\r\n\r\n"));
}
END_TEST

/* ---- octets: which may stand where ---- */

#define ALNUM "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static void judge_octets(const char *before, const char *behind, const char *allowed, bool high, bool blanks)
{
	for (unsigned c = 0; c < 256; c++) {
		const uint8_t octet = (uint8_t)c;
		const bool good = (c != 0 && strchr(allowed, (int)c) != NULL) || (c >= 0x80 && high) ||
				  ((c == ' ' || c == '\t') && blanks);
		judge_at_steps(around(before, (struct mrg_span){ &octet, 1 }, behind), good ? 0 : 400, 7);
	}
}

START_TEST(octets_of_a_method)
{
	judge_octets("A", "B / HTTP/1.1\r\n" H "\r\n", ALNUM "!#$%&'*+-.^_`|~", false, false);
}
END_TEST

START_TEST(octets_of_a_path)
{
	/* `?` begins the query */
	judge_octets("GET /a", "b HTTP/1.1\r\n" H "\r\n", ALNUM "-._~!$&'()*+,;=:@/?", false, false);
}
END_TEST

START_TEST(octets_of_a_query)
{
	judge_octets("GET /a?b", "c HTTP/1.1\r\n" H "\r\n", ALNUM "-._~!$&'()*+,;=:@/?", false, false);
}
END_TEST

START_TEST(octets_of_a_name)
{
	/* `:` ends the name */
	judge_octets(GET H "X", "Y: a\r\n\r\n", ALNUM "!#$%&'*+-.^_`|~:", false, false);
}
END_TEST

START_TEST(octets_of_a_value)
{
	judge_octets(GET H "X: a", "b\r\n\r\n", ALNUM "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", true, true);
}
END_TEST

START_TEST(octets_of_a_host)
{
	judge_octets(GET "Host: a", "1\r\n\r\n", ALNUM "-._~!$&'()*+,;=:", false, false);
}
END_TEST

START_TEST(no_octet_may_be_nul)
{
	static const char head[] =
		"POST /p?q HTTP/1.1\r\nHost: a.b:80\r\nContent-Length: 12\r\nX: y z\r\n\r\n";
	char b[sizeof head];
	for (size_t i = 0; i < sizeof head - 1; i++) {
		memcpy(b, head, sizeof b);
		b[i] = 0;
		judge((struct mrg_span){ (const uint8_t *)b, sizeof b - 1 }, 400);
	}
}
END_TEST

START_TEST(every_flip_of_a_bit_is_judged_the_same_whole_and_in_pieces)
{
	static const char head[] =
		"POST http://a:8/p?q HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, "
		"chunked\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
	uint8_t b[sizeof head - 1];
	for (size_t i = 0; i < sizeof b * 8; i++) {
		memcpy(b, head, sizeof b);
		b[i / 8] = (uint8_t)(b[i / 8] ^ 1u << i % 8);
		const struct mrg_span it = { b, sizeof b };
		const unsigned status = status_of(it);
		if (status != 1)
			judge_at_steps(it, status, 1 + i % 31);
	}
}
END_TEST

/* guarded() lets the last octet be where memory ends, so those behind the head decide where it begins. */
START_TEST(at_each_alignment)
{
	static const char head[] =
		"POST http://[::1]:8/p?q HTTP/1.1\r\nHost: a\r\nContent-Length: 1234567890123\r\n\r\n";
	uint8_t b[sizeof head + 16];
	memset(b, 'x', sizeof b);
	memcpy(b, head, sizeof head - 1);
	for (size_t behind = 0; behind < 16; behind++) {
		MUST(status_of((struct mrg_span){ b, sizeof head - 1 + behind }) == 0);
		MUST(len == sizeof head - 1);
		MUST(r.length == UINT64_C(1234567890123) && mrg_span_eq(r.host, L("[::1]")));
	}
}
END_TEST

START_TEST(other_protocols)
{
	REFUSED(400, L("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), L("SSH-2.0-x\r\n\r\n"), L("\0\0\0\0"),
		L("{\"a\": 1}"));
	REFUSED(505, L("PRI * HTTP/2.0\r\n\r\n"));
}
END_TEST

/* ---- versions, RFC 9112 2.3 ---- */

START_TEST(versions)
{
	EACH(400, "GET / ", END, L("HTTP/1.10"), L("HTTP/01.1"), L("HTTP/1"), L("HTTP/1."), L("HTTP/.1"),
		L("http/1.1"), L("Http/1.1"), L("HTTP 1.1"), L("HTTPS/1.1"), L("HTTP/1.1x"), L("HTTP/-1.1"),
		L("HTTP/1,1"), L("HTTP/a.b"), L("HTTP/+1.1"), L("HTTP/1.1 HTTP/1.1"), L("XTTP/1.1"),
		L("HTTP/11.1"), L("HTTP/\xb2.0"), L("ICY/1.1"));
	EACH(505, "GET / ", "\r\n" H "\r\n", L("HTTP/0.9"), L("HTTP/2.0"), L("HTTP/2.1"), L("HTTP/3.0"),
		L("HTTP/9.9"), L("HTTP/0.0"));
	REFUSED(400, L("GET /\r\n"), L("GET / \r\n\r\n"), L("GET\r\n\r\n"));
	TAKEN({ "GET / HTTP/1.2\r\n" H "\r\n", "GET 1.2 origin |a|/|- none=0 keep" },
		{ "GET / HTTP/1.9\r\n" H "\r\n", "GET 1.9 origin |a|/|- none=0 keep" });
	REFUSED(400, L("GET / HTTP/1.2\r\n\r\n")); /* Host is needed from 1.1 on */
}
END_TEST

/* ---- Host, RFC 9110 7.2, RFC 9112 3.2 ---- */

START_TEST(no_host_and_two)
{
	REFUSED(400, L(GET "\r\n"), L(GET "X: a\r\n\r\n"), L("GET http://a/ HTTP/1.1\r\n\r\n"),
		L("OPTIONS * HTTP/1.1\r\n\r\n"), L("CONNECT a:80 HTTP/1.1\r\n\r\n"), L(GET H H "\r\n"),
		L(GET H "hOST: b\r\n\r\n"), L(GET H "X: y\r\nHost:\r\n\r\n"),
		L("GET / HTTP/1.0\r\n" H H "\r\n"), L("GET http://a/ HTTP/1.1\r\n" H H "\r\n"));
}
END_TEST

START_TEST(hosts_that_are_none)
{
	EACH(400, GET "Host: ", END, L("a b"), L("a/b"), L("a?b"), L("a#b"), L("a@b"), L("u:p@a"), L("[::1"),
		L("::1"), L("1::2]"), L("[::1]x"), L("[:::1]"), L("[1:2:3:4:5:6:7:8:9]"),
		L("[1:2:3:4:5:6:7]"), L("[1::2::3]"), L("[12345::]"), L("[::1.2.3.256]"), L("[::1.2.3]"),
		L("[fe80::1%25eth0]"), L("[]"), L("[a]"), L("a:b"), L("a:80:80"), L("a:-1"), L("a:+1"),
		L("a: 80"), L("http://a"), L("a\x80"), L("\xc3\xa9"), L("%zz"), L("%4"), L("a%"), L("\"a\""),
		L("a\\b"), L("<a>"), L("a^b"), L("a|b"), L("[v.x]"), L("[v1.]"), L("[v1x]"), L("[::1]:x"));
	EACH(400, "GET http://a/ HTTP/1.1\r\nHost: ", END, L("a b"), L("a@b"), L("a:b"));
	EACH(400, "GET / HTTP/1.0\r\nHost: ", END, L("a b"), L("[::1"));
}
END_TEST

START_TEST(hosts)
{
	static const struct {
		const char *value, *host;
	} rows[] = { { "a", "a" }, { "a.b.c", "a.b.c" }, { "A.B", "A.B" }, { "a:80", "a" }, { "a:", "a" },
		{ "a:99999", "a" }, { "127.0.0.1:8080", "127.0.0.1" }, { "[::1]", "[::1]" },
		{ "[::1]:80", "[::1]" }, { "[::]", "[::]" }, { "[1::]", "[1::]" },
		{ "[2001:DB8::a]", "[2001:DB8::a]" }, { "[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]" },
		{ "[1:2:3:4:5:6:7:8]:1", "[1:2:3:4:5:6:7:8]" },
		{ "[1:2:3:4:5:6:1.2.3.4]", "[1:2:3:4:5:6:1.2.3.4]" },
		{ "[1:2:3:4:5:6:7::]", "[1:2:3:4:5:6:7::]" }, { "[vF.a:b]:1", "[vF.a:b]" }, { "", "" },
		{ ":80", "" }, { "%41%20", "%41%20" }, { "a_b-c~", "a_b-c~" }, { "a,b", "a,b" },
		{ "1.2.3.256", "1.2.3.256" } };
	for (size_t i = 0; i < COUNT(rows); i++) {
		judge(around(GET "Host: ", text_of(rows[i].value), END), 0);
		MUST_SAY(mrg_span_eq(r.host, text_of(rows[i].host)), "<%s>", rows[i].value);
	}
}
END_TEST

/* ---- targets, RFC 9112 3.2 ---- */

START_TEST(targets_in_four_forms)
{
	TAKEN({ "GET / HTTP/1.1\r\n" H "\r\n", "GET 1.1 origin |a|/|- none=0 keep" },
		{ "GET /?? HTTP/1.1\r\n" H "\r\n", "GET 1.1 origin |a|/|? none=0 keep" },
		{ "GET http://b/ HTTP/1.1\r\n" H "\r\n", "GET 1.1 absolute http|b|/|- none=0 keep" },
		{ "GET HTTP://b:80/c?d HTTP/1.1\r\n" H "\r\n", "GET 1.1 absolute HTTP|b|/c|d none=0 keep" },
		{ "GET http://b HTTP/1.1\r\n" H "\r\n", "GET 1.1 absolute http|b||- none=0 keep" },
		{ "GET http://b?c HTTP/1.1\r\n" H "\r\n", "GET 1.1 absolute http|b||c none=0 keep" },
		{ "GET http://b:/ HTTP/1.1\r\n" H "\r\n", "GET 1.1 absolute http|b|/|- none=0 keep" },
		{ "GET https://[::1]:443//c HTTP/1.1\r\n" H "\r\n",
			"GET 1.1 absolute https|[::1]|//c|- none=0 keep" },
		{ "GET a+b-c.d://e/ HTTP/1.1\r\n" H "\r\n", "GET 1.1 absolute a+b-c.d|e|/|- none=0 keep" },
		{ "GET http://b/ HTTP/1.0\r\n\r\n", "GET 1.0 absolute http|b|/|- none=0 close" },
		{ "OPTIONS * HTTP/1.1\r\n" H "\r\n", "OPTIONS 1.1 asterisk |a||- none=0 keep" },
		{ "OPTIONS http://b HTTP/1.1\r\n" H "\r\n", "OPTIONS 1.1 absolute http|b||- none=0 keep" },
		{ "OPTIONS /x HTTP/1.1\r\n" H "\r\n", "OPTIONS 1.1 origin |a|/x|- none=0 keep" },
		{ "CONNECT b:80 HTTP/1.1\r\n" H "\r\n", "CONNECT 1.1 authority |b||- none=0 keep" },
		{ "CONNECT [::1]:443 HTTP/1.1\r\n" H "\r\n", "CONNECT 1.1 authority |[::1]||- none=0 keep" },
		{ "GET /%00%2f%C0%AE HTTP/1.1\r\n" H "\r\n",
			"GET 1.1 origin |a|/%00%2f%C0%AE|- none=0 keep" });
}
END_TEST

START_TEST(targets_in_no_form)
{
	EACH(400, "GET ", " HTTP/1.1\r\n" H "\r\n", L("*"), L("a"), L("a/b"), L("?a"), L("a:80"), L("/#"),
		L("/a#b"), L("/%"), L("/%1"), L("/%zz"), L("/%1g"), L("/?%"), L("/?%x0"), L("/a%2"), L("/\\"),
		L("/\""), L("/<"), L("/>"), L("/{}"), L("/|"), L("/^"), L("/`"), L("/["), L("/]"),
		L("/\xc3\xa9"), L("/\x7f"), L("//["), L("http:/b"), L("http:b"), L("http://"), L("http:///b"),
		L("http://?b"), L("http://:80/"), L("http://u@b/"), L("http://u:p@b/"), L("http://b:c/"),
		L("http://b:-1/"), L("http://[::1/"), L("http://b]/"), L("http://[b]/"), L("http://b/%"),
		L("http://b#c"), L("http://b%zz/"), L("1http://b/"), L("+a://b/"), L("://b/"), L("mailto:b"),
		L("http://b\\c/"), L("*/"), L("**"));
	EACH(400, "CONNECT ", " HTTP/1.1\r\n" H "\r\n", L("/"), L("b"), L("b:"), L(":80"), L("http://b:80/"),
		L("u@b:80"), L("*"), L("b:80/"), L("[::1]"), L("::1:80"), L("b:x"), L("b:80:80"));
	EACH(400, "OPTIONS ", " HTTP/1.1\r\n" H "\r\n", L("**"), L("*/"), L("/*%"), L("*?a"));
	EACH(400, "", " * HTTP/1.1\r\n" H "\r\n", L("HEAD"), L("POST"), L("DELETE"), L("TRACE"), L("X"));
}
END_TEST

/* ---- the body's length, RFC 9110 8.6, RFC 9112 6 ---- */

START_TEST(lengths)
{
	static const struct {
		const char *value;
		uint64_t length;
	} rows[] = { { "0", 0 }, { "5", 5 }, { " 5", 5 }, { "\t 5 \t", 5 },
		{ "0000000000000000000000000005", 5 }, { "2147483648", UINT64_C(1) << 31 },
		{ "4294967295", 0xffffffff }, { "4294967296", UINT64_C(1) << 32 },
		{ "9223372036854775807", INT64_MAX }, { "9223372036854775808", UINT64_C(1) << 63 },
		{ "18446744073709551615", UINT64_MAX }, { "18446744073709551616", UINT64_MAX },
		{ "18446744073709551621", UINT64_MAX }, { "99999999999999999999999999999999", UINT64_MAX } };
	for (size_t i = 0; i < COUNT(rows); i++) {
		judge(around("POST / HTTP/1.1\r\n" H "Content-Length: ", text_of(rows[i].value), END), 0);
		MUST(r.body == MRG_HTTP_BODY_LENGTH);
		MUST(r.length == rows[i].length);
	}
}
END_TEST

START_TEST(lengths_that_are_none)
{
	EACH(400, "POST / HTTP/1.1\r\n" H "Content-Length: ", END, L(""), L("+5"), L("-1"), L("-0"), L("0x5"),
		L("5x"), L("5."), L("5.0"), L("1e3"), L("5 5"), L("5,5"), L("5, 5"), L("5,6"), L(","),
		L("5,"), L(",5"), L("\"5\""), L("5;"), L("a"), L("5\x80"), L("\xef\xbc\x95"), L("1_000"),
		L("5L"), L("chunked"));
	EACH(400, "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n", END, L("Content-Length: 5"),
		L("Content-Length: 6"), L("content-length: 0"), L("Content-Length:"));
}
END_TEST

START_TEST(length_beside_coding)
{
	REFUSED(400, L("POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
		L("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
		L("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"),
		L("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
		L("POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\n"));
}
END_TEST

START_TEST(transfer_codings)
{
	EACH(0, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: ", END, L("chunked"), L("CHUNKED"), L("cHunkeD"),
		L(" chunked "), L(",chunked"), L("chunked ,"), L(", ,\t, chunked"));
	MUST(r.body == MRG_HTTP_BODY_CHUNKED);
	EACH(501, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: ", END, L("gzip, chunked"), L("gzip,chunked"),
		L("x-gzip;a=b , deflate,Chunked"), L("identity, chunked"), L("unheard-of, chunked"));
	EACH(400, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: ", END, L(""), L(","), L("xchunked"),
		L("chunkedx"), L("chunked x"), L("x chunked"), L("identity"), L("gzip"),
		L("chunked, identity"), L("chunked, gzip"), L("chunked,chunked"), L("chunked, chunked, gzip"),
		L("gzip, chunked, chunked"), L("\"chunked\""), L("chunked\x80"),
		L("\x80"
		  "chunked"),
		L("\vchunked"), L("chunked\f"), L("[chunked]"), L("chunked/1"), L("gzip chunked"),
		L("gzip;chunked"),
		L("\xa0"
		  "chunked"));
	/* RFC 9112 7.1: it has no parameters */
	EACH(400, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: ", END, L("chunked;a=b"), L("chunked;"),
		L("chunked ; q=1"));
	EACH(400, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n", END,
		L("Transfer-Encoding: chunked"), L("Transfer-Encoding: identity"), L("Transfer-Encoding:"));
	EACH(400, "POST / HTTP/1.0\r\nTransfer-Encoding: ", END, L("chunked"), L("gzip"), L("identity"),
		L(""));
}
END_TEST

/* ---- Connection, RFC 9112 9.3 and 9.6, and Expect, RFC 9110 10.1.1 ---- */

static void judge_persistence(
	const char *before, const struct mrg_span *values, size_t count, const char *behind, bool keep)
{
	for (size_t i = 0; i < count; i++) {
		judge(around(before, values[i], behind), 0);
		MUST_SAY(r.keep_alive == keep, "<%.*s>", (int)values[i].len, (const char *)values[i].p);
	}
}

#define PERSISTS(keep, before, behind, ...)                                                                  \
	do {                                                                                                 \
		const struct mrg_span values[] = { __VA_ARGS__ };                                            \
		judge_persistence((before), values, COUNT(values), (behind), (keep));                        \
	} while (0)

START_TEST(persistence)
{
	PERSISTS(true, GET H, "\r\n", L(""), L("Connection: keep-alive\r\n"), L("Connection: closed\r\n"),
		L("Connection: x-close\r\n"), L("Connection:\r\n"), L("Connection: ,\r\n"),
		L("Close: close\r\n"), L("Proxy-Connection: close\r\n"));
	PERSISTS(false, GET H, "\r\n", L("Connection: close\r\n"), L("connection: CLOSE\r\n"),
		L("Connection: a, Close\r\n"), L("Connection: keep-alive, close\r\n"),
		L("Connection: close, keep-alive\r\n"), L("Connection: ,,close,\r\n"),
		L("Connection: keep-alive\r\nConnection: close\r\n"),
		L("Connection: close\r\nConnection: keep-alive\r\n"),
		L("Connection: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,close\r\n"));
	PERSISTS(false, "GET / HTTP/1.0\r\n", "\r\n", L(""), L("Connection: close\r\n"),
		L("Connection: keep-alive, close\r\n"), L("Keep-Alive: timeout=5\r\n"),
		L("Connection: x\r\n"));
	PERSISTS(true, "GET / HTTP/1.0\r\n", "\r\n", L("Connection: keep-alive\r\n"),
		L("Connection: Keep-Alive\r\n"), L("Connection: TE, KEEP-ALIVE\r\n"));
	EACH(400, GET H "Connection: ", END, L("a b"), L("\"close\""), L("close;"), L("close\x80"));
}
END_TEST

START_TEST(expectations)
{
	EACH(0, "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nExpect: ", END, L("100-continue"),
		L("100-Continue"), L("100-CONTINUE"), L("100-continue,"), L(", 100-continue , "),
		L("100-continue, 100-continue"), L("100-continue\r\nExpect: 100-continue"));
	MUST(r.expect_continue);
	EACH(0, "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nExpect: ", END, L(","), L(""));
	MUST(!r.expect_continue); /* a list of nothing */
	EACH(417, "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nExpect: ", END, L("200-ok"),
		L("100-continue, x"), L("x, 100-continue"), L("100-continue=x"), L("100-continue;x"),
		L("100 continue"), L("100-continue\r\nExpect: x"), L("100"));
	TAKEN({ "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
		"POST 1.0 origin ||/|- length=1 close" });
}
END_TEST

/* ---- sizes, RFC 9112 3, RFC 6585 5 ---- */

static uint8_t *big;
static size_t big_len;

static void put(const char *s) { memcpy(big + big_len, s, strlen(s)), big_len += strlen(s); }

static void put_many(char c, size_t count) { memset(big + big_len, c, count), big_len += count; }

static void judge_big(unsigned status)
{
	judge((struct mrg_span){ big, big_len }, status);
	big_len = 0;
}

static void start_big(void) { big = malloc(GUARDED_MAX), big_len = 0; }

static void stop_big(void) { free(big); }

START_TEST(long_targets)
{
	static const size_t lens[] = { 1, 7998, 7999, 8000, 8191, 65535, 1 << 20 };
	for (size_t i = 0; i < COUNT(lens); i++) {
		put("GET /");
		put_many('a', lens[i]);
		put(" HTTP/1.1\r\n" H "\r\n");
		judge_big(lens[i] <= 7999 ? 0 : 414);
	}
	put("GET /"); /* and it need not end to be too long */
	put_many('a', 8000);
	judge_big(414);
}
END_TEST

START_TEST(long_methods)
{
	static const size_t lens[] = { 1, 31, 32, 33, 1024, 65536 };
	for (size_t i = 0; i < COUNT(lens); i++) {
		put_many('A', lens[i]);
		put(" / HTTP/1.1\r\n" H "\r\n");
		judge_big(lens[i] <= 32 ? 0 : 501);
	}
}
END_TEST

/* No list is too long but by the head that it is in. */
START_TEST(long_lists)
{
	static const size_t counts[] = { 1, 7, 8, 15, 16, 17, 33, 1000, 4000 };
	static const struct {
		const char *before, *item, *behind;
		unsigned status;
	} rows[] = { { "Transfer-Encoding: ", "a;b=c, ", "chunked", 501 },
		{ "Transfer-Encoding: ", "a, ", "chunked", 501 }, { "Transfer-Encoding: ", "a, ", "", 400 },
		{ "Transfer-Encoding: chunked, ", "a;b=c, ", "chunked", 400 },
		{ "Transfer-Encoding: chunked", ",", "", 0 },
		{ "Transfer-Encoding: ", "a, ", "chunked;", 400 },
		{ "Content-Length: 1\r\nExpect: ", "100-continue, ", "100-continue", 0 },
		{ "Expect: ", "100-continue, ", "x", 417 }, { "Connection: ", "a, ", "close", 0 },
		{ "Connection: ", "a, ", "b c", 400 } };
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t k = 0; k < COUNT(counts); k++) {
			put("POST / HTTP/1.1\r\n" H);
			put(rows[i].before);
			for (size_t n = 0; n < counts[k]; n++)
				put(rows[i].item);
			put(rows[i].behind);
			put(END);
			judge_big(rows[i].status);
		}
}
END_TEST

START_TEST(many_fields)
{
	static const size_t counts[] = { 1, 99, 100, 101, 1000, 10000 };
	for (size_t i = 0; i < COUNT(counts); i++) {
		put(GET H);
		for (size_t k = 1; k < counts[i]; k++)
			put("X: y\r\n");
		put("\r\n");
		judge_big(counts[i] <= 100 ? 0 : 431);
		if (counts[i] <= 100)
			MUST(r.count == counts[i]);
	}
}
END_TEST

START_TEST(long_heads)
{
	static const size_t lens[] = { 65535, 65536, 65537, 65538, 1 << 20 };
	for (size_t i = 0; i < COUNT(lens); i++) {
		put(GET H "X: ");
		put_many('y', lens[i] - big_len - 4);
		put("\r\n\r\n");
		MUST(big_len == lens[i]);
		judge_big(lens[i] <= 65536 ? 0 : 431);
		put(GET H);
		put_many('X', lens[i]);
		judge_big(lens[i] + sizeof GET + sizeof H <= 65536 ? 1 : 431);
		put(GET H "X:");
		put_many(' ', lens[i]);
		judge_big(lens[i] + sizeof GET + sizeof H <= 65536 ? 1 : 431);
	}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http/request");
	TCase *const t = tcase_create("request");
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, start_big, stop_big);
	tcase_add_test(t, heads_as_they_should_be);
	tcase_add_test(t, methods_are_words_in_one_case_only);
	tcase_add_test(t, fields_are_found_by_name);
	tcase_add_test(t, bare_cr);
	tcase_add_test(t, bare_lf);
	tcase_add_test(t, line_ends_in_a_value);
	tcase_add_test(t, white_space_around_names);
	tcase_add_test(t, white_space_in_the_request_line);
	tcase_add_test(t, names_that_are_none);
	tcase_add_test(t, octets_of_a_method);
	tcase_add_test(t, octets_of_a_path);
	tcase_add_test(t, octets_of_a_query);
	tcase_add_test(t, octets_of_a_name);
	tcase_add_test(t, octets_of_a_value);
	tcase_add_test(t, octets_of_a_host);
	tcase_add_test(t, no_octet_may_be_nul);
	tcase_add_test(t, every_flip_of_a_bit_is_judged_the_same_whole_and_in_pieces);
	tcase_add_test(t, at_each_alignment);
	tcase_add_test(t, other_protocols);
	tcase_add_test(t, versions);
	tcase_add_test(t, no_host_and_two);
	tcase_add_test(t, hosts_that_are_none);
	tcase_add_test(t, hosts);
	tcase_add_test(t, targets_in_four_forms);
	tcase_add_test(t, targets_in_no_form);
	tcase_add_test(t, lengths);
	tcase_add_test(t, lengths_that_are_none);
	tcase_add_test(t, length_beside_coding);
	tcase_add_test(t, transfer_codings);
	tcase_add_test(t, persistence);
	tcase_add_test(t, expectations);
	tcase_add_test(t, long_targets);
	tcase_add_test(t, long_methods);
	tcase_add_test(t, long_lists);
	tcase_add_test(t, many_fields);
	tcase_add_test(t, long_heads);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
