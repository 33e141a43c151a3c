/*
 * protocols/dns/master: entries of master files, directives, and what is wrong with wrong ones.
 * RFC 1035 section 5, RFC 2308 section 4, RFC 3597 section 5.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/dns/master_load.h"

static struct master_load l;

static void load(const char *text)
{
	master_load_free(&l);
	master_load_text(&l, text, SIZE_MAX, "example.");
}

/* The text gives just these records, in this order, and no error. */
static void gives(const char *text, const char *const *want)
{
	load(text);
	if (l.error_count > 0)
		ck_abort_msg("%s", master_load_error(&l, 0));
	ck_assert_int_eq(l.status, MRG_OK);
	size_t n = 0;
	for (; want[n] != NULL && n < l.record_count; n++)
		ck_assert_str_eq(master_load_show(&l, n), want[n]);
	ck_assert_ptr_null(want[n]);
	ck_assert_uint_eq(n, l.record_count);
	master_load_free(&l);
}
#define GIVES(text, ...) gives(text, (const char *const[]){ __VA_ARGS__, NULL })

/* The text has just these errors: "LINE:COL FIELD: WHAT", compared by their beginnings. */
static void complains(const char *text, const char *const *want)
{
	load(text);
	ck_assert_int_eq(l.status, MRG_E_TEXT);
	size_t n = 0;
	for (; want[n] != NULL && n < l.error_count; n++)
		if (strncmp(master_load_error(&l, n), want[n], strlen(want[n])) != 0)
			ck_assert_str_eq(master_load_error(&l, n), want[n]);
	if (n < l.error_count)
		ck_abort_msg("also: %s", master_load_error(&l, n));
	if (want[n] != NULL)
		ck_abort_msg("not: %s", want[n]);
	ck_assert_uint_eq(l.reported, l.error_count);
	master_load_free(&l);
}
#define COMPLAINS(text, ...) complains(text, (const char *const[]){ __VA_ARGS__, NULL })

#define TTL "$TTL 60\n"

/* --- what may be left out ----------------------------------------------------------------------- */

START_TEST(ttl_and_class_in_either_order)
{
	GIVES("a 5 IN A 192.0.2.1\na IN 5 A 192.0.2.1\na 5 A 192.0.2.1\n", "a.example. 5 IN A 192.0.2.1",
		"a.example. 5 IN A 192.0.2.1", "a.example. 5 IN A 192.0.2.1");
	GIVES(TTL "a in a 192.0.2.1\na A 192.0.2.1\n", "a.example. 60 IN A 192.0.2.1",
		"a.example. 60 IN A 192.0.2.1");
}
END_TEST

START_TEST(owner_of_the_line_before)
{
	GIVES(TTL
		"a A 192.0.2.1\n  A 192.0.2.2\n\tIN A 192.0.2.3\n\n ; nothing\n 5 A 192.0.2.4\nb A 192.0.2.5\n A 192.0.2.6\n",
		"a.example. 60 IN A 192.0.2.1", "a.example. 60 IN A 192.0.2.2",
		"a.example. 60 IN A 192.0.2.3", "a.example. 5 IN A 192.0.2.4", "b.example. 60 IN A 192.0.2.5",
		"b.example. 60 IN A 192.0.2.6");
}
END_TEST

START_TEST(owners_that_look_like_something_else)
{
	GIVES(TTL
		"1 A 192.0.2.1\n1h A 192.0.2.1\nIN A 192.0.2.1\nA A 192.0.2.1\nTYPE1 A 192.0.2.1\n\\$TTL A 192.0.2.1\n* A 192.0.2.1\n",
		"1.example. 60 IN A 192.0.2.1", "1h.example. 60 IN A 192.0.2.1",
		"IN.example. 60 IN A 192.0.2.1", "A.example. 60 IN A 192.0.2.1",
		"TYPE1.example. 60 IN A 192.0.2.1", "\\$TTL.example. 60 IN A 192.0.2.1",
		"*.example. 60 IN A 192.0.2.1");
}
END_TEST

START_TEST(no_owner_at_all)
{
	COMPLAINS(TTL "  A 192.0.2.1\na A 192.0.2.2\n", "2:3 owner: missing");
	/* after a wrong owner there is none either: the one before it would be another's */
	COMPLAINS(TTL "a A 192.0.2.1\na..b A 192.0.2.2\n A 192.0.2.3\n",
		"3:1 owner: a name with an empty label", "4:2 owner: missing");
}
END_TEST

/* --- TTLs ------------------------------------------------------------------------------------------ */

START_TEST(ttl_units)
{
	GIVES("a 1w2d3h4m5s A 192.0.2.1\na 1H A 192.0.2.1\na 0 A 192.0.2.1\na 2147483647 A 192.0.2.1\n$TTL 1h30m\na A 192.0.2.1\n",
		"a.example. 788645 IN A 192.0.2.1", "a.example. 3600 IN A 192.0.2.1",
		"a.example. 0 IN A 192.0.2.1", "a.example. 2147483647 IN A 192.0.2.1",
		"a.example. 5400 IN A 192.0.2.1");
	COMPLAINS("a 2147483648 A 192.0.2.1\n", "1:3 TTL: must be in 0..2147483647");
	COMPLAINS("a 99999999999999999999 A 192.0.2.1\n", "1:3 TTL: ");
	COMPLAINS("a 99999w A 192.0.2.1\n", "1:3 TTL: ");
	COMPLAINS("a 5 6 A 192.0.2.1\n", "1:5 type: a second TTL");
	COMPLAINS("$TTL 1h30\n", "1:6 TTL: ");
	COMPLAINS("$TTL\n", "1:5 TTL: missing");
	COMPLAINS("$TTL 1 2\n", "1:8 $TTL: more");
}
END_TEST

#define SOA "@ SOA ns host 1 2 3 4 77\n"
START_TEST(ttl_left_out)
{
	/* $TTL comes before the last one stated (RFC 2308 section 4) */
	GIVES("$TTL 60\na 5 A 192.0.2.1\na A 192.0.2.2\n$TTL 61\na A 192.0.2.3\n",
		"a.example. 5 IN A 192.0.2.1", "a.example. 60 IN A 192.0.2.2",
		"a.example. 61 IN A 192.0.2.3");
	/* without it, the last one stated (RFC 1035 section 5.1) */
	GIVES("a 5 A 192.0.2.1\na A 192.0.2.2\na 6 A 192.0.2.3\na A 192.0.2.4\n",
		"a.example. 5 IN A 192.0.2.1", "a.example. 5 IN A 192.0.2.2", "a.example. 6 IN A 192.0.2.3",
		"a.example. 6 IN A 192.0.2.4");
	/* without that, the SOA's minimum */
	GIVES(SOA "a A 192.0.2.1\n", "example. 77 IN SOA ns.example. host.example. 1 2 3 4 77",
		"a.example. 77 IN A 192.0.2.1");
	COMPLAINS("a A 192.0.2.1\nb 5 A 192.0.2.1\n", "1:14 TTL: missing");
}
END_TEST

START_TEST(ttl_of_last_resort)
{
	master_load_free(&l);
	l.default_ttl = 99;
	master_load_text(&l, "a A 192.0.2.1\n", SIZE_MAX, "example.");
	ck_assert_int_eq(l.status, MRG_OK);
	ck_assert_str_eq(master_load_show(&l, 0), "a.example. 99 IN A 192.0.2.1");
}
END_TEST

/* --- classes ----------------------------------------------------------------------------------------- */

START_TEST(classes)
{
	GIVES("a 5 CH TXT x\nb TXT y\n", "a.example. 5 CH TXT \"x\"", "b.example. 5 CH TXT \"y\"");
	GIVES("a 5 CLASS1 TXT x\nb IN 5 TXT y\n", "a.example. 5 IN TXT \"x\"", "b.example. 5 IN TXT \"y\"");
}
END_TEST

START_TEST(class_mismatch)
{
	COMPLAINS("a 5 IN TXT x\nb CH TXT y\n", "2:3 class: not the class of the records before: 'CH'");
	COMPLAINS("a 5 TXT x\nb CLASS3 TXT y\n", "2:3 class: not the class");
	COMPLAINS("a 5 ANY TXT x\nb 5 NONE TXT x\n", "1:5 class: not a class that",
		"2:5 class: not a class that");
}
END_TEST

/* --- words ------------------------------------------------------------------------------------------------ */

START_TEST(parentheses_and_comments)
{
	GIVES(TTL
		"a ( A ; comment ) with ( parentheses\n 192.0.2.1 ) ; more\nb (\n\n  A\n;x\n\n192.0.2.2)\n(c A 192.0.2.3)\n"
		"d A (192.0.2.4)\n((e) A (( 192.0.2.5 )))\n( )\n",
		"a.example. 60 IN A 192.0.2.1", "b.example. 60 IN A 192.0.2.2",
		"c.example. 60 IN A 192.0.2.3", "d.example. 60 IN A 192.0.2.4",
		"e.example. 60 IN A 192.0.2.5");
	COMPLAINS(TTL "a A 192.0.2.1 )\nb A 192.0.2.2\n", "2:15 A: a ) that closes nothing");
	COMPLAINS(TTL ")\nb A 192.0.2.2\n", "2:1 a ) that closes nothing");
}
END_TEST

START_TEST(parenthesis_without_end)
{
	/* told where it opens; what follows unindented is read as entries */
	COMPLAINS(TTL "@ SOA ns host ( 1\n 2 3\n 4 5\n\nb MX x y\nc A 192.0.2.1\n",
		"2:15 SOA: a ( without its )", "6:6 MX preference: not a number");
	load(TTL "@ SOA ns host ( 1\n 2 3\n 4 5\n\nb A 192.0.2.1\n");
	ck_assert_uint_eq(l.record_count, 1);
	ck_assert_uint_eq(l.records[0].line, 6);
}
END_TEST

START_TEST(strings)
{
	GIVES(TTL "a TXT word \"two words\" \"\" \"a;b(c)\" x\\;y\n",
		"a.example. 60 IN TXT \"word\" \"two words\" \"\" \"a;b(c)\" \"x;y\"");
	GIVES(TTL "a TXT \\\"q\\\" \"\\\"q\\\"\" \\065\\066 \"\\000\\255\" \\\\ a\\ b\n",
		"a.example. 60 IN TXT \"\\\"q\\\"\" \"\\\"q\\\"\" \"AB\" \"\\000\\255\" \"\\\\\" \"a b\"");
	GIVES(TTL "a TXT one\"two\"three\n", "a.example. 60 IN TXT \"one\" \"two\" \"three\"");
	COMPLAINS(TTL "a TXT \"open\nb A 192.0.2.1\n", "2:7 TXT strings: a quoted string without its end");
	COMPLAINS(TTL "a TXT \\256\nb TXT \\25\nc TXT \"\\2x\"\n", "2:7 TXT strings: bad escape",
		"3:7 TXT strings: bad escape", "4:7 TXT strings: bad escape");
	COMPLAINS(TTL "a TXT x\\\nb A 192.0.2.1\n", "2:8 TXT: a character that can't");
	COMPLAINS(TTL "a MX \"10\" b\nc A \"192.0.2.1\"\n", "2:6 MX preference: must not be quoted",
		"3:5 A address: must not be quoted");
}
END_TEST

START_TEST(names)
{
	GIVES(TTL "@ NS ns\n@ NS ns.\n@ NS .\n@ NS @\na\\.b NS c\\032d\\010\\200\n",
		"example. 60 IN NS ns.example.", "example. 60 IN NS ns.", "example. 60 IN NS .",
		"example. 60 IN NS example.", "a\\.b.example. 60 IN NS c\\032d\\010\\200.example.");
	GIVES(TTL "$ORIGIN x\n@ NS a\n$ORIGIN y.\n@ NS a\n$ORIGIN .\na NS @\n$ORIGIN b.\n$ORIGIN c\n@ NS @\n",
		"x.example. 60 IN NS a.x.example.", "y. 60 IN NS a.y.", "a. 60 IN NS .",
		"c.b. 60 IN NS c.b.");
	COMPLAINS(TTL "a NS b..c\na NS .b\na NS b\\\n", "2:6 NS nsdname: a name with an empty label: 'b..c'",
		"3:6 NS nsdname: a name with an empty label", "4:7 NS: a character that can't");
	COMPLAINS("$ORIGIN\n$ORIGIN a..b\n$ORIGIN a b\n", "1:8 $ORIGIN: missing",
		"2:9 $ORIGIN: a name with an empty label", "3:11 $ORIGIN: more");
}
END_TEST

START_TEST(generic_form)
{
	GIVES(TTL
		"a TYPE65280 \\# 4 C0 00 02 01\na TYPE65280 \\# 0\na A \\# 4 c0000201\na TYPE1 192.0.2.1\na MX \\# 7 000a 0178 0179 00\n",
		"a.example. 60 IN TYPE65280 \\# 4 C0000201", "a.example. 60 IN TYPE65280 \\# 0",
		"a.example. 60 IN A 192.0.2.1", "a.example. 60 IN A 192.0.2.1",
		"a.example. 60 IN MX 10 x.y.");
}
END_TEST

START_TEST(generic_form_refused)
{
	COMPLAINS(TTL
		"a TYPE65280 192.0.2.1\na A \\# 3 c00002\na A \\# 5 c000020100\na MX \\# 4 000ac000\na A \\# 4 c000020\n"
		"a A \\# x c0000201\na A \\# 4 c0 00 02 0g\na A \\# 4\na A \\#\na TYPE65280 \\# 65536 00\n",
		"2:13 no presentation format", "3:10 A address: ", "4:10 A: ", "5:11 MX exchange",
		"6:10 A: an odd number", "7:8 A: not a number", "8:19 A: not hexadecimal",
		"9:9 A: not as many", "10:7 A: missing", "11:16 must be in 0..65535");
}
END_TEST

START_TEST(line_ends)
{
	GIVES(TTL "a A 192.0.2.1\r\nb A (\r\n192.0.2.2 )\r\n\r\nc A 192.0.2.3",
		"a.example. 60 IN A 192.0.2.1", "b.example. 60 IN A 192.0.2.2",
		"c.example. 60 IN A 192.0.2.3");
	GIVES("; nothing", NULL);
	GIVES("", NULL);
	COMPLAINS(TTL "a A 192.0.2.1\r\nb A x\r\n", "3:5 A address");
}
END_TEST

START_TEST(types_that_zones_do_not_have)
{
	COMPLAINS(TTL
		"a ANY \\# 0\na OPT \\# 0\na TSIG \\# 0\na TYPE0 \\# 0\na AXFR \\# 0\na FOO x\na TYPE65536 \\# 0\na\n",
		"2:3 class: not a class that records have: 'ANY'", "3:3 type: not a type that",
		"4:3 type: not a type that", "5:3 type: not a type that", "6:3 type: not a type that",
		"7:3 type: not a known type: 'FOO'", "8:3 type: not a known type", "9:2 type: missing");
}
END_TEST

/* --- $INCLUDE ------------------------------------------------------------------------------------------- */

static void include(const char *text, const struct master_made_file *made)
{
	master_load_free(&l);
	l.made = made;
	master_load_text(&l, text, SIZE_MAX, "example.");
}

START_TEST(included_files)
{
	const struct master_made_file made[] = {
		{ "one", "a A 192.0.2.1\n$ORIGIN deep\nb A 192.0.2.2\n" },
		{ "two words", " A 192.0.2.3\n" },
		{ NULL, NULL },
	};
	const char *want[] = { "a.example. 60 IN A 192.0.2.1", "b.deep.example. 60 IN A 192.0.2.2",
		"x.example. 60 IN A 192.0.2.3", "a.sub.example. 60 IN A 192.0.2.1",
		"b.deep.sub.example. 60 IN A 192.0.2.2", "x.example. 60 IN A 192.0.2.3",
		"x.example. 60 IN A 192.0.2.9" };
	/* origin and owner are restored after each (RFC 1035 5.1), and an owner may come from before the $INCLUDE */
	include(TTL
		"$INCLUDE one\nx A 192.0.2.3\n$INCLUDE one sub ; comment\n$INCLUDE \"two words\"\n A 192.0.2.9\n",
		made);
	ck_assert_int_eq(l.status, MRG_OK);
	ck_assert_uint_eq(l.record_count, 7);
	for (size_t i = 0; i < 7; i++)
		ck_assert_str_eq(master_load_show(&l, i), want[i]);
}
END_TEST

START_TEST(included_files_that_can_not_be)
{
	const struct master_made_file made[] = {
		{ "self", "a A 192.0.2.1\n$INCLUDE self\nb A 192.0.2.2\n" },
		{ "ping", "$INCLUDE pong\n" },
		{ "pong", "$INCLUDE ping\nc A x\n" },
		{ NULL, NULL },
	};
	include(TTL
		"$INCLUDE self\n$INCLUDE ping\n$INCLUDE none\n$INCLUDE\n$INCLUDE self sub more\nd A 192.0.2.3\n",
		made);
	const char *want[] = { "2:10 $INCLUDE: a file that includes itself",
		"1:10 $INCLUDE: a file that includes itself", "2:5 A address",
		"4:10 $INCLUDE: the file can't be read: 'none'", "5:9 $INCLUDE: missing",
		"6:19 $INCLUDE: more" };
	ck_assert_uint_eq(l.error_count, 6);
	for (size_t i = 0; i < 6; i++)
		ck_assert_int_eq(strncmp(master_load_error(&l, i), want[i], strlen(want[i])), 0);
	ck_assert_str_eq(l.errors[0].file, "self");
	ck_assert_str_eq(l.errors[1].file, "pong");
	ck_assert_uint_eq(l.record_count, 3);
}
END_TEST

START_TEST(included_files_too_deep)
{
	char file[40][8], texts[40][32];
	struct master_made_file made[41] = { { NULL, NULL } };
	for (unsigned i = 0; i < 40; i++) {
		snprintf(file[i], sizeof file[i], "f%u", i);
		snprintf(texts[i], sizeof texts[i], "$INCLUDE f%u\na%u A 192.0.2.1\n", i + 1, i);
		made[i] = (struct master_made_file){ file[i], texts[i] };
	}
	include(TTL "$INCLUDE f0\n", made);
	ck_assert_uint_eq(l.error_count, 1);
	ck_assert_str_eq(l.errors[0].what, "files include each other too deep: 'f15'");
	ck_assert_uint_eq(l.record_count, MRG_DNS_MASTER_DEPTH - 1);
}
END_TEST

/* --- $GENERATE -------------------------------------------------------------------------------------------- */

START_TEST(generate)
{
	GIVES(TTL "$GENERATE 1-3 h$ A 192.0.2.$\n", "h1.example. 60 IN A 192.0.2.1",
		"h2.example. 60 IN A 192.0.2.2", "h3.example. 60 IN A 192.0.2.3");
	GIVES(TTL "$GENERATE 0-10/5 $ 5 IN CNAME h${100,5,d}.x.\n", "0.example. 5 IN CNAME h00100.x.",
		"5.example. 5 IN CNAME h00105.x.", "10.example. 5 IN CNAME h00110.x.");
	GIVES(TTL "$GENERATE 30-31 ${0,0,x} PTR ${0,4,X}.${0,3,o}.${-30}.\n",
		"1e.example. 60 IN PTR 001E.036.0.", "1f.example. 60 IN PTR 001F.037.1.");
	GIVES(TTL "$GENERATE 4660-4660 ${0,0,n} PTR ${0,9,n}.${0,1,N}.\n",
		"4.3.2.1.example. 60 IN PTR 4.3.2.1.0.4.3.2.1.");
}
END_TEST

START_TEST(generate_escapes_and_quotes)
{
	GIVES(TTL "a A 192.0.2.9\n$GENERATE 7-7 x\\$y TXT \"a $ b\" $$\n A 192.0.2.9\n",
		"a.example. 60 IN A 192.0.2.9", "x\\$y.example. 60 IN TXT \"a 7 b\" \"$\"",
		"a.example. 60 IN A 192.0.2.9");
	/* a sole quoted string is the RDATA's text, as in BIND */
	GIVES(TTL "$GENERATE 7-7 m$ MX \"$ h$\"\n$GENERATE 7-7 t$ TXT \"a \\\"b $\\\"\"\n",
		"m7.example. 60 IN MX 7 h7.example.", "t7.example. 60 IN TXT \"a\" \"b 7\"");
	GIVES(TTL "$GENERATE 7-7 t$ TXT $ ( a\n b )\n", "t7.example. 60 IN TXT \"7\" \"a\" \"b\"");
}
END_TEST

START_TEST(generate_refused)
{
	COMPLAINS(TTL
		"$GENERATE\n$GENERATE 1\n$GENERATE 2-1 a A 192.0.2.1\n$GENERATE 1-2/0 a A 192.0.2.1\n$GENERATE 1-9999999999 a A 192.0.2.1\n"
		"$GENERATE 0-2147483647 a A 192.0.2.1\n$GENERATE 1-2\n$GENERATE 1-2 a\n$GENERATE 1-2 a FOO x\n",
		"2:10 $GENERATE range: missing", "3:11 $GENERATE range: not start-stop",
		"4:11 $GENERATE range: nothing to count", "5:11 $GENERATE range: nothing to count",
		"6:11 $GENERATE range: numbers above", "7:11 $GENERATE range: too many records",
		"8:14 $GENERATE owner: missing", "9:16 type: missing", "10:17 type: not a known type: 'FOO'");
	COMPLAINS(TTL
		"$GENERATE 1-2 a${-2} A 192.0.2.1\n$GENERATE 1-2 a A ${0,1\n$GENERATE 1-2 a A ${0,1,z}\n$GENERATE 1-2 a A ${0,256,d}\n",
		"2:15 $GENERATE: not ${", "3:19 A address: not an IPv4 address: '1{0,1'",
		"4:19 $GENERATE: not ${", "5:19 $GENERATE: not ${");
	/* told in the template, for the count that goes wrong, and once */
	COMPLAINS(TTL "$GENERATE 250-300 h$ A 192.0.2.$ ; x\n",
		"2:24 A address: not an IPv4 address: '192.0.2.256'");
	COMPLAINS(TTL "$GENERATE 98-101 h$ MX $ ${0,61,d}xyz.\n",
		"2:26 MX exchange: a name with a label that is too long");
}
END_TEST

START_TEST(generate_is_bounded_over_all)
{
	const char *text = "$GENERATE 0-9999999 a TYPE65280 \\# 0\n$GENERATE 0-9999999 b TYPE65280 \\# 0\n";
	master_load_free(&l);
	l.default_ttl = 5;
	l.stop_after = 1;
	master_load_text(&l, text, SIZE_MAX, "example.");
	ck_assert_int_eq(l.status, MRG_END);
	ck_assert_uint_eq(l.record_count, 1);
	COMPLAINS("$GENERATE 0-19999999 a A 192.0.2.1\n", "1:11 $GENERATE range: too many records");
}
END_TEST

/* Between entries, inside one, and in an included file; what came before is read, and what comes after an include. */
START_TEST(texts_that_can_not_be_read_to_their_end)
{
	static const struct master_made_file files[] = { { "half", "y A 192.0.2.3\ny A 192.0.2.4\n" },
		{ NULL, NULL } };
	static const char text[] = "$TTL 1\na A 192.0.2.1\nb A (192.0.2.2\n)\nc A 192.0.2.3\n";
	master_load_free(&l);
	l.breaks_at = sizeof "$TTL 1\na A 192.0.2.1\n" - 1;
	master_load_text(&l, text, SIZE_MAX, "example.");
	ck_assert_uint_eq(l.record_count, 1);
	ck_assert_uint_eq(l.error_count, 1);
	ck_assert_str_eq(master_load_error(&l, 0), "3:1 file: it broke");
	master_load_free(&l);
	l.breaks_at = sizeof "$TTL 1\na A 192.0.2.1\nb A (192.0.2.2\n" - 1;
	master_load_text(&l, text, SIZE_MAX, "example.");
	ck_assert_uint_eq(l.record_count, 1);
	ck_assert_uint_eq(l.error_count, 2);
	ck_assert_str_eq(master_load_error(&l, 0), "4:1 A: the file can't be read beyond this");
	ck_assert_str_eq(master_load_error(&l, 1), "4:1 file: it broke");
	master_load_free(&l);
	l.made = files;
	l.breaks_at = sizeof "y A 192.0.2.3\n" - 1;
	master_load_text(&l, "$TTL 1\n$INCLUDE half\n", SIZE_MAX, "example.");
	ck_assert_uint_eq(l.record_count, 1);
	ck_assert_str_eq(master_load_error(&l, 0), "2:1 file: it broke");
}
END_TEST

/* --- control words --------------------------------------------------------------------------------------------- */

START_TEST(control_words)
{
	GIVES("$ttl 5\n$OrIgIn x\n@ NS @\n", "x.example. 5 IN NS x.example.");
	COMPLAINS(TTL "$FOO bar\n$ x\n$TTLX 5\n $TTL 5\na A 192.0.2.1\n $TTL 5\n", "2:1 not $ORIGIN",
		"3:1 not $ORIGIN", "4:1 not $ORIGIN", "5:2 owner: missing",
		"7:2 type: not a known type: '$TTL'");
}
END_TEST

/* --- errors name the field --------------------------------------------------------------------------------------- */

START_TEST(errors_name_the_field)
{
	COMPLAINS(TTL
		"a MX abc b\na MX 65536 b\na MX 10\na MX 10 b c\na SRV 1 2 x t\na SOA a b 1 2 3 4\na SOA a b 1 2x 3 4 5\n",
		"2:6 MX preference: not a number: 'abc'", "3:6 MX preference: must be in 0..65535: '65536'",
		"4:8 MX exchange: missing", "5:11 MX: more than this record has: 'c'",
		"6:11 SRV port: not a number: 'x'", "7:18 SOA minimum: missing",
		"8:13 SOA refresh: not a time");
	COMPLAINS(TTL
		"a DNSKEY 256 3 FOO AAAA\na DS 1 8 2 xyz\na RRSIG A 8 2 60 20240230000000 1 1 b AAAA\na NSEC b A FOO\na CAA 0 \"\" \"x\"\n",
		"2:16 DNSKEY algorithm: not a number or a known name: 'FOO'",
		"3:12 DS digest: not hexadecimal: 'xyz'",
		"4:18 RRSIG expiration: not a time (YYYYMMDDHHmmSS)",
		"5:12 NSEC types: not a known name: 'FOO'", "6:9 CAA tag: octets must be in 1..255");
}
END_TEST

START_TEST(every_error_is_told_and_the_rest_is_read)
{
	load(TTL
		"a A 1\nb A 192.0.2.1\nc MX\nd A 192.0.2.2\ne TXT \"x\nf A 192.0.2.3\n\1 FOO\ng A 192.0.2.4\n");
	ck_assert_uint_eq(l.error_count, 4);
	ck_assert_uint_eq(l.record_count, 4);
	ck_assert_int_eq(l.status, MRG_E_TEXT);
}
END_TEST

START_TEST(places_of_records)
{
	load(TTL "a A 192.0.2.1\n\n  A (\n192.0.2.2 )\nb A 192.0.2.3\n");
	ck_assert_uint_eq(l.record_count, 3);
	const unsigned lines[] = { 2, 4, 6 }, cols[] = { 1, 3, 1 };
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(l.records[i].line, lines[i]);
		ck_assert_uint_eq(l.records[i].col, cols[i]);
	}
}
END_TEST

/* --- limits --------------------------------------------------------------------------------------------------------- */

static char big[1 << 20];

START_TEST(labels_and_names_at_their_limits)
{
	snprintf(big, sizeof big, TTL "%063d A 192.0.2.1\n%064d A 192.0.2.1\n", 1, 1);
	COMPLAINS(big, "3:1 owner: a name with a label that is too long");
	/* 3 x 64 + 53 + 1 octets and "example" with its length make 255; one more does not fit */
	snprintf(big, sizeof big,
		TTL "%063d.%063d.%063d.%053d A 192.0.2.1\n%063d.%063d.%063d.%054d A 192.0.2.1\n", 1, 1, 1, 1,
		1, 1, 1, 1);
	COMPLAINS(big, "3:1 owner: a name that is too long with the origin");
	snprintf(big, sizeof big,
		TTL "%063d.%063d.%063d.%061d. A 192.0.2.1\n%063d.%063d.%063d.%062d. A 192.0.2.1\n", 1, 1, 1,
		1, 1, 1, 1, 1);
	COMPLAINS(big, "3:1 owner: a name that is too long");
	/* the same through escapes */
	size_t n = (size_t)snprintf(big, sizeof big, TTL);
	for (unsigned i = 0; i < 64; i++)
		n += (size_t)snprintf(big + n, sizeof big - n, "\\065");
	snprintf(big + n, sizeof big - n, " A 192.0.2.1\n");
	COMPLAINS(big, "2:1 owner: a name with a label that is too long");
}
END_TEST

/* `head`, then n times `unit`, then a line end */
static void repeated(const char *head, const char *unit, size_t n)
{
	size_t at = (size_t)snprintf(big, sizeof big, TTL "%s", head);
	const size_t len = strlen(unit);
	for (size_t i = 0; i < n; i++, at += len)
		memcpy(big + at, unit, len);
	memcpy(big + at, "\n", 2);
}

START_TEST(strings_at_their_limits)
{
	repeated("a TXT ", "x", 255);
	load(big);
	ck_assert_uint_eq(l.record_count, 1);
	ck_assert_uint_eq(l.records[0].rdata_len, 256);
	repeated("a TXT ", "x", 256);
	COMPLAINS(big, "2:7 TXT strings: octets must be in 0..255");
	repeated("a TXT \"", "\\065", 255);
	strcpy(big + strlen(big) - 1, "\"\n");
	load(big);
	ck_assert_uint_eq(l.record_count, 1);
}
END_TEST

START_TEST(rdata_at_its_limit)
{
	repeated("a TXT", " \"\"", 65535);
	load(big);
	ck_assert_uint_eq(l.record_count, 1);
	ck_assert_uint_eq(l.records[0].rdata_len, 65535);
	repeated("a TXT", " \"\"", 65536);
	COMPLAINS(big, "2:");
	repeated("a TYPE65280 \\# 65535 ", "00", 65535);
	load(big);
	ck_assert_uint_eq(l.record_count, 1);
	repeated("a OPENPGPKEY ", "AAAA", 21845);
	load(big);
	ck_assert_uint_eq(l.record_count, 1);
	repeated("a OPENPGPKEY ", "AAAA", 21846);
	COMPLAINS(big, "2:");
}
END_TEST

START_TEST(long_words_and_lines)
{
	repeated("a TXT ", "x", 300000);
	COMPLAINS(big, "2:7 TXT strings: a word that is too long");
	repeated("; ", "x", 900000);
	load(big);
	ck_assert_int_eq(l.status, MRG_OK);
	repeated("a A 192.0.2.1", " ", 900000);
	load(big);
	ck_assert_uint_eq(l.record_count, 1);
	repeated("a (", "\n", 900000);
	strcpy(big + strlen(big) - 1, "A 192.0.2.1 )\n");
	load(big);
	ck_assert_uint_eq(l.record_count, 1);
}
END_TEST

START_TEST(hostile_repetitions_end_soon)
{
	repeated("", "(\n", 400000);
	load(big);
	ck_assert_int_eq(l.status, MRG_E_TEXT);
	ck_assert_uint_le(l.error_count, MRG_DNS_MASTER_RESUME_MAX + 1);
	repeated("", "\"\n", 400000);
	load(big);
	ck_assert_uint_eq(l.error_count, 400000);
	repeated("a NSEC b", " TYPE65535 TYPE1", 50000);
	load(big);
	ck_assert_uint_eq(l.record_count, 1);
	repeated("a NSEC b", " A NS", 100000);
	load(big);
	ck_assert_uint_eq(l.record_count, 1);
	size_t n = (size_t)snprintf(big, sizeof big, TTL "a SVCB 1 .");
	for (unsigned i = 65000; i > 2000; i--)
		n += (size_t)snprintf(big + n, sizeof big - n, " key%u", i);
	load(big);
	ck_assert_uint_eq(l.error_count, 1);
	ck_assert_ptr_nonnull(strstr(l.errors[0].what, "too many keys"));
}
END_TEST

/* --- any text --------------------------------------------------------------------------------------------------------- */

static const char sample[] =
	"$ORIGIN example.\n$TTL 1h\n@ IN SOA ns.x. host\\.a ( 1 2h ; c\n 3 4 5 )\n  NS \"ns\"\n  MX 10 @\nt 5 TXT \"a b\" c\\;d \\065\n"
	"s SVCB 1 . alpn=\"h2,h3\" port=53\r\ng TYPE9999 \\# 2 ab cd\nl LOC 1 2 3.5 N 4 E 5m\nn NSEC3 1 0 1 - 00 A TYPE9999\n"
	"$GENERATE 1-2 $ A 192.0.2.${1,2,x}\n$INCLUDE nothing\nk DNSKEY 256 3 8 AAAA BBBB\na APL !1:192.0.2.0/24\n";

START_TEST(every_beginning_of_a_zone)
{
	for (size_t n = 0; n < sizeof sample; n++) {
		master_load_free(&l);
		master_load_text(&l, sample, n, "example.");
		ck_assert_uint_eq(l.reported, l.error_count);
	}
}
END_TEST

START_TEST(every_octet_of_a_zone_replaced)
{
	static const char by[] = "\0\"\\();$@.\n\r \x80\xff"
				 "9az-";
	char text[sizeof sample];
	for (size_t i = 0; i + 1 < sizeof sample; i++)
		for (size_t k = 0; k < sizeof by - 1; k++) {
			memcpy(text, sample, sizeof sample);
			text[i] = by[k];
			master_load_free(&l);
			master_load_text(&l, text, sizeof sample - 1, "example.");
			ck_assert(l.error_count > 0 || l.record_count > 0);
			ck_assert_uint_eq(l.reported, l.error_count);
		}
}
END_TEST

START_TEST(nul_octets)
{
	static const char text[] =
		TTL "a A 192.0.2.1\0\nb\0c A 192.0.2.2\n\0\nd TXT \"\0\"\n; \0\ne A 192.0.2.3\n\0";
	master_load_free(&l);
	master_load_text(&l, text, sizeof text - 1, "example.");
	ck_assert_uint_eq(l.record_count, 1);
	ck_assert_uint_eq(l.error_count, 6);
	for (size_t i = 0; i < 5; i++)
		ck_assert_ptr_nonnull(
			strstr(l.errors[i].what, i == 3 ? "without its end" : "can't stand here"));
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("dns/master");
	TCase *const t = tcase_create("entries");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, ttl_and_class_in_either_order);
	tcase_add_test(t, owner_of_the_line_before);
	tcase_add_test(t, owners_that_look_like_something_else);
	tcase_add_test(t, no_owner_at_all);
	tcase_add_test(t, ttl_units);
	tcase_add_test(t, ttl_left_out);
	tcase_add_test(t, ttl_of_last_resort);
	tcase_add_test(t, classes);
	tcase_add_test(t, class_mismatch);
	tcase_add_test(t, parentheses_and_comments);
	tcase_add_test(t, parenthesis_without_end);
	tcase_add_test(t, strings);
	tcase_add_test(t, names);
	tcase_add_test(t, generic_form);
	tcase_add_test(t, generic_form_refused);
	tcase_add_test(t, line_ends);
	tcase_add_test(t, types_that_zones_do_not_have);
	tcase_add_test(t, included_files);
	tcase_add_test(t, included_files_that_can_not_be);
	tcase_add_test(t, included_files_too_deep);
	tcase_add_test(t, generate);
	tcase_add_test(t, generate_escapes_and_quotes);
	tcase_add_test(t, generate_refused);
	tcase_add_test(t, generate_is_bounded_over_all);
	tcase_add_test(t, texts_that_can_not_be_read_to_their_end);
	tcase_add_test(t, control_words);
	tcase_add_test(t, errors_name_the_field);
	tcase_add_test(t, every_error_is_told_and_the_rest_is_read);
	tcase_add_test(t, places_of_records);
	tcase_add_test(t, labels_and_names_at_their_limits);
	tcase_add_test(t, strings_at_their_limits);
	tcase_add_test(t, rdata_at_its_limit);
	tcase_add_test(t, long_words_and_lines);
	tcase_add_test(t, hostile_repetitions_end_soon);
	tcase_add_test(t, every_beginning_of_a_zone);
	tcase_add_test(t, every_octet_of_a_zone_replaced);
	tcase_add_test(t, nul_octets);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
