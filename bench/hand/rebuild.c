/*
 * bench/hand/rebuild.c - write a checked DNS message again, by hand: see dns.h.
 *
 * Names that were written form a trie: a node is a label in the output, its
 * parent the label after it.  A name is matched from its last label on; where
 * the trie ends, the rest is written out and becomes new nodes.  Where the
 * input has a pointer to something that was written already, the node is known
 * at once.  RDATA names are compressed in the types of RFC 1035 only (RFC 3597 4).
 */
#include "bench/hand/dns.h"

#include "bench/hand/load.h"

enum { HEADER = 12, SLOTS = 128, MEMO = 512, LABELS_MAX = 128, NAME_MAX = 255, POINTER_MAX = 0x3fff };
enum { NS = 2, CNAME = 5, SOA = 6, PTR = 12, MX = 15, SRV = 33 };

struct node {
	uint16_t at;     /* of the label in the output, 0: free */
	uint16_t parent; /* `at` of the label after it, 0: the root */
	uint32_t hash;
};

struct writer {
	const uint8_t *in;
	uint8_t *out;
	size_t len, cap;
	bool full;
	size_t nodes;
	struct node node[SLOTS];
	uint16_t memo[MEMO]; /* by offset in the input: the node that was written for it */
};

/* A name of the input: its labels as they stand there, down to a known node or the root. */
struct labels {
	const uint8_t *at[LABELS_MAX];
	size_t count;
	uint16_t parent;
};

static inline bool room(struct writer *w, size_t n)
{
	if (w->cap - w->len >= n)
		return true;
	w->full = true;
	return false;
}

static inline void put(struct writer *w, const uint8_t *p, size_t n)
{
	if (!room(w, n))
		return;
	memcpy(w->out + w->len, p, n);
	w->len += n;
}

static inline void put16(struct writer *w, size_t v)
{
	const uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	put(w, b, 2);
}

/* Collect the labels of the name at `at` of the input, which was checked; the offset after it. */
static size_t collect(const struct writer *w, size_t at, struct labels *l)
{
	size_t after = 0;

	l->count = 0;
	l->parent = 0;
	for (;;) {
		size_t n = w->in[at];
		if (n == 0)
			return after ? after : at + 1u;
		if (n >= 0xc0u) {
			if (!after)
				after = at + 2u;
			at = be16(w->in + at) & 0x3fffu;
			if (at < MEMO && w->memo[at]) {
				l->parent = w->memo[at];
				return after;
			}
			continue;
		}
		l->at[l->count++] = w->in + at;
		at += n + 1u;
	}
}

static inline uint8_t lower(uint8_t c) { return (uint8_t)(c - 'A') < 26u ? (uint8_t)(c | 0x20u) : c; }

/* Good enough with bit 5 of every octet set: case is compared later. */
static uint32_t hash_label(uint32_t parent, const uint8_t *p)
{
	uint32_t h = parent * 0x9e3779b1u ^ p[0];
	size_t n = p[0];

	for (p++; n >= 4u; n -= 4u, p += 4)
		h = (h ^ (be32(p) | 0x20202020u)) * 0x85ebca6bu;
	for (; n > 0; n--, p++)
		h = (h ^ (*p | 0x20u)) * 0x01000193u;
	return h ^ h >> 15;
}

static bool same_label(const uint8_t *a, const uint8_t *b)
{
	size_t n = a[0];

	if (b[0] != n)
		return false;
	for (size_t i = 1; i <= n; i++)
		if (a[i] != b[i] && lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

/* The node of this label below `parent`, or 0. */
static uint16_t find(const struct writer *w, uint32_t hash, uint16_t parent, const uint8_t *label)
{
	for (size_t i = hash % SLOTS; w->node[i].at; i = (i + 1u) % SLOTS) {
		const struct node *n = &w->node[i];
		if (n->hash == hash && n->parent == parent && same_label(w->out + n->at, label))
			return n->at;
	}
	return 0;
}

static void insert(struct writer *w, uint32_t hash, uint16_t parent, size_t at)
{
	if (at > POINTER_MAX || w->nodes >= SLOTS * 3 / 4)
		return;
	size_t i = hash % SLOTS;
	while (w->node[i].at)
		i = (i + 1u) % SLOTS;
	w->node[i] = (struct node){ (uint16_t)at, parent, hash };
	w->nodes++;
}

static void learn(struct writer *w, const uint8_t *label, size_t at)
{
	size_t from = (size_t)(label - w->in);

	if (from < MEMO && at <= POINTER_MAX)
		w->memo[from] = (uint16_t)at;
}

static size_t copy_name(struct writer *w, size_t at)
{
	struct labels l;
	size_t after = collect(w, at, &l), left = l.count, start = w->len, plain = 0;

	for (; left > 0; left--) {
		const uint8_t *label = l.at[left - 1u];
		uint16_t node = find(w, hash_label(l.parent, label), l.parent, label);
		if (!node)
			break;
		learn(w, label, node);
		l.parent = node;
	}
	for (size_t i = 0; i < left; i++)
		put(w, l.at[i], l.at[i][0] + 1u);
	plain = w->len - start;
	if (l.parent)
		put16(w, 0xc000u | l.parent);
	else
		put(w, (const uint8_t *)"", 1);
	if (w->full)
		return after;
	for (size_t end = start + plain; left > 0; left--) {
		const uint8_t *label = l.at[left - 1u];
		end -= label[0] + 1u;
		insert(w, hash_label(l.parent, label), l.parent, end);
		learn(w, label, end);
		l.parent = (uint16_t)end;
	}
	return after;
}

/* A name that may not be compressed. */
static size_t copy_plain(struct writer *w, size_t at)
{
	size_t after = 0;

	for (;;) {
		size_t n = w->in[at];
		if (n >= 0xc0u) {
			if (!after)
				after = at + 2u;
			at = be16(w->in + at) & 0x3fffu;
			continue;
		}
		put(w, w->in + at, n + 1u);
		at += n + 1u;
		if (n == 0)
			return after ? after : at;
	}
}

static void rdata(struct writer *w, unsigned type, size_t at, size_t n)
{
	size_t end = at + n;

	switch (type) {
	case NS:
	case CNAME:
	case PTR: at = copy_name(w, at); break;
	case MX:
		put(w, w->in + at, 2);
		at = copy_name(w, at + 2u);
		break;
	case SOA: at = copy_name(w, copy_name(w, at)); break;
	case SRV:
		put(w, w->in + at, 6);
		at = copy_plain(w, at + 6u);
		break;
	default: break;
	}
	put(w, w->in + at, end - at);
}

static size_t record(struct writer *w, size_t at)
{
	at = copy_name(w, at);
	unsigned type = be16(w->in + at);
	size_t n = be16(w->in + at + 8u);
	put(w, w->in + at, 10);
	size_t start = w->len;
	if (n)
		rdata(w, type, at + 10u, n);
	if (!w->full) {
		w->out[start - 2u] = (uint8_t)((w->len - start) >> 8);
		w->out[start - 1u] = (uint8_t)(w->len - start);
	}
	return at + 10u + n;
}

size_t hand_dns_rebuild(const struct hand_dns *v, uint8_t *out, size_t cap)
{
	struct writer w = { .in = v->p, .out = out, .cap = cap };
	unsigned questions = be16(v->p + 4),
		 records = (unsigned)be16(v->p + 6) + be16(v->p + 8) + be16(v->p + 10);
	size_t at = HEADER;

	put(&w, v->p, HEADER);
	for (; questions > 0; questions--) {
		at = copy_name(&w, at);
		put(&w, v->p + at, 4);
		at += 4u;
	}
	for (; records > 0 && !w.full; records--)
		at = record(&w, at);
	return w.full ? 0 : w.len;
}
