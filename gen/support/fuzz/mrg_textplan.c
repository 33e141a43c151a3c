/*
 * mrg_textplan.c - reading a text by the tables of its rule: one way after the other, the best first, with a memory of where a choice
 * was tried before.  It does what gen/mrg/grammar_ref.py does, which follows all ways at once.
 *
 * Reading order: struct mrg_text_walk, the instructions from take_text on, walk_on, mrg_text_read; then the pieces.
 */
#include "mrg_glue.h"
#include "mrg_textplan_walk.h"

/* --- by the tables ---------------------------------------------------------------------------------- */

/* Where a walk is, and goes on. */
struct place {
	struct mrg_text_here h;
	const struct mrg_text_op *op;
	const uint16_t *calm; /* of the plan, when nobody looks at signs; else NULL */
};

static inline bool go(const struct mrg_text_walk *w, struct place *p, unsigned to)
{
	p->op = &w->t->plan->ops[p->calm != NULL ? p->calm[to] : to];
	return true;
}

/* The best way on from the `from`-th; those behind it are kept for later. */
static bool split(struct mrg_text_walk *w, struct place *p, const struct mrg_text_op *op, unsigned from)
{
	const struct mrg_text_plan *const plan = w->t->plan;
	const struct mrg_text_way *const ways = plan->ways + op->a;
	unsigned i = from;
	if (!mrg_text_spend(w))
		return false;
	if (from == 0 && p->calm != NULL)
		mrg_text_skip(w, &p->h, plan, op);
	while (i < op->b && !mrg_text_viable(w, &p->h, plan, &ways[i]))
		i++;
	if (i == op->b)
		return false;
	unsigned next = i + 1;
	while (next < op->b && !mrg_text_viable(w, &p->h, plan, &ways[next]))
		next++;
	return (next == op->b || mrg_text_keep(w, p->h, plan, op, next, from == 0)) && go(w, p, ways[i].to);
}

static bool go_back(struct mrg_text_walk *w, struct place *p)
{
	for (;;) {
		const struct mrg_text_frame *const f = mrg_text_back(w, p->h);
		if (f == NULL)
			return false;
		mrg_text_resume(w, &p->h, f);
		if (split(w, p, &w->t->plan->ops[f->op], f->way))
			return true;
	}
}

/* Whether any of a repetition's points is new. */
static bool is_new(const struct mrg_text_walk *w, unsigned node)
{
	const struct mrg_text_node *const n = &w->t->plan->nodes[node];
	for (unsigned i = 0; i < MRG_TEXT_TOO_OFTEN; i++)
		if (n->point[i] != MRG_TEXT_NONE && w->t->reached[n->point[i]] == 0)
			return true;
	return false;
}

static bool pass(struct mrg_text_walk *w, struct place *p, const struct mrg_text_op *op)
{
	bool noted = w->all || op->kind == MRG_TEXT_OP_START || op->kind == MRG_TEXT_OP_END;
	if (!noted && !w->quiet)
		noted = op->kind == MRG_TEXT_OP_CHOICE
				? w->t->reached[w->t->plan->nodes[op->node].point[0] + op->a] == 0
				: op->kind != MRG_TEXT_OP_CHOSEN && is_new(w, op->node);
	return !noted || mrg_text_note(w, &p->h, op);
}

/* False: this way ends. */
static bool step(struct mrg_text_walk *w, struct place *p, const struct mrg_text_op *op)
{
	const struct mrg_text_plan *const plan = w->t->plan;
	bool on = true;
	switch ((enum mrg_text_op_kind)op->kind) {
	case MRG_TEXT_OP_SPLIT: return split(w, p, op, 0);
	case MRG_TEXT_OP_TEXT: on = mrg_text_take_text(w, &p->h, plan, op); break;
	case MRG_TEXT_OP_OCTET: on = mrg_text_take_octet(w, &p->h, plan, op); break;
	case MRG_TEXT_OP_OCTETS: on = mrg_text_take_run(w, &p->h, plan, op); break;
	case MRG_TEXT_OP_COUNTED: on = mrg_text_take_counted(w, &p->h, plan, op); break;
	case MRG_TEXT_OP_RESET: w->counts[op->depth] = 0; break;
	case MRG_TEXT_OP_COUNT: on = mrg_text_count(w, &p->h, plan, op); break;
	default: on = pass(w, p, op);
	}
	return on && go(w, p, op->to);
}

/* True: it is read. */
static bool walk_on(struct mrg_text_walk *w)
{
	const struct mrg_text_plan *const plan = w->t->plan;
	const bool calm = w->quiet && !w->all;
	if (w->gave_up)
		return false;
	if (w->all && plan->walk_all != NULL)
		return plan->walk_all(w);
	if (calm && plan->walk != NULL)
		return plan->walk(w);
	struct place p = { .h = mrg_text_begin(w), .calm = calm ? plan->calm : NULL };
	(void)go(w, &p, plan->start);
	for (;;) {
		const struct mrg_text_op *const op = p.op;
		if (op->kind == MRG_TEXT_OP_DONE ? mrg_text_ends(w, &p.h, plan) : step(w, &p, op)) {
			if (op->kind == MRG_TEXT_OP_DONE)
				return true;
		} else if (!go_back(w, &p)) { /* nor does it when it gives up */
			return false;
		}
	}
}

static struct mrg_text_walk begin(const struct mrg_text *t, const uint8_t *in, size_t len)
{
	const size_t bits = (len + 1) * t->plan->memos;
	struct mrg_text_walk w = { .t = t, .in = in, .len = len };
	w.coded = w.begun = MRG_TEXT_NOWHERE;
	w.gave_up = len > MRG_TEXT_LEN_MAX || bits > MRG_TEXT_MEMORY;
	w.budget = 64 * (len + 16) * (t->plan->memos + 1);
	if (!w.gave_up)
		memset(t->room->memory, 0, (bits + 63) / 64 * sizeof t->room->memory[0]);
	const size_t runs = t->plan->runs < MRG_TEXT_RUNS ? t->plan->runs : MRG_TEXT_RUNS;
	/* nowhere: from the end of all texts on */
	memset(t->room->runs, 0xff, runs * sizeof t->room->runs[0]);
	if (len > t->plan->max) {
		w.len = t->plan->max;
		w.cut = true;
	}
	w.quiet = memchr(t->reached, 0, t->plan->point_count) == NULL;
	return w;
}

/* --- what was reached ------------------------------------------------------------------------------- */

static void mark(const struct mrg_text *t, unsigned point)
{
	if (point != MRG_TEXT_NONE)
		t->reached[point] = 1;
}

static void mark_times(const struct mrg_text *t, const struct mrg_text_node *n, size_t times)
{
	if (times <= 2)
		mark(t, n->point[times]);
	else
		mark(t, n->point[MRG_TEXT_SEVERAL]);
	if (times == n->b)
		mark(t, n->point[MRG_TEXT_ALL_TIMES]);
}

/* By the notes of an accepted text.  Each repetition that was noted was so from its beginning to its end. */
static void mark_all(struct mrg_text_walk *w)
{
	enum { DEEP = 64 };
	const struct mrg_text *const t = w->t;
	struct {
		unsigned node;
		size_t times, at;
	} open[DEEP];
	size_t depth = 0;
	for (size_t i = 0; i < w->notes; i++) {
		const struct mrg_text_note *const n = &t->room->notes[i];
		const struct mrg_text_node *const node = &t->plan->nodes[n->node];
		if (n->kind == MRG_TEXT_OP_CHOICE) {
			mark(t, node->point[0] + n->a);
		} else if (n->kind == MRG_TEXT_OP_OPEN && depth < DEEP) {
			open[depth].node = n->node;
			open[depth].times = 0;
			open[depth++].at = n->at;
		} else if (n->kind == MRG_TEXT_OP_AGAIN && depth > 0 && open[depth - 1].node == n->node) {
			open[depth - 1].times++;
		} else if (n->kind == MRG_TEXT_OP_CLOSE && depth > 0 && open[depth - 1].node == n->node) {
			depth--;
			const bool octets = t->plan->nodes[t->plan->kids[node->kids]].kind == MRG_TEXT_CLASS;
			mark_times(t, node, octets ? n->at - open[depth].at : open[depth].times);
		}
	}
}

/* --- reading ------------------------------------------------------------------------------------------ */

/* Why a text that no way reads is refused, and which captures all ways have. */
static void refused(const struct mrg_text_walk *w, struct mrg_text_found *found)
{
	const struct mrg_text_plan *const plan = w->t->plan;
	found->at = w->far;
	if (w->far == w->len && w->cut) {
		found->verdict = MRG_TEXT_LIMITED;
		found->code = plan->code;
		found->point = plan->too_long;
	} else if (w->far == w->len && plan->kind == MRG_TEXT_MESSAGE) {
		found->verdict = MRG_TEXT_INCOMPLETE;
	} else if (w->coded == w->far) {
		found->verdict = MRG_TEXT_LIMITED;
		found->code = w->code;
		found->point = w->point;
	} else {
		found->verdict = MRG_TEXT_REFUSED;
	}
	found->count = w->met ? w->common : 0;
}

void mrg_text_read(const struct mrg_text *t, const uint8_t *in, size_t len, struct mrg_text_found *found)
{
	struct mrg_text_walk w = begin(t, in, len);
	w.meets = t->plan->capture_count != 0;
	*found = (struct mrg_text_found){
		.verdict = MRG_TEXT_ACCEPTED, .parts = t->room->parts, .point = MRG_TEXT_NONE
	};
	if (walk_on(&w)) {
		found->at = w.at;
		found->count = mrg_text_captures(&w, w.notes, t->room->parts, MRG_TEXT_PARTS);
		if (!w.quiet)
			mark_all(&w);
		mark(t, t->plan->accepted);
	} else if (!w.gave_up) {
		refused(&w, found);
		mark(t, found->verdict == MRG_TEXT_INCOMPLETE ? t->plan->incomplete : t->plan->refused);
		mark(t, found->point);
	}
	if (w.gave_up)
		found->verdict = MRG_TEXT_GAVE_UP;
}

size_t mrg_text_longest(const struct mrg_text *t, const uint8_t *in, size_t len, bool *gave_up)
{
	struct mrg_text_walk w = begin(t, in, len);
	w.longest = w.quiet = true;
	(void)walk_on(&w);
	*gave_up = w.gave_up;
	return w.end;
}

/* --- pieces --------------------------------------------------------------------------------------------- */

/* The piece that `note` begins. */
static size_t piece_add(struct mrg_text_room *room, size_t n, const struct mrg_text_note *note)
{
	if (n == MRG_TEXT_PIECES)
		return n;
	room->pieces[n] = (struct mrg_text_piece){ note->node, note->kind, note->a, note->at, note->at };
	return n + 1;
}

/* The piece begun last that is still open and of this node; the elements of a repetition end with it. */
static void piece_end(struct mrg_text_room *room, const uint32_t *open, size_t *depth, unsigned node,
	uint32_t at, bool element)
{
	while (*depth > 0) {
		struct mrg_text_piece *const p = &room->pieces[open[*depth - 1]];
		if (element && (p->node != node || p->kind != MRG_TEXT_OP_AGAIN))
			return;
		p->end = at;
		--*depth;
		if (p->node == node && (element || p->kind != MRG_TEXT_OP_AGAIN))
			return;
	}
}

size_t mrg_text_pieces(const struct mrg_text *t, const uint8_t *in, size_t len, size_t *end)
{
	enum { DEEP = 64 };
	uint32_t open[DEEP];
	size_t depth = 0, n = 0;
	struct mrg_text_walk w = begin(t, in, len);
	w.all = true;
	if (!walk_on(&w))
		return 0;
	*end = w.at;
	for (size_t i = 0; i < w.notes; i++) {
		const struct mrg_text_note *const note = &t->room->notes[i];
		const bool again = note->kind == MRG_TEXT_OP_AGAIN;
		if (again)
			piece_end(t->room, open, &depth, note->node, note->at, true);
		if (note->kind == MRG_TEXT_OP_END || note->kind == MRG_TEXT_OP_CHOSEN ||
			note->kind == MRG_TEXT_OP_CLOSE) {
			piece_end(t->room, open, &depth, note->node, note->at, false);
		} else if (depth < DEEP && n < MRG_TEXT_PIECES) {
			open[depth++] = (uint32_t)n;
			n = piece_add(t->room, n, note);
		} else {
			break;
		}
	}
	while (depth > 0)
		t->room->pieces[open[--depth]].end = (uint32_t)w.at;
	return n;
}

size_t mrg_text_pieces_again(
	const struct mrg_text *t, const uint8_t *in, size_t len, const struct mrg_text_piece **pieces)
{
	size_t end;
	struct mrg_text_memo *const m = &t->room->memos[mrg_glue_hash(in, len) % MRG_TEXT_MEMOS];
	*pieces = m->pieces;
	if (m->plan == t->plan && m->len == len && (len == 0 || memcmp(m->text, in, len) == 0))
		return m->n;
	*pieces = t->room->pieces;
	const size_t n = mrg_text_pieces(t, in, len, &end);
	if (len == 0 || len > MRG_TEXT_MEMO_LEN || n > MRG_TEXT_MEMO_PIECES)
		return n;
	m->plan = t->plan;
	m->len = len;
	m->n = n;
	memcpy(m->text, in, len);
	memcpy(m->pieces, t->room->pieces, n * sizeof m->pieces[0]);
	return n;
}
