/*
 * Digests of zones (RFC 8976): the RFC's own example, zones that ldns-signzone made digests of, and what is wrong with others.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kit.h"
#include "protocols/dns/zonemd.h"

static struct kit k;

static void setup(void) { kit_init(&k, 1 << 24); }

static void teardown(void) { kit_free(&k); }

/* What a zone's digests say; with scratch memory of `cap` octets, all of which is zero again afterwards. */
static enum mrg_status verify_within(
	const struct mrg_dns_zone *z, size_t cap, enum mrg_dns_zonemd_verdict *out)
{
	uint8_t *const memory = calloc(1, cap + 1);
	const struct mrg_arena scratch = { .p = memory, .cap = cap };
	const enum mrg_status st = mrg_dns_zonemd_verify(z, &scratch, out);
	ck_assert_int_eq(memory[0], 0);
	ck_assert_int_eq(memcmp(memory, memory + 1, cap), 0); /* all as the first, then */
	free(memory);
	return st;
}

static enum mrg_dns_zonemd_verdict verdict_of(const char *text)
{
	enum mrg_dns_zonemd_verdict v;
	ck_assert_int_eq(kit_zone(&k, "example.", text), MRG_DNS_ZONE_SOUND);
	ck_assert_int_eq(verify_within(k.zones[k.zone_count - 1], 1 << 20, &v), MRG_OK);
	kit_free(&k);
	setup();
	return v;
}

/* ---- the RFC ---- */

#define HEAD "example. 86400 IN SOA ns1 admin 2018031900 1800 900 604800 86400\n"
#define DIGEST(SERIAL, KIND, HEX) "example. 86400 IN ZONEMD " SERIAL " " KIND " " HEX "\n"
/* RFC 8976 A.1 */
#define SIMPLE                                                                                               \
	"c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c"
#define WRONG                                                                                                \
	"c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044d"
#define REST                                                                                                 \
	"example. 86400 IN NS ns1\nexample. 86400 IN NS ns2\nns1 3600 IN A 203.0.113.63\nns2 3600 IN AAAA 2001:db8::63\n"

START_TEST(digest_of_the_rfc)
{
	ck_assert_int_eq(verdict_of(HEAD DIGEST("2018031900", "1 1", SIMPLE) REST), MRG_DNS_ZONEMD_VERIFIED);
	ck_assert_int_eq(verdict_of(HEAD REST), MRG_DNS_ZONEMD_ABSENT);
	ck_assert_int_eq(verdict_of(HEAD DIGEST("2018031900", "1 1", WRONG) REST), MRG_DNS_ZONEMD_MISMATCH);
	/* a record more, a record less, another TTL */
	ck_assert_int_eq(verdict_of(HEAD DIGEST("2018031900", "1 1", SIMPLE) REST "x 1 IN TXT y\n"),
		MRG_DNS_ZONEMD_MISMATCH);
	ck_assert_int_eq(
		verdict_of(HEAD DIGEST("2018031900", "1 1", SIMPLE) "@ 86400 IN NS ns1\n@ 86400 IN NS ns2\n"
								    "ns1 3600 IN A 203.0.113.63\n"),
		MRG_DNS_ZONEMD_MISMATCH);
	ck_assert_int_eq(verdict_of(HEAD DIGEST("2018031900", "1 1",
				 SIMPLE) "@ 86400 IN NS ns1\n@ 86400 IN NS ns2\n"
					 "ns1 3600 IN A 203.0.113.63\nns2 3601 IN AAAA 2001:db8::63\n"),
		MRG_DNS_ZONEMD_MISMATCH);
}
END_TEST

/* RFC 8976 2.2 and 4: what can't be compared, and what of several digests counts. */
START_TEST(digests_that_say_nothing)
{
	static const char other[] = "01020304050607080910111213141516";
	char text[1000];
	ck_assert_int_eq(verdict_of(HEAD DIGEST("2018031901", "1 1", SIMPLE) REST), MRG_DNS_ZONEMD_SERIAL);
	ck_assert_int_eq(
		verdict_of(HEAD DIGEST("2018031900", "1 240", SIMPLE) REST), MRG_DNS_ZONEMD_UNSUPPORTED);
	ck_assert_int_eq(
		verdict_of(HEAD DIGEST("2018031900", "240 1", SIMPLE) REST), MRG_DNS_ZONEMD_UNSUPPORTED);
	ck_assert_int_eq(
		verdict_of(HEAD DIGEST("2018031900", "1 2", SIMPLE) REST), MRG_DNS_ZONEMD_UNSUPPORTED);
	snprintf(text, sizeof text, HEAD DIGEST("2018031900", "1 1", "%s") REST, other);
	ck_assert_int_eq(verdict_of(text), MRG_DNS_ZONEMD_UNSUPPORTED); /* too short */
	/* two of one kind are as good as none, even if one of them is right */
	ck_assert_int_eq(
		verdict_of(HEAD DIGEST("2018031900", "1 1", SIMPLE) DIGEST("2018031900", "1 1", WRONG) REST),
		MRG_DNS_ZONEMD_UNSUPPORTED);
	/* one that is right is enough, beside others */
	ck_assert_int_eq(
		verdict_of(HEAD DIGEST("2018031900", "1 1", SIMPLE) DIGEST("2018031900", "1 241", WRONG)
				DIGEST("2018031900", "1 2", SIMPLE "00112233445566778899aabbccddeeff") REST),
		MRG_DNS_ZONEMD_VERIFIED);
	ck_assert_int_eq(
		verdict_of(HEAD DIGEST("2018031900", "1 2", SIMPLE "00112233445566778899aabbccddeeff") REST),
		MRG_DNS_ZONEMD_MISMATCH);
	/* below the zone's name they are records as others are */
	ck_assert_int_eq(
		verdict_of(HEAD REST "x 60 IN ZONEMD 2018031900 1 1 " SIMPLE "\n"), MRG_DNS_ZONEMD_ABSENT);
}
END_TEST

START_TEST(scratch_memory_may_be_too_small)
{
	enum mrg_dns_zonemd_verdict v;
	size_t cap = 0;
	ck_assert_int_eq(
		kit_zone(&k, "example.", HEAD DIGEST("2018031900", "1 1", SIMPLE) REST), MRG_DNS_ZONE_SOUND);
	while (verify_within(k.zones[0], cap, &v) == MRG_E_SPACE)
		cap++;
	ck_assert_uint_gt(cap, 3 * 16);
	ck_assert_uint_lt(cap, 400);
	ck_assert_int_eq(v, MRG_DNS_ZONEMD_VERIFIED);
}
END_TEST

/* ---- ldns ---- */

/* All that a canonical form has to look at: case, order, names in RDATA, wildcards, glue, what is below a cut, sets of many. */
static const char all[] =
	"example. 86400 IN SOA ns1.example. Admin.Example. 2018031900 1800 900 604800 86400\n"
	"example. 86400 IN NS NS2.example.\nexample. 86400 IN NS ns1.example.\nexample. 86400 IN NS ns0.Elsewhere.\n"
	"ns1.example. 3600 IN A 203.0.113.63\nNS2.example. 3600 IN AAAA 2001:db8::63\n"
	"mail.example. 3600 IN MX 20 Mail.Example.\nmail.example. 3600 IN MX 10 a.Other.\nmail.example. 3600 IN MX 10 A.Mail.Example.\n"
	"z.y.X.example. 60 IN TXT \"Upper Case stays\" \"x\"\nb.example. 60 IN A 192.0.2.7\nB.a.example. 60 IN A 192.0.2.8\n"
	"\\000.example. 60 IN A 192.0.2.1\n\\255.b.example. 60 IN A 192.0.2.1\n"
	"sub.example. 60 IN NS ns.sub.example.\nns.sub.example. 60 IN A 192.0.2.1\n"
	"*.wild.example. 60 IN A 192.0.2.3\n*.wild.example. 60 IN A 192.0.2.2\n*.wild.example. 60 IN A 192.0.2.33\n"
	"_s._tcp.example. 60 IN SRV 1 2 3 Target.Example.\nn.example. 60 IN NAPTR 100 50 \"s\" \"http+X\" \"\" Repl.Example.\n"
	"c.example. 60 IN CNAME Www.Example.\nd.example. 60 IN DNAME Www.Example.Net.\nk.example. 60 IN KX 10 Kx.Example.\n"
	"p.example. 60 IN PTR Www.Example.\nr.example. 60 IN RP Mbox.Example. Txt.Example.\na.example. 60 IN AFSDB 1 Afs.Example.\n"
	"m.example. 60 IN MINFO R.Example. E.Example.\nt.example. 60 IN RT 10 Rt.Example.\nh.example. 60 IN HINFO \"CPU\" \"OS\"\n"
	"x.example. 60 IN PX 10 Map.Example. X.Y.\nu.example. 60 IN TYPE65400 \\# 4 41424344\n"
	"s.example. 60 IN SVCB 1 Svc.Example. alpn=h2\ne.example. 60 IN CAA 0 issue \"CA.example\"\n";

static void run(const char *format, const char *folder, const char *more)
{
	char command[600];
	snprintf(command, sizeof command, format, folder, more);
	ck_assert_msg(system(command) == 0, "%s", command);
}

/* The zone as ldns writes it with a digest of it. */
static const char *from_ldns(const char *more)
{
	static char text[1 << 17];
	char folder[] = "/tmp/zonemd-XXXXXX", path[60];
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/zone", folder);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(all, f);
	fclose(f);
	run("cd %s && ldns-keygen -k -a ECDSAP256SHA256 -r /dev/urandom example. >key%s", folder, "");
	run("cd %s && ldns-signzone -i 20200101000000 -e 20400101000000 -f signed %s", folder, more);
	snprintf(path, sizeof path, "%s/signed", folder);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	const size_t len = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[len] = '\0';
	run("rm -r %s%s", folder, "");
	return text;
}

START_TEST(zones_of_ldns_are_verified)
{
	static const char *const ways[] = { "-z sha384 -Z zone", "-z sha512 -Z zone",
		"-z sha384 -z sha512 zone $(cat key)", "-n -s cafe -t 3 -z sha384 zone $(cat key)",
		"-n -p -z sha512 zone $(cat key)" };
	const char *const text = from_ldns(ways[_i]);
	char *const copy = strdup(text);
	ck_assert_ptr_nonnull(strstr(text, "ZONEMD"));
	ck_assert_int_eq(verdict_of(text), MRG_DNS_ZONEMD_VERIFIED);
	for (unsigned i = 0; i < 2; i++) { /* a digit of a record that is not the digest's */
		static const char *const addresses[] = { "192.0.2.33", "203.0.113.63" };
		char *const at = strstr(copy, addresses[i]);
		ck_assert_ptr_nonnull(at);
		at[strlen(addresses[i]) - 1]++;
		ck_assert_int_eq(verdict_of(copy), MRG_DNS_ZONEMD_MISMATCH);
		at[strlen(addresses[i]) - 1]--;
	}
	for (char *at = copy; (at = strstr(at, "Www.Example")) != NULL;)
		at[0] = 'w'; /* case does not count */
	ck_assert_int_eq(verdict_of(copy), MRG_DNS_ZONEMD_VERIFIED);
	free(copy);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("zonemd");
	TCase *const t = tcase_create("zonemd");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, digest_of_the_rfc);
	tcase_add_test(t, digests_that_say_nothing);
	tcase_add_test(t, scratch_memory_may_be_too_small);
	tcase_add_loop_test(t, zones_of_ldns_are_verified, 0, 5);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
