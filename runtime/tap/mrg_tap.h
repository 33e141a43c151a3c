/*
 * mrg_tap.h - Ethernets of a Linux process: a TAP device, or an interface that the kernel has already, as a link of mrg_rt.h.
 *
 * References: tun(4) as the kernel's Documentation/networking/tuntap.rst has it; packet(7); virtio 1.2 section 5.1.6 (struct virtio_net_hdr).
 *
 * What it does not do: it configures no address of the kernel's side, and it looks at no frame but its destination.
 *
 * Use:
 *	struct mrg_tap_device device;
 *	struct mrg_tap tap;
 *	if (mrg_tap_open(&mrg_tap_kernel, "tap0", &device) != 0) ...	(with the right to do so, CAP_NET_ADMIN)
 *	mrg_tap_init(&tap, &loop, &arena, &mrg_tap_kernel, &device, &log);
 *	mrg_tcpip_if_add(stack, &tap.link);
 *	mrg_unix_loop_run(&loop, &turn);
 *
 * Checksums and the cutting of long TCP segments are left to the kernel, both ways: frames are up to 64 KiB long. Functions that
 * return `int` give 0 or a positive errno value.
 */
#ifndef MRG_TAP_H
#define MRG_TAP_H

#include <sys/uio.h>

#include "unix/mrg_unix.h"

/* System calls, in a table so that tests can let each of them fail. */
struct mrg_tap_sys {
	int (*open)(const char *path, int flags);
	int (*socket)(int family, int type, int protocol);
	int (*ioctl)(int fd, unsigned long request, void *arg);
	int (*setsockopt)(int fd, int level, int name, const void *value, socklen_t len);
	int (*bind)(int fd, const struct sockaddr *a, socklen_t len);
	ssize_t (*readv)(int fd, const struct iovec *iov, int count);
	ssize_t (*writev)(int fd, const struct iovec *iov, int count);
	int (*close)(int fd);
};

extern const struct mrg_tap_sys mrg_tap_kernel;

enum {
	MRG_TAP_NAME = 16,  /* bytes of an interface's name, NUL included */
	MRG_TAP_BURST = 64, /* frames that are handed on at once */
	MRG_TAP_PARTS = 15  /* of a frame that is sent; one with more is refused */
};

/* An open device, not yet in a loop. */
struct mrg_tap_device {
	int fd;
	char name[MRG_TAP_NAME];
	uint8_t address[6]; /* for our side: locally administered, and always the same for the same address of the kernel's side */
	uint16_t mtu;
	const char *failed; /* when the opening did: the system call and what it was to do, for people */
};

/*
 * mrg_tap_open - open a TAP device; it is made if there is none of this name, goes with the process then, and is set up.
 * mrg_tap_packet_open - share an interface of the kernel's, for frames to an address of our own; those that the kernel sends through it
 * are not seen. Both want CAP_NET_ADMIN, or a device that belongs to the user, or CAP_NET_RAW.
 * Fails:    what the system says; out->failed tells where.
 */
int mrg_tap_open(const struct mrg_tap_sys *sys, const char *name, struct mrg_tap_device *out);
int mrg_tap_packet_open(const struct mrg_tap_sys *sys, const char *name, struct mrg_tap_device *out);

struct mrg_tap_counts {
	uint64_t frames_in, bytes_in, joined_in; /* joined: segments in one frame */
	uint64_t foreign_in, short_in;           /* not for us; too short to be a frame */
	uint64_t frames_out, bytes_out, cut_out; /* cut: left to the kernel to cut */
	uint64_t lost_out;                       /* that the kernel did not take */
};

struct mrg_tap {
	struct mrg_link link;
	struct mrg_tap_counts counts;
	bool promiscuous; /* set by the user: frames to foreign addresses are handed on, too */
	/* private */
	struct mrg_unix_watch watch;
	struct mrg_unix_loop *loop;
	const struct mrg_tap_sys *sys;
	const struct mrg_rt_log *log;
	char name[MRG_TAP_NAME];
	uint8_t *area; /* where a burst is read to */
	struct mrg_frame burst[MRG_TAP_BURST];
};

size_t mrg_tap_memory(void); /* bytes of the arena that one takes */

/*
 * mrg_tap_init - a link on an open device, served by the loop, which owns the device from here on.
 *   log   told when the device is gone; NULL: nobody is
 * What the address or the MTU of the link is to be otherwise is set before frames come.   Fails: ENOMEM; what epoll_ctl says.
 */
int mrg_tap_init(struct mrg_tap *t, struct mrg_unix_loop *loop, struct mrg_arena *arena, const struct mrg_tap_sys *sys,
	const struct mrg_tap_device *device, const struct mrg_rt_log *log);

void mrg_tap_close(struct mrg_tap *t);

#endif
