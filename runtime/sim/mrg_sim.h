/*
 * mrg_sim.h - a network in one process, under virtual time: hosts, and links between them that are as bad as wanted.
 *
 * References: IEEE 802.3 for what a frame is; core/mrg_impair.h says what links do to them.
 *
 * What it does not do: it has no threads, no real time and no system calls, and it understands no protocol. Only the writer of captures
 * (mrg_sim_pcap) uses stdio.
 *
 * Use:
 *	struct mrg_sim *sim = mrg_sim_open(&arena, &mrg_sim_usual, 42);
 *	struct mrg_sim_host *a = mrg_sim_host_add(sim, 0), *b = mrg_sim_host_add(sim, 0);
 *	struct mrg_sim_wire *wire = mrg_sim_wire_add(sim, &(struct mrg_sim_options){ .way = { .loss_ppm = 10000, .delay_ns = 5000000 } });
 *	struct mrg_link *to_b = mrg_sim_port_add(wire, a), *to_a = mrg_sim_port_add(wire, b);
 *	world = (struct mrg_tcpip_world){ .timers = &a->timers, .now_ns = &a->now_ns, ... };
 *	mrg_sim_run(sim, 10u * MRG_RT_SECOND_NS);
 *
 * The same calls with the same seed are the same run, byte for byte. Frames that are due at the same time arrive in the order in which
 * they were sent, before timers of that time; hosts' timers run in the order in which hosts were added. All memory comes from the arena.
 */
#ifndef MRG_SIM_H
#define MRG_SIM_H

#include "core/mrg_impair.h"
#include "mrg_rt.h"

struct mrg_sim;
struct mrg_sim_wire;

/* How much there is room for. */
struct mrg_sim_limits {
	uint32_t host_count, wire_count, port_count; /* ports of all wires */
	uint32_t frame_count;                        /* on their way at once */
	uint32_t frame_max;                          /* bytes of one */
	size_t frame_len;                            /* bytes of all on their way */
};
extern const struct mrg_sim_limits mrg_sim_usual;

size_t mrg_sim_memory(const struct mrg_sim_limits *limits);

/*
 * mrg_sim_open - a network without hosts; its time is 0.   Fails: NULL when the arena is too small.   Lifetime: that of the arena.
 */
struct mrg_sim *mrg_sim_open(struct mrg_arena *arena, const struct mrg_sim_limits *limits, uint64_t seed);

/* ---- hosts ---- */

struct mrg_sim_host {
	struct mrg_rt_timers timers;
	uint64_t now_ns; /* its clock, right whenever anything of it is called */
	/* private */
	struct mrg_sim *sim;
	uint64_t ahead_ns;
};

/*
 * mrg_sim_host_add - a host.   ahead_ns    its clock is so much ahead of the network's time   Fails: NULL when there is no room.
 */
struct mrg_sim_host *mrg_sim_host_add(struct mrg_sim *sim, uint64_t ahead_ns);

/* ---- wires ---- */

/* A frame on a wire, as it is when somebody looks at it. */
struct mrg_sim_seen {
	const struct mrg_sim_wire *wire;
	const struct mrg_link *from;
	uint64_t index;  /* how many frames were sent on the wire before it */
	uint64_t now_ns; /* of the network */
	struct mrg_span bytes;
	bool arrives; /* else it is being sent */
	bool altered; /* it is not what was sent */
};

/* What is to become of a frame, beside what chance makes of it. */
struct mrg_sim_fate {
	bool drop;
	bool twice;
	uint64_t late_ns; /* arrives so much later than it would, and may be overtaken */
};

struct mrg_sim_options {
	struct mrg_impair_options way; /* of each direction by itself: a line of `rate_bps` for each port */
	uint16_t mtu;                  /* 0: 1500 */
	bool sums;                     /* its links complete checksums */
	uint32_t cut_max;              /* its links take frames of TCP that are so long, and deliver them as joined segments; 0: they don't */
	bool promiscuous;              /* ports are given frames to foreign addresses, too */
	/* Says of each frame that is sent what is to become of it; *fate is zero before. NULL: nothing.  See mrg_sim_nth. */
	void (*fault)(void *ctx, const struct mrg_sim_seen *f, struct mrg_sim_fate *fate);
	void *fault_ctx;
	/* Is shown each frame when it is sent, with its checksums complete, and each arrival, once. NULL: nobody.  See mrg_sim_pcap. */
	void (*see)(void *ctx, const struct mrg_sim_seen *f);
	void *see_ctx;
};

struct mrg_sim_counts {
	uint64_t sent, too_long, no_room; /* handed to links; longer than the link takes; more than the simulation holds */
	uint64_t arrived, foreign;        /* at ports: handed on; not for them */
	uint64_t dropped, doubled, delayed; /* by `fault` */
	struct mrg_impair_counts way;     /* of all directions */
};

/*
 * mrg_sim_wire_add - an Ethernet segment without ports: all others get what one sends.   Fails: NULL when there is no room.
 */
struct mrg_sim_wire *mrg_sim_wire_add(struct mrg_sim *sim, const struct mrg_sim_options *options);

/* mrg_sim_wire_options - its options, to be changed at any time; mtu, sums and cut_max count for ports that are added later. */
struct mrg_sim_options *mrg_sim_wire_options(struct mrg_sim_wire *w);
struct mrg_sim_counts mrg_sim_wire_counts(const struct mrg_sim_wire *w);

/*
 * mrg_sim_port_add - connect a host to a wire: its link. The address is 02:00:WW:WW:PP:PP by the numbers of the wire and of the port on it, and may be
 * changed before frames are sent.   Fails: NULL when there is no room.
 */
struct mrg_link *mrg_sim_port_add(struct mrg_sim_wire *w, struct mrg_sim_host *host);

/* Faults of single frames, for mrg_sim_options.fault; the context is a list of them. */
struct mrg_sim_faults {
	size_t count;
	const struct mrg_sim_fault {
		uint64_t index; /* of the frame on its wire, from 0 */
		struct mrg_sim_fate fate;
	} *list;
};
void mrg_sim_nth(void *ctx, const struct mrg_sim_seen *f, struct mrg_sim_fate *fate);

/* ---- time ---- */

uint64_t mrg_sim_now(const struct mrg_sim *sim);

/* mrg_sim_next - when something happens next; MRG_RT_NEVER: no frame is on its way, and no timer is set. */
uint64_t mrg_sim_next(const struct mrg_sim *sim);

/*
 * mrg_sim_run - let everything happen up to that time, which it is afterwards.
 * Returns false when it stopped before, since time stood still for ever: MRG_SIM_STILL_MAX things in a row at one time.
 */
enum { MRG_SIM_STILL_MAX = 1000000 };
bool mrg_sim_run(struct mrg_sim *sim, uint64_t until_ns);

/* ---- captures ---- */

/* A capture file of what is seen on wires; all private but `arrivals`. */
struct mrg_sim_pcap {
	void *file;
	bool arrivals; /* what arrives is written, not what is sent */
	bool failed;
};

/*
 * mrg_sim_pcap_open - begin a capture file, of nanoseconds (specs/pcap.mrg).   Fails: a positive errno value.
 * mrg_sim_pcap_see  - write a frame; for mrg_sim_options.see, the context is the open file
 * mrg_sim_pcap_close - finish.   Fails: false when something could not be written.
 */
int mrg_sim_pcap_open(struct mrg_sim_pcap *p, const char *path);
void mrg_sim_pcap_see(void *ctx, const struct mrg_sim_seen *f);
bool mrg_sim_pcap_close(struct mrg_sim_pcap *p);

#endif
