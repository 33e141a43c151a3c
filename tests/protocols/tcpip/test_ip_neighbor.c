/*
 * protocols/tcpip, neighbors: ARP, Neighbor Discovery, what waits for them; claims and defence of addresses.
 * RFC 826, RFC 4861 7, RFC 4862 5.4, RFC 5227.
 */
#include <stdio.h>
#include <string.h>

#include "protocols/tcpip/ip_kit.h"
#include "protocols/tcpip/neighbor.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define SECOND MRG_RT_SECOND_NS

static const uint8_t all_mac[6] = { 255, 255, 255, 255, 255, 255 }, other_mac[6] = { 2, 0, 0, 0, 0, 7 };

/* A message of ARP from 02:00:00:00:00:01 unless `mac` says another one. */
static struct mrg_span arp(
	const uint8_t *to, unsigned operation, const uint8_t *mac, const char *sender, const char *target)
{
	const struct ip s = ip_kit_ip(sender), t = ip_kit_ip(target);
	uint8_t *const p =
		ip_kit_at(ip_kit_hex("0001 0800 06 04 0000 000000000000 00000000 000000000000 00000000"), 0);
	p[7] = (uint8_t)operation;
	memcpy(p + 8, mac != NULL ? mac : ip_kit_peer_mac, 6);
	memcpy(p + 14, ip_wire(&s).p, 4);
	memcpy(p + 18, ip_kit_mac, 6);
	memcpy(p + 24, ip_wire(&t).p, 4);
	return ip_kit_frame(to, mac != NULL ? mac : ip_kit_peer_mac, 0x0806, (struct mrg_span){ p, 28 });
}

static const char *state(const char *address)
{
	const struct ip a = ip_kit_ip(address);
	const struct neighbor *const n = neighbor_find(kit.on, &a);
	return n == NULL ? "none" : mrg_net_neighbor_state_str(n->machine.state);
}

static struct mrg_span mac_of(const char *address)
{
	const struct ip a = ip_kit_ip(address);
	const struct neighbor *const n = neighbor_find(kit.on, &a);
	MUST(n != NULL);
	return (struct mrg_span){ n->head, 6 };
}

static bool is_mac(struct mrg_span mac, const uint8_t *wanted)
{
	return mrg_span_eq(mac, (struct mrg_span){ wanted, 6 });
}

static enum mrg_io send_to(const char *to, size_t len)
{
	struct ip_way w = { .to = ip_kit_ip(to) };
	const struct mrg_span part = ip_kit_bytes(len, 1);
	return ip_send(kit.s, &w, &(struct ip_out){ .protocol = 17 }, &part, 1);
}

/* ---- ARP ---- */

START_TEST(requests_are_answered)
{
	ip_kit_open(1500, false);
	ip_kit_in(arp(all_mac, 1, NULL, "10.0.0.1", "10.0.0.2"));
	MUST(kit.sent_count == 1);
	const struct mrg_net_arp m = ip_kit_sent_arp(0);
	MUST(mrg_net_arp_operation(&m) == 2 && memcmp(kit.sent[0].p, ip_kit_peer_mac, 6) == 0);
	MUST(is_mac(mrg_net_arp_sender_hardware_address(&m), ip_kit_mac) &&
		is_mac(mrg_net_arp_target_hardware_address(&m), ip_kit_peer_mac));
	MUST(memcmp(mrg_net_arp_sender_protocol_address(&m).p, "\x0a\0\0\2", 4) == 0);
	MUST(memcmp(mrg_net_arp_target_protocol_address(&m).p, "\x0a\0\0\1", 4) == 0);
	MUST(strcmp(state("10.0.0.1"), "Stale") == 0 && is_mac(mac_of("10.0.0.1"), ip_kit_peer_mac));
	/* asked of us alone, by who has no address yet, with padding */
	ip_kit_clear();
	ip_kit_in(arp(ip_kit_mac, 1, NULL, "10.0.0.1", "10.0.0.2"));
	ip_kit_in(arp(all_mac, 1, NULL, "0.0.0.0", "10.0.0.2"));
	ip_kit_in(ip_kit_join(arp(all_mac, 1, NULL, "10.0.0.1", "10.0.0.2"), ip_kit_bytes(18, 0)));
	MUST(kit.sent_count == 3 && strcmp(state("0.0.0.0"), "none") == 0);
	/* of others */
	ip_kit_clear();
	ip_kit_in(arp(all_mac, 1, NULL, "10.0.0.9", "10.0.0.3"));
	ip_kit_in(arp(all_mac, 1, NULL, "10.0.0.9", "127.0.0.1"));
	MUST(kit.sent_count == 0 && strcmp(state("10.0.0.9"), "none") == 0);
}
END_TEST

START_TEST(bad_senders_are_not_learned)
{
	static const uint8_t group[6] = { 1, 0, 0x5e, 0, 0, 1 };
	static const struct {
		const uint8_t *mac;
		const char *sender;
	} rows[] = { { group, "10.0.0.1" }, { all_mac, "10.0.0.1" }, { ip_kit_mac, "10.0.0.1" },
		{ NULL, "224.0.0.1" }, { NULL, "127.0.0.1" }, { NULL, "255.255.255.255" },
		{ NULL, "10.0.0.255" }, { NULL, "240.0.0.1" }, { NULL, "10.0.0.2" } };
	ip_kit_open(1500, false);
	for (size_t i = 0; i < COUNT(rows); i++)
		for (unsigned operation = 1; operation <= 2; operation++) {
			ip_kit_clear();
			ip_kit_in(arp(all_mac, operation, rows[i].mac, rows[i].sender, "10.0.0.2"));
			MUST_SAY(strcmp(state(rows[i].sender), "none") == 0, "row %zu", i);
			MUST_SAY(kit.sent_count == (i == 8 && operation == 1), "row %zu",
				i); /* the last one is defended against, once */
		}
}
END_TEST

START_TEST(short_and_strange_messages)
{
	ip_kit_open(1500, false);
	const struct mrg_span f = arp(all_mac, 1, NULL, "10.0.0.1", "10.0.0.2");
	for (size_t len = 14; len < f.len; len++)
		ip_kit_in((struct mrg_span){ f.p, len });
	static const struct {
		size_t at;
		uint8_t value;
	} bad[] = { { 15, 6 }, { 16, 0x86 }, { 18, 8 }, { 19, 16 }, { 18, 0 }, { 19, 0 } };
	for (size_t i = 0; i < COUNT(bad); i++) {
		const struct mrg_span g = ip_kit_copy(f);
		*ip_kit_at(g, bad[i].at) = bad[i].value;
		ip_kit_in(g);
	}
	MUST(kit.sent_count == 0 && ip_kit_count("arp_in_errors") == 28 + COUNT(bad) &&
		strcmp(state("10.0.0.1"), "none") == 0);
	for (unsigned operation = 0; operation < 256; operation++)
		if (operation != 1)
			ip_kit_in(arp(all_mac, operation, NULL, "10.0.0.1", "10.0.0.2"));
	MUST(kit.sent_count == 0 && strcmp(state("10.0.0.1"), "none") == 0);
}
END_TEST

START_TEST(packets_wait_for_the_answer)
{
	ip_kit_open(1500, false);
	for (size_t i = 0; i < 18; i++)
		MUST(send_to("10.0.0.1", 100 + i) == MRG_IO_OK);
	MUST(kit.sent_count == 1 && ip_kit_count("neighbor_wait_dropped") == 2);
	const struct mrg_net_arp ask = ip_kit_sent_arp(0);
	MUST(mrg_net_arp_operation(&ask) == 1 && memcmp(kit.sent[0].p, all_mac, 6) == 0);
	ip_kit_clear();
	/* an answer to somebody else's question does */
	ip_kit_in(arp(ip_kit_mac, 2, NULL, "10.0.0.1", "10.0.0.2"));
	MUST(kit.sent_count == 16 && strcmp(state("10.0.0.1"), "Reachable") == 0);
	for (size_t i = 0; i < 16; i++) { /* the oldest went first */
		const struct mrg_net_ip4 p = ip_kit_sent4(i);
		MUST(mrg_net_ip4_payload(&p).len == 102 + i &&
			memcmp(kit.sent[i].p, ip_kit_peer_mac, 6) == 0);
	}
	/* unsolicited answers about others change nothing */
	ip_kit_in(arp(ip_kit_mac, 2, other_mac, "10.0.0.5", "10.0.0.2"));
	MUST(strcmp(state("10.0.0.5"), "none") == 0);
}
END_TEST

/* What was sent from the frame `at` on: the fragments of one packet of `len` octets, one behind the other. */
static size_t fragments_from(size_t at, size_t len)
{
	size_t got = 0;
	for (bool more = true; more; at++) {
		const struct mrg_net_ip4 p = ip_kit_sent4(at);
		MUST((size_t)mrg_net_ip4_fragment_offset(&p) * 8 == got);
		got += mrg_net_ip4_payload(&p).len;
		more = mrg_net_ip4_mf(&p);
	}
	MUST_SAY(got == len, "%zu octets of %zu", got, len);
	return at;
}

/* RFC 1122 section 2.3.2.2: a packet waits with all its fragments, and goes with all of them. */
START_TEST(fragments_wait_together)
{
	ip_kit_open(1500, false);
	MUST(send_to("10.0.0.1", 9000) == MRG_IO_OK);
	ip_kit_clear();
	ip_kit_in(arp(ip_kit_mac, 2, NULL, "10.0.0.1", "10.0.0.2"));
	MUST(fragments_from(0, 9000) == 7 && kit.sent_count == 7);
	/* the newest sixteen, whole */
	ip_kit_open(1500, false);
	for (size_t i = 0; i < 18; i++)
		MUST(send_to("10.0.0.1", 3000 + i) == MRG_IO_OK);
	MUST(send_to("10.0.0.1", 100) == MRG_IO_OK && ip_kit_count("neighbor_wait_dropped") == 3);
	ip_kit_clear();
	ip_kit_in(arp(ip_kit_mac, 2, NULL, "10.0.0.1", "10.0.0.2"));
	size_t frames = 0;
	for (size_t i = 3; i < 18; i++)
		frames = fragments_from(frames, 3000 + i);
	MUST(fragments_from(frames, 100) == 46 && kit.sent_count == 46);
	/* the longest there is: those before it make room */
	ip_kit_open(1500, false);
	for (size_t i = 0; i < 2; i++)
		MUST(send_to("10.0.0.1", 30000) == MRG_IO_OK);
	MUST(send_to("10.0.0.1", 65515) == MRG_IO_OK);
	ip_kit_clear();
	ip_kit_in(arp(ip_kit_mac, 2, NULL, "10.0.0.1", "10.0.0.2"));
	MUST(fragments_from(0, 65515) == 45 && kit.sent_count == 45);
}
END_TEST

/* When there is no room for all of them, none is kept; the room is there for others. */
START_TEST(fragments_that_find_no_room)
{
	ip_kit_open(1500, false);
	MUST(send_to("10.0.0.1", 60000) == MRG_IO_OK);
	MUST(send_to("10.0.0.3", 20000) == MRG_IO_OK); /* 41 and 14 of 64 */
	MUST(send_to("10.0.0.4", 20000) == MRG_IO_AGAIN && ip_kit_count("neighbor_wait_dropped") == 1);
	MUST(send_to("10.0.0.4", 5000) == MRG_IO_OK);
	ip_kit_clear();
	ip_kit_in(arp(ip_kit_mac, 2, NULL, "10.0.0.4", "10.0.0.2"));
	MUST(fragments_from(0, 5000) == kit.sent_count);
	ip_kit_clear();
	ip_kit_in(arp(ip_kit_mac, 2, NULL, "10.0.0.1", "10.0.0.2"));
	MUST(fragments_from(0, 60000) == kit.sent_count);
	ip_kit_run(10 * SECOND);
	MUST(send_to("10.0.0.5", 65515) == MRG_IO_OK); /* all room is back */
	ip_kit_run(10 * SECOND);
}
END_TEST

START_TEST(nobody_answers)
{
	ip_kit_open(1500, false);
	MUST(send_to("10.0.0.1", 100) == MRG_IO_OK && send_to("10.0.0.1", 101) == MRG_IO_OK);
	ip_kit_run(SECOND);
	ip_kit_run(SECOND);
	MUST(kit.sent_count == 3 && kit.got_count == 0);
	ip_kit_run(SECOND);
	/* both senders are told */
	MUST(kit.sent_count == 3 && kit.got_count == 2 && strcmp(state("10.0.0.1"), "None") == 0);
	for (size_t i = 0; i < 2; i++)
		MUST(kit.got[i].error && kit.got[i].e.kind == IP_ERROR_SOFT && kit.got[i].protocol == 17 &&
			kit.got[i].len == 100 + i);
	/* it is asked again for the next packet */
	ip_kit_clear();
	MUST(send_to("10.0.0.1", 10) == MRG_IO_OK && kit.sent_count == 1);
	MUST(send_to("2001:db8::1", 60) == MRG_IO_OK);
	ip_kit_run(4 * SECOND);
	MUST(kit.got_count == 2 && kit.got[1].e.name != NULL);
}
END_TEST

START_TEST(what_is_too_long_does_not_wait)
{
	ip_kit_open(9000, false);
	MUST(send_to("10.0.0.1", 5000) == MRG_IO_AGAIN);
	MUST(send_to("10.0.0.1", 1000) == MRG_IO_OK);
	ip_kit_in(arp(ip_kit_mac, 2, NULL, "10.0.0.1", "10.0.0.2"));
	MUST(kit.sent_count == 2);
	MUST(send_to("10.0.0.1", 5000) == MRG_IO_OK && kit.sent_count == 3);
}
END_TEST

/* Reachable for about 30 s, then used for 5 s, then asked itself. */
START_TEST(a_neighbor_that_moves_or_leaves)
{
	ip_kit_open(1500, false);
	MUST(send_to("10.0.0.1", 10) == MRG_IO_OK);
	ip_kit_in(arp(ip_kit_mac, 2, NULL, "10.0.0.1", "10.0.0.2"));
	ip_kit_run(50 * SECOND);
	MUST(strcmp(state("10.0.0.1"), "Stale") == 0);
	ip_kit_clear();
	MUST(send_to("10.0.0.1", 10) == MRG_IO_OK && kit.sent_count == 1 &&
		strcmp(state("10.0.0.1"), "Delay") == 0);
	ip_kit_run(5 * SECOND);
	MUST(kit.sent_count == 2 && strcmp(state("10.0.0.1"), "Probe") == 0);
	(void)ip_kit_sent_arp(1);
	MUST(memcmp(kit.sent[1].p, ip_kit_peer_mac, 6) == 0); /* asked alone */
	/* it has another card now: announced, then used */
	ip_kit_in(arp(all_mac, 1, other_mac, "10.0.0.1", "10.0.0.1"));
	MUST(strcmp(state("10.0.0.1"), "Stale") == 0 && is_mac(mac_of("10.0.0.1"), other_mac));
	MUST(send_to("10.0.0.1", 10) == MRG_IO_OK);
	ip_kit_run(8 * SECOND);
	MUST(strcmp(state("10.0.0.1"), "None") == 0);
}
END_TEST

START_TEST(progress_above_keeps_it_reachable)
{
	struct ip_way w = { .to = ip_kit_ip("10.0.0.1") };
	const struct mrg_span part = ip_kit_bytes(10, 1);
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	MUST(ip_way_find(kit.s, &w));
	for (unsigned i = 0; i < 100; i++) {
		MUST(i == 0 || strcmp(state("10.0.0.1"), "Reachable") == 0);
		MUST(ip_send(kit.s, &w, &(struct ip_out){ .protocol = 6 }, &part, 1) == MRG_IO_OK);
		ip_way_confirm(kit.s, &w);
		MUST(strcmp(state("10.0.0.1"), "Reachable") == 0);
		ip_kit_run(4 * SECOND);
	}
	MUST(kit.sent_count == 100);
	ip_kit_run(50 * SECOND);
	MUST(strcmp(state("10.0.0.1"), "Stale") == 0);
}
END_TEST

START_TEST(many_strangers)
{
	struct mrg_tcpip_limits l = mrg_tcpip_usual;
	l.neighbor_count = 16;
	ip_kit_open_limits(&l, 1500, false);
	struct ip_way w = { .to = ip_kit_ip("10.0.0.1") };
	ip_kit_know_peers();
	MUST(ip_way_find(kit.s, &w));
	ip_way_confirm(kit.s, &w);
	char from[32];
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(from, sizeof from, "10.0.0.%u", 3 + i % 250);
		if (i % 3 == 0)
			(void)send_to(from, 20);
		else
			ip_kit_in(arp(all_mac, 1, other_mac, from, "10.0.0.2"));
	}
	/* what is used is still there, and so is the way */
	MUST(strcmp(state("10.0.0.1"), "Reachable") == 0 && ip_kit_count("neighbor_reused") > 2000);
	ip_kit_clear();
	const struct mrg_span part = ip_kit_bytes(10, 1);
	MUST(ip_send(kit.s, &w, &(struct ip_out){ .protocol = 6 }, &part, 1) == MRG_IO_OK &&
		kit.sent_count == 1);
	MUST(memcmp(kit.sent[0].p, ip_kit_peer_mac, 6) == 0);
	/* a way to somebody whose entry is given to others meanwhile is looked up again */
	struct ip_way gone = { .to = ip_kit_ip("10.0.0.254") };
	MUST(ip_way_find(kit.s, &gone));
	for (unsigned i = 0; i < 40; i++) {
		snprintf(from, sizeof from, "10.0.0.%u", 3 + i);
		ip_kit_in(arp(all_mac, 1, other_mac, from, "10.0.0.2"));
	}
	MUST(strcmp(state("10.0.0.254"), "none") == 0);
	ip_kit_clear();
	MUST(ip_send(kit.s, &gone, &(struct ip_out){ .protocol = 6 }, &part, 1) == MRG_IO_OK &&
		kit.sent_count == 1);
	const struct mrg_net_arp ask = ip_kit_sent_arp(0);
	MUST(memcmp(mrg_net_arp_target_protocol_address(&ask).p, "\x0a\0\0\xfe", 4) == 0);
	/* those that are known to be there are not given up for others */
	for (unsigned i = 0; i < 20; i++) {
		snprintf(from, sizeof from, "10.0.0.%u", 3 + i);
		struct ip_way v = { .to = ip_kit_ip(from) };
		ip_kit_in(arp(all_mac, 1, other_mac, from, "10.0.0.2"));
		if (ip_way_find(kit.s, &v))
			ip_way_confirm(kit.s, &v);
	}
	MUST(ip_kit_count("neighbor_full") > 0);
	ip_kit_run(100 * SECOND);
}
END_TEST

/* ---- addresses ---- */

START_TEST(an_address_is_claimed)
{
	struct mrg_rt_addr a;
	ip_kit_bare(&mrg_tcpip_usual, 1500, false);
	ip_kit_run(20 * SECOND);
	ip_kit_clear();
	MUST(mrg_rt_addr_read("10.0.0.2", 0, &a) && mrg_tcpip_address_add(kit.on, &a, 24));
	ip_kit_run(20 * SECOND);
	MUST(kit.sent_count == 5);
	for (size_t i = 0; i < 5; i++) {
		const struct mrg_net_arp m = ip_kit_sent_arp(i);
		MUST(mrg_net_arp_operation(&m) == 1 && memcmp(kit.sent[i].p, all_mac, 6) == 0);
		MUST(memcmp(mrg_net_arp_target_protocol_address(&m).p, "\x0a\0\0\2", 4) == 0);
		MUST(memcmp(mrg_net_arp_sender_protocol_address(&m).p, i < 3 ? "\0\0\0\0" : "\x0a\0\0\2",
			     4) == 0);
	}
	ip_kit_clear();
	MUST(mrg_rt_addr_read("[2001:db8::2]", 0, &a) && mrg_tcpip_address_add(kit.on, &a, 64));
	MUST(kit.joins == 2);
	ip_kit_run(20 * SECOND);
	MUST(kit.sent_count == 1);
	const struct mrg_net_icmp6 m = ip_kit_sent_icmp6(0);
	const struct mrg_net_ip6 p = ip_kit_sent6(0);
	struct mrg_net_neighbor_solicitation n;
	MUST(mrg_net_icmp6_body_as_neighbor_solicitation(&m, &n) && mrg_net_ip6_hop_limit(&p) == 255);
	MUST(mrg_span_eq(mrg_net_ip6_source_address(&p), ip_kit_hex("00000000 00000000 00000000 00000000")));
	MUST(mrg_span_eq(
		mrg_net_ip6_destination_address(&p), ip_kit_hex("ff020000 00000000 00000001 ff000002")));
	MUST(memcmp(kit.sent[0].p, "\x33\x33\xff\0\0\2", 6) == 0);
	MUST(mrg_tcpip_address_remove(kit.on, &a) && !mrg_tcpip_address_remove(kit.on, &a) &&
		kit.leaves == 1 && kit.gone == 1);
}
END_TEST

static unsigned lost;

static void on_lost(struct mrg_tcpip_if *on, const struct ip *ip)
{
	(void)on, (void)ip;
	lost++;
}

/* Somebody has it already, or wants it at the same time. */
START_TEST(an_address_that_is_taken_is_lost)
{
	const struct ip four = ip_kit_ip("10.0.0.2"), six = ip_kit_ip("2001:db8::2");
	for (unsigned i = 0; i < 5; i++) {
		ip_kit_bare(&mrg_tcpip_usual, 1500, false);
		ip_kit_run(20 * SECOND);
		struct ip_address *const a = address_add(kit.on, i < 3 ? &four : &six, i < 3 ? 24 : 64, true);
		MUST(a != NULL && ip_mine(kit.s, &a->ip));
		a->lost = on_lost;
		lost = 0;
		ip_kit_clear();
		/* our own probe, come back, is none of that */
		ip_kit_in(arp(all_mac, 1, ip_kit_mac, "0.0.0.0", "10.0.0.2"));
		MUST(lost == 0);
		if (i == 0)
			ip_kit_in(arp(all_mac, 1, NULL, "0.0.0.0", "10.0.0.2"));
		else if (i == 1)
			ip_kit_in(arp(ip_kit_mac, 2, NULL, "10.0.0.2", "0.0.0.0"));
		else if (i == 2)
			ip_kit_in(arp(all_mac, 1, NULL, "10.0.0.2", "10.0.0.9"));
		else if (i == 3)
			ip_kit_in(ip_kit_frame6(
				&(struct ip_kit_ip6){
					.from = "::", .to = "ff02::1:ff00:2", .next = 58, .hop_limit = 255 },
				ip_kit_icmp6("::", "ff02::1:ff00:2",
					ip_kit_hex(
						"8700 0000 00000000 20010db8 00000000 00000000 00000002"))));
		else
			ip_kit_in(ip_kit_frame6(
				&(struct ip_kit_ip6){ .to = "ff02::1", .next = 58, .hop_limit = 255 },
				ip_kit_icmp6(NULL, "ff02::1",
					ip_kit_hex(
						"8800 0000 20000000 20010db8 00000000 00000000 00000002 02 01 020000000009"))));
		MUST_SAY(lost == 1 && !ip_mine(kit.s, i < 3 ? &four : &six), "case %u", i);
		ip_kit_run(20 * SECOND);
		MUST(kit.gone == 1);
	}
}
END_TEST

/* RFC 7527: a probe of ours that the link sends back, from whatever address of it, is nobody else's; one without our nonce is. */
START_TEST(probes_that_come_back)
{
	static const struct mrg_rt_addr fresh = { .family = 6, .ip = { 0x20, 1, 0xd, 0xb8, [15] = 9 } };
	const struct ip ip = ip_of(&fresh);
	for (int as_it_was = 1; as_it_was >= 0; as_it_was--) {
		ip_kit_open(1500, false);
		MUST(mrg_tcpip_address_add(kit.on, &fresh, 64));
		for (unsigned i = 0; i < 1000 && kit.sent_count == 0; i++)
			ip_kit_run(SECOND / 500);
		MUST(kit.sent_count == 1);
		const struct mrg_net_icmp6 m = ip_kit_sent_icmp6(0);
		const struct mrg_span probe = mrg_net_icmp6_span(&m);
		MUST(probe.len == 32 && probe.p[24] == 14 && probe.p[25] == 1);
		const struct mrg_span back = ip_kit_copy(probe);
		if (!as_it_was)
			*ip_kit_at(back, 31) ^= 1;
		ip_kit_in(ip_kit_frame6(
			&(struct ip_kit_ip6){
				.from = "::", .to = "ff02::1:ff00:9", .next = 58, .hop_limit = 255 },
			ip_kit_icmp6("::", "ff02::1:ff00:9", back)));
		ip_kit_run(20 * SECOND);
		MUST(ip_mine(kit.s, &ip) == as_it_was && ip_kit_count("nd_looped") == (uint64_t)as_it_was &&
			ip_kit_count("nd_duplicates") == (uint64_t)!as_it_was);
	}
}
END_TEST

/* RFC 5227 2.4: said once, then not again for ten seconds; and never given up. */
START_TEST(an_address_is_defended)
{
	const struct ip four = ip_kit_ip("10.0.0.2"), six = ip_kit_ip("2001:db8::2");
	ip_kit_open(1500, false);
	for (unsigned i = 0; i < 1000; i++)
		ip_kit_in(arp(all_mac, 1 + i % 2, NULL, "10.0.0.2", "10.0.0.9"));
	MUST(kit.sent_count == 1);
	const struct mrg_net_arp m = ip_kit_sent_arp(0);
	MUST(is_mac(mrg_net_arp_sender_hardware_address(&m), ip_kit_mac) &&
		memcmp(kit.sent[0].p, all_mac, 6) == 0);
	ip_kit_run(10 * SECOND);
	ip_kit_in(arp(all_mac, 1, NULL, "10.0.0.2", "10.0.0.9"));
	MUST(kit.sent_count == 2 && ip_mine(kit.s, &four) && ip_kit_count("arp_conflicts") == 1001);
	ip_kit_in(ip_kit_frame6(&(struct ip_kit_ip6){ .to = "ff02::1", .next = 58, .hop_limit = 255 },
		ip_kit_icmp6(NULL, "ff02::1",
			ip_kit_hex(
				"8800 0000 20000000 20010db8 00000000 00000000 00000002 02 01 020000000009"))));
	MUST(ip_mine(kit.s, &six) && ip_kit_count("nd_duplicates") == 1);
}
END_TEST

START_TEST(addresses_that_nobody_can_have)
{
	static const char *const bad[] = { "0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255",
		"240.0.0.1", "[::]", "[::1]", "[ff02::1]" };
	struct mrg_rt_addr a;
	struct mrg_tcpip_limits l = mrg_tcpip_usual;
	l.address_count = 4;
	ip_kit_bare(&l, 1500, false);
	for (size_t i = 0; i < COUNT(bad); i++)
		MUST(mrg_rt_addr_read(bad[i], 0, &a) && !mrg_tcpip_address_add(kit.on, &a, 24));
	/* the loopback has two, the link one */
	MUST(mrg_rt_addr_read("10.0.0.2", 0, &a) && mrg_tcpip_address_add(kit.on, &a, 24) &&
		mrg_tcpip_address_add(kit.on, &a, 24));
	MUST(mrg_rt_addr_read("10.0.0.3", 0, &a) && mrg_tcpip_address_add(kit.on, &a, 24));
	MUST(mrg_rt_addr_read("10.0.0.4", 0, &a) && !mrg_tcpip_address_add(kit.on, &a, 24));
	ip_kit_run(30 * SECOND);
}
END_TEST

/* ---- Neighbor Discovery ---- */

struct nd_row {
	const char *name, *from, *to, *message;
	uint8_t hop_limit;
	bool answered;
};

static void nd_in(const struct nd_row *r)
{
	ip_kit_in(ip_kit_frame6(
		&(struct ip_kit_ip6){ .from = r->from, .to = r->to, .next = 58, .hop_limit = r->hop_limit },
		ip_kit_icmp6(r->from, r->to, ip_kit_hex(r->message))));
}

#define TARGET "20010db8 00000000 00000000 00000002"
#define SOURCE_OPTION "0101 020000000001"

START_TEST(solicitations)
{
	static const struct nd_row rows[] = {
		{ "usual", "2001:db8::1", "ff02::1:ff00:2", "8700 0000 00000000 " TARGET SOURCE_OPTION, 255,
			true },
		{ "to us", "2001:db8::1", "2001:db8::2", "8700 0000 00000000 " TARGET SOURCE_OPTION, 255,
			true },
		{ "with an option that nobody knows", "2001:db8::1", "ff02::1:ff00:2",
			"8700 0000 00000000 " TARGET "fd01 000000000000" SOURCE_OPTION, 255, true },
		{ "from afar", "2001:db8::1", "ff02::1:ff00:2", "8700 0000 00000000 " TARGET SOURCE_OPTION,
			254, false },
		{ "code", "2001:db8::1", "ff02::1:ff00:2", "8701 0000 00000000 " TARGET SOURCE_OPTION, 255,
			false },
		{ "target a group", "2001:db8::1", "ff02::1",
			"8700 0000 00000000 ff020000 00000000 00000000 00000001", 255, false },
		{ "target not ours", "2001:db8::1", "ff02::1",
			"8700 0000 00000000 20010db8 00000000 00000000 00000003", 255, false },
		{ "option length 0", "2001:db8::1", "ff02::1:ff00:2",
			"8700 0000 00000000 " TARGET "0100 020000000001", 255, false },
		{ "option too long", "2001:db8::1", "ff02::1:ff00:2",
			"8700 0000 00000000 " TARGET "0102 020000000001", 255, false },
		{ "option cut off", "2001:db8::1", "ff02::1:ff00:2",
			"8700 0000 00000000 " TARGET "0101 02000000", 255, false },
		{ "too short", "2001:db8::1", "ff02::1:ff00:2",
			"8700 0000 00000000 20010db8 00000000 00000000 0000", 255, false },
		{ "probe with an address", "::", "ff02::1:ff00:2", "8700 0000 00000000 " TARGET SOURCE_OPTION,
			255, false },
		{ "probe to elsewhere", "::", "ff02::1", "8700 0000 00000000 " TARGET, 255, false },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		ip_kit_open(1500, false);
		nd_in(&rows[i]);
		MUST_SAY(kit.sent_count == rows[i].answered, "%s", rows[i].name);
		MUST_SAY((strcmp(state("2001:db8::1"), "none") != 0) == rows[i].answered, "%s", rows[i].name);
		if (!rows[i].answered)
			continue;
		const struct mrg_net_icmp6 m = ip_kit_sent_icmp6(0);
		const struct mrg_net_ip6 p = ip_kit_sent6(0);
		struct mrg_net_neighbor_advertisement n;
		MUST(mrg_net_icmp6_body_as_neighbor_advertisement(&m, &n) &&
			mrg_net_ip6_hop_limit(&p) == 255);
		MUST(mrg_net_neighbor_advertisement_solicited(&n) &&
			mrg_net_neighbor_advertisement_override(&n) &&
			!mrg_net_neighbor_advertisement_router(&n));
		MUST(memcmp(kit.sent[0].p, ip_kit_peer_mac, 6) == 0);
	}
	/* a probe for what we have is told to all */
	ip_kit_open(1500, false);
	nd_in(&(struct nd_row){ "probe", "::", "ff02::1:ff00:2", "8700 0000 00000000 " TARGET, 255, true });
	MUST(kit.sent_count == 1 && memcmp(kit.sent[0].p, "\x33\x33\0\0\0\1", 6) == 0);
	const struct mrg_net_icmp6 m = ip_kit_sent_icmp6(0);
	struct mrg_net_neighbor_advertisement n;
	MUST(mrg_net_icmp6_body_as_neighbor_advertisement(&m, &n) &&
		!mrg_net_neighbor_advertisement_solicited(&n));
}
END_TEST

#define PEER "20010db8 00000000 00000000 00000001"

START_TEST(advertisements)
{
	static const struct {
		const char *message, *to, *state;
		const uint8_t *mac;
		uint8_t hop_limit;
	} rows[] = {
		{ "8800 0000 60000000 " PEER "0201 020000000007", "2001:db8::2", "Reachable", other_mac,
			255 },
		{ "8800 0000 20000000 " PEER "0201 020000000007", "2001:db8::2", "Stale", other_mac, 255 },
		{ "8800 0000 20000000 " PEER "0201 020000000007", "ff02::1", "Stale", other_mac, 255 },
		/* asked for, but told to all; from afar; without an address; with ours; with a group's */
		{ "8800 0000 60000000 " PEER "0201 020000000007", "ff02::1", "Incomplete", NULL, 255 },
		{ "8800 0000 60000000 " PEER "0201 020000000007", "2001:db8::2", "Incomplete", NULL, 64 },
		{ "8800 0000 60000000 " PEER, "2001:db8::2", "Incomplete", NULL, 255 },
		{ "8800 0000 60000000 " PEER "0201 020000000002", "2001:db8::2", "Incomplete", NULL, 255 },
		{ "8800 0000 60000000 " PEER "0201 030000000007", "2001:db8::2", "Incomplete", NULL, 255 },
		{ "8800 0000 60000000 " PEER "0200 020000000007", "2001:db8::2", "Incomplete", NULL, 255 },
		{ "8801 0000 60000000 " PEER "0201 020000000007", "2001:db8::2", "Incomplete", NULL, 255 },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		ip_kit_open(1500, false);
		MUST(send_to("2001:db8::1", 20) == MRG_IO_OK && kit.sent_count == 1);
		const struct mrg_net_icmp6 ask = ip_kit_sent_icmp6(0);
		MUST(mrg_net_icmp6_type(&ask) == 135 && memcmp(kit.sent[0].p, "\x33\x33\xff\0\0\1", 6) == 0);
		ip_kit_in(ip_kit_frame6(
			&(struct ip_kit_ip6){ .to = rows[i].to, .next = 58, .hop_limit = rows[i].hop_limit },
			ip_kit_icmp6(NULL, rows[i].to, ip_kit_hex(rows[i].message))));
		MUST_SAY(strcmp(state("2001:db8::1"), rows[i].state) == 0, "row %zu: %s", i,
			state("2001:db8::1"));
		MUST(kit.sent_count == (rows[i].mac != NULL ? 2 : 1));
		if (rows[i].mac != NULL)
			MUST(memcmp(kit.sent[1].p, rows[i].mac, 6) == 0);
	}
	/* of whom nobody asked */
	ip_kit_open(1500, false);
	ip_kit_in(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 58, .hop_limit = 255 },
		ip_kit_icmp6(NULL, NULL, ip_kit_hex(rows[0].message))));
	MUST(strcmp(state("2001:db8::1"), "none") == 0);
}
END_TEST

/* RFC 4861 7.2.5: who says that it is no router any more is none. */
START_TEST(a_router_that_is_none_any_more)
{
	const struct ip peer = ip_kit_ip("2001:db8::1");
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	neighbor_is_router(kit.on, &peer, true);
	ip_kit_in(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 58, .hop_limit = 255 },
		ip_kit_icmp6(NULL, NULL, ip_kit_hex("8800 0000 e0000000 " PEER "0201 020000000001"))));
	MUST(kit.gone == 0);
	ip_kit_in(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 58, .hop_limit = 255 },
		ip_kit_icmp6(NULL, NULL, ip_kit_hex("8800 0000 60000000 " PEER "0201 020000000001"))));
	MUST(kit.gone == 1);
}
END_TEST

START_TEST(messages_of_routers_and_groups_go_on)
{
	static const struct nd_row rows[] = {
		{ "RA", "fe80::1", "ff02::1", "8600 0000 40 00 0708 00000000 00000000", 255, false },
		{ "redirect", "fe80::1", "2001:db8::2",
			"8900 0000 00000000 fe800000 00000000 00000000 00000009 " PEER, 255, false },
		{ "RA from afar", "fe80::1", "ff02::1", "8600 0000 40 00 0708 00000000 00000000", 64, false },
		{ "RS", "fe80::1", "2001:db8::2", "8500 0000 00000000", 255, false },
	};
	ip_kit_open(1500, false);
	for (size_t i = 0; i < COUNT(rows); i++)
		nd_in(&rows[i]);
	MUST(kit.router_inputs == 2 && ip_kit_count("nd_in_errors") == 1);
	nd_in(&(struct nd_row){ "query", "fe80::1", "ff02::1",
		"8200 0000 27100000 00000000 00000000 00000000 00000000", 1, false });
	MUST(kit.group_inputs == 1);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/tcpip/neighbor");
	TCase *const t = tcase_create("neighbor");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, requests_are_answered);
	tcase_add_test(t, bad_senders_are_not_learned);
	tcase_add_test(t, short_and_strange_messages);
	tcase_add_test(t, packets_wait_for_the_answer);
	tcase_add_test(t, fragments_wait_together);
	tcase_add_test(t, fragments_that_find_no_room);
	tcase_add_test(t, nobody_answers);
	tcase_add_test(t, what_is_too_long_does_not_wait);
	tcase_add_test(t, a_neighbor_that_moves_or_leaves);
	tcase_add_test(t, progress_above_keeps_it_reachable);
	tcase_add_test(t, many_strangers);
	tcase_add_test(t, an_address_is_claimed);
	tcase_add_test(t, an_address_that_is_taken_is_lost);
	tcase_add_test(t, probes_that_come_back);
	tcase_add_test(t, an_address_is_defended);
	tcase_add_test(t, addresses_that_nobody_can_have);
	tcase_add_test(t, solicitations);
	tcase_add_test(t, advertisements);
	tcase_add_test(t, a_router_that_is_none_any_more);
	tcase_add_test(t, messages_of_routers_and_groups_go_on);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
