/*
 * Interfaces: frames come in.
 */
#include "net/address.h"
#include "net/ip6.h"
#include "net/link.h"
#include "protocols/tcpip/ip.h"

enum { HOP_LIMIT = 64, REACHABLE_MS = 30000, RETRANSMIT_MS = 1000 }; /* RFC 4861 section 10 */

uint16_t ip_if_index(const struct mrg_tcpip_if *on) { return on->index; }

/* A tag that only has a priority is as good as none (IEEE 802.1Q clause 6.9.1); others are of networks that we are not in. */
static bool is_tagged(const struct mrg_net_ethernet *e)
{
	struct mrg_net_ethernet_tags_it it = mrg_net_ethernet_tags(e);
	struct mrg_net_vlan_tag tag;
	while (mrg_net_ethernet_tags_next(&it, &tag))
		if (mrg_net_vlan_tag_vid(&tag) != 0)
			return true;
	return false;
}

/* On a TAP or in a hub's network frames for others come along. */
static bool for_us(const struct mrg_tcpip_if *on, const struct mrg_net_ethernet *e, bool *to_many)
{
	const struct mrg_span own = { on->link->address, sizeof on->link->address };
	const struct mrg_span to = mrg_net_ethernet_destination_address(e),
			      from = mrg_net_ethernet_source_address(e);
	struct mrg_net_mac_bits bits;
	*to_many = false;
	if (mrg_span_eq(from, own))
		return false; /* our own, come back */
	if (mrg_span_eq(to, own))
		return true;
	*to_many = mrg_net_mac_bits_check(to, &bits, NULL) == MRG_OK && mrg_net_mac_bits_group(&bits);
	return *to_many;
}

static void frame_in(struct mrg_tcpip_if *on, const struct mrg_frame *f, uint64_t now_ns)
{
	struct ip_counts *const count = &on->stack->ip->count;
	struct mrg_net_ethernet e;
	bool to_many;
	count->if_in_frames++;
	if (mrg_net_ethernet_check((struct mrg_span){ f->p, f->len }, &e, NULL) != MRG_OK) {
		count->if_in_short++;
		return;
	}
	if (!for_us(on, &e, &to_many)) {
		count->if_in_foreign++;
		return;
	}
	if (is_tagged(&e)) {
		count->if_in_tagged++;
		return;
	}
	const struct mrg_span payload = mrg_net_ethernet_payload(&e);
	switch (mrg_net_ethernet_type(&e)) {
	case MRG_NET_ETHER_TYPE_IPV4: ip4_input(on, payload, to_many, &f->work, now_ns); break;
	case MRG_NET_ETHER_TYPE_IPV6: ip6_input(on, payload, to_many, &f->work, now_ns); break;
	case MRG_NET_ETHER_TYPE_ARP: arp_input(on, payload, to_many, now_ns); break;
	default: count->if_in_unknown_protos++; break;
	}
}

static void frames(void *ctx, struct mrg_frame *f, size_t count, uint64_t now_ns)
{
	struct mrg_tcpip_if *const on = ctx;
	tcp_burst_begin(on->stack);
	for (size_t i = 0; i < count; i++)
		frame_in(on, &f[i], now_ns);
	udp_burst_end(on->stack);
	tcp_burst_end(on->stack);
}

struct mrg_tcpip_if *mrg_tcpip_if_add(struct mrg_tcpip *s, struct mrg_link *link)
{
	if (s->ip->if_last >= s->limits.if_count || link->mtu < MRG_NET_IP6_MTU_MIN)
		return NULL;
	struct mrg_tcpip_if *const on = if_at(s, ++s->ip->if_last);
	*on = (struct mrg_tcpip_if){ .stack = s,
		.link = link,
		.index = s->ip->if_last,
		.mtu = link->mtu,
		.mtu6 = link->mtu,
		.hop_limit6 = HOP_LIMIT,
		.reachable_ms = REACHABLE_MS,
		.retransmit_ms = RETRANSMIT_MS };
	const struct ip local = ip_from_mac((struct mrg_span){ link->address, sizeof link->address });
	link->user = (struct mrg_link_user){ .ctx = on, .frames = frames };
	if (address_add(on, &local, MRG_NET_IP6_LINK_LOCAL_BITS, true) != NULL)
		on->link_local = local;
	router_if_up(on);
	return on;
}
