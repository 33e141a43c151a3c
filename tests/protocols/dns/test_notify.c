/* NOTIFY: what is told is understood, by ours and as BIND and NSD tell it; what is not a response is taken for none. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/dns/notify.h"
#include "tests/protocols/dns/kit.h"

static struct kit k;
static const struct mrg_span zone = { (const uint8_t *)"\7example", 9 };
static uint8_t out[600], reply[600];
static size_t len, reply_len;
static struct mrg_dns_notify n;

static void setup(void)
{
	kit_init(&k, 1 << 20);
	ck_assert_int_eq(
		kit_zone(&k, "example.", "@ 60 SOA ns h 12345 1 2 3 4\n@ 60 NS ns\nns 60 A 192.0.2.1\n"),
		MRG_DNS_ZONE_SOUND);
	ck_assert_int_eq(mrg_dns_notify_put(k.zones[0], 99, out, sizeof out, &len), MRG_OK);
}

static void teardown(void) { kit_free(&k); }

static enum mrg_dns_notify_kind read_out(void)
{
	return mrg_dns_notify_read((struct mrg_span){ out, len }, &n);
}

START_TEST(what_is_told_is_heard)
{
	unsigned rcode = 99;
	ck_assert_int_eq(read_out(), MRG_DNS_NOTIFY_CHANGED);
	ck_assert(mrg_dns_name_flat_equal(mrg_dns_name_flat_from(&n.zone, 0), zone));
	ck_assert(n.has_serial);
	ck_assert_uint_eq(n.serial, 12345);
	ck_assert_int_eq(
		mrg_dns_notify_reply(&n, MRG_DNS_RCODE_NOERROR, 1232, reply, sizeof reply, &reply_len),
		MRG_OK);
	ck_assert_str_eq(kit_dump(reply, reply_len), "NOERROR aa; example. SOA IN\n");
	ck_assert(mrg_dns_notify_heard(zone, 99, (struct mrg_span){ reply, reply_len }, &rcode));
	ck_assert_uint_eq(rcode, MRG_DNS_RCODE_NOERROR);
	ck_assert_int_eq(
		mrg_dns_notify_reply(&n, MRG_DNS_RCODE_REFUSED, 1232, reply, sizeof reply, &reply_len),
		MRG_OK);
	ck_assert_str_eq(kit_dump(reply, reply_len), "REFUSED; example. SOA IN\n");
	ck_assert(mrg_dns_notify_heard(zone, 99, (struct mrg_span){ reply, reply_len }, &rcode));
	ck_assert_uint_eq(rcode, MRG_DNS_RCODE_REFUSED);
	for (size_t cap = 0; cap < len; cap++) {
		size_t short_len;
		ck_assert_int_eq(mrg_dns_notify_put(k.zones[0], 99, out, cap, &short_len), MRG_E_SPACE);
	}
}
END_TEST

START_TEST(what_is_no_response_to_it)
{
	unsigned rcode;
	ck_assert_int_eq(read_out(), MRG_DNS_NOTIFY_CHANGED);
	ck_assert_int_eq(
		mrg_dns_notify_reply(&n, MRG_DNS_RCODE_NOERROR, 1232, reply, sizeof reply, &reply_len),
		MRG_OK);
	const struct mrg_span good = { reply, reply_len };
	ck_assert(mrg_dns_notify_heard(zone, 99, good, &rcode));
	ck_assert(!mrg_dns_notify_heard(zone, 98, good, &rcode));
	ck_assert(!mrg_dns_notify_heard(
		(struct mrg_span){ (const uint8_t *)"\7exampla", 9 }, 99, good, &rcode));
	ck_assert(!mrg_dns_notify_heard(zone, 99, (struct mrg_span){ out, len }, &rcode)); /* what we told */
	for (size_t i = 0; i < reply_len; i++)
		ck_assert(!mrg_dns_notify_heard(zone, 99, (struct mrg_span){ reply, i }, &rcode));
	/* each octet but those of flags that nobody looks at */
	for (size_t i = 0; i < reply_len; i++) {
		const uint8_t was = reply[i];
		reply[i] ^= i == 2 ? 0x78 : 1;
		const bool heard = mrg_dns_notify_heard(zone, 99, good, &rcode);
		ck_assert_msg(heard == (i >= 6 && i < 12) || (i == 3 && rcode == 1), "octet %zu", i);
		reply[i] = was;
	}
	/* without the question: only if something is wrong */
	reply[5] = 0;
	ck_assert(!mrg_dns_notify_heard(zone, 99, (struct mrg_span){ reply, 12 }, &rcode));
	reply[3] = MRG_DNS_RCODE_NOTIMP;
	ck_assert(mrg_dns_notify_heard(zone, 99, (struct mrg_span){ reply, 12 }, &rcode));
	ck_assert_uint_eq(rcode, MRG_DNS_RCODE_NOTIMP);
}
END_TEST

START_TEST(what_can_be_told_in_other_ways)
{
	static const struct {
		const char *line;
		enum mrg_dns_notify_kind kind;
		const char *reply;
	} cases[] = { { "example. SOA op=4 aa", MRG_DNS_NOTIFY_CHANGED, "NOERROR aa; example. SOA IN\n" },
		{ "example. SOA op=4 edns=1232", MRG_DNS_NOTIFY_CHANGED,
			"NOERROR aa; example. SOA IN\nopt 1400\n" },
		{ "eXAMPLE. SOA op=4", MRG_DNS_NOTIFY_CHANGED, "NOERROR aa; eXAMPLE. SOA IN\n" },
		{ "example. A op=4", MRG_DNS_NOTIFY_UNKNOWN, NULL },
		{ "example. SOA CH op=4", MRG_DNS_NOTIFY_UNKNOWN, NULL },
		{ "example. SOA", MRG_DNS_NOTIFY_OTHER, NULL },
		{ "example. SOA op=5", MRG_DNS_NOTIFY_OTHER, NULL } };
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		len = kit_query(cases[i].line, out, sizeof out);
		ck_assert_int_eq(read_out(), cases[i].kind);
		ck_assert(!n.has_serial);
		if (cases[i].reply == NULL)
			continue;
		ck_assert_int_eq(mrg_dns_notify_reply(
					 &n, MRG_DNS_RCODE_NOERROR, 1400, reply, sizeof reply, &reply_len),
			MRG_OK);
		ck_assert_str_eq(kit_dump(reply, reply_len), cases[i].reply);
	}
	out[2] |= 0x80; /* a response is told nothing: no reply to it */
	ck_assert_int_eq(read_out(), MRG_DNS_NOTIFY_OTHER);
}
END_TEST

START_TEST(what_is_cut_anywhere)
{
	const size_t whole = len;
	for (len = 0; len < whole; len++) {
		uint8_t *const alone = malloc(len + (len == 0));
		memcpy(alone, out, len);
		const enum mrg_dns_notify_kind kind =
			mrg_dns_notify_read((struct mrg_span){ alone, len }, &n);
		ck_assert_int_eq(kind, len < 12 ? MRG_DNS_NOTIFY_OTHER : MRG_DNS_NOTIFY_MALFORMED);
		if (kind == MRG_DNS_NOTIFY_MALFORMED)
			ck_assert_int_eq(mrg_dns_notify_reply(&n, MRG_DNS_RCODE_FORMERR, 1232, reply,
						 sizeof reply, &reply_len),
				MRG_OK);
		free(alone);
	}
	out[5] = 2;
	ck_assert_int_eq(read_out(), MRG_DNS_NOTIFY_MALFORMED);
}
END_TEST

/* As they came: of BIND, of NSD. */
static const struct {
	const char *hex;
	bool has_serial;
	uint32_t serial;
} servers[] = { { "440224000001000100000000076578616d706c650000060001c00c0006000100000000001d026e73c00c0168c0"
		  "0c0000303900000001000000020000000300000004",
			true, 12345 },
	{ "7d5c24000001000100000000076578616d706c650000060001076578616d706c6500000600010000003c002b02"
	  "6e73076578616d706c65000168076578616d706c65000000303900000001000000020000000300000004",
		true, 12345 } };

START_TEST(what_servers_tell_is_understood)
{
	for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
		len = strlen(servers[i].hex) / 2;
		for (size_t at = 0; at < len; at++) {
			unsigned octet;
			ck_assert_int_eq(sscanf(servers[i].hex + 2 * at, "%2x", &octet), 1);
			out[at] = (uint8_t)octet;
		}
		ck_assert_int_eq(read_out(), MRG_DNS_NOTIFY_CHANGED);
		ck_assert_int_eq(n.has_serial, servers[i].has_serial);
		ck_assert_uint_eq(n.serial, servers[i].serial);
	}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/dns/notify");
	TCase *const c = tcase_create("notify");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, what_is_told_is_heard);
	tcase_add_test(c, what_is_no_response_to_it);
	tcase_add_test(c, what_can_be_told_in_other_ways);
	tcase_add_test(c, what_is_cut_anywhere);
	tcase_add_test(c, what_servers_tell_is_understood);
	suite_add_tcase(s, c);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
