/* The zones that a server has. */
#include "protocols/dns/db.h"

#include "protocols/dns/zone_store.h"

static bool has_depth(const struct mrg_dns_db *db, unsigned items)
{
	return (db->depths[items / 64u % 2u] >> items % 64u & 1u) != 0;
}

/* The slot of a zone name: the one that has it, or the free one where it goes. */
static size_t slot_of(const struct mrg_dns_db *db, struct mrg_span name)
{
	size_t i = (size_t)((mrg_dns_hash(name) >> 32) * db->slot_count >> 32);
	for (; db->slots[i] != NULL; i = i + 1 < db->slot_count ? i + 1 : 0) {
		if (mrg_dns_same_name(mrg_dns_name_flat_from(&db->slots[i]->origin, 0), name))
			break;
	}
	return i;
}

enum mrg_status mrg_dns_db_init(
	struct mrg_dns_db *db, struct mrg_arena *a, const struct mrg_dns_zone *const *zones, size_t count)
{
	memset(db, 0, sizeof *db);
	if (count > UINT32_MAX / 2)
		return MRG_E_SPACE;
	db->slot_count = 2 * count + 1;
	db->slots = mrg_arena_get(a, db->slot_count * sizeof *db->slots, _Alignof(void *));
	db->places = mrg_arena_get(a, db->slot_count * sizeof *db->places, _Alignof(uint32_t));
	if (db->slots == NULL || db->places == NULL)
		return MRG_E_SPACE;
	for (size_t i = 0; i < count; i++) {
		if (zones[i] == NULL)
			continue;
		const struct mrg_dns_name_flat *const origin = &zones[i]->origin;
		const size_t slot = slot_of(db, mrg_dns_name_flat_from(origin, 0));
		if (db->slots[slot] != NULL)
			return MRG_E_VALUE;
		db->slots[slot] = zones[i];
		db->places[slot] = (uint32_t)i;
		db->depths[origin->count / 64u % 2u] |= (uint64_t)1 << origin->count % 64u;
		db->only = db->zone_count++ == 0 ? zones[i] : NULL;
	}
	return MRG_OK;
}

const struct mrg_dns_zone *mrg_dns_db_find(
	const struct mrg_dns_db *db, const struct mrg_dns_name_flat *name, unsigned from)
{
	for (unsigned i = from; i < name->count && db->zone_count > 0; i++) {
		if (!has_depth(db, name->count - i))
			continue;
		const struct mrg_dns_zone *const z = db->slots[slot_of(db, mrg_dns_name_flat_from(name, i))];
		if (z != NULL)
			return z;
	}
	return NULL;
}

size_t mrg_dns_db_place(const struct mrg_dns_db *db, const struct mrg_dns_zone *zone)
{
	return db->places[slot_of(db, mrg_dns_name_flat_from(&zone->origin, 0))];
}
