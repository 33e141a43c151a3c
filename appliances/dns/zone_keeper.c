/*
 * Zones that are kept.
 * Reading order: versions, zones that come and go, serving, what others say.
 */
#include "appliances/common/say.h"
#include "appliances/dns/said.h"
#include "appliances/dns/system.h"
#include "appliances/dns/zone_keeper.h"

/* ---- versions ---- */

void zone_keeper_set_version(struct zone_keeper *k, struct zone_entry *e, struct version *v)
{
	const struct mrg_dns_zone *const was = e->now.version->zone;
	if (!mrg_dns_zone_is_absent(v->zone) &&
		(mrg_dns_zone_is_absent(was) || mrg_dns_zone_serial(was) != mrg_dns_zone_serial(v->zone)))
		e->changed = k->telling = true;
	version_keep(v);
	version_drop(e->now.version);
	e->now.version = v;
	k->dirty = true;
}

void zone_keeper_serve_secondary(void *keeper, void *entry, struct version *version)
{
	struct zone_keeper *const k = keeper;
	struct zone_entry *const e = entry;
	struct version *absent;
	if (version != NULL) {
		zone_keeper_set_version(k, e, version);
	} else if (version_absent(&absent, zone_entry_origin(e)) == 0) {
		zone_keeper_set_version(k, e, absent);
		version_drop(absent);
	}
}

/* ---- zones that come and go ---- */

void zone_keeper_ask(struct zone_keeper *k, struct zone_entry *e)
{
	struct version *const v = e->now.version;
	e->secondary =
		secondaries_keep(k->secondaries, e, &(struct secondary_what){ e->now.option, k->settings },
			mrg_dns_zone_is_absent(v->zone) ? NULL : v, 0);
	if (e->secondary == NULL)
		say_event("error", "no_memory");
}

struct zone_entry *zone_keeper_add(
	struct zone_keeper *k, const struct zone_option *option, struct version *version)
{
	struct zone_entry *const e =
		zone_table_add(&k->zones, (struct mrg_span){ option->origin, option->origin_len });
	if (e == NULL)
		return NULL;
	zone_entry_say(e, option);
	version_keep(version);
	e->now.version = version;
	e->changed = !mrg_dns_zone_is_absent(version->zone);
	k->telling = k->telling || e->changed;
	if (option->primaries != NULL)
		zone_keeper_ask(k, e);
	return catalogs_take(k, e) ? e : NULL;
}

void zone_keeper_remove(struct zone_keeper *k, struct zone_entry *e)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "info", "zone_removed");
	said_name(&l, "origin", zone_entry_origin(e));
	mrg_rt_log_line(&stderr_log, &l);
	if (e->secondary != NULL)
		secondaries_end(e->secondary);
	if (k->tellings != NULL)
		tellings_end(k->tellings, zone_entry_origin(e));
	zone_table_remove(&k->zones, e);
	k->dirty = true;
}

/* ---- serving ---- */

struct database *zone_keeper_database(const struct zone_keeper *k)
{
	struct database *db = NULL;
	const size_t size = (k->zones.count + 1) * sizeof(struct served);
	struct served *const zones = system_get(size);
	for (size_t i = 0; zones != NULL && i < k->zones.count; i++)
		zones[i] = k->zones.list[i]->now;
	if (zones != NULL && database_new(&db, k->settings, zones, k->zones.count) != MRG_OK)
		db = NULL;
	if (zones != NULL)
		system_put(zones, size);
	if (db == NULL)
		say_event("error", "no_memory");
	return db;
}

void zone_keeper_served(struct zone_keeper *k)
{
	k->dirty = false;
	for (size_t i = 0; k->telling && i < k->zones.count; i++) {
		struct zone_entry *const e = k->zones.list[i];
		if (!e->changed)
			continue;
		if (k->tellings != NULL)
			tellings_begin(k->tellings, &e->now, *k->loop.now_ns);
		if (e->secondary != NULL)
			said_zone(e->now.version->zone, e->now.option->file);
		e->changed = false;
	}
	k->telling = false;
}

/* ---- what others say ---- */

void zone_keeper_notified(
	struct zone_keeper *k, struct mrg_span name, const struct mrg_rt_addr *peer, const uint32_t *serial)
{
	const struct zone_entry *const e = zone_table_find(&k->zones, name);
	said_notified(name, peer, serial);
	if (e != NULL && e->secondary != NULL)
		secondaries_notified(e->secondary, peer, serial);
}

void zone_keeper_heard(void *keeper, const struct mrg_rt_addr *peer, struct mrg_span message, uint64_t now_ns)
{
	struct zone_keeper *const k = keeper;
	const bool told = k->tellings != NULL && tellings_take(k->tellings, peer, message);
	if (!told && k->secondaries != NULL)
		(void)secondaries_take(k->secondaries, peer, message, now_ns);
}

unsigned zone_keeper_update(
	struct zone_keeper *k, struct mrg_span name, const struct updating *u, bool *changed)
{
	struct zone_entry *const e = zone_table_find(&k->zones, name);
	struct version *made;
	*changed = false;
	if (e == NULL || e->now.option->update == NULL)
		return MRG_DNS_RCODE_REFUSED; /* since a moment ago */
	const unsigned rcode = updating_do(u, &e->now, &made);
	if (made == NULL)
		return rcode;
	zone_keeper_set_version(k, e, made);
	version_drop(made);
	*changed = true;
	return rcode;
}
