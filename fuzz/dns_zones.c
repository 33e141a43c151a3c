/* See dns_zones.h. */
#include "fuzz/dns_zones.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iana/dns.h"
#include "protocols/dns/master.h"

enum { ROOM = 8 << 20 };

#define STRING_100                                                                                            \
	"\"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456" \
	"789\""
#define LABEL_50 "l2345678901234567890123456789012345678901234567890"

static const char master[] = "$TTL 3600\n"
			     "@ SOA ns1 hostmaster 1 7200 900 1209600 300\n"
			     "  NS ns1\n"
			     "  NS ns2\n"
			     "  MX 10 mail\n"
			     "  TXT \"v=spf1 -all\"\n"
			     "  A 192.0.2.80\n"
			     "ns1 A 192.0.2.53\n"
			     "  AAAA 2001:db8::53\n"
			     "ns2 A 198.51.100.53\n"
			     "www A 192.0.2.80\n"
			     "  AAAA 2001:db8::80\n"
			     "  HTTPS 1 . alpn=h2,h3\n"
			     "mail A 192.0.2.25\n"
			     "_s._tcp SRV 0 1 587 mail\n"
			     "blog CNAME www\n"
			     "c1 CNAME c2\n"
			     "c2 CNAME c3\n"
			     "c3 CNAME www\n"
			     "loop CNAME loop2\n"
			     "loop2 CNAME loop\n"
			     "away CNAME www.elsewhere.test.\n"
			     "dangling CNAME nothing\n"
			     "d DNAME tree\n"
			     "a.tree A 192.0.2.1\n"
			     "*.tree TXT \"any\"\n"
			     "long DNAME " LABEL_50 "." LABEL_50 "." LABEL_50 "." LABEL_50 "\n"
			     "circle DNAME x.circle\n"
			     "*.wild A 192.0.2.90\n"
			     "*.wild TXT \"wild\"\n"
			     "sub.wild TXT \"not wild\"\n"
			     "*.alias CNAME www\n"
			     "*.into CNAME x.d\n"
			     "lab NS ns.lab\n"
			     "lab NS ns1\n"
			     "ns.lab A 192.0.2.99\n"
			     "x.lab A 192.0.2.98\n"
			     "safe NS ns.safe\n"
			     "safe DS 1 13 2 "
			     "0000000000000000000000000000000000000000000000000000000000000000\n"
			     "ns.safe AAAA 2001:db8::99\n"
			     "a.b.empty TXT \"deep\"\n"
			     "to-lab CNAME host.lab\n"
			     "big TXT " STRING_100 "1\n"
			     "big TXT " STRING_100 "2\n"
			     "big TXT " STRING_100 "3\n"
			     "big TXT " STRING_100 "4\n"
			     "big TXT " STRING_100 "5\n"
			     "$GENERATE 1-90 many A 203.0.113.$\n";

static const struct {
	const char *origin;
	enum oracle_signing how;
} kinds[DNS_ZONES] = { { "plain.test.", ORACLE_UNSIGNED }, { "nsec.test.", ORACLE_NSEC },
	{ "nsec3.test.", ORACLE_NSEC3 }, { "optout.test.", ORACLE_OPT_OUT } };

static struct dns_zones all;
static struct mrg_arena arena;

static void fail(const char *what)
{
	(void)fprintf(stderr, "dns_zones: %s\n", what);
	abort();
}

static void complain(void *ctx, const struct mrg_dns_master_error *e)
{
	(void)ctx;
	(void)fprintf(stderr, "dns_zones: line %u: %s: %s\n", e->line, e->field, e->what);
}

static bool keep(void *ctx, const struct mrg_dns_master_rr *rr)
{
	struct oracle *const z = ctx;
	struct mrg_dns_name_flat owner;
	if (mrg_dns_name_flat_check(rr->owner, &owner) != MRG_OK)
		fail("a name");
	oracle_add(z, &owner, rr->type, rr->ttl, rr->rdata.p, rr->rdata.len);
	return true;
}

static void read_zone(struct oracle *z, const char *origin, enum oracle_signing how)
{
	static struct mrg_dns_master m;
	const struct mrg_dns_master_events ev = { .ctx = z, .record = keep, .error = complain };
	const struct mrg_dns_master_source src = {
		.p = (const uint8_t *)master, .len = sizeof master - 1, .name = "zone"
	};
	size_t errors;
	oracle_init(z, origin);
	if (mrg_dns_master_read(
		    &m, &src, (struct mrg_span){ z->origin.b, z->origin.len }, 3600, &ev, &errors) != MRG_OK)
		fail("the zone can't be read");
	oracle_sign(z, how);
}

static const struct mrg_dns_zone *build(const struct oracle *z)
{
	static struct mrg_dns_zone_builder b;
	struct mrg_dns_zone_error err;
	const struct mrg_dns_zone *zone;
	if (mrg_dns_zone_begin(&b, &arena, (struct mrg_span){ z->origin.b, z->origin.len }) != MRG_OK)
		fail("no zone");
	for (size_t i = 0; i < z->count; i++) {
		const struct oracle_rr *const r = &z->rr[i];
		if (mrg_dns_zone_add(&b, (struct mrg_span){ r->owner.b, r->owner.len }, r->type,
			    MRG_DNS_CLASS_IN, r->ttl, r->rdata, &err) != MRG_OK)
			fail(mrg_dns_zone_fault_str(err.fault));
	}
	if (mrg_dns_zone_finish(&b, &zone, &err) != MRG_OK)
		fail(mrg_dns_zone_fault_str(err.fault));
	return zone;
}

static void tell_peer(void *ctx, size_t index, struct mrg_rt_addr *out)
{
	(void)ctx;
	(void)index;
	*out = (struct mrg_rt_addr){ .family = 4, .ip = { 192, 0, 2, 1 } };
}

struct mrg_dns_asker dns_asker(enum mrg_dns_transport via)
{
	return (struct mrg_dns_asker){ .via = via, .now_s = 1700000000, .peer = tell_peer };
}

static struct mrg_dns_server server_of(const struct mrg_dns_db *db)
{
	static const struct mrg_dns_cookie_secrets cookies = { .key = { { 1, 2 }, { 3, 4 } }, .two = true };
	return (struct mrg_dns_server){ .db = db,
		.version = MRG_LITERAL("fuzzed"),
		.identity = MRG_LITERAL("one"),
		.nsid = MRG_LITERAL("id"),
		.cookies = &cookies,
		.udp_max = 1232 };
}

const struct dns_zones *dns_zones(void)
{
	if (arena.p != NULL)
		return &all;
	arena = (struct mrg_arena){ .p = calloc(1, ROOM), .cap = ROOM };
	if (arena.p == NULL)
		fail("no memory");
	for (unsigned i = 0; i < DNS_ZONES; i++) {
		all.oracles[i] = malloc(sizeof *all.oracles[i]);
		if (all.oracles[i] == NULL)
			fail("no memory");
		read_zone(all.oracles[i], kinds[i].origin, kinds[i].how);
		all.zones[i] = build(all.oracles[i]);
	}
	if (mrg_dns_db_init(&all.db, &arena, all.zones, DNS_ZONES) != MRG_OK)
		fail("no database");
	for (unsigned i = 0; i < DNS_ZONES; i++) {
		if (mrg_dns_db_init(&all.single_db[i], &arena, &all.zones[i], 1) != MRG_OK)
			fail("no database");
		all.single[i] = server_of(&all.single_db[i]);
	}
	all.server = server_of(&all.db);
	return &all;
}
