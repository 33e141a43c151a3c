/*
 * appliances/dns/ring: records come out as they went in, in order, whatever their sizes; those that find no room are counted, and no others
 * are harmed.
 */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "appliances/dns/ring.c"

enum { CAP = 256 };

static _Alignas(8) uint8_t memory[CAP];

static struct ring ring;

static void begin(void)
{
	struct mrg_arena arena = { .p = memory, .cap = sizeof memory };
	ck_assert(ring_init(&ring, &arena, CAP));
}

static bool put(size_t len, uint8_t with)
{
	uint8_t *const p = ring_room(&ring, len);
	if (p == NULL)
		return false;
	ck_assert_uint_eq((uintptr_t)p % RING_ALIGN, 0);
	memset(p, with, len);
	ring_put(&ring);
	return true;
}

static void take(size_t len, uint8_t with)
{
	struct mrg_span got;
	ck_assert(ring_next(&ring, &got));
	ck_assert_uint_eq(got.len, len);
	for (size_t i = 0; i < len; i++)
		if (got.p[i] != with)
			ck_abort_msg("octet %zu of %zu", i, len);
	ring_take(&ring);
}

static void nothing(void)
{
	struct mrg_span got;
	ck_assert(!ring_next(&ring, &got));
}

/* Each size, from each place. */
START_TEST(every_size_comes_out_as_it_went_in)
{
	for (size_t first = 0; first <= CAP / 2; first++)
		for (size_t len = 0; len <= CAP / 4; len++) {
			begin();
			ck_assert(put(first, 1));
			take(first, 1);
			for (uint8_t i = 0; i < 10; i++) {
				ck_assert(put(len, (uint8_t)(i + 2)));
				ck_assert(put(0, 0));
				take(len, (uint8_t)(i + 2));
				take(0, 0);
			}
			nothing();
			ck_assert_uint_eq(atomic_load(&ring.full), 0);
		}
}
END_TEST

START_TEST(what_finds_no_room_is_counted_and_harms_no_other)
{
	begin();
	ck_assert(!put(CAP, 9)); /* with its length it is too long */
	for (unsigned round = 0; round < 50; round++) {
		const uint64_t before = atomic_load(&ring.full);
		const size_t len = round % 40;
		unsigned count = 0;
		while (put(len, (uint8_t)count))
			count++;
		ck_assert_uint_ge(count, (CAP - 64) / (len + 16));
		ck_assert(!put(len, 99));
		ck_assert_uint_eq(atomic_load(&ring.full), before + 2);
		for (unsigned i = 0; i < count; i++)
			take(len, (uint8_t)i);
		nothing();
	}
}
END_TEST

START_TEST(room_that_is_not_used_is_given_again)
{
	begin();
	void *const p = ring_room(&ring, 8);
	ck_assert_ptr_eq(ring_room(&ring, 16), p);
	nothing();
	ck_assert(put(3, 7));
	take(3, 7);
	nothing();
}
END_TEST

enum { MANY = 20000 };

static void *put_many(void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < MANY;) {
		uint8_t *const p = ring_room(&ring, sizeof i + i % 30);
		if (p == NULL) {
			(void)sched_yield();
			continue;
		}
		memcpy(p, &i, sizeof i);
		memset(p + sizeof i, (int)(i % 251), i % 30);
		ring_put(&ring);
		i++;
	}
	return NULL;
}

START_TEST(two_threads_at_once)
{
	pthread_t id;
	begin();
	ck_assert_int_eq(pthread_create(&id, NULL, put_many, NULL), 0);
	for (uint32_t i = 0; i < MANY;) {
		struct mrg_span got;
		uint32_t number;
		if (!ring_next(&ring, &got)) {
			(void)sched_yield();
			continue;
		}
		memcpy(&number, got.p, sizeof number);
		ck_assert_uint_eq(number, i);
		ck_assert_uint_eq(got.len, sizeof i + i % 30);
		for (size_t k = sizeof i; k < got.len; k++)
			if (got.p[k] != i % 251)
				ck_abort_msg("octet %zu of record %u", k, i);
		ring_take(&ring);
		i++;
	}
	ck_assert_int_eq(pthread_join(id, NULL), 0);
	nothing();
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("ring");
	TCase *const t = tcase_create("all");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, every_size_comes_out_as_it_went_in);
	tcase_add_test(t, what_finds_no_room_is_counted_and_harms_no_other);
	tcase_add_test(t, room_that_is_not_used_is_given_again);
	tcase_add_test(t, two_threads_at_once);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
