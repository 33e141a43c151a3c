/*
 * Kinds of addresses, and those that are made of others.
 */
#include "net/address.h"
#include "net/link.h"
#include "protocols/tcpip/ip.h"

enum { IP4_LEN = 4, IP6_LEN = 16, BITS = 8 * IP6_LEN, MAPPED_BITS = BITS - 8 * IP4_LEN };

static struct mrg_span octets(const struct ip *a) { return (struct mrg_span){ a->b, sizeof a->b }; }

bool ip_unspecified(const struct ip *a)
{
	static const struct ip none;
	return ip_same(a, &none) || ip_kind(a) == IP_KIND_NONE; /* 0.0.0.0 is another one than :: */
}

struct ip ip_none4(void)
{
	static const uint8_t zeros[IP4_LEN];
	return ip_from4((struct mrg_span){ zeros, sizeof zeros });
}

struct ip ip_from4(struct mrg_span address)
{
	struct ip a = { { 0 } };
	struct mrg_w w;
	mrg_w_init(&w, a.b, sizeof a.b);
	mrg_net_mapped_ip4_put(&w, &(struct mrg_net_mapped_ip4_args){ .ip4 = address });
	return a;
}

struct ip ip_from6(struct mrg_span address)
{
	struct ip a = { { 0 } };
	mrg_copy(a.b, address.p, sizeof a.b);
	return a;
}

struct mrg_span ip_wire(const struct ip *a)
{
	struct mrg_net_mapped_ip4 mapped;
	if (mrg_net_mapped_ip4_check(octets(a), &mapped, NULL) == MRG_OK)
		return mrg_net_mapped_ip4_ip4(&mapped);
	return octets(a);
}

struct ip ip_of(const struct mrg_rt_addr *a)
{
	if (a->family == 4)
		return ip_from4((struct mrg_span){ a->ip, IP4_LEN });
	return a->family == 6 ? ip_from6((struct mrg_span){ a->ip, IP6_LEN }) : (struct ip){ { 0 } };
}

void ip_to_rt(const struct ip *a, uint16_t port, uint32_t scope, struct mrg_rt_addr *out)
{
	const struct mrg_span wire = ip_wire(a);
	*out = (struct mrg_rt_addr){ .port = port, .family = wire.len == IP4_LEN ? 4 : 6 };
	memcpy(out->ip, wire.p, wire.len);
	if (ip_kind(a) == IP_KIND_LINK_LOCAL && out->family == 6)
		out->scope = scope;
}

/* ---- kinds ---- */

enum ip_kind ip_kind_of4(struct mrg_span address)
{
	struct mrg_net_ip4_kind k;
	if (mrg_net_ip4_kind_check(address, &k, NULL) != MRG_OK)
		return IP_KIND_RESERVED;
	switch (mrg_net_ip4_kind_kind_which(&k)) {
	case MRG_NET_IP4_KIND_KIND_NONE: return IP_KIND_NONE;
	case MRG_NET_IP4_KIND_KIND_THIS_NETWORK: return IP_KIND_THIS;
	case MRG_NET_IP4_KIND_KIND_LOOPBACK: return IP_KIND_LOOPBACK;
	case MRG_NET_IP4_KIND_KIND_LINK_LOCAL: return IP_KIND_LINK_LOCAL;
	case MRG_NET_IP4_KIND_KIND_GROUP: return IP_KIND_MULTICAST;
	case MRG_NET_IP4_KIND_KIND_BROADCAST: return IP_KIND_BROADCAST;
	case MRG_NET_IP4_KIND_KIND_OTHER: return IP_KIND_GLOBAL;
	default: return IP_KIND_RESERVED;
	}
}

static enum ip_kind kind_of_zeros(const struct mrg_net_ip6_zeros *z)
{
	switch (mrg_net_ip6_zeros_kind_which(z)) {
	case MRG_NET_IP6_ZEROS_KIND_NONE: return IP_KIND_NONE;
	case MRG_NET_IP6_ZEROS_KIND_LOOPBACK: return IP_KIND_LOOPBACK;
	case MRG_NET_IP6_ZEROS_KIND_OTHER: return IP_KIND_GLOBAL;
	default: return IP_KIND_RESERVED;
	}
}

enum ip_kind ip_kind_of6(struct mrg_span address)
{
	struct mrg_net_ip6_kind k;
	struct mrg_net_ip6_zeros z;
	if (mrg_net_ip6_kind_check(address, &k, NULL) != MRG_OK)
		return IP_KIND_RESERVED;
	if (mrg_net_ip6_kind_kind_as_zeros(&k, &z))
		return kind_of_zeros(&z);
	switch (mrg_net_ip6_kind_kind_which(&k)) {
	case MRG_NET_IP6_KIND_KIND_LINK_LOCAL: return IP_KIND_LINK_LOCAL;
	case MRG_NET_IP6_KIND_KIND_GROUP: return IP_KIND_MULTICAST;
	default: return IP_KIND_GLOBAL;
	}
}

enum ip_kind ip_kind(const struct ip *a)
{
	const struct mrg_span wire = ip_wire(a);
	return wire.len == IP4_LEN ? ip_kind_of4(wire) : ip_kind_of6(wire);
}

bool ip_is_multicast(const struct ip *a) { return ip_kind(a) == IP_KIND_MULTICAST; }

bool ip_group_stays(const struct ip *group)
{
	struct mrg_net_ip6_group g;
	return mrg_net_ip6_group_check(octets(group), &g, NULL) == MRG_OK &&
	       mrg_net_ip6_group_scope(&g) <= MRG_NET_IP6_SCOPE_LINK;
}

bool ip_group_stays_here(const struct ip *group)
{
	struct mrg_net_ip6_group g;
	return mrg_net_ip6_group_check(octets(group), &g, NULL) == MRG_OK &&
	       mrg_net_ip6_group_scope(&g) <= MRG_NET_IP6_SCOPE_NODE;
}

/* ---- prefixes ---- */

unsigned ip_bits(const struct ip *a, unsigned prefix_len)
{
	const unsigned bits = ip_is4(a) ? prefix_len + MAPPED_BITS : prefix_len;
	return bits < BITS ? bits : BITS;
}

bool ip_prefix_same(const struct ip *a, const struct ip *b, unsigned bits)
{
	const unsigned whole = bits / 8u, more = bits % 8u;
	if (memcmp(a->b, b->b, whole) != 0)
		return false;
	return more == 0 || (unsigned)(a->b[whole] ^ b->b[whole]) >> (8u - more) == 0;
}

struct ip ip_prefix_end(const struct ip *a, unsigned bits)
{
	struct ip last = *a;
	for (unsigned i = bits; i < BITS; i++)
		last.b[i / 8u] = (uint8_t)(last.b[i / 8u] | 1u << (7u - i % 8u));
	return last;
}

unsigned ip_common_bits(const struct ip *a, const struct ip *b)
{
	unsigned bits = 0;
	while (bits < BITS && ip_prefix_same(a, b, bits + 1u))
		bits++;
	return bits;
}

/* ---- made of others ---- */

struct ip ip_solicited_node(const struct ip *a)
{
	struct ip group = { { 0 } };
	struct mrg_net_ip6_end end;
	struct mrg_w w;
	mrg_w_init(&w, group.b, sizeof group.b);
	if (mrg_net_ip6_end_check(octets(a), &end, NULL) == MRG_OK)
		mrg_net_solicited_node_put(
			&w, &(struct mrg_net_solicited_node_args){ .low = mrg_net_ip6_end_low(&end) });
	return group;
}

struct ip ip_from_mac(struct mrg_span mac)
{
	struct ip a = { { 0 } };
	uint8_t id[sizeof a.b / 2];
	struct mrg_net_mac_bits bits;
	struct mrg_w w;
	if (mrg_net_mac_bits_check(mac, &bits, NULL) != MRG_OK)
		return a;
	mrg_w_init(&w, id, sizeof id);
	mrg_net_interface_id_put(
		&w, &(struct mrg_net_interface_id_args){ .high = mrg_net_mac_bits_high(&bits),
			    .universal = !mrg_net_mac_bits_local(&bits),
			    .group = mrg_net_mac_bits_group(&bits),
			    .company = mrg_net_mac_bits_company(&bits),
			    .own = mrg_net_mac_bits_own(&bits) });
	const struct mrg_span made = mrg_w_span(&w, 0);
	mrg_w_init(&w, a.b, sizeof a.b);
	mrg_net_ip6_link_local_put(&w, &(struct mrg_net_ip6_link_local_args){ .interface_id = made });
	return a;
}

struct ip ip_with_interface_id(const struct ip *prefix, const struct ip *id)
{
	struct ip a = { { 0 } };
	struct mrg_net_ip6_halves front, back;
	struct mrg_w w;
	mrg_w_init(&w, a.b, sizeof a.b);
	if (mrg_net_ip6_halves_check(octets(prefix), &front, NULL) == MRG_OK &&
		mrg_net_ip6_halves_check(octets(id), &back, NULL) == MRG_OK)
		mrg_net_ip6_halves_put(
			&w, &(struct mrg_net_ip6_halves_args){ .prefix = mrg_net_ip6_halves_prefix(&front),
				    .interface_id = mrg_net_ip6_halves_interface_id(&back) });
	return a;
}

void ip_group_mac(const struct ip *group, uint8_t out[6])
{
	const struct mrg_span wire = ip_wire(group);
	struct mrg_net_ip4_group g4;
	struct mrg_net_ip6_group g6;
	struct mrg_w w;
	mrg_w_init(&w, out, 6);
	if (wire.len == IP4_LEN && mrg_net_ip4_group_check(wire, &g4, NULL) == MRG_OK)
		mrg_net_ip4_group_mac_put(
			&w, &(struct mrg_net_ip4_group_mac_args){ .low = mrg_net_ip4_group_low(&g4) });
	else if (wire.len == IP6_LEN && mrg_net_ip6_group_check(wire, &g6, NULL) == MRG_OK)
		mrg_net_ip6_group_mac_put(
			&w, &(struct mrg_net_ip6_group_mac_args){ .low = mrg_net_ip6_group_low(&g6) });
	else
		mrg_net_broadcast_mac_put(&w, &(struct mrg_net_broadcast_mac_args){ 0 });
}

static struct ip link_group(uint16_t number)
{
	struct ip a = { { 0 } };
	struct mrg_w w;
	mrg_w_init(&w, a.b, sizeof a.b);
	mrg_net_ip6_link_group_put(&w, &(struct mrg_net_ip6_link_group_args){ .number = number });
	return a;
}

struct ip ip_all_nodes(void) { return link_group(MRG_NET_ALL_NODES); }

struct ip ip_all_routers(void) { return link_group(MRG_NET_ALL_ROUTERS); }

struct ip ip_broadcast(void)
{
	uint8_t wire[IP4_LEN];
	struct mrg_w w;
	mrg_w_init(&w, wire, sizeof wire);
	mrg_net_ip4_broadcast_put(&w, &(struct mrg_net_ip4_broadcast_args){ 0 });
	return ip_from4(mrg_w_span(&w, 0));
}

struct ip ip_loopback4(void)
{
	uint8_t wire[IP4_LEN];
	struct mrg_w w;
	mrg_w_init(&w, wire, sizeof wire);
	mrg_net_ip4_loopback_put(&w, &(struct mrg_net_ip4_loopback_args){ 0 });
	return ip_from4(mrg_w_span(&w, 0));
}

struct ip ip_loopback6(void)
{
	struct ip a = { { 0 } };
	struct mrg_w w;
	mrg_w_init(&w, a.b, sizeof a.b);
	mrg_net_ip6_loopback_put(&w, &(struct mrg_net_ip6_loopback_args){ 0 });
	return a;
}

/* ---- checksums ---- */

/*
 * The 96 bits before an IPv4 address are zeros and ones only, of which a one's complement sum changes by 0. So addresses of both
 * families are summed as they are.
 */
uint64_t ip_pseudo_sum(const struct ip *from, const struct ip *to, uint8_t protocol, size_t len)
{
	const uint64_t addresses =
		mrg_inet16_add(mrg_inet16_add(0, from->b, sizeof from->b, 0), to->b, sizeof to->b, 0);
	return addresses + protocol + len;
}
