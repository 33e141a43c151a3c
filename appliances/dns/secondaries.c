/*
 * Zones from elsewhere.
 * Reading order: lists, what the protocol asks for (query, transfer, abandon, valid), what comes of it, keeping.
 */
#include "appliances/common/say.h"
#include "appliances/dns/secondaries.h"
#include "appliances/dns/system.h"
#include "protocols/dns/refresh.h"

enum {
	QUERY_MAX = 1024,
	UDP_SIZE = 1232,
	DAY_S = 86400,
	AT_ONCE =
		64 /* zones that are asked for in one go, so that neither their queries nor the answers are too many for sockets */
};

static const uint64_t PACE_NS = MRG_RT_SECOND_NS / 200u; /* until the next ones are */

/* What SOA records say is kept within these, as other servers do. */
static const struct mrg_dns_secondary_limits LIMITS = { .refresh_min_s = 1,
	.refresh_max_s = 28 * DAY_S,
	.retry_min_s = 1,
	.retry_max_s = 14 * DAY_S,
	.expire_min_s = 1,
	.expire_max_s = 365 * DAY_S,
	.answer_ns = 2u * MRG_RT_SECOND_NS };

/* ---- lists ---- */

static void put_last(struct secondary_list *list, struct secondary_link *link, struct secondary_zone *z)
{
	if (link->zone != NULL)
		return;
	*link = (struct secondary_link){ .prev = list->last, .zone = z };
	*(list->last != NULL ? &list->last->next : &list->first) = link;
	list->last = link;
}

static void take_out(struct secondary_list *list, struct secondary_link *link)
{
	if (link->zone == NULL)
		return;
	*(link->prev != NULL ? &link->prev->next : &list->first) = link->next;
	*(link->next != NULL ? &link->next->prev : &list->last) = link->prev;
	link->zone = NULL;
}

/* What is due or waits goes on from the loop. */
static void go_on(struct secondaries *s)
{
	if (!s->pace.armed)
		mrg_rt_timer_set(s->loop.timers, &s->pace, *s->loop.now_ns);
}

/* ---- log ---- */

static void begin_line(
	struct mrg_rt_line *l, const char *level, const char *event, const struct secondary_zone *z)
{
	mrg_rt_line_begin(l, level, event);
	mrg_rt_line_str(l, "zone", z->what.option->text);
}

static const struct remote *primary_of(const struct secondary_zone *z, unsigned which)
{
	const struct remote *r = z->what.option->primaries;
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
	mrg_rt_line_num(&l, "pieces", f->pieces);
	mrg_rt_line_num(&l, "took_us", f->took_ns / 1000u);
	mrg_rt_log_line(&stderr_log, &l);
}

/* ---- what the protocol asks for ---- */

static struct secondary_list *asking(struct secondaries *s, uint16_t id)
{
	return &s->asking[id % SECONDARIES_IDS];
}

/* No answer is waited for any more. */
static void forget_query(struct secondary_zone *z)
{
	take_out(asking(z->all, z->query_id), &z->asking);
	if (z->asked != NULL)
		settings_drop(z->asked);
	z->asked = NULL;
}

static void expect_answer(struct secondary_zone *z)
{
	put_last(asking(z->all, z->query_id), &z->asking, z);
	z->asked = z->what.settings;
	settings_keep(z->asked);
}

/* The query, signed if the primary has a key. */
static bool put_query(struct secondary_zone *z, const struct remote *r, uint8_t *query, size_t *len)
{
	const struct mrg_span origin = { z->what.option->origin, z->what.option->origin_len };
	if (!system_random(&z->query_id, sizeof z->query_id))
		return false;
	if (mrg_dns_refresh_query(origin, z->query_id, UDP_SIZE, query, QUERY_MAX, len) != MRG_OK)
		return false;
	return r->key == NULL ||
	       mrg_dns_auth_ask(&z->auth, &r->key->tsig, system_time_s(), query, QUERY_MAX, len) == MRG_OK;
}

/*
 * What can't be sent is asked again, or of another, when no answer comes.  Of catalogs many servers tell nothing over UDP (RFC 9432 6): a
 * transfer of differences tells as well whether there is anything new.
 */
static void send_query(void *ctx, unsigned primary)
{
	struct secondary_zone *const z = ctx;
	const struct remote *const r = primary_of(z, primary);
	uint8_t query[QUERY_MAX];
	size_t len;
	forget_query(z);
	if (z->what.option->catalog) {
		put_last(&z->all->direct, &z->direct, z);
		go_on(z->all);
		return;
	}
	if (!put_query(z, r, query, &len))
		return;
	expect_answer(z);
	outward_send(z->all->outward, &r->addr, (struct mrg_span){ query, len });
}

static void fetched(void *ctx, struct fetch *f, enum fetch_outcome outcome, struct version *version);

/* The transfer goes on with what is said of the zone now, whatever is said of it later. */
static void begin_fetch(struct secondary_zone *z, struct fetch *f)
{
	z->fetch = f;
	fetch_begin(f, &(struct fetch_what){ .option = z->what.option,
			       .settings = z->what.settings,
			       .from = primary_of(z, z->s.primary),
			       .held = z->held,
			       .whole = z->whole,
			       .great = z->great,
			       .ctx = z,
			       .done = fetched });
}

/* As many transfers as may be at once: the others wait for one of these to end. */
static bool begin_transfer(void *ctx, unsigned primary, bool incremental)
{
	struct secondary_zone *const z = ctx;
	struct secondaries *const s = z->all;
	struct fetch *const f = s->waiting.first == NULL ? fetch_get(&s->fetches) : NULL;
	(void)primary; /* it is z->s.primary */
	forget_query(z);
	z->whole = !incremental;
	if (f == NULL) {
		put_last(&s->waiting, &z->waiting, z);
		return true;
	}
	z->beginning = true;
	begin_fetch(z, f);
	z->beginning = false;
	return z->fetch != NULL;
}

static void abandon(void *ctx)
{
	struct secondary_zone *const z = ctx;
	struct fetch *const f = z->fetch;
	take_out(&z->all->waiting, &z->waiting);
	z->fetch = NULL;
	if (f != NULL)
		fetch_cancel(f);
	go_on(z->all);
}

static void valid(void *ctx, bool good)
{
	struct secondary_zone *const z = ctx;
	if (!good) {
		struct mrg_rt_line l;
		begin_line(&l, "error", "zone_expired", z);
		mrg_rt_log_line(&stderr_log, &l);
	}
	z->all->user.serve(z->all->user.ctx, z->user, good ? z->held : NULL);
}

/* ---- what comes of it ---- */

/* What those are told who ask, and metrics. */
static void tell_expiry(struct secondary_zone *z, uint64_t now_ns)
{
	const uint64_t left_ns =
		z->s.expires_ns == MRG_RT_NEVER || z->s.expires_ns < now_ns ? 0 : z->s.expires_ns - now_ns;
	if (z->held != NULL)
		atomic_store_explicit(&z->held->expires_s, system_time_s() + left_ns / MRG_RT_SECOND_NS,
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
	z->all->user.serve(z->all->user.ctx, z->user, version);
}

static void fetched(void *ctx, struct fetch *f, enum fetch_outcome outcome, struct version *version)
{
	struct secondary_zone *const z = ctx;
	const uint64_t now_ns = *z->all->loop.now_ns;
	z->fetch = NULL;
	go_on(z->all); /* who waits for a transfer is next */
	switch (outcome) {
	case FETCH_NEW: adopt(z, f, version, now_ns); break;
	case FETCH_CURRENT:
		mrg_dns_secondary_current(&z->s, f->has_expire ? &f->expire_s : NULL, now_ns);
		tell_expiry(z, now_ns);
		break;
	case FETCH_FAILED:
		log_failed(z, "transfer_failed", f->why);
		z->great = z->great || f->full;
		if (!z->beginning) /* else that is said by begin_transfer */
			mrg_dns_secondary_failed(&z->s, f->full || (f->reached && !f->asked_whole), now_ns);
		break;
	}
}

/* An answer to a query of the zone? It must be from whom it was asked of, and signed if that was. */
static bool take_answer(
	struct secondary_zone *z, const struct mrg_rt_addr *peer, struct mrg_span message, uint64_t now_ns)
{
	const struct mrg_span origin = { z->what.option->origin, z->what.option->origin_len };
	const struct remote *const r = primary_of(z, z->s.primary);
	struct mrg_dns_refresh heard;
	if (!mrg_rt_addr_same(peer, &r->addr))
		return false;
	const enum mrg_dns_refresh_kind kind = mrg_dns_refresh_read(origin, z->query_id, message, &heard);
	if (kind == MRG_DNS_REFRESH_OTHER)
		return false;
	const bool good =
		r->key == NULL || mrg_dns_auth_take(&z->auth, message, system_time_s()) == MRG_DNS_AUTH_GOOD;
	forget_query(z);
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
	struct mrg_dns_header h;
	if (mrg_dns_header_check(message, &h, NULL) != MRG_OK)
		return false;
	for (struct secondary_link *l = asking(s, mrg_dns_header_id(&h))->first; l != NULL; l = l->next)
		if (take_answer(l->zone, peer, message, now_ns))
			return true;
	return false;
}

/* ---- keeping ---- */

size_t secondaries_memory(size_t count) { return fetches_memory(count); }

static void start(struct secondary_zone *z)
{
	struct mrg_dns_secondary_soa soa;
	if (z->held != NULL)
		mrg_dns_secondary_soa_of(z->held->zone, &soa);
	z->started = true;
	mrg_dns_secondary_start(&z->s, z->held != NULL ? &soa : NULL, z->ago_ns, *z->all->loop.now_ns);
	tell_expiry(z, *z->all->loop.now_ns);
}

/* Some of those that are due are asked for, and those that have waited longest are transferred. */
static void take_turns(struct mrg_rt_timer *t, uint64_t now_ns)
{
	struct secondaries *const s =
		(struct secondaries *)(void *)((char *)t - offsetof(struct secondaries, pace));
	struct fetch *f = NULL;
	for (unsigned i = 0; i < AT_ONCE && s->direct.first != NULL; i++) {
		struct secondary_zone *const z = s->direct.first->zone;
		take_out(&s->direct, &z->direct);
		mrg_dns_secondary_answered(
			&z->s, z->s.soa.serial + 1u, NULL, now_ns); /* as if it were newer */
	}
	for (unsigned i = 0; i < AT_ONCE && s->due.first != NULL; i++) {
		struct secondary_zone *const z = s->due.first->zone;
		take_out(&s->due, &z->due);
		if (z->started)
			mrg_dns_secondary_check(&z->s, now_ns);
		else
			start(z);
	}
	for (unsigned i = 0; i < AT_ONCE && s->waiting.first != NULL; i++) {
		f = fetch_get(&s->fetches);
		if (f == NULL)
			break;
		struct secondary_zone *const z = s->waiting.first->zone;
		take_out(&s->waiting, &z->waiting);
		begin_fetch(z, f);
	}
	if (s->due.first != NULL || s->direct.first != NULL || (s->waiting.first != NULL && f != NULL))
		mrg_rt_timer_set(s->loop.timers, &s->pace, now_ns + PACE_NS);
}

void secondaries_init(struct secondaries *s, const struct system_loop *loop, struct outward *outward,
	struct mrg_arena *arena, const struct secondaries_user *user)
{
	*s = (struct secondaries){
		.user = *user, .loop = *loop, .outward = outward, .pace = { .fire = take_turns }
	};
	fetches_init(&s->fetches, loop, outward, arena);
}

static void init(struct secondary_zone *z, uint64_t ago_ns)
{
	const struct mrg_dns_secondary_user user = {
		.ctx = z, .query = send_query, .transfer = begin_transfer, .abandon = abandon, .valid = valid
	};
	unsigned primaries = 0;
	for (const struct remote *r = z->what.option->primaries; r != NULL; r = r->next)
		primaries++;
	mrg_dns_secondary_init(&z->s, z->all->loop.timers, &LIMITS, &user, primaries);
	z->ago_ns = ago_ns;
	z->started = false;
	secondaries_check(z);
}

struct secondary_zone *secondaries_keep(struct secondaries *s, void *user, const struct secondary_what *what,
	struct version *held, uint64_t ago_ns)
{
	struct secondary_zone *const z = system_get(sizeof *z);
	if (z == NULL)
		return NULL;
	*z = (struct secondary_zone){ .all = s, .user = user, .what = *what, .held = held };
	zone_option_keep(what->option);
	if (held != NULL)
		version_keep(held);
	init(z, ago_ns);
	return z;
}

/* What is under way is given up. */
static void stop(struct secondary_zone *z)
{
	mrg_dns_secondary_stop(&z->s);
	forget_query(z);
	take_out(&z->all->due, &z->due);
	take_out(&z->all->direct, &z->direct);
}

/* How long ago what is held was last known to be right, as far as its time of expiry tells. */
static uint64_t confirmed_ago(const struct secondary_zone *z)
{
	const uint64_t all_ns = z->s.soa.expire_s * MRG_RT_SECOND_NS, now_ns = *z->all->loop.now_ns;
	if (!z->started)
		return z->ago_ns;
	const uint64_t left_ns =
		z->s.expires_ns == MRG_RT_NEVER || z->s.expires_ns < now_ns ? 0 : z->s.expires_ns - now_ns;
	return left_ns < all_ns ? all_ns - left_ns : 0;
}

void secondaries_change(struct secondary_zone *z, const struct secondary_what *what)
{
	const bool same = zone_option_same_primaries(z->what.option, what->option);
	const uint64_t ago_ns = confirmed_ago(z);
	if (!same)
		stop(z);
	zone_option_keep(what->option);
	zone_option_drop(z->what.option);
	z->what = *what;
	if (!same)
		init(z, ago_ns);
}

void secondaries_end(struct secondary_zone *z)
{
	stop(z);
	if (z->held != NULL)
		version_drop(z->held);
	zone_option_drop(z->what.option);
	system_put(z, sizeof *z);
}

void secondaries_notified(struct secondary_zone *z, const struct mrg_rt_addr *peer, const uint32_t *serial)
{
	unsigned which = 0, at = 0;
	for (const struct remote *r = z->what.option->primaries; r != NULL; r = r->next, at++)
		if (mrg_rt_addr_in(peer, &r->addr, r->addr.family == 6 ? 128 : 32))
			which = at;
	mrg_dns_secondary_notified(&z->s, which, serial, system_now_ns());
}

void secondaries_check(struct secondary_zone *z)
{
	put_last(&z->all->due, &z->due, z);
	go_on(z->all);
}
