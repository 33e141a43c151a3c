/*
 * options.h - the command line of mrg-http.
 *
 * What it does not do: it opens no file but the configuration, and no socket.
 */
#ifndef MRG_HTTP_OPTIONS_H
#define MRG_HTTP_OPTIONS_H

#include "appliances/common/net.h"
#include "mrg_rt.h"
#include "protocols/http/files.h"

enum { LISTEN_MAX = 32, WORKERS_MAX = 256, HOSTS_MAX = 256, RULES_MAX = 256 };

enum access_log { ACCESS_NONE, ACCESS_COMMON, ACCESS_COMBINED };

/* Where the files of a host are. */
struct host_option {
	struct mrg_span name; /* empty: the host that is none of the others */
	const char *place;    /* a folder, or a packed archive: whichever it turns out to be, */
	bool archive;         /* but with this it has to be an archive */
};

struct options {
	struct mrg_rt_addr listen[LISTEN_MAX];
	size_t listen_count;
	struct net_options net;
	struct mrg_rt_addr metrics; /* family 0: none */
	struct host_option hosts[HOSTS_MAX]; /* the first is the one without a name */
	size_t host_count;
	struct mrg_http_cache_rule cache_rules[RULES_MAX];
	size_t cache_rule_count;
	struct mrg_http_error_page error_pages[RULES_MAX];
	size_t error_page_count;
	struct mrg_span index;
	size_t workers;
	const char *user;
	enum access_log access_log;
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
