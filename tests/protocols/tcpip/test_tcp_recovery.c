/*
 * TCP packet by packet: what is lost comes again. RFC 6298, RFC 5681, RFC 6582, RFC 2018, RFC 2883, RFC 6675, RFC 8985, RFC 9937.
 */
#include <string.h>

#include "tests/protocols/tcpip/raw.h"

static const struct raw_options plain = { .mss = 1000 }, sacks = { .mss = 1000, .sack_ok = true },
				rich = { .mss = 1012, .sack_ok = true, .ts = true };

enum { SEG = 1000 };         /* octets in a full segment of all of these */
#define AT(n) (1u + (n)*SEG) /* where the n-th begins */

/* A connection whose round trip is known, with `count` segments in flight, from AT(0) on, that were looked at. */
static struct raw_user *in_flight_by(const struct raw_options *o, unsigned count, uint64_t rtt_ns)
{
	raw_open(NULL);
	SEND(.flags = SYN, .syn = o);
	EXPECT(SYN | ACK, 0, 1, 0);
	raw.ts = o->ts;
	raw_run(rtt_ns);
	SEND(.flags = ACK, .seq = 1, .ack = 1);
	struct raw_user *const u = &raw.user[0];
	raw_write(u, text_of("0123456789")); /* numbers before 1, so to say */
	raw_run(rtt_ns);
	SEND(.flags = ACK, .seq = 1, .ack = 11);
	raw.iss += 10;
	raw_forget();
	raw_write(u, raw_bytes(count * SEG, 1));
	for (unsigned i = 0; i < count; i++)
		EXPECT(ACK, AT(i), 1, SEG);
	EXPECT_NONE();
	return u;
}

static struct raw_user *in_flight(const struct raw_options *o, unsigned count)
{
	return in_flight_by(o, count, 100 * RAW_MS);
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

/* RFC 8985 section 7, RFC 9002 section 6.2: what was sent again is lost with all else: a probe, and not the timeout, finds that out */
START_TEST(probe_in_recovery)
{
	in_flight_by(&sacks, 6, 10 * RAW_MS);
	raw_run(10 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = AT(0), .sack = { { AT(2), AT(6) } }, .sack_count = 1);
	EXPECT_SEG(0);
	EXPECT_SEG(1);
	MUST_EQ(raw_count("fast_recoveries"), 1);
	raw_run(15 * RAW_MS);
	EXPECT_NONE();
	raw_run(15 * RAW_MS);
	EXPECT_SEG(
		0); /* what is missing first: it is answered at once, even if only an acknowledgment was lost */
	raw_run(10 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = AT(1), .sack = { { AT(2), AT(6) } }, .sack_count = 1);
	raw_run(8 * RAW_MS);
	EXPECT_SEG(1); /* RACK: it was sent before what has come now */
	MUST(raw_count("timeouts") == 0 && raw_count("loss_probes") == 1 &&
		raw_count("fast_recoveries") == 1);
}
END_TEST

/* RFC 9002 section 6.2: probes are lost, too; each comes after twice the time, and at last the timeout */
START_TEST(probes_again)
{
	in_flight_by(&sacks, 4, 10 * RAW_MS);
	const uint64_t from = raw.now_ns;
	uint64_t last = from, gap = 0;
	for (unsigned probes = 1; probes <= 3; probes++) {
		while (raw_count("loss_probes") < probes && raw.now_ns < from + RAW_SECOND)
			raw_run(RAW_MS);
		MUST_EQ(raw_count("timeouts"), 0);
		const uint64_t now_gap = raw.now_ns - last;
		MUST_SAY(now_gap >= 20 * RAW_MS && now_gap + 4 * RAW_MS >= 2 * gap, "%lu ms before probe %u",
			(unsigned long)(now_gap / RAW_MS), probes);
		gap = now_gap;
		last = raw.now_ns;
		EXPECT_SEG(3);
		raw_forget();
	}
	raw_run(RAW_SECOND);
	MUST(raw_count("timeouts") != 0 && raw_count("loss_probes") <= 4);
}
END_TEST

/* A probe that came too early makes the next ones later, but does not take them away. */
START_TEST(probe_after_a_vain_one)
{
	struct raw_user *const u = in_flight_by(&sacks, 4, 10 * RAW_MS);
	raw_run(30 * RAW_MS);
	EXPECT_SEG(3);
	SEND(.flags = ACK, .seq = 1, .ack = AT(4), .sack = { { AT(3), AT(4) } }, .sack_count = 1);
	MUST_EQ(raw_count("dsack_received"), 1);
	raw_write(u, raw_bytes(4 * SEG, 1));
	raw_forget();
	raw_run(40 * RAW_MS);
	EXPECT_NONE();
	raw_run(60 * RAW_MS);
	EXPECT_SEG(7);
	MUST(raw_count("loss_probes") == 2 && raw_count("timeouts") == 0);
	/* that one was needed: the peer is not so late after all */
	SEND(.flags = ACK, .seq = 1, .ack = AT(8));
	raw_write(u, raw_bytes(4 * SEG, 1));
	raw_forget();
	raw_run(60 * RAW_MS);
	MUST(raw_waiting() >= 1);
	EXPECT_SEG(11);
}
END_TEST

/* RFC 8985 section 6.2 step 2: an answer too fast to be one to the probe tells RACK nothing; the next probe is what is missing */
START_TEST(probe_when_the_last_has_come)
{
	in_flight_by(&sacks, 4, 10 * RAW_MS);
	raw_run(10 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = AT(2));
	for (unsigned ms = 0; ms < 30 && raw_waiting() == 0; ms++)
		raw_run(RAW_MS);
	EXPECT_SEG(3);
	raw_run(5 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = AT(2), .sack = { { AT(3), AT(4) } }, .sack_count = 1);
	raw_run(60 * RAW_MS);
	EXPECT_SEG(2);
	MUST_EQ(raw_count("timeouts"), 0);
}
END_TEST

/* RFC 6298 section 3: what is acknowledged with a hole that was filled has waited for that, and is no measure */
START_TEST(nothing_measured_behind_a_hole)
{
	struct raw_user *const u = in_flight(&plain, 3);
	for (unsigned i = 0; i < 4; i++)
		raw_run(RAW_SECOND);
	raw_forget();
	SEND(.flags = ACK, .seq = 1, .ack = AT(3));
	raw_write(u, raw_bytes(SEG, 1));
	EXPECT_SEG(3);
	raw_run(500 * RAW_MS);
	MUST_SAY(raw_waiting() == 1, "the timeout has become longer");
}
END_TEST

/* RFC 7323 section 4.3, RFC 2883: only the acknowledgment was lost; the echo is that of the first sending */
START_TEST(nothing_measured_of_what_came_twice)
{
	raw_open(NULL);
	struct raw_user *const u = raw_accept(&rich);
	raw_write(u, raw_bytes(SEG, 1));
	const uint32_t echo = EXPECT_SEG(0)->ts_value;
	raw_run(RAW_SECOND);
	MUST(raw_waiting() >= 1);
	raw_run(5 * RAW_SECOND);
	raw_forget();
	SEND(.flags = ACK, .seq = 1, .ack = AT(1), .ts_echo = echo, .sack = { { AT(0), AT(1) } },
		.sack_count = 1);
	MUST_EQ(raw_count("dsack_received"), 1);
	raw_write(u, raw_bytes(SEG, 1));
	EXPECT_SEG(1);
	raw_run(RAW_SECOND);
	MUST_SAY(raw_waiting() >= 1, "the timeout has become longer");
}
END_TEST

/* RFC 9937 section 5: an acknowledgment is safe when it tells of no further loss, even if some are still to be sent again */
START_TEST(grows_while_losses_wait)
{
	raw_open(NULL);
	struct raw_user *const u = raw_accept(&sacks);
	raw_write(u, raw_bytes(60 * SEG, 1));
	raw_forget();
	raw_run(100 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = AT(10));
	MUST_EQ(raw_waiting(), 20);
	raw_forget();
	raw_run(100 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = AT(10), .sack = { { AT(26), AT(30) } }, .sack_count = 1);
	MUST_EQ(raw_waiting(), 4); /* as many as have come */
	raw_forget();
	raw_run(100 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = AT(11), .sack = { { AT(26), AT(30) } }, .sack_count = 1);
	MUST_SAY(raw_waiting() == 2, "%zu", raw_waiting());
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

/* Ten segments of which the first seems to be lost, is sent again and acknowledged.   Returns: what is sent of 40 more that are written. */
static size_t sent_after(const struct raw_range *twice, unsigned times)
{
	struct raw_user *const u = in_flight(&sacks, 10);
	raw_run(100 * RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = AT(0), .sack = { { AT(1), AT(10) } }, .sack_count = 1);
	EXPECT_SEG(0);
	SEND(.flags = ACK, .seq = 1, .ack = AT(10));
	for (unsigned i = 0; i < times; i++)
		SEND(.flags = ACK, .seq = 1, .ack = AT(10), .sack = { *twice }, .sack_count = 1);
	MUST_EQ(raw_count("dsack_received"), times);
	raw_write(u, raw_bytes(40 * SEG, 1));
	MUST(raw_count("fast_recoveries") == 1 && raw_count("retrans_segs") == 1);
	return raw_waiting();
}

/* RFC 3708 section 2, RFC 4015 section 3.4: all that was sent again has come twice: there was no loss, and cwnd is what it was */
START_TEST(no_loss_after_all)
{
	const struct raw_range first = { AT(0), AT(1) }, part = { AT(0), AT(0) + 500u },
			       other = { AT(4), AT(5) };
	const size_t lost = sent_after(NULL, 0), not_lost = sent_after(&first, 1);
	MUST_SAY(lost == 7 && not_lost == 10, "%zu, %zu", lost, not_lost);
	/* not all of it; told twice; not what was sent again */
	MUST_EQ(sent_after(&part, 1), 7);
	MUST_EQ(sent_after(&part, 2), 7);
	MUST_EQ(sent_after(&other, 1), 7);
}
END_TEST

/* RFC 7323 section 5.3, RFC 2883: what its own copy has overtaken has an older timestamp, and is told as well */
START_TEST(dsack_of_old_timestamps)
{
	raw_open(NULL);
	raw_accept(&rich);
	raw_run(RAW_SECOND);
	raw_forget();
	const uint32_t before = (uint32_t)(raw.now_ns / RAW_MS);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = raw_bytes(100, 1));
	EXPECT(ACK, 1, 101, 0);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .ts_value = before, .data = raw_bytes(100, 1));
	const struct raw_out *const o = EXPECT(ACK, 1, 101, 0);
	MUST(raw_count("paws_drops") == 1 && o->sack_count == 1 && o->sack[0].left == 1 &&
		o->sack[0].right == 101);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { timeouts_back_off, nothing_measured_of_copies, gives_up,
		timer_starts_anew, three_duplicates, no_duplicates, limited_transmit, sack_recovery,
		rack_by_time, rack_reordering, tail_loss_probe, probe_in_recovery, probes_again,
		probe_after_a_vain_one, probe_when_the_last_has_come, nothing_measured_behind_a_hole,
		nothing_measured_of_what_came_twice, impossible_sacks, reneging, no_burst,
		grows_while_losses_wait, dsack_sent, dsack_received, no_loss_after_all,
		dsack_of_old_timestamps, NULL };
	return raw_main("protocols/tcpip/tcp: recovery", tests);
}
