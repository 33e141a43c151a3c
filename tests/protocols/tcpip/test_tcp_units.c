/*
 * The units of TCP that know no connections: sequence numbers, rings, ranges, pieces, the wheel, congestion control. Each is held
 * against something naive.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/tcpip/tcp_cc.h"
#include "protocols/tcpip/tcp_pieces.h"
#include "protocols/tcpip/tcp_ring.h"
#include "protocols/tcpip/tcp_wheel.h"
#include "tests/protocols/http/guard.h"

/* ---- sequence numbers ---- */

START_TEST(numbers_wrap)
{
	static const uint32_t at[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff };
	for (size_t i = 0; i < sizeof at / sizeof *at; i++)
		for (uint32_t far = 0; far < 0x7fffffff; far = far * 3u + 1u) {
			MUST(seq_le(at[i], at[i] + far));
			MUST(seq_lt(at[i], at[i] + far) == (far != 0));
			MUST(far == 0 || !seq_le(at[i] + far, at[i]));
			MUST(seq_max(at[i], at[i] + far) == at[i] + far &&
				seq_min(at[i] + far, at[i]) == at[i]);
		}
}
END_TEST

/* RFC 9293 section 3.10.7.4: a segment is acceptable if any of its numbers is in the window. */
START_TEST(acceptable_as_counted)
{
	for (uint32_t next = 0xfffffff8u; next != 8u; next++)
		for (uint32_t window = 0; window < 5; window++)
			for (uint32_t from = 0; from < 16; from++)
				for (uint32_t len = 0; len < 8; len++) {
					const uint32_t seq = next - 8u + from;
					bool want =
						len == 0 && (window == 0 ? seq == next : seq - next < window);
					for (uint32_t i = 0; i < len; i++)
						want = want || seq + i - next < window;
					MUST_SAY(seq_acceptable(seq, len, next, window) == want,
						"%u %u %u %u", seq, len, next, window);
				}
}
END_TEST

/* ---- rings ---- */

enum { RING_MAX = 8192 };

START_TEST(ring_against_a_string)
{
	static uint8_t memory[1 << 20], want[RING_MAX];
	struct mrg_arena arena = { memory, 0, sizeof memory };
	struct mrg_rt_blocks blocks;
	MUST(mrg_rt_blocks_init(&blocks, &arena, 16 * RING_MAX, RING_MAX));
	struct tcp_ring *r = NULL;
	uint32_t len = 0;
	uint8_t next = 0;
	any_begin(1);
	for (int i = 0; i < 100000; i++) {
		if (any(2) == 0) {
			uint8_t some[700];
			const uint32_t n = any(sizeof some);
			if (len + n > ring_most(RING_MAX)) {
				MUST(!ring_room(&r, &blocks, len + n, RING_MAX));
				continue;
			}
			for (uint32_t k = 0; k < n; k++)
				want[len + k] = some[k] = next++;
			MUST(ring_room(&r, &blocks, len + n, RING_MAX));
			ring_put(r, len, (struct mrg_span){ some, n });
			ring_grow(r, n);
			len += n;
		} else {
			const uint32_t n = any(any(2) == 0 ? 700 : len + 1u) % (len + 1u);
			if (r != NULL)
				ring_drop(r, n);
			memmove(want, want + n, len - n);
			len -= n;
		}
		MUST(ring_len(r) == len);
		if (len == 0) {
			ring_free(&r, &blocks);
			continue;
		}
		const uint32_t at = any(len), some = any(len - at + 1u);
		struct mrg_span part[2];
		const size_t parts = ring_parts(r, at, some, part);
		uint32_t seen = 0;
		for (size_t k = 0; k < parts; k++) {
			MUST(part[k].len != 0 && memcmp(part[k].p, want + at + seen, part[k].len) == 0);
			seen += (uint32_t)part[k].len;
		}
		MUST(seen == some);
	}
	ring_free(&r, &blocks);
	MUST(mrg_rt_blocks_get(&blocks, RING_MAX) != NULL);
}
END_TEST

/* What was put behind what counts stays where it is when the ring becomes larger, and when its front is dropped. */
START_TEST(ring_keeps_what_is_ahead)
{
	static uint8_t memory[1 << 18];
	struct mrg_arena arena = { memory, 0, sizeof memory };
	struct mrg_rt_blocks blocks;
	MUST(mrg_rt_blocks_init(&blocks, &arena, 8 * RING_MAX, RING_MAX));
	struct tcp_ring *r = NULL;
	MUST(ring_room(&r, &blocks, 900, RING_MAX));
	ring_put(r, 0, text_of("front"));
	ring_grow(r, 5);
	ring_put(r, 800, text_of("ahead"));
	MUST(ring_room(&r, &blocks, 5000, RING_MAX));
	ring_drop(r, 5);
	struct mrg_span part[2];
	MUST(ring_parts(r, 795, 5, part) == 1 && mrg_span_eq(part[0], text_of("ahead")));
}
END_TEST

/* ---- ranges ---- */

START_TEST(ranges_against_bits)
{
	enum { SPAN = 300 };
	any_begin(2);
	for (int round = 0; round < 300; round++) {
		struct tcp_ranges s = { .count = 0 };
		bool come[SPAN] = { false };
		const uint32_t base = any(2) == 0 ? 0xffffff80u : 1000u;
		uint32_t next = 0;
		for (int i = 0; i < 200; i++) {
			const uint32_t left = next + 1u + any(SPAN - next), right = left + 1u + any(10);
			if (right > SPAN)
				continue;
			if (ranges_add(&s, base + left, base + right))
				for (uint32_t k = left; k < right; k++)
					come[k] = true;
			else
				MUST(s.count == TCP_RANGES_MAX);
			/* in order, apart, and just what has come */
			uint32_t at = 0;
			for (unsigned k = 0; k < s.count; k++) {
				for (; at != s.r[k].left - base; at++)
					MUST(at < SPAN && !come[at]);
				for (; at != s.r[k].right - base; at++)
					MUST(at < SPAN && come[at]);
				MUST(at == SPAN || !come[at]);
			}
			for (; at < SPAN; at++)
				MUST(!come[at]);
			struct tcp_range told[4];
			const unsigned count = ranges_sack(&s, told, 4);
			MUST(count == (s.count < 4u ? s.count : 4u));
			for (unsigned k = 0; k < count; k++) {
				MUST(ranges_covers(&s, told[k].left, told[k].right));
				for (unsigned j = 0; j < k; j++)
					MUST(told[j].left != told[k].left);
			}
			if (any(20) == 0) {
				come[next] = true;
				const uint32_t now = ranges_take(&s, base + next + 1u) - base;
				while (next < SPAN && come[next])
					come[next++] = false;
				MUST(now == next);
				for (uint32_t k = 0; k < next; k++)
					come[k] = false;
				if (next >= SPAN - 20)
					break;
			}
		}
	}
}
END_TEST

/* RFC 2018 section 4: the block that has the segment which came last is the first. */
START_TEST(last_range_is_told_first)
{
	struct tcp_ranges s = { .count = 0 };
	struct tcp_range told[3];
	MUST(ranges_add(&s, 10, 20) && ranges_add(&s, 30, 40) && ranges_add(&s, 50, 60) &&
		ranges_add(&s, 70, 80));
	MUST(ranges_add(&s, 40, 45));
	MUST(ranges_sack(&s, told, 3) == 3 && told[0].left == 30 && told[0].right == 45);
	MUST(told[1].left == 70 && told[2].left == 50);
	MUST(ranges_take(&s, 30) == 45);
	MUST(ranges_sack(&s, told, 3) == 2 && told[0].left == 70 && told[1].left == 50);
}
END_TEST

START_TEST(holes_are_bounded)
{
	struct tcp_ranges s = { .count = 0 };
	unsigned taken = 0;
	for (uint32_t i = 0; i < 100000; i++)
		taken += ranges_add(&s, 2u * i + 1u, 2u * i + 2u);
	MUST(taken == TCP_RANGES_MAX && s.count == TCP_RANGES_MAX);
}
END_TEST

/* ---- the wheel ---- */

START_TEST(wheel_against_a_list)
{
	enum { COUNT = 200 };
	static struct tcp_wheel w;
	static struct tcp_wake wakes[COUNT];
	uint64_t due[COUNT], now = 12345;
	memset(&w, 0, sizeof w);
	memset(wakes, 0, sizeof wakes);
	w.now_ms = now;
	any_begin(3);
	for (int i = 0; i < COUNT; i++)
		due[i] = UINT64_MAX;
	for (int i = 0; i < 200000; i++) {
		const unsigned k = any(COUNT);
		switch (any(4)) {
		case 0:
			wheel_cancel(&w, &wakes[k]);
			due[k] = UINT64_MAX;
			break;
		case 1:
		case 2: {
			static const unsigned far[] = { 1, 3, 64, 100, 5000, 300000, 20000000, 2000000000 };
			const uint64_t at = now + any(far[any(8)] + 1u);
			wheel_set(&w, &wakes[k], at);
			due[k] = at > w.now_ms ? at : w.now_ms + 1u;
			break;
		}
		default: {
			uint64_t first = UINT64_MAX;
			for (int j = 0; j < COUNT; j++)
				first = due[j] < first ? due[j] : first;
			MUST(wheel_next(&w) <= first);
			now += any(50) == 0 ? any(100000000) : any(40);
			uint64_t last = 0;
			for (struct tcp_wake *e; (e = wheel_run(&w, now)) != NULL;) {
				const uint64_t at = due[e - wakes];
				MUST_SAY(at <= now && at >= last, "woken at %lu, due at %lu",
					(unsigned long)now, (unsigned long)at);
				last = at;
				due[e - wakes] = UINT64_MAX;
			}
			for (int j = 0; j < COUNT; j++)
				MUST_SAY(due[j] > now, "due at %lu, not woken at %lu", (unsigned long)due[j],
					(unsigned long)now);
		}
		}
	}
}
END_TEST

/* ---- pieces ---- */

enum { PIECES = 4096 };

static struct mrg_rt_pool piece_pool(void)
{
	static uint8_t memory[PIECES * 64];
	static struct mrg_arena arena;
	arena = (struct mrg_arena){ memory, 0, sizeof memory };
	struct mrg_rt_pool pool;
	mrg_rt_pool_init(&pool, &arena, sizeof(struct tcp_piece), PIECES);
	return pool;
}

/* Numbers by chance are sent, acknowledged, lost: what is counted is what a bit for each number says. */
START_TEST(pieces_against_bits)
{
	enum { SPAN = 2000 };
	any_begin(4);
	for (int round = 0; round < 100; round++) {
		struct mrg_rt_pool pool = piece_pool();
		struct tcp_pieces p = { .first = NULL };
		const uint32_t base = 0xfffffc00u;
		bool sacked[SPAN] = { false };
		uint32_t una = 0, nxt = 0, now = 1000;
		for (int i = 0; i < 300; i++) {
			struct tcp_news news = { 0 };
			now += any(3) * 500u;
			const unsigned what = any(4);
			if (what == 0 && nxt < SPAN - 30) {
				const uint32_t len = 1u + any(30);
				MUST(pieces_add(&p, &pool, base + nxt, base + nxt + len, now));
				nxt += len;
			} else if (what == 1 && una < nxt) {
				const uint32_t to = una + any(nxt - una + 1u);
				uint32_t fresh = 0;
				for (uint32_t k = una; k < to; k++)
					fresh += !sacked[k];
				pieces_ack(&p, &pool, base + to, now, &news);
				MUST(news.acked == to - una && news.delivered == fresh);
				una = to;
			} else if (what == 2 && una < nxt) {
				const uint32_t left = una + any(nxt - una),
					       right = left + 1u + any(nxt - left);
				uint32_t fresh = 0;
				for (uint32_t k = left; k < right && k < nxt; k++) {
					fresh += !sacked[k];
					sacked[k] = true;
				}
				pieces_sack(&p, &pool, base + left, base + (right < nxt ? right : nxt), now,
					&news);
				MUST(news.delivered == fresh && news.sacked == (fresh != 0));
			} else {
				(void)pieces_detect(&p, any(2) * 200u, now);
				struct tcp_piece *const e = pieces_lost(&p);
				if (e != NULL && any(2) == 0)
					(void)pieces_resend(&p, &pool, e, 1u + any(e->right - e->left), now);
			}
			uint32_t all = 0, lost = 0, at = una;
			for (const struct tcp_piece *e = p.first; e != NULL; e = e->next) {
				MUST(e->left == base + at && seq_lt(e->left, e->right) &&
					!(e->lost && e->sacked));
				for (; base + at != e->right; at++) {
					MUST(e->sacked == sacked[at]);
					all += e->sacked;
					lost += e->lost;
				}
			}
			MUST(at == nxt && p.sacked == all && p.lost == lost);
		}
		pieces_free(&p, &pool);
		MUST(p.count == 0);
	}
}
END_TEST

/* RFC 8985: what was sent well before something that has come is lost; what only may be is looked at later. */
START_TEST(loss_is_found_by_time)
{
	struct mrg_rt_pool pool = piece_pool();
	struct tcp_pieces p = { .first = NULL };
	struct tcp_news news = { 0 };
	for (uint32_t i = 0; i < 5; i++)
		MUST(pieces_add(&p, &pool, i * 100u, i * 100u + 100u, 1000u * i));
	pieces_sack(&p, &pool, 300, 400, 13000, &news);
	MUST(news.rtt_us == 10000);
	MUST(pieces_detect(&p, 1500, 13000) == 500 && p.lost == 200);
	MUST(pieces_detect(&p, 1500, 13500) == 0 && p.lost == 300);
	MUST(pieces_lost(&p) == p.first);
	/* the last was sent after what has come: nothing is known of it */
	MUST(!p.last->lost && !p.last->sacked);
}
END_TEST

/* Sent twice, and answered sooner than ever: it was the first one that came. */
START_TEST(answer_to_the_first_sending_is_no_measure)
{
	struct mrg_rt_pool pool = piece_pool();
	struct tcp_pieces p = { .first = NULL };
	struct tcp_news news = { 0 };
	MUST(pieces_add(&p, &pool, 0, 100, 0) && pieces_add(&p, &pool, 100, 200, 10));
	pieces_ack(&p, &pool, 100, 10000, &news);
	pieces_lose_all(&p);
	MUST(pieces_resend(&p, &pool, p.first, 100, 20000) == 100);
	news = (struct tcp_news){ 0 };
	pieces_ack(&p, &pool, 200, 20100, &news);
	MUST(news.rtt_us == 0 && news.again && p.rack.min_rtt_us == 10000 && p.rack.xmit_us == 0);
}
END_TEST

/* ---- congestion control ---- */

/* RFC 9438 section 4.2: after a loss it is back at w_max after K = cbrt(w_max (1 - beta) / C) seconds, slowly around it. */
START_TEST(cubic_returns_in_time)
{
	const uint32_t mss = 1000;
	struct tcp_cc c;
	cc_begin(&c, TCP_CC_CUBIC, mss);
	MUST(c.cwnd == 10 * mss);
	c.cwnd = 1000 * mss;
	cc_loss(&c, mss);
	MUST(c.ssthresh == 700 * mss && c.w_max == 1000 * mss);
	c.cwnd = c.ssthresh;
	uint32_t at_ms = 0, low = 0;
	while (c.cwnd < 1000 * mss && at_ms < 60000) {
		for (uint32_t acked = 0; acked < c.cwnd; acked += 2 * mss)
			cc_acked(&c, 2 * mss, mss, 100, at_ms);
		low = at_ms == 5000 ? c.cwnd : low;
		at_ms += 100;
	}
	/* K = cbrt(300 / 0.4) = 9.086 s */
	MUST_SAY(at_ms >= 8800 && at_ms <= 9600, "%u ms", at_ms);
	MUST_SAY(low > 960 * mss && low < 995 * mss, "%u", low);
}
END_TEST

/* RFC 9438 section 4.3: slower than Reno up to the window before the loss, as fast behind it */
START_TEST(cubic_is_no_slower_than_reno)
{
	const uint32_t mss = 1000;
	struct tcp_cc c;
	cc_begin(&c, TCP_CC_CUBIC, mss);
	c.cwnd = 10 * mss;
	cc_loss(&c, mss);
	c.cwnd = c.ssthresh;
	uint32_t trips[2] = { 0,
		0 }; /* of 1 ms, so that time does little: to what it was, and three segments further */
	for (uint32_t at_ms = 0; c.cwnd < 13 * mss && at_ms < 100; at_ms++) {
		trips[c.cwnd >= 10 * mss]++;
		for (uint32_t acked = 0, cwnd = c.cwnd; acked < cwnd; acked += mss)
			cc_acked(&c, mss, mss, 1, at_ms);
	}
	MUST_SAY(trips[0] >= 5 && trips[0] <= 7, "%u", trips[0]);
	MUST_SAY(trips[1] >= 3 && trips[1] <= 4, "%u", trips[1]);
}
END_TEST

START_TEST(reno_grows_by_one_segment)
{
	const uint32_t mss = 1000;
	struct tcp_cc c;
	cc_begin(&c, TCP_CC_RENO, mss);
	c.cwnd = c.ssthresh = 20 * mss;
	for (int i = 0; i < 20; i++)
		cc_acked(&c, mss, mss, 10, 0);
	MUST_SAY(c.cwnd > 20900 && c.cwnd <= 21000, "%u", c.cwnd);
	cc_loss(&c, mss);
	MUST(c.ssthresh > 10 * mss && c.ssthresh < 11 * mss);
	cc_timeout(&c, 20 * mss, mss);
	MUST(c.cwnd == mss);
}
END_TEST

int main(void)
{
	Suite *const suite = suite_create("protocols/tcpip/tcp units");
	TCase *const t = tcase_create("units");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, numbers_wrap);
	tcase_add_test(t, acceptable_as_counted);
	tcase_add_test(t, ring_against_a_string);
	tcase_add_test(t, ring_keeps_what_is_ahead);
	tcase_add_test(t, ranges_against_bits);
	tcase_add_test(t, last_range_is_told_first);
	tcase_add_test(t, holes_are_bounded);
	tcase_add_test(t, wheel_against_a_list);
	tcase_add_test(t, pieces_against_bits);
	tcase_add_test(t, loss_is_found_by_time);
	tcase_add_test(t, answer_to_the_first_sending_is_no_measure);
	tcase_add_test(t, cubic_returns_in_time);
	tcase_add_test(t, cubic_is_no_slower_than_reno);
	tcase_add_test(t, reno_grows_by_one_segment);
	suite_add_tcase(suite, t);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner), run = srunner_ntests_run(runner);
	srunner_free(runner);
	printf("%d passed, %d failed\n", run - failed, failed);
	return failed != 0;
}
