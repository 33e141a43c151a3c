/*
 * bench/hand/dns.c - a DNS message by hand: see dns.h.
 *
 * One text for three jobs: each step takes a `job` that is constant wherever it
 * is called from, so the compiler makes a checking pass without sums, a reading
 * pass without checks, and one that does both.  A step moves c->at forward, or
 * returns false (never when the job does not check).
 */
#include "bench/hand/dns.h"

#include "bench/hand/load.h"

#define INLINE static inline __attribute__((always_inline))

enum job { CHECK = 1, READ = 2, BOTH = 3 };

enum {
	HEADER = 12,
	NAME_MAX = 255,
	JUMPS_MAX = 126,
	RDATA_A = 1,
	RDATA_NS = 2,
	RDATA_CNAME = 5,
	RDATA_SOA = 6,
	RDATA_PTR = 12,
	RDATA_MX = 15,
	RDATA_TXT = 16,
	RDATA_AAAA = 28,
	RDATA_SRV = 33,
	RDATA_OPT = 41,
	RDATA_DS = 43,
	RDATA_RRSIG = 46,
	RDATA_NSEC = 47,
	RDATA_DNSKEY = 48,
	RDATA_NSEC3 = 50,
	RDATA_TLSA = 52,
	RDATA_SVCB = 64,
	RDATA_HTTPS = 65,
	RDATA_CAA = 257,
	CLASS_CH = 3,
	CLASS_NONE = 254,
	CLASS_ANY = 255
};

struct cursor {
	const uint8_t *p;
	size_t len, at, end; /* of the message; of what is read now */
	uint64_t sum;
};

INLINE bool need(const struct cursor *c, enum job job, size_t n)
{
	return !(job & CHECK) || c->end - c->at >= n;
}

/* n octets that nobody looks into: their number and their first one count. */
INLINE void octets(struct cursor *c, enum job job, size_t n)
{
	if (job & READ)
		c->sum += n + (n ? c->p[c->at] : 0u);
	c->at += n;
}

INLINE void rest(struct cursor *c, enum job job) { octets(c, job, c->end - c->at); }

INLINE void u8(struct cursor *c, enum job job)
{
	if (job & READ)
		c->sum += c->p[c->at];
	c->at += 1;
}

INLINE void u16(struct cursor *c, enum job job)
{
	if (job & READ)
		c->sum += be16(c->p + c->at);
	c->at += 2;
}

INLINE void u32(struct cursor *c, enum job job)
{
	if (job & READ)
		c->sum += be32(c->p + c->at);
	c->at += 4;
}

/* RFC 1035 4.1.4: a pointer goes below the run of labels that it ends, so this ends. */
INLINE bool name(struct cursor *c, enum job job, bool pointers)
{
	const uint8_t *p = c->p;
	size_t pos = c->at, run = pos, end = c->end, total = 0, after = 0, jumps = 0;

	for (;;) {
		if ((job & CHECK) && pos >= end)
			return false;
		size_t n = p[pos];
		if (n - 1u < 63u) {
			total += n + 1u;
			if ((job & CHECK) && (total >= NAME_MAX || n >= end - pos))
				return false;
			if (job & READ)
				c->sum += n + p[pos + 1u];
			pos += n + 1u;
			continue;
		}
		if (n == 0)
			break;
		if ((job & CHECK) && (n < 0xc0u || !pointers || end - pos < 2u))
			return false;
		size_t to = be16(p + pos) & 0x3fffu;
		if ((job & CHECK) && (to < HEADER || to >= run || ++jumps > JUMPS_MAX))
			return false;
		if (!after)
			after = pos + 2u;
		pos = run = to;
		end = c->len;
	}
	c->at = after ? after : pos + 1u;
	return true;
}

INLINE bool char_string(struct cursor *c, enum job job)
{
	if (!need(c, job, 1))
		return false;
	size_t n = c->p[c->at++];
	if (job & READ)
		c->sum += n;
	if (!need(c, job, n))
		return false;
	octets(c, job, n);
	return true;
}

INLINE bool char_strings(struct cursor *c, enum job job)
{
	if (!need(c, job, 1))
		return false;
	while (c->at < c->end)
		if (!char_string(c, job))
			return false;
	return true;
}

INLINE bool soa(struct cursor *c, enum job job)
{
	if (!name(c, job, true) || !name(c, job, true) || !need(c, job, 20))
		return false;
	for (int i = 0; i < 5; i++)
		u32(c, job);
	return true;
}

/* Windows rise, and hold 1 to 32 octets (RFC 4034 4.1.2). */
INLINE bool type_bitmap(struct cursor *c, enum job job)
{
	int last = -1;

	while (c->at < c->end) {
		if (!need(c, job, 2))
			return false;
		int window = c->p[c->at];
		size_t n = c->p[c->at + 1u];
		if ((job & CHECK) && (window <= last || n - 1u >= 32u || c->end - c->at - 2u < n))
			return false;
		last = window;
		if (job & READ)
			c->sum += (size_t)window + n;
		c->at += 2;
		octets(c, job, n);
	}
	return true;
}

INLINE bool rrsig(struct cursor *c, enum job job)
{
	if (!need(c, job, 18))
		return false;
	u16(c, job);
	u8(c, job);
	u8(c, job);
	for (int i = 0; i < 3; i++)
		u32(c, job);
	u16(c, job);
	if (!name(c, job, false))
		return false;
	rest(c, job);
	return true;
}

INLINE bool nsec3(struct cursor *c, enum job job)
{
	if (!need(c, job, 4))
		return false;
	u8(c, job);
	u8(c, job);
	u16(c, job);
	if (!char_string(c, job) || !need(c, job, 1) || ((job & CHECK) && c->p[c->at] == 0))
		return false;
	return char_string(c, job) && type_bitmap(c, job);
}

enum {
	MANDATORY = 0,
	ALPN = 1,
	NO_DEFAULT_ALPN = 2,
	PORT = 3,
	IPV4HINT = 4,
	IPV6HINT = 6,
	OHTTP = 8,
	GROUPS = 9
};

INLINE bool numbers(struct cursor *c, enum job job)
{
	while (c->at < c->end) {
		if (!need(c, job, 2))
			return false;
		u16(c, job);
	}
	return true;
}

INLINE bool addresses(struct cursor *c, enum job job, size_t size)
{
	while (c->at < c->end) {
		if (!need(c, job, size))
			return false;
		octets(c, job, size);
	}
	return true;
}

INLINE bool alpn(struct cursor *c, enum job job)
{
	while (c->at < c->end)
		if (((job & CHECK) && c->p[c->at] == 0) || !char_string(c, job))
			return false;
	return true;
}

/* Lists of values hold one at least (RFC 9460 7 and 8). */
INLINE bool param_value(struct cursor *c, enum job job, unsigned key)
{
	const bool list = key <= IPV6HINT ? (0x53u >> key & 1u) != 0 : key == GROUPS;

	if ((job & CHECK) && list && c->at == c->end)
		return false;
	switch (key) {
	case MANDATORY:
	case GROUPS: return numbers(c, job);
	case ALPN: return alpn(c, job);
	case NO_DEFAULT_ALPN:
	case OHTTP: return true;
	case IPV4HINT: return addresses(c, job, 4);
	case IPV6HINT: return addresses(c, job, 16);
	case PORT:
		if (!need(c, job, 2))
			return false;
		u16(c, job);
		return true;
	default: rest(c, job); return true;
	}
}

/* Keys rise strictly (RFC 9460 2.2). */
INLINE bool params(struct cursor *c, enum job job)
{
	const size_t end = c->end;
	int last = -1;

	while (c->at < end) {
		if (!need(c, job, 4))
			return false;
		int key = be16(c->p + c->at);
		size_t n = be16(c->p + c->at + 2u);
		if (job & READ)
			c->sum += (size_t)key + n;
		c->at += 4;
		if ((job & CHECK) && (key <= last || key == 65535 || end - c->at < n))
			return false;
		last = key;
		c->end = c->at + n;
		if (!param_value(c, job, (unsigned)key) || ((job & CHECK) && c->at != c->end))
			return false;
		c->end = end;
	}
	return true;
}

/* Options of OPT, opaque but for their lengths (RFC 6891 6.1.2). */
INLINE bool options(struct cursor *c, enum job job)
{
	while (c->at < c->end) {
		if (!need(c, job, 4))
			return false;
		size_t n = be16(c->p + c->at + 2u);
		u16(c, job);
		u16(c, job);
		if (!need(c, job, n))
			return false;
		octets(c, job, n);
	}
	return true;
}

INLINE bool fixed(struct cursor *c, enum job job, size_t n)
{
	if (!need(c, job, n))
		return false;
	octets(c, job, n);
	return true;
}

/* n 16-bit numbers, then a name. */
INLINE bool numbered_name(struct cursor *c, enum job job, size_t n, bool pointers)
{
	if (!need(c, job, 2u * n))
		return false;
	for (size_t i = 0; i < n; i++)
		u16(c, job);
	return name(c, job, pointers);
}

/* A 16-bit number (when `word`), two or three octets, and the rest. */
INLINE bool bytes_and_rest(struct cursor *c, enum job job, bool word, size_t n)
{
	if (!need(c, job, n + (word ? 2u : 0u)))
		return false;
	if (word)
		u16(c, job);
	for (size_t i = 0; i < n; i++)
		u8(c, job);
	rest(c, job);
	return true;
}

INLINE bool caa(struct cursor *c, enum job job)
{
	if (!need(c, job, 2))
		return false;
	u8(c, job);
	if (((job & CHECK) && c->p[c->at] == 0) || !char_string(c, job))
		return false;
	rest(c, job);
	return true;
}

INLINE bool rdata(struct cursor *c, enum job job, unsigned type)
{
	switch (type) {
	case RDATA_A: return fixed(c, job, 4);
	case RDATA_AAAA: return fixed(c, job, 16);
	case RDATA_NS:
	case RDATA_CNAME:
	case RDATA_PTR: return name(c, job, true);
	case RDATA_SOA: return soa(c, job);
	case RDATA_MX: return numbered_name(c, job, 1, true);
	case RDATA_SRV: return numbered_name(c, job, 3, true);
	case RDATA_TXT: return char_strings(c, job);
	case RDATA_OPT: return options(c, job);
	case RDATA_DS:
	case RDATA_DNSKEY: return bytes_and_rest(c, job, true, 2);
	case RDATA_TLSA: return bytes_and_rest(c, job, false, 3);
	case RDATA_RRSIG: return rrsig(c, job);
	case RDATA_NSEC: return name(c, job, false) && type_bitmap(c, job);
	case RDATA_NSEC3: return nsec3(c, job);
	case RDATA_SVCB:
	case RDATA_HTTPS: return numbered_name(c, job, 1, false) && params(c, job);
	case RDATA_CAA: return caa(c, job);
	default: rest(c, job); return true;
	}
}

INLINE bool question(struct cursor *c, enum job job)
{
	if (!name(c, job, true) || !need(c, job, 4))
		return false;
	u16(c, job);
	u16(c, job);
	return true;
}

INLINE bool record(struct cursor *c, enum job job)
{
	if (!name(c, job, true) || !need(c, job, 10))
		return false;
	const uint8_t *p = c->p + c->at;
	unsigned type = be16(p), class = be16(p + 2);
	size_t n = be16(p + 8);
	u16(c, job);
	u16(c, job);
	u32(c, job);
	u16(c, job);
	if (!need(c, job, n))
		return false;
	if ((n == 0 && class - CLASS_NONE <= 1u) || (class == CLASS_CH && type == RDATA_A))
		type = 0;
	c->end = c->at + n;
	if (!rdata(c, job, type) || ((job & CHECK) && c->at != c->end))
		return false;
	c->end = c->len;
	return true;
}

INLINE void header(struct cursor *c)
{
	const uint8_t *p = c->p;

	c->sum += (uint64_t)be16(p) + (p[2] >> 7) + (p[2] >> 3 & 15u) + (p[2] >> 2 & 1u) + (p[2] >> 1 & 1u) +
		  (p[2] & 1u);
	c->sum +=
		(uint64_t)(p[3] >> 7) + (p[3] >> 6 & 1u) + (p[3] >> 5 & 1u) + (p[3] >> 4 & 1u) + (p[3] & 15u);
	c->sum += (uint64_t)be16(p + 4) + be16(p + 6) + be16(p + 8) + be16(p + 10);
}

INLINE bool message(struct cursor *c, enum job job)
{
	if (!need(c, job, HEADER))
		return false;
	unsigned questions = be16(c->p + 4),
		 records = (unsigned)be16(c->p + 6) + be16(c->p + 8) + be16(c->p + 10);
	if (job & READ)
		header(c);
	c->at = HEADER;
	for (; questions > 0; questions--)
		if (!question(c, job))
			return false;
	for (; records > 0; records--)
		if (!record(c, job))
			return false;
	return true;
}

bool hand_dns_check(const uint8_t *p, size_t len, struct hand_dns *out)
{
	struct cursor c = { .p = p, .len = len, .end = len };

	if (!message(&c, CHECK))
		return false;
	*out = (struct hand_dns){ p, c.at };
	return true;
}

uint64_t hand_dns_walk(const struct hand_dns *v)
{
	struct cursor c = { .p = v->p, .len = v->len, .end = v->len };

	message(&c, READ);
	return c.sum;
}

bool hand_dns_parse(const uint8_t *p, size_t len, uint64_t *sum)
{
	struct cursor c = { .p = p, .len = len, .end = len };

	if (!message(&c, BOTH))
		return false;
	*sum = c.sum;
	return true;
}
