/*
 * mrg_machine_plan.h - machines of a specification as tables: stepped through without generated code, and events made for them.
 *
 * The tables are gen/mrg/machine_ref.py once more: what they say is to be done at an event, the generated functions must do too, in that
 * order, and come to the same state, the same variables and the same of what holds at all times.
 *
 * An input is a list of events: which, what tests say (a bit each), then each number in as many octets as it needs, the lowest first,
 * brought into its range, then each packet behind its length in two octets.  A timer that does not run does not fire, and what is no such
 * packet does not come: such an event is passed over.  What fields of packets say is taken from their views, which subjects of packets hold
 * against tables.
 */
#ifndef MRG_MACHINE_PLAN_H
#define MRG_MACHINE_PLAN_H

#include "mrg.h"
#include "mrg_fuzz.h"

enum {
	MRG_MACHINE_NONE = 0xffff,
	MRG_MACHINE_NUMBERS = 16, /* parameters of an event or a deed; variables may be more */
	MRG_MACHINE_VIEWS = 4,    /* packets of an event */
	MRG_MACHINE_FIELDS = 32,  /* of an event's packets that are asked for */
	MRG_MACHINE_VARS = 64,
	MRG_MACHINE_DEEDS = 64, /* at an event */
	MRG_MACHINE_LEN = 4096  /* octets of an input */
};

enum mrg_machine_op {
	MRG_MACHINE_CONST, /* value */
	MRG_MACHINE_VAR,   /* a */
	MRG_MACHINE_PARAM, /* a, of the event */
	MRG_MACHINE_TEST,  /* a */
	MRG_MACHINE_FIELD, /* a, of those that the event's packets are asked for */
	MRG_MACHINE_NOT,
	MRG_MACHINE_INV,
	MRG_MACHINE_COND, /* a ? b : c */
	MRG_MACHINE_IN,   /* a in n pairs, lists[b] and on */
	MRG_MACHINE_ADD,
	MRG_MACHINE_SUB,
	MRG_MACHINE_MUL,
	MRG_MACHINE_DIV,
	MRG_MACHINE_MOD,
	MRG_MACHINE_SHL,
	MRG_MACHINE_SHR,
	MRG_MACHINE_AND,
	MRG_MACHINE_OR,
	MRG_MACHINE_XOR,
	MRG_MACHINE_EQ,
	MRG_MACHINE_NE,
	MRG_MACHINE_LT,
	MRG_MACHINE_LE,
	MRG_MACHINE_GT,
	MRG_MACHINE_GE,
	MRG_MACHINE_BOTH,
	MRG_MACHINE_EITHER
};

struct mrg_machine_expr {
	uint8_t op;
	uint16_t a, b, c, n;
	uint64_t value;
};

enum mrg_machine_verb { MRG_MACHINE_DO, MRG_MACHINE_SET, MRG_MACHINE_CANCEL, MRG_MACHINE_ASSIGN };

struct mrg_machine_do {
	uint8_t verb;
	uint16_t target;  /* a deed, an event that is a timer, a variable */
	uint16_t args, n; /* lists[args] and on */
};

struct mrg_machine_transition {
	uint8_t kind;           /* enum mrg_step */
	uint16_t guard, to;     /* or NONE */
	uint16_t todo, todo_n;
	const char *text;
};

struct mrg_machine_number {
	uint64_t lo, hi;
	uint8_t octets; /* that one takes in an input */
	const char *name;
};

struct mrg_machine_event {
	const char *name;
	bool timer;
	uint16_t params, param_n;
	const struct mrg_fuzz_subject *const *packets; /* who makes each; NULL: there are none */
	uint16_t packet_n;
};

struct mrg_machine_never {
	uint16_t cond;
	uint64_t states; /* a bit each */
	const char *text;
};

struct mrg_machine_plan {
	const struct mrg_machine_expr *exprs;
	const struct mrg_machine_do *dos;
	const struct mrg_machine_transition *transitions;
	const struct mrg_machine_event *events;
	const struct mrg_machine_number *numbers; /* parameters of events; variables, from `vars` on: lo is the value at the start */
	const struct mrg_machine_never *nevers;
	const uint16_t *lists; /* of expressions; of transitions, the one that is tried first before */
	const uint16_t *on;    /* [state][event]: where its transitions begin in `lists`, and how many */
	const char *const *states, *const *deeds;
	/* Take packets that come, one a parameter, and tell the fields that are asked for.  false: one is none.  NULL: no event has any. */
	bool (*views)(unsigned event, const struct mrg_span *packets, uint64_t *fields);
	uint16_t event_n, transition_n, state_n, never_n, vars, var_n, start;
};

/* What is done at an event, as it is told by either side. */
struct mrg_machine_did {
	uint8_t verb;
	uint16_t target;
	uint16_t n;
	uint64_t args[MRG_MACHINE_NUMBERS];
};

struct mrg_machine_log {
	struct mrg_machine_did did[MRG_MACHINE_DEEDS];
	size_t n; /* also those that there is no room for */
	uint8_t answers; /* what tests say */
};

/* What the generated side is, and is told by it: the deeds of a subject call these with what they were given as ctx. */
struct mrg_machine_code {
	void *machine;
	void (*begin)(void);
	enum mrg_step (*step)(unsigned event, struct mrg_machine_log *log, const uint64_t *args);
	void (*look)(unsigned *state, uint64_t *vars);
	bool (*holds)(void);
};
void mrg_machine_tell(void *ctx, unsigned verb, unsigned target, size_t n, const uint64_t *args);
bool mrg_machine_ask(const void *ctx, unsigned test);

struct mrg_machine_subject {
	const struct mrg_machine_plan *plan;
	const struct mrg_machine_code *code;
	uint8_t *reached;  /* [transitions] */
	uint32_t *tries;   /* of a maker: how often each was come to */
};

size_t mrg_machine_subject_make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap);
size_t mrg_machine_subject_mutate(void *ctx, struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other, size_t other_len,
	uint8_t *out, size_t cap);
size_t mrg_machine_subject_smaller(void *ctx, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap);
void mrg_machine_subject_run(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result);
void mrg_machine_subject_show(void *ctx, const uint8_t *in, size_t len, FILE *to);
const char *mrg_machine_subject_point(void *ctx, size_t point);

#endif
