/*
 * TCP packet by packet: how connections end. RFC 9293 sections 3.6 and 3.10.7.4, RFC 1337, RFC 6191.
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

/* Is there a connection, half open or in TIME-WAIT? A pure acknowledgment of nothing tells, and harms none. */
static bool gone(void)
{
	raw_forget();
	SEND(.flags = ACK, .seq = 2, .ack = 2);
	const bool reset = raw_waiting() == 1 && (raw_next()->flags & RST) != 0;
	raw_forget();
	return reset;
}

/* ---- one after the other ---- */

/* RFC 9293 section 3.6, figure 12: TIME-WAIT lasts as long as it must, and no longer */
START_TEST(we_close_first)
{
	struct raw_user *const u = begin(&plain);
	raw_close(u);
	EXPECT(FIN | ACK, 1, 1, 0);
	SEND(.flags = ACK, .seq = 1, .ack = 2);
	EXPECT_NONE();
	SEND(.flags = FIN | ACK, .seq = 1, .ack = 2);
	EXPECT(ACK, 2, 2, 0);
	MUST(raw_count("time_waits") == 1 && raw_count("connections") == 0);
	raw_run(59 * RAW_SECOND);
	MUST(!gone());
	raw_run(2 * RAW_SECOND);
	MUST(gone());
}
END_TEST

/* The peer first; we may send as long as we like */
START_TEST(peer_closes_first)
{
	struct raw_user *const u = begin(&plain);
	SEND(.flags = FIN | ACK, .seq = 1, .ack = 1);
	EXPECT(ACK, 1, 2, 0);
	MUST(u->eof && u->stream != NULL);
	raw_write(u, text_of("still"));
	EXPECT(ACK, 1, 2, 5);
	SEND(.flags = ACK, .seq = 2, .ack = 6);
	raw_close(u);
	EXPECT(FIN | ACK, 6, 2, 0);
	SEND(.flags = ACK, .seq = 2, .ack = 7);
	EXPECT_NONE();
	MUST(gone() && raw_count("time_waits") == 0 && raw_count("connections") == 0);
}
END_TEST

/* Half closed on our side: what comes is still read (RFC 9293 section 3.6, CLOSE means "I have no more data to send") */
START_TEST(half_closed)
{
	struct raw_user *const u = begin(&plain);
	raw_write(u, text_of("request"));
	raw_finish(u);
	EXPECT(ACK, 1, 1, 7);
	EXPECT(FIN | ACK, 8, 1, 0);
	SEND(.flags = ACK, .seq = 1, .ack = 9, .data = text_of("reply"));
	EXPECT(ACK, 9, 6, 0);
	raw_run(3600 * RAW_SECOND); /* not an orphan: it may take its time */
	raw_forget();
	SEND(.flags = ACK, .seq = 6, .ack = 9, .data = text_of("more"));
	SEND(.flags = FIN | ACK, .seq = 10, .ack = 9);
	raw_run(100 * RAW_MS);
	MUST(u->eof && u->len == 9 && memcmp(u->got, "replymore", 9) == 0);
	raw_close(u);
	MUST(raw_count("time_waits") == 1);
}
END_TEST

/* RFC 9293 section 3.6, figure 13: both at once */
START_TEST(both_at_once)
{
	struct raw_user *const u = begin(&plain);
	raw_finish(u);
	EXPECT(FIN | ACK, 1, 1, 0);
	SEND(.flags = FIN | ACK, .seq = 1, .ack = 1);
	EXPECT(ACK, 2, 2, 0);
	MUST(u->eof && raw_count("time_waits") == 0);
	SEND(.flags = ACK, .seq = 2, .ack = 2);
	MUST_EQ(raw_count("time_waits"), 1);
	raw_forget();
	SEND(.flags = ACK, .seq = 2, .ack = 2);
	EXPECT_NONE();
}
END_TEST

/* Its FIN acknowledges ours */
START_TEST(all_in_one)
{
	struct raw_user *const u = begin(&plain);
	raw_write(u, text_of("bye"));
	raw_finish(u);
	raw_forget();
	SEND(.flags = FIN | ACK, .seq = 1, .ack = 5, .data = text_of("so long"));
	EXPECT(ACK, 5, 9, 0);
	MUST(u->eof && u->len == 7);
	MUST_EQ(raw_count("time_waits"), 1);
}
END_TEST

/* ---- FIN ---- */

/* It comes before what is in front of it, and counts only then; the user hears of it after the data */
START_TEST(fin_out_of_order)
{
	struct raw_user *const u = begin(&plain);
	SEND(.flags = FIN | ACK, .seq = 11, .ack = 1, .data = text_of("klmno"));
	EXPECT(ACK, 1, 1, 0);
	MUST(!u->eof && u->len == 0);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = text_of("abcdefghij"));
	EXPECT(ACK, 1, 17, 0);
	MUST(u->eof && u->len == 15 && memcmp(u->got, "abcdefghijklmno", 15) == 0);
	/* without data */
	struct raw_user *const v = begin(&plain);
	SEND(.flags = FIN | ACK, .seq = 4, .ack = 1);
	EXPECT(ACK, 1, 1, 0);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = text_of("abc"));
	EXPECT(ACK, 1, 5, 0);
	MUST(v->eof && v->len == 3);
}
END_TEST

/* What is behind a FIN is nothing (RFC 9293 section 3.10.7.4, seventh and eighth) */
START_TEST(data_behind_fin)
{
	struct raw_user *const u = begin(&plain);
	SEND(.flags = FIN | ACK, .seq = 1, .ack = 1, .data = text_of("all"));
	EXPECT(ACK, 1, 5, 0);
	SEND(.flags = ACK, .seq = 5, .ack = 1, .data = text_of("more"));
	MUST(raw_waiting() == 1);
	EXPECT(ACK, 1, 5, 0);
	SEND(.flags = FIN | ACK, .seq = 4, .ack = 1);
	EXPECT(ACK, 1, 5, 0);
	MUST(u->eof && u->len == 3);
}
END_TEST

/* RFC 6298: our FIN is sent again; R2 ends it */
START_TEST(fin_again)
{
	struct raw_user *const u = begin(&plain);
	raw_close(u);
	uint64_t last = EXPECT(FIN | ACK, 1, 1, 0)->at_ns, gap = 0;
	for (unsigned i = 0; i < 4; i++) {
		raw_run(20 * RAW_SECOND);
		if (raw_waiting() == 0)
			continue;
		const struct raw_out *const o = EXPECT(FIN | ACK, 1, 1, 0);
		MUST(o->at_ns - last >= gap);
		gap = o->at_ns - last;
		last = o->at_ns;
	}
	MUST(gap != 0);
	raw_run(1000 * RAW_SECOND);
	MUST(raw_count("connections") == 0);
	raw_run(1000 * RAW_SECOND);
	MUST(gone());
}
END_TEST

/* The answer to its FIN was lost: it sends the FIN again, in each state where it can */
START_TEST(fin_of_peer_again)
{
	struct raw_user *const u = begin(&plain);
	SEND(.flags = FIN | ACK, .seq = 1, .ack = 1);
	EXPECT(ACK, 1, 2, 0);
	SEND(.flags = FIN | ACK, .seq = 1, .ack = 1); /* CLOSE-WAIT */
	EXPECT(ACK, 1, 2, 0);
	raw_close(u);
	EXPECT(FIN | ACK, 1, 2, 0);
	SEND(.flags = FIN | ACK, .seq = 1, .ack = 1); /* LAST-ACK */
	EXPECT(ACK, 2, 2, 0);
	SEND(.flags = ACK, .seq = 2, .ack = 2);
	MUST(gone());
}
END_TEST

/* ---- orphans ---- */

/* RFC 9293 section 3.6.1 (MUST-13 of RFC 1122 section 4.2.2.13): who closes without having read all, or gets data afterwards, resets */
START_TEST(data_after_close)
{
	struct raw_user *u = begin(&plain);
	raw_close(u);
	EXPECT(FIN | ACK, 1, 1, 0);
	SEND(.flags = ACK, .seq = 1, .ack = 2, .data = text_of("late"));
	const struct raw_out *const o = raw_next();
	MUST((o->flags & RST) != 0 && raw_seq(o) == 2);
	MUST(raw_count("connections") == 0 && raw_count("data_after_close") == 1);
	/* unread */
	raw_open(NULL);
	raw.hold = true;
	u = raw_accept(&plain);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = text_of("unread"));
	raw_forget();
	raw_close(u);
	MUST((raw_next()->flags & RST) != 0);
	EXPECT_NONE();
	MUST(gone());
}
END_TEST

/* What was written before the close arrives before the FIN, even when the window is closed for a while */
START_TEST(close_with_data_in_flight)
{
	struct raw_user *const u = begin(&plain);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .window = RAW_SHUT);
	raw_write(u, text_of("last words"));
	raw_close(u);
	raw_run(5 * RAW_SECOND);
	raw_forget();
	SEND(.flags = ACK, .seq = 1, .ack = 1, .window = 1000);
	EXPECT(FIN | ACK, 1, 1, 10);
	SEND(.flags = FIN | ACK, .seq = 1, .ack = 12);
	EXPECT(ACK, 12, 2, 0);
}
END_TEST

/* Who wants to end waits for what is under way, not for peers that do not close */
START_TEST(nothing_under_way)
{
	struct raw_user *const u = begin(&plain);
	MUST(mrg_tcpip_busy(raw.s));
	raw_write(u, text_of("last"));
	raw_close(u);
	MUST(mrg_tcpip_busy(raw.s));
	SEND(.flags = ACK, .seq = 1, .ack = 5); /* all but the FIN */
	MUST(mrg_tcpip_busy(raw.s));
	SEND(.flags = ACK, .seq = 1, .ack = 6);
	MUST(!mrg_tcpip_busy(raw.s) && raw_count("connections") == 1);
	raw_peer("192.0.2.10", 5001);
	struct raw_user *const other = raw_accept(&plain);
	MUST(mrg_tcpip_busy(raw.s));
	raw_finish(other); /* it reads on */
	SEND(.flags = ACK, .seq = 1, .ack = 2);
	MUST(mrg_tcpip_busy(raw.s));
	raw_close(other);
	MUST(!mrg_tcpip_busy(raw.s));
}
END_TEST

/* A peer that never closes: nobody has the connection any more, and it does not last (FIN-WAIT-2) */
START_TEST(orphan)
{
	struct raw_user *const u = begin(&plain);
	raw_close(u);
	SEND(.flags = ACK, .seq = 1, .ack = 2);
	raw_forget();
	raw_run(30 * RAW_SECOND);
	MUST(!gone());
	raw_run(200 * RAW_SECOND);
	MUST(raw_count("connections") == 0 && gone());
}
END_TEST

/* When room gets scarce it ends before its time; one that is in use never does */
START_TEST(orphans_make_room)
{
	struct mrg_tcpip_limits l = raw_limits();
	l.conn_count = 3;
	raw_open(&l);
	for (uint16_t i = 1; i <= 2; i++) {
		raw_peer("192.0.2.9", i);
		raw_close(raw_accept(&plain));
		SEND(.flags = ACK, .seq = 1, .ack = 2);
	}
	MUST(raw_count("connections") == 2 && raw_count("orphans_ended") == 0);
	struct raw_user *u[3];
	uint32_t iss[3];
	for (uint16_t i = 0; i < 3; i++) {
		raw_peer("192.0.2.9", (uint16_t)(10 + i));
		u[i] = raw_accept(&plain);
		iss[i] = raw.iss;
		MUST(raw_count("connections") == (i == 2 ? 3 : 2));
	}
	MUST(raw_count("orphans_ended") == 2 && raw_count("conn_full") == 0);
	for (uint16_t i = 0; i < 3; i++) {
		raw_peer("192.0.2.9", (uint16_t)(10 + i));
		raw.iss = iss[i];
		SEND(.flags = ACK, .seq = 1, .ack = 1, .data = text_of("mine"));
		MUST(u[i]->len == 4);
	}
}
END_TEST

/* ...nor one that acknowledges nothing, with its window closed */
START_TEST(orphan_at_closed_window)
{
	struct raw_user *const u = begin(&plain);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .window = RAW_SHUT);
	raw_write(u, text_of("unwanted"));
	raw_close(u);
	raw_run(2000 * RAW_SECOND);
	MUST(raw_count("connections") == 0);
}
END_TEST

/* RFC 9293 section 3.10.7.4: RST in each state */
START_TEST(reset_in_each_state)
{
	for (unsigned state = 0; state < 6; state++) {
		struct raw_user *const u = begin(&plain);
		uint32_t seq = 1;
		if (state == 1 || state == 2 || state == 3)
			raw_finish(u);
		if (state == 2) /* FIN-WAIT-2 */
			SEND(.flags = ACK, .seq = 1, .ack = 2);
		if (state == 3 || state == 4 || state == 5) { /* CLOSING, CLOSE-WAIT, LAST-ACK */
			SEND(.flags = FIN | ACK, .seq = 1, .ack = 1);
			seq = 2;
		}
		if (state == 5)
			raw_close(u);
		raw_forget();
		SEND(.flags = RST, .seq = seq);
		EXPECT_NONE();
		MUST_SAY(raw_count("connections") == 0 && (u->reset || u->closed || u->eof), "state %u",
			state);
		MUST(gone());
	}
}
END_TEST

/* ---- TIME-WAIT ---- */

static struct raw_user *time_wait(const struct raw_options *o)
{
	struct raw_user *const u = begin(o);
	raw_close(u);
	SEND(.flags = FIN | ACK, .seq = 1, .ack = 2);
	raw_forget();
	MUST_EQ(raw_count("time_waits"), 1);
	return u;
}

/* RFC 9293 section 3.10.7.4: FIN again is acknowledged and begins the time anew; RFC 1337 section 4: RST changes nothing */
START_TEST(time_wait_segments)
{
	for (unsigned with = 0; with < 2; with++) {
		time_wait(with == 0 ? &plain : &rich);
		raw_run(50 * RAW_SECOND);
		SEND(.flags = FIN | ACK, .seq = 1, .ack = 2);
		EXPECT(ACK, 2, 2, 0);
		raw_run(50 * RAW_SECOND);
		SEND(.flags = RST, .seq = 2);
		SEND(.flags = RST | ACK, .seq = 2, .ack = 2);
		SEND(.flags = ACK, .seq = 2, .ack = 2);
		EXPECT_NONE();
		SEND(.flags = ACK, .seq = 2, .ack = 2, .data = text_of("old"));
		EXPECT(ACK, 2, 2, 0);
		SEND(.flags = SYN | ACK, .seq = 100, .ack = 2);
		EXPECT(ACK, 2, 2, 0);
		SEND(.flags = FIN | ACK, .seq = 70000,
			.ack = 2); /* some other FIN: no reason to stay longer */
		raw_forget();
		raw_run(11 * RAW_SECOND);
		MUST(gone());
	}
}
END_TEST

/* RFC 6191 section 2: a later SYN begins a new connection, by timestamps or by numbers */
START_TEST(time_wait_again)
{
	static const struct {
		bool had_ts, has_ts;
		uint32_t seq, ts;
		bool anew;
	} rows[] = {
		{ false, false, 3, 0, true },
		{ false, false, 100000, 0, true },
		{ false, false, 1, 0, false },
		{ false, false, UINT32_MAX - 100000u, 0, false },
		{ true, true, 3, 2000, true },
		{ true, true, UINT32_MAX - 100000u, 2000,
			true },                /* the timestamp alone says that it is new */
		{ true, true, 3, 1000, true }, /* the same one: the number decides */
		{ true, true, UINT32_MAX - 100000u, 1000, false },
		{ true, true, 3, 500, false },
		{ true, false, 3, 0, true },
		{ true, false, UINT32_MAX - 100000u, 0, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		raw_open(NULL);
		const struct raw_options before = { .mss = 1460, .ts = rows[i].had_ts },
					 after = { .mss = 1460, .ts = rows[i].has_ts };
		SEND(.flags = SYN, .syn = &before, .ts_value = 1000);
		raw.ts = rows[i].had_ts;
		SEND(.flags = ACK, .seq = 1, .ack = 1, .ts_value = 1000);
		raw_close(&raw.user[0]);
		SEND(.flags = FIN | ACK, .seq = 1, .ack = 2, .ts_value = 1000);
		raw_forget();
		MUST_EQ(raw_count("time_waits"), 1);
		const uint32_t old = raw.iss;
		SEND(.flags = SYN, .seq = rows[i].seq, .syn = &after, .ts_value = rows[i].ts);
		const struct raw_out *const o = raw_next();
		MUST_SAY(((o->flags & SYN) != 0) == rows[i].anew, "row %zu", i);
		MUST(raw_count("time_wait_reused") == rows[i].anew);
		if (!rows[i].anew) {
			MUST_SAY(o->flags == ACK && raw_seq(o) == 2 && raw_ack(o) == 2, "row %zu", i);
			continue;
		}
		/* beyond all that the old one can have sent */
		MUST((int32_t)(raw.iss - old) > 2 && raw_ack(o) == rows[i].seq + 1u);
		raw.ts = rows[i].has_ts;
		SEND(.flags = ACK, .seq = rows[i].seq + 1u, .ack = 1, .ts_value = rows[i].ts);
		MUST(raw.opened == 2);
	}
}
END_TEST

/* The peer is gone and comes back while we wait for its acknowledgments: RFC 9293 section 3.5.1, half-open connections */
START_TEST(peer_rebooted)
{
	struct raw_user *const u = begin(&plain);
	SEND(.flags = SYN, .seq = 400000);
	EXPECT(ACK, 1, 1, 0); /* RFC 5961 section 4.2 */
	SEND(.flags = RST, .seq = 1);
	MUST(u->reset);
	SEND(.flags = SYN, .seq = 400000);
	EXPECT(SYN | ACK, 0, 400001, 0);
	SEND(.flags = ACK, .seq = 400001, .ack = 1);
	MUST(raw.opened == 2);
}
END_TEST

/* More in TIME-WAIT than there is room for: the oldest goes */
START_TEST(many_in_time_wait)
{
	struct mrg_tcpip_limits l = raw_limits();
	l.time_wait_count = 8;
	raw_open(&l);
	for (uint16_t port = 1; port <= 20; port++) {
		raw_peer("192.0.2.9", port);
		raw_close(raw_accept(&plain));
		SEND(.flags = FIN | ACK, .seq = 1, .ack = 2);
	}
	MUST(raw_count("time_waits") == 20 && raw_count("time_wait_overflows") == 12);
	raw_peer("192.0.2.9", 20);
	MUST(!gone());
	raw_peer("192.0.2.9", 5);
	MUST(gone());
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { we_close_first, peer_closes_first, half_closed, both_at_once,
		all_in_one, fin_out_of_order, data_behind_fin, fin_again, fin_of_peer_again, data_after_close,
		close_with_data_in_flight, nothing_under_way, orphan, orphans_make_room,
		orphan_at_closed_window, reset_in_each_state, time_wait_segments, time_wait_again,
		peer_rebooted, many_in_time_wait, NULL };
	return raw_main("protocols/tcpip/tcp: the end", tests);
}
