/*
 * The live stack and packets that nobody here made: each SYN of the captures is answered as its options ask, and each frame is counted
 * as taken or refused, whatever it is.
 *
 * tshark, where there is one, says which SYNs are right. Only addresses, ports and numbers are changed, so that they are for us.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iana/net.h"
#include "net/ip4.h"
#include "net/ip6.h"
#include "net/link.h"
#include "pcap.h"
#include "pcapng.h"
#include "protocols/tcpip/ip.h"
#include "protocols/tcpip/fragment.h"
#include "tests/protocols/tcpip/capture.h"
#include "tests/protocols/tcpip/raw.h"

/* ---- a packet taken apart ---- */

struct packet {
	uint16_t type;
	struct ip from, to;
	uint8_t *p; /* a copy that may be changed */
	size_t len;
	bool ip;        /* whole, and right as far as IP goes */
	size_t segment; /* where TCP begins; 0: it is not TCP, or not all of it */
};

static uint64_t sum_of(const struct packet *k)
{
	const size_t len = k->len - k->segment;
	return mrg_inet16_add(
		ip_pseudo_sum(&k->from, &k->to, MRG_NET_IP_PROTOCOL_TCP, len), k->p + k->segment, len, 0);
}

static void take4(struct packet *k)
{
	struct mrg_net_ip4 p;
	if (mrg_net_ip4_check((struct mrg_span){ k->p, k->len }, &p, NULL) != MRG_OK)
		return;
	k->ip = true;
	k->len = mrg_net_ip4_span(&p).len;
	k->from = ip_from4(mrg_net_ip4_source_address(&p));
	k->to = ip_from4(mrg_net_ip4_destination_address(&p));
	if (mrg_net_ip4_protocol(&p) == MRG_NET_IP_PROTOCOL_TCP && !mrg_net_ip4_mf(&p) &&
		mrg_net_ip4_fragment_offset(&p) == 0)
		k->segment = k->len - mrg_net_ip4_payload(&p).len;
}

static void take6(struct packet *k)
{
	struct mrg_net_ip6 p;
	if (mrg_net_ip6_check((struct mrg_span){ k->p, k->len }, &p, NULL) != MRG_OK)
		return;
	k->ip = true;
	k->len = mrg_net_ip6_span(&p).len;
	k->from = ip_from6(mrg_net_ip6_source_address(&p));
	k->to = ip_from6(mrg_net_ip6_destination_address(&p));
	struct mrg_span payload = mrg_net_ip6_payload(&p);
	uint8_t next = mrg_net_ip6_next_header(&p);
	if (ip6_pass_over(&payload, &next) && next == MRG_NET_IP_PROTOCOL_TCP)
		k->segment = k->len - payload.len;
}

static struct packet packet_of(uint16_t type, struct mrg_span octets)
{
	struct packet k = { .type = type, .len = octets.len };
	k.p = malloc(octets.len + 1u);
	memcpy(k.p, octets.p, octets.len);
	if (type == MRG_NET_ETHER_TYPE_IPV4)
		take4(&k);
	else if (type == MRG_NET_ETHER_TYPE_IPV6)
		take6(&k);
	struct mrg_net_tcp h;
	if (k.segment != 0 && mrg_net_tcp_check((struct mrg_span){ k.p + k.segment, k.len - k.segment }, &h,
				      NULL) != MRG_OK)
		k.segment = 0;
	return k;
}

static struct mrg_net_tcp tcp_of_packet(const struct packet *k)
{
	struct mrg_net_tcp h;
	MUST(mrg_net_tcp_check((struct mrg_span){ k->p + k->segment, k->len - k->segment }, &h, NULL) ==
		MRG_OK);
	return h;
}

static void readdress(struct packet *k, const struct ip *from, const struct ip *to)
{
	if (k->type == MRG_NET_ETHER_TYPE_IPV4) {
		struct mrg_net_ip4 p;
		MUST(mrg_net_ip4_check((struct mrg_span){ k->p, k->len }, &p, NULL) == MRG_OK);
		MUST(mrg_net_ip4_set_source_address(&p, k->p, ip_wire(from)) == MRG_OK &&
			mrg_net_ip4_set_destination_address(&p, k->p, ip_wire(to)) == MRG_OK);
	} else {
		struct mrg_net_ip6 p;
		struct mrg_w w;
		uint8_t *const q = malloc(k->len);
		MUST(mrg_net_ip6_check((struct mrg_span){ k->p, k->len }, &p, NULL) == MRG_OK);
		mrg_w_init(&w, q, k->len);
		mrg_net_ip6_put(&w, &(struct mrg_net_ip6_args){ .dscp = mrg_net_ip6_dscp(&p),
					    .ecn = mrg_net_ip6_ecn(&p),
					    .flow_label = mrg_net_ip6_flow_label(&p),
					    .next_header = mrg_net_ip6_next_header(&p),
					    .hop_limit = mrg_net_ip6_hop_limit(&p),
					    .source_address = ip_wire(from),
					    .destination_address = ip_wire(to),
					    .payload = mrg_net_ip6_payload(&p) });
		MUST(w.st == MRG_OK && w.len == k->len);
		free(k->p);
		k->p = q;
	}
	k->from = *from;
	k->to = *to;
}

/* Address it and change its port; the sum stays right if it was, and wrong if it was that. `right`: it is made so. */
static void redirect(struct packet *k, const struct ip *from, const struct ip *to, uint16_t port, bool right)
{
	const bool was_right = right || (k->segment != 0 && mrg_inet16_end(sum_of(k)) == 0);
	readdress(k, from, to);
	if (k->segment == 0)
		return;
	const struct mrg_net_tcp h = tcp_of_packet(k);
	uint8_t *const p = k->p + k->segment;
	MUST(mrg_net_tcp_set_destination_port(&h, p, port) == MRG_OK &&
		mrg_net_tcp_set_checksum(&h, p, 0) == MRG_OK);
	const uint16_t sum = mrg_inet16_end(sum_of(k));
	MUST(mrg_net_tcp_set_checksum(&h, p, was_right ? sum : sum ^ 0x55aa) == MRG_OK);
}

/* ---- SYNs ---- */

enum verdict { RIGHT, OFFLOADED, WRONG };

struct syn {
	char name[120];
	struct packet k;
	enum verdict verdict;
};

struct syns {
	FILE *out; /* a capture of all candidates, for tshark */
	char path[64];
	struct syn *all;
	size_t count, room;
};

static void write_record(FILE *out, struct mrg_span packet)
{
	uint8_t *const b = malloc(packet.len + 64);
	struct mrg_w w;
	mrg_w_init(&w, b, packet.len + 64);
	mrg_pcap_record_put(&w, &(struct mrg_pcap_record_args){
					.original_length = (uint32_t)packet.len, .packet_data = packet });
	MUST(w.st == MRG_OK && fwrite(b, 1, w.len, out) == w.len);
	free(b);
}

/* The field of a SYN whose sender left the sum to its link: that of the pseudo-header alone. */
static bool offloaded(const struct packet *k)
{
	const struct mrg_net_tcp h = tcp_of_packet(k);
	const uint64_t pseudo = ip_pseudo_sum(&k->from, &k->to, MRG_NET_IP_PROTOCOL_TCP, k->len - k->segment);
	return (mrg_net_tcp_checksum(&h) ^ mrg_inet16_end(pseudo)) == UINT16_MAX;
}

static enum verdict ours(const struct packet *k)
{
	if (k->segment == 0)
		return WRONG;
	const struct mrg_net_tcp h = tcp_of_packet(k);
	struct mrg_net_tcp_options all;
	if (mrg_net_tcp_options_check(mrg_net_tcp_options(&h), &all, NULL) != MRG_OK)
		return WRONG;
	return mrg_inet16_end(sum_of(k)) == 0 ? RIGHT : offloaded(k) ? OFFLOADED : WRONG;
}

static bool is_syn(const struct packet *k)
{
	if (k->segment == 0)
		return false;
	const struct mrg_net_tcp h = tcp_of_packet(k);
	return mrg_net_tcp_syn(&h) && !mrg_net_tcp_ack(&h) && !mrg_net_tcp_rst(&h) && !mrg_net_tcp_fin(&h);
}

static void collect(void *ctx, const struct capture_frame *f)
{
	struct syns *const s = ctx;
	uint16_t type;
	struct mrg_span carried;
	if (f->data.len != f->wire_len || !capture_carried(f, &type, &carried))
		return;
	struct packet k = packet_of(type, carried);
	if (!is_syn(&k)) {
		free(k.p);
		return;
	}
	if (s->count == s->room)
		s->all = realloc(s->all, (s->room = 2u * s->room + 64u) * sizeof *s->all);
	struct syn *const x = &s->all[s->count++];
	*x = (struct syn){ .k = k, .verdict = ours(&k) };
	snprintf(x->name, sizeof x->name, "%s frame %u", f->file, f->number);
	if (s->out != NULL)
		write_record(s->out, (struct mrg_span){ k.p, k.len });
}

static void begin_file(struct syns *s)
{
	enum { LINK_RAW = 101 };
	uint8_t b[64];
	struct mrg_w w;
	snprintf(s->path, sizeof s->path, "/tmp/mrg-syns-XXXXXX");
	const int fd = mkstemp(s->path);
	MUST(fd >= 0);
	s->out = fdopen(fd, "wb");
	mrg_w_init(&w, b, sizeof b);
	mrg_pcap_file_header_put(
		&w, &(struct mrg_pcap_file_header_args){
			    .magic_number = 0xd4c3b2a1, .snap_len = 262144, .link = LINK_RAW });
	MUST(w.st == MRG_OK && fwrite(b, 1, w.len, s->out) == w.len);
}

/* tshark's verdicts; ours stay where it is not there. */
static void ask_tshark(struct syns *s)
{
	char command[600], line[4096];
	fclose(s->out);
	snprintf(command, sizeof command,
		"tshark -n -r %s -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -T fields -E separator=, "
		"-e frame.number -e tcp.checksum.status -e ip.checksum.status -e _ws.malformed -e "
		"_ws.expert.severity 2>/dev/null",
		s->path);
	FILE *const in = popen(command, "r");
	MUST(in != NULL);
	unsigned lines = 0;
	while (fgets(line, sizeof line, in) != NULL) {
		unsigned number = 0, tcp = 9, ip = 9;
		/* IPv6 has no sum of its own */
		const int got = sscanf(line, "%u,%u,%u", &number, &tcp, &ip);
		MUST_SAY(got >= 2 && number >= 1 && number <= s->count, "tshark: %s", line);
		struct syn *const x = &s->all[number - 1];
		const char *errors = strstr(line, "8388608");
		const bool second = errors != NULL && strstr(errors + 1, "8388608") != NULL;
		lines++;
		if (strstr(line, "Malformed") != NULL || ip == 0 || second || (errors != NULL && tcp != 0))
			x->verdict = WRONG;
		else if (tcp == 0)
			x->verdict = offloaded(&x->k) ? OFFLOADED : WRONG;
		else
			x->verdict = RIGHT;
	}
	pclose(in);
	MUST_SAY(lines == s->count || system("command -v tshark >/dev/null") != 0,
		"tshark has %u lines of %zu", lines, s->count);
}

/* What a SYN asks for, read here once more. */
struct asked {
	bool ts, scale, sack, ecn;
	uint32_t ts_value;
	uint8_t shift;
};

static struct asked asked_by(const struct mrg_net_tcp *h)
{
	struct asked a = { .ecn = mrg_net_tcp_ece(h) && mrg_net_tcp_cwr(h) };
	const struct mrg_span o = mrg_net_tcp_options(h);
	for (size_t i = 0; i < o.len && o.p[i] != 0;) {
		if (o.p[i] == 1) {
			i++;
			continue;
		}
		if (o.len - i < 2 || o.p[i + 1] < 2 || o.p[i + 1] > o.len - i)
			break;
		a.sack = a.sack || o.p[i] == 4;
		if (o.p[i] == 3) {
			a.scale = true;
			a.shift = o.p[i + 2];
		}
		if (o.p[i] == 8) {
			a.ts = true;
			a.ts_value = mrg_be32(o.p + i + 2);
		}
		i += o.p[i + 1];
	}
	return a;
}

static void open_for(const struct packet *k)
{
	if (k->type == MRG_NET_ETHER_TYPE_IPV6)
		raw_open6();
	else
		raw_open(NULL);
}

/* RFC 9293 section 3.10.7.2, RFC 7323 sections 2.2 and 3.2, RFC 2018 section 2, RFC 3168 section 6.1.1 */
static void must_be_accepted(struct syn *x)
{
	open_for(&x->k);
	const struct mrg_rt_addr peer = raw_addr(raw.peer, 0), mine = raw_addr(raw.ours, 0);
	const struct ip from = ip_of(&peer), to = ip_of(&mine);
	redirect(&x->k, &from, &to, 80, x->verdict == OFFLOADED);
	const struct mrg_net_tcp h = tcp_of_packet(&x->k);
	const struct asked a = asked_by(&h);
	raw.peer_port = mrg_net_tcp_source_port(&h);
	raw.peer_iss = mrg_net_tcp_sequence_number(&h);
	raw_packet_in(x->k.type, (struct mrg_span){ x->k.p, x->k.len }, false);
	if (x->verdict == WRONG) {
		MUST_SAY(raw_waiting() == 0, "%s: it is answered", x->name);
		MUST_SAY(
			raw_count("in_csum_errors") + raw_count("in_errs") + raw_count("in_bad_options") == 1,
			"%s: it is not counted", x->name);
		return;
	}
	MUST_SAY(raw_waiting() == 1, "%s: it is not answered", x->name);
	const struct raw_out *const o = raw_next();
	MUST_SAY(o->flags == (a.ecn ? SYN | ACK | ECE : SYN | ACK), "%s: flags %x", x->name, o->flags);
	MUST_SAY(raw_ack(o) == 1 && o->len == 0 && o->has_mss, "%s: another answer", x->name);
	MUST_SAY(
		o->has_scale == a.scale && o->sack_ok == a.sack && o->has_ts == a.ts, "%s: options", x->name);
	MUST_SAY(!a.ts || o->ts_echo == a.ts_value, "%s: another timestamp", x->name);
	/* it is a connection that carries data, both ways */
	raw.ts = a.ts;
	const uint32_t ts = a.ts_value + 1u;
	SEND(.flags = ACK | PSH, .seq = 1, .ack = 1, .data = text_of("abc"), .ts_value = ts);
	MUST_SAY(raw.opened == 1 && raw.user[0].len == 3, "%s: it was not opened", x->name);
	raw_forget();
	raw_write(&raw.user[0], raw_bytes(10, 1));
	EXPECT(ACK, 1, 4, 10);
}

START_TEST(syns_are_accepted)
{
	struct syns s = { .out = NULL };
	size_t count[3] = { 0 };
	begin_file(&s);
	const unsigned files = captures_each(collect, &s);
	ask_tshark(&s);
	remove(s.path);
	for (size_t i = 0; i < s.count; i++) {
		count[s.all[i].verdict]++;
		must_be_accepted(&s.all[i]);
		free(s.all[i].k.p);
	}
	free(s.all);
	printf("%u captures: %zu SYNs accepted, %zu more that left their sum to the link, %zu wrong ones refused\n",
		files, count[RIGHT], count[OFFLOADED], count[WRONG]);
}
END_TEST

/* ---- all frames ---- */

struct counts {
	uint64_t in_frames, refused_frames, arp, receives, refused, delivers, fragments, whole, segments,
		datagrams, messages, reports;
	uint64_t tcp_refused;
};

static void count_one(void *ctx, const char *protocol, const char *name, uint64_t value)
{
	struct counts *const n = ctx;
	const struct {
		const char *protocol, *name;
		uint64_t *to;
	} all[] = {
		{ "if", "if_in_frames", &n->in_frames },
		{ "if", "if_in_foreign", &n->refused_frames },
		{ "if", "if_in_short", &n->refused_frames },
		{ "if", "if_in_tagged", &n->refused_frames },
		{ "if", "if_in_unknown_protos", &n->refused_frames },
		{ "arp", "arp_in", &n->arp },
		{ "ip", "in_receives", &n->receives },
		{ "ip", "in_hdr_errors", &n->refused },
		{ "ip", "in_addr_errors", &n->refused },
		{ "ip", "in_unknown_protos", &n->refused },
		{ "ip", "in_martians", &n->refused },
		{ "ip", "in_options_refused", &n->refused },
		{ "ip", "in_delivers", &n->delivers },
		{ "ip", "reasm_reqds", &n->fragments },
		{ "ip", "reasm_oks", &n->whole },
		{ "tcp", "in_segs", &n->segments },
		{ "udp", "in_datagrams", &n->datagrams },
		{ "udp", "no_ports", &n->datagrams },
		{ "udp", "in_errors", &n->datagrams },
		{ "udp", "in_sum_errors", &n->datagrams },
		{ "udp", "in_lost", &n->datagrams },
		{ "icmp", "icmp_in_msgs", &n->messages },
	};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (strcmp(all[i].protocol, protocol) == 0 && strcmp(all[i].name, name) == 0)
			*all[i].to += value;
}

static struct counts counts(void)
{
	struct counts n = { 0 };
	mrg_tcpip_counts(raw.s, count_one, &n);
	return n;
}

/* One frame came in between: is it counted once in each layer that it came to? */
static void must_be_counted(const char *what, const struct counts *a, const struct counts *b)
{
	MUST_SAY(b->in_frames == a->in_frames + 1u, "%s: not counted", what);
	const uint64_t packets = b->receives - a->receives;
	MUST_SAY(b->refused_frames - a->refused_frames + b->arp - a->arp + packets == 1, "%s: frame", what);
	const uint64_t ends = b->refused - a->refused + b->delivers - a->delivers;
	MUST_SAY(ends == packets || (ends == 0 && b->fragments == a->fragments + 1u), "%s: packet", what);
	const uint64_t above =
		b->segments - a->segments + b->datagrams - a->datagrams + b->messages - a->messages;
	/* IGMP, and IPv6 packets without anything, are counted no further */
	MUST_SAY(above <= b->delivers - a->delivers, "%s: payload", what);
}

struct fed {
	struct ip peer, mine;
	size_t frames;
	struct raw_user *user;
	uint8_t mac[6];
};

static void feed(const char *what, struct fed *fed, uint16_t type, const struct packet *k, bool sum_ok)
{
	const struct counts before = counts();
	raw_packet_in(type, (struct mrg_span){ k->p, k->len }, sum_ok);
	const struct counts after = counts();
	must_be_counted(what, &before, &after);
	raw_forget();
	fed->frames++;
}

/* A segment within the window of a connection that stands; a new connection when that one is over. */
static void feed_in_window(const char *what, struct fed *fed, struct packet *k)
{
	raw.peer_port = (uint16_t)(raw.peer_port + 1u);
	fed->user = raw_accept(&(struct raw_options){ .mss = 1460, .scale = 7, .sack_ok = true });
	struct mrg_net_tcp h = tcp_of_packet(k);
	uint8_t *const p = k->p + k->segment;
	MUST(mrg_net_tcp_set_source_port(&h, p, raw.peer_port) == MRG_OK);
	MUST(mrg_net_tcp_set_syn(&h, p, 0) == MRG_OK && mrg_net_tcp_set_ack(&h, p, 1) == MRG_OK);
	MUST(mrg_net_tcp_set_sequence_number(&h, p, raw.peer_iss + 1u) == MRG_OK);
	MUST(mrg_net_tcp_set_acknowledgment_number(&h, p, raw.iss + 1u) == MRG_OK);
	redirect(k, &fed->peer, &fed->mine, 80, true);
	h = tcp_of_packet(k); /* it may have moved */
	const size_t data = mrg_net_tcp_data(&h).len;
	struct mrg_net_tcp_options all;
	const bool options_ok = mrg_net_tcp_options_check(mrg_net_tcp_options(&h), &all, NULL) == MRG_OK;
	const bool rst = mrg_net_tcp_rst(&h);
	feed(what, fed, k->type, k, false);
	if (options_ok && !rst)
		MUST_SAY(fed->user->len == data, "%s: %zu octets of %zu are there", what, fed->user->len,
			data);
	SEND(.flags = RST, .seq = (uint32_t)data + 1u + mrg_net_tcp_fin(&h));
	raw_close(fed->user);
	raw_run(30 * RAW_SECOND);
	raw_forget();
}

static void feed_all_ways(void *ctx, const struct capture_frame *f)
{
	struct fed *const fed = ctx;
	char what[200];
	uint16_t type;
	struct mrg_span carried;
	snprintf(what, sizeof what, "%s frame %u", f->file, f->number);
	if (f->link == 1) { /* as it came: whoever it is for */
		const struct counts before = counts();
		raw_frame_in(f->data, false);
		const struct counts after = counts();
		must_be_counted(what, &before, &after);
	}
	if (!capture_carried(f, &type, &carried) || carried.len > UINT16_MAX)
		return;
	struct packet k = packet_of(type, carried);
	feed(what, fed, type, &k, false);
	feed(what, fed, type, &k, true);
	if (k.ip && (type == MRG_NET_ETHER_TYPE_IPV4) == (raw.version == 4)) {
		redirect(&k, &fed->peer, &fed->mine, 80, false);
		feed(what, fed, type, &k, false);
		feed(what, fed, type, &k, true);
		if (k.segment != 0)
			feed_in_window(what, fed, &k);
	}
	free(k.p);
	raw_run(RAW_SECOND / 10);
}

static void changed(void *ctx, struct mrg_tcpip_if *on, const struct mrg_rt_addr *address,
	unsigned prefix_len, const struct mrg_rt_addr *router)
{
	(void)ctx, (void)on, (void)address, (void)prefix_len, (void)router;
}

START_TEST(frames_are_counted)
{
	static const struct mrg_tcpip_dhcp_user dhcp = { .changed = changed };
	struct fed fed = { .frames = 0 };
	if (_i == 4)
		raw_open(NULL);
	else
		raw_open6();
	MUST(mrg_tcpip_dhcp(raw.on, &dhcp)); /* so that its packets are for us as well */
	const struct mrg_rt_addr peer = raw_addr(raw.peer, 0), mine = raw_addr(raw.ours, 0);
	fed.peer = ip_of(&peer);
	fed.mine = ip_of(&mine);
	const unsigned files = captures_each(feed_all_ways, &fed);
	printf("%u captures: %zu packets of version %d fed\n", files, fed.frames, _i);
	raw_run(300 * RAW_SECOND);
	/* it serves on */
	raw_peer(_i == 4 ? "192.0.2.77" : "2001:db8::77", 7777);
	(void)raw_accept(NULL);
}
END_TEST

/* ---- the reader ---- */

struct seen {
	unsigned count;
	uint32_t link;
	size_t len, wire_len;
};

static void see(void *ctx, const struct capture_frame *f)
{
	struct seen *const s = ctx;
	*s = (struct seen){ s->count + 1u, f->link, f->data.len, f->wire_len };
}

START_TEST(both_formats_are_read)
{
	static const char *const files[] = {
		/* pcap, both byte orders: two records, and the beginning of a third */
		"d4c3b2a1020004000000000000000000000004000100000000000000000000000200000003000000aabb"
		"00000000000000000200000002000000ccdd000000",
		"a1b2c3d40002000400000000000000000004000000000001"
		"00000000000000000000000200000003aabb00000000000000000000000200000002ccdd",
		/* pcapng: a section, an interface, an enhanced and a simple packet */
		"0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000"
		"0100000014000000010000000000000014000000"
		"0600000024000000000000000000000000000000020000000300000"
		"0aabb000024000000"
		"030000001400000002000000ccdd000014000000",
	};
	uint8_t b[400];
	const char *const hex = files[_i];
	size_t len = 0;
	for (; hex[2 * len] != 0; len++) {
		const char two[3] = { hex[2 * len], hex[2 * len + 1], 0 };
		b[len] = (uint8_t)strtoul(two, NULL, 16);
	}
	struct seen s = { 0 };
	MUST_EQ(capture_read("made", (struct mrg_span){ b, len }, see, &s), 2);
	MUST(s.count == 2 && s.link == 1 && s.len == 2 && s.wire_len == 2);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("captures");
	TCase *const t = tcase_create("captures");
	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, both_formats_are_read, 0, 3);
	tcase_add_test(t, syns_are_accepted);
	tcase_add_loop_test(t, frames_are_counted, 4, 5);
	tcase_add_loop_test(t, frames_are_counted, 6, 7);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
