/*
 * setup.h - what the command line and the configuration say, for as long as somebody goes by it.
 *
 * A reload reads both again. Sites keep the setup that they were opened by; the control thread keeps one until it has been replaced
 * and no site goes by it.
 */
#ifndef MRG_HTTP_SETUP_H
#define MRG_HTTP_SETUP_H

#include <stdatomic.h>

#include "appliances/http/options.h"
#include "protocols/archive/tree.h"
#include "unix/mrg_unix.h"

/* An archive, read; workers share it. */
struct packed {
	struct mrg_unix_text text; /* p is NULL: the host has a folder */
	struct mrg_archive_tree archive;
};

struct setup {
	struct options options;
	struct packed packed[HOSTS_MAX]; /* one for each host */
	struct mrg_arena arena; /* that the setup itself lies in */
	atomic_uint sites;      /* that go by it */
	struct setup *older;
};

/*
 * setup_read - read the command line, and the configuration and archives that it names; NULL: it has been said why not, and *outcome is how to end.
 */
struct setup *setup_read(int argc, char *const argv[], enum outcome *outcome);
void setup_free(struct setup *s);

#endif
