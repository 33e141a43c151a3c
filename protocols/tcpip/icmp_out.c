/*
 * ICMP errors that we send: what, when, and how often (RFC 1122 section 3.2.2, RFC 1812 section 4.3.2, RFC 4443 section 2.4).
 */
#include "net/address.h"
#include "net/icmp4.h"
#include "net/ip4.h"
#include "net/ip6.h"
#include "protocols/tcpip/fragment.h"
#include "protocols/tcpip/icmp.h"

enum {
	BURST = 50, /* errors at once; a few more or less by chance, so that nobody counts what others had (RFC 4443 section 2.4 (f)) */
	BURST_MORE = 8,
	RATE_NS = 10000000, /* between two of them afterwards */
	MESSAGE_MAX = MRG_NET_ICMP6_QUOTE_MAX + 64
};

struct icmp_state {
	unsigned tokens;
	uint64_t since_ns; /* tokens of the time up to then are counted */
	bool begun;
};

size_t icmp_memory(void) { return sizeof(struct icmp_state) + _Alignof(struct icmp_state); }

struct icmp_state *icmp_open(struct mrg_tcpip *s, struct mrg_arena *a)
{
	(void)s;
	return mrg_arena_get(a, sizeof(struct icmp_state), _Alignof(struct icmp_state));
}

/* Each error takes a token; one comes each RATE_NS, up to a full bucket. */
bool icmp_may_say(struct mrg_tcpip *s, uint64_t now_ns)
{
	struct icmp_state *const i = s->ip->icmp;
	const unsigned full = BURST + ip_random(s, BURST_MORE);
	const uint64_t come = i->begun && now_ns > i->since_ns ? (now_ns - i->since_ns) / RATE_NS : 0;
	if (!i->begun || come + i->tokens >= full) {
		i->tokens = full;
		i->since_ns = now_ns;
		i->begun = true;
	} else {
		i->tokens += (unsigned)come;
		i->since_ns += come * RATE_NS;
	}
	if (i->tokens == 0) {
		s->ip->count.icmp_out_limited++;
		return false;
	}
	i->tokens--;
	return true;
}

/* ---- what an error must not be about ---- */

static bool is_error4(const struct ip_in *in)
{
	struct mrg_net_icmp4_start m;
	if (in->protocol != MRG_NET_IP_PROTOCOL_ICMP)
		return false;
	if (mrg_net_icmp4_start_check(in->payload, &m, NULL) != MRG_OK)
		return true;
	switch (mrg_net_icmp4_start_type(&m)) {
	case MRG_NET_ICMP4_TYPE_ECHO:
	case MRG_NET_ICMP4_TYPE_ECHO_REPLY:
	case MRG_NET_ICMP4_TYPE_TIMESTAMP:
	case MRG_NET_ICMP4_TYPE_TIMESTAMP_REPLY: return false;
	default: return true;
	}
}

static bool is_error6(const struct ip_in *in)
{
	struct mrg_net_icmp6_start m;
	struct mrg_span rest = in->payload;
	uint8_t protocol = in->protocol;
	if (!ip6_pass_over(&rest, &protocol) || protocol != MRG_NET_IP_PROTOCOL_ICMPV6)
		return false;
	if (mrg_net_icmp6_start_check(rest, &m, NULL) != MRG_OK)
		return true;
	return !mrg_net_icmp6_start_informational(&m);
}

static bool is_later_fragment(const struct ip_in *in)
{
	struct mrg_net_ip4_header h;
	return mrg_net_ip4_header_check(in->packet, &h, NULL) != MRG_OK ||
	       mrg_net_ip4_header_fragment_offset(&h) != 0;
}

static bool source_is_one(const struct ip_in *in)
{
	const enum ip_kind kind = ip_kind(&in->from);
	return (kind == IP_KIND_GLOBAL || kind == IP_KIND_LINK_LOCAL || in->on->link == NULL) &&
	       !ip_is_broadcast(in->on, &in->from);
}

/* ---- sending ---- */

static struct ip_way way_back(const struct ip_in *in)
{
	const bool one = !in->to_many && address_find(in->on->stack, &in->to) != NULL;
	struct ip_way way = { .to = in->from, .only = ip_is_link_local(&in->from) ? in->on->index : 0 };
	if (one)
		way.from = in->to;
	return way;
}

static struct mrg_span quote(struct mrg_span packet, size_t most)
{
	return (struct mrg_span){ packet.p, packet.len < most ? packet.len : most };
}

static void say4(struct mrg_tcpip *s, const struct ip_in *in, enum icmp_say what, size_t at)
{
	uint8_t message[MESSAGE_MAX];
	struct mrg_net_icmp4_build b;
	struct mrg_w w;
	size_t len;
	const struct mrg_span about = quote(in->packet, MRG_NET_ICMP4_QUOTE_MAX);
	mrg_w_init(&w, message, sizeof message);
	switch (what) {
	case ICMP_SAY_PORT:
	case ICMP_SAY_PROTOCOL:
		mrg_net_icmp4_begin(&w, &b,
			&(struct mrg_net_icmp4_args){ .type = MRG_NET_ICMP4_TYPE_UNREACHABLE,
				.code = what == ICMP_SAY_PORT ? MRG_NET_ICMP4_UNREACHABLE_CODE_PORT
							      : MRG_NET_ICMP4_UNREACHABLE_CODE_PROTOCOL });
		mrg_net_icmp4_unreachable_put(
			&w, &(struct mrg_net_icmp4_unreachable_args){ .original_datagram = about });
		break;
	case ICMP_SAY_REASSEMBLY:
		mrg_net_icmp4_begin(&w, &b,
			&(struct mrg_net_icmp4_args){ .type = MRG_NET_ICMP4_TYPE_TIME_EXCEEDED,
				.code = MRG_NET_ICMP4_EXCEEDED_CODE_REASSEMBLY });
		mrg_net_icmp4_about_put(&w, &(struct mrg_net_icmp4_about_args){ .original_datagram = about });
		break;
	default:
		mrg_net_icmp4_begin(&w, &b,
			&(struct mrg_net_icmp4_args){ .type = MRG_NET_ICMP4_TYPE_PARAMETER_PROBLEM,
				.code = MRG_NET_ICMP4_PROBLEM_CODE_POINTER });
		mrg_net_icmp4_problem_put(&w, &(struct mrg_net_icmp4_problem_args){
						      .pointer = (uint8_t)at, .original_datagram = about });
		break;
	}
	mrg_net_icmp4_end(&w, &b);
	if (mrg_w_finish(&w, &len) != MRG_OK)
		return;
	struct ip_way way = way_back(in);
	const struct ip_out out = { .protocol = MRG_NET_IP_PROTOCOL_ICMP };
	s->ip->count.icmp_out_msgs++;
	(void)ip_send(s, &way, &out, &(struct mrg_span){ message, len }, 1);
}

static void say6(struct mrg_tcpip *s, const struct ip_in *in, enum icmp_say what, size_t at)
{
	uint8_t message[MESSAGE_MAX];
	struct mrg_net_icmp6_build b;
	struct mrg_w w;
	struct mrg_net_icmp6_args a = { .type = MRG_NET_ICMP6_TYPE_PARAMETER_PROBLEM };
	const struct mrg_span about = quote(in->packet, MRG_NET_ICMP6_QUOTE_MAX);
	mrg_w_init(&w, message, sizeof message);
	switch (what) {
	case ICMP_SAY_PORT:
		a.type = MRG_NET_ICMP6_TYPE_UNREACHABLE;
		a.code = MRG_NET_ICMP6_UNREACHABLE_CODE_PORT;
		break;
	case ICMP_SAY_REASSEMBLY:
		a.type = MRG_NET_ICMP6_TYPE_TIME_EXCEEDED;
		a.code = MRG_NET_ICMP6_EXCEEDED_CODE_REASSEMBLY;
		break;
	case ICMP_SAY_PROTOCOL: a.code = MRG_NET_ICMP6_PROBLEM_CODE_NEXT_HEADER; break;
	case ICMP_SAY_FIELD: a.code = MRG_NET_ICMP6_PROBLEM_CODE_FIELD; break;
	case ICMP_SAY_OPTION:
	case ICMP_SAY_OPTION_MANY: a.code = MRG_NET_ICMP6_PROBLEM_CODE_OPTION; break;
	case ICMP_SAY_CHAIN: a.code = MRG_NET_ICMP6_PROBLEM_CODE_INCOMPLETE_CHAIN; break;
	}
	mrg_net_icmp6_begin(&w, &b, &a);
	if (a.type == MRG_NET_ICMP6_TYPE_PARAMETER_PROBLEM)
		mrg_net_icmp6_problem_put(&w, &(struct mrg_net_icmp6_problem_args){
						      .pointer = (uint32_t)at, .invoking_packet = about });
	else
		mrg_net_icmp6_about_put(&w, &(struct mrg_net_icmp6_about_args){ .invoking_packet = about });
	mrg_net_icmp6_end(&w, &b);
	struct ip_way way = way_back(in);
	(void)icmp6_send(s, &way, &w, 0, false);
}

void icmp_say(struct mrg_tcpip *s, const struct ip_in *in, enum icmp_say what, size_t at)
{
	const bool four = ip_is4(&in->to);
	if (!source_is_one(in) || (in->to_many && (four || what != ICMP_SAY_OPTION_MANY)))
		return;
	if (four ? is_later_fragment(in) || is_error4(in) : is_error6(in))
		return;
	if (!icmp_may_say(s, in->now_ns))
		return;
	if (four)
		say4(s, in, what, at);
	else
		say6(s, in, what, at);
}

void icmp_port_unreachable(struct mrg_tcpip *s, const struct ip_in *in) { icmp_say(s, in, ICMP_SAY_PORT, 0); }

bool icmp6_finish(struct mrg_w *w, const struct ip *from, const struct ip *to)
{
	struct mrg_w sum;
	if (w->st != MRG_OK || w->len <= MRG_NET_ICMP6_CHECKSUM_AT)
		return false;
	const uint64_t pseudo = ip_pseudo_sum(from, to, MRG_NET_IP_PROTOCOL_ICMPV6, w->len);
	const uint16_t value = mrg_inet16_end(mrg_inet16_add(pseudo, w->p, w->len, 0));
	mrg_w_init(&sum, w->p + MRG_NET_ICMP6_CHECKSUM_AT, w->len - MRG_NET_ICMP6_CHECKSUM_AT);
	mrg_net_internet_checksum_put(&sum, &(struct mrg_net_internet_checksum_args){ .value = value });
	return sum.st == MRG_OK;
}

enum mrg_io icmp6_send(
	struct mrg_tcpip *s, struct ip_way *way, struct mrg_w *w, uint8_t hop_limit, bool router_alert)
{
	const struct ip_out out = {
		.protocol = MRG_NET_IP_PROTOCOL_ICMPV6, .hop_limit = hop_limit, .router_alert = router_alert
	};
	if (way->era != s->ip->era && !ip_way_find(s, way)) {
		s->ip->count.out_no_routes++;
		return MRG_IO_RESET;
	}
	if (!icmp6_finish(w, &way->from, &way->to))
		return MRG_IO_RESET;
	s->ip->count.icmp_out_msgs++;
	return ip_send(s, way, &out, &(struct mrg_span){ w->p, w->len }, 1);
}
