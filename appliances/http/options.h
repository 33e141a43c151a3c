/*
 * options.h - the command line of mrg-http.
 *
 * What it does not do: it opens no file but the configuration, and no socket.
 */
#ifndef MRG_HTTP_OPTIONS_H
#define MRG_HTTP_OPTIONS_H

#include "appliances/common/net.h"
#include "appliances/http/rules.h"

enum { WORKERS_MAX = 256 };

struct options {
	struct rules rules; /* first: its takers are given all of this */
	struct net_options net;
	unsigned workers;
	bool sandbox;
	const char *user;
	bool check;
	/* private: while they are read */
	struct mrg_arena *arena;
	size_t faults; /* of the configuration */
	bool in_file;
};

/*
 * options_read - read the command line, and the configuration that it names.
 *   arena   for the configuration's text; what is read borrows it, and argv
 * Returns true to go on. Otherwise what there was to say has been said and *outcome is the exit code: OUTCOME_OK after --help
 * and --version.
 */
bool options_read(struct options *o, struct mrg_arena *arena, int argc, char *const argv[], enum outcome *outcome);

#endif
