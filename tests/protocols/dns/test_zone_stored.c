/*
 * Zones in one piece: they answer as the zone did that was written, and whatever is done to their octets, nothing outside of them is
 * touched and every question gets an answer.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "dns/stored.h"
#include "kit.h"
#include "protocols/dns/zone_stored.h"
#include "tests/protocols/http/guard.h"

static const uint8_t ORIGIN[] = "\7example"; /* and the root */

#define COMMON                                                                                               \
	"$TTL 3600\n@ SOA ns1 hostmaster.x 7 3600 300 3600000 60\n@ NS ns1\nns1 A 192.0.2.1\n"               \
	"www A 192.0.2.2\nwww A 192.0.2.3\nwww AAAA 2001:db8::2\nalias CNAME www\nout DNAME example.net.\n"  \
	"*.wild TXT \"any\"\na.b.c.deep MX 10 www\nsub NS ns.sub\nns.sub A 192.0.2.4\n"
static const char plain[] = COMMON;
static const char signed_nsec[] = COMMON
	"@ NSEC ns1 SOA NS NSEC\nns1 NSEC www A NSEC\nwww NSEC @ A AAAA NSEC\nwww RRSIG A 8 2 3600 1 1 1 @ AAAA\n";
static const char signed_nsec3[] = COMMON
	"@ NSEC3PARAM 1 0 2 aabb\n"
	"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 1 2 aabb 2t7b4g4vsa5smi47k61mv5bv1a22bojr SOA NS NSEC3PARAM\n"
	"2t7b4g4vsa5smi47k61mv5bv1a22bojr NSEC3 1 1 2 aabb 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A\n";
static const char *const texts[] = { plain, signed_nsec, signed_nsec3 };

static const char *const questions[] = { "example. SOA", "example. NS", "example. ANY", "www.example. A",
	"WwW.example. AAAA do edns=1232", "alias.example. A", "x.out.example. A",
	"x.wild.example. TXT do edns=1232", "b.c.deep.example. A", "nothing.example. A do edns=1232",
	"a.b.c.deep.example. MX", "host.sub.example. A", "sub.example. DS do edns=1232",
	"www.example. MX do edns=1232", "x.y.www.example. A do edns=4096" };
enum { QUESTIONS = sizeof questions / sizeof questions[0], ROOM = 1 << 15 };

/* ---- zones ---- */

struct octets {
	uint8_t *p;
	size_t len;
};

static struct kit k;
static char want[QUESTIONS][4096];

/* What the zone answers, and its octets. */
static struct octets store(const char *text)
{
	static struct mrg_dns_zone_builder b;
	struct mrg_w w;
	struct octets all;
	kit_init(&k, ROOM);
	ck_assert_int_eq(
		mrg_dns_zone_begin(&b, &k.arena, (struct mrg_span){ ORIGIN, sizeof ORIGIN }), MRG_OK);
	ck_assert_int_eq(kit_zone_in(&k, &b, text), MRG_DNS_ZONE_SOUND);
	const size_t zone_len = k.arena.len, cap = zone_len + MRG_DNS_ZONE_STORED_MORE;
	k.zone_count = 1;
	ck_assert_int_eq(mrg_dns_db_init(&k.db, &k.arena, k.zones, 1), MRG_OK);
	for (size_t i = 0; i < QUESTIONS; i++) {
		const char *const got = kit_ask(&k, questions[i]);
		ck_assert_uint_lt(strlen(got), sizeof want[i]);
		strcpy(want[i], got);
	}
	k.arena.len = zone_len;
	all.p = malloc(cap);
	ck_assert_ptr_nonnull(all.p);
	mrg_w_init(&w, all.p, cap);
	mrg_dns_zone_store(&w, k.zones[0], &k.arena);
	ck_assert_int_eq(mrg_w_finish(&w, &all.len), MRG_OK);
	kit_free(&k);
	return all;
}

/* Copied to end at a page that can't be touched. */
static enum mrg_status open_copy(struct octets o, bool trusted)
{
	static uint8_t memory[ROOM];
	const struct mrg_span in = guarded((struct mrg_span){ o.p, o.len });
	memset(memory, 0, ROOM);
	k = (struct kit){ .arena = { memory, 0, ROOM }, .server = { .db = &k.db, .udp_max = 1232 } };
	const enum mrg_status st = mrg_dns_zone_stored_open(in, trusted, &k.arena, &k.zones[0]);
	if (st == MRG_OK) {
		k.zone_count = 1;
		MUST(mrg_dns_db_init(&k.db, &k.arena, k.zones, 1) == MRG_OK);
	}
	return st;
}

/* ---- the same answers ---- */

START_TEST(answers_as_before)
{
	struct octets o = store(texts[_i / 2]);
	ck_assert_int_eq(open_copy(o, _i % 2 == 1), MRG_OK);
	for (size_t i = 0; i < QUESTIONS; i++)
		ck_assert_str_eq(kit_ask(&k, questions[i]), want[i]);
	ck_assert_uint_eq(mrg_dns_zone_serial(k.zones[0]), 7);
	free(o.p);
}
END_TEST

/* The same zone gives the same octets, wherever it was built. */
START_TEST(same_octets)
{
	struct octets a = store(plain), spacer = { malloc(12345), 12345 }, b = store(plain);
	ck_assert_uint_eq(a.len, b.len);
	ck_assert_mem_eq(a.p, b.p, a.len);
	free(a.p);
	free(b.p);
	free(spacer.p);
}
END_TEST

/* ---- what is not a zone ---- */

START_TEST(every_shorter_one_is_refused)
{
	struct octets o = store(texts[_i]);
	for (size_t len = 0; len < o.len; len++) {
		for (int trusted = 0; trusted < 2; trusted++) {
			const enum mrg_status st = open_copy((struct octets){ o.p, len }, trusted != 0);
			MUST(st != MRG_OK || (trusted != 0 && len + 4 >= o.len)); /* the sum at the end */
		}
	}
	free(o.p);
}
END_TEST

START_TEST(every_changed_octet_is_noticed)
{
	struct octets o = store(texts[_i]);
	for (size_t i = 0; i < o.len; i++) {
		o.p[i] ^= (uint8_t)(1u << i % 8);
		MUST(open_copy(o, false) != MRG_OK);
		o.p[i] ^= (uint8_t)(1u << i % 8);
	}
	free(o.p);
}
END_TEST

/* Written again by somebody who makes the sums right. */
static struct octets seal(
	struct octets zone, const struct mrg_dns_stored_head *h, uint32_t lie, unsigned which)
{
	static uint8_t room[ROOM];
	struct mrg_w w;
	struct octets all = { room, 0 };
	struct mrg_dns_stored_zone_args a = { .head = { .denial = mrg_dns_stored_head_denial(h),
						      .iterations = mrg_dns_stored_head_iterations(h),
						      .zone_size = (uint32_t)zone.len,
						      .serial = mrg_dns_stored_head_serial(h),
						      .record_count = mrg_dns_stored_head_record_count(h),
						      .buckets = mrg_dns_stored_head_buckets(h),
						      .bucket_count = mrg_dns_stored_head_bucket_count(h),
						      .apex = mrg_dns_stored_head_apex(h),
						      .negative = mrg_dns_stored_head_negative(h),
						      .chain = mrg_dns_stored_head_chain(h),
						      .chain_count = mrg_dns_stored_head_chain_count(h),
						      .salt = mrg_dns_stored_head_salt(h) },
		.zone = { zone.p, zone.len } };
	uint32_t *const fields[] = { &a.head.record_count, &a.head.buckets, &a.head.bucket_count,
		&a.head.apex, &a.head.negative, &a.head.chain, &a.head.chain_count };
	if (which < sizeof fields / sizeof fields[0])
		*fields[which] = lie;
	mrg_w_init(&w, room, sizeof room);
	mrg_dns_stored_zone_put(&w, &a);
	if (mrg_w_finish(&w, &all.len) != MRG_OK)
		all.len = 0;
	return all;
}

static void ask_all(void)
{
	for (size_t i = 0; i < QUESTIONS; i++)
		(void)kit_ask(&k, questions[i]);
	struct mrg_dns_zone_walk walk = { .zone = k.zones[0] };
	struct mrg_dns_rr rr;
	size_t count = 0;
	while (mrg_dns_zone_next(&walk, &rr) == MRG_OK)
		count++;
	MUST(count == mrg_dns_zone_records(k.zones[0]));
}

static bool try_sealed(struct octets sealed)
{
	if (sealed.len == 0)
		return false;
	const bool good = open_copy(sealed, false) == MRG_OK;
	if (good)
		ask_all();
	return good;
}

/* Each octet of the zone is something else, in one of some ways; most are refused, the others do no harm. */
START_TEST(changed_and_sealed)
{
	struct octets o = store(texts[_i]);
	struct mrg_dns_stored_head h;
	ck_assert_int_eq(mrg_dns_stored_head_check((struct mrg_span){ o.p, o.len }, &h, NULL), MRG_OK);
	struct octets zone = { o.p + mrg_dns_stored_head_span(&h).len, mrg_dns_stored_head_zone_size(&h) };
	size_t opened = 0;
	ck_assert(try_sealed(seal(zone, &h, 0, 99)));
	for (size_t i = 0; i < zone.len; i++) {
		const uint8_t was = zone.p[i],
			      others[] = { 0, (uint8_t)(was ^ 1u << i % 8), (uint8_t)(was + 1u) };
		zone.p[i] = others[i / 4 % 3];
		opened += try_sealed(seal(zone, &h, 0, 99));
		zone.p[i] = was;
	}
	ck_assert_uint_gt(opened, 0); /* addresses, TTLs and text are anybody's */
	free(o.p);
}
END_TEST

START_TEST(head_that_lies)
{
	struct octets o = store(texts[_i]);
	struct mrg_dns_stored_head h;
	ck_assert_int_eq(mrg_dns_stored_head_check((struct mrg_span){ o.p, o.len }, &h, NULL), MRG_OK);
	const struct octets zone = { o.p + mrg_dns_stored_head_span(&h).len,
		mrg_dns_stored_head_zone_size(&h) };
	for (unsigned which = 0; which < 7; which++)
		for (uint32_t lie = 0; lie < zone.len / 8; lie++)
			(void)try_sealed(
				seal(zone, &h, lie < zone.len / 16 ? lie * 4u : UINT32_MAX - lie, which));
	free(o.p);
}
END_TEST

int main(void)
{
	enum { ZONES = sizeof texts / sizeof texts[0] };
	Suite *const s = suite_create("zone_stored");
	TCase *const t = tcase_create("all");
	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, answers_as_before, 0, 2 * ZONES);
	tcase_add_test(t, same_octets);
	tcase_add_loop_test(t, every_shorter_one_is_refused, 0, ZONES);
	tcase_add_loop_test(t, every_changed_octet_is_noticed, 0, ZONES);
	tcase_add_loop_test(t, changed_and_sealed, 0, ZONES);
	tcase_add_loop_test(t, head_that_lies, 0, ZONES);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
