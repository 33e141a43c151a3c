/* Records of queries: see seen.h. */
#include "appliances/dns/seen.h"

enum { RING = 4 << 20 /* octets: some ten thousand queries, more than come until it is looked at again */ };

size_t sampler_memory(void) { return ring_memory(RING); }

bool sampler_init(struct sampler *s, struct mrg_arena *arena, unsigned every)
{
	s->every = s->left = every;
	atomic_init(&s->took, 0);
	return ring_init(&s->ring, arena, RING);
}

static void put(uint8_t **at, const void *p, size_t len)
{
	if (len != 0)
		memcpy(*at, p, len);
	*at += len;
}

void sampler_put(struct sampler *s, const struct seen *seen, struct mrg_span query, struct mrg_span reply)
{
	struct seen head = *seen;
	head.query_len = (uint32_t)query.len;
	head.reply_len = (uint32_t)reply.len;
	atomic_store_explicit(
		&s->took, atomic_load_explicit(&s->took, memory_order_relaxed) + 1u, memory_order_relaxed);
	uint8_t *at = ring_room(&s->ring, sizeof head + query.len + reply.len);
	if (at == NULL)
		return;
	put(&at, &head, sizeof head);
	put(&at, query.p, query.len);
	put(&at, reply.p, reply.len);
	ring_put(&s->ring);
}

void seen_read(struct mrg_span record, struct seen *out, struct mrg_span *query, struct mrg_span *reply)
{
	memcpy(out, record.p, sizeof *out);
	*query = (struct mrg_span){ record.p + sizeof *out, out->query_len };
	*reply = (struct mrg_span){ query->p + query->len, out->reply_len };
}
