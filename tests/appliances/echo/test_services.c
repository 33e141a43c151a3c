/*
 * appliances/echo/streams, datagrams: RFC 862, 863, 864; connections are made up (tests/protocols/http/peers.h).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/http/guard.h"
#include "protocols/http/peers.h"

#include "appliances/echo/datagrams.c"
#undef echo
#define echo echo_stream
#include "appliances/echo/streams.c"

enum { CONNS = 5 };

static struct streams streams_all;
static struct mrg_arena memory;

static void begin(size_t conns)
{
	free(memory.p);
	const size_t cap = streams_memory(conns);
	memory = (struct mrg_arena){ .p = aligned_alloc(64, (cap + 63) / 64 * 64), .cap = cap };
	memset(memory.p, 0, cap);
	now = 5 * MRG_RT_SECOND_NS;
	streams_init(&streams_all, &memory, conns);
}

static struct peer *try_connect(enum service kind)
{
	struct peer *const p = peer_new();
	p->user = &streams_all.user[kind];
	return p->user->open(p->user->ctx, &p->stream, now) ? p : NULL;
}

static struct peer *connect_to(enum service kind)
{
	struct peer *const p = try_connect(kind);
	MUST(p != NULL);
	return p;
}

/* Nothing is left, and all memory has come back. */
static void end(void)
{
	ck_assert_uint_eq(streams_all.open, 0);
	ck_assert_ptr_null(streams_all.oldest);
	ck_assert_ptr_null(streams_all.newest);
	for (unsigned i = 0; i < CONNS; i++)
		ck_assert(mrg_rt_pool_get(&streams_all.conns) != NULL &&
			  mrg_rt_pool_get(&streams_all.buffers) != NULL);
	ck_assert_ptr_null(mrg_rt_pool_get(&streams_all.conns));
	ck_assert_ptr_null(mrg_rt_pool_get(&streams_all.buffers));
	peers_free();
}

static void send_many(struct peer *p, size_t len)
{
	static uint8_t octets[1 << 20];
	any_begin(len);
	for (size_t i = 0; i < len; i++)
		octets[i] = (uint8_t)any(256);
	peer_send(p, (struct mrg_span){ octets, len });
}

static bool echoed(const struct peer *p, size_t from, size_t len)
{
	return p->out_len == from + len && memcmp(p->out + from, p->in, len) == 0;
}

START_TEST(what_comes_goes_back)
{
	static const size_t lengths[] = { 1, 2, 1000, 32767, 32768, 32769, 1 << 20 },
			    most[] = { 0, 1, 1460, 40000 };
	for (size_t i = 0; i < 7; i++)
		for (size_t k = 0; k < 16; k++) {
			begin(CONNS);
			struct peer *const p = connect_to(SERVICE_ECHO);
			p->read_most = most[k % 4];
			p->write_most = most[k / 4];
			send_many(p, lengths[i]);
			peer_run(p, lengths[i] / 2);
			peer_run_all(p);
			MUST(echoed(p, 0, lengths[i]) && !p->closed && p->want == MRG_STREAM_READABLE);
			peer_end(p);
			MUST(p->out_len == lengths[i]);
			MUST(streams_all.counts[SERVICE_ECHO].octets_out == lengths[i] &&
				streams_all.counts[SERVICE_ECHO].closed_whole == 1);
			end();
		}
}
END_TEST

/* The client has sent its end: the rest goes back first. */
START_TEST(the_rest_goes_back_after_the_end)
{
	begin(CONNS);
	struct peer *const p = connect_to(SERVICE_ECHO);
	send_many(p, 100000);
	p->eof = true;
	p->write_room = 10;
	peer_run_all(p);
	ck_assert_uint_eq(p->out_len, 10);
	ck_assert_uint_eq(p->want, MRG_STREAM_WRITABLE);
	p->write_room = 99989;
	peer_run_all(p);
	ck_assert(!p->closed);
	p->write_room = 1;
	peer_run_all(p);
	ck_assert(p->closed && echoed(p, 0, 100000));
	end();
}
END_TEST

START_TEST(who_does_not_read_is_not_read_from)
{
	begin(CONNS);
	struct peer *const p = connect_to(SERVICE_ECHO);
	send_many(p, 1 << 20);
	p->write_room = 0;
	peer_run_all(p);
	ck_assert_uint_le(p->in_off, BUFFER_LEN);
	ck_assert_uint_eq(p->want, MRG_STREAM_WRITABLE);
	p->write_room = SIZE_MAX;
	peer_end(p);
	ck_assert(echoed(p, 0, 1 << 20));
	end();
}
END_TEST

START_TEST(an_idle_connection_has_no_buffer)
{
	begin(CONNS);
	struct peer *const p = connect_to(SERVICE_ECHO), *const q = connect_to(SERVICE_ECHO);
	send_many(p, 100);
	peer_run_all(p);
	const size_t taken = memory.len;
	send_many(q, 100);
	peer_run_all(q);
	ck_assert_uint_eq(memory.len, taken);
	peer_end(p);
	peer_end(q);
	end();
}
END_TEST

START_TEST(one_event_is_bounded)
{
	begin(CONNS);
	struct peer *const p = connect_to(SERVICE_ECHO);
	send_many(p, 1 << 20);
	p->arrived = p->in_len;
	peer_event(p, MRG_STREAM_READABLE);
	ck_assert_uint_le(p->reads + p->writes, ROUNDS);
	ck_assert_uint_le(p->in_off, ROUNDS / 2 * BUFFER_LEN);
	peer_end(p);
	end();
}
END_TEST

START_TEST(connections_that_break)
{
	for (unsigned kind = 0; kind < SERVICES; kind++)
		for (unsigned when = 0; when < 3; when++) {
			begin(CONNS);
			struct peer *const p = connect_to((enum service)kind);
			send_many(p, 50000);
			p->write_room = when == 2 ? 1 : 0;
			peer_run(p, when == 0 ? 0 : 50000);
			p->reset = true;
			peer_event(p, MRG_STREAM_READABLE | MRG_STREAM_WRITABLE);
			MUST(p->closed);
			MUST(streams_all.counts[kind].broken == 1);
			end();
		}
}
END_TEST

START_TEST(what_is_discarded)
{
	begin(CONNS);
	struct peer *const p = connect_to(SERVICE_DISCARD);
	send_many(p, 1 << 20);
	peer_run_all(p);
	ck_assert_uint_eq(p->in_off, 1 << 20);
	ck_assert_uint_eq(p->out_len + p->writes, 0);
	peer_end(p);
	ck_assert_uint_eq(streams_all.counts[SERVICE_DISCARD].octets_in, 1 << 20);
	end();
}
END_TEST

/* RFC 864: "one popular pattern is 72 character lines of the ASCII printing characters" */
START_TEST(characters_without_end)
{
	static const char first[] =
		" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n"
		"!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh\r\n";
	static const size_t most[] = { 1, 73, 1460, 7030, 10000, 30000 };
	for (size_t i = 0; i < 6; i++) {
		begin(CONNS);
		struct peer *const p = connect_to(SERVICE_CHARGEN);
		p->write_most = most[i];
		p->write_room = 50000;
		send_many(p, 100);
		peer_run_all(p);
		MUST(p->out_len == 50000 && memcmp(p->out, first, sizeof first - 1) == 0);
		for (size_t at = 0; at < 50000; at++) {
			const size_t line = at / 74, column = at % 74;
			const char want = column == 72   ? '\r'
					  : column == 73 ? '\n'
							 : (char)(' ' + (line + column) % 95);
			MUST_SAY(p->out[at] == (uint8_t)want, "octet %zu", at);
		}
		MUST(p->in_off == 100);
		p->eof = true;
		peer_event(p, MRG_STREAM_READABLE);
		MUST(p->closed);
		end();
	}
}
END_TEST

START_TEST(bye_comes_first)
{
	begin(CONNS);
	struct peer *const p = connect_to(SERVICE_BYE);
	peer_run_all(p);
	peer_event(p, MRG_STREAM_READABLE);
	ck_assert_uint_eq(p->writes, 0);
	send_many(p, 10);
	p->write_room = 0;
	peer_run_all(p);
	ck_assert(!p->finished);
	p->write_room = 1;
	peer_run_all(p);
	ck_assert(!p->finished);
	p->write_room = 100;
	peer_run_all(p);
	ck_assert(p->finished && !p->closed);
	ck_assert_uint_eq(p->out_len, 4);
	ck_assert_mem_eq(p->out, "bye\n", 4);
	/* what comes meanwhile is nothing to us */
	send_many(p, 100000);
	peer_run_all(p);
	ck_assert(!p->closed);
	peer_end(p);
	ck_assert_uint_eq(p->out_len, 4);
	/* an end before any octet */
	struct peer *const q = connect_to(SERVICE_BYE);
	peer_end(q);
	ck_assert_uint_eq(q->out_len, 0);
	end();
}
END_TEST

START_TEST(the_stuck_one_reads_nothing)
{
	begin(CONNS);
	struct peer *const p = connect_to(SERVICE_STUCK);
	send_many(p, 100);
	p->eof = true;
	peer_run_all(p);
	ck_assert_uint_eq(p->want + p->reads + p->writes, 0);
	ck_assert(!p->closed);
	streams_close(&streams_all);
	ck_assert(p->closed);
	end();
}
END_TEST

START_TEST(ours_speak_first)
{
	begin(CONNS);
	struct peer *const p = connect_to(SERVICE_HI);
	send_many(p, 5);
	p->write_room = 2;
	peer_run_all(p);
	ck_assert_uint_eq(p->out_len, 2);
	p->write_room = SIZE_MAX;
	peer_end(p);
	ck_assert_mem_eq(p->out, "hi\n", 3);
	ck_assert(echoed(p, 3, 5));
	end();
}
END_TEST

START_TEST(no_room)
{
	begin(CONNS);
	for (unsigned i = 0; i < CONNS; i++)
		(void)connect_to(i % 2 == 0 ? SERVICE_ECHO : SERVICE_HI);
	ck_assert_ptr_null(try_connect(SERVICE_ECHO));
	ck_assert_ptr_null(try_connect(SERVICE_HI));
	ck_assert_uint_eq(streams_all.counts[SERVICE_HI].refused, 1);
	streams_close(&streams_all);
	end();
}
END_TEST

START_TEST(the_oldest_can_be_spared)
{
	begin(CONNS);
	const struct mrg_stream_user *const u = &streams_all.user[SERVICE_DISCARD];
	ck_assert(!u->spare(u->ctx, now));
	struct peer *const p = connect_to(SERVICE_ECHO), *const q = connect_to(SERVICE_STUCK),
			   *const r = connect_to(SERVICE_ECHO);
	now += 59 * MRG_RT_SECOND_NS;
	ck_assert(!u->spare(u->ctx, now));
	send_many(p, 1);
	peer_run_all(p);
	now += MRG_RT_SECOND_NS;
	ck_assert(u->spare(u->ctx, now));
	ck_assert(q->closed && !p->closed && !r->closed);
	ck_assert(u->spare(u->ctx, now));
	ck_assert(r->closed && !p->closed);
	ck_assert(!u->spare(u->ctx, now));
	ck_assert_uint_eq(streams_all.counts[SERVICE_STUCK].spared, 1);
	peer_end(p);
	end();
}
END_TEST

/* ---- datagrams ---- */

static struct {
	struct mrg_rt_addr peer, asked;
	size_t sent, sent_len;
	struct mrg_rt_addr to;
	unsigned connects;
} fake;

static void fake_peer(struct mrg_dgram_end *e, size_t index, struct mrg_rt_addr *out)
{
	(void)e;
	MUST(index == 0);
	*out = fake.peer;
}

static void fake_asked(struct mrg_dgram_end *e, size_t index, struct mrg_rt_addr *out)
{
	(void)e;
	MUST(index == 0);
	*out = fake.asked;
}

static enum mrg_io fake_send(struct mrg_dgram_end *e, const struct mrg_rt_addr *from,
	const struct mrg_rt_addr *to, struct mrg_span octets)
{
	(void)e;
	MUST(mrg_rt_addr_same(from, &fake.asked));
	MUST(mrg_rt_addr_same(to, &fake.peer));
	fake.sent++;
	fake.sent_len = octets.len;
	return MRG_IO_OK;
}

static const char *fake_connect(void *ctx, const struct mrg_rt_addr *to)
{
	MUST(ctx == &fake);
	fake.to = *to;
	fake.connects++;
	return to->port == 1 ? "no room" : NULL;
}

/* One datagram; the reply as text. */
static const char *ask(const struct mrg_dgram_user *user, struct mrg_span question, size_t room)
{
	static char out[200];
	static const struct mrg_dgram_ops ops = { .peer = fake_peer, .asked = fake_asked, .send = fake_send };
	struct mrg_dgram_end e = { .ops = &ops };
	struct mrg_dgram d = { .in = guarded(question), .out = (uint8_t *)out, .out_cap = room };
	memset(out, 'x', sizeof out);
	user->batch(user->ctx, &e, &d, 1, 0);
	MUST(d.out_len <= room);
	MUST(room == sizeof out || out[room] == 'x');
	out[d.out_len] = '\0';
	return out;
}

START_TEST(datagrams_go_back)
{
	struct datagram_echo d;
	datagram_echo_init(&d);
	memset(&fake, 0, sizeof fake);
	MUST(mrg_rt_addr_read("192.0.2.1:4000", 0, &fake.peer));
	MUST(mrg_rt_addr_read("198.51.100.7", 0, &fake.asked));
	ck_assert_str_eq(ask(&d.user, MRG_LITERAL("hello"), 100), "hello");
	ck_assert_str_eq(ask(&d.user, MRG_LITERAL("hello"), 5), "hello");
	ck_assert_uint_eq(fake.sent, 0);
	ck_assert_str_eq(ask(&d.user, MRG_LITERAL("hello"), 4), "");
	ck_assert_uint_eq(fake.sent_len, 5);
	ck_assert_str_eq(ask(&d.user, MRG_LITERAL(""), 4), "");
	ck_assert_uint_eq(fake.sent, 2);
	ck_assert_uint_eq(fake.sent_len, 0);
	ck_assert_uint_eq(d.counts.out, 4);
	/* RFC 862's peers: two of them would never stop */
	fake.peer.port = 7;
	ck_assert_str_eq(ask(&d.user, MRG_LITERAL("hello"), 100), "");
	fake.peer.port = 19;
	ck_assert_str_eq(ask(&d.user, MRG_LITERAL("hello"), 1), "");
	ck_assert_uint_eq(fake.sent, 2);
	ck_assert_uint_eq(d.counts.looped, 2);
	ck_assert_uint_eq(d.counts.in, 6);
}
END_TEST

START_TEST(what_a_datagram_says_to_do)
{
	static const struct {
		const char *text, *reply, *to;
	} rows[] = { { "connect 10.0.0.1 80", "ok\n", "10.0.0.1:80" },
		{ "connect 10.0.0.1 80\n", "ok\n", "10.0.0.1:80" },
		{ " connect\t10.0.0.1  65535 \r\n", "ok\n", "10.0.0.1:65535" },
		{ "connect 2001:db8::1 7", "ok\n", "[2001:db8::1]:7" },
		{ "connect [2001:db8::1] 7", "ok\n", "[2001:db8::1]:7" },
		{ "connect 10.0.0.1 1", "error: no room\n", "10.0.0.1:1" },
		{ "connect 10.0.0.1", "error: no address with a port\n", NULL },
		{ "connect 10.0.0.1 0", "error: no address with a port\n", NULL },
		{ "connect 10.0.0.1 65536", "error: no address with a port\n", NULL },
		{ "connect 10.0.0.1 80 81", "error: no address with a port\n", NULL },
		{ "connect host 80", "error: no address with a port\n", NULL },
		{ "connect : 80", "error: no address with a port\n", NULL },
		{ "connect", "error: no address with a port\n", NULL },
		{ "connect 11111111111111111111111111111111111111111111111111111111111111111111111111111111"
		  "11111111111111111111111111111111111111111111111111111111111111111111111111111111 1",
			"error: no address with a port\n", NULL },
		{ "disconnect 10.0.0.1 80", "error: expected: connect ADDRESS PORT\n", NULL },
		{ "connect10.0.0.1 80", "error: expected: connect ADDRESS PORT\n", NULL },
		{ "", "error: expected: connect ADDRESS PORT\n", NULL },
		{ " \n", "error: expected: connect ADDRESS PORT\n", NULL } };
	struct datagram_control d = { .ctx = &fake, .connect = fake_connect };
	datagram_control_init(&d);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[MRG_RT_ADDR_TEXT_MAX];
		memset(&fake, 0, sizeof fake);
		const char *const reply = ask(&d.user, text_of(rows[i].text), 200 - 1);
		MUST_SAY(strcmp(reply, rows[i].reply) == 0, "%s: %s", rows[i].text, reply);
		MUST_SAY(fake.connects == (rows[i].to != NULL), "%s", rows[i].text);
		MUST(rows[i].to == NULL || strcmp(mrg_rt_addr_str(&fake.to, text), rows[i].to) == 0);
	}
	ck_assert_str_eq(ask(&d.user, MRG_LITERAL("connect 10.0.0.1 80"), 2), "");
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("appliances/echo");
	TCase *const t = tcase_create("services");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, what_comes_goes_back);
	tcase_add_test(t, the_rest_goes_back_after_the_end);
	tcase_add_test(t, who_does_not_read_is_not_read_from);
	tcase_add_test(t, an_idle_connection_has_no_buffer);
	tcase_add_test(t, one_event_is_bounded);
	tcase_add_test(t, connections_that_break);
	tcase_add_test(t, what_is_discarded);
	tcase_add_test(t, characters_without_end);
	tcase_add_test(t, bye_comes_first);
	tcase_add_test(t, the_stuck_one_reads_nothing);
	tcase_add_test(t, ours_speak_first);
	tcase_add_test(t, no_room);
	tcase_add_test(t, the_oldest_can_be_spared);
	tcase_add_test(t, datagrams_go_back);
	tcase_add_test(t, what_a_datagram_says_to_do);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
