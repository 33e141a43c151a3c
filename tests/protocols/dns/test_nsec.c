/*
 * Proofs that something is not there, on the zones and questions of RFC 4035 appendix B (NSEC) and RFC 5155 appendix B
 * (NSEC3 with opt-out); signatures are left out.  Hashes are counted: a question must not cost more than a few.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/sha1.h>

#include "kit.h"

static unsigned hashes; /* calls of mrg_rt_sha1 */

/* Stands before the one of the runtime, so that the calls can be counted. */
void mrg_rt_sha1(const void *p, size_t len, uint8_t out[20])
{
	struct sha1_ctx c;
	sha1_init(&c);
	sha1_update(&c, len, p);
	sha1_digest(&c, 20, out);
	hashes++;
}

static struct kit k;

static const char nsec_zone[] =
	"$TTL 3600\n"
	"@ SOA ns1 bugs.x.w 1081539377 3600 300 3600000 3600\n"
	"@ NS ns1\n@ NS ns2\n@ MX 1 xx\n@ NSEC a NS SOA MX RRSIG NSEC DNSKEY\n"
	"a NS ns1.a\na NS ns2.a\na DS 57855 5 1 B6DCD485719ADCA18E5F3D48A2331627FDD3636B\na NSEC ai NS DS RRSIG NSEC\n"
	"ns1.a A 192.0.2.5\nns2.a A 192.0.2.6\n"
	"ai A 192.0.2.9\nai NSEC b A HINFO AAAA RRSIG NSEC\n"
	"b NS ns1.b\nb NS ns2.b\nb NSEC ns1 NS RRSIG NSEC\n"
	"ns1.b A 192.0.2.7\nns2.b A 192.0.2.8\n"
	"ns1 A 192.0.2.1\nns1 NSEC ns2 A RRSIG NSEC\n"
	"ns2 A 192.0.2.2\nns2 NSEC *.w A RRSIG NSEC\n"
	"*.w MX 1 ai\n*.w NSEC x.w MX RRSIG NSEC\n"
	"x.w MX 1 xx\nx.w NSEC x.y.w MX RRSIG NSEC\n"
	"x.y.w MX 1 xx\nx.y.w NSEC xx MX RRSIG NSEC\n"
	"xx A 192.0.2.10\nxx NSEC @ A HINFO AAAA RRSIG NSEC\n";

static const char nsec3_zone[] =
	"$TTL 3600\n"
	"@ SOA ns1 bugs.x.w 1 3600 300 3600000 3600\n"
	"@ NS ns1\n@ NS ns2\n@ MX 1 xx\n@ NSEC3PARAM 1 0 12 aabbccdd\n"
	"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG\n"
	"2t7b4g4vsa5smi47k61mv5bv1a22bojr A 192.0.2.127\n"
	"2t7b4g4vsa5smi47k61mv5bv1a22bojr NSEC3 1 1 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG\n"
	"2vptu5timamqttgl4luu9kg21e0aor3s NSEC3 1 1 12 aabbccdd 35mthgpgcu1qg68fab165klnsnk3dpvl MX RRSIG\n"
	"35mthgpgcu1qg68fab165klnsnk3dpvl NSEC3 1 1 12 aabbccdd b4um86eghhds6nea196smvmlo4ors995 NS DS RRSIG\n"
	"a NS ns1.a\na NS ns2.a\na DS 58470 5 1 3079F1593EBAD6DC121E202A8B766A6A4837206C\n"
	"ns1.a A 192.0.2.5\nns2.a A 192.0.2.6\n"
	"ai A 192.0.2.9\n"
	"b4um86eghhds6nea196smvmlo4ors995 NSEC3 1 1 12 aabbccdd gjeqe526plbf1g8mklp59enfd789njgi MX RRSIG\n"
	"c NS ns1.c\nc NS ns2.c\n"
	"ns1.c A 192.0.2.7\nns2.c A 192.0.2.8\n"
	"gjeqe526plbf1g8mklp59enfd789njgi NSEC3 1 1 12 aabbccdd ji6neoaepv8b5o6k4ev33abha8ht9fgc HINFO A AAAA RRSIG\n"
	"ji6neoaepv8b5o6k4ev33abha8ht9fgc NSEC3 1 1 12 aabbccdd k8udemvp1j2f7eg6jebps17vp3n8i58h\n"
	"k8udemvp1j2f7eg6jebps17vp3n8i58h NSEC3 1 1 12 aabbccdd kohar7mbb8dc2ce8a9qvl8hon4k53uhi\n"
	"kohar7mbb8dc2ce8a9qvl8hon4k53uhi NSEC3 1 1 12 aabbccdd q04jkcevqvmu85r014c7dkba38o0ji5r A RRSIG\n"
	"ns1 A 192.0.2.1\nns2 A 192.0.2.2\n"
	"q04jkcevqvmu85r014c7dkba38o0ji5r NSEC3 1 1 12 aabbccdd r53bq7cc2uvmubfu5ocmm6pers9tk9en A RRSIG\n"
	"r53bq7cc2uvmubfu5ocmm6pers9tk9en NSEC3 1 1 12 aabbccdd t644ebqk9bibcna874givr6joj62mlhv MX RRSIG\n"
	"t644ebqk9bibcna874givr6joj62mlhv NSEC3 1 1 12 aabbccdd 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom HINFO A AAAA RRSIG\n"
	"*.w MX 1 ai\nx.w MX 1 xx\nx.y.w MX 1 xx\nxx A 192.0.2.10\n";

static void load(const char *text)
{
	kit_init(&k, 1 << 24);
	ck_assert_int_eq(kit_zone(&k, "example.", text), MRG_DNS_ZONE_SOUND);
}

/* The first labels of the owners of the NSEC or NSEC3 records in the authority section, four characters of each. */
static const char *proofs(const char *line)
{
	static char found[200];
	const char *at = kit_ask(&k, line);
	found[0] = '\0';
	for (; at != NULL; at = strchr(at, '\n')) {
		at += *at == '\n';
		const char *const end = strchr(at, '\n'), *const type = strstr(at, " IN NSEC");
		if (end == NULL)
			break;
		if (strncmp(at, "ns ", 3) != 0 || type == NULL || type > end)
			continue;
		const size_t n = strcspn(at + 3, ".");
		strcat(strncat(found, at + 3, n < 4 ? n : 4), " ");
	}
	return found;
}

static void begins(const char *line, const char *reply)
{
	const char *const got = kit_ask(&k, line);
	ck_assert_msg(strncmp(got, reply, strlen(reply)) == 0, "%s", got);
}

START_TEST(test_nsec)
{
	load(nsec_zone);
	begins("ml.example. A do", "NXDOMAIN aa;");
	ck_assert_str_eq(proofs("ml.example. A do"), "b exam "); /* B.2 */
	ck_assert_str_eq(proofs("ns1.example. MX do"), "ns1 ");  /* B.3 */
	begins("mc.a.example. MX do",
		"NOERROR; mc.a.example. MX IN\nns a.example. 3600 IN NS ns1.a.example.\n"
		"ns a.example. 3600 IN NS ns2.a.example.\n");
	begins("mc.b.example. MX do",
		"NOERROR; mc.b.example. MX IN\nns b.example. 3600 IN NS ns1.b.example.\n");
	ck_assert_str_eq(proofs("mc.b.example. MX do"), "b "); /* B.5 */
	begins("a.z.w.example. MX do",
		"NOERROR aa; a.z.w.example. MX IN\nan a.z.w.example. 3600 IN MX 1 ai.example.\n");
	ck_assert_str_eq(proofs("a.z.w.example. MX do"), "x ");     /* B.6: x.y.w */
	ck_assert_str_eq(proofs("a.z.w.example. AAAA do"), "* x "); /* B.7 */
	ck_assert_str_eq(proofs("example. DS do"), "exam ");        /* B.8 */
	ck_assert_str_eq(proofs("b.example. DS do"), "b ");
	ck_assert_str_eq(proofs("y.w.example. A do"), "x ");      /* an empty non-terminal: x.w covers it */
	ck_assert_str_eq(proofs("zz.example. A do"), "xx exam "); /* past the end of the chain */
	ck_assert_str_eq(proofs("xx.example. A do"), "");
	ck_assert_str_eq(proofs("ml.example. A edns"), ""); /* only when asked for */
	ck_assert_uint_eq(hashes, 0);
	kit_free(&k);
}
END_TEST

START_TEST(test_nsec3)
{
	load(nsec3_zone);
	hashes = 0;
	begins("a.c.x.w.example. A do", "NXDOMAIN aa;");
	ck_assert_uint_eq(hashes, 3 * 13); /* encloser, next closer, wildcard */
	ck_assert_str_eq(proofs("a.c.x.w.example. A do"), "b4um 0p9m 35mt "); /* B.1 */
	ck_assert_str_eq(proofs("ns1.example. MX do"), "2t7b ");              /* B.2 */
	ck_assert_str_eq(proofs("y.w.example. A do"), "ji6n ");               /* B.2.1 */
	begins("mc.c.example. MX do",
		"NOERROR; mc.c.example. MX IN\nns c.example. 3600 IN NS ns1.c.example.\n");
	ck_assert_str_eq(proofs("mc.c.example. MX do"), "0p9m 35mt ");         /* B.3 */
	ck_assert_str_eq(proofs("a.z.w.example. MX do"), "q04j ");             /* B.4 */
	ck_assert_str_eq(proofs("a.z.w.example. AAAA do"), "k8ud q04j r53b "); /* B.5 */
	ck_assert_str_eq(proofs("example. DS do"), "0p9m ");                   /* B.6 */
	ck_assert_str_eq(proofs("c.example. DS do"), "0p9m 35mt "); /* RFC 5155 7.2.4: in an opt-out span */
	/* the owner of an NSEC3 record that has nothing else does not exist: 7.2.8 */
	begins("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3 do", "NXDOMAIN aa;");
	begins("2t7b4g4vsa5smi47k61mv5bv1a22bojr.example. A",
		"NOERROR aa; 2t7b4g4vsa5smi47k61mv5bv1a22bojr.example. A IN\nan ");
	kit_free(&k);
}
END_TEST

START_TEST(test_cost) /* names of many labels cost no more hashes, and 127 of them no more than a few steps */
{
	char line[400] = "";
	load(nsec3_zone);
	for (unsigned i = 0; i < 120; i++)
		strcat(line, "a.");
	strcat(line, "x.w.example. A do");
	hashes = 0;
	begins(line, "NXDOMAIN aa;");
	ck_assert_uint_eq(hashes, 3 * 13);
	kit_free(&k);
}
END_TEST

START_TEST(test_iterations) /* RFC 5155 10.3: 2,500 is the most */
{
	static const char *const param[] = {
		"@ 60 SOA a b 1 2 3 4 5\n@ 60 NS a\n@ 60 NSEC3PARAM 1 0 2500 -\n",
		"@ 60 SOA a b 1 2 3 4 5\n@ 60 NS a\n@ 60 NSEC3PARAM 1 0 2501 -\n"
	};
	kit_init(&k, 1 << 24);
	ck_assert_int_eq(kit_zone(&k, "example.", param[0]), MRG_DNS_ZONE_SOUND);
	ck_assert_int_eq(kit_zone(&k, "example.", param[1]), MRG_DNS_ZONE_NSEC3);
	/* announced, but without a chain: no proof, and no crash */
	begins("x.example. A do", "NXDOMAIN aa; x.example. A IN\nns example. 5 IN SOA");
	kit_free(&k);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("denial");
	TCase *const t = tcase_create("proofs");
	tcase_add_test(t, test_nsec);
	tcase_add_test(t, test_nsec3);
	tcase_add_test(t, test_cost);
	tcase_add_test(t, test_iterations);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
