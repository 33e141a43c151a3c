/*
 * Dynamic update: what RFC 2136 says, case by case; messages that are cut or changed; memory.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/rr_text.h"
#include "iana/dns.h"
#include "protocols/dns/master.h"
#include "update_kit.h"

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
static void put_line(struct update_message *m, const char *line)
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
	update_put(
		m, line[0] == '?' ? 1 : 2, got.owner, (uint16_t)number, class_of(class), got.ttl, got.rdata);
}

static void put_lines(struct update_message *m, const char *lines)
{
	char line[600];
	while (*lines != '\0') {
		const size_t n = strcspn(lines, "\n");
		snprintf(line, sizeof line, "%.*s", (int)n, lines);
		put_line(m, line);
		lines += n + (lines[n] != '\0');
	}
}

/* ---- updates ---- */

static bool acme_only(void *ctx, struct mrg_span owner, uint16_t type)
{
	static const uint8_t label[] = "\017_acme-challenge";
	(void)ctx;
	return type == MRG_DNS_TYPE_TXT && owner.len > sizeof label &&
	       memcmp(owner.p, label, sizeof label - 1) == 0;
}

static const struct mrg_dns_update_rules everybody, acme = { .allowed = acme_only };

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
	static struct update_message m;
	static const uint8_t origin[] = "\7EXAMPLE";
	const uint32_t before = mrg_dns_zone_serial(update_kit.zones[0]);
	update_begin(&m, (struct mrg_span){ origin, sizeof origin }, MRG_DNS_TYPE_SOA, 1);
	put_lines(&m, cases[_i].lines);
	const unsigned rcode = update_run(update_octets(&m), &everybody);
	ck_assert_msg(rcode == cases[_i].rcode, "%s: %u not %u (%s)", cases[_i].lines, rcode, cases[_i].rcode,
		update_result.reason != NULL ? update_result.reason : "no reason");
	ck_assert_int_eq(update_result.reason != NULL, rcode != 0);
	ck_assert_int_eq(update_result.made != NULL, cases[_i].serial != before);
	if (update_result.made == NULL)
		return;
	ck_assert_uint_eq(mrg_dns_zone_serial(update_result.made), cases[_i].serial);
	ck_assert_str_eq(dump(update_result.made), cases[_i].zone);
	ck_assert_str_eq(dump(update_kit.zones[0]), ALL_IS); /* the old version is as it was */
}
END_TEST

static void setup_zone(void)
{
	update_setup();
	ck_assert_int_eq(kit_zone(&update_kit, "example.", zone), MRG_DNS_ZONE_SOUND);
}

START_TEST(test_rules)
{
	static struct update_message m;
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
		update_begin(&m, (struct mrg_span){ origin, sizeof origin }, MRG_DNS_TYPE_SOA, 1);
		put_lines(&m, asked[i].lines);
		ck_assert_uint_eq(update_run(update_octets(&m), &acme), asked[i].rcode);
		ck_assert_int_eq(update_result.why.owner.count > 0, asked[i].rcode != 0);
	}
}
END_TEST

/* 3.1: the zone section; and what is no update. */
START_TEST(test_zone_section)
{
	static struct update_message m;
	static const uint8_t origin[] = "\7example", other[] = "\5other";
	const struct mrg_span name = { origin, sizeof origin };
	update_begin(&m, name, MRG_DNS_TYPE_SOA, 1);
	ck_assert_uint_eq(update_run(update_octets(&m), &everybody), 0);
	m.p[2] |= 0x80; /* a response */
	ck_assert_uint_eq(update_run(update_octets(&m), &everybody), MRG_DNS_RCODE_FORMERR);
	update_begin(&m, name, MRG_DNS_TYPE_SOA, 1);
	m.p[2] = 0; /* a query */
	ck_assert_uint_eq(update_run(update_octets(&m), &everybody), MRG_DNS_RCODE_FORMERR);
	update_begin(&m, name, MRG_DNS_TYPE_NS, 1);
	ck_assert_uint_eq(update_run(update_octets(&m), &everybody), MRG_DNS_RCODE_FORMERR);
	update_begin(&m, name, MRG_DNS_TYPE_SOA, 3);
	ck_assert_uint_eq(update_run(update_octets(&m), &everybody), MRG_DNS_RCODE_NOTAUTH);
	update_begin(&m, (struct mrg_span){ other, sizeof other }, MRG_DNS_TYPE_SOA, 1);
	ck_assert_uint_eq(update_run(update_octets(&m), &everybody), MRG_DNS_RCODE_NOTAUTH);
	update_begin(&m, name, MRG_DNS_TYPE_SOA, 1);
	mrg_dns_question_put(&m.w, &(struct mrg_dns_question_args){ .name = name, .type = 6, .class = 1 });
	ck_assert_uint_eq(
		update_run(update_octets(&m), &everybody), MRG_DNS_RCODE_FORMERR); /* octets behind */
	m.counts[0] = 2;
	update_counts(&m);
	ck_assert_uint_eq(update_run(update_octets(&m), &everybody), MRG_DNS_RCODE_FORMERR);
	m.w.len = 12;
	m.counts[0] = 0;
	update_counts(&m);
	ck_assert_uint_eq(update_run(update_octets(&m), &everybody), MRG_DNS_RCODE_FORMERR);
	update_teardown();
	update_setup();
	ck_assert_int_eq(
		kit_zone(&update_kit, "example.", SOA "@ 60 NS ns\n@ 60 NSEC a SOA\n"), MRG_DNS_ZONE_SOUND);
	update_begin(&m, name, MRG_DNS_TYPE_SOA, 1);
	put_lines(&m, "! a IN 60 A 192.0.2.1");
	ck_assert_uint_eq(
		update_run(update_octets(&m), &everybody), MRG_DNS_RCODE_REFUSED); /* it is signed */
}
END_TEST

/*
 * What nsupdate 9.18 sends for
 *	zone example
 *	prereq yxdomain a.example
 *	prereq nxdomain x.example
 *	prereq yxrrset a.example MX 5 mail.a.example
 *	prereq nxrrset a.example TXT
 *	update delete a.example A 192.0.2.1
 *	update add _acme-challenge.a.example 60 TXT token
 *	update delete b.c.example TXT
 *	update delete d.example
 *	update add d.example 60 MX 5 mail.a.example.
 */
START_TEST(test_nsupdate)
{
	static const char hex[] =
		"59c828000001000400050000076578616d706c6500000600010161c00c00ff00ff0000000000000178c00c00ff00fe"
		"000000000000c019000f00010000000000090005046d61696cc019c019001000fe000000000000c019000100fe0000"
		"00000004c00002010f5f61636d652d6368616c6c656e6765c019001000010000003c000605746f6b656e01620163"
		"076578616d706c6500001000ff0000000000000164c00c00ff00ff000000000000c09f000f00010000003c00040005"
		"c043";
	uint8_t octets[sizeof hex / 2];
	for (size_t i = 0; i < sizeof octets; i++) {
		const char digits[] = { hex[2 * i], hex[2 * i + 1], '\0' };
		octets[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	ck_assert_uint_eq(update_run((struct mrg_span){ octets, sizeof octets }, &everybody), 0);
	ck_assert_ptr_nonnull(update_result.made);
	ck_assert_str_eq(dump(update_result.made),
		"_acme-challenge.a.example. 60 IN TXT \"token\"\na.example. 60 IN A 192.0.2.2\n"
		"a.example. 60 IN MX 5 mail.a.example.\nd.example. 60 IN MX 5 mail.a.example.\n" E_IS
			APEX_IS);
}
END_TEST

START_TEST(test_reply)
{
	static struct update_message m;
	static const uint8_t origin[] = "\7example", want[12] = { 0x12, 0x34, 0xa8, 9 };
	uint8_t reply[16];
	struct mrg_w w;
	update_begin(&m, (struct mrg_span){ origin, sizeof origin }, MRG_DNS_TYPE_SOA, 1);
	mrg_w_init(&w, reply, sizeof reply);
	mrg_dns_update_reply(&w, update_octets(&m), MRG_DNS_RCODE_NOTAUTH);
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
	static struct update_message m;
	static const uint8_t origin[] = "\7example";
	update_begin(&m, (struct mrg_span){ origin, sizeof origin }, MRG_DNS_TYPE_SOA, 1);
	put_lines(&m, many);
	const size_t len = m.w.len;
	uint8_t *const copy = malloc(len); /* which ends where memory ends, for whoever looks */
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *const part = malloc(cut + 1);
		memcpy(part, m.p, cut);
		ck_assert_uint_eq(
			update_run((struct mrg_span){ part, cut }, &everybody), MRG_DNS_RCODE_FORMERR);
		free(part);
	}
	unsigned rcodes[16] = { 0 };
	for (size_t bit = 0; bit < 8 * len; bit++) {
		memcpy(copy, m.p, len);
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		const struct mrg_arena nodes = update_kit.arena, t = update_tables, h = update_history;
		rcodes[update_run((struct mrg_span){ copy, len }, &everybody) % 16]++;
		if (update_result.made != NULL) { /* forget it */
			memset(update_kit.arena.p + nodes.len, 0, update_kit.arena.len - nodes.len);
			memset(update_tables.p + t.len, 0, update_tables.len - t.len);
			memset(update_history.p + h.len, 0, update_history.len - h.len);
			update_kit.arena = nodes;
			update_tables = t;
			update_history = h;
		}
	}
	free(copy);
	ck_assert(rcodes[0] > 0 && rcodes[MRG_DNS_RCODE_FORMERR] > 0 && rcodes[MRG_DNS_RCODE_NOTZONE] > 0);
	ck_assert_uint_eq(rcodes[MRG_DNS_RCODE_SERVFAIL], 0);
	ck_assert_str_eq(dump(update_kit.zones[0]), ALL_IS);
}
END_TEST

/* Each size of each arena: done, or SERVFAIL and nothing. */
START_TEST(test_memory)
{
	static struct update_message m;
	static const uint8_t origin[] = "\7example";
	update_begin(&m, (struct mrg_span){ origin, sizeof origin }, MRG_DNS_TYPE_SOA, 1);
	put_lines(&m, many);
	static const uint8_t zero[80000]; /* as much as one record more than fits may touch */
	struct mrg_arena *const arenas[] = { &update_kit.arena, &update_tables, &update_history,
		&update_scratch };
	for (unsigned which = 0; which < 4; which++) {
		unsigned rcode = MRG_DNS_RCODE_SERVFAIL;
		for (size_t more = 0; rcode != 0; more += which < 3 ? 56 : 328) {
			struct mrg_arena *const a = arenas[which];
			const size_t cap = a->cap;
			ck_assert_uint_lt(a->len + more, cap);
			a->cap = a->len + more;
			rcode = update_run(update_octets(&m), &everybody);
			a->cap = cap;
			ck_assert(rcode == 0 || rcode == MRG_DNS_RCODE_SERVFAIL);
			for (unsigned i = 0; i < 4; i++) {
				const struct mrg_arena *const b = arenas[i];
				const size_t left = b->cap - b->len;
				ck_assert_mem_eq(
					b->p + b->len, zero, left < sizeof zero ? left : sizeof zero);
			}
		}
		update_teardown();
		setup_zone();
	}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("update");
	TCase *const t = tcase_create("cases");
	tcase_add_checked_fixture(t, setup_zone, update_teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, test_cases, 0, sizeof cases / sizeof *cases);
	tcase_add_test(t, test_rules);
	tcase_add_test(t, test_zone_section);
	tcase_add_test(t, test_nsupdate);
	tcase_add_test(t, test_reply);
	tcase_add_test(t, test_broken);
	tcase_add_test(t, test_memory);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
