/* Random zones and the naive server's answers for them: see oracle_zones.h. */
#include "oracle_zones.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/message.h"
#include "iana/dns.h"
#include "protocols/dns/zone_store.h"

static uint64_t seed;

void zones_seed(uint64_t from) { seed = from; }

unsigned zones_rnd(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static const char *const labels[] = { "a", "b", "*", "C" };

/* A name of up to three random labels below the origin. */
static struct mrg_dns_name_flat random_name(unsigned most)
{
	char text[64] = "";
	for (unsigned left = zones_rnd(most + 1); left > 0; left--)
		strcat(strcat(text, labels[zones_rnd(4)]), ".");
	strcat(text, "zone.test.");
	return oracle_name(text);
}

/* May a record of this type join what the owner has? */
static bool fits(const struct oracle *z, const struct mrg_dns_name_flat *n, uint16_t type)
{
	const bool apex = n->count == z->origin.count;
	bool any = false;
	for (size_t i = 0; i < z->count; i++)
		any = any || mrg_dns_name_flat_order(&z->rr[i].owner, n) == 0;
	if (oracle_has(z, n, MRG_DNS_TYPE_CNAME))
		return false;
	if (type == MRG_DNS_TYPE_CNAME)
		return !any;
	if (type == MRG_DNS_TYPE_DNAME)
		return !oracle_has(z, n, type);
	return type != MRG_DNS_TYPE_DS || (!apex && oracle_has(z, n, MRG_DNS_TYPE_NS));
}

void zones_add(struct oracle *z)
{
	static const uint16_t types[] = { MRG_DNS_TYPE_A, MRG_DNS_TYPE_A, MRG_DNS_TYPE_AAAA, MRG_DNS_TYPE_TXT,
		MRG_DNS_TYPE_NS, MRG_DNS_TYPE_CNAME, MRG_DNS_TYPE_CNAME, MRG_DNS_TYPE_DNAME, MRG_DNS_TYPE_DS,
		MRG_DNS_TYPE_MX };
	const uint16_t type = types[zones_rnd(sizeof types / sizeof *types)];
	const struct mrg_dns_name_flat owner = random_name(4), target = random_name(4);
	uint8_t rdata[300] = { 0 };
	size_t len = 0;
	if (!fits(z, &owner, type))
		return;
	if (type == MRG_DNS_TYPE_A || type == MRG_DNS_TYPE_AAAA) {
		len = type == MRG_DNS_TYPE_A ? 4 : 16;
		rdata[0] = (uint8_t)zones_rnd(256);
	} else if (type == MRG_DNS_TYPE_TXT) {
		rdata[0] = 1;
		rdata[1] = (uint8_t)('a' + zones_rnd(26));
		len = 2;
	} else if (type == MRG_DNS_TYPE_DS) {
		rdata[2] = 13;
		rdata[3] = 2;
		rdata[4] = (uint8_t)zones_rnd(256);
		len = 36;
	} else {
		if (type == MRG_DNS_TYPE_MX)
			len = 2;
		memcpy(rdata + len, target.b, target.len);
		len += target.len;
	}
	for (size_t i = 0; i < z->count; i++) {
		const struct oracle_rr *const r = &z->rr[i];
		if (r->type == type && mrg_dns_name_flat_order(&r->owner, &owner) == 0 &&
			mrg_span_eq_nocase(r->rdata, (struct mrg_span){ rdata, len }))
			return;
	}
	oracle_add(z, &owner, type, 3600, rdata, len);
}

void zones_apex(struct oracle *z, uint8_t serial)
{
	uint8_t soa[100];
	const struct mrg_dns_name_flat ns = oracle_name("a.zone.test.");
	memcpy(soa, ns.b, ns.len);
	memcpy(soa + ns.len, ns.b, ns.len);
	memset(soa + 2 * ns.len, 0, 20);
	soa[2 * ns.len + 3] = serial;
	soa[2 * ns.len + 19] = (uint8_t)(60 + zones_rnd(2) * 100);
	oracle_init(z, "zone.test.");
	oracle_add(z, &z->origin, MRG_DNS_TYPE_SOA, 100, soa, 2u * ns.len + 20);
	oracle_add(z, &z->origin, MRG_DNS_TYPE_NS, 3600, ns.b, ns.len);
}

void zones_random(struct oracle *z, enum oracle_signing how)
{
	zones_apex(z, 0);
	for (unsigned n = 4 + zones_rnd(30); n > 0; n--)
		zones_add(z);
	oracle_sign(z, how);
}

const struct mrg_dns_zone *zones_build(struct kit *k, const struct oracle *z, bool shuffled)
{
	static struct mrg_dns_zone_builder b;
	size_t order[ORACLE_RECORDS];
	struct mrg_dns_zone_error err;
	const struct mrg_dns_zone *zone;
	for (size_t i = 0; i < z->count; i++)
		order[i] = i;
	for (size_t i = z->count; i > 1 && shuffled; i--) {
		const size_t j = zones_rnd((unsigned)i), was = order[i - 1];
		order[i - 1] = order[j];
		order[j] = was;
	}
	ck_assert_int_eq(
		mrg_dns_zone_begin(&b, &k->arena, (struct mrg_span){ z->origin.b, z->origin.len }), MRG_OK);
	for (size_t i = 0; i < z->count; i++) {
		const struct oracle_rr *const r = &z->rr[order[i]];
		ck_assert_int_eq(mrg_dns_zone_add(&b, (struct mrg_span){ r->owner.b, r->owner.len }, r->type,
					 1, r->ttl, r->rdata, &err),
			MRG_OK);
	}
	const enum mrg_status st = mrg_dns_zone_finish(&b, &zone, &err);
	if (st != MRG_OK)
		ck_abort_msg("finish: %s", mrg_dns_zone_fault_str(err.fault));
	ck_assert_uint_eq(mrg_dns_zone_records(zone), z->count);
	return zone;
}

static void describe(const struct mrg_dns_name_flat *name, uint16_t type, char *out)
{
	for (unsigned i = 0; i + 1 < name->count; i++)
		out += sprintf(out, "%.*s.", (int)(name->off[i + 1] - name->off[i] - 1),
			(const char *)name->b + name->off[i] + 1);
	sprintf(out, " %s", mrg_dns_type_str(type) != NULL ? mrg_dns_type_str(type) : "?");
}

static void show_zone(const struct oracle *z)
{
	for (size_t i = 0; i < z->count; i++) {
		char what[300];
		describe(&z->rr[i].owner, z->rr[i].type, what);
		fprintf(stderr, "  %s", what);
		if (z->rr[i].type == 2 || z->rr[i].type == 5 || z->rr[i].type == 39) {
			struct mrg_dns_name_flat t;
			if (mrg_dns_name_flat_check(z->rr[i].rdata, &t) == MRG_OK)
				describe(&t, 0, what);
			fprintf(stderr, " -> %s", what);
		}
		fprintf(stderr, "\n");
	}
}

static void compare(const struct kit *k, const struct oracle *z, const struct mrg_dns_name_flat *name,
	uint16_t type, bool dnssec)
{
	static struct oracle_reply want;
	uint8_t query[400];
	struct mrg_w w;
	size_t len;
	struct mrg_dns_message m;
	char what[300];
	oracle_answer(z, name, type, dnssec, &want);
	mrg_w_init(&w, query, sizeof query);
	mrg_dns_header_put(&w, &(struct mrg_dns_header_args){ .id = 7, .qdcount = 1, .arcount = 1 });
	mrg_w_put(&w, (struct mrg_span){ name->b, name->len });
	mrg_w_be16(&w, type);
	mrg_w_be16(&w, 1);
	mrg_w_put(&w,
		(struct mrg_span){
			(const uint8_t[]){ 0, 0, 41, 0xff, 0xff, 0, 0, dnssec ? 0x80 : 0, 0, 0, 0 }, 11 });
	describe(name, type, what);
	const char *const text = kit_send(k, MRG_DNS_TCP, query, w.len, 65535);
	const uint8_t *const p = kit_reply(&len);
	ck_assert_int_eq(mrg_dns_message_check((struct mrg_span){ p, len }, &m, NULL), MRG_OK);
	const struct mrg_dns_header h = mrg_dns_message_header(&m);
	struct mrg_dns_message_answer_it an = mrg_dns_message_answer(&m);
	struct mrg_dns_message_authority_it ns = mrg_dns_message_authority(&m);
	struct mrg_dns_message_additional_it ar = mrg_dns_message_additional(&m);
	struct mrg_dns_rr rr;
	bool same = mrg_dns_header_rcode(&h) == want.rcode && (mrg_dns_header_aa(&h) != 0) == want.aa &&
		    mrg_dns_header_ancount(&h) == want.count[0] &&
		    mrg_dns_header_nscount(&h) == want.count[1] &&
		    mrg_dns_header_arcount(&h) == want.count[2] + 1;
	while (mrg_dns_message_answer_next(&an, &rr))
		same = same && oracle_made(&want, 0, &rr);
	while (mrg_dns_message_authority_next(&ns, &rr))
		same = same && oracle_made(&want, 1, &rr);
	while (mrg_dns_message_additional_next(&ar, &rr))
		same = same && (mrg_dns_rr_type(&rr) == MRG_DNS_TYPE_OPT || oracle_made(&want, 2, &rr));
	if (same)
		return;
	show_zone(z);
	fprintf(stderr, "want rcode %u aa %d counts %zu %zu %zu\n", want.rcode, want.aa, want.count[0],
		want.count[1], want.count[2]);
	for (unsigned s = 0; s < 3; s++)
		for (size_t i = 0; i < want.count[s]; i++) {
			char line[300];
			describe(&want.rr[s][i].owner, want.rr[s][i].type, line);
			fprintf(stderr, "  %u %s %u\n", s, line, want.rr[s][i].ttl);
		}
	ck_abort_msg("%s%s, signing %d: got\n%s", what, dnssec ? " do" : "", z->signing, text);
}

void zones_compare(const struct kit *k, const struct oracle *z)
{
	static const uint16_t types[] = { MRG_DNS_TYPE_A, MRG_DNS_TYPE_NS, MRG_DNS_TYPE_CNAME,
		MRG_DNS_TYPE_SOA, MRG_DNS_TYPE_MX, MRG_DNS_TYPE_DNAME, MRG_DNS_TYPE_DS, MRG_DNS_TYPE_ANY };
	static const char *const more[] = { "a", "b", "*", "x" };
	for (unsigned n = 0; n < 5 * 5 * 5 * 5; n++) {
		char text[64] = "";
		unsigned left = n;
		for (unsigned i = 0; i < 4; i++, left /= 5) {
			if (left % 5 > 0)
				strcat(strcat(text, more[left % 5 - 1]), ".");
		}
		strcat(text, "zone.test.");
		const struct mrg_dns_name_flat name = oracle_name(text);
		for (size_t t = 0; t < sizeof types / sizeof *types; t++)
			compare(k, z, &name, types[t], z->signing != ORACLE_UNSIGNED && (n + t) % 4 != 0);
	}
}

/* ---- the same zone ---- */

size_t zones_find(const struct oracle *z, const struct oracle_rr *r)
{
	for (size_t i = 0; i < z->count; i++) {
		const struct oracle_rr *const x = &z->rr[i];
		if (x->type == r->type && x->ttl == r->ttl &&
			mrg_dns_name_flat_order(&x->owner, &r->owner) == 0 && mrg_span_eq(x->rdata, r->rdata))
			return i;
	}
	return SIZE_MAX;
}

struct mrg_span zones_name(const struct mrg_dns_name_flat *n) { return (struct mrg_span){ n->b, n->len }; }

/* The records of a node as numbers that add up to the same in any order of a set's records. */
static uint64_t sum_node(const struct mrg_dns_node *n)
{
	struct mrg_dns_rrset const *s = mrg_dns_node_sets(n);
	uint64_t sum = 0;
	for (unsigned left = n->sets; left > 0; left--, s = mrg_dns_rrset_next(s)) {
		struct mrg_span wire = mrg_dns_rrset_wire(s, true);
		struct mrg_dns_rr rr;
		uint64_t set = 0;
		for (; wire.len > 0; wire = (struct mrg_span){ wire.p + rr.len, wire.len - rr.len }) {
			uint8_t flat[1024];
			struct mrg_w w;
			ck_assert_int_eq(
				mrg_dns_rr_check(wire, mrg_dns_rrset_message(n, s), &rr, NULL), MRG_OK);
			mrg_w_init(&w, flat, sizeof flat);
			mrg_dns_rr_copy(&w, &rr);
			ck_assert_int_eq(w.st, MRG_OK);
			set += mrg_dns_hash(mrg_w_span(&w, 0)) *
			       ((size_t)(wire.p - (const uint8_t *)(s + 1)) < s->len ? 3 : 5);
		}
		sum = sum * 31 + set + s->type + s->count * 7u + s->sig_count * 77u + s->len + s->sig_len;
	}
	return sum;
}

static void same_node(const struct mrg_dns_node *x, const struct mrg_dns_node *y)
{
	const unsigned unsaid = MRG_DNS_NODE_LAST | MRG_DNS_NODE_LINKED;
	ck_assert_ptr_nonnull(y);
	ck_assert_uint_eq(x->flags & ~unsaid, y->flags & ~unsaid);
	ck_assert_uint_eq(x->below, y->below);
	ck_assert_uint_eq(x->sets, y->sets);
	ck_assert_uint_eq(x->labels, y->labels);
	ck_assert_uint_eq(x->grains, y->grains);
	ck_assert(sum_node(x) == sum_node(y));
}

void zones_same(const struct mrg_dns_zone *a, const struct mrg_dns_zone *b)
{
	size_t bucket = 0, count = 0, len = 0;
	for (const struct mrg_dns_node *n = mrg_dns_zone_first(a, &bucket); n != NULL;
		n = mrg_dns_zone_after(a, n, &bucket), count++) {
		same_node(n, mrg_dns_zone_probe(b, mrg_dns_node_name(n)));
		len += mrg_dns_node_size(n);
	}
	ck_assert_uint_eq(a->node_count, count);
	ck_assert_uint_eq(b->node_count, count);
	ck_assert_uint_eq(a->node_len, len + mrg_dns_node_size(a->negative));
	ck_assert_uint_eq(b->node_len, a->node_len);
	ck_assert_ptr_eq(a->apex, mrg_dns_zone_probe(a, mrg_dns_zone_origin(a)));
	ck_assert_ptr_eq(b->apex, mrg_dns_zone_probe(b, mrg_dns_zone_origin(b)));
	ck_assert(sum_node(a->negative) == sum_node(b->negative));
	ck_assert_uint_eq(a->serial, b->serial);
	ck_assert_uint_eq(a->record_count, b->record_count);
	ck_assert_int_eq(a->denial, b->denial);
	ck_assert_uint_eq(a->soa.ttl, b->soa.ttl);
	ck_assert(mrg_span_eq(a->soa.numbers, b->soa.numbers));
	ck_assert_uint_eq(a->nsec3.iterations, b->nsec3.iterations);
	ck_assert_uint_eq(a->chain_len, b->chain_len);
	for (size_t i = 0; i < a->chain_len; i++) {
		const struct mrg_dns_node *const x = mrg_dns_node_at(a, a->chain[i]),
						 *const y = mrg_dns_node_at(b, b->chain[i]);
		ck_assert(mrg_dns_node_is(x, mrg_dns_node_name(y)));
		ck_assert_ptr_eq(y, mrg_dns_zone_probe(b, mrg_dns_node_name(y)));
	}
}
