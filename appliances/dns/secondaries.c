/*
 * Zones from elsewhere.
 * Reading order: what the protocol asks for (query, transfer, abandon, valid), what comes of it, keeping.
 */
#include <errno.h>
#include <sys/random.h>

#include "appliances/common/say.h"
#include "appliances/dns/secondaries.h"
#include "protocols/dns/refresh.h"

enum { QUERY_MAX = 1024, UDP_SIZE = 1232, DAY_S = 86400 };

/* What SOA records say is kept within these, as other servers do. */
static const struct mrg_dns_secondary_limits LIMITS = { .refresh_min_s = 1,
	.refresh_max_s = 28 * DAY_S,
	.retry_min_s = 1,
	.retry_max_s = 14 * DAY_S,
	.expire_min_s = 1,
	.expire_max_s = 365 * DAY_S,
	.answer_ns = 2u * MRG_RT_SECOND_NS };

/* ---- log ---- */

static void begin_line(
	struct mrg_rt_line *l, const char *level, const char *event, const struct secondary_zone *z)
{
	mrg_rt_line_begin(l, level, event);
	mrg_rt_line_str(l, "zone", z->option->text);
}

static const struct remote *primary_of(const struct secondary_zone *z, unsigned which)
{
	const struct remote *r = z->option->primaries;
	for (; which != 0 && r->next != NULL; which--)
		r = r->next;
	return r;
}

static void log_failed(struct secondary_zone *z, const char *event, const char *why)
{
	struct mrg_rt_line l;
	z->all->failures++;
	begin_line(&l, "warn", event, z);
	mrg_rt_line_addr(&l, "primary", &primary_of(z, z->s.primary)->addr);
	mrg_rt_line_str(&l, "why", why);
	mrg_rt_log_line(&stderr_log, &l);
}

static void log_fetched(const struct secondary_zone *z, const struct fetch *f)
{
	struct mrg_rt_line l;
	begin_line(&l, "info", "transfer_received", z);
	mrg_rt_line_addr(&l, "primary", &primary_of(z, z->s.primary)->addr);
	mrg_rt_line_str(&l, "kind", f->changes ? "ixfr" : "axfr");
	mrg_rt_line_num(&l, "serial", mrg_dns_zone_serial(z->held->zone));
	mrg_rt_line_num(&l, "records", f->records);
	mrg_rt_line_num(&l, "octets", f->octets);
	mrg_rt_line_num(&l, "took_us", f->took_ns / 1000u);
	mrg_rt_log_line(&stderr_log, &l);
}

/* ---- what the protocol asks for ---- */

/* The query, signed if the primary has a key. */
static bool put_query(struct secondary_zone *z, const struct remote *r, uint8_t *query, size_t *len)
{
	const struct mrg_span origin = { z->option->origin, z->option->origin_len };
	if (getrandom(&z->query_id, sizeof z->query_id, 0) != sizeof z->query_id)
		return false;
	if (mrg_dns_refresh_query(origin, z->query_id, UDP_SIZE, query, QUERY_MAX, len) != MRG_OK)
		return false;
	return r->key == NULL ||
	       mrg_dns_auth_ask(&z->auth, &r->key->tsig, mrg_unix_time_s(), query, QUERY_MAX, len) == MRG_OK;
}

/* What can't be sent is asked again, or of another, when no answer comes. */
static void send_query(void *ctx, unsigned primary)
{
	struct secondary_zone *const z = ctx;
	const struct remote *const r = primary_of(z, primary);
	uint8_t query[QUERY_MAX];
	size_t len;
	z->querying = put_query(z, r, query, &len);
	if (z->querying)
		outward_send(z->all->outward, &r->addr, (struct mrg_span){ query, len });
}

static void fetched(void *ctx, struct fetch *f, enum fetch_outcome outcome, struct version *version);

static bool begin_transfer(void *ctx, unsigned primary, bool incremental)
{
	struct secondary_zone *const z = ctx;
	struct fetch *const f = fetch_get(&z->all->fetches);
	if (f == NULL)
		return false;
	z->querying = false;
	z->fetch = f;
	z->beginning = true;
	fetch_begin(f, &(struct fetch_what){ .option = z->option,
			       .from = primary_of(z, primary),
			       .held = z->held,
			       .whole = !incremental,
			       .ctx = z,
			       .done = fetched });
	z->beginning = false;
	return z->fetch != NULL;
}

static void abandon(void *ctx)
{
	struct secondary_zone *const z = ctx;
	struct fetch *const f = z->fetch;
	z->fetch = NULL;
	if (f != NULL)
		fetch_cancel(f);
}

static void valid(void *ctx, bool good)
{
	struct secondary_zone *const z = ctx;
	if (!good) {
		struct mrg_rt_line l;
		begin_line(&l, "error", "zone_expired", z);
		mrg_rt_log_line(&stderr_log, &l);
	}
	z->all->user.serve(z->all->user.ctx, z->index, good ? z->held : NULL);
}

/* ---- what comes of it ---- */

/* What those are told who ask, and metrics. */
static void tell_expiry(struct secondary_zone *z, uint64_t now_ns)
{
	const uint64_t left_ns =
		z->s.expires_ns == MRG_RT_NEVER || z->s.expires_ns < now_ns ? 0 : z->s.expires_ns - now_ns;
	if (z->held != NULL)
		atomic_store_explicit(&z->held->expires_s, mrg_unix_time_s() + left_ns / MRG_RT_SECOND_NS,
			memory_order_relaxed);
}

static void adopt(struct secondary_zone *z, struct fetch *f, struct version *version, uint64_t now_ns)
{
	struct mrg_dns_secondary_soa soa;
	if (z->held != NULL)
		version_drop(z->held);
	z->held = version;
	*(f->changes ? &z->all->fetched_changes : &z->all->fetched_whole) += 1;
	log_fetched(z, f);
	mrg_dns_secondary_soa_of(version->zone, &soa);
	mrg_dns_secondary_adopted(&z->s, &soa, f->has_expire ? &f->expire_s : NULL, now_ns);
	tell_expiry(z, now_ns); /* before anybody is answered from it */
	z->all->user.serve(z->all->user.ctx, z->index, version);
}

static void fetched(void *ctx, struct fetch *f, enum fetch_outcome outcome, struct version *version)
{
	struct secondary_zone *const z = ctx;
	const uint64_t now_ns = z->all->loop->now_ns;
	z->fetch = NULL;
	switch (outcome) {
	case FETCH_NEW: adopt(z, f, version, now_ns); break;
	case FETCH_CURRENT:
		mrg_dns_secondary_current(&z->s, f->has_expire ? &f->expire_s : NULL, now_ns);
		tell_expiry(z, now_ns);
		break;
	case FETCH_FAILED:
		log_failed(z, "transfer_failed", f->why);
		if (!z->beginning) /* else that is said by begin_transfer */
			mrg_dns_secondary_failed(&z->s, f->reached && !f->asked_whole, now_ns);
		break;
	}
}

/* An answer to a query of the zone? It must be from whom it was asked of, and signed if that was. */
static bool take_answer(
	struct secondary_zone *z, const struct mrg_rt_addr *peer, struct mrg_span message, uint64_t now_ns)
{
	const struct mrg_span origin = { z->option->origin, z->option->origin_len };
	const struct remote *const r = primary_of(z, z->s.primary);
	struct mrg_dns_refresh heard;
	if (!z->querying || !mrg_rt_addr_same(peer, &r->addr))
		return false;
	const enum mrg_dns_refresh_kind kind = mrg_dns_refresh_read(origin, z->query_id, message, &heard);
	if (kind == MRG_DNS_REFRESH_OTHER)
		return false;
	const bool good = r->key == NULL ||
			  mrg_dns_auth_take(&z->auth, message, mrg_unix_time_s()) == MRG_DNS_AUTH_GOOD;
	z->querying = false;
	if (good && kind == MRG_DNS_REFRESH_SERIAL) {
		mrg_dns_secondary_answered(
			&z->s, heard.serial, heard.has_expire ? &heard.expire_s : NULL, now_ns);
	} else {
		log_failed(z, "primary_refuses",
			good ? "it does not have the zone" : "its answer is not signed as it should be");
		mrg_dns_secondary_refused(&z->s, now_ns);
	}
	return true;
}

bool secondaries_take(
	struct secondaries *s, const struct mrg_rt_addr *peer, struct mrg_span message, uint64_t now_ns)
{
	for (size_t i = 0; i < s->count; i++)
		if (take_answer(&s->list[i], peer, message, now_ns))
			return true;
	return false;
}

/* ---- keeping ---- */

size_t secondaries_memory(size_t cap) { return cap * sizeof(struct secondary_zone) + fetches_memory(); }

int secondaries_init(struct secondaries *s, struct mrg_unix_loop *loop, struct outward *outward,
	struct mrg_arena *arena, size_t cap, const struct secondaries_user *user)
{
	*s = (struct secondaries){ .user = *user, .loop = loop, .outward = outward, .cap = cap };
	s->list = mrg_arena_get(arena, cap * sizeof *s->list, _Alignof(struct secondary_zone));
	fetches_init(&s->fetches, loop, arena);
	return s->list != NULL ? 0 : ENOMEM;
}

void secondaries_keep(struct secondaries *s, size_t index, const struct zone_option *option,
	struct version *held, uint64_t ago_ns)
{
	struct secondary_zone *const z = &s->list[s->count++];
	struct mrg_dns_secondary_soa soa;
	unsigned primaries = 0;
	for (const struct remote *r = option->primaries; r != NULL; r = r->next)
		primaries++;
	*z = (struct secondary_zone){ .all = s, .index = index, .option = option, .held = held };
	const struct mrg_dns_secondary_user user = {
		.ctx = z, .query = send_query, .transfer = begin_transfer, .abandon = abandon, .valid = valid
	};
	mrg_dns_secondary_init(&z->s, &s->loop->timers, &LIMITS, &user, primaries);
	if (held != NULL) {
		version_keep(held);
		mrg_dns_secondary_soa_of(held->zone, &soa);
	}
	mrg_dns_secondary_start(&z->s, held != NULL ? &soa : NULL, ago_ns, mrg_unix_now_ns());
	tell_expiry(z, mrg_unix_now_ns());
}

struct secondary_zone *secondaries_find(struct secondaries *s, size_t index)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->list[i].index == index)
			return &s->list[i];
	return NULL;
}

struct secondary_zone *secondaries_find_option(struct secondaries *s, const struct zone_option *option)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->list[i].option == option)
			return &s->list[i];
	return NULL;
}

void secondaries_notified(struct secondary_zone *z, const struct mrg_rt_addr *peer, const uint32_t *serial)
{
	unsigned which = 0, at = 0;
	for (const struct remote *r = z->option->primaries; r != NULL; r = r->next, at++)
		if (mrg_rt_addr_in(peer, &r->addr, r->addr.family == 6 ? 128 : 32))
			which = at;
	mrg_dns_secondary_notified(&z->s, which, serial, mrg_unix_now_ns());
}

void secondaries_check(struct secondary_zone *z) { mrg_dns_secondary_check(&z->s, mrg_unix_now_ns()); }
