/*
 * Zones as they come and go in a virtual machine.
 * Reading order: serving, updates, what is needed, keeper_begin.
 */
#include "appliances/common/say.h"
#include "appliances/dns/said.h"
#include "appliances/dns/system.h"
#include "appliances/dns/vm/keeper.h"
#include "appliances/dns/vm/memory.h"

enum {
	FETCHES = 4,  /* transfers at once, where there are as many zones */
	UPDATES = 16, /* that wait at most */
	LINE = 64     /* of a cache */
};

/* ---- serving ---- */

/* Between two batches: nothing of the old database is held. Where there is no memory what is served stays. */
static bool serve(struct keeper *k)
{
	struct database *const old = k->db, *const db = zone_keeper_database(&k->zones);
	if (db == NULL)
		return false;
	k->db = db;
	k->others.db = db;
	if (old != NULL)
		database_free(old);
	zone_keeper_served(&k->zones);
	return true;
}

static void notified(void *ctx, const struct mrg_dns_notify *n, const struct mrg_rt_addr *peer)
{
	struct keeper *const k = ctx;
	zone_keeper_notified(
		&k->zones, mrg_dns_name_flat_from(&n->zone, 0), peer, n->has_serial ? &n->serial : NULL);
}

/* ---- updates ---- */

struct keeper_update {
	struct keeper_update *next;
	struct mrg_dns_name_flat zone;
	struct mrg_dgram_end *end; /* over UDP, else NULL */
	struct mrg_dns_ticket ticket;
	struct mrg_rt_addr peer, asked; /* who, and over UDP at which address */
	struct mrg_dns_auth auth;
	size_t len;
	uint8_t message[];
};

/* The turn that follows does one. */
static void come_back(struct mrg_rt_timer *t, uint64_t now_ns)
{
	(void)t;
	(void)now_ns;
}

static void call_turn(struct keeper *k)
{
	mrg_rt_timer_set(&k->app->loop.timers, &k->pace, k->app->loop.now_ns);
}

/* As `update` of struct others: what is answered from meanwhile must not change. */
static bool wait_for_turn(void *ctx, struct mrg_span message, const struct mrg_dns_name_flat *zone,
	const struct mrg_dns_auth *auth, const struct reply_to *to)
{
	struct keeper *const k = ctx;
	struct keeper_update *const u = k->waiting < UPDATES ? system_get(sizeof *u + message.len) : NULL;
	if (u == NULL)
		return false;
	u->zone = *zone;
	u->end = to->end;
	u->ticket = to->ticket;
	u->peer = *to->peer;
	if (to->end != NULL)
		to->end->ops->asked(to->end, to->index, &u->asked);
	u->auth = *auth;
	u->len = message.len;
	memcpy(u->message, message.p, message.len);
	*(k->last != NULL ? &k->last->next : &k->first) = u;
	k->last = u;
	k->waiting++;
	call_turn(k);
	return true;
}

static void answer(struct keeper *k, const struct keeper_update *u, struct mrg_span reply)
{
	if (u->end == NULL)
		(void)mrg_dns_streams_reply(k->streams, u->ticket, reply, k->app->loop.now_ns);
	else if (reply.len != 0)
		(void)u->end->ops->send(u->end, &u->asked, &u->peer, reply);
}

/* The one that has waited longest: done, served, and only then answered. */
static void update_next(struct keeper *k)
{
	enum { REPLY = 1024 /* octets: it has no records but a signature */ };
	struct keeper_update *const u = k->first;
	const struct updating what = {
		.message = { u->message, u->len }, .peer = &u->peer, .auth = &u->auth
	};
	uint8_t reply[REPLY];
	bool changed;
	unsigned rcode = zone_keeper_update(&k->zones, mrg_dns_name_flat_from(&u->zone, 0), &what, &changed);
	if (changed && !serve(k))
		rcode = MRG_DNS_RCODE_SERVFAIL;
	answer(k, u, (struct mrg_span){ reply, updating_reply(&what, rcode, reply, sizeof reply) });
	k->first = u->next;
	if (u->next == NULL)
		k->last = NULL;
	k->waiting--;
	system_put(u, sizeof *u + u->len);
	if (k->first != NULL)
		call_turn(k);
}

/* What could not be served, since there was no memory, is tried again with the next change. */
static bool turn(void *ctx, uint64_t now_ns)
{
	struct keeper *const k = ctx;
	(void)now_ns;
	if (k->first != NULL)
		update_next(k);
	catalogs_turn(&k->zones);
	if (k->zones.dirty)
		(void)serve(k);
	k->zones.dirty = false;
	return true;
}

/* ---- what is needed ---- */

bool keeper_init(struct keeper *k, struct vm_app *app, struct settings *settings, size_t most)
{
	*k = (struct keeper){ .app = app,
		.zones = { .settings = settings, .loop = { &app->loop.timers, &app->loop.now_ns } },
		.pace = { .fire = come_back } };
	k->said = mrg_arena_get(&app->arena, most * sizeof *k->said, _Alignof(struct served));
	return k->said != NULL;
}

void keeper_add(struct keeper *k, const struct zone_option *option, struct version *version)
{
	k->said[k->said_count++] = (struct served){ version, option };
}

/* How many of the zones; and of what members of catalogs may be as. */
static size_t count_of(const struct keeper *k, bool (*is)(const struct zone_option *z))
{
	size_t count = 0;
	for (size_t i = 0; i < k->said_count; i++)
		count += is(k->said[i].option);
	for (const struct zone_template *t = k->zones.settings->options.zones.templates; t != NULL;
		t = t->next)
		count += is(&t->zone);
	return count;
}

static bool has_primaries(const struct zone_option *z) { return z->primaries != NULL; }

static bool has_copies(const struct zone_option *z) { return z->notify != NULL; }

static bool is_sent(const struct zone_option *z) { return z->transfer != NULL; }

static bool is_updated(const struct zone_option *z) { return z->update != NULL; }

static bool is_catalog(const struct zone_option *z) { return z->catalog; }

/* Memory of its own, before the rest of the arena is for what comes and goes. */
static bool own_arena(struct mrg_arena *all, size_t size, struct mrg_arena *out)
{
	*out = (struct mrg_arena){ .p = mrg_arena_get(all, size, LINE), .cap = size };
	return out->p != NULL;
}

static bool make_secondaries(struct keeper *k, size_t zones)
{
	const struct secondaries_user user = { .ctx = &k->zones, .serve = zone_keeper_serve_secondary };
	struct mrg_arena *const all = &k->app->arena, *const arena = mrg_arena_get(all, sizeof *arena, LINE);
	k->secondaries = mrg_arena_get(all, sizeof *k->secondaries, LINE);
	if (arena == NULL || k->secondaries == NULL ||
		!own_arena(all, secondaries_memory(zones < FETCHES ? zones : (size_t)FETCHES), arena))
		return false;
	secondaries_init(k->secondaries, &k->zones.loop, &k->outward.out, arena, &user);
	k->zones.secondaries = k->secondaries;
	return true;
}

static bool make_tellings(struct keeper *k)
{
	k->zones.tellings = &k->tellings;
	return tellings_init(&k->tellings, &k->outward.out, &k->app->arena, &k->app->loop.timers);
}

/* What is needed by what is said of the zones, and no more: there may be little memory. */
static bool make_parts(struct keeper *k)
{
	const bool copied = count_of(k, has_copies) != 0;
	const size_t fetched = count_of(k, is_catalog) != 0 ? (size_t)FETCHES : count_of(k, has_primaries);
	k->outward.out.ctx = &k->zones;
	k->outward.out.take = zone_keeper_heard;
	k->others = (struct others){
		.sendings = &k->sendings, .ctx = k, .notified = notified, .update = wait_for_turn
	};
	if (count_of(k, is_sent) != 0 && !own_arena(&k->app->arena, sendings_memory(), &k->sending_arena))
		return false;
	sendings_init(&k->sendings, &k->sending_arena);
	if ((fetched != 0 || copied) && !outward_own_init(&k->outward, k->app->stack))
		return false;
	return (!copied || make_tellings(k)) && (fetched == 0 || make_secondaries(k, fetched));
}

/* ---- the whole ---- */

static bool keep(struct keeper *k, const struct served *one)
{
	const struct zone_option *const z = one->option;
	const struct mrg_span origin = { z->origin, z->origin_len };
	struct version *v = one->version;
	if (zone_table_find(&k->zones.zones, origin) != NULL)
		return said_no_zone(z->text, "two zones have the same origin");
	if ((v == NULL && version_absent(&v, origin) != 0) || zone_keeper_add(&k->zones, z, v) == NULL)
		return said_no_zone(z->text, "too little memory");
	version_drop(v);
	return true;
}

bool keeper_begin(struct keeper *k, size_t most, struct mrg_dns_streams *streams)
{
	k->streams = streams;
	if (!make_parts(k))
		return said_no_zone(NULL, "too little memory");
	if ((k->secondaries != NULL || count_of(k, is_updated) != 0) && !memory_area(&most))
		return said_no_zone(NULL, "too little memory");
	for (size_t i = 0; i < k->said_count; i++)
		if (!keep(k, &k->said[i]))
			return false;
	catalogs_turn(&k->zones);
	if (!serve(k))
		return false;
	k->app->turn = (struct vm_turn){ .ctx = k, .turn = turn };
	return true;
}
