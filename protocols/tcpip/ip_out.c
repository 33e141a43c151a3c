/*
 * Packets go out: headers are built in front of the parts, which are sent from where they are (RFC 791, RFC 8200).
 */
#include "net/address.h"
#include "net/ip4.h"
#include "net/ip6.h"
#include "net/link.h"
#include "protocols/tcpip/ip_out.h"

enum {
	PARTS_MAX = 7,
	COPY_MAX = 64,      /* bytes of a transport header up to its checksum */
	HOP_LIMIT4 = 64,    /* RFC 1700 */
	HOP_LIMIT_GROUP = 1 /* RFC 1112 section 6.1 */
};

/* What is sent, and how its frames leave. */
struct packet {
	struct mrg_tcpip *s;
	struct mrg_tcpip_if *on;
	struct neighbor *n;   /* NULL: nobody in particular */
	const uint8_t *ether; /* the header of its frames */
	size_t ether_len;
	const struct ip *from, *to;
	const struct ip_out *o;
	bool four, rest; /* rest: the first fragment has gone already */
	uint8_t hop_limit;
	uint16_t mtu;
	uint32_t flow; /* the label, of IPv6 */
};

/* A part of a packet: all of it as a rule. */
struct piece {
	size_t at, len;
	uint32_t id;
	bool fragment, more;
};

/* ---- headers ---- */

/* The address itself where it is one of IPv4: without a call, since each packet has two. */
static inline bool as4(const struct ip *a, struct mrg_span *wire)
{
	struct mrg_net_mapped_ip4 mapped;
	if (mrg_net_mapped_ip4_check((struct mrg_span){ a->b, sizeof a->b }, &mapped, NULL) != MRG_OK)
		return false;
	*wire = mrg_net_mapped_ip4_ip4(&mapped);
	return true;
}

/* As 4 bytes; no address at all is 0.0.0.0. */
static inline struct mrg_span wire4(const struct ip *a)
{
	static const uint8_t none[4];
	struct mrg_span wire;
	return as4(a, &wire) ? wire : (struct mrg_span){ none, sizeof none };
}

static void put_alert4(struct mrg_w *w, const struct packet *p, const struct piece *f)
{
	uint8_t alert[MRG_NET_IP4_ALERT_LEN];
	struct mrg_w options;
	mrg_w_init(&options, alert, sizeof alert);
	mrg_net_ip4_router_alert_put(&options, &(struct mrg_net_ip4_router_alert_args){ 0 });
	mrg_net_ip4_header_put(
		w, &(struct mrg_net_ip4_header_args){ .dscp = p->o->dscp,
			   .ecn = p->o->ecn,
			   .total_length = (uint16_t)(MRG_NET_IP4_HEADER_LEN + options.len + f->len),
			   .identification = (uint16_t)f->id,
			   .df = p->o->whole,
			   .time_to_live = p->hop_limit,
			   .protocol = p->o->protocol,
			   .source_address = wire4(p->from),
			   .destination_address = wire4(p->to),
			   .options = mrg_w_span(&options, 0) });
}

static inline void put_header4(struct mrg_w *w, const struct packet *p, const struct piece *f)
{
	mrg_net_ip4_plain_put(w, &(struct mrg_net_ip4_plain_args){ .dscp = p->o->dscp,
					 .ecn = p->o->ecn,
					 .total_length = (uint16_t)(MRG_NET_IP4_HEADER_LEN + f->len),
					 .identification = (uint16_t)f->id,
					 .df = p->o->whole,
					 .mf = f->more,
					 .fragment_offset = (uint16_t)(f->at / MRG_NET_FRAGMENT_UNIT),
					 .time_to_live = p->hop_limit,
					 .protocol = p->o->protocol,
					 .source_address = wire4(p->from),
					 .destination_address = wire4(p->to) });
}

static void put_header6(struct mrg_w *w, const struct packet *p, const struct piece *f)
{
	uint8_t more[16];
	struct mrg_w extension;
	mrg_w_init(&extension, more, sizeof more);
	uint8_t next = p->o->protocol;
	if (p->o->router_alert) {
		mrg_net_ip6_router_alert_put(
			&extension, &(struct mrg_net_ip6_router_alert_args){ .next_header = next });
		next = MRG_NET_IP_PROTOCOL_HOPOPT;
	} else if (f->fragment) {
		mrg_net_ip6_fragment_header_put(
			&extension, &(struct mrg_net_ip6_fragment_header_args){ .next_header = next,
					    .fragment_offset = (uint16_t)(f->at / MRG_NET_FRAGMENT_UNIT),
					    .m_flag = f->more,
					    .identification = f->id });
		next = MRG_NET_IP_PROTOCOL_FRAGMENT;
	}
	mrg_net_ip6_header_put(w, &(struct mrg_net_ip6_header_args){ .dscp = p->o->dscp,
					  .ecn = p->o->ecn,
					  .flow_label = p->flow,
					  .payload_length = (uint16_t)(extension.len + f->len),
					  .next_header = next,
					  .hop_limit = p->hop_limit,
					  .source_address = { p->from->b, sizeof p->from->b },
					  .destination_address = { p->to->b, sizeof p->to->b } });
	mrg_w_put_few(w, mrg_w_span(&extension, 0));
}

/* RFC 6437 section 3: the same for all packets of a flow, and not to be told in advance. */
static uint32_t flow_of(const struct packet *p, struct mrg_span first)
{
	struct mrg_net_flow_ports ports;
	const uint64_t *const mix = p->s->ip->mix;
	uint64_t word[4];
	memcpy(word, p->from->b, sizeof p->from->b);
	memcpy(word + 2, p->to->b, sizeof p->to->b);
	uint64_t ends = mrg_hash_mix(word[0] ^ mix[0], word[1] ^ mix[1]) +
			mrg_hash_mix(word[2] ^ mix[1], word[3] ^ mix[0]);
	if ((p->o->protocol == MRG_NET_IP_PROTOCOL_TCP || p->o->protocol == MRG_NET_IP_PROTOCOL_UDP) &&
		mrg_net_flow_ports_check(first, &ports, NULL) == MRG_OK)
		ends ^= mrg_net_flow_ports_both(&ports);
	return (uint32_t)(mrg_hash_mix(ends ^ mix[0], p->o->protocol ^ mix[1]) %
			  (MRG_NET_IP6_FLOW_LABELS - 1u)) +
	       1u;
}

/* RFC 6864: only what may be fragmented, here or on the way, needs a number of its own. */
static uint32_t next_id(struct mrg_tcpip *s, const struct packet *p)
{
	uint64_t low;
	memcpy(&low, p->to->b + sizeof p->to->b - sizeof low, sizeof low);
	const uint64_t mixed = mrg_hash_mix(low ^ s->world.secret[2], s->world.secret[3] | 1u);
	uint32_t *const counter = &s->ip->ids[mixed % (sizeof s->ip->ids / sizeof s->ip->ids[0])];
	if (*counter == 0)
		*counter = ip_random(s, UINT32_MAX);
	return ++*counter;
}

/* ---- checksums ---- */

/*
 * Complete the checksum, over parts of which one has the sum of the pseudo-header in it. The bytes up to it go out from `copy`, so
 * that nobody's memory is written to.   Returns: the number of parts now; 0: there is no such place.
 */
static size_t complete(struct mrg_span *parts, size_t count, const struct ip_out *o, uint8_t copy[COPY_MAX])
{
	uint64_t sum = 0;
	size_t at = 0, k = count, in_part = 0;
	for (size_t i = 0; i < count; i++) {
		sum = mrg_inet16_add(sum, parts[i].p, parts[i].len, at);
		if (o->sum_at >= at && o->sum_at - at < parts[i].len) {
			k = i;
			in_part = o->sum_at - at;
		}
		at += parts[i].len;
	}
	if (k == count || in_part > COPY_MAX)
		return 0;
	uint16_t value = mrg_inet16_end(sum);
	if (value == 0 && o->protocol == MRG_NET_IP_PROTOCOL_UDP)
		value = UINT16_MAX; /* RFC 768: 0 says that there is none */
	struct mrg_w w;
	mrg_w_init(&w, copy, COPY_MAX);
	mrg_w_put_few(&w, (struct mrg_span){ parts[k].p, in_part });
	mrg_net_internet_checksum_put(&w, &(struct mrg_net_internet_checksum_args){ .value = value });
	if (w.st != MRG_OK || w.len > parts[k].len)
		return 0;
	memmove(&parts[k + 2], &parts[k + 1], (count - k - 1u) * sizeof *parts);
	parts[k + 1] = (struct mrg_span){ parts[k].p + w.len, parts[k].len - w.len };
	parts[k] = mrg_w_span(&w, 0);
	return count + 1u;
}

/* ---- frames ---- */

static enum mrg_io leave(
	const struct packet *p, const struct mrg_span *parts, size_t count, const struct mrg_frame_work *work)
{
	enum mrg_io done;
	if (MRG_LIKELY(p->n != NULL && p->n->machine.state == MRG_NET_NEIGHBOR_REACHABLE))
		done = mrg_link_send(p->on->link, parts, count, work); /* nothing happens to its machine */
	else if (p->on->link == NULL)
		done = loop_send(p->s, parts, count, p->four, work->sum_from != 0);
	else if (p->n != NULL)
		done = neighbor_send(p->n, parts, count, work, p->rest);
	else
		done = mrg_link_send(p->on->link, parts, count, work);
	if (MRG_UNLIKELY(done != MRG_IO_OK))
		p->s->ip->count.out_discards++;
	return done;
}

static void put_headers(struct mrg_w *w, const struct packet *p, const struct piece *f)
{
	mrg_w_put_few(w, (struct mrg_span){ p->ether, p->ether_len });
	if (p->four && p->o->router_alert)
		put_alert4(w, p, f);
	else if (p->four)
		put_header4(w, p, f);
	else
		put_header6(w, p, f);
}

/* parts[0] is for the headers; there is room for one part more. */
static enum mrg_io send_whole(const struct packet *p, struct mrg_span *parts, size_t count, size_t len)
{
	const struct ip_out *const o = p->o;
	uint8_t headers[IP_FRONT], copy[COPY_MAX];
	struct mrg_frame_work work = { 0 };
	struct mrg_w w;
	mrg_w_init(&w, headers, sizeof headers);
	const bool numbered = p->four && !o->whole;
	put_headers(&w, p, &(struct piece){ .len = len, .id = numbered ? next_id(p->s, p) : 0 });
	if (MRG_UNLIKELY(w.st != MRG_OK))
		return MRG_IO_RESET;
	parts[0] = mrg_w_span(&w, 0);
	if (o->summed && p->on->link != NULL && !p->on->link->sums) {
		const size_t now = complete(parts + 1, count - 1u, o, copy);
		if (now == 0)
			return MRG_IO_RESET;
		count = now + 1u;
	} else if (o->summed) {
		work.sum_from = (uint16_t)w.len;
		work.sum_at = (uint16_t)(w.len + o->sum_at);
	}
	if (o->segment_len != 0) {
		work.cut = p->four ? MRG_FRAME_TCP4 : MRG_FRAME_TCP6;
		work.segment_len = o->segment_len;
		work.header_len = (uint16_t)(w.len + o->transport_len);
	}
	return leave(p, parts, count, &work);
}

/* The parts of the parts from `at` on, `len` bytes. */
static size_t slice(const struct mrg_span *parts, size_t count, size_t at, size_t len, struct mrg_span *out)
{
	size_t n = 0;
	for (size_t i = 0; i < count && len != 0; i++) {
		if (at >= parts[i].len) {
			at -= parts[i].len;
			continue;
		}
		const size_t left = parts[i].len - at, take = left < len ? left : len;
		out[n++] = (struct mrg_span){ parts[i].p + at, take };
		len -= take;
		at = 0;
	}
	return n;
}

static enum mrg_io send_fragments(
	const struct packet *packet, const struct mrg_span *given, size_t count, size_t len)
{
	struct packet of = *packet;
	const struct packet *const p = &of;
	struct ip_counts *const counts = &p->s->ip->count;
	struct mrg_span parts[PARTS_MAX + 2]; /* one more when the checksum is completed */
	uint8_t headers[IP_FRONT], copy[COPY_MAX];
	const size_t own =
		p->four ? MRG_NET_IP4_HEADER_LEN : MRG_NET_IP6_HEADER_LEN + MRG_NET_FRAGMENT_HEADER_LEN;
	const size_t most = (p->mtu - own) / MRG_NET_FRAGMENT_UNIT * MRG_NET_FRAGMENT_UNIT;
	struct piece f = { .id = next_id(p->s, p), .fragment = true };
	counts->out_frag_reqds++;
	memcpy(parts, given, count * sizeof *parts);
	if (p->o->summed) {
		count = complete(parts, count, p->o, copy);
		if (count == 0)
			return MRG_IO_RESET;
	}
	for (; f.at < len; f.at += f.len) {
		struct mrg_span out[PARTS_MAX + 2];
		struct mrg_w w;
		f.len = len - f.at < most ? len - f.at : most;
		f.more = f.at + f.len < len;
		mrg_w_init(&w, headers, sizeof headers);
		put_headers(&w, p, &f);
		out[0] = mrg_w_span(&w, 0);
		const size_t n = slice(parts, count, f.at, f.len, out + 1);
		const enum mrg_io done = leave(p, out, n + 1u, &(struct mrg_frame_work){ 0 });
		if (done != MRG_IO_OK)
			return done; /* without this one the others are of no use */
		counts->out_frag_creates++;
		of.rest = true;
	}
	counts->out_frag_oks++;
	return MRG_IO_OK;
}

static size_t headers_of(const struct packet *p)
{
	const size_t alert = !p->o->router_alert ? 0
			     : p->four           ? MRG_NET_IP4_ALERT_LEN
						 : MRG_NET_IP6_ALERT_LEN;
	return (p->four ? MRG_NET_IP4_HEADER_LEN : MRG_NET_IP6_HEADER_LEN) + alert;
}

static enum mrg_io send_packet(const struct packet *p, const struct mrg_span *parts, size_t count)
{
	struct ip_counts *const counts = &p->s->ip->count;
	struct mrg_span all[PARTS_MAX + 2];
	size_t len = 0;
	counts->out_requests++;
	if (count > PARTS_MAX)
		return MRG_IO_RESET;
	for (size_t i = 0; i < count; i++) {
		all[i + 1] = parts[i];
		len += parts[i].len;
	}
	const size_t headers = headers_of(p);
	if (MRG_LIKELY(len + headers <= p->mtu) && p->o->segment_len == 0)
		return send_whole(p, all, count + 1u, len);
	const size_t most = p->four ? MRG_NET_IP4_MAX - headers : MRG_NET_IP6_PAYLOAD_MAX;
	if (p->o->segment_len != 0 && len <= most && p->on->link != NULL &&
		len + headers + p->ether_len <= p->on->link->cut_max)
		return send_whole(p, all, count + 1u, len);
	if (p->o->whole || p->o->segment_len != 0 || p->o->router_alert || len > most) {
		counts->out_frag_fails++;
		return MRG_IO_RESET;
	}
	return send_fragments(p, all + 1, count, len);
}

static size_t put_ether(uint8_t *to, const struct mrg_tcpip_if *on, struct mrg_span mac, bool four)
{
	struct mrg_w w;
	mrg_w_init(&w, to, HEAD_MAX);
	mrg_net_ethernet_header_put(
		&w, &(struct mrg_net_ethernet_header_args){ .destination_address = mac,
			    .source_address = { on->link->address, sizeof on->link->address },
			    .type = four ? MRG_NET_ETHER_TYPE_IPV4 : MRG_NET_ETHER_TYPE_IPV6 });
	return w.len;
}

/* RFC 1112 section 6.1: who is a member here gets it as well, as those out there do. */
static void send_to_ourselves(const struct packet *packet, const struct mrg_span *parts, size_t count)
{
	struct packet p = *packet;
	p.on = if_at(p.s, 0);
	p.mtu = p.on->mtu;
	(void)send_packet(&p, parts, count);
}

/* To all of the link, or of a group. */
static enum mrg_io send_group(const struct packet *packet, const struct mrg_span *parts, size_t count)
{
	struct packet p = *packet;
	uint8_t ether[HEAD_MAX], mac[sizeof p.on->link->address];
	ip_group_mac(p.to, mac);
	p.ether = ether;
	p.ether_len = put_ether(ether, p.on, (struct mrg_span){ mac, sizeof mac }, p.four);
	if (p.o->hop_limit == 0 && ip_is_multicast(p.to))
		p.hop_limit = HOP_LIMIT_GROUP;
	/* what IP says to itself by ICMP, IGMP and MLD is for others only */
	if (p.o->protocol == MRG_NET_IP_PROTOCOL_UDP && ip_is_multicast(p.to) && group_member(p.on, p.to))
		send_to_ourselves(packet, parts, count);
	return send_packet(&p, parts, count);
}

/*
 * What is sent most: a whole packet to a neighbor that is there, its transport header with room in front of it and its checksum done
 * as far as the link wants.   Returns: false when it is not that.
 */
static inline bool send_in_front(
	const struct packet *p, const struct mrg_span *parts, size_t count, enum mrg_io *done)
{
	const struct ip_out *const o = p->o;
	const size_t headers = p->four ? MRG_NET_IP4_HEADER_LEN : MRG_NET_IP6_HEADER_LEN,
		     front = p->ether_len + headers;
	struct mrg_span all[PARTS_MAX];
	size_t len = 0;
	if (o->front == NULL || !o->whole || o->router_alert || o->segment_len != 0 || count > PARTS_MAX ||
		p->n->machine.state != MRG_NET_NEIGHBOR_REACHABLE || (o->summed && !p->on->link->sums))
		return false;
	for (size_t i = 0; i < count; i++) {
		all[i] = parts[i];
		len += parts[i].len;
	}
	if (len + headers > p->mtu)
		return false;
	struct mrg_w w;
	mrg_w_init(&w, o->front - front, front);
	put_headers(&w, p, &(struct piece){ .len = len });
	if (MRG_UNLIKELY(w.st != MRG_OK))
		return false;
	all[0] = (struct mrg_span){ w.p, front + parts[0].len };
	const struct mrg_frame_work work = { .sum_from = (uint16_t)(o->summed ? front : 0),
		.sum_at = (uint16_t)(o->summed ? front + o->sum_at : 0) };
	p->s->ip->count.out_requests++;
	*done = mrg_link_send(p->on->link, all, count, &work);
	if (MRG_UNLIKELY(*done != MRG_IO_OK))
		p->s->ip->count.out_discards++;
	return true;
}

enum mrg_io ip_send(struct mrg_tcpip *s, struct ip_way *w, const struct ip_out *o,
	const struct mrg_span *parts, size_t count)
{
	if (MRG_UNLIKELY(w->era != s->ip->era) && !ip_way_find(s, w)) {
		s->ip->count.out_no_routes++;
		return MRG_IO_RESET;
	}
	struct mrg_tcpip_if *const on = if_at(s, w->on);
	struct packet p = { .s = s,
		.on = on,
		.from = &w->from,
		.to = &w->to,
		.o = o,
		.four = as4(&w->to, &(struct mrg_span){ 0 }),
		.mtu = w->mtu };
	p.hop_limit = o->hop_limit != 0 ? o->hop_limit : p.four ? HOP_LIMIT4 : on->hop_limit6;
	if (!p.four)
		p.flow = flow_of(&p, parts[0]);
	if (w->neighbor == NEIGHBOR_NONE)
		return on->link != NULL ? send_group(&p, parts, count) : send_packet(&p, parts, count);
	p.n = &s->ip->neighbors->entry[w->neighbor];
	p.ether = p.n->head;
	p.ether_len = p.n->head_len;
	enum mrg_io done;
	return MRG_LIKELY(send_in_front(&p, parts, count, &done)) ? done : send_packet(&p, parts, count);
}

enum mrg_io ip_send_mac(struct mrg_tcpip_if *on, struct mrg_span mac, const struct ip *from,
	const struct ip *to, const struct ip_out *o, const struct mrg_span *parts, size_t count)
{
	uint8_t ether[HEAD_MAX];
	struct packet p = { .s = on->stack,
		.on = on,
		.from = from,
		.to = to,
		.o = o,
		.four = ip_is4(to),
		.hop_limit = o->hop_limit,
		.mtu = on->mtu,
		.ether = ether };
	p.ether_len = put_ether(ether, on, mac, p.four);
	if (!p.four)
		p.flow = flow_of(&p, parts[0]);
	return send_packet(&p, parts, count);
}
