/* Packets for a stack: see tcpip_stack.h. */
#include "fuzz/tcpip_stack.h"

#include <string.h>

#include "net/icmp4.h"
#include "net/icmp6.h"
#include "net/ip4.h"
#include "net/ip6.h"
#include "net/link.h"
#include "net/tcp.h"
#include "net/udp.h"

const uint8_t stack_our_mac[6] = { 2, 0, 0, 0, 0, 2 }, stack_peer_mac[6] = { 2, 0, 0, 0, 0, 1 };
const uint8_t stack_our4[4] = { 10, 0, 0, 2 }, stack_peer4[4] = { 10, 0, 0, 1 };
const uint8_t stack_our6[16] = { 0xfd, 0, [15] = 2 }, stack_peer6[16] = { 0xfd, 0, [15] = 1 };

/* Of the specifications: what `mrg fuzz` makes of specs/net. */
extern const struct mrg_fuzz_subject mrg_fuzz_net_link_ethernet, mrg_fuzz_net_ip4_ip4, mrg_fuzz_net_ip6_ip6,
	mrg_fuzz_net_tcp_tcp, mrg_fuzz_net_udp_udp, mrg_fuzz_net_icmp4_icmp4, mrg_fuzz_net_icmp6_icmp6;

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128, PACKET_MAX = 1600 };

static bool one_in(struct mrg_rng *rng, uint64_t n) { return mrg_rng_below(rng, n) == 0; }

/* The two octets in front. */
static void put_control(struct mrg_rng *rng, struct mrg_w *w, unsigned kind)
{
	const bool as_is = one_in(rng, 64), vouched = one_in(rng, 32);
	mrg_w_u8(w, (uint8_t)(kind | (as_is ? STACK_AS_IS : 0u) | (vouched ? STACK_VOUCHED : 0u)));
	mrg_w_u8(w, !one_in(rng, 4)  ? 0
		    : one_in(rng, 8) ? (uint8_t)mrg_rng_next(rng)
				     : (uint8_t)mrg_rng_below(rng, 0x50));
}

static void put_ip(struct mrg_rng *rng, struct mrg_w *w, bool six, uint8_t protocol, struct mrg_span payload)
{
	const uint8_t ecn = one_in(rng, 8) ? (uint8_t)mrg_rng_below(rng, 4) : 0;
	if (six)
		mrg_net_ip6_put(w,
			&(struct mrg_net_ip6_args){
				.hop_limit =
					protocol == MRG_NET_IP_PROTOCOL_ICMPV6 && !one_in(rng, 8) ? 255 : 64,
				.ecn = ecn,
				.next_header = protocol,
				.source_address = { stack_peer6, 16 },
				.destination_address = { stack_our6, 16 },
				.payload = payload });
	else
		mrg_net_ip4_put(w, &(struct mrg_net_ip4_args){ .time_to_live = 64,
					   .ecn = ecn,
					   .protocol = protocol,
					   .source_address = { stack_peer4, 4 },
					   .destination_address = { stack_our4, 4 },
					   .payload = payload });
}

/* ---- TCP ---- */

struct segment {
	unsigned flags;
	uint32_t seq, ack; /* from the first number of each */
	uint16_t window, port, peer_port;
	size_t len;
	bool six, options;
};

static void put_options(struct mrg_rng *rng, struct mrg_w *w, bool syn)
{
	const uint64_t dice = mrg_rng_next(rng);
	if (syn && (dice & 1u) != 0)
		mrg_net_tcp_mss_put(
			w, &(struct mrg_net_tcp_mss_args){
				   .mss = (dice & 0x700u) == 0 ? (uint16_t)(dice >> 16) : (uint16_t)1460 });
	if (syn && (dice & 2u) != 0)
		mrg_net_tcp_sack_permitted_put(w, &(struct mrg_net_tcp_sack_permitted_args){ 0 });
	if (syn && (dice & 4u) != 0)
		mrg_net_tcp_window_scale_put(w,
			&(struct mrg_net_tcp_window_scale_args){ .shift_cnt = (uint8_t)(dice >> 32 & 15u) });
	if ((dice & 8u) != 0)
		mrg_net_tcp_usual_options_put(
			w, &(struct mrg_net_tcp_usual_options_args){
				   .ts_value = 7 + (uint32_t)(dice >> 48), .ts_echo_reply = 0 });
	while (w->len % 4 != 0)
		mrg_w_u8(w, 0);
}

static void put_segment(struct mrg_rng *rng, struct mrg_w *w, const struct segment *g)
{
	uint8_t options[40], data[PACKET_MAX], segment[PACKET_MAX + 60];
	struct mrg_w o, s;
	mrg_w_init(&o, options, sizeof options);
	if (g->options)
		put_options(rng, &o, (g->flags & SYN) != 0);
	for (size_t i = 0; i < g->len; i++)
		data[i] = (uint8_t)('a' + (g->seq + i) % 26);
	mrg_w_init(&s, segment, sizeof segment);
	mrg_net_tcp_put(&s, &(struct mrg_net_tcp_args){ .source_port = g->peer_port,
				    .destination_port = g->port,
				    .sequence_number = STACK_PEER_ISS + g->seq,
				    .acknowledgment_number = g->ack,
				    .cwr = (g->flags & CWR) != 0,
				    .ece = (g->flags & ECE) != 0,
				    .urg = (g->flags & URG) != 0,
				    .ack = (g->flags & ACK) != 0,
				    .psh = (g->flags & PSH) != 0,
				    .rst = (g->flags & RST) != 0,
				    .syn = (g->flags & SYN) != 0,
				    .fin = (g->flags & FIN) != 0,
				    .window = g->window,
				    .options = mrg_w_span(&o, 0),
				    .data = { data, g->len } });
	put_control(rng, w, (g->six ? STACK_IP6 : STACK_IP4) | ((g->flags & ACK) != 0 ? STACK_ACKS : 0u));
	put_ip(rng, w, g->six, MRG_NET_IP_PROTOCOL_TCP, mrg_w_span(&s, 0));
}

static size_t some_data(struct mrg_rng *rng)
{
	return one_in(rng, 4) ? (size_t)mrg_rng_below(rng, 1400) : (size_t)mrg_rng_below(rng, 20);
}

static struct segment some_segment(struct mrg_rng *rng)
{
	static const unsigned flags[] = { SYN, ACK, ACK, ACK | PSH, FIN | ACK, RST, RST | ACK, SYN | ACK,
		SYN | ECE | CWR, 0 };
	return (struct segment){ .flags = one_in(rng, 8) ? (unsigned)mrg_rng_below(rng, 256)
							 : flags[mrg_rng_below(rng, COUNT_OF(flags))],
		.seq = one_in(rng, 16) ? (uint32_t)mrg_rng_next(rng) : (uint32_t)mrg_rng_below(rng, 40),
		.ack = one_in(rng, 16) ? (uint32_t)mrg_rng_next(rng) : (uint32_t)mrg_rng_below(rng, 40),
		.window = one_in(rng, 4) ? (uint16_t)mrg_rng_below(rng, 3) : 65535,
		.port = one_in(rng, 16)   ? (uint16_t)mrg_rng_next(rng)
			: one_in(rng, 12) ? (uint16_t)STACK_OUR_PORT
			: one_in(rng, 2)  ? STACK_ECHO
					  : STACK_DISCARD,
		.peer_port = (uint16_t)(STACK_PEER_PORT + mrg_rng_below(rng, 4)),
		.len = one_in(rng, 2) ? 0 : some_data(rng),
		.six = one_in(rng, 3),
		.options = one_in(rng, 2) };
}

/* ---- others ---- */

/* A message of the specification in a packet to us. */
static void put_of_spec(struct mrg_rng *rng, struct mrg_w *w)
{
	uint8_t payload[512];
	const bool six = one_in(rng, 3);
	static const struct mrg_fuzz_subject *const subjects[] = { &mrg_fuzz_net_tcp_tcp,
		&mrg_fuzz_net_udp_udp, &mrg_fuzz_net_icmp4_icmp4, &mrg_fuzz_net_icmp6_icmp6 };
	static const uint8_t protocols[] = { MRG_NET_IP_PROTOCOL_TCP, MRG_NET_IP_PROTOCOL_UDP,
		MRG_NET_IP_PROTOCOL_ICMP, MRG_NET_IP_PROTOCOL_ICMPV6 };
	size_t which = (size_t)mrg_rng_below(rng, COUNT_OF(subjects));
	if (which >= 2)
		which = six ? 3 : 2;
	const struct mrg_fuzz_subject *const s = subjects[which];
	const struct mrg_span made = { payload, s->make(s->ctx, rng, payload, sizeof payload) };
	put_control(rng, w, six ? STACK_IP6 : STACK_IP4);
	put_ip(rng, w, six, protocols[which], made);
}

/* A whole packet or frame of the specification; the addresses are ours, mostly. */
static void put_whole(struct mrg_rng *rng, struct mrg_w *w)
{
	uint8_t made[PACKET_MAX];
	const uint64_t which = mrg_rng_below(rng, 3);
	const struct mrg_fuzz_subject *const s = which == 0   ? &mrg_fuzz_net_link_ethernet
						 : which == 1 ? &mrg_fuzz_net_ip4_ip4
							      : &mrg_fuzz_net_ip6_ip6;
	const size_t len = s->make(s->ctx, rng, made, sizeof made);
	const bool ours = !one_in(rng, 4);
	put_control(rng, w, which == 0 ? STACK_FRAME : which == 1 ? STACK_IP4 : STACK_IP6);
	if (ours && which == 0 && len >= 6)
		memcpy(made, stack_our_mac, 6);
	if (ours && which == 1 && len >= STACK_IP4_HEAD) {
		memcpy(made + 12, stack_peer4, 4);
		memcpy(made + 16, stack_our4, 4);
	}
	if (ours && which == 2 && len >= STACK_IP6_HEAD) {
		memcpy(made + 8, stack_peer6, 16);
		memcpy(made + 24, stack_our6, 16);
	}
	mrg_w_put(w, (struct mrg_span){ made, len });
}

static void put_datagram(struct mrg_rng *rng, struct mrg_w *w)
{
	uint8_t datagram[PACKET_MAX];
	static const uint8_t data[200] = "datagram";
	struct mrg_w d;
	const bool six = one_in(rng, 3);
	mrg_w_init(&d, datagram, sizeof datagram);
	mrg_net_udp_put(
		&d, &(struct mrg_net_udp_args){ .source_port = STACK_PEER_PORT,
			    .destination_port = one_in(rng, 4) ? (uint16_t)mrg_rng_next(rng) : STACK_ECHO,
			    .data_octets = { data, (size_t)mrg_rng_below(rng, sizeof data) } });
	put_control(rng, w, six ? STACK_IP6 : STACK_IP4);
	put_ip(rng, w, six, MRG_NET_IP_PROTOCOL_UDP, mrg_w_span(&d, 0));
}

/* An error about a segment of ours, as far as the peer knows it: what it quotes begins with our ports. */
static void put_error(struct mrg_rng *rng, struct mrg_w *w)
{
	static const uint8_t codes[] = { 0, 1, 2, 3, 4, 4, 4, 4, 4, 9, 10, 13 };
	uint8_t quoted[128], message[160];
	struct mrg_w q, m;
	mrg_w_init(&q, quoted, sizeof quoted);
	mrg_net_ip4_header_put(&q, &(struct mrg_net_ip4_header_args){ .total_length = 1500,
					   .time_to_live = 9,
					   .protocol = MRG_NET_IP_PROTOCOL_TCP,
					   .df = 1,
					   .source_address = { stack_our4, 4 },
					   .destination_address = { stack_peer4, 4 } });
	mrg_w_be16(&q, STACK_ECHO);
	mrg_w_be16(&q, (uint16_t)(STACK_PEER_PORT + mrg_rng_below(rng, 4)));
	mrg_w_be32(&q, (uint32_t)mrg_rng_below(rng, 40));
	mrg_w_be32(&q, 0);
	mrg_w_init(&m, message, sizeof message);
	mrg_w_u8(&m, one_in(rng, 4) ? MRG_NET_ICMP4_TYPE_TIME_EXCEEDED : MRG_NET_ICMP4_TYPE_UNREACHABLE);
	mrg_w_u8(&m, codes[mrg_rng_below(rng, COUNT_OF(codes))]);
	mrg_w_be16(&m, 0);
	mrg_w_be32(&m, (uint32_t)mrg_rng_below(rng, 1600));
	mrg_w_put(&m, mrg_w_span(&q, 0));
	put_control(rng, w, STACK_IP4 | STACK_ACKS);
	put_ip(rng, w, false, MRG_NET_IP_PROTOCOL_ICMP, mrg_w_span(&m, 0));
}

static void put_arp(struct mrg_rng *rng, struct mrg_w *w)
{
	put_control(rng, w, STACK_FRAME);
	mrg_net_ethernet_header_put(
		w, &(struct mrg_net_ethernet_header_args){ .destination_address = { stack_our_mac, 6 },
			   .source_address = { stack_peer_mac, 6 },
			   .type = MRG_NET_ETHER_TYPE_ARP });
	mrg_net_arp_put(
		w, &(struct mrg_net_arp_args){ .operation = (uint16_t)(1 + mrg_rng_below(rng, 2)),
			   .sender_hardware_address = { stack_peer_mac, 6 },
			   .sender_protocol_address = { one_in(rng, 8) ? stack_our4 : stack_peer4, 4 },
			   .target_hardware_address = { stack_our_mac, 6 },
			   .target_protocol_address = { stack_our4, 4 } });
}

/* One half of a datagram. */
static void put_fragment(struct mrg_rng *rng, struct mrg_w *w)
{
	enum { HALF = 32 };
	uint8_t datagram[2 * HALF];
	static const uint8_t data[2 * HALF - 8] = "in two halves";
	struct mrg_w d;
	const bool second = one_in(rng, 2);
	mrg_w_init(&d, datagram, sizeof datagram);
	mrg_net_udp_put(&d, &(struct mrg_net_udp_args){ .source_port = STACK_PEER_PORT,
				    .destination_port = STACK_ECHO,
				    .data_octets = { data, sizeof data } });
	put_control(rng, w, STACK_IP4 | STACK_VOUCHED);
	mrg_net_ip4_put(w, &(struct mrg_net_ip4_args){ .time_to_live = 64,
				   .identification = 77,
				   .mf = !second,
				   .fragment_offset = second ? HALF / 8 : 0,
				   .protocol = MRG_NET_IP_PROTOCOL_UDP,
				   .source_address = { stack_peer4, 4 },
				   .destination_address = { stack_our4, 4 },
				   .payload = { datagram + (second ? HALF : 0), HALF } });
}

static void put_user(struct mrg_rng *rng, struct mrg_w *w)
{
	put_control(rng, w, STACK_USER);
	mrg_w_u8(w, (uint8_t)mrg_rng_below(rng, STACK_DOES));
	mrg_w_u8(w, (uint8_t)mrg_rng_next(rng));
}

static void put_any(struct mrg_rng *rng, struct mrg_w *w)
{
	switch (mrg_rng_below(rng, 16)) {
	case 0: put_of_spec(rng, w); return;
	case 1: put_whole(rng, w); return;
	case 2: put_datagram(rng, w); return;
	case 3: put_error(rng, w); return;
	case 4: put_arp(rng, w); return;
	case 7: put_fragment(rng, w); return;
	case 5:
	case 6: put_user(rng, w); return;
	default: {
		const struct segment g = some_segment(rng);
		put_segment(rng, w, &g);
	}
	}
}

static size_t finish(struct mrg_w *w)
{
	size_t len = 0;
	return mrg_w_finish(w, &len) == MRG_OK ? len : 0;
}

size_t stack_packet_make(struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	struct mrg_w w;
	mrg_w_init(&w, out, cap);
	put_any(rng, &w);
	return finish(&w);
}

/* ---- what peers say to each other ---- */

/* The next thing that a peer says that knows what it does. */
static struct segment next_of(struct mrg_rng *rng, struct segment *at, unsigned turn)
{
	struct segment g = *at;
	g.len = 0;
	g.options = turn == 0 || one_in(rng, 2);
	if (turn == 0 && at->port == STACK_OUR_PORT) {
		g.flags = SYN | ACK; /* the answer to ours */
		g.ack = at->seq = at->ack = 1;
	} else if (turn == 0) {
		g.flags = SYN | (one_in(rng, 8) ? (unsigned)(ECE | CWR) : 0);
		at->seq = at->ack = 1;
	} else if (turn == 1) {
		g.flags = ACK;
	} else if (one_in(rng, 6)) {
		g.flags = FIN | ACK;
		at->seq++;
	} else {
		g.flags = ACK | (one_in(rng, 2) ? (unsigned)PSH : 0);
		g.len = some_data(rng);
		at->seq += (uint32_t)g.len;
		if (at->port == STACK_ECHO) /* what comes back will have come when it says the next thing */
			at->ack += (uint32_t)g.len;
	}
	return g;
}

/* More connections at once than there is room for. */
static struct segment next_of_many(struct mrg_rng *rng, unsigned turn)
{
	struct segment g = some_segment(rng);
	g.flags = turn < 6 ? (unsigned)SYN : (unsigned)ACK;
	g.seq = turn < 6 ? 0 : 1;
	g.ack = g.seq;
	return g;
}

enum { LENGTH = 2 };

/* What was written behind a length at out[len], which is put there; nothing if there was no room.  Returns the new end. */
static size_t framed(struct mrg_w *w, uint8_t *out, size_t len)
{
	const size_t n = finish(w);
	if (n == 0)
		return len;
	out[len] = (uint8_t)(n >> 8);
	out[len + 1] = (uint8_t)n;
	return len + LENGTH + n;
}

size_t stack_talk_make(struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	enum { TURNS = 10 };
	const bool many = one_in(rng, 12), ours = !many && one_in(rng, 6), leaves = one_in(rng, 3);
	const unsigned leaves_at = 2 + (unsigned)mrg_rng_below(rng, 5);
	struct segment at = { .window = one_in(rng, 8) ? (uint16_t)mrg_rng_below(rng, 100) : 65535,
		.port = one_in(rng, 2) ? STACK_ECHO : STACK_DISCARD,
		.peer_port = (uint16_t)(STACK_PEER_PORT + mrg_rng_below(rng, 4)),
		.six = one_in(rng, 3) };
	if (ours) {
		at.port = STACK_OUR_PORT;
		at.six = false;
	}
	size_t len = 0;
	for (unsigned turn = 0; turn < TURNS && cap - len > LENGTH; turn++) {
		struct mrg_w w;
		mrg_w_init(&w, out + len + LENGTH, cap - len - LENGTH);
		const unsigned said = turn - ours;
		if (ours && turn == 0) {
			put_control(rng, &w, STACK_USER);
			mrg_w_u8(&w, STACK_CONNECTS);
			mrg_w_u8(&w, (uint8_t)(at.peer_port - STACK_PEER_PORT));
			len = framed(&w, out, len);
			continue;
		}
		const struct segment g = many ? next_of_many(rng, turn) : next_of(rng, &at, said);
		if (leaves && turn == leaves_at) { /* the user, of whose FIN the peer hears */
			put_control(rng, &w, STACK_USER);
			mrg_w_u8(&w, one_in(rng, 2) ? STACK_CLOSES : STACK_FINISHES);
			mrg_w_u8(&w, 0);
			at.ack++;
		} else if (turn > 1 && one_in(rng, 5)) {
			put_any(rng, &w); /* instead: that one is lost */
		} else {
			put_segment(rng, &w, &g);
		}
		len = framed(&w, out, len);
	}
	return len;
}

/* ---- changes ---- */

/* A change of one of the numbers of a segment. */
static void change_segment(struct mrg_rng *rng, uint8_t *p, size_t len, size_t at)
{
	static const uint8_t places[] = { MRG_NET_TCP_SEQUENCE_NUMBER_AT + 3,
		MRG_NET_TCP_ACKNOWLEDGMENT_NUMBER_AT + 3, MRG_NET_TCP_CWR_AT, MRG_NET_TCP_WINDOW_AT,
		MRG_NET_TCP_WINDOW_AT + 1, 1, 3 };
	const size_t place = at + places[mrg_rng_below(rng, COUNT_OF(places))];
	if (place >= len)
		return;
	if (one_in(rng, 2))
		p[place] = (uint8_t)(p[place] + mrg_rng_below(rng, 5) - 2);
	else
		p[place] ^= (uint8_t)(1u << mrg_rng_below(rng, 8));
}

size_t stack_packet_change(struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,
	size_t other_len, uint8_t *out, size_t cap)
{
	(void)other;
	(void)other_len;
	if (len < STACK_HEAD || len > cap)
		return 0;
	memcpy(out, in, len);
	const size_t head = (in[0] & STACK_KIND) == STACK_IP6 ? STACK_IP6_HEAD : STACK_IP4_HEAD;
	switch (mrg_rng_below(rng, 8)) {
	case 0: return stack_packet_make(rng, out, cap);
	case 1: out[0] ^= (uint8_t)(STACK_AS_IS << mrg_rng_below(rng, 3)); return len;
	case 2: out[1] = (uint8_t)mrg_rng_next(rng); return len;
	case 3: { /* longer, or shorter */
		const size_t n = (size_t)mrg_rng_below(rng, 100);
		if (one_in(rng, 2))
			return len > STACK_HEAD + n ? len - n : len;
		if (cap - len < n)
			return len;
		memset(out + len, 'x', n);
		return len + n;
	}
	default: change_segment(rng, out, len, STACK_HEAD + head); return len;
	}
}
