/*
 * ends.h - the ends of a server: on the kernel's sockets, or on a TCP/IP of our own (net.h).
 *
 * What it does not do: it binds no socket; a server that is on its own stack has none.
 */
#ifndef MRG_COMMON_ENDS_H
#define MRG_COMMON_ENDS_H

#include "appliances/common/net.h"

/* Where ends are made. */
struct ends {
	struct mrg_unix_loop *loop;
	struct mrg_arena *arena;
	struct net *net; /* NULL: on kernel sockets */
};

/* An end of UDP.  What came and went is counted by the loop, wherever it is. */
struct end_dgram {
	struct mrg_unix_udp kernel;
	struct mrg_tcpip_udp *own; /* NULL: it is the kernel's */
	struct mrg_dgram_user counted;
	const struct mrg_dgram_user *user;
	struct mrg_unix_loop *loop;
};

/*
 * end_dgram_open - serve datagrams.
 *   fd    a bound socket, the loop's from here on; not looked at on our own stack
 *   a     where; a port 0 is replaced on our own stack
 * Fails:    a positive errno value.
 */
int end_dgram_open(struct end_dgram *d, const struct ends *e, int fd, struct mrg_rt_addr *a,
	const struct mrg_dgram_user *user);

/* Is that the end whose datagrams a user of this one gets? */
bool end_dgram_is(const struct end_dgram *d, const struct mrg_dgram_end *e);
void end_dgram_close(struct end_dgram *d); /* what has arrived is answered first */

/* Where connections come in. */
struct end_listener {
	struct mrg_unix_listener kernel;
	struct mrg_tcpip_listener *own; /* NULL: it is the kernel's */
};

int end_listener_open(struct end_listener *t, const struct ends *e, int fd, struct mrg_rt_addr *a,
	const struct mrg_stream_user *user);
void end_listener_drain(struct end_listener *t); /* those that wait are taken first */

#endif
