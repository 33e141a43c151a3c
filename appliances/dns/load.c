/*
 * Zone files to a database: the master file reader's records go to the zone builder, what either refuses to the report.
 *
 * Two memories are used: the database's own arena, and a scratch arena for the reader and what it knows of open files.
 * Reading order: struct reading, keep (a record), include, read_zone, load.
 */
#include <errno.h>

#include "appliances/dns/load.h"
#include "appliances/common/say.h"
#include "dns/name_text.h"
#include "protocols/dns/master.h"
#include "unix/mrg_unix.h"

enum {
	MIB = 1 << 20,
	HUGE_AT = 2 * MIB,      /* octets of text from which on the database is worth huge pages */
	POLL_RECORDS = 1 << 16, /* records between two looks for a signal */
	OWNER_TEXT = 1100, /* a name as text: 255 octets, each at most four characters, and a type's name */
	ARENA_LEAST = 16 * MIB,
	SCRATCH = 256 * MIB /* address space, hardly any of it memory */
};

/* One zone being read. */
struct reading {
	const struct zone_option *option;
	const struct report *report;
	struct mrg_arena *scratch;
	struct mrg_dns_master *master;
	struct mrg_dns_zone_builder builder;
	size_t faults;
	uint64_t records;
	bool stoppable, stopped;
	/* looking for the line of a record: see look */
	const struct mrg_dns_zone_error *wanted;
	struct fault found;
};

static void tell(struct reading *r, const struct fault *f)
{
	r->faults++;
	r->report->fault(r->report->ctx, f);
}

/* `www.example.org. CNAME`, as far as known; returns out. */
static const char *put_owner(const struct mrg_dns_zone_error *e, char out[OWNER_TEXT])
{
	struct mrg_w w;
	struct mrg_dns_name name;
	const char *const type = mrg_dns_type_str(e->type);
	mrg_w_init(&w, out, OWNER_TEXT - 1);
	if (e->owner.count != 0 && mrg_dns_name_check((struct mrg_span){ e->owner.b, e->owner.len },
					   (struct mrg_span){ NULL, 0 }, &name, NULL) == MRG_OK)
		mrg_dns_name_to_text(&name, &w);
	if (type != NULL && e->type != 0) {
		if (w.len != 0)
			mrg_w_u8(&w, ' ');
		mrg_w_put(&w, (struct mrg_span){ (const uint8_t *)type, strlen(type) });
	}
	out[w.len] = '\0';
	return out;
}

static const char *what_of(const struct mrg_dns_zone_error *e)
{
	return e->fault == MRG_DNS_ZONE_RDATA && e->reject.site != NULL ? e->reject.site->what
									: mrg_dns_zone_fault_str(e->fault);
}

/* ---- events of the reader ---- */

static bool keep(void *ctx, const struct mrg_dns_master_rr *rr)
{
	struct reading *const r = ctx;
	struct mrg_dns_zone_error why;
	char owner[OWNER_TEXT];
	if (r->stoppable && r->records % POLL_RECORDS == 0 && mrg_unix_signals_stop()) {
		r->stopped = true;
		return false;
	}
	r->records++;
	if (mrg_dns_zone_add(&r->builder, rr->owner, rr->type, rr->class, rr->ttl, rr->rdata, &why) == MRG_OK)
		return true;
	tell(r, &(struct fault){ rr->file, rr->line, rr->col, put_owner(&why, owner), what_of(&why) });
	return why.fault != MRG_DNS_ZONE_FULL && why.fault != MRG_DNS_ZONE_DEAD;
}

static void refuse(void *ctx, const struct mrg_dns_master_error *e)
{
	tell(ctx, &(struct fault){ e->file, e->line, e->col, e->field, e->what });
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
static int open_file(const struct reading *r, const char *path, struct mrg_dns_master_source *out)
{
	struct source *const s = mrg_arena_get(r->scratch, sizeof *s, _Alignof(struct source));
	const int err = s != NULL ? mrg_unix_lines_open(&s->lines, path) : ENOMEM;
	if (err != 0)
		return err;
	s->arena = r->wanted == NULL ? r->builder.arena : NULL;
	s->start = r->builder.arena->len;
	*out = (struct mrg_dns_master_source){
		.p = s->lines.p, .name = path, .ctx = s, .more = read_on, .done = close_file
	};
	return 0;
}

/* The name as it stands in the text, or beside the file that includes it; NUL-terminated, in scratch memory. */
static const char *make_path(struct reading *r, struct mrg_span name, const char *from_file, bool beside)
{
	const char *const slash = strrchr(from_file, '/');
	const size_t folder = beside && slash != NULL ? (size_t)(slash - from_file) + 1u : 0;
	char *const path = mrg_arena_get(r->scratch, folder + name.len + 1u, 1);
	if (path == NULL)
		return NULL;
	memcpy(path, from_file, folder);
	memcpy(path + folder, name.p, name.len);
	return path; /* arenas give zeroed memory */
}

/* A relative name is looked for beside the including file, then in the current directory, as other servers do. */
static bool include(void *ctx, struct mrg_span name, const char *from_file, struct mrg_dns_master_source *out)
{
	struct reading *const r = ctx;
	const bool absolute = name.len != 0 && name.p[0] == '/';
	if (memchr(name.p, '\0', name.len) != NULL)
		return false;
	const char *path = make_path(r, name, from_file, !absolute);
	if (path != NULL && open_file(r, path, out) == 0)
		return true;
	path = absolute ? NULL : make_path(r, name, from_file, false);
	return path != NULL && open_file(r, path, out) == 0;
}

/* ---- one zone ---- */

/* The last record of the owner and type that the builder complains of. */
static bool look(void *ctx, const struct mrg_dns_master_rr *rr)
{
	struct reading *const r = ctx;
	const struct mrg_span owner = { r->wanted->owner.b, r->wanted->owner.len };
	if (rr->type == r->wanted->type && mrg_span_eq_nocase(rr->owner, owner)) {
		r->found.file = rr->file;
		r->found.line = rr->line;
		r->found.col = rr->col;
	}
	return true;
}

/* False: it can't be opened, which is told. */
static bool open_zone(struct reading *r, struct mrg_dns_master_source *out)
{
	const int err = open_file(r, r->option->file, out);
	if (err != 0)
		tell(r, &(struct fault){ r->option->file, 0, 0, "", strerrordesc_np(err) });
	return err == 0;
}

static enum mrg_status read_text(struct reading *r, const struct mrg_dns_master_source *source,
	bool (*record)(void *ctx, const struct mrg_dns_master_rr *rr),
	void (*error)(void *ctx, const struct mrg_dns_master_error *e))
{
	const struct mrg_dns_master_events events = {
		.ctx = r, .record = record, .error = error, .include = include
	};
	size_t errors;
	return mrg_dns_master_read(r->master, source,
		(struct mrg_span){ r->option->origin, r->option->origin_len }, 0, &events, &errors);
}

/* What only the whole zone shows has no line of its own: read the text again for that of the record at fault. */
static void tell_whole(struct reading *r, const struct mrg_dns_zone_error *why)
{
	char owner[OWNER_TEXT];
	struct mrg_dns_master_source source;
	r->found = (struct fault){ r->option->file, 0, 0, put_owner(why, owner), what_of(why) };
	r->wanted = why;
	if (why->owner.count != 0 && open_zone(r, &source))
		(void)read_text(r, &source, look, NULL);
	tell(r, &r->found);
}

static void read_zone(struct reading *r, struct mrg_arena *arena, const struct mrg_dns_zone **out)
{
	struct mrg_dns_zone_error why = { .fault = MRG_DNS_ZONE_FULL };
	struct mrg_dns_master_source source;
	if (mrg_dns_zone_begin(&r->builder, arena,
		    (struct mrg_span){ r->option->origin, r->option->origin_len }) != MRG_OK) {
		tell(r, &(struct fault){ r->option->file, 0, 0, "", mrg_dns_zone_fault_str(why.fault) });
		return;
	}
	if (!open_zone(r, &source) || read_text(r, &source, keep, refuse) != MRG_OK || r->faults != 0)
		return;
	if (mrg_dns_zone_finish(&r->builder, out, &why) != MRG_OK)
		tell_whole(r, &why);
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
	db->server = (struct mrg_dns_server){
		.db = &db->index,
		.version = o->version,
		.identity = o->identity,
		.nsid = o->nsid,
		.udp_max = o->udp_max,
	};
	db->arena = arena;
	return db;
}

void database_free(struct database *db)
{
	struct mrg_arena arena = db->arena; /* which db lies in */
	mrg_unix_arena_close(&arena);
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
		struct reading r = {
			.option = &o->zones[i],
			.report = report,
			.scratch = scratch,
			.master = master,
			.stoppable = stoppable,
		};
		read_zone(&r, &db->arena, &db->zones[i]);
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
