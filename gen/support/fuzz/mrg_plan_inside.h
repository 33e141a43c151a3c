/*
 * mrg_plan_inside.h - what the parts of the walker share.
 */
#ifndef MRG_PLAN_INSIDE_H
#define MRG_PLAN_INSIDE_H

#include "mrg_plan.h"

enum { PARAMS_MAX = 4 };

/*
 * The walker's parts are compiled as one: mrg_plan_make.c, which goes by any tables and does all; and twice for the tables of a module, in
 * generated files (gen/mrg/emit/plan_code.py), where PLAN_MAKES says whether they only make or only read.  There each item, packet and
 * expression is a function of its own, made of the same parts, in which a compiler knows the row and leaves out what others need; and nobody
 * asks for decisions.
 */
#ifdef PLAN_MAKES
static inline bool plan_makes(const struct mrg_walk *w)
{
	(void)w;
	return PLAN_MAKES;
}
static inline struct mrg_choices *plan_made(const struct mrg_walk *w)
{
	(void)w;
	return NULL;
}
static inline const struct mrg_plan *plan_of(const struct mrg_walk *w)
{
	(void)w;
	return &plan_tables;
}
static const struct mrg_plan_aims plan_no_aims = MRG_PLAN_NO_AIMS;
static inline const struct mrg_plan_aims *plan_aims(const struct mrg_walk *w)
{
	(void)w;
	return &plan_no_aims;
}
#define PLAN_ALWAYS __attribute__((always_inline))
#define PLAN_EACH static inline PLAN_ALWAYS /* once for each row */
#define PLAN_SMALL static inline PLAN_ALWAYS /* less than a call of it */
#define PLAN_PART static
#define PLAN_COLD __attribute__((noinline))
#define PLAN_RARE static PLAN_COLD
#else
static inline bool plan_makes(const struct mrg_walk *w) { return w->making; }
static inline struct mrg_choices *plan_made(const struct mrg_walk *w) { return w->made; }
static inline const struct mrg_plan *plan_of(const struct mrg_walk *w) { return w->plan; }
static inline const struct mrg_plan_aims *plan_aims(const struct mrg_walk *w) { return &w->aims; }
#ifndef PLAN_PART
#define PLAN_PART
#endif
#define PLAN_ALWAYS
#define PLAN_COLD
#define PLAN_EACH PLAN_PART
#define PLAN_SMALL static inline
#define PLAN_RARE PLAN_PART
#endif

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
	const uint32_t *ranks; /* of its first point and on, where in w->reached it is */
	const uint8_t *data;
	uint32_t start, end, limit; /* octets; limit: of the innermost region */
	bool limit_known, big;
	uint64_t pos; /* bits */
	uint32_t node, slots;
	uint32_t computed_at; /* numbers to be computed at its end: nodes, w->computed[computed_at] and on */
	uint32_t doubts_at;   /* likewise what is to be confirmed there */
	uint32_t holder;                             /* node of the computed number at hand */
	uint32_t forced_slot;                        /* its number is not for anybody to decide */
	uint64_t forced;
};

/* A point of the packet at hand, in w->reached. */
static inline size_t plan_point(const struct frame *f, uint32_t point)
{
	return f->ranks[point - f->p->point];
}

/* A point that nobody has reached. */
PLAN_RARE void plan_reach_first(struct mrg_walk *w, size_t at);
static inline void plan_reach(const struct frame *f, uint32_t point)
{
	const struct mrg_walk *const w = f->w;
	if (!plan_makes(w) && w->reached != NULL && !w->reached[plan_point(f, point)])
		plan_reach_first(f->w, plan_point(f, point));
}

static inline bool plan_has(const struct mrg_plan_item *item, unsigned flag) { return (item->flags & flag) != 0; }

static inline bool plan_is_there(const struct frame *f, uint64_t octets) { return f->limit - f->pos / 8 >= octets; }

/* Whether this item is to come to its point `which` now. */
static inline bool plan_is_aim(const struct frame *f, uint32_t index, uint32_t which)
{
	return plan_makes(f->w) && plan_aims(f->w)->aim == index && plan_aims(f->w)->aim_at == which;
}

/* ---- what is common: mrg_plan_walk.c.  false: the message is refused, or can't be made ---- */

PLAN_RARE bool plan_refuse(struct mrg_walk *w, enum mrg_status status, uint64_t bit_off, uint32_t where, const char *what);
/* A refusal is a point of the item, too. */
PLAN_RARE bool plan_refuse_at(struct frame *f, uint32_t index, uint32_t point, enum mrg_status status, uint64_t bit_off, const char *what);
/* A node for an item at the position, known to the packet; 0: there is no room for more. */
static inline uint32_t plan_begin(struct frame *f, uint32_t index)
{
	struct mrg_walk *const w = f->w;
	if (w->node_n == MRG_NODES_MAX) {
		plan_refuse(w, MRG_E_SPACE, f->pos, index, "too many items");
		return 0;
	}
	const uint32_t at = (uint32_t)w->node_n++;
	w->nodes[at] = (struct mrg_node){ .item = index, .packet = MRG_PLAN_NONE, .bit_off = (uint32_t)f->pos };
	if (index != MRG_PLAN_NONE)
		w->slots[f->slots + plan_of(w)->items[index].slot] = at;
	return at;
}

/* Whether code does without a node of this item; who goes by any tables lists all that is in a message. */
static inline bool plan_is_bare(const struct mrg_plan_item *item)
{
#ifdef PLAN_MAKES
	return plan_has(item, MRG_PLAN_IS_UNSEEN);
#else
	(void)item;
	return false;
#endif
}

/* Whether code need not look at a check: nobody there asks for a message that breaks it. */
static inline bool plan_is_kept(const struct mrg_walk *w, const struct mrg_plan_item *item)
{
#ifdef PLAN_MAKES
	return plan_makes(w) && plan_has(item, MRG_PLAN_IS_KEPT);
#else
	(void)w;
	(void)item;
	return false;
#endif
}

static inline void plan_adopt(struct mrg_walk *w, uint32_t parent, uint32_t child)
{
	struct mrg_node *const p = &w->nodes[parent];
	*(p->first == 0 ? &p->first : &w->nodes[p->last].next) = child;
	p->last = child;
	p->child_n++;
}

static inline void plan_end_at(struct frame *f, uint32_t node, uint64_t pos)
{
	struct mrg_node *const n = &f->w->nodes[node];
	n->bit_len = (uint32_t)(pos - n->bit_off);
	f->pos = pos;
}
/* On purpose: the message, or a length around, ends here or up to so many octets behind. */
PLAN_RARE bool plan_cut_here(struct frame *f, uint64_t octets);
/* Octets that do not belong here: as many as the number can say that tells how long the item is, of which `node` is the beginning. */
PLAN_RARE void plan_put_more(struct frame *f, uint32_t index, uint32_t node);

/* ---- what a message says, told while it is read: see mrg_glue.h ---- */

PLAN_SMALL bool plan_tells(const struct mrg_walk *w) { return !plan_makes(w) && plan_made(w) == NULL; }

PLAN_SMALL void plan_tell(struct mrg_walk *w, uint32_t id, uint64_t value)
{
	if (id != 0 && plan_tells(w))
		mrg_event(&w->events, id, value);
}

/* What was told since is forgotten: nobody tells of an item without a number, nor of what is in it. */
static inline void plan_forget(struct mrg_walk *w, const struct mrg_events *before)
{
	if (!plan_tells(w))
		return;
	w->events.count = before->count;
	w->events.lost = before->lost;
}

/* The begin and the end of a packet, and all of it. */
PLAN_EACH bool plan_open(struct frame *f, const struct mrg_plan_packet *p, uint32_t *node);
PLAN_EACH bool plan_close(struct frame *f, const struct mrg_plan_packet *p, uint32_t node);
/* Read one item; *node stays 0 when it leaves none. */
PLAN_EACH bool plan_item(struct frame *f, uint32_t index, uint32_t *node);
#ifndef PLAN_MAKES
PLAN_PART bool plan_packet(struct frame *f, uint32_t *node);
PLAN_PART bool plan_items(struct frame *f, uint32_t first, uint32_t n);
#endif

/* The same of an item that stands alone, of an optional's items, and of a packet whose index is known. */
static inline bool plan_alone(struct frame *f, uint32_t index, uint32_t *node)
{
#ifdef PLAN_MAKES
	return plan_alones[index](f, node);
#else
	return plan_item(f, index, node);
#endif
}

static inline bool plan_group(struct frame *f, uint32_t index)
{
#ifdef PLAN_MAKES
	return plan_groups[index](f);
#else
	return plan_items(f, plan_of(f->w)->items[index].a, plan_of(f->w)->items[index].n);
#endif
}

static inline bool plan_packet_of(struct frame *f, uint32_t index, uint32_t *node)
{
#ifdef PLAN_MAKES
	return plan_packets[index](f, node);
#else
	(void)index;
	return plan_packet(f, node);
#endif
}

/* ---- what is known late, and then settled: mrg_plan_settle.c ---- */

/* Writes a number that is known now, of an item that may be known, too. */
PLAN_EACH bool plan_settle_item(struct frame *f, uint32_t index, uint32_t node, uint64_t value);
PLAN_PART bool plan_settle(struct frame *f, uint32_t node, uint64_t value);
/* The size of an item, unless it is what is to be cut. */
PLAN_PART uint64_t plan_cut_down(struct mrg_walk *w, uint32_t node, uint64_t size);
/* Whether there is a number that says an item from `node` to the position, or somebody else says it. */
PLAN_PART bool plan_can_be_said(struct frame *f, uint32_t index, uint32_t node);
/* A maker's item whose expression is not known yet; its value was taken to be this. */
PLAN_RARE void plan_doubt(struct frame *f, uint32_t index, uint32_t node, uint64_t pos, uint64_t value);
/* The same of an item that began at `pos` and is of so many octets or elements, unless that is where the number comes from. */
static inline void plan_doubt_size(struct frame *f, uint32_t index, uint64_t pos, uint64_t value)
{
	if (!plan_has(&plan_of(f->w)->items[index], MRG_PLAN_IS_SAID))
		plan_doubt(f, index, 0, pos, value);
}
/* What goes up to an end that is not known yet has been made up to the position; or that end is here. */
PLAN_PART void plan_rest(struct frame *f);
PLAN_PART void plan_rest_ends(struct frame *f);
/* Whether what was doubted of a packet turned out right, at its end. */
PLAN_PART bool plan_confirm(struct frame *f);
/* What a maker does not look at, who would have to. */
static inline void plan_unsure(const struct frame *f)
{
	if (plan_makes(f->w))
		f->w->unsure = true;
}

/* Puts a number right that says how long an item is, by way of more than itself. */
PLAN_PART bool plan_solve_now(struct frame *f, uint32_t index, uint32_t node);
static inline bool plan_solve(struct frame *f, uint32_t index, uint32_t node)
{
	const uint32_t field = plan_of(f->w)->items[index].field;
	return !plan_makes(f->w) || field == MRG_PLAN_NONE ||
	       !plan_has(&plan_of(f->w)->items[field], MRG_PLAN_IS_SOLVED) || plan_solve_now(f, index, node);
}
/* The first arm for a value, which of a chain is its first octet; item->n: there is none. */
PLAN_PART uint32_t plan_far_arm(const struct mrg_walk *w, const struct mrg_plan_item *item, uint64_t value);
static inline uint32_t plan_arm_for(const struct mrg_walk *w, const struct mrg_plan_item *item, uint64_t value)
{
	return value < item->map_n ? plan_of(w)->maps[item->map + value] : plan_far_arm(w, item, value);
}

/* ---- items: mrg_plan_numbers.c, mrg_plan_lists.c, mrg_plan_chains.c ---- */

PLAN_EACH bool plan_scalar(struct frame *f, uint32_t index, uint32_t *node);
/* Read a scalar whose octets are there, at a position that is so many bits into its octet. */
PLAN_EACH bool plan_scalar_here(struct frame *f, uint32_t index, unsigned in, uint32_t *node);
PLAN_EACH bool plan_varint(struct frame *f, uint32_t index, uint32_t *node);
PLAN_EACH bool plan_octets(struct frame *f, uint32_t index, uint32_t *node);
PLAN_EACH bool plan_align(struct frame *f, uint32_t index, uint32_t *node);
PLAN_EACH bool plan_list(struct frame *f, uint32_t index, uint32_t *node);
PLAN_EACH bool plan_chain(struct frame *f, uint32_t index, uint32_t *node);
/* A computed number that is not what it must be. */
PLAN_RARE bool plan_differs(struct frame *f, uint32_t index, uint32_t point, enum mrg_status status, uint64_t at, const char *what);
PLAN_PART bool plan_is_member(const struct mrg_walk *w, const struct mrg_plan_item *item, uint64_t value);
/* The shortest way to write a number; returns bits. */
PLAN_PART unsigned plan_put_varint(uint8_t *out, uint64_t bit, const struct mrg_plan_varint *v, uint64_t value);

/* ---- values: mrg_plan_eval.c ---- */

PLAN_PART uint64_t plan_load_any(const uint8_t *data, uint64_t bit, unsigned bits, bool big);
/* in: bit % 8 */
static inline PLAN_ALWAYS uint64_t plan_load_in(const uint8_t *data, uint64_t bit, unsigned in, unsigned bits, bool big)
{
	const uint8_t *const p = data + bit / 8;
	if (in + bits <= 8)
		return (unsigned)p[0] >> (8 - in - bits) & (0xffu >> (8 - bits));
	if (big && in + bits == 16)
		return ((uint64_t)p[0] << 8 | p[1]) & (0xffffu >> in);
	if (in == 0 && big && bits == 32)
		return mrg_be32(p);
	return plan_load_any(data, bit, bits, big);
}

static inline uint64_t plan_load(const uint8_t *data, uint64_t bit, unsigned bits, bool big)
{
	return plan_load_in(data, bit, bit % 8, bits, big);
}

PLAN_PART void plan_store_any(uint8_t *data, uint64_t bit, unsigned bits, bool big, uint64_t value);
/* in: bit % 8 */
static inline PLAN_ALWAYS void plan_store_in(uint8_t *data, uint64_t bit, unsigned in, unsigned bits, bool big, uint64_t value)
{
	uint8_t *const p = data + bit / 8;
	if (in + bits <= 8) {
		const unsigned shift = 8 - in - bits, mask = (0xffu >> (8 - bits)) << shift;
		p[0] = (uint8_t)((p[0] & ~mask) | ((unsigned)value << shift & mask));
	} else if (big && in + bits == 16) {
		const unsigned mask = 0xffu >> in;
		p[0] = (uint8_t)((p[0] & ~mask) | ((unsigned)(value >> 8) & mask));
		p[1] = (uint8_t)value;
	} else if (in == 0 && big && bits == 32) {
		mrg_put_be32(p, (uint32_t)value);
	} else {
		plan_store_any(data, bit, bits, big, value);
	}
}

static inline void plan_store(uint8_t *data, uint64_t bit, unsigned bits, bool big, uint64_t value)
{
	plan_store_in(data, bit, bit % 8, bits, big, value);
}

static inline bool plan_is_big(const struct frame *f, unsigned endian)
{
	return endian == MRG_PLAN_BIG || (endian == MRG_PLAN_DYN && f->big);
}

/* The value of an expression.  false: nobody knows yet, which only a maker meets. */
PLAN_EACH bool plan_value_of(const struct frame *f, const struct mrg_plan_expr *e, uint64_t *value);
static inline PLAN_ALWAYS bool plan_value(const struct frame *f, uint32_t index, uint64_t *value)
{
	const struct mrg_plan_expr *const e = &plan_of(f->w)->exprs[index];
	*value = e->value;
	if (e->op == MRG_PLAN_CONST)
		return true;
	if (e->op == MRG_PLAN_FIELD && e->n == 1) { /* most are */
		const struct mrg_walk *const w = f->w;
		const uint32_t at = w->slots[f->slots + e->b];
		const struct mrg_node *const n = &w->nodes[at];
		if (at != 0 && n->first == 0) {
			*value = n->value;
			return !n->unknown;
		}
	}
#ifdef PLAN_MAKES
	return plan_values[index](f, value); /* each has one that is no constant */
#else
	return plan_value_of(f, e, value);
#endif
}

/* The node that holds the content of one: through regions and arms. */
PLAN_PART const struct mrg_node *plan_inner(const struct mrg_walk *w, const struct mrg_node *n);
/* The node at the end of a path; 0: there is none. */
static inline PLAN_ALWAYS uint32_t plan_find(const struct frame *f, const uint32_t *path, uint32_t len)
{
	const struct mrg_walk *const w = f->w;
	uint32_t at = w->slots[f->slots + path[0]];
	for (uint32_t i = 1; i < len && at != 0; i++) {
		const struct mrg_node *n = &w->nodes[at];
		if (n->packet == MRG_PLAN_NONE)
			n = plan_inner(w, n);
		at = n->packet == MRG_PLAN_NONE ? 0 : w->slots[n->slots + path[i]];
	}
	return at;
}

/* ---- decisions: mrg_plan_choose.c ---- */

struct group {
	size_t mine, old_end, old_at;
};

/* Whether a maker has decisions of before to follow. */
PLAN_SMALL bool plan_follows(const struct mrg_walk *w) { return plan_makes(w) && w->old != NULL; }

/* What was decided of an item before, if it is next; it is used up. */
PLAN_PART const struct mrg_choice *plan_take_next(struct mrg_walk *w, uint32_t item);
static inline const struct mrg_choice *plan_take(struct mrg_walk *w, uint32_t item)
{
	return plan_follows(w) ? plan_take_next(w, item) : NULL;
}

static inline void plan_note(struct mrg_walk *w, uint32_t item, uint64_t value, uint32_t at)
{
	if (plan_made(w) == NULL || w->made->n == MRG_CHOICES_MAX)
		return;
	const size_t n = w->made->n++;
	w->made->c[n] = (struct mrg_choice){ .item = item, .end = (uint32_t)n + 1, .value = value, .at = at };
}

/* The same of a group, whose parts come next until plan_leave; *was is NULL when it is to be decided anew. */
PLAN_PART struct group plan_enter_now(struct mrg_walk *w, uint32_t item, const struct mrg_choice **was);
static inline struct group plan_enter(struct mrg_walk *w, uint32_t item, const struct mrg_choice **was)
{
	if (plan_follows(w) || plan_made(w) != NULL)
		return plan_enter_now(w, item, was);
	*was = NULL; /* there are none, and nobody asks */
	return (struct group){ .mine = MRG_CHOICES_MAX };
}

static inline void plan_leave(struct mrg_walk *w, struct group g, uint64_t value)
{
	if (plan_follows(w)) {
		w->old_at = g.old_at;
		w->old_end = g.old_end;
	}
	if (plan_made(w) != NULL && g.mine < MRG_CHOICES_MAX) {
		w->made->c[g.mine].value = value;
		w->made->c[g.mine].end = (uint32_t)w->made->n;
	}
}

/* Whether what plan_aims(w)->aim wants reached may be in an item, or behind an arm. */
PLAN_PART bool plan_leads_on(const struct mrg_walk *w, uint32_t item);
static inline bool plan_leads(const struct mrg_walk *w, uint32_t item)
{
	return plan_aims(w)->aim != MRG_PLAN_NONE && plan_leads_on(w, item);
}
PLAN_PART bool plan_arm_leads(const struct mrg_walk *w, const struct mrg_plan_arm *arm);

/* Whether more jumps of a chain than there may be are wanted. */
static inline bool plan_aims_at_jumps(const struct mrg_walk *w)
{
	return plan_makes(w) && plan_aims(w)->aim != MRG_PLAN_NONE && plan_of(w)->items[plan_aims(w)->aim].kind == MRG_PLAN_CHAIN &&
	       plan_aims(w)->aim_at == plan_of(w)->items[plan_aims(w)->aim].n + 5;
}
/* The most that any pointer of the chain allows. */
PLAN_PART uint32_t plan_jumps_max(const struct mrg_walk *w, const struct mrg_plan_item *chain);
/* The item of a packet that is in a slot. */
PLAN_PART const struct mrg_plan_item *plan_item_at(const struct mrg_walk *w, const struct mrg_plan_packet *p, uint32_t slot);
/* Octets of any value become pointers, each to the one before. */
PLAN_PART void plan_put_jumps(struct mrg_walk *w, uint32_t at, uint64_t len);

PLAN_PART uint64_t plan_draw_within(struct mrg_rng *rng, uint64_t lo, uint64_t hi);
PLAN_EACH uint64_t plan_draw_number(const struct mrg_walk *w, const struct mrg_plan_item *item);
PLAN_PART uint32_t plan_draw_size(struct mrg_walk *w, uint64_t most);
PLAN_PART uint32_t plan_draw_count(struct mrg_walk *w, const struct mrg_plan_item *item);
PLAN_PART uint32_t plan_draw_arm(const struct frame *f, const struct mrg_plan_item *item);
/* room >= len: octets from `out` on that may be written, whatever is there later. */
PLAN_PART void plan_draw_octets(struct mrg_walk *w, uint8_t *out, size_t len, size_t room);

#endif
