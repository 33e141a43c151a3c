/*
 * TCP packet by packet: floods of SYNs, cookies, and memory that runs out. RFC 4987; what is full is refused and counted, and what
 * stands is not harmed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/protocols/tcpip/raw.h"

static const struct raw_options plain = { .mss = 1460 },
				rich = { .mss = 1460, .scale = 7, .sack_ok = true, .ts = true };

static void from_anywhere(void)
{
	char a[40];
	snprintf(a, sizeof a, "%u.%u.%u.%u", 11 + any(80), any(256), any(256), 1 + any(250));
	raw_peer(a, (uint16_t)(1 + any(65535)));
}

static void fill_half_open(void)
{
	for (uint16_t i = 0; i < 64; i++) {
		raw_peer("192.0.2.200", (uint16_t)(1 + i));
		SEND(.flags = SYN, .syn = &rich);
	}
	MUST(raw_count("half_open") == 64);
	raw_forget();
	raw_peer("192.0.2.9", 5000);
	raw.only = true;
}

/* ---- floods ---- */

/* 100,000 SYNs from everywhere: state is bounded, who stands goes on, who comes is served */
START_TEST(syn_flood)
{
	raw_open(NULL);
	any_begin(1);
	struct raw_user *const old = raw_accept(&plain);
	const uint32_t iss = raw.iss;
	raw.lossy = true;
	for (unsigned i = 0; i < 100000; i++) {
		from_anywhere();
		SEND(.flags = SYN, .seq = any(1u << 30), .syn = i % 2u != 0 ? &rich : &plain);
		if (i % 1000 == 0)
			raw_run(RAW_MS);
	}
	raw.lossy = false;
	MUST(raw_count("half_open") == 64 && raw_count("connections") == 1);
	MUST_EQ(raw_count("syn_cookies_sent"), 100000 - 64);
	for (unsigned i = 0; i < 20; i++) {
		raw_peer("198.51.100.1", (uint16_t)(7000 + i));
		raw.iss = 0;
		struct raw_user *const u = raw_accept(i % 2u != 0 ? &rich : &plain);
		SEND(.flags = ACK, .seq = 1, .ack = 1, .data = text_of("request"));
		MUST(u->len == 7);
	}
	raw_peer("192.0.2.9", 5000);
	raw.iss = iss;
	raw.ts = false;
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = text_of("still there"));
	MUST(old->len == 11 && !old->reset);
	/* when it is over, everything is as it was */
	raw_run(100 * RAW_SECOND);
	MUST(raw_count("half_open") == 0);
}
END_TEST

/* ---- cookies ---- */

/* What was agreed on comes back with the cookie: with timestamps all of it, without them a MSS not above that of the peer */
START_TEST(cookies)
{
	for (unsigned with = 0; with < 16; with++) {
		const struct raw_options o = { .mss = 1200,
			.scale = with & 1u ? 9 : 0,
			.sack_ok = (with & 2u) != 0,
			.ts = (with & 4u) != 0 };
		raw_open(NULL);
		fill_half_open();
		raw.ts = false;
		SEND(.flags = SYN, .syn = &o);
		const struct raw_out *const a = EXPECT(SYN | ACK, 0, 1, 0);
		MUST(a->has_ts == o.ts && a->has_scale == (o.ts && (with & 1u) != 0) &&
			a->sack_ok == (o.ts && o.sack_ok));
		MUST(raw_count("half_open") == 64 && raw_count("syn_cookies_sent") == 1);
		raw.ts = o.ts;
		raw_run((with & 8u) != 0 ? 60 * RAW_SECOND : RAW_MS);
		raw_forget();
		SEND(.flags = ACK, .seq = 1, .ack = 1, .window = 100);
		MUST(raw.opened == 1 && raw_count("syn_cookies_recv") == 1);
		struct raw_user *const u = &raw.user[0];
		SEND(.flags = ACK, .seq = 11, .ack = 1, .window = 100, .data = text_of("x"));
		MUST_EQ(raw_next()->sack_count, o.ts && o.sack_ok);
		raw_forget();
		raw_write(u, raw_bytes(3000, 1));
		raw_run(RAW_SECOND);
		if (o.ts && (with & 1u) != 0) { /* 100 << 9 */
			const size_t len = raw_next()->len;
			MUST_SAY(len > 900 && len <= 1188, "%zu octets", len);
		} else {
			size_t most = 0;
			while (raw_waiting() != 0) {
				const struct raw_out *const s = raw_next();
				MUST_SAY(raw_seq(s) + s->len <= 101, "%u: %u, %zu octets", with, raw_seq(s),
					s->len);
				most = s->len > most ? s->len : most;
			}
			MUST(most == 100);
		}
	}
}
END_TEST

/* Data and FIN may come with the cookie, and the cookie with data that is sent again */
START_TEST(cookie_with_data)
{
	raw_open(NULL);
	fill_half_open();
	SEND(.flags = SYN, .syn = &plain);
	EXPECT(SYN | ACK, 0, 1, 0);
	SEND(.flags = FIN | ACK, .seq = 1, .ack = 1, .data = text_of("GET /"));
	MUST(raw.opened == 1 && raw.user[0].len == 5 && raw.user[0].eof);
	EXPECT(ACK, 1, 7, 0);
}
END_TEST

/* Guessed, of another peer, of another time, turned in any bit: refused with a RST */
START_TEST(wrong_cookies)
{
	raw_open(NULL);
	fill_half_open();
	SEND(.flags = SYN, .syn = &plain);
	EXPECT(SYN | ACK, 0, 1, 0);
	const uint32_t iss = raw.iss;
	for (unsigned bit = 0; bit < 32; bit++) {
		if (bit >= 24 && bit < 27)
			continue; /* those of the MSS, which is the peer's own affair */
		SEND(.flags = ACK, .seq = 1, .ack = 1u + (iss ^ 1u << bit) - iss);
		MUST(raw_next()->flags == RST);
	}
	SEND(.flags = ACK, .seq = 2, .ack = 1); /* another number of the peer */
	MUST(raw_next()->flags == RST);
	SEND(.flags = SYN | ACK, .seq = 1, .ack = 1);
	MUST(raw_next()->flags == RST);
	raw_peer("192.0.2.9", 5001);
	SEND(.flags = ACK, .seq = 1, .ack = 1);
	MUST(raw_next()->flags == RST);
	raw_peer("192.0.2.10", 5000);
	SEND(.flags = ACK, .seq = 1, .ack = 1);
	MUST(raw_next()->flags == RST);
	MUST(raw.opened == 0);
	raw_peer("192.0.2.9", 5000);
	raw_run(200 * RAW_SECOND); /* too old */
	fill_half_open();          /* others are sent, so that it is asked at all */
	for (unsigned i = 0; i < 3; i++) {
		raw_peer("192.0.2.77", (uint16_t)(1 + i));
		SEND(.flags = SYN);
	}
	raw_forget();
	raw_peer("192.0.2.9", 5000);
	raw.iss = iss;
	SEND(.flags = ACK, .seq = 1, .ack = 1);
	MUST(raw_next()->flags == RST && raw.opened == 0);
	MUST(raw_count("syn_cookies_failed") == 29 + 5 && raw_count("syn_cookies_recv") == 0);
}
END_TEST

/* Where none was sent none is believed: a million guesses would find one else */
START_TEST(cookies_not_asked_for)
{
	raw_open(NULL);
	fill_half_open();
	SEND(.flags = SYN, .syn = &plain);
	EXPECT(SYN | ACK, 0, 1, 0);
	const uint32_t iss = raw.iss;
	raw_open(NULL); /* the same secret, at the same time */
	raw.iss = iss;
	SEND(.flags = ACK, .seq = 1, .ack = 1);
	MUST(raw_next()->flags == RST && raw.opened == 0);
}
END_TEST

/* ---- memory ---- */

/* No room for another connection: the user is asked for one that he can spare, the peer tries again, and nothing else happens */
START_TEST(connections_full)
{
	struct mrg_tcpip_limits l = raw_limits();
	l.conn_count = 3;
	raw_open(&l);
	struct raw_user *u[3];
	uint32_t iss[3];
	for (uint16_t i = 0; i < 3; i++) {
		raw_peer("192.0.2.9", (uint16_t)(1 + i));
		u[i] = raw_accept(&plain);
		iss[i] = raw.iss;
	}
	raw_peer("192.0.2.9", 10);
	SEND(.flags = SYN);
	EXPECT(SYN | ACK, 0, 1, 0);
	SEND(.flags = ACK, .seq = 1, .ack = 1);
	MUST(raw.opened == 3 && raw.spared == 1 && raw_count("conn_full") == 1 &&
		raw_count("listen_overflows") == 1);
	EXPECT_NONE(); /* it stays half open */
	const uint32_t waiting = raw.iss;
	/* those that stand */
	for (uint16_t i = 0; i < 3; i++) {
		raw_peer("192.0.2.9", (uint16_t)(1 + i));
		raw.iss = iss[i];
		SEND(.flags = ACK, .seq = 1, .ack = 1, .data = text_of("mine"));
		MUST(u[i]->len == 4);
	}
	/* no room for an attempt either: it fails at once */
	const struct mrg_rt_addr to = { .family = 4, .port = 9, .ip = { 192, 0, 2, 9 } };
	raw.attempt.user = &raw.served;
	MUST(!mrg_tcpip_connect(raw.s, &raw.attempt, NULL, &to));
	/* one goes: the SYN,ACK that is sent again opens it */
	raw_forget();
	SEND(.flags = RST, .seq = 5);
	raw_peer("192.0.2.9", 10);
	raw.iss = waiting;
	raw_run(5 * RAW_SECOND);
	MUST(raw_waiting() >= 1);
	raw_forget();
	SEND(.flags = ACK, .seq = 1, .ack = 1);
	MUST(raw.opened == 4);
}
END_TEST

/* No buffers: who asks for more waits, and gets it when there is some; who has some is not harmed */
START_TEST(buffers_full)
{
	struct mrg_tcpip_limits l = raw_limits();
	l.receive_max = l.send_max = 1u << 16;
	l.buffer_len = 1u << 17;
	raw_open(&l);
	raw.hold = true;
	enum { MANY = 12 };
	struct raw_user *u[MANY];
	uint32_t iss[MANY], next[MANY];
	const struct mrg_span all = raw_bytes(1000, 7);
	for (uint16_t i = 0; i < MANY; i++) {
		raw_peer("192.0.2.9", (uint16_t)(1 + i));
		u[i] = raw_accept(&plain);
		iss[i] = raw.iss;
		next[i] = 1;
	}
	/* each sends until nothing is taken any more */
	for (unsigned round = 0; round < 70; round++)
		for (uint16_t i = 0; i < MANY; i++) {
			raw_peer("192.0.2.9", (uint16_t)(1 + i));
			raw.iss = iss[i];
			SEND(.flags = ACK, .seq = next[i], .ack = 1, .data = all);
			raw_run(50 * RAW_MS);
			while (raw_waiting() != 0) {
				const struct raw_out *const o = raw_next();
				MUST((o->flags & RST) == 0 && raw_ack(o) >= next[i] &&
					raw_ack(o) <= next[i] + 1000);
				next[i] = raw_ack(o);
			}
		}
	MUST(raw_count("buffer_full") > 0);
	size_t sum = 0;
	for (unsigned i = 0; i < MANY; i++)
		sum += next[i] - 1u;
	MUST_SAY(sum > l.buffer_len / 3u && sum < l.buffer_len, "%zu octets are kept", sum);
	/* what was acknowledged is there, and when it was read there is room again */
	raw.hold = false;
	for (uint16_t i = 0; i < MANY; i++) {
		const uint32_t before = next[i];
		raw_read(u[i], 1u << 20);
		MUST_EQ(u[i]->len, before - 1u);
		for (size_t at = 0; at < u[i]->len; at++)
			MUST(u[i]->got[at] == all.p[at % 1000u]);
	}
	raw_forget();
	for (uint16_t i = 0; i < MANY; i++) {
		raw_peer("192.0.2.9", (uint16_t)(1 + i));
		raw.iss = iss[i];
		mrg_stream_want(u[i]->stream, MRG_STREAM_READABLE);
		SEND(.flags = ACK, .seq = next[i], .ack = 1, .data = all);
		MUST_EQ(u[i]->len, next[i] - 1u + 1000u);
	}
}
END_TEST

/* Writing without memory says so, and goes on later */
START_TEST(writing_without_buffers)
{
	struct mrg_tcpip_limits l = raw_limits();
	l.receive_max = l.send_max = 1u << 14;
	l.buffer_len = 1u << 14;
	raw_open(&l);
	struct raw_user *const a = raw_accept(&plain);
	const uint32_t iss = raw.iss;
	raw_peer("192.0.2.10", 1);
	struct raw_user *const b = raw_accept(&plain);
	const struct mrg_span all = raw_bytes(1u << 14, 1);
	size_t done = 0;
	MUST(mrg_stream_write(a->stream, &all, 1, false, &done) == MRG_IO_OK && done < (1u << 14));
	const size_t first = done;
	MUST(mrg_stream_write(b->stream, &all, 1, false, &done) == MRG_IO_AGAIN);
	raw_run(0);
	raw_peer("192.0.2.9", 5000);
	raw.iss = iss;
	raw_forget();
	SEND(.flags = ACK, .seq = 1, .ack = 1u + (uint32_t)(first < 14600 ? first : 14600));
	raw_run(RAW_SECOND);
	raw_forget();
	SEND(.flags = ACK, .seq = 1, .ack = 1u + (uint32_t)first);
	raw_run(RAW_SECOND);
	MUST(mrg_stream_write(b->stream, &all, 1, false, &done) == MRG_IO_OK && done > 1000);
}
END_TEST

/* The arena is too small: no stack, whatever is missing */
START_TEST(small_arena)
{
	struct mrg_tcpip_limits l = raw_limits();
	l.conn_count = l.half_open_count = l.time_wait_count = 4;
	l.buffer_len = 1u << 18;
	l.sent_count = 16;
	static struct mrg_rt_timers timers;
	static const uint64_t now_ns = 1;
	const struct mrg_tcpip_world world = { .timers = &timers, .now_ns = &now_ns };
	const size_t size = mrg_tcpip_memory(&l);
	uint8_t *const p = aligned_alloc(4096, (size + 4095u) / 4096u * 4096u);
	struct mrg_arena arena = { .p = p, .cap = size };
	memset(p, 0, size);
	MUST(mrg_tcpip_open(&arena, &l, &world) != NULL);
	const size_t used = arena.len;
	MUST(used <= size);
	for (size_t cap = 0; cap < used; cap += 1u + cap / 64u) {
		memset(p, 0, size);
		arena = (struct mrg_arena){ .p = p, .cap = cap };
		MUST_SAY(
			mrg_tcpip_open(&arena, &l, &world) == NULL, "opened in %zu of %zu octets", cap, used);
	}
	memset(p, 0, size);
	arena = (struct mrg_arena){ .p = p, .cap = used - 1u };
	MUST(mrg_tcpip_open(&arena, &l, &world) == NULL);
	free(p);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { syn_flood, cookies, cookie_with_data, wrong_cookies,
		cookies_not_asked_for, connections_full, buffers_full, writing_without_buffers, small_arena,
		NULL };
	return raw_main("protocols/tcpip/tcp: floods", tests);
}
