/*
 * Conditional requests.
 */
#include "http/field.h"
#include "protocols/http/condition.h"
#include "protocols/http/date.h"

enum { CAPTURES = 16 }; /* taken at a time */

static struct mrg_span span_of(const struct mrg_capture *c) { return (struct mrg_span){ c->p, c->len }; }

/* ---- entity tags, RFC 9110 8.8.3.2 ---- */

struct matching {
	struct mrg_span etag;
	bool weakly; /* weak comparison: weak tags count too */
	bool weak;   /* the next tag is one */
	bool found;
};

static void match_one(struct matching *m, const struct mrg_capture *c)
{
	switch (c->what) {
	case MRG_HTTP_FIELD_ENTITY_TAGS_ANY: m->found = true; break;
	case MRG_HTTP_FIELD_ENTITY_TAGS_WEAK: m->weak = true; break;
	default:
		if ((m->weakly || !m->weak) && mrg_span_eq(span_of(c), m->etag))
			m->found = true;
		m->weak = false;
	}
}

/* In one field. What is no list names nothing. */
static bool match_field(struct mrg_span value, struct mrg_span etag, bool weakly)
{
	struct mrg_http_field_entity_tags_cursor cursor;
	struct matching m = { .etag = etag, .weakly = weakly };
	struct mrg_capture c[CAPTURES];
	size_t count;
	enum mrg_status st;
	mrg_http_field_entity_tags_begin(&cursor, value);
	do {
		st = mrg_http_field_entity_tags_next(&cursor, c, CAPTURES, &count);
		for (size_t i = 0; i < count; i++)
			match_one(&m, &c[i]);
	} while (st == MRG_E_SPACE);
	return st == MRG_OK && m.found;
}

/* In all fields of that name, which are one list (RFC 9110 5.3). */
static bool match(const struct mrg_http_request *r, enum mrg_http_field id, struct mrg_span etag, bool weakly)
{
	for (const struct mrg_http_field_line *f = mrg_http_request_field(r, id, NULL); f != NULL;
		f = mrg_http_request_field(r, id, f))
		if (match_field(f->value, etag, weakly))
			return true;
	return false;
}

/* ---- dates ---- */

/* From when years of two digits are seen: without a clock, from when the file is. */
static uint64_t seen_s(const struct mrg_http_validators *v)
{
	return v->now_s != MRG_HTTP_NO_CLOCK ? v->now_s : v->modified_s;
}

/* Is there such a field with a date in it, and just one? Else it is passed over (RFC 9110 13.1.3 and 13.1.4). */
static bool date_in(const struct mrg_http_request *r, enum mrg_http_field id,
	const struct mrg_http_validators *v, uint64_t *unix_s)
{
	const struct mrg_http_field_line *const f = mrg_http_request_field(r, id, NULL);
	return v->dated && f != NULL && mrg_http_request_field(r, id, f) == NULL &&
	       mrg_http_date_read(f->value, seen_s(v), unix_s);
}

/* ---- RFC 9110 13.2.2 ---- */

static bool step_fails(const struct mrg_http_request *r, const struct mrg_http_validators *v)
{
	uint64_t date;
	if (mrg_http_request_field(r, MRG_HTTP_FIELD_IF_MATCH, NULL) != NULL)
		return !match(r, MRG_HTTP_FIELD_IF_MATCH, v->etag, false);
	return date_in(r, MRG_HTTP_FIELD_IF_UNMODIFIED_SINCE, v, &date) && v->modified_s > date;
}

static bool step_unchanged(const struct mrg_http_request *r, const struct mrg_http_validators *v)
{
	uint64_t date;
	if (mrg_http_request_field(r, MRG_HTTP_FIELD_IF_NONE_MATCH, NULL) != NULL)
		return match(r, MRG_HTTP_FIELD_IF_NONE_MATCH, v->etag, true);
	return date_in(r, MRG_HTTP_FIELD_IF_MODIFIED_SINCE, v, &date) && v->modified_s <= date;
}

enum mrg_http_verdict mrg_http_condition(
	const struct mrg_http_request *r, const struct mrg_http_validators *v)
{
	if (step_fails(r, v))
		return MRG_HTTP_FAILED;
	return step_unchanged(r, v) ? MRG_HTTP_UNCHANGED : MRG_HTTP_GO_ON;
}

/* Two If-Range fields don't say which one is meant; the whole is right in any case. A date is a strong validator only if it is the very same,
 * and so old that there can't have been two changes since (RFC 9110 8.8.2.2 and 13.1.5). */
bool mrg_http_condition_range(const struct mrg_http_request *r, const struct mrg_http_validators *v)
{
	const struct mrg_http_field_line *const f = mrg_http_request_field(r, MRG_HTTP_FIELD_IF_RANGE, NULL);
	struct mrg_capture c[2];
	size_t count, at;
	unsigned code;
	uint64_t date;
	if (f == NULL)
		return true;
	if (mrg_http_request_field(r, MRG_HTTP_FIELD_IF_RANGE, f) != NULL)
		return false;
	if (mrg_http_field_entity_tag_read(f->value, c, 2, &count, &at, &code) == MRG_OK)
		return count == 1 && mrg_span_eq(span_of(&c[0]), v->etag);
	return v->dated && v->modified_s < v->now_s && mrg_http_date_read(f->value, seen_s(v), &date) &&
	       date == v->modified_s;
}
