/*
 * The value of --net, and its words.
 * Reading order: net_read at the end, then upwards.
 */
#include <string.h>

#include "appliances/common/net_options.h"
#include "appliances/common/say.h"

enum {
	WORD_MAX = 80,                    /* letters of a word that is no path */
	PATH_WORD_MAX = 5 + NET_PATH - 1, /* of pcap=FILE */
	MTU_MIN = 576,
	MTU_MIN6 = 1280,
	RING_USUAL = 256 << 10, /* bytes: some hundred frames */
	SNAP_USUAL = 256,       /* bytes: all headers, and what a payload begins with */
	RING_MAX = 1 << 30
};

static bool wrong(const struct net_place *at, const char *word, const char *what)
{
	at->wrong(at, word, what);
	return false;
}

/* ---- values ---- */

/* The digits up to the end of the text, not more than `most`. */
static bool read_number(const char *text, unsigned most, unsigned *out)
{
	unsigned v = 0;
	const char *p = text;
	for (; *p >= '0' && *p <= '9' && v <= most; p++)
		v = v * 10u + (unsigned)(*p - '0');
	*out = v;
	return p != text && *p == '\0' && v <= most;
}

/* An address of that family, without a port. */
static bool read_ip(const char *text, uint8_t family, struct mrg_rt_addr *out)
{
	char buffer[WORD_MAX + 3] = "[";
	size_t len = strlen(text);
	if (len > WORD_MAX || strpbrk(text, "[]") != NULL || (family == 4 && strchr(text, ':') != NULL))
		return false;
	memcpy(buffer + 1, text, len + 1u);
	if (family == 6)
		memcpy(buffer + 1 + len, "]", 2);
	return mrg_rt_addr_read(buffer + (family == 4), 0, out);
}

static bool take_address(const struct net_place *at, const char *word, const char *value, uint8_t family)
{
	const char *const usage = family == 4 ? "expected ADDRESS/LENGTH, such as addr=10.0.0.2/24"
					      : "expected ADDRESS/LENGTH, such as ip6=2001:db8::2/64";
	struct net_options *const o = at->out;
	const char *const slash = strchr(value, '/');
	char ip[WORD_MAX + 1];
	if (o->address_count == NET_ADDRESSES)
		return wrong(at, word, "too many addresses");
	if (slash == NULL)
		return wrong(at, word, usage);
	memcpy(ip, value, (size_t)(slash - value)); /* a word is no longer than WORD_MAX */
	ip[slash - value] = '\0';
	struct net_address *const a = &o->address[o->address_count];
	if (!read_ip(ip, family, &a->ip) || !read_number(slash + 1, family == 4 ? 32 : 128, &a->prefix_len))
		return wrong(at, word, usage);
	o->address_count++;
	return true;
}

static bool take_addr(const struct net_place *at, const char *value)
{
	return take_address(at, "addr", value, 4);
}

static bool take_ip6(const struct net_place *at, const char *value)
{
	return take_address(at, "ip6", value, 6);
}

static bool take_gw(const struct net_place *at, const char *value)
{
	return read_ip(value, 4, &at->out->router) || wrong(at, "gw", "expected an IPv4 address");
}

static bool take_gw6(const struct net_place *at, const char *value)
{
	return read_ip(value, 6, &at->out->router6) || wrong(at, "gw6", "expected an IPv6 address");
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	const char lower = (char)(c | 0x20);
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool take_mac(const struct net_place *at, const char *value)
{
	static const char usage[] = "expected an address of one station, such as mac=02:00:00:00:00:01";
	uint8_t *const mac = at->out->mac;
	const char *p = value;
	for (size_t i = 0; i < 6; i++, p += 3) {
		if (hex_digit(p[0]) < 0 || hex_digit(p[1]) < 0 || p[2] != (i < 5 ? ':' : '\0'))
			return wrong(at, "mac", usage);
		mac[i] = (uint8_t)(hex_digit(p[0]) * 16 + hex_digit(p[1]));
	}
	if ((mac[0] & 1u) != 0)
		return wrong(at, "mac", usage);
	at->out->has_mac = true;
	return true;
}

static bool take_mtu(const struct net_place *at, const char *value)
{
	unsigned n;
	if (!read_number(value, UINT16_MAX, &n) || n < MTU_MIN)
		return wrong(at, "mtu", "expected a number of bytes, 576 to 65535");
	at->out->mtu = (uint16_t)n;
	return true;
}

/* A number of bytes, with K or M behind it for so many times 1024 or 1024 * 1024. */
static bool read_size(const char *text, unsigned most, unsigned *out)
{
	const size_t len = strlen(text);
	char digits[12];
	if (len == 0 || len >= sizeof digits)
		return false;
	const unsigned shift = text[len - 1] == 'K' ? 10 : text[len - 1] == 'M' ? 20 : 0;
	memcpy(digits, text, len + 1u);
	if (shift != 0)
		digits[len - 1] = '\0';
	if (!read_number(digits, most >> shift, out))
		return false;
	*out <<= shift;
	return true;
}

static bool take_ring(const struct net_place *at, const char *value)
{
	unsigned n;
	if (!read_size(value, RING_MAX, &n) || n < MRG_TAPE_CAP_MIN)
		return wrong(at, "ring", "expected a number of bytes, 16K to 1024M");
	at->out->tape.cap = n;
	return true;
}

static bool take_snap(const struct net_place *at, const char *value)
{
	unsigned n;
	if (!read_size(value, MRG_TAPE_SNAP_MAX, &n) || n < MRG_TAPE_SNAP_MIN)
		return wrong(at, "snap", "expected a number of bytes, 64 to 65552");
	at->out->tape.snap = n;
	return true;
}

static bool take_pcap(const struct net_place *at, const char *value)
{
	const size_t len = strlen(value);
	if (len == 0 || len >= sizeof at->out->pcap)
		return wrong(at, "pcap", "expected the name of a file, of 1 to 255 letters");
	memcpy(at->out->pcap, value, len + 1u);
	return true;
}

static bool take_dhcp(const struct net_place *at, const char *value)
{
	(void)value;
	at->out->dhcp = true;
	return true;
}

/* ---- words ---- */

static const struct word {
	const char *name;
	bool (*take)(const struct net_place *at, const char *value);
	bool has_value;
} words[] = {
	{ "addr", take_addr, true },
	{ "gw", take_gw, true },
	{ "ip6", take_ip6, true },
	{ "gw6", take_gw6, true },
	{ "dhcp", take_dhcp, false },
	{ "mac", take_mac, true },
	{ "mtu", take_mtu, true },
	{ "ring", take_ring, true },
	{ "snap", take_snap, true },
	{ "pcap", take_pcap, true },
};

bool net_take_word(const struct net_place *at, char *text)
{
	char *const equals = strchr(text, '=');
	if (equals != NULL)
		*equals = '\0';
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(words[i].name, text) != 0)
			continue;
		if (words[i].has_value == (equals == NULL))
			return wrong(at, text, equals == NULL ? "needs a value" : "takes no value");
		return words[i].take(at, equals != NULL ? equals + 1 : NULL);
	}
	return wrong(at, text,
		"unknown; expected addr=, gw=, ip6=, gw6=, dhcp, mac=, mtu=, ring=, snap= or pcap=");
}

static bool take_device(const struct net_place *at, const char *text)
{
	const char *const colon = strchr(text, ':');
	const size_t kind_len = colon != NULL ? (size_t)(colon - text) : 0;
	struct net_options *const o = at->out;
	if (kind_len == 3 && memcmp(text, "tap", kind_len) == 0)
		o->kind = NET_TAP;
	else if (kind_len == 6 && memcmp(text, "packet", kind_len) == 0)
		o->kind = NET_PACKET;
	else
		return wrong(at, text, "expected tap:NAME or packet:NAME");
	const size_t len = strlen(colon + 1);
	if (len == 0 || len >= sizeof o->device)
		return wrong(at, text, "the name of an interface has 1 to 15 letters");
	memcpy(o->device, colon + 1, len + 1u);
	return true;
}

/* What is not said of the last frames. */
static void fill_in(struct net_options *o)
{
	if (o->pcap[0] != '\0' && o->tape.cap == 0)
		o->tape.cap = RING_USUAL;
	if (o->tape.cap != 0 && o->tape.snap == 0)
		o->tape.snap = SNAP_USUAL;
}

bool net_take_all(const struct net_place *at)
{
	struct net_options *const o = at->out;
	bool six = false, four = o->dhcp;
	fill_in(o);
	for (size_t i = 0; i < o->address_count; i++) {
		six = six || o->address[i].ip.family == 6;
		four = four || o->address[i].ip.family == 4;
	}
	if (six && o->mtu != 0 && o->mtu < MTU_MIN6)
		return wrong(at, "mtu", "IPv6 needs 1280 at least (RFC 8200 section 5)");
	if (o->router.family != 0 && !four)
		return wrong(at, "gw", "is of no use without addr= or dhcp");
	if (o->tape.snap != 0 && o->tape.cap == 0 && o->pcap[0] == '\0')
		return wrong(at, "snap", "is of no use without ring= or pcap=");
	return true;
}

/* ---- all of it ---- */

/* Where a message comes from. */
struct value {
	struct net_place at;
	const char *program, *text;
};

static void say_wrong(const struct net_place *at, const char *word, const char *what)
{
	const struct value *const v = (const struct value *)(const void *)at;
	say(v->program, ": --net ", v->text, ": ", word, ": ", what, NULL);
}

bool net_read(const char *program, const char *value, struct net_options *out)
{
	const struct value v = { .at = { out, say_wrong }, .program = program, .text = value };
	*out = (struct net_options){ .kind = NET_NONE };
	for (const char *from = value;; from += strcspn(from, ",") + 1u) {
		char word[PATH_WORD_MAX + 1];
		const size_t len = strcspn(from, ",");
		if (len > (strncmp(from, "pcap=", 5) == 0 ? PATH_WORD_MAX : WORD_MAX))
			return wrong(&v.at, from, "too long");
		memcpy(word, from, len);
		word[len] = '\0';
		if (from == value ? !take_device(&v.at, word) : !net_take_word(&v.at, word))
			return false;
		if (from[len] == '\0')
			return net_take_all(&v.at);
	}
}

/* ---- what was read ---- */

static bool same_addresses(const struct net_options *a, const struct net_options *b)
{
	if (a->address_count != b->address_count)
		return false;
	for (size_t i = 0; i < a->address_count; i++)
		if (!mrg_rt_addr_same(&a->address[i].ip, &b->address[i].ip) ||
			a->address[i].prefix_len != b->address[i].prefix_len)
			return false;
	return mrg_rt_addr_same(&a->router, &b->router) && mrg_rt_addr_same(&a->router6, &b->router6);
}

bool net_same(const struct net_options *a, const struct net_options *b)
{
	return a->kind == b->kind && strcmp(a->device, b->device) == 0 && same_addresses(a, b) &&
	       a->dhcp == b->dhcp && a->mtu == b->mtu && a->has_mac == b->has_mac &&
	       memcmp(a->mac, b->mac, sizeof a->mac) == 0 && a->tape.cap == b->tape.cap &&
	       a->tape.snap == b->tape.snap && strcmp(a->pcap, b->pcap) == 0;
}

size_t net_listen(struct mrg_rt_addr *out, uint16_t port)
{
	out[0] = (struct mrg_rt_addr){ .family = 4, .port = port };
	out[1] = (struct mrg_rt_addr){ .family = 6, .port = port };
	return 2;
}
