/*
 * Presentation format of each type, both ways, on type_vectors.txt; and of all types what any text does.
 * Reads through the master file reader, prints through the generated printers.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/rr_text.h"
#include "protocols/dns/master_load.h"

#define VECTORS "tests/protocols/dns/type_vectors.txt"
enum { VECTOR_MAX = 400, LINE = 2000 };

static struct {
	char clause[100], text[LINE], wire[LINE], printed[LINE];
} vector[VECTOR_MAX];
static int vector_count;

static bool line(FILE *f, char *out)
{
	if (fgets(out, LINE, f) == NULL)
		return false;
	out[strcspn(out, "\n")] = '\0';
	return true;
}

static void read_vectors(void)
{
	char head[LINE];
	FILE *f = fopen(VECTORS, "r");
	if (f == NULL)
		return;
	bool body = false; /* after the blank line that ends the introduction */
	while (vector_count < VECTOR_MAX && line(f, head)) {
		if (head[0] == '\0')
			body = true;
		if (!body || head[0] != '#')
			continue;
		snprintf(vector[vector_count].clause, sizeof vector[0].clause, "%.90s", head + 2);
		if (!line(f, vector[vector_count].text) || !line(f, vector[vector_count].wire) ||
			!line(f, vector[vector_count].printed))
			break;
		vector_count++;
	}
	fclose(f);
}

/* The RDATA's text, without the type before it. */
static const char *rdata_text(const char *text) { return text + strcspn(text, " ") + 1; }

static const char *hex(const struct master_record *r)
{
	static char b[LINE];
	b[0] = '\0';
	for (size_t i = 0; i < r->rdata_len; i++)
		sprintf(b + 2 * i, "%02x", r->rdata[i]);
	return b;
}

static void load(struct master_load *l, const char *type_and_text)
{
	char text[LINE + 100];
	snprintf(text, sizeof text, "x 60 IN %s\n", type_and_text);
	master_load_text(l, text, SIZE_MAX, "example.");
}

static void loads_as(const char *type_and_text, const char *wire)
{
	static struct master_load l;
	load(&l, type_and_text);
	if (l.error_count > 0)
		ck_abort_msg("%s: %s", type_and_text, master_load_error(&l, 0));
	ck_assert_uint_eq(l.record_count, 1);
	ck_assert_str_eq(hex(&l.records[0]), wire);
	master_load_free(&l);
}

START_TEST(text_to_wire) { loads_as(vector[_i].text, vector[_i].wire); }
END_TEST

START_TEST(generic_text_to_wire)
{
	char text[2 * LINE + 100];
	const int type_len = (int)strcspn(vector[_i].text, " ");
	snprintf(text, sizeof text, "%.*s \\# %zu %.1999s", type_len, vector[_i].text,
		strlen(vector[_i].wire) / 2, vector[_i].wire);
	loads_as(text, vector[_i].wire);
}
END_TEST

START_TEST(wire_to_text)
{
	static struct master_load l;
	char again[2 * LINE];
	const char *want =
		strcmp(vector[_i].printed, "=") == 0 ? rdata_text(vector[_i].text) : vector[_i].printed;
	load(&l, vector[_i].text);
	ck_assert_uint_eq(l.record_count, 1);
	/* "x.example. 60 IN TYPE RDATA" */
	const char *got = master_load_show(&l, 0);
	for (unsigned blanks = 0; blanks < 3; got++)
		blanks += *got == ' ';
	ck_assert_str_eq(rdata_text(got), want);
	snprintf(again, sizeof again, "%s", got);
	master_load_free(&l);
	loads_as(again, vector[_i].wire);
}
END_TEST

/* Every beginning of the text: refused or not, but nothing is read that is not there. */
START_TEST(text_cut_short)
{
	static struct master_load l;
	char text[LINE + 100];
	const size_t len = (size_t)snprintf(text, sizeof text, "x 60 IN %s", vector[_i].text);
	for (size_t n = 8; n < len; n++) {
		master_load_text(&l, text, n, "example.");
		ck_assert_uint_eq(l.error_count + l.record_count, 1);
		master_load_free(&l);
	}
}
END_TEST

/* RDATA cut short or longer is never printed as if it were whole: the generic form is. */
START_TEST(wire_cut_short)
{
	static struct master_load l, again;
	char text[2 * LINE];
	load(&l, vector[_i].text);
	const struct master_record r = l.records[0];
	for (size_t n = 0; n < r.rdata_len; n++) {
		struct mrg_w w;
		mrg_w_init(&w, text, sizeof text);
		mrg_text_put(&w, "x 60 IN ");
		mrg_text_put_mnemonic(&w, &mrg_dns_type_text, r.type);
		mrg_text_put(&w, " ");
		mrg_dns_rr_rdata_to_text(r.type, (struct mrg_span){ r.rdata, n }, &w);
		ck_assert_int_eq(w.st, MRG_OK);
		master_load_text(&again, text, w.len, "example.");
		if (again.record_count == 1) {
			ck_assert_uint_eq(again.records[0].rdata_len, n);
			ck_assert(n == 0 || memcmp(again.records[0].rdata, r.rdata, n) == 0);
		} else {
			/* refused RDATA, or one that has no text: then its generic form, which is refused, too */
			ck_assert_uint_eq(again.error_count, 1);
		}
		master_load_free(&again);
	}
	master_load_free(&l);
}
END_TEST

/* Output of every size that is too small: an error, and nothing behind it written. */
START_TEST(printing_into_too_little)
{
	static struct master_load l;
	uint8_t b[2 * LINE];
	struct mrg_w w;
	load(&l, vector[_i].text);
	const struct mrg_span rdata = { l.records[0].rdata, l.records[0].rdata_len };
	mrg_w_init(&w, b, sizeof b);
	mrg_dns_rr_rdata_to_text(l.records[0].type, rdata, &w);
	const size_t need = w.len;
	for (size_t cap = 0; cap < need; cap++) {
		memset(b, 0xee, sizeof b);
		mrg_w_init(&w, b, cap);
		mrg_dns_rr_rdata_to_text(l.records[0].type, rdata, &w);
		ck_assert_int_eq(w.st, MRG_E_SPACE);
		ck_assert_uint_eq(b[cap], 0xee);
	}
	master_load_free(&l);
}
END_TEST

/* The same into too little: from_text leaves the writer's bytes before it alone. */
START_TEST(reading_into_too_little)
{
	uint8_t b[LINE];
	char why[200];
	struct mrg_text t;
	struct mrg_w w;
	uint64_t type;
	const char *text = vector[_i].text;
	const size_t type_len = strcspn(text, " ");
	if (strchr(text, '(') != NULL) /* a line has no parentheses */
		return;
	ck_assert(mrg_text_enum_find(
		&mrg_dns_type_text, (struct mrg_span){ (const uint8_t *)text, type_len }, &type));
	const struct mrg_span rest = { (const uint8_t *)text + type_len, strlen(text) - type_len };
	const struct mrg_span origin = { (const uint8_t *)"\7example", 9 };
	for (size_t cap = 0; cap < strlen(vector[_i].wire) / 2; cap++) {
		memset(b, 0xee, sizeof b);
		mrg_w_init(&w, b, cap);
		mrg_text_line(&t, rest, origin);
		ck_assert_int_eq(mrg_dns_rr_rdata_from_text(type, &t, &w, NULL), MRG_E_SPACE);
		ck_assert_str_ne(mrg_text_message(&t, why, sizeof why), "");
		ck_assert_uint_eq(b[cap], 0xee);
	}
	mrg_w_init(&w, b, sizeof b);
	mrg_text_line(&t, rest, origin);
	ck_assert_int_eq(mrg_dns_rr_rdata_from_text(type, &t, &w, NULL), MRG_OK);
	ck_assert_uint_eq(w.len, strlen(vector[_i].wire) / 2);
}
END_TEST

START_TEST(one_packet_alone)
{
	struct mrg_text t;
	struct mrg_w w;
	struct mrg_reject rj;
	uint8_t b[64], out[64];
	char why[100];
	const struct mrg_span origin = { (const uint8_t *)"\7example", 9 };
	mrg_w_init(&w, b, sizeof b);
	mrg_text_line(&t, (struct mrg_span){ (const uint8_t *)"10 mail", 7 }, origin);
	ck_assert_int_eq(mrg_dns_mx_from_text(&t, &w, &rj), MRG_OK);
	struct mrg_dns_mx mx;
	ck_assert_int_eq(mrg_dns_mx_check(mrg_w_span(&w, 0), (struct mrg_span){ 0 }, &mx, &rj), MRG_OK);
	mrg_w_init(&w, out, sizeof out);
	mrg_dns_mx_to_text(&mx, &w);
	ck_assert_uint_eq(w.len, 16);
	ck_assert_mem_eq(out, "10 mail.example.", 16);
	mrg_text_line(&t, (struct mrg_span){ (const uint8_t *)"10 a..b", 7 }, origin);
	ck_assert_int_eq(mrg_dns_mx_from_text(&t, &w, &rj), MRG_E_TEXT);
	ck_assert_uint_eq(w.len, 16);
	ck_assert_str_eq(rj.site->path, "Mx.exchange");
	ck_assert_str_eq(
		mrg_text_message(&t, why, sizeof why), "exchange: a name with an empty label: 'a..b'");
	ck_assert_uint_eq(t.err.col, 4);
	/* messages are cut, not overrun */
	ck_assert_str_eq(mrg_text_message(&t, why, 6), "excha");
}
END_TEST

START_TEST(there_are_vectors_for_the_types_of_today)
{
	static const char *const types[] = {
		"A",
		"AAAA",
		"SOA",
		"MX",
		"HINFO",
		"TXT",
		"RP",
		"AFSDB",
		"SRV",
		"NAPTR",
		"KX",
		"CERT",
		"DNAME",
		"APL",
		"DS",
		"DNSKEY",
		"RRSIG",
		"NSEC",
		"NSEC3",
		"NSEC3PARAM",
		"SSHFP",
		"IPSECKEY",
		"DHCID",
		"TLSA",
		"SMIMEA",
		"HIP",
		"CDS",
		"CDNSKEY",
		"OPENPGPKEY",
		"CSYNC",
		"ZONEMD",
		"SPF",
		"NID",
		"L32",
		"L64",
		"LP",
		"EUI48",
		"EUI64",
		"URI",
		"CAA",
		"LOC",
		"SVCB",
		"HTTPS",
	};
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		bool found = false;
		for (int k = 0; k < vector_count; k++)
			found |= strncmp(vector[k].text, types[i], strlen(types[i])) == 0 &&
				 vector[k].text[strlen(types[i])] == ' ';
		ck_assert_msg(found, "%s", types[i]);
	}
}
END_TEST

int main(void)
{
	read_vectors();
	Suite *const s = suite_create("dns presentation format");
	TCase *const t = tcase_create("types");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, there_are_vectors_for_the_types_of_today);
	tcase_add_test(t, one_packet_alone);
	tcase_add_loop_test(t, text_to_wire, 0, vector_count);
	tcase_add_loop_test(t, generic_text_to_wire, 0, vector_count);
	tcase_add_loop_test(t, wire_to_text, 0, vector_count);
	tcase_add_loop_test(t, text_cut_short, 0, vector_count);
	tcase_add_loop_test(t, wire_cut_short, 0, vector_count);
	tcase_add_loop_test(t, printing_into_too_little, 0, vector_count);
	tcase_add_loop_test(t, reading_into_too_little, 0, vector_count);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
