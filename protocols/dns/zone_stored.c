/*
 * Zones in one piece: see zone_stored.h.
 * Reading order: mrg_dns_zone_store; mrg_dns_zone_stored_open at the end, then upwards.
 */
#include "protocols/dns/zone_stored.h"

#include "dns/stored.h"
#include "protocols/dns/zone_chain.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "stored zones are little-endian");

/* ---- writing ---- */

static uint32_t handle_of(const struct mrg_dns_zone *z, const void *p)
{
	return p != NULL ? (uint32_t)((size_t)((const uint8_t *)p - z->base) / MRG_DNS_GRAIN) : 0;
}

void mrg_dns_zone_store(struct mrg_w *w, const struct mrg_dns_zone *z, struct mrg_arena *arena)
{
	uint8_t salt[sizeof z->nsec3.salt];
	memcpy(salt, z->nsec3.salt, sizeof salt);
	const struct mrg_dns_stored_zone_args all = {
		.head = { .denial = (uint8_t)z->denial,
			.iterations = z->nsec3.iterations,
			.zone_size = (uint32_t)arena->len,
			.serial = z->serial,
			.record_count = (uint32_t)z->record_count,
			.buckets = handle_of(z, z->buckets),
			.bucket_count = (uint32_t)z->bucket_count,
			.apex = handle_of(z, z->apex),
			.negative = handle_of(z, z->negative),
			.chain = handle_of(z, z->chain),
			.chain_count = (uint32_t)z->chain_len,
			.salt = { salt, z->nsec3.salt_len } },
		.zone = { arena->p, arena->len },
	};
	if (arena->len > UINT32_MAX)
		mrg_w_fail(w, MRG_E_LIMIT);
	memset(arena->p, 0, sizeof *z); /* addresses of this machine, which are nobody's business */
	mrg_dns_stored_zone_put(w, &all);
}

/* ---- looking at every octet ---- */

struct checking {
	const struct mrg_dns_zone *zone;
	size_t len;       /* of the zone */
	size_t walked;    /* octets of the nodes seen */
	uint64_t records; /* in them */
	uint32_t *starts; /* a bit for each handle: a node begins there */
};

enum { BITS = 32 };

static bool is_start(const struct checking *c, uint32_t handle)
{
	return handle < c->len / MRG_DNS_GRAIN && (c->starts[handle / BITS] >> handle % BITS & 1u) != 0;
}

/* Records of one kind, `count` of them, which take all of `wire`, and whose names point into that of the node only. */
static bool records_sound(struct mrg_span wire, unsigned count, struct mrg_span node)
{
	struct mrg_dns_rr rr;
	struct mrg_dns_stored_rr stored;
	for (; count > 0; count--) {
		if (mrg_dns_stored_rr_check(wire, &stored, NULL) != MRG_OK ||
			mrg_dns_rr_check(wire, node, &rr, NULL) != MRG_OK)
			return false;
		wire = mrg_dns_after(wire, rr.len);
	}
	return wire.len == 0;
}

static bool set_sound(struct checking *c, const struct mrg_dns_node *n, const struct mrg_dns_rrset *s)
{
	const struct mrg_span node = { (const uint8_t *)n, sizeof *n + n->name_len };
	const struct mrg_span wire = mrg_dns_rrset_wire(s, true);
	c->records += (uint64_t)s->count + s->sig_count;
	return s->len <= MRG_DNS_RRSET_MAX && s->sig_len <= MRG_DNS_RRSET_MAX &&
	       records_sound((struct mrg_span){ wire.p, s->len }, s->count, node) &&
	       records_sound((struct mrg_span){ wire.p + s->len, s->sig_len }, s->sig_count, node);
}

/* The octets of the node, 0 when it does not fit into `room` or is not as it must be. */
static size_t node_sound(struct checking *c, const struct mrg_dns_node *n, size_t room)
{
	struct mrg_dns_name_flat name;
	size_t at = sizeof *n;
	int type = -1;
	if (room < at || room - at < n->name_len ||
		mrg_dns_name_flat_check(mrg_dns_node_name(n), &name) != MRG_OK || name.len != n->name_len ||
		name.count != n->labels)
		return 0;
	at += mrg_dns_even(n->name_len);
	const struct mrg_dns_rrset *s = mrg_dns_node_sets(n);
	for (unsigned left = n->sets; left > 0; left--, s = mrg_dns_rrset_next(s)) {
		if (at > room || room - at < sizeof *s ||
			room - at - sizeof *s < mrg_dns_even((size_t)s->len + s->sig_len) ||
			s->type <= type || !set_sound(c, n, s))
			return 0;
		type = s->type;
		at += sizeof *s + mrg_dns_even((size_t)s->len + s->sig_len);
	}
	at = (at + MRG_DNS_GRAIN - 1) / MRG_DNS_GRAIN * MRG_DNS_GRAIN;
	const size_t grains = at / MRG_DNS_GRAIN;
	return at <= room && n->grains == (grains < MRG_DNS_GRAINS_MAX ? grains : MRG_DNS_GRAINS_MAX) ? at
												      : 0;
}

/* The nodes of a bucket, each with its bit set. */
static bool bucket_sound(struct checking *c, size_t bucket)
{
	const struct mrg_dns_zone *const z = c->zone;
	for (size_t handle = z->buckets[bucket];;) {
		if (handle == 0 || handle >= c->len / MRG_DNS_GRAIN || is_start(c, (uint32_t)handle))
			return false;
		const struct mrg_dns_node *const n = mrg_dns_node_at(z, (uint32_t)handle);
		const size_t size = node_sound(c, n, c->len - handle * MRG_DNS_GRAIN);
		c->walked += size; /* nodes that lay over one another could take very long */
		if (size == 0 || c->walked > c->len ||
			(mrg_dns_hash(mrg_dns_node_name(n)) >> 32) * z->bucket_count >> 32 != bucket)
			return false;
		c->starts[handle / BITS] |= UINT32_C(1) << handle % BITS;
		if ((n->flags & MRG_DNS_NODE_LAST) != 0)
			return true;
		handle += size / MRG_DNS_GRAIN;
	}
}

static bool has(const struct mrg_dns_node *n, unsigned flag) { return (n->flags & flag) != 0; }

/* Do the flags say what the node has, where somebody goes by them? */
static bool flags_sound(const struct checking *c, const struct mrg_dns_node *n, const struct mrg_dns_node *up)
{
	static const struct {
		unsigned flag;
		uint16_t type;
	} sets[] = { { MRG_DNS_NODE_CUT, MRG_DNS_TYPE_NS }, { MRG_DNS_NODE_DNAME, MRG_DNS_TYPE_DNAME },
		{ MRG_DNS_NODE_CNAME, MRG_DNS_TYPE_CNAME } };
	for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
		if (has(n, sets[i].flag) && mrg_dns_node_find(n, sets[i].type) == NULL)
			return false;
	if (has(n, MRG_DNS_NODE_WILD) && mrg_dns_zone_wildcard(c->zone, n) == NULL)
		return false;
	const bool occluded =
		up != NULL && has(up, MRG_DNS_NODE_OCCLUDED | MRG_DNS_NODE_CUT | MRG_DNS_NODE_DNAME);
	return has(n, MRG_DNS_NODE_OCCLUDED) == occluded && has(n, MRG_DNS_NODE_APEX) == (up == NULL);
}

/* The name above the node's is there, too, unless it is the apex.  How many are below is for changes, which a stored zone has none of. */
static bool place_sound(const struct checking *c, const struct mrg_dns_node *n)
{
	const struct mrg_dns_zone *const z = c->zone;
	struct mrg_dns_name_flat name;
	if (n == z->apex)
		return !has(n, MRG_DNS_NODE_CUT) && flags_sound(c, n, NULL);
	if (n->labels <= z->apex->labels || mrg_dns_name_flat_check(mrg_dns_node_name(n), &name) != MRG_OK)
		return false;
	const struct mrg_dns_node *const up = mrg_dns_zone_probe(z, mrg_dns_name_flat_from(&name, 1));
	return up != NULL && flags_sound(c, n, up);
}

static bool nodes_sound(struct checking *c)
{
	const struct mrg_dns_zone *const z = c->zone;
	for (size_t i = 0; i < z->bucket_count; i++)
		if (z->buckets[i] != 0 && !bucket_sound(c, i))
			return false;
	if (c->records != z->record_count || !is_start(c, handle_of(z, z->apex)))
		return false;
	size_t bucket = 0;
	for (const struct mrg_dns_node *n = mrg_dns_zone_first(z, &bucket); n != NULL;
		n = mrg_dns_zone_after(z, n, &bucket))
		if (!place_sound(c, n))
			return false;
	return mrg_dns_node_find(z->apex, MRG_DNS_TYPE_SOA) != NULL &&
	       mrg_dns_node_find(z->apex, MRG_DNS_TYPE_NS) != NULL;
}

/* Its owners, each of which is one, in canonical order. */
static bool chain_sound(const struct checking *c)
{
	const struct mrg_dns_zone *const z = c->zone;
	struct mrg_dns_name_flat name[2];
	if (z->denial == MRG_DNS_DENIAL_NONE)
		return z->chain_len == 0;
	for (size_t i = 0; i < z->chain_len; i++) {
		if (!is_start(c, z->chain[i]))
			return false;
		const struct mrg_dns_node *const n = mrg_dns_node_at(z, z->chain[i]);
		if (!mrg_dns_zone_in_chain(z, n) ||
			mrg_dns_name_flat_check(mrg_dns_node_name(n), &name[i % 2]) != MRG_OK)
			return false;
		if (i > 0 && mrg_dns_name_flat_order(&name[(i - 1) % 2], &name[i % 2]) >= 0)
			return false;
	}
	return z->chain_len != 0;
}

/* A node of the zone's name that has one record, the SOA. It is in no bucket. */
static bool negative_sound(struct checking *c)
{
	const struct mrg_dns_zone *const z = c->zone;
	const struct mrg_dns_node *const n = z->negative;
	if (node_sound(c, n, c->len - (size_t)((const uint8_t *)n - z->base)) == 0 || n->sets != 1 ||
		!mrg_dns_node_is(n, mrg_dns_node_name(z->apex)))
		return false;
	const struct mrg_dns_rrset *const s = mrg_dns_node_sets(n);
	return s->type == MRG_DNS_TYPE_SOA && s->count == 1;
}

static enum mrg_status check_octets(const struct mrg_dns_zone *z, size_t len, struct mrg_arena *arena)
{
	struct checking c = { .zone = z, .len = len };
	c.starts =
		mrg_arena_get(arena, (len / MRG_DNS_GRAIN / BITS + 1) * sizeof *c.starts, _Alignof(uint32_t));
	if (c.starts == NULL)
		return MRG_E_SPACE;
	return nodes_sound(&c) && negative_sound(&c) && chain_sound(&c) ? MRG_OK : MRG_E_VALUE;
}

/* ---- opening ---- */

/* Are `count` handles, or a node's header, at this one? */
static bool is_inside(size_t len, uint32_t handle, size_t octets)
{
	return handle != 0 && handle < len / MRG_DNS_GRAIN && len - (size_t)handle * MRG_DNS_GRAIN >= octets;
}

static bool take_head(struct mrg_dns_zone *z, const struct mrg_dns_stored_head *head, const uint8_t *base)
{
	const size_t len = mrg_dns_stored_head_zone_size(head);
	const uint32_t buckets = mrg_dns_stored_head_buckets(head), chain = mrg_dns_stored_head_chain(head);
	const struct mrg_span salt = mrg_dns_stored_head_salt(head);
	*z = (struct mrg_dns_zone){
		.base = base,
		.bucket_count = mrg_dns_stored_head_bucket_count(head),
		.denial = (enum mrg_dns_denial)mrg_dns_stored_head_denial(head),
		.chain_len = mrg_dns_stored_head_chain_count(head),
		.nsec3 = { .iterations = mrg_dns_stored_head_iterations(head),
			.salt_len = (uint8_t)salt.len },
		.serial = mrg_dns_stored_head_serial(head),
		.record_count = mrg_dns_stored_head_record_count(head),
	};
	if (salt.len != 0)
		memcpy(z->nsec3.salt, salt.p, salt.len);
	if (!is_inside(len, buckets, z->bucket_count * sizeof *z->buckets) ||
		(z->chain_len != 0 && !is_inside(len, chain, z->chain_len * sizeof *z->chain)) ||
		!is_inside(len, mrg_dns_stored_head_apex(head), sizeof *z->apex) ||
		!is_inside(len, mrg_dns_stored_head_negative(head), sizeof *z->negative))
		return false;
	z->buckets = (const uint32_t *)(const void *)mrg_dns_node_at(z, buckets);
	z->chain = z->chain_len != 0 ? (const uint32_t *)(const void *)mrg_dns_node_at(z, chain) : NULL;
	z->apex = mrg_dns_node_at(z, mrg_dns_stored_head_apex(head));
	z->negative = mrg_dns_node_at(z, mrg_dns_stored_head_negative(head));
	return true;
}

/* Its head, and of a zone that is not trusted its sum.  out   the zone's octets */
static enum mrg_status look_at(
	struct mrg_span in, bool trusted, struct mrg_dns_stored_head *head, struct mrg_span *out)
{
	struct mrg_dns_stored_zone all;
	enum mrg_status st = mrg_dns_stored_head_check(in, head, NULL);
	if (st != MRG_OK)
		return st;
	const size_t head_len = mrg_dns_stored_head_span(head).len, len = mrg_dns_stored_head_zone_size(head);
	if (!trusted) {
		st = mrg_dns_stored_zone_check(in, &all, NULL);
		if (st != MRG_OK)
			return st;
		if (mrg_dns_stored_zone_span(&all).len != in.len)
			return MRG_E_LENGTH;
	}
	if (in.len - head_len < len)
		return MRG_MORE;
	*out = (struct mrg_span){ in.p + head_len, len };
	return (uintptr_t)out->p % _Alignof(uint32_t) == 0 ? MRG_OK : MRG_E_VALUE;
}

enum mrg_status mrg_dns_zone_stored_open(
	struct mrg_span in, bool trusted, struct mrg_arena *arena, const struct mrg_dns_zone **out)
{
	struct mrg_dns_stored_head head;
	struct mrg_span octets;
	enum mrg_status st = look_at(in, trusted, &head, &octets);
	if (st != MRG_OK)
		return st;
	struct mrg_dns_zone *const z = mrg_arena_get(arena, sizeof *z, _Alignof(struct mrg_dns_zone));
	if (z == NULL)
		return MRG_E_SPACE;
	if (!take_head(z, &head, octets.p))
		return MRG_E_VALUE;
	st = trusted ? MRG_OK : check_octets(z, octets.len, arena);
	if (st != MRG_OK)
		return st;
	if (mrg_dns_name_flat_check(mrg_dns_node_name(z->apex), &z->origin) != MRG_OK ||
		!mrg_dns_zone_take_apart(z))
		return MRG_E_VALUE;
	*out = z;
	return MRG_OK;
}
