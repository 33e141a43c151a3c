/*
 * Our client of transfers against our server, over connections that are made up: what is got is what was sent, however the stream is cut,
 * and where it breaks it is known to.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/dns/client.h"
#include "protocols/dns/stream.h"
#include "protocols/dns/transfer_in.h"
#include "tests/protocols/dns/stream_fake.h"
#include "tests/protocols/dns/stream_pair.h"
#include "tests/protocols/dns/transfer_kit.h"
#include "tests/protocols/tcpip/pair.h"

enum { ROOM = 1 << 20, ID = 77, CAP = 120 };

#define SOA(serial) "example. 3600 IN SOA ns.example. h.example. " #serial " 1 2 3 4\n"

static const char master[] =
	"@ 3600 SOA ns h 7 1 2 3 4\n@ 60 NS ns\nns 60 A 192.0.2.1\nns 60 AAAA 2001:db8::1\n"
	"sub 60 NS ns.sub\nns.sub 60 A 192.0.2.2\na.b.c 60 MX 10 x.b.c\n* 60 SRV 1 2 3 ns\n"
	"text 60 TXT \"a b\" \"c\"\ncname 60 CNAME ns.sub\nUpper.Case 60 A 192.0.2.9\n";

static struct kit k, large;
static const struct mrg_dns_zone *served;
static const struct mrg_dns_step *newest;
static uint8_t memory[ROOM];
static struct mrg_arena arena;
static struct mrg_rt_timers timers;
static uint64_t now;
static struct lines sent; /* the records of the zone */

/* ---- the server ---- */

static struct mrg_dns_streams streams;
static struct mrg_dns_transfer out;
static unsigned under_way;
static bool may_have_it;

static enum mrg_dns_said next(void *ctx, void *transfer, uint8_t *at, size_t cap, size_t *len)
{
	(void)ctx;
	(void)cap;
	const enum mrg_status st =
		mrg_dns_transfer_next(transfer, at, CAP, len); /* short ones, so that there are many */
	if (st == MRG_MORE)
		return MRG_DNS_SAID_PART;
	return st == MRG_OK ? MRG_DNS_SAID_ALL : MRG_DNS_SAID_NOTHING;
}

static void done(void *ctx, void *transfer)
{
	(void)ctx;
	ck_assert_ptr_eq(transfer, &out);
	under_way--;
}

static enum mrg_dns_said answer(
	void *ctx, struct mrg_dns_call *call, struct mrg_span query, uint8_t *at, size_t cap, size_t *len)
{
	struct mrg_dns_transfer_request r;
	(void)ctx;
	ck_assert(mrg_dns_transfer_asked(query, MRG_DNS_TCP, &r));
	if (!may_have_it)
		return mrg_dns_transfer_refuse(&r, MRG_DNS_RCODE_REFUSED, 1232, at, cap, len) == MRG_OK
			       ? MRG_DNS_SAID_ALL
			       : MRG_DNS_SAID_NOTHING;
	mrg_dns_transfer_begin(
		&out, &r, served, newest, &(struct mrg_dns_transfer_opt){ .udp_size = 1232 }, NULL);
	const enum mrg_dns_said said = next(NULL, &out, at, cap, len);
	if (said == MRG_DNS_SAID_PART) {
		call->transfer = &out;
		under_way++;
	}
	return said;
}

/* ---- the client ---- */

static struct mrg_dns_client client;
static struct mrg_dns_transfer_in in;
static enum mrg_dns_client_end ended;
static unsigned lost, closes;
static struct kit mine; /* what is made of what comes */
static struct mrg_dns_zone_builder builder;
static struct lines got;

static bool part(void *ctx, enum mrg_dns_transfer_part which, uint32_t serial)
{
	static const char names[] = "=-+";
	(void)ctx;
	(void)serial;
	lines_add(&got, names + which, 1);
	return which != MRG_DNS_TRANSFER_ZONE ||
	       mrg_dns_zone_begin(
		       &builder, &mine.arena, (struct mrg_span){ (const uint8_t *)"\7example", 9 }) == MRG_OK;
}

static bool record(void *ctx, const struct mrg_dns_flat_rr_args *rr)
{
	(void)ctx;
	if (got.text[0][0] != '=') {
		lines_add(&got, "record", 6);
		return true;
	}
	return mrg_dns_zone_add(&builder, rr->name, rr->type, rr->class, rr->ttl, rr->rdata, NULL) == MRG_OK;
}

static enum mrg_dns_client_verdict message(void *ctx, struct mrg_span m)
{
	(void)ctx;
	switch (mrg_dns_transfer_in_feed(&in, m, false)) {
	case MRG_DNS_TRANSFER_GOES_ON: return MRG_DNS_CLIENT_CONTINUED;
	case MRG_DNS_TRANSFER_COMPLETE:
	case MRG_DNS_TRANSFER_UP_TO_DATE: mrg_dns_client_finish(&client); return MRG_DNS_CLIENT_ANSWERED;
	case MRG_DNS_TRANSFER_OVERFLOW:
	case MRG_DNS_TRANSFER_FAILED: break;
	}
	return MRG_DNS_CLIENT_STOP;
}

static void closed(void *ctx, enum mrg_dns_client_end end, unsigned count)
{
	(void)ctx;
	ended = end;
	lost = count;
	closes++;
	(void)mrg_dns_transfer_in_lost(&in);
}

/* ---- both ---- */

static struct stream_pair both;

static void setup(void)
{
	kit_init(&k, 64 << 20);
	kit_init(&mine, 64 << 20);
	kit_init(&large, 64 << 20);
	ck_assert_int_eq(kit_zone(&k, "example.", master), MRG_DNS_ZONE_SOUND);
	served = k.zones[0];
	lines_of_zone(&sent, served);
	newest = transfer_step(&k.arena, NULL, SOA(5) "x.example. 60 IN A 192.0.2.1\n", SOA(6));
	newest = transfer_step(
		&k.arena, newest, SOA(6), SOA(7) "cname.example. 60 IN CNAME ns.sub.example.\n");
	may_have_it = true;
}

static void teardown(void)
{
	lines_free(&sent);
	lines_free(&got);
	kit_free(&mine);
	kit_free(&large);
	kit_free(&k);
}

/* A zone of which a part is still to be written when the first messages wait. */
static void serve_large(void)
{
	char *const text = malloc(1 << 17);
	size_t len = (size_t)sprintf(text, "@ 3600 SOA ns h 7 1 2 3 4\n@ 60 NS ns\n");
	for (unsigned i = 0; i < 1000; i++)
		len += (size_t)sprintf(text + len, "n%u 60 TXT %060u\n", i, i);
	ck_assert_int_eq(kit_zone(&large, "example.", text), MRG_DNS_ZONE_SOUND);
	free(text);
	served = large.zones[0];
	lines_free(&sent);
	lines_of_zone(&sent, served);
}

/* Both sides, and what the client asks for when there is a connection. */
static void prepare(bool incremental, uint32_t serial, struct mrg_rt_timers *server_timers,
	struct mrg_rt_timers *client_timers)
{
	static const struct mrg_dns_stream_limits limits = {
		.conn_count = 2, .block_count = 2, .idle_ns = 10u * MRG_RT_SECOND_NS
	};
	static const struct mrg_dns_client_limits client_limits = {
		.connect_ns = MRG_RT_SECOND_NS, .reply_ns = 3u * MRG_RT_SECOND_NS, .idle_ns = MRG_RT_SECOND_NS
	};
	static const struct mrg_dns_answerer answerer = { .answer = answer, .next = next, .done = done };
	static const struct mrg_dns_client_handler handler = { .message = message, .closed = closed };
	static const struct mrg_dns_transfer_sink sink = { .begin = part, .record = record };
	const struct mrg_dns_transfer_wanted wanted = { .zone = { (const uint8_t *)"\7example", 9 },
		.incremental = incremental,
		.serial = serial,
		.id = ID,
		.udp_size = 1232,
		.record_max = 2000,
		.octet_max = 1 << 20 };
	uint8_t query[200];
	size_t len;
	memset(memory, 0, arena.len);
	memset(mine.arena.p, 0, mine.arena.len);
	mine.arena.len = 0;
	lines_free(&got);
	closes = lost = under_way = 0;
	arena = (struct mrg_arena){ .p = memory, .cap = ROOM };
	ck_assert_int_eq(mrg_dns_streams_init(&streams, &arena, server_timers, &limits, &answerer), MRG_OK);
	ck_assert_int_eq(
		mrg_dns_client_init(&client, &arena, client_timers, &client_limits, &handler), MRG_OK);
	mrg_dns_transfer_in_begin(&in, &wanted, &sink);
	ck_assert_int_eq(mrg_dns_transfer_in_query(&in, query, sizeof query, &len), MRG_OK);
	mrg_dns_client_begin(&client, now);
	ck_assert_int_eq(mrg_dns_client_ask(&client, (struct mrg_span){ query, len }), MRG_OK);
}

/* Begin a transfer on a new connection. */
static void start(bool incremental, uint32_t serial)
{
	now = 5;
	both = (struct stream_pair){ .room = STREAM_PAIR_ROOM };
	timers = (struct mrg_rt_timers){ .top = NULL };
	prepare(incremental, serial, &timers, &timers);
	ck_assert(stream_pair_open(&both, &client.user, &streams.user, now));
}

/* The zone that came is the one that was sent, and both ends are closed. */
static void same(void)
{
	struct lines came = { .count = 0 };
	const struct mrg_dns_zone *zone;
	ck_assert_int_eq(in.result, MRG_DNS_TRANSFER_COMPLETE);
	ck_assert_int_eq(mrg_dns_zone_finish(&builder, &zone, NULL), MRG_OK);
	lines_of_zone(&came, zone);
	lines_same(&sent, &came);
	lines_free(&came);
}

static void over(enum mrg_dns_client_end end)
{
	ck_assert_uint_eq(closes, 1);
	ck_assert_int_eq(ended, end);
	ck_assert_uint_eq(under_way, 0);
	ck_assert(both.a.closed && both.b.closed);
	ck_assert_uint_eq(mrg_dns_streams_count(&streams), 0);
	mrg_dns_streams_close(&streams);
	ck_assert(mrg_rt_timers_next(&timers) == MRG_RT_NEVER);
}

/* Cut: a read ends at this octet of the stream, and at each multiple of `piece`. */
static size_t cut_at, piece;

static size_t up_to_cut(void *ctx, const struct stream_pair_end *reader)
{
	const size_t came = reader->came;
	(void)ctx;
	if (piece != 0)
		return piece - came % piece;
	return came < cut_at ? cut_at - came : SIZE_MAX;
}

START_TEST(the_zone_that_comes_is_the_one_that_was_sent_however_it_is_cut)
{
	start(false, 0);
	ck_assert(!stream_pair_run(&both, 1000, now));
	const size_t octets = both.a.came;
	same();
	over(MRG_DNS_CLIENT_FINISHED);
	ck_assert_uint_gt(in.messages, 2);
	for (cut_at = 1, piece = 0; cut_at < octets; cut_at++) {
		start(false, 0);
		both.most = up_to_cut;
		ck_assert(!stream_pair_run(&both, 1000, now));
		same();
		over(MRG_DNS_CLIENT_FINISHED);
	}
	for (piece = 1; piece < 40; piece++) { /* and little room on the way */
		start(false, 0);
		both.most = up_to_cut;
		both.room = piece;
		ck_assert(!stream_pair_run(&both, 10000, now));
		same();
		over(MRG_DNS_CLIENT_FINISHED);
	}
}
END_TEST

START_TEST(differences_come_as_they_were_sent)
{
	static const char want[] = "-\nrecord\nrecord\n+\nrecord\n-\nrecord\n+\nrecord\nrecord";
	for (piece = 1; piece < 500; piece += 7) {
		struct lines w = { .count = 0 };
		start(true, 5);
		both.most = up_to_cut;
		ck_assert(!stream_pair_run(&both, 10000, now));
		ck_assert_int_eq(in.result, MRG_DNS_TRANSFER_COMPLETE);
		ck_assert_uint_eq(in.serial, 7);
		lines_take(&w, want, "");
		lines_same(&w, &got);
		lines_free(&w);
		over(MRG_DNS_CLIENT_FINISHED);
	}
	start(true, 7);
	ck_assert(!stream_pair_run(&both, 1000, now));
	ck_assert_int_eq(in.result, MRG_DNS_TRANSFER_UP_TO_DATE);
	over(MRG_DNS_CLIENT_FINISHED);
	start(true, 4); /* history does not reach back */
	ck_assert(!stream_pair_run(&both, 1000, now));
	same();
	over(MRG_DNS_CLIENT_FINISHED);
}
END_TEST

START_TEST(a_connection_that_breaks_anywhere)
{
	for (unsigned turns = 0;; turns++) {
		start(false, 0);
		piece = 50;
		both.most = up_to_cut;
		both.room = 50;
		const bool more = stream_pair_run(&both, turns, now);
		if (!more)
			break;
		const bool complete = in.result == MRG_DNS_TRANSFER_COMPLETE;
		both.broken = true;
		ck_assert(!stream_pair_run(&both, 10, now));
		ck_assert_int_eq(in.result, complete ? MRG_DNS_TRANSFER_COMPLETE : MRG_DNS_TRANSFER_FAILED);
		if (!complete)
			ck_assert_int_eq(in.fault, MRG_DNS_TRANSFER_FAULT_CUT);
		ck_assert_uint_eq(lost, !complete);
		over(complete ? MRG_DNS_CLIENT_FINISHED : MRG_DNS_CLIENT_BROKEN);
		ck_assert_uint_lt(turns, 1000);
	}
}
END_TEST

static void pass(uint64_t ns)
{
	now += ns;
	mrg_rt_timers_run(&timers, now);
}

START_TEST(a_server_that_says_nothing_and_a_client_that_takes_nothing)
{
	serve_large();
	start(false, 0);
	both.room = 100;
	(void)stream_pair_run(&both, 3, now);
	pass(3u * MRG_RT_SECOND_NS - 1);
	ck_assert_uint_eq(closes, 0);
	pass(1);
	ck_assert_uint_eq(closes, 1);
	ck_assert_int_eq(ended, MRG_DNS_CLIENT_TIMEOUT);
	ck_assert_int_eq(in.fault, MRG_DNS_TRANSFER_FAULT_CUT);
	ck_assert_uint_eq(under_way, 1);
	pass(10u * MRG_RT_SECOND_NS);
	over(MRG_DNS_CLIENT_TIMEOUT);
	start(false, 0);
	mrg_dns_client_close(&client);
	ck_assert_int_eq(ended, MRG_DNS_CLIENT_STOPPED);
	(void)stream_pair_run(&both, 10, now);
	over(MRG_DNS_CLIENT_STOPPED);
}
END_TEST

START_TEST(who_may_not_have_it_gets_nothing)
{
	start(false, 0);
	may_have_it = false;
	(void)stream_pair_run(&both, 100, now);
	ck_assert_int_eq(in.fault, MRG_DNS_TRANSFER_FAULT_RCODE);
	ck_assert_uint_eq(in.rcode, MRG_DNS_RCODE_REFUSED);
	ck_assert_uint_eq(got.count, 0);
	over(MRG_DNS_CLIENT_STOPPED);
}
END_TEST

START_TEST(a_server_that_ends)
{
	serve_large();
	start(false, 0);
	both.room = 100;
	(void)stream_pair_run(&both, 3, now);
	mrg_dns_streams_drain(&streams, now);
	ck_assert_uint_eq(under_way, 1); /* to its end */
	ck_assert(!stream_pair_run(&both, 1000, now));
	same();
	over(MRG_DNS_CLIENT_FINISHED);
	start(false, 0);
	both.room = 100;
	(void)stream_pair_run(&both, 3, now);
	mrg_dns_streams_close(&streams);
	(void)stream_pair_run(&both, 10, now);
	ck_assert_int_eq(in.fault, MRG_DNS_TRANSFER_FAULT_CUT);
	over(MRG_DNS_CLIENT_ENDED);
	ck_assert_uint_eq(lost, 1);
}
END_TEST

START_TEST(no_connection_comes_about)
{
	start(false, 0);
	mrg_dns_client_close(&client);
	(void)stream_pair_run(&both, 10, now);
	closes = 0;
	mrg_dns_client_begin(&client, now);
	mrg_dns_client_unreachable(&client);
	ck_assert_int_eq(ended, MRG_DNS_CLIENT_UNREACHABLE);
	mrg_dns_client_begin(&client, now);
	pass(MRG_RT_SECOND_NS);
	ck_assert_int_eq(ended, MRG_DNS_CLIENT_TIMEOUT);
	ck_assert_uint_eq(closes, 2);
	ck_assert_int_eq(mrg_dns_client_ask(&client, MRG_LITERAL("abc")), MRG_END);
	mrg_dns_client_finish(&client);
	mrg_dns_client_close(&client);
	mrg_dns_client_unreachable(&client);
	ck_assert_uint_eq(closes, 2);
	mrg_dns_client_begin(&client, now);
	static uint8_t big[MRG_DNS_CLIENT_OUT];
	ck_assert_int_eq(mrg_dns_client_ask(&client, (struct mrg_span){ big, sizeof big }), MRG_E_SPACE);
	for (unsigned i = 0; i < MRG_DNS_PIPELINE; i++)
		ck_assert_int_eq(mrg_dns_client_ask(&client, MRG_LITERAL("abc")), MRG_OK);
	ck_assert_int_eq(mrg_dns_client_ask(&client, MRG_LITERAL("abc")), MRG_END);
	mrg_dns_client_close(&client);
	ck_assert_uint_eq(lost, MRG_DNS_PIPELINE);
	struct mrg_arena small = { .p = memory, .cap = mrg_dns_client_memory() - 100 };
	ck_assert_int_eq(
		mrg_dns_client_init(&client, &small, &timers, &client.limits, &client.handler), MRG_E_SPACE);
}
END_TEST

START_TEST(a_message_that_nobody_asked_for)
{
	start(false, 0);
	ck_assert(!stream_pair_run(&both, 1000, now)); /* to its end: the client is free again */
	closes = 0;
	struct fake *const f = fake_new();
	mrg_dns_client_begin(&client, now);
	ck_assert(client.user.open(client.user.ctx, &f->stream, now));
	ck_assert(!client.user.open(client.user.ctx, &f->stream, now));
	fake_send_query(f, "abc", 3);
	fake_run(f, &client.user, f->in_len, now);
	ck_assert(f->closed);
	ck_assert_uint_eq(closes, 1);
	ck_assert_int_eq(ended, MRG_DNS_CLIENT_UNSOLICITED);
	fakes_free();
}
END_TEST

/* ---- over our own TCP ---- */

static void unreachable(struct mrg_tcpip_connect *t, enum mrg_net_why why, uint64_t now_ns)
{
	(void)t;
	(void)why;
	(void)now_ns;
	mrg_dns_client_unreachable(&client);
}

START_TEST(over_networks_that_lose_and_reorder)
{
	enum { SEEDS = 10, PORT = 53 };
	unsigned whole = 0;
	serve_large();
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		const struct mrg_sim_options bad = { .way = { .loss_ppm = (uint32_t)(seed % 4 * 15000),
							     .reorder_ppm = 50000,
							     .reorder_ns = 3 * MS,
							     .corrupt_ppm = 5000,
							     .delay_ns = 5 * MS } };
		pair_reset();
		pair_limits.receive_max = pair_limits.send_max = 1u << (12 + seed % 5);
		struct pair *const net = pair_begin(&bad, seed, seed % 2 != 0 ? 4 : 6);
		struct mrg_rt_addr at = net->address[1];
		struct mrg_tcpip_connect connecting = { .user = &client.user, .failed = unreachable };
		at.port = PORT;
		now = net->host[0]->now_ns;
		prepare(false, 0, &net->host[1]->timers, &net->host[0]->timers);
		struct mrg_tcpip_listener *const l = mrg_tcpip_listen(net->stack[1], &at, &streams.user);
		ck_assert_ptr_nonnull(l);
		ck_assert(mrg_tcpip_connect(net->stack[0], &connecting, NULL, &at));
		while (closes == 0)
			pair_run(net, 100 * MS);
		if (ended == MRG_DNS_CLIENT_FINISHED) {
			whole++;
			same();
		} else { /* it took too long: that is known, too */
			ck_assert_int_eq(ended, MRG_DNS_CLIENT_TIMEOUT);
			ck_assert_int_eq(in.result, MRG_DNS_TRANSFER_FAILED);
		}
		pair_run(net, 60 * SECOND);
		ck_assert_uint_eq(under_way, 0);
		ck_assert_uint_eq(mrg_dns_streams_count(&streams), 0);
		mrg_dns_streams_close(&streams);
		mrg_tcpip_listener_close(l);
	}
	ck_assert_uint_ge(whole, SEEDS / 2);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/dns: transfers, both sides");
	TCase *const c = tcase_create("both");
	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, the_zone_that_comes_is_the_one_that_was_sent_however_it_is_cut);
	tcase_add_test(c, differences_come_as_they_were_sent);
	tcase_add_test(c, a_connection_that_breaks_anywhere);
	tcase_add_test(c, a_server_that_says_nothing_and_a_client_that_takes_nothing);
	tcase_add_test(c, who_may_not_have_it_gets_nothing);
	tcase_add_test(c, a_server_that_ends);
	tcase_add_test(c, a_message_that_nobody_asked_for);
	tcase_add_test(c, over_networks_that_lose_and_reorder);
	tcase_add_test(c, no_connection_comes_about);
	suite_add_tcase(s, c);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
