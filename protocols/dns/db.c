/* The zones that a server has. */
#include "protocols/dns/db.h"

#include "protocols/dns/zone_store.h"

static bool has_depth(const struct mrg_dns_db *db, unsigned items)
{
	return (db->depths[items / 64u % 2u] >> items % 64u & 1u) != 0;
}

/* The slot of a zone name: the one that has it, or the free one where it goes. */
static const struct mrg_dns_zone **slot_of(const struct mrg_dns_db *db, struct mrg_span name)
{
	size_t i = (size_t)((mrg_dns_hash(name) >> 32) * db->slot_count >> 32);
	for (; db->slots[i] != NULL; i = i + 1 < db->slot_count ? i + 1 : 0) {
		if (mrg_dns_same_name(mrg_dns_name_flat_from(&db->slots[i]->origin, 0), name))
			break;
	}
	return &db->slots[i];
}

enum mrg_status mrg_dns_db_init(
	struct mrg_dns_db *db, struct mrg_arena *a, const struct mrg_dns_zone *const *zones, size_t count)
{
	memset(db, 0, sizeof *db);
	if (count > UINT32_MAX / 2)
		return MRG_E_SPACE;
	db->slot_count = 2 * count + 1;
	db->slots = mrg_arena_get(a, db->slot_count * sizeof *db->slots, _Alignof(void *));
	if (db->slots == NULL)
		return MRG_E_SPACE;
	for (size_t i = 0; i < count; i++) {
		const struct mrg_dns_name_flat *const origin = &zones[i]->origin;
		const struct mrg_dns_zone **const slot = slot_of(db, mrg_dns_name_flat_from(origin, 0));
		if (*slot != NULL)
			return MRG_E_VALUE;
		*slot = zones[i];
		db->depths[origin->count / 64u % 2u] |= (uint64_t)1 << origin->count % 64u;
		db->zone_count++;
	}
	db->only = count == 1 ? zones[0] : NULL;
	return MRG_OK;
}

const struct mrg_dns_zone *mrg_dns_db_find(
	const struct mrg_dns_db *db, const struct mrg_dns_name_flat *name, unsigned from)
{
	for (unsigned i = from; i < name->count && db->zone_count > 0; i++) {
		if (!has_depth(db, name->count - i))
			continue;
		const struct mrg_dns_zone *const z = *slot_of(db, mrg_dns_name_flat_from(name, i));
		if (z != NULL)
			return z;
	}
	return NULL;
}
