/*
 * dhcp_kit.h - for tests of DHCP: the client's messages as they are read, and a server that is the test.
 *
 * Included by those tests only.
 */
#ifndef TESTS_TCPIP_DHCP_KIT_H
#define TESTS_TCPIP_DHCP_KIT_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/dhcp4.h"
#include "net/udp.h"
#include "protocols/tcpip/net_kit.h"

enum { UDP = 17, DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE };

static const uint64_t second = MRG_RT_SECOND_NS;

/* ---- the user ---- */

static char told[200];

static void changed(void *ctx, struct mrg_tcpip_if *on, const struct mrg_rt_addr *address,
	unsigned prefix_len, const struct mrg_rt_addr *router)
{
	char a[MRG_RT_ADDR_TEXT_MAX], r[MRG_RT_ADDR_TEXT_MAX];
	MUST(ctx == told && on == net.on);
	if (address->family == 0)
		strcat(told, "lost ");
	else
		snprintf(told + strlen(told), 100, "%s/%u by %s ", mrg_rt_addr_host_str(address, a),
			prefix_len, router->family == 0 ? "nobody" : mrg_rt_addr_host_str(router, r));
}

static const struct mrg_tcpip_dhcp_user user = { .ctx = told, .changed = changed };

static void begin(void)
{
	net_open(&net_limits, 7);
	net_pass(5 * second);
	net_clear();
	told[0] = '\0';
	MUST(mrg_tcpip_dhcp(net.on, &user));
}

/* ---- what the client says ---- */

struct heard {
	unsigned type;
	uint32_t xid;
	bool broadcast;
	struct ip ciaddr, requested, server, from, to;
	uint8_t client_id[40], wanted[40]; /* with their lengths before them */
	uint64_t at_ns;
	unsigned secs;
};

static bool hear(size_t index, struct heard *h)
{
	const struct net_sent *const k = net_nth(UDP, index);
	struct mrg_net_udp u;
	struct mrg_net_dhcp4 m;
	struct mrg_net_dhcp_options list;
	struct mrg_net_dhcp_option o;
	if (k == NULL)
		return false;
	MUST(mrg_net_udp_check((struct mrg_span){ k->p, k->len }, &u, NULL) == MRG_OK);
	MUST(mrg_net_udp_source_port(&u) == 68 && mrg_net_udp_destination_port(&u) == 67);
	MUST(mrg_net_dhcp4_check(mrg_net_udp_data_octets(&u), &m, NULL) == MRG_OK);
	MUST(mrg_net_dhcp4_op(&m) == 1 && mrg_net_dhcp4_hlen(&m) == 6 &&
		memcmp(mrg_net_dhcp4_chaddr(&m).p, net.link.address, 6) == 0);
	MUST(m.len >= 300);
	*h = (struct heard){ .xid = mrg_net_dhcp4_xid(&m),
		.broadcast = mrg_net_dhcp4_broadcast(&m),
		.from = k->from,
		.to = k->to,
		.ciaddr = ip_from4(mrg_net_dhcp4_ciaddr(&m)),
		.at_ns = k->at_ns,
		.secs = mrg_net_dhcp4_secs(&m) };
	MUST(mrg_net_dhcp_options_check(mrg_net_dhcp4_options(&m), &list, NULL) == MRG_OK);
	MUST(mrg_net_dhcp_options_end_and_padding(&list).p[0] == 255);
	struct mrg_net_dhcp_options_options_it it = mrg_net_dhcp_options_options(&list);
	while (mrg_net_dhcp_options_options_next(&it, &o)) {
		struct mrg_span octets;
		uint8_t type;
		if (mrg_net_dhcp_option_body_as_message_type(&o, &type))
			h->type = type;
		if (mrg_net_dhcp_option_body_as_requested_address(&o, &octets))
			h->requested = ip_from4(octets);
		if (mrg_net_dhcp_option_body_as_server_identifier(&o, &octets))
			h->server = ip_from4(octets);
		const unsigned code = mrg_net_dhcp_option_code(&o);
		if (code == 61 || code == 55)
			memcpy(code == 61 ? h->client_id : h->wanted, mrg_net_dhcp_option_span(&o).p + 1,
				mrg_net_dhcp_option_span(&o).len - 1u);
	}
	return true;
}

/* The last one, which is the only one since net_clear. */
static struct heard only(unsigned type)
{
	struct heard h;
	MUST_SAY(net_number(UDP) == 1, "%zu messages instead of one", net_number(UDP));
	MUST(hear(0, &h));
	MUST_SAY(h.type == type, "%u instead of %u", h.type, type);
	net_clear();
	return h;
}

static bool is(struct ip a, const char *text)
{
	const struct ip b = net_ip(text);
	return ip_same(&a, &b);
}

/* ---- what the server says ---- */

struct answer {
	uint8_t message[800];
	size_t len, options_at;
	const char *to; /* NULL: 255.255.255.255 */
};

static void option(struct answer *a, uint8_t code, const void *octets, size_t len)
{
	a->message[a->len++] = code;
	a->message[a->len++] = (uint8_t)len;
	memcpy(a->message + a->len, octets, len);
	a->len += len;
}

static struct answer bare(uint32_t xid, const char *yours)
{
	struct answer a = { .len = 0 };
	const struct ip y = net_ip(yours);
	static const uint8_t zeros[200];
	uint8_t chaddr[16] = { 0 };
	struct mrg_w w;
	memcpy(chaddr, net.link.address, 6);
	mrg_w_init(&w, a.message, sizeof a.message);
	mrg_net_dhcp4_put(&w, &(struct mrg_net_dhcp4_args){ .op = 2,
				      .htype = 1,
				      .hlen = 6,
				      .xid = xid,
				      .ciaddr = { zeros, 4 },
				      .yiaddr = ip_wire(&y),
				      .siaddr = { zeros, 4 },
				      .giaddr = { zeros, 4 },
				      .chaddr = { chaddr, 16 },
				      .sname = { zeros, 64 },
				      .file = { zeros, 128 } });
	MUST(w.st == MRG_OK);
	a.len = a.options_at = w.len;
	return a;
}

static void type_of(struct answer *a, uint8_t type) { option(a, 53, &type, 1); }
static void server_of(struct answer *a, const char *ip)
{
	const struct ip s = net_ip(ip);
	option(a, 54, ip_wire(&s).p, 4);
}
static void seconds_of(struct answer *a, uint8_t code, uint32_t s)
{
	uint8_t b[4];
	mrg_put_be32(b, s);
	option(a, code, b, 4);
}

/* All that is usual: 10.0.0.1 gives it for an hour. */
static struct answer usual(uint8_t type, uint32_t xid, const char *yours)
{
	struct answer a = bare(xid, yours);
	type_of(&a, type);
	server_of(&a, "10.0.0.1");
	seconds_of(&a, 51, 3600);
	option(&a, 1, "\xff\xff\xfe\x00", 4);
	option(&a, 3, "\x0a\x00\x00\x01", 4);
	return a;
}

static void send(struct answer a)
{
	a.message[a.len++] = 255;
	net_in_udp4("10.0.0.1:67", a.to != NULL ? a.to : "255.255.255.255:68",
		(struct mrg_span){ a.message, a.len });
}

/* Up to the lease of 10.0.0.77; returns the transaction. */
static uint32_t lease(void)
{
	begin();
	const struct heard d = only(DISCOVER);
	send(usual(OFFER, d.xid, "10.0.0.77"));
	(void)only(REQUEST);
	send(usual(ACK, d.xid, "10.0.0.77"));
	net_pass(10 * second); /* claimed */
	net_clear();
	MUST(net_mine("10.0.0.77"));
	return d.xid;
}

/* An ack with these instead of the usual ones, behind a usual offer. */
static MRG_UNUSED void ack_with(struct answer a)
{
	uint8_t raw[4];
	memcpy(raw, a.message + 4, 4);
	const uint32_t xid = mrg_be32(raw);
	send(usual(OFFER, xid, "10.0.0.77"));
	send(a);
}

static uint32_t transaction(void)
{
	begin();
	return only(DISCOVER).xid;
}

#endif
