/*
 * options.h - the command line of mrg-impair.
 *
 * What it does not do: it opens nothing.
 */
#ifndef MRG_IMPAIR_OPTIONS_H
#define MRG_IMPAIR_OPTIONS_H

#include "core/mrg_impair.h"

struct options {
	struct mrg_impair_options way;
	uint64_t seed;
	const char *device[2];
};

/*
 * options_read - read the command line.   Returns true to go on; otherwise what there was to say has been said, and *code is how to end.
 */
bool options_read(struct options *o, int argc, char *argv[], int *code);

#endif
