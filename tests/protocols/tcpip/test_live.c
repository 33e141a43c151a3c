/*
 * What small stacks miss, asked of the whole stack frame by frame: each wrong frame beside a right one, which is answered.
 *
 * What is about connections only is in test_tcp_*.c: see README.md.
 */
#include <stdlib.h>
#include <string.h>

#include "net/icmp4.h"
#include "net/ip4.h"
#include "net/ip6.h"
#include "net/link.h"
#include "net/udp.h"
#include "protocols/tcpip/ip.h"
#include "tests/protocols/tcpip/raw.h"

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 2 }, peer_mac[6] = { 2, 0, 0, 0, 0, 1 },
		     foreign_mac[6] = { 2, 0, 0, 0, 0, 3 }, thief_mac[6] = { 2, 0, 0, 0, 0, 9 },
		     all_mac[6] = { 255, 255, 255, 255, 255, 255 };

/* ---- an echo of UDP at port 7 ---- */

static void echo(void *ctx, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count, uint64_t now_ns)
{
	(void)ctx, (void)e, (void)now_ns;
	for (size_t i = 0; i < count; i++) {
		MUST(d[i].in.len <= d[i].out_cap);
		if (d[i].in.len != 0)
			memcpy(d[i].out, d[i].in.p, d[i].in.len);
		d[i].out_len = d[i].in.len;
	}
}

static void begin(unsigned version)
{
	static const struct mrg_dgram_user user = { .batch = echo };
	if (version == 4)
		raw_open(NULL);
	else
		raw_open6();
	struct mrg_rt_addr at = raw_addr(version == 4 ? "0.0.0.0" : "::", 7);
	MUST(mrg_tcpip_udp_bind(raw.s, &at, &user) != NULL);
	(void)raw_accept(NULL); /* the router is known from now on */
	raw.other_count = 0;
}

static uint64_t add(uint64_t sum, struct mrg_span s) { return mrg_inet16_add(sum, s.p, s.len, 0); }

/* A datagram to port `port`; its length and checksum as they are right, unless they are given. */
static struct mrg_span datagram(uint16_t port, struct mrg_span octets, int length, int checksum)
{
	static uint8_t b[2000];
	const struct mrg_rt_addr peer = raw_addr(raw.peer, 0), mine = raw_addr(raw.ours, 0);
	const struct ip from = ip_of(&peer), to = ip_of(&mine);
	struct mrg_net_udp_header_args h = { .source_port = 5000,
		.destination_port = port,
		.length = (uint16_t)(length >= 0 ? (unsigned)length : 8 + octets.len) };
	struct mrg_w w;
	for (unsigned again = 0; again < 2; again++) {
		mrg_w_init(&w, b, sizeof b);
		/* by hand: the header's builder refuses lengths below 8 */
		mrg_w_be16(&w, h.source_port);
		mrg_w_be16(&w, h.destination_port);
		mrg_w_be16(&w, h.length);
		mrg_w_be16(&w, h.checksum);
		mrg_w_put(&w, octets);
		if (again == 0)
			h.checksum = checksum >= 0 ? (uint16_t)checksum
						   : mrg_inet16_end(add(ip_pseudo_sum(&from, &to, 17, w.len),
							     mrg_w_span(&w, 0)));
	}
	MUST(w.st == MRG_OK);
	return mrg_w_span(&w, 0);
}

static struct mrg_span packet(uint8_t protocol, struct mrg_span payload)
{
	static uint8_t b[2100];
	const struct mrg_rt_addr peer = raw_addr(raw.peer, 0), mine = raw_addr(raw.ours, 0);
	const struct ip from = ip_of(&peer), to = ip_of(&mine);
	struct mrg_w w;
	mrg_w_init(&w, b, sizeof b);
	if (raw.version == 4)
		mrg_net_ip4_put(&w, &(struct mrg_net_ip4_args){ .time_to_live = 64,
					    .protocol = protocol,
					    .source_address = ip_wire(&from),
					    .destination_address = ip_wire(&to),
					    .payload = payload });
	else
		mrg_net_ip6_put(&w, &(struct mrg_net_ip6_args){ .hop_limit = 64,
					    .next_header = protocol,
					    .source_address = ip_wire(&from),
					    .destination_address = ip_wire(&to),
					    .payload = payload });
	MUST(w.st == MRG_OK);
	return mrg_w_span(&w, 0);
}

static uint16_t ether_type(void)
{
	return raw.version == 4 ? MRG_NET_ETHER_TYPE_IPV4 : MRG_NET_ETHER_TYPE_IPV6;
}

static struct mrg_span frame(const uint8_t *to, const uint8_t *from, uint16_t type, struct mrg_span payload)
{
	static uint8_t b[2200];
	struct mrg_w w;
	mrg_w_init(&w, b, sizeof b);
	mrg_net_ethernet_header_put(
		&w, &(struct mrg_net_ethernet_header_args){
			    .destination_address = { to, 6 }, .source_address = { from, 6 }, .type = type });
	mrg_w_put(&w, payload);
	MUST(w.st == MRG_OK);
	return mrg_w_span(&w, 0);
}

/* How many frames are sent because of this one, other than TCP's. */
static size_t answers(struct mrg_span f)
{
	const size_t before = raw.other_count;
	raw_frame_in(f, false);
	return raw.other_count - before;
}

static size_t packet_answers(uint8_t protocol, struct mrg_span payload)
{
	return answers(frame(our_mac, peer_mac, ether_type(), packet(protocol, payload)));
}

/* ---- ARP ---- */

static struct mrg_span arp(uint16_t operation, const uint8_t *mac, const char *sender, const char *target)
{
	static uint8_t b[64];
	const struct mrg_rt_addr s = raw_addr(sender, 0), t = raw_addr(target, 0);
	struct mrg_w w;
	mrg_w_init(&w, b, sizeof b);
	mrg_net_arp_put(&w, &(struct mrg_net_arp_args){ .operation = operation,
				    .sender_hardware_address = { mac, 6 },
				    .sender_protocol_address = { s.ip, 4 },
				    .target_hardware_address = { (const uint8_t[6]){ 0 }, 6 },
				    .target_protocol_address = { t.ip, 4 } });
	MUST(w.st == MRG_OK);
	return mrg_w_span(&w, 0);
}

START_TEST(arp_shorter_than_arp)
{
	begin(4);
	const struct mrg_span whole = arp(MRG_NET_ARP_OPERATION_REQUEST, peer_mac, "10.0.0.1", "10.0.0.2");
	for (size_t len = 0; len < whole.len; len++)
		MUST(answers(frame(all_mac, peer_mac, MRG_NET_ETHER_TYPE_ARP,
			     (struct mrg_span){ whole.p, len })) == 0);
	MUST(answers(frame(all_mac, peer_mac, MRG_NET_ETHER_TYPE_ARP, whole)) == 1);
}
END_TEST

/* RFC 5227 section 2.4 (b): we say once whose it is, then hold our peace for ten seconds; connections go on */
START_TEST(arp_conflict)
{
	begin(4);
	for (unsigned i = 0; i < 100; i++) {
		const struct mrg_span theft =
			arp(i % 2 == 0 ? MRG_NET_ARP_OPERATION_REPLY : MRG_NET_ARP_OPERATION_REQUEST,
				thief_mac, "10.0.0.2", "10.0.0.2");
		MUST(answers(frame(all_mac, thief_mac, MRG_NET_ETHER_TYPE_ARP, theft)) == (i == 0));
	}
	struct mrg_net_ethernet e;
	struct mrg_net_arp a;
	const struct raw_other *const o = &raw.other[0];
	MUST(mrg_net_ethernet_check((struct mrg_span){ o->p, o->len }, &e, NULL) == MRG_OK &&
		mrg_net_arp_check(mrg_net_ethernet_payload(&e), &a, NULL) == MRG_OK);
	const struct mrg_span ours = { our_mac, 6 }, all = { all_mac, 6 };
	MUST(mrg_span_eq(mrg_net_ethernet_destination_address(&e), all) &&
		mrg_span_eq(mrg_net_arp_sender_hardware_address(&a), ours));
	raw_run(11 * RAW_SECOND);
	raw.other_count = 0;
	MUST(answers(frame(all_mac, thief_mac, MRG_NET_ETHER_TYPE_ARP,
		     arp(MRG_NET_ARP_OPERATION_REPLY, thief_mac, "10.0.0.2", "10.0.0.2"))) == 1);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = text_of("on"));
	MUST(raw.user[0].len == 2);
}
END_TEST

/* ---- frames ---- */

START_TEST(frames_to_others)
{
	begin(4);
	const struct mrg_span question = arp(MRG_NET_ARP_OPERATION_REQUEST, peer_mac, "10.0.0.1", "10.0.0.2");
	const struct mrg_span text = text_of("hello");
	MUST(answers(frame(foreign_mac, peer_mac, MRG_NET_ETHER_TYPE_ARP, question)) == 0);
	MUST(answers(frame(our_mac, peer_mac, MRG_NET_ETHER_TYPE_ARP, question)) == 1);
	MUST(answers(frame(foreign_mac, peer_mac, ether_type(), packet(17, datagram(7, text, -1, -1)))) == 0);
	MUST(answers(frame(our_mac, peer_mac, ether_type(), packet(17, datagram(7, text, -1, -1)))) == 1);
	/* RFC 1122 section 3.3.6: nor a packet to us in a frame to all */
	MUST(answers(frame(all_mac, peer_mac, ether_type(), packet(17, datagram(7, text, -1, -1)))) == 0);
	const struct mrg_span syn = raw_build(&(struct raw_segment){ .flags = SYN });
	raw_forget();
	raw_frame_in(frame(foreign_mac, peer_mac, ether_type(), packet(6, syn)), true);
	EXPECT_NONE();
}
END_TEST

/* ---- UDP ---- */

START_TEST(udp_length)
{
	begin((unsigned)_i);
	const struct mrg_span text = text_of("hello");
	for (int length = 0; length < 40; length++) {
		const bool right = length >= 8 && length <= 13;
		const struct mrg_span d = datagram(7, text, length, -1);
		/* what is shorter than IP says has another sum, too: the link says that it is right */
		const size_t before = raw.other_count;
		raw_frame_in(frame(our_mac, peer_mac, ether_type(), packet(17, d)), true);
		MUST_SAY(raw.other_count - before == (right && length > 8), "length %d", length);
	}
}
END_TEST

/* RFC 8200 section 8.1; RFC 768: over IPv4 there may be none */
START_TEST(udp_without_sum)
{
	begin((unsigned)_i);
	const struct mrg_span text = text_of("hello");
	MUST(packet_answers(17, datagram(7, text, -1, 0)) == (_i == 4));
	MUST(packet_answers(17, datagram(7, text, -1, 1)) == 0);
	MUST(packet_answers(17, datagram(7, text, -1, -1)) == 1);
}
END_TEST

/* ---- fragments ---- */

static size_t fragment6(struct mrg_span of, size_t at, size_t len, bool more, uint32_t id)
{
	static uint8_t b[2000];
	struct mrg_w w;
	mrg_w_init(&w, b, sizeof b);
	mrg_net_ip6_fragment_put(&w, &(struct mrg_net_ip6_fragment_args){ .next_header = 17,
					     .fragment_offset = (uint16_t)(at / 8),
					     .m_flag = more,
					     .identification = id,
					     .fragment = { of.p + at, len } });
	MUST(w.st == MRG_OK);
	return packet_answers(44, mrg_w_span(&w, 0));
}

/* RFC 5722: a datagram of which two fragments overlap is not there at all, however it goes on */
START_TEST(overlapping_fragments)
{
	begin(6);
	uint8_t b[64];
	memset(b, 'x', sizeof b);
	const struct mrg_span d = datagram(7, (struct mrg_span){ b, 56 }, -1, -1);
	MUST(fragment6(d, 0, 32, true, 1) == 0 && fragment6(d, 32, 32, false, 1) == 1);
	MUST(fragment6(d, 0, 32, true, 2) == 0 && fragment6(d, 24, 40, false, 2) == 0);
	MUST(fragment6(d, 32, 32, false, 2) == 0 && fragment6(d, 0, 32, true, 2) == 0);
	MUST(fragment6(d, 32, 32, false, 3) == 0 && fragment6(d, 0, 40, true, 3) == 0);
	MUST(fragment6(d, 0, 32, true, 3) == 0);
	MUST(fragment6(d, 0, 32, true, 4) == 0 && fragment6(d, 32, 32, false, 4) == 1);
}
END_TEST

/* ---- ICMP ---- */

/* RFC 4443 section 2.4 (f), RFC 1812 section 4.3.2.8: a bucket of tokens; who was quiet is told again */
START_TEST(errors_are_few)
{
	begin((unsigned)_i);
	size_t told = 0;
	for (unsigned i = 0; i < 10000; i++) {
		told += packet_answers(17, datagram(9, text_of("x"), -1, -1));
		if (i % 10 == 0)
			raw_run(RAW_MS); /* one second in all */
	}
	MUST_SAY(told >= 10 && told <= 200, "%zu errors", told);
	raw_run(5 * RAW_SECOND);
	MUST(packet_answers(17, datagram(9, text_of("x"), -1, -1)) == 1);
}
END_TEST

/* ---- timestamps ---- */

/* RFC 7323 section 3: 0 is a value as any other, and so is what comes after the greatest one */
START_TEST(timestamps_around_0)
{
	static const uint8_t syn[] = { 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0 };
	begin(4);
	raw_peer(raw.peer, 5001);
	SEND(.flags = SYN, .options = { syn, sizeof syn });
	const struct raw_out *const o = raw_next();
	MUST(o->flags == (SYN | ACK) && o->has_ts && o->ts_echo == 0);
	uint8_t options[sizeof syn];
	memcpy(options, syn, sizeof syn);
	mrg_put_be32(options + 8, o->ts_value);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .options = { options, sizeof options },
		.data = text_of("zero"));
	MUST(raw.opened == 2 && raw.user[1].len == 4);
	mrg_put_be32(options + 4, UINT32_MAX); /* backwards */
	SEND(.flags = ACK, .seq = 5, .ack = 1, .options = { options, sizeof options },
		.data = text_of("old"));
	MUST(raw.user[1].len == 4 && raw_count("paws_drops") == 1);
	mrg_put_be32(options + 4, 1);
	SEND(.flags = ACK, .seq = 5, .ack = 1, .options = { options, sizeof options },
		.data = text_of("new"));
	MUST(raw.user[1].len == 7);
}
END_TEST

/* ---- SYN cookies ---- */

START_TEST(served_after_10000_syns)
{
	begin((unsigned)_i);
	raw.lossy = true;
	for (unsigned i = 0; i < 10000; i++) {
		raw.peer_port = (uint16_t)(6000 + i);
		SEND(.flags = SYN, .seq = i * 77777u);
	}
	raw.lossy = false;
	MUST(raw_count("half_open") == 64);
	raw.peer_port = 5555;
	struct raw_user *const u =
		raw_accept(&(struct raw_options){ .mss = 1400, .scale = 5, .sack_ok = true, .ts = true });
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = text_of("request"));
	MUST(u->len == 7);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("live");
	TCase *const t = tcase_create("live");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, arp_shorter_than_arp);
	tcase_add_test(t, arp_conflict);
	tcase_add_test(t, frames_to_others);
	for (int version = 4; version <= 6; version += 2) {
		tcase_add_loop_test(t, udp_length, version, version + 1);
		tcase_add_loop_test(t, udp_without_sum, version, version + 1);
		tcase_add_loop_test(t, errors_are_few, version, version + 1);
		tcase_add_loop_test(t, served_after_10000_syns, version, version + 1);
	}
	tcase_add_test(t, overlapping_fragments);
	tcase_add_test(t, timestamps_around_0);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
