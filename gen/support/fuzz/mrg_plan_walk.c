/*
 * Walks a message by tables: reads it; or makes it, and reads what it has just made.  The rules are those of gen/mrg/ir.py.
 *
 * Reading order: mrg_plan_read and mrg_plan_make at the end, plan_packet, plan_item, then one function an item, some of them in
 * mrg_plan_numbers.c, mrg_plan_lists.c and mrg_plan_chains.c.
 */
#include <string.h>

#include "mrg_plan_inside.h"

/* ---- what is common ---- */

PLAN_RARE bool plan_refuse(
	struct mrg_walk *w, enum mrg_status status, uint64_t bit_off, uint32_t where, const char *what)
{
	w->status = status;
	w->bit_off = (size_t)bit_off;
	w->where = where;
	w->what = what;
	return false;
}

PLAN_RARE void plan_reach_first(struct mrg_walk *w, size_t at)
{
	if (!w->postpones)
		w->reached[at] = 1;
	else if (w->postponed_n < sizeof w->postponed / sizeof w->postponed[0])
		w->postponed[w->postponed_n++] = at;
}

/* A refusal is a point too. */
PLAN_RARE bool plan_refuse_at(struct frame *f, uint32_t index, uint32_t point, enum mrg_status status,
	uint64_t bit_off, const char *what)
{
	plan_reach(f, plan_of(f->w)->items[index].point + point);
	return plan_refuse(f->w, status, bit_off, index, what);
}

/* ---- on purpose ---- */

/* The message, or a length around, is to end at the position or a little behind. */
PLAN_RARE bool plan_cut_here(struct frame *f, uint64_t octets)
{
	struct mrg_walk *const w = f->w;
	/* Rather by little: what is before may say that there is about as much as is needed. */
	const uint64_t most = octets > 4 && mrg_rng_below(w->rng, 2) == 0 ? 4 : octets;
	w->aims.went_wrong = w->aims.cuts = true;
	w->aims.cut_at =
		(uint32_t)(f->pos / 8 + (octets != 0 ? octets - 1 - mrg_rng_below(w->rng, most) : 0));
	return true;
}

PLAN_RARE void plan_put_more(struct frame *f, uint32_t index, uint32_t node)
{
	enum { MORE_MAX = 64 };
	struct mrg_walk *const w = f->w;
	const uint64_t n = 1 + mrg_rng_below(w->rng, 4);
	if (!plan_is_there(f, n + MORE_MAX))
		return;
	w->aims.went_wrong = true;
	plan_draw_octets(w, w->out + f->pos / 8, (size_t)n + MORE_MAX, (size_t)n + MORE_MAX);
	f->pos += 8 * n;
	for (unsigned i = 0; i < MORE_MAX && !plan_can_be_said(f, index, node); i++)
		f->pos += 8;
}

/* ---- packets, regions, options ---- */

static inline PLAN_ALWAYS void arguments_of(const struct frame *f, const struct mrg_plan_item *item,
	const struct mrg_plan_packet *p, struct frame *in)
{
	for (uint32_t i = 0; i < p->param_n && i < PARAMS_MAX; i++) {
		const uint32_t arg = plan_of(f->w)->lists[item->args + i];
		if (!plan_of(f->w)->params[p->params + i].buffer) {
			if (!plan_value(f, arg, &in->args[i]))
				in->unknown_args |= 1u << i;
		} else if (arg == MRG_PLAN_NONE) {
			in->buffers[i] = (struct stretch){ f->start, f->end };
		} else {
			in->buffers[i] = f->buffers[arg];
		}
	}
}

static inline PLAN_ALWAYS bool sub(struct frame *f, uint32_t index, uint32_t *node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	const struct mrg_plan_packet *const p = &plan_of(w)->packets[item->a];
	struct frame in; /* all that matters of it is set here, or when it is opened */
	in.w = w;
	in.p = p;
	in.data = f->data;
	in.start = (uint32_t)(f->pos / 8);
	in.end = in.limit = f->limit;
	in.limit_known = f->limit_known;
	in.big = f->big;
	in.pos = 8 * (uint64_t)in.start;
	in.holder = 0;
	in.unknown_args = 0;
	if (plan_makes(w) || plan_made(w) != NULL) {
		in.up = f;
		in.up_slot = item->slot;
		in.forced_slot = MRG_PLAN_NONE;
	}
	arguments_of(f, item, p, &in);
	const struct mrg_choice *was;
	const struct mrg_events before = w->events;
	const struct group g = plan_enter(w, index, &was);
	if (!plan_packet_of(&in, item->a, node))
		return false;
	plan_leave(w, g, 0);
	if (item->id == 0)
		plan_forget(w, &before);
	w->nodes[*node].item = index;
	w->slots[f->slots + item->slot] = *node;
	f->pos = in.pos;
	return true;
}

static inline PLAN_ALWAYS bool region(struct frame *f, uint32_t index, uint32_t *node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	uint64_t size = 0;
	const bool known = plan_value(f, item->expr, &size);
	if (known && !plan_is_there(f, size)) {
		if (plan_has(item, MRG_PLAN_CAN_CUT))
			plan_reach(f, item->point);
		return plan_refuse(w, MRG_MORE, f->pos, index, "cut");
	}
	*node = plan_begin(f, index);
	if (*node == 0)
		return false;
	const uint32_t outer = f->limit;
	const bool outer_known = f->limit_known;
	const uint64_t end = f->pos + 8 * size;
	f->limit_known = known;
	if (known)
		f->limit = (uint32_t)(end / 8);
	uint32_t inner = 0;
	if (!plan_alone(f, item->a, &inner)) {
		if (w->status == MRG_MORE)
			w->status = MRG_E_SHORT;
		return false;
	}
	f->limit = outer;
	f->limit_known = outer_known;
	if (inner != 0)
		plan_adopt(w, *node, inner);
	if (!plan_has(item, MRG_PLAN_HAS_TAIL) && plan_is_aim(f, index, plan_has(item, MRG_PLAN_CAN_CUT))) {
		plan_put_more(f, index, *node);
		w->nodes[inner].bit_len =
			(uint32_t)(f->pos - w->nodes[inner].bit_off); /* which lengths are of */
	}
	if (plan_has(item, MRG_PLAN_CAN_CUT) && plan_is_aim(f, index, 0)) {
		plan_cut_here(f, 1);
		w->aims.cut_at--;
	}
	if (!known) {
		if (plan_makes(w) && plan_aims(w)->went_wrong && !plan_can_be_said(f, index, *node))
			plan_put_more(f, index, *node);
		plan_end_at(f, *node, f->pos);
		plan_rest_ends(f);
		if (!plan_solve(f, index, *node))
			return false;
		plan_doubt_size(f, index, w->nodes[*node].bit_off, w->nodes[*node].bit_len / 8);
		return true;
	}
	if (f->pos != end && !plan_has(item, MRG_PLAN_HAS_TAIL))
		return plan_refuse_at(f, index, plan_has(item, MRG_PLAN_CAN_CUT), MRG_E_LENGTH, f->pos,
			"octets are left over");
	if (plan_makes(w) && f->pos < end)
		memset(w->out + f->pos / 8, 0, (size_t)((end - f->pos) / 8));
	plan_end_at(f, *node, end);
	return true;
}

static inline PLAN_ALWAYS bool optional(struct frame *f, uint32_t index)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	const struct mrg_choice *was;
	uint64_t present = 0;
	const bool known = plan_value(f, item->expr, &present);
	const struct group g = plan_enter(w, index, &was);
	if (!known)
		present = plan_aims(w)->aim == index ? plan_aims(w)->aim_at == 0
			  : was != NULL && !plan_leads(w, index)
				  ? was->value
				  : plan_leads(w, index) || mrg_rng_next(w->rng) >> 63 != 0;
	if (!known)
		plan_doubt(f, index, 0, f->pos, present);
	plan_reach(f, item->point + (present == 0));
	if (item->gate != MRG_PLAN_NONE)
		plan_tell(w, item->id, present != 0);
	if (present != 0 && !plan_group(f, index))
		return false;
	plan_leave(w, g, present != 0);
	return true;
}

/* ---- choice ---- */

static bool matches(const struct mrg_walk *w, const struct mrg_plan_arm *arm, uint64_t value)
{
	for (uint32_t i = 0; i < arm->pat_n; i++) {
		const struct mrg_plan_pat *const p = &plan_of(w)->pats[arm->pats + i];
		if ((value & p->mask) >= p->lo && (value & p->mask) <= p->hi)
			return true;
	}
	return false;
}

PLAN_PART uint32_t plan_far_arm(const struct mrg_walk *w, const struct mrg_plan_item *item, uint64_t value)
{
	for (uint32_t i = 0; i < item->far_n; i++) {
		const uint32_t at = plan_of(w)->lists[item->far + i];
		const struct mrg_plan_arm *const arm = &plan_of(w)->arms[item->a + at];
		if (arm->pat_n == 0 || matches(w, arm, value))
			return at;
	}
	return item->n;
}

/* What was made for an arm must lead to it when it is read. */
static inline PLAN_ALWAYS bool leads_back(
	struct frame *f, const struct mrg_plan_item *item, uint64_t start, uint32_t arm, uint32_t node)
{
	const uint64_t pos = f->pos;
	uint64_t value;
	f->pos = start;
	f->w->ahead = true;
	const bool known = plan_value(f, item->expr, &value);
	f->w->ahead = false;
	f->pos = pos;
	if (!known)
		plan_doubt(f, (uint32_t)(item - plan_of(f->w)->items), node, start, 0);
	return !known || plan_arm_for(f->w, item, value) == arm;
}

/* Octets of any value that were made for an arm begin with a number that leads to it. */
static PLAN_COLD bool put_right(
	struct frame *f, const struct mrg_plan_item *item, uint64_t start, uint32_t arm, uint32_t inner)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_arm *const to = &plan_of(w)->arms[item->a + arm];
	const struct mrg_plan_expr *const e = &plan_of(w)->exprs[item->expr];
	if (e->op != MRG_PLAN_PEEK || to->pat_n == 0 || inner == 0 || w->nodes[inner].bit_len < e->bits ||
		plan_of(w)->items[w->nodes[inner].item].kind != MRG_PLAN_BYTES)
		return false;
	const struct mrg_plan_pat *const p = &plan_of(w)->pats[to->pats + mrg_rng_below(w->rng, to->pat_n)];
	plan_store(w->out, start, e->bits, plan_is_big(f, e->endian), plan_draw_within(w->rng, p->lo, p->hi));
	return true;
}

static inline PLAN_ALWAYS bool choice(struct frame *f, uint32_t index, uint32_t *node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	const struct mrg_choice *was;
	const struct mrg_events before = w->events;
	const uint64_t start = f->pos;
	uint64_t value = 0;
	*node = plan_begin(f, index);
	if (*node == 0)
		return false;
	if (item->bits != 0 && !plan_is_there(f, item->bits / 8u))
		return plan_refuse(w, MRG_MORE, f->pos, index, "cut");
	const bool known = plan_value(f, item->expr, &value);
	const struct group g = plan_enter(w, index, &was);
	uint32_t arm = known         ? plan_arm_for(w, item, value)
		       : was != NULL ? (uint32_t)was->value
				     : plan_draw_arm(f, item);
	if (arm >= item->n) {
		if (!known)
			arm = 0;
		else
			return plan_refuse_at(f, index, item->n, MRG_E_TAG, f->pos, "no such tag");
	}
	plan_reach(f, item->point + arm);
	w->nodes[*node].arm = arm;
	plan_tell(w, item->id, arm);
	uint32_t inner = 0;
	if (plan_of(w)->arms[item->a + arm].item != MRG_PLAN_NONE &&
		!plan_alone(f, plan_of(w)->arms[item->a + arm].item, &inner))
		return false;
	plan_leave(w, g, arm);
	if (item->id == 0)
		plan_forget(w, &before);
	if (inner != 0)
		plan_adopt(w, *node, inner);
	plan_end_at(f, *node, f->pos);
	if (item->bits != 0) /* it must have them, even if its arm takes fewer */
		plan_unsure(f);
	if (plan_makes(w) && !known && !leads_back(f, item, start, arm, *node) &&
		!(put_right(f, item, start, arm, inner) && leads_back(f, item, start, arm, *node)))
		return plan_refuse(w, MRG_E_TAG, start, index, "would be read as another");
	return true;
}

/* ---- items of a packet ---- */

/* Of an equation about the number that is given, what the other side is. */
static PLAN_COLD bool note_wanted(struct frame *f, const struct mrg_plan_item *item)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_expr *const e = &plan_of(w)->exprs[item->expr];
	if (e->op != MRG_PLAN_EQ || plan_aims(w)->given == MRG_PLAN_NONE)
		return false;
	const bool left = plan_of(w)->exprs[e->a].op == MRG_PLAN_FIELD;
	w->aims.is_wanted = plan_value(f, left ? e->b : e->a, &w->aims.wanted);
	return plan_aims(w)->is_wanted;
}

static inline PLAN_ALWAYS bool check(struct frame *f, uint32_t index)
{
	enum { ROOM_MAX = 12 }; /* octets */
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	uint64_t holds = 1;
	if (plan_is_kept(f->w, item))
		return true;
	f->holder = item->a < f->p->slot_n ? w->slots[f->slots + item->a] : 0;
	if (plan_is_aim(f, index, 0) && note_wanted(f, item))
		return true; /* the next time */
	if (plan_is_aim(f, index, 1) && plan_has(item, MRG_PLAN_ASKS_ROOM) && item->field == MRG_PLAN_NONE)
		plan_cut_here(f, ROOM_MAX);
	if (plan_has(item, MRG_PLAN_CALLS) || (item->severity == MRG_PLAN_SEND && !plan_makes(w)))
		return true;
	if (!plan_value(f, item->expr, &holds)) {
		if (plan_makes(w))
			plan_doubt(f, index, 0, f->pos, 0);
		return true;
	}
	if (item->severity != MRG_PLAN_SEND && !plan_has(item, MRG_PLAN_IS_SURE))
		plan_reach(f, item->point + (holds == 0));
	if (holds != 0 || plan_aims(w)->went_wrong)
		return true;
	if (item->severity == MRG_PLAN_MUST || item->severity == MRG_PLAN_SEND)
		return plan_refuse(w, MRG_E_VALUE, f->holder != 0 ? w->nodes[f->holder].bit_off : f->pos,
			index, item->what);
	w->warnings++;
	return true;
}

static inline PLAN_ALWAYS bool let(struct frame *f, uint32_t index, uint32_t *node)
{
	uint64_t value = 0;
	const struct mrg_plan_item *const item = &plan_of(f->w)->items[index];
	const bool known = plan_value(f, item->expr, &value);
	plan_tell(f->w, item->id, value);
	if (plan_is_bare(item))
		return true;
	*node = plan_begin(f, index);
	if (*node == 0)
		return false;
	f->w->nodes[*node].value = value;
	f->w->nodes[*node].unknown = !known;
	if (!known)
		plan_doubt(f, index, *node, f->pos, 0);
	return true;
}

/* Bits that must be there for what follows. */
static inline PLAN_ALWAYS bool run(struct frame *f, uint32_t index)
{
	const struct mrg_plan_item *const item = &plan_of(f->w)->items[index];
	if (plan_is_aim(f, index, 0))
		plan_cut_here(f, item->value / 8);
	if (plan_is_there(f, (f->pos % 8 + item->value + 7) / 8))
		return true;
	if (plan_has(item, MRG_PLAN_IS_SURE))
		return plan_refuse(f->w, MRG_MORE, f->pos, index, "cut");
	return plan_refuse_at(f, index, 0, MRG_MORE, f->pos, "cut");
}

static inline PLAN_ALWAYS bool endian_by(struct frame *f, uint32_t index)
{
	uint64_t value = 0;
	if (plan_value(f, plan_of(f->w)->items[index].expr, &value))
		f->big = value != 0;
	else
		plan_unsure(f);
	return true;
}

/* Read one item; *node stays 0 when it leaves none. */
PLAN_EACH bool plan_item(struct frame *f, uint32_t index, uint32_t *node)
{
	switch (plan_of(f->w)->items[index].kind) {
	case MRG_PLAN_RUN: return run(f, index);
	case MRG_PLAN_SCALAR: return plan_scalar(f, index, node);
	case MRG_PLAN_BYTES: return plan_octets(f, index, node);
	case MRG_PLAN_PACKET: return sub(f, index, node);
	case MRG_PLAN_LIST: return plan_list(f, index, node);
	case MRG_PLAN_SWITCH: return choice(f, index, node);
	case MRG_PLAN_CHAIN: return plan_chain(f, index, node);
	case MRG_PLAN_VARINT: return plan_varint(f, index, node);
	case MRG_PLAN_REGION: return region(f, index, node);
	case MRG_PLAN_OPTIONAL: return optional(f, index);
	case MRG_PLAN_ALIGN: return plan_align(f, index, node);
	case MRG_PLAN_LET: return let(f, index, node);
	case MRG_PLAN_CHECK: return check(f, index);
	default: return endian_by(f, index);
	}
}

#ifndef PLAN_MAKES
PLAN_PART bool plan_items(struct frame *f, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++) {
		uint32_t node = 0;
		const bool good = plan_item(f, i, &node);
		if (node != 0)
			plan_adopt(f->w, f->node, node);
		if (!good)
			return false;
	}
	return true;
}
#endif

/* ---- what is derived, and what is compared ---- */

static inline PLAN_ALWAYS bool settle_lengths(struct frame *f, const struct mrg_plan_packet *p)
{
	struct mrg_walk *const w = f->w;
	for (uint32_t i = 0; i < p->length_n; i++) {
		const struct mrg_plan_length *const l = &plan_of(w)->lengths[p->lengths + i];
		const uint32_t at = plan_find(f, plan_of(w)->lists + l->path, l->path_len),
			       of = w->slots[f->slots + l->slot];
		if (at == 0)
			continue;
		const struct mrg_node *const n = &w->nodes[of];
		const uint64_t value = of == 0 ? 0 : l->count ? plan_inner(w, n)->child_n : n->bit_len / 8;
		if (!plan_settle_item(f, l->number, at, l->count ? value : plan_cut_down(w, of, value)))
			return false;
	}
	return true;
}

/* What an expression takes for the size of an item that is to be cut is what is left of it, from now on.  false: it asks for none. */
static bool cut_sizes(struct frame *f, uint32_t expr)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_expr *const e = &plan_of(w)->exprs[expr];
	if (e->op >= MRG_PLAN_ADD && e->op <= MRG_PLAN_COND) {
		bool any = cut_sizes(f, e->a);
		any = cut_sizes(f, e->b) || any;
		return (e->op == MRG_PLAN_COND && cut_sizes(f, e->c)) || any;
	}
	if (e->op != MRG_PLAN_SIZE)
		return false;
	const uint32_t at = e->a != MRG_PLAN_NONE ? w->slots[f->slots + e->a] : f->node;
	if (at == 0 && e->a != MRG_PLAN_NONE)
		return false;
	w->nodes[at].bit_len = (uint32_t)(8 * plan_cut_down(w, at, w->nodes[at].bit_len / 8));
	return true;
}

static bool compute(struct frame *f)
{
	struct mrg_walk *const w = f->w;
	for (size_t i = f->computed_at; i < w->computed_n; i++) {
		const uint32_t at = w->computed[i], index = w->nodes[at].item;
		const struct mrg_plan_item *const item = &plan_of(w)->items[index];
		uint64_t want;
		f->holder = at;
		if (!plan_value(f, item->expr, &want)) {
			plan_unsure(f);
			continue;
		}
		if (plan_makes(w)) {
			if (plan_aims(w)->cuts && cut_sizes(f, item->expr) &&
				!plan_value(f, item->expr, &want))
				continue;
			if (!plan_settle(f, at, want))
				return false;
			continue;
		}
		uint32_t point =
			item->kind == MRG_PLAN_VARINT ? 2u + plan_of(w)->varints[item->a].minimal : 0;
		point += plan_has(item, MRG_PLAN_IS_CONST) + plan_has(item, MRG_PLAN_IS_CLOSED);
		if (want != w->nodes[at].value &&
			!plan_differs(f, index, point,
				plan_has(item, MRG_PLAN_IS_SUM) ? MRG_E_SUM : MRG_E_VALUE,
				w->nodes[at].bit_off, "not what is computed"))
			return false;
	}
	return true;
}

PLAN_EACH bool plan_open(struct frame *f, const struct mrg_plan_packet *p, uint32_t *node)
{
	struct mrg_walk *const w = f->w;
	if (w->slot_n + p->slot_n > MRG_SLOTS_MAX || p->param_n > PARAMS_MAX)
		return plan_refuse(w, MRG_E_SPACE, f->pos, MRG_PLAN_NONE, "too many items");
	f->slots = (uint32_t)w->slot_n;
	f->computed_at = (uint32_t)w->computed_n;
	if (plan_makes(w))
		f->doubts_at = w->doubt_n;
	w->slot_n += p->slot_n;
	const uint32_t index = (uint32_t)(p - plan_of(w)->packets);
	f->ranks = w->ranks + w->offsets[index];
	uint32_t *const slots = w->slots + f->slots;
	switch (p->slot_n) { /* most have few */
	default: memset(slots, 0, p->slot_n * sizeof *slots); break;
	case 8: slots[7] = 0; /* fall through */
	case 7: slots[6] = 0; /* fall through */
	case 6: slots[5] = 0; /* fall through */
	case 5: slots[4] = 0; /* fall through */
	case 4: slots[3] = 0; /* fall through */
	case 3: slots[2] = 0; /* fall through */
	case 2: slots[1] = 0; /* fall through */
	case 1: slots[0] = 0; /* fall through */
	case 0: break;
	}
	*node = plan_begin(f, MRG_PLAN_NONE);
	if (*node == 0 && w->node_n != 1)
		return false;
	f->node = *node;
	w->nodes[*node].packet = index;
	w->nodes[*node].slots = f->slots;
	return true;
}

PLAN_EACH bool plan_close(struct frame *f, const struct mrg_plan_packet *p, uint32_t node)
{
	struct mrg_walk *const w = f->w;
	w->nodes[node].bit_len = (uint32_t)(f->pos - w->nodes[node].bit_off);
	if (plan_makes(w) && !settle_lengths(f, p))
		return false;
	if (w->computed_n != f->computed_at && !compute(f))
		return false;
	w->computed_n = f->computed_at;
	if (plan_makes(w) && w->doubt_n != f->doubts_at && !plan_confirm(f))
		return false;
	if (p->max_bytes != 0 && w->nodes[node].bit_len > 8 * p->max_bytes &&
		!(plan_makes(w) && plan_aims(w)->went_wrong)) {
		plan_reach(f, p->point);
		return plan_refuse(w, MRG_E_LIMIT, w->nodes[node].bit_off, MRG_PLAN_NONE, "too long");
	}
	plan_tell(w, p->id, w->nodes[node].bit_len / 8);
	return true;
}

#ifndef PLAN_MAKES
PLAN_PART bool plan_packet(struct frame *f, uint32_t *node)
{
	return plan_open(f, f->p, node) && plan_items(f, f->p->items, f->p->item_n) &&
	       plan_close(f, f->p, *node);
}
#endif

/* ---- the whole ---- */

static bool whole(
	struct mrg_walk *w, uint32_t packet, const uint8_t *data, uint32_t len, const uint64_t *args)
{
	struct frame f = { .w = w,
		.p = &plan_of(w)->packets[packet],
		.data = data,
		.end = len,
		.limit = len,
		.big = true,
		.limit_known = !plan_makes(w),
		.forced_slot = MRG_PLAN_NONE };
	for (uint32_t i = 0; i < f.p->param_n && i < PARAMS_MAX; i++) {
		f.buffers[i] = (struct stretch){ 0, len };
		f.args[i] = args[i];
	}
	w->status = MRG_OK;
	w->node_n = w->slot_n = w->computed_n = 0;
	w->events.count = w->events.lost = 0;
	w->target_n = 0;
	w->warnings = 0;
	w->where = MRG_PLAN_NONE;
	w->what = "";
	w->ahead = false;
	w->doubt_n = 0;
	w->rests = false;
	w->unsure = plan_of(w)->sums; /* of what may be settled behind them */
	if (plan_made(w) != NULL) {
		w->made->n = 0;
		w->made->text = data;
	}
	uint32_t root = 0;
	if (!plan_packet_of(&f, packet, &root))
		return false;
	plan_rest_ends(&f);
	w->used = (size_t)(f.pos / 8);
	return true;
}

#if !defined PLAN_MAKES || !PLAN_MAKES
static enum mrg_status read_whole(
	struct mrg_walk *w, uint32_t packet, struct mrg_span in, const uint64_t *args)
{
	w->making = w->confirms = false;
	w->old = NULL;
	w->old_at = w->old_end = 0;
	w->aims.wrong = MRG_PLAN_NONE;
	w->aims.went_wrong = false;
	(void)whole(w, packet, in.p, (uint32_t)in.len, args);
	return w->status;
}
#endif

#if !defined PLAN_MAKES || PLAN_MAKES
static size_t make_whole(struct mrg_walk *w, uint32_t packet, const uint64_t *args, size_t cap)
{
	w->making = true;
	w->old_at = 0;
	w->old_end = w->old != NULL ? w->old->n : 0;
	w->aims.went_wrong = plan_aims(w)->grows != 0;
	w->aims.cuts = false;
	w->aims.is_wanted = false;
	w->aims.jump_n = w->aims.jump_at = w->jump_base = 0;
	w->aims.jumps_by_chains = false;
	if (plan_aims_at_jumps(w)) {
		w->aims.jumps_by_chains = mrg_rng_below(w->rng, 2) == 0;
		w->aims.jump_max = plan_jumps_max(w, &plan_of(w)->items[plan_aims(w)->aim]) -
				   (mrg_rng_below(w->rng, 4) == 0);
	}
	bool made = whole(w, packet, w->out, (uint32_t)cap, args);
	w->making = false;
	if (!made && plan_aims(w)->went_wrong && w->node_n != 0) { /* what there is of it may do */
		const struct mrg_node *const last = &w->nodes[w->node_n - 1];
		w->used = (last->bit_off + last->bit_len + 7) / 8;
		w->status = MRG_OK;
		made = true;
	}
	if (made && plan_aims(w)->cuts && plan_aims(w)->cut_at < w->used)
		w->used = plan_aims(w)->cut_at;
	return made ? w->used : 0;
}
#endif

#ifndef PLAN_MAKES
enum mrg_status mrg_plan_read(struct mrg_walk *w, uint32_t packet, struct mrg_span in, const uint64_t *args)
{
	return (w->made == NULL && w->plan->read != NULL ? w->plan->read : read_whole)(w, packet, in, args);
}

size_t mrg_plan_make(struct mrg_walk *w, uint32_t packet, const uint64_t *args, struct mrg_rng *rng,
	const struct mrg_choices *old, uint8_t *out, size_t cap)
{
	w->out = out;
	w->rng = rng;
	w->old = old;
	/* Where a message is to be more than one, it goes by the tables. */
	const bool coded = w->made == NULL && w->plan->make != NULL && w->aims.aim == MRG_PLAN_NONE &&
			   w->aims.wrong == MRG_PLAN_NONE;
	return (coded ? w->plan->make : make_whole)(w, packet, args, cap);
}
#endif
