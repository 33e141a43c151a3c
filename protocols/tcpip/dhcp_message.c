/*
 * Messages of DHCP as bytes: options from up to three places, in parts that belong together.
 * Reading order: dhcp_read, then upwards; dhcp_write.
 */
#include "net/dhcp4.h"
#include "net/link.h"
#include "protocols/tcpip/dhcp.h"

enum {
	AREAS = 3,        /* where options may be: options, file, sname (RFC 3396 section 5) */
	LENGTH_MAX = 252, /* bytes of an option that are looked at: whole addresses */
	PREFIX_LEN = 24,  /* of networks that no mask was told of */
	ADDRESS_LEN = 4,
	ROUTES_LEN = 1500, /* bytes of routes: more than a message has that is not in fragments */
	CLIENT_ID_MAX = 32,
	IAID = 1 /* of a DUID that no other interface has */
};

struct areas {
	struct mrg_net_dhcp_option_parts in[AREAS];
	size_t count;
};

/* An option put together, with a header of its own, so that it can be checked as one. */
struct whole {
	uint8_t b[LENGTH_MAX + 2];
	struct mrg_net_dhcp_option option;
};

enum found { ABSENT, FOUND, WRONG };

/* ---- reading ---- */

/* RFC 3396 section 5: the parts of an option, in order, wherever they are.  false: there is none. */
static bool gather(
	const struct areas *a, enum mrg_net_dhcp_option_code code, uint8_t *octets, size_t cap, size_t *len)
{
	bool there = false;
	*len = 0;
	for (size_t i = 0; i < a->count; i++) {
		struct mrg_net_dhcp_option_parts_options_it it = mrg_net_dhcp_option_parts_options(&a->in[i]);
		struct mrg_net_dhcp_option_part part;
		while (mrg_net_dhcp_option_parts_options_next(&it, &part)) {
			if (mrg_net_dhcp_option_part_code(&part) != code)
				continue;
			const struct mrg_span more = mrg_net_dhcp_option_part_octets(&part);
			const size_t take = more.len < cap - *len ? more.len : cap - *len;
			mrg_copy(octets + *len, more.p, take);
			*len += take;
			there = true;
		}
	}
	return there;
}

static enum found get(const struct areas *a, enum mrg_net_dhcp_option_code code, struct whole *out)
{
	uint8_t octets[LENGTH_MAX];
	size_t len;
	struct mrg_w w;
	if (!gather(a, code, octets, sizeof octets, &len))
		return ABSENT;
	mrg_w_init(&w, out->b, sizeof out->b);
	mrg_net_dhcp_option_part_put(&w,
		&(struct mrg_net_dhcp_option_part_args){ .code = (uint8_t)code, .octets = { octets, len } });
	return mrg_net_dhcp_option_check(mrg_w_span(&w, 0), &out->option, NULL) == MRG_OK ? FOUND : WRONG;
}

static bool get_seconds(const struct areas *a, enum mrg_net_dhcp_option_code code, bool *has, uint32_t *out)
{
	struct whole o;
	const enum found found = get(a, code, &o);
	*has = found == FOUND && (mrg_net_dhcp_option_body_as_lease_time(&o.option, out) ||
					 mrg_net_dhcp_option_body_as_renewal_time(&o.option, out) ||
					 mrg_net_dhcp_option_body_as_rebinding_time(&o.option, out));
	return found != WRONG;
}

static bool get_mask(const struct areas *a, struct dhcp_said *out)
{
	struct whole o;
	struct mrg_span octets;
	struct mrg_net_subnet_mask mask;
	const enum found found = get(a, MRG_NET_DHCP_OPTION_CODE_SUBNET_MASK, &o);
	out->prefix_len = PREFIX_LEN;
	if (found != FOUND)
		return found == ABSENT;
	if (!mrg_net_dhcp_option_body_as_subnet_mask(&o.option, &octets) ||
		mrg_net_subnet_mask_check(octets, &mask, NULL) != MRG_OK)
		return false;
	uint8_t ones = 0;
	for (uint32_t rest = mrg_net_subnet_mask_mask(&mask); rest != 0; rest <<= 1)
		ones++;
	out->prefix_len = ones;
	return true;
}

static bool get_router(const struct areas *a, struct dhcp_said *out)
{
	struct whole o;
	struct mrg_net_dhcp_addresses list;
	struct mrg_span first;
	const enum found found = get(a, MRG_NET_DHCP_OPTION_CODE_ROUTER, &o);
	if (found != FOUND)
		return found == ABSENT;
	if (!mrg_net_dhcp_option_body_as_router(&o.option, &list))
		return false;
	struct mrg_net_dhcp_addresses_addresses_it it = mrg_net_dhcp_addresses_addresses(&list);
	if (mrg_net_dhcp_addresses_addresses_next(&it, &first))
		out->router = ip_from4(first);
	return true;
}

static void add_route(struct dhcp_said *out, const struct ip *to, uint8_t prefix_len, const struct ip *by)
{
	const bool here = ip_unspecified(by);
	if (out->route_count < DHCP_ROUTES_MAX)
		out->route[out->route_count++] = (struct dhcp_route){
			.to = *to, .by = here ? (struct ip){ { 0 } } : *by, .prefix_len = prefix_len
		};
}

static void read_route(const struct mrg_net_dhcp_route *r, struct dhcp_said *out)
{
	uint8_t octets[ADDRESS_LEN] = { 0 }; /* those that are left out are 0 */
	struct mrg_w w;
	mrg_w_init(&w, octets, sizeof octets);
	mrg_w_put(&w, mrg_net_dhcp_route_destination(r));
	const struct ip to = ip_from4((struct mrg_span){ octets, sizeof octets });
	const struct ip by = ip_from4(mrg_net_dhcp_route_router(r));
	const uint8_t width = mrg_net_dhcp_route_width(r);
	if (width == 0 && ip_unspecified(&out->router))
		out->router = by;
	add_route(out, &to, width, &by);
}

/* RFC 3442: where there are routes with widths, the option with routers alone is not looked at. */
static bool get_routes(const struct areas *a, struct dhcp_said *out)
{
	uint8_t octets[ROUTES_LEN];
	size_t len;
	struct mrg_net_dhcp_routes list;
	struct mrg_net_dhcp_route r;
	if (!gather(a, MRG_NET_DHCP_OPTION_CODE_CLASSLESS_ROUTE, octets, sizeof octets, &len)) {
		const struct ip any = ip_none4();
		const bool good = get_router(a, out);
		if (!ip_unspecified(&out->router))
			add_route(out, &any, 0, &out->router);
		return good;
	}
	if (mrg_net_dhcp_routes_check((struct mrg_span){ octets, len }, &list, NULL) != MRG_OK)
		return false;
	struct mrg_net_dhcp_routes_routes_it it = mrg_net_dhcp_routes_routes(&list);
	while (mrg_net_dhcp_routes_routes_next(&it, &r))
		read_route(&r, out);
	return true;
}

static struct mrg_span client_id(struct mrg_w *w, struct mrg_span mac)
{
	mrg_net_dhcp_client_id_put(w, &(struct mrg_net_dhcp_client_id_args){ .iaid = IAID, .address = mac });
	return mrg_w_span(w, 0);
}

/* RFC 6842 section 3: what names another client is for that one. */
static bool names_us(const struct areas *a, struct mrg_span mac)
{
	uint8_t theirs[UINT8_MAX], ours[CLIENT_ID_MAX];
	size_t len;
	struct mrg_w w;
	mrg_w_init(&w, ours, sizeof ours);
	return !gather(a, MRG_NET_DHCP_OPTION_CODE_CLIENT_ID, theirs, sizeof theirs, &len) ||
	       mrg_span_eq(client_id(&w, mac), (struct mrg_span){ theirs, len });
}

static bool get_server(const struct areas *a, struct dhcp_said *out)
{
	struct whole o;
	struct mrg_span octets;
	const enum found found = get(a, MRG_NET_DHCP_OPTION_CODE_SERVER_ID, &o);
	if (found == FOUND && mrg_net_dhcp_option_body_as_server_identifier(&o.option, &octets))
		out->server = ip_from4(octets);
	return found != WRONG;
}

static bool get_mtu(const struct areas *a, struct dhcp_said *out)
{
	struct whole o;
	struct mrg_net_dhcp_option_interface_mtu mtu;
	const enum found found = get(a, MRG_NET_DHCP_OPTION_CODE_MTU, &o);
	if (found == FOUND && mrg_net_dhcp_option_body_as_interface_mtu(&o.option, &mtu))
		out->mtu = mrg_net_dhcp_option_interface_mtu_mtu(&mtu);
	return found != WRONG;
}

static bool add_area(struct areas *a, struct mrg_span bytes)
{
	return mrg_net_dhcp_option_parts_check(bytes, &a->in[a->count], NULL) == MRG_OK && ++a->count != 0;
}

/* RFC 2131 section 4.1: the option OVERLOAD is among those at the end of the message. */
static bool find_areas(const struct mrg_net_dhcp4 *m, struct areas *a)
{
	struct whole o;
	struct mrg_net_dhcp_option_overload overload;
	a->count = 0;
	if (!add_area(a, mrg_net_dhcp4_options(m)))
		return false;
	const enum found found = get(a, MRG_NET_DHCP_OPTION_CODE_OVERLOAD, &o);
	if (found != FOUND)
		return found == ABSENT;
	if (!mrg_net_dhcp_option_body_as_overload(&o.option, &overload))
		return false;
	const uint8_t which = mrg_net_dhcp_option_overload_value(&overload);
	if (which != MRG_NET_DHCP_OVERLOAD_SNAME && !add_area(a, mrg_net_dhcp4_file(m)))
		return false;
	return which == MRG_NET_DHCP_OVERLOAD_FILE || add_area(a, mrg_net_dhcp4_sname(m));
}

static bool is_ours(const struct mrg_net_dhcp4 *m, uint32_t xid, struct mrg_span mac)
{
	const struct mrg_span to = { mrg_net_dhcp4_chaddr(m).p, mrg_net_dhcp4_hlen(m) };
	return mrg_net_dhcp4_op(m) == MRG_NET_BOOT_REPLY && mrg_net_dhcp4_xid(m) == xid &&
	       mrg_net_dhcp4_htype(m) == MRG_NET_ARP_ETHERNET && mrg_span_eq(to, mac);
}

bool dhcp_read(struct mrg_span message, uint32_t xid, struct mrg_span mac, struct dhcp_said *out)
{
	struct mrg_net_dhcp4 m;
	struct areas a;
	struct whole o;
	*out = (struct dhcp_said){ .type = 0 };
	if (mrg_net_dhcp4_check(message, &m, NULL) != MRG_OK || !is_ours(&m, xid, mac) || !find_areas(&m, &a))
		return false;
	if (get(&a, MRG_NET_DHCP_OPTION_CODE_MESSAGE_TYPE, &o) != FOUND ||
		!mrg_net_dhcp_option_body_as_message_type(&o.option, &out->type))
		return false;
	out->address = ip_from4(mrg_net_dhcp4_yiaddr(&m));
	return names_us(&a, mac) && get_server(&a, out) && get_mask(&a, out) && get_routes(&a, out) &&
	       get_mtu(&a, out) &&
	       get_seconds(&a, MRG_NET_DHCP_OPTION_CODE_LEASE_TIME, &out->has_lease, &out->lease_s) &&
	       get_seconds(&a, MRG_NET_DHCP_OPTION_CODE_RENEWAL_TIME, &out->has_renewal, &out->renewal_s) &&
	       get_seconds(
		       &a, MRG_NET_DHCP_OPTION_CODE_REBINDING_TIME, &out->has_rebinding, &out->rebinding_s);
}

/* ---- writing ---- */

static void put_option(struct mrg_w *w, struct mrg_net_dhcp_option_parts_build *b,
	enum mrg_net_dhcp_option_code code, struct mrg_span octets)
{
	mrg_net_dhcp_option_parts_options_add(w, b);
	mrg_net_dhcp_option_part_put(
		w, &(struct mrg_net_dhcp_option_part_args){ .code = (uint8_t)code, .octets = octets });
}

static void put_options(struct mrg_w *w, const struct dhcp_ask *ask)
{
	static const uint8_t end[MRG_NET_BOOTP_OPTIONS_MIN] = { MRG_NET_DHCP_OPTION_CODE_END };
	/* RFC 3442: routes with widths go before the routers */
	static const uint8_t wanted[] = { MRG_NET_DHCP_OPTION_CODE_SUBNET_MASK,
		MRG_NET_DHCP_OPTION_CODE_CLASSLESS_ROUTE, MRG_NET_DHCP_OPTION_CODE_ROUTER,
		MRG_NET_DHCP_OPTION_CODE_MTU, MRG_NET_DHCP_OPTION_CODE_LEASE_TIME,
		MRG_NET_DHCP_OPTION_CODE_SERVER_ID, MRG_NET_DHCP_OPTION_CODE_RENEWAL_TIME,
		MRG_NET_DHCP_OPTION_CODE_REBINDING_TIME };
	struct mrg_net_dhcp_option_parts_build b;
	uint8_t id[CLIENT_ID_MAX];
	struct mrg_w who;
	mrg_w_init(&who, id, sizeof id);
	mrg_net_dhcp_option_parts_begin(
		w, &b, &(struct mrg_net_dhcp_option_parts_args){ .end_and_padding = { end, sizeof end } });
	put_option(w, &b, MRG_NET_DHCP_OPTION_CODE_MESSAGE_TYPE,
		(struct mrg_span){ &ask->type, sizeof ask->type });
	put_option(w, &b, MRG_NET_DHCP_OPTION_CODE_CLIENT_ID, client_id(&who, ask->mac));
	if (ask->asked != NULL)
		put_option(w, &b, MRG_NET_DHCP_OPTION_CODE_REQUESTED_ADDRESS, ip_wire(ask->asked));
	if (ask->server != NULL)
		put_option(w, &b, MRG_NET_DHCP_OPTION_CODE_SERVER_ID, ip_wire(ask->server));
	if (ask->with_parameters)
		put_option(w, &b, MRG_NET_DHCP_OPTION_CODE_PARAMETERS,
			(struct mrg_span){ wanted, sizeof wanted });
	mrg_net_dhcp_option_parts_end(w, &b);
}

void dhcp_write(struct mrg_w *w, const struct dhcp_ask *ask)
{
	static const uint8_t nothing[DHCP_MESSAGE_MAX];
	const struct mrg_span none = { nothing, ADDRESS_LEN };
	uint8_t options[DHCP_MESSAGE_MAX], chaddr[MRG_NET_CHADDR_LEN] = { 0 };
	struct mrg_w o;
	mrg_copy(chaddr, ask->mac.p, ask->mac.len < sizeof chaddr ? ask->mac.len : sizeof chaddr);
	mrg_w_init(&o, options, sizeof options);
	put_options(&o, ask);
	mrg_w_fail(w, o.st);
	mrg_net_dhcp4_put(w, &(struct mrg_net_dhcp4_args){ .op = MRG_NET_BOOT_REQUEST,
				     .htype = MRG_NET_ARP_ETHERNET,
				     .hlen = (uint8_t)ask->mac.len,
				     .xid = ask->xid,
				     .secs = ask->secs,
				     .broadcast = ask->broadcast,
				     .ciaddr = ask->own != NULL ? ip_wire(ask->own) : none,
				     .yiaddr = none,
				     .siaddr = none,
				     .giaddr = none,
				     .chaddr = { chaddr, sizeof chaddr },
				     .sname = { nothing, MRG_NET_SNAME_LEN },
				     .file = { nothing, MRG_NET_FILE_LEN },
				     .options = mrg_w_span(&o, 0) });
}
