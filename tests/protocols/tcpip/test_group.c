/*
 * protocols/tcpip/group: RFC 9776, RFC 2236, RFC 9777, RFC 2710.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/tcpip/net_kit.h"
#include "protocols/tcpip/group.c"

enum { IGMP = 2, ICMP6 = 58 };

static const uint64_t second = MRG_RT_SECOND_NS;

static void begin(void)
{
	net_open(&net_limits, 3);
	net_pass(20 * second);
	const struct mrg_rt_addr a = { .family = 4, .ip = { 10, 0, 0, 2 } };
	MUST(mrg_tcpip_address_add(net.on, &a, 24));
	net_pass(20 * second);
	net_clear();
}

static void join(const char *group)
{
	const struct ip g = net_ip(group);
	group_join(net.on, &g);
}

static void leave(const char *group)
{
	const struct ip g = net_ip(group);
	group_leave(net.on, &g);
}

static bool member(const char *group)
{
	const struct ip g = net_ip(group);
	return group_member(net.on, &g);
}

/* What was said last: the type, of a record the kind, and of which group. */
static void said(size_t index, const char *to, unsigned type, unsigned record, const char *group)
{
	const struct ip t = net_ip(to), g = net_ip(group);
	const bool four = ip_is4(&t);
	const struct net_sent *const k = net_nth(four ? IGMP : ICMP6, index);
	MUST_SAY(k != NULL, "nothing was said");
	MUST(ip_same(&k->to, &t) && k->hop_limit == 1 && k->router_alert);
	MUST(four ? ip_same(&k->from, &(struct ip){ 0 }) == false : ip_is_link_local(&k->from));
	MUST_SAY(k->p[0] == type, "%u instead of %u", k->p[0], type);
	const struct mrg_span wire = ip_wire(&g);
	const size_t at = record != 0 ? 12 : four ? 4 : 8;
	MUST(k->len == at + wire.len && memcmp(k->p + at, wire.p, wire.len) == 0);
	MUST_SAY(record == 0 || k->p[8] == record, "record %u instead of %u", k->p[8], record);
	MUST(!four || mrg_inet16_end(mrg_inet16_add(0, k->p, k->len, 0)) == 0);
}

static void igmp(const char *from, const char *to, const uint8_t *octets, size_t len)
{
	uint8_t b[64];
	memcpy(b, octets, len);
	if (b[2] == 0 && b[3] == 0)
		mrg_put_be16(b + 2, mrg_inet16_end(mrg_inet16_add(0, b, len, 0)));
	net_in(net_ip(from), net_ip(to), IGMP, 1, (struct mrg_span){ b, len });
}

static void mld(
	const char *from, uint8_t hop_limit, uint8_t type, uint16_t code, const char *group, size_t len)
{
	uint8_t b[64] = { type };
	const struct ip g = net_ip(group);
	struct mrg_w w;
	mrg_put_be16(b + 4, code);
	memcpy(b + 8, g.b, 16);
	mrg_w_init(&w, b, sizeof b);
	w.len = len;
	net_in_icmp6(from, "ff02::1", hop_limit, &w);
}

static const uint8_t query2[] = { 0x11, 100, 0, 0, 0, 0, 0, 0 }, query1[] = { 0x11, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t query3[] = { 0x11, 100, 0, 0, 0, 0, 0, 0, 2, 125, 0, 0 };

START_TEST(joining_and_leaving)
{
	begin();
	join("239.1.2.3");
	said(0, "224.0.0.22", 0x22, 4, "239.1.2.3");
	join("239.1.2.3");
	ck_assert_uint_eq(net_number(IGMP), 1);
	ck_assert(member("239.1.2.3") && !member("239.1.2.4") && member("224.0.0.1") && member("ff02::1"));
	net_pass(second);
	said(1, "224.0.0.22", 0x22, 4, "239.1.2.3");
	net_pass(1000 * second);
	ck_assert_uint_eq(net_number(IGMP), 2);
	net_clear();
	leave("239.1.2.3");
	ck_assert_uint_eq(net_number(IGMP), 0);
	leave("239.1.2.3");
	ck_assert(!member("239.1.2.3"));
	said(0, "224.0.0.22", 0x22, 3, "239.1.2.3");
	net_pass(2 * second);
	said(1, "224.0.0.22", 0x22, 3, "239.1.2.3");
	leave("239.1.2.3");
	net_pass(1000 * second);
	ck_assert_uint_eq(net_number(IGMP), 2);
}
END_TEST

START_TEST(joining_and_leaving_in_ipv6)
{
	begin();
	join("ff02::1:2");
	said(0, "ff02::16", 143, 4, "ff02::1:2");
	net_pass(2 * second);
	leave("ff02::1:2");
	said(2, "ff02::16", 143, 3, "ff02::1:2");
	net_pass(2 * second);
	ck_assert_uint_eq(net_number(ICMP6), 4);
	/* of all nodes, and of what stays here, nothing is said */
	join("ff02::1");
	join("ff01::5");
	join("224.0.0.1");
	net_pass(2 * second);
	ck_assert_uint_eq(net_number(ICMP6) + net_number(IGMP), 4);
}
END_TEST

/* Each address has its solicited-node group (RFC 4291 section 2.7.1). */
START_TEST(groups_of_addresses)
{
	begin();
	const struct mrg_rt_addr a = { .family = 6, .ip = { 0x20, 1, 0xd, 0xb8, [13] = 0x12, 0x34, 0x56 } };
	ck_assert(mrg_tcpip_address_add(net.on, &a, 64));
	ck_assert(member("ff02::1:ff12:3456"));
	said(0, "ff02::16", 143, 4, "ff02::1:ff12:3456");
	ck_assert(mrg_tcpip_address_remove(net.on, &a));
	ck_assert(!member("ff02::1:ff12:3456"));
}
END_TEST

START_TEST(queries_are_answered_after_some_time)
{
	uint64_t least = UINT64_MAX, most = 0;
	begin();
	join("239.1.2.3");
	net_pass(10 * second);
	for (unsigned i = 0; i < 100; i++) {
		net_clear();
		const uint64_t asked = net.now_ns;
		igmp("10.0.0.1", "224.0.0.1", query3, sizeof query3);
		ck_assert_uint_eq(net_number(IGMP), 0);
		net_pass(10 * second);
		ck_assert_uint_eq(net_number(IGMP), 1);
		said(0, "224.0.0.22", 0x22, 2, "239.1.2.3");
		const uint64_t after = net_nth(IGMP, 0)->at_ns - asked;
		least = after < least ? after : least;
		most = after > most ? after : most;
	}
	ck_assert_uint_lt(least, 2 * second);
	ck_assert_uint_gt(most, 8 * second);
	ck_assert_uint_eq(net_count("group", "in_queries"), 100);
}
END_TEST

START_TEST(queries_of_one_group)
{
	begin();
	join("239.1.2.3");
	join("239.1.2.4");
	net_pass(10 * second);
	net_clear();
	igmp("10.0.0.1", "239.1.2.4", (const uint8_t[]){ 0x11, 10, 0, 0, 239, 1, 2, 4, 2, 125, 0, 0 }, 12);
	net_pass(second);
	ck_assert_uint_eq(net_number(IGMP), 1);
	said(0, "224.0.0.22", 0x22, 2, "239.1.2.4");
}
END_TEST

/* RFC 9776 section 4.1.1: 0xff is 31744 tenths of a second. */
START_TEST(long_times)
{
	begin();
	join("239.1.2.3");
	net_pass(10 * second);
	net_clear();
	igmp("10.0.0.1", "224.0.0.1", (const uint8_t[]){ 0x11, 0xff, 0, 0, 0, 0, 0, 0, 2, 125, 0, 0 }, 12);
	net_pass(26 * second);
	ck_assert_uint_eq(net_number(IGMP), 0);
	net_pass(3200 * second);
	ck_assert_uint_eq(net_number(IGMP), 1);
}
END_TEST

/* RFC 9776 section 7.2.1 */
START_TEST(routers_of_version_2)
{
	begin();
	join("239.1.2.3");
	net_pass(10 * second);
	net_clear();
	igmp("10.0.0.1", "224.0.0.1", query2, sizeof query2);
	net_pass(10 * second);
	said(0, "239.1.2.3", 0x16, 0, "239.1.2.3");
	leave("239.1.2.3");
	said(1, "224.0.0.2", 0x17, 0, "239.1.2.3");
	net_pass(5 * second);
	net_clear();
	/* until none was heard for 260 seconds */
	join("239.1.2.5");
	said(0, "239.1.2.5", 0x16, 0, "239.1.2.5");
	net_pass(300 * second);
	net_clear();
	leave("239.1.2.5");
	said(0, "224.0.0.22", 0x22, 3, "239.1.2.5");
}
END_TEST

START_TEST(routers_of_version_1)
{
	begin();
	join("239.1.2.3");
	net_pass(10 * second);
	net_clear();
	igmp("10.0.0.1", "224.0.0.1", query1, sizeof query1);
	net_pass(10 * second);
	said(0, "239.1.2.3", 0x12, 0, "239.1.2.3");
	leave("239.1.2.3");
	net_pass(10 * second);
	ck_assert_uint_eq(net_number(IGMP), 1);
}
END_TEST

START_TEST(somebody_else_reports)
{
	begin();
	join("239.1.2.3");
	net_pass(10 * second);
	igmp("10.0.0.1", "224.0.0.1", query2, sizeof query2);
	net_clear();
	igmp("10.0.0.7", "239.1.2.3", (const uint8_t[]){ 0x16, 0, 0, 0, 239, 1, 2, 3 }, 8);
	net_pass(20 * second);
	ck_assert_uint_eq(net_number(IGMP), 0);
	/* who was not the last to report leaves without a word (RFC 2236 section 3) */
	leave("239.1.2.3");
	net_pass(20 * second);
	ck_assert_uint_eq(net_number(IGMP), 0);
}
END_TEST

START_TEST(queries_of_mld)
{
	begin();
	join("ff05::7");
	net_pass(10 * second);
	net_clear();
	mld("fe80::1", 1, 130, 1000, "::", 28);
	net_pass(second);
	/* that, and the group of the link-local address */
	ck_assert_uint_eq(net_number(ICMP6), 2);
	net_clear();
	mld("fe80::1", 1, 130, 1000, "ff05::7", 24);
	net_pass(second);
	said(0, "ff05::7", 131, 0, "ff05::7");
	leave("ff05::7");
	said(1, "ff02::2", 132, 0, "ff05::7");
}
END_TEST

/* ---- bad input ---- */

START_TEST(what_comes_from_elsewhere)
{
	begin();
	join("239.1.2.3");
	join("ff05::7");
	net_pass(10 * second);
	const uint64_t reports = net_count("group", "out_reports");
	mld("2001:db8::1", 1, 130, 10, "::", 28);            /* RFC 9777 section 6.2 */
	mld("fe80::1", 2, 130, 10, "::", 28);                /* passed on */
	igmp("10.0.0.1", "10.0.0.2", query3, sizeof query3); /* to us alone */
	net_pass(20 * second);
	ck_assert_uint_eq(net_count("group", "out_reports"), reports);
	ck_assert_uint_eq(net_count("group", "in_errors"), 3);
}
END_TEST

START_TEST(what_is_malformed)
{
	begin();
	join("239.1.2.3");
	net_pass(10 * second);
	net_clear();
	igmp("10.0.0.1", "224.0.0.1", (const uint8_t[]){ 0x11, 1, 1, 1, 0, 0, 0, 0, 2, 125, 0, 0 },
		12); /* checksum */
	for (size_t len = 4; len < 12; len++)
		if (len != 8)
			igmp("10.0.0.1", "224.0.0.1", query3, len);
	igmp("10.0.0.1", "224.0.0.1", (const uint8_t[]){ 0x11, 1, 0, 0, 0, 0, 0, 0, 2, 125, 0xff, 0xff },
		12); /* sources that are not there */
	net_pass(20 * second);
	ck_assert_uint_eq(net_number(IGMP), 0);
	ck_assert_uint_eq(net_count("group", "in_errors"), 9);
}
END_TEST

START_TEST(more_groups_than_there_is_room_for)
{
	begin();
	struct ip g = net_ip("239.0.0.0");
	for (unsigned i = 0; i < 1000; i++) {
		mrg_put_be16(g.b + 14, (uint16_t)i);
		group_join(net.on, &g);
		net_pass(second);
		net_clear();
	}
	const uint64_t refused = net_count("group", "refused");
	ck_assert_uint_gt(refused, 900);
	ck_assert(member("239.0.0.0") && !member("239.0.3.231"));
	leave("239.0.0.0");
	join("239.0.3.231");
	ck_assert(member("239.0.3.231"));
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/tcpip/group");
	TCase *const t = tcase_create("group");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, joining_and_leaving);
	tcase_add_test(t, joining_and_leaving_in_ipv6);
	tcase_add_test(t, groups_of_addresses);
	tcase_add_test(t, queries_are_answered_after_some_time);
	tcase_add_test(t, queries_of_one_group);
	tcase_add_test(t, long_times);
	tcase_add_test(t, routers_of_version_2);
	tcase_add_test(t, routers_of_version_1);
	tcase_add_test(t, somebody_else_reports);
	tcase_add_test(t, queries_of_mld);
	tcase_add_test(t, what_comes_from_elsewhere);
	tcase_add_test(t, what_is_malformed);
	tcase_add_test(t, more_groups_than_there_is_room_for);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
