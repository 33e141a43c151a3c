/*
 * Catalogs and their members.
 * Reading order: log, one member (begin, change, claim, leave), a version that is read, catalogs that come and go.
 */
#include "appliances/dns/catalogs.h"
#include "appliances/common/say.h"
#include "appliances/dns/said.h"
#include "appliances/dns/system.h"
#include "appliances/dns/zone_keeper.h"

/* Octets of address space for what a catalog lists, and what one can do with. */
static const size_t RESERVE = (size_t)1 << 32;
enum { LEAST = 1 << 20 };

static const struct zone_option *option_of(const struct catalog *c) { return c->entry->now.option; }

/* ---- log ---- */

static void begin_line(struct mrg_rt_line *l, const char *level, const char *event, const struct catalog *c)
{
	mrg_rt_line_begin(l, level, event);
	said_name(l, "catalog", zone_entry_origin(c->entry));
}

static void log_member(
	const char *level, const char *event, const struct catalog *c, struct mrg_span name, const char *why)
{
	struct mrg_rt_line l;
	begin_line(&l, level, event, c);
	said_name(&l, "zone", name);
	if (why != NULL)
		mrg_rt_line_str(&l, "why", why);
	mrg_rt_log_line(&stderr_log, &l);
}

/* ---- one member ---- */

static void set_label(struct zone_entry *e, const struct mrg_dns_catalog_member *member)
{
	memcpy(e->label, member->label.p, member->label.len);
	e->label_len = member->label.len;
}

static bool same_label(const struct zone_entry *e, const struct mrg_dns_catalog_member *member)
{
	return mrg_span_eq_nocase((struct mrg_span){ e->label, e->label_len }, member->label);
}

/* What the catalog says of it now; false: there is no memory. */
static bool say_member(
	const struct catalog *c, struct zone_entry *e, const struct mrg_dns_catalog_member *member)
{
	const struct zone_option *const option = zone_option_member(
		option_of(c), zone_option_as(option_of(c), member->group), zone_entry_origin(e));
	if (option == NULL) {
		say_event("error", "no_memory");
		return false;
	}
	const struct zone_option *const before = e->owner != NULL ? e->now.option : NULL;
	if (before != NULL)
		zone_option_keep(before);
	zone_entry_say(e, option);
	zone_option_drop(option);
	if (before != NULL) {
		kept_move(before->file, e);
		zone_option_drop(before);
	}
	e->kept = e->kept && e->owner == c && same_label(e, member);
	set_label(e, member);
	e->owner = c;
	return true;
}

/* What was kept of it is served until its primaries say more, which are asked; there may be nothing yet. */
static void begin(struct zone_keeper *k, struct zone_entry *e)
{
	struct version *v = kept_load(&k->reader, e);
	if (v != NULL) {
		said_zone(v->zone, e->now.option->file);
		e->changed = k->telling = true;
	} else if (version_absent(&v, zone_entry_origin(e)) != 0) {
		say_event("error", "no_memory");
		return;
	}
	if (e->now.version != NULL)
		version_drop(e->now.version);
	e->now.version = v;
	k->dirty = true;
	zone_keeper_ask(k, e);
}

static void add(struct zone_keeper *k, const struct catalog *c, const struct mrg_dns_catalog_member *member)
{
	struct zone_entry *const e = zone_table_add(&k->zones, member->name);
	if (e != NULL && say_member(c, e, member)) {
		begin(k, e);
		if (e->now.version != NULL) {
			log_member("info", "member_added", c, member->name, NULL);
			return;
		}
	}
	if (e != NULL)
		zone_table_remove(&k->zones, e);
	else
		say_event("error", "no_memory");
}

/* Nothing that was known of it counts any more.  RFC 9432 5.4 */
static void reset(struct zone_keeper *k, const struct catalog *c, struct zone_entry *e)
{
	log_member("info", "member_reset", c, zone_entry_origin(e), NULL);
	if (e->secondary != NULL)
		secondaries_end(e->secondary);
	e->secondary = NULL;
	kept_forget(e);
	begin(k, e);
}

/* It stays, with what the catalog says of it now. */
static void change(struct zone_keeper *k, const struct catalog *c, struct zone_entry *e,
	const struct mrg_dns_catalog_member *member)
{
	const bool same = same_label(e, member);
	if (!say_member(c, e, member))
		return;
	k->dirty = true;
	if (!same)
		reset(k, c, e);
	else if (e->secondary != NULL)
		secondaries_change(e->secondary, &(struct secondary_what){ e->now.option, k->settings });
}

/* Does the catalog that has the zone say that it is to go to this one?  RFC 9432 4.3.1 */
static bool goes_to(const struct zone_entry *e, const struct catalog *c)
{
	const struct mrg_dns_catalog_member *const member =
		mrg_dns_catalog_find(&e->owner->listed, zone_entry_origin(e));
	return member != NULL && member->coo.len != 0 &&
	       mrg_dns_name_flat_equal(member->coo, zone_entry_origin(c->entry));
}

static void claim(struct zone_keeper *k, const struct catalog *c, const struct mrg_dns_catalog_member *member)
{
	struct zone_entry *const e = zone_table_find(&k->zones, member->name);
	if (e == NULL) {
		add(k, c, member);
	} else if (e->owner == c) {
		if (!same_label(e, member) ||
			e->now.option->as != zone_option_as(option_of(c), member->group))
			change(k, c, e, member);
	} else if (e->owner != NULL && goes_to(e, c)) {
		log_member("info", "member_moved", c, member->name, NULL);
		change(k, c, e, member);
	} else { /* RFC 9432 5.2 */
		log_member("error", "member_refused", c, member->name,
			e->owner != NULL ? "another catalog has it" : "the configuration has it");
	}
}

void catalogs_claim(struct zone_keeper *k, struct mrg_span name)
{
	for (const struct catalog *c = k->catalogs; c != NULL; c = c->next) {
		const struct mrg_dns_catalog_member *const member = mrg_dns_catalog_find(&c->listed, name);
		if (member != NULL) {
			claim(k, c, member);
			return;
		}
	}
}

/* It is listed no more. If it was served for that, it is gone, or another catalog's; its file only if that is the catalog's own word. */
static void leave(struct zone_keeper *k, const struct catalog *c, struct mrg_span name, bool said)
{
	struct zone_entry *const e = zone_table_find(&k->zones, name);
	if (e == NULL || e->owner != c)
		return;
	if (said)
		kept_forget(e);
	zone_keeper_remove(k, e);
	catalogs_claim(k, name);
}

/* ---- a version ---- */

static struct catalog *find(const struct zone_keeper *k, struct mrg_span name)
{
	struct catalog *c = k->catalogs;
	while (c != NULL && !mrg_dns_name_flat_equal(zone_entry_origin(c->entry), name))
		c = c->next;
	return c;
}

/* What another catalog lists already, and this one gives away since now. */
static void give_away(struct zone_keeper *k, const struct mrg_dns_catalog_member *member)
{
	const struct catalog *const to = member->coo.len != 0 ? find(k, member->coo) : NULL;
	const struct mrg_dns_catalog_member *const there =
		to != NULL ? mrg_dns_catalog_find(&to->listed, member->name) : NULL;
	if (there != NULL)
		claim(k, to, there);
}

/* From what was listed to what is.  Cost: O(members of both). */
static void go_over(struct zone_keeper *k, struct catalog *c, const struct mrg_dns_catalog *before)
{
	const struct mrg_dns_catalog *const now = &c->listed;
	for (size_t i = 0; i < before->count; i++)
		if (mrg_dns_catalog_find(now, before->members[i].name) == NULL)
			leave(k, c, before->members[i].name, true);
	for (size_t i = 0; i < now->count; i++)
		claim(k, c, &now->members[i]);
	for (size_t i = 0; i < now->count; i++)
		give_away(k, &now->members[i]);
}

static void log_broken(
	const struct catalog *c, enum mrg_dns_catalog_fault fault, const struct mrg_dns_name_flat *where)
{
	struct mrg_rt_line l;
	begin_line(&l, "error", "catalog_broken", c);
	mrg_rt_line_num(&l, "serial", mrg_dns_zone_serial(c->read->zone));
	said_name(&l, "name", mrg_dns_name_flat_from(where, 0));
	mrg_rt_line_str(&l, "why", mrg_dns_catalog_fault_str(fault));
	mrg_rt_log_line(&stderr_log, &l);
}

static void log_read(const struct catalog *c)
{
	struct mrg_rt_line l;
	begin_line(&l, "info", "catalog", c);
	mrg_rt_line_num(&l, "serial", mrg_dns_zone_serial(c->read->zone));
	mrg_rt_line_num(&l, "members", c->listed.count);
	mrg_rt_log_line(&stderr_log, &l);
}

/* A broken one changes nothing (RFC 9432 5.1), nor does one that has expired. */
static void read_version(struct zone_keeper *k, struct catalog *c)
{
	struct mrg_arena arena, old = c->arena;
	struct mrg_dns_catalog listed, before = c->listed;
	struct mrg_dns_name_flat where;
	if (system_arena_open(&arena, RESERVE, LEAST) != 0) {
		say_event("error", "no_memory");
		return;
	}
	const enum mrg_dns_catalog_fault fault = mrg_dns_catalog_read(c->read->zone, &arena, &listed, &where);
	if (fault != MRG_DNS_CATALOG_SOUND) {
		log_broken(c, fault, &where);
		system_arena_close(&arena);
		return;
	}
	system_arena_trim(&arena);
	c->arena = arena;
	c->listed = listed;
	log_read(c);
	go_over(k, c, &before);
	system_arena_close(&old);
}

void catalogs_turn(struct zone_keeper *k)
{
	for (struct catalog *c = k->catalogs; c != NULL; c = c->next) {
		struct version *const v = c->entry->now.version;
		if (v == c->read || mrg_dns_zone_is_absent(v->zone))
			continue;
		version_keep(v);
		if (c->read != NULL)
			version_drop(c->read);
		c->read = v;
		read_version(k, c);
	}
	kept_reader_close(&k->reader);
}

/* ---- catalogs that come and go ---- */

bool catalogs_take(struct zone_keeper *k, struct zone_entry *e)
{
	if (e->now.option->catalog == (e->catalog != NULL))
		return true;
	if (e->catalog != NULL) {
		catalogs_end(k, e);
		return true;
	}
	struct catalog *const c = system_get(sizeof *c);
	if (c == NULL) {
		say_event("error", "no_memory");
		return false;
	}
	c->entry = e;
	c->next = k->catalogs;
	k->catalogs = c;
	e->catalog = c;
	return true;
}

void catalogs_end(struct zone_keeper *k, struct zone_entry *e)
{
	struct catalog *const c = e->catalog, **at = &k->catalogs;
	if (c == NULL)
		return;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	e->catalog = NULL;
	for (size_t i = 0; i < c->listed.count; i++)
		leave(k, c, c->listed.members[i].name, false);
	if (c->read != NULL)
		version_drop(c->read);
	system_arena_close(&c->arena);
	system_put(c, sizeof *c);
}

void catalogs_renew(struct zone_keeper *k)
{
	for (const struct catalog *c = k->catalogs; c != NULL; c = c->next) {
		for (size_t i = 0; i < c->listed.count; i++) {
			const struct mrg_dns_catalog_member *const member = &c->listed.members[i];
			struct zone_entry *const e = zone_table_find(&k->zones, member->name);
			if (e != NULL && e->owner == c)
				change(k, c, e, member);
		}
	}
}
