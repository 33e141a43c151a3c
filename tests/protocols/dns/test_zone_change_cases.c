/* Changes of a zone, one by one: what is refused and leaves everything as it was, TTLs, case, what a name has by now, memory. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/rr_text.h"
#include "iana/dns.h"
#include "kit.h"
#include "protocols/dns/master.h"
#include "protocols/dns/zone_change.h"
#include "protocols/dns/zone_diff.h"
#include "protocols/dns/zone_store.h"
#include "protocols/dns/zone_stored.h"

#define APEX "@ 60 SOA ns hostmaster 7 7200 900 1209600 30\n@ 60 NS ns\n"
#define SERIAL_8 "@ 60 SOA ns hostmaster 8 7200 900 1209600 30\n"
#define SERIAL_7 "@ 60 SOA ns hostmaster 7 7200 900 1209600 30\n"

static struct kit k;
static struct mrg_arena tables, scratch;
static struct mrg_dns_zone_change c;
static struct mrg_dns_zone_error err;
static const struct mrg_dns_zone *made;

static struct mrg_arena arena_of(size_t cap) { return (struct mrg_arena){ calloc(1, cap), 0, cap }; }

static void setup(void)
{
	kit_init(&k, 1 << 20);
	tables = arena_of(1 << 16);
	scratch = arena_of(1 << 20);
	err = (struct mrg_dns_zone_error){ 0 };
	made = NULL;
}

static void teardown(void)
{
	kit_free(&k);
	free(tables.p);
	free(scratch.p);
}

/* ---- changes as text ---- */

struct saying {
	bool add;
	enum mrg_status st;
};

static bool say(void *ctx, const struct mrg_dns_master_rr *rr)
{
	struct saying *const s = ctx;
	s->st = s->add ? mrg_dns_zone_change_add(&c, rr->owner, rr->type, rr->class, rr->ttl, rr->rdata, &err)
		       : mrg_dns_zone_change_delete(&c, rr->owner, rr->type, rr->class, rr->rdata, &err);
	return s->st == MRG_OK;
}

/* Delete or add the records of a master file; false: one was refused. */
static bool records(const char *text, bool add)
{
	static struct mrg_dns_master m;
	struct saying s = { .add = add, .st = MRG_OK };
	const struct mrg_dns_master_events ev = { .ctx = &s, .record = say };
	const struct mrg_dns_master_source src = {
		.p = (const uint8_t *)text, .len = strlen(text), .name = "change"
	};
	size_t errors;
	const enum mrg_status st =
		mrg_dns_master_read(&m, &src, mrg_dns_zone_origin(k.zones[0]), 3600, &ev, &errors);
	ck_assert(st == MRG_OK || (st == MRG_END && s.st != MRG_OK));
	return st == MRG_OK;
}

/* The zone of these records, and a change of it begun. */
static void begin(const char *zone, bool strict)
{
	if (k.arena.len > 0) {
		teardown();
		setup();
	}
	ck_assert_int_eq(kit_zone(&k, "example.", zone), MRG_DNS_ZONE_SOUND);
	ck_assert_int_eq(
		mrg_dns_zone_change_begin(&c, k.zones[0], &k.arena, &tables, &scratch, strict), MRG_OK);
}

/* From now on questions are answered from the version made. */
static void serve(const struct mrg_dns_zone *z)
{
	static uint8_t memory[1024];
	struct mrg_arena a = { memory, 0, sizeof memory };
	memset(memory, 0, sizeof memory);
	k.zones[0] = z;
	ck_assert_int_eq(mrg_dns_db_init(&k.db, &a, k.zones, 1), MRG_OK);
}

static void finish(void)
{
	if (mrg_dns_zone_change_finish(&c, &made, &err) != MRG_OK)
		ck_abort_msg("%s", mrg_dns_zone_fault_str(err.fault));
	serve(made);
}

/* A strict change that succeeds. */
static void changed(const char *zone, const char *deleted, const char *added)
{
	begin(zone, true);
	ck_assert_msg(
		records(deleted, false) && records(added, true), "%s", mrg_dns_zone_fault_str(err.fault));
	finish();
	mrg_dns_zone_change_end(&c);
}

static void expect(const char *line, const char *reply) { ck_assert_str_eq(kit_ask(&k, line), reply); }

static uint64_t sum(const struct mrg_arena *a)
{
	return mrg_dns_name_hash_item(0, (struct mrg_span){ a->p, a->cap });
}

/* A change that is refused, when the record is said or in the end: nothing has changed. */
static void refused(bool strict, const char *deleted, const char *added, enum mrg_dns_zone_fault fault)
{
	static const char zone[] = APEX "a 60 A 192.0.2.1\na 60 A 192.0.2.2\nb 60 CNAME a\nd 60 DNAME a\n";
	begin(zone, strict);
	const uint64_t nodes = sum(&k.arena);
	const size_t len = k.arena.len;
	enum mrg_status st = MRG_E_VALUE;
	if (records(deleted, false) && records(added, true))
		st = mrg_dns_zone_change_finish(&c, &made, &err);
	ck_assert_int_ne(st, MRG_OK);
	ck_assert_str_eq(mrg_dns_zone_fault_str(err.fault), mrg_dns_zone_fault_str(fault));
	mrg_dns_zone_change_end(&c);
	ck_assert_uint_eq(k.arena.len, len);
	ck_assert_uint_eq(tables.len, 0);
	ck_assert_uint_eq(scratch.len, 0);
	ck_assert(sum(&k.arena) == nodes);
	for (size_t i = 0; i < tables.cap; i++)
		ck_assert_uint_eq(tables.p[i], 0);
	for (size_t i = 0; i < scratch.cap; i += 4096) {
		static const uint8_t zero[4096];
		ck_assert_mem_eq(scratch.p + i, zero, sizeof zero);
	}
	expect("b.example. A", "NOERROR aa; b.example. A IN\nan b.example. 60 IN CNAME a.example.\n"
			       "an a.example. 60 IN A 192.0.2.1\nan a.example. 60 IN A 192.0.2.2\n");
}

START_TEST(test_refused)
{
	refused(true, "a A 192.0.2.3\n", "", MRG_DNS_ZONE_ABSENT);
	refused(true, "a AAAA ::1\n", "", MRG_DNS_ZONE_ABSENT);
	refused(true, "x A 192.0.2.1\n", "", MRG_DNS_ZONE_ABSENT);
	refused(true, "a A 192.0.2.1\na A 192.0.2.1\n", "", MRG_DNS_ZONE_ABSENT);
	refused(true, "", "a A 192.0.2.1\n", MRG_DNS_ZONE_PRESENT);
	refused(true, "", "x A 192.0.2.1\nx A 192.0.2.1\n", MRG_DNS_ZONE_PRESENT);
	refused(true, "", "b CNAME A\n", MRG_DNS_ZONE_PRESENT);
	refused(true, "x.other. A 192.0.2.1\n", "", MRG_DNS_ZONE_OUTSIDE);
	refused(false, "", "other. A 192.0.2.1\n", MRG_DNS_ZONE_OUTSIDE);
	refused(false, "", "a CNAME b\n", MRG_DNS_ZONE_ALIAS);
	refused(false, "", "b A 192.0.2.1\n", MRG_DNS_ZONE_ALIAS);
	refused(false, "", "b CNAME c\n", MRG_DNS_ZONE_SINGLE);
	refused(false, "", "d DNAME c\n", MRG_DNS_ZONE_SINGLE);
	refused(false, "", SERIAL_8, MRG_DNS_ZONE_SINGLE);
	refused(false, SERIAL_7, "", MRG_DNS_ZONE_NO_SOA);
	refused(false, "@ NS ns\n", "", MRG_DNS_ZONE_NO_NS);
	refused(false, "@ NS ns\n" SERIAL_7, "", MRG_DNS_ZONE_NO_SOA);
	refused(false, "", "a SOA ns hostmaster 8 7200 900 1209600 30\n", MRG_DNS_ZONE_SOA_PLACE);
	refused(false, "", "@ NSEC3PARAM 1 0 2501 -\n", MRG_DNS_ZONE_NSEC3);
}
END_TEST

/* Records that no master file says. */
START_TEST(test_refused_octets)
{
	static const uint8_t a[] = "\1a\7example", pointer[] = "\1a\xc0\x0c";
	static uint8_t big[65400];
	static const struct {
		const uint8_t *owner;
		size_t owner_len;
		uint16_t type, class;
		const void *rdata;
		size_t len;
		enum mrg_dns_zone_fault now, later;
	} cases[] = { { a, 11, 1, 3, "abcd", 4, MRG_DNS_ZONE_CLASS, 0 },
		{ a, 11, 1, 255, "", 0, MRG_DNS_ZONE_CLASS, 0 },
		{ a, 10, 1, 1, "abcd", 4, MRG_DNS_ZONE_OWNER, 0 },
		{ pointer, 4, 1, 1, "abcd", 4, MRG_DNS_ZONE_OWNER, 0 },
		{ a, 0, 1, 1, "abcd", 4, MRG_DNS_ZONE_OWNER, 0 },
		{ a, 11, 46, 1, "short", 5, MRG_DNS_ZONE_RDATA, 0 },
		{ a, 11, 1, 1, "abc", 3, 0, MRG_DNS_ZONE_RDATA },
		{ a, 11, 16, 1, "", 0, 0, MRG_DNS_ZONE_RDATA },
		{ a, 11, 2, 1, "\xc0\x0c", 2, 0, MRG_DNS_ZONE_RDATA },
		{ a, 11, 41, 1, "", 0, 0, MRG_DNS_ZONE_TYPE }, { a, 11, 255, 1, "", 0, 0, MRG_DNS_ZONE_TYPE },
		{ a, 11, 250, 1, "x", 1, 0, MRG_DNS_ZONE_TYPE }, { a, 11, 65280, 1, big, sizeof big, 0, 0 },
		{ a, 11, 65280, 1, big, 65535, 0, MRG_DNS_ZONE_RRSET_SIZE } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin(APEX, false);
		const struct mrg_span owner = { cases[i].owner, cases[i].owner_len };
		const struct mrg_span rdata = {
			cases[i].len > sizeof big ? calloc(1, cases[i].len) : cases[i].rdata, cases[i].len
		};
		const enum mrg_status st =
			mrg_dns_zone_change_add(&c, owner, cases[i].type, cases[i].class, 60, rdata, &err);
		ck_assert_int_eq(st != MRG_OK, cases[i].now != 0);
		ck_assert_int_eq(err.fault, cases[i].now);
		/* after what is refused at once others may follow */
		const enum mrg_status end = mrg_dns_zone_change_finish(&c, &made, &err);
		ck_assert_int_eq(end != MRG_OK, cases[i].later != 0);
		if (end != MRG_OK)
			ck_assert_int_eq(err.fault, cases[i].later);
		mrg_dns_zone_change_end(&c);
		if (cases[i].len > sizeof big)
			free((void *)(uintptr_t)rdata.p);
	}
}
END_TEST

/* What isn't there is not deleted, and what is there is not added twice, but its set gets the TTL. */
START_TEST(test_lenient)
{
	begin(APEX "a 60 A 192.0.2.1\na 60 A 192.0.2.2\na 60 RRSIG A 8 2 60 1 1 1 @ AAAA\n", false);
	ck_assert(records("x A 192.0.2.1\na A 192.0.2.3\na TXT x\n" SERIAL_7, false));
	ck_assert(records(SERIAL_8 "a 90 A 192.0.2.1\ny.x 60 A 192.0.2.1\ny.x 30 A 192.0.2.1\n", true));
	finish();
	expect("a.example. A do",
		"NOERROR aa; a.example. A IN\nan a.example. 90 IN A 192.0.2.1\nan a.example. 90 IN A 192.0.2.2\n"
		"an a.example. 90 IN RRSIG A 8 2 60 19700101000001 19700101000001 1 example. AAAA\nopt 1232 do\n");
	expect("y.x.example. A", "NOERROR aa; y.x.example. A IN\nan y.x.example. 30 IN A 192.0.2.1\n");
	ck_assert_uint_eq(mrg_dns_zone_records(made), 6);
	mrg_dns_zone_change_end(&c);
}
END_TEST

/* The octets of a step as text, one record a line. */
static const char *step_text(struct mrg_span left)
{
	static char text[2][4096];
	static unsigned turn;
	char *const out = text[turn++ % 2];
	struct mrg_dns_flat_rr flat;
	struct mrg_w w;
	mrg_w_init(&w, out, sizeof text[0] - 1);
	while (mrg_dns_flat_next(&left, &flat)) {
		struct mrg_dns_rr rr;
		const struct mrg_span octets = mrg_dns_flat_rr_span(&flat);
		ck_assert_int_eq(mrg_dns_rr_check(octets, octets, &rr, NULL), MRG_OK);
		mrg_dns_rr_to_text(&rr, &w);
		mrg_w_u8(&w, '\n');
	}
	ck_assert_uint_eq(left.len, 0);
	ck_assert_int_eq(w.st, MRG_OK);
	out[w.len] = '\0';
	return out;
}

/* A step is what it came to: not what was said; and another TTL is another record. */
START_TEST(test_step)
{
	struct mrg_arena history = arena_of(1 << 16);
	const struct mrg_dns_step *step = NULL;
	begin(APEX "a 60 A 192.0.2.1\na 60 A 192.0.2.2\nb 60 TXT old\n", true);
	ck_assert(records("a A 192.0.2.1\na A 192.0.2.2\nb TXT old\n" SERIAL_7, false));
	ck_assert(records("a 60 A 192.0.2.2\nb 60 TXT new\nb 60 AAAA ::1\n" SERIAL_8, true));
	ck_assert_int_eq(mrg_dns_zone_change_step(&c, &history, NULL, &step), MRG_E_VALUE); /* not finished */
	finish();
	ck_assert_int_eq(mrg_dns_zone_change_step(&c, &history, NULL, &step), MRG_OK);
	mrg_dns_zone_change_end(&c);
	ck_assert_str_eq(step_text(step->deleted),
		"example. 60 IN SOA ns.example. hostmaster.example. 7 7200 900 1209600 30\n"
		"a.example. 60 IN A 192.0.2.1\nb.example. 60 IN TXT \"old\"\n");
	ck_assert_str_eq(step_text(step->added),
		"example. 60 IN SOA ns.example. hostmaster.example. 8 7200 900 1209600 30\n"
		"b.example. 60 IN TXT \"new\"\nb.example. 60 IN AAAA ::1\n");
	begin(APEX "a 60 A 192.0.2.1\na 60 A 192.0.2.2\n", false);
	ck_assert(records(SERIAL_7 "a A 192.0.2.2\n", false));
	ck_assert(records("a 30 A 192.0.2.1\n" SERIAL_8, true));
	finish();
	ck_assert_int_eq(mrg_dns_zone_change_step(&c, &history, NULL, &step), MRG_OK);
	ck_assert_str_eq(strchr(step_text(step->deleted), '\n'),
		"\na.example. 60 IN A 192.0.2.1\na.example. 60 IN A 192.0.2.2\n");
	ck_assert_str_eq(strchr(step_text(step->added), '\n'), "\na.example. 30 IN A 192.0.2.1\n");
	mrg_dns_zone_change_end(&c);
	free(history.p);
}
END_TEST

/* Names in RDATA in any case; other octets as they are; of two the very one. */
START_TEST(test_case)
{
	changed(APEX "a 60 MX 16705 x\na 60 MX 24929 x\n", "a MX 24929 X\n", "");
	expect("a.example. MX", "NOERROR aa; a.example. MX IN\nan a.example. 60 IN MX 16705 x.example.\n");
	changed(APEX "a 60 SRV 1 2 3 x.y.\na 60 TXT x\na 60 TXT X\n", "a SRV 1 2 3 X.Y.\na TXT X\n", "");
	expect("a.example. TXT", "NOERROR aa; a.example. TXT IN\nan a.example. 60 IN TXT \"x\"\n");
	changed(APEX "a 60 NS x.y.\na 60 NS X.y.\n", "a NS X.y.\n", "");
	expect("a.example. NS", "NOERROR; a.example. NS IN\nns a.example. 60 IN NS x.y.\n");
	changed(APEX "a 60 NS x.y.\na 60 NS X.y.\n", "a NS x.y.\n", "");
	expect("a.example. NS", "NOERROR; a.example. NS IN\nns a.example. 60 IN NS X.y.\n");
	changed(APEX "a 60 PTR x.y.\n", "A PTR x.y.\n", "A 60 PTR X.Y.\n");
	expect("a.example. PTR", "NOERROR aa; a.example. PTR IN\nan a.example. 60 IN PTR X.Y.\n");
	changed(APEX, SERIAL_7, "@ 60 SOA NS hostmaster 8 7200 900 1209600 30\n");
	ck_assert_uint_eq(mrg_dns_zone_serial(made), 8);
}
END_TEST

/* Names that exist only because of others, wildcards, cuts over names that stay, owners of NSEC3 that get names below. */
START_TEST(test_tree)
{
	changed(APEX "a.b.c 60 A 192.0.2.1\n", "a.b.c A 192.0.2.1\n", "");
	ck_assert(strncmp(kit_ask(&k, "c.example. A"), "NXDOMAIN", 8) == 0);
	ck_assert_uint_eq(made->node_count, 1);
	changed(APEX "a.b.c 60 A 192.0.2.1\n", "a.b.c A 192.0.2.1\n", "b.c 60 A 192.0.2.1\n");
	ck_assert(strncmp(kit_ask(&k, "c.example. A"), "NOERROR", 7) == 0);
	ck_assert_uint_eq(made->node_count, 3);
	changed(APEX "*.c 60 A 192.0.2.1\n", "*.c A 192.0.2.1\n", "x.c 60 A 192.0.2.1\n");
	ck_assert(strncmp(kit_ask(&k, "y.c.example. A"), "NXDOMAIN", 8) == 0);
	changed(APEX "x.c 60 A 192.0.2.1\n", "", "c 60 NS ns\n");
	expect("x.c.example. A", "NOERROR; x.c.example. A IN\nns c.example. 60 IN NS ns.example.\n");
	changed(APEX "c 60 NS ns\nx.c 60 A 192.0.2.1\n", "c NS ns\n", "");
	expect("x.c.example. A", "NOERROR aa; x.c.example. A IN\nan x.c.example. 60 IN A 192.0.2.1\n");
	changed(APEX "y.x.c 60 A 192.0.2.1\nx.c 60 NS ns\n", "", "@ 60 DNAME other.\n");
	ck_assert_ptr_nonnull(strstr(kit_ask(&k, "y.x.c.example. A"), "CNAME y.x.c.other."));
	static const char hashed[] = APEX "h 60 NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n";
	changed(hashed, "", "x.h 60 A 192.0.2.1\n");
	ck_assert(strncmp(kit_ask(&k, "h.example. A"), "NOERROR", 7) == 0);
	begin(hashed, true);
	ck_assert(records("x.h 60 A 192.0.2.1\n", true) && records("x.h A 192.0.2.1\n", false));
	finish();
	ck_assert(strncmp(kit_ask(&k, "h.example. A"), "NXDOMAIN", 8) == 0);
	mrg_dns_zone_change_end(&c);
}
END_TEST

/* The parameters change, and the other chain is there already; or a chain begins to be one by the apex's record. */
START_TEST(test_other_chain)
{
	static const char two[] =
		APEX "@ 60 NSEC3PARAM 1 0 0 aa\n"
		     "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 0 0 aa 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n"
		     "35mthgpgcu1qg68fab165klnsnk3dpvl NSEC3 1 0 0 bb 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n"
		     "2t7b4g4vsa5smi47k61mv5bv1a22bojr NSEC3 1 0 0 bb 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A\n";
	changed(two, "@ NSEC3PARAM 1 0 0 aa\n", "@ 60 NSEC3PARAM 1 0 0 bb\n");
	ck_assert_uint_eq(made->chain_len, 2);
	ck_assert_uint_eq(mrg_dns_node_name(mrg_dns_node_at(made, made->chain[0])).p[1], '2');
	ck_assert_uint_eq(mrg_dns_node_name(mrg_dns_node_at(made, made->chain[1])).p[1], '3');
	changed(two, "@ NSEC3PARAM 1 0 0 aa\n", "");
	ck_assert_int_eq(made->denial, MRG_DNS_DENIAL_NONE);
	ck_assert_uint_eq(made->chain_len, 0);
	changed(APEX "b 60 NSEC @ A\na 60 NSEC b A\n", "", "@ 60 NSEC a SOA\n");
	ck_assert_uint_eq(made->chain_len, 3);
	changed(APEX "b 60 NSEC @ A\n@ 60 NSEC b A\n", "b NSEC @ A\n", "b 60 A 192.0.2.1\na 60 NSEC @ A\n");
	ck_assert_uint_eq(made->chain_len, 2);
	ck_assert_uint_eq(mrg_dns_node_name(mrg_dns_node_at(made, made->chain[1])).p[1], 'a');
}
END_TEST

static struct mrg_span name(const char *text)
{
	static uint8_t wire[4][64];
	static unsigned turn;
	uint8_t *const at = wire[turn++ % 4];
	size_t len = 0;
	for (size_t n; *text != '\0'; text += n + 1) {
		n = strcspn(text, ".");
		at[len++] = (uint8_t)n;
		memcpy(at + len, text, n);
		len += n;
	}
	at[len++] = 0;
	return (struct mrg_span){ at, len };
}

static const char *types(const char *owner)
{
	static char text[200];
	int32_t type = -1;
	size_t count = 0, len = 0;
	text[0] = '\0';
	while (mrg_dns_zone_change_next(&c, name(owner), &type, &count) == MRG_OK)
		len += (size_t)sprintf(text + len, "%s%d:%zu", len > 0 ? " " : "", (int)type, count);
	return text;
}

START_TEST(test_sets)
{
	begin(APEX "a 60 A 192.0.2.1\na 60 A 192.0.2.2\na 60 TXT x\na 60 TXT y\na 60 TYPE300 \\# 1 00\n"
		   "a 60 RRSIG A 8 2 60 1 1 1 @ AAAA\na 60 RRSIG TYPE300 8 2 60 1 1 1 @ AAAA\n@ 60 TXT x\n",
		true);
	ck_assert_str_eq(types("a.example."), "1:2 16:2 46:2 300:1");
	ck_assert_str_eq(types("example."), "2:1 6:1 16:1");
	ck_assert_str_eq(types("none.example."), "");
	ck_assert_str_eq(types("other."), "");
	ck_assert_int_eq(
		mrg_dns_zone_change_delete_set(&c, name("a.example."), MRG_DNS_TYPE_A, &err), MRG_OK);
	ck_assert_int_eq(
		mrg_dns_zone_change_delete_set(&c, name("a.example."), MRG_DNS_TYPE_MX, &err), MRG_OK);
	ck_assert_str_eq(types("a.example."), "16:2 46:2 300:1");
	ck_assert_int_eq(
		mrg_dns_zone_change_delete_set(&c, name("a.example."), MRG_DNS_TYPE_RRSIG, &err), MRG_OK);
	ck_assert_str_eq(types("a.example."), "16:2 300:1");
	ck_assert(records("a TXT x\n", false) && records("a 60 RRSIG AAAA 8 2 60 1 1 1 @ AAAA\n", true));
	ck_assert_str_eq(types("a.example."), "16:1 46:1 300:1");
	ck_assert_int_eq(mrg_dns_zone_change_delete_name(&c, name("example."), &err), MRG_OK);
	ck_assert_str_eq(types("example."), "2:1 6:1");
	ck_assert_int_eq(mrg_dns_zone_change_delete_name(&c, name("a.example."), &err), MRG_OK);
	ck_assert_int_eq(mrg_dns_zone_change_delete_name(&c, name("none.example."), &err), MRG_OK);
	ck_assert_int_ne(mrg_dns_zone_change_delete_name(&c, name("none."), &err), MRG_OK);
	ck_assert_str_eq(types("a.example."), "");
	finish();
	ck_assert_uint_eq(mrg_dns_zone_records(made), 2);
	ck_assert_int_ne(
		mrg_dns_zone_change_delete_name(&c, name("a.example."), &err), MRG_OK); /* it is finished */
	ck_assert_int_ne(mrg_dns_zone_change_finish(&c, &made, &err), MRG_OK);
	mrg_dns_zone_change_end(&c);
	ck_assert_int_ne(mrg_dns_zone_change_delete_name(&c, name("a.example."), &err), MRG_OK);
}
END_TEST

/* Thousands of records at one name: each is looked for by hash. */
START_TEST(test_large_set)
{
	enum { COUNT = 3000, LINE = 32 };
	char *const text = malloc(COUNT * LINE + 200), *at = text + sprintf(text, APEX);
	for (unsigned i = 0; i < COUNT; i++)
		at += sprintf(at, "a 60 A 10.0.%u.%u\n", i / 256, i % 256);
	begin(text, true);
	for (unsigned i = 0; i < COUNT; i += 2) {
		const uint8_t ip[] = { 10, 0, (uint8_t)(i / 256), (uint8_t)i },
			      other[] = { 11, ip[1], ip[2], ip[3] };
		ck_assert_int_eq(mrg_dns_zone_change_delete(&c, name("a.example."), MRG_DNS_TYPE_A, 1,
					 (struct mrg_span){ ip, 4 }, &err),
			MRG_OK);
		ck_assert_int_eq(mrg_dns_zone_change_add(&c, name("a.example."), MRG_DNS_TYPE_A, 1, 60,
					 (struct mrg_span){ other, 4 }, &err),
			MRG_OK);
	}
	finish();
	ck_assert_uint_eq(mrg_dns_zone_records(made), 2 + COUNT);
	const char *const got = kit_ask(&k, "a.example. A tcp");
	ck_assert(strstr(got, " 10.0.0.1\n") != NULL && strstr(got, " 10.0.0.2\n") == NULL &&
		  strstr(got, " 11.0.0.2\n") != NULL);
	mrg_dns_zone_change_end(&c);
	free(text);
}
END_TEST

/* Each size of each arena: made, or refused and everything as it was. */
START_TEST(test_memory)
{
	static const char zone[] =
		APEX "a 60 A 192.0.2.1\nb 60 NSEC a A\n@ 60 NSEC b SOA\nz.c 60 A 192.0.2.1\n";
	const uint64_t zero = sum(&scratch);
	for (unsigned which = 0; which < 3; which++) {
		bool fits = false;
		for (size_t more = 0; !fits || more % 512 >= 24; more += 24) {
			begin(zone, true);
			mrg_dns_zone_change_end(&c);
			struct mrg_arena *const arenas[] = { &k.arena, &tables, &scratch },
						*const a = arenas[which];
			const size_t len = k.arena.len, cap = a->cap;
			const uint64_t nodes = sum(&k.arena);
			a->cap = a->len + more;
			ck_assert_uint_lt(a->cap, cap);
			enum mrg_status st =
				mrg_dns_zone_change_begin(&c, k.zones[0], &k.arena, &tables, &scratch, true);
			if (st == MRG_OK &&
				(!records("a A 192.0.2.1\n" SERIAL_7, false) ||
					!records("a 60 TXT x\nb 60 NS c\nx.y 60 NSEC a A\n" SERIAL_8, true)))
				st = MRG_E_SPACE;
			if (st == MRG_OK)
				st = mrg_dns_zone_change_finish(&c, &made, &err);
			ck_assert(st == MRG_OK || st == MRG_E_SPACE);
			ck_assert(st == MRG_OK || !fits);
			fits = st == MRG_OK;
			mrg_dns_zone_change_end(&c);
			a->cap = cap;
			ck_assert_uint_eq(scratch.len, 0);
			ck_assert(sum(&scratch) == zero);
			if (!fits)
				ck_assert(k.arena.len == len && sum(&k.arena) == nodes && tables.len == 0);
		}
	}
}
END_TEST

/* When names take twice as long to find, and when most of the memory is nobody's. */
START_TEST(test_rebuild_due)
{
	begin(APEX, true);
	mrg_dns_zone_change_end(&c);
	const struct mrg_dns_zone *z = k.zones[0];
	struct mrg_arena all = arena_of(400 << 14); /* tables of all versions */
	for (unsigned i = 0; !mrg_dns_zone_rebuild_due(z, &k.arena); i++) {
		char owner[32];
		const uint8_t ip[] = { 192, 0, 2, 1 };
		ck_assert_uint_lt(i, 400);
		struct mrg_arena own = { all.p + ((size_t)i << 14), 0, 1 << 14 };
		ck_assert_int_eq(mrg_dns_zone_change_begin(&c, z, &k.arena, &own, &scratch, true), MRG_OK);
		snprintf(owner, sizeof owner, "h%u.example.", i);
		ck_assert_int_eq(mrg_dns_zone_change_add(&c, name(owner), MRG_DNS_TYPE_A, 1, 60,
					 (struct mrg_span){ ip, 4 }, &err),
			MRG_OK);
		ck_assert_int_eq(mrg_dns_zone_change_finish(&c, &made, &err), MRG_OK);
		mrg_dns_zone_change_end(&c);
		z = made;
		if (i % 50 == 0) {
			serve(z);
			char line[40];
			snprintf(line, sizeof line, "%s A", owner);
			ck_assert_ptr_nonnull(strstr(kit_ask(&k, line), "192.0.2.1"));
		}
	}
	ck_assert_uint_gt(z->node_count, 3 * z->bucket_count);
	struct mrg_arena compact = arena_of(1 << 20);
	ck_assert_int_eq(mrg_dns_zone_rebuild(z, &compact, &scratch, &made, &err), MRG_OK);
	ck_assert(!mrg_dns_zone_rebuild_due(made, &compact));
	ck_assert_uint_gt(made->bucket_count, z->bucket_count);
	ck_assert_uint_eq(mrg_dns_zone_records(made), mrg_dns_zone_records(z));
	compact.len += 3 << 20; /* of garbage */
	ck_assert(mrg_dns_zone_rebuild_due(made, &compact));
	struct mrg_arena small = arena_of(4096);
	ck_assert_int_eq(mrg_dns_zone_rebuild(z, &small, &scratch, &made, &err), MRG_E_SPACE);
	ck_assert_int_eq(err.fault, MRG_DNS_ZONE_FULL);
	ck_assert_uint_eq(scratch.len, 0);
	free(all.p);
	free(compact.p);
	free(small.p);
}
END_TEST

/* Stored zones are not changed; rebuilt they are as others. */
START_TEST(test_stored)
{
	static uint8_t octets[1 << 14];
	struct mrg_w w;
	const struct mrg_dns_zone *stored, *rebuilt;
	struct mrg_arena nodes = arena_of(1 << 16), built = arena_of(1 << 16);
	static struct mrg_dns_zone_builder b;
	ck_assert_int_eq(mrg_dns_zone_begin(&b, &built, name("example.")), MRG_OK);
	struct kit other = { .arena = built };
	b.arena = &other.arena;
	ck_assert_int_eq(kit_zone_in(&other, &b, APEX "a 60 A 192.0.2.1\n"), MRG_DNS_ZONE_SOUND);
	mrg_w_init(&w, octets, sizeof octets);
	mrg_dns_zone_store(&w, other.zones[0], &other.arena);
	ck_assert_int_eq(w.st, MRG_OK);
	ck_assert_int_eq(mrg_dns_zone_stored_open(mrg_w_span(&w, 0), false, &k.arena, &stored), MRG_OK);
	ck_assert_int_eq(mrg_dns_zone_change_begin(&c, stored, &k.arena, &tables, &scratch, true), MRG_E_TAG);
	mrg_dns_zone_change_end(&c);
	ck_assert_int_eq(mrg_dns_zone_rebuild(stored, &nodes, &scratch, &rebuilt, &err), MRG_OK);
	k.zones[0] = rebuilt;
	ck_assert_int_eq(mrg_dns_zone_change_begin(&c, rebuilt, &nodes, &tables, &scratch, true), MRG_OK);
	ck_assert(records("a A 192.0.2.1\n", false) && records("a 60 A 192.0.2.9\n", true));
	finish();
	expect("a.example. A", "NOERROR aa; a.example. A IN\nan a.example. 60 IN A 192.0.2.9\n");
	mrg_dns_zone_change_end(&c);
	free(nodes.p);
	free(built.p);
}
END_TEST

static size_t lines_in(const char *text)
{
	size_t count = 0;
	for (; *text != '\0'; text++)
		count += *text == '\n';
	return count;
}

/* TTLs, signatures without what they cover, large sets; memory; zones of other names. */
START_TEST(test_diff)
{
	enum { COUNT = 3000, LINE = 40 };
	struct mrg_arena history = arena_of(1 << 18);
	const struct mrg_dns_step *step = NULL;
	char *const text = malloc(COUNT * LINE + 500),
		    *at = text + sprintf(text, APEX "b 60 TXT x\nb 60 TXT y\n");
	for (unsigned i = 0; i < COUNT; i++)
		at += sprintf(at, "a 60 A 10.0.%u.%u\n", i / 256, i % 256);
	sprintf(at, "c 60 RRSIG A 8 2 60 1 1 1 @ AAAA\n");
	ck_assert_int_eq(kit_zone(&k, "example.", text), MRG_DNS_ZONE_SOUND);
	at = text + sprintf(text, SERIAL_8 "@ 60 NS ns\nb 30 TXT y\nb 30 TXT x\n");
	for (unsigned i = COUNT + 1; i-- > 1;)
		at += sprintf(at, "A 60 A 10.0.%u.%u\n", i / 256, i % 256);
	struct kit other;
	kit_init(&other, 1 << 20);
	ck_assert_int_eq(kit_zone(&other, "Example.", text), MRG_DNS_ZONE_SOUND);
	ck_assert_int_eq(
		mrg_dns_zone_diff(k.zones[0], other.zones[0], &scratch, &history, NULL, &step), MRG_OK);
	const char *const deleted = step_text(step->deleted), *const added = step_text(step->added);
	static const char *const gone[] = { "IN SOA ns.example. hostmaster.example. 7 ",
		"a.example. 60 IN A 10.0.0.0\n", "b.example. 60 IN TXT \"x\"\n",
		"b.example. 60 IN TXT \"y\"\n", "c.example. 60 IN RRSIG A " };
	static const char *const new[] = { "IN SOA ns.Example. hostmaster.Example. 8 ",
		"A.Example. 60 IN A 10.0.11.184\n", "b.Example. 30 IN TXT \"x\"\n",
		"b.Example. 30 IN TXT \"y\"\n" };
	for (size_t i = 0; i < 5; i++)
		ck_assert_msg(strstr(deleted, gone[i]) != NULL, "%s in %s", gone[i], deleted);
	for (size_t i = 0; i < 4; i++)
		ck_assert_msg(strstr(added, new[i]) != NULL, "%s in %s", new[i], added);
	ck_assert_uint_eq(lines_in(deleted), 5);
	ck_assert_uint_eq(lines_in(added), 4);
	/* each size of memory: the step, or nothing */
	const struct mrg_dns_step *again = NULL;
	for (unsigned which = 0; which < 2; which++) {
		struct mrg_arena *const a = which == 0 ? &scratch : &history;
		const size_t cap = a->cap, len = history.len;
		enum mrg_status st = MRG_E_SPACE;
		for (size_t more = which == 0 ? MRG_DNS_ZONE_DIFF_SCRATCH / 2 - 400 : 0; st != MRG_OK;
			more += 16) {
			a->cap = a->len + more;
			ck_assert_uint_lt(a->cap, cap);
			st = mrg_dns_zone_diff(k.zones[0], other.zones[0], &scratch, &history, NULL, &again);
			ck_assert(st == MRG_OK || (st == MRG_E_SPACE && history.len == len));
			ck_assert_uint_eq(scratch.len, 0);
		}
		a->cap = cap;
		ck_assert(
			mrg_span_eq(again->deleted, step->deleted) && mrg_span_eq(again->added, step->added));
	}
	for (size_t i = 0; i < scratch.cap; i++)
		ck_assert_msg(scratch.p[i] == 0, "not zeroed");
	ck_assert_int_eq(kit_zone(&other, "x.example.", APEX), MRG_DNS_ZONE_SOUND);
	ck_assert_int_eq(
		mrg_dns_zone_diff(k.zones[0], other.zones[1], &scratch, &history, NULL, &again), MRG_E_VALUE);
	/* the step before must lead to the old version */
	ck_assert_int_eq(
		mrg_dns_zone_diff(k.zones[0], other.zones[0], &scratch, &history, step, &again), MRG_E_VALUE);
	kit_free(&other);
	free(text);
	free(history.p);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("zone change, case by case");
	TCase *const t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_refused);
	tcase_add_test(t, test_refused_octets);
	tcase_add_test(t, test_lenient);
	tcase_add_test(t, test_step);
	tcase_add_test(t, test_case);
	tcase_add_test(t, test_tree);
	tcase_add_test(t, test_other_chain);
	tcase_add_test(t, test_sets);
	tcase_add_test(t, test_large_set);
	tcase_add_test(t, test_memory);
	tcase_add_test(t, test_rebuild_due);
	tcase_add_test(t, test_stored);
	tcase_add_test(t, test_diff);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
