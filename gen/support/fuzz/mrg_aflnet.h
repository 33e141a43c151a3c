/*
 * mrg_aflnet.h - streams as AFLNet wants them: regions of requests, states of responses.
 *
 * Within AFLNet (-DAFLNET, its folder among the includes) its own type and allocator are taken, so that it can free what it gets;
 * elsewhere these are of the same form, and free() gives back.
 */
#ifndef MRG_AFLNET_H
#define MRG_AFLNET_H

#include "mrg_stream.h"

#ifdef AFLNET
#include <alloc-inl.h>
#include <aflnet.h>
#define MRG_AFLNET_MORE(p, size) ck_realloc(p, (u32)(size))
#else
#include <stdlib.h>
#define MRG_AFLNET_MORE(p, size) realloc(p, size)
typedef struct {
	int start_byte, end_byte; /* both are of it */
	char modifiable;
	unsigned int *state_sequence;
	unsigned int state_count;
} region_t;
#endif

/* Each message of a stream to a server; they cover it.  NULL with *count 0: nothing, or no memory. */
static inline region_t *mrg_aflnet_regions(const struct mrg_stream *s, const unsigned char *buf, unsigned len, unsigned *count)
{
	region_t *regions = NULL;
	*count = 0;
	for (unsigned at = 0; at < len;) {
		const unsigned n = (unsigned)mrg_stream_next(s, false, buf + at, len - at);
		region_t *const more = MRG_AFLNET_MORE(regions, (*count + 1) * sizeof *regions);
		if (more == NULL)
			return regions;
		regions = more;
		regions[*count] = (region_t){ (int)at, (int)(at + n - 1), 1, NULL, 0 };
		(*count)++;
		at += n;
	}
	return regions;
}

/* A 0 for the beginning, and what each message of a stream from a server says, where it says something. */
static inline unsigned *mrg_aflnet_states(const struct mrg_stream *s, const unsigned char *buf, unsigned len, unsigned *count)
{
	unsigned *states = MRG_AFLNET_MORE(NULL, sizeof *states);
	*count = 0;
	if (states == NULL)
		return NULL;
	states[(*count)++] = 0;
	for (unsigned at = 0; at < len;) {
		const unsigned n = (unsigned)mrg_stream_next(s, true, buf + at, len - at);
		const unsigned state = mrg_stream_state(s, buf + at, n);
		at += n;
		if (state == 0)
			continue;
		unsigned *const more = MRG_AFLNET_MORE(states, (*count + 1) * sizeof *states);
		if (more == NULL)
			return states;
		states = more;
		states[(*count)++] = state;
	}
	return states;
}

#endif
