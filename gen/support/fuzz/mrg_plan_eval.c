/* Numbers in messages, and expressions over them: see mrg_plan_inside.h. */
#include <string.h>

#include "mrg_plan_inside.h"

/* ---- bits ---- */

PLAN_PART uint64_t plan_load_any(const uint8_t *data, uint64_t bit, unsigned bits, bool big)
{
	const uint64_t first = bit / 8, last = (bit + bits + 7) / 8;
	uint64_t v = 0;
	if (!big && bit % 8 == 0 && bits % 8 == 0) {
		for (uint64_t i = last; i > first; i--)
			v = v << 8 | data[i - 1];
		return v;
	}
	unsigned __int128 whole = 0;
	for (uint64_t i = first; i < last; i++)
		whole = whole << 8 | data[i];
	v = (uint64_t)(whole >> (last * 8 - bit - bits));
	return bits < 64 ? v & ((UINT64_C(1) << bits) - 1) : v;
}

PLAN_PART void plan_store_any(uint8_t *data, uint64_t bit, unsigned bits, bool big, uint64_t value)
{
	if (!big && bit % 8 == 0 && bits % 8 == 0) {
		for (uint64_t i = bit / 8; i < (bit + bits) / 8; i++, value >>= 8)
			data[i] = (uint8_t)value;
		return;
	}
	uint64_t at = bit + bits;
	for (; at % 8 == 0 && at >= bit + 8; at -= 8, value >>= 8)
		data[at / 8 - 1] = (uint8_t)value;
	for (; at > bit; at--, value >>= 1) {
		const unsigned mask = 0x80u >> (at - 1) % 8, others = data[(at - 1) / 8] & ~mask;
		data[(at - 1) / 8] = (uint8_t)((value & 1) != 0 ? others | mask : others);
	}
}

/* ---- nodes ---- */

PLAN_PART const struct mrg_node *plan_inner(const struct mrg_walk *w, const struct mrg_node *n)
{
	for (;;) {
		if (n->item == MRG_PLAN_NONE || n->first == 0)
			return n;
		const unsigned kind = plan_of(w)->items[n->item].kind;
		if (kind != MRG_PLAN_SWITCH && kind != MRG_PLAN_REGION)
			return n;
		n = &w->nodes[n->first];
	}
}

/* ---- sums ---- */

static uint16_t inet16(uint64_t total, const uint8_t *p, size_t len, size_t hole, size_t hole_len)
{
	for (size_t i = 0; i < len; i++)
		if (i - hole >= hole_len)
			total += (uint64_t)p[i] << (i % 2 == 0 ? 8 : 0);
	while (total > 0xffff)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

static uint32_t crc32_of(uint32_t polynomial, const uint8_t *p, size_t len, size_t hole, size_t hole_len)
{
	uint32_t crc = 0xffffffff;
	for (size_t i = 0; i < len; i++) {
		crc ^= i - hole >= hole_len ? p[i] : 0;
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? polynomial : 0);
	}
	return ~crc;
}

static bool sum(const struct frame *f, const struct mrg_plan_expr *e, uint64_t *value)
{
	const struct mrg_walk *const w = f->w;
	const uint32_t first = w->slots[f->slots + e->a], last = w->slots[f->slots + e->b];
	if (first == 0 || last == 0)
		return false;
	const struct mrg_node *const holder = &w->nodes[f->holder];
	const size_t lo = w->nodes[first].bit_off / 8,
		     hi = (w->nodes[last].bit_off + w->nodes[last].bit_len) / 8;
	const size_t hole = holder->bit_off / 8 - lo, hole_len = holder->bit_len / 8;
	uint64_t total = 0;
	for (uint32_t i = 0; i < e->n; i++) {
		uint64_t v;
		if (!plan_value(f, plan_of(w)->lists[e->c + 2 * i], &v))
			return false;
		for (; v != 0; v >>= 16) /* words of an even number of octets: big-endian ones */
			total += v & 0xffff;
	}
	if (e->bits == MRG_PLAN_INET16)
		*value = inet16(total, f->data + lo, hi - lo, hole, hole_len);
	else
		*value = crc32_of(e->bits == MRG_PLAN_CRC32 ? 0xedb88320u : 0x82f63b78u, f->data + lo,
			hi - lo, hole, hole_len);
	return true;
}

/* ---- expressions ---- */

static bool peek(const struct frame *f, const struct mrg_plan_expr *e, uint64_t *value)
{
	const struct mrg_walk *const w = f->w;
	if (plan_makes(w) && !w->ahead)
		return false;
	*value = 0;
	if (f->limit - f->pos / 8 >= e->bits / 8u)
		*value = plan_load(f->data, f->pos, e->bits,
			e->endian != MRG_PLAN_LITTLE && (e->endian != MRG_PLAN_DYN || f->big));
	return true;
}

static bool node_number(const struct mrg_walk *w, uint32_t at, uint64_t *value)
{
	*value = 0;
	if (at == 0)
		return true; /* an absent optional */
	const struct mrg_node *const n = plan_inner(w, &w->nodes[at]);
	*value = n->value;
	return !n->unknown;
}

static bool counted(const struct mrg_walk *w, uint32_t at, uint64_t *value)
{
	*value = at == 0 ? 0 : plan_inner(w, &w->nodes[at])->child_n;
	return true;
}

static bool size_of(const struct frame *f, const struct mrg_plan_expr *e, uint64_t *value)
{
	const struct mrg_walk *const w = f->w;
	const uint32_t at = e->a == MRG_PLAN_NONE ? f->node : w->slots[f->slots + e->a];
	*value = e->a != MRG_PLAN_NONE && at == 0 ? 0 : w->nodes[at].bit_len / 8;
	return true;
}

static bool less(const struct mrg_plan_expr *e, uint64_t a, uint64_t b)
{
	return e->is_signed ? (int64_t)a < (int64_t)b : a < b;
}

static inline PLAN_ALWAYS bool in_ranges(
	const struct frame *f, const struct mrg_plan_expr *e, uint64_t *value)
{
	uint64_t v, lo, hi;
	bool known = plan_value(f, e->a, &v);
	*value = 0;
	for (uint32_t i = 0; known && i < e->n; i++) {
		const uint32_t *const pair = plan_of(f->w)->lists + e->b + 2 * (size_t)i;
		if (!plan_value(f, pair[0], &lo) || !plan_value(f, pair[1], &hi))
			known = false;
		else if (!less(e, v, lo) && !less(e, hi, v))
			*value = 1;
	}
	return known;
}

/* As far as one side tells it. */
static inline PLAN_ALWAYS bool either_way(
	const struct frame *f, const struct mrg_plan_expr *e, uint64_t *value)
{
	const bool stop = e->op == MRG_PLAN_EITHER;
	uint64_t a = 0, b = 0;
	const bool a_known = plan_value(f, e->a, &a);
	if (a_known && (a != 0) == stop) {
		*value = stop;
		return true;
	}
	const bool b_known = plan_value(f, e->b, &b);
	*value = b != 0;
	return b_known && (a_known || (b != 0) == stop);
}

static inline PLAN_ALWAYS bool operate(const struct mrg_plan_expr *e, uint64_t a, uint64_t b, uint64_t *value)
{
	switch (e->op) {
	case MRG_PLAN_ADD: *value = a + b; break;
	case MRG_PLAN_SUB: *value = a - b; break;
	case MRG_PLAN_MUL: *value = a * b; break;
	case MRG_PLAN_DIV: *value = b != 0 ? a / b : 0; break;
	case MRG_PLAN_MOD: *value = b != 0 ? a % b : 0; break;
	case MRG_PLAN_SHL: *value = b < 64 ? a << b : 0; break;
	case MRG_PLAN_SHR: *value = b < 64 ? a >> b : 0; break;
	case MRG_PLAN_AND: *value = a & b; break;
	case MRG_PLAN_OR: *value = a | b; break;
	case MRG_PLAN_XOR: *value = a ^ b; break;
	case MRG_PLAN_EQ: *value = a == b; break;
	case MRG_PLAN_NE: *value = a != b; break;
	case MRG_PLAN_LT: *value = less(e, a, b); break;
	case MRG_PLAN_LE: *value = !less(e, b, a); break;
	case MRG_PLAN_GT: *value = less(e, b, a); break;
	default: *value = !less(e, a, b); break;
	}
	return true;
}

/* What is made of other values. */
static inline PLAN_ALWAYS bool plan_operation(
	const struct frame *f, const struct mrg_plan_expr *e, uint64_t *value)
{
	uint64_t a, b;
	switch (e->op) {
	case MRG_PLAN_BOTH:
	case MRG_PLAN_EITHER: return either_way(f, e, value);
	case MRG_PLAN_IN: return in_ranges(f, e, value);
	case MRG_PLAN_COND: return plan_value(f, e->a, &a) && plan_value(f, a != 0 ? e->b : e->c, value);
	case MRG_PLAN_NOT:
	case MRG_PLAN_INV:
		if (!plan_value(f, e->a, &a))
			return false;
		*value = e->op == MRG_PLAN_INV ? ~a : a == 0;
		return true;
	default: return plan_value(f, e->a, &a) && plan_value(f, e->b, &b) && operate(e, a, b, value);
	}
}

PLAN_EACH bool plan_value_of(const struct frame *f, const struct mrg_plan_expr *e, uint64_t *value)
{
	const struct mrg_walk *const w = f->w;
	switch (e->op) {
	case MRG_PLAN_SIZE: return size_of(f, e, value);
	case MRG_PLAN_CONST: *value = e->value; return true;
	case MRG_PLAN_FIELD: return node_number(w, plan_find(f, plan_of(w)->lists + e->a, e->n), value);
	case MRG_PLAN_PARAM: *value = f->args[e->a]; return (f->unknown_args >> e->a & 1) == 0;
	case MRG_PLAN_BUFLEN: *value = f->buffers[e->a].end - f->buffers[e->a].start; return !plan_makes(w);
	case MRG_PLAN_COUNT: return counted(w, w->slots[f->slots + e->a], value);
	case MRG_PLAN_AVAIL: *value = f->limit - f->pos / 8; return !plan_makes(w) || f->limit_known;
	case MRG_PLAN_HERE: *value = f->pos / 8 - f->start; return true;
	case MRG_PLAN_PEEK: return peek(f, e, value);
	case MRG_PLAN_SUM: return sum(f, e, value);
	case MRG_PLAN_CALL: return false;
	default: return plan_operation(f, e, value);
	}
}
