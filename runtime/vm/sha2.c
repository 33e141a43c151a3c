/*
 * SHA-2, over BearSSL, which needs no C library.
 */
#include <bearssl/bearssl_hash.h>

#include "mrg_rt.h"

_Static_assert(
	sizeof(br_sha512_context) <= sizeof(((struct mrg_rt_digest *)0)->state), "room for the longest");
_Static_assert(sizeof(br_sha256_context) <= sizeof(br_sha512_context), "which this is not");

size_t mrg_rt_sha2_size(enum mrg_rt_sha2 kind)
{
	static const uint8_t sizes[] = { br_sha256_SIZE, br_sha384_SIZE, br_sha512_SIZE };
	return sizes[kind];
}

void mrg_rt_digest_begin(struct mrg_rt_digest *d, enum mrg_rt_sha2 kind)
{
	void *const ctx = d->state;
	d->kind = kind;
	if (kind == MRG_RT_SHA256)
		br_sha256_init(ctx);
	else if (kind == MRG_RT_SHA384)
		br_sha384_init(ctx);
	else
		br_sha512_init(ctx);
}

void mrg_rt_digest_add(struct mrg_rt_digest *d, struct mrg_span bytes)
{
	void *const ctx = d->state;
	if (bytes.len == 0)
		return;
	if (d->kind == MRG_RT_SHA256)
		br_sha256_update(ctx, bytes.p, bytes.len);
	else
		br_sha512_update(ctx, bytes.p, bytes.len); /* SHA-384 differs in how it begins and ends */
}

void mrg_rt_digest_end(struct mrg_rt_digest *d, uint8_t *out)
{
	const void *const ctx = d->state;
	if (d->kind == MRG_RT_SHA256)
		br_sha256_out(ctx, out);
	else if (d->kind == MRG_RT_SHA384)
		br_sha384_out(ctx, out);
	else
		br_sha512_out(ctx, out);
}
