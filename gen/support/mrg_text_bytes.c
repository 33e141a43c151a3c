/*
 * mrg_text_bytes.c - base 16, 32 and 64, character strings and addresses of presentation format.
 * See mrg_text.h.
 */
#include "mrg_text.h"

/* --- base 16 ------------------------------------------------------------------------------------ */

/* 1 + the digit's value, or 0 */
static const uint8_t hex_digit[256] = {
	['0'] = 1,
	['1'] = 2,
	['2'] = 3,
	['3'] = 4,
	['4'] = 5,
	['5'] = 6,
	['6'] = 7,
	['7'] = 8,
	['8'] = 9,
	['9'] = 10,
	['a'] = 11,
	['b'] = 12,
	['c'] = 13,
	['d'] = 14,
	['e'] = 15,
	['f'] = 16,
	['A'] = 11,
	['B'] = 12,
	['C'] = 13,
	['D'] = 14,
	['E'] = 15,
	['F'] = 16,
};

/* *half: 0, or 0x100 | digit that waits for its other half */
static bool hex_token(struct mrg_text *t, struct mrg_w *w, unsigned *half)
{
	const struct mrg_span s = t->tok.s;
	uint8_t *q = mrg_w_take(w, (s.len + (*half != 0)) / 2);
	if (q == NULL)
		return mrg_text_bad_status(t, MRG_E_SPACE, "too long");
	size_t i = 0;
	for (; i < s.len && (*half != 0 || i + 1 < s.len); i++) {
		const unsigned a = *half != 0 ? (*half & 15u) + 1u : hex_digit[s.p[i++]];
		const unsigned b = hex_digit[s.p[i]];
		if (a == 0 || b == 0)
			return mrg_text_bad(t, "not hexadecimal");
		*q++ = (uint8_t)((a - 1u) << 4 | (b - 1u));
		*half = 0;
	}
	if (i < s.len) {
		if (hex_digit[s.p[i]] == 0)
			return mrg_text_bad(t, "not hexadecimal");
		*half = 0x100u | (hex_digit[s.p[i]] - 1u);
	}
	return true;
}

/* "-" for no bytes at all, where a field must have a token (RFC 5155 section 3.3) */
static bool is_dash(const struct mrg_text *t) { return t->tok.s.len == 1 && t->tok.s.p[0] == '-'; }

bool mrg_text_hex(struct mrg_text *t, struct mrg_w *w, bool tail)
{
	unsigned half = 0;
	mrg_text_mark(t);
	do {
		if (!mrg_text_word(t))
			return false;
		if (!tail && is_dash(t))
			return true;
		if (!hex_token(t, w, &half))
			return false;
	} while (tail && mrg_text_more(t));
	return half == 0 || mrg_text_bad_whole(t, "an odd number of hexadecimal digits");
}

void mrg_text_put_hex(struct mrg_w *w, struct mrg_span s)
{
	uint8_t *q = mrg_w_take(w, 2 * s.len);
	for (size_t i = 0; q != NULL && i < s.len; i++) {
		q[2 * i] = (uint8_t) "0123456789ABCDEF"[s.p[i] >> 4];
		q[2 * i + 1] = (uint8_t) "0123456789ABCDEF"[s.p[i] & 15u];
	}
}

void mrg_text_put_hex_token(struct mrg_w *w, struct mrg_span s)
{
	mrg_text_put_hex(w, s);
	if (s.len == 0)
		mrg_text_put(w, "-");
}

/* --- base 64 and base 32 ---------------------------------------------------------------------------- */

static const char base64_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* 1 + the character's value, 65 for the padding, or 0 */
static const uint8_t base64_digit[256] = {
	['A'] = 1,
	['B'] = 2,
	['C'] = 3,
	['D'] = 4,
	['E'] = 5,
	['F'] = 6,
	['G'] = 7,
	['H'] = 8,
	['I'] = 9,
	['J'] = 10,
	['K'] = 11,
	['L'] = 12,
	['M'] = 13,
	['N'] = 14,
	['O'] = 15,
	['P'] = 16,
	['Q'] = 17,
	['R'] = 18,
	['S'] = 19,
	['T'] = 20,
	['U'] = 21,
	['V'] = 22,
	['W'] = 23,
	['X'] = 24,
	['Y'] = 25,
	['Z'] = 26,
	['a'] = 27,
	['b'] = 28,
	['c'] = 29,
	['d'] = 30,
	['e'] = 31,
	['f'] = 32,
	['g'] = 33,
	['h'] = 34,
	['i'] = 35,
	['j'] = 36,
	['k'] = 37,
	['l'] = 38,
	['m'] = 39,
	['n'] = 40,
	['o'] = 41,
	['p'] = 42,
	['q'] = 43,
	['r'] = 44,
	['s'] = 45,
	['t'] = 46,
	['u'] = 47,
	['v'] = 48,
	['w'] = 49,
	['x'] = 50,
	['y'] = 51,
	['z'] = 52,
	['0'] = 53,
	['1'] = 54,
	['2'] = 55,
	['3'] = 56,
	['4'] = 57,
	['5'] = 58,
	['6'] = 59,
	['7'] = 60,
	['8'] = 61,
	['9'] = 62,
	['+'] = 63,
	['/'] = 64,
	['='] = 65,
};

struct base64 {
	uint32_t bits;  /* characters of the group so far */
	unsigned count; /* how many, padding too */
	unsigned pad;   /* paddings seen; the text ends with their group */
};

static bool base64_group(struct mrg_w *w, struct base64 *b)
{
	const unsigned bytes = 3u - b->pad;
	const uint32_t unused = b->bits & ((1u << (8u * b->pad)) - 1u);
	if (unused != 0)
		return false;
	mrg_w_be(w, bytes, b->bits >> (8u * b->pad));
	b->bits = 0;
	b->count = 0;
	return true;
}

static bool base64_char(struct mrg_w *w, struct base64 *b, uint8_t c)
{
	const unsigned v = base64_digit[c];
	if (v == 0 || (v == 65) != (b->pad > 0 || v == 65) || (b->pad > 0 && b->count == 0))
		return false;
	if (v == 65 && (b->count < 2 || ++b->pad > 2))
		return false;
	b->bits = b->bits << 6 | (v == 65 ? 0u : v - 1u);
	return ++b->count < 4 || base64_group(w, b);
}

/* whole groups without padding from s; how many characters were used */
static size_t base64_run(struct mrg_w *w, struct mrg_span s)
{
	size_t i = 0;
	for (; i + 4 <= s.len; i += 4) {
		const unsigned a = base64_digit[s.p[i]], b = base64_digit[s.p[i + 1]];
		const unsigned c = base64_digit[s.p[i + 2]], d = base64_digit[s.p[i + 3]];
		/* 0 becomes large, 65 is 64 here: one comparison finds both */
		if (((a - 1u) | (b - 1u) | (c - 1u) | (d - 1u)) > 63u)
			break;
		const uint32_t v = (a - 1u) << 18 | (b - 1u) << 12 | (c - 1u) << 6 | (d - 1u);
		uint8_t *q = mrg_w_take(w, 3);
		if (q == NULL)
			break;
		mrg_put_be(q, 3, v);
	}
	return i;
}

bool mrg_text_base64(struct mrg_text *t, struct mrg_w *w, bool tail)
{
	struct base64 b = { 0, 0, 0 };
	mrg_text_mark(t);
	do {
		if (!mrg_text_word(t))
			return false;
		if (!tail && is_dash(t))
			return true;
		const struct mrg_span s = t->tok.s;
		size_t i = b.count == 0 && b.pad == 0 ? base64_run(w, s) : 0;
		for (; i < s.len; i++)
			if (!base64_char(w, &b, s.p[i]))
				return mrg_text_bad(t, "not base 64");
	} while (tail && mrg_text_more(t));
	return b.count == 0 || mrg_text_bad_whole(t, "base 64 that stops inside a group");
}

void mrg_text_put_base64(struct mrg_w *w, struct mrg_span s)
{
	size_t i = 0;
	for (; i + 3 <= s.len; i += 3) {
		const uint32_t v = (uint32_t)mrg_be(s.p + i, 3);
		for (unsigned k = 4; k-- > 0;)
			mrg_w_u8(w, (uint8_t)base64_chars[v >> (6u * k) & 63u]);
	}
	if (i == s.len)
		return;
	const unsigned left = (unsigned)(s.len - i);
	const uint32_t v = (uint32_t)(mrg_be(s.p + i, left) << (8u * (3u - left)));
	for (unsigned k = 0; k < 4; k++)
		mrg_w_u8(w, (uint8_t)(k <= left ? base64_chars[v >> (18u - 6u * k) & 63u] : '='));
}

void mrg_text_put_base64_token(struct mrg_w *w, struct mrg_span s)
{
	mrg_text_put_base64(w, s);
	if (s.len == 0)
		mrg_text_put(w, "-");
}

/* RFC 4648 section 7; no padding (RFC 5155 section 3.3) */
static unsigned base32_digit(uint8_t c)
{
	const unsigned d = (unsigned)c - '0', a = (unsigned)mrg_lower(c) - 'a';
	return d <= 9u ? d : a < 22u ? a + 10u : 32u;
}

bool mrg_text_base32hex(struct mrg_text *t, struct mrg_w *w)
{
	if (!mrg_text_word(t))
		return false;
	uint32_t bits = 0;
	unsigned have = 0;
	for (size_t i = 0; i < t->tok.s.len; i++) {
		const unsigned v = base32_digit(t->tok.s.p[i]);
		if (v == 32u)
			return mrg_text_bad(t, "not base 32 (extended hex)");
		bits = (bits << 5 | v) & 0xfffu;
		have += 5;
		if (have >= 8) {
			have -= 8;
			mrg_w_u8(w, (uint8_t)(bits >> have));
		}
	}
	/* what is left over must be less than a character, and zero */
	if (have >= 5 || (bits & ((1u << have) - 1u)) != 0)
		return mrg_text_bad(t, "base 32 that stops inside a group");
	return true;
}

void mrg_text_put_base32hex(struct mrg_w *w, struct mrg_span s)
{
	static const char chars[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
	uint32_t bits = 0;
	unsigned have = 0;
	for (size_t i = 0; i < s.len; i++) {
		bits = (bits << 8 | s.p[i]) & 0x1fffu;
		for (have += 8; have >= 5; have -= 5)
			mrg_w_u8(w, (uint8_t)chars[bits >> (have - 5) & 31u]);
	}
	if (have > 0)
		mrg_w_u8(w, (uint8_t)chars[bits << (5 - have) & 31u]);
}

/* --- character strings --------------------------------------------------------------------------------- */

/* Bytes of s before the first that is c. */
static size_t span_until(struct mrg_span s, uint8_t c)
{
	const uint64_t ones = 0x0101010101010101ull, low7 = 0x7f7f7f7f7f7f7f7full;
	size_t i = 0;
	for (; i + 8 <= s.len; i += 8) {
		const uint64_t x = mrg_le64(s.p + i) ^ (ones * c);
		if ((~(((x & low7) + low7) | x) & ~low7) != 0)
			break;
	}
	while (i < s.len && s.p[i] != c)
		i++;
	return i;
}

const uint8_t *mrg_text_unescape(const uint8_t *p, const uint8_t *end, uint8_t *c)
{
	if (*p != '\\') {
		*c = *p;
		return p + 1;
	}
	if (end - p < 2)
		return NULL;
	if ((unsigned)p[1] - '0' > 9u) {
		*c = p[1];
		return p + 2;
	}
	uint64_t v;
	if (end - p < 4 || !mrg_text_parse_dec((struct mrg_span){ p + 1, 3 }, 255, &v))
		return NULL;
	*c = (uint8_t)v;
	return p + 4;
}

void mrg_text_unquote(struct mrg_w *w, struct mrg_span s)
{
	for (size_t i = 0; i < s.len; i++) {
		const bool escape = s.p[i] == '\\' && i + 1 < s.len;
		if (!escape || s.p[i + 1] != '"')
			mrg_w_u8(w, s.p[i]);
		if (escape)
			mrg_w_u8(w, s.p[++i]);
	}
}

/* A value's element: what remains escaped after the first round is escaped for the comma's sake. */
static bool piece(struct mrg_text *t, struct mrg_w *w)
{
	const uint8_t *p = t->tok.s.p, *end = p + t->tok.s.len;
	while (p < end) {
		uint8_t c;
		p = mrg_text_unescape(p, end, &c);
		if (p != NULL && c == '\\') {
			p = p < end ? mrg_text_unescape(p, end, &c) : NULL;
			if (p != NULL && c != ',' && c != '\\')
				p = NULL;
		}
		if (p == NULL)
			return mrg_text_bad(t, "bad escape");
		mrg_w_u8(w, c);
	}
	return true;
}

bool mrg_text_string(struct mrg_text *t, struct mrg_w *w)
{
	if (!mrg_text_any(t))
		return false;
	if (t->tok.kind == MRG_TEXT_PIECE)
		return piece(t, w);
	const struct mrg_span s = t->tok.s;
	const size_t plain = span_until(s, '\\');
	mrg_w_put(w, (struct mrg_span){ s.p, plain });
	const uint8_t *p = s.p + plain, *end = s.p + s.len;
	while (p < end) {
		uint8_t c;
		p = mrg_text_unescape(p, end, &c);
		if (p == NULL)
			return mrg_text_bad(t, "bad escape");
		mrg_w_u8(w, c);
	}
	return true;
}

static void put_escaped(struct mrg_w *w, uint8_t c)
{
	if (c == '"' || c == '\\') {
		mrg_w_u8(w, '\\');
		mrg_w_u8(w, c);
	} else if (c >= ' ' && c < 0x7f) {
		mrg_w_u8(w, c);
	} else {
		mrg_w_u8(w, '\\');
		mrg_w_u8(w, (uint8_t)('0' + c / 100));
		mrg_w_u8(w, (uint8_t)('0' + c / 10 % 10));
		mrg_w_u8(w, (uint8_t)('0' + c % 10));
	}
}

void mrg_text_put_string(struct mrg_w *w, struct mrg_span s)
{
	mrg_w_u8(w, '"');
	for (size_t i = 0; i < s.len; i++)
		put_escaped(w, s.p[i]);
	mrg_w_u8(w, '"');
}

void mrg_text_put_word(struct mrg_w *w, struct mrg_span s)
{
	bool plain = s.len > 0;
	for (size_t i = 0; plain && i < s.len; i++) {
		const unsigned c = s.p[i], l = mrg_lower(s.p[i]);
		plain = l - 'a' < 26u || c - '0' < 10u || c == '-' || c == '_' || c == '.' || c == '+';
	}
	if (plain)
		mrg_w_put(w, s);
	else
		mrg_text_put_string(w, s);
}

void mrg_text_put_piece(struct mrg_w *w, struct mrg_span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == ',' || s.p[i] == '\\')
			mrg_text_put(w, "\\\\");
		put_escaped(w, s.p[i]);
	}
}

/* --- addresses ------------------------------------------------------------------------------------------- */

bool mrg_text_parse_ip4(struct mrg_span s, uint8_t out[4])
{
	const uint8_t *p = s.p, *end = s.p + s.len;
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0 && (p == end || *p++ != '.'))
			return false;
		unsigned v = 0, digits = 0;
		for (; p < end && (unsigned)*p - '0' <= 9u && digits < 4; p++, digits++)
			v = v * 10u + (unsigned)*p - '0';
		/* no leading zeros: some read those as octal */
		if (digits == 0 || v > 255u || (digits > 1 && v < (digits == 2 ? 10u : 100u)) || digits > 3)
			return false;
		out[i] = (uint8_t)v;
	}
	return p == end;
}

bool mrg_text_ip4(struct mrg_text *t, uint64_t *v)
{
	uint8_t b[4];
	if (!mrg_text_word(t))
		return false;
	if (!mrg_text_parse_ip4(t->tok.s, b))
		return mrg_text_bad(t, "not an IPv4 address");
	*v = mrg_be32(b);
	return true;
}

void mrg_text_put_ip4(struct mrg_w *w, uint32_t v)
{
	for (unsigned i = 4; i-- > 0;) {
		mrg_text_put_dec(w, v >> (8u * i) & 255u);
		if (i > 0)
			mrg_w_u8(w, '.');
	}
}

/* Groups of 16 bits up to a "::" or the end; how many bytes they make, or 17. */
static size_t ip6_groups(const uint8_t **at, const uint8_t *end, uint8_t *out, size_t room)
{
	const uint8_t *p = *at;
	size_t n = 0;
	while (p < end && *p != ':') {
		const uint8_t *group = p;
		unsigned v = 0;
		for (; p < end && hex_digit[*p] != 0 && p - group < 5; p++)
			v = v << 4 | (hex_digit[*p] - 1u);
		if (p < end && *p == '.') {
			if (room - n < 4 ||
				!mrg_text_parse_ip4(
					(struct mrg_span){ group, (size_t)(end - group) }, out + n))
				return 17;
			p = end;
			n += 4;
			break;
		}
		if (p == group || p - group > 4 || room - n < 2)
			return 17;
		mrg_put_be(out + n, 2, v);
		n += 2;
		if (p < end && (*p++ != ':' || p == end))
			return 17;
	}
	*at = p;
	return n;
}

bool mrg_text_parse_ip6(struct mrg_span s, uint8_t out[16])
{
	const uint8_t *p = s.p, *end = s.p + s.len;
	uint8_t head[16], tail[16];
	size_t heads = 0, tails = 0;
	if (s.len < 2)
		return false;
	const bool gap_first = p[0] == ':' && p[1] == ':';
	if (!gap_first) {
		heads = ip6_groups(&p, end, head, 16);
		if (heads == 0 || heads > 16 || (p == end) != (heads == 16))
			return false;
	}
	if (p < end) {
		/* here: a group and its ':' were read, then another ':' */
		p += gap_first ? 2 : 1;
		tails = ip6_groups(&p, end, tail, 16);
		if (p != end || tails > 14 || heads + tails > 14)
			return false;
	}
	memset(out, 0, 16);
	memcpy(out, head, heads);
	memcpy(out + 16 - tails, tail, tails);
	return true;
}

bool mrg_text_ip6(struct mrg_text *t, struct mrg_w *w)
{
	uint8_t b[16];
	if (!mrg_text_word(t))
		return false;
	if (!mrg_text_parse_ip6(t->tok.s, b))
		return mrg_text_bad(t, "not an IPv6 address");
	mrg_w_put(w, (struct mrg_span){ b, sizeof b });
	return true;
}

/* RFC 5952 4.2: the longest run of two or more zero groups, the first of equals */
static void ip6_longest_zeros(const uint8_t *p, unsigned *at, unsigned *len)
{
	*at = 8;
	*len = 1;
	for (unsigned i = 0; i < 8; i++) {
		unsigned n = 0;
		while (i + n < 8 && mrg_be16(p + 2 * (i + n)) == 0)
			n++;
		if (n > *len) {
			*at = i;
			*len = n;
		}
	}
}

void mrg_text_put_ip6(struct mrg_w *w, struct mrg_span s)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	unsigned at, len;
	if (memcmp(s.p, mapped, sizeof mapped) == 0) {
		mrg_text_put(w, "::ffff:");
		mrg_text_put_ip4(w, mrg_be32(s.p + 12));
		return;
	}
	ip6_longest_zeros(s.p, &at, &len);
	for (unsigned i = 0; i < 8; i++) {
		if (i == at) {
			mrg_text_put(w, "::");
			i += len - 1u;
			continue;
		}
		if (i > 0 && i != at + len)
			mrg_w_u8(w, ':');
		const unsigned v = mrg_be16(s.p + 2 * i);
		unsigned digits = v > 0xfff ? 4 : v > 0xff ? 3 : v > 0xf ? 2 : 1;
		while (digits-- > 0)
			mrg_w_u8(w, (uint8_t) "0123456789abcdef"[v >> (4u * digits) & 15u]);
	}
}

/* n groups of `digits` hex digits joined by `joint` */
static bool groups(struct mrg_text *t, unsigned n, unsigned digits, uint8_t joint, uint64_t *v)
{
	const struct mrg_span s = t->tok.s;
	uint64_t sum = 0;
	if (s.len != n * (digits + 1u) - 1u)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (i % (digits + 1u) == digits) {
			if (s.p[i] != joint)
				return false;
			continue;
		}
		if (hex_digit[s.p[i]] == 0)
			return false;
		sum = sum << 4 | (hex_digit[s.p[i]] - 1u);
	}
	*v = sum;
	return true;
}

bool mrg_text_eui(struct mrg_text *t, unsigned bytes, uint64_t *v)
{
	if (!mrg_text_word(t))
		return false;
	return groups(t, bytes, 2, '-', v) ||
	       mrg_text_bad(t, bytes == 6 ? "not six pairs of hex digits joined by -"
					  : "not eight pairs of hex digits joined by -");
}

/* RFC 6742 2.1.2: like the half of an IPv6 address, so leading zeros of a group may be left out */
bool mrg_text_locator(struct mrg_text *t, uint64_t *v)
{
	uint8_t b[16];
	if (!mrg_text_word(t))
		return false;
	const uint8_t *p = t->tok.s.p, *end = p + t->tok.s.len;
	const size_t n = ip6_groups(&p, end, b, 8);
	if (n != 8 || p != end || span_until(t->tok.s, '.') != t->tok.s.len)
		return mrg_text_bad(t, "not four groups of hex digits joined by :");
	*v = mrg_be64(b);
	return true;
}

void mrg_text_put_eui(struct mrg_w *w, uint64_t v, unsigned bytes)
{
	for (unsigned i = bytes; i-- > 0;) {
		const unsigned b = (unsigned)(v >> (8u * i)) & 255u;
		mrg_w_u8(w, (uint8_t) "0123456789abcdef"[b >> 4]);
		mrg_w_u8(w, (uint8_t) "0123456789abcdef"[b & 15u]);
		if (i > 0)
			mrg_w_u8(w, '-');
	}
}

void mrg_text_put_locator(struct mrg_w *w, uint64_t v)
{
	for (unsigned i = 4; i-- > 0;) {
		const unsigned g = (unsigned)(v >> (16u * i)) & 0xffffu;
		for (unsigned k = 4; k-- > 0;)
			mrg_w_u8(w, (uint8_t) "0123456789abcdef"[g >> (4u * k) & 15u]);
		if (i > 0)
			mrg_w_u8(w, ':');
	}
}
