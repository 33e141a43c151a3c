/*
 * fake_ip.h - for tests of UDP without IP below: what is sent is kept, what comes is said by the test.
 *
 * Included by the one test that has these functions instead of those of protocols/tcpip; in the archive of helpers they would be
 * taken by others.
 */
#ifndef TESTS_TCPIP_FAKE_IP_H
#define TESTS_TCPIP_FAKE_IP_H

#include <stdlib.h>
#include <string.h>

#include "iana/net.h"
#include "net/udp.h"
#include "protocols/http/guard.h"
#include "protocols/tcpip/inside.h"

enum { FAKE_SENT_MAX = 300 };

/* One packet that was sent, without its IP header. */
struct fake_sent {
	struct ip from, to;
	struct ip_out o;
	uint16_t only;
	uint8_t *p;
	size_t len, parts;
};

struct fake {
	struct mrg_tcpip stack;
	uint64_t now_ns;
	struct fake_sent sent[FAKE_SENT_MAX]; /* the last ones */
	size_t sent_count;                    /* all */
	unsigned unreachables;                /* ICMP errors that were asked for */
	unsigned finds;                       /* ways that were looked for */
	uint16_t path_mtu;                    /* that was believed */
	bool sums;                            /* the link completes checksums */
	bool no_way;                          /* nothing leads anywhere */
	enum mrg_io outcome;                  /* of each ip_send */
};

/* A stack of UDP alone. The arena is just as long as udp_memory says. */
static struct mrg_tcpip *fake_stack(const struct mrg_tcpip_limits *l);

static struct mrg_rt_addr fake_addr(const char *text); /* an address, perhaps with a port */
static struct ip fake_ip(const char *text);

/* A datagram that came. */
struct fake_datagram {
	const char *from, *to; /* with ports */
	struct mrg_span octets;
	size_t length;        /* what its header says; 0: what is right */
	size_t extra, cut;    /* octets of the IP payload behind it, or that are missing of it */
	uint16_t sum_off;     /* added to the right checksum */
	bool no_sum, sum_ok, to_many;
	struct mrg_tcpip_if *on;
};

/* Hand it in; its octets end where memory ends. With `keep` they stay as they are, so that a batch can be made of several. */
static void fake_input(const struct fake_datagram *d, bool keep);

/* Whether length and checksum of what was sent are right, seen from outside. */
static bool fake_sum_right(const struct fake_sent *f);

static struct fake fake;

/* ---- what UDP takes from IP ---- */

bool ip_way_find(struct mrg_tcpip *s, struct ip_way *w)
{
	(void)s;
	fake.finds++;
	if (fake.no_way)
		return false;
	w->era = 1;
	if (ip_unspecified(&w->from))
		w->from = fake_ip(ip_is4(&w->to) ? "10.0.0.2" : "[2001:db8::2]");
	return true;
}

bool ip_way_sums(struct mrg_tcpip *s, struct ip_way *w)
{
	(void)s;
	(void)w;
	return fake.sums;
}

enum mrg_io ip_send(struct mrg_tcpip *s, struct ip_way *w, const struct ip_out *o,
	const struct mrg_span *parts, size_t count)
{
	if (w->era == 0 && !ip_way_find(s, w))
		return MRG_IO_RESET;
	struct fake_sent *const f = &fake.sent[fake.sent_count++ % FAKE_SENT_MAX];
	free(f->p);
	*f = (struct fake_sent){ .from = w->from, .to = w->to, .o = *o, .only = w->only, .parts = count };
	for (size_t i = 0; i < count; i++)
		f->len += parts[i].len;
	f->p = malloc(f->len + 1);
	size_t at = 0;
	for (size_t i = 0; i < count; i++) {
		memcpy(f->p + at, parts[i].p, parts[i].len);
		at += parts[i].len;
	}
	return fake.outcome;
}

bool ip_mine(const struct mrg_tcpip *s, const struct ip *a)
{
	(void)s;
	const struct ip mine[] = { fake_ip("10.0.0.2"), fake_ip("10.0.0.3"), fake_ip("[2001:db8::2]") };
	return ip_same(a, &mine[0]) || ip_same(a, &mine[1]) || ip_same(a, &mine[2]);
}

uint16_t ip_if_index(const struct mrg_tcpip_if *on)
{
	(void)on;
	return 3;
}

void ip_path_mtu(struct mrg_tcpip *s, const struct ip *to, uint16_t mtu)
{
	(void)s;
	(void)to;
	fake.path_mtu = mtu;
}

void icmp_port_unreachable(struct mrg_tcpip *s, const struct ip_in *in)
{
	(void)s;
	(void)in;
	fake.unreachables++;
}

/* ---- what tests take ---- */

static struct mrg_rt_addr fake_addr(const char *text)
{
	struct mrg_rt_addr a;
	MUST_SAY(mrg_rt_addr_read(text, 0, &a), "%s", text);
	return a;
}

static struct ip fake_ip(const char *text)
{
	const struct mrg_rt_addr a = fake_addr(text);
	return ip_of(&a);
}

static struct mrg_tcpip *fake_stack(const struct mrg_tcpip_limits *l)
{
	for (size_t i = 0; i < FAKE_SENT_MAX; i++)
		free(fake.sent[i].p);
	free(fake.stack.udp);
	memset(&fake, 0, sizeof fake);
	fake.now_ns = MRG_RT_SECOND_NS;
	fake.stack.limits = *l;
	fake.stack.world = (struct mrg_tcpip_world){ .now_ns = &fake.now_ns,
		.secret = { 0x243f6a8885a308d3, 0x13198a2e03707344, 3, 4 } };
	const size_t len = udp_memory(l);
	struct mrg_arena arena = { .p = aligned_alloc(64, (len + 63) / 64 * 64), .cap = len };
	memset(arena.p, 0, len);
	fake.stack.udp = udp_open(&fake.stack, &arena);
	MUST(fake.stack.udp != NULL);
	MUST((void *)fake.stack.udp == (void *)arena.p);
	return &fake.stack;
}

/* All that one burst may hold; what is not kept lies at its end, where memory ends. */
static struct mrg_span placed(struct mrg_span octets, bool keep)
{
	enum { KEPT = 1 << 18 };
	static uint8_t kept[KEPT];
	static size_t at;
	if (!keep)
		return guarded(octets);
	if (octets.len > KEPT - at)
		at = 0;
	memcpy(kept + at, octets.p, octets.len);
	at += octets.len;
	return (struct mrg_span){ kept + at - octets.len, octets.len };
}

static void fake_input(const struct fake_datagram *d, bool keep)
{
	static uint8_t b[70000];
	struct mrg_w w;
	const struct mrg_rt_addr from = fake_addr(d->from), to = fake_addr(d->to);
	struct ip_in in = { .on = d->on,
		.from = ip_of(&from),
		.to = ip_of(&to),
		.protocol = MRG_NET_IP_PROTOCOL_UDP,
		.sum_ok = d->sum_ok,
		.to_many = d->to_many,
		.now_ns = fake.now_ns };
	const size_t right = d->octets.len + 8, length = d->length != 0 ? d->length : right;
	const struct mrg_net_udp_args a = {
		.source_port = from.port, .destination_port = to.port, .data_octets = d->octets
	};
	mrg_w_init(&w, b, sizeof b);
	mrg_net_udp_put(&w, &a);
	MUST(w.st == MRG_OK);
	mrg_put_be16(b + 4, (uint16_t)length);
	const size_t summed = length < right ? length : right;
	const uint64_t pseudo = ip_pseudo_sum(&in.from, &in.to, in.protocol, length);
	const uint16_t sum = mrg_inet16_end(mrg_inet16_add(pseudo, b, summed, 0));
	if (!d->no_sum)
		mrg_put_be16(b + 6, (uint16_t)((sum != 0 ? sum : 0xffff) + d->sum_off));
	memset(b + right, 0xaa, d->extra);
	in.payload = in.packet = placed((struct mrg_span){ b, right + d->extra - d->cut }, keep);
	udp_input(&fake.stack, &in);
}

static bool fake_sum_right(const struct fake_sent *f)
{
	struct mrg_net_udp u;
	if (mrg_net_udp_check((struct mrg_span){ f->p, f->len }, &u, NULL) != MRG_OK || u.len != f->len)
		return false;
	uint64_t sum = ip_pseudo_sum(&f->from, &f->to, f->o.protocol, f->len);
	if (!f->o.summed)
		return mrg_net_udp_checksum(&u) != 0 &&
		       mrg_inet16_end(mrg_inet16_add(sum, f->p, f->len, 0)) == 0;
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return f->o.sum_at == 6 && mrg_net_udp_checksum(&u) == sum;
}

#endif
