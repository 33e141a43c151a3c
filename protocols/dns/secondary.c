/*
 * A secondary zone: what the machine of specs/dns/secondary.mrg asks for, with times, and primaries in turn.
 * Reading order: times, what the machine asks for, what has happened.
 */
#include "protocols/dns/secondary.h"

#include "protocols/dns/history.h"
#include "protocols/dns/zone_store.h"

void mrg_dns_secondary_soa_of(const struct mrg_dns_zone *zone, struct mrg_dns_secondary_soa *out)
{
	struct mrg_dns_rr rr;
	struct mrg_dns_soa soa;
	*out = (struct mrg_dns_secondary_soa){ .serial = zone->serial };
	if (mrg_dns_node_soa(zone->apex, &rr, &soa) != MRG_OK)
		return;
	out->refresh_s = mrg_dns_soa_refresh(&soa);
	out->retry_s = mrg_dns_soa_retry(&soa);
	out->expire_s = mrg_dns_soa_expire(&soa);
}

/* ---- times ---- */

static uint32_t between(uint32_t s, uint32_t least, uint32_t most)
{
	if (s < least)
		return least;
	return s > most ? most : s;
}

static uint64_t after_ns(uint64_t now_ns, uint64_t ns)
{
	const uint64_t left = MRG_RT_NEVER - 1u - now_ns;
	return now_ns + (ns < left ? ns : left);
}

static uint64_t seconds(const struct mrg_dns_secondary *s, uint32_t count)
{
	return after_ns(s->now_ns, count * MRG_RT_SECOND_NS);
}

/* How long to wait when no primary has helped. */
static uint32_t retry_s(const struct mrg_dns_secondary *s)
{
	uint64_t wait = s->limits.retry_min_s;
	if (s->held)
		return between(s->soa.retry_s, s->limits.retry_min_s, s->limits.retry_max_s);
	for (unsigned i = 1; i < s->rounds && wait < s->limits.retry_max_s; i++)
		wait = wait == 0 ? 1 : wait * 2;
	return wait < s->limits.retry_max_s ? (uint32_t)wait : s->limits.retry_max_s;
}

/* ---- what the machine asks for ---- */

void mrg_dns_secondary_zone_do_query(const struct mrg_dns_secondary_zone *m, void *ctx)
{
	struct mrg_dns_secondary *const s = ctx;
	(void)m;
	s->user.query(s->user.ctx, s->primary);
}

void mrg_dns_secondary_zone_do_transfer(const struct mrg_dns_secondary_zone *m, void *ctx, uint8_t whole)
{
	struct mrg_dns_secondary *const s = ctx;
	(void)m;
	s->incremental = s->held && whole == 0;
	s->unbegun = !s->user.transfer(s->user.ctx, s->primary, s->incremental);
}

void mrg_dns_secondary_zone_do_abandon(const struct mrg_dns_secondary_zone *m, void *ctx)
{
	const struct mrg_dns_secondary *const s = ctx;
	(void)m;
	s->user.abandon(s->user.ctx);
}

void mrg_dns_secondary_zone_do_first(const struct mrg_dns_secondary_zone *m, void *ctx)
{
	struct mrg_dns_secondary *const s = ctx;
	(void)m;
	s->primary = s->first;
	s->first = 0;
	s->asked = 1;
}

void mrg_dns_secondary_zone_do_next(const struct mrg_dns_secondary_zone *m, void *ctx)
{
	struct mrg_dns_secondary *const s = ctx;
	(void)m;
	s->primary = (s->primary + 1) % s->primary_count;
	s->asked++;
}

bool mrg_dns_secondary_zone_is_another(const struct mrg_dns_secondary_zone *m, void *ctx)
{
	const struct mrg_dns_secondary *const s = ctx;
	(void)m;
	return s->asked < s->primary_count;
}

void mrg_dns_secondary_zone_do_confirm(const struct mrg_dns_secondary_zone *m, void *ctx)
{
	struct mrg_dns_secondary *const s = ctx;
	(void)m;
	if (!s->usable)
		s->user.valid(s->user.ctx, true);
	s->usable = true;
}

void mrg_dns_secondary_zone_do_give_up(const struct mrg_dns_secondary_zone *m, void *ctx)
{
	struct mrg_dns_secondary *const s = ctx;
	(void)m;
	s->expires_ns = MRG_RT_NEVER;
	s->usable = false;
	s->user.valid(s->user.ctx, false);
}

void mrg_dns_secondary_zone_set_refresh(const struct mrg_dns_secondary_zone *m, void *ctx)
{
	struct mrg_dns_secondary *const s = ctx;
	(void)m;
	s->rounds = 0;
	s->next_ns = seconds(s, between(s->soa.refresh_s, s->limits.refresh_min_s, s->limits.refresh_max_s));
	mrg_rt_timer_set(s->timers, &s->due, s->next_ns);
}

void mrg_dns_secondary_zone_set_retry(const struct mrg_dns_secondary_zone *m, void *ctx)
{
	struct mrg_dns_secondary *const s = ctx;
	(void)m;
	s->rounds++;
	s->next_ns = seconds(s, retry_s(s));
	mrg_rt_timer_set(s->timers, &s->due, s->next_ns);
}

static void cancel_due(struct mrg_dns_secondary *s)
{
	s->next_ns = MRG_RT_NEVER;
	mrg_rt_timer_cancel(s->timers, &s->due);
}

void mrg_dns_secondary_zone_cancel_refresh(const struct mrg_dns_secondary_zone *m, void *ctx)
{
	(void)m;
	cancel_due(ctx);
}

void mrg_dns_secondary_zone_cancel_retry(const struct mrg_dns_secondary_zone *m, void *ctx)
{
	(void)m;
	cancel_due(ctx);
}

/*
 * What was told with EXPIRE counts instead of the SOA record's, if it is less; one that was confirmed may be held for the longer of what
 * is left and that.  RFC 7314 4
 */
void mrg_dns_secondary_zone_set_expire(const struct mrg_dns_secondary_zone *m, void *ctx)
{
	struct mrg_dns_secondary *const s = ctx;
	const uint32_t most = between(s->soa.expire_s, s->limits.expire_min_s, s->limits.expire_max_s);
	uint64_t until = seconds(s, s->told.told && s->told.seconds < most ? s->told.seconds : most);
	(void)m;
	if (s->told.told && s->confirming && s->expires_ns != MRG_RT_NEVER && until < s->expires_ns)
		until = s->expires_ns;
	if (s->ago_ns != 0)
		until = until > s->ago_ns && until - s->ago_ns > s->now_ns ? until - s->ago_ns : s->now_ns;
	s->expires_ns = until;
	mrg_rt_timer_set(s->timers, &s->expire, until);
}

void mrg_dns_secondary_zone_cancel_expire(const struct mrg_dns_secondary_zone *m, void *ctx)
{
	struct mrg_dns_secondary *const s = ctx;
	(void)m;
	s->expires_ns = MRG_RT_NEVER;
	mrg_rt_timer_cancel(s->timers, &s->expire);
}

void mrg_dns_secondary_zone_set_answer(const struct mrg_dns_secondary_zone *m, void *ctx)
{
	struct mrg_dns_secondary *const s = ctx;
	(void)m;
	mrg_rt_timer_set(s->timers, &s->answer, after_ns(s->now_ns, s->limits.answer_ns));
}

void mrg_dns_secondary_zone_cancel_answer(const struct mrg_dns_secondary_zone *m, void *ctx)
{
	struct mrg_dns_secondary *const s = ctx;
	(void)m;
	mrg_rt_timer_cancel(s->timers, &s->answer);
}

/* ---- what has happened ---- */

/* Behind each event: transfers that could not be begun have failed. There are as many as primaries at most. */
static void settle(struct mrg_dns_secondary *s)
{
	while (s->unbegun) {
		s->unbegun = false;
		(void)mrg_dns_secondary_zone_on_failed(&s->m, s, 0);
	}
}

static void due(struct mrg_rt_timer *timer, uint64_t now_ns)
{
	struct mrg_dns_secondary *const s =
		(struct mrg_dns_secondary *)(void *)((char *)timer - offsetof(struct mrg_dns_secondary, due));
	s->now_ns = now_ns;
	s->next_ns = MRG_RT_NEVER;
	if (s->m.state == MRG_DNS_SECONDARY_ZONE_WAITING)
		(void)mrg_dns_secondary_zone_on_refresh(&s->m, s);
	else
		(void)mrg_dns_secondary_zone_on_retry(&s->m, s);
	settle(s);
}

static void unanswered(struct mrg_rt_timer *timer, uint64_t now_ns)
{
	struct mrg_dns_secondary *const s =
		(struct mrg_dns_secondary *)(void *)((char *)timer -
						     offsetof(struct mrg_dns_secondary, answer));
	s->now_ns = now_ns;
	(void)mrg_dns_secondary_zone_on_answer(&s->m, s);
	settle(s);
}

static void too_old(struct mrg_rt_timer *timer, uint64_t now_ns)
{
	struct mrg_dns_secondary *const s =
		(struct mrg_dns_secondary *)(void *)((char *)timer -
						     offsetof(struct mrg_dns_secondary, expire));
	s->now_ns = now_ns;
	(void)mrg_dns_secondary_zone_on_expire(&s->m, s);
}

void mrg_dns_secondary_init(struct mrg_dns_secondary *s, struct mrg_rt_timers *timers,
	const struct mrg_dns_secondary_limits *limits, const struct mrg_dns_secondary_user *user,
	unsigned primary_count)
{
	*s = (struct mrg_dns_secondary){ .expires_ns = MRG_RT_NEVER,
		.next_ns = MRG_RT_NEVER,
		.limits = *limits,
		.user = *user,
		.timers = timers,
		.due = { .fire = due },
		.answer = { .fire = unanswered },
		.expire = { .fire = too_old },
		.primary_count = primary_count };
	mrg_dns_secondary_zone_begin(&s->m);
}

void mrg_dns_secondary_start(struct mrg_dns_secondary *s, const struct mrg_dns_secondary_soa *held,
	uint64_t ago_ns, uint64_t now_ns)
{
	s->now_ns = now_ns;
	s->held = s->usable = held != NULL;
	if (held != NULL)
		s->soa = *held;
	s->ago_ns = ago_ns;
	s->told.told = false;
	s->rounds = 0;
	(void)mrg_dns_secondary_zone_on_start(&s->m, s, s->held);
	s->ago_ns = 0;
	settle(s);
}

void mrg_dns_secondary_stop(struct mrg_dns_secondary *s) { (void)mrg_dns_secondary_zone_on_stop(&s->m, s); }

void mrg_dns_secondary_check(struct mrg_dns_secondary *s, uint64_t now_ns)
{
	s->now_ns = now_ns;
	(void)mrg_dns_secondary_zone_on_check(&s->m, s);
	settle(s);
}

void mrg_dns_secondary_notified(
	struct mrg_dns_secondary *s, unsigned primary, const uint32_t *serial, uint64_t now_ns)
{
	s->now_ns = now_ns;
	const bool news = !s->held || serial == NULL || mrg_dns_serial_later(*serial, s->soa.serial) ||
			  !mrg_dns_secondary_valid(s);
	if (news && primary < s->primary_count)
		s->first = primary;
	(void)mrg_dns_secondary_zone_on_notify(&s->m, s, news);
	settle(s);
}

static void told(struct mrg_dns_secondary *s, const uint32_t *told_s)
{
	s->told.told = told_s != NULL;
	s->told.seconds = told_s != NULL ? *told_s : 0;
}

void mrg_dns_secondary_answered(
	struct mrg_dns_secondary *s, uint32_t serial, const uint32_t *told_s, uint64_t now_ns)
{
	s->now_ns = now_ns;
	told(s, told_s);
	s->confirming = true;
	(void)mrg_dns_secondary_zone_on_serial(&s->m, s,
		!s->held || mrg_dns_serial_later(serial, s->soa.serial), s->held && serial == s->soa.serial);
	s->confirming = false;
	settle(s);
}

void mrg_dns_secondary_refused(struct mrg_dns_secondary *s, uint64_t now_ns)
{
	s->now_ns = now_ns;
	(void)mrg_dns_secondary_zone_on_refused(&s->m, s);
	settle(s);
}

void mrg_dns_secondary_adopted(struct mrg_dns_secondary *s, const struct mrg_dns_secondary_soa *soa,
	const uint32_t *told_s, uint64_t now_ns)
{
	s->now_ns = now_ns;
	told(s, told_s);
	s->soa = *soa;
	s->held = s->usable = true;
	(void)mrg_dns_secondary_zone_on_adopted(&s->m, s);
	settle(s);
}

void mrg_dns_secondary_current(struct mrg_dns_secondary *s, const uint32_t *told_s, uint64_t now_ns)
{
	s->now_ns = now_ns;
	told(s, told_s);
	s->confirming = true;
	(void)mrg_dns_secondary_zone_on_current(&s->m, s);
	s->confirming = false;
	settle(s);
}

void mrg_dns_secondary_failed(struct mrg_dns_secondary *s, bool whole, uint64_t now_ns)
{
	s->now_ns = now_ns;
	(void)mrg_dns_secondary_zone_on_failed(&s->m, s, whole && s->incremental);
	settle(s);
}
