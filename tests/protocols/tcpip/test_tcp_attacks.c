/*
 * TCP packet by packet: what those do who are not the peer, or a bad one. RFC 5961, RFC 6528, RFC 7323 section 5, RFC 5927.
 */
#include <stdlib.h>
#include <string.h>

#include "net/icmp4.h"
#include "net/icmp6.h"
#include "tests/protocols/tcpip/raw.h"

static const struct raw_options plain = { .mss = 1460 },
				rich = { .mss = 1460, .scale = 7, .sack_ok = true, .ts = true };

static struct raw_user *begin(const struct raw_options *o)
{
	raw_open(NULL);
	return raw_accept(o);
}

/* The connection stands, and takes data. */
static void must_live(struct raw_user *u, uint32_t seq)
{
	const size_t before = u->len;
	raw_forget();
	SEND(.flags = ACK, .seq = seq, .ack = 1, .data = text_of("alive"));
	raw_run(100 * RAW_MS);
	MUST(!u->reset && u->len == before + 5u && raw_waiting() == 1);
	EXPECT(ACK, 1, seq + 5u, 0);
}

/* ---- blind segments ---- */

/* RFC 5961 section 3.2: only the exact number resets; elsewhere in the window it is challenged, outside nothing happens */
START_TEST(blind_reset)
{
	struct raw_user *const u = begin(&plain);
	SEND(.flags = RST, .seq = 2);
	EXPECT(ACK, 1, 1, 0);
	SEND(.flags = RST, .seq = 65535);
	EXPECT(ACK, 1, 1, 0);
	SEND(.flags = RST | ACK, .seq = 30000, .ack = 1);
	EXPECT(ACK, 1, 1, 0);
	MUST_EQ(raw_count("challenge_acks"), 3);
	SEND(.flags = RST, .seq = 65536);
	SEND(.flags = RST, .seq = 0);
	SEND(.flags = RST, .seq = UINT32_MAX / 2);
	EXPECT_NONE();
	must_live(u, 1);
	SEND(.flags = RST, .seq = 6);
	EXPECT_NONE();
	MUST(u->reset && raw_count("estab_resets") == 1 && raw_count("connections") == 0);
}
END_TEST

/* RFC 5961 section 4.2: a SYN is challenged, whatever its number is */
START_TEST(blind_syn)
{
	struct raw_user *const u = begin(&plain);
	static const uint32_t seqs[] = { 0, 1, 2, 65535, 65536, UINT32_MAX / 2u, UINT32_MAX };
	for (size_t i = 0; i < sizeof seqs / sizeof *seqs; i++) {
		SEND(.flags = SYN, .seq = seqs[i]);
		EXPECT(ACK, 1, 1, 0);
		SEND(.flags = SYN | ACK, .seq = seqs[i], .ack = 1);
		EXPECT(ACK, 1, 1, 0);
	}
	must_live(u, 1);
}
END_TEST

/* RFC 5961 section 5.2: data counts only with an acknowledgment that the peer can have sent */
START_TEST(blind_data)
{
	struct raw_user *const u = begin(&plain);
	raw_write(u, raw_bytes(1000, 1));
	raw_forget();
	SEND(.flags = ACK, .seq = 1, .ack = 1001, .data = text_of("first"));
	raw_run(100 * RAW_MS);
	raw_forget();
	static const uint32_t bad[] = { 1002, 1003, 70000, UINT32_MAX / 2u - 10u, UINT32_MAX / 2u + 2000u,
		UINT32_MAX - 70000u };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		SEND(.flags = ACK, .seq = 6, .ack = bad[i], .data = text_of("evil"));
		EXPECT(ACK, 1001, 6, 0);
		MUST(u->len == 5);
	}
	MUST(raw_count("future_acks") >= 3 && raw_count("old_acks") >= 2);
	/* older ones within the largest window that there was are good */
	SEND(.flags = ACK, .seq = 6, .ack = 1, .data = text_of("good"));
	MUST(u->len == 9);
	/* without ACK it is dropped (RFC 9293 section 3.10.7.4, fifth) */
	raw_run(100 * RAW_MS);
	raw_forget();
	SEND(.flags = 0, .seq = 10, .data = text_of("evil"));
	SEND(.flags = FIN, .seq = 10);
	EXPECT_NONE();
	MUST(u->len == 9 && !u->eof);
}
END_TEST

/* RFC 5961 section 7: few challenges in a second, whoever asks, and how many can't be told from what one has seen */
START_TEST(challenges_are_few)
{
	struct raw_user *const u = begin(&plain);
	size_t counts[8];
	raw.lossy = true;
	for (unsigned round = 0; round < 8; round++) {
		raw_run(RAW_SECOND);
		raw.now_ns = raw.now_ns / RAW_SECOND * RAW_SECOND;
		const size_t before = raw.sent;
		for (unsigned i = 0; i < 3000; i++) {
			switch (i % 4) {
			case 0: SEND(.flags = RST, .seq = 2); break;
			case 1: SEND(.flags = SYN, .seq = 2); break;
			case 2: SEND(.flags = ACK, .seq = 1, .ack = 70000); break;
			default: SEND(.flags = ACK, .seq = 1, .ack = UINT32_MAX - 100000u); break;
			}
		}
		counts[round] = raw.sent - before;
		MUST_SAY(counts[round] <= 1000, "%zu", counts[round]);
	}
	unsigned same = 0;
	for (unsigned round = 1; round < 8; round++)
		same += counts[round] == counts[0];
	MUST(same < 4);
	raw.lossy = false;
	must_live(u, 1);
}
END_TEST

/* Acknowledgments of what is long acknowledged, 100,000: they cost nothing and change nothing */
START_TEST(old_acknowledgments)
{
	struct raw_user *const u = begin(&plain);
	raw_write(u, raw_bytes(1000, 1));
	SEND(.flags = ACK, .seq = 1, .ack = 1001);
	raw_forget();
	for (unsigned i = 0; i < 100000; i++)
		SEND(.flags = ACK, .seq = 1, .ack = 1 + i % 1000u);
	EXPECT_NONE();
	raw_write(u, text_of("go on"));
	EXPECT(ACK, 1001, 1, 5);
}
END_TEST

/* Two ends that find each other's numbers wrong don't answer each other for ever: an empty segment outside is challenged at most */
START_TEST(no_war_of_acknowledgments)
{
	begin(&plain);
	raw.lossy = true;
	const size_t before = raw.sent;
	for (unsigned i = 0; i < 5000; i++)
		SEND(.flags = ACK, .seq = 70000, .ack = 1);
	MUST_SAY(raw.sent - before <= 1000, "%zu", raw.sent - before);
}
END_TEST

/* ---- numbers ---- */

/* RFC 6528, RFC 9293 section 3.4.1 (MUST-8): no two peers see the same, nothing can be told from the last ones */
START_TEST(isns)
{
	enum { COUNT = 500 };
	uint32_t isn[COUNT];
	raw_open(NULL);
	for (unsigned i = 0; i < COUNT; i++) {
		raw_peer("192.0.2.9", (uint16_t)(5000 + i));
		SEND(.flags = SYN);
		EXPECT(SYN | ACK, 0, 1, 0);
		isn[i] = raw.iss;
		SEND(.flags = RST, .seq = 1);
		raw_run(RAW_MS);
	}
	unsigned equal = 0, positive = 0;
	for (unsigned i = 2; i < COUNT; i++) {
		equal += isn[i] - isn[i - 1u] == isn[i - 1u] - isn[i - 2u];
		positive += (int32_t)(isn[i] - isn[i - 1u]) > 0;
		for (unsigned j = 0; j < i; j++)
			MUST(isn[i] != isn[j]);
	}
	MUST_SAY(equal == 0 && positive > COUNT / 3 && positive < COUNT * 2 / 3, "%u equal, %u positive",
		equal, positive);
	/* the same peer sees them grow, so that old segments are outside */
	uint32_t last = 0;
	for (unsigned i = 0; i < 100; i++) {
		SEND(.flags = SYN);
		EXPECT(SYN | ACK, 0, 1, 0);
		SEND(.flags = RST, .seq = 1);
		MUST(i == 0 || (raw.iss - last > 0 && raw.iss - last < 1000000));
		last = raw.iss;
		raw_run(RAW_SECOND);
	}
}
END_TEST

/* RFC 7323 section 5.4: nor do timestamps tell how long we run, or of each other */
START_TEST(timestamps_of_ours)
{
	uint32_t value[50];
	raw_open(NULL);
	for (unsigned i = 0; i < 50; i++) {
		raw_peer("192.0.2.9", (uint16_t)(5000 + i));
		SEND(.flags = SYN, .syn = &rich);
		value[i] = EXPECT(SYN | ACK, 0, 1, 0)->ts_value;
		for (unsigned j = 0; j < i; j++)
			MUST(value[j] - value[i] + 100000u > 200000u);
	}
}
END_TEST

/* RFC 6056: ports of attempts to different peers have no pattern, those to one peer are not used again soon */
START_TEST(ports)
{
	enum { COUNT = 60 };
	uint16_t port[COUNT];
	static const char *const peers[] = { "192.0.2.9", "192.0.2.10", "198.51.100.1" };
	raw_open(NULL);
	unsigned equal = 0;
	for (unsigned i = 0; i < COUNT; i++) {
		raw_peer(peers[i % 3u], (uint16_t)(1000 + i % 5u));
		raw_connect_begin();
		port[i] = raw.port;
		mrg_tcpip_connect_cancel(&raw.attempt);
		raw_run(0);
		MUST(port[i] >= 1024);
		for (unsigned j = 0; j < i; j++)
			MUST(port[j] != port[i] || i % 15u != j % 15u);
		equal += i > 1 &&
			 (uint16_t)(port[i] - port[i - 1u]) == (uint16_t)(port[i - 1u] - port[i - 2u]);
	}
	MUST_SAY(equal < 3, "%u equal differences", equal);
}
END_TEST

/* ---- bad segments ---- */

/* Wrong checksums, each bit (RFC 9293 section 3.1, MUST-3) */
START_TEST(bad_checksum)
{
	struct raw_user *const u = begin(&plain);
	for (unsigned bit = 0; bit < 8 * 25; bit++) {
		uint8_t b[100];
		const struct mrg_span g = raw_build(
			&(struct raw_segment){ .flags = ACK, .seq = 1, .ack = 1, .data = text_of("wrong") });
		/* the right sum first, then a bit is turned */
		memcpy(b, g.p, g.len);
		mrg_put_be16(b + MRG_NET_TCP_CHECKSUM_AT, (uint16_t)(bit + 1u));
		raw_send_octets((struct mrg_span){ b, g.len }, false);
	}
	EXPECT_NONE();
	MUST(u->len == 0 && raw_count("in_csum_errors") >= 198);
	must_live(u, 1);
}
END_TEST

/* Every length, and every header length */
START_TEST(bad_lengths)
{
	struct raw_user *const u = begin(&plain);
	const struct mrg_span g = raw_build(
		&(struct raw_segment){ .flags = ACK, .seq = 1, .ack = 1, .data = text_of("wrong") });
	for (size_t len = 0; len < 20; len++)
		raw_send_octets((struct mrg_span){ g.p, len }, true);
	MUST_EQ(raw_count("in_errs"), 20);
	for (unsigned words = 0; words < 16; words++) {
		uint8_t b[100];
		memcpy(b, g.p, g.len);
		b[12] = (uint8_t)(words << 4);
		if (words < 5 || words * 4u > g.len)
			raw_send_octets((struct mrg_span){ b, g.len }, true);
	}
	EXPECT_NONE();
	MUST_EQ(raw_count("in_errs"), 20 + 5 + 9);
	must_live(u, 1);
}
END_TEST

/* Options whose length is 0, 1, or beyond the end: the segment is dropped and counted (RFC 9293 section 3.2, MUST-7) */
START_TEST(bad_options)
{
	struct raw_user *const u = begin(&rich);
	for (unsigned kind = 2; kind < 256; kind++)
		for (unsigned len = 0; len < 256; len = len < 45 ? len + 1u : len + 70u) {
			const uint8_t b[4] = { 1, 1, (uint8_t)kind, (uint8_t)len };
			if (len != 2)
				SEND(.flags = ACK, .seq = 1, .ack = 1, .options = { b, 4 },
					.data = text_of("wrong"));
		}
	MUST(u->len == 0 && !u->reset);
	raw_forget();
	must_live(u, 1);
}
END_TEST

/* A peer that sends one octet again and again, as old systems do to find out whether we live: RFC 9293 section 3.8.4 */
START_TEST(keepalive_of_peer)
{
	for (unsigned with = 0; with < 2; with++) {
		struct raw_user *const u = begin(with == 0 ? &plain : &rich);
		must_live(u, 1);
		SEND(.flags = ACK, .seq = 5, .ack = 1);
		EXPECT(ACK, 1, 6, 0);
		SEND(.flags = ACK, .seq = 5, .ack = 1, .data = text_of("?"));
		EXPECT(ACK, 1, 6, 0);
		MUST(u->len == 5);
	}
}
END_TEST

/* From us to us: RFC 9293 section 3.9.2.3 and "land" */
START_TEST(land)
{
	raw_open(NULL);
	raw_peer("10.0.0.2", 80);
	SEND(.flags = SYN);
	SEND(.flags = SYN | ACK, .ack = 1);
	SEND(.flags = ACK, .ack = 1, .seq = 1);
	raw_run(RAW_SECOND);
	EXPECT_NONE();
	MUST(raw_count("half_open") == 0 && raw_count("connections") == 0);
	static const char *const sources[] = { "0.0.0.0", "255.255.255.255", "10.0.0.255", "224.0.0.1",
		"127.0.0.1", "240.0.0.1" };
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
		raw_peer(sources[i], 80);
		SEND(.flags = SYN);
	}
	EXPECT_NONE();
	MUST(raw_count("half_open") == 0);
}
END_TEST

/* CVE-2019-11477 to 11479: tiny segments are bounded in number, SACKs of parts of them in memory */
START_TEST(tiny_segments)
{
	struct raw_user *const u = begin(&(struct raw_options){ .mss = 1, .sack_ok = true, .scale = 14 });
	raw_write(u, raw_bytes(65536, 1));
	uint32_t una = 1;
	size_t count = 0, told = 0;
	while (una < 65537) {
		uint32_t end = una;
		MUST(raw_waiting() != 0);
		while (raw_waiting() != 0) {
			const struct raw_out *const o = raw_next();
			count++;
			end = raw_seq(o) + (uint32_t)o->len > end ? raw_seq(o) + (uint32_t)o->len : end;
		}
		for (uint32_t at = una + 2; at + 4 < end; at += 8, told++) /* holes everywhere */
			SEND(.flags = ACK, .seq = 1, .ack = una,
				.sack = { { at, at + 1 }, { at + 2, at + 3 }, { at + 4, at + 5 } },
				.sack_count = 3);
		count += raw_waiting();
		raw_forget();
		una = end;
		SEND(.flags = ACK, .seq = 1, .ack = una, .window = 65535);
		raw_run(5 * RAW_MS);
	}
	MUST_SAY(count < 65536 / 32 + 2u * told, "%zu segments for %zu", count, told);
	MUST(!u->reset);
}
END_TEST

/* ---- timestamps ---- */

/* RFC 7323 section 5.3 (PAWS); section 3.2: where they were agreed on, what has none is dropped */
START_TEST(timestamps)
{
	raw_open(NULL);
	SEND(.flags = SYN, .syn = &rich, .ts_value = 1000000);
	raw.ts = true;
	SEND(.flags = ACK, .seq = 1, .ack = 1, .ts_value = 1000000);
	struct raw_user *const u = &raw.user[0];
	raw_forget();
	SEND(.flags = ACK, .seq = 1, .ack = 1, .ts_value = 999999, .data = text_of("old"));
	MUST(EXPECT(ACK, 1, 1, 0)->ts_echo == 1000000);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .ts_value = 1000000u + UINT32_MAX / 2u + 5u,
		.data = text_of("old"));
	EXPECT(ACK, 1, 1, 0);
	MUST_EQ(raw_count("paws_drops"), 2);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .no_ts = true, .data = text_of("none"));
	MUST(raw_count("no_timestamp_drops") == 1 && u->len == 0);
	raw_forget();
	SEND(.flags = ACK, .seq = 1, .ack = 1, .ts_value = 1000000, .data = text_of("same"));
	EXPECT(ACK, 1, 5, 0);
	/* section 4.3: out of order it is not taken over, or the sender would measure too little */
	SEND(.flags = ACK, .seq = 8, .ack = 1, .ts_value = 1000050, .data = text_of("x"));
	MUST(EXPECT(ACK, 1, 5, 0)->ts_echo == 1000000);
	SEND(.flags = ACK, .seq = 5, .ack = 1, .ts_value = 1000040, .data = text_of("abc"));
	MUST(EXPECT(ACK, 1, 9, 0)->ts_echo == 1000040);
	/* outside of the window it is not taken over either */
	SEND(.flags = ACK, .seq = 9 + (1u << 30), .ack = 1, .ts_value = 2000000, .data = text_of("x"));
	MUST(EXPECT(ACK, 1, 9, 0)->ts_echo == 1000040);
	/* section 5.5: after 24 days it may be anything */
	raw_run(UINT64_C(25) * 24 * 3600 * RAW_SECOND);
	raw_forget();
	if (u->stream != NULL && raw_count("connections") == 1) {
		SEND(.flags = ACK, .seq = 9, .ack = 1, .ts_value = 5, .data = text_of("late"));
		MUST(u->len == 12);
	}
	/* RST needs none */
	SEND(.flags = RST, .seq = 13, .no_ts = true);
	MUST(u->reset);
}
END_TEST

/* ---- ICMP ---- */

/* RFC 9293 section 3.9.2.2, RFC 5927: what is hard ends an attempt, and nothing that stands */
START_TEST(icmp_errors)
{
	for (unsigned version = 4; version <= 6; version += 2) {
		const bool four = version == 4;
		const uint8_t type = four ? MRG_NET_ICMP4_TYPE_UNREACHABLE : MRG_NET_ICMP6_TYPE_UNREACHABLE;
		const uint8_t port =
			four ? MRG_NET_ICMP4_UNREACHABLE_CODE_PORT : MRG_NET_ICMP6_UNREACHABLE_CODE_PORT;
		four ? raw_open(NULL) : raw_open6();
		raw_connect_begin();
		EXPECT(SYN | ECE | CWR, 0, 0, 0);
		raw_icmp(type, 0, 0, 0, raw.port);    /* soft */
		raw_icmp(type, port, 0, 1, raw.port); /* not of our SYN */
		raw_icmp(type, port, 0, UINT32_MAX, raw.port);
		raw_icmp(type, port, 0, 0, (uint16_t)(raw.port + 1u));
		MUST(!raw.failed);
		raw_icmp(type, port, 0, 0, raw.port);
		MUST(raw.failed && (raw.why == MRG_NET_WHY_UNREACHABLE || raw.why == MRG_NET_WHY_REFUSED));
		/* one that stands */
		four ? raw_open(NULL) : raw_open6();
		struct raw_user *const u = raw_accept(&plain);
		raw_write(u, text_of("data"));
		raw_forget();
		for (uint8_t code = 0; code < 16; code++)
			if (!four || code != MRG_NET_ICMP4_UNREACHABLE_CODE_FRAGMENTATION_NEEDED)
				raw_icmp(type, code, 0, 1, 80);
		EXPECT_NONE();
		MUST(!u->reset);
		SEND(.flags = ACK, .seq = 1, .ack = 5, .data = text_of("alive"));
		EXPECT(ACK, 5, 6, 0);
		MUST(u->len == 5);
	}
}
END_TEST

/* RFC 1191, RFC 8201, RFC 5927 section 7: a smaller MTU is believed only of what is in flight, and never below what is sensible */
START_TEST(icmp_too_big)
{
	for (unsigned version = 4; version <= 6; version += 2) {
		const bool four = version == 4;
		const uint8_t type = four ? MRG_NET_ICMP4_TYPE_UNREACHABLE : MRG_NET_ICMP6_TYPE_TOO_BIG;
		const uint8_t code = four ? MRG_NET_ICMP4_UNREACHABLE_CODE_FRAGMENTATION_NEEDED : 0;
		const uint32_t headers = four ? 40 : 60;
		four ? raw_open(NULL) : raw_open6();
		struct raw_user *const u = raw_accept(&plain);
		raw_write(u, raw_bytes(5000, 1));
		const uint32_t end = 5001;
		raw_forget();
		raw_icmp(type, code, 1300, 0, 80); /* acknowledged long ago */
		raw_icmp(type, code, 1300, end, 80);
		raw_icmp(type, code, 1300, 1u << 31, 80);
		EXPECT_NONE();
		raw_icmp(type, code, 1300, 1, 80);
		/* all of it again, in pieces that fit */
		uint32_t next = 1;
		for (unsigned i = 0; i < 20 && next < end; i++) {
			while (raw_waiting() != 0) {
				const struct raw_out *const o = raw_next();
				MUST_SAY(o->len <= 1300 - headers, "%zu octets", o->len);
				if (raw_seq(o) == next)
					next += (uint32_t)o->len;
			}
			SEND(.flags = ACK, .seq = 1, .ack = next);
		}
		MUST_SAY(next == end, "to %u", next);
		raw_write(u, raw_bytes(3000, 1));
		MUST(raw_next()->len == 1300 - headers);
		raw_forget();
		raw_icmp(type, code, 68, next, 80);
		MUST((raw_waiting() != 0) == four); /* no IPv6 link has less than 1280 */
		if (four)
			MUST(raw_next()->len == 512);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { blind_reset, blind_syn, blind_data, challenges_are_few,
		old_acknowledgments, no_war_of_acknowledgments, isns, timestamps_of_ours, ports, bad_checksum,
		bad_lengths, bad_options, keepalive_of_peer, land, tiny_segments, timestamps, icmp_errors,
		icmp_too_big, NULL };
	return raw_main("protocols/tcpip/tcp: attacks", tests);
}
