/*
 * bench/libs/lwip_memory.c - what tcpip_ours.c does, with Debian's lwIP: the work of a TCP/IP for bytes and for small exchanges, in
 * memory.
 *
 * The raw API, in the shared library of Debian, which is built with an operating system underneath: no thread of its own is started
 * here, so nothing waits for one, but its locks are taken (without anybody else). The options are those of that build, which has
 * neither timestamps nor SACK, and a window of 65,535 octets. What is written is copied by it; what came is handed over in
 * place and not copied, which is less than ours does. Buffers for frames come from the heap: those of that build's PBUF_POOL are
 * said to hold 1,536 octets and hold 592.
 */
#include "bench/libs/lwip.h"
#include "bench/util.h"

#include <stdlib.h>
#include <string.h>

enum {
	CHUNK = 1 << 15,
	PATTERN = CHUNK - 15,
	SEGMENT = 1460,
	PASS_SEGMENTS = 4096,
	EXCHANGE = 64,
	EXCHANGES = 2000
};
enum { FRAMES = 1 << 14, BURST = 64, MTU = 1500, TURNS = 16 };

/* One direction of the wire. */
struct way {
	struct pbuf *frames[FRAMES];
	size_t head, tail;
};

struct side {
	struct netif net;
	struct tcp_pcb *pcb;
	struct way way; /* from here */
	uint64_t sent, got;
	bool sends, answers;
	unsigned asks;
};

static struct side sides[2];
static uint8_t out[2 * CHUNK];
static bool verify;
static unsigned turns;

/* --- the wire ----------------------------------------------------------------------- */

static err_t wire_send(struct netif *n, struct pbuf *p)
{
	struct way *const w = &((struct side *)n->state)->way;
	struct pbuf *const copy = pbuf_alloc(PBUF_RAW, p->tot_len, PBUF_RAM);

	if (copy == NULL || w->tail - w->head == FRAMES || pbuf_copy(copy, p) != ERR_OK)
		bench_die("lwip: no room on the wire");
	w->frames[w->tail++ % FRAMES] = copy;
	return ERR_OK;
}

static void hand_over(struct side *from, struct side *to)
{
	struct way *const w = &from->way;

	for (unsigned n = 0; n < BURST && w->head < w->tail; n++) {
		struct pbuf *const p = w->frames[w->head++ % FRAMES];
		if (to->net.input(p, &to->net) != ERR_OK)
			bench_die("lwip: a frame is not taken");
	}
}

static void turn(void)
{
	hand_over(&sides[0], &sides[1]);
	hand_over(&sides[1], &sides[0]);
	if (++turns % TURNS == 0)
		sys_check_timeouts();
}

static err_t net_init(struct netif *n)
{
	const size_t i = (size_t)((struct side *)n->state - sides);

	n->name[0] = 'w';
	n->name[1] = (char)('0' + i);
	n->hwaddr_len = 6;
	memcpy(n->hwaddr, (uint8_t[6]){ 2, 0, 0, 0, 0, (uint8_t)i }, 6);
	n->mtu = MTU;
	n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
	n->output = etharp_output;
	n->linkoutput = wire_send;
	return ERR_OK;
}

/* --- the users ---------------------------------------------------------------------- */

static void send_some(struct side *s, size_t len)
{
	for (;;) {
		const size_t room = tcp_sndbuf(s->pcb), n = len < room ? len : room;
		if (n == 0 ||
			tcp_write(s->pcb, out + s->sent % PATTERN, (u16_t)n, TCP_WRITE_FLAG_COPY) != ERR_OK)
			return;
		s->sent += n;
		if (len != CHUNK)
			return;
	}
}

static void compare(const struct side *s, const struct pbuf *p)
{
	size_t at = 0;

	for (; p != NULL; at += p->len, p = p->next)
		if (memcmp(p->payload, out + (s->got + at) % PATTERN, p->len) != 0)
			bench_die("lwip: other bytes came than were sent");
}

static err_t received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct side *const s = arg;

	if (p == NULL || err != ERR_OK)
		bench_die("lwip: the connection ends");
	if (verify)
		compare(s, p);
	s->got += p->tot_len;
	tcp_recved(pcb, p->tot_len);
	if (s->answers)
		send_some(s, p->tot_len);
	if (s->asks != 0) {
		s->asks--;
		send_some(s, EXCHANGE);
	}
	pbuf_free(p);
	return ERR_OK;
}

static err_t acknowledged(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	struct side *const s = arg;

	(void)pcb;
	(void)len;
	if (s->sends)
		send_some(s, CHUNK);
	return ERR_OK;
}

static void side_open(struct side *s, struct tcp_pcb *pcb)
{
	s->pcb = pcb;
	tcp_arg(pcb, s);
	tcp_nagle_disable(pcb);
	tcp_recv(pcb, received);
	tcp_sent(pcb, acknowledged);
}

static err_t accepted(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)err;
	side_open(arg, pcb);
	return ERR_OK;
}

static err_t connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)err;
	side_open(arg, pcb);
	return ERR_OK;
}

static void connect_both(void)
{
	ip4_addr_t mask, none, address[2];

	lwip_init();
	IP4_ADDR(&mask, 255, 255, 255, 0);
	IP4_ADDR(&none, 0, 0, 0, 0);
	for (unsigned i = 0; i < 2; i++) {
		IP4_ADDR(&address[i], 10, 0, 0, i + 1);
		if (netif_add(&sides[i].net, &address[i], &mask, &none, &sides[i], net_init,
			    ethernet_input) == NULL)
			bench_die("lwip: no interface");
		netif_set_up(&sides[i].net);
	}
	/* both are of the same network: each end is told its interface */
	struct tcp_pcb *listener = tcp_new(), *const pcb = tcp_new();
	ip_addr_t at[2];
	ip_addr_copy_from_ip4(at[0], address[0]);
	ip_addr_copy_from_ip4(at[1], address[1]);
	tcp_bind_netif(listener, &sides[1].net);
	tcp_bind_netif(pcb, &sides[0].net);
	if (tcp_bind(listener, &at[1], 80) != ERR_OK || (listener = tcp_listen(listener)) == NULL)
		bench_die("lwip: no listener");
	tcp_arg(listener, &sides[1]);
	tcp_accept(listener, accepted);
	tcp_arg(pcb, &sides[0]);
	if (tcp_bind(pcb, &at[0], 0) != ERR_OK || tcp_connect(pcb, &at[1], 80, connected) != ERR_OK)
		bench_die("lwip: no connection");
	for (uint64_t until = bench_now_ns() + 5000000000u; sides[0].pcb == NULL || sides[1].pcb == NULL;) {
		if (bench_now_ns() > until)
			bench_die("lwip: the connection is not made");
		turn();
	}
}

/* --- bytes, exchanges ------------------------------------------------------------------ */

static void bulk(void *ctx)
{
	const uint64_t until = sides[1].got + (uint64_t)PASS_SEGMENTS * SEGMENT;

	(void)ctx;
	while (sides[1].got < until)
		turn();
}

static void bulk_measure(unsigned ms)
{
	struct side *const s = &sides[0];

	s->sends = true;
	send_some(s, CHUNK);
	tcp_output(s->pcb);
	verify = true;
	bulk(NULL);
	verify = false;
	bench_result("bulk", bench_time(bulk, NULL, PASS_SEGMENTS, ms));
	s->sends = false;
	while (sides[1].got < s->sent || tcp_sndbuf(s->pcb) != TCP_SND_BUF)
		turn();
}

static void exchanges(void *ctx)
{
	const uint64_t until = sides[0].got + (uint64_t)EXCHANGES * EXCHANGE;

	(void)ctx;
	sides[0].asks = EXCHANGES - 1u;
	send_some(&sides[0], EXCHANGE);
	tcp_output(sides[0].pcb);
	while (sides[0].got < until)
		turn();
}

static void exchanges_measure(unsigned ms)
{
	sides[1].answers = true;
	sides[0].got = sides[1].sent = sides[1].got = sides[0].sent;
	verify = true;
	exchanges(NULL);
	verify = false;
	bench_result("exchange", bench_time(exchanges, NULL, EXCHANGES, ms));
}

int main(int argc, char **argv)
{
	if (argc < 2)
		bench_die("usage: lwip_memory MILLISECONDS [bulk | exchange]");
	const unsigned ms = (unsigned)atoi(argv[1]);

	for (size_t i = 0; i < sizeof out; i++)
		out[i] = (uint8_t)(i % PATTERN * 2654435761u >> 13);
	connect_both();
	bulk_measure(argc > 2 && strcmp(argv[2], "bulk") != 0 ? 1 : ms);
	exchanges_measure(argc > 2 && strcmp(argv[2], "exchange") != 0 ? 1 : ms);
	return 0;
}
