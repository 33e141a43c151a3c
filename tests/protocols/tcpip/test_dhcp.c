/*
 * protocols/tcpip/dhcp: RFC 2131 section 4.4, RFC 2132, RFC 3396. The server is this test.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/tcpip/dhcp_kit.h"

/* ---- the life of a lease ---- */

START_TEST(from_discover_to_bound)
{
	begin();
	const struct heard d = only(DISCOVER);
	ck_assert(is(d.from, "0.0.0.0") && is(d.to, "255.255.255.255") && is(d.ciaddr, "0.0.0.0"));
	ck_assert(d.broadcast);
	ck_assert(!net_mine("10.0.0.77"));
	send(usual(OFFER, d.xid, "10.0.0.77"));
	const struct heard r = only(REQUEST);
	ck_assert(is(r.from, "0.0.0.0") && is(r.to, "255.255.255.255") && is(r.ciaddr, "0.0.0.0"));
	ck_assert(is(r.requested, "10.0.0.77") && is(r.server, "10.0.0.1") && r.xid == d.xid);
	ck_assert(!net_mine("10.0.0.77"));
	send(usual(ACK, d.xid, "10.0.0.77"));
	ck_assert(net_mine("10.0.0.77"));
	ck_assert_str_eq(told, "10.0.0.77/23 by 10.0.0.1 ");
	ck_assert_uint_eq(net_number(UDP), 0);
	struct ip_way way = { .to = net_ip("192.0.2.1") };
	ck_assert(ip_way_find(net.s, &way));
	ck_assert(is(way.from, "10.0.0.77"));
	/* answers that come twice */
	send(usual(ACK, d.xid, "10.0.0.77"));
	send(usual(OFFER, d.xid, "10.0.0.78"));
	ck_assert_str_eq(told, "10.0.0.77/23 by 10.0.0.1 ");
	ck_assert_uint_eq(net_number(UDP), 0);
}
END_TEST

/* Before there is an address, what goes to it is taken (RFC 2131 section 4.1). */
START_TEST(answers_to_the_address_itself)
{
	begin();
	const struct heard d = only(DISCOVER);
	struct answer a = usual(OFFER, d.xid, "10.0.0.77");
	a.to = "10.0.0.77:68";
	send(a);
	(void)only(REQUEST);
	a = usual(ACK, d.xid, "10.0.0.77");
	a.to = "10.0.0.77:68";
	send(a);
	ck_assert(net_mine("10.0.0.77"));
}
END_TEST

START_TEST(renewed_at_half_of_the_lease)
{
	const uint32_t xid = lease();
	net_pass(1780 * second);
	ck_assert_uint_eq(net_number(UDP), 0);
	net_pass(20 * second);
	const struct heard r = only(REQUEST);
	ck_assert(
		is(r.from, "10.0.0.77") && is(r.to, "10.0.0.1") && is(r.ciaddr, "10.0.0.77") && r.xid != xid);
	ck_assert(!r.broadcast && ip_unspecified(&r.requested) && ip_unspecified(&r.server));
	struct answer a = usual(ACK, r.xid, "10.0.0.77");
	a.to = "10.0.0.77:68";
	send(a);
	ck_assert_str_eq(told, "10.0.0.77/23 by 10.0.0.1 ");
	net_pass(1780 * second); /* the lease counts from when it was asked for */
	ck_assert_uint_eq(net_number(UDP), 0);
	net_pass(20 * second);
	(void)only(REQUEST);
}
END_TEST

/* The server is gone: T1 at 1800 s, T2 at 3150 s, the end at 3600 s. */
START_TEST(nobody_renews)
{
	(void)lease();
	struct heard h;
	net_pass(3400 * second);
	ck_assert(net_mine("10.0.0.77"));
	unsigned by_one = 0, by_all = 0;
	for (size_t i = 0; hear(i, &h); i++) {
		ck_assert_uint_eq(h.type, REQUEST);
		ck_assert(is(h.ciaddr, "10.0.0.77") && is(h.from, "10.0.0.77"));
		if (is(h.to, "255.255.255.255"))
			by_all++;
		else
			by_one++;
		if (by_all != 0)
			ck_assert(is(h.to, "255.255.255.255"));
	}
	ck_assert_uint_ge(by_all, 2);
	ck_assert_uint_le(by_one + by_all, 14);
	net_clear();
	net_pass(180 * second);
	ck_assert(net_mine("10.0.0.77"));
	net_clear();
	net_pass(12 * second);
	ck_assert(!net_mine("10.0.0.77"));
	ck_assert_str_eq(told, "10.0.0.77/23 by 10.0.0.1 lost ");
	const struct heard d = only(DISCOVER);
	ck_assert(is(d.from, "0.0.0.0"));
	struct ip_way way = { .to = net_ip("192.0.2.1") };
	ck_assert(!ip_way_find(net.s, &way));
}
END_TEST

START_TEST(another_server_extends)
{
	(void)lease();
	net_pass(3200 * second);
	struct heard h;
	MUST(hear(net_number(UDP) - 1, &h));
	struct answer a = bare(h.xid, "10.0.0.77");
	type_of(&a, ACK);
	server_of(&a, "10.0.0.9");
	seconds_of(&a, 51, 7200);
	send(a);
	net_pass(3500 * second);
	ck_assert(net_mine("10.0.0.77"));
	ck_assert_str_eq(told, "10.0.0.77/23 by 10.0.0.1 10.0.0.77/24 by nobody ");
}
END_TEST

START_TEST(times_that_the_server_wants)
{
	begin();
	const struct heard d = only(DISCOVER);
	struct answer o = usual(OFFER, d.xid, "10.0.0.77");
	send(o);
	net_clear();
	struct answer a = usual(ACK, d.xid, "10.0.0.77");
	seconds_of(&a, 58, 100);
	seconds_of(&a, 59, 2000);
	send(a);
	net_clear();
	net_pass(99 * second);
	ck_assert_uint_eq(net_number(UDP), 0);
	net_pass(second);
	(void)only(REQUEST);
}
END_TEST

START_TEST(a_lease_without_end)
{
	begin();
	const struct heard d = only(DISCOVER);
	send(usual(OFFER, d.xid, "10.0.0.77"));
	struct answer a = bare(d.xid, "10.0.0.77");
	type_of(&a, ACK);
	server_of(&a, "10.0.0.1");
	seconds_of(&a, 51, UINT32_MAX);
	send(a);
	net_clear();
	net_pass(500000 * second);
	ck_assert_uint_eq(net_number(UDP), 0);
	ck_assert(net_mine("10.0.0.77"));
	ck_assert_str_eq(told, "10.0.0.77/24 by nobody ");
}
END_TEST

/* RFC 2131 section 4.1: 4, 8, 16, 32, 64 seconds, give or take one. */
START_TEST(discovers_less_and_less_often)
{
	static const unsigned want[] = { 4, 8, 16, 32, 64, 64, 64 };
	struct heard h, before;
	begin();
	net_pass(400 * second);
	MUST(hear(0, &before));
	for (size_t i = 0; i < 7; i++) {
		MUST(hear(i + 1, &h));
		const uint64_t gap = h.at_ns - before.at_ns;
		ck_assert_uint_ge(gap, (want[i] - 1) * second);
		ck_assert_uint_le(gap, (want[i] + 1) * second);
		ck_assert(h.xid == before.xid && h.type == DISCOVER);
		ck_assert_uint_ge(h.secs, before.secs + 3);
		before = h;
	}
}
END_TEST

START_TEST(the_server_forgets_its_offer)
{
	struct heard h;
	begin();
	const struct heard d = only(DISCOVER);
	send(usual(OFFER, d.xid, "10.0.0.77"));
	net_pass(66 * second);
	for (size_t i = 0; i < 4; i++) {
		MUST(hear(i, &h));
		ck_assert(h.type == REQUEST && h.xid == d.xid);
	}
	MUST(hear(4, &h));
	ck_assert(h.type == DISCOVER && h.xid != d.xid);
	ck_assert(!net_mine("10.0.0.77"));
	ck_assert_str_eq(told, "");
}
END_TEST

START_TEST(refused_when_requesting)
{
	begin();
	const struct heard d = only(DISCOVER);
	send(usual(OFFER, d.xid, "10.0.0.77"));
	net_clear();
	struct answer a = bare(d.xid, "0.0.0.0");
	type_of(&a, NAK);
	server_of(&a, "10.0.0.1");
	send(a);
	net_pass(9 * second);
	ck_assert_uint_eq(net_number(UDP), 0);
	net_pass(second);
	ck_assert_uint_ne(only(DISCOVER).xid, d.xid);
	ck_assert_str_eq(told, "");
}
END_TEST

START_TEST(refused_when_renewing)
{
	(void)lease();
	net_pass(1800 * second);
	const struct heard r = only(REQUEST);
	struct answer a = bare(r.xid, "0.0.0.0");
	type_of(&a, NAK);
	server_of(&a, "10.0.0.1");
	send(a);
	ck_assert(!net_mine("10.0.0.77"));
	ck_assert_str_eq(told, "10.0.0.77/23 by 10.0.0.1 lost ");
	net_pass(10 * second);
	(void)only(DISCOVER);
}
END_TEST

/* RFC 2131 section 3.1 (5), RFC 5227 section 2.1.1 */
START_TEST(somebody_else_has_it)
{
	begin();
	const struct heard d = only(DISCOVER);
	send(usual(OFFER, d.xid, "10.0.0.77"));
	send(usual(ACK, d.xid, "10.0.0.77"));
	net_clear();
	net_pass(second);
	net_in_arp("10.0.0.77", "10.0.0.77");
	const struct heard r = only(DECLINE);
	ck_assert(is(r.requested, "10.0.0.77") && is(r.server, "10.0.0.1") && is(r.ciaddr, "0.0.0.0") &&
		  is(r.to, "255.255.255.255"));
	ck_assert(is(r.from, "0.0.0.0"));
	ck_assert(!net_mine("10.0.0.77"));
	ck_assert_str_eq(told, "10.0.0.77/23 by 10.0.0.1 lost ");
	ck_assert_uint_eq(net_count("dhcp", "conflicts"), 1);
	net_pass(9 * second);
	ck_assert_uint_eq(net_number(UDP), 0);
	net_pass(second);
	(void)only(DISCOVER);
	/* and the next one does better */
	net_pass(5 * second);
	struct heard h;
	MUST(hear(0, &h));
	send(usual(OFFER, h.xid, "10.0.0.78"));
	send(usual(ACK, h.xid, "10.0.0.78"));
	ck_assert(net_mine("10.0.0.78"));
}
END_TEST

START_TEST(once_for_each_interface)
{
	begin();
	ck_assert(!mrg_tcpip_dhcp(net.on, &user));
}
END_TEST

/* ---- options ---- */

START_TEST(options_in_parts)
{
	struct answer a = bare(transaction(), "10.0.0.77");
	type_of(&a, ACK);
	option(&a, 1, "\xff\xff", 2);
	seconds_of(&a, 51, 3600);
	option(&a, 3, "\x0a\x00\x00", 3);
	option(&a, 54, "\x0a\x00", 2);
	option(&a, 1, "\xf0\x00", 2);
	option(&a, 3, "\x05\x0a\x00\x00\x06", 5);
	option(&a, 54, "", 0);
	option(&a, 54, "\x00\x01", 2);
	ack_with(a);
	ck_assert_str_eq(told, "10.0.0.77/20 by 10.0.0.5 ");
}
END_TEST

START_TEST(options_in_file_and_sname)
{
	struct answer a = bare(transaction(), "10.0.0.77");
	type_of(&a, ACK);
	option(&a, 52, "\3", 1);
	server_of(&a, "10.0.0.1");
	memcpy(a.message + 44, "\x33\x04\x00\x00\x0e\x10\x03\x02\x0a\x00\xff", 11); /* sname */
	memcpy(a.message + 108, "\x01\x04\xff\xff\xc0\x00\x03\x02\x0a\x00\xff\x03",
		12); /* file, which comes first */
	ack_with(a);
	ck_assert_str_eq(told, "10.0.0.77/18 by 10.0.10.0 ");
}
END_TEST

START_TEST(options_in_file_only_when_it_is_said)
{
	struct answer a = usual(ACK, transaction(), "10.0.0.77");
	memcpy(a.message + 108, "\x01\x04\xff\x00\x00\x00\xff", 7);
	ack_with(a);
	ck_assert_str_eq(told, "10.0.0.77/23 by 10.0.0.1 ");
}
END_TEST

START_TEST(long_options)
{
	uint8_t routers[252];
	struct answer a = bare(transaction(), "10.0.0.77");
	memset(routers, 10, sizeof routers);
	type_of(&a, ACK);
	server_of(&a, "10.0.0.1");
	seconds_of(&a, 51, 3600);
	option(&a, 3, routers, 252);
	option(&a, 3, routers, 100);
	ack_with(a);
	ck_assert_str_eq(told, "10.0.0.77/24 by 10.10.10.10 ");
}
END_TEST

START_TEST(mtu)
{
	static const struct {
		unsigned said, is;
	} rows[] = { { 1400, 1400 }, { 576, 576 }, { 575, 1500 }, { 68, 1500 }, { 1500, 1500 },
		{ 1501, 1500 }, { 65535, 1500 } };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t b[2];
		struct answer a = usual(ACK, transaction(), "10.0.0.77");
		mrg_put_be16(b, (uint16_t)rows[i].said);
		option(&a, 26, b, 2);
		ack_with(a);
		ck_assert_uint_eq(net.on->mtu, rows[i].is);
	}
}
END_TEST

/* ---- bad input, by class: nothing may come of it ---- */

static void not_taken(struct answer a, const char *why)
{
	ack_with(a);
	MUST_SAY(told[0] == '\0' && !net_mine("10.0.0.77"), "%s: %s", why, told);
	MUST_SAY(net_count("dhcp", "in_errors") + net_count("udp", "in_errors") == 1, "%s", why);
}

#define BAD(why, ...)                                                                                        \
	do {                                                                                                 \
		struct answer a = usual(ACK, transaction(), "10.0.0.77");                                    \
		__VA_ARGS__;                                                                                 \
		not_taken(a, why);                                                                           \
	} while (0)

START_TEST(bad_fields)
{
	struct answer b;
	BAD("op is a request", a.message[0] = 1);
	BAD("op 3", a.message[0] = 3);
	BAD("another hardware", a.message[1] = 6);
	BAD("hlen 0", a.message[2] = 0);
	BAD("hlen 7", a.message[2] = 7);
	BAD("hlen 255", a.message[2] = 255);
	BAD("another client", a.message[28] ^= 1);
	BAD("no cookie", a.message[236] = 0);
	BAD("yiaddr 0.0.0.0", memset(a.message + 16, 0, 4));
	BAD("yiaddr 127.0.0.1", memcpy(a.message + 16, "\x7f\0\0\1", 4));
	BAD("yiaddr 224.0.0.1", memcpy(a.message + 16, "\xe0\0\0\1", 4));
	BAD("yiaddr 255.255.255.255", memset(a.message + 16, 255, 4));
	(void)b;
}
END_TEST

START_TEST(another_transaction)
{
	const uint32_t xid = transaction();
	send(usual(OFFER, xid ^ 1, "10.0.0.77"));
	ck_assert_uint_eq(net_number(UDP), 0);
	send(usual(OFFER, xid, "10.0.0.77"));
	send(usual(ACK, xid + 1, "10.0.0.77"));
	ck_assert_str_eq(told, "");
}
END_TEST

START_TEST(bad_options)
{
	BAD("no lease time", memcpy(a.message + a.options_at + 9, "\xe0", 1));
	BAD("no type", a.message[a.options_at] = 0xe0);
	BAD("type 0 octets", option(&a, 53, "", 0), memcpy(a.message + a.options_at, "\xe0", 1));
	BAD("type 2 octets", option(&a, 53, "\5", 1));
	BAD("another server", a.message[a.options_at + 8] = 9);
	BAD("mask with holes", option(&a, 1, "", 0),
		memcpy(a.message + a.options_at + 17, "\xff\x00\xff\x00", 4));
	BAD("mask too long", option(&a, 1, "\0", 1));
	BAD("router of 3 octets", a.message[a.len - 5] = 3, a.len--);
	BAD("router of 0 octets", a.message[a.len - 5] = 0, a.len -= 4);
	BAD("lease of 3 octets", option(&a, 51, "\0\0\0", 3));
	BAD("T1 of 5 octets", option(&a, 58, "\0\0\0\1\1", 5));
	BAD("MTU 67", option(&a, 26, "\0\x43", 2));
	BAD("overload 0", option(&a, 52, "\0", 1));
	BAD("overload 4", option(&a, 52, "\4", 1));
	BAD("overload, and file overruns", option(&a, 52, "\1", 1), memset(a.message + 108, 0x81, 128));
	BAD("an option past the end", a.message[a.len++] = 12, a.message[a.len++] = 200);
	BAD("an option without a length", a.message[a.len++] = 12);
}
END_TEST

START_TEST(offers_that_are_none)
{
	const uint32_t xid = transaction();
	struct answer a = bare(xid, "10.0.0.77");
	type_of(&a, OFFER);
	send(a); /* no server */
	a = bare(xid, "10.0.0.77");
	type_of(&a, OFFER);
	server_of(&a, "224.0.0.1");
	send(a);
	send(usual(OFFER, xid, "0.0.0.0"));
	send(usual(ACK, xid, "10.0.0.77")); /* nothing was requested */
	ck_assert_uint_eq(net_number(UDP), 0);
	ck_assert_str_eq(told, "");
	for (unsigned type = 0; type < 256; type++)
		if (type != OFFER)
			send(usual((uint8_t)type, xid, "10.0.0.77"));
	ck_assert_uint_eq(net_number(UDP), 0);
}
END_TEST

START_TEST(cut_everywhere)
{
	const uint32_t xid = transaction();
	send(usual(OFFER, xid, "10.0.0.77"));
	const struct answer whole = usual(ACK, xid, "10.0.0.77");
	/* the options that are needed end before the last two: those may be missing */
	for (size_t len = 0; len < whole.options_at + 15; len++)
		net_in_udp4("10.0.0.1:67", "255.255.255.255:68", (struct mrg_span){ whole.message, len });
	ck_assert_str_eq(told, "");
	send(whole);
	ck_assert_str_eq(told, "10.0.0.77/23 by 10.0.0.1 ");
}
END_TEST

START_TEST(octets_changed_by_chance)
{
	any_begin(11);
	for (unsigned round = 0; round < 300; round++) {
		const uint32_t xid = transaction();
		send(usual(OFFER, xid, "10.0.0.77"));
		for (unsigned i = 0; i < 30; i++) {
			struct answer a = usual(any(2) != 0 ? ACK : NAK, xid, "10.0.0.77");
			for (unsigned n = 1 + any(4); n != 0; n--)
				a.message[any(2) != 0
						  ? any((unsigned)a.len)
						  : a.options_at + any((unsigned)(a.len - a.options_at))] =
					(uint8_t)any(256);
			send(a);
			net_pass(any(3) * second);
			net_clear();
		}
	}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/tcpip/dhcp");
	TCase *const t = tcase_create("dhcp");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, from_discover_to_bound);
	tcase_add_test(t, answers_to_the_address_itself);
	tcase_add_test(t, renewed_at_half_of_the_lease);
	tcase_add_test(t, nobody_renews);
	tcase_add_test(t, another_server_extends);
	tcase_add_test(t, times_that_the_server_wants);
	tcase_add_test(t, a_lease_without_end);
	tcase_add_test(t, discovers_less_and_less_often);
	tcase_add_test(t, the_server_forgets_its_offer);
	tcase_add_test(t, refused_when_requesting);
	tcase_add_test(t, refused_when_renewing);
	tcase_add_test(t, somebody_else_has_it);
	tcase_add_test(t, once_for_each_interface);
	tcase_add_test(t, options_in_parts);
	tcase_add_test(t, options_in_file_and_sname);
	tcase_add_test(t, options_in_file_only_when_it_is_said);
	tcase_add_test(t, long_options);
	tcase_add_test(t, mtu);
	tcase_add_test(t, bad_fields);
	tcase_add_test(t, another_transaction);
	tcase_add_test(t, bad_options);
	tcase_add_test(t, offers_that_are_none);
	tcase_add_test(t, cut_everywhere);
	tcase_add_test(t, octets_changed_by_chance);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
