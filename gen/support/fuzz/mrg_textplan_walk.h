/*
 * mrg_textplan_walk.h - one way of a text: what the instructions of its rule do.
 *
 * Included by mrg_textplan.c, which goes by the tables of any rule; and by generated files (gen/mrg/emit/text_code.py), where the
 * instructions of a rule follow each other as code, of which a compiler knows the tables.
 */
#ifndef MRG_TEXTPLAN_WALK_H
#define MRG_TEXTPLAN_WALK_H

#include "mrg_textplan.h"

#include <string.h>

#define MRG_TEXT_NOWHERE SIZE_MAX

/* A text on its way.  What is passed is noted; what a way that was wrong noted is forgotten. */
struct mrg_text_walk {
	const struct mrg_text *t;
	const uint8_t *in;
	size_t len;   /* as far as octets are looked at */
	bool cut;     /* there are more, beyond the limit */
	bool all;     /* note everything, not only what is new */
	bool quiet;   /* captures only */
	bool longest; /* go on behind an end */
	bool gave_up;
	size_t at, notes; /* where it ended */
	size_t end;       /* of the longest so far */
	size_t frames;
	size_t budget;
	size_t far;   /* where any way was at most */
	size_t begun; /* where the way at hand left those before it, or NOWHERE: it is the first */
	size_t coded; /* where a limit refused what comes, or NOWHERE */
	unsigned code, point;
	bool meets;    /* the captures of all ways that get as far are compared */
	size_t common; /* captures that those ways have */
	bool met;      /* at least one has ended */
	uint32_t counts[MRG_TEXT_DEPTH];
};

/* Where it is.  For itself, so that a compiler can keep it at hand. */
struct mrg_text_here {
	const uint8_t *p, *end;
	struct mrg_text_note *note; /* the next one */
};

static inline struct mrg_text_here mrg_text_begin(const struct mrg_text_walk *w)
{
	return (struct mrg_text_here){ w->in, w->in + w->len, w->t->room->notes };
}

static inline size_t mrg_text_at(const struct mrg_text_walk *w, const struct mrg_text_here *h)
{
	return (size_t)(h->p - w->in);
}

static inline bool mrg_text_note(
	struct mrg_text_walk *w, struct mrg_text_here *h, const struct mrg_text_op *op)
{
	if (h->note == w->t->room->notes + MRG_TEXT_NOTES) {
		w->gave_up = true;
		return false;
	}
	*h->note++ = (struct mrg_text_note){ op->kind, op->node, op->a, (uint32_t)mrg_text_at(w, h) };
	return true;
}

/* --- captures ------------------------------------------------------------------------------------- */

/* Captures that have ended, from so many notes; as many as there is room for. */
MRG_TEXT_RARE size_t mrg_text_captures(
	struct mrg_text_walk *w, size_t count, struct mrg_text_part *out, size_t cap)
{
	const struct mrg_text_note *const notes = w->t->room->notes;
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		if (notes[i].kind == MRG_TEXT_OP_START) {
			if (n == cap) {
				w->gave_up = true;
				return n;
			}
			out[n++] = (struct mrg_text_part){ notes[i].a, notes[i].at, UINT32_MAX };
		} else if (notes[i].kind == MRG_TEXT_OP_END) {
			size_t k = n;
			while (k-- > 0 && (out[k].what != notes[i].a || out[k].end != UINT32_MAX))
				;
			if (k < n)
				out[k].end = notes[i].at;
		}
	}
	while (n > 0 && out[n - 1].end == UINT32_MAX)
		n--;
	return n;
}

/* The way at hand ends: if it got as far as any, what it has in common with those that did, of what it passed before it got there. */
MRG_TEXT_RARE void mrg_text_meet(struct mrg_text_walk *w, size_t at, size_t notes)
{
	const struct mrg_text_room *const room = w->t->room;
	if (at < w->far || at == w->begun)
		return;
	w->met = w->met && at == w->far;
	w->far = at;
	if (!w->meets)
		return;
	while (notes > 0 && room->notes[notes - 1].at == at)
		notes--;
	struct mrg_text_part *const parts = w->t->room->parts, *const mine = parts + MRG_TEXT_PARTS / 2;
	const size_t n = mrg_text_captures(w, notes, w->met ? mine : parts, MRG_TEXT_PARTS / 2);
	size_t same = w->met ? 0 : n;
	while (same < n && same < w->common && memcmp(&mine[same], &parts[same], sizeof *parts) == 0)
		same++;
	w->common = same;
	w->met = true;
}

/* --- instructions: false when this way ends here ------------------------------------------------------ */

MRG_TEXT_EACH bool mrg_text_take_text(struct mrg_text_walk *w, struct mrg_text_here *h,
	const struct mrg_text_plan *plan, const struct mrg_text_op *op)
{
	(void)w;
	const uint8_t *const text = plan->data + op->a;
	const size_t len = op->b & 0x7fffffffu, left = (size_t)(h->end - h->p),
		     most = len < left ? len : left;
	const bool nocase = op->b >> 31 != 0;
	size_t n = 0;
	for (; n < most; n++) {
		const uint8_t octet = h->p[n];
		const uint8_t c = nocase && octet >= 'A' && octet <= 'Z' ? (uint8_t)(octet + 32) : octet;
		if (c != text[n])
			break;
	}
	h->p += n;
	return n == len;
}

MRG_TEXT_EACH bool mrg_text_take_octet(struct mrg_text_walk *w, struct mrg_text_here *h,
	const struct mrg_text_plan *plan, const struct mrg_text_op *op)
{
	(void)w;
	if (h->p == h->end || !mrg_text_is(plan, op->set, *h->p))
		return false;
	h->p++;
	return true;
}

/* A limit keeps the next octet out, which could come without it. */
MRG_TEXT_RARE bool mrg_text_over(
	struct mrg_text_walk *w, size_t at, const struct mrg_text_plan *plan, const struct mrg_text_op *op)
{
	if (at < w->len && mrg_text_is(plan, op->set, w->in[at]) &&
		(w->coded == MRG_TEXT_NOWHERE || at > w->coded)) {
		w->coded = at;
		w->code = op->b;
		w->point = plan->nodes[op->node].point[MRG_TEXT_TOO_OFTEN];
	}
	return false;
}

/* Octets of a set, as many as come and no more than `most`. */
MRG_TEXT_EACH void mrg_text_take_octets(struct mrg_text_walk *w, struct mrg_text_here *h,
	const struct mrg_text_plan *plan, unsigned set, size_t most)
{
	const size_t left = (size_t)(h->end - h->p);
	const uint8_t *const stop = h->p + (left < most ? left : most), *p = h->p;
	while (p < stop && mrg_text_is(plan, set, *p))
		p++;
	const size_t n = (size_t)(p - h->p);
	w->budget -= n < w->budget ? n : w->budget;
	h->p = p;
}

/* Octets of a run that were taken before by the same instruction lead to the same place again, where it was of no use. */
MRG_TEXT_EACH bool mrg_text_take_run(struct mrg_text_walk *w, struct mrg_text_here *h,
	const struct mrg_text_plan *plan, const struct mrg_text_op *op)
{
	if (op->a >= MRG_TEXT_RUNS) {
		mrg_text_take_octets(w, h, plan, op->set, SIZE_MAX);
		return true;
	}
	struct mrg_text_run *const run = &w->t->room->runs[op->a];
	const size_t start = mrg_text_at(w, h);
	if (start >= run->from && start <= run->to)
		return false;
	mrg_text_take_octets(w, h, plan, op->set, start < run->from ? run->from - start : SIZE_MAX);
	const bool again = mrg_text_at(w, h) == run->from;
	run->from = (uint32_t)start;
	if (!again)
		run->to = (uint32_t)mrg_text_at(w, h);
	return !again;
}

MRG_TEXT_EACH bool mrg_text_take_counted(struct mrg_text_walk *w, struct mrg_text_here *h,
	const struct mrg_text_plan *plan, const struct mrg_text_op *op)
{
	const uint8_t *const before = h->p;
	mrg_text_take_octets(w, h, plan, op->set, op->a);
	return (size_t)(h->p - before) < op->a || mrg_text_over(w, mrg_text_at(w, h), plan, op) ||
	       h->p == h->end || !mrg_text_is(plan, op->set, *h->p);
}

MRG_TEXT_EACH bool mrg_text_count(struct mrg_text_walk *w, struct mrg_text_here *h,
	const struct mrg_text_plan *plan, const struct mrg_text_op *op)
{
	if (w->counts[op->depth] == op->a)
		return mrg_text_over(w, mrg_text_at(w, h), plan, op);
	w->counts[op->depth]++;
	return true;
}

/* Whether a text ends where it is. */
MRG_TEXT_EACH bool mrg_text_ends(
	struct mrg_text_walk *w, struct mrg_text_here *h, const struct mrg_text_plan *plan)
{
	w->at = mrg_text_at(w, h);
	w->notes = (size_t)(h->note - w->t->room->notes);
	if (w->longest && w->at > w->end)
		w->end = w->at;
	if (w->longest)
		return false;
	return plan->kind == MRG_TEXT_MESSAGE || (h->p == h->end && !w->cut);
}

/* --- ways on ------------------------------------------------------------------------------------------ */

MRG_TEXT_EACH bool mrg_text_viable(const struct mrg_text_walk *w, const struct mrg_text_here *h,
	const struct mrg_text_plan *plan, const struct mrg_text_way *way)
{
	if (h->p != h->end)
		return mrg_text_is(plan, way->set, *h->p);
	return way->ends && !w->cut;
}

/* One more split: false when it was enough. */
MRG_TEXT_EACH bool mrg_text_spend(struct mrg_text_walk *w)
{
	w->gave_up = w->gave_up || w->budget == 0;
	w->budget -= w->budget != 0;
	return !w->gave_up;
}

/* Octets of a loop that no other way takes, as many as come, if the split has such. */
MRG_TEXT_EACH void mrg_text_skip(struct mrg_text_walk *w, struct mrg_text_here *h,
	const struct mrg_text_plan *plan, const struct mrg_text_op *op)
{
	if (op->set != MRG_TEXT_NONE)
		mrg_text_take_octets(w, h, plan, op->set, w->budget);
}

/* Whether a split was tried at this place before; it is from now on. */
static inline bool mrg_text_tried(
	struct mrg_text_walk *w, size_t at, const struct mrg_text_plan *plan, unsigned memo)
{
	const size_t bit = at * plan->memos + memo;
	uint64_t *const word = &w->t->room->memory[bit / 64];
	const uint64_t mask = (uint64_t)1 << bit % 64;
	const bool before = (*word & mask) != 0;
	*word |= mask;
	return before;
}

/* Keeps the ways of a split from `next` on for later; false: they were tried, or there is no room. */
MRG_TEXT_RARE bool mrg_text_keep(struct mrg_text_walk *w, struct mrg_text_here h,
	const struct mrg_text_plan *plan, const struct mrg_text_op *op, unsigned next, bool first)
{
	const size_t at = mrg_text_at(w, &h);
	if (first && op->to != MRG_TEXT_NONE && mrg_text_tried(w, at, plan, op->to))
		return false;
	if (w->frames == MRG_TEXT_FRAMES) {
		w->gave_up = true;
		return false;
	}
	struct mrg_text_frame *const f = &w->t->room->frames[w->frames++];
	f->op = (uint16_t)(op - plan->ops);
	f->way = (uint16_t)next;
	f->at = (uint32_t)at;
	f->notes = (uint32_t)(h.note - w->t->room->notes);
	memcpy(f->counts, w->counts, sizeof f->counts);
	return true;
}

/* The way at hand ends: the split that was kept last, where it goes on `from` which of its ways; NULL: there is none. */
MRG_TEXT_RARE const struct mrg_text_frame *mrg_text_back(struct mrg_text_walk *w, struct mrg_text_here h)
{
	mrg_text_meet(w, mrg_text_at(w, &h), (size_t)(h.note - w->t->room->notes));
	if (w->frames == 0 || w->gave_up)
		return NULL;
	const struct mrg_text_frame *const f = &w->t->room->frames[--w->frames];
	w->begun = f->at;
	memcpy(w->counts, f->counts, sizeof f->counts);
	return f;
}

/* Where that was. */
static inline void mrg_text_resume(
	const struct mrg_text_walk *w, struct mrg_text_here *h, const struct mrg_text_frame *f)
{
	h->p = w->in + f->at;
	h->note = w->t->room->notes + f->notes;
}

#endif
