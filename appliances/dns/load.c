/*
 * Zone files to versions of zones.
 *
 * Two memories are used: that of the version, and a scratch arena for the reader and what it knows of open files.
 * Reading order: struct files, read_on, include, load.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "appliances/dns/load.h"
#include "appliances/common/say.h"
#include "unix/mrg_unix.h"

enum {
	MIB = 1 << 20,
	HUGE_PAGE = 2 * MIB,
	HUGE_AT = HUGE_PAGE, /* octets of text from which on the zone is worth huge pages */
	ARENA_LEAST = 16 * MIB,
	SCRATCH_LEAST = 16 * MIB,
	SCRATCH = 256 * MIB /* address space, hardly any of it memory */
};

/* The files of one zone. */
struct files {
	const char *path;
	struct mrg_arena *scratch;
	struct mrg_arena *growing; /* the zone's; NULL: what is read is not added to it */
	bool stoppable;
};

static bool stop(void *ctx)
{
	const struct files *const f = ctx;
	return f->stoppable && mrg_unix_signals_stop();
}

/* ---- files ---- */

/* A file that the reader is in; in scratch memory. */
struct source {
	struct mrg_unix_lines lines;
	struct mrg_arena *arena; /* of the zone that grows with what is read; NULL: nothing does */
	size_t start;            /* its size when the file was opened */
	size_t given;            /* octets of the file that the reader has got so far */
};

/* The zone grows on as it did for the octets used so far; what comes on top in the end is left aside. */
static void expect(const struct source *s, size_t used)
{
	enum { KIB = 1024, DOUBT = 32, AHEAD = 4 * MIB /* what is further off will be known better then */ };
	if (s->arena == NULL || s->lines.size < HUGE_AT || used < KIB)
		return;
	const size_t grown = (s->arena->len - s->start) / (used / KIB) * (s->lines.size / KIB);
	const size_t all = s->start + grown - grown / DOUBT, near = s->arena->len + AHEAD;
	mrg_unix_arena_expect(s->arena, all < near ? all : near);
}

static const char *read_on(void *ctx, struct mrg_span *text, bool stay)
{
	struct source *const s = ctx;
	const size_t before = text->len;
	expect(s, s->given - before);
	const int err = mrg_unix_lines_more(&s->lines, text, stay);
	s->given += text->len - before;
	return err != 0 ? strerrordesc_np(err) : NULL;
}

static void close_file(void *ctx)
{
	struct source *const s = ctx;
	mrg_unix_lines_close(&s->lines);
}

/* Open a file for the reader, which closes it.  Fails: what mrg_unix_lines_open says; ENOMEM. */
static int open_file(const struct files *f, const char *path, struct mrg_dns_master_source *out)
{
	struct source *const s = mrg_arena_get(f->scratch, sizeof *s, _Alignof(struct source));
	const int err = s != NULL ? mrg_unix_lines_open(&s->lines, path) : ENOMEM;
	if (err != 0)
		return err;
	s->arena = f->growing;
	s->start = f->growing != NULL ? f->growing->len : 0;
	*out = (struct mrg_dns_master_source){
		.p = s->lines.p, .name = path, .ctx = s, .more = read_on, .done = close_file
	};
	return 0;
}

/* The name as it stands in the text, or beside the file that includes it; NUL-terminated, in scratch memory. */
static const char *make_path(const struct files *f, struct mrg_span name, const char *from_file, bool beside)
{
	const char *const slash = strrchr(from_file, '/');
	const size_t folder = beside && slash != NULL ? (size_t)(slash - from_file) + 1u : 0;
	char *const path = mrg_arena_get(f->scratch, folder + name.len + 1u, 1);
	if (path == NULL)
		return NULL;
	memcpy(path, from_file, folder);
	memcpy(path + folder, name.p, name.len);
	return path; /* arenas give zeroed memory */
}

/* A relative name is looked for beside the including file, then in the current directory, as other servers do. */
static bool include(void *ctx, struct mrg_span name, const char *from_file, struct mrg_dns_master_source *out)
{
	const struct files *const f = ctx;
	const bool absolute = name.len != 0 && name.p[0] == '/';
	if (memchr(name.p, '\0', name.len) != NULL)
		return false;
	const char *path = make_path(f, name, from_file, !absolute);
	if (path != NULL && open_file(f, path, out) == 0)
		return true;
	path = absolute ? NULL : make_path(f, name, from_file, false);
	return path != NULL && open_file(f, path, out) == 0;
}

static const char *open_zone(void *ctx, bool again, struct mrg_dns_master_source *out)
{
	struct files *const f = ctx;
	if (again)
		f->growing = NULL;
	const int err = open_file(f, f->path, out);
	return err != 0 ? strerrordesc_np(err) : NULL;
}

/* ---- one zone ---- */

/* Address space for more than any text has asked for yet; memory is taken as it fills. */
static size_t reserve_for(const struct zone_option *z)
{
	const size_t len = mrg_unix_file_len(z->file), most = SIZE_MAX / 256u;
	const size_t more = 64u * (len < most ? len : most);
	return (size_t)1024 * MIB + more / HUGE_PAGE * HUGE_PAGE +
	       HUGE_PAGE; /* whole ones: neighbours are one mapping then */
}

enum outcome loader_open(struct loader *l, bool stoppable)
{
	if (mrg_unix_arena_open(&l->scratch, SCRATCH, SCRATCH_LEAST) != 0) {
		say("mrg-dns: not enough memory to read zones", NULL);
		return OUTCOME_SYSTEM;
	}
	l->master = mrg_arena_get(&l->scratch, sizeof *l->master, _Alignof(struct mrg_dns_master));
	l->stoppable = stoppable;
	return OUTCOME_OK;
}

void loader_close(struct loader *l) { mrg_unix_arena_close(&l->scratch); }

static enum outcome read_zone(struct loader *l, const struct zone_option *z, const struct report *report,
	struct mrg_arena *arena, const struct mrg_dns_zone **out)
{
	const size_t used = l->scratch.len;
	struct files files = {
		.path = z->file, .scratch = &l->scratch, .growing = arena, .stoppable = l->stoppable
	};
	const struct zone_source source = { .file = z->file,
		.origin = { z->origin, z->origin_len },
		.ctx = &files,
		.open = open_zone,
		.include = include,
		.stop = stop };
	struct zone_read r;
	*out = zone_read(&r, &source, l->master, arena, report);
	memset(l->scratch.p + used, 0, l->scratch.len - used);
	l->scratch.len = used;
	if (*out != NULL)
		return OUTCOME_OK;
	return r.stopped ? OUTCOME_SYSTEM : OUTCOME_INPUT;
}

static enum outcome no_memory(void)
{
	say("mrg-dns: not enough memory for the zones", NULL);
	return OUTCOME_SYSTEM;
}

/* What a secondary has kept is there to be served until a primary says more; without it there is nothing yet. */
static bool has_text(const struct zone_option *z)
{
	return z->primaries == NULL || (z->file != NULL && access(z->file, F_OK) == 0);
}

static enum outcome load_absent(const struct zone_option *z, struct version **out)
{
	return version_absent(out, (struct mrg_span){ z->origin, z->origin_len }) == 0 ? OUTCOME_OK
										       : no_memory();
}

enum outcome load_zone(
	struct loader *l, const struct zone_option *z, const struct report *report, struct version **out)
{
	struct version *v;
	if (!has_text(z))
		return load_absent(z, out);
	if (version_begin(&v, reserve_for(z)) != 0)
		return no_memory();
	const enum outcome outcome = read_zone(l, z, report, &v->nodes->arena, &v->zone);
	if (outcome != OUTCOME_OK) {
		version_drop(v);
		return outcome;
	}
	mrg_unix_arena_trim(&v->nodes->arena);
	*out = v;
	return OUTCOME_OK;
}

/* ---- all zones ---- */

static void drop_all(struct version **versions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (versions[i] != NULL)
			version_drop(versions[i]);
		versions[i] = NULL;
	}
}

/* Every zone is read, also after faults in one, so that all are told. */
enum outcome load_zones(const struct options *o, bool stoppable, const struct report *report,
	const struct load_which *which, struct version **versions)
{
	struct loader l;
	enum outcome outcome = loader_open(&l, stoppable);
	if (outcome != OUTCOME_OK)
		return outcome;
	for (size_t i = 0; i < o->zones.count && outcome != OUTCOME_SYSTEM; i++) {
		const struct zone_option *const z = &o->zones.list[i];
		if (which->held != NULL && which->held(which->ctx, z))
			continue;
		const enum outcome one = load_zone(&l, z, report, &versions[i]);
		if (one != OUTCOME_OK)
			outcome = one;
	}
	if (outcome != OUTCOME_OK)
		drop_all(versions, o->zones.count);
	loader_close(&l);
	return outcome;
}

enum outcome load_twice(const struct options *o, const struct report *report)
{
	report->fault(report->ctx,
		&(struct fault){ o->zones.list[0].file, 0, 0, "--zone", "two zones have the same origin" });
	return OUTCOME_INPUT;
}

static enum outcome make_database(struct settings *settings, const struct report *report,
	struct version *const *versions, struct served *zones, struct database **out)
{
	const struct options *const o = &settings->options;
	for (size_t i = 0; i < o->zones.count; i++)
		zones[i] = (struct served){ versions[i], &o->zones.list[i] };
	switch (database_new(out, settings, zones, o->zones.count)) {
	case MRG_OK: return OUTCOME_OK;
	case MRG_E_VALUE: return load_twice(o, report);
	default: return no_memory();
	}
}

enum outcome load(
	struct settings *settings, bool stoppable, const struct report *report, struct database **out)
{
	const size_t count = settings->options.zones.count;
	struct version **const versions = calloc(count, sizeof(struct version *));
	struct served *const zones = calloc(count, sizeof *zones);
	enum outcome outcome = versions != NULL && zones != NULL
				       ? load_zones(&settings->options, stoppable, report,
						 &(struct load_which){ 0 }, versions)
				       : no_memory();
	if (outcome == OUTCOME_OK) {
		outcome = make_database(settings, report, versions, zones, out);
		drop_all(versions, count);
	}
	free(versions);
	free(zones);
	return outcome;
}

enum outcome load_alone(const struct options *o, const struct report *report, struct mrg_arena *arena,
	const struct mrg_dns_zone **out)
{
	struct loader l;
	const struct zone_option *const z = &o->zones.list[0];
	enum outcome outcome = loader_open(&l, false);
	if (outcome != OUTCOME_OK)
		return outcome;
	outcome = mrg_unix_arena_open(arena, reserve_for(z), ARENA_LEAST) != 0
			  ? no_memory()
			  : read_zone(&l, z, report, arena, out);
	loader_close(&l);
	return outcome;
}
