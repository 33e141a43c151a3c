/*
 * runtime/tap: frames over a pair of sockets in place of a device, the header before them, every system call failing in turn.
 *
 * The device's side writes and reads messages, a header and a frame each, as a TAP device has them. No test sleeps: what the device's
 * side has sent is there when its send has returned, and the loop is run until a given number of frames were handled.
 */
#include <check.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "runtime/faulty.h"
#include "tap/inside.h"

enum { HEADER = sizeof(struct virtio_net_hdr), LONGEST = 14 + 65535 };

static struct mrg_arena arena;
static struct mrg_unix_loop loop;
static struct mrg_tap tap;
static struct mrg_tap_sys sys;
static struct faulty fail_readv, fail_writev;
static int device; /* its side */
static size_t handled, wanted, bursts, biggest;
static struct mrg_frame last;
static uint8_t last_bytes[LONGEST];
static char lines[1024];
static unsigned turns;

/* ---- the kit ---- */

static ssize_t some_readv(int fd, const struct iovec *iov, int count)
{
	return faulty_fails(&fail_readv) ? -1 : readv(fd, iov, count);
}

static ssize_t some_writev(int fd, const struct iovec *iov, int count)
{
	return faulty_fails(&fail_writev) ? -1 : writev(fd, iov, count);
}

static void frames(void *ctx, struct mrg_frame *f, size_t count, uint64_t now_ns)
{
	ck_assert_ptr_eq(ctx, &tap);
	ck_assert_uint_ge(count, 1);
	ck_assert_uint_ge(now_ns, 1);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_ge(f[i].cap, f[i].len);
		ck_assert(i + 1 == count || f[i].p + f[i].cap <= f[i + 1].p);
		f[i].p[f[i].cap - 1] ^= 0; /* it may be written to, as the sanitizer sees */
	}
	last = f[count - 1];
	memcpy(last_bytes, last.p, last.len);
	handled += count;
	bursts++;
	biggest = count > biggest ? count : biggest;
}

static bool until_handled(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	return handled < wanted && tap.watch.fd >= 0 && turns-- != 0;
}

/* Run the loop until `count` more frames were handled, the device is gone, or it has had its turns. */
static void serve(size_t count)
{
	const struct mrg_unix_turn turn = { .turn = until_handled };
	wanted = handled + count;
	turns = 200;
	ck_assert_int_eq(mrg_unix_loop_run(&loop, &turn), 0);
}

static void keep_line(void *ctx, struct mrg_span line)
{
	(void)ctx;
	ck_assert_uint_lt(line.len, sizeof lines);
	memcpy(lines, line.p, line.len);
	lines[line.len] = '\0';
}

static const struct mrg_rt_log note = { .line = keep_line };

static void start(void)
{
	const struct mrg_unix_limits limits = { .conn_count = 1 };
	struct mrg_tap_device d = { .name = "tap7", .address = { 2, 0, 0, 0, 0, 1 }, .mtu = 1500 };
	const int queue = 4 << 20;
	int pair[2];
	memset(&faulty, 0, sizeof faulty);
	memset(&fail_readv, 0, sizeof fail_readv);
	memset(&fail_writev, 0, sizeof fail_writev);
	handled = wanted = bursts = biggest = 0;
	lines[0] = '\0';
	sys = mrg_tap_kernel;
	sys.readv = some_readv;
	sys.writev = some_writev;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	for (size_t i = 0; i < 2; i++)
		(void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUFFORCE, &queue, sizeof queue);
	d.fd = pair[0];
	device = pair[1];
	ck_assert_int_eq(mrg_unix_arena_open(&arena, 8u << 20, 8u << 20), 0);
	ck_assert_int_eq(mrg_unix_loop_init(&loop, &faulty_sys, &arena, &limits), 0);
	ck_assert_int_eq(mrg_tap_init(&tap, &loop, &arena, &sys, &d, &note), 0);
	tap.link.user = (struct mrg_link_user){ .ctx = &tap, .frames = frames };
}

static void stop(void)
{
	mrg_tap_close(&tap);
	mrg_unix_loop_close(&loop);
	mrg_unix_arena_close(&arena);
	if (device >= 0)
		(void)close(device);
}

/* A frame of `len` bytes to our address, its bytes counted up behind the addresses. */
static void give(const struct virtio_net_hdr *h, size_t len)
{
	static uint8_t message[HEADER + LONGEST];
	static const uint8_t ours[6] = { 2, 0, 0, 0, 0, 1 };
	memcpy(message, h, HEADER);
	memcpy(message + HEADER, ours, sizeof ours);
	for (size_t i = sizeof ours; i < len; i++)
		message[HEADER + i] = (uint8_t)(i * 7u);
	ck_assert_int_eq(send(device, message, HEADER + len, 0), (ssize_t)(HEADER + len));
}

static const struct virtio_net_hdr plain;

static enum mrg_io send_one(const struct mrg_frame_work *work, const char *text)
{
	const struct mrg_span parts[3] = { { (const uint8_t *)text, 2 }, { NULL, 0 },
		{ (const uint8_t *)text + 2, strlen(text) - 2 } };
	return mrg_link_send(&tap.link, parts, 3, work);
}

/* ---- the header ---- */

START_TEST(work_becomes_a_header)
{
	struct virtio_net_hdr h = mrg_tap_header_of(NULL);
	ck_assert_int_eq(memcmp(&h, &plain, sizeof h), 0);
	h = mrg_tap_header_of(&(struct mrg_frame_work){ .sum_from = 34, .sum_at = 50 });
	ck_assert_uint_eq(h.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	ck_assert_uint_eq(h.gso_type, VIRTIO_NET_HDR_GSO_NONE);
	ck_assert_uint_eq(h.csum_start, 34);
	ck_assert_uint_eq(h.csum_offset, 16);
	h = mrg_tap_header_of(&(struct mrg_frame_work){
		.sum_from = 34, .sum_at = 50, .cut = MRG_FRAME_TCP4, .segment_len = 1448, .header_len = 66 });
	ck_assert_uint_eq(h.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	ck_assert_uint_eq(h.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	ck_assert_uint_eq(h.gso_size, 1448);
	ck_assert_uint_eq(h.hdr_len, 66);
	h = mrg_tap_header_of(&(struct mrg_frame_work){
		.sum_from = 54, .sum_at = 70, .cut = MRG_FRAME_TCP6, .segment_len = 1428, .header_len = 86 });
	ck_assert_uint_eq(h.gso_type, VIRTIO_NET_HDR_GSO_TCPV6);
}
END_TEST

START_TEST(a_header_says_what_was_done)
{
	struct mrg_frame_work w = mrg_tap_work_of(&plain);
	ck_assert(!w.sum_ok && w.cut == MRG_FRAME_WHOLE && w.segment_len == 0);
	w = mrg_tap_work_of(&(struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_DATA_VALID });
	ck_assert(w.sum_ok);
	w = mrg_tap_work_of(&(struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN,
		.gso_size = 1400 });
	ck_assert(w.sum_ok && w.cut == MRG_FRAME_TCP4 && w.segment_len == 1400);
	w = mrg_tap_work_of(&(struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16 });
	ck_assert(w.sum_ok && w.sum_from == 34 && w.sum_at == 50);
	w = mrg_tap_work_of(&(struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 65530, .csum_offset = 16 });
	ck_assert(w.sum_from == 0 && w.sum_at == 0);
	w = mrg_tap_work_of(
		&(struct virtio_net_hdr){ .gso_type = VIRTIO_NET_HDR_GSO_TCPV6, .gso_size = 1200 });
	ck_assert(!w.sum_ok && w.cut == MRG_FRAME_TCP6 && w.segment_len == 1200);
	/* no length of segments, another kind of segments: a frame as others are */
	w = mrg_tap_work_of(&(struct virtio_net_hdr){ .gso_type = VIRTIO_NET_HDR_GSO_TCPV6 });
	ck_assert(w.cut == MRG_FRAME_WHOLE && w.segment_len == 0);
	w = mrg_tap_work_of(&(struct virtio_net_hdr){ .gso_type = VIRTIO_NET_HDR_GSO_UDP, .gso_size = 1200 });
	ck_assert(w.cut == MRG_FRAME_WHOLE && w.segment_len == 0);
}
END_TEST

/* ---- frames that come ---- */

START_TEST(frames_come_whole)
{
	const struct virtio_net_hdr joined = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1448
	};
	static const size_t lens[] = { 14, 15, 60, 1514, 9014, LONGEST };
	start();
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		give(i % 2 == 0 ? &plain : &joined, lens[i]);
		serve(1);
		ck_assert_uint_eq(handled, i + 1);
		ck_assert_uint_eq(last.len, lens[i]);
		ck_assert_uint_eq(((uintptr_t)last.p + 14u) % 4u, 0);
		ck_assert_uint_eq(last.work.segment_len, i % 2 == 0 ? 0 : 1448);
		ck_assert(last.work.sum_ok == (i % 2 != 0));
		for (size_t k = 6; k < lens[i]; k++)
			ck_assert_uint_eq(last_bytes[k], (uint8_t)(k * 7u));
	}
	ck_assert_uint_eq(tap.counts.frames_in, 6);
	ck_assert_uint_eq(tap.counts.bytes_in, 14 + 15 + 60 + 1514 + 9014 + LONGEST);
	ck_assert_uint_eq(tap.counts.joined_in, 3);
	stop();
}
END_TEST

START_TEST(bursts_are_bounded)
{
	start();
	for (size_t i = 0; i < 100; i++)
		give(&plain, 60);
	serve(100);
	ck_assert_uint_eq(handled, 100);
	ck_assert_uint_eq(biggest, MRG_TAP_BURST);
	ck_assert_uint_eq(bursts, 2);
	biggest = 0;
	for (size_t i = 0; i < 20; i++)
		give(&plain, LONGEST);
	serve(20);
	ck_assert_uint_le(biggest, mrg_tap_memory() / LONGEST);
	ck_assert_uint_eq(handled, 120);
	ck_assert_uint_eq(last.len, LONGEST);
	stop();
}
END_TEST

START_TEST(others_frames_are_not_handed_on)
{
	static const uint8_t to_other[HEADER + 60] = { [HEADER] = 2, [HEADER + 5] = 2 };
	static const uint8_t to_all[HEADER + 60] = { [HEADER] = 0xff };
	static const uint8_t to_group[HEADER + 60] = { [HEADER] = 0x33 };
	start();
	ck_assert_int_eq(send(device, to_other, sizeof to_other, 0), sizeof to_other);
	ck_assert_int_eq(send(device, to_all, HEADER + 13, 0), HEADER + 13);
	ck_assert_int_eq(send(device, to_all, HEADER - 1, 0), HEADER - 1);
	ck_assert_int_eq(send(device, to_all, sizeof to_all, 0), sizeof to_all);
	ck_assert_int_eq(send(device, to_group, sizeof to_group, 0), sizeof to_group);
	serve(2);
	ck_assert_uint_eq(handled, 2);
	ck_assert_uint_eq(last_bytes[0], 0x33);
	ck_assert_uint_eq(tap.counts.foreign_in, 1);
	ck_assert_uint_eq(tap.counts.short_in, 2);
	tap.promiscuous = true;
	ck_assert_int_eq(send(device, to_other, sizeof to_other, 0), sizeof to_other);
	serve(1);
	ck_assert_uint_eq(handled, 3);
	stop();
}
END_TEST

START_TEST(frames_without_a_user_are_lost)
{
	start();
	tap.link.user.frames = NULL;
	give(&plain, 60);
	turns = 1;
	wanted = 1;
	const struct mrg_unix_turn turn = { .turn = until_handled };
	ck_assert_int_eq(mrg_unix_loop_run(&loop, &turn), 0);
	ck_assert_uint_eq(tap.counts.frames_in, 1);
	stop();
}
END_TEST

START_TEST(reads_that_fail_are_tried_again)
{
	static const int passing[] = { EINTR, ENOBUFS, ENOMEM, ENETDOWN, EAGAIN };
	start();
	for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++) {
		fail_readv = (struct faulty){ .count = 1, .err = passing[i] };
		give(&plain, 60);
		serve(1);
		ck_assert_uint_eq(handled, i + 1);
		ck_assert_uint_ge(fail_readv.calls, 2);
	}
	ck_assert_str_eq(lines, "");
	stop();
}
END_TEST

START_TEST(a_device_that_goes_is_told_once)
{
	static const int final[] = { EBADFD, EIO };
	for (size_t i = 0; i < sizeof final / sizeof final[0]; i++) {
		start();
		fail_readv = (struct faulty){ .skip = 1, .count = 1, .err = final[i] };
		give(&plain, 60);
		serve(2);
		ck_assert_uint_eq(handled, 1); /* what came before is not lost */
		ck_assert_int_eq(tap.watch.fd, -1);
		ck_assert_ptr_nonnull(strstr(lines, "level=error event=link_gone device=tap7 why="));
		lines[0] = '\0';
		ck_assert_int_eq(send_one(NULL, "abcdef"), MRG_IO_RESET);
		ck_assert_uint_eq(tap.counts.lost_out, 1);
		ck_assert_str_eq(lines, "");
		stop();
	}
}
END_TEST

START_TEST(an_end_is_the_device_going)
{
	start();
	(void)close(device);
	device = -1;
	serve(1);
	ck_assert_int_eq(tap.watch.fd, -1);
	ck_assert_ptr_nonnull(strstr(lines, "event=link_gone"));
	stop();
}
END_TEST

/* ---- frames that go ---- */

START_TEST(frames_go_behind_their_header)
{
	const struct mrg_frame_work work = { .sum_from = 2, .sum_at = 4 };
	const struct virtio_net_hdr h = mrg_tap_header_of(&work);
	uint8_t got[64];
	start();
	ck_assert_int_eq(send_one(&work, "abcdef"), MRG_IO_OK);
	ck_assert_int_eq(recv(device, got, sizeof got, 0), HEADER + 6);
	ck_assert_int_eq(memcmp(got, &h, HEADER), 0);
	ck_assert_int_eq(memcmp(got + HEADER, "abcdef", 6), 0);
	ck_assert_int_eq(send_one(NULL, "xyz"), MRG_IO_OK);
	ck_assert_int_eq(recv(device, got, sizeof got, 0), HEADER + 3);
	ck_assert_int_eq(memcmp(got, &plain, HEADER), 0);
	ck_assert_uint_eq(tap.counts.frames_out, 2);
	ck_assert_uint_eq(tap.counts.bytes_out, 9);
	ck_assert_uint_eq(tap.counts.cut_out, 0);
	ck_assert_uint_eq(tap.counts.lost_out, 0);
	stop();
}
END_TEST

START_TEST(frames_that_are_not_taken_are_counted)
{
	static const int passing[] = { EAGAIN, ENOBUFS, ENOMEM, EINTR, EIO, ENETDOWN, EINVAL, EMSGSIZE };
	const size_t count = sizeof passing / sizeof passing[0];
	start();
	for (size_t i = 0; i < count; i++) {
		fail_writev = (struct faulty){ .count = 1, .err = passing[i] };
		ck_assert_int_eq(send_one(NULL, "abcdef"), MRG_IO_AGAIN);
		ck_assert_int_eq(send_one(NULL, "abcdef"), MRG_IO_OK);
		ck_assert_uint_eq(tap.counts.lost_out, i + 1);
		ck_assert_uint_eq(tap.counts.frames_out, i + 1);
	}
	ck_assert_str_eq(lines, "");
	stop();
}
END_TEST

START_TEST(a_device_that_is_gone_takes_none)
{
	static const int final[] = { EBADFD, EBADF, ENXIO, ENODEV };
	for (size_t i = 0; i < sizeof final / sizeof final[0]; i++) {
		start();
		fail_writev = (struct faulty){ .count = 1, .err = final[i] };
		ck_assert_int_eq(send_one(NULL, "abcdef"), MRG_IO_RESET);
		ck_assert_ptr_nonnull(strstr(lines, "event=link_gone"));
		ck_assert_int_eq(send_one(NULL, "abcdef"), MRG_IO_RESET);
		ck_assert_uint_eq(fail_writev.calls, 1);
		ck_assert_uint_eq(tap.counts.lost_out, 2);
		stop();
	}
}
END_TEST

START_TEST(too_many_parts_are_refused)
{
	struct mrg_span parts[MRG_TAP_PARTS + 1];
	for (size_t i = 0; i < MRG_TAP_PARTS + 1; i++)
		parts[i] = (struct mrg_span){ (const uint8_t *)"a", 1 };
	start();
	ck_assert_int_eq(mrg_link_send(&tap.link, parts, MRG_TAP_PARTS, NULL), MRG_IO_OK);
	ck_assert_int_eq(mrg_link_send(&tap.link, parts, MRG_TAP_PARTS + 1, NULL), MRG_IO_AGAIN);
	ck_assert_uint_eq(tap.counts.lost_out, 1);
	stop();
}
END_TEST

START_TEST(an_arena_may_be_too_small)
{
	struct mrg_arena small;
	const struct mrg_tap_device d = { .fd = -1 };
	start();
	ck_assert_int_eq(mrg_unix_arena_open(&small, 4096, 4096), 0);
	struct mrg_tap other;
	ck_assert_int_eq(mrg_tap_init(&other, &loop, &small, &sys, &d, NULL), ENOMEM);
	mrg_unix_arena_close(&small);
	stop();
}
END_TEST

/* ---- opening ---- */

/* A kernel that has every interface, and in which the call number `fail_at` fails with `fail_with`. */
static struct {
	unsigned calls, fail_at;
	int fail_with;
	int open_fds;
	bool up, set_up, no_force;
	unsigned offload, flags;
	struct sockaddr_ll bound;
	struct packet_mreq membership;
} kernel;

static bool fails(void)
{
	errno = kernel.fail_with;
	return kernel.calls++ == kernel.fail_at;
}

static int fake_fd(void)
{
	kernel.open_fds++;
	return 1000;
}

static int fake_open(const char *path, int flags)
{
	ck_assert_str_eq(path, "/dev/net/tun");
	(void)flags;
	return fails() ? -1 : fake_fd();
}

static int fake_socket(int family, int type, int protocol)
{
	(void)family;
	(void)type;
	(void)protocol;
	return fails() ? -1 : fake_fd();
}

static void answer(unsigned long request, struct ifreq *r)
{
	static const uint8_t hardware[6] = { 0x0a, 1, 2, 3, 4, 5 };
	if (request == SIOCGIFHWADDR)
		memcpy(r->ifr_hwaddr.sa_data, hardware, sizeof hardware);
	else if (request == SIOCGIFMTU)
		r->ifr_mtu = 9000;
	else if (request == SIOCGIFINDEX)
		r->ifr_ifindex = 5;
	else if (request == SIOCGIFFLAGS)
		r->ifr_flags = kernel.up ? IFF_UP : 0;
	else if (request == SIOCSIFFLAGS)
		kernel.set_up = (r->ifr_flags & IFF_UP) != 0;
	else
		ck_assert(false);
}

static int fake_ioctl(int fd, unsigned long request, void *arg)
{
	ck_assert_int_eq(fd, 1000);
	if (fails())
		return -1;
	if (request == TUNSETVNETHDRSZ) {
		ck_assert_int_eq(*(const int *)arg, (int)HEADER);
	} else if (request == TUNSETOFFLOAD) {
		kernel.offload = (unsigned)(uintptr_t)arg;
	} else if (request == TUNSETIFF) {
		struct ifreq *const r = arg;
		kernel.flags = (unsigned short)r->ifr_flags;
		ck_assert_str_eq(r->ifr_name, "tap%d");
		memcpy(r->ifr_name, "tap3", 5);
	} else {
		struct ifreq *const r = arg;
		ck_assert(strcmp(r->ifr_name, "tap3") == 0 || strcmp(r->ifr_name, "eth0") == 0);
		answer(request, r);
	}
	return 0;
}

static int fake_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	ck_assert_int_eq(fd, 1000);
	if (level == SOL_SOCKET)
		return kernel.no_force && (name == SO_RCVBUFFORCE || name == SO_SNDBUFFORCE) ? -1 : 0;
	if (fails())
		return -1;
	if (name == PACKET_ADD_MEMBERSHIP) {
		ck_assert_uint_eq(len, sizeof kernel.membership);
		memcpy(&kernel.membership, value, sizeof kernel.membership);
	}
	return 0;
}

static int fake_bind(int fd, const struct sockaddr *a, socklen_t len)
{
	ck_assert_int_eq(fd, 1000);
	ck_assert_uint_eq(len, sizeof kernel.bound);
	memcpy(&kernel.bound, a, sizeof kernel.bound);
	return fails() ? -1 : 0;
}

static int fake_close(int fd)
{
	ck_assert_int_eq(fd, 1000);
	kernel.open_fds--;
	return 0;
}

static const struct mrg_tap_sys fake = { .open = fake_open,
	.socket = fake_socket,
	.ioctl = fake_ioctl,
	.setsockopt = fake_setsockopt,
	.bind = fake_bind,
	.close = fake_close };

static const uint8_t made_address[6] = { 0x4a, 1, 2, 3, 4, 5 };

static void fresh(unsigned fail_at, int fail_with)
{
	memset(&kernel, 0, sizeof kernel);
	kernel.fail_at = fail_at;
	kernel.fail_with = fail_with;
}

START_TEST(a_tap_is_opened_as_it_should_be)
{
	struct mrg_tap_device d;
	fresh(99, 0);
	ck_assert_int_eq(mrg_tap_open(&fake, "tap%d", &d), 0);
	ck_assert_str_eq(d.name, "tap3");
	ck_assert_ptr_null(d.failed);
	ck_assert_int_eq(d.fd, 1000);
	ck_assert_uint_eq(d.mtu, 9000);
	ck_assert_int_eq(memcmp(d.address, made_address, 6), 0);
	ck_assert_uint_eq(kernel.flags, IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
	ck_assert_uint_eq(kernel.offload, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6);
	ck_assert(kernel.set_up);
	ck_assert_int_eq(kernel.open_fds, 1);
	fresh(99, 0);
	kernel.up = true;
	ck_assert_int_eq(mrg_tap_open(&fake, "tap%d", &d), 0);
	ck_assert(!kernel.set_up);
}
END_TEST

START_TEST(an_interface_is_shared_as_it_should_be)
{
	struct mrg_tap_device d;
	for (unsigned force = 0; force < 2; force++) {
		fresh(99, 0);
		kernel.no_force = force != 0;
		ck_assert_int_eq(mrg_tap_packet_open(&fake, "eth0", &d), 0);
		ck_assert_str_eq(d.name, "eth0");
		ck_assert_int_eq(memcmp(d.address, made_address, 6), 0);
		ck_assert_int_eq(kernel.bound.sll_ifindex, 5);
		ck_assert_int_eq(kernel.membership.mr_ifindex, 5);
		ck_assert_int_eq(kernel.membership.mr_type, PACKET_MR_PROMISC);
		ck_assert(!kernel.set_up);
		ck_assert_int_eq(kernel.open_fds, 1);
	}
}
END_TEST

/* Each call in turn fails: that is said, and nothing stays open. Calls that set the interface up may fail. */
static unsigned failures(
	int (*open_any)(const struct mrg_tap_sys *, const char *, struct mrg_tap_device *), const char *name)
{
	unsigned failed = 0;
	for (unsigned at = 0; at < 20; at++) {
		struct mrg_tap_device d;
		fresh(at, EPERM);
		const int err = open_any(&fake, name, &d);
		ck_assert(err == 0 || err == EPERM);
		ck_assert_int_eq(kernel.open_fds, err == 0 ? 1 : 0);
		ck_assert_int_eq(d.fd, err == 0 ? 1000 : -1);
		ck_assert((d.failed != NULL) == (err != 0));
		failed += err != 0;
	}
	return failed;
}

START_TEST(each_call_of_opening_may_fail)
{
	/* open, TUNSETIFF, TUNSETVNETHDRSZ, TUNSETOFFLOAD, socket, SIOCGIFHWADDR, SIOCGIFMTU */
	ck_assert_uint_eq(failures(mrg_tap_open, "tap%d"), 7);
	/* socket, two options, socket, SIOCGIFHWADDR, SIOCGIFMTU, SIOCGIFINDEX, bind, membership */
	ck_assert_uint_eq(failures(mrg_tap_packet_open, "eth0"), 9);
}
END_TEST

START_TEST(names_that_are_none)
{
	struct mrg_tap_device d;
	fresh(99, 0);
	ck_assert_int_eq(mrg_tap_open(&fake, "", &d), EINVAL);
	ck_assert_int_eq(mrg_tap_open(&fake, "abcdefghijklmnop", &d), EINVAL);
	ck_assert_int_eq(mrg_tap_packet_open(&fake, "abcdefghijklmnopq", &d), EINVAL);
	ck_assert_uint_eq(kernel.calls, 0);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("tap");
	TCase *const t = tcase_create("all");
	tcase_add_test(t, work_becomes_a_header);
	tcase_add_test(t, a_header_says_what_was_done);
	tcase_add_test(t, frames_come_whole);
	tcase_add_test(t, bursts_are_bounded);
	tcase_add_test(t, others_frames_are_not_handed_on);
	tcase_add_test(t, frames_without_a_user_are_lost);
	tcase_add_test(t, reads_that_fail_are_tried_again);
	tcase_add_test(t, a_device_that_goes_is_told_once);
	tcase_add_test(t, an_end_is_the_device_going);
	tcase_add_test(t, frames_go_behind_their_header);
	tcase_add_test(t, frames_that_are_not_taken_are_counted);
	tcase_add_test(t, a_device_that_is_gone_takes_none);
	tcase_add_test(t, too_many_parts_are_refused);
	tcase_add_test(t, an_arena_may_be_too_small);
	tcase_add_test(t, a_tap_is_opened_as_it_should_be);
	tcase_add_test(t, an_interface_is_shared_as_it_should_be);
	tcase_add_test(t, each_call_of_opening_may_fail);
	tcase_add_test(t, names_that_are_none);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
