/*
 * args.h - command lines, and how programs end.
 *
 * What it does not do: it opens nothing, and it knows no option itself.
 */
#ifndef MRG_COMMON_ARGS_H
#define MRG_COMMON_ARGS_H

#include "mrg_rt.h"

/* How a program ends; see its help text. INPUT: what it was given to serve is not as it should be. */
enum outcome { OUTCOME_OK = 0, OUTCOME_INPUT = 1, OUTCOME_USAGE = 2, OUTCOME_ADDRESS = 3, OUTCOME_SYSTEM = 4 };

enum { METRICS_PORT = 9100 /* of --metrics, where none is said */ };

/* Where a value goes that needs nothing else. */
enum arg_kind { ARG_TAKEN, ARG_SET, ARG_STRING, ARG_NUMBER, ARG_ADDRESS };

struct arg {
	const char *name; /* with its dashes */
	bool has_value;
	enum arg_kind kind;
	bool (*take)(void *ctx, const char *value); /* ARG_TAKEN; false: it has said what is wrong */
	const char *text;                           /* printed, and that is all; NULL: none */
	size_t at;            /* of ctx, but for ARG_TAKEN */
	unsigned least, most; /* ARG_NUMBER; ARG_ADDRESS: the port where none is said */
};

#define ARG_TAKES(option, taker) { .name = (option), .take = (taker), .has_value = true }
#define ARG_DOES(option, taker) { .name = (option), .take = (taker) } /* no value */
#define ARG_PRINTS(option, what) { .name = (option), .text = (what) }

/* Options for a field of a structure, which ctx is: a compiler holds its type against the option's. */
#define ARG_AT(type, structure, field) \
	(offsetof(structure, field) + 0u * sizeof(_Generic(&((structure *)0)->field, type *: 1)))
#define ARG_SETS(option, structure, field) /* bool: true where it is there */ \
	{ .name = (option), .kind = ARG_SET, .at = ARG_AT(bool, structure, field) }
#define ARG_SAYS(option, structure, field) /* const char *: borrowed */ \
	{ .name = (option), .has_value = true, .kind = ARG_STRING, .at = ARG_AT(const char *, structure, field) }
#define ARG_COUNTS(option, structure, field, lowest, highest) /* unsigned */ \
	{ .name = (option), .has_value = true, .kind = ARG_NUMBER, .at = ARG_AT(unsigned, structure, field), \
		.least = (lowest), .most = (highest) }
#define ARG_PLACES(option, structure, field, port) /* struct mrg_rt_addr */ \
	{ .name = (option), .has_value = true, .kind = ARG_ADDRESS, \
		.at = ARG_AT(struct mrg_rt_addr, structure, field), .most = (port) }

struct args {
	const char *program;
	const struct arg *table;
	size_t count;
};

/*
 * args_read - take each of argv[1..argc-1], as `--name value` or `--name=value`.   ctx    for the takers
 * Returns true to go on. Otherwise what there was to say has been said and *outcome is the exit code: OUTCOME_OK after a text that
 * was asked for.
 */
bool args_read(const struct args *args, void *ctx, int argc, char *const argv[], enum outcome *outcome);

/*
 * args_take - take one option; value is NULL where there is none. false: it has been said what is wrong.
 */
bool args_take(const struct args *args, void *ctx, const char *name, const char *value);

/*
 * args_number - a decimal number in least..most; false: it has been said that it is none.
 */
bool args_number(const char *program, const char *option, const char *value, unsigned least, unsigned most, unsigned *out);

/*
 * args_address - an address as mrg_rt_addr_read takes it; false: it has been said that it is none.
 */
bool args_address(const char *program, const char *option, const char *value, uint16_t default_port, struct mrg_rt_addr *out);

#endif
