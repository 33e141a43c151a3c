/*
 * Making and changing inputs of a packet: see mrg_plan.h.
 */
#include <string.h>

#include "mrg_plan_input.h"

enum {
	TRIES = 12,
	REDRAWS = 4,     /* tries of changes in place */
	LONG = 200,      /* octets: what costs much is changed in cheaper ways */
	WRONG_OF = 16,   /* one in so many is wrong on purpose */
	AIMS_MAX = 1000, /* at one point: some can't be reached */
	AIMED_OF = 6     /* and so many are to reach something new */
};

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
	(void)plan_input_read(s, in, len, room, NULL, NULL);
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
	out->text = plan_input_message(s, in, len).p;
	memcpy(out->c, m->c, m->n * sizeof m->c[0]);
}

/* ---- making ---- */

static void draw_head(const struct mrg_plan_subject *s, struct mrg_rng *rng, uint8_t *out)
{
	for (size_t at = 0; at < plan_input_head(s);) {
		uint64_t v = mrg_rng_next(rng) >> mrg_rng_below(rng, 64);
		for (unsigned i = 0; i < PLAN_NUMBER; i++, v >>= 8)
			out[at++] = (uint8_t)v;
	}
}

/* A number of a message; NONE: none was found. */
static uint32_t number_by_chance(
	struct mrg_plan_subject *s, struct mrg_rng *rng, const uint8_t *in, size_t len)
{
	const struct mrg_walk *const w = &s->room->walk;
	(void)plan_input_read(s, in, len, &s->room->joined, NULL, NULL); /* with all that is in packets */
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
	const size_t head = plan_input_head(s);
	uint64_t all[PARAMS_MAX] = { 0 }, numbers[PARAMS_MAX] = { 0 };
	plan_input_numbers(s, out, head, all, numbers);
	plan_input_ready(s, NULL); /* what is decided can be read again, if anybody asks */
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
	return !s->room->walk.unsure || (plan_input_read_ahead(s, out, len) == MRG_OK &&
						s->room->walk.used == len - plan_input_head(s));
}

size_t mrg_plan_subject_make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	struct mrg_plan_subject *const s = ctx;
	const size_t head = plan_input_head(s);
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
		changed += mrg_plan_redraw(&s->room->walk, &c[mrg_rng_below(rng, n)], rng,
			out + plan_input_head(s), len - plan_input_head(s));
	return changed != 0;
}

size_t mrg_plan_subject_mutate(void *ctx, struct mrg_rng *rng, const uint8_t *in, size_t len,
	const uint8_t *other, size_t other_len, uint8_t *out, size_t cap)
{
	struct mrg_plan_subject *const s = ctx;
	const size_t head = plan_input_head(s);
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
	const size_t head = plan_input_head(s);
	struct mrg_rng rng = mrg_rng_of(1);
	if (len <= head || cap <= head)
		return 0;
	(void)plan_input_read(s, in, len, &s->room->mine, NULL, NULL);
	if (i >= s->room->mine.n || !put_group(&s->room->joined, &s->room->mine, i, &s->room->mine, i, 0))
		return 0;
	memcpy(out, in, head);
	const size_t made = make_from(s, &rng, &s->room->joined, MRG_PLAN_NONE, false, out, cap);
	return s->room->walk.status == MRG_OK ? head + made : 0;
}
