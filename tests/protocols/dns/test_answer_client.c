/*
 * Replies of mrg_dns_answer as far as they depend on who asks: cookies (RFC 7873, 9018), signatures (RFC 8945), rate limits, and the
 * options that go with a connection or a zone (RFC 7314, 7828, 8914).
 */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit.h"

#define NOW UINT64_C(1559731985)

static struct kit k;
static struct mrg_dns_cookie_secrets secrets;
static struct mrg_rt_addr peer;
static unsigned peer_calls;

static const char zone[] =
	"@ 60 SOA a b 7 2 3 604800 30\n@ 60 NS a\na 60 A 192.0.2.77\nwww 60 A 192.0.2.1\nwww 60 TXT x\n"
	"*.wild 60 A 192.0.2.2\nsub 60 NS ns.sub\nns.sub 60 A 192.0.2.9\nother 60 NS ns.sub\n"
	"alias 60 CNAME www\n";

static void tell_peer(void *ctx, size_t index, struct mrg_rt_addr *out)
{
	ck_assert_ptr_eq(ctx, &peer);
	ck_assert_uint_eq(index, 7);
	peer_calls++;
	*out = peer;
}

static void from(const char *address)
{
	peer = (struct mrg_rt_addr){ .family = strchr(address, ':') != NULL ? 6 : 4, .port = 1234 };
	ck_assert_int_eq(inet_pton(peer.family == 4 ? AF_INET : AF_INET6, address, peer.ip), 1);
}

static void set_secret(unsigned place, const char *hex)
{
	uint8_t octets[MRG_DNS_COOKIE_SECRET];
	for (size_t i = 0; i < sizeof octets; i++)
		ck_assert_int_eq(sscanf(hex + 2 * i, "%2hhx", &octets[i]), 1);
	mrg_dns_cookie_secret_set(&secrets, place, octets);
}

static void setup(void)
{
	kit_init(&k, 1 << 22);
	ck_assert_int_eq(kit_zone(&k, "example.", zone), MRG_DNS_ZONE_SOUND);
	k.client = (struct mrg_dns_asker){ .now_s = NOW, .peer = tell_peer, .ctx = &peer, .index = 7 };
	memset(&secrets, 0, sizeof secrets);
	set_secret(0, "e5e973e5a6b2a43f48e7dc849e37bfcf");
	from("198.51.100.100");
	peer_calls = 0;
}

static void teardown(void) { kit_free(&k); }

static void expect(const char *query, const char *reply) { ck_assert_str_eq(kit_ask(&k, query), reply); }

/* ---- cookies ---- */

/* RFC 9018 appendix A: what is asked and when, and the cookie that is given. */
START_TEST(cookies_of_the_rfc)
{
	k.server.cookies = &secrets;
	const char *const www =
		"NOERROR aa; www.example. A IN\nan www.example. 60 IN A 192.0.2.1\nopt 1232 10=";
	char want[300];
	snprintf(want, sizeof want, "%s%s\n", www, "2464c4abcf10c957010000005cf79f111f8130c3eee29480");
	expect("www.example. A cookie=2464c4abcf10c957", want); /* A.1 */
	k.client.now_s = 1559734385;
	snprintf(want, sizeof want, "%s%s\n", www, "2464c4abcf10c957010000005cf7a871d4a564a1442aca77");
	expect("www.example. A cookie=2464c4abcf10c957010000005cf79f111f8130c3eee29480", want); /* A.2 */
	from("203.0.113.203");
	k.client.now_s = 1559734700;
	snprintf(want, sizeof want, "%s%s\n", www, "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e");
	expect("www.example. A cookie=fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", want); /* A.3 */
	from("2001:db8:220:1:59de:d0f4:8769:82b8");
	set_secret(0, "445536bcd2513298075a5d379663c962");
	set_secret(1, "dd3bdf9344b678b185a6f5cb60fca715");
	k.client.now_s = 1559741961;
	snprintf(want, sizeof want, "%s%s\n", www, "22681ab97d52c298010000005cf7c609a6bb79d16625507a");
	expect("www.example. A cookie=22681ab97d52c298010000005cf7c57926556bd0934c72f8", want); /* A.4 */
}
END_TEST

/* The cookie in a reply, as digits. */
static const char *cookie_of(const char *reply)
{
	static char digits[49];
	const char *const at = strstr(reply, " 10=");
	ck_assert_ptr_nonnull(at);
	ck_assert_int_eq(sscanf(at, " 10=%48[0-9a-f]", digits), 1);
	ck_assert_uint_eq(strlen(digits), 48);
	return digits;
}

static const char *ask_with(const char *cookie)
{
	char line[200];
	snprintf(line, sizeof line, "www.example. A cookie=%s", cookie);
	return kit_ask(&k, line);
}

static bool refused(const char *reply) { return strncmp(reply, "BADCOOKIE;", 10) == 0; }

/* A cookie is good for its address, its client, an hour, and not if a bit of it is another.  RFC 9018 4.3 */
START_TEST(cookies_are_good_for_whom_they_were_made_for)
{
	char good[49], bad[49];
	k.server.cookies = &secrets;
	k.client.cookie_must = true;
	const char *const first = ask_with("0011223344556677");
	ck_assert(refused(first));
	strcpy(good, cookie_of(first));
	ck_assert_ptr_nonnull(strstr(ask_with(good), "192.0.2.1"));
	ck_assert_str_eq(cookie_of(ask_with(good)), good);
	for (unsigned bit = 0; bit < 4 * 48; bit++) {
		char *const digit = &bad[bit / 4];
		strcpy(bad, good);
		const unsigned v = (unsigned)strtoul((char[]){ *digit, '\0' }, NULL, 16) ^ 1u << bit % 4;
		*digit = "0123456789abcdef"[v];
		ck_assert_msg(refused(ask_with(bad)), "bit %u", bit);
	}
	static const struct {
		int64_t later;
		bool good, same;
	} times[] = { { 0, true, true }, { 1799, true, true }, { 1800, true, false }, { 3600, true, false },
		{ 3601, false, false }, { -300, true, true }, { -301, false, false },
		{ 1 << 30, false, false } };
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		k.client.now_s = (uint64_t)((int64_t)NOW + times[i].later);
		const char *const reply = ask_with(good);
		ck_assert_int_eq(refused(reply), !times[i].good);
		ck_assert_int_eq(strcmp(cookie_of(reply), good) == 0, times[i].same);
	}
	k.client.now_s = NOW;
	from("198.51.100.101");
	ck_assert(refused(ask_with(good)));
	from("198.51.100.100");
	set_secret(0, "00000000000000000000000000000000");
	ck_assert(refused(ask_with(good)));
	set_secret(1, "e5e973e5a6b2a43f48e7dc849e37bfcf");
	ck_assert(!refused(ask_with(good)));
}
END_TEST

/* Nobody is asked for an address where there is no use for it; a cookie of a wrong length is a format error (RFC 7873 5.2.2). */
START_TEST(cookies_only_for_whom_is_known)
{
	expect("www.example. A cookie=0011223344556677",
		"NOERROR aa; www.example. A IN\nan www.example. 60 IN A 192.0.2.1\nopt 1232\n");
	k.server.cookies = &secrets;
	(void)kit_ask(&k, "www.example. A edns");
	ck_assert_uint_eq(peer_calls, 0);
	k.client.cookie_must = true; /* whoever has no cookies is answered, and so is who comes over TCP */
	ck_assert_ptr_nonnull(strstr(kit_ask(&k, "www.example. A edns"), "192.0.2.1"));
	ck_assert_ptr_nonnull(strstr(kit_ask(&k, "www.example. A cookie=0011223344556677 tcp"), "192.0.2.1"));
	ck_assert_uint_eq(peer_calls, 1);
	k.client.now_s = 0; /* no clock */
	expect("www.example. A cookie=0011223344556677",
		"NOERROR aa; www.example. A IN\nan www.example. 60 IN A 192.0.2.1\nopt 1232\n");
	k.client.now_s = NOW;
	k.client.peer = NULL;
	expect("www.example. A cookie=0011223344556677",
		"NOERROR aa; www.example. A IN\nan www.example. 60 IN A 192.0.2.1\nopt 1232\n");
	k.client.peer = tell_peer;
	static const char *const wrong[] = { "00112233445566", "001122334455667788",
		"00112233445566778899aabbccddee" };
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(strncmp(ask_with(wrong[i]), "FORMERR;", 8), 0);
	/* of a length that other servers may have, but we have not: not ours */
	ck_assert(refused(ask_with("0011223344556677aabbccddeeff0011")));
}
END_TEST

/* ---- options ---- */

START_TEST(connections_tell_how_long_they_may_be_idle)
{
	k.server.keepalive = 258;
	expect("www.example. TXT keepalive tcp",
		"NOERROR aa; www.example. TXT IN\nan www.example. 60 IN TXT \"x\"\nopt 1232 11=0102\n");
	expect("www.example. TXT edns tcp",
		"NOERROR aa; www.example. TXT IN\nan www.example. 60 IN TXT \"x\"\nopt 1232\n");
	expect("www.example. TXT keepalive",
		"NOERROR aa; www.example. TXT IN\nan www.example. 60 IN TXT \"x\"\nopt 1232\n");
	k.server.keepalive = 0;
	expect("www.example. TXT keepalive tcp",
		"NOERROR aa; www.example. TXT IN\nan www.example. 60 IN TXT \"x\"\nopt 1232\n");
}
END_TEST

static bool left;

static bool tell_left(void *ctx, const struct mrg_dns_zone *z, uint64_t now_s, uint32_t *seconds)
{
	ck_assert_ptr_eq(ctx, &left);
	ck_assert_ptr_eq(z, k.zones[0]);
	ck_assert_uint_eq(now_s, NOW);
	*seconds = 0x01020304;
	return left;
}

#define SOA "NOERROR aa; example. SOA IN\nan example. 60 IN SOA a.example. b.example. 7 2 3 604800 30\n"

/* RFC 7314: with the SOA record only; 604800 is 0x93a80. */
START_TEST(zones_tell_when_they_expire)
{
	const struct mrg_dns_states states = { .ctx = &left, .expire = tell_left };
	expect("example. SOA expire", SOA "opt 1232 9=00093a80\n");
	k.server.states = &states;
	expect("example. SOA expire", SOA "opt 1232 9=00093a80\n");
	left = true;
	expect("example. SOA expire", SOA "opt 1232 9=01020304\n");
	expect("example. SOA edns", SOA "opt 1232\n");
	ck_assert_ptr_null(strstr(kit_ask(&k, "www.example. SOA expire"), " 9="));
	ck_assert_ptr_null(strstr(kit_ask(&k, "example. NS expire"), " 9="));
}
END_TEST

static enum mrg_dns_lack lack;

static enum mrg_dns_lack tell_lack(void *ctx, const struct mrg_dns_name_flat *name)
{
	ck_assert_ptr_eq(ctx, &lack);
	ck_assert_uint_eq(name->count, 3);
	return lack;
}

START_TEST(errors_say_why)
{
	const struct mrg_dns_states states = { .ctx = &lack, .lack = tell_lack };
	expect("www.test. A edns", "REFUSED; www.test. A IN\nopt 1232 15=0014\n");
	expect("www.test. A", "REFUSED; www.test. A IN\n");
	expect("www.example. A CLASS17 edns", "REFUSED; www.example. A CLASS17\nopt 1232 15=0015\n");
	expect("version.bind. TXT CH edns", "REFUSED; version.bind. TXT CH\nopt 1232 15=0012\n");
	expect("example. AXFR edns tcp", "REFUSED; example. AXFR IN\nopt 1232 15=0012\n");
	expect("www.example. AXFR edns tcp", "NOTAUTH; www.example. AXFR IN\nopt 1232 15=0014\n");
	k.server.states = &states;
	expect("www.test. A edns", "REFUSED; www.test. A IN\nopt 1232 15=0014\n");
	lack = MRG_DNS_LACK_NOT_READY;
	expect("www.test. A edns", "SERVFAIL; www.test. A IN\nopt 1232 15=000e\n");
	lack = MRG_DNS_LACK_EXPIRED;
	expect("www.test. A edns", "SERVFAIL; www.test. A IN\nopt 1232 15=0018\n");
}
END_TEST

/* What only says more is left out where there is no room for it: here, 12 + 14 + 11 octets and five. */
START_TEST(errors_say_why_if_there_is_room)
{
	uint8_t query[100];
	const size_t len = kit_query("www.test. A edns", query, sizeof query);
	ck_assert_uint_eq(len, 37);
	ck_assert_str_eq(
		kit_send(&k, MRG_DNS_UDP, query, len, 43), "REFUSED; www.test. A IN\nopt 1232 15=0014\n");
	ck_assert_str_eq(kit_send(&k, MRG_DNS_UDP, query, len, 42), "REFUSED; www.test. A IN\nopt 1232\n");
}
END_TEST

/* ---- signatures ---- */

static const uint8_t key_name[] = "\3key";
static const struct mrg_dns_tsig_key keys[] = { { .name = { key_name, sizeof key_name },
	.algorithm = MRG_DNS_MAC_ALGORITHM_HMAC_SHA256,
	.secret = { key_name, sizeof key_name } } };

/* Ask with a signature made at `then`; the reply is checked as the client does. */
static enum mrg_dns_auth_result ask_signed(const char *line, enum mrg_dns_transport via, uint64_t then,
	struct mrg_dns_auth *a, const char **reply)
{
	uint8_t query[700];
	size_t len = kit_query(line, query, sizeof query), reply_len;
	ck_assert_int_eq(mrg_dns_auth_ask(a, &keys[0], then, query, sizeof query, &len), MRG_OK);
	*reply = kit_send(&k, via, query, len, 1232);
	const uint8_t *const p = kit_reply(&reply_len);
	return mrg_dns_auth_take(a, (struct mrg_span){ p, reply_len }, then);
}

START_TEST(signed_queries_have_signed_replies)
{
	const struct mrg_dns_tsig_keys table = { keys, 1 };
	static const char *const lines[] = { "www.example. A", "www.example. A edns do", "no.example. A",
		"www.test. A edns", "a.sub.example. A", "example. AXFR", "version.bind. TXT CH" };
	struct mrg_dns_auth a;
	const char *reply;
	k.server.keys = &table;
	for (unsigned i = 0; i < 2 * sizeof lines / sizeof lines[0]; i++) {
		const enum mrg_dns_auth_result r =
			ask_signed(lines[i / 2], i % 2 ? MRG_DNS_TCP : MRG_DNS_UDP, NOW, &a, &reply);
		ck_assert_int_eq(r, MRG_DNS_AUTH_GOOD);
		ck_assert(mrg_dns_auth_over(&a));
		ck_assert_ptr_nonnull(strstr(reply, " ANY TSIG "));
	}
}
END_TEST

START_TEST(wrong_signatures_are_told)
{
	struct mrg_dns_tsig_key known = keys[0];
	const struct mrg_dns_tsig_keys table = { &known, 1 };
	struct mrg_dns_auth a;
	const char *reply;
	ck_assert_int_eq(
		ask_signed("www.example. A edns", MRG_DNS_UDP, NOW, &a, &reply), MRG_DNS_AUTH_REFUSED);
	ck_assert_uint_eq(a.error, MRG_DNS_TSIG_ERROR_BADKEY);
	ck_assert_int_eq(strncmp(reply, "NOTAUTH; www.example. A IN\nar key. 0 ANY TSIG", 30), 0);
	ck_assert_ptr_null(strstr(reply, "192.0.2.1"));
	k.server.keys = &table;
	known.secret.len -= 2;
	ck_assert_int_eq(
		ask_signed("www.example. A edns", MRG_DNS_UDP, NOW, &a, &reply), MRG_DNS_AUTH_REFUSED);
	ck_assert_uint_eq(a.error, MRG_DNS_TSIG_ERROR_BADSIG);
	ck_assert_int_eq(strncmp(reply, "NOTAUTH;", 8), 0);
	known.secret.len += 2;
	ck_assert_int_eq(
		ask_signed("www.example. A", MRG_DNS_UDP, NOW - 301, &a, &reply), MRG_DNS_AUTH_REFUSED);
	ck_assert_uint_eq(a.error, MRG_DNS_TSIG_ERROR_BADTIME);
	ck_assert_uint_eq(a.server_time, NOW);
	ck_assert_int_eq(strncmp(reply, "NOTAUTH;", 8), 0);
	known.mac_least = 255;
	ck_assert_int_eq(ask_signed("www.example. A", MRG_DNS_UDP, NOW, &a, &reply), MRG_DNS_AUTH_REFUSED);
	ck_assert_uint_eq(a.error, MRG_DNS_TSIG_ERROR_BADTRUNC);
}
END_TEST

/* Replies are cut so that the signature fits: with TC, and signed.  RFC 8945 5.3 */
START_TEST(signatures_fit_behind_what_is_cut)
{
	const struct mrg_dns_tsig_keys table = { keys, 1 };
	char text[4000];
	size_t n = (size_t)snprintf(
		text, sizeof text, "@ 60 SOA a b 7 2 3 4 30\n@ 60 NS a\na 60 A 192.0.2.77\n");
	for (unsigned i = 0; i < 28; i++) /* 12 + 13 + 28 * 16 are 473 octets, the signature some 60 */
		n += (size_t)snprintf(text + n, sizeof text - n, "big 60 A 192.0.2.%u\n", i);
	struct mrg_dns_auth a;
	const char *reply;
	ck_assert_int_eq(kit_zone(&k, "big.", text), MRG_DNS_ZONE_SOUND);
	k.server.keys = &table;
	ck_assert_ptr_nonnull(strstr(kit_ask(&k, "big.big. A"), "192.0.2.27"));
	ck_assert_int_eq(ask_signed("big.big. A", MRG_DNS_UDP, NOW, &a, &reply), MRG_DNS_AUTH_GOOD);
	ck_assert_int_eq(strncmp(reply, "NOERROR aa tc; big.big. A IN\nar key. 0 ANY TSIG", 45), 0);
	ck_assert_int_eq(ask_signed("big.big. A", MRG_DNS_TCP, NOW, &a, &reply), MRG_DNS_AUTH_GOOD);
	ck_assert_ptr_nonnull(strstr(reply, "192.0.2.27"));
}
END_TEST

/* ---- rates ---- */

static struct mrg_dns_rate rate;

static void start_rates(const struct mrg_dns_rate_limits *limits)
{
	static uint8_t memory[1 << 16];
	static const uint64_t secret[2] = { 1, 2 };
	struct mrg_arena a = { .p = memory, .cap = sizeof memory };
	memset(memory, 0, sizeof memory);
	ck_assert_uint_le(mrg_dns_rate_memory(limits), sizeof memory);
	ck_assert_int_eq(mrg_dns_rate_init(&rate, &a, limits, secret), MRG_OK);
	ck_assert_uint_le(a.len, mrg_dns_rate_memory(limits));
	k.client.rate = &rate;
	k.client.now_ns = 10 * MRG_RT_SECOND_NS;
}

static const struct mrg_dns_rate_limits few = { .per_second = { 5, 5, 5, 5, 5 },
	.window_s = 15,
	.slip = 2,
	.prefix4 = 24,
	.prefix6 = 56,
	.networks = 1000 };

/* How many of `count` such queries are answered, cut and dropped. */
struct became {
	unsigned answered, cut, dropped;
};

static struct became ask_often(const char *line, unsigned count)
{
	struct became b = { 0 };
	for (unsigned i = 0; i < count; i++) {
		char one[200];
		snprintf(one, sizeof one, line, i);
		const char *const reply = kit_ask(&k, one);
		if (strcmp(reply, "drop") == 0)
			b.dropped++;
		else if (strstr(reply, " tc") != NULL && strstr(reply, "\nan ") == NULL &&
			 strstr(reply, "\nns ") == NULL)
			b.cut++;
		else
			b.answered++;
	}
	return b;
}

static void expect_rate(const char *line, unsigned count, unsigned answered)
{
	const struct became b = ask_often(line, count);
	ck_assert_msg(b.answered == answered, "%s: %u answered, %u cut, %u dropped", line, b.answered, b.cut,
		b.dropped);
	ck_assert_uint_le(
		b.cut > b.dropped ? b.cut - b.dropped : b.dropped - b.cut, 1); /* slip 2: one of two */
}

/* Each kind of reply has its own account, and of a kind each name or zone. */
START_TEST(replies_are_counted_by_kind)
{
	start_rates(&few);
	expect_rate("www.example. A", 25, 5);
	expect_rate("www.example. TXT", 25, 5); /* another type */
	expect_rate("a.example. A", 25, 5);     /* another name */
	expect_rate("alias.example. A", 25, 5);
	expect_rate("x%u.wild.example. A", 25, 5);  /* one wildcard */
	expect_rate("x%u.example. A", 25, 5);       /* names that are not there: one zone */
	expect_rate("www.example. TYPE4%u", 25, 5); /* types that are not there: likewise */
}
END_TEST

START_TEST(referrals_and_errors_are_counted)
{
	start_rates(&few);
	expect_rate("x%u.sub.example. A", 25, 5); /* one delegation */
	expect_rate("x%u.other.example. A", 25, 5);
	expect_rate("x%u.test. A", 25, 5); /* refused */
	expect_rate("example. AXFR", 25, 0);
	ck_assert_uint_eq(rate.counts.cut + rate.counts.dropped, 3 * 20 + 25);
	ck_assert_uint_gt(rate.counts.cut, 30);
}
END_TEST

START_TEST(networks_are_counted_apart)
{
	start_rates(&few);
	expect_rate("www.example. A", 10, 5);
	from("198.51.100.255");
	expect_rate("www.example. A", 10, 0);
	from("198.51.101.1");
	expect_rate("www.example. A", 10, 5);
	from("2001:db8:0:1200::1");
	expect_rate("www.example. A", 10, 5);
	from("2001:db8:0:12ff:ffff::1");
	expect_rate("www.example. A", 10, 0);
	from("2001:db8:0:1300::1");
	expect_rate("www.example. A", 10, 5);
	struct mrg_dns_rate_limits odd = few; /* prefixes that end within an octet */
	odd.prefix4 = 20;
	odd.prefix6 = 0;
	start_rates(&odd);
	from("192.0.16.1");
	expect_rate("www.example. A", 10, 5);
	from("192.0.31.255");
	expect_rate("www.example. A", 10, 0);
	from("192.0.32.1");
	expect_rate("www.example. A", 10, 5);
	from("2001:db8::1");
	expect_rate("www.example. A", 10, 5);
	from("fe80::2");
	expect_rate("www.example. A", 10, 0);
}
END_TEST

/* Who goes on is held back; who waits is answered again, at the rate, and not more at once than a second brings. */
START_TEST(rates_recover)
{
	start_rates(&few);
	expect_rate("www.example. A", 10, 5);
	k.client.now_ns += MRG_RT_SECOND_NS / 5; /* one more, but it owes five */
	expect_rate("www.example. A", 1, 0);
	k.client.now_ns += 3 * MRG_RT_SECOND_NS;
	expect_rate("www.example. A", 20, 5);
	for (unsigned i = 0; i < 50; i++) /* a flood, remembered for the window at most */
		(void)ask_often("www.example. A", 100);
	k.client.now_ns += 14 * MRG_RT_SECOND_NS;
	expect_rate("www.example. A", 1, 0);
	k.client.now_ns += 16 * MRG_RT_SECOND_NS;
	expect_rate("www.example. A", 20, 5);
	k.client.now_ns += 100000 * MRG_RT_SECOND_NS;
	expect_rate("www.example. A", 20, 5);
}
END_TEST

START_TEST(who_has_shown_that_he_is_there_is_not_counted)
{
	const struct mrg_dns_tsig_keys table = { keys, 1 };
	struct mrg_dns_auth a;
	const char *reply;
	char line[200];
	start_rates(&few);
	k.server.cookies = &secrets;
	k.server.keys = &table;
	snprintf(line, sizeof line, "www.example. A cookie=%s", cookie_of(ask_with("0011223344556677")));
	expect_rate("www.example. A", 20, 4);
	expect_rate(line, 20, 20);
	expect_rate("www.example. A tcp", 20, 20);
	for (unsigned i = 0; i < 20; i++)
		ck_assert_int_eq(
			ask_signed("www.example. A", MRG_DNS_UDP, NOW, &a, &reply), MRG_DNS_AUTH_GOOD);
	expect_rate("www.example. A cookie=0011223344556677", 20, 0); /* half a cookie shows nothing */
	k.client.rate = NULL;
	expect_rate("www.example. A", 20, 20);
}
END_TEST

/* Send a query in the steps of mrg_dns_answer but for _expect; true: its reply is sent whole. */
static bool unexpected_is_sent(const char *line)
{
	enum { TC_AT = 2, TC = 2 };
	static uint8_t in[600], out[2000];
	struct mrg_dns_asked asked;
	size_t len = kit_query(line, in, sizeof in);
	mrg_dns_answer_begin(&k.server, (struct mrg_span){ in, len }, &asked);
	mrg_dns_answer_look(&asked);
	return mrg_dns_answer_finish(&asked, &k.client, out, sizeof out, &len) == MRG_OK &&
	       (out[TC_AT] & TC) == 0;
}

/* What was expected before it was written is counted where all else like it is. */
START_TEST(what_is_expected_is_counted_with_the_others)
{
	static const char *const lines[] = { "www.example. A", "alias.example. A", "example. SOA",
		"x.wild.example. A", "x.example. A", "www.example. MX", "x.sub.example. A",
		"sub.example. NS" };
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		start_rates(&few);
		expect_rate(lines[i], 3, 3);
		ck_assert_msg(unexpected_is_sent(lines[i]) && unexpected_is_sent(lines[i]), "%s", lines[i]);
		ck_assert_msg(!unexpected_is_sent(lines[i]), "%s", lines[i]);
		expect_rate(lines[i], 10, 0);
	}
}
END_TEST

/* RFC 7873 5.4: NOERROR for the client's cookie alone and for a good server cookie, BADCOOKIE for another one. */
START_TEST(a_cookie_may_be_asked_for_without_a_question)
{
	const struct mrg_dns_tsig_keys table = { keys, 1 };
	struct mrg_dns_auth a;
	const char *reply;
	char line[200], want[200], good[49];
	expect("cookie=0011223344556677", "FORMERR\nopt 1232\n"); /* there are no cookies here */
	k.server.cookies = &secrets;
	strcpy(good, cookie_of(ask_with("0011223344556677")));
	snprintf(want, sizeof want, "NOERROR\nopt 1232 10=%s\n", good);
	expect("cookie=0011223344556677", want);
	expect("cookie=0011223344556677 tcp", want);
	snprintf(line, sizeof line, "cookie=%s", good);
	expect(line, want);
	snprintf(want, sizeof want, "BADCOOKIE\nopt 1232 10=%s\n", good);
	expect("cookie=0011223344556677010000000000000000000000000000ff", want);
	expect("cookie=0011223344556677aabbccddeeff0011", want);
	expect("cookie=0011223344556677aabbccddeeff0011 tcp", want);
	snprintf(want, sizeof want, "BADVERS\nopt 1232 10=%s\n", good);
	expect("cookie=0011223344556677 ver=1", want);
	expect("cookie=0011223344556677aabbccddeeff0011 ver=1", want);
	expect("", "FORMERR\n");
	expect("nsid", "FORMERR\nopt 1232\n");
	expect("cookie=00112233445566", "FORMERR\n");
	k.server.keys = &table; /* a signature makes no question */
	ck_assert_int_eq(
		ask_signed("cookie=0011223344556677", MRG_DNS_UDP, NOW, &a, &reply), MRG_DNS_AUTH_GOOD);
	ck_assert_int_eq(strncmp(reply, "NOERROR\n", 8), 0);
	ck_assert_int_eq(ask_signed("nsid", MRG_DNS_UDP, NOW, &a, &reply), MRG_DNS_AUTH_GOOD);
	ck_assert_int_eq(strncmp(reply, "FORMERR\n", 8), 0);
}
END_TEST

START_TEST(limits_may_be_off_and_slips_all_or_none)
{
	struct mrg_dns_rate_limits limits = few;
	limits.per_second[MRG_DNS_RATE_NXDOMAIN] = 0;
	limits.slip = 0;
	start_rates(&limits);
	ck_assert_uint_eq(ask_often("x%u.example. A", 100).answered, 100);
	ck_assert_uint_eq(ask_often("www.example. A", 100).dropped, 95);
	limits.slip = 1;
	start_rates(&limits);
	ck_assert_uint_eq(ask_often("www.example. A", 100).cut, 95);
	limits.window_s = 0;
	start_rates(&limits);
	ck_assert_uint_eq(ask_often("www.example. A", 100).cut, 95);
	limits.per_second[0] = MRG_DNS_RATE_MOST;
	limits.window_s = UINT32_MAX;
	start_rates(&limits);
	ck_assert_uint_eq(ask_often("www.example. A", 1000).answered, 1000);
	struct mrg_arena none = { .p = NULL };
	static const uint64_t secret[2];
	ck_assert_int_eq(mrg_dns_rate_init(&rate, &none, &limits, secret), MRG_E_SPACE);
	limits.per_second[0]++;
	ck_assert_int_eq(mrg_dns_rate_init(&rate, &none, &limits, secret), MRG_E_RANGE);
	limits.per_second[0]--;
	limits.prefix4 = 33;
	ck_assert_int_eq(mrg_dns_rate_init(&rate, &none, &limits, secret), MRG_E_RANGE);
	limits.prefix4 = 0;
	limits.prefix6 = 65;
	ck_assert_int_eq(mrg_dns_rate_init(&rate, &none, &limits, secret), MRG_E_RANGE);
}
END_TEST

/* More networks than there is room for: those that are asked for last are remembered. */
START_TEST(the_longest_quiet_is_forgotten)
{
	struct mrg_dns_rate_limits limits = few;
	limits.networks = 3; /* one line of the table */
	start_rates(&limits);
	for (unsigned i = 0; i < 5; i++) {
		char address[30];
		snprintf(address, sizeof address, "192.0.%u.1", i);
		from(address);
		expect_rate("www.example. A", 6, 5);
		k.client.now_ns += 1000000;
	}
	from("192.0.4.9");
	expect_rate("www.example. A", 6, 0);
	from("192.0.1.9");
	expect_rate("www.example. A", 6, 0);
	from("192.0.0.9"); /* forgotten */
	expect_rate("www.example. A", 6, 5);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("answers to clients");
	TCase *const t = tcase_create("clients");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, cookies_of_the_rfc);
	tcase_add_test(t, cookies_are_good_for_whom_they_were_made_for);
	tcase_add_test(t, cookies_only_for_whom_is_known);
	tcase_add_test(t, a_cookie_may_be_asked_for_without_a_question);
	tcase_add_test(t, connections_tell_how_long_they_may_be_idle);
	tcase_add_test(t, zones_tell_when_they_expire);
	tcase_add_test(t, errors_say_why);
	tcase_add_test(t, errors_say_why_if_there_is_room);
	tcase_add_test(t, signed_queries_have_signed_replies);
	tcase_add_test(t, wrong_signatures_are_told);
	tcase_add_test(t, signatures_fit_behind_what_is_cut);
	tcase_add_test(t, replies_are_counted_by_kind);
	tcase_add_test(t, referrals_and_errors_are_counted);
	tcase_add_test(t, networks_are_counted_apart);
	tcase_add_test(t, rates_recover);
	tcase_add_test(t, who_has_shown_that_he_is_there_is_not_counted);
	tcase_add_test(t, what_is_expected_is_counted_with_the_others);
	tcase_add_test(t, limits_may_be_off_and_slips_all_or_none);
	tcase_add_test(t, the_longest_quiet_is_forgotten);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
