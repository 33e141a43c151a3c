/*
 * mrg-dns: an authoritative DNS server. This file is the way in.
 * Reading order: settings.h, load.h, serve.h, worker.h.
 */
#include "appliances/dns/settings.h"
#include "appliances/dns/serve.h"
#include "appliances/dns/show.h"
#include "appliances/dns/store.h"
#include "protocols/dns/catalog.h"
#include "unix/mrg_unix.h"

/* Is what it lists as it should be, if it is a catalog? */
static enum outcome check_catalog(const struct served *z)
{
	enum { RESERVE = 1 << 30, LEAST = 1 << 20 }; /* octets of address space */
	struct mrg_arena arena;
	struct mrg_dns_catalog listed;
	struct mrg_dns_name_flat where;
	if (!z->option->catalog || mrg_dns_zone_is_absent(z->version->zone))
		return OUTCOME_OK;
	if (mrg_unix_arena_open(&arena, RESERVE, LEAST) != 0)
		return OUTCOME_SYSTEM;
	const enum mrg_dns_catalog_fault fault =
		mrg_dns_catalog_read(z->version->zone, &arena, &listed, &where);
	mrg_unix_arena_close(&arena);
	if (fault == MRG_DNS_CATALOG_SOUND)
		return OUTCOME_OK;
	stderr_report.fault(stderr_report.ctx,
		&(struct fault){ z->option->file, 0, 0, "catalog", mrg_dns_catalog_fault_str(fault) });
	return OUTCOME_INPUT;
}

static enum outcome look_only(struct settings *settings)
{
	struct database *db;
	enum outcome outcome = load(settings, false, &stderr_report, &db);
	if (outcome != OUTCOME_OK)
		return outcome;
	for (size_t i = 0; i < db->count; i++) {
		const enum outcome one = check_catalog(&db->zones[i]);
		if (one != OUTCOME_OK)
			outcome = one;
	}
	const bool shown = settings->options.print ? show_records(db) : show_summary(db);
	database_free(db);
	return shown ? outcome : OUTCOME_SYSTEM;
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
