/* Transfers in: what is got of what was sent, in any sizes of messages; everything that may be wrong, one by one. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/rr_text.h"
#include "tests/protocols/dns/transfer_kit.h"
#include "protocols/dns/transfer_in.h"

#define SOA(serial) "example. 60 IN SOA . . " #serial " 1 2 3 4\n"

enum { ID = 0x4321, MEMORY = 1 << 20 };

static struct mrg_dns_transfer_in t;
static uint8_t memory[MEMORY];
static struct mrg_arena arena;

/* What came, as lines: "zone 7", "deleted 5", "added 6", and records. */
static struct lines got;
static unsigned refuse_at; /* the call that says no; 0: none */
static unsigned calls;

static bool begin(void *ctx, enum mrg_dns_transfer_part part, uint32_t serial)
{
	static const char *const names[] = { "zone", "deleted", "added" };
	char line[40];
	(void)ctx;
	snprintf(line, sizeof line, "%s %u", names[part], serial);
	lines_add(&got, line, strlen(line));
	return ++calls != refuse_at;
}

static bool record(void *ctx, const struct mrg_dns_flat_rr_args *a)
{
	static uint8_t flat[70000];
	static char text[1 << 18];
	struct mrg_dns_rr rr;
	struct mrg_w w;
	(void)ctx;
	mrg_w_init(&w, flat, sizeof flat);
	mrg_dns_flat_rr_put(&w, a);
	/* nothing to point into: it is flat indeed */
	ck_assert_int_eq(
		mrg_dns_rr_check(mrg_w_span(&w, 0), (struct mrg_span){ NULL, 0 }, &rr, NULL), MRG_OK);
	mrg_w_init(&w, text, sizeof text);
	mrg_dns_rr_to_text(&rr, &w);
	lines_add(&got, text, w.len);
	return ++calls != refuse_at;
}

static const struct mrg_dns_transfer_sink sink = { NULL, begin, record };

static struct mrg_dns_transfer_wanted wanted(bool incremental, uint32_t serial)
{
	return (struct mrg_dns_transfer_wanted){ .zone = { (const uint8_t *)"\7example", 9 },
		.incremental = incremental,
		.serial = serial,
		.id = ID,
		.record_max = 1000,
		.octet_max = 1 << 20 };
}

static void setup(void)
{
	arena = (struct mrg_arena){ .p = memory, .cap = MEMORY };
	refuse_at = calls = 0;
}

static void teardown(void) { lines_free(&got); }

static void start(bool incremental, uint32_t serial)
{
	const struct mrg_dns_transfer_wanted w = wanted(incremental, serial);
	lines_free(&got);
	calls = 0;
	mrg_dns_transfer_in_begin(&t, &w, &sink);
}

/* ---- messages that are made up ---- */

struct made {
	uint8_t p[70000];
	size_t len;
};

static struct mrg_dns_header_args usual(void)
{
	return (struct mrg_dns_header_args){ .id = ID, .qr = 1, .aa = 1, .qdcount = 1 };
}

/* A message with these records in its answer. */
static void make(struct made *m, struct mrg_dns_header_args h, const char *name, uint16_t type,
	uint16_t class, const char *records)
{
	struct mrg_w w;
	struct mrg_dns_flat_rr rr;
	struct mrg_span flat = transfer_flat(&arena, records), left = flat;
	while (mrg_dns_flat_next(&left, &rr))
		h.ancount++;
	mrg_w_init(&w, m->p, sizeof m->p);
	mrg_dns_header_put(&w, &h);
	for (unsigned i = 0; i < h.qdcount; i++)
		mrg_dns_question_put(&w,
			&(struct mrg_dns_question_args){ .name = { (const uint8_t *)name, strlen(name) + 1 },
				.type = type,
				.class = class });
	mrg_w_put(&w, flat);
	ck_assert_int_eq(mrg_w_finish(&w, &m->len), MRG_OK);
}

static struct made made;

static enum mrg_dns_transfer_result feed(const char *records)
{
	struct mrg_dns_header_args h = usual();
	h.qdcount = t.messages == 0;
	make(&made, h, "\7example", t.wanted.incremental ? MRG_DNS_TYPE_IXFR : MRG_DNS_TYPE_AXFR,
		MRG_DNS_CLASS_IN, records);
	return mrg_dns_transfer_in_feed(&t, (struct mrg_span){ made.p, made.len }, false);
}

/* ---- the order of records ---- */

#define A(n) "a.example. 60 IN A 192.0.2." #n "\n"

/* Messages are divided by '|'. */
static const struct {
	const char *what;
	bool incremental;
	const char *messages;
	enum mrg_dns_transfer_result result;
	enum mrg_dns_transfer_fault fault;
	const char *lines; /* NULL: not looked at */
} orders[] = {
	{ "a zone", false, SOA(7) A(1) A(2) SOA(7), MRG_DNS_TRANSFER_COMPLETE, 0,
		"zone 7\n" SOA(7) A(1) A(2) },
	{ "a zone in pieces", false, SOA(7) "|" A(1) "|" A(2) "|" SOA(7), MRG_DNS_TRANSFER_COMPLETE, 0,
		"zone 7\n" SOA(7) A(1) A(2) },
	{ "a message without records", false, "|" SOA(7) "||" A(1) SOA(7), MRG_DNS_TRANSFER_COMPLETE, 0,
		"zone 7\n" SOA(7) A(1) },
	{ "a zone of one record", false, SOA(7) "|" SOA(7), MRG_DNS_TRANSFER_COMPLETE, 0, "zone 7\n" SOA(7) },
	{ "a zone where differences were asked for", true, SOA(7) A(1) "|" SOA(7), MRG_DNS_TRANSFER_COMPLETE,
		0, "zone 7\n" SOA(7) A(1) },
	{ "the zone that is there, once more", true, SOA(5) A(1) SOA(5), MRG_DNS_TRANSFER_COMPLETE, 0,
		"zone 5\n" SOA(5) A(1) },
	{ "the zone that is there, of one record", true, SOA(5) SOA(5), MRG_DNS_TRANSFER_COMPLETE, 0,
		"zone 5\n" SOA(5) },
	{ "nothing new", true, SOA(5), MRG_DNS_TRANSFER_UP_TO_DATE, 0, "" },
	{ "differences", true, SOA(7) SOA(5) A(1) SOA(7) A(2) SOA(7), MRG_DNS_TRANSFER_COMPLETE, 0,
		"deleted 5\n" SOA(5) A(1) "added 7\n" SOA(7) A(2) },
	{ "more of them", true, SOA(7) "|" SOA(5) SOA(6) "|" A(2) SOA(6) A(2) "|" SOA(7) SOA(7),
		MRG_DNS_TRANSFER_COMPLETE, 0,
		"deleted 5\n" SOA(5) "added 6\n" SOA(6) A(2) "deleted 6\n" SOA(6) A(2) "added 7\n" SOA(7) },
	{ "an older version", true, SOA(4), MRG_DNS_TRANSFER_FAILED, MRG_DNS_TRANSFER_FAULT_BACK, "" },
	{ "an older zone", true, SOA(4) A(1) SOA(4), MRG_DNS_TRANSFER_FAILED, MRG_DNS_TRANSFER_FAULT_BACK,
		"" },
	{ "an older zone that was asked for", false, SOA(4) A(1) SOA(4), MRG_DNS_TRANSFER_COMPLETE, 0, NULL },
	{ "no SOA", false, A(1) SOA(7), MRG_DNS_TRANSFER_FAILED, MRG_DNS_TRANSFER_FAULT_NO_SOA, "" },
	{ "no SOA before differences", true, A(1), MRG_DNS_TRANSFER_FAILED, MRG_DNS_TRANSFER_FAULT_NO_SOA,
		"" },
	{ "another SOA", false, SOA(7) A(1) SOA(8), MRG_DNS_TRANSFER_FAILED, MRG_DNS_TRANSFER_FAULT_OTHER_SOA,
		NULL },
	{ "another SOA at once", false, SOA(7) SOA(8), MRG_DNS_TRANSFER_FAILED,
		MRG_DNS_TRANSFER_FAULT_OTHER_SOA, "" },
	{ "differences that nobody asked for", false, SOA(7) SOA(5) A(1) SOA(7) SOA(7),
		MRG_DNS_TRANSFER_FAILED, MRG_DNS_TRANSFER_FAULT_OTHER_SOA, "" },
	{ "nothing new, and another SOA", true, SOA(5) SOA(6), MRG_DNS_TRANSFER_FAILED,
		MRG_DNS_TRANSFER_FAULT_OTHER_SOA, "" },
	{ "differences of another version", true, SOA(7) SOA(4) SOA(7) SOA(7), MRG_DNS_TRANSFER_FAILED,
		MRG_DNS_TRANSFER_FAULT_GAP, "" },
	{ "a gap between differences", true, SOA(8) SOA(5) SOA(6) SOA(7) SOA(8) SOA(8),
		MRG_DNS_TRANSFER_FAILED, MRG_DNS_TRANSFER_FAULT_GAP, NULL },
	{ "the end before the last step", true, SOA(7) SOA(5) SOA(6) SOA(7), MRG_DNS_TRANSFER_FAILED,
		MRG_DNS_TRANSFER_FAULT_GAP, NULL },
	{ "a step back", true, SOA(7) SOA(5) SOA(4) SOA(7), MRG_DNS_TRANSFER_FAILED,
		MRG_DNS_TRANSFER_FAULT_BACK, NULL },
	{ "a step to the same", true, SOA(7) SOA(5) SOA(5) SOA(7), MRG_DNS_TRANSFER_FAILED,
		MRG_DNS_TRANSFER_FAULT_BACK, NULL },
	{ "records behind the end", false, SOA(7) A(1) SOA(7) A(2), MRG_DNS_TRANSFER_FAILED,
		MRG_DNS_TRANSFER_FAULT_AFTER, NULL },
	{ "an SOA behind the end", false, SOA(7) A(1) SOA(7) SOA(7), MRG_DNS_TRANSFER_FAILED,
		MRG_DNS_TRANSFER_FAULT_AFTER, NULL },
	{ "records behind differences", true, SOA(7) SOA(5) SOA(7) SOA(7) A(1), MRG_DNS_TRANSFER_FAILED,
		MRG_DNS_TRANSFER_FAULT_AFTER, NULL },
	{ "outside", false, SOA(7) "example.net. 60 IN A 192.0.2.1\n", MRG_DNS_TRANSFER_FAILED,
		MRG_DNS_TRANSFER_FAULT_OUTSIDE, NULL },
	{ "above", false, SOA(7) ". 60 IN NS example.\n", MRG_DNS_TRANSFER_FAILED,
		MRG_DNS_TRANSFER_FAULT_OUTSIDE, NULL },
	{ "the end of another name", false, SOA(7) "anexample. 60 IN A 192.0.2.1\n", MRG_DNS_TRANSFER_FAILED,
		MRG_DNS_TRANSFER_FAULT_OUTSIDE, NULL },
	{ "an SOA below", false, SOA(7) "a." SOA(7), MRG_DNS_TRANSFER_FAILED, MRG_DNS_TRANSFER_FAULT_OUTSIDE,
		NULL },
	{ "an SOA of another zone", false, "other. 60 IN SOA . . 7 1 2 3 4\n", MRG_DNS_TRANSFER_FAILED,
		MRG_DNS_TRANSFER_FAULT_OUTSIDE, "" },
	{ "another class", false, "example. 60 CH SOA . . 7 1 2 3 4\n", MRG_DNS_TRANSFER_FAILED,
		MRG_DNS_TRANSFER_FAULT_CLASS, NULL },
	{ "letters in either case", false,
		"EXAMPLE. 60 IN SOA . . 7 1 2 3 4\nA.eXample. 60 IN A 192.0.2.1\n" SOA(7),
		MRG_DNS_TRANSFER_COMPLETE, 0, "zone 7\n" SOA(7) "A.eXample. 60 IN A 192.0.2.1\n" },
};

/* Feed the messages of a text; the last result, and whether one went on behind that. */
static enum mrg_dns_transfer_result feed_all(const char *messages)
{
	enum mrg_dns_transfer_result result;
	for (const char *at = messages;;) {
		static char one[4096];
		const size_t len = strcspn(at, "|");
		snprintf(one, sizeof one, "%.*s", (int)len, at);
		arena.len = 0;
		result = feed(one);
		if (at[len] == '\0' || result != MRG_DNS_TRANSFER_GOES_ON)
			return result;
		at += len + 1;
	}
}

START_TEST(what_follows_what)
{
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		struct lines want = { .count = 0 };
		start(orders[i].incremental, 5);
		ck_assert_msg(feed_all(orders[i].messages) == orders[i].result, "%s: %d, %s", orders[i].what,
			t.result, mrg_dns_transfer_fault_why(t.fault));
		ck_assert_msg(t.fault == orders[i].fault, "%s: %s", orders[i].what,
			mrg_dns_transfer_fault_why(t.fault));
		if (orders[i].lines != NULL) {
			lines_take(&want, orders[i].lines, "");
			lines_same(&want, &got);
			lines_free(&want);
		}
		/* it stays so, whatever comes */
		ck_assert_int_eq(feed(SOA(9) A(1) SOA(9)), orders[i].result);
		ck_assert_int_eq(mrg_dns_transfer_in_lost(&t), orders[i].result);
		ck_assert_int_eq(t.fault, orders[i].fault);
	}
}
END_TEST

START_TEST(serial_numbers_wrap)
{
	start(true, UINT32_MAX);
	ck_assert_int_eq(
		feed_all(SOA(3) SOA(4294967295) SOA(1) SOA(1) SOA(3) SOA(3)), MRG_DNS_TRANSFER_COMPLETE);
	start(true, 3);
	ck_assert_int_eq(feed_all(SOA(4294967295)), MRG_DNS_TRANSFER_FAILED);
	ck_assert_int_eq(t.fault, MRG_DNS_TRANSFER_FAULT_BACK);
}
END_TEST

START_TEST(a_connection_that_ends_too_early)
{
	static const char *const whole = SOA(7) "|" A(1) "|" SOA(7),
				 *const steps = SOA(7) "|" SOA(5) "|" A(1) "|" SOA(7) "|" A(1) "|" SOA(7);
	for (unsigned kind = 0; kind < 2; kind++) {
		for (const char *end = kind == 0 ? whole : steps; end != NULL;) {
			char part[512];
			start(kind == 1, 5);
			const char *const from = kind == 0 ? whole : steps;
			if (end != from) {
				snprintf(part, sizeof part, "%.*s", (int)(end - from - 1), from);
				ck_assert_int_eq(feed_all(part), MRG_DNS_TRANSFER_GOES_ON);
			}
			ck_assert_int_eq(mrg_dns_transfer_in_lost(&t), MRG_DNS_TRANSFER_FAILED);
			ck_assert_int_eq(t.fault, MRG_DNS_TRANSFER_FAULT_CUT);
			end = strchr(end, '|');
			end = end != NULL ? end + 1 : NULL;
		}
	}
}
END_TEST

/* ---- messages ---- */

static void refused(struct mrg_dns_header_args h, const char *name, uint16_t type, uint16_t class,
	const char *records, enum mrg_dns_transfer_fault fault)
{
	start(false, 0);
	arena.len = 0;
	make(&made, h, name, type, class, records);
	ck_assert_int_eq(mrg_dns_transfer_in_feed(&t, (struct mrg_span){ made.p, made.len }, false),
		fault != 0 ? MRG_DNS_TRANSFER_FAILED : MRG_DNS_TRANSFER_COMPLETE);
	ck_assert_int_eq(t.fault, fault);
	ck_assert_ptr_nonnull(strchr(mrg_dns_transfer_fault_why(t.fault), ' '));
}

START_TEST(heads_and_questions)
{
	static const char zone[] = SOA(7) A(1) SOA(7);
	const struct mrg_dns_header_args good = usual();
	struct mrg_dns_header_args h = good;
	refused(h, "\7example", MRG_DNS_TYPE_AXFR, MRG_DNS_CLASS_IN, zone, 0);
	refused(h, "\7EXAMPLE", MRG_DNS_TYPE_AXFR, MRG_DNS_CLASS_IN, zone, 0);
	h.id++;
	refused(h, "\7example", MRG_DNS_TYPE_AXFR, MRG_DNS_CLASS_IN, zone, MRG_DNS_TRANSFER_FAULT_UNASKED);
	h = good;
	h.qr = 0;
	refused(h, "\7example", MRG_DNS_TYPE_AXFR, MRG_DNS_CLASS_IN, zone, MRG_DNS_TRANSFER_FAULT_UNASKED);
	h = good;
	h.opcode = MRG_DNS_OPCODE_NOTIFY;
	refused(h, "\7example", MRG_DNS_TYPE_AXFR, MRG_DNS_CLASS_IN, zone, MRG_DNS_TRANSFER_FAULT_UNASKED);
	h = good;
	h.qdcount = 0;
	refused(h, "", 0, 0, zone, MRG_DNS_TRANSFER_FAULT_UNASKED);
	h.qdcount = 2;
	refused(h, "\7example", MRG_DNS_TYPE_AXFR, MRG_DNS_CLASS_IN, zone, MRG_DNS_TRANSFER_FAULT_UNASKED);
	refused(good, "\7exampla", MRG_DNS_TYPE_AXFR, MRG_DNS_CLASS_IN, zone, MRG_DNS_TRANSFER_FAULT_UNASKED);
	refused(good, "\7example", MRG_DNS_TYPE_IXFR, MRG_DNS_CLASS_IN, zone, MRG_DNS_TRANSFER_FAULT_UNASKED);
	refused(good, "\7example", MRG_DNS_TYPE_AXFR, MRG_DNS_CLASS_CH, zone, MRG_DNS_TRANSFER_FAULT_UNASKED);
	h = good;
	h.tc = 1;
	refused(h, "\7example", MRG_DNS_TYPE_AXFR, MRG_DNS_CLASS_IN, zone, MRG_DNS_TRANSFER_FAULT_TRUNCATED);
	for (uint8_t rcode = 1; rcode < 16; rcode++) {
		h = good;
		h.rcode = rcode;
		h.qdcount = rcode % 2; /* who can't read a query may not repeat the question */
		refused(h, "\7example", MRG_DNS_TYPE_AXFR, MRG_DNS_CLASS_IN, "",
			MRG_DNS_TRANSFER_FAULT_RCODE);
		ck_assert_uint_eq(t.rcode, rcode);
	}
}
END_TEST

/* Put an OPT record behind the message. */
static void add_opt(struct made *m, uint8_t extended_rcode, bool expire)
{
	struct mrg_w w;
	struct mrg_dns_edns_build eb;
	struct mrg_dns_opt_build ob;
	struct mrg_dns_option_build b;
	mrg_w_init(&w, m->p, sizeof m->p);
	w.len = m->len;
	mrg_dns_edns_begin(
		&w, &eb, &(struct mrg_dns_edns_args){ .udp_size = 1232, .extended_rcode = extended_rcode });
	mrg_dns_opt_begin(&w, &ob, &(struct mrg_dns_opt_args){ 0 });
	if (expire) {
		mrg_dns_opt_options_add(&w, &ob);
		mrg_dns_option_begin(
			&w, &b, &(struct mrg_dns_option_args){ .code = MRG_DNS_EDNS_OPTION_EXPIRE });
		mrg_dns_expire_put(&w, &(struct mrg_dns_expire_args){ .length = 4, .seconds = 86400 });
		mrg_dns_option_end(&w, &b);
	}
	mrg_dns_opt_end(&w, &ob);
	mrg_dns_edns_end(&w, &eb);
	ck_assert_int_eq(mrg_w_finish(&w, &m->len), MRG_OK);
}

START_TEST(the_opt_record_tells_the_rest_of_the_rcode_and_the_time_of_expiry)
{
	for (unsigned expire = 0; expire < 2; expire++) {
		for (uint8_t upper = 0; upper < 2; upper++) {
			struct mrg_dns_header_args h = usual();
			h.arcount = 1;
			start(false, 0);
			arena.len = 0;
			make(&made, h, "\7example", MRG_DNS_TYPE_AXFR, MRG_DNS_CLASS_IN,
				upper != 0 ? "" : SOA(7) A(1) SOA(7));
			add_opt(&made, upper, expire != 0);
			ck_assert_int_eq(
				mrg_dns_transfer_in_feed(&t, (struct mrg_span){ made.p, made.len }, false),
				upper != 0 ? MRG_DNS_TRANSFER_FAILED : MRG_DNS_TRANSFER_COMPLETE);
			ck_assert_uint_eq(t.rcode, upper * 16u);
			ck_assert_int_eq(t.has_expire, expire != 0);
			ck_assert_uint_eq(t.expire_s, expire != 0 ? 86400 : 0);
		}
	}
}
END_TEST

/* SRV: nobody should compress the name in it, and who receives one that is has to take it.  RFC 3597 section 4 */
START_TEST(names_that_should_not_be_compressed)
{
	static const char *const want[] = { "zone 7", "example. 60 IN SOA . . 7 1 2 3 4",
		"a.example. 60 IN SRV 1 2 3 example." };
	struct mrg_dns_header_args h = usual();
	struct mrg_w w;
	h.ancount = 3;
	start(false, 0);
	make(&made, (struct mrg_dns_header_args){ .id = ID, .qr = 1, .qdcount = 1 }, "\7example",
		MRG_DNS_TYPE_AXFR, MRG_DNS_CLASS_IN, SOA(7));
	mrg_w_init(&w, made.p, sizeof made.p);
	mrg_dns_header_put(&w, &h);
	w.len = made.len;
	mrg_w_put(&w, (struct mrg_span){ (const uint8_t *)"\1a\xc0\x0c", 4 });
	mrg_dns_rr_tail_put(&w, &(struct mrg_dns_rr_tail_args){ .type = MRG_DNS_TYPE_SRV,
					.class = MRG_DNS_CLASS_IN,
					.ttl = 60,
					.rdata = { (const uint8_t *)"\0\1\0\2\0\3\xc0\x0c", 8 } });
	mrg_w_put(&w, transfer_flat(&arena, SOA(7)));
	ck_assert_int_eq(mrg_w_finish(&w, &made.len), MRG_OK);
	ck_assert_int_eq(mrg_dns_transfer_in_feed(&t, (struct mrg_span){ made.p, made.len }, false),
		MRG_DNS_TRANSFER_COMPLETE);
	ck_assert_uint_eq(got.count, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_str_eq(got.text[i], want[i]);
}
END_TEST

START_TEST(a_message_that_is_cut_anywhere)
{
	struct mrg_dns_header_args h = usual();
	h.arcount = 1;
	make(&made, h, "\7example", MRG_DNS_TYPE_AXFR, MRG_DNS_CLASS_IN,
		SOA(7) "a.example. 60 IN MX 10 b.example.\n" SOA(7));
	add_opt(&made, 0, true);
	for (size_t len = 0; len <= made.len; len++) {
		uint8_t *const alone = malloc(len + (len == 0));
		memcpy(alone, made.p, len);
		start(false, 0);
		ck_assert_int_eq(mrg_dns_transfer_in_feed(&t, (struct mrg_span){ alone, len }, false),
			len < made.len ? MRG_DNS_TRANSFER_FAILED : MRG_DNS_TRANSFER_COMPLETE);
		if (len < made.len)
			ck_assert(t.fault == MRG_DNS_TRANSFER_FAULT_MALFORMED ||
				  (len < 12 + 13 && t.fault == MRG_DNS_TRANSFER_FAULT_UNASKED));
		free(alone);
	}
}
END_TEST

START_TEST(limits)
{
	for (size_t records = 0; records < 6; records++) {
		struct mrg_dns_transfer_wanted w = wanted(false, 0);
		w.record_max = records;
		mrg_dns_transfer_in_begin(&t, &w, &sink);
		ck_assert_int_eq(feed_all(SOA(7) A(1) "|" A(2) SOA(7)),
			records < 4 ? MRG_DNS_TRANSFER_FAILED : MRG_DNS_TRANSFER_COMPLETE);
		ck_assert_int_eq(t.fault, records < 4 ? MRG_DNS_TRANSFER_FAULT_LIMIT : 0);
		ck_assert_int_eq(mrg_dns_transfer_in_lost(&t), t.result);
		if (records == 4) { /* all octets were needed */
			const uint64_t octets = t.octets;
			w.octet_max = octets - 1;
			mrg_dns_transfer_in_begin(&t, &w, &sink);
			ck_assert_int_eq(feed_all(SOA(7) A(1) "|" A(2) SOA(7)), MRG_DNS_TRANSFER_FAILED);
			ck_assert_int_eq(t.fault, MRG_DNS_TRANSFER_FAULT_LIMIT);
			w.octet_max = octets;
			mrg_dns_transfer_in_begin(&t, &w, &sink);
			ck_assert_int_eq(feed_all(SOA(7) A(1) "|" A(2) SOA(7)), MRG_DNS_TRANSFER_COMPLETE);
		}
	}
	/* messages without records go on until the octets are used up */
	struct mrg_dns_transfer_wanted few = wanted(false, 0);
	few.octet_max = 500;
	mrg_dns_transfer_in_begin(&t, &few, &sink);
	unsigned n = 0;
	while (feed("") == MRG_DNS_TRANSFER_GOES_ON)
		ck_assert_uint_lt(n++, 500);
	ck_assert_int_eq(t.fault, MRG_DNS_TRANSFER_FAULT_LIMIT);
}
END_TEST

START_TEST(who_gets_the_records_may_refuse_any)
{
	static const char *const messages = SOA(7) SOA(5) A(1) SOA(6) A(2) SOA(6) SOA(7) "|" A(3) SOA(7);
	for (unsigned at = 1; at <= 12; at++) {
		start(true, 5);
		refuse_at = at;
		const bool refused = at <= 11;
		const char *const last = strchr(messages, '|');
		enum mrg_dns_transfer_result result;
		char first[600];
		snprintf(first, sizeof first, "%.*s", (int)(last - messages), messages);
		arena.len = 0;
		result = feed(first);
		ck_assert_int_eq(result, at <= 10 ? MRG_DNS_TRANSFER_FAILED : MRG_DNS_TRANSFER_GOES_ON);
		result = feed(last + 1);
		ck_assert_int_eq(result, refused ? MRG_DNS_TRANSFER_FAILED : MRG_DNS_TRANSFER_COMPLETE);
		ck_assert_int_eq(t.fault, refused ? MRG_DNS_TRANSFER_FAULT_REFUSED : 0);
		ck_assert_uint_le(calls, at);
		refuse_at = 0;
	}
}
END_TEST

/* ---- signatures ---- */

static unsigned verified, wrong_at;
static bool is_complete;

static enum mrg_status verify(void *ctx, struct mrg_span message)
{
	(void)ctx;
	ck_assert_uint_gt(message.len, 0);
	return ++verified == wrong_at ? MRG_E_VALUE : MRG_OK;
}

static bool complete(void *ctx)
{
	(void)ctx;
	return is_complete;
}

START_TEST(signatures_are_checked_for_each_message_and_at_the_end)
{
	for (unsigned n = 1; n <= 5; n++) {
		struct mrg_dns_transfer_wanted w = wanted(false, 0);
		w.verifier = (struct mrg_dns_transfer_verifier){ NULL, verify, complete };
		verified = 0;
		wrong_at = n;
		is_complete = n != 4;
		lines_free(&got);
		mrg_dns_transfer_in_begin(&t, &w, &sink);
		static const char *const messages[] = { SOA(7), A(1), SOA(7) };
		for (size_t i = 0; i < 3; i++)
			(void)feed(messages[i]);
		ck_assert_int_eq(t.result, n <= 4 ? MRG_DNS_TRANSFER_FAILED : MRG_DNS_TRANSFER_COMPLETE);
		ck_assert_int_eq(t.fault, n <= 4 ? MRG_DNS_TRANSFER_FAULT_SIGNATURE : 0);
		ck_assert_uint_eq(verified, n < 3 ? n : 3);
	}
}
END_TEST

/* ---- datagrams ---- */

START_TEST(what_a_datagram_has_must_be_all)
{
	static const struct {
		bool incremental;
		const char *records;
		enum mrg_dns_transfer_result result;
	} cases[] = { { true, SOA(7), MRG_DNS_TRANSFER_OVERFLOW },
		{ true, SOA(5), MRG_DNS_TRANSFER_UP_TO_DATE },
		{ true, SOA(7) SOA(5) SOA(7) SOA(7), MRG_DNS_TRANSFER_COMPLETE },
		{ true, SOA(7) A(1) SOA(7), MRG_DNS_TRANSFER_COMPLETE },
		{ true, "", MRG_DNS_TRANSFER_FAILED }, { true, SOA(7) A(1), MRG_DNS_TRANSFER_FAILED },
		{ true, SOA(7) SOA(5), MRG_DNS_TRANSFER_FAILED },
		{ true, SOA(7) SOA(5) SOA(7), MRG_DNS_TRANSFER_FAILED },
		{ false, SOA(7), MRG_DNS_TRANSFER_FAILED } };
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		start(cases[i].incremental, 5);
		make(&made, usual(), "\7example",
			cases[i].incremental ? MRG_DNS_TYPE_IXFR : MRG_DNS_TYPE_AXFR, MRG_DNS_CLASS_IN,
			cases[i].records);
		ck_assert_int_eq(mrg_dns_transfer_in_feed(&t, (struct mrg_span){ made.p, made.len }, true),
			cases[i].result);
		ck_assert_int_eq(
			t.fault, t.result == MRG_DNS_TRANSFER_FAILED ? MRG_DNS_TRANSFER_FAULT_CUT : 0);
	}
}
END_TEST

/* ---- asking ---- */

START_TEST(our_own_side_understands_what_is_asked)
{
	uint8_t query[200];
	for (unsigned i = 0; i < 4; i++) {
		struct mrg_dns_transfer_wanted w = wanted(i % 2 == 1, 12345);
		struct mrg_dns_transfer_request r;
		size_t len, full;
		w.udp_size = i / 2 == 1 ? 1400 : 0;
		mrg_dns_transfer_in_begin(&t, &w, &sink);
		ck_assert_int_eq(mrg_dns_transfer_in_query(&t, query, sizeof query, &full), MRG_OK);
		ck_assert(mrg_dns_transfer_asked((struct mrg_span){ query, full }, MRG_DNS_TCP, &r));
		ck_assert_uint_eq(mrg_dns_header_id(&r.query.header), ID);
		ck_assert_int_eq(r.incremental, w.incremental);
		ck_assert_uint_eq(r.serial, w.incremental ? 12345 : 0);
		ck_assert_uint_eq(r.query.udp_size, w.udp_size);
		for (size_t cap = 0; cap < full; cap++)
			ck_assert_int_eq(mrg_dns_transfer_in_query(&t, query, cap, &len), MRG_E_SPACE);
	}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/dns/transfer_in");
	TCase *const c = tcase_create("transfer_in");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, what_follows_what);
	tcase_add_test(c, serial_numbers_wrap);
	tcase_add_test(c, a_connection_that_ends_too_early);
	tcase_add_test(c, heads_and_questions);
	tcase_add_test(c, the_opt_record_tells_the_rest_of_the_rcode_and_the_time_of_expiry);
	tcase_add_test(c, names_that_should_not_be_compressed);
	tcase_add_test(c, a_message_that_is_cut_anywhere);
	tcase_add_test(c, limits);
	tcase_add_test(c, who_gets_the_records_may_refuse_any);
	tcase_add_test(c, signatures_are_checked_for_each_message_and_at_the_end);
	tcase_add_test(c, what_a_datagram_has_must_be_all);
	tcase_add_test(c, our_own_side_understands_what_is_asked);
	suite_add_tcase(s, c);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
