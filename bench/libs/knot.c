/* bench/libs/knot.c - libknot on the captured mix: parse, and parse + rebuild. */
#include "bench/util.h"

#include <libknot/libknot.h>
#include <stdlib.h>
#include <string.h>

struct part {
	const struct bench_msg *m;
	size_t count;
	uint8_t in[65535];
};

/* libknot reads from a buffer that may be written. */
static knot_pkt_t *parsed(struct part *part, const struct bench_msg *m)
{
	memcpy(part->in, m->p, m->len);
	knot_pkt_t *pkt = knot_pkt_new(part->in, (uint16_t)m->len, NULL);
	if (!pkt || knot_pkt_parse(pkt, 0) != KNOT_EOK)
		bench_die("libknot refuses a message of %zu octets", m->len);
	return pkt;
}

static void parse(void *ctx)
{
	struct part *part = ctx;

	for (size_t i = 0; i < part->count; i++) {
		knot_pkt_t *pkt = parsed(part, &part->m[i]);
		bench_keep(pkt->rrset_count);
		knot_pkt_free(pkt);
	}
}

static void section_put(knot_pkt_t *to, const knot_pkt_t *from, knot_section_t id)
{
	const knot_pktsection_t *s = knot_pkt_section(from, id);

	knot_pkt_begin(to, id);
	for (uint16_t i = 0; i < s->count; i++) {
		const knot_rrset_t *rr = knot_pkt_rr(s, i);
		if (knot_pkt_put(to, KNOT_COMPR_HINT_NONE, rr, 0) != KNOT_EOK)
			bench_die("libknot cannot write a record");
	}
}

static void rebuild(void *ctx)
{
	struct part *part = ctx;

	for (size_t i = 0; i < part->count; i++) {
		knot_pkt_t *pkt = parsed(part, &part->m[i]);
		knot_pkt_t *out = knot_pkt_new(NULL, 4096, NULL);
		if (!out || knot_pkt_put_question(
				    out, knot_pkt_qname(pkt), knot_pkt_qclass(pkt), knot_pkt_qtype(pkt)))
			bench_die("libknot cannot write a question");
		memcpy(out->wire, pkt->wire, 4);
		section_put(out, pkt, KNOT_ANSWER);
		section_put(out, pkt, KNOT_AUTHORITY);
		section_put(out, pkt, KNOT_ADDITIONAL);
		bench_keep(out->size);
		knot_pkt_free(out);
		knot_pkt_free(pkt);
	}
}

int main(int argc, char **argv)
{
	static struct part query, answer;

	if (argc != 3)
		bench_die("usage: knot MIX MILLISECONDS");
	struct bench_msgs mix = bench_msgs_read(argv[1]);
	unsigned ms = (unsigned)atoi(argv[2]);
	query.m = mix.m;
	answer.m = mix.m + mix.count / 2u;
	query.count = answer.count = mix.count / 2u;
	bench_result("query parse", bench_time(parse, &query, query.count, ms));
	bench_result("query rebuild", bench_time(rebuild, &query, query.count, ms));
	bench_result("answer parse", bench_time(parse, &answer, answer.count, ms));
	bench_result("answer rebuild", bench_time(rebuild, &answer, answer.count, ms));
	return 0;
}
