/* The zones that are kept: see zone_table.h. */
#include "appliances/dns/system.h"
#include "appliances/dns/zone_table.h"

enum { FIRST = 16 };

/* Where a name is to be looked for first. */
static size_t home_of(const struct zone_table *t, struct mrg_span origin)
{
	const uint64_t hash = mrg_dns_name_hash_item(mrg_dns_name_hash_stop(), origin);
	return (size_t)((hash >> 32) * t->slot_count >> 32);
}

static size_t next_of(const struct zone_table *t, size_t slot)
{
	return slot + 1 < t->slot_count ? slot + 1 : 0;
}

/* The slot of a name: the one that has it, or the free one where it goes. */
static size_t slot_of(const struct zone_table *t, struct mrg_span origin)
{
	size_t i = home_of(t, origin);
	while (t->slots[i] != NULL && !mrg_dns_name_flat_equal(zone_entry_origin(t->slots[i]), origin))
		i = next_of(t, i);
	return i;
}

struct zone_entry *zone_table_find(const struct zone_table *t, struct mrg_span origin)
{
	return t->count != 0 ? t->slots[slot_of(t, origin)] : NULL;
}

/* Of the list, and of the slots behind it. */
static size_t slots_for(size_t cap) { return 2 * cap + 1; }

static size_t size_for(size_t cap) { return (cap + slots_for(cap)) * sizeof(struct zone_entry *); }

/* Room for twice as many. */
static bool grow(struct zone_table *t)
{
	const size_t before = t->cap, cap = before == 0 ? FIRST : 2 * before;
	struct zone_entry **const old = t->list, **const list = system_get(size_for(cap));
	if (list == NULL)
		return false;
	t->list = list;
	t->slots = list + cap;
	t->slot_count = slots_for(cap);
	t->cap = cap;
	for (size_t i = 0; i < t->count; i++) {
		list[i] = old[i];
		t->slots[slot_of(t, zone_entry_origin(list[i]))] = list[i];
	}
	if (before != 0)
		system_put(old, size_for(before));
	return true;
}

struct zone_entry *zone_table_add(struct zone_table *t, struct mrg_span origin)
{
	if (t->count == t->cap && !grow(t))
		return NULL;
	struct zone_entry *const e = system_get(sizeof *e);
	if (e == NULL)
		return NULL;
	memcpy(e->origin, origin.p, origin.len);
	e->origin_len = origin.len;
	e->place = t->count;
	t->list[t->count++] = e;
	t->slots[slot_of(t, origin)] = e;
	return e;
}

/* Who was put behind a slot because it was taken moves up when it is free. */
static void free_slot(struct zone_table *t, size_t gap)
{
	for (size_t i = next_of(t, gap); t->slots[i] != NULL; i = next_of(t, i)) {
		const size_t home = home_of(t, zone_entry_origin(t->slots[i]));
		const bool between = gap <= i ? gap < home && home <= i : gap < home || home <= i;
		if (between)
			continue;
		t->slots[gap] = t->slots[i];
		gap = i;
	}
	t->slots[gap] = NULL;
}

void zone_table_remove(struct zone_table *t, struct zone_entry *e)
{
	struct zone_entry *const last = t->list[t->count - 1];
	free_slot(t, slot_of(t, zone_entry_origin(e)));
	t->list[e->place] = last;
	last->place = e->place;
	t->count--;
	if (e->now.version != NULL)
		version_drop(e->now.version);
	if (e->now.option != NULL)
		zone_option_drop(e->now.option);
	system_put(e, sizeof *e);
}

static bool same_file(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

void zone_entry_say(struct zone_entry *e, const struct zone_option *option)
{
	e->kept = e->kept && same_file(e->now.option->file, option->file);
	zone_option_keep(option);
	if (e->now.option != NULL)
		zone_option_drop(e->now.option);
	e->now.option = option;
}
