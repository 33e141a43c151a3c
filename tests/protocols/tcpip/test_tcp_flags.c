/*
 * TCP packet by packet: all 512 sets of flags in each state, at the right number, before it and behind the window, with data and without.
 * What may be answered is what RFC 9293 section 3.10.7 and RFC 5961 say.
 */
#include <string.h>

#include "tests/protocols/tcpip/raw.h"

enum state {
	CLOSED,
	LISTEN,
	SYN_SENT,
	SYN_RECEIVED,
	ESTABLISHED,
	FIN_WAIT_1,
	FIN_WAIT_2,
	CLOSE_WAIT,
	CLOSING,
	LAST_ACK,
	TIME_WAIT,
	STATES
};
static const char *const names[] = { "CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED",
	"FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT" };

enum place { EXACT, OLD, BEYOND, PLACES };

/* Where the connection stands before the segment comes. */
struct stand {
	struct raw_user *u;
	uint32_t seq, ack; /* the next of the peer's, and what it may acknowledge */
};

static struct stand bring_to(enum state state, uint16_t peer_port)
{
	struct stand s = { .seq = 1, .ack = 1 };
	raw_peer("192.0.2.9", peer_port);
	raw.port = state == CLOSED ? 81 : 80;
	raw.iss = 0;
	switch (state) {
	case CLOSED:
	case LISTEN: return s;
	case SYN_SENT: raw_connect_begin(); return s;
	case SYN_RECEIVED: SEND(.flags = SYN); return s;
	default: s.u = raw_accept(NULL);
	}
	if (state == FIN_WAIT_1 || state == FIN_WAIT_2 || state == CLOSING || state == TIME_WAIT)
		raw_finish(s.u);
	if (state == FIN_WAIT_2 || state == TIME_WAIT)
		SEND(.flags = ACK, .seq = 1, .ack = 2);
	if (state >= CLOSE_WAIT)
		SEND(.flags = FIN | ACK, .seq = 1, .ack = state == TIME_WAIT ? 2 : 1);
	if (state == LAST_ACK)
		raw_close(s.u);
	s.seq = state >= CLOSE_WAIT ? 2 : 1;
	s.ack = state == ESTABLISHED || state == CLOSE_WAIT ? 1
		: state == FIN_WAIT_2 || state == TIME_WAIT ? 2
							    : 1;
	return s;
}

struct segment {
	unsigned flags;
	uint32_t seq, ack;
	size_t len;
	enum place place;
};

static uint32_t seq_len(const struct segment *g)
{
	return (uint32_t)g->len + ((g->flags & SYN) != 0) + ((g->flags & FIN) != 0);
}

enum { NOTHING = 1u << 16 }; /* that there is no answer is allowed */

/* RFC 9293 section 3.10.7.1 */
static unsigned of_closed(const struct segment *g)
{
	return (g->flags & RST) != 0 ? NOTHING : (g->flags & ACK) != 0 ? RST : RST | ACK;
}

static unsigned of_listen(const struct segment *g)
{
	if ((g->flags & RST) != 0)
		return NOTHING;
	if ((g->flags & ACK) != 0)
		return RST;
	return (g->flags & SYN) != 0 && (g->flags & FIN) == 0 ? SYN | ACK : NOTHING;
}

static unsigned of_syn_sent(const struct segment *g)
{
	if ((g->flags & (RST | SYN)) == SYN)
		return (g->flags & ACK) != 0 ? ACK : SYN | ACK;
	return NOTHING;
}

static unsigned of_synchronized(enum state state, const struct segment *g)
{
	const bool rst = (g->flags & RST) != 0, ack = (g->flags & ACK) != 0, syn = (g->flags & SYN) != 0,
		   fin = (g->flags & FIN) != 0;
	if (rst)
		return NOTHING;
	if (state == TIME_WAIT && g->place != OLD && syn && !ack && !fin)
		return SYN | ACK; /* RFC 6191: a later number begins anew, the very next one does not */
	if (g->place != EXACT)
		return ACK | NOTHING;
	if (state == TIME_WAIT)
		return seq_len(g) != 0 ? ACK : NOTHING;
	if (syn)
		return ACK | NOTHING; /* as many challenges as there may be */
	if (!ack)
		return NOTHING;
	if (g->len != 0 && state == LAST_ACK)
		return ACK | RST | NOTHING;
	return seq_len(g) != 0 ? ACK : NOTHING;
}

static unsigned allowed(enum state state, const struct segment *g)
{
	switch (state) {
	case CLOSED: return of_closed(g);
	case LISTEN: return of_listen(g);
	case SYN_SENT: return of_syn_sent(g);
	default: return of_synchronized(state, g);
	}
}

static void check_answer(enum state state, const struct segment *g, const struct stand *s)
{
	const unsigned may = allowed(state, g);
	MUST_SAY(raw_waiting() <= 1, "%s, flags %x, place %d: %zu answers", names[state], g->flags, g->place,
		raw_waiting());
	if (raw_waiting() == 0) {
		MUST_SAY((may & NOTHING) != 0, "%s, flags %x, place %d, %zu bytes: no answer", names[state],
			g->flags, g->place, g->len);
		return;
	}
	const struct raw_out *const o = raw_next();
	const unsigned is = o->flags & (SYN | FIN | RST | ACK);
	MUST_SAY(may != NOTHING, "%s, flags %x, place %d: answered with %x", names[state], g->flags, g->place,
		o->flags);
	MUST_SAY(is == ACK ? (may & ACK) != 0 : (is & ~(may & (SYN | RST | ACK))) == 0,
		"%s, flags %x, place %d: answered with %x", names[state], g->flags, g->place, o->flags);
	MUST(o->len == 0 && o->destination_port == raw.peer_port);
	if (state == CLOSED)
		MUST((g->flags & ACK) != 0 ? raw_seq(o) == g->ack
					   : raw_seq(o) == 0 && raw_ack(o) == g->seq + seq_len(g));
	else if (is == RST)
		MUST(raw_seq(o) == g->ack);
	else if (state >= ESTABLISHED && is == ACK)
		MUST(raw_seq(o) >= s->ack && raw_seq(o) <= 2 && raw_ack(o) >= s->seq &&
			raw_ack(o) <= s->seq + seq_len(g));
}

static void every_set(enum state state, enum place place, size_t len)
{
	struct mrg_tcpip_limits l = raw_limits();
	l.conn_count = l.half_open_count = l.time_wait_count = 1024;
	raw_open(&l);
	for (unsigned set = 0; set < 512; set++) {
		const struct stand s = bring_to(state, (uint16_t)(2000 + set));
		struct segment g = { .flags = set & 255u, .len = len, .place = place, .ack = s.ack };
		g.seq = place == EXACT ? s.seq : place == OLD ? s.seq - 1u - seq_len(&g) : s.seq + 100000u;
		raw_forget();
		const struct mrg_span made = raw_build(&(struct raw_segment){
			.flags = g.flags, .seq = g.seq, .ack = g.ack, .data = raw_bytes(len, 1) });
		uint8_t b[100];
		memcpy(b, made.p, made.len);
		b[12] = (uint8_t)(b[12] | (set >> 8)); /* a reserved bit */
		const uint64_t resets = raw_count("estab_resets");
		raw_send_octets((struct mrg_span){ b, made.len }, true);
		check_answer(state, &g, &s);
		/* only a RST at the right number breaks what stands */
		if (state >= ESTABLISHED && state < TIME_WAIT && state != LAST_ACK)
			MUST_SAY(raw_count("estab_resets") - resets ==
					 (place == EXACT && (g.flags & RST) != 0),
				"%s, flags %x", names[state], g.flags);
		if (s.u != NULL)
			raw_close(s.u);
		if (state == SYN_SENT)
			mrg_tcpip_connect_cancel(&raw.attempt);
		for (unsigned i = 0; i < RAW_USERS_MAX; i++)
			raw_close(&raw.user[i]);
		raw_run(0);
	}
	raw.lossy = true;
	raw_run(3000 * RAW_SECOND);
	MUST(raw_count("half_open") == 0);
	MUST_SAY(raw_count("connections") == 0, "%s: %lu are left", names[state],
		(unsigned long)raw_count("connections"));
}

#define TESTS_OF(name, state)                                                                                \
	START_TEST(name)                                                                                     \
	{                                                                                                    \
		for (enum place place = EXACT; place < PLACES; place++)                                      \
			for (size_t len = 0; len < 4; len += 3)                                              \
				every_set(state, place, len);                                                \
	}                                                                                                    \
	END_TEST

TESTS_OF(closed, CLOSED)
TESTS_OF(listening, LISTEN)
TESTS_OF(syn_sent, SYN_SENT)
TESTS_OF(syn_received, SYN_RECEIVED)
TESTS_OF(established, ESTABLISHED)
TESTS_OF(fin_wait_1, FIN_WAIT_1)
TESTS_OF(fin_wait_2, FIN_WAIT_2)
TESTS_OF(close_wait, CLOSE_WAIT)
TESTS_OF(closing, CLOSING)
TESTS_OF(last_ack, LAST_ACK)
TESTS_OF(time_wait, TIME_WAIT)

/*
 * A reset counts by where it begins: one from before the window is dropped though what it carries reaches into it, and is not answered
 * (RFC 5961 section 3.2).
 */
START_TEST(reset_from_before_the_window)
{
	struct mrg_tcpip_limits l = raw_limits();
	l.conn_count = l.half_open_count = l.time_wait_count = 64;
	for (enum state state = SYN_RECEIVED; state < TIME_WAIT; state++) {
		raw_open(&l);
		const struct stand s = bring_to(state, 2000);
		raw_forget();
		const uint64_t resets = raw_count("estab_resets");
		SEND(.flags = RST | ACK, .seq = s.seq - 1u, .ack = s.ack, .data = raw_bytes(3, 1));
		MUST_SAY(raw_waiting() == 0, "%s: answered", names[state]);
		MUST_SAY(raw_count("estab_resets") == resets, "%s: reset", names[state]);
		MUST_SAY(raw_count("challenge_acks") == 0, "%s: challenged", names[state]);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { closed, listening, syn_sent, syn_received, established, fin_wait_1,
		fin_wait_2, close_wait, closing, last_ack, time_wait, reset_from_before_the_window, NULL };
	return raw_main("protocols/tcpip/tcp: flags", tests);
}
