/*
 * settings.h - the command line and its configuration files as they were read at some time, in memory of their own; read again while the
 * server runs. What is served, sent or kept by them uses them; the last user frees them.
 *
 * What it does not do: it loads no zone, and changes nothing.
 *
 * Use:
 *	struct settings *s;
 *	if (!settings_read(&s, argc, argv, &outcome)) return outcome;
 *	... s->options ...
 *	settings_drop(s);
 */
#ifndef MRG_DNS_SETTINGS_H
#define MRG_DNS_SETTINGS_H

#include <stdatomic.h>

#include "appliances/dns/options.h"

struct settings {
	atomic_uint users;
	struct mrg_arena arena; /* that this lies in */
	int argc;               /* where the options were read from: */
	char *const *argv;
	struct options options;
};

/*
 * settings_read - read the command line, and the files that it names; it has one user.   argv   must outlive it
 * Fails:    false, as options_read, and OUTCOME_SYSTEM when there is no memory.
 */
bool settings_read(struct settings **out, int argc, char *const argv[], enum outcome *outcome);

/*
 * settings_again - the same once more, by the command line of `before`.  What is not said there and made up instead stays as it was.
 */
bool settings_again(struct settings **out, const struct settings *before);

/*
 * settings_differ - tell of each option that differs from how it was at the start and can't be changed while the server runs.
 *   tell   option   its name
 */
void settings_differ(const struct options *first, const struct options *now, void (*tell)(const char *option));

/*
 * settings_keep, settings_drop - one user more, one less. From any thread.
 */
void settings_keep(struct settings *s);
void settings_drop(struct settings *s);

#endif
