/*
 * ICMP that comes: echoes are answered, errors told to whoever sent what they are about (RFC 1122 section 3.2.2, RFC 4443).
 */
#include "net/icmp4.h"
#include "net/ip4.h"
#include "net/ip6.h"
#include "protocols/tcpip/fragment.h"
#include "protocols/tcpip/icmp.h"
#include "protocols/tcpip/path_mtu.h"

/* ---- who sent it ---- */

static void tell(struct mrg_tcpip *s, struct ip_error *e)
{
	switch (e->protocol) {
	case MRG_NET_IP_PROTOCOL_TCP: tcp_error(s, e); break;
	case MRG_NET_IP_PROTOCOL_UDP: udp_error(s, e); break;
	case MRG_NET_IP_PROTOCOL_ICMP:
	case MRG_NET_IP_PROTOCOL_ICMPV6: ping_error(s, e); break;
	default: break;
	}
}

/* What a router of before RFC 1191 means is found out of the length; what is not shorter than the packet is not believed. */
static bool plausible(struct ip_error *e, size_t packet_len)
{
	if (e->kind != IP_ERROR_TOO_BIG)
		return true;
	const bool four = ip_is4(&e->to);
	if (e->mtu == 0 && four)
		e->mtu = path_mtu_below((uint16_t)packet_len);
	if (e->mtu >= packet_len)
		return false;
	if (four && e->mtu < MRG_NET_IP4_MTU_MIN)
		e->mtu = MRG_NET_IP4_MTU_MIN;
	return four || e->mtu >= MRG_NET_IP6_MTU_MIN;
}

bool icmp_tell4(struct mrg_tcpip *s, struct mrg_span quoted, struct ip_error *e)
{
	struct mrg_net_ip4_header h;
	if (mrg_net_ip4_header_check(quoted, &h, NULL) != MRG_OK ||
		mrg_net_ip4_header_fragment_offset(&h) != 0)
		return false;
	const size_t len = mrg_net_ip4_header_span(&h).len;
	e->from = ip_from4(mrg_net_ip4_header_source_address(&h));
	e->to = ip_from4(mrg_net_ip4_header_destination_address(&h));
	e->protocol = mrg_net_ip4_header_protocol(&h);
	e->payload = (struct mrg_span){ quoted.p + len, quoted.len - len };
	if (e->payload.len < MRG_NET_ICMP_QUOTE_MIN || address_find(s, &e->from) == NULL ||
		!plausible(e, mrg_net_ip4_header_total_length(&h)))
		return false;
	tell(s, e);
	return true;
}

bool icmp_tell6(struct mrg_tcpip *s, struct mrg_span quoted, struct ip_error *e)
{
	struct mrg_net_ip6_header h;
	if (mrg_net_ip6_header_check(quoted, &h, NULL) != MRG_OK)
		return false;
	const size_t len = mrg_net_ip6_header_span(&h).len;
	e->from = ip_from6(mrg_net_ip6_header_source_address(&h));
	e->to = ip_from6(mrg_net_ip6_header_destination_address(&h));
	e->protocol = mrg_net_ip6_header_next_header(&h);
	e->payload = (struct mrg_span){ quoted.p + len, quoted.len - len };
	if (!ip6_pass_over(&e->payload, &e->protocol) || e->payload.len < MRG_NET_ICMP_QUOTE_MIN ||
		address_find(s, &e->from) == NULL || ip_kind(&e->to) == IP_KIND_RESERVED ||
		!plausible(e, len + mrg_net_ip6_header_payload_length(&h)))
		return false;
	tell(s, e);
	return true;
}

void icmp_unreachable_here(struct mrg_tcpip *s, struct mrg_span packet, const struct ip *neighbor)
{
	struct ip_error e = { .kind = IP_ERROR_SOFT };
	const struct ip_address *const a = address_from(if_at(s, s->ip->if_last), neighbor);
	if (a != NULL)
		e.by = a->ip;
	if (ip_is4(neighbor)) {
		e.name = mrg_net_icmp4_unreachable_code_str(MRG_NET_ICMP4_UNREACHABLE_CODE_HOST);
		(void)icmp_tell4(s, packet, &e);
	} else {
		e.name = mrg_net_icmp6_unreachable_code_str(MRG_NET_ICMP6_UNREACHABLE_CODE_ADDRESS);
		(void)icmp_tell6(s, packet, &e);
	}
}

/* ---- echoes ---- */

enum mrg_io icmp_echo_send(struct mrg_tcpip *s, struct ip_way *way, uint8_t type, uint16_t identifier,
	uint16_t sequence, struct mrg_span data, uint8_t dscp)
{
	uint8_t header[16];
	struct mrg_w w;
	struct mrg_net_icmp_echo_header_args a = {
		.type = type, .identifier = identifier, .sequence_number = sequence
	};
	if (way->era != s->ip->era && !ip_way_find(s, way)) {
		s->ip->count.out_no_routes++;
		return MRG_IO_RESET;
	}
	const bool four = ip_is4(&way->to);
	const struct ip_out out = { .protocol = four ? MRG_NET_IP_PROTOCOL_ICMP : MRG_NET_IP_PROTOCOL_ICMPV6,
		.dscp = dscp };
	mrg_w_init(&w, header, sizeof header);
	mrg_net_icmp_echo_header_put(&w, &a); /* once for the sum, once with it */
	const uint64_t pseudo =
		four ? 0 : ip_pseudo_sum(&way->from, &way->to, out.protocol, w.len + data.len);
	a.checksum =
		mrg_inet16_end(mrg_inet16_add(mrg_inet16_add(pseudo, header, w.len, 0), data.p, data.len, 0));
	mrg_w_init(&w, header, sizeof header);
	mrg_net_icmp_echo_header_put(&w, &a);
	const struct mrg_span parts[] = { mrg_w_span(&w, 0), data };
	s->ip->count.icmp_out_msgs++;
	return ip_send(s, way, &out, parts, data.len != 0 ? 2 : 1);
}

/* The data goes back from where it is. To a group or all only IPv6 answers (RFC 1122 section 3.2.2.6, RFC 4443 section 4.2). */
static void echo(struct mrg_tcpip *s, const struct ip_in *in, uint8_t reply, uint16_t identifier,
	uint16_t sequence, struct mrg_span data)
{
	struct ip_way way = { .to = in->from, .only = ip_is_link_local(&in->from) ? in->on->index : 0 };
	if (!in->to_many)
		way.from = in->to;
	s->ip->count.icmp_echoes++;
	(void)icmp_echo_send(s, &way, reply, identifier, sequence, data, in->dscp);
}

/* ---- version 4 ---- */

static enum ip_error_kind kind4(uint8_t code)
{
	switch (code) {
	case MRG_NET_ICMP4_UNREACHABLE_CODE_FRAGMENTATION_NEEDED: return IP_ERROR_TOO_BIG;
	case MRG_NET_ICMP4_UNREACHABLE_CODE_PROTOCOL:
	case MRG_NET_ICMP4_UNREACHABLE_CODE_PORT:
	case MRG_NET_ICMP4_UNREACHABLE_CODE_NET_PROHIBITED:
	case MRG_NET_ICMP4_UNREACHABLE_CODE_HOST_PROHIBITED:
	case MRG_NET_ICMP4_UNREACHABLE_CODE_PROHIBITED: return IP_ERROR_HARD;
	default: return IP_ERROR_SOFT;
	}
}

static bool error4(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_icmp4 *m)
{
	struct mrg_net_icmp4_unreachable u;
	struct mrg_net_icmp4_about x;
	struct mrg_net_icmp4_problem p;
	struct ip_error e = {
		.by = in->from, .kind = IP_ERROR_SOFT, .name = mrg_net_icmp4_type_str(mrg_net_icmp4_type(m))
	};
	if (mrg_net_icmp4_body_as_icmp4_unreachable(m, &u)) {
		e.kind = kind4(mrg_net_icmp4_code(m));
		e.mtu = mrg_net_icmp4_unreachable_next_hop_mtu(&u);
		e.name = mrg_net_icmp4_unreachable_code_str(mrg_net_icmp4_code(m));
		return icmp_tell4(s, mrg_net_icmp4_unreachable_original_datagram(&u), &e);
	}
	if (mrg_net_icmp4_body_as_exceeded(m, &x)) {
		e.name = mrg_net_icmp4_exceeded_code_str(mrg_net_icmp4_code(m));
		return icmp_tell4(s, mrg_net_icmp4_about_original_datagram(&x), &e);
	}
	if (mrg_net_icmp4_body_as_icmp4_problem(m, &p))
		return icmp_tell4(s, mrg_net_icmp4_problem_original_datagram(&p), &e);
	return true; /* RFC 6633: Source Quench says nothing. Redirects would let anybody on the link lead packets astray: none is followed */
}

void icmp4_input(struct mrg_tcpip *s, const struct ip_in *in)
{
	struct ip_counts *const count = &s->ip->count;
	struct mrg_net_icmp4 m;
	struct mrg_net_icmp4_echo e;
	count->icmp_in_msgs++;
	if (mrg_net_icmp4_check(in->payload, &m, NULL) != MRG_OK) {
		count->icmp_in_errors++;
		return;
	}
	if (mrg_net_icmp4_body_as_icmp4_echo(&m, &e)) {
		if (!in->to_many)
			echo(s, in, MRG_NET_ICMP4_TYPE_ECHO_REPLY, mrg_net_icmp4_echo_identifier(&e),
				mrg_net_icmp4_echo_sequence_number(&e), mrg_net_icmp4_echo_data(&e));
		return;
	}
	if (mrg_net_icmp4_body_as_reply(&m, &e)) {
		ping_reply(s, in, mrg_net_icmp4_echo_identifier(&e), mrg_net_icmp4_echo_sequence_number(&e),
			mrg_net_icmp4_echo_data(&e));
		return;
	}
	if (in->to_many || !error4(s, in, &m))
		count->icmp_in_errors++;
}

/* ---- version 6 ---- */

static enum ip_error_kind kind6(uint8_t code)
{
	switch (code) {
	case MRG_NET_ICMP6_UNREACHABLE_CODE_PROHIBITED:
	case MRG_NET_ICMP6_UNREACHABLE_CODE_PORT: return IP_ERROR_HARD;
	default: return IP_ERROR_SOFT;
	}
}

static bool error6(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_icmp6 *m)
{
	struct mrg_net_icmp6_about a;
	struct mrg_net_icmp6_too_big b;
	struct mrg_net_icmp6_problem p;
	struct ip_error e = {
		.by = in->from, .kind = IP_ERROR_SOFT, .name = mrg_net_icmp6_type_str(mrg_net_icmp6_type(m))
	};
	const uint8_t code = mrg_net_icmp6_code(m);
	if (mrg_net_icmp6_body_as_unreachable(m, &a)) {
		e.kind = kind6(code);
		e.name = mrg_net_icmp6_unreachable_code_str(code);
		return icmp_tell6(s, mrg_net_icmp6_about_invoking_packet(&a), &e);
	}
	if (mrg_net_icmp6_body_as_exceeded(m, &a)) {
		e.name = mrg_net_icmp6_exceeded_code_str(code);
		return icmp_tell6(s, mrg_net_icmp6_about_invoking_packet(&a), &e);
	}
	if (mrg_net_icmp6_body_as_icmp6_too_big(m, &b)) {
		const uint32_t mtu = mrg_net_icmp6_too_big_mtu(&b);
		e.kind = IP_ERROR_TOO_BIG;
		e.mtu = mtu < UINT16_MAX ? (uint16_t)mtu : UINT16_MAX;
		return icmp_tell6(s, mrg_net_icmp6_too_big_invoking_packet(&b), &e);
	}
	if (mrg_net_icmp6_body_as_icmp6_problem(m, &p)) {
		e.name = mrg_net_icmp6_problem_code_str(code);
		if (code == MRG_NET_ICMP6_PROBLEM_CODE_NEXT_HEADER)
			e.kind = IP_ERROR_HARD; /* it does not know the protocol */
		return icmp_tell6(s, mrg_net_icmp6_problem_invoking_packet(&p), &e);
	}
	return true;
}

static void discovery(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_icmp6 *m)
{
	struct ip_counts *const count = &s->ip->count;
	count->nd_in++;
	if (in->hop_limit != MRG_NET_ND_HOP_LIMIT) { /* RFC 4861 section 6.1: it comes from elsewhere */
		count->nd_in_errors++;
		return;
	}
	switch (mrg_net_icmp6_type(m)) {
	case MRG_NET_ICMP6_TYPE_ROUTER_ADVERTISEMENT:
	case MRG_NET_ICMP6_TYPE_REDIRECT: router_input(s, in, m); break;
	case MRG_NET_ICMP6_TYPE_ROUTER_SOLICITATION: break; /* we are none */
	default: nd_input(s, in, m); break;
	}
}

static bool sum_ok(const struct ip_in *in)
{
	const uint64_t pseudo =
		ip_pseudo_sum(&in->from, &in->to, MRG_NET_IP_PROTOCOL_ICMPV6, in->payload.len);
	return in->sum_ok || mrg_inet16_end(mrg_inet16_add(pseudo, in->payload.p, in->payload.len, 0)) == 0;
}

static void echo6(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_icmp6_echo *e)
{
	if (ip_unspecified(&in->from) || (in->to_many && !icmp_may_say(s, in->now_ns)))
		return;
	echo(s, in, MRG_NET_ICMP6_TYPE_ECHO_REPLY, mrg_net_icmp6_echo_identifier(e),
		mrg_net_icmp6_echo_sequence_number(e), mrg_net_icmp6_echo_data(e));
}

void icmp6_input(struct mrg_tcpip *s, const struct ip_in *in)
{
	struct ip_counts *const count = &s->ip->count;
	struct mrg_net_icmp6 m;
	struct mrg_net_icmp6_echo e;
	count->icmp_in_msgs++;
	if (!sum_ok(in) || mrg_net_icmp6_check(in->payload, &m, NULL) != MRG_OK) {
		count->icmp_in_errors++;
		return;
	}
	switch (mrg_net_icmp6_type(&m)) {
	case MRG_NET_ICMP6_TYPE_ECHO_REQUEST:
		if (mrg_net_icmp6_body_as_request(&m, &e))
			echo6(s, in, &e);
		break;
	case MRG_NET_ICMP6_TYPE_ECHO_REPLY:
		if (mrg_net_icmp6_body_as_reply(&m, &e))
			ping_reply(s, in, mrg_net_icmp6_echo_identifier(&e),
				mrg_net_icmp6_echo_sequence_number(&e), mrg_net_icmp6_echo_data(&e));
		break;
	case MRG_NET_ICMP6_TYPE_MLD_QUERY:
	case MRG_NET_ICMP6_TYPE_MLD_REPORT:
	case MRG_NET_ICMP6_TYPE_MLD_DONE:
	case MRG_NET_ICMP6_TYPE_MLD2_REPORT: group_input6(s, in, &m); break;
	case MRG_NET_ICMP6_TYPE_ROUTER_SOLICITATION:
	case MRG_NET_ICMP6_TYPE_ROUTER_ADVERTISEMENT:
	case MRG_NET_ICMP6_TYPE_NEIGHBOR_SOLICITATION:
	case MRG_NET_ICMP6_TYPE_NEIGHBOR_ADVERTISEMENT:
	case MRG_NET_ICMP6_TYPE_REDIRECT: discovery(s, in, &m); break;
	default:
		if (!error6(s, in, &m))
			count->icmp_in_errors++;
		break;
	}
}
