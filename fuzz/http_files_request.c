/* Requests for files, one behind the other, changed a request and a line at a time: see http_files.h. */
#include <string.h>

#include "fuzz/http_files.h"
#include "fuzz/lines.h"
#include "mrg.h"

static bool one_in(struct mrg_rng *rng, uint64_t n) { return mrg_rng_below(rng, n) == 0; }

static void put(struct mrg_w *w, const char *text)
{
	mrg_w_put(w, (struct mrg_span){ (const uint8_t *)text, strlen(text) });
}

static const char *any(struct mrg_rng *rng, const char *const *of, size_t n)
{
	return of[mrg_rng_below(rng, n)];
}
#define ANY(rng, of) any(rng, of, COUNT_OF(of))

/* Often one of which there are others. */
static const struct files_entry *some_file(struct mrg_rng *rng)
{
	static const char *const often[] = { "a.txt", "a.txt", "b.css", "c.js" };
	if (one_in(rng, 4))
		return files_entry_at("a", ANY(rng, often));
	return &files_tree[mrg_rng_below(rng, files_tree_n)];
}

/* ---- values ---- */

/* An octet of a path, as it is or by its number. */
static void put_octet(struct mrg_rng *rng, struct mrg_w *w, char c)
{
	char text[8];
	if (c == ' ' || (c != '/' && one_in(rng, 40)))
		(void)snprintf(
			text, sizeof text, one_in(rng, 2) ? "%%%02x" : "%%%02X", (unsigned)(unsigned char)c);
	else
		(void)snprintf(text, sizeof text, "%c", c);
	put(w, text);
}

static void put_path(struct mrg_rng *rng, struct mrg_w *w, const struct files_entry *e)
{
	static const char *const others[] = { "/", "/sub", "/sub/", "/sub/deep", "/odd", "/odd/", "/sub/../",
		"/%2e%2E/sub/.", "//sub//", "/no", "/a.txt/", "/sub%2Findex.html", "/a%00",
		"/../../index.html", "/sub/./index.html" };
	if (one_in(rng, 4)) {
		put(w, ANY(rng, others));
	} else {
		put(w, one_in(rng, 30) ? "//" : one_in(rng, 30) ? "/x/../" : "/");
		for (const char *c = e->path; *c != 0; c++)
			put_octet(rng, w, *c);
	}
	if (one_in(rng, 10))
		put(w, "?q=/x%");
}

static void put_tag(struct mrg_rng *rng, struct mrg_w *w, const struct files_entry *e)
{
	static const char *const others[] = { "\"\"", "\"x,y\"", "*", "x", "\"a", "W/\"x\"", "w/\"x\"" };
	if (one_in(rng, 6)) {
		put(w, ANY(rng, others));
		return;
	}
	if (one_in(rng, 4))
		put(w, "W/");
	put(w, one_in(rng, 4) ? some_file(rng)->etag : e->etag);
}

static void put_tags(struct mrg_rng *rng, struct mrg_w *w, const struct files_entry *e)
{
	static const char *const between[] = { ", ", ",", " , ", ",,", "\t,", " " };
	put_tag(rng, w, e);
	while (one_in(rng, 3)) {
		put(w, any(rng, between, one_in(rng, 8) ? COUNT_OF(between) : 3));
		put_tag(rng, w, e);
	}
}

static void put_date(struct mrg_rng *rng, struct mrg_w *w, const struct files_entry *e)
{
	static const char *const odd[] = { "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994", "Sunday, 06-Nov-73 08:49:37 GMT",
		"Friday, 06-Nov-74 08:49:37 GMT", "Sun, 31 Feb 2020 00:00:00 GMT",
		"Sun, 06 Nov 1994 24:00:00 GMT", "yesterday", "0", "Sun, 06 Nov 2094 08:49:60 GMT", "" };
	char text[40];
	if (one_in(rng, 4)) {
		put(w, ANY(rng, odd));
		return;
	}
	files_date((one_in(rng, 4) ? some_file(rng)->modified_s : e->modified_s) +
			   (int64_t)mrg_rng_below(rng, 3) - 1,
		text);
	put(w, text);
}

static void put_number(struct mrg_rng *rng, struct mrg_w *w, size_t size)
{
	char text[40];
	const uint64_t n = one_in(rng, 3) ? size + mrg_rng_below(rng, 5) - 2 : mrg_rng_below(rng, size + 3);
	(void)snprintf(text, sizeof text, "%llu", (unsigned long long)(n > UINT64_MAX / 2 ? 0 : n));
	put(w, one_in(rng, 60) ? "99999999999999999999999" : one_in(rng, 60) ? "00" : text);
}

static void put_range(struct mrg_rng *rng, struct mrg_w *w, size_t size)
{
	const uint64_t dice = mrg_rng_below(rng, 40);
	const size_t few = one_in(rng, 2) ? size : size / 8;
	if (dice < 10) {
		put(w, "-");
		put_number(rng, w, few);
	} else if (dice < 16) {
		put_number(rng, w, size);
		put(w, "-");
	} else if (dice < 17) {
		put(w, "-");
	} else {
		char text[60];
		const uint64_t from = mrg_rng_below(rng, size + 2);
		(void)snprintf(text, sizeof text, "%llu-%llu", (unsigned long long)from,
			(unsigned long long)(from + mrg_rng_below(rng, few / 4 + 3)));
		put(w, text);
	}
}

static void put_ranges(struct mrg_rng *rng, struct mrg_w *w, size_t size)
{
	static const char *const units[] = { "bytes=", "Bytes=", "bytes =", "lines=", "bytes", "bytes= " };
	size_t n = one_in(rng, 2) ? 1 : (size_t)mrg_rng_below(rng, one_in(rng, 8) ? 20 : 5);
	put(w, any(rng, units, one_in(rng, 8) ? COUNT_OF(units) : 1));
	for (; n != 0; n--) {
		put_range(rng, w, size);
		if (n > 1 || one_in(rng, 30))
			put(w, one_in(rng, 4) ? ", " : ",");
	}
}

static void put_codings(struct mrg_rng *rng, struct mrg_w *w)
{
	static const char *const codings[] = { "gzip", "br", "identity", "*", "GZIP", "x-gzip", "deflate",
		"zstd", "Br" };
	static const char *const weights[] = { "", "", ";q=0", ";q=1", ";q=0.5", "; q=0.501", ";q=0.500",
		";q=1.000", ";Q=0.000", ";q=1.1", ";q=.5", ";q=0.5000", ";q", " ; q=0.1" };
	for (size_t n = (size_t)mrg_rng_below(rng, 4); n != 0; n--) {
		put(w, any(rng, codings, one_in(rng, 4) ? COUNT_OF(codings) : 4));
		put(w, any(rng, weights, one_in(rng, 8) ? COUNT_OF(weights) : one_in(rng, 2) ? 9 : 1));
		if (n > 1)
			put(w, one_in(rng, 2) ? ", " : ",");
	}
}

/* ---- requests ---- */

static void put_field(struct mrg_rng *rng, struct mrg_w *w, const struct files_entry *e)
{
	static const char *const names[] = { "Range", "Accept-Encoding", "If-None-Match", "If-Match",
		"If-Modified-Since", "If-Unmodified-Since", "If-Range", "Connection" };
	const size_t which = (size_t)mrg_rng_below(rng, one_in(rng, 20) ? 8 : 7);
	put(w, names[which]);
	put(w, one_in(rng, 20) ? ":" : ": ");
	switch (which) {
	case 0: put_ranges(rng, w, e->len); break;
	case 1: put_codings(rng, w); break;
	case 2:
	case 3: put_tags(rng, w, e); break;
	case 6:
		if (one_in(rng, 2))
			put_tag(rng, w, e);
		else
			put_date(rng, w, e);
		break;
	case 7: put(w, "close"); break;
	default: put_date(rng, w, e); break;
	}
	put(w, "\r\n");
}

static void put_request(struct mrg_rng *rng, struct mrg_w *w)
{
	static const char *const methods[] = { "GET", "HEAD", "OPTIONS", "POST", "DELETE", "get", "NONE" };
	const struct files_entry *const e = some_file(rng);
	put(w, any(rng, methods, one_in(rng, 12) ? COUNT_OF(methods) : one_in(rng, 4) ? 2 : 1));
	put(w, one_in(rng, 24) ? " http://b" : one_in(rng, 40) ? " https://a" : " ");
	put_path(rng, w, e);
	put(w, " HTTP/1.1\r\nHost: ");
	put(w, one_in(rng, 20) ? "B:80" : one_in(rng, 20) ? "c" : e->host);
	put(w, "\r\n");
	for (uint64_t n = mrg_rng_below(rng, 4); n != 0; n--)
		put_field(rng, w, e);
	put(w, "\r\n");
}

static size_t finish(struct mrg_w *w)
{
	size_t len = 0;
	return mrg_w_finish(w, &len) == MRG_OK ? len : 0;
}

size_t files_requests_make(struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	struct mrg_w w;
	mrg_w_init(&w, out, cap);
	for (uint64_t n = one_in(rng, 2) ? 1 : 1 + mrg_rng_below(rng, 4); n != 0; n--)
		put_request(rng, &w);
	return finish(&w);
}

/* ---- changes ---- */

/* in[0..from), what `w` has, in[to..len) */
static size_t instead(
	const uint8_t *in, size_t len, size_t from, size_t to, const struct mrg_w *middle, uint8_t *out, size_t cap)
{
	const struct mrg_span mid = mrg_w_span(middle, 0);
	return lines_splice(in, len, from, to, mid.p, mid.len, out, cap);
}

size_t files_requests_change(struct mrg_rng *rng, const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
	uint8_t room[2048];
	struct mrg_w w;
	const size_t lines = lines_count(in, len), n = lines != 0 ? (size_t)mrg_rng_below(rng, lines) : 0;
	const size_t at = lines_at(in, len, n), behind = lines_at(in, len, n + 1);
	mrg_w_init(&w, room, sizeof room);
	switch (mrg_rng_below(rng, 8)) {
	case 0: return files_requests_make(rng, out, cap);
	case 1: put_request(rng, &w); return instead(in, len, len, len, &w, out, cap);
	case 2:
		mrg_w_put(&w, (struct mrg_span){ in, len < 800 ? len : 0 });
		return instead(in, len, len, len, &w, out, cap);
	case 3: return instead(in, len, at, behind, &w, out, cap);
	case 4:
	case 5:
	case 6: /* a field more, or another, behind the first two lines of a request */
		if (n < 2)
			return 0;
		put_field(rng, &w, some_file(rng));
		return instead(in, len, at, one_in(rng, 2) && behind - at > 2 ? behind : at, &w, out, cap);
	default: return 0;
	}
}
