/*
 * net_shown.h - what there is to be seen of our own TCP/IP on any platform: its counters, its connections, its last frames.
 *
 * What it does not do: it writes no file (net_tape.c does); it needs no system.
 */
#ifndef MRG_COMMON_NET_SHOWN_H
#define MRG_COMMON_NET_SHOWN_H

#include "core/mrg_tape.h"
#include "protocols/tcpip/tcpip.h"

/* How a platform says what the time since 1970 is more than that of its clock. */
struct net_ahead {
	const void *ctx;
	uint64_t (*ns)(const void *ctx);
};

struct net_shown {
	struct mrg_tcpip *stack; /* set by the user; NULL: none (any more) */
	struct mrg_tape tape;    /* in front of the device, if there is one */
	size_t tape_cap;         /* 0: there is none */
	struct net_ahead ahead;
	/* private */
	struct mrg_rt_tree pages; /* has one file, */
	struct mrg_rt_file page;  /* the tape as it was when it was asked for; p is NULL while nobody gets it */
	uint8_t *page_room;
};

/*
 * net_shown_tape - the link to be used instead of this one: that of a tape, where the options ask for one, else the same.
 *   now_ns   as of mrg_tape_init
 * Fails:    NULL when the arena is too small; net_shown_memory is enough.
 */
struct mrg_link *net_shown_tape(struct net_shown *n, struct mrg_arena *arena, const struct mrg_tape_options *o, struct mrg_link *link,
	const uint64_t *now_ns, struct net_ahead ahead);
size_t net_shown_memory(const struct mrg_tape_options *o);

static inline bool net_shown_taped(const struct net_shown *n) { return n->stack != NULL && n->tape_cap != 0; }

/*
 * net_shown_take - the last frames as a file that stays as it is until it is closed, by n->pages.
 * Fails:    NULL when somebody has it already.
 */
struct mrg_rt_file *net_shown_take(struct net_shown *n);

/*
 * net_shown_figures - counters for a page of figures (page.h): those that `link` hands to `each`, and those of the stack.
 */
void net_shown_figures(const struct net_shown *n, struct mrg_w *w,
	void (*link)(const void *of, void (*each)(void *ctx, const char *protocol, const char *name, uint64_t value), void *ctx),
	const void *of);

/*
 * net_shown_connections - a line for each connection of the stack, up to NET_CONNECTIONS_SHOWN, and how many there are.
 */
enum { NET_CONNECTIONS_SHOWN = 100, NET_CONNECTION_MAX = 400 /* bytes of a line at most */ };
void net_shown_connections(const struct net_shown *n, struct mrg_w *w);

#endif
