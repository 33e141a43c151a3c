/*
 * SHA-1, over BearSSL, which needs no C library.
 */
#include <bearssl/bearssl_hash.h>

#include "mrg_rt.h"

/* The library was compiled with checks of lengths that a C library does. A length that is wrong is a fault, which the monitor tells of. */
void *__memcpy_chk(void *to, const void *from, size_t len, size_t room);
void *__memcpy_chk(void *to, const void *from, size_t len, size_t room)
{
	if (len > room)
		__builtin_trap();
	return memcpy(to, from, len);
}

void mrg_rt_sha1(const void *p, size_t len, uint8_t out[20])
{
	br_sha1_context ctx;
	br_sha1_init(&ctx);
	if (len != 0)
		br_sha1_update(&ctx, p, len);
	br_sha1_out(&ctx, out);
}
