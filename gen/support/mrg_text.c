/*
 * mrg_text.c - tokens, errors and names of enums in presentation format.  See mrg_text.h.
 * Reading order: this, mrg_text_numbers.c, mrg_text_bytes.c, mrg_text_names.c, mrg_text_loc.c.
 */
#include "mrg_text.h"

/* --- a line as a source --------------------------------------------------------------------- */

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static void line_quoted(struct mrg_text *t, const uint8_t *p)
{
	const uint8_t *start = p;
	while (p < t->rest.end && *p != '"')
		p += *p == '\\' && p + 1 < t->rest.end ? 2 : 1;
	t->tok.s = (struct mrg_span){ start, (size_t)(p - start) };
	t->tok.kind = MRG_TEXT_QUOTED;
	t->rest.at = p < t->rest.end ? p + 1 : p;
}

static void line_pull(struct mrg_text *t)
{
	const uint8_t *p = t->rest.at;
	while (p < t->rest.end && is_blank(*p))
		p++;
	const uint8_t *start = p;
	if (p == t->rest.end) {
		t->tok = (struct mrg_text_token){ { p, 0 }, MRG_TEXT_END };
		return;
	}
	if (*p == '"') {
		line_quoted(t, p + 1);
		return;
	}
	while (p < t->rest.end && !is_blank(*p) && *p != '"')
		p += *p == '\\' && p + 1 < t->rest.end ? 2 : 1;
	t->tok = (struct mrg_text_token){ { start, (size_t)(p - start) }, MRG_TEXT_WORD };
	t->rest.at = p;
}

void mrg_text_line(struct mrg_text *t, struct mrg_span line, struct mrg_span origin)
{
	static const uint8_t none[1];
	*t = (struct mrg_text){ .line = 1, .pull = line_pull, .origin = origin };
	t->rest.at = line.len != 0 ? line.p : none;
	t->rest.end = t->rest.at + line.len;
	t->line_start = t->rest.at;
}

/* --- errors ----------------------------------------------------------------------------------- */

MRG_COLD bool mrg_text_part(struct mrg_text *t, const struct mrg_text_mark *mark)
{
	t->err.line = mark->line;
	t->err.col = mark->col;
	return false;
}

/* The first error counts. */
static MRG_COLD bool refuse(struct mrg_text *t, enum mrg_status st, const char *what)
{
	if (t->err.status != MRG_OK)
		return false;
	t->err.status = st;
	t->err.what = what;
	t->err.at = t->tok.s;
	t->err.depth = 0;
	const struct mrg_text_mark here = mrg_text_here(t);
	return mrg_text_part(t, &here);
}

static MRG_COLD bool refuse_whole(struct mrg_text *t, enum mrg_status st, const char *what)
{
	if (t->err.status != MRG_OK)
		return false;
	refuse(t, st, what);
	t->err.at = t->mark.at;
	return mrg_text_part(t, &t->mark);
}

MRG_COLD bool mrg_text_bad_whole(struct mrg_text *t, const char *what)
{
	return refuse_whole(t, MRG_E_TEXT, what);
}

MRG_COLD bool mrg_text_bad(struct mrg_text *t, const char *what) { return refuse(t, MRG_E_TEXT, what); }

MRG_COLD bool mrg_text_bad_status(struct mrg_text *t, enum mrg_status st, const char *what)
{
	return refuse(t, st, what);
}

static MRG_COLD bool refuse_range(struct mrg_text *t, const char *what, uint64_t lo, uint64_t hi)
{
	if (t->err.status == MRG_OK) {
		t->err.ranged = true;
		t->err.lo = lo;
		t->err.hi = hi;
	}
	return refuse(t, MRG_E_TEXT, what);
}

MRG_COLD bool mrg_text_bad_range(struct mrg_text *t, uint64_t lo, uint64_t hi)
{
	return refuse_range(t, "must be in ", lo, hi);
}

MRG_COLD bool mrg_text_bad_size(struct mrg_text *t, uint64_t lo, uint64_t hi)
{
	return refuse_range(t, "octets must be in ", lo, hi);
}

MRG_COLD bool mrg_text_bad_whole_size(struct mrg_text *t, uint64_t lo, uint64_t hi)
{
	const bool first = t->err.status == MRG_OK;
	mrg_text_bad_size(t, lo, hi);
	if (first)
		t->err.at = t->mark.at;
	return first ? mrg_text_part(t, &t->mark) : false;
}

MRG_COLD bool mrg_text_bad_count(struct mrg_text *t, uint64_t lo, uint64_t hi)
{
	return refuse_range(t, "the number of them must be in ", lo, hi);
}

MRG_COLD bool mrg_text_in(struct mrg_text *t, const struct mrg_site *site)
{
	if (t->err.depth < MRG_TEXT_DEPTH)
		t->err.path[t->err.depth++] = site;
	return false;
}

MRG_COLD enum mrg_status mrg_text_refuse(
	struct mrg_text *t, struct mrg_w *w, size_t from, struct mrg_reject *rj)
{
	w->len = from;
	if (w->st != MRG_OK && t->err.status == MRG_OK)
		refuse(t, w->st, "too long");
	else if (w->st != MRG_OK && t->err.status == MRG_E_TEXT) {
		/* what did not fit may have been refused for its size first */
		t->err.status = w->st;
		t->err.what = "too long";
		t->err.ranged = false;
	}
	if (rj != NULL) {
		*rj = (struct mrg_reject){ .status = t->err.status, .at = t->err.at.p };
		rj->site = t->err.depth > 0 ? t->err.path[0] : NULL;
		for (unsigned i = 1; i < t->err.depth; i++)
			rj->path[rj->depth++] = t->err.path[i];
	}
	return t->err.status;
}

/* Only a field's site has a name for messages: "Rr.name", not "Rr". */
static void name_field(struct mrg_text *t, const struct mrg_site *site)
{
	for (const char *p = site != NULL ? site->path : ""; *p != '\0'; p++)
		if (*p == '.') {
			mrg_text_in(t, site);
			return;
		}
}

static MRG_COLD bool rejected(struct mrg_text *t, const struct mrg_reject *rj)
{
	refuse_whole(t, rj->status, rj->site != NULL ? rj->site->what : mrg_status_str(rj->status));
	name_field(t, rj->site);
	for (unsigned i = 0; i < rj->depth; i++)
		name_field(t, rj->path[i]);
	return false;
}

bool mrg_text_checked(struct mrg_text *t, const struct mrg_w *w, size_t more, const struct mrg_reject *rj)
{
	if (w->st != MRG_OK)
		return mrg_text_bad_status(t, w->st, "too long");
	if (rj->status != MRG_OK)
		return rejected(t, rj);
	return more == 0 || mrg_text_bad(t, "more than it may have");
}

enum mrg_status mrg_text_done(
	struct mrg_text *t, struct mrg_w *w, size_t from, bool ok, struct mrg_reject *rj)
{
	return ok && mrg_text_end(t) && w->st == MRG_OK ? MRG_OK : mrg_text_refuse(t, w, from, rj);
}

static void put_field(const struct mrg_text *t, struct mrg_w *w)
{
	if (t->in != NULL)
		mrg_text_put(w, t->in);
	for (unsigned i = t->err.depth; i-- > 0;) {
		const char *name = t->err.path[i]->path;
		for (const char *p = name; *p != '\0'; p++)
			if (*p == '.')
				name = p + 1;
		if (i + 1u < t->err.depth)
			mrg_w_u8(w, '.');
		else if (t->in != NULL)
			mrg_w_u8(w, ' ');
		mrg_text_put(w, name);
	}
}

/* What the user wrote, cut so that the message stays readable. */
static void put_quote(struct mrg_w *w, struct mrg_span s)
{
	mrg_text_put(w, "'");
	for (size_t i = 0; i < s.len && i < 40; i++)
		mrg_w_u8(w, s.p[i] >= ' ' && s.p[i] < 0x7f ? s.p[i] : '?');
	mrg_text_put(w, s.len > 40 ? "...'" : "'");
}

/* A text writer over a C string: what does not fit is cut. */
static const char *finish(const struct mrg_w *w)
{
	w->p[w->len] = '\0';
	return (const char *)w->p;
}

const char *mrg_text_field(const struct mrg_text *t, char *buf, size_t cap)
{
	struct mrg_w w;
	mrg_w_init(&w, buf, cap - 1);
	put_field(t, &w);
	return finish(&w);
}

static void put_reason(const struct mrg_text *t, struct mrg_w *w)
{
	mrg_text_put(w, t->err.what);
	if (t->err.ranged) {
		mrg_text_put_dec(w, t->err.lo);
		mrg_text_put(w, "..");
		mrg_text_put_dec(w, t->err.hi);
	}
	if (t->err.at.len > 0) {
		mrg_text_put(w, ": ");
		put_quote(w, t->err.at);
	}
}

const char *mrg_text_reason(const struct mrg_text *t, char *buf, size_t cap)
{
	struct mrg_w w;
	mrg_w_init(&w, buf, cap - 1);
	put_reason(t, &w);
	return finish(&w);
}

const char *mrg_text_message(const struct mrg_text *t, char *buf, size_t cap)
{
	struct mrg_w w;
	mrg_w_init(&w, buf, cap - 1);
	put_field(t, &w);
	mrg_text_put(&w, w.len > 0 ? ": " : "");
	put_reason(t, &w);
	return finish(&w);
}

/* --- tokens ------------------------------------------------------------------------------------ */

bool mrg_text_is(struct mrg_text *t, const char *word)
{
	if (!mrg_text_more(t) || t->tok.kind != MRG_TEXT_WORD)
		return false;
	size_t i = 0;
	while (i < t->tok.s.len && word[i] != '\0' && mrg_lower(t->tok.s.p[i]) == mrg_lower((uint8_t)word[i]))
		i++;
	if (i != t->tok.s.len || word[i] != '\0')
		return false;
	t->have = false;
	return true;
}

bool mrg_text_end(struct mrg_text *t)
{
	return !mrg_text_more(t) || mrg_text_bad(t, "more than this record has");
}

/* --- enums ------------------------------------------------------------------------------------- */

#define FOLD 0xdfdfdfdfdfdfdfdfull /* bit 5 off: both cases of a letter are one */

/* gen/mrg/emit/text_enum.py does the same sum when it lays out the slots */
static uint64_t name_key(struct mrg_span s)
{
	uint64_t k;
	if (s.len >= 8) {
		const uint64_t last = mrg_le64(s.p + s.len - 8);
		k = mrg_le64(s.p) ^ (last << 29 | last >> 35);
		const uint64_t fold = FOLD << 29 | FOLD >> 35;
		k &= FOLD & fold;
	} else if (s.len >= 4) {
		k = (mrg_le32(s.p) | (uint64_t)mrg_le32(s.p + s.len - 4) << 32) & FOLD;
	} else if (s.len > 0) {
		k = (s.p[0] | (uint64_t)s.p[s.len / 2] << 8 | (uint64_t)s.p[s.len - 1] << 16) & FOLD;
	} else {
		return 0;
	}
	return k ^ (uint64_t)s.len << 5;
}

static bool same_name(const struct mrg_text_member *m, struct mrg_span s)
{
	if (m->len != s.len)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (mrg_lower(s.p[i]) != mrg_lower((uint8_t)m->name[i]))
			return false;
	return true;
}

/* TYPE65280: the prefix and a number without leading zeros */
static bool unknown_value(const struct mrg_text_enum *e, struct mrg_span s, uint64_t *v)
{
	size_t i = 0;
	for (; e->unknown[i] != '\0'; i++)
		if (i >= s.len || mrg_lower(s.p[i]) != mrg_lower((uint8_t)e->unknown[i]))
			return false;
	return mrg_text_parse_dec((struct mrg_span){ s.p + i, s.len - i }, e->max, v);
}

const struct mrg_text_member *mrg_text_enum_named(const struct mrg_text_enum *e, struct mrg_span name)
{
	const size_t mask = ((size_t)1 << (64u - e->shift)) - 1u;
	size_t slot = (size_t)((name_key(name) * e->mul) >> e->shift);
	/* at least one slot is free, so this ends */
	for (; e->slots[slot] != 0; slot = (slot + 1) & mask) {
		const struct mrg_text_member *m = &e->members[e->slots[slot] - 1];
		if (same_name(m, name))
			return m;
	}
	return NULL;
}

bool mrg_text_enum_find(const struct mrg_text_enum *e, struct mrg_span name, uint64_t *v)
{
	const struct mrg_text_member *m = mrg_text_enum_named(e, name);
	if (m == NULL)
		return unknown_value(e, name, v);
	*v = m->lo;
	return true;
}

const struct mrg_text_member *mrg_text_enum_member(const struct mrg_text_enum *e, uint64_t v)
{
	unsigned lo = 0, hi = e->count;
	while (lo < hi) {
		const unsigned mid = lo + (hi - lo) / 2;
		if (e->members[mid].hi < v)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == e->count || e->members[lo].lo != v || e->members[lo].hi != v)
		return NULL;
	return &e->members[lo];
}
