/*
 * control.h - what mrg-dnsctl asks over a local socket, and what it is told: a line of words comes, lines of text go back, and then the
 * end of the stream. The last line is `ok`, or `error: ` and why.
 *
 *	status                 a line for each zone: its name, serial number, records, where they are from
 *	reload [ZONE]          read the configuration and all zones again that have files; or one
 *	dump ZONE              its records, one a line
 *	write ZONE [FILE]      the same into a file: its own, if none is said
 *	write                  all zones with primaries that have changed since, into theirs
 *	transfer ZONE          ask its primary now
 *	stats                  the figures of --metrics
 *
 * What it does not do: it listens nowhere and knows no zone: whoever has them does what is asked.
 */
#ifndef MRG_DNS_CONTROL_H
#define MRG_DNS_CONTROL_H

#include "mrg_rt.h"
#include "protocols/dns/zone.h"

enum {
	CTL_CONNS = 8,           /* at once */
	CTL_LINE_MAX = 4096 + 300, /* octets of what is asked */
	CTL_WORDS = 4
};

/* One of those who ask, while it is answered. */
struct ctl_conn {
	struct mrg_stream *s;
	struct ctl *ctl;
	struct mrg_rt_timer limit; /* for asking, and for taking what was said */
	size_t asked;              /* octets of the line so far */
	char line[CTL_LINE_MAX + 1];
	struct mrg_w w; /* to be said next */
	size_t off;     /* of it that has been */
	bool answering;
	/* more of it than fits at once: called when all is said; false: there is no more. NULL: there is none */
	bool (*more)(struct ctl_conn *c);
	void (*done)(struct ctl_conn *c); /* however it ends; NULL: nothing to do */
	/* for those two */
	struct mrg_dns_zone_walk walk;
	void *held;
};

/* Who does what is asked: it puts its answer into c->w, and may set more and done. */
struct ctl_user {
	void *ctx;
	void (*ask)(void *ctx, struct ctl_conn *c, char *const *words, size_t count);
};

struct ctl {
	struct mrg_stream_user user; /* for the platform */
	struct ctl_user asker;
	struct mrg_rt_timers *timers;
	struct mrg_arena *arena;
	struct ctl_conn *conns[CTL_CONNS]; /* NULL: not needed yet; without a stream: free */
};

/*
 * ctl_init - nobody asks yet.   arena   for connections, each taken when it is first needed
 */
void ctl_init(struct ctl *ctl, struct mrg_arena *arena, struct mrg_rt_timers *timers, const struct ctl_user *asker);

size_t ctl_memory(void); /* octets of the arena that it takes at most */

/* Text behind what is to be said. */
void ctl_put(struct ctl_conn *c, const char *text);
void ctl_num(struct ctl_conn *c, uint64_t v);
/* Its last line. why NULL: ok */
void ctl_end(struct ctl_conn *c, const char *why);

#endif
