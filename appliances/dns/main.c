/*
 * mrg-dns: an authoritative DNS server. This file is the way in.
 * Reading order: options.h, load.h, serve.h, worker.h.
 */
#include "appliances/dns/options.h"
#include "appliances/common/say.h"
#include "appliances/dns/serve.h"
#include "appliances/dns/show.h"
#include "appliances/dns/store.h"
#include "unix/mrg_unix.h"

/* Bytes of address space: more than any configuration needs, and what one can do with if there is no more. */
enum { OPTIONS_ARENA = 1 << 30, OPTIONS_LEAST = 4 << 20 };

static enum outcome look_only(const struct options *o)
{
	struct database *db;
	const enum outcome outcome = load(o, false, &stderr_report, &db);
	if (outcome != OUTCOME_OK)
		return outcome;
	const bool shown = o->print ? show_records(db) : show_summary(db);
	database_free(db);
	return shown ? OUTCOME_OK : OUTCOME_SYSTEM;
}

int main(int argc, char *argv[])
{
	static struct options o;
	struct mrg_arena arena;
	enum outcome outcome;
	if (mrg_unix_files_begin() != 0)
		return OUTCOME_SYSTEM; /* with nowhere to say so */
	if (mrg_unix_arena_open(&arena, OPTIONS_ARENA, OPTIONS_LEAST) != 0) {
		say("mrg-dns: not enough memory to start", NULL);
		return OUTCOME_SYSTEM;
	}
	if (!options_read(&o, &arena, argc, argv, &outcome))
		return (int)outcome;
	if (o.store != NULL)
		outcome = store(&o);
	else
		outcome = o.check || o.print ? look_only(&o) : serve(&o);
	return (int)outcome;
}
