/*
 * TCP packet by packet: what is lost comes again. RFC 6298, RFC 5681, RFC 6582, RFC 2018, RFC 2883, RFC 6675, RFC 8985, RFC 9937.
 */
#include <string.h>

#include "tests/protocols/tcpip/raw.h"

static const struct raw_options plain = { .mss = 1000 }, sacks = { .mss = 1000, .sack_ok = true },
				rich = { .mss = 1012, .sack_ok = true, .ts = true };

enum { SEG = 1000 };         /* octets in a full segment of all of these */
#define AT(n) (1u + (n)*SEG) /* where the n-th begins */

/* A connection whose round trip of 100 ms is known, with `count` segments in flight, from AT(0) on, that were looked at. */
static struct raw_user *in_flight(const struct raw_options *o, unsigned count)
{
	raw_open(NULL);
	SEND(.flags = SYN, .syn = o);
	EXPECT(SYN | ACK, 0, 1, 0);
	raw.ts = o->ts;
	raw_run(100 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = 1);
	struct raw_user *const u = &raw.user[0];
	raw_write(u, text_of("0123456789")); /* numbers before 1, so to say */
	raw_run(100 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = 11);
	raw.iss += 10;
	raw_forget();
	raw_write(u, raw_bytes(count * SEG, 1));
	for (unsigned i = 0; i < count; i++)
		EXPECT(ACK, AT(i), 1, SEG);
	EXPECT_NONE();
	return u;
}

/* The n-th segment is the next that was sent. */
#define EXPECT_SEG(n) EXPECT(ACK, AT(n), 1, SEG)

/* ---- timeouts ---- */

/* RFC 6298 sections 2.4, 2.5, 5.4 to 5.6: not too soon, twice as late each time, one segment; section 3 (Karn): no measuring then */
START_TEST(timeouts_back_off)
{
	struct raw_user *const u = in_flight(&plain, 3);
	uint64_t last = raw.now_ns, gap = 0;
	for (unsigned i = 0; i < 8; i++) {
		for (unsigned n = 0; n < 700 && raw_waiting() == 0; n++)
			raw_run(100 * RAW_MS);
		const struct raw_out *const o = EXPECT_SEG(0);
		MUST(i > 1 || raw_waiting() <= 1); /* slow start begins anew with one */
		raw_forget();
		MUST_SAY(o->at_ns - last >= 200 * RAW_MS &&
				 (gap == 0 || o->at_ns - last >= 2 * gap - 10 * RAW_MS ||
					 o->at_ns - last >= 59 * RAW_SECOND),
			"try %u after %lu ms, before that %lu", i,
			(unsigned long)((o->at_ns - last) / RAW_MS), (unsigned long)(gap / RAW_MS));
		gap = o->at_ns - last;
		last = o->at_ns;
	}
	MUST(raw_count("timeouts") == 8 && !u->reset);
	/* acknowledged at last, and of which copy nobody knows: the timeout does not come down at once by a wrong measure */
	SEND(.flags = ACK, .seq = 1, .ack = AT(1));
	MUST(raw_waiting() >= 1 && raw_waiting() <= 2);
	EXPECT_SEG(1);
}
END_TEST

/* RFC 6298 section 3 (Karn): of what was sent twice nobody knows which copy was acknowledged, so it is not measured */
START_TEST(nothing_measured_of_copies)
{
	struct raw_user *const u = in_flight(&plain, 1);
	raw_run(RAW_SECOND);
	MUST(raw_waiting() >= 1);
	raw_run(20 * RAW_SECOND);
	raw_forget();
	SEND(.flags = ACK, .seq = 1, .ack = AT(1));
	raw_write(u, raw_bytes(SEG, 1));
	EXPECT_SEG(1);
	raw_run(2 * RAW_SECOND);
	MUST_SAY(raw_waiting() >= 1, "the timeout has become longer");
	EXPECT_SEG(1);
}
END_TEST

/* RFC 9293 section 3.8.3: R2 */
START_TEST(gives_up)
{
	struct mrg_tcpip_limits l = raw_limits();
	l.give_up_s = 60;
	raw_open(&l);
	struct raw_user *const u = raw_accept(&plain);
	raw_write(u, text_of("anybody?"));
	raw_run(50 * RAW_SECOND);
	MUST(!u->reset);
	raw_run(100 * RAW_SECOND);
	MUST(u->reset && raw_count("connections") == 0 && raw_count("estab_resets") == 1);
}
END_TEST

/* An acknowledgment sets it anew: RFC 6298 section 5.3 */
START_TEST(timer_starts_anew)
{
	in_flight(&plain, 4);
	raw_run(180 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = AT(1));
	raw_run(180 * RAW_MS);
	EXPECT_NONE();
	SEND(.flags = ACK, .seq = 1, .ack = AT(2));
	raw_run(180 * RAW_MS);
	EXPECT_NONE();
	SEND(.flags = ACK, .seq = 1, .ack = AT(4));
	raw_run(100 * RAW_SECOND);
	EXPECT_NONE(); /* section 5.2: nothing is in flight */
}
END_TEST

/* ---- without SACK ---- */

/* RFC 5681 section 3.2: the third duplicate; RFC 6582: each partial acknowledgment tells of the next loss */
START_TEST(three_duplicates)
{
	in_flight(&plain, 8);
	raw_run(100 * RAW_MS);
	for (unsigned i = 0; i < 2; i++)
		SEND(.flags = ACK, .seq = 1, .ack = AT(0));
	EXPECT_NONE();
	SEND(.flags = ACK, .seq = 1, .ack = AT(0));
	EXPECT_SEG(0);
	EXPECT_NONE();
	for (unsigned i = 0; i < 3; i++)
		SEND(.flags = ACK, .seq = 1, .ack = AT(0));
	EXPECT_NONE(); /* there is no new data */
	SEND(.flags = ACK, .seq = 1, .ack = AT(4));
	EXPECT_SEG(4);
	EXPECT_NONE();
	SEND(.flags = ACK, .seq = 1, .ack = AT(8));
	EXPECT_NONE();
	MUST(raw_count("fast_recoveries") == 1 && raw_count("timeouts") == 0 &&
		raw_count("retrans_segs") == 2);
}
END_TEST

/* RFC 5681 section 2: not duplicates: another window, data in it, or nothing in flight */
START_TEST(no_duplicates)
{
	in_flight(&plain, 5);
	for (int32_t i = 0; i < 6; i++)
		SEND(.flags = ACK, .seq = 1, .ack = AT(0), .window = 60000 - i);
	EXPECT_NONE();
	for (uint32_t i = 0; i < 6; i++)
		SEND(.flags = ACK, .seq = 1 + i, .ack = AT(0), .window = 59995, .data = text_of("d"));
	while (raw_waiting() != 0)
		MUST(raw_next()->len == 0);
	MUST_EQ(raw_count("retrans_segs"), 0);
}
END_TEST

/* RFC 3042: the first two duplicates let one new segment out each, beyond cwnd */
START_TEST(limited_transmit)
{
	raw_open(NULL);
	struct raw_user *const u = raw_accept(&sacks);
	raw_write(u, raw_bytes(40 * SEG, 1));
	for (unsigned i = 0; i < 10; i++)
		EXPECT_SEG(i);
	EXPECT_NONE();
	raw_run(100 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = AT(0), .sack = { { AT(1), AT(2) } }, .sack_count = 1);
	EXPECT_SEG(10);
	EXPECT_NONE();
	SEND(.flags = ACK, .seq = 1, .ack = AT(0), .sack = { { AT(1), AT(3) } }, .sack_count = 1);
	EXPECT_SEG(11);
	EXPECT_NONE();
}
END_TEST

/* ---- with SACK ---- */

/* RFC 6675, RFC 8985: three segments behind it have come: it is lost, and nothing else is sent again */
START_TEST(sack_recovery)
{
	for (unsigned ts = 0; ts < 2; ts++) {
		in_flight(ts ? &rich : &sacks, 8);
		raw_run(100 * RAW_MS);
		SEND(.flags = ACK, .seq = 1, .ack = AT(0), .sack = { { AT(1), AT(2) } }, .sack_count = 1);
		SEND(.flags = ACK, .seq = 1, .ack = AT(0), .sack = { { AT(1), AT(3) } }, .sack_count = 1);
		EXPECT_NONE();
		SEND(.flags = ACK, .seq = 1, .ack = AT(0), .sack = { { AT(1), AT(4) } }, .sack_count = 1);
		EXPECT_SEG(0);
		EXPECT_NONE();
		/* another hole: 5 is lost, too */
		SEND(.flags = ACK, .seq = 1, .ack = AT(0), .sack = { { AT(6), AT(8) }, { AT(1), AT(5) } },
			.sack_count = 2);
		EXPECT_SEG(5);
		EXPECT_NONE();
		SEND(.flags = ACK, .seq = 1, .ack = AT(5), .sack = { { AT(6), AT(8) } }, .sack_count = 1);
		SEND(.flags = ACK, .seq = 1, .ack = AT(8));
		raw_run(10 * RAW_SECOND);
		EXPECT_NONE();
		MUST(raw_count("retrans_segs") == 2 && raw_count("timeouts") == 0 &&
			raw_count("fast_recoveries") == 1);
	}
}
END_TEST

/* RFC 8985 section 6.2 step 5: what was sent long before something that has come is lost even if it is the only sign */
START_TEST(rack_by_time)
{
	in_flight(&sacks, 2);
	raw_run(100 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = AT(0), .sack = { { AT(1), AT(2) } }, .sack_count = 1);
	EXPECT_NONE(); /* perhaps they were reordered */
	raw_run(100 * RAW_MS);
	EXPECT_SEG(0);
	EXPECT_NONE();
	MUST(raw_count("timeouts") == 0);
}
END_TEST

/* RFC 8985 section 6.2: reordering by one place is no loss */
START_TEST(rack_reordering)
{
	struct raw_user *const u = in_flight(&rich, 10);
	raw_run(100 * RAW_MS);
	for (unsigned i = 0; i < 10; i += 2) {
		SEND(.flags = ACK, .seq = 1, .ack = AT(i), .sack = { { AT(i + 1u), AT(i + 2u) } },
			.sack_count = 1);
		raw_run(5 * RAW_MS);
		SEND(.flags = ACK, .seq = 1, .ack = AT(i + 2u));
	}
	EXPECT_NONE();
	MUST(raw_count("retrans_segs") == 0 && raw_count("fast_recoveries") == 0);
	/* once seen, even by far */
	raw_write(u, raw_bytes(10 * SEG, 1));
	raw_forget();
	raw_run(100 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = AT(10), .sack = { { AT(11), AT(18) } }, .sack_count = 1);
	EXPECT_NONE();
	raw_run(10 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = AT(20));
	EXPECT_NONE();
	MUST_EQ(raw_count("retrans_segs"), 0);
}
END_TEST

/* RFC 8985 section 7: the last ones are lost: a probe long before the timeout brings a SACK of it */
START_TEST(tail_loss_probe)
{
	in_flight(&sacks, 4);
	raw_run(100 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = AT(1));
	raw_run(299 * RAW_MS);
	MUST_SAY(raw_waiting() == 1, "%zu segments", raw_waiting());
	EXPECT_SEG(3);
	MUST(raw_count("loss_probes") == 1 && raw_count("timeouts") == 0);
	raw_run(100 * RAW_MS);
	raw_forget();
	SEND(.flags = ACK, .seq = 1, .ack = AT(1), .sack = { { AT(3), AT(4) } }, .sack_count = 1);
	raw_run(30 * RAW_MS);
	MUST(raw_waiting() >= 1);
	EXPECT_SEG(1);
}
END_TEST

/* RFC 2018 section 8, RFC 5961, CVE-2005-... : blocks that can't be true change nothing */
START_TEST(impossible_sacks)
{
	static const struct raw_range bad[] = {
		{ AT(3), AT(2) },              /* reversed */
		{ AT(2), AT(2) },              /* empty */
		{ AT(7), AT(9) },              /* partly not sent */
		{ AT(9), AT(10) },             /* not sent */
		{ UINT32_MAX - 2000u, AT(3) }, /* from before our numbers */
		{ UINT32_MAX / 2u, AT(5) },
		{ AT(2), AT(2) + (1u << 31) },
		{ 0, UINT32_MAX },
	};
	in_flight(&sacks, 8);
	raw_run(100 * RAW_MS);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		for (unsigned j = 0; j < 4; j++)
			SEND(.flags = ACK, .seq = 1, .ack = AT(0),
				.sack = { bad[i], bad[(i + j) % 8u], bad[(i + 3u * j) % 8u] },
				.sack_count = 3);
	EXPECT_NONE();
	MUST(raw_count("sack_received") == 0 && raw_count("retrans_segs") == 0);
	/* overlapping ones, and the same again and again */
	for (unsigned i = 0; i < 20; i++)
		SEND(.flags = ACK, .seq = 1, .ack = AT(0),
			.sack = { { AT(2), AT(3) }, { AT(1) + 500u, AT(2) + 500u }, { AT(2), AT(3) } },
			.sack_count = 3);
	SEND(.flags = ACK, .seq = 1, .ack = AT(8));
	raw_forget();
	raw_run(10 * RAW_SECOND);
	EXPECT_NONE();
}
END_TEST

/* RFC 2018 section 8: a receiver may throw away what it has SACKed; the timeout must send it again */
START_TEST(reneging)
{
	in_flight(&sacks, 5);
	raw_run(100 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = AT(0), .sack = { { AT(1), AT(5) } }, .sack_count = 1);
	EXPECT_SEG(0);
	SEND(.flags = ACK, .seq = 1, .ack = AT(1)); /* and 1 to 5, which it said it had, are gone */
	uint32_t next = 1;
	for (unsigned i = 0; i < 100 && next < 5; i++) {
		raw_run(RAW_SECOND);
		while (raw_waiting() != 0) {
			const struct raw_out *const o = raw_next();
			if (raw_seq(o) == AT(next)) {
				MUST(o->len == SEG);
				next++;
			}
		}
		SEND(.flags = ACK, .seq = 1, .ack = AT(next));
	}
	MUST_SAY(next == 5, "stuck at %u", next);
}
END_TEST

/* RFC 9937: after a loss no burst: not more goes out for an acknowledgment than it says has come, and one segment */
START_TEST(no_burst)
{
	raw_open(NULL);
	struct raw_user *const u = raw_accept(&sacks);
	raw_write(u, raw_bytes(60 * SEG, 1));
	for (unsigned i = 0; i < 10; i++)
		EXPECT_SEG(i);
	raw_run(100 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = AT(10));
	unsigned sent = 10;
	while (raw_waiting() != 0)
		EXPECT_SEG(sent++);
	MUST(sent == 30);
	raw_run(100 * RAW_MS);
	/* the first ten of twenty are lost: each SACK brings one, or none */
	size_t total = 0;
	for (unsigned i = 20; i < 30; i++) {
		SEND(.flags = ACK, .seq = 1, .ack = AT(10), .sack = { { AT(20), AT(i + 1u) } },
			.sack_count = 1);
		MUST_SAY(raw_waiting() <= 2, "%zu for one", raw_waiting());
		total += raw_waiting();
		raw_forget();
	}
	/* twenty were in flight: cwnd comes down to seven tenths, so ten that came let seven out */
	MUST_SAY(total >= 5 && total <= 10, "%zu in all", total);
}
END_TEST

/* ---- D-SACK ---- */

/* RFC 2883 section 4: what comes twice is told once, in the first block */
START_TEST(dsack_sent)
{
	raw_open(NULL);
	raw_accept(&sacks);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = raw_bytes(100, 1));
	EXPECT(ACK, 1, 101, 0);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = raw_bytes(100, 1));
	const struct raw_out *o = EXPECT(ACK, 1, 101, 0);
	MUST(o->sack_count == 1 && o->sack[0].left == 1 && o->sack[0].right == 101);
	/* beside a hole */
	SEND(.flags = ACK, .seq = 201, .ack = 1, .data = raw_bytes(100, 1));
	o = EXPECT(ACK, 1, 101, 0);
	MUST(o->sack_count == 1 && o->sack[0].left == 201);
	SEND(.flags = ACK, .seq = 221, .ack = 1, .data = raw_bytes(40, 1));
	o = EXPECT(ACK, 1, 101, 0);
	MUST(o->sack_count == 2 && o->sack[0].left == 221 && o->sack[0].right == 261 &&
		o->sack[1].left == 201 && o->sack[1].right == 301);
	SEND(.flags = ACK, .seq = 301, .ack = 1, .data = raw_bytes(10, 1));
	o = EXPECT(ACK, 1, 101, 0);
	MUST(o->sack_count == 1 && o->sack[0].left == 201 && o->sack[0].right == 311);
}
END_TEST

/* RFC 2883 section 5, RFC 8985: it tells that what was sent again was not lost */
START_TEST(dsack_received)
{
	struct raw_user *const u = in_flight(&sacks, 6);
	raw_run(100 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = AT(0), .sack = { { AT(1), AT(4) } }, .sack_count = 1);
	EXPECT_SEG(0);
	SEND(.flags = ACK, .seq = 1, .ack = AT(6));
	SEND(.flags = ACK, .seq = 1, .ack = AT(6), .sack = { { AT(0), AT(1) } }, .sack_count = 1);
	MUST_EQ(raw_count("dsack_received"), 1);
	raw_write(u, text_of("on"));
	EXPECT(ACK, AT(6), 1, 2);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { timeouts_back_off, nothing_measured_of_copies, gives_up,
		timer_starts_anew, three_duplicates, no_duplicates, limited_transmit, sack_recovery,
		rack_by_time, rack_reordering, tail_loss_probe, impossible_sacks, reneging, no_burst,
		dsack_sent, dsack_received, NULL };
	return raw_main("protocols/tcpip/tcp: recovery", tests);
}
