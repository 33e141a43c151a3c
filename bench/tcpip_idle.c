/*
 * bench/tcpip_idle.c - what connections cost that do nothing: octets of a server's arena, beside buffers, for each of many that stand,
 * and for each that is half open; and how many can be had.
 *
 * Two stacks on a wire (hosts.h). A stack that has room for one connection is what the others are held against, so that tables count,
 * whose size follows from how many there may be. Connections that stand are then used once, so that they are known to be good.
 */
#include "bench/hosts.h"

#include <stdlib.h>
#include <string.h>

enum { PORT_FIRST = 1024, PORTS = 50000, WEB = 80, CLIENTS_MAX = 16 };

static struct hosts hosts;
static struct mrg_rt_addr clients[CLIENTS_MAX];
static struct mrg_tcpip_connect *attempts;
static struct mrg_stream **opened;
static uint64_t opened_count, served_count, heard, refused;

/* --- users ------------------------------------------------------------------------------ */

static bool open_client(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	opened[opened_count++] = s;
	mrg_stream_want(s, MRG_STREAM_READABLE);
	return true;
}

static bool open_served(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	served_count++;
	mrg_stream_want(s, MRG_STREAM_READABLE);
	return true;
}

static void ready(void *ctx, struct mrg_stream *s, unsigned events, uint64_t now_ns)
{
	uint8_t b[16];
	size_t got;
	(void)ctx;
	(void)events;
	(void)now_ns;
	while (mrg_stream_read(s, b, sizeof b, &got) == MRG_IO_OK)
		heard += got;
}

static void failed(struct mrg_tcpip_connect *t, enum mrg_net_why why, uint64_t now_ns)
{
	(void)t;
	(void)why;
	(void)now_ns;
	refused++;
}

static const struct mrg_stream_user client = { .open = open_client, .ready = ready };
static const struct mrg_stream_user server = { .open = open_served, .ready = ready };

/* --- the hosts -------------------------------------------------------------------------- */

static uint64_t counted;
static const char *counter;

static void see(void *ctx, const char *protocol, const char *name, uint64_t value)
{
	(void)ctx;
	if (strcmp(protocol, "tcp") == 0 && strcmp(name, counter) == 0)
		counted = value;
}

static uint64_t count_of(const char *name)
{
	counter = name;
	counted = 0;
	mrg_tcpip_counts(hosts.stack[1], see, NULL);
	return counted;
}

static void begin(uint32_t count, uint32_t half_open_count)
{
	struct mrg_tcpip_limits limits = mrg_tcpip_usual;
	struct mrg_rt_addr at;
	limits.conn_count = count;
	limits.half_open_count = half_open_count;
	limits.time_wait_count = 1;
	limits.keepalive_s = 0;
	hosts_open(&hosts, &limits);
	opened_count = served_count = heard = refused = 0;
	for (uint8_t i = 0; i < CLIENTS_MAX; i++) {
		clients[i] = hosts.address[0];
		clients[i].ip[3] = (uint8_t)(i + 10u);
		if (i <= count / PORTS)
			hosts_address_add(&hosts, 0, &clients[i]);
	}
	hosts_settle(&hosts, 30u * MRG_RT_SECOND_NS);
	at = hosts.address[1];
	at.port = WEB;
	if (mrg_tcpip_listen(hosts.stack[1], &at, &server) == NULL)
		bench_die("tcpip_idle: no listener");
}

static void attempt(uint32_t i)
{
	struct mrg_rt_addr from = clients[i / PORTS], to = hosts.address[1];
	from.port = (uint16_t)(PORT_FIRST + i % PORTS);
	to.port = WEB;
	attempts[i] = (struct mrg_tcpip_connect){ .user = &client, .failed = failed };
	if (!mrg_tcpip_connect(hosts.stack[0], &attempts[i], &from, &to))
		bench_die("tcpip_idle: attempt %u is refused", i);
}

/* --- what is held ---------------------------------------------------------------------- */

static size_t base(void)
{
	begin(1, 1);
	const size_t len = hosts.arena[1].len;
	hosts_close(&hosts);
	return len;
}

static void established(uint32_t count, size_t without)
{
	begin(count, 1024);
	const size_t half = 1023u * 64u; /* of those that may be half open, which are counted below */
	for (uint32_t i = 0; i < count; i++) {
		attempt(i);
		for (unsigned turns = 0; opened_count <= i && turns < 1000; turns++)
			hosts_turn(&hosts);
	}
	hosts_settle(&hosts, 5u * MRG_RT_SECOND_NS);
	bench_result("held", (double)served_count);
	bench_result("established", (double)(hosts.arena[1].len - without - half) / (double)served_count);
	for (uint32_t i = 0; i < opened_count; i++) {
		const struct mrg_span one = { (const uint8_t *)"?", 1 };
		size_t done;
		if (mrg_stream_write(opened[i], &one, 1, false, &done) == MRG_IO_OK)
			hosts_turn(&hosts);
	}
	hosts_settle(&hosts, 5u * MRG_RT_SECOND_NS);
	bench_result("still good", (double)heard);
	hosts_close(&hosts);
}

/* Nobody hears the server's answers. */
static void half_open(const char *name, uint32_t count, uint32_t room)
{
	begin(count, room);
	for (uint32_t i = 0; i < count; i += PORTS)
		attempt(i); /* all know each other's addresses of the link then */
	hosts_settle(&hosts, MRG_RT_SECOND_NS);
	const size_t before = hosts.arena[1].len;
	hosts.steady = true;
	hosts.way[1].deaf = true;
	for (uint32_t i = 1; i < count; i++) {
		if (i % PORTS == 0)
			continue;
		attempt(i);
		hosts_turn(&hosts);
	}
	char text[64];
	snprintf(text, sizeof text, "%s held", name);
	bench_result(text, (double)count_of("half_open"));
	snprintf(text, sizeof text, "%s cookies", name);
	bench_result(text, (double)count_of("syn_cookies_sent"));
	snprintf(text, sizeof text, "%s grown", name);
	bench_result(text, (double)(hosts.arena[1].len - before));
	hosts_close(&hosts);
}

static void half_open_room(uint32_t count, size_t without)
{
	begin(1, count);
	bench_result("half open", (double)(hosts.arena[1].len - without) / (double)count);
	hosts_close(&hosts);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		bench_die("usage: tcpip_idle CONNECTIONS");
	const uint32_t count = (uint32_t)atoi(argv[1]);
	if (count < 2 || count > (CLIENTS_MAX - 1) * PORTS)
		bench_die("tcpip_idle: so many can't be tried");
	attempts = bench_alloc(count * sizeof *attempts);
	opened = bench_alloc(count * sizeof *opened);
	const size_t without = base();
	established(count, without);
	half_open_room(count, without);
	half_open("half open", count, count);
	half_open("cookies", count, 1);
	return 0;
}
