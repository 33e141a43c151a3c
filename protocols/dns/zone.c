/*
 * Building a zone: records come in and are laid down in their final form (zone_store.h).
 *
 * The node of the current owner grows at the arena's end.  If its records do not come set by set in order of type,
 * each signature right after what it covers, the node is put in order when the owner changes (zone_pack.c).  Then it
 * joins the nodes whose names have like hashes (zone_place.c).  An owner that comes back later gets a second node;
 * mrg_dns_zone_finish joins them.
 */
#include "protocols/dns/zone.h"

#include "dns/rr.h"
#include "protocols/dns/zone_build.h"

/* A record on its way in. */
struct incoming {
	uint16_t type, set_type; /* set_type: what it covers, for an RRSIG */
	uint32_t ttl;
	struct mrg_span rdata;
	size_t mark; /* the arena's end before it */
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
	return mrg_dns_zone_die(
		b, err, MRG_DNS_ZONE_FULL, MRG_E_SPACE, mrg_dns_name_flat_from(mrg_dns_zone_owner(b), 0), 0);
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

struct mrg_dns_node *mrg_dns_zone_new_node(
	struct mrg_dns_zone_builder *b, struct mrg_span name, unsigned labels)
{
	const size_t size = sizeof(struct mrg_dns_node) + mrg_dns_even(name.len);
	struct mrg_dns_node *const n = mrg_arena_get(b->arena, size, MRG_DNS_GRAIN);
	if (n == NULL || (size_t)((uint8_t *)n - b->arena->p) / MRG_DNS_GRAIN > UINT32_MAX)
		return NULL;
	n->name_len = (uint8_t)name.len;
	n->labels = (uint8_t)labels;
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

enum mrg_status mrg_dns_zone_begin(
	struct mrg_dns_zone_builder *b, struct mrg_arena *a, struct mrg_span origin)
{
	memset(b, 0, sizeof *b);
	b->arena = a;
	b->st = MRG_E_VALUE;
	const enum mrg_status st = mrg_dns_name_flat_check(origin, &b->names[0]);
	if (st != MRG_OK)
		return st;
	if (b->names[0].len != origin.len)
		return MRG_E_LENGTH;
	b->names[1] = b->names[0]; /* as if the apex had been the owner before the first */
	b->before = 1;
	b->next = 2;
	b->zone = mrg_arena_get(a, sizeof *b->zone, _Alignof(struct mrg_dns_zone));
	if (b->zone == NULL)
		return MRG_E_SPACE;
	b->zone->base = a->p;
	b->zone->origin = b->names[0];
	return b->st = MRG_OK;
}

bool mrg_dns_zone_storable(uint16_t type)
{
	return type != 0 && type != MRG_DNS_TYPE_OPT && (type < 128 || type > 255);
}

/* Put the open node, which is complete, in order where it stands. */
static bool put_in_order(
	struct mrg_dns_zone_builder *b, struct mrg_dns_node *n, struct mrg_dns_zone_error *err)
{
	const size_t at = (size_t)((uint8_t *)n - b->arena->p);
	const struct mrg_dns_node *const part = n;
	const struct mrg_dns_node *const packed = mrg_dns_zone_pack(b, &part, 1, NULL, err);
	if (packed == NULL)
		return false;
	const size_t size = mrg_dns_node_size(packed);
	memmove(n, packed, size);
	mrg_dns_zone_rewind(b, at + size);
	return true;
}

/*
 * Nodes for the names between the owner and the ancestors that it shares with the owner before it: they exist, with
 * records or without (RFC 4592 2.2.2).  What turns out to be there twice is dropped at the end.
 */
static enum mrg_status place_ancestors(struct mrg_dns_zone_builder *b)
{
	const struct mrg_dns_name_flat *const name = mrg_dns_zone_owner(b), *const origin = &b->zone->origin;
	if (name->count <= origin->count + 1u)
		return MRG_OK;
	unsigned known = mrg_dns_name_flat_common(name, &b->names[b->before]);
	if (known < origin->count)
		known = origin->count;
	for (unsigned i = 1; i + known < name->count; i++) {
		if (!mrg_dns_zone_stage(b))
			return MRG_E_SPACE;
		struct mrg_dns_node *const n =
			mrg_dns_zone_new_node(b, mrg_dns_name_flat_from(name, i), name->count - i);
		if (n == NULL || !mrg_dns_zone_seal(b, n) || mrg_dns_zone_place(b, n) != MRG_OK)
			return MRG_E_SPACE;
	}
	return MRG_OK;
}

enum mrg_status mrg_dns_zone_complete(
	struct mrg_dns_zone_builder *b, struct mrg_dns_node **out, struct mrg_dns_zone_error *err)
{
	struct mrg_dns_node *const n = b->open;
	b->open = *out = NULL;
	if (n == NULL)
		return MRG_OK;
	if (b->sets == 0) { /* all its records were refused */
		mrg_dns_zone_rewind(b, b->staged_off);
		return MRG_OK;
	}
	n->sets = (uint16_t)b->sets;
	if (b->unsorted && !put_in_order(b, n, err))
		return b->st;
	if (!b->unsorted && !mrg_dns_zone_seal(b, n))
		return full(b, err);
	*out = n;
	return b->st = mrg_dns_zone_settle(b, n, err);
}

enum mrg_status mrg_dns_zone_close(struct mrg_dns_zone_builder *b, struct mrg_dns_zone_error *err)
{
	struct mrg_dns_node *n;
	const enum mrg_status st = mrg_dns_zone_complete(b, &n, err);
	if (st != MRG_OK || n == NULL)
		return st;
	if (mrg_dns_zone_place(b, n) != MRG_OK || place_ancestors(b) != MRG_OK)
		return full(b, err);
	const unsigned oldest = b->before;
	b->before = b->now;
	b->now = b->next;
	b->next = oldest;
	return MRG_OK;
}

/* A record of another owner comes: close the open node and open one for it. */
static enum mrg_status open_owner(
	struct mrg_dns_zone_builder *b, struct mrg_span owner, uint16_t type, struct mrg_dns_zone_error *err)
{
	const unsigned coming = b->next;
	struct mrg_dns_name_flat *const name = &b->names[coming];
	enum mrg_status st = mrg_dns_name_flat_check(owner, name);
	if (st == MRG_OK && name->len != owner.len)
		st = MRG_E_LENGTH;
	if (st != MRG_OK)
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_OWNER, st, (struct mrg_span){ NULL, 0 }, type);
	if (!mrg_dns_name_within(name, &b->zone->origin))
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_OUTSIDE, MRG_E_VALUE, owner, type);
	st = mrg_dns_zone_close(b, err);
	if (st != MRG_OK)
		return st;
	if (b->now != coming) { /* nothing was placed: its name is not that of the node before */
		b->next = b->now;
		b->now = coming;
	}
	if (!mrg_dns_zone_stage(b))
		return full(b, err);
	b->open = mrg_dns_zone_new_node(b, owner, name->count);
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
	mrg_dns_name_put_flat(
		&w, mrg_dns_name_flat_from(mrg_dns_zone_owner(b), 0)); /* the very octets that are there */
	b->refs.count = MRG_REFS_SLOTS; /* full: no name in RDATA is remembered */
	b->refs_ready = true;
}

/*
 * Write a record and check it.  It is first written with the root as its owner, one octet in, and nothing to point
 * into, so that RDATA can't hold pointers; then the owner becomes the pointer that zone_store.h describes.
 */
static enum mrg_status put_plain(
	struct mrg_w *w, const struct incoming *in, struct mrg_dns_rr *rr, struct mrg_reject *rj)
{
	static const uint8_t root[] = { 0 };
	const size_t from = w->len;
	struct mrg_dns_rr_build build;
	struct mrg_w owner;
	mrg_w_u8(w, 0);
	mrg_dns_rr_begin(w, &build,
		&(struct mrg_dns_rr_args){ .name = { root, sizeof root },
			.type = in->type,
			.class = MRG_DNS_CLASS_IN,
			.ttl = in->ttl });
	mrg_w_put(w, in->rdata);
	mrg_dns_rr_end(w, &build);
	if (w->st == MRG_E_RANGE) { /* RDATA of more than 65,535 octets */
		w->st = MRG_OK;
		return MRG_E_LENGTH;
	}
	if (w->st != MRG_OK)
		return MRG_OK; /* the caller asks the writer */
	const enum mrg_status st =
		mrg_dns_rr_check(mrg_w_span(w, from + sizeof root), (struct mrg_span){ NULL, 0 }, rr, rj);
	if (st != MRG_OK)
		return st;
	mrg_w_init(&owner, w->p + from, 2 * sizeof root);
	mrg_dns_name_pointer_put(
		&owner, &(struct mrg_dns_name_pointer_args){ .at = sizeof(struct mrg_dns_node) });
	return owner.st;
}

/* Write the record just put at `from` again, its RDATA compressed against the owner's name, as zone_store.h says. */
static void repack(struct mrg_dns_zone_builder *b, struct mrg_w *w, size_t from, const struct mrg_dns_rr *rr)
{
	struct mrg_w again = *w; /* behind the record: it will be shorter, so it does not reach there */
	if (!b->refs_ready)
		ready_refs(b);
	again.refs = &b->refs;
	mrg_dns_rr_rdata_copy(&again, rr);
	if (again.st != MRG_OK) {
		memset(w->p + w->len, 0, again.len - w->len);
		w->st = again.st;
		return;
	}
	const struct mrg_dns_stored_rr_args args = { .type = mrg_dns_rr_type(rr),
		.class = mrg_dns_rr_class(rr),
		.ttl = mrg_dns_rr_ttl(rr),
		.rdata = mrg_w_span(&again, w->len) };
	w->len = from;
	mrg_dns_stored_rr_put(w, &args);
	memset(w->p + w->len, 0, again.len - w->len);
}

/* Is the record that stands at `span` in the set already?  Only small sets are searched here: see zone_pack.c. */
static bool present(const struct mrg_dns_rrset *set, struct mrg_span rr, bool sig)
{
	struct mrg_span left =
		sig ? (struct mrg_span){ mrg_dns_rrset_wire(set, false).p + set->len, set->sig_len }
		    : mrg_dns_rrset_wire(set, false);
	struct mrg_dns_stored_rr at;
	for (unsigned i = 0; i < MRG_DNS_FEW && left.len > 0; i++) {
		if (mrg_dns_stored_rr_check(left, &at, NULL) != MRG_OK)
			return false;
		if (at.len == rr.len && memcmp(at.p, rr.p, rr.len) == 0)
			return true;
		left = mrg_dns_after(left, at.len);
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
static enum mrg_status append(
	struct mrg_dns_zone_builder *b, struct incoming *in, struct mrg_dns_zone_error *err)
{
	const struct mrg_span owner = mrg_dns_name_flat_from(mrg_dns_zone_owner(b), 0);
	struct mrg_reject *const rj = err != NULL ? &err->reject : NULL;
	struct mrg_w w;
	in->mark = b->arena->len;
	if (b->sets >= UINT16_MAX || !choose_set(b, in))
		return full(b, err);
	const size_t node_at = (size_t)((uint8_t *)b->open - b->arena->p);
	mrg_w_init(&w, b->open, b->arena->cap - node_at);
	w.len = b->arena->len - node_at;
	const size_t from = w.len;
	struct mrg_dns_rr rr;
	const enum mrg_status st = put_plain(&w, in, &rr, rj);
	if (st == MRG_OK && w.st == MRG_OK && !mrg_dns_rr_rdata_movable(in->type))
		repack(b, &w, from, &rr);
	if (w.st != MRG_OK) {
		take_back(b, in, node_at + w.len);
		return full(b, err);
	}
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
static enum mrg_dns_zone_fault fault_beside(struct mrg_dns_zone_builder *b, uint16_t type)
{
	if (type == MRG_DNS_TYPE_SOA && mrg_dns_zone_owner(b)->count != b->zone->origin.count)
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
	struct incoming in = {
		.type = type, .set_type = type, .ttl = ttl > INT32_MAX ? 0 : ttl, .rdata = rdata
	};
	if (b->st != MRG_OK)
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_DEAD, b->st, owner, type);
	if (rr_class != MRG_DNS_CLASS_IN)
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_CLASS, MRG_E_VALUE, owner, type);
	if (!mrg_dns_zone_storable(type))
		return mrg_dns_zone_refuse(err, MRG_DNS_ZONE_TYPE, MRG_E_VALUE, owner, type);
	if (b->open == NULL || !mrg_dns_same_name(owner, mrg_dns_name_flat_from(mrg_dns_zone_owner(b), 0))) {
		const enum mrg_status st = open_owner(b, owner, type, err);
		if (st != MRG_OK)
			return st;
	}
	if (type == MRG_DNS_TYPE_RRSIG) {
		struct mrg_dns_rrsig sig;
		const enum mrg_status st =
			mrg_dns_rrsig_check(rdata, &sig, err != NULL ? &err->reject : NULL);
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
	case MRG_DNS_ZONE_ABSENT: return "record to be deleted is not there";
	case MRG_DNS_ZONE_PRESENT: return "record to be added is there already";
	case MRG_DNS_ZONE_DEAD: return "an earlier error ended the building of this zone";
	}
	return "unknown fault";
}
