/*
 * Frames from and to a device, bursts of them each turn of the loop.
 * Reading order: the two directions of the header, send, receive, mrg_tap_init.
 */
#include <errno.h>

#include "tap/inside.h"

enum {
	ETHERNET = 14,                     /* bytes of the shortest frame: its header */
	FRAME_MAX = ETHERNET + 65535 + 51, /* longest packet of IP; a burst of them stays aligned */
	AREA = 8 * FRAME_MAX, /* short frames use the first part of it only, which then stays in the cache */
	LINE = 64,            /* bytes of a cache line */
	PAD = 2               /* bytes before a frame, so that its IP header is aligned */
};

/* ---- what is left to be done ---- */

struct virtio_net_hdr mrg_tap_header_of(const struct mrg_frame_work *work)
{
	struct virtio_net_hdr h = { .flags = 0 };
	if (work == NULL)
		return h;
	if (work->sum_at != 0) {
		h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h.csum_start = work->sum_from;
		h.csum_offset = (uint16_t)(work->sum_at - work->sum_from);
	}
	if (work->cut == MRG_FRAME_WHOLE)
		return h;
	h.gso_type = work->cut == MRG_FRAME_TCP4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
	h.gso_size = work->segment_len;
	h.hdr_len = work->header_len;
	return h;
}

struct mrg_frame_work mrg_tap_work_of(const struct virtio_net_hdr *h)
{
	const unsigned kind = h->gso_type & ~(unsigned)VIRTIO_NET_HDR_GSO_ECN;
	struct mrg_frame_work work = {
		.sum_ok = (h->flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID)) != 0
	};
	if ((h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0 && h->csum_offset <= UINT16_MAX - h->csum_start) {
		work.sum_from = h->csum_start;
		work.sum_at = (uint16_t)(h->csum_start + h->csum_offset);
	}
	if (h->gso_size == 0 || (kind != VIRTIO_NET_HDR_GSO_TCPV4 && kind != VIRTIO_NET_HDR_GSO_TCPV6))
		return work;
	work.cut = kind == VIRTIO_NET_HDR_GSO_TCPV4 ? MRG_FRAME_TCP4 : MRG_FRAME_TCP6;
	work.segment_len = h->gso_size;
	return work;
}

/* ---- the device goes ---- */

static void gone(struct mrg_tap *t, int err)
{
	if (t->watch.fd < 0)
		return;
	mrg_tap_close(t);
	if (t->log == NULL)
		return;
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "error", "link_gone");
	mrg_rt_line_str(&l, "device", t->name);
	mrg_rt_line_str(&l, "why", strerrordesc_np(err));
	mrg_rt_log_line(t->log, &l);
}

/* ---- send ---- */

/* Errors that no later call gets over: the device was taken away, or the descriptor is none. */
static bool is_final(int err) { return err == EBADF || err == EBADFD || err == ENXIO || err == ENODEV; }

static enum mrg_io lost(struct mrg_tap *t, int err)
{
	t->counts.lost_out++;
	if (!is_final(err))
		return MRG_IO_AGAIN; /* no room, the interface is down, a frame that the kernel finds fault with */
	gone(t, err);
	return MRG_IO_RESET;
}

static enum mrg_io send_frame(
	struct mrg_link *l, const struct mrg_span *parts, size_t count, const struct mrg_frame_work *work)
{
	struct mrg_tap *const t = (struct mrg_tap *)(void *)l;
	struct virtio_net_hdr h = mrg_tap_header_of(work);
	struct iovec iov[1 + MRG_TAP_PARTS];
	if (t->watch.fd < 0)
		return lost(t, EBADF);
	if (count > MRG_TAP_PARTS)
		return lost(t, EMSGSIZE);
	iov[0] = (struct iovec){ &h, sizeof h };
	for (size_t i = 0; i < count; i++) {
		/* The kernel only reads what the vector points to; its type serves both directions. */
		memcpy(&iov[1 + i].iov_base, &parts[i].p, sizeof iov[i].iov_base);
		iov[1 + i].iov_len = parts[i].len;
	}
	const ssize_t n = t->sys->writev(t->watch.fd, iov, (int)count + 1);
	if (n < 0)
		return lost(t, errno);
	t->counts.frames_out++;
	t->counts.bytes_out += (size_t)n - sizeof h;
	t->counts.cut_out += h.gso_type != VIRTIO_NET_HDR_GSO_NONE;
	return MRG_IO_OK;
}

static const struct mrg_link_ops tap_ops = { .send = send_frame };

/* ---- receive ---- */

/* To us, or to many: nobody else has sorted them out. */
static bool is_ours(const struct mrg_tap *t, const uint8_t *to)
{
	return (to[0] & 1u) != 0 || memcmp(to, t->link.address, sizeof t->link.address) == 0;
}

/* A frame of `len` bytes, its header included, was read to p; false when nobody is to get it. */
static bool keep(
	struct mrg_tap *t, const struct virtio_net_hdr *h, uint8_t *p, size_t len, struct mrg_frame *f)
{
	if (len < sizeof *h + ETHERNET) {
		t->counts.short_in++;
		return false;
	}
	if (!t->promiscuous && !is_ours(t, p)) {
		t->counts.foreign_in++;
		return false;
	}
	*f = (struct mrg_frame){ .p = p, .len = len - sizeof *h, .work = mrg_tap_work_of(h) };
	f->cap = (PAD + f->len + LINE - 1u) / LINE * LINE - PAD;
	t->counts.frames_in++;
	t->counts.bytes_in += f->len;
	t->counts.joined_in += f->work.segment_len != 0;
	return true;
}

/* As many frames as there are, up to the area's end; returns how many. */
static size_t read_burst(struct mrg_tap *t, int *err)
{
	size_t count = 0, at = 0;
	*err = 0;
	for (unsigned i = 0; i < MRG_TAP_BURST && AREA - at >= LINE + FRAME_MAX; i++) {
		struct virtio_net_hdr h;
		uint8_t *const p = t->area + at + PAD;
		const struct iovec iov[2] = { { &h, sizeof h }, { p, FRAME_MAX } };
		const ssize_t n = t->sys->readv(t->watch.fd, iov, 2);
		if (n <= 0) {
			*err = n < 0 ? errno : EBADFD; /* a device has no end but its own */
			break;
		}
		if (keep(t, &h, p, (size_t)n, &t->burst[count])) {
			at += PAD + t->burst[count].cap;
			count++;
		}
	}
	return count;
}

static void receive(struct mrg_unix_watch *w, struct mrg_unix_loop *l, uint32_t events)
{
	struct mrg_tap *const t = (struct mrg_tap *)(void *)((char *)w - offsetof(struct mrg_tap, watch));
	int err;
	(void)events;
	const size_t count = read_burst(t, &err);
	if (count != 0 && t->link.user.frames != NULL)
		t->link.user.frames(t->link.user.ctx, t->burst, count, l->now_ns);
	switch (err) {
	case 0:
	case EAGAIN:
	case EINTR:
	case ENOBUFS:
	case ENOMEM:
	case ENETDOWN:
		return; /* the last is said once, when the interface is set down; it may come up again */
	default: gone(t, err);
	}
}

/* ---- beginning and end ---- */

size_t mrg_tap_memory(void) { return AREA + LINE; }

int mrg_tap_init(struct mrg_tap *t, struct mrg_unix_loop *loop, struct mrg_arena *arena,
	const struct mrg_tap_sys *sys, const struct mrg_tap_device *device, const struct mrg_rt_log *log)
{
	*t = (struct mrg_tap){
		.link = { .ops = &tap_ops,
			.mtu = device->mtu,
			.sums = true,
			.cut_max = ETHERNET + UINT16_MAX },
		.watch = { .ready = receive, .fd = device->fd },
		.loop = loop,
		.sys = sys,
		.log = log,
		.area = mrg_arena_get(arena, AREA, LINE),
	};
	memcpy(t->link.address, device->address, sizeof t->link.address);
	memcpy(t->name, device->name, sizeof t->name);
	if (t->area == NULL)
		return ENOMEM;
	return mrg_unix_watch_set(loop, &t->watch, EPOLL_CTL_ADD, EPOLLIN);
}

void mrg_tap_close(struct mrg_tap *t)
{
	if (t->watch.fd < 0)
		return;
	(void)t->sys->close(t->watch.fd);
	t->watch.fd = -1;
}
