/*
 * Our own TCP/IP on a device.
 * Reading order: net_device, net_open, then what they call.
 */
#include <errno.h>
#include <sys/random.h>

#include "appliances/common/net.h"
#include "appliances/common/say.h"
#include "mrg_digits.h"
#include "mrg_text.h"

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
	*n = (struct net){ .options = options };
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
	return OUTCOME_OK;
}

/* ---- log ---- */

enum { TEXT_MAX = MRG_RT_ADDR_TEXT_MAX + sizeof "/128" };

/* The address, and the length of its prefix behind it. */
static void line_prefix(
	struct mrg_rt_line *l, const char *key, const struct mrg_rt_addr *a, unsigned prefix_len)
{
	char ip[MRG_RT_ADDR_TEXT_MAX];
	uint8_t text[TEXT_MAX];
	struct mrg_w w;
	mrg_rt_addr_host_str(a, ip);
	mrg_w_init(&w, text, sizeof text);
	mrg_w_put(&w, (struct mrg_span){ (const uint8_t *)ip, strlen(ip) });
	mrg_w_u8(&w, '/');
	mrg_digits_put(&w, prefix_len, 1);
	mrg_rt_line_span(l, key, mrg_w_span(&w, 0));
}

static void line_router(struct mrg_rt_line *l, const struct mrg_rt_addr *a)
{
	char ip[MRG_RT_ADDR_TEXT_MAX];
	if (a->family != 0)
		mrg_rt_line_str(l, "router", mrg_rt_addr_host_str(a, ip));
}

static void line_mac(struct mrg_rt_line *l, const uint8_t mac[6])
{
	static const char digits[] = "0123456789abcdef";
	char text[sizeof "00:00:00:00:00:00"];
	for (size_t i = 0; i < 6; i++) {
		text[3 * i] = digits[mac[i] >> 4];
		text[3 * i + 1] = digits[mac[i] & 15u];
		text[3 * i + 2] = i < 5 ? ':' : '\0';
	}
	mrg_rt_line_str(l, "mac", text);
}

static void log_open(const struct net *n)
{
	const struct net_options *const o = n->options;
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "info", "net");
	mrg_rt_line_str(&l, "device", n->device.name);
	line_mac(&l, n->tap.link.address);
	mrg_rt_line_num(&l, "mtu", n->tap.link.mtu);
	for (size_t i = 0; i < o->address_count; i++)
		line_prefix(&l, "address", &o->address[i].ip, o->address[i].prefix_len);
	line_router(&l, &o->router);
	line_router(&l, &o->router6);
	if (o->dhcp)
		mrg_rt_line_str(&l, "dhcp", "asked");
	mrg_rt_log_line(&stderr_log, &l);
}

static void lease_changed(void *ctx, struct mrg_tcpip_if *on, const struct mrg_rt_addr *address,
	unsigned prefix_len, const struct mrg_rt_addr *router)
{
	const struct net *const n = ctx;
	struct mrg_rt_line l;
	(void)on;
	mrg_rt_line_begin(
		&l, address->family != 0 ? "info" : "warn", address->family != 0 ? "lease" : "lease_lost");
	mrg_rt_line_str(&l, "device", n->device.name);
	if (address->family != 0) {
		line_prefix(&l, "address", address, prefix_len);
		line_router(&l, router);
	}
	mrg_rt_log_line(&stderr_log, &l);
}

/* ---- the stack ---- */

size_t net_memory(const struct mrg_tcpip_limits *limits)
{
	return mrg_tcpip_memory(limits) + mrg_tap_memory();
}

static bool add_all(struct net *n)
{
	static const struct mrg_rt_addr any4 = { .family = 4 }, any6 = { .family = 6 };
	const struct net_options *const o = n->options;
	bool good = true;
	for (size_t i = 0; i < o->address_count && good; i++)
		good = mrg_tcpip_address_add(n->on, &o->address[i].ip, o->address[i].prefix_len);
	if (good && o->router.family != 0)
		good = mrg_tcpip_route_add(n->on, &any4, 0, &o->router);
	if (good && o->router6.family != 0)
		good = mrg_tcpip_route_add(n->on, &any6, 0, &o->router6);
	n->dhcp = (struct mrg_tcpip_dhcp_user){ .ctx = n, .changed = lease_changed };
	return good && (!o->dhcp || mrg_tcpip_dhcp(n->on, &n->dhcp));
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
	n->stack = mrg_tcpip_open(arena, limits, &world);
	n->on = n->stack != NULL ? mrg_tcpip_if_add(n->stack, &n->tap.link) : NULL;
	if (n->on == NULL || !add_all(n)) {
		n->stack = NULL;
		mrg_tap_close(&n->tap);
		return ENOMEM;
	}
	log_open(n);
	return 0;
}

/* ---- the end ---- */

static void see_connections(void *ctx, const char *protocol, const char *name, uint64_t value)
{
	bool *const busy = ctx;
	if (strcmp(protocol, "tcp") == 0 && strcmp(name, "connections") == 0)
		*busy = value != 0;
}

bool net_busy(const struct net *n)
{
	bool busy = false;
	if (n != NULL && n->stack != NULL)
		mrg_tcpip_counts(n->stack, see_connections, &busy);
	return busy && n->tap.watch.fd >= 0;
}

/* ---- figures ---- */

struct page {
	struct mrg_w *w;
	bool begun;
};

static void put_count(void *ctx, const char *protocol, const char *name, uint64_t value)
{
	struct page *const page = ctx;
	if (!page->begun)
		mrg_text_put(page->w, "# HELP mrg_net_total What our own TCP/IP has counted.\n"
				      "# TYPE mrg_net_total counter\n");
	page->begun = true;
	mrg_text_put(page->w, "mrg_net_total{protocol=\"");
	mrg_text_put(page->w, protocol);
	mrg_text_put(page->w, "\",name=\"");
	mrg_text_put(page->w, name);
	mrg_text_put(page->w, "\"} ");
	mrg_text_put_dec(page->w, value);
	mrg_text_put(page->w, "\n");
}

void net_figures_put(const struct net *n, struct mrg_w *w)
{
	struct page page = { .w = w };
	if (n == NULL || n->stack == NULL)
		return;
	const struct mrg_tap_counts *const c = &n->tap.counts;
	put_count(&page, "link", "frames_in", c->frames_in);
	put_count(&page, "link", "bytes_in", c->bytes_in);
	put_count(&page, "link", "joined_in", c->joined_in);
	put_count(&page, "link", "foreign_in", c->foreign_in);
	put_count(&page, "link", "short_in", c->short_in);
	put_count(&page, "link", "frames_out", c->frames_out);
	put_count(&page, "link", "bytes_out", c->bytes_out);
	put_count(&page, "link", "cut_out", c->cut_out);
	put_count(&page, "link", "lost_out", c->lost_out);
	mrg_tcpip_counts(n->stack, put_count, &page);
}

void net_close(struct net *n)
{
	if (n->stack == NULL)
		return;
	mrg_tap_close(&n->tap);
	n->stack = NULL;
}
