/* path_mtu.h - what is known of paths that don't carry all that their first link does (RFC 1191, RFC 8201). */
#ifndef MRG_TCPIP_PATH_MTU_H
#define MRG_TCPIP_PATH_MTU_H

#include "protocols/tcpip/ip.h"

struct path_mtus *path_mtu_open(struct mrg_tcpip *s, struct mrg_arena *a);
size_t path_mtu_memory(void);

uint16_t path_mtu_of(const struct mrg_tcpip *s, const struct ip *to); /* 0: nothing is known */

/* What a router of before RFC 1191, which names no MTU, may have meant: the next usual one below the packet's length (section 7.1). */
uint16_t path_mtu_below(uint16_t len);

#endif
