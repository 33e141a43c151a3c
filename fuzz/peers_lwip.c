/* lwIP for peers_stack.c: see peers_lwip.h. Its timers are not run, but for those that are asked for; it has no thread of its own. */
#include "fuzz/peers_lwip.h"

#include <lwip/init.h>
#include <lwip/ip.h>
#include <lwip/ip4_frag.h>
#include <lwip/ip6.h>
#include <lwip/ip6_frag.h>
#include <lwip/nd6.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/raw.h>
#include <lwip/tcp.h>
#include <lwip/udp.h>
#include <string.h>

enum { MTU = 1500, REASSEMBLY_TICKS = 64 };

static struct lwip_world world;
static struct netif on;
static bool quiet; /* nobody is to hear of what it sends now */

/* ---- what comes out ---- */

static err_t send_any(struct pbuf *p)
{
	static uint8_t packet[65535];
	const size_t len = pbuf_copy_partial(p, packet, sizeof packet, 0);
	if (!quiet)
		world.sent(world.ctx, packet, len);
	return ERR_OK;
}

static err_t send4(struct netif *n, struct pbuf *p, const ip4_addr_t *to)
{
	(void)n;
	(void)to;
	return send_any(p);
}

static err_t send6(struct netif *n, struct pbuf *p, const ip6_addr_t *to)
{
	(void)n;
	(void)to;
	return send_any(p);
}

/* ---- users ---- */

static err_t hear(void *ctx, struct tcp_pcb *c, struct pbuf *p, err_t err)
{
	static uint8_t octets[65535];
	(void)ctx;
	(void)err;
	const size_t len = p != NULL ? pbuf_copy_partial(p, octets, sizeof octets, 0) : 0;
	world.heard(world.ctx, octets, len, p == NULL);
	if (p != NULL) {
		tcp_recved(c, p->tot_len);
		pbuf_free(p);
	}
	return ERR_OK;
}

static err_t accept(void *ctx, struct tcp_pcb *c, err_t err)
{
	(void)ctx;
	if (err == ERR_OK && c != NULL)
		tcp_recv(c, hear);
	return ERR_OK;
}

static void echo(void *ctx, struct udp_pcb *u, struct pbuf *p, const ip_addr_t *from, u16_t port)
{
	(void)ctx;
	if (p->tot_len != 0)
		(void)udp_sendto(u, p, from, port);
	(void)pbuf_free(p);
}

/* ---- the host ---- */

static err_t ready(struct netif *n)
{
	n->name[0] = 'f';
	n->name[1] = 'z';
	n->mtu = MTU;
	n->mtu6 = MTU;
	n->output = send4;
	n->output_ip6 = send6;
	n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_LINK_UP;
	n->hwaddr_len = 6;
	memcpy(n->hwaddr, world.our_mac, 6);
	return ERR_OK;
}

static bool listen_at(uint16_t port)
{
	struct tcp_pcb *c = tcp_new_ip_type(IPADDR_TYPE_ANY);
	if (c == NULL || tcp_bind(c, IP_ANY_TYPE, port) != ERR_OK)
		return false;
	c = tcp_listen(c);
	if (c != NULL)
		tcp_accept(c, accept);
	return c != NULL;
}

bool lwip_world_open(const struct lwip_world *w)
{
	ip4_addr_t address, mask, router;
	world = *w;
	lwip_init();
	memcpy(&address, w->our4, sizeof address);
	IP4_ADDR(&mask, 255, 255, 255, 0);
	IP4_ADDR(&router, 10, 0, 0, 1);
	quiet = true;
	if (netif_add(&on, &address, &mask, &router, NULL, ready, ip_input) == NULL)
		return false;
	netif_set_default(&on);
	netif_set_up(&on);
	ip6_addr_t six;
	memset(&six, 0, sizeof six);
	memcpy(six.addr, w->our6, 16);
	netif_ip6_addr_set(&on, 0, &six);
	netif_ip6_addr_set_state(&on, 0, IP6_ADDR_PREFERRED);
	struct udp_pcb *const u = udp_new_ip_type(IPADDR_TYPE_V4);
	if (u == NULL || udp_bind(u, IP4_ADDR_ANY, w->udp_echo) != ERR_OK)
		return false;
	udp_recv(u, echo, NULL);
	quiet = false;
	return listen_at(w->tcp[0]) && listen_at(w->tcp[1]);
}

void lwip_world_reset(void)
{
	quiet = true;
	while (tcp_active_pcbs != NULL)
		tcp_abort(tcp_active_pcbs);
	while (tcp_tw_pcbs != NULL)
		tcp_abort(tcp_tw_pcbs);
	for (unsigned i = 0; i < REASSEMBLY_TICKS; i++) {
		ip_reass_tmr();
		ip6_reass_tmr();
	}
	nd6_cleanup_netif(&on);
	on.mtu6 = MTU;
	quiet = false;
}

void lwip_world_in(const uint8_t *packet, size_t len)
{
	struct pbuf *const p = pbuf_alloc(PBUF_LINK, (u16_t)len, PBUF_RAM);
	if (p == NULL)
		return;
	if (len != 0)
		(void)pbuf_take(p, packet, (u16_t)len);
	(void)ip_input(p, &on);
}

void lwip_world_later(void) { tcp_fasttmr(); }
