/*
 * peers_stack.c - our stack against lwIP: the same packet to two hosts of the same addresses and services.
 *
 * An input is how things stand (an octet: nothing, or a connection that is half open, open, or ended by the peer), where the packet comes from
 * (an octet: the peer, as a rule), and the packet as tcpip_stack.h has it. What a host says to it is told in words: each packet that it sends
 * at once or a moment later, numbers counted from where each begins, and what its user hears.  Where these differ, the difference must be one
 * of the table, for a packet of that kind.
 *
 * Not held: what lwIP has no part in as it is built here (frames, ARP, routers, groups), and packets from itself.
 */
#include "fuzz/peers_lwip.h"
#include "fuzz/tcpip_stack.c" /* its stack, and what each run begins with */
#include "mrg_glue.h"
#include "peers.h"

#include <fnmatch.h>

enum {
	SIDE_HEAD = 2,
	STATES = 4,
	SAYS_MAX = 240,
	MOMENT = 300 /* ms */,
	NEAR = 2000,
	FAR = 1 << 18,
	UDP_LITE = 136,
	ROUTING = 43,
	DESTINATION = 60
};

/* ---- what a side says ---- */

struct side {
	char says[SAYS_MAX];
	size_t len, heard_len;
	uint8_t heard[4096];
	bool ended;
	bool tells; /* it is about the packet, not what went before */
	bool acks; /* the packet acknowledges something: a reset goes by that number, and lwIP's have another as well (RFC 9293 3.10.7.1) */
	uint32_t iss[4];
};

static struct side sides[2]; /* ours, lwIP's */

__attribute__((format(printf, 2, 3))) static void say(struct side *s, const char *format, ...)
{
	va_list ap;
	if (!s->tells || s->len >= SAYS_MAX - 1)
		return;
	va_start(ap, format);
	const int n = vsnprintf(s->says + s->len, SAYS_MAX - s->len, format, ap);
	va_end(ap);
	s->len += n > 0 ? (size_t)n : 0;
}

static unsigned hash_of(struct mrg_span p) { return (unsigned)(mrg_glue_hash(p.p, p.len) & 0xffffu); }

static void say_segment(struct side *s, struct mrg_span payload)
{
	struct mrg_net_tcp h;
	if (mrg_net_tcp_check(payload, &h, NULL) != MRG_OK) {
		say(s, "not a segment; ");
		return;
	}
	uint32_t *const iss = &s->iss[mrg_net_tcp_destination_port(&h) & 3u];
	if (mrg_net_tcp_syn(&h) != 0)
		*iss = mrg_net_tcp_sequence_number(&h);
	const uint32_t seq = mrg_net_tcp_sequence_number(&h) - *iss,
		       ack = mrg_net_tcp_acknowledgment_number(&h) - STACK_PEER_ISS;
	char text[80];
	if (mrg_net_tcp_rst(&h) != 0) /* by one number or the other (RFC 9293 3.10.7.1); lwIP's have both */
		(void)snprintf(
			text, sizeof text, "RST %s %u; ", s->acks ? "seq" : "ACK", s->acks ? seq : ack);
	else
		(void)snprintf(text, sizeof text, "%s%s%s%u seq %u len %zu; ",
			mrg_net_tcp_syn(&h) != 0 ? "SYN " : "", mrg_net_tcp_fin(&h) != 0 ? "FIN " : "",
			mrg_net_tcp_ack(&h) != 0 ? "ACK " : "no ACK ", ack, seq, mrg_net_tcp_data(&h).len);
	const size_t len = strlen(text);
	if (s->len < len || strcmp(s->says + s->len - len, text) != 0) /* once more is no more */
		say(s, "%s", text);
}

static void say_icmp(struct side *s, struct mrg_span m, bool six)
{
	if (m.len < 8)
		return;
	const bool echo = m.p[0] == (six ? 129 : 0);
	if (six && ((m.p[0] >= 130 && m.p[0] <= 135) || m.p[0] == 137 || m.p[0] == 143))
		return; /* routers, groups, neighbors that it looks for */
	say(s, "ICMP %u %u", m.p[0], m.p[1]);
	if (echo)
		say(s, " of %zu octets %04x", m.len, hash_of((struct mrg_span){ m.p + 4, m.len - 4 }));
	say(s, "; ");
}

static void say_packet(struct side *s, struct mrg_span packet)
{
	struct mrg_net_ip4 four;
	struct mrg_net_ip6 six;
	const bool is6 = packet.len != 0 && packet.p[0] >> 4 == 6;
	struct mrg_span payload;
	uint8_t protocol;
	if (is6 && mrg_net_ip6_check(packet, &six, NULL) == MRG_OK) {
		payload = mrg_net_ip6_payload(&six);
		protocol = mrg_net_ip6_next_header(&six);
	} else if (!is6 && mrg_net_ip4_check(packet, &four, NULL) == MRG_OK) {
		payload = mrg_net_ip4_payload(&four);
		protocol = mrg_net_ip4_protocol(&four);
	} else {
		say(s, "not a packet; ");
		return;
	}
	switch (protocol) {
	case MRG_NET_IP_PROTOCOL_TCP: say_segment(s, payload); return;
	case MRG_NET_IP_PROTOCOL_UDP: say(s, "UDP %zu octets %04x; ", payload.len, hash_of(payload)); return;
	case MRG_NET_IP_PROTOCOL_ICMP:
	case MRG_NET_IP_PROTOCOL_ICMPV6: say_icmp(s, payload, is6); return;
	default: return; /* groups */
	}
}

static void hear_octets(struct side *s, const uint8_t *p, size_t len, bool ended)
{
	if (!s->tells)
		return;
	s->ended = s->ended || ended;
	for (size_t i = 0; i < len && s->heard_len < sizeof s->heard; i++)
		s->heard[s->heard_len++] = p[i];
}

static void end_says(struct side *s)
{
	if (s->heard_len != 0)
		say(s, "hears %zu octets %04x; ", s->heard_len,
			hash_of((struct mrg_span){ s->heard, s->heard_len }));
	if (s->ended)
		say(s, "hears the end; ");
	if (s->len == 0)
		say(s, "nothing");
}

/* ---- ours ---- */

static enum mrg_io watch(
	struct mrg_link *l, const struct mrg_span *parts, size_t count, const struct mrg_frame_work *work)
{
	static uint8_t frame[70000];
	struct mrg_net_ethernet e;
	size_t len = 0;
	for (size_t i = 0; i < count && parts[i].len <= sizeof frame - len; i++) {
		memcpy(frame + len, parts[i].p, parts[i].len);
		len += parts[i].len;
	}
	if (mrg_net_ethernet_check((struct mrg_span){ frame, len }, &e, NULL) == MRG_OK &&
		mrg_net_ethernet_type(&e) != MRG_NET_ETHER_TYPE_ARP)
		say_packet(&sides[0], mrg_net_ethernet_payload(&e));
	return see(l, parts, count, work);
}

static const struct mrg_link_ops watched = { .send = watch };

static bool open_listener(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	mrg_stream_want(s, MRG_STREAM_READABLE);
	return true;
}

static void listen_on(void *ctx, struct mrg_stream *s, unsigned events, uint64_t now_ns)
{
	(void)ctx;
	(void)events;
	(void)now_ns;
	for (;;) {
		uint8_t octets[2048];
		size_t got = 0;
		const enum mrg_io io = mrg_stream_read(s, octets, sizeof octets, &got);
		if (io == MRG_IO_RESET) {
			mrg_stream_close(s);
			return;
		}
		if (io == MRG_IO_AGAIN || io == MRG_IO_EOF) {
			if (io == MRG_IO_EOF)
				hear_octets(&sides[0], NULL, 0, true);
			mrg_stream_want(s, io == MRG_IO_EOF ? 0 : MRG_STREAM_READABLE);
			return;
		}
		hear_octets(&sides[0], octets, got, false);
	}
}

static bool spares_none(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	return false;
}

/* ---- lwIP's ---- */

static void lwip_sent(void *ctx, const uint8_t *packet, size_t len)
{
	(void)ctx;
	say_packet(&sides[1], (struct mrg_span){ packet, len });
}

static void lwip_heard(void *ctx, const uint8_t *octets, size_t len, bool ended)
{
	(void)ctx;
	hear_octets(&sides[1], octets, len, ended);
}

static void open_both(struct own *o)
{
	if (o->ready)
		return;
	open_own(o);
	o->echo = o->discard = (struct mrg_stream_user){
		.ctx = NULL, .open = open_listener, .ready = listen_on, .spare = spares_none
	};
	must(lwip_world_open(&(struct lwip_world){ .sent = lwip_sent,
		.heard = lwip_heard,
		.our4 = stack_our4,
		.our6 = stack_our6,
		.our_mac = stack_our_mac,
		.udp_echo = STACK_ECHO,
		.tcp = { STACK_ECHO, STACK_DISCARD } }));
}

/* ---- a packet to both ---- */

static void to_both(struct own *o, const uint8_t *packet, size_t len, unsigned control)
{
	const bool six = (control & STACK_KIND) == STACK_IP6;
	uint8_t frame[FRAME_MAX];
	struct mrg_w w;
	mrg_w_init(&w, frame, sizeof frame);
	mrg_net_ethernet_header_put(
		&w, &(struct mrg_net_ethernet_header_args){ .destination_address = { stack_our_mac, 6 },
			    .source_address = { stack_peer_mac, 6 },
			    .type = six ? MRG_NET_ETHER_TYPE_IPV6 : MRG_NET_ETHER_TYPE_IPV4 });
	uint8_t *const at = frame + w.len;
	uint32_t *const numbers[2] = { sides[0].iss, sides[1].iss };
	for (unsigned side = 0; side < 2; side++) {
		memcpy(at, packet, len);
		memcpy(o->w.iss, numbers[side], sizeof o->w.iss);
		complete(o, at, len, control);
		if (side == 0) {
			hand_in(o, frame, w.len + len, false);
			answer(o);
		} else {
			lwip_world_in(at, len);
		}
	}
	(void)pass(o, o->w.now_ns + MOMENT * (uint64_t)MS, STEPS_MAX);
	lwip_world_later();
}

/* How things stand before it: a connection that the packet is of, if it is a segment. */
enum state { LISTENS, HALF, OPEN, ENDED };

static void segment_to_both(struct own *o, bool six, uint16_t from, uint16_t to, uint32_t seq, unsigned flags)
{
	uint8_t segment[64], packet[128];
	struct mrg_w s, w;
	mrg_w_init(&s, segment, sizeof segment);
	mrg_net_tcp_put(&s, &(struct mrg_net_tcp_args){ .source_port = from,
				    .destination_port = to,
				    .sequence_number = STACK_PEER_ISS + seq,
				    .acknowledgment_number = seq != 0 ? 1 : 0,
				    .ack = seq != 0,
				    .syn = (flags & 2u) != 0,
				    .fin = (flags & 1u) != 0,
				    .window = 65535 });
	const struct mrg_span payload = mrg_w_span(&s, 0);
	mrg_w_init(&w, packet, sizeof packet);
	if (six)
		mrg_net_ip6_put(&w, &(struct mrg_net_ip6_args){ .hop_limit = 64,
					    .next_header = MRG_NET_IP_PROTOCOL_TCP,
					    .source_address = { stack_peer6, 16 },
					    .destination_address = { stack_our6, 16 },
					    .payload = payload });
	else
		mrg_net_ip4_put(&w, &(struct mrg_net_ip4_args){ .time_to_live = 64,
					    .protocol = MRG_NET_IP_PROTOCOL_TCP,
					    .source_address = { stack_peer4, 4 },
					    .destination_address = { stack_our4, 4 },
					    .payload = payload });
	to_both(o, packet, w.len, (six ? STACK_IP6 : STACK_IP4) | (seq != 0 ? STACK_ACKS : 0u));
}

static void come_to(struct own *o, enum state state, bool six, uint16_t from, uint16_t to)
{
	if (state > LISTENS)
		segment_to_both(o, six, from, to, 0, 2);
	if (state > HALF)
		segment_to_both(o, six, from, to, 1, 0);
	if (state > OPEN)
		segment_to_both(o, six, from, to, 1, 1);
}

/* ---- what a packet is ---- */

struct subject_packet {
	uint8_t p[FRAME_MAX];
	size_t len;
	unsigned control;
	bool six;
	enum state state;
	uint16_t from, to; /* ports */
	bool acks;
	char kind[120];
};

/* Where it comes from: the peer, or somebody that no packet comes from. */
static const uint8_t odd4[][4] = { { 0, 0, 0, 0 }, { 224, 0, 0, 1 }, { 255, 255, 255, 255 },
	{ 10, 0, 0, 255 } };
static const uint8_t odd6[][16] = { { 0 }, { 0xff, 2, [15] = 1 } };

static const uint32_t next_numbers[STATES] = { 0, 1, 1, 2 }; /* of the peer's */

/* Where a number is, as seen from the one that comes next. */
static char against(uint32_t number, uint32_t next)
{
	const uint32_t ahead = number - next;
	return ahead == 0 ? '=' : ahead < UINT32_MAX / 2 ? '>' : '<';
}

/* Numbers are those of the connection that is there. Not held is what begins in one's window, and not in the other's. */
static bool describe_segment(struct subject_packet *s, const uint8_t *t, size_t left, char *k, size_t cap)
{
	static const char *const states[] = { "listening", "half open", "open", "ended" };
	const uint8_t flags = t[MRG_NET_TCP_CWR_AT];
	const bool closed = mrg_be16(t + 2) != STACK_ECHO && mrg_be16(t + 2) != STACK_DISCARD;
	s->from = mrg_be16(t);
	s->to = mrg_be16(t + 2);
	s->acks = (flags & 16u) != 0;
	s->control |= s->acks ? (unsigned)STACK_ACKS : 0;
	(void)snprintf(k, cap, " TCP %s %s%s%s%s%s", closed ? "closed" : states[s->state],
		(flags & 2u) != 0 ? "S" : "", (flags & 1u) != 0 ? "F" : "", (flags & 4u) != 0 ? "R" : "",
		(flags & 16u) != 0 ? "A" : "", left > (size_t)(t[12] >> 4) * 4 ? " data" : "");
	struct mrg_net_tcp h;
	struct mrg_net_tcp_options options;
	if (mrg_net_tcp_check((struct mrg_span){ t, left }, &h, NULL) == MRG_OK &&
		mrg_net_tcp_options_check(mrg_net_tcp_options(&h), &options, NULL) != MRG_OK)
		(void)snprintf(k + strlen(k), cap - strlen(k), " options wrong");
	const size_t n = strlen(k);
	if (closed || s->state == LISTENS)
		return true;
	const uint32_t seq = mrg_be32(t + 4) - STACK_PEER_ISS, ack = mrg_be32(t + 8);
	(void)snprintf(k + n, cap - n, " seq%c%s%.1s", against(seq, next_numbers[s->state]),
		s->acks ? " ack" : "", s->acks ? (const char[]){ against(ack, 1), 0 } : "");
	return seq - NEAR >= FAR - NEAR;
}

/* What is behind extension headers, as far as there are some. */
static uint8_t last_protocol(uint8_t protocol, const uint8_t *p, size_t len)
{
	while (len >= 8 &&
		(protocol == MRG_NET_IP_PROTOCOL_HOPOPT || protocol == ROUTING || protocol == DESTINATION)) {
		const size_t header = ((size_t)p[1] + 1) * 8;
		protocol = p[0];
		if (header > len)
			break;
		p += header;
		len -= header;
	}
	return protocol;
}

/* lwIP has UDP-Lite, and ends where such a datagram's sum is to be of more than there is. */
static bool is_held(uint8_t protocol)
{
	return protocol != UDP_LITE && protocol != MRG_NET_IP_PROTOCOL_ICMPV6;
}

/* Words for what a packet is, as far as differences go by it.  false: not held. */
static bool describe(struct subject_packet *s)
{
	const size_t head = s->six ? (size_t)STACK_IP6_HEAD : (size_t)(s->p[0] & 15u) * 4;
	const uint8_t protocol = s->p[s->six ? MRG_NET_IP6_NEXT_HEADER_AT : 9];
	char *const k = s->kind;
	const size_t cap = sizeof s->kind;
	size_t n = (size_t)snprintf(k, cap, "IPv%c%s%s%s", s->six ? '6' : '4',
		!s->six && head > STACK_IP4_HEAD ? " options" : "",
		memcmp(s->p + (s->six ? 8 : 12), s->six ? stack_peer6 : stack_peer4, s->six ? 16 : 4) != 0
			? " odd"
			: "",
		memcmp(s->p + (s->six ? 24 : 16), s->six ? stack_our6 : stack_our4, s->six ? 16 : 4) != 0
			? " other"
			: "");
	if (!s->six && (mrg_be16(s->p + 6) & 0xbfffu) != 0)
		n += (size_t)snprintf(k + n, cap - n, " fragment");
	if ((s->control & STACK_AS_IS) != 0)
		n += (size_t)snprintf(k + n, cap - n, " as is");
	if (s->len < head || head < STACK_IP4_HEAD) {
		(void)snprintf(k + n, cap - n, " short");
		return true;
	}
	const uint8_t *const t = s->p + head;
	const size_t left = s->len - head;
	switch (protocol) {
	case MRG_NET_IP_PROTOCOL_TCP:
		if (left < 20) {
			(void)snprintf(k + n, cap - n, " TCP short");
			return true;
		}
		return describe_segment(s, t, left, k + n, cap - n);
	case MRG_NET_IP_PROTOCOL_UDP:
		(void)snprintf(k + n, cap - n, " UDP%s%s%s",
			left < 8 || mrg_be16(t + 4) != left ? " length" : "",
			left >= 2 && mrg_be16(t) == 0 ? " without port" : "",
			s->six && left >= 8 && (s->control & STACK_AS_IS) != 0 && mrg_be16(t + 6) == 0
				? " without sum"
				: "");
		return true;
	case MRG_NET_IP_PROTOCOL_ICMP:
	case MRG_NET_IP_PROTOCOL_ICMPV6:
		if (left == 0)
			return false;
		(void)snprintf(
			k + n, cap - n, " ICMP%s %u", protocol == MRG_NET_IP_PROTOCOL_ICMP ? "" : "6", t[0]);
		return !s->six || t[0] == 128 || t[0] == 129 || t[0] <= 4;
	case MRG_NET_IP_PROTOCOL_IGMP: return false;
	case MRG_NET_IP_PROTOCOL_HOPOPT:
	case ROUTING:
	case DESTINATION:
		(void)snprintf(k + n, cap - n, " protocol %u", protocol);
		return !s->six || is_held(last_protocol(protocol, t, left));
	default: (void)snprintf(k + n, cap - n, " protocol %u", protocol); return is_held(protocol);
	}
}

/* What an input says; false: not held. */
static bool packet_of(const uint8_t *in, size_t len, struct subject_packet *s)
{
	if (len < SIDE_HEAD + STACK_HEAD + STACK_IP4_HEAD || len > SIDE_HEAD + STACK_HEAD + 1500)
		return false;
	s->control = in[SIDE_HEAD] & (STACK_KIND | STACK_AS_IS | STACK_ACKS);
	s->six = (s->control & STACK_KIND) == STACK_IP6;
	s->len = len - SIDE_HEAD - STACK_HEAD;
	if ((s->control & STACK_KIND) > STACK_IP6 || (s->six && s->len < STACK_IP6_HEAD))
		return false;
	memcpy(s->p, in + SIDE_HEAD + STACK_HEAD, s->len);
	if (s->p[0] >> 4 != (s->six ? 6 : 4))
		return false; /* lwIP goes by that number, we by the frame's type */
	s->state = in[0] % STATES;
	if (s->six)
		memcpy(s->p + 8, in[1] < COUNT_OF(odd6) ? odd6[in[1]] : stack_peer6, 16);
	else
		memcpy(s->p + 12, in[1] < COUNT_OF(odd4) ? odd4[in[1]] : stack_peer4, 4);
	return describe(s);
}

/* ---- differences ---- */

struct stack_difference {
	const char *kind, *ours, *lwip; /* patterns (fnmatch) */
	const char *clause;
};

static const struct stack_difference known[] = {
	{ "IPv4* ICMP 8", "ICMP 0 0 of *", "ICMP 0 [1-9]*",
		"RFC 792: an answer to an echo has code 0; lwIP leaves that of the question" },
	{ "IPv6* ICMP6 128", "ICMP 129 0 of *", "ICMP 129 [1-9]*",
		"RFC 4443 4.2: an answer to an echo has code 0; lwIP leaves that of the question" },
	{ "* UDP length*", "*", "*", "RFC 768: a datagram is as long as it says; lwIP takes what there is" },
	{ "* UDP without port", "nothing", "UDP *",
		"RFC 768: a datagram without a source port has no answer" },
	{ "IPv6* UDP* without sum", "nothing", "*", "RFC 8200 8.1: a datagram without a sum is not taken" },
	{ "IPv4 options*", "ICMP 12 0; ", "*",
		"RFC 1122 3.2.2.5: an option that is wrong is told of; lwIP does not look at them" },
	{ "IPv6* protocol *", "ICMP 4 0; ", "*",
		"RFC 4443 3.4: a header that is longer than the packet is told of" },
	{ "* TCP * options wrong*", "nothing", "*",
		"RFC 9293 3.1, MUST-7: a segment whose options have an illegal length is not taken" },
	{ "* TCP closed *SF*", "RST ACK *", "RST ACK *",
		"RFC 9293 3.4: SYN and FIN both count; lwIP counts one of them" },
	{ "* TCP listening *SF*", "nothing", "SYN ACK *",
		"RFC 9293 3.10.7.2: a FIN with the first SYN may wait; we take no connection that ends before it begins" },
	{ "* TCP half open *S*", "ACK 1 seq 1 len 0; ", "*",
		"RFC 5961 4.2: a SYN is answered by an acknowledgment, whatever its numbers" },
	{ "* TCP half open *A* seq[<>]*", "ACK 1 seq 1 len 0; ", "RST seq *",
		"RFC 9293 3.10.7.4: first the sequence number is looked at" },
	{ "* TCP half open * seq[<>]*", "ACK 1 seq 1 len 0; ", "nothing",
		"RFC 9293 3.10.7.4: what is not acceptable is answered by an acknowledgment" },
	{ "* TCP [oe][pn]* *[!A] seq[<=>]", "nothing", "ACK *",
		"RFC 9293 3.10.7.4: what acknowledges nothing is dropped" },
	{ "* TCP open *A* seq[<=>] ack>", "ACK 1 seq 1 len 0; ", "*",
		"RFC 9293 3.10.7.4: what acknowledges more than was sent is dropped, and an acknowledgment sent" },
	{ "* TCP * seq[<=>] ack<", "ACK [12] seq 1 len 0; ", "*",
		"RFC 5961 5.2: an acknowledgment that is too old is answered by one" },
	{ "* TCP ended * seq[=>]*", "ACK 2 seq 1 len 0; ", "nothing",
		"RFC 9293 3.10.7.4: what comes behind the peer's end is acknowledged as far as it went" },
};
enum { KNOWN = COUNT_OF(known) };

static uint8_t of_peer_reached[KNOWN];

static bool both_say(struct own *o, struct subject_packet *s, struct mrg_fuzz_result *result)
{
	open_both(o);
	o->result = result;
	restore(o);
	o->w.link.ops = &watched;
	lwip_world_reset();
	memset(sides, 0, sizeof sides);
	if (s->to == STACK_ECHO || s->to == STACK_DISCARD)
		come_to(o, s->state, s->six, s->from, s->to);
	sides[0].tells = sides[1].tells = true;
	sides[0].acks = sides[1].acks = s->acks;
	to_both(o, s->p, s->len, s->control);
	end_says(&sides[0]);
	end_says(&sides[1]);
	return strcmp(sides[0].says, sides[1].says) == 0;
}

static void lwip_run(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	static struct subject_packet s;
	struct own *const o = &of_stack;
	(void)ctx;
	result->verdict = MRG_FUZZ_REFUSED;
	memset(&s, 0, sizeof s);
	if (!packet_of(in, len, &s))
		return;
	const bool same = both_say(o, &s, result);
	if (result->verdict == MRG_FUZZ_WRONG)
		return;
	result->verdict = strcmp(sides[0].says, "nothing") == 0 ? MRG_FUZZ_REFUSED : MRG_FUZZ_ACCEPTED;
	if (same)
		return;
	for (size_t i = PEERS_FORGET; i < KNOWN; i++)
		if (fnmatch(known[i].kind, s.kind, 0) == 0 && fnmatch(known[i].ours, sides[0].says, 0) == 0 &&
			fnmatch(known[i].lwip, sides[1].says, 0) == 0) {
			of_peer_reached[i] = 1;
			return;
		}
	(void)fuzz_wrong(result, "", "%s: we say: %s; lwIP: %s", s.kind, sides[0].says, sides[1].says);
	(void)snprintf(
		result->key, sizeof result->key, "%.60s: %.12s: %.12s", s.kind, sides[0].says, sides[1].says);
}

/* ---- the subject ---- */

/* A segment whose numbers are about those that come next, as a rule: others are soon done with. */
static void draw_numbers(struct mrg_rng *rng, uint8_t *in, size_t len)
{
	const bool six = (in[SIDE_HEAD] & STACK_KIND) == STACK_IP6;
	uint8_t *const p = in + SIDE_HEAD + STACK_HEAD;
	const size_t head = six ? STACK_IP6_HEAD : STACK_IP4_HEAD;
	if (len < SIDE_HEAD + STACK_HEAD + head + 20 ||
		p[six ? MRG_NET_IP6_NEXT_HEADER_AT : 9] != MRG_NET_IP_PROTOCOL_TCP ||
		mrg_rng_below(rng, 4) == 0)
		return;
	mrg_put_be32(p + head + MRG_NET_TCP_SEQUENCE_NUMBER_AT,
		STACK_PEER_ISS + (uint32_t)mrg_rng_below(rng, 8) - 4 + next_numbers[in[0] % STATES]);
	mrg_put_be32(p + head + MRG_NET_TCP_ACKNOWLEDGMENT_NUMBER_AT,
		mrg_rng_below(rng, 4) != 0 ? 1 : (uint32_t)mrg_rng_below(rng, 4));
}

static size_t lwip_make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	(void)ctx;
	if (cap < SIDE_HEAD + STACK_HEAD)
		return 0;
	out[0] = (uint8_t)mrg_rng_below(rng, STATES);
	out[1] = mrg_rng_below(rng, 32) == 0 ? (uint8_t)mrg_rng_below(rng, 5) : 255;
	for (;;) {
		const size_t len = stack_packet_make(rng, out + SIDE_HEAD, cap - SIDE_HEAD);
		if (len == 0 || (out[SIDE_HEAD] & STACK_KIND) > STACK_IP6)
			continue;
		draw_numbers(rng, out, SIDE_HEAD + len);
		return SIDE_HEAD + len;
	}
}

static size_t lwip_mutate(void *ctx, struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,
	size_t other_len, uint8_t *out, size_t cap)
{
	(void)ctx;
	if (len < SIDE_HEAD + STACK_HEAD || cap < len)
		return 0;
	memcpy(out, in, SIDE_HEAD);
	if (mrg_rng_below(rng, 4) == 0)
		out[0] = (uint8_t)mrg_rng_below(rng, STATES);
	const size_t skip = fuzz_least(other_len, SIDE_HEAD);
	const size_t n = stack_packet_change(rng, in + SIDE_HEAD, len - SIDE_HEAD,
		other != NULL ? other + skip : NULL, other_len - skip, out + SIDE_HEAD, cap - SIDE_HEAD);
	return n != 0 ? SIDE_HEAD + n : 0;
}

static size_t lwip_smaller(void *ctx, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
	(void)ctx;
	if (i != 0 || len <= SIDE_HEAD + STACK_HEAD + STACK_IP6_HEAD || cap < len)
		return 0;
	memcpy(out, in, len - 1);
	return len - 1;
}

static void lwip_show(void *ctx, const uint8_t *in, size_t len, FILE *to)
{
	static struct subject_packet s;
	struct mrg_fuzz_result ignored = { .verdict = MRG_FUZZ_REFUSED };
	(void)ctx;
	memset(&s, 0, sizeof s);
	if (!packet_of(in, len, &s)) {
		(void)fprintf(to, "not held against each other\n");
		return;
	}
	(void)both_say(&of_stack, &s, &ignored);
	(void)fprintf(to, "%s:", s.kind);
	for (size_t i = 0; i < s.len; i++)
		(void)fprintf(to, "%s%02x", i % 4 == 0 ? " " : "", s.p[i]);
	(void)fprintf(to, "\nwe say: %s\nlwIP says: %s\n", sides[0].says, sides[1].says);
}

static const char *lwip_point(void *ctx, size_t point)
{
	(void)ctx;
	return known[point].clause;
}

extern const struct mrg_fuzz_subject peer_lwip;
const struct mrg_fuzz_subject peer_lwip = { .name = "tcpip.stack-lwip",
	.ctx = &of_stack,
	.len_max = SIDE_HEAD + STACK_HEAD + 1500,
	.make = lwip_make,
	.mutate = lwip_mutate,
	.smaller = lwip_smaller,
	.run = lwip_run,
	.show = lwip_show,
	.point_count = KNOWN,
	.point_name = lwip_point,
	.reached = of_peer_reached };
