/*
 * protocols/tcpip, what comes in: frames, and the headers of both versions of IP.
 * IEEE 802.1Q, RFC 791, RFC 1122 3.2.1, RFC 8200, RFC 5095, RFC 6946.
 */
#include "protocols/tcpip/ip_kit.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const uint8_t all_mac[6] = { 255, 255, 255, 255, 255, 255 }, group_mac[6] = { 1, 0, 0x5e, 0, 0, 1 },
		     group_mac6[6] = { 0x33, 0x33, 0, 0, 0, 1 }, foreign_mac[6] = { 2, 0, 0, 0, 0, 9 };

static struct mrg_span udp(void) { return ip_kit_hex("0035 1000 000c 0000 01020304"); }

/* How many were handed on since the last time. */
static size_t handed_on(struct mrg_span frame)
{
	const size_t before = kit.got_count;
	ip_kit_in(frame);
	const size_t n = kit.got_count - before;
	if (kit.got_count > KIT_INPUTS_MAX / 2)
		kit.got_count = 0;
	return n;
}

/* ---- frames ---- */

START_TEST(frames_for_others)
{
	ip_kit_open(1500, false);
	const struct ip_kit_ip4 v4 = { .protocol = 17 };
	MUST(handed_on(ip_kit_frame4(&v4, udp())) == 1);
	MUST(handed_on(ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 17, .mac = foreign_mac }, udp())) ==
		0);
	MUST(handed_on(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 17, .mac = foreign_mac }, udp())) == 0);
	MUST(ip_kit_count("if_in_foreign") == 2);
	/* our own, come back */
	struct mrg_span f = ip_kit_frame4(&v4, udp());
	memcpy(ip_kit_at(f, 6), ip_kit_mac, 6);
	MUST(handed_on(f) == 0 && ip_kit_count("if_in_foreign") == 3);
	/* RFC 1122 3.3.6: to all of the link, but to one address */
	MUST(handed_on(ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 17, .mac = all_mac }, udp())) == 0);
	MUST(handed_on(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 17, .mac = group_mac6 }, udp())) == 0);
	MUST(ip_kit_count("in_addr_errors") == 2);
}
END_TEST

START_TEST(types_of_frames)
{
	ip_kit_open(1500, false);
	const struct mrg_span packet = ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 17 }, udp());
	const struct mrg_span ip = { packet.p + 14, packet.len - 14 };
	MUST(handed_on(ip_kit_frame(ip_kit_mac, ip_kit_peer_mac, 0x88cc, ip)) == 0);
	MUST(handed_on(ip_kit_frame(ip_kit_mac, ip_kit_peer_mac, 20, ip)) == 0);
	MUST(handed_on(ip_kit_frame(ip_kit_mac, ip_kit_peer_mac, 0x86dd, ip)) == 0);
	MUST(ip_kit_count("if_in_unknown_protos") == 2 && ip_kit_count("in_hdr_errors") == 1);
	for (size_t len = 0; len < 14; len++)
		ip_kit_in((struct mrg_span){ packet.p, len });
	MUST(ip_kit_count("if_in_short") == 14);
}
END_TEST

START_TEST(tags)
{
	static const struct {
		const char *tags;
		size_t count;
	} rows[] = { { "8100 0000", 1 }, { "8100 a000", 1 }, { "8100 0064", 0 }, { "88a8 0000", 1 },
		{ "88a8 0000 8100 0000", 1 }, { "88a8 0001 8100 0000", 0 }, { "88a8 0000 8100 0fff", 0 },
		{ "8100 0000 8100 0000 8100 0000", 0 } };
	ip_kit_open(1500, false);
	const struct mrg_span f = ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 17 }, udp());
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct mrg_span front =
			ip_kit_join((struct mrg_span){ f.p, 12 }, ip_kit_hex(rows[i].tags));
		MUST_SAY(handed_on(ip_kit_join(front, (struct mrg_span){ f.p + 12, f.len - 12 })) ==
				 rows[i].count,
			"%s", rows[i].tags);
	}
	MUST(ip_kit_count("if_in_tagged") == 3);
}
END_TEST

START_TEST(padding_is_taken_off)
{
	ip_kit_open(1500, false);
	ip_kit_in(ip_kit_join(
		ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 17 }, udp()), ip_kit_bytes(30, 1)));
	ip_kit_in(ip_kit_join(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 17 }, udp()), ip_kit_bytes(30, 1)));
	MUST(kit.got_count == 2);
	for (size_t i = 0; i < 2; i++)
		MUST(mrg_span_eq(kit.got[i].in.payload, udp()) &&
			kit.got[i].in.packet.len == (i == 0 ? 32 : 52));
}
END_TEST

START_TEST(what_the_link_did_is_passed_on)
{
	ip_kit_open(1500, true);
	ip_kit_in_work(ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 6, .ecn = 3 }, ip_kit_bytes(4000, 1)),
		(struct mrg_frame_work){ .sum_ok = true, .cut = MRG_FRAME_TCP4, .segment_len = 1460 });
	ip_kit_in_work(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 6, .hop_limit = 3 }, ip_kit_bytes(40, 1)),
		(struct mrg_frame_work){ .sum_ok = true });
	ip_kit_in(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 6 }, ip_kit_bytes(40, 1)));
	MUST(kit.got[0].in.sum_ok && kit.got[0].in.segment_len == 1460 && kit.got[0].in.ecn == 3 &&
		kit.got[0].in.on == kit.on);
	MUST(kit.got[1].in.sum_ok && kit.got[1].in.segment_len == 0 && kit.got[1].in.hop_limit == 3 &&
		kit.got[1].in.ecn == 0);
	MUST(!kit.got[2].in.sum_ok);
}
END_TEST

/* ---- version 4 ---- */

/* The header's checksum made right again, as the sender of something bad would. */
static struct mrg_span resum(struct mrg_span f)
{
	uint32_t sum = 0;
	const size_t len = (size_t)(f.p[14] & 15) * 4 < 20 ? 20 : (size_t)(f.p[14] & 15) * 4;
	*ip_kit_at(f, 24) = *ip_kit_at(f, 25) = 0;
	for (size_t i = 0; i < len && 15 + i < f.len; i += 2)
		sum += (uint32_t)f.p[14 + i] << 8 | f.p[15 + i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	*ip_kit_at(f, 24) = (uint8_t)(sum >> 8);
	*ip_kit_at(f, 25) = (uint8_t)sum;
	return f;
}

static struct mrg_span usual4(void) { return ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 17 }, udp()); }

static struct mrg_span poked4(size_t at, unsigned value)
{
	const struct mrg_span f = usual4();
	*ip_kit_at(f, 14 + at) = (uint8_t)value;
	return resum(f);
}

START_TEST(header4_lengths)
{
	ip_kit_open(1500, false);
	MUST(handed_on(resum(usual4())) == 1);
	for (unsigned ihl = 0; ihl < 16; ihl++)
		/* what is UDP's header otherwise, is options then, which end at once; 9 and more are longer than the packet */
		MUST_SAY(handed_on(poked4(0, 0x40 | ihl)) == (ihl >= 5 && ihl <= 8), "IHL %u", ihl);
	for (unsigned version = 0; version < 16; version++)
		MUST(handed_on(poked4(0, version << 4 | 5)) == (version == 4));
	/* total length: below the header, as it is, above the frame */
	for (unsigned len = 0; len < 256; len++)
		MUST_SAY(handed_on(poked4(3, len)) == (len >= 20 && len <= 32), "total length %u", len);
	MUST(handed_on(poked4(2, 1)) == 0 && handed_on(poked4(2, 255)) == 0);
}
END_TEST

START_TEST(checksum4)
{
	static const unsigned sums[] = { 0, 0xffff, 0x1234 };
	ip_kit_open(1500, false);
	for (size_t i = 0; i < COUNT(sums); i++) {
		const struct mrg_span f = usual4();
		*ip_kit_at(f, 24) = (uint8_t)(sums[i] >> 8);
		*ip_kit_at(f, 25) = (uint8_t)sums[i];
		MUST(handed_on(f) == 0);
	}
	MUST(ip_kit_count("in_hdr_errors") == 3);
}
END_TEST

/* RFC 1122 3.2.1.7: a host does not look at it. */
START_TEST(ttl_0_and_1_are_taken)
{
	ip_kit_open(1500, false);
	MUST(handed_on(ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 17, .ttl = 1 }, udp())) == 1);
	MUST(handed_on(ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 17, .ttl_zero = true }, udp())) == 1);
}
END_TEST

START_TEST(sources4)
{
	static const char *const bad[] = { "10.0.0.2", "10.0.0.255", "255.255.255.255", "224.0.0.1",
		"239.1.2.3", "127.0.0.1", "127.1.2.3", "0.0.0.0", "0.1.2.3", "240.0.0.1", "254.255.255.255" };
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	for (size_t i = 0; i < COUNT(bad); i++) {
		MUST_SAY(handed_on(ip_kit_frame4(
				 &(struct ip_kit_ip4){ .protocol = 17, .from = bad[i] }, udp())) == 0,
			"%s", bad[i]);
		MUST(handed_on(ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 6, .from = bad[i] },
			     ip_kit_bytes(20, 1))) == 0);
		ip_kit_in(ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 1, .from = bad[i] },
			ip_kit_icmp4(ip_kit_hex("0800 0000 0001 0001"))));
		ip_kit_in(ip_kit_frame4(
			&(struct ip_kit_ip4){ .protocol = 99, .from = bad[i] }, ip_kit_bytes(20, 1)));
	}
	MUST(kit.sent_count == 0 && ip_kit_count("in_martians") == 4 * COUNT(bad));
	static const char *const good[] = { "10.0.0.254", "8.8.8.8", "169.254.3.4", "223.255.255.254",
		"128.0.0.1" };
	for (size_t i = 0; i < COUNT(good); i++)
		MUST(handed_on(ip_kit_frame4(
			     &(struct ip_kit_ip4){ .protocol = 17, .from = good[i] }, udp())) == 1);
	/* groups may be asked about by who has no address */
	ip_kit_in(ip_kit_frame4(
		&(struct ip_kit_ip4){ .protocol = 2, .from = "0.0.0.0", .to = "224.0.0.1", .mac = group_mac },
		ip_kit_bytes(8, 1)));
	MUST(kit.group_inputs == 1);
}
END_TEST

START_TEST(destinations4)
{
	static const struct {
		const char *to;
		const uint8_t *mac;
		bool taken, many;
	} rows[] = { { "10.0.0.2", NULL, true, false }, { "10.0.0.3", NULL, false, false },
		{ "10.0.0.255", all_mac, true, true }, { "10.0.0.255", NULL, true, true },
		{ "255.255.255.255", all_mac, true, true }, { "224.0.0.1", group_mac, true, true },
		{ "224.0.0.5", group_mac, false, false }, { "127.0.0.1", NULL, false, false },
		{ "0.0.0.0", NULL, false, false }, { "0.0.0.0", all_mac, false, false },
		{ "10.0.1.255", all_mac, false, false }, { "240.0.0.1", NULL, false, false } };
	ip_kit_open(1500, false);
	for (size_t i = 0; i < COUNT(rows); i++) {
		ip_kit_clear();
		ip_kit_in(ip_kit_frame4(
			&(struct ip_kit_ip4){ .protocol = 17, .to = rows[i].to, .mac = rows[i].mac }, udp()));
		MUST_SAY(kit.got_count == rows[i].taken, "%s", rows[i].to);
		MUST(!rows[i].taken || kit.got[0].in.to_many == rows[i].many);
	}
}
END_TEST

START_TEST(options4)
{
	static const struct {
		const char *options;
		bool taken, told;
		unsigned pointer;
	} rows[] = { { "01010101", true, false, 0 }, { "00000000", true, false, 0 },
		{ "00ffffff", true, false, 0 }, { "94040000", true, false, 0 },
		{ "07070400 00000000", true, false, 0 }, { "f0040000", true, false, 0 },
		/* kind with a length of 0, 1, and beyond the header */
		{ "f0000000", false, true, 21 }, { "f0010000", false, true, 21 },
		{ "f0050000", false, true, 22 }, { "010101f0", false, true, 24 },
		{ "0728040000000000", false, true, 22 },
		/* source routes, loose and strict, finished or not */
		{ "83070401 02030400", false, false, 0 }, { "83070801 02030400", false, false, 0 },
		{ "89070401 02030400", false, false, 0 }, { "01830304", false, false, 0 },
		{ "83020000", false, true, 22 }, { "83030000", false, true, 22 } };
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	for (size_t i = 0; i < COUNT(rows); i++) {
		ip_kit_clear();
		ip_kit_run(MRG_RT_SECOND_NS);
		ip_kit_know_peers();
		ip_kit_in(ip_kit_frame4(
			&(struct ip_kit_ip4){ .protocol = 17, .options = ip_kit_hex(rows[i].options) },
			udp()));
		MUST_SAY(kit.got_count == rows[i].taken, "%s", rows[i].options);
		MUST_SAY(kit.sent_count == rows[i].told, "%s", rows[i].options);
		if (rows[i].told) {
			const struct mrg_net_icmp4 m = ip_kit_sent_icmp4(0);
			struct mrg_net_icmp4_problem p;
			MUST(mrg_net_icmp4_body_as_icmp4_problem(&m, &p));
			MUST_SAY(mrg_net_icmp4_problem_pointer(&p) == rows[i].pointer, "%s: %u",
				rows[i].options, mrg_net_icmp4_problem_pointer(&p));
		} else if (rows[i].taken) {
			MUST(mrg_span_eq(kit.got[0].in.payload, udp()));
		}
	}
}
END_TEST

/* RFC 2131 4.1: a lease may be offered to the address that is offered, before it is ours. */
START_TEST(without_an_address)
{
	ip_kit_bare(&mrg_tcpip_usual, 1500, false);
	const struct ip_kit_ip4 offer = { .protocol = 17, .to = "10.0.0.77" };
	MUST(handed_on(ip_kit_frame4(&offer, udp())) == 0);
	MUST(handed_on(ip_kit_frame4(
		     &(struct ip_kit_ip4){ .protocol = 17, .to = "255.255.255.255", .mac = all_mac },
		     udp())) == 1);
	kit.on->dhcp_listens = true;
	MUST(handed_on(ip_kit_frame4(&offer, udp())) == 1);
	MUST(handed_on(ip_kit_frame4(
		     &(struct ip_kit_ip4){ .protocol = 6, .to = "10.0.0.77" }, ip_kit_bytes(20, 1))) == 0);
	MUST(handed_on(ip_kit_frame4(
		     &(struct ip_kit_ip4){ .protocol = 17, .to = "10.0.0.77", .mac = all_mac }, udp())) == 0);
}
END_TEST

/* ---- version 6 ---- */

START_TEST(addresses6)
{
	static const char *const from[] = { "2001:db8::2", "ff02::1", "ff0e::5", "::1", "::ffff:10.0.0.1",
		"::10.0.0.1", "::" };
	static const char *const to[] = { "2001:db8::3", "::1", "::", "::ffff:10.0.0.2", "ff02::5", "ff01::1",
		"fe80::9" };
	ip_kit_open(1500, false);
	for (size_t i = 0; i < COUNT(from); i++)
		MUST_SAY(handed_on(ip_kit_frame6(
				 &(struct ip_kit_ip6){ .next = 17, .from = from[i] }, udp())) == 0,
			"%s", from[i]);
	MUST(ip_kit_count("in_martians") == COUNT(from));
	for (size_t i = 0; i < COUNT(to); i++) {
		/* as IPv4-mapped text would be read as what it maps, octets are put in */
		const struct mrg_span f =
			ip_kit_frame6(&(struct ip_kit_ip6){ .next = 17, .to = to[i] }, udp());
		MUST_SAY(handed_on(f) == 0, "%s", to[i]);
	}
	MUST(ip_kit_count("in_addr_errors") == COUNT(to));
	MUST(handed_on(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 17, .to = "fe80::2" }, udp())) == 0);
	MUST(handed_on(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 17, .to = "fe80::ff:fe00:2" }, udp())) ==
		1);
	MUST(handed_on(ip_kit_frame6(
		     &(struct ip_kit_ip6){ .next = 17, .to = "ff02::1", .mac = group_mac6 }, udp())) == 1);
	MUST(handed_on(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 17, .from = "fe80::1" }, udp())) == 1);
}
END_TEST

START_TEST(header6_lengths)
{
	ip_kit_open(1500, false);
	for (unsigned version = 0; version < 16; version++) {
		const struct mrg_span f = ip_kit_frame6(&(struct ip_kit_ip6){ .next = 17 }, udp());
		*ip_kit_at(f, 14) = (uint8_t)(version << 4);
		MUST(handed_on(f) == (version == 6));
	}
	for (unsigned len = 0; len < 256; len++) {
		const struct mrg_span f = ip_kit_frame6(&(struct ip_kit_ip6){ .next = 17 }, udp());
		*ip_kit_at(f, 19) = (uint8_t)len;
		MUST_SAY(handed_on(f) == (len <= 12), "payload length %u", len);
	}
}
END_TEST

/* Extension headers in front of the datagram, and what becomes of it. */
struct chain {
	const char *name;
	uint8_t next;
	const char *headers;
	bool taken;
	int code; /* of Parameter Problem; -1: none is sent */
	unsigned pointer;
};

static const struct chain chains[] = {
	{ "destination options", 60, "11 00 01 04 00000000", true, -1, 0 },
	{ "Pad1 only", 60, "11 00 00 00 00000000", true, -1, 0 },
	{ "hop-by-hop, then destination", 0, "3c 00 01 04 00000000 11 00 01 04 00000000", true, -1, 0 },
	{ "hop-by-hop not first", 60, "00 00 01 04 00000000 11 00 01 04 00000000", false, 1, 40 },
	{ "hop-by-hop twice", 0, "00 00 01 04 00000000 11 00 01 04 00000000", false, 1, 40 },
	{ "longer than the packet", 60, "11 09 01 04 00000000", false, 0, 0 },
	{ "hop-by-hop longer than the packet", 0, "11 ff 01 04 00000000", false, 0, 0 },
	{ "option longer than its header", 60, "11 00 01 05 00000000", false, 0, 0 },
	{ "unknown, to be passed over", 60, "11 00 1e 04 00000000", true, -1, 0 },
	{ "unknown, to be dropped", 60, "11 00 5e 04 00000000", false, -1, 0 },
	{ "unknown, to be reported", 60, "11 00 9e 04 00000000", false, 2, 42 },
	{ "unknown, to be reported unless by multicast", 60, "11 00 de 04 00000000", false, 2, 42 },
	{ "unknown behind others", 60, "11 01 01 04 00000000 00 00 9e 04 00000000", false, 2, 50 },
	{ "jumbo in a packet that is none", 0, "11 00 c2 04 00010000", false, 2, 42 },
	{ "jumbo of impossible length", 0, "11 00 c2 04 00000010", false, 0, 0 },
	{ "home address", 60, "11 02 c9 10 20010db8 00000000 00000000 00000001 01 02 0000", false, 2, 42 },
	{ "routing type 0 with segments left", 43, "11 02 00 01 00000000 20010db8 00000000 00000000 00000009",
		false, 0, 42 },
	{ "routing type 0 without", 43, "11 02 00 00 00000000 20010db8 00000000 00000000 00000009", true, -1,
		0 },
	{ "unknown routing type with segments left", 43, "11 00 fd 01 00000000", false, 0, 42 },
	{ "unknown routing type without", 43, "11 00 fd 00 00000000", true, -1, 0 },
	{ "routing longer than the packet", 43, "11 09 fd 00 00000000", false, 0, 40 },
	{ "authentication", 51, "11 04 0000 00000001 00000001 000000000000000000000000", true, -1, 0 },
	{ "authentication too short", 51, "11 00 0000 00000001", false, 0, 40 },
	{ "encrypted", 50, "00000001 00000001", false, 1, 6 },
	{ "nothing follows", 59, "", false, -1, 0 },
	{ "unknown protocol behind options", 60, "fd 00 01 04 00000000", false, 1, 40 },
	{ "atomic fragment", 44, "11 00 0000 00000001", true, -1, 0 },
	{ "two atomic fragments", 44, "2c 00 0000 00000001 11 00 0000 00000002", false, -1, 0 },
	{ "atomic fragment, then hop-by-hop", 44, "00 00 0000 00000001 11 00 01 04 00000000", false, 1, 40 },
	{ "fragment of uneven length", 44, "11 00 0001 00000001", false, 0, 4 },
	{ "fragment that ends too far", 44, "11 00 fff8 00000001", false, 0, 42 },
	{ "seven headers", 60,
		"3c 00 01 04 00000000 3c 00 01 04 00000000 3c 00 01 04 00000000 3c 00 01 04 00000000 "
		"3c 00 01 04 00000000 3c 00 01 04 00000000 11 00 01 04 00000000",
		true, -1, 0 },
};

START_TEST(extension_headers)
{
	ip_kit_open(1500, false);
	for (size_t i = 0; i < COUNT(chains); i++) {
		const struct chain *const c = &chains[i];
		ip_kit_run(MRG_RT_SECOND_NS);
		ip_kit_know_peers();
		ip_kit_in(ip_kit_frame6(
			&(struct ip_kit_ip6){ .next = c->next }, ip_kit_join(ip_kit_hex(c->headers), udp())));
		MUST_SAY(kit.got_count == c->taken, "%s", c->name);
		MUST_SAY(kit.sent_count == (c->code >= 0), "%s: %zu errors", c->name, kit.sent_count);
		if (c->taken)
			MUST(kit.got[0].in.protocol == 17 && mrg_span_eq(kit.got[0].in.payload, udp()));
		if (c->code < 0)
			continue;
		const struct mrg_net_icmp6 m = ip_kit_sent_icmp6(0);
		struct mrg_net_icmp6_problem p;
		MUST_SAY(mrg_net_icmp6_body_as_icmp6_problem(&m, &p) && mrg_net_icmp6_code(&m) == c->code,
			"%s: code %u", c->name, mrg_net_icmp6_code(&m));
		MUST_SAY(c->pointer == 0 || mrg_net_icmp6_problem_pointer(&p) == c->pointer, "%s: pointer %u",
			c->name, mrg_net_icmp6_problem_pointer(&p));
	}
}
END_TEST

START_TEST(a_hundred_headers)
{
	struct mrg_span headers = { 0 };
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	for (unsigned i = 0; i < 100; i++)
		headers = ip_kit_join(
			headers, ip_kit_hex(i < 99 ? "3c 00 01 04 00000000" : "11 00 01 04 00000000"));
	MUST(handed_on(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 60 }, ip_kit_join(headers, udp()))) == 0);
	MUST(ip_kit_count("in_hdr_errors") == 1 && kit.sent_count == 0);
}
END_TEST

START_TEST(jumbograms)
{
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	const struct mrg_span f = ip_kit_frame6(&(struct ip_kit_ip6){ .next = 0 },
		ip_kit_join(ip_kit_hex("11 00 c2 04 00011000"), ip_kit_bytes(69624, 1)));
	MUST(handed_on(f) == 0);
	/* length 0 although there is something */
	const struct mrg_span g = ip_kit_frame6(
		&(struct ip_kit_ip6){ .next = 0 }, ip_kit_join(ip_kit_hex("11 00 01 04 00000000"), udp()));
	*ip_kit_at(g, 18) = *ip_kit_at(g, 19) = 0;
	MUST(handed_on(g) == 0);
}
END_TEST

START_TEST(options_to_a_group)
{
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	const struct ip_kit_ip6 to = { .next = 60, .to = "ff02::1", .mac = group_mac6 };
	ip_kit_in(ip_kit_frame6(&to, ip_kit_join(ip_kit_hex("11 00 de 04 00000000"), udp())));
	MUST(kit.sent_count == 0);
	ip_kit_in(ip_kit_frame6(&to, ip_kit_join(ip_kit_hex("11 00 9e 04 00000000"), udp())));
	MUST(kit.sent_count == 1);
}
END_TEST

/* ---- whatever comes ---- */

static void mangle(struct mrg_span f)
{
	for (size_t len = 0; len <= f.len; len++)
		(void)handed_on((struct mrg_span){ f.p, len });
	for (size_t bit = 0; bit < f.len * 8; bit++) {
		*ip_kit_at(f, bit / 8) ^= (uint8_t)(0x80 >> bit % 8);
		(void)handed_on(f);
		if (f.len > 34 && bit >= 14 * 8 && f.p[12] == 8 && f.p[13] == 0) {
			const struct mrg_span g = resum(ip_kit_copy(f));
			(void)handed_on(g);
		}
		*ip_kit_at(f, bit / 8) ^= (uint8_t)(0x80 >> bit % 8);
	}
	MUST(handed_on(ip_kit_join(f, ip_kit_bytes(1, 1))) +
			handed_on(ip_kit_join(f, ip_kit_bytes(1000, 1))) <=
		2);
}

START_TEST(truncations_and_flipped_bits)
{
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	mangle(usual4());
	mangle(ip_kit_frame4(
		&(struct ip_kit_ip4){ .protocol = 17, .options = ip_kit_hex("07070400 00000000 94040000") },
		udp()));
	mangle(ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 1 },
		ip_kit_icmp4(ip_kit_hex("0800 0000 0001 0001 aabbccdd"))));
	mangle(ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 17, .mf = true }, ip_kit_bytes(64, 1)));
	mangle(ip_kit_frame(all_mac, ip_kit_peer_mac, 0x0806,
		ip_kit_hex("0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002")));
	mangle(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 17 }, udp()));
	mangle(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 58, .hop_limit = 255 },
		ip_kit_icmp6(NULL, NULL,
			ip_kit_hex(
				"8700 0000 00000000 20010db8 00000000 00000000 00000002 01 01 020000000001"))));
	mangle(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 58, .hop_limit = 255 },
		ip_kit_icmp6(NULL, NULL,
			ip_kit_hex(
				"8800 0000 60000000 20010db8 00000000 00000000 00000001 02 01 020000000001"))));
	for (size_t i = 0; i < COUNT(chains); i++)
		mangle(ip_kit_frame6(&(struct ip_kit_ip6){ .next = chains[i].next },
			ip_kit_join(ip_kit_hex(chains[i].headers), udp())));
	/* it still works */
	ip_kit_run(100 * MRG_RT_SECOND_NS);
	ip_kit_know_peers();
	ip_kit_in(ip_kit_frame4(
		&(struct ip_kit_ip4){ .protocol = 1 }, ip_kit_icmp4(ip_kit_hex("0800 0000 0001 0001"))));
	MUST(kit.sent_count == 1);
}
END_TEST

START_TEST(frames_by_chance)
{
	ip_kit_open(1500, false);
	any_begin(42);
	for (unsigned i = 0; i < 60000; i++) {
		uint8_t p[200];
		const size_t len = any(sizeof p);
		for (size_t k = 0; k < len; k++)
			p[k] = (uint8_t)any(256);
		if (len >= 14) {
			memcpy(p, any(2) ? ip_kit_mac : all_mac, 6);
			p[12] = any(2) ? 0x08 : 0x86;
			p[13] = p[12] == 0x86 ? 0xdd : any(4) == 0 ? 0x06 : 0;
		}
		if (len > 60) {
			p[14] = p[13] == 0xdd ? 0x60 : 0x45;
			p[16] = 0;
			p[17] = (uint8_t)(len - 14);
			memcpy(p + 30, "\x0a\0\0\2", 4);
		}
		struct mrg_span f = ip_kit_copy((struct mrg_span){ p, len });
		if (len > 60 && p[13] == 0)
			f = resum(f);
		(void)handed_on(f);
		kit.sent_count = 0;
	}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/tcpip/in");
	TCase *const t = tcase_create("in");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, frames_for_others);
	tcase_add_test(t, types_of_frames);
	tcase_add_test(t, tags);
	tcase_add_test(t, padding_is_taken_off);
	tcase_add_test(t, what_the_link_did_is_passed_on);
	tcase_add_test(t, header4_lengths);
	tcase_add_test(t, checksum4);
	tcase_add_test(t, ttl_0_and_1_are_taken);
	tcase_add_test(t, sources4);
	tcase_add_test(t, destinations4);
	tcase_add_test(t, options4);
	tcase_add_test(t, without_an_address);
	tcase_add_test(t, addresses6);
	tcase_add_test(t, header6_lengths);
	tcase_add_test(t, extension_headers);
	tcase_add_test(t, a_hundred_headers);
	tcase_add_test(t, jumbograms);
	tcase_add_test(t, options_to_a_group);
	tcase_add_test(t, truncations_and_flipped_bits);
	tcase_add_test(t, frames_by_chance);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
