/*
 * http_files_naive.c - what a server of files has to answer: see http_files.h.
 *
 * Nothing of protocols/http is used but where the fields of a request begin and end; values are copied out and taken apart with what C has.
 * Reading order: files_expect at the end, then upwards.
 */
#include "fuzz/http_files.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { VALUE_MAX = 4096 };

/* ---- fields ---- */

/* The n-th field of that name, as a string without blanks around; false: there is none, or it can't be a string. */
static bool field(const struct mrg_http_request *r, const char *name, size_t n, char out[VALUE_MAX])
{
	for (size_t i = 0; i < r->count; i++) {
		const struct mrg_span of = r->fields[i].name, v = r->fields[i].value;
		if (of.len != strlen(name) || strncasecmp((const char *)of.p, name, of.len) != 0 || n-- != 0)
			continue;
		if (v.len >= VALUE_MAX)
			return false;
		if (v.len != 0)
			memcpy(out, v.p, v.len);
		out[v.len] = 0;
		return true;
	}
	return false;
}

/* The only one of that name. */
static bool only(const struct mrg_http_request *r, const char *name, char out[VALUE_MAX])
{
	char more[VALUE_MAX];
	return field(r, name, 0, out) && !field(r, name, 1, more);
}

static char *skip_blanks(char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* ---- dates, RFC 9110 5.6.7 ---- */

static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct",
	"Nov", "Dec" };
static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char *const long_days[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
	"Saturday" };

void files_date(int64_t unix_s, char out[40])
{
	const time_t t = (time_t)unix_s;
	struct tm tm;
	(void)gmtime_r(&t, &tm);
	(void)snprintf(out, 40, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday,
		months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Text by a pattern: `0` a digit, `_` a digit or a blank, `a` a letter; anything else is itself. */
static bool looks_like(const char *text, const char *pattern)
{
	for (; *pattern != 0; pattern++, text++) {
		const bool good = *pattern == '0'   ? isdigit((unsigned char)*text) != 0
				  : *pattern == '_' ? isdigit((unsigned char)*text) != 0 || *text == ' '
				  : *pattern == 'a' ? isalpha((unsigned char)*text) != 0
						    : *text == *pattern;
		if (!good)
			return false;
	}
	return *text == 0;
}

static int index_of(const char *text, size_t len, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (strlen(words[i]) == len && strncmp(text, words[i], len) == 0)
			return i;
	return -1;
}

static bool of_parts(int year, int month, int day, const char *clock, int64_t *out)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month, .tm_mday = day };
	tm.tm_hour = atoi(clock);
	tm.tm_min = atoi(clock + 3);
	tm.tm_sec = atoi(clock + 6);
	const struct tm said = tm;
	if (month < 0 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return false;
	*out = (int64_t)timegm(&tm);
	return said.tm_sec == 60 || (tm.tm_mday == said.tm_mday && tm.tm_mon == said.tm_mon);
}

static bool date(const char *v, int64_t *out)
{
	if (looks_like(v, "aaa, 00 aaa 0000 00:00:00 GMT"))
		return index_of(v, 3, days, 7) >= 0 &&
		       of_parts(atoi(v + 12), index_of(v + 8, 3, months, 12), atoi(v + 5), v + 17, out);
	if (looks_like(v, "aaa aaa _0 00:00:00 0000"))
		return index_of(v, 3, days, 7) >= 0 &&
		       of_parts(atoi(v + 20), index_of(v + 4, 3, months, 12), atoi(v + 8), v + 11, out);
	const char *const comma = strchr(v, ',');
	if (comma == NULL || !looks_like(comma, ", 00-aaa-00 00:00:00 GMT") ||
		index_of(v, (size_t)(comma - v), long_days, 7) < 0)
		return false;
	const int short_year = atoi(comma + 9), month = index_of(comma + 5, 3, months, 12),
		  day = atoi(comma + 2);
	for (int century = 2200; century >= 1900; century -= 100) {
		/* what seems to be more than 50 years ahead was the last time before that */
		const int64_t limit = files_now_s + INT64_C(50) * 31556952;
		if (of_parts(century + short_year, month, day, comma + 12, out) && *out <= limit)
			return true;
	}
	return false;
}

/* ---- entity tags, RFC 9110 8.8.3 ---- */

/* One at p; where it ends, or NULL. */
static char *tag_end(char *p, bool *weak)
{
	*weak = p[0] == 'W' && p[1] == '/';
	p += *weak ? 2 : 0;
	if (*p++ != '"')
		return NULL;
	while (*p != '"') {
		const unsigned char c = (unsigned char)*p++;
		if (c != 0x21 && (c < 0x23 || c == 0x7f))
			return NULL;
	}
	return p + 1;
}

enum listed { LISTED, NOT_LISTED };

static enum listed in_list(char *p, const char *etag, bool weakly)
{
	enum listed found = NOT_LISTED;
	p = skip_blanks(p);
	if (strcmp(p, "*") == 0)
		return LISTED;
	while (*p != 0) {
		bool weak;
		if (*p == ',') {
			p = skip_blanks(p + 1);
			continue;
		}
		char *const end = tag_end(p, &weak);
		if (end == NULL)
			return NOT_LISTED;
		const char *const opaque = p + (weak ? 2 : 0);
		if ((weakly || !weak) && (size_t)(end - opaque) == strlen(etag) &&
			strncmp(opaque, etag, strlen(etag)) == 0)
			found = LISTED;
		p = skip_blanks(end);
		if (*p != 0 && *p != ',')
			return NOT_LISTED;
	}
	return found;
}

static bool listed(const struct mrg_http_request *r, const char *name, const char *etag, bool weakly)
{
	char v[VALUE_MAX];
	for (size_t i = 0; field(r, name, i, v); i++)
		if (in_list(v, etag, weakly) == LISTED)
			return true;
	return false;
}

/* ---- conditions, RFC 9110 13.2.2 ---- */

static bool has(const struct mrg_http_request *r, const char *name)
{
	char v[VALUE_MAX];
	return field(r, name, 0, v);
}

static unsigned condition(const struct mrg_http_request *r, const struct files_entry *e)
{
	char v[VALUE_MAX];
	int64_t then;
	const bool dated = e->modified_s != FILES_NO_TIME;
	if (has(r, "If-Match")) {
		if (!listed(r, "If-Match", e->etag, false))
			return 412;
	} else if (dated && only(r, "If-Unmodified-Since", v) && date(v, &then) && e->modified_s > then) {
		return 412;
	}
	if (has(r, "If-None-Match"))
		return listed(r, "If-None-Match", e->etag, true) ? 304 : 200;
	return dated && only(r, "If-Modified-Since", v) && date(v, &then) && e->modified_s <= then ? 304
												   : 200;
}

/* RFC 9110 13.1.5 */
static bool if_range(const struct mrg_http_request *r, const struct files_entry *e)
{
	char v[VALUE_MAX];
	int64_t then;
	if (!has(r, "If-Range"))
		return true;
	if (!only(r, "If-Range", v))
		return false;
	if (strcmp(v, e->etag) == 0)
		return true;
	return e->modified_s != FILES_NO_TIME && e->modified_s < files_now_s && date(v, &then) &&
	       then == e->modified_s;
}

/* ---- ranges, RFC 9110 14.1.2 ---- */

static char *number(char *p, uint64_t *out)
{
	char *const first = p;
	*out = 0;
	for (; isdigit((unsigned char)*p); p++)
		*out = *out > UINT64_MAX / 10 - 1 ? UINT64_MAX : *out * 10 + (uint64_t)(*p - '0');
	return p == first ? NULL : p;
}

/* One range of a list; NULL: it is none. */
static char *one_range(char *p, uint64_t size, struct files_wanted *w, uint64_t *octets)
{
	uint64_t first = 0, last = UINT64_MAX, n;
	if (*p == '-') {
		p = number(p + 1, &n);
		if (p == NULL)
			return NULL;
		first = n < size ? size - n : 0;
		if (n == 0)
			return p;
	} else {
		p = number(p, &first);
		if (p == NULL || *p++ != '-')
			return NULL;
		if (isdigit((unsigned char)*p))
			p = number(p, &last);
		if (last < first)
			return NULL;
	}
	if (first >= size)
		return p;
	if (last >= size)
		last = size - 1;
	*octets += last - first + 1;
	w->ranges[w->range_n++] = (struct files_range){ first, last };
	return p;
}

/* What a Range field asks for: w->ranges, or 416; all of it where the server need not do what it asks (RFC 9110 14.2). */
static unsigned ranges(char *p, uint64_t size, struct files_wanted *w)
{
	size_t named = 0;
	uint64_t octets = 0;
	if (strncasecmp(p, "bytes", 5) != 0 || size == 0)
		return 200;
	p += 5;
	if (*p != '=')
		return 200;
	p = skip_blanks(p + 1); /* as before the other ranges, though there is no comma */
	while (*p != 0) {
		if (*p == ',') {
			p = skip_blanks(p + 1);
			continue;
		}
		p = named++ == FILES_RANGES_MAX ? NULL : one_range(p, size, w, &octets);
		if (p == NULL)
			return 200;
		p = skip_blanks(p);
		if (*p != 0 && *p != ',')
			return 200;
	}
	if (named == 0 || octets > size)
		return 200;
	return w->range_n == 0 ? 416 : 206;
}

/* ---- codings, RFC 9110 12.5.3 ---- */

struct weights {
	int br, gzip, identity, any; /* thousandths; -1: not named */
};

static bool is_token(char c)
{
	return c != 0 && (isalnum((unsigned char)c) || strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool weight(char **at, int *out)
{
	char *p = skip_blanks(*at);
	*out = 1000;
	if (*p != ';')
		return true;
	p = skip_blanks(p + 1);
	if ((*p != 'q' && *p != 'Q') || p[1] != '=' || (p[2] != '0' && p[2] != '1'))
		return false;
	const bool one = p[2] == '1';
	*out = one ? 1000 : 0;
	p += 3;
	if (*p == '.') {
		int unit = 100;
		for (p++; isdigit((unsigned char)*p) && unit != 0; p++, unit /= 10) {
			if (one && *p != '0')
				return false;
			*out += one ? 0 : unit * (*p - '0');
		}
	}
	*at = p;
	return true;
}

static bool weigh(char *p, struct weights *w, bool *twice)
{
	p = skip_blanks(p);
	while (*p != 0) {
		if (*p == ',') {
			p = skip_blanks(p + 1);
			continue;
		}
		char *const name = p;
		int ignored, q;
		while (is_token(*p))
			p++;
		const size_t len = (size_t)(p - name);
		if (len == 0 || !weight(&p, &q))
			return false;
		const bool gzip = (len == 4 && strncasecmp(name, "gzip", 4) == 0) ||
				  (len == 6 && strncasecmp(name, "x-gzip", 6) == 0);
		int *const of = gzip                                                ? &w->gzip
				: len == 2 && strncasecmp(name, "br", 2) == 0       ? &w->br
				: len == 8 && strncasecmp(name, "identity", 8) == 0 ? &w->identity
				: len == 1 && *name == '*'                          ? &w->any
										    : &ignored;
		*twice = *twice || (of != &ignored && *of >= 0);
		*of = q;
		p = skip_blanks(p);
		if (*p != 0 && *p != ',')
			return false;
	}
	return true;
}

static int settled(int own, int any, int otherwise) { return own >= 0 ? own : any >= 0 ? any : otherwise; }

/* The representation that the client likes best; of what it likes the same, the smaller. */
static const struct files_entry *choose(
	const struct mrg_http_request *r, const struct files_entry *plain, struct files_wanted *w)
{
	char v[VALUE_MAX], name[FILES_NAME_MAX];
	struct weights q = { -1, -1, -1, -1 };
	bool well = has(r, "Accept-Encoding");
	for (size_t i = 0; well && field(r, "Accept-Encoding", i, v); i++)
		well = weigh(v, &q, &w->unsure_coding);
	if (!well)
		q = (struct weights){ 0, 0, 1000, 0 };
	const int br_q = settled(q.br, q.any, 0), gzip_q = settled(q.gzip, q.any, 0),
		  plain_q = settled(q.identity, q.any, 1);
	(void)snprintf(name, sizeof name, "%s.br", plain->path);
	const struct files_entry *br = files_entry_at(plain->host, name);
	(void)snprintf(name, sizeof name, "%s.gz", plain->path);
	const struct files_entry *gzip = files_entry_at(plain->host, name);
	if (br != NULL && br->modified_s < plain->modified_s) /* it is of what was there before */
		br = NULL;
	if (gzip != NULL && gzip->modified_s < plain->modified_s)
		gzip = NULL;
	w->varies = br != NULL || gzip != NULL;
	w->coding = "";
	if (br != NULL && br_q > 0 && br_q >= plain_q && (gzip == NULL || br_q >= gzip_q)) {
		w->coding = "br";
		return br;
	}
	if (gzip != NULL && gzip_q > 0 && gzip_q >= plain_q) {
		w->coding = "gzip";
		return gzip;
	}
	return plain;
}

/* ---- paths, RFC 3986 ---- */

static int hex(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					    : -1;
}

/* A path as names joined by slashes; false: no file has such a name.  *folder: it ends as one of a folder. */
static bool names_of(const char *p, size_t len, char out[FILES_NAME_MAX], bool *folder)
{
	out[0] = 0;
	*folder = true;
	for (size_t at = 0; at < len;) {
		char name[FILES_NAME_MAX];
		size_t n = 0;
		while (at < len && p[at] == '/') {
			at++;
			*folder = true;
		}
		if (at == len)
			break;
		while (at < len && p[at] != '/' && n + 1 < sizeof name) {
			int c = (unsigned char)p[at++];
			if (c == '%') {
				if (len - at < 2 || hex(p[at]) < 0 || hex(p[at + 1]) < 0)
					return false;
				c = hex(p[at]) * 16 + hex(p[at + 1]);
				at += 2;
				if (c == '/' || c == 0)
					return false;
			}
			name[n++] = (char)c;
		}
		name[n] = 0;
		*folder = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
		if (strcmp(name, "..") == 0) {
			char *const slash = strrchr(out, '/');
			*(slash != NULL ? slash : out) = 0;
		} else if (!*folder) {
			const size_t used = strlen(out);
			if (used + n + 2 > FILES_NAME_MAX)
				return false;
			if (used != 0)
				out[used] = '/';
			memcpy(out + used + (used != 0), name, n + 1);
		}
	}
	return true;
}

static bool is_folder(const char *host, const char *path)
{
	const size_t len = strlen(path);
	for (size_t i = 0; i < files_tree_n; i++)
		if (strcmp(files_tree[i].host, host) == 0 &&
			(len == 0 || (strncmp(files_tree[i].path, path, len) == 0 &&
					     files_tree[i].path[len] == '/')))
			return true;
	return false;
}

/* RFC 9110 15.4.2: the same behind a slash, with its query. */
static void put_location(const struct mrg_http_request *r, struct files_wanted *w)
{
	size_t n = 0;
	w->location[n++] = '/';
	for (size_t i = 1; i < r->path.len && n < FILES_NAME_MAX; i++)
		if (r->path.p[i] != '/' || w->location[n - 1] != '/')
			w->location[n++] = (char)r->path.p[i];
	if (w->location[n - 1] != '/')
		w->location[n++] = '/';
	(void)snprintf(w->location + n, sizeof w->location - n, "%s%.*s", r->query.len != 0 ? "?" : "",
		(int)r->query.len, r->query.len != 0 ? (const char *)r->query.p : "");
}

/* ---- all of it ---- */

static void expect_file(
	const struct mrg_http_request *r, const struct files_entry *plain, struct files_wanted *w)
{
	char v[VALUE_MAX];
	w->entry = choose(r, plain, w);
	w->status = condition(r, w->entry);
	if (w->status != 200)
		return;
	if (r->method == MRG_HTTP_METHOD_GET && only(r, "Range", v) && if_range(r, w->entry))
		w->status = ranges(v, w->entry->len, w);
	w->whole = w->status == 200;
	if (w->whole)
		w->range_n = 0;
}

static unsigned status_of(enum mrg_rt_found found)
{
	return found == MRG_RT_FORBIDDEN ? 403 : found == MRG_RT_BUSY ? 503 : 404;
}

static void expect_path(const struct mrg_http_request *r, const char *host, struct files_wanted *w)
{
	char path[FILES_NAME_MAX];
	bool folder;
	w->status = 404;
	if (!names_of((const char *)r->path.p, r->path.len, path, &folder))
		return;
	if (folder) {
		const size_t n = strlen(path);
		(void)snprintf(path + n, sizeof path - n, "%sindex.html", n != 0 ? "/" : "");
	}
	if (is_folder(host, path)) {
		if (folder)
			return;
		w->status = 301;
		put_location(r, w);
		return;
	}
	struct files_entry *const e = files_entry_at(host, path);
	if (e != NULL && e->found == MRG_RT_FILE)
		expect_file(r, e, w);
	else if (e != NULL)
		w->status = status_of(e->found);
}

static bool is_method(const struct mrg_http_request *r, const char *name)
{
	return r->method_text.len == strlen(name) && memcmp(r->method_text.p, name, r->method_text.len) == 0;
}

void files_expect(const struct mrg_http_request *r, struct files_wanted *w)
{
	const bool second = r->host.len == 1 && (r->host.p[0] == 'b' || r->host.p[0] == 'B');
	*w = (struct files_wanted){ .coding = "" };
	if (is_method(r, "OPTIONS")) {
		w->status = 204;
	} else if (!is_method(r, "GET") && !is_method(r, "HEAD")) {
		w->status = 405;
		w->or_status = 501; /* where nobody knows the method (RFC 9110 15.6.2) */
	} else if (r->scheme.len != 0 &&
		   (r->scheme.len != 4 || strncasecmp((const char *)r->scheme.p, "http", 4) != 0)) {
		w->status = 421;
	} else {
		expect_path(r, second ? "b" : "a", w);
	}
}
