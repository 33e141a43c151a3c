/*
 * Routes, and the ways that are found by them: the longest prefix that fits (RFC 1122 section 3.3.1, RFC 4861 section 5.2).
 */
#include "protocols/tcpip/neighbor.h"
#include "protocols/tcpip/path_mtu.h"

void ways_forget(struct mrg_tcpip *s)
{
	if (++s->ip->era == 0)
		s->ip->era = 1;
}

struct ip_route *route_find(
	struct mrg_tcpip_if *on, const struct ip *to, unsigned prefix_len, const struct ip *by)
{
	struct ip_state *const ip = on->stack->ip;
	const unsigned bits = ip_bits(to, prefix_len);
	for (unsigned i = 0; i < ip->route_used; i++) {
		struct ip_route *const r = &ip->routes[i];
		if (r->kind != IP_ROUTE_FREE && r->on == on->index && r->prefix_len == bits &&
			ip_prefix_same(&r->to, to, bits) && ip_same(&r->by, by))
			return r;
	}
	return NULL;
}

static struct ip_route *free_slot(struct ip_state *ip)
{
	for (unsigned i = 0; i < ip->route_used; i++)
		if (ip->routes[i].kind == IP_ROUTE_FREE)
			return &ip->routes[i];
	return ip->route_used < ip->route_max ? &ip->routes[ip->route_used++] : NULL;
}

struct ip_route *route_add(struct mrg_tcpip_if *on, const struct ip *to, unsigned prefix_len,
	const struct ip *by, enum ip_route_kind kind)
{
	struct ip_route *const there = route_find(on, to, prefix_len, by);
	if (there != NULL)
		return there;
	struct ip_route *const r = free_slot(on->stack->ip);
	if (r == NULL)
		return NULL;
	*r = (struct ip_route){ .to = *to,
		.by = *by,
		.prefix_len = (uint8_t)ip_bits(to, prefix_len),
		.kind = (uint8_t)kind,
		.preference = 1,
		.on = on->index };
	ways_forget(on->stack);
	return r;
}

void route_remove(struct mrg_tcpip *s, struct ip_route *r)
{
	r->kind = IP_ROUTE_FREE;
	ways_forget(s);
}

bool mrg_tcpip_route_add(struct mrg_tcpip_if *on, const struct mrg_rt_addr *to, unsigned prefix_len,
	const struct mrg_rt_addr *by)
{
	const struct ip prefix = ip_of(to), router = ip_of(by);
	const enum ip_kind kind = ip_kind(&router);
	if ((kind != IP_KIND_GLOBAL && kind != IP_KIND_LINK_LOCAL) || ip_is4(&prefix) != ip_is4(&router))
		return false;
	return route_add(on, &prefix, prefix_len, &router, IP_ROUTE_MANUAL) != NULL;
}

static bool better(const struct ip_route *a, const struct ip_route *b)
{
	if (a->prefix_len != b->prefix_len)
		return a->prefix_len > b->prefix_len;
	if (a->down != b->down)
		return b->down;
	return a->preference > b->preference;
}

static const struct ip_route *route_to(const struct mrg_tcpip *s, const struct ip_way *w)
{
	const struct ip_state *const ip = s->ip;
	const struct ip_route *best = NULL;
	const bool four = ip_is4(&w->to);
	for (unsigned i = 0; i < ip->route_used; i++) {
		const struct ip_route *const r = &ip->routes[i];
		if (r->kind == IP_ROUTE_FREE || (w->only != 0 && r->on != w->only) ||
			ip_is4(&r->to) != four || !ip_prefix_same(&r->to, &w->to, r->prefix_len))
			continue;
		if (best == NULL || better(r, best))
			best = r;
	}
	return best;
}

/* ---- ways ---- */

/* The interface for addresses that are good on one link only: the one that is named, that has `from`, or the only one. */
static struct mrg_tcpip_if *link_of(const struct mrg_tcpip *s, const struct ip_way *w)
{
	const struct ip_state *const ip = s->ip;
	if (w->only != 0)
		return w->only <= ip->if_last ? if_at(s, w->only) : NULL;
	const struct ip_address *const a = ip_unspecified(&w->from) ? NULL : address_find(s, &w->from);
	if (a != NULL && a->on != 0)
		return if_at(s, a->on);
	if (ip->if_last == 1)
		return if_at(s, 1);
	const struct ip_route *const r = route_to(s, w);
	return r != NULL ? if_at(s, r->on) : NULL;
}

/*
 * Where there is none on the interface itself one that is good everywhere does as well, unless it is to go by this interface alone, as
 * what asks for an address is.
 */
static bool choose_from(struct mrg_tcpip *s, const struct mrg_tcpip_if *on, struct ip_way *w)
{
	if (!ip_unspecified(&w->from))
		return true;
	const struct ip_address *a = address_from(on, &w->to);
	for (uint16_t i = 1; a == NULL && w->only == 0 && i <= s->ip->if_last; i++) {
		a = address_from(if_at(s, i), &w->to);
		if (a != NULL && ip_is_link_local(&a->ip))
			a = NULL;
	}
	if (a != NULL)
		w->from = a->ip;
	return a != NULL;
}

static bool found(struct mrg_tcpip *s, struct ip_way *w, const struct mrg_tcpip_if *on, uint16_t neighbor)
{
	w->on = on->index;
	w->neighbor = neighbor;
	w->mtu = ip_is4(&w->to) ? on->mtu : on->mtu6;
	const uint16_t path = path_mtu_of(s, &w->to);
	if (path != 0 && path < w->mtu)
		w->mtu = path;
	w->era = s->ip->era;
	return true;
}

static bool by_neighbor(struct mrg_tcpip *s, struct ip_way *w, struct mrg_tcpip_if *on, const struct ip *next)
{
	if (!choose_from(s, on, w))
		return false;
	struct neighbor *const n = neighbor_get(on, next);
	if (n == NULL)
		return false;
	n->wayed = true;
	return found(s, w, on, neighbor_index(s, n));
}

bool ip_way_find(struct mrg_tcpip *s, struct ip_way *w)
{
	const enum ip_kind kind = ip_kind(&w->to);
	w->era = 0;
	if (kind == IP_KIND_NONE || kind == IP_KIND_THIS || kind == IP_KIND_RESERVED)
		return false;
	if (!ip_unspecified(&w->from) && ip_is4(&w->from) != ip_is4(&w->to))
		return false;
	if (ip_mine(s, &w->to)) {
		if (ip_unspecified(&w->from))
			w->from = w->to;
		return found(s, w, if_at(s, 0), NEIGHBOR_NONE);
	}
	if (!ip_unspecified(&w->from) && !ip_mine(s, &w->from))
		return false;
	if (kind == IP_KIND_MULTICAST || kind == IP_KIND_BROADCAST || kind == IP_KIND_LINK_LOCAL) {
		struct mrg_tcpip_if *const on = link_of(s, w);
		if (on == NULL || on->link == NULL)
			return false;
		if (kind == IP_KIND_LINK_LOCAL)
			return by_neighbor(s, w, on, &w->to);
		/* without an address there are DHCP's, and what Neighbor Discovery and MLD send (RFC 3590) */
		if (!choose_from(s, on, w) && w->only == 0)
			return false;
		return found(s, w, on, NEIGHBOR_NONE);
	}
	const struct ip_route *const r = route_to(s, w);
	if (r == NULL)
		return false;
	struct mrg_tcpip_if *const on = if_at(s, r->on);
	if (ip_is_broadcast(on, &w->to))
		return choose_from(s, on, w) && found(s, w, on, NEIGHBOR_NONE);
	return by_neighbor(s, w, on, ip_unspecified(&r->by) ? &w->to : &r->by);
}

static bool known(struct mrg_tcpip *s, struct ip_way *w) { return w->era == s->ip->era || ip_way_find(s, w); }

uint16_t ip_way_mtu(struct mrg_tcpip *s, struct ip_way *w) { return known(s, w) ? w->mtu : 0; }

uint32_t ip_way_cut_max(struct mrg_tcpip *s, struct ip_way *w)
{
	if (!known(s, w) || if_at(s, w->on)->link == NULL)
		return 0;
	/* of the packet: the link counts its frames with the Ethernet header */
	const uint32_t frame = if_at(s, w->on)->link->cut_max;
	return frame > HEAD_MAX ? frame - HEAD_MAX : 0;
}

bool ip_way_sums(struct mrg_tcpip *s, struct ip_way *w)
{
	return known(s, w) && (if_at(s, w->on)->link == NULL || if_at(s, w->on)->link->sums);
}
