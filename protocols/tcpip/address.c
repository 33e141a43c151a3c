/*
 * Addresses of ours: claimed with ARP (RFC 5227) or Neighbor Solicitations (RFC 4862 section 5.4), and used meanwhile (RFC 4429).
 */
#include "protocols/tcpip/neighbor.h"

/* RFC 5227 section 1.1, RFC 4862 section 5.1 */
enum { PROBES4 = 3, ANNOUNCEMENTS4 = 2, PROBES6 = 1, HOST_BITS_MIN = 2 };

static const uint64_t wait_ns = 1u * MRG_RT_SECOND_NS; /* PROBE_WAIT, PROBE_MIN, MAX_RTR_SOLICITATION_DELAY */
static const uint64_t announce_ns = 2u * MRG_RT_SECOND_NS; /* ANNOUNCE_WAIT, ANNOUNCE_INTERVAL */
static const uint64_t defend_ns = 10u * MRG_RT_SECOND_NS;  /* DEFEND_INTERVAL */

struct ip_address *address_find(const struct mrg_tcpip *s, const struct ip *a)
{
	const struct ip_state *const ip = s->ip;
	for (unsigned i = 0; i < ip->address_used; i++)
		if (ip_same(&ip->addresses[i].ip, a) && ip->addresses[i].state != IP_ADDRESS_FREE)
			return &ip->addresses[i];
	return NULL;
}

struct ip_address *address_on(const struct mrg_tcpip_if *on, const struct ip *a)
{
	const struct ip_state *const ip = on->stack->ip;
	for (unsigned i = 0; i < ip->address_used; i++)
		if (ip->addresses[i].on == on->index && ip_same(&ip->addresses[i].ip, a) &&
			ip->addresses[i].state != IP_ADDRESS_FREE)
			return &ip->addresses[i];
	return NULL;
}

bool ip_mine(const struct mrg_tcpip *s, const struct ip *a)
{
	return address_find(s, a) != NULL || ip_kind(a) == IP_KIND_LOOPBACK;
}

bool ip_is_broadcast(const struct mrg_tcpip_if *on, const struct ip *a)
{
	const struct ip_state *const ip = on->stack->ip;
	for (unsigned i = 0; i < ip->address_used; i++)
		if (ip->addresses[i].on == on->index && ip_same(&ip->addresses[i].broadcast, a) &&
			ip->addresses[i].state != IP_ADDRESS_FREE && !ip_unspecified(a))
			return true;
	return ip_kind(a) == IP_KIND_BROADCAST;
}

/* ---- claiming ---- */

static void set_claim(struct ip_address *a, uint64_t in_ns)
{
	mrg_rt_timer_set(a->stack->world.timers, &a->claim, stack_now(a->stack) + in_ns);
}

static uint64_t any_of(struct mrg_tcpip *s, uint64_t below_ns)
{
	return below_ns / 1024u * ip_random(s, 1024);
}

static void claim4(struct ip_address *a)
{
	struct mrg_tcpip_if *const on = if_at(a->stack, a->on);
	if (a->probes != 0) {
		arp_probe(on, &a->ip);
		a->probes--;
		set_claim(a, a->probes != 0 ? wait_ns + any_of(a->stack, wait_ns) : announce_ns);
		return;
	}
	if (a->state == IP_ADDRESS_CLAIMING)
		a->state = IP_ADDRESS_GOOD;
	arp_announce(on, &a->ip);
	if (--a->announcements != 0)
		set_claim(a, announce_ns);
}

static void claim6(struct ip_address *a)
{
	struct mrg_tcpip_if *const on = if_at(a->stack, a->on);
	if (a->probes != 0) {
		nd_probe(on, &a->ip);
		a->probes--;
		set_claim(a, on->retransmit_ms * (MRG_RT_SECOND_NS / 1000u));
	} else if (a->state == IP_ADDRESS_CLAIMING) {
		a->state = IP_ADDRESS_GOOD;
	}
}

static void claim(struct mrg_rt_timer *timer, uint64_t now_ns)
{
	struct ip_address *const a =
		(struct ip_address *)(void *)((char *)timer - offsetof(struct ip_address, claim));
	(void)now_ns;
	if (ip_is4(&a->ip))
		claim4(a);
	else
		claim6(a);
}

/* RFC 5227 section 2.4 (c): what is being used stays ours, and that is said now and then; what is only being claimed goes. */
void address_conflict(struct ip_address *a)
{
	const uint64_t now_ns = stack_now(a->stack);
	struct mrg_tcpip_if *const on = if_at(a->stack, a->on);
	if (a->state == IP_ADDRESS_CLAIMING) {
		const struct ip gone = a->ip;
		void (*const lost)(struct mrg_tcpip_if *, const struct ip *) = a->lost;
		address_remove(a);
		if (lost != NULL)
			lost(on, &gone);
		return;
	}
	if (!ip_is4(&a->ip) || (a->defended_ns != 0 && now_ns - a->defended_ns < defend_ns))
		return;
	a->defended_ns = now_ns;
	arp_announce(on, &a->ip);
}

/* ---- adding and removing ---- */

static struct ip_address *free_slot(struct mrg_tcpip *s)
{
	struct ip_state *const ip = s->ip;
	for (unsigned i = 0; i < ip->address_used; i++)
		if (ip->addresses[i].state == IP_ADDRESS_FREE)
			return &ip->addresses[i];
	return ip->address_used < ip->address_max ? &ip->addresses[ip->address_used++] : NULL;
}

struct ip_address *address_add(
	struct mrg_tcpip_if *on, const struct ip *ip, unsigned prefix_len, bool on_link)
{
	const unsigned bits = ip_bits(ip, prefix_len);
	struct ip_address *a = address_on(on, ip);
	if (a != NULL)
		return a;
	if (on_link && route_add(on, ip, prefix_len, &(struct ip){ { 0 } }, IP_ROUTE_ADDRESS) == NULL)
		return NULL;
	a = free_slot(on->stack);
	if (a == NULL)
		return NULL; /* the route stays: the prefix is on the link anyhow */
	const bool four = ip_is4(ip);
	*a = (struct ip_address){ .ip = *ip,
		.prefix_len = (uint8_t)bits,
		.state = on->link != NULL ? IP_ADDRESS_CLAIMING : IP_ADDRESS_GOOD,
		.probes = four ? PROBES4 : PROBES6,
		.announcements = four ? ANNOUNCEMENTS4 : 0,
		.on = on->index,
		.stack = on->stack,
		.claim = { .fire = claim },
		.preferred_until_ns = MRG_RT_NEVER,
		.valid_until_ns = MRG_RT_NEVER };
	if (four && bits + HOST_BITS_MIN <= 8u * sizeof ip->b) /* RFC 3021: not of two addresses */
		a->broadcast = ip_prefix_end(ip, bits);
	ways_forget(on->stack);
	if (on->link == NULL)
		return a;
	if (!four) {
		const struct ip group = ip_solicited_node(ip);
		group_join(on, &group);
	}
	set_claim(a, any_of(on->stack, wait_ns));
	return a;
}

/* The prefix is on the link as long as an address with it is there. */
static void remove_prefix(struct mrg_tcpip_if *on, const struct ip_address *gone)
{
	struct ip_state *const ip = on->stack->ip;
	for (unsigned i = 0; i < ip->address_used; i++)
		if (ip->addresses[i].state != IP_ADDRESS_FREE && ip->addresses[i].on == gone->on &&
			ip->addresses[i].prefix_len == gone->prefix_len &&
			ip_prefix_same(&ip->addresses[i].ip, &gone->ip, gone->prefix_len))
			return;
	for (unsigned i = 0; i < ip->route_used; i++) {
		struct ip_route *const r = &ip->routes[i];
		if (r->kind == IP_ROUTE_ADDRESS && r->on == gone->on && r->prefix_len == gone->prefix_len &&
			ip_prefix_same(&r->to, &gone->ip, gone->prefix_len))
			route_remove(on->stack, r);
	}
}

void address_remove(struct ip_address *a)
{
	struct mrg_tcpip *const s = a->stack;
	struct mrg_tcpip_if *const on = if_at(s, a->on);
	const struct ip gone = a->ip;
	mrg_rt_timer_cancel(s->world.timers, &a->claim);
	mrg_rt_timer_cancel(s->world.timers, &a->life);
	a->state = IP_ADDRESS_FREE;
	remove_prefix(on, a);
	if (!ip_is4(&gone) && on->link != NULL) {
		const struct ip group = ip_solicited_node(&gone);
		group_leave(on, &group);
	}
	if (ip_same(&on->link_local, &gone))
		on->link_local = (struct ip){ { 0 } };
	ways_forget(s);
	if (address_find(s, &gone) == NULL)
		tcp_address_gone(s, &gone);
}

void address_deprecate(struct ip_address *a, bool deprecated)
{
	a->deprecated = deprecated;
	ways_forget(a->stack);
}

bool mrg_tcpip_address_add(struct mrg_tcpip_if *on, const struct mrg_rt_addr *a, unsigned prefix_len)
{
	const struct ip ip = ip_of(a);
	const enum ip_kind kind = ip_kind(&ip);
	if (kind != IP_KIND_GLOBAL && kind != IP_KIND_LINK_LOCAL)
		return false;
	return address_add(on, &ip, prefix_len, true) != NULL;
}

bool mrg_tcpip_address_remove(struct mrg_tcpip_if *on, const struct mrg_rt_addr *a)
{
	const struct ip ip = ip_of(a);
	struct ip_address *const found = address_on(on, &ip);
	if (found == NULL)
		return false;
	address_remove(found);
	return true;
}

/* ---- which to send from: RFC 6724 section 5 ---- */

/* Does it go no further than the link? */
static bool near(const struct ip *a)
{
	const enum ip_kind kind = ip_kind(a);
	return kind == IP_KIND_LINK_LOCAL || (kind == IP_KIND_MULTICAST && ip_group_stays(a));
}

static bool better(const struct ip_address *a, const struct ip_address *b, const struct ip *to, bool to_near)
{
	if (ip_same(&a->ip, to) != ip_same(&b->ip, to)) /* rule 1 */
		return ip_same(&a->ip, to);
	const bool a_near = near(&a->ip), b_near = near(&b->ip);
	if (a_near != b_near) /* rule 2 */
		return a_near == to_near;
	if (a->deprecated != b->deprecated) /* rule 3 */
		return b->deprecated;
	return ip_common_bits(&a->ip, to) > ip_common_bits(&b->ip, to); /* rule 8 */
}

const struct ip_address *address_from(const struct mrg_tcpip_if *on, const struct ip *to)
{
	const struct ip_state *const ip = on->stack->ip;
	const struct ip_address *best = NULL;
	const bool four = ip_is4(to), to_near = near(to);
	for (unsigned i = 0; i < ip->address_used; i++) {
		const struct ip_address *const a = &ip->addresses[i];
		if (a->state == IP_ADDRESS_FREE || a->on != on->index || ip_is4(&a->ip) != four)
			continue;
		if (best == NULL || better(a, best, to, to_near))
			best = a;
	}
	return best;
}

void ip_see(struct mrg_tcpip_if *on, const struct ip_in *in)
{
	if (in->to_many || on->dhcp_listens)
		return;
	on->seen.from = in->from;
	on->seen.to = in->to;
	on->seen.protocol = in->protocol;
	on->seen.era = on->stack->ip->era;
}
