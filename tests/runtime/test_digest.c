/*
 * SHA-2 and HMAC, as processes have them (nettle) and as virtual machines have them (BearSSL): the vectors of RFC 4231 and RFC 6234,
 * input cut anywhere, and the two against each other.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mrg_rt.h"

/* What virtual machines have, beside the other. */
#define mrg_rt_sha2_size vm_sha2_size
#define mrg_rt_digest_begin vm_digest_begin
#define mrg_rt_digest_add vm_digest_add
#define mrg_rt_digest_end vm_digest_end
size_t vm_sha2_size(enum mrg_rt_sha2 kind);
void vm_digest_begin(struct mrg_rt_digest *d, enum mrg_rt_sha2 kind);
void vm_digest_add(struct mrg_rt_digest *d, struct mrg_span bytes);
void vm_digest_end(struct mrg_rt_digest *d, uint8_t *out);
#include "runtime/vm/sha2.c"
#undef mrg_rt_sha2_size
#undef mrg_rt_digest_begin
#undef mrg_rt_digest_add
#undef mrg_rt_digest_end

enum { KINDS = MRG_RT_SHA512 + 1 };

static void hex(const uint8_t *p, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
}

/* RFC 4231 4.2 to 4.8, but for the truncated one: of SHA-256, SHA-384 and SHA-512. */
static const struct {
	size_t key_len;
	const char *key;
	size_t len;
	const char *data;
	const char *macs[KINDS];
} vectors[] = {
	{ 20, "\013\013\013\013\013\013\013\013\013\013\013\013\013\013\013\013\013\013\013\013", 8,
		"Hi There",
		{ "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
			"afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
			"87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d"
			"914eeb61f1702e696c203a126854" } },
	{ 4, "Jefe", 28,
		"\167\150\141\164\040\144\157\040\171\141\040\167\141\156\164\040\146\157\162\040\156\157\164\150\151"
		"\156\147\077",
		{ "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
			"af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
			"164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaea"
			"b1a34d4a6b4b636e070a38bce737" } },
	{ 20, "\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252", 50,
		"\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335"
		"\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335\335",
		{ "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
			"88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27",
			"fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946"
			"a337bee8942674278859e13292fb" } },
	{ 25, "\001\002\003\004\005\006\007\010\011\012\013\014\015\016\017\020\021\022\023\024\025\026\027\030\031",
		50,
		"\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315"
		"\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315\315",
		{ "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
			"3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e6801dd23c4a7d679ccf8a386c674cffb",
			"b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063a5f1"
			"9741120c4f2de2adebeb10a298dd" } },
	{ 131,
		"\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252"
		"\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252"
		"\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252"
		"\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252"
		"\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252"
		"\252\252\252\252\252\252",
		54, "Test Using Larger Than Block-Size Key - Hash Key First",
		{ "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
			"4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
			"80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e6"
			"4f73f63f0aec8b915a985d786598" } },
	{ 131,
		"\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252"
		"\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252"
		"\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252"
		"\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252"
		"\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252\252"
		"\252\252\252\252\252\252",
		152,
		"This is a test using a larger than block-size key and a larger than block-size data. The key needs t"
		"o be hashed before being used by the HMAC algorithm.",
		{ "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
			"6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5a678cc31e799176d3860e6110c46523e",
			"e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de151346"
			"76fb6de0446065c97440fa8c6a58" } },
};

START_TEST(hmac_of_the_rfc)
{
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct mrg_rt_hmac h;
		uint8_t mac[MRG_RT_SHA2_MAX];
		char text[2 * MRG_RT_SHA2_MAX + 1];
		const size_t size = mrg_rt_sha2_size(kind);
		mrg_rt_hmac_begin(
			&h, kind, (struct mrg_span){ (const uint8_t *)vectors[_i].key, vectors[_i].key_len });
		mrg_rt_hmac_add(&h, (struct mrg_span){ (const uint8_t *)vectors[_i].data, vectors[_i].len });
		mrg_rt_hmac_end(&h, mac);
		hex(mac, size, text);
		ck_assert_str_eq(text, vectors[_i].macs[kind]);
	}
}
END_TEST

/* RFC 6234 8.5, TEST1, and of nothing. */
START_TEST(sha2_of_the_rfc)
{
	static const char *const abc[KINDS] = {
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
		"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d"
		"4423643ce80e2a9ac94fa54ca49f"
	};
	static const char *const none[KINDS] = {
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
		"cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b9"
		"31bd47417a81a538327af927da3e"
	};
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct mrg_rt_digest d;
		uint8_t out[MRG_RT_SHA2_MAX];
		char text[2 * MRG_RT_SHA2_MAX + 1];
		mrg_rt_digest_begin(&d, kind);
		mrg_rt_digest_add(&d, (struct mrg_span){ (const uint8_t *)"abc", 3 });
		mrg_rt_digest_end(&d, out);
		hex(out, mrg_rt_sha2_size(kind), text);
		ck_assert_str_eq(text, abc[kind]);
		mrg_rt_digest_begin(&d, kind);
		mrg_rt_digest_add(&d, (struct mrg_span){ NULL, 0 });
		mrg_rt_digest_end(&d, out);
		hex(out, mrg_rt_sha2_size(kind), text);
		ck_assert_str_eq(text, none[kind]);
	}
}
END_TEST

/* Of every length around the ends of blocks, at once by one library and in two pieces by the other, and by a copy half way. */
START_TEST(both_libraries_agree_however_input_is_cut)
{
	uint8_t in[300], whole[MRG_RT_SHA2_MAX], cut[MRG_RT_SHA2_MAX], copied[MRG_RT_SHA2_MAX];
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)(i * 7u + 1u);
	for (unsigned kind = 0; kind < KINDS; kind++) {
		const size_t size = mrg_rt_sha2_size(kind);
		ck_assert_uint_eq(size, vm_sha2_size(kind));
		for (size_t len = 0; len <= sizeof in; len++) {
			struct mrg_rt_digest a, b, copy;
			const size_t half = len / 3;
			mrg_rt_digest_begin(&a, kind);
			mrg_rt_digest_add(&a, (struct mrg_span){ in, len });
			mrg_rt_digest_end(&a, whole);
			vm_digest_begin(&b, kind);
			vm_digest_add(&b, (struct mrg_span){ in, half });
			copy = b;
			vm_digest_add(&b, (struct mrg_span){ NULL, 0 });
			vm_digest_add(&b, (struct mrg_span){ in + half, len - half });
			vm_digest_end(&b, cut);
			vm_digest_add(&copy, (struct mrg_span){ in + half, len - half });
			vm_digest_end(&copy, copied);
			ck_assert_mem_eq(whole, cut, size);
			ck_assert_mem_eq(whole, copied, size);
		}
	}
}
END_TEST

START_TEST(secrets_are_the_same_or_differ_in_any_bit)
{
	uint8_t a[32], b[32];
	memset(a, 0x5a, sizeof a);
	memcpy(b, a, sizeof b);
	ck_assert(mrg_rt_same_secret(a, b, sizeof a));
	ck_assert(mrg_rt_same_secret(NULL, NULL, 0));
	for (size_t bit = 0; bit < 8 * sizeof b; bit++) {
		b[bit / 8] ^= (uint8_t)(1u << bit % 8u);
		ck_assert(!mrg_rt_same_secret(a, b, sizeof a));
		ck_assert(mrg_rt_same_secret(a, b, bit / 8));
		b[bit / 8] ^= (uint8_t)(1u << bit % 8u);
	}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("runtime/digest");
	TCase *const t = tcase_create("digest");
	tcase_add_loop_test(t, hmac_of_the_rfc, 0, (int)(sizeof vectors / sizeof vectors[0]));
	tcase_add_test(t, sha2_of_the_rfc);
	tcase_add_test(t, both_libraries_agree_however_input_is_cut);
	tcase_add_test(t, secrets_are_the_same_or_differ_in_any_bit);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
