/* Numbers: those of a fixed width, and varints.  See mrg_plan_inside.h. */
#include <string.h>

#include "mrg_plan_inside.h"

/* ---- numbers ---- */

/* Whether a packet around derives the number from something that comes later. */
static inline PLAN_ALWAYS bool is_owed(const struct frame *f, const struct mrg_plan_item *item)
{
	const struct mrg_plan *const plan = plan_of(f->w);
	for (uint32_t i = 0; i < item->owing_n; i++) {
		const struct mrg_plan_owing *const o = &plan->owing[item->owing + i];
		const struct frame *at = f;
		uint32_t left = o->path_len - 1;
		while (left != 0 && at->up != NULL && at->up_slot == plan->lists[o->path + left - 1]) {
			at = at->up;
			left--;
		}
		if (left == 0 && at->p == &plan->packets[o->packet])
			return true;
	}
	return false;
}

/* A number that decides on an arm, so that what is aimed at comes. */
static uint64_t steered(const struct frame *f, const struct mrg_plan_item *choice, uint64_t value)
{
	const struct mrg_walk *const w = f->w;
	if (plan_of(w)->exprs[choice->expr].op != MRG_PLAN_FIELD)
		return value;
	const uint32_t now = plan_arm_for(w, choice, value);
	if (now < choice->n && plan_arm_leads(w, &plan_of(w)->arms[choice->a + now]))
		return value;
	const uint32_t first = (uint32_t)mrg_rng_below(w->rng, choice->n);
	for (uint32_t i = 0; i < choice->n; i++) {
		const struct mrg_plan_arm *const arm = &plan_of(w)->arms[choice->a + (first + i) % choice->n];
		if (arm->pat_n != 0 && plan_arm_leads(w, arm))
			return plan_of(w)->pats[arm->pats].lo;
	}
	return value;
}

static inline PLAN_ALWAYS uint64_t decided(struct frame *f, uint32_t index, bool *unknown)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	const bool computed = plan_has(item, MRG_PLAN_IS_COMPUTED) && !plan_has(item, MRG_PLAN_CALLS);
	*unknown = false;
	if (plan_aims(w)->wrong == index) {
		w->aims.went_wrong = true;
		if (item->hint_n != 0 && mrg_rng_below(w->rng, 2) != 0)
			return plan_of(w)->numbers[item->hints + mrg_rng_below(w->rng, item->hint_n)];
		return mrg_rng_next(w->rng) >> mrg_rng_below(w->rng, 64);
	}
	if (plan_has(item, MRG_PLAN_IS_JUMP) && item->slot == f->forced_slot)
		return f->forced;
	if (plan_aims(w)->given == index)
		return plan_aims(w)->given_value;
	if (is_owed(f, item) || computed ||
		(plan_has(item, MRG_PLAN_IS_SOLVED) &&
			(plan_aims(w)->aim != MRG_PLAN_NONE || mrg_rng_below(w->rng, 2) != 0))) {
		*unknown = true;
		return item->lo;
	}
	if (plan_has(item, MRG_PLAN_IS_CONST))
		return item->value;
	const struct mrg_choice *const was = plan_take(w, index);
	const uint64_t value = was != NULL ? was->value : plan_draw_number(w, item);
	return plan_aims(w)->aim != MRG_PLAN_NONE && item->steers != MRG_PLAN_NONE
		       ? steered(f, &plan_of(w)->items[item->steers], value)
		       : value;
}

PLAN_PART bool plan_is_member(const struct mrg_walk *w, const struct mrg_plan_item *item, uint64_t value)
{
	for (uint32_t i = 0; i < item->range_n; i++)
		if (value >= plan_of(w)->pats[item->ranges + i].lo &&
			value <= plan_of(w)->pats[item->ranges + i].hi)
			return true;
	return false;
}

/* A number that differs from what it must be. */
PLAN_RARE bool plan_differs(struct frame *f, uint32_t index, uint32_t point, enum mrg_status status,
	uint64_t at, const char *what)
{
	const unsigned severity = plan_of(f->w)->items[index].severity;
	if (severity == MRG_PLAN_SEND)
		return true;
	if (!plan_has(&plan_of(f->w)->items[index], MRG_PLAN_IS_SURE))
		plan_reach(f, plan_of(f->w)->items[index].point + point);
	if (severity == MRG_PLAN_MUST && !(plan_makes(f->w) && plan_aims(f->w)->went_wrong))
		return plan_refuse(f->w, status, at, index, what);
	f->w->warnings++;
	return true;
}

static inline PLAN_ALWAYS bool later(struct frame *f, uint32_t node)
{
	const struct mrg_plan_item *const item = &plan_of(f->w)->items[f->w->nodes[node].item];
	if (!plan_has(item, MRG_PLAN_IS_COMPUTED) || plan_has(item, MRG_PLAN_CALLS) ||
		(plan_has(item, MRG_PLAN_IS_IMPLIED) && !plan_makes(f->w)))
		return true;
	if (f->w->computed_n == sizeof f->w->computed / sizeof f->w->computed[0])
		return plan_refuse(
			f->w, MRG_E_SPACE, f->pos, f->w->nodes[node].item, "too many computed numbers");
	f->w->computed[f->w->computed_n++] = node;
	return true;
}

/* What reading it noted of a number: what a maker would have to decide. */
static inline void note_number(
	struct frame *f, const struct mrg_plan_item *item, uint32_t index, const struct mrg_node *n)
{
	if (plan_made(f->w) != NULL && !plan_has(item, MRG_PLAN_IS_CONST) &&
		!plan_has(item, MRG_PLAN_IS_SOLVED) &&
		(!plan_has(item, MRG_PLAN_IS_COMPUTED) || plan_has(item, MRG_PLAN_CALLS)) &&
		!is_owed(f, item))
		plan_note(f->w, index, n->value, n->bit_off);
}

/* What must hold of a number at `at`, bits, as soon as it is there. */
static inline PLAN_ALWAYS bool judge(
	struct frame *f, uint32_t index, uint64_t value, bool unknown, uint64_t at)
{
	const struct mrg_plan_item *const item = &plan_of(f->w)->items[index];
	uint32_t point = 0;
	if (unknown && plan_has(item, MRG_PLAN_IS_CONST | MRG_PLAN_IS_CLOSED))
		plan_unsure(f);
	if (plan_has(item, MRG_PLAN_IS_CONST)) {
		if (value != item->value &&
			!plan_differs(f, index, 0, MRG_E_VALUE, at, "not what it has to be"))
			return false;
		point += item->severity != MRG_PLAN_SEND && !plan_has(item, MRG_PLAN_IS_SURE);
	}
	if (plan_has(item, MRG_PLAN_IS_CLOSED) && !unknown && !plan_aims(f->w)->went_wrong &&
		!plan_is_member(f->w, item, value))
		return plan_refuse_at(f, index, point, MRG_E_VALUE, at, "not a member");
	return true;
}

PLAN_EACH bool plan_scalar_here(struct frame *f, uint32_t index, unsigned in, uint32_t *node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	const bool big = plan_is_big(f, item->endian);
	bool unknown = false;
	if (plan_makes(w))
		plan_store_in(w->out, f->pos, in, item->bits, big, decided(f, index, &unknown));
	uint64_t v = plan_load_in(f->data, f->pos, in, item->bits, big);
	if (plan_has(item, MRG_PLAN_IS_SIGNED) && item->bits < 64 && (v >> (item->bits - 1)) != 0)
		v |= ~UINT64_C(0) << item->bits;
	const uint64_t at = f->pos;
	if (!plan_is_bare(item)) {
		*node = plan_begin(f, index);
		if (*node == 0)
			return false;
		struct mrg_node *const n = &w->nodes[*node];
		n->value = v;
		n->unknown = unknown;
		n->bit_len = item->bits;
		note_number(f, item, index, n);
	}
	f->pos += item->bits;
	plan_tell(w, item->id, v);
	return judge(f, index, v, unknown, at) && (!plan_has(item, MRG_PLAN_IS_COMPUTED) || later(f, *node));
}

PLAN_EACH bool plan_scalar(struct frame *f, uint32_t index, uint32_t *node)
{
	const struct mrg_plan_item *const item = &plan_of(f->w)->items[index];
	if (!plan_is_there(f, (f->pos % 8 + item->bits + 7) / 8))
		return plan_refuse(f->w, MRG_MORE, f->pos, index, "cut");
	return plan_scalar_here(f, index, f->pos % 8, node);
}

/* ---- varints ---- */

static unsigned octets_of(uint64_t v)
{
	unsigned n = 1;
	for (; v > 0xff; v >>= 8)
		n++;
	return n;
}

/* The shortest way to write it; returns bits. */
PLAN_PART unsigned plan_put_varint(
	uint8_t *out, uint64_t bit, const struct mrg_plan_varint *v, uint64_t value)
{
	const uint64_t at = bit / 8;
	unsigned n = 0;
	if (v->shape == MRG_PLAN_TAGGED) {
		unsigned tag = 0;
		while (v->widths[tag] < 64 && value >> v->widths[tag] != 0)
			tag++;
		plan_store(out, bit, v->tag_bits, true, tag);
		plan_store(out, bit + v->tag_bits, v->widths[tag], true, value);
		return v->tag_bits + v->widths[tag];
	}
	if (v->shape == MRG_PLAN_SHORT) {
		if (value < 0x80) {
			out[at] = (uint8_t)value;
			return 8;
		}
		n = octets_of(value);
		out[at] = (uint8_t)(0x80 | n);
		plan_store(out, bit + 8, 8 * n, true, value);
		return 8 + 8 * n;
	}
	unsigned bits = 0;
	if (v->shape == MRG_PLAN_PREFIX) {
		const uint64_t full = (UINT64_C(1) << v->prefix_bits) - 1;
		bits = v->prefix_bits;
		plan_store(out, bit, bits, true, value < full ? value : full);
		if (value < full)
			return bits;
		value -= full;
	}
	const uint64_t first = (bit + bits) / 8;
	unsigned groups = 1;
	for (uint64_t rest = value >> 7; rest != 0; rest >>= 7)
		groups++;
	for (unsigned i = 0; i < groups; i++) {
		const unsigned shift = 7 * (v->little ? i : groups - 1 - i);
		out[first + i] = (uint8_t)((value >> shift & 0x7f) | (i + 1 < groups ? 0x80u : 0));
	}
	return bits + 8 * groups;
}

enum { VARINT_ROOM = 16 /* octets that a maker needs: more than any varint has */ };

/* What is read of a varint. */
struct varint {
	uint64_t value, end; /* end: where it ends, bits */
	bool longer;         /* than need be */
	bool wide;           /* its number is of more than 64 bits */
};

static enum mrg_status groups_of(
	const struct frame *f, const struct mrg_plan_varint *v, uint64_t at, struct varint *out)
{
	unsigned __int128 sum = 0; /* of ten groups at most */
	unsigned n = 0;
	uint8_t octet, first = 0;
	do {
		if (n == v->max_bytes)
			return MRG_E_RANGE;
		if (at >= f->limit)
			return MRG_MORE;
		octet = f->data[at++];
		if (n == 0)
			first = octet & 0x7f;
		if (v->little)
			sum |= (unsigned __int128)(octet & 0x7f) << 7 * n;
		else
			sum = sum << 7 | (octet & 0x7f);
		n++;
	} while (octet >= 0x80);
	out->longer = n > 1 && (v->little ? octet : first) == 0;
	out->wide = sum > UINT64_MAX;
	out->value = (uint64_t)sum;
	out->end = at * 8;
	return MRG_OK;
}

/* The number and its end; a status when there is none. */
static enum mrg_status read_varint(const struct frame *f, const struct mrg_plan_varint *v, struct varint *out)
{
	const uint64_t at = f->pos / 8;
	*out = (struct varint){ 0 };
	if (v->shape == MRG_PLAN_GROUPS)
		return groups_of(f, v, at, out);
	if (at >= f->limit)
		return MRG_MORE;
	if (v->shape == MRG_PLAN_TAGGED) {
		const unsigned tag = f->data[at] >> (8 - v->tag_bits), width = v->widths[tag];
		out->end = f->pos + v->tag_bits + width;
		if (at + (v->tag_bits + width) / 8 > f->limit)
			return MRG_MORE;
		out->value = plan_load(f->data, f->pos + v->tag_bits, width, true);
		for (unsigned i = 0; i < 1u << v->tag_bits; i++)
			if (v->widths[i] < width && out->value >> v->widths[i] == 0)
				out->longer = true;
		return MRG_OK;
	}
	if (v->shape == MRG_PLAN_PREFIX) {
		const uint64_t full = (UINT64_C(1) << v->prefix_bits) - 1;
		out->value = f->data[at] & full;
		out->end = (at + 1) * 8;
		if (out->value < full)
			return MRG_OK;
		const enum mrg_status status = groups_of(f, v, at + 1, out);
		out->wide = out->wide || out->value > UINT64_MAX - full;
		out->value += full;
		return status;
	}
	out->value = f->data[at];
	out->end = (at + 1) * 8;
	if (out->value < 0x80)
		return MRG_OK;
	const unsigned size = (unsigned)out->value & 0x7f;
	if (size < 1 || size > v->max_bytes)
		return MRG_E_RANGE;
	if (at + size >= f->limit)
		return MRG_MORE;
	out->value = plan_load(f->data, f->pos + 8, 8 * size, true);
	out->end += 8 * size;
	out->longer = out->value < 0x80 || f->data[at + 1] == 0;
	return MRG_OK;
}

/* Cut, too large, or longer than it need be. */
static PLAN_COLD void spoil_varint(struct frame *f, const struct mrg_plan_varint *v)
{
	struct mrg_walk *const w = f->w;
	const uint64_t at = f->pos / 8;
	w->aims.went_wrong = true;
	if (plan_aims(w)->aim_at == 1) {
		plan_cut_here(f, 1);
		return;
	}
	plan_draw_octets(w, w->out + at, VARINT_ROOM, VARINT_ROOM);
	const bool large = plan_aims(w)->aim_at == 0,
		   endless = large && (w->out[at] & 1) != 0; /* or of too many bits, perhaps */
	switch (v->shape) {
	case MRG_PLAN_SHORT:
		w->out[at] = (uint8_t)(large ? 0xff : 0x81 + mrg_rng_below(w->rng, v->max_bytes));
		w->out[at + 1] = 0;
		return;
	case MRG_PLAN_TAGGED:
		plan_store(w->out, f->pos, v->tag_bits + (large ? 0u : 8u), true,
			UINT64_C(0) - 1 - (large ? 0 : 0xff));
		return;
	default: break;
	}
	for (unsigned i = 0; i < (endless ? VARINT_ROOM : 8); i++)
		w->out[at + i] |= 0x80;
	if (!large) {
		w->out[at] = v->little ? w->out[at] : 0x80;
		w->out[at + 1] = v->shape == MRG_PLAN_PREFIX ? 0x80 : 0;
		w->out[at + 2] = 0;
	}
}

PLAN_EACH bool plan_varint(struct frame *f, uint32_t index, uint32_t *node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	const struct mrg_plan_varint *const v = &plan_of(w)->varints[item->a];
	bool unknown = false;
	struct varint read;
	if (plan_makes(w)) {
		if (!plan_is_there(f, VARINT_ROOM))
			return plan_refuse(w, MRG_E_SPACE, f->pos, index, "no room");
		const uint64_t number = decided(f, index, &unknown);
		plan_put_varint(w->out, f->pos, v, number > v->hi ? v->hi : number);
		if (plan_aims(w)->aim == index)
			spoil_varint(f, v);
	}
	const enum mrg_status status = read_varint(f, v, &read);
	if (status != MRG_OK)
		return plan_refuse_at(f, index, status == MRG_MORE, status, f->pos, "not whole");
	if (v->minimal && read.longer && !plan_makes(w))
		return plan_refuse_at(f, index, 2, MRG_E_VALUE, f->pos, "not the shortest");
	const uint64_t at = f->pos;
	if (!plan_is_bare(item)) {
		*node = plan_begin(f, index);
		if (*node == 0)
			return false;
		w->nodes[*node].value = read.value;
		w->nodes[*node].unknown = unknown;
		plan_end_at(f, *node, read.end);
		note_number(f, item, index, &w->nodes[*node]);
	}
	f->pos = read.end;
	plan_tell(w, item->id, read.value);
	if ((read.wide || read.value > v->hi) && !plan_makes(w))
		return plan_refuse_at(f, index, 0, MRG_E_RANGE, at, "too large");
	return !plan_has(item, MRG_PLAN_IS_COMPUTED) || later(f, *node);
}
