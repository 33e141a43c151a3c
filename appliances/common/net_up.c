/*
 * A stack gets its network.
 * Reading order: log lines, net_up.
 */
#include "appliances/common/net_up.h"
#include "mrg_digits.h"

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

static void log_up(const struct net_up *u, const struct mrg_link *link)
{
	const struct net_options *const o = u->options;
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "info", "net");
	mrg_rt_line_str(&l, "device", u->device);
	line_mac(&l, link->address);
	mrg_rt_line_num(&l, "mtu", link->mtu);
	for (size_t i = 0; i < o->address_count; i++)
		line_prefix(&l, "address", &o->address[i].ip, o->address[i].prefix_len);
	line_router(&l, &o->router);
	line_router(&l, &o->router6);
	if (o->dhcp)
		mrg_rt_line_str(&l, "dhcp", "asked");
	mrg_rt_log_line(u->log, &l);
}

static void lease_changed(void *ctx, struct mrg_tcpip_if *on, const struct mrg_rt_addr *address,
	unsigned prefix_len, const struct mrg_rt_addr *router)
{
	const struct net_up *const u = ctx;
	struct mrg_rt_line l;
	(void)on;
	mrg_rt_line_begin(
		&l, address->family != 0 ? "info" : "warn", address->family != 0 ? "lease" : "lease_lost");
	mrg_rt_line_str(&l, "device", u->device);
	if (address->family != 0) {
		line_prefix(&l, "address", address, prefix_len);
		line_router(&l, router);
	}
	mrg_rt_log_line(u->log, &l);
}

/* ---- addresses and routes ---- */

static bool add_all(struct net_up *u)
{
	static const struct mrg_rt_addr any4 = { .family = 4 }, any6 = { .family = 6 };
	const struct net_options *const o = u->options;
	bool good = true;
	for (size_t i = 0; i < o->address_count && good; i++)
		good = mrg_tcpip_address_add(u->on, &o->address[i].ip, o->address[i].prefix_len);
	if (good && o->router.family != 0)
		good = mrg_tcpip_route_add(u->on, &any4, 0, &o->router);
	if (good && o->router6.family != 0)
		good = mrg_tcpip_route_add(u->on, &any6, 0, &o->router6);
	u->dhcp = (struct mrg_tcpip_dhcp_user){ .ctx = u, .changed = lease_changed };
	return good && (!o->dhcp || mrg_tcpip_dhcp(u->on, &u->dhcp));
}

struct mrg_tcpip_if *net_up(struct net_up *u, struct mrg_tcpip *stack, struct mrg_link *link,
	const struct net_options *options, const char *device, const struct mrg_rt_log *log)
{
	*u = (struct net_up){ .options = options, .device = device, .log = log };
	u->on = mrg_tcpip_if_add(stack, link);
	if (u->on == NULL || !add_all(u))
		return NULL;
	log_up(u, link);
	return u->on;
}
