/*
 * Echo requests of ours, and what becomes of them (RFC 792, RFC 4443 section 4).
 */
#include "net/icmp4.h"
#include "protocols/tcpip/icmp.h"

static struct mrg_tcpip_ping *ping_of(const struct mrg_tcpip *s, uint16_t identifier)
{
	struct mrg_tcpip_ping *p = s->ip->pings;
	while (p != NULL && p->identifier != identifier)
		p = p->next;
	return p;
}

void mrg_tcpip_ping_open(struct mrg_tcpip *s, struct mrg_tcpip_ping *p)
{
	p->identifier = (uint16_t)ip_random(s, UINT16_MAX);
	while (ping_of(s, p->identifier) != NULL)
		p->identifier++;
	p->stack = s;
	p->next = s->ip->pings;
	s->ip->pings = p;
}

void mrg_tcpip_ping_close(struct mrg_tcpip_ping *p)
{
	if (p->stack == NULL)
		return;
	struct mrg_tcpip_ping **link = &p->stack->ip->pings;
	while (*link != NULL && *link != p)
		link = &(*link)->next;
	if (*link == p)
		*link = p->next;
	p->stack = NULL;
}

enum mrg_io mrg_tcpip_ping_send(
	struct mrg_tcpip_ping *p, const struct mrg_rt_addr *to, uint16_t sequence, struct mrg_span data)
{
	struct ip_way way = { .to = ip_of(to) };
	if (to->scope != 0 && to->scope <= p->stack->ip->if_last)
		way.only = (uint16_t)to->scope;
	const uint8_t type = ip_is4(&way.to) ? MRG_NET_ICMP4_TYPE_ECHO : MRG_NET_ICMP6_TYPE_ECHO_REQUEST;
	return icmp_echo_send(p->stack, &way, type, p->identifier, sequence, data, 0);
}

void ping_reply(struct mrg_tcpip *s, const struct ip_in *in, uint16_t identifier, uint16_t sequence,
	struct mrg_span data)
{
	struct mrg_tcpip_ping *const p = ping_of(s, identifier);
	struct mrg_rt_addr from;
	if (p == NULL || p->heard == NULL)
		return;
	ip_to_rt(&in->from, 0, in->on->index, &from);
	p->heard(p, &from, sequence, data, in->hop_limit, NULL, in->now_ns);
}

void ping_error(struct mrg_tcpip *s, const struct ip_error *e)
{
	struct mrg_net_icmp_echo_header h;
	struct mrg_rt_addr by;
	if (mrg_net_icmp_echo_header_check(e->payload, &h, NULL) != MRG_OK)
		return;
	const uint8_t request = ip_is4(&e->to) ? MRG_NET_ICMP4_TYPE_ECHO : MRG_NET_ICMP6_TYPE_ECHO_REQUEST;
	struct mrg_tcpip_ping *const p = mrg_net_icmp_echo_header_type(&h) == request
						 ? ping_of(s, mrg_net_icmp_echo_header_identifier(&h))
						 : NULL;
	if (p == NULL)
		return;
	if (e->kind == IP_ERROR_TOO_BIG)
		ip_path_mtu(s, &e->to, e->mtu); /* who sends it knows our identifier */
	if (p->heard == NULL)
		return;
	ip_to_rt(&e->by, 0, 0, &by);
	p->heard(p, &by, mrg_net_icmp_echo_header_sequence_number(&h), (struct mrg_span){ 0 }, 0, e->name,
		stack_now(s));
}
