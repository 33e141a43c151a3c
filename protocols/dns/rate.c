/*
 * Response rate limiting.  A bucket holds what one network may still be sent of one thing: it fills as time passes, up to what one
 * second brings, and each reply takes from it, also one that is not sent, down to what the window allows.
 */
#include "protocols/dns/rate.h"

#include "protocols/dns/zone_store.h"

enum {
	WAYS = 4,    /* buckets that a hash may be in: a line of the cache */
	UNIT = 1000, /* parts of a reply: a rate of 1 brings one in a millisecond */
	LINE = 64,   /* octets */
	DEEPEST = -(1 << 30)
};

struct mrg_dns_rate_bucket {
	uint32_t tag; /* of whom it is; 0: nobody's */
	uint32_t last_ms;
	int32_t credit; /* in UNITs; below 0: nothing is sent */
	uint32_t held;  /* replies that were held back */
};

static size_t sets_for(const struct mrg_dns_rate_limits *limits) { return limits->networks / WAYS + 1u; }

size_t mrg_dns_rate_memory(const struct mrg_dns_rate_limits *limits)
{
	return sets_for(limits) * WAYS * sizeof(struct mrg_dns_rate_bucket) + LINE;
}

enum mrg_status mrg_dns_rate_init(struct mrg_dns_rate *r, struct mrg_arena *a,
	const struct mrg_dns_rate_limits *limits, const uint64_t secret[2])
{
	enum { BITS4 = 32, BITS6 = 64 };
	const size_t sets = sets_for(limits), size = sets * WAYS * sizeof *r->buckets;
	for (unsigned i = 0; i < MRG_DNS_RATE_KINDS; i++) {
		if (limits->per_second[i] > MRG_DNS_RATE_MOST)
			return MRG_E_RANGE;
	}
	if (limits->prefix4 > BITS4 || limits->prefix6 > BITS6)
		return MRG_E_RANGE;
	r->buckets = mrg_arena_get(a, size, LINE);
	if (r->buckets == NULL)
		return MRG_E_SPACE;
	r->limits = *limits;
	r->counts = (struct mrg_dns_rate_counts){ 0 };
	r->key[0] = secret[0];
	r->key[1] = secret[1];
	r->set_count = (uint32_t)sets;
	return MRG_OK;
}

/* The first bits of an address, as many as make its network, and zeros. */
static uint64_t network(const struct mrg_rt_addr *peer, const struct mrg_dns_rate_limits *limits)
{
	struct mrg_rt_addr net = *peer;
	uint64_t first;
	mrg_rt_addr_net(&net, limits->prefix4, limits->prefix6);
	memcpy(&first, net.ip, sizeof first);
	return first;
}

/* Its place is in the lower half of an account, its tag in the upper one. */
static struct mrg_dns_rate_bucket *set_of(const struct mrg_dns_rate *r, uint64_t account)
{
	return &r->buckets[((account & UINT32_MAX) * r->set_count >> 32) * WAYS];
}

/* Addresses of what there is differ in their lower 48 bits, and not in the last three of them alone. */
uint64_t mrg_dns_rate_account(const struct mrg_dns_rate *r, const struct mrg_rt_addr *peer,
	enum mrg_dns_rate_kind kind, const void *about, uint16_t type)
{
	const uint64_t what[2] = { network(peer, &r->limits),
		(uintptr_t)about ^ (uint64_t)type << 48 ^ (uint64_t)kind };
	const uint64_t account = mrg_rt_hash(r->key, (struct mrg_span){ (const uint8_t *)what, sizeof what });
	mrg_dns_prefetch(set_of(r, account));
	return account;
}

/* The bucket with this tag; else the one that was not used longest becomes it, full. */
static struct mrg_dns_rate_bucket *bucket_of(
	struct mrg_dns_rate *r, uint64_t account, uint32_t now_ms, uint32_t rate)
{
	struct mrg_dns_rate_bucket *const set = set_of(r, account);
	const uint32_t tag = (uint32_t)(account >> 32) | 1u;
	struct mrg_dns_rate_bucket *oldest = set;
	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].tag == tag)
			return &set[i];
		if (set[i].tag == 0 ||
			(oldest->tag != 0 && now_ms - set[i].last_ms > now_ms - oldest->last_ms))
			oldest = &set[i];
	}
	*oldest = (struct mrg_dns_rate_bucket){
		.tag = tag, .last_ms = now_ms, .credit = (int32_t)(rate * UNIT)
	};
	return oldest;
}

/* What is in it after the time that has passed, and this reply. */
static void settle(struct mrg_dns_rate_bucket *b, const struct mrg_dns_rate_limits *limits, uint32_t rate,
	uint32_t now_ms)
{
	const int64_t full = (int64_t)rate * UNIT;
	const int64_t window = full * (limits->window_s > 0 ? limits->window_s : 1);
	const int64_t least = window < -(int64_t)DEEPEST ? -window : DEEPEST;
	int64_t credit = b->credit + (int64_t)(now_ms - b->last_ms) * rate;
	credit = (credit < full ? credit : full) - UNIT;
	b->credit = (int32_t)(credit > least ? credit : least);
	b->last_ms = now_ms;
}

enum mrg_dns_rate_verdict mrg_dns_rate_take(
	struct mrg_dns_rate *r, uint64_t account, enum mrg_dns_rate_kind kind, uint64_t now_ns)
{
	const uint32_t rate = r->limits.per_second[kind], now_ms = (uint32_t)(now_ns / 1000000u);
	if (rate == 0)
		return MRG_DNS_RATE_SEND;
	struct mrg_dns_rate_bucket *const b = bucket_of(r, account, now_ms, rate);
	settle(b, &r->limits, rate, now_ms);
	if (b->credit >= 0)
		return MRG_DNS_RATE_SEND;
	b->held++;
	if (r->limits.slip != 0 && b->held % r->limits.slip == 0) {
		r->counts.cut++;
		return MRG_DNS_RATE_CUT;
	}
	r->counts.dropped++;
	return MRG_DNS_RATE_DROP;
}
