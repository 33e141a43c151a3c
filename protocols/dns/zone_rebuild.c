/* Versions of a zone in compact memory again. */
#include "dns/rr.h"
#include "protocols/dns/zone_build.h"
#include "protocols/dns/zone_change.h"

size_t mrg_dns_zone_garbage(const struct mrg_dns_zone *z, const struct mrg_arena *nodes)
{
	const size_t needed = z->node_len;
	return z->base == nodes->p && needed > 0 && needed < nodes->len ? nodes->len - needed : 0;
}

bool mrg_dns_zone_rebuild_due(const struct mrg_dns_zone *z, const struct mrg_arena *nodes)
{
	enum { LEAST = 1 << 20, CROWDED = 3 };
	const size_t garbage = mrg_dns_zone_garbage(z, nodes);
	return z->node_count / CROWDED > z->bucket_count || (garbage > LEAST && garbage > nodes->len / 2);
}

/* Give a record of the one zone to the builder of the other. */
static enum mrg_status add(struct mrg_dns_zone_builder *b, const struct mrg_dns_rr *rr, struct mrg_w *rdata,
	struct mrg_dns_zone_error *err)
{
	struct mrg_dns_name_flat owner;
	const struct mrg_dns_name name = mrg_dns_rr_name(rr);
	mrg_dns_name_flatten(&name, &owner);
	rdata->len = 0;
	mrg_dns_rr_rdata_copy(rdata, rr);
	if (rdata->st != MRG_OK)
		return mrg_dns_zone_die(b, err, MRG_DNS_ZONE_FULL, rdata->st,
			mrg_dns_name_flat_from(&owner, 0), mrg_dns_rr_type(rr));
	return mrg_dns_zone_add(b, mrg_dns_name_flat_from(&owner, 0), mrg_dns_rr_type(rr),
		mrg_dns_rr_class(rr), mrg_dns_rr_ttl(rr), mrg_w_span(rdata, 0), err);
}

static enum mrg_status add_all(struct mrg_dns_zone_builder *b, const struct mrg_dns_zone *z,
	struct mrg_w *rdata, struct mrg_dns_zone_error *err)
{
	struct mrg_dns_zone_walk walk = { .zone = z };
	struct mrg_dns_rr rr;
	while (mrg_dns_zone_next(&walk, &rr) == MRG_OK) {
		const enum mrg_status st = add(b, &rr, rdata, err);
		if (st != MRG_OK)
			return st;
	}
	return MRG_OK;
}

enum mrg_status mrg_dns_zone_rebuild(const struct mrg_dns_zone *z, struct mrg_arena *nodes,
	struct mrg_arena *scratch, const struct mrg_dns_zone **out, struct mrg_dns_zone_error *err)
{
	enum { RDATA_MAX = 65535 };
	const size_t mark = scratch->len;
	const struct mrg_span origin = mrg_dns_zone_origin(z);
	struct mrg_dns_zone_builder *const b =
		mrg_arena_get(scratch, sizeof *b, _Alignof(struct mrg_dns_zone_builder));
	uint8_t *const room = mrg_arena_get(scratch, RDATA_MAX, 1);
	enum mrg_status st = MRG_E_SPACE;
	if (b != NULL && room != NULL) {
		struct mrg_w rdata;
		mrg_w_init(&rdata, room, RDATA_MAX);
		st = mrg_dns_zone_begin(b, nodes, origin);
		if (st == MRG_OK)
			st = add_all(b, z, &rdata, err);
		if (st == MRG_OK)
			st = mrg_dns_zone_finish(b, out, err);
	}
	if (st == MRG_E_SPACE)
		mrg_dns_zone_refuse(err, MRG_DNS_ZONE_FULL, st, origin, 0);
	memset(scratch->p + mark, 0, scratch->len - mark);
	scratch->len = mark;
	return st;
}
