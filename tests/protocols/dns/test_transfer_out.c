/* Transfers out: what is in the messages, in any sizes of them; which requests are answered, and how. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/protocols/dns/transfer_kit.h"

#define SOA(serial) "example. 3600 IN SOA ns.example. h.example. " #serial " 1 2 3 4\n"

static struct kit k;
static const struct mrg_dns_zone *zone;

/* Glue, a delegation with what it hides, signatures, and hashed names: all of it is the zone (RFC 5936 3.5). */
static const char master[] =
	"@ 3600 SOA ns h 7 1 2 3 4\n@ 60 NS ns\n@ 60 NS ns.sub\nns 60 A 192.0.2.1\nns 60 AAAA 2001:db8::1\n"
	"sub 60 NS ns.sub\nsub 60 DS 1 13 2 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
	"ns.sub 60 A 192.0.2.2\nother.sub 60 TXT hidden\nd 60 DNAME example.net.\nbelow.d 60 A 192.0.2.3\n"
	"a.b.c 60 MX 10 x.b.c\n* 60 SRV 1 2 3 ns\ntext 60 TXT \"a b\" \"c\"\n"
	"ns 60 RRSIG A 13 2 60 20300101000000 20200101000000 1 example. AAAA\n"
	"@ 3600 RRSIG SOA 13 1 3600 20300101000000 20200101000000 1 example. AAAA\n"
	"@ 0 NSEC3PARAM 1 0 0 -\n0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 60 NSEC3 1 1 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n"
	"cname 60 CNAME ns.sub\nUpper.Case 60 A 192.0.2.9\n";

static void setup(void)
{
	kit_init(&k, 64 << 20);
	ck_assert_int_eq(kit_zone(&k, "example.", master), MRG_DNS_ZONE_SOUND);
	zone = k.zones[0];
}

static void teardown(void) { kit_free(&k); }

static struct mrg_dns_transfer t;
static const struct mrg_dns_transfer_opt opt = { .udp_size = 1232 };
static uint8_t query[1024], out[70000];
static size_t query_len;

static bool asked(enum mrg_dns_transport via, struct mrg_dns_transfer_request *r)
{
	return mrg_dns_transfer_asked((struct mrg_span){ query, query_len }, via, r);
}

static void ask(const char *line)
{
	struct mrg_dns_transfer_request r;
	query_len = kit_query(line, query, sizeof query);
	ck_assert(asked(MRG_DNS_TCP, &r));
	mrg_dns_transfer_begin(&t, &r, zone, NULL, &opt, NULL);
}

static void ask_since(uint32_t serial, const struct mrg_dns_step *newest)
{
	struct mrg_dns_transfer_request r;
	query_len = transfer_query("example. IXFR", "example.", serial, query, sizeof query);
	ck_assert(asked(MRG_DNS_TCP, &r));
	ck_assert_uint_eq(r.serial, serial);
	mrg_dns_transfer_begin(&t, &r, zone, newest, &opt, NULL);
}

/* All messages, none longer than `cap`: their records in order, and the first lines of their texts. */
static enum mrg_status pull(size_t cap, struct lines *records, struct lines *heads)
{
	enum mrg_status st;
	size_t len = 0;
	do {
		uint8_t *const at = out + sizeof out - cap; /* sanitizers see what is written behind */
		st = mrg_dns_transfer_next(&t, at, cap, &len);
		if (st != MRG_OK && st != MRG_MORE)
			return st;
		ck_assert_uint_le(len, cap);
		const char *const text = kit_dump(at, len);
		lines_take(records, text, "an ");
		lines_add(heads, text, strcspn(text, "\n"));
		lines_take(heads, text, "opt ");
	} while (st == MRG_MORE);
	ck_assert_int_eq(mrg_dns_transfer_next(&t, out, cap, &len), MRG_END);
	return st;
}

static void expect(const struct lines *l, size_t at, const char *line)
{
	ck_assert_uint_lt(at, l->count);
	ck_assert_str_eq(l->text[at], line);
}

static const char soa7[] = "example. 3600 IN SOA ns.example. h.example. 7 1 2 3 4";

START_TEST(the_whole_zone_is_in_messages_of_any_size)
{
	struct lines want = { .count = 0 };
	lines_of_zone(&want, zone);
	ck_assert_uint_eq(want.count, mrg_dns_zone_records(zone));
	bool seen_one = false, seen_many = false;
	for (size_t cap = 20; cap < 65536; cap += cap < 1500 ? 1 : 4001) {
		struct lines got = { .count = 0 }, heads = { .count = 0 };
		ask("example. AXFR rd");
		const enum mrg_status st = pull(cap, &got, &heads);
		if (st == MRG_E_SPACE) {
			ck_assert_uint_lt(cap, 200); /* the longest record */
		} else {
			ck_assert_int_eq(st, MRG_OK);
			ck_assert_uint_eq(t.records, got.count);
			ck_assert_uint_eq(t.messages, heads.count);
			expect(&got, 0, soa7);
			expect(&got, got.count - 1, soa7);
			free(got.text[--got.count]);
			lines_sort(&got);
			lines_same(&want, &got);
			expect(&heads, 0, "NOERROR aa rd; example. AXFR IN");
			for (size_t i = 1; i < heads.count; i++)
				expect(&heads, i, "NOERROR aa rd");
			seen_one = seen_one || heads.count == 1;
			seen_many = seen_many || heads.count > 5;
		}
		lines_free(&got);
		lines_free(&heads);
	}
	ck_assert(seen_one && seen_many);
	lines_free(&want);
}
END_TEST

START_TEST(the_first_message_has_the_opt_record)
{
	for (size_t cap = 300; cap < 2000; cap += 7) {
		struct lines got = { .count = 0 }, heads = { .count = 0 };
		ask("eXample. AXFR edns=4096 do");
		ck_assert_int_eq(pull(cap, &got, &heads), MRG_OK);
		expect(&heads, 0, "NOERROR aa; eXample. AXFR IN");
		expect(&heads, 1, "1232 do");
		ck_assert_uint_eq(heads.count, t.messages + 1);
		lines_free(&got);
		lines_free(&heads);
	}
}
END_TEST

/* RFC 7314: 4.1 the zone's own server says what its SOA record does, 4.2 who has a copy what is left. */
START_TEST(the_first_message_tells_when_the_zone_expires)
{
	const struct mrg_dns_transfer_opt copy = {
		.udp_size = 1232, .is_copy = true, .expire_s = 0x01020304
	};
	struct mrg_dns_transfer_request r;
	for (size_t cap = 300; cap < 2000; cap += 7) {
		struct lines got = { .count = 0 }, heads = { .count = 0 };
		ask("example. AXFR expire");
		ck_assert_int_eq(pull(cap, &got, &heads), MRG_OK);
		expect(&heads, 1, "1232 9=00000003");
		ck_assert_uint_eq(heads.count, t.messages + 1);
		lines_free(&got);
		lines_free(&heads);
	}
	struct lines got = { .count = 0 }, heads = { .count = 0 };
	ck_assert(asked(MRG_DNS_TCP, &r));
	mrg_dns_transfer_begin(&t, &r, zone, NULL, &copy, NULL);
	ck_assert_int_eq(pull(65535, &got, &heads), MRG_OK);
	expect(&heads, 1, "1232 9=01020304");
	lines_free(&got);
	lines_free(&heads);
}
END_TEST

/* A signature of many octets: an A record behind the others. */
static unsigned signs;

static enum mrg_status sign(void *ctx, uint8_t *message, size_t *len, size_t cap)
{
	enum { ROOM = 100 };
	uint8_t text[ROOM - 11];
	struct mrg_dns_header h;
	struct mrg_w w, head;
	if (signs++ == *(const unsigned *)ctx)
		return MRG_E_VALUE;
	mrg_w_init(&w, message, cap);
	w.len = *len;
	memset(text, 'x', sizeof text);
	text[0] = sizeof text - 1;
	mrg_w_u8(&w, 0);
	mrg_dns_rr_tail_put(&w, &(struct mrg_dns_rr_tail_args){ .type = MRG_DNS_TYPE_TXT,
					.class = MRG_DNS_CLASS_ANY,
					.rdata = { text, sizeof text } });
	ck_assert_int_eq(mrg_dns_header_check(mrg_w_span(&w, 0), &h, NULL), MRG_OK);
	mrg_w_init(&head, message, MRG_DNS_HEADER_SIZE);
	mrg_dns_header_put(&head, &(struct mrg_dns_header_args){ .id = mrg_dns_header_id(&h),
					  .qr = 1,
					  .aa = 1,
					  .qdcount = mrg_dns_header_qdcount(&h),
					  .ancount = mrg_dns_header_ancount(&h),
					  .arcount = (uint16_t)(mrg_dns_header_arcount(&h) + 1u) });
	ck_assert_uint_eq(w.len, *len + ROOM);
	return mrg_w_finish(&w, len);
}

START_TEST(each_message_is_signed_once_and_has_room_for_it)
{
	unsigned fails = 0;
	const struct mrg_dns_transfer_signer signer = { &fails, 100, sign };
	struct mrg_dns_transfer_request r;
	query_len = kit_query("example. AXFR edns=1232", query, sizeof query);
	ck_assert(asked(MRG_DNS_TCP, &r));
	for (size_t cap = 350; cap < 2000; cap += 3) {
		struct lines got = { .count = 0 }, heads = { .count = 0 };
		signs = 0;
		fails = 1000;
		mrg_dns_transfer_begin(&t, &r, zone, NULL, &opt, &signer);
		ck_assert_int_eq(pull(cap, &got, &heads), MRG_OK);
		ck_assert_uint_eq(signs, t.messages);
		ck_assert_uint_eq(got.count, mrg_dns_zone_records(zone) + 1);
		lines_free(&got);
		lines_free(&heads);
	}
	signs = 0;
	fails = 2;
	mrg_dns_transfer_begin(&t, &r, zone, NULL, &opt, &signer);
	struct lines got = { .count = 0 }, heads = { .count = 0 };
	ck_assert_int_eq(pull(400, &got, &heads), MRG_E_VALUE);
	ck_assert_uint_eq(t.messages, 2);
	lines_free(&got);
	lines_free(&heads);
}
END_TEST

/* ---- differences ---- */

static const struct mrg_dns_step *steps(void)
{
	const struct mrg_dns_step *s =
		transfer_step(&k.arena, NULL, SOA(4) "x.example. 60 IN A 192.0.2.1\n", SOA(5));
	s = transfer_step(&k.arena, s, SOA(5), SOA(6) "y.example. 60 IN MX 1 ns.example.\n");
	return transfer_step(&k.arena, s, SOA(6) "y.example. 60 IN MX 1 ns.example.\n",
		SOA(7) "z.example. 60 IN A 192.0.2.1\nz.example. 60 IN A 192.0.2.2\n");
}

/* What RFC 1995 4 has for who has version 5. */
static const char since5[] = SOA(7) SOA(5)
	SOA(6) "y.example. 60 IN MX 1 ns.example.\n" SOA(6) "y.example. 60 IN MX 1 ns.example.\n" SOA(
		7) "z.example. 60 IN A 192.0.2.1\nz.example. 60 IN A 192.0.2.2\n" SOA(7);

START_TEST(differences_are_in_their_order_in_messages_of_any_size)
{
	const struct mrg_dns_step *const newest = steps();
	struct lines want = { .count = 0 };
	lines_take(&want, since5, "");
	for (size_t cap = 120; cap < 700; cap++) {
		struct lines got = { .count = 0 }, heads = { .count = 0 };
		ask_since(5, newest);
		ck_assert_int_eq(t.kind, MRG_DNS_TRANSFER_CHANGES);
		ck_assert_int_eq(pull(cap, &got, &heads), MRG_OK);
		expect(&heads, 0, "NOERROR aa; example. IXFR IN");
		lines_same(&want, &got);
		lines_free(&got);
		lines_free(&heads);
	}
	lines_free(&want);
}
END_TEST

START_TEST(what_is_answered_depends_on_the_version_that_is_there)
{
	static const struct {
		uint32_t serial;
		enum mrg_dns_transfer_kind kind;
		size_t records;
	} cases[] = { { 4, MRG_DNS_TRANSFER_CHANGES, 13 }, { 6, MRG_DNS_TRANSFER_CHANGES, 7 },
		{ 7, MRG_DNS_TRANSFER_CURRENT, 1 }, { 8, MRG_DNS_TRANSFER_CURRENT, 1 },
		{ 7u + 0x7fffffffu, MRG_DNS_TRANSFER_CURRENT, 1 },
		{ 7u + 0x80000000u, MRG_DNS_TRANSFER_WHOLE, 21 }, { 3, MRG_DNS_TRANSFER_WHOLE, 21 },
		{ 0, MRG_DNS_TRANSFER_WHOLE, 21 }, { UINT32_MAX, MRG_DNS_TRANSFER_WHOLE, 21 } };
	const struct mrg_dns_step *const newest = steps();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lines got = { .count = 0 }, heads = { .count = 0 };
		ask_since(cases[i].serial, newest);
		ck_assert_int_eq(t.kind, cases[i].kind);
		ck_assert_int_eq(pull(65535, &got, &heads), MRG_OK);
		ck_assert_uint_eq(got.count, cases[i].records);
		expect(&got, 0, soa7);
		expect(&got, got.count - 1, soa7);
		lines_free(&got);
		lines_free(&heads);
	}
	ask_since(6, NULL);
	ck_assert_int_eq(t.kind, MRG_DNS_TRANSFER_WHOLE);
	ask_since(5, newest->before); /* leads to another version than is served */
	ck_assert_int_eq(t.kind, MRG_DNS_TRANSFER_WHOLE);
}
END_TEST

START_TEST(differences_larger_than_the_zone_are_not_sent)
{
	char text[4096] = SOA(7);
	const size_t records = mrg_dns_zone_records(zone);
	for (size_t n = 0; n + 3 < records + 1; n++) {
		if (n + 3 == records) {
			ask_since(6, transfer_step(&k.arena, NULL, SOA(6), text));
			ck_assert_int_eq(t.kind, MRG_DNS_TRANSFER_CHANGES);
		}
		sprintf(text + strlen(text), "z.example. 60 IN A 192.0.2.%zu\n", n);
	}
	ask_since(6, transfer_step(&k.arena, NULL, SOA(6), text));
	ck_assert_int_eq(t.kind, MRG_DNS_TRANSFER_WHOLE);
}
END_TEST

/* ---- datagrams ---- */

static size_t datagram(uint32_t serial, const struct mrg_dns_step *newest, size_t cap,
	const struct mrg_dns_transfer_signer *signer, struct lines *got)
{
	struct mrg_dns_transfer_request r;
	size_t len;
	query_len = transfer_query("example. IXFR", "example.", serial, query, sizeof query);
	ck_assert(asked(MRG_DNS_UDP, &r));
	ck_assert_int_eq(
		mrg_dns_transfer_datagram(&t, &r, zone, newest, &opt, signer, out, cap, &len), MRG_OK);
	ck_assert_uint_le(len, cap);
	lines_take(got, kit_dump(out, len), "an ");
	return got->count;
}

START_TEST(a_datagram_has_all_of_it_or_the_soa_alone)
{
	const struct mrg_dns_step *const newest = steps();
	unsigned fails = 1000;
	const struct mrg_dns_transfer_signer signer = { &fails, 100, sign };
	size_t counts[3] = { 0 };
	for (size_t cap = 200; cap < 512; cap++) {
		struct lines got = { .count = 0 };
		signs = 0;
		const size_t count = datagram(5, newest, cap, cap % 2 != 0 ? &signer : NULL, &got);
		ck_assert_uint_eq(signs, cap % 2);
		ck_assert(count == 1 || count == 10);
		expect(&got, 0, soa7);
		counts[count == 1 ? 0 : 1]++;
		lines_free(&got);
	}
	ck_assert(counts[0] > 0 && counts[1] > 0);
	struct lines got = { .count = 0 };
	ck_assert_uint_eq(datagram(3, newest, 512, NULL, &got), 1);
	lines_free(&got);
	ck_assert_uint_eq(datagram(3, newest, 4096, NULL, &got), 21);
	lines_free(&got);
	ck_assert_uint_eq(datagram(7, newest, 512, NULL, &got), 1);
	lines_free(&got);
}
END_TEST

/* ---- requests ---- */

START_TEST(what_is_no_request_for_a_transfer)
{
	static const char *const lines[] = { "example. AXFR CH", "example. AXFR ANY", "example. A",
		"example. AXFR op=4", "example. AXFR ver=1", "example. IXFR" };
	struct mrg_dns_transfer_request r;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		query_len = kit_query(lines[i], query, sizeof query);
		ck_assert_msg(!asked(MRG_DNS_TCP, &r), "%s", lines[i]);
	}
	query_len = kit_query("example. AXFR", query, sizeof query);
	ck_assert(!asked(MRG_DNS_UDP, &r));
	for (size_t len = 0; len < query_len; len++)
		ck_assert(!mrg_dns_transfer_asked((struct mrg_span){ query, len }, MRG_DNS_TCP, &r));
	query_len = transfer_query("example. IXFR", "other.", 1, query, sizeof query);
	ck_assert(!asked(MRG_DNS_TCP, &r));
	query_len = transfer_query("example. IXFR", "EXAMPLE.", 1, query, sizeof query);
	ck_assert(asked(MRG_DNS_TCP, &r));
	query[9] = 0; /* the SOA record is in the additional section */
	query[11] = 1;
	ck_assert(!asked(MRG_DNS_TCP, &r));
	query[9] = 1;
	query[11] = 0;
	ck_assert(asked(MRG_DNS_TCP, &r));
	query[2] = 0x80; /* a response */
	ck_assert(!asked(MRG_DNS_TCP, &r));
}
END_TEST

/* As they came: dig +noedns, dig (EDNS and a cookie), kdig, each AXFR and then IXFR=5. */
static const char *const tools[] = { "a25600200001000000000000076578616d706c650000fc0001",
	"89a400000001000000010000076578616d706c650000fb0001c00c0006000100000000001600000000000500000000000000"
	"000000000000000000",
	"7b6b00200001000000000001076578616d706c650000fc000100002904d000000000000c000a0008c9ec8a764048e4b3",
	"49de00000001000000010001076578616d706c650000fb0001c00c0006000100000000001600000000000500000000000000"
	"00000000000000000000002904d000000000000c000a0008e1e9405ffa73e255",
	"184b01200001000000000000076578616d706c650000fc0001",
	"4f6d01200001000000010000076578616d706c650000fb0001c00c0006000100000000001600000000000500000000000000"
	"000000000000000000" };

START_TEST(what_tools_send_is_understood)
{
	for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
		struct mrg_dns_transfer_request r;
		query_len = strlen(tools[i]) / 2;
		for (size_t n = 0; n < query_len; n++) {
			unsigned octet;
			ck_assert_int_eq(sscanf(tools[i] + 2 * n, "%2x", &octet), 1);
			query[n] = (uint8_t)octet;
		}
		ck_assert(asked(MRG_DNS_TCP, &r));
		ck_assert_int_eq(r.incremental, i % 2 == 1);
		ck_assert_uint_eq(r.serial, i % 2 == 1 ? 5 : 0);
		ck_assert_int_eq(r.query.has_edns, i / 2 == 1);
	}
}
END_TEST

START_TEST(who_may_not_have_it_is_told_so)
{
	struct mrg_dns_transfer_request r;
	size_t len;
	query_len = kit_query("example. AXFR edns=1232 rd", query, sizeof query);
	ck_assert(asked(MRG_DNS_TCP, &r));
	ck_assert_int_eq(
		mrg_dns_transfer_refuse(&r, MRG_DNS_RCODE_NOTAUTH, 1400, out, sizeof out, &len), MRG_OK);
	ck_assert_str_eq(kit_dump(out, len), "NOTAUTH rd; example. AXFR IN\nopt 1400\n");
	ck_assert_int_eq(
		mrg_dns_transfer_refuse(&r, MRG_DNS_RCODE_REFUSED, 1400, out, 20, &len), MRG_E_SPACE);
}
END_TEST

START_TEST(a_record_that_no_message_holds_ends_the_transfer)
{
	struct lines got = { .count = 0 }, heads = { .count = 0 };
	ask("example. AXFR");
	ck_assert_int_eq(pull(70, &got, &heads), MRG_E_SPACE);
	lines_free(&got);
	lines_free(&heads);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/dns/transfer_out");
	TCase *const c = tcase_create("transfer_out");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, the_whole_zone_is_in_messages_of_any_size);
	tcase_add_test(c, the_first_message_has_the_opt_record);
	tcase_add_test(c, the_first_message_tells_when_the_zone_expires);
	tcase_add_test(c, each_message_is_signed_once_and_has_room_for_it);
	tcase_add_test(c, differences_are_in_their_order_in_messages_of_any_size);
	tcase_add_test(c, what_is_answered_depends_on_the_version_that_is_there);
	tcase_add_test(c, differences_larger_than_the_zone_are_not_sent);
	tcase_add_test(c, a_datagram_has_all_of_it_or_the_soa_alone);
	tcase_add_test(c, what_is_no_request_for_a_transfer);
	tcase_add_test(c, what_tools_send_is_understood);
	tcase_add_test(c, who_may_not_have_it_is_told_so);
	tcase_add_test(c, a_record_that_no_message_holds_ends_the_transfer);
	suite_add_tcase(s, c);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
