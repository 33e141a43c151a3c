/*
 * protocols/dns/stream: DNS over a stream, over ends that are made up here, so that each split, each short write and each failure
 * is chosen, and time is a number.
 *
 * The answerer repeats the query's octets after an 'r'; a query that starts with 'x' gets no answer, one that starts with 'L' gets
 * an answer of 60,000 octets. Messages need no DNS in them: the framing does not look inside.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/dns/stream.h"
#include "tests/protocols/dns/stream_fake.h"

enum { ROOM = 4 << 20, LONG = 60000, CONNS = 8, BLOCKS = 3 };

static const uint64_t IDLE = 10u * MRG_RT_SECOND_NS;

static struct mrg_arena arena;
static uint8_t *room;
static struct mrg_rt_timers timers;
static struct mrg_dns_streams streams;
static uint64_t now;
static enum mrg_dns_said answer(void *ctx, struct mrg_dns_call *call, struct mrg_span query, uint8_t *out,
	size_t cap, size_t *out_len)
{
	(void)ctx;
	(void)call;
	ck_assert_uint_eq(cap, 65535);
	if (query.len == 0 || query.p[0] == 'x')
		return MRG_DNS_SAID_NOTHING;
	*out_len = query.p[0] == 'L' ? (size_t)LONG : fake_least(query.len + 1, cap);
	memset(out, 'l', *out_len);
	out[0] = 'r';
	memcpy(out + 1, query.p, fake_least(query.len, *out_len - 1));
	return MRG_DNS_SAID_ALL;
}

static const struct mrg_dns_answerer answerer = { .answer = answer };

static void start_with(const struct mrg_dns_stream_limits *limits)
{
	room = calloc(1, ROOM);
	arena = (struct mrg_arena){ .p = room, .cap = ROOM };
	timers = (struct mrg_rt_timers){ .top = NULL };
	now = 5;
	fake_copied = 0;
	ck_assert_int_eq(mrg_dns_streams_init(&streams, &arena, &timers, limits, &answerer), MRG_OK);
}

static void start(uint32_t conn_count, uint32_t block_count)
{
	start_with(&(struct mrg_dns_stream_limits){
		.conn_count = conn_count, .block_count = block_count, .idle_ns = IDLE });
}

static void stop(void)
{
	mrg_dns_streams_close(&streams);
	ck_assert_uint_eq(mrg_dns_streams_count(&streams), 0);
	ck_assert(mrg_rt_timers_next(&timers) == MRG_RT_NEVER);
	free(room);
	fakes_free();
}

static struct fake *open_new(void)
{
	struct fake *const f = fake_new();
	ck_assert(streams.user.open(streams.user.ctx, &f->stream, now));
	ck_assert_uint_eq(f->want, MRG_STREAM_READABLE);
	return f;
}

static void run(struct fake *f, size_t arrived) { fake_run(f, &streams.user, arrived, now); }

static void run_all(struct fake *f) { run(f, f->in_len); }

/* The peer's whole output is these replies; 'L' stands for the long one. */
static void expect_replies(struct fake *f, const char *const *queries, size_t count)
{
	size_t off = 0;
	for (size_t i = 0; i < count; i++) {
		const size_t len = queries[i][0] == 'L' ? (size_t)LONG : strlen(queries[i]) + 1;
		ck_assert_uint_ge(f->out_len - off, 2 + len);
		ck_assert_uint_eq((size_t)f->out[off] << 8 | f->out[off + 1], len);
		ck_assert_uint_eq(f->out[off + 2], 'r');
		ck_assert_mem_eq(f->out + off + 3, queries[i], strlen(queries[i]));
		off += 2 + len;
	}
	ck_assert_uint_eq(off, f->out_len);
}

static const char *const three[] = { "abc", "second query", "z" };

static struct fake *with_three(void)
{
	struct fake *const f = open_new();
	for (size_t i = 0; i < 3; i++)
		fake_send_query(f, three[i], strlen(three[i]));
	return f;
}

/* ---- delivery ---- */

START_TEST(queries_at_once_are_answered_in_one_write)
{
	start(CONNS, BLOCKS);
	struct fake *const f = with_three();
	f->arrived = f->in_len;
	streams.user.ready(streams.user.ctx, &f->stream, MRG_STREAM_READABLE, now);
	expect_replies(f, three, 3);
	ck_assert_uint_eq(streams.counts.queries, 3);
	stop();
}
END_TEST

START_TEST(every_two_way_and_three_way_split_gives_the_same)
{
	start(CONNS, BLOCKS);
	const size_t len = 2 + 3 + 2 + 12 + 2 + 1;
	for (size_t a = 0; a <= len; a++) {
		for (size_t b = a; b <= len; b++) {
			struct fake *const f = with_three();
			ck_assert_uint_eq(f->in_len, len);
			run(f, a);
			run(f, b);
			run(f, len);
			expect_replies(f, three, 3);
			f->eof = true;
			run(f, len);
			ck_assert(f->closed);
		}
	}
	stop();
}
END_TEST

START_TEST(octet_by_octet_in_both_directions)
{
	start(CONNS, BLOCKS);
	struct fake *const f = with_three();
	f->read_most = 1;
	f->write_most = 1;
	for (size_t i = 0; i <= f->in_len; i++)
		run(f, i);
	expect_replies(f, three, 3);
	stop();
}
END_TEST

START_TEST(the_longest_query_octet_by_octet_costs_linear_work)
{
	start(CONNS, BLOCKS);
	struct fake *const f = open_new();
	fake_send_query(f, "a", 65535);
	f->read_most = 1;
	run_all(f);
	ck_assert_uint_eq(fake_copied, 65537);
	ck_assert_uint_eq(f->out_len, 65537);
	ck_assert_uint_eq(f->out[2], 'r');
	stop();
}
END_TEST

/* Lengths around each boundary that the code has, each followed by one more query. */
START_TEST(queries_of_many_lengths)
{
	static const size_t lengths[] = { 1, 2, 11, 12, 255, 256, 509, 510, 511, 512, 513, 16383, 16384,
		65533, 65534, 65535 };
	start(CONNS, BLOCKS);
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		for (size_t cut = 0; cut < 5; cut++) {
			struct fake *const f = open_new();
			fake_send_query(f, "a", lengths[i]);
			fake_send_query(f, "end", 3);
			run(f, f->in_len * cut / 4);
			run_all(f);
			const size_t want = lengths[i] == 65535 ? 65535 : lengths[i] + 1;
			ck_assert_uint_eq(f->out_len, 2 + want + 2 + 4);
			ck_assert_mem_eq(f->out + f->out_len - 4, "rend", 4);
			streams.user.spare(streams.user.ctx, now);
			ck_assert(f->closed);
		}
	}
	stop();
}
END_TEST

START_TEST(thousands_of_pipelined_queries)
{
	start(CONNS, BLOCKS);
	struct fake *const f = open_new();
	for (unsigned i = 0; i < 20000; i++)
		fake_send_query(f, "abc", 3);
	f->write_most = 1000;
	run_all(f);
	ck_assert_uint_eq(f->out_len, 20000 * 6);
	ck_assert_uint_eq(streams.counts.answers, 20000);
	stop();
}
END_TEST

/* ---- the peer's end ---- */

START_TEST(half_close_after_the_queries)
{
	start(CONNS, BLOCKS);
	struct fake *const f = with_three();
	f->eof = true;
	run_all(f);
	expect_replies(f, three, 3);
	ck_assert(f->closed);
	stop();
}
END_TEST

START_TEST(half_close_inside_a_query)
{
	start(CONNS, BLOCKS);
	for (size_t cut = 1; cut < 5; cut++) {
		struct fake *const f = open_new();
		fake_send_query(f, "abc", 3);
		f->in_len = cut;
		f->eof = true;
		run_all(f);
		ck_assert(f->closed);
		ck_assert_uint_eq(f->out_len, 0);
	}
	stop();
}
END_TEST

START_TEST(half_close_while_replies_wait)
{
	start(CONNS, BLOCKS);
	struct fake *const f = with_three();
	f->eof = true;
	f->write_room = 4;
	run_all(f);
	ck_assert(!f->closed);
	ck_assert_uint_eq(f->want, MRG_STREAM_WRITABLE);
	f->write_room = SIZE_MAX;
	run_all(f);
	expect_replies(f, three, 3);
	ck_assert(f->closed);
	stop();
}
END_TEST

START_TEST(resets_at_every_point)
{
	start(CONNS, BLOCKS);
	for (size_t cut = 0; cut < 25; cut++) {
		for (size_t taken = 0; taken < 10; taken += 3) {
			struct fake *const f = with_three();
			f->in_len = fake_least(cut, f->in_len);
			f->write_room = taken;
			run_all(f);
			f->reset = true;
			f->write_room = SIZE_MAX;
			run_all(f);
			ck_assert(f->closed);
		}
	}
	ck_assert_uint_eq(streams.counts.broken, 25u * 4u);
	stop();
}
END_TEST

START_TEST(a_query_without_answer_ends_the_connection_after_the_earlier_replies)
{
	static const char *const bad[] = { "x", "" };
	for (size_t i = 0; i < 2; i++) {
		for (size_t held = 0; held < 2; held++) {
			start(CONNS, BLOCKS);
			struct fake *const f = with_three();
			fake_send_query(f, bad[i], strlen(bad[i]));
			fake_send_query(f, "never", 5);
			f->write_room = held != 0 ? 5 : SIZE_MAX;
			run_all(f);
			f->write_room = SIZE_MAX;
			run_all(f);
			expect_replies(f, three, 3);
			ck_assert(f->finished && !f->closed);
			fake_send_query(f, "thrown away", 11);
			run_all(f);
			ck_assert_uint_eq(f->in_off, f->in_len);
			f->eof = true;
			run_all(f);
			ck_assert(f->closed);
			expect_replies(f, three, 3);
			stop();
		}
	}
}
END_TEST

/* ---- slow readers ---- */

START_TEST(a_slow_reader_is_not_read_from_until_it_has_taken_its_replies)
{
	static const char *const queries[] = { "L", "abc", "L", "L", "z" };
	start(CONNS, BLOCKS);
	struct fake *const f = open_new();
	for (size_t i = 0; i < 5; i++)
		fake_send_query(f, queries[i], strlen(queries[i]));
	f->write_room = 100;
	f->read_most = 9; /* all but the last queries are in the first two reads */
	run_all(f);
	ck_assert_uint_eq(f->want, MRG_STREAM_WRITABLE);
	const size_t read = f->in_off;
	ck_assert_uint_lt(read, f->in_len);
	for (unsigned i = 0; i < 50; i++) {
		f->write_room = 700;
		run_all(f);
	}
	ck_assert_uint_eq(f->in_off, read);
	while (f->out_len < 3 * (LONG + 2) + 6 + 4) {
		f->write_room = 777;
		run_all(f);
	}
	expect_replies(f, queries, 5);
	stop();
}
END_TEST

START_TEST(every_point_at_which_writing_stops)
{
	start(CONNS, BLOCKS);
	for (size_t stops = 1; stops < 24; stops++) {
		struct fake *const f = with_three();
		for (unsigned i = 0; i < 30; i++) {
			f->write_room = stops;
			run_all(f);
		}
		expect_replies(f, three, 3);
		f->eof = true;
		f->write_room = 1;
		run_all(f);
		ck_assert(f->closed);
	}
	stop();
}
END_TEST

START_TEST(blocks_go_to_who_needs_one_now)
{
	struct fake *f[BLOCKS + 1];
	start(CONNS, BLOCKS);
	for (size_t i = 0; i <= BLOCKS; i++) {
		now++;
		f[i] = open_new();
		fake_send_query(f[i], "L", 1);
		f[i]->write_room = 10;
		run_all(f[i]);
		ck_assert_uint_eq(f[i]->want, MRG_STREAM_WRITABLE);
	}
	ck_assert(f[0]->closed); /* longest without progress */
	ck_assert_uint_eq(streams.counts.spared, 1);
	for (size_t i = 1; i <= BLOCKS; i++) {
		ck_assert(!f[i]->closed);
		f[i]->write_room = SIZE_MAX;
		run_all(f[i]);
		ck_assert_uint_eq(f[i]->out_len, LONG + 2);
	}
	stop();
}
END_TEST

START_TEST(no_block_at_all_costs_only_who_needs_one)
{
	start(CONNS, 0);
	struct fake *const greedy = open_new(), *const modest = open_new();
	fake_send_query(greedy, "L", 1);
	greedy->write_room = 10;
	run_all(greedy);
	ck_assert(greedy->closed);
	fake_send_query(modest, "abc", 3);
	run(modest, 4);
	run_all(modest);
	ck_assert_uint_eq(modest->out_len, 6);
	stop();
}
END_TEST

/* ---- time and number ---- */

static void pass(uint64_t ns)
{
	now += ns;
	mrg_rt_timers_run(&timers, now);
}

START_TEST(idle_connections_are_closed_at_their_time)
{
	start(CONNS, BLOCKS);
	struct fake *const first = open_new();
	pass(IDLE / 2);
	struct fake *const second = with_three();
	ck_assert(mrg_rt_timers_next(&timers) == now + IDLE - IDLE / 2);
	pass(IDLE - IDLE / 2 - 1);
	ck_assert(!first->closed);
	run_all(second);
	pass(1);
	ck_assert(first->closed && !second->closed);
	pass(IDLE - 2);
	ck_assert(!second->closed);
	pass(1);
	ck_assert(second->closed);
	ck_assert_uint_eq(streams.counts.idle_closed, 2);
	ck_assert(mrg_rt_timers_next(&timers) == MRG_RT_NEVER);
	stop();
}
END_TEST

START_TEST(who_does_not_see_the_end_is_closed_at_its_time)
{
	start(CONNS, BLOCKS);
	struct fake *const f = open_new();
	pass(IDLE / 2);
	fake_send_query(f, "x", 1); /* has no answer */
	run_all(f);
	ck_assert(f->finished);
	pass(IDLE - 1);
	fake_send_query(f, "thrown away", 11); /* wins no time */
	run_all(f);
	ck_assert(!f->closed);
	pass(1);
	ck_assert(f->closed);
	stop();
}
END_TEST

START_TEST(dripping_octets_win_no_time)
{
	start(CONNS, BLOCKS);
	struct fake *const f = open_new();
	fake_send_query(f, "abc", 1000);
	for (size_t i = 1; !f->closed && i < 100; i++) {
		run(f, i);
		pass(IDLE / 4);
		ck_assert_uint_le(i, 4);
	}
	ck_assert(f->closed);
	stop();
}
END_TEST

START_TEST(dripping_reads_win_no_time)
{
	start(CONNS, BLOCKS);
	struct fake *const f = open_new();
	fake_send_query(f, "L", 1);
	for (unsigned i = 0; !f->closed && i < 100; i++) {
		f->write_room = 1;
		run_all(f);
		pass(IDLE / 4);
		ck_assert_uint_le(i, 4);
	}
	ck_assert(f->closed);
	stop();
}
END_TEST

START_TEST(one_too_many_closes_the_oldest)
{
	struct fake *f[CONNS + 2];
	start(CONNS, BLOCKS);
	for (size_t i = 0; i < CONNS + 2; i++) {
		f[i] = open_new();
		if (i == CONNS - 1) { /* the first one makes progress, so the second is the oldest */
			fake_send_query(f[0], "abc", 3);
			run_all(f[0]);
		}
	}
	ck_assert_uint_eq(mrg_dns_streams_count(&streams), CONNS);
	for (size_t i = 0; i < CONNS + 2; i++)
		ck_assert(f[i]->closed == (i == 1 || i == 2));
	stop();
}
END_TEST

/* Is a connection from there let in? */
static bool comes(const char *from, struct fake **out)
{
	*out = fake_new();
	ck_assert(mrg_rt_addr_read(from, 1, &(*out)->peer));
	return streams.user.open(streams.user.ctx, &(*out)->stream, now);
}

START_TEST(a_client_has_so_many_connections_at_once)
{
	struct fake *one, *two, *other;
	start_with(&(struct mrg_dns_stream_limits){ .conn_count = CONNS,
		.block_count = BLOCKS,
		.idle_ns = IDLE,
		.client_max = 2,
		.client_key = { 1, 2 } });
	ck_assert(comes("192.0.2.1:1000", &one) && comes("192.0.2.1:1001", &two));
	ck_assert(!comes("192.0.2.1:1002", &other));
	ck_assert_uint_eq(streams.counts.refused, 1);
	ck_assert(comes("192.0.2.2:1000", &other));
	one->eof = true;
	run_all(one);
	ck_assert(one->closed);
	ck_assert(comes("192.0.2.1:1003", &other));
	ck_assert(comes("[2001:db8::1]:1", &other) && comes("[2001:db8::2]:1", &other)); /* of one /64 */
	ck_assert(!comes("[2001:db8::3]:1", &other) && comes("[2001:db8:0:1::3]:1", &other));
	ck_assert_uint_eq(streams.counts.opened, 7);
	stop();
	start(CONNS, BLOCKS);
	for (size_t i = 0; i < 3; i++)
		ck_assert(comes("192.0.2.1:1000", &other));
	stop();
}
END_TEST

START_TEST(nothing_to_spare_when_there_is_nothing)
{
	start(CONNS, BLOCKS);
	ck_assert(!streams.user.spare(streams.user.ctx, now));
	stop();
}
END_TEST

START_TEST(time_at_its_end)
{
	start(CONNS, BLOCKS);
	now = MRG_RT_NEVER - 3u;
	struct fake *const f = with_three();
	run_all(f);
	expect_replies(f, three, 3);
	stop();
}
END_TEST

/* ---- the server's end ---- */

START_TEST(draining_answers_what_has_arrived_and_closes)
{
	start(CONNS, BLOCKS);
	struct fake *const idle = open_new(), *const busy = with_three(), *const partial = open_new();
	struct fake *const slow = with_three(), *const late = fake_new(), *const broken = open_new();
	fake_send_query(partial, "abc", 3);
	run(partial, 4);
	slow->write_room = 3;
	run_all(slow);
	busy->arrived = busy->in_len;
	broken->reset = true;
	mrg_dns_streams_drain(&streams, now);
	ck_assert(idle->closed && busy->closed && partial->closed && broken->closed);
	expect_replies(busy, three, 3);
	ck_assert(!slow->closed);
	ck_assert(!streams.user.open(streams.user.ctx, &late->stream, now));
	ck_assert_uint_eq(mrg_dns_streams_count(&streams), 1);
	slow->write_room = SIZE_MAX;
	run_all(slow);
	expect_replies(slow, three, 3);
	ck_assert(slow->finished);
	slow->eof = true;
	run_all(slow);
	ck_assert(slow->closed);
	ck_assert_uint_eq(mrg_dns_streams_count(&streams), 0);
	stop();
}
END_TEST

START_TEST(draining_reads_all_that_was_pipelined)
{
	start(CONNS, BLOCKS);
	struct fake *const f = open_new();
	for (unsigned i = 0; i < 20000; i++)
		fake_send_query(f, "abc", 3);
	f->arrived = f->in_len;
	mrg_dns_streams_drain(&streams, now);
	ck_assert(f->closed);
	ck_assert_uint_eq(f->out_len, 20000 * 6);
	stop();
}
END_TEST

START_TEST(a_small_arena_is_refused)
{
	const struct mrg_dns_stream_limits limits = { .conn_count = 1, .block_count = 1, .idle_ns = IDLE };
	start(CONNS, BLOCKS);
	const size_t need = arena.len;
	stop();
	uint8_t *const p = calloc(1, need);
	for (size_t cap = 0; cap < need; cap += need / 50) {
		struct mrg_arena small = { .p = p, .cap = cap };
		ck_assert_int_eq(
			mrg_dns_streams_init(&streams, &small, &timers, &limits, &answerer), MRG_E_SPACE);
	}
	struct mrg_arena just = { .p = p, .cap = need };
	ck_assert_int_eq(mrg_dns_streams_init(&streams, &just, &timers, &limits, &answerer), MRG_OK);
	struct fake *const f = fake_new();
	ck_assert(!streams.user.open(
		streams.user.ctx, &f->stream, now)); /* no room for a connection: refused, not lost */
	free(p);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/dns/stream");
	TCase *const t = tcase_create("stream");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, queries_at_once_are_answered_in_one_write);
	tcase_add_test(t, every_two_way_and_three_way_split_gives_the_same);
	tcase_add_test(t, octet_by_octet_in_both_directions);
	tcase_add_test(t, the_longest_query_octet_by_octet_costs_linear_work);
	tcase_add_test(t, queries_of_many_lengths);
	tcase_add_test(t, thousands_of_pipelined_queries);
	tcase_add_test(t, half_close_after_the_queries);
	tcase_add_test(t, half_close_inside_a_query);
	tcase_add_test(t, half_close_while_replies_wait);
	tcase_add_test(t, resets_at_every_point);
	tcase_add_test(t, a_query_without_answer_ends_the_connection_after_the_earlier_replies);
	tcase_add_test(t, a_slow_reader_is_not_read_from_until_it_has_taken_its_replies);
	tcase_add_test(t, every_point_at_which_writing_stops);
	tcase_add_test(t, blocks_go_to_who_needs_one_now);
	tcase_add_test(t, no_block_at_all_costs_only_who_needs_one);
	tcase_add_test(t, idle_connections_are_closed_at_their_time);
	tcase_add_test(t, who_does_not_see_the_end_is_closed_at_its_time);
	tcase_add_test(t, dripping_octets_win_no_time);
	tcase_add_test(t, dripping_reads_win_no_time);
	tcase_add_test(t, one_too_many_closes_the_oldest);
	tcase_add_test(t, nothing_to_spare_when_there_is_nothing);
	tcase_add_test(t, a_client_has_so_many_connections_at_once);
	tcase_add_test(t, time_at_its_end);
	tcase_add_test(t, draining_answers_what_has_arrived_and_closes);
	tcase_add_test(t, draining_reads_all_that_was_pipelined);
	tcase_add_test(t, a_small_arena_is_refused);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
