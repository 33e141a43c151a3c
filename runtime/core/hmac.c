/*
 * HMAC over the platform's digests (RFC 2104): names as there.
 */
#include "mrg_rt.h"

enum { BLOCK_MAX = 128, IPAD = 0x36, OPAD = 0x5c };

static void add_pad(struct mrg_rt_digest *d, const uint8_t *key, size_t block, uint8_t pad)
{
	uint8_t padded[BLOCK_MAX];
	for (size_t i = 0; i < block; i++)
		padded[i] = key[i] ^ pad;
	mrg_rt_digest_add(d, (struct mrg_span){ padded, block });
}

void mrg_rt_hmac_begin(struct mrg_rt_hmac *h, enum mrg_rt_sha2 kind, struct mrg_span key)
{
	const size_t block = kind == MRG_RT_SHA256 ? BLOCK_MAX / 2 : BLOCK_MAX;
	uint8_t k[BLOCK_MAX] = { 0 };
	mrg_rt_digest_begin(&h->inner, kind);
	mrg_rt_digest_begin(&h->outer, kind);
	if (key.len > block) {
		struct mrg_rt_digest d;
		mrg_rt_digest_begin(&d, kind);
		mrg_rt_digest_add(&d, key);
		mrg_rt_digest_end(&d, k);
	} else if (key.len != 0) {
		memcpy(k, key.p, key.len);
	}
	add_pad(&h->inner, k, block, IPAD);
	add_pad(&h->outer, k, block, OPAD);
}

void mrg_rt_hmac_add(struct mrg_rt_hmac *h, struct mrg_span bytes) { mrg_rt_digest_add(&h->inner, bytes); }

void mrg_rt_hmac_end(struct mrg_rt_hmac *h, uint8_t *out)
{
	uint8_t digest[MRG_RT_SHA2_MAX];
	const struct mrg_span inner = { digest, mrg_rt_sha2_size(h->inner.kind) };
	mrg_rt_digest_end(&h->inner, digest);
	mrg_rt_digest_add(&h->outer, inner);
	mrg_rt_digest_end(&h->outer, out);
}

bool mrg_rt_same_secret(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *const x = a, *const y = b;
	uint8_t differ = 0;
	for (size_t i = 0; i < len; i++)
		differ |= (uint8_t)(x[i] ^ y[i]);
	return differ == 0;
}
