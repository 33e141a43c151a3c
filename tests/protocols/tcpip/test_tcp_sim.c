/*
 * Connections of TCP between two hosts of the simulator: whatever the network does to frames, bytes arrive as they were sent, both ends
 * close, and all memory comes back.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/protocols/tcpip/pair.h"

#define LONG (3000u * SECOND)

static const struct mrg_sim_options good = { .way = { .delay_ns = MS } };

/* ---- without faults ---- */

static unsigned timed_out; /* SYNs that were lost too often */

static void transfer(const struct mrg_sim_options *o, uint64_t seed, unsigned version, uint64_t there,
	uint64_t back, uint64_t within_ns)
{
	struct attempt a = { .failed = false };
	struct pair *const k = pair_begin(o, seed, version);
	k->pattern = (struct side){ .seed = 3, .size = back };
	pair_connect(k, &a, 2, there);
	MUST_SAY(pair_run_until(k, within_ns, pair_both_over, &a), "seed %lu: not over: %lu there, %lu back",
		(unsigned long)seed, (unsigned long)k->served[0].got, (unsigned long)a.side.got);
	timed_out += a.failed && a.why == MRG_NET_WHY_TIMED_OUT;
	if (!a.failed || a.why != MRG_NET_WHY_TIMED_OUT)
		pair_must_be_done(k, &a, 0);
	MUST(pair_run_until(k, LONG, pair_quiet, &a));
	pair_must_be_empty(k);
}

START_TEST(all_sizes)
{
	static const uint32_t sizes[] = { 0, 1, 2, 535, 536, 1447, 1448, 1449, 2896, 4096, 65535, 65536,
		100000, 1000000 };
	for (unsigned version = 4; version <= 6; version += 2)
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
			for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j += 3) {
				pair_reset();
				transfer(&good, i * 100u + j, version, sizes[i], sizes[j], 60u * SECOND);
			}
}
END_TEST

START_TEST(links_that_sum_and_cut)
{
	struct mrg_sim_options o = good;
	o.sums = true;
	o.cut_max = 65535;
	for (unsigned version = 4; version <= 6; version += 2) {
		pair_reset();
		transfer(&o, 1, version, 5000000, 3000000, 60u * SECOND);
	}
}
END_TEST

/* ---- faults of single frames ---- */

/* What happens to the frames with these numbers. */
static void with_faults(
	const struct mrg_sim_fault *list, size_t count, uint64_t seed, uint64_t there, uint64_t back)
{
	struct mrg_sim_faults faults = { .count = count, .list = list };
	struct mrg_sim_options o = good;
	pair_reset();
	o.fault = mrg_sim_nth;
	o.fault_ctx = &faults;
	transfer(&o, seed, 4, there, back, 300u * SECOND);
}

enum { FRAMES = 90 }; /* more than such a transfer has, with those that are sent again */

START_TEST(each_frame_dropped_doubled_delayed)
{
	static const struct mrg_sim_fate fates[] = { { .drop = true }, { .twice = true },
		{ .late_ns = 5 * MS }, { .late_ns = 900 * MS }, { .late_ns = 3000 * MS },
		{ .twice = true, .late_ns = 40 * MS } };
	for (size_t f = 0; f < sizeof fates / sizeof *fates; f++)
		for (uint64_t i = 0; i < FRAMES; i++) {
			const struct mrg_sim_fault one = { .index = i, .fate = fates[f] };
			with_faults(&one, 1, 5, 30000, 20000);
		}
}
END_TEST

START_TEST(each_pair_of_frames_dropped)
{
	for (uint64_t i = 0; i < 30; i++)
		for (uint64_t j = i + 1u; j < 30; j++) {
			const struct mrg_sim_fault two[2] = { { .index = i, .fate = { .drop = true } },
				{ .index = j, .fate = { .drop = true } } };
			with_faults(two, 2, 6, 4000, 3000);
		}
}
END_TEST

/* ---- chance ---- */

static struct mrg_sim_options bad_by_chance(void)
{
	struct mrg_impair_options w = { .delay_ns = any(30) * MS, .jitter_ns = any(4) * MS };
	const unsigned what = any(1u << 7);
	w.loss_ppm = what & 1u ? any(100000) : 0;
	w.duplicate_ppm = what & 2u ? any(100000) : 0;
	w.reorder_ppm = what & 4u ? any(200000) : 0;
	w.reorder_ns = any(20) * MS;
	w.corrupt_ppm = what & 8u ? any(20000) : 0;
	w.truncate_ppm = what & 16u ? any(20000) : 0;
	if (what & 32u) {
		w.burst_begin_ppm = any(5000);
		w.burst_end_ppm = 200000;
	}
	if (what & 64u) {
		w.rate_bps = 1000000u + any(50000000);
		w.queue_len = 20000u + any(100000);
	}
	return (struct mrg_sim_options){ .way = w,
		.mtu = (uint16_t)(any(4) == 0 ? 1280u + any(221) : 1500u) };
}

static void random_runs(uint64_t first, unsigned count)
{
	for (uint64_t seed = first; seed < first + count; seed++) {
		any_begin(seed);
		const struct mrg_sim_options o = bad_by_chance();
		const uint64_t there = any(any(4) == 0 ? 300000 : 20000),
			       back = any(any(4) == 0 ? 100000 : 10000);
		pair_reset();
		pair_limits.receive_max = 1u << (12 + any(7));
		pair_limits.send_max = 1u << (12 + any(7));
		pair_limits.reno = any(3) == 0;
		pair_limits.nagle = any(3) == 0;
		transfer(&o, seed, any(2) == 0 ? 4 : 6, there, back, LONG);
	}
}

START_TEST(random_faults)
{
	random_runs((uint64_t)_i * 1000u, 1000);
	MUST_SAY(timed_out < 10, "%u of 1000 were not opened", timed_out);
}
END_TEST

/* ---- links that are cut for a while ---- */

enum { CLIENTS = PAIR_HOSTS_MAX - 1, EACH = 2, CUTS = 6 };

/* From when until when a host neither sends nor hears. */
struct cuts {
	const struct pair *pair;
	struct {
		int host;
		uint64_t from_ns, to_ns;
	} cut[CUTS];
};

static void cut_off(void *ctx, const struct mrg_sim_seen *f, struct mrg_sim_fate *fate)
{
	const struct cuts *const c = ctx;
	for (unsigned i = 0; c->pair != NULL && i < CUTS; i++) {
		const struct mrg_link *const link = c->pair->link[c->cut[i].host];
		const bool now = f->now_ns >= c->cut[i].from_ns && f->now_ns < c->cut[i].to_ns;
		const bool to = memcmp(f->bytes.p, link->address, sizeof link->address) == 0;
		fate->drop = fate->drop || (now && (to || f->from == link));
	}
}

static struct attempt over_cuts[CLIENTS * EACH];

static bool all_ended(const struct pair *k, const struct attempt *a)
{
	(void)a;
	for (unsigned i = 0; i < CLIENTS * EACH; i++)
		if (!over_cuts[i].failed && !over_cuts[i].side.closed)
			return false;
	for (size_t i = 0; i < k->served_count; i++)
		if (!k->served[i].closed)
			return false;
	return true;
}

/* It has all that was sent to it, or was told that it will not get it; and nothing else in between. */
static void whole_or_told(const struct side *s, uint64_t size, unsigned *told)
{
	MUST(!s->wrong && s->got <= size);
	MUST_SAY(s->reset || (s->eof && s->got == size), "got %lu of %lu and was told nothing",
		(unsigned long)s->got, (unsigned long)size);
	*told += s->reset;
}

/* Connections of several hosts with one, while each is cut off at times.   Returns: ends that were told of a timeout. */
static unsigned run_over_cuts(uint64_t seed)
{
	struct cuts cuts = { .pair = NULL };
	unsigned told = 0;
	any_begin(seed);
	struct mrg_sim_options o = bad_by_chance();
	o.fault = cut_off;
	o.fault_ctx = &cuts;
	pair_reset();
	pair_hosts = PAIR_HOSTS_MAX;
	pair_limits.give_up_s = 20 + any(100);
	pair_limits.keepalive_s = 60;
	struct pair *const k = pair_begin(&o, seed, any(2) == 0 ? 4 : 6);
	for (unsigned i = 0; i < CUTS; i++) {
		cuts.cut[i].host = (int)any(PAIR_HOSTS_MAX);
		cuts.cut[i].from_ns = mrg_sim_now(k->sim) + any(300) * MS;
		cuts.cut[i].to_ns = cuts.cut[i].from_ns + (any(4) == 0 ? any(200) * SECOND : any(3000) * MS);
	}
	cuts.pair = k;
	const uint64_t back = any(100000), there = any(100000);
	k->pattern = (struct side){ .seed = 3, .size = back };
	for (unsigned i = 0; i < CLIENTS * EACH; i++) {
		over_cuts[i] = (struct attempt){ .failed = false };
		pair_connect_from(k, (int)(i / EACH == 0 ? 0 : i / EACH + 1u), &over_cuts[i], 2, there);
	}
	MUST_SAY(pair_run_until(k, LONG, all_ended, NULL), "seed %lu: not over", (unsigned long)seed);
	for (unsigned i = 0; i < CLIENTS * EACH; i++) {
		MUST(!over_cuts[i].failed || over_cuts[i].why == MRG_NET_WHY_TIMED_OUT);
		if (over_cuts[i].failed)
			told++;
		else
			whole_or_told(&over_cuts[i].side, back, &told);
	}
	for (size_t i = 0; i < k->served_count; i++)
		whole_or_told(&k->served[i], there, &told);
	MUST(pair_run_until(k, LONG, pair_quiet, NULL));
	pair_must_be_empty(k);
	return told;
}

START_TEST(hosts_cut_off)
{
	unsigned told = 0;
	for (uint64_t seed = 1; seed <= 300; seed++)
		told += run_over_cuts((uint64_t)_i * 300u + seed);
	/* most live through it, and some do not */
	MUST_SAY(told > 10 && told < 300u * CLIENTS * EACH, "%u", told);
}
END_TEST

/* ---- speed ---- */

enum { RUNS = 60 };

/* Milliseconds of RUNS transfers of so much at once in both directions, from when each is open until its bytes are there. */
static uint64_t lossy_runs(const struct mrg_impair_options *way, uint64_t size)
{
	uint64_t sum_ns = 0;
	for (uint64_t seed = 1; seed <= RUNS; seed++) {
		struct attempt a = { .failed = false };
		const struct mrg_sim_options o = { .way = *way };
		pair_reset();
		struct pair *const k = pair_begin(&o, seed, 4);
		k->pattern = (struct side){ .seed = 3, .size = size };
		pair_connect(k, &a, 2, size);
		MUST(pair_run_until(k, LONG, pair_both_over, &a));
		pair_must_be_done(k, &a, 0);
		sum_ns += a.side.closed_ns - a.side.opened_ns;
	}
	return sum_ns / MS;
}

/* It takes one second in all; without probes in recovery it was seven. */
START_TEST(heavy_loss_in_time)
{
	const uint64_t ms =
		lossy_runs(&(struct mrg_impair_options){ .loss_ppm = 100000, .delay_ns = MS / 10 }, 250000);
	MUST_SAY(ms < 2500, "%lu ms", (unsigned long)ms);
}
END_TEST

/* ...a ninth of a second, and was eight tenths. */
START_TEST(bursts_in_time)
{
	const uint64_t ms = lossy_runs(
		&(struct mrg_impair_options){
			.burst_begin_ppm = 5000, .burst_end_ppm = 200000, .delay_ns = MS / 10 },
		250000);
	MUST_SAY(ms < 350, "%lu ms", (unsigned long)ms);
}
END_TEST

/* What is only late: four seconds, and was seven when nothing was undone. */
START_TEST(reordering_in_time)
{
	const struct mrg_impair_options way = {
		.reorder_ppm = 30000, .reorder_ns = 5 * MS, .delay_ns = 2 * MS, .jitter_ns = MS
	};
	const uint64_t ms = lossy_runs(&way, 500000);
	MUST_SAY(ms < 5500, "%lu ms", (unsigned long)ms);
}
END_TEST

int main(int argc, char **argv)
{
	if (argc > 1) { /* a seed that failed */
		const uint64_t seed = strtoull(argv[1], NULL, 10);
		random_runs(seed, 1);
		return 0;
	}
	Suite *const suite = suite_create("protocols/tcpip/tcp in the simulator");
	TCase *const t = tcase_create("sim");
	tcase_set_timeout(t, 600);
	tcase_add_test(t, all_sizes);
	tcase_add_test(t, links_that_sum_and_cut);
	tcase_add_test(t, each_frame_dropped_doubled_delayed);
	tcase_add_test(t, each_pair_of_frames_dropped);
	tcase_add_loop_test(t, random_faults, 0, 10);
	tcase_add_loop_test(t, hosts_cut_off, 0, 4);
	tcase_add_test(t, heavy_loss_in_time);
	tcase_add_test(t, bursts_in_time);
	tcase_add_test(t, reordering_in_time);
	suite_add_tcase(suite, t);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner), run = srunner_ntests_run(runner);
	srunner_free(runner);
	printf("%d passed, %d failed\n", run - failed, failed);
	return failed != 0;
}
