/*
 * Dynamic update, along the pseudo-code of RFC 2136: prerequisites (3.2.5), prescan (3.4.1.3), update (3.4.2.7).
 * Reading order: mrg_dns_update_apply at the end, then upwards.
 */
#include "protocols/dns/update.h"

#include "dns/rr.h"
#include "iana/dns.h"
#include "protocols/dns/zone_build.h"
#include "protocols/dns/zone_change.h"

/* While applying. */
struct applying {
	const struct mrg_dns_update *u;
	const struct mrg_dns_zone *zone;
	const struct mrg_dns_update_rules *rules;
	struct mrg_dns_zone_change *change;
	struct mrg_dns_update_result *out;
	uint8_t *rdata;              /* room for that of one record */
	struct mrg_dns_soa_args soa; /* that the zone gets */
	struct mrg_dns_name_flat mname, rname;
	uint32_t soa_ttl, serial; /* serial: of the version before */
};

enum { RDATA_MAX = 65535 };

/* A record of the message, taken apart. */
struct record {
	struct mrg_dns_rr rr;
	struct mrg_dns_name_flat owner;
	uint16_t type, class, rdlength;
	uint32_t ttl;
	struct mrg_span rdata; /* flat */
};

static struct mrg_span name_of(const struct record *r) { return mrg_dns_name_flat_from(&r->owner, 0); }

static bool is_apex(const struct applying *x, const struct record *r)
{
	return r->owner.count == x->zone->origin.count;
}

static unsigned refuse(const struct applying *x, const struct record *r, unsigned rcode, const char *reason)
{
	x->out->reason = reason;
	if (r != NULL) {
		x->out->why.owner = r->owner;
		x->out->why.type = r->type;
	}
	return rcode;
}

static unsigned short_of_memory(const struct applying *x)
{
	return refuse(x, NULL, MRG_DNS_RCODE_SERVFAIL, "too little memory for the update");
}

/* Take a record apart; its RDATA is good until the next. */
static void take_apart(const struct applying *x, struct record *r)
{
	const struct mrg_dns_name name = mrg_dns_rr_name(&r->rr);
	struct mrg_w w;
	mrg_dns_name_flatten(&name, &r->owner);
	r->type = mrg_dns_rr_type(&r->rr);
	r->class = mrg_dns_rr_class(&r->rr);
	r->ttl = mrg_dns_rr_ttl(&r->rr);
	r->rdlength = mrg_dns_rr_rdlength(&r->rr);
	mrg_w_init(&w, x->rdata, RDATA_MAX);
	mrg_dns_rr_rdata_copy(&w,
		&r->rr); /* with names written out it is longer than a message only in what no zone takes */
	r->rdata = mrg_w_span(&w, 0);
}

static unsigned inside(const struct applying *x, const struct record *r)
{
	if (mrg_dns_name_within(&r->owner, &x->zone->origin))
		return MRG_DNS_RCODE_NOERROR;
	return refuse(x, r, MRG_DNS_RCODE_NOTZONE, "a name is not in the zone");
}

/* Records of a type that the name has by now, in the change. */
static size_t count_of(const struct applying *x, const struct record *r, uint16_t type)
{
	int32_t at = (int32_t)type - 1;
	size_t count;
	const bool any = mrg_dns_zone_change_next(x->change, name_of(r), &at, &count) == MRG_OK;
	return any && at == type ? count : 0;
}

/* ---- prerequisites ---- */

/* Is there any record at the name, or one of the type?  RFC 2136 3.2.1 to 3.2.4: not for names that exist through others only */
static bool in_use(const struct applying *x, const struct record *r)
{
	int32_t at = -1;
	size_t count;
	if (r->type != MRG_DNS_TYPE_ANY)
		return count_of(x, r, r->type) > 0;
	return mrg_dns_zone_change_next(x->change, name_of(r), &at, &count) == MRG_OK;
}

/* RFC 2136 3.2.5, but for sets whose records are said: of these what the zone has is taken out of `change`. */
static unsigned see_one(const struct applying *x, const struct record *r)
{
	const bool name = r->type == MRG_DNS_TYPE_ANY;
	if (r->ttl != 0 || (r->class != MRG_DNS_CLASS_IN && r->rdlength != 0))
		return refuse(x, r, MRG_DNS_RCODE_FORMERR, "a prerequisite has a TTL or RDATA");
	const unsigned rcode = inside(x, r);
	if (rcode != MRG_DNS_RCODE_NOERROR)
		return rcode;
	switch (r->class) {
	case MRG_DNS_CLASS_ANY:
		if (in_use(x, r))
			return MRG_DNS_RCODE_NOERROR;
		return name ? refuse(x, r, MRG_DNS_RCODE_NXDOMAIN, "a name must be in use and isn't")
			    : refuse(x, r, MRG_DNS_RCODE_NXRRSET, "a set must be there and isn't");
	case MRG_DNS_CLASS_NONE:
		if (!in_use(x, r))
			return MRG_DNS_RCODE_NOERROR;
		return name ? refuse(x, r, MRG_DNS_RCODE_YXDOMAIN, "a name must not be in use and is")
			    : refuse(x, r, MRG_DNS_RCODE_YXRRSET, "a set must not be there and is");
	case MRG_DNS_CLASS_IN: return MRG_DNS_RCODE_NOERROR;
	default: return refuse(x, r, MRG_DNS_RCODE_FORMERR, "a prerequisite has another class");
	}
}

/*
 * Sets whose records are said must be in the zone with these and no others (RFC 2136 3.2.3): all that are said are taken out of `change`,
 * which nobody will finish; then nothing may be left of their types.
 */
static unsigned see_sets(const struct applying *x)
{
	for (unsigned pass = 0; pass < 2; pass++) {
		struct mrg_dns_message_answer_it it = mrg_dns_message_answer(&x->u->message);
		struct record r;
		while (mrg_dns_message_answer_next(&it, &r.rr)) {
			take_apart(x, &r);
			if (r.class != MRG_DNS_CLASS_IN)
				continue;
			const bool met =
				pass == 1 ? count_of(x, &r, r.type) == 0
					  : mrg_dns_zone_change_had(x->change, name_of(&r), r.type, r.rdata);
			if (x->change->st != MRG_OK)
				return short_of_memory(x);
			if (!met)
				return refuse(x, &r, MRG_DNS_RCODE_NXRRSET,
					"a set must be there with other records");
			if (pass == 0 && mrg_dns_zone_change_delete(x->change, name_of(&r), r.type, r.class,
						 r.rdata, NULL) == MRG_E_SPACE)
				return short_of_memory(x);
		}
	}
	return MRG_DNS_RCODE_NOERROR;
}

static unsigned see_prerequisites(const struct applying *x)
{
	struct mrg_dns_message_answer_it it = mrg_dns_message_answer(&x->u->message);
	struct record r;
	while (mrg_dns_message_answer_next(&it, &r.rr)) {
		take_apart(x, &r);
		const unsigned rcode = see_one(x, &r);
		if (x->change->st != MRG_OK)
			return short_of_memory(x);
		if (rcode != MRG_DNS_RCODE_NOERROR)
			return rcode;
	}
	return see_sets(x);
}

/* ---- prescan ---- */

/* RFC 2136 3.4.1.3 */
static bool well_formed(const struct record *r)
{
	switch (r->class) {
	case MRG_DNS_CLASS_IN: return mrg_dns_zone_storable(r->type);
	case MRG_DNS_CLASS_ANY:
		return r->ttl == 0 && r->rdlength == 0 &&
		       (r->type == MRG_DNS_TYPE_ANY || mrg_dns_zone_storable(r->type));
	case MRG_DNS_CLASS_NONE: return r->ttl == 0 && mrg_dns_zone_storable(r->type);
	default: return false;
	}
}

static unsigned prescan(const struct applying *x)
{
	struct mrg_dns_message_authority_it it = mrg_dns_message_authority(&x->u->message);
	struct record r;
	while (mrg_dns_message_authority_next(&it, &r.rr)) {
		take_apart(x, &r);
		const unsigned rcode = inside(x, &r);
		if (rcode != MRG_DNS_RCODE_NOERROR)
			return rcode;
		if (!well_formed(&r))
			return refuse(x, &r, MRG_DNS_RCODE_FORMERR, "no update has such a record");
	}
	it = mrg_dns_message_authority(&x->u->message);
	while (x->rules->allowed != NULL && mrg_dns_message_authority_next(&it, &r.rr)) {
		take_apart(x, &r);
		if (!x->rules->allowed(x->rules->ctx, name_of(&r), r.type))
			return refuse(x, &r, MRG_DNS_RCODE_REFUSED, "not allowed to change this");
	}
	return MRG_DNS_RCODE_NOERROR;
}

/* ---- update ---- */

/* Has the name records, but for those of `type`, that can't stand beside an alias?  RFC 1034 3.6.2, RFC 4035 2.5 */
static bool has_unlike_alias(const struct applying *x, const struct record *r)
{
	int32_t type = -1;
	size_t count;
	while (mrg_dns_zone_change_next(x->change, name_of(r), &type, &count) == MRG_OK) {
		if (mrg_dns_zone_unlike_alias((uint16_t)type))
			return true;
	}
	return false;
}

/* Let the zone get this SOA.  False: it is none. */
static bool note_soa(struct applying *x, struct mrg_span rdata, uint32_t ttl)
{
	struct mrg_dns_soa soa;
	if (mrg_dns_soa_check(rdata, (struct mrg_span){ NULL, 0 }, &soa, NULL) != MRG_OK)
		return false;
	const struct mrg_dns_name mname = mrg_dns_soa_mname(&soa), rname = mrg_dns_soa_rname(&soa);
	mrg_dns_name_flatten(&mname, &x->mname);
	mrg_dns_name_flatten(&rname, &x->rname);
	x->soa = (struct mrg_dns_soa_args){ .mname = mrg_dns_name_flat_from(&x->mname, 0),
		.rname = mrg_dns_name_flat_from(&x->rname, 0),
		.serial = mrg_dns_soa_serial(&soa),
		.refresh = mrg_dns_soa_refresh(&soa),
		.retry = mrg_dns_soa_retry(&soa),
		.expire = mrg_dns_soa_expire(&soa),
		.minimum = mrg_dns_soa_minimum(&soa) };
	x->soa_ttl = ttl;
	return true;
}

/* An SOA of the apex whose serial number is no earlier one takes the place of the zone's. */
static bool takes_soa(struct applying *x, const struct record *r)
{
	struct mrg_dns_soa soa;
	if (!is_apex(x, r) || mrg_dns_soa_check(r->rdata, (struct mrg_span){ NULL, 0 }, &soa, NULL) != MRG_OK)
		return false;
	const uint32_t serial = mrg_dns_soa_serial(&soa);
	return (serial == x->soa.serial || mrg_dns_serial_later(serial, x->soa.serial)) &&
	       note_soa(x, r->rdata, r->ttl);
}

/* RFC 2136 3.4.2.2 */
static enum mrg_status add(struct applying *x, const struct record *r)
{
	struct mrg_dns_zone_error *const why = &x->out->why;
	if (r->type == MRG_DNS_TYPE_CNAME && has_unlike_alias(x, r))
		return MRG_OK;
	if (mrg_dns_zone_unlike_alias(r->type) && count_of(x, r, MRG_DNS_TYPE_CNAME) > 0)
		return MRG_OK;
	if (r->type == MRG_DNS_TYPE_SOA && !takes_soa(x, r))
		return MRG_OK;
	if (mrg_dns_zone_single(r->type)) { /* it takes the place of the one that is there */
		const enum mrg_status st =
			mrg_dns_zone_change_delete_set(x->change, name_of(r), r->type, why);
		if (st != MRG_OK)
			return st;
	}
	return mrg_dns_zone_change_add(x->change, name_of(r), r->type, r->class, r->ttl, r->rdata, why);
}

/* RFC 2136 3.4.2.3 */
static enum mrg_status delete_all(struct applying *x, const struct record *r)
{
	if (r->type == MRG_DNS_TYPE_ANY)
		return mrg_dns_zone_change_delete_name(x->change, name_of(r), &x->out->why);
	if (is_apex(x, r) && (r->type == MRG_DNS_TYPE_SOA || r->type == MRG_DNS_TYPE_NS))
		return MRG_OK;
	return mrg_dns_zone_change_delete_set(x->change, name_of(r), r->type, &x->out->why);
}

/* RFC 2136 3.4.2.4 */
static enum mrg_status delete_one(struct applying *x, const struct record *r)
{
	if (r->type == MRG_DNS_TYPE_SOA)
		return MRG_OK;
	if (r->type == MRG_DNS_TYPE_NS && is_apex(x, r) && count_of(x, r, r->type) == 1)
		return MRG_OK;
	if (r->type == MRG_DNS_TYPE_RRSIG && r->rdlength == 0) /* no RRSIG is that */
		return MRG_OK;
	return mrg_dns_zone_change_delete(
		x->change, name_of(r), r->type, MRG_DNS_CLASS_IN, r->rdata, &x->out->why);
}

/* No zone would come of it, or memory is short. */
static unsigned failed(const struct applying *x, enum mrg_status st)
{
	if (st == MRG_E_SPACE)
		return short_of_memory(x);
	x->out->reason = mrg_dns_zone_fault_str(x->out->why.fault);
	return MRG_DNS_RCODE_REFUSED;
}

/* RFC 2136 3.4.2.7 */
static unsigned update(struct applying *x)
{
	struct mrg_dns_message_authority_it it = mrg_dns_message_authority(&x->u->message);
	struct record r;
	while (mrg_dns_message_authority_next(&it, &r.rr)) {
		enum mrg_status st;
		take_apart(x, &r);
		if (r.class == MRG_DNS_CLASS_IN)
			st = add(x, &r);
		else if (r.class == MRG_DNS_CLASS_ANY)
			st = delete_all(x, &r);
		else
			st = delete_one(x, &r);
		if (st == MRG_OK && x->change->st != MRG_OK)
			st = x->change->st;
		if (st != MRG_OK)
			return failed(x, st);
	}
	return MRG_DNS_RCODE_NOERROR;
}

/* Give the zone the next serial number, unless the update did.  RFC 2136 3.6 */
static enum mrg_status increment(struct applying *x)
{
	const struct mrg_span origin = mrg_dns_name_flat_from(&x->zone->origin, 0);
	uint8_t rdata[MRG_DNS_SOA_SIZE_MAX];
	struct mrg_w w;
	if (x->soa.serial != x->serial)
		return MRG_OK;
	x->soa.serial++;
	mrg_w_init(&w, rdata, sizeof rdata);
	mrg_dns_soa_put(&w, &x->soa);
	enum mrg_status st =
		mrg_dns_zone_change_delete_set(x->change, origin, MRG_DNS_TYPE_SOA, &x->out->why);
	if (st == MRG_OK)
		st = mrg_dns_zone_change_add(x->change, origin, MRG_DNS_TYPE_SOA, MRG_DNS_CLASS_IN,
			x->soa_ttl, mrg_w_span(&w, 0), &x->out->why);
	return st;
}

/* Make the version, if there is anything new in it, and the step to it. */
static unsigned conclude(
	struct applying *x, const struct mrg_dns_update_memory *memory, const struct mrg_dns_step *before)
{
	struct mrg_dns_update_result *const out = x->out;
	const size_t nodes = memory->nodes->len, tables = memory->tables->len;
	const struct mrg_dns_zone *made;
	if (!mrg_dns_zone_change_differs(x->change))
		return MRG_DNS_RCODE_NOERROR;
	enum mrg_status st = increment(x);
	if (st == MRG_OK)
		st = mrg_dns_zone_change_finish(x->change, &made, &out->why);
	if (st != MRG_OK)
		return failed(x, st);
	if (mrg_dns_zone_change_step(x->change, memory->history, before, &out->step) != MRG_OK) {
		mrg_dns_zone_change_undo(x->change, nodes, tables);
		return short_of_memory(x);
	}
	out->made = made;
	return MRG_DNS_RCODE_NOERROR;
}

static unsigned change(
	struct applying *x, const struct mrg_dns_update_memory *memory, const struct mrg_dns_step *before)
{
	struct mrg_dns_zone_change *const c = x->change;
	unsigned rcode;
	if (mrg_dns_zone_change_begin(c, x->zone, memory->nodes, memory->tables, memory->scratch, false) !=
		MRG_OK)
		return short_of_memory(x);
	rcode = see_prerequisites(x);
	mrg_dns_zone_change_end(c);
	if (rcode == MRG_DNS_RCODE_NOERROR)
		rcode = prescan(x);
	if (rcode != MRG_DNS_RCODE_NOERROR)
		return rcode;
	if (mrg_dns_zone_change_begin(c, x->zone, memory->nodes, memory->tables, memory->scratch, false) !=
		MRG_OK)
		return short_of_memory(x);
	rcode = update(x);
	if (rcode == MRG_DNS_RCODE_NOERROR)
		rcode = conclude(x, memory, before);
	mrg_dns_zone_change_end(c);
	return rcode;
}

/* The SOA of the version that is served. */
static bool know_soa(struct applying *x)
{
	struct record r;
	struct mrg_dns_soa soa;
	if (mrg_dns_node_soa(x->zone->apex, &r.rr, &soa) != MRG_OK)
		return false;
	take_apart(x, &r);
	x->serial = x->zone->serial;
	return note_soa(x, r.rdata, r.ttl);
}

unsigned mrg_dns_update_apply(const struct mrg_dns_update *u, const struct mrg_dns_zone *zone,
	const struct mrg_dns_update_rules *rules, const struct mrg_dns_update_memory *memory,
	const struct mrg_dns_step *before, struct mrg_dns_update_result *out)
{
	struct mrg_dns_zone_change c;
	struct applying x = { .u = u, .zone = zone, .rules = rules, .change = &c, .out = out };
	struct mrg_arena *const scratch = memory->scratch;
	const size_t mark = scratch->len;
	unsigned rcode;
	*out = (struct mrg_dns_update_result){ 0 };
	if (u->zone_class != MRG_DNS_CLASS_IN || !mrg_dns_same_name(mrg_dns_name_flat_from(&u->zone, 0),
							 mrg_dns_name_flat_from(&zone->origin, 0)))
		return refuse(&x, NULL, MRG_DNS_RCODE_NOTAUTH, "the zone is not this one");
	if (zone->denial != MRG_DNS_DENIAL_NONE || mrg_dns_node_find(zone->apex, MRG_DNS_TYPE_DNSKEY) != NULL)
		return refuse(&x, NULL, MRG_DNS_RCODE_REFUSED,
			"the zone is signed, and would have to be signed anew");
	x.rdata = mrg_arena_get(scratch, RDATA_MAX, 1);
	if (x.rdata == NULL || !know_soa(&x))
		rcode = short_of_memory(&x);
	else
		rcode = change(&x, memory, before);
	memset(scratch->p + mark, 0, scratch->len - mark);
	scratch->len = mark;
	return rcode;
}

unsigned mrg_dns_update_read(struct mrg_span message, struct mrg_dns_update *out)
{
	struct mrg_dns_question zone;
	if (mrg_dns_message_check(message, &out->message, NULL) != MRG_OK || out->message.len != message.len)
		return MRG_DNS_RCODE_FORMERR;
	const struct mrg_dns_header h = mrg_dns_message_header(&out->message);
	if (mrg_dns_header_qr(&h) != 0 || mrg_dns_header_opcode(&h) != MRG_DNS_OPCODE_UPDATE ||
		mrg_dns_header_qdcount(&h) != 1)
		return MRG_DNS_RCODE_FORMERR;
	struct mrg_dns_message_question_it it = mrg_dns_message_question(&out->message);
	if (!mrg_dns_message_question_next(&it, &zone) || mrg_dns_question_type(&zone) != MRG_DNS_TYPE_SOA)
		return MRG_DNS_RCODE_FORMERR;
	const struct mrg_dns_name name = mrg_dns_question_name(&zone);
	mrg_dns_name_flatten(&name, &out->zone);
	out->zone_class = mrg_dns_question_class(&zone);
	return MRG_DNS_RCODE_NOERROR;
}

void mrg_dns_update_reply(struct mrg_w *w, struct mrg_span message, unsigned rcode)
{
	struct mrg_dns_header h;
	if (mrg_dns_header_check(message, &h, NULL) != MRG_OK)
		return;
	mrg_dns_header_put(w, &(struct mrg_dns_header_args){ .id = mrg_dns_header_id(&h),
				      .qr = 1,
				      .opcode = mrg_dns_header_opcode(&h),
				      .rcode = (uint8_t)rcode });
}
