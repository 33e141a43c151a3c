/*
 * mrg_textplan_run.c - what must hold of a text and the generated C of its rule.
 *
 * Reading order: struct outcome, differs; the readers, each giving an outcome; the runs of each kind of rule; the subject.
 */
#include "mrg_textplan_run.h"

#include <string.h>

enum { STRETCH = 32 }; /* octets that are fed one by one of any text, if it has so many */

/* What a reader said of a text. */
struct outcome {
	enum mrg_status status;
	size_t at;
	unsigned code;
	const struct mrg_capture *captures;
	size_t count;
};

/* --- comparing ------------------------------------------------------------------------------------------ */

static void wrong(struct mrg_fuzz_result *r, const char *key)
{
	r->verdict = MRG_FUZZ_WRONG;
	snprintf(r->key, sizeof r->key, "%s", key);
}

static const char *name_of(const struct mrg_text_ctx *x, unsigned what)
{
	return what < x->text.plan->capture_count ? x->text.plan->captures[what] : "?";
}

/* Whether two captures are the same: in their place if both are of the same text, else in their octets. */
static inline bool same(const struct mrg_capture *a, const struct mrg_capture *b, bool placed)
{
	if (a->what != b->what || a->len != b->len)
		return false;
	return a->len == 0 || a->p == b->p || (!placed && memcmp(a->p, b->p, a->len) == 0);
}

/* True: the captures of two readers differ, which is said. */
static bool captures_differ(const struct mrg_text_ctx *x, struct mrg_fuzz_result *r, const char *key,
	const struct outcome *a, const struct outcome *b, bool placed)
{
	size_t i = 0;
	while (i < a->count && i < b->count && same(&a->captures[i], &b->captures[i], placed))
		i++;
	if (i == a->count && i == b->count)
		return false;
	wrong(r, key);
	const struct mrg_capture none = { NULL, 0, UINT32_MAX };
	const struct mrg_capture *const p = i < a->count ? &a->captures[i] : &none,
					*const q = i < b->count ? &b->captures[i] : &none;
	snprintf(r->why, sizeof r->why,
		"%s: capture %zu is %s of %u octets, or %s of %u; there are %zu, or %zu", key, i,
		p == &none ? "none" : name_of(x, p->what), p->len, q == &none ? "none" : name_of(x, q->what),
		q->len, a->count, b->count);
	return true;
}

static bool differs(const struct mrg_text_ctx *x, struct mrg_fuzz_result *r, const char *key,
	const struct outcome *a, const struct outcome *b)
{
	const unsigned codes[2] = { a->status == MRG_E_LIMIT ? a->code : 0,
		b->status == MRG_E_LIMIT ? b->code : 0 };
	if (a->status == b->status && a->at == b->at && codes[0] == codes[1])
		return captures_differ(x, r, key, a, b, true);
	wrong(r, key);
	snprintf(r->why, sizeof r->why, "%s: \"%s\" (%u) at %zu, or \"%s\" (%u) at %zu", key,
		mrg_status_str(a->status), codes[0], a->at, mrg_status_str(b->status), codes[1], b->at);
	return true;
}

/* --- readers -------------------------------------------------------------------------------------------- */

static struct outcome read_whole(
	const struct mrg_text_ctx *x, const uint8_t *in, size_t len, struct mrg_capture *out)
{
	struct outcome o = { .captures = out };
	o.status =
		x->code.read((struct mrg_span){ in, len }, out, MRG_TEXT_CAPTURES, &o.count, &o.at, &o.code);
	return o;
}

/* What the tables say; false: they gave up. */
static bool read_tables(const struct mrg_text_ctx *x, const uint8_t *in, size_t len, struct mrg_capture *out,
	struct outcome *o)
{
	static const enum mrg_status statuses[] = { MRG_OK, MRG_MORE, MRG_E_TEXT, MRG_E_LIMIT };
	struct mrg_text_found found;
	mrg_text_read(&x->text, in, len, &found);
	if (found.verdict == MRG_TEXT_GAVE_UP)
		return false;
	*o = (struct outcome){ statuses[found.verdict], found.at, found.code, out, found.count };
	for (size_t i = 0; i < found.count; i++) {
		const struct mrg_text_part *const p = &found.parts[i];
		out[i] = (struct mrg_capture){ in + p->start, p->end - p->start, p->what };
	}
	return true;
}

/* Pieces of captures put together; what a piece says of those before it is believed. */
struct joined {
	struct mrg_capture *at;   /* the one that is open, or the next */
	struct mrg_capture *last; /* that there is room for */
	uintptr_t end;            /* of the pieces of the one that is open */
	bool torn;                /* a piece that does not fit to those before it */
};

static inline void join(struct joined *j, const struct mrg_part *parts, size_t count)
{
	struct mrg_capture *c = j->at;
	uintptr_t end = j->end;
	for (const struct mrg_part *p = parts; count != 0; p++, count--) {
		if (p->first) {
			c->p = p->p;
			c->what = p->what;
			end = (uintptr_t)p->p;
		}
		const bool more = p->cut > end - (uintptr_t)c->p;
		end -= p->cut;
		j->torn |= more | (c->what != p->what) | ((p->len != 0) & (end != (uintptr_t)p->p));
		end += p->len;
		if (p->last) {
			c->len = (uint32_t)(end - (uintptr_t)c->p);
			c += c != j->last;
			c->p = NULL; /* what follows is to be the first piece of another one */
			end = 0;
		}
	}
	j->at = c;
	j->end = end;
}

/* How a message is cut into pieces: `first` octets, then as many of `step` octets as `stretch` has room for, then the others. */
struct cuts {
	size_t first, stretch, step;
};

/* A message on its way through feed. */
struct feeding {
	const uint8_t *in;
	size_t given, left; /* octets, and those of them that are not taken */
	size_t cap;
	struct joined joined;
	enum mrg_status status;
	struct mrg_part parts[64];
};

/* Feeds pieces of `step` octets up to before in[end], as long as more of it is wanted. */
static inline void feed_up_to(struct feeding *f, const struct mrg_text_code *code, size_t end, size_t step)
{
	const uint8_t *at = f->in + f->given;
	const uint8_t *const stop = f->in + end;
	struct mrg_span span = { at, f->left };
	while (f->status == MRG_MORE && at < stop) {
		span.p = at;
		span.len = (size_t)(stop - at) < step ? (size_t)(stop - at) : step;
		at += span.len;
		do {
			size_t count = 0;
			f->status = code->feed(code->stream, &span, f->parts, f->cap, &count);
			if (count != 0)
				join(&f->joined, f->parts, count);
		} while (f->status == MRG_E_SPACE && !f->joined.torn);
	}
	f->given = (size_t)(at - f->in);
	f->left = span.len;
}

/* Whether a message that was refused stays so. */
static bool stays_refused(struct feeding *f, const struct mrg_text_code *code, size_t len)
{
	struct mrg_span span = { f->in, len };
	size_t count = 0;
	const unsigned before = code->refusal(code->stream);
	const enum mrg_status st = code->feed(code->stream, &span, f->parts, f->cap, &count);
	return st == f->status && count == 0 && span.len == len && code->refusal(code->stream) == before;
}

/* A message fed in pieces, with as little room as is allowed and `room` more. */
static struct outcome read_fed(const struct mrg_text_ctx *x, const uint8_t *in, size_t len, struct cuts cuts,
	size_t room, struct mrg_capture *out, const char **fault)
{
	const struct mrg_text_code *const code = &x->code;
	struct feeding f;
	const size_t most = sizeof f.parts / sizeof f.parts[0], cap = code->parts_min + room,
		     stop = len - cuts.first < cuts.stretch ? len : cuts.first + cuts.stretch;
	f.in = in;
	f.given = f.left = 0;
	f.cap = cap < most ? cap : most;
	out[0].p = NULL;
	f.joined = (struct joined){ .at = out, .last = out + (MRG_TEXT_CAPTURES - 1) };
	f.status = MRG_MORE;
	code->begin(code->stream);
	feed_up_to(&f, code, cuts.first, len);
	feed_up_to(&f, code, stop, cuts.step);
	feed_up_to(&f, code, len, len);
	*fault = f.joined.torn ? "a piece of a capture does not fit to those before it" : NULL;
	const struct outcome o = { f.status, f.given - f.left, code->refusal(code->stream), out,
		(size_t)(f.joined.at - out) };
	if ((f.status == MRG_E_TEXT || f.status == MRG_E_LIMIT) && !stays_refused(&f, code, len))
		*fault = "what was refused is read on";
	return o;
}

/* A value's captures, as few at a time as is allowed, and `room` more. */
static struct outcome read_some(
	const struct mrg_text_ctx *x, const uint8_t *in, size_t len, size_t room, struct mrg_capture *out)
{
	struct outcome o = { .captures = out, .status = MRG_E_SPACE };
	x->code.open(x->code.stream, (struct mrg_span){ in, len });
	while (o.status == MRG_E_SPACE && o.count < MRG_TEXT_CAPTURES - 2 * (x->code.parts_min + room)) {
		size_t count = 0;
		o.status = x->code.next(
			x->code.stream, out + o.count, x->code.parts_min + room, &count, &o.at, &o.code);
		o.count += count;
	}
	size_t more = 0; /* it stays so */
	const enum mrg_status st =
		x->code.next(x->code.stream, out + o.count, x->code.parts_min + room, &more, &o.at, &o.code);
	o.count += more;
	if (st != o.status)
		o.status = MRG_E_SPACE;
	return o;
}

/* --- what must hold --------------------------------------------------------------------------------------- */

static uint64_t hash_of(const uint8_t *in, size_t len)
{
	uint64_t h = len;
	for (size_t i = 0; i < len; i += 1 + len / 16)
		h = mrg_hash_mix(h ^ in[i], 0x9e3779b97f4a7c15ull);
	return h;
}

/*
 * By what a text says: one in eight is cut in two, one into octets, one into pieces of two to seventeen of them; of others a stretch is fed
 * octet by octet, and what is before it and behind it at once each.  What is short is always cut into octets.
 */
static struct cuts cuts_of(uint64_t h, size_t len)
{
	const struct cuts octets = { 0, len, 1 };
	const size_t first = h % (len + 1);
	if (len <= STRETCH)
		return octets;
	switch (h >> 16 & 7u) {
	case 0: return octets;
	case 1: return (struct cuts){ 0, len, 2 + (h >> 40 & 15u) };
	case 2: return (struct cuts){ first, 0, 1 };
	default: return (struct cuts){ first, STRETCH, 1 };
	}
}

/* Given at once, or in pieces, it is as it is whole.  True: it is not. */
static bool fed_differs(const struct mrg_text_ctx *x, const uint8_t *in, size_t len,
	const struct outcome *whole, struct mrg_fuzz_result *r)
{
	static const char *const keys[] = { "read/feed", "read/feed in pieces" };
	const uint64_t h = hash_of(in, len);
	const struct cuts cuts[] = { { len, 0, 1 }, cuts_of(h, len) };
	for (unsigned i = 0; i < 2; i++) {
		const char *fault;
		const struct outcome o =
			read_fed(x, in, len, cuts[i], i == 0 ? 64 : h >> 32 & 3u, x->store->second, &fault);
		if (fault != NULL) {
			wrong(r, keys[i]);
			snprintf(r->why, sizeof r->why, "%s: %s", keys[i], fault);
			return true;
		}
		if (differs(x, r, keys[i], whole, &o))
			return true;
	}
	return false;
}

/* What is written from a text's captures.  status: MRG_END when nothing is to be written. */
struct written {
	enum mrg_status status;
	struct mrg_span text;
};

/* Done long before it is looked at: what has just been written octet by octet takes time to be read many at once. */
static struct written write_again(const struct mrg_text_ctx *x, const struct outcome *read)
{
	struct mrg_w w;
	struct written out = { MRG_END, { x->store->written, 0 } };
	if (read->status != MRG_OK || x->code.put == NULL)
		return out;
	mrg_w_init(&w, x->store->written, sizeof x->store->written);
	x->code.put(&w, read->captures, read->count);
	out.status = mrg_w_finish(&w, &out.text.len);
	return out;
}

/* It is read as the same as the text.  True: it is not. */
static bool put_differs(const struct mrg_text_ctx *x, struct mrg_span text, const struct outcome *read,
	const struct written *written, struct mrg_fuzz_result *r)
{
	const enum mrg_status st = written->status;
	const size_t len = written->text.len;
	if (st == MRG_END)
		return false;
	/* with the blanks that are written it may be longer than it was, and too long */
	if (st == MRG_E_LIMIT && x->text.plan->max != MRG_TEXT_UNBOUNDED && read->at > x->text.plan->max / 2)
		return false;
	if (st == MRG_OK && len == text.len && len == read->at &&
		(len == 0 || memcmp(written->text.p, text.p, len) == 0))
		return false; /* it is the text itself, which was read */
	struct outcome again = { .status = st, .captures = x->store->second };
	if (st == MRG_OK && x->code.match != NULL) {
		x->store->written[len] = 0;
		again.status =
			x->code.match(written->text, x->store->second, &again.count) ? MRG_OK : MRG_E_TEXT;
		again.at = len;
	} else if (st == MRG_OK && x->code.read != NULL) {
		again = read_whole(x, written->text.p, len, x->store->second);
	} else if (st == MRG_OK) {
		again.status = x->code.check(written->text, &again.at, &again.code);
	}
	if (again.status == MRG_OK && again.at == len)
		return captures_differ(x, r, "put/read", read, &again, false);
	wrong(r, "put/read");
	snprintf(r->why, sizeof r->why,
		"put/read: from what was read it writes %zu octets (%s), and reads %zu of them (%s)", len,
		mrg_status_str(st), again.at, mrg_status_str(again.status));
	return true;
}

static void run_message(
	const struct mrg_text_ctx *x, const uint8_t *in, size_t len, struct mrg_fuzz_result *r)
{
	const struct outcome whole = read_whole(x, in, len, x->store->first);
	const struct written written = write_again(x, &whole);
	struct outcome o;
	if (read_tables(x, in, len, x->store->second, &o) && differs(x, r, "tables/read", &o, &whole))
		return;
	if (fed_differs(x, in, len, &whole, r))
		return;
	r->verdict = whole.status == MRG_OK ? MRG_FUZZ_ACCEPTED : MRG_FUZZ_REFUSED;
	(void)put_differs(x, (struct mrg_span){ in, len }, &whole, &written, r);
}

static void run_value(const struct mrg_text_ctx *x, const uint8_t *in, size_t len, struct mrg_fuzz_result *r)
{
	const struct mrg_span span = { in, len };
	struct outcome check = { 0 }, o, whole;
	check.status = x->code.check(span, &check.at, &check.code);
	whole = x->code.read != NULL ? read_whole(x, in, len, x->store->first) : check;
	const struct written written = write_again(x, &whole);
	if (read_tables(x, in, len, x->store->second, &o) && differs(x, r, "tables/read", &o, &whole))
		return;
	check.captures = whole.captures; /* it has none */
	check.count = whole.count;
	if (differs(x, r, "read/check", &whole, &check))
		return;
	if (x->code.next != NULL) {
		o = read_some(x, in, len, hash_of(in, len) % 3, x->store->second);
		if (differs(x, r, "read/next", &whole, &o))
			return;
	}
	r->verdict = whole.status == MRG_OK ? MRG_FUZZ_ACCEPTED : MRG_FUZZ_REFUSED;
	(void)put_differs(x, span, &whole, &written, r);
}

/* A copy of the input with a NUL behind it. */
static struct mrg_span with_end(const struct mrg_text_ctx *x, const uint8_t *in, size_t len)
{
	const size_t n = len < MRG_TEXT_LEN_MAX ? len : MRG_TEXT_LEN_MAX;
	if (n > 0)
		memcpy(x->store->copy, in, n);
	x->store->copy[n] = 0;
	return (struct mrg_span){ x->store->copy, n };
}

/* Captures of a match in the order of their names, as its C has them. */
static void in_order(const struct mrg_text_ctx *x, struct mrg_capture *all, size_t *count)
{
	size_t n = 0;
	for (unsigned what = 0; what < x->text.plan->capture_count; what++)
		for (size_t i = n; i < *count; i++)
			if (all[i].what == what) {
				const struct mrg_capture found = all[i];
				all[i] = all[n];
				all[n++] = found;
			}
	*count = n;
}

static void run_match(const struct mrg_text_ctx *x, const uint8_t *in, size_t len, struct mrg_fuzz_result *r)
{
	const struct mrg_span span = with_end(x, in, len);
	struct outcome o, match = { .captures = x->store->first };
	const bool is = x->code.match(span, x->store->first, &match.count);
	if (read_tables(x, span.p, span.len, x->store->second, &o)) {
		match.status = is ? MRG_OK : o.status == MRG_OK ? MRG_E_TEXT : o.status; /* it says no more */
		match.at = o.at;
		match.code = o.code;
		in_order(x, x->store->second, &o.count);
		if (!is)
			match.count = o.count = 0;
		if (differs(x, r, "tables/match", &o, &match))
			return;
	}
	match.status = is ? MRG_OK : MRG_E_TEXT;
	match.at = span.len;
	r->verdict = is ? MRG_FUZZ_ACCEPTED : MRG_FUZZ_REFUSED;
	const struct written written = write_again(x, &match);
	(void)put_differs(x, span, &match, &written, r);
}

/* By the tables: the first of the longest tokens at a place, from 1; 0: there is none.  *end: behind it. */
static unsigned longest(
	const struct mrg_text_ctx *x, const uint8_t *at, size_t len, size_t *end, bool *gave_up)
{
	unsigned which = 0;
	*end = 0;
	*gave_up = false;
	for (unsigned i = 0; i < x->token_count && !*gave_up; i++) {
		const size_t n = mrg_text_longest(&x->tokens[i], at, len, gave_up);
		if (n > *end) {
			*end = n;
			which = i + 1;
		}
	}
	return which;
}

static void run_tokens(const struct mrg_text_ctx *x, const uint8_t *in, size_t len, struct mrg_fuzz_result *r)
{
	const struct mrg_span span = with_end(x, in, len);
	const uint8_t *at = span.p, *const end = span.p + span.len;
	const struct mrg_text_node *const top =
		&x->text.plan->nodes[x->text.plan->top]; /* how often there is a token */
	struct mrg_text_found found;
	bool none = false;
	size_t times = 0;
	while (at < end) {
		const uint8_t *const from = at;
		size_t most;
		bool gave_up;
		const unsigned token = x->code.token(&at, end),
			       want = longest(x, from, (size_t)(end - from), &most, &gave_up);
		if (gave_up)
			return;
		none |= want == 0;
		times++;
		if (want != 0)
			mrg_text_read(
				&x->tokens[want - 1], from, most, &found); /* marks what it consists of */
		if (token == (want != 0 ? want : x->token_count + 1) &&
			(size_t)(at - from) == (want != 0 ? most : 1))
			continue;
		wrong(r, "tables/token");
		snprintf(r->why, sizeof r->why, "tables/token: at %zu token %u of %zu octets, or %u of %zu",
			(size_t)(from - span.p), want, most, token, (size_t)(at - from));
		return;
	}
	if (x->code.token(&at, end) != 0 && at == end) {
		wrong(r, "tables/token");
		snprintf(r->why, sizeof r->why, "tables/token: the end is not told");
		return;
	}
	r->verdict = none ? MRG_FUZZ_REFUSED : MRG_FUZZ_ACCEPTED;
	x->text.reached[none ? x->text.plan->refused : x->text.plan->accepted] = 1;
	x->text.reached[top->point[times < MRG_TEXT_SEVERAL ? times : MRG_TEXT_SEVERAL]] = 1;
}

/* --- the subject ------------------------------------------------------------------------------------------ */

size_t mrg_text_subject_make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	const struct mrg_text_ctx *const x = ctx;
	return mrg_text_make(&x->text, rng, out, cap);
}

size_t mrg_text_subject_mutate(void *ctx, struct mrg_rng *rng, const uint8_t *in, size_t len,
	const uint8_t *other, size_t other_len, uint8_t *out, size_t cap)
{
	const struct mrg_text_ctx *const x = ctx;
	return mrg_text_mutate(&x->text, rng, in, len, other, other_len, out, cap);
}

/* Without one of its pieces; then without each octet. */
size_t mrg_text_subject_smaller(void *ctx, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
	const struct mrg_text_ctx *const x = ctx;
	size_t end, start = 0, stop = 0;
	const size_t n = mrg_text_pieces(&x->text, in, len, &end);
	for (size_t k = 0; k < n && stop == 0; k++) {
		const struct mrg_text_piece *const p = &x->text.room->pieces[k];
		if (p->end > p->start && p->end - p->start < len && i-- == 0) {
			start = p->start;
			stop = p->end;
		}
	}
	if (stop == 0 && i < len && len > 1) {
		start = i;
		stop = i + 1;
	}
	if (stop == 0 || len - (stop - start) > cap)
		return 0;
	memcpy(out, in, start);
	memcpy(out + start, in + stop, len - stop);
	return len - (stop - start);
}

void mrg_text_subject_run(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	const struct mrg_text_ctx *const x = ctx;
	result->verdict = MRG_FUZZ_REFUSED;
	if (x->code.token != NULL)
		run_tokens(x, in, len, result);
	else if (x->code.match != NULL)
		run_match(x, in, len, result);
	else if (x->code.feed != NULL)
		run_message(x, in, len, result);
	else
		run_value(x, in, len, result);
}

/* Of tokens nothing: which of them a text has, only all of them tell. */
void mrg_text_subject_learn(void *ctx, const uint8_t *in, size_t len)
{
	const struct mrg_text_ctx *const x = ctx;
	struct mrg_text_found found;
	if (x->code.token == NULL)
		mrg_text_read(&x->text, in, len, &found);
}

static void show_octets(const uint8_t *p, size_t len, FILE *to)
{
	fputc('"', to);
	for (size_t i = 0; i < len; i++) {
		if (p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\')
			fputc(p[i], to);
		else
			fprintf(to, "\\x%02x", p[i]);
	}
	fputc('"', to);
}

void mrg_text_subject_show(void *ctx, const uint8_t *in, size_t len, FILE *to)
{
	static const char *const verdicts[] = { "accepted", "incomplete", "refused", "over a limit",
		"not decided" };
	const struct mrg_text_ctx *const x = ctx;
	struct mrg_text_found found;
	mrg_text_read(&x->text, in, len, &found);
	fprintf(to, "%s %s at octet %zu of %zu", x->text.plan->name, verdicts[found.verdict], found.at, len);
	if (found.verdict == MRG_TEXT_LIMITED)
		fprintf(to, ", code %u: %s", found.code,
			found.point != MRG_TEXT_NONE ? x->text.plan->points[found.point] : "?");
	if (found.verdict != MRG_TEXT_ACCEPTED && found.at < len) {
		fputs(", before ", to);
		show_octets(in + found.at, len - found.at < 16 ? len - found.at : 16, to);
	}
	fputc('\n', to);
	for (size_t i = 0; i < found.count; i++) {
		fprintf(to, "\t%s ", name_of(x, found.parts[i].what));
		show_octets(in + found.parts[i].start, found.parts[i].end - found.parts[i].start, to);
		fputc('\n', to);
	}
}

const char *mrg_text_subject_point(void *ctx, size_t point)
{
	const struct mrg_text_ctx *const x = ctx;
	return x->text.plan->points[point];
}
