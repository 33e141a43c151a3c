/*
 * The table of connections, and their memory.
 */
#include "protocols/tcpip/tcp.h"

_Static_assert(sizeof(struct tcp_conn) + sizeof(struct tcp_head *) <= 256,
	"an idle connection has 256 bytes, with its place in the table");
_Static_assert(sizeof(struct tcp_half) + sizeof(struct tcp_head *) <= 64,
	"a half-open connection has 64 bytes, with its place in the table");
_Static_assert(sizeof(struct tcp_wait) <= 64, "a connection in TIME-WAIT has 64 bytes");

enum { ALIGN = 64 };

/* ---- memory ---- */

static uint32_t table_slots(const struct mrg_tcpip_limits *l)
{
	const uint64_t most = (uint64_t)l->conn_count + l->half_open_count + l->time_wait_count;
	uint32_t slots = 64;
	while (slots < most / 2u && slots < UINT32_C(1) << 30)
		slots *= 2u;
	return slots;
}

size_t tcp_memory(const struct mrg_tcpip_limits *l)
{
	return sizeof(struct tcp_state) + table_slots(l) * sizeof(struct tcp_head *) +
	       l->listener_count * sizeof(struct mrg_tcpip_listener) +
	       (size_t)l->half_open_count * sizeof(struct tcp_half) +
	       (size_t)l->time_wait_count * sizeof(struct tcp_wait) + mrg_rt_blocks_memory(l->buffer_len) +
	       (size_t)l->conn_count *
		       (sizeof(struct tcp_conn) + sizeof(struct tcp_flight) + sizeof(struct tcp_gaps)) +
	       (size_t)l->sent_count * sizeof(struct tcp_piece) + 10u * ALIGN;
}

struct tcp_state *tcp_open(struct mrg_tcpip *s, struct mrg_arena *a)
{
	const struct mrg_tcpip_limits *const l = &s->limits;
	struct tcp_state *const t = mrg_arena_get(a, sizeof *t, ALIGN);
	if (t == NULL)
		return NULL;
	t->stack = s;
	t->timer.fire = tcp_timer_fire;
	t->due_ms = UINT64_MAX;
	t->wheel.now_ms = tcp_ms(s);
	t->mask = table_slots(l) - 1u;
	t->table = mrg_arena_get(a, ((size_t)t->mask + 1u) * sizeof *t->table, ALIGN);
	t->listeners = mrg_arena_get(a, l->listener_count * sizeof *t->listeners, ALIGN);
	t->halves = mrg_arena_get(a, l->half_open_count * sizeof *t->halves, ALIGN);
	t->waits = mrg_arena_get(a, l->time_wait_count * sizeof *t->waits, ALIGN);
	const size_t most = l->send_max > l->receive_max ? l->send_max : l->receive_max;
	if (t->table == NULL || t->listeners == NULL || t->halves == NULL || t->waits == NULL ||
		!mrg_rt_blocks_init(&t->buffers, a, l->buffer_len, most))
		return NULL;
	mrg_rt_pool_init(&t->conns, a, sizeof(struct tcp_conn), l->conn_count);
	mrg_rt_pool_init(&t->flights, a, sizeof(struct tcp_flight), l->conn_count);
	mrg_rt_pool_init(&t->gaps, a, sizeof(struct tcp_gaps), l->conn_count);
	mrg_rt_pool_init(&t->pieces, a, sizeof(struct tcp_piece), l->sent_count);
	return t;
}

/* ---- the table ---- */

const struct ip *tcp_local_of(const struct tcp_state *t, const struct tcp_head *h)
{
	return h->kind == TCP_CONN ? &((const struct tcp_conn *)(const void *)h)->way.from
				   : &t->locals[h->local];
}

const struct ip *tcp_peer_of(const struct tcp_head *h)
{
	switch ((enum tcp_kind)h->kind) {
	case TCP_CONN: return &((const struct tcp_conn *)(const void *)h)->way.to;
	case TCP_HALF: return &((const struct tcp_half *)(const void *)h)->peer;
	case TCP_WAIT: break;
	}
	return &((const struct tcp_wait *)(const void *)h)->peer;
}

/* Two words of an address as they lie in memory: for a hash only. */
struct words {
	uint64_t w[2];
};

static struct words words_of(const struct ip *a)
{
	struct words w;
	memcpy(&w, a, sizeof w);
	return w;
}

/* Keyed, so that nobody outside can tell which connections share a slot. */
static struct tcp_head **slot_of(const struct tcp_state *t, const struct tcp_key *k)
{
	const uint64_t *const secret = t->stack->world.secret;
	const struct words peer = words_of(k->peer), local = words_of(k->local);
	const uint64_t ports = (uint64_t)k->local_port << 32 | k->peer_port;
	const uint64_t a = mrg_hash_mix(peer.w[0] ^ secret[0], peer.w[1] ^ secret[1]);
	const uint64_t b = mrg_hash_mix(local.w[0] ^ secret[2], local.w[1] ^ secret[3]);
	return &t->table[mrg_hash_mix(a ^ ports ^ secret[1], b ^ secret[0]) & t->mask];
}

static bool is(const struct tcp_state *t, const struct tcp_head *h, const struct tcp_key *k)
{
	return h->peer_port == k->peer_port && h->local_port == k->local_port &&
	       ip_same(tcp_peer_of(h), k->peer) && ip_same(tcp_local_of(t, h), k->local);
}

struct tcp_head *tcp_find(struct tcp_state *t, const struct tcp_key *k)
{
	struct tcp_head *h = *slot_of(t, k);
	while (h != NULL && !is(t, h, k))
		h = h->next;
	return h;
}

static struct tcp_key key_of(const struct tcp_state *t, const struct tcp_head *h)
{
	return (struct tcp_key){ tcp_local_of(t, h), tcp_peer_of(h), h->local_port, h->peer_port };
}

void tcp_table_add(struct tcp_state *t, struct tcp_head *h)
{
	const struct tcp_key k = key_of(t, h);
	struct tcp_head **const slot = slot_of(t, &k);
	h->next = *slot;
	*slot = h;
}

void tcp_table_remove(struct tcp_state *t, struct tcp_head *h)
{
	const struct tcp_key k = key_of(t, h);
	struct tcp_head **at = slot_of(t, &k);
	while (*at != NULL && *at != h)
		at = &(*at)->next;
	if (*at != NULL)
		*at = h->next;
}

/* ---- our addresses, which small entries share ---- */

static bool local_take(struct tcp_state *t, const struct ip *a, uint16_t *index)
{
	unsigned free = TCP_LOCALS_MAX;
	for (unsigned i = 0; i < TCP_LOCALS_MAX; i++) {
		if (t->local_uses[i] != 0 && ip_same(&t->locals[i], a)) {
			t->local_uses[i]++;
			*index = (uint16_t)i;
			return true;
		}
		if (t->local_uses[i] == 0 && free == TCP_LOCALS_MAX)
			free = i;
	}
	if (free == TCP_LOCALS_MAX)
		return false;
	t->locals[free] = *a;
	t->local_uses[free] = 1;
	*index = (uint16_t)free;
	return true;
}

static struct tcp_head head_of(enum tcp_kind kind, const struct tcp_key *k)
{
	struct tcp_head h = { .local_port = k->local_port,
		.peer_port = k->peer_port,
		.kind = (unsigned)kind & (TCP_KINDS - 1u) };
	mrg_net_connection_begin(&h.m);
	return h;
}

/* ---- connections ---- */

/* Nobody has it any more, its peer has all that was sent, and only does not close its side. */
static bool is_over(const struct tcp_head *h)
{
	const struct tcp_conn *const c = (const struct tcp_conn *)(const void *)h;
	return h->kind == TCP_CONN && c->opened && c->of.user == NULL &&
	       h->m.state == MRG_NET_CONNECTION_FIN_WAIT2;
}

/* Of those that are over, give up one if there is one soon: else peers that never close could take all room for a minute. */
static void give_up_one(struct tcp_state *t)
{
	enum { SLOTS = 64 /* of the table that are looked at */ };
	for (uint32_t i = 0; i < SLOTS; i++) {
		t->hand = (t->hand + 1u) & t->mask;
		for (struct tcp_head *h = t->table[t->hand]; h != NULL; h = h->next)
			if (is_over(h)) {
				t->n.orphans_ended++;
				tcp_conn_free((struct tcp_conn *)(void *)h);
				return;
			}
	}
}

/* Room for those who come next, while there still is some. */
static void keep_room(struct tcp_state *t)
{
	enum { SHARE = 16 };
	const uint32_t all = t->stack->limits.conn_count;
	if (t->conn_count + all / SHARE >= all)
		give_up_one(t);
}

struct tcp_conn *tcp_conn_new(struct mrg_tcpip *s, const struct tcp_key *k)
{
	struct tcp_state *const t = s->tcp;
	struct tcp_conn *const c = mrg_rt_pool_get(&t->conns);
	if (c == NULL) {
		t->n.conn_full++;
		keep_room(t); /* for when it is tried again */
		return NULL;
	}
	*c = (struct tcp_conn){
		.h = head_of(TCP_CONN, k),
		.way = { .from = *k->local, .to = *k->peer },
		.stream = { .ops = &tcp_stream_ops },
		.stack = s,
	};
	t->conn_count++;
	tcp_table_add(t, &c->h);
	keep_room(t);
	return c;
}

void tcp_conn_free(struct tcp_conn *c)
{
	struct tcp_state *const t = tcp_of(c);
	if (c->dead)
		return;
	c->dead = true;
	tcp_table_remove(t, &c->h);
	wheel_cancel(&t->wheel, &c->wake);
	tcp_flight_end(c);
	if (c->gaps != NULL)
		mrg_rt_pool_put(&t->gaps, c->gaps);
	c->gaps = NULL;
	ring_free(&c->in, &t->buffers);
	ring_free(&c->out, &t->buffers);
	tcp_work(c); /* whoever called may still look at it: the memory is given back from there */
}

struct tcp_flight *tcp_flight_new(struct tcp_conn *c)
{
	struct tcp_state *const t = tcp_of(c);
	struct tcp_flight *const f = mrg_rt_pool_get(&t->flights);
	if (f == NULL)
		return NULL;
	*f = (struct tcp_flight){ .recover = c->snd_una };
	cc_begin(&f->cc, c->stack->limits.reno ? TCP_CC_RENO : TCP_CC_CUBIC, tcp_mss(c));
	if (c->ssthresh != 0)
		f->cc.ssthresh = c->ssthresh;
	c->flight = f;
	return f;
}

void tcp_flight_end(struct tcp_conn *c)
{
	if (c->flight == NULL)
		return;
	c->ssthresh = c->flight->cc.ssthresh;
	pieces_free(&c->flight->pieces, &tcp_of(c)->pieces);
	mrg_rt_pool_put(&tcp_of(c)->flights, c->flight);
	c->flight = NULL;
}

/* ---- queues of half-open connections and of those in TIME-WAIT ---- */

/* Slots are cut when first needed, and kept in a list when free. */
static uint32_t take_slot(uint32_t *free, uint32_t *cut, uint32_t count,
	uint32_t (*next_of)(const struct tcp_state *, uint32_t), const struct tcp_state *t)
{
	const uint32_t slot = *free;
	if (slot != 0) {
		*free = next_of(t, slot);
		return slot;
	}
	return *cut < count ? ++*cut : 0;
}

static uint32_t half_next(const struct tcp_state *t, uint32_t slot) { return t->halves[slot - 1u].next; }
static uint32_t wait_next(const struct tcp_state *t, uint32_t slot) { return t->waits[slot - 1u].next; }

static uint16_t half_time(const struct tcp_state *t, uint32_t after_ms)
{
	return (uint16_t)((tcp_ms(t->stack) + after_ms) / TCP_HALF_UNIT_MS);
}

int32_t tcp_half_left_ms(const struct tcp_state *t, const struct tcp_half *h)
{
	return (int16_t)(uint16_t)(h->due - half_time(t, 0)) * TCP_HALF_UNIT_MS;
}

static void half_append(struct tcp_state *t, struct tcp_half *h)
{
	struct tcp_queue *const q = &t->half_due[h->tries];
	const uint32_t slot = (uint32_t)(h - t->halves) + 1u;
	h->next = 0;
	h->prev = q->last;
	if (q->last != 0)
		t->halves[q->last - 1u].next = slot;
	else
		q->first = slot;
	q->last = slot;
	const int32_t left = tcp_half_left_ms(t, h);
	tcp_due(t, tcp_ms(t->stack) + (left > 0 ? (uint32_t)left : 0));
}

static void half_unlink(struct tcp_state *t, const struct tcp_half *h)
{
	struct tcp_queue *const q = &t->half_due[h->tries];
	*(h->prev != 0 ? &t->halves[h->prev - 1u].next : &q->first) = h->next;
	*(h->next != 0 ? &t->halves[h->next - 1u].prev : &q->last) = h->prev;
}

enum { HALF_FIRST_MS = 1000 }; /* RFC 6298 section 2.1; doubled each time */

struct tcp_half *tcp_half_new(struct tcp_state *t, const struct tcp_key *k)
{
	uint16_t local;
	if (!local_take(t, k->local, &local))
		return NULL;
	const uint32_t slot =
		take_slot(&t->half_free, &t->half_cut, t->stack->limits.half_open_count, half_next, t);
	if (slot == 0) {
		t->local_uses[local]--;
		return NULL;
	}
	struct tcp_half *const h = &t->halves[slot - 1u];
	*h = (struct tcp_half){
		.h = head_of(TCP_HALF, k), .peer = *k->peer, .due = half_time(t, HALF_FIRST_MS)
	};
	h->h.local = local & (TCP_LOCALS_MAX - 1u);
	half_append(t, h);
	t->half_count++;
	tcp_table_add(t, &h->h);
	return h;
}

void tcp_half_requeue(struct tcp_state *t, struct tcp_half *h)
{
	half_unlink(t, h);
	h->tries++;
	h->due = half_time(t, (uint32_t)HALF_FIRST_MS << h->tries);
	half_append(t, h);
}

void tcp_half_free(struct tcp_state *t, struct tcp_half *h)
{
	tcp_table_remove(t, &h->h);
	half_unlink(t, h);
	t->local_uses[h->h.local]--;
	t->half_count--;
	h->next = t->half_free;
	t->half_free = (uint32_t)(h - t->halves) + 1u;
}

static void wait_append(struct tcp_state *t, struct tcp_wait *w)
{
	struct tcp_queue *const q = &t->wait_due;
	const uint32_t slot = (uint32_t)(w - t->waits) + 1u;
	w->due_ms = tcp_ms32(t->stack) + t->stack->limits.time_wait_ms;
	w->next = 0;
	w->prev = q->last;
	*(q->last != 0 ? &t->waits[q->last - 1u].next : &q->first) = slot;
	q->last = slot;
	tcp_due(t, tcp_ms(t->stack) + t->stack->limits.time_wait_ms);
}

static void wait_unlink(struct tcp_state *t, const struct tcp_wait *w)
{
	struct tcp_queue *const q = &t->wait_due;
	*(w->prev != 0 ? &t->waits[w->prev - 1u].next : &q->first) = w->next;
	*(w->next != 0 ? &t->waits[w->next - 1u].prev : &q->last) = w->prev;
}

struct tcp_wait *tcp_wait_new(struct tcp_state *t, const struct tcp_key *k)
{
	uint16_t local;
	if (!local_take(t, k->local, &local))
		return NULL;
	uint32_t slot =
		take_slot(&t->wait_free, &t->wait_cut, t->stack->limits.time_wait_count, wait_next, t);
	if (slot == 0 && t->wait_due.first != 0) {
		t->n.time_wait_overflows++;
		tcp_wait_free(t, &t->waits[t->wait_due.first - 1u]);
		slot = take_slot(&t->wait_free, &t->wait_cut, t->stack->limits.time_wait_count, wait_next, t);
	}
	if (slot == 0) {
		t->local_uses[local]--;
		return NULL;
	}
	struct tcp_wait *const w = &t->waits[slot - 1u];
	*w = (struct tcp_wait){ .h = head_of(TCP_WAIT, k), .peer = *k->peer };
	w->h.local = local & (TCP_LOCALS_MAX - 1u);
	wait_append(t, w);
	tcp_table_add(t, &w->h);
	t->n.time_waits++;
	return w;
}

void tcp_wait_requeue(struct tcp_state *t, struct tcp_wait *w)
{
	wait_unlink(t, w);
	wait_append(t, w);
}

void tcp_wait_free(struct tcp_state *t, struct tcp_wait *w)
{
	tcp_table_remove(t, &w->h);
	wait_unlink(t, w);
	t->local_uses[w->h.local]--;
	w->next = t->wait_free;
	t->wait_free = (uint32_t)(w - t->waits) + 1u;
}

/* ---- work ---- */

void tcp_work_add(struct tcp_conn *c)
{
	struct tcp_state *const t = tcp_of(c);
	c->working = true;
	c->work_next = NULL;
	if (t->work_last != NULL)
		t->work_last->work_next = c;
	else
		t->work = c;
	t->work_last = c;
	if (!t->working)
		tcp_timers_arm(t);
}

/* Tell the user, send what may be sent.   Returns: whether there is more to be done, the next time. */
static bool do_work(struct tcp_conn *c)
{
	bool more = false;
	const unsigned events =
		tcp_events(c) & (c->broken ? (unsigned)(MRG_STREAM_READABLE | MRG_STREAM_WRITABLE) : c->want);
	if (c->opened && c->of.user != NULL && events != 0) {
		c->of.user->ready(c->of.user->ctx, &c->stream, events, stack_now(c->stack));
		if (c->dead)
			return false;
		more = (tcp_events(c) & c->want) != 0 && !c->broken; /* events are repeated while they hold */
	}
	return (c->h.m.state != MRG_NET_CONNECTION_CLOSED && tcp_output(c)) || more;
}

/* What asks for work meanwhile gets it at the end, without a timer. */
void tcp_burst_begin(struct mrg_tcpip *s) { s->tcp->working = true; }

void tcp_burst_end(struct mrg_tcpip *s)
{
	struct tcp_state *const t = s->tcp;
	/* those that are added meanwhile wait for the next time */
	struct tcp_conn *const last = t->work_last;
	t->working = true;
	bool end = t->work == NULL;
	while (!end) {
		struct tcp_conn *const c = t->work;
		end = c == last;
		t->work = c->work_next;
		if (t->work == NULL)
			t->work_last = NULL;
		const bool more =
			!c->dead && do_work(c); /* what asks for work meanwhile, of this one, is part of it */
		c->working = false;
		if (c->dead) {
			mrg_rt_pool_put(&t->conns, c);
			t->conn_count--;
		} else if (more) {
			tcp_work(c);
		}
	}
	t->working = false;
	tcp_timers_arm(t);
}

struct mrg_tcpip_listener *tcp_listener_find(struct tcp_state *t, const struct ip *at, uint16_t port)
{
	struct mrg_tcpip_listener *all = NULL;
	for (uint32_t i = 0; i < t->stack->limits.listener_count; i++) {
		struct mrg_tcpip_listener *const l = &t->listeners[i];
		if (l->user == NULL || l->port != port)
			continue;
		if (ip_same(&l->at, at))
			return l;
		if (ip_unspecified(&l->at) && l->family == (ip_is4(at) ? 4 : 6))
			all = l;
	}
	return all;
}

/* ---- what is told of it ---- */

void tcp_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx)
{
	const struct tcp_counts *const n = &s->tcp->n;
	const struct {
		const char *name;
		uint64_t value;
	} all[] = {
#define COUNT(f) { #f, n->f }
		COUNT(active_opens),
		COUNT(passive_opens),
		COUNT(attempt_fails),
		COUNT(estab_resets),
		COUNT(curr_estab),
		COUNT(in_segs),
		COUNT(out_segs),
		COUNT(retrans_segs),
		COUNT(in_errs),
		COUNT(out_rsts),
		COUNT(in_csum_errors),
		COUNT(in_bad_options),
		COUNT(listen_overflows),
		COUNT(listen_refused),
		COUNT(syn_cookies_sent),
		COUNT(syn_cookies_recv),
		COUNT(syn_cookies_failed),
		COUNT(paws_drops),
		COUNT(no_timestamp_drops),
		COUNT(challenge_acks),
		COUNT(out_of_window),
		COUNT(old_acks),
		COUNT(future_acks),
		COUNT(out_of_order),
		COUNT(ranges_full),
		COUNT(buffer_full),
		COUNT(conn_full),
		COUNT(piece_full),
		COUNT(data_after_close),
		COUNT(orphans_ended),
		COUNT(timeouts),
		COUNT(loss_probes),
		COUNT(fast_recoveries),
		COUNT(zero_window_probes),
		COUNT(keepalives),
		COUNT(time_waits),
		COUNT(time_wait_reused),
		COUNT(time_wait_overflows),
		COUNT(sack_received),
		COUNT(dsack_received),
		COUNT(ecn_ce),
		COUNT(in_bytes),
		COUNT(out_bytes),
		COUNT(delayed_acks),
#undef COUNT
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		each(ctx, "tcp", all[i].name, all[i].value);
	each(ctx, "tcp", "connections", s->tcp->conn_count);
	each(ctx, "tcp", "half_open", s->tcp->half_count);
}
