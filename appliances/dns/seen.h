/*
 * seen.h - what a worker has seen of a message and its reply, for others to write down (seeing.h says of which).
 *
 * What it does not do: it writes nothing; who empties the ring does (reporter.h).
 */
#ifndef MRG_DNS_SEEN_H
#define MRG_DNS_SEEN_H

#include "appliances/dns/ring.h"
#include "protocols/dns/asker.h"

/* How far what is told of has come. */
enum seen_stage {
	SEEN_WHOLE, /* there is a reply, or there is none */
	SEEN_BEGUN, /* a transfer: the reply is its first message, and others come behind it */
	SEEN_OVER,  /* that transfer is sent: there is no reply beside the request */
	SEEN_CUT    /* likewise, but its connection has ended before that */
};

/* A record of the ring; the octets of the query stand behind it, and then those of the reply. */
struct seen {
	uint64_t since_ns, until_ns; /* of the loop's clock: when it was known that something had come; when there was a reply */
	struct mrg_rt_addr peer, own; /* own: family 0: that is not known */
	enum mrg_dns_transport via;
	enum seen_stage stage;
	uint64_t octets, messages; /* of a transfer that is over, or cut off */
	uint32_t query_len, reply_len; /* reply_len 0: there is no reply */
};

/* Of one worker. */
struct sampler {
	unsigned every;             /* 0: nothing is wanted */
	unsigned left;              /* until the next one */
	atomic_uint_least64_t took; /* by its thread; others read it */
	struct ring ring;
};

size_t sampler_memory(void); /* octets of the arena that one takes at most, if anything is wanted */

/* sampler_init - of each `every` queries one.   Fails: false: the arena is too small. */
bool sampler_init(struct sampler *s, struct mrg_arena *arena, unsigned every);

static inline bool sampler_is_on(const struct sampler *s) { return s->every != 0; }

/* sampler_due - is this one of those that are wanted? To be asked for each query. */
static inline bool sampler_due(struct sampler *s)
{
	if (--s->left != 0)
		return false;
	s->left = s->every;
	return true;
}

/* sampler_put - this is what was seen; query_len and reply_len are filled in. */
void sampler_put(struct sampler *s, const struct seen *seen, struct mrg_span query, struct mrg_span reply);

/* seen_read - what a record of the ring says.   Lifetime: the spans borrow it. */
void seen_read(struct mrg_span record, struct seen *out, struct mrg_span *query, struct mrg_span *reply);

#endif
