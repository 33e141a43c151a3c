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

struct arg {
	const char *name; /* with its dashes */
	bool (*take)(void *ctx, const char *value); /* false: it has said what is wrong; NULL: the text is printed and that is all */
	bool has_value;
	const char *text;
};

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
