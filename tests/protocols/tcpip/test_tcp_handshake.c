/*
 * TCP packet by packet: how connections begin. RFC 9293 sections 3.5 and 3.10.7, RFC 7323 section 2, RFC 2018 section 2.
 */
#include <string.h>

#include "tests/protocols/tcpip/raw.h"

static const struct raw_options rich = { .mss = 1460, .scale = 7, .sack_ok = true, .ts = true };

/* ---- passive ---- */

/* RFC 9293 section 3.5, figure 6; section 3.7.1 (MUST-14); RFC 7323 sections 1.3 and 3.2: options only where they were offered */
START_TEST(passive_plain)
{
	raw_open(NULL);
	SEND(.flags = SYN);
	const struct raw_out *const o = EXPECT(SYN | ACK, 0, 1, 0);
	MUST(o->has_mss && o->mss == 1460 && !o->has_scale && !o->sack_ok && !o->has_ts &&
		o->options_len == 4);
	MUST(o->window == 65535 && o->source_port == 80 && o->destination_port == 5000);
	MUST(raw.opened == 0 && raw_count("half_open") == 1);
	SEND(.flags = ACK, .seq = 1, .ack = 1);
	EXPECT_NONE();
	MUST(raw.opened == 1 && raw_count("half_open") == 0 && raw_count("connections") == 1);
	MUST_EQ(raw_count("passive_opens"), 1);
}
END_TEST

START_TEST(passive_all_options)
{
	for (unsigned version = 4; version <= 6; version += 2) {
		version == 4 ? raw_open(NULL) : raw_open6();
		SEND(.flags = SYN, .syn = &rich, .ts_value = 77);
		const struct raw_out *const o = EXPECT(SYN | ACK, 0, 1, 0);
		MUST(o->has_mss && o->mss == (version == 4 ? 1460 : 1440) && o->has_scale && o->sack_ok &&
			o->has_ts);
		MUST(o->ts_echo == 77);
		MUST(o->window == 65535); /* RFC 7323 section 2.2: that of a SYN is not scaled */
		raw.ts = true;
		SEND(.flags = ACK | PSH, .seq = 1, .ack = 1, .ts_value = 78, .data = text_of("hello"));
		const struct raw_out *const a = EXPECT(ACK, 1, 6, 0);
		MUST(a->has_ts && a->ts_echo == 78 && a->options_len == 12);
		MUST(raw.user[0].len == 5 && memcmp(raw.user[0].got, "hello", 5) == 0);
		/* receive_max / 2 < window << scale <= receive_max */
		MUST((uint32_t)a->window << o->scale <= 1u << 18 &&
			(uint32_t)a->window << o->scale > 1u << 16);
	}
}
END_TEST

/* RFC 9293 section 3.10.7.2: RST is ignored, ACK is answered with RST, everything else without SYN is dropped */
START_TEST(listen_without_syn)
{
	raw_open(NULL);
	SEND(.flags = RST, .seq = 5);
	SEND(.flags = RST | ACK, .seq = 5, .ack = 9);
	SEND(.flags = 0, .seq = 5);
	SEND(.flags = FIN, .seq = 5);
	EXPECT_NONE();
	raw.iss = 0;
	SEND(.flags = ACK, .seq = 5, .ack = 9);
	EXPECT(RST, 9, 0, 0);
	SEND(.flags = SYN | ACK, .seq = 5, .ack = 9);
	EXPECT(RST, 9, 0, 0);
	SEND(.flags = FIN | ACK, .seq = 5, .ack = 9);
	EXPECT(RST, 9, 0, 0);
	MUST(raw_count("half_open") == 0);
}
END_TEST

/* RFC 9293 section 3.10.7.1: where nobody listens */
START_TEST(nobody_listens)
{
	raw_open(NULL);
	raw.port = 81;
	SEND(.flags = SYN);
	EXPECT(RST | ACK, 0, 1, 0);
	SEND(.flags = SYN, .data = text_of("abc"));
	EXPECT(RST | ACK, 0, 4, 0);
	SEND(.flags = ACK, .ack = 1234, .data = text_of("abc"));
	EXPECT(RST, 1234, 0, 0);
	SEND(.flags = RST);
	SEND(.flags = RST | SYN);
	SEND(.flags = RST | ACK);
	EXPECT_NONE();
	MUST_EQ(raw_count("out_rsts"), 3);
}
END_TEST

/* RFC 9293 section 3.10.7.2 lets SYN with FIN be dropped; CERT VU#464113: it begins nothing. No flags, and all of them */
START_TEST(strange_flags)
{
	raw_open(NULL);
	SEND(.flags = SYN | FIN);
	SEND(.flags = 0);
	SEND(.flags = FIN | PSH | URG);
	SEND(.flags = SYN | FIN | RST | PSH | ACK | URG, .ack = 3);
	EXPECT_NONE();
	MUST(raw_count("half_open") == 0 && raw.opened == 0);
}
END_TEST

/* RFC 9293 section 3.8.1: SYN,ACK is sent again, later each time, and not for ever */
START_TEST(syn_ack_again)
{
	raw_open(NULL);
	SEND(.flags = SYN);
	uint64_t last = EXPECT(SYN | ACK, 0, 1, 0)->at_ns, gap = 0;
	raw_run(200 * RAW_SECOND);
	const size_t times = raw_waiting();
	MUST_SAY(times >= 3 && times <= 8, "%zu times", times);
	for (size_t i = 0; i < times; i++) {
		const struct raw_out *const o = EXPECT(SYN | ACK, 0, 1, 0);
		MUST_SAY(o->at_ns - last >= RAW_SECOND && o->at_ns - last >= 2 * gap, "after %lu ms",
			(unsigned long)((o->at_ns - last) / RAW_MS));
		gap = o->at_ns - last;
		last = o->at_ns;
	}
	MUST(raw_count("half_open") == 0 && raw_count("attempt_fails") == 1);
}
END_TEST

/* The SYN comes again: the answer was lost */
START_TEST(syn_again)
{
	raw_open(NULL);
	SEND(.flags = SYN);
	EXPECT(SYN | ACK, 0, 1, 0);
	const uint32_t iss = raw.iss;
	raw_run(500 * RAW_MS);
	SEND(.flags = SYN);
	EXPECT(SYN | ACK, 0, 1, 0);
	MUST(raw.iss == iss && raw_count("half_open") == 1);
	SEND(.flags = ACK, .seq = 1, .ack = 1);
	MUST(raw.opened == 1);
}
END_TEST

/* RFC 9293 section 3.10.7.4, SYN-RECEIVED: an acknowledgment of something else is answered with a RST, and changes nothing */
START_TEST(wrong_ack_of_syn)
{
	raw_open(NULL);
	SEND(.flags = SYN);
	EXPECT(SYN | ACK, 0, 1, 0);
	SEND(.flags = ACK, .seq = 1, .ack = 2);
	EXPECT(RST, 2, 0, 0);
	SEND(.flags = ACK, .seq = 1, .ack = 0);
	EXPECT(RST, 0, 0, 0);
	MUST(raw.opened == 0 && raw_count("half_open") == 1);
	/* RFC 9293 section 3.10.7.4: without ACK it is dropped */
	SEND(.flags = 0, .seq = 1, .data = text_of("x"));
	EXPECT_NONE();
	SEND(.flags = ACK, .seq = 1, .ack = 1);
	MUST(raw.opened == 1);
}
END_TEST

/* RFC 9293 section 3.10.7.4 with RFC 5961 section 3.2 */
START_TEST(reset_of_half_open)
{
	raw_open(NULL);
	SEND(.flags = SYN);
	EXPECT(SYN | ACK, 0, 1, 0);
	SEND(.flags = RST, .seq = 2);
	EXPECT(ACK, 1, 1, 0);
	SEND(.flags = RST, .seq = 70000);
	EXPECT_NONE();
	MUST(raw_count("half_open") == 1);
	SEND(.flags = RST, .seq = 1);
	EXPECT_NONE();
	MUST(raw_count("half_open") == 0);
}
END_TEST

/* Data with the acknowledgment, and the FIN, too: RFC 9293 section 3.10.7.4 */
START_TEST(last_of_three_brings_more)
{
	raw_open(NULL);
	SEND(.flags = SYN);
	EXPECT(SYN | ACK, 0, 1, 0);
	SEND(.flags = ACK | PSH | FIN, .seq = 1, .ack = 1, .data = text_of("all"));
	EXPECT(ACK, 1, 5, 0);
	MUST(raw.opened == 1 && raw.user[0].len == 3 && raw.user[0].eof);
}
END_TEST

/* RFC 9293 section 3.10.7.2: data with the SYN may be left to be sent again */
START_TEST(syn_with_data)
{
	raw_open(NULL);
	SEND(.flags = SYN, .data = text_of("early"));
	const struct raw_out *const o = raw_next();
	MUST(o->flags == (SYN | ACK) && (raw_ack(o) == 1 || raw_ack(o) == 6));
	const uint32_t next = raw_ack(o);
	SEND(.flags = ACK, .seq = next, .ack = 1);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = text_of("early"));
	MUST(raw.opened == 1 && raw.user[0].len == 5 && memcmp(raw.user[0].got, "early", 5) == 0);
}
END_TEST

/* Who is not wanted is reset: the user says so */
START_TEST(user_refuses)
{
	raw_open(NULL);
	raw.refuse = true;
	SEND(.flags = SYN);
	EXPECT(SYN | ACK, 0, 1, 0);
	SEND(.flags = ACK, .seq = 1, .ack = 1);
	const struct raw_out *const o = raw_next();
	MUST((o->flags & (RST | FIN)) != 0);
	MUST_EQ(raw_count("listen_refused"), 1);
}
END_TEST

/* ---- options ---- */

/* RFC 9293 section 3.7.1 (MUST-15, MUST-16): what the peer says, 536 if nothing; never longer than our own link carries */
START_TEST(mss_of_peer)
{
	static const struct {
		uint16_t mss;
		bool has, ts;
		size_t full;
	} rows[] = {
		{ 0, false, false, 536 },
		{ 1000, true, false, 1000 },
		{ 1000, true, true, 988 },
		{ 1460, true, false, 1460 },
		{ 1460, true, true, 1448 },
		{ 9000, true, false, 1460 },
		{ 65535, true, false, 1460 },
		{ 65535, true, true, 1448 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		raw_open(NULL);
		struct raw_user *const u = raw_accept(&(struct raw_options){
			.has_mss = rows[i].has, .mss = rows[i].mss, .ts = rows[i].ts });
		raw_write(u, raw_bytes(3000, 1));
		const struct raw_out *const o = raw_next();
		MUST_SAY(o->len == rows[i].full, "MSS %u: %zu octets", rows[i].mss, o->len);
	}
}
END_TEST

/* CVE-2019-11479: tiny segments are not sent, but nothing breaks */
START_TEST(mss_0_and_1)
{
	for (unsigned with = 0; with < 8; with++) {
		raw_open(NULL);
		struct raw_user *const u = raw_accept(&(struct raw_options){ .has_mss = true,
			.mss = with & 1u,
			.ts = (with & 2u) != 0,
			.sack_ok = (with & 4u) != 0 });
		raw_write(u, raw_bytes(2000, 1));
		const struct raw_out *const o = raw_next();
		MUST_SAY(o->len >= 40 && o->len <= 536, "%zu octets", o->len);
	}
}
END_TEST

/* RFC 7323 section 2.3: a shift above 14 counts as 14. What is in flight is never more than the window, and becomes as much. */
START_TEST(scale_15_is_14)
{
	static const struct {
		uint8_t scale;
		int32_t window;
		uint32_t bytes;
	} rows[] = { { 0, 3000, 3000 }, { 1, 3000, 6000 }, { 7, 300, 38400 }, { 14, 2, 32768 },
		{ 15, 2, 32768 }, { 255, 2, 32768 } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		raw_open(NULL);
		struct raw_user *const u = raw_accept(
			&(struct raw_options){ .has_scale = true, .scale = rows[i].scale, .mss = 1460 });
		SEND(.flags = ACK, .seq = 1, .ack = 1, .window = rows[i].window);
		raw_write(u, raw_bytes(250000, 1));
		uint32_t una = 1, most = 0;
		for (unsigned n = 0; n < 8; n++) {
			uint32_t end = una;
			while (raw_waiting() != 0) {
				const struct raw_out *const o = raw_next();
				end = raw_seq(o) + (uint32_t)o->len > end ? raw_seq(o) + (uint32_t)o->len
									  : end;
			}
			most = end - una > most ? end - una : most;
			una = end;
			SEND(.flags = ACK, .seq = 1, .ack = una, .window = rows[i].window);
		}
		MUST_SAY(most <= rows[i].bytes && most + 1460u > rows[i].bytes,
			"scale %u: %u octets in flight", rows[i].scale, most);
	}
}
END_TEST

/* RFC 7323 section 2.2: the window of a SYN is not scaled, that of its acknowledgment is not before the option was agreed on */
START_TEST(window_of_syn_is_not_scaled)
{
	raw_open(NULL);
	SEND(.flags = SYN, .syn = &(struct raw_options){ .mss = 1460, .scale = 4 }, .window = 100);
	EXPECT(SYN | ACK, 0, 1, 0);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .window = 100);
	raw_write(&raw.user[0], raw_bytes(5000, 1));
	size_t sent = 0;
	while (raw_waiting() != 0)
		sent += raw_next()->len;
	MUST_SAY(sent == 1460, /* the rest would be silly */ "%zu octets", sent);
}
END_TEST

/* RFC 9293 section 3.2 (MUST-4 to MUST-7): in any order, unknown ones, padding; bad lengths */
START_TEST(odd_options)
{
	static const struct {
		const char *name;
		uint8_t b[40];
		size_t len;
		bool answered;
		unsigned mss, ts;
	} rows[] = {
		{ "end first", { 0, 2, 4, 1, 0 }, 8, true, 0, 0 },
		{ "NOPs", { 1, 1, 1, 1, 2, 4, 2, 0 }, 8, true, 512, 0 },
		{ "unknown", { 200, 4, 1, 2, 2, 4, 2, 0 }, 8, true, 512, 0 },
		{ "unknown, of length 2", { 77, 2, 2, 4, 2, 0, 1, 1 }, 8, true, 512, 0 },
		{ "length 0", { 200, 0, 2, 4, 2, 0, 1, 1 }, 8, false, 0, 0 },
		{ "length 1", { 200, 1, 2, 4, 2, 0, 1, 1 }, 8, false, 0, 0 },
		{ "MSS of length 0", { 2, 0, 2, 0 }, 4, false, 0, 0 },
		{ "past the end", { 2, 4, 2, 0, 200, 9, 1, 1 }, 8, false, 0, 0 },
		{ "just a kind", { 1, 1, 1, 8 }, 4, false, 0, 0 },
		{ "timestamps last", { 2, 4, 2, 0, 1, 1, 8, 10, 0, 0, 0, 5, 0, 0, 0, 0 }, 16, true, 512, 1 },
		{ "timestamps first", { 8, 10, 0, 0, 0, 5, 0, 0, 0, 0, 2, 4, 2, 0, 1, 1 }, 16, true, 512, 1 },
		{ "40 octets",
			{ 2, 4, 2, 0, 3, 3, 4, 4, 2, 8, 10, 0, 0, 0, 5, 0, 0, 0, 0, 34, 18, 1, 2, 3, 4, 5, 6,
				7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 0 },
			40, true, 512, 1 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		raw_open(NULL);
		SEND(.flags = SYN, .options = { rows[i].b, rows[i].len });
		if (!rows[i].answered) {
			/* MUST-7 asks for no crash, and suggests a log and a reset: we drop and count */
			MUST_SAY(raw_waiting() == 0, "%s: answered", rows[i].name);
			MUST_EQ(raw_count("in_bad_options") + raw_count("in_errs"), 1);
			continue;
		}
		MUST_SAY(raw_waiting() == 1, "%s: not answered", rows[i].name);
		const struct raw_out *const o = raw_next();
		MUST_SAY(o->has_ts == (rows[i].ts != 0), "%s", rows[i].name);
		raw.ts = o->has_ts;
		SEND(.flags = ACK, .seq = 1, .ack = 1);
		MUST_SAY(raw.opened == 1, "%s: not opened", rows[i].name);
		raw_write(&raw.user[0], raw_bytes(1000, 1));
		const size_t full = (rows[i].mss != 0 ? rows[i].mss : 536) - (o->has_ts ? 12 : 0);
		MUST_SAY(raw_next()->len == full, "%s", rows[i].name);
	}
}
END_TEST

/* ---- active ---- */

/* RFC 9293 section 3.5, figure 6; RFC 6298 section 2 (5.7): the SYN is sent again, later each time; section 3.8.3 */
START_TEST(active_again_and_fails)
{
	raw_open(NULL);
	raw_connect_begin();
	const struct raw_out *o = EXPECT(SYN | ECE | CWR, 0, 0, 0);
	MUST(o->has_mss && o->mss == 1460 && o->has_scale && o->sack_ok && o->has_ts &&
		o->destination_port == 5000);
	uint64_t last = o->at_ns, gap = 0;
	raw_run(400 * RAW_SECOND);
	const size_t times = raw_waiting();
	MUST_SAY(times >= 4 && times <= 10, "%zu times", times);
	for (size_t i = 0; i < times; i++) {
		o = EXPECT(SYN, 0, 0,
			0); /* RFC 3168 section 6.1.1.1: without ECN if there was no answer with it */
		/* connections without SACK are slow where SYNs are lost by chance */
		MUST_SAY(i > 3 || (o->sack_ok && o->has_ts && o->has_scale), "try %zu is without options", i);
		MUST_SAY(o->at_ns - last >= RAW_SECOND && o->at_ns - last >= 2 * gap, "try %zu after %lu ms",
			i, (unsigned long)((o->at_ns - last) / RAW_MS));
		gap = o->at_ns - last;
		last = o->at_ns;
	}
	MUST(raw.failed && raw.why == MRG_NET_WHY_TIMED_OUT && raw.opened == 0 &&
		raw_count("connections") == 0);
	MUST(last + RAW_SECOND <= raw.now_ns);
}
END_TEST

START_TEST(active_opened)
{
	raw_open(NULL);
	struct raw_user *const u = raw_connect(&rich);
	MUST(u->opened && raw_count("active_opens") == 1);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = text_of("x"));
	const struct raw_out *const o = EXPECT(ACK, 1, 2, 0);
	MUST(o->has_ts);
	MUST(u->len == 1);
}
END_TEST

/* Options that are not there were not agreed on */
START_TEST(active_opened_without_options)
{
	raw_open(NULL);
	struct raw_user *const u = raw_connect(NULL);
	raw_write(u, raw_bytes(600, 1));
	const struct raw_out *const o = EXPECT(ACK, 1, 1, 536);
	MUST(!o->has_ts && o->ecn == 0);
}
END_TEST

/* RFC 9293 section 3.10.7.3: refused */
START_TEST(active_refused)
{
	raw_open(NULL);
	raw_connect_begin();
	EXPECT(SYN | ECE | CWR, 0, 0, 0);
	/* not of our SYN */
	SEND(.flags = RST | ACK, .ack = 2);
	SEND(.flags = RST | ACK, .ack = 0);
	SEND(.flags = RST);
	EXPECT_NONE();
	MUST(!raw.failed);
	SEND(.flags = RST | ACK, .ack = 1);
	EXPECT_NONE();
	MUST(raw.failed && raw.why == MRG_NET_WHY_REFUSED && raw_count("connections") == 0);
}
END_TEST

/* RFC 9293 section 3.10.7.3, first check: RST with that number, and the attempt goes on */
START_TEST(active_old_ack)
{
	raw_open(NULL);
	raw_connect_begin();
	EXPECT(SYN | ECE | CWR, 0, 0, 0);
	SEND(.flags = SYN | ACK, .ack = 7);
	EXPECT(RST, 7, 0, 0);
	SEND(.flags = ACK, .ack = 0, .seq = 4);
	EXPECT(RST, 0, 0, 0);
	SEND(.flags = ACK, .ack = 1, .seq = 4); /* neither SYN nor RST: dropped */
	SEND(.flags = FIN | ACK, .ack = 1);
	EXPECT_NONE();
	SEND(.flags = SYN | ACK, .ack = 1);
	EXPECT(ACK, 1, 1, 0);
	MUST(raw.opened == 1);
}
END_TEST

/* RFC 9293 section 3.5, figure 7: both at once (MUST-10), whether the peer answers with SYN,ACK or with ACK */
START_TEST(simultaneous_open)
{
	for (unsigned how = 0; how < 3; how++) {
		raw_open(NULL);
		raw_connect_begin();
		EXPECT(SYN | ECE | CWR, 0, 0, 0);
		SEND(.flags = SYN, .syn = &(struct raw_options){ .mss = 1000 });
		const struct raw_out *const o = EXPECT(SYN | ACK, 0, 1, 0);
		MUST(!o->has_ts && !o->sack_ok && !o->has_scale);
		if (how == 2) { /* it is lost */
			raw_run(1100 * RAW_MS);
			EXPECT(SYN | ACK, 0, 1, 0);
		}
		if (how == 1)
			SEND(.flags = ACK, .seq = 1, .ack = 1);
		else
			SEND(.flags = SYN | ACK, .seq = 0, .ack = 1,
				.syn = &(struct raw_options){ .mss = 1000 });
		if (raw.opened == 0) {
			/* strictly read, the SYN,ACK is old: it is answered, and the peer, which stands then, goes on */
			EXPECT(ACK, 1, 1, 0);
			SEND(.flags = ACK, .seq = 1, .ack = 1);
		}
		MUST(raw.opened == 1);
		raw_forget();
		raw_write(&raw.user[0], raw_bytes(1200, 1));
		EXPECT(ACK, 1, 1, 1000);
		SEND(.flags = ACK, .seq = 1, .ack = 1201, .data = text_of("x"));
		MUST(raw.user[0].len == 1);
	}
}
END_TEST

/* The attempt is given up by its user */
START_TEST(active_cancelled)
{
	raw_open(NULL);
	raw_connect_begin();
	EXPECT(SYN | ECE | CWR, 0, 0, 0);
	mrg_tcpip_connect_cancel(&raw.attempt);
	raw_run(RAW_SECOND);
	MUST(!raw.failed && raw_count("connections") == 0);
	raw_forget();
	SEND(.flags = SYN | ACK, .ack = 1);
	EXPECT(RST, 1, 0, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { passive_plain, passive_all_options, listen_without_syn, nobody_listens,
		strange_flags, syn_ack_again, syn_again, wrong_ack_of_syn, reset_of_half_open,
		last_of_three_brings_more, syn_with_data, user_refuses, mss_of_peer, mss_0_and_1,
		scale_15_is_14, window_of_syn_is_not_scaled, odd_options, active_again_and_fails,
		active_opened, active_opened_without_options, active_refused, active_old_ack,
		simultaneous_open, active_cancelled, NULL };
	return raw_main("protocols/tcpip/tcp: handshake", tests);
}
