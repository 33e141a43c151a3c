/*
 * A client of DHCP on each interface that asks for one (RFC 2131 section 4.4): the deeds of the machine in specs/net/dhcp4_client.mrg.
 *
 * An address is used as soon as it is ours by the server's word, and claimed meanwhile; somebody else's word gives it back.
 * Reading order: struct dhcp_client, mrg_tcpip_dhcp, batch (what servers say), then what the machine asks for.
 */
#include "protocols/tcpip/dhcp.h"
#include "net/dhcp4.h"
#include "net/dhcp4_client.h"
#include "protocols/tcpip/neighbor.h"
#include "protocols/tcpip/udp.h"

enum {
	ATTEMPTS_MAX = 4, /* doublings of the time between two messages: 4 to 64 s (RFC 2131 section 4.1) */
	LEASE_MIN_S = 10, /* a lease is never taken to be shorter */
	MTU_MIN = 576     /* RFC 791 section 3.2: what all hosts take. A smaller one would harm only us */
};

static const uint64_t first_ns = 4u * MRG_RT_SECOND_NS;
static const uint64_t least_ns = 60u * MRG_RT_SECOND_NS; /* RFC 2131 section 4.4.5 */
static const uint64_t pause_ns = 10u * MRG_RT_SECOND_NS; /* RFC 2131 section 3.1 (5) */

struct dhcp_client {
	struct mrg_net_dhcp4_client m;
	struct mrg_tcpip_if *on; /* NULL: nobody asks */
	const struct mrg_tcpip_dhcp_user *user;
	struct mrg_dgram_user dgram;
	struct mrg_rt_timer retransmit, renewal, rebinding, expiry, pause;
	uint32_t xid;
	unsigned attempts;       /* messages of this transaction */
	uint64_t begun_ns;       /* the transaction */
	uint64_t asked_ns;       /* the last request; the lease counts from there (RFC 2131 section 4.4.5) */
	struct dhcp_said said;   /* offer or ack that is being looked at */
	struct ip server, asked; /* of the offer that was chosen, or of the lease */
	struct ip address, router; /* that were added; unspecified: none */
	struct dhcp_route
		route[DHCP_ROUTES_MAX]; /* that were asked for, whether they could be added or not */
	uint8_t route_count;
	uint64_t renewal_ns, rebinding_ns, expiry_ns; /* when; MRG_RT_NEVER: not */
};

struct dhcp_state {
	struct dhcp_client *clients; /* by interface */
	uint64_t xids;               /* transactions so far */
	struct {
		uint64_t in_offers, in_acks, in_naks, in_errors, out_messages, conflicts, leases, refused;
	} counts;
};

size_t dhcp_memory(const struct mrg_tcpip_limits *l)
{
	return sizeof(struct dhcp_state) + (l->if_count + 1u) * sizeof(struct dhcp_client) +
	       2u * _Alignof(max_align_t);
}

struct dhcp_state *dhcp_open(struct mrg_tcpip *s, struct mrg_arena *a)
{
	const size_t align = _Alignof(max_align_t);
	struct dhcp_state *const st = mrg_arena_get(a, sizeof *st, align);
	if (st == NULL)
		return NULL;
	st->clients = mrg_arena_get(a, (s->limits.if_count + 1u) * sizeof *st->clients, align);
	return st->clients != NULL ? st : NULL;
}

static struct dhcp_client *client(void *ctx) { return (struct dhcp_client *)ctx; }
static struct mrg_tcpip *stack_of(const struct dhcp_client *c) { return c->on->stack; }
static struct dhcp_state *state_of(const struct dhcp_client *c) { return c->on->stack->ip->dhcp; }

/* ---- what is said ---- */

/* RFC 2131 section 4.4.1 and 4.3.6: by unicast only while the server that gave the lease is asked for more. */
static void say(struct dhcp_client *c, struct dhcp_ask *ask, bool unicast)
{
	struct mrg_tcpip *const s = stack_of(c);
	uint8_t b[DHCP_MESSAGE_MAX + MRG_NET_SNAME_LEN];
	struct ip_way way = { .to = unicast ? c->server : ip_broadcast(), .only = ip_if_index(c->on) };
	const uint64_t secs = (stack_now(s) - c->begun_ns) / MRG_RT_SECOND_NS;
	struct mrg_w w;
	ask->xid = c->xid;
	ask->secs = secs < UINT16_MAX ? (uint16_t)secs : UINT16_MAX;
	ask->mac = (struct mrg_span){ c->on->link->address, sizeof c->on->link->address };
	if (ask->own != NULL)
		way.from = c->address;
	mrg_w_init(&w, b, sizeof b);
	dhcp_write(&w, ask);
	if (w.st == MRG_OK && udp_send(s, &way, MRG_NET_DHCP_CLIENT_PORT, MRG_NET_DHCP_SERVER_PORT,
				      mrg_w_span(&w, 0)) == MRG_IO_OK)
		state_of(c)->counts.out_messages++;
}

void mrg_net_dhcp4_client_do_discover(const struct mrg_net_dhcp4_client *m, void *ctx)
{
	(void)m;
	say(client(ctx),
		&(struct dhcp_ask){ .type = MRG_NET_DHCP_MESSAGE_TYPE_DISCOVER,
			.broadcast = true,
			.with_parameters = true },
		false);
}

/* RFC 2131 section 4.3.2, and the table of section 4.3.6 */
void mrg_net_dhcp4_client_do_request(const struct mrg_net_dhcp4_client *m, void *ctx)
{
	struct dhcp_client *const c = client(ctx);
	struct dhcp_ask ask = { .type = MRG_NET_DHCP_MESSAGE_TYPE_REQUEST, .with_parameters = true };
	c->asked_ns = stack_now(stack_of(c));
	if (m->state == MRG_NET_DHCP4_CLIENT_REQUESTING) {
		ask.broadcast = true;
		ask.server = &c->server;
		ask.asked = &c->asked;
	} else {
		ask.own = &c->asked;
	}
	say(c, &ask, m->state == MRG_NET_DHCP4_CLIENT_LEASED_RENEWING);
}

void mrg_net_dhcp4_client_do_decline(const struct mrg_net_dhcp4_client *m, void *ctx)
{
	struct dhcp_client *const c = client(ctx);
	(void)m;
	say(c,
		&(struct dhcp_ask){
			.type = MRG_NET_DHCP_MESSAGE_TYPE_DECLINE, .server = &c->server, .asked = &c->asked },
		false);
}

/* RFC 2131 section 4.4.6, table 5 */
void mrg_net_dhcp4_client_do_release(const struct mrg_net_dhcp4_client *m, void *ctx)
{
	struct dhcp_client *const c = client(ctx);
	(void)m;
	if (!ip_unspecified(&c->address))
		say(c,
			&(struct dhcp_ask){ .type = MRG_NET_DHCP_MESSAGE_TYPE_RELEASE,
				.own = &c->address,
				.server = &c->server },
			true);
}

/* ---- transactions ---- */

/* RFC 2131 section 4.1: by chance, as who guesses it could answer. */
void mrg_net_dhcp4_client_do_begin(const struct mrg_net_dhcp4_client *m, void *ctx)
{
	struct dhcp_client *const c = client(ctx);
	struct mrg_tcpip *const s = stack_of(c);
	const uint64_t of[] = { state_of(c)->xids++, c->on->index };
	uint8_t bytes[sizeof of];
	(void)m;
	memcpy(bytes, of, sizeof bytes);
	c->xid = (uint32_t)mrg_rt_hash(s->world.secret + 2, (struct mrg_span){ bytes, sizeof bytes });
	c->attempts = 0;
	c->begun_ns = stack_now(s);
}

void mrg_net_dhcp4_client_do_choose(const struct mrg_net_dhcp4_client *m, void *ctx)
{
	struct dhcp_client *const c = client(ctx);
	(void)m;
	c->attempts = 0;
	c->server = c->said.server;
	c->asked = c->said.address;
}

/* ---- leases ---- */

static void tell(const struct dhcp_client *c, unsigned prefix_len)
{
	struct mrg_rt_addr address = { .family = 0 }, router = { .family = 0 };
	if (!ip_unspecified(&c->address))
		ip_to_rt(&c->address, 0, 0, &address);
	if (!ip_unspecified(&c->router))
		ip_to_rt(&c->router, 0, 0, &router);
	if (c->user->changed != NULL)
		c->user->changed(c->user->ctx, c->on, &address, prefix_len, &router);
}

/* A route that somebody else has made stays. */
static void forget_routes(struct dhcp_client *c)
{
	for (unsigned i = 0; i < c->route_count; i++) {
		const struct dhcp_route *const is = &c->route[i];
		struct ip_route *const r = route_find(c->on, &is->to, is->prefix_len, &is->by);
		if (r != NULL && r->kind == IP_ROUTE_DHCP)
			route_remove(stack_of(c), r);
	}
	c->route_count = 0;
	c->router = (struct ip){ { 0 } };
}

static void forget(struct dhcp_client *c)
{
	struct ip_address *const a = ip_unspecified(&c->address) ? NULL : address_on(c->on, &c->address);
	forget_routes(c);
	if (a != NULL)
		address_remove(a);
	c->address = (struct ip){ { 0 } };
	c->on->mtu = c->on->link->mtu;
	c->on->dhcp_listens = true;
	ways_forget(stack_of(c));
}

void mrg_net_dhcp4_client_do_lose(const struct mrg_net_dhcp4_client *m, void *ctx)
{
	struct dhcp_client *const c = client(ctx);
	(void)m;
	forget(c);
	tell(c, 0);
}

/* RFC 2131 section 4.4.5: T1 is a half, T2 seven eighths of the lease, unless the server has other wishes that make sense. */
static void take_times(struct dhcp_client *c)
{
	const struct dhcp_said *const said = &c->said;
	const uint64_t lease_s = said->lease_s > LEASE_MIN_S ? said->lease_s : LEASE_MIN_S;
	uint64_t renewal_s = lease_s / 2u, rebinding_s = lease_s * 7u / 8u;
	c->renewal_ns = c->rebinding_ns = c->expiry_ns = MRG_RT_NEVER;
	if (said->lease_s == MRG_NET_DHCP_INFINITY)
		return;
	if (said->has_rebinding && said->rebinding_s < lease_s && said->rebinding_s > renewal_s)
		rebinding_s = said->rebinding_s;
	if (said->has_renewal && said->renewal_s < rebinding_s && said->renewal_s != 0)
		renewal_s = said->renewal_s;
	c->renewal_ns = c->asked_ns + renewal_s * MRG_RT_SECOND_NS;
	c->rebinding_ns = c->asked_ns + rebinding_s * MRG_RT_SECOND_NS;
	c->expiry_ns = c->asked_ns + lease_s * MRG_RT_SECOND_NS;
}

static void lost(struct mrg_tcpip_if *on, const struct ip *ip)
{
	struct dhcp_client *const c = &on->stack->ip->dhcp->clients[on->index];
	if (!ip_same(&c->address, ip))
		return;
	state_of(c)->counts.conflicts++;
	(void)mrg_net_dhcp4_client_on_conflict(&c->m, c);
}

static bool add_route(struct dhcp_client *c, const struct dhcp_route *r)
{
	const enum ip_kind kind = ip_kind(&r->by);
	const bool by_router = kind == IP_KIND_GLOBAL || kind == IP_KIND_LINK_LOCAL;
	return (by_router || (ip_unspecified(&r->by) && r->prefix_len != 0)) &&
	       route_add(c->on, &r->to, r->prefix_len, &r->by, IP_ROUTE_DHCP) != NULL;
}

static void take_routes(struct dhcp_client *c)
{
	const struct dhcp_said *const said = &c->said;
	const size_t len = said->route_count * sizeof *said->route;
	if (said->route_count == c->route_count && memcmp(said->route, c->route, len) == 0)
		return;
	forget_routes(c);
	memcpy(c->route, said->route, len);
	c->route_count = said->route_count;
	for (unsigned i = 0; i < c->route_count; i++) {
		if (!add_route(c, &c->route[i]))
			state_of(c)->counts.refused++;
		else if (c->route[i].prefix_len == 0 && ip_unspecified(&c->router))
			c->router = c->route[i].by;
	}
}

static void take_mtu(struct dhcp_client *c)
{
	const uint16_t most = c->on->link->mtu, mtu = c->said.mtu;
	c->on->mtu = mtu >= MTU_MIN && mtu < most ? mtu : most;
	ways_forget(stack_of(c));
}

void mrg_net_dhcp4_client_do_bind(const struct mrg_net_dhcp4_client *m, void *ctx)
{
	struct dhcp_client *const c = client(ctx);
	const struct ip before = c->address, router = c->router;
	(void)m;
	if (!ip_same(&c->address, &c->said.address)) {
		forget(c);
		struct ip_address *const a = address_add(c->on, &c->said.address, c->said.prefix_len, true);
		if (a == NULL) {
			state_of(c)->counts.refused++;
			take_times(c);
			return;
		}
		a->lost = lost;
		c->address = c->asked = c->said.address;
	}
	c->on->dhcp_listens = false;
	if (!ip_unspecified(&c->said.server))
		c->server = c->said.server;
	take_times(c);
	take_routes(c);
	take_mtu(c);
	state_of(c)->counts.leases++;
	if (!ip_same(&before, &c->address) || !ip_same(&router, &c->router))
		tell(c, c->said.prefix_len);
}

/* ---- timers ---- */

static void set(struct dhcp_client *c, struct mrg_rt_timer *t, uint64_t at_ns)
{
	if (at_ns != MRG_RT_NEVER)
		mrg_rt_timer_set(stack_of(c)->world.timers, t, at_ns);
}

static void cancel(struct dhcp_client *c, struct mrg_rt_timer *t)
{
	mrg_rt_timer_cancel(stack_of(c)->world.timers, t);
}

/* RFC 2131 section 4.1: 4 s, 8 s ... 64 s, each give or take one. */
static uint64_t backoff_ns(struct dhcp_client *c)
{
	const unsigned doublings = c->attempts < ATTEMPTS_MAX ? c->attempts : ATTEMPTS_MAX;
	const uint64_t by_chance_ns = MRG_RT_SECOND_NS / 1000u * ip_random(stack_of(c), 2001);
	c->attempts++;
	return (first_ns << doublings) - MRG_RT_SECOND_NS + by_chance_ns;
}

/* RFC 2131 section 4.4.5: after half of the time that is left until `end_ns`, but not before a minute. */
static uint64_t half_ns(const struct dhcp_client *c, uint64_t end_ns)
{
	const uint64_t now_ns = stack_now(stack_of(c)), left_ns = end_ns > now_ns ? end_ns - now_ns : 0;
	return left_ns / 2u > least_ns ? left_ns / 2u : least_ns;
}

void mrg_net_dhcp4_client_set_retransmit(const struct mrg_net_dhcp4_client *m, void *ctx)
{
	struct dhcp_client *const c = client(ctx);
	const uint64_t in_ns = m->state == MRG_NET_DHCP4_CLIENT_LEASED_RENEWING ? half_ns(c, c->rebinding_ns)
			       : m->state == MRG_NET_DHCP4_CLIENT_LEASED_REBINDING ? half_ns(c, c->expiry_ns)
										   : backoff_ns(c);
	set(c, &c->retransmit, stack_now(stack_of(c)) + in_ns);
}

void mrg_net_dhcp4_client_set_pause(const struct mrg_net_dhcp4_client *m, void *ctx)
{
	(void)m;
	set(client(ctx), &client(ctx)->pause, stack_now(stack_of(client(ctx))) + pause_ns);
}

void mrg_net_dhcp4_client_set_renewal(const struct mrg_net_dhcp4_client *m, void *ctx)
{
	(void)m;
	set(client(ctx), &client(ctx)->renewal, client(ctx)->renewal_ns);
}

void mrg_net_dhcp4_client_set_rebinding(const struct mrg_net_dhcp4_client *m, void *ctx)
{
	(void)m;
	set(client(ctx), &client(ctx)->rebinding, client(ctx)->rebinding_ns);
}

void mrg_net_dhcp4_client_set_expiry(const struct mrg_net_dhcp4_client *m, void *ctx)
{
	(void)m;
	set(client(ctx), &client(ctx)->expiry, client(ctx)->expiry_ns);
}

void mrg_net_dhcp4_client_cancel_retransmit(const struct mrg_net_dhcp4_client *m, void *ctx)
{
	(void)m;
	cancel(client(ctx), &client(ctx)->retransmit);
}

void mrg_net_dhcp4_client_cancel_pause(const struct mrg_net_dhcp4_client *m, void *ctx)
{
	(void)m;
	cancel(client(ctx), &client(ctx)->pause);
}

void mrg_net_dhcp4_client_cancel_renewal(const struct mrg_net_dhcp4_client *m, void *ctx)
{
	(void)m;
	cancel(client(ctx), &client(ctx)->renewal);
}

void mrg_net_dhcp4_client_cancel_rebinding(const struct mrg_net_dhcp4_client *m, void *ctx)
{
	(void)m;
	cancel(client(ctx), &client(ctx)->rebinding);
}

void mrg_net_dhcp4_client_cancel_expiry(const struct mrg_net_dhcp4_client *m, void *ctx)
{
	(void)m;
	cancel(client(ctx), &client(ctx)->expiry);
}

static void on_retransmit(struct mrg_rt_timer *t, uint64_t now_ns)
{
	struct dhcp_client *const c =
		(struct dhcp_client *)(void *)((char *)t - offsetof(struct dhcp_client, retransmit));
	(void)now_ns;
	(void)mrg_net_dhcp4_client_on_retransmit(&c->m, c);
}

static void on_renewal(struct mrg_rt_timer *t, uint64_t now_ns)
{
	struct dhcp_client *const c =
		(struct dhcp_client *)(void *)((char *)t - offsetof(struct dhcp_client, renewal));
	(void)now_ns;
	(void)mrg_net_dhcp4_client_on_renewal(&c->m, c);
}

static void on_rebinding(struct mrg_rt_timer *t, uint64_t now_ns)
{
	struct dhcp_client *const c =
		(struct dhcp_client *)(void *)((char *)t - offsetof(struct dhcp_client, rebinding));
	(void)now_ns;
	(void)mrg_net_dhcp4_client_on_rebinding(&c->m, c);
}

static void on_expiry(struct mrg_rt_timer *t, uint64_t now_ns)
{
	struct dhcp_client *const c =
		(struct dhcp_client *)(void *)((char *)t - offsetof(struct dhcp_client, expiry));
	(void)now_ns;
	(void)mrg_net_dhcp4_client_on_expiry(&c->m, c);
}

static void on_pause(struct mrg_rt_timer *t, uint64_t now_ns)
{
	struct dhcp_client *const c =
		(struct dhcp_client *)(void *)((char *)t - offsetof(struct dhcp_client, pause));
	(void)now_ns;
	(void)mrg_net_dhcp4_client_on_pause(&c->m, c);
}

/* ---- what servers say ---- */

/* An address that a host can have (RFC 1122 section 3.2.1.3). */
static bool usable(const struct ip *a)
{
	const enum ip_kind kind = ip_kind(a);
	return kind == IP_KIND_GLOBAL || kind == IP_KIND_LINK_LOCAL;
}

/* RFC 2131 table 3: what must be there. */
static void hear(struct dhcp_client *c, struct mrg_span message)
{
	struct dhcp_state *const st = state_of(c);
	const struct dhcp_said *const said = &c->said;
	const struct mrg_span mac = { c->on->link->address, sizeof c->on->link->address };
	const bool read = dhcp_read(message, c->xid, mac, &c->said);
	const bool same =
		ip_same(&said->server, &c->server) || c->m.state == MRG_NET_DHCP4_CLIENT_LEASED_REBINDING;
	if (read && said->type == MRG_NET_DHCP_MESSAGE_TYPE_OFFER && usable(&said->address) &&
		usable(&said->server)) {
		st->counts.in_offers++;
		(void)mrg_net_dhcp4_client_on_offer(&c->m, c);
	} else if (read && said->type == MRG_NET_DHCP_MESSAGE_TYPE_ACK && usable(&said->address) &&
		   said->has_lease && same) {
		st->counts.in_acks++;
		(void)mrg_net_dhcp4_client_on_ack(&c->m, c);
	} else if (read && said->type == MRG_NET_DHCP_MESSAGE_TYPE_NAK && same) {
		st->counts.in_naks++;
		(void)mrg_net_dhcp4_client_on_nak(&c->m, c);
	} else {
		st->counts.in_errors++;
	}
}

static void batch(void *ctx, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count, uint64_t now_ns)
{
	(void)e;
	(void)now_ns;
	for (size_t i = 0; i < count; i++)
		hear(client(ctx), d[i].in);
}

bool mrg_tcpip_dhcp(struct mrg_tcpip_if *on, const struct mrg_tcpip_dhcp_user *user)
{
	struct dhcp_client *const c = &on->stack->ip->dhcp->clients[on->index];
	if (c->on != NULL || on->link == NULL)
		return false;
	*c = (struct dhcp_client){ .user = user,
		.dgram = { .ctx = c, .batch = batch },
		.retransmit = { .fire = on_retransmit },
		.renewal = { .fire = on_renewal },
		.rebinding = { .fire = on_rebinding },
		.expiry = { .fire = on_expiry },
		.pause = { .fire = on_pause } };
	if (udp_bind_on(on, on->stack, MRG_NET_DHCP_CLIENT_PORT, &c->dgram) == NULL)
		return false;
	c->on = on;
	on->dhcp_listens = true;
	mrg_net_dhcp4_client_begin(&c->m);
	(void)mrg_net_dhcp4_client_on_start(&c->m, c);
	return true;
}

/* Does the last message still wait for the address of whoever is next on the way? */
static bool message_waits(const struct dhcp_client *c)
{
	struct mrg_tcpip *const s = stack_of(c);
	struct ip_way way = { .from = c->address, .to = c->server, .only = ip_if_index(c->on) };
	return ip_way_find(s, &way) && way.neighbor != NEIGHBOR_NONE &&
	       s->ip->neighbors->entry[way.neighbor].waiting != 0;
}

bool mrg_tcpip_dhcp_release(struct mrg_tcpip_if *on)
{
	struct dhcp_client *const c = &on->stack->ip->dhcp->clients[on->index];
	if (c->on == NULL)
		return true;
	(void)mrg_net_dhcp4_client_on_stop(&c->m, c);
	if (ip_unspecified(&c->address))
		return true;
	if (message_waits(c))
		return false;
	forget(c);
	c->on->dhcp_listens = false;
	return true;
}

void dhcp_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx)
{
	const struct dhcp_state *const st = s->ip->dhcp;
	each(ctx, "dhcp", "in_offers", st->counts.in_offers);
	each(ctx, "dhcp", "in_acks", st->counts.in_acks);
	each(ctx, "dhcp", "in_naks", st->counts.in_naks);
	each(ctx, "dhcp", "in_errors", st->counts.in_errors);
	each(ctx, "dhcp", "out_messages", st->counts.out_messages);
	each(ctx, "dhcp", "conflicts", st->counts.conflicts);
	each(ctx, "dhcp", "leases", st->counts.leases);
	each(ctx, "dhcp", "refused", st->counts.refused);
}
