/* Chains: items up to one that ends them or leads elsewhere.  See mrg_plan_inside.h. */
#include <string.h>

#include "mrg_plan_inside.h"

/* The frame that items of a chain are walked in, one after the other: what is not set here is when an item is begun. */
static inline PLAN_ALWAYS struct frame chain_frame(const struct frame *f)
{
	struct frame at;
	at.w = f->w;
	at.data = f->data;
	at.limit = f->limit;
	at.limit_known = f->limit_known;
	at.pos = f->pos;
	at.holder = f->holder;
	return at;
}

/* One item of a chain, by an arm, at f->pos of the frame `at`. */
static inline PLAN_ALWAYS bool chain_item(
	struct frame *f, struct frame *at, uint32_t arm_index, uint64_t forced, uint32_t *node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_arm *const arm = &plan_of(w)->arms[arm_index];
	const struct mrg_plan_packet *const p = &plan_of(w)->packets[arm->packet];
	at->p = p;
	at->up = NULL;
	at->up_slot = 0;
	at->start = (uint32_t)(at->pos / 8);
	at->end = at->limit;
	at->big = f->big;
	at->unknown_args = 0;
	at->forced_slot = MRG_PLAN_NONE;
	for (uint32_t i = 0; i < p->param_n && i < PARAMS_MAX; i++) {
		at->args[i] = f->args[plan_of(w)->lists[arm->args + i]];
		at->unknown_args |= (f->unknown_args >> plan_of(w)->lists[arm->args + i] & 1) << i;
		at->buffers[i] = f->buffers[plan_of(w)->lists[arm->args + i]];
	}
	if (plan_makes(w) && arm->kind == MRG_PLAN_GOTO) {
		at->forced_slot = arm->at;
		at->forced = forced;
	}
	if (!plan_packet_of(at, arm->packet, node))
		return false;
	w->nodes[*node].arm = arm_index;
	return true;
}

/* Where the chain is known, so are its first arms. */
static inline PLAN_ALWAYS bool chain_item_by(struct frame *f, struct frame *at,
	const struct mrg_plan_item *item, uint32_t arm, uint64_t to, uint32_t *node)
{
	if (arm == 0)
		return chain_item(f, at, item->a, to, node);
	if (arm == 1 && item->n > 1)
		return chain_item(f, at, item->a + 1, to, node);
	if (arm == 2 && item->n > 2)
		return chain_item(f, at, item->a + 2, to, node);
	return chain_item(f, at, item->a + arm, to, node);
}

/* total: octets of the chain before it, until it is known how many there are from it on. */
static void target(struct mrg_walk *w, uint32_t at, uint32_t chain, uint64_t total)
{
	if (w->target_n < sizeof w->targets / sizeof w->targets[0])
		w->targets[w->target_n++] =
			(struct mrg_target){ .at = at, .chain = chain, .total = (uint32_t)total };
}

static uint32_t arm_of_kind(const struct mrg_walk *w, const struct mrg_plan_item *item, unsigned kind)
{
	uint32_t i = 0;
	while (i + 1 < item->n && plan_of(w)->arms[item->a + i].kind != kind)
		i++;
	return i;
}

/* The least that a pointer of the chain can say. */
static uint64_t least_target(const struct mrg_walk *w, const struct mrg_plan_item *chain)
{
	const struct mrg_plan_arm *const arm =
		&plan_of(w)->arms[chain->a + arm_of_kind(w, chain, MRG_PLAN_GOTO)];
	const struct mrg_plan_item *const said = plan_item_at(w, &plan_of(w)->packets[arm->packet], arm->at);
	return said != NULL ? said->lo : 0;
}

/* The arm that leads to the point that is aimed at, instead of `arm`. */
static uint32_t aimed_arm(const struct mrg_walk *w, const struct frame *at, const struct mrg_plan_item *item,
	uint32_t arm, uint64_t total)
{
	if (plan_aims(w)->aim_at < item->n)
		return plan_aims(w)->aim_at;
	switch (plan_aims(w)->aim_at - item->n) {
	case 2: /* Where there is room for one octet, or for none, the one that ends it comes to just there. */
		return arm_of_kind(w, item,
			total == item->max || (total + 1 == item->max && mrg_rng_below(w->rng, 2) == 0)
				? MRG_PLAN_STOP
				: MRG_PLAN_ITEM);
	case 5: /* As long as can be, unless there are enough before it. */
		if (!plan_aims(w)->jumps_by_chains && plan_aims(w)->open_n < plan_aims(w)->jump_max &&
			total + 70 < item->max)
			return arm_of_kind(w, item, MRG_PLAN_ITEM);
		return arm_of_kind(w, item, plan_aims(w)->open_n != 0 ? MRG_PLAN_GOTO : MRG_PLAN_STOP);
	case 4: /* A pointer to itself, which must be where it can point to. */
		if (at->pos / 8 < (uint64_t)w->jump_base + least_target(w, item) && total + 70 < item->max)
			return arm_of_kind(w, item, MRG_PLAN_ITEM);
		return arm_of_kind(w, item, MRG_PLAN_GOTO);
	case 3: return arm_of_kind(w, item, MRG_PLAN_GOTO);
	default: return arm;
	}
}

/* An arm of this kind; where there is none, any. */
static inline PLAN_ALWAYS uint32_t any_arm(
	struct mrg_walk *w, const struct mrg_plan_item *item, unsigned kind)
{
	uint32_t fit = 0, arm = 0;
	for (uint32_t i = 0; i < item->n; i++)
		fit += plan_of(w)->arms[item->a + i].kind == kind;
	if (fit == 0)
		return (uint32_t)mrg_rng_below(w->rng, item->n);
	uint32_t left = fit == 1 ? 0 : (uint32_t)mrg_rng_below(w->rng, fit);
	for (uint32_t i = 0; i < item->n; i++)
		if (plan_of(w)->arms[item->a + i].kind == kind && left-- == 0)
			arm = i;
	return arm;
}

/* Chains that come when there are jumps enough lead anywhere: one is too long, and by one jump. */
static bool wants_jumps(const struct mrg_walk *w)
{
	return plan_aims(w)->open_n <= plan_aims(w)->jump_max + 1;
}

/* The arm that a maker takes, and for a pointer where it leads. */
static inline PLAN_ALWAYS uint32_t decide_arm(struct frame *f, const struct frame *at,
	const struct mrg_plan_item *item, uint64_t total, uint32_t targets, uint64_t *to, uint64_t *which)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_choice *const c =
		w->old != NULL && w->old_at < w->old_end ? &w->old->c[w->old_at] : NULL;
	uint32_t arm = MRG_PLAN_NONE;
	*which = MRG_PLAN_NONE;
	if (c != NULL && (c->item & MRG_CHOICE_ARM) != 0 && c->item - MRG_CHOICE_ARM - item->a < item->n) {
		arm = c->item - MRG_CHOICE_ARM - item->a;
		*which = c->value;
	}
	if (arm == MRG_PLAN_NONE) {
		const unsigned dice = (unsigned)(mrg_rng_next(w->rng) >> 60);
		const unsigned want = total + 70 > item->max || dice < 6 ? MRG_PLAN_STOP
				      : dice < 10 && targets != 0        ? MRG_PLAN_GOTO
									 : MRG_PLAN_ITEM;
		arm = any_arm(w, item, want);
	}
	if (plan_aims(w)->aim == (uint32_t)(item - plan_of(w)->items))
		arm = aimed_arm(w, at, item, arm, total);
	const bool leads =
		plan_aims(w)->aim != MRG_PLAN_NONE &&
		(plan_of(w)->arms[item->a + arm].kind == MRG_PLAN_GOTO || mrg_rng_below(w->rng, 2) == 0);
	for (uint32_t i = 0; leads && i < item->n; i++)
		if (plan_arm_leads(w, &plan_of(w)->arms[item->a + i]))
			arm = i;
	if (plan_of(w)->arms[item->a + arm].kind == MRG_PLAN_GOTO) {
		if (*which >= targets)
			*which = targets != 0 ? mrg_rng_below(w->rng, targets) : 0;
		*to = targets != 0 ? w->targets[*which].at - w->jump_base : 0;
		if (plan_aims_at_jumps(w) && plan_aims(w)->open_n != 0 && wants_jumps(w))
			*to = plan_aims(w)->open_at - w->jump_base;
		if (plan_aims(w)->aim == (uint32_t)(item - plan_of(w)->items) &&
			(plan_aims(w)->aim_at == item->n + 3 || plan_aims(w)->aim_at == item->n + 4)) {
			/* To itself, or to where the items before it begin, if it can. */
			const uint64_t first = f->pos / 8 - w->jump_base, itself = at->pos / 8 - w->jump_base;
			const uint64_t here = mrg_rng_below(w->rng, 2) == 0 || first < least_target(w, item)
						      ? itself
						      : first;
			*to = plan_aims(w)->aim_at == item->n + 3 ? UINT64_MAX : here;
			w->aims.went_wrong = true;
		}
	}
	return arm;
}

/* A chain that is to be wrong ends here: cut, or with an item that there is not. */
static PLAN_COLD bool spoil_chain(struct frame *f, struct frame *at, uint32_t index, uint32_t node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	if (plan_is_aim(f, index, item->n))
		return plan_cut_here(at, 1) && false;
	if (!plan_is_aim(f, index, item->n + 1) || !plan_is_there(at, 1))
		return false;
	uint8_t octet = (uint8_t)mrg_rng_next(w->rng);
	for (unsigned i = 0; i < 256 && plan_arm_for(w, item, octet) != item->n; i++)
		octet++;
	w->out[at->pos / 8] = octet;
	w->aims.went_wrong = true;
	plan_end_at(f, node, at->pos + 8);
	return true;
}

/*
 * What a maker's chain comes to that ends with `last` by `arm`: of all octets, also those where a pointer leads, there are not too many, and not too
 * many pointers.  Then it is known of what is in it.
 */
static bool confirm_chain(struct frame *f, uint32_t index, const struct mrg_plan_arm *arm, uint32_t last,
	uint64_t to, uint64_t which, uint64_t total, uint32_t first_target)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	uint32_t jumps = 0;
	if (arm->kind == MRG_PLAN_GOTO) {
		const struct mrg_target *const t = &w->targets[which];
		w->unsure |= which >= first_target || t->chain != index ||
			     w->nodes[w->slots[w->nodes[last].slots + arm->at]].value != to;
		total += t->total;
		jumps = t->jumps + 1;
		bool many = total > item->max;
		for (uint32_t i = 0; i < item->n; i++) /* each counts all that there are */
			many |= plan_of(w)->arms[item->a + i].kind == MRG_PLAN_GOTO &&
				jumps > plan_of(w)->arms[item->a + i].max_jumps;
		if (many)
			return plan_refuse(w, MRG_E_LIMIT, f->pos, index, "too long");
	}
	for (uint32_t i = first_target; i < w->target_n; i++) {
		w->targets[i].total = (uint32_t)total - w->targets[i].total;
		w->targets[i].jumps = jumps;
	}
	return true;
}

static inline PLAN_ALWAYS bool make_chain(struct frame *f, uint32_t index, uint32_t node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	const struct mrg_choice *was;
	const uint32_t targets = w->target_n;
	struct frame at = chain_frame(f);
	uint64_t total = 0;
	const struct mrg_plan_arm *const jumper =
		&plan_of(w)->arms[item->a + arm_of_kind(w, item, MRG_PLAN_GOTO)];
	w->jump_base = jumper->kind == MRG_PLAN_GOTO ? f->buffers[jumper->buffer].start : 0;
	w->aims.open_n = plan_aims(w)->jump_n;
	w->aims.open_at = plan_aims(w)->jump_at;
	for (;;) {
		uint64_t to = 0, which = 0;
		const uint32_t arm = decide_arm(f, &at, item, total, targets, &to, &which);
		const struct group g = plan_enter(w, MRG_CHOICE_ARM + item->a + arm, &was);
		const uint64_t start = at.pos;
		const unsigned kind = plan_of(w)->arms[item->a + arm].kind;
		uint32_t one = 0;
		at.limit = f->limit;
		if (plan_aims(w)->aim == index && spoil_chain(f, &at, index, node))
			return true;
		if (kind == MRG_PLAN_ITEM || at.pos == f->pos)
			target(w, (uint32_t)(at.pos / 8), index, total);
		if (!chain_item_by(f, &at, item, arm, to, &one))
			return false;
		plan_leave(w, g, which);
		if (kind != MRG_PLAN_ITEM && plan_aims(w)->jump_n == plan_aims(w)->open_n &&
			plan_aims(w)->jumps_by_chains && wants_jumps(w)) {
			w->aims.jump_at = (uint32_t)(f->pos / 8);
			w->aims.jump_n += kind == MRG_PLAN_GOTO || plan_aims(w)->jump_n == 0;
		}
		if (!plan_aims(w)->went_wrong && plan_arm_for(w, item, f->data[start / 8]) != arm)
			return plan_refuse(w, MRG_E_TAG, start, index, "would be read as another");
		plan_adopt(w, node, one);
		total += kind == MRG_PLAN_GOTO ? 0 : (at.pos - start) / 8;
		if (total > item->max) {
			if (!plan_is_aim(f, index, item->n + 2))
				return plan_refuse(w, MRG_E_LIMIT, start, index, "too long");
			w->aims.went_wrong = true;
			break;
		}
		if (kind != MRG_PLAN_ITEM) {
			if (w->confirms && !confirm_chain(f, index, &plan_of(w)->arms[item->a + arm], one, to,
						   which, total, targets))
				return false;
			break;
		}
	}
	plan_end_at(f, node, at.pos);
	return true;
}

/* Where a pointer leads: only backwards, so that it ends.  RFC 9267 section 2.1 */
static bool jump(struct frame *f, uint32_t index, const struct mrg_plan_arm *arm, uint32_t node,
	struct frame *at, uint32_t *run, uint32_t jumps)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	const struct stretch b = f->buffers[arm->buffer];
	const uint32_t len = b.end - b.start, point = item->n + 3;
	const uint64_t offset = w->nodes[w->slots[w->nodes[node].slots + arm->at]].value;
	uint32_t here = *run - b.start;
	if (*run < b.start || here >= len)
		here = len;
	if (offset >= len)
		return plan_refuse_at(
			f, index, point, MRG_E_RANGE, w->nodes[node].bit_off, "points past the end");
	if (offset >= here)
		return plan_refuse_at(
			f, index, point + 1, MRG_E_LOOP, w->nodes[node].bit_off, "does not point back");
	if (jumps > arm->max_jumps)
		return plan_refuse_at(
			f, index, point + 2, MRG_E_LIMIT, w->nodes[node].bit_off, "too many jumps");
	*run = b.start + (uint32_t)offset;
	at->pos = 8 * (uint64_t)*run;
	at->limit = b.end;
	return true;
}

/* Which of the places that chains began at. */
static uint64_t which_target(
	const struct mrg_walk *w, const struct frame *f, const struct mrg_plan_arm *arm, uint32_t node)
{
	const uint64_t to =
		w->nodes[w->slots[w->nodes[node].slots + arm->at]].value + f->buffers[arm->buffer].start;
	for (uint32_t i = 0; i < w->target_n; i++)
		if (w->targets[i].at == to)
			return i;
	return MRG_PLAN_NONE;
}

static inline PLAN_ALWAYS bool read_chain(struct frame *f, uint32_t index, uint32_t node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	struct mrg_choices *const made = w->made;
	const struct mrg_choice *was;
	struct frame at = chain_frame(f);
	uint32_t run = (uint32_t)(f->pos / 8), jumps = 0;
	uint64_t total = 0, in_place = 0;
	const struct mrg_events before = w->events;
	uint64_t told = 0; /* items */
	bool done = false;
	while (!done) {
		if (at.pos / 8 >= at.limit)
			return plan_refuse_at(f, index, item->n, MRG_MORE, at.pos, "cut");
		const uint32_t i = plan_arm_for(w, item, f->data[at.pos / 8]);
		if (i == item->n)
			return plan_refuse_at(f, index, item->n + 1, MRG_E_TAG, at.pos, "no such item");
		const struct mrg_plan_arm *const arm = &plan_of(w)->arms[item->a + i];
		const uint64_t start = at.pos;
		uint32_t one = 0;
		plan_reach(f, item->point + i);
		if (plan_made(w) != NULL && (arm->kind == MRG_PLAN_ITEM || start == f->pos))
			target(w, (uint32_t)(start / 8), index, 0);
		const struct group g = plan_enter(w, MRG_CHOICE_ARM + item->a + i, &was);
		const struct mrg_events so_far = w->events;
		if (arm->kind == MRG_PLAN_ITEM) {
			plan_tell(w, item->id, i);
			told++;
		}
		if (!chain_item_by(f, &at, item, i, 0, &one))
			return false;
		if (arm->kind != MRG_PLAN_ITEM)
			plan_forget(w, &so_far);
		plan_leave(w, g, arm->kind == MRG_PLAN_GOTO ? which_target(w, f, arm, one) : 0);
		total += arm->kind == MRG_PLAN_GOTO ? 0 : (at.pos - start) / 8;
		if (total > item->max)
			return plan_refuse_at(f, index, item->n + 2, MRG_E_LIMIT, start, "too long");
		plan_adopt(w, node, one);
		if (arm->kind != MRG_PLAN_ITEM && in_place == 0) {
			in_place = at.pos;
			w->made = NULL; /* what comes is written elsewhere */
		}
		done = arm->kind == MRG_PLAN_STOP;
		if (arm->kind == MRG_PLAN_GOTO && !jump(f, index, arm, one, &at, &run, ++jumps))
			return false;
	}
	w->made = made;
	plan_tell(w, item->id, told);
	if (item->id == 0)
		plan_forget(w, &before);
	plan_end_at(f, node, in_place);
	return true;
}

PLAN_EACH bool plan_chain(struct frame *f, uint32_t index, uint32_t *node)
{
	struct mrg_choices *const made = f->w->made;
	const struct mrg_choice *was;
	*node = plan_begin(f, index);
	if (*node == 0)
		return false;
	const struct group g = plan_enter(f->w, index, &was);
	const bool whole = plan_makes(f->w) ? make_chain(f, index, *node) : read_chain(f, index, *node);
	f->w->made = made;
	if (whole)
		plan_leave(f->w, g, 0);
	return whole;
}
