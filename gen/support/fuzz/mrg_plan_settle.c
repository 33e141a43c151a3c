/* What a maker decides before it is known, and what then follows: numbers that say how long something is, and whether all of it holds. */
#include "mrg_plan_inside.h"

/* ---- numbers that follow from what comes later ---- */

PLAN_EACH bool plan_settle_item(struct frame *f, uint32_t index, uint32_t node, uint64_t value)
{
	struct mrg_walk *const w = f->w;
	struct mrg_node *const n = &w->nodes[node];
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	if (index == plan_aims(w)->wrong)
		return true;
	n->value = value;
	n->unknown = false;
	if (item->kind == MRG_PLAN_SCALAR) {
		if (item->bits < 64 && value >> item->bits != 0)
			return plan_refuse(
				w, MRG_E_RANGE, n->bit_off, index, "can't hold what is computed");
		plan_store(w->out, n->bit_off, item->bits, plan_is_big(f, item->endian), value);
		return true;
	}
	const struct mrg_plan_varint *const v = &plan_of(w)->varints[item->a];
	uint8_t room[32] = { 0 };
	if (value > v->hi || plan_put_varint(room, n->bit_off % 8, v, value) != n->bit_len)
		return plan_refuse(w, MRG_E_RANGE, n->bit_off, index, "takes more octets than it had");
	plan_put_varint(w->out, n->bit_off, v, value);
	return true;
}

PLAN_PART bool plan_settle(struct frame *f, uint32_t node, uint64_t value)
{
	return plan_settle_item(f, f->w->nodes[node].item, node, value);
}

/* What is to be cut must not get a length that says so. */
static bool is_cut_itself(const struct mrg_walk *w, uint32_t item)
{
	return plan_aims(w)->aim != MRG_PLAN_NONE &&
	       (item == plan_aims(w)->aim || (plan_of(w)->items[plan_aims(w)->aim].kind == MRG_PLAN_REGION &&
						     plan_of(w)->items[plan_aims(w)->aim].a == item));
}

PLAN_PART uint64_t plan_cut_down(struct mrg_walk *w, uint32_t node, uint64_t size)
{
	const uint32_t at = w->nodes[node].bit_off / 8;
	if (!plan_aims(w)->cuts || is_cut_itself(w, w->nodes[node].item) || plan_aims(w)->cut_at < at ||
		plan_aims(w)->cut_at >= at + size)
		return size;
	w->aims.cuts = false;
	return plan_aims(w)->cut_at - at;
}

/* The value of a number from which a length of `want` octets follows; or, of what is cut, the longest that is shorter. */
static bool solution(struct frame *f, uint32_t e, struct mrg_node *n, const struct mrg_plan_item *said,
	uint64_t want, uint64_t *value)
{
	enum { TRIED_MAX = 256 };
	uint64_t first, second = 0, have;
	n->unknown = false;
	n->value = said->lo;
	if (!plan_value(f, e, &first) || first > want)
		return false;
	n->value = said->lo + 1;
	if (!plan_value(f, e, &second))
		return false;
	*value = second > first ? said->lo + (want - first) / (second - first) : said->lo;
	for (unsigned i = 0; i < TRIED_MAX && *value <= said->hi; i++, ++*value) {
		n->value = *value;
		if (plan_value(f, e, &have) && have >= want)
			return have == want;
	}
	return false;
}

/* A number that says how long an item is, by way of more than itself, now that it is known how long. */
PLAN_PART bool plan_solve_now(struct frame *f, uint32_t index, uint32_t node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	const struct mrg_plan_item *const said = &plan_of(w)->items[item->field];
	const uint32_t at = w->slots[f->slots + said->slot];
	uint64_t want = w->nodes[node].bit_len / 8, value;
	if (at == 0 || !w->nodes[at].unknown)
		return true;
	const bool cuts = plan_aims(w)->cuts;
	want = plan_cut_down(w, node, want);
	bool solved = solution(f, item->expr, &w->nodes[at], said, want, &value);
	for (unsigned i = 0; !solved && cuts && !plan_aims(w)->cuts && want > 0 && i < 16; i++)
		solved = solution(f, item->expr, &w->nodes[at], said, --want, &value);
	if (!solved)
		return plan_refuse(w, MRG_E_RANGE, f->pos, index, "no number says this length");
	return plan_settle_item(f, item->field, at, value);
}

PLAN_PART bool plan_can_be_said(struct frame *f, uint32_t index, uint32_t node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = index != MRG_PLAN_NONE ? &plan_of(w)->items[index] : NULL;
	if (item == NULL || item->field == MRG_PLAN_NONE ||
		!plan_has(&plan_of(w)->items[item->field], MRG_PLAN_IS_SOLVED))
		return true;
	const uint32_t at = w->slots[f->slots + plan_of(w)->items[item->field].slot];
	if (at == 0 || !w->nodes[at].unknown)
		return true;
	const struct mrg_node before = w->nodes[at];
	uint64_t value;
	const bool can = solution(f, item->expr, &w->nodes[at], &plan_of(w)->items[item->field],
		(f->pos - w->nodes[node].bit_off) / 8, &value);
	w->nodes[at] = before;
	return can;
}

/* ---- what was decided before it was known ---- */

PLAN_RARE void plan_doubt(struct frame *f, uint32_t index, uint32_t node, uint64_t pos, uint64_t value)
{
	struct mrg_walk *const w = f->w;
	if (!w->confirms)
		return;
	if (w->doubt_n == sizeof w->doubts / sizeof w->doubts[0])
		w->unsure = true;
	else
		w->doubts[w->doubt_n++] = (struct mrg_doubt){ index, node, pos, value };
}

PLAN_PART void plan_rest(struct frame *f)
{
	struct mrg_walk *const w = f->w;
	w->unsure |= w->rests && w->rest_end != f->pos;
	w->rests = true;
	w->rest_end = f->pos;
}

PLAN_PART void plan_rest_ends(struct frame *f)
{
	f->w->unsure |= f->w->rests && f->w->rest_end != f->pos;
	f->w->rests = false;
}

/* Whether it was taken for what it is, now that numbers of the packet are settled. */
static bool is_right(struct frame *f, const struct mrg_doubt *d)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[d->item];
	const uint64_t pos = f->pos;
	const bool limit_known = f->limit_known;
	uint64_t value;
	f->pos = d->pos;
	f->limit_known = false; /* it was another, perhaps */
	const bool known = plan_value(f, item->expr, &value);
	f->pos = pos;
	f->limit_known = limit_known;
	if (!known) {
		w->unsure = true;
		return true;
	}
	switch (item->kind) {
	case MRG_PLAN_LET:
		w->nodes[d->node].value = value;
		w->nodes[d->node].unknown = false;
		return true;
	case MRG_PLAN_CHECK: return value != 0 || item->severity == MRG_PLAN_WARN;
	case MRG_PLAN_SWITCH: return plan_arm_for(w, item, value) == w->nodes[d->node].arm;
	case MRG_PLAN_OPTIONAL: return (value != 0) == (d->value != 0);
	default: return value == d->value;
	}
}

PLAN_PART bool plan_confirm(struct frame *f)
{
	struct mrg_walk *const w = f->w;
	for (uint32_t i = f->doubts_at; i < w->doubt_n; i++)
		if (!is_right(f, &w->doubts[i]))
			return plan_refuse(w, MRG_E_VALUE, w->doubts[i].pos, w->doubts[i].item,
				"not what it was taken for");
	w->doubt_n = f->doubts_at;
	return true;
}
