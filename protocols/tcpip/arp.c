/*
 * The Address Resolution Protocol (RFC 826), and claims and defence of addresses by it (RFC 5227).
 */
#include "net/address.h"
#include "net/link.h"
#include "protocols/tcpip/neighbor.h"

enum { FRAME_MAX = 64 };

struct message {
	uint16_t operation;
	struct mrg_span to_mac; /* of the frame */
	struct ip from, to;     /* unspecified `from`: 0.0.0.0 */
	struct mrg_span target_mac;
};

static struct mrg_span mac_of(const struct mrg_tcpip_if *on)
{
	return (struct mrg_span){ on->link->address, sizeof on->link->address };
}

static void send_message(struct mrg_tcpip_if *on, const struct message *m)
{
	uint8_t frame[FRAME_MAX];
	struct mrg_w w;
	mrg_w_init(&w, frame, sizeof frame);
	mrg_net_ethernet_header_put(
		&w, &(struct mrg_net_ethernet_header_args){ .destination_address = m->to_mac,
			    .source_address = mac_of(on),
			    .type = MRG_NET_ETHER_TYPE_ARP });
	mrg_net_arp_put(&w, &(struct mrg_net_arp_args){ .operation = m->operation,
				    .sender_hardware_address = mac_of(on),
				    .sender_protocol_address = ip_wire(&m->from),
				    .target_hardware_address = m->target_mac,
				    .target_protocol_address = ip_wire(&m->to) });
	size_t len;
	if (mrg_w_finish(&w, &len) != MRG_OK)
		return;
	on->stack->ip->count.arp_out++;
	(void)mrg_link_send(on->link, &(struct mrg_span){ frame, len }, 1, NULL);
}

/* A request to all, or to one who is known. */
static void request(
	struct mrg_tcpip_if *on, const struct ip *from, const struct ip *to, const struct mrg_span *mac)
{
	const uint8_t nobody[sizeof on->link->address] = { 0 };
	uint8_t all[sizeof on->link->address];
	const struct ip everyone = ip_broadcast();
	ip_group_mac(&everyone, all);
	send_message(on, &(struct message){ .operation = MRG_NET_ARP_OPERATION_REQUEST,
				 .to_mac = mac != NULL ? *mac : (struct mrg_span){ all, sizeof all },
				 .from = *from,
				 .to = *to,
				 .target_mac = { nobody, sizeof nobody } });
}

void arp_solicit(struct mrg_tcpip_if *on, const struct ip *a, const struct mrg_span *mac)
{
	const struct ip_address *const from = address_from(on, a);
	const struct ip none = ip_none4();
	request(on, from != NULL ? &from->ip : &none, a, mac);
}

void arp_probe(struct mrg_tcpip_if *on, const struct ip *a)
{
	const struct ip none = ip_none4();
	request(on, &none, a, NULL);
}

void arp_announce(struct mrg_tcpip_if *on, const struct ip *a) { request(on, a, a, NULL); }

/* What somebody says of an address of ours: RFC 5227 sections 2.1.1 and 2.4. */
static bool conflicts(
	struct mrg_tcpip_if *on, const struct ip *sender, const struct ip *target, uint16_t operation)
{
	struct ip_address *a = address_on(on, sender);
	if (a == NULL && operation == MRG_NET_ARP_OPERATION_REQUEST && ip_kind(sender) == IP_KIND_NONE) {
		/* a probe for what we are claiming, too: both lose it */
		a = address_on(on, target);
		if (a != NULL && a->state != IP_ADDRESS_CLAIMING)
			a = NULL;
	}
	if (a == NULL)
		return false;
	on->stack->ip->count.arp_conflicts++;
	address_conflict(a);
	return true;
}

static void answer(struct mrg_tcpip_if *on, const struct mrg_net_arp *m, const struct ip *sender,
	const struct ip *target)
{
	const struct mrg_span mac = mrg_net_arp_sender_hardware_address(m);
	send_message(on, &(struct message){ .operation = MRG_NET_ARP_OPERATION_REPLY,
				 .to_mac = mac,
				 .from = *target,
				 .to = *sender,
				 .target_mac = mac });
}

/* A reply counts as asked for when it is to us alone, and is believed only of those that somebody here asks about. */
static void learn(struct mrg_tcpip_if *on, const struct mrg_net_arp *m, const struct ip *sender, bool to_us)
{
	const struct mrg_span mac = mrg_net_arp_sender_hardware_address(m);
	struct neighbor *const n = neighbor_find(on, sender);
	if (mrg_net_arp_operation(m) == MRG_NET_ARP_OPERATION_REPLY && n != NULL)
		neighbor_advertised(n, &mac, to_us, true);
	else if (n != NULL || (to_us && mrg_net_arp_operation(m) == MRG_NET_ARP_OPERATION_REQUEST))
		neighbor_heard(on, sender, mac);
}

void arp_input(struct mrg_tcpip_if *on, struct mrg_span packet, bool link_to_many, uint64_t now_ns)
{
	struct ip_counts *const count = &on->stack->ip->count;
	struct mrg_net_arp m;
	struct mrg_net_mac_bits bits;
	(void)now_ns;
	count->arp_in++;
	if (mrg_net_arp_check(packet, &m, NULL) != MRG_OK ||
		mrg_net_mac_bits_check(mrg_net_arp_sender_hardware_address(&m), &bits, NULL) != MRG_OK ||
		mrg_net_mac_bits_group(&bits)) {
		count->arp_in_errors++;
		return;
	}
	if (mrg_span_eq(mrg_net_arp_sender_hardware_address(&m), mac_of(on)))
		return; /* our own, come back */
	const struct ip sender = ip_from4(mrg_net_arp_sender_protocol_address(&m));
	const struct ip target = ip_from4(mrg_net_arp_target_protocol_address(&m));
	const enum ip_kind kind = ip_kind(&sender);
	const uint16_t operation = mrg_net_arp_operation(&m);
	if (conflicts(on, &sender, &target, operation))
		return;
	if ((kind != IP_KIND_GLOBAL && kind != IP_KIND_LINK_LOCAL && kind != IP_KIND_NONE) ||
		ip_is_broadcast(on, &sender)) {
		count->arp_in_errors++;
		return;
	}
	const struct ip_address *const ours = address_on(on, &target);
	if (kind != IP_KIND_NONE)
		learn(on, &m, &sender,
			ours != NULL && !(link_to_many && operation == MRG_NET_ARP_OPERATION_REPLY));
	if (operation == MRG_NET_ARP_OPERATION_REQUEST && ours != NULL)
		answer(on, &m, &sender, &target);
}
