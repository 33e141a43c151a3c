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

enum mrg_status mrg_dns_zone_chain_all(struct mrg_dns_zone *z, struct mrg_arena *a, struct mrg_arena *scratch)
{
	size_t count = 0, i = 0, bucket = 0;
	for (const struct mrg_dns_node *n = mrg_dns_zone_first(z, &bucket); n != NULL;
		n = mrg_dns_zone_after(z, n, &bucket))
		count += mrg_dns_zone_in_chain(z, n);
	uint32_t *const chain = mrg_arena_get(a, count * sizeof *chain, _Alignof(uint32_t));
	struct mrg_arena above = *scratch;
	const void **const list = mrg_arena_get(&above, 2 * count * sizeof *list, _Alignof(void *));
	if (chain == NULL || list == NULL)
		return MRG_E_SPACE;
	bucket = 0;
	for (const struct mrg_dns_node *n = mrg_dns_zone_first(z, &bucket); n != NULL;
		n = mrg_dns_zone_after(z, n, &bucket)) {
		if (mrg_dns_zone_in_chain(z, n))
			list[i++] = n;
	}
	mrg_dns_zone_sort(list, list + count, count, mrg_dns_zone_before_name, NULL);
	for (i = 0; i < count; i++)
		chain[i] = mrg_dns_node_handle(z, list[i]);
	memset(list, 0, 2 * count * sizeof *list);
	z->chain = chain;
	z->chain_len = count;
	return MRG_OK;
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

enum mrg_status mrg_dns_zone_chain(struct mrg_dns_zone_builder *b, struct mrg_dns_zone_error *err)
{
	struct mrg_dns_zone *const z = b->zone;
	const struct mrg_span origin = mrg_dns_name_flat_from(&z->origin, 0);
	if (mrg_dns_zone_denial(z) != MRG_OK)
		return mrg_dns_zone_die(
			b, err, MRG_DNS_ZONE_NSEC3, MRG_E_LIMIT, origin, MRG_DNS_TYPE_NSEC3PARAM);
	if (z->denial != MRG_DNS_DENIAL_NONE && mrg_dns_zone_chain_all(z, b->arena, b->arena) != MRG_OK)
		return mrg_dns_zone_die(b, err, MRG_DNS_ZONE_FULL, MRG_E_SPACE, origin, 0);
	return MRG_OK;
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
