/*
 * Datagrams are put together of fragments. These are kept as they come, in order, in blocks of one area; when there is none left the
 * oldest datagram goes. What overlaps spoils its datagram, and what belongs to that is dropped until its time is up.
 */
#include "protocols/tcpip/fragment.h"
#include "protocols/tcpip/icmp.h"

enum {
	DATAGRAMS_MAX = 64,
	PIECES_MAX = 192, /* of one datagram: 64 KiB over links of 576 bytes are 120 */
	WHOLE_MAX = MRG_NET_IP6_HEADER_LEN + MRG_NET_IP6_PAYLOAD_MAX,
	BLOCK_MAX = 1 << 17 /* bytes: for the longest fragment and what is known of it */
};

static const uint64_t keep4_ns =
	30u * MRG_RT_SECOND_NS; /* RFC 1122 section 3.3.2 has 60 to 120, for slower days */
static const uint64_t keep6_ns = 60u * MRG_RT_SECOND_NS; /* RFC 8200 section 4.5 */

struct piece {
	struct piece *next;
	size_t at, len; /* in the datagram */
	size_t front; /* bytes of the packet before it, which are kept of the first one: an error quotes them */
	uint8_t bytes[];
};

/* Of what datagram a fragment is, and which. */
struct part {
	const struct ip_in *in;
	uint32_t id;
	uint8_t protocol;
	bool four, more;
	size_t at;
	struct mrg_span bytes;
};

struct datagram {
	struct ip from, to;
	uint32_t id;
	uint16_t on;
	uint8_t protocol;
	bool used, four, spoilt;
	uint8_t ecn_seen; /* a bit for each codepoint */
	uint8_t hop_limit, dscp, ecn;
	unsigned count;
	size_t got, total; /* total 0: the last fragment has not come */
	struct piece *first, *last;
	uint64_t serial; /* lower ones are older */
	struct mrg_rt_timer timer;
	struct reassembly *of;
};

struct reassembly {
	struct mrg_tcpip *stack;
	struct datagram datagram[DATAGRAMS_MAX];
	uint64_t serial;
	struct mrg_rt_blocks blocks;
	uint8_t *whole;
};

/* ---- what is kept ---- */

static size_t size_of(size_t len) { return sizeof(struct piece) + len; }

static void drop_pieces(struct datagram *d)
{
	while (d->first != NULL) {
		struct piece *const next = d->first->next;
		mrg_rt_blocks_put(&d->of->blocks, d->first, size_of(d->first->front + d->first->len));
		d->first = next;
	}
	d->last = NULL;
	d->count = 0;
}

static void end(struct datagram *d)
{
	drop_pieces(d);
	mrg_rt_timer_cancel(d->of->stack->world.timers, &d->timer);
	d->used = false;
}

/* Nothing of it is kept but that it is of no use (RFC 5722 section 3). */
static void spoil(struct datagram *d)
{
	struct ip_counts *const count = &d->of->stack->ip->count;
	drop_pieces(d);
	d->spoilt = true;
	count->reasm_fails++;
}

/* The oldest but this one.  false: there is none. */
static bool evict(struct reassembly *r, const struct datagram *but)
{
	struct datagram *oldest = NULL;
	for (unsigned i = 0; i < DATAGRAMS_MAX; i++) {
		struct datagram *const d = &r->datagram[i];
		if (d->used && d != but && (oldest == NULL || d->serial < oldest->serial) &&
			(but == NULL || d->first != NULL))
			oldest = d;
	}
	if (oldest == NULL)
		return false;
	if (!oldest->spoilt)
		r->stack->ip->count.reasm_fails++;
	r->stack->ip->count.reasm_evicted++;
	end(oldest);
	return true;
}

static struct piece *piece_make(struct datagram *d, const struct part *f)
{
	struct reassembly *const r = d->of;
	const size_t front = f->at == 0 ? (size_t)(f->bytes.p - f->in->packet.p) : 0;
	const size_t size = size_of(front + f->bytes.len);
	struct piece *p = mrg_rt_blocks_get(&r->blocks, size);
	for (unsigned i = 0; p == NULL && i < DATAGRAMS_MAX && evict(r, d); i++)
		p = mrg_rt_blocks_get(&r->blocks, size);
	if (p == NULL)
		return NULL;
	*p = (struct piece){ .at = f->at, .len = f->bytes.len, .front = front };
	mrg_copy(p->bytes, f->bytes.p - front, front + f->bytes.len);
	return p;
}

/* ---- datagrams ---- */

static void timed_out(struct mrg_rt_timer *timer, uint64_t now_ns)
{
	struct datagram *const d =
		(struct datagram *)(void *)((char *)timer - offsetof(struct datagram, timer));
	struct mrg_tcpip *const s = d->of->stack;
	const struct piece *const p = d->first;
	s->ip->count.reasm_timeouts++;
	if (!d->spoilt) {
		s->ip->count.reasm_fails++;
		if (p != NULL && p->at == 0) {
			const struct ip_in in = { .on = if_at(s, d->on),
				.from = d->from,
				.to = d->to,
				.packet = { p->bytes, p->front + p->len },
				.payload = { p->bytes + p->front, p->len },
				.protocol = d->protocol,
				.to_many = address_find(s, &d->to) == NULL,
				.now_ns = now_ns };
			icmp_say(s, &in, ICMP_SAY_REASSEMBLY, 0);
		}
	}
	end(d);
}

static bool is_of(const struct datagram *d, const struct part *f)
{
	return d->used && d->id == f->id && d->four == f->four && (!f->four || d->protocol == f->protocol) &&
	       ip_same(&d->from, &f->in->from) && ip_same(&d->to, &f->in->to);
}

static struct datagram *datagram_of(struct reassembly *r, const struct part *f)
{
	struct datagram *slot = NULL;
	for (unsigned i = 0; i < DATAGRAMS_MAX; i++) {
		if (is_of(&r->datagram[i], f))
			return &r->datagram[i];
		if (!r->datagram[i].used)
			slot = &r->datagram[i];
	}
	if (slot == NULL) {
		(void)evict(r, NULL);
		for (unsigned i = 0; slot == NULL && i < DATAGRAMS_MAX; i++)
			if (!r->datagram[i].used)
				slot = &r->datagram[i];
	}
	*slot = (struct datagram){ .used = true,
		.four = f->four,
		.from = f->in->from,
		.to = f->in->to,
		.id = f->id,
		.on = f->in->on->index,
		.protocol = f->protocol,
		.serial = ++r->serial,
		.timer = { .fire = timed_out },
		.of = r };
	mrg_rt_timer_set(
		r->stack->world.timers, &slot->timer, f->in->now_ns + (f->four ? keep4_ns : keep6_ns));
	return slot;
}

/* The piece that f comes behind; NULL: it is the first. The last one is tried before all others: as a rule they come in order. */
static struct piece *before(const struct datagram *d, const struct part *f)
{
	struct piece *prev = NULL;
	if (d->last != NULL && d->last->at < f->at)
		return d->last;
	for (struct piece *p = d->first; p != NULL && p->at < f->at; p = p->next)
		prev = p;
	return prev;
}

static bool is_copy(const struct piece *p, const struct part *f)
{
	return p->at == f->at && p->len == f->bytes.len &&
	       memcmp(p->bytes + p->front, f->bytes.p, p->len) == 0;
}

/* Does it contradict what is known of where the datagram ends? */
static bool ends_elsewhere(const struct datagram *d, const struct part *f)
{
	const size_t to = f->at + f->bytes.len;
	if (d->total != 0)
		return f->more ? to >= d->total : to != d->total;
	return !f->more && d->last != NULL && d->last->at + d->last->len > to;
}

/* false: nothing has changed, or the datagram is spoilt */
static bool add(struct datagram *d, const struct part *f)
{
	struct piece *const prev = before(d, f);
	const struct piece *const next = prev != NULL ? prev->next : d->first;
	if (next != NULL && is_copy(next, f))
		return false;
	if (ends_elsewhere(d, f) || (prev != NULL && prev->at + prev->len > f->at) ||
		(next != NULL && f->at + f->bytes.len > next->at)) {
		d->of->stack->ip->count.reasm_overlaps++;
		spoil(d);
		return false;
	}
	struct piece *const p = d->count < PIECES_MAX ? piece_make(d, f) : NULL;
	if (p == NULL) {
		spoil(d);
		return false;
	}
	p->next = prev != NULL ? prev->next : d->first;
	if (prev != NULL)
		prev->next = p;
	else
		d->first = p;
	if (p->next == NULL)
		d->last = p;
	d->count++;
	d->got += p->len;
	if (!f->more)
		d->total = f->at + f->bytes.len;
	return true;
}

static size_t put_header(const struct datagram *d, uint8_t *to)
{
	struct mrg_w w;
	mrg_w_init(&w, to, WHOLE_MAX);
	if (d->four)
		mrg_net_ip4_header_put(
			&w, &(struct mrg_net_ip4_header_args){ .dscp = d->dscp,
				    .ecn = d->ecn,
				    .total_length = (uint16_t)(MRG_NET_IP4_HEADER_LEN + d->total),
				    .identification = (uint16_t)d->id,
				    .time_to_live = d->hop_limit,
				    .protocol = d->protocol,
				    .source_address = ip_wire(&d->from),
				    .destination_address = ip_wire(&d->to) });
	else
		mrg_net_ip6_header_put(&w, &(struct mrg_net_ip6_header_args){ .dscp = d->dscp,
						   .ecn = d->ecn,
						   .payload_length = (uint16_t)d->total,
						   .next_header = d->protocol,
						   .hop_limit = d->hop_limit,
						   .source_address = { d->from.b, sizeof d->from.b },
						   .destination_address = { d->to.b, sizeof d->to.b } });
	return w.st == MRG_OK ? w.len : 0;
}

/* RFC 3168 section 5.3: congestion that one fragment met all have met, if they all could say so. */
static bool ecn_ok(struct datagram *d)
{
	const unsigned ce = 1u << MRG_NET_ECN_CE, not = 1u << MRG_NET_ECN_NOT_ECT;
	if ((d->ecn_seen & ce) == 0)
		return true;
	d->ecn = MRG_NET_ECN_CE;
	return (d->ecn_seen & not ) == 0;
}

static void hand_on(struct datagram *d, const struct ip_in *last)
{
	struct mrg_tcpip *const s = d->of->stack;
	uint8_t *const whole = d->of->whole;
	const size_t front = put_header(d, whole);
	if (front == 0 || !ecn_ok(d)) {
		s->ip->count.reasm_fails++;
		end(d);
		return;
	}
	for (const struct piece *p = d->first; p != NULL; p = p->next)
		memcpy(whole + front + p->at, p->bytes + p->front, p->len);
	struct ip_in in = { .on = last->on,
		.from = d->from,
		.to = d->to,
		.packet = { whole, front + d->total },
		.payload = { whole + front, d->total },
		.protocol = d->protocol,
		.hop_limit = d->hop_limit,
		.dscp = d->dscp,
		.ecn = d->ecn,
		.to_many = last->to_many,
		.now_ns = last->now_ns };
	s->ip->count.reasm_oks++;
	const bool four = d->four;
	end(d);
	/* batches that borrow earlier packets are not to be mixed with what is good for this call only */
	udp_burst_end(s);
	if (four)
		ip_deliver4(s, &in);
	else
		ip_deliver6(s, &in, MRG_NET_IP6_NEXT_HEADER_AT, true);
	udp_burst_end(s);
}

static void take(struct mrg_tcpip *s, const struct part *f)
{
	struct datagram *const d = datagram_of(s->ip->reassembly, f);
	if (d->spoilt || !add(d, f))
		return;
	if (f->at == 0) {
		d->protocol = f->protocol;
		d->hop_limit = f->in->hop_limit;
		d->dscp = f->in->dscp;
		d->ecn = f->in->ecn;
	}
	d->ecn_seen = (uint8_t)(d->ecn_seen | 1u << f->in->ecn);
	if (d->total != 0 && d->got == d->total)
		hand_on(d, f->in);
}

static void refuse(struct mrg_tcpip *s)
{
	s->ip->count.in_hdr_errors++;
	s->ip->count.reasm_fails++;
}

void fragment_input4(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_ip4 *p)
{
	struct mrg_net_first_fragment first;
	const struct part f = { .in = in,
		.id = mrg_net_ip4_identification(p),
		.protocol = in->protocol,
		.four = true,
		.more = mrg_net_ip4_mf(p),
		.at = (size_t)mrg_net_ip4_fragment_offset(p) * MRG_NET_FRAGMENT_UNIT,
		.bytes = in->payload };
	s->ip->count.reasm_reqds++;
	const bool uneven = f.more && f.bytes.len % MRG_NET_FRAGMENT_UNIT != 0;
	if (f.bytes.len == 0 || uneven ||
		(f.at == 0 && mrg_net_first_fragment_check(f.bytes, f.protocol, &first, NULL) != MRG_OK)) {
		refuse(s);
		return;
	}
	take(s, &f);
}

void fragment_input6(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_ip6_fragment *h)
{
	const struct part f = { .in = in,
		.id = mrg_net_ip6_fragment_identification(h),
		.protocol = mrg_net_ip6_fragment_next_header(h),
		.more = mrg_net_ip6_fragment_m_flag(h),
		.at = (size_t)mrg_net_ip6_fragment_fragment_offset(h) * MRG_NET_FRAGMENT_UNIT,
		.bytes = mrg_net_ip6_fragment_fragment(h) };
	s->ip->count.reasm_reqds++;
	if (f.bytes.len == 0) {
		refuse(s);
		return;
	}
	if (f.at == 0 && !ip6_chain_whole(f.bytes, f.protocol)) {
		refuse(s);
		icmp_say(s, in, ICMP_SAY_CHAIN, 0);
		return;
	}
	take(s, &f);
}

/* ---- memory ---- */

static size_t area(const struct mrg_tcpip_limits *l)
{
	return l->reassembly_len < 2u * BLOCK_MAX ? 2u * BLOCK_MAX : l->reassembly_len;
}

size_t fragment_memory(const struct mrg_tcpip_limits *l)
{
	return sizeof(struct reassembly) + WHOLE_MAX + mrg_rt_blocks_memory(area(l)) + BLOCK_MAX + 256u;
}

struct reassembly *fragment_open(struct mrg_tcpip *s, struct mrg_arena *a)
{
	struct reassembly *const r = mrg_arena_get(a, sizeof *r, _Alignof(struct reassembly));
	if (r == NULL)
		return NULL;
	r->stack = s;
	r->whole = mrg_arena_get(a, WHOLE_MAX, 64);
	if (r->whole == NULL || !mrg_rt_blocks_init(&r->blocks, a, area(&s->limits), BLOCK_MAX))
		return NULL;
	return r;
}
