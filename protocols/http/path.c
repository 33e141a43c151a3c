/*
 * The names that a target's path consists of.
 */
#include "http/target.h"
#include "mrg_digits.h"
#include "protocols/http/path.h"

enum { CAPTURES = 16 }; /* taken at a time */

static struct mrg_span span_of(const struct mrg_capture *c) { return (struct mrg_span){ c->p, c->len }; }

/* RFC 3986 2.1 */
static bool decode(struct mrg_span segment, struct mrg_w *w)
{
	struct mrg_http_target_segment_cursor cursor;
	struct mrg_capture c[CAPTURES];
	size_t count;
	enum mrg_status st;
	mrg_http_target_segment_begin(&cursor, segment);
	do {
		st = mrg_http_target_segment_next(&cursor, c, CAPTURES, &count);
		for (size_t i = 0; i < count; i++) {
			if (c[i].what == MRG_HTTP_TARGET_SEGMENT_PLAIN)
				mrg_w_put_few(w, span_of(&c[i]));
			else
				mrg_w_u8(w, (uint8_t)mrg_digits_hex_more(0, span_of(&c[i])));
		}
	} while (st == MRG_E_SPACE);
	return st == MRG_OK && w->st == MRG_OK;
}

/* Names so far, and where each began. */
struct names {
	struct mrg_w *w;
	size_t count;
	size_t at[MRG_HTTP_PATH_DEPTH];
	bool folder;
};

/* One more segment, RFC 3986 5.2.4. */
static bool add(struct names *n, struct mrg_span segment)
{
	struct mrg_w *const w = n->w;
	const size_t from = w->len;
	if (n->count != 0)
		mrg_w_u8(w, '/');
	const size_t name = w->len;
	if (!decode(segment, w))
		return false;
	n->folder = true;
	if (mrg_span_eq(mrg_w_span(w, name), MRG_LITERAL("."))) {
		w->len = from;
	} else if (mrg_span_eq(mrg_w_span(w, name), MRG_LITERAL(".."))) {
		w->len = n->count == 0 ? from : n->at[--n->count];
	} else if (n->count == MRG_HTTP_PATH_DEPTH) {
		return false;
	} else {
		n->at[n->count++] = from;
		n->folder = false;
	}
	return true;
}

bool mrg_http_path_names(struct mrg_span path, struct mrg_w *w, bool *folder)
{
	struct mrg_http_target_segments_cursor cursor;
	struct names names = { .w = w, .folder = true };
	struct mrg_capture c[CAPTURES];
	size_t count;
	enum mrg_status st;
	const uint8_t *end = path.p;
	*folder = true;
	if (path.len == 0)
		return true; /* RFC 9110 4.2.3 */
	mrg_http_target_segments_begin(&cursor, path);
	do {
		st = mrg_http_target_segments_next(&cursor, c, CAPTURES, &count);
		for (size_t i = 0; i < count; i++) {
			if (!add(&names, span_of(&c[i])))
				return false;
			end = c[i].p + c[i].len;
		}
	} while (st == MRG_E_SPACE);
	*folder = names.folder || end != path.p + path.len;
	return st == MRG_OK;
}

void mrg_http_path_put_folder(struct mrg_w *w, struct mrg_span path)
{
	struct mrg_http_target_segments_cursor cursor;
	struct mrg_capture c[CAPTURES];
	size_t count;
	enum mrg_status st;
	mrg_w_u8(w, '/');
	mrg_http_target_segments_begin(&cursor, path);
	do {
		st = mrg_http_target_segments_next(&cursor, c, CAPTURES, &count);
		for (size_t i = 0; i < count; i++) {
			mrg_w_put(w, span_of(&c[i]));
			mrg_w_u8(w, '/');
		}
	} while (st == MRG_E_SPACE);
}
