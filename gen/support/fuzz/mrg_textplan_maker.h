/*
 * mrg_textplan_maker.h - what is made for the nodes of a rule.
 *
 * Included by mrg_textplan_make.c, which goes by the tables of any rule; and by generated files (gen/mrg/emit/text_code.py), where each node of
 * a rule is a function, of which a compiler knows the tables.
 */
#ifndef MRG_TEXTPLAN_MAKER_H
#define MRG_TEXTPLAN_MAKER_H

#include "mrg_textplan.h"

enum {
	MRG_TEXT_SHORT = 160, /* octets of a text behind which repetitions end as soon as they may */
	MRG_TEXT_LARGE = 64   /* repetitions of more times are seldom taken to the end */
};

struct mrg_text_maker {
	const struct mrg_text *t;
	struct mrg_rng *rng;
	uint8_t *out;
	size_t len, cap;
	unsigned over; /* the repetition that is taken too often, or MRG_TEXT_NONE */
	bool lengthy;  /* longer than texts may be */
	bool wrong;    /* one octet is to be none of its class, though next to it */
	bool aims;     /* there are points that were not reached yet */
};

static inline unsigned mrg_text_below(struct mrg_text_maker *m, unsigned n)
{
	return (unsigned)mrg_rng_below(m->rng, n);
}

static inline bool mrg_text_one_in(struct mrg_text_maker *m, unsigned n)
{
	return mrg_rng_below(m->rng, n) == 0;
}

static inline bool mrg_text_is_new(const struct mrg_text_maker *m, unsigned point)
{
	return point != MRG_TEXT_NONE && m->t->reached[point] == 0;
}

/* --- octets ------------------------------------------------------------------------------------------- */

MRG_TEXT_EACH void mrg_text_put_text(
	struct mrg_text_maker *m, const struct mrg_text_plan *plan, unsigned node)
{
	const struct mrg_text_node *const n = &plan->nodes[node];
	const uint8_t *const text = plan->data + n->a;
	const size_t left = m->cap - m->len, len = n->b < left ? n->b : left;
	uint8_t *const out = m->out + m->len;
	for (size_t i = 0; i < len; i++) {
		const uint8_t low = text[i] | 0x20u;
		const bool turned = n->code != 0 && low >= 'a' && low <= 'z' && mrg_text_one_in(m, 4);
		out[i] = turned ? text[i] ^ 0x20u : text[i];
	}
	m->len += len;
}

/* One of a class: a letter as a rule, if there is one. */
MRG_TEXT_EACH uint8_t mrg_text_octet(
	const struct mrg_text_plan *plan, const struct mrg_text_set *set, uint64_t by)
{
	const uint8_t letter = (uint8_t)('a' + ((by >> 8 & 0xffu) * 26 >> 8)),
		      any = plan->members[set->members + ((by >> 16 & 0xffffu) * set->count >> 16)];
	return (by & 3u) == 0 || !mrg_text_in(set, letter) ? any : letter;
}

/* The next octet up or down from one of a class that is not of it; the same if all are. */
MRG_TEXT_RARE uint8_t mrg_text_beside(struct mrg_text_maker *m, const struct mrg_text_set *set, uint8_t octet)
{
	const int step = mrg_text_one_in(m, 2) ? 1 : -1;
	for (unsigned i = 0; i < 256 && mrg_text_in(set, octet); i++)
		octet = (uint8_t)(octet + step);
	return octet;
}

/* So many octets of the class that a node is. */
MRG_TEXT_EACH void mrg_text_put_octets(
	struct mrg_text_maker *m, const struct mrg_text_plan *plan, unsigned node, size_t times)
{
	const struct mrg_text_set *const set = &plan->sets[plan->nodes[node].a];
	const size_t left = m->cap - m->len, len = times < left ? times : left;
	uint8_t *const out = m->out + m->len;
	struct mrg_rng rng = *m->rng;
	for (size_t i = 0; i < len; i++)
		out[i] = mrg_text_octet(plan, set, mrg_rng_next(&rng));
	*m->rng = rng;
	m->len += len;
	if (m->wrong && len != 0 && mrg_text_one_in(m, 2)) {
		uint8_t *const one = out + mrg_rng_below(m->rng, len);
		*one = mrg_text_beside(m, set, *one);
		m->wrong = false;
	}
}

/* --- how often ---------------------------------------------------------------------------------------- */

MRG_TEXT_EACH uint32_t mrg_text_within(const struct mrg_text_node *n, uint32_t times)
{
	return times < n->a ? n->a : times > n->b ? n->b : times;
}

/* A number of times that was not there yet; UINT32_MAX: there is none. */
MRG_TEXT_RARE uint32_t mrg_text_new_times(struct mrg_text_maker *m, const struct mrg_text_node *n)
{
	const unsigned from = mrg_text_below(m, MRG_TEXT_TOO_OFTEN);
	for (unsigned k = 0; k < MRG_TEXT_TOO_OFTEN; k++) {
		const unsigned i = (from + k) % MRG_TEXT_TOO_OFTEN;
		if (mrg_text_is_new(m, n->point[i]) &&
			(i != MRG_TEXT_ALL_TIMES || n->b <= MRG_TEXT_LARGE || mrg_text_one_in(m, 8)))
			return mrg_text_within(n, i == MRG_TEXT_ALL_TIMES ? n->b
						  : i == MRG_TEXT_SEVERAL ? 2 + mrg_text_below(m, 3)
									  : i);
	}
	return UINT32_MAX;
}

MRG_TEXT_EACH uint32_t mrg_text_times_within(
	struct mrg_text_maker *m, const struct mrg_text_node *n, bool octets)
{
	if (n->a == n->b)
		return n->a;
	if (m->lengthy && n->b == MRG_TEXT_UNBOUNDED && octets && mrg_text_one_in(m, 4))
		return (uint32_t)(m->cap - m->len);
	if (m->aims && mrg_text_one_in(m, 2)) {
		const uint32_t times = mrg_text_new_times(m, n);
		if (times != UINT32_MAX)
			return times;
	}
	if (m->len > MRG_TEXT_SHORT)
		return n->a;
	const uint64_t by = mrg_rng_next(m->rng); /* few as a rule */
	const unsigned kind = by >> 32 & 15u;
	if (kind < 2)
		return mrg_text_within(n, n->a + kind);
	if (kind < 4 && n->b != MRG_TEXT_UNBOUNDED && (n->b <= MRG_TEXT_LARGE || mrg_text_one_in(m, 256)))
		return mrg_text_within(n, n->b - (kind - 2));
	const unsigned few = octets ? by >> 8 & 7u : by >> 8 & 3u,
		       more = (by & 15u) == 0 ? by >> 16 & 31u : 0;
	return mrg_text_within(n, n->a + few + more);
}

/* How often the node is repeated that is in the one with a number.  octets: it is a class. */
MRG_TEXT_EACH uint32_t mrg_text_times(
	struct mrg_text_maker *m, const struct mrg_text_plan *plan, unsigned node, bool octets)
{
	const struct mrg_text_node *const n = &plan->nodes[node];
	return node == m->over ? n->b + 1 + mrg_text_below(m, 2) : mrg_text_times_within(m, n, octets);
}

/* --- which -------------------------------------------------------------------------------------------- */

MRG_TEXT_EACH unsigned mrg_text_choice(
	struct mrg_text_maker *m, const struct mrg_text_plan *plan, unsigned node)
{
	const struct mrg_text_node *const n = &plan->nodes[node];
	const unsigned from = mrg_text_below(m, n->kid_count);
	if (!m->aims || mrg_text_one_in(m, 2))
		return from;
	for (unsigned k = 0; k < n->kid_count; k++)
		if (mrg_text_is_new(m, n->point[0] + (from + k) % n->kid_count))
			return (from + k) % n->kid_count;
	return from;
}

#endif
