/*
 * What a catalog zone lists.
 * Reading order: names, the version, members, their properties, mrg_dns_catalog_read.
 */
#include "protocols/dns/catalog.h"

#include "protocols/dns/zone_store.h"

/* What is being read. */
struct reader {
	const struct mrg_dns_zone *zone;
	struct mrg_arena *a;
	struct mrg_dns_catalog *out;
	struct mrg_dns_name_flat *where;
	struct mrg_dns_name_flat zones; /* the name that members are below */
};

const char *mrg_dns_catalog_fault_str(enum mrg_dns_catalog_fault fault)
{
	static const char *const words[] = {
		[MRG_DNS_CATALOG_SOUND] = "nothing",
		[MRG_DNS_CATALOG_NO_VERSION] = "no TXT record with its version",
		[MRG_DNS_CATALOG_VERSIONS] = "more than one TXT record with its version",
		[MRG_DNS_CATALOG_VERSION] = "a version that is not 2",
		[MRG_DNS_CATALOG_NAMES] = "more than one PTR record for a member",
		[MRG_DNS_CATALOG_TWICE] = "two members are the same zone",
		[MRG_DNS_CATALOG_OWNERS] = "more than one PTR record for a change of ownership",
		[MRG_DNS_CATALOG_FULL] = "not enough memory",
	};
	return words[fault];
}

/* ---- names ---- */

/* The set of a type at a name, and the node that has it; NULL: there is none. */
static const struct mrg_dns_rrset *set_at(const struct mrg_dns_zone *zone,
	const struct mrg_dns_name_flat *name, uint16_t type, const struct mrg_dns_node **node)
{
	*node = mrg_dns_zone_probe(zone, mrg_dns_name_flat_from(name, 0));
	return *node != NULL ? mrg_dns_node_find(*node, type) : NULL;
}

/* The first record of a set. */
static bool first_of(const struct mrg_dns_node *node, const struct mrg_dns_rrset *set, struct mrg_dns_rr *out)
{
	return mrg_dns_rr_check(
		       mrg_dns_rrset_wire(set, false), mrg_dns_rrset_message(node, set), out, NULL) == MRG_OK;
}

/* A name of one label more than another name.  false: it would be too long, so no zone has it. */
static bool below(struct mrg_span label, struct mrg_span name, struct mrg_dns_name_flat *out)
{
	uint8_t b[MRG_DNS_MAX_NAME];
	struct mrg_w w;
	mrg_w_init(&w, b, sizeof b);
	mrg_dns_name_label_put(&w, &(struct mrg_dns_name_label_args){ .octets = label });
	mrg_w_put(&w, name);
	return w.st == MRG_OK && mrg_dns_name_flat_check(mrg_w_span(&w, 0), out) == MRG_OK;
}

/* A copy that stays; false: there is no memory. */
static bool keep(struct reader *r, struct mrg_span octets, struct mrg_span *out)
{
	uint8_t *const copy = mrg_arena_get(r->a, octets.len, 1);
	if (copy == NULL)
		return false;
	memcpy(copy, octets.p, octets.len);
	*out = (struct mrg_span){ copy, octets.len };
	return true;
}

/* The name that a PTR record has. */
static bool name_of(const struct mrg_dns_rr *rr, struct mrg_dns_name_flat *out)
{
	struct mrg_dns_ptr ptr;
	if (!mrg_dns_rr_rdata_as_ptr(rr, &ptr))
		return false;
	const struct mrg_dns_name name = mrg_dns_ptr_ptrdname(&ptr);
	mrg_dns_name_flatten(&name, out);
	return true;
}

/*
 * The first string of a TXT record; empty: it has none.
 *   more   is there another one?
 */
static struct mrg_span string_of(const struct mrg_dns_rr *rr, bool *more)
{
	struct mrg_dns_txt txt;
	struct mrg_dns_char_string first, second;
	*more = false;
	if (!mrg_dns_rr_rdata_as_txt(rr, &txt))
		return (struct mrg_span){ NULL, 0 };
	struct mrg_dns_txt_strings_it it = mrg_dns_txt_strings(&txt);
	if (!mrg_dns_txt_strings_next(&it, &first))
		return (struct mrg_span){ NULL, 0 };
	*more = mrg_dns_txt_strings_next(&it, &second);
	return mrg_dns_char_string_octets(&first);
}

/* ---- the version ---- */

static enum mrg_dns_catalog_fault check_version(struct reader *r)
{
	const struct mrg_dns_node *node;
	struct mrg_dns_name_flat at;
	struct mrg_dns_rr rr;
	if (!below(MRG_LITERAL("version"), mrg_dns_zone_origin(r->zone), &at))
		return MRG_DNS_CATALOG_NO_VERSION;
	*r->where = at;
	const struct mrg_dns_rrset *const set = set_at(r->zone, &at, MRG_DNS_TYPE_TXT, &node);
	if (set == NULL || !first_of(node, set, &rr))
		return MRG_DNS_CATALOG_NO_VERSION;
	if (set->count != 1)
		return MRG_DNS_CATALOG_VERSIONS;
	bool more;
	const bool is = mrg_span_eq(string_of(&rr, &more), MRG_LITERAL("2"));
	return is && !more ? MRG_DNS_CATALOG_SOUND : MRG_DNS_CATALOG_VERSION;
}

/* ---- members ---- */

/* Does this record name a member?  Its owner is <unique-N>.zones.$CATZ (4.1) */
static bool is_member(const struct reader *r, const struct mrg_dns_rr *rr, struct mrg_dns_name_flat *owner)
{
	if (mrg_dns_rr_type(rr) != MRG_DNS_TYPE_PTR)
		return false;
	const struct mrg_dns_name name = mrg_dns_rr_name(rr);
	mrg_dns_name_flatten(&name, owner);
	return owner->count == r->zones.count + 1u && mrg_dns_name_within(owner, &r->zones);
}

/* The slot of a name: the one that has it, or the free one where it goes. */
static uint32_t *slot_of(const struct mrg_dns_catalog *c, struct mrg_span name)
{
	size_t i = (size_t)((mrg_dns_hash(name) >> 32) * c->slot_count >> 32);
	while (c->slots[i] != 0 && !mrg_dns_same_name(c->members[c->slots[i] - 1].name, name))
		i = i + 1 < c->slot_count ? i + 1 : 0;
	return &c->slots[i];
}

const struct mrg_dns_catalog_member *mrg_dns_catalog_find(
	const struct mrg_dns_catalog *c, struct mrg_span name)
{
	const uint32_t *const slot = c->count != 0 ? slot_of(c, name) : NULL;
	return slot != NULL && *slot != 0 ? &c->members[*slot - 1] : NULL;
}

/* Room for all of them. */
static bool make_room(struct reader *r)
{
	struct mrg_dns_zone_walk walk = { .zone = r->zone };
	struct mrg_dns_catalog *const c = r->out;
	struct mrg_dns_name_flat owner;
	struct mrg_dns_rr rr;
	size_t count = 0;
	while (mrg_dns_zone_next(&walk, &rr) == MRG_OK)
		count += is_member(r, &rr, &owner);
	if (count > UINT32_MAX / 2)
		return false;
	*c = (struct mrg_dns_catalog){ .slot_count = 2 * count + 1 };
	c->members = mrg_arena_get(r->a, count * sizeof *c->members, _Alignof(struct mrg_dns_catalog_member));
	c->slots = mrg_arena_get(r->a, c->slot_count * sizeof *c->slots, _Alignof(uint32_t));
	return c->members != NULL && c->slots != NULL;
}

/* ---- properties ---- */

static enum mrg_dns_catalog_fault read_coo(
	struct reader *r, const struct mrg_dns_name_flat *owner, struct mrg_dns_catalog_member *m)
{
	const struct mrg_dns_node *node;
	struct mrg_dns_name_flat at, name;
	struct mrg_dns_rr rr;
	if (!below(MRG_LITERAL("coo"), mrg_dns_name_flat_from(owner, 0), &at))
		return MRG_DNS_CATALOG_SOUND;
	const struct mrg_dns_rrset *const set = set_at(r->zone, &at, MRG_DNS_TYPE_PTR, &node);
	if (set == NULL || !first_of(node, set, &rr) || !name_of(&rr, &name))
		return MRG_DNS_CATALOG_SOUND;
	*r->where = at;
	if (set->count != 1)
		return MRG_DNS_CATALOG_OWNERS;
	return keep(r, mrg_dns_name_flat_from(&name, 0), &m->coo) ? MRG_DNS_CATALOG_SOUND
								  : MRG_DNS_CATALOG_FULL;
}

static bool read_group(
	struct reader *r, const struct mrg_dns_name_flat *owner, struct mrg_dns_catalog_member *m)
{
	const struct mrg_dns_node *node;
	struct mrg_dns_name_flat at;
	struct mrg_dns_rr rr;
	if (!below(MRG_LITERAL("group"), mrg_dns_name_flat_from(owner, 0), &at))
		return true;
	const struct mrg_dns_rrset *const set = set_at(r->zone, &at, MRG_DNS_TYPE_TXT, &node);
	bool more;
	return set == NULL || !first_of(node, set, &rr) || keep(r, string_of(&rr, &more), &m->group);
}

static enum mrg_dns_catalog_fault read_member(
	struct reader *r, const struct mrg_dns_name_flat *owner, const struct mrg_dns_rr *rr)
{
	struct mrg_dns_catalog *const c = r->out;
	struct mrg_dns_catalog_member *const m = &c->members[c->count];
	const struct mrg_dns_node *node;
	struct mrg_dns_name_flat name;
	const struct mrg_dns_rrset *const set = set_at(r->zone, owner, MRG_DNS_TYPE_PTR, &node);
	*r->where = *owner;
	if (set == NULL || set->count != 1 || !name_of(rr, &name))
		return MRG_DNS_CATALOG_NAMES;
	if (!keep(r, mrg_dns_name_flat_from(&name, 0), &m->name) ||
		!keep(r, mrg_dns_name_flat_item(owner, 0), &m->label) || !read_group(r, owner, m))
		return MRG_DNS_CATALOG_FULL;
	uint32_t *const slot = slot_of(c, m->name);
	if (*slot != 0)
		return MRG_DNS_CATALOG_TWICE;
	*slot = (uint32_t)++c->count;
	return read_coo(r, owner, m);
}

/* ---- all ---- */

enum mrg_dns_catalog_fault mrg_dns_catalog_read(const struct mrg_dns_zone *zone, struct mrg_arena *a,
	struct mrg_dns_catalog *out, struct mrg_dns_name_flat *where)
{
	struct mrg_dns_catalog read;
	struct reader r = { .zone = zone, .a = a, .out = &read, .where = where };
	struct mrg_dns_zone_walk walk = { .zone = zone };
	struct mrg_dns_name_flat owner;
	struct mrg_dns_rr rr;
	*where = zone->origin;
	/* where there is no room for members there is none for a version */
	enum mrg_dns_catalog_fault fault = below(MRG_LITERAL("zones"), mrg_dns_zone_origin(zone), &r.zones)
						   ? check_version(&r)
						   : MRG_DNS_CATALOG_NO_VERSION;
	if (fault == MRG_DNS_CATALOG_SOUND && !make_room(&r))
		fault = MRG_DNS_CATALOG_FULL;
	while (fault == MRG_DNS_CATALOG_SOUND && mrg_dns_zone_next(&walk, &rr) == MRG_OK)
		if (is_member(&r, &rr, &owner))
			fault = read_member(&r, &owner, &rr);
	if (fault == MRG_DNS_CATALOG_SOUND)
		*out = read;
	return fault;
}
