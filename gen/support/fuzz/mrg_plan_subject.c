/*
 * A packet as something to be fuzzed: see mrg_plan.h.
 *
 * An input is the packet's number parameters, 8 octets each with the first the lowest, and then a message.
 */
#include <inttypes.h>
#include <string.h>

#include "mrg_plan_inside.h"

enum {
	NUMBER = 8,
	TRIES = 12,
	REDRAWS = 4, /* tries of changes in place */
	LONG = 200,  /* octets: what costs much is changed in cheaper ways */
	WRONG_OF = 16 /* one in so many is wrong on purpose */,
	AIMS_MAX = 1000, /* at one point: some can't be reached */
	AIMED_OF = 6     /* and so many are to reach something new */
};

/* ---- inputs ---- */

static const struct mrg_plan_packet *packet_of(const struct mrg_plan_subject *s)
{
	return &s->plan->packets[s->packet];
}

/* Octets before the message. */
static size_t head_len(const struct mrg_plan_subject *s)
{
	const struct mrg_plan_packet *const p = packet_of(s);
	size_t n = 0;
	for (uint32_t i = 0; i < p->param_n; i++)
		n += s->plan->params[p->params + i].buffer ? 0 : NUMBER;
	return n;
}

static struct mrg_span message_of(const struct mrg_plan_subject *s, const uint8_t *in, size_t len)
{
	const size_t head = head_len(s) < len ? head_len(s) : len;
	return (struct mrg_span){ in + head, len - head };
}

/*
 * The numbers before a message, brought into their ranges.  all: one a parameter, as the walker wants them; numbers: without buffers.
 */
static void arguments(
	const struct mrg_plan_subject *s, const uint8_t *in, size_t len, uint64_t *all, uint64_t *numbers)
{
	const struct mrg_plan_packet *const p = packet_of(s);
	size_t at = 0, n = 0;
	for (uint32_t i = 0; i < p->param_n && i < PARAMS_MAX; i++) {
		const struct mrg_plan_param *const param = &s->plan->params[p->params + i];
		all[i] = 0;
		if (param->buffer)
			continue;
		uint64_t v = 0;
		for (size_t k = at + NUMBER; k > at; k--)
			v = v << 8 | (k <= len ? in[k - 1] : 0);
		at += NUMBER;
		if (v < param->lo || v > param->hi)
			v = param->hi - param->lo == UINT64_MAX ? v
								: param->lo + v % (param->hi - param->lo + 1);
		all[i] = numbers[n++] = v;
	}
}

static void draw_head(const struct mrg_plan_subject *s, struct mrg_rng *rng, uint8_t *out)
{
	for (size_t at = 0; at < head_len(s);) {
		uint64_t v = mrg_rng_next(rng) >> mrg_rng_below(rng, 64);
		for (unsigned i = 0; i < NUMBER; i++, v >>= 8)
			out[at++] = (uint8_t)v;
	}
}

static void ready(struct mrg_plan_subject *s, struct mrg_choices *made)
{
	s->room->last.subject = NULL;
	s->room->walk.plan = s->plan;
	s->room->walk.reached = NULL;
	s->room->walk.postpones = s->room->walk.confirms = false;
	s->room->walk.offsets = s->offsets;
	s->room->walk.ranks = s->ranks;
	s->room->walk.aims = (struct mrg_plan_aims)MRG_PLAN_NO_AIMS;
	s->room->walk.made = made;
	s->room->walk.events = (struct mrg_events){ .at = s->room->want, .cap = MRG_PLAN_EVENTS };
}

/* Read an input; its decisions go to `made`, which may be NULL.  numbers: those of its head, or NULL. */
static enum mrg_status read_input(struct mrg_plan_subject *s, const uint8_t *in, size_t len,
	struct mrg_choices *made, uint8_t *reached, uint64_t *numbers)
{
	uint64_t all[PARAMS_MAX] = { 0 }, own[PARAMS_MAX] = { 0 };
	arguments(s, in, len, all, numbers != NULL ? numbers : own);
	ready(s, made);
	s->room->walk.reached = reached;
	return mrg_plan_read(&s->room->walk, s->packet, message_of(s, in, len), all);
}

/* ---- what was read before ---- */

/* Whether the walk is what reading this input gives, with all the points that it reaches put off. */
static bool is_read(const struct mrg_plan_subject *s, const uint8_t *in, size_t len)
{
	return s->room->last.subject == s && s->room->last.len == len &&
	       (len == 0 || memcmp(s->room->last.in, in, len) == 0);
}

/* Read an input that may be run next, which spares reading it then. */
static enum mrg_status read_ahead(struct mrg_plan_subject *s, const uint8_t *in, size_t len)
{
	struct mrg_walk *const w = &s->room->walk;
	uint64_t all[PARAMS_MAX] = { 0 }, own[PARAMS_MAX] = { 0 };
	arguments(s, in, len, all, own);
	ready(s, NULL);
	w->reached = s->reached;
	w->postpones = true;
	w->postponed_n = 0;
	const enum mrg_status st = mrg_plan_read(w, s->packet, message_of(s, in, len), all);
	w->postpones = false;
	if (len > MRG_PLAN_MEMO_LEN || w->postponed_n == sizeof w->postponed / sizeof w->postponed[0])
		return st;
	s->room->last.subject = s;
	s->room->last.len = len;
	memcpy(s->room->last.in, in, len);
	return st;
}

/* What read_input says, with its points in s->reached.  What was read last is not read again: it may lie elsewhere. */
static enum mrg_status read_now(struct mrg_plan_subject *s, const uint8_t *in, size_t len, uint64_t *numbers)
{
	struct mrg_walk *const w = &s->room->walk;
	if (!is_read(s, in, len) && len <= MRG_PLAN_MEMO_LEN)
		(void)read_ahead(s, in, len);
	if (!is_read(s, in, len)) /* there is too much of it, or of points */
		return read_input(s, in, len, NULL, s->reached, numbers);
	uint64_t all[PARAMS_MAX] = { 0 };
	arguments(s, in, len, all, numbers);
	for (size_t i = 0; i < w->postponed_n; i++)
		s->reached[w->postponed[i]] = 1;
	return w->status;
}

/* What is remembered of an input; of one that is not known, it is read into `room` and remembered, if that is small enough.  NULL: it isn't. */
static const struct mrg_plan_memo *memo_of(
	struct mrg_plan_subject *s, const uint8_t *in, size_t len, struct mrg_choices *room)
{
	const uint64_t hash = mrg_glue_hash(in, len);
	const size_t first = hash % MRG_PLAN_MEMOS / MRG_PLAN_MEMO_WAYS * MRG_PLAN_MEMO_WAYS;
	for (size_t i = first; i < first + MRG_PLAN_MEMO_WAYS; i++) {
		const struct mrg_plan_memo *const m = &s->room->memos[i];
		if (s->room->memo_hashes[i] == hash && m->subject == s && m->len == len &&
			memcmp(m->in, in, len) == 0)
			return m;
	}
	(void)read_input(s, in, len, room, NULL, NULL);
	if (len > MRG_PLAN_MEMO_LEN || room->n > MRG_PLAN_MEMO_CHOICES)
		return NULL;
	const size_t at = first + s->room->memo_next[first / MRG_PLAN_MEMO_WAYS]++ % MRG_PLAN_MEMO_WAYS;
	struct mrg_plan_memo *const m = &s->room->memos[at];
	s->room->memo_hashes[at] = hash;
	m->subject = s;
	m->len = len;
	m->n = room->n;
	memcpy(m->in, in, len);
	memcpy(m->c, room->c, room->n * sizeof room->c[0]);
	return m;
}

/* The decisions of an input; w->nodes are then another's. */
static void decisions_of(struct mrg_plan_subject *s, const uint8_t *in, size_t len, struct mrg_choices *out)
{
	const struct mrg_plan_memo *const m = memo_of(s, in, len, out);
	if (m == NULL)
		return;
	out->n = m->n;
	out->text = message_of(s, in, len).p;
	memcpy(out->c, m->c, m->n * sizeof m->c[0]);
}

/* ---- making ---- */

/* A number of a message; NONE: none was found. */
static uint32_t number_by_chance(
	struct mrg_plan_subject *s, struct mrg_rng *rng, const uint8_t *in, size_t len)
{
	const struct mrg_walk *const w = &s->room->walk;
	(void)read_input(s, in, len, &s->room->joined, NULL, NULL); /* with all that is in packets */
	for (int i = 0; i < 16 && w->node_n != 0; i++) {
		const uint32_t item = w->nodes[mrg_rng_below(rng, w->node_n)].item;
		if (item != MRG_PLAN_NONE && (w->plan->items[item].kind == MRG_PLAN_SCALAR ||
						     w->plan->items[item].kind == MRG_PLAN_VARINT))
			return item;
	}
	return MRG_PLAN_NONE;
}

/* Items of a packet are side by side. */
static uint32_t packet_with(const struct mrg_plan *plan, uint32_t item)
{
	uint32_t i = 0;
	while (i + 1 < plan->packet_n && plan->packets[i + 1].items <= item)
		i++;
	return i;
}

/* A value that a check holds its field against, or any small one. */
static uint64_t near(const struct mrg_plan *plan, const struct mrg_plan_item *check, struct mrg_rng *rng)
{
	enum { SMALL = 48 };
	if (check->hint_n != 0 && mrg_rng_below(rng, 2) != 0)
		return plan->numbers[check->hints + mrg_rng_below(rng, check->hint_n)];
	return mrg_rng_below(rng, SMALL);
}

/* What a check or a condition goes by gets a value, or as many octets or elements, as may make it true or false. */
static void aim_at_field(struct mrg_plan_subject *s, const struct mrg_plan_item *item, struct mrg_rng *rng)
{
	enum { WIDE = 300 };
	struct mrg_walk *const w = &s->room->walk;
	if (item->field == MRG_PLAN_NONE)
		return;
	const struct mrg_plan_item *const field = &s->plan->items[item->field];
	const struct mrg_plan_expr *const e = &s->plan->exprs[item->expr];
	const uint64_t value = near(s->plan, item, rng);
	if (field->kind == MRG_PLAN_BYTES && (item->flags & MRG_PLAN_PEEKS) != 0) {
		w->aims.begins = item->field;
		w->aims.begins_by = value;
	} else if (field->kind == MRG_PLAN_LIST || field->kind == MRG_PLAN_BYTES) {
		w->aims.sized = item->field;
		w->aims.sized_by = value < WIDE && mrg_rng_below(rng, 4) != 0 ? value : 0;
	} else if (item->kind == MRG_PLAN_CHECK && w->aims.aim_at == 0 && e->op == MRG_PLAN_EQ) {
		w->aims.given = item->field; /* until it is known what it has to be */
		w->aims.given_value = 0;
	} else {
		w->aims.wrong = item->field;
	}
}

/* Where the next message is to go: to a point that nobody has reached; now and then to any, since there are many ways to be just there. */
static void aim(struct mrg_plan_subject *s, struct mrg_rng *rng)
{
	struct mrg_walk *const w = &s->room->walk;
	const uint32_t first = (uint32_t)mrg_rng_below(rng, s->point_n);
	const bool any = mrg_rng_below(rng, 8) == 0;
	uint32_t i = s->aimless ? s->point_n : 0;
	while (!any && i < s->point_n &&
		(s->reached[(first + i) % s->point_n] || s->tries[(first + i) % s->point_n] == AIMS_MAX))
		i++;
	if (!any && i == s->point_n) {
		s->aimless = true;
		return;
	}
	s->tries[(first + i) % s->point_n] += !any;
	const uint32_t point = s->points[(first + i) % s->point_n], index = s->plan->point_items[point];
	const struct mrg_plan_item *const item = &s->plan->items[index];
	w->aims.aim = index;
	w->aims.aim_at = point - item->point;
	w->aims.aim_packet = packet_with(s->plan, index);
	if (point < item->point) { /* of the packet: that it is too long */
		w->aims.grows = s->plan->packets[w->aims.aim_packet].max_bytes + 1;
		return;
	}
	switch (item->kind) {
	case MRG_PLAN_SCALAR: w->aims.wrong = index; return;
	case MRG_PLAN_CHECK:
	case MRG_PLAN_OPTIONAL: aim_at_field(s, item, rng); return;
	case MRG_PLAN_VARINT:
		if (w->aims.aim_at == 2u + s->plan->varints[item->a].minimal)
			w->aims.wrong = index;
		return;
	case MRG_PLAN_SWITCH:
		if (w->aims.aim_at < item->n && s->plan->arms[item->a + w->aims.aim_at].pat_n != 0) {
			w->aims.given = item->field;
			w->aims.given_value = s->plan->pats[s->plan->arms[item->a + w->aims.aim_at].pats].lo;
		} else {
			w->aims.wrong = item->field;
		}
		return;
	default: return;
	}
}

/*
 * From decisions; what comes must be a message again, or is wrong on purpose: in the number `wrong`, if that is one, or where nobody has been.
 */
static size_t make_from(struct mrg_plan_subject *s, struct mrg_rng *rng, const struct mrg_choices *old,
	uint32_t wrong, bool aimed, uint8_t *out, size_t cap)
{
	const size_t head = head_len(s);
	uint64_t all[PARAMS_MAX] = { 0 }, numbers[PARAMS_MAX] = { 0 };
	arguments(s, out, head, all, numbers);
	ready(s, NULL); /* what is decided can be read again, if anybody asks */
	s->room->walk.reached = s->reached;
	s->room->walk.aims.wrong = wrong;
	s->room->walk.confirms = old == NULL && wrong == MRG_PLAN_NONE && !aimed;
	if (aimed && s->point_n != 0)
		aim(s, rng);
	const struct mrg_rng before = *rng;
	const size_t len = mrg_plan_make(&s->room->walk, s->packet, all, rng, old, out + head, cap - head);
	if (len == 0 || !s->room->walk.aims.is_wanted)
		return len;
	*rng = before; /* the same once more, with the number that was given too early to be known */
	s->room->walk.aims.given_value = s->room->walk.aims.wanted;
	return mrg_plan_make(&s->room->walk, s->packet, all, rng, old, out + head, cap - head);
}

/* What was made of nothing is one, unless the maker could not look at all of it. */
static bool is_message(struct mrg_plan_subject *s, const uint8_t *out, size_t len)
{
	return !s->room->walk.unsure ||
	       (read_ahead(s, out, len) == MRG_OK && s->room->walk.used == len - head_len(s));
}

size_t mrg_plan_subject_make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	struct mrg_plan_subject *const s = ctx;
	const size_t head = head_len(s);
	if (cap <= head)
		return 0;
	for (int i = 0; i < TRIES; i++) {
		draw_head(s, rng, out);
		const size_t len = make_from(s, rng, NULL, MRG_PLAN_NONE, false, out, cap);
		if (s->room->walk.status == MRG_OK && is_message(s, out, head + len))
			return head + len;
	}
	return 0;
}

/* ---- changing ---- */

/* A choice at the end of `out`; behind `at` all has moved by `more`, and a list around has `elements` more. */
static void put_choice(
	struct mrg_choices *out, const struct mrg_choice *c, bool is_around, int64_t more, int64_t elements)
{
	struct mrg_choice *const to = &out->c[out->n++];
	*to = *c;
	to->end = (uint32_t)(to->end + more);
	if (is_around && c->item < MRG_CHOICE_PACKET)
		to->value = (uint64_t)((int64_t)to->value +
				       elements); /* of a list: its elements; else nobody looks */
}

/* As `mine`, with `times` times the group at `at` of `from` instead of its own there.  false: there is no room. */
static bool put_group(struct mrg_choices *out, const struct mrg_choices *mine, size_t at,
	const struct mrg_choices *from, size_t from_at, unsigned times)
{
	const size_t n = mine->c[at].end - at, from_n = from->c[from_at].end - from_at;
	const int64_t more = (int64_t)(times * from_n) - (int64_t)n;
	if (mine->n + times * from_n > MRG_CHOICES_MAX)
		return false;
	out->n = 0;
	out->text = mine->text;
	out->second = from->text;
	for (size_t i = 0; i < at; i++)
		put_choice(out, &mine->c[i], mine->c[i].end >= at + n, mine->c[i].end >= at + n ? more : 0,
			(int64_t)times - 1);
	for (unsigned k = 0; k < times; k++)
		for (size_t i = from_at; i < from_at + from_n; i++) {
			const int64_t moved = (int64_t)(at + k * from_n) - (int64_t)from_at;
			put_choice(out, &from->c[i], false, moved, 0);
			out->c[out->n - 1].second = from != mine;
		}
	for (size_t i = at + n; i < mine->n; i++)
		put_choice(out, &mine->c[i], false, more, 0);
	return true;
}

/* A group of `others` that may stand where `at` of `mine` is; others->n: there is none. */
static size_t fitting(const struct mrg_choices *others, uint32_t item, struct mrg_rng *rng)
{
	const size_t first = others->n != 0 ? (size_t)mrg_rng_below(rng, others->n) : 0;
	for (size_t i = 0; i < others->n; i++)
		if (others->c[(first + i) % others->n].item == item)
			return (first + i) % others->n;
	return others->n;
}

/* One change of decisions: of a number, or of all that is in a group, or of the elements of a list. */
static const struct mrg_choices *change(struct mrg_plan_subject *s, struct mrg_rng *rng, bool splice)
{
	enum { MANY = 60 };
	struct mrg_choices *const mine = &s->room->mine, *const others = &s->room->others,
				  *const out = &s->room->joined;
	const size_t at = (size_t)mrg_rng_below(rng, mine->n);
	const unsigned dice = (unsigned)(mrg_rng_next(rng) >> 61);
	if (dice < (mine->n > MANY ? 4u : 1u) &&
		put_group(out, mine, at, mine, at, mine->n > MANY ? 0 : 2 * (unsigned)mrg_rng_below(rng, 2)))
		return out;
	if (dice < 6 && splice) {
		const size_t other = fitting(others, mine->c[at].item, rng);
		if (other < others->n && put_group(out, mine, at, others, other, 1))
			return out;
	}
	mine->c[at].fresh = true;
	return mine;
}

/*
 * Decisions anew in the places where they are, if nothing else goes by them: that spares making all of the message.  One, or up to three where
 * nothing is left that asks for more.  False: it can't be changed in this way.
 */
static bool changed_in_place(
	struct mrg_plan_subject *s, struct mrg_rng *rng, const uint8_t *in, size_t len, uint8_t *out)
{
	const struct mrg_plan_memo *const m = memo_of(s, in, len, &s->room->mine);
	const struct mrg_choice *const c = m != NULL ? m->c : s->room->mine.c;
	const size_t n = m != NULL ? m->n : s->room->mine.n;
	const size_t times = s->aimless ? 1 + (size_t)mrg_rng_below(rng, 3) : 1;
	size_t changed = 0;
	if (n == 0)
		return false;
	memcpy(out, in, len);
	for (unsigned i = 0; i < REDRAWS && changed < times; i++)
		changed += mrg_plan_redraw(
			&s->room->walk, &c[mrg_rng_below(rng, n)], rng, out + head_len(s), len - head_len(s));
	return changed != 0;
}

size_t mrg_plan_subject_mutate(void *ctx, struct mrg_rng *rng, const uint8_t *in, size_t len,
	const uint8_t *other, size_t other_len, uint8_t *out, size_t cap)
{
	struct mrg_plan_subject *const s = ctx;
	const size_t head = head_len(s);
	if (mrg_rng_below(rng, 8) < (len < LONG ? 1u : 7u) || cap <= head)
		return 0; /* whoever asks changes octets then */
	if (len <= cap && !s->plan->sums && mrg_rng_below(rng, 8) < (s->aimless ? 7u : 1u) &&
		changed_in_place(s, rng, in, len, out))
		return len;
	const bool splice = other_len > head && mrg_rng_below(rng, 4) == 0;
	s->room->others.n = 0;
	if (splice)
		decisions_of(s, other, other_len, &s->room->others);
	decisions_of(s, in, len, &s->room->mine);
	for (int i = 0; i < TRIES; i++) {
		draw_head(s, rng, out);
		if (len >= head && mrg_rng_below(rng, 8) != 0)
			memcpy(out, in, head);
		const unsigned dice = (unsigned)mrg_rng_below(rng, WRONG_OF);
		const uint32_t wrong = dice == 0 ? number_by_chance(s, rng, in, len) : MRG_PLAN_NONE;
		const struct mrg_choices *const old = s->room->mine.n != 0 ? change(s, rng, splice) : NULL;
		const size_t made = make_from(s, rng, old, wrong, dice != 0 && dice < AIMED_OF, out, cap);
		if (s->room->walk.status == MRG_OK)
			return head + made;
	}
	return 0;
}

size_t mrg_plan_subject_smaller(void *ctx, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
	struct mrg_plan_subject *const s = ctx;
	const size_t head = head_len(s);
	struct mrg_rng rng = mrg_rng_of(1);
	if (len <= head || cap <= head)
		return 0;
	(void)read_input(s, in, len, &s->room->mine, NULL, NULL);
	if (i >= s->room->mine.n || !put_group(&s->room->joined, &s->room->mine, i, &s->room->mine, i, 0))
		return 0;
	memcpy(out, in, head);
	const size_t made = make_from(s, &rng, &s->room->joined, MRG_PLAN_NONE, false, out, cap);
	return s->room->walk.status == MRG_OK ? head + made : 0;
}

/* ---- running ---- */

static void differ(struct mrg_fuzz_result *r, const char *key, const struct mrg_plan_subject *s,
	enum mrg_status st, size_t at)
{
	const struct mrg_walk *const w = &s->room->walk;
	r->verdict = MRG_FUZZ_WRONG;
	/* By where the tables refuse; else by how the generated code does. */
	if (w->where != MRG_PLAN_NONE && w->status != MRG_OK)
		snprintf(r->key, sizeof r->key, "%s, line %" PRIu32, key, s->plan->items[w->where].line);
	else
		snprintf(r->key, sizeof r->key, "%s, %s", key, mrg_status_str(st));
	snprintf(r->why, sizeof r->why,
		"%s: the generated check says %s at %zu; the tables say %s at %zu (%s%s%s, line %" PRIu32 ")",
		key, mrg_status_str(st), at, mrg_status_str(w->status),
		w->status == MRG_OK ? w->used : w->bit_off,
		w->where != MRG_PLAN_NONE ? s->plan->items[w->where].name : "", w->what[0] != 0 ? ": " : "",
		w->what, w->where != MRG_PLAN_NONE ? s->plan->items[w->where].line : 0);
}

/* Whether the generated view says what the tables say. */
static bool tells_the_same(struct mrg_plan_subject *s, struct mrg_span message, const uint64_t *numbers,
	struct mrg_fuzz_result *r)
{
	const struct mrg_events want = s->room->walk.events;
	struct mrg_events have = { .at = s->room->have, .cap = MRG_PLAN_EVENTS };
	s->glue->walk(message, numbers, &have);
	const bool other = want.count != have.count ||
			   memcmp(want.at, have.at, want.count * sizeof want.at[0]) != 0; /* a rare thing */
	for (size_t i = 0; other && i < want.count && i < have.count; i++)
		if (want.at[i].id != have.at[i].id || want.at[i].value != have.at[i].value) {
			r->verdict = MRG_FUZZ_WRONG;
			snprintf(r->key, sizeof r->key, "value %" PRIu64, want.at[i].id);
			snprintf(r->why, sizeof r->why,
				"event %zu: the view tells (%" PRIu64 ", %" PRIu64 "), the tables (%" PRIu64
				", %" PRIu64 ")",
				i, have.at[i].id, have.at[i].value, want.at[i].id, want.at[i].value);
			return false;
		}
	if (want.count == have.count && want.lost == have.lost)
		return true;
	r->verdict = MRG_FUZZ_WRONG;
	snprintf(r->key, sizeof r->key, "number of events");
	snprintf(r->why, sizeof r->why, "the view tells %zu events, the tables %zu", have.count + have.lost,
		want.count + want.lost);
	return false;
}

/* Whether events of this number are those of a checksum, a count or a length: a rare question. */
static bool is_computed(const struct mrg_plan *plan, uint64_t id)
{
	const struct mrg_plan_packet *const last = &plan->packets[plan->packet_n - 1];
	for (uint32_t i = 0; i < last->items + last->item_n; i++)
		if (plan->items[i].id == id)
			return (plan->items[i].flags & MRG_PLAN_IS_COMPUTED) != 0;
	return false;
}

/* Names written without their pointers are longer, and what counts octets of them is another. */
static bool has_pointers(const struct mrg_walk *w)
{
	for (size_t i = 0; i < w->node_n; i++)
		if (w->nodes[i].arm != MRG_PLAN_NONE && w->plan->arms[w->nodes[i].arm].kind == MRG_PLAN_GOTO)
			return true;
	return false;
}

/* What was written again, with as many octets but others, says the same: the others are reserved, and sums of them, which are right. */
static void still_says_the_same(
	struct mrg_plan_subject *s, struct mrg_span copy, const uint64_t *numbers, struct mrg_fuzz_result *r)
{
	const struct mrg_event *const want = s->room->walk.events.at;
	const size_t want_count = s->room->walk.events.count;
	struct mrg_events have = { .at = s->room->have, .cap = MRG_PLAN_EVENTS };
	const uint32_t warnings = s->room->walk.warnings;
	if (has_pointers(&s->room->walk))
		return;
	s->glue->walk(copy, numbers, &have);
	size_t i = 0;
	while (i < want_count && i < have.count && want[i].id == have.at[i].id &&
		(want[i].value == have.at[i].value || is_computed(s->plan, want[i].id)))
		i++;
	if (i == want_count && i == have.count &&
		(head_len(s) != 0 || (read_input(s, copy.p, copy.len, NULL, NULL, NULL) == MRG_OK &&
					     s->room->walk.warnings <= warnings)))
		return;
	r->verdict = MRG_FUZZ_WRONG;
	snprintf(r->key, sizeof r->key, "written again, event %" PRIu64, i < want_count ? want[i].id : 0);
	snprintf(r->why, sizeof r->why, "written again: event %zu of %zu is another, or it is not a message",
		i, want_count);
}

enum { BESIDE = 16 }; /* octets on both sides of what a builder writes, that it must leave alone */

static bool left_alone(const uint8_t *p) { return memcmp(p, "ZZZZZZZZZZZZZZZZ", BESIDE) == 0; }

/* Octets none of which is what it is there. */
static void turned(uint8_t *to, const uint8_t *from, size_t len)
{
	uint64_t word;
	size_t i = 0;
	for (; len - i >= sizeof word; i += sizeof word) {
		memcpy(&word, from + i, sizeof word);
		word = ~word;
		memcpy(to + i, &word, sizeof word);
	}
	for (; i < len; i++)
		to[i] = (uint8_t)~from[i];
}

/*
 * From what the view says the builder makes the octets that a copy has, which are the first of those written again, with as much room as
 * they need.  With one octet less of it there is too little.
 */
static void is_built_the_same(struct mrg_plan_subject *s, struct mrg_span message, const uint64_t *numbers,
	size_t len, struct mrg_fuzz_result *r)
{
	uint8_t *const room = s->room->again[1], *const at = room + BESIDE;
	const bool less = len % 8 != 0 && len % 8 == (message.len == 0 ? 0 : message.p[message.len - 1] % 8u);
	if (len > MRG_PLAN_AGAIN - 2 * BESIDE)
		return;
	memset(room, 'Z', BESIDE);
	turned(at, s->room->again[0], len); /* what it does not write must not be there already */
	memset(at + len - less, 'Z', BESIDE);
	struct mrg_w w;
	mrg_w_init(&w, room, BESIDE + len - less);
	w.len = BESIDE; /* it is not the first in its buffer */
	const enum mrg_status st =
		(s->glue->built != NULL ? s->glue->built : s->glue->again)(message, numbers, &w);
	const bool beside = !left_alone(room) || !left_alone(at + len - less);
	if (!beside && st == MRG_OK && w.st == (less ? MRG_E_SPACE : MRG_OK) &&
		(less || (w.len == BESIDE + len && memcmp(at, s->room->again[0], len) == 0)))
		return;
	if (!beside && st == MRG_OK && w.st != MRG_OK && s->glue->choosy)
		return;
	r->verdict = MRG_FUZZ_WRONG;
	snprintf(r->key, sizeof r->key, "built %d %d %d", (int)st, (int)w.st, beside);
	snprintf(r->why, sizeof r->why,
		"built: check %s, builder %s, %zu octets%s, or others than the %zu of a copy, in room for %zu",
		mrg_status_str(st), mrg_status_str(w.st), w.len - BESIDE,
		beside ? " and some beside them" : "", len, len - less);
}

/* An argument that does not fit where it goes is refused. */
static void takes_no_misfit(struct mrg_plan_subject *s, struct mrg_span message, const uint64_t *numbers,
	struct mrg_fuzz_result *r)
{
	struct mrg_w w;
	mrg_w_init(&w, s->room->again[1], MRG_PLAN_AGAIN);
	const unsigned which = s->glue->misfits(message, numbers, &w);
	if (which == 0)
		return;
	r->verdict = MRG_FUZZ_WRONG;
	snprintf(r->key, sizeof r->key, "built of a misfit %u", which);
	snprintf(r->why, sizeof r->why,
		"built: argument %u is taken, which is too large, too long or too short", which);
}

/* What a builder writes of a message is one, and is written the same once more. */
static void writes_the_same(struct mrg_plan_subject *s, struct mrg_span message, const uint64_t *numbers,
	struct mrg_fuzz_result *r)
{
	struct mrg_span in = message;
	for (unsigned i = 0; i < 2; i++) {
		struct mrg_w w;
		mrg_w_init(&w, s->room->again[i], MRG_PLAN_AGAIN);
		const enum mrg_status st = s->glue->again(in, numbers, &w);
		if (st == MRG_OK && w.st != MRG_OK && i == 0 &&
			(s->glue->choosy || (w.st == MRG_E_SPACE && has_pointers(&s->room->walk))))
			return; /* `send` rules bind builders */
		if (st == MRG_E_LIMIT && i == 1 && packet_of(s)->max_bytes != 0 &&
			in.len > packet_of(s)->max_bytes)
			return; /* chains are written without pointers */
		const size_t len = w.len;
		if (st == MRG_OK && w.st == MRG_OK &&
			(i == 0 || (len == in.len && memcmp(in.p, w.p, len) == 0))) {
			if (i == 0 && len == s->room->walk.used && memcmp(in.p, w.p, len) != 0)
				still_says_the_same(s, (struct mrg_span){ w.p, len }, numbers, r);
			in = (struct mrg_span){ s->room->again[i], len };
			continue;
		}
		r->verdict = MRG_FUZZ_WRONG;
		snprintf(r->key, sizeof r->key, "written again %u %d %d", i, (int)st, (int)w.st);
		snprintf(r->why, sizeof r->why, "written again (%u): check %s, builder %s, %zu octets of %zu",
			i, mrg_status_str(st), mrg_status_str(w.st), len, in.len);
		return;
	}
	/* Where copying is what the builder does, some of them will do. */
	if (r->verdict != MRG_FUZZ_WRONG && (s->glue->built != NULL || in.len % 4 == 1))
		is_built_the_same(s, message, numbers, in.len, r);
	if (r->verdict != MRG_FUZZ_WRONG && s->glue->misfits != NULL && in.len % 4 == 0)
		takes_no_misfit(s, message, numbers, r);
}

/* Of a chain's faults the line may be that of the arm. */
static bool names_another_line(const struct mrg_plan_subject *s, const struct mrg_reject *rj)
{
	const uint32_t where = s->room->walk.where;
	return where != MRG_PLAN_NONE && rj->site != NULL && s->plan->items[where].kind != MRG_PLAN_CHAIN &&
	       s->plan->items[where].line != rj->site->line;
}

void mrg_plan_subject_run(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	struct mrg_plan_subject *const s = ctx;
	const struct mrg_span message = message_of(s, in, len);
	uint64_t numbers[PARAMS_MAX] = { 0 };
	struct mrg_reject rj = { .status = MRG_OK };
	size_t used = 0;
	const enum mrg_status want = read_now(s, in, len, numbers);
	const enum mrg_status st = s->glue->check(message, numbers, &used, &rj);
	result->verdict = st == MRG_OK ? MRG_FUZZ_ACCEPTED : MRG_FUZZ_REFUSED;
	if (want == MRG_E_SPACE)
		return; /* more than the tables have room for */
	if (st != want)
		differ(result, "status", s, st, st == MRG_OK ? used : rj.bit_off);
	else if (st == MRG_OK && used != s->room->walk.used)
		differ(result, "octets used", s, st, used);
	else if (st == MRG_OK && tells_the_same(s, message, numbers, result) && s->glue->again != NULL)
		writes_the_same(s, message, numbers, result);
	else if (st != MRG_OK && rj.bit_off != s->room->walk.bit_off)
		differ(result, "place of rejection", s, st, rj.bit_off);
	else if (st != MRG_OK && names_another_line(s, &rj))
		differ(result, "line of rejection", s, st, rj.site->line);
	else if (st != MRG_OK && used != 0)
		differ(result, "a view of what is refused", s, st, used);
	if (s->fetch != NULL && result->verdict != MRG_FUZZ_WRONG)
		mrg_once_check(s->fetch, message, numbers, st, used, &rj, result);
}

void mrg_plan_subject_learn(void *ctx, const uint8_t *in, size_t len)
{
	uint64_t numbers[PARAMS_MAX] = { 0 };
	(void)read_now(ctx, in, len, numbers);
}

/* ---- for people ---- */

static void show_node(
	const struct mrg_plan_subject *s, uint32_t at, unsigned depth, const uint8_t *message, FILE *to)
{
	const struct mrg_node *const n = &s->room->walk.nodes[at];
	const struct mrg_plan_item *const item = n->item != MRG_PLAN_NONE ? &s->plan->items[n->item] : NULL;
	fprintf(to, "%*s%s", (int)(2 * depth), "",
		item != NULL && item->name[0] != 0 ? item->name
		: n->packet != MRG_PLAN_NONE       ? s->plan->packets[n->packet].name
						   : "-");
	if (item != NULL && (item->kind == MRG_PLAN_SCALAR || item->kind == MRG_PLAN_VARINT ||
				    item->kind == MRG_PLAN_LET))
		fprintf(to, ": %" PRIu64, n->value);
	if (item != NULL && item->kind == MRG_PLAN_SWITCH)
		fprintf(to, ": %s", s->plan->arms[item->a + n->arm].name);
	if (item != NULL && item->kind == MRG_PLAN_BYTES)
		for (uint64_t i = 0; i < n->value && i < 64; i++)
			fprintf(to, "%s%02x", i == 0 ? ": " : "", message[n->bit_off / 8 + i]);
	fputc('\n', to);
	if (depth < 64)
		for (uint32_t child = n->first; child != 0; child = s->room->walk.nodes[child].next)
			show_node(s, child, depth + 1, message, to);
}

void mrg_plan_subject_show(void *ctx, const uint8_t *in, size_t len, FILE *to)
{
	struct mrg_plan_subject *const s = ctx;
	const struct mrg_span message = message_of(s, in, len);
	uint64_t numbers[PARAMS_MAX] = { 0 };
	const enum mrg_status st =
		read_input(s, in, len, &s->room->mine, NULL, numbers); /* with all that is in packets */
	for (size_t i = 0; i < head_len(s) / NUMBER; i++)
		fprintf(to, "parameter %zu: %" PRIu64 "\n", i, numbers[i]);
	show_node(s, 0, 0, message.p, to);
	if (st == MRG_OK)
		fprintf(to, "%zu of %zu octets\n", s->room->walk.used, message.len);
	else
		fprintf(to, "%s at bit %zu: %s: %s\n", mrg_status_str(st), s->room->walk.bit_off,
			s->room->walk.where != MRG_PLAN_NONE ? s->plan->items[s->room->walk.where].name : "",
			s->room->walk.what);
}

const char *mrg_plan_subject_point(void *ctx, size_t point)
{
	const struct mrg_plan_subject *const s = ctx;
	return s->plan->points[s->points[point]];
}
