/*
 * TCP: what is told of single connections.
 */
#include <string.h>

#include "tests/protocols/tcpip/raw.h"

static const struct raw_options plain = { .mss = 1000 },
				rich = { .mss = 1460, .scale = 7, .sack_ok = true, .ts = true };

static struct mrg_tcpip_connection told[8];
static size_t told_count;

static void keep(void *ctx, const struct mrg_tcpip_connection *c)
{
	MUST(ctx == told && told_count < 8);
	told[told_count++] = *c;
}

static size_t look(size_t most)
{
	told_count = 0;
	return mrg_tcpip_connections(raw.s, most, keep, told);
}

/* The one connection that there is. */
static const struct mrg_tcpip_connection *one(void)
{
	MUST(look(8) == 1 && told_count == 1);
	return &told[0];
}

static bool is_at(const struct mrg_rt_addr *a, const char *text, uint16_t port)
{
	const struct mrg_rt_addr want = raw_addr(text, port);
	return mrg_rt_addr_same(a, &want);
}

START_TEST(nobody)
{
	raw_open(NULL);
	MUST(look(8) == 0 && told_count == 0);
}
END_TEST

START_TEST(where_and_what_was_agreed)
{
	for (unsigned version = 4; version <= 6; version += 2) {
		if (version == 4)
			raw_open(NULL);
		else
			raw_open6();
		(void)raw_accept(&rich);
		const struct mrg_tcpip_connection *const c = one();
		MUST(is_at(&c->local, raw.ours, 80) && is_at(&c->peer, raw.peer, raw.peer_port));
		MUST(c->state == MRG_NET_CONNECTION_ESTABLISHED);
		MUST(c->timestamps && c->sack && !c->ecn && c->snd_scale == 7);
		MUST(c->in_len == 0 && c->out_len == 0 && c->flight_len == 0 && c->tries == 0);
		MUST(!c->orphan && !c->recovering && !c->out_of_order);
	}
}
END_TEST

START_TEST(what_is_under_way)
{
	raw_open(NULL);
	struct raw_user *const u = raw_accept(&plain);
	raw_write(u, raw_bytes(15000, 1));
	raw_run(100 * RAW_MS);
	const struct mrg_tcpip_connection *c = one();
	MUST(!c->timestamps && !c->sack && c->mss == 1000);
	MUST(c->cwnd == 10000 && c->flight_len == 10000 && c->out_len == 15000);
	MUST(c->heard_ms == 100 && c->snd_wnd == 65535);
	raw_forget();
	SEND(.flags = ACK, .seq = 1, .ack = 1001);
	c = one();
	MUST(c->heard_ms == 0 && c->out_len == 14000 && c->srtt_us == 100000);
	MUST(c->rto_ms >= 200 && c->rto_ms <= 400);
	raw_run(2 * RAW_SECOND);
	c = one();
	MUST(c->tries > 0 && c->cwnd < 10000 && c->ssthresh < 20000);
}
END_TEST

START_TEST(what_is_not_read_and_gaps)
{
	raw_open(NULL);
	raw.hold = true;
	(void)raw_accept(&rich);
	SEND(.flags = ACK, .seq = 1, .ack = 1, .data = raw_bytes(500, 1));
	SEND(.flags = ACK, .seq = 601, .ack = 1, .data = raw_bytes(100, 1));
	const struct mrg_tcpip_connection *const c = one();
	MUST(c->in_len == 500 && c->out_of_order);
}
END_TEST

START_TEST(beginning_and_end)
{
	raw_open(NULL);
	SEND(.flags = SYN, .syn = &rich);
	const struct mrg_tcpip_connection *c = one();
	MUST(c->state == MRG_NET_CONNECTION_SYN_RECEIVED && is_at(&c->local, raw.ours, 80));
	MUST(is_at(&c->peer, raw.peer, raw.peer_port) && c->mss == 1460 && c->timestamps && c->sack);
	raw_open(NULL);
	struct raw_user *const u = raw_accept(&plain);
	raw_close(u);
	c = one();
	MUST(c->state == MRG_NET_CONNECTION_FIN_WAIT1 && c->orphan);
	SEND(.flags = FIN | ACK, .seq = 1, .ack = 2);
	c = one();
	MUST(c->state == MRG_NET_CONNECTION_TIME_WAIT && is_at(&c->peer, raw.peer, raw.peer_port));
	raw_run(61 * RAW_SECOND);
	MUST(look(8) == 0);
}
END_TEST

START_TEST(all_are_counted)
{
	raw_open(NULL);
	for (uint16_t i = 0; i < 5; i++) {
		raw_peer("10.0.0.1", (uint16_t)(5000 + i));
		(void)raw_accept(&plain);
	}
	MUST(look(8) == 5 && told_count == 5);
	MUST(look(2) == 5 && told_count == 2);
	MUST(look(0) == 5 && told_count == 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { nobody, where_and_what_was_agreed, what_is_under_way,
		what_is_not_read_and_gaps, beginning_and_end, all_are_counted, NULL };
	return raw_main("protocols/tcpip/tcp: what is told of connections", tests);
}
