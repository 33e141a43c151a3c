/*
 * net_options.h - what `--net` says, and what the words of a virtual machine's command line say of the network: addresses, routers, DHCP.
 *
 *	tap:NAME[,WHAT]...		a TAP device, made if there is none
 *	packet:NAME[,WHAT]...		an interface that the kernel has, shared with it
 *	WHAT:	addr=10.0.0.2/24	an IPv4 address; repeatable		gw=10.0.0.1	the router to all else
 *		ip6=2001:db8::2/64	an IPv6 address; repeatable		gw6=fe80::1	likewise
 *		dhcp			ask for an IPv4 address and a router
 *		mac=02:00:00:00:00:01	our address of the link (made from the kernel's)
 *		mtu=1500		bytes of the longest packet (as the device has it)
 *		ring=1M			keep the last frames, so many bytes of them (256K where pcap= alone is given; else nothing is kept)
 *		snap=256		bytes that are kept of each (256)
 *		pcap=FILE		where they are written to when they are asked for
 * IPv6 addresses of the link, and those that routers tell of, come by themselves.
 *
 * What it does not do: it opens nothing; it needs no system.
 */
#ifndef MRG_COMMON_NET_OPTIONS_H
#define MRG_COMMON_NET_OPTIONS_H

#include "core/mrg_tape.h"
#include "mrg_rt.h"

enum { NET_ADDRESSES = 8, NET_PATH = 256, NET_DEVICE = 16 /* bytes of an interface's name, NUL included */ };

/* Lines for the help text of a program. */
#define NET_HELP                                                                                                       \
	"  --net DEVICE[,WHAT]...  our own TCP/IP on a device, not the kernel's: tap:NAME, or packet:NAME for an interface\n" \
	"                          that is there; addr=ADDRESS/LENGTH, gw=ADDRESS, ip6=ADDRESS/LENGTH, gw6=ADDRESS, dhcp,\n"  \
	"                          mac=XX:XX:XX:XX:XX:XX, mtu=N; ring=BYTES, snap=BYTES and pcap=FILE keep the last frames\n"

enum net_kind { NET_NONE, NET_TAP, NET_PACKET };

struct net_address {
	struct mrg_rt_addr ip;
	unsigned prefix_len;
};

/* What --net says.  All zero: it was not given. */
struct net_options {
	enum net_kind kind;
	char device[NET_DEVICE];
	struct net_address address[NET_ADDRESSES];
	size_t address_count;
	struct mrg_rt_addr router, router6; /* family 0: none */
	bool dhcp;
	bool has_mac;
	uint8_t mac[6];
	uint16_t mtu; /* 0: that of the device */
	struct mrg_tape_options tape; /* cap 0: there is none */
	char pcap[NET_PATH];          /* empty: the tape is not written to a file */
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

/* ---- word by word ---- */

/* Where words go, and who is told of those that are wrong. */
struct net_place {
	struct net_options *out;
	void (*wrong)(const struct net_place *at, const char *word, const char *what);
};

/*
 * net_take_word - one of the WHATs above, NUL-terminated; it is cut at its `=`.   Fails: false, and `wrong` was told.
 * net_take_all - all were taken: what was not said is filled in.   Fails: false, and `wrong` was told what does not fit together.
 */
bool net_take_word(const struct net_place *at, char *text);
bool net_take_all(const struct net_place *at);

#endif
