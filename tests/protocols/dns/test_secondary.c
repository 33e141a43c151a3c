/*
 * Secondary zones: who is asked when. Time is a number; what the zone wants is a line of words: `q1` a query to primary 1, `t0` its
 * differences, `w0` the whole zone, `stop` of a transfer, `old` and `good`: what is held.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "protocols/dns/secondary.h"
#include "tests/protocols/dns/kit.h"

static struct mrg_dns_secondary s;
static struct mrg_rt_timers timers;
static uint64_t now;
static char said[2000];
static bool begins; /* transfers can be begun */

static const uint64_t S = MRG_RT_SECOND_NS;
static const struct mrg_dns_secondary_limits limits = { .refresh_min_s = 10,
	.refresh_max_s = 100000,
	.retry_min_s = 5,
	.retry_max_s = 60,
	.expire_min_s = 20,
	.expire_max_s = 1000000,
	.answer_ns = 2000000000 };
static const struct mrg_dns_secondary_soa
	version5 = { .serial = 5, .refresh_s = 100, .retry_s = 30, .expire_s = 1000 },
	version6 = { .serial = 6, .refresh_s = 200, .retry_s = 40, .expire_s = 2000 };

static void say(const char *what, int n)
{
	const size_t len = strlen(said);
	ck_assert_uint_lt(len, sizeof said - 20);
	if (n >= 0)
		sprintf(said + len, "%s%d ", what, n);
	else
		sprintf(said + len, "%s ", what);
}

static void query(void *ctx, unsigned primary)
{
	(void)ctx;
	say("q", (int)primary);
}

static bool transfer(void *ctx, unsigned primary, bool incremental)
{
	(void)ctx;
	say(incremental ? "t" : "w", (int)primary);
	return begins;
}

static void abandon(void *ctx)
{
	(void)ctx;
	say("stop", -1);
}

static void valid(void *ctx, bool good)
{
	(void)ctx;
	say(good ? "good" : "old", -1);
}

/* What was wanted since the last time. */
static void wants(const char *what)
{
	ck_assert_str_eq(said, what);
	said[0] = '\0';
}

static void pass(uint64_t ns)
{
	const uint64_t until = now + ns;
	while (mrg_rt_timers_next(&timers) <= until) {
		now = mrg_rt_timers_next(&timers);
		mrg_rt_timers_run(&timers, now);
	}
	now = until;
}

static void begin(unsigned primaries, const struct mrg_dns_secondary_soa *held)
{
	static const struct mrg_dns_secondary_user user = { NULL, query, transfer, abandon, valid };
	timers = (struct mrg_rt_timers){ .top = NULL };
	now = 1000 * S;
	said[0] = '\0';
	begins = true;
	mrg_dns_secondary_init(&s, &timers, &limits, &user, primaries);
	mrg_dns_secondary_start(&s, held, 0, now);
	wants("q0 ");
}

static void answered(uint32_t serial) { mrg_dns_secondary_answered(&s, serial, NULL, now); }

START_TEST(it_is_got_and_kept)
{
	begin(1, NULL);
	ck_assert(!mrg_dns_secondary_valid(&s));
	answered(5);
	wants("w0 ");
	mrg_dns_secondary_adopted(&s, &version5, NULL, now);
	ck_assert(mrg_dns_secondary_valid(&s));
	ck_assert(s.next_ns == now + 100 * S);
	ck_assert(s.expires_ns == now + 1000 * S);
	pass(100 * S - 1);
	wants("");
	pass(1);
	wants("q0 ");
	answered(5);
	ck_assert(s.expires_ns == now + 1000 * S);
	pass(100 * S);
	wants("q0 ");
	answered(6);
	wants("t0 ");
	mrg_dns_secondary_adopted(&s, &version6, NULL, now);
	ck_assert(s.next_ns == now + 200 * S);
	pass(200 * S);
	wants("q0 ");
	answered(6);
	mrg_dns_secondary_check(&s, now);
	wants("q0 ");
	answered(7);
	wants("t0 ");
	mrg_dns_secondary_current(&s, NULL, now); /* it was an echo */
	wants("");
	ck_assert(s.next_ns == now + 200 * S);
}
END_TEST

START_TEST(primaries_are_asked_in_turn)
{
	begin(3, &version5);
	pass(2 * S);
	wants("q0 ");
	pass(2 * S);
	wants("q0 ");
	pass(2 * S);
	wants("q1 ");
	mrg_dns_secondary_refused(&s, now);
	wants("q2 ");
	answered(4); /* older than what is held */
	wants("");
	ck_assert_int_eq(s.m.state, MRG_DNS_SECONDARY_ZONE_FAILING);
	pass(30 * S);
	wants("q0 ");
	answered(4);
	wants("q1 ");
	answered(6);
	wants("t1 ");
	mrg_dns_secondary_failed(&s, false, now);
	wants("q2 ");
	answered(6);
	wants("t2 ");
	mrg_dns_secondary_failed(&s, false, now);
	wants("");
	pass(30 * S);
	wants("q0 ");
}
END_TEST

START_TEST(differences_that_are_of_no_use)
{
	begin(2, &version5);
	answered(6);
	wants("t0 ");
	mrg_dns_secondary_failed(&s, true, now);
	wants("w0 ");
	mrg_dns_secondary_failed(&s, true, now); /* it was the whole zone: no more of it */
	wants("q1 ");
	answered(6);
	wants("t1 ");
	mrg_dns_secondary_failed(&s, true, now);
	wants("w1 ");
	mrg_dns_secondary_adopted(&s, &version6, NULL, now);
	wants("");
	begin(1, NULL);
	answered(6);
	wants("w0 ");
	mrg_dns_secondary_failed(&s, true, now);
	wants("");
}
END_TEST

START_TEST(nothing_was_ever_got)
{
	static const unsigned waits[] = { 5, 10, 20, 40, 60, 60 };
	begin(1, NULL);
	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
		mrg_dns_secondary_refused(&s, now);
		wants("");
		pass(waits[i] * S - 1);
		wants("");
		pass(1);
		wants("q0 ");
	}
	ck_assert(s.expires_ns == MRG_RT_NEVER);
}
END_TEST

START_TEST(transfers_that_can_not_be_begun)
{
	begin(3, &version5);
	begins = false;
	answered(6);
	wants("t0 q1 ");
	answered(6);
	wants("t1 q2 ");
	answered(6);
	wants("t2 ");
	ck_assert_int_eq(s.m.state, MRG_DNS_SECONDARY_ZONE_FAILING);
	pass(30 * S);
	wants("q0 ");
}
END_TEST

START_TEST(changes_that_are_told_of)
{
	const uint32_t old = 5, new = 6;
	begin(3, &version5);
	answered(5);
	mrg_dns_secondary_notified(&s, 1, &old, now);
	wants("");
	mrg_dns_secondary_notified(&s, 1, &new, now);
	wants("q1 "); /* who told is asked first */
	answered(5);
	wants("");
	mrg_dns_secondary_notified(&s, 2, NULL, now);
	wants("q2 ");
	mrg_dns_secondary_refused(&s, now);
	wants("q0 "); /* and then the others */
	mrg_dns_secondary_refused(&s, now);
	wants("q1 ");
	mrg_dns_secondary_refused(&s, now);
	wants("");
	mrg_dns_secondary_notified(&s, 7, &new, now); /* by somebody else who may */
	wants("q0 ");
	/* while it is asked: once more behind */
	mrg_dns_secondary_notified(&s, 1, &new, now);
	mrg_dns_secondary_notified(&s, 1, &new, now);
	wants("");
	answered(5);
	wants("q1 ");
	answered(6);
	wants("t1 ");
	mrg_dns_secondary_notified(&s, 2, NULL, now);
	wants("");
	mrg_dns_secondary_adopted(&s, &version6, NULL, now);
	wants("q2 ");
	answered(6);
	wants("");
	ck_assert_int_eq(s.m.state, MRG_DNS_SECONDARY_ZONE_WAITING);
	/* while what was told of before is transferred, and nobody has it: that may be what helps */
	begin(1, &version5);
	answered(6);
	wants("t0 ");
	mrg_dns_secondary_notified(&s, 0, NULL, now);
	mrg_dns_secondary_failed(&s, false, now);
	wants("q0 ");
	answered(6);
	wants("t0 ");
	mrg_dns_secondary_failed(&s, false, now);
	wants("");
	ck_assert_int_eq(s.m.state, MRG_DNS_SECONDARY_ZONE_FAILING);
}
END_TEST

START_TEST(what_is_too_old_is_not_used)
{
	begin(1, &version5);
	for (unsigned i = 0; i < 40 && strstr(said, "old") == NULL; i++) {
		ck_assert(now < 2000 * S);
		pass(25 * S);
	}
	ck_assert_ptr_nonnull(strstr(said, "old"));
	ck_assert(now >= 2000 * S && now < 2025 * S);
	ck_assert(!mrg_dns_secondary_valid(&s));
	while (s.m.state != MRG_DNS_SECONDARY_ZONE_FAILING)
		pass(S);
	said[0] = '\0';
	mrg_dns_secondary_notified(&s, 0, &version5.serial, now); /* even that is news */
	wants("q0 ");
	answered(5);
	wants("good ");
	ck_assert(mrg_dns_secondary_valid(&s));
	ck_assert(s.expires_ns == now + 1000 * S);
	/* in the middle of a transfer, which goes on */
	pass(100 * S);
	answered(6);
	wants("q0 t0 ");
	pass(1000 * S);
	wants("old ");
	mrg_dns_secondary_adopted(&s, &version6, NULL, now);
	wants("");
	ck_assert(mrg_dns_secondary_valid(&s));
}
END_TEST

/* RFC 7314 4 */
START_TEST(what_primaries_tell_of_their_own_expiry)
{
	uint32_t told = 300;
	begin(1, &version5);
	ck_assert(s.expires_ns == now + 1000 * S);
	mrg_dns_secondary_answered(&s, 5, &told, now);
	ck_assert(s.expires_ns == now + 1000 * S); /* the longer one of what is left */
	pass(900 * S);
	said[0] = '\0';
	while (s.m.state != MRG_DNS_SECONDARY_ZONE_ASKING)
		pass(S / 2);
	told = 400;
	mrg_dns_secondary_answered(&s, 5, &told, now);
	ck_assert(s.expires_ns == now + 400 * S);
	told = 5000; /* no longer than the SOA record says */
	mrg_dns_secondary_check(&s, now);
	mrg_dns_secondary_answered(&s, 5, &told, now);
	ck_assert(s.expires_ns == now + 1000 * S);
	told = 70;
	mrg_dns_secondary_check(&s, now);
	answered(6);
	mrg_dns_secondary_adopted(&s, &version6, &told, now);
	ck_assert(s.expires_ns == now + 70 * S);
	mrg_dns_secondary_check(&s, now);
	answered(7);
	told = 90;
	mrg_dns_secondary_current(&s, &told, now);
	ck_assert(s.expires_ns == now + 90 * S);
}
END_TEST

START_TEST(a_version_from_before)
{
	begin(1, &version5);
	mrg_dns_secondary_stop(&s);
	said[0] = '\0';
	mrg_dns_secondary_start(&s, &version5, 400 * S, now);
	wants("q0 ");
	ck_assert(s.expires_ns == now + 600 * S);
	mrg_dns_secondary_stop(&s);
	for (uint64_t ago = 1000; ago < 10000000; ago *= 10) { /* longer than this machine is up, too */
		mrg_dns_secondary_start(&s, &version5, ago * S, now);
		pass(0);
		wants("q0 old ");
		mrg_dns_secondary_stop(&s);
	}
}
END_TEST

START_TEST(times_are_kept_within_limits)
{
	struct mrg_dns_secondary_soa soa = { .serial = 5 };
	begin(1, &soa);
	ck_assert(s.expires_ns == now + 20 * S);
	answered(5);
	ck_assert(s.next_ns == now + 10 * S);
	pass(10 * S);
	mrg_dns_secondary_refused(&s, now);
	ck_assert(s.next_ns == now + 5 * S);
	soa = (struct mrg_dns_secondary_soa){ 5, UINT32_MAX, UINT32_MAX, UINT32_MAX };
	begin(1, &soa);
	ck_assert(s.expires_ns == now + 1000000 * S);
	answered(5);
	ck_assert(s.next_ns == now + 100000 * S);
	pass(100000 * S);
	mrg_dns_secondary_refused(&s, now);
	ck_assert(s.next_ns == now + 60 * S);
}
END_TEST

START_TEST(it_is_kept_no_longer)
{
	for (unsigned stage = 0; stage < 4; stage++) {
		begin(1, &version5);
		if (stage == 1)
			answered(6);
		if (stage == 2)
			answered(5);
		if (stage == 3)
			mrg_dns_secondary_refused(&s, now);
		said[0] = '\0';
		mrg_dns_secondary_stop(&s);
		wants(stage == 1 ? "stop " : "");
		ck_assert(mrg_rt_timers_next(&timers) == MRG_RT_NEVER);
		ck_assert(!mrg_dns_secondary_valid(&s));
		/* what comes late */
		answered(7);
		mrg_dns_secondary_refused(&s, now);
		mrg_dns_secondary_notified(&s, 0, NULL, now);
		mrg_dns_secondary_check(&s, now);
		mrg_dns_secondary_failed(&s, true, now);
		mrg_dns_secondary_current(&s, NULL, now);
		mrg_dns_secondary_stop(&s);
		wants("");
		ck_assert(mrg_rt_timers_next(&timers) == MRG_RT_NEVER);
	}
}
END_TEST

START_TEST(serial_numbers_wrap)
{
	const struct mrg_dns_secondary_soa soa = { UINT32_MAX - 1, 100, 30, 1000 };
	begin(1, &soa);
	answered(2);
	wants("t0 ");
}
END_TEST

START_TEST(what_the_soa_record_of_a_zone_says)
{
	struct kit k;
	struct mrg_dns_secondary_soa soa;
	kit_init(&k, 1 << 20);
	ck_assert_int_eq(
		kit_zone(&k, "example.", "@ 60 SOA ns h 12 34 56 78 90\n@ 60 NS ns\nns 60 A 192.0.2.1\n"),
		MRG_DNS_ZONE_SOUND);
	mrg_dns_secondary_soa_of(k.zones[0], &soa);
	ck_assert_uint_eq(soa.serial, 12);
	ck_assert_uint_eq(soa.refresh_s, 34);
	ck_assert_uint_eq(soa.retry_s, 56);
	ck_assert_uint_eq(soa.expire_s, 78);
	kit_free(&k);
}
END_TEST

int main(void)
{
	Suite *const suite = suite_create("protocols/dns/secondary");
	TCase *const c = tcase_create("secondary");
	tcase_add_test(c, it_is_got_and_kept);
	tcase_add_test(c, primaries_are_asked_in_turn);
	tcase_add_test(c, differences_that_are_of_no_use);
	tcase_add_test(c, nothing_was_ever_got);
	tcase_add_test(c, transfers_that_can_not_be_begun);
	tcase_add_test(c, changes_that_are_told_of);
	tcase_add_test(c, what_is_too_old_is_not_used);
	tcase_add_test(c, what_primaries_tell_of_their_own_expiry);
	tcase_add_test(c, a_version_from_before);
	tcase_add_test(c, times_are_kept_within_limits);
	tcase_add_test(c, it_is_kept_no_longer);
	tcase_add_test(c, serial_numbers_wrap);
	tcase_add_test(c, what_the_soa_record_of_a_zone_says);
	suite_add_tcase(suite, c);
	SRunner *const r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
