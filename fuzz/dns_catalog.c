/*
 * dns_catalog.c - catalog zones (RFC 9432), sound ones and ones that are broken in each way: the input is a list of decisions, one for each
 * record of a zone.  What is read of it, or why nothing is, must be what one gets by comparing all records with each other.
 * Reading order: records, the zone, the naive reader, the subject.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/dns_server.h"
#include "protocols/dns/catalog.h"

/* An input: which origin, how much memory there is, and RECORD octets for each record. */
enum {
	HEAD = 2,
	RECORD = 4,
	RECORDS_MAX = 40,
	LEN_MAX = HEAD + RECORD * RECORDS_MAX,
	NAME = 255,
	ROOM = 1 << 20
};

/* What a record is; behind that its label, its name and its text are chosen. */
enum what {
	VERSION,
	MEMBER,
	COO,
	GROUP,
	UNKNOWN,     /* a property */
	OTHER_TYPE,  /* at a member */
	OTHER_PLACE, /* below a member's label: another label */
	BESIDE,      /* as deep as a member, below another label than `zones` */
	CUT,         /* a delegation, which means nothing here */
	WHATS
};

/* Faults are points of their own, each behind its number. */
enum point {
	EMPTY,
	ONE,
	MORE,
	MOVES,
	GROUPED,
	PASSED_OVER,
	NO_ROOM_FOR_NAMES,
	FAULTS,
	POINTS = FAULTS + MRG_DNS_CATALOG_FULL
};

static const char *const point_names[POINTS] = { "no members", "a member", "members", "one changes hands",
	"one has a group", "what is unknown is passed over", "no room below the origin", "no version",
	"two versions", "another version", "two names", "a zone twice", "two owners", "no memory" };

static const struct mrg_span labels[] = { MRG_LITERAL("a"), MRG_LITERAL("b"), MRG_LITERAL("A"),
	MRG_LITERAL("c"), MRG_LITERAL("coo"), MRG_LITERAL("group"), MRG_LITERAL("zones"),
	MRG_LITERAL("version"), MRG_LITERAL("*"), MRG_LITERAL("\0"), MRG_LITERAL("a.b"),
	MRG_LITERAL("lllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll") };

/* Flat names without their roots. */
static const struct mrg_span names[] = { MRG_LITERAL("\3one"), MRG_LITERAL("\3two"), MRG_LITERAL("\5three"),
	MRG_LITERAL("\4four\7example"), MRG_LITERAL("\3ONE"), MRG_LITERAL("\1a\1b"), MRG_LITERAL("\3a.b"),
	MRG_LITERAL(""), MRG_LITERAL("\3cat"), MRG_LITERAL("\1\0\1\xff") };

/* RDATA of TXT records. */
static const struct mrg_span texts[] = { MRG_LITERAL("\1"
						     "2"),
	MRG_LITERAL("\1"
		    "1"),
	MRG_LITERAL("\0"),
	MRG_LITERAL("\1"
		    "2\1x"),
	MRG_LITERAL("\2"
		    "22"),
	MRG_LITERAL("\2 2"),
	MRG_LITERAL("\1x\1"
		    "2"),
	MRG_LITERAL("\5group") };

static const size_t origins[] = { 5, 5, 5, 240, 245, 247, 249, 250, 255 }; /* octets of their names */

/* ---- records ---- */

struct record {
	uint8_t owner[NAME], rdata[NAME];
	size_t owner_len, rdata_len;
	uint16_t type;
};

struct own {
	uint8_t zones[ROOM], memory[ROOM];
	struct record record[RECORDS_MAX];
	size_t count;
	uint8_t origin[NAME];
	size_t origin_len;
	uint8_t reached[POINTS];
};

static void mark(struct own *o, unsigned p) { o->reached[p] = 1; }

/* One label more before a name.  false: no name is that long. */
static bool put_before(uint8_t name[NAME], size_t *len, struct mrg_span label)
{
	if (*len + 1 + label.len > NAME)
		return false;
	memmove(name + 1 + label.len, name, *len);
	name[0] = (uint8_t)label.len;
	memcpy(name + 1, label.p, label.len);
	*len += 1 + label.len;
	return true;
}

/* A name of so many octets, of labels that are as long as can be. */
static void make_origin(struct own *o, size_t len)
{
	uint8_t b[64];
	memset(b, 'o', sizeof b);
	o->origin[0] = 0;
	o->origin_len = 1;
	while (o->origin_len < len) {
		size_t left = len - o->origin_len;
		if (left > 64)
			left = left == 65 ? 60 : 64; /* one octet alone is no label */
		(void)put_before(o->origin, &o->origin_len, (struct mrg_span){ b, left - 1 });
	}
}

/* A property's label, in some cases in upper case. */
static struct mrg_span spelled(const char *word, bool upper, uint8_t room[16])
{
	const size_t len = strlen(word);
	for (size_t i = 0; i < len; i++)
		room[i] = (uint8_t)(word[i] - (upper ? 'a' - 'A' : 0));
	return (struct mrg_span){ room, len };
}

static bool put_owner(const struct own *o, struct record *r, const uint8_t *in)
{
	static const char *const properties[WHATS] = {
		[COO] = "coo", [GROUP] = "group", [UNKNOWN] = "unknown"
	};
	uint8_t word[16];
	const enum what what = in[0] % WHATS;
	const bool upper = in[3] >= 0xe0;
	const struct mrg_span label = labels[in[1] % COUNT_OF(labels)];
	memcpy(r->owner, o->origin, o->origin_len);
	r->owner_len = o->origin_len;
	if (what == VERSION)
		return put_before(r->owner, &r->owner_len, spelled("version", upper, word));
	if (what == BESIDE)
		return put_before(r->owner, &r->owner_len, labels[in[3] % COUNT_OF(labels)]) &&
		       put_before(r->owner, &r->owner_len, label);
	if (!put_before(r->owner, &r->owner_len, spelled("zones", upper, word)) ||
		!put_before(r->owner, &r->owner_len, label))
		return false;
	if (what == OTHER_PLACE)
		return put_before(r->owner, &r->owner_len, labels[in[3] % COUNT_OF(labels)]);
	return properties[what] == NULL ||
	       put_before(r->owner, &r->owner_len, spelled(properties[what], upper, word));
}

static void put_rdata(struct record *r, const uint8_t *in)
{
	static const uint16_t types[WHATS] = { MRG_DNS_TYPE_TXT, MRG_DNS_TYPE_PTR, MRG_DNS_TYPE_PTR,
		MRG_DNS_TYPE_TXT, MRG_DNS_TYPE_PTR, MRG_DNS_TYPE_TXT, MRG_DNS_TYPE_PTR, MRG_DNS_TYPE_PTR,
		MRG_DNS_TYPE_NS };
	r->type = types[in[0] % WHATS];
	const bool text = r->type == MRG_DNS_TYPE_TXT;
	const struct mrg_span s = text ? texts[in[3] % COUNT_OF(texts)] : names[in[2] % COUNT_OF(names)];
	memcpy(r->rdata, s.p, s.len);
	r->rdata[s.len] = 0;
	r->rdata_len = s.len + !text;
}

static bool same_name(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	return mrg_span_eq_nocase((struct mrg_span){ a, a_len }, (struct mrg_span){ b, b_len });
}

static bool same_owner(const struct record *a, const struct record *b)
{
	return same_name(a->owner, a->owner_len, b->owner, b->owner_len);
}

static bool same_rdata(const struct record *a, const struct record *b)
{
	return a->type == MRG_DNS_TYPE_TXT ? mrg_span_eq((struct mrg_span){ a->rdata, a->rdata_len },
						     (struct mrg_span){ b->rdata, b->rdata_len })
					   : same_name(a->rdata, a->rdata_len, b->rdata, b->rdata_len);
}

/* The records of an input: of those that are the same, one. */
static void make_records(struct own *o, const uint8_t *in, size_t len)
{
	make_origin(o, origins[(len > 0 ? in[0] : 0) % COUNT_OF(origins)]);
	o->count = 0;
	for (size_t at = HEAD; at + RECORD <= len && o->count < RECORDS_MAX; at += RECORD) {
		struct record *const r = &o->record[o->count];
		if (!put_owner(o, r, in + at)) {
			mark(o, NO_ROOM_FOR_NAMES);
			continue;
		}
		put_rdata(r, in + at);
		size_t i = 0;
		while (i < o->count && !(o->record[i].type == r->type && same_owner(&o->record[i], r) &&
					       same_rdata(&o->record[i], r)))
			i++;
		o->count += i == o->count;
	}
}

/* ---- the zone ---- */

static const struct mrg_dns_zone *build(
	struct own *o, struct mrg_arena *arena, struct mrg_fuzz_result *result)
{
	static struct mrg_dns_zone_builder b;
	static const uint8_t soa[22], ns[1];
	const struct mrg_span origin = { o->origin, o->origin_len };
	struct mrg_dns_zone_error why;
	const struct mrg_dns_zone *zone;
	bool good = mrg_dns_zone_begin(&b, arena, origin) == MRG_OK &&
		    mrg_dns_zone_add(&b, origin, MRG_DNS_TYPE_SOA, MRG_DNS_CLASS_IN, 0,
			    (struct mrg_span){ soa, sizeof soa }, &why) == MRG_OK &&
		    mrg_dns_zone_add(&b, origin, MRG_DNS_TYPE_NS, MRG_DNS_CLASS_IN, 0,
			    (struct mrg_span){ ns, sizeof ns }, &why) == MRG_OK;
	for (size_t i = 0; good && i < o->count; i++) {
		const struct record *const r = &o->record[i];
		good = mrg_dns_zone_add(&b, (struct mrg_span){ r->owner, r->owner_len }, r->type,
			       MRG_DNS_CLASS_IN, 0, (struct mrg_span){ r->rdata, r->rdata_len },
			       &why) == MRG_OK;
	}
	if (good && mrg_dns_zone_finish(&b, &zone, &why) == MRG_OK)
		return zone;
	(void)fuzz_wrong(result, "no zone", "the zone can't be built: %s", mrg_dns_zone_fault_str(why.fault));
	return NULL;
}

/* ---- the naive reader ---- */

/* Has the record this name, `word` before that of another, and this type? */
static bool is_at(
	const struct record *r, const char *word, const uint8_t *name, size_t name_len, uint16_t type)
{
	uint8_t b[NAME], room[16];
	size_t len = name_len;
	memcpy(b, name, name_len);
	return r->type == type && put_before(b, &len, spelled(word, false, room)) &&
	       same_name(r->owner, r->owner_len, b, len);
}

static size_t count_at(const struct own *o, const char *word, const uint8_t *name, size_t len, uint16_t type)
{
	size_t count = 0;
	for (size_t i = 0; i < o->count; i++)
		count += is_at(&o->record[i], word, name, len, type);
	return count;
}

/* Is it LABEL.zones.ORIGIN PTR? */
static bool is_member(const struct own *o, const struct record *r)
{
	const size_t label = 1u + r->owner[0];
	uint8_t zones[NAME], room[16];
	size_t len = o->origin_len;
	memcpy(zones, o->origin, len);
	return r->type == MRG_DNS_TYPE_PTR && r->owner_len > label &&
	       put_before(zones, &len, spelled("zones", false, room)) &&
	       same_name(r->owner + label, r->owner_len - label, zones, len);
}

/* The faults that a record is part of, as bits. */
static unsigned member_faults(const struct own *o, const struct record *r)
{
	unsigned faults = 0;
	for (size_t i = 0; i < o->count; i++) {
		const struct record *const other = &o->record[i];
		if (other == r || !is_member(o, other))
			continue;
		if (same_owner(r, other))
			faults |= 1u << MRG_DNS_CATALOG_NAMES;
		else if (same_rdata(r, other))
			faults |= 1u << MRG_DNS_CATALOG_TWICE;
	}
	if (count_at(o, "coo", r->owner, r->owner_len, MRG_DNS_TYPE_PTR) > 1)
		faults |= 1u << MRG_DNS_CATALOG_OWNERS;
	return faults;
}

/* All that may be said of it; one of them must be. */
static unsigned faults_of(const struct own *o)
{
	const size_t versions = count_at(o, "version", o->origin, o->origin_len, MRG_DNS_TYPE_TXT);
	unsigned faults = 0;
	if (versions != 1)
		return 1u << (versions == 0 ? MRG_DNS_CATALOG_NO_VERSION : MRG_DNS_CATALOG_VERSIONS);
	for (size_t i = 0; i < o->count; i++) {
		const struct record *const r = &o->record[i];
		if (is_at(r, "version", o->origin, o->origin_len, MRG_DNS_TYPE_TXT) &&
			!(r->rdata_len == 2 && r->rdata[0] == 1 && r->rdata[1] == '2'))
			return 1u << MRG_DNS_CATALOG_VERSION;
		if (is_member(o, r))
			faults |= member_faults(o, r);
	}
	return faults != 0 ? faults : 1u << MRG_DNS_CATALOG_SOUND;
}

/* Is that name one that the fault is at? */
static bool is_where(
	const struct own *o, enum mrg_dns_catalog_fault fault, const struct mrg_dns_name_flat *where)
{
	const struct mrg_span at = mrg_dns_name_flat_from(where, 0);
	uint8_t b[NAME], room[16];
	size_t len = o->origin_len;
	memcpy(b, o->origin, len);
	if (fault < MRG_DNS_CATALOG_NAMES) /* where there is no room for it, the zone's own name */
		return (!put_before(b, &len, spelled("version", false, room)) || at.len == len ||
			       at.len == o->origin_len) &&
		       same_name(at.p, at.len, b + len - at.len, at.len);
	for (size_t i = 0; i < o->count; i++) {
		const struct record *const r = &o->record[i];
		if (!is_member(o, r) || (member_faults(o, r) & 1u << fault) == 0)
			continue;
		memcpy(b, r->owner, r->owner_len);
		len = r->owner_len;
		if ((fault != MRG_DNS_CATALOG_OWNERS || put_before(b, &len, spelled("coo", false, room))) &&
			same_name(at.p, at.len, b, len))
			return true;
	}
	return false;
}

/* ---- what was read ---- */

/* Is that what a record with this word before the member's label has?  None: there is none. */
static bool has_value(const struct own *o, const struct record *member, const char *word, uint16_t type,
	struct mrg_span value)
{
	bool any = false;
	for (size_t i = 0; i < o->count; i++) {
		const struct record *const r = &o->record[i];
		if (!is_at(r, word, member->owner, member->owner_len, type))
			continue;
		any = true;
		if (type == MRG_DNS_TYPE_PTR
				? same_name(value.p, value.len, r->rdata, r->rdata_len)
				: mrg_span_eq(value, (struct mrg_span){ r->rdata + 1, r->rdata[0] }))
			return true;
	}
	return !any && value.len == 0;
}

static void check_member(struct own *o, const struct mrg_dns_catalog *c, const struct record *r,
	struct mrg_fuzz_result *result)
{
	const struct mrg_dns_catalog_member *const m =
		mrg_dns_catalog_find(c, (struct mrg_span){ r->rdata, r->rdata_len });
	if (m == NULL || !same_name(m->name.p, m->name.len, r->rdata, r->rdata_len)) {
		(void)fuzz_wrong(result, "member", "a member is not found");
		return;
	}
	if (!same_name(m->label.p, m->label.len, r->owner, 1u + r->owner[0]))
		(void)fuzz_wrong(result, "label", "a member has another label");
	if (!has_value(o, r, "coo", MRG_DNS_TYPE_PTR, m->coo))
		(void)fuzz_wrong(result, "owner", "a member goes to somebody else");
	if (!has_value(o, r, "group", MRG_DNS_TYPE_TXT, m->group))
		(void)fuzz_wrong(result, "group", "a member is of another group");
	if (m->coo.len != 0)
		mark(o, MOVES);
	if (m->group.len != 0)
		mark(o, GROUPED);
}

static void check_list(struct own *o, const struct mrg_dns_catalog *c, struct mrg_fuzz_result *result)
{
	size_t members = 0;
	for (size_t i = 0; i < o->count; i++) {
		const struct record *const r = &o->record[i];
		if (is_member(o, r)) {
			members++;
			check_member(o, c, r, result);
		} else {
			mark(o, PASSED_OVER);
		}
	}
	if (members != c->count)
		(void)fuzz_wrong(result, "count", "%zu members, where there are %zu", c->count, members);
	if (mrg_dns_catalog_find(c, (struct mrg_span){ (const uint8_t *)"\4none", 6 }) != NULL)
		(void)fuzz_wrong(result, "member", "who is no member is found");
	mark(o, members == 0 ? EMPTY : members == 1 ? ONE : MORE);
}

/* ---- the subject ---- */

/* The zone, read with so much memory.  Octets behind it are not touched. */
static enum mrg_dns_catalog_fault read_with(struct own *o, const struct mrg_dns_zone *zone, size_t cap,
	struct mrg_dns_catalog *c, struct mrg_dns_name_flat *where, size_t *used,
	struct mrg_fuzz_result *result)
{
	struct mrg_arena arena = { .p = o->memory, .cap = cap };
	memset(o->memory, 0, cap);
	o->memory[cap] = 0xa5;
	const enum mrg_dns_catalog_fault fault = mrg_dns_catalog_read(zone, &arena, c, where);
	if (o->memory[cap] != 0xa5)
		(void)fuzz_wrong(result, "memory", "more than the arena has is written to");
	*used = arena.len;
	return fault;
}

static void check(
	struct own *o, const uint8_t *in, const struct mrg_dns_zone *zone, struct mrg_fuzz_result *result)
{
	enum { ENOUGH = 1 << 16 };
	struct mrg_dns_catalog c = { .count = 0 };
	struct mrg_dns_name_flat where;
	size_t used, less;
	const unsigned expected = faults_of(o);
	const enum mrg_dns_catalog_fault fault = read_with(o, zone, ENOUGH, &c, &where, &used, result);
	result->verdict = fault == MRG_DNS_CATALOG_SOUND ? MRG_FUZZ_ACCEPTED : MRG_FUZZ_REFUSED;
	if ((expected & 1u << fault) == 0)
		(void)fuzz_wrong(result, "fault", "said of it: %s", mrg_dns_catalog_fault_str(fault));
	else if (fault == MRG_DNS_CATALOG_SOUND)
		check_list(o, &c, result);
	else if (!is_where(o, fault, &where))
		(void)fuzz_wrong(
			result, "place", "a fault is at another name: %s", mrg_dns_catalog_fault_str(fault));
	if (fault != MRG_DNS_CATALOG_SOUND)
		mark(o, FAULTS + fault - 1);
	const enum mrg_dns_catalog_fault again =
		read_with(o, zone, used * in[1] / 256, &c, &where, &less, result);
	if (again != fault && again != MRG_DNS_CATALOG_FULL)
		(void)fuzz_wrong(
			result, "memory", "with less memory it says: %s", mrg_dns_catalog_fault_str(again));
	if (again == MRG_DNS_CATALOG_FULL)
		mark(o, FAULTS + MRG_DNS_CATALOG_FULL - 1);
}

static void run(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	struct own *const o = ctx;
	struct mrg_arena arena = { .p = o->zones, .cap = ROOM };
	result->verdict = MRG_FUZZ_REFUSED;
	if (len < HEAD)
		return;
	make_records(o, in, len);
	const struct mrg_dns_zone *const zone = build(o, &arena, result);
	if (zone != NULL)
		check(o, in, zone, result);
	memset(o->zones, 0, arena.len);
}

/* A record by chance, the i-th: mostly a member that is none before. */
static void make_record(struct mrg_rng *rng, uint8_t *out, unsigned i)
{
	static const uint8_t often[] = { MEMBER, MEMBER, MEMBER, COO, COO, GROUP };
	const bool any = mrg_rng_below(rng, 8) == 0;
	out[0] = any ? (uint8_t)mrg_rng_below(rng, WHATS) : often[mrg_rng_below(rng, COUNT_OF(often))];
	out[1] = (uint8_t)(any ? mrg_rng_next(rng) : i);
	out[2] = (uint8_t)(any || out[0] == COO ? mrg_rng_next(rng) : i);
	out[3] = (uint8_t)mrg_rng_next(rng);
}

static size_t make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	const unsigned records = (unsigned)mrg_rng_below(rng, 12);
	size_t len = HEAD;
	(void)ctx;
	if (cap < LEN_MAX)
		return 0;
	out[0] = (uint8_t)mrg_rng_below(rng, 2 * COUNT_OF(origins));
	out[1] = (uint8_t)mrg_rng_next(rng);
	if (mrg_rng_below(rng, 12) != 0) { /* the version that is meant */
		memset(out + len, 0, RECORD);
		len += RECORD;
	}
	for (unsigned i = 0; i < records; i++, len += RECORD)
		make_record(rng, out + len, i);
	return len;
}

/* A record more, one less, or one with another octet. */
static size_t mutate(void *ctx, struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,
	size_t other_len, uint8_t *out, size_t cap)
{
	(void)ctx;
	if (len < HEAD + RECORD || cap < LEN_MAX || len > LEN_MAX)
		return 0;
	const size_t at = HEAD + RECORD * mrg_rng_below(rng, (len - HEAD) / RECORD);
	memcpy(out, in, len);
	switch (mrg_rng_below(rng, 4)) {
	case 0:
		if (len + RECORD > LEN_MAX)
			return 0;
		make_record(rng, out + len, (unsigned)mrg_rng_below(rng, RECORDS_MAX));
		return len + RECORD;
	case 1: memmove(out + at, out + at + RECORD, len - at - RECORD); return len - RECORD;
	case 2:
		if (other_len < HEAD + RECORD)
			return 0;
		memcpy(out + at, other + HEAD + RECORD * mrg_rng_below(rng, (other_len - HEAD) / RECORD),
			RECORD);
		return len;
	default: out[mrg_rng_below(rng, len)] = (uint8_t)mrg_rng_next(rng); return len;
	}
}

/* Without the i-th record. */
static size_t smaller(void *ctx, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
	(void)ctx;
	const size_t at = HEAD + RECORD * i;
	if (at + RECORD > len || cap < len)
		return 0;
	memcpy(out, in, at);
	memcpy(out + at, in + at + RECORD, len - at - RECORD);
	return len - RECORD;
}

static void show_octets(const uint8_t *p, size_t len, FILE *to)
{
	for (size_t i = 0; i < len; i++)
		(void)fprintf(to, p[i] > ' ' && p[i] < 0x7f ? "%c" : "\\%03u", p[i]);
}

static void show(void *ctx, const uint8_t *in, size_t len, FILE *to)
{
	struct own *const o = ctx;
	make_records(o, in, len);
	for (size_t i = 0; i < o->count; i++) {
		const struct record *const r = &o->record[i];
		show_octets(r->owner, r->owner_len, to);
		(void)fprintf(to, " TYPE%u ", r->type);
		show_octets(r->rdata, r->rdata_len, to);
		(void)fprintf(to, "\n");
	}
}

FUZZ_POINT_NAMES(point_names)
static struct own of_catalog;
FUZZ_SUBJECT(dns_server_catalog, "dns.server.catalog", of_catalog, LEN_MAX, POINTS);
