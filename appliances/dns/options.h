/*
 * options.h - the command line of mrg-dns, and its configuration file.
 *
 * What it does not do: it opens no zone and no socket; origins and addresses are read, not looked up.
 */
#ifndef MRG_DNS_OPTIONS_H
#define MRG_DNS_OPTIONS_H

#include "appliances/common/net.h"
#include "appliances/dns/answering.h"
#include "appliances/dns/zone_option.h"
#include "mrg_rt.h"

enum { LISTEN_MAX = 32, WORKERS_MAX = 256 };

#define DNS_VERSION "mrg-dns 0.1.0" /* as in mk/config.mk */

struct options {
	struct answering answering; /* first: its takers are given all of this */
	struct mrg_rt_addr listen[LISTEN_MAX];
	size_t listen_count;
	struct net_options net;
	struct mrg_rt_addr metrics; /* family 0: none */
	struct zone_options zones;
	const char *control;       /* a socket for mrg-dnsctl; NULL: none */
	const char *query_log, *dnstap; /* where to write down what is seen of queries; NULL: nowhere */
	unsigned query_log_sample;      /* of so many queries one */
	unsigned workers;
	const char *user;
	bool check, print, sandbox;
	const char *store; /* a file to write the zone to in one piece; NULL: none */
	const char *config; /* the last configuration file; NULL: none */
	bool in_file;       /* while one is read */
	size_t faults;      /* of configuration files */
};

/*
 * options_read - read the command line, and the files that it names.
 *   arena   for the zones; borrows argv beside it
 * Returns true to go on. Otherwise what there was to say has been said and *outcome is the exit code: OUTCOME_OK after --help
 * and --version.
 */
bool options_read(
	struct options *o, struct mrg_arena *arena, int argc, char *const argv[], enum outcome *outcome);

#endif
