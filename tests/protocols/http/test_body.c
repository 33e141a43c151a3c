/*
 * protocols/http/body: bodies by length, in chunks (RFC 9112 7.1) and up to the end of the connection, at each way to cut them; and
 * chunks as they are written.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "mrg_digits.h"
#include "protocols/http/body.h"

/* What came of a body: its octets, then each trailer field as `name=value;`. */
struct result {
	enum mrg_status st;
	size_t used; /* octets of the input */
	unsigned code;
	bool ends;
	char octets[3000], trailer[600];
	size_t octet_count;
};

static void take_parts(struct result *res, const struct mrg_http_body_got *got)
{
	size_t len = strlen(res->trailer);
	for (size_t i = 0; i < got->part_count; i++) {
		const struct mrg_part *const part = &got->parts[i];
		const bool name = part->what == MRG_HTTP_HTTP1_TRAILER_NAME;
		ck_assert_uint_lt(len + part->len + 2, sizeof res->trailer);
		len -= part->cut;
		memcpy(res->trailer + len, part->p, part->len);
		len += part->len;
		if (part->last)
			res->trailer[len++] = name ? '=' : ';';
		res->trailer[len] = '\0';
	}
}

/* Feed what is between two cuts. */
static void feed(struct mrg_http_body_reader *b, struct result *res, struct mrg_span piece)
{
	struct mrg_span in = guarded(piece);
	const size_t len = in.len;
	while (in.len != 0 && res->st == MRG_MORE) {
		struct mrg_http_body_got got;
		memset(&got, 0xa5, sizeof got);
		res->st = mrg_http_body_next(b, &in, &got);
		ck_assert_uint_le(res->octet_count + got.octets.len, sizeof res->octets);
		if (got.octets.len != 0)
			memcpy(res->octets + res->octet_count, got.octets.p, got.octets.len);
		res->octet_count += got.octets.len;
		ck_assert_uint_le(got.part_count, MRG_HTTP_BODY_PARTS);
		take_parts(res, &got);
		res->code = res->st == MRG_E_LIMIT ? got.code : 0;
	}
	res->used += len - in.len;
}

struct kind {
	enum mrg_http_body body;
	uint64_t length, max;
};

static const struct kind chunked = { MRG_HTTP_BODY_CHUNKED, 0, UINT64_MAX };

/* The input in three pieces; `ones`: the middle one octet by octet. */
static struct result read_cut(const struct kind *kind, struct mrg_span in, size_t a, size_t b, bool ones)
{
	static struct result res;
	struct mrg_http_body_reader r;
	memset(&r, 0xa5, sizeof r);
	res.st = MRG_MORE;
	res.used = res.octet_count = 0;
	res.trailer[0] = '\0';
	mrg_http_body_begin(&r, kind->body, kind->length, kind->max);
	feed(&r, &res, (struct mrg_span){ in.p, a });
	for (size_t i = a; ones && i < b; i++)
		feed(&r, &res, (struct mrg_span){ in.p + i, 1 });
	if (!ones)
		feed(&r, &res, (struct mrg_span){ in.p + a, b - a });
	feed(&r, &res, (struct mrg_span){ in.p + b, in.len - b });
	res.ends = mrg_http_body_ends(&r);
	return res;
}

static void expect_same(const struct result *got, const struct result *want)
{
	ck_assert_int_eq(got->st, want->st);
	ck_assert_uint_eq(got->used, want->used);
	ck_assert_uint_eq(got->code, want->code);
	ck_assert_uint_eq(got->ends, want->ends);
	ck_assert_uint_eq(got->octet_count, want->octet_count);
	ck_assert_mem_eq(got->octets, want->octets, want->octet_count);
	if (want->st >= 0) /* of a field that is refused, as much is given as was known to be right */
		ck_assert_str_eq(got->trailer, want->trailer);
}

/* The same comes of it at once, octet by octet, and in two pieces. */
static struct result read_twice(const struct kind *kind, struct mrg_span in)
{
	const struct result whole = read_cut(kind, in, in.len, in.len, false);
	const struct result ones = read_cut(kind, in, 0, in.len, true);
	expect_same(&ones, &whole);
	for (size_t a = 1; a < in.len; a++) {
		const struct result cut = read_cut(kind, in, a, in.len, false);
		expect_same(&cut, &whole);
	}
	return whole;
}

/* The same comes of it however it is cut. */
static struct result read_all(const struct kind *kind, struct mrg_span in)
{
	const struct result whole = read_cut(kind, in, in.len, in.len, false);
	const struct result ones = read_cut(kind, in, 0, in.len, true);
	expect_same(&ones, &whole);
	for (size_t a = 0; a <= in.len && in.len < 60; a++)
		for (size_t b = a; b <= in.len; b++) {
			const struct result cut = read_cut(kind, in, a, b, false);
			expect_same(&cut, &whole);
		}
	return whole;
}

static void expect_octets(const struct result *res, const char *text)
{
	ck_assert_uint_eq(res->octet_count, strlen(text));
	ck_assert_mem_eq(res->octets, text, strlen(text));
}

/* ---- by length, and up to the end of the connection ---- */

START_TEST(by_length)
{
	struct kind kind = { MRG_HTTP_BODY_LENGTH, 5, 0 };
	struct result res = read_all(&kind, text_of("helloHTTP/1.1"));
	ck_assert_int_eq(res.st, MRG_END);
	ck_assert_uint_eq(res.used, 5);
	ck_assert(res.ends);
	expect_octets(&res, "hello");
	res = read_all(&kind, text_of("hell"));
	ck_assert_int_eq(res.st, MRG_MORE);
	ck_assert(!res.ends);
	kind.length = UINT64_MAX;
	res = read_all(&kind, text_of("hello"));
	ck_assert_int_eq(res.st, MRG_MORE);
	expect_octets(&res, "hello");
}
END_TEST

START_TEST(none_at_all)
{
	static const struct kind kinds[] = { { MRG_HTTP_BODY_NONE, 7, 7 }, { MRG_HTTP_BODY_LENGTH, 0, 7 } };
	for (size_t i = 0; i < 2; i++) {
		const struct result res = read_all(&kinds[i], text_of("HTTP/1.1"));
		ck_assert_int_eq(res.st, MRG_END);
		ck_assert_uint_eq(res.used, 0);
		ck_assert_uint_eq(res.octet_count, 0);
		ck_assert(res.ends);
	}
}
END_TEST

START_TEST(until_close)
{
	struct kind kind = { MRG_HTTP_BODY_CLOSE, 0, 5 };
	struct result res = read_all(&kind, text_of("0\r\n\r\n"));
	ck_assert_int_eq(res.st, MRG_MORE);
	ck_assert(res.ends);
	expect_octets(&res, "0\r\n\r\n");
	res = read_all(&kind, text_of("hello!"));
	ck_assert_int_eq(res.st, MRG_E_RANGE);
	ck_assert_uint_eq(res.used, 5);
	ck_assert(!res.ends);
}
END_TEST

/* ---- chunked ---- */

struct good {
	const char *text, *octets, *trailer;
};

static const struct good goods[] = {
	{ "0\r\n\r\n", "", "" },
	{ "5\r\nhello\r\n0\r\n\r\n", "hello", "" },
	{ "5\r\nhello\r\n1\r\n \r\n6\r\nworld!\r\n0\r\n\r\n", "hello world!", "" },
	{ "000000000000000b\r\nhello world\r\n00000\r\n\r\n", "hello world", "" },
	{ "A\r\n0\r\n\r\n12345\r\na\r\n0\r\n\r\n67890\r\n0\r\n\r\n", "0\r\n\r\n123450\r\n\r\n67890", "" },
	/* extensions, RFC 9112 7.1.1 */
	{ "1;a\r\nx\r\n0;b=c;d=\"e;\\\"\r\\\" f\"\r\n\r\n", NULL, NULL },
	{ "1;a\r\nx\r\n0;b=c;d=\"e;\\\" f\\\\\"\r\n\r\n", "x", "" },
	{ "1 ; a = b\r\nx\r\n0\t;\ta\t=\t\"\"\r\n\r\n", "x", "" },
	/* trailers */
	{ "1\r\nx\r\n0\r\nA: b\r\n\r\n", "x", "A=b;" },
	{ "0\r\nA:   b  c \t \r\nEmpty:\r\nD: e\r\n\r\n", "", "A=b  c;Empty=D=e;" },
	{ "0\r\na:1\r\nb:2\r\nc:3\r\nd:4\r\ne:5\r\nf:6\r\ng:7\r\n\r\n", "", "a=1;b=2;c=3;d=4;e=5;f=6;g=7;" },
};

START_TEST(chunks)
{
	const struct good *const g = &goods[_i];
	char text[200];
	(void)snprintf(text, sizeof text, "%sHTTP/", g->text);
	const struct result res = read_all(&chunked, text_of(text));
	if (g->octets == NULL) {
		ck_assert_int_eq(res.st, MRG_E_TEXT);
		return;
	}
	ck_assert_int_eq(res.st, MRG_END);
	ck_assert_uint_eq(res.used, strlen(g->text));
	ck_assert(res.ends);
	expect_octets(&res, g->octets);
	ck_assert_str_eq(res.trailer, g->trailer);
	for (size_t len = 0; len < strlen(g->text); len++) {
		const struct result cut =
			read_cut(&chunked, (struct mrg_span){ (const uint8_t *)text, len }, len, len, false);
		ck_assert_int_eq(cut.st, MRG_MORE);
		ck_assert(!cut.ends);
	}
}
END_TEST

struct bad {
	const char *text;
	size_t at;
	enum mrg_status st;
	unsigned code;
};

static const struct bad bads[] = {
	{ "\r\n", 0, MRG_E_TEXT, 0 },
	{ "x\r\n", 0, MRG_E_TEXT, 0 },
	{ " 5\r\nhello\r\n", 0, MRG_E_TEXT, 0 },
	{ "-5\r\nhello\r\n", 0, MRG_E_TEXT, 0 },
	{ "+5\r\nhello\r\n", 0, MRG_E_TEXT, 0 },
	{ "0x5\r\nhello\r\n", 1, MRG_E_TEXT, 0 },
	{ "5\nhello\r\n", 1, MRG_E_TEXT, 0 },
	{ "5\rhello\r\n", 2, MRG_E_TEXT, 0 },
	{ "5 \r\nhello\r\n", 2, MRG_E_TEXT, 0 },
	{ "5;\r\nhello\r\n", 2, MRG_E_TEXT, 0 },
	{ "5;a\nb\r\nhello\r\n", 3, MRG_E_TEXT, 0 },
	{ "5;a=\"\n\"\r\nhello\r\n", 5, MRG_E_TEXT, 0 },
	{ "5;a=\"\r\n\"\r\nhello\r\n", 5, MRG_E_TEXT, 0 },
	{ "5\r\nhello0\r\n\r\n", 8, MRG_E_TEXT, 0 },
	{ "5\r\nhello\n0\r\n\r\n", 8, MRG_E_TEXT, 0 },
	{ "5\r\nhello\r0\r\n\r\n", 9, MRG_E_TEXT, 0 },
	{ "5\r\nhello!\r\n0\r\n\r\n", 8, MRG_E_TEXT, 0 },
	{ "5\r\nhello\r\n\r\n", 10, MRG_E_TEXT, 0 },
	{ "0\r\n\n", 3, MRG_E_TEXT, 0 },
	{ "0\r\n A: b\r\n\r\n", 3, MRG_E_TEXT, 0 },
	{ "0\r\nA : b\r\n\r\n", 4, MRG_E_TEXT, 0 },
	{ "0\r\nA: b\r\n c\r\n\r\n", 9, MRG_E_TEXT, 0 },
	{ "0\r\nA: b\nC: d\r\n\r\n", 7, MRG_E_TEXT, 0 },
	{ "0\r\nA\x80: b\r\n\r\n", 4, MRG_E_TEXT, 0 },
	/* 17 digits, whatever they are */
	{ "00000000000000005\r\nhello\r\n", 16, MRG_E_LIMIT, 413 },
	{ "10000000000000000\r\n", 16, MRG_E_LIMIT, 413 },
};

START_TEST(no_chunks)
{
	const struct bad *const b = &bads[_i];
	const struct result res = read_all(&chunked, text_of(b->text));
	ck_assert_msg(res.st == b->st, "%s: %s", b->text, mrg_status_str(res.st));
	ck_assert_msg(res.used == b->at, "%s: at %zu", b->text, res.used);
	ck_assert_uint_eq(res.code, b->code);
	ck_assert(!res.ends);
}
END_TEST

/* Any of 256 between these: all must be taken, or that octet be refused, or the one behind a CR or blank. */
static void judge_octets(const char *before, const char *behind, const char *allowed, bool high)
{
	for (unsigned c = 0; c < 256; c++) {
		char text[100];
		const size_t len = (size_t)snprintf(text, sizeof text, "%s%c%s", before, (int)c, behind);
		const bool good =
			(c != 0 && c < 0x80 && strchr(allowed, (int)c) != NULL) || (c >= 0x80 && high);
		const struct result res =
			read_twice(&chunked, (struct mrg_span){ (const uint8_t *)text, len });
		const size_t at = res.used - strlen(before);
		MUST_SAY(good ? res.st == MRG_END && res.used == len : res.st == MRG_E_TEXT && at <= 1,
			"octet %u behind <%s>: %s at %zu", c, before, mrg_status_str(res.st), res.used);
	}
}

#define TCHAR "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&'*+-.^_`|~"
#define VISIBLE TCHAR "\"(),/:;<=>?@[\\]{} \t"

START_TEST(every_octet_in_each_part)
{
	judge_octets("0;a", "b\r\n\r\n", TCHAR "=;", false); /* `=` and `;` end the name */
	judge_octets("0;a=b", "c\r\n\r\n", TCHAR ";", false);
	judge_octets("0;a=\"b\\", "c\"\r\n\r\n", VISIBLE, true);
	judge_octets("0\r\nA", "B: c\r\n\r\n", TCHAR ":", false);
	judge_octets("0\r\nA: b", "c\r\n\r\n", VISIBLE, true);
}
END_TEST

/* Whatever comes of it comes of it however it is cut (read_twice sees to that), and nothing is taken of what follows a refusal. */
START_TEST(every_flip_of_a_bit)
{
	static const char text[] = "2;a=\"b\"\r\nxy\r\n0a\r\n0123456789\r\n0\r\nA: b\r\n\r\n";
	static const struct kind few = { MRG_HTTP_BODY_CHUNKED, 0, 100 };
	char with[sizeof text];
	for (size_t bit = 0; bit < (sizeof text - 1) * 8; bit++) {
		memcpy(with, text, sizeof text);
		with[bit / 8] = (char)(with[bit / 8] ^ 1 << bit % 8);
		const struct result res =
			read_twice(&few, (struct mrg_span){ (const uint8_t *)with, sizeof text - 1 });
		MUST(res.st < 0 || res.used == sizeof text - 1 || res.st == MRG_END);
		MUST(res.ends == (res.st == MRG_END));
		MUST(res.octet_count <= res.used);
	}
}
END_TEST

START_TEST(at_each_alignment)
{
	static const char text[] = "0000000000000010;a=b\r\n0123456789abcdef\r\n0\r\nName: value\r\n\r\n";
	char with[sizeof text + 16];
	memset(with, 'x', sizeof with);
	memcpy(with, text, sizeof text - 1);
	for (size_t behind = 0; behind < 16; behind++) {
		const size_t len = sizeof text - 1 + behind;
		const struct result res =
			read_cut(&chunked, (struct mrg_span){ (const uint8_t *)with, len }, len, len, false);
		ck_assert_int_eq(res.st, MRG_END);
		ck_assert_uint_eq(res.used, sizeof text - 1);
		expect_octets(&res, "0123456789abcdef");
		ck_assert_str_eq(res.trailer, "Name=value;");
	}
}
END_TEST

START_TEST(what_is_refused_stays_so)
{
	static const struct {
		struct kind kind;
		const char *text;
	} cases[] = {
		{ { MRG_HTTP_BODY_CHUNKED, 0, 9 }, "x" },
		{ { MRG_HTTP_BODY_CHUNKED, 0, 9 }, "00000000000000000" },
		{ { MRG_HTTP_BODY_CHUNKED, 0, 9 }, "a\r\n" },
		{ { MRG_HTTP_BODY_CHUNKED, 0, 9 }, "1\r\nxx" },
		{ { MRG_HTTP_BODY_CHUNKED, 0, 9 }, "0\r\n\x01" },
		{ { MRG_HTTP_BODY_CLOSE, 0, 0 }, "x" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct mrg_http_body_reader r;
		struct mrg_http_body_got got;
		struct mrg_span in = text_of(cases[i].text);
		enum mrg_status st;
		mrg_http_body_begin(&r, cases[i].kind.body, 0, cases[i].kind.max);
		do
			st = mrg_http_body_next(&r, &in, &got);
		while (st == MRG_MORE);
		ck_assert_int_lt(st, 0);
		in = text_of("0\r\n\r\n");
		ck_assert_int_eq(mrg_http_body_next(&r, &in, &got), st);
		ck_assert_uint_eq(in.len, 5);
		ck_assert_uint_eq(got.octets.len, 0);
	}
}
END_TEST

/* ---- limits ---- */

START_TEST(as_much_as_is_taken)
{
	struct kind kind = { MRG_HTTP_BODY_CHUNKED, 0, 11 };
	const struct mrg_span text = text_of("5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n");
	struct result res = read_all(&kind, text);
	ck_assert_int_eq(res.st, MRG_END);
	kind.max = 10;
	res = read_all(&kind, text);
	ck_assert_int_eq(res.st, MRG_E_RANGE);
	ck_assert_uint_eq(res.used, 13);
	expect_octets(&res, "hello");
	kind.max = 4;
	res = read_all(&kind, text);
	ck_assert_int_eq(res.st, MRG_E_RANGE);
	ck_assert_uint_eq(res.octet_count, 0);
	/* the largest size that can be written, twice: the sum can't be */
	kind.max = UINT64_MAX;
	res = read_all(&kind, text_of("ffffffffffffffff\r\nx"));
	ck_assert_int_eq(res.st, MRG_MORE);
	expect_octets(&res, "x");
	kind.max = UINT64_MAX - 1;
	res = read_all(&kind, text_of("FFFFFFFFFFFFFFFF\r\nx"));
	ck_assert_int_eq(res.st, MRG_E_RANGE);
	res = read_all(&kind, text_of("1\r\nx\r\nfffffffffffffffe\r\nx"));
	ck_assert_int_eq(res.st, MRG_E_RANGE);
}
END_TEST

static struct result read_long(const char *head, char fill, size_t count, const char *tail)
{
	char *const text = malloc(strlen(head) + count + strlen(tail));
	memcpy(text, head, strlen(head));
	memset(text + strlen(head), fill, count);
	memcpy(text + strlen(head) + count, tail, strlen(tail));
	const struct mrg_span in = { (const uint8_t *)text, strlen(head) + count + strlen(tail) };
	const struct result whole = read_cut(&chunked, in, in.len, in.len, false);
	const struct result ones = read_cut(&chunked, in, 0, in.len, true);
	expect_same(&ones, &whole);
	free(text);
	return whole;
}

START_TEST(as_long_as_lines_may_be)
{
	struct result res = read_long("0;", 'x', 4096 - 4, "\r\n\r\n");
	ck_assert_int_eq(res.st, MRG_END);
	res = read_long("0;", 'x', 4096 - 3, "\r\n\r\n");
	ck_assert_int_eq(res.st, MRG_E_LIMIT);
	ck_assert_uint_eq(res.code, 400);
	ck_assert_uint_eq(res.used, 4096);
	char text[101 * 5 + 10] = "0\r\n";
	for (size_t i = 0; i < 101; i++)
		strcat(text, "a:b\r\n");
	strcat(text, "\r\n");
	res = read_all(&chunked, text_of(text));
	ck_assert_int_eq(res.st, MRG_E_LIMIT);
	ck_assert_uint_eq(res.code, 431);
	ck_assert_uint_eq(res.used, 3 + 100 * 5);
	memmove(text + 3, text + 8, strlen(text + 8) + 1);
	res = read_all(&chunked, text_of(text));
	ck_assert_int_eq(res.st, MRG_END);
}
END_TEST

START_TEST(a_trailer_without_end)
{
	struct mrg_http_body_reader r;
	struct mrg_http_body_got got;
	struct mrg_span in = text_of("0\r\na:");
	enum mrg_status st = MRG_MORE;
	size_t fed = 2;
	mrg_http_body_begin(&r, MRG_HTTP_BODY_CHUNKED, 0, 0);
	while (in.len != 0)
		ck_assert_int_eq(mrg_http_body_next(&r, &in, &got), MRG_MORE);
	for (; st == MRG_MORE; fed++) {
		in = text_of("x");
		st = mrg_http_body_next(&r, &in, &got);
	}
	ck_assert_int_eq(st, MRG_E_LIMIT);
	ck_assert_uint_eq(got.code, 431);
	ck_assert_uint_eq(fed, 65536 + 1);
}
END_TEST

/* ---- writing ---- */

static struct mrg_span written(const struct mrg_w *w) { return mrg_w_span(w, 0); }

START_TEST(chunks_as_they_are_written)
{
	uint8_t b[100];
	struct mrg_w w;
	mrg_w_init(&w, b, sizeof b);
	mrg_http_chunk_put(&w, text_of("hello"));
	mrg_http_chunk_put(&w, text_of(""));
	mrg_http_chunk_put(&w, text_of("0123456789abcdef"));
	mrg_http_chunk_last_put(&w, text_of(""));
	ck_assert(mrg_span_eq(written(&w), text_of("5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n")));
	mrg_w_init(&w, b, sizeof b);
	mrg_http_chunk_line_put(&w, UINT64_MAX);
	mrg_http_chunk_line_put(&w, 0xabcdef0);
	mrg_http_chunk_last_put(&w, text_of("A: b\r\n"));
	ck_assert(mrg_span_eq(written(&w), text_of("ffffffffffffffff\r\nabcdef0\r\n0\r\nA: b\r\n\r\n")));
	for (size_t cap = 0; cap < 10; cap++) {
		mrg_w_init(&w, b, cap);
		mrg_http_chunk_put(&w, text_of("hello"));
		ck_assert_int_eq(w.st, MRG_E_SPACE);
		mrg_w_init(&w, b, cap);
		mrg_http_chunk_last_put(&w, text_of("A: b\r\n")); /* 11 octets */
		ck_assert_int_eq(w.st, MRG_E_SPACE);
		mrg_w_init(&w, b, cap);
		mrg_http_chunk_line_put(&w, UINT64_MAX); /* 18 octets */
		ck_assert_int_eq(w.st, MRG_E_SPACE);
	}
}
END_TEST

/* Chunks of each size up to a few thousand octets, read back in pieces of other sizes. */
START_TEST(what_is_written_is_read)
{
	enum { MOST = 3000 };
	static uint8_t octets[MOST], wire[MOST * 30];
	uint32_t seed = 1;
	for (size_t i = 0; i < MOST; i++)
		octets[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
	for (size_t size = 1; size <= MOST; size += size / 3 + 1) {
		struct mrg_w w;
		mrg_w_init(&w, wire, sizeof wire);
		for (size_t at = 0; at < MOST; at += size)
			mrg_http_chunk_put(
				&w, (struct mrg_span){ octets + at, at + size < MOST ? size : MOST - at });
		mrg_http_chunk_last_put(&w, text_of("x: y\r\n"));
		ck_assert_int_eq(w.st, MRG_OK);
		const struct result whole = read_cut(&chunked, written(&w), w.len / 3, w.len / 2, true);
		ck_assert_int_eq(whole.st, MRG_END);
		ck_assert_uint_eq(whole.used, w.len);
		ck_assert_uint_eq(whole.octet_count, MOST);
		ck_assert_mem_eq(whole.octets, octets, MOST);
		ck_assert_str_eq(whole.trailer, "x=y;");
	}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http bodies");
	TCase *const t = tcase_create("body");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, by_length);
	tcase_add_test(t, none_at_all);
	tcase_add_test(t, until_close);
	tcase_add_loop_test(t, chunks, 0, (int)(sizeof goods / sizeof goods[0]));
	tcase_add_loop_test(t, no_chunks, 0, (int)(sizeof bads / sizeof bads[0]));
	tcase_add_test(t, every_octet_in_each_part);
	tcase_add_test(t, every_flip_of_a_bit);
	tcase_add_test(t, at_each_alignment);
	tcase_add_test(t, what_is_refused_stays_so);
	tcase_add_test(t, as_much_as_is_taken);
	tcase_add_test(t, as_long_as_lines_may_be);
	tcase_add_test(t, a_trailer_without_end);
	tcase_add_test(t, chunks_as_they_are_written);
	tcase_add_test(t, what_is_written_is_read);
	suite_add_tcase(s, t);
	SRunner *const sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	const int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
