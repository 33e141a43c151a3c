/*
 * Log lines: key=value fields put together without stdio or locale, so that they can be made anywhere.
 * A field that does not fit is taken back whole, and the line says that it was cut.
 */
#include "mrg_rt.h"

static const char CUT[] = " cut=1";

enum { BODY_MAX = MRG_RT_LINE_MAX - (int)(sizeof CUT - 1) - 1 }; /* room for CUT and the newline stays free */

static bool put(struct mrg_rt_line *l, const char *s, size_t len)
{
	if (l->cut || len > (size_t)BODY_MAX - l->len) {
		l->cut = true;
		return false;
	}
	memcpy(l->b + l->len, s, len);
	l->len += len;
	return true;
}

static bool put_key(struct mrg_rt_line *l, const char *key)
{
	return (l->len == 0 || put(l, " ", 1)) && put(l, key, strlen(key)) && put(l, "=", 1);
}

static bool is_plain(uint8_t c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '='; }

static bool put_escaped(struct mrg_rt_line *l, uint8_t c)
{
	static const char hex[16] = { '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd',
		'e', 'f' };
	const char literal = (char)c;
	const char coded[4] = { '\\', 'x', hex[c >> 4], hex[c & 15u] };
	switch (c) {
	case '"': return put(l, "\\\"", 2);
	case '\\': return put(l, "\\\\", 2);
	case '\n': return put(l, "\\n", 2);
	case '\t': return put(l, "\\t", 2);
	default: return c >= ' ' && c < 0x7f ? put(l, &literal, 1) : put(l, coded, sizeof coded);
	}
}

static bool put_value(struct mrg_rt_line *l, struct mrg_span v)
{
	size_t plain = 0;
	while (plain < v.len && is_plain(v.p[plain]))
		plain++;
	bool ok = true;
	if (plain == v.len && v.len != 0) {
		for (size_t i = 0; ok && i < v.len; i++)
			ok = put_escaped(l, v.p[i]);
		return ok;
	}
	ok = put(l, "\"", 1);
	for (size_t i = 0; ok && i < v.len; i++)
		ok = put_escaped(l, v.p[i]);
	return ok && put(l, "\"", 1);
}

void mrg_rt_line_span(struct mrg_rt_line *l, const char *key, struct mrg_span value)
{
	const size_t start = l->len;
	if (!put_key(l, key) || !put_value(l, value))
		l->len = start;
}

void mrg_rt_line_str(struct mrg_rt_line *l, const char *key, const char *value)
{
	mrg_rt_line_span(l, key, (struct mrg_span){ (const uint8_t *)value, strlen(value) });
}

void mrg_rt_line_num(struct mrg_rt_line *l, const char *key, uint64_t value)
{
	uint8_t digits[20]; /* UINT64_MAX has 20 */
	size_t at = sizeof digits;
	do
		digits[--at] = (uint8_t)('0' + value % 10u);
	while ((value /= 10u) != 0);
	mrg_rt_line_span(l, key, (struct mrg_span){ digits + at, sizeof digits - at });
}

void mrg_rt_line_addr(struct mrg_rt_line *l, const char *key, const struct mrg_rt_addr *value)
{
	char text[MRG_RT_ADDR_TEXT_MAX];
	mrg_rt_line_str(l, key, mrg_rt_addr_str(value, text));
}

void mrg_rt_line_begin(struct mrg_rt_line *l, const char *level, const char *event)
{
	l->len = 0;
	l->cut = false;
	mrg_rt_line_str(l, "level", level);
	mrg_rt_line_str(l, "event", event);
}

struct mrg_span mrg_rt_line_end(struct mrg_rt_line *l)
{
	if (l->cut) {
		memcpy(l->b + l->len, CUT, sizeof CUT - 1);
		l->len += sizeof CUT - 1;
	}
	l->b[l->len++] = '\n';
	return (struct mrg_span){ (const uint8_t *)l->b, l->len };
}
