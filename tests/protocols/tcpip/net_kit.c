/* For tests of protocols/tcpip: see net_kit.h. */
#include "protocols/tcpip/net_kit.h"

#include <stdlib.h>
#include <string.h>

#include "net/address.h"
#include "net/ip4.h"
#include "net/ip6.h"
#include "net/link.h"
#include "net/udp.h"

struct net_kit net;

const struct mrg_tcpip_limits net_limits = { .if_count = 2,
	.address_count = 24,
	.route_count = 48,
	.neighbor_count = 32,
	.dgram_count = 4,
	.conn_count = 1,
	.reassembly_len = 65536,
	.dgram_out_max = 600 };

static const uint8_t own_mac[6] = { 2, 0, 0, 0, 0, 2 }, peer_mac[6] = { 2, 0, 0, 0, 0, 1 };

/* ---- no TCP ---- */

void tcp_input(struct mrg_tcpip *s, const struct ip_in *in) { (void)s, (void)in; }
void tcp_error(struct mrg_tcpip *s, const struct ip_error *e) { (void)s, (void)e; }
void tcp_burst_begin(struct mrg_tcpip *s) { (void)s; }
void tcp_burst_end(struct mrg_tcpip *s) { (void)s; }
void tcp_address_gone(struct mrg_tcpip *s, const struct ip *a) { (void)s, (void)a; }
struct tcp_state *tcp_open(struct mrg_tcpip *s, struct mrg_arena *a)
{
	return (void)s, mrg_arena_get(a, 8, 8);
}
size_t tcp_memory(const struct mrg_tcpip_limits *l) { return (void)l, 16; }
void tcp_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx) { (void)s, (void)each, (void)ctx; }

/* ---- what is sent ---- */

static void keep_payload(struct net_sent *k, struct mrg_span payload)
{
	MUST(payload.len <= sizeof k->p);
	if (payload.len != 0)
		memcpy(k->p, payload.p, payload.len);
	k->len = payload.len;
}

static void keep4(struct net_sent *k, const struct mrg_net_ip4 *p)
{
	k->from = ip_from4(mrg_net_ip4_source_address(p));
	k->to = ip_from4(mrg_net_ip4_destination_address(p));
	k->protocol = mrg_net_ip4_protocol(p);
	k->hop_limit = mrg_net_ip4_time_to_live(p);
	k->router_alert = mrg_net_ip4_options(p).len != 0;
	keep_payload(k, mrg_net_ip4_payload(p));
}

static void keep6(struct net_sent *k, const struct mrg_net_ip6 *p)
{
	struct mrg_span payload = mrg_net_ip6_payload(p);
	struct mrg_net_ip6_router_alert alert;
	k->from = ip_from6(mrg_net_ip6_source_address(p));
	k->to = ip_from6(mrg_net_ip6_destination_address(p));
	k->protocol = mrg_net_ip6_next_header(p);
	k->hop_limit = mrg_net_ip6_hop_limit(p);
	if (k->protocol == 0) {
		MUST(mrg_net_ip6_router_alert_check(payload, &alert, NULL) == MRG_OK);
		k->protocol = mrg_net_ip6_router_alert_next_header(&alert);
		k->router_alert = true;
		payload = (struct mrg_span){ payload.p + alert.len, payload.len - alert.len };
	}
	keep_payload(k, payload);
	const uint64_t pseudo = ip_pseudo_sum(&k->from, &k->to, (uint8_t)k->protocol, payload.len);
	MUST(k->protocol != 58 || mrg_inet16_end(mrg_inet16_add(pseudo, payload.p, payload.len, 0)) == 0);
}

static enum mrg_io keep(
	struct mrg_link *l, const struct mrg_span *parts, size_t count, const struct mrg_frame_work *work)
{
	uint8_t b[1600];
	struct mrg_w w;
	struct mrg_net_ethernet e;
	struct mrg_net_ip4 four;
	struct mrg_net_ip6 six;
	struct mrg_net_arp arp;
	MUST(l == &net.link && (work == NULL || work->sum_at == 0));
	mrg_w_init(&w, b, sizeof b);
	for (size_t i = 0; i < count; i++)
		mrg_w_put(&w, parts[i]);
	MUST(w.st == MRG_OK && mrg_net_ethernet_check(mrg_w_span(&w, 0), &e, NULL) == MRG_OK);
	struct net_sent *const k = &net.sent[net.sent_count++ % NET_SENT_MAX];
	*k = (struct net_sent){ .at_ns = net.now_ns };
	if (mrg_net_ip4_check(mrg_net_ethernet_payload(&e), &four, NULL) == MRG_OK) {
		keep4(k, &four);
	} else if (mrg_net_ip6_check(mrg_net_ethernet_payload(&e), &six, NULL) == MRG_OK) {
		keep6(k, &six);
	} else {
		MUST(mrg_net_arp_check(mrg_net_ethernet_payload(&e), &arp, NULL) == MRG_OK);
		k->protocol = NET_ARP;
		k->from = ip_from4(mrg_net_arp_sender_protocol_address(&arp));
		k->to = ip_from4(mrg_net_arp_target_protocol_address(&arp));
		if (mrg_net_arp_operation(&arp) == 1 && !ip_unspecified(&k->from) &&
			!ip_same(&k->from, &k->to)) {
			net.asked = k->to;
			net.asked_by = k->from;
		}
	}
	return MRG_IO_OK;
}

size_t net_number(unsigned protocol)
{
	size_t n = 0;
	MUST(net.sent_count <= NET_SENT_MAX);
	for (size_t i = 0; i < net.sent_count; i++)
		n += net.sent[i].protocol == protocol;
	return n;
}

const struct net_sent *net_nth(unsigned protocol, size_t index)
{
	MUST(net.sent_count <= NET_SENT_MAX);
	for (size_t i = 0; i < net.sent_count; i++)
		if (net.sent[i].protocol == protocol && index-- == 0)
			return &net.sent[i];
	return NULL;
}

void net_clear(void) { net.sent_count = 0; }

static void put_frame(const uint8_t *to, uint16_t type, struct mrg_span packet)
{
	uint8_t b[1600];
	struct mrg_w w;
	mrg_w_init(&w, b, sizeof b);
	mrg_net_ethernet_header_put(&w,
		&(struct mrg_net_ethernet_header_args){
			.destination_address = { to, 6 }, .source_address = { peer_mac, 6 }, .type = type });
	mrg_w_put(&w, packet);
	MUST(w.st == MRG_OK);
	const struct mrg_span placed = guarded(mrg_w_span(&w, 0));
	struct mrg_frame f = { .p = (uint8_t *)(uintptr_t)placed.p, .len = placed.len, .cap = placed.len };
	net.link.user.frames(net.link.user.ctx, &f, 1, net.now_ns);
}

static void in_arp(struct ip a, struct ip t)
{
	uint8_t b[64];
	struct mrg_w w;
	mrg_w_init(&w, b, sizeof b);
	mrg_net_arp_put(&w, &(struct mrg_net_arp_args){ .operation = 2,
				    .sender_hardware_address = { peer_mac, 6 },
				    .sender_protocol_address = ip_wire(&a),
				    .target_hardware_address = { own_mac, 6 },
				    .target_protocol_address = ip_wire(&t) });
	MUST(w.st == MRG_OK);
	put_frame(own_mac, 0x0806, mrg_w_span(&w, 0));
}

void net_in_arp(const char *ip, const char *to) { in_arp(net_ip(ip), net_ip(to)); }

/* ---- the stack ---- */

void net_open(const struct mrg_tcpip_limits *l, uint64_t secret)
{
	static const struct mrg_link_ops ops = { .send = keep };
	static uint8_t *memory;
	static struct mrg_arena arena; /* pools stay with it */
	const size_t len = mrg_tcpip_memory(l);
	free(memory);
	memory = aligned_alloc(4096, (len + 4095) / 4096 * 4096);
	memset(memory, 0, len);
	arena = (struct mrg_arena){ .p = memory, .cap = len };
	memset(&net, 0, sizeof net);
	net.now_ns = MRG_RT_SECOND_NS;
	net.link = (struct mrg_link){ .ops = &ops, .mtu = 1500 };
	memcpy(net.link.address, own_mac, sizeof own_mac);
	const struct mrg_tcpip_world world = { .timers = &net.timers,
		.now_ns = &net.now_ns,
		.secret = { secret, 0x243f6a8885a308d3, secret + 1, 0x13198a2e03707344 } };
	net.s = mrg_tcpip_open(&arena, l, &world);
	MUST(net.s != NULL);
	net.on = mrg_tcpip_if_add(net.s, &net.link);
	MUST(net.on != NULL);
}

void net_pass(uint64_t ns)
{
	const uint64_t end_ns = net.now_ns + ns;
	for (unsigned i = 0; mrg_rt_timers_next(&net.timers) <= end_ns; i++) {
		MUST(i < 1000000);
		if (mrg_rt_timers_next(&net.timers) > net.now_ns)
			net.now_ns = mrg_rt_timers_next(&net.timers);
		mrg_rt_timers_run(&net.timers, net.now_ns);
		if (!net.silent && !ip_unspecified(&net.asked))
			in_arp(net.asked, net.asked_by);
		net.asked = (struct ip){ { 0 } };
	}
	net.now_ns = end_ns;
}

struct ip net_ip(const char *text)
{
	char brackets[MRG_RT_ADDR_TEXT_MAX] = "[";
	struct mrg_rt_addr a;
	MUST(strlen(text) < sizeof brackets - 3);
	strcat(strcat(brackets, text), "]");
	MUST_SAY(mrg_rt_addr_read(text, 0, &a) || mrg_rt_addr_read(brackets, 0, &a), "%s", text);
	return ip_of(&a);
}

bool net_mine(const char *ip)
{
	const struct ip a = net_ip(ip);
	return ip_mine(net.s, &a);
}

static struct {
	const char *protocol, *name;
	uint64_t value;
} wanted;

static void pick(void *ctx, const char *protocol, const char *name, uint64_t value)
{
	(void)ctx;
	if (strcmp(protocol, wanted.protocol) == 0 && strcmp(name, wanted.name) == 0)
		wanted.value = value;
}

uint64_t net_count(const char *protocol, const char *name)
{
	wanted.protocol = protocol;
	wanted.name = name;
	wanted.value = UINT64_MAX;
	mrg_tcpip_counts(net.s, pick, NULL);
	MUST_SAY(wanted.value != UINT64_MAX, "%s %s", protocol, name);
	return wanted.value;
}

/* ---- what comes ---- */

void net_in(struct ip from, struct ip to, uint8_t protocol, uint8_t hop_limit, struct mrg_span payload)
{
	uint8_t b[1600], mac[6];
	struct mrg_w w;
	const bool four = ip_is4(&to);
	memcpy(mac, own_mac, sizeof mac);
	if (ip_is_multicast(&to) || ip_is_broadcast(net.on, &to))
		ip_group_mac(&to, mac);
	mrg_w_init(&w, b, sizeof b);
	if (four)
		mrg_net_ip4_header_put(
			&w, &(struct mrg_net_ip4_header_args){ .total_length = (uint16_t)(20 + payload.len),
				    .time_to_live = hop_limit,
				    .protocol = protocol,
				    .source_address = ip_wire(&from),
				    .destination_address = ip_wire(&to) });
	else
		mrg_net_ip6_header_put(
			&w, &(struct mrg_net_ip6_header_args){ .payload_length = (uint16_t)payload.len,
				    .next_header = protocol,
				    .hop_limit = hop_limit,
				    .source_address = ip_wire(&from),
				    .destination_address = ip_wire(&to) });
	mrg_w_put(&w, payload);
	MUST(w.st == MRG_OK);
	put_frame(mac, four ? 0x0800 : 0x86dd, mrg_w_span(&w, 0));
}

void net_in_udp4(const char *from, const char *to, struct mrg_span octets)
{
	uint8_t b[1500];
	struct mrg_w w;
	struct mrg_rt_addr f, t;
	MUST(mrg_rt_addr_read(from, 0, &f) && mrg_rt_addr_read(to, 0, &t));
	mrg_w_init(&w, b, sizeof b);
	mrg_net_udp_put(
		&w, &(struct mrg_net_udp_args){
			    .source_port = f.port, .destination_port = t.port, .data_octets = octets });
	MUST(w.st == MRG_OK);
	net_in(ip_of(&f), ip_of(&t), 17, 64, mrg_w_span(&w, 0));
}

void net_in_icmp6(const char *from, const char *to, uint8_t hop_limit, struct mrg_w *w)
{
	const struct ip f = net_ip(from), t = net_ip(to);
	MUST(icmp6_finish(w, &f, &t));
	net_in(f, t, 58, hop_limit, mrg_w_span(w, 0));
}
