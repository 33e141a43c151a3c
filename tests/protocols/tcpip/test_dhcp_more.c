/*
 * protocols/tcpip/dhcp: who the client is (RFC 4361, RFC 6842), classless routes (RFC 3442), and giving an address back
 * (RFC 2131 section 4.4.6). The server is this test.
 */
#include "protocols/tcpip/dhcp_kit.h"
#include "protocols/tcpip/neighbor.h"

/* ---- who the client is ---- */

static const uint8_t our_id[] = { 15, 255, 0, 0, 0, 1, 0, 3, 0, 1, 2, 0, 0, 0, 0, 2 };

static bool names_us(const struct heard *h) { return memcmp(h->client_id, our_id, sizeof our_id) == 0; }

START_TEST(the_same_id_in_all_messages)
{
	begin();
	struct heard h = only(DISCOVER);
	const uint32_t xid = h.xid;
	MUST(names_us(&h));
	send(usual(OFFER, xid, "10.0.0.77"));
	h = only(REQUEST);
	MUST(names_us(&h));
	send(usual(ACK, xid, "10.0.0.77"));
	net_pass(10 * second);
	net_clear();
	net_pass(1800 * second); /* renewal */
	h = only(REQUEST);
	MUST(names_us(&h));
	(void)mrg_tcpip_dhcp_release(net.on);
	h = only(RELEASE);
	MUST(names_us(&h));
}
END_TEST

/* RFC 6842 section 3: a server may echo it; another client's is not for us. */
START_TEST(replies_to_another)
{
	const uint32_t xid = transaction();
	for (unsigned at = 0; at < 15; at++) {
		struct answer a = usual(OFFER, xid, "10.0.0.66");
		uint8_t other[15];
		memcpy(other, our_id + 1, sizeof other);
		other[at] ^= 1;
		option(&a, 61, other, sizeof other);
		send(a);
		MUST(net_number(UDP) == 0);
	}
	struct answer shorter = usual(OFFER, xid, "10.0.0.66"), ours = usual(OFFER, xid, "10.0.0.77");
	option(&shorter, 61, our_id + 1, 14);
	send(shorter);
	MUST(net_number(UDP) == 0 && net_count("dhcp", "in_errors") == 16);
	option(&ours, 61, our_id + 1, 15);
	send(ours);
	MUST(is(only(REQUEST).requested, "10.0.0.77"));
}
END_TEST

/* ---- routes ---- */

static const char *next_hop(const char *to)
{
	static char text[MRG_RT_ADDR_TEXT_MAX];
	struct ip_way w = { .to = net_ip(to) };
	struct mrg_rt_addr a;
	if (!ip_way_find(net.s, &w))
		return "none";
	ip_to_rt(&net.s->ip->neighbors->entry[w.neighbor].ip, 0, 0, &a);
	return mrg_rt_addr_host_str(&a, text);
}

static struct answer routed(uint8_t type, uint32_t xid, const void *routes, size_t len)
{
	struct answer a = usual(type, xid, "10.0.0.77");
	option(&a, 121, routes, len);
	return a;
}

START_TEST(classless_routes)
{
	static const uint8_t routes[] = { 0, 10, 0, 1,
		9, /* default, and not by 10.0.0.1 as the option ROUTER says */
		17, 192, 168, 128, 10, 0, 1, 1, 32, 192, 168, 129, 5, 10, 0, 1, 2, 12, 172,
		31 /* 172.16/12 */, 10, 0, 1, 3, 24, 198, 51, 100, 0, 0, 0, 0 };
	begin();
	const struct heard d = only(DISCOVER);
	/* asked for, and before the routers */
	const uint8_t *const classless = memchr(d.wanted + 1, 121, d.wanted[0]), *const router = memchr(
											 d.wanted + 1, 3,
											 d.wanted[0]);
	MUST(classless != NULL && router != NULL && classless < router);
	send(usual(OFFER, d.xid, "10.0.0.77"));
	send(routed(ACK, d.xid, routes, sizeof routes));
	ck_assert_str_eq(told, "10.0.0.77/23 by 10.0.1.9 ");
	net_pass(10 * second);
	ck_assert_str_eq(next_hop("203.0.113.1"), "10.0.1.9");
	ck_assert_str_eq(next_hop("192.168.200.1"), "10.0.1.1");
	ck_assert_str_eq(next_hop("192.168.129.5"), "10.0.1.2");
	ck_assert_str_eq(next_hop("172.16.0.1"), "10.0.1.3");
	ck_assert_str_eq(next_hop("198.51.100.7"), "198.51.100.7");
	ck_assert_str_eq(next_hop("10.0.0.8"), "10.0.0.8");
	/* renewed without them: by the router again, and nothing of the others is left */
	net_pass(1700 * second);
	struct heard h;
	net_clear();
	net_pass(200 * second);
	MUST(hear(0, &h) && h.type == REQUEST);
	send(usual(ACK, h.xid, "10.0.0.77"));
	ck_assert_str_eq(told, "10.0.0.77/23 by 10.0.1.9 10.0.0.77/23 by 10.0.0.1 ");
	ck_assert_str_eq(next_hop("192.168.201.1"), "10.0.0.1");
	for (unsigned i = 0, dhcp = 0; i < net.s->ip->route_used; i++) {
		dhcp += net.s->ip->routes[i].kind == IP_ROUTE_DHCP;
		MUST(dhcp <= 1);
	}
}
END_TEST

START_TEST(routes_that_are_none)
{
	static const struct {
		uint8_t octets[12];
		size_t len;
	} bad[] = { { { 33, 1, 2, 3, 4, 5, 10, 0, 1, 1 }, 10 }, { { 24, 192, 168, 1, 10, 0, 1 }, 7 },
		{ { 24 }, 1 }, { { 0, 10, 0, 1, 9, 8 }, 6 } };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const uint32_t xid = transaction();
		send(usual(OFFER, xid, "10.0.0.77"));
		send(routed(ACK, xid, bad[i].octets, bad[i].len));
		MUST(!net_mine("10.0.0.77"));
	}
	/* such as lead nowhere are passed over; so is what there is no room for */
	static const uint8_t odd[] = { 8, 9, 127, 0, 0, 1, 8, 9, 224, 0, 0, 1, 0, 0, 0, 0, 0, 8, 9, 10, 0, 1,
		1 };
	const uint32_t xid = transaction();
	send(usual(OFFER, xid, "10.0.0.77"));
	send(routed(ACK, xid, odd, sizeof odd));
	net_pass(10 * second);
	MUST(net_mine("10.0.0.77") && net_count("dhcp", "refused") == 3);
	ck_assert_str_eq(next_hop("9.0.0.1"), "10.0.1.1");
	ck_assert_str_eq(next_hop("203.0.113.1"), "none");
}
END_TEST

/* RFC 3396: more than 255 octets, in two options; the first sixteen are taken. */
START_TEST(many_routes)
{
	uint8_t routes[40 * 8];
	for (unsigned i = 0; i < 40; i++)
		memcpy(routes + 8 * i,
			(const uint8_t[]){ 24, 172, 20, (uint8_t)i, 10, 0, 1, (uint8_t)(1 + i) }, 8);
	const uint32_t xid = transaction();
	send(usual(OFFER, xid, "10.0.0.77"));
	struct answer a = usual(ACK, xid, "10.0.0.77");
	option(&a, 121, routes, 250);
	option(&a, 121, routes + 250, sizeof routes - 250);
	send(a);
	net_pass(10 * second);
	MUST(net_mine("10.0.0.77"));
	ck_assert_str_eq(next_hop("172.20.15.1"), "10.0.1.16");
	ck_assert_str_eq(next_hop("172.20.16.1"), "none");
}
END_TEST

/* ---- giving it back ---- */

START_TEST(given_back)
{
	(void)lease();
	const struct ip server = net_ip("10.0.0.1");
	neighbor_heard(net.on, &server, (struct mrg_span){ (const uint8_t[]){ 2, 0, 0, 0, 0, 1 }, 6 });
	net_clear();
	MUST(mrg_tcpip_dhcp_release(net.on));
	const struct heard r = only(RELEASE);
	MUST(is(r.ciaddr, "10.0.0.77") && is(r.from, "10.0.0.77") && is(r.to, "10.0.0.1") &&
		is(r.server, "10.0.0.1"));
	MUST(ip_unspecified(&r.requested) && !r.broadcast && r.wanted[0] == 0);
	MUST(!net_mine("10.0.0.77"));
	ck_assert_str_eq(told, "10.0.0.77/23 by 10.0.0.1 ");
	ck_assert_str_eq(next_hop("203.0.113.1"), "none");
	/* that was all */
	net_clear();
	MUST(mrg_tcpip_dhcp_release(net.on));
	net_pass(7200 * second);
	MUST(net_number(UDP) == 0);
	send(usual(OFFER, r.xid, "10.0.0.78"));
	send(usual(ACK, r.xid, "10.0.0.78"));
	MUST(net_number(UDP) == 0 && !net_mine("10.0.0.78"));
}
END_TEST

/* The server's link-layer address is not known: the message waits, and the address is ours meanwhile. */
START_TEST(given_back_to_an_unknown_neighbor)
{
	(void)lease();
	net.silent = true;
	struct ip_way w = { .to = net_ip("10.0.0.1") };
	MUST(ip_way_find(net.s, &w));
	MUST(!mrg_tcpip_dhcp_release(net.on) && !mrg_tcpip_dhcp_release(net.on));
	MUST(net_number(UDP) == 0 && net_mine("10.0.0.77"));
	net_in_arp("10.0.0.1", "10.0.0.77");
	(void)only(RELEASE);
	MUST(mrg_tcpip_dhcp_release(net.on) && !net_mine("10.0.0.77"));
	/* nobody answers: it is lost */
	(void)lease();
	net.silent = true;
	MUST(!mrg_tcpip_dhcp_release(net.on));
	net_pass(5 * second);
	MUST(mrg_tcpip_dhcp_release(net.on) && !net_mine("10.0.0.77") && net_number(UDP) == 0);
}
END_TEST

/* Where there is no lease there is nothing to say, and nothing is asked any more. */
START_TEST(stopped_without_a_lease)
{
	for (unsigned stage = 0; stage < 4; stage++) {
		const uint32_t xid = transaction();
		if (stage >= 1)
			send(usual(OFFER, xid, "10.0.0.77"));
		if (stage == 2)
			send(usual(NAK, xid, "0.0.0.0"));
		net_clear();
		MUST(mrg_tcpip_dhcp_release(net.on));
		send(usual(ACK, xid, "10.0.0.77"));
		net_pass(1000 * second);
		MUST_SAY(net_number(UDP) == 0 && !net_mine("10.0.0.77"), "stage %u", stage);
	}
	net_open(&net_limits, 7);
	MUST(mrg_tcpip_dhcp_release(net.on)); /* nobody asked for one */
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { the_same_id_in_all_messages, replies_to_another, classless_routes,
		routes_that_are_none, many_routes, given_back, given_back_to_an_unknown_neighbor,
		stopped_without_a_lease };
	Suite *const s = suite_create("protocols/tcpip/dhcp: more");
	TCase *const t = tcase_create("dhcp");
	for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
