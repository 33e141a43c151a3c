/*
 * Reading again.
 * Reading order: what is told of faults, one zone, which zone gets what (match), renewing, reload_all.
 */
#include <stdio.h>
#include <stdlib.h>

#include "appliances/dns/reload.h"
#include "appliances/common/say.h"
#include "appliances/dns/said.h"

enum { FAULTS_LOGGED = 20 /* of a reload; the rest is counted */ };

/* ---- faults ---- */

/* What was wrong so far. */
struct faults {
	size_t count;
	char first[400]; /* for who has asked */
};

/* In front of the message. */
static void put_first(struct faults *f, const char *file, unsigned line, unsigned col, const char *what)
{
	if (f->count != 0)
		return;
	if (line != 0)
		(void)snprintf(f->first, sizeof f->first, "%s:%u:%u: %s", file, line, col, what);
	else
		(void)snprintf(f->first, sizeof f->first, "%s: %s", file, what);
}

static void take_fault(void *ctx, const struct fault *fault)
{
	struct faults *const f = ctx;
	put_first(f, fault->file, fault->line, fault->col, fault->what);
	if (++f->count <= FAULTS_LOGGED)
		said_fault(fault);
}

/* Without who says it, which the log knows. */
static const char *bare(const char *words)
{
	static const char *const before[] = { "mrg-dns: ", "error: " };
	for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
		if (strncmp(words, before[i], strlen(before[i])) == 0)
			return words + strlen(before[i]);
	return words;
}

/* What is said of the configuration: its place is the line's. */
static void take_words(void *ctx, const char *place, const char *said)
{
	enum { COLON = 2 /* and a blank, at the end of a place */ };
	const char *const words = bare(said);
	const size_t place_len = strlen(place);
	struct faults *const f = ctx;
	struct mrg_rt_line l;
	if (f->count == 0)
		(void)snprintf(f->first, sizeof f->first, "%s%s", place, words);
	if (++f->count > FAULTS_LOGGED)
		return;
	mrg_rt_line_begin(&l, "error", "config_fault");
	if (place_len > COLON)
		mrg_rt_line_span(&l, "place", (struct mrg_span){ (const uint8_t *)place, place_len - COLON });
	mrg_rt_line_str(&l, "what", words);
	mrg_rt_log_line(&stderr_log, &l);
}

/* Nothing has changed. Returns that, with the first fault. */
static const char *failed(const struct faults *f, const char *served)
{
	static char why[sizeof f->first + 80];
	struct mrg_rt_line l;
	(void)snprintf(why, sizeof why, "%s%s%s served on: see the log", f->first, f->count != 0 ? "; " : "",
		served);
	if (mrg_unix_signals_stop()) /* given up, not failed */
		return why;
	mrg_rt_line_begin(&l, "error", "reload_failed");
	mrg_rt_line_num(&l, "faults", f->count);
	mrg_rt_line_str(&l, "serving", "old zones");
	mrg_rt_log_line(&stderr_log, &l);
	return why;
}

/* ---- one zone ---- */

/* A version that was read from the file takes the place of the one before. */
static void replace(struct manager *m, struct zone_entry *e, struct version *v)
{
	if (e->now.option->transfer != NULL)
		version_follow(v, e->now.version);
	zone_keeper_set_version(&m->keeper, e, v);
}

const char *reload_zone(struct manager *m, struct zone_entry *e)
{
	struct faults faults = { .count = 0 };
	const struct report report = { .ctx = &faults, .fault = take_fault };
	struct loader l;
	struct version *v;
	if (e->now.option->primaries != NULL)
		return "it comes from a primary: expected transfer";
	if (loader_open(&l, true) != OUTCOME_OK)
		return "not enough memory";
	const enum outcome outcome = load_zone(&l, e->now.option, &report, &v);
	loader_close(&l);
	if (outcome != OUTCOME_OK)
		return failed(&faults, "the old zone is");
	replace(m, e, v);
	version_drop(v);
	if (!manager_serve(m))
		return "not enough memory";
	said_zone(e->now.version->zone, e->now.option->file);
	return NULL;
}

/* ---- which zone gets what ---- */

/* Nothing comes of it. */
static void unmatch(struct zone_table *t)
{
	for (size_t i = t->count; i-- > 0;) {
		struct zone_entry *const e = t->list[i];
		e->option = NULL;
		e->loaded = NULL;
		if (e->now.version == NULL)
			zone_table_remove(t, e);
	}
}

/* Each zone of the configuration to its entry, which may be a new one. */
static bool match(struct zone_table *t, const struct options *o, struct version *const *versions,
	const struct report *report)
{
	for (size_t i = 0; i < o->zones.count; i++) {
		const struct zone_option *const z = &o->zones.list[i];
		const struct mrg_span origin = { z->origin, z->origin_len };
		struct zone_entry *e = zone_table_find(t, origin);
		if (e != NULL && e->option != NULL) {
			(void)load_twice(o, report);
			unmatch(t);
			return false;
		}
		if (e == NULL)
			e = zone_table_add(t, origin);
		if (e == NULL) {
			say_event("error", "no_memory");
			unmatch(t);
			return false;
		}
		e->option = z;
		e->loaded = versions[i];
	}
	return true;
}

/* ---- renewing ---- */

/* A zone that is new. */
static void begin_zone(struct manager *m, struct zone_entry *e)
{
	zone_entry_say(e, e->option);
	e->now.version = e->loaded;
	version_keep(e->loaded);
	e->changed = !mrg_dns_zone_is_absent(e->loaded->zone);
	m->keeper.dirty = true;
	if (e->option->primaries != NULL)
		zone_keeper_ask(&m->keeper, e);
}

/* A zone that there was before, with what is said of it now. */
static void renew_zone(struct manager *m, struct zone_entry *e)
{
	const struct zone_option *const option = e->option;
	const bool read =
		e->loaded != NULL && (option->primaries == NULL || !mrg_dns_zone_is_absent(e->loaded->zone));
	zone_entry_say(e, option);
	e->owner = NULL; /* what the configuration says counts more than what a catalog does */
	m->keeper.dirty = true;
	if (e->secondary != NULL && option->primaries == NULL) {
		secondaries_end(e->secondary);
		e->secondary = NULL;
	}
	if (read)
		replace(m, e, e->loaded);
	if (e->secondary != NULL) {
		secondaries_change(e->secondary, &(struct secondary_what){ option, m->keeper.settings });
		secondaries_check(e->secondary);
	} else if (option->primaries != NULL) {
		zone_keeper_ask(&m->keeper, e);
	}
}

/* Zones that are catalogs no more, and those that are now. */
static void take_catalogs(struct manager *m)
{
	struct catalog *next;
	for (struct catalog *c = m->keeper.catalogs; c != NULL; c = next) {
		next = c->next;
		if (c->entry->option == NULL || !c->entry->option->catalog)
			catalogs_end(&m->keeper, c->entry);
	}
	for (size_t i = 0; i < m->keeper.zones.count; i++)
		if (m->keeper.zones.list[i]->option != NULL)
			(void)catalogs_take(&m->keeper, m->keeper.zones.list[i]);
}

/* Zones that are not in the configuration any more. A catalog may list them; what is put last by that is none of them. */
static void remove_others(struct manager *m)
{
	for (size_t i = m->keeper.zones.count; i-- > 0;) {
		struct zone_entry *const e = m->keeper.zones.list[i];
		if (e->option != NULL || e->owner != NULL)
			continue;
		uint8_t name[MRG_DNS_MAX_NAME];
		const struct mrg_span origin = { name, e->origin_len };
		memcpy(name, e->origin, e->origin_len);
		zone_keeper_remove(&m->keeper, e);
		catalogs_claim(&m->keeper, origin);
	}
}

static void renew(struct manager *m)
{
	for (size_t i = 0; i < m->keeper.zones.count; i++) {
		struct zone_entry *const e = m->keeper.zones.list[i];
		if (e->option != NULL && e->now.version == NULL)
			begin_zone(m, e);
		else if (e->option != NULL)
			renew_zone(m, e);
	}
	take_catalogs(m);
	catalogs_renew(&m->keeper);
	remove_others(m);
	for (size_t i = 0; i < m->keeper.zones.count; i++) {
		m->keeper.zones.list[i]->option = NULL;
		m->keeper.zones.list[i]->loaded = NULL;
	}
}

/* ---- all ---- */

/* A secondary goes on with what it holds: its file is older. */
static bool is_held(void *ctx, const struct zone_option *z)
{
	const struct manager *const m = ctx;
	const struct zone_entry *const e =
		zone_table_find(&m->keeper.zones, (struct mrg_span){ z->origin, z->origin_len });
	return z->primaries != NULL && e != NULL && e->secondary != NULL;
}

/* Everything that the settings say, or nothing at all. */
static bool take_settings(struct manager *m, struct settings *s, const struct report *report)
{
	const struct load_which which = { .ctx = m, .held = is_held };
	const size_t count = s->options.zones.count;
	struct version **const versions = calloc(count, sizeof(struct version *));
	if (versions == NULL || load_zones(&s->options, true, report, &which, versions) != OUTCOME_OK) {
		free(versions);
		return false;
	}
	const bool taken = match(&m->keeper.zones, &s->options, versions, report);
	if (taken) {
		struct settings *const before = m->keeper.settings;
		m->keeper.settings = s;
		settings_keep(s);
		renew(m);
		settings_drop(before);
	}
	for (size_t i = 0; i < count; i++)
		if (versions[i] != NULL)
			version_drop(versions[i]);
	free(versions);
	return taken;
}

/* What can't be changed while it runs. */
static void tell_fixed(const char *option)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "warn", "needs_restart");
	mrg_rt_line_str(&l, "option", option);
	mrg_rt_log_line(&stderr_log, &l);
}

const char *reload_all(struct manager *m)
{
	struct faults faults = { .count = 0 };
	const struct report report = { .ctx = &faults, .fault = take_fault };
	const uint64_t start = mrg_unix_now_ns();
	struct settings *s;
	say_to(&(struct say_listener){ .ctx = &faults, .take = take_words });
	const bool read = settings_again(&s, m->keeper.settings);
	say_to(NULL);
	if (!read)
		return failed(&faults, "the old zones are");
	const bool taken = take_settings(m, s, &report);
	if (taken) {
		settings_differ(&m->first->options, &s->options, tell_fixed);
		s->options.answering.server.udp_max =
			m->first->options.answering.server.udp_max; /* that there is room for */
	}
	settings_drop(s);
	if (!taken)
		return failed(&faults, "the old zones are");
	if (!manager_serve(m))
		return "not enough memory";
	manager_said("reloaded", m->control, m->control->current, mrg_unix_now_ns() - start);
	return NULL;
}
