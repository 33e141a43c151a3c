/* peers.c - what is the same for all peers: whose word differs, and whether that is known. */
#include "peers.h"

#include <fnmatch.h>
#include <string.h>

size_t peer_make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	const struct mrg_fuzz_subject *base = ((const struct peer_subject *)ctx)->base;
	return base->make(base->ctx, rng, out, cap);
}

size_t peer_mutate(void *ctx, struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,
	size_t other_len, uint8_t *out, size_t cap)
{
	const struct mrg_fuzz_subject *base = ((const struct peer_subject *)ctx)->base;
	return base->mutate(base->ctx, rng, in, len, other, other_len, out, cap);
}

size_t peer_smaller(void *ctx, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
	const struct mrg_fuzz_subject *base = ((const struct peer_subject *)ctx)->base;
	return base->smaller(base->ctx, i, in, len, out, cap);
}

void peer_show(void *ctx, const uint8_t *in, size_t len, FILE *to)
{
	const struct peer_subject *s = ctx;
	char says[PEER_SAYS_MAX] = "";
	s->base->show(s->base->ctx, in, len, to);
	if (s->accepts((struct mrg_span){ in, len }, says))
		(void)fprintf(to, "%s accepts it\n", s->peer);
	else
		(void)fprintf(to, "%s refuses it: %s\n", s->peer, says);
}

const char *peer_point(void *ctx, size_t point)
{
	return ((const struct peer_subject *)ctx)->known[point].clause;
}

void peer_says_reject(const struct mrg_reject *why, char says[PEER_SAYS_MAX])
{
	size_t used = 0;
	for (unsigned i = why->depth + 1; i-- > 0 && used < PEER_SAYS_MAX;) {
		const struct mrg_site *site = i == 0 ? why->site : why->path[i - 1];
		used += (size_t)snprintf(
			says + used, PEER_SAYS_MAX - used, "%s%s", used != 0 ? "." : "", site->path);
	}
	if (used < PEER_SAYS_MAX)
		(void)snprintf(says + used, PEER_SAYS_MAX - used, ": %s", mrg_status_str(why->status));
}

static bool is_known(const struct peer_difference *known, const char *theirs, const char *ours)
{
	if ((known->peer == NULL) != (theirs == NULL) || (known->ours == NULL) != (ours == NULL))
		return false;
	return theirs != NULL ? fnmatch(known->peer, theirs, 0) == 0 : fnmatch(known->ours, ours, 0) == 0;
}

void peer_run(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	const struct peer_subject *s = ctx;
	s->base->run(s->base->ctx, in, len, result);
	if (result->verdict == MRG_FUZZ_WRONG)
		return;

	struct mrg_span input = { in, len };
	char ours_says[PEER_SAYS_MAX] = "", peer_says[PEER_SAYS_MAX] = "";
	const char *ours = s->ours(&input, ours_says) ? NULL : ours_says;
	const char *theirs = s->accepts(input, peer_says) ? NULL : peer_says;
	if ((ours == NULL) == (theirs == NULL))
		return;
	for (size_t i = PEERS_FORGET; i < s->known_n; i++) {
		if (is_known(&s->known[i], theirs, ours)) {
			s->reached[i] = 1;
			return;
		}
	}
	result->verdict = MRG_FUZZ_WRONG;
	(void)snprintf(result->key, sizeof(result->key), "only %s accepts: %.64s",
		ours == NULL ? "ours" : s->peer, ours == NULL ? theirs : ours);
	(void)snprintf(result->why, sizeof(result->why), "%s, and it is not known why", result->key);
}
