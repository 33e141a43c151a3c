/*
 * mrg_dns_answer on messages that are no well-formed question, on small buffers, and on questions made to cost much.
 * Every reply is read again by the generated check, and both buffers end where memory ends (kit.h).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/message.h"
#include "iana/dns.h"
#include "kit.h"

static struct kit k;

static const char zone_text[] = "$TTL 60\n"
				"@ SOA ns hostmaster 7 7200 900 1209600 30\n"
				" NS ns\n"
				"ns A 192.0.2.1\n"
				"long CNAME c0\n"
				"$GENERATE 0-99 c$ CNAME c${1}\n"
				"d DNAME x.d\n"
				"*.w CNAME a.w\n"
				"$GENERATE 0-12 fat NS n$.fat\n"
				"$GENERATE 0-12 n$.fat A 192.0.2.$\n"
				"$GENERATE 0-12 n$.fat AAAA 2001:db8::$\n"
				"$GENERATE 0-12 sib NS n$.fat\n"
				"$GENERATE 0-99 big A 192.0.2.$\n";

static void setup(void)
{
	kit_init(&k, 1 << 24);
	ck_assert_int_eq(kit_zone(&k, "example.", zone_text), MRG_DNS_ZONE_SOUND);
}

static void teardown(void) { kit_free(&k); }

/* A header with QDCOUNT 1 and other counts, then octets. */
static const char *send(unsigned an, unsigned ns, unsigned ar, const void *body, size_t len)
{
	uint8_t q[700];
	struct mrg_w w;
	mrg_w_init(&w, q, sizeof q);
	mrg_dns_header_put(&w, &(struct mrg_dns_header_args){ .id = 1,
				       .qdcount = 1,
				       .ancount = (uint16_t)an,
				       .nscount = (uint16_t)ns,
				       .arcount = (uint16_t)ar });
	mrg_w_put(&w, (struct mrg_span){ body, len });
	return kit_send(&k, MRG_DNS_UDP, q, w.len, 512);
}

#define QUESTION "\2ns\7example\0\0\1\0\1"
#define BODY(s) (s), sizeof(s) - 1
#define FORMERR_ECHOED "FORMERR; ns.example. A IN\n"
#define ANSWERED "NOERROR aa; ns.example. A IN\nan ns.example. 60 IN A 192.0.2.1\n"
#define OPT "\0\0\x29\x04\xd0\0\0\0\0\0\0"

START_TEST(test_names) /* RFC 9267: a name that can't be read is a format error, and is not echoed */
{
	ck_assert_str_eq(send(0, 0, 0, BODY("\xc0\x0c\0\1\0\1")),
		"FORMERR\n"); /* 18 octets that point to themselves */
	ck_assert_str_eq(send(0, 0, 0, BODY("\1a\xc0\x0c\0\1\0\1")), "FORMERR\n");
	ck_assert_str_eq(send(0, 0, 0, BODY("\1a\xc0\x20\0\1\0\1")), "FORMERR\n"); /* forward */
	ck_assert_str_eq(send(0, 0, 0, BODY("\1a\xc0\x00\0\1\0\1")), "FORMERR\n"); /* into the header */
	ck_assert_str_eq(send(0, 0, 0, BODY("\1a\xff\xff\0\1\0\1")), "FORMERR\n"); /* past the end */
	ck_assert_str_eq(send(0, 0, 0, BODY("\1a\xc0")), "FORMERR\n");
	ck_assert_str_eq(send(0, 0, 0,
				 BODY("\x41"
				      "a\0\0\1\0\1")),
		"FORMERR\n");
	ck_assert_str_eq(send(0, 0, 0,
				 BODY("\x80"
				      "a\0\0\1\0\1")),
		"FORMERR\n");
	ck_assert_str_eq(send(0, 0, 0, BODY("\5abc\0\0\1\0\1")), "FORMERR\n");
	ck_assert_str_eq(send(0, 0, 0, BODY("")), "FORMERR\n");
	ck_assert_str_eq(send(0, 0, 0, BODY("\0\0\1\0\1")), "REFUSED; . A IN\n");
}
END_TEST

START_TEST(test_long_names) /* 255 octets are a name, 256 are not */
{
	for (unsigned last = 60; last < 63; last++) {
		uint8_t body[300];
		struct mrg_w w;
		mrg_w_init(&w, body, sizeof body);
		for (unsigned i = 0; i < 4; i++) {
			const unsigned n = i < 3 ? 63 : last;
			mrg_w_u8(&w, (uint8_t)n);
			memset(mrg_w_take(&w, n), 'x', n);
		}
		mrg_w_put(&w, (struct mrg_span){ (const uint8_t *)"\0\0\1\0\1", 5 });
		const char *const reply = send(0, 0, 0, body, w.len);
		if (last <= 61)
			ck_assert_int_eq(strncmp(reply, "REFUSED; xxx", 12), 0);
		else
			ck_assert_str_eq(reply, "FORMERR\n");
	}
}
END_TEST

START_TEST(test_counts) /* RFC 9619, and counts that promise more than there is */
{
	uint8_t q[100];
	const size_t len = kit_query("ns.example. A", q, sizeof q);
	static const uint16_t counts[] = { 0, 2, 65535 };
	for (size_t i = 0; i < 3; i++) {
		mrg_put_be16(q + 4, counts[i]);
		ck_assert_str_eq(kit_send(&k, MRG_DNS_UDP, q, len, 512), "FORMERR\n");
	}
	ck_assert_str_eq(send(1, 0, 0, BODY(QUESTION)), FORMERR_ECHOED);
	ck_assert_str_eq(send(0, 65535, 0, BODY(QUESTION)), FORMERR_ECHOED);
	ck_assert_str_eq(send(0, 0, 1, BODY(QUESTION)), FORMERR_ECHOED);
	ck_assert_str_eq(send(0, 0, 65535, BODY(QUESTION OPT)), "FORMERR; ns.example. A IN\nopt 1232\n");
}
END_TEST

START_TEST(test_silence) /* replies and what has no header get no answer */
{
	uint8_t q[100];
	const size_t len = kit_query("ns.example. A", q, sizeof q);
	for (size_t n = 0; n < 12; n++)
		ck_assert_str_eq(kit_send(&k, MRG_DNS_UDP, q, n, 512), "drop");
	q[2] |= 0x80;
	ck_assert_str_eq(kit_send(&k, MRG_DNS_UDP, q, len, 512), "drop");
	ck_assert_str_eq(kit_send(&k, MRG_DNS_TCP, q, 12, 512), "drop");
}
END_TEST

START_TEST(
	test_records) /* other records are read through, and no more; what can't be read is a format error */
{
	ck_assert_str_eq(send(1, 0, 0, BODY(QUESTION "\0\0\1\0\1\0\0\0\0\0\4abcd")), ANSWERED);
	ck_assert_str_eq(send(0, 1, 0, BODY(QUESTION "\xc0\x0c\0\1\0\1\0\0\0\0\0\4abcd")), ANSWERED);
	ck_assert_str_eq(send(0, 0, 1, BODY(QUESTION "\0\xff\0\0\1\0\0\0\0\0\4abcd")), ANSWERED);
	ck_assert_str_eq(send(0, 0, 1, BODY(QUESTION "\0\0\1\0\1\0\0\0\0\0\3abc")),
		FORMERR_ECHOED); /* A of 3 octets */
	ck_assert_str_eq(send(0, 0, 1, BODY(QUESTION "\0\0\1\0\1\0\0\0\0\0\5abcde")), FORMERR_ECHOED);
	ck_assert_str_eq(send(0, 0, 1,
				 BODY(QUESTION "\0\0\1\0\1\0\0\0\0\xff\xff"
					       "abcd")),
		FORMERR_ECHOED);
	ck_assert_str_eq(send(0, 0, 1, BODY(QUESTION "\0\0\2\0\1\0\0\0\0\0\2\xc0\x27")),
		FORMERR_ECHOED);                                          /* NS that points to itself */
	ck_assert_str_eq(send(0, 0, 0, BODY(QUESTION "more")), ANSWERED); /* octets after the message */
}
END_TEST

START_TEST(test_opt) /* RFC 6891 6.1.1: one, in the additional section, owned by the root */
{
	ck_assert_str_eq(send(0, 0, 1, BODY(QUESTION OPT)), ANSWERED "opt 1232\n");
	ck_assert_str_eq(
		send(0, 0, 2, BODY(QUESTION OPT "\0\0\1\0\1\0\0\0\0\0\4abcd")), ANSWERED "opt 1232\n");
	ck_assert_str_eq(send(0, 0, 2, BODY(QUESTION OPT OPT)), "FORMERR; ns.example. A IN\nopt 1232\n");
	ck_assert_str_eq(send(1, 0, 0, BODY(QUESTION OPT)), FORMERR_ECHOED);
	ck_assert_str_eq(send(0, 1, 0, BODY(QUESTION OPT)), FORMERR_ECHOED);
	ck_assert_str_eq(send(0, 0, 1, BODY(QUESTION "\1a" OPT)), FORMERR_ECHOED);
	ck_assert_str_eq(send(0, 0, 1, BODY(QUESTION "\0\0\x29\x04\xd0\0\0\0\0\0\4\0\3\0\1")),
		FORMERR_ECHOED); /* option overrun */
	ck_assert_str_eq(send(0, 0, 1, BODY(QUESTION "\0\0\x29\x04\xd0\0\0\0\0\0\3\0\3\0")), FORMERR_ECHOED);
	ck_assert_str_eq(send(0, 0, 1, BODY(QUESTION "\0\0\x29\x04\xd0\0\0\0\0\0\5\xff\x01\0\1x")),
		ANSWERED "opt 1232\n"); /* unknown */
	ck_assert_str_eq(send(0, 0, 1, BODY(QUESTION "\0\0\x29\x04\xd0\0\0\0\0\0\7\0\x0a\0\3abc")),
		FORMERR_ECHOED); /* RFC 7873 5.2.2 */
}
END_TEST

/* What it was cut to, or what it was: never anything else. */
static void check_one(const uint8_t *q, size_t len, enum mrg_dns_transport via)
{
	size_t n;
	const char *const text = kit_send(&k, via, q, len, 65535);
	if (strcmp(text, "drop") == 0)
		return;
	const uint8_t *const p = kit_reply(&n);
	ck_assert_mem_eq(p, q, 2);
	if (via == MRG_DNS_UDP)
		ck_assert_uint_le(n, 1232);
}

START_TEST(test_mutations) /* truncations, single bits, random octets */
{
	static const char *const lines[] = { "ns.example. A do nsid", "x.fat.example. A edns=700",
		"long.example. TXT", "a.d.example. A do" };
	uint64_t seed = 1;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		uint8_t q[120], bad[160];
		const size_t len = kit_query(lines[i], q, sizeof q);
		for (size_t n = 0; n < len; n++)
			check_one(q, n, MRG_DNS_UDP);
		for (size_t bit = 0; bit < len * 8; bit++) {
			memcpy(bad, q, len);
			bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
			check_one(bad, len, MRG_DNS_TCP);
		}
		for (unsigned round = 0; round < 5000; round++) {
			memset(bad, 0, sizeof bad);
			memcpy(bad, q, len);
			for (unsigned hits = 1 + round % 4; hits > 0; hits--) {
				seed = seed * 6364136223846793005u + 1442695040888963407u;
				bad[(seed >> 33) % len] = (uint8_t)(seed >> 50);
			}
			check_one(bad, len + round % 3, MRG_DNS_UDP);
		}
	}
}
END_TEST

START_TEST(test_small_buffers) /* every size from nothing to enough: an error, or whole sets with TC set */
{
	static const char *const lines[] = { "ns.example. A do", "big.example. A",
		"x.fat.example. A edns=4096", "nothing.example. A", "long.example. A", "version.bind. TXT CH",
		"ns.test. A" };
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		uint8_t q[120];
		static char whole[1 << 17];
		const size_t len = kit_query(lines[i], q, sizeof q);
		size_t needed;
		bool served = false;
		snprintf(whole, sizeof whole, "%s", kit_send(&k, MRG_DNS_TCP, q, len, 65535));
		kit_reply(&needed);
		for (size_t cap = 0; cap <= needed; cap++) {
			const char *const text = kit_send(&k, MRG_DNS_TCP, q, len, cap);
			if (strcmp(text, "output buffer full") == 0) {
				ck_assert_uint_lt(cap, len + 11); /* only when the question does not fit */
				ck_assert(!served);
				continue;
			}
			served = true;
			if (cap < needed)
				ck_assert_msg(strcmp(text, whole) != 0, "%s: %zu of %zu octets: %s", lines[i],
					cap, needed, text);
		}
		ck_assert_str_eq(kit_send(&k, MRG_DNS_TCP, q, len, needed), whole);
	}
}
END_TEST

static bool has(const char *text, const char *what) { return strstr(text, what) != NULL; }

START_TEST(test_truncation)
{
	/* RFC 2181 9: the set does not fit, so none of it is there */
	ck_assert_str_eq(kit_ask(&k, "big.example. A"), "NOERROR aa tc; big.example. A IN\n");
	ck_assert_str_eq(
		kit_ask(&k, "big.example. A edns=511"), "NOERROR aa tc; big.example. A IN\nopt 1232\n");
	ck_assert(!has(kit_ask(&k, "big.example. A edns=65535 tcp"), " tc"));
	/* 1,232 octets are the most over UDP, whatever the client says */
	ck_assert(has(kit_ask(&k, "big.example. A edns=65535"), " tc"));
	/* RFC 9471 3.1: glue of the delegated zone must all be there, or TC is set */
	ck_assert(has(kit_ask(&k, "x.fat.example. A"), " tc"));
	ck_assert(has(kit_ask(&k, "x.fat.example. A edns=700"), " tc"));
	const char *const most = kit_ask(&k, "x.fat.example. A edns=4096");
	ck_assert(!has(most, " tc") && has(most, "ar n12.fat.example. 60 IN AAAA 2001:db8::12\n"));
	/* 3.2: of another zone's servers only as many as there is room for */
	const char *const some = kit_ask(&k, "x.sib.example. A");
	ck_assert(!has(some, " tc") && has(some, "\nar ") && !has(some, "ar n12.fat.example. 60 IN AAAA"));
}
END_TEST

static unsigned lines_of(const char *text)
{
	unsigned n = 0;
	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

START_TEST(test_long_chains) /* aliases are followed 16 times at most */
{
	ck_assert_uint_eq(lines_of(kit_ask(&k, "long.example. A tcp")), 1 + 16);
	ck_assert_uint_eq(lines_of(kit_ask(&k, "a.d.example. A tcp")), 1 + 1 + 16); /* the DNAME once */
	ck_assert_str_eq(kit_ask(&k, "b.w.example. A"),
		"NOERROR aa; b.w.example. A IN\nan b.w.example. 60 IN CNAME a.w.example.\n"
		"an a.w.example. 60 IN CNAME a.w.example.\n");
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("answer to bad input");
	TCase *const t = tcase_create("bad input");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_names);
	tcase_add_test(t, test_long_names);
	tcase_add_test(t, test_counts);
	tcase_add_test(t, test_silence);
	tcase_add_test(t, test_records);
	tcase_add_test(t, test_opt);
	tcase_add_test(t, test_mutations);
	tcase_add_test(t, test_small_buffers);
	tcase_add_test(t, test_truncation);
	tcase_add_test(t, test_long_chains);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
