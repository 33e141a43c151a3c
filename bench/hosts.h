/*
 * bench/hosts.h - two stacks of protocols/tcpip in one process, joined by a wire that copies each frame once, under virtual time.
 *
 * No system calls: what is measured is the work of both stacks, and that copy. Frames are handed in as they would be by a device, in
 * bursts. Time passes by a microsecond a frame; when the wire is empty it goes on to the next timer.
 * What it does not do: it loses nothing. More frames than the wire holds end the program.
 */
#ifndef BENCH_HOSTS_H
#define BENCH_HOSTS_H

#include "bench/util.h"
#include "protocols/tcpip/tcpip.h"

enum { HOSTS_MTU = 1500, HOSTS_SLOT = 1536, HOSTS_SLOTS = 1 << 12, HOSTS_BURST = 64 };

/* One direction of the wire: a link that sends, and the frames that have not yet been handed to the other one. */
struct hosts_way {
	struct mrg_link link; /* first: it is what the sender has */
	struct mrg_link *to;
	bool deaf; /* what is sent is lost */
	uint8_t *slots;
	uint16_t len[HOSTS_SLOTS];
	uint16_t order[HOSTS_SLOTS], free[HOSTS_SLOTS]; /* slots of frames that were sent; others, the last one used on top */
	size_t head, tail;                              /* frames handed over, and sent */
};

struct hosts {
	struct mrg_rt_timers timers;
	uint64_t now_ns;
	bool steady; /* time passes with frames only */
	struct hosts_way way[2];
	struct mrg_tcpip *stack[2];
	struct mrg_tcpip_if *on[2];
	struct mrg_rt_addr address[2]; /* 10.0.0.1, 10.0.0.2 */
	struct mrg_arena arena[2];     /* of each */
};

/* Make both stacks, the same but for their addresses; what they do at the start is over. Leaves the program if that can't be. */
void hosts_open(struct hosts *h, const struct mrg_tcpip_limits *limits);

/* Give back all memory. */
void hosts_close(struct hosts *h);

/* Another address for one of them, of the same network. */
void hosts_address_add(struct hosts *h, size_t i, const struct mrg_rt_addr *a);

/* Hand over a burst each way, and run timers that are due. */
void hosts_turn(struct hosts *h);

/* Turns for so long, as long as there is something to do. */
void hosts_settle(struct hosts *h, uint64_t for_ns);

#endif
