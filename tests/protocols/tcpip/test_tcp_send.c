/*
 * TCP packet by packet: data that goes, as the peer's window lets it. RFC 9293 sections 3.7.4, 3.8.6.1 and 3.8.6.2.1, RFC 5681.
 */
#include <string.h>

#include "tests/protocols/tcpip/raw.h"

static const struct raw_options plain = { .mss = 1460 };

static struct raw_user *begin(const struct raw_options *o)
{
	raw_open(NULL);
	return raw_accept(o);
}

/* All that was sent and not looked at is taken to have come.   Returns: the number behind it. */
static uint32_t take_all(uint32_t end)
{
	while (raw_waiting() != 0) {
		const struct raw_out *const o = raw_next();
		const uint32_t right = raw_seq(o) + (uint32_t)o->len;
		end = right > end ? right : end;
	}
	return end;
}

/* ---- much data ---- */

/* RFC 6928, RFC 5681 section 3.1: ten segments at first, then as many more as were acknowledged */
START_TEST(slow_start)
{
	struct raw_user *const u = begin(&plain);
	const struct mrg_span all = raw_bytes(200000, 1);
	raw_write(u, all);
	uint32_t una = 1, flight = 0;
	for (unsigned round = 0; una < 200000; round++) {
		const uint32_t end = take_all(una);
		MUST_SAY(end - una <= (round == 0 ? 14600u : 2u * flight + 2920u), "%u after %u", end - una,
			flight);
		MUST_SAY(round != 0 || end - una >= 14600u - 1460u, "%u at first", end - una);
		flight = end - una;
		MUST(flight != 0 && flight <= 65535);
		una = end;
		raw_run(20 * RAW_MS);
		raw_forget();
		SEND(.flags = ACK, .seq = 1, .ack = una);
	}
	MUST(una == 200001);
}
END_TEST

/* The bytes are those that were written, each where it belongs */
START_TEST(right_bytes)
{
	struct raw_user *const u = begin(&plain);
	const struct mrg_span all = raw_bytes(100000, 9);
	raw_write(u, all);
	uint32_t una = 1;
	while (una < 100001) {
		while (raw_waiting() != 0) {
			const struct raw_out *const o = raw_next();
			MUST(raw_seq(o) == una && memcmp(o->data, all.p + una - 1u, o->len) == 0);
			MUST(((o->flags & PSH) != 0) ==
				(una + o->len == 100001)); /* RFC 9293 section 3.9.1.2: with the last */
			una += (uint32_t)o->len;
		}
		raw_run(5 * RAW_MS);
		SEND(.flags = ACK, .seq = 1, .ack = una);
	}
}
END_TEST

/* ---- small writes ---- */

/* RFC 9293 section 3.7.4 (SHLD-7): with Nagle what is not a full segment waits while something is in flight; else not */
START_TEST(nagle)
{
	for (unsigned on = 0; on < 2; on++) {
		struct mrg_tcpip_limits l = raw_limits();
		l.nagle = on != 0;
		raw_open(&l);
		struct raw_user *const u = raw_accept(&plain);
		raw_write(u, text_of("a"));
		EXPECT(ACK, 1, 1, 1);
		raw_write(u, text_of("b"));
		if (on == 0) {
			EXPECT(ACK, 2, 1, 1);
			continue;
		}
		raw_write(u, text_of("c"));
		EXPECT_NONE();
		SEND(.flags = ACK, .seq = 1, .ack = 2);
		EXPECT(ACK, 2, 1, 2);
		raw_write(u, raw_bytes(1500, 1)); /* a full one goes, the rest waits */
		EXPECT(ACK, 4, 1, 1460);
		EXPECT_NONE();
		raw_finish(u); /* ...unless nothing more can come */
		EXPECT(FIN | ACK, 1464, 1, 40);
	}
}
END_TEST

/* ---- silly windows ---- */

/* RFC 9293 section 3.8.6.2.1 (MUST-38): no small segment because of a small window, unless it is half of the largest one */
START_TEST(silly_windows)
{
	struct raw_user *const u = begin(&plain);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .window = 8000);
	raw_write(u, raw_bytes(30000, 1));
	uint32_t una = take_all(1);
	MUST_SAY(una == 1 + 5 * 1460, "sent to %u", una); /* 8000, and 700 are left */
	for (unsigned i = 0; i < 6; i++) {                /* the right edge moves by 100 each time */
		SEND(.flags = ACK, .seq = 1, .ack = una, .window = 100);
		EXPECT_NONE();
	}
	SEND(.flags = ACK, .seq = 1, .ack = una, .window = 1460);
	EXPECT(ACK, una, 1, 1460);
}
END_TEST

/* ...but in the end it goes, however small it is: the window may never be larger (the override timeout) */
START_TEST(small_window_for_ever)
{
	struct raw_user *const u = begin(&plain);
	raw_write(u, raw_bytes(1000, 1));
	SEND(.flags = ACK, .seq = 1, .ack = take_all(1), .window = 100);
	const struct mrg_span all = raw_bytes(1000, 5);
	raw_write(u, all);
	uint32_t una = 1001;
	for (unsigned i = 0; i < 40 && una < 2001; i++) {
		raw_run(RAW_SECOND);
		while (raw_waiting() != 0) {
			const struct raw_out *const o = raw_next();
			MUST(raw_seq(o) + o->len <= una + 100u);
			MUST(o->len == 0 || memcmp(o->data, all.p + raw_seq(o) - 1001u, o->len) == 0);
			if (raw_seq(o) == una)
				una += (uint32_t)o->len;
		}
		SEND(.flags = ACK, .seq = 1, .ack = una, .window = 100);
	}
	MUST_SAY(una == 2001, "stuck at %u", una);
}
END_TEST

/* ---- closed windows ---- */

/* RFC 9293 section 3.8.6.1 (MUST-36, MUST-37, SHLD-29, SHLD-30): probes, later each time, for as long as they are answered */
START_TEST(probes)
{
	struct raw_user *const u = begin(&plain);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .window = RAW_SHUT);
	raw_write(u, text_of("data"));
	EXPECT_NONE();
	uint64_t last = raw.now_ns, gap = 0;
	unsigned count = 0;
	while (raw.now_ns < 5020 * RAW_SECOND + 3600 * RAW_SECOND) {
		raw_run(RAW_SECOND / 10);
		while (raw_waiting() != 0) {
			const struct raw_out *const o = raw_next();
			MUST(raw_seq(o) + o->len <= 2 && (o->flags & ~(unsigned)PSH) == ACK);
			MUST_SAY(o->at_ns - last + RAW_SECOND / 10 >= gap, "%lu ms after %lu ms",
				(unsigned long)((o->at_ns - last) / RAW_MS), (unsigned long)(gap / RAW_MS));
			gap = o->at_ns - last;
			MUST(gap <= 120 * RAW_SECOND);
			last = o->at_ns;
			count++;
			SEND(.flags = ACK, .seq = 1, .ack = 1, .window = RAW_SHUT);
		}
	}
	MUST_SAY(count > 40 && count < 400, "%u probes", count);
	MUST(!u->reset && raw_count("zero_window_probes") == count);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .window = 1000);
	EXPECT(ACK, 1, 1, 4);
}
END_TEST

/* ...and not for ever if they are not */
START_TEST(probes_unanswered)
{
	struct raw_user *const u = begin(&plain);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .window = RAW_SHUT);
	raw_write(u, text_of("data"));
	raw_run(200 * RAW_SECOND);
	MUST(!u->reset);
	raw_run(400 * RAW_SECOND);
	MUST(u->reset && raw_count("connections") == 0);
}
END_TEST

/* The acknowledgment that opened the window was lost: the answer to a probe tells of it */
START_TEST(update_lost)
{
	struct raw_user *const u = begin(&plain);
	raw_write(u, raw_bytes(4000, 1));
	SEND(.flags = ACK, .seq = 1, .ack = take_all(1), .window = RAW_SHUT);
	raw_write(u, raw_bytes(3000, 1));
	EXPECT_NONE();
	raw_run(10 * RAW_SECOND);
	MUST(raw_waiting() >= 1);
	raw_forget();
	SEND(.flags = ACK, .seq = 1, .ack = 4001);
	EXPECT(ACK, 4001, 1, 1460);
	EXPECT(ACK, 5461, 1, 1460);
	EXPECT(ACK, 6921, 1, 80);
}
END_TEST

/* RFC 9293 section 3.8.6 (MUST-34): a window that shrinks stops new data; what was sent is sent again if need be */
START_TEST(shrinking_window)
{
	struct raw_user *const u = begin(&plain);
	raw_write(u, raw_bytes(40000, 1));
	const uint32_t end = take_all(1);
	MUST(end == 14601);
	SEND(.flags = ACK, .seq = 1, .ack = 1461, .window = 3000); /* less than is in flight */
	EXPECT_NONE();
	SEND(.flags = ACK, .seq = 1, .ack = 2921, .window = 1540);
	EXPECT_NONE();
	raw_run(3 * RAW_SECOND); /* what is in flight is not acknowledged: the first of it again */
	MUST(raw_waiting() >= 1);
	const struct raw_out *const o = raw_next();
	MUST(raw_seq(o) == 2921 && o->len <= 1460);
	MUST(take_all(1) <= end);
	SEND(.flags = ACK, .seq = 1, .ack = end, .window = RAW_SHUT);
	raw_run(20 * RAW_MS);
	EXPECT_NONE();
	SEND(.flags = ACK, .seq = 1, .ack = end);
	MUST(raw_seq(raw_next()) == end);
}
END_TEST

/* RFC 9293 section 3.10.7.4: an older segment says nothing of the window */
START_TEST(old_windows)
{
	struct raw_user *const u = begin(&plain);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = text_of("0123456789"));
	SEND(.flags = ACK, .seq = 11, .ack = 1, .window = RAW_SHUT);
	raw_forget();
	SEND(.flags = ACK, .seq = 1, .ack = 1, .window = 5000,
		.data = text_of("0123456789ab")); /* partly new, but older */
	raw_forget();
	raw_write(u, text_of("data"));
	EXPECT_NONE();
	SEND(.flags = ACK, .seq = 13, .ack = 1, .window = 2);
	raw_run(2 * RAW_SECOND);
	while (raw_waiting() != 0) {
		const struct raw_out *const o = raw_next();
		MUST(raw_seq(o) + o->len <= 3);
	}
}
END_TEST

/* The last octet that the window lets out, and not one more */
START_TEST(exact_window)
{
	for (int32_t window = 1458; window < 1464; window++) {
		struct raw_user *const u = begin(&plain);
		SEND(.flags = ACK, .seq = 1, .ack = 1, .window = window);
		raw_write(u, raw_bytes(1460, 1));
		raw_run(60 * RAW_SECOND);
		uint32_t end = 1;
		while (raw_waiting() != 0) {
			const struct raw_out *const o = raw_next();
			end = raw_seq(o) + (uint32_t)o->len > end ? raw_seq(o) + (uint32_t)o->len : end;
		}
		MUST_SAY(end == (uint32_t)(window < 1460 ? window : 1460) + 1u, "window %d: to %u", window,
			end);
	}
}
END_TEST

/* RFC 9293 section 3.8.4 (MUST-24): an idle connection is probed, and ends if nobody is there */
START_TEST(keepalive)
{
	for (unsigned answered = 0; answered < 2; answered++) {
		struct mrg_tcpip_limits l = raw_limits();
		l.keepalive_s = 100;
		raw_open(&l);
		struct raw_user *const u = raw_accept(&plain);
		raw_run(99 * RAW_SECOND);
		EXPECT_NONE();
		for (unsigned i = 0; i < 3; i++) {
			raw_run(110 * RAW_SECOND);
			MUST(raw_waiting() >= 1);
			const struct raw_out *const o = raw_next();
			MUST(raw_seq(o) == 0 && raw_ack(o) == 1 && o->len <= 1 && o->flags == ACK);
			raw_forget();
			if (answered)
				SEND(.flags = ACK, .seq = 1, .ack = 1);
		}
		raw_run(1000 * RAW_SECOND);
		MUST(answered ? u->reset == (raw_count("connections") == 0) : u->reset);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { slow_start, right_bytes, nagle, silly_windows, small_window_for_ever,
		probes, probes_unanswered, update_lost, shrinking_window, old_windows, exact_window,
		keepalive, NULL };
	return raw_main("protocols/tcpip/tcp: data that goes", tests);
}
