/*
 * Replies of mrg_dns_answer, whole, as text: what RFC 1034 4.3.2 and its successors ask for, and what a server says to
 * messages that are no well-formed question.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/message.h"
#include "iana/dns.h"
#include "kit.h"

static const char zone_text[] = "$TTL 3600\n"
				"@ SOA ns1 hostmaster 7 7200 900 1209600 300\n"
				" NS ns1\n"
				" NS ns.other.test.\n"
				" TXT \"apex\"\n"
				"ns1 A 192.0.2.1\n"
				"ns1 AAAA 2001:db8::1\n"
				"www A 192.0.2.4\n"
				"www A 192.0.2.5\n"
				"www TXT \"hello\" \"world\"\n"
				"mail MX 10 www\n"
				"mail MX 20 mail.other.test.\n"
				"a.b.ent A 192.0.2.6\n"
				"alias CNAME www\n"
				"alias2 CNAME alias\n"
				"out CNAME www.other.test.\n"
				"dangling CNAME nothing\n"
				"loop1 CNAME loop2\n"
				"loop2 CNAME loop1\n"
				"*.wild TXT \"any\"\n"
				"x.y.wild A 192.0.2.8\n"
				"*.cwild CNAME www\n"
				"d DNAME target\n"
				"t1.target A 192.0.2.9\n"
				"sub NS ns1.sub\n"
				"sub NS ns.sub2\n"
				"sub NS ns1\n"
				"ns1.sub A 192.0.2.11\n"
				"ns.sub2 A 192.0.2.13\n"
				"sub2 NS ns.sub2\n"
				"sec NS ns.sec\n"
				"sec DS 1 13 2 00\n"
				"ns.sec A 192.0.2.14\n"
				"MiXed A 192.0.2.16\n";

static struct kit k;

static void setup(void)
{
	kit_init(&k, 1 << 24);
	ck_assert_int_eq(kit_zone(&k, "example.", zone_text), MRG_DNS_ZONE_SOUND);
	k.server.version = (struct mrg_span){ (const uint8_t *)"v1", 2 };
	k.server.identity = (struct mrg_span){ (const uint8_t *)"me", 2 };
	k.server.nsid = (struct mrg_span){ (const uint8_t *)"n1", 2 };
}

static void teardown(void) { kit_free(&k); }

#define SOA "ns example. 300 IN SOA ns1.example. hostmaster.example. 7 7200 900 1209600 300\n"

static void expect(const char *line, const char *reply) { ck_assert_str_eq(kit_ask(&k, line), reply); }

START_TEST(test_positive)
{
	expect("www.example. A",
		"NOERROR aa; www.example. A IN\nan www.example. 3600 IN A 192.0.2.4\nan www.example. 3600 IN A 192.0.2.5\n");
	expect("mail.example. MX",
		"NOERROR aa; mail.example. MX IN\nan mail.example. 3600 IN MX 10 www.example.\n"
		"an mail.example. 3600 IN MX 20 mail.other.test.\n");
	expect("example. SOA",
		"NOERROR aa; example. SOA IN\nan example. 3600 IN SOA ns1.example. hostmaster.example. 7 7200 900 1209600 300\n");
	/* addresses of the servers go along with them */
	expect("example. NS",
		"NOERROR aa; example. NS IN\nan example. 3600 IN NS ns1.example.\nan example. 3600 IN NS ns.other.test.\n"
		"ar ns1.example. 3600 IN A 192.0.2.1\nar ns1.example. 3600 IN AAAA 2001:db8::1\n");
}
END_TEST

START_TEST(test_case) /* RFC 4343: found in any case, the question's case comes back */
{
	expect("WwW.eXAMPLE. TXT",
		"NOERROR aa; WwW.eXAMPLE. TXT IN\nan WwW.eXAMPLE. 3600 IN TXT \"hello\" \"world\"\n");
	expect("mixed.example. A",
		"NOERROR aa; mixed.example. A IN\nan mixed.example. 3600 IN A 192.0.2.16\n");
}
END_TEST

START_TEST(test_negative) /* RFC 2308: the SOA's TTL is its minimum */
{
	expect("www.example. MX", "NOERROR aa; www.example. MX IN\n" SOA);
	expect("nothing.example. A", "NXDOMAIN aa; nothing.example. A IN\n" SOA);
	expect("a.b.c.d.nothing.example. A", "NXDOMAIN aa; a.b.c.d.nothing.example. A IN\n" SOA);
	expect("ent.example. A", "NOERROR aa; ent.example. A IN\n" SOA); /* empty non-terminals exist */
	expect("b.ent.example. ANY", "NOERROR aa; b.ent.example. ANY IN\n" SOA);
	expect("c.ent.example. A", "NXDOMAIN aa; c.ent.example. A IN\n" SOA);
}
END_TEST

START_TEST(test_wildcard) /* RFC 4592 */
{
	expect("q.wild.example. TXT",
		"NOERROR aa; q.wild.example. TXT IN\nan q.wild.example. 3600 IN TXT \"any\"\n");
	expect("q.r.wild.example. TXT",
		"NOERROR aa; q.r.wild.example. TXT IN\nan q.r.wild.example. 3600 IN TXT \"any\"\n");
	expect("q.wild.example. A", "NOERROR aa; q.wild.example. A IN\n" SOA);
	expect("y.wild.example. TXT", "NOERROR aa; y.wild.example. TXT IN\n" SOA);
	expect("q.y.wild.example. TXT", "NXDOMAIN aa; q.y.wild.example. TXT IN\n" SOA);
	expect("*.wild.example. TXT",
		"NOERROR aa; *.wild.example. TXT IN\nan *.wild.example. 3600 IN TXT \"any\"\n");
	expect("q.*.wild.example. TXT", "NXDOMAIN aa; q.*.wild.example. TXT IN\n" SOA);
	expect("q.cwild.example. TXT",
		"NOERROR aa; q.cwild.example. TXT IN\nan q.cwild.example. 3600 IN CNAME www.example.\n"
		"an www.example. 3600 IN TXT \"hello\" \"world\"\n");
}
END_TEST

START_TEST(test_alias)
{
	expect("alias2.example. TXT",
		"NOERROR aa; alias2.example. TXT IN\nan alias2.example. 3600 IN CNAME alias.example.\n"
		"an alias.example. 3600 IN CNAME www.example.\nan www.example. 3600 IN TXT \"hello\" \"world\"\n");
	expect("alias.example. CNAME",
		"NOERROR aa; alias.example. CNAME IN\nan alias.example. 3600 IN CNAME www.example.\n");
	expect("alias.example. MX",
		"NOERROR aa; alias.example. MX IN\nan alias.example. 3600 IN CNAME www.example.\n" SOA);
	expect("out.example. A",
		"NOERROR aa; out.example. A IN\nan out.example. 3600 IN CNAME www.other.test.\n");
	/* RFC 6604: the code is that of the last name */
	expect("dangling.example. A",
		"NXDOMAIN aa; dangling.example. A IN\nan dangling.example. 3600 IN CNAME nothing.example.\n" SOA);
	expect("loop1.example. A",
		"NOERROR aa; loop1.example. A IN\nan loop1.example. 3600 IN CNAME loop2.example.\n"
		"an loop2.example. 3600 IN CNAME loop1.example.\n");
	/* RRSIG and NSEC stand beside an alias: RFC 4035 2.5 */
	expect("alias.example. RRSIG", "NOERROR aa; alias.example. RRSIG IN\n" SOA);
}
END_TEST

START_TEST(test_dname) /* RFC 6672 */
{
	char line[400], reply[700], q[300];
	expect("t1.d.example. A",
		"NOERROR aa; t1.d.example. A IN\nan d.example. 3600 IN DNAME target.example.\n"
		"an t1.d.example. 3600 IN CNAME t1.target.example.\nan t1.target.example. 3600 IN A 192.0.2.9\n");
	expect("t1.d.example. CNAME",
		"NOERROR aa; t1.d.example. CNAME IN\nan d.example. 3600 IN DNAME target.example.\n"
		"an t1.d.example. 3600 IN CNAME t1.target.example.\n");
	expect("d.example. DNAME",
		"NOERROR aa; d.example. DNAME IN\nan d.example. 3600 IN DNAME target.example.\n");
	expect("d.example. A", "NOERROR aa; d.example. A IN\n" SOA); /* the owner itself is not redirected */
	/* 253 octets of text become 258 of target: YXDOMAIN */
	memset(q, 'a', sizeof q);
	for (unsigned i = 63; i < 240; i += 64)
		q[i] = '.';
	snprintf(q + 241, sizeof q - 241, ".d.example.");
	snprintf(line, sizeof line, "%s A", q);
	snprintf(reply, sizeof reply, "YXDOMAIN aa; %s A IN\nan d.example. 3600 IN DNAME target.example.\n",
		q);
	expect(line, reply);
}
END_TEST

START_TEST(test_referral)
{
	static const char servers[] =
		"ns sub.example. 3600 IN NS ns1.sub.example.\nns sub.example. 3600 IN NS ns.sub2.example.\n"
		"ns sub.example. 3600 IN NS ns1.example.\n";
	static const char addresses[] =
		"ar ns1.sub.example. 3600 IN A 192.0.2.11\nar ns.sub2.example. 3600 IN A 192.0.2.13\n"
		"ar ns1.example. 3600 IN A 192.0.2.1\nar ns1.example. 3600 IN AAAA 2001:db8::1\n";
	static const char *const lines[] = { "x.sub.example. A", "sub.example. NS", "sub.example. ANY",
		"ns1.sub.example. A", "a.b.c.ns1.sub.example. TXT", "sub.example. NSEC" };
	char reply[900];
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		snprintf(reply, sizeof reply, "NOERROR; %s IN\n%s%s", lines[i], servers, addresses);
		expect(lines[i], reply);
	}
	/* the DS of a delegation is the parent's */
	expect("sub.example. DS", "NOERROR aa; sub.example. DS IN\n" SOA);
	expect("sec.example. DS", "NOERROR aa; sec.example. DS IN\nan sec.example. 3600 IN DS 1 13 2 00\n");
	expect("x.sec.example. DS",
		"NOERROR; x.sec.example. DS IN\nns sec.example. 3600 IN NS ns.sec.example.\n"
		"ar ns.sec.example. 3600 IN A 192.0.2.14\n");
}
END_TEST

START_TEST(test_any) /* RFC 8482 4.1: one set */
{
	expect("www.example. ANY",
		"NOERROR aa; www.example. ANY IN\nan www.example. 3600 IN A 192.0.2.4\nan www.example. 3600 IN A 192.0.2.5\n");
	expect("example. ANY",
		"NOERROR aa; example. ANY IN\nan example. 3600 IN SOA ns1.example. hostmaster.example. 7 7200 900 1209600 300\n");
	expect("alias.example. ANY",
		"NOERROR aa; alias.example. ANY IN\nan alias.example. 3600 IN CNAME www.example.\n");
}
END_TEST

START_TEST(test_header) /* RD comes back; AA TC RA AD CD are ours: RFC 1035 4.1.1, RFC 4035 3.1.6 */
{
	expect("www.example. TXT rd cd ad aa tc ra",
		"NOERROR aa rd; www.example. TXT IN\nan www.example. 3600 IN TXT \"hello\" \"world\"\n");
	expect("www.test. A rd", "REFUSED rd; www.test. A IN\n");
	expect("example. AXFR", "NOTIMP; example. AXFR IN\n");
	expect("example. AXFR tcp", "REFUSED; example. AXFR IN\n");
	expect("example. IXFR", "REFUSED; example. IXFR IN\n");
	expect("www.example. IXFR", "NOTAUTH; www.example. IXFR IN\n");
	expect("other. AXFR tcp", "NOTAUTH; other. AXFR IN\n");
	for (unsigned op = 1; op < 16; op++) {
		char line[60];
		snprintf(line, sizeof line, "www.example. A op=%u", op);
		expect(line, "NOTIMP\n");
	}
	uint8_t q[60];
	size_t len = kit_query("www.example. A", q, sizeof q);
	kit_send(&k, MRG_DNS_UDP, q, len, 65535);
	const uint8_t *const p = kit_reply(&len);
	ck_assert_mem_eq(p, q, 2);
}
END_TEST

START_TEST(test_class)
{
	expect("www.example. A CH", "REFUSED; www.example. A CH\n");
	expect("www.example. A NONE", "REFUSED; www.example. A NONE\n");
	expect("www.example. A CLASS77", "REFUSED; www.example. A CLASS77\n");
	/* RFC 1035 6.2: class ANY is not answered with authority */
	expect("www.example. TXT ANY",
		"NOERROR; www.example. TXT ANY\nan www.example. 3600 IN TXT \"hello\" \"world\"\n");
	expect("version.bind. TXT CH", "NOERROR; version.bind. TXT CH\nan version.bind. 0 CH TXT \"v1\"\n");
	expect("VERSION.server. TXT CH",
		"NOERROR; VERSION.server. TXT CH\nan VERSION.server. 0 CH TXT \"v1\"\n");
	expect("id.server. TXT CH", "NOERROR; id.server. TXT CH\nan id.server. 0 CH TXT \"me\"\n");
	expect("hostname.bind. ANY CH",
		"NOERROR; hostname.bind. ANY CH\nan hostname.bind. 0 CH TXT \"me\"\n");
	expect("version.bind. A CH", "REFUSED; version.bind. A CH\n");
	expect("authors.bind. TXT CH", "REFUSED; authors.bind. TXT CH\n");
	k.server.version = (struct mrg_span){ NULL, 0 };
	expect("version.bind. TXT CH", "REFUSED; version.bind. TXT CH\n");
}
END_TEST

START_TEST(test_edns) /* RFC 6891, RFC 3225, RFC 5001 */
{
	static const char answer[] = "NOERROR aa; ns1.example. A IN\nan ns1.example. 3600 IN A 192.0.2.1\n";
	char reply[200];
	snprintf(reply, sizeof reply, "%sopt 1232\n", answer);
	expect("ns1.example. A edns=4096", reply);
	expect("ns1.example. A edns=0", reply);
	snprintf(reply, sizeof reply, "%sopt 1232 do\n", answer);
	expect("ns1.example. A do", reply);
	snprintf(reply, sizeof reply, "%sopt 1232 3=n1\n", answer);
	expect("ns1.example. A nsid", reply);
	k.server.nsid = (struct mrg_span){ NULL, 0 };
	snprintf(reply, sizeof reply, "%sopt 1232\n", answer);
	expect("ns1.example. A nsid", reply);
	expect("ns1.example. A ver=1", "BADVERS; ns1.example. A IN\nopt 1232\n");
	expect("ns1.test. A ver=255 do nsid", "BADVERS; ns1.test. A IN\nopt 1232 do\n");
	expect("ns1.test. A edns", "REFUSED; ns1.test. A IN\nopt 1232 15=0014\n");
}
END_TEST

START_TEST(test_zones) /* the longest match; the DS of an apex is the zone above's */
{
	ck_assert_int_eq(
		kit_zone(&k, "sub.example.", "@ 60 SOA a b 1 2 3 4 30\n@ 60 NS a\na 60 A 192.0.2.77\n"),
		MRG_DNS_ZONE_SOUND);
	ck_assert_int_eq(
		kit_zone(&k, "test.", "@ 60 SOA a b 1 2 3 4 30\n@ 60 NS a.example.\n"), MRG_DNS_ZONE_SOUND);
	expect("a.sub.example. A", "NOERROR aa; a.sub.example. A IN\nan a.sub.example. 60 IN A 192.0.2.77\n");
	expect("sub.example. DS", "NOERROR aa; sub.example. DS IN\n" SOA);
	expect("example. DS", "NOERROR aa; example. DS IN\n" SOA);
	expect("test. DS", "NOERROR aa; test. DS IN\nns test. 30 IN SOA a.test. b.test. 1 2 3 4 30\n");
	expect("b.sub.example. A",
		"NXDOMAIN aa; b.sub.example. A IN\nns sub.example. 30 IN SOA a.sub.example. b.sub.example. 1 2 3 4 30\n");
	expect("ns1.example. AAAA",
		"NOERROR aa; ns1.example. AAAA IN\nan ns1.example. 3600 IN AAAA 2001:db8::1\n");
	expect(". A", "REFUSED; . A IN\n");
}
END_TEST

START_TEST(test_root)
{
	ck_assert_int_eq(
		kit_zone(&k, ".",
			"@ 60 SOA a. b. 1 2 3 4 30\n@ 60 NS a.\na. 60 A 192.0.2.77\ntld. 60 NS a.tld.\n"),
		MRG_DNS_ZONE_SOUND);
	expect(". NS", "NOERROR aa; . NS IN\nan . 60 IN NS a.\nar a. 60 IN A 192.0.2.77\n");
	expect("x.tld. A", "NOERROR; x.tld. A IN\nns tld. 60 IN NS a.tld.\n");
	expect("nothing. A", "NXDOMAIN aa; nothing. A IN\nns . 30 IN SOA a. b. 1 2 3 4 30\n");
	expect(". DS", "NOERROR aa; . DS IN\nns . 30 IN SOA a. b. 1 2 3 4 30\n");
	expect("example. TXT", "NOERROR aa; example. TXT IN\nan example. 3600 IN TXT \"apex\"\n");
}
END_TEST

/* Many queries taken step by step together, finished in the opposite order: each gets what it gets alone. */
static void check_side_by_side(void)
{
	static const char *const lines[] = { "example. SOA", "www.example. A edns=1232 do", "no.example. A",
		"a.sub.example. A", "www.example. TXT", "x. A", "example. DS", "version.bind. TXT CH",
		"www.example. A op=5", "www.example. ANY", "wWw.ExAmPlE. AAAA" };
	enum { COUNT = sizeof lines / sizeof lines[0], HEADER = 12 };
	static uint8_t in[COUNT + 2][600];
	const struct mrg_dns_asker client = { .via = MRG_DNS_UDP };
	size_t len[COUNT + 2];
	struct mrg_dns_asked asked[COUNT + 2];
	for (size_t i = 0; i < COUNT; i++)
		len[i] = kit_query(lines[i], in[i], sizeof in[i]);
	len[COUNT] = 5; /* no message at all, */
	memcpy(in[COUNT + 1], in[0], len[0]);
	len[COUNT + 1] = len[0] - 1; /* and one that ends too early */
	for (size_t i = 0; i < COUNT + 2; i++)
		mrg_dns_answer_begin(&k.server, (struct mrg_span){ in[i], len[i] }, &asked[i]);
	for (size_t i = 0; i < COUNT + 2; i++)
		mrg_dns_answer_look(&asked[i]);
	for (size_t i = COUNT + 2; i-- > 0;) {
		uint8_t alone[2000], together[2000];
		size_t alone_len, together_len;
		const struct mrg_span query = { in[i], len[i] };
		ck_assert_int_eq(
			mrg_dns_answer_finish(&asked[i], &client, together, sizeof together, &together_len),
			mrg_dns_answer(&k.server, &client, query, alone, sizeof alone, &alone_len));
		ck_assert_uint_eq(together_len, alone_len);
		ck_assert_mem_eq(together, alone, alone_len);
		ck_assert(i >= COUNT || alone_len >= HEADER);
	}
}

START_TEST(test_side_by_side)
{
	check_side_by_side(); /* one zone, */
	ck_assert_int_eq(
		kit_zone(&k, "sub.example.", "@ 60 SOA a b 1 2 3 4 30\n@ 60 NS a\na 60 A 192.0.2.77\n"),
		MRG_DNS_ZONE_SOUND);
	check_side_by_side(); /* and two */
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("answer");
	TCase *const t = tcase_create("replies");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_positive);
	tcase_add_test(t, test_case);
	tcase_add_test(t, test_negative);
	tcase_add_test(t, test_wildcard);
	tcase_add_test(t, test_alias);
	tcase_add_test(t, test_dname);
	tcase_add_test(t, test_referral);
	tcase_add_test(t, test_any);
	tcase_add_test(t, test_header);
	tcase_add_test(t, test_class);
	tcase_add_test(t, test_edns);
	tcase_add_test(t, test_zones);
	tcase_add_test(t, test_root);
	tcase_add_test(t, test_side_by_side);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
