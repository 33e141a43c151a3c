/* Versions of zones: see version.h. */
#include <errno.h>

#include "appliances/dns/version.h"
#include "appliances/dns/system.h"
#include "protocols/dns/zone_diff.h"

enum {
	LEAST = 1 << 20,      /* octets of address space that a zone can do with, if there is no more */
	HISTORY_MIN = 1 << 20 /* octets of changes that are remembered in any case */
};

/* The same for the tables of a version, as there is of it: no zone has more nodes than 2^31. */
static const size_t TABLES = (size_t)32 << 30;

/* A version that lies in an arena that has nothing else in it yet. */
static struct version *put_version(struct mrg_arena arena, bool small)
{
	struct nodes *const nodes = mrg_arena_get(&arena, sizeof *nodes, _Alignof(struct nodes));
	struct version *const v = mrg_arena_get(&arena, sizeof *v, _Alignof(struct version));
	atomic_init(&nodes->users, 1);
	nodes->arena = arena;
	nodes->small = small;
	atomic_init(&v->users, 1);
	v->nodes = nodes;
	return v;
}

int version_begin(struct version **out, size_t reserve)
{
	struct mrg_arena arena;
	const int err = system_arena_open(&arena, reserve > LEAST ? reserve : LEAST, LEAST);
	if (err == 0)
		*out = put_version(arena, false);
	return err;
}

/* There may be more of them than a process may have mappings. */
int version_absent(struct version **out, struct mrg_span origin)
{
	enum { SIZE = 4096 /* octets */ };
	uint8_t *const p = system_get(SIZE);
	if (p == NULL)
		return ENOMEM;
	struct version *const v = put_version((struct mrg_arena){ .p = p, .cap = SIZE }, true);
	if (mrg_dns_zone_absent(&v->nodes->arena, origin, &v->zone) != MRG_OK) {
		version_drop(v);
		return ENOMEM;
	}
	*out = v;
	return 0;
}

int version_change(struct version **out, const struct version *held)
{
	struct mrg_arena tables;
	const int err = system_arena_open(&tables, TABLES, LEAST);
	if (err != 0)
		return err;
	struct version *const v = mrg_arena_get(&tables, sizeof *v, _Alignof(struct version));
	atomic_init(&v->users, 1);
	atomic_fetch_add_explicit(&held->nodes->users, 1, memory_order_relaxed);
	v->nodes = held->nodes;
	v->tables = tables;
	*out = v;
	return 0;
}

size_t version_history(const struct version *v)
{
	const size_t half = v->nodes->arena.len / 2;
	return half > HISTORY_MIN ? half : (size_t)HISTORY_MIN;
}

/* Most of the room is for what comes. Who has a version that is too old for what is remembered gets all of the zone. */
static void copy_history(struct version *v, struct mrg_arena *to, const struct mrg_dns_step *newest)
{
	enum { SHARE = 4 };
	const size_t room = (to->cap - to->len) / SHARE, most = version_history(v);
	if (mrg_dns_history_copy(to, newest, room < most ? room : most, &v->newest) != MRG_OK)
		v->newest = NULL;
}

void version_remember(struct version *v, const struct mrg_dns_step *newest)
{
	copy_history(v, &v->tables, newest);
	system_arena_trim(&v->tables);
}

/* The same version in an arena of its own. */
static int rebuild(struct version **out, const struct version *old, size_t reserve)
{
	struct mrg_arena arena, scratch;
	int err = system_arena_open(&arena, reserve, reserve < LEAST ? reserve : (size_t)LEAST);
	if (err != 0)
		return err;
	struct version *const fresh = put_version(arena, false);
	struct mrg_arena *const nodes = &fresh->nodes->arena;
	err = system_arena_open(&scratch, MRG_DNS_ZONE_REBUILD_SCRATCH, MRG_DNS_ZONE_REBUILD_SCRATCH);
	if (err == 0) {
		if (mrg_dns_zone_rebuild(old->zone, nodes, &scratch, &fresh->zone, NULL) != MRG_OK)
			err = ENOMEM;
		system_arena_close(&scratch);
	}
	if (err != 0) {
		version_drop(fresh);
		return err;
	}
	copy_history(fresh, nodes, old->newest);
	*out = fresh;
	return 0;
}

int version_rebuild(struct version **out, const struct version *old)
{
	const size_t cap = old->nodes->arena.cap;
	const int err = rebuild(out, old, cap > VERSION_ANY_SIZE ? cap : VERSION_ANY_SIZE);
	if (err == 0)
		system_arena_trim(&(*out)->nodes->arena);
	return err;
}

void version_compact(struct version **v)
{
	struct version *const old = *v;
	if (mrg_dns_zone_rebuild_due(old->zone, &old->nodes->arena) && version_rebuild(v, old) == 0)
		version_drop(old);
}

void version_settle(struct version **v)
{
	struct version *const old = *v;
	const size_t size = system_arena_fit(&old->nodes->arena);
	if (size != 0 && rebuild(v, old, size) == 0) {
		version_drop(old);
		return;
	}
	system_arena_trim(old->tables.p != NULL ? &old->tables : &old->nodes->arena);
	version_compact(v);
}

/* What changes take is not known before. */
void version_follow(struct version *made, const struct version *before)
{
	struct mrg_arena scratch;
	struct mrg_arena *const nodes = &made->nodes->arena;
	const struct mrg_dns_step *known = NULL, *newest;
	const size_t most = version_history(made), mark = nodes->len;
	if (mrg_dns_zone_is_absent(before->zone) || mrg_dns_zone_is_absent(made->zone) ||
		system_arena_open(&scratch, MRG_DNS_ZONE_DIFF_SCRATCH + most, LEAST) != 0)
		return;
	bool good = mrg_dns_history_copy(nodes, before->newest, most, &known) == MRG_OK;
	newest = known;
	if (good && mrg_dns_zone_serial(before->zone) != mrg_dns_zone_serial(made->zone))
		good = mrg_dns_zone_diff(before->zone, made->zone, &scratch, nodes, known, &newest) == MRG_OK;
	if (good) {
		made->newest = newest;
	} else {
		memset(nodes->p + mark, 0, nodes->len - mark);
		nodes->len = mark;
	}
	system_arena_close(&scratch);
}

bool version_expire(const struct version *v, uint64_t now_s, uint32_t *seconds)
{
	const uint64_t at = atomic_load_explicit(&v->expires_s, memory_order_relaxed);
	if (at == 0)
		return false;
	*seconds = at > now_s ? (uint32_t)(at - now_s) : 0;
	return true;
}

void version_keep(struct version *v) { atomic_fetch_add_explicit(&v->users, 1, memory_order_relaxed); }

static bool last_user(atomic_uint *users)
{
	return atomic_fetch_sub_explicit(users, 1, memory_order_acq_rel) == 1;
}

void version_drop(struct version *v)
{
	if (!last_user(&v->users))
		return;
	struct nodes *const nodes = v->nodes;
	struct mrg_arena tables = v->tables;
	if (tables.p != NULL)
		system_arena_close(&tables);
	if (!last_user(&nodes->users))
		return;
	struct mrg_arena arena = nodes->arena; /* which nodes lie in */
	if (nodes->small)
		system_put(arena.p, arena.cap);
	else
		system_arena_close(&arena);
}

/* ---- databases ---- */

/* An index of the zones that are hidden, or of the others. */
static enum mrg_status make_index(struct database *db, bool hidden, const struct mrg_dns_zone **zones)
{
	size_t some = 0;
	for (size_t i = 0; i < db->count; i++) {
		const bool is_hidden = zone_option_hidden(db->zones[i].option);
		zones[i] = is_hidden == hidden ? db->zones[i].version->zone : NULL;
		some += is_hidden == hidden;
	}
	if (hidden && some == 0)
		return MRG_OK;
	return mrg_dns_db_init(hidden ? &db->hidden : &db->index, &db->arena, zones, db->count);
}

static const struct served *find(
	const struct database *db, const struct mrg_dns_db *index, const struct mrg_dns_name_flat *name)
{
	const struct mrg_dns_zone *const zone = mrg_dns_db_find(index, name, 0);
	if (zone == NULL ||
		!mrg_dns_name_flat_equal(mrg_dns_zone_origin(zone), mrg_dns_name_flat_from(name, 0)))
		return NULL;
	return &db->zones[mrg_dns_db_place(index, zone)];
}

/* Is a zone in both? */
static bool is_twice(const struct database *db)
{
	struct mrg_dns_name_flat name;
	for (size_t i = 0; i < db->count && db->hidden.zone_count != 0; i++)
		if (zone_option_hidden(db->zones[i].option) &&
			mrg_dns_name_flat_check(mrg_dns_zone_origin(db->zones[i].version->zone), &name) ==
				MRG_OK &&
			find(db, &db->index, &name) != NULL)
			return true;
	return false;
}

static enum mrg_status fill(struct database *db, const struct served *zones, size_t count)
{
	const struct mrg_dns_zone **const list =
		mrg_arena_get(&db->arena, count * sizeof *list, _Alignof(const struct mrg_dns_zone *));
	db->zones = mrg_arena_get(&db->arena, count * sizeof *db->zones, _Alignof(struct served));
	if (list == NULL || db->zones == NULL)
		return MRG_E_SPACE;
	db->count = count;
	for (size_t i = 0; i < count; i++) {
		db->zones[i] = zones[i];
		db->record_count += mrg_dns_zone_records(zones[i].version->zone);
	}
	enum mrg_status st = make_index(db, true, list);
	if (st == MRG_OK)
		st = make_index(db, false, list);
	return st == MRG_OK && is_twice(db) ? MRG_E_VALUE : st;
}

const struct served *database_named(const struct database *db, const struct mrg_dns_name_flat *name)
{
	const struct served *const z = find(db, &db->index, name);
	return z != NULL ? z : find(db, &db->hidden, name);
}

/* RFC 7314 4.2: as struct mrg_dns_states has it. */
static bool expire(void *ctx, const struct mrg_dns_zone *zone, uint64_t now_s, uint32_t *seconds)
{
	const struct database *const db = ctx;
	return version_expire(db->zones[mrg_dns_db_place(&db->index, zone)].version, now_s, seconds);
}

enum mrg_status database_new(
	struct database **out, struct settings *settings, const struct served *zones, size_t count)
{
	enum { EACH = 128, BASE = 1 << 16 }; /* octets: the lists, and two slots each of the indices */
	struct mrg_arena arena;
	const size_t size = BASE + count * EACH;
	if (system_arena_open(&arena, size, size) != 0)
		return MRG_E_SPACE;
	struct database *const db = mrg_arena_get(&arena, sizeof *db, _Alignof(struct database));
	db->arena = arena;
	db->settings = settings;
	db->server = settings->options.answering.server;
	db->server.keys = &settings->options.zones.table;
	db->states = (struct mrg_dns_states){ .ctx = db, .expire = expire };
	db->server.states = &db->states;
	db->server.db = &db->index;
	const enum mrg_status st = fill(db, zones, count);
	if (st != MRG_OK) {
		arena = db->arena; /* which db lies in */
		system_arena_close(&arena);
		return st;
	}
	settings_keep(settings);
	for (size_t i = 0; i < count; i++) {
		version_keep(db->zones[i].version);
		zone_option_keep(db->zones[i].option);
	}
	*out = db;
	return MRG_OK;
}

void database_free(struct database *db)
{
	struct mrg_arena arena = db->arena; /* which db lies in */
	for (size_t i = 0; i < db->count; i++) {
		version_drop(db->zones[i].version);
		zone_option_drop(db->zones[i].option);
	}
	settings_drop(db->settings);
	system_arena_close(&arena);
}
