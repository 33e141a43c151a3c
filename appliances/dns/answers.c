/* Queries from a platform's ends: see answers.h. */
#include "appliances/dns/answers.h"

enum { TOGETHER = 16 /* queries whose memory is fetched at once */ };

static void sender(void *ctx, size_t index, struct mrg_rt_addr *out)
{
	struct mrg_dgram_end *const e = ctx;
	e->ops->peer(e, index, out);
}

static void answered(const struct answers *a, const struct mrg_dns_asker *client,
	const struct mrg_dns_asked *asked, struct mrg_span reply)
{
	if (a->answered != NULL)
		a->answered(a->ctx, client, mrg_dns_answer_query(asked), reply);
}

void answers_batch(const struct answers *a, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count,
	uint64_t now_s, uint64_t now_ns)
{
	struct mrg_dns_asker client = { .via = MRG_DNS_UDP,
		.now_s = now_s,
		.now_ns = now_ns,
		.peer = sender,
		.ctx = e,
		.rate = a->rate };
	struct mrg_dns_asked asked[TOGETHER];
	for (size_t from = 0; from < count; from += TOGETHER) {
		const size_t n = count - from < TOGETHER ? count - from : (size_t)TOGETHER;
		for (size_t i = 0; i < n; i++)
			mrg_dns_answer_begin(a->server, d[from + i].in, &asked[i]);
		for (size_t i = 0; i < n; i++)
			mrg_dns_answer_look(&asked[i]);
		for (size_t i = 0; i < n && a->rate != NULL; i++) {
			client.index = from + i;
			mrg_dns_answer_expect(&asked[i], &client);
		}
		for (size_t i = 0; i < n; i++) {
			struct mrg_dgram *const one = &d[from + i];
			client.index = from + i;
			if (a->other != NULL && mrg_dns_answer_is_other(&asked[i]) &&
				a->other(a->ctx, e, from + i, one))
				continue;
			if (mrg_dns_answer_finish(
				    &asked[i], &client, one->out, one->out_cap, &one->out_len) != MRG_OK)
				one->out_len = 0;
			answered(a, &client, &asked[i], (struct mrg_span){ one->out, one->out_len });
		}
	}
}

static void other_end(void *ctx, size_t index, struct mrg_rt_addr *out)
{
	(void)index;
	mrg_stream_peer(ctx, out);
}

enum mrg_status answers_stream(const struct answers *a, struct mrg_stream *stream, struct mrg_span query,
	uint8_t *out, size_t cap, size_t *out_len, uint64_t now_s)
{
	const struct mrg_dns_asker client = {
		.via = MRG_DNS_TCP, .now_s = now_s, .peer = other_end, .ctx = stream
	};
	struct mrg_dns_asked asked;
	mrg_dns_answer_begin(a->server, query, &asked);
	mrg_dns_answer_look(&asked);
	const enum mrg_status st = mrg_dns_answer_finish(&asked, &client, out, cap, out_len);
	answered(a, &client, &asked, (struct mrg_span){ out, st == MRG_OK ? *out_len : 0 });
	return st;
}
