/* Octets and lists.  See mrg_plan_inside.h. */
#include <string.h>

#include "mrg_plan_inside.h"

/* Behind a number that is wrong and says how many there are: as few tell it, and elements may take long to make. */
enum { WRONG_OCTETS = 64, WRONG_ELEMENTS = 5 };

/* ---- octets ---- */

static inline PLAN_ALWAYS bool octets_until(
	struct frame *f, const struct mrg_plan_item *item, uint32_t index, uint32_t *len)
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
	if (item->field == MRG_PLAN_NONE || plan_of(w)->exprs[item->expr].op != MRG_PLAN_FIELD)
		return n;
	const struct mrg_plan_item *const said = &plan_of(w)->items[item->field];
	return n < said->lo ? said->lo : n > said->hi ? said->hi : n;
}

static uint64_t size_by_chance(struct mrg_walk *w, const struct mrg_plan_item *item)
{
	const struct mrg_plan_item *const said =
		item->field != MRG_PLAN_NONE ? &plan_of(w)->items[item->field] : NULL;
	const uint64_t most = plan_has(item, MRG_PLAN_HAS_MAX) ? item->max : UINT16_MAX;
	return plan_draw_size(w, most) +
	       (said != NULL && plan_of(w)->exprs[item->expr].op == MRG_PLAN_FIELD ? said->lo : 0);
}

/* So many octets that the message gets as long as is wanted, or half of those, or as many as would be without. */
static uint64_t size_to_grow(const struct frame *f, uint64_t len)
{
	const uint64_t at = f->pos / 8, need = plan_aims(f->w)->grows > at ? plan_aims(f->w)->grows - at : 0;
	const uint64_t dice = mrg_rng_below(f->w->rng, 3);
	return dice == 0 ? need : dice == 1 ? need / 2 + 1 : len;
}

/* How many octets a maker writes, and what. */
static inline PLAN_ALWAYS bool make_octets(
	struct frame *f, const struct mrg_plan_item *item, uint32_t index, uint64_t *size, bool *is_known)
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
	if (!known && plan_aims_at_jumps(w) && !plan_aims(w)->jumps_by_chains)
		len = as_said(w, item, 255);
	if (!known && plan_aims(w)->grows != 0)
		len = as_said(w, item, size_to_grow(f, len));
	if (known && plan_aims(w)->went_wrong && len > WRONG_OCTETS)
		len = WRONG_OCTETS;
	if (plan_has(item, MRG_PLAN_HAS_MAX) && plan_is_aim(f, index, 0)) {
		len = item->max + 1;
		w->aims.went_wrong = true;
	}
	if (plan_has(item, MRG_PLAN_CAN_CUT) && plan_is_aim(f, index, plan_has(item, MRG_PLAN_HAS_MAX)))
		plan_cut_here(f, len);
	if (plan_aims(w)->sized == index && !known) {
		len = plan_aims(w)->sized_by;
		w->aims.went_wrong = true;
	}
	if (w->confirms && plan_has(item, MRG_PLAN_HAS_MAX) && len > item->max)
		return plan_refuse(w, MRG_E_LIMIT, f->pos, index, "too long");
	if (len > f->limit - at || (item->mode == MRG_PLAN_UNTIL && len == f->limit - at))
		return plan_refuse(w, MRG_E_SPACE, f->pos, index, "no room");
	const uint64_t kept = was == NULL ? 0 : was->value < len ? was->value : len;
	if (kept != 0)
		memcpy(w->out + at, (was->second ? w->old->second : w->old->text) + was->at, (size_t)kept);
	plan_draw_octets(w, w->out + at + kept, (size_t)(len - kept), (size_t)(f->limit - at - kept));
	if (plan_aims_at_jumps(w) && !plan_aims(w)->jumps_by_chains)
		plan_put_jumps(w, at, len);
	if (plan_aims(w)->begins == index && 8 * len >= plan_of(w)->items[plan_aims(w)->aim].bits) {
		plan_store(w->out, f->pos, plan_of(w)->items[plan_aims(w)->aim].bits, true,
			plan_aims(w)->begins_by);
		w->aims.went_wrong = true;
	}
	if (item->mode == MRG_PLAN_UNTIL) {
		for (uint64_t i = 0; i < len; i++)
			if (w->out[at + i] == item->value)
				w->out[at + i] ^= 1;
		w->out[at + len] = (uint8_t)item->value;
	}
	*size = len;
	*is_known = known || item->mode == MRG_PLAN_UNTIL;
	return true;
}

PLAN_EACH bool plan_octets(struct frame *f, uint32_t index, uint32_t *node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	const uint32_t at = (uint32_t)(f->pos / 8);
	uint32_t len = 0;
	uint64_t said = f->limit - at;
	bool known = true;
	if (plan_makes(w)) {
		if (!make_octets(f, item, index, &said, &known))
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
	const uint64_t end = f->pos + 8 * (uint64_t)(len + (item->mode == MRG_PLAN_UNTIL));
	if (item->id != 0 && plan_tells(w))
		mrg_event_octets(&w->events, item->id, (struct mrg_span){ f->data + at, len });
	plan_note(w, index, len, at);
	const uint64_t start = f->pos;
	if (plan_is_bare(item)) {
		f->pos = end;
	} else {
		*node = plan_begin(f, index);
		if (*node == 0)
			return false;
		w->nodes[*node].value = len;
		plan_end_at(f, *node, end);
		if (!plan_solve(f, index, *node))
			return false;
	}
	if (known || !w->confirms)
		return true;
	if (item->mode == MRG_PLAN_REST)
		plan_rest(f);
	else
		plan_doubt_size(f, index, start, len);
	return true;
}

PLAN_EACH bool plan_align(struct frame *f, uint32_t index, uint32_t *node)
{
	const struct mrg_plan_item *const item = &plan_of(f->w)->items[index];
	const uint64_t at = f->pos / 8, size = (item->value - (at - f->start) % item->value) % item->value;
	if (!plan_is_there(f, size))
		return plan_refuse_at(f, index, 0, MRG_MORE, f->pos, "padding is cut");
	if (plan_makes(f->w) && size != 0) {
		memset(f->w->out + at, 0, (size_t)size);
		if (plan_is_aim(f, index, 1)) {
			f->w->out[at] = 1;
			f->w->aims.went_wrong = true;
		} else if (plan_is_aim(f, index, 0)) {
			plan_cut_here(f, size);
		}
	}
	for (uint64_t i = at; i < at + size && !plan_makes(f->w); i++)
		if (plan_has(item, MRG_PLAN_IS_ZERO) && f->data[i] != 0)
			return plan_refuse_at(f, index, 1, MRG_E_VALUE, i * 8, "padding is not zero");
	if (plan_is_bare(item)) {
		f->pos += 8 * size;
		return true;
	}
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
		const uint32_t at = w->slots[n->slots + plan_of(w)->lists[list->path + i]];
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
	const struct mrg_plan_item *const item = &plan_of(f->w)->items[a->item];
	if (item->kind == MRG_PLAN_BYTES)
		return compare_octets(f, a, b, plan_has(item, MRG_PLAN_IS_NOCASE));
	if (plan_has(item, MRG_PLAN_IS_SIGNED))
		return (int64_t)a->value < (int64_t)b->value ? -1 : (int64_t)a->value > (int64_t)b->value;
	return a->value < b->value ? -1 : a->value > b->value;
}

static bool keys_differ(struct frame *f, uint32_t index, uint32_t list, uint32_t element)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	const uint32_t point =
		count_points(item) + plan_has(item, MRG_PLAN_HAS_MAX) + plan_has(item, MRG_PLAN_CAN_CUT);
	if (!plan_has(item, MRG_PLAN_IS_UNIQUE | MRG_PLAN_IS_RISING) ||
		(plan_makes(w) && plan_aims(w)->went_wrong))
		return true;
	const struct mrg_node *const key = key_of(w, item, element);
	if (key == NULL)
		return true;
	if (key->unknown)
		plan_unsure(f);
	const bool number = plan_of(w)->items[key->item].kind != MRG_PLAN_BYTES;
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
	bool known;    /* how far it goes is what the message says; or what ends it does */
};

static inline PLAN_ALWAYS bool another(
	struct frame *f, uint32_t index, uint32_t list, const struct listing *l, bool *more)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
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
	if (*more && plan_has(item, MRG_PLAN_HAS_MAX) && have >= item->max && !plan_aims(w)->went_wrong)
		return plan_refuse_at(f, index, count_points(item), MRG_E_LIMIT, f->pos, "too many elements");
	return true;
}

static inline PLAN_ALWAYS bool element(struct frame *f, uint32_t index, uint32_t list)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	const uint64_t start = f->pos;
	uint32_t node = 0;
	if (!plan_alone(f, item->a, &node) || !keys_differ(f, index, list, node))
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
static inline PLAN_ALWAYS bool try_element(struct frame *f, uint32_t index, uint32_t list)
{
	enum { TRIES = 4 };
	struct mrg_walk *const w = f->w;
	const uint64_t pos = f->pos;
	const uint32_t limit = f->limit;
	const bool limit_known = f->limit_known, big = f->big;
	const bool rests = w->rests;
	const uint64_t rest_end = w->rest_end;
	const size_t nodes = w->node_n, slots = w->slot_n, computed = w->computed_n,
		     made = plan_made(w) != NULL ? w->made->n : 0;
	const uint32_t targets = w->target_n, doubts = w->doubt_n,
		       slot = w->slots[f->slots + plan_of(w)->items[plan_of(w)->items[index].a].slot];
	for (int i = 0; i < TRIES; i++) {
		if (element(f, index, list))
			return true;
		if (plan_aims(w)->went_wrong || w->status == MRG_E_SPACE)
			return false;
		f->pos = pos;
		f->limit = limit;
		f->limit_known = limit_known;
		f->big = big;
		w->node_n = nodes;
		w->slot_n = slots;
		w->computed_n = computed;
		w->target_n = targets;
		w->doubt_n = doubts;
		w->rests = rests;
		w->rest_end = rest_end;
		w->slots[f->slots + plan_of(w)->items[plan_of(w)->items[index].a].slot] = slot;
		if (plan_made(w) != NULL)
			w->made->n = made;
		w->old_end = w->old_at; /* what was decided before does not do */
	}
	return false;
}

/* How many chains are wanted, each of which points at the one before, when too many jumps are aimed at; else 0. */
static uint32_t chains_for_jumps(const struct mrg_walk *w)
{
	enum { WITH_OCTETS = 4 };
	if (!plan_aims_at_jumps(w))
		return 0;
	return plan_aims(w)->jumps_by_chains ? plan_jumps_max(w, &plan_of(w)->items[plan_aims(w)->aim]) + 2
					     : WITH_OCTETS;
}

static bool aims_at_many(const struct frame *f, uint32_t index)
{
	const struct mrg_plan_item *const item = &plan_of(f->w)->items[index];
	return plan_has(item, MRG_PLAN_HAS_MAX) && plan_is_aim(f, index, count_points(item)) &&
	       item->max < 4096;
}

/* Of the `at`th element of a list that is to be long, the key: those rise. */
static void give_key(struct frame *f, const struct mrg_plan_item *list, uint32_t at)
{
	const struct mrg_plan *const plan = plan_of(f->w);
	const struct mrg_plan_item *const elem = &plan->items[list->a];
	if (elem->kind != MRG_PLAN_PACKET || list->path_len != 1)
		return;
	const struct mrg_plan_packet *const p = &plan->packets[elem->a];
	for (uint32_t i = p->items; i < p->items + p->item_n; i++)
		if (plan->items[i].slot == plan->lists[list->path] &&
			plan->items[i].kind == MRG_PLAN_SCALAR) {
			f->w->aims.given = i;
			f->w->aims.given_value = plan->items[i].lo + at;
		}
}

static inline PLAN_ALWAYS struct listing listing_of(
	struct frame *f, uint32_t index, const struct mrg_choice *was)
{
	const struct mrg_plan_item *const item = &plan_of(f->w)->items[index];
	struct listing l = { .counted = item->mode == MRG_PLAN_COUNTED, .known = true };
	bool known = true;
	if (item->mode == MRG_PLAN_COUNTED || item->mode == MRG_PLAN_OCTETS)
		known = plan_value(f, item->expr, &l.want);
	if (plan_makes(f->w) && plan_aims(f->w)->went_wrong && l.want > WRONG_ELEMENTS)
		l.want = WRONG_ELEMENTS;
	if (!plan_makes(f->w) || (known && item->mode == MRG_PLAN_COUNTED) || item->mode == MRG_PLAN_UNTIL)
		return l;
	if ((item->mode == MRG_PLAN_OCTETS && known) || (item->mode == MRG_PLAN_REST && f->limit_known))
		return l;
	l.counted = true;
	l.known = false;
	l.want = was != NULL ? was->value : plan_draw_count(f->w, item);
	if (item->mode == MRG_PLAN_COUNTED)
		l.want = as_said(f->w, item, l.want);
	if (plan_aims(f->w)->aim == index && plan_aims(f->w)->aim_at < count_points(item))
		l.want = plan_aims(f->w)->aim_at;
	else if (l.want == 0 && plan_leads(f->w, item->a))
		l.want = 1;
	if (chains_for_jumps(f->w) != 0 && plan_leads(f->w, item->a))
		l.want = chains_for_jumps(f->w);
	if (plan_aims(f->w)->sized == index) {
		l.want = plan_aims(f->w)->sized_by;
		f->w->aims.went_wrong = true;
	}
	if (aims_at_many(f, index)) {
		/* Where octets say how long it is, one of them behind the last is an element too many. */
		l.want = item->max + (item->mode == MRG_PLAN_COUNTED);
		f->w->aims.went_wrong = true;
	}
	return l;
}

/* A list that is to be wrong: cut, or with the last key once more. */
static PLAN_COLD void spoil_list(struct frame *f, uint32_t index, uint32_t list)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	const uint32_t cut = count_points(item) + plan_has(item, MRG_PLAN_HAS_MAX);
	const struct mrg_node *const last = &w->nodes[w->nodes[list].last];
	if (aims_at_many(f, index) && item->mode != MRG_PLAN_COUNTED)
		plan_put_more(f, item->field != MRG_PLAN_NONE ? index : MRG_PLAN_NONE, list);
	if (plan_has(item, MRG_PLAN_CAN_CUT) && plan_is_aim(f, index, cut) &&
		f->pos > w->nodes[list].bit_off) {
		plan_cut_here(f, 1);
		w->aims.cut_at--;
	}
	if (!plan_has(item, MRG_PLAN_IS_UNIQUE | MRG_PLAN_IS_RISING) ||
		!plan_is_aim(f, index, cut + plan_has(item, MRG_PLAN_CAN_CUT)))
		return;
	if (w->nodes[list].last == 0 || !plan_is_there(f, last->bit_len / 8))
		return;
	memcpy(w->out + f->pos / 8, w->out + last->bit_off / 8, last->bit_len / 8);
	f->pos += last->bit_len;
	w->nodes[list].child_n++;
	w->aims.went_wrong = true;
}

PLAN_EACH bool plan_list(struct frame *f, uint32_t index, uint32_t *node)
{
	struct mrg_walk *const w = f->w;
	const struct mrg_plan_item *const item = &plan_of(w)->items[index];
	const uint32_t outer = f->limit;
	const bool outer_known = f->limit_known;
	const struct mrg_events before = w->events;
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
	const bool keyed = plan_has(item, MRG_PLAN_IS_UNIQUE | MRG_PLAN_IS_RISING) && aims_at_many(f, index);
	for (bool more = true; more;) {
		if (keyed)
			give_key(f, item, w->nodes[*node].child_n);
		const bool going =
			another(f, index, *node, &l, &more) &&
			(!more || (plan_makes(w) ? try_element(f, index, *node) : element(f, index, *node)));
		if (going)
			continue;
		if (plan_makes(w) && l.counted && item->mode != MRG_PLAN_COUNTED &&
			w->status != MRG_E_SPACE && !plan_aims(w)->went_wrong)
			break; /* fewer do */
		if (w->status == MRG_MORE && item->mode == MRG_PLAN_OCTETS)
			w->status = MRG_E_SHORT;
		return false;
	}
	w->status = MRG_OK;
	if (keyed)
		w->aims.given = MRG_PLAN_NONE;
	if (plan_aims(w)->aim == index && plan_makes(w))
		spoil_list(f, index, *node);
	f->limit = outer;
	f->limit_known = outer_known;
	const uint32_t count = w->nodes[*node].child_n;
	const uint64_t start = w->nodes[*node].bit_off;
	plan_tell(w, item->id, count);
	if (item->id == 0)
		plan_forget(w, &before);
	plan_reach(f, item->point + (count < 2 ? count : 2));
	plan_leave(w, g, count);
	plan_end_at(f, *node, f->pos);
	if (!plan_solve(f, index, *node))
		return false;
	if (!plan_makes(w) || !w->confirms || l.known)
		return true;
	switch (item->mode) {
	case MRG_PLAN_COUNTED: plan_doubt_size(f, index, start, count); break;
	case MRG_PLAN_REST: plan_rest(f); break;
	case MRG_PLAN_OCTETS:
		plan_rest_ends(f);
		plan_doubt_size(f, index, start, (f->pos - start) / 8);
		break;
	default: plan_unsure(f); break;
	}
	return true;
}
