/*
 * net.h - the network card of a virtual machine as a link of mrg_rt.h: the driver of virtio's network device, in ring 3.
 *
 * References: OASIS virtio 1.2 section 5.1; the wire is specs/virtio.mrg, the rings are virtq.h, the monitor's calls vm.h.
 *
 * What it does not do: it has no control queue and one pair of queues; it never sleeps; it looks at no frame but its destination.
 *
 * Use:
 *	if (!vm_net_init(&net, &arena, &vm_calls_monitor, boot, index, &vm_net_usual, made_mac)) ... net.failed
 *	mrg_tcpip_if_add(stack, &net.link);
 *	for (;;) {
 *		vm_net_poll(&net, now_ns);	frames come
 *		vm_net_flush(&net);		what was sent in this turn goes
 *		if (vm_net_rest(&net))		nothing has come meanwhile
 *			vm_wait(next_ns, vm_device_bit(index));
 *	}	(loop.h does this)
 *
 * Checksums and segments: what the device offers of CSUM, GUEST_CSUM, HOST_TSO, GUEST_TSO and MRG_RXBUF is used, but that segments are
 * joined only with MRG_RXBUF: buffers are small, and a long frame takes several. As they are given and come back in the order of their
 * addresses, it is in one piece as a rule, and else it is copied.
 *
 * The host is not believed. What it says is loaded once and checked before it is used: ids, indexes and lengths against what the
 * driver keeps for itself, headers against the frame. What makes no sense is counted and the buffer used again; when the index of a
 * ring makes none, the card is given up: it takes and gives nothing any more, and `gone` says so. What is in a frame is whoever's sent
 * it; the host, whose memory this is, could change it while it is looked at, as it could change the program.
 */
#ifndef VM_NET_H
#define VM_NET_H

#include "vm/virtq.h"
#include "vm/vm.h"

/* The monitor's calls that a driver needs, in a table so that tests can stand in for the monitor. */
struct vm_calls {
	bool (*queue)(uint32_t device, uint32_t queue, void *address, uint32_t size);
	bool (*start)(uint32_t device);
	void (*kick)(uint32_t device, uint32_t queue);
	uint32_t (*wait)(uint64_t until_ns, uint32_t mask);
	void (*write)(const void *p, size_t len);
	uint64_t (*now)(const struct vm_clock *c);
};
extern const struct vm_calls vm_calls_monitor; /* calls.c */

enum { VM_NET_BURST = 64 /* frames that are handed on at once */ };

struct vm_net_limits {
	uint32_t queue_max; /* descriptors of each queue, a power of two */
	size_t in_len;      /* bytes for frames that come, and for those that go */
	size_t out_len;
};
extern const struct vm_net_limits vm_net_usual; /* room for bulk: 1 MiB in all */
extern const struct vm_net_limits vm_net_small; /* for machines of few MiB: 384 KiB in all */

struct vm_net_counts {
	uint64_t frames_in, bytes_in, joined_in; /* joined: segments in one frame */
	uint64_t foreign_in, short_in;           /* not for us; too short to be a frame */
	uint64_t copied_in;                      /* whose buffers did not lie side by side */
	uint64_t bad_len, bad_header, bad_merge; /* what the host says makes no sense: the frame was dropped */
	uint64_t frames_out, bytes_out, cut_out; /* cut: left to the device to cut */
	uint64_t lost_out;                       /* for which there was no room */
	uint64_t kicks;
};

struct vm_net {
	struct mrg_link link;
	struct vm_net_counts counts;
	bool promiscuous;   /* set by the user: frames to foreign addresses are handed on, too */
	bool gone;          /* given up */
	const char *failed; /* why, or why it could not be had; for people */
	struct vm_virtq rx, tx;
	/* private */
	const struct vm_calls *calls;
	uint32_t device;
	bool sums_in, joined4, joined6, merge; /* what was agreed on */
	uint8_t *in, *joint;                   /* buffers side by side; where a frame is put together that is not in one piece */
	size_t slot;                           /* bytes of a buffer */
	bool joint_used;                       /* in this burst */
	uint16_t *back;                        /* buffers that came back in this burst */
	size_t back_count;
	uint8_t *out;                          /* a ring of bytes: frames that go, each in one piece */
	size_t out_cap, out_first, out_next;
	uint32_t *out_end;                     /* by descriptor: where its frame ends */
	uint16_t out_oldest, out_newest;       /* descriptors are used in turn; these count modulo 2^16 */
	struct mrg_frame burst[VM_NET_BURST];
};

size_t vm_net_memory(const struct vm_net_limits *limits); /* bytes of the arena that one takes at most */

/*
 * vm_net_init - take a network card into use.
 *   index   of the device in boot
 *   mac     six bytes: its address where the device has none, or one that is no station's
 * Fails:    false; n->failed says why: the device or what it says of itself is of no use, or the arena is too small.
 */
bool vm_net_init(struct vm_net *n, struct mrg_arena *arena, const struct vm_calls *calls, const struct vm_boot *boot, uint32_t index,
	const struct vm_net_limits *limits, const uint8_t mac[6]);

/*
 * vm_net_poll - hand on what has come, one burst at most.   Returns: whether there was anything, so that there may be more.
 * Cost:     bounded by what the queue holds, whatever the host does.
 */
bool vm_net_poll(struct vm_net *n, uint64_t now_ns);

/*
 * vm_net_flush - tell the device of what was sent and of buffers that it may use again, if it wants to know.
 */
void vm_net_flush(struct vm_net *n);

/*
 * vm_net_rest - before a sleep: frames that come from now on interrupt.   Returns: false when some have come meanwhile; then nothing does.
 * vm_net_woken - behind it: frames interrupt no more.
 */
bool vm_net_rest(struct vm_net *n);
void vm_net_woken(struct vm_net *n);

/*
 * vm_net_counts - call `each` for every counter.
 */
void vm_net_counts(const struct vm_net *n, void (*each)(void *ctx, const char *protocol, const char *name, uint64_t value), void *ctx);

#endif
