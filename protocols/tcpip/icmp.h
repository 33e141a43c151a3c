/*
 * icmp.h - errors and echoes of both families (RFC 792, RFC 1122 section 3.2.2, RFC 4443).
 */
#ifndef MRG_TCPIP_ICMP_H
#define MRG_TCPIP_ICMP_H

#include "protocols/tcpip/ip.h"

struct icmp_state *icmp_open(struct mrg_tcpip *s, struct mrg_arena *a);
size_t icmp_memory(void);

void icmp4_input(struct mrg_tcpip *s, const struct ip_in *in);
void icmp6_input(struct mrg_tcpip *s, const struct ip_in *in);

/* What is to be told to whoever sent a packet. Nothing goes where none may go, nor more often than is good. */
enum icmp_say {
	ICMP_SAY_PORT,             /* nobody takes it */
	ICMP_SAY_PROTOCOL,         /* `at`: the octet that names it (IPv6) */
	ICMP_SAY_REASSEMBLY,       /* fragments were missing for too long */
	ICMP_SAY_FIELD,            /* `at` is wrong */
	ICMP_SAY_OPTION,           /* `at` is not known (IPv6) */
	ICMP_SAY_OPTION_MANY,      /* the same, and to be said of multicast packets too */
	ICMP_SAY_CHAIN             /* the first fragment does not have all headers (RFC 7112) */
};
/* at: offset in in->packet */
void icmp_say(struct mrg_tcpip *s, const struct ip_in *in, enum icmp_say what, size_t at);

bool icmp_may_say(struct mrg_tcpip *s, uint64_t now_ns); /* takes a token of those that limit the rate */

/* An echo or its reply; the data is not copied, and fragmented if need be. */
enum mrg_io icmp_echo_send(struct mrg_tcpip *s, struct ip_way *way, uint8_t type, uint16_t identifier, uint16_t sequence,
	struct mrg_span data, uint8_t dscp);

/* A packet of ours can't be delivered by this neighbor: tell who sent it. */
void icmp_unreachable_here(struct mrg_tcpip *s, struct mrg_span packet, const struct ip *neighbor);

/* Tell who sent the packet, as far as it is quoted, of the error; e->payload and its addresses are filled in here.  false: it is no packet. */
bool icmp_tell4(struct mrg_tcpip *s, struct mrg_span quoted, struct ip_error *e);
bool icmp_tell6(struct mrg_tcpip *s, struct mrg_span quoted, struct ip_error *e);

/* Pings */
void ping_reply(struct mrg_tcpip *s, const struct ip_in *in, uint16_t identifier, uint16_t sequence, struct mrg_span data);
void ping_error(struct mrg_tcpip *s, const struct ip_error *e);

/* nd.c: Neighbor Solicitations and Advertisements */
void nd_input(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_icmp6 *m);

#endif
