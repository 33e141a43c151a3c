/*
 * protocols/tcpip/router, prefix: RFC 4861 sections 6 and 8, RFC 4862 section 5.5, RFC 4191, RFC 7217, RFC 7559.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/tcpip/net_kit.h"

enum { ICMP6 = 58 };

static const uint64_t second = MRG_RT_SECOND_NS;

/* An advertisement; zero is what says nothing. */
struct said {
	const char *from, *to; /* NULL: fe80::1, ff02::1 */
	uint8_t hop_limit;     /* of the packet; 0: 255 */
	uint8_t code, cur_hop_limit, prf;
	uint16_t lifetime;
	uint32_t reachable, retrans, mtu;
	const char *prefix;
	uint8_t len; /* 0: 64 */
	uint32_t valid, preferred;
	bool off_link, not_autonomous, with_source;
};

static void put_options(struct mrg_w *w, struct mrg_net_router_advertisement_build *a, const struct said *s)
{
	struct mrg_net_nd_option_build b;
	if (s->with_source) {
		mrg_net_router_advertisement_options_add(w, a);
		mrg_net_nd_option_begin(w, &b, &(struct mrg_net_nd_option_args){ .type = 1, .length = 1 });
		mrg_net_nd_option_source_put(
			w, &(struct mrg_net_nd_option_source_args){ .address = MRG_LITERAL("\2\0\0\0\0\1") });
		mrg_net_nd_option_end(w, &b);
	}
	if (s->mtu != 0) {
		mrg_net_router_advertisement_options_add(w, a);
		mrg_net_nd_option_begin(w, &b, &(struct mrg_net_nd_option_args){ .type = 5, .length = 1 });
		mrg_net_nd_option_link_mtu_put(w, &(struct mrg_net_nd_option_link_mtu_args){ .mtu = s->mtu });
		mrg_net_nd_option_end(w, &b);
	}
	if (s->prefix != NULL) {
		const struct ip prefix = net_ip(s->prefix);
		mrg_net_router_advertisement_options_add(w, a);
		mrg_net_nd_option_begin(w, &b, &(struct mrg_net_nd_option_args){ .type = 3, .length = 4 });
		mrg_net_nd_prefix_put(
			w, &(struct mrg_net_nd_prefix_args){ .prefix_length = s->len != 0 ? s->len : 64,
				   .on_link = !s->off_link,
				   .autonomous = !s->not_autonomous,
				   .valid_lifetime = s->valid,
				   .preferred_lifetime = s->preferred,
				   .prefix = ip_wire(&prefix) });
		mrg_net_nd_option_end(w, &b);
	}
}

static void advertise(struct said s)
{
	uint8_t m[256];
	struct mrg_w w;
	struct mrg_net_icmp6_build b;
	struct mrg_net_router_advertisement_build a;
	mrg_w_init(&w, m, sizeof m);
	mrg_net_icmp6_begin(&w, &b, &(struct mrg_net_icmp6_args){ .type = 134 });
	mrg_net_router_advertisement_begin(&w, &a,
		&(struct mrg_net_router_advertisement_args){ .cur_hop_limit = s.cur_hop_limit,
			.prf = s.prf,
			.router_lifetime = s.lifetime,
			.reachable_time = s.reachable,
			.retrans_timer = s.retrans });
	put_options(&w, &a, &s);
	mrg_net_router_advertisement_end(&w, &a);
	mrg_net_icmp6_end(&w, &b);
	m[1] = s.code;
	net_in_icmp6(s.from != NULL ? s.from : "fe80::1", s.to != NULL ? s.to : "ff02::1",
		s.hop_limit != 0 ? s.hop_limit : 255, &w);
}

static void begin(void)
{
	net_open(&net_limits, 5);
	net_pass(10 * second);
	net_clear();
}

/* Where packets to `to` go: the router, or the address itself; NULL text: nowhere. */
static bool goes_by(const char *to, const char *by)
{
	struct ip_way way = { .to = net_ip(to) };
	for (unsigned i = 0; i < net.s->ip->route_used; i++) {
		const struct ip_route *const r = &net.s->ip->routes[i];
		const struct ip b = by != NULL ? net_ip(by) : (struct ip){ { 0 } };
		if (r->kind != IP_ROUTE_FREE && ip_prefix_same(&r->to, &way.to, r->prefix_len) &&
			!ip_is4(&r->to) && (by == NULL || ip_same(&r->by, &b)))
			return true;
	}
	return false;
}

/* The address that was made of the prefix; NULL: none. */
static const struct ip_address *made(const char *prefix)
{
	const struct ip p = net_ip(prefix);
	for (unsigned i = 0; i < net.s->ip->address_used; i++) {
		const struct ip_address *const a = &net.s->ip->addresses[i];
		if (a->state != IP_ADDRESS_FREE && a->on == net.on->index && ip_prefix_same(&a->ip, &p, 64))
			return a;
	}
	return NULL;
}

/* ---- solicitations ---- */

START_TEST(solicited_less_and_less_often)
{
	static const unsigned want[] = { 4, 8, 16, 32, 64 };
	net_open(&net_limits, 5);
	net_pass(200 * second);
	uint64_t before = 0;
	unsigned n = 0;
	for (size_t i = 0; net_nth(ICMP6, i) != NULL; i++) {
		const struct net_sent *const k = net_nth(ICMP6, i);
		if (k->p[0] != 133)
			continue;
		const struct ip all = ip_all_routers();
		ck_assert(ip_same(&k->to, &all) && k->hop_limit == 255);
		ck_assert(k->len == 8 || (k->len == 16 && memcmp(k->p + 8, "\1\1\2\0\0\0\0\2", 8) == 0));
		ck_assert(n == 0 || k->len == 16);
		if (n == 0)
			ck_assert_uint_le(k->at_ns, 2 * second);
		else {
			ck_assert_uint_ge(k->at_ns - before, want[n - 1] * second * 9 / 10);
			ck_assert_uint_le(k->at_ns - before, want[n - 1] * second * 11 / 10);
		}
		before = k->at_ns;
		n++;
	}
	ck_assert_uint_eq(n, 6);
	advertise((struct said){ 0 });
	net_clear();
	net_pass(10000 * second);
	ck_assert_uint_eq(net_number(ICMP6), 0);
}
END_TEST

/* ---- routers ---- */

START_TEST(default_routers)
{
	begin();
	ck_assert(!goes_by("2001:db8:9::1", NULL));
	advertise((struct said){ .lifetime = 100 });
	ck_assert(goes_by("2001:db8:9::1", "fe80::1"));
	net_pass(90 * second);
	advertise((struct said){ .lifetime = 100 });
	net_pass(99 * second);
	ck_assert(goes_by("2001:db8:9::1", "fe80::1"));
	net_pass(2 * second);
	ck_assert(!goes_by("2001:db8:9::1", NULL));
	advertise((struct said){ .lifetime = 100 });
	advertise((struct said){ .lifetime = 0 });
	ck_assert(!goes_by("2001:db8:9::1", NULL));
	advertise((struct said){ .lifetime = 100, .with_source = true });
	const struct ip router = net_ip("fe80::1");
	neighbor_is_router(net.on, &router, false);
	ck_assert(!goes_by("2001:db8:9::1", NULL));
}
END_TEST

/* RFC 4191 section 2.1 */
START_TEST(preferences)
{
	begin();
	advertise((struct said){ .lifetime = 100, .prefix = "2001:db8::", .valid = 1000, .preferred = 1000 });
	advertise((struct said){ .lifetime = 100, .from = "fe80::2", .prf = 1 });
	advertise((struct said){ .lifetime = 100, .from = "fe80::3", .prf = 3 });
	advertise((struct said){ .lifetime = 100, .from = "fe80::4", .prf = 2 });
	static const struct {
		const char *by;
		unsigned preference;
	} rows[] = { { "fe80::1", 1 }, { "fe80::2", 2 }, { "fe80::3", 0 }, { "fe80::4", 1 } };
	const struct ip any = { { 0 } };
	for (size_t i = 0; i < 4; i++) {
		const struct ip by = net_ip(rows[i].by);
		const struct ip_route *const r = route_find(net.on, &any, 0, &by);
		ck_assert(r != NULL && r->preference == rows[i].preference);
	}
	/* a fifth is one too many */
	advertise((struct said){ .lifetime = 100, .from = "fe80::5" });
	ck_assert(!goes_by("2001:db8:9::1", "fe80::5"));
	ck_assert_uint_eq(net_count("router", "routers_refused"), 1);
}
END_TEST

START_TEST(advertisements_that_are_none)
{
	begin();
	advertise((struct said){ .lifetime = 100, .from = "2001:db8::1" });
	advertise((struct said){ .lifetime = 100, .hop_limit = 254 });
	advertise((struct said){ .lifetime = 100, .hop_limit = 1 });
	advertise((struct said){ .lifetime = 100, .code = 1 });
	ck_assert(!goes_by("2001:db8:9::1", NULL));
	ck_assert_uint_eq(net_count("router", "in_advertisements"), 0);
}
END_TEST

START_TEST(parameters)
{
	begin();
	const uint32_t reachable = net.on->reachable_ms, retransmit = net.on->retransmit_ms;
	advertise((struct said){ .cur_hop_limit = 99, .reachable = 20000, .retrans = 500, .mtu = 1400 });
	ck_assert_uint_eq(net.on->hop_limit6, 99);
	ck_assert_uint_eq(net.on->reachable_ms, 20000);
	ck_assert_uint_eq(net.on->retransmit_ms, 500);
	ck_assert_uint_eq(net.on->mtu6, 1400);
	advertise((struct said){ 0 });
	ck_assert_uint_eq(net.on->hop_limit6, 99);
	/* CVE-2015-2922, and other ways to make us useless */
	begin();
	advertise((struct said){ .cur_hop_limit = 1, .reachable = 3600001, .retrans = 1, .mtu = 1279 });
	advertise((struct said){ .retrans = 60001, .mtu = 1501 });
	advertise((struct said){ .retrans = UINT32_MAX, .reachable = UINT32_MAX, .mtu = UINT32_MAX });
	ck_assert_uint_ge(net.on->hop_limit6, 32);
	ck_assert_uint_eq(net.on->reachable_ms, reachable);
	ck_assert_uint_eq(net.on->retransmit_ms, retransmit);
	ck_assert_uint_eq(net.on->mtu6, 1500);
}
END_TEST

/* ---- prefixes ---- */

START_TEST(prefixes_on_the_link)
{
	begin();
	advertise((struct said){
		.prefix = "2001:db8::", .valid = 100, .preferred = 50, .not_autonomous = true });
	ck_assert(goes_by("2001:db8::99", "::") && !goes_by("2001:db8:0:1::1", NULL));
	ck_assert_ptr_null(made("2001:db8::"));
	net_pass(99 * second);
	ck_assert(goes_by("2001:db8::99", "::"));
	net_pass(2 * second);
	ck_assert(!goes_by("2001:db8::99", NULL));
	advertise((struct said){
		.prefix = "2001:db8::", .valid = UINT32_MAX, .preferred = 50, .not_autonomous = true });
	net_pass(100000 * second);
	ck_assert(goes_by("2001:db8::99", "::"));
	advertise((struct said){ .prefix = "2001:db8::", .valid = 0, .not_autonomous = true });
	ck_assert(!goes_by("2001:db8::99", NULL));
}
END_TEST

START_TEST(prefixes_that_are_passed_over)
{
	begin();
	advertise((struct said){ .prefix = "fe80::", .valid = 100, .preferred = 50 });
	advertise((struct said){ .prefix = "ff02::", .valid = 100, .preferred = 50 });
	advertise((struct said){ .prefix = "::", .valid = 100, .preferred = 50 });
	ck_assert(!goes_by("2001:db8::99", NULL) && !goes_by("ff02::5", "::"));
	advertise((struct said){
		.prefix = "2001:db8::", .valid = 100, .preferred = 101 }); /* RFC 4862 section 5.5.3 (c) */
	ck_assert_ptr_null(made("2001:db8::"));
	advertise((struct said){ .prefix = "2001:db8:1::", .len = 63, .valid = 100, .preferred = 100 });
	advertise((struct said){ .prefix = "2001:db8:2::", .len = 65, .valid = 100, .preferred = 100 });
	advertise((struct said){ .prefix = "2001:db8:3::", .len = 128, .valid = 100, .preferred = 100 });
	ck_assert(
		made("2001:db8:1::") == NULL && made("2001:db8:2::") == NULL && made("2001:db8:3::") == NULL);
}
END_TEST

START_TEST(addresses_are_made)
{
	struct ip first;
	begin();
	advertise((struct said){ .prefix = "2001:db8::", .valid = 100, .preferred = 50 });
	const struct ip_address *a = made("2001:db8::");
	ck_assert_ptr_nonnull(a);
	first = a->ip;
	net_pass(10 * second);
	ck_assert_int_eq(a->state, IP_ADDRESS_GOOD);
	net_pass(39 * second);
	ck_assert(!a->deprecated);
	net_pass(2 * second);
	ck_assert(a->deprecated);
	net_pass(48 * second);
	ck_assert_ptr_eq(made("2001:db8::"), a);
	net_pass(2 * second);
	ck_assert_ptr_null(made("2001:db8::"));
	/* RFC 7217: the same again, and another for another prefix or secret */
	advertise((struct said){ .prefix = "2001:db8::", .valid = 100, .preferred = 50 });
	advertise((struct said){ .prefix = "2001:db8:0:1::", .valid = 100, .preferred = 50 });
	ck_assert(ip_same(&made("2001:db8::")->ip, &first));
	ck_assert(memcmp(made("2001:db8:0:1::")->ip.b + 8, first.b + 8, 8) != 0);
	ck_assert(memcmp(first.b + 8, net.on->link_local.b + 8, 8) != 0);
	net_open(&net_limits, 6);
	advertise((struct said){ .prefix = "2001:db8::", .valid = 100, .preferred = 50 });
	ck_assert(!ip_same(&made("2001:db8::")->ip, &first));
}
END_TEST

START_TEST(deprecated_from_the_beginning)
{
	begin();
	advertise((struct said){ .prefix = "2001:db8::", .valid = 1000, .preferred = 0 });
	net_pass(10 * second);
	ck_assert(made("2001:db8::")->deprecated);
	advertise((struct said){ .prefix = "2001:db8::", .valid = 1000, .preferred = 500 });
	ck_assert(!made("2001:db8::")->deprecated);
}
END_TEST

/* RFC 4862 section 5.5.3 (e): what is left, what is told, what is left then. */
START_TEST(two_hours)
{
	static const struct {
		uint32_t left, told, then;
	} rows[] = { { 100, 200, 200 }, { 100, 50, 100 }, { 100, 0, 100 }, { 7200, 10, 7200 },
		{ 7300, 10, 7200 }, { 90000, 7201, 7201 }, { 90000, 7200, 7200 }, { 90000, 0, 7200 },
		{ 90000, 100000, 100000 }, { UINT32_MAX, 5, 7200 }, { UINT32_MAX, 8000, 8000 } };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		begin();
		advertise((struct said){
			.prefix = "2001:db8::", .valid = rows[i].left, .preferred = 0, .off_link = true });
		advertise((struct said){
			.prefix = "2001:db8::", .valid = rows[i].told, .preferred = 0, .off_link = true });
		MUST(made("2001:db8::") != NULL);
		net_pass((rows[i].then - 2) * second);
		MUST_SAY(made("2001:db8::") != NULL, "row %zu: gone too early", i);
		net_pass(4 * second);
		MUST_SAY(made("2001:db8::") == NULL, "row %zu: gone too late", i);
	}
}
END_TEST

static void duplicate(const struct ip *ip)
{
	uint8_t m[64];
	struct mrg_w w;
	struct mrg_net_icmp6_build b;
	struct mrg_net_neighbor_advertisement_build n;
	mrg_w_init(&w, m, sizeof m);
	mrg_net_icmp6_begin(&w, &b, &(struct mrg_net_icmp6_args){ .type = 136 });
	mrg_net_neighbor_advertisement_begin(&w, &n,
		&(struct mrg_net_neighbor_advertisement_args){
			.override = 1, .target_address = ip_wire(ip) });
	mrg_net_neighbor_advertisement_end(&w, &n);
	mrg_net_icmp6_end(&w, &b);
	net_in_icmp6("fe80::9", "ff02::1", 255, &w);
}

/* RFC 7217 section 6: another one, three times. */
START_TEST(addresses_that_others_have)
{
	struct ip seen[3];
	begin();
	advertise((struct said){ .prefix = "2001:db8::", .valid = 100, .preferred = 100 });
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_ptr_nonnull(made("2001:db8::"));
		seen[i] = made("2001:db8::")->ip;
		for (unsigned k = 0; k < i; k++)
			ck_assert(!ip_same(&seen[k], &seen[i]));
		duplicate(&seen[i]);
	}
	ck_assert_ptr_null(made("2001:db8::"));
	advertise((struct said){ .prefix = "2001:db8::", .valid = 100, .preferred = 100 });
	ck_assert_ptr_null(made("2001:db8::"));
	ck_assert_uint_eq(net_count("router", "duplicates"), 3);
	ck_assert(goes_by("2001:db8::99", "::"));
}
END_TEST

START_TEST(many_prefixes)
{
	char text[60];
	begin();
	advertise((struct said){ .prefix = "2001:db8::", .valid = 1000, .preferred = 1000 });
	for (unsigned i = 1; i < 500; i++) {
		snprintf(text, sizeof text, "2001:db8:0:%x::", i);
		advertise((struct said){ .prefix = text, .valid = UINT32_MAX, .preferred = UINT32_MAX });
	}
	ck_assert_ptr_nonnull(made("2001:db8::"));
	ck_assert_uint_ge(net_count("router", "prefixes_refused"), 490);
	ck_assert_ptr_null(made("2001:db8:0:100::"));
	/* others still get their addresses */
	const struct mrg_rt_addr a = { .family = 4, .ip = { 10, 0, 0, 2 } };
	ck_assert(mrg_tcpip_address_add(net.on, &a, 24));
}
END_TEST

/* ---- redirects ---- */

static void redirect_to(const char *from, const char *to, const char *target)
{
	uint8_t m[128];
	struct mrg_w w;
	struct mrg_net_icmp6_build b;
	struct mrg_net_redirect_build r;
	const struct ip d = net_ip(to), t = net_ip(target);
	mrg_w_init(&w, m, sizeof m);
	mrg_net_icmp6_begin(&w, &b, &(struct mrg_net_icmp6_args){ .type = 137 });
	mrg_net_redirect_begin(&w, &r,
		&(struct mrg_net_redirect_args){
			.target_address = ip_wire(&t), .destination_address = ip_wire(&d) });
	mrg_net_redirect_end(&w, &r);
	mrg_net_icmp6_end(&w, &b);
	net_in_icmp6(from, "fe80::ff:fe00:2", 255, &w);
}

START_TEST(redirects)
{
	begin();
	advertise((struct said){ .lifetime = 1000,
		.with_source = true,
		.prefix = "2001:db8::",
		.valid = 1000,
		.preferred = 1000 });
	redirect_to("fe80::1", "2001:db8:9::1", "fe80::7");
	ck_assert(goes_by("2001:db8:9::1", "fe80::7") && !goes_by("2001:db8:9::2", "fe80::7"));
	redirect_to("fe80::1", "2001:db8:9::2", "2001:db8:9::2"); /* it is on the link */
	ck_assert(goes_by("2001:db8:9::2", "::"));
	/* the next one is for the new router to give */
	redirect_to("fe80::1", "2001:db8:9::1", "fe80::8");
	ck_assert(!goes_by("2001:db8:9::1", "fe80::8"));
	redirect_to("fe80::7", "2001:db8:9::1", "fe80::8");
	ck_assert(goes_by("2001:db8:9::1", "fe80::8") && !goes_by("2001:db8:9::1", "fe80::7"));
	ck_assert_uint_eq(net_count("router", "in_redirects"), 3);
	const struct ip gone = net_ip("fe80::1");
	neighbor_is_router(net.on, &gone, false);
	ck_assert(!goes_by("2001:db8:9::1", "fe80::1"));
}
END_TEST

START_TEST(redirects_that_are_none)
{
	begin();
	advertise(
		(struct said){ .lifetime = 1000, .prefix = "2001:db8::", .valid = 1000, .preferred = 1000 });
	redirect_to("fe80::2", "2001:db8:9::1", "fe80::7");       /* not our router */
	redirect_to("2001:db8::1", "2001:db8:9::1", "fe80::7");   /* not link-local */
	redirect_to("fe80::1", "2001:db8:9::1", "2001:db8:9::2"); /* a router that is no neighbor */
	redirect_to("fe80::1", "::1", "fe80::7");
	redirect_to("fe80::1", "2001:db8:9::1", "fe80::ff:fe00:2"); /* to ourselves */
	redirect_to("fe80::1", "fe80::ff:fe00:2", "fe80::7");
	redirect_to("fe80::1", "ff0e::1", "fe80::7");
	ck_assert_uint_eq(net_count("router", "in_redirects"), 0);
	ck_assert(!goes_by("2001:db8:9::1", "fe80::7") && !goes_by("2001:db8:9::1", "2001:db8:9::2"));
}
END_TEST

START_TEST(many_redirects)
{
	char text[60];
	begin();
	advertise(
		(struct said){ .lifetime = 1000, .prefix = "2001:db8::", .valid = 1000, .preferred = 1000 });
	for (unsigned i = 1; i < 1000; i++) {
		snprintf(text, sizeof text, "2001:db8:9::%x", i);
		redirect_to("fe80::1", text, "fe80::7");
	}
	ck_assert(goes_by("2001:db8:9::3e7", "fe80::7") && !goes_by("2001:db8:9::1", "fe80::7"));
	const struct ip any = net_ip("2001:db8:a::"), by = net_ip("fe80::9");
	ck_assert_ptr_nonnull(route_add(net.on, &any, 48, &by, IP_ROUTE_MANUAL));
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/tcpip/router");
	TCase *const t = tcase_create("router");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, solicited_less_and_less_often);
	tcase_add_test(t, default_routers);
	tcase_add_test(t, preferences);
	tcase_add_test(t, advertisements_that_are_none);
	tcase_add_test(t, parameters);
	tcase_add_test(t, prefixes_on_the_link);
	tcase_add_test(t, prefixes_that_are_passed_over);
	tcase_add_test(t, addresses_are_made);
	tcase_add_test(t, deprecated_from_the_beginning);
	tcase_add_test(t, two_hours);
	tcase_add_test(t, addresses_that_others_have);
	tcase_add_test(t, many_prefixes);
	tcase_add_test(t, redirects);
	tcase_add_test(t, redirects_that_are_none);
	tcase_add_test(t, many_redirects);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
