/*
 * protocols/tcpip, fragments: put together in all orders, spoilt by overlaps, given up, and never more than there is room for.
 * RFC 791, RFC 815, RFC 1858, RFC 3168 5.3, RFC 5722, RFC 6946, RFC 7112, RFC 8200 4.5.
 */
#include "protocols/tcpip/ip_kit.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define SECOND MRG_RT_SECOND_NS

/* A piece of some datagram of 17. */
struct piece {
	size_t at, len;
	bool more;
	uint8_t ecn;
};

static struct mrg_span datagram(size_t len) { return ip_kit_bytes(len, 11); }

static void send4(struct mrg_span whole, struct piece p, uint16_t id)
{
	ip_kit_in(ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 17,
					.id = id,
					.offset = (uint16_t)(p.at / 8),
					.mf = p.more,
					.ecn = p.ecn },
		(struct mrg_span){ whole.p + p.at, p.len }));
}

static struct mrg_span fragment_header(uint8_t next, size_t at, bool more, uint32_t id)
{
	uint8_t *const p = ip_kit_at(ip_kit_hex("0000 0000 0000 0000"), 0);
	p[0] = next;
	p[2] = (uint8_t)(at >> 8);
	p[3] = (uint8_t)((at & 0xf8) | more);
	p[6] = (uint8_t)(id >> 8);
	p[7] = (uint8_t)id;
	return (struct mrg_span){ p, 8 };
}

static void send6(struct mrg_span whole, struct piece p, uint16_t id)
{
	ip_kit_in(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 44, .ecn = p.ecn },
		ip_kit_join(
			fragment_header(17, p.at, p.more, id), (struct mrg_span){ whole.p + p.at, p.len })));
}

static void send(bool four, struct mrg_span whole, struct piece p, uint16_t id)
{
	if (four)
		send4(whole, p, id);
	else
		send6(whole, p, id);
}

/* Is anything waited for? Nothing else has a timer by then. */
static bool pending(void) { return mrg_rt_timers_next(&kit.timers) != MRG_RT_NEVER; }

static void came_whole(struct mrg_span whole)
{
	MUST_SAY(kit.got_count == 1, "%zu datagrams", kit.got_count);
	MUST(kit.got[0].protocol == 17 && mrg_span_eq(kit.got[0].in.payload, whole));
	MUST(kit.bursts >= 2);
}

/* ---- put together ---- */

static void permute(size_t *order, size_t n, size_t k, void (*each)(const size_t *, size_t))
{
	if (k == n) {
		each(order, n);
		return;
	}
	for (size_t i = k; i < n; i++) {
		size_t t = order[k];
		order[k] = order[i];
		order[i] = t;
		permute(order, n, k + 1, each);
		t = order[k];
		order[k] = order[i];
		order[i] = t;
	}
}

static uint16_t next_id = 1;
static bool duplicates;

static void try_order(const size_t *order, size_t n)
{
	static const struct piece pieces[] = { { 0, 16, true, 0 }, { 16, 40, true, 0 }, { 56, 8, true, 0 },
		{ 64, 104, true, 0 }, { 168, 13, false, 0 } };
	const struct mrg_span whole = datagram(181);
	for (int four = 0; four < 2; four++) {
		ip_kit_clear();
		next_id++;
		for (size_t i = 0; i < n; i++) {
			MUST(kit.got_count == 0);
			send(four, whole, pieces[order[i]], next_id);
			if (duplicates && i < n - 1)
				for (size_t k = 0; k <= i; k++)
					send(four, whole, pieces[order[k]], next_id);
		}
		came_whole(whole);
	}
}

START_TEST(in_all_orders)
{
	size_t order[] = { 0, 1, 2, 3, 4 };
	ip_kit_open(1500, false);
	permute(order, 5, 0, try_order);
	duplicates = true;
	permute(order, 5, 0, try_order);
	MUST(ip_kit_count("reasm_oks") == 480 && ip_kit_count("reasm_fails") == 0);
}
END_TEST

START_TEST(the_longest)
{
	ip_kit_open(1500, false);
	for (int four = 0; four < 2; four++) {
		const size_t len = four ? 65535 - 20 : 65535;
		const struct mrg_span whole = datagram(len);
		ip_kit_clear();
		for (size_t at = 0; at < len; at += 1448) {
			const size_t n = len - at < 1448 ? len - at : 1448;
			send(four, whole, (struct piece){ at, n, at + n < len, 0 }, 9);
		}
		came_whole(whole);
	}
}
END_TEST

/* The "ping of death": one octet more. */
START_TEST(beyond_the_longest)
{
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	const struct mrg_span whole = datagram(70000);
	/* the specification refuses to build such a thing, so it is made of a good one */
	struct mrg_span f = ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 17, .offset = 8, .id = 3 },
		(struct mrg_span){ whole.p, 100 });
	uint32_t sum = 0;
	*ip_kit_at(f, 20) = 0x1f;
	*ip_kit_at(f, 21) = 0xff;
	*ip_kit_at(f, 24) = *ip_kit_at(f, 25) = 0;
	for (size_t i = 14; i < 34; i += 2)
		sum += (uint32_t)f.p[i] << 8 | f.p[i + 1];
	sum = ~((sum & 0xffff) + (sum >> 16));
	*ip_kit_at(f, 24) = (uint8_t)(sum >> 8);
	*ip_kit_at(f, 25) = (uint8_t)sum;
	ip_kit_in(f);
	MUST(ip_kit_count("in_hdr_errors") == 1 && ip_kit_count("reasm_reqds") == 0);
	send6(whole, (struct piece){ 65528, 8, false, 0 }, 3);
	MUST(ip_kit_count("in_hdr_errors") == 2 && ip_kit_count("reasm_reqds") == 0 && kit.sent_count == 1);
	send6(whole, (struct piece){ 65528, 7, false, 0 }, 3);
	MUST(ip_kit_count("reasm_reqds") == 1);
}
END_TEST

/* ---- spoilt ---- */

START_TEST(overlaps_spoil_it)
{
	static const struct {
		const char *name;
		struct piece p[4];
	} rows[] = {
		{ "over the end", { { 0, 32, true, 0 }, { 24, 32, true, 0 } } },
		{ "over the start", { { 24, 32, true, 0 }, { 0, 32, true, 0 } } },
		{ "inside", { { 0, 64, true, 0 }, { 16, 16, true, 0 } } },
		{ "around", { { 16, 16, true, 0 }, { 0, 64, true, 0 } } },
		{ "same start, longer", { { 0, 32, true, 0 }, { 0, 40, true, 0 } } },
		{ "same start, shorter", { { 0, 32, true, 0 }, { 0, 24, true, 0 } } },
		{ "two ends", { { 64, 10, false, 0 }, { 64, 11, false, 0 } } },
		{ "a later end", { { 32, 8, false, 0 }, { 64, 11, false, 0 } } },
		{ "behind the end", { { 32, 8, false, 0 }, { 64, 8, true, 0 } } },
		{ "end before what is there", { { 64, 8, true, 0 }, { 32, 8, false, 0 } } },
		{ "up to the end, but more", { { 32, 8, false, 0 }, { 24, 16, true, 0 } } },
	};
	const struct mrg_span whole = datagram(200);
	ip_kit_open(1500, false);
	for (int four = 0; four < 2; four++)
		for (size_t i = 0; i < COUNT(rows); i++) {
			const uint16_t id = (uint16_t)(100 + i);
			const uint64_t before = ip_kit_count("reasm_overlaps");
			send(four, whole, rows[i].p[0], id);
			send(four, whole, rows[i].p[1], id);
			MUST_SAY(ip_kit_count("reasm_overlaps") == before + 1, "%s", rows[i].name);
			/* what comes afterwards does not mend it (RFC 5722 section 3) */
			for (size_t at = 0; at < 200; at += 40)
				send(four, whole, (struct piece){ at, 40, at < 160, 0 }, id);
			MUST_SAY(kit.got_count == 0, "%s", rows[i].name);
		}
	/* with other octets in the same place it is no copy */
	send4(whole, (struct piece){ 0, 16, true, 0 }, 7);
	send4(ip_kit_bytes(200, 99), (struct piece){ 0, 16, true, 0 }, 7);
	send4(whole, (struct piece){ 16, 16, false, 0 }, 7);
	MUST(kit.got_count == 0);
	/* when its time is up the number may be used again */
	ip_kit_run(61 * SECOND);
	for (int four = 0; four < 2; four++) {
		ip_kit_clear();
		for (size_t at = 0; at < 200; at += 40)
			send(four, whole, (struct piece){ at, 40, at < 160, 0 }, 100);
		came_whole(whole);
	}
}
END_TEST

/* RFC 1858, RFC 7112: the headers that others filter by are all in the first one. */
START_TEST(tiny_first_fragments)
{
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	const struct mrg_span tcp = ip_kit_bytes(64, 1);
	ip_kit_in(ip_kit_frame4(
		&(struct ip_kit_ip4){ .protocol = 6, .id = 1, .mf = true }, (struct mrg_span){ tcp.p, 8 }));
	ip_kit_in(ip_kit_frame4(
		&(struct ip_kit_ip4){ .protocol = 6, .id = 1, .mf = true }, (struct mrg_span){ tcp.p, 16 }));
	ip_kit_in(ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 6, .id = 1, .offset = 1 },
		(struct mrg_span){ tcp.p + 8, 56 }));
	ip_kit_in(ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 6, .id = 1, .offset = 2 },
		(struct mrg_span){ tcp.p + 16, 48 }));
	MUST(kit.got_count == 0 && kit.sent_count == 0 && ip_kit_count("in_hdr_errors") == 2);
	ip_kit_in(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 44 },
		ip_kit_join(fragment_header(6, 0, true, 5), (struct mrg_span){ tcp.p, 16 })));
	/* the upper header is in the second one */
	ip_kit_in(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 44 },
		ip_kit_join(fragment_header(60, 0, true, 6), ip_kit_hex("11 01 01 04 00000000"))));
	ip_kit_in(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 44 },
		ip_kit_join(fragment_header(60, 0, true, 6), ip_kit_hex("11 00 01 04 00000000"))));
	MUST(kit.got_count == 0 && kit.sent_count == 3 && ip_kit_count("in_hdr_errors") == 5);
	for (size_t i = 0; i < 3; i++) {
		const struct mrg_net_icmp6 m = ip_kit_sent_icmp6(i);
		MUST(mrg_net_icmp6_type(&m) == 4 && mrg_net_icmp6_code(&m) == 3);
	}
}
END_TEST

START_TEST(empty_and_uneven_fragments)
{
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	const struct mrg_span whole = datagram(100);
	static const struct piece bad[] = { { 0, 0, true, 0 }, { 8, 0, true, 0 }, { 16, 0, false, 0 },
		{ 0, 15, true, 0 }, { 8, 9, true, 0 } };
	for (size_t i = 0; i < COUNT(bad); i++)
		for (int four = 0; four < 2; four++)
			send(four, whole, bad[i], (uint16_t)(i + 1));
	ip_kit_run(100 * SECOND);
	MUST(kit.got_count == 0 && ip_kit_count("reasm_timeouts") == 0);
}
END_TEST

START_TEST(a_fragment_within_a_datagram)
{
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	/* what was put together has a fragment's header again */
	const struct mrg_span inner = ip_kit_join(fragment_header(17, 0, true, 3), ip_kit_bytes(24, 1));
	ip_kit_in(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 44 },
		ip_kit_join(fragment_header(44, 0, true, 9), (struct mrg_span){ inner.p, 16 })));
	ip_kit_in(ip_kit_frame6(&(struct ip_kit_ip6){ .next = 44 },
		ip_kit_join(fragment_header(44, 16, false, 9), (struct mrg_span){ inner.p + 16, 16 })));
	MUST(kit.got_count == 0 && ip_kit_count("reasm_oks") == 1 && ip_kit_count("in_hdr_errors") == 1);
}
END_TEST

/* ---- what a datagram is ---- */

START_TEST(only_fragments_of_one_datagram_are_put_together)
{
	const struct mrg_span whole = datagram(32);
	ip_kit_open(1500, false);
	send4(whole, (struct piece){ 0, 16, true, 0 }, 1);
	send4(whole, (struct piece){ 16, 16, false, 0 }, 2);
	ip_kit_in(ip_kit_frame4(
		&(struct ip_kit_ip4){ .protocol = 17, .id = 1, .offset = 2, .from = "10.0.0.7" },
		(struct mrg_span){ whole.p + 16, 16 }));
	ip_kit_in(ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 6, .id = 1, .offset = 2 },
		(struct mrg_span){ whole.p + 16, 16 }));
	send6(whole, (struct piece){ 16, 16, false, 0 }, 1);
	MUST(kit.got_count == 0);
	send4(whole, (struct piece){ 16, 16, false, 0 }, 1);
	MUST(kit.got_count == 1);
}
END_TEST

START_TEST(congestion_is_not_lost)
{
	static const struct {
		uint8_t a, b;
		bool whole;
		uint8_t ecn;
	} rows[] = { { 0, 0, true, 0 }, { 2, 2, true, 2 }, { 2, 3, true, 3 }, { 3, 2, true, 3 },
		{ 1, 3, true, 3 }, { 3, 3, true, 3 }, { 0, 3, false, 0 }, { 3, 0, false, 0 } };
	const struct mrg_span whole = datagram(32);
	ip_kit_open(1500, false);
	for (size_t i = 0; i < COUNT(rows); i++)
		for (int four = 0; four < 2; four++) {
			ip_kit_clear();
			send(four, whole, (struct piece){ 0, 16, true, rows[i].a }, (uint16_t)(i + 1));
			send(four, whole, (struct piece){ 16, 16, false, rows[i].b }, (uint16_t)(i + 1));
			MUST(kit.got_count == rows[i].whole);
			MUST(!rows[i].whole || kit.got[0].in.ecn == rows[i].ecn);
		}
}
END_TEST

/* ---- given up ---- */

START_TEST(time_is_up)
{
	const struct mrg_span whole = datagram(100);
	ip_kit_open(1500, false);
	for (int four = 0; four < 2; four++) {
		const uint64_t keep = four ? 30 : 60;
		ip_kit_know_peers();
		send(four, whole, (struct piece){ 0, 40, true, 0 }, 1);
		send(four, whole, (struct piece){ 40, 8, true, 0 }, 1);
		ip_kit_run(keep * SECOND - 1);
		ip_kit_know_peers();
		ip_kit_run(1);
		MUST(kit.sent_count >= 1);
		if (four) {
			const struct mrg_net_icmp4 m = ip_kit_sent_icmp4(0);
			struct mrg_net_icmp4_about a;
			MUST(mrg_net_icmp4_body_as_exceeded(&m, &a) && mrg_net_icmp4_code(&m) == 1);
			MUST(mrg_net_icmp4_about_original_datagram(&a).len == 60);
			MUST(memcmp(mrg_net_icmp4_about_original_datagram(&a).p + 20, whole.p, 40) == 0);
		} else {
			const struct mrg_net_icmp6 m = ip_kit_sent_icmp6(0);
			struct mrg_net_icmp6_about a;
			MUST(mrg_net_icmp6_body_as_exceeded(&m, &a) && mrg_net_icmp6_code(&m) == 1);
			MUST(mrg_net_icmp6_about_invoking_packet(&a).len == 88);
		}
		/* not without the first one */
		const uint64_t solicited = ip_kit_count("nd_out");
		const uint64_t said = ip_kit_count("icmp_out_msgs");
		send(four, whole, (struct piece){ 40, 8, true, 0 }, 1);
		ip_kit_run(61 * SECOND);
		MUST(ip_kit_count("icmp_out_msgs") == said + ip_kit_count("nd_out") - solicited);
		/* what comes late begins anew */
		send(four, whole, (struct piece){ 48, 52, false, 0 }, 1);
		MUST(kit.got_count == 0);
		ip_kit_run(61 * SECOND);
	}
	MUST(ip_kit_count("reasm_timeouts") == 6 && !pending());
}
END_TEST

START_TEST(never_finished)
{
	static uint8_t octets[2000]; /* what the kit makes is good for a while only */
	const struct mrg_span whole = { octets, sizeof octets };
	memcpy(octets, datagram(sizeof octets).p, sizeof octets);
	ip_kit_open(1500, false);
	ip_kit_know_peers();
	for (unsigned i = 0; i < 100000; i++) {
		const bool four = i % 2;
		if (four)
			ip_kit_in(ip_kit_frame4(&(struct ip_kit_ip4){ .protocol = 17,
							.id = (uint16_t)i,
							.from = i & 65536 ? "10.0.0.1" : "10.0.0.9",
							.mf = true },
				(struct mrg_span){ whole.p, i % 3 ? 1400 : 24 }));
		else
			send6(whole, (struct piece){ 0, 1200, true, 0 }, (uint16_t)i);
		kit.sent_count = 0;
	}
	MUST(kit.got_count == 0);
	/* the newest ones are still there, the oldest are gone, and others have a place */
	for (int four = 0; four < 2; four++) {
		ip_kit_clear();
		send(four, whole, (struct piece){ 0, 1000, true, 0 }, 7);
		send(four, whole, (struct piece){ 1000, 1000, false, 0 }, 7);
		came_whole(whole);
	}
	ip_kit_run(100 * SECOND);
	MUST(!pending());
}
END_TEST

/* A datagram in as many pieces as can be: it is given up, the others are not. */
START_TEST(too_many_pieces)
{
	const struct mrg_span whole = datagram(60000);
	ip_kit_open(1500, false);
	send4(whole, (struct piece){ 0, 1000, true, 0 }, 1);
	for (size_t at = 0; at < 59000; at += 16)
		send4(whole, (struct piece){ at, 8, true, 0 }, 2);
	for (size_t at = 60000 - 16; at > 16; at -= 16)
		send4(whole, (struct piece){ at, 8, true, 0 }, 3);
	send4(whole, (struct piece){ 1000, 1000, false, 0 }, 1);
	MUST(kit.got_count == 1 && ip_kit_count("reasm_fails") == 2);
}
END_TEST

/* Hardly any room: the oldest goes, and what is there is right. */
START_TEST(little_room)
{
	struct mrg_tcpip_limits l = mrg_tcpip_usual;
	l.reassembly_len = 1;
	ip_kit_open_limits(&l, 1500, false);
	any_begin(7);
	for (unsigned i = 0; i < 4000; i++) {
		const size_t len = 8 * (1 + any(2000));
		const struct mrg_span whole = datagram(len);
		const bool four = any(2);
		const size_t step = 8 * (1 + any(180)),
			     skip = any(3) == 0 ? any((unsigned)(len / step + 1)) : SIZE_MAX;
		const uint64_t evicted = ip_kit_count("reasm_evicted");
		kit.got_count = 0;
		if (step < 16 || len / step > 190)
			continue;
		for (size_t at = 0, n = 0; at < len; at += step, n++)
			if (n != skip)
				send(four, whole,
					(struct piece){
						at, len - at < step ? len - at : step, at + step < len, 0 },
					(uint16_t)i);
		if (step >= len && skip == SIZE_MAX)
			MUST(kit.got_count == 1);
		else if (skip == SIZE_MAX)
			MUST(kit.got_count == 1 || ip_kit_count("reasm_evicted") > evicted);
		else
			MUST(kit.got_count == 0 || skip * step >= len);
		if (kit.got_count == 1)
			MUST(mrg_span_eq(kit.got[0].in.payload, whole));
	}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/tcpip/fragment");
	TCase *const t = tcase_create("fragment");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, in_all_orders);
	tcase_add_test(t, the_longest);
	tcase_add_test(t, beyond_the_longest);
	tcase_add_test(t, overlaps_spoil_it);
	tcase_add_test(t, tiny_first_fragments);
	tcase_add_test(t, empty_and_uneven_fragments);
	tcase_add_test(t, a_fragment_within_a_datagram);
	tcase_add_test(t, only_fragments_of_one_datagram_are_put_together);
	tcase_add_test(t, congestion_is_not_lost);
	tcase_add_test(t, time_is_up);
	tcase_add_test(t, never_finished);
	tcase_add_test(t, too_many_pieces);
	tcase_add_test(t, little_room);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
