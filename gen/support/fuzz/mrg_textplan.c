/*
 * mrg_textplan.c - reading a text by the tables of its rule: one way after the other, the best first, with a memory of where a choice
 * was tried before.  It does what gen/mrg/grammar_ref.py does, which follows all ways at once.
 *
 * Reading order: struct walk, the instructions from take_text on, walk_on, mrg_text_read; then the pieces.
 */
#include "mrg_glue.h"
#include "mrg_textplan.h"

#include <string.h>

#define NOWHERE SIZE_MAX

/* A text on its way.  What is passed is noted; what a way that was wrong noted is forgotten. */
struct walk {
	const struct mrg_text *t;
	const struct mrg_text_op *op, *ops;
	const struct mrg_text_set *sets;
	const uint16_t *calm; /* of the plan, when nobody looks at signs; else NULL */
	const uint8_t *in;
	size_t len;   /* as far as octets are looked at */
	bool cut;     /* there are more, beyond the limit */
	bool all;     /* note everything, not only what is new */
	bool quiet;   /* captures only */
	bool longest; /* go on behind an end */
	bool gave_up;
	size_t at, far; /* where it is, and where it was at most */
	size_t end;     /* of the longest so far */
	size_t notes, frames;
	size_t budget;
	size_t coded; /* where a limit refused what comes, or NOWHERE */
	unsigned code, point;
	bool meets;    /* the captures of all ways that get as far are compared */
	size_t come;   /* notes of the way at hand when it got as far, or NOWHERE */
	size_t common; /* captures that those ways have */
	bool met;      /* at least one has ended */
	uint32_t counts[MRG_TEXT_DEPTH];
};

static inline bool note(struct walk *w, const struct mrg_text_op *op)
{
	if (w->notes == MRG_TEXT_NOTES) {
		w->gave_up = true;
		return false;
	}
	w->t->room->notes[w->notes++] = (struct mrg_text_note){ op->kind, op->node, op->a, (uint32_t)w->at };
	return true;
}

/* --- captures ------------------------------------------------------------------------------------- */

/* Captures that have ended, from so many notes; as many as there is room for. */
static size_t captures(struct walk *w, size_t count, struct mrg_text_part *out, size_t cap)
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

/* A way ends that got as far as any: what it has in common with those before it. */
static void meet(struct walk *w)
{
	struct mrg_text_part *const parts = w->t->room->parts, *const mine = parts + MRG_TEXT_PARTS / 2;
	const size_t n = captures(w, w->come, w->met ? mine : parts, MRG_TEXT_PARTS / 2);
	w->come = NOWHERE;
	if (w->met) {
		size_t same = 0;
		while (same < n && same < w->common && memcmp(&mine[same], &parts[same], sizeof *parts) == 0)
			same++;
		w->common = same;
	} else {
		w->common = n;
	}
	w->met = true;
}

static inline void arrive(struct walk *w)
{
	if (w->at < w->far)
		return;
	if (w->at > w->far) {
		w->far = w->at;
		w->met = false;
	}
	w->come = w->notes;
}

/* --- instructions: false when this way ends here ------------------------------------------------------ */

static inline bool go(struct walk *w, unsigned to)
{
	w->op = &w->ops[w->calm != NULL ? w->calm[to] : to];
	return true;
}

static bool take_text(struct walk *w, const struct mrg_text_op *op)
{
	const uint8_t *const text = w->t->plan->data + op->a, *const in = w->in + w->at;
	const size_t len = op->b & 0x7fffffffu, left = w->len - w->at, most = len < left ? len : left;
	const bool nocase = op->b >> 31 != 0;
	size_t n = 0;
	for (; n < most; n++) {
		const uint8_t c = nocase && in[n] >= 'A' && in[n] <= 'Z' ? (uint8_t)(in[n] + 32) : in[n];
		if (c != text[n])
			break;
	}
	w->at += n;
	if (n > 0)
		arrive(w);
	return n == len && go(w, op->to);
}

static inline bool take_octet(struct walk *w, const struct mrg_text_op *op)
{
	if (w->at == w->len || !mrg_text_in(&w->sets[op->set], w->in[w->at]))
		return false;
	w->at++;
	arrive(w);
	return go(w, op->to);
}

/* A limit keeps the next octet out, which could come without it. */
static bool over(struct walk *w, const struct mrg_text_op *op)
{
	if (w->at < w->len && mrg_text_in(&w->sets[op->set], w->in[w->at]) &&
		(w->coded == NOWHERE || w->at > w->coded)) {
		w->coded = w->at;
		w->code = op->b;
		w->point = w->t->plan->nodes[op->node].point[MRG_TEXT_TOO_OFTEN];
	}
	return false;
}

static inline bool take_octets(struct walk *w, const struct mrg_text_op *op, size_t most)
{
	const struct mrg_text_set *const set = &w->sets[op->set];
	const size_t left = w->len - w->at, end = w->at + (left < most ? left : most);
	size_t at = w->at;
	while (at < end && mrg_text_in(set, w->in[at]))
		at++;
	if (at != w->at) {
		w->budget -= at - w->at < w->budget ? at - w->at : w->budget;
		w->at = at;
		arrive(w);
	}
	return go(w, op->to);
}

/* Octets of a run that were taken before by the same instruction lead to the same place again, where it was of no use. */
static inline bool take_run(struct walk *w, const struct mrg_text_op *op)
{
	if (op->a >= MRG_TEXT_RUNS)
		return take_octets(w, op, SIZE_MAX);
	struct mrg_text_run *const run = &w->t->room->runs[op->a];
	const size_t start = w->at;
	if (start >= run->from && start <= run->to)
		return false;
	(void)take_octets(w, op, start < run->from ? run->from - start : SIZE_MAX);
	const bool again = w->at == run->from;
	run->from = (uint32_t)start;
	if (!again)
		run->to = (uint32_t)w->at;
	return !again;
}

static bool take_counted(struct walk *w, const struct mrg_text_op *op)
{
	const size_t before = w->at;
	(void)take_octets(w, op, op->a);
	return w->at - before < op->a || over(w, op) || w->at == w->len ||
	       !mrg_text_in(&w->sets[op->set], w->in[w->at]);
}

static bool count(struct walk *w, const struct mrg_text_op *op)
{
	if (w->counts[op->depth] == op->a)
		return over(w, op);
	w->counts[op->depth]++;
	return go(w, op->to);
}

static inline bool viable(const struct walk *w, const struct mrg_text_way *way)
{
	if (w->at < w->len)
		return mrg_text_in(&w->sets[way->set], w->in[w->at]);
	return way->ends && !w->cut;
}

/* Whether a split was tried at this place before; it is from now on. */
static bool tried(struct walk *w, unsigned memo)
{
	const size_t bit = w->at * w->t->plan->memos + memo;
	uint64_t *const word = &w->t->room->memory[bit / 64];
	const uint64_t mask = (uint64_t)1 << bit % 64;
	const bool before = (*word & mask) != 0;
	*word |= mask;
	return before;
}

/* Octets of a loop that no other way takes: as many as come. */
static inline void skip(struct walk *w, const struct mrg_text_set *set)
{
	const size_t left = w->len - w->at, end = w->at + (left < w->budget ? left : w->budget);
	size_t at = w->at;
	while (at < end && mrg_text_in(set, w->in[at]))
		at++;
	if (at == w->at)
		return;
	w->budget -= at - w->at;
	w->at = at;
	arrive(w);
}

/* The best way on from the `from`-th; those behind it are kept for later. */
static inline bool split(struct walk *w, const struct mrg_text_op *op, unsigned from)
{
	const struct mrg_text_way *const ways = w->t->plan->ways + op->a;
	unsigned i = from;
	if (op->set != MRG_TEXT_NONE && from == 0 && w->calm != NULL)
		skip(w, &w->sets[op->set]);
	while (i < op->b && !viable(w, &ways[i]))
		i++;
	if (i == op->b)
		return false;
	unsigned next = i + 1;
	while (next < op->b && !viable(w, &ways[next]))
		next++;
	if (next < op->b) {
		if (from == 0 && op->to != MRG_TEXT_NONE && tried(w, op->to))
			return false;
		if (w->frames == MRG_TEXT_FRAMES) {
			w->gave_up = true;
			return false;
		}
		struct mrg_text_frame *const f = &w->t->room->frames[w->frames++];
		f->op = (uint16_t)(op - w->t->plan->ops);
		f->way = (uint16_t)next;
		f->at = (uint32_t)w->at;
		f->notes = (uint32_t)w->notes;
		memcpy(f->counts, w->counts, sizeof f->counts);
	}
	return go(w, ways[i].to);
}

static bool go_back(struct walk *w)
{
	bool on = false;
	if (w->meets && w->come != NOWHERE)
		meet(w);
	while (!on && w->frames > 0 && !w->gave_up) {
		const struct mrg_text_frame *const f = &w->t->room->frames[--w->frames];
		w->at = f->at;
		w->notes = f->notes;
		memcpy(w->counts, f->counts, sizeof f->counts);
		on = split(w, &w->t->plan->ops[f->op], f->way);
	}
	return on;
}

/* Whether any of a repetition's points is new. */
static bool is_new(const struct walk *w, unsigned node)
{
	const struct mrg_text_node *const n = &w->t->plan->nodes[node];
	for (unsigned i = 0; i < MRG_TEXT_TOO_OFTEN; i++)
		if (n->point[i] != MRG_TEXT_NONE && w->t->reached[n->point[i]] == 0)
			return true;
	return false;
}

static bool pass(struct walk *w, const struct mrg_text_op *op)
{
	bool noted = w->all || op->kind == MRG_TEXT_OP_START || op->kind == MRG_TEXT_OP_END;
	if (!noted && !w->quiet)
		noted = op->kind == MRG_TEXT_OP_CHOICE
				? w->t->reached[w->t->plan->nodes[op->node].point[0] + op->a] == 0
				: op->kind != MRG_TEXT_OP_CHOSEN && is_new(w, op->node);
	return (!noted || note(w, op)) && go(w, op->to);
}

static bool step(struct walk *w, const struct mrg_text_op *op)
{
	switch ((enum mrg_text_op_kind)op->kind) {
	case MRG_TEXT_OP_TEXT: return take_text(w, op);
	case MRG_TEXT_OP_OCTET: return take_octet(w, op);
	case MRG_TEXT_OP_OCTETS: return take_run(w, op);
	case MRG_TEXT_OP_COUNTED: return take_counted(w, op);
	case MRG_TEXT_OP_SPLIT: return split(w, op, 0);
	case MRG_TEXT_OP_RESET: w->counts[op->depth] = 0; return go(w, op->to);
	case MRG_TEXT_OP_COUNT: return count(w, op);
	default: return pass(w, op);
	}
}

/* Whether a text ends where it is. */
static bool ends(struct walk *w)
{
	if (w->longest && w->at > w->end)
		w->end = w->at;
	if (w->longest)
		return false;
	return w->t->plan->kind == MRG_TEXT_MESSAGE || (w->at == w->len && !w->cut);
}

/* True: it is read. */
static bool walk_on(struct walk *w)
{
	w->calm = w->quiet && !w->all ? w->t->plan->calm : NULL;
	(void)go(w, w->t->plan->start);
	if (w->gave_up)
		return false;
	while (w->budget != 0) {
		w->budget--;
		const struct mrg_text_op *const op = w->op;
		if (op->kind == MRG_TEXT_OP_DONE ? ends(w) : step(w, op)) {
			if (op->kind == MRG_TEXT_OP_DONE)
				return true;
		} else if (!go_back(w)) { /* nor does it when it gives up */
			return false;
		}
	}
	w->gave_up = true;
	return false;
}

static struct walk begin(const struct mrg_text *t, const uint8_t *in, size_t len)
{
	const size_t bits = (len + 1) * t->plan->memos;
	struct walk w = { .t = t, .ops = t->plan->ops, .sets = t->plan->sets, .in = in, .len = len };
	w.coded = w.come = NOWHERE;
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
static void mark_all(struct walk *w)
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
static void refused(const struct walk *w, struct mrg_text_found *found)
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
	struct walk w = begin(t, in, len);
	w.meets = t->plan->capture_count != 0;
	*found = (struct mrg_text_found){
		.verdict = MRG_TEXT_ACCEPTED, .parts = t->room->parts, .point = MRG_TEXT_NONE
	};
	if (walk_on(&w)) {
		found->at = w.at;
		found->count = captures(&w, w.notes, t->room->parts, MRG_TEXT_PARTS);
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
	struct walk w = begin(t, in, len);
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
	struct walk w = begin(t, in, len);
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

size_t mrg_text_pieces_again(const struct mrg_text *t, const uint8_t *in, size_t len, size_t *end)
{
	struct mrg_text_memo *const m = &t->room->memos[mrg_glue_hash(in, len) % MRG_TEXT_MEMOS];
	if (m->plan != t->plan || m->len != len || (len != 0 && memcmp(m->text, in, len) != 0)) {
		const size_t n = mrg_text_pieces(t, in, len, end);
		if (len == 0 || len > MRG_TEXT_MEMO_LEN || n > MRG_TEXT_MEMO_PIECES)
			return n;
		m->plan = t->plan;
		m->len = len;
		m->n = n;
		m->end = *end;
		memcpy(m->text, in, len);
		memcpy(m->pieces, t->room->pieces, n * sizeof m->pieces[0]);
		return n;
	}
	*end = m->end;
	memcpy(t->room->pieces, m->pieces, m->n * sizeof m->pieces[0]);
	return m->n;
}
