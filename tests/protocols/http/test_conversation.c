/*
 * protocols/http/request, response and body together: both directions of a connection, message by message, as lines of text.
 *
 * Without arguments it tests itself. With two files, what a client and what a server sent, it prints what is in them; a third
 * argument says that the server ended the connection behind it. All octets are as RFC 3986 2.1 escapes them:
 *
 *	request START METHOD TARGET MINOR	a head, and where it starts in its file
 *	response START STATUS REASON MINOR
 *	field NAME VALUE
 *	octets OCTETS				of its body, all pieces on one line
 *	end AT HOW				the message is complete; its body: none, length, chunked, close
 *	cut AT					its body is not
 *	refused SIDE AT WHY			nothing is read behind it
 *	switched				what follows is of another protocol
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "protocols/http/body.h"
#include "protocols/http/request.h"
#include "protocols/http/response.h"

/* One direction. */
struct side {
	const char *name;
	struct mrg_span all, rest;
	bool ended;
	FILE *out;
};

static size_t at(const struct side *s) { return s->all.len - s->rest.len; }

static void escaped(FILE *out, struct mrg_span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] > ' ' && s.p[i] < 0x7f && s.p[i] != '%')
			(void)fputc(s.p[i], out);
		else
			(void)fprintf(out, "%%%02X", s.p[i]);
	}
}

static void word(FILE *out, struct mrg_span s)
{
	(void)fputc(' ', out);
	escaped(out, s);
}

static void fields(FILE *out, const struct mrg_http_field_line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		(void)fprintf(out, "field");
		word(out, lines[i].name);
		word(out, lines[i].value);
		(void)fputc('\n', out);
	}
}

/* Nothing of this direction is read any more. */
static bool refuse(struct side *s, size_t more, struct mrg_span why)
{
	(void)fprintf(s->out, "refused %s %zu", s->name, at(s) + more);
	word(s->out, why);
	(void)fputc('\n', s->out);
	s->rest.len = 0;
	return false;
}

static bool body(struct side *s, enum mrg_http_body kind, uint64_t length)
{
	static const char *const how[] = { "none", "length", "chunked", "close" };
	struct mrg_http_body_reader b;
	struct mrg_http_body_got got;
	enum mrg_status st;
	mrg_http_body_begin(&b, kind, length, UINT64_MAX);
	(void)fprintf(s->out, "octets ");
	do {
		st = mrg_http_body_next(&b, &s->rest, &got);
		escaped(s->out, got.octets);
	} while (st == MRG_MORE && s->rest.len != 0);
	(void)fputc('\n', s->out);
	if (st < 0)
		return refuse(s, 0, MRG_LITERAL("body"));
	if (st == MRG_END || (s->ended && mrg_http_body_ends(&b))) {
		(void)fprintf(s->out, "end %zu %s\n", at(s), how[kind]);
		return true;
	}
	(void)fprintf(s->out, "cut %zu\n", at(s));
	return false;
}

static void behind(struct side *s, size_t head)
{
	s->rest = (struct mrg_span){ s->rest.p + head, s->rest.len - head };
}

/* False: there is none, or it is not complete. */
static bool request(struct side *s, enum mrg_http_method *method)
{
	struct mrg_http_request r;
	size_t head;
	const enum mrg_status st = mrg_http_request_read(s->rest, &r, &head);
	*method = MRG_HTTP_METHOD_GET;
	if (st == MRG_MORE)
		return false;
	if (st != MRG_OK)
		return refuse(s, head, r.why);
	*method = r.method;
	(void)fprintf(s->out, "request %zu", at(s));
	word(s->out, r.method_text);
	word(s->out, r.target);
	(void)fprintf(s->out, " %u\n", r.minor);
	fields(s->out, r.fields, r.count);
	behind(s, head);
	return body(s, r.body, r.length);
}

/* What answers one request: some interim responses and one that is final. */
static bool responses(struct side *s, enum mrg_http_method method, bool *switched)
{
	struct mrg_http_response r;
	do {
		size_t head;
		const enum mrg_status st = mrg_http_response_read(s->rest, method, &r, &head);
		if (st == MRG_MORE)
			return false;
		if (st != MRG_OK)
			return refuse(s, head, r.why);
		(void)fprintf(s->out, "response %zu %u", at(s), r.status);
		word(s->out, r.reason);
		(void)fprintf(s->out, " %u\n", r.minor);
		fields(s->out, r.fields, r.count);
		behind(s, head);
		*switched = r.tunnel || r.status == 101;
		if (!body(s, r.body, r.length))
			return false;
	} while (mrg_http_response_interim(&r) && !*switched);
	return true;
}

/* A request, what answers it, and so on; what answers no request that is known answers GET. */
static void conversation(struct side *client, struct side *server)
{
	for (bool more = true, switched = false; more;) {
		enum mrg_http_method method;
		const bool asked = request(client, &method);
		const bool answered = responses(server, method, &switched);
		more = (asked || answered) && !switched;
		if (switched)
			(void)fprintf(client->out, "switched\n");
	}
}

/* ---- as a program ---- */

/* The caller frees it. */
static uint8_t *file(const char *name, struct mrg_span *octets)
{
	FILE *const f = fopen(name, "rb");
	if (f == NULL || fseek(f, 0, SEEK_END) != 0) {
		perror(name);
		exit(2);
	}
	const size_t len = (size_t)ftell(f);
	uint8_t *const p = malloc(len + 1);
	rewind(f);
	if (p == NULL || fread(p, 1, len, f) != len) {
		perror(name);
		exit(2);
	}
	(void)fclose(f);
	*octets = (struct mrg_span){ p, len };
	return p;
}

static int program(const char *client, const char *server, bool ended)
{
	struct side c = { "request", { NULL, 0 }, { NULL, 0 }, false, stdout };
	struct side s = { "response", { NULL, 0 }, { NULL, 0 }, ended, stdout };
	uint8_t *const asked = file(client, &c.all), *const answered = file(server, &s.all);
	c.rest = c.all;
	s.rest = s.all;
	conversation(&c, &s);
	free(asked);
	free(answered);
	return 0;
}

/* ---- as a test ---- */

static void says(const char *client, const char *server, bool ended, const char *want)
{
	char *text;
	size_t len;
	FILE *const out = open_memstream(&text, &len);
	const struct mrg_span asked = text_of(client), answered = guarded(text_of(server));
	struct side c = { "request", asked, asked, false, out },
		    s = { "response", answered, answered, ended, out };
	conversation(&c, &s);
	(void)fclose(out);
	ck_assert_str_eq(text, want);
	free(text);
}

#define HOST "Host:a\r\n"
#define SAID_HOST "field Host a\n"

START_TEST(requests)
{
	says("GET /a HTTP/1.1\r\n" HOST "\r\nPOST /b HTTP/1.0\r\nContent-Length: 3\r\n\r\nx %", "", false,
		"request 0 GET /a 1\n" SAID_HOST "octets \nend 27 none\n"
		"request 27 POST /b 0\nfield Content-Length 3\noctets x%20%25\nend 69 length\n");
	says("PUT / HTTP/1.1\r\n" HOST
	     "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\nT: v\r\n\r\n",
		"", false,
		"request 0 PUT / 1\n" SAID_HOST
		"field Transfer-Encoding chunked\noctets abc\nend 78 chunked\n");
	says("POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nxy", "", false,
		"request 0 POST / 0\nfield Content-Length 3\noctets xy\ncut 40\n");
	says("GET / HTTP/1.1\r\n" HOST, "", false, "");
}
END_TEST

START_TEST(responses_to_them)
{
	says("", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 500 A b\r\n\r\n\x80", true,
		"response 0 200 OK 0\nfield Content-Length 1\noctets x\nend 39 length\nresponse 39 500 A%20b 1\noctets %80\nend 60 close\n");
	says("", "HTTP/1.1 500 \r\n\r\na", false, "response 0 500  1\noctets a\ncut 18\n");
	says("HEAD / HTTP/1.0\r\n\r\n", "HTTP/1.1 200 \r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 \r\n\r\n",
		false,
		"request 0 HEAD / 0\noctets \nend 19 none\nresponse 0 200  1\nfield Content-Length 9\noctets \nend 36 none\n"
		"response 36 204  1\noctets \nend 53 none\n");
	says("GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 100 \r\n\r\nHTTP/1.1 304 \r\n\r\n", false,
		"request 0 GET / 0\noctets \nend 18 none\nresponse 0 100  1\noctets \nend 17 none\nresponse 17 304  1\noctets \nend 34 none\n");
}
END_TEST

START_TEST(what_is_no_message)
{
	says("CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n\1\2", "HTTP/1.1 200 \r\n\r\n\1\2", false,
		"request 0 CONNECT a:1 1\n" SAID_HOST
		"octets \nend 32 none\nresponse 0 200  1\noctets \nend 17 none\nswitched\n");
	says("GET / HTTP/1.0\r\n\r\n\1", "HTTP/1.1 101 \r\n\r\n\1", false,
		"request 0 GET / 0\noctets \nend 18 none\nresponse 0 101  1\noctets \nend 17 none\nswitched\n");
	says("GET / HTTP/1.0\n", "HTTP/1.1 200 \r\nContent-Length: x\r\n\r\n", false,
		"refused request 14 not%20a%20request's%20head%20(RFC%209112%203%20and%205)\n"
		"refused response 36 Content-Length%20is%20no%20number%20(RFC%209112%206.3)\n");
	says("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nx", "", false,
		"request 0 POST / 1\n" SAID_HOST
		"field Transfer-Encoding chunked\noctets \nrefused request 55 body\n");
}
END_TEST

int main(int argc, char **argv)
{
	if (argc >= 3)
		return program(argv[1], argv[2], argc > 3);
	Suite *const s = suite_create("protocols/http conversations");
	TCase *const t = tcase_create("conversation");
	tcase_add_test(t, requests);
	tcase_add_test(t, responses_to_them);
	tcase_add_test(t, what_is_no_message);
	suite_add_tcase(s, t);
	SRunner *const sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	const int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
