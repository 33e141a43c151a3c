/*
 * net.h - `--net`: a program's own TCP/IP (protocols/tcpip) on a TAP device or a packet socket, instead of the kernel's sockets.
 *
 *	tap:NAME[,WHAT]...		a TAP device, made if there is none
 *	packet:NAME[,WHAT]...		an interface that the kernel has, shared with it
 *	WHAT:	addr=10.0.0.2/24	an IPv4 address; repeatable		gw=10.0.0.1	the router to all else
 *		ip6=2001:db8::2/64	an IPv6 address; repeatable		gw6=fe80::1	likewise
 *		dhcp			ask for an IPv4 address and a router
 *		mac=02:00:00:00:00:01	our address of the link (made from the kernel's)
 *		mtu=1500		bytes of the longest packet (as the device has it)
 * IPv6 addresses of the link, and those that routers tell of, come by themselves.
 *
 * Use:
 *	{ "--net", take_net, true, NULL }	in the table of options; take_net calls net_read
 *	outcome = net_device(&net, PROGRAM, &o->net);	before privileges are dropped
 *	mrg_unix_loop_init(&loop, &mrg_unix_kernel, &arena, &limits);	an arena with room for net_memory() more
 *	err = net_open(&net, &loop, &arena, &mrg_tcpip_usual);
 *	mrg_tcpip_listen(net.stack, &any_port_80, &http_server.user);
 *	mrg_unix_loop_run(&loop, &turn);
 *
 * What it does not do: it makes no ends; one net is one thread's, that of its loop.
 */
#ifndef MRG_COMMON_NET_H
#define MRG_COMMON_NET_H

#include "appliances/common/args.h"
#include "protocols/tcpip/tcpip.h"
#include "tap/mrg_tap.h"
#include "unix/mrg_unix.h"

enum { NET_ADDRESSES = 8 };

/* Lines for the help text of a program. */
#define NET_HELP                                                                                                       \
	"  --net DEVICE[,WHAT]...  our own TCP/IP on a device, not the kernel's: tap:NAME, or packet:NAME for an interface\n" \
	"                          that is there; addr=ADDRESS/LENGTH, gw=ADDRESS, ip6=ADDRESS/LENGTH, gw6=ADDRESS, dhcp,\n"  \
	"                          mac=XX:XX:XX:XX:XX:XX, mtu=N\n"

enum net_kind { NET_NONE, NET_TAP, NET_PACKET };

struct net_address {
	struct mrg_rt_addr ip;
	unsigned prefix_len;
};

/* What --net says.  All zero: it was not given. */
struct net_options {
	enum net_kind kind;
	char device[MRG_TAP_NAME];
	struct net_address address[NET_ADDRESSES];
	size_t address_count;
	struct mrg_rt_addr router, router6; /* family 0: none */
	bool dhcp;
	bool has_mac;
	uint8_t mac[6];
	uint16_t mtu; /* 0: that of the device */
};

/*
 * net_read - read the value of --net.   Fails: false; it has been said what is wrong with it.
 */
bool net_read(const char *program, const char *value, struct net_options *out);

/*
 * net_same - whether they say the same.
 */
bool net_same(const struct net_options *a, const struct net_options *b);

/*
 * net_listen - where a server listens that is not told: at all addresses of both families; returns how many these are, 2.
 */
size_t net_listen(struct mrg_rt_addr *out, uint16_t port);

struct net {
	const struct net_options *options;
	struct mrg_tap_device device;
	struct mrg_tap tap;
	struct mrg_tcpip *stack; /* NULL: --net was not given, or it is not open yet */
	struct mrg_tcpip_if *on;
	struct mrg_tcpip_dhcp_user dhcp; /* private */
};

/*
 * net_device - open the device, which may take rights that the program gives up later.   options    must stay in place
 * Fails:    OUTCOME_ADDRESS; it has been said why.
 */
enum outcome net_device(struct net *n, const char *program, const struct net_options *options);

size_t net_memory(const struct mrg_tcpip_limits *limits); /* bytes of the arena that net_open takes at most */

/*
 * net_open - the stack on the device, with the addresses and routes of the options; frames come as soon as the loop runs. Logs a line.
 * Fails:    a positive errno value: ENOMEM when arena or limits are too small, else what the system says.
 */
int net_open(
	struct net *n, struct mrg_unix_loop *loop, struct mrg_arena *arena, const struct mrg_tcpip_limits *limits);

/*
 * net_busy - are there connections whose end has not come, though nobody has them any more? What is written last is still on its
 * way then. Those whose user is not done count as well.   n    may be NULL: no
 */
bool net_busy(const struct net *n);

/*
 * net_figures_put - the counters of the stack and the device, for a page of figures (metrics.h).   n    may be NULL: nothing
 */
void net_figures_put(const struct net *n, struct mrg_w *w);

void net_close(struct net *n); /* frames come and go no more */

#endif
