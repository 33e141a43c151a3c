/*
 * bench/taploop.c - yardsticks on a TAP device: what the kernel takes for each frame, whoever answers.
 *
 *	taploop echo DEVICE	read and write, nothing else
 *	taploop wait DEVICE	poll before each read
 *	taploop five DEVICE	five calls a frame, as many as Solo5's spt makes: a timer is set, a wait for that or a frame, the frame is
 *				read and answered, and the timer looked at
 *	taploop tsc		no loop: prints how fast the time stamp counter runs, in Hz
 *
 * Each UDP datagram over IPv4 goes back to whom it came from, with QR of DNS set and without a checksum (RFC 768 allows that); other
 * frames are passed over. Nothing is checked that a kernel would not send otherwise. The device is there already.
 */
#include "bench/util.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <x86intrin.h>

enum {
	FRAME_MAX = 2048,
	ETHERNET = 14,
	TYPE_AT = 12,
	IP4 = 20,
	PROTOCOL_AT = 9,
	ADDRESSES_AT = 12,
	UDP = 8,
	UDP_SUM_AT = 6,
	UDP_NUMBER = 17,
	DNS_FLAGS_AT = 2,
	DNS_QR = 0x80,
	LEAST = ETHERNET + IP4 + UDP + DNS_FLAGS_AT + 1
};

static int device_open(const char *name, int flags)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | flags);

	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r) != 0)
		bench_die("taploop: %s: %s", name, strerror(errno));
	return fd;
}

static void swap(uint8_t *a, uint8_t *b, size_t len)
{
	uint8_t kept[8];

	memcpy(kept, a, len);
	memcpy(a, b, len);
	memcpy(b, kept, len);
}

/* Make the frame go back; false: it is none of those that are answered. */
static bool turn(uint8_t *f, ssize_t len)
{
	static const uint8_t ip4[] = { 0x08, 0x00, 0x45 };
	uint8_t *const ip = f + ETHERNET, *const udp = ip + IP4;

	if (len < LEAST || memcmp(f + TYPE_AT, ip4, sizeof ip4) != 0 || ip[PROTOCOL_AT] != UDP_NUMBER)
		return false;
	swap(f, f + 6, 6);
	swap(ip + ADDRESSES_AT, ip + ADDRESSES_AT + 4, 4);
	swap(udp, udp + 2, 2);
	memset(udp + UDP_SUM_AT, 0, 2);
	udp[UDP + DNS_FLAGS_AT] |= DNS_QR;
	return true;
}

/* Read and answer a frame. */
static void one(int fd)
{
	static uint8_t frame[FRAME_MAX];
	const ssize_t n = read(fd, frame, sizeof frame);

	if (n < 0 && errno != EAGAIN && errno != EINTR && errno != EIO)
		bench_die("taploop: read: %s", strerror(errno));
	if (turn(frame, n) && write(fd, frame, (size_t)n) != n && errno != EIO && errno != ENOBUFS)
		bench_die("taploop: write: %s", strerror(errno));
}

static void echo(int fd)
{
	for (;;)
		one(fd);
}

static void wait_each(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (;;) {
		(void)poll(&p, 1, -1);
		one(fd);
	}
}

static void five(int fd)
{
	const struct itimerspec second = { .it_value = { .tv_sec = 1 } };
	const int set = epoll_create1(EPOLL_CLOEXEC),
		  timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	struct epoll_event e = { .events = EPOLLIN };
	uint64_t fired;

	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) != 0 || epoll_ctl(set, EPOLL_CTL_ADD, timer, &e) != 0)
		bench_die("taploop: epoll: %s", strerror(errno));
	for (;;) {
		timerfd_settime(timer, 0, &second, NULL);
		(void)epoll_wait(set, &e, 1, -1);
		one(fd);
		(void)!read(timer, &fired, sizeof fired);
	}
}

static double tsc_hz(void)
{
	const uint64_t ns = bench_now_ns(), from = __rdtsc();
	uint64_t to, now;

	do {
		to = __rdtsc();
		now = bench_now_ns();
	} while (now - ns < 50000000u);
	return (double)(to - from) * 1e9 / (double)(now - ns);
}

int main(int argc, char **argv)
{
	const char *const how = argc > 1 ? argv[1] : "";

	if (argc == 2 && strcmp(how, "tsc") == 0)
		printf("%.0f\n", tsc_hz());
	else if (argc == 3 && strcmp(how, "echo") == 0)
		echo(device_open(argv[2], 0));
	else if (argc == 3 && strcmp(how, "wait") == 0)
		wait_each(device_open(argv[2], 0));
	else if (argc == 3 && strcmp(how, "five") == 0)
		five(device_open(argv[2], O_NONBLOCK));
	else
		bench_die("usage: taploop echo|wait|five DEVICE, or taploop tsc");
	return 0;
}
