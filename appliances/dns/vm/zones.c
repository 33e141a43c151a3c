/*
 * Zones from the data of a virtual machine: see zones.h.
 * Reading order: options, the data, reading, then zones_load and zones_begin.
 */
#include <string.h>

#include "appliances/common/conf.h"
#include "appliances/common/say.h"
#include "appliances/common/text_file.h"
#include "appliances/dns/said.h"
#include "appliances/dns/settings.h"
#include "appliances/dns/system.h"
#include "appliances/dns/vm/keeper.h"
#include "appliances/dns/vm/memory.h"
#include "appliances/dns/vm/zones.h"
#include "protocols/archive/tree.h"

struct zones {
	struct vm_app *app;
	const struct answering *answering;
	struct settings settings; /* that never end */
	struct mrg_archive_tree archive;
	bool opened; /* which it is */
	size_t most; /* octets of a version that is transferred; 0: not said */
	struct keeper keeper;
};

static struct zones zones; /* all zero: in no file */

struct zones *zones_of(struct vm_app *app, const struct answering *answering)
{
	zones.app = app;
	zones.answering = answering;
	zones.settings.options.zones.arena = &app->arena;
	atomic_init(&zones.settings.users, 1);
	memory_begin(app);
	return &zones;
}

/* ---- the data ---- */

static bool open_archive(struct zones *z)
{
	const struct mrg_span data = vm_app_data(z->app);
	if (!z->opened && data.p != NULL &&
		mrg_archive_tree_open(&z->archive, data, &z->app->arena, NULL) == MRG_OK)
		z->opened = true;
	return z->opened;
}

/* A file of the archive; NULL, or why there is none. */
static const char *find_file(struct zones *z, const char *path, struct mrg_span *out)
{
	struct mrg_rt_file *f;
	if (!open_archive(z))
		return "not an archive";
	if (mrg_rt_tree_open(&z->archive.tree, (struct mrg_span){ (const uint8_t *)path, strlen(path) }, 0,
		    &f) != MRG_RT_FILE)
		return "no such file in the archive";
	*out = (struct mrg_span){ f->p, (size_t)f->size };
	return NULL;
}

/* A copy with a NUL behind it, which another file may follow in the archive. */
static uint8_t *copy_text(struct mrg_arena *arena, struct mrg_span octets)
{
	uint8_t *const p = mrg_arena_get(arena, octets.len + 1u, 1);
	if (p != NULL && octets.len != 0)
		memcpy(p, octets.p, octets.len);
	return p;
}

const char *text_file_read(struct text_file *t, const char *path)
{
	struct mrg_span octets;
	const char *const why = find_file(&zones, path, &octets);
	if (why != NULL)
		return why;
	*t = (struct text_file){ .text = { copy_text(&zones.app->arena, octets), octets.len } };
	return t->text.p != NULL ? NULL : "too little memory for its text";
}

void text_file_close(struct text_file *t) { (void)t; }

/* ---- options ---- */

bool zones_take(struct zones *z, const char *value)
{
	char room[200];
	const char *const equals = strchr(value, '=');
	const size_t len = equals != NULL ? (size_t)(equals - value) : strlen(value);
	const char *const why =
		zone_option_put(&z->settings.options.zones, (struct mrg_span){ (const uint8_t *)value, len },
			equals != NULL ? equals + 1 : NULL, room, sizeof room);
	return why == NULL || said_no_zone(value, why);
}

bool zones_configure(struct zones *z, const char *path, const struct args *args, void *ctx)
{
	struct options *const o = &z->settings.options;
	const struct conf conf = { .args = args,
		.blocks = zone_option_blocks,
		.block_count = ZONE_OPTION_BLOCKS,
		.block_ctx = &o->zones };
	if (o->in_file) {
		say("mrg-dns: --config ", path, ": one configuration can't name another", NULL);
		return false;
	}
	o->in_file = true;
	const bool read = conf_read(&conf, ctx, o->zones.arena, path, &o->faults);
	o->in_file = false;
	return read && o->faults == 0;
}

bool zones_most(struct zones *z, const char *value)
{
	enum { MIB = 1 << 20, MOST = 1 << 10 };
	unsigned n;
	if (!args_number("mrg-dns", "--zone-memory", value, 1, MOST, &n))
		return false;
	z->most = (size_t)n * MIB;
	return true;
}

/* ---- reading ---- */

/* What is read: a copy, since the reader wants a NUL behind the text. */
struct text {
	struct mrg_span octets;
	const char *name; /* for messages */
};

static const char *open_text(void *ctx, bool again, struct mrg_dns_master_source *out)
{
	const struct text *const t = ctx;
	(void)again;
	*out = (struct mrg_dns_master_source){ .p = t->octets.p, .len = t->octets.len, .name = t->name };
	return NULL;
}

static void log_fault(void *ctx, const struct fault *f)
{
	(void)ctx;
	said_fault(f);
}

static const struct mrg_dns_zone *read_text(
	const struct zone_option *option, struct text *t, struct mrg_arena *arena)
{
	static struct mrg_dns_master master;
	static struct zone_read reading;
	const struct zone_source source = {
		.file = t->name, .origin = { option->origin, option->origin_len }, .ctx = t, .open = open_text
	};
	const struct report report = { .fault = log_fault };
	const struct mrg_dns_zone *const zone = zone_read(&reading, &source, &master, arena, &report);
	if (zone != NULL)
		said_zone(zone, t->name);
	return zone;
}

/* The zone of a text, as a version that stays: its nodes lie in the arena of all. */
static struct version *read_zone(struct zones *z, const struct zone_option *option, struct mrg_span octets)
{
	struct mrg_arena *const arena = &z->app->arena;
	struct text t = { .name = option->file != NULL ? option->file : vm_app_data_name(z->app) };
	const uint8_t *const p = copy_text(arena, octets);
	struct nodes *const nodes = mrg_arena_get(arena, sizeof *nodes, _Alignof(struct nodes));
	struct version *const v = mrg_arena_get(arena, sizeof *v, _Alignof(struct version));
	if (p == NULL || nodes == NULL || v == NULL) {
		(void)said_no_zone(t.name, "too little memory for its text");
		return NULL;
	}
	t.octets = (struct mrg_span){ p, octets.len };
	atomic_init(&nodes->users, 1);
	atomic_init(&v->users, 1);
	v->nodes = nodes;
	v->zone = read_text(option, &t, arena);
	return v->zone != NULL ? v : NULL;
}

/* That of a zone with primaries need not be there. */
static bool load_zone(struct zones *z, const struct zone_option *option)
{
	struct mrg_span octets = vm_app_data(z->app);
	struct version *v = NULL;
	const char *why = NULL;
	if (option->file != NULL)
		why = find_file(z, option->file, &octets);
	else if (option->primaries == NULL && octets.p == NULL)
		why = "there is neither an initrd nor a zone in the image";
	if (why != NULL && option->primaries == NULL)
		return said_no_zone(option->file, why);
	if (option->primaries == NULL || (option->file != NULL && why == NULL)) {
		v = read_zone(z, option, octets);
		if (v == NULL)
			return false;
	}
	keeper_add(&z->keeper, option, v);
	return true;
}

/* Everybody refuses what is signed in 1970. */
static void warn_without_clock(const struct zone_options *all)
{
	struct mrg_rt_line l;
	if (all->keys == NULL || system_time_s() != 0)
		return;
	mrg_rt_line_begin(&l, "warn", "no_clock");
	mrg_rt_line_str(&l, "why", "there are keys, and nobody has told the machine the time");
	mrg_rt_log_line(&stderr_log, &l);
}

static void warn_not_kept(const char *what, const char *name, const char *why)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "warn", "not_kept");
	mrg_rt_line_str(&l, what, name);
	mrg_rt_line_str(&l, "why", why);
	mrg_rt_log_line(&stderr_log, &l);
}

/* What a process has in files, and a machine forgets. */
static void warn_without_files(const struct zone_options *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].update != NULL)
			warn_not_kept("zone", all->list[i].text,
				"updates last until the machine ends: there is no disk");
	for (const struct zone_template *t = all->templates; t != NULL; t = t->next)
		if (t->zone.file != NULL)
			warn_not_kept("template", t->name,
				"members are kept in memory, and fetched again after a start: there is no disk");
}

bool zones_load(struct zones *z)
{
	struct zone_options *const all = &z->settings.options.zones;
	if (all->count == 0)
		return said_no_zone(NULL, "expected --zone ORIGIN");
	if (!zone_options_end(all) || !keeper_init(&z->keeper, z->app, &z->settings, all->count))
		return said_no_zone(NULL, "too little memory");
	warn_without_clock(all);
	warn_without_files(all);
	for (size_t i = 0; i < all->count; i++)
		if (!load_zone(z, &all->list[i]))
			return false;
	return true;
}

/* ---- answering ---- */

bool zones_begin(struct zones *z, struct mrg_dns_streams *streams)
{
	z->settings.options.answering = *z->answering;
	return keeper_begin(&z->keeper, z->most, streams);
}

static bool other(void *ctx, struct mrg_dgram_end *e, size_t index, struct mrg_dgram *d)
{
	const struct zones *const z = ctx;
	return others_datagram(&z->keeper.others, e, index, d);
}

struct answers zones_answers(const struct zones *z)
{
	return (struct answers){ .server = &z->keeper.db->server, .ctx = &zones, .other = other };
}

bool zones_other(struct zones *z, struct mrg_dns_call *call, struct mrg_span query, uint8_t *out, size_t cap,
	size_t *out_len, enum mrg_dns_said *said)
{
	return others_stream(&z->keeper.others, call, query, out, cap, out_len, said);
}

enum mrg_dns_said zones_next(struct zones *z, void *transfer, uint8_t *out, size_t cap, size_t *out_len)
{
	return sending_next(&z->keeper.sendings, transfer, out, cap, out_len);
}

void zones_done(struct zones *z, void *transfer) { sending_done(&z->keeper.sendings, transfer); }
