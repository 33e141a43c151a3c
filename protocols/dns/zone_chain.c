/* The NSEC or NSEC3 chain of a signed zone. */
#include "protocols/dns/zone_chain.h"

#include "dns/rr.h"
#include "protocols/dns/zone_sort.h"

enum { ITERATIONS_MAX = 2500 }; /* RFC 5155 10.3: the most for any key size */

/* View the first record of a set. */
static bool first_rr(const struct mrg_dns_node *n, const struct mrg_dns_rrset *s, struct mrg_dns_rr *out)
{
	return mrg_dns_rr_check(mrg_dns_rrset_wire(s, false), mrg_dns_rrset_message(n, s), out, NULL) ==
	       MRG_OK;
}

bool mrg_dns_zone_in_chain(const struct mrg_dns_zone *z, const struct mrg_dns_node *n)
{
	struct mrg_dns_rr rr;
	struct mrg_dns_nsec3 nsec3;
	if (z->denial == MRG_DNS_DENIAL_NSEC)
		return mrg_dns_node_find(n, MRG_DNS_TYPE_NSEC) != NULL;
	const struct mrg_dns_rrset *const s = mrg_dns_node_find(n, MRG_DNS_TYPE_NSEC3);
	if (s == NULL || !first_rr(n, s, &rr) || !mrg_dns_rr_rdata_as_nsec3(&rr, &nsec3))
		return false;
	return mrg_dns_nsec3_hash_algorithm(&nsec3) == MRG_DNS_NSEC3_HASH_SHA1 &&
	       mrg_dns_nsec3_iterations(&nsec3) == z->nsec3.iterations &&
	       mrg_span_eq(mrg_dns_nsec3_salt(&nsec3), (struct mrg_span){ z->nsec3.salt, z->nsec3.salt_len });
}

/* The parameters that the zone announces: the first that we can use.  RFC 5155 section 4.1.2: no flags. */
static bool find_params(struct mrg_dns_zone *z)
{
	const struct mrg_dns_rrset *const s = mrg_dns_node_find(z->apex, MRG_DNS_TYPE_NSEC3PARAM);
	if (s == NULL)
		return false;
	const struct mrg_span message = mrg_dns_rrset_message(z->apex, s);
	struct mrg_span left = mrg_dns_rrset_wire(s, false);
	struct mrg_dns_rr rr;
	struct mrg_dns_nsec3param param;
	while (left.len > 0 && mrg_dns_rr_check(left, message, &rr, NULL) == MRG_OK) {
		if (mrg_dns_rr_rdata_as_nsec3param(&rr, &param) && mrg_dns_nsec3param_flags(&param) == 0 &&
			mrg_dns_nsec3param_hash_algorithm(&param) == MRG_DNS_NSEC3_HASH_SHA1) {
			const struct mrg_span salt = mrg_dns_nsec3param_salt(&param);
			z->nsec3.iterations = mrg_dns_nsec3param_iterations(&param);
			z->nsec3.salt_len = (uint8_t)salt.len;
			if (salt.len > 0)
				memcpy(z->nsec3.salt, salt.p, salt.len);
			return true;
		}
		left = mrg_dns_after(left, rr.len);
	}
	return false;
}

bool mrg_dns_zone_before_name(const void *ctx, const void *a, const void *b)
{
	struct mrg_dns_name_flat x, y;
	(void)ctx;
	if (mrg_dns_name_flat_check(mrg_dns_node_name(a), &x) != MRG_OK ||
		mrg_dns_name_flat_check(mrg_dns_node_name(b), &y) != MRG_OK)
		return false;
	return mrg_dns_name_flat_order(&x, &y) < 0;
}

/* Over some more nodes: count those in the chain, or list them.   Returns: whether that were all. */
static bool walk_on(struct mrg_dns_zone_chaining *c)
{
	const struct mrg_dns_zone *const z = c->zone;
	for (unsigned i = 0; i < MRG_DNS_ZONE_PIECE && c->node != NULL; i++) {
		if (mrg_dns_zone_in_chain(z, c->node)) {
			if (c->step == MRG_DNS_CHAIN_LIST)
				c->list[c->listed++] = c->node;
			else
				c->count++;
		}
		c->node = mrg_dns_zone_after(z, c->node, &c->bucket);
	}
	return c->node == NULL;
}

static void walk_from_start(struct mrg_dns_zone_chaining *c)
{
	c->bucket = 0;
	c->node = mrg_dns_zone_first(c->zone, &c->bucket);
}

static enum mrg_status begin_list(struct mrg_dns_zone_chaining *c)
{
	c->chain = mrg_arena_get(c->a, c->count * sizeof *c->chain, _Alignof(uint32_t));
	c->mark = c->scratch->len;
	c->list = mrg_arena_get(c->scratch, 2 * c->count * sizeof *c->list, _Alignof(void *));
	c->step = MRG_DNS_CHAIN_LIST;
	walk_from_start(c);
	return c->chain != NULL && c->list != NULL ? MRG_MORE : MRG_E_SPACE;
}

static enum mrg_status end_list(struct mrg_dns_zone_chaining *c)
{
	for (size_t i = 0; i < c->count; i++)
		c->chain[i] = mrg_dns_node_handle(c->zone, c->list[i]);
	memset(c->scratch->p + c->mark, 0, c->scratch->len - c->mark);
	c->scratch->len = c->mark;
	c->zone->chain = c->chain;
	c->zone->chain_len = c->count;
	return MRG_OK;
}

void mrg_dns_zone_chain_begin(struct mrg_dns_zone_chaining *c, struct mrg_dns_zone *z, struct mrg_arena *a,
	struct mrg_arena *scratch)
{
	*c = (struct mrg_dns_zone_chaining){ .zone = z, .a = a, .scratch = scratch };
	walk_from_start(c);
}

enum mrg_status mrg_dns_zone_chain_some(struct mrg_dns_zone_chaining *c)
{
	switch (c->step) {
	case MRG_DNS_CHAIN_COUNT: return walk_on(c) ? begin_list(c) : MRG_MORE;
	case MRG_DNS_CHAIN_LIST:
		if (walk_on(c)) {
			mrg_dns_zone_sort_begin(&c->sorting, c->list, c->list + c->count, c->count,
				mrg_dns_zone_before_name, NULL);
			c->step = MRG_DNS_CHAIN_SORT;
		}
		return MRG_MORE;
	default: return mrg_dns_zone_sort_some(&c->sorting, MRG_DNS_ZONE_PIECE) ? end_list(c) : MRG_MORE;
	}
}

enum mrg_status mrg_dns_zone_chain_all(struct mrg_dns_zone *z, struct mrg_arena *a, struct mrg_arena *scratch)
{
	struct mrg_dns_zone_chaining c;
	enum mrg_status st = MRG_MORE;
	mrg_dns_zone_chain_begin(&c, z, a, scratch);
	while (st == MRG_MORE)
		st = mrg_dns_zone_chain_some(&c);
	return st;
}

enum mrg_status mrg_dns_zone_denial(struct mrg_dns_zone *z)
{
	z->nsec3 = (struct mrg_dns_nsec3_params){ 0 };
	z->denial = MRG_DNS_DENIAL_NONE;
	if (find_params(z))
		z->denial = MRG_DNS_DENIAL_NSEC3;
	else if (mrg_dns_node_find(z->apex, MRG_DNS_TYPE_NSEC) != NULL)
		z->denial = MRG_DNS_DENIAL_NSEC;
	return z->nsec3.iterations <= ITERATIONS_MAX ? MRG_OK : MRG_E_LIMIT;
}

size_t mrg_dns_chain_place(const struct mrg_dns_zone *z, const struct mrg_dns_name_flat *name, bool *exact)
{
	size_t lo = 0, hi = z->chain_len; /* owners below lo stand at or before name, from hi on after it */
	*exact = false;
	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;
		struct mrg_dns_name_flat owner;
		if (mrg_dns_name_flat_check(mrg_dns_node_name(mrg_dns_node_at(z, z->chain[mid])), &owner) !=
			MRG_OK)
			return 0;
		const int order = mrg_dns_name_flat_order(&owner, name);
		if (order <= 0)
			lo = mid + 1;
		else
			hi = mid;
		*exact = *exact || order == 0;
	}
	return lo;
}

const struct mrg_dns_node *mrg_dns_chain_before(
	const struct mrg_dns_zone *z, const struct mrg_dns_name_flat *name, bool *exact)
{
	const size_t place = mrg_dns_chain_place(z, name, exact);
	if (z->chain_len == 0)
		return NULL;
	return mrg_dns_node_at(z, z->chain[place > 0 ? place - 1 : z->chain_len - 1]);
}
