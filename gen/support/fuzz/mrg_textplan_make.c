/*
 * mrg_textplan_make.c - making and changing texts by the nodes of their rule.
 */
#include "mrg_textplan_maker.h"

#include <string.h>

enum {
	LONG = 512,   /* octets: what takes long to read is changed by octets as a rule */
	TO_LIMIT = 16 /* one text in so many goes over a limit */
};

/* As deep as the rule's nodes are. */
static void make_by_tables(struct mrg_text_maker *m, unsigned at)
{
	const struct mrg_text_plan *const plan = m->t->plan;
	const struct mrg_text_node *const n = &plan->nodes[at];
	const uint16_t *const kids = plan->kids + n->kids;
	switch ((enum mrg_text_node_kind)n->kind) {
	case MRG_TEXT_LIT: mrg_text_put_text(m, plan, at); return;
	case MRG_TEXT_CLASS: mrg_text_put_octets(m, plan, at, 1); return;
	case MRG_TEXT_SEQ:
	case MRG_TEXT_CAPTURE:
		for (unsigned i = 0; i < n->kid_count; i++)
			make_by_tables(m, kids[i]);
		return;
	case MRG_TEXT_ALT: make_by_tables(m, kids[mrg_text_choice(m, plan, at)]); return;
	case MRG_TEXT_REP: break;
	}
	const bool octets = plan->nodes[kids[0]].kind == MRG_TEXT_CLASS;
	uint32_t times = mrg_text_times(m, plan, at, octets);
	if (octets) {
		mrg_text_put_octets(m, plan, kids[0], times);
		return;
	}
	for (; times != 0 && m->len < m->cap; times--)
		make_by_tables(m, kids[0]);
}

static void make(struct mrg_text_maker *m, unsigned at)
{
	if (m->t->plan->make != NULL)
		m->t->plan->make(m, at);
	else
		make_by_tables(m, at);
}

/* A limit to go over: of a repetition, or of the whole text.  Those that take long are taken seldom, once they were there. */
static void choose_limit(struct mrg_text_maker *m)
{
	const struct mrg_text_plan *const plan = m->t->plan;
	const unsigned from = mrg_text_below(m, plan->node_count + 1);
	for (unsigned k = 0; k <= plan->node_count; k++) {
		const unsigned at = (from + k) % (plan->node_count + 1);
		const bool whole = at == plan->node_count;
		const struct mrg_text_node *const n = &plan->nodes[whole ? 0 : at];
		if (whole ? plan->max == MRG_TEXT_UNBOUNDED : n->kind != MRG_TEXT_REP || n->code == 0)
			continue;
		const uint32_t most = whole ? plan->max : n->b;
		if (most > MRG_TEXT_LARGE &&
			!mrg_text_is_new(m, whole ? plan->too_long : n->point[MRG_TEXT_TOO_OFTEN]) &&
			!mrg_text_one_in(m, most / 4))
			continue;
		m->lengthy = whole;
		m->over = whole ? MRG_TEXT_NONE : at;
		return;
	}
}

static struct mrg_text_maker maker(const struct mrg_text *t, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	const size_t most = cap < MRG_TEXT_LEN_MAX ? cap : MRG_TEXT_LEN_MAX;
	return (struct mrg_text_maker){ .t = t,
		.rng = rng,
		.out = out,
		.cap = most,
		.over = MRG_TEXT_NONE,
		.aims = memchr(t->reached, 0, t->plan->point_count) != NULL };
}

size_t mrg_text_make(const struct mrg_text *t, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	struct mrg_text_maker m = maker(t, rng, out, cap);
	if (mrg_text_one_in(&m, TO_LIMIT))
		choose_limit(&m);
	make(&m, t->plan->top);
	return m.len;
}

/* --- changing ------------------------------------------------------------------------------------------- */

/* Part of a text, and what stands there instead. */
struct change {
	size_t start, end;
	const uint8_t *text;
	size_t len;
};

static size_t apply(const struct change *c, const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
	size_t n = c->start < cap ? c->start : cap;
	memcpy(out, in, n);
	const size_t some = c->len < cap - n ? c->len : cap - n;
	if (some > 0)
		memcpy(out + n, c->text, some);
	n += some;
	const size_t rest = len - c->end < cap - n ? len - c->end : cap - n;
	memcpy(out + n, in + c->end, rest);
	return n + rest;
}

/* An octet by chance: half of the time one that means something to somebody. */
static uint8_t wrong_octet(struct mrg_text_maker *m)
{
	static const uint8_t some[] = { 0, 1, '\t', '\n', '\r', ' ', '"', '%', ',', ':', ';', '\\', 0x7f,
		0x80, 0xff };
	const uint64_t by = mrg_rng_next(m->rng);
	return (by & 1u) != 0 ? (uint8_t)(by >> 8) : some[(by >> 8) % sizeof some];
}

static size_t mutate_octets(
	struct mrg_text_maker *m, const uint8_t *in, size_t len, const uint8_t *other, size_t other_len)
{
	const size_t at = mrg_rng_below(m->rng, len + 1), left = len - at;
	uint8_t octet[1] = { wrong_octet(m) };
	struct change c = { at, at, octet, 1 };
	switch (mrg_text_below(m, 6)) {
	case 0: /* one octet more */ break;
	case 1: c.end += left > 0; break;
	case 2:
		if (left > 0) {
			octet[0] = (uint8_t)(in[at] ^ (1u << mrg_text_below(m, 8)));
			c.end++;
		}
		break;
	case 3:
		c.len = 0;
		c.end += left > 0 ? 1 + mrg_rng_below(m->rng, left < 8 ? left : 8) : 0;
		break;
	case 4: /* some of it again */
		c.text = in + at;
		c.len = left < 16 ? left : 16;
		break;
	default: /* the end of another one */
		c.end = len;
		c.len = other_len > 0 ? 1 + mrg_rng_below(m->rng, other_len) : 0;
		c.text = c.len > 0 ? other + (other_len - c.len) : octet;
	}
	return apply(&c, in, len, m->out, m->cap);
}

/* New text for a node, in the room. */
static void remake(struct mrg_text_maker *m, struct change *c, unsigned node)
{
	struct mrg_text_maker some = maker(m->t, m->rng, m->t->room->text, m->cap);
	some.wrong = mrg_text_one_in(m, 24);
	make(&some, node);
	c->text = some.out;
	c->len = some.len;
}

static unsigned kid(const struct mrg_text *t, unsigned node, unsigned i)
{
	return t->plan->kids[t->plan->nodes[node].kids + i];
}

/* A repetition's elements: one less, one twice, or one made anew. */
static void change_element(
	struct mrg_text_maker *m, const struct mrg_text_piece *p, const uint8_t *in, struct change *c)
{
	switch (mrg_text_below(m, 3)) {
	case 0: c->len = 0; return;
	case 1:
		c->end = c->start;
		c->text = in + p->start;
		c->len = p->end - p->start;
		return;
	default: remake(m, c, kid(m->t, p->node, 0));
	}
}

static void change_piece(
	struct mrg_text_maker *m, const struct mrg_text_piece *p, const uint8_t *in, struct change *c)
{
	const struct mrg_text *const t = m->t;
	const struct mrg_text_node *const n = &t->plan->nodes[p->node];
	*c = (struct change){ p->start, p->end, NULL, 0 };
	if (p->kind == MRG_TEXT_OP_CHOICE) {
		const bool other = n->kid_count > 1 && !mrg_text_one_in(m, 4);
		const unsigned way = other ? p->a + 1 + mrg_text_below(m, n->kid_count - 1u) : p->a;
		remake(m, c, kid(t, p->node, way % n->kid_count));
	} else if (p->kind == MRG_TEXT_OP_AGAIN) {
		change_element(m, p, in, c);
	} else if (p->kind == MRG_TEXT_OP_OPEN && p->end > p->start &&
		   t->plan->nodes[kid(t, p->node, 0)].kind == MRG_TEXT_CLASS && !mrg_text_one_in(m, 4)) {
		struct mrg_text_piece octet = *p;
		octet.start += mrg_text_below(m, p->end - p->start);
		octet.end = octet.start + 1;
		c->start = octet.start;
		c->end = octet.end;
		change_element(m, &octet, in, c);
	} else {
		remake(m, c, p->node);
	}
}

/* Text that the same node made in another text; false: it is not there. */
static bool splice(struct mrg_text_maker *m, const struct mrg_text_piece *p, const uint8_t *other,
	size_t other_len, struct change *c)
{
	const struct mrg_text_piece *pieces;
	const size_t n = mrg_text_pieces_again(m->t, other, other_len, &pieces);
	const size_t from = n > 0 ? mrg_rng_below(m->rng, n) : 0;
	for (size_t k = 0; k < n; k++) {
		const struct mrg_text_piece *const q = &pieces[(from + k) % n];
		if (q->node != p->node || (q->kind == MRG_TEXT_OP_AGAIN) != (p->kind == MRG_TEXT_OP_AGAIN))
			continue;
		*c = (struct change){ p->start, p->end, other + q->start, q->end - q->start };
		return true;
	}
	return false;
}

/* Once more, after a change that may have been the last that can be read. */
static size_t change_again(struct mrg_text_maker *m, size_t made)
{
	size_t end;
	uint8_t *const room = m->t->room->text + MRG_TEXT_LEN_MAX;
	const size_t n = made > 0 ? mrg_text_pieces(m->t, m->out, made, &end) : 0;
	if (n == 0)
		return made;
	memcpy(room, m->out, made);
	const struct mrg_text_piece p = m->t->room->pieces[mrg_rng_below(m->rng, n)];
	struct change c;
	change_piece(m, &p, room, &c);
	return apply(&c, room, made, m->out, m->cap);
}

size_t mrg_text_mutate(const struct mrg_text *t, struct mrg_rng *rng, const uint8_t *in, size_t len,
	const uint8_t *other, size_t other_len, uint8_t *out, size_t cap)
{
	struct mrg_text_maker m = maker(t, rng, out, cap);
	const struct mrg_text_piece *pieces;
	const bool cheap = mrg_rng_below(rng, 64) < (len < LONG ? 1u : 60u);
	const size_t n = cheap || len > m.cap ? 0 : mrg_text_pieces_again(t, in, len, &pieces);
	if (n == 0)
		return len == 0 ? mrg_text_make(t, rng, out, cap)
				: mutate_octets(&m, in, len, other, other_len);
	const struct mrg_text_piece p = pieces[mrg_rng_below(rng, n)];
	struct change c;
	if (!(other_len > 0 && mrg_text_one_in(&m, 4) && splice(&m, &p, other, other_len, &c)))
		change_piece(&m, &p, in, &c);
	const size_t made = apply(&c, in, len, out, m.cap);
	return mrg_text_one_in(&m, 4) ? change_again(&m, made) : made;
}
