/*
 * UDP (RFC 768, RFC 1122 section 4.1, RFC 8200 section 8.1): datagrams gathered into batches, and the replies to them.
 *
 * The datagrams of a burst of frames that are for one end wait, in place, until there are 64 of them, one for another end comes, or
 * the burst is over. The user sees them at once, and writes each reply behind room for its header.
 * Reading order: struct udp_state, udp_input, hand_over, reply; then ends and their ports.
 */
#include "protocols/tcpip/udp.h"
#include "iana/net.h"
#include "net/udp.h"
#include "protocols/tcpip/ip.h"

enum {
	BATCH = 64,
	WAYS = 256,  /* ways to peers that are remembered; a power of two */
	TRIES = 4096 /* ports that are tried when one is to be chosen */
};

struct mrg_tcpip_udp {
	struct mrg_dgram_end end;
	struct mrg_tcpip *stack;
	const struct mrg_dgram_user *user;
	struct mrg_tcpip_udp *next; /* of the same bucket, or unused */
	struct mrg_tcpip_if *on;    /* only what comes by this interface; NULL: any */
	struct ip local;            /* all zero: any of this family */
	uint16_t port;
	bool any, four;
};

/* What is known of a datagram that waits. */
struct waiting {
	struct ip from, to;
	uint16_t from_port;
	uint16_t only; /* index of the interface that the reply must go by; 0: any */
	bool to_many;
};

struct udp_state {
	struct mrg_tcpip_udp **buckets; /* by port */
	size_t bucket_mask;
	struct mrg_tcpip_udp *unused;
	struct mrg_tcpip_udp *who; /* whose datagrams wait */
	size_t count;              /* how many */
	bool handing;              /* they are being handed over */
	uint8_t *room;             /* for replies, each with its header before it */
	size_t room_len;           /* bytes for each */
	uint64_t chosen;           /* ports that were asked for so far */
	struct {
		uint64_t in_datagrams, no_ports, in_errors, in_sum_errors, in_lost, out_datagrams, out_errors,
			icmp_errors;
	} counts;
	struct mrg_dgram batch[BATCH];
	struct waiting waiting[BATCH];
	struct ip_way ways[WAYS];
};

/* ---- memory ---- */

static size_t bucket_count(const struct mrg_tcpip_limits *l)
{
	size_t count = 1;
	while (count < 2u * ((size_t)l->dgram_count + l->if_count))
		count *= 2u;
	return count;
}

/* DHCP has an end of its own on each interface. */
static size_t end_count(const struct mrg_tcpip_limits *l) { return (size_t)l->dgram_count + l->if_count; }

/* Room for one reply, so that the next one begins at a multiple of the alignment. */
static size_t reply_room(const struct mrg_tcpip_limits *l)
{
	const size_t align = _Alignof(max_align_t);
	return (MRG_NET_UDP_HEADER_LEN + (size_t)l->dgram_out_max + align - 1u) / align * align;
}

size_t udp_memory(const struct mrg_tcpip_limits *l)
{
	return sizeof(struct udp_state) + bucket_count(l) * sizeof(struct mrg_tcpip_udp *) +
	       end_count(l) * sizeof(struct mrg_tcpip_udp) + BATCH * reply_room(l) +
	       4u * _Alignof(max_align_t);
}

static void lay_out(struct udp_state *st, struct mrg_tcpip_udp *ends, size_t count, uint32_t dgram_out_max)
{
	for (size_t i = 0; i < count; i++) {
		ends[i].next = st->unused;
		st->unused = &ends[i];
	}
	for (size_t i = 0; i < BATCH; i++) {
		st->batch[i].out = st->room + i * st->room_len + MRG_NET_UDP_HEADER_LEN;
		st->batch[i].out_cap = dgram_out_max;
	}
}

struct udp_state *udp_open(struct mrg_tcpip *s, struct mrg_arena *a)
{
	const size_t align = _Alignof(max_align_t), ends_count = end_count(&s->limits);
	struct udp_state *const st = mrg_arena_get(a, sizeof *st, align);
	if (st == NULL)
		return NULL;
	st->bucket_mask = bucket_count(&s->limits) - 1u;
	st->room_len = reply_room(&s->limits);
	st->buckets = mrg_arena_get(a, (st->bucket_mask + 1u) * sizeof *st->buckets, align);
	struct mrg_tcpip_udp *const ends = mrg_arena_get(a, ends_count * sizeof *ends, align);
	st->room = mrg_arena_get(a, BATCH * st->room_len, align);
	if (st->buckets == NULL || ends == NULL || st->room == NULL)
		return NULL;
	lay_out(st, ends, ends_count, s->limits.dgram_out_max);
	return st;
}

/* ---- sending ---- */

/*
 * The header, before `octets`. RFC 768: a sum of zero is sent as all ones. Where the link completes sums, that of the
 * pseudo-header is put in.
 */
static void put_header(struct mrg_tcpip *s, struct ip_way *w, struct mrg_net_udp_header_args *h,
	struct mrg_span octets, struct ip_out *o, uint8_t *out)
{
	struct mrg_w writer;
	h->length = (uint16_t)(MRG_NET_UDP_HEADER_LEN + octets.len);
	*o = (struct ip_out){ .protocol = MRG_NET_IP_PROTOCOL_UDP,
		.summed = ip_way_sums(s, w),
		.sum_at = MRG_NET_UDP_CHECKSUM_AT };
	const uint64_t pseudo = ip_pseudo_sum(&w->from, &w->to, MRG_NET_IP_PROTOCOL_UDP, h->length);
	if (o->summed) {
		h->checksum = (uint16_t)~mrg_inet16_end(pseudo);
	} else {
		const uint64_t ports = (uint64_t)h->source_port + h->destination_port;
		const uint16_t sum =
			mrg_inet16_end(mrg_inet16_add(pseudo + ports + h->length, octets.p, octets.len, 0));
		h->checksum = sum != 0 ? sum : MRG_NET_UDP_SUM_OF_ZERO;
	}
	mrg_w_init(&writer, out, MRG_NET_UDP_HEADER_LEN);
	mrg_net_udp_header_put(&writer, h);
}

/* Both addresses of the way are known from here on; false: it leads nowhere. */
static bool way_known(struct mrg_tcpip *s, struct ip_way *w)
{
	return !ip_unspecified(&w->from) || ip_way_find(s, w);
}

/* RFC 768: source port 0 is that of somebody who expects no reply. */
static bool sendable(uint16_t to_port, size_t len)
{
	return to_port != 0 && len <= UINT16_MAX - MRG_NET_UDP_HEADER_LEN;
}

static enum mrg_io count_sent(struct udp_state *st, enum mrg_io sent)
{
	if (sent == MRG_IO_OK)
		st->counts.out_datagrams++;
	else
		st->counts.out_errors++;
	return sent;
}

enum mrg_io udp_send(
	struct mrg_tcpip *s, struct ip_way *w, uint16_t from_port, uint16_t to_port, struct mrg_span octets)
{
	uint8_t header[MRG_NET_UDP_HEADER_LEN];
	struct mrg_net_udp_header_args h = { .source_port = from_port, .destination_port = to_port };
	struct ip_out o;
	if (!sendable(to_port, octets.len) || !way_known(s, w))
		return count_sent(s->udp, MRG_IO_RESET);
	put_header(s, w, &h, octets, &o, header);
	const struct mrg_span parts[] = { { header, sizeof header }, octets };
	return count_sent(s->udp, ip_send(s, w, &o, parts, octets.len != 0 ? 2 : 1));
}

/* The way of the reply, from the address that was asked; those to many peers are remembered. */
static struct ip_way *way_back(struct udp_state *st, const uint64_t key[2], const struct waiting *q)
{
	uint64_t word[4];
	memcpy(word, q->from.b, sizeof q->from.b);
	memcpy(word + 2, q->to.b, sizeof q->to.b);
	const uint64_t hash = mrg_hash_mix(word[0] ^ word[2] ^ key[0], word[1] ^ word[3] ^ key[1]);
	struct ip_way *const w = &st->ways[hash % WAYS];
	if (!ip_same(&w->to, &q->from) || !ip_same(&w->from, &q->to) || w->only != q->only)
		*w = (struct ip_way){ .from = q->to, .to = q->from, .only = q->only };
	return w;
}

/* A reply comes from the address that was asked (RFC 1122 section 4.1.3.5), unless that is one of many. */
static void reply(struct mrg_tcpip *s, const struct mrg_dgram *d, const struct waiting *q, uint16_t port)
{
	struct udp_state *const st = s->udp;
	const struct mrg_span octets = { d->out, d->out_len };
	uint8_t *const header = d->out - MRG_NET_UDP_HEADER_LEN;
	struct mrg_net_udp_header_args h = { .source_port = port, .destination_port = q->from_port };
	struct ip_way once = { .to = q->from, .only = q->only }, *w = &once;
	struct ip_out o;
	if (!q->to_many)
		w = way_back(st, s->world.secret, q);
	if (d->out_len > d->out_cap || !sendable(q->from_port, d->out_len) || !way_known(s, w)) {
		st->counts.out_errors++;
		return;
	}
	put_header(s, w, &h, octets, &o, header);
	const struct mrg_span whole = { header, MRG_NET_UDP_HEADER_LEN + d->out_len };
	(void)count_sent(st, ip_send(s, w, &o, &whole, 1));
}

/* ---- coming in ---- */

/* What the user is given stays as it is until all replies are sent; who answers may close the end. */
static void hand_over(struct mrg_tcpip *s)
{
	struct udp_state *const st = s->udp;
	struct mrg_tcpip_udp *const who = st->who;
	const size_t count = st->count;
	if (count == 0 || st->handing)
		return;
	const uint16_t port = who->port;
	st->handing = true;
	who->user->batch(who->user->ctx, &who->end, st->batch, count, stack_now(s));
	for (size_t i = 0; i < count; i++)
		if (st->batch[i].out_len != 0)
			reply(s, &st->batch[i], &st->waiting[i], port);
	st->handing = false;
	st->count = 0;
}

void udp_burst_end(struct mrg_tcpip *s) { hand_over(s); }

/* Whose datagram is it? An address of its own goes before all addresses, and an interface of its own before both. */
static struct mrg_tcpip_udp *end_of(
	const struct udp_state *st, const struct mrg_tcpip_if *on, const struct ip *local, uint16_t port)
{
	struct mrg_tcpip_udp *best = NULL;
	const bool four = ip_is4(local);
	for (struct mrg_tcpip_udp *u = st->buckets[port & st->bucket_mask]; u != NULL; u = u->next) {
		if (u->port != port || u->four != four || (!u->any && !ip_same(&u->local, local)))
			continue;
		if (u->on != NULL && u->on == on)
			return u;
		if (u->on == NULL && (best == NULL || best->any))
			best = u;
	}
	return best;
}

/* RFC 1122 section 4.1.3.4, RFC 8200 section 8.1: over IPv6 there must be a sum. */
static bool sum_right(const struct ip_in *in, const struct mrg_net_udp *u)
{
	if (mrg_net_udp_checksum(u) == 0)
		return ip_is4(&in->to);
	if (in->sum_ok)
		return true;
	const struct mrg_span all = mrg_net_udp_span(u);
	const uint64_t pseudo = ip_pseudo_sum(&in->from, &in->to, MRG_NET_IP_PROTOCOL_UDP, all.len);
	return mrg_inet16_end(mrg_inet16_add(pseudo, all.p, all.len, 0)) == 0;
}

static void enqueue(
	struct mrg_tcpip *s, struct mrg_tcpip_udp *who, const struct ip_in *in, const struct mrg_net_udp *u)
{
	struct udp_state *const st = s->udp;
	if (st->count != 0 && st->who != who)
		hand_over(s);
	st->who = who;
	const bool to_many = in->to_many && !ip_mine(s, &in->to);
	st->waiting[st->count] = (struct waiting){
		.from = in->from,
		.to = in->to,
		.from_port = mrg_net_udp_source_port(u),
		.only = to_many || ip_is_link_local(&in->from) ? ip_if_index(in->on) : 0,
		.to_many = to_many,
	};
	st->batch[st->count].in = mrg_net_udp_data_octets(u);
	st->batch[st->count].out_len = 0;
	if (++st->count == BATCH)
		hand_over(s);
}

void udp_input(struct mrg_tcpip *s, const struct ip_in *in)
{
	struct udp_state *const st = s->udp;
	struct mrg_net_udp u;
	if (mrg_net_udp_check(in->payload, &u, NULL) != MRG_OK) {
		st->counts.in_errors++;
		return;
	}
	if (!sum_right(in, &u)) {
		st->counts.in_sum_errors++;
		return;
	}
	struct mrg_tcpip_udp *const who = end_of(st, in->on, &in->to, mrg_net_udp_destination_port(&u));
	if (who == NULL) {
		st->counts.no_ports++;
		if (!in->to_many)
			icmp_port_unreachable(s, in);
		return;
	}
	if (st->handing) {
		/* sent to ourselves by who is being handed something: its room is in use */
		st->counts.in_lost++;
		return;
	}
	st->counts.in_datagrams++;
	enqueue(s, who, in, &u);
}

/*
 * Ends don't hear of errors: who asks by UDP asks again. A smaller MTU is believed when there is an end that can have sent what is
 * quoted (RFC 8201 section 4, RFC 1191 section 4).
 */
void udp_error(struct mrg_tcpip *s, const struct ip_error *e)
{
	struct udp_state *const st = s->udp;
	struct mrg_net_udp_header h;
	st->counts.icmp_errors++;
	if (e->kind != IP_ERROR_TOO_BIG || mrg_net_udp_header_check(e->payload, &h, NULL) != MRG_OK)
		return;
	if (end_of(st, NULL, &e->from, mrg_net_udp_header_source_port(&h)) != NULL)
		ip_path_mtu(s, &e->to, e->mtu);
}

void udp_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx)
{
	const struct udp_state *const st = s->udp;
	each(ctx, "udp", "in_datagrams", st->counts.in_datagrams);
	each(ctx, "udp", "no_ports", st->counts.no_ports);
	each(ctx, "udp", "in_errors", st->counts.in_errors);
	each(ctx, "udp", "in_sum_errors", st->counts.in_sum_errors);
	each(ctx, "udp", "in_lost", st->counts.in_lost);
	each(ctx, "udp", "out_datagrams", st->counts.out_datagrams);
	each(ctx, "udp", "out_errors", st->counts.out_errors);
	each(ctx, "udp", "icmp_errors", st->counts.icmp_errors);
}

/* ---- ends ---- */

static uint32_t scope_of(const struct waiting *q)
{
	return ip_is4(&q->from) || !ip_is_link_local(&q->from) ? 0 : q->only;
}

static void peer(struct mrg_dgram_end *e, size_t index, struct mrg_rt_addr *out)
{
	const struct mrg_tcpip_udp *const u = (const struct mrg_tcpip_udp *)(const void *)e;
	const struct udp_state *const st = u->stack->udp;
	*out = (struct mrg_rt_addr){ .family = 0 };
	if (st->who == u && index < st->count)
		ip_to_rt(&st->waiting[index].from, st->waiting[index].from_port,
			scope_of(&st->waiting[index]), out);
}

static void asked(struct mrg_dgram_end *e, size_t index, struct mrg_rt_addr *out)
{
	const struct mrg_tcpip_udp *const u = (const struct mrg_tcpip_udp *)(const void *)e;
	const struct udp_state *const st = u->stack->udp;
	*out = (struct mrg_rt_addr){ .family = 0 };
	if (st->who == u && index < st->count && !st->waiting[index].to_many)
		ip_to_rt(&st->waiting[index].to, u->port, 0, out);
}

static enum mrg_io send_one(struct mrg_dgram_end *e, const struct mrg_rt_addr *from,
	const struct mrg_rt_addr *to, struct mrg_span octets)
{
	struct mrg_tcpip_udp *const u = (struct mrg_tcpip_udp *)(void *)e;
	struct ip_way w = { .from = from != NULL && from->family != 0 ? ip_of(from) : u->local,
		.to = ip_of(to),
		.only = (uint16_t)to->scope };
	if (ip_is4(&w.to) != u->four)
		return MRG_IO_RESET;
	return udp_send(u->stack, &w, u->port, to->port, octets);
}

static const struct mrg_dgram_ops udp_ops = { .peer = peer, .asked = asked, .send = send_one };

/* An end that would take just what this one is to take. */
static bool taken(const struct udp_state *st, const struct mrg_tcpip_udp *as, uint16_t port)
{
	for (const struct mrg_tcpip_udp *u = st->buckets[port & st->bucket_mask]; u != NULL; u = u->next)
		if (u->port == port && u->four == as->four && u->on == as->on && u->any == as->any &&
			ip_same(&u->local, &as->local))
			return true;
	return false;
}

static bool port_free(const struct udp_state *st, uint16_t port)
{
	for (const struct mrg_tcpip_udp *u = st->buckets[port & st->bucket_mask]; u != NULL; u = u->next)
		if (u->port == port)
			return false;
	return true;
}

/*
 * RFC 6056 section 3.3.3: from a place that a keyed hash gives, upwards. There is no remote address yet that could be hashed, so the
 * number of the choice is: else whoever sees one port knew the next. 0: too many are taken.
 */
static uint16_t choose_port(struct mrg_tcpip *s)
{
	struct udp_state *const st = s->udp;
	const uint64_t range = MRG_NET_UDP_PORT_LAST - MRG_NET_UDP_EPHEMERAL_FIRST + 1u;
	const uint64_t number = st->chosen++;
	uint8_t bytes[sizeof number];
	memcpy(bytes, &number, sizeof bytes);
	const uint64_t from = mrg_rt_hash(s->world.secret, (struct mrg_span){ bytes, sizeof bytes }) % range;
	for (uint64_t i = 0; i < TRIES; i++) {
		const uint16_t port = (uint16_t)(MRG_NET_UDP_EPHEMERAL_FIRST + (from + i) % range);
		if (port_free(st, port))
			return port;
	}
	return 0;
}

static struct mrg_tcpip_udp *add(struct mrg_tcpip *s, const struct mrg_tcpip_udp *as)
{
	struct udp_state *const st = s->udp;
	struct mrg_tcpip_udp *const u = st->unused;
	const uint16_t port = as->port != 0 ? as->port : choose_port(s);
	if (u == NULL || port == 0 || taken(st, as, port))
		return NULL;
	struct mrg_tcpip_udp **const bucket = &st->buckets[port & st->bucket_mask];
	st->unused = u->next;
	*u = *as;
	u->end.ops = &udp_ops;
	u->stack = s;
	u->port = port;
	u->next = *bucket;
	*bucket = u;
	return u;
}

struct mrg_tcpip_udp *mrg_tcpip_udp_bind(
	struct mrg_tcpip *s, struct mrg_rt_addr *a, const struct mrg_dgram_user *user)
{
	static const uint8_t none[sizeof a->ip];
	if (a->family != 4 && a->family != 6)
		return NULL;
	struct mrg_tcpip_udp as = { .user = user, .port = a->port, .four = a->family == 4 };
	as.any = memcmp(a->ip, none, as.four ? 4 : sizeof a->ip) == 0;
	if (!as.any)
		as.local = ip_of(a);
	struct mrg_tcpip_udp *const u = add(s, &as);
	if (u != NULL)
		a->port = u->port;
	return u;
}

struct mrg_tcpip_udp *udp_bind_on(
	struct mrg_tcpip_if *on, struct mrg_tcpip *s, uint16_t port, const struct mrg_dgram_user *user)
{
	return add(s,
		&(struct mrg_tcpip_udp){ .user = user, .on = on, .port = port, .any = true, .four = true });
}

struct mrg_dgram_end *mrg_tcpip_udp_end(struct mrg_tcpip_udp *u) { return &u->end; }

/* What waits for it is lost; replies that it has written are sent. */
void mrg_tcpip_udp_close(struct mrg_tcpip_udp *u)
{
	struct udp_state *const st = u->stack->udp;
	struct mrg_tcpip_udp **link = &st->buckets[u->port & st->bucket_mask];
	while (*link != u)
		link = &(*link)->next;
	*link = u->next;
	if (st->who == u && !st->handing)
		st->count = 0;
	u->next = st->unused;
	st->unused = u;
}
