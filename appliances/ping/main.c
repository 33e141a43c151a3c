/*
 * mrg-ping: ICMP echo requests from a TCP/IP of its own. This file is the way in.
 * Reading order: ping.h, options.c, pinger.c.
 */
#include <signal.h>
#include <string.h>

#include "appliances/common/say.h"
#include "appliances/common/start.h"
#include "appliances/ping/ping.h"

enum { LEAST_CONNS = 1 };

static struct pinger pinger;
static struct mrg_unix_loop loop;
static volatile sig_atomic_t stopped;

/* What has come so far is said, then it ends. */
static void on_signal(int number)
{
	(void)number;
	stopped = 1;
	mrg_unix_loop_wake(&loop);
}

static bool turn(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	return stopped == 0 && !pinger.over;
}

static int failed(const char *doing, int err)
{
	say("mrg-ping: ", doing, ": ", strerrordesc_np(err), NULL);
	return PING_WRONG;
}

/* The loop has no ends of the kernel's but the device. */
static int open_all(struct net *net, struct mrg_arena *arena, const struct mrg_tcpip_limits *limits)
{
	static const struct mrg_unix_limits loop_limits = {
		.conn_count = LEAST_CONNS, .dgram_in_max = 1, .dgram_out_max = 1
	};
	const size_t len = mrg_unix_loop_memory(&loop_limits) + net_memory(net->options, limits);
	int err = mrg_unix_arena_open(arena, len, len);
	if (err == 0)
		err = mrg_unix_loop_init(&loop, &mrg_unix_kernel, arena, &loop_limits);
	return err != 0 ? err : net_open(net, &loop, arena, limits);
}

static int ping(const struct options *o)
{
	static struct net net;
	static struct mrg_arena arena;
	struct mrg_tcpip_limits limits = mrg_tcpip_usual;
	const struct mrg_unix_turn each = { .turn = turn };
	const struct sigaction action = { .sa_handler = on_signal };
	if (net_device(&net, "mrg-ping", &o->net) != OUTCOME_OK)
		return PING_WRONG;
	limits.conn_count = limits.half_open_count = limits.time_wait_count = LEAST_CONNS;
	int err = open_all(&net, &arena, &limits);
	if (err != 0)
		return failed("start", err);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	pinger_begin(&pinger, net.stack, &loop.timers, o, loop.now_ns);
	err = mrg_unix_loop_run(&loop, &each);
	const int code = pinger_end(&pinger, mrg_unix_now_ns());
	if (o->net.pcap[0] != '\0')
		net_record(&net);
	net_close(&net);
	return err != 0 ? failed("loop", err) : code;
}

int main(int argc, char *argv[])
{
	static struct options o;
	int code;
	if (mrg_unix_files_begin() != 0)
		return PING_WRONG; /* with nowhere to say so */
	return options_read(&o, argc, argv, &code) ? ping(&o) : code;
}
