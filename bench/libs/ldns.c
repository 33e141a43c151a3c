/* bench/libs/ldns.c - ldns on the captured mix: parse, and parse + rebuild. */
#include "bench/util.h"

#include <ldns/ldns.h>
#include <stdlib.h>

struct part {
	const struct bench_msg *m;
	size_t count;
};

static ldns_pkt *parsed(const struct bench_msg *m)
{
	ldns_pkt *pkt;

	if (ldns_wire2pkt(&pkt, m->p, m->len) != LDNS_STATUS_OK)
		bench_die("ldns refuses a message of %zu octets", m->len);
	return pkt;
}

static void parse(void *ctx)
{
	const struct part *part = ctx;

	for (size_t i = 0; i < part->count; i++) {
		ldns_pkt *pkt = parsed(&part->m[i]);
		bench_keep(ldns_pkt_id(pkt));
		ldns_pkt_free(pkt);
	}
}

static void rebuild(void *ctx)
{
	const struct part *part = ctx;

	for (size_t i = 0; i < part->count; i++) {
		ldns_pkt *pkt = parsed(&part->m[i]);
		uint8_t *wire = NULL;
		size_t len;
		if (ldns_pkt2wire(&wire, pkt, &len) != LDNS_STATUS_OK)
			bench_die("ldns cannot write a message");
		bench_keep(len);
		free(wire);
		ldns_pkt_free(pkt);
	}
}

int main(int argc, char **argv)
{
	if (argc != 3)
		bench_die("usage: ldns MIX MILLISECONDS");
	struct bench_msgs mix = bench_msgs_read(argv[1]);
	unsigned ms = (unsigned)atoi(argv[2]);
	struct part query = { mix.m, mix.count / 2u }, answer = { mix.m + mix.count / 2u, mix.count / 2u };

	bench_result("query parse", bench_time(parse, &query, query.count, ms));
	bench_result("query rebuild", bench_time(rebuild, &query, query.count, ms));
	bench_result("answer parse", bench_time(parse, &answer, answer.count, ms));
	bench_result("answer rebuild", bench_time(rebuild, &answer, answer.count, ms));
	return 0;
}
