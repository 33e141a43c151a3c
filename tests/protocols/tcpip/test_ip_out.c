/*
 * protocols/tcpip, what goes out: ways, addresses to send from, path MTUs, checksums, fragments, packets to ourselves.
 * RFC 791, RFC 1122 3.3, RFC 1191, RFC 6724, RFC 6864, RFC 8200.
 */
#include <stdio.h>
#include <string.h>

#include "protocols/tcpip/ip_kit.h"
#include "protocols/tcpip/neighbor.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define SECOND MRG_RT_SECOND_NS

static struct mrg_rt_addr addr(const char *text)
{
	char bracketed[80];
	struct mrg_rt_addr a;
	snprintf(bracketed, sizeof bracketed, strchr(text, ':') != NULL ? "[%s]" : "%s", text);
	MUST(mrg_rt_addr_read(bracketed, 0, &a));
	return a;
}

static void route(const char *to, unsigned len, const char *by)
{
	const struct mrg_rt_addr t = addr(to), b = addr(by);
	MUST(mrg_tcpip_route_add(kit.on, &t, len, &b));
}

static void own(const char *text, unsigned len)
{
	const struct mrg_rt_addr a = addr(text);
	MUST(mrg_tcpip_address_add(kit.on, &a, len));
}

/* The neighbor that packets to `to` go to; "" none in particular. */
static const char *next_hop(const char *to)
{
	static char text[MRG_RT_ADDR_TEXT_MAX];
	struct ip_way w = { .to = ip_kit_ip(to) };
	struct mrg_rt_addr a;
	if (!ip_way_find(kit.s, &w))
		return "no way";
	if (w.neighbor == NEIGHBOR_NONE)
		return "";
	ip_to_rt(&kit.s->ip->neighbors->entry[w.neighbor].ip, 0, 0, &a);
	return mrg_rt_addr_host_str(&a, text);
}

static const char *source(const char *to)
{
	static char text[MRG_RT_ADDR_TEXT_MAX];
	struct ip_way w = { .to = ip_kit_ip(to), .only = 1 };
	struct mrg_rt_addr a;
	if (!ip_way_find(kit.s, &w))
		return "no way";
	ip_to_rt(&w.from, 0, 0, &a);
	return mrg_rt_addr_host_str(&a, text);
}

/* ---- ways ---- */

START_TEST(the_longest_prefix)
{
	ip_kit_open(1500, false);
	MUST(strcmp(next_hop("10.0.0.9"), "10.0.0.9") == 0 && strcmp(next_hop("8.8.8.8"), "no way") == 0);
	route("0.0.0.0", 0, "10.0.0.1");
	route("8.8.0.0", 16, "10.0.0.3");
	route("8.8.8.0", 23, "10.0.0.4");
	route("8.8.8.8", 32, "10.0.0.5");
	route("::", 0, "fe80::1");
	route("2001:db8:8000::", 33, "2001:db8::7");
	static const char *const rows[][2] = { { "9.9.9.9", "10.0.0.1" }, { "8.8.1.1", "10.0.0.3" },
		{ "8.8.9.255", "10.0.0.4" }, { "8.8.10.0", "10.0.0.3" }, { "8.8.8.8", "10.0.0.5" },
		{ "10.0.0.77", "10.0.0.77" }, { "10.0.1.77", "10.0.0.1" }, { "10.0.0.255", "" },
		{ "255.255.255.255", "" }, { "224.0.0.5", "" }, { "2001:db8::5", "2001:db8::5" },
		{ "2001:db8:8000::5", "2001:db8::7" }, { "2001:db8:7fff::5", "fe80::1" },
		{ "fe80::9", "fe80::9" }, { "ff02::5", "" }, { "0.0.0.0", "no way" }, { "::", "no way" },
		{ "240.0.0.1", "no way" }, { "10.0.0.2", "" }, { "127.5.5.5", "" }, { "::1", "" } };
	for (size_t i = 0; i < COUNT(rows); i++)
		MUST_SAY(strcmp(next_hop(rows[i][0]), rows[i][1]) == 0, "%s: %s", rows[i][0],
			next_hop(rows[i][0]));
}
END_TEST

START_TEST(a_way_is_looked_up_again)
{
	struct ip_way w = { .to = ip_kit_ip("8.8.8.8") };
	const struct mrg_span part = ip_kit_bytes(10, 1);
	const struct ip_out o = { .protocol = 17 };
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	MUST(ip_send(kit.s, &w, &o, &part, 1) == MRG_IO_RESET && ip_kit_count("out_no_routes") == 1);
	route("0.0.0.0", 0, "10.0.0.1");
	MUST(ip_send(kit.s, &w, &o, &part, 1) == MRG_IO_OK && kit.sent_count == 1);
	const uint32_t era = w.era;
	MUST(ip_send(kit.s, &w, &o, &part, 1) == MRG_IO_OK && w.era == era);
	route("8.8.8.0", 24, "10.0.0.3");
	MUST(ip_send(kit.s, &w, &o, &part, 1) == MRG_IO_OK && w.era != era);
	const struct ip router = ip_kit_ip("10.0.0.3");
	MUST(ip_same(&kit.s->ip->neighbors->entry[w.neighbor].ip, &router));
	const struct mrg_rt_addr a = addr("10.0.0.2");
	MUST(mrg_tcpip_address_remove(kit.on, &a));
	MUST(ip_send(kit.s, &w, &o, &part, 1) == MRG_IO_RESET); /* its address is not ours any more */
}
END_TEST

/* RFC 4861 6.3.6: of two routers the one that answers. */
START_TEST(a_router_that_is_down)
{
	ip_kit_open(1500, false);
	const struct mrg_rt_addr to = addr("0.0.0.0");
	(void)to;
	route("0.0.0.0", 0, "10.0.0.1");
	route("0.0.0.0", 0, "10.0.0.3");
	MUST(strcmp(next_hop("8.8.8.8"), "10.0.0.1") == 0);
	struct ip_way w = { .to = ip_kit_ip("8.8.8.8") };
	const struct mrg_span part = ip_kit_bytes(10, 1);
	MUST(ip_send(kit.s, &w, &(struct ip_out){ .protocol = 17 }, &part, 1) == MRG_IO_OK);
	ip_kit_run(4 * SECOND);
	MUST(strcmp(next_hop("8.8.8.8"), "10.0.0.3") == 0);
	ip_kit_know_peers();
	MUST(strcmp(next_hop("8.8.8.8"), "10.0.0.1") == 0);
}
END_TEST

START_TEST(routes_that_are_none)
{
	struct mrg_tcpip_limits l = mrg_tcpip_usual;
	l.route_count = 4;
	ip_kit_open_limits(&l, 1500, false); /* which takes three */
	const struct mrg_rt_addr zero = addr("0.0.0.0"), six = addr("::"), by = addr("10.0.0.1"),
				 group = addr("224.0.0.1");
	MUST(!mrg_tcpip_route_add(kit.on, &six, 0, &by) && !mrg_tcpip_route_add(kit.on, &zero, 0, &group));
	MUST(mrg_tcpip_route_add(kit.on, &zero, 0, &by) && mrg_tcpip_route_add(kit.on, &zero, 0, &by));
	MUST(!mrg_tcpip_route_add(kit.on, &zero, 1, &by));
	MUST(strcmp(next_hop("8.8.8.8"), "10.0.0.1") == 0);
}
END_TEST

START_TEST(addresses_to_send_from)
{
	ip_kit_open(1500, false);
	own("10.0.7.2", 24);
	own("2001:db8:7::2", 64);
	route("0.0.0.0", 0, "10.0.0.1");
	route("::", 0, "2001:db8::1");
	static const char *const rows[][2] = { { "10.0.0.9", "10.0.0.2" }, { "10.0.7.9", "10.0.7.2" },
		{ "2001:db8::9", "2001:db8::2" }, { "2001:db8:7::9", "2001:db8:7::2" },
		{ "2001:db8:7:1::9", "2001:db8:7::2" }, { "fe80::9", "fe80::ff:fe00:2" },
		{ "ff02::1", "fe80::ff:fe00:2" }, { "ff0e::1", "2001:db8:7::2" },
		{ "127.0.0.1", "127.0.0.1" }, { "10.0.7.2", "10.0.7.2" } };
	for (size_t i = 0; i < COUNT(rows); i++)
		MUST_SAY(strcmp(source(rows[i][0]), rows[i][1]) == 0 ||
				 (i == 7 && strncmp(source(rows[i][0]), "2001:", 5) == 0),
			"%s: %s", rows[i][0], source(rows[i][0]));
	const struct ip a = ip_kit_ip("2001:db8:7::2");
	address_deprecate(address_find(kit.s, &a), true);
	MUST(strcmp(source("2001:db8:7::9"), "2001:db8::2") == 0);
	address_deprecate(address_find(kit.s, &a), false);
	MUST(strcmp(source("2001:db8:7::9"), "2001:db8:7::2") == 0);
}
END_TEST

/* RFC 2131 4.1: from nobody to everybody, on one interface. */
START_TEST(without_an_address)
{
	struct ip_way w = { .to = ip_kit_ip("255.255.255.255"), .only = 1 },
		      anywhere = { .to = ip_kit_ip("255.255.255.255") };
	const struct mrg_span part = ip_kit_bytes(300, 1);
	const struct ip_out o = { .protocol = 17, .hop_limit = 32 };
	ip_kit_bare(&mrg_tcpip_usual, 1500, false);
	MUST(ip_if_index(kit.on) == 1 && ip_send(kit.s, &w, &o, &part, 1) == MRG_IO_OK);
	const struct mrg_net_ip4 p = ip_kit_sent4(0);
	MUST(memcmp(mrg_net_ip4_source_address(&p).p, "\0\0\0\0", 4) == 0 &&
		mrg_net_ip4_time_to_live(&p) == 32);
	MUST(memcmp(kit.sent[0].p, "\xff\xff\xff\xff\xff\xff", 6) == 0);
	w = (struct ip_way){ .from = ip_kit_ip("0.0.0.0"), .to = w.to, .only = 1 };
	MUST(ip_send(kit.s, &w, &o, &part, 1) == MRG_IO_OK && kit.sent_count == 2);
	MUST(ip_send(kit.s, &anywhere, &o, &part, 1) == MRG_IO_RESET);
	w = (struct ip_way){ .to = w.to, .only = 9 };
	MUST(ip_send(kit.s, &w, &o, &part, 1) == MRG_IO_RESET);
	own("10.0.0.2", 24);
	w = (struct ip_way){ .to = ip_kit_ip("255.255.255.255"), .only = 1 };
	MUST(ip_send(kit.s, &w, &o, &part, 1) == MRG_IO_OK);
	const struct mrg_net_ip4 q = ip_kit_sent4(2);
	MUST(memcmp(mrg_net_ip4_source_address(&q).p, "\x0a\0\0\2", 4) == 0);
}
END_TEST

START_TEST(groups)
{
	static const struct {
		const char *to, *mac;
	} rows[] = { { "224.0.0.251", "01005e0000fb" }, { "239.255.1.2", "01005e7f0102" },
		{ "232.129.1.2", "01005e010102" }, { "ff02::fb", "3333000000fb" },
		{ "ff02::1:ff12:3456", "3333ff123456" } };
	ip_kit_open(1500, false);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ip_way w = { .to = ip_kit_ip(rows[i].to) };
		const struct mrg_span part = ip_kit_bytes(20, 1);
		MUST(ip_send(kit.s, &w, &(struct ip_out){ .protocol = 17 }, &part, 1) == MRG_IO_OK);
		MUST(memcmp(kit.sent[i].p, ip_kit_hex(rows[i].mac).p, 6) == 0);
		if (i < 3) {
			const struct mrg_net_ip4 p = ip_kit_sent4(i);
			MUST(mrg_net_ip4_time_to_live(&p) == 1);
		} else {
			const struct mrg_net_ip6 p = ip_kit_sent6(i);
			MUST(mrg_net_ip6_hop_limit(&p) == 1);
		}
	}
}
END_TEST

START_TEST(router_alerts)
{
	ip_kit_open(1500, false);
	struct ip_way w = { .to = ip_kit_ip("224.0.0.22") }, v = { .to = ip_kit_ip("ff02::16") };
	const struct mrg_span part = ip_kit_bytes(16, 1);
	MUST(ip_send(kit.s, &w, &(struct ip_out){ .protocol = 2, .router_alert = true }, &part, 1) ==
		MRG_IO_OK);
	MUST(ip_send(kit.s, &v, &(struct ip_out){ .protocol = 58, .hop_limit = 1, .router_alert = true },
		     &part, 1) == MRG_IO_OK);
	const struct mrg_net_ip4 p = ip_kit_sent4(0);
	MUST(mrg_span_eq(mrg_net_ip4_options(&p), ip_kit_hex("94040000")) &&
		mrg_span_eq(mrg_net_ip4_payload(&p), part));
	const struct mrg_net_ip6 q = ip_kit_sent6(1);
	MUST(mrg_net_ip6_next_header(&q) == 0);
	MUST(mrg_span_eq(mrg_net_ip6_payload(&q), ip_kit_join(ip_kit_hex("3a 00 05 02 0000 01 00"), part)));
}
END_TEST

/* ---- headers and checksums ---- */

static uint16_t sum_of(const struct ip *from, const struct ip *to, uint8_t protocol, struct mrg_span payload)
{
	uint64_t sum = ip_pseudo_sum(from, to, protocol, payload.len);
	for (size_t i = 0; i < payload.len; i++)
		sum += i % 2 ? payload.p[i] : (uint64_t)payload.p[i] << 8;
	return mrg_inet16_end(sum);
}

/* A transport header of `head` octets with its sum at `at`, and data in parts of all lengths. */
static void try_sum(bool four, size_t head, uint16_t at, size_t a, size_t b, bool sums)
{
	struct ip_way w = { .to = ip_kit_ip(four ? "10.0.0.1" : "2001:db8::1") };
	const uint8_t protocol = at == 6 ? 17 : 6;
	struct mrg_span h = ip_kit_bytes(head, 5);
	MUST(ip_way_find(kit.s, &w) && ip_way_sums(kit.s, &w) == sums);
	const uint16_t pseudo =
		(uint16_t)~mrg_inet16_end(ip_pseudo_sum(&w.from, &w.to, protocol, head + a + b));
	*ip_kit_at(h, at) = (uint8_t)(pseudo >> 8);
	*ip_kit_at(h, (size_t)at + 1) = (uint8_t)pseudo;
	const struct mrg_span parts[] = { h, ip_kit_bytes(a, 6), ip_kit_bytes(b, 7) };
	const struct mrg_span before = ip_kit_copy(h);
	ip_kit_clear();
	MUST(ip_send(kit.s, &w,
		     &(struct ip_out){ .protocol = protocol, .summed = true, .sum_at = at, .whole = true },
		     parts, 3) == MRG_IO_OK);
	MUST(kit.sent_count == 1 && mrg_span_eq(before, h));
	const size_t front = four ? 34 : 54;
	struct mrg_span payload = { kit.sent[0].p + front, kit.sent[0].len - front };
	MUST(payload.len == head + a + b);
	if (sums) {
		MUST(kit.sent[0].work.sum_from == front && kit.sent[0].work.sum_at == front + at);
		MUST(memcmp(payload.p, h.p, head) == 0);
	} else {
		MUST(kit.sent[0].work.sum_at == 0 && sum_of(&w.from, &w.to, protocol, payload) == 0);
		MUST(payload.p[at] != 0 || payload.p[at + 1] != 0 || protocol == 6);
	}
	MUST(memcmp(payload.p + head, parts[1].p, a) == 0 &&
		memcmp(payload.p + head + a, parts[2].p, b) == 0);
}

START_TEST(checksums_are_completed)
{
	for (int sums = 0; sums < 2; sums++) {
		ip_kit_open(1500, sums);
		ip_kit_know_peers();
		for (int four = 0; four < 2; four++)
			for (size_t a = 0; a < 12; a++) {
				try_sum(four, 8, 6, a, 30 + a, sums);
				try_sum(four, 20, 16, a, 3, sums);
				try_sum(four, 60, 16, 64 + a, 1301 - a, sums);
				try_sum(four, 8, 6, a, 0, sums);
			}
	}
}
END_TEST

/* The sum of UDP that comes to 0 is sent as ffff. */
START_TEST(a_sum_of_zero)
{
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	struct ip_way w = { .to = ip_kit_ip("10.0.0.1") };
	MUST(ip_way_find(kit.s, &w));
	struct mrg_span h = ip_kit_hex("0001 0002 000a 0000 0000");
	const uint16_t rest = sum_of(&w.from, &w.to, 17, h);
	*ip_kit_at(h, 8) = (uint8_t)(rest >> 8);
	*ip_kit_at(h, 9) = (uint8_t)rest;
	const uint16_t pseudo = (uint16_t)~mrg_inet16_end(ip_pseudo_sum(&w.from, &w.to, 17, 10));
	*ip_kit_at(h, 6) = (uint8_t)(pseudo >> 8);
	*ip_kit_at(h, 7) = (uint8_t)pseudo;
	MUST(ip_send(kit.s, &w, &(struct ip_out){ .protocol = 17, .summed = true, .sum_at = 6 }, &h, 1) ==
		MRG_IO_OK);
	MUST(kit.sent[0].p[40] == 0xff && kit.sent[0].p[41] == 0xff);
	/* a place that is not there */
	MUST(ip_send(kit.s, &w, &(struct ip_out){ .protocol = 17, .summed = true, .sum_at = 10 }, &h, 1) ==
		MRG_IO_RESET);
	MUST(ip_send(kit.s, &w, &(struct ip_out){ .protocol = 17, .summed = true, .sum_at = 9 }, &h, 1) ==
		MRG_IO_RESET);
}
END_TEST

START_TEST(what_is_asked_of_a_header)
{
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	struct ip_way w = { .to = ip_kit_ip("10.0.0.1") }, v = { .to = ip_kit_ip("2001:db8::1") };
	const struct mrg_span part = ip_kit_bytes(33, 1);
	const struct ip_out o = { .protocol = 6, .dscp = 46, .ecn = 2, .hop_limit = 7, .whole = true };
	MUST(ip_send(kit.s, &w, &o, &part, 1) == MRG_IO_OK && ip_send(kit.s, &v, &o, &part, 1) == MRG_IO_OK);
	const struct mrg_net_ip4 p = ip_kit_sent4(0);
	MUST(mrg_net_ip4_dscp(&p) == 46 && mrg_net_ip4_ecn(&p) == 2 && mrg_net_ip4_time_to_live(&p) == 7 &&
		mrg_net_ip4_df(&p));
	const struct mrg_net_ip6 q = ip_kit_sent6(1);
	MUST(mrg_net_ip6_dscp(&q) == 46 && mrg_net_ip6_ecn(&q) == 2 && mrg_net_ip6_hop_limit(&q) == 7);
	/* RFC 6864: what may be fragmented has a number of its own */
	uint16_t last = 0;
	for (size_t i = 0; i < 50; i++) {
		ip_kit_clear();
		MUST(ip_send(kit.s, &w, &(struct ip_out){ .protocol = 17 }, &part, 1) == MRG_IO_OK);
		const struct mrg_net_ip4 r = ip_kit_sent4(0);
		MUST(mrg_net_ip4_identification(&r) != last && !mrg_net_ip4_df(&r) &&
			mrg_net_ip4_time_to_live(&r) == 64);
		last = mrg_net_ip4_identification(&r);
	}
	/* nothing at all, and too many parts */
	MUST(ip_send(kit.s, &w, &o, NULL, 0) == MRG_IO_OK);
	const struct mrg_span many[8] = { part, part, part, part, part, part, part, part };
	MUST(ip_send(kit.s, &w, &o, many, 7) == MRG_IO_OK && ip_send(kit.s, &w, &o, many, 8) == MRG_IO_RESET);
}
END_TEST

START_TEST(links_that_fail)
{
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	struct ip_way w = { .to = ip_kit_ip("10.0.0.1") };
	const struct mrg_span part = ip_kit_bytes(33, 1), longer = ip_kit_bytes(4000, 1);
	const struct ip_out o = { .protocol = 17 };
	for (int i = 0; i < 2; i++) {
		kit.outcome = i ? MRG_IO_RESET : MRG_IO_AGAIN;
		MUST(ip_send(kit.s, &w, &o, &part, 1) == kit.outcome &&
			ip_send(kit.s, &w, &o, &longer, 1) == kit.outcome);
	}
	MUST(ip_kit_count("out_discards") == 4);
	kit.outcome = MRG_IO_OK;
	MUST(ip_send(kit.s, &w, &o, &part, 1) == MRG_IO_OK);
}
END_TEST

/* ---- lengths ---- */

START_TEST(fragments_go_out)
{
	static const size_t lens[] = { 1481, 1500, 2960, 2961, 4000, 20000, 65515 };
	ip_kit_open(1500, true);
	ip_kit_know_peers();
	for (size_t i = 0; i < COUNT(lens); i++)
		for (int four = 0; four < 2; four++) {
			struct ip_way w = { .to = ip_kit_ip(four ? "10.0.0.1" : "2001:db8::1") };
			const size_t len = lens[i];
			struct mrg_span h = ip_kit_bytes(8, 5);
			MUST(ip_way_find(kit.s, &w));
			const uint16_t pseudo =
				(uint16_t)~mrg_inet16_end(ip_pseudo_sum(&w.from, &w.to, 17, len));
			*ip_kit_at(h, 6) = (uint8_t)(pseudo >> 8);
			*ip_kit_at(h, 7) = (uint8_t)pseudo;
			const size_t third = (len - 8) / 3;
			const struct mrg_span data = ip_kit_bytes(len - 8, 9);
			const struct mrg_span parts[] = { h, { data.p, third }, { data.p + third, 0 },
				{ data.p + third, len - 8 - third } };
			ip_kit_clear();
			MUST(ip_send(kit.s, &w,
				     &(struct ip_out){
					     .protocol = 17, .summed = true, .sum_at = 6, .whole = true },
				     parts, 4) == MRG_IO_RESET);
			MUST(kit.sent_count == 0);
			MUST(ip_send(kit.s, &w,
				     &(struct ip_out){ .protocol = 17, .summed = true, .sum_at = 6 }, parts,
				     4) == MRG_IO_OK);
			struct mrg_span all = { 0 };
			uint32_t id = 0;
			for (size_t k = 0; k < kit.sent_count; k++) {
				const bool more = k + 1 < kit.sent_count;
				MUST(kit.sent[k].len <= 1514 && kit.sent[k].work.sum_at == 0);
				if (four) {
					const struct mrg_net_ip4 p = ip_kit_sent4(k);
					MUST(mrg_net_ip4_fragment_offset(&p) * 8u == all.len &&
						mrg_net_ip4_mf(&p) == more);
					MUST(k == 0 || id == mrg_net_ip4_identification(&p));
					id = mrg_net_ip4_identification(&p);
					all = ip_kit_join(all, mrg_net_ip4_payload(&p));
				} else {
					const struct mrg_net_ip6 p = ip_kit_sent6(k);
					struct mrg_net_ip6_fragment f;
					MUST(mrg_net_ip6_next_header(&p) == 44 &&
						mrg_net_ip6_fragment_check(
							mrg_net_ip6_payload(&p), &f, NULL) == MRG_OK);
					MUST(mrg_net_ip6_fragment_fragment_offset(&f) * 8u == all.len &&
						mrg_net_ip6_fragment_m_flag(&f) == more);
					MUST(k == 0 || id == mrg_net_ip6_fragment_identification(&f));
					id = mrg_net_ip6_fragment_identification(&f);
					all = ip_kit_join(all, mrg_net_ip6_fragment_fragment(&f));
				}
			}
			MUST(all.len == len && sum_of(&w.from, &w.to, 17, all) == 0 &&
				memcmp(all.p + 8, data.p, len - 8) == 0);
		}
	MUST(ip_kit_count("out_frag_fails") == 2 * COUNT(lens) &&
		ip_kit_count("out_frag_oks") == 2 * COUNT(lens));
	struct ip_way w = { .to = ip_kit_ip("10.0.0.1") };
	const struct mrg_span part = ip_kit_bytes(65516, 1);
	MUST(ip_send(kit.s, &w, &(struct ip_out){ .protocol = 17 }, &part, 1) == MRG_IO_RESET);
}
END_TEST

static uint32_t label(const char *to, uint8_t protocol, const char *hex, size_t more)
{
	struct ip_way w = { .to = ip_kit_ip(to) };
	const struct mrg_span parts[] = { ip_kit_hex(hex), ip_kit_bytes(more, 1) };
	ip_kit_clear();
	MUST(ip_send(kit.s, &w, &(struct ip_out){ .protocol = protocol }, parts, 2) == MRG_IO_OK);
	const struct mrg_net_ip6 first = ip_kit_sent6(0), last = ip_kit_sent6(kit.sent_count - 1);
	MUST(mrg_net_ip6_flow_label(&first) == mrg_net_ip6_flow_label(&last));
	return mrg_net_ip6_flow_label(&first);
}

/* RFC 6437 section 3: one label for each flow, none of them 0, spread evenly, and not the same on another machine. */
START_TEST(flow_labels)
{
	enum { COUNT = 4096, CLASSES = 16 };
	static uint32_t seen[COUNT];
	unsigned spread[CLASSES] = { 0 }, near = 0;
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	const uint32_t one = label("2001:db8::1", 17, "1388 0035 0000 0000", 10);
	MUST(one != 0 && one == label("2001:db8::1", 17, "1388 0035 9999 1111", 99));
	MUST(one == label("2001:db8::1", 17, "1388 0035 0000 0000", 5000)); /* of all fragments */
	MUST(one != label("2001:db8::1", 6, "1388 0035 0000 0000", 10));
	MUST(one != label("2001:db8::1", 17, "1389 0035 0000 0000", 10));
	MUST(one != label("2001:db8::1", 17, "1388 0036 0000 0000", 10));
	MUST(one != label("ff02::9", 17, "1388 0035 0000 0000", 10));
	/* others have no ports */
	MUST(label("2001:db8::1", 58, "80 00 0000 0001 0001", 9) ==
		label("2001:db8::1", 58, "81 00 0000 0002 0001", 9));
	for (unsigned i = 0; i < COUNT; i++) {
		char ports[20];
		snprintf(ports, sizeof ports, "%04x 0035 0000 0000", 1024 + i);
		seen[i] = label("2001:db8::1", 17, ports, 1);
		MUST(seen[i] != 0 && seen[i] < 1u << 20);
		spread[seen[i] >> 16]++;
		near += i != 0 && seen[i] - seen[i - 1] + 1000u < 2000u;
	}
	for (unsigned i = 0; i < CLASSES; i++)
		MUST_SAY(spread[i] > 180 && spread[i] < 340, "%u of class %u", spread[i], i);
	MUST_SAY(near < 30, "%u are near the last one", near);
	kit.s->ip->mix[0] ^= 1;
	MUST(one != label("2001:db8::1", 17, "1388 0035 0000 0000", 10));
}
END_TEST

START_TEST(path_mtus)
{
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	struct ip_way w = { .to = ip_kit_ip("10.0.0.1") }, v = { .to = ip_kit_ip("2001:db8::1") };
	const struct mrg_span part = ip_kit_bytes(1400, 1);
	MUST(ip_way_mtu(kit.s, &w) == 1500 && ip_way_mtu(kit.s, &v) == 1500);
	ip_path_mtu(kit.s, &w.to, 1400);
	ip_path_mtu(kit.s, &v.to, 1300);
	MUST(ip_way_mtu(kit.s, &w) == 1400 && ip_way_mtu(kit.s, &v) == 1300);
	MUST(ip_send(kit.s, &w, &(struct ip_out){ .protocol = 6, .whole = true }, &part, 1) == MRG_IO_RESET);
	MUST(ip_send(kit.s, &w, &(struct ip_out){ .protocol = 17 }, &part, 1) == MRG_IO_OK &&
		kit.sent_count == 2);
	/* never up again, never below what is sound */
	ip_path_mtu(kit.s, &w.to, 1450);
	MUST(ip_way_mtu(kit.s, &w) == 1400);
	ip_path_mtu(kit.s, &w.to, 0);
	ip_path_mtu(kit.s, &v.to, 68);
	MUST(ip_way_mtu(kit.s, &w) == 552 && ip_way_mtu(kit.s, &v) == 1280);
	ip_kit_run(599 * SECOND);
	MUST(ip_way_mtu(kit.s, &w) == 552);
	ip_kit_run(2 * SECOND);
	MUST(ip_way_mtu(kit.s, &w) == 1500 && ip_way_mtu(kit.s, &v) == 1500);
	/* of many a few are known, and it ends */
	char to[32];
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(to, sizeof to, "10.%u.%u.7", i / 250, i % 250);
		const struct ip a = ip_kit_ip(to);
		ip_path_mtu(kit.s, &a, 1000);
	}
	ip_kit_run(700 * SECOND);
	struct ip_way nowhere = { .to = ip_kit_ip("8.8.8.8") };
	MUST(ip_way_mtu(kit.s, &nowhere) == 0 && ip_way_cut_max(kit.s, &nowhere) == 0 &&
		!ip_way_sums(kit.s, &nowhere));
}
END_TEST

START_TEST(links_that_cut)
{
	ip_kit_open(1500, true);
	ip_kit_know_peers();
	struct ip_way w = { .to = ip_kit_ip("10.0.0.1") };
	const struct mrg_span parts[] = { ip_kit_bytes(32, 1), ip_kit_bytes(29200, 2) };
	const struct ip_out o = { .protocol = 6,
		.whole = true,
		.summed = true,
		.sum_at = 16,
		.segment_len = 1448,
		.transport_len = 32 };
	MUST(ip_way_cut_max(kit.s, &w) > 60000);
	MUST(ip_send(kit.s, &w, &o, parts, 2) == MRG_IO_OK && kit.sent_count == 1);
	const struct mrg_frame_work *const work = &kit.sent[0].work;
	MUST(work->cut == MRG_FRAME_TCP4 && work->segment_len == 1448 && work->header_len == 66 &&
		work->sum_from == 34 && work->sum_at == 50);
	kit.link.cut_max = 20000;
	MUST(ip_send(kit.s, &w, &o, parts, 2) == MRG_IO_RESET);
	kit.link.cut_max = 0;
	MUST(ip_way_cut_max(kit.s, &w) == 0 && ip_send(kit.s, &w, &o, parts, 2) == MRG_IO_RESET);
}
END_TEST

/* ---- to ourselves ---- */

START_TEST(packets_to_ourselves)
{
	static const char *const to[] = { "10.0.0.2", "127.0.0.1", "127.8.8.8", "2001:db8::2", "::1",
		"fe80::ff:fe00:2" };
	ip_kit_open(1500, false);
	for (size_t i = 0; i < COUNT(to); i++) {
		struct ip_way w = { .to = ip_kit_ip(to[i]) };
		const struct mrg_span part = ip_kit_bytes(100, 1);
		ip_kit_clear();
		MUST(ip_send(kit.s, &w, &(struct ip_out){ .protocol = 6, .summed = true, .sum_at = 16 },
			     &part, 1) == MRG_IO_OK);
		MUST(kit.got_count == 0); /* not from within */
		ip_kit_run(1);
		MUST_SAY(kit.got_count == 1 && mrg_span_eq(kit.got[0].in.payload, part), "%s", to[i]);
		MUST(kit.got[0].in.sum_ok && !kit.got[0].in.to_many && kit.sent_count == 0 &&
			ip_same(&kit.got[0].in.to, &w.to));
		MUST(ip_is4(&w.to) ? ip_same(&kit.got[0].in.from, &w.to) : true);
	}
	/* as many as there is room for */
	struct ip_way w = { .to = ip_kit_ip("127.0.0.1") };
	const struct mrg_span part = ip_kit_bytes(1, 1);
	size_t taken = 0;
	ip_kit_clear();
	for (unsigned i = 0; i < 1000; i++)
		taken += ip_send(kit.s, &w, &(struct ip_out){ .protocol = 17 }, &part, 1) == MRG_IO_OK;
	MUST(taken == 64 && ip_kit_count("loop_full") == 936);
	ip_kit_run(1);
	MUST(kit.got_count == 64);
	MUST(ip_send(kit.s, &w, &(struct ip_out){ .protocol = 17 }, &part, 1) == MRG_IO_OK);
}
END_TEST

/* RFC 1112 section 6.1: a member hears what he says to the group himself; ICMP does not. */
START_TEST(groups_that_we_are_in)
{
	static const char *const group[] = { "224.0.0.1", "ff02::1", "224.0.0.9", "ff02::9" };
	const struct mrg_span octets = ip_kit_bytes(100, 3);
	ip_kit_open(1500, false);
	for (size_t i = 0; i < COUNT(group); i++) {
		struct ip_way w = { .to = ip_kit_ip(group[i]), .only = 1 };
		ip_kit_clear();
		MUST(ip_send(kit.s, &w, &(struct ip_out){ .protocol = 17 }, &octets, 1) == MRG_IO_OK);
		MUST(kit.sent_count == 1 && kit.got_count == 0); /* not within the call */
		ip_kit_run(1);
		MUST_SAY(kit.got_count == (i < 2), "%s", group[i]);
		MUST(i >= 2 || (kit.got[0].in.to_many && ip_same(&kit.got[0].in.to, &w.to) &&
				       ip_same(&kit.got[0].in.from, &w.from) &&
				       mrg_span_eq(kit.got[0].in.payload, octets)));
		ip_kit_clear();
		MUST(ip_send(kit.s, &w, &(struct ip_out){ .protocol = i % 2 == 0 ? 1 : 58 }, &octets, 1) ==
			MRG_IO_OK);
		ip_kit_run(1);
		MUST(kit.sent_count == 1 && kit.got_count == 0);
	}
}
END_TEST

/* ---- sums ---- */

static uint64_t slow(uint64_t sum, const uint8_t *p, size_t len, size_t odd)
{
	uint64_t part = 0;
	for (size_t i = 0; i < len; i++)
		part += i % 2 ? p[i] : (uint64_t)p[i] << 8;
	while (part > 0xffff)
		part = (part & 0xffff) + (part >> 16);
	return sum + (odd & 1 ? (part & 0xff) << 8 | part >> 8 : part);
}

/* gen/support/mrg.h: each length, each place, whatever the octets. */
START_TEST(sums_of_all_lengths)
{
	any_begin(3);
	for (unsigned kind = 0; kind < 4; kind++)
		for (size_t len = 0; len < 300; len++)
			for (size_t off = 0; off < 8; off++) {
				uint8_t p[320];
				for (size_t i = 0; i < sizeof p; i++)
					p[i] = kind == 0   ? 0xff
					       : kind == 1 ? 0
					       : kind == 2 ? (uint8_t)any(256)
					       : i == off  ? 1
							   : 0;
				const struct mrg_span s = guarded((struct mrg_span){ p + off, len });
				for (size_t odd = 0; odd < 2; odd++)
					MUST_SAY(mrg_inet16_end(mrg_inet16_add(5, s.p, len, odd)) ==
							 mrg_inet16_end(slow(5, p + off, len, odd)),
						"%zu octets", len);
			}
	const struct mrg_span ones = ip_kit_bytes(70000, 1);
	memset(ip_kit_at(ones, 0), 0xff, ones.len);
	MUST(mrg_inet16_end(mrg_inet16_add(0, ones.p, ones.len, 0)) ==
		mrg_inet16_end(slow(0, ones.p, ones.len, 0)));
}
END_TEST

/* ---- memory ---- */

START_TEST(too_small_an_arena)
{
	static uint8_t memory[4 << 20];
	uint64_t now_ns = 1;
	struct mrg_rt_timers timers = { 0 };
	const struct mrg_tcpip_world world = { .timers = &timers, .now_ns = &now_ns };
	struct mrg_tcpip_limits l = mrg_tcpip_usual;
	l.neighbor_count = 8;
	l.reassembly_len = 1;
	const size_t need = mrg_tcpip_memory(&l);
	MUST(need <= sizeof memory);
	unsigned opened = 0;
	for (size_t len = 0; len < need; len += need / 97) {
		struct mrg_arena a = { .p = memory, .cap = len };
		memset(memory, 0, len);
		opened += mrg_tcpip_open(&a, &l, &world) != NULL;
	}
	MUST(opened < 60);
	struct mrg_arena a = { .p = memory, .cap = need };
	memset(memory, 0, need);
	MUST(mrg_tcpip_open(&a, &l, &world) != NULL);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/tcpip/out");
	TCase *const t = tcase_create("out");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, the_longest_prefix);
	tcase_add_test(t, a_way_is_looked_up_again);
	tcase_add_test(t, a_router_that_is_down);
	tcase_add_test(t, routes_that_are_none);
	tcase_add_test(t, addresses_to_send_from);
	tcase_add_test(t, without_an_address);
	tcase_add_test(t, groups);
	tcase_add_test(t, router_alerts);
	tcase_add_test(t, checksums_are_completed);
	tcase_add_test(t, a_sum_of_zero);
	tcase_add_test(t, what_is_asked_of_a_header);
	tcase_add_test(t, links_that_fail);
	tcase_add_test(t, fragments_go_out);
	tcase_add_test(t, flow_labels);
	tcase_add_test(t, path_mtus);
	tcase_add_test(t, links_that_cut);
	tcase_add_test(t, packets_to_ourselves);
	tcase_add_test(t, groups_that_we_are_in);
	tcase_add_test(t, sums_of_all_lengths);
	tcase_add_test(t, too_small_an_arena);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
