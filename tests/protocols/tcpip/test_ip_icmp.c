/*
 * protocols/tcpip, ICMP: echoes, errors that come, errors that are sent and when they are not.
 * RFC 792, RFC 1122 3.2.2, RFC 1191, RFC 4443, RFC 8201.
 */
#include "protocols/tcpip/ip_kit.h"

#define SECOND MRG_RT_SECOND_NS

static struct mrg_span echo4(struct mrg_span data)
{
	return ip_kit_icmp4(ip_kit_join(ip_kit_hex("0800 0000 1234 0007"), data));
}

static struct mrg_span echo6(const char *to, struct mrg_span data)
{
	return ip_kit_icmp6(NULL, to, ip_kit_join(ip_kit_hex("8000 0000 1234 0007"), data));
}

static const struct ip_kit_ip4 icmp = { .protocol = 1 };
static const struct ip_kit_ip6 icmp6 = { .next = 58 };

START_TEST(an_echo_is_answered)
{
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	static const size_t lens[] = { 0, 1, 2, 56, 1000, 1472 };
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		ip_kit_clear();
		const struct mrg_span data = ip_kit_bytes(lens[i], 3);
		ip_kit_in(ip_kit_frame4(&icmp, echo4(data)));
		MUST(kit.sent_count == 1);
		const struct mrg_net_icmp4 m = ip_kit_sent_icmp4(0);
		struct mrg_net_icmp4_echo e;
		MUST(mrg_net_icmp4_body_as_reply(&m, &e) && mrg_net_icmp4_echo_identifier(&e) == 0x1234 &&
			mrg_net_icmp4_echo_sequence_number(&e) == 7);
		MUST(mrg_span_eq(mrg_net_icmp4_echo_data(&e), data));
	}
}
END_TEST

START_TEST(an_echo_of_version_6_is_answered)
{
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	static const size_t lens[] = { 0, 1, 2, 56, 1000, 1452 };
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		ip_kit_clear();
		const struct mrg_span data = ip_kit_bytes(lens[i], 3);
		ip_kit_in(ip_kit_frame6(&icmp6, echo6(NULL, data)));
		MUST(kit.sent_count == 1);
		const struct mrg_net_icmp6 m = ip_kit_sent_icmp6(0);
		struct mrg_net_icmp6_echo e;
		MUST(mrg_net_icmp6_body_as_reply(&m, &e) && mrg_net_icmp6_echo_identifier(&e) == 0x1234 &&
			mrg_net_icmp6_echo_sequence_number(&e) == 7);
		MUST(mrg_span_eq(mrg_net_icmp6_echo_data(&e), data));
	}
}
END_TEST

/* The answer waits until the neighbor is found. */
START_TEST(an_echo_of_a_stranger_is_answered)
{
	ip_kit_open(1500, false);
	ip_kit_in(ip_kit_frame4(&icmp, echo4(ip_kit_bytes(56, 1))));
	MUST(kit.sent_count == 1);
	const struct mrg_net_arp ask = ip_kit_sent_arp(0);
	MUST(mrg_net_arp_operation(&ask) == 1);
	ip_kit_in(ip_kit_frame(ip_kit_mac, ip_kit_peer_mac, 0x0806,
		ip_kit_hex("0001 0800 06 04 0002 020000000001 0a000001 020000000002 0a000002")));
	MUST(kit.sent_count == 2);
	(void)ip_kit_sent_icmp4(1);
}
END_TEST

START_TEST(an_echo_to_all_is_not_answered)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 }, group[6] = { 1, 0, 0x5e, 0, 0, 1 };
	static const struct ip_kit_ip4 to[] = { { .protocol = 1, .to = "10.0.0.255", .mac = all },
		{ .protocol = 1, .to = "255.255.255.255", .mac = all },
		{ .protocol = 1, .to = "224.0.0.1", .mac = group }, { .protocol = 1, .mac = all },
		{ .protocol = 1, .from = "10.0.0.255" } };
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	for (size_t i = 0; i < sizeof to / sizeof to[0]; i++)
		ip_kit_in(ip_kit_frame4(&to[i], echo4(ip_kit_bytes(8, 1))));
	MUST(kit.sent_count == 0);
}
END_TEST

/* RFC 4443 4.2: from an address of ours. */
START_TEST(an_echo_to_a_group_of_version_6_is_answered)
{
	static const uint8_t group[6] = { 0x33, 0x33, 0, 0, 0, 1 };
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	ip_kit_in(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 58, .to = "ff02::1", .mac = group },
		echo6("ff02::1", ip_kit_bytes(8, 1))));
	MUST(kit.sent_count == 1);
	const struct mrg_net_ip6 p = ip_kit_sent6(0);
	const struct ip from = ip_from6(mrg_net_ip6_source_address(&p));
	MUST(ip_mine(kit.s, &from));
	for (unsigned i = 0; i < 1000; i++)
		ip_kit_in(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 58, .to = "ff02::1", .mac = group },
			echo6("ff02::1", ip_kit_bytes(8, 1))));
	MUST(kit.sent_count > 1 && kit.sent_count < 100);
}
END_TEST

START_TEST(checksums)
{
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	static const uint16_t sums[] = { 0, 0xffff, 0x1234 };
	for (size_t i = 0; i < 3; i++) {
		const struct mrg_span m4 = echo4(ip_kit_bytes(8, 1)), m6 = echo6(NULL, ip_kit_bytes(8, 1));
		*ip_kit_at(m4, 2) = *ip_kit_at(m6, 2) = (uint8_t)(sums[i] >> 8);
		*ip_kit_at(m4, 3) = *ip_kit_at(m6, 3) = (uint8_t)sums[i];
		ip_kit_in(ip_kit_frame4(&icmp, m4));
		ip_kit_in(ip_kit_frame6(&icmp6, m6));
	}
	MUST(kit.sent_count == 0 && ip_kit_count("icmp_in_errors") == 6);
}
END_TEST

START_TEST(long_echoes_are_answered_in_fragments)
{
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	const struct mrg_span data = ip_kit_bytes(4000, 9), m = echo4(data);
	for (size_t at = 0; at < m.len; at += 1480) {
		const size_t len = m.len - at < 1480 ? m.len - at : 1480;
		ip_kit_in(ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 1,
						.id = 5,
						.offset = (uint16_t)(at / 8),
						.mf = at + len < m.len },
			(struct mrg_span){ m.p + at, len }));
	}
	MUST(kit.sent_count == 3);
	struct mrg_span all = { 0 };
	for (size_t i = 0; i < 3; i++) {
		const struct mrg_net_ip4 p = ip_kit_sent4(i);
		MUST(mrg_net_ip4_fragment_offset(&p) * 8u == all.len && mrg_net_ip4_mf(&p) == (i < 2));
		all = ip_kit_join(all, mrg_net_ip4_payload(&p));
	}
	struct mrg_net_icmp4 got;
	struct mrg_net_icmp4_echo e;
	MUST(mrg_net_icmp4_check(all, &got, NULL) == MRG_OK && mrg_net_icmp4_body_as_reply(&got, &e));
	MUST(mrg_span_eq(mrg_net_icmp4_echo_data(&e), data));
}
END_TEST

/* ---- errors that come ---- */

/* A packet of ours to 10.0.0.9, as a router quotes it. */
static struct mrg_span our4(uint8_t protocol, size_t payload_len)
{
	const struct mrg_span f = ip_kit_frame4(
		&(struct ip_kit_ip4){ .from = "10.0.0.2", .to = "10.0.0.9", .protocol = protocol },
		ip_kit_bytes(payload_len, 4));
	return (struct mrg_span){ f.p + 14, f.len - 14 };
}

static struct mrg_span our6(uint8_t next, size_t payload_len)
{
	const struct mrg_span f = ip_kit_frame6(
		&(struct ip_kit_ip6){ .from = "2001:db8::2", .to = "2001:db8::9", .next = next },
		ip_kit_bytes(payload_len, 4));
	return (struct mrg_span){ f.p + 14, f.len - 14 };
}

static void error4(const char *head, struct mrg_span quoted)
{
	ip_kit_clear();
	ip_kit_in(ip_kit_frame4(&(struct ip_kit_ip4){ .from = "10.0.0.254", .protocol = 1 },
		ip_kit_icmp4(ip_kit_join(ip_kit_hex(head), quoted))));
}

static void error6(const char *head, struct mrg_span quoted)
{
	ip_kit_clear();
	ip_kit_in(ip_kit_frame6(&icmp6, ip_kit_icmp6(NULL, NULL, ip_kit_join(ip_kit_hex(head), quoted))));
}

static void told(uint8_t protocol, enum ip_error_kind kind, uint16_t mtu, const char *to)
{
	const struct ip peer = ip_kit_ip(to);
	MUST_SAY(kit.got_count == 1 && kit.got[0].error, "%zu were told", kit.got_count);
	MUST(kit.got[0].protocol == protocol && kit.got[0].e.kind == kind &&
		ip_same(&kit.got[0].e.to, &peer));
	MUST_SAY(kind != IP_ERROR_TOO_BIG || kit.got[0].e.mtu == mtu, "MTU %u", kit.got[0].e.mtu);
}

START_TEST(errors_are_told_to_who_sent)
{
	static const struct {
		const char *head;
		enum ip_error_kind kind;
	} rows[] = { { "0300 0000 00000000", IP_ERROR_SOFT }, { "0301 0000 00000000", IP_ERROR_SOFT },
		{ "0302 0000 00000000", IP_ERROR_HARD }, { "0303 0000 00000000", IP_ERROR_HARD },
		{ "0305 0000 00000000", IP_ERROR_SOFT }, { "030d 0000 00000000", IP_ERROR_HARD },
		{ "0b00 0000 00000000", IP_ERROR_SOFT }, { "0c00 0000 14000000", IP_ERROR_SOFT } };
	ip_kit_open(1500, false);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		error4(rows[i].head, our4(6, 8));
		told(6, rows[i].kind, 0, "10.0.0.9");
		error4(rows[i].head, our4(17, 20));
		told(17, rows[i].kind, 0, "10.0.0.9");
	}
	static const struct {
		const char *head;
		enum ip_error_kind kind;
	} six[] = { { "0100 0000 00000000", IP_ERROR_SOFT }, { "0101 0000 00000000", IP_ERROR_HARD },
		{ "0103 0000 00000000", IP_ERROR_SOFT }, { "0104 0000 00000000", IP_ERROR_HARD },
		{ "0300 0000 00000000", IP_ERROR_SOFT }, { "0400 0000 00000006", IP_ERROR_SOFT },
		{ "0401 0000 00000006", IP_ERROR_HARD } };
	for (size_t i = 0; i < sizeof six / sizeof six[0]; i++) {
		error6(six[i].head, our6(6, 20));
		told(6, six[i].kind, 0, "2001:db8::9");
	}
	MUST(ip_kit_count("icmp_in_errors") == 0);
}
END_TEST

START_TEST(too_big)
{
	ip_kit_open(1500, false);
	error4("0304 0000 0000 0578", our4(6, 1460));
	told(6, IP_ERROR_TOO_BIG, 1400, "10.0.0.9");
	/* RFC 1191: floors, and routers of before it */
	error4("0304 0000 0000 0000", our4(6, 1480));
	told(6, IP_ERROR_TOO_BIG, 1492, "10.0.0.9");
	error4("0304 0000 0000 0043", our4(6, 1460));
	told(6, IP_ERROR_TOO_BIG, 552, "10.0.0.9");
	error4("0304 0000 0000 0001", our4(17, 1460));
	told(17, IP_ERROR_TOO_BIG, 552, "10.0.0.9");
	/* the packet was not as long as that */
	error4("0304 0000 0000 0578", our4(6, 100));
	MUST(kit.got_count == 0);
	error4("0304 0000 0000 0000", our4(6, 100));
	MUST(kit.got_count == 0);
	error6("0200 0000 00000578", our6(6, 1440));
	told(6, IP_ERROR_TOO_BIG, 1400, "2001:db8::9");
	/* RFC 8201 section 4: not below 1280 */
	static const char *const low[] = { "0200 0000 000004ff", "0200 0000 00000000", "0200 0000 00000043",
		"0200 0000 ffffffff" };
	for (size_t i = 0; i < 4; i++) {
		error6(low[i], our6(6, 1440));
		MUST(kit.got_count == 0);
	}
}
END_TEST

START_TEST(errors_about_what_we_did_not_send_are_passed_over)
{
	ip_kit_open(1500, false);
	const char *const head = "0303 0000 00000000", *const head6 = "0104 0000 00000000";
	/* too little of it, every truncation */
	const struct mrg_span whole = our4(6, 20), whole6 = our6(6, 20);
	for (size_t len = 0; len < whole.len; len++) {
		error4(head, (struct mrg_span){ whole.p, len });
		MUST(kit.got_count == (len >= 28));
	}
	for (size_t len = 0; len < whole6.len; len++) {
		error6(head6, (struct mrg_span){ whole6.p, len });
		MUST_SAY(kit.got_count == (len >= 48), "%zu octets of it", len);
	}
	/* not ours */
	const struct mrg_span other =
		ip_kit_frame4(&(struct ip_kit_ip4){ .from = "10.0.0.3", .to = "10.0.0.9", .protocol = 6 },
			ip_kit_bytes(20, 1));
	error4(head, (struct mrg_span){ other.p + 14, other.len - 14 });
	MUST(kit.got_count == 0);
	/* a later fragment */
	const struct mrg_span later = ip_kit_frame4(
		&(struct ip_kit_ip4){ .from = "10.0.0.2", .to = "10.0.0.9", .protocol = 6, .offset = 10 },
		ip_kit_bytes(20, 1));
	error4(head, (struct mrg_span){ later.p + 14, later.len - 14 });
	MUST(kit.got_count == 0);
	/* an error about an ICMP error of ours, and about nonsense */
	error4(head, our4(1, 8));
	error4(head, ip_kit_bytes(40, 1));
	error6(head6, our6(58, 8));
	error6(head6, ip_kit_bytes(80, 1));
	error6(head6, our6(44, 20));
	error6(head6, our6(0, 16));
	MUST(kit.got_count == 0 && kit.sent_count == 0);
}
END_TEST

START_TEST(redirects_and_source_quench_change_nothing)
{
	ip_kit_open(1500, false);
	const uint32_t era = kit.s->ip->era;
	error4("0501 0000 0a000003", our4(6, 20));
	error4("0400 0000 00000000", our4(6, 20));
	MUST(kit.got_count == 0 && kit.s->ip->era == era);
}
END_TEST

/* ---- errors that are sent ---- */

START_TEST(unknown_protocols_are_told)
{
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	const struct mrg_span f =
		ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 200 }, ip_kit_bytes(900, 1));
	ip_kit_in(f);
	MUST(kit.sent_count == 1);
	const struct mrg_net_icmp4 m = ip_kit_sent_icmp4(0);
	struct mrg_net_icmp4_unreachable u;
	MUST(mrg_net_icmp4_body_as_icmp4_unreachable(&m, &u) && mrg_net_icmp4_code(&m) == 2);
	/* RFC 1812 4.3.2.3: 576 octets in all */
	MUST(mrg_span_eq(
		mrg_net_icmp4_unreachable_original_datagram(&u), (struct mrg_span){ f.p + 14, 548 }));
	MUST(kit.sent[0].len == 14 + 576);
	ip_kit_clear();
	const struct mrg_span g = ip_kit_frame6(&(struct ip_kit_ip6){ .next = 200 }, ip_kit_bytes(1400, 1));
	ip_kit_in(g);
	MUST(kit.sent_count == 1);
	const struct mrg_net_icmp6 n = ip_kit_sent_icmp6(0);
	struct mrg_net_icmp6_problem p;
	MUST(mrg_net_icmp6_body_as_icmp6_problem(&n, &p) && mrg_net_icmp6_code(&n) == 1 &&
		mrg_net_icmp6_problem_pointer(&p) == 6);
	MUST(kit.sent[0].len == 14 + 1280);
	MUST(ip_kit_count("in_unknown_protos") == 2);
}
END_TEST

START_TEST(errors_are_not_sent_about)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 }, group[6] = { 1, 0, 0x5e, 0, 0, 1 };
	static const struct ip_kit_ip4 rows[] = { { .protocol = 200, .to = "10.0.0.255", .mac = all },
		{ .protocol = 200, .to = "224.0.0.1", .mac = group },
		{ .protocol = 200, .to = "255.255.255.255", .mac = all } };
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ip_kit_in(ip_kit_frame4(&rows[i], ip_kit_bytes(30, 1)));
	MUST(ip_kit_count("in_unknown_protos") == 3 && kit.sent_count == 0);
	/* ICMP errors: asked for directly, since none comes to where one would be sent */
	static const char *const heads[] = { "0300", "0303", "0400", "0501", "0b00", "0c00", "ff00", "03" };
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		const struct mrg_span f = ip_kit_frame4(&icmp, ip_kit_hex(heads[i]));
		const struct ip_in in = { .on = kit.on,
			.from = ip_kit_ip("10.0.0.1"),
			.to = ip_kit_ip("10.0.0.2"),
			.packet = { f.p + 14, f.len - 14 },
			.payload = { f.p + 34, f.len - 34 },
			.protocol = 1,
			.now_ns = kit.now_ns };
		icmp_port_unreachable(kit.s, &in);
	}
	MUST(kit.sent_count == 0);
	/* an ICMPv6 error with an option before it that nobody knows; then the same with an echo */
	const struct mrg_span option = ip_kit_hex("3a 00 c5 04 00000000");
	ip_kit_in(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 60 },
		ip_kit_join(option, ip_kit_hex("0104 0000 00000000 0000"))));
	MUST(kit.sent_count == 0);
	ip_kit_in(ip_kit_frame6(
		&(struct ip_kit_ip6){ .next = 60 }, ip_kit_join(option, ip_kit_hex("8000 0000 00000000"))));
	MUST(kit.sent_count == 1);
}
END_TEST

START_TEST(errors_are_limited)
{
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	for (unsigned i = 0; i < 10000; i++)
		ip_kit_in(ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 200 }, ip_kit_bytes(8, 1)));
	MUST_SAY(kit.sent_count >= 10 && kit.sent_count <= 60, "%zu errors", kit.sent_count);
	MUST(ip_kit_count("icmp_out_limited") == 10000 - kit.sent_count);
	ip_kit_run(SECOND);
	ip_kit_clear();
	for (unsigned i = 0; i < 1000; i++)
		ip_kit_in(ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 200 }, ip_kit_bytes(8, 1)));
	MUST(kit.sent_count >= 10 && kit.sent_count <= 60);
}
END_TEST

/* ---- pings of ours ---- */

struct heard {
	struct mrg_tcpip_ping ping; /* first */
	unsigned count;
	uint16_t sequence;
	size_t len;
	const char *error;
};

static void heard(struct mrg_tcpip_ping *p, const struct mrg_rt_addr *from, uint16_t sequence,
	struct mrg_span data, unsigned hop_limit, const char *error, uint64_t now_ns)
{
	struct heard *const h = p->ctx;
	(void)from, (void)hop_limit, (void)now_ns;
	h->count++;
	h->sequence = sequence;
	h->len = data.len;
	h->error = error;
}

static void ping(struct heard *h, const char *to, size_t len, const uint8_t reply)
{
	struct mrg_rt_addr a;
	MUST(mrg_rt_addr_read(to, 0, &a));
	ip_kit_clear();
	MUST(mrg_tcpip_ping_send(&h->ping, &a, 77, ip_kit_bytes(len, 2)) == MRG_IO_OK);
	MUST(kit.sent_count == 1);
	const struct mrg_span sent = { kit.sent[0].p + 14, kit.sent[0].len - 14 };
	struct mrg_span m = ip_kit_copy(sent);
	if (reply == 0) {
		m = (struct mrg_span){ m.p + 20, m.len - 20 };
		*ip_kit_at(m, 0) = 0;
		ip_kit_in(ip_kit_frame4(&icmp, ip_kit_icmp4(m)));
	} else {
		m = (struct mrg_span){ m.p + 40, m.len - 40 };
		*ip_kit_at(m, 0) = reply;
		ip_kit_in(ip_kit_frame6(&icmp6, ip_kit_icmp6(NULL, NULL, m)));
	}
	MUST(h->sequence == 77 && h->len == len && h->error == NULL);
	if (reply == 0) {
		error4("0301 0000 00000000", sent);
		MUST(h->error != NULL);
	} else {
		error6("0103 0000 00000000", sent);
		MUST(h->error != NULL);
	}
}

START_TEST(pings)
{
	struct heard a = { .ping = { .heard = heard } }, b = { .ping = { .heard = heard } };
	a.ping.ctx = &a;
	b.ping.ctx = &b;
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	mrg_tcpip_ping_open(kit.s, &a.ping);
	mrg_tcpip_ping_open(kit.s, &b.ping);
	MUST(a.ping.identifier != b.ping.identifier);
	ping(&a, "10.0.0.1", 56, 0);
	ping(&b, "[2001:db8::1]", 10, 129);
	ping(&b, "10.0.0.1", 0, 0);
	MUST(a.count == 2 && b.count == 4);
	mrg_tcpip_ping_close(&a.ping);
	mrg_tcpip_ping_close(&b.ping);
	mrg_tcpip_ping_close(&b.ping);
	ip_kit_in(ip_kit_frame4(&icmp, ip_kit_icmp4(ip_kit_hex("0000 0000 1234 0001"))));
	struct mrg_rt_addr nowhere;
	MUST(mrg_rt_addr_read("8.8.8.8", 0, &nowhere));
	mrg_tcpip_ping_open(kit.s, &a.ping);
	MUST(mrg_tcpip_ping_send(&a.ping, &nowhere, 1, ip_kit_bytes(1, 1)) == MRG_IO_RESET);
	/* to ourselves */
	ip_kit_clear();
	a.count = 0;
	MUST(mrg_rt_addr_read("127.0.0.1", 0, &nowhere) &&
		mrg_tcpip_ping_send(&a.ping, &nowhere, 9, ip_kit_bytes(3000, 1)) == MRG_IO_OK);
	MUST(a.count == 0);
	ip_kit_run(SECOND);
	MUST(a.count == 1 && a.sequence == 9 && a.len == 3000 && kit.sent_count == 0);
	MUST(mrg_rt_addr_read("[2001:db8::2]", 0, &nowhere) &&
		mrg_tcpip_ping_send(&a.ping, &nowhere, 9, ip_kit_bytes(3, 1)) == MRG_IO_OK);
	ip_kit_run(SECOND);
	MUST(a.count == 2 && kit.sent_count == 0);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/tcpip/icmp");
	TCase *const t = tcase_create("icmp");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, an_echo_is_answered);
	tcase_add_test(t, an_echo_of_version_6_is_answered);
	tcase_add_test(t, an_echo_of_a_stranger_is_answered);
	tcase_add_test(t, an_echo_to_all_is_not_answered);
	tcase_add_test(t, an_echo_to_a_group_of_version_6_is_answered);
	tcase_add_test(t, checksums);
	tcase_add_test(t, long_echoes_are_answered_in_fragments);
	tcase_add_test(t, errors_are_told_to_who_sent);
	tcase_add_test(t, too_big);
	tcase_add_test(t, errors_about_what_we_did_not_send_are_passed_over);
	tcase_add_test(t, redirects_and_source_quench_change_nothing);
	tcase_add_test(t, unknown_protocols_are_told);
	tcase_add_test(t, errors_are_not_sent_about);
	tcase_add_test(t, errors_are_limited);
	tcase_add_test(t, pings);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
