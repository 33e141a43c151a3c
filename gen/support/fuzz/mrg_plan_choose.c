/* What a maker decides: by what was decided before, else by chance, and rather what nobody has seen yet.  See mrg_plan_inside.h. */
#include <string.h>

#include "mrg_plan_inside.h"

/* ---- decisions of before, and of now ---- */

static const struct mrg_choice *next_of(const struct mrg_walk *w, uint32_t item)
{
	if (w->old == NULL || w->old_at >= w->old_end || w->old->c[w->old_at].item != item)
		return NULL;
	return &w->old->c[w->old_at];
}

PLAN_PART const struct mrg_choice *plan_take_next(struct mrg_walk *w, uint32_t item)
{
	const struct mrg_choice *const c = next_of(w, item);
	if (c == NULL)
		return NULL;
	w->old_at = c->end;
	return c->fresh ? NULL : c;
}

PLAN_PART struct group plan_enter_now(struct mrg_walk *w, uint32_t item, const struct mrg_choice **was)
{
	struct group g = { .mine = MRG_CHOICES_MAX, .old_end = w->old_end, .old_at = w->old_at };
	const struct mrg_choice *const c = next_of(w, item);
	*was = c == NULL || c->fresh ? NULL : c;
	if (c != NULL)
		g.old_at = c->end;
	if (*was != NULL) {
		w->old_at++;
		w->old_end = c->end;
	} else {
		w->old_end = w->old_at; /* nothing to follow in it */
	}
	if (plan_made(w) != NULL && w->made->n < MRG_CHOICES_MAX) {
		g.mine = w->made->n;
		plan_note(w, item, 0, 0);
	}
	return g;
}

/* ---- on purpose ---- */

static bool packet_leads(const struct mrg_walk *w, uint32_t packet)
{
	const size_t stride = (plan_of(w)->packet_n + 7) / 8;
	return (plan_of(w)->leads[packet * stride + plan_aims(w)->aim_packet / 8] >>
			       plan_aims(w)->aim_packet % 8 &
		       1) != 0;
}

PLAN_PART bool plan_arm_leads(const struct mrg_walk *w, const struct mrg_plan_arm *arm)
{
	return arm->item != MRG_PLAN_NONE ? plan_leads(w, arm->item)
					  : arm->packet != MRG_PLAN_NONE && packet_leads(w, arm->packet);
}

PLAN_PART bool plan_leads_on(const struct mrg_walk *w, uint32_t index)
{
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	if (index == plan_aims(w)->aim)
		return true;
	switch (item->kind) {
	case MRG_PLAN_PACKET: return packet_leads(w, item->a);
	case MRG_PLAN_LIST:
	case MRG_PLAN_REGION: return plan_leads(w, item->a);
	case MRG_PLAN_OPTIONAL:
		for (uint32_t i = 0; i < item->n; i++)
			if (plan_leads(w, item->a + i))
				return true;
		return false;
	case MRG_PLAN_SWITCH:
	case MRG_PLAN_CHAIN:
		for (uint32_t i = 0; i < item->n; i++)
			if (plan_arm_leads(w, &plan_of(w)->arms[item->a + i]))
				return true;
		return false;
	default: return false;
	}
}

/* ---- by chance ---- */

PLAN_PART uint64_t plan_draw_within(struct mrg_rng *rng, uint64_t lo, uint64_t hi)
{
	return hi - lo == UINT64_MAX ? mrg_rng_next(rng) : lo + mrg_rng_below(rng, hi - lo + 1);
}

/* 0 .. n - 1, by the upper bits of a number by chance: one number does for more than one question. */
static inline uint64_t below(uint64_t chance, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)chance * n) >> 64);
}

/* One of two numbers, without a branch: which one is by chance, and a guess of it is as often wrong. */
static inline uint64_t either(bool first, uint64_t a, uint64_t b)
{
	const uint64_t mask = UINT64_C(0) - first;
	return (a & mask) | (b & ~mask);
}

/* The first, the last, one near the first, or any: by two bits of a dice. */
static inline PLAN_ALWAYS uint64_t by_range(
	struct mrg_rng *rng, const struct mrg_plan_item *item, unsigned dice, uint64_t chance)
{
	const uint64_t span = item->hi - item->lo, near = span > 20 ? 20 : span;
	const bool between = (dice & 2) != 0, odd = (dice & 1) != 0;
	if (span >> 32 != 0 && between && odd)
		return plan_draw_within(rng, item->lo, item->hi);
	return item->lo + either(between, below(chance, either(odd, span, near) + 1), either(odd, span, 0));
}

PLAN_EACH uint64_t plan_draw_number(const struct mrg_walk *w, const struct mrg_plan_item *item)
{
	enum { DICE_BITS = 4, HINTED = 9 /* of 16 */ };
	struct mrg_rng *const rng = w->rng;
	if ((item->flags & MRG_PLAN_IS_CLOSED) != 0 && item->range_n != 0) {
		const struct mrg_plan_pat *const one =
			&plan_of(w)->pats[item->ranges + mrg_rng_below(rng, item->range_n)];
		return plan_draw_within(rng, one->lo, one->hi);
	}
	if ((item->flags & MRG_PLAN_IS_SIGNED) != 0)
		return mrg_rng_next(rng);
	const uint64_t chance = mrg_rng_next(rng);
	const unsigned dice = (unsigned)(chance >> (64 - DICE_BITS));
	if (item->hint_n == 0 && item->hi - item->lo == 1)
		return item->lo + (chance >> 63);
	if (item->hint_n == 0)
		return by_range(rng, item, dice, chance << DICE_BITS);
	const uint64_t hint = plan_of(w)->numbers[item->hints + below(chance << DICE_BITS, item->hint_n)];
	const bool hinted = dice < HINTED && hint >= item->lo && hint <= item->hi;
	if ((item->hi - item->lo) >> 32 != 0 && hinted)
		return hint;
	return either(hinted, hint, by_range(rng, item, dice, chance << DICE_BITS));
}

PLAN_PART uint32_t plan_draw_size(struct mrg_walk *w, uint64_t most)
{
	enum { DICE_BITS = 8 };
	const uint64_t chance = mrg_rng_next(w->rng);
	const unsigned dice = (unsigned)(chance >> (64 - DICE_BITS));
	const uint64_t top = either(dice < 16, either(dice == 0, 1024, 64), either(dice < 160, 12, 4));
	if (dice >= 252 && most <= 4096)
		return (uint32_t)most;
	return (uint32_t)below(chance << DICE_BITS, (most < top ? most : top) + 1);
}

PLAN_PART uint32_t plan_draw_count(struct mrg_walk *w, const struct mrg_plan_item *item)
{
	const uint64_t most = (item->flags & MRG_PLAN_HAS_MAX) != 0 ? item->max : 64;
	enum { DICE_BITS = 9 };
	const uint64_t chance = mrg_rng_next(w->rng);
	const unsigned dice = (unsigned)(chance >> (64 - DICE_BITS));
	if (plan_leads(w, item->a))
		return 1 + (dice < 16);
	if (dice == 0)
		return (uint32_t)(most < 24 ? most : 24);
	const uint64_t top = dice < 24 ? 6 : dice < 128 ? 2 : 1;
	return (uint32_t)below(chance << DICE_BITS, (most < top ? most : top) + 1);
}

/* The next of n in a ring. */
static inline uint32_t behind(uint32_t at, uint32_t n) { return at + 1 < n ? at + 1 : 0; }

PLAN_PART uint32_t plan_draw_arm(const struct frame *f, const struct mrg_plan_item *item)
{
	struct mrg_walk *const w = f->w;
	if (plan_aims(w)->aim == (uint32_t)(item - plan_of(w)->items) && plan_aims(w)->aim_at < item->n)
		return plan_aims(w)->aim_at;
	const uint32_t n = item->n, first = (uint32_t)mrg_rng_below(w->rng, n);
	const bool aims = plan_aims(w)->aim != MRG_PLAN_NONE;
	for (uint32_t i = 0, at = first; aims && i < n; i++, at = behind(at, n))
		if (plan_arm_leads(w, &plan_of(w)->arms[item->a + at]))
			return at;
	if (w->reached != NULL && (mrg_rng_next(w->rng) >> 63) != 0)
		for (uint32_t i = 0, at = first; i < n; i++, at = behind(at, n))
			if (!w->reached[plan_point(f, item->point + at)])
				return at;
	return first;
}

/* Eight octets by chance, the first of them in the lowest bits. */
static inline uint64_t octets_of_text(uint64_t bits)
{
	static const uint8_t letters[32] = "abcdefgxyzABCXYZ0123456789-._/ *";
	uint64_t text = 0;
	for (unsigned i = 0; i < 64; i += 8)
		text |= (uint64_t)letters[bits >> i & 31] << i;
	return text;
}

PLAN_PART void plan_draw_octets(struct mrg_walk *w, uint8_t *out, size_t len, size_t room)
{
	uint64_t bits = mrg_rng_next(w->rng);
	const bool text = (bits * 0x9e3779b97f4a7c15u) >> 63 != 0;
	for (;; bits = mrg_rng_next(w->rng), out += sizeof bits, len -= sizeof bits, room -= sizeof bits) {
		const uint64_t octets = text ? octets_of_text(bits) : bits;
		if (room < sizeof octets) {
			mrg_put_le(out, (unsigned)len, octets);
			return;
		}
		mrg_put_le64(out, octets);
		if (len <= sizeof octets)
			return;
	}
}

/* ---- too many jumps ---- */

PLAN_PART const struct mrg_plan_item *plan_item_at(
	const struct mrg_walk *w, const struct mrg_plan_packet *p, uint32_t slot)
{
	for (uint32_t i = p->items; i < p->items + p->item_n; i++)
		if (plan_of(w)->items[i].slot == slot && plan_of(w)->items[i].kind != MRG_PLAN_RUN)
			return &plan_of(w)->items[i];
	return NULL;
}

PLAN_PART uint32_t plan_jumps_max(const struct mrg_walk *w, const struct mrg_plan_item *chain)
{
	uint32_t most = 0;
	for (uint32_t i = 0; i < chain->n; i++)
		most = plan_of(w)->arms[chain->a + i].max_jumps > most
			       ? plan_of(w)->arms[chain->a + i].max_jumps
			       : most;
	return most;
}

/* Octets of a packet that is numbers only; 0: it is not. */
static uint32_t size_of_numbers(const struct mrg_plan *plan, const struct mrg_plan_packet *p)
{
	uint32_t bits = 0;
	for (uint32_t i = p->items; i < p->items + p->item_n; i++) {
		const unsigned kind = plan->items[i].kind;
		if (kind != MRG_PLAN_SCALAR && kind != MRG_PLAN_RUN && kind != MRG_PLAN_CHECK)
			return 0;
		bits += kind == MRG_PLAN_SCALAR ? plan->items[i].bits : 0;
	}
	return bits / 8;
}

static void put_jump(struct mrg_walk *w, const struct mrg_plan_arm *arm, uint32_t at, uint64_t to)
{
	const struct mrg_plan_packet *const p = &plan_of(w)->packets[arm->packet];
	uint64_t bit = 8 * (uint64_t)at;
	for (uint32_t i = p->items; i < p->items + p->item_n; i++) {
		const struct mrg_plan_item *const item = &plan_of(w)->items[i];
		if (item->kind != MRG_PLAN_SCALAR)
			continue;
		plan_store(w->out, bit, item->bits, true, item->slot == arm->at ? to : item->value);
		bit += item->bits;
	}
}

PLAN_PART void plan_put_jumps(struct mrg_walk *w, uint32_t at, uint64_t len)
{
	const struct mrg_plan_item *const chain = &plan_of(w)->items[plan_aims(w)->aim];
	uint32_t i = 0;
	while (i < chain->n && plan_of(w)->arms[chain->a + i].kind != MRG_PLAN_GOTO)
		i++;
	if (i == chain->n)
		return;
	const struct mrg_plan_arm *const arm = &plan_of(w)->arms[chain->a + i];
	const struct mrg_plan_packet *const p = &plan_of(w)->packets[arm->packet];
	const struct mrg_plan_item *const said = plan_item_at(w, p, arm->at);
	const uint32_t size = size_of_numbers(plan_of(w), p);
	if (size == 0 || said == NULL)
		return;
	for (uint32_t here = at; here + size <= at + len && plan_aims(w)->jump_n < plan_aims(w)->jump_max;
		here += size) {
		const uint64_t to =
			plan_aims(w)->jump_n != 0 ? (uint64_t)plan_aims(w)->jump_at - w->jump_base : said->lo;
		if (to < said->lo || to > said->hi || to + w->jump_base >= here)
			continue;
		put_jump(w, arm, here, to);
		w->aims.jump_at = here;
		w->aims.jump_n++;
	}
}

#ifndef PLAN_MAKES
/* Where a pointer may not lead, or just so: to itself, to an end, to anywhere. */
static uint64_t draw_jump(struct mrg_rng *rng, uint64_t itself, size_t len)
{
	const uint64_t places[] = { itself, len, len - 1, mrg_rng_below(rng, len) };
	return places[mrg_rng_below(rng, sizeof places / sizeof places[0])];
}

bool mrg_plan_redraw(
	struct mrg_walk *w, const struct mrg_choice *c, struct mrg_rng *rng, uint8_t *message, size_t len)
{
	enum { JUMPS_OF = 4 }; /* most messages are refused by it */
	if (c->item >= MRG_CHOICE_PACKET)
		return false;
	const struct mrg_plan_item *const item = &plan_of(w)->items[c->item];
	w->rng = rng;
	if (item->kind == MRG_PLAN_BYTES && item->mode != MRG_PLAN_UNTIL && c->value != 0) {
		plan_draw_octets(w, message + c->at, (size_t)c->value, (size_t)c->value);
		return true;
	}
	if (item->kind != MRG_PLAN_SCALAR || item->endian == MRG_PLAN_DYN)
		return false;
	const bool jumps = plan_has(item, MRG_PLAN_IS_JUMP) && mrg_rng_below(rng, JUMPS_OF) == 0;
	if (!jumps && !plan_has(item, MRG_PLAN_IS_FREE))
		return false;
	plan_store(message, c->at, item->bits, item->endian == MRG_PLAN_BIG,
		jumps ? draw_jump(rng, c->at / 8, len) : plan_draw_number(w, item));
	return true;
}
#endif
