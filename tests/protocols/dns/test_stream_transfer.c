/*
 * protocols/dns/stream: replies of many messages, and replies that come later, over ends that are made up.
 *
 * A query of 'T' and a digit is answered by a transfer of so many messages, 'C' by one that is cut off behind those; the reply to 'P' comes
 * later. Anything else is repeated behind an 'r'.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/dns/stream.h"
#include "tests/protocols/dns/stream_fake.h"

enum { ROOM = 4 << 20, PART = 20000, CONNS = 8, BLOCKS = 3 };

static const uint64_t IDLE = 10u * MRG_RT_SECOND_NS;

static struct mrg_arena arena;
static uint8_t *room;
static struct mrg_rt_timers timers;
static struct mrg_dns_streams streams;
static uint64_t now;

/* The only transfer, and the ticket of the query whose reply comes last. */
static struct {
	unsigned made, begun, ended; /* messages; transfers */
	unsigned left;
	bool cut;
} transfer;
static struct mrg_dns_ticket ticket;

static enum mrg_dns_said next(void *ctx, void *which, uint8_t *out, size_t cap, size_t *out_len)
{
	(void)ctx;
	ck_assert_ptr_eq(which, &transfer);
	ck_assert_uint_eq(transfer.begun, transfer.ended + 1);
	ck_assert_uint_eq(cap, 65535);
	if (transfer.left == 0)
		return MRG_DNS_SAID_NOTHING;
	memset(out, (int)('a' + transfer.made++), PART);
	*out_len = PART;
	transfer.left--;
	return transfer.left != 0 || transfer.cut ? MRG_DNS_SAID_PART : MRG_DNS_SAID_ALL;
}

static void done(void *ctx, void *which)
{
	(void)ctx;
	ck_assert_ptr_eq(which, &transfer);
	transfer.ended++;
}

static enum mrg_dns_said transfer_begin(
	struct mrg_dns_call *call, struct mrg_span query, uint8_t *out, size_t cap, size_t *out_len)
{
	transfer.left = query.p[1] - (unsigned)'0';
	transfer.cut = query.p[0] == 'C';
	transfer.made = 0;
	transfer.begun++;
	call->transfer = &transfer;
	return next(NULL, &transfer, out, cap, out_len);
}

static enum mrg_dns_said answer(void *ctx, struct mrg_dns_call *call, struct mrg_span query, uint8_t *out,
	size_t cap, size_t *out_len)
{
	(void)ctx;
	if (query.len == 2 && (query.p[0] == 'T' || query.p[0] == 'C'))
		return transfer_begin(call, query, out, cap, out_len);
	if (query.len == 1 && query.p[0] == 'P') {
		ticket = call->ticket;
		return MRG_DNS_SAID_LATER;
	}
	out[0] = 'r';
	memcpy(out + 1, query.p, query.len);
	*out_len = query.len + 1;
	return MRG_DNS_SAID_ALL;
}

static uint32_t blocks = BLOCKS;

static void start(void)
{
	const struct mrg_dns_stream_limits limits = {
		.conn_count = CONNS, .block_count = blocks, .idle_ns = IDLE
	};
	static const struct mrg_dns_answerer answerer = { .answer = answer, .next = next, .done = done };
	room = calloc(1, ROOM);
	arena = (struct mrg_arena){ .p = room, .cap = ROOM };
	timers = (struct mrg_rt_timers){ .top = NULL };
	now = 5;
	memset(&transfer, 0, sizeof transfer);
	ck_assert_int_eq(mrg_dns_streams_init(&streams, &arena, &timers, &limits, &answerer), MRG_OK);
}

static void stop(void)
{
	mrg_dns_streams_close(&streams);
	ck_assert_uint_eq(transfer.begun, transfer.ended);
	ck_assert(mrg_rt_timers_next(&timers) == MRG_RT_NEVER);
	free(room);
	fakes_free();
}

static void run_all(struct fake *f) { fake_run(f, &streams.user, f->in_len, now); }

static void pass(uint64_t ns)
{
	now += ns;
	mrg_rt_timers_run(&timers, now);
}

static struct fake *open_new(void)
{
	struct fake *const f = fake_new();
	ck_assert(streams.user.open(streams.user.ctx, &f->stream, now));
	return f;
}

static void expect(const struct fake *f, const char *octets, size_t len)
{
	ck_assert_uint_eq(f->out_len, len);
	ck_assert_mem_eq(f->out, octets, len);
}

/* What came is `count` messages of a transfer, then the reply to `behind` if there is one. */
static void expect_transfer(const struct fake *f, unsigned count, const char *behind)
{
	size_t at = 0;
	ck_assert_uint_eq(f->out_len, count * (2u + PART) + (behind == NULL ? 0 : 3 + strlen(behind)));
	for (unsigned i = 0; i < count; i++, at += 2 + PART) {
		ck_assert_uint_eq((size_t)f->out[at] << 8 | f->out[at + 1], PART);
		static uint8_t want[PART];
		memset(want, (int)('a' + i), PART);
		ck_assert_int_eq(memcmp(f->out + at + 2, want, PART), 0);
	}
	if (behind != NULL)
		ck_assert_mem_eq(f->out + at + 3, behind, strlen(behind));
}

static struct fake *asked(const char *const *queries, size_t count)
{
	struct fake *const f = open_new();
	for (size_t i = 0; i < count; i++)
		fake_send_query(f, queries[i], strlen(queries[i]));
	return f;
}

START_TEST(a_transfer_is_taken_in_any_pieces_and_what_is_asked_behind_it_waits)
{
	static const char *const queries[] = { "T9", "abc" };
	static const size_t takes[] = { 7, 777, 20001, 20002, 65536, SIZE_MAX };
	start();
	for (size_t i = 0; i < sizeof takes / sizeof takes[0]; i++) {
		struct fake *const f = asked(queries, 2);
		f->eof = true;
		for (unsigned n = 0; n < 200000 && !f->closed; n++) {
			f->write_room = takes[i];
			run_all(f);
			ck_assert_uint_le(transfer.made,
				f->out_len / (2 + PART) + 2); /* no more waits than a block takes */
		}
		ck_assert(f->closed);
		expect_transfer(f, 9, "abc");
	}
	ck_assert_uint_eq(streams.counts.parts, 8 * 6);
	stop();
}
END_TEST

START_TEST(a_transfer_leaves_others_their_turn)
{
	static const char *const queries[] = { "T9" };
	start();
	struct fake *const f = asked(queries, 1);
	transfer.made = 0;
	f->arrived = f->in_len;
	fake_send_query(f, "abc", 3);
	streams.user.ready(streams.user.ctx, &f->stream, MRG_STREAM_READABLE, now);
	ck_assert_uint_eq(f->want, MRG_STREAM_READABLE); /* 180,000 octets are one turn's */
	for (unsigned i = 0; i < 3; i++)
		fake_send_query(f, "T9", 2);
	transfer.left = 0;
	f->arrived = f->in_len;
	streams.user.ready(streams.user.ctx, &f->stream, MRG_STREAM_READABLE, now);
	ck_assert_uint_eq(f->want, MRG_STREAM_WRITABLE);
	ck_assert_uint_lt(f->out_len, 3 * 9 * PART);
	run_all(f);
	ck_assert_uint_eq(f->out_len, 4 * 9 * (2 + PART) + 6);
	stop();
}
END_TEST

/* How a transfer may end before its end. */
enum early { BROKEN, CUT, TOO_SLOW, SPARED, STOPPED, DRAINED, EARLY };

START_TEST(a_transfer_is_released_however_it_ends)
{
	static const char *const whole[] = { "T9" }, *const cut[] = { "C2" };
	for (enum early how = BROKEN; how < EARLY; how++) {
		start();
		struct fake *const f = asked(how == CUT ? cut : whole, 1);
		f->write_room = 50;
		run_all(f);
		ck_assert_uint_eq(transfer.begun, 1);
		ck_assert_uint_eq(transfer.ended, 0);
		switch (how) {
		case BROKEN: f->reset = true; break;
		case CUT: f->eof = true; break;
		case TOO_SLOW: pass(IDLE); break;
		case SPARED: streams.user.spare(streams.user.ctx, now); break;
		case STOPPED: mrg_dns_streams_close(&streams); break;
		case DRAINED: mrg_dns_streams_drain(&streams, now); break;
		case EARLY: break;
		}
		f->write_room = SIZE_MAX;
		run_all(f);
		ck_assert_uint_eq(transfer.ended, 1);
		if (how == CUT || how == DRAINED)
			expect_transfer(f, how == CUT ? 2 : 9, NULL);
		ck_assert(how == DRAINED ? f->finished : f->closed);
		stop();
	}
}
END_TEST

START_TEST(a_transfer_that_has_lost_octets_does_not_go_on)
{
	static const char *const queries[] = { "T9" };
	blocks = 0;
	start();
	struct fake *const f = asked(queries, 1);
	f->write_room = 50;
	f->arrived = f->in_len;
	mrg_dns_streams_drain(&streams, now); /* reads it, and there is no block for what is not taken */
	ck_assert(f->closed);
	ck_assert_uint_eq(transfer.ended, 1);
	stop();
	blocks = BLOCKS;
}
END_TEST

START_TEST(a_reply_that_comes_later_is_said_once_and_in_its_place)
{
	static const char *const queries[] = { "abc", "P", "z" };
	for (size_t held = 0; held < 2; held++) {
		start();
		struct fake *const f = asked(queries, 3);
		f->write_room = held != 0 ? 3 : SIZE_MAX;
		run_all(f);
		ck_assert_uint_eq(f->out_len, held != 0 ? 3 : 6);
		ck_assert_uint_eq(f->want, held != 0 ? MRG_STREAM_WRITABLE : 0);
		ck_assert(mrg_dns_streams_reply(&streams, ticket, MRG_LITERAL("rP"), now));
		ck_assert(!mrg_dns_streams_reply(&streams, ticket, MRG_LITERAL("rP"), now));
		f->write_room = SIZE_MAX;
		run_all(f);
		expect(f, "\0\4rabc\0\2rP\0\2rz", 15 - 1);
		stop();
	}
}
END_TEST

START_TEST(nobody_waits_any_more_for_a_reply)
{
	static const char *const queries[] = { "P" };
	start();
	struct fake *const slow = asked(queries, 1);
	run_all(slow);
	const struct mrg_dns_ticket old = ticket;
	pass(IDLE);
	ck_assert(slow->closed);
	struct fake *const broken = open_new(), *const none = open_new();
	fake_send_query(broken, "P", 1);
	run_all(broken);
	ck_assert(!mrg_dns_streams_reply(&streams, old, MRG_LITERAL("rP"), now));
	streams.user.ready(streams.user.ctx, &broken->stream, MRG_STREAM_READABLE, now); /* it is not */
	ck_assert(!broken->closed);
	broken->reset = true;
	streams.user.ready(streams.user.ctx, &broken->stream, MRG_STREAM_READABLE, now);
	ck_assert(broken->closed);
	ck_assert(!mrg_dns_streams_reply(&streams, ticket, MRG_LITERAL("rP"), now));
	fake_send_query(none, "P", 1);
	run_all(none);
	mrg_dns_streams_drain(&streams, now);
	ck_assert(!none->closed);
	ck_assert(mrg_dns_streams_reply(&streams, ticket, (struct mrg_span){ NULL, 0 }, now));
	ck_assert(none->finished);
	stop();
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/dns/stream: transfers");
	TCase *const t = tcase_create("transfers");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_transfer_is_taken_in_any_pieces_and_what_is_asked_behind_it_waits);
	tcase_add_test(t, a_transfer_leaves_others_their_turn);
	tcase_add_test(t, a_transfer_is_released_however_it_ends);
	tcase_add_test(t, a_transfer_that_has_lost_octets_does_not_go_on);
	tcase_add_test(t, a_reply_that_comes_later_is_said_once_and_in_its_place);
	tcase_add_test(t, nobody_waits_any_more_for_a_reply);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
