/*
 * A change of a zone, as it is said: for each name that is named, its records are copied to scratch memory, and there they come and go.
 * Names and records are found by hash, so what a name with many records takes is looked at once only.
 */
#include "protocols/dns/zone_change.h"

#include "dns/rr.h"
#include "protocols/dns/rdata_same.h"
#include "protocols/dns/zone_edit.h"

enum { SLOTS_FIRST = 256 }; /* of each table; a power of two */

static const struct mrg_span nothing;

static enum mrg_status full(struct mrg_dns_zone_change *c, struct mrg_dns_zone_error *err)
{
	c->st = MRG_E_SPACE;
	return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_FULL, MRG_E_SPACE, nothing, 0);
}

enum mrg_status mrg_dns_edit_refuse(struct mrg_dns_zone_error *err, enum mrg_dns_zone_fault fault,
	enum mrg_status st, const struct mrg_dns_edit_name *n, uint16_t type)
{
	return mrg_dns_zone_refuse(err, fault, st, n->name, type);
}

/* Octets in scratch memory; p is NULL when it is full, unless there are none. */
static struct mrg_span keep(struct mrg_arena *scratch, struct mrg_span s)
{
	uint8_t *const at = mrg_arena_get(scratch, s.len, 1);
	if (at != NULL && s.len > 0)
		memcpy(at, s.p, s.len);
	return (struct mrg_span){ at, s.len };
}

/* ---- names ---- */

static bool grow_names(struct mrg_dns_zone_change *c)
{
	const size_t count = c->name_slots > 0 ? 4 * c->name_slots : SLOTS_FIRST;
	struct mrg_dns_edit_name **const slots =
		mrg_arena_get(c->scratch, count * sizeof(struct mrg_dns_edit_name *), _Alignof(void *));
	if (slots == NULL)
		return false;
	for (struct mrg_dns_edit_name *n = c->first; n != NULL; n = n->next) {
		struct mrg_dns_edit_name **const slot = &slots[n->hash % count];
		n->in_slot = *slot;
		*slot = n;
	}
	c->names = slots;
	c->name_slots = count;
	return true;
}

static struct mrg_dns_edit_name *find_name(
	const struct mrg_dns_zone_change *c, uint64_t hash, struct mrg_span name)
{
	struct mrg_dns_edit_name *n = c->names[hash % c->name_slots];
	while (n != NULL && (n->hash != hash || !mrg_dns_same_name(n->name, name)))
		n = n->in_slot;
	return n;
}

struct mrg_dns_edit_name *mrg_dns_edit_known(const struct mrg_dns_zone_change *c, struct mrg_span name)
{
	return find_name(c, mrg_dns_hash(name), name);
}

struct mrg_dns_edit_name *mrg_dns_edit_at(
	struct mrg_dns_zone_change *c, struct mrg_span name, unsigned labels)
{
	const uint64_t hash = mrg_dns_hash(name);
	struct mrg_dns_edit_name *n = find_name(c, hash, name);
	if (n != NULL)
		return n;
	if (c->name_count == c->name_slots && !grow_names(c))
		return NULL;
	n = mrg_arena_get(c->scratch, sizeof *n, _Alignof(struct mrg_dns_edit_name));
	if (n == NULL)
		return NULL;
	n->hash = hash;
	n->labels = labels;
	n->old = mrg_dns_zone_probe(c->zone, name);
	n->name = n->old != NULL ? mrg_dns_node_name(n->old) : keep(c->scratch, name);
	if (n->name.p == NULL)
		return NULL;
	if (n->old != NULL) {
		n->there = true;
		n->full = n->old->sets > 0;
		n->wild = (n->old->flags & MRG_DNS_NODE_WILD) != 0;
		n->below = n->old->below;
	}
	struct mrg_dns_edit_name **const slot = &c->names[hash % c->name_slots];
	n->in_slot = *slot;
	*slot = n;
	if (c->last != NULL)
		c->last->next = n;
	else
		c->first = n;
	c->last = n;
	c->name_count++;
	return n;
}

/* ---- records ---- */

static bool grow_records(struct mrg_dns_zone_change *c)
{
	const size_t count = c->record_slots > 0 ? 4 * c->record_slots : SLOTS_FIRST;
	struct mrg_dns_edit_record **const slots =
		mrg_arena_get(c->scratch, count * sizeof(struct mrg_dns_edit_record *), _Alignof(void *));
	if (slots == NULL)
		return false;
	for (size_t i = 0; i < c->record_slots; i++) {
		for (struct mrg_dns_edit_record *r = c->records[i], *next; r != NULL; r = next) {
			struct mrg_dns_edit_record **const slot = &slots[r->hash % count];
			next = r->in_slot;
			r->in_slot = *slot;
			*slot = r;
		}
	}
	c->records = slots;
	c->record_slots = count;
	return true;
}

/* A set of the name, which is loaded, made if need be; NULL: no scratch memory is left. */
static struct mrg_dns_edit_set *set_at(
	struct mrg_dns_zone_change *c, struct mrg_dns_edit_name *n, uint16_t type, uint32_t ttl)
{
	struct mrg_dns_edit_set **at = &n->sets;
	while (*at != NULL && (*at)->type < type)
		at = &(*at)->next;
	if (*at != NULL && (*at)->type == type)
		return *at;
	struct mrg_dns_edit_set *const s =
		mrg_arena_get(c->scratch, sizeof *s, _Alignof(struct mrg_dns_edit_set));
	if (s == NULL)
		return NULL;
	s->type = type;
	s->ttl = s->was_ttl = ttl;
	s->next = *at;
	*at = s;
	return s;
}

static uint64_t hash_record(const struct mrg_dns_edit_name *n, uint16_t type, bool sig, struct mrg_span rdata)
{
	return mrg_dns_name_hash_item(n->hash + 2u * type + sig, rdata); /* in any case, as names compare */
}

/* The record of the set: the very octets, or the same but for case; one that is there before one that was.  NULL: none. */
static struct mrg_dns_edit_record *find_record(const struct mrg_dns_zone_change *c, uint64_t hash,
	const struct mrg_dns_edit_set *set, bool sig, struct mrg_span rdata)
{
	struct mrg_dns_edit_record *alike = NULL, *gone = NULL; /* that is the same but for case; that was */
	for (struct mrg_dns_edit_record *r = c->records[hash % c->record_slots]; r != NULL; r = r->in_slot) {
		if (r->hash != hash || r->set != set || r->sig != sig)
			continue;
		const bool exact = mrg_span_eq(r->rdata, rdata);
		if (exact && r->is)
			return r;
		if (exact)
			gone = r;
		else if (r->is && mrg_dns_rdata_same(set->type, r->rdata, rdata))
			alike = r;
	}
	return alike != NULL ? alike : gone;
}

/* Append a record to a set's data or signatures; its RDATA stays.  NULL: no scratch memory is left. */
static struct mrg_dns_edit_record *append(struct mrg_dns_zone_change *c, struct mrg_dns_edit_set *set,
	bool sig, uint64_t hash, struct mrg_span rdata)
{
	struct mrg_dns_edit_list *const list = sig ? &set->sigs : &set->data;
	if (c->record_count == c->record_slots && !grow_records(c))
		return NULL;
	struct mrg_dns_edit_record *const r =
		mrg_arena_get(c->scratch, sizeof *r, _Alignof(struct mrg_dns_edit_record));
	if (r == NULL)
		return NULL;
	r->set = set;
	r->hash = hash;
	r->rdata = rdata;
	r->sig = sig;
	struct mrg_dns_edit_record **const slot = &c->records[hash % c->record_slots];
	r->in_slot = *slot;
	*slot = r;
	if (list->last != NULL)
		list->last->next = r;
	else
		list->first = r;
	list->last = r;
	c->record_count++;
	return r;
}

/* RDATA of a stored record with its names written out: where it stands, or in scratch memory.  p NULL: that is full. */
static struct mrg_span flat_rdata(struct mrg_dns_zone_change *c, const struct mrg_dns_rr *rr)
{
	static const uint8_t none[1];
	struct mrg_w w;
	const struct mrg_span raw = mrg_dns_rr_rdata_raw(rr);
	if (raw.len == 0)
		return (struct mrg_span){ none, 0 };
	if (mrg_dns_rr_rdata_movable(mrg_dns_rr_type(rr)))
		return raw;
	mrg_w_init(&w, c->scratch->p + c->scratch->len, c->scratch->cap - c->scratch->len);
	mrg_dns_rr_rdata_copy(&w, rr);
	c->scratch->len += w.len; /* also what is no use: it will be zeroed */
	return (struct mrg_span){ w.st == MRG_OK ? w.p : NULL, w.len };
}

static bool load_set(
	struct mrg_dns_zone_change *c, struct mrg_dns_edit_name *n, const struct mrg_dns_rrset *s)
{
	const struct mrg_span message = mrg_dns_rrset_message(n->old, s);
	struct mrg_span left = mrg_dns_rrset_wire(s, true);
	struct mrg_dns_edit_set *set = NULL;
	struct mrg_dns_rr rr;
	for (; left.len > 0; left = mrg_dns_after(left, rr.len)) {
		if (mrg_dns_rr_check(left, message, &rr, NULL) != MRG_OK)
			return false;
		if (set == NULL)
			set = set_at(c, n, s->type, mrg_dns_rr_ttl(&rr));
		const bool sig = (size_t)(left.p - (const uint8_t *)(s + 1)) >= s->len;
		const struct mrg_span rdata = flat_rdata(c, &rr);
		struct mrg_dns_edit_record *const r =
			set != NULL && rdata.p != NULL
				? append(c, set, sig, hash_record(n, s->type, sig, rdata), rdata)
				: NULL;
		if (r == NULL)
			return false;
		r->was = r->is = true;
		(sig ? &set->sigs : &set->data)->count++;
	}
	return true;
}

/* Have the name's records at hand.  False: no scratch memory is left. */
static bool load(struct mrg_dns_zone_change *c, struct mrg_dns_edit_name *n)
{
	if (n->loaded)
		return true;
	n->loaded = true;
	const struct mrg_dns_rrset *s = n->old != NULL ? mrg_dns_node_sets(n->old) : NULL;
	for (unsigned left = n->old != NULL ? n->old->sets : 0; left > 0; left--, s = mrg_dns_rrset_next(s)) {
		if (!load_set(c, n, s))
			return false;
	}
	return true;
}

/* ---- what is said ---- */

enum mrg_status mrg_dns_zone_change_begin(struct mrg_dns_zone_change *c, const struct mrg_dns_zone *z,
	struct mrg_arena *nodes, struct mrg_arena *tables, struct mrg_arena *scratch, bool strict)
{
	*c = (struct mrg_dns_zone_change){ .zone = z,
		.nodes = nodes,
		.tables = tables,
		.scratch = scratch,
		.scratch_from = scratch->len,
		.strict = strict };
	if (z->base != nodes->p || z->node_count == 0)
		return c->st = MRG_E_TAG;
	if (!grow_names(c) || !grow_records(c))
		return c->st = MRG_E_SPACE;
	return MRG_OK;
}

/* The name of a record, its records at hand. */
static enum mrg_status open_name(struct mrg_dns_zone_change *c, struct mrg_span owner, uint16_t type,
	struct mrg_dns_edit_name **out, struct mrg_dns_zone_error *err)
{
	struct mrg_dns_name_flat name;
	if (c->st != MRG_OK || c->made != NULL)
		return mrg_dns_zone_refuse(
			err, MRG_DNS_ZONE_DEAD, c->st != MRG_OK ? c->st : MRG_E_VALUE, owner, type);
	if (c->last != NULL && c->last->loaded && mrg_dns_same_name(c->last->name, owner)) {
		*out = c->last;
		return MRG_OK;
	}
	enum mrg_status st = mrg_dns_name_flat_check(owner, &name);
	if (st == MRG_OK && name.len != owner.len)
		st = MRG_E_LENGTH;
	if (st != MRG_OK)
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_OWNER, st, nothing, type);
	if (!mrg_dns_name_within(&name, &c->zone->origin))
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_OUTSIDE, MRG_E_VALUE, owner, type);
	*out = mrg_dns_edit_at(c, owner, name.count);
	return *out != NULL && load(c, *out) ? MRG_OK : full(c, err);
}

/* Where a record belongs: which set's data or signatures. */
struct place {
	struct mrg_dns_edit_name *name;
	uint16_t type; /* of the set */
	bool sig;
};

static enum mrg_status open_place(struct mrg_dns_zone_change *c, struct mrg_span owner, uint16_t type,
	uint16_t rr_class, struct mrg_span rdata, struct place *out, struct mrg_dns_zone_error *err)
{
	struct mrg_dns_rrsig sig;
	*out = (struct place){ .type = type, .sig = type == MRG_DNS_TYPE_RRSIG };
	if (rr_class != MRG_DNS_CLASS_IN)
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_CLASS, MRG_E_VALUE, owner, type);
	if (out->sig) {
		const enum mrg_status st =
			mrg_dns_rrsig_check(rdata, &sig, err != NULL ? &err->reject : NULL);
		if (st != MRG_OK)
			return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_RDATA, st, owner, type);
		out->type = mrg_dns_rrsig_type_covered(&sig);
	}
	return open_name(c, owner, type, &out->name, err);
}

/* A record is there from now on. */
static void enter(struct mrg_dns_edit_name *n, struct mrg_dns_edit_set *set, struct mrg_dns_edit_record *r)
{
	r->is = true;
	(r->sig ? &set->sigs : &set->data)->count++;
	n->edited = true;
}

/* A record is there no longer. */
static void leave(struct mrg_dns_edit_name *n, struct mrg_dns_edit_set *set, struct mrg_dns_edit_record *r)
{
	r->is = false;
	(r->sig ? &set->sigs : &set->data)->count--;
	n->edited = true;
}

enum mrg_status mrg_dns_zone_change_add(struct mrg_dns_zone_change *c, struct mrg_span owner, uint16_t type,
	uint16_t rr_class, uint32_t ttl, struct mrg_span rdata, struct mrg_dns_zone_error *err)
{
	struct place at;
	const enum mrg_status st = open_place(c, owner, type, rr_class, rdata, &at, err);
	if (st != MRG_OK)
		return st;
	if (ttl > INT32_MAX) /* RFC 2181 8: a TTL with the top bit set is zero */
		ttl = 0;
	const uint64_t hash = hash_record(at.name, at.type, at.sig, rdata);
	struct mrg_dns_edit_set *const set = set_at(c, at.name, at.type, ttl);
	if (set == NULL)
		return full(c, err);
	struct mrg_dns_edit_record *r = find_record(c, hash, set, at.sig, rdata);
	if (r != NULL && r->is && c->strict)
		return mrg_dns_edit_refuse(err, MRG_DNS_ZONE_PRESENT, MRG_E_VALUE, at.name, type);
	if (r == NULL) {
		const struct mrg_span kept = keep(c->scratch, rdata);
		r = kept.p != NULL ? append(c, set, at.sig, hash, kept) : NULL;
		if (r == NULL)
			return full(c, err);
	}
	const bool alone = set->data.count == 0 && (!at.sig || set->sigs.count == 0);
	if ((!at.sig || alone) && set->ttl != ttl) {
		set->ttl = ttl;
		at.name->edited = true;
	}
	if (!r->is)
		enter(at.name, set, r);
	return MRG_OK;
}

/* The set of a type, or NULL. */
static struct mrg_dns_edit_set *find_set(const struct mrg_dns_edit_name *n, uint16_t type)
{
	struct mrg_dns_edit_set *s = n->sets;
	while (s != NULL && s->type < type)
		s = s->next;
	return s != NULL && s->type == type ? s : NULL;
}

enum mrg_status mrg_dns_zone_change_delete(struct mrg_dns_zone_change *c, struct mrg_span owner,
	uint16_t type, uint16_t rr_class, struct mrg_span rdata, struct mrg_dns_zone_error *err)
{
	struct place at;
	const enum mrg_status st = open_place(c, owner, type, rr_class, rdata, &at, err);
	if (st != MRG_OK)
		return st;
	struct mrg_dns_edit_set *const set = find_set(at.name, at.type);
	const uint64_t hash = hash_record(at.name, at.type, at.sig, rdata);
	struct mrg_dns_edit_record *const r = set != NULL ? find_record(c, hash, set, at.sig, rdata) : NULL;
	if (r != NULL && r->is)
		leave(at.name, set, r);
	else if (c->strict)
		return mrg_dns_edit_refuse(err, MRG_DNS_ZONE_ABSENT, MRG_E_VALUE, at.name, type);
	return MRG_OK;
}

static void clear(struct mrg_dns_edit_name *n, struct mrg_dns_edit_set *set, struct mrg_dns_edit_list *list)
{
	for (struct mrg_dns_edit_record *r = list->first; r != NULL; r = r->next) {
		if (r->is)
			leave(n, set, r);
	}
}

enum mrg_status mrg_dns_zone_change_delete_set(
	struct mrg_dns_zone_change *c, struct mrg_span owner, uint16_t type, struct mrg_dns_zone_error *err)
{
	struct mrg_dns_edit_name *n;
	const enum mrg_status st = open_name(c, owner, type, &n, err);
	if (st != MRG_OK)
		return st;
	for (struct mrg_dns_edit_set *s = n->sets; s != NULL; s = s->next) {
		if (type == MRG_DNS_TYPE_RRSIG)
			clear(n, s, &s->sigs);
		else if (s->type == type)
			clear(n, s, &s->data);
	}
	return MRG_OK;
}

enum mrg_status mrg_dns_zone_change_delete_name(
	struct mrg_dns_zone_change *c, struct mrg_span owner, struct mrg_dns_zone_error *err)
{
	struct mrg_dns_edit_name *n;
	const enum mrg_status st = open_name(c, owner, MRG_DNS_TYPE_ANY, &n, err);
	if (st != MRG_OK)
		return st;
	const bool apex = n->labels == c->zone->origin.count;
	for (struct mrg_dns_edit_set *s = n->sets; s != NULL; s = s->next) {
		if (apex && (s->type == MRG_DNS_TYPE_SOA || s->type == MRG_DNS_TYPE_NS))
			continue;
		clear(n, s, &s->data);
		clear(n, s, &s->sigs);
	}
	return MRG_OK;
}

enum mrg_status mrg_dns_zone_change_next(
	struct mrg_dns_zone_change *c, struct mrg_span owner, int32_t *type, size_t *count)
{
	struct mrg_dns_edit_name *n;
	const enum mrg_status st = open_name(c, owner, 0, &n, NULL);
	size_t sigs = 0;
	if (st != MRG_OK)
		return st;
	for (const struct mrg_dns_edit_set *s = n->sets; s != NULL; s = s->next)
		sigs += s->sigs.count;
	for (const struct mrg_dns_edit_set *s = n->sets;; s = s->next) {
		const bool passed = s == NULL || s->type > MRG_DNS_TYPE_RRSIG;
		if (passed && sigs > 0 && *type < MRG_DNS_TYPE_RRSIG) {
			*type = MRG_DNS_TYPE_RRSIG;
			*count = sigs;
			return MRG_OK;
		}
		if (s == NULL)
			return MRG_END;
		if (s->type > *type && s->data.count > 0) {
			*type = s->type;
			*count = s->data.count;
			return MRG_OK;
		}
	}
}

bool mrg_dns_zone_change_had(
	struct mrg_dns_zone_change *c, struct mrg_span owner, uint16_t type, struct mrg_span rdata)
{
	struct place at;
	if (open_place(c, owner, type, MRG_DNS_CLASS_IN, rdata, &at, NULL) != MRG_OK)
		return false;
	const struct mrg_dns_edit_set *const set = find_set(at.name, at.type);

	const uint64_t hash = hash_record(at.name, at.type, at.sig, rdata);
	const struct mrg_dns_edit_record *r = set != NULL ? c->records[hash % c->record_slots] : NULL;
	for (; r != NULL; r = r->in_slot) {
		if (r->was && r->hash == hash && r->set == set && r->sig == at.sig &&
			mrg_dns_rdata_same(at.type, r->rdata, rdata))
			return true;
	}
	return false;
}

static bool list_differs(const struct mrg_dns_edit_list *list, bool ttl)
{
	for (const struct mrg_dns_edit_record *r = list->first; r != NULL; r = r->next) {
		if (r->was != r->is || (ttl && r->is))
			return true;
	}
	return false;
}

bool mrg_dns_zone_change_differs(const struct mrg_dns_zone_change *c)
{
	for (const struct mrg_dns_edit_name *n = c->first; n != NULL; n = n->next) {
		for (const struct mrg_dns_edit_set *s = n->edited ? n->sets : NULL; s != NULL; s = s->next) {
			const bool ttl = s->ttl != s->was_ttl;
			if (list_differs(&s->data, ttl) || list_differs(&s->sigs, ttl))
				return true;
		}
	}
	return false;
}

void mrg_dns_zone_change_end(struct mrg_dns_zone_change *c)
{
	memset(c->scratch->p + c->scratch_from, 0, c->scratch->len - c->scratch_from);
	c->scratch->len = c->scratch_from;
	c->st = MRG_E_VALUE;
	c->first = c->last = NULL;
	c->name_slots = c->record_slots = 0;
}
