/*
 * access.h - a line for each answer, in the Common or the Combined Log Format, on standard output.
 *
 * The octets in a line are those of the body that is sent, or would be for a HEAD; the line is written when the answer begins. What
 * comes from the client is written with escapes where it has quotes, backslashes or anything that is not visible ASCII, and of a
 * field no more than 4,096 octets. The time is that of the answer's Date; where nobody knows that,
 * 1970 is when the machine was started. Lines are written whole: those of several workers never mix.
 *
 * What it does not do: it needs no system.
 */
#ifndef MRG_HTTP_ACCESS_H
#define MRG_HTTP_ACCESS_H

#include "appliances/common/say.h"
#include "appliances/http/rules.h"
#include "protocols/http/server.h"

struct access {
	enum access_log kind;
	void (*turn)(void *ctx, bool begins); /* NULL: nobody else writes there */
	void *ctx;
	struct text_out out;
	uint8_t buffer[64 << 10];
};

/*
 * access_init - `turn` is called before and behind each write, to wait until nobody else is writing there.
 */
void access_init(struct access *a, enum access_log kind, void (*turn)(void *ctx, bool begins), void *ctx);
void access_line(struct access *a, const struct mrg_http_exchange *x);

/* Write what has come together. */
void access_flush(struct access *a);

#endif
