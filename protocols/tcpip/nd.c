/*
 * Neighbor Solicitations and Advertisements (RFC 4861 section 7), and Duplicate Address Detection by them (RFC 4862 section 5.4,
 * RFC 7527).
 */
#include "net/address.h"
#include "protocols/tcpip/icmp.h"
#include "protocols/tcpip/ip_out.h"

enum { MESSAGE_MAX = 64, OPTION_UNITS = 1, NONCE_LEN = 6 };

static struct mrg_span mac_of(const struct mrg_tcpip_if *on)
{
	return (struct mrg_span){ on->link->address, sizeof on->link->address };
}

/* ---- sending ---- */

static void put_link_option(struct mrg_w *w, const struct mrg_tcpip_if *on, uint8_t type)
{
	struct mrg_net_nd_option_build b;
	mrg_net_nd_option_begin(
		w, &b, &(struct mrg_net_nd_option_args){ .type = type, .length = OPTION_UNITS });
	if (type == MRG_NET_ND_OPTION_TYPE_SOURCE_LINK)
		mrg_net_nd_option_source_put(
			w, &(struct mrg_net_nd_option_source_args){ .address = mac_of(on) });
	else
		mrg_net_nd_option_target_put(
			w, &(struct mrg_net_nd_option_target_args){ .address = mac_of(on) });
	mrg_net_nd_option_end(w, &b);
}

/* RFC 7527 section 4.1: by which we know our own probes again, when the link sends them back. One for each address on each link. */
static struct mrg_span nonce_of(
	const struct mrg_tcpip_if *on, const struct ip *target, uint8_t out[NONCE_LEN])
{
	uint8_t bytes[sizeof target->b + sizeof on->index];
	memcpy(bytes, target->b, sizeof target->b);
	memcpy(bytes + sizeof target->b, &on->index, sizeof on->index);
	const uint64_t hash =
		mrg_rt_hash(on->stack->world.secret + 2, (struct mrg_span){ bytes, sizeof bytes });
	memcpy(out, &hash, NONCE_LEN);
	return (struct mrg_span){ out, NONCE_LEN };
}

static void put_nonce(struct mrg_w *w, const struct mrg_tcpip_if *on, const struct ip *target)
{
	struct mrg_net_nd_option_build b;
	uint8_t nonce[NONCE_LEN];
	mrg_net_nd_option_begin(w, &b,
		&(struct mrg_net_nd_option_args){
			.type = MRG_NET_ND_OPTION_TYPE_NONCE, .length = OPTION_UNITS });
	mrg_w_put(w, nonce_of(on, target, nonce));
	mrg_net_nd_option_end(w, &b);
}

static void send_solicitation(struct mrg_tcpip_if *on, const struct ip *from, const struct ip *target,
	const struct mrg_span *mac, bool tell)
{
	uint8_t message[MESSAGE_MAX], group_mac[sizeof on->link->address];
	struct mrg_net_icmp6_build b;
	struct mrg_net_neighbor_solicitation_build n;
	struct mrg_w w;
	const struct ip group = ip_solicited_node(target);
	const struct ip *const to = mac != NULL ? target : &group;
	const struct ip_out out = { .protocol = MRG_NET_IP_PROTOCOL_ICMPV6,
		.hop_limit = MRG_NET_ND_HOP_LIMIT };
	mrg_w_init(&w, message, sizeof message);
	mrg_net_icmp6_begin(
		&w, &b, &(struct mrg_net_icmp6_args){ .type = MRG_NET_ICMP6_TYPE_NEIGHBOR_SOLICITATION });
	mrg_net_neighbor_solicitation_begin(&w, &n,
		&(struct mrg_net_neighbor_solicitation_args){
			.target_address = { target->b, sizeof target->b } });
	if (tell) {
		mrg_net_neighbor_solicitation_options_add(&w, &n);
		put_link_option(&w, on, MRG_NET_ND_OPTION_TYPE_SOURCE_LINK);
	}
	if (ip_unspecified(from)) {
		mrg_net_neighbor_solicitation_options_add(&w, &n);
		put_nonce(&w, on, target);
	}
	mrg_net_neighbor_solicitation_end(&w, &n);
	mrg_net_icmp6_end(&w, &b);
	if (!icmp6_finish(&w, from, to))
		return;
	ip_group_mac(&group, group_mac);
	on->stack->ip->count.nd_out++;
	on->stack->ip->count.icmp_out_msgs++;
	const struct mrg_span to_mac = mac != NULL ? *mac : (struct mrg_span){ group_mac, sizeof group_mac };
	(void)ip_send_mac(on, to_mac, from, to, &out, &(struct mrg_span){ message, w.len }, 1);
}

void nd_solicit(struct mrg_tcpip_if *on, const struct ip *a, const struct mrg_span *mac)
{
	const struct ip_address *const from = address_from(on, a);
	if (from == NULL)
		return;
	/* RFC 4429 section 3.2: an optimistic address is not to get into caches in place of somebody else's */
	send_solicitation(on, &from->ip, a, mac, from->state != IP_ADDRESS_CLAIMING);
}

void nd_probe(struct mrg_tcpip_if *on, const struct ip *a)
{
	const struct ip none = { { 0 } };
	send_solicitation(on, &none, a, NULL, false);
}

/* to: unspecified for all nodes */
static void advertise(struct mrg_tcpip_if *on, const struct ip_address *a, const struct ip *to)
{
	uint8_t message[MESSAGE_MAX];
	struct mrg_net_icmp6_build b;
	struct mrg_net_neighbor_advertisement_build n;
	struct mrg_w w;
	const bool asked = !ip_unspecified(to);
	struct ip_way way = { .from = a->ip, .to = asked ? *to : ip_all_nodes(), .only = on->index };
	mrg_w_init(&w, message, sizeof message);
	mrg_net_icmp6_begin(
		&w, &b, &(struct mrg_net_icmp6_args){ .type = MRG_NET_ICMP6_TYPE_NEIGHBOR_ADVERTISEMENT });
	mrg_net_neighbor_advertisement_begin(&w, &n,
		&(struct mrg_net_neighbor_advertisement_args){ .solicited = asked,
			.override = a->state != IP_ADDRESS_CLAIMING,
			.target_address = { a->ip.b, sizeof a->ip.b } });
	mrg_net_neighbor_advertisement_options_add(&w, &n);
	put_link_option(&w, on, MRG_NET_ND_OPTION_TYPE_TARGET_LINK);
	mrg_net_neighbor_advertisement_end(&w, &n);
	mrg_net_icmp6_end(&w, &b);
	on->stack->ip->count.nd_out++;
	(void)icmp6_send(on->stack, &way, &w, MRG_NET_ND_HOP_LIMIT, false);
}

/* ---- receiving ---- */

static bool solicitation_source(const struct mrg_net_neighbor_solicitation *n, struct mrg_span *mac)
{
	struct mrg_net_neighbor_solicitation_options_it it = mrg_net_neighbor_solicitation_options(n);
	struct mrg_net_nd_option o;
	struct mrg_net_nd_option_source source;
	while (mrg_net_neighbor_solicitation_options_next(&it, &o))
		if (mrg_net_nd_option_body_as_source(&o, &source)) {
			*mac = mrg_net_nd_option_source_address(&source);
			return true;
		}
	return false;
}

/* RFC 7527 section 4.2: a probe of ours that came back. */
static bool is_our_probe(
	const struct mrg_tcpip_if *on, const struct ip *target, const struct mrg_net_neighbor_solicitation *n)
{
	struct mrg_net_neighbor_solicitation_options_it it = mrg_net_neighbor_solicitation_options(n);
	struct mrg_net_nd_option o;
	struct mrg_span nonce;
	uint8_t ours[NONCE_LEN];
	while (mrg_net_neighbor_solicitation_options_next(&it, &o))
		if (mrg_net_nd_option_body_as_nonce(&o, &nonce))
			return mrg_span_eq(nonce, nonce_of(on, target, ours));
	return false;
}

/* RFC 4861 section 7.1.1 and 7.2.3, RFC 4862 section 5.4.3 */
static bool solicited(
	struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_neighbor_solicitation *n)
{
	const struct ip target = ip_from6(mrg_net_neighbor_solicitation_target_address(n)),
			group = ip_solicited_node(&target);
	const bool probe = ip_unspecified(&in->from);
	struct mrg_span mac;
	const bool told = solicitation_source(n, &mac);
	if (probe && (told || !ip_same(&in->to, &group)))
		return false;
	struct ip_address *const a = address_on(in->on, &target);
	if (a == NULL)
		return true;
	if (probe && is_our_probe(in->on, &target, n)) {
		s->ip->count.nd_looped++;
		return true;
	}
	if (probe && a->state == IP_ADDRESS_CLAIMING) {
		s->ip->count.nd_duplicates++;
		address_conflict(a);
		return true;
	}
	if (told)
		neighbor_heard(in->on, &in->from, mac);
	advertise(in->on, a, &in->from);
	return true;
}

static bool advertisement_target(const struct mrg_net_neighbor_advertisement *n, struct mrg_span *mac)
{
	struct mrg_net_neighbor_advertisement_options_it it = mrg_net_neighbor_advertisement_options(n);
	struct mrg_net_nd_option o;
	struct mrg_net_nd_option_target target;
	while (mrg_net_neighbor_advertisement_options_next(&it, &o))
		if (mrg_net_nd_option_body_as_target(&o, &target)) {
			*mac = mrg_net_nd_option_target_address(&target);
			return true;
		}
	return false;
}

static bool usable(const struct mrg_tcpip_if *on, struct mrg_span mac)
{
	struct mrg_net_mac_bits bits;
	return mrg_net_mac_bits_check(mac, &bits, NULL) == MRG_OK && !mrg_net_mac_bits_group(&bits) &&
	       !mrg_span_eq(mac, mac_of(on));
}

/* RFC 4861 section 7.1.2 and 7.2.5, RFC 4862 section 5.4.4 */
static bool advertised(
	struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_neighbor_advertisement *n)
{
	const struct ip target = ip_from6(mrg_net_neighbor_advertisement_target_address(n));
	struct mrg_span mac;
	if (ip_unspecified(&in->from) || (in->to_many && mrg_net_neighbor_advertisement_solicited(n)))
		return false;
	struct ip_address *const a = address_on(in->on, &target);
	if (a != NULL) {
		s->ip->count.nd_duplicates++;
		address_conflict(a);
		return true;
	}
	struct neighbor *const to = neighbor_find(in->on, &target);
	if (to == NULL)
		return true;
	const bool told = advertisement_target(n, &mac);
	if (told && !usable(in->on, mac))
		return false;
	neighbor_advertised(to, told ? &mac : NULL, mrg_net_neighbor_advertisement_solicited(n),
		mrg_net_neighbor_advertisement_override(n));
	neighbor_is_router(in->on, &target, mrg_net_neighbor_advertisement_router(n));
	return true;
}

void nd_input(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_icmp6 *m)
{
	struct mrg_net_neighbor_solicitation ns;
	struct mrg_net_neighbor_advertisement na;
	bool ok = true;
	if (mrg_net_icmp6_body_as_neighbor_solicitation(m, &ns))
		ok = solicited(s, in, &ns);
	else if (mrg_net_icmp6_body_as_neighbor_advertisement(m, &na))
		ok = advertised(s, in, &na);
	if (!ok)
		s->ip->count.nd_in_errors++;
}
