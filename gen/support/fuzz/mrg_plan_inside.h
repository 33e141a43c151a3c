/*
 * mrg_plan_inside.h - what the parts of the walker share.
 */
#ifndef MRG_PLAN_INSIDE_H
#define MRG_PLAN_INSIDE_H

#include "mrg_plan.h"

enum { PARAMS_MAX = 4 };

/* Octets of the message from its first on: all buffers are parts of it. */
struct stretch {
	uint32_t start, end;
};

/* One packet that is being walked. */
struct frame {
	struct mrg_walk *w;
	const struct mrg_plan_packet *p;
	const struct frame *up; /* the packet that it is an item of, and which one */
	uint32_t up_slot;
	uint64_t args[PARAMS_MAX];
	uint32_t unknown_args; /* a bit each */
	struct stretch buffers[PARAMS_MAX];
	const uint8_t *data;
	uint32_t start, end, limit; /* octets; limit: of the innermost region */
	bool limit_known, big;
	uint64_t pos; /* bits */
	uint32_t node, slots;
	uint32_t computed_at; /* numbers to be computed at its end: nodes, w->computed[computed_at] and on */
	uint32_t holder;                             /* node of the computed number at hand */
	uint32_t forced_slot;                        /* its number is not for anybody to decide */
	uint64_t forced;
};

/* A point of the packet at hand, in w->reached. */
static inline size_t plan_point(const struct frame *f, uint32_t point)
{
	return f->w->ranks[point - f->p->point + f->w->offsets[f->p - f->w->plan->packets]];
}

static inline void plan_reach(const struct frame *f, uint32_t point)
{
	struct mrg_walk *const w = f->w;
	if (w->making || w->reached == NULL)
		return;
	const size_t at = plan_point(f, point);
	if (!w->postpones)
		w->reached[at] = 1;
	else if (!w->reached[at] && w->postponed_n < sizeof w->postponed / sizeof w->postponed[0])
		w->postponed[w->postponed_n++] = at;
}

static inline bool plan_has(const struct mrg_plan_item *item, unsigned flag) { return (item->flags & flag) != 0; }

static inline bool plan_is_there(const struct frame *f, uint64_t octets) { return f->limit - f->pos / 8 >= octets; }

/* Whether this item is to come to its point `which` now. */
static inline bool plan_is_aim(const struct frame *f, uint32_t index, uint32_t which)
{
	return f->w->making && f->w->aim == index && f->w->aim_at == which;
}

/* ---- what is common: mrg_plan_walk.c.  false: the message is refused, or can't be made ---- */

bool plan_refuse(struct mrg_walk *w, enum mrg_status status, uint64_t bit_off, uint32_t where, const char *what);
/* A refusal is a point of the item, too. */
bool plan_refuse_at(struct frame *f, uint32_t index, uint32_t point, enum mrg_status status, uint64_t bit_off, const char *what);
/* A node for an item at the position; 0: there is no room for more. */
uint32_t plan_begin(struct frame *f, uint32_t index);
void plan_adopt(struct mrg_walk *w, uint32_t parent, uint32_t child);
void plan_end_at(struct frame *f, uint32_t node, uint64_t pos);
/* On purpose: the message, or a length around, ends here or up to so many octets behind; octets that do not belong here. */
bool plan_cut_here(struct frame *f, uint64_t octets);
void plan_put_more(struct frame *f);
struct frame plan_inside(struct frame *f, const struct mrg_plan_packet *p, uint32_t at, uint32_t end);
bool plan_packet(struct frame *f, uint32_t *node);
/* Read one item; *node stays 0 when it leaves none. */
bool plan_item(struct frame *f, uint32_t index, uint32_t *node);
/* Puts a number right that says how long an item is, by way of more than itself. */
bool plan_solve(struct frame *f, uint32_t index, uint32_t node);
bool plan_matches(const struct mrg_walk *w, const struct mrg_plan_arm *arm, uint64_t value);
/* The first arm for a value; item->n: there is none. */
uint32_t plan_arm_for(const struct mrg_walk *w, const struct mrg_plan_item *item, uint64_t value);

/* ---- items: mrg_plan_numbers.c, mrg_plan_lists.c ---- */

bool plan_scalar(struct frame *f, uint32_t index, uint32_t *node);
bool plan_varint(struct frame *f, uint32_t index, uint32_t *node);
bool plan_octets(struct frame *f, uint32_t index, uint32_t *node);
bool plan_align(struct frame *f, uint32_t index, uint32_t *node);
bool plan_list(struct frame *f, uint32_t index, uint32_t *node);
bool plan_chain(struct frame *f, uint32_t index, uint32_t *node);
/* A computed number that is not what it must be. */
bool plan_differs(struct frame *f, uint32_t index, uint32_t point, enum mrg_status status, uint64_t at, const char *what);
bool plan_is_member(const struct mrg_walk *w, const struct mrg_plan_item *item, uint64_t value);
/* The shortest way to write a number; returns bits. */
unsigned plan_put_varint(uint8_t *out, uint64_t bit, const struct mrg_plan_varint *v, uint64_t value);

/* ---- values: mrg_plan_eval.c ---- */

uint64_t plan_load(const uint8_t *data, uint64_t bit, unsigned bits, bool big);
void plan_store(uint8_t *data, uint64_t bit, unsigned bits, bool big, uint64_t value);
bool plan_is_big(const struct frame *f, unsigned endian);
/* The value of an expression.  false: nobody knows yet, which only a maker meets. */
bool plan_value(const struct frame *f, uint32_t e, uint64_t *value);
/* The node that holds the content of one: through regions and arms. */
const struct mrg_node *plan_inner(const struct mrg_walk *w, const struct mrg_node *n);
/* 0: there is none. */
uint32_t plan_find(const struct frame *f, const uint32_t *path, uint32_t len);

/* ---- decisions: mrg_plan_choose.c ---- */

struct group {
	size_t mine, old_end, old_at;
};

/* What was decided of an item before, if it is next; it is used up. */
const struct mrg_choice *plan_take(struct mrg_walk *w, uint32_t item);
/* The same of a group, whose parts come next until plan_leave; *was is NULL when it is to be decided anew. */
struct group plan_enter(struct mrg_walk *w, uint32_t item, const struct mrg_choice **was);
void plan_leave(struct mrg_walk *w, struct group g, uint64_t value);
void plan_note(struct mrg_walk *w, uint32_t item, uint64_t value, uint32_t at);

/* Whether what w->aim wants reached may be in an item, or behind an arm. */
bool plan_leads(const struct mrg_walk *w, uint32_t item);
bool plan_arm_leads(const struct mrg_walk *w, const struct mrg_plan_arm *arm);

uint64_t plan_draw_number(const struct mrg_walk *w, const struct mrg_plan_item *item);
uint32_t plan_draw_size(struct mrg_walk *w, uint64_t most);
uint32_t plan_draw_count(struct mrg_walk *w, const struct mrg_plan_item *item);
uint32_t plan_draw_arm(const struct frame *f, const struct mrg_plan_item *item);
void plan_draw_octets(struct mrg_walk *w, uint8_t *out, size_t len);

#endif
