/*
 * Prefixes that routers tell of: which are on the link (RFC 4861 section 6.3.4), and addresses made of them (RFC 4862 section 5.5.3).
 *
 * An address is the same as long as prefix, interface and secret are (RFC 7217), and tells nobody the link-layer address.
 * Reading order: prefix_heard, take_on_link, take_autonomous, on_due.
 */
#include "protocols/tcpip/router.h"

enum { TRIES_MAX = 3 }; /* addresses, when they turn out to be others': IDGEN_RETRIES (RFC 7217 section 7) */

static const uint64_t two_hours_ns = 7200u * MRG_RT_SECOND_NS;

static uint64_t until(uint64_t now_ns, uint32_t lifetime_s)
{
	return lifetime_s == MRG_NET_ND_INFINITY ? MRG_RT_NEVER : now_ns + lifetime_s * MRG_RT_SECOND_NS;
}

static bool has_address(const struct prefix *p) { return !ip_unspecified(&p->address); }

/* ---- the end of things ---- */

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

/*
 * Wait for what comes next; a prefix of which nothing is left goes. That no address can be made of it is remembered as long as it
 * was to be good.
 */
static void wait(struct prefix *p, uint64_t now_ns)
{
	struct mrg_rt_timers *const timers = p->on->stack->world.timers;
	const bool in_vain = p->tries == TRIES_MAX && p->valid_until_ns > now_ns;
	uint64_t next_ns = p->on_link_until_ns != 0 ? p->on_link_until_ns : MRG_RT_NEVER;
	if (has_address(p))
		next_ns = earlier(
			next_ns, p->preferred_until_ns > now_ns ? p->preferred_until_ns : p->valid_until_ns);
	else if (in_vain)
		next_ns = earlier(next_ns, p->valid_until_ns);
	mrg_rt_timer_cancel(timers, &p->due);
	if (p->on_link_until_ns == 0 && !has_address(p) && !in_vain)
		p->on = NULL;
	else if (next_ns != MRG_RT_NEVER)
		mrg_rt_timer_set(timers, &p->due, next_ns);
}

static void off_link(struct prefix *p)
{
	const struct ip none = { { 0 } };
	struct ip_route *const r = route_find(p->on, &p->ip, p->len, &none);
	if (r != NULL && r->kind == IP_ROUTE_ROUTER)
		route_remove(p->on->stack, r);
	p->on_link_until_ns = 0;
}

static void drop_address(struct prefix *p)
{
	struct ip_address *const a = address_on(p->on, &p->address);
	p->address = (struct ip){ { 0 } };
	if (a != NULL)
		address_remove(a);
}

static void on_due(struct mrg_rt_timer *t, uint64_t now_ns)
{
	struct prefix *const p = (struct prefix *)(void *)((char *)t - offsetof(struct prefix, due));
	if (p->on_link_until_ns != 0 && p->on_link_until_ns <= now_ns)
		off_link(p);
	if (has_address(p) && p->valid_until_ns <= now_ns)
		drop_address(p);
	struct ip_address *const a = has_address(p) ? address_on(p->on, &p->address) : NULL;
	if (a != NULL && p->preferred_until_ns <= now_ns)
		address_deprecate(a, true);
	wait(p, now_ns);
}

/* ---- addresses ---- */

/* RFC 7217 section 5: a number by chance out of prefix, interface, how often it was in vain, and the secret. */
static struct ip address_of(const struct prefix *p)
{
	struct {
		struct ip prefix;
		uint8_t mac[sizeof p->on->link->address], tries, zero;
	} of = { .prefix = p->ip, .tries = p->tries };
	uint8_t bytes[sizeof of];
	uint64_t halves[2] = { 0 };
	struct ip id;
	memcpy(of.mac, p->on->link->address, sizeof of.mac);
	memcpy(bytes, &of, sizeof bytes);
	halves[1] = mrg_rt_hash(p->on->stack->world.secret, (struct mrg_span){ bytes, sizeof bytes });
	memcpy(id.b, halves, sizeof id.b);
	return ip_with_interface_id(&p->ip, &id);
}

static void make_address(struct prefix *p);

/* Somebody else has it: RFC 7217 section 6 takes another. */
static void lost(struct mrg_tcpip_if *on, const struct ip *ip)
{
	struct router_state *const st = on->stack->ip->router;
	st->counts.duplicates++;
	for (unsigned i = 0; i < PREFIXES_MAX; i++) {
		struct prefix *const p = &st->links[on->index].prefixes[i];
		if (p->on == NULL || !ip_same(&p->address, ip))
			continue;
		p->address = (struct ip){ { 0 } };
		if (++p->tries < TRIES_MAX)
			make_address(p);
		wait(p, stack_now(on->stack));
		return;
	}
}

static void make_address(struct prefix *p)
{
	const struct ip ip = address_of(p);
	struct ip_address *const a = address_add(p->on, &ip, p->len, false);
	if (a == NULL) {
		p->on->stack->ip->router->counts.prefixes_refused++;
		return;
	}
	a->lost = lost;
	p->address = ip;
}

/* ---- what is told ---- */

static void take_on_link(struct prefix *p, uint32_t valid_s, uint64_t now_ns)
{
	const struct ip none = { { 0 } };
	if (valid_s == 0) {
		off_link(p);
		return;
	}
	if (p->on_link_until_ns == 0 && route_add(p->on, &p->ip, p->len, &none, IP_ROUTE_ROUTER) == NULL) {
		p->on->stack->ip->router->counts.prefixes_refused++;
		return;
	}
	p->on_link_until_ns = until(now_ns, valid_s);
}

/* RFC 4862 section 5.5.3 (e): whoever advertises can't end what is in use sooner than in two hours. */
static uint64_t two_hours(const struct prefix *p, uint64_t valid_ns, uint64_t now_ns)
{
	const uint64_t left_ns =
		p->valid_until_ns == MRG_RT_NEVER ? MRG_RT_NEVER : p->valid_until_ns - now_ns;
	if (valid_ns == MRG_RT_NEVER || valid_ns - now_ns > two_hours_ns || valid_ns > p->valid_until_ns)
		return valid_ns;
	return left_ns <= two_hours_ns ? p->valid_until_ns : now_ns + two_hours_ns;
}

static void take_autonomous(struct prefix *p, uint32_t preferred_s, uint32_t valid_s, uint64_t now_ns)
{
	const uint64_t valid_ns = until(now_ns, valid_s);
	if (!has_address(p)) {
		if (valid_s == 0 || p->tries == TRIES_MAX)
			return;
		make_address(p);
		p->valid_until_ns = valid_ns;
	} else {
		p->valid_until_ns = two_hours(p, valid_ns, now_ns);
	}
	p->preferred_until_ns = earlier(until(now_ns, preferred_s), p->valid_until_ns);
	struct ip_address *const a = has_address(p) ? address_on(p->on, &p->address) : NULL;
	if (a != NULL)
		address_deprecate(a, p->preferred_until_ns <= now_ns);
}

static struct prefix *find(struct mrg_tcpip_if *on, const struct ip *ip, uint8_t len)
{
	struct router_link *const l = &on->stack->ip->router->links[on->index];
	struct prefix *free = NULL;
	for (unsigned i = 0; i < PREFIXES_MAX; i++) {
		struct prefix *const p = &l->prefixes[i];
		if (p->on == NULL)
			free = p;
		else if (p->len == len && ip_prefix_same(&p->ip, ip, len))
			return p;
	}
	if (free != NULL)
		*free = (struct prefix){ .on = on, .ip = *ip, .len = len, .due = { .fire = on_due } };
	return free;
}

void prefix_heard(struct mrg_tcpip_if *on, const struct mrg_net_nd_prefix *o, uint64_t now_ns)
{
	const struct ip ip = ip_from6(mrg_net_nd_prefix_prefix(o));
	const uint8_t len = mrg_net_nd_prefix_prefix_length(o);
	const uint32_t valid_s = mrg_net_nd_prefix_valid_lifetime(o),
		       preferred_s = mrg_net_nd_prefix_preferred_lifetime(o);
	const enum ip_kind kind = ip_kind(&ip);
	/* RFC 4861 section 6.3.4, RFC 4862 section 5.5.3 (b), (c) and (d) */
	if (kind != IP_KIND_GLOBAL || len == 0)
		return;
	struct prefix *const p = find(on, &ip, len);
	if (p == NULL) {
		on->stack->ip->router->counts.prefixes_refused++;
		return;
	}
	if (mrg_net_nd_prefix_on_link(o) != 0)
		take_on_link(p, valid_s, now_ns);
	if (mrg_net_nd_prefix_autonomous(o) != 0 && preferred_s <= valid_s &&
		len == MRG_NET_AUTONOMOUS_PREFIX)
		take_autonomous(p, preferred_s, valid_s, now_ns);
	wait(p, now_ns);
}
