/*
 * peers_http.c - heads of HTTP requests against http_parser.
 *
 * What both say of a head that they refuse is where: in which part of it, and which octet is there.
 */
#include "peers.h"

#include "protocols/http/request.h"

#include <ctype.h>
#include <http_parser.h>
#include <string.h>

extern const struct mrg_fuzz_subject mrg_http_http1_request_fuzz;

/* "field value: CTL": the part of a head that octet `at` is in, and what it is. */
static void place(struct mrg_span in, size_t at, char says[PEER_SAYS_MAX], const char *why)
{
	size_t line = 0, lines = 0;
	for (size_t i = 0; i < at && i < in.len; i++) {
		if (in.p[i] == '\n') {
			line = i + 1;
			lines++;
		}
	}
	const size_t before = (at < in.len ? at : in.len) - line;
	const void *const space = memchr(in.p + line, ' ', before);
	const char *part = "method";
	if (lines > 0)
		part = before == 0                                ? "start of a line"
		       : memchr(in.p + line, ':', before) != NULL ? "field value"
								  : "field name";
	else if (space != NULL)
		part = memchr((const uint8_t *)space + 1, ' ',
			       before - (size_t)((const uint8_t *)space - (in.p + line)) - 1) != NULL
			       ? "version"
			       : "target";
	const char *octet = "end";
	char itself[] = "?";
	if (at < in.len) {
		const uint8_t c = in.p[at];
		itself[0] = (char)c;
		octet = c == '\r'               ? "CR"
			: c == '\n'             ? "LF"
			: c == '\t'             ? "HTAB"
			: c == ' '              ? "SP"
			: c >= 0x80             ? "obs-text"
			: c < 0x20 || c == 0x7f ? "CTL"
			: isdigit(c)            ? "digit"
			: isalpha(c)            ? "letter"
						: itself;
	}
	(void)snprintf(says, PEER_SAYS_MAX, "%s: %s: %s", part, octet, why);
}

static bool ours(struct mrg_span *in, char says[PEER_SAYS_MAX])
{
	static struct mrg_http_request request;
	char why[PEER_SAYS_MAX];
	size_t len;
	const enum mrg_status st = mrg_http_request_read(*in, &request, &len);
	if (st == MRG_OK)
		in->len = len;
	else if (st == MRG_MORE)
		(void)snprintf(says, PEER_SAYS_MAX, "more");
	else {
		(void)snprintf(why, sizeof(why), "%u %.*s", request.status, (int)request.why.len,
			(const char *)request.why.p);
		place(*in, len, says, why);
	}
	return st == MRG_OK;
}

static int note(http_parser *p)
{
	*(bool *)p->data = true;
	return 1; /* no body */
}

/*
 * http_parser knows a list of methods (a method is any token, RFC 9110 9.1): nearly all heads would end there. So it sees GET where nothing is
 * wrong before the first space, behind the empty line that may be there (RFC 9112 2.2).
 */
static struct mrg_span with_get(struct mrg_span in)
{
	static struct mrg_http_request request;
	static uint8_t copy[70000];
	static const char get[] = "GET";
	if (in.len > 1 && in.p[0] == '\r' && in.p[1] == '\n')
		in = (struct mrg_span){ in.p + 2, in.len - 2 };
	const uint8_t *const space = in.len != 0 ? memchr(in.p, ' ', in.len) : NULL;
	size_t wrong_at;
	const enum mrg_status st = mrg_http_request_read(in, &request, &wrong_at);
	if (space == NULL || st == MRG_MORE || in.len > sizeof(copy) - sizeof(get))
		return in;
	const size_t method = (size_t)(space - in.p);
	if (st != MRG_OK && wrong_at <= method)
		return in;
	memcpy(copy, get, sizeof(get) - 1);
	memcpy(copy + sizeof(get) - 1, space, in.len - method);
	return (struct mrg_span){ copy, in.len - method + sizeof(get) - 1 };
}

static bool http_parser_accepts(struct mrg_span head, char says[PEER_SAYS_MAX])
{
	const struct mrg_span in = with_get(head);
	static const http_parser_settings settings = { .on_headers_complete = note };
	http_parser p;
	bool complete = false;
	http_parser_init(&p, HTTP_REQUEST);
	p.data = &complete;
	const size_t taken = http_parser_execute(&p, &settings, (const char *)(const void *)in.p, in.len);
	if (complete)
		return true;
	if (HTTP_PARSER_ERRNO(&p) == HPE_OK)
		(void)snprintf(says, PEER_SAYS_MAX, "more");
	else
		place(in, taken, says, http_errno_name(HTTP_PARSER_ERRNO(&p)));
	return false;
}

static const struct peer_difference http_parser_known[] = {
	{ NULL, "target: *: 400 not a request's head *",
		"RFC 9112 3: a line ends by CRLF and has a version; http_parser takes HTTP/0.9 and bare CR and LF" },
	{ NULL, "version: *: 400 not a request's head *",
		"RFC 9112 2.3: HTTP/ is spelt so; http_parser does not look at it" },
	{ NULL, "field name: *: 400 not a request's head *",
		"RFC 9112 2.1: CRLF ends the fields; http_parser takes CR alone" },
	{ NULL, "field value: *: 400 not a request's head *",
		"RFC 9110 5.5: no CTL in values; RFC 9112 2.2: LF alone need not be taken for an end" },
	{ NULL, "start of a line: SP: 400 *", "RFC 9112 5.2: a field is not folded" },
	{ NULL, "start of a line: HTAB: 400 *", "RFC 9112 5.2: a field is not folded" },
	{ NULL, "start of a line: CR: 400 *",
		"RFC 9112 2.2: one empty line before a request is passed over; http_parser takes any number" },
	{ NULL, "start of a line: LF: 400 *", "RFC 9112 2.2: LF alone need not be taken for an end" },
	{ NULL, "*: 431 *", "RFC 6585 5: a head that is longer than the server takes" },
	{ NULL, "*: 505 *", "RFC 9110 15.6.6: what is not HTTP/1 is refused by 505; http_parser reads on" },
	{ NULL, "*: 400 no Host *", "RFC 9112 3.2: a request of HTTP/1.1 without Host is refused" },
	{ NULL, "*: 400 the target is in none of the four forms *",
		"RFC 9112 3.2: the form of the target goes by the method" },
};

PEER_SUBJECT("http.message.Request-http_parser", http_parser, &mrg_http_http1_request_fuzz, 65536);
