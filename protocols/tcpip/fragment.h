/* fragment.h - datagrams are put together (RFC 791, RFC 8200 section 4.5, RFC 5722, RFC 6946, RFC 7112). */
#ifndef MRG_TCPIP_FRAGMENT_H
#define MRG_TCPIP_FRAGMENT_H

#include "net/ip4.h"
#include "net/ip6.h"
#include "protocols/tcpip/ip.h"

struct reassembly *fragment_open(struct mrg_tcpip *s, struct mrg_arena *a);
size_t fragment_memory(const struct mrg_tcpip_limits *l);

/* A fragment has come; the last one that was missing hands the datagram on, whole and for as long as the call lasts. */
void fragment_input4(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_ip4 *p);
/* in->payload begins with the fragment's header. */
void fragment_input6(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_ip6_fragment *h);

/* Whether the first fragment has all headers, up to that of the transport protocol; `next` names the first of them. */
bool ip6_chain_whole(struct mrg_span payload, uint8_t next);
/* Pass over extension headers, as far as there are any; *protocol names the first of them, then what follows.  false: they are cut off. */
bool ip6_pass_over(struct mrg_span *payload, uint8_t *protocol);

#endif
