/*
 * TCP packet by packet: explicit congestion notification. RFC 3168 section 6.1.
 */
#include <string.h>

#include "tests/protocols/tcpip/raw.h"

enum { NOT_ECT, ECT1, ECT0, CE };

static const struct raw_options o = { .mss = 1000, .sack_ok = true };

/* A connection with ECN, opened by the peer or by us; a round trip has 100 ms. */
static struct raw_user *begin(bool passive)
{
	raw_open(NULL);
	if (passive) {
		SEND(.flags = SYN | ECE | CWR, .syn = &o);
		EXPECT(SYN | ACK | ECE, 0, 1, 0);
		raw_run(100 * RAW_MS);
		SEND(.flags = ACK, .seq = 1, .ack = 1);
	} else {
		raw_connect_begin();
		EXPECT(SYN | ECE | CWR, 0, 0, 0);
		raw_run(100 * RAW_MS);
		SEND(.flags = SYN | ACK | ECE, .ack = 1, .syn = &o);
		EXPECT(ACK, 1, 1, 0);
	}
	MUST(raw.opened == 1);
	return &raw.user[0];
}

/* Section 6.1.1: only a SYN with both flags asks, only a SYN,ACK with ECE alone agrees; SYNs and bare acknowledgments are not marked as capable */
START_TEST(negotiation)
{
	static const struct {
		unsigned syn, answer;
	} passive[] = { { 0, 0 }, { ECE, 0 }, { CWR, 0 }, { ECE | CWR, ECE } };
	for (size_t i = 0; i < sizeof passive / sizeof *passive; i++) {
		raw_open(NULL);
		SEND(.flags = SYN | passive[i].syn, .syn = &o);
		const struct raw_out *const a = EXPECT(SYN | ACK | passive[i].answer, 0, 1, 0);
		MUST(a->ecn == NOT_ECT);
		SEND(.flags = ACK, .seq = 1, .ack = 1);
		raw_write(&raw.user[0], text_of("data"));
		MUST(EXPECT(ACK, 1, 1, 4)->ecn == (passive[i].answer != 0 ? ECT0 : NOT_ECT));
		SEND(.flags = ACK, .seq = 1, .ack = 5, .data = text_of("data"));
		MUST(EXPECT(ACK, 5, 5, 0)->ecn == NOT_ECT); /* section 6.1.4 */
	}
	static const struct {
		unsigned answer;
		bool agreed;
	} active[] = { { 0, false }, { ECE, true }, { CWR, false }, { ECE | CWR, false } };
	for (size_t i = 0; i < sizeof active / sizeof *active; i++) {
		raw_open(NULL);
		raw_connect_begin();
		MUST(EXPECT(SYN | ECE | CWR, 0, 0, 0)->ecn == NOT_ECT);
		SEND(.flags = SYN | ACK | active[i].answer, .ack = 1, .syn = &o);
		EXPECT(ACK, 1, 1, 0);
		raw_write(&raw.user[0], text_of("data"));
		MUST(EXPECT(ACK, 1, 1, 4)->ecn == (active[i].agreed ? ECT0 : NOT_ECT));
	}
}
END_TEST

/* Section 6.1.3: a mark is told in each acknowledgment until the sender says that it has slowed down */
START_TEST(mark_is_told)
{
	for (unsigned passive = 0; passive < 2; passive++) {
		begin(passive != 0);
		uint32_t seq = 1;
		SEND(.flags = ACK, .seq = seq++, .ack = 1, .ecn = ECT0, .data = text_of("a"));
		EXPECT(ACK, 1, seq, 0);
		SEND(.flags = ACK, .seq = seq++, .ack = 1, .ecn = CE, .data = text_of("b"));
		EXPECT(ACK | ECE, 1, seq, 0);
		for (unsigned i = 0; i < 3; i++) {
			SEND(.flags = ACK, .seq = seq++, .ack = 1, .ecn = ECT0, .data = text_of("c"));
			EXPECT(ACK | ECE, 1, seq, 0);
		}
		raw_write(&raw.user[0], text_of("data"));
		EXPECT(ACK | ECE, 1, seq, 4);
		SEND(.flags = ACK | CWR, .seq = seq++, .ack = 5, .ecn = ECT0, .data = text_of("d"));
		EXPECT(ACK, 5, seq, 0);
		/* CWR and a new mark at once */
		SEND(.flags = ACK, .seq = seq++, .ack = 5, .ecn = CE, .data = text_of("e"));
		EXPECT(ACK | ECE, 5, seq, 0);
		SEND(.flags = ACK | CWR, .seq = seq++, .ack = 5, .ecn = CE, .data = text_of("f"));
		EXPECT(ACK | ECE, 5, seq, 0);
		MUST_EQ(raw_count("ecn_ce"), 3);
	}
}
END_TEST

/* Where it was not agreed on, marks and flags say nothing */
START_TEST(not_agreed)
{
	raw_open(NULL);
	struct raw_user *const u = raw_accept(&o);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .ecn = CE, .data = text_of("a"));
	EXPECT(ACK, 1, 2, 0);
	raw_write(u, raw_bytes(30000, 1));
	for (unsigned i = 0; i < 10; i++)
		EXPECT(ACK, 1 + i * 1000u, 2, 1000);
	SEND(.flags = ACK | ECE, .seq = 2, .ack = 10001);
	size_t count = 0;
	while (raw_waiting() != 0) {
		MUST((raw_next()->flags & CWR) == 0);
		count++;
	}
	MUST_EQ(count, 20);
}
END_TEST

/* Section 6.1.2: ECE is answered as a loss, but nothing is sent again, and only once a round trip; CWR is in the next new data */
START_TEST(slows_down)
{
	struct raw_user *const u = begin(true);
	raw_write(u, raw_bytes(200000, 1));
	for (unsigned i = 0; i < 10; i++)
		EXPECT(ACK, 1 + i * 1000u, 1, 1000);
	raw_run(100 * RAW_MS);
	/* ten in flight; each acknowledgment of two segments has ECE */
	unsigned cwr = 0;
	uint32_t end = 10001;
	for (uint32_t ack = 2001; ack <= 10001; ack += 2000) {
		SEND(.flags = ACK | ECE, .seq = 1, .ack = ack);
		while (raw_waiting() != 0) {
			const struct raw_out *const s = raw_next();
			MUST(raw_seq(s) == end && s->ecn == ECT0); /* new data */
			cwr += (s->flags & CWR) != 0;
			end += 1000;
			MUST_SAY(end - ack <= 10000, "%u in flight", end - ack);
		}
	}
	MUST_SAY(cwr == 1, "%u times", cwr);
	const uint32_t flight = end - 10001;
	MUST_SAY(flight >= 5000 && flight <= 8000, "%u in flight, of ten thousand before", flight);
	/* a round trip later it counts again */
	raw_run(100 * RAW_MS);
	SEND(.flags = ACK | ECE, .seq = 1, .ack = end);
	cwr = 0;
	while (raw_waiting() != 0)
		cwr += (raw_next()->flags & CWR) != 0;
	MUST_SAY(cwr == 1, "%u times", cwr);
	MUST(raw_count("retrans_segs") == 0 && raw_count("fast_recoveries") == 0);
}
END_TEST

/* Section 6.1.5: what is sent again is not marked as capable, or an old one could be marked as well */
START_TEST(again_without)
{
	struct raw_user *const u = begin(true);
	raw_write(u, text_of("data"));
	MUST(EXPECT(ACK, 1, 1, 4)->ecn == ECT0);
	raw_run(2 * RAW_SECOND);
	MUST(EXPECT(ACK, 1, 1, 4)->ecn == NOT_ECT);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { negotiation, mark_is_told, not_agreed, slows_down, again_without,
		NULL };
	return raw_main("protocols/tcpip/tcp: ECN", tests);
}
