/*
 * Zones from the data of a virtual machine: see zones.h.
 * Reading order: zones_load at the end, then upwards.
 */
#include <string.h>

#include "appliances/common/say.h"
#include "appliances/dns/said.h"
#include "appliances/dns/vm/zones.h"

bool zones_take(struct zones *z, const char *value)
{
	char room[200];
	struct zone_given *const given = &z->given[z->count];
	if (z->count == ZONES_MAX)
		return said_no_zone(value, "too many zones");
	const char *const equals = strchr(value, '=');
	const size_t len = equals != NULL ? (size_t)(equals - value) : strlen(value);
	const char *const why = zone_origin_read((struct mrg_span){ (const uint8_t *)value, len },
		given->origin, &given->origin_len, room, sizeof room);
	if (why != NULL)
		return said_no_zone(value, why);
	given->file = equals != NULL ? equals + 1 : NULL;
	z->count++;
	return true;
}

/* ---- where the texts are ---- */

/* The reader wants a NUL behind the text, so this is a copy. */
static bool take_text(struct zone_given *z, struct mrg_arena *arena, struct mrg_span text)
{
	uint8_t *const p = mrg_arena_get(arena, text.len + 1u, 1);
	if (p == NULL)
		return said_no_zone(z->name, "too little memory for its text");
	if (text.len != 0)
		memcpy(p, text.p, text.len);
	z->text = (struct mrg_span){ p, text.len };
	return true;
}

static bool take_file(struct zones *z, struct zone_given *given, struct mrg_arena *arena)
{
	struct mrg_rt_file *f;
	const struct mrg_span path = { (const uint8_t *)given->file, strlen(given->file) };
	if (mrg_rt_tree_open(&z->archive.tree, path, 0, &f) != MRG_RT_FILE)
		return said_no_zone(given->file, "no such file in the archive");
	given->name = given->file;
	return take_text(given, arena, (struct mrg_span){ f->p, (size_t)f->size });
}

static bool has_files(const struct zones *z)
{
	for (size_t i = 0; i < z->count; i++)
		if (z->given[i].file != NULL)
			return true;
	return false;
}

static bool take_texts(struct zones *z, struct vm_app *app)
{
	const struct mrg_span data = vm_app_data(app);
	const char *const name = vm_app_data_name(app);
	if (data.p == NULL)
		return said_no_zone(NULL, "there is neither an initrd nor a zone in the image");
	if (has_files(z) && mrg_archive_tree_open(&z->archive, data, &app->arena, NULL) != MRG_OK)
		return said_no_zone(name, "not an archive");
	for (size_t i = 0; i < z->count; i++) {
		struct zone_given *const given = &z->given[i];
		given->name = name;
		if (!(given->file != NULL ? take_file(z, given, &app->arena)
					  : take_text(given, &app->arena, data)))
			return false;
	}
	return true;
}

/* ---- reading ---- */

static const char *open_text(void *ctx, bool again, struct mrg_dns_master_source *out)
{
	const struct zone_given *const z = ctx;
	(void)again;
	*out = (struct mrg_dns_master_source){ .p = z->text.p, .len = z->text.len, .name = z->name };
	return NULL;
}

static void log_fault(void *ctx, const struct fault *f)
{
	(void)ctx;
	said_fault(f);
}

static const struct mrg_dns_zone *read_zone(struct zone_given *z, struct mrg_arena *arena)
{
	static struct mrg_dns_master master;
	static struct zone_read reading;
	const struct zone_source source = {
		.file = z->name, .origin = { z->origin, z->origin_len }, .ctx = z, .open = open_text
	};
	const struct report report = { .fault = log_fault };
	const struct mrg_dns_zone *const zone = zone_read(&reading, &source, &master, arena, &report);
	if (zone != NULL)
		said_zone(zone, z->name);
	return zone;
}

bool zones_load(struct zones *z, struct vm_app *app, struct mrg_dns_db *db)
{
	if (z->count == 0)
		return said_no_zone(NULL, "expected --zone ORIGIN");
	if (!take_texts(z, app))
		return false;
	for (size_t i = 0; i < z->count; i++) {
		z->read[i] = read_zone(&z->given[i], &app->arena);
		if (z->read[i] == NULL)
			return false;
	}
	switch (mrg_dns_db_init(db, &app->arena, z->read, z->count)) {
	case MRG_OK: return true;
	case MRG_E_SPACE: return said_no_zone(NULL, "too little memory");
	default: return said_no_zone(NULL, "two zones have the same origin");
	}
}
