/*
 * Zone files to a database.
 *
 * Two memories are used: the database's own arena, and a scratch arena for the reader and what it knows of open files.
 * Reading order: struct files, read_on, include, load.
 */
#include <errno.h>

#include "appliances/dns/load.h"
#include "appliances/common/say.h"
#include "unix/mrg_unix.h"

enum {
	MIB = 1 << 20,
	HUGE_AT = 2 * MIB, /* octets of text from which on the database is worth huge pages */
	ARENA_LEAST = 16 * MIB,
	SCRATCH = 256 * MIB /* address space, hardly any of it memory */
};

/* The files of one zone. */
struct files {
	const char *path;
	struct mrg_arena *scratch;
	struct mrg_arena *growing; /* the database's; NULL: what is read is not added to it */
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
	struct mrg_arena *arena; /* of the database that grows with what is read; NULL: nothing does */
	size_t start;            /* its size when the file was opened */
	size_t given;            /* octets of the file that the reader has got so far */
};

/* The database grows on as it did for the octets used so far; what comes on top in the end is left aside. */
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

/* ---- all zones ---- */

static size_t text_len(const struct options *o)
{
	size_t sum = 0;
	for (size_t i = 0; i < o->zone_count; i++) {
		const size_t len = mrg_unix_file_len(o->zones[i].file);
		sum = len < SIZE_MAX / 256u - sum ? sum + len : SIZE_MAX / 256u;
	}
	return sum;
}

static struct database *make_database(const struct options *o)
{
	const size_t text = text_len(o);
	struct mrg_arena arena;
	/* Address space for more than any text has asked for yet; memory is taken as it fills. */
	if (mrg_unix_arena_open(&arena, (size_t)1024 * MIB + 64u * text, ARENA_LEAST) != 0)
		return NULL;
	struct database *const db = mrg_arena_get(&arena, sizeof *db, _Alignof(struct database));
	db->zones = mrg_arena_get(
		&arena, o->zone_count * sizeof *db->zones, _Alignof(const struct mrg_dns_zone *));
	db->server = o->server;
	db->server.db = &db->index;
	db->arena = arena;
	return db;
}

void database_free(struct database *db)
{
	struct mrg_arena arena = db->arena; /* which db lies in */
	mrg_unix_arena_close(&arena);
}

static const struct mrg_dns_zone *read_zone(struct zone_read *r, const struct zone_option *z,
	struct files *files, struct mrg_dns_master *master, struct mrg_arena *arena,
	const struct report *report)
{
	const struct zone_source source = { .file = z->file,
		.origin = { z->origin, z->origin_len },
		.ctx = files,
		.open = open_zone,
		.include = include,
		.stop = stop };
	return zone_read(r, &source, master, arena, report);
}

/* Read every zone, also after faults in one, so that all are told. */
static enum outcome fill(struct database *db, const struct options *o, bool stoppable,
	const struct report *report, struct mrg_arena *scratch)
{
	struct mrg_dns_master *const master =
		mrg_arena_get(scratch, sizeof *master, _Alignof(struct mrg_dns_master));
	size_t faults = 0;
	for (size_t i = 0; i < o->zone_count; i++) {
		const size_t used = scratch->len;
		struct files files = { .path = o->zones[i].file,
			.scratch = scratch,
			.growing = &db->arena,
			.stoppable = stoppable };
		struct zone_read r;
		db->zones[i] = read_zone(&r, &o->zones[i], &files, master, &db->arena, report);
		memset(scratch->p + used, 0, scratch->len - used);
		scratch->len = used;
		if (r.stopped)
			return OUTCOME_SYSTEM;
		faults += r.faults;
		db->record_count += db->zones[i] != NULL ? mrg_dns_zone_records(db->zones[i]) : 0;
	}
	if (faults != 0)
		return OUTCOME_INPUT;
	switch (mrg_dns_db_init(&db->index, &db->arena, db->zones, o->zone_count)) {
	case MRG_OK: return OUTCOME_OK;
	case MRG_E_VALUE:
		report->fault(report->ctx, &(struct fault){ o->zones[0].file, 0, 0, "--zone",
						   "two zones have the same origin" });
		return OUTCOME_INPUT;
	default: say("mrg-dns: not enough memory for the zones", NULL); return OUTCOME_SYSTEM;
	}
}

enum outcome load(const struct options *o, bool stoppable, const struct report *report, struct database **out)
{
	struct mrg_arena scratch;
	struct database *const db = make_database(o);
	if (db == NULL || mrg_unix_arena_open(&scratch, SCRATCH, ARENA_LEAST) != 0) {
		say("mrg-dns: not enough memory for the zones", NULL);
		if (db != NULL)
			database_free(db);
		return OUTCOME_SYSTEM;
	}
	const enum outcome outcome = fill(db, o, stoppable, report, &scratch);
	mrg_unix_arena_close(&scratch);
	if (outcome != OUTCOME_OK) {
		database_free(db);
		return outcome;
	}
	mrg_unix_arena_trim(&db->arena);
	*out = db;
	return OUTCOME_OK;
}

enum outcome load_alone(const struct options *o, const struct report *report, struct mrg_arena *arena,
	const struct mrg_dns_zone **out)
{
	struct mrg_arena scratch;
	struct zone_read r;
	if (mrg_unix_arena_open(&scratch, SCRATCH, ARENA_LEAST) != 0 ||
		mrg_unix_arena_open(arena, (size_t)1024 * MIB + 64u * text_len(o), ARENA_LEAST) != 0) {
		say("mrg-dns: not enough memory for the zone", NULL);
		return OUTCOME_SYSTEM;
	}
	struct mrg_dns_master *const master =
		mrg_arena_get(&scratch, sizeof *master, _Alignof(struct mrg_dns_master));
	struct files files = { .path = o->zones[0].file, .scratch = &scratch, .growing = arena };
	*out = read_zone(&r, &o->zones[0], &files, master, arena, report);
	mrg_unix_arena_close(&scratch);
	return *out != NULL ? OUTCOME_OK : OUTCOME_INPUT;
}
