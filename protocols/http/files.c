/*
 * Resources that are files.
 * Reading order: mrg_http_files_answer at the end, then upwards.
 */
#include "http/field.h"
#include "mrg_digits.h"
#include "protocols/http/coding.h"
#include "protocols/http/condition.h"
#include "protocols/http/date.h"
#include "protocols/http/files.h"
#include "protocols/http/path.h"
#include "protocols/http/range.h"

enum {
	NAMES_MAX = 4096, /* octets of a path, decoded */
	CODINGS = 16,     /* of an Accept-Encoding field that are looked at at once */
	ETAG_LEN = 35,    /* octets: two numbers in hexadecimal with their quotes */
	BOUNDARY_MAX = 64
};

/* What is being answered. */
struct answer {
	const struct mrg_http_files *files;
	const struct mrg_http_request *r;
	struct mrg_http_reply *reply;
	uint64_t now_ns, now_s;
	struct mrg_rt_tree *tree;
	struct mrg_w names;
};

/* A representation of the resource. */
struct found {
	struct mrg_rt_file *file;
	struct mrg_span coding; /* of Content-Encoding; empty: none */
	bool varies;            /* there are others, for clients that accept other codings */
	uint8_t etag[ETAG_LEN];
};

/*
 * What is kept with a file (its `note`): the entity tag; behind that, from the first answer with the whole content on, which kind of
 * answer that was, and the field lines of it. A file is as good as always served in the same way.
 */
enum { LINES_AT = ETAG_LEN + 1 };
enum kind { KIND_PLAIN = 1, KIND_CODED };

static struct mrg_span names_of(const struct answer *a) { return mrg_w_span(&a->names, 0); }

static enum mrg_rt_found look(const struct answer *a, struct mrg_rt_file **out)
{
	return a->names.st != MRG_OK ? MRG_RT_NOTHING
				     : mrg_rt_tree_open(a->tree, names_of(a), a->now_ns, out);
}

/* ---- fields ---- */

static struct mrg_span media_type(struct mrg_span names)
{
	enum mrg_http_media_type type = mrg_http_media_type_of(mrg_span_behind(names, '.'));
	if (type == MRG_HTTP_MEDIA_TYPE_UNKNOWN)
		type = MRG_HTTP_MEDIA_TYPE_OCTET_STREAM;
	return mrg_http_media_type_word(type);
}

static bool begins(struct mrg_span text, struct mrg_span with)
{
	return text.len >= with.len && mrg_span_eq((struct mrg_span){ text.p, with.len }, with);
}

static bool ends(struct mrg_span text, struct mrg_span with)
{
	return text.len >= with.len &&
	       mrg_span_eq((struct mrg_span){ text.p + (text.len - with.len), with.len }, with);
}

static void put_cache_control(const struct answer *a)
{
	const struct mrg_span names = names_of(a);
	for (size_t i = 0; i < a->files->cache_rule_count; i++) {
		const struct mrg_http_cache_rule *const rule = &a->files->cache_rules[i];
		if (!begins(names, rule->begin) || !ends(names, rule->end))
			continue;
		mrg_http_reply_field(a->reply, MRG_HTTP_FIELD_CACHE_CONTROL, rule->value);
		return;
	}
}

static void put_date_field(struct mrg_http_reply *reply, enum mrg_http_field id, uint64_t unix_s)
{
	uint8_t b[32];
	struct mrg_w w;
	mrg_w_init(&w, b, sizeof b);
	mrg_http_date_put(&w, unix_s);
	mrg_http_reply_field(reply, id, mrg_w_span(&w, 0));
}

/* A strong tag: another one whenever the content is (RFC 9110 8.8.3). */
static void make_etag(struct found *f)
{
	struct mrg_w *const note = f->file->note;
	struct mrg_w w;
	if (note != NULL && note->len >= ETAG_LEN) {
		memcpy(f->etag, note->p, ETAG_LEN);
		return;
	}
	mrg_w_init(&w, f->etag, sizeof f->etag);
	mrg_w_u8(&w, '"');
	mrg_digits_put_hex(&w, f->file->version);
	mrg_w_u8(&w, '-');
	mrg_digits_put_hex(&w, f->file->size);
	mrg_w_u8(&w, '"');
	if (note != NULL)
		mrg_w_put(note, mrg_w_span(&w, 0));
}

/* What a 200 has, and a 304 too where it could be of use (RFC 9110 15.4.5). */
static void put_validators(const struct answer *a, const struct mrg_http_validators *v)
{
	mrg_http_reply_field(a->reply, MRG_HTTP_FIELD_ETAG, v->etag);
	if (v->dated)
		put_date_field(a->reply, MRG_HTTP_FIELD_LAST_MODIFIED,
			v->modified_s < v->now_s ? v->modified_s : v->now_s);
	put_cache_control(a);
}

/* Not kept with the file: it depends on others. */
static void put_vary(const struct answer *a, const struct found *f)
{
	if (f->varies)
		mrg_http_reply_field(a->reply, MRG_HTTP_FIELD_VARY, MRG_LITERAL("Accept-Encoding"));
}

/* What an answer with some of the content has. */
static void put_about(const struct answer *a, const struct found *f, const struct mrg_http_validators *v)
{
	put_validators(a, v);
	mrg_http_reply_field(a->reply, MRG_HTTP_FIELD_ACCEPT_RANGES, MRG_LITERAL("bytes"));
	if (f->coding.len != 0)
		mrg_http_reply_field(a->reply, MRG_HTTP_FIELD_CONTENT_ENCODING, f->coding);
}

/* Keep the field lines of an answer with the file, if there is room, and unless Last-Modified is another one each time. */
static void keep_lines(
	struct mrg_w *note, enum kind kind, struct mrg_span lines, const struct mrg_http_validators *v)
{
	const bool settled = !v->dated || v->modified_s <= v->now_s;
	if (!settled || note->len != ETAG_LEN || lines.len >= note->cap - note->len)
		return;
	mrg_w_u8(note, (uint8_t)kind);
	mrg_w_put(note, lines);
}

/* The same and its type, for all of the content. */
static void put_about_whole(
	const struct answer *a, const struct found *f, const struct mrg_http_validators *v)
{
	struct mrg_w *const note = f->file->note, *const fields = &a->reply->fields;
	const enum kind kind = f->coding.len != 0 ? KIND_CODED : KIND_PLAIN;
	const size_t from = fields->len;
	if (note != NULL && note->len > LINES_AT && note->p[ETAG_LEN] == kind) {
		mrg_http_reply_lines(a->reply, (struct mrg_span){ note->p + LINES_AT, note->len - LINES_AT });
		return;
	}
	put_about(a, f, v);
	mrg_http_reply_field(a->reply, MRG_HTTP_FIELD_CONTENT_TYPE, media_type(names_of(a)));
	if (note != NULL && fields->st == MRG_OK)
		keep_lines(note, kind, mrg_w_span(fields, from), v);
}

/* ---- errors ---- */

/* The page for this status, if there is one; true: it is the body now. */
static bool put_error_page(struct answer *a, unsigned status)
{
	struct mrg_rt_file *file;
	for (size_t i = 0; i < a->files->error_page_count; i++) {
		const struct mrg_http_error_page *const page = &a->files->error_pages[i];
		if (page->status != status ||
			mrg_rt_tree_open(a->tree, page->path, a->now_ns, &file) != MRG_RT_FILE)
			continue;
		a->reply->status = status;
		mrg_http_reply_field(a->reply, MRG_HTTP_FIELD_CONTENT_TYPE, media_type(page->path));
		mrg_http_reply_file(a->reply, a->tree, file, 0, file->size);
		return true;
	}
	return false;
}

static void fail(struct answer *a, unsigned status)
{
	if (!put_error_page(a, status))
		mrg_http_reply_error(a->reply, status, (struct mrg_span){ NULL, 0 });
}

/* ---- bodies ---- */

static void put_whole(struct answer *a, const struct found *f)
{
	mrg_http_reply_file(a->reply, a->tree, f->file, 0, f->file->size);
}

/* RFC 9110 14.4 */
static void put_content_range(struct mrg_w *w, const struct mrg_http_range *range, uint64_t size)
{
	mrg_w_put_few(w, MRG_LITERAL("bytes "));
	if (range != NULL) {
		mrg_digits_put(w, range->first, 1);
		mrg_w_u8(w, '-');
		mrg_digits_put(w, range->first + range->len - 1u, 1);
	} else {
		mrg_w_u8(w, '*');
	}
	mrg_w_u8(w, '/');
	mrg_digits_put(w, size, 1);
}

static void put_content_range_field(struct answer *a, const struct mrg_http_range *range, uint64_t size)
{
	uint8_t b[80];
	struct mrg_w w;
	mrg_w_init(&w, b, sizeof b);
	put_content_range(&w, range, size);
	mrg_http_reply_field(a->reply, MRG_HTTP_FIELD_CONTENT_RANGE, mrg_w_span(&w, 0));
}

/* RFC 9110 14.6: a boundary of the content's own, with a digest in it, is in no content by chance. */
static void put_boundary(struct mrg_w *w, const struct found *f)
{
	mrg_w_put(w, MRG_LITERAL("mrg-part-"));
	mrg_digits_put_hex(w, f->file->version);
	mrg_digits_put_hex(w, mrg_hash_mix(f->file->version + 1u, UINT64_C(0x9e3779b97f4a7c15)));
}

/* Several ranges, each with its own fields: multipart/byteranges. */
static void put_parts(struct answer *a, const struct found *f, struct mrg_span type,
	const struct mrg_http_range *ranges, size_t count)
{
	struct mrg_w *const text = a->reply->text;
	size_t from = text->len;
	for (size_t i = 0; i < count; i++) {
		mrg_w_put(text, MRG_LITERAL("\r\n--"));
		put_boundary(text, f);
		mrg_w_put(text, MRG_LITERAL("\r\nContent-Type: "));
		mrg_w_put(text, type);
		mrg_w_put(text, MRG_LITERAL("\r\nContent-Range: "));
		put_content_range(text, &ranges[i], f->file->size);
		mrg_w_put(text, MRG_LITERAL("\r\n\r\n"));
		mrg_http_reply_written(a->reply, from);
		mrg_http_reply_file(
			a->reply, i + 1 == count ? a->tree : NULL, f->file, ranges[i].first, ranges[i].len);
		from = text->len;
	}
	mrg_w_put(text, MRG_LITERAL("\r\n--"));
	put_boundary(text, f);
	mrg_w_put(text, MRG_LITERAL("--\r\n"));
	mrg_http_reply_written(a->reply, from);
}

static void put_ranges(struct answer *a, const struct found *f, struct mrg_span type,
	const struct mrg_http_range *ranges, size_t count)
{
	uint8_t b[BOUNDARY_MAX + sizeof "multipart/byteranges; boundary="];
	struct mrg_w w;
	a->reply->status = MRG_HTTP_STATUS_PARTIAL_CONTENT;
	if (count == 1) {
		mrg_http_reply_field(a->reply, MRG_HTTP_FIELD_CONTENT_TYPE, type);
		put_content_range_field(a, ranges, f->file->size);
		mrg_http_reply_file(a->reply, a->tree, f->file, ranges->first, ranges->len);
		return;
	}
	mrg_w_init(&w, b, sizeof b);
	mrg_w_put(&w, MRG_LITERAL("multipart/byteranges; boundary="));
	put_boundary(&w, f);
	mrg_http_reply_field(a->reply, MRG_HTTP_FIELD_CONTENT_TYPE, mrg_w_span(&w, 0));
	put_parts(a, f, type, ranges, count);
}

/* ---- 200, 206, 304, 412, 416 ---- */

static enum mrg_http_ranges ranges_of(const struct answer *a, const struct found *f,
	const struct mrg_http_validators *v, struct mrg_http_range *out, size_t *count)
{
	const struct mrg_http_field_line *const range =
		mrg_http_request_field(a->r, MRG_HTTP_FIELD_RANGE, NULL);
	if (range == NULL || a->r->method != MRG_HTTP_METHOD_GET ||
		mrg_http_request_field(a->r, MRG_HTTP_FIELD_RANGE, range) != NULL ||
		!mrg_http_condition_range(a->r, v))
		return MRG_HTTP_RANGES_WHOLE;
	return mrg_http_ranges(range->value, f->file->size, out, count);
}

static void put_content(struct answer *a, const struct found *f, const struct mrg_http_validators *v)
{
	struct mrg_http_range ranges[MRG_HTTP_RANGES_MAX];
	size_t count = 0;
	const enum mrg_http_ranges wanted = ranges_of(a, f, v, ranges, &count);
	if (wanted == MRG_HTTP_RANGES_NONE) {
		const uint64_t size = f->file->size;
		mrg_rt_tree_close(a->tree, f->file);
		fail(a, MRG_HTTP_STATUS_RANGE_NOT_SATISFIABLE);
		put_content_range_field(a, NULL, size);
		return;
	}
	put_vary(a, f);
	if (wanted == MRG_HTTP_RANGES_SOME) {
		put_about(a, f, v);
		put_ranges(a, f, media_type(names_of(a)), ranges, count);
		return;
	}
	put_about_whole(a, f, v);
	put_whole(a, f);
}

static void put_representation(struct answer *a, struct found *f)
{
	make_etag(f);
	const struct mrg_http_validators v = {
		.etag = { f->etag, ETAG_LEN },
		.dated = f->file->modified_s >= 0,
		.modified_s = (uint64_t)f->file->modified_s,
		.now_s = a->now_s,
	};
	switch (mrg_http_condition(a->r, &v)) {
	case MRG_HTTP_GO_ON: put_content(a, f, &v); return;
	case MRG_HTTP_UNCHANGED:
		a->reply->status = MRG_HTTP_STATUS_NOT_MODIFIED;
		a->reply->no_length = true;
		put_validators(a, &v);
		put_vary(a, f);
		mrg_rt_tree_close(a->tree, f->file);
		return;
	case MRG_HTTP_FAILED:
		mrg_rt_tree_close(a->tree, f->file);
		fail(a, MRG_HTTP_STATUS_PRECONDITION_FAILED);
		return;
	}
}

/* ---- which representation ---- */

/* The same with `end` behind its name, unless it is older: then it is of what was there before. */
static struct mrg_rt_file *coded(struct answer *a, const struct mrg_rt_file *plain, struct mrg_span end)
{
	const size_t len = a->names.len;
	struct mrg_rt_file *file = NULL;
	mrg_w_put_few(&a->names, end);
	const bool there = look(a, &file) == MRG_RT_FILE;
	a->names.len = len;
	a->names.st = MRG_OK;
	if (!there)
		return NULL;
	if (file->modified_s >= plain->modified_s)
		return file;
	mrg_rt_tree_close(a->tree, file);
	return NULL;
}

static void choose(
	struct answer *a, struct found *f, struct mrg_rt_file *other, struct mrg_span coding, bool better)
{
	if (other == NULL)
		return;
	f->varies = true;
	if (better) {
		mrg_rt_tree_close(a->tree, f->file);
		f->file = other;
		f->coding = coding;
	} else {
		mrg_rt_tree_close(a->tree, other);
	}
}

/* What the client likes best; of what it likes the same, the smaller (RFC 9110 12.5.3). */
static void negotiate(struct answer *a, struct found *f)
{
	struct mrg_http_codings accepted;
	mrg_http_codings(a->r, &accepted);
	struct mrg_rt_file *const plain = f->file;
	struct mrg_rt_file *const br = coded(a, plain, MRG_LITERAL(".br"));
	struct mrg_rt_file *const gz = coded(a, plain, MRG_LITERAL(".gz"));
	const bool br_better = accepted.br != 0 && accepted.br >= accepted.identity &&
			       (gz == NULL || accepted.br >= accepted.gzip);
	const bool gz_better = accepted.gzip != 0 && accepted.gzip >= accepted.identity;
	choose(a, f, br, MRG_LITERAL("br"), br_better);
	choose(a, f, gz, MRG_LITERAL("gzip"), gz_better && (br == NULL || !br_better));
}

static void serve_file(struct answer *a, struct mrg_rt_file *file)
{
	struct found f = { .file = file };
	negotiate(a, &f);
	put_representation(a, &f);
}

/* RFC 9110 15.4.2: relative references in a folder's page only work behind a slash. */
static void redirect(struct answer *a)
{
	uint8_t b[NAMES_MAX];
	struct mrg_w w;
	mrg_w_init(&w, b, sizeof b);
	mrg_http_path_put_folder(&w, a->r->path);
	if (a->r->query.len != 0) {
		mrg_w_u8(&w, '?');
		mrg_w_put(&w, a->r->query);
	}
	if (w.st != MRG_OK || w.len > MRG_HTTP_REPLY_FIELDS / 2) {
		fail(a, MRG_HTTP_STATUS_URI_TOO_LONG);
		return;
	}
	mrg_http_reply_error(a->reply, MRG_HTTP_STATUS_MOVED_PERMANENTLY, (struct mrg_span){ NULL, 0 });
	mrg_http_reply_field(a->reply, MRG_HTTP_FIELD_LOCATION, mrg_w_span(&w, 0));
}

static void put_found(struct answer *a, enum mrg_rt_found found, struct mrg_rt_file *file)
{
	switch (found) {
	case MRG_RT_FILE: serve_file(a, file); break;
	case MRG_RT_FOLDER: redirect(a); break;
	case MRG_RT_NOTHING: fail(a, MRG_HTTP_STATUS_NOT_FOUND); break;
	case MRG_RT_FORBIDDEN: fail(a, MRG_HTTP_STATUS_FORBIDDEN); break;
	case MRG_RT_BUSY: fail(a, MRG_HTTP_STATUS_SERVICE_UNAVAILABLE); break;
	}
}

static void serve_path(struct answer *a)
{
	struct mrg_rt_file *file = NULL;
	bool folder;
	if (!mrg_http_path_names(a->r->path, &a->names, &folder)) {
		fail(a, MRG_HTTP_STATUS_NOT_FOUND);
		return;
	}
	if (folder) {
		if (a->names.len != 0)
			mrg_w_u8(&a->names, '/');
		mrg_w_put(&a->names, a->files->index);
	}
	enum mrg_rt_found found = look(a, &file);
	if (folder && found == MRG_RT_FOLDER)
		found = MRG_RT_NOTHING; /* a folder with the name of an index page */
	put_found(a, found, file);
}

/* ---- methods and hosts ---- */

static struct mrg_rt_tree *tree_of(const struct mrg_http_files *f, struct mrg_span host)
{
	for (size_t i = 0; i < f->host_count; i++)
		if (mrg_span_eq_nocase(f->hosts[i].name, host))
			return f->hosts[i].tree;
	return f->hosts[0].tree;
}

static void put_allow(struct answer *a)
{
	mrg_http_reply_field(a->reply, MRG_HTTP_FIELD_ALLOW, MRG_LITERAL("GET, HEAD, OPTIONS"));
}

void mrg_http_files_answer(const struct mrg_http_files *f, const struct mrg_http_exchange *x)
{
	struct answer a = {
		.files = f, .r = x->request, .reply = x->reply, .now_ns = x->now_ns, .now_s = x->unix_s
	};
	uint8_t room[NAMES_MAX]; /* not in `a`, which is cleared */
	mrg_w_init(&a.names, room, sizeof room);
	a.tree = tree_of(f, a.r->host);
	switch (a.r->method) {
	case MRG_HTTP_METHOD_GET:
	case MRG_HTTP_METHOD_HEAD:
		/* RFC 9110 7.4: what is only to be had over a secured connection is not to be had here */
		if (a.r->scheme.len != 0 && !mrg_span_eq_nocase(a.r->scheme, MRG_LITERAL("http")))
			fail(&a, MRG_HTTP_STATUS_MISDIRECTED_REQUEST);
		else
			serve_path(&a);
		break;
	case MRG_HTTP_METHOD_OPTIONS:
		a.reply->status = MRG_HTTP_STATUS_NO_CONTENT;
		put_allow(&a);
		break;
	case MRG_HTTP_METHOD_UNKNOWN: fail(&a, MRG_HTTP_STATUS_NOT_IMPLEMENTED); break;
	default:
		fail(&a, MRG_HTTP_STATUS_METHOD_NOT_ALLOWED);
		put_allow(&a);
		break;
	}
}
