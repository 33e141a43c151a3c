/*
 * udp.h - UDP for other parts of the stack.
 *
 * Reading order: tcpip.h says what ends are; udp.c.
 */
#ifndef MRG_TCPIP_UDP_H
#define MRG_TCPIP_UDP_H

#include "protocols/tcpip/inside.h"

/*
 * udp_bind_on - an end for a part of the stack itself: of IPv4, for all that comes to this port by this interface, to whatever address.
 * It goes before the ends of users.   Fails: NULL, when the interface has one on this port.
 */
struct mrg_tcpip_udp *udp_bind_on(struct mrg_tcpip_if *on, struct mrg_tcpip *s, uint16_t port, const struct mrg_dgram_user *user);

/*
 * udp_send - send one datagram.   w  its way, kept by the caller
 * As ip_send; MRG_IO_RESET also when it is too long, or has no port to go to.
 */
enum mrg_io udp_send(struct mrg_tcpip *s, struct ip_way *w, uint16_t from_port, uint16_t to_port, struct mrg_span octets);

#endif
