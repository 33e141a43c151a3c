/*
 * Zone files to a database: the master file reader's records go to the zone builder, what either refuses to the report.
 *
 * Two memories are used: the database's own arena, and a scratch arena for the reader and for the texts of included files.
 * Reading order: struct reading, keep (a record), include, read_zone, load.
 */
#include "appliances/dns/load.h"
#include "appliances/dns/say.h"
#include "dns/name_text.h"
#include "protocols/dns/master.h"
#include "unix/mrg_unix.h"

enum {
	MIB = 1 << 20,
	HUGE_AT = 2 * MIB,      /* octets of zone text from which on the database is worth huge pages */
	FORGET_STEP = MIB / 4,  /* octets of text given back at once */
	POLL_RECORDS = 1 << 16, /* records between two looks for a signal */
	OWNER_TEXT = 1100, /* a name as text: 255 octets, each at most four characters, and a type's name */
	ARENA_LEAST = 16 * MIB,
	SCRATCH = 256 * MIB /* address space, hardly any of it memory */
};

/* The text of an included file; kept until its zone is read. */
struct included {
	struct mrg_unix_text text;
	struct included *next;
};

/* One zone being read. */
struct reading {
	const struct zone_option *option;
	const struct report *report;
	struct mrg_arena *scratch;
	struct mrg_dns_master *master;
	struct mrg_unix_text text;
	struct included *included;
	struct mrg_dns_zone_builder builder;
	size_t faults;
	uint64_t records;
	bool stoppable, stopped;
	/* how far the text is used up, when it is big enough to care */
	const uint8_t *cursor;
	unsigned cursor_line;
	size_t forgotten;
	/* looking for the line of a record: see find_line */
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

/*
 * Give back the text before the entry's first line: with the old database still there, a reload is to need no more than twice
 * the memory. Whole lines are counted as the reader counts them; a text with carriage returns is left alone.
 */
static void forget(struct reading *r, const struct mrg_dns_master_rr *rr)
{
	if (r->cursor == NULL || rr->file != r->option->file)
		return;
	const uint8_t *const end = r->text.p + r->text.len;
	while (r->cursor_line < rr->line) {
		const uint8_t *const newline = memchr(r->cursor, '\n', (size_t)(end - r->cursor));
		if (newline == NULL)
			return;
		r->cursor = newline + 1;
		r->cursor_line++;
	}
	const size_t used = (size_t)(r->cursor - r->text.p);
	if (used - r->forgotten >= FORGET_STEP) {
		mrg_unix_text_forget(&r->text, used);
		r->forgotten = used;
	}
}

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
	forget(r, rr);
	if (mrg_dns_zone_add(&r->builder, rr->owner, rr->type, rr->class, rr->ttl, rr->rdata, &why) == MRG_OK)
		return true;
	tell(r, &(struct fault){ rr->file, rr->line, rr->col, put_owner(&why, owner), what_of(&why) });
	return why.fault != MRG_DNS_ZONE_FULL && why.fault != MRG_DNS_ZONE_DEAD;
}

static void refuse(void *ctx, const struct mrg_dns_master_error *e)
{
	tell(ctx, &(struct fault){ e->file, e->line, e->col, e->field, e->what });
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
	struct included *const inc = mrg_arena_get(r->scratch, sizeof *inc, _Alignof(struct included));
	const bool absolute = name.len != 0 && name.p[0] == '/';
	if (inc == NULL || memchr(name.p, '\0', name.len) != NULL)
		return false;
	const char *path = make_path(r, name, from_file, !absolute);
	int err = path != NULL ? mrg_unix_text_read(&inc->text, path) : 1;
	if (err != 0 && !absolute) {
		path = make_path(r, name, from_file, false);
		err = path != NULL ? mrg_unix_text_read(&inc->text, path) : 1;
	}
	if (err != 0)
		return false;
	inc->next = r->included;
	r->included = inc;
	*out = (struct mrg_dns_master_source){ .p = inc->text.p, .len = inc->text.len, .name = path };
	return true;
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

static enum mrg_status read_text(struct reading *r,
	bool (*record)(void *ctx, const struct mrg_dns_master_rr *rr),
	void (*error)(void *ctx, const struct mrg_dns_master_error *e))
{
	const struct mrg_dns_master_events events = {
		.ctx = r, .record = record, .error = error, .include = include
	};
	const struct mrg_dns_master_source source = {
		.p = r->text.p, .len = r->text.len, .name = r->option->file
	};
	size_t errors;
	return mrg_dns_master_read(r->master, &source,
		(struct mrg_span){ r->option->origin, r->option->origin_len }, 0, &events, &errors);
}

static void close_texts(struct reading *r)
{
	mrg_unix_text_close(&r->text);
	for (; r->included != NULL; r->included = r->included->next)
		mrg_unix_text_close(&r->included->text);
}

static bool open_text(struct reading *r)
{
	const int err = mrg_unix_text_read(&r->text, r->option->file);
	if (err == 0)
		return true;
	tell(r, &(struct fault){ r->option->file, 0, 0, "", strerrordesc_np(err) });
	return false;
}

/* What only the whole zone shows has no line of its own: read the text again for that of the record at fault. */
static void tell_whole(struct reading *r, const struct mrg_dns_zone_error *why)
{
	char owner[OWNER_TEXT];
	r->found = (struct fault){ r->option->file, 0, 0, put_owner(why, owner), what_of(why) };
	r->wanted = why;
	close_texts(r);
	if (why->owner.count != 0 && open_text(r))
		(void)read_text(r, look, NULL);
	tell(r, &r->found);
}

static void read_zone(struct reading *r, struct mrg_arena *arena, const struct mrg_dns_zone **out)
{
	struct mrg_dns_zone_error why = { .fault = MRG_DNS_ZONE_FULL };
	const struct mrg_span origin = { r->option->origin, r->option->origin_len };
	if (!open_text(r))
		return;
	if (r->text.len >= FORGET_STEP && memchr(r->text.p, '\r', r->text.len) == NULL) {
		r->cursor = r->text.p;
		r->cursor_line = 1;
	}
	if (mrg_dns_zone_begin(&r->builder, arena, origin) != MRG_OK) {
		tell(r, &(struct fault){ r->option->file, 0, 0, "", mrg_dns_zone_fault_str(why.fault) });
		return;
	}
	if (read_text(r, keep, refuse) != MRG_OK || r->faults != 0)
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
	/* Less than a zone of small records takes (1.8 times its text), so that it does not end inside a huge page. */
	const size_t huge = text >= HUGE_AT ? text + text / 2u : 0;
	struct mrg_arena arena;
	/* Address space for more than any text has asked for yet; memory is taken as it fills. */
	if (mrg_unix_arena_open(&arena, (size_t)1024 * MIB + 64u * text, ARENA_LEAST, huge) != 0)
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
		close_texts(&r);
		memset(scratch->p + used, 0, scratch->len - used);
		scratch->len = used;
		if (r.stopped)
			return OUTCOME_SYSTEM;
		faults += r.faults;
		db->record_count += db->zones[i] != NULL ? mrg_dns_zone_records(db->zones[i]) : 0;
	}
	if (faults != 0)
		return OUTCOME_ZONE;
	switch (mrg_dns_db_init(&db->index, &db->arena, db->zones, o->zone_count)) {
	case MRG_OK: return OUTCOME_OK;
	case MRG_E_VALUE:
		report->fault(report->ctx, &(struct fault){ o->zones[0].file, 0, 0, "--zone",
						   "two zones have the same origin" });
		return OUTCOME_ZONE;
	default: say("mrg-dns: not enough memory for the zones", NULL); return OUTCOME_SYSTEM;
	}
}

enum outcome load(const struct options *o, bool stoppable, const struct report *report, struct database **out)
{
	struct mrg_arena scratch;
	struct database *const db = make_database(o);
	if (db == NULL || mrg_unix_arena_open(&scratch, SCRATCH, ARENA_LEAST, 0) != 0) {
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
