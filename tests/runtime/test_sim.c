/*
 * runtime/sim: frames and timers under virtual time, each in its order; the same seed gives the same run.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pcap.h"
#include "sim/mrg_sim.h"
#include "unix/mrg_unix.h"

enum { PORTS = 4, KEPT = 4096, LEN = 100 };

static struct mrg_arena arena;
static struct mrg_sim *sim;
static struct mrg_sim_host *host[PORTS];
static struct mrg_link *port[PORTS];
static struct mrg_sim_wire *wire;

/* What arrived, in order. */
static struct arrival {
	size_t at; /* the port */
	uint64_t now_ns;
	size_t len;
	uint8_t tag; /* the byte behind the addresses */
	bool sum_ok;
	struct mrg_frame_work work;
	uint8_t bytes[128];
} got[KEPT];
static size_t got_count, burst_max;

static void note(void *ctx, struct mrg_frame *f, size_t count, uint64_t now_ns)
{
	const size_t at = (size_t)((struct mrg_link **)ctx - port);
	burst_max = count > burst_max ? count : burst_max;
	ck_assert_uint_eq(now_ns, host[at]->now_ns);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_lt(got_count, KEPT);
		struct arrival *const a = &got[got_count++];
		*a = (struct arrival){ .at = at,
			.now_ns = now_ns,
			.len = f[i].len,
			.tag = f[i].len > 12 ? f[i].p[12] : 0,
			.work = f[i].work };
		memcpy(a->bytes, f[i].p, f[i].len < sizeof a->bytes ? f[i].len : sizeof a->bytes);
		memset(f[i].p, 0xee, f[i].cap);
	}
}

static struct mrg_sim_limits limits_of_tests(void)
{
	struct mrg_sim_limits l = mrg_sim_usual;
	l.frame_len = 8u << 20;
	return l;
}

/* `count` hosts on one wire. */
static void start(const struct mrg_sim_options *options, size_t count, uint64_t seed)
{
	const struct mrg_sim_limits limits = limits_of_tests();
	const size_t memory = mrg_sim_memory(&limits);
	ck_assert_int_eq(mrg_unix_arena_open(&arena, memory, memory), 0);
	got_count = burst_max = 0;
	sim = mrg_sim_open(&arena, &limits, seed);
	ck_assert_ptr_nonnull(sim);
	wire = mrg_sim_wire_add(sim, options);
	for (size_t i = 0; i < count; i++) {
		host[i] = mrg_sim_host_add(sim, i * 1000u);
		port[i] = mrg_sim_port_add(wire, host[i]);
		ck_assert_ptr_nonnull(port[i]);
		port[i]->user = (struct mrg_link_user){ .ctx = &port[i], .frames = note };
	}
}

static void stop(void) { mrg_unix_arena_close(&arena); }

/* A frame of `len` bytes from one port to another, or to all. */
static enum mrg_io give(size_t from, size_t to, uint8_t tag, size_t len, const struct mrg_frame_work *work)
{
	static uint8_t bytes[70000];
	memset(bytes, 0x13, sizeof bytes);
	if (to < PORTS)
		memcpy(bytes, port[to]->address, 6);
	else
		memset(bytes, 0xff, 6);
	memcpy(bytes + 6, port[from]->address, 6);
	bytes[12] = tag;
	const struct mrg_span parts[2] = { { bytes, 13 }, { bytes + 13, len - 13u } };
	return mrg_link_send(port[from], parts, 2, work);
}

enum { ALL = PORTS };

static void run(uint64_t until_ns) { ck_assert(mrg_sim_run(sim, until_ns)); }

/* ---- frames ---- */

START_TEST(a_frame_arrives_when_it_is_due)
{
	start(&(struct mrg_sim_options){ .way = { .delay_ns = 500, .rate_bps = 8000000000 } }, 2, 1);
	ck_assert_uint_eq(mrg_sim_next(sim), MRG_RT_NEVER);
	ck_assert_int_eq(give(0, 1, 7, LEN, NULL), MRG_IO_OK);
	ck_assert_uint_eq(mrg_sim_next(sim), 600);
	run(599);
	ck_assert_uint_eq(got_count, 0);
	ck_assert_uint_eq(mrg_sim_now(sim), 599);
	run(600);
	ck_assert_uint_eq(got_count, 1);
	ck_assert_uint_eq(got[0].at, 1);
	ck_assert_uint_eq(got[0].now_ns, 1600);
	ck_assert_uint_eq(got[0].len, LEN);
	ck_assert_uint_eq(got[0].tag, 7);
	ck_assert(!got[0].work.sum_ok);
	run(5000);
	ck_assert_uint_eq(mrg_sim_now(sim), 5000);
	ck_assert_uint_eq(host[1]->now_ns, 6000);
	run(4000); /* never back */
	ck_assert_uint_eq(mrg_sim_now(sim), 5000);
	stop();
}
END_TEST

START_TEST(those_of_one_time_come_in_order_and_together)
{
	start(&(struct mrg_sim_options){ .way = { .delay_ns = 500 } }, 2, 1);
	for (unsigned i = 0; i < 100; i++)
		ck_assert_int_eq(give(0, 1, (uint8_t)i, LEN, NULL), MRG_IO_OK);
	run(500);
	ck_assert_uint_eq(got_count, 100);
	ck_assert_uint_eq(burst_max, 64);
	for (size_t i = 0; i < 100; i++)
		ck_assert_uint_eq(got[i].tag, i);
	stop();
}
END_TEST

START_TEST(all_others_on_the_wire_get_it)
{
	start(&(struct mrg_sim_options){ .way = { .delay_ns = 1 } }, 4, 1);
	ck_assert_int_eq(give(2, ALL, 1, LEN, NULL), MRG_IO_OK);
	ck_assert_int_eq(give(2, 0, 2, LEN, NULL), MRG_IO_OK);
	run(10);
	ck_assert_uint_eq(got_count, 4);
	ck_assert_uint_eq(got[0].at, 0);
	ck_assert_uint_eq(got[1].at, 1);
	ck_assert_uint_eq(got[2].at, 3);
	ck_assert_uint_eq(got[3].at, 0);
	ck_assert_uint_eq(got[3].tag, 2);
	ck_assert_uint_eq(mrg_sim_wire_counts(wire).foreign, 2);
	ck_assert_uint_eq(mrg_sim_wire_counts(wire).arrived, 4);
	mrg_sim_wire_options(wire)->promiscuous = true;
	ck_assert_int_eq(give(2, 0, 3, LEN, NULL), MRG_IO_OK);
	run(20);
	ck_assert_uint_eq(got_count, 7);
	stop();
}
END_TEST

START_TEST(lengths_have_limits)
{
	start(&(struct mrg_sim_options){ .mtu = 1000 }, 2, 1);
	ck_assert_uint_eq(port[0]->mtu, 1000);
	ck_assert_int_eq(give(0, 1, 0, 1014, NULL), MRG_IO_OK);
	ck_assert_int_eq(give(0, 1, 0, 1015, NULL), MRG_IO_AGAIN);
	ck_assert_int_eq(give(0, 1, 0, 13, NULL), MRG_IO_AGAIN);
	/* it cuts none */
	ck_assert_int_eq(
		give(0, 1, 0, 500, &(struct mrg_frame_work){ .cut = MRG_FRAME_TCP4, .segment_len = 100 }),
		MRG_IO_AGAIN);
	run(1);
	ck_assert_uint_eq(got_count, 1);
	ck_assert_uint_eq(mrg_sim_wire_counts(wire).too_long, 3);
	ck_assert_uint_eq(mrg_sim_wire_counts(wire).sent, 4);
	stop();
}
END_TEST

/* ---- what links do themselves ---- */

static uint16_t sum_of(const uint8_t *p, size_t len) { return mrg_inet16_end(mrg_inet16_add(0, p, len, 0)); }

START_TEST(checksums_are_completed)
{
	const struct mrg_frame_work work = { .sum_from = 14, .sum_at = 20 };
	start(&(struct mrg_sim_options){ .sums = true, .way = { .delay_ns = 1 } }, 2, 1);
	ck_assert(port[0]->sums);
	ck_assert_int_eq(give(0, 1, 0, LEN, &work), MRG_IO_OK);
	run(1);
	ck_assert_uint_eq(got_count, 1);
	ck_assert(got[0].work.sum_ok);
	/* with the sum of the pseudo-header, which was there, all makes zero; so without it, it is its complement */
	ck_assert_uint_eq(sum_of(got[0].bytes + 14, LEN - 14), 0x1313);
	/* what was altered is for whoever gets it to check */
	mrg_sim_wire_options(wire)->way.corrupt_ppm = MRG_RANDOM_MILLION;
	mrg_sim_wire_options(wire)->promiscuous = true;
	ck_assert_int_eq(give(0, ALL, 0, LEN, &work), MRG_IO_OK);
	run(2);
	ck_assert_uint_eq(got_count, 2);
	ck_assert(!got[1].work.sum_ok);
	stop();
}
END_TEST

START_TEST(sums_that_are_out_of_the_frame_are_left)
{
	start(&(struct mrg_sim_options){ .sums = true, .way = { .delay_ns = 1 } }, 2, 1);
	ck_assert_int_eq(
		give(0, 1, 0, LEN, &(struct mrg_frame_work){ .sum_from = 14, .sum_at = LEN - 1 }), MRG_IO_OK);
	ck_assert_int_eq(
		give(0, 1, 0, LEN, &(struct mrg_frame_work){ .sum_from = 500, .sum_at = 20 }), MRG_IO_OK);
	run(1);
	ck_assert_uint_eq(got_count, 2);
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 13; k < LEN; k++)
			ck_assert_uint_eq(got[i].bytes[k], 0x13);
	stop();
}
END_TEST

START_TEST(long_frames_arrive_as_joined_segments)
{
	struct mrg_frame_work work = { .cut = MRG_FRAME_TCP6, .segment_len = 1400, .header_len = 86 };
	start(&(struct mrg_sim_options){ .sums = true, .cut_max = 65549 }, 2, 1);
	ck_assert_int_eq(give(0, 1, 5, 65549, &work), MRG_IO_OK);
	ck_assert_int_eq(give(0, 1, 5, 65550, &work), MRG_IO_AGAIN);
	work.segment_len = 1429; /* a segment would be longer than the link takes */
	ck_assert_int_eq(give(0, 1, 5, 65549, &work), MRG_IO_AGAIN);
	work.segment_len = 0;
	ck_assert_int_eq(give(0, 1, 5, 65549, &work), MRG_IO_AGAIN);
	run(1);
	ck_assert_uint_eq(got_count, 1);
	ck_assert_uint_eq(got[0].len, 65549);
	ck_assert_uint_eq(got[0].work.cut, MRG_FRAME_TCP6);
	ck_assert_uint_eq(got[0].work.segment_len, 1400);
	stop();
}
END_TEST

/* ---- faults ---- */

START_TEST(single_frames_meet_their_fate)
{
	static const struct mrg_sim_fault list[] = { { 1, { .drop = true } }, { 3, { .twice = true } },
		{ 4, { .late_ns = 50 } } };
	struct mrg_sim_faults faults = { 3, list };
	static const uint8_t order[] = { 0, 2, 3, 3, 5, 4 };
	start(
		&(struct mrg_sim_options){
			.fault = mrg_sim_nth, .fault_ctx = &faults, .way = { .delay_ns = 9 } },
		2, 1);
	for (uint8_t i = 0; i < 6; i++) {
		ck_assert_int_eq(give(0, 1, i, LEN, NULL), MRG_IO_OK);
		run(mrg_sim_now(sim) + 10);
	}
	run(1000);
	ck_assert_uint_eq(got_count, sizeof order);
	for (size_t i = 0; i < sizeof order; i++)
		ck_assert_uint_eq(got[i].tag, order[i]);
	const struct mrg_sim_counts c = mrg_sim_wire_counts(wire);
	ck_assert_uint_eq(c.dropped, 1);
	ck_assert_uint_eq(c.doubled, 1);
	ck_assert_uint_eq(c.delayed, 1);
	stop();
}
END_TEST

START_TEST(too_many_on_their_way_are_refused)
{
	struct mrg_sim_limits limits = limits_of_tests();
	limits.frame_count = 3;
	ck_assert_int_eq(mrg_unix_arena_open(&arena, 64u << 20, 64u << 20), 0);
	sim = mrg_sim_open(&arena, &limits, 1);
	wire = mrg_sim_wire_add(sim, &(struct mrg_sim_options){ .way = { .delay_ns = 5 } });
	got_count = 0;
	for (size_t i = 0; i < 2; i++) {
		host[i] = mrg_sim_host_add(sim, 0);
		port[i] = mrg_sim_port_add(wire, host[i]);
		port[i]->user = (struct mrg_link_user){ .ctx = &port[i], .frames = note };
	}
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 3; i++)
			ck_assert_int_eq(give(0, 1, 0, LEN, NULL), MRG_IO_OK);
		ck_assert_int_eq(give(0, 1, 0, LEN, NULL), MRG_IO_AGAIN);
		run(mrg_sim_now(sim) + 5);
	}
	ck_assert_uint_eq(got_count, 9);
	ck_assert_uint_eq(mrg_sim_wire_counts(wire).no_room, 3);
	stop();
}
END_TEST

START_TEST(there_is_room_for_so_many)
{
	const struct mrg_sim_limits limits = { .host_count = 1,
		.wire_count = 1,
		.port_count = 1,
		.frame_count = 1,
		.frame_max = 2000,
		.frame_len = 4096 };
	ck_assert_int_eq(mrg_unix_arena_open(&arena, 1u << 20, 1u << 20), 0);
	sim = mrg_sim_open(&arena, &limits, 1);
	ck_assert_ptr_nonnull(sim);
	ck_assert_uint_le(arena.len, mrg_sim_memory(&limits));
	host[0] = mrg_sim_host_add(sim, 0);
	ck_assert_ptr_nonnull(host[0]);
	ck_assert_ptr_null(mrg_sim_host_add(sim, 0));
	wire = mrg_sim_wire_add(sim, &(struct mrg_sim_options){ .mtu = 100 });
	ck_assert_ptr_nonnull(wire);
	ck_assert_ptr_null(mrg_sim_wire_add(sim, &(struct mrg_sim_options){ .mtu = 100 }));
	ck_assert_ptr_nonnull(mrg_sim_port_add(wire, host[0]));
	ck_assert_ptr_null(mrg_sim_port_add(wire, host[0]));
	stop();
	for (size_t cap = 0; cap < mrg_sim_memory(&limits); cap += 500) {
		static _Alignas(64) uint8_t room[1 << 16];
		struct mrg_arena small = { .p = room, .cap = cap };
		memset(room, 0, sizeof room);
		sim = mrg_sim_open(&small, &limits, 1);
		ck_assert(sim == NULL || cap + 600 > mrg_sim_memory(&limits));
	}
}
END_TEST

/* ---- timers ---- */

static char trace[64];
static size_t trace_len;

static void tick(struct mrg_rt_timer *t, uint64_t now_ns);

static struct ticker {
	struct mrg_rt_timer timer;
	size_t at;
	uint64_t every_ns;
} tickers[PORTS];

static void tick(struct mrg_rt_timer *t, uint64_t now_ns)
{
	struct ticker *const own = (struct ticker *)(void *)t;
	ck_assert_uint_eq(now_ns, host[own->at]->now_ns);
	if (trace_len < sizeof trace - 1)
		trace[trace_len++] = (char)('a' + own->at);
	trace[trace_len] = '\0';
	if (own->every_ns != 0)
		mrg_rt_timer_set(&host[own->at]->timers, t, now_ns + own->every_ns);
}

static void set(size_t at, uint64_t at_ns, uint64_t every_ns)
{
	tickers[at] = (struct ticker){ .timer = { .fire = tick }, .at = at, .every_ns = every_ns };
	mrg_rt_timer_set(&host[at]->timers, &tickers[at].timer, host[at]->now_ns + at_ns);
}

START_TEST(timers_of_hosts_run_in_order)
{
	start(&(struct mrg_sim_options){ .mtu = 0 }, 3, 1);
	trace_len = 0;
	set(0, 100, 0);
	set(1, 50, 100);
	set(2, 100, 0);
	ck_assert_uint_eq(mrg_sim_next(sim), 50);
	run(149);
	ck_assert_str_eq(trace, "bac");
	run(350);
	ck_assert_str_eq(trace, "bacbbb");
	ck_assert_uint_eq(mrg_sim_now(sim), 350);
	stop();
}
END_TEST

static void note_and_trace(void *ctx, struct mrg_frame *f, size_t count, uint64_t now_ns)
{
	note(ctx, f, count, now_ns);
	trace[trace_len++] = 'F';
}

START_TEST(frames_come_before_timers_of_their_time)
{
	start(&(struct mrg_sim_options){ .way = { .delay_ns = 100 } }, 2, 1);
	port[1]->user.frames = note_and_trace;
	trace_len = 0;
	set(0, 100, 0);
	give(0, 1, 0, LEN, NULL);
	run(100);
	trace[trace_len] = '\0';
	ck_assert_str_eq(trace, "Fa");
	stop();
}
END_TEST

static uint64_t digest;

static void answer(void *ctx, struct mrg_frame *f, size_t count, uint64_t now_ns)
{
	struct mrg_link *const l = *(struct mrg_link **)ctx;
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < f[i].len; k++)
			digest = (digest ^ f[i].p[k]) * UINT64_C(0x100000001b3);
		digest = (digest ^ now_ns) * UINT64_C(0x100000001b3);
		if (f[i].len < 14)
			continue;
		memset(f[i].p, 0xff, 6);
		const struct mrg_span part = { f[i].p, f[i].len };
		(void)mrg_link_send(l, &part, 1, NULL);
	}
}

START_TEST(time_that_stands_still_is_noticed)
{
	start(&(struct mrg_sim_options){ .mtu = 0 }, 2, 1);
	for (size_t i = 0; i < 2; i++)
		port[i]->user.frames = answer;
	give(0, 1, 0, 20, NULL);
	ck_assert(!mrg_sim_run(sim, 100));
	ck_assert_uint_eq(mrg_sim_now(sim), 0);
	stop();
}
END_TEST

/* ---- the same again ---- */

/* Two hosts that answer whatever comes, on a link with every evil. */
static uint64_t digest_of(uint64_t seed)
{
	const struct mrg_sim_options all = { .way = { .loss_ppm = 10000,
						     .burst_begin_ppm = 1000,
						     .burst_end_ppm = 200000,
						     .duplicate_ppm = 20000,
						     .reorder_ppm = 50000,
						     .reorder_ns = 3000000,
						     .corrupt_ppm = 10000,
						     .truncate_ppm = 2000,
						     .truncate_least = 20,
						     .delay_ns = 1000000,
						     .jitter_ns = 400000,
						     .rate_bps = 100000000,
						     .queue_len = 4000 } };
	digest = UINT64_C(0xcbf29ce484222325);
	start(&all, 2, seed);
	for (size_t i = 0; i < 2; i++)
		port[i]->user.frames = answer;
	for (uint8_t i = 0; i < 20; i++)
		give(0, 1, i, LEN + i, NULL);
	run(MRG_RT_SECOND_NS);
	ck_assert_uint_ge(mrg_sim_wire_counts(wire).arrived, 100);
	stop();
	return digest;
}

START_TEST(the_same_seed_is_the_same_run)
{
	const uint64_t first = digest_of(1);
	ck_assert_uint_eq(digest_of(1), first);
	ck_assert_uint_ne(digest_of(2), first);
	ck_assert_uint_eq(first, UINT64_C(16153418851878557734)); /* on any machine, in any version */
}
END_TEST

/* ---- captures ---- */

static uint8_t capture[1 << 16];

static size_t read_capture(const char *path)
{
	FILE *const f = fopen(path, "rb");
	ck_assert_ptr_nonnull(f);
	const size_t len = fread(capture, 1, sizeof capture, f);
	(void)fclose(f);
	return len;
}

START_TEST(captures_have_what_was_seen)
{
	char sent_path[] = "/tmp/mrg-sim-XXXXXX", arrived_path[] = "/tmp/mrg-sim-XXXXXX";
	static const struct mrg_sim_fault list[] = { { 1, { .drop = true } } };
	struct mrg_sim_faults faults = { 1, list };
	for (unsigned arrivals = 0; arrivals < 2; arrivals++) {
		char *const path = arrivals != 0 ? arrived_path : sent_path;
		struct mrg_sim_pcap pcap;
		struct mrg_pcap_file_header header;
		struct mrg_pcap_record record;
		(void)close(mkstemp(path));
		ck_assert_int_eq(mrg_sim_pcap_open(&pcap, path), 0);
		pcap.arrivals = arrivals != 0;
		start(&(struct mrg_sim_options){ .way = { .delay_ns = 3 * MRG_RT_SECOND_NS + 5 },
			      .sums = true,
			      .see = mrg_sim_pcap_see,
			      .see_ctx = &pcap,
			      .fault = mrg_sim_nth,
			      .fault_ctx = &faults },
			3, 1);
		for (uint8_t i = 0; i < 3; i++)
			give(0, ALL, i, LEN + i, &(struct mrg_frame_work){ .sum_from = 14, .sum_at = 20 });
		run(5 * MRG_RT_SECOND_NS);
		ck_assert_uint_eq(got_count, 4);
		ck_assert(mrg_sim_pcap_close(&pcap));
		struct mrg_span left = { capture, read_capture(path) };
		ck_assert_int_eq(mrg_pcap_file_header_check(left, &header, NULL), MRG_OK);
		ck_assert(mrg_pcap_file_header_nanoseconds(&header));
		ck_assert_uint_eq(mrg_pcap_file_header_link_type(&header), 1);
		left = (struct mrg_span){ left.p + header.len, left.len - header.len };
		for (size_t i = 0; i < 3; i++) {
			if (arrivals != 0 && i == 1)
				continue;
			ck_assert_int_eq(mrg_pcap_record_check(left, 0, &record, NULL), MRG_OK);
			const struct mrg_span data = mrg_pcap_record_packet_data(&record);
			ck_assert_uint_eq(data.len, LEN + i);
			ck_assert_uint_eq(data.p[12], i);
			ck_assert_uint_ne(mrg_be16(data.p + 20), 0x1313); /* its checksum is complete */
			ck_assert_uint_eq(mrg_pcap_record_original_length(&record), LEN + i);
			ck_assert_uint_eq(mrg_pcap_record_seconds(&record), arrivals != 0 ? 3 : 0);
			ck_assert_uint_eq(mrg_pcap_record_fraction(&record), arrivals != 0 ? 5 : 0);
			left = (struct mrg_span){ left.p + record.len, left.len - record.len };
		}
		ck_assert_uint_eq(left.len, 0);
		(void)unlink(path);
		stop();
	}
}
END_TEST

START_TEST(captures_that_fail_say_so)
{
	struct mrg_sim_pcap pcap;
	ck_assert_int_eq(mrg_sim_pcap_open(&pcap, "/nonexistent/file"), ENOENT);
	ck_assert_int_eq(mrg_sim_pcap_open(&pcap, "/dev/full"), 0);
	start(&(struct mrg_sim_options){ .see = mrg_sim_pcap_see, .see_ctx = &pcap }, 2, 1);
	for (unsigned i = 0; i < 100; i++)
		give(0, 1, 0, 1500, NULL);
	run(1);
	ck_assert_uint_eq(got_count, 100);
	ck_assert(!mrg_sim_pcap_close(&pcap));
	stop();
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("runtime/sim");
	TCase *const t = tcase_create("sim");
	tcase_add_test(t, a_frame_arrives_when_it_is_due);
	tcase_add_test(t, those_of_one_time_come_in_order_and_together);
	tcase_add_test(t, all_others_on_the_wire_get_it);
	tcase_add_test(t, lengths_have_limits);
	tcase_add_test(t, checksums_are_completed);
	tcase_add_test(t, sums_that_are_out_of_the_frame_are_left);
	tcase_add_test(t, long_frames_arrive_as_joined_segments);
	tcase_add_test(t, single_frames_meet_their_fate);
	tcase_add_test(t, too_many_on_their_way_are_refused);
	tcase_add_test(t, there_is_room_for_so_many);
	tcase_add_test(t, timers_of_hosts_run_in_order);
	tcase_add_test(t, frames_come_before_timers_of_their_time);
	tcase_add_test(t, time_that_stands_still_is_noticed);
	tcase_add_test(t, the_same_seed_is_the_same_run);
	tcase_add_test(t, captures_have_what_was_seen);
	tcase_add_test(t, captures_that_fail_say_so);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
