/*
 * SHA-2, over nettle: it has the processor's own instructions where there are some.
 */
#include <nettle/sha2.h>

#include "mrg_rt.h"

_Static_assert(
	sizeof(struct sha512_ctx) <= sizeof(((struct mrg_rt_digest *)0)->state), "room for the longest");
_Static_assert(sizeof(struct sha256_ctx) <= sizeof(struct sha512_ctx), "which this is not");

size_t mrg_rt_sha2_size(enum mrg_rt_sha2 kind)
{
	static const uint8_t sizes[] = { SHA256_DIGEST_SIZE, SHA384_DIGEST_SIZE, SHA512_DIGEST_SIZE };
	return sizes[kind];
}

void mrg_rt_digest_begin(struct mrg_rt_digest *d, enum mrg_rt_sha2 kind)
{
	void *const ctx = d->state;
	d->kind = kind;
	if (kind == MRG_RT_SHA256)
		sha256_init(ctx);
	else if (kind == MRG_RT_SHA384)
		sha384_init(ctx);
	else
		sha512_init(ctx);
}

void mrg_rt_digest_add(struct mrg_rt_digest *d, struct mrg_span bytes)
{
	void *const ctx = d->state;
	if (bytes.len == 0)
		return;
	if (d->kind == MRG_RT_SHA256)
		sha256_update(ctx, bytes.len, bytes.p);
	else
		sha512_update(ctx, bytes.len, bytes.p);
}

void mrg_rt_digest_end(struct mrg_rt_digest *d, uint8_t *out)
{
	void *const ctx = d->state;
	if (d->kind == MRG_RT_SHA256)
		sha256_digest(ctx, SHA256_DIGEST_SIZE, out);
	else if (d->kind == MRG_RT_SHA384)
		sha384_digest(ctx, SHA384_DIGEST_SIZE, out);
	else
		sha512_digest(ctx, SHA512_DIGEST_SIZE, out);
}
