/*
 * Random dynamic updates against the pseudo-code of RFC 2136, written down as it stands there, over a list of records.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "iana/dns.h"
#include "oracle_zones.h"
#include "update_kit.h"

static const struct mrg_dns_update_rules everybody;

static uint8_t room[4096]; /* RDATA of the records of one message */
static size_t room_len;

struct said {
	struct oracle_rr rr;
	uint16_t class;
	uint32_t ttl;
};

static struct mrg_dns_name_flat random_name(void)
{
	static const char *const names[] = { "zone.test.", "a.zone.test.", "b.zone.test.", "c.a.zone.test.",
		"*.b.zone.test." };
	return oracle_name(zones_rnd(25) == 0 ? "test." : names[zones_rnd(5)]);
}

static struct mrg_span random_rdata(uint16_t type)
{
	uint8_t *const at = room + room_len;
	const struct mrg_dns_name_flat n = oracle_name(zones_rnd(2) == 0 ? "a.zone.test." : "ns.other.");
	size_t len = 0;
	if (type == MRG_DNS_TYPE_A) {
		len = 4;
		at[3] = (uint8_t)zones_rnd(3);
	} else if (type == MRG_DNS_TYPE_TXT) {
		len = 2;
		at[0] = 1;
		at[1] = (uint8_t)('a' + zones_rnd(2));
	} else {
		memcpy(at, n.b, n.len);
		len = n.len;
		if (type == MRG_DNS_TYPE_SOA) {
			memcpy(at + len, n.b, n.len);
			len += n.len;
			at[len + 3] = (uint8_t)zones_rnd(60);
			at[len + 19] = (uint8_t)zones_rnd(2);
			len += 20;
		}
	}
	room_len += len;
	return (struct mrg_span){ at, len };
}

static void random_record(struct said *s, bool prerequisite)
{
	static const uint16_t types[] = { MRG_DNS_TYPE_A, MRG_DNS_TYPE_A, MRG_DNS_TYPE_TXT, MRG_DNS_TYPE_NS,
		MRG_DNS_TYPE_CNAME, MRG_DNS_TYPE_DNAME, MRG_DNS_TYPE_SOA, MRG_DNS_TYPE_ANY };
	static const uint16_t classes[] = { 1, 254, 255 };
	memset(s, 0, sizeof *s);
	s->rr.owner = random_name();
	s->rr.type = types[zones_rnd(8)];
	s->class = classes[zones_rnd(zones_rnd(3) == 0 ? 3 : 1)];
	if (prerequisite)
		s->class = classes[zones_rnd(3)];
	s->ttl = s->class == 1 && !prerequisite ? 60 + zones_rnd(2) : zones_rnd(40) == 0;
	const bool bare =
		s->class == 255 || (prerequisite && s->class == 254) || s->rr.type == MRG_DNS_TYPE_ANY;
	s->rr.rdata = (struct mrg_span){ room, 0 };
	if (s->class == 1 && s->rr.type == MRG_DNS_TYPE_ANY)
		s->rr.type = MRG_DNS_TYPE_A;
	if (!bare || s->class == 1)
		s->rr.rdata = random_rdata(s->rr.type);
}

static bool at(const struct oracle_rr *r, const struct said *s, int type)
{
	return mrg_dns_name_flat_order(&r->owner, &s->rr.owner) == 0 && (type < 0 || r->type == type);
}

static size_t count(const struct oracle *z, const struct said *s, int type)
{
	size_t n = 0;
	for (size_t i = 0; i < z->count; i++)
		n += at(&z->rr[i], s, type);
	return n;
}

static void drop(struct oracle *z, size_t i)
{
	memmove(&z->rr[i], &z->rr[i + 1], (--z->count - i) * sizeof z->rr[0]);
}

static uint32_t serial_in(struct mrg_span soa) { return mrg_be32(soa.p + soa.len - 20); }

static struct oracle_rr *soa_of(struct oracle *z)
{
	size_t i = 0;
	while (z->rr[i].type != MRG_DNS_TYPE_SOA)
		i++;
	return &z->rr[i];
}

/* RFC 2136 3.2.5 */
static unsigned model_prerequisites(const struct oracle *z, const struct said *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct said *const s = &p[i];
		const bool any = s->rr.type == MRG_DNS_TYPE_ANY;
		if (s->ttl != 0)
			return MRG_DNS_RCODE_FORMERR;
		if (s->rr.owner.count < 3)
			return MRG_DNS_RCODE_NOTZONE;
		if (s->class == 255 && count(z, s, any ? -1 : s->rr.type) == 0)
			return any ? MRG_DNS_RCODE_NXDOMAIN : MRG_DNS_RCODE_NXRRSET;
		if (s->class == 254 && count(z, s, any ? -1 : s->rr.type) > 0)
			return any ? MRG_DNS_RCODE_YXDOMAIN : MRG_DNS_RCODE_YXRRSET;
	}
	for (size_t i = 0; i < n; i++) { /* each set that is said is that of the zone: both ways */
		bool there = p[i].class != 1;
		for (size_t k2 = 0; k2 < z->count && p[i].class == 1; k2++) {
			bool said = !at(&z->rr[k2], &p[i], p[i].rr.type);
			there = there || (!said && mrg_span_eq(z->rr[k2].rdata, p[i].rr.rdata));
			for (size_t j = 0; j < n; j++)
				said = said || (p[j].class == 1 && at(&z->rr[k2], &p[j], p[j].rr.type) &&
						       mrg_span_eq(z->rr[k2].rdata, p[j].rr.rdata));
			if (!said)
				return MRG_DNS_RCODE_NXRRSET;
		}
		if (!there)
			return MRG_DNS_RCODE_NXRRSET;
	}
	return 0;
}

static void model_add(struct oracle *z, const struct said *s)
{
	const uint16_t type = s->rr.type;
	const bool cname = type == MRG_DNS_TYPE_CNAME;
	if (cname && count(z, s, -1) > count(z, s, MRG_DNS_TYPE_CNAME))
		return;
	if (!cname && count(z, s, MRG_DNS_TYPE_CNAME) > 0)
		return;
	if (type == MRG_DNS_TYPE_SOA &&
		(s->rr.owner.count != 3 || serial_in(soa_of(z)->rdata) > serial_in(s->rr.rdata)))
		return;
	const bool single = cname || type == MRG_DNS_TYPE_SOA || type == MRG_DNS_TYPE_DNAME;
	for (size_t i = z->count; i-- > 0;) {
		if (!at(&z->rr[i], s, type))
			continue;
		if (single || mrg_span_eq(z->rr[i].rdata, s->rr.rdata))
			drop(z, i);
		else
			z->rr[i].ttl = s->ttl; /* RFC 2181 5.2 */
	}
	oracle_add(z, &s->rr.owner, type, s->ttl, s->rr.rdata.p, s->rr.rdata.len);
}

static void model_delete(struct oracle *z, const struct said *s)
{
	const bool apex = s->rr.owner.count == 3;
	for (size_t i = z->count; i-- > 0;) {
		const uint16_t type = z->rr[i].type;
		if (!at(&z->rr[i], s, s->rr.type == MRG_DNS_TYPE_ANY ? -1 : s->rr.type) ||
			(s->class == 254 && !mrg_span_eq(z->rr[i].rdata, s->rr.rdata)))
			continue;
		if (type == MRG_DNS_TYPE_SOA ||
			(apex && type == MRG_DNS_TYPE_NS && (s->class == 255 || count(z, s, type) == 1)))
			continue;
		drop(z, i);
	}
}

/* RFC 2136 3.4.1.3 and 3.4.2.7, 3.6 */
static unsigned model_update(struct oracle *z, const struct said *u, size_t n)
{
	static struct oracle was;
	was = *z;
	for (size_t i = 0; i < n; i++) {
		if (u[i].rr.owner.count < 3)
			return MRG_DNS_RCODE_NOTZONE;
		if (u[i].class != 1 &&
			(u[i].ttl != 0 || (u[i].class == 254 && u[i].rr.type == MRG_DNS_TYPE_ANY)))
			return MRG_DNS_RCODE_FORMERR;
	}
	for (size_t i = 0; i < n; i++) {
		if (u[i].class == 1)
			model_add(z, &u[i]);
		else
			model_delete(z, &u[i]);
	}
	bool same = z->count == was.count;
	for (size_t i = 0; i < z->count; i++)
		same = same && zones_find(&was, &z->rr[i]) != SIZE_MAX;
	struct oracle_rr *const soa = soa_of(z);
	if (!same && serial_in(soa->rdata) == serial_in(soa_of(&was)->rdata)) {
		uint8_t *const octets = z->heap + (soa->rdata.p - z->heap);
		soa->rdata = oracle_keep(z, octets, soa->rdata.len);
		z->heap[soa->rdata.p - z->heap + (ptrdiff_t)soa->rdata.len - 17]++;
	}
	return 0;
}

/* RDATA are in the heap of the zone that they were first in: have them in this one's. */
static void settle(struct oracle *z, const struct oracle *from)
{
	static struct oracle fresh;
	oracle_init(&fresh, "zone.test.");
	for (size_t i = 0; i < from->count; i++)
		oracle_add(&fresh, &from->rr[i].owner, from->rr[i].type, from->rr[i].ttl, from->rr[i].rdata.p,
			from->rr[i].rdata.len);
	*z = fresh;
	for (size_t i = 0; i < z->count; i++)
		z->rr[i].rdata.p = z->heap + (fresh.rr[i].rdata.p - fresh.heap);
}

enum { UPDATES = 60, SEEDS = 6 };

START_TEST(test_random)
{
	static struct oracle z, next;
	static struct update_message m;
	struct said p[4], u[6];
	unsigned rcodes[16] = { 0 }, changes = 0;
	free(update_tables.p);
	update_tables = update_arena(1 << 22); /* for many versions */
	zones_seed((unsigned)_i * 7919u + 3u);
	zones_random(&z, ORACLE_UNSIGNED);
	update_kit.zones[0] = zones_build(&update_kit, &z, false);
	for (unsigned round = 0; round < UPDATES; round++) {
		const size_t np = zones_rnd(3), nu = 1 + zones_rnd(5);
		struct kit other;
		room_len = 0;
		memset(room, 0, sizeof room);
		update_begin(&m, zones_name(&z.origin), MRG_DNS_TYPE_SOA, 1);
		for (size_t i = 0; i < np; i++) {
			random_record(&p[i], true);
			update_put(&m, 1, zones_name(&p[i].rr.owner), p[i].rr.type, p[i].class, p[i].ttl,
				p[i].rr.rdata);
		}
		for (size_t i = 0; i < nu; i++) {
			random_record(&u[i], false);
			update_put(&m, 2, zones_name(&u[i].rr.owner), u[i].rr.type, u[i].class, u[i].ttl,
				u[i].rr.rdata);
		}
		settle(&next, &z);
		unsigned want = model_prerequisites(&next, p, np);
		if (want == 0)
			want = model_update(&next, u, nu);
		const unsigned rcode = update_run(update_octets(&m), &everybody);
		ck_assert_uint_eq(rcode, want);
		rcodes[rcode % 16]++;
		if (update_result.made == NULL) {
			ck_assert(rcode != 0 || serial_in(soa_of(&next)->rdata) ==
							mrg_dns_zone_serial(update_kit.zones[0]));
			continue;
		}
		kit_init(&other, 1 << 20);
		zones_same(zones_build(&other, &next, false), update_result.made);
		kit_free(&other);
		update_kit.zones[0] = update_result.made;
		settle(&z, &next);
		changes++;
	}
	ck_assert(changes > UPDATES / 8 && rcodes[MRG_DNS_RCODE_NOTZONE] > 0);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("update, at random");
	TCase *const t = tcase_create("random");
	tcase_add_checked_fixture(t, update_setup, update_teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, test_random, 0, SEEDS);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
