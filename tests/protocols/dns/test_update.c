/*
 * Dynamic update: what RFC 2136 says, case by case; random updates against its pseudo-code written down as it stands there, over a list
 * of records; messages that are cut or changed.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/rr_text.h"
#include "iana/dns.h"
#include "oracle_zones.h"
#include "protocols/dns/master.h"
#include "protocols/dns/update.h"
#include "protocols/dns/zone_store.h"

static struct kit k; /* its arena has the nodes */
static struct mrg_arena tables, scratch, history;
static struct mrg_dns_update_result result;

static struct mrg_arena arena_of(size_t cap) { return (struct mrg_arena){ calloc(1, cap), 0, cap }; }

static void setup(void)
{
	kit_init(&k, 1 << 22);
	tables = arena_of(1 << 16);
	scratch = arena_of(1 << 20);
	history = arena_of(1 << 18);
}

static void teardown(void)
{
	kit_free(&k);
	free(tables.p);
	free(scratch.p);
	free(history.p);
}

/* ---- messages ---- */

struct message {
	uint8_t p[8192];
	struct mrg_w w;
	struct mrg_refs refs;
	unsigned counts[4];
};

static void put_counts(struct message *m)
{
	struct mrg_w w;
	mrg_w_init(&w, m->p, sizeof m->p);
	mrg_dns_header_put(&w, &(struct mrg_dns_header_args){ .id = 0x1234,
				       .opcode = MRG_DNS_OPCODE_UPDATE,
				       .qdcount = (uint16_t)m->counts[0],
				       .ancount = (uint16_t)m->counts[1],
				       .nscount = (uint16_t)m->counts[2],
				       .arcount = (uint16_t)m->counts[3] });
}

static void begin(struct message *m, struct mrg_span zone, uint16_t type, uint16_t class)
{
	memset(m, 0, sizeof *m);
	mrg_w_init(&m->w, m->p, sizeof m->p);
	mrg_w_use_refs(&m->w, &m->refs); /* names are compressed, in RDATA, too */
	m->w.len = 12;
	mrg_dns_question_put(
		&m->w, &(struct mrg_dns_question_args){ .name = zone, .type = type, .class = class });
	m->counts[0] = 1;
	put_counts(m);
}

static void put(struct message *m, unsigned section, struct mrg_span owner, uint16_t type, uint16_t class,
	uint32_t ttl, struct mrg_span rdata)
{
	uint8_t flat[2048];
	struct mrg_w w;
	struct mrg_dns_rr rr;
	mrg_w_init(&w, flat, sizeof flat);
	mrg_dns_flat_rr_put(
		&w, &(struct mrg_dns_flat_rr_args){
			    .name = owner, .type = type, .class = class, .ttl = ttl, .rdata = rdata });
	const struct mrg_span octets = mrg_w_span(&w, 0);
	ck_assert_int_eq(mrg_dns_rr_check(octets, octets, &rr, NULL), MRG_OK);
	mrg_dns_rr_copy(&m->w, &rr);
	ck_assert_int_eq(m->w.st, MRG_OK);
	m->counts[section]++;
	put_counts(m);
}

static struct mrg_dns_master_rr got;

static bool keep(void *ctx, const struct mrg_dns_master_rr *rr)
{
	static uint8_t owner[255], rdata[1024];
	(void)ctx;
	memcpy(owner, rr->owner.p, rr->owner.len);
	memcpy(rdata, rr->rdata.p, rr->rdata.len);
	got = *rr;
	got.owner.p = owner;
	got.rdata.p = rdata;
	return true;
}

static uint16_t class_of(const char *word)
{
	return strcmp(word, "ANY") == 0    ? 255
	       : strcmp(word, "NONE") == 0 ? 254
	       : strcmp(word, "CH") == 0   ? 3
					   : 1;
}

/* A line: "? OWNER CLASS TTL TYPE [RDATA]", a prerequisite; "! ...", an update. */
static void put_line(struct message *m, const char *line)
{
	static struct mrg_dns_master reader;
	static const struct mrg_dns_master_events ev = { .record = keep };
	static const uint8_t origin[] = "\7example";
	char owner[256], class[16], type[32], text[600];
	unsigned ttl;
	int at = 0;
	ck_assert_int_eq(sscanf(line + 1, "%255s %15s %u %31s %n", owner, class, &ttl, type, &at), 4);
	const bool bare = line[1 + at] == '\0';
	/* what has no RDATA is read as a record of a type that may be empty, and of the type only its number is taken */
	snprintf(text, sizeof text, "%s %u %s %s\n", owner, ttl, bare ? "TYPE65280" : type,
		bare ? "\\# 0" : line + 1 + at);
	const struct mrg_dns_master_source src = {
		.p = (const uint8_t *)text, .len = strlen(text), .name = line
	};
	size_t errors;
	ck_assert_int_eq(mrg_dns_master_read(
				 &reader, &src, (struct mrg_span){ origin, sizeof origin }, 0, &ev, &errors),
		MRG_OK);
	uint64_t number = got.type;
	if (bare && strcmp(type, "ANY") == 0)
		number = 255;
	else if (bare) {
		struct mrg_text t;
		struct mrg_w w;
		uint8_t question[64];
		char ask[64];
		snprintf(ask, sizeof ask, ". %s IN", type);
		mrg_text_line(&t, (struct mrg_span){ (const uint8_t *)ask, strlen(ask) },
			(struct mrg_span){ NULL, 0 });
		mrg_w_init(&w, question, sizeof question);
		ck_assert_int_eq(mrg_dns_question_from_text(&t, &w, NULL), MRG_OK);
		number = mrg_be16(question + 1);
	}
	put(m, line[0] == '?' ? 1 : 2, got.owner, (uint16_t)number, class_of(class), got.ttl, got.rdata);
}

static void put_lines(struct message *m, const char *lines)
{
	char line[600];
	while (*lines != '\0') {
		const size_t n = strcspn(lines, "\n");
		snprintf(line, sizeof line, "%.*s", (int)n, lines);
		put_line(m, line);
		lines += n + (lines[n] != '\0');
	}
}

static struct mrg_span octets_of(const struct message *m) { return (struct mrg_span){ m->p, m->w.len }; }

/* ---- updates ---- */

static bool acme_only(void *ctx, struct mrg_span owner, uint16_t type)
{
	static const uint8_t label[] = "\017_acme-challenge";
	(void)ctx;
	return type == MRG_DNS_TYPE_TXT && owner.len > sizeof label &&
	       memcmp(owner.p, label, sizeof label - 1) == 0;
}

static const struct mrg_dns_update_rules everybody, acme = { .allowed = acme_only };

static unsigned update(struct mrg_span message, const struct mrg_dns_update_rules *rules)
{
	struct mrg_dns_update u;
	const struct mrg_dns_update_memory memory = { &k.arena, &tables, &scratch, &history };
	const size_t lens[] = { k.arena.len, tables.len, history.len };
	memset(&result, 0, sizeof result);
	unsigned rcode = mrg_dns_update_read(message, &u);
	if (rcode == MRG_DNS_RCODE_NOERROR)
		rcode = mrg_dns_update_apply(&u, k.zones[0], rules, &memory, NULL, &result);
	ck_assert_uint_eq(scratch.len, 0);
	if (result.made == NULL) {
		ck_assert_ptr_null(result.step);
		ck_assert_uint_eq(k.arena.len, lens[0]);
		ck_assert_uint_eq(tables.len, lens[1]);
		ck_assert_uint_eq(history.len, lens[2]);
	} else {
		ck_assert_uint_eq(rcode, MRG_DNS_RCODE_NOERROR);
		ck_assert_uint_eq(result.step->from, mrg_dns_zone_serial(k.zones[0]));
		ck_assert_uint_eq(result.step->to, mrg_dns_zone_serial(result.made));
	}
	return rcode;
}

static int order(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* All records of a zone but its SOA, a line each, sorted. */
static const char *dump(const struct mrg_dns_zone *z)
{
	static char room[64][200], out[64 * 200];
	char *lines[64];
	struct mrg_dns_zone_walk walk = { .zone = z };
	struct mrg_dns_rr rr;
	size_t count = 0;
	while (mrg_dns_zone_next(&walk, &rr) == MRG_OK) {
		struct mrg_w w;
		if (mrg_dns_rr_type(&rr) == MRG_DNS_TYPE_SOA)
			continue;
		mrg_w_init(&w, room[count], sizeof room[0] - 2);
		mrg_dns_rr_to_text(&rr, &w);
		memcpy(room[count] + w.len, "\n", 2);
		lines[count] = room[count];
		count++;
	}
	qsort(lines, count, sizeof *lines, order);
	out[0] = '\0';
	for (size_t i = 0; i < count; i++)
		strcat(out, lines[i]);
	return out;
}

#define SOA "@ 60 SOA ns hostmaster 7 7200 900 1209600 30\n"
#define REST                                                                                                 \
	"a 60 A 192.0.2.1\na 60 A 192.0.2.2\na 60 MX 5 mail.a\nb.c 60 TXT x\nd 60 CNAME a\ne 60 DNAME other.\n"
static const char zone[] = SOA "@ 60 NS ns\n" REST;
#define APEX_IS "example. 60 IN NS ns.example.\n"
#define A_IS                                                                                                 \
	"a.example. 60 IN A 192.0.2.1\na.example. 60 IN A 192.0.2.2\na.example. 60 IN MX 5 mail.a.example.\n"
#define B_IS "b.c.example. 60 IN TXT \"x\"\n"
#define D_IS "d.example. 60 IN CNAME a.example.\n"
#define E_IS "e.example. 60 IN DNAME other.\n"
#define ALL_IS A_IS B_IS D_IS E_IS APEX_IS

enum { UNCHANGED = 7 }; /* the serial number */

static const struct {
	const char *lines;
	unsigned rcode;
	uint32_t serial;
	const char *zone; /* NULL: as it was */
} cases[] = {
	/* 3.2.1 to 3.2.5: prerequisites */
	{ "", 0, UNCHANGED, NULL },
	{ "? a ANY 0 ANY", 0, UNCHANGED, NULL },
	{ "? x ANY 0 ANY", MRG_DNS_RCODE_NXDOMAIN, UNCHANGED, NULL },
	{ "? c ANY 0 ANY", MRG_DNS_RCODE_NXDOMAIN, UNCHANGED,
		NULL }, /* an empty non-terminal is not in use (2.4.4) */
	{ "? x NONE 0 ANY", 0, UNCHANGED, NULL },
	{ "? c NONE 0 ANY", 0, UNCHANGED, NULL },
	{ "? a NONE 0 ANY", MRG_DNS_RCODE_YXDOMAIN, UNCHANGED, NULL },
	{ "? a ANY 0 A", 0, UNCHANGED, NULL },
	{ "? a ANY 0 TXT", MRG_DNS_RCODE_NXRRSET, UNCHANGED, NULL },
	{ "? x ANY 0 A", MRG_DNS_RCODE_NXRRSET, UNCHANGED, NULL },
	{ "? a NONE 0 TXT", 0, UNCHANGED, NULL },
	{ "? a NONE 0 A", MRG_DNS_RCODE_YXRRSET, UNCHANGED, NULL },
	{ "? a IN 0 A 192.0.2.2\n? a IN 0 A 192.0.2.1\n", 0, UNCHANGED, NULL },
	{ "? a IN 0 A 192.0.2.2\n? A IN 0 A 192.0.2.1\n? a IN 0 A 192.0.2.2\n", 0, UNCHANGED,
		NULL }, /* it is a set */
	{ "? a IN 0 A 192.0.2.1\n", MRG_DNS_RCODE_NXRRSET, UNCHANGED, NULL },
	{ "? a IN 0 A 192.0.2.2\n? a IN 0 A 192.0.2.1\n? a IN 0 A 192.0.2.3\n", MRG_DNS_RCODE_NXRRSET,
		UNCHANGED, NULL },
	{ "? x IN 0 A 192.0.2.1\n", MRG_DNS_RCODE_NXRRSET, UNCHANGED, NULL },
	{ "? a IN 0 MX 5 MAIL.A\n? b.c IN 0 TXT x", 0, UNCHANGED, NULL },
	{ "? a IN 0 MX 5 mail.a\n? b.c IN 0 TXT X", MRG_DNS_RCODE_NXRRSET, UNCHANGED, NULL },
	{ "? a ANY 1 ANY", MRG_DNS_RCODE_FORMERR, UNCHANGED, NULL },
	{ "? a IN 1 A 192.0.2.1", MRG_DNS_RCODE_FORMERR, UNCHANGED, NULL },
	{ "? a ANY 0 A 192.0.2.1", MRG_DNS_RCODE_FORMERR, UNCHANGED, NULL },
	{ "? a NONE 0 A 192.0.2.1", MRG_DNS_RCODE_FORMERR, UNCHANGED, NULL },
	{ "? a CH 0 TXT x", MRG_DNS_RCODE_FORMERR, UNCHANGED, NULL },
	{ "? other. ANY 0 ANY", MRG_DNS_RCODE_NOTZONE, UNCHANGED, NULL },
	{ "? a ANY 0 TXT\n! a IN 60 A 192.0.2.9", MRG_DNS_RCODE_NXRRSET, UNCHANGED, NULL },
	/* 3.4.1: prescan, all of it before anything is done */
	{ "! a IN 60 A 192.0.2.9\n! other. IN 60 A 192.0.2.9", MRG_DNS_RCODE_NOTZONE, UNCHANGED, NULL },
	{ "! a IN 60 A 192.0.2.9\n! a CH 60 TXT x", MRG_DNS_RCODE_FORMERR, UNCHANGED, NULL },
	{ "! a ANY 1 A", MRG_DNS_RCODE_FORMERR, UNCHANGED, NULL },
	{ "! a ANY 0 A 192.0.2.1", MRG_DNS_RCODE_FORMERR, UNCHANGED, NULL },
	{ "! a NONE 1 A 192.0.2.1", MRG_DNS_RCODE_FORMERR, UNCHANGED, NULL },
	{ "! a NONE 0 ANY", MRG_DNS_RCODE_FORMERR, UNCHANGED, NULL },
	{ "! a ANY 0 AXFR", MRG_DNS_RCODE_FORMERR, UNCHANGED, NULL },
	{ "! a ANY 0 MAILB", MRG_DNS_RCODE_FORMERR, UNCHANGED, NULL },
	{ "! a IN 60 ANY", MRG_DNS_RCODE_FORMERR, UNCHANGED, NULL },
	{ "! a IN 60 AXFR", MRG_DNS_RCODE_FORMERR, UNCHANGED, NULL },
	/* 3.4.2.2: adding */
	{ "! n IN 30 A 192.0.2.9", 0, 8, A_IS B_IS D_IS E_IS APEX_IS "n.example. 30 IN A 192.0.2.9\n" },
	{ "! a IN 60 A 192.0.2.1", 0, UNCHANGED, NULL },
	{ "! a IN 90 MX 5 mail.a", 0, 8,
		"a.example. 60 IN A 192.0.2.1\na.example. 60 IN A 192.0.2.2\na.example. 90 IN MX 5 mail.a.example.\n" B_IS
			D_IS E_IS APEX_IS },
	{ "! d IN 60 A 192.0.2.9\n! a IN 60 CNAME b", 0, UNCHANGED, NULL },
	{ "! d IN 60 CNAME b", 0, 8, A_IS B_IS "d.example. 60 IN CNAME b.example.\n" E_IS APEX_IS },
	{ "! e IN 60 DNAME b", 0, 8, A_IS B_IS D_IS "e.example. 60 IN DNAME b.example.\n" APEX_IS },
	{ "! d ANY 0 CNAME\n! d IN 60 TXT x", 0, 8, A_IS B_IS "d.example. 60 IN TXT \"x\"\n" E_IS APEX_IS },
	{ "! @ IN 60 SOA ns hostmaster 9 7200 900 1209600 30", 0, 9, ALL_IS },
	{ "! @ IN 60 SOA ns hostmaster 6 7200 900 1209600 30", 0, UNCHANGED, NULL },
	{ "! @ IN 60 SOA ns hostmaster 7 7200 900 1209600 99", 0, 8, ALL_IS }, /* another minimum: 3.6 */
	{ "! @ IN 60 SOA ns hostmaster 7 7200 900 1209600 30", 0, UNCHANGED, NULL },
	{ "! a IN 60 SOA ns hostmaster 9 7200 900 1209600 30", 0, UNCHANGED, NULL },
	{ "! @ IN 60 SOA ns hostmaster 2147483655 7200 900 1209600 30", 0, UNCHANGED,
		NULL }, /* neither later nor earlier */
	{ "! @ IN 60 SOA ns hostmaster 9 7200 900 1209600 30\n! n IN 30 A 192.0.2.9", 0, 9,
		A_IS B_IS D_IS E_IS APEX_IS "n.example. 30 IN A 192.0.2.9\n" },
	/* 3.4.2.3: deleting sets */
	{ "! a ANY 0 A", 0, 8, "a.example. 60 IN MX 5 mail.a.example.\n" B_IS D_IS E_IS APEX_IS },
	{ "! a ANY 0 ANY", 0, 8, B_IS D_IS E_IS APEX_IS },
	{ "! a ANY 0 TXT\n! x ANY 0 ANY\n! c ANY 0 ANY", 0, UNCHANGED, NULL },
	{ "! @ ANY 0 SOA\n! @ ANY 0 NS", 0, UNCHANGED, NULL },
	{ "! @ IN 60 TXT x\n! @ ANY 0 ANY", 0, UNCHANGED, NULL },
	/* 3.4.2.4: deleting records */
	{ "! a NONE 0 A 192.0.2.1", 0, 8,
		"a.example. 60 IN A 192.0.2.2\na.example. 60 IN MX 5 mail.a.example.\n" B_IS D_IS E_IS
			APEX_IS },
	{ "! a NONE 0 MX 5 Mail.A", 0, 8,
		"a.example. 60 IN A 192.0.2.1\na.example. 60 IN A 192.0.2.2\n" B_IS D_IS E_IS APEX_IS },
	{ "! a NONE 0 A 192.0.2.9\n! x NONE 0 A 192.0.2.1\n! a NONE 0 A", 0, UNCHANGED, NULL },
	{ "! @ NONE 0 NS ns\n! @ NONE 0 SOA ns hostmaster 7 7200 900 1209600 30", 0, UNCHANGED, NULL },
	{ "! @ IN 60 NS other.\n! @ NONE 0 NS ns", 0, 8, A_IS B_IS D_IS E_IS "example. 60 IN NS other.\n" },
	{ "! @ IN 60 NS other.\n! @ NONE 0 NS ns\n! @ NONE 0 NS other.", 0, 8,
		A_IS B_IS D_IS E_IS "example. 60 IN NS other.\n" },
	/* in the order in which it is said; what comes to nothing is nothing */
	{ "! n IN 60 A 192.0.2.9\n! n ANY 0 ANY", 0, UNCHANGED, NULL },
	{ "! a ANY 0 ANY\n! a IN 60 CNAME b", 0, 8,
		"a.example. 60 IN CNAME b.example.\n" B_IS D_IS E_IS APEX_IS },
	{ "? a ANY 0 ANY\n! a NONE 0 A 192.0.2.1\n! a IN 60 A 192.0.2.3", 0, 8,
		"a.example. 60 IN A 192.0.2.2\na.example. 60 IN A 192.0.2.3\na.example. 60 IN MX 5 mail.a.example.\n" B_IS
			D_IS E_IS APEX_IS },
	/* what no zone may have */
	{ "! a IN 60 A 192.0.2.9\n! @ IN 60 NSEC3PARAM 1 0 2501 -", MRG_DNS_RCODE_REFUSED, UNCHANGED, NULL },
};

START_TEST(test_cases)
{
	static struct message m;
	static const uint8_t origin[] = "\7EXAMPLE";
	const uint32_t before = mrg_dns_zone_serial(k.zones[0]);
	begin(&m, (struct mrg_span){ origin, sizeof origin }, MRG_DNS_TYPE_SOA, 1);
	put_lines(&m, cases[_i].lines);
	const unsigned rcode = update(octets_of(&m), &everybody);
	ck_assert_msg(rcode == cases[_i].rcode, "%s: %u not %u (%s)", cases[_i].lines, rcode, cases[_i].rcode,
		result.reason != NULL ? result.reason : "no reason");
	ck_assert_int_eq(result.reason != NULL, rcode != 0);
	ck_assert_int_eq(result.made != NULL, cases[_i].serial != before);
	if (result.made == NULL)
		return;
	ck_assert_uint_eq(mrg_dns_zone_serial(result.made), cases[_i].serial);
	ck_assert_str_eq(dump(result.made), cases[_i].zone);
	ck_assert_str_eq(dump(k.zones[0]), ALL_IS); /* the old version is as it was */
}
END_TEST

static void setup_zone(void)
{
	setup();
	ck_assert_int_eq(kit_zone(&k, "example.", zone), MRG_DNS_ZONE_SOUND);
}

START_TEST(test_rules)
{
	static struct message m;
	static const uint8_t origin[] = "\7example";
	static const struct {
		const char *lines;
		unsigned rcode;
	} asked[] = { { "! _acme-challenge.a IN 60 TXT token", 0 }, { "! _acme-challenge.a ANY 0 TXT", 0 },
		{ "! _acme-challenge.a NONE 0 TXT token", 0 },
		{ "? a ANY 0 ANY\n! _acme-challenge.a IN 60 TXT token", 0 },
		{ "! _acme-challenge.a IN 60 A 192.0.2.1", MRG_DNS_RCODE_REFUSED },
		{ "! _acme-challenge.a ANY 0 ANY", MRG_DNS_RCODE_REFUSED },
		{ "! _acme-challenge.a IN 60 TXT token\n! a IN 60 TXT token", MRG_DNS_RCODE_REFUSED },
		{ "! a NONE 0 A 192.0.2.1", MRG_DNS_RCODE_REFUSED } };
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
		begin(&m, (struct mrg_span){ origin, sizeof origin }, MRG_DNS_TYPE_SOA, 1);
		put_lines(&m, asked[i].lines);
		ck_assert_uint_eq(update(octets_of(&m), &acme), asked[i].rcode);
		ck_assert_int_eq(result.why.owner.count > 0, asked[i].rcode != 0);
	}
}
END_TEST

/* 3.1: the zone section; and what is no update. */
START_TEST(test_zone_section)
{
	static struct message m;
	static const uint8_t origin[] = "\7example", other[] = "\5other";
	const struct mrg_span name = { origin, sizeof origin };
	begin(&m, name, MRG_DNS_TYPE_SOA, 1);
	ck_assert_uint_eq(update(octets_of(&m), &everybody), 0);
	m.p[2] |= 0x80; /* a response */
	ck_assert_uint_eq(update(octets_of(&m), &everybody), MRG_DNS_RCODE_FORMERR);
	begin(&m, name, MRG_DNS_TYPE_SOA, 1);
	m.p[2] = 0; /* a query */
	ck_assert_uint_eq(update(octets_of(&m), &everybody), MRG_DNS_RCODE_FORMERR);
	begin(&m, name, MRG_DNS_TYPE_NS, 1);
	ck_assert_uint_eq(update(octets_of(&m), &everybody), MRG_DNS_RCODE_FORMERR);
	begin(&m, name, MRG_DNS_TYPE_SOA, 3);
	ck_assert_uint_eq(update(octets_of(&m), &everybody), MRG_DNS_RCODE_NOTAUTH);
	begin(&m, (struct mrg_span){ other, sizeof other }, MRG_DNS_TYPE_SOA, 1);
	ck_assert_uint_eq(update(octets_of(&m), &everybody), MRG_DNS_RCODE_NOTAUTH);
	begin(&m, name, MRG_DNS_TYPE_SOA, 1);
	mrg_dns_question_put(&m.w, &(struct mrg_dns_question_args){ .name = name, .type = 6, .class = 1 });
	ck_assert_uint_eq(update(octets_of(&m), &everybody), MRG_DNS_RCODE_FORMERR); /* octets behind */
	m.counts[0] = 2;
	put_counts(&m);
	ck_assert_uint_eq(update(octets_of(&m), &everybody), MRG_DNS_RCODE_FORMERR);
	m.w.len = 12;
	m.counts[0] = 0;
	put_counts(&m);
	ck_assert_uint_eq(update(octets_of(&m), &everybody), MRG_DNS_RCODE_FORMERR);
	teardown();
	setup();
	ck_assert_int_eq(kit_zone(&k, "example.", SOA "@ 60 NS ns\n@ 60 NSEC a SOA\n"), MRG_DNS_ZONE_SOUND);
	begin(&m, name, MRG_DNS_TYPE_SOA, 1);
	put_lines(&m, "! a IN 60 A 192.0.2.1");
	ck_assert_uint_eq(update(octets_of(&m), &everybody), MRG_DNS_RCODE_REFUSED); /* it is signed */
}
END_TEST

START_TEST(test_reply)
{
	static struct message m;
	static const uint8_t origin[] = "\7example", want[12] = { 0x12, 0x34, 0xa8, 9 };
	uint8_t reply[16];
	struct mrg_w w;
	begin(&m, (struct mrg_span){ origin, sizeof origin }, MRG_DNS_TYPE_SOA, 1);
	mrg_w_init(&w, reply, sizeof reply);
	mrg_dns_update_reply(&w, octets_of(&m), MRG_DNS_RCODE_NOTAUTH);
	ck_assert_uint_eq(w.len, 12);
	ck_assert_mem_eq(reply, want, 12);
	mrg_w_init(&w, reply, sizeof reply);
	mrg_dns_update_reply(&w, (struct mrg_span){ m.p, 11 }, 0);
	ck_assert_uint_eq(w.len, 0);
}
END_TEST

static const char many[] =
	"? a ANY 0 ANY\n? x NONE 0 ANY\n? a IN 0 A 192.0.2.1\n? a IN 0 A 192.0.2.2\n? a IN 0 MX 5 mail.a\n"
	"! a NONE 0 A 192.0.2.1\n! n.m IN 60 MX 5 x.b.c\n! b.c ANY 0 TXT\n! d IN 60 CNAME n.m\n! @ IN 60 NS b.c\n"
	"! e ANY 0 ANY\n! @ NONE 0 NS ns\n! @ IN 60 SOA ns x 8 1 2 3 4";

/* Cut anywhere it is no update; with any bit changed it is one that does something else, or none. */
START_TEST(test_broken)
{
	static struct message m;
	static const uint8_t origin[] = "\7example";
	begin(&m, (struct mrg_span){ origin, sizeof origin }, MRG_DNS_TYPE_SOA, 1);
	put_lines(&m, many);
	const size_t len = m.w.len;
	uint8_t *const copy = malloc(len); /* which ends where memory ends, for whoever looks */
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *const part = malloc(cut + 1);
		memcpy(part, m.p, cut);
		ck_assert_uint_eq(update((struct mrg_span){ part, cut }, &everybody), MRG_DNS_RCODE_FORMERR);
		free(part);
	}
	unsigned rcodes[16] = { 0 };
	for (size_t bit = 0; bit < 8 * len; bit++) {
		memcpy(copy, m.p, len);
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		const struct mrg_arena nodes = k.arena, t = tables, h = history;
		rcodes[update((struct mrg_span){ copy, len }, &everybody) % 16]++;
		if (result.made != NULL) { /* forget it */
			memset(k.arena.p + nodes.len, 0, k.arena.len - nodes.len);
			memset(tables.p + t.len, 0, tables.len - t.len);
			memset(history.p + h.len, 0, history.len - h.len);
			k.arena = nodes;
			tables = t;
			history = h;
		}
	}
	free(copy);
	ck_assert(rcodes[0] > 0 && rcodes[MRG_DNS_RCODE_FORMERR] > 0 && rcodes[MRG_DNS_RCODE_NOTZONE] > 0);
	ck_assert_uint_eq(rcodes[MRG_DNS_RCODE_SERVFAIL], 0);
	ck_assert_str_eq(dump(k.zones[0]), ALL_IS);
}
END_TEST

/* Each size of each arena: done, or SERVFAIL and nothing. */
START_TEST(test_memory)
{
	static struct message m;
	static const uint8_t origin[] = "\7example";
	begin(&m, (struct mrg_span){ origin, sizeof origin }, MRG_DNS_TYPE_SOA, 1);
	put_lines(&m, many);
	static const uint8_t zero[80000]; /* as much as one record more than fits may touch */
	struct mrg_arena *const arenas[] = { &k.arena, &tables, &history, &scratch };
	for (unsigned which = 0; which < 4; which++) {
		unsigned rcode = MRG_DNS_RCODE_SERVFAIL;
		for (size_t more = 0; rcode != 0; more += which < 3 ? 56 : 328) {
			struct mrg_arena *const a = arenas[which];
			const size_t cap = a->cap;
			ck_assert_uint_lt(a->len + more, cap);
			a->cap = a->len + more;
			rcode = update(octets_of(&m), &everybody);
			a->cap = cap;
			ck_assert(rcode == 0 || rcode == MRG_DNS_RCODE_SERVFAIL);
			for (unsigned i = 0; i < 4; i++) {
				const struct mrg_arena *const b = arenas[i];
				const size_t left = b->cap - b->len;
				ck_assert_mem_eq(
					b->p + b->len, zero, left < sizeof zero ? left : sizeof zero);
			}
		}
		teardown();
		setup_zone();
	}
}
END_TEST

/* ---- random updates against the pseudo-code ---- */

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
	static struct message m;
	struct said p[4], u[6];
	unsigned rcodes[16] = { 0 }, changes = 0;
	zones_seed((unsigned)_i * 7919u + 3u);
	zones_random(&z, ORACLE_UNSIGNED);
	k.zones[0] = zones_build(&k, &z, false);
	for (unsigned round = 0; round < UPDATES; round++) {
		const size_t np = zones_rnd(3), nu = 1 + zones_rnd(5);
		struct kit other;
		room_len = 0;
		memset(room, 0, sizeof room);
		begin(&m, zones_name(&z.origin), MRG_DNS_TYPE_SOA, 1);
		for (size_t i = 0; i < np; i++) {
			random_record(&p[i], true);
			put(&m, 1, zones_name(&p[i].rr.owner), p[i].rr.type, p[i].class, p[i].ttl,
				p[i].rr.rdata);
		}
		for (size_t i = 0; i < nu; i++) {
			random_record(&u[i], false);
			put(&m, 2, zones_name(&u[i].rr.owner), u[i].rr.type, u[i].class, u[i].ttl,
				u[i].rr.rdata);
		}
		settle(&next, &z);
		unsigned want = model_prerequisites(&next, p, np);
		if (want == 0)
			want = model_update(&next, u, nu);
		const unsigned rcode = update(octets_of(&m), &everybody);
		ck_assert_uint_eq(rcode, want);
		rcodes[rcode % 16]++;
		if (result.made == NULL) {
			ck_assert(rcode != 0 ||
				  serial_in(soa_of(&next)->rdata) == mrg_dns_zone_serial(k.zones[0]));
			continue;
		}
		kit_init(&other, 1 << 20);
		zones_same(zones_build(&other, &next, false), result.made);
		kit_free(&other);
		k.zones[0] = result.made;
		settle(&z, &next);
		changes++;
		tables = arena_of(1 << 16); /* the version's; the process ends soon */
	}
	ck_assert(changes > UPDATES / 8 && rcodes[MRG_DNS_RCODE_NOTZONE] > 0);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("update");
	TCase *const t = tcase_create("cases");
	tcase_add_checked_fixture(t, setup_zone, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, test_cases, 0, sizeof cases / sizeof *cases);
	tcase_add_test(t, test_rules);
	tcase_add_test(t, test_zone_section);
	tcase_add_test(t, test_reply);
	tcase_add_test(t, test_broken);
	tcase_add_test(t, test_memory);
	suite_add_tcase(s, t);
	TCase *const r = tcase_create("random");
	tcase_add_checked_fixture(r, setup, teardown);
	tcase_set_timeout(r, 120);
	tcase_add_loop_test(r, test_random, 0, SEEDS);
	suite_add_tcase(s, r);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
