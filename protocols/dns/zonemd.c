/*
 * Digests of zones.  RFC 8976 section 3: the records in canonical form and order, but for the digests themselves.
 * Reading order: write_record (one), hash_records (a set), hash_node (a name), hash_zone, mrg_dns_zonemd_verify.
 */
#include "protocols/dns/zonemd.h"

#include "dns/rr.h"
#include "protocols/dns/rdata_same.h"
#include "protocols/dns/zone_chain.h"
#include "protocols/dns/zone_sort.h"

enum { KINDS = 2 }; /* of hashes */

/* A digest of the zone in the making. */
struct digesting {
	const struct mrg_dns_zone *zone;
	bool wanted[KINDS];
	struct mrg_rt_digest digest[KINDS];
	struct mrg_dns_name_flat owner; /* of the records that come now, in lower case */
	uint8_t *room, *used,
		*end; /* memory behind the list of names: all, from where it was never used, its end */
	enum mrg_status st;
};

/* ---- records of one type ---- */

/* Records on their way into the digest: each as it is hashed, behind its owner. */
struct canonical {
	const void **list;
	size_t count;
	struct mrg_w w;
};

/* Names in lower case where RFC 4034 6.2 says so. */
static void fold_names(uint16_t type, uint8_t *rdata, size_t len)
{
	struct mrg_span names[MRG_DNS_RDATA_NAMES];
	const unsigned count = mrg_dns_rdata_names(type, (struct mrg_span){ rdata, len }, names);
	for (unsigned i = 0; i < count; i++) { /* lengths of labels are no letters */
		uint8_t *const name = rdata + (names[i].p - rdata);
		for (size_t at = 0; at < names[i].len; at++)
			name[at] = mrg_lower(name[at]);
	}
}

/* One record without its owner, in canonical form. */
static void write_record(struct canonical *c, const struct mrg_dns_stored_rr *stored, struct mrg_span message)
{
	struct mrg_w *const w = &c->w;
	const uint16_t type = mrg_dns_stored_rr_type(stored);
	const size_t at = w->len;
	struct mrg_dns_rr rr;
	if (mrg_dns_rr_rdata_movable(type))
		mrg_w_put(w, mrg_dns_stored_rr_rdata(stored));
	else if (mrg_dns_rr_check(mrg_dns_stored_rr_span(stored), message, &rr, NULL) == MRG_OK)
		mrg_dns_rr_rdata_copy(w, &rr);
	if (w->st != MRG_OK)
		return;
	fold_names(type, w->p + at, w->len - at);
	const struct mrg_dns_rr_tail_args tail = { .type = type,
		.class = mrg_dns_stored_rr_class(stored),
		.ttl = mrg_dns_stored_rr_ttl(stored),
		.rdata = mrg_w_span(w, at) };
	c->list[c->count] = w->p + w->len;
	mrg_dns_rr_tail_put(w, &tail);
	c->count += w->st == MRG_OK;
}

static void write_records(struct canonical *c, struct mrg_span from, struct mrg_span message)
{
	struct mrg_dns_stored_rr stored;
	while (from.len > 0 && mrg_dns_stored_rr_check(from, &stored, NULL) == MRG_OK) {
		write_record(c, &stored, message);
		from = mrg_dns_after(from, stored.len);
	}
}

static bool view(const struct canonical *c, const void *at, struct mrg_dns_rr_tail *out)
{
	const uint8_t *const p = at;
	const struct mrg_span left = { p, (size_t)(c->w.p + c->w.len - p) };
	return mrg_dns_rr_tail_check(left, out, NULL) == MRG_OK;
}

/* Does the RDATA of a come before that of b?  RFC 4034 6.3 */
static bool before(const void *ctx, const void *a, const void *b)
{
	struct mrg_dns_rr_tail x, y;
	return view(ctx, a, &x) && view(ctx, b, &y) &&
	       mrg_span_order(mrg_dns_rr_tail_rdata(&x), mrg_dns_rr_tail_rdata(&y)) < 0;
}

static void add(struct digesting *d, struct mrg_span bytes)
{
	for (unsigned i = 0; i < KINDS; i++) {
		if (d->wanted[i])
			mrg_rt_digest_add(&d->digest[i], bytes);
	}
}

/* Room for `count` records. */
static bool begin(struct digesting *d, struct canonical *c, size_t count)
{
	const size_t size = 2 * count * sizeof *c->list, left = (size_t)(d->end - d->room);
	void *const at = d->room;
	c->list = at;
	c->count = 0;
	if (size > left) {
		d->st = MRG_E_SPACE;
		return false;
	}
	mrg_w_init(&c->w, d->room + size, left - size);
	return true;
}

/* Sort what was written, and hash it; of records that are the same, one.  RFC 8976 3.3.1 */
static void finish(struct digesting *d, struct canonical *c)
{
	struct mrg_dns_rr_tail rr, last = { 0 };
	uint8_t *const used = c->w.p + c->w.len;
	d->used = used > d->used ? used : d->used;
	if (c->w.st != MRG_OK) {
		d->st = c->w.st;
		return;
	}
	mrg_dns_zone_sort(c->list, c->list + c->count, c->count, before, c);
	for (size_t i = 0; i < c->count; i++) {
		if (!view(c, c->list[i], &rr) ||
			(i > 0 && mrg_span_eq(mrg_dns_rr_tail_rdata(&rr), mrg_dns_rr_tail_rdata(&last))))
			continue;
		add(d, mrg_dns_name_flat_from(&d->owner, 0));
		add(d, mrg_dns_rr_tail_span(&rr));
		last = rr;
	}
}

/* ---- names ---- */

/* Is the set that of the digests, which are not digested?  RFC 8976 3.3.1 */
static bool left_out(const struct digesting *d, const struct mrg_dns_node *n, const struct mrg_dns_rrset *s)
{
	return n == d->zone->apex && s->type == MRG_DNS_TYPE_ZONEMD;
}

/* All RRSIG records of a name are one set, by its own type. */
static void hash_sigs(struct digesting *d, const struct mrg_dns_node *n)
{
	const struct mrg_dns_rrset *s = mrg_dns_node_sets(n);
	struct canonical c;
	size_t count = 0;
	for (unsigned left = n->sets; left > 0; left--, s = mrg_dns_rrset_next(s))
		count += s->sig_count;
	if (count == 0 || !begin(d, &c, count))
		return;
	s = mrg_dns_node_sets(n);
	for (unsigned left = n->sets; left > 0; left--, s = mrg_dns_rrset_next(s)) {
		if (!left_out(d, n, s))
			write_records(&c, mrg_dns_after(mrg_dns_rrset_wire(s, true), s->len),
				mrg_dns_rrset_message(n, s));
	}
	finish(d, &c);
}

/* The records of a name, by type. */
static void hash_node(struct digesting *d, const struct mrg_dns_node *n)
{
	const struct mrg_dns_rrset *s = mrg_dns_node_sets(n);
	struct mrg_dns_name_flat name;
	struct canonical c;
	bool sigs = false;
	if (mrg_dns_name_flat_check(mrg_dns_node_name(n), &name) != MRG_OK)
		return;
	mrg_dns_name_flat_fold(&name, &d->owner);
	for (unsigned left = n->sets; left > 0 && d->st == MRG_OK; left--, s = mrg_dns_rrset_next(s)) {
		if (!sigs && s->type > MRG_DNS_TYPE_RRSIG) {
			hash_sigs(d, n);
			sigs = true;
		}
		if (s->count == 0 || left_out(d, n, s) || !begin(d, &c, s->count))
			continue;
		write_records(&c, mrg_dns_rrset_wire(s, false), mrg_dns_rrset_message(n, s));
		finish(d, &c);
	}
	if (!sigs && d->st == MRG_OK)
		hash_sigs(d, n);
}

/* All names in canonical order; the list of them is at the beginning of the scratch memory. */
static void hash_zone(struct digesting *d, const struct mrg_arena *scratch)
{
	const struct mrg_dns_zone *const z = d->zone;
	struct mrg_arena above = *scratch;
	size_t count = 0, i = 0, bucket = 0;
	for (const struct mrg_dns_node *n = mrg_dns_zone_first(z, &bucket); n != NULL;
		n = mrg_dns_zone_after(z, n, &bucket))
		count += n->sets != 0;
	const void **const list = mrg_arena_get(&above, 2 * count * sizeof *list, _Alignof(void *));
	if (list == NULL) {
		d->st = MRG_E_SPACE;
		return;
	}
	bucket = 0;
	for (const struct mrg_dns_node *n = mrg_dns_zone_first(z, &bucket); n != NULL;
		n = mrg_dns_zone_after(z, n, &bucket)) {
		if (n->sets != 0)
			list[i++] = n;
	}
	mrg_dns_zone_sort(list, list + count, count, mrg_dns_zone_before_name, NULL);
	d->room = d->used = above.p + above.len;
	d->end = above.p + above.cap;
	for (i = 0; i < count && d->st == MRG_OK; i++)
		hash_node(d, list[i]);
	memset(d->room, 0, (size_t)(d->used - d->room));
	memset(list, 0, 2 * count * sizeof *list);
}

/* ---- what the zone says ---- */

/* The digests at the zone's name; the next, while there is one. */
static bool next(const struct mrg_dns_zone *z, const struct mrg_dns_rrset *set, struct mrg_span *left,
	struct mrg_dns_zonemd *out)
{
	struct mrg_dns_rr rr;
	if (left->len == 0 ||
		mrg_dns_rr_check(*left, mrg_dns_rrset_message(z->apex, set), &rr, NULL) != MRG_OK)
		return false;
	*left = mrg_dns_after(*left, rr.len);
	return mrg_dns_rr_rdata_as_zonemd(&rr, out);
}

/* The place of its hash in our tables; KINDS: we have it not, or not of that length. */
static unsigned kind_of(const struct mrg_dns_zonemd *m)
{
	const uint8_t hash = mrg_dns_zonemd_hash(m);
	const size_t len = mrg_dns_zonemd_digest(m).len;
	if (mrg_dns_zonemd_scheme(m) != MRG_DNS_ZONEMD_SCHEME_SIMPLE)
		return KINDS;
	if (hash == MRG_DNS_ZONEMD_HASH_SHA384 && len == mrg_rt_sha2_size(MRG_RT_SHA384))
		return 0;
	return hash == MRG_DNS_ZONEMD_HASH_SHA512 && len == mrg_rt_sha2_size(MRG_RT_SHA512) ? 1 : KINDS;
}

/* Which digests are to be made: those that the zone has one of.  The verdict when there is none. */
static enum mrg_dns_zonemd_verdict choose(
	const struct mrg_dns_zone *z, const struct mrg_dns_rrset *set, bool wanted[KINDS])
{
	unsigned of_kind[KINDS] = { 0 }, other_serial = 0;
	struct mrg_span left = mrg_dns_rrset_wire(set, false);
	struct mrg_dns_zonemd m;
	while (next(z, set, &left, &m)) {
		const unsigned kind = kind_of(&m);
		if (kind == KINDS)
			continue;
		of_kind[kind]++;
		wanted[kind] = mrg_dns_zonemd_serial(&m) == z->serial;
		other_serial += !wanted[kind];
	}
	for (unsigned i = 0; i < KINDS; i++)
		wanted[i] = wanted[i] && of_kind[i] == 1;
	return other_serial > 0 ? MRG_DNS_ZONEMD_SERIAL : MRG_DNS_ZONEMD_UNSUPPORTED;
}

static enum mrg_dns_zonemd_verdict compare(
	const struct mrg_dns_zone *z, const struct mrg_dns_rrset *set, struct digesting *d)
{
	uint8_t ours[KINDS][MRG_RT_SHA2_MAX];
	struct mrg_span left = mrg_dns_rrset_wire(set, false);
	struct mrg_dns_zonemd m;
	for (unsigned i = 0; i < KINDS; i++) {
		if (d->wanted[i])
			mrg_rt_digest_end(&d->digest[i], ours[i]);
	}
	while (next(z, set, &left, &m)) {
		const struct mrg_span theirs = mrg_dns_zonemd_digest(&m);
		const unsigned kind = kind_of(&m);
		if (kind < KINDS && d->wanted[kind] && mrg_dns_zonemd_serial(&m) == z->serial &&
			memcmp(ours[kind], theirs.p, theirs.len) == 0)
			return MRG_DNS_ZONEMD_VERIFIED;
	}
	return MRG_DNS_ZONEMD_MISMATCH;
}

enum mrg_status mrg_dns_zonemd_verify(
	const struct mrg_dns_zone *z, const struct mrg_arena *scratch, enum mrg_dns_zonemd_verdict *out)
{
	const struct mrg_dns_rrset *const set = mrg_dns_node_find(z->apex, MRG_DNS_TYPE_ZONEMD);
	struct digesting d = { .zone = z, .st = MRG_OK };
	*out = MRG_DNS_ZONEMD_ABSENT;
	if (set == NULL)
		return MRG_OK;
	*out = choose(z, set, d.wanted);
	if (!d.wanted[0] && !d.wanted[1])
		return MRG_OK;
	mrg_rt_digest_begin(&d.digest[0], MRG_RT_SHA384);
	mrg_rt_digest_begin(&d.digest[1], MRG_RT_SHA512);
	hash_zone(&d, scratch);
	if (d.st != MRG_OK)
		return d.st;
	*out = compare(z, set, &d);
	return MRG_OK;
}

const char *mrg_dns_zonemd_str(enum mrg_dns_zonemd_verdict verdict)
{
	switch (verdict) {
	case MRG_DNS_ZONEMD_ABSENT: return "there is no digest";
	case MRG_DNS_ZONEMD_VERIFIED: return "the digest is that of the zone";
	case MRG_DNS_ZONEMD_MISMATCH: return "the digest is not that of the zone";
	case MRG_DNS_ZONEMD_SERIAL: return "the digest is for another serial number";
	default: return "no digest of a kind that can be checked";
	}
}
