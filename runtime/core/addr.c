/*
 * Transport addresses as text: numeric forms only, no resolver, no locale. RFC 4291 2.2, RFC 5952 4 and 6.
 * Reading order: the reader (ports, IPv4, IPv6, then mrg_rt_addr_read), the writer.
 */
#include "mrg_rt.h"

/* ---- reading: each step takes what it knows from *s and says whether it was there ---- */

/* A decimal number of at most `max`, without superfluous zeros. */
static bool take_decimal(const char **s, uint32_t max, uint32_t *out)
{
	const char *p = *s;
	uint64_t v = 0;
	while (*p >= '0' && *p <= '9') {
		v = v * 10u + (uint64_t)(*p++ - '0');
		if (v > max)
			return false;
	}
	if (p == *s || (**s == '0' && p - *s > 1))
		return false;
	*s = p;
	*out = (uint32_t)v;
	return true;
}

static bool take_char(const char **s, char c)
{
	if (**s != c)
		return false;
	++*s;
	return true;
}

static bool take_ip4(const char **s, uint8_t ip[4])
{
	for (unsigned i = 0; i < 4; i++) {
		uint32_t octet;
		if ((i != 0 && !take_char(s, '.')) || !take_decimal(s, 255, &octet))
			return false;
		ip[i] = (uint8_t)octet;
	}
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool take_group(const char **s, uint16_t *out)
{
	unsigned v = 0, count = 0;
	for (; count < 4 && hex_digit((*s)[count]) >= 0; count++)
		v = v << 4 | (unsigned)hex_digit((*s)[count]);
	if (count == 0 || hex_digit((*s)[count]) >= 0)
		return false;
	*s += count;
	*out = (uint16_t)v;
	return true;
}

/* The last 32 bits may be written as an IPv4 address. */
static bool take_ip4_tail(const char **s, uint16_t group[8], unsigned *count)
{
	const char *at = *s;
	uint8_t ip[4];
	if (*count > 6 || !take_ip4(&at, ip))
		return false;
	*s = at;
	group[(*count)++] = mrg_be16(ip);
	group[(*count)++] = mrg_be16(ip + 2);
	return true;
}

static bool take_ip6(const char **s, uint8_t ip[16])
{
	uint16_t group[8] = { 0 };
	enum { NO_GAP = 9 };
	unsigned count = 0, gap = NO_GAP; /* gap: the index where `::` stands */
	if ((*s)[0] == ':' && (*s)[1] == ':') {
		gap = 0;
		*s += 2;
	}
	while (count < 8 && hex_digit(**s) >= 0) {
		if (take_ip4_tail(s, group, &count))
			break;
		if (!take_group(s, &group[count]))
			return false;
		count++;
		if (**s != ':')
			break;
		++*s;
		if (**s == ':' && gap == NO_GAP) {
			gap = count;
			++*s;
		} else if (hex_digit(**s) < 0) {
			return false; /* a single colon at the end */
		}
	}
	if (gap == NO_GAP ? count != 8 : count > 7)
		return false;
	memset(ip, 0, 16);
	for (unsigned i = 0; i < count; i++)
		mrg_put_be16(ip + 2u * (i < gap ? i : i + 8u - count), group[i]);
	return true;
}

bool mrg_rt_addr_read(const char *text, uint16_t default_port, struct mrg_rt_addr *out)
{
	struct mrg_rt_addr a = { .port = default_port, .family = 4 };
	const char *s = text;
	uint32_t n;
	if (take_char(&s, '[')) {
		a.family = 6;
		if (!take_ip6(&s, a.ip))
			return false;
		if (take_char(&s, '%') && !take_decimal(&s, INT32_MAX, &a.scope))
			return false;
		if (!take_char(&s, ']'))
			return false;
	} else if (!take_ip4(&s, a.ip)) {
		return false;
	}
	if (take_char(&s, ':')) {
		if (!take_decimal(&s, UINT16_MAX, &n))
			return false;
		a.port = (uint16_t)n;
	}
	if (*s != '\0')
		return false;
	*out = a;
	return true;
}

/* ---- writing ---- */

static char *put_decimal(char *to, uint32_t v)
{
	char digits[10];
	size_t at = sizeof digits;
	do
		digits[--at] = (char)('0' + v % 10u);
	while ((v /= 10u) != 0);
	memcpy(to, digits + at, sizeof digits - at);
	return to + (sizeof digits - at);
}

static char *put_group(char *to, unsigned v)
{
	static const char hex[16] = { '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd',
		'e', 'f' };
	unsigned shift = 12;
	while (shift != 0 && v >> shift == 0)
		shift -= 4;
	for (;; shift -= 4) {
		*to++ = hex[v >> shift & 15u];
		if (shift == 0)
			return to;
	}
}

static char *put_ip4(char *to, const uint8_t ip[4])
{
	for (unsigned i = 0; i < 4; i++) {
		if (i != 0)
			*to++ = '.';
		to = put_decimal(to, ip[i]);
	}
	return to;
}

/* RFC 5952 4.2: `::` stands for the first longest run of two or more zero groups. */
static unsigned longest_zeros(const uint8_t ip[16], unsigned *run)
{
	unsigned best = 8;
	*run = 1;
	for (unsigned i = 0; i < 8; i++) {
		unsigned n = 0;
		while (i + n < 8 && mrg_be16(ip + 2u * (i + n)) == 0)
			n++;
		if (n > *run) {
			best = i;
			*run = n;
		}
	}
	return best;
}

static char *put_ip6(char *to, const uint8_t ip[16])
{
	unsigned run;
	const unsigned gap = longest_zeros(ip, &run);
	for (unsigned i = 0; i < 8;) {
		if (i == gap) {
			*to++ = ':';
			*to++ = ':';
			i += run;
			continue;
		}
		if (i != 0 && i != gap + run)
			*to++ = ':';
		to = put_group(to, mrg_be16(ip + 2u * i));
		i++;
	}
	return to;
}

bool mrg_rt_net_read(const char *text, struct mrg_rt_addr *out, unsigned *bits)
{
	struct mrg_rt_addr a = { .family = 4 };
	const char *s = text;
	uint32_t n;
	if (!take_ip4(&s, a.ip)) {
		s = text;
		a.family = 6;
		if (!take_ip6(&s, a.ip))
			return false;
	}
	const uint32_t all = a.family == 4 ? 32 : 128;
	n = all;
	if (take_char(&s, '/') && !take_decimal(&s, all, &n))
		return false;
	if (*s != '\0')
		return false;
	*out = a;
	*bits = n;
	return true;
}

struct mrg_span mrg_rt_addr_octets(const struct mrg_rt_addr *a)
{
	return (struct mrg_span){ a->ip, a->family == 4 ? (size_t)4 : sizeof a->ip };
}

void mrg_rt_addr_net(struct mrg_rt_addr *a, unsigned bits4, unsigned bits6)
{
	const unsigned bits = a->family == 4 ? bits4 : bits6;
	unsigned octets = bits / 8u;
	if (bits % 8u != 0)
		a->ip[octets++] &= (uint8_t) ~(0xffu >> bits % 8u);
	memset(a->ip + octets, 0, sizeof a->ip - octets);
}

bool mrg_rt_addr_in(const struct mrg_rt_addr *a, const struct mrg_rt_addr *net, unsigned bits)
{
	const unsigned octets = bits / 8u, rest = bits % 8u;
	if (a->family != net->family || memcmp(a->ip, net->ip, octets) != 0)
		return false;
	return rest == 0 || (a->ip[octets] ^ net->ip[octets]) >> (8u - rest) == 0;
}

/* The address without its port; returns the NUL. */
static char *put_host(char *to, const struct mrg_rt_addr *a)
{
	if (a->family == 4) {
		to = put_ip4(to, a->ip);
	} else if (a->family == 6) {
		to = put_ip6(to, a->ip);
		if (a->scope != 0) {
			*to++ = '%';
			to = put_decimal(to, a->scope);
		}
	} else {
		*to++ = '?';
	}
	*to = '\0';
	return to;
}

bool mrg_rt_addr_same(const struct mrg_rt_addr *a, const struct mrg_rt_addr *b)
{
	return a->family == b->family && a->port == b->port && a->scope == b->scope &&
	       mrg_span_eq(mrg_rt_addr_octets(a), mrg_rt_addr_octets(b));
}

const char *mrg_rt_addr_host_str(const struct mrg_rt_addr *a, char out[MRG_RT_ADDR_TEXT_MAX])
{
	(void)put_host(out, a);
	return out;
}

const char *mrg_rt_addr_str(const struct mrg_rt_addr *a, char out[MRG_RT_ADDR_TEXT_MAX])
{
	char *to = out;
	if (a->family == 6)
		*to++ = '[';
	to = put_host(to, a);
	if (a->family == 6)
		*to++ = ']';
	*to++ = ':';
	to = put_decimal(to, a->port);
	*to = '\0';
	return out;
}
