/*
 * site.h - what is served: the trees of all hosts, and the rules for them. One thread's.
 */
#ifndef MRG_HTTP_SITE_H
#define MRG_HTTP_SITE_H

#include "appliances/http/setup.h"
#include "unix/mrg_unix_tree.h"

struct site {
	struct mrg_http_files files;
	struct mrg_http_host hosts[HOSTS_MAX];
	struct mrg_unix_tree folders[HOSTS_MAX]; /* of the hosts that have one */
	size_t count;                            /* folders */
	struct setup *setup;    /* that says so */
	struct mrg_arena arena; /* that the site itself lies in */
	struct site *older;     /* what was served before, and is still being sent to somebody */
};

/*
 * site_open - open all places. It has been said why, when the outcome is not OUTCOME_OK: OUTCOME_INPUT for a place that can't be opened.
 */
enum outcome site_open(struct site **out, struct setup *setup);

/*
 * site_close - what is still open stays so: first site_idle must be true.
 */
bool site_idle(const struct site *s); /* nobody has a file of it open */
void site_close(struct site *s);

#endif
