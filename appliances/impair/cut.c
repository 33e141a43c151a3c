/*
 * Joined segments of TCP into single ones.
 * Reading order: cut_frame at the end, then upwards.
 */
#include "appliances/impair/cut.h"
#include "net/ip4.h"
#include "net/ip6.h"
#include "net/link.h"
#include "net/tcp.h"

enum { SEGMENT_MAX = 65536 + 64 }; /* bytes of one frame */

/* A frame of joined segments. */
struct joined {
	struct mrg_span head; /* of the link */
	bool six;
	struct mrg_net_ip4 ip4;
	struct mrg_net_ip6 ip6;
	struct mrg_net_tcp tcp;
	struct mrg_span data;
	uint16_t sum; /* of the pseudo-header, with the length of them all */
	size_t tcp_len;
};

/* ---- reading ---- */

static bool read_joined(const struct mrg_frame *f, struct joined *j)
{
	struct mrg_net_ethernet e;
	if (mrg_net_ethernet_check((struct mrg_span){ f->p, f->len }, &e, NULL) != MRG_OK)
		return false;
	const struct mrg_span packet = mrg_net_ethernet_payload(&e);
	struct mrg_span segment;
	j->head = (struct mrg_span){ f->p, (size_t)(packet.p - f->p) };
	j->six = f->work.cut == MRG_FRAME_TCP6;
	if (j->six) {
		if (mrg_net_ip6_check(packet, &j->ip6, NULL) != MRG_OK)
			return false;
		segment = mrg_net_ip6_payload(&j->ip6);
	} else {
		if (mrg_net_ip4_check(packet, &j->ip4, NULL) != MRG_OK)
			return false;
		segment = mrg_net_ip4_payload(&j->ip4);
	}
	/* behind headers of extension, the sum would not begin where the payload does */
	if ((size_t)(segment.p - f->p) != f->work.sum_from ||
		mrg_net_tcp_check(segment, &j->tcp, NULL) != MRG_OK)
		return false;
	j->data = mrg_net_tcp_data(&j->tcp);
	j->sum = mrg_net_tcp_checksum(&j->tcp);
	j->tcp_len = segment.len;
	return true;
}

/* ---- writing ---- */

/* The segment with `data`, which begins `at` bytes into the data of all. */
static void put_tcp(
	struct mrg_w *w, const struct joined *j, size_t at, struct mrg_span data, uint16_t checksum)
{
	const struct mrg_net_tcp *const t = &j->tcp;
	const bool first = at == 0, last = at + data.len == j->data.len;
	mrg_net_tcp_put(w, &(struct mrg_net_tcp_args){
				   .source_port = mrg_net_tcp_source_port(t),
				   .destination_port = mrg_net_tcp_destination_port(t),
				   .sequence_number = mrg_net_tcp_sequence_number(t) + (uint32_t)at,
				   .acknowledgment_number = mrg_net_tcp_acknowledgment_number(t),
				   .cwr = first && mrg_net_tcp_cwr(t) != 0,
				   .ece = mrg_net_tcp_ece(t),
				   .urg = mrg_net_tcp_urg(t),
				   .ack = mrg_net_tcp_ack(t),
				   .psh = last && mrg_net_tcp_psh(t) != 0,
				   .rst = mrg_net_tcp_rst(t),
				   .syn = mrg_net_tcp_syn(t),
				   .fin = last && mrg_net_tcp_fin(t) != 0,
				   .window = mrg_net_tcp_window(t),
				   .checksum = checksum,
				   .urgent_pointer = mrg_net_tcp_urgent_pointer(t),
				   .options = mrg_net_tcp_options(t),
				   .data = data,
			   });
}

static void put_ip(struct mrg_w *w, const struct joined *j, size_t number, struct mrg_span segment)
{
	const struct mrg_net_ip4 *const v4 = &j->ip4;
	const struct mrg_net_ip6 *const v6 = &j->ip6;
	if (j->six)
		mrg_net_ip6_put(w, &(struct mrg_net_ip6_args){
					   .dscp = mrg_net_ip6_dscp(v6),
					   .ecn = mrg_net_ip6_ecn(v6),
					   .flow_label = mrg_net_ip6_flow_label(v6),
					   .next_header = mrg_net_ip6_next_header(v6),
					   .hop_limit = mrg_net_ip6_hop_limit(v6),
					   .source_address = mrg_net_ip6_source_address(v6),
					   .destination_address = mrg_net_ip6_destination_address(v6),
					   .payload = segment,
				   });
	else
		mrg_net_ip4_put(
			w, &(struct mrg_net_ip4_args){
				   .dscp = mrg_net_ip4_dscp(v4),
				   .ecn = mrg_net_ip4_ecn(v4),
				   .identification = (uint16_t)(mrg_net_ip4_identification(v4) + number),
				   .df = mrg_net_ip4_df(v4),
				   .time_to_live = mrg_net_ip4_time_to_live(v4),
				   .protocol = mrg_net_ip4_protocol(v4),
				   .source_address = mrg_net_ip4_source_address(v4),
				   .destination_address = mrg_net_ip4_destination_address(v4),
				   .options = mrg_net_ip4_options(v4),
				   .payload = segment,
			   });
}

/* The sum of the pseudo-header of a segment of that length: only its length is another one (RFC 1624). */
static uint64_t pseudo_sum(const struct joined *j, size_t tcp_len)
{
	return (uint64_t)j->sum + (uint16_t)~j->tcp_len + tcp_len;
}

static bool put_segment(struct mrg_w *w, const struct joined *j, size_t number, size_t at, size_t len)
{
	const struct mrg_span data = { j->data.p + at, len };
	static uint8_t b[SEGMENT_MAX];
	struct mrg_w segment;
	mrg_w_init(&segment, b, sizeof b);
	put_tcp(&segment, j, at, data, 0);
	const uint64_t sum = mrg_inet16_add(pseudo_sum(j, segment.len), b, segment.len, 0);
	mrg_w_init(&segment, b, sizeof b);
	put_tcp(&segment, j, at, data, mrg_inet16_end(sum));
	mrg_w_put(w, j->head);
	put_ip(w, j, number, mrg_w_span(&segment, 0));
	return segment.st == MRG_OK && w->st == MRG_OK;
}

/* ---- frames ---- */

static void complete(struct mrg_frame *f)
{
	const size_t from = f->work.sum_from, at = f->work.sum_at;
	if (at == 0 || from > at || at + sizeof(uint16_t) > f->len)
		return;
	const uint16_t sum = mrg_inet16_end(mrg_inet16_add(0, f->p + from, f->len - from, 0));
	mrg_put_be16(f->p + at, sum != 0 ? sum : UINT16_MAX); /* RFC 768: zero would say that there is none */
}

bool cut_frame(struct mrg_frame *f, void *ctx, void (*each)(void *ctx, struct mrg_span frame))
{
	static uint8_t b[SEGMENT_MAX];
	struct joined j;
	if (f->work.cut == MRG_FRAME_WHOLE || f->work.segment_len == 0) {
		complete(f);
		each(ctx, (struct mrg_span){ f->p, f->len });
		return true;
	}
	if (!read_joined(f, &j))
		return false;
	for (size_t at = 0, number = 0; at < j.data.len; at += f->work.segment_len, number++) {
		const size_t left = j.data.len - at;
		struct mrg_w w;
		mrg_w_init(&w, b, sizeof b);
		if (put_segment(&w, &j, number, at, left < f->work.segment_len ? left : f->work.segment_len))
			each(ctx, mrg_w_span(&w, 0));
	}
	return true;
}
