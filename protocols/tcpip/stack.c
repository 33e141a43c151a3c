/*
 * The stack as a whole: what memory it takes, what it counts.
 */
#include "protocols/tcpip/fragment.h"
#include "protocols/tcpip/icmp.h"
#include "protocols/tcpip/ip_out.h"
#include "protocols/tcpip/path_mtu.h"

enum { ALIGN = 64, PREFIX_LOOP4 = 8, PREFIX_LOOP6 = 128 };

const struct mrg_tcpip_limits mrg_tcpip_usual = {
	.if_count = 4,
	.address_count = 32,
	.route_count = 64,
	.neighbor_count = 256,
	.dgram_count = 64,
	.listener_count = 32,
	.conn_count = 4096,
	.half_open_count = 1024,
	.time_wait_count = 4096,
	.receive_max = 1u << 18,
	.send_max = 1u << 18,
	.buffer_len = (size_t)32 << 20,
	.sent_count = 32768,
	.reassembly_len = (size_t)1 << 20,
	.dgram_out_max = 4096,
	.time_wait_ms = 60000,
	.give_up_s = 300,
	.keepalive_s = 7200,
};

/* ---- IP ---- */

static uint32_t most(uint32_t count) { return count < UINT16_MAX ? count : UINT16_MAX - 1u; }

size_t ip_memory(const struct mrg_tcpip_limits *l)
{
	return sizeof(struct ip_state) + (most(l->if_count) + 1u) * sizeof(struct mrg_tcpip_if) +
	       (most(l->address_count) + 2u) * sizeof(struct ip_address) +
	       (most(l->route_count) + 1u) * sizeof(struct ip_route) + neighbor_memory(l) +
	       fragment_memory(l) + path_mtu_memory() + loop_memory() + icmp_memory() + router_memory(l) +
	       group_memory(l) + dhcp_memory(l) + 16u * ALIGN;
}

uint32_t ip_random(struct mrg_tcpip *s, uint32_t below)
{
	s->ip->random += UINT64_C(0x9e3779b97f4a7c15); /* a Weyl sequence, mixed with what nobody knows */
	const uint64_t mixed = mrg_hash_mix(s->ip->random ^ s->ip->mix[0], s->ip->mix[1] | 1u);
	return below < 2u ? 0 : (uint32_t)(mixed % below);
}

/* Addresses that lead here: the loopback is an interface without a link. */
static bool loopback(struct mrg_tcpip *s)
{
	struct mrg_tcpip_if *const on = if_at(s, 0);
	*on = (struct mrg_tcpip_if){ .stack = s, .mtu = HELD_MAX, .mtu6 = HELD_MAX, .hop_limit6 = UINT8_MAX };
	const struct ip four = ip_loopback4(), six = ip_loopback6();
	return address_add(on, &four, PREFIX_LOOP4, false) != NULL &&
	       address_add(on, &six, PREFIX_LOOP6, false) != NULL;
}

static bool parts_open(struct mrg_tcpip *s, struct mrg_arena *a)
{
	struct ip_state *const ip = s->ip;
	return (ip->neighbors = neighbor_open(s, a)) != NULL &&
	       (ip->reassembly = fragment_open(s, a)) != NULL &&
	       (ip->path_mtus = path_mtu_open(s, a)) != NULL && (ip->loop = loop_open(s, a)) != NULL &&
	       (ip->icmp = icmp_open(s, a)) != NULL && (ip->group = group_open(s, a)) != NULL &&
	       (ip->router = router_open(s, a)) != NULL && (ip->dhcp = dhcp_open(s, a)) != NULL;
}

struct ip_state *ip_open(struct mrg_tcpip *s, struct mrg_arena *a)
{
	const struct mrg_tcpip_limits *const l = &s->limits;
	struct ip_state *const ip = mrg_arena_get(a, sizeof *ip, ALIGN);
	if (ip == NULL)
		return NULL;
	s->ip = ip;
	ip->era = 1;
	for (uint8_t i = 0; i < 2; i++)
		ip->mix[i] = mrg_rt_hash(s->world.secret, (struct mrg_span){ &i, sizeof i });
	ip->random = s->world.secret[2];
	ip->address_max = (uint16_t)(most(l->address_count) + 1u); /* one counts for both of the loopback */
	ip->route_max = (uint16_t)most(l->route_count);
	ip->ifs = mrg_arena_get(a, (most(l->if_count) + 1u) * sizeof *ip->ifs, ALIGN);
	ip->addresses = mrg_arena_get(a, (size_t)ip->address_max * sizeof *ip->addresses, ALIGN);
	ip->routes = mrg_arena_get(a, ((size_t)ip->route_max + 1u) * sizeof *ip->routes, ALIGN);
	if (ip->ifs == NULL || ip->addresses == NULL || ip->routes == NULL || !parts_open(s, a) ||
		!loopback(s))
		return NULL;
	return ip;
}

/* ---- counters ---- */

#define COUNTER(protocol, name)                                                                              \
	{                                                                                                    \
		protocol, #name, offsetof(struct ip_counts, name)                                            \
	}

/* RFC 4293 names those of IP, RFC 2863 those of interfaces. */
static const struct {
	const char *protocol, *name;
	size_t at;
} counters[] = {
	COUNTER("if", if_in_frames),
	COUNTER("if", if_in_foreign),
	COUNTER("if", if_in_short),
	COUNTER("if", if_in_tagged),
	COUNTER("if", if_in_unknown_protos),
	COUNTER("ip", in_receives),
	COUNTER("ip", in_hdr_errors),
	COUNTER("ip", in_addr_errors),
	COUNTER("ip", in_unknown_protos),
	COUNTER("ip", in_delivers),
	COUNTER("ip", in_martians),
	COUNTER("ip", in_options_refused),
	COUNTER("ip", reasm_reqds),
	COUNTER("ip", reasm_oks),
	COUNTER("ip", reasm_fails),
	COUNTER("ip", reasm_timeouts),
	COUNTER("ip", reasm_overlaps),
	COUNTER("ip", reasm_evicted),
	COUNTER("ip", out_requests),
	COUNTER("ip", out_no_routes),
	COUNTER("ip", out_discards),
	COUNTER("ip", out_frag_reqds),
	COUNTER("ip", out_frag_oks),
	COUNTER("ip", out_frag_fails),
	COUNTER("ip", out_frag_creates),
	COUNTER("ip", loop_full),
	COUNTER("ip", path_mtu_lowered),
	COUNTER("neighbor", neighbor_full),
	COUNTER("neighbor", neighbor_reused),
	COUNTER("neighbor", neighbor_wait_dropped),
	COUNTER("neighbor", neighbor_failed),
	COUNTER("arp", arp_in),
	COUNTER("arp", arp_in_errors),
	COUNTER("arp", arp_conflicts),
	COUNTER("arp", arp_out),
	COUNTER("nd", nd_in),
	COUNTER("nd", nd_in_errors),
	COUNTER("nd", nd_duplicates),
	COUNTER("nd", nd_looped),
	COUNTER("nd", nd_out),
	COUNTER("icmp", icmp_in_msgs),
	COUNTER("icmp", icmp_in_errors),
	COUNTER("icmp", icmp_out_msgs),
	COUNTER("icmp", icmp_out_limited),
	COUNTER("icmp", icmp_echoes),
};

void ip_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx)
{
	for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
		uint64_t value;
		memcpy(&value, (const char *)&s->ip->count + counters[i].at, sizeof value);
		each(ctx, counters[i].protocol, counters[i].name, value);
	}
	group_counts(s, each, ctx);
	router_counts(s, each, ctx);
	dhcp_counts(s, each, ctx);
}

/* ---- the whole ---- */

size_t mrg_tcpip_memory(const struct mrg_tcpip_limits *limits)
{
	return sizeof(struct mrg_tcpip) + ip_memory(limits) + udp_memory(limits) + tcp_memory(limits) +
	       4u * ALIGN;
}

struct mrg_tcpip *mrg_tcpip_open(
	struct mrg_arena *arena, const struct mrg_tcpip_limits *limits, const struct mrg_tcpip_world *world)
{
	struct mrg_tcpip *const s = mrg_arena_get(arena, sizeof *s, ALIGN);
	if (s == NULL)
		return NULL;
	s->limits = *limits;
	s->world = *world;
	if (ip_open(s, arena) == NULL)
		return NULL;
	s->udp = udp_open(s, arena);
	s->tcp = tcp_open(s, arena);
	return s->udp != NULL && s->tcp != NULL ? s : NULL;
}

void mrg_tcpip_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx)
{
	ip_counts(s, each, ctx);
	udp_counts(s, each, ctx);
	tcp_counts(s, each, ctx);
}
