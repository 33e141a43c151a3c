/*
 * bridge.h - two interfaces, and what is between them.
 *
 * What it does not do: it learns no addresses: whatever comes at one interface goes to the other.
 */
#ifndef MRG_IMPAIR_BRIDGE_H
#define MRG_IMPAIR_BRIDGE_H

#include "core/mrg_impair.h"
#include "tap/mrg_tap.h"

/* One direction. */
struct way {
	struct bridge *bridge;
	struct mrg_tap *to;
	struct mrg_impair impair;
	uint64_t no_room, uncut; /* frames that could not be held, or cut into segments */
	uint64_t waiting;	 /* frames whose time has not come */
};

struct bridge {
	struct mrg_impair_options options;
	struct mrg_tap side[2];
	struct way way[2]; /* of what comes at that side */
	/* private */
	struct mrg_unix_loop *loop;
	struct mrg_rt_blocks blocks;
	struct held *first, *last; /* frames that wait, the next to go first */
	struct mrg_rt_timer due;
};

size_t bridge_memory(void); /* bytes of the arena that bridge_init takes at most */

/*
 * bridge_init - join two open devices, which are the loop's from here on.   Fails: a positive errno value.
 */
int bridge_init(struct bridge *b, struct mrg_unix_loop *loop, struct mrg_arena *arena, const struct mrg_tap_device device[2],
	const struct mrg_impair_options *options, uint64_t seed, const struct mrg_rt_log *log);

/* bridge_gone - is one of the devices gone? */
bool bridge_gone(const struct bridge *b);

#endif
