/*
 * Catalog zones (RFC 9432): what they list, each way to be broken, and what is passed over.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit.h"
#include "protocols/dns/catalog.h"

static struct kit k;

static void setup(void) { kit_init(&k, 1 << 26); }

static void teardown(void) { kit_free(&k); }

#define HEAD "@ SOA invalid. invalid. 1 2 3 4 5\n@ NS invalid.\n"
#define VERSION "version TXT \"2\"\n"

static struct mrg_dns_catalog catalog;
static struct mrg_dns_name_flat where;
static uint8_t memory[1 << 24];

static enum mrg_dns_catalog_fault read_of(const char *origin, const char *text, size_t cap)
{
	struct mrg_arena a = { .p = memory, .cap = cap };
	memset(memory, 0, sizeof memory);
	memset(&where, 0, sizeof where);
	kit_free(&k);
	setup();
	ck_assert_int_eq(kit_zone(&k, origin, text), MRG_DNS_ZONE_SOUND);
	return mrg_dns_catalog_read(k.zones[0], &a, &catalog, &where);
}

static enum mrg_dns_catalog_fault read_within(const char *text, size_t cap)
{
	return read_of("cat.example.", text, cap);
}

static enum mrg_dns_catalog_fault read_text(const char *text) { return read_within(text, sizeof memory); }

/* The member of a name of one label below `example`. */
static const struct mrg_dns_catalog_member *member(const char *label)
{
	uint8_t name[80];
	const size_t len = strlen(label);
	name[0] = (uint8_t)len;
	memcpy(name + 1, label, len);
	memcpy(name + 1 + len, "\7example", 9);
	return mrg_dns_catalog_find(&catalog, (struct mrg_span){ name, len + 10 });
}

static void same(struct mrg_span got, const char *want, size_t len)
{
	ck_assert_uint_eq(got.len, len);
	ck_assert_int_eq(memcmp(got.p, want, len), 0);
}

START_TEST(members_and_properties)
{
	ck_assert_int_eq(
		read_text(HEAD VERSION "a.zones PTR one.example.\nB.ZONES PTR two.example.\n"
				       "coo.b.zones PTR new.\ngroup.b.zones TXT \"some\" \"more\"\n"),
		MRG_DNS_CATALOG_SOUND);
	ck_assert_uint_eq(catalog.count, 2);
	same(member("one")->label, "\1a", 2);
	ck_assert_uint_eq(member("one")->coo.len, 0);
	ck_assert_uint_eq(member("one")->group.len, 0);
	ck_assert_ptr_eq(member("ONE"), member("one"));
	same(member("two")->coo, "\3new", 5);
	same(member("two")->group, "some", 4);
	ck_assert_ptr_null(member("three"));
}
END_TEST

START_TEST(what_is_passed_over)
{
	ck_assert_int_eq(
		read_text(HEAD VERSION
			"a.zones PTR one.example.\nx.a.zones PTR two.example.\nzones PTR three.example.\n"
			"b.zones TXT \"four\"\nb.zone PTR five.example.\nserial.ext.a.zones TXT \"1\"\n"
			"group.c.zones TXT \"g\"\ncoo.c.zones PTR a.\ncoo.c.zones PTR b.\n"
			"c.zones.other PTR six.example.\n"),
		MRG_DNS_CATALOG_SOUND);
	ck_assert_uint_eq(catalog.count, 1);
	ck_assert_ptr_nonnull(member("one"));
	ck_assert_int_eq(read_text(HEAD VERSION), MRG_DNS_CATALOG_SOUND);
	ck_assert_uint_eq(catalog.count, 0);
	ck_assert_ptr_null(member("one"));
}
END_TEST

/* Below it there is no room for members, nor for a version. */
START_TEST(a_long_origin)
{
	char origin[300];
	snprintf(origin, sizeof origin, "%063d.%063d.%063d.%059d.", 1, 2, 3, 4);
	ck_assert_int_eq(read_of(origin, HEAD, sizeof memory), MRG_DNS_CATALOG_NO_VERSION);
	ck_assert(
		mrg_dns_name_flat_equal(mrg_dns_name_flat_from(&where, 0), mrg_dns_zone_origin(k.zones[0])));
}
END_TEST

static const struct {
	const char *text;
	enum mrg_dns_catalog_fault fault;
} broken[] = {
	{ HEAD "a.zones PTR one.example.\n", MRG_DNS_CATALOG_NO_VERSION },
	{ HEAD "version A 192.0.2.1\n", MRG_DNS_CATALOG_NO_VERSION },
	{ HEAD "version TXT \"1\"\n", MRG_DNS_CATALOG_VERSION },
	{ HEAD "version TXT \"22\"\n", MRG_DNS_CATALOG_VERSION },
	{ HEAD "version TXT \"\"\n", MRG_DNS_CATALOG_VERSION },
	{ HEAD "version TXT \"2\" \"2\"\n", MRG_DNS_CATALOG_VERSION },
	{ HEAD VERSION "version TXT \"1\"\n", MRG_DNS_CATALOG_VERSIONS },
	{ HEAD VERSION "a.zones PTR one.example.\na.zones PTR two.example.\n", MRG_DNS_CATALOG_NAMES },
	{ HEAD VERSION "a.zones PTR one.example.\nb.zones PTR ONE.example.\n", MRG_DNS_CATALOG_TWICE },
	{ HEAD VERSION "a.zones PTR one.example.\ncoo.a.zones PTR b.\ncoo.a.zones PTR c.\n",
		MRG_DNS_CATALOG_OWNERS },
};

START_TEST(a_broken_one_leaves_what_was_read_before)
{
	static struct mrg_dns_catalog before;
	ck_assert_int_eq(read_text(HEAD VERSION "z.zones PTR z.example.\n"), MRG_DNS_CATALOG_SOUND);
	before = catalog;
	ck_assert_int_eq(read_text(broken[_i].text), broken[_i].fault);
	ck_assert_int_eq(memcmp(&before, &catalog, sizeof before), 0);
	ck_assert_uint_gt(where.count, 0);
	ck_assert_uint_gt(strlen(mrg_dns_catalog_fault_str(broken[_i].fault)), 10);
}
END_TEST

START_TEST(any_memory_is_enough_or_said_to_be_too_little)
{
	size_t cap = 0;
	while (read_within(HEAD VERSION "a.zones PTR one.example.\ncoo.a.zones PTR b.\ngroup.a.zones TXT g\n"
					"b.zones PTR two.example.\n",
		       cap) == MRG_DNS_CATALOG_FULL)
		cap++;
	ck_assert_uint_gt(cap, 100);
	ck_assert_uint_eq(catalog.count, 2);
}
END_TEST

START_TEST(very_many)
{
	enum { COUNT = 100000, LINE = 60 };
	char *const text = malloc(COUNT * LINE);
	size_t len = (size_t)sprintf(text, "%s", HEAD VERSION);
	for (unsigned i = 0; i < COUNT; i++)
		len += (size_t)sprintf(text + len, "u%u.zones PTR z%u.example.\n", i, i);
	ck_assert_int_eq(read_text(text), MRG_DNS_CATALOG_SOUND);
	ck_assert_uint_eq(catalog.count, COUNT);
	same(member("z77777")->label, "\6u77777", 7);
	ck_assert_ptr_null(member("z100000"));
	free(text);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("catalog");
	TCase *const t = tcase_create("all");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, members_and_properties);
	tcase_add_test(t, what_is_passed_over);
	tcase_add_test(t, a_long_origin);
	tcase_add_loop_test(t, a_broken_one_leaves_what_was_read_before, 0, sizeof broken / sizeof broken[0]);
	tcase_add_test(t, any_memory_is_enough_or_said_to_be_too_little);
	tcase_add_test(t, very_many);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
