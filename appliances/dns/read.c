/*
 * The text of a zone to a zone.
 * Reading order: keep (a record), tell_whole, zone_read.
 */
#include "appliances/dns/read.h"
#include "dns/name_text.h"
#include "iana/dns.h"
#include "protocols/dns/zonemd.h"

enum { POLL_RECORDS = 1 << 16 /* records between two looks whether to stop */ };

static void tell(struct zone_read *r, const struct fault *f)
{
	r->faults++;
	r->report->fault(r->report->ctx, f);
}

static void tell_file(struct zone_read *r, const char *what)
{
	tell(r, &(struct fault){ r->source->file, 0, 0, "", what });
}

const char *zone_error_record(const struct mrg_dns_zone_error *e, char out[ZONE_ERROR_TEXT])
{
	struct mrg_w w;
	struct mrg_dns_name name;
	const char *const type = mrg_dns_type_str(e->type);
	mrg_w_init(&w, out, ZONE_ERROR_TEXT - 1);
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

const char *zone_error_what(const struct mrg_dns_zone_error *e)
{
	return e->fault == MRG_DNS_ZONE_RDATA && e->reject.site != NULL ? e->reject.site->what
									: mrg_dns_zone_fault_str(e->fault);
}

const char *zone_origin_read(
	struct mrg_span text, uint8_t out[MRG_DNS_MAX_NAME], size_t *len, char *room, size_t cap)
{
	static const uint8_t root[1] = { 0 };
	struct mrg_text t;
	struct mrg_w w;
	mrg_text_line(&t, text, (struct mrg_span){ root, sizeof root });
	mrg_w_init(&w, out, MRG_DNS_MAX_NAME);
	if (mrg_dns_name_from_text(&t, &w, NULL) != MRG_OK || !mrg_text_end(&t))
		return mrg_text_message(&t, room, cap);
	*len = w.len;
	return NULL;
}

/* ---- events of the reader ---- */

static bool keep(void *ctx, const struct mrg_dns_master_rr *rr)
{
	struct zone_read *const r = ctx;
	struct mrg_dns_zone_error why;
	char owner[ZONE_ERROR_TEXT];
	if (r->source->stop != NULL && r->records % POLL_RECORDS == 0 && r->source->stop(r->source->ctx)) {
		r->stopped = true;
		return false;
	}
	r->records++;
	if (mrg_dns_zone_add(&r->builder, rr->owner, rr->type, rr->class, rr->ttl, rr->rdata, &why) == MRG_OK)
		return true;
	tell(r, &(struct fault){
			rr->file, rr->line, rr->col, zone_error_record(&why, owner), zone_error_what(&why) });
	return why.fault != MRG_DNS_ZONE_FULL && why.fault != MRG_DNS_ZONE_DEAD;
}

static void refuse(void *ctx, const struct mrg_dns_master_error *e)
{
	tell(ctx, &(struct fault){ e->file, e->line, e->col, e->field, e->what });
}

static bool include(void *ctx, struct mrg_span name, const char *from_file, struct mrg_dns_master_source *out)
{
	const struct zone_read *const r = ctx;
	return r->source->include(r->source->ctx, name, from_file, out);
}

/* ---- the whole ---- */

/* The last record of the owner and type that the builder complains of. */
static bool look(void *ctx, const struct mrg_dns_master_rr *rr)
{
	struct zone_read *const r = ctx;
	const struct mrg_span owner = { r->wanted->owner.b, r->wanted->owner.len };
	if (rr->type == r->wanted->type && mrg_span_eq_nocase(rr->owner, owner)) {
		r->found.file = rr->file;
		r->found.line = rr->line;
		r->found.col = rr->col;
	}
	return true;
}

/* False: the text can't be had, which is told. */
static bool open_text(struct zone_read *r, bool again, struct mrg_dns_master_source *out)
{
	const char *const why = r->source->open(r->source->ctx, again, out);
	if (why != NULL)
		tell_file(r, why);
	return why == NULL;
}

static enum mrg_status read_text(struct zone_read *r, const struct mrg_dns_master_source *text,
	bool (*record)(void *ctx, const struct mrg_dns_master_rr *rr),
	void (*error)(void *ctx, const struct mrg_dns_master_error *e))
{
	const struct mrg_dns_master_events events = { .ctx = r,
		.record = record,
		.error = error,
		.include = r->source->include != NULL ? include : NULL };
	size_t errors;
	return mrg_dns_master_read(r->master, text, r->source->origin, 0, &events, &errors);
}

/* What only the whole zone shows has no line of its own: read the text again for that of the record at fault. */
static void tell_whole(struct zone_read *r, const struct mrg_dns_zone_error *why, const char *what)
{
	char owner[ZONE_ERROR_TEXT];
	struct mrg_dns_master_source text;
	r->found = (struct fault){ r->source->file, 0, 0, zone_error_record(why, owner), what };
	r->wanted = why;
	if (why->owner.count != 0 && open_text(r, true, &text))
		(void)read_text(r, &text, look, NULL);
	tell(r, &r->found);
}

/* Is the zone what its digest was made of, if it has one?  Those that can't be checked are as none.  RFC 8976 4 */
static bool digest_holds(struct zone_read *r, const struct mrg_dns_zone *zone, const struct mrg_arena *arena)
{
	struct mrg_dns_zone_error why = { .type = MRG_DNS_TYPE_ZONEMD };
	enum mrg_dns_zonemd_verdict v;
	if (mrg_dns_name_flat_check(mrg_dns_zone_origin(zone), &why.owner) != MRG_OK)
		return true;
	if (mrg_dns_zonemd_verify(zone, arena, &v) != MRG_OK)
		tell_whole(r, &why, "no memory to check the digest");
	else if (v == MRG_DNS_ZONEMD_MISMATCH || v == MRG_DNS_ZONEMD_SERIAL)
		tell_whole(r, &why, mrg_dns_zonemd_str(v));
	return r->faults == 0;
}

const struct mrg_dns_zone *zone_read(struct zone_read *r, const struct zone_source *source,
	struct mrg_dns_master *master, struct mrg_arena *arena, const struct report *report)
{
	struct mrg_dns_zone_error why = { .fault = MRG_DNS_ZONE_FULL };
	struct mrg_dns_master_source text;
	const struct mrg_dns_zone *zone;
	*r = (struct zone_read){ .source = source, .report = report, .master = master };
	if (mrg_dns_zone_begin(&r->builder, arena, source->origin) != MRG_OK) {
		tell_file(r, mrg_dns_zone_fault_str(why.fault));
		return NULL;
	}
	if (!open_text(r, false, &text) || read_text(r, &text, keep, refuse) != MRG_OK || r->faults != 0)
		return NULL;
	if (mrg_dns_zone_finish(&r->builder, &zone, &why) == MRG_OK)
		return digest_holds(r, zone, arena) ? zone : NULL;
	tell_whole(r, &why, zone_error_what(&why));
	return NULL;
}
