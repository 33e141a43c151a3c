/*
 * From transfers to versions.
 * Reading order: struct receiving, the sink, finishing.
 */
#include <errno.h>

#include "appliances/dns/receiving.h"
#include "appliances/dns/system.h"
#include "protocols/dns/zone_finish.h"
#include "protocols/dns/zonemd.h"

enum { MIB = 1 << 20, SCRATCH_LEAST = 64 * MIB };

/* Octets of address space of what a change looks at. */
static const size_t SCRATCH = (size_t)4096 * MIB;

struct receiving {
	struct mrg_arena arena; /* that this lies in */
	const struct zone_option *option;
	struct version *held;
	bool great;
	enum { NOTHING, WHOLE, CHANGES } what;
	struct mrg_dns_zone_error why;
	const char *refused;
	struct version *made; /* NULL: not yet */
	struct mrg_dns_zone_builder builder;
	struct mrg_dns_zone_finishing finishing;
	enum { COMING, FINISHING, FOLLOWING, CHECKING } step;
	/* of changes */
	bool deleting;
	struct mrg_dns_zone_change change;
	struct mrg_arena scratch;
};

int receiving_begin(
	struct receiving **out, const struct zone_option *option, struct version *held, bool great)
{
	struct mrg_arena arena;
	const int err = system_arena_open(&arena, sizeof **out, sizeof **out);
	if (err != 0)
		return err;
	struct receiving *const r = mrg_arena_get(&arena, sizeof *r, _Alignof(struct receiving));
	r->arena = arena;
	r->option = option;
	r->held = held;
	r->great = great || (held != NULL && held->nodes->arena.cap > VERSION_ANY_SIZE);
	if (held != NULL)
		version_keep(held);
	*out = r;
	return 0;
}

const struct mrg_dns_zone_error *receiving_why(const struct receiving *r) { return &r->why; }

const char *receiving_refused(const struct receiving *r) { return r->refused; }

bool receiving_incremental(const struct receiving *r) { return r->what == CHANGES; }

/* ---- the sink ---- */

/* What was begun is not wanted. */
static void forget(struct receiving *r)
{
	if (r->what == CHANGES) {
		mrg_dns_zone_change_end(&r->change);
		system_arena_close(&r->scratch);
	}
	if (r->made != NULL)
		version_drop(r->made);
	r->made = NULL;
	r->what = NOTHING;
}

/* An older zone than the one that is held is not taken, whoever has it: serial numbers only grow.  RFC 1034 4.3.5 */
static bool begin_whole(struct receiving *r, uint32_t serial)
{
	forget(r);
	if (r->held != NULL && !mrg_dns_serial_later(serial, mrg_dns_zone_serial(r->held->zone))) {
		r->refused = mrg_dns_transfer_fault_why(MRG_DNS_TRANSFER_FAULT_BACK);
		return false;
	}
	if (version_begin(&r->made, r->great ? VERSION_GREAT_SIZE : VERSION_ANY_SIZE) != 0)
		return false;
	r->what = WHOLE;
	return mrg_dns_zone_begin(&r->builder, &r->made->nodes->arena,
		       (struct mrg_span){ r->option->origin, r->option->origin_len }) == MRG_OK;
}

static bool begin_changes(struct receiving *r)
{
	if (r->held == NULL || version_change(&r->made, r->held) != 0)
		return false;
	if (system_arena_open(&r->scratch, SCRATCH, SCRATCH_LEAST) != 0)
		return false;
	r->what = CHANGES;
	return mrg_dns_zone_change_begin(&r->change, r->held->zone, &r->made->nodes->arena, &r->made->tables,
		       &r->scratch, true) == MRG_OK;
}

static bool begin_part(void *ctx, enum mrg_dns_transfer_part part, uint32_t serial)
{
	struct receiving *const r = ctx;
	if (part == MRG_DNS_TRANSFER_ZONE)
		return begin_whole(r, serial);
	r->deleting = part == MRG_DNS_TRANSFER_DELETED;
	return r->what == CHANGES || begin_changes(r);
}

static bool take_record(void *ctx, const struct mrg_dns_flat_rr_args *rr)
{
	struct receiving *const r = ctx;
	enum mrg_status st;
	if (r->what == WHOLE)
		st = mrg_dns_zone_add(
			&r->builder, rr->name, rr->type, rr->class, rr->ttl, rr->rdata, &r->why);
	else if (r->deleting)
		st = mrg_dns_zone_change_delete(
			&r->change, rr->name, rr->type, rr->class, rr->rdata, &r->why);
	else
		st = mrg_dns_zone_change_add(
			&r->change, rr->name, rr->type, rr->class, rr->ttl, rr->rdata, &r->why);
	return st == MRG_OK;
}

struct mrg_dns_transfer_sink receiving_sink(struct receiving *r)
{
	return (struct mrg_dns_transfer_sink){ .ctx = r, .begin = begin_part, .record = take_record };
}

/* ---- finishing ---- */

static enum mrg_status begin_finish(struct receiving *r, const char **why)
{
	if (r->what == NOTHING) {
		*why = "nothing has come";
		return MRG_E_VALUE;
	}
	if (r->what == WHOLE)
		mrg_dns_zone_finish_begin(&r->finishing, &r->builder);
	r->step = FINISHING;
	return MRG_MORE;
}

static enum mrg_status finish_whole(struct receiving *r, const char **why)
{
	const enum mrg_status st = mrg_dns_zone_finish_some(&r->finishing, &r->made->zone, &r->why);
	if (st == MRG_OK)
		r->step = FOLLOWING;
	else if (st != MRG_MORE)
		*why = mrg_dns_zone_fault_str(r->why.fault);
	return st == MRG_OK ? MRG_MORE : st;
}

/* Who has it from here gets differences all the same. */
static enum mrg_status follow(struct receiving *r)
{
	if (r->held != NULL && r->option->transfer != NULL)
		version_follow(r->made, r->held);
	version_settle(&r->made);
	r->step = CHECKING;
	return MRG_MORE;
}

/* The steps that are known, as far as they are worth it: a client that lacks more is sent the zone. */
static bool remember(struct receiving *r)
{
	const size_t most = version_history(r->made);
	const struct mrg_dns_step *before;
	struct mrg_arena *const tables = &r->made->tables;
	return mrg_dns_history_copy(tables, r->held->newest, most, &before) == MRG_OK &&
	       mrg_dns_zone_change_step(&r->change, tables, before, &r->made->newest) == MRG_OK;
}

static enum mrg_status finish_changes(struct receiving *r, const char **why)
{
	const enum mrg_status st = mrg_dns_zone_change_finish(&r->change, &r->made->zone, &r->why);
	if (st != MRG_OK) {
		*why = mrg_dns_zone_fault_str(r->why.fault);
		return st;
	}
	const bool kept = remember(r);
	mrg_dns_zone_change_end(&r->change);
	if (kept)
		version_settle(&r->made);
	else
		*why = "not enough memory";
	system_arena_close(&r->scratch);
	r->what = NOTHING;
	r->step = CHECKING;
	return kept ? MRG_MORE : MRG_E_SPACE;
}

/* Is it what its digest was made of, if it has one?  RFC 8976 4 */
static enum mrg_status check_digest(const struct version *v, const char **why)
{
	enum mrg_dns_zonemd_verdict verdict;
	const enum mrg_status st = mrg_dns_zonemd_verify(v->zone, &v->nodes->arena, &verdict);
	if (st != MRG_OK) {
		*why = "not enough memory";
		return st;
	}
	if (verdict != MRG_DNS_ZONEMD_MISMATCH && verdict != MRG_DNS_ZONEMD_SERIAL)
		return MRG_OK;
	*why = mrg_dns_zonemd_str(verdict);
	return MRG_E_VALUE;
}

static enum mrg_status check(struct receiving *r, struct version **out, const char **why)
{
	const enum mrg_status st = check_digest(r->made, why);
	if (st != MRG_OK)
		return st;
	r->what = NOTHING;
	*out = r->made;
	r->made = NULL;
	return MRG_OK;
}

enum mrg_status receiving_finish(struct receiving *r, struct version **out, const char **why)
{
	switch (r->step) {
	case COMING: return begin_finish(r, why);
	case FINISHING: return r->what == WHOLE ? finish_whole(r, why) : finish_changes(r, why);
	case FOLLOWING: return follow(r);
	default: return check(r, out, why);
	}
}

void receiving_end(struct receiving *r)
{
	struct mrg_arena arena = r->arena;
	forget(r);
	if (r->held != NULL)
		version_drop(r->held);
	system_arena_close(&arena);
}
