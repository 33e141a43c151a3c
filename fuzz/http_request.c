/* Requests: see http_server.h.  An input is text: requests one behind the other, changed request by request and line by line. */
#include "fuzz/http_server.h"

#include <string.h>

#include "fuzz/lines.h"
#include "mrg.h"

/* Of the specification: what `mrg fuzz` makes of specs/http/message.mrg. */
extern const struct mrg_fuzz_subject mrg_http_http1_request_fuzz;
static const struct mrg_fuzz_subject *const of_spec = &mrg_http_http1_request_fuzz;

static bool one_in(struct mrg_rng *rng, uint64_t n) { return mrg_rng_below(rng, n) == 0; }

static void put(struct mrg_w *w, const char *text)
{
	mrg_w_put(w, (struct mrg_span){ (const uint8_t *)text, strlen(text) });
}

static void put_format(struct mrg_w *w, const char *format, size_t n)
{
	char text[64];
	(void)snprintf(text, sizeof text, format, n);
	put(w, text);
}

/* ---- bodies ---- */

static void put_octets(struct mrg_rng *rng, struct mrg_w *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		mrg_w_u8(w, (uint8_t)('a' + mrg_rng_below(rng, 26)));
}

static size_t some_length(struct mrg_rng *rng)
{
	return (size_t)mrg_rng_below(rng, one_in(rng, 8) ? 1500 : one_in(rng, 3) ? 5 : 40);
}

static void put_chunked(struct mrg_rng *rng, struct mrg_w *w)
{
	static const char *const ends[] = { "0\r\n\r\n", "0\r\n\r\n", "00;a\r\n\r\n", "0\r\nA: b\r\n\r\n",
		"0\r\nA b\r\n\r\n", "", "x\r\n" };
	static const char *const forms[] = { "%zx\r\n", "%zX\r\n", "0%zx\r\n", "%zx;n=v\r\n",
		"%zx;n=\"v\"\r\n", "%zx \r\n" };
	for (uint64_t n = mrg_rng_below(rng, 4); n != 0; n--) {
		const size_t len = 1 + some_length(rng);
		put_format(w, forms[mrg_rng_below(rng, one_in(rng, 8) ? COUNT_OF(forms) : 4)], len);
		put_octets(rng, w, len);
		put(w, one_in(rng, 40) ? "\n" : "\r\n");
	}
	put(w, ends[mrg_rng_below(rng, one_in(rng, 6) ? COUNT_OF(ends) : 2)]);
}

static void put_body(struct mrg_rng *rng, struct mrg_w *w)
{
	const uint64_t dice = mrg_rng_below(rng, 8);
	const size_t len = some_length(rng);
	if (dice < 4) {
		put_format(w,
			one_in(rng, 24) ? "Content-Length: +%zu\r\n\r\n" : "Content-Length: %zu\r\n\r\n",
			len);
		put_octets(rng, w, one_in(rng, 16) ? len + 1 - mrg_rng_below(rng, 3) % (len + 1) : len);
	} else if (dice < 7) {
		if (one_in(rng, 24)) /* RFC 9112 6.1: both */
			put_format(w, "Content-Length: %zu\r\n", len);
		put(w, one_in(rng, 24) ? "Transfer-Encoding: gzip, chunked\r\n\r\n"
				       : "Transfer-Encoding: chunked\r\n\r\n");
		put_chunked(rng, w);
	} else {
		put(w, "\r\n");
	}
}

/* ---- heads ---- */

static void put_head(struct mrg_rng *rng, struct mrg_w *w)
{
	static const char *const methods[] = { "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS",
		"get", "CONNECT" };
	static const char *const versions[] = { "HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0" };
	static const char *const fields[] = { "Connection: close\r\n", "Connection: keep-alive\r\n",
		"Expect: 100-continue\r\n", "Connection: Keep-Alive, x\r\n", "Accept: */*\r\n",
		"X-Long: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
		"X-Empty:\r\n", "Host: b\r\n", "X : y\r\n", "Expect: x\r\n", " folded\r\n" };
	const size_t usual = 7;
	put(w, methods[mrg_rng_below(rng, one_in(rng, 8) ? COUNT_OF(methods) : 6)]);
	put(w, one_in(rng, 24) ? "  /" : one_in(rng, 16) ? " http://h/" : " /");
	mrg_w_u8(w, (uint8_t)('a' + mrg_rng_below(rng, 26)));
	put(w, one_in(rng, 4) ? "?q " : " ");
	put(w, versions[mrg_rng_below(rng, one_in(rng, 8) ? COUNT_OF(versions) : 1)]);
	put(w, one_in(rng, 32) ? "\n" : "\r\n");
	if (!one_in(rng, 32))
		put(w, "Host: a\r\n");
	for (uint64_t n = mrg_rng_below(rng, 3); n != 0; n--)
		put(w, fields[mrg_rng_below(rng, one_in(rng, 8) ? COUNT_OF(fields) : usual)]);
}

static size_t make_own(struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	struct mrg_w w;
	size_t len = 0;
	mrg_w_init(&w, out, cap);
	if (one_in(rng, 24))
		put(&w, "\r\n"); /* RFC 9112 2.2 */
	put_head(rng, &w);
	if (one_in(rng, 2))
		put(&w, "\r\n");
	else
		put_body(rng, &w);
	return mrg_w_finish(&w, &len) == MRG_OK ? len : 0;
}

/* A message of the specification; mostly with the one field that it can do without, and a server can't. */
static size_t make_of_spec(struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	static const char host[] = "Host: a\r\n";
	const size_t extra = sizeof host - 1;
	const size_t len = cap > extra ? of_spec->make(of_spec->ctx, rng, out, cap - extra) : 0;
	const uint8_t *const line_end = len != 0 ? memchr(out, '\n', len) : NULL;
	if (line_end == NULL || one_in(rng, 4))
		return len;
	const size_t at = (size_t)(line_end + 1 - out);
	memmove(out + at + extra, out + at, len - at);
	memcpy(out + at, host, extra);
	return len + extra;
}

static size_t make_one(struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	return one_in(rng, 5) ? make_of_spec(rng, out, fuzz_least(cap, 1000)) : make_own(rng, out, cap);
}

size_t http_requests_make(struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	size_t len = 0;
	for (uint64_t n = 1 + mrg_rng_below(rng, 5); n != 0; n--)
		len += make_one(rng, out + len, cap - len);
	return len;
}

/* ---- changes ---- */

size_t http_requests_change(struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,
	size_t other_len, uint8_t *out, size_t cap)
{
	uint8_t fresh[2048];
	const size_t lines = lines_count(in, len), other_lines = lines_count(other, other_len);
	if (lines == 0)
		return 0;
	const size_t n = (size_t)mrg_rng_below(rng, lines);
	const size_t at = lines_at(in, len, n), behind = lines_at(in, len, n + 1);
	switch (mrg_rng_below(rng, 10)) {
	case 0: return lines_splice(in, len, at, behind, NULL, 0, out, cap);
	case 1: return lines_splice(in, len, at, at, in + at, behind - at, out, cap);
	case 2: {
		const size_t m = (size_t)mrg_rng_below(rng, other_lines + 1);
		const size_t from = lines_at(other, other_len, m), to = lines_at(other, other_len, m + 1);
		return lines_splice(in, len, at, one_in(rng, 2) ? behind : at, other + from, to - from, out, cap);
	}
	case 3: { /* the first of one, the end of the other */
		const size_t from = lines_at(other, other_len, (size_t)mrg_rng_below(rng, other_lines + 1));
		return lines_splice(in, at, at, at, other + from, other_len - from, out, cap);
	}
	case 4:
	case 5:
	case 6: return lines_splice(in, len, len, len, fresh, make_one(rng, fresh, sizeof fresh), out, cap);
	case 7: return http_requests_make(rng, out, cap);
	case 8: return of_spec->mutate(of_spec->ctx, rng, in, len, other, other_len, out, cap);
	default: return 0;
	}
}
