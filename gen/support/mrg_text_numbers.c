/*
 * mrg_text_numbers.c - numbers, mnemonics and times of presentation format.  See mrg_text.h.
 */
#include "mrg_calendar.h"
#include "mrg_digits.h"
#include "mrg_text.h"

/* --- numbers ------------------------------------------------------------------------------------- */

bool mrg_text_parse_dec(struct mrg_span s, uint64_t max, uint64_t *v)
{
	uint64_t n = 0;
	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		const unsigned d = (unsigned)s.p[i] - '0';
		if (d > 9u || n > (max - (d > max ? max : d)) / 10u)
			return false;
		n = n * 10u + d;
	}
	*v = n;
	return n <= max;
}

static MRG_COLD bool bad_number(struct mrg_text *t, uint64_t lo, uint64_t hi)
{
	for (size_t i = 0; i < t->tok.s.len; i++)
		if ((unsigned)t->tok.s.p[i] - '0' > 9u)
			return mrg_text_bad(t, "not a number");
	return t->tok.s.len == 0 ? mrg_text_bad(t, "not a number") : mrg_text_bad_range(t, lo, hi);
}

bool mrg_text_dec(struct mrg_text *t, uint64_t lo, uint64_t hi, uint64_t *v)
{
	if (!mrg_text_word(t))
		return false;
	const struct mrg_span s = t->tok.s;
	if (MRG_UNLIKELY(s.len == 0 || s.len > 18))
		return mrg_text_parse_dec(s, hi, v) && *v >= lo ? true : bad_number(t, lo, hi);
	uint64_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		const unsigned d = (unsigned)s.p[i] - '0';
		if (MRG_UNLIKELY(d > 9u))
			return mrg_text_bad(t, "not a number");
		n = n * 10u + d;
	}
	if (MRG_UNLIKELY(n < lo || n > hi))
		return mrg_text_bad_range(t, lo, hi);
	*v = n;
	return true;
}

bool mrg_text_int(struct mrg_text *t, int64_t lo, int64_t hi, uint64_t *v)
{
	if (!mrg_text_word(t))
		return false;
	struct mrg_span s = t->tok.s;
	const bool minus = s.len > 0 && s.p[0] == '-';
	if (minus)
		s = (struct mrg_span){ s.p + 1, s.len - 1 };
	uint64_t n;
	if (!mrg_text_parse_dec(s, (uint64_t)INT64_MAX, &n))
		return mrg_text_bad(t, "not a number");
	const int64_t i = minus ? -(int64_t)n : (int64_t)n;
	if (i < lo || i > hi)
		return mrg_text_bad(t, "number out of range");
	*v = (uint64_t)i;
	return true;
}

bool mrg_text_hex_int(struct mrg_text *t, uint64_t lo, uint64_t hi, uint64_t *v)
{
	if (!mrg_text_word(t))
		return false;
	const struct mrg_span s = t->tok.s;
	size_t i = s.len > 2 && s.p[0] == '0' && mrg_lower(s.p[1]) == 'x' ? 2 : 0;
	uint64_t n = 0;
	if (s.len == i || s.len - i > 16)
		return mrg_text_bad(t, "not a hexadecimal number");
	for (; i < s.len; i++) {
		const unsigned c = mrg_lower(s.p[i]);
		const unsigned d = c - '0' <= 9u ? c - '0' : c - 'a' <= 5u ? c - 'a' + 10u : 16u;
		if (d > 15u)
			return mrg_text_bad(t, "not a hexadecimal number");
		n = n << 4 | d;
	}
	if (n < lo || n > hi)
		return mrg_text_bad_range(t, lo, hi);
	*v = n;
	return true;
}

bool mrg_text_mnemonic(
	struct mrg_text *t, const struct mrg_text_enum *e, uint64_t lo, uint64_t hi, uint64_t *v)
{
	if (!mrg_text_word(t))
		return false;
	if (!mrg_text_enum_find(e, t->tok.s, v) &&
		(*e->unknown == '\0' || !mrg_text_parse_dec(t->tok.s, e->max, v)))
		return mrg_text_bad(t, "not a known name");
	return (*v >= lo && *v <= hi) || mrg_text_bad_range(t, lo, hi);
}

bool mrg_text_dec_enum(
	struct mrg_text *t, const struct mrg_text_enum *e, uint64_t lo, uint64_t hi, uint64_t *v)
{
	if (!mrg_text_word(t))
		return false;
	if (!mrg_text_parse_dec(t->tok.s, UINT32_MAX, v) && !mrg_text_enum_find(e, t->tok.s, v))
		return mrg_text_bad(t, "not a number or a known name");
	return (*v >= lo && *v <= hi) || mrg_text_bad_range(t, lo, hi);
}

static uint32_t ttl_unit(uint8_t c)
{
	switch (mrg_lower(c)) {
	case 's': return 1;
	case 'm': return 60;
	case 'h': return 3600;
	case 'd': return 86400;
	case 'w': return 604800;
	default: return 0;
	}
}

bool mrg_text_parse_ttl(struct mrg_span s, uint64_t *v)
{
	uint64_t sum = 0, n = 0;
	bool digits = false, units = false;
	if (s.len > 64)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		const unsigned d = (unsigned)s.p[i] - '0';
		if (d <= 9u) {
			n = n * 10u + d;
			digits = true;
		} else {
			const uint32_t unit = ttl_unit(s.p[i]);
			if (unit == 0 || !digits)
				return false;
			sum += n * unit;
			n = 0;
			digits = false;
			units = true;
		}
		if (n > UINT32_MAX || sum > UINT32_MAX)
			return false;
	}
	*v = sum + n;
	/* 1h30 lacks its last unit */
	return units ? !digits : digits;
}

bool mrg_text_ttl(struct mrg_text *t, uint64_t lo, uint64_t hi, uint64_t *v)
{
	if (!mrg_text_word(t))
		return false;
	if (!mrg_text_parse_ttl(t->tok.s, v))
		return mrg_text_bad(t, "not a time in seconds or with units (1h30m)");
	return (*v >= lo && *v <= hi) || mrg_text_bad_range(t, lo, hi);
}

static bool parse_date(struct mrg_span s, uint64_t *v)
{
	uint64_t n;
	if (!mrg_text_parse_dec(s, 99999999999999u, &n))
		return false;
	const struct mrg_calendar c = {
		.year = (unsigned)(n / 10000000000u),
		.month = (unsigned)(n / 100000000 % 100),
		.day = (unsigned)(n / 1000000 % 100),
		.hour = (unsigned)(n / 10000 % 100),
		.minute = (unsigned)(n / 100 % 100),
		.second = (unsigned)(n % 100),
	};
	if (!mrg_calendar_seconds(&c, &n))
		return false;
	*v = n & UINT32_MAX; /* RFC 4034 3.1.5: serial number arithmetic */
	return true;
}

bool mrg_text_time(struct mrg_text *t, uint64_t lo, uint64_t hi, uint64_t *v)
{
	if (!mrg_text_word(t))
		return false;
	const struct mrg_span s = t->tok.s;
	if (s.len == 14 ? !parse_date(s, v) : s.len > 10 || !mrg_text_parse_dec(s, UINT32_MAX, v))
		return mrg_text_bad(t, "not a time (YYYYMMDDHHmmSS)");
	return (*v >= lo && *v <= hi) || mrg_text_bad_range(t, lo, hi);
}

/* --- printers ---------------------------------------------------------------------------------------- */

void mrg_text_put(struct mrg_w *w, const char *text)
{
	for (; *text != '\0'; text++)
		mrg_w_u8(w, (uint8_t)*text);
}

size_t mrg_text_sep(struct mrg_w *w, size_t from)
{
	if (w->len > from)
		mrg_w_u8(w, ' ');
	return w->len;
}

void mrg_text_unsep(struct mrg_w *w, size_t from, size_t mark)
{
	if (w->st == MRG_OK && w->len == mark && mark > from)
		w->len--;
}

void mrg_text_comma(struct mrg_w *w, unsigned *n)
{
	if ((*n)++ > 0)
		mrg_w_u8(w, ',');
}

void mrg_text_put_dec(struct mrg_w *w, uint64_t v) { mrg_digits_put(w, v, 1); }

void mrg_text_put_int(struct mrg_w *w, int64_t v)
{
	if (v < 0)
		mrg_w_u8(w, '-');
	mrg_text_put_dec(w, v < 0 ? 0u - (uint64_t)v : (uint64_t)v);
}

void mrg_text_put_digit(struct mrg_w *w, unsigned v, bool upper)
{
	mrg_w_u8(w, (uint8_t)(upper ? "0123456789ABCDEF" : "0123456789abcdef")[v & 15u]);
}

void mrg_text_put_hex_int(struct mrg_w *w, uint64_t v, unsigned digits)
{
	while (digits-- > 0)
		mrg_w_u8(w, (uint8_t) "0123456789ABCDEF"[v >> (4u * digits) & 15u]);
}

void mrg_text_put_mnemonic(struct mrg_w *w, const struct mrg_text_enum *e, uint64_t v)
{
	const struct mrg_text_member *m = mrg_text_enum_member(e, v);
	if (m != NULL) {
		mrg_text_put(w, m->name);
		return;
	}
	mrg_text_put(w, e->unknown);
	mrg_text_put_dec(w, v);
}

void mrg_text_put_time(struct mrg_w *w, uint32_t v)
{
	const struct mrg_calendar c = mrg_calendar_of(v);
	mrg_digits_put(w, c.year, 4);
	mrg_digits_put(w, c.month, 2);
	mrg_digits_put(w, c.day, 2);
	mrg_digits_put(w, c.hour, 2);
	mrg_digits_put(w, c.minute, 2);
	mrg_digits_put(w, c.second, 2);
}
