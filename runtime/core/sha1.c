/*
 * SHA-1, over nettle.
 */
#include <nettle/sha1.h>

#include "mrg_rt.h"

void mrg_rt_sha1(const void *p, size_t len, uint8_t out[20])
{
	struct sha1_ctx ctx;
	sha1_init(&ctx);
	if (len != 0)
		sha1_update(&ctx, len, p);
	sha1_digest(&ctx, SHA1_DIGEST_SIZE, out);
}
