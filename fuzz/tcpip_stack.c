/*
 * tcpip_stack.c - a stack with an echo and a discard service, in memory and under virtual time: the input is what a peer sends and what
 * users do.
 *
 * Each run begins with the same stack, whose addresses are checked and whose neighbor is known: it is made once and copied.  Behind
 * the last packet the peer is silent, and time passes until no connection is left, which must come.
 * Reading order: users, frames out, frames in, what must hold in the end.
 */
#include "fuzz/tcpip_stack.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz/frames.h"
#include "net/icmp4.h"
#include "net/icmp6.h"
#include "net/ip4.h"
#include "net/ip6.h"
#include "net/link.h"
#include "net/tcp.h"
#include "net/udp.h"
#include "protocols/tcpip/ip.h"
#include "protocols/tcpip/tcp.h"

enum {
	LEN_MAX = 16384,
	FRAME_MAX = 2048,
	HALF_OPEN = 4,
	PIECES = 64,
	PAGE = 4096,
	QUOTED = 8 + STACK_IP4_HEAD, /* where an error of ICMP has the transport header */
	MS = 1000000,
	STEPS_MAX = 20000 /* timers that fire before all is quiet */
};

enum { OPS = 10000, OPS_OCTET = 20 }; /* of a frame: so many, and for each octet */

/* Points are what the stack counts, of those that a peer can make it count here. */
static const char *const point_names[] = { "if if_in_frames", "if if_in_foreign", "if if_in_short",
	"if if_in_tagged", "if if_in_unknown_protos", "ip in_hdr_errors", "ip in_addr_errors",
	"ip in_unknown_protos", "ip in_delivers", "ip in_martians", "ip reasm_reqds", "ip reasm_oks",
	"ip reasm_fails", "ip reasm_timeouts", "arp arp_in", "arp arp_in_errors", "arp arp_conflicts",
	"arp arp_out", "nd nd_in", "nd nd_in_errors", "nd nd_out", "icmp icmp_in_msgs", "icmp icmp_in_errors",
	"icmp icmp_out_msgs", "icmp icmp_echoes", "ip path_mtu_lowered", "tcp active_opens",
	"tcp passive_opens", "tcp attempt_fails", "tcp estab_resets", "tcp in_segs", "tcp out_segs",
	"tcp retrans_segs", "tcp in_errs", "tcp out_rsts", "tcp in_csum_errors", "tcp in_bad_options",
	"tcp syn_cookies_sent", "tcp paws_drops", "tcp challenge_acks", "tcp out_of_window", "tcp old_acks",
	"tcp future_acks", "tcp out_of_order", "tcp data_after_close", "tcp timeouts", "tcp loss_probes",
	"tcp zero_window_probes", "tcp keepalives", "tcp time_waits", "tcp ecn_ce", "tcp in_bytes",
	"tcp out_bytes" };
enum { POINTS = COUNT_OF(point_names), COUNTERS_MAX = 256, OTHER = POINTS };

/* All that a run changes, but for the stack's memory. */
struct world {
	struct mrg_link link;
	struct mrg_rt_timers timers;
	uint64_t now_ns;
	struct mrg_tcpip *s;
	struct mrg_tcpip_if *on;
	struct mrg_tcpip_udp *udp;
	struct mrg_tcpip_connect attempt;
	struct stack_users users;
	uint32_t iss[4]; /* ours, by the peer's port */
	bool asked;      /* for the peer's link-layer address */
	uint64_t frames_in, frames_out;
};

struct own {
	uint64_t packets; /* that came, of all runs */
	bool ready;
	struct world w, first;
	struct mrg_arena arena;
	size_t arena_len; /* and of it a copy, both as they are at first: pools are cut when they are needed */
	uint8_t *memory;
	bool *empty; /* pages of it, which are all zero */
	struct mrg_stream_user echo, discard;
	struct mrg_dgram_user datagrams;
	struct mrg_guard guard;
	uint16_t point_of[COUNTERS_MAX]; /* of each counter */
	size_t counter;                  /* while they are told */
	uint64_t value[COUNTERS_MAX];
	struct mrg_fuzz_result *result;
	uint8_t reached[POINTS];
};

static struct own of_stack;

/* ---- users ---- */

static struct mrg_rt_addr address(unsigned family, const uint8_t *ip, uint16_t port)
{
	struct mrg_rt_addr a = { .family = (uint8_t)family, .port = port };
	if (ip != NULL)
		memcpy(a.ip, ip, family == 4 ? 4 : 16);
	return a;
}

static void failed(struct mrg_tcpip_connect *t, enum mrg_net_why why, uint64_t now_ns)
{
	(void)t;
	(void)why;
	(void)now_ns;
}

static void send_datagram(struct world *w, size_t len)
{
	static const uint8_t octets[4096];
	const struct mrg_rt_addr to = address(4, stack_peer4, STACK_PEER_PORT);
	struct mrg_dgram_end *const e = mrg_tcpip_udp_end(w->udp);
	(void)e->ops->send(e, NULL, &to, (struct mrg_span){ octets, len });
}

static void does(struct own *o, unsigned what, size_t much)
{
	struct world *const w = &o->w;
	const struct mrg_rt_addr to = address(4, stack_peer4, (uint16_t)(STACK_PEER_PORT + (much & 3u))),
				 from = address(4, stack_our4, STACK_OUR_PORT);
	switch (what % STACK_DOES) {
	case STACK_CONNECTS:
		if (w->attempt.conn == NULL)
			(void)mrg_tcpip_connect(w->s, &w->attempt, &from, &to);
		return;
	case STACK_DATAGRAM: send_datagram(w, much * 16); return;
	default: stack_user_does(&w->users, what % STACK_DOES, much);
	}
}

/* ---- sums, octet by octet, so that the stack's own are not held against themselves ---- */

static uint32_t add(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return len % 2 != 0 ? sum + ((uint32_t)p[len - 1] << 8) : sum;
}

static uint16_t end_sum(uint32_t sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* addresses: of both, one behind the other. */
static uint16_t sum_of(
	const uint8_t *addresses, size_t address_len, uint8_t protocol, const uint8_t *p, size_t len)
{
	const bool plain = protocol == MRG_NET_IP_PROTOCOL_ICMP || protocol == MRG_NET_IP_PROTOCOL_IGMP;
	const uint32_t pseudo = plain ? 0 : add(protocol + (uint32_t)len, addresses, 2 * address_len);
	return end_sum(add(pseudo, p, len));
}

/* Where the sum of a payload is; 0: it has none. */
static size_t sum_at(uint8_t protocol)
{
	switch (protocol) {
	case MRG_NET_IP_PROTOCOL_TCP: return MRG_NET_TCP_CHECKSUM_AT;
	case MRG_NET_IP_PROTOCOL_UDP: return MRG_NET_UDP_CHECKSUM_AT;
	case MRG_NET_IP_PROTOCOL_ICMP:
	case MRG_NET_IP_PROTOCOL_IGMP:
	case MRG_NET_IP_PROTOCOL_ICMPV6: return MRG_NET_ICMP6_CHECKSUM_AT;
	default: return 0;
	}
}

/* ---- frames out ---- */

static void wrong_frame(struct own *o, const char *what)
{
	(void)fuzz_wrong(
		o->result, what, "frame %llu that is sent: %s", (unsigned long long)o->w.frames_out, what);
}

static void see_segment(struct own *o, struct mrg_span payload)
{
	struct mrg_net_tcp h;
	struct mrg_net_tcp_options options;
	if (mrg_net_tcp_check(payload, &h, NULL) != MRG_OK ||
		mrg_net_tcp_options_check(mrg_net_tcp_options(&h), &options, NULL) != MRG_OK) {
		wrong_frame(o, "not a segment");
		return;
	}
	if (mrg_net_tcp_syn(&h) != 0)
		o->w.iss[mrg_net_tcp_destination_port(&h) & 3u] = mrg_net_tcp_sequence_number(&h);
	if (mrg_net_tcp_reserved(&h) != 0 || mrg_net_tcp_urg(&h) != 0 ||
		(mrg_net_tcp_syn(&h) != 0 && (mrg_net_tcp_fin(&h) != 0 || mrg_net_tcp_rst(&h) != 0)))
		wrong_frame(o, "flags that can't be");
}

static void see_payload(struct own *o, uint8_t protocol, const uint8_t *addresses, size_t address_len,
	struct mrg_span payload)
{
	struct mrg_net_udp udp;
	struct mrg_net_icmp4 icmp4;
	struct mrg_net_icmp6 icmp6;
	if (sum_at(protocol) != 0 && sum_of(addresses, address_len, protocol, payload.p, payload.len) != 0)
		wrong_frame(o, "wrong checksum");
	switch (protocol) {
	case MRG_NET_IP_PROTOCOL_TCP: see_segment(o, payload); return;
	case MRG_NET_IP_PROTOCOL_UDP:
		if (mrg_net_udp_check(payload, &udp, NULL) != MRG_OK)
			wrong_frame(o, "not a datagram");
		return;
	case MRG_NET_IP_PROTOCOL_ICMP:
		if (mrg_net_icmp4_check(payload, &icmp4, NULL) != MRG_OK)
			wrong_frame(o, "not an ICMP message");
		return;
	case MRG_NET_IP_PROTOCOL_ICMPV6:
		if (mrg_net_icmp6_check(payload, &icmp6, NULL) != MRG_OK)
			wrong_frame(o, "not an ICMPv6 message");
		o->w.asked = true;
		return;
	case MRG_NET_IP_PROTOCOL_IGMP:
	case MRG_NET_IP_PROTOCOL_HOPOPT: return;
	default: wrong_frame(o, "an unknown protocol");
	}
}

static void see4(struct own *o, struct mrg_span packet)
{
	struct mrg_net_ip4 p;
	if (mrg_net_ip4_check(packet, &p, NULL) != MRG_OK || mrg_net_ip4_total_length(&p) > o->w.link.mtu)
		wrong_frame(o, "not a packet of IPv4");
	else if (!mrg_net_ip4_mf(&p) && mrg_net_ip4_fragment_offset(&p) == 0)
		see_payload(o, mrg_net_ip4_protocol(&p), mrg_net_ip4_source_address(&p).p, 4,
			mrg_net_ip4_payload(&p));
}

static void see6(struct own *o, struct mrg_span packet)
{
	struct mrg_net_ip6 p;
	if (mrg_net_ip6_check(packet, &p, NULL) != MRG_OK || packet.len > o->w.link.mtu)
		wrong_frame(o, "not a packet of IPv6");
	else
		see_payload(o, mrg_net_ip6_next_header(&p), mrg_net_ip6_source_address(&p).p, 16,
			mrg_net_ip6_payload(&p));
}

static enum mrg_io see(
	struct mrg_link *l, const struct mrg_span *parts, size_t count, const struct mrg_frame_work *work)
{
	struct own *const o = &of_stack;
	static uint8_t frame[70000];
	struct mrg_net_ethernet e;
	struct mrg_net_arp arp;
	size_t len = 0;
	(void)l;
	o->w.frames_out++;
	for (size_t i = 0; i < count && parts[i].len <= sizeof frame - len; i++) {
		memcpy(frame + len, parts[i].p, parts[i].len);
		len += parts[i].len;
	}
	if (work != NULL && (work->sum_at != 0 || work->cut != MRG_FRAME_WHOLE))
		wrong_frame(o, "work that the link can't do");
	if (mrg_net_ethernet_check((struct mrg_span){ frame, len }, &e, NULL) != MRG_OK) {
		wrong_frame(o, "not a frame");
		return MRG_IO_OK;
	}
	const struct mrg_span payload = mrg_net_ethernet_payload(&e);
	switch (mrg_net_ethernet_type(&e)) {
	case MRG_NET_ETHER_TYPE_IPV4: see4(o, payload); break;
	case MRG_NET_ETHER_TYPE_IPV6: see6(o, payload); break;
	case MRG_NET_ETHER_TYPE_ARP:
		if (mrg_net_arp_check(payload, &arp, NULL) != MRG_OK)
			wrong_frame(o, "not a message of ARP");
		o->w.asked = true;
		break;
	default: wrong_frame(o, "an unknown type");
	}
	return MRG_IO_OK;
}

static const struct mrg_link_ops ops = { .send = see };

/* ---- time ---- */

/* Let time pass, at most so many timers.  Returns how many fired. */
static size_t pass(struct own *o, uint64_t until_ns, size_t most)
{
	struct world *const w = &o->w;
	size_t n = 0;
	for (; n < most && mrg_rt_timers_next(&w->timers) <= until_ns; n++) {
		const uint64_t next = mrg_rt_timers_next(&w->timers);
		w->now_ns = next > w->now_ns ? next : w->now_ns;
		mrg_rt_timers_run(&w->timers, w->now_ns);
	}
	if (n < most && until_ns != MRG_RT_NEVER && until_ns > w->now_ns)
		w->now_ns = until_ns;
	return n;
}

/* ---- frames in ---- */

/* The lengths and sums of a packet of IPv4, and the acknowledgment of a segment in it. */
static void complete(const struct own *o, uint8_t *p, size_t len, unsigned control)
{
	const bool six = (control & STACK_KIND) == STACK_IP6;
	const size_t head = six ? (size_t)STACK_IP6_HEAD : len != 0 ? (size_t)(p[0] & 15u) * 4 : 0;
	if (len < head || head < STACK_IP4_HEAD)
		return;
	const uint8_t protocol = six ? p[MRG_NET_IP6_NEXT_HEADER_AT] : p[9];
	uint8_t *const payload = p + head;
	const size_t payload_len = len - head;
	const size_t at = sum_at(protocol);
	if ((control & STACK_ACKS) != 0 && protocol == MRG_NET_IP_PROTOCOL_TCP &&
		payload_len >= STACK_IP4_HEAD) {
		uint8_t *const ack = payload + MRG_NET_TCP_ACKNOWLEDGMENT_NUMBER_AT;
		mrg_put_be32(ack, mrg_be32(ack) + o->w.iss[payload[1] & 3u]);
	}
	/* an error about a segment of ours quotes its number */
	if ((control & STACK_ACKS) != 0 && protocol == MRG_NET_IP_PROTOCOL_ICMP &&
		payload_len >= QUOTED + 8) {
		uint8_t *const quoted = payload + QUOTED;
		mrg_put_be32(quoted + MRG_NET_TCP_SEQUENCE_NUMBER_AT,
			mrg_be32(quoted + MRG_NET_TCP_SEQUENCE_NUMBER_AT) + o->w.iss[quoted[3] & 3u]);
	}
	if ((control & STACK_AS_IS) != 0)
		return;
	if (six) {
		mrg_put_be16(p + MRG_NET_IP6_PAYLOAD_LENGTH_AT, (uint16_t)payload_len);
	} else {
		mrg_put_be16(p + 2, (uint16_t)len);
		mrg_put_be16(p + 10, 0);
		mrg_put_be16(p + 10, end_sum(add(0, p, head)));
	}
	if (at == 0 || payload_len < at + 2)
		return;
	mrg_put_be16(payload + at, 0);
	mrg_put_be16(
		payload + at, sum_of(six ? p + 8 : p + 12, six ? 16 : 4, protocol, payload, payload_len));
}

static void hand_in(struct own *o, const uint8_t *octets, size_t len, bool vouched)
{
	struct world *const w = &o->w;
	uint8_t *const p = mrg_guard_room_end(&o->guard, len);
	memcpy(p, octets, len);
	struct mrg_frame f = { .p = p, .len = len, .cap = len, .work = { .sum_ok = vouched } };
	w->frames_in++;
	fuzz_ops = 0;
	w->link.user.frames(w->link.user.ctx, &f, 1, w->now_ns);
	(void)fuzz_linear(o->result, OPS, OPS_OCTET, len);
	(void)pass(o, w->now_ns, STEPS_MAX);
}

/* The peer answers who asks for it: ARP only, since IPv6's neighbor is known from the start, and lost later. */
static void answer(struct own *o)
{
	uint8_t frame[64];
	struct mrg_w w;
	if (!o->w.asked)
		return;
	o->w.asked = false;
	mrg_w_init(&w, frame, sizeof frame);
	mrg_net_ethernet_header_put(
		&w, &(struct mrg_net_ethernet_header_args){ .destination_address = { stack_our_mac, 6 },
			    .source_address = { stack_peer_mac, 6 },
			    .type = MRG_NET_ETHER_TYPE_ARP });
	mrg_net_arp_put(&w, &(struct mrg_net_arp_args){ .operation = 2,
				    .sender_hardware_address = { stack_peer_mac, 6 },
				    .sender_protocol_address = { stack_peer4, 4 },
				    .target_hardware_address = { stack_our_mac, 6 },
				    .target_protocol_address = { stack_our4, 4 } });
	hand_in(o, frame, w.len, false);
}

static void one(struct own *o, const struct frame *f)
{
	static const uint64_t units[] = { MS, 40 * MS, MRG_RT_SECOND_NS, 10 * MRG_RT_SECOND_NS };
	uint8_t frame[FRAME_MAX];
	struct mrg_w w;
	if (f->len < STACK_HEAD)
		return;
	const unsigned control = f->p[0], kind = control & STACK_KIND;
	if (f->p[1] != 0)
		(void)pass(o, o->w.now_ns + (f->p[1] & STACK_TIMES) * units[f->p[1] >> 6], STEPS_MAX);
	const uint8_t *const p = f->p + STACK_HEAD;
	const size_t len = f->len - STACK_HEAD;
	if (kind == STACK_USER) {
		if (len >= 2)
			does(o, p[0], p[1]);
		(void)pass(o, o->w.now_ns, STEPS_MAX);
		return;
	}
	mrg_w_init(&w, frame, sizeof frame);
	if (kind != STACK_FRAME)
		mrg_net_ethernet_header_put(&w,
			&(struct mrg_net_ethernet_header_args){ .destination_address = { stack_our_mac, 6 },
				.source_address = { stack_peer_mac, 6 },
				.type = kind == STACK_IP4 ? MRG_NET_ETHER_TYPE_IPV4
							  : MRG_NET_ETHER_TYPE_IPV6 });
	const size_t front = w.len;
	if (len > sizeof frame - front)
		return;
	mrg_w_put(&w, (struct mrg_span){ p, len });
	if (kind != STACK_FRAME)
		complete(o, frame + front, len, control);
	o->packets++;
	hand_in(o, frame, w.len, (control & STACK_VOUCHED) != 0);
	answer(o);
}

/* ---- what must hold in the end ---- */

static size_t free_of(const struct mrg_rt_pool *pool)
{
	size_t n = pool->left;
	for (void **p = pool->free; p != NULL; p = *p)
		n++;
	return n;
}

/* All blocks can be had again. */
static bool blocks_are_back(struct mrg_rt_blocks *b)
{
	enum { MOST = 256 };
	const size_t largest = (size_t)256 << b->top, want = b->cap / largest;
	uint8_t *blocks[MOST];
	size_t n = 0;
	while (n < want && n < MOST && (blocks[n] = mrg_rt_blocks_get(b, largest)) != NULL)
		n++;
	const bool all = n == want;
	while (n > 0)
		mrg_rt_blocks_put(b, blocks[--n], largest);
	return all;
}

static bool check_left(struct own *o)
{
	struct tcp_state *const t = o->w.s->tcp;
	const struct mrg_tcpip_limits *const l = &o->w.s->limits;
	struct mrg_fuzz_result *const r = o->result;
	if (t->conn_count != 0 || t->half_count != 0 || t->wait_due.first != 0)
		return fuzz_wrong(r, "connections are left", "%u connections, %u half-open, %s in TIME-WAIT",
			t->conn_count, t->half_count, t->wait_due.first != 0 ? "some" : "none");
	for (uint32_t i = 0; i <= t->mask; i++)
		if (t->table[i] != NULL)
			return fuzz_wrong(r, "the table is not empty", "slot %u of the table is in use", i);
	for (size_t i = 0; i < TCP_LOCALS_MAX; i++)
		if (t->local_uses[i] != 0)
			return fuzz_wrong(r, "addresses are held", "address %zu is in use", i);
	if (free_of(&t->conns) != l->conn_count || free_of(&t->flights) != l->conn_count ||
		free_of(&t->gaps) != l->conn_count || free_of(&t->pieces) != l->sent_count)
		return fuzz_wrong(r, "memory is left",
			"%zu conns, %zu flights, %zu gaps, %zu pieces are free", free_of(&t->conns),
			free_of(&t->flights), free_of(&t->gaps), free_of(&t->pieces));
	if (!blocks_are_back(&t->buffers))
		return fuzz_wrong(r, "buffers are left", "not all buffers are free");
	for (size_t i = 0; i < STACK_USERS; i++)
		if (o->w.users.user[i].stream != NULL)
			return fuzz_wrong(r, "users are left", "user %zu was not told", i);
	return true;
}

static void count(void *ctx, const char *protocol, const char *name, uint64_t value)
{
	struct own *const o = ctx;
	(void)protocol;
	(void)name;
	const size_t i = o->counter++;
	if (value != o->value[i] && o->point_of[i] != OTHER)
		o->reached[o->point_of[i]] = 1;
}

/* Each frame is counted once as what it was found to be. */
static bool check_counts(const struct own *o)
{
	const struct ip_counts *const c = &o->w.s->ip->count;
	const uint64_t links = c->if_in_foreign + c->if_in_short + c->if_in_tagged + c->if_in_unknown_protos;
	const uint64_t refused = c->in_hdr_errors + c->in_addr_errors + c->in_unknown_protos +
				 c->in_martians + c->in_options_refused;
	if (c->if_in_frames != o->w.frames_in)
		return fuzz_wrong(o->result, "frames", "%llu frames, counted %llu",
			(unsigned long long)o->w.frames_in, (unsigned long long)c->if_in_frames);
	if (c->if_in_frames != links + c->arp_in + c->in_receives)
		return fuzz_wrong(o->result, "frames by kind",
			"%llu frames; %llu for no protocol, %llu ARP, %llu IP",
			(unsigned long long)c->if_in_frames, (unsigned long long)links,
			(unsigned long long)c->arp_in, (unsigned long long)c->in_receives);
	/* a fragment that is refused is counted as such and as refused: so these are bounds */
	if (refused + c->in_delivers > c->in_receives + c->reasm_oks ||
		refused + c->in_delivers + c->reasm_reqds < c->in_receives + c->reasm_oks)
		return fuzz_wrong(o->result, "packets",
			"%llu packets, %llu of them put together; %llu refused, %llu delivered, %llu fragments",
			(unsigned long long)c->in_receives, (unsigned long long)c->reasm_oks,
			(unsigned long long)refused, (unsigned long long)c->in_delivers,
			(unsigned long long)c->reasm_reqds);
	return true;
}

static void settle(struct own *o)
{
	/* longer than anything lasts of which the peer does not speak any more */
	static const uint64_t long_ns = 2000 * MRG_RT_SECOND_NS;
	const uint64_t end = o->w.now_ns + long_ns;
	const struct tcp_state *const tcp = o->w.s->tcp;
	size_t left = STEPS_MAX;
	stack_users_go_on(&o->w.users);
	while (left != 0 && mrg_rt_timers_next(&o->w.timers) <= end && o->result->verdict != MRG_FUZZ_WRONG) {
		left -= pass(o, mrg_rt_timers_next(&o->w.timers), 1);
		if (tcp->conn_count == 0 && tcp->half_count == 0 && tcp->wait_due.first == 0)
			break;
	}
	if (left == 0)
		(void)fuzz_wrong(o->result, "timers", "%u timers fire, and more", (unsigned)STEPS_MAX);
	else if (check_left(o) && check_counts(o)) {
		o->counter = 0;
		mrg_tcpip_counts(o->w.s, count, o);
	}
}

/* ---- the stack that each run begins with ---- */

static void learn(void *ctx, const char *protocol, const char *name, uint64_t value)
{
	struct own *const o = ctx;
	char full[80];
	if (o->counter == COUNTERS_MAX)
		abort();
	const size_t i = o->counter++;
	(void)snprintf(full, sizeof full, "%s %s", protocol, name);
	o->value[i] = value;
	o->point_of[i] = OTHER;
	for (uint16_t k = 0; k < POINTS; k++)
		if (strcmp(point_names[k], full) == 0)
			o->point_of[i] = k;
}

static bool is_zero(const uint8_t *page)
{
	static const uint8_t zero[PAGE];
	return memcmp(page, zero, PAGE) == 0;
}

static void must(bool good)
{
	if (good)
		return;
	(void)fprintf(stderr, "tcpip_stack: there is no stack to begin with\n");
	abort();
}

static void listen_at(struct own *o, unsigned family, uint16_t port, const struct mrg_stream_user *user)
{
	struct mrg_rt_addr at = address(family, NULL, port);
	must(mrg_tcpip_listen(o->w.s, &at, user) != NULL);
}

static struct mrg_tcpip_limits small(void)
{
	struct mrg_tcpip_limits l = mrg_tcpip_usual;
	l.if_count = 1;
	l.address_count = l.route_count = l.neighbor_count = 8;
	l.dgram_count = l.listener_count = 4;
	l.conn_count = l.time_wait_count = 8;
	l.half_open_count = HALF_OPEN;
	l.receive_max = l.send_max = 4096;
	l.buffer_len = 65536;
	l.sent_count = PIECES;
	l.reassembly_len = 8192;
	l.dgram_out_max = 512;
	l.time_wait_ms = 1000;
	l.give_up_s = 60;
	l.keepalive_s = 30;
	return l;
}

static void open_own(struct own *o)
{
	const struct mrg_tcpip_limits l = small();
	struct world *const w = &o->w;
	const size_t size = mrg_tcpip_memory(&l), room = (size + PAGE - 1) / PAGE * PAGE;
	struct mrg_fuzz_result ignored = { .verdict = MRG_FUZZ_ACCEPTED };
	const struct mrg_tcpip_world of_platform = {
		.timers = &w->timers, .now_ns = &w->now_ns, .secret = { 1, 2, 3, 4 }
	};
	o->result = &ignored;
	o->arena = (struct mrg_arena){ .p = aligned_alloc(PAGE, room), .cap = size };
	must(o->arena.p != NULL && mrg_guard_open(&o->guard, FRAME_MAX));
	memset(o->arena.p, 0, room);
	w->now_ns = 5000 * MRG_RT_SECOND_NS;
	w->link = (struct mrg_link){ .ops = &ops, .mtu = 1500 };
	memcpy(w->link.address, stack_our_mac, 6);
	w->s = mrg_tcpip_open(&o->arena, &l, &of_platform);
	must(w->s != NULL);
	w->on = mrg_tcpip_if_add(w->s, &w->link);
	must(w->on != NULL);
	const struct mrg_rt_addr four = address(4, stack_our4, 0), six = address(6, stack_our6, 0);
	must(mrg_tcpip_address_add(w->on, &four, 24) && mrg_tcpip_address_add(w->on, &six, 64));
	o->echo = stack_service(&w->users, true);
	o->discard = stack_service(&w->users, false);
	o->datagrams = stack_datagrams();
	w->attempt = (struct mrg_tcpip_connect){ .user = &o->discard, .failed = failed };
	listen_at(o, 4, STACK_ECHO, &o->echo);
	listen_at(o, 6, STACK_ECHO, &o->echo);
	listen_at(o, 4, STACK_DISCARD, &o->discard);
	listen_at(o, 6, STACK_DISCARD, &o->discard);
	struct mrg_rt_addr at = address(4, NULL, STACK_ECHO);
	w->udp = mrg_tcpip_udp_bind(w->s, &at, &o->datagrams);
	must(w->udp != NULL);
	(void)pass(
		o, w->now_ns + 20 * MRG_RT_SECOND_NS, STEPS_MAX); /* addresses are checked for duplicates */
	w->asked = true;
	answer(o);
	const struct ip peer6 = { { 0xfd, 0, [15] = 1 } };
	neighbor_heard(w->on, &peer6, (struct mrg_span){ stack_peer_mac, 6 });
	(void)pass(o, w->now_ns + MRG_RT_SECOND_NS, STEPS_MAX);
	o->counter = 0;
	mrg_tcpip_counts(w->s, learn, o);
	o->first = *w;
	o->arena_len = o->arena.len;
	o->memory = calloc(1, room);
	o->empty = calloc(room / PAGE, sizeof *o->empty);
	must(o->memory != NULL && o->empty != NULL);
	memcpy(o->memory, o->arena.p, o->arena_len);
	for (size_t page = 0; page < room / PAGE; page++)
		o->empty[page] = is_zero(o->memory + page * PAGE);
	o->ready = true;
}

/* Most of the arena is room that few runs touch: to look there costs less than to copy nothing over nothing. */
static void restore(struct own *o)
{
	for (size_t at = 0; at < o->arena.len; at += PAGE) {
		uint8_t *const p = o->arena.p + at;
		if (!o->empty[at / PAGE])
			memcpy(p, o->memory + at, PAGE);
		else if (!is_zero(p))
			memset(p, 0, PAGE);
	}
	o->arena.len = o->arena_len;
	o->w = o->first;
}

static void run(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	struct own *const o = ctx;
	if (!o->ready)
		open_own(o);
	o->result = result;
	restore(o);
	result->verdict = MRG_FUZZ_REFUSED;
	const uint64_t before = o->w.s->tcp->n.in_segs;
	for (size_t at = 0; at < len && result->verdict != MRG_FUZZ_WRONG;) {
		const struct frame f = frames_next(in, len, &at);
		if (f.p != NULL)
			one(o, &f);
	}
	if (result->verdict == MRG_FUZZ_WRONG)
		return;
	if (o->w.s->tcp->n.in_segs != before)
		result->verdict = MRG_FUZZ_ACCEPTED;
	settle(o);
}

/* ---- the subject ---- */

static const struct frames_maker maker = {
	.most = 10, .make = stack_packet_make, .change = stack_packet_change
};

static size_t make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	(void)ctx;
	return mrg_rng_below(rng, 8) != 0 ? stack_talk_make(rng, out, cap)
					  : frames_make(&maker, rng, out, cap);
}

FRAMES_WAYS(maker)

static void show(void *ctx, const uint8_t *in, size_t len, FILE *to)
{
	static const char *const kinds[] = { "IPv4", "IPv6", "frame", "user" };
	(void)ctx;
	for (size_t at = 0; at < len;) {
		const struct frame f = frames_next(in, len, &at);
		if (f.p == NULL || f.len < STACK_HEAD)
			continue;
		(void)fprintf(to, "%s, control %02x, time %02x:", kinds[f.p[0] & STACK_KIND], f.p[0], f.p[1]);
		for (size_t i = STACK_HEAD; i < f.len; i++)
			(void)fprintf(to, "%s%02x", i % 4 == STACK_HEAD % 4 ? " " : "", f.p[i]);
		(void)fputc('\n', to);
	}
}

FUZZ_POINT_NAMES(point_names)
const struct mrg_fuzz_subject tcpip_stack = { FUZZ_FIELDS("tcpip.stack", of_stack, LEN_MAX, POINTS),
	.parts = "packets", .part_count = &of_stack.packets };
