/*
 * bench/tcpip_check.c - what it costs to believe the headers of a packet: the generated checks that protocols/tcpip uses, beside the
 * same by hand (hand/tcpip.h).
 *
 * As in parse.c the ways are held against each other before anything is timed: for every prefix, and for every bit flipped.
 */
#include "bench/hand/tcpip.h"
#include "bench/util.h"
#include "net/ip4.h"
#include "net/tcp.h"

#include <stdlib.h>
#include <string.h>

typedef struct bench_reading reader(const uint8_t *p, size_t len);

struct subject {
	const char *name;
	const uint8_t *p;
	size_t len;
	reader *ours, *hand;
};

/* clang-format off */

static const uint8_t established[] = {
	0xc0, 0x01, 0x00, 0x50, 0x12, 0x34, 0x56, 0x79, 0x0a, 0x0b, 0x0c, 0x0d, 0x80, 0x10, 0x01, 0xf6, 0xbe, 0xef, 0, 0,
	1, 1, 8, 10, 0x01, 0x02, 0x03, 0x05, 0x0a, 0x0b, 0x0c, 0x0e, /* NOP NOP timestamps */
};

static const uint8_t syn[] = {
	0xc0, 0x01, 0x00, 0x50, 0x12, 0x34, 0x56, 0x78, 0, 0, 0, 0, 0xa0, 0x02, 0xfa, 0xf0, 0xbe, 0xef, 0, 0,
	2, 4, 0x05, 0xb4,                            /* MSS 1460 */
	4, 2,                                        /* SACK permitted */
	8, 10, 0x01, 0x02, 0x03, 0x04, 0, 0, 0, 0,   /* timestamps */
	1, 3, 3, 7,                                  /* NOP, scale 7 */
};

static const uint8_t packet[60] = {
	0x45, 0, 0, 60, 0x1c, 0x46, 0x40, 0, 64, 6, 0x32, 0x3f, 192, 0, 2, 1, 198, 51, 100, 2, /* TCP, 60 octets */
};

/* clang-format on */

static const struct bench_reading refused = { false, 0 };

/* --- an established connection's segment ---------------------------------------------- */

static struct bench_reading ours_established(const uint8_t *p, size_t len)
{
	struct mrg_net_tcp h;
	struct mrg_net_tcp_usual_options usual;

	if (mrg_net_tcp_check((struct mrg_span){ p, len }, &h, NULL) != MRG_OK)
		return refused;
	const struct mrg_span options = mrg_net_tcp_options(&h);
	if (mrg_net_tcp_usual_options_check(options, &usual, NULL) != MRG_OK || usual.len != options.len)
		return refused;
	return (struct bench_reading){ true, (uint64_t)mrg_net_tcp_usual_options_ts_value(&usual) +
						     mrg_net_tcp_usual_options_ts_echo_reply(&usual) +
						     mrg_net_tcp_data(&h).len };
}

static struct bench_reading hand_established(const uint8_t *p, size_t len)
{
	struct hand_packet h;

	if (!hand_segment_check(p, len, &h) || !hand_usual_options(&h))
		return refused;
	return (struct bench_reading){ true, (uint64_t)be32(p + 24) + be32(p + 28) + (h.len - h.head) };
}

/* --- a SYN with its options -------------------------------------------------------- */

static uint64_t ours_option(const struct mrg_net_tcp_option *o)
{
	struct mrg_net_tcp_option_timestamps ts;
	uint16_t mss;
	uint8_t shift;

	switch (mrg_net_tcp_option_kind(o)) {
	case MRG_NET_TCP_OPTION_KIND_MSS: return mrg_net_tcp_option_body_as_mss(o, &mss) ? mss : 0u;
	case MRG_NET_TCP_OPTION_KIND_WINDOW_SCALE:
		return mrg_net_tcp_option_body_as_shift_cnt(o, &shift) ? shift : 0u;
	case MRG_NET_TCP_OPTION_KIND_SACK_PERMITTED: return 1;
	case MRG_NET_TCP_OPTION_KIND_TIMESTAMPS:
		if (!mrg_net_tcp_option_body_as_timestamps(o, &ts))
			return 0;
		return (uint64_t)mrg_net_tcp_option_timestamps_ts_value(&ts) +
		       mrg_net_tcp_option_timestamps_ts_echo_reply(&ts);
	default: return 0;
	}
}

static struct bench_reading ours_syn(const uint8_t *p, size_t len)
{
	struct mrg_net_tcp h;
	struct mrg_net_tcp_options all;
	struct mrg_net_tcp_option o;
	uint64_t sum = 0;

	if (mrg_net_tcp_check((struct mrg_span){ p, len }, &h, NULL) != MRG_OK ||
		mrg_net_tcp_options_check(mrg_net_tcp_options(&h), &all, NULL) != MRG_OK)
		return refused;
	struct mrg_net_tcp_options_options_it it = mrg_net_tcp_options_options(&all);
	while (mrg_net_tcp_options_options_next(&it, &o))
		sum += ours_option(&o);
	return (struct bench_reading){ true, sum };
}

static uint64_t hand_option(const uint8_t *p)
{
	switch (p[0]) {
	case HAND_MSS: return be16(p + 2);
	case HAND_SCALE: return p[2];
	case HAND_SACK_PERMITTED: return 1;
	case HAND_TIMESTAMPS: return (uint64_t)be32(p + 2) + be32(p + 6);
	default: return 0;
	}
}

static struct bench_reading hand_syn(const uint8_t *p, size_t len)
{
	struct hand_packet h, all;
	uint64_t sum = 0;

	if (!hand_segment_check(p, len, &h) || !hand_options_check(&h, &all))
		return refused;
	for (size_t i = 20; i < all.head; i += p[i] == HAND_NOP ? 1u : p[i + 1])
		sum += hand_option(p + i);
	return (struct bench_reading){ true, sum };
}

/* --- an IPv4 header ----------------------------------------------------------------- */

static struct bench_reading ours_packet(const uint8_t *p, size_t len)
{
	struct mrg_net_ip4 h;

	if (mrg_net_ip4_check((struct mrg_span){ p, len }, &h, NULL) != MRG_OK)
		return refused;
	return (struct bench_reading){ true, mrg_net_ip4_payload(&h).len + mrg_net_ip4_protocol(&h) };
}

static struct bench_reading hand_packet(const uint8_t *p, size_t len)
{
	struct hand_packet h;

	if (!hand_packet_check(p, len, &h))
		return refused;
	return (struct bench_reading){ true, h.len - h.head + p[9] };
}

static const struct subject subjects[] = {
	{ "established", established, sizeof established, ours_established, hand_established },
	{ "syn", syn, sizeof syn, ours_syn, hand_syn },
	{ "packet", packet, sizeof packet, ours_packet, hand_packet },
};

/* --- do they agree? ------------------------------------------------------------------- */

static void agree(const struct subject *s, const uint8_t *p, size_t len, const char *what, size_t at)
{
	const struct bench_reading a = s->ours(p, len), b = s->hand(p, len);

	if (a.ok != b.ok || a.sum != b.sum)
		bench_die("%s: %s at %zu: ours %d %llu, hand %d %llu", s->name, what, at, a.ok,
			(unsigned long long)a.sum, b.ok, (unsigned long long)b.sum);
}

static void agree_all(const struct subject *s)
{
	uint8_t *const copy = bench_alloc(s->len);

	if (!s->hand(s->p, s->len).ok)
		bench_die("%s: refused", s->name);
	agree(s, s->p, s->len, "whole", 0);
	for (size_t n = 0; n < s->len; n++)
		agree(s, s->p, n, "prefix", n);
	memcpy(copy, s->p, s->len);
	for (size_t bit = 0; bit < s->len * 8u; bit++) {
		const uint8_t flip = (uint8_t)(1u << bit % 8u);
		copy[bit / 8u] ^= flip;
		agree(s, copy, s->len, "bit flipped", bit);
		copy[bit / 8u] ^= flip;
	}
	for (size_t i = 0; i < s->len; i++) { /* options of every kind, of every size */
		for (unsigned v = 0; v < 256u * 48u; v++) {
			copy[i] = (uint8_t)(v / 48u);
			if (i + 1u < s->len)
				copy[i + 1u] = (uint8_t)(v % 48u);
			agree(s, copy, s->len, "two octets", i);
		}
		memcpy(copy, s->p, s->len);
	}
	free(copy);
}

/* --- timing ------------------------------------------------------------------------- */

enum { TIMES = 1000 };

struct pass {
	const struct subject *s;
	reader *read;
};

static void pass(void *ctx)
{
	const struct pass *const p = ctx;

	for (size_t t = 0; t < TIMES; t++) {
		const struct bench_reading r = p->read(p->s->p, p->s->len);
		if (!r.ok)
			bench_die("%s: refused", p->s->name);
		bench_keep(r.sum);
	}
}

static void report(const struct subject *s, const char *who, reader *read, unsigned ms)
{
	struct pass p = { s, read };
	char name[64];

	snprintf(name, sizeof name, "%s %s", who, s->name);
	bench_result(name, bench_time(pass, &p, TIMES, ms));
}

int main(int argc, char **argv)
{
	if (argc != 2)
		bench_die("usage: tcpip_check MILLISECONDS");
	const unsigned ms = (unsigned)atoi(argv[1]);

	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
		agree_all(&subjects[i]);
		report(&subjects[i], "ours", subjects[i].ours, ms);
		report(&subjects[i], "hand", subjects[i].hand, ms);
	}
	return 0;
}
