/*
 * Routers of IPv6: they are solicited (RFC 7559), advertise themselves (RFC 4861 section 6.3.4), and redirect (section 8.3).
 * Reading order: router_if_up, router_input, advertisement, redirect.
 */
#include "protocols/tcpip/router.h"
#include "net/address.h"
#include "net/ip6.h"
#include "protocols/tcpip/neighbor.h"

enum {
	MESSAGE_MAX = 64,
	HOP_LIMIT_MIN = 32,      /* what is less would let nothing of ours arrive (CVE-2015-2922) */
	REACHABLE_MAX = 3600000, /* milliseconds: RFC 4861 section 6.2.1 */
	RETRANSMIT_MIN = 100,    /* likewise; less would make us flood the link */
	RETRANSMIT_MAX = 60000,
	DOUBLINGS_MAX = 10 /* of the time between solicitations: about an hour (RFC 7559 section 2.1) */
};

static const uint64_t solicit_ns = 4u * MRG_RT_SECOND_NS; /* RTR_SOLICITATION_INTERVAL */

size_t router_memory(const struct mrg_tcpip_limits *l)
{
	return sizeof(struct router_state) + (l->if_count + 1u) * sizeof(struct router_link) +
	       2u * _Alignof(max_align_t);
}

struct router_state *router_open(struct mrg_tcpip *s, struct mrg_arena *a)
{
	const size_t align = _Alignof(max_align_t);
	struct router_state *const st = mrg_arena_get(a, sizeof *st, align);
	if (st == NULL)
		return NULL;
	st->links = mrg_arena_get(a, (s->limits.if_count + 1u) * sizeof *st->links, align);
	return st->links != NULL ? st : NULL;
}

static struct router_link *link_of(const struct mrg_tcpip_if *on)
{
	return &on->stack->ip->router->links[on->index];
}

/* ---- solicitations ---- */

static uint64_t any_of(struct mrg_tcpip *s, uint64_t below_ns)
{
	return below_ns / UINT16_MAX * ip_random(s, UINT16_MAX);
}

/* RFC 4429 section 3.2: an address that is not sure yet is not to get into the router's cache. */
static void put_source(
	struct mrg_w *w, struct mrg_net_router_solicitation_build *r, const struct mrg_tcpip_if *on)
{
	const struct ip_address *const a = address_on(on, &on->link_local);
	struct mrg_net_nd_option_build b;
	if (a == NULL || a->state == IP_ADDRESS_CLAIMING)
		return;
	mrg_net_router_solicitation_options_add(w, r);
	mrg_net_nd_option_begin(w, &b,
		&(struct mrg_net_nd_option_args){
			.type = MRG_NET_ND_OPTION_TYPE_SOURCE_LINK, .length = MRG_NET_LINK_OPTION_UNITS });
	mrg_net_nd_option_source_put(w, &(struct mrg_net_nd_option_source_args){
						.address = { on->link->address, sizeof on->link->address } });
	mrg_net_nd_option_end(w, &b);
}

static void send_solicitation(struct mrg_tcpip_if *on)
{
	struct ip_way way = { .from = on->link_local, .to = ip_all_routers(), .only = ip_if_index(on) };
	uint8_t message[MESSAGE_MAX];
	struct mrg_net_icmp6_build b;
	struct mrg_net_router_solicitation_build r;
	struct mrg_w w;
	mrg_w_init(&w, message, sizeof message);
	mrg_net_icmp6_begin(
		&w, &b, &(struct mrg_net_icmp6_args){ .type = MRG_NET_ICMP6_TYPE_ROUTER_SOLICITATION });
	mrg_net_router_solicitation_begin(&w, &r, &(struct mrg_net_router_solicitation_args){ 0 });
	put_source(&w, &r, on);
	mrg_net_router_solicitation_end(&w, &r);
	mrg_net_icmp6_end(&w, &b);
	if (icmp6_send(on->stack, &way, &w, MRG_NET_ND_HOP_LIMIT, false) == MRG_IO_OK)
		on->stack->ip->router->counts.out_solicitations++;
}

/* RFC 7559 section 2: less and less often, give or take a tenth, until somebody answers. */
static void on_solicit(struct mrg_rt_timer *t, uint64_t now_ns)
{
	struct router_link *const l =
		(struct router_link *)(void *)((char *)t - offsetof(struct router_link, solicit));
	struct mrg_tcpip *const s = l->on->stack;
	const uint64_t usual_ns = solicit_ns << l->solicited;
	send_solicitation(l->on);
	if (l->solicited < DOUBLINGS_MAX)
		l->solicited++;
	mrg_rt_timer_set(
		s->world.timers, &l->solicit, now_ns + usual_ns - usual_ns / 10u + any_of(s, usual_ns / 5u));
}

void router_if_up(struct mrg_tcpip_if *on)
{
	struct router_link *const l = link_of(on);
	*l = (struct router_link){ .on = on, .solicit = { .fire = on_solicit } };
	mrg_rt_timer_set(on->stack->world.timers, &l->solicit,
		stack_now(on->stack) + any_of(on->stack, MRG_RT_SECOND_NS));
}

/* ---- default routers ---- */

static void forget_redirects(struct mrg_tcpip_if *on, const struct ip *by)
{
	struct router_link *const l = link_of(on);
	for (unsigned i = 0; i < REDIRECTS_MAX; i++) {
		struct redirect *const r = &l->redirects[i];
		if (ip_unspecified(&r->to) || (by != NULL && !ip_same(&r->by, by)))
			continue;
		struct ip_route *const route = route_find(on, &r->to, MRG_NET_IP6_BITS, &r->by);
		if (route != NULL && route->kind == IP_ROUTE_REDIRECT)
			route_remove(on->stack, route);
		*r = (struct redirect){ .to = { { 0 } } };
	}
}

static void router_forget(struct router *r)
{
	const struct ip any = { { 0 } };
	struct ip_route *const route = route_find(r->on, &any, 0, &r->ip);
	mrg_rt_timer_cancel(r->on->stack->world.timers, &r->expiry);
	if (route != NULL && route->kind == IP_ROUTE_ROUTER)
		route_remove(r->on->stack, route);
	forget_redirects(r->on, &r->ip);
	r->ip = any;
}

static void on_expiry(struct mrg_rt_timer *t, uint64_t now_ns)
{
	(void)now_ns;
	router_forget((struct router *)(void *)((char *)t - offsetof(struct router, expiry)));
}

static struct router *find(const struct mrg_tcpip_if *on, const struct ip *ip)
{
	struct router_link *const l = link_of(on);
	for (unsigned i = 0; i < ROUTERS_MAX; i++)
		if (ip_same(&l->routers[i].ip, ip))
			return &l->routers[i];
	return NULL;
}

void router_gone(struct mrg_tcpip_if *on, const struct ip *router)
{
	struct router *const r = ip_unspecified(router) ? NULL : find(on, router);
	if (r != NULL)
		router_forget(r);
}

static uint8_t preference_of(const struct mrg_net_router_advertisement *a)
{
	switch (mrg_net_router_advertisement_prf(a)) {
	case MRG_NET_ROUTER_PREFERENCE_HIGH: return 2;
	case MRG_NET_ROUTER_PREFERENCE_LOW: return 0;
	default: return 1; /* RFC 4191 section 2.2: the reserved one as well */
	}
}

static struct router *router_make(struct mrg_tcpip_if *on, const struct ip *ip)
{
	static const struct ip any;
	struct router *const r = find(on, &any);
	if (r == NULL || route_add(on, &any, 0, ip, IP_ROUTE_ROUTER) == NULL) {
		on->stack->ip->router->counts.routers_refused++;
		return NULL;
	}
	*r = (struct router){ .ip = *ip, .on = on, .expiry = { .fire = on_expiry } };
	return r;
}

static void take_router(struct mrg_tcpip_if *on, const struct ip *ip,
	const struct mrg_net_router_advertisement *a, uint64_t now_ns)
{
	const struct ip any = { { 0 } };
	const uint64_t lifetime_s = mrg_net_router_advertisement_router_lifetime(a);
	struct router *r = find(on, ip);
	if (lifetime_s == 0) {
		if (r != NULL)
			router_forget(r);
		return;
	}
	if (r == NULL)
		r = router_make(on, ip);
	if (r == NULL)
		return;
	struct ip_route *const route = route_find(on, &any, 0, ip);
	if (route != NULL && route->kind == IP_ROUTE_ROUTER && route->preference != preference_of(a)) {
		route->preference = preference_of(a);
		ways_forget(on->stack);
	}
	mrg_rt_timer_set(on->stack->world.timers, &r->expiry, now_ns + lifetime_s * MRG_RT_SECOND_NS);
}

/* ---- advertisements ---- */

static void take_parameters(struct mrg_tcpip_if *on, const struct mrg_net_router_advertisement *a)
{
	const uint8_t hop_limit = mrg_net_router_advertisement_cur_hop_limit(a);
	const uint32_t reachable_ms = mrg_net_router_advertisement_reachable_time(a);
	const uint32_t retransmit_ms = mrg_net_router_advertisement_retrans_timer(a);
	if (hop_limit >= HOP_LIMIT_MIN)
		on->hop_limit6 = hop_limit;
	if (reachable_ms != 0 && reachable_ms <= REACHABLE_MAX)
		on->reachable_ms = reachable_ms;
	if (retransmit_ms >= RETRANSMIT_MIN && retransmit_ms <= RETRANSMIT_MAX)
		on->retransmit_ms = retransmit_ms;
}

static void take_mtu(struct mrg_tcpip_if *on, uint32_t mtu)
{
	if (mtu < MRG_NET_IP6_MTU_MIN || mtu > on->link->mtu || mtu == on->mtu6)
		return; /* RFC 4861 section 6.3.4 */
	on->mtu6 = (uint16_t)mtu;
	ways_forget(on->stack);
}

static void take_option(struct mrg_tcpip_if *on, const struct ip_in *in, const struct mrg_net_nd_option *o)
{
	struct mrg_net_nd_option_source source;
	struct mrg_net_nd_option_link_mtu mtu;
	struct mrg_net_nd_prefix prefix;
	if (mrg_net_nd_option_body_as_source(o, &source))
		neighbor_heard(on, &in->from, mrg_net_nd_option_source_address(&source));
	else if (mrg_net_nd_option_body_as_link_mtu(o, &mtu))
		take_mtu(on, mrg_net_nd_option_link_mtu_mtu(&mtu));
	else if (mrg_net_nd_option_body_as_nd_prefix(o, &prefix))
		prefix_heard(on, &prefix, in->now_ns);
}

static void advertisement(
	struct mrg_tcpip_if *on, const struct ip_in *in, const struct mrg_net_router_advertisement *a)
{
	struct mrg_net_router_advertisement_options_it it = mrg_net_router_advertisement_options(a);
	struct mrg_net_nd_option o;
	on->stack->ip->router->counts.in_advertisements++;
	mrg_rt_timer_cancel(on->stack->world.timers, &link_of(on)->solicit);
	take_parameters(on, a);
	while (mrg_net_router_advertisement_options_next(&it, &o))
		take_option(on, in, &o);
	neighbor_is_router(on, &in->from, true);
	take_router(on, &in->from, a, in->now_ns);
}

/* ---- redirects ---- */

/* RFC 4861 section 8.1: from the router that packets to `to` go to now. */
static bool is_first_hop(struct mrg_tcpip_if *on, const struct ip *from, const struct ip *to)
{
	struct ip_way way = { .to = *to };
	if (!ip_way_find(on->stack, &way) || way.on != on->index || way.neighbor == NEIGHBOR_NONE)
		return false;
	return ip_same(&on->stack->ip->neighbors->entry[way.neighbor].ip, from);
}

static void remember(struct mrg_tcpip_if *on, const struct ip *to, const struct ip *by)
{
	struct router_link *const l = link_of(on);
	struct redirect *r = NULL;
	for (unsigned i = 0; i < REDIRECTS_MAX && r == NULL; i++)
		if (ip_same(&l->redirects[i].to, to))
			r = &l->redirects[i];
	if (r == NULL)
		r = &l->redirects[l->redirect_next++ % REDIRECTS_MAX];
	struct ip_route *const before =
		ip_unspecified(&r->to) ? NULL : route_find(on, &r->to, MRG_NET_IP6_BITS, &r->by);
	if (before != NULL && before->kind == IP_ROUTE_REDIRECT)
		route_remove(on->stack, before);
	*r = (struct redirect){ .to = { { 0 } } };
	if (route_add(on, to, MRG_NET_IP6_BITS, by, IP_ROUTE_REDIRECT) != NULL)
		*r = (struct redirect){ .to = *to, .by = *by };
}

static bool redirect(struct mrg_tcpip_if *on, const struct ip_in *in, const struct mrg_net_redirect *m)
{
	const struct ip to = ip_from6(mrg_net_redirect_destination_address(m)), none = { { 0 } };
	const struct ip target = ip_from6(mrg_net_redirect_target_address(m));
	const bool on_link = ip_same(&target, &to);
	struct mrg_net_redirect_options_it it = mrg_net_redirect_options(m);
	struct mrg_net_nd_option o;
	struct mrg_net_nd_option_target mac;
	const enum ip_kind kind = ip_kind(&to);
	if ((kind != IP_KIND_GLOBAL && kind != IP_KIND_LINK_LOCAL) ||
		(!on_link && !ip_is_link_local(&target)))
		return false;
	if (ip_mine(on->stack, &to) || ip_mine(on->stack, &target) || !is_first_hop(on, &in->from, &to))
		return false;
	while (mrg_net_redirect_options_next(&it, &o))
		if (mrg_net_nd_option_body_as_target(&o, &mac))
			neighbor_heard(on, &target, mrg_net_nd_option_target_address(&mac));
	if (!on_link)
		neighbor_is_router(on, &target, true);
	remember(on, &to, on_link ? &none : &target);
	return true;
}

void router_input(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_icmp6 *m)
{
	struct router_state *const st = s->ip->router;
	struct mrg_net_router_advertisement a;
	struct mrg_net_redirect r;
	/* RFC 4861 sections 6.1.2 and 8.1 */
	if (in->on->link == NULL || ip_is4(&in->from) || !ip_is_link_local(&in->from)) {
		st->counts.in_errors++;
		return;
	}
	if (mrg_net_icmp6_body_as_router_advertisement(m, &a))
		advertisement(in->on, in, &a);
	else if (mrg_net_icmp6_body_as_redirect(m, &r) && redirect(in->on, in, &r))
		st->counts.in_redirects++;
	else
		st->counts.in_errors++;
}

void router_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx)
{
	const struct router_state *const st = s->ip->router;
	each(ctx, "router", "in_advertisements", st->counts.in_advertisements);
	each(ctx, "router", "in_redirects", st->counts.in_redirects);
	each(ctx, "router", "in_errors", st->counts.in_errors);
	each(ctx, "router", "out_solicitations", st->counts.out_solicitations);
	each(ctx, "router", "routers_refused", st->counts.routers_refused);
	each(ctx, "router", "prefixes_refused", st->counts.prefixes_refused);
	each(ctx, "router", "duplicates", st->counts.duplicates);
}
