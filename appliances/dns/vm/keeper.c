/*
 * Zones as they come and go in a virtual machine.
 * Reading order: serving, what comes of others, keeper_begin.
 */
#include "appliances/common/say.h"
#include "appliances/dns/said.h"
#include "appliances/dns/vm/keeper.h"
#include "appliances/dns/vm/memory.h"

enum {
	FETCHES = 4, /* transfers at once, where there are as many zones */
	LINE = 64    /* of a cache */
};

/* ---- serving ---- */

/* Between two batches: nothing of the old database is held. */
static bool serve(struct keeper *k)
{
	struct database *const old = k->db;
	for (size_t i = 0; i < k->count; i++)
		k->served[i] = k->list[i].now;
	switch (database_new(&k->db, k->settings, k->served, k->count)) {
	case MRG_OK: break;
	case MRG_E_VALUE: return said_no_zone(NULL, "two zones have the same origin");
	default: return said_no_zone(NULL, "too little memory"); /* what is served stays */
	}
	k->others.db = k->db;
	if (old != NULL)
		database_free(old);
	return true;
}

static void tell(struct keeper *k)
{
	for (size_t i = 0; i < k->count; i++) {
		struct keeper_zone *const one = &k->list[i];
		if (!one->changed)
			continue;
		one->changed = false;
		tellings_begin(&k->tellings, &one->now, k->app->loop.now_ns);
		if (one->secondary != NULL)
			said_zone(one->now.version->zone, NULL);
	}
}

/* What could not be served, since there was no memory, is tried again with the next change. */
static bool turn(void *ctx, uint64_t now_ns)
{
	struct keeper *const k = ctx;
	(void)now_ns;
	if (k->dirty && serve(k))
		tell(k);
	k->dirty = false;
	return true;
}

static void set_version(struct keeper_zone *one, struct version *v)
{
	one->changed = !mrg_dns_zone_is_absent(v->zone);
	version_keep(v);
	version_drop(one->now.version);
	one->now.version = v;
	one->all->dirty = true;
}

/* ---- what comes of others ---- */

/* As struct secondaries_user has it. */
static void serve_secondary(void *ctx, void *user, struct version *version)
{
	struct keeper_zone *const one = user;
	struct version *absent;
	(void)ctx;
	if (version != NULL) {
		set_version(one, version);
	} else if (version_absent(&absent, mrg_dns_zone_origin(one->now.version->zone)) == 0) {
		set_version(one, absent);
		version_drop(absent);
	}
}

static void take_dgram(void *ctx, const struct mrg_rt_addr *peer, struct mrg_span message, uint64_t now_ns)
{
	struct keeper *const k = ctx;
	const bool told = k->tellings.list != NULL && tellings_take(&k->tellings, peer, message);
	if (!told && k->secondaries != NULL)
		(void)secondaries_take(k->secondaries, peer, message, now_ns);
}

static void notified(void *ctx, const struct mrg_dns_notify *n, const struct mrg_rt_addr *peer)
{
	const struct keeper *const k = ctx;
	const struct served *const z = database_named(k->db, &n->zone);
	const uint32_t *const serial = n->has_serial ? &n->serial : NULL;
	said_notified(mrg_dns_name_flat_from(&n->zone, 0), peer, serial);
	struct secondary_zone *const secondary = z != NULL ? k->list[z - k->db->zones].secondary : NULL;
	if (secondary != NULL)
		secondaries_notified(secondary, peer, serial);
}

/* ---- the whole ---- */

bool keeper_init(struct keeper *k, struct vm_app *app, struct settings *settings, size_t most)
{
	*k = (struct keeper){ .app = app, .settings = settings, .cap = most };
	k->list = mrg_arena_get(&app->arena, most * sizeof *k->list, _Alignof(struct keeper_zone));
	k->served = mrg_arena_get(&app->arena, most * sizeof *k->served, _Alignof(struct served));
	return k->list != NULL && k->served != NULL;
}

void keeper_add(struct keeper *k, const struct zone_option *option, struct version *version)
{
	k->list[k->count++] = (struct keeper_zone){
		.all = k, .now = { version, option }, .changed = version != NULL && option->notify != NULL
	};
}

static bool is_any(const struct keeper *k, bool (*is)(const struct zone_option *z))
{
	for (size_t i = 0; i < k->count; i++)
		if (is(k->list[i].now.option))
			return true;
	return false;
}

static bool has_primaries(const struct zone_option *z) { return z->primaries != NULL; }

static bool has_copies(const struct zone_option *z) { return z->notify != NULL; }

static bool is_sent(const struct zone_option *z) { return z->transfer != NULL; }

/* Memory of its own, before the rest of the arena is for what comes and goes. */
static bool own_arena(struct mrg_arena *all, size_t size, struct mrg_arena *out)
{
	*out = (struct mrg_arena){ .p = mrg_arena_get(all, size, LINE), .cap = size };
	return out->p != NULL;
}

static bool make_secondaries(struct keeper *k)
{
	const struct secondaries_user user = { .ctx = k, .serve = serve_secondary };
	const struct system_loop loop = { &k->app->loop.timers, &k->app->loop.now_ns };
	struct mrg_arena *const all = &k->app->arena, *const arena = mrg_arena_get(all, sizeof *arena, LINE);
	size_t zones = 0;
	for (size_t i = 0; i < k->count; i++)
		zones += has_primaries(k->list[i].now.option);
	k->secondaries = mrg_arena_get(all, sizeof *k->secondaries, LINE);
	if (arena == NULL || k->secondaries == NULL ||
		!own_arena(all, secondaries_memory(zones < FETCHES ? zones : (size_t)FETCHES), arena))
		return false;
	secondaries_init(k->secondaries, &loop, &k->outward.out, arena, &user);
	return true;
}

/* What is needed by what is said of the zones, and no more: there may be little memory. */
static bool make_parts(struct keeper *k)
{
	k->outward.out.ctx = k;
	k->outward.out.take = take_dgram;
	k->others = (struct others){ .sendings = &k->sendings, .ctx = k, .notified = notified };
	if (is_any(k, is_sent) && !own_arena(&k->app->arena, sendings_memory(), &k->sending_arena))
		return false;
	sendings_init(&k->sendings, &k->sending_arena);
	if ((is_any(k, has_primaries) || is_any(k, has_copies)) &&
		!outward_own_init(&k->outward, k->app->stack))
		return false;
	if (is_any(k, has_copies) &&
		!tellings_init(&k->tellings, &k->outward.out, &k->app->arena, &k->app->loop.timers))
		return false;
	return !is_any(k, has_primaries) || make_secondaries(k);
}

static bool keep(struct keeper_zone *one)
{
	const struct zone_option *const z = one->now.option;
	struct version *const held = one->now.version;
	if (held == NULL &&
		version_absent(&one->now.version, (struct mrg_span){ z->origin, z->origin_len }) != 0)
		return false;
	if (z->primaries == NULL)
		return true;
	const struct secondary_what what = { z, one->all->settings };
	one->secondary = secondaries_keep(one->all->secondaries, one, &what, held, 0);
	return one->secondary != NULL;
}

bool keeper_begin(struct keeper *k, size_t most)
{
	bool good = make_parts(k) && (k->secondaries == NULL || memory_area(&most));
	for (size_t i = 0; i < k->count && good; i++)
		good = keep(&k->list[i]);
	if (!good)
		return said_no_zone(NULL, "too little memory");
	if (!serve(k))
		return false;
	tell(k);
	k->app->turn = (struct vm_turn){ .ctx = k, .turn = turn };
	return true;
}
