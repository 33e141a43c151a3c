/*
 * IPv4 packets that come (RFC 791, RFC 1122 section 3.2.1): only what is for us, from an address that can be answered.
 */
#include "net/ip4.h"
#include "protocols/tcpip/fragment.h"
#include "protocols/tcpip/icmp.h"

/* Who may have sent it?  RFC 1122 section 3.2.1.3; sources without an address only ask for groups (RFC 4541 section 2.1.1). */
static bool source_ok(const struct ip_in *in, struct mrg_span from)
{
	switch (ip_kind_of4(from)) {
	case IP_KIND_GLOBAL:
	case IP_KIND_LINK_LOCAL:
		return !ip_is_broadcast(in->on, &in->from) && address_find(in->on->stack, &in->from) == NULL;
	case IP_KIND_NONE: return in->protocol == MRG_NET_IP_PROTOCOL_IGMP;
	default: return false;
	}
}

/* Sets in->to_many.  RFC 1122 section 3.3.6: what came to all of the link is not for one only. */
static bool for_us(struct ip_in *in, struct mrg_span to, bool link_to_many)
{
	in->to_many = link_to_many;
	if (address_find(in->on->stack, &in->to) != NULL)
		return !link_to_many && ip_kind_of4(to) != IP_KIND_LOOPBACK;
	const enum ip_kind kind = ip_kind_of4(to);
	if (kind == IP_KIND_MULTICAST) {
		in->to_many = true;
		return group_member(in->on, &in->to);
	}
	if (kind == IP_KIND_BROADCAST || ip_is_broadcast(in->on, &in->to)) {
		in->to_many = true;
		return true;
	}
	return !link_to_many && kind != IP_KIND_LOOPBACK && in->on->dhcp_listens &&
	       in->protocol == MRG_NET_IP_PROTOCOL_UDP;
}

/* Options are passed over, but for source routes: those are never followed, and what came by one is refused (RFC 7126 section 4.3). */
static bool options_ok(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_ip4 *p)
{
	struct mrg_net_ip4_options list;
	struct mrg_net_ip4_option o;
	struct mrg_reject why;
	const struct mrg_span options = mrg_net_ip4_options(p);
	if (mrg_net_ip4_options_check(options, &list, &why) != MRG_OK) {
		s->ip->count.in_hdr_errors++;
		icmp_say(s, in, ICMP_SAY_FIELD, (size_t)(options.p - in->packet.p) + why.bit_off / 8u);
		return false;
	}
	struct mrg_net_ip4_options_options_it it = mrg_net_ip4_options_options(&list);
	while (mrg_net_ip4_options_options_next(&it, &o)) {
		const uint8_t type = mrg_net_ip4_option_type(&o);
		if (type == MRG_NET_IP4_OPTION_TYPE_LOOSE_SOURCE_ROUTE ||
			type == MRG_NET_IP4_OPTION_TYPE_STRICT_SOURCE_ROUTE) {
			s->ip->count.in_options_refused++;
			return false;
		}
	}
	return true;
}

void ip_deliver4(struct mrg_tcpip *s, const struct ip_in *in)
{
	struct ip_counts *const count = &s->ip->count;
	count->in_delivers++;
	switch (in->protocol) {
	case MRG_NET_IP_PROTOCOL_TCP: tcp_input(s, in); break;
	case MRG_NET_IP_PROTOCOL_UDP: udp_input(s, in); break;
	case MRG_NET_IP_PROTOCOL_ICMP: icmp4_input(s, in); break;
	case MRG_NET_IP_PROTOCOL_IGMP: group_input4(s, in); break;
	default:
		count->in_delivers--;
		count->in_unknown_protos++;
		icmp_say(s, in, ICMP_SAY_PROTOCOL, 0);
		break;
	}
}

void ip4_input(struct mrg_tcpip_if *on, struct mrg_span packet, bool link_to_many,
	const struct mrg_frame_work *work, uint64_t now_ns)
{
	struct mrg_tcpip *const s = on->stack;
	struct ip_counts *const count = &s->ip->count;
	struct mrg_net_ip4 p;
	count->in_receives++;
	if (mrg_net_ip4_check(packet, &p, NULL) != MRG_OK) {
		count->in_hdr_errors++;
		return;
	}
	const struct mrg_span from = mrg_net_ip4_source_address(&p), to = mrg_net_ip4_destination_address(&p);
	struct ip_in in = { .on = on,
		.from = ip_from4(from),
		.to = ip_from4(to),
		.packet = mrg_net_ip4_span(&p),
		.payload = mrg_net_ip4_payload(&p),
		.protocol = mrg_net_ip4_protocol(&p),
		.hop_limit = mrg_net_ip4_time_to_live(&p),
		.dscp = mrg_net_ip4_dscp(&p),
		.ecn = mrg_net_ip4_ecn(&p),
		.sum_ok = work->sum_ok,
		.segment_len = work->cut != MRG_FRAME_WHOLE ? work->segment_len : 0,
		.now_ns = now_ns };
	if (on->link == NULL) {
		in.to_many = ip_is_multicast(&in.to); /* what we say to a group that we are in */
	} else if (!ip_seen(on, &in, link_to_many)) {
		if (!for_us(&in, to, link_to_many)) {
			count->in_addr_errors++;
			return;
		}
		if (!source_ok(&in, from)) {
			count->in_martians++;
			return;
		}
		ip_see(on, &in);
	}
	if (mrg_net_ip4_options(&p).len != 0 && !options_ok(s, &in, &p))
		return;
	if (mrg_net_ip4_mf(&p) || mrg_net_ip4_fragment_offset(&p) != 0)
		fragment_input4(s, &in, &p);
	else
		ip_deliver4(s, &in);
}
