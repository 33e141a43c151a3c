/*
 * mrg_text_loc.c - the LOC record's presentation format (RFC 1876 section 3).  See mrg_text.h.
 *
 *   d1 [m1 [s1]] N|S d2 [m2 [s2]] E|W alt[m] [siz[m] [hp[m] [vp[m]]]]
 */
#include "mrg_text.h"

#define EQUATOR 0x80000000u        /* thousandths of a second of arc from here */
#define ALTITUDE_BASE 10000000u    /* centimetres below the reference spheroid */
#define ALTITUDE_MAX 4284967295ull /* centimetres above it: fills 32 bits */

/* Digits with at most `places` decimals, scaled to an integer: "1.5" with 3 places is 1500. */
static bool parse_fixed(struct mrg_span s, unsigned places, uint64_t max, uint64_t *v)
{
	uint64_t n = 0;
	unsigned decimals = 0, digits = 0;
	bool point = false;
	for (size_t i = 0; i < s.len; i++) {
		const unsigned d = (unsigned)s.p[i] - '0';
		if (s.p[i] == '.' && !point) {
			point = true;
			continue;
		}
		if (d > 9u || (point && ++decimals > places) || n > max)
			return false;
		n = n * 10u + d;
		digits++;
	}
	for (; decimals < places; decimals++)
		n *= 10u;
	*v = n;
	return digits > 0 && n <= max;
}

/* Is the next token one of the two letters?  1: the first, 2: the second, 0: neither. */
static unsigned hemisphere(struct mrg_text *t, const char *letters)
{
	if (!mrg_text_more(t) || t->tok.kind != MRG_TEXT_WORD || t->tok.s.len != 1)
		return 0;
	const uint8_t c = mrg_lower(t->tok.s.p[0]);
	return c == (uint8_t)letters[0] ? 1 : c == (uint8_t)letters[1] ? 2 : 0;
}

static bool angle(struct mrg_text *t, struct mrg_w *w, const char *letters, uint64_t max_degrees)
{
	static const char *const wrong[3] = { "not degrees", "not minutes", "not seconds" };
	uint64_t part[3] = { 0, 0, 0 };
	unsigned n = 0;
	for (; n < 3 && (n == 0 || hemisphere(t, letters) == 0); n++) {
		if (!mrg_text_word(t))
			return false;
		const bool ok = n < 2 ? mrg_text_parse_dec(t->tok.s, n == 0 ? max_degrees : 59, &part[n])
				      : parse_fixed(t->tok.s, 3, 59999, &part[n]);
		if (!ok)
			return mrg_text_bad(t, wrong[n]);
	}
	const unsigned side = hemisphere(t, letters);
	if (side == 0)
		return mrg_text_any(t) && mrg_text_bad(t, letters[0] == 'n' ? "not N or S" : "not E or W");
	t->have = false;
	const uint64_t arc = part[0] * 3600000u + part[1] * 60000u + part[2];
	if (arc > max_degrees * 3600000u)
		return mrg_text_bad(t, "more than a quarter of the globe or half of it");
	mrg_w_be(w, 4, side == 1 ? EQUATOR + arc : EQUATOR - arc);
	return true;
}

/* Metres with at most two decimals and perhaps an "m", in centimetres. */
static bool metres(struct mrg_text *t, uint64_t max, bool *negative, uint64_t *cm)
{
	if (!mrg_text_word(t))
		return false;
	struct mrg_span s = t->tok.s;
	if (s.len > 0 && mrg_lower(s.p[s.len - 1]) == 'm')
		s.len--;
	*negative = s.len > 0 && s.p[0] == '-';
	if (*negative || (s.len > 0 && s.p[0] == '+'))
		s = (struct mrg_span){ s.p + 1, s.len - 1 };
	return parse_fixed(s, 2, max, cm) || mrg_text_bad(t, "not a length in metres");
}

/* Centimetres as digit x 10^exponent, cut to one digit (RFC 1876 section 2). */
static bool size(struct mrg_text *t, uint8_t *out)
{
	bool negative = false;
	uint64_t cm = 0;
	unsigned exponent = 0;
	if (!metres(t, 9000000000ull, &negative, &cm))
		return false;
	if (negative)
		return mrg_text_bad(t, "not a length in metres");
	for (; cm > 9; cm /= 10)
		exponent++;
	*out = (uint8_t)(cm << 4 | exponent);
	return true;
}

bool mrg_text_loc(struct mrg_text *t, struct mrg_w *w)
{
	/* defaults: 1 m, 10,000 m, 10 m */
	uint8_t head[4] = { 0, 0x12, 0x16, 0x13 };
	bool negative = false;
	uint64_t cm = 0;
	const size_t from = w->len;
	mrg_w_put(w, (struct mrg_span){ head, sizeof head });
	if (!angle(t, w, "ns", 90) || !angle(t, w, "ew", 180) || !metres(t, ALTITUDE_MAX, &negative, &cm))
		return false;
	if (negative && cm > ALTITUDE_BASE)
		return mrg_text_bad(t, "lower than 100,000 m below the surface");
	mrg_w_be(w, 4, negative ? ALTITUDE_BASE - cm : ALTITUDE_BASE + cm);
	for (unsigned i = 1; i < 4 && mrg_text_more(t); i++)
		if (!size(t, &head[i]))
			return false;
	if (w->st == MRG_OK)
		memcpy(w->p + from, head, sizeof head);
	return true;
}

static void put_fixed(struct mrg_w *w, uint64_t v, unsigned unit)
{
	mrg_text_put_dec(w, v / unit);
	mrg_w_u8(w, '.');
	for (v %= unit, unit /= 10; unit > 0; unit /= 10)
		mrg_w_u8(w, (uint8_t)('0' + v / unit % 10));
}

static void put_angle(struct mrg_w *w, uint32_t v, const char *sides)
{
	const uint32_t arc = v >= EQUATOR ? v - EQUATOR : EQUATOR - v;
	mrg_text_put_dec(w, arc / 3600000u);
	mrg_w_u8(w, ' ');
	mrg_text_put_dec(w, arc / 60000u % 60u);
	mrg_w_u8(w, ' ');
	put_fixed(w, arc % 60000u, 1000);
	mrg_w_u8(w, ' ');
	mrg_w_u8(w, (uint8_t)sides[v >= EQUATOR ? 0 : 1]);
	mrg_w_u8(w, ' ');
}

static void put_size(struct mrg_w *w, uint8_t v)
{
	uint64_t cm = v >> 4;
	for (unsigned i = v & 15u; i > 0; i--)
		cm *= 10;
	mrg_w_u8(w, ' ');
	put_fixed(w, cm, 100);
	mrg_w_u8(w, 'm');
}

void mrg_text_put_loc(struct mrg_w *w, struct mrg_span s)
{
	/* another version, or digits that are none, have no text (RFC 1876 section 2) */
	bool known = s.len == 16 && s.p[0] == 0;
	for (unsigned i = 1; known && i < 4; i++)
		known = s.p[i] >> 4 <= 9 && (s.p[i] & 15u) <= 9;
	const uint32_t north = known ? mrg_be32(s.p + 4) : 0, east = known ? mrg_be32(s.p + 8) : 0;
	if (!known || north - (EQUATOR - 324000000u) > 648000000u ||
		east - (EQUATOR - 648000000u) > 1296000000u) {
		mrg_w_fail(w, MRG_E_TEXT);
		return;
	}
	const uint32_t altitude = mrg_be32(s.p + 12);
	put_angle(w, north, "NS");
	put_angle(w, east, "EW");
	if (altitude < ALTITUDE_BASE)
		mrg_w_u8(w, '-');
	put_fixed(w, altitude < ALTITUDE_BASE ? ALTITUDE_BASE - altitude : altitude - ALTITUDE_BASE, 100);
	mrg_w_u8(w, 'm');
	for (unsigned i = 1; i < 4; i++)
		put_size(w, s.p[i]);
}
