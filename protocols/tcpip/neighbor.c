/*
 * The neighbor cache: entries by address, in order of use, each a machine of specs/net/neighbor.mrg; here are its deeds.
 */
#include "net/address.h"
#include "net/link.h"
#include "protocols/tcpip/icmp.h"
#include "protocols/tcpip/neighbor.h"

enum { HELD_MAX_COUNT = 64 }; /* frames: the fragments of the longest packet, with some to spare */

static const uint64_t delay_ns = 5u * MRG_RT_SECOND_NS; /* DELAY_FIRST_PROBE_TIME: RFC 4861 section 10 */
static const uint64_t ms_ns = MRG_RT_SECOND_NS / 1000u;

/* What deeds are told. */
struct event {
	struct neighbor *n;
	const struct mrg_span *mac; /* that came; NULL: none */
};

static struct neighbor *of(void *ctx) { return ((struct event *)ctx)->n; }

static struct neighbors *table_of(const struct neighbor *n) { return n->stack->ip->neighbors; }

/* ---- frames that wait ---- */

struct held *held_make(struct mrg_rt_pool *pool, const struct mrg_span *parts, size_t count,
	const struct mrg_frame_work *work)
{
	size_t len = 0;
	for (size_t i = 0; i < count; i++)
		len += parts[i].len;
	if (len > HELD_MAX || (work != NULL && work->cut != MRG_FRAME_WHOLE))
		return NULL;
	struct held *const h = mrg_rt_pool_get(pool);
	if (h == NULL)
		return NULL;
	h->next = NULL;
	h->work = work != NULL ? *work : (struct mrg_frame_work){ 0 };
	h->len = 0;
	for (size_t i = 0; i < count; i++) {
		mrg_copy(h->bytes + h->len, parts[i].p, parts[i].len);
		h->len += parts[i].len;
	}
	return h;
}

static struct held *take_first(struct neighbor *n)
{
	struct held *const h = n->first;
	n->first = h->next;
	if (n->first == NULL)
		n->last = NULL;
	if (!h->rest)
		n->waiting--;
	return h;
}

/* A packet, with all its fragments. */
static void drop_first(struct neighbor *n)
{
	n->stack->ip->count.neighbor_wait_dropped++;
	do
		mrg_rt_pool_put(&table_of(n)->held, take_first(n));
	while (n->first != NULL && n->first->rest);
}

/* The newest packets are kept, as many as there is room for. */
static enum mrg_io wait(struct neighbor *n, const struct mrg_span *parts, size_t count,
	const struct mrg_frame_work *work, bool rest)
{
	if (!rest && n->waiting == NEIGHBOR_WAIT_MAX)
		drop_first(n);
	struct held *h = held_make(&table_of(n)->held, parts, count, work);
	for (unsigned i = 0; h == NULL && n->waiting > rest && i < NEIGHBOR_WAIT_MAX; i++) {
		drop_first(n);
		h = held_make(&table_of(n)->held, parts, count, work);
	}
	if (h == NULL) {
		if (rest && n->first != NULL)
			drop_first(n); /* the beginning of this one: it is of no use */
		else
			n->stack->ip->count.neighbor_wait_dropped++;
		return MRG_IO_AGAIN;
	}
	h->rest = rest;
	if (n->last != NULL)
		n->last->next = h;
	else
		n->first = h;
	n->last = h;
	if (!rest)
		n->waiting++;
	return MRG_IO_OK;
}

/* ---- the table ---- */

static uint32_t bucket(const struct neighbors *t, const struct mrg_tcpip *s, uint16_t on, const struct ip *a)
{
	struct {
		struct ip ip;
		uint16_t on;
	} key = { *a, on };
	const struct mrg_span bytes = { (const uint8_t *)&key, sizeof key };
	return (uint32_t)mrg_rt_hash(s->world.secret, bytes) & t->mask;
}

static void unlink_used(struct neighbors *t, struct neighbor *n)
{
	t->entry[n->newer].older = n->older;
	t->entry[n->older].newer = n->newer;
	if (n->newer == 0)
		t->newest = n->older;
	if (n->older == 0)
		t->oldest = n->newer;
}

static void link_newest(struct neighbors *t, struct neighbor *n, uint16_t index)
{
	n->newer = 0;
	n->older = t->newest;
	t->entry[t->newest].newer = index;
	t->newest = index;
	if (t->oldest == 0)
		t->oldest = index;
}

static void touch(struct neighbor *n)
{
	struct neighbors *const t = table_of(n);
	unlink_used(t, n);
	link_newest(t, n, neighbor_index(n->stack, n));
}

struct neighbor *neighbor_find(const struct mrg_tcpip_if *on, const struct ip *a)
{
	const struct neighbors *const t = on->stack->ip->neighbors;
	uint16_t i = t->hash[bucket(t, on->stack, on->index, a)];
	while (i != NEIGHBOR_NONE && (t->entry[i].on != on->index || !ip_same(&t->entry[i].ip, a)))
		i = t->entry[i].chain;
	return i != NEIGHBOR_NONE ? &t->entry[i] : NULL;
}

/* Out of the table: what waits is lost, and ways that lead there are void. */
static void forget(struct neighbor *n)
{
	struct mrg_tcpip *const s = n->stack;
	struct neighbors *const t = table_of(n);
	while (n->first != NULL)
		drop_first(n);
	mrg_rt_timer_cancel(s->world.timers, &n->timer);
	uint16_t *link = &t->hash[bucket(t, s, n->on, &n->ip)];
	while (&t->entry[*link] != n)
		link = &t->entry[*link].chain;
	*link = n->chain;
	unlink_used(t, n);
	n->on = 0;
	if (n->wayed)
		ways_forget(s);
}

/* Of the entries not used for longest one that nobody is known to be behind. */
static struct neighbor *spare(struct mrg_tcpip *s)
{
	enum { TRIES = 16 };
	struct neighbors *const t = s->ip->neighbors;
	uint16_t i = t->oldest;
	for (unsigned n = 0; n < TRIES && i != NEIGHBOR_NONE; n++, i = t->entry[i].newer) {
		const uint8_t state = t->entry[i].machine.state;
		if (state == MRG_NET_NEIGHBOR_NONE || state == MRG_NET_NEIGHBOR_STALE ||
			state == MRG_NET_NEIGHBOR_INCOMPLETE) {
			s->ip->count.neighbor_reused++;
			forget(&t->entry[i]);
			return &t->entry[i];
		}
	}
	s->ip->count.neighbor_full++;
	return NULL;
}

static void fire(struct mrg_rt_timer *timer, uint64_t now_ns);

/* Frames to it go to this address. */
static void set_head(struct neighbor *n, struct mrg_span mac)
{
	const struct mrg_tcpip_if *const on = if_at(n->stack, n->on);
	struct mrg_w w;
	mrg_w_init(&w, n->head, sizeof n->head);
	mrg_net_ethernet_header_put(
		&w, &(struct mrg_net_ethernet_header_args){ .destination_address = mac,
			    .source_address = { on->link->address, sizeof on->link->address },
			    .type = ip_is4(&n->ip) ? MRG_NET_ETHER_TYPE_IPV4 : MRG_NET_ETHER_TYPE_IPV6 });
	n->head_len = (uint8_t)w.len;
}

static struct mrg_span mac_of(const struct neighbor *n)
{
	struct mrg_net_ethernet_header e;
	const struct mrg_span head = { n->head, n->head_len };
	return mrg_net_ethernet_header_check(head, &e, NULL) == MRG_OK
		       ? mrg_net_ethernet_header_destination_address(&e)
		       : head;
}

struct neighbor *neighbor_get(struct mrg_tcpip_if *on, const struct ip *a)
{
	struct mrg_tcpip *const s = on->stack;
	struct neighbors *const t = s->ip->neighbors;
	struct neighbor *n = neighbor_find(on, a);
	if (n != NULL) {
		touch(n);
		return n;
	}
	n = t->used < t->count ? &t->entry[++t->used] : spare(s);
	if (n == NULL)
		return NULL;
	const uint8_t nobody[sizeof on->link->address] = { 0 };
	*n = (struct neighbor){ .on = on->index, .ip = *a, .stack = s, .timer = { .fire = fire } };
	mrg_net_neighbor_begin(&n->machine);
	set_head(n, (struct mrg_span){ nobody, sizeof nobody });
	uint16_t *const head = &t->hash[bucket(t, s, on->index, a)];
	const uint16_t index = neighbor_index(s, n);
	n->chain = *head;
	*head = index;
	link_newest(t, n, index);
	return n;
}

/* ---- events ---- */

enum mrg_io neighbor_send(struct neighbor *n, const struct mrg_span *parts, size_t count,
	const struct mrg_frame_work *work, bool rest)
{
	if (n->machine.state != MRG_NET_NEIGHBOR_REACHABLE) {
		struct event e = { n, NULL };
		(void)mrg_net_neighbor_on_send(&n->machine, &e);
		if (n->machine.state == MRG_NET_NEIGHBOR_INCOMPLETE)
			return wait(n, parts, count, work, rest);
	}
	return mrg_link_send(if_at(n->stack, n->on)->link, parts, count, work);
}

void neighbor_heard(struct mrg_tcpip_if *on, const struct ip *a, struct mrg_span mac)
{
	const enum ip_kind kind = ip_kind(a);
	struct mrg_net_mac_bits bits;
	if ((kind != IP_KIND_GLOBAL && kind != IP_KIND_LINK_LOCAL) || address_find(on->stack, a) != NULL)
		return;
	if (mrg_net_mac_bits_check(mac, &bits, NULL) != MRG_OK || mrg_net_mac_bits_group(&bits) ||
		mrg_span_eq(mac, (struct mrg_span){ on->link->address, sizeof on->link->address }))
		return;
	struct neighbor *const n = neighbor_get(on, a);
	struct event e = { n, &mac };
	if (n != NULL)
		(void)mrg_net_neighbor_on_heard(&n->machine, &e);
}

void neighbor_advertised(struct neighbor *n, const struct mrg_span *mac, bool solicited, bool override)
{
	struct event e = { n, mac };
	(void)mrg_net_neighbor_on_advertisement(&n->machine, &e, solicited, override, mac != NULL);
}

void neighbor_is_router(struct mrg_tcpip_if *on, const struct ip *a, bool is)
{
	struct neighbor *const n = neighbor_find(on, a);
	if (n == NULL)
		return;
	const bool was = n->router;
	n->router = is;
	if (was && !is)
		router_gone(on, a);
}

void ip_way_confirm(struct mrg_tcpip *s, struct ip_way *w)
{
	if (w->era != s->ip->era || w->neighbor == NEIGHBOR_NONE)
		return;
	struct neighbor *const n = &s->ip->neighbors->entry[w->neighbor];
	n->confirmed_ns = stack_now(s);
	if (n->machine.state == MRG_NET_NEIGHBOR_REACHABLE)
		return; /* the timer looks at the time when it fires: there is one confirmation for each segment */
	struct event e = { n, NULL };
	(void)mrg_net_neighbor_on_confirmed(&n->machine, &e);
}

static uint64_t reachable_ns(const struct neighbor *n)
{
	/* a random factor between 0.5 and 1.5 (RFC 4861 section 6.3.2) */
	const uint32_t base = if_at(n->stack, n->on)->reachable_ms;
	return (base / 2u + ip_random(n->stack, base + 1u)) * ms_ns;
}

static void fire(struct mrg_rt_timer *timer, uint64_t now_ns)
{
	struct neighbor *const n =
		(struct neighbor *)(void *)((char *)timer - offsetof(struct neighbor, timer));
	struct event e = { n, NULL };
	switch ((enum mrg_net_neighbor_state)n->machine.state) {
	case MRG_NET_NEIGHBOR_REACHABLE: {
		const uint64_t until = n->confirmed_ns + reachable_ns(n);
		if (until > now_ns)
			mrg_rt_timer_set(n->stack->world.timers, timer, until);
		else
			(void)mrg_net_neighbor_on_reachable(&n->machine, &e);
		break;
	}
	case MRG_NET_NEIGHBOR_DELAY: (void)mrg_net_neighbor_on_delay(&n->machine, &e); break;
	default: (void)mrg_net_neighbor_on_retransmit(&n->machine, &e); break;
	}
}

/* ---- deeds ---- */

void mrg_net_neighbor_do_solicit(const struct mrg_net_neighbor *m, void *ctx, uint8_t unicast)
{
	const struct neighbor *const n = of(ctx);
	const struct mrg_span mac = mac_of(n);
	struct mrg_tcpip_if *const on = if_at(n->stack, n->on);
	(void)m;
	if (ip_is4(&n->ip))
		arp_solicit(on, &n->ip, unicast ? &mac : NULL);
	else
		nd_solicit(on, &n->ip, unicast ? &mac : NULL);
}

void mrg_net_neighbor_do_learn(const struct mrg_net_neighbor *m, void *ctx)
{
	const struct event *const e = ctx;
	struct ip_state *const ip = e->n->stack->ip;
	(void)m;
	set_head(e->n, *e->mac);
	for (unsigned i = 0; i < ip->route_used; i++)
		if (ip->routes[i].down && ip->routes[i].on == e->n->on &&
			ip_same(&ip->routes[i].by, &e->n->ip)) {
			ip->routes[i].down = false;
			ways_forget(e->n->stack);
		}
}

void mrg_net_neighbor_do_deliver(const struct mrg_net_neighbor *m, void *ctx)
{
	struct neighbor *const n = of(ctx);
	struct mrg_rt_pool *const pool = &table_of(n)->held;
	(void)m;
	while (n->first != NULL) {
		struct held *const h = take_first(n);
		memcpy(h->bytes, n->head, n->head_len);
		const struct mrg_span frame = { h->bytes, h->len };
		(void)mrg_link_send(if_at(n->stack, n->on)->link, &frame, 1, &h->work);
		mrg_rt_pool_put(pool, h);
	}
}

/* Nobody is there: whoever sent what waits is told, and routes by it are the last choice. */
void mrg_net_neighbor_do_fail(const struct mrg_net_neighbor *m, void *ctx)
{
	struct neighbor *const n = of(ctx);
	struct mrg_tcpip *const s = n->stack;
	struct mrg_rt_pool *const pool = &table_of(n)->held;
	const struct ip gone = n->ip;
	bool routed = false;
	(void)m;
	s->ip->count.neighbor_failed++;
	for (unsigned i = 0; i < s->ip->route_used; i++)
		if (s->ip->routes[i].kind != IP_ROUTE_FREE && s->ip->routes[i].on == n->on &&
			ip_same(&s->ip->routes[i].by, &gone))
			routed = s->ip->routes[i].down = true;
	if (routed)
		ways_forget(s);
	/* taken off first: whoever is told may send again, and that waits anew */
	struct held *h = n->first;
	n->first = n->last = NULL;
	n->waiting = 0;
	while (h != NULL) {
		struct held *const next = h->next;
		icmp_unreachable_here(
			s, (struct mrg_span){ h->bytes + n->head_len, h->len - n->head_len }, &gone);
		mrg_rt_pool_put(pool, h);
		h = next;
	}
}

bool mrg_net_neighbor_is_same(
	const struct mrg_net_neighbor *m, void *ctx, uint8_t solicited, uint8_t override, uint8_t addressed)
{
	const struct event *const e = ctx;
	(void)m, (void)solicited, (void) override;
	return addressed && mrg_span_eq(mac_of(e->n), *e->mac);
}

bool mrg_net_neighbor_is_known(const struct mrg_net_neighbor *m, void *ctx)
{
	const struct event *const e = ctx;
	(void)m;
	return mrg_span_eq(mac_of(e->n), *e->mac);
}

static void set(struct neighbor *n, uint64_t in_ns)
{
	mrg_rt_timer_set(n->stack->world.timers, &n->timer, stack_now(n->stack) + in_ns);
}

static void cancel(struct neighbor *n) { mrg_rt_timer_cancel(n->stack->world.timers, &n->timer); }

void mrg_net_neighbor_set_retransmit(const struct mrg_net_neighbor *m, void *ctx)
{
	(void)m;
	set(of(ctx), if_at(of(ctx)->stack, of(ctx)->on)->retransmit_ms * ms_ns);
}

void mrg_net_neighbor_cancel_retransmit(const struct mrg_net_neighbor *m, void *ctx)
{
	(void)m;
	cancel(of(ctx));
}

void mrg_net_neighbor_set_delay(const struct mrg_net_neighbor *m, void *ctx)
{
	(void)m;
	set(of(ctx), delay_ns);
}

void mrg_net_neighbor_cancel_delay(const struct mrg_net_neighbor *m, void *ctx)
{
	(void)m;
	cancel(of(ctx));
}

void mrg_net_neighbor_set_reachable(const struct mrg_net_neighbor *m, void *ctx)
{
	(void)m;
	of(ctx)->confirmed_ns = stack_now(of(ctx)->stack);
	set(of(ctx), reachable_ns(of(ctx)));
}

void mrg_net_neighbor_cancel_reachable(const struct mrg_net_neighbor *m, void *ctx)
{
	(void)m;
	cancel(of(ctx));
}

/* ---- memory ---- */

static uint32_t hash_size(uint32_t count)
{
	uint32_t size = 16;
	while (size < count)
		size *= 2u;
	return size;
}

static uint32_t entries(const struct mrg_tcpip_limits *l)
{
	return l->neighbor_count < UINT16_MAX ? l->neighbor_count : UINT16_MAX - 1u;
}

static uint32_t held_count(const struct mrg_tcpip_limits *l)
{
	const uint32_t most = entries(l) * NEIGHBOR_WAIT_MAX;
	return most < HELD_MAX_COUNT ? most : HELD_MAX_COUNT;
}

size_t neighbor_memory(const struct mrg_tcpip_limits *l)
{
	return sizeof(struct neighbors) + (entries(l) + 1u) * sizeof(struct neighbor) +
	       hash_size(entries(l)) * sizeof(uint16_t) + held_count(l) * (sizeof(struct held) + 64u) + 256u;
}

struct neighbors *neighbor_open(struct mrg_tcpip *s, struct mrg_arena *a)
{
	struct neighbors *const t = mrg_arena_get(a, sizeof *t, _Alignof(struct neighbors));
	if (t == NULL)
		return NULL;
	t->count = entries(&s->limits);
	t->mask = hash_size(t->count) - 1u;
	t->entry = mrg_arena_get(a, (t->count + 1u) * sizeof *t->entry, _Alignof(struct neighbor));
	t->hash = mrg_arena_get(a, (t->mask + 1u) * sizeof *t->hash, _Alignof(uint16_t));
	mrg_rt_pool_init(&t->held, a, sizeof(struct held), held_count(&s->limits));
	return t->entry != NULL && t->hash != NULL ? t : NULL;
}
