/*
 * mrg_plan.h - the packets of a specification as tables, and who walks them: reads messages, makes them, changes them field by field.
 *
 * The walker is the rules of gen/mrg/ir.py once more, in C and without generated code: what it says of a message, the generated check
 * must say too.  Making is reading of what has just been written: each item is decided on, put down, and then read like any other, by the
 * same code.  Decisions are a list (mrg_choices); reading a message gives the decisions that make it, so that any input can be changed
 * and shrunk by what it says.
 */
#ifndef MRG_PLAN_H
#define MRG_PLAN_H

#include "mrg.h"
#include "mrg_fuzz.h"
#include "mrg_glue.h"
#include "mrg_plan_once.h"

enum { MRG_PLAN_NONE = 0xffffffff };

/* ---- expressions: a tree in an array, by index ---- */

enum mrg_plan_op {
	MRG_PLAN_CONST,
	MRG_PLAN_FIELD, /* a, n: path; b: its first slot */
	MRG_PLAN_PARAM, /* a */
	MRG_PLAN_BUFLEN,
	MRG_PLAN_SIZE, /* a: slot; NONE: the packet */
	MRG_PLAN_COUNT,
	MRG_PLAN_AVAIL,
	MRG_PLAN_HERE,
	MRG_PLAN_PEEK, /* bits, endian */
	MRG_PLAN_NOT,
	MRG_PLAN_INV,
	MRG_PLAN_ADD,
	MRG_PLAN_SUB,
	MRG_PLAN_MUL,
	MRG_PLAN_DIV,
	MRG_PLAN_MOD,
	MRG_PLAN_SHL,
	MRG_PLAN_SHR,
	MRG_PLAN_AND,
	MRG_PLAN_OR,
	MRG_PLAN_XOR,
	MRG_PLAN_EQ,
	MRG_PLAN_NE,
	MRG_PLAN_LT,
	MRG_PLAN_LE,
	MRG_PLAN_GT,
	MRG_PLAN_GE,
	MRG_PLAN_BOTH,
	MRG_PLAN_EITHER,
	MRG_PLAN_COND, /* a ? b : c */
	MRG_PLAN_IN,   /* a in n pairs of expressions, lists[b] and on */
	MRG_PLAN_SUM,  /* bits: enum mrg_plan_sum; slots a to b; n pairs of expression and octets, lists[c] and on */
	MRG_PLAN_CALL  /* of a function of the user's: not known here */
};

enum mrg_plan_sum { MRG_PLAN_INET16, MRG_PLAN_CRC32, MRG_PLAN_CRC32C };
enum mrg_plan_endian { MRG_PLAN_BIG, MRG_PLAN_LITTLE, MRG_PLAN_DYN };

struct mrg_plan_expr {
	uint8_t op, bits, endian;
	bool is_signed; /* of a comparison */
	uint32_t n, a, b, c;
	uint64_t value;
};

/* ---- items ---- */

enum mrg_plan_kind {
	MRG_PLAN_RUN, /* value: bits that must be there before the items that follow are looked at */
	MRG_PLAN_SCALAR,
	MRG_PLAN_BYTES,
	MRG_PLAN_PACKET,
	MRG_PLAN_LIST,
	MRG_PLAN_SWITCH,
	MRG_PLAN_CHAIN,
	MRG_PLAN_VARINT,
	MRG_PLAN_REGION,
	MRG_PLAN_OPTIONAL,
	MRG_PLAN_ALIGN,
	MRG_PLAN_LET,
	MRG_PLAN_CHECK,
	MRG_PLAN_ENDIAN_BY
};

enum mrg_plan_mode { /* of bytes and lists */
	MRG_PLAN_LEN,
	MRG_PLAN_REST,
	MRG_PLAN_UNTIL,
	MRG_PLAN_COUNTED,
	MRG_PLAN_OCTETS,
	MRG_PLAN_WHILE
};

enum mrg_plan_severity { MRG_PLAN_MUST, MRG_PLAN_WARN, MRG_PLAN_SEND };

enum mrg_plan_flag {
	MRG_PLAN_IS_SIGNED = 1,
	MRG_PLAN_IS_CONST = 2,     /* value */
	MRG_PLAN_IS_CLOSED = 4,    /* the hints are all that it may be */
	MRG_PLAN_IS_COMPUTED = 8,  /* expr */
	MRG_PLAN_IS_IMPLIED = 16,  /* nothing to compare */
	MRG_PLAN_IS_SUM = 32,      /* what is compared is a checksum */
	MRG_PLAN_HAS_TAIL = 64,    /* of a region */
	MRG_PLAN_IS_ZERO = 128,    /* of an alignment */
	MRG_PLAN_IS_NOCASE = 256,  /* octets, as a key */
	MRG_PLAN_HAS_MAX = 512,    /* max */
	MRG_PLAN_IS_UNIQUE = 1024, /* path: the key */
	MRG_PLAN_IS_RISING = 2048,
	MRG_PLAN_CALLS = 4096,  /* expr is not known here */
	MRG_PLAN_CAN_CUT = 8192,  /* no check before it makes sure that its octets are there */
	MRG_PLAN_IS_SURE = 16384, /* the octet by which its packet was chosen has decided it: no points */
	MRG_PLAN_IS_SOLVED = 32768, /* a length follows from it, of one item: a maker finds it from what that takes */
	MRG_PLAN_IS_KEPT = 65536,   /* of a check: nothing that is made breaks it, unless it is to be wrong */
	MRG_PLAN_IS_FREE = 131072,  /* nothing goes by this number */
	MRG_PLAN_PEEKS = 262144,    /* of a check: at what `field` begins with, `bits` of it */
	MRG_PLAN_ASKS_ROOM = 524288, /* of a check: how many octets follow, which is what `field` takes, if that is known */
	MRG_PLAN_IS_UNSEEN = 1048576, /* nothing in the tables asks for it once it is there */
	MRG_PLAN_IS_JUMP = 2097152, /* where a pointer leads: the chain that it is of decides */
	MRG_PLAN_IS_SAID = 4194304  /* the number that says how much it is follows from just that */
};

struct mrg_plan_item {
	uint8_t kind, mode, bits, endian, severity;
	uint32_t flags;
	uint32_t slot;            /* in the packet */
	uint32_t id, gate;        /* of its events, as in mrg_glue.h; 0: none.  OPTIONAL: the slot that tells whether it is there; NONE */
	uint32_t a, n;            /* PACKET: a. LIST: element a. REGION: item a. OPTIONAL: items a, n. SWITCH, CHAIN: arms a, n. VARINT: a */
	uint32_t field;           /* CHECK, SWITCH, OPTIONAL: a number that decides, or what is counted; NONE */
	uint32_t steers;          /* SCALAR, VARINT: the switch that it decides; NONE */
	uint32_t expr, args;      /* args: of PACKET, one a parameter, lists[args] and on */
	uint32_t path, path_len;  /* of a key */
	uint32_t ranges, range_n; /* keys that may repeat */
	uint32_t owing, owing_n;  /* SCALAR, VARINT: who derives it from the size or count of what comes later */
	uint32_t map, map_n;      /* SWITCH, CHAIN: of each value below map_n the arm, maps[map] and on; n: none */
	uint32_t far, far_n;      /* arms that other values may have, in their order: lists[far] and on */
	uint32_t hints, hint_n;   /* values that matter */
	uint32_t point;           /* the first of its points */
	uint32_t line;
	uint64_t lo, hi, value, max;
	const char *name, *what;
};

struct mrg_plan_arm { /* of a switch; or of a chain, whose patterns are of the first octet */
	const char *name;
	uint32_t pats, pat_n; /* none: any other */
	uint32_t item;        /* of a switch; NONE: takes nothing */
	uint32_t packet, args, buffer, at, max_jumps; /* of a chain; args: which parameters of the packet around, lists[args] and on */
	enum { MRG_PLAN_ITEM, MRG_PLAN_STOP, MRG_PLAN_GOTO } kind;
};

struct mrg_plan_pat {
	uint64_t lo, hi, mask;
};

struct mrg_plan_varint {
	enum { MRG_PLAN_TAGGED, MRG_PLAN_GROUPS, MRG_PLAN_PREFIX, MRG_PLAN_SHORT } shape;
	bool little, minimal;
	uint8_t tag_bits, prefix_bits;
	uint32_t max_bytes;
	uint8_t widths[16];
	uint64_t hi;
};

/* A number that is derived from what comes later: the size or the count of an item. */
struct mrg_plan_length {
	uint32_t path, path_len, number, slot; /* number: its item */
	bool count;
};

/* Who derives it: a packet, from which this path leads to the number. */
struct mrg_plan_owing {
	uint32_t packet, path, path_len;
};

struct mrg_plan_param {
	bool buffer;
	uint64_t lo, hi;
};

struct mrg_plan_packet {
	const char *name;
	uint32_t items, item_n, slot_n;
	uint32_t params, param_n;
	uint32_t lengths, length_n;
	uint64_t max_bytes; /* 0: none */
	uint32_t id;        /* of its events */
	uint32_t point;     /* the first of its points: too long, where there is a bound */
};

struct mrg_walk;
struct mrg_plan {
	const struct mrg_plan_packet *packets;
	const struct mrg_plan_item *items;
	const struct mrg_plan_expr *exprs;
	const struct mrg_plan_arm *arms;
	const struct mrg_plan_pat *pats;
	const struct mrg_plan_varint *varints;
	const struct mrg_plan_length *lengths;
	const struct mrg_plan_owing *owing;
	const struct mrg_plan_param *params;
	const uint32_t *lists; /* of indexes: of slots, of expressions */
	const uint64_t *numbers;
	const uint8_t *maps;
	const char *const *points; /* names */
	const uint32_t *point_items;
	uint32_t point_n, packet_n;
	bool sums; /* checksums, over much of a message */
	const uint8_t *leads; /* of each packet, a bit for each that may be in it; whole octets a packet */
	/* The same as code, which does not list what is in a packet; NULL: there is none.  Where nobody asks for decisions, these read and make. */
	enum mrg_status (*read)(struct mrg_walk *w, uint32_t packet, struct mrg_span in, const uint64_t *args);
	size_t (*make)(struct mrg_walk *w, uint32_t packet, const uint64_t *args, size_t cap);
};

/* ---- decisions ---- */

/* What an item was decided to be.  A group (a packet, a list, an element, an arm) is followed by those of what is in it, up to `end`. */
struct mrg_choice {
	uint64_t value; /* a number; octets; elements; an arm; of a pointer: which of the targets */
	uint32_t item;  /* or MRG_CHOICE_ARM with the index of an arm, MRG_CHOICE_PACKET with that of a packet */
	uint32_t end;
	uint32_t at; /* where, in the text that was read: of octets an octet, of a number a bit */
	bool fresh;  /* to be decided anew, with all in it */
	bool second; /* octets of the second text */
};

enum { MRG_CHOICE_ARM = 0x40000000, MRG_CHOICE_PACKET = 0x20000000 };
enum { MRG_CHOICES_MAX = 16384, MRG_NODES_MAX = 65536, MRG_SLOTS_MAX = 262144 };

struct mrg_choices {
	const uint8_t *text, *second; /* that octets are of; the second, where two messages were joined */
	size_t n;
	struct mrg_choice c[MRG_CHOICES_MAX];
};

/* ---- walking ---- */

struct mrg_node {
	uint32_t item; /* NONE: a packet that is no item's, such as the whole, or one of a chain */
	uint32_t packet, slots;
	uint32_t first, last, next, child_n;
	uint32_t bit_off, bit_len;
	uint32_t arm;
	bool unknown; /* a number that is not derived yet */
	uint64_t value;
};

/* Where chains can lead: to where one began, or an item of one. */
struct mrg_target {
	uint32_t at;    /* octets from the buffer's first */
	uint32_t chain; /* the item */
	/* Of a maker that confirms: octets from here to the end, and jumps on the way. */
	uint32_t total, jumps;
};

/* An item that was made although its expression was not known. */
struct mrg_doubt {
	uint32_t item, node;
	uint64_t pos;   /* bits, where it began */
	uint64_t value; /* what was taken for that of the expression: a size, a count, whether it is there; else it is in the node */
};

/* What a message that is made is to be, apart from being one, and how far it has come to that. */
struct mrg_plan_aims {
	bool went_wrong;    /* it is not a message any more */
	bool cuts;          /* the length around, or else the message, is to end at cut_at, octets */
	bool is_wanted;     /* `wanted` is known */
	bool jumps_by_chains; /* each is the end of a chain; else octets of any value are pointers, too */
	uint64_t given_value;
	uint64_t sized_by;
	uint64_t begins_by;
	uint64_t grows;  /* octets that the message is to have at least; 0: as comes */
	uint64_t wanted; /* of the number that is given: what would have made the aim's equation true */
	uint32_t wrong;  /* an item whose number is to be anything; NONE */
	uint32_t given;  /* an item whose number is given_value; NONE */
	uint32_t sized;  /* octets or a list that are to be sized_by long; NONE */
	uint32_t begins; /* octets or a number that are to begin with begins_by, where the aim peeks at them; NONE */
	/* Pointers that lead from one to the next one below, where too many are aimed at: how many there are, and where the last is. */
	uint32_t jump_n, jump_at, open_n, open_at; /* open: those before the chain at hand */
	uint32_t jump_max; /* so many, and the one that leads to the last is one too many; or it is just not */
	uint32_t aim, aim_at; /* an item that is to come to one of its points, and which; NONE */
	uint32_t aim_packet;
	uint32_t cut_at;
};

/* Just a message. */
#define MRG_PLAN_NO_AIMS \
	{ \
		.wrong = MRG_PLAN_NONE, .given = MRG_PLAN_NONE, .sized = MRG_PLAN_NONE, .begins = MRG_PLAN_NONE, \
		.aim = MRG_PLAN_NONE \
	}

struct mrg_walk {
	const struct mrg_plan *plan;
	uint8_t *reached;        /* points; may be NULL */
	size_t postponed_n;      /* points that nobody had reached before, if it postpones */
	size_t postponed[32];
	const uint32_t *offsets; /* where in `ranks` those of a packet begin, one a packet */
	const uint32_t *ranks;   /* of each point, where in `reached` it is */
	/* what came out */
	enum mrg_status status;
	size_t bit_off;      /* of a rejection */
	uint32_t where;      /* its item */
	const char *what;
	size_t used;         /* octets */
	uint32_t warnings;
	struct mrg_events events; /* what the message says, as a walk of the generated view tells it; where decisions are asked for, nothing */
	size_t node_n, slot_n, computed_n;
	uint32_t computed[256]; /* nodes, of the packets that are open */
	/* making */
	bool making, ahead; /* ahead: what is written may be peeked at */
	bool postpones;     /* points that are new go to `postponed`: whether they count is known later */
	uint32_t cap;
	uint8_t *out;
	struct mrg_rng *rng;
	const struct mrg_choices *old;  /* to be followed, or NULL */
	size_t old_at, old_end;
	struct mrg_choices *made;       /* decisions that are read.  NULL: nobody asks, as in making */
	struct mrg_plan_aims aims;
	uint32_t jump_base; /* of the chain at hand, where pointers count from */
	uint32_t target_n;
	struct mrg_target targets[256];
	/*
	 * Making, where what is decided before it is known has to be right in the end, so that reading the message again says nothing new:
	 * what is still to be looked at, of the packets that are open; and whether there is something that only reading tells.
	 */
	bool confirms, unsure;
	bool rests;         /* octets or elements up to the end, wherever that will be, have been made; they end at rest_end, bits */
	uint32_t doubt_n;
	uint64_t rest_end;
	struct mrg_doubt doubts[256];
	struct mrg_node nodes[MRG_NODES_MAX];
	uint32_t slots[MRG_SLOTS_MAX];
};

/*
 * mrg_plan_read - read a message.   args    one a parameter, those of buffers are not looked at: they are the message
 *
 * Returns w->status: MRG_OK with w->used and the tree w->nodes (the first is the packet), else with w->bit_off and w->where.  A message of
 * more than MRG_NODES_MAX items is MRG_E_SPACE.
 */
enum mrg_status mrg_plan_read(struct mrg_walk *w, uint32_t packet, struct mrg_span in, const uint64_t *args);

/*
 * mrg_plan_make - make a message.   old    decisions to follow as far as they fit; NULL: none
 *
 * Returns its octets; 0: what was decided can't be a message, or does not fit.  With w->confirms, which is for messages made of nothing, it is
 * a message, unless w->unsure: then reading it tells.
 */
size_t mrg_plan_make(struct mrg_walk *w, uint32_t packet, const uint64_t *args, struct mrg_rng *rng,
	const struct mrg_choices *old, uint8_t *out, size_t cap);

/*
 * mrg_plan_redraw - decide a number or octets anew, in their place in message[0..len) that the decision is of; or where a pointer leads,
 * seldom, and mostly wrong then
 *
 * Returns false, and changes nothing, where more than that would have to change: what is said of it elsewhere.
 */
bool mrg_plan_redraw(struct mrg_walk *w, const struct mrg_choice *c, struct mrg_rng *rng, uint8_t *message, size_t len);

enum { MRG_PLAN_EVENTS = 16384, MRG_PLAN_AGAIN = 131072 };

/*
 * What was read of small inputs: those that a fuzzer goes on from come again and again.  Each has MRG_PLAN_MEMO_WAYS places side by side that it may
 * be in, of which the one taken longest ago is the next to be taken.
 */
enum { MRG_PLAN_MEMO_WAYS = 8 };
enum { MRG_PLAN_MEMOS = 1024, MRG_PLAN_MEMO_LEN = 1024, MRG_PLAN_MEMO_CHOICES = 320 };

struct mrg_plan_memo {
	const void *subject; /* whose input it is */
	size_t len, n;
	uint8_t in[MRG_PLAN_MEMO_LEN];
	struct mrg_choice c[MRG_PLAN_MEMO_CHOICES];
};

/* Room for one input at a time: all subjects of a program share it. */
struct mrg_plan_room {
	struct mrg_walk walk;
	struct mrg_choices mine, others, joined;
	struct mrg_event want[MRG_PLAN_EVENTS], have[MRG_PLAN_EVENTS];
	uint8_t again[2][MRG_PLAN_AGAIN];
	uint64_t memo_hashes[MRG_PLAN_MEMOS];                     /* of their inputs */
	uint8_t memo_next[MRG_PLAN_MEMOS / MRG_PLAN_MEMO_WAYS]; /* of each row of places, the one to be taken */
	struct mrg_plan_memo memos[MRG_PLAN_MEMOS];
	/* what `walk` has read of, as long as nothing else was done with it; subject NULL: that is not known */
	struct {
		const void *subject;
		size_t len;
		uint8_t in[MRG_PLAN_MEMO_LEN];
	} last;
};

/* A subject of one packet: `ctx` is this. */
struct mrg_plan_subject {
	const struct mrg_plan *plan;
	uint32_t packet;
	const struct mrg_glue *glue; /* the generated C */
	const struct mrg_glue_fetch *fetch; /* of a `shared` packet; else NULL */
	struct mrg_plan_room *room;
	uint8_t *reached;
	uint16_t *tries; /* to reach each */
	bool aimless;    /* each was reached, or tried often enough */
	uint32_t point_n;
	const uint32_t *offsets, *ranks, *points; /* as in mrg_walk; of each that counts, which of the plan's it is */
};

size_t mrg_plan_subject_make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap);
size_t mrg_plan_subject_mutate(void *ctx, struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,
	size_t other_len, uint8_t *out, size_t cap);
size_t mrg_plan_subject_smaller(void *ctx, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap);
void mrg_plan_subject_run(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result);
void mrg_plan_subject_learn(void *ctx, const uint8_t *in, size_t len);
void mrg_plan_subject_show(void *ctx, const uint8_t *in, size_t len, FILE *to);
const char *mrg_plan_subject_point(void *ctx, size_t point);

#endif
