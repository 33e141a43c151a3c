/* Building zones: what is refused, what is ignored, records in any order, memory. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/rr_text.h"
#include "iana/dns.h"
#include "kit.h"

static struct kit k;

static void setup(void) { kit_init(&k, 1 << 26); }
static void teardown(void) { kit_free(&k); }

#define APEX "@ 60 SOA ns hostmaster 7 7200 900 1209600 30\n@ 60 NS ns\n"

static void refused(const char *text, enum mrg_dns_zone_fault fault)
{
	ck_assert_int_eq(kit_zone(&k, "example.", text), fault);
}

START_TEST(test_faults)
{
	refused(APEX, MRG_DNS_ZONE_SOUND);
	refused(APEX "a.test. 60 A 192.0.2.1\n", MRG_DNS_ZONE_OUTSIDE);
	refused(APEX "xexample. 60 A 192.0.2.1\n", MRG_DNS_ZONE_OUTSIDE);
	refused(APEX "a 60 SOA ns hostmaster 7 7200 900 1209600 30\n", MRG_DNS_ZONE_SOA_PLACE);
	refused("@ 60 NS ns\n", MRG_DNS_ZONE_NO_SOA);
	refused("a 60 A 192.0.2.1\n", MRG_DNS_ZONE_NO_SOA);
	refused("@ 60 SOA ns hostmaster 7 7200 900 1209600 30\n", MRG_DNS_ZONE_NO_NS);
	refused(APEX "a 60 CNAME b\na 60 CNAME c\n", MRG_DNS_ZONE_SINGLE);
	refused(APEX "a 60 DNAME b\na 60 DNAME c\n", MRG_DNS_ZONE_SINGLE);
	refused(APEX "a 60 A 192.0.2.1\n@ 60 SOA ns hostmaster 8 7200 900 1209600 30\n", MRG_DNS_ZONE_SINGLE);
	refused(APEX "a 60 CNAME b\na 60 A 192.0.2.1\n", MRG_DNS_ZONE_ALIAS);
	refused(APEX "a 60 A 192.0.2.1\na 60 CNAME b\n", MRG_DNS_ZONE_ALIAS);
	/* the same when the owner comes back later */
	refused(APEX "a 60 CNAME b\nc 60 A 192.0.2.1\na 60 CNAME d\n", MRG_DNS_ZONE_SINGLE);
	refused(APEX "a 60 CNAME b\nc 60 A 192.0.2.1\na 60 A 192.0.2.1\n", MRG_DNS_ZONE_ALIAS);
	refused(APEX "a 60 DNAME b\nc 60 A 192.0.2.1\nA 60 DNAME d\n", MRG_DNS_ZONE_SINGLE);
}
END_TEST

/* Add one record to a new zone by hand. */
static enum mrg_dns_zone_fault add(
	const void *owner, size_t owner_len, uint16_t type, uint16_t class, const void *rdata, size_t len)
{
	static struct mrg_dns_zone_builder b;
	struct mrg_dns_zone_error err = { 0 };
	const struct mrg_span origin = { (const uint8_t *)"\7example", 9 };
	ck_assert_int_eq(mrg_dns_zone_begin(&b, &k.arena, origin), MRG_OK);
	const struct mrg_span o = { owner, owner_len }, r = { rdata, len };
	if (mrg_dns_zone_add(&b, o, type, class, 60, r, &err) == MRG_OK)
		return MRG_DNS_ZONE_SOUND;
	/* the builder goes on, and has not kept anything */
	ck_assert_int_eq(
		mrg_dns_zone_add(&b, origin, 1, 1, 60, (struct mrg_span){ (const uint8_t *)"abcd", 4 }, NULL),
		MRG_OK);
	ck_assert_uint_eq(mrg_dns_zone_records(b.zone), 1);
	return err.fault;
}

START_TEST(test_wire_faults)
{
	static const uint8_t owner[] = "\1a\7example", pointer[] = "\1a\xc0\x0c";
	static uint8_t big[70000];
	ck_assert_int_eq(add(owner, sizeof owner, 1, 1, "abcd", 4), MRG_DNS_ZONE_SOUND);
	ck_assert_int_eq(add(owner, sizeof owner, 1, 3, "abcd", 4), MRG_DNS_ZONE_CLASS);
	ck_assert_int_eq(add(owner, sizeof owner, 41, 1, "", 0), MRG_DNS_ZONE_TYPE);
	ck_assert_int_eq(add(owner, sizeof owner, 255, 1, "", 0), MRG_DNS_ZONE_TYPE);
	ck_assert_int_eq(add(owner, sizeof owner, 0, 1, "", 0), MRG_DNS_ZONE_TYPE);
	ck_assert_int_eq(add(owner, sizeof owner - 1, 1, 1, "abcd", 4), MRG_DNS_ZONE_OWNER);
	ck_assert_int_eq(add(pointer, sizeof pointer - 1, 1, 1, "abcd", 4), MRG_DNS_ZONE_OWNER);
	ck_assert_int_eq(add(owner, 0, 1, 1, "abcd", 4), MRG_DNS_ZONE_OWNER);
	ck_assert_int_eq(add(owner, sizeof owner, 1, 1, "abc", 3), MRG_DNS_ZONE_RDATA);
	ck_assert_int_eq(add(owner, sizeof owner, 1, 1, "abcde", 5), MRG_DNS_ZONE_RDATA);
	ck_assert_int_eq(add(owner, sizeof owner, 16, 1, "", 0), MRG_DNS_ZONE_RDATA);
	/* no pointers, whether the type may be compressed in messages or not */
	ck_assert_int_eq(add(owner, sizeof owner, 2, 1, "\xc0\x0c", 2), MRG_DNS_ZONE_RDATA);
	ck_assert_int_eq(add(owner, sizeof owner, 33, 1, "\0\0\0\0\0\0\xc0\x0c", 8), MRG_DNS_ZONE_RDATA);
	ck_assert_int_eq(add(owner, sizeof owner, 39, 1, "\xc0\x0c", 2), MRG_DNS_ZONE_RDATA);
	ck_assert_int_eq(add(owner, sizeof owner, 2, 1, "\1a\0x", 4), MRG_DNS_ZONE_RDATA);
	ck_assert_int_eq(add(owner, sizeof owner, 65280, 1, big, sizeof big), MRG_DNS_ZONE_RDATA);
	ck_assert_int_eq(add(owner, sizeof owner, 65280, 1, big, 65535), MRG_DNS_ZONE_RRSET_SIZE);
	ck_assert_int_eq(add(owner, sizeof owner, 65280, 1, big, 65280), MRG_DNS_ZONE_SOUND);
	ck_assert_int_eq(add(owner, sizeof owner, 46, 1, "short", 5), MRG_DNS_ZONE_RDATA);
}
END_TEST

START_TEST(test_duplicates) /* RFC 2181 5 and 5.2 */
{
	refused(APEX
		"a 60 A 192.0.2.1\na 90 A 192.0.2.2\na 60 A 192.0.2.1\nb 60 A 192.0.2.1\na 30 A 192.0.2.1\na 30 A 192.0.2.3\n",
		MRG_DNS_ZONE_SOUND);
	ck_assert_uint_eq(mrg_dns_zone_records(k.zones[0]), 6);
	ck_assert_str_eq(kit_ask(&k, "a.example. A"),
		"NOERROR aa; a.example. A IN\nan a.example. 60 IN A 192.0.2.1\n"
		"an a.example. 60 IN A 192.0.2.2\nan a.example. 60 IN A 192.0.2.3\n");
}
END_TEST

START_TEST(test_ttl) /* RFC 2181 8: the top bit makes it zero */
{
	static struct mrg_dns_zone_builder b;
	const struct mrg_span origin = { (const uint8_t *)"\7example", 9 },
			      text = { (const uint8_t *)"\1x", 2 };
	ck_assert_int_eq(mrg_dns_zone_begin(&b, &k.arena, origin), MRG_OK);
	ck_assert_int_eq(mrg_dns_zone_add(&b, origin, MRG_DNS_TYPE_TXT, 1, 0x80000000u, text, NULL), MRG_OK);
	ck_assert_int_eq(kit_zone_in(&k, &b, APEX), MRG_DNS_ZONE_SOUND);
	ck_assert_int_eq(mrg_dns_db_init(&k.db, &k.arena, k.zones, 1), MRG_OK);
	ck_assert_str_eq(
		kit_ask(&k, "example. TXT"), "NOERROR aa; example. TXT IN\nan example. 0 IN TXT \"x\"\n");
}
END_TEST

START_TEST(test_order) /* types and owners mixed, signatures before, after and apart from what they cover */
{
	refused("b 60 TXT \"1\"\n"
		"a 60 RRSIG TXT 13 2 60 20300101000000 20200101000000 1 example. AAAA\n"
		"a 60 TXT \"1\"\n"
		"a 60 A 192.0.2.1\n" APEX "a 60 TXT \"2\"\n"
		"a 60 RRSIG A 13 2 60 20300101000000 20200101000000 1 example. AAAA\n"
		"b 60 AAAA 2001:db8::1\n"
		"a 60 AAAA 2001:db8::1\n"
		"a 60 RRSIG A 8 2 60 20300101000000 20200101000000 1 example. AAAA\n",
		MRG_DNS_ZONE_SOUND);
	ck_assert_str_eq(kit_ask(&k, "a.example. A do"),
		"NOERROR aa; a.example. A IN\nan a.example. 60 IN A 192.0.2.1\n"
		"an a.example. 60 IN RRSIG A 13 2 60 20300101000000 20200101000000 1 example. AAAA\n"
		"an a.example. 60 IN RRSIG A 8 2 60 20300101000000 20200101000000 1 example. AAAA\nopt 1232 do\n");
	ck_assert_str_eq(kit_ask(&k, "a.example. TXT do"),
		"NOERROR aa; a.example. TXT IN\nan a.example. 60 IN TXT \"1\"\n"
		"an a.example. 60 IN TXT \"2\"\nan a.example. 60 IN RRSIG TXT 13 2 60 20300101000000 20200101000000 1 example. AAAA\n"
		"opt 1232 do\n");
	ck_assert_str_eq(kit_ask(&k, "a.example. RRSIG"),
		"NOERROR aa; a.example. RRSIG IN\n"
		"an a.example. 60 IN RRSIG A 13 2 60 20300101000000 20200101000000 1 example. AAAA\n"
		"an a.example. 60 IN RRSIG A 8 2 60 20300101000000 20200101000000 1 example. AAAA\n"
		"an a.example. 60 IN RRSIG TXT 13 2 60 20300101000000 20200101000000 1 example. AAAA\n");
}
END_TEST

START_TEST(test_large_set) /* thousands of records at one name, each twice, two types in turn */
{
	enum { COUNT = 2000, LINE = 64 };
	char *const text = malloc(COUNT * LINE * 3 + 200), *at = text + sprintf(text, APEX);
	for (unsigned i = 0; i < COUNT; i++)
		at += sprintf(at, "a 60 A 10.0.%u.%u\na 60 TXT \"%u\"\n", i / 256, i % 256, i % 1000);
	for (unsigned i = 0; i < COUNT; i++)
		at += sprintf(at, "a 60 A 10.0.%u.%u\n", i / 256, i % 256);
	refused(text, MRG_DNS_ZONE_SOUND);
	ck_assert_uint_eq(mrg_dns_zone_records(k.zones[0]), 2 + COUNT + 1000);
	free(text);
	unsigned lines = 0;
	for (const char *p = kit_ask(&k, "a.example. A tcp"); *p != '\0'; p++)
		lines += *p == '\n';
	ck_assert_uint_eq(lines, 1 + COUNT);
}
END_TEST

START_TEST(test_walk) /* mrg_dns_zone_next gives back what was put in */
{
	refused(APEX "a.b.c 60 MX 10 x.b.c\nns 60 A 192.0.2.1\nns 60 A 192.0.2.2\n* 60 SRV 1 2 3 ns\n",
		MRG_DNS_ZONE_SOUND);
	struct mrg_dns_zone_walk w = { .zone = k.zones[0] };
	struct mrg_dns_rr rr;
	size_t count = 0;
	bool mx = false, srv = false;
	while (mrg_dns_zone_next(&w, &rr) == MRG_OK) {
		char text[200];
		struct mrg_w t;
		mrg_w_init(&t, text, sizeof text - 1);
		mrg_dns_rr_to_text(&rr, &t);
		text[t.len] = '\0';
		mx = mx || strcmp(text, "a.b.c.example. 60 IN MX 10 x.b.c.example.") == 0;
		srv = srv || strcmp(text, "*.example. 60 IN SRV 1 2 3 ns.example.") == 0;
		count++;
	}
	ck_assert_uint_eq(count, 6);
	ck_assert(mx && srv);
	ck_assert_uint_eq(mrg_dns_zone_serial(k.zones[0]), 7);
	ck_assert_uint_eq(mrg_dns_zone_origin(k.zones[0]).len, 9);
}
END_TEST

static const char mixed[] =
	APEX "b 60 A 192.0.2.1\na 60 TXT \"1\"\nb 60 TXT \"2\"\nx.y.z 60 A 192.0.2.1\na 60 A 192.0.2.1\n"
	     "a 60 NSEC b.example. A\n@ 60 NSEC a.example. SOA\n";

/* Build `mixed` in an arena of `cap` octets that stand alone in memory; the octets that the zone takes, 0: too few. */
static size_t build_in(size_t cap)
{
	struct kit small = k;
	uint8_t *const room = calloc(1, cap + 1);
	small.arena = (struct mrg_arena){ .p = room, .cap = cap };
	small.zone_count = 0;
	static struct mrg_dns_zone_builder b;
	const struct mrg_span origin = { (const uint8_t *)"\7example", 9 };
	size_t used = 0;
	if (mrg_dns_zone_begin(&b, &small.arena, origin) == MRG_OK &&
		kit_zone_in(&small, &b, mixed) == MRG_DNS_ZONE_SOUND)
		used = small.arena.len;
	for (size_t i = small.arena.len; i < cap && used > 0; i++)
		ck_assert_uint_eq(room[i], 0); /* what is above belongs to who comes next: zeroed */
	free(room);
	return used;
}

START_TEST(test_memory) /* each size of arena: built, or refused cleanly */
{
	const size_t used = build_in(1 << 16);
	ck_assert_uint_gt(used, 0);
	bool built = false;
	for (size_t cap = 0; cap < used + 2048; cap += 32) {
		const size_t now = build_in(cap);
		ck_assert(now == 0 || now == used);
		ck_assert(now != 0 || !built);
		built = now != 0;
	}
	ck_assert(built);
}
END_TEST

START_TEST(test_memory_per_record) /* a zone of short records stays within what the design promises */
{
	enum { COUNT = 20000, LINE = 64 };
	char *const text = malloc(COUNT * LINE + 200), *at = text + sprintf(text, APEX);
	for (unsigned i = 0; i < COUNT; i++)
		at += sprintf(at, "host%u 60 A 10.0.%u.%u\n", i, i / 256, i % 256);
	const size_t before = k.arena.len;
	refused(text, MRG_DNS_ZONE_SOUND);
	ck_assert_uint_le((k.arena.len - before) / COUNT, 96);
	free(text);
}
END_TEST

/* Whatever is below a cut, also the owner of a stray NSEC3 that has names below itself. */
START_TEST(test_hashed_below_cut)
{
	refused(APEX
		"sub 60 NS ns\nh.sub 60 NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\na.h.sub 60 A 192.0.2.9\n",
		MRG_DNS_ZONE_SOUND);
	ck_assert_str_eq(kit_ask(&k, "a.h.sub.example. A"),
		"NOERROR; a.h.sub.example. A IN\nns sub.example. 60 IN NS ns.example.\n");
}
END_TEST

START_TEST(
	test_cut_at_each_depth) /* above a long name, which is there, and asked for with more labels, too */
{
	enum { DEPTH = 100 };
	char text[1000], deep[300] = "", line[400];
	for (unsigned i = 0; i < DEPTH; i++)
		strcat(deep, "a.");
	deep[2 * DEPTH - 1] = '\0';
	for (unsigned cut = 1; cut < DEPTH; cut += cut % 8 + 1) {
		kit_free(&k);
		setup();
		snprintf(text, sizeof text, APEX "%s 60 A 192.0.2.9\n%s 60 NS ns\n", deep,
			deep + 2 * (DEPTH - cut));
		refused(text, MRG_DNS_ZONE_SOUND);
		for (unsigned depth = 1; depth <= DEPTH; depth++) {
			snprintf(line, sizeof line, "x.%s.example. A", deep + 2 * (DEPTH - depth));
			const char *const got = kit_ask(&k, line);
			ck_assert_int_eq(strstr(got, "IN NS ns.example.") != NULL, depth >= cut);
			ck_assert_int_eq(strncmp(got, "NXDOMAIN", 8) == 0, depth < cut);
		}
	}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("zone");
	TCase *const t = tcase_create("building");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_faults);
	tcase_add_test(t, test_wire_faults);
	tcase_add_test(t, test_duplicates);
	tcase_add_test(t, test_ttl);
	tcase_add_test(t, test_order);
	tcase_add_test(t, test_large_set);
	tcase_add_test(t, test_walk);
	tcase_add_test(t, test_hashed_below_cut);
	tcase_add_test(t, test_cut_at_each_depth);
	tcase_add_test(t, test_memory);
	tcase_add_test(t, test_memory_per_record);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
