/*
 * bench/libs/lwip_tap.c - Debian's lwIP on a TAP device: echo at port 7, discard at 9, characters without end at 19, and at 80 one
 * answer to every request of HTTP.
 *
 *	lwip_tap DEVICE ADDRESS
 *
 * The raw API, one thread, a read and a write a frame, as lwIP's own driver for TAP devices does it (which can't be used here: see
 * lwip_memory.c on PBUF_POOL).
 */
#include "bench/libs/lwip.h"
#include "bench/util.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { ECHO_PORT = 7, DISCARD_PORT = 9, CHARGEN_PORT = 19, HTTP_PORT = 80, MTU = 1500, FRAME_MAX = MTU + 14 };
enum { BURST = 64, WAIT_MS = 10, CHUNK = 1 << 14 };

static const char answer[] =
	"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello world\n";

struct conn {
	struct tcp_pcb *pcb;
	u16_t port;
	struct pbuf *wait; /* to be sent back */
	unsigned end;      /* octets of the end of a head that have come */
};

static int fd;
static uint8_t chunk[CHUNK];

/* --- the device ----------------------------------------------------------------------- */

static err_t tap_send(struct netif *n, struct pbuf *p)
{
	uint8_t frame[FRAME_MAX];
	const void *from = p->payload;

	(void)n;
	if (p->next != NULL) {
		pbuf_copy_partial(p, frame, p->tot_len, 0);
		from = frame;
	}
	return write(fd, from, p->tot_len) < 0 && errno != EAGAIN ? ERR_IF : ERR_OK;
}

static err_t net_init(struct netif *n)
{
	n->name[0] = 't';
	n->name[1] = 'p';
	n->hwaddr_len = 6;
	memcpy(n->hwaddr, (uint8_t[6]){ 2, 0, 0, 0, 1, 1 }, 6);
	n->mtu = MTU;
	n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
	n->output = etharp_output;
	n->linkoutput = tap_send;
	return ERR_OK;
}

static void device_open(const char *name)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI };

	strncpy(r.ifr_name, name, IFNAMSIZ - 1);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r) != 0)
		bench_die("lwip_tap: %s: %s", name, strerror(errno));
}

/* Whether there was a frame. */
static bool receive(struct netif *n)
{
	uint8_t frame[FRAME_MAX];
	const ssize_t len = read(fd, frame, sizeof frame);

	if (len <= 0)
		return false;
	struct pbuf *const p = pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_RAM);
	if (p == NULL)
		return true;
	pbuf_take(p, frame, (u16_t)len);
	if (n->input(p, n) != ERR_OK)
		pbuf_free(p);
	return true;
}

/* --- services ----------------------------------------------------------------------- */

static void echo_more(struct conn *c)
{
	while (c->wait != NULL) {
		struct pbuf *const p = c->wait;
		if (tcp_sndbuf(c->pcb) < p->len ||
			tcp_write(c->pcb, p->payload, p->len, TCP_WRITE_FLAG_COPY) != ERR_OK)
			return;
		c->wait = p->next;
		if (c->wait != NULL)
			pbuf_ref(c->wait);
		tcp_recved(c->pcb, p->len);
		pbuf_free(p);
	}
}

static void chargen_more(struct conn *c)
{
	for (;;) {
		const size_t room = tcp_sndbuf(c->pcb), n = room < CHUNK ? room : CHUNK;
		if (n == 0 || tcp_write(c->pcb, chunk, (u16_t)n, TCP_WRITE_FLAG_COPY) != ERR_OK)
			return;
	}
}

static void http_read(struct conn *c, const struct pbuf *p)
{
	for (; p != NULL; p = p->next)
		for (const char *s = p->payload, *const end = s + p->len; s < end; s++) {
			const bool fits = *s == (c->end % 2u == 0 ? '\r' : '\n');
			c->end = fits ? c->end + 1u : *s == '\r';
			if (c->end < 4u)
				continue;
			c->end = 0;
			(void)tcp_write(c->pcb, answer, sizeof answer - 1u, TCP_WRITE_FLAG_COPY);
		}
}

static err_t acknowledged(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	struct conn *const c = arg;

	(void)pcb;
	(void)len;
	if (c->port == ECHO_PORT)
		echo_more(c);
	if (c->port == CHARGEN_PORT)
		chargen_more(c);
	return ERR_OK;
}

static err_t received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct conn *const c = arg;

	(void)err;
	if (p == NULL) {
		tcp_arg(pcb, NULL);
		tcp_recv(pcb, NULL);
		tcp_sent(pcb, NULL);
		tcp_err(pcb, NULL);
		if (c->wait != NULL)
			pbuf_free(c->wait);
		free(c);
		return tcp_close(pcb);
	}
	if (c->port == ECHO_PORT) {
		if (c->wait != NULL)
			pbuf_cat(c->wait, p);
		else
			c->wait = p;
		echo_more(c);
		return ERR_OK;
	}
	if (c->port == HTTP_PORT)
		http_read(c, p);
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static void gone(void *arg, err_t err)
{
	struct conn *const c = arg;

	(void)err;
	if (c != NULL && c->wait != NULL)
		pbuf_free(c->wait);
	free(c);
}

static err_t accepted(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct conn *const c = bench_alloc(sizeof *c);

	(void)err;
	(void)arg;
	*c = (struct conn){ .pcb = pcb, .port = pcb->local_port };
	tcp_arg(pcb, c);
	tcp_nagle_disable(pcb);
	tcp_recv(pcb, received);
	tcp_sent(pcb, acknowledged);
	tcp_err(pcb, gone);
	if (c->port == CHARGEN_PORT)
		chargen_more(c);
	return ERR_OK;
}

static void listen_at(u16_t port)
{
	struct tcp_pcb *const pcb = tcp_new();

	if (pcb == NULL || tcp_bind(pcb, IP4_ADDR_ANY, port) != ERR_OK)
		bench_die("lwip_tap: port %u", port);
	tcp_accept(tcp_listen(pcb), accepted);
}

int main(int argc, char **argv)
{
	static struct netif net;
	ip4_addr_t own, mask, none;

	if (argc != 3 || ip4addr_aton(argv[2], &own) == 0)
		bench_die("usage: lwip_tap DEVICE ADDRESS");
	IP4_ADDR(&mask, 255, 255, 255, 0);
	IP4_ADDR(&none, 0, 0, 0, 0);
	for (size_t i = 0; i < sizeof chunk; i++)
		chunk[i] = (uint8_t)(' ' + i % 95u);
	device_open(argv[1]);
	lwip_init();
	if (netif_add(&net, &own, &mask, &none, NULL, net_init, ethernet_input) == NULL)
		bench_die("lwip_tap: no interface");
	netif_set_default(&net);
	netif_set_up(&net);
	listen_at(ECHO_PORT);
	listen_at(DISCARD_PORT);
	listen_at(CHARGEN_PORT);
	listen_at(HTTP_PORT);
	for (;;) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		(void)poll(&wait, 1, WAIT_MS);
		for (unsigned i = 0; i < BURST && receive(&net); i++)
			;
		sys_check_timeouts();
	}
}
