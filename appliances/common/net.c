/*
 * Our own TCP/IP on a device.
 * Reading order: net_device, net_open, then what they call.
 */
#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#include "appliances/common/net.h"
#include "appliances/common/say.h"

_Static_assert((int)NET_DEVICE == (int)MRG_TAP_NAME, "names of interfaces");

/* ---- the device ---- */

static const char *advice(enum net_kind kind, int err)
{
	if (err == EPERM || err == EACCES)
		return kind == NET_TAP ? " (needs root, CAP_NET_ADMIN, or a device that belongs to this user)"
				       : " (needs root or CAP_NET_RAW)";
	if (err == EBUSY)
		return " (another program has it open)";
	if (err == EINVAL && kind == NET_TAP)
		return " (an interface of this name that is no TAP device?)";
	return "";
}

enum outcome net_device(struct net *n, const char *program, const struct net_options *options)
{
	struct mrg_tap_device *const d = &n->device;
	const bool tap = options->kind == NET_TAP;
	*n = (struct net){ .options = options, .pcap_fd = -1 };
	const int err = tap ? mrg_tap_open(&mrg_tap_kernel, options->device, d)
			    : mrg_tap_packet_open(&mrg_tap_kernel, options->device, d);
	if (err != 0) {
		say(program, ": --net ", tap ? "tap:" : "packet:", options->device, ": ", d->failed, ": ",
			strerrordesc_np(err), advice(options->kind, err), NULL);
		return OUTCOME_ADDRESS;
	}
	if (options->mtu != 0)
		d->mtu = options->mtu;
	if (options->has_mac)
		memcpy(d->address, options->mac, sizeof d->address);
	const int refused = net_tape_begin(n);
	if (refused == 0)
		return OUTCOME_OK;
	say(program, ": --net: pcap=", options->pcap, ": ",
		refused == EINVAL ? "not an ordinary file" : strerrordesc_np(refused), NULL);
	return OUTCOME_SYSTEM;
}

/* ---- the stack ---- */

size_t net_memory(const struct net_options *options, const struct mrg_tcpip_limits *limits)
{
	return mrg_tcpip_memory(limits) + mrg_tap_memory() + net_shown_memory(&options->tape);
}

int net_open(struct net *n, struct mrg_unix_loop *loop, struct mrg_arena *arena,
	const struct mrg_tcpip_limits *limits)
{
	struct mrg_tcpip_world world = { .timers = &loop->timers, .now_ns = &loop->now_ns };
	if (getrandom(world.secret, sizeof world.secret, 0) != (ssize_t)sizeof world.secret)
		return errno;
	const int err = mrg_tap_init(&n->tap, loop, arena, &mrg_tap_kernel, &n->device, &stderr_log);
	if (err != 0)
		return err;
	struct mrg_link *const link = net_tape_open(n, loop, arena);
	n->stack = link != NULL ? mrg_tcpip_open(arena, limits, &world) : NULL;
	n->on = n->stack != NULL ? net_up(&n->up, n->stack, link, n->options, n->device.name, &stderr_log)
				 : NULL;
	if (n->on == NULL) {
		n->stack = NULL;
		mrg_tap_close(&n->tap);
		return ENOMEM;
	}
	n->shown.stack = n->stack;
	return 0;
}

/* ---- the end ---- */

bool net_busy(struct net *n)
{
	if (n == NULL || n->stack == NULL || n->tap.watch.fd < 0)
		return false;
	return mrg_tcpip_busy(n->stack) || !mrg_tcpip_dhcp_release(n->on);
}

/* ---- figures ---- */

static void link_counts(const void *of,
	void (*each)(void *ctx, const char *protocol, const char *name, uint64_t value), void *ctx)
{
	const struct mrg_tap_counts *const c = of;
	each(ctx, "link", "frames_in", c->frames_in);
	each(ctx, "link", "bytes_in", c->bytes_in);
	each(ctx, "link", "joined_in", c->joined_in);
	each(ctx, "link", "foreign_in", c->foreign_in);
	each(ctx, "link", "short_in", c->short_in);
	each(ctx, "link", "frames_out", c->frames_out);
	each(ctx, "link", "bytes_out", c->bytes_out);
	each(ctx, "link", "cut_out", c->cut_out);
	each(ctx, "link", "lost_out", c->lost_out);
}

void net_figures_put(const struct net *n, struct mrg_w *w)
{
	if (n != NULL)
		net_shown_figures(&n->shown, w, link_counts, &n->tap.counts);
}

void net_close(struct net *n)
{
	if (n->stack == NULL)
		return;
	(void)mrg_tcpip_dhcp_release(n->on);
	mrg_tap_close(&n->tap);
	if (n->pcap_fd >= 0)
		(void)close(n->pcap_fd);
	n->pcap_fd = -1;
	n->stack = n->shown.stack = NULL;
}
