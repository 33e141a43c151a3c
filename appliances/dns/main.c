/*
 * mrg-dns: an authoritative DNS server. This file is the way in.
 * Reading order: settings.h, load.h, serve.h, worker.h.
 */
#include "appliances/dns/settings.h"
#include "appliances/dns/serve.h"
#include "appliances/dns/show.h"
#include "appliances/dns/store.h"
#include "unix/mrg_unix.h"

static enum outcome look_only(struct settings *settings)
{
	struct database *db;
	const enum outcome outcome = load(settings, false, &stderr_report, &db);
	if (outcome != OUTCOME_OK)
		return outcome;
	const bool shown = settings->options.print ? show_records(db) : show_summary(db);
	database_free(db);
	return shown ? OUTCOME_OK : OUTCOME_SYSTEM;
}

int main(int argc, char *argv[])
{
	struct settings *settings;
	enum outcome outcome;
	if (mrg_unix_files_begin() != 0)
		return OUTCOME_SYSTEM; /* with nowhere to say so */
	if (!settings_read(&settings, argc, argv, &outcome))
		return (int)outcome;
	const struct options *const o = &settings->options;
	if (o->store != NULL)
		outcome = store(o);
	else
		outcome = o->check || o->print ? look_only(settings) : serve(settings);
	settings_drop(settings);
	return (int)outcome;
}
