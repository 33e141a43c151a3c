/*
 * IPv6 packets that come (RFC 8200): only what is for us; extension headers one by one, a bounded number of them.
 */
#include "net/ip6.h"
#include "protocols/tcpip/fragment.h"
#include "protocols/tcpip/icmp.h"

enum { HEADERS_MAX = 8 };

/* Where a walk along the headers stands. */
struct walk {
	struct mrg_tcpip *s;
	struct ip_in *in;
	size_t next_at; /* in in->packet: the octet that names the header that comes */
	bool first, whole, fragmented;
};

static size_t offset_of(const struct walk *w, const uint8_t *p) { return mrg_off(w->in->packet, p); }

static bool source_ok(const struct ip_in *in, struct mrg_span from, uint8_t next)
{
	switch (ip_kind_of6(from)) {
	case IP_KIND_GLOBAL:
	case IP_KIND_LINK_LOCAL: return address_find(in->on->stack, &in->from) == NULL;
	/* Neighbor Discovery and MLD send from it (RFC 4862 section 5.4.2, RFC 3590) */
	case IP_KIND_NONE: return next == MRG_NET_IP_PROTOCOL_ICMPV6 || next == MRG_NET_IP_PROTOCOL_HOPOPT;
	default: return false;
	}
}

static bool for_us(struct ip_in *in, struct mrg_span to, bool link_to_many)
{
	const enum ip_kind kind = ip_kind_of6(to);
	in->to_many = link_to_many;
	if (kind == IP_KIND_MULTICAST) {
		in->to_many = true;
		return !ip_group_stays_here(&in->to) && group_member(in->on, &in->to);
	}
	if ((kind != IP_KIND_GLOBAL && kind != IP_KIND_LINK_LOCAL) || link_to_many)
		return false;
	const struct ip_address *const a = address_find(in->on->stack, &in->to);
	return a != NULL && (kind == IP_KIND_GLOBAL || address_on(in->on, &in->to) != NULL);
}

static bool refuse(struct walk *w, enum icmp_say what, size_t at)
{
	w->s->ip->count.in_hdr_errors++;
	icmp_say(w->s, w->in, what, at);
	return false;
}

/* The header is taken off. */
static bool go_on(struct walk *w, struct mrg_span header, uint8_t next)
{
	w->next_at = offset_of(w, header.p) + MRG_NET_EXTENSION_NEXT_HEADER_AT;
	w->in->protocol = next;
	w->in->payload = (struct mrg_span){ header.p + header.len, w->in->payload.len - header.len };
	return true;
}

static bool option_ok(struct walk *w, const struct mrg_net_ip6_option *o)
{
	struct mrg_net_ip6_option_bits bits;
	const struct mrg_span span = mrg_net_ip6_option_span(o);
	if (mrg_net_ip6_option_bits_check(span, &bits, NULL) != MRG_OK)
		return false;
	const size_t at = offset_of(w, span.p);
	switch (mrg_net_ip6_option_bits_action(&bits)) {
	case MRG_NET_IP6_OPTION_ACTION_SKIP: return true;
	case MRG_NET_IP6_OPTION_ACTION_REPORT: return refuse(w, ICMP_SAY_OPTION_MANY, at);
	case MRG_NET_IP6_OPTION_ACTION_REPORT_UNICAST: return refuse(w, ICMP_SAY_OPTION, at);
	default: w->s->ip->count.in_options_refused++; return false;
	}
}

/* None of the options that must be understood (those of mobility, jumbograms) is: the others may be passed over (RFC 8200 section 4.2). */
static bool options(struct walk *w)
{
	struct mrg_net_ip6_options h;
	struct mrg_net_ip6_option o;
	struct mrg_reject why;
	if (mrg_net_ip6_options_check(w->in->payload, &h, &why) != MRG_OK)
		return refuse(w, ICMP_SAY_FIELD, offset_of(w, w->in->payload.p) + why.bit_off / 8u);
	struct mrg_net_ip6_options_options_it it = mrg_net_ip6_options_options(&h);
	while (mrg_net_ip6_options_options_next(&it, &o))
		if (!option_ok(w, &o))
			return false;
	return go_on(w, mrg_net_ip6_options_span(&h), mrg_net_ip6_options_next_header(&h));
}

/* RFC 8200 section 4.4, RFC 5095: none is followed. */
static bool routing(struct walk *w)
{
	struct mrg_net_ip6_routing h;
	if (mrg_net_ip6_routing_check(w->in->payload, &h, NULL) != MRG_OK)
		return refuse(w, ICMP_SAY_FIELD, offset_of(w, w->in->payload.p));
	const struct mrg_span span = mrg_net_ip6_routing_span(&h);
	if (mrg_net_ip6_routing_segments_left(&h) != 0)
		return refuse(w, ICMP_SAY_FIELD, offset_of(w, span.p) + MRG_NET_ROUTING_TYPE_AT);
	return go_on(w, span, mrg_net_ip6_routing_next_header(&h));
}

static bool authentication(struct walk *w)
{
	struct mrg_net_ip6_authentication h;
	if (mrg_net_ip6_authentication_check(w->in->payload, &h, NULL) != MRG_OK)
		return refuse(w, ICMP_SAY_FIELD, offset_of(w, w->in->payload.p));
	return go_on(w, mrg_net_ip6_authentication_span(&h), mrg_net_ip6_authentication_next_header(&h));
}

/* A fragment that is all there is goes on as it is (RFC 6946). */
static bool fragment(struct walk *w)
{
	struct mrg_net_ip6_fragment h;
	struct mrg_net_ip6_fragment_header alone;
	struct mrg_reject why;
	const struct mrg_span payload = w->in->payload;
	if (w->whole || w->fragmented) {
		w->s->ip->count.in_hdr_errors++;
		return false;
	}
	w->fragmented = true;
	if (mrg_net_ip6_fragment_check(payload, &h, &why) != MRG_OK) {
		/* RFC 8200 section 4.5: too long, or no multiple of eight octets */
		if (mrg_net_ip6_fragment_header_check(payload, &alone, NULL) != MRG_OK)
			return refuse(w, ICMP_SAY_FIELD, offset_of(w, payload.p));
		const bool ends_late = mrg_net_ip6_fragment_header_m_flag(&alone) == 0 ||
				       (payload.len - mrg_net_ip6_fragment_header_span(&alone).len) %
						       MRG_NET_FRAGMENT_UNIT ==
					       0;
		return refuse(w, ICMP_SAY_FIELD,
			ends_late ? offset_of(w, payload.p) + MRG_NET_FRAGMENT_OFFSET_AT
				  : MRG_NET_IP6_PAYLOAD_LENGTH_AT);
	}
	if (mrg_net_ip6_fragment_m_flag(&h) != 0 || mrg_net_ip6_fragment_fragment_offset(&h) != 0) {
		fragment_input6(w->s, w->in, &h);
		return false;
	}
	const struct mrg_span header = { payload.p, payload.len - mrg_net_ip6_fragment_fragment(&h).len };
	return go_on(w, header, mrg_net_ip6_fragment_next_header(&h));
}

/* Take off the header that comes.  false: it was the last one, or the packet is done with. */
static bool step(struct walk *w, bool *last)
{
	const bool first = w->first;
	*last = false;
	w->first = false;
	switch (w->in->protocol) {
	case MRG_NET_IP_PROTOCOL_HOPOPT:
		/* RFC 8200 section 4.1: nowhere else */
		return first ? options(w) : refuse(w, ICMP_SAY_PROTOCOL, w->next_at);
	case MRG_NET_IP_PROTOCOL_DESTINATION: return options(w);
	case MRG_NET_IP_PROTOCOL_ROUTING: return routing(w);
	case MRG_NET_IP_PROTOCOL_FRAGMENT: return fragment(w);
	case MRG_NET_IP_PROTOCOL_AH: return authentication(w);
	default: *last = true; return false;
	}
}

/* ---- headers that are only passed over ---- */

static bool one_over(struct mrg_span *payload, uint8_t *protocol)
{
	struct mrg_net_ip6_options o;
	struct mrg_net_ip6_routing r;
	struct mrg_net_ip6_authentication a;
	size_t len = 0;
	uint8_t next = *protocol;
	switch (*protocol) {
	case MRG_NET_IP_PROTOCOL_HOPOPT:
	case MRG_NET_IP_PROTOCOL_DESTINATION:
		if (mrg_net_ip6_options_check(*payload, &o, NULL) == MRG_OK) {
			len = mrg_net_ip6_options_span(&o).len;
			next = mrg_net_ip6_options_next_header(&o);
		}
		break;
	case MRG_NET_IP_PROTOCOL_ROUTING:
		if (mrg_net_ip6_routing_check(*payload, &r, NULL) == MRG_OK) {
			len = mrg_net_ip6_routing_span(&r).len;
			next = mrg_net_ip6_routing_next_header(&r);
		}
		break;
	default:
		if (mrg_net_ip6_authentication_check(*payload, &a, NULL) == MRG_OK) {
			len = mrg_net_ip6_authentication_span(&a).len;
			next = mrg_net_ip6_authentication_next_header(&a);
		}
		break;
	}
	*payload = (struct mrg_span){ payload->p + len, payload->len - len };
	*protocol = next;
	return len != 0;
}

/* A fragment's header in a packet of ours that is quoted: only the first has what follows. */
static bool over_fragment(struct mrg_span *payload, uint8_t *protocol)
{
	struct mrg_net_ip6_fragment_header h;
	if (mrg_net_ip6_fragment_header_check(*payload, &h, NULL) != MRG_OK ||
		mrg_net_ip6_fragment_header_fragment_offset(&h) != 0)
		return false;
	const size_t len = mrg_net_ip6_fragment_header_span(&h).len;
	*protocol = mrg_net_ip6_fragment_header_next_header(&h);
	*payload = (struct mrg_span){ payload->p + len, payload->len - len };
	return true;
}

bool ip6_pass_over(struct mrg_span *payload, uint8_t *protocol)
{
	for (unsigned i = 0; i < HEADERS_MAX; i++)
		switch (*protocol) {
		case MRG_NET_IP_PROTOCOL_HOPOPT:
		case MRG_NET_IP_PROTOCOL_DESTINATION:
		case MRG_NET_IP_PROTOCOL_ROUTING:
		case MRG_NET_IP_PROTOCOL_AH:
			if (!one_over(payload, protocol))
				return false;
			break;
		case MRG_NET_IP_PROTOCOL_FRAGMENT:
			if (!over_fragment(payload, protocol))
				return false;
			break;
		default: return true;
		}
	return false;
}

bool ip6_chain_whole(struct mrg_span payload, uint8_t next)
{
	struct mrg_net_first_fragment first;
	return ip6_pass_over(&payload, &next) &&
	       mrg_net_first_fragment_check(payload, next, &first, NULL) == MRG_OK;
}

static void hand_over(const struct walk *w)
{
	struct ip_counts *const count = &w->s->ip->count;
	const struct ip_in *const in = w->in;
	if (ip_unspecified(&in->from) && in->protocol != MRG_NET_IP_PROTOCOL_ICMPV6) {
		count->in_martians++;
		return;
	}
	count->in_delivers++;
	switch (in->protocol) {
	case MRG_NET_IP_PROTOCOL_TCP: tcp_input(w->s, in); break;
	case MRG_NET_IP_PROTOCOL_UDP: udp_input(w->s, in); break;
	case MRG_NET_IP_PROTOCOL_ICMPV6: icmp6_input(w->s, in); break;
	case MRG_NET_IP_PROTOCOL_NO_NEXT: break; /* RFC 8200 section 4.7 */
	default:
		count->in_delivers--;
		count->in_unknown_protos++;
		icmp_say(w->s, in, ICMP_SAY_PROTOCOL, w->next_at);
		break;
	}
}

void ip_deliver6(struct mrg_tcpip *s, struct ip_in *in, size_t next_at, bool whole)
{
	struct walk w = { .s = s, .in = in, .next_at = next_at, .first = !whole, .whole = whole };
	bool last = false;
	for (unsigned i = 0; i < HEADERS_MAX; i++)
		if (!step(&w, &last)) {
			if (last)
				hand_over(&w);
			return;
		}
	s->ip->count.in_hdr_errors++;
}

void ip6_input(struct mrg_tcpip_if *on, struct mrg_span packet, bool link_to_many,
	const struct mrg_frame_work *work, uint64_t now_ns)
{
	struct mrg_tcpip *const s = on->stack;
	struct ip_counts *const count = &s->ip->count;
	struct mrg_net_ip6 p;
	count->in_receives++;
	if (mrg_net_ip6_check(packet, &p, NULL) != MRG_OK) {
		count->in_hdr_errors++;
		return;
	}
	const struct mrg_span from = mrg_net_ip6_source_address(&p), to = mrg_net_ip6_destination_address(&p);
	struct ip_in in = { .on = on,
		.from = ip_from6(from),
		.to = ip_from6(to),
		.packet = mrg_net_ip6_span(&p),
		.payload = mrg_net_ip6_payload(&p),
		.protocol = mrg_net_ip6_next_header(&p),
		.hop_limit = mrg_net_ip6_hop_limit(&p),
		.dscp = mrg_net_ip6_dscp(&p),
		.ecn = mrg_net_ip6_ecn(&p),
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
		if (!source_ok(&in, from, in.protocol)) {
			count->in_martians++;
			return;
		}
		ip_see(on, &in);
	}
	ip_deliver6(s, &in, MRG_NET_IP6_NEXT_HEADER_AT, false);
}
