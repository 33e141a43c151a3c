/*
 * dhcp.h - what a client of DHCP says and hears (RFC 2131, RFC 2132, RFC 3396).
 *
 * Reading order: this file, dhcp_message.c (bytes), dhcp.c (the client).
 */
#ifndef MRG_TCPIP_DHCP_H
#define MRG_TCPIP_DHCP_H

#include "protocols/tcpip/ip.h"

enum { DHCP_MESSAGE_MAX = 400 }; /* bytes of what a client writes */

enum { DHCP_ROUTES_MAX = 16 }; /* that are looked at */

struct dhcp_route {
	struct ip to;
	struct ip by;          /* all zero: there are no routers in between */
	uint8_t prefix_len;
};

/* What a server says. */
struct dhcp_said {
	uint8_t type;          /* enum mrg_net_dhcp_message_type */
	struct ip address;     /* 0.0.0.0: none */
	struct ip server;      /* unspecified: it does not say who it is */
	struct ip router;      /* to all else; unspecified: none */
	struct dhcp_route route[DHCP_ROUTES_MAX]; /* with the one by that router */
	uint8_t route_count;
	uint8_t prefix_len;    /* 24 when nothing is said of it */
	bool has_lease, has_renewal, has_rebinding;
	uint32_t lease_s, renewal_s, rebinding_s;
	uint16_t mtu;          /* 0: says nothing of it */
};

/*
 * dhcp_read - read a reply to this client.
 * Fails: false, when it is to another, is no reply, or something in it that is looked at is not as it should be.
 */
bool dhcp_read(struct mrg_span message, uint32_t xid, struct mrg_span mac, struct dhcp_said *out);

/* What a client says. */
struct dhcp_ask {
	uint8_t type;
	uint32_t xid;
	uint16_t secs;             /* since it began */
	bool broadcast;            /* the reply may not go to an address */
	struct mrg_span mac;
	const struct ip *own;      /* NULL: none yet */
	const struct ip *asked;    /* NULL: none in particular */
	const struct ip *server;   /* NULL: any */
	bool with_parameters;      /* tell what is wanted */
};

void dhcp_write(struct mrg_w *w, const struct dhcp_ask *ask);

#endif
