/*
 * access.h - a line for each answer, in the Common or the Combined Log Format, on standard output.
 *
 * The octets in a line are those of the body that is sent, or would be for a HEAD; the line is written when the answer begins. What
 * comes from the client is written with escapes where it has quotes, backslashes or anything that is not visible ASCII, and of a
 * field no more than 4,096 octets. Lines are written whole: those of several workers never mix.
 */
#ifndef MRG_HTTP_ACCESS_H
#define MRG_HTTP_ACCESS_H

#include <pthread.h>

#include "appliances/common/say.h"
#include "appliances/http/options.h"
#include "protocols/http/server.h"

struct access {
	enum access_log kind;
	pthread_mutex_t *turn; /* of those who write to standard output: a pipe takes only short writes at once */
	struct text_out out;
	uint8_t buffer[64 << 10];
};

/* access_init - `turn` is one for all workers. */
void access_init(struct access *a, enum access_log kind, pthread_mutex_t *turn);
void access_line(struct access *a, const struct mrg_http_exchange *x);

/* Write what has come together. */
void access_flush(struct access *a);

#endif
