/* ip_out.h - packets go out, by ways that are known or right to a link-layer address; and back in, when they are for us. */
#ifndef MRG_TCPIP_IP_OUT_H
#define MRG_TCPIP_IP_OUT_H

#include "protocols/tcpip/neighbor.h"

/* Without looking for a way: from this address, to this address of the link; as Neighbor Discovery does. */
enum mrg_io ip_send_mac(struct mrg_tcpip_if *on, struct mrg_span mac, const struct ip *from, const struct ip *to, const struct ip_out *o,
	const struct mrg_span *parts, size_t count);

/* loop.c: packets to addresses of ours */
struct loop *loop_open(struct mrg_tcpip *s, struct mrg_arena *a);
size_t loop_memory(void);
enum mrg_io loop_send(struct mrg_tcpip *s, const struct mrg_span *parts, size_t count, bool four, bool sum_ok);

#endif
