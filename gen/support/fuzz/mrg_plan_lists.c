/* Octets, lists and chains.  See mrg_plan_inside.h. */
#include <string.h>

#include "mrg_plan_inside.h"

enum {
	WRONG_MAX = 64
}; /* elements, or octets, behind a number that is wrong and says how many: as few tell it */

/* ---- octets ---- */

static bool octets_until(struct frame *f, const struct mrg_plan_item *item, uint32_t index, uint32_t *len)
{
	const uint32_t at = (uint32_t)(f->pos / 8);
	uint32_t stop = at;
	while (stop < f->limit && f->data[stop] != item->value) {
		stop++;
		if (plan_has(item, MRG_PLAN_HAS_MAX) && stop - at > item->max && !plan_makes(f->w))
			return plan_refuse_at(f, index, 0, MRG_E_LIMIT, f->pos, "too long");
	}
	if (stop == f->limit)
		return plan_refuse_at(f, index, plan_has(item, MRG_PLAN_HAS_MAX), MRG_MORE, f->pos, "no end");
	*len = stop - at;
	return true;
}

/* A size or a count, as the number allows that is going to say it. */
static uint64_t as_said(const struct mrg_walk *w, const struct mrg_plan_item *item, uint64_t n)
{
	if (item->field == MRG_PLAN_NONE || w->plan->exprs[item->expr].op != MRG_PLAN_FIELD)
		return n;
	const struct mrg_plan_item *const said = &w->plan->items[item->field];
	return n < said->lo ? said->lo : n > said->hi ? said->hi : n;
}

static uint64_t size_by_chance(struct mrg_walk *w, const struct mrg_plan_item *item)
{
	const struct mrg_plan_item *const said =
		item->field != MRG_PLAN_NONE ? &w->plan->items[item->field] : NULL;
	const uint64_t most = plan_has(item, MRG_PLAN_HAS_MAX) ? item->max : UINT16_MAX;
	return plan_draw_size(w, most) +
	       (said != NULL && w->plan->exprs[item->expr].op == MRG_PLAN_FIELD ? said->lo : 0);
}

/* How many octets a maker writes, and what. */
static bool make_octets(struct frame *f, const struct mrg_plan_item *item, uint32_t index, uint64_t *size)
{
	struct mrg_walk *const w = f->w;
	const uint32_t at = (uint32_t)(f->pos / 8);
	const struct mrg_choice *const was = plan_take(w, index);
	uint64_t len;
	bool known = false;
	if (item->mode == MRG_PLAN_LEN)
		known = plan_value(f, item->expr, &len);
	else if (item->mode == MRG_PLAN_REST && f->limit_known) {
		len = f->limit - at;
		known = true;
	}
	if (!known)
		len = as_said(w, item, was != NULL ? was->value : size_by_chance(w, item));
	if (known && w->went_wrong && len > WRONG_MAX)
		len = WRONG_MAX;
	if (plan_has(item, MRG_PLAN_HAS_MAX) && plan_is_aim(f, index, 0)) {
		len = item->max + 1;
		w->went_wrong = true;
	}
	if (plan_has(item, MRG_PLAN_CAN_CUT) && plan_is_aim(f, index, plan_has(item, MRG_PLAN_HAS_MAX)))
		plan_cut_here(f, len);
	if (w->empty == index) {
		len = 0;
		w->went_wrong = true;
	}
	if (len > f->limit - at || (item->mode == MRG_PLAN_UNTIL && len == f->limit - at))
		return plan_refuse(w, MRG_E_SPACE, f->pos, index, "no room");
	const uint64_t kept = was == NULL ? 0 : was->value < len ? was->value : len;
	if (kept != 0)
		memcpy(w->out + at, (was->second ? w->old->second : w->old->text) + was->at, (size_t)kept);
	plan_draw_octets(w, w->out + at + kept, (size_t)(len - kept));
	if (item->mode == MRG_PLAN_UNTIL) {
		for (uint64_t i = 0; i < len; i++)
			if (w->out[at + i] == item->value)
				w->out[at + i] ^= 1;
		w->out[at + len] = (uint8_t)item->value;
	}
	*size = len;
	return true;
}

PLAN_PART bool plan_octets(struct frame *f, uint32_t index, uint32_t *node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &w->plan->items[index];
	const uint32_t at = (uint32_t)(f->pos / 8);
	uint32_t len = 0;
	uint64_t said = f->limit - at;
	if (plan_makes(w)) {
		if (!make_octets(f, item, index, &said))
			return false;
	} else if (item->mode == MRG_PLAN_LEN && !plan_value(f, item->expr, &said)) {
		return plan_refuse(w, MRG_E_SPACE, f->pos, index, "unknown");
	}
	if (item->mode == MRG_PLAN_UNTIL) {
		if (!octets_until(f, item, index, &len))
			return false;
	} else {
		if (plan_has(item, MRG_PLAN_HAS_MAX) && said > item->max && !plan_makes(w))
			return plan_refuse_at(f, index, 0, MRG_E_LIMIT, f->pos, "too long");
		if (!plan_is_there(f, said)) {
			if (plan_has(item, MRG_PLAN_CAN_CUT))
				plan_reach(f, item->point + plan_has(item, MRG_PLAN_HAS_MAX));
			return plan_refuse(w, MRG_MORE, f->pos, index, "cut");
		}
		len = (uint32_t)said;
	}
	*node = plan_begin(f, index);
	if (*node == 0)
		return false;
	w->nodes[*node].value = len;
	plan_note(w, index, len, at);
	plan_end_at(f, *node, f->pos + 8 * (uint64_t)(len + (item->mode == MRG_PLAN_UNTIL)));
	return plan_solve(f, index, *node);
}

PLAN_PART bool plan_align(struct frame *f, uint32_t index, uint32_t *node)
{
	const struct mrg_plan_item *const item = &f->w->plan->items[index];
	const uint64_t at = f->pos / 8, size = (item->value - (at - f->start) % item->value) % item->value;
	if (!plan_is_there(f, size))
		return plan_refuse_at(f, index, 0, MRG_MORE, f->pos, "padding is cut");
	if (plan_makes(f->w) && size != 0) {
		memset(f->w->out + at, 0, (size_t)size);
		if (plan_is_aim(f, index, 1)) {
			f->w->out[at] = 1;
			f->w->went_wrong = true;
		} else if (plan_is_aim(f, index, 0)) {
			plan_cut_here(f, size);
		}
	}
	for (uint64_t i = at; i < at + size && !plan_makes(f->w); i++)
		if (plan_has(item, MRG_PLAN_IS_ZERO) && f->data[i] != 0)
			return plan_refuse_at(f, index, 1, MRG_E_VALUE, i * 8, "padding is not zero");
	*node = plan_begin(f, index);
	if (*node == 0)
		return false;
	plan_end_at(f, *node, f->pos + 8 * size);
	return true;
}

/* ---- repetition ---- */

/* Points of how many elements there are: none, one, more. */
static uint32_t count_points(const struct mrg_plan_item *item)
{
	return plan_has(item, MRG_PLAN_HAS_MAX) && item->max < 2 ? 2 : 3;
}

static const struct mrg_node *key_of(
	const struct mrg_walk *w, const struct mrg_plan_item *list, uint32_t element)
{
	const struct mrg_node *n = plan_inner(w, &w->nodes[element]);
	for (uint32_t i = 0; i < list->path_len; i++) {
		if (n->packet == MRG_PLAN_NONE)
			return NULL;
		const uint32_t at = w->slots[n->slots + w->plan->lists[list->path + i]];
		if (at == 0)
			return NULL;
		n = plan_inner(w, &w->nodes[at]);
	}
	return n;
}

static int compare_octets(
	const struct frame *f, const struct mrg_node *a, const struct mrg_node *b, bool nocase)
{
	for (uint64_t i = 0; i < a->value && i < b->value; i++) {
		int x = f->data[a->bit_off / 8 + i], y = f->data[b->bit_off / 8 + i];
		if (nocase) {
			x = x >= 'A' && x <= 'Z' ? x + 32 : x;
			y = y >= 'A' && y <= 'Z' ? y + 32 : y;
		}
		if (x != y)
			return x < y ? -1 : 1;
	}
	return a->value < b->value ? -1 : a->value > b->value;
}

static int compare_keys(const struct frame *f, const struct mrg_node *a, const struct mrg_node *b)
{
	const struct mrg_plan_item *const item = &f->w->plan->items[a->item];
	if (item->kind == MRG_PLAN_BYTES)
		return compare_octets(f, a, b, plan_has(item, MRG_PLAN_IS_NOCASE));
	if (plan_has(item, MRG_PLAN_IS_SIGNED))
		return (int64_t)a->value < (int64_t)b->value ? -1 : (int64_t)a->value > (int64_t)b->value;
	return a->value < b->value ? -1 : a->value > b->value;
}

static bool keys_differ(struct frame *f, uint32_t index, uint32_t list, uint32_t element)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &w->plan->items[index];
	const uint32_t point =
		count_points(item) + plan_has(item, MRG_PLAN_HAS_MAX) + plan_has(item, MRG_PLAN_CAN_CUT);
	if (!plan_has(item, MRG_PLAN_IS_UNIQUE | MRG_PLAN_IS_RISING))
		return true;
	const struct mrg_node *const key = key_of(w, item, element);
	if (key == NULL)
		return true;
	const bool number = w->plan->items[key->item].kind != MRG_PLAN_BYTES;
	const struct mrg_node *before = NULL;
	for (uint32_t at = w->nodes[list].first; at != 0; at = w->nodes[at].next) {
		const struct mrg_node *const other = key_of(w, item, at);
		if (other == NULL)
			continue;
		before = other;
		if (plan_has(item, MRG_PLAN_IS_UNIQUE) && compare_keys(f, key, other) == 0 &&
			!(number && plan_is_member(w, item, key->value)))
			return plan_refuse_at(
				f, index, point, MRG_E_VALUE, w->nodes[element].bit_off, "a key repeats");
	}
	if (plan_has(item, MRG_PLAN_IS_RISING) && before != NULL && compare_keys(f, key, before) <= 0)
		return plan_refuse_at(
			f, index, point, MRG_E_VALUE, w->nodes[element].bit_off, "a key does not rise");
	return true;
}

/* How the list goes on. */
struct listing {
	uint64_t want; /* elements, or octets */
	bool counted;  /* want is elements: said by the message, or decided */
};

static bool another(struct frame *f, uint32_t index, uint32_t list, const struct listing *l, bool *more)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &w->plan->items[index];
	const uint32_t have = w->nodes[list].child_n;
	uint64_t value = 0;
	if (l->counted)
		*more = have < l->want;
	else if (item->mode == MRG_PLAN_OCTETS || item->mode == MRG_PLAN_REST)
		*more = f->pos / 8 < f->limit;
	else if (item->mode == MRG_PLAN_UNTIL && have == 0)
		*more = true;
	else if (!plan_value(f, item->expr, &value))
		return plan_refuse(w, MRG_E_SPACE, f->pos, index, "unknown");
	else
		*more = (value != 0) == (item->mode == MRG_PLAN_WHILE);
	if (*more && plan_has(item, MRG_PLAN_HAS_MAX) && have >= item->max && !w->went_wrong)
		return plan_refuse_at(f, index, count_points(item), MRG_E_LIMIT, f->pos, "too many elements");
	return true;
}

static bool element(struct frame *f, uint32_t index, uint32_t list)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &w->plan->items[index];
	const uint64_t start = f->pos;
	uint32_t node = 0;
	if (!plan_item(f, item->a, &node) || !keys_differ(f, index, list, node))
		return false;
	if (plan_makes(w) && item->mode == MRG_PLAN_WHILE) {
		uint64_t value;
		const uint64_t pos = f->pos;
		f->pos = start;
		w->ahead = true;
		const bool known = plan_value(f, item->expr, &value);
		w->ahead = false;
		f->pos = pos;
		if (known && value == 0)
			return plan_refuse(w, MRG_E_VALUE, start, index, "would end the list");
	}
	if (item->mode != MRG_PLAN_COUNTED && f->pos == start)
		return plan_refuse(w, MRG_E_SPACE, start, index, "an element without octets");
	plan_adopt(w, list, node);
	return true;
}

/* A maker tries more than once. */
static bool try_element(struct frame *f, uint32_t index, uint32_t list)
{
	enum { TRIES = 4 };
	struct mrg_walk *const w = f->w;
	const struct frame before = *f;
	const size_t nodes = w->node_n, slots = w->slot_n, computed = w->computed_n,
		     made = plan_made(w) != NULL ? w->made->n : 0;
	const uint32_t targets = w->target_n,
		       slot = w->slots[f->slots + w->plan->items[w->plan->items[index].a].slot];
	for (int i = 0; i < TRIES; i++) {
		if (element(f, index, list))
			return true;
		if (w->went_wrong || w->status == MRG_E_SPACE)
			return false;
		*f = before;
		w->node_n = nodes;
		w->slot_n = slots;
		w->computed_n = computed;
		w->target_n = targets;
		w->slots[f->slots + w->plan->items[w->plan->items[index].a].slot] = slot;
		if (plan_made(w) != NULL)
			w->made->n = made;
		w->old_end = w->old_at; /* what was decided before does not do */
	}
	return false;
}

/* How many chains are wanted, each of which points at the one before, when too many jumps are aimed at; else 0. */
static uint32_t chains_for_jumps(const struct mrg_walk *w)
{
	const struct mrg_plan_item *const item = w->aim != MRG_PLAN_NONE ? &w->plan->items[w->aim] : NULL;
	if (item == NULL || item->kind != MRG_PLAN_CHAIN || w->aim_at != item->n + 5)
		return 0;
	uint32_t most = 0;
	for (uint32_t i = 0; i < item->n; i++)
		most = w->plan->arms[item->a + i].max_jumps > most ? w->plan->arms[item->a + i].max_jumps
								   : most;
	return most + 2;
}

static struct listing listing_of(struct frame *f, uint32_t index, const struct mrg_choice *was)
{
	const struct mrg_plan_item *const item = &f->w->plan->items[index];
	struct listing l = { .counted = item->mode == MRG_PLAN_COUNTED };
	bool known = true;
	if (item->mode == MRG_PLAN_COUNTED || item->mode == MRG_PLAN_OCTETS)
		known = plan_value(f, item->expr, &l.want);
	if (plan_makes(f->w) && f->w->went_wrong && l.want > WRONG_MAX)
		l.want = WRONG_MAX;
	if (!plan_makes(f->w) || (known && item->mode == MRG_PLAN_COUNTED) || item->mode == MRG_PLAN_UNTIL)
		return l;
	if ((item->mode == MRG_PLAN_OCTETS && known) || (item->mode == MRG_PLAN_REST && f->limit_known))
		return l;
	l.counted = true;
	l.want = was != NULL ? was->value : plan_draw_count(f->w, item);
	if (item->mode == MRG_PLAN_COUNTED)
		l.want = as_said(f->w, item, l.want);
	if (f->w->aim == index && f->w->aim_at < count_points(item))
		l.want = f->w->aim_at;
	else if (l.want == 0 && plan_leads(f->w, item->a))
		l.want = 1;
	if (chains_for_jumps(f->w) != 0 && plan_leads(f->w, item->a))
		l.want = chains_for_jumps(f->w);
	if (f->w->empty == index) {
		l.want = 0;
		f->w->went_wrong = true;
	}
	if (plan_has(item, MRG_PLAN_HAS_MAX) && plan_is_aim(f, index, count_points(item)) &&
		item->max < 4096) {
		l.want = item->max + 1;
		f->w->went_wrong = true;
	}
	return l;
}

/* A list that is to be wrong: cut, or with the last key once more. */
static void spoil_list(struct frame *f, uint32_t index, uint32_t list)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &w->plan->items[index];
	const uint32_t cut = count_points(item) + plan_has(item, MRG_PLAN_HAS_MAX);
	const struct mrg_node *const last = &w->nodes[w->nodes[list].last];
	if (plan_has(item, MRG_PLAN_CAN_CUT) && plan_is_aim(f, index, cut) &&
		f->pos > w->nodes[list].bit_off) {
		plan_cut_here(f, 1);
		w->cut_at--;
	}
	if (!plan_has(item, MRG_PLAN_IS_UNIQUE | MRG_PLAN_IS_RISING) ||
		!plan_is_aim(f, index, cut + plan_has(item, MRG_PLAN_CAN_CUT)))
		return;
	if (w->nodes[list].last == 0 || !plan_is_there(f, last->bit_len / 8))
		return;
	memcpy(w->out + f->pos / 8, w->out + last->bit_off / 8, last->bit_len / 8);
	f->pos += last->bit_len;
	w->nodes[list].child_n++;
	w->went_wrong = true;
}

PLAN_PART bool plan_list(struct frame *f, uint32_t index, uint32_t *node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &w->plan->items[index];
	const uint32_t outer = f->limit;
	const bool outer_known = f->limit_known;
	const struct mrg_choice *was;
	*node = plan_begin(f, index);
	if (*node == 0)
		return false;
	const struct group g = plan_enter(w, index, &was);
	const struct listing l = listing_of(f, index, was);
	if (item->mode == MRG_PLAN_OCTETS && !l.counted) {
		if (!plan_is_there(f, l.want)) {
			if (plan_has(item, MRG_PLAN_CAN_CUT))
				plan_reach(f,
					item->point + count_points(item) + plan_has(item, MRG_PLAN_HAS_MAX));
			return plan_refuse(w, MRG_MORE, f->pos, index, "cut");
		}
		f->limit = (uint32_t)(f->pos / 8 + l.want);
		f->limit_known = true;
	}
	for (bool more = true; more;) {
		const bool going =
			another(f, index, *node, &l, &more) &&
			(!more || (plan_makes(w) ? try_element(f, index, *node) : element(f, index, *node)));
		if (going)
			continue;
		if (plan_makes(w) && l.counted && item->mode != MRG_PLAN_COUNTED &&
			w->status != MRG_E_SPACE && !w->went_wrong)
			break; /* fewer do */
		if (w->status == MRG_MORE && item->mode == MRG_PLAN_OCTETS)
			w->status = MRG_E_SHORT;
		return false;
	}
	w->status = MRG_OK;
	if (w->aim == index && plan_makes(w))
		spoil_list(f, index, *node);
	f->limit = outer;
	f->limit_known = outer_known;
	const uint32_t count = w->nodes[*node].child_n;
	plan_reach(f, item->point + (count < 2 ? count : 2));
	plan_leave(w, g, count);
	plan_end_at(f, *node, f->pos);
	return plan_solve(f, index, *node);
}

/* ---- chains ---- */

/* One item of a chain, by an arm, at f->pos of the frame `at`. */
static bool chain_item(struct frame *f, struct frame *at, uint32_t arm_index, uint64_t forced, uint32_t *node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_arm *const arm = &w->plan->arms[arm_index];
	const struct mrg_plan_packet *const p = &w->plan->packets[arm->packet];
	at->p = p;
	at->up = NULL;
	at->start = (uint32_t)(at->pos / 8);
	at->end = at->limit;
	at->big = f->big;
	at->unknown_args = 0;
	at->forced_slot = MRG_PLAN_NONE;
	for (uint32_t i = 0; i < p->param_n && i < PARAMS_MAX; i++) {
		at->args[i] = f->args[w->plan->lists[arm->args + i]];
		at->unknown_args |= (f->unknown_args >> w->plan->lists[arm->args + i] & 1) << i;
		at->buffers[i] = f->buffers[w->plan->lists[arm->args + i]];
	}
	if (plan_makes(w) && arm->kind == MRG_PLAN_GOTO) {
		at->forced_slot = arm->at;
		at->forced = forced;
	}
	if (!plan_packet(at, node))
		return false;
	w->nodes[*node].arm = arm_index;
	return true;
}

static void target(struct mrg_walk *w, uint32_t at)
{
	if (w->target_n < sizeof w->targets / sizeof w->targets[0])
		w->targets[w->target_n++] = at;
}

static uint32_t arm_of_kind(const struct mrg_walk *w, const struct mrg_plan_item *item, unsigned kind)
{
	uint32_t i = 0;
	while (i + 1 < item->n && w->plan->arms[item->a + i].kind != kind)
		i++;
	return i;
}

/* The arm that leads to the point that is aimed at, instead of `arm`. */
static uint32_t aimed_arm(const struct mrg_walk *w, const struct mrg_plan_item *item, uint32_t arm,
	uint64_t total, uint32_t targets, uint64_t *which)
{
	if (w->aim_at < item->n)
		return w->aim_at;
	switch (w->aim_at - item->n) {
	case 2: /* Where there is room for one octet, or for none, the one that ends it comes to just there. */
		return arm_of_kind(w, item,
			total == item->max || (total + 1 == item->max && mrg_rng_below(w->rng, 2) == 0)
				? MRG_PLAN_STOP
				: MRG_PLAN_ITEM);
	case 5:
		*which = targets != 0 ? targets - 1u : 0;
		return arm_of_kind(w, item, targets != 0 ? MRG_PLAN_GOTO : MRG_PLAN_STOP);
	case 3:
	case 4: return arm_of_kind(w, item, MRG_PLAN_GOTO);
	default: return arm;
	}
}

/* The arm that a maker takes, and for a pointer where it leads. */
static uint32_t decide_arm(struct frame *f, const struct frame *at, const struct mrg_plan_item *item,
	uint64_t total, uint32_t targets, uint64_t *to, uint64_t *which)
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
		const uint32_t first = (uint32_t)mrg_rng_below(w->rng, item->n);
		for (uint32_t i = 0; i < item->n; i++)
			if (w->plan->arms[item->a + (first + i) % item->n].kind == want)
				arm = (first + i) % item->n;
		arm = arm == MRG_PLAN_NONE ? first : arm;
	}
	if (w->aim == (uint32_t)(item - w->plan->items))
		arm = aimed_arm(w, item, arm, total, targets, which);
	for (uint32_t i = 0;
		w->aim != MRG_PLAN_NONE && w->plan->arms[item->a + arm].kind == MRG_PLAN_GOTO && i < item->n;
		i++)
		if (plan_arm_leads(w, &w->plan->arms[item->a + i]))
			arm = i;
	if (w->plan->arms[item->a + arm].kind == MRG_PLAN_GOTO) {
		if (*which >= targets)
			*which = targets != 0 ? mrg_rng_below(w->rng, targets) : 0;
		*to = targets != 0 ? w->targets[*which] : 0;
		if (w->aim == (uint32_t)(item - w->plan->items) &&
			(w->aim_at == item->n + 3 || w->aim_at == item->n + 4)) {
			/* To itself, or to where the items before it begin. */
			const uint64_t here = mrg_rng_below(w->rng, 2) == 0 ? at->pos / 8 : f->pos / 8;
			*to = w->aim_at == item->n + 3 ? UINT64_MAX : here;
			w->went_wrong = true;
		}
	}
	return arm;
}

/* A chain that is to be wrong ends here: cut, or with an item that there is not. */
static bool spoil_chain(struct frame *f, struct frame *at, uint32_t index, uint32_t node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &w->plan->items[index];
	if (plan_is_aim(f, index, item->n))
		return plan_cut_here(at, 1) && false;
	if (!plan_is_aim(f, index, item->n + 1) || !plan_is_there(at, 1))
		return false;
	uint8_t octet = (uint8_t)mrg_rng_next(w->rng);
	for (unsigned i = 0; i < 256 && plan_arm_for(w, item, octet) != item->n; i++)
		octet++;
	w->out[at->pos / 8] = octet;
	w->went_wrong = true;
	plan_end_at(f, node, at->pos + 8);
	return true;
}

static bool make_chain(struct frame *f, uint32_t index, uint32_t node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &w->plan->items[index];
	const struct mrg_choice *was;
	const uint32_t targets = w->target_n;
	struct frame at = *f;
	uint64_t total = 0;
	for (;;) {
		uint64_t to = 0, which = 0;
		const uint32_t arm = decide_arm(f, &at, item, total, targets, &to, &which);
		const struct group g = plan_enter(w, MRG_CHOICE_ARM + item->a + arm, &was);
		const uint64_t start = at.pos;
		const unsigned kind = w->plan->arms[item->a + arm].kind;
		uint32_t one = 0;
		at.limit = f->limit;
		if (spoil_chain(f, &at, index, node))
			return true;
		if (kind == MRG_PLAN_ITEM || at.pos == f->pos)
			target(w, (uint32_t)(at.pos / 8));
		if (!chain_item(f, &at, item->a + arm, to, &one))
			return false;
		plan_leave(w, g, which);
		if (!w->went_wrong && plan_arm_for(w, item, f->data[start / 8]) != arm)
			return plan_refuse(w, MRG_E_TAG, start, index, "would be read as another");
		plan_adopt(w, node, one);
		total += kind == MRG_PLAN_GOTO ? 0 : (at.pos - start) / 8;
		if (total > item->max) {
			if (!plan_is_aim(f, index, item->n + 2))
				return plan_refuse(w, MRG_E_LIMIT, start, index, "too long");
			w->went_wrong = true;
			break;
		}
		if (kind != MRG_PLAN_ITEM)
			break;
	}
	plan_end_at(f, node, at.pos);
	return true;
}

/* Where a pointer leads: only backwards, so that it ends.  RFC 9267 section 2.1 */
static bool jump(struct frame *f, uint32_t index, const struct mrg_plan_arm *arm, uint32_t node,
	struct frame *at, uint32_t *run, uint32_t jumps)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &w->plan->items[index];
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
		if (w->targets[i] == to)
			return i;
	return MRG_PLAN_NONE;
}

static bool read_chain(struct frame *f, uint32_t index, uint32_t node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &w->plan->items[index];
	struct mrg_choices *const made = w->made;
	const struct mrg_choice *was;
	struct frame at = *f;
	uint32_t run = (uint32_t)(f->pos / 8), jumps = 0;
	uint64_t total = 0, in_place = 0;
	bool done = false;
	while (!done) {
		if (at.pos / 8 >= at.limit)
			return plan_refuse_at(f, index, item->n, MRG_MORE, at.pos, "cut");
		const uint32_t i = plan_arm_for(w, item, f->data[at.pos / 8]);
		if (i == item->n)
			return plan_refuse_at(f, index, item->n + 1, MRG_E_TAG, at.pos, "no such item");
		const struct mrg_plan_arm *const arm = &w->plan->arms[item->a + i];
		const uint64_t start = at.pos;
		uint32_t one = 0;
		plan_reach(f, item->point + i);
		if (plan_made(w) != NULL && (arm->kind == MRG_PLAN_ITEM || start == f->pos))
			target(w, (uint32_t)(start / 8));
		const struct group g = plan_enter(w, MRG_CHOICE_ARM + item->a + i, &was);
		if (!chain_item(f, &at, item->a + i, 0, &one))
			return false;
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
	plan_end_at(f, node, in_place);
	return true;
}

PLAN_PART bool plan_chain(struct frame *f, uint32_t index, uint32_t *node)
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
