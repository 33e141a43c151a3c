/*
 * Opening devices: TAP, and sockets on interfaces of the kernel's.
 * Reading order: asking interfaces, mrg_tap_open, mrg_tap_packet_open.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tap/inside.h"

_Static_assert((int)MRG_TAP_NAME == (int)IFNAMSIZ, "names of interfaces");

enum { QUEUE = 8 << 20 }; /* bytes wanted for frames that wait in a socket; the kernel may give less */

static int kernel_open(const char *path, int flags) { return open(path, flags); }
static int kernel_ioctl(int fd, unsigned long request, void *arg) { return ioctl(fd, request, arg); }

const struct mrg_tap_sys mrg_tap_kernel = {
	.open = kernel_open,
	.socket = socket,
	.ioctl = kernel_ioctl,
	.setsockopt = setsockopt,
	.bind = bind,
	.readv = readv,
	.writev = writev,
	.close = close,
};

/* ---- interfaces ---- */

static bool set_name(const char *name, struct mrg_tap_device *d)
{
	const size_t len = strnlen(name, sizeof d->name);
	*d = (struct mrg_tap_device){ .fd = -1, .failed = "name" };
	if (len == 0 || len >= sizeof d->name)
		return false;
	memcpy(d->name, name, len);
	return true;
}

static struct ifreq request_of(const struct mrg_tap_device *d)
{
	struct ifreq r = { .ifr_flags = 0 };
	memcpy(r.ifr_name, d->name, sizeof d->name);
	return r;
}

/* Another one than the kernel's own (IEEE 802c: locally administered), which frames to us would otherwise reach as well. */
static void make_address(const uint8_t *kernel, uint8_t out[6])
{
	const unsigned local = 2, group = 1, other = 0x40;
	memcpy(out, kernel, 6);
	out[0] = (uint8_t)(((out[0] ^ other) | local) & ~group);
}

/* One question to an interface, by a socket that is for this only. */
static bool ask(const struct mrg_tap_sys *sys, int fd, struct mrg_tap_device *d, unsigned long request,
	const char *what, struct ifreq *r)
{
	*r = request_of(d);
	d->failed = what;
	return sys->ioctl(fd, request, r) == 0;
}

static bool ask_all(const struct mrg_tap_sys *sys, int fd, struct mrg_tap_device *d)
{
	struct ifreq r;
	if (!ask(sys, fd, d, SIOCGIFHWADDR, "SIOCGIFHWADDR", &r))
		return false;
	make_address((const uint8_t *)r.ifr_hwaddr.sa_data, d->address);
	if (!ask(sys, fd, d, SIOCGIFMTU, "SIOCGIFMTU", &r))
		return false;
	d->mtu = r.ifr_mtu < 0 ? 0 : r.ifr_mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)r.ifr_mtu;
	return true;
}

/* Addresses and the like.  set_up: the interface is to be up; who may not do that leaves it to others. */
static bool look_up(const struct mrg_tap_sys *sys, struct mrg_tap_device *d, bool set_up)
{
	struct ifreq r;
	const int fd = sys->socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	d->failed = "socket";
	if (fd < 0)
		return false;
	const bool good = ask_all(sys, fd, d);
	const int err = errno;
	if (good && set_up && ask(sys, fd, d, SIOCGIFFLAGS, "SIOCGIFFLAGS", &r) &&
		(r.ifr_flags & IFF_UP) == 0) {
		r.ifr_flags = (short)(r.ifr_flags | IFF_UP);
		(void)sys->ioctl(fd, SIOCSIFFLAGS, &r);
	}
	(void)sys->close(fd);
	errno = err;
	return good;
}

/* The device is open, or what was opened of it is closed again. */
static int finish(const struct mrg_tap_sys *sys, struct mrg_tap_device *d, bool good)
{
	const int err = errno;
	if (good) {
		d->failed = NULL;
		return 0;
	}
	if (d->fd >= 0)
		(void)sys->close(d->fd);
	d->fd = -1;
	return err;
}

/* ---- TAP ---- */

static bool make_tap(const struct mrg_tap_sys *sys, struct mrg_tap_device *d)
{
	struct ifreq r = request_of(d);
	unsigned offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	int header = sizeof(struct virtio_net_hdr);
	r.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	d->failed = "TUNSETIFF";
	if (sys->ioctl(d->fd, TUNSETIFF, &r) != 0)
		return false;
	memcpy(d->name, r.ifr_name, sizeof d->name); /* the kernel fills in the number of `tap%d` */
	d->failed = "TUNSETVNETHDRSZ";
	if (sys->ioctl(d->fd, TUNSETVNETHDRSZ, &header) != 0)
		return false;
	/* The request takes a number where others take a pointer. */
	d->failed = "TUNSETOFFLOAD";
	return sys->ioctl(d->fd, TUNSETOFFLOAD, (void *)(uintptr_t)offload) == 0;
}

int mrg_tap_open(const struct mrg_tap_sys *sys, const char *name, struct mrg_tap_device *out)
{
	if (!set_name(name, out))
		return EINVAL;
	out->failed = "/dev/net/tun";
	out->fd = sys->open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return finish(sys, out, out->fd >= 0 && make_tap(sys, out) && look_up(sys, out, true));
}

/* ---- interfaces of the kernel's ---- */

static bool set_on(const struct mrg_tap_sys *sys, struct mrg_tap_device *d, int name, const char *what)
{
	const int on = 1;
	d->failed = what;
	return sys->setsockopt(d->fd, SOL_PACKET, name, &on, sizeof on) == 0;
}

/* More room is better, less does no harm. */
static void widen(const struct mrg_tap_sys *sys, int fd)
{
	const int len = QUEUE;
	if (sys->setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &len, sizeof len) != 0)
		(void)sys->setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &len, sizeof len);
	if (sys->setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &len, sizeof len) != 0)
		(void)sys->setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &len, sizeof len);
}

static bool bind_packet(const struct mrg_tap_sys *sys, struct mrg_tap_device *d)
{
	struct ifreq r;
	if (!ask(sys, d->fd, d, SIOCGIFINDEX, "SIOCGIFINDEX", &r))
		return false;
	const struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = r.ifr_ifindex
	};
	const struct packet_mreq all = { .mr_ifindex = r.ifr_ifindex, .mr_type = PACKET_MR_PROMISC };
	d->failed = "bind";
	if (sys->bind(d->fd, (const struct sockaddr *)&to, sizeof to) != 0)
		return false;
	d->failed = "PACKET_ADD_MEMBERSHIP";
	return sys->setsockopt(d->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) == 0;
}

int mrg_tap_packet_open(const struct mrg_tap_sys *sys, const char *name, struct mrg_tap_device *out)
{
	if (!set_name(name, out))
		return EINVAL;
	out->failed = "AF_PACKET";
	out->fd = sys->socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool good = out->fd >= 0 && set_on(sys, out, PACKET_VNET_HDR, "PACKET_VNET_HDR") &&
		    set_on(sys, out, PACKET_IGNORE_OUTGOING, "PACKET_IGNORE_OUTGOING") &&
		    look_up(sys, out, false);
	if (good) {
		widen(sys, out->fd);
		good = bind_packet(sys, out);
	}
	return finish(sys, out, good);
}
