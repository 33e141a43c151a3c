/* For tests of TCP packet by packet: see raw.h. */
#include "tests/protocols/tcpip/raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/icmp4.h"
#include "net/icmp6.h"
#include "net/ip4.h"
#include "net/ip6.h"
#include "net/link.h"
#include "protocols/tcpip/neighbor.h"

struct raw raw;

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 2 }, peer_mac[6] = { 2, 0, 0, 0, 0, 1 };
static bool asked; /* for a link-layer address */
static uint16_t id_of_ip;

/* ---- memory that is good for a while ---- */

static uint8_t *room(size_t len)
{
	enum { ROOM = 4 << 20 };
	static uint8_t all[ROOM];
	static size_t at;
	MUST(len <= ROOM / 4);
	if (len > ROOM - at)
		at = 0;
	at += len;
	return all + at - len;
}

struct mrg_span raw_bytes(size_t len, unsigned seed)
{
	uint8_t *const p = room(len);
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 7u + i / 251u * 13u + seed);
	return (struct mrg_span){ p, len };
}

static struct ip ip_at(const char *text)
{
	char b[80];
	struct mrg_rt_addr a;
	snprintf(b, sizeof b, strchr(text, ':') != NULL ? "[%s]" : "%s", text);
	MUST_SAY(mrg_rt_addr_read(b, 0, &a), "no address: %s", text);
	return ip_of(&a);
}

struct mrg_rt_addr raw_addr(const char *text, uint16_t port)
{
	const struct ip a = ip_at(text);
	struct mrg_rt_addr out;
	ip_to_rt(&a, port, 0, &out);
	return out;
}

/* The octets of an address as a packet has them. */
static struct mrg_span wire_of(const struct ip *a)
{
	return raw.version == 4 ? (struct mrg_span){ a->b + 12, 4 } : (struct mrg_span){ a->b, 16 };
}

/* Computed here octet by octet, so that it is not our own sum that is compared with itself. */
static uint32_t add_slowly(uint32_t sum, struct mrg_span s)
{
	for (size_t i = 0; i < s.len; i++)
		sum += i % 2 == 0 ? (uint32_t)s.p[i] << 8 : s.p[i];
	return sum;
}

static uint16_t sum_of(const struct ip *from, const struct ip *to, uint8_t protocol, struct mrg_span payload)
{
	uint32_t sum = protocol + (uint32_t)payload.len;
	sum = add_slowly(add_slowly(sum, wire_of(from)), wire_of(to));
	sum = add_slowly(sum, payload);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* ---- the link: what goes out ---- */

static void read_options(struct mrg_span in, struct raw_out *o)
{
	struct mrg_net_tcp_options all;
	MUST(mrg_net_tcp_options_check(in, &all, NULL) == MRG_OK);
	struct mrg_net_tcp_options_options_it it = mrg_net_tcp_options_options(&all);
	struct mrg_net_tcp_option_timestamps ts;
	struct mrg_net_tcp_option_sack sack;
	for (struct mrg_net_tcp_option x; mrg_net_tcp_options_options_next(&it, &x);) {
		if (mrg_net_tcp_option_body_as_mss(&x, &o->mss)) {
			o->has_mss = true;
		} else if (mrg_net_tcp_option_body_as_shift_cnt(&x, &o->scale)) {
			o->has_scale = true;
		} else if (mrg_net_tcp_option_kind(&x) == MRG_NET_TCP_OPTION_KIND_SACK_PERMITTED) {
			o->sack_ok = true;
		} else if (mrg_net_tcp_option_body_as_timestamps(&x, &ts)) {
			o->has_ts = true;
			o->ts_value = raw.ts_recent = mrg_net_tcp_option_timestamps_ts_value(&ts);
			o->ts_echo = mrg_net_tcp_option_timestamps_ts_echo_reply(&ts);
		} else if (mrg_net_tcp_option_body_as_sack(&x, &sack)) {
			struct mrg_net_tcp_option_sack_blocks_it each = mrg_net_tcp_option_sack_blocks(&sack);
			for (struct mrg_net_tcp_sack_block b; mrg_net_tcp_option_sack_blocks_next(&each, &b);)
				o->sack[o->sack_count++] = (struct raw_range){
					mrg_net_tcp_sack_block_left_edge(&b) - raw.peer_iss,
					mrg_net_tcp_sack_block_right_edge(&b) - raw.peer_iss
				};
		}
	}
}

static void keep_segment(const struct ip *from, const struct ip *to, uint8_t ecn, struct mrg_span payload)
{
	struct mrg_net_tcp h;
	raw.sent++;
	MUST(mrg_net_tcp_check(payload, &h, NULL) == MRG_OK);
	const struct ip peer = ip_at(raw.peer);
	const bool to_peer = mrg_net_tcp_destination_port(&h) == raw.peer_port && ip_same(to, &peer);
	if (raw.lossy || (raw.only && !to_peer))
		return;
	MUST(sum_of(from, to, MRG_NET_IP_PROTOCOL_TCP, payload) == 0);
	MUST(mrg_net_tcp_reserved(&h) == 0 && !mrg_net_tcp_urg(&h) && mrg_net_tcp_urgent_pointer(&h) == 0);
	MUST_SAY(raw.last - raw.first < RAW_OUT_MAX, "too many segments");
	struct raw_out *const o = &raw.out[raw.last++ % RAW_OUT_MAX];
	free(o->data);
	*o = (struct raw_out){
		.flags =
			(unsigned)(mrg_net_tcp_fin(&h) | mrg_net_tcp_syn(&h) << 1 | mrg_net_tcp_rst(&h) << 2 |
				   mrg_net_tcp_psh(&h) << 3 | mrg_net_tcp_ack(&h) << 4 |
				   mrg_net_tcp_ece(&h) << 6 | mrg_net_tcp_cwr(&h) << 7),
		.seq = mrg_net_tcp_sequence_number(&h),
		.ack = mrg_net_tcp_acknowledgment_number(&h),
		.window = mrg_net_tcp_window(&h),
		.source_port = mrg_net_tcp_source_port(&h),
		.destination_port = mrg_net_tcp_destination_port(&h),
		.ecn = ecn,
		.id = id_of_ip,
		.options_len = mrg_net_tcp_options(&h).len,
		.len = mrg_net_tcp_data(&h).len,
		.at_ns = raw.now_ns,
	};
	memcpy(o->to, to->b, sizeof o->to);
	o->data = malloc(o->len + 1u);
	memcpy(o->data, mrg_net_tcp_data(&h).p, o->len);
	read_options(mrg_net_tcp_options(&h), o);
	if ((o->flags & SYN) != 0 && to_peer)
		raw.iss = o->seq;
}

static void keep4(struct mrg_span packet)
{
	struct mrg_net_ip4 p;
	MUST(mrg_net_ip4_check(packet, &p, NULL) == MRG_OK && mrg_net_ip4_total_length(&p) <= raw.link.mtu);
	if (mrg_net_ip4_protocol(&p) != MRG_NET_IP_PROTOCOL_TCP)
		return;
	MUST(mrg_net_ip4_df(&p) && !mrg_net_ip4_mf(&p)); /* RFC 1191 section 3 */
	struct ip from = ip_at("0.0.0.1"), to = from;
	memcpy(from.b + 12, mrg_net_ip4_source_address(&p).p, 4);
	memcpy(to.b + 12, mrg_net_ip4_destination_address(&p).p, 4);
	id_of_ip = mrg_net_ip4_identification(&p);
	keep_segment(&from, &to, mrg_net_ip4_ecn(&p), mrg_net_ip4_payload(&p));
}

static void keep6(struct mrg_span packet)
{
	struct mrg_net_ip6 p;
	MUST(packet.len <= raw.link.mtu && mrg_net_ip6_check(packet, &p, NULL) == MRG_OK);
	if (mrg_net_ip6_next_header(&p) != MRG_NET_IP_PROTOCOL_TCP) {
		asked = asked || mrg_net_ip6_next_header(&p) == MRG_NET_IP_PROTOCOL_ICMPV6;
		return;
	}
	struct ip from, to;
	memcpy(from.b, mrg_net_ip6_source_address(&p).p, 16);
	memcpy(to.b, mrg_net_ip6_destination_address(&p).p, 16);
	keep_segment(&from, &to, mrg_net_ip6_ecn(&p), mrg_net_ip6_payload(&p));
}

static enum mrg_io keep(
	struct mrg_link *l, const struct mrg_span *parts, size_t count, const struct mrg_frame_work *work)
{
	static uint8_t b[70000];
	struct mrg_net_ethernet e;
	size_t len = 0;
	MUST(work == NULL || (work->sum_at == 0 && work->cut == MRG_FRAME_WHOLE));
	(void)l;
	for (size_t i = 0; i < count; i++) {
		MUST(len + parts[i].len <= sizeof b);
		memcpy(b + len, parts[i].p, parts[i].len);
		len += parts[i].len;
	}
	MUST(mrg_net_ethernet_check((struct mrg_span){ b, len }, &e, NULL) == MRG_OK);
	const size_t before = raw.sent;
	switch (mrg_net_ethernet_type(&e)) {
	case MRG_NET_ETHER_TYPE_ARP: asked = true; break;
	case MRG_NET_ETHER_TYPE_IPV4: keep4(mrg_net_ethernet_payload(&e)); break;
	case MRG_NET_ETHER_TYPE_IPV6: keep6(mrg_net_ethernet_payload(&e)); break;
	default: ck_abort_msg("a frame of an unknown type");
	}
	if (raw.sent == before) {
		struct raw_other *const o = &raw.other[raw.other_count++ % RAW_OTHER_MAX];
		o->len = len < sizeof o->p ? len : sizeof o->p;
		memcpy(o->p, b, o->len);
	}
	return MRG_IO_OK;
}

static const struct mrg_link_ops ops = { .send = keep };

/* The router answers who asks for it. */
static void answer(void)
{
	const struct mrg_span mac = { peer_mac, 6 };
	if (!asked)
		return;
	asked = false;
	const struct ip router[2] = { ip_at("10.0.0.1"), ip_at("fd00::1") };
	for (size_t i = 0; i < 2; i++) {
		struct neighbor *const n = neighbor_find(raw.on, &router[i]);
		if (n != NULL)
			neighbor_advertised(n, &mac, true, true);
	}
}

/* ---- time ---- */

void raw_run(uint64_t ns)
{
	const uint64_t end = raw.now_ns + ns;
	answer();
	for (unsigned i = 0; i < 10000000 && mrg_rt_timers_next(&raw.timers) <= end; i++) {
		if (mrg_rt_timers_next(&raw.timers) > raw.now_ns)
			raw.now_ns = mrg_rt_timers_next(&raw.timers);
		mrg_rt_timers_run(&raw.timers, raw.now_ns);
		answer();
	}
	MUST(mrg_rt_timers_next(&raw.timers) > end);
	raw.now_ns = end;
}

/* ---- what comes ---- */

void raw_frame_in(struct mrg_span frame, bool sum_ok)
{
	const struct mrg_span copy = guarded(frame);
	struct mrg_frame f = { .p = (uint8_t *)(uintptr_t)copy.p,
		.len = copy.len,
		.cap = copy.len,
		.work = { .sum_ok = sum_ok } };
	raw.link.user.frames(raw.link.user.ctx, &f, 1, raw.now_ns);
	raw_run(0);
}

void raw_packet_in(uint16_t type, struct mrg_span packet, bool sum_ok)
{
	uint8_t *const p = room(packet.len + 14);
	struct mrg_w w;
	mrg_w_init(&w, p, packet.len + 14);
	mrg_net_ethernet_header_put(
		&w, &(struct mrg_net_ethernet_header_args){ .destination_address = { our_mac, 6 },
			    .source_address = { peer_mac, 6 },
			    .type = type });
	mrg_w_put(&w, packet);
	MUST(w.st == MRG_OK);
	raw_frame_in(mrg_w_span(&w, 0), sum_ok);
}

static void packet_in(
	const struct ip *from, const struct ip *to, uint8_t protocol, uint8_t ecn, struct mrg_span payload)
{
	uint8_t *const p = room(payload.len + 60);
	struct mrg_w w;
	mrg_w_init(&w, p, payload.len + 60);
	if (raw.version == 4) {
		mrg_net_ip4_put(&w, &(struct mrg_net_ip4_args){ .time_to_live = 64,
					    .ecn = ecn,
					    .protocol = protocol,
					    .source_address = wire_of(from),
					    .destination_address = wire_of(to),
					    .payload = payload });
	} else {
		mrg_net_ip6_put(&w, &(struct mrg_net_ip6_args){ .hop_limit = 64,
					    .ecn = ecn,
					    .next_header = protocol,
					    .source_address = wire_of(from),
					    .destination_address = wire_of(to),
					    .payload = payload });
	}
	MUST(w.st == MRG_OK);
	raw_packet_in(raw.version == 4 ? MRG_NET_ETHER_TYPE_IPV4 : MRG_NET_ETHER_TYPE_IPV6,
		mrg_w_span(&w, 0), false);
}

static void put_sack(struct mrg_w *w, const struct raw_segment *g)
{
	struct mrg_net_tcp_sack_build b;
	mrg_net_tcp_sack_begin(w, &b, &(struct mrg_net_tcp_sack_args){ 0 });
	for (unsigned i = 0; i < g->sack_count; i++) {
		mrg_net_tcp_sack_blocks_add(w, &b);
		mrg_net_tcp_sack_block_put(
			w, &(struct mrg_net_tcp_sack_block_args){
				   g->sack[i].left + raw.iss, g->sack[i].right + raw.iss });
	}
	mrg_net_tcp_sack_end(w, &b);
}

static struct mrg_span options_of(const struct raw_segment *g)
{
	uint8_t *const p = room(60);
	const struct raw_options *const o = g->syn;
	struct mrg_w w;
	mrg_w_init(&w, p, 60);
	mrg_w_put(&w, g->options);
	if (g->options.p == NULL) {
		if (o != NULL && (o->has_mss || o->mss != 0))
			mrg_net_tcp_mss_put(&w, &(struct mrg_net_tcp_mss_args){ .mss = o->mss });
		if (o != NULL && o->sack_ok)
			mrg_net_tcp_sack_permitted_put(&w, &(struct mrg_net_tcp_sack_permitted_args){ 0 });
		if (o != NULL && (o->has_scale || o->scale != 0))
			mrg_net_tcp_window_scale_put(
				&w, &(struct mrg_net_tcp_window_scale_args){ .shift_cnt = o->scale });
		if (o != NULL ? o->ts : raw.ts && !g->no_ts)
			mrg_net_tcp_usual_options_put(&w,
				&(struct mrg_net_tcp_usual_options_args){
					.ts_value = g->ts_value != 0 ? g->ts_value
								     : (uint32_t)(raw.now_ns / 1000000u) + 7u,
					.ts_echo_reply = g->ts_echo != 0         ? g->ts_echo
							 : (g->flags & ACK) != 0 ? raw.ts_recent
										 : 0 });
		if (g->sack_count != 0)
			put_sack(&w, g);
	}
	while (w.len % 4 != 0)
		mrg_w_put(&w, (struct mrg_span){ (const uint8_t[]){ 0 }, 1 });
	MUST(w.st == MRG_OK);
	return mrg_w_span(&w, 0);
}

struct mrg_span raw_build(const struct raw_segment *g)
{
	const size_t cap = g->data.len + 80;
	uint8_t *const p = room(cap);
	struct mrg_w w;
	mrg_w_init(&w, p, cap);
	mrg_net_tcp_put(
		&w, &(struct mrg_net_tcp_args){ .source_port = raw.peer_port,
			    .destination_port = raw.port,
			    .sequence_number = g->seq + raw.peer_iss,
			    .acknowledgment_number = (g->flags & ACK) != 0 ? g->ack + raw.iss : g->ack,
			    .cwr = (g->flags & CWR) != 0,
			    .ece = (g->flags & ECE) != 0,
			    .urg = (g->flags & URG) != 0,
			    .ack = (g->flags & ACK) != 0,
			    .psh = (g->flags & PSH) != 0,
			    .rst = (g->flags & RST) != 0,
			    .syn = (g->flags & SYN) != 0,
			    .fin = (g->flags & FIN) != 0,
			    .window = (uint16_t)(g->window == RAW_SHUT ? 0
						 : g->window != 0      ? g->window
								       : raw.window),
			    .urgent_pointer = g->urgent,
			    .options = options_of(g),
			    .data = g->data });
	MUST(w.st == MRG_OK);
	return mrg_w_span(&w, 0);
}

static void send_from(struct mrg_span segment, bool sum, uint8_t ecn)
{
	const struct ip from = ip_at(raw.peer), to = ip_at(raw.ours);
	uint8_t *const p = room(segment.len);
	memcpy(p, segment.p, segment.len);
	if (sum && segment.len >= MRG_NET_TCP_CHECKSUM_AT + 2) {
		mrg_put_be16(p + MRG_NET_TCP_CHECKSUM_AT, 0);
		mrg_put_be16(p + MRG_NET_TCP_CHECKSUM_AT,
			sum_of(&from, &to, MRG_NET_IP_PROTOCOL_TCP, (struct mrg_span){ p, segment.len }));
	}
	packet_in(&from, &to, MRG_NET_IP_PROTOCOL_TCP, ecn, (struct mrg_span){ p, segment.len });
}

void raw_send_octets(struct mrg_span segment, bool sum) { send_from(segment, sum, 0); }
void raw_send(const struct raw_segment *g) { send_from(raw_build(g), true, g->ecn); }

/* An error quotes the IP header and the first octets of what it is about. */
void raw_icmp(uint8_t type, uint8_t code, uint32_t mtu, uint32_t seq, uint16_t local_port)
{
	const struct ip from = ip_at(raw.peer), to = ip_at(raw.ours);
	uint8_t *const q = room(100), *const p = room(200);
	struct mrg_w w, m;
	uint8_t body[64] = { 0 };
	mrg_w_init(&w, body, sizeof body);
	mrg_net_tcp_put(&w, &(struct mrg_net_tcp_args){ .source_port = local_port,
				    .destination_port = raw.peer_port,
				    .sequence_number = seq + raw.iss,
				    .ack = 1 });
	/* of a packet as long as the link lets through */
	mrg_w_init(&w, q, 100);
	if (raw.version == 4)
		mrg_net_ip4_header_put(&w, &(struct mrg_net_ip4_header_args){ .total_length = raw.link.mtu,
						   .time_to_live = 9,
						   .protocol = MRG_NET_IP_PROTOCOL_TCP,
						   .df = 1,
						   .source_address = wire_of(&to),
						   .destination_address = wire_of(&from) });
	else
		mrg_net_ip6_header_put(&w,
			&(struct mrg_net_ip6_header_args){ .payload_length = (uint16_t)(raw.link.mtu - 40u),
				.hop_limit = 9,
				.next_header = MRG_NET_IP_PROTOCOL_TCP,
				.source_address = wire_of(&to),
				.destination_address = wire_of(&from) });
	mrg_w_put(&w, (struct mrg_span){ body, 60 });
	mrg_w_init(&m, p, 200);
	mrg_w_put(&m, (struct mrg_span){ (const uint8_t[]){ type, code, 0, 0 }, 4 });
	mrg_w_be32(&m, mtu);
	mrg_w_put(&m, mrg_w_span(&w, 0));
	MUST(w.st == MRG_OK && m.st == MRG_OK);
	const uint8_t protocol = raw.version == 4 ? MRG_NET_IP_PROTOCOL_ICMP : MRG_NET_IP_PROTOCOL_ICMPV6;
	const struct mrg_span all = mrg_w_span(&m, 0);
	uint32_t sum = add_slowly(0, all);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	mrg_put_be16(p + 2, raw.version == 4 ? (uint16_t)~sum : sum_of(&from, &to, protocol, all));
	packet_in(&from, &to, protocol, 0, all);
}

/* ---- what must have been sent ---- */

size_t raw_waiting(void) { return raw.last - raw.first; }
void raw_forget(void) { raw.first = raw.last; }
uint32_t raw_seq(const struct raw_out *o) { return o->seq - raw.iss; }
uint32_t raw_ack(const struct raw_out *o) { return (o->flags & ACK) != 0 ? o->ack - raw.peer_iss : o->ack; }

const struct raw_out *raw_next_at(const char *file, int line)
{
	MUST_SAY(raw.first != raw.last, "%s:%d: nothing more was sent", file, line);
	return &raw.out[raw.first++ % RAW_OUT_MAX];
}

static const char *describe(const struct raw_out *o)
{
	static char b[120];
	static const char letters[] = "FSRPAUEC";
	int n = 0;
	for (unsigned i = 0; i < 8; i++)
		if ((o->flags >> i & 1u) != 0)
			b[n++] = letters[i];
	snprintf(b + n, sizeof b - (size_t)n, " seq %u ack %u len %zu window %u", raw_seq(o), raw_ack(o),
		o->len, o->window);
	return b;
}

const struct raw_out *raw_expect(
	const char *file, int line, unsigned flags, uint32_t seq, uint32_t ack, size_t len)
{
	if (raw.first == raw.last)
		ck_abort_msg("%s:%d: nothing was sent", file, line);
	const struct raw_out *const o = raw_next();
	if ((o->flags & ~(unsigned)PSH) != flags || raw_seq(o) != seq || raw_ack(o) != ack || o->len != len)
		ck_abort_msg("%s:%d: sent: %s, instead of flags %x seq %u ack %u len %zu", file, line,
			describe(o), flags, seq, ack, len);
	return o;
}

void raw_expect_none(const char *file, int line)
{
	if (raw.first != raw.last)
		ck_abort_msg("%s:%d: sent: %s, and it should not", file, line,
			describe(&raw.out[raw.first % RAW_OUT_MAX]));
}

/* ---- the stack ---- */

struct mrg_tcpip_limits raw_limits(void)
{
	struct mrg_tcpip_limits l = mrg_tcpip_usual;
	l.conn_count = l.half_open_count = l.time_wait_count = 64;
	l.buffer_len = 4u << 20;
	l.sent_count = 2048;
	l.reassembly_len = 1u << 16;
	return l;
}

void raw_peer(const char *address, uint16_t port)
{
	if (address != raw.peer)
		snprintf(raw.peer, sizeof raw.peer, "%s", address);
	raw.peer_port = port;
}

static void open_stack(const struct mrg_tcpip_limits *l, unsigned version)
{
	static struct mrg_arena arena;
	const struct mrg_tcpip_world world = { .timers = &raw.timers,
		.now_ns = &raw.now_ns,
		.secret = {
			0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89 } };
	uint8_t *got[RAW_USERS_MAX];
	for (size_t i = 0; i < RAW_USERS_MAX; i++)
		got[i] = raw.user[i].got;
	for (size_t i = 0; i < RAW_OUT_MAX; i++)
		free(raw.out[i].data);
	free(arena.p);
	memset(&raw, 0, sizeof raw);
	for (size_t i = 0; i < RAW_USERS_MAX; i++)
		raw.user[i].got = got[i];
	/* the same every time, and just as long as is said */
	const size_t size = mrg_tcpip_memory(l);
	arena = (struct mrg_arena){ .p = aligned_alloc(4096, (size + 4095u) / 4096u * 4096u), .cap = size };
	memset(arena.p, 0, size);
	raw.now_ns = 5000 * RAW_SECOND;
	raw.link = (struct mrg_link){ .ops = &ops, .mtu = 1500 };
	memcpy(raw.link.address, our_mac, 6);
	raw.version = version;
	raw.port = 80;
	raw.peer_iss = 1000000;
	raw.window = 65535;
	raw.s = mrg_tcpip_open(&arena, l, &world);
	MUST(raw.s != NULL);
	raw.on = mrg_tcpip_if_add(raw.s, &raw.link);
	snprintf(raw.ours, sizeof raw.ours, "%s", version == 4 ? "10.0.0.2" : "fd00::2");
	raw_peer(version == 4 ? "192.0.2.9" : "2001:db8::9", 5000);
	const struct mrg_rt_addr ours = raw_addr(raw.ours, 0),
				 by = raw_addr(version == 4 ? "10.0.0.1" : "fd00::1", 0);
	const struct mrg_rt_addr all = raw_addr(version == 4 ? "0.0.0.0" : "::", 0);
	struct mrg_rt_addr at = raw_addr(raw.ours, 80);
	MUST(mrg_tcpip_address_add(raw.on, &ours, version == 4 ? 24 : 64));
	MUST(mrg_tcpip_route_add(raw.on, &all, 0, &by));
	raw_users_begin();
	raw.listener = mrg_tcpip_listen(raw.s, &at, &raw.served);
	MUST(raw.listener != NULL);
	raw_run(20 * RAW_SECOND); /* addresses are checked for duplicates */
	raw_forget();
}

void raw_open(const struct mrg_tcpip_limits *l)
{
	const struct mrg_tcpip_limits usual = raw_limits();
	open_stack(l != NULL ? l : &usual, 4);
}

void raw_open6(void)
{
	const struct mrg_tcpip_limits usual = raw_limits();
	open_stack(&usual, 6);
}
