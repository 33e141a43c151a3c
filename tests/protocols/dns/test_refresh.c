/* Asking for the SOA record of a zone: what answers are, and what is none. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/dns/refresh.h"
#include "tests/protocols/dns/transfer_kit.h"

enum { ID = 4711 };

static const struct mrg_span zone = { (const uint8_t *)"\7example", 9 };
static struct kit k;
static uint8_t query[600], answer[2000];
static size_t query_len, len;
static struct mrg_dns_refresh r;

static void setup(void)
{
	kit_init(&k, 1 << 20);
	ck_assert_int_eq(
		kit_zone(&k, "example.", "@ 60 SOA ns h 12345 1 2 3 4\n@ 60 NS ns\nns 60 A 192.0.2.1\n"),
		MRG_DNS_ZONE_SOUND);
}

static void teardown(void) { kit_free(&k); }

/* What our server says. */
static void ask(struct mrg_span name, uint16_t udp_size)
{
	ck_assert_int_eq(mrg_dns_refresh_query(name, ID, udp_size, query, sizeof query, &query_len), MRG_OK);
	const char *const text = kit_send(&k, MRG_DNS_UDP, query, query_len, 512);
	ck_assert_ptr_nonnull(text);
	const uint8_t *const p = kit_reply(&len);
	memcpy(answer, p, len);
}

static enum mrg_dns_refresh_kind read_answer(void)
{
	return mrg_dns_refresh_read(zone, ID, (struct mrg_span){ answer, len }, &r);
}

START_TEST(our_server_answers)
{
	for (uint16_t udp_size = 0; udp_size < 2000; udp_size = (uint16_t)(udp_size + 1232)) {
		ask(zone, udp_size);
		ck_assert_int_eq(read_answer(), MRG_DNS_REFRESH_SERIAL);
		ck_assert_uint_eq(r.serial, 12345);
		ck_assert_uint_eq(r.rcode, 0);
	}
	ask((struct mrg_span){ (const uint8_t *)"\5other", 7 }, 0);
	ck_assert_int_eq(read_answer(), MRG_DNS_REFRESH_OTHER); /* of another zone */
	ck_assert_int_eq(mrg_dns_refresh_read((struct mrg_span){ (const uint8_t *)"\5other", 7 }, ID,
				 (struct mrg_span){ answer, len }, &r),
		MRG_DNS_REFRESH_REFUSED);
	ck_assert_uint_eq(r.rcode, MRG_DNS_RCODE_REFUSED);
	for (size_t cap = 0; cap < query_len; cap++) {
		size_t n;
		ck_assert_int_eq(mrg_dns_refresh_query(zone, ID, 1232, query, cap, &n), MRG_E_SPACE);
	}
}
END_TEST

START_TEST(what_is_no_answer_to_it)
{
	ask(zone, 0);
	for (size_t n = 0; n < len; n++) {
		uint8_t *const alone = malloc(n + (n == 0));
		memcpy(alone, answer, n);
		const enum mrg_dns_refresh_kind kind =
			mrg_dns_refresh_read(zone, ID, (struct mrg_span){ alone, n }, &r);
		ck_assert_int_eq(kind, n < query_len ? MRG_DNS_REFRESH_OTHER : MRG_DNS_REFRESH_REFUSED);
		free(alone);
	}
	ck_assert_int_eq(mrg_dns_refresh_read(zone, ID + 1, (struct mrg_span){ answer, len }, &r),
		MRG_DNS_REFRESH_OTHER);
	ck_assert_int_eq(mrg_dns_refresh_read(zone, ID, (struct mrg_span){ query, query_len }, &r),
		MRG_DNS_REFRESH_OTHER);
	static const struct {
		size_t at;
		uint8_t flip;
		enum mrg_dns_refresh_kind kind;
	} cases[] = { { 2, 0x04, MRG_DNS_REFRESH_REFUSED },
		/* AA */ { 2, 0x02, MRG_DNS_REFRESH_REFUSED }, /* TC */
		{ 2, 0x20, MRG_DNS_REFRESH_OTHER },
		/* opcode */ { 3, 0x02, MRG_DNS_REFRESH_REFUSED }, /* RCODE */
		{ 5, 0x02, MRG_DNS_REFRESH_OTHER },
		/* questions */ { 7, 0x01, MRG_DNS_REFRESH_REFUSED }, /* answers */
		{ 12 + 9 + 1, 0x01, MRG_DNS_REFRESH_OTHER },
		/* type */ { 12 + 9 + 3, 0x02, MRG_DNS_REFRESH_OTHER } /* class */ };
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		answer[cases[i].at] ^= cases[i].flip;
		ck_assert_msg(read_answer() == cases[i].kind, "case %zu", i);
		answer[cases[i].at] ^= cases[i].flip;
	}
	ck_assert_int_eq(read_answer(), MRG_DNS_REFRESH_SERIAL);
	/* without a question */
	answer[5] = 0;
	len = 12;
	ck_assert_int_eq(read_answer(), MRG_DNS_REFRESH_OTHER);
	answer[3] = MRG_DNS_RCODE_FORMERR;
	answer[7] = answer[9] = answer[11] = 0;
	ck_assert_int_eq(read_answer(), MRG_DNS_REFRESH_REFUSED);
	ck_assert_uint_eq(r.rcode, MRG_DNS_RCODE_FORMERR);
}
END_TEST

/* An answer with these records, and an OPT record. */
static void make(const char *records, uint8_t upper, const uint8_t *expire, size_t expire_len)
{
	const struct mrg_span flat = transfer_flat(&k.arena, records);
	struct mrg_dns_edns_build eb;
	struct mrg_dns_opt_build ob;
	struct mrg_dns_option_build b;
	struct mrg_w w;
	struct mrg_span left = flat;
	struct mrg_dns_flat_rr rr;
	uint16_t count = 0;
	while (mrg_dns_flat_next(&left, &rr))
		count++;
	mrg_w_init(&w, answer, sizeof answer);
	mrg_dns_header_put(
		&w, &(struct mrg_dns_header_args){
			    .id = ID, .qr = 1, .aa = 1, .qdcount = 1, .ancount = count, .arcount = 1 });
	mrg_dns_question_put(&w, &(struct mrg_dns_question_args){
					 .name = zone, .type = MRG_DNS_TYPE_SOA, .class = MRG_DNS_CLASS_IN });
	mrg_w_put(&w, flat);
	mrg_dns_edns_begin(&w, &eb, &(struct mrg_dns_edns_args){ .udp_size = 512, .extended_rcode = upper });
	mrg_dns_opt_begin(&w, &ob, &(struct mrg_dns_opt_args){ 0 });
	mrg_dns_opt_options_add(&w, &ob);
	mrg_dns_option_begin(&w, &b, &(struct mrg_dns_option_args){ .code = MRG_DNS_EDNS_OPTION_EXPIRE });
	mrg_w_put(&w, (struct mrg_span){ expire, expire_len });
	mrg_dns_option_end(&w, &b);
	mrg_dns_opt_end(&w, &ob);
	mrg_dns_edns_end(&w, &eb);
	ck_assert_int_eq(mrg_w_finish(&w, &len), MRG_OK);
}

START_TEST(the_opt_record_and_records_beside_the_soa)
{
	static const uint8_t day[] = { 0, 1, 0x51, 0x80 };
	static const char soa[] = "EXAMPLE. 60 IN SOA . . 9 1 2 3 4\n";
	make(soa, 0, day, sizeof day);
	ck_assert_int_eq(read_answer(), MRG_DNS_REFRESH_SERIAL);
	ck_assert(r.has_expire);
	ck_assert_uint_eq(r.expire_s, 86400);
	make(soa, 0, day, 0);
	ck_assert_int_eq(read_answer(), MRG_DNS_REFRESH_SERIAL);
	ck_assert(!r.has_expire);
	make(soa, 1, day, 0);
	ck_assert_int_eq(read_answer(), MRG_DNS_REFRESH_REFUSED);
	ck_assert_uint_eq(r.rcode, MRG_DNS_RCODE_BADVERS);
	make("example. 60 IN A 192.0.2.1\nother. 60 IN SOA . . 8 1 2 3 4\nexample. 60 IN SOA . . 9 1 2 3 4\n",
		0, day, 0);
	ck_assert_int_eq(read_answer(), MRG_DNS_REFRESH_SERIAL);
	ck_assert_uint_eq(r.serial, 9);
	make("other. 60 IN SOA . . 8 1 2 3 4\n", 0, day, 0);
	ck_assert_int_eq(read_answer(), MRG_DNS_REFRESH_REFUSED);
	make("", 0, day, 0);
	ck_assert_int_eq(read_answer(), MRG_DNS_REFRESH_REFUSED);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/dns/refresh");
	TCase *const c = tcase_create("refresh");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, our_server_answers);
	tcase_add_test(c, what_is_no_answer_to_it);
	tcase_add_test(c, the_opt_record_and_records_beside_the_soa);
	suite_add_tcase(s, c);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
