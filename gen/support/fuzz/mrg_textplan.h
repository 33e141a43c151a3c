/*
 * mrg_textplan.h - texts by the rules of a grammar, from tables: read, made, and changed.
 *
 * What reads here is no automaton: it follows a rule's nodes, one way after the other, as the specification has them (the best way
 * first), and remembers where it has been.  So it can be held against the generated readers, with which it shares nothing.
 *
 * Use:
 *	static struct mrg_text_room room;
 *	const struct mrg_text t = { &request_plan, &room, reached };
 *	struct mrg_text_found found;
 *	mrg_text_read(&t, in, len, &found);
 *
 * Room is needed for one call; texts of one thread can share it.  Nothing is allocated.
 */
#ifndef MRG_TEXTPLAN_H
#define MRG_TEXTPLAN_H

#include "mrg_fuzz.h"

#define MRG_TEXT_NONE 0xffffu
#define MRG_TEXT_UNBOUNDED UINT32_MAX

/* --- tables, made by gen/mrg/emit/text_tables.py ------------------------------------------------ */

enum mrg_text_kind { MRG_TEXT_MESSAGE, MRG_TEXT_VALUE, MRG_TEXT_MATCH, MRG_TEXT_TOKEN };

enum mrg_text_node_kind { MRG_TEXT_LIT, MRG_TEXT_CLASS, MRG_TEXT_SEQ, MRG_TEXT_ALT, MRG_TEXT_REP, MRG_TEXT_CAPTURE };

/* How often a repetition was taken. */
enum { MRG_TEXT_NO_TIME, MRG_TEXT_ONCE, MRG_TEXT_SEVERAL, MRG_TEXT_ALL_TIMES, MRG_TEXT_TOO_OFTEN, MRG_TEXT_TIMES };

struct mrg_text_node {
	uint8_t kind;
	uint16_t kids, kid_count; /* in the plan's kids */
	uint32_t a;               /* text: where it begins; class: its set; repetition: least; capture: which */
	uint32_t b;               /* text: its length; repetition: most */
	uint32_t code;            /* text: 1: case does not matter; repetition: of the rejection, 0: there is none */
	uint16_t point[MRG_TEXT_TIMES]; /* choice: that of its first way, the others follow; repetition: by times */
};

enum mrg_text_op_kind {
	MRG_TEXT_OP_DONE,
	MRG_TEXT_OP_TEXT,    /* data[a], b octets; its highest bit: case does not matter */
	MRG_TEXT_OP_OCTET,   /* one of the set */
	MRG_TEXT_OP_OCTETS,  /* all of the set; a: which run */
	MRG_TEXT_OP_COUNTED, /* the same, counted: at most a, else code b */
	MRG_TEXT_OP_SPLIT,   /* one of b ways from a on; `to`: which memory */
	MRG_TEXT_OP_RESET,   /* nothing counted */
	MRG_TEXT_OP_COUNT,   /* one more, at most a, else code b if an octet of the set comes */
	MRG_TEXT_OP_START,   /* capture a */
	MRG_TEXT_OP_END,
	MRG_TEXT_OP_CHOICE, /* way a of the node is taken */
	MRG_TEXT_OP_CHOSEN,
	MRG_TEXT_OP_OPEN, /* a repetition */
	MRG_TEXT_OP_AGAIN,
	MRG_TEXT_OP_CLOSE
};

struct mrg_text_op {
	uint8_t kind, depth; /* depth: which count */
	uint16_t node, to, set; /* set, of a split: octets that are taken one by one and lead back to it, the only way there is; NONE */
	uint32_t a, b;
};

/* A way on: the octets that it can begin with, the instruction, whether the text may end. */
struct mrg_text_way {
	uint16_t set, to;
	bool ends;
};

struct mrg_text_set {
	uint32_t bits[8];
	uint16_t members, count; /* of a class: in the plan's members; others have none */
};

/* Of what is done for a rule's instructions and nodes. */
#define MRG_TEXT_EACH static inline __attribute__((always_inline, unused)) /* once for each of them */
#define MRG_TEXT_RARE static __attribute__((noinline, unused))

struct mrg_text_walk;
struct mrg_text_maker;
#ifdef MRG_PLAN_CODE
#define MRG_TEXT_CODE(code) code
#else
#define MRG_TEXT_CODE(code) NULL
#endif

struct mrg_text_plan {
	const char *name;
	enum mrg_text_kind kind;
	const struct mrg_text_node *nodes;
	const uint16_t *kids;
	const struct mrg_text_op *ops;
	const uint16_t *calm; /* of each instruction: itself, or the first behind it that is no sign, CHOICE to CLOSE */
	const struct mrg_text_way *ways;
	const struct mrg_text_set *sets;
	const uint64_t *kinds; /* of each octet: the sets that it is in, a bit each; NULL: there are too many */
	const uint8_t *data, *members;
	const char *const *points;
	const char *const *captures;
	unsigned node_count, point_count, capture_count, top, start, memos, runs;
	uint32_t max, code; /* octets of a text, and of the rejection when there are more */
	unsigned accepted, refused, incomplete, too_long; /* points, or MRG_TEXT_NONE */
	bool (*walk)(struct mrg_text_walk *w);     /* the instructions as code, but for signs; NULL: there is none */
	bool (*walk_all)(struct mrg_text_walk *w); /* the same with signs, all of which are noted */
	void (*make)(struct mrg_text_maker *m, unsigned node); /* the nodes as code; NULL: there is none */
};

static inline bool mrg_text_in(const struct mrg_text_set *set, uint8_t octet)
{
	return (set->bits[octet >> 5] >> (octet & 31u) & 1u) != 0;
}

/* Whether an octet is in the set with a number. */
static inline bool mrg_text_is(const struct mrg_text_plan *plan, unsigned set, uint8_t octet)
{
	if (plan->kinds != NULL)
		return (plan->kinds[octet] >> set & 1u) != 0;
	return mrg_text_in(&plan->sets[set], octet);
}

/* --- reading -------------------------------------------------------------------------------------- */

enum {
	MRG_TEXT_LEN_MAX = 1 << 17, /* octets of a text */
	MRG_TEXT_DEPTH = 4,         /* counts within each other */
	MRG_TEXT_FRAMES = 1 << 17,  /* ways not yet tried */
	MRG_TEXT_NOTES = 1 << 18,   /* of what was passed */
	MRG_TEXT_PARTS = 1 << 15,   /* captures */
	MRG_TEXT_MEMORY = 1 << 22,  /* bits: places where was tried what */
	MRG_TEXT_RUNS = 256
};

enum mrg_text_verdict {
	MRG_TEXT_ACCEPTED,   /* it ends before in[at] */
	MRG_TEXT_INCOMPLETE, /* a message that goes on behind its input */
	MRG_TEXT_REFUSED,    /* in[at], or the end there, can't be */
	MRG_TEXT_LIMITED,    /* nor can it, by a limit with this code */
	MRG_TEXT_GAVE_UP     /* more work, or room, than there is */
};

struct mrg_text_part {
	uint32_t what, start, end;
};

/* What was found; of a text that is not accepted the captures are those that are sure, whatever comes. */
struct mrg_text_found {
	enum mrg_text_verdict verdict;
	size_t at;
	unsigned code;
	unsigned point; /* of that limit */
	const struct mrg_text_part *parts; /* in the room */
	size_t count;
};

struct mrg_text_note {
	uint16_t kind; /* of its instruction */
	uint16_t node;
	uint32_t a, at;
};

struct mrg_text_frame {
	uint16_t op, way;
	uint32_t at, notes;
	uint32_t counts[MRG_TEXT_DEPTH];
};

/* A part of a text that a node made; a repetition's elements have their own. */
struct mrg_text_piece {
	uint16_t node, kind; /* kind: of the instruction that began it: CHOICE, OPEN, AGAIN, START */
	uint32_t a, start, end;
};

enum { MRG_TEXT_PIECES = 4096 };

/* The pieces of a text that was looked at before: those that a fuzzer goes on from come again and again. */
enum { MRG_TEXT_MEMOS = 1024, MRG_TEXT_MEMO_LEN = 512, MRG_TEXT_MEMO_PIECES = 256 };

struct mrg_text_memo {
	const struct mrg_text_plan *plan;
	size_t len, n;
	uint8_t text[MRG_TEXT_MEMO_LEN];
	struct mrg_text_piece pieces[MRG_TEXT_MEMO_PIECES];
};

/* Octets that an instruction took at once, the last time: from one place on up to another. */
struct mrg_text_run {
	uint32_t from, to;
};

struct mrg_text_room {
	struct mrg_text_frame frames[MRG_TEXT_FRAMES];
	struct mrg_text_note notes[MRG_TEXT_NOTES];
	struct mrg_text_part parts[MRG_TEXT_PARTS];
	uint64_t memory[MRG_TEXT_MEMORY / 64];
	struct mrg_text_run runs[MRG_TEXT_RUNS];
	struct mrg_text_piece pieces[MRG_TEXT_PIECES];
	struct mrg_text_memo memos[MRG_TEXT_MEMOS];
	uint8_t text[2 * MRG_TEXT_LEN_MAX];
};

struct mrg_text {
	const struct mrg_text_plan *plan;
	struct mrg_text_room *room;
	uint8_t *reached; /* [plan->point_count] */
};

/*
 * mrg_text_read - read a text: does it begin with a message, or is all of it a value or match?  Marks what it reaches.
 * Cost:  at most 64 choices, or octets looked at, for an octet and each ambiguous place of the rule; then it gives up.
 */
void mrg_text_read(const struct mrg_text *t, const uint8_t *in, size_t len, struct mrg_text_found *found);

/* mrg_text_longest - octets of the longest token at the beginning of a text; 0: there is none.  *gave_up: that is not known. */
size_t mrg_text_longest(const struct mrg_text *t, const uint8_t *in, size_t len, bool *gave_up);

/*
 * mrg_text_pieces - which part of a text which node made, in the room's pieces, those around others first; 0: it can't be read.
 *   *end  octets of the text
 */
size_t mrg_text_pieces(const struct mrg_text *t, const uint8_t *in, size_t len, size_t *end);

/* mrg_text_pieces_again - the same of a text that may come again, for which it is remembered; *pieces: in the room, until the next one */
size_t mrg_text_pieces_again(const struct mrg_text *t, const uint8_t *in, size_t len, const struct mrg_text_piece **pieces);

/* --- making (mrg_textplan_make.c) ----------------------------------------------------------------- */

/* mrg_text_make - a text by chance, now and then over one of its limits.  What was not reached yet is made rather. */
size_t mrg_text_make(const struct mrg_text *t, struct mrg_rng *rng, uint8_t *out, size_t cap);

/* mrg_text_mutate - change a text by its nodes; octets where it can't be read, and one time in 64. */
size_t mrg_text_mutate(const struct mrg_text *t, struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,
	size_t other_len, uint8_t *out, size_t cap);

#endif
