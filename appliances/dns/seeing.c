/* What a worker sees: see seeing.h. */
#include "appliances/dns/seeing.h"
#include "appliances/dns/worker.h"
#include "iana/dns.h"

/* The only address of the peer's kind that is listened on: a stream does not know which it came in by. */
static const struct mrg_rt_addr *only_like(const struct worker *w, const struct mrg_rt_addr *peer)
{
	const struct mrg_rt_addr *found = NULL;
	for (size_t i = 0; i < w->end_count; i++) {
		if (w->listen[i].family != peer->family)
			continue;
		if (found != NULL)
			return NULL;
		found = &w->listen[i];
	}
	return found;
}

/* end   NULL: it came by a stream */
static const struct mrg_rt_addr *own_address(
	const struct worker *w, const struct mrg_dgram_end *end, const struct mrg_rt_addr *peer)
{
	for (size_t i = 0; end != NULL && i < w->end_count; i++)
		if (end_dgram_is(&w->udp[i], end))
			return &w->listen[i];
	return only_like(w, peer);
}

/* What is not said of it yet is added. */
static void put(struct worker *w, struct seen *seen, const struct mrg_dgram_end *end, struct mrg_span message,
	struct mrg_span reply)
{
	const struct mrg_rt_addr *const own = own_address(w, end, &seen->peer);
	if (own != NULL)
		seen->own = *own;
	seen->until_ns = w->loop.sys->now_ns();
	seen->via = end != NULL ? MRG_DNS_UDP : MRG_DNS_TCP;
	sampler_put(&w->sampler, seen, message, reply);
}

void seeing_query(
	struct worker *w, const struct mrg_dns_asker *client, struct mrg_span query, struct mrg_span reply)
{
	struct seen seen = { .since_ns = w->loop.now_ns };
	client->peer(client->ctx, client->index, &seen.peer);
	put(w, &seen, client->via == MRG_DNS_UDP ? client->ctx : NULL, query, reply);
}

void seeing_granted(struct worker *w, const struct sight *s, uint64_t since_ns)
{
	struct seen seen = {
		.since_ns = since_ns, .peer = *s->peer, .stage = s->goes_on ? SEEN_BEGUN : SEEN_WHOLE
	};
	if (sampler_is_on(&w->sampler))
		put(w, &seen, s->end, s->message, s->reply);
}

static bool is_granted(struct mrg_span reply)
{
	struct mrg_dns_header h;
	struct mrg_reject why = { .at = reply.p };
	return mrg_dns_header_check(reply, &h, &why) == MRG_OK &&
	       mrg_dns_header_rcode(&h) == MRG_DNS_RCODE_NOERROR;
}

void seeing_other(void *worker, const struct sight *s)
{
	struct worker *const w = worker;
	if (sampler_is_on(&w->sampler) && (is_granted(s->reply) || sampler_due(&w->sampler)))
		seeing_granted(w, s, w->loop.now_ns);
}

void seeing_transfer(struct worker *w, const struct sending_told *told)
{
	struct seen seen = { .since_ns = told->since_ns,
		.peer = told->peer,
		.stage = told->whole ? SEEN_OVER : SEEN_CUT,
		.octets = told->octets,
		.messages = told->messages };
	if (sampler_is_on(&w->sampler))
		put(w, &seen, NULL, (struct mrg_span){ told->request, told->request_len },
			(struct mrg_span){ NULL, 0 });
}
