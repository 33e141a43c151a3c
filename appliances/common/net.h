/*
 * net.h - `--net`: a program's own TCP/IP (protocols/tcpip) on a TAP device or a packet socket, instead of the kernel's sockets.
 *
 * The value of the option is net_options.h's.
 *
 * Use:
 *	ARG_TAKES("--net", take_net)	in the table of options; take_net calls net_read
 *	outcome = net_device(&net, PROGRAM, &o->net);	before privileges are dropped
 *	mrg_unix_loop_init(&loop, &mrg_unix_kernel, &arena, &limits);	an arena with room for net_memory() more
 *	err = net_open(&net, &loop, &arena, &mrg_tcpip_usual);
 *	mrg_tcpip_listen(net.stack, &any_port_80, &http_server.user);
 *	mrg_unix_loop_run(&loop, &turn);	where turn calls net_turn(&net)
 *
 * What it does not do: it makes no ends; one net is one thread's, that of its loop.
 */
#ifndef MRG_COMMON_NET_H
#define MRG_COMMON_NET_H

#include <stdatomic.h>

#include "appliances/common/args.h"
#include "appliances/common/net_options.h"
#include "appliances/common/net_shown.h"
#include "appliances/common/net_up.h"
#include "tap/mrg_tap.h"
#include "unix/mrg_unix.h"

struct net {
	const struct net_options *options;
	struct mrg_tap_device device;
	struct mrg_tap tap;
	struct mrg_tcpip *stack; /* NULL: --net was not given, or it is not open yet */
	struct mrg_tcpip_if *on;
	struct net_shown shown;
	/* private */
	struct net_up up;
	int pcap_fd;           /* open since the beginning, before rights are given up; -1: none */
	atomic_bool record;    /* somebody wants the tape written */
};

/*
 * net_device - open the device, which may take rights that the program gives up later.   options    must stay in place
 * Fails:    OUTCOME_ADDRESS; it has been said why.
 */
enum outcome net_device(struct net *n, const char *program, const struct net_options *options);

/* net_memory - bytes of the arena that net_open takes at most. */
size_t net_memory(const struct net_options *options, const struct mrg_tcpip_limits *limits);

/*
 * net_open - the stack on the device, with the addresses and routes of the options; frames come as soon as the loop runs. Logs a line.
 * Fails:    a positive errno value: ENOMEM when arena or limits are too small, else what the system says.
 */
int net_open(
	struct net *n, struct mrg_unix_loop *loop, struct mrg_arena *arena, const struct mrg_tcpip_limits *limits);

/*
 * net_busy - is something that was written last still on its way? Connections whose user is not done count as well, but not those
 * that only wait for the peer to close. When nothing is, an address of DHCP is given back: no new work is taken from then on.
 *   n    may be NULL: no
 */
bool net_busy(struct net *n);

/*
 * net_figures_put - the counters of the stack and the device, for a page of figures (page.h).   n    may be NULL: nothing
 */
void net_figures_put(const struct net *n, struct mrg_w *w);

/* ---- the last frames ---- */

/*
 * net_record - write the last frames to the file of pcap=, and say so in the log. From the loop's thread.
 * net_record_ask - have it done at the next turn; from any thread, or a signal handler.   n    may be NULL: nothing is kept
 * net_turn - do what was asked for; each turn of the loop.   n    may be NULL
 */
void net_record(struct net *n);
void net_record_ask(struct net *n, struct mrg_unix_loop *loop);
void net_turn(struct net *n);

/* Private: what net_device and net_open do for the tape. */
int net_tape_begin(struct net *n);
struct mrg_link *net_tape_open(struct net *n, struct mrg_unix_loop *loop, struct mrg_arena *arena);

void net_close(struct net *n); /* frames come and go no more; an address of DHCP is given back */

#endif
