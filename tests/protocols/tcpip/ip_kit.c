/* For tests of IP: see ip_kit.h. */
#include "protocols/tcpip/ip_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ip_kit kit;

const uint8_t ip_kit_mac[6] = { 2, 0, 0, 0, 0, 2 }, ip_kit_peer_mac[6] = { 2, 0, 0, 0, 0, 1 };

/* ---- the link ---- */

static enum mrg_io keep(
	struct mrg_link *l, const struct mrg_span *parts, size_t count, const struct mrg_frame_work *work)
{
	(void)l;
	if (kit.outcome != MRG_IO_OK)
		return kit.outcome;
	if (kit.sent_count++ >= KIT_FRAMES_MAX)
		return MRG_IO_OK;
	struct ip_kit_frame *const f = &kit.sent[kit.sent_count - 1];
	f->len = 0;
	for (size_t i = 0; i < count; i++)
		f->len += parts[i].len;
	f->p = realloc(f->p, f->len);
	size_t at = 0;
	for (size_t i = 0; i < count; i++) {
		memcpy(f->p + at, parts[i].p, parts[i].len);
		at += parts[i].len;
	}
	f->work = work != NULL ? *work : (struct mrg_frame_work){ 0 };
	return MRG_IO_OK;
}

static const struct mrg_link_ops ops = { .send = keep };

/* ---- what is above ---- */

static struct ip_kit_input *input(uint8_t protocol, struct mrg_span payload)
{
	MUST(kit.got_count < KIT_INPUTS_MAX);
	struct ip_kit_input *const g = &kit.got[kit.got_count++];
	g->protocol = protocol;
	g->payload = realloc(g->payload, payload.len + 1u);
	g->len = payload.len;
	if (payload.len != 0)
		memcpy(g->payload, payload.p, payload.len);
	return g;
}

static void keep_in(const struct ip_in *in)
{
	/* all that IP promises of a packet */
	MUST(in->packet.len >= in->payload.len &&
		in->payload.p + in->payload.len <= in->packet.p + in->packet.len);
	MUST(in->payload.p >= in->packet.p);
	struct ip_kit_input *const g = input(in->protocol, in->payload);
	g->error = false;
	g->in = *in;
	g->in.payload = (struct mrg_span){ g->payload, g->len };
	kit.borrowed++;
}

static void keep_error(const struct ip_error *e)
{
	MUST(e->payload.len >= 8 && e->name != NULL);
	struct ip_kit_input *const g = input(e->protocol, e->payload);
	g->error = true;
	g->e = *e;
	g->e.payload = (struct mrg_span){ g->payload, g->len };
}

void tcp_input(struct mrg_tcpip *s, const struct ip_in *in) { (void)s, keep_in(in); }
void tcp_error(struct mrg_tcpip *s, const struct ip_error *e) { (void)s, keep_error(e); }
void tcp_burst_begin(struct mrg_tcpip *s) { (void)s; }
void tcp_burst_end(struct mrg_tcpip *s) { (void)s; }
void tcp_address_gone(struct mrg_tcpip *s, const struct ip *a) { (void)s, (void)a, kit.gone++; }
void udp_input(struct mrg_tcpip *s, const struct ip_in *in) { (void)s, keep_in(in); }
void udp_error(struct mrg_tcpip *s, const struct ip_error *e) { (void)s, keep_error(e); }
void udp_burst_end(struct mrg_tcpip *s)
{
	(void)s;
	kit.bursts++;
	kit.borrowed = 0;
}

struct udp_state *udp_open(struct mrg_tcpip *s, struct mrg_arena *a)
{
	return (void)s, mrg_arena_get(a, 8, 8);
}
struct tcp_state *tcp_open(struct mrg_tcpip *s, struct mrg_arena *a)
{
	return (void)s, mrg_arena_get(a, 8, 8);
}
struct router_state *router_open(struct mrg_tcpip *s, struct mrg_arena *a)
{
	return (void)s, mrg_arena_get(a, 8, 8);
}
struct group_state *group_open(struct mrg_tcpip *s, struct mrg_arena *a)
{
	return (void)s, mrg_arena_get(a, 8, 8);
}
struct dhcp_state *dhcp_open(struct mrg_tcpip *s, struct mrg_arena *a)
{
	return (void)s, mrg_arena_get(a, 8, 8);
}
size_t udp_memory(const struct mrg_tcpip_limits *l) { return (void)l, 16; }
size_t tcp_memory(const struct mrg_tcpip_limits *l) { return (void)l, 16; }
size_t router_memory(const struct mrg_tcpip_limits *l) { return (void)l, 16; }
size_t group_memory(const struct mrg_tcpip_limits *l) { return (void)l, 16; }
size_t dhcp_memory(const struct mrg_tcpip_limits *l) { return (void)l, 16; }
void udp_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx) { (void)s, (void)each, (void)ctx; }
void tcp_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx) { (void)s, (void)each, (void)ctx; }
void router_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx) { (void)s, (void)each, (void)ctx; }
void group_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx) { (void)s, (void)each, (void)ctx; }
void dhcp_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx) { (void)s, (void)each, (void)ctx; }

void router_if_up(struct mrg_tcpip_if *on) { (void)on; }
void router_input(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_icmp6 *m)
{
	(void)s, (void)in, (void)m;
	kit.router_inputs++;
}
void router_gone(struct mrg_tcpip_if *on, const struct ip *router) { (void)on, (void)router, kit.gone++; }
void group_input4(struct mrg_tcpip *s, const struct ip_in *in) { (void)s, (void)in, kit.group_inputs++; }
void group_input6(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_icmp6 *m)
{
	(void)s, (void)in, (void)m;
	kit.group_inputs++;
}

static const struct ip nothing;

void group_join(struct mrg_tcpip_if *on, const struct ip *group)
{
	(void)on;
	kit.joins++;
	for (size_t i = 0; i < sizeof kit.groups / sizeof kit.groups[0]; i++)
		if (ip_same(&kit.groups[i], &nothing)) {
			kit.groups[i] = *group;
			return;
		}
}

void group_leave(struct mrg_tcpip_if *on, const struct ip *group)
{
	(void)on;
	kit.leaves++;
	for (size_t i = 0; i < sizeof kit.groups / sizeof kit.groups[0]; i++)
		if (ip_same(&kit.groups[i], group)) {
			kit.groups[i] = nothing;
			return;
		}
}

bool group_member(const struct mrg_tcpip_if *on, const struct ip *group)
{
	const struct ip all6 = ip_kit_ip("ff02::1"), all4 = ip_kit_ip("224.0.0.1");
	(void)on;
	for (size_t i = 0; i < sizeof kit.groups / sizeof kit.groups[0]; i++)
		if (ip_same(&kit.groups[i], group))
			return true;
	return ip_same(group, &all6) || ip_same(group, &all4);
}

/* ---- the stack ---- */

void ip_kit_bare(const struct mrg_tcpip_limits *l, uint16_t mtu, bool sums)
{
	static struct mrg_arena arena;
	const uint64_t now_ns = kit.now_ns != 0 ? kit.now_ns : 1000000;
	const struct mrg_tcpip_world world = {
		.timers = &kit.timers, .now_ns = &kit.now_ns, .secret = { 1, 2, 3, 4 }
	};
	/* the same every time, and just as long as is said */
	free(arena.p);
	const size_t size = mrg_tcpip_memory(l);
	arena = (struct mrg_arena){ .p = aligned_alloc(4096, (size + 4095u) / 4096u * 4096u), .cap = size };
	memset(arena.p, 0, size);
	kit.timers = (struct mrg_rt_timers){ 0 };
	kit.now_ns = now_ns;
	kit.link = (struct mrg_link){ .ops = &ops, .mtu = mtu, .sums = sums, .cut_max = sums ? 65535 : 0 };
	memcpy(kit.link.address, ip_kit_mac, 6);
	memset(kit.groups, 0, sizeof kit.groups);
	kit.outcome = MRG_IO_OK;
	kit.joins = kit.leaves = 0;
	kit.s = mrg_tcpip_open(&arena, l, &world);
	MUST(kit.s != NULL);
	kit.on = mrg_tcpip_if_add(kit.s, &kit.link);
	MUST(kit.on != NULL);
	ip_kit_clear();
}

void ip_kit_open_limits(const struct mrg_tcpip_limits *l, uint16_t mtu, bool sums)
{
	struct mrg_rt_addr a;
	ip_kit_bare(l, mtu, sums);
	MUST(mrg_rt_addr_read("10.0.0.2", 0, &a) && mrg_tcpip_address_add(kit.on, &a, 24));
	MUST(mrg_rt_addr_read("[2001:db8::2]", 0, &a) && mrg_tcpip_address_add(kit.on, &a, 64));
	ip_kit_run(20 * MRG_RT_SECOND_NS);
	ip_kit_clear();
}

void ip_kit_open(uint16_t mtu, bool sums) { ip_kit_open_limits(&mrg_tcpip_usual, mtu, sums); }

void ip_kit_clear(void)
{
	kit.sent_count = kit.got_count = 0;
	kit.bursts = kit.borrowed = kit.router_inputs = kit.group_inputs = kit.gone = 0;
}

void ip_kit_run(uint64_t ns)
{
	const uint64_t end = kit.now_ns + ns;
	for (unsigned i = 0; i < 1000000 && mrg_rt_timers_next(&kit.timers) <= end; i++) {
		if (mrg_rt_timers_next(&kit.timers) > kit.now_ns)
			kit.now_ns = mrg_rt_timers_next(&kit.timers);
		mrg_rt_timers_run(&kit.timers, kit.now_ns);
	}
	MUST(mrg_rt_timers_next(&kit.timers) > end);
	kit.now_ns = end;
}

void ip_kit_in_work(struct mrg_span frame, struct mrg_frame_work work)
{
	const struct mrg_span copy = guarded(frame);
	struct mrg_frame f = {
		.p = (uint8_t *)(uintptr_t)copy.p, .len = copy.len, .cap = copy.len, .work = work
	};
	kit.link.user.frames(kit.link.user.ctx, &f, 1, kit.now_ns);
	MUST(kit.borrowed == 0);
}

void ip_kit_in(struct mrg_span frame) { ip_kit_in_work(frame, (struct mrg_frame_work){ 0 }); }

struct wanted {
	const char *name;
	uint64_t value;
	bool found;
};

static void look(void *ctx, const char *protocol, const char *name, uint64_t value)
{
	struct wanted *const w = ctx;
	(void)protocol;
	if (strcmp(name, w->name) == 0) {
		w->value = value;
		w->found = true;
	}
}

uint64_t ip_kit_count(const char *name)
{
	struct wanted w = { .name = name };
	mrg_tcpip_counts(kit.s, look, &w);
	MUST_SAY(w.found, "no counter %s", name);
	return w.value;
}

/* ---- frames ---- */

static uint8_t *room(size_t len)
{
	static uint8_t *made[KIT_MADE];
	static unsigned next;
	uint8_t **const p = &made[next++ % KIT_MADE];
	*p = realloc(*p, len + 1u);
	return *p;
}

struct mrg_span ip_kit_copy(struct mrg_span a)
{
	uint8_t *const p = room(a.len);
	if (a.len != 0)
		memcpy(p, a.p, a.len);
	return (struct mrg_span){ p, a.len };
}

uint8_t *ip_kit_at(struct mrg_span made, size_t at)
{
	MUST(at < made.len);
	return (uint8_t *)(uintptr_t)made.p + at;
}

struct mrg_span ip_kit_join(struct mrg_span a, struct mrg_span b)
{
	uint8_t *const p = room(a.len + b.len);
	if (a.len != 0)
		memcpy(p, a.p, a.len);
	if (b.len != 0)
		memcpy(p + a.len, b.p, b.len);
	return (struct mrg_span){ p, a.len + b.len };
}

struct mrg_span ip_kit_bytes(size_t len, unsigned seed)
{
	uint8_t *const p = room(len);
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)((i * 7u + i / 256u * 13u + seed) & 0xffu);
	return (struct mrg_span){ p, len };
}

struct mrg_span ip_kit_hex(const char *hex)
{
	uint8_t *const p = room(strlen(hex));
	size_t n = 0;
	for (const char *c = hex; *c != 0; c++) {
		const char *const digits = "0123456789abcdef", *const d = strchr(digits, *c);
		if (*c == ' ')
			continue;
		MUST_SAY(d != NULL, "no hex: %s", hex);
		if (n % 2 == 0)
			p[n / 2] = (uint8_t)((d - digits) << 4);
		else
			p[n / 2] = (uint8_t)(p[n / 2] | (d - digits));
		n++;
	}
	MUST(n % 2 == 0);
	return (struct mrg_span){ p, n / 2 };
}

struct ip ip_kit_ip(const char *text)
{
	char bracketed[80];
	struct mrg_rt_addr a;
	snprintf(bracketed, sizeof bracketed, strchr(text, ':') != NULL ? "[%s]" : "%s", text);
	MUST_SAY(mrg_rt_addr_read(bracketed, 0, &a), "no address: %s", text);
	return ip_of(&a);
}

struct mrg_span ip_kit_frame(const uint8_t *to, const uint8_t *from, uint16_t type, struct mrg_span payload)
{
	uint8_t *const p = room(payload.len + 14);
	struct mrg_w w;
	mrg_w_init(&w, p, payload.len + 14);
	mrg_net_ethernet_header_put(
		&w, &(struct mrg_net_ethernet_header_args){
			    .destination_address = { to, 6 }, .source_address = { from, 6 }, .type = type });
	mrg_w_put(&w, payload);
	MUST(w.st == MRG_OK);
	return (struct mrg_span){ p, w.len };
}

struct mrg_span ip_kit_frame4(const struct ip_kit_ip4 *with, struct mrg_span payload)
{
	const struct ip from = ip_kit_ip(with->from != NULL ? with->from : "10.0.0.1");
	const struct ip to = ip_kit_ip(with->to != NULL ? with->to : "10.0.0.2");
	const size_t cap = 60 + payload.len;
	uint8_t *const p = room(cap);
	struct mrg_w w;
	mrg_w_init(&w, p, cap);
	mrg_net_ip4_put(&w, &(struct mrg_net_ip4_args){ .time_to_live = with->ttl_zero   ? 0
									: with->ttl != 0 ? with->ttl
											 : 64,
				    .ecn = with->ecn,
				    .identification = with->id,
				    .df = with->df,
				    .mf = with->mf,
				    .fragment_offset = with->offset,
				    .protocol = with->protocol,
				    .source_address = ip_wire(&from),
				    .destination_address = ip_wire(&to),
				    .options = with->options,
				    .payload = payload });
	MUST(w.st == MRG_OK);
	return ip_kit_frame(with->mac != NULL ? with->mac : ip_kit_mac, ip_kit_peer_mac,
		MRG_NET_ETHER_TYPE_IPV4, mrg_w_span(&w, 0));
}

struct mrg_span ip_kit_frame6(const struct ip_kit_ip6 *with, struct mrg_span payload)
{
	const struct ip from = ip_kit_ip(with->from != NULL ? with->from : "2001:db8::1");
	const struct ip to = ip_kit_ip(with->to != NULL ? with->to : "2001:db8::2");
	const size_t cap = 40 + payload.len;
	uint8_t *const p = room(cap);
	struct mrg_w w;
	mrg_w_init(&w, p, cap);
	mrg_net_ip6_put(
		&w, &(struct mrg_net_ip6_args){ .hop_limit = with->hop_limit != 0 ? with->hop_limit : 64,
			    .ecn = with->ecn,
			    .next_header = with->next,
			    .source_address = { from.b, 16 },
			    .destination_address = { to.b, 16 },
			    .payload = payload });
	MUST(w.st == MRG_OK);
	return ip_kit_frame(with->mac != NULL ? with->mac : ip_kit_mac, ip_kit_peer_mac,
		MRG_NET_ETHER_TYPE_IPV6, mrg_w_span(&w, 0));
}

/* Computed here octet by octet, so that it is not our own sum that is compared with itself. */
static uint16_t slow_sum(uint32_t sum, struct mrg_span s)
{
	for (size_t i = 0; i < s.len; i++)
		sum += i % 2 == 0 ? (uint32_t)s.p[i] << 8 : s.p[i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static struct mrg_span pseudo6(const struct ip *from, const struct ip *to, uint8_t protocol, size_t len)
{
	uint8_t *const p = room(40);
	memset(p, 0, 40);
	memcpy(p, from->b, 16);
	memcpy(p + 16, to->b, 16);
	p[34] = (uint8_t)(len >> 8);
	p[35] = (uint8_t)len;
	p[39] = protocol;
	return (struct mrg_span){ p, 40 };
}

static struct mrg_span with_sum(struct mrg_span message, struct mrg_span pseudo)
{
	struct mrg_span m = ip_kit_copy(message);
	*ip_kit_at(m, 2) = *ip_kit_at(m, 3) = 0;
	const uint16_t sum = slow_sum(0, ip_kit_join(pseudo, m));
	*ip_kit_at(m, 2) = (uint8_t)(sum >> 8);
	*ip_kit_at(m, 3) = (uint8_t)sum;
	return m;
}

struct mrg_span ip_kit_icmp4(struct mrg_span message) { return with_sum(message, (struct mrg_span){ 0 }); }

struct mrg_span ip_kit_icmp6(const char *from, const char *to, struct mrg_span message)
{
	const struct ip a = ip_kit_ip(from != NULL ? from : "2001:db8::1"),
			b = ip_kit_ip(to != NULL ? to : "2001:db8::2");
	return with_sum(message, pseudo6(&a, &b, 58, message.len));
}

void ip_kit_know_peers(void)
{
	const struct ip four = ip_kit_ip("10.0.0.1"), six = ip_kit_ip("2001:db8::1");
	neighbor_heard(kit.on, &four, (struct mrg_span){ ip_kit_peer_mac, 6 });
	neighbor_heard(kit.on, &six, (struct mrg_span){ ip_kit_peer_mac, 6 });
	ip_kit_clear();
}

/* ---- what was sent ---- */

static struct mrg_span carried(size_t i, uint16_t type)
{
	struct mrg_net_ethernet e;
	MUST_SAY(i < kit.sent_count && i < KIT_FRAMES_MAX, "only %zu frames were sent", kit.sent_count);
	MUST(mrg_net_ethernet_check((struct mrg_span){ kit.sent[i].p, kit.sent[i].len }, &e, NULL) == MRG_OK);
	MUST(mrg_span_eq(mrg_net_ethernet_source_address(&e), (struct mrg_span){ ip_kit_mac, 6 }));
	MUST_SAY(mrg_net_ethernet_type(&e) == type, "frame %zu is of type %x", i, mrg_net_ethernet_type(&e));
	return mrg_net_ethernet_payload(&e);
}

struct mrg_net_ip4 ip_kit_sent4(size_t i)
{
	struct mrg_net_ip4 p;
	const struct mrg_span in = carried(i, MRG_NET_ETHER_TYPE_IPV4);
	MUST(mrg_net_ip4_check(in, &p, NULL) == MRG_OK && mrg_net_ip4_span(&p).len == in.len);
	return p;
}

struct mrg_net_ip6 ip_kit_sent6(size_t i)
{
	struct mrg_net_ip6 p;
	const struct mrg_span in = carried(i, MRG_NET_ETHER_TYPE_IPV6);
	MUST(mrg_net_ip6_check(in, &p, NULL) == MRG_OK && mrg_net_ip6_span(&p).len == in.len);
	return p;
}

struct mrg_net_icmp4 ip_kit_sent_icmp4(size_t i)
{
	const struct mrg_net_ip4 p = ip_kit_sent4(i);
	struct mrg_net_icmp4 m;
	MUST(mrg_net_ip4_protocol(&p) == 1 &&
		mrg_net_icmp4_check(mrg_net_ip4_payload(&p), &m, NULL) == MRG_OK);
	return m;
}

struct mrg_net_icmp6 ip_kit_sent_icmp6(size_t i)
{
	const struct mrg_net_ip6 p = ip_kit_sent6(i);
	const struct mrg_span payload = mrg_net_ip6_payload(&p);
	struct ip from, to;
	struct mrg_net_icmp6 m;
	memcpy(from.b, mrg_net_ip6_source_address(&p).p, 16);
	memcpy(to.b, mrg_net_ip6_destination_address(&p).p, 16);
	MUST(mrg_net_ip6_next_header(&p) == 58 && mrg_net_icmp6_check(payload, &m, NULL) == MRG_OK);
	MUST(slow_sum(0, ip_kit_join(pseudo6(&from, &to, 58, payload.len), payload)) == 0);
	return m;
}

struct mrg_net_arp ip_kit_sent_arp(size_t i)
{
	struct mrg_net_arp m;
	MUST(mrg_net_arp_check(carried(i, MRG_NET_ETHER_TYPE_ARP), &m, NULL) == MRG_OK);
	return m;
}
