/*
 * Building a zone: records come in and are laid down in their final form (zone_store.h).
 *
 * The node of the current owner grows at the arena's end.  While its records come set by set in order of type, each
 * signature right after what it covers, nothing ever moves; else the node is put in order when the owner changes
 * (zone_pack.c).  An owner that comes back later gets a second node; mrg_dns_zone_finish joins them.
 */
#include "protocols/dns/zone.h"

#include "dns/rr.h"
#include "protocols/dns/zone_build.h"

/* A record on its way in. */
struct incoming {
	uint16_t type, set_type; /* set_type: what it covers, for an RRSIG */
	uint32_t ttl;
	struct mrg_span rdata;
	size_t mark;             /* the arena's end before it */
	struct mrg_dns_rrset *set;
};

enum mrg_status mrg_dns_zone_refuse(struct mrg_dns_zone_error *err, enum mrg_dns_zone_fault fault,
	enum mrg_status st, struct mrg_span owner, uint16_t type)
{
	if (err == NULL)
		return st;
	err->fault = fault;
	err->type = type;
	err->reject.status = fault == MRG_DNS_ZONE_RDATA || fault == MRG_DNS_ZONE_OWNER ? st : MRG_OK;
	if (mrg_dns_name_flat_check(owner, &err->owner) != MRG_OK)
		err->owner.count = 0;
	return st;
}

enum mrg_status mrg_dns_zone_die(struct mrg_dns_zone_builder *b, struct mrg_dns_zone_error *err,
	enum mrg_dns_zone_fault fault, enum mrg_status st, struct mrg_span owner, uint16_t type)
{
	b->st = st;
	return mrg_dns_zone_refuse(err, fault, st, owner, type);
}

static enum mrg_status full(struct mrg_dns_zone_builder *b, struct mrg_dns_zone_error *err)
{
	return mrg_dns_zone_die(b, err, MRG_DNS_ZONE_FULL, MRG_E_SPACE, mrg_dns_name_flat_from(&b->owner, 0), 0);
}

bool mrg_dns_zone_unlike_alias(uint16_t type)
{
	switch (type) {
	case MRG_DNS_TYPE_CNAME:
	case MRG_DNS_TYPE_RRSIG:
	case MRG_DNS_TYPE_NSEC:
	case MRG_DNS_TYPE_KEY:
	case MRG_DNS_TYPE_SIG:
	case MRG_DNS_TYPE_NXT: return false;
	default: return true;
	}
}

const void **mrg_dns_zone_scratch(const struct mrg_dns_zone_builder *b, size_t skip, size_t count)
{
	struct mrg_arena above = *b->arena;
	if (mrg_arena_get(&above, skip, 1) == NULL)
		return NULL;
	return mrg_arena_get(&above, count * sizeof(void *), _Alignof(void *));
}

struct mrg_dns_node *mrg_dns_zone_new_node(struct mrg_dns_zone_builder *b, struct mrg_span name, unsigned labels)
{
	const size_t sets_off = mrg_dns_even(sizeof(struct mrg_dns_node) + name.len);
	struct mrg_dns_node *const n = mrg_arena_get(b->arena, sets_off, MRG_DNS_GRAIN);
	if (n == NULL || (size_t)((uint8_t *)n - b->arena->p) / MRG_DNS_GRAIN > UINT32_MAX)
		return NULL;
	n->name_len = (uint8_t)name.len;
	n->labels = (uint8_t)labels;
	n->sets_off = (uint16_t)sets_off;
	memcpy(n + 1, name.p, name.len);
	return n;
}

struct mrg_dns_rrset *mrg_dns_zone_new_set(struct mrg_dns_zone_builder *b, uint16_t type)
{
	struct mrg_dns_rrset *const s = mrg_arena_get(b->arena, sizeof *s, 2);
	if (s != NULL)
		s->type = type;
	return s;
}

enum mrg_status mrg_dns_zone_begin(struct mrg_dns_zone_builder *b, struct mrg_arena *a, struct mrg_span origin)
{
	memset(b, 0, sizeof *b);
	b->arena = a;
	b->st = MRG_E_VALUE;
	const enum mrg_status st = mrg_dns_name_flat_check(origin, &b->owner);
	if (st != MRG_OK)
		return st;
	if (b->owner.len != origin.len)
		return MRG_E_LENGTH;
	b->zone = mrg_arena_get(a, sizeof *b->zone, _Alignof(struct mrg_dns_zone));
	if (b->zone == NULL)
		return MRG_E_SPACE;
	b->zone->base = a->p;
	b->zone->origin = b->owner;
	b->name_count = 1;
	b->nodes_off = a->len;
	return b->st = MRG_OK;
}

/* Types that a zone can hold: neither meta-types nor those of questions.  RFC 6895 section 3.1 */
static bool storable(uint16_t type)
{
	return type != 0 && type != MRG_DNS_TYPE_OPT && (type < 128 || type > 255);
}

enum mrg_status mrg_dns_zone_close(struct mrg_dns_zone_builder *b, struct mrg_dns_zone_error *err)
{
	struct mrg_dns_node *n = b->open;
	b->open = NULL;
	if (n == NULL)
		return MRG_OK;
	const size_t at = (size_t)((uint8_t *)n - b->arena->p);
	if (b->sets == 0) { /* all its records were refused */
		memset(n, 0, b->arena->len - at);
		b->arena->len = at;
		return MRG_OK;
	}
	n->sets = (uint16_t)b->sets;
	if (b->unsorted) {
		const struct mrg_dns_node *const part = n;
		const struct mrg_dns_node *const packed = mrg_dns_zone_pack(b, &part, 1, NULL, err);
		if (packed == NULL)
			return b->st;
		/* the ordered node takes the place of the other */
		const size_t from = (size_t)((const uint8_t *)packed - b->arena->p);
		const size_t len = b->arena->len - from;
		memmove(n, packed, len);
		memset(b->arena->p + at + len, 0, b->arena->len - at - len);
		b->arena->len = at + len;
	}
	return mrg_dns_zone_settle(b, n, err);
}

/* A record of another owner comes: close the open node and open one for it. */
static enum mrg_status open_owner(
	struct mrg_dns_zone_builder *b, struct mrg_span owner, uint16_t type, struct mrg_dns_zone_error *err)
{
	struct mrg_dns_name_flat name;
	const struct mrg_dns_name_flat *const origin = &b->zone->origin;
	enum mrg_status st = mrg_dns_name_flat_check(owner, &name);
	if (st == MRG_OK && name.len != owner.len)
		st = MRG_E_LENGTH;
	if (st != MRG_OK)
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_OWNER, st, (struct mrg_span){ NULL, 0 }, type);
	if (mrg_dns_name_flat_common(&name, origin) < origin->count)
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_OUTSIDE, MRG_E_VALUE, owner, type);
	st = mrg_dns_zone_close(b, err);
	if (st != MRG_OK)
		return st;
	/* names that may be new: exact when owners come in order, else too many */
	const unsigned common = mrg_dns_name_flat_common(&name, &b->owner);
	b->name_count += name.count - (common > origin->count ? common : origin->count);
	b->owner = name;
	if (b->name_count > MRG_DNS_NAMES_MAX)
		return full(b, err);
	b->open = mrg_dns_zone_new_node(b, owner, name.count);
	b->last = NULL;
	b->sets = 0;
	b->unsorted = b->aliased = b->other = b->refs_ready = false;
	return b->open != NULL ? MRG_OK : full(b, err);
}

/* The set that the record goes to: the last one, or a new one behind it. */
static bool choose_set(struct mrg_dns_zone_builder *b, struct incoming *in)
{
	const bool sig = in->type == MRG_DNS_TYPE_RRSIG;
	if (b->last != NULL && b->last->type == in->set_type && (sig || b->last->sig_count == 0)) {
		in->set = b->last;
		in->ttl = b->last_ttl; /* RFC 2181 5.2; RFC 4034 3 for signatures */
		return true;
	}
	in->set = mrg_dns_zone_new_set(b, in->set_type);
	return in->set != NULL;
}

/* Let the builder's writer know the owner's name at offset 12, and nothing else. */
static void ready_refs(struct mrg_dns_zone_builder *b)
{
	struct mrg_w w;
	mrg_w_init(&w, b->open, sizeof *b->open + b->open->name_len);
	mrg_w_use_refs(&w, &b->refs);
	w.len = sizeof *b->open;
	mrg_dns_name_put_flat(&w, mrg_dns_name_flat_from(&b->owner, 0)); /* the very octets that are there */
	b->refs.count = MRG_REFS_SLOTS; /* full: no name in RDATA is remembered */
	b->refs_ready = true;
}

/* Write a record whose RDATA has names that may be compressed: against the owner's, as zone_store.h says. */
static enum mrg_status put_packed(
	struct mrg_dns_zone_builder *b, struct mrg_w *w, const struct incoming *in, struct mrg_reject *rj)
{
	static const uint8_t root[] = { 0 };
	uint8_t raw[1 + 10 + MRG_DNS_ZONE_SOA_MAX]; /* no RDATA of these types is longer */
	struct mrg_w rw;
	struct mrg_dns_rr_build build;
	struct mrg_dns_rr rr;
	struct mrg_dns_rr_args args = { .name = { root, 1 }, .type = in->type, .class = MRG_DNS_CLASS_IN, .ttl = in->ttl };
	size_t len;
	mrg_w_init(&rw, raw, sizeof raw);
	mrg_dns_rr_begin(&rw, &build, &args);
	mrg_w_put(&rw, in->rdata);
	mrg_dns_rr_end(&rw, &build);
	if (mrg_w_finish(&rw, &len) != MRG_OK)
		return MRG_E_LENGTH;
	const enum mrg_status st = mrg_dns_rr_check((struct mrg_span){ raw, len }, (struct mrg_span){ NULL, 0 }, &rr, rj);
	if (st != MRG_OK)
		return st;
	if (!b->refs_ready)
		ready_refs(b);
	w->refs = &b->refs;
	args.name = mrg_dns_name_flat_from(&b->owner, 0);
	mrg_dns_rr_begin(w, &build, &args);
	mrg_dns_rr_rdata_copy(w, &rr);
	mrg_dns_rr_end(w, &build);
	w->refs = NULL;
	return MRG_OK;
}

/* Write any other record: its RDATA means the same wherever it stands. */
static enum mrg_status put_plain(struct mrg_w *w, const struct incoming *in, struct mrg_reject *rj)
{
	struct mrg_dns_rr rr;
	const size_t from = w->len;
	mrg_dns_stored_rr_put(w, &(struct mrg_dns_stored_rr_args){
		.type = in->type, .class = MRG_DNS_CLASS_IN, .ttl = in->ttl, .rdata = in->rdata });
	if (w->st != MRG_OK)
		return MRG_OK; /* the caller asks the writer */
	return mrg_dns_rr_check(mrg_w_span(w, from), mrg_w_span(w, 0), &rr, rj);
}

/* Is the record that stands at `span` in the set already?  Only small sets are searched here: see zone_pack.c. */
static bool present(const struct mrg_dns_rrset *set, struct mrg_span rr, bool sig)
{
	struct mrg_span left = sig ? (struct mrg_span){ mrg_dns_rrset_wire(set, false).p + set->len, set->sig_len }
		: mrg_dns_rrset_wire(set, false);
	struct mrg_dns_stored_rr at;
	for (unsigned i = 0; i < MRG_DNS_FEW && left.len > 0; i++) {
		if (mrg_dns_stored_rr_check(left, &at, NULL) != MRG_OK)
			return false;
		if (at.len == rr.len && memcmp(at.p, rr.p, rr.len) == 0)
			return true;
		left = (struct mrg_span){ left.p + at.len, left.len - at.len };
	}
	return false;
}

/* Give back what was written for a record that is not kept. */
static void take_back(struct mrg_dns_zone_builder *b, const struct incoming *in, size_t end)
{
	memset(b->arena->p + in->mark, 0, end - in->mark);
	b->arena->len = in->mark;
}

/* The record is in place: count it in, and note what its owner has become. */
static void keep(struct mrg_dns_zone_builder *b, const struct incoming *in, size_t len)
{
	const bool sig = in->type == MRG_DNS_TYPE_RRSIG;
	struct mrg_dns_rrset *const s = in->set;
	if (s != b->last) {
		b->unsorted = b->unsorted || (b->last != NULL && b->last->type >= s->type);
		b->last = s;
		b->last_ttl = in->ttl;
		b->sets++;
	}
	if (sig) {
		s->sig_count++;
		s->sig_len = (uint16_t)(s->sig_len + len);
	} else {
		s->count++;
		s->len = (uint16_t)(s->len + len);
		b->unsorted = b->unsorted || s->count > MRG_DNS_FEW;
	}
	if (in->type == MRG_DNS_TYPE_SOA && in->rdata.len <= sizeof b->soa) {
		memcpy(b->soa, in->rdata.p, in->rdata.len);
		b->soa_len = in->rdata.len;
	}
	b->aliased = b->aliased || in->type == MRG_DNS_TYPE_CNAME;
	b->other = b->other || mrg_dns_zone_unlike_alias(in->type);
	b->zone->record_count++;
}

/* Lay the record down behind the open node. */
static enum mrg_status append(struct mrg_dns_zone_builder *b, struct incoming *in, struct mrg_dns_zone_error *err)
{
	const struct mrg_span owner = mrg_dns_name_flat_from(&b->owner, 0);
	struct mrg_reject *const rj = err != NULL ? &err->reject : NULL;
	struct mrg_w w;
	in->mark = b->arena->len;
	if (b->sets >= UINT16_MAX || !choose_set(b, in))
		return full(b, err);
	const size_t node_at = (size_t)((uint8_t *)b->open - b->arena->p);
	mrg_w_init(&w, b->open, b->arena->cap - node_at);
	w.len = b->arena->len - node_at;
	const size_t from = w.len;
	const enum mrg_status st =
		mrg_dns_rr_rdata_movable(in->type) ? put_plain(&w, in, rj) : put_packed(b, &w, in, rj);
	if (w.st != MRG_OK)
		return full(b, err);
	if (st != MRG_OK) {
		take_back(b, in, node_at + w.len);
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_RDATA, st, owner, in->type);
	}
	const size_t len = w.len - from;
	const bool sig = in->type == MRG_DNS_TYPE_RRSIG;
	if (present(in->set, mrg_w_span(&w, from), sig)) {
		take_back(b, in, node_at + w.len);
		return MRG_OK;
	}
	if (in->set->count > 0 && mrg_dns_zone_single(in->type)) {
		take_back(b, in, node_at + w.len);
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_SINGLE, MRG_E_VALUE, owner, in->type);
	}
	if (mrg_dns_zone_overfull(in->set, sig, len)) {
		take_back(b, in, node_at + w.len);
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_RRSET_SIZE, MRG_E_LIMIT, owner, in->type);
	}
	b->arena->len += len;
	keep(b, in, len);
	return MRG_OK;
}

/* Rules about what may stand at one owner that can be decided now; the others are for mrg_dns_zone_settle. */
static enum mrg_dns_zone_fault fault_beside(const struct mrg_dns_zone_builder *b, uint16_t type)
{
	if (type == MRG_DNS_TYPE_SOA && b->owner.count != b->zone->origin.count)
		return MRG_DNS_ZONE_SOA_PLACE;
	if (type == MRG_DNS_TYPE_CNAME && b->other)
		return MRG_DNS_ZONE_ALIAS;
	if (b->aliased && mrg_dns_zone_unlike_alias(type))
		return MRG_DNS_ZONE_ALIAS;
	return MRG_DNS_ZONE_SOUND;
}

enum mrg_status mrg_dns_zone_add(struct mrg_dns_zone_builder *b, struct mrg_span owner, uint16_t type,
	uint16_t rr_class, uint32_t ttl, struct mrg_span rdata, struct mrg_dns_zone_error *err)
{
	/* RFC 2181 8: a TTL with the top bit set is zero */
	struct incoming in = { .type = type, .set_type = type, .ttl = ttl > INT32_MAX ? 0 : ttl, .rdata = rdata };
	if (b->st != MRG_OK)
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_DEAD, b->st, owner, type);
	if (rr_class != MRG_DNS_CLASS_IN)
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_CLASS, MRG_E_VALUE, owner, type);
	if (!storable(type))
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_TYPE, MRG_E_VALUE, owner, type);
	if (b->open == NULL || !mrg_dns_name_flat_equal(owner, mrg_dns_name_flat_from(&b->owner, 0))) {
		const enum mrg_status st = open_owner(b, owner, type, err);
		if (st != MRG_OK)
			return st;
	}
	if (type == MRG_DNS_TYPE_RRSIG) {
		struct mrg_dns_rrsig sig;
		const enum mrg_status st = mrg_dns_rrsig_check(rdata, &sig, err != NULL ? &err->reject : NULL);
		if (st != MRG_OK)
			return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_RDATA, st, owner, type);
		in.set_type = mrg_dns_rrsig_type_covered(&sig);
	}
	const enum mrg_dns_zone_fault fault = fault_beside(b, type);
	if (fault != MRG_DNS_ZONE_SOUND)
		return mrg_dns_zone_refuse(err, fault, MRG_E_VALUE, owner, type);
	if (type == MRG_DNS_TYPE_SOA && b->soa_len > 0) { /* the apex may have come before, and gone */
		if (mrg_span_eq(rdata, (struct mrg_span){ b->soa, b->soa_len }))
			return MRG_OK;
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_SINGLE, MRG_E_VALUE, owner, type);
	}
	return append(b, &in, err);
}

const char *mrg_dns_zone_fault_str(enum mrg_dns_zone_fault fault)
{
	switch (fault) {
	case MRG_DNS_ZONE_SOUND: return "nothing is wrong";
	case MRG_DNS_ZONE_FULL: return "out of memory";
	case MRG_DNS_ZONE_OWNER: return "owner is not a domain name";
	case MRG_DNS_ZONE_OUTSIDE: return "owner is outside of the zone";
	case MRG_DNS_ZONE_CLASS: return "class is not IN";
	case MRG_DNS_ZONE_TYPE: return "type can't be in a zone";
	case MRG_DNS_ZONE_RDATA: return "RDATA does not fit its type";
	case MRG_DNS_ZONE_SOA_PLACE: return "SOA below the apex";
	case MRG_DNS_ZONE_SINGLE: return "only one record of this type may stand at a name";
	case MRG_DNS_ZONE_ALIAS: return "CNAME and other data at one name";
	case MRG_DNS_ZONE_RRSET_SIZE: return "record set larger than a message";
	case MRG_DNS_ZONE_NO_SOA: return "no SOA record at the apex";
	case MRG_DNS_ZONE_NO_NS: return "no NS record at the apex";
	case MRG_DNS_ZONE_NSEC3: return "NSEC3 with more than 2500 iterations";
	case MRG_DNS_ZONE_DEAD: return "an earlier error ended the building of this zone";
	}
	return "unknown fault";
}
