/*
 * inside.h - what the files of runtime/unix share with each other and nobody else.
 *
 * What it does not do: it is no interface; mrg_unix.h is.
 */
#ifndef MRG_UNIX_INSIDE_H
#define MRG_UNIX_INSIDE_H

#include "unix/mrg_unix.h"

/* A kernel socket address of either family. */
struct mrg_unix_sockaddr {
	struct sockaddr_storage any;
	socklen_t len;
};

struct mrg_unix_sockaddr mrg_unix_sockaddr_of(const struct mrg_rt_addr *a);
void mrg_unix_addr_of(const void *sockaddr, struct mrg_rt_addr *out);
bool mrg_unix_addr_is_any(const struct mrg_rt_addr *a);

/* A socket to connect with, of the address's family, non-blocking.   Fails: what socket and setsockopt say. */
int mrg_unix_tcp_socket(const struct mrg_rt_addr *to, int *out);

size_t mrg_unix_conn_size(void);
void mrg_unix_conns_recycle(struct mrg_unix_loop *l); /* those closed in this turn are free again */

#endif
