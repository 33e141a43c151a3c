/*
 * protocols/http/response: heads of responses, against RFC 9112 4, 5, 6.3 and 9.3.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "protocols/http/response.h"

static struct mrg_http_response r;
static struct mrg_span head;
static size_t head_len;

static enum mrg_status read_octets(const char *text, size_t len, enum mrg_http_method method)
{
	head = guarded((struct mrg_span){ (const uint8_t *)text, len });
	memset(&r, 0xa5, sizeof r);
	head_len = SIZE_MAX;
	return mrg_http_response_read(head, method, &r, &head_len);
}

static enum mrg_status read_text(const char *text, enum mrg_http_method method)
{
	return read_octets(text, strlen(text), method);
}

static bool is(struct mrg_span s, const char *text) { return mrg_span_eq(s, text_of(text)); }

/* ---- the line ---- */

START_TEST(the_line)
{
	static const struct {
		const char *text;
		unsigned status, minor;
		const char *reason;
	} lines[] = {
		{ "HTTP/1.1 200 OK", 200, 1, "OK" },
		{ "HTTP/1.0 404 Not Found", 404, 0, "Not Found" },
		{ "HTTP/1.1 200 ", 200, 1, "" },
		{ "HTTP/1.9 299 a\tb\x80 \xff ", 299, 9, "a\tb\x80 \xff " },
		{ "HTTP/1.1 000 x", 0, 1, "x" },
		{ "HTTP/1.1 999 x", 999, 1, "x" },
		{ "HTTP/1.1 600 200 OK", 600, 1, "200 OK" },
	};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		char text[200];
		(void)snprintf(text, sizeof text, "%s\r\n\r\n", lines[i].text);
		ck_assert_int_eq(read_text(text, MRG_HTTP_METHOD_GET), MRG_OK);
		ck_assert_uint_eq(head_len, strlen(text));
		ck_assert_uint_eq(r.status, lines[i].status);
		ck_assert_uint_eq(r.minor, lines[i].minor);
		ck_assert(is(r.reason, lines[i].reason));
		ck_assert_uint_eq(r.count, 0);
	}
}
END_TEST

START_TEST(fields)
{
	ck_assert_int_eq(
		read_text(
			"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-None:\r\nset-cookie:\t b=\xe9 2 \t\r\n\r\nrest",
			MRG_HTTP_METHOD_GET),
		MRG_OK);
	ck_assert(is((struct mrg_span){ head.p + head_len, 4 }, "rest"));
	ck_assert_uint_eq(r.count, 3);
	const struct mrg_http_field_line *f = mrg_http_response_field(&r, MRG_HTTP_FIELD_SET_COOKIE, NULL);
	ck_assert_ptr_eq(f, &r.fields[0]);
	ck_assert(is(f->value, "a=1"));
	f = mrg_http_response_field(&r, MRG_HTTP_FIELD_SET_COOKIE, f);
	ck_assert_ptr_eq(f, &r.fields[2]);
	ck_assert(is(f->name, "set-cookie") && is(f->value, "b=\xe9 2"));
	ck_assert_ptr_null(mrg_http_response_field(&r, MRG_HTTP_FIELD_SET_COOKIE, f));
	ck_assert_ptr_null(mrg_http_response_field(&r, MRG_HTTP_FIELD_AGE, NULL));
	ck_assert(is(r.fields[1].name, "X-None") && r.fields[1].id == MRG_HTTP_FIELD_UNKNOWN);
	ck_assert_ptr_null(r.fields[1].value.p);
}
END_TEST

START_TEST(a_head_that_is_cut)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b c \r\n\r\n";
	for (size_t len = 0; len < sizeof text - 1; len++)
		ck_assert_int_eq(read_octets(text, len, MRG_HTTP_METHOD_GET), MRG_MORE);
	ck_assert_int_eq(read_octets(text, sizeof text - 1, MRG_HTTP_METHOD_GET), MRG_OK);
}
END_TEST

/* ---- how the body ends, RFC 9112 6.3 ---- */

enum { GET = MRG_HTTP_METHOD_GET, HEAD = MRG_HTTP_METHOD_HEAD, CONNECT = MRG_HTTP_METHOD_CONNECT };
enum {
	NONE = MRG_HTTP_BODY_NONE,
	LENGTH = MRG_HTTP_BODY_LENGTH,
	CHUNKED = MRG_HTTP_BODY_CHUNKED,
	UNTIL = MRG_HTTP_BODY_CLOSE
};

struct framed {
	const char *text; /* without the last empty line */
	int method, body;
	uint64_t length;
	bool keep_alive, coded, tunnel;
};

#define TE "Transfer-Encoding: "
#define CL "Content-Length: "

static const struct framed framed[] = {
	{ "HTTP/1.1 200 OK\r\n" CL "5\r\n", GET, LENGTH, 5, true, false, false },
	{ "HTTP/1.1 200 OK\r\n" CL "0\r\n", GET, LENGTH, 0, true, false, false },
	{ "HTTP/1.1 200 OK\r\n" CL "00018446744073709551614\r\n", GET, LENGTH, UINT64_MAX - 1, true, false,
		false },
	{ "HTTP/1.1 404 No\r\n" CL "5\r\n", GET, LENGTH, 5, true, false, false },
	/* without any of the fields the end of the connection is the end of the body */
	{ "HTTP/1.1 200 OK\r\n", GET, UNTIL, 0, false, false, false },
	{ "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n", GET, UNTIL, 0, false, false, false },
	{ "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", GET, UNTIL, 0, false, false, false },
	/* no body, whatever the fields say */
	{ "HTTP/1.1 200 OK\r\n" CL "5\r\n", HEAD, NONE, 0, true, false, false },
	{ "HTTP/1.1 200 OK\r\n" TE "chunked\r\n", HEAD, NONE, 0, true, false, false },
	{ "HTTP/1.1 200 OK\r\n", HEAD, NONE, 0, true, false, false },
	{ "HTTP/1.1 204 No\r\n" CL "5\r\n", GET, NONE, 0, true, false, false },
	{ "HTTP/1.1 204 No\r\n" TE "chunked\r\n", GET, NONE, 0, true, false, false },
	{ "HTTP/1.1 304 No\r\n" CL "5\r\n", GET, NONE, 0, true, false, false },
	{ "HTTP/1.1 304 No\r\n", GET, NONE, 0, true, false, false },
	{ "HTTP/1.1 100 Go\r\n", GET, NONE, 0, true, false, false },
	{ "HTTP/1.1 103 Hints\r\n" CL "5\r\nLink: <a>\r\n", GET, NONE, 0, true, false, false },
	{ "HTTP/1.1 101 Switch\r\n", GET, NONE, 0, true, false, false },
	{ "HTTP/1.1 199 x\r\n", GET, NONE, 0, true, false, false },
	{ "HTTP/1.1 204 No\r\n" CL "x\r\n", GET, NONE, 0, true, false, false },
	/* 2xx to CONNECT is no message's end, but that of all messages */
	{ "HTTP/1.1 200 OK\r\n" CL "5\r\n", CONNECT, NONE, 0, false, false, true },
	{ "HTTP/1.1 299 OK\r\n" TE "chunked\r\n", CONNECT, NONE, 0, false, false, true },
	{ "HTTP/1.1 407 No\r\n" CL "5\r\n", CONNECT, LENGTH, 5, true, false, false },
	{ "HTTP/1.1 300 No\r\n", CONNECT, UNTIL, 0, false, false, false },
	/* chunked, last or not */
	{ "HTTP/1.1 200 OK\r\n" TE "chunked\r\n", GET, CHUNKED, 0, true, false, false },
	{ "HTTP/1.1 200 OK\r\n" TE "ChunKED\r\n", GET, CHUNKED, 0, true, false, false },
	{ "HTTP/1.1 200 OK\r\n" TE " , chunked,,\r\n", GET, CHUNKED, 0, true, false, false },
	{ "HTTP/1.1 200 OK\r\n" TE "gzip, chunked\r\n", GET, CHUNKED, 0, true, true, false },
	{ "HTTP/1.1 200 OK\r\n" TE "gzip;q=1, chunked\r\n", GET, CHUNKED, 0, true, true, false },
	{ "HTTP/1.1 200 OK\r\n" TE "gzip;q=1\r\n", GET, UNTIL, 0, false, true, false },
	{ "HTTP/1.1 200 OK\r\n" TE "gzip\r\n", GET, UNTIL, 0, false, true, false },
	{ "HTTP/1.1 200 OK\r\n" TE "chunked, gzip\r\n", GET, UNTIL, 0, false, true, false },
	{ "HTTP/1.1 200 OK\r\n" TE "xchunked\r\n", GET, UNTIL, 0, false, true, false },
	/* persistence, RFC 9112 9.3 */
	{ "HTTP/1.1 200 OK\r\n" CL "5\r\nConnection: close\r\n", GET, LENGTH, 5, false, false, false },
	{ "HTTP/1.1 200 OK\r\n" CL "5\r\nConnection: x, CLOSE, keep-alive\r\n", GET, LENGTH, 5, false, false,
		false },
	{ "HTTP/1.1 200 OK\r\n" CL "5\r\nConnection: keep-alive\r\nConnection: close\r\n", GET, LENGTH, 5,
		false, false, false },
	{ "HTTP/1.2 200 OK\r\n" CL "5\r\n", GET, LENGTH, 5, true, false, false },
	{ "HTTP/1.0 200 OK\r\n" CL "5\r\n", GET, LENGTH, 5, false, false, false },
	{ "HTTP/1.0 200 OK\r\n" CL "5\r\nConnection: keep-alive\r\n", GET, LENGTH, 5, true, false, false },
	{ "HTTP/1.0 200 OK\r\n" CL "5\r\nConnection: keep-alive, close\r\n", GET, LENGTH, 5, false, false,
		false },
};

START_TEST(framing)
{
	const struct framed *const f = &framed[_i];
	char text[300];
	(void)snprintf(text, sizeof text, "%s\r\n", f->text);
	ck_assert_int_eq(read_text(text, (enum mrg_http_method)f->method), MRG_OK);
	ck_assert_msg(r.body == (enum mrg_http_body)f->body, "%s: %u", f->text, (unsigned)r.body);
	ck_assert_msg(r.length == f->length, "%s", f->text);
	ck_assert_msg(r.keep_alive == f->keep_alive, "%s", f->text);
	ck_assert_msg(r.coded == f->coded, "%s", f->text);
	ck_assert_msg(r.tunnel == f->tunnel, "%s", f->text);
	ck_assert_uint_eq(mrg_http_response_interim(&r), r.status >= 100 && r.status < 200);
}
END_TEST

/* ---- what is refused ---- */

struct bad {
	const char *text;
	size_t at; /* the octet that can't be there; SIZE_MAX: the head as a whole */
	const char *clause;
};

static const struct bad bads[] = {
	/* no status line */
	{ "\r\nHTTP/1.1 200 OK\r\n\r\n", 0, "RFC 9112 4" },
	{ "<html>\r\n\r\n", 0, "RFC 9112 4" },
	{ "http/1.1 200 OK\r\n\r\n", 0, "RFC 9112 4" },
	{ "HTTP/1.1\r\n\r\n", 8, "RFC 9112 4" },
	{ "HTTP/1.1 OK\r\n\r\n", 9, "RFC 9112 4" },
	{ "HTTP/1.1 20 OK\r\n\r\n", 11, "RFC 9112 4" },
	{ "HTTP/1.1 2000 OK\r\n\r\n", 12, "RFC 9112 4" },
	{ "HTTP/1.1 200\r\n\r\n", 12, "RFC 9112 4" },
	{ "HTTP/1.1  200 OK\r\n\r\n", 9, "RFC 9112 4" },
	{ "HTTP/1.1 -20 OK\r\n\r\n", 9, "RFC 9112 4" },
	{ "HTTP/1.1 200 O\x01K\r\n\r\n", 14, "RFC 9112 4" },
	{ "HTTP/1.1 200 OK\n\n", 15, "RFC 9112 4" },
	{ "HTTP/1.1 200 O\rK\r\n\r\n", 15, "RFC 9112 4" },
	/* versions */
	{ "HTTP/2.0 200 OK\r\n\r\n", SIZE_MAX, "RFC 9112 2.3" },
	{ "HTTP/0.9 200 OK\r\n\r\n", SIZE_MAX, "RFC 9112 2.3" },
	{ "HTTP/1.10 200 OK\r\n\r\n", 8, "RFC 9112 4" },
	{ "HTTP/11.1 200 OK\r\n\r\n", 6, "RFC 9112 4" },
	/* fields */
	{ "HTTP/1.1 200 OK\r\n a: b\r\n\r\n", 17, "RFC 9112 4" },
	{ "HTTP/1.1 200 OK\r\n: b\r\n\r\n", 17, "RFC 9112 4" },
	{ "HTTP/1.1 200 OK\r\na : b\r\n\r\n", 18, "RFC 9112 4" },
	{ "HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n", 23, "RFC 9112 4" },
	{ "HTTP/1.1 200 OK\r\na: b\rc\r\n\r\n", 22, "RFC 9112 4" },
	{ "HTTP/1.1 200 OK\r\na: b\nc: d\r\n\r\n", 21, "RFC 9112 4" },
	{ "HTTP/1.1 200 OK\r\na\r\n\r\n", 18, "RFC 9112 4" },
	/* the body's length */
	{ "HTTP/1.1 200 OK\r\n" CL "5\r\n" CL "5\r\n\r\n", SIZE_MAX, "RFC 9112 6.3" },
	{ "HTTP/1.1 200 OK\r\n" CL "5\r\n" CL "6\r\n\r\n", SIZE_MAX, "RFC 9112 6.3" },
	{ "HTTP/1.1 200 OK\r\n" CL "5, 5\r\n\r\n", SIZE_MAX, "RFC 9112 6.3" },
	{ "HTTP/1.1 200 OK\r\n" CL "+5\r\n\r\n", SIZE_MAX, "RFC 9112 6.3" },
	{ "HTTP/1.1 200 OK\r\n" CL "-1\r\n\r\n", SIZE_MAX, "RFC 9112 6.3" },
	{ "HTTP/1.1 200 OK\r\n" CL "0x5\r\n\r\n", SIZE_MAX, "RFC 9112 6.3" },
	{ "HTTP/1.1 200 OK\r\n" CL "\r\n\r\n", SIZE_MAX, "RFC 9112 6.3" },
	{ "HTTP/1.1 200 OK\r\n" CL "18446744073709551615\r\n\r\n", SIZE_MAX, "larger than can be counted" },
	{ "HTTP/1.1 200 OK\r\n" CL "99999999999999999999999\r\n\r\n", SIZE_MAX,
		"larger than can be counted" },
	{ "HTTP/1.1 200 OK\r\n" CL "5\r\n" TE "chunked\r\n\r\n", SIZE_MAX, "RFC 9112 6.3" },
	{ "HTTP/1.1 200 OK\r\n" TE "chunked\r\n" TE "chunked\r\n\r\n", SIZE_MAX, "RFC 9112 6.1" },
	{ "HTTP/1.1 200 OK\r\n" TE "chunked, chunked\r\n\r\n", SIZE_MAX, "RFC 9112 6.1" },
	{ "HTTP/1.1 200 OK\r\n" TE "chunked, gzip, chunked\r\n\r\n", SIZE_MAX, "RFC 9112 6.1" },
	{ "HTTP/1.1 200 OK\r\n" TE "chunked;q=1\r\n\r\n", SIZE_MAX, "RFC 9112 6.1, 7.1" },
	{ "HTTP/1.1 200 OK\r\n" TE "chunked;q=1, gzip\r\n\r\n", SIZE_MAX, "RFC 9112 6.1, 7.1" },
	{ "HTTP/1.1 200 OK\r\n" TE "\r\n\r\n", SIZE_MAX, "RFC 9112 6.1" },
	{ "HTTP/1.1 200 OK\r\n" TE "chunked gzip\r\n\r\n", SIZE_MAX, "RFC 9112 6.1" },
	{ "HTTP/1.1 200 OK\r\n" TE "\x80\r\n\r\n", SIZE_MAX, "RFC 9112 6.1" },
	{ "HTTP/1.0 200 OK\r\n" TE "chunked\r\n\r\n", SIZE_MAX, "RFC 9112 6.1" },
	{ "HTTP/1.1 200 OK\r\nConnection: a b\r\n\r\n", SIZE_MAX, "RFC 9110 7.6.1" },
};

START_TEST(refused)
{
	const struct bad *const b = &bads[_i];
	const enum mrg_status st = read_text(b->text, MRG_HTTP_METHOD_GET);
	ck_assert_msg(st < 0, "%s: %s", b->text, mrg_status_str(st));
	ck_assert_msg(
		head_len == (b->at == SIZE_MAX ? strlen(b->text) : b->at), "%s: at %zu", b->text, head_len);
	char why[200];
	ck_assert_uint_lt(r.why.len, sizeof why);
	memcpy(why, r.why.p, r.why.len);
	why[r.why.len] = '\0';
	ck_assert_msg(strstr(why, b->clause) != NULL, "%s: %s", b->text, why);
}
END_TEST

/* Each octet that is no part of a reason or value, at each place in the head: never accepted, and never read on. */
START_TEST(controls_anywhere)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
	for (size_t at = 0; at < sizeof text - 1; at++)
		for (unsigned c = 0; c < 32; c++) {
			char bad[sizeof text];
			memcpy(bad, text, sizeof text);
			bad[at] = (char)c;
			if (c == '\t' || bad[at] == text[at])
				continue;
			const enum mrg_status st = read_octets(bad, sizeof text - 1, MRG_HTTP_METHOD_GET);
			ck_assert_msg(st < 0, "octet %u at %zu: %s", c, at, mrg_status_str(st));
			ck_assert_uint_ge(
				head_len + 1, at); /* CR is known to be wrong by the octet behind it */
			ck_assert_uint_le(head_len, at + 1);
		}
}
END_TEST

/* ---- octets: which may stand where; flips; where it lies in memory ---- */

#define ALNUM "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* Any of 256 between these; `high`: the upper half, too. */
static void judge_octets(const char *before, const char *behind, const char *allowed, bool high)
{
	for (unsigned c = 0; c < 256; c++) {
		char text[100];
		const int len = snprintf(text, sizeof text, "%s%c%s", before, (int)c, behind);
		const bool good =
			(c != 0 && c < 0x80 && strchr(allowed, (int)c) != NULL) || (c >= 0x80 && high);
		const enum mrg_status st = read_octets(text, (size_t)len, MRG_HTTP_METHOD_GET);
		MUST_SAY(good ? st == MRG_OK && head_len == (size_t)len : st < 0, "octet %u behind <%s>: %s",
			c, before, mrg_status_str(st));
	}
}

START_TEST(every_octet_in_each_part)
{
	static const char visible[] = ALNUM "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t";
	judge_octets("HTTP/1.1 200 O", "K\r\n\r\n", visible, true);
	judge_octets("HTTP/1.1 200 OK\r\nX: a", "b\r\n\r\n", visible, true);
	judge_octets("HTTP/1.1 200 OK\r\nX", "Y: a\r\n\r\n",
		ALNUM "!#$%&'*+-.^_`|~:", false); /* `:` ends the name */
	judge_octets("HTTP/1.1 2", "0 OK\r\n\r\n", "0123456789", false);
	judge_octets("HTTP/1", "1 200 OK\r\n\r\n", ".", false);
}
END_TEST

static const char flipped[] =
	"HTTP/1.1 206 Partial\r\nTransfer-Encoding: gzip, chunked\r\nConnection: close\r\nContent-Length: 4\r\n\r\n";

/* What is taken whole is taken at its last octet and not before; what is refused is refused there, or earlier, for good. */
START_TEST(every_flip_of_a_bit_is_judged_the_same_whole_and_in_pieces)
{
	char text[sizeof flipped + 1];
	for (size_t bit = 0; bit < (sizeof flipped - 1) * 8; bit++) {
		memcpy(text, flipped, sizeof flipped);
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
		const enum mrg_status st = read_octets(text, sizeof flipped - 1, MRG_HTTP_METHOD_GET);
		const size_t at = head_len;
		for (size_t len = 0; len < sizeof flipped - 1; len++) {
			const enum mrg_status part = read_octets(text, len, MRG_HTTP_METHOD_GET);
			MUST_SAY(part == MRG_MORE || (part == st && head_len == at && len > at),
				"bit %zu, %zu octets: %s", bit, len, mrg_status_str(part));
		}
		text[sizeof flipped - 1] = 'x';
		MUST(st == MRG_MORE || read_octets(text, sizeof flipped, MRG_HTTP_METHOD_GET) == st);
		MUST(st == MRG_MORE || head_len == at);
	}
}
END_TEST

START_TEST(at_each_alignment)
{
	static const char text[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 1234567890123\r\nConnection: close\r\n\r\n";
	for (size_t behind = 0; behind < 16; behind++) {
		char with[sizeof text + 16];
		memset(with, 'x', sizeof with);
		memcpy(with, text, sizeof text - 1);
		ck_assert_int_eq(read_octets(with, sizeof text - 1 + behind, MRG_HTTP_METHOD_GET), MRG_OK);
		ck_assert_uint_eq(head_len, sizeof text - 1);
		ck_assert(r.length == UINT64_C(1234567890123) && !r.keep_alive);
	}
}
END_TEST

/* ---- limits ---- */

static char *many_fields(size_t count, const char *field)
{
	char *const text = malloc(100 + count * strlen(field));
	size_t len = (size_t)sprintf(text, "HTTP/1.1 200 OK\r\n");
	for (size_t i = 0; i < count; i++, len += strlen(field))
		memcpy(text + len, field, strlen(field));
	memcpy(text + len, "\r\n", 3);
	return text;
}

START_TEST(as_many_fields_as_there_may_be)
{
	char *text = many_fields(MRG_HTTP_FIELDS_MAX, "a: b\r\n");
	ck_assert_int_eq(read_text(text, MRG_HTTP_METHOD_GET), MRG_OK);
	ck_assert_uint_eq(r.count, MRG_HTTP_FIELDS_MAX);
	free(text);
	text = many_fields(MRG_HTTP_FIELDS_MAX + 1, "a: b\r\n");
	ck_assert_int_lt(read_text(text, MRG_HTTP_METHOD_GET), 0);
	ck_assert_uint_eq(head_len, 17 + 6 * MRG_HTTP_FIELDS_MAX);
	free(text);
}
END_TEST

START_TEST(as_many_codings_as_there_are)
{
	for (size_t count = 1; count < 5000; count += 1 + count / 2) {
		char *const list = many_fields(count, "a;b=\"c\" ,"), *const text =
									      malloc(strlen(list) + 100);
		(void)sprintf(text, "HTTP/1.1 200 OK\r\nTransfer-Encoding: %.*schunked\r\n\r\n",
			(int)strlen(list) - 19, list + 17);
		ck_assert_int_eq(read_text(text, MRG_HTTP_METHOD_GET), MRG_OK);
		ck_assert(r.body == MRG_HTTP_BODY_CHUNKED && r.coded);
		free(text);
		free(list);
	}
}
END_TEST

START_TEST(as_long_as_a_head_may_be)
{
	enum { MAX = 65536 };
	char *const text = malloc(MAX + 2);
	memset(text, 'x', MAX + 1);
	memcpy(text, "HTTP/1.1 200 OK\r\na: ", 20);
	memcpy(text + MAX - 4, "\r\n\r\n", 4);
	ck_assert_int_eq(read_octets(text, MAX, MRG_HTTP_METHOD_GET), MRG_OK);
	ck_assert_uint_eq(head_len, MAX);
	memset(text + MAX - 4, 'x', 4);
	memcpy(text + MAX - 3, "\r\n\r\n", 4);
	ck_assert_int_lt(read_octets(text, MAX + 1, MRG_HTTP_METHOD_GET), 0);
	ck_assert_uint_eq(head_len, MAX);
	free(text);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http responses");
	TCase *const t = tcase_create("response");
	tcase_add_test(t, the_line);
	tcase_add_test(t, fields);
	tcase_add_test(t, a_head_that_is_cut);
	tcase_add_loop_test(t, framing, 0, (int)(sizeof framed / sizeof framed[0]));
	tcase_add_loop_test(t, refused, 0, (int)(sizeof bads / sizeof bads[0]));
	tcase_add_test(t, controls_anywhere);
	tcase_add_test(t, every_octet_in_each_part);
	tcase_add_test(t, every_flip_of_a_bit_is_judged_the_same_whole_and_in_pieces);
	tcase_add_test(t, at_each_alignment);
	tcase_add_test(t, as_many_fields_as_there_may_be);
	tcase_add_test(t, as_many_codings_as_there_are);
	tcase_add_test(t, as_long_as_a_head_may_be);
	suite_add_tcase(s, t);
	SRunner *const sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	const int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
