/*
 * TCP packet by packet: data that comes, data that goes, and windows. RFC 9293 sections 3.4, 3.7, 3.8.6 and 3.10.7.4.
 */
#include <string.h>

#include "tests/protocols/tcpip/raw.h"

static const struct raw_options plain = { .mss = 1460 },
				rich = { .mss = 1460, .scale = 7, .sack_ok = true, .ts = true };

static struct raw_user *begin(const struct raw_options *o)
{
	raw_open(NULL);
	return raw_accept(o);
}

/* A connection whose receiver has this many octets of room; the user reads nothing. */
static struct raw_user *begin_small(uint32_t receive_max)
{
	struct mrg_tcpip_limits l = raw_limits();
	l.receive_max = receive_max;
	raw_open(&l);
	raw.hold = true;
	return raw_accept(&plain);
}

static void got_must_be(const struct raw_user *u, struct mrg_span octets)
{
	MUST_EQ(u->len, octets.len);
	MUST(memcmp(u->got, octets.p, octets.len) == 0);
}

/* Until the receiver has been told often enough at once (slow start of the peer), acknowledgments are not late. */
static uint32_t past_quick(uint32_t seq)
{
	for (unsigned i = 0; i < 40; i++, seq++)
		SEND(.flags = ACK, .seq = seq, .ack = 1, .data = text_of("q"));
	raw_run(RAW_SECOND);
	raw_forget();
	return seq;
}

/* ---- what comes ---- */

START_TEST(in_order)
{
	struct raw_user *const u = begin(&plain);
	const struct mrg_span all = raw_bytes(5000, 3);
	for (uint32_t at = 0; at < 5000; at += 1000)
		SEND(.flags = ACK, .seq = 1 + at, .ack = 1, .data = { all.p + at, 1000 });
	raw_run(RAW_SECOND);
	got_must_be(u, all);
	while (raw_waiting() > 1)
		(void)raw_next();
	EXPECT(ACK, 1, 5001, 0);
}
END_TEST

/* RFC 5681 section 4.2: out of order is acknowledged at once, and what fills a hole; RFC 2018 section 4: the newest block first */
START_TEST(out_of_order)
{
	struct raw_user *const u = begin(&(struct raw_options){ .mss = 1460, .sack_ok = true });
	past_quick(1);
	SEND(.flags = ACK, .seq = 51, .ack = 1, .data = raw_bytes(10, 1));
	const struct raw_out *o = EXPECT(ACK, 1, 41, 0);
	MUST(o->sack_count == 1 && o->sack[0].left == 51 && o->sack[0].right == 61);
	SEND(.flags = ACK, .seq = 71, .ack = 1, .data = raw_bytes(10, 2));
	o = EXPECT(ACK, 1, 41, 0);
	MUST(o->sack_count == 2 && o->sack[0].left == 71 && o->sack[1].left == 51);
	SEND(.flags = ACK, .seq = 91, .ack = 1, .data = raw_bytes(10, 2));
	o = EXPECT(ACK, 1, 41, 0);
	MUST(o->sack_count == 3 && o->sack[0].left == 91 && o->sack[1].left == 71 && o->sack[2].left == 51);
	SEND(.flags = ACK, .seq = 61, .ack = 1, .data = raw_bytes(10, 2)); /* joins two */
	o = EXPECT(ACK, 1, 41, 0);
	MUST(o->sack_count == 2 && o->sack[0].left == 51 && o->sack[0].right == 81 && o->sack[1].left == 91);
	SEND(.flags = ACK, .seq = 41, .ack = 1, .data = raw_bytes(10, 2));
	o = EXPECT(ACK, 1, 81, 0);
	MUST(o->sack_count == 1);
	SEND(.flags = ACK, .seq = 81, .ack = 1, .data = raw_bytes(10, 2));
	o = EXPECT(ACK, 1, 101, 0);
	MUST(o->sack_count == 0 && u->len == 100);
}
END_TEST

/* Without SACK nobody is told of blocks */
START_TEST(out_of_order_without_sack)
{
	struct raw_user *const u = begin(&plain);
	SEND(.flags = ACK, .seq = 11, .ack = 1, .data = raw_bytes(10, 1));
	MUST(EXPECT(ACK, 1, 1, 0)->options_len == 0 && u->len == 0);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = raw_bytes(10, 1));
	EXPECT(ACK, 1, 21, 0);
	MUST(u->len == 20);
}
END_TEST

/* What came first stays, however it is sent again: who looks on from outside must see what we see */
START_TEST(first_copy_stays)
{
	struct raw_user *u = begin(&plain);
	SEND(.flags = ACK, .seq = 6, .ack = 1, .data = text_of("BBBBB"));
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = text_of("AAAAAAAAAAAAA"));
	got_must_be(u, text_of("AAAAABBBBBAAA"));
	/* old and new in one segment: the old part is cut off */
	SEND(.flags = ACK, .seq = 10, .ack = 1, .data = text_of("CCCCCC"));
	got_must_be(u, text_of("AAAAABBBBBAAACC"));
	/* all of it old */
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = text_of("ZZZZZ"));
	got_must_be(u, text_of("AAAAABBBBBAAACC"));
	/* several holes, one segment over all of them */
	u = begin(&plain);
	SEND(.flags = ACK, .seq = 3, .ack = 1, .data = text_of("33"));
	SEND(.flags = ACK, .seq = 9, .ack = 1, .data = text_of("9"));
	SEND(.flags = ACK, .seq = 6, .ack = 1, .data = text_of("6"));
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = text_of("aaaaaaaaaaa"));
	got_must_be(u, text_of("aa33a6aa9aa"));
	/* overlaps at both sides, out of order */
	u = begin(&plain);
	SEND(.flags = ACK, .seq = 5, .ack = 1, .data = text_of("5555"));
	SEND(.flags = ACK, .seq = 3, .ack = 1, .data = text_of("3333"));
	SEND(.flags = ACK, .seq = 7, .ack = 1, .data = text_of("7777"));
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = text_of("11"));
	got_must_be(u, text_of("1133555577"));
}
END_TEST

/* RFC 9293 section 3.10.7.4, the four cases; what is beyond the window is cut off */
START_TEST(edges_of_window)
{
	struct raw_user *u = begin_small(4096);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = text_of("x"));
	const struct raw_out *o = EXPECT(ACK, 1, 2, 0);
	const uint32_t right = 2u + o->window;
	/* the first behind it */
	SEND(.flags = ACK, .seq = right, .ack = 1, .data = text_of("y"));
	EXPECT(ACK, 1, 2, 0);
	MUST_EQ(raw_count("out_of_window"), 1);
	/* the one before our next */
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = text_of("y"));
	EXPECT(ACK, 1, 2, 0);
	/* empty: the last one in it, and the one behind */
	SEND(.flags = ACK, .seq = right - 1u, .ack = 1);
	EXPECT_NONE();
	SEND(.flags = ACK, .seq = right, .ack = 1);
	EXPECT(ACK, 1, 2, 0);
	/* the last one in it; then two, of which only that one is */
	SEND(.flags = ACK, .seq = right - 1u, .ack = 1, .data = text_of("L"));
	EXPECT(ACK, 1, 2, 0);
	SEND(.flags = ACK, .seq = right - 1u, .ack = 1, .data = text_of("MN"));
	EXPECT(ACK, 1, 2, 0);
	/* more than all of it */
	const struct mrg_span much = raw_bytes(1400, 5);
	for (uint32_t at = 2; at < right; at += 1400)
		SEND(.flags = ACK, .seq = at, .ack = 1, .data = much);
	raw_run(RAW_SECOND);
	while (raw_waiting() > 1)
		(void)raw_next();
	MUST(EXPECT(ACK, 1, right, 0)->window == 0);
	raw_read(u, 100000);
	MUST_EQ(u->len, right - 1u);
	MUST(u->got[u->len - 1u] == 'L');
}
END_TEST

/* RFC 9293 section 3.4: all the same where numbers begin anew, theirs and ours */
START_TEST(across_2_to_32)
{
	for (uint32_t before = 0; before < 30; before++) {
		raw_open(NULL);
		/* our ISN is made of the time: wait until it is there */
		SEND(.flags = SYN, .syn = &rich);
		EXPECT(SYN | ACK, 0, 1, 0);
		SEND(.flags = RST, .seq = 1);
		raw_run((uint64_t)(UINT32_MAX - raw.iss - before) * 4096u);
		raw.peer_iss = UINT32_MAX - before;
		struct raw_user *const u = raw_accept(&rich);
		MUST(UINT32_MAX - raw.iss < 40);
		SEND(.flags = ACK, .seq = 11, .ack = 1, .data = raw_bytes(10, 11));
		const struct raw_out *const o = EXPECT(ACK, 1, 1, 0);
		MUST(o->sack_count == 1 && o->sack[0].left == 11 && o->sack[0].right == 21);
		SEND(.flags = ACK, .seq = 1, .ack = 1, .data = raw_bytes(15, 1));
		EXPECT(ACK, 1, 21, 0);
		MUST(u->len == 20);
		raw_write(u, raw_bytes(7, 1));
		raw_write(u, raw_bytes(40, 1));
		EXPECT(ACK, 1, 21, 7);
		EXPECT(ACK, 8, 21, 40);
		SEND(.flags = ACK, .seq = 21, .ack = 8);
		SEND(.flags = ACK, .seq = 21, .ack = 48);
		raw_finish(u);
		EXPECT(FIN | ACK, 48, 21, 0);
		SEND(.flags = FIN | ACK, .seq = 21, .ack = 49);
		EXPECT(ACK, 49, 22, 0);
		MUST(u->eof);
	}
}
END_TEST

/* RFC 9293 section 3.10.7.4: nothing fits into a closed window, but the acknowledgment counts (MUST-66) */
START_TEST(closed_window)
{
	struct raw_user *const u = begin_small(2048);
	raw_write(u, text_of("abc"));
	EXPECT(ACK, 1, 1, 3);
	const struct mrg_span all = raw_bytes(1400, 1);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = all);
	SEND(.flags = ACK, .seq = 1401, .ack = 1, .data = all);
	raw_run(100 * RAW_MS);
	const uint32_t full = raw_ack(&raw.out[(raw.last - 1u) % RAW_OUT_MAX]);
	MUST(full > 1400 && full < 2049 && raw.out[(raw.last - 1u) % RAW_OUT_MAX].window == 0);
	raw_forget();
	SEND(.flags = ACK, .seq = full, .ack = 4, .data = text_of("p")); /* a probe */
	MUST(EXPECT(ACK, 4, full, 0)->window == 0);
	raw_run(3 * RAW_SECOND);
	EXPECT_NONE();                   /* "abc" was acknowledged: it is not sent again */
	SEND(.flags = RST, .seq = full); /* MUST-66 has RST, too */
	raw_run(10 * RAW_MS);
	MUST(u->reset && raw_count("estab_resets") == 1);
}
END_TEST

/* RFC 9293 section 3.8.6.2.2 (MUST-39): the window does not open for a little, and then the peer is told by itself */
START_TEST(window_opens)
{
	struct raw_user *const u = begin_small(16384);
	const struct mrg_span all = raw_bytes(1460, 1);
	uint32_t seq = 1, right = 0;
	for (unsigned i = 0; i < 12; i++) {
		SEND(.flags = ACK, .seq = seq, .ack = 1, .data = all);
		raw_run(100 * RAW_MS);
		while (raw_waiting() != 0) {
			const struct raw_out *const o = raw_next();
			/* RFC 9293 section 3.8.6.1 (SHLD-14): it never shrinks */
			MUST(raw_ack(o) + o->window >= right);
			right = raw_ack(o) + o->window;
			seq = raw_ack(o);
		}
	}
	MUST(seq == right && seq > 16000);
	uint32_t freed = 0, opened = 0;
	while (freed < 16000) {
		raw_read(u, 100);
		freed += 100;
		while (raw_waiting() != 0) {
			const struct raw_out *const o = raw_next();
			MUST_SAY(raw_ack(o) + o->window >= right + 1460u || o->window == 0, "a window of %u",
				o->window);
			MUST(raw_ack(o) + o->window <= right + freed);
			opened += o->window != 0;
		}
		if (opened != 0)
			break;
	}
	MUST_SAY(opened != 0 && freed <= 8300, "told after %u octets", freed);
}
END_TEST

/* RFC 9293 section 3.8.6.3 (MUST-58 to MUST-60 of RFC 1122 section 4.2.3.2): each second full segment at once, one alone within half a second */
START_TEST(late_acknowledgments)
{
	begin(&plain);
	uint32_t seq = past_quick(1);
	const struct mrg_span all = raw_bytes(1460, 1);
	for (unsigned i = 0; i < 5; i++) {
		SEND(.flags = ACK, .seq = seq, .ack = 1, .data = all);
		EXPECT_NONE();
		SEND(.flags = ACK, .seq = seq + 1460u, .ack = 1, .data = all);
		seq += 2920;
		EXPECT(ACK, 1, seq, 0);
	}
	const uint64_t then = raw.now_ns;
	SEND(.flags = ACK, .seq = seq, .ack = 1, .data = text_of("x"));
	EXPECT_NONE();
	raw_run(500 * RAW_MS);
	MUST(EXPECT(ACK, 1, seq + 1u, 0)->at_ns - then < 500 * RAW_MS);
	raw_run(RAW_SECOND);
	EXPECT_NONE();
	/* what is sent acknowledges, too */
	SEND(.flags = ACK, .seq = seq + 1u, .ack = 1, .data = text_of("x"));
	raw_write(&raw.user[0], text_of("reply"));
	EXPECT(ACK, 1, seq + 2u, 5);
	raw_run(100 * RAW_MS);
	EXPECT_NONE();
}
END_TEST

/* 100,000 holes of one octet: memory is bounded, others are not harmed, and the data comes through in the end */
START_TEST(many_holes)
{
	struct raw_user *const u = begin(&(struct raw_options){ .mss = 1460, .sack_ok = true });
	raw.lossy = true;
	const uint32_t window = 60000;
	for (uint32_t i = 0; i < 100000; i++)
		SEND(.flags = ACK, .seq = 3u + i * 2u % window, .ack = 1, .data = text_of("h"));
	raw.lossy = false;
	MUST(raw_count("ranges_full") > 0 && u->len == 0);
	raw_forget();
	const struct mrg_span all = raw_bytes(1000, 1);
	const uint32_t iss = raw.iss;
	raw_peer("192.0.2.77", 1);
	struct raw_user *const other = raw_accept(&plain);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = all);
	got_must_be(other, all);
	raw_peer("192.0.2.9", 5000);
	raw.iss = iss;
	for (uint32_t at = 0; at < window; at += 1000)
		SEND(.flags = ACK, .seq = 1u + at, .ack = 1, .data = all);
	MUST_SAY(u->len >= window, "%zu octets", u->len);
}
END_TEST

/* RFC 9293 section 3.8.5, RFC 6093: urgent data is data, wherever the pointer points */
START_TEST(urgent)
{
	struct raw_user *const u = begin(&plain);
	static const uint16_t pointers[] = { 0, 1, 3, 4, 60000, 65535 };
	for (uint32_t i = 0; i < 6; i++)
		SEND(.flags = ACK | URG, .seq = 1 + 3 * i, .ack = 1, .urgent = pointers[i],
			.data = text_of("abc"));
	SEND(.flags = ACK | URG, .seq = 19, .ack = 1, .urgent = 5);
	got_must_be(u, text_of("abcabcabcabcabcabc"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { in_order, out_of_order, out_of_order_without_sack, first_copy_stays,
		edges_of_window, across_2_to_32, closed_window, window_opens, late_acknowledgments,
		many_holes, urgent, NULL };
	return raw_main("protocols/tcpip/tcp: data that comes", tests);
}
