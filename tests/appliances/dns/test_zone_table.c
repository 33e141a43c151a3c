/*
 * appliances/dns/zone_table: whatever comes and goes in whatever order, each zone that is there is found, in any case, and no other one.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "appliances/dns/zone_table.c"

static size_t dropped, options;

void *system_get(size_t size) { return calloc(1, size); }

void system_put(void *p, size_t size)
{
	(void)size;
	free(p);
}

void version_drop(struct version *v)
{
	(void)v;
	dropped++;
}

void zone_option_keep(const struct zone_option *z)
{
	(void)z;
	options++;
}

void zone_option_drop(const struct zone_option *z)
{
	(void)z;
	options--;
}

enum { NAMES = 3000, STEPS = 200000 };

/* Many; and so few that the table is small, and what is put behind its end begins anew: other ones each time. */
enum { ROUNDS = 60, FEW = 16 };

static struct zone_table table;
static struct zone_entry *there[NAMES]; /* as it should be */
static unsigned names, from;            /* how many there may be, and the first */

/* A name of one label, in letters of either case. */
static struct mrg_span name_of(unsigned n, bool upper)
{
	static uint8_t octets[2][12];
	uint8_t *const at = octets[upper];
	const int len = snprintf((char *)at + 1, 10, upper ? "Z%X" : "z%x", from + n);
	at[0] = (uint8_t)len;
	at[len + 1] = 0;
	return (struct mrg_span){ at, (size_t)len + 2 };
}

static void add(unsigned n)
{
	static struct zone_option option;
	ck_assert_ptr_null(zone_table_find(&table, name_of(n, true)));
	there[n] = zone_table_add(&table, name_of(n, false));
	ck_assert_ptr_nonnull(there[n]);
	zone_entry_say(there[n], &option);
	zone_entry_say(there[n], &option);
	there[n]->now.version = (struct version *)(void *)there[n];
}

static void remove_one(unsigned n)
{
	ck_assert_ptr_eq(zone_table_find(&table, name_of(n, true)), there[n]);
	zone_table_remove(&table, there[n]);
	there[n] = NULL;
	ck_assert_ptr_null(zone_table_find(&table, name_of(n, false)));
}

static size_t look(void)
{
	size_t count = 0;
	for (unsigned n = 0; n < names; n++) {
		ck_assert_ptr_eq(zone_table_find(&table, name_of(n, n % 2 != 0)), there[n]);
		count += there[n] != NULL;
	}
	ck_assert_uint_eq(table.count, count);
	for (size_t i = 0; i < table.count; i++)
		ck_assert_ptr_eq(zone_table_find(&table, zone_entry_origin(table.list[i])), table.list[i]);
	return count;
}

START_TEST(what_comes_and_goes_is_found)
{
	uint32_t random = 1;
	names = _i == 0 ? (unsigned)NAMES : (unsigned)FEW;
	from = (unsigned)_i * NAMES;
	size_t removed = 0;
	ck_assert_ptr_null(zone_table_find(&table, name_of(1, false)));
	const unsigned steps = _i == 0 ? (unsigned)STEPS : STEPS / 40u;
	for (unsigned i = 0; i < steps; i++) {
		random = random * 1664525u + 1013904223u;
		const unsigned n = (random >> 8) % names;
		/* many for a while, then few */
		const bool wanted = (random >> 28) < (i / (steps / 8) % 2 == 0 ? 12u : 4u);
		if (there[n] == NULL && wanted)
			add(n);
		else if (there[n] != NULL && !wanted) {
			remove_one(n);
			removed++;
		}
		if (i % (steps / 40) == 0)
			(void)look();
	}
	const size_t left = look();
	ck_assert_uint_eq(dropped, removed);
	ck_assert_uint_eq(options, left);
	for (unsigned n = 0; n < names; n++)
		if (there[n] != NULL)
			remove_one(n);
	ck_assert_uint_eq(look(), 0);
	ck_assert_uint_eq(options, 0);
	free(table.list); /* the slots lie behind it */
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("zone table");
	TCase *const t = tcase_create("all");
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, what_comes_and_goes_is_found, 0, ROUNDS);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
